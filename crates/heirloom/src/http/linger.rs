//! A connection that ends under a client that is still writing: its own side is shut, and what comes is thrown away for a
//! while. Closed at once, the kernel would answer the client's next byte with a reset, and the client would lose the answer
//! that says why with it.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long is read on for after the answer.
const LINGER: Duration = Duration::from_secs(2);

/// A connection, and whether a request on it was answered before it was read.
pub(super) struct Lingering<S> {
    stream: S,
    unread: Arc<AtomicBool>,
    /// Our side is shut; until when the other may go on.
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Lingering<S> {
    /// `unread` is looked at when the connection ends.
    pub(super) fn new(stream: S, unread: Arc<AtomicBool>) -> Self {
        Self { stream, unread, until: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Self { stream, unread, until } = &mut *self;
        let until = match until {
            Some(until) => until,
            None => {
                ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
                if !unread.load(Ordering::Relaxed) {
                    return Poll::Ready(Ok(()));
                }
                // A deadline beside the reads, for a client that neither writes on nor ends.
                until.insert(Box::pin(tokio::time::sleep(LINGER)))
            }
        };
        let mut thrown_away = [0; 8192];
        while until.as_mut().poll(context).is_pending() {
            let mut into = ReadBuf::new(&mut thrown_away);
            match ready!(Pin::new(&mut *stream).poll_read(context, &mut into)) {
                Ok(()) if !into.filled().is_empty() => {}
                // It has ended as well, or is gone.
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
