//! ScenarioService: the bundled scenarios and what is wrong with others.

use std::sync::LazyLock;

use halfopen_proto::v1::scenario_service_server::ScenarioService;
use halfopen_proto::v1::{
    GetScenarioRequest, GetScenarioResponse, ListScenariosRequest, ListScenariosResponse, ScenarioSummary,
    ValidateScenarioRequest, ValidateScenarioResponse,
};
use halfopen_scenario::library;
use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

use crate::{convert, status};

/// Every bundled scenario at a glance.
static SUMMARIES: LazyLock<Vec<ScenarioSummary>> =
    LazyLock::new(|| library::ALL.iter().map(convert::summary).collect());

/// What a text without a name is called.
const UNNAMED: &str = "scenario.yaml";

/// Handles the calls of ScenarioService.
#[derive(Debug)]
pub(crate) struct ScenarioHandler;

#[tonic::async_trait]
impl ScenarioService for ScenarioHandler {
    async fn list_scenarios(
        &self,
        _request: Request<ListScenariosRequest>,
    ) -> Result<Response<ListScenariosResponse>, Status> {
        Ok(Response::new(ListScenariosResponse { scenarios: SUMMARIES.clone() }))
    }

    async fn get_scenario(
        &self,
        request: Request<GetScenarioRequest>,
    ) -> Result<Response<GetScenarioResponse>, Status> {
        let name = request.into_inner().name;
        let bundled = library::find(&name).ok_or_else(|| status::scenario_unknown(&name))?;
        let summary = Some(convert::summary(&bundled));
        Ok(Response::new(GetScenarioResponse { summary, yaml: bundled.text.to_owned() }))
    }

    async fn validate_scenario(
        &self,
        request: Request<ValidateScenarioRequest>,
    ) -> Result<Response<ValidateScenarioResponse>, Status> {
        let ValidateScenarioRequest { yaml: text, file } = request.into_inner();
        let file = if file.is_empty() { UNNAMED.to_owned() } else { file };
        let response = spawn_blocking(move || match halfopen_scenario::load_all(&text) {
            Ok(scenarios) => {
                ValidateScenarioResponse { diagnostics: Vec::new(), variants: convert::variants(&scenarios) }
            }
            Err(mistakes) => ValidateScenarioResponse {
                diagnostics: mistakes
                    .iter()
                    .map(|mistake| convert::diagnostic(mistake, &file, &text))
                    .collect(),
                variants: Vec::new(),
            },
        })
        .await
        .map_err(|panicked| status::loading_failed(&panicked.to_string()))?;
        Ok(Response::new(response))
    }
}
