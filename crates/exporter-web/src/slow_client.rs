//! A socket that does not wait for ever: its client must send a request's head in time, and must
//! read what is sent.
//!
//! Hyper's own header timeout also counts while a kept connection is idle, so it can only be as
//! long as the idle time; a head that trickles in is stopped here.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Tells the socket that a request's head is complete.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadDone(Arc<Heads>);

#[derive(Debug, Default)]
struct Heads {
    done: AtomicBool,
    unlimited: AtomicBool,
}

impl HeadDone {
    pub(super) fn set(&self) {
        self.0.done.store(true, Ordering::Relaxed);
    }

    /// From now on the bytes say nothing of heads: HTTP/2 sends its own between requests.
    pub(super) fn stop_counting(&self) {
        self.0.unlimited.store(true, Ordering::Relaxed);
        self.set();
    }

    fn get(&self) -> bool {
        self.0.done.load(Ordering::Relaxed)
    }

    fn clear(&self) {
        let unlimited = self.0.unlimited.load(Ordering::Relaxed);
        self.0.done.store(unlimited, Ordering::Relaxed);
    }
}

type Timer = Pin<Box<Sleep>>;

/// A stream with two limits: for the head of a request from its first byte (of the first request:
/// from the start), and for a write that makes no progress.
#[derive(Debug)]
pub(super) struct Guarded<S> {
    stream: S,
    head_limit: Duration,
    write_limit: Duration,
    head_done: HeadDone,
    head_timer: Option<Timer>,
    write_timer: Option<Timer>,
}

impl<S> Guarded<S> {
    pub(super) fn new(
        stream: S,
        head_limit: Duration,
        write_limit: Duration,
        head_done: HeadDone,
    ) -> Self {
        Self {
            stream,
            head_limit,
            write_limit,
            head_done,
            head_timer: Some(Box::pin(sleep(head_limit))),
            write_timer: None,
        }
    }

    /// Passes a finished write on; fails one that has been pending for too long.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write_timer = None;
            return result;
        }
        let limit = self.write_limit;
        let timer = self
            .write_timer
            .get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            ErrorKind::TimedOut,
            "the client does not read its answer",
        )))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if result.is_ready() {
            if buf.filled().len() > before && this.head_done.get() {
                this.head_done.clear();
                if !this.head_done.get() {
                    this.head_timer = Some(Box::pin(sleep(this.head_limit)));
                }
            }
            return result;
        }
        if this.head_done.get() {
            this.head_timer = None;
        }
        match &mut this.head_timer {
            Some(timer) => {
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(
                    ErrorKind::TimedOut,
                    "the client does not finish its request",
                )))
            }
            None => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::Instant;

    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const WRITE: Duration = Duration::from_secs(30);

    /// Gives a byte when told, and takes as many bytes as told; else it is pending, for ever.
    #[derive(Default)]
    struct Peer {
        bytes: usize,
        room: usize,
    }

    impl AsyncRead for Peer {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if self.bytes == 0 {
                return Poll::Pending;
            }
            self.bytes -= 1;
            buf.put_slice(b"x");
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Peer {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.room);
            self.room -= taken;
            if taken == 0 {
                return Poll::Pending;
            }
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn guarded(done: &HeadDone) -> Guarded<Peer> {
        Guarded::new(Peer::default(), HEAD, WRITE, done.clone())
    }

    async fn read(guarded: &mut Guarded<Peer>) -> io::Result<()> {
        let mut space = [0; 8];
        poll_fn(|cx| Pin::new(&mut *guarded).poll_read(cx, &mut ReadBuf::new(&mut space))).await
    }

    async fn write(guarded: &mut Guarded<Peer>) -> io::Result<usize> {
        poll_fn(|cx| Pin::new(&mut *guarded).poll_write(cx, b"answer")).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickle_of_bytes_does_not_prolong_the_head() {
        let done = HeadDone::default();
        let mut guarded = guarded(&done);
        let start = Instant::now();
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(3)).await;
            guarded.stream.bytes = 1;
            read(&mut guarded).await.unwrap();
        }
        let error = read(&mut guarded).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), HEAD.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_head_has_a_limit_of_its_own_from_its_first_byte() {
        let done = HeadDone::default();
        let mut guarded = guarded(&done);
        guarded.stream.bytes = 1;
        read(&mut guarded).await.unwrap();
        done.set();
        // Idle between requests: not limited here.
        let idle = tokio::time::timeout(Duration::from_secs(100), read(&mut guarded)).await;
        assert!(idle.is_err());
        guarded.stream.bytes = 1;
        read(&mut guarded).await.unwrap();
        let start = Instant::now();
        read(&mut guarded).await.unwrap_err();
        assert_eq!(start.elapsed().as_secs(), HEAD.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_write_without_progress_times_out() {
        let mut guarded = guarded(&HeadDone::default());
        for _ in 0..3 {
            let blocked = tokio::time::timeout(Duration::from_secs(20), write(&mut guarded)).await;
            assert!(blocked.is_err());
            guarded.stream.room = 2;
            assert_eq!(write(&mut guarded).await.unwrap(), 2);
        }
        let start = Instant::now();
        let error = write(&mut guarded).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), WRITE.as_secs());
    }
}
