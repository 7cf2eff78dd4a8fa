//! Runs as their clients see them.

use std::hash::{DefaultHasher, Hash, Hasher};

use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::execute_run_request::Source;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::{ExecuteRunRequest, ExecuteRunResponse, Verdict};
use prost::Message;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::client::Trouble;
use crate::dial::Bearer;

pub(crate) type Runs = RunServiceClient<InterceptedService<Channel, Bearer>>;

/// A client of runs with the token.
pub(crate) fn runs(channel: Channel, bearer: &Bearer) -> Runs {
    RunServiceClient::with_interceptor(channel, bearer.clone())
}

pub(crate) fn named(name: &str) -> ExecuteRunRequest {
    ExecuteRunRequest { source: Some(Source::Name(name.into())), ..ExecuteRunRequest::default() }
}

pub(crate) fn yaml(text: impl Into<String>) -> ExecuteRunRequest {
    ExecuteRunRequest { source: Some(Source::Yaml(text.into())), ..ExecuteRunRequest::default() }
}

/// How an accepted call ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// With its last event: its verdict, and a digest of all events.
    Finished(Verdict, u64),
    /// With a reason that the protocol knows.
    Refused(String),
}

impl Ending {
    pub(crate) fn outcome(self) -> String {
        match self {
            Ending::Finished(verdict, _) => format!("{verdict:?}"),
            Ending::Refused(reason) => reason,
        }
    }
}

/// A status as an ending: its reason, unless it tells of a bug or comes from elsewhere.
pub(crate) fn refusal(status: Status) -> Result<Ending, Trouble> {
    match status.get_details_error_info() {
        Some(info) if status.code() != Code::Internal => Ok(Ending::Refused(info.reason)),
        _ => Err(status.into()),
    }
}

/// What has been read of a run.
#[derive(Default)]
pub(crate) struct Reading {
    digest: DefaultHasher,
    verdict: Option<Verdict>,
}

impl Reading {
    /// Takes the next message.
    pub(crate) fn take(&mut self, message: &ExecuteRunResponse) {
        for event in &message.events {
            event.encode_to_vec().hash(&mut self.digest);
            if let Some(Kind::RunFinished(finished)) = &event.kind {
                self.verdict = Some(finished.verdict());
            }
        }
    }

    /// How it ended. Fails if nobody said why there is no more.
    pub(crate) fn end(&self) -> Result<Ending, Trouble> {
        match self.verdict {
            Some(verdict) => Ok(Ending::Finished(verdict, self.digest.finish())),
            None => Err("the stream ended without RunFinished, and without an error".into()),
        }
    }
}

/// Runs something to its end.
pub(crate) async fn run(runs: &mut Runs, request: ExecuteRunRequest) -> Result<Ending, Trouble> {
    let mut stream = match runs.execute_run(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => return refusal(status),
    };
    let mut reading = Reading::default();
    loop {
        match stream.message().await {
            Ok(Some(message)) => reading.take(&message),
            Ok(None) => return reading.end(),
            Err(status) => return refusal(status),
        }
    }
}
