//! Octets are made into a call of the service, over the connection inside the process. What a fuzzer finds and what the tests
//! replay goes through here.
//!
//! The first line names the method and says what the rest is: `ExecuteRun text` has the text of a scenario, `message` the octets
//! of a request, `body` those of an HTTP body, with whatever lengths and flags. A number after it is the timeout in milliseconds.

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request};
use futures_util::stream;
use halfopen_proto::FILE_DESCRIPTOR_SET;
use halfopen_proto::v1::execute_run_request::Source;
use halfopen_proto::v1::{ExecuteRunRequest, ValidateScenarioRequest};
use halfopend::{Config, Service};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use prost::Message;
use prost_types::FileDescriptorSet;
use tokio::runtime::Runtime;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower::{Service as _, ServiceExt};

/// The timeout of a call that names none, in milliseconds, and the largest: a run may have millions of events.
const TIMEOUT: u64 = 200;
/// Nothing takes longer, whatever its timeout is: then something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads"));
static SERVICE: LazyLock<Channel> = LazyLock::new(|| {
    let _runtime = RUNTIME.enter();
    Service::new(&Config::default()).expect("threads").connect()
});
/// The path of every method.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("the build made the descriptors");
    let services =
        set.file.iter().flat_map(|file| file.service.iter().map(|service| (file.package(), service)));
    services
        .flat_map(|(package, service)| {
            service
                .method
                .iter()
                .map(move |method| format!("/{package}.{}/{}", service.name(), method.name()))
        })
        .collect()
});

/// Makes a call and reads what comes back.
///
/// # Panics
/// If the service has a bug, or does not answer.
pub(crate) fn call(octets: &[u8]) {
    let end = octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len());
    let (line, rest) = (String::from_utf8_lossy(&octets[..end]), octets.get(end + 1..).unwrap_or_default());
    let mut words = line.split(' ');
    let (method, form) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let timeout = words.next().and_then(|word| word.parse().ok()).unwrap_or(TIMEOUT).min(TIMEOUT);
    let path = path(method);
    let body = match form {
        "body" => rest.to_vec(),
        "message" => framed(rest),
        _ => framed(&request(path, &String::from_utf8_lossy(rest))),
    };
    RUNTIME.block_on(async {
        let answered = tokio::time::timeout(PATIENCE, answer(path, &body, timeout)).await;
        let status = answered.unwrap_or_else(|_| panic!("{path} has not answered after {PATIENCE:?}"));
        check(path, &status);
    });
}

/// The path of a method: that of its name, or one of those that exist.
fn path(method: &str) -> &'static str {
    let suffix = format!("/{method}");
    let named = PATHS.iter().find(|path| path.ends_with(&suffix));
    let sum = method.bytes().map(usize::from).sum::<usize>();
    named.unwrap_or(&PATHS[sum % PATHS.len()])
}

/// The request of a method for the text of a scenario; for most methods, these are octets like others.
fn request(path: &str, text: &str) -> Vec<u8> {
    if path.ends_with("/ValidateScenario") {
        return ValidateScenarioRequest { yaml: text.to_owned(), ..Default::default() }.encode_to_vec();
    }
    ExecuteRunRequest { source: Some(Source::Yaml(text.to_owned())), ..ExecuteRunRequest::default() }
        .encode_to_vec()
}

/// A message of gRPC: not compressed, with its length.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    [&[0], length.as_slice(), message].concat()
}

/// The status with which a call ends. Its body arrives in two parts.
async fn answer(path: &str, body: &[u8], timeout: u64) -> Status {
    let parts = [&body[..body.len() / 2], &body[body.len() / 2..]];
    let frames = parts.map(|part| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(part))));
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://in-memory{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", format!("{timeout}m"))
        .body(Body::new(StreamBody::new(stream::iter(frames))))
        .expect("a request");
    let mut channel = SERVICE.clone();
    let response = match channel.ready().await.expect("a connection").call(request).await {
        Ok(response) => response,
        // The client watches the timeout, too.
        Err(error) => return Status::from_error(error.into()),
    };
    let (head, mut body) = response.into_parts();
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        if let Ok(found) = frame.expect("the stream ends as it should").into_trailers() {
            trailers = found;
        }
    }
    let status = Status::from_header_map(&head.headers).or_else(|| Status::from_header_map(&trailers));
    status.expect("every call ends with a status")
}

/// The errors that are bugs have reasons that say so.
fn check(path: &str, status: &Status) {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    assert!(!matches!(reason.as_str(), "RUN_FAILED" | "LOADING_FAILED"), "{path}: {status:?}");
    assert!(!matches!(status.code(), Code::Unavailable | Code::DataLoss), "{path}: {status:?}");
}
