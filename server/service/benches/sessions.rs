//! What a call of a session costs over loopback, beside a unary call that does nothing.
//!
//! `cargo bench -p halfopend --bench sessions`

use std::sync::LazyLock;
use std::time::Duration;

use divan::Bencher;
use halfopen_proto::v1::advance_request::Limit;
use halfopen_proto::v1::create_session_request::Source;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use halfopen_proto::v1::session_condition::Condition;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_proto::v1::{self, GetServerRequest};
use halfopend::{Access, Config, Service};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::Channel;

/// Two hosts, both played by the caller.
const SCENARIO: &str = "scenario: bench\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20ms}\n\
                        limits: {events: 10000000, virtual-time: 800000h}\n";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads"));

fn main() {
    divan::main();
}

/// A connection to a service on a loopback port.
fn connection() -> Channel {
    RUNTIME.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let service = Service::new(&Config::default()).expect("threads");
        tokio::spawn(
            async move { service.serve(listener, &Access::default(), std::future::pending()).await },
        );
        let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
        endpoint.connect().await.expect("it listens")
    })
}

/// A session with one connection between its hosts.
#[derive(Clone)]
struct Player {
    calls: SessionServiceClient<Channel>,
    session: String,
    client: u32,
    server: u32,
}

impl Player {
    async fn new(calls: SessionServiceClient<Channel>) -> Player {
        let mut player = Player { calls, session: String::new(), client: 0, server: 0 };
        let source = Some(Source::Yaml(SCENARIO.to_owned()));
        let request = v1::CreateSessionRequest { source, ..Default::default() };
        player.session =
            player.calls.create_session(request).await.expect("there is room").into_inner().session;
        let session = player.session.clone();
        let listen = v1::ListenRequest { session, host: "server".into(), port: 80, ..Default::default() };
        let listener = player.calls.listen(listen).await.expect("it is up").into_inner().socket;
        let (session, to) = (player.session.clone(), "server:80".into());
        let connect = v1::StartConnectRequest { session, host: "client".into(), to, ..Default::default() };
        player.client = player.calls.start_connect(connect).await.expect("it is up").into_inner().socket;
        player.until(listener).await;
        let accept =
            v1::AcceptRequest { session: player.session.clone(), socket: listener, ..Default::default() };
        player.server = player.calls.accept(accept).await.expect("it is up").into_inner().socket;
        player
    }

    async fn until(&mut self, socket: u32) {
        let condition = Some(Condition::Readable(socket));
        let conditions = vec![v1::SessionCondition { condition }];
        let request = v1::AdvanceRequest { session: self.session.clone(), conditions, ..Default::default() };
        self.calls.advance(request).await.expect("it is there");
    }

    async fn advance(&mut self, time: Duration) {
        let by =
            halfopen_proto::Duration { seconds: time.as_secs() as i64, nanos: time.subsec_nanos() as i32 };
        let limit = Some(Limit::By(by));
        let request = v1::AdvanceRequest { session: self.session.clone(), limit, ..Default::default() };
        self.calls.advance(request).await.expect("it is there");
    }

    async fn look(&mut self) {
        let request =
            v1::GetSocketRequest { session: self.session.clone(), socket: self.client, ..Default::default() };
        self.calls.get_socket(request).await.expect("it is there");
    }

    /// 100 bytes from one end to the other.
    async fn pass(&mut self, from: u32, to: u32) {
        let send = v1::SendRequest {
            session: self.session.clone(),
            socket: from,
            data: vec![7; 100],
            ..Default::default()
        };
        self.calls.send(send).await.expect("it is there");
        self.until(to).await;
        let receive = v1::ReceiveRequest { session: self.session.clone(), socket: to, ..Default::default() };
        self.calls.receive(receive).await.expect("it is there");
    }
}

fn player() -> Player {
    let calls = SessionServiceClient::new(connection());
    RUNTIME.block_on(Player::new(calls))
}

/// A call that does nothing: what HTTP/2 and loopback cost.
#[divan::bench]
fn bare_unary_call(bencher: Bencher<'_, '_>) {
    let client = ServerServiceClient::new(connection());
    bencher.bench_local(|| {
        RUNTIME.block_on(async {
            client.clone().get_server(GetServerRequest {}).await.expect("it answers");
        });
    });
}

/// A call on a socket.
#[divan::bench]
fn call(bencher: Bencher<'_, '_>) {
    let mut player = player();
    bencher.bench_local(|| RUNTIME.block_on(player.look()));
}

/// An `Advance` that passes two hours of silence.
#[divan::bench]
fn advance_two_hours(bencher: Bencher<'_, '_>) {
    let mut player = player();
    bencher.bench_local(|| RUNTIME.block_on(player.advance(Duration::from_secs(7200))));
}

/// 100 bytes there and back: two of Send, Advance and Receive each.
#[divan::bench]
fn round_trip(bencher: Bencher<'_, '_>) {
    let mut player = player();
    let (client, server) = (player.client, player.server);
    bencher.bench_local(|| {
        RUNTIME.block_on(async {
            player.pass(client, server).await;
            player.pass(server, client).await;
        });
    });
}

/// A session that is created and deleted.
#[divan::bench]
fn create(bencher: Bencher<'_, '_>) {
    let mut calls = SessionServiceClient::new(connection());
    bencher.bench_local(|| {
        RUNTIME.block_on(async {
            let source = Some(Source::Yaml(SCENARIO.to_owned()));
            let request = v1::CreateSessionRequest { source, ..Default::default() };
            let session = calls.create_session(request).await.expect("there is room").into_inner().session;
            calls.delete_session(v1::DeleteSessionRequest { session }).await.expect("it is there");
        });
    });
}
