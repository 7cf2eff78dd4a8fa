//! The requests that have not arrived completely, and the watches of health.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep};
use tonic::Status;

use super::PortLimits;
use crate::status;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The watches of health that may be open: they need no token, so anybody may open them.
const MAX_WATCHES: usize = 512;
const WATCH: &str = "/grpc.health.v1.Health/Watch";
/// The services whose requests are streams, which may stay open.
const STREAMS: &str = "/grpc.reflection.";

/// The requests of a port.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// The bytes that have arrived of requests that are not complete.
    unfinished: Arc<AtomicU64>,
    max_unfinished: u64,
    time: Duration,
    watches: Arc<Semaphore>,
}

impl Requests {
    pub(crate) fn new(limits: &PortLimits) -> Requests {
        Requests {
            unfinished: Arc::default(),
            max_unfinished: limits.request_bytes,
            time: limits.request_time,
            watches: Arc::new(Semaphore::new(MAX_WATCHES)),
        }
    }

    /// Passes on a request whose body fails once it takes too long, or once all take too much memory.
    pub(crate) async fn check(State(requests): State<Requests>, request: Request, next: Next) -> Response {
        let path = request.uri().path();
        let watch = match path == WATCH {
            true => match Arc::clone(&requests.watches).try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_) => return status::too_many_watches(MAX_WATCHES).into_http::<Body>(),
            },
            false => None,
        };
        let may_stay_open = path.starts_with(STREAMS);
        let request = request.map(|body| {
            let time = (!may_stay_open).then_some(requests.time);
            Body::new(Arriving { body, arrived: 0, time, deadline: None, requests })
        });
        let response = next.run(request).await;
        match watch {
            None => response,
            Some(permit) => response.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    // Held as long as the body.
                    let _ = &permit;
                    frame
                }))
            }),
        }
    }
}

/// The body of a request, until it has arrived.
struct Arriving {
    body: Body,
    arrived: u64,
    /// How long it may take from the first time that it must be waited for; `None`: any time.
    time: Option<Duration>,
    deadline: Option<Pin<Box<Sleep>>>,
    requests: Requests,
}

impl Arriving {
    /// Counts bytes that have arrived. Fails if all unfinished requests together take too much memory.
    fn count(&mut self, bytes: usize) -> Result<(), Status> {
        let bytes = bytes as u64;
        self.arrived += bytes;
        let Requests { unfinished, max_unfinished, .. } = &self.requests;
        let all = unfinished.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if all <= *max_unfinished { Ok(()) } else { Err(status::requests_too_large(*max_unfinished)) }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| {
                let frame = frame?;
                self.count(frame.data_ref().map_or(0, Bytes::len))?;
                Ok(frame)
            }));
        }
        let Some(time) = self.time else { return Poll::Pending };
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(status::request_too_slow(time).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.requests.unfinished.fetch_sub(self.arrived, Ordering::Relaxed);
    }
}
