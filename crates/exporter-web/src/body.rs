//! The body of an answer on its way to the client.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::admission::InFlight;
use super::answer::AnswerBody;

/// Bytes that hyper gets at once. It takes the next ones when the client has taken these, so that
/// the request is in work for as long as the client reads. Each slice is a system call that wakes the
/// client: with smaller ones a large answer takes twice as long.
const SLICE: usize = 256 << 10;

/// A body that keeps its request in work until the client has read it.
#[derive(Debug)]
pub(super) struct TrackedBody {
    rest: AnswerBody,
    in_flight: Option<InFlight>,
}

impl TrackedBody {
    /// Takes the body over from the answer.
    pub(super) fn new(rest: AnswerBody, mut in_flight: InFlight) -> Self {
        in_flight.hold(rest.len());
        Self {
            rest,
            in_flight: Some(in_flight),
        }
    }
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(slice) = self.rest.next_slice(SLICE) else {
            self.in_flight = None;
            return Poll::Ready(None);
        };
        if let Some(in_flight) = &self.in_flight {
            in_flight.take();
        }
        Poll::Ready(Some(Ok(Frame::data(slice))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }
}
