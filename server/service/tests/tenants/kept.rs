//! The runs that are kept of a tenant do not exist for the others.

use halfopen_proto::v1::history_service_client::HistoryServiceClient;
use halfopen_proto::v1::{
    CancelRunRequest, CreateRunRequest, DeleteRunRequest, GetRunRequest, ListRunsRequest, WatchRunRequest,
};
use halfopend::{Access, KeptRuns, Retention, Service};
use tonic::{Code, Request};

use super::common::{Server, config, named};
use super::{folder, setup, token};

/// A request with the token of a tenant.
fn of<T>(tenant: &str, request: T) -> Request<T> {
    let mut request = Request::new(request);
    let header = format!("Bearer the-token-{tenant}").parse().unwrap();
    request.metadata_mut().insert("authorization", header);
    request
}

#[tokio::test]
async fn the_runs_of_a_tenant_do_not_exist_for_others() {
    let folder = folder();
    let text = ["acme", "globex"].map(|tenant| token(tenant, &format!("the-token-{tenant}"), "role = 'run'"));
    let access = Access { tenants: setup(&folder, &text.concat()).tenants(), ..Access::default() };
    let retention = Retention { keep_for: None, keep_bytes: None };
    let kept = KeptRuns::open(&folder.join("runs.db").display().to_string(), retention).await.unwrap();
    let server = Server::serve(Service::with_history(&config(), kept).unwrap(), access).await;
    let mut runs = HistoryServiceClient::new(server.channel().await);
    let create = || CreateRunRequest {
        run: Some(named("dead-client")),
        request_id: "1".to_owned(),
        ..CreateRunRequest::default()
    };
    let own = runs.create_run(of("acme", create())).await.unwrap().into_inner().run.unwrap();
    let other = runs.create_run(of("globex", create())).await.unwrap().into_inner().run.unwrap();
    assert_ne!(own.id, other.id, "the request of another tenant");
    assert_eq!((own.tenant.as_str(), other.tenant.as_str()), ("acme", "globex"));
    let id = own.id.clone();
    let codes = [
        runs.get_run(of("globex", GetRunRequest { id: id.clone() })).await.unwrap_err().code(),
        runs.watch_run(of("globex", WatchRunRequest { id: id.clone(), after_sequence: 0 }))
            .await
            .unwrap_err()
            .code(),
        runs.cancel_run(of("globex", CancelRunRequest { id: id.clone() })).await.unwrap_err().code(),
        runs.delete_run(of("globex", DeleteRunRequest { id: id.clone() })).await.unwrap_err().code(),
    ];
    assert_eq!(codes, [Code::NotFound; 4]);
    let listed = runs.list_runs(of("globex", ListRunsRequest::default())).await.unwrap().into_inner().runs;
    assert_eq!(listed.into_iter().map(|run| run.id).collect::<Vec<_>>(), [other.id]);
    assert!(runs.get_run(of("acme", GetRunRequest { id })).await.is_ok());
}
