//! HistoryService: the runs that are kept.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use halfopen_proto::v1::history_service_server::HistoryService;
use halfopen_proto::v1::{
    CancelRunRequest, CancelRunResponse, CreateRunRequest, CreateRunResponse, DeleteRunRequest,
    DeleteRunResponse, GetRunRequest, GetRunResponse, ListRunsRequest, ListRunsResponse, WatchRunRequest,
    WatchRunResponse,
};
use tonic::{Request, Response, Status};

use crate::deadline::deadline;
use crate::history::KeptRuns;
use crate::port::caller;
use crate::shared::Shared;
use crate::status;

/// Handles the calls of HistoryService.
pub(crate) struct HistoryHandler(pub(crate) Arc<Shared>);

impl HistoryHandler {
    fn kept(&self) -> Result<&KeptRuns, Status> {
        self.0.kept.as_deref().ok_or_else(status::history_missing)
    }
}

#[tonic::async_trait]
impl HistoryService for HistoryHandler {
    type WatchRunStream = Pin<Box<dyn Stream<Item = Result<WatchRunResponse, Status>> + Send>>;

    async fn create_run(
        &self,
        request: Request<CreateRunRequest>,
    ) -> Result<Response<CreateRunResponse>, Status> {
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let _open = self.0.lifecycle.open()?;
        let run = self.kept()?.create(&self.0, caller, request.into_inner(), deadline).await?;
        Ok(Response::new(CreateRunResponse { run: Some(run) }))
    }

    async fn watch_run(
        &self,
        request: Request<WatchRunRequest>,
    ) -> Result<Response<Self::WatchRunStream>, Status> {
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let open = self.0.lifecycle.open()?;
        let WatchRunRequest { id, after_sequence } = request.into_inner();
        let watch = self.kept()?.watch(caller.tenant(), &id, after_sequence, open, deadline).await?;
        Ok(Response::new(Box::pin(watch.into_stream())))
    }

    async fn get_run(&self, request: Request<GetRunRequest>) -> Result<Response<GetRunResponse>, Status> {
        let caller = caller(request.extensions());
        let run = self.kept()?.get(caller.tenant(), &request.into_inner().id).await?;
        Ok(Response::new(GetRunResponse { run: Some(run) }))
    }

    async fn list_runs(
        &self,
        request: Request<ListRunsRequest>,
    ) -> Result<Response<ListRunsResponse>, Status> {
        let caller = caller(request.extensions());
        let (runs, next) = self.kept()?.list(caller.tenant(), request.into_inner()).await?;
        Ok(Response::new(ListRunsResponse { runs, next_page_token: next.unwrap_or_default() }))
    }

    async fn cancel_run(
        &self,
        request: Request<CancelRunRequest>,
    ) -> Result<Response<CancelRunResponse>, Status> {
        let caller = caller(request.extensions());
        let run = self.kept()?.cancel(caller.tenant(), &request.into_inner().id).await?;
        Ok(Response::new(CancelRunResponse { run: Some(run) }))
    }

    async fn delete_run(
        &self,
        request: Request<DeleteRunRequest>,
    ) -> Result<Response<DeleteRunResponse>, Status> {
        let caller = caller(request.extensions());
        self.kept()?.delete(caller.tenant(), &request.into_inner().id).await?;
        Ok(Response::new(DeleteRunResponse {}))
    }
}
