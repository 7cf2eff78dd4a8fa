//! A client of a halfopen service.

use std::error::Error;
use std::sync::{Arc, OnceLock};

use halfopen_proto::v1::render_service_client::RenderServiceClient;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::scenario_service_client::ScenarioServiceClient;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_proto::v1::{
    ExecuteRunRequest, GetScenarioRequest, GetScenarioResponse, GetServerRequest, GetServerResponse,
    ListScenariosRequest, RenderRequest, ScenarioSummary, ServerFeature, ValidateScenarioRequest,
    ValidateScenarioResponse, execute_run_request,
};
use halfopen_view::record::RunOptions;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::connection::{self, Bearer, ConnectOptions, Line};
use crate::error::{ClientError, Refusal};
use crate::events::EventStream;

/// The maximum size of a message from the server, in bytes.
const MAX_MESSAGE: usize = 64 << 20;

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The text of a scenario, YAML or JSON.
    Text {
        /// Its name in the mistakes that are reported.
        file: String,
        /// The text.
        text: String,
    },
    /// The name of a bundled scenario.
    Bundled(String),
}

/// What a scenario is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Run,
    /// Its hosts need no applications.
    Session,
}

/// A connection to a service. Clones share it.
#[derive(Clone, Debug)]
pub struct Client {
    runs: RunServiceClient<Line>,
    scenarios: ScenarioServiceClient<Line>,
    sessions: SessionServiceClient<Line>,
    renders: RenderServiceClient<Line>,
    servers: ServerServiceClient<Line>,
    health: HealthClient<Line>,
    server: String,
    /// The features of the server, once it was asked.
    features: Arc<OnceLock<Vec<ServerFeature>>>,
}

impl Client {
    /// Connects to a server: `http://127.0.0.1:7950`, or `127.0.0.1:7950` for short.
    pub async fn connect(address: &str) -> Result<Client, ClientError> {
        Client::connect_with(address, &ConnectOptions::default()).await
    }

    /// Connects to a server as the options say.
    pub async fn connect_with(address: &str, options: &ConnectOptions) -> Result<Client, ClientError> {
        let (line, server) = connection::connect(address, options).await?;
        Ok(Client::over(line, server))
    }

    /// Uses an existing connection; `server` is its name in errors.
    pub fn new(channel: Channel, server: String) -> Client {
        Client::over(Line::new(channel, Bearer::default()), server)
    }

    fn over(line: Line, server: String) -> Client {
        Client {
            runs: RunServiceClient::new(line.clone()).max_decoding_message_size(MAX_MESSAGE),
            scenarios: ScenarioServiceClient::new(line.clone()).max_decoding_message_size(MAX_MESSAGE),
            sessions: SessionServiceClient::new(line.clone()).max_decoding_message_size(MAX_MESSAGE),
            renders: RenderServiceClient::new(line.clone()),
            servers: ServerServiceClient::new(line.clone()),
            health: HealthClient::new(line),
            server,
            features: Arc::default(),
        }
    }

    /// The address of the server, or the name given to the connection.
    pub fn address(&self) -> &str {
        &self.server
    }

