//! Bounded queue of log lines, which a thread of its own writes to standard error.
//!
//! The reader of the log may stop reading, and a full pipe then blocks its writer. No poll and no answer
//! waits for that: lines are dropped instead, and the log tells how many.
//!
//! `tracing-appender` has such a queue, but bounds its lines and not their bytes, writes no line about
//! the dropped ones, waits at the end for a time of its own, and prints to standard output where the
//! queue is full then, which panics where that is closed.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written.
const LINES: usize = 1024;

/// Bytes of the lines that may wait to be written.
const BYTES: usize = 4 * 1024 * 1024;

/// Sender of the queue, which takes a line and never waits.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: SyncSender<Message>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Bytes of the lines that wait.
    waiting: AtomicUsize,
    /// Lines dropped since the last that was written.
    dropped: AtomicU64,
}

impl Counts {
    /// Takes room for a line, if there is enough.
    fn reserve(&self, bytes: usize) -> bool {
        let add = |waiting: usize| waiting.checked_add(bytes).filter(|sum| *sum <= BYTES);
        self.waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok()
    }

    /// Gives back the room of a line.
    fn release(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    /// Everything before it has been written when it is answered.
    Flush(SyncSender<()>),
}

impl Queue {
    /// Starts a thread that writes to `out` for as long as the program runs.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(LINES);
        let counts = Arc::new(Counts::default());
        let writers = counts.clone();
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&receiver, &writers, out))?;
        Ok(Self { sender, counts })
    }

    /// Waits until what was logged so far is written, at most `patience`.
    pub(super) fn flush(&self, patience: Duration) {
        let (done, flushed) = sync_channel(1);
        if self.sender.try_send(Message::Flush(done)).is_ok() {
            // A reader that does not read in time is no failure of the program.
            flushed.recv_timeout(patience).unwrap_or_default();
        }
    }
}

/// Writes the lines of the queue. One that cannot be written is lost: there is no other place to say so.
fn write_all(receiver: &Receiver<Message>, counts: &Counts, mut out: impl Write) {
    while let Ok(message) = receiver.recv() {
        match message {
            Message::Line(line) => {
                drop(out.write_all(&line));
                counts.release(line.len());
            }
            Message::Flush(done) => {
                drop(out.flush());
                // The flush may have been given up.
                done.try_send(()).unwrap_or_default();
            }
        }
        let lost = counts.dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            drop(writeln!(
                out,
                "{lost} log lines were dropped: standard error was not read fast enough"
            ));
        }
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = &'a Queue;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// Takes whole lines: each event is written at once.
impl Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let fits = self.counts.reserve(line.len());
        if !fits {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        } else if self.sender.try_send(Message::Line(line.to_vec())).is_err() {
            self.counts.release(line.len());
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// Blocks until it is opened, as a full pipe does, and keeps what was written.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Inside>);

    #[derive(Default)]
    struct Inside {
        is_open: Mutex<bool>,
        opened: Condvar,
        written: Mutex<Vec<u8>>,
    }

    impl Pipe {
        fn open(&self) {
            *self.0.is_open.lock().unwrap() = true;
            self.0.opened.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.written.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let is_open = self.0.is_open.lock().unwrap();
            let is_open = self.0.opened.wait_while(is_open, |is_open| !*is_open);
            drop(is_open.unwrap());
            self.0.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nobody() {
        let pipe = Pipe::default();
        let queue = Queue::start(pipe.clone()).unwrap();
        for n in 0..LINES + 500 {
            (&queue).write_all(format!("{n}\n").as_bytes()).unwrap();
        }
        queue.flush(Duration::from_millis(1));
        pipe.open();
        // Every line was taken or counted, and the count is told once somebody reads again.
        let (done, flushed) = sync_channel(1);
        queue.sender.send(Message::Flush(done)).unwrap();
        flushed.recv().unwrap();
        let text = pipe.text();
        assert!(text.starts_with("0\n"), "{text}");
        let told: u64 = text
            .lines()
            .filter_map(|line| {
                line.strip_suffix(
                    " log lines were dropped: standard error was not read fast enough",
                )
            })
            .map(|n| n.parse::<u64>().unwrap())
            .sum();
        assert!(told >= 499, "{told}");
    }

    #[test]
    fn bytes_that_wait_are_bounded_and_room_comes_back() {
        const LINE: usize = 16 * 1024;
        let pipe = Pipe::default();
        let queue = Queue::start(pipe.clone()).unwrap();
        let line = [vec![b'x'; LINE - 1], vec![b'\n']].concat();
        for _ in 0..LINES {
            (&queue).write_all(&line).unwrap();
        }
        assert_eq!(queue.counts.waiting.load(Ordering::Relaxed), BYTES);
        let dropped = queue.counts.dropped.load(Ordering::Relaxed);
        assert_eq!(dropped, (LINES - BYTES / LINE) as u64);
        pipe.open();
        let (done, flushed) = sync_channel(1);
        queue.sender.send(Message::Flush(done)).unwrap();
        flushed.recv().unwrap();
        assert_eq!(queue.counts.waiting.load(Ordering::Relaxed), 0);
        assert_eq!(pipe.text().matches('x').count(), BYTES / LINE * (LINE - 1));
        assert!(
            pipe.text()
                .contains(&format!("{dropped} log lines were dropped"))
        );
    }

    #[test]
    fn lines_keep_their_order() {
        let pipe = Pipe::default();
        pipe.open();
        let queue = Queue::start(pipe.clone()).unwrap();
        (&queue).write_all(b"one\n").unwrap();
        (&queue).write_all(b"two\n").unwrap();
        queue.flush(Duration::from_secs(10));
        assert_eq!(pipe.text(), "one\ntwo\n");
    }
}
