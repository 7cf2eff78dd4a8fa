//! ScenarioService: the bundled scenarios, and the validation of others.

use std::sync::{Arc, LazyLock};

use halfopen_proto::v1::scenario_service_server::ScenarioService;
use halfopen_proto::v1::{
    GetScenarioRequest, GetScenarioResponse, ListScenariosRequest, ListScenariosResponse, ScenarioSummary,
    ValidateScenarioRequest, ValidateScenarioResponse,
};
use halfopen_scenario::{LoadOptions, library};
use tonic::{Request, Response, Status};

use crate::deadline::deadline;
use crate::port::caller;
use crate::shared::Shared;
use crate::work::Work;
use crate::{convert, status};

/// The summaries of the bundled scenarios.
static SUMMARIES: LazyLock<Vec<ScenarioSummary>> =
    LazyLock::new(|| library::ALL.iter().map(convert::summary).collect());

/// The number of scenarios on a page without a requested size, and on the largest page.
const PAGE_SIZE: usize = 100;
const MAX_PAGE_SIZE: usize = 1000;

/// The file name of a text that has none.
const UNNAMED: &str = "scenario.yaml";
/// The maximum length of a file name, in bytes: each diagnostic repeats it.
const MAX_FILE: usize = 256;

/// Handles the calls of ScenarioService.
pub(crate) struct ScenarioHandler(pub(crate) Arc<Shared>);

#[tonic::async_trait]
impl ScenarioService for ScenarioHandler {
    async fn list_scenarios(
        &self,
        request: Request<ListScenariosRequest>,
    ) -> Result<Response<ListScenariosResponse>, Status> {
        let ListScenariosRequest { page_size, page_token } = request.into_inner();
        let size = match usize::try_from(page_size) {
            Ok(0) => PAGE_SIZE,
            Ok(size) => size.min(MAX_PAGE_SIZE),
            Err(_) => return Err(status::page_size_invalid(page_size)),
        };
        let first = match page_token.is_empty() {
            true => 0,
            false => SUMMARIES
                .iter()
                .position(|summary| summary.name == page_token)
                .ok_or_else(|| status::page_token_invalid(&page_token))?,
        };
        let last = SUMMARIES.len().min(first + size);
        // A page token is the name of the page's first scenario.
        let next = SUMMARIES.get(last).map(|summary| summary.name.clone());
        let scenarios = SUMMARIES[first..last].to_vec();
        Ok(Response::new(ListScenariosResponse { scenarios, next_page_token: next.unwrap_or_default() }))
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
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let ValidateScenarioRequest { yaml: text, file, session } = request.into_inner();
        if file.len() > MAX_FILE {
            return Err(status::file_name_too_long(file.len(), MAX_FILE));
        }
        let bytes = text.len();
        let file = if file.is_empty() { UNNAMED.to_owned() } else { file };
        let validate = move |wanted: &dyn Fn() -> bool| validated(&text, &file, session, wanted);
        let validated = self.0.pool.compute((caller, Work::Validation), bytes, deadline, validate).await?;
        // Nobody is left to be told.
        validated.map(Response::new).ok_or_else(status::deadline_exceeded)
    }
}

/// The scenarios of a text, or its mistakes; `None` if nobody wants to know any longer.
fn validated(
    text: &str,
    file: &str,
    session: bool,
    wanted: &dyn Fn() -> bool,
) -> Option<ValidateScenarioResponse> {
    let options = LoadOptions { session, ..LoadOptions::default() };
    Some(match halfopen_scenario::load_all_while(text, options, wanted)? {
        Ok(scenarios) => {
            ValidateScenarioResponse { diagnostics: Vec::new(), variants: convert::variants(&scenarios) }
        }
        Err(mistakes) => ValidateScenarioResponse {
            diagnostics: mistakes.iter().map(|mistake| convert::diagnostic(mistake, file, text)).collect(),
            variants: Vec::new(),
        },
    })
}
