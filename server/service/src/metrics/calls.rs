//! The calls of every method: how many begin, how they end, how long they take. The names are those of go-grpc-middleware, which
//! dashboards and alerts for gRPC know.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use halfopen_proto::FILE_DESCRIPTOR_SET;
use hyper::body::{Frame, SizeHint};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use prost::Message;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Metrics, histogram};

/// The method of a call that the protocol does not have.
const UNKNOWN: &str = "unknown";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    grpc_type: &'static str,
    grpc_service: Arc<str>,
    grpc_method: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Handled {
    #[prometheus(flatten)]
    method: Method,
    grpc_code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: String,
}

/// The metrics of calls.
#[derive(Debug)]
pub(super) struct Calls {
    /// The methods that exist, by their paths.
    methods: BTreeMap<String, Method>,
    unknown: Method,
    started: Family<Method, Counter>,
    handled: Family<Handled, Counter>,
    time: Family<Method, Histogram>,
    errors: Family<ByReason, Counter>,
}

impl Default for Calls {
    fn default() -> Calls {
        let name = || Arc::from(UNKNOWN);
        let calls = Calls {
            methods: methods(),
            unknown: Method { grpc_type: UNKNOWN, grpc_service: name(), grpc_method: name() },
            started: Family::default(),
            handled: Family::default(),
            time: Family::new_with_constructor(histogram),
            errors: Family::default(),
        };
        // A rate needs a value from before the first event.
        for method in calls.methods.values() {
            drop(calls.started.get_or_create(method));
            drop(calls.time.get_or_create(method));
        }
        calls
    }
}

impl Calls {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Calls that began";
        registry.register("grpc_server_started", help, self.started.clone());
        let help = "Calls that ended, by status";
        registry.register("grpc_server_handled", help, self.handled.clone());
        let help = "How long calls took, streams to their end";
        registry.register("grpc_server_handling_seconds", help, self.time.clone());
        let help = "Calls that ended with an error, by its reason in google.rpc.ErrorInfo";
        registry.register("halfopen_call_errors", help, self.errors.clone());
    }
}

/// Every method that a port has.
fn methods() -> BTreeMap<String, Method> {
    let sets = [
        FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let mut methods = BTreeMap::new();
    for set in sets {
        let set = FileDescriptorSet::decode(set).expect("the build made the descriptors");
        for (package, service) in
            set.file.iter().flat_map(|file| file.service.iter().map(|service| (file.package(), service)))
        {
            let name: Arc<str> = format!("{package}.{}", service.name()).into();
            for method in &service.method {
                let path = format!("/{name}/{}", method.name());
                let (grpc_service, grpc_method) = (Arc::clone(&name), method.name().into());
                methods.insert(path, Method { grpc_type: kind(method), grpc_service, grpc_method });
            }
        }
    }
    methods
}

fn kind(method: &MethodDescriptorProto) -> &'static str {
    match (method.client_streaming(), method.server_streaming()) {
        (false, false) => "unary",
        (true, false) => "client_stream",
        (false, true) => "server_stream",
        (true, true) => "bidi_stream",
    }
}

/// Passes on a call, and counts it when its response has ended.
pub(crate) async fn measure(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let mut call = Call::begin(metrics, request.uri().path());
    let response = next.run(request).await;
    // An error without a body.
    call.heed(response.headers());
    response.map(|body| Body::new(Answering { body, call }))
}

/// A call, until it is dropped.
struct Call {
    metrics: Arc<Metrics>,
    method: Method,
    began: Instant,
    /// Without one, the client left.
    status: Option<Status>,
}

impl Call {
    fn begin(metrics: Arc<Metrics>, path: &str) -> Call {
        let Calls { methods, unknown, started, .. } = &metrics.calls;
        let method = methods.get(path).unwrap_or(unknown).clone();
        started.get_or_create(&method).inc();
        Call { metrics, method, began: Instant::now(), status: None }
    }

    /// Takes the status, if these headers or trailers have one.
    fn heed(&mut self, headers: &HeaderMap) {
        self.status = Status::from_header_map(headers).or(self.status.take());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let Calls { handled, time, errors, .. } = &self.metrics.calls;
        let code = self.status.as_ref().map_or(Code::Cancelled, Status::code);
        time.get_or_create(&self.method).observe(self.began.elapsed().as_secs_f64());
        handled.get_or_create(&Handled { method: self.method.clone(), grpc_code: name(code) }).inc();
        if let Some(info) = self.status.as_ref().and_then(Status::get_details_error_info) {
            errors.get_or_create(&ByReason { reason: info.reason }).inc();
        }
    }
}

/// The name of a code in Go, which is what dashboards expect.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

/// The body of a response, which ends with the status of its call.
struct Answering {
    body: Body,
    call: Call,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.heed(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
