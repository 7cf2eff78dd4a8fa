//! ServerService: the version, the features and the limits of the server.

use std::env::consts;
use std::sync::Arc;

use halfopen_proto::v1::server_service_server::ServerService;
use halfopen_proto::v1::{GetServerRequest, GetServerResponse, ServerBuild, ServerFeature, ServerLimits};
use halfopen_scenario::{Limits, library};
use halfopen_tcp::Profile;
use tonic::{Request, Response, Status};

use crate::config::{Config, MAX_REQUEST};
use crate::convert::duration;
use crate::shared::Shared;

/// The features of every server of this version. One with a history has that, too.
const FEATURES: [ServerFeature; 5] = [
    ServerFeature::Variants,
    ServerFeature::Profiles,
    ServerFeature::Snapshots,
    ServerFeature::Sessions,
    ServerFeature::Rendering,
];

/// Handles the calls of ServerService.
pub(crate) struct ServerHandler(pub(crate) Arc<Shared>);

#[tonic::async_trait]
impl ServerService for ServerHandler {
    async fn get_server(
        &self,
        _request: Request<GetServerRequest>,
    ) -> Result<Response<GetServerResponse>, Status> {
        Ok(Response::new(GetServerResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: "halfopen.v1".to_owned(),
            build: Some(ServerBuild {
                operating_system: consts::OS.to_owned(),
                architecture: consts::ARCH.to_owned(),
                debug: cfg!(debug_assertions),
            }),
            profiles: Profile::ALL.map(|profile| profile.name().to_owned()).to_vec(),
            bundled_scenarios: small(library::ALL.len()),
            limits: Some(limits(&self.0.config)),
            features: features(self.0.kept.is_some()),
        }))
    }
}

fn features(has_history: bool) -> Vec<i32> {
    let history = has_history.then_some(ServerFeature::History);
    FEATURES.into_iter().chain(history).map(Into::into).collect()
}

fn limits(config: &Config) -> ServerLimits {
    ServerLimits {
        threads: small(config.threads.get()),
        queue: small(config.queue),
        max_unread_events: config.max_unread_events,
        request_bytes: MAX_REQUEST as u64,
        scenario_bytes: Limits::MAX_TEXT as u64,
        run_events: Limits::MAX_EVENTS,
        sessions: config.max_sessions as u64,
        run_memory_bytes: config.budget.memory,
        run_connections: config.budget.connections,
        run_comparisons: config.budget.comparisons,
        run_processor_time: config.processor_time.map(duration),
        memory_bytes: config.max_memory,
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
