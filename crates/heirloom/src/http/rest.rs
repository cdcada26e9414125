//! What is left of a request's body when its answer is there: read and thrown away, so that the next request can follow
//! on the connection and a client that is refused while it still writes learns why. Where that is too much the answer
//! says that the connection ends, and [`super::linger`] sees to it that it is heard.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::{Request, Response};

/// Bytes that are thrown away at most, and how long an answer waits for them: what was on its way is here by then.
const MOST: usize = 1 << 20;
const WAIT: Duration = Duration::from_secs(1);

/// A body that whoever answers may drop, and that can be read on then.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Inner>>);

struct Inner {
    incoming: Incoming,
    ended: bool,
    /// Whether the client waits to be told to go on, and was not.
    waits: bool,
}

impl Shared {
    /// A request with its body shared.
    pub(super) fn of(request: Request<Incoming>) -> (Request<Self>, Self) {
        let (parts, incoming) = request.into_parts();
        let (ended, waits) = (incoming.is_end_stream(), parts.headers.contains_key(EXPECT));
        let shared = Self(Arc::new(Mutex::new(Inner { incoming, ended, waits })));
        (Request::from_parts(parts, shared.clone()), shared)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on to the end; false where there is more than is thrown away, or it does not come in time.
    async fn read_on(mut self) -> bool {
        let Inner { ended, waits, .. } = *self.inner();
        if ended || waits {
            return ended;
        }
        let end = async {
            let mut left = MOST;
            while let Some(frame) = poll_fn(|context| Pin::new(&mut self).poll_frame(context)).await {
                let length = frame.ok()?.data_ref().map_or(0, Bytes::len);
                left = left.checked_sub(length)?;
            }
            Some(())
        };
        matches!(tokio::time::timeout(WAIT, end).await, Ok(Some(())))
    }

    /// The answer, once the rest of the body is out of its way, or is `unread` for good.
    pub(super) async fn before<T>(self, mut response: Response<T>, unread: &AtomicBool) -> Response<T> {
        if !self.read_on().await {
            unread.store(true, Ordering::Relaxed);
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl Body for Shared {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut inner = self.inner();
        inner.waits = false;
        let polled = Pin::new(&mut inner.incoming).poll_frame(context);
        inner.ended |= matches!(polled, Poll::Ready(None)) || inner.incoming.is_end_stream();
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner().ended
    }

    fn size_hint(&self) -> SizeHint {
        self.inner().incoming.size_hint()
    }
}