    /// The description of the server: its version, its limits, what it offers. A server that is too old for this call
    /// ends it with UNIMPLEMENTED, for which there is [`ClientError::is_unimplemented`].
    pub async fn server(&mut self) -> Result<GetServerResponse, ClientError> {
        match self.servers.get_server(GetServerRequest {}).await {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.failed(status)),
        }
    }

    /// Whether the server accepts runs. This call needs no token.
    pub async fn is_serving(&mut self) -> Result<bool, ClientError> {
        match self.health.check(HealthCheckRequest::default()).await {
            Ok(response) => Ok(response.into_inner().status() == ServingStatus::Serving),
            Err(status) => Err(self.failed(status)),
        }
    }

    /// Starts a run of a scenario. Dropping the stream stops it.
    pub async fn run(&mut self, source: &Source, options: &RunOptions) -> Result<EventStream, ClientError> {
        let wanted = match source.clone() {
            Source::Text { text, .. } => execute_run_request::Source::Yaml(text),
            Source::Bundled(name) => execute_run_request::Source::Name(name),
        };
        self.check_features(options).await?;
        let RunOptions { variant, seed, profile, snapshot_length } = options.clone();
        let request = ExecuteRunRequest {
            source: Some(wanted),
            seed,
            variant: variant.unwrap_or_default(),
            profile: profile.unwrap_or_default(),
            snapshot_length,
        };
        match self.runs.execute_run(request).await {
            Ok(response) => Ok(EventStream::new(response.into_inner())),
            Err(status) => Err(self.refused(Use::Run, status, source, options).await),
        }
    }

    /// Fails if the server does not support an option, which it would silently ignore.
    async fn check_features(&mut self, options: &RunOptions) -> Result<(), ClientError> {
        let wanted = [
            (options.variant.is_some(), ServerFeature::Variants, "variants of scenarios"),
            (options.profile.is_some(), ServerFeature::Profiles, "a profile for all hosts"),
            (options.snapshot_length > 0, ServerFeature::Snapshots, "the capture of datagrams"),
        ];
        if wanted.iter().all(|(is_wanted, ..)| !is_wanted) {
            return Ok(());
        }
        let known = match self.features.get() {
            Some(known) => known.clone(),
            None => {
                let described = match self.server().await {
                    Ok(described) => described,
                    // A server that is older than this call has none of them.
                    Err(error) if error.is_unimplemented() => GetServerResponse::default(),
                    Err(error) => return Err(error),
                };
                let known: Vec<ServerFeature> = described.features().collect();
                self.features.get_or_init(|| known).clone()
            }
        };
        match wanted.iter().find(|(is_wanted, feature, _)| *is_wanted && !known.contains(feature)) {
            Some((.., what)) => Err(ClientError::Unsupported { server: self.server.clone(), what }),
            None => Ok(()),
        }
    }

    /// The bundled scenarios of the service, in alphabetical order.
    pub async fn list(&mut self) -> Result<Vec<ScenarioSummary>, ClientError> {
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListScenariosRequest { page_token, ..ListScenariosRequest::default() };
            let page = match self.scenarios.list_scenarios(request).await {
                Ok(response) => response.into_inner(),
                Err(status) => return Err(self.failed(status)),
            };
            listed.extend(page.scenarios);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(listed);
            }
        }
    }

    /// The text of a bundled scenario.
    pub async fn text(&mut self, name: &str) -> Result<String, ClientError> {
        self.get(name).await.map(|response| response.yaml)
    }

    /// The names of the variants of a scenario, in the order of its text; empty if it has none, or is invalid.
    pub async fn variants(&mut self, source: &Source) -> Result<Vec<String>, ClientError> {
        match source {
            Source::Text { file, text } => Ok(self.validate(file, text).await?.variants),
            Source::Bundled(name) => {
                Ok(self.get(name).await?.summary.map(|summary| summary.variants).unwrap_or_default())
            }
        }
    }

    async fn get(&mut self, name: &str) -> Result<GetScenarioResponse, ClientError> {
        match self.scenarios.get_scenario(GetScenarioRequest { name: name.to_owned() }).await {
            Ok(response) => Ok(response.into_inner()),
            Err(status) if status.code() == Code::NotFound => Err(ClientError::NotFound(name.to_owned())),
            Err(status) => Err(self.failed(status)),
        }
    }

    /// Checks a scenario, which is called `file` in the mistakes that are reported. Returns the mistakes, none if it
    /// can be run, and the names of its variants.
    pub async fn validate(
        &mut self,
        file: &str,
        text: &str,
    ) -> Result<ValidateScenarioResponse, ClientError> {
        self.validate_for(Use::Run, file, text).await
    }

    async fn validate_for(
        &mut self,
        purpose: Use,
        file: &str,
        text: &str,
    ) -> Result<ValidateScenarioResponse, ClientError> {
        let session = purpose == Use::Session;
        let request = ValidateScenarioRequest { yaml: text.to_owned(), file: file.to_owned(), session };
        match self.scenarios.validate_scenario(request).await {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.failed(status)),
        }
    }

    /// Why a run or a session did not start. The details of a status have room for only some of the mistakes, so the service is
    /// asked for all of them.
    pub(crate) async fn refused(
        &mut self,
        purpose: Use,
        status: Status,
        source: &Source,
        options: &RunOptions,
    ) -> ClientError {
        let message = status.message().to_owned();
        if reason(&status).as_deref() == Some("PROFILE_UNKNOWN") {
            return ClientError::NoProfile(message);
        }
        match (status.code(), source) {
            (Code::InvalidArgument, Source::Text { file, text }) => {
                let ValidateScenarioResponse { diagnostics, variants } =
                    self.validate_for(purpose, file, text).await.unwrap_or_default();
                match diagnostics.is_empty() && !variants.is_empty() && options.variant.is_none() {
                    true => ClientError::HasVariants(variants),
                    false => ClientError::Invalid { message, diagnostics },
                }
            }
            (Code::InvalidArgument, Source::Bundled(_)) => match self.variants(source).await {
                Ok(variants) if options.variant.is_none() && !variants.is_empty() => {
                    ClientError::HasVariants(variants)
                }
                // A bundled scenario is valid, but perhaps not with every profile.
                Ok(_) => ClientError::Invalid { message, diagnostics: Vec::new() },
                Err(_) => self.failed(status),
            },
            (Code::NotFound, Source::Text { .. }) => ClientError::NoVariant(message),
            (Code::NotFound, Source::Bundled(name)) => match self.get(name).await {
                Ok(_) => ClientError::NoVariant(message),
                Err(_) => ClientError::NotFound(name.clone()),
            },
            _ => self.failed(status),
        }
    }

    /// The text that the service makes of a run, a session or a recording.
    pub async fn render(&self, request: RenderRequest) -> Result<String, ClientError> {
        let mut parts = match self.renders.clone().render(request).await {
            Ok(response) => response.into_inner(),
            Err(status) => return Err(self.failed(status)),
        };
        let mut text = String::new();
        while let Some(part) = parts.message().await.map_err(|status| self.failed(status))? {
            text += &part.text;
        }
        Ok(text)
    }

    /// The calls of sessions.
    pub(crate) fn sessions(&self) -> SessionServiceClient<Line> {
        self.sessions.clone()
    }

    /// Why a call failed before its first answer.
    pub(crate) fn failed(&self, status: Status) -> ClientError {
        // A status from the server has no source; one made here because of a broken connection has.
        let broken = status.source().is_some() || status.code() == Code::Unavailable;
        if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) {
            let reason = Refusal::Other(status.message().to_owned());
            return ClientError::Refused { server: self.server.clone(), reason };
        }
        if reason(&status).as_deref() == Some("TLS_REQUIRED") {
            return ClientError::Refused { server: self.server.clone(), reason: Refusal::WantsTls };
        }
        // The message of tonic for an answer that is HTTP, but not gRPC.
        let no_grpc = status.message().starts_with("grpc-status header missing");
        if !broken && !no_grpc {
            return ClientError::Ended(Box::new(status));
        }
        match status.source() {
            Some(error) => connection::unreachable(&self.server, error),
            None => {
                let reason = status.message().to_owned();
                ClientError::NoServer { server: self.server.clone(), reason }
            }
        }
    }
}

/// The reason of the `google.rpc.ErrorInfo` in a status of this service.
pub(crate) fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}
