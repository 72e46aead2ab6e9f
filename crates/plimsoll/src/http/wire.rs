//! A connection's bytes on their way between the socket and hyper.
//!
//! hyper answers a head that it cannot read by itself, with a status and nothing else. Such an
//! answer is held back here, so that the connection can give one in the words of the API. It is
//! recognised by two signs, of which a good answer has neither: no answer of ours is under way, and
//! it says that it is empty.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

use super::limits::Patience;
use super::trace::Trace;

/// What is known of a connection by its bytes; shared by its socket and its requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    trace: Trace,
    /// From the moment that hyper hands a request over until its whole answer is with the system.
    is_answering: bool,
    /// The whole answer is with hyper.
    is_answered: bool,
    /// The system takes no more bytes, since the peer takes none.
    is_blocked: bool,
    /// The peer may send more than is read.
    is_unread: bool,
    /// Requests that were handed over.
    requests: u64,
    /// What was seen at the last tick, and for how many ticks it has been so.
    seen: Option<(Phase, u64)>,
    age: u32,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// For a request.
    Idle,
    /// For the rest of a head.
    Head,
    /// For a body, which has a time of its own, or for us.
    Request,
    /// For the peer to take an answer.
    Answer,
}

impl Wire {
    /// hyper hands a request over, with the length of its body where that is known.
    ///
    /// Answers whether the head has a `Content-Length`, which hyper hides where it does not count.
    pub(super) fn handed_over(&self, body_bytes: Option<u64>) -> bool {
        let mut state = self.state();
        let has_content_length = state.trace.has_content_length();
        state.trace.handed_over(body_bytes);
        state.is_answering = true;
        state.is_answered = false;
        state.requests += 1;
        has_content_length
    }

    /// Whether this is the last request that the connection can tell from the next.
    pub(super) fn is_last(&self) -> bool {
        self.state().trace.is_lost()
    }

    /// Whether a request has been handed over and not been answered whole.
    pub(super) fn is_answering(&self) -> bool {
        self.state().is_answering
    }

    /// This request is the last, whatever the peer sends behind or of it.
    pub(super) fn leave_unread(&self) {
        self.state().is_unread = true;
    }

    /// Whether the peer may be sending what is not read.
    pub(super) fn is_unread(&self) -> bool {
        self.state().is_unread
    }

    /// The path of the request whose head is being read, as far as it can be told.
    pub(super) fn path(&self) -> String {
        self.state().trace.path()
    }

    /// Counts a tick. Answers what the connection has waited for too long, if it has.
    pub(super) fn tick(&self, patience: &Patience) -> Option<Phase> {
        let mut state = self.state();
        let seen = (state.phase(), state.requests);
        let is_seen_again = state.seen.replace(seen) == Some(seen);
        state.age = if is_seen_again { state.age + 1 } else { 0 };
        let ticks_max = match seen.0 {
            Phase::Idle => patience.idle,
            Phase::Head => patience.head,
            Phase::Request => return None,
            Phase::Answer => patience.answer,
        };
        (ticks_max <= state.age).then_some(seen.0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn phase(&self) -> Phase {
        if self.is_blocked {
            Phase::Answer
        } else if self.is_answering {
            Phase::Request
        } else if self.trace.is_in_head() {
            Phase::Head
        } else {
            Phase::Idle
        }
    }

    /// hyper has nothing left to write.
    fn flushed(&mut self) {
        self.is_blocked = false;
        if self.is_answered {
            self.is_answering = false;
        }
    }

    /// Whether hyper writes an answer of its own. Ours always have a body.
    fn is_hypers_own(&self, bytes: &[u8]) -> bool {
        let is_empty_answer = || {
            bytes.starts_with(b"HTTP/1.")
                && bytes.ends_with(b"\r\n\r\n")
                && bytes
                    .split(|byte| *byte == b'\n')
                    .any(|line| line.eq_ignore_ascii_case(b"content-length: 0\r"))
        };
        !self.is_answering && is_empty_answer()
    }
}

/// A socket whose bytes are looked at.
pub(super) struct Socket<S> {
    pub(super) stream: S,
    wire: Wire,
}

impl<S> Socket<S> {
    pub(super) fn new(stream: S, wire: Wire) -> Self {
        Self { stream, wire }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let received = buffer.filled().get(before..).unwrap_or_default();
        self.wire.state().trace.received(received);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.wire.state().is_hypers_own(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_pending() {
            self.wire.state().is_blocked = true;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.wire.state().flushed();
        Poll::Ready(Ok(()))
    }

    /// Leaves the socket open: an answer may still be due.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

/// The body of an answer, which says when hyper has all of it.
pub(super) struct Answer {
    content: Content,
    wire: Wire,
}

/// What an answer holds.
enum Content {
    /// All of it is there.
    Whole(Full<Bytes>),
    /// It comes in pieces, until there are no more.
    Live(mpsc::Receiver<Bytes>),
}

impl Answer {
    pub(super) fn whole(body: Vec<u8>, wire: Wire) -> Self {
        let content = Content::Whole(Full::from(body));
        Self { content, wire }
    }

    pub(super) fn live(pieces: mpsc::Receiver<Bytes>, wire: Wire) -> Self {
        let content = Content::Live(pieces);
        Self { content, wire }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.wire.state().is_answered = true;
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.content {
            Content::Whole(body) => Pin::new(body).poll_frame(context),
            Content::Live(pieces) => {
                let piece = ready!(pieces.poll_recv(context));
                Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(body) => body.is_end_stream(),
            Content::Live(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(body) => body.size_hint(),
            Content::Live(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
