//! Calls of any method, by its descriptor.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::render_request::Source;
use halfopen_proto::v1::{RenderFormat, RenderRequest};
use prost::Message;
use prost::bytes::{Buf, BufMut};
use prost_types::field_descriptor_proto::Type;
use prost_types::{FieldDescriptorProto, FileDescriptorSet};
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

/// How long an answer is waited for. A method that waits for events has let the caller in.
const SOON: Duration = Duration::from_secs(3);

/// Messages as they are on the wire.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

/// A method of the port.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// `/halfopen.v1.RunService/ExecuteRun`.
    pub(crate) path: String,
    /// The number of the field of its request that names a session.
    session: Option<u32>,
}

/// Every method of every service of the port, by its path.
pub(crate) fn methods() -> BTreeMap<String, Method> {
    let sets = [
        halfopen_proto::FILE_DESCRIPTOR_SET,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ];
    let files: Vec<_> =
        sets.into_iter().flat_map(|set| FileDescriptorSet::decode(set).unwrap().file).collect();
    let mut sessions = BTreeMap::new();
    for file in &files {
        for message in &file.message_type {
            let is_session =
                |field: &&FieldDescriptorProto| field.name() == "session" && field.r#type() == Type::String;
            let session = message.field.iter().find(is_session);
            let number = session.map(|field| field.number().unsigned_abs());
            sessions.insert(format!(".{}.{}", file.package(), message.name()), number);
        }
    }
    let mut methods = BTreeMap::new();
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                let session = sessions.get(method.input_type()).copied().flatten();
                methods.insert(path.clone(), Method { path, session });
            }
        }
    }
    methods
}

impl Method {
    /// Whether its request names a session.
    pub(crate) fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// A request, about a session if it names one.
    fn request(&self, session: &str) -> Vec<u8> {
        let Some(number) = self.session else { return Vec::new() };
        if self.path.ends_with("/Render") {
            let mut request = RenderRequest {
                source: Some(Source::Session(session.to_owned())),
                ..RenderRequest::default()
            };
            request.set_format(RenderFormat::Text);
            return request.encode_to_vec();
        }
        let mut request = Vec::new();
        prost::encoding::string::encode(number, &session.to_owned(), &mut request);
        request
    }

    /// How the server answers, at least at first.
    pub(crate) async fn call(&self, channel: &Channel, header: Option<&str>, session: &str) -> Outcome {
        let mut request = Request::new(self.request(session));
        if let Some(header) = header {
            request.metadata_mut().insert("authorization", header.parse().unwrap());
        }
        let mut calls = Grpc::new(channel.clone());
        calls.ready().await.unwrap();
        let answered = async {
            let mut answers =
                calls.server_streaming(request, self.path.parse().unwrap(), Raw).await?.into_inner();
            answers.message().await.map(drop)
        };
        match timeout(SOON, answered).await {
            Ok(Ok(())) | Err(_) => Outcome { code: Code::Ok, reason: String::new() },
            Ok(Err(status)) => {
                let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
                Outcome { code: status.code(), reason }
            }
        }
    }
}

/// How a call was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: Code,
    pub(crate) reason: String,
}

impl Outcome {
    /// Whether the caller may do that, with what it names.
    pub(crate) fn is_admitted(&self) -> bool {
        !matches!(self.code, Code::Unauthenticated | Code::PermissionDenied)
            && self.reason != "SESSION_UNKNOWN"
    }
}
