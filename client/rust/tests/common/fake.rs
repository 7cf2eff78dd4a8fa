//! A server with chosen features, and without scenarios.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use halfopen_proto::v1::run_service_server::{RunService, RunServiceServer};
use halfopen_proto::v1::server_service_server::{ServerService, ServerServiceServer};
use halfopen_proto::v1::{
    ExecuteRunRequest, ExecuteRunResponse, GetServerRequest, GetServerResponse, ServerFeature,
};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A server on a loopback port. It counts the runs that it is asked for, and executes none.
pub(crate) struct Fake {
    pub(crate) address: String,
    runs: Arc<AtomicUsize>,
}

impl Fake {
    /// A server with these features; `None` is one that answers GetServer with UNIMPLEMENTED.
    pub(crate) async fn start(features: Option<&[ServerFeature]>) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let runs = Arc::new(AtomicUsize::new(0));
        let mut server =
            Server::builder().add_service(RunServiceServer::new(Counter { runs: Arc::clone(&runs) }));
        if let Some(features) = features {
            server = server.add_service(ServerServiceServer::new(Described { features: features.to_vec() }));
        }
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Fake { address, runs }
    }

    /// The number of runs that it was asked for.
    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

struct Counter {
    runs: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl RunService for Counter {
    type ExecuteRunStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<ExecuteRunResponse, Status>> + Send>>;

    async fn execute_run(
        &self,
        _request: Request<ExecuteRunRequest>,
    ) -> Result<Response<Self::ExecuteRunStream>, Status> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        Ok(Response::new(Box::pin(tokio_stream::empty())))
    }
}

struct Described {
    features: Vec<ServerFeature>,
}

#[tonic::async_trait]
impl ServerService for Described {
    async fn get_server(
        &self,
        _request: Request<GetServerRequest>,
    ) -> Result<Response<GetServerResponse>, Status> {
        let features = self.features.iter().map(|feature| (*feature).into()).collect();
        Ok(Response::new(GetServerResponse { features, ..GetServerResponse::default() }))
    }
}
