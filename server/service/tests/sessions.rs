//! Sessions: callers are the applications, time moves in Advance alone, and what cannot be done is said.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::time::Duration;

use common::{PATIENCE, Server, config};
use halfopen_proto::v1::advance_request::Limit;
use halfopen_proto::v1::create_session_request::Source;
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::session_condition::Condition;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_proto::v1::{self, AdvanceStop, TcpState, Verdict};
use halfopend::{Access, Config, Service};
use prost::Message;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Two hosts, both played by the test.
const SCENARIO: &str = "scenario: test\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20ms}\n";

/// A participant of a session.
#[derive(Clone)]
struct Player {
    calls: SessionServiceClient<Channel>,
    session: String,
    participant: u32,
}

fn text(yaml: &str) -> v1::CreateSessionRequest {
    v1::CreateSessionRequest { source: Some(Source::Yaml(yaml.to_owned())), ..Default::default() }
}

fn client(service: &Service) -> SessionServiceClient<Channel> {
    SessionServiceClient::new(service.connect()).max_decoding_message_size(16 << 20)
}

async fn create(request: v1::CreateSessionRequest) -> Player {
    create_in(&Service::new(&config()).unwrap(), request).await
}

async fn create_in(service: &Service, request: v1::CreateSessionRequest) -> Player {
    let mut calls = client(service);
    let session = calls.create_session(request).await.unwrap().into_inner().session;
    Player { calls, session, participant: 0 }
}

fn seconds(time: &halfopen_proto::Duration) -> f64 {
    time.seconds as f64 + f64::from(time.nanos) / 1e9
}

fn time(time: Duration) -> halfopen_proto::Duration {
    halfopen_proto::Duration { seconds: time.as_secs() as i64, nanos: time.subsec_nanos() as i32 }
}

fn milliseconds(ms: u64) -> halfopen_proto::Duration {
    time(Duration::from_millis(ms))
}

fn readable(socket: u32) -> Condition {
    Condition::Readable(socket)
}

impl Player {
    async fn listen(&mut self, host: &str, port: u32) -> u32 {
        let request = v1::ListenRequest { host: host.into(), port, ..self.request() };
        let response = self.calls.listen(request).await.unwrap().into_inner();
        assert_eq!(response.error, "");
        response.socket
    }

    async fn connect(&mut self, host: &str, to: &str) -> u32 {
        let request = v1::StartConnectRequest { host: host.into(), to: to.into(), ..self.request() };
        let response = self.calls.start_connect(request).await.unwrap().into_inner();
        assert_eq!(response.error, "EINPROGRESS");
        response.socket
    }

    async fn accept(&mut self, socket: u32) -> u32 {
        let response =
            self.calls.accept(v1::AcceptRequest { socket, ..self.request() }).await.unwrap().into_inner();
        assert_eq!(response.error, "");
        response.socket
    }

    async fn send(&mut self, socket: u32, data: &[u8]) -> v1::SendResponse {
        let request = v1::SendRequest { socket, data: data.to_vec(), ..self.request() };
        self.calls.send(request).await.unwrap().into_inner()
    }

    async fn receive(&mut self, socket: u32) -> v1::ReceiveResponse {
        self.calls.receive(v1::ReceiveRequest { socket, ..self.request() }).await.unwrap().into_inner()
    }

    async fn close(&mut self, socket: u32) {
        self.calls.close(v1::CloseRequest { socket, ..self.request() }).await.unwrap();
    }

    async fn faults(&mut self, yaml: &str) -> Vec<u32> {
        let request = v1::ApplyFaultsRequest { yaml: yaml.into(), ..self.request() };
        self.calls.apply_faults(request).await.unwrap().into_inner().faults
    }

    async fn advance(&mut self, limit: Option<Limit>, conditions: &[Condition]) -> v1::AdvanceResponse {
        self.try_advance(limit, conditions).await.unwrap()
    }

    async fn try_advance(
        &mut self,
        limit: Option<Limit>,
        conditions: &[Condition],
    ) -> Result<v1::AdvanceResponse, Status> {
        let conditions = conditions.iter().cloned();
        let conditions =
            conditions.map(|condition| v1::SessionCondition { condition: Some(condition) }).collect();
        let request = v1::AdvanceRequest { limit, conditions, ..self.request() };
        self.calls.advance(request).await.map(tonic::Response::into_inner)
    }

    /// Waits for one condition, and says at which second it is true.
    async fn until(&mut self, condition: Condition) -> f64 {
        let response = self.advance(None, &[condition]).await;
        assert_eq!(response.stop(), AdvanceStop::Condition, "{response:?}");
        seconds(&response.time.unwrap())
    }

    async fn leave(&mut self) {
        let (session, participant) = (self.session.clone(), self.participant);
        self.calls.leave_session(v1::LeaveSessionRequest { session, participant }).await.unwrap();
    }

    async fn finish(&mut self) -> v1::FinishSessionResponse {
        let request = v1::FinishSessionRequest {
            session: self.session.clone(),
            participant: self.participant,
            until: None,
        };
        self.calls.finish_session(request).await.unwrap().into_inner()
    }

    async fn events(&mut self, after_sequence: u64) -> Vec<v1::Event> {
        let request = v1::WatchSessionRequest { session: self.session.clone(), after_sequence };
        let mut stream = self.calls.watch_session(request).await.unwrap().into_inner();
        let mut events = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            assert!(!message.events.is_empty());
            events.extend(message.events);
        }
        events
    }

    /// A connection from the client to port 80 of the server: the client's socket and the server's.
    async fn connected(&mut self) -> (u32, u32) {
        let listener = self.listen("server", 80).await;
        let client = self.connect("client", "server:80").await;
        self.until(readable(listener)).await;
        (client, self.accept(listener).await)
    }
}

/// A request of a participant, with nothing else in it.
trait FromPlayer: Default {
    fn of(session: String, participant: u32) -> Self;
}

macro_rules! from_player {
    ($($request:ident)*) => {
        $(impl FromPlayer for v1::$request {
            fn of(session: String, participant: u32) -> Self {
                v1::$request { session, participant, ..Default::default() }
            }
        })*
    };
}

from_player! {
    ListenRequest StartConnectRequest FinishConnectRequest AcceptRequest SendRequest ReceiveRequest ShutdownRequest CloseRequest
    AbortRequest SetOptionsRequest AdvanceRequest ApplyFaultsRequest GetSocketRequest FinishSessionRequest
}

impl Player {
    fn request<R: FromPlayer>(&self) -> R {
        R::of(self.session.clone(), self.participant)
    }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[tokio::test]
async fn a_conversation_takes_the_time_that_the_network_takes() {
    let mut player = create(text(SCENARIO)).await;
    let listener = player.listen("server", 80).await;
    let client = player.connect("client", "server:80").await;
    let pending = v1::FinishConnectRequest { socket: client, ..player.request() };
    let outcome = player.calls.finish_connect(pending.clone()).await.unwrap().into_inner();
    assert_eq!(outcome.error, "EINPROGRESS");
    assert_eq!(player.until(Condition::Writable(client)).await, 0.04);
    assert_eq!(player.calls.finish_connect(pending).await.unwrap().into_inner().error, "");
    assert_eq!(player.until(readable(listener)).await, 0.06);
    let server = player.accept(listener).await;

    assert_eq!(player.receive(server).await.error, "EAGAIN");
    assert_eq!(player.send(client, b"hello").await.sent, 5);
    assert_eq!(player.until(readable(server)).await, 0.08);
    assert_eq!(player.receive(server).await.data, b"hello");
    player.close(client).await;
    player.until(readable(server)).await;
    let end = player.receive(server).await;
    assert!(end.end_of_stream && end.data.is_empty() && end.error.is_empty(), "{end:?}");
    player.close(server).await;

    let idle = player.advance(None, &[]).await;
    assert_eq!(idle.stop(), AdvanceStop::Idle, "after TIME-WAIT");
    let finished = player.finish().await;
    assert_eq!(finished.finished.as_ref().unwrap().verdict(), Verdict::Passed, "{finished:?}");
    let events = player.events(0).await;
    assert_eq!(events.len() as u64, finished.events);
    assert!(matches!(events.last().unwrap().kind, Some(Kind::RunFinished(_))));
}

#[tokio::test]
async fn time_moves_only_in_advance_and_as_far_as_is_asked() {
    let mut player = create(text(SCENARIO)).await;
    let two_hours = player.advance(Some(Limit::By(time(Duration::from_secs(7200)))), &[]).await;
    assert_eq!((two_hours.stop(), seconds(&two_hours.time.unwrap())), (AdvanceStop::Time, 7200.0));
    let (client, _) = player.connected().await;
    for _ in 0..3 {
        player.send(client, b"x").await;
    }
    let looked =
        player.calls.get_session(v1::GetSessionRequest { session: player.session.clone() }).await.unwrap();
    let looked = looked.into_inner();
    assert_eq!((seconds(&looked.time.unwrap()), looked.turn), (7200.06, 1));
    let past = player.try_advance(Some(Limit::Until(milliseconds(1))), &[]).await.unwrap_err();
    assert_eq!((past.code(), reason(&past).as_str()), (Code::OutOfRange, "TIME_PAST"));
    assert_eq!(past.message(), "it is 2h 0m 0.06s already, so time cannot move to 1ms");
}

#[tokio::test]
async fn an_advance_through_a_time_plays_it_and_says_when_something_happens_next() {
    let mut player = create(text(SCENARIO)).await;
    assert_eq!(player.advance(Some(Limit::Through(milliseconds(0))), &[]).await.next, None);
    player.listen("server", 80).await;
    let client = player.connect("client", "server:80").await;
    let writable = [Condition::Writable(client)];
    let stand = async |player: &mut Player, limit: Limit| {
        let response = player.advance(Some(limit), &writable).await;
        let [time, next] = [response.time, response.next].map(|time| time.map(|time| seconds(&time)));
        (response.stop(), time.unwrap(), next.unwrap())
    };
    let by = Limit::By(milliseconds(0));
    assert_eq!(stand(&mut player, by).await, (AdvanceStop::Time, 0.0, 0.02));
    let until = Limit::Until(milliseconds(20));
    assert_eq!(stand(&mut player, until).await, (AdvanceStop::Time, 0.02, 0.02), "the SYN is at the door");
    let through = Limit::Through(milliseconds(20));
    assert_eq!(stand(&mut player, through).await, (AdvanceStop::Time, 0.02, 0.04), "it was answered");
    let through = Limit::Through(milliseconds(40));
    assert_eq!(stand(&mut player, through).await, (AdvanceStop::Condition, 0.04, 0.06));
    let past = player.try_advance(Some(Limit::Through(milliseconds(39))), &[]).await.unwrap_err();
    assert_eq!((past.code(), reason(&past).as_str()), (Code::OutOfRange, "TIME_PAST"));
}

#[tokio::test]
async fn the_end_of_the_scenario_is_what_happens_next_if_nothing_does_before() {
    for end in ["until: 9s", "limits: {virtual-time: 9s}"] {
        let mut player = create(text(&format!("{SCENARIO}{end}\n"))).await;
        // The next SYN would be sent after 15 s.
        player.connect("client", "192.0.2.1:80").await;
        let response = player.advance(Some(Limit::By(time(Duration::from_secs(8)))), &[]).await;
        assert_eq!(seconds(&response.next.unwrap()), 9.0, "{end}");
        let response = player.advance(Some(Limit::Through(time(Duration::from_secs(9)))), &[]).await;
        assert!(matches!(response.stop(), AdvanceStop::End | AdvanceStop::Limit), "{end}: {response:?}");
        assert_eq!((seconds(&response.time.unwrap()), response.next), (9.0, None), "{end}");
    }
}

#[tokio::test]
async fn an_advance_to_the_present_sees_what_is_true_already() {
    let mut player = create(text(SCENARIO)).await;
    let (client, _) = player.connected().await;
    let states = [("server", TcpState::CloseWait), ("client", TcpState::Established)]
        .map(|(host, state)| Condition::State(v1::StateMatch { host: host.into(), state: state.into() }));
    let response = player.advance(Some(Limit::By(milliseconds(0))), &states).await;
    assert_eq!((response.stop(), response.condition), (AdvanceStop::Condition, 1));
    player.close(client).await;
    let response = player.advance(Some(Limit::By(milliseconds(0))), &states).await;
    assert_eq!(response.stop(), AdvanceStop::Time);
}

#[tokio::test]
async fn a_condition_can_count_events_that_happened_before_somebody_waited() {
    let mut player = create(text(SCENARIO)).await;
    let (client, _) = player.connected().await;
    let seen = player.advance(Some(Limit::By(milliseconds(0))), &[]).await.last_sequence;
    player.close(client).await;
    let condition = v1::SessionCondition { condition: Some(Condition::Segment("FIN".into())) };
    let request = v1::AdvanceRequest {
        limit: Some(Limit::By(milliseconds(0))),
        conditions: vec![condition],
        after_sequence: Some(seen),
        ..player.request()
    };
    let response = player.calls.advance(request.clone()).await.unwrap().into_inner();
    assert_eq!(response.stop(), AdvanceStop::Condition);
    let after_sequence = Some(response.last_sequence);
    let later = v1::AdvanceRequest { after_sequence, ..request };
    let response = player.calls.advance(later).await.unwrap().into_inner();
    assert_eq!(response.stop(), AdvanceStop::Time, "that FIN does not count twice");
}

#[tokio::test]
async fn every_condition_comes_true_when_it_should() {
    let mut player = create(text(SCENARIO)).await;
    let (client, server) = player.connected().await;
    player.send(client, b"hello").await;
    let closing = Condition::Segment("{from: server, flags: FIN}".into());
    assert_eq!(player.faults("[{freeze: client, at: 2s, resumes-after: 1s}]").await, [1]);
    assert_eq!(player.until(Condition::Fault(1)).await, 2.0);
    assert_eq!(player.until(Condition::HostChanged("client".into())).await, 3.0);
    assert_eq!(player.receive(server).await.data, b"hello");
    player.close(server).await;
    let state = v1::StateMatch { host: "client".into(), state: TcpState::CloseWait.into() };
    let response = player.advance(None, &[closing, Condition::State(state.clone())]).await;
    assert_eq!(
        (response.stop(), response.condition),
        (AdvanceStop::Condition, 1),
        "the FIN was sent before anybody waited for it: {response:?}"
    );
    assert_eq!(player.until(Condition::State(state)).await, 3.02);
}

#[tokio::test]
async fn keepalive_finds_a_dead_peer_and_the_next_call_says_so() {
    let mut player = create(text(SCENARIO)).await;
    let (_, server) = player.connected().await;
    let options = v1::SocketOptions { keepalive: Some(true), ..Default::default() };
    let set = v1::SetOptionsRequest { socket: server, options: Some(options), ..player.request() };
    player.calls.set_options(set).await.unwrap();
    player.faults("{power-loss: client}").await;
    let response = player.advance(None, &[Condition::Keepalive("server".into()), readable(server)]).await;
    assert_eq!((response.stop(), response.condition), (AdvanceStop::Condition, 0));
    let dead_at = player.until(readable(server)).await;
    assert!((7200.0 + 9.0 * 75.0..7900.0).contains(&dead_at), "{dead_at}");
    assert_eq!(player.receive(server).await.error, "ETIMEDOUT");
}

#[tokio::test]
async fn what_tcp_knows_of_a_socket_can_be_asked() {
    let mut player = create(text(SCENARIO)).await;
    let listener = player.listen("server", 0).await;
    let (client, server) = player.connected().await;
    player.send(client, &[7; 5000]).await;
    player.advance(Some(Limit::By(milliseconds(100))), &[]).await;
    let asked = v1::GetSocketRequest { socket: server, ..player.request() };
    let known = player.calls.get_socket(asked).await.unwrap().into_inner();
    assert_eq!((known.state(), known.unread_bytes, known.connection), (TcpState::Established, 5000, 1));
    assert_eq!((known.local.as_str(), known.peer.as_str()), ("10.0.0.2:80", "10.0.0.1:32768"));
    assert!(known.readiness.unwrap().readable && !known.info.unwrap().values.is_empty());
    let asked = v1::GetSocketRequest { socket: listener, ..player.request() };
    assert_eq!(player.calls.get_socket(asked).await.unwrap().into_inner().state(), TcpState::Listen);
}

#[tokio::test]
async fn participants_take_turns_so_that_their_speed_does_not_matter() {
    async fn play(slow: u32) -> Vec<v1::Event> {
        let pause = |participant: u32| async move {
            if participant == slow {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let mut one = create(v1::CreateSessionRequest { participants: 2, ..text(SCENARIO) }).await;
        one.participant = 1;
        let mut two = Player { participant: 2, ..one.clone() };
        let first = async {
            pause(1).await;
            let client = one.connect("client", "server:80").await;
            one.until(Condition::Writable(client)).await;
            for _ in 0..5 {
                pause(1).await;
                one.send(client, b"ping").await;
                one.until(readable(client)).await;
                one.receive(client).await;
            }
            one.close(client).await;
            one.advance(None, &[]).await;
        };
        let second = async {
            pause(2).await;
            let listener = two.listen("server", 80).await;
            two.until(readable(listener)).await;
            let server = two.accept(listener).await;
            loop {
                two.until(readable(server)).await;
                let received = two.receive(server).await;
                if received.end_of_stream {
                    break;
                }
                pause(2).await;
                two.send(server, &received.data).await;
            }
            two.close(server).await;
            two.leave().await;
        };
        tokio::join!(first, second);
        one.finish().await;
        one.events(0).await
    }
    let (equal, one_slow, two_slow) = (play(0).await, play(1).await, play(2).await);
    assert!(equal.len() > 50);
    assert_eq!(equal, one_slow);
    assert_eq!(equal, two_slow);
}

#[tokio::test]
async fn a_repeated_request_is_not_done_again() {
    let service = Service::new(&config()).unwrap();
    let request = v1::CreateSessionRequest { request_id: "one".into(), ..text(SCENARIO) };
    let mut player = create_in(&service, request.clone()).await;
    assert_eq!(create_in(&service, request).await.session, player.session);
    let (client, server) = player.connected().await;
    let send = v1::SendRequest {
        socket: client,
        data: b"once".to_vec(),
        request_id: "s".into(),
        ..player.request()
    };
    for _ in 0..3 {
        assert_eq!(player.calls.send(send.clone()).await.unwrap().into_inner().sent, 4);
    }
    let asked = v1::AdvanceRequest {
        limit: Some(Limit::By(milliseconds(100))),
        request_id: "a".into(),
        ..player.request()
    };
    let first = player.calls.advance(asked.clone()).await.unwrap().into_inner();
    assert_eq!(player.calls.advance(asked).await.unwrap().into_inner(), first);
    assert_eq!(player.receive(server).await.data, b"once");
    let reused = v1::ReceiveRequest { socket: server, request_id: "s".into(), ..player.request() };
    let status = player.calls.receive(reused).await.unwrap_err();
    assert!(status.message().contains("another call had the request id"), "{status:?}");
}

#[tokio::test]
async fn who_comes_back_for_an_answer_gets_it_and_who_is_gone_acts_again() {
    let mut one = create(v1::CreateSessionRequest { participants: 2, ..text(SCENARIO) }).await;
    one.participant = 1;
    let mut two = Player { participant: 2, ..one.clone() };
    // The first one's Advance waits for the second participant, who has not begun.
    let asked = v1::AdvanceRequest {
        limit: Some(Limit::By(milliseconds(5))),
        request_id: "a".into(),
        ..one.request()
    };
    let lost = tokio::time::timeout(Duration::from_millis(100), one.calls.advance(asked.clone())).await;
    assert!(lost.is_err());
    let mut again = one.clone();
    let answer = tokio::spawn(async move { again.calls.advance(asked).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let twice = one.try_advance(None, &[]).await.unwrap_err();
    assert_eq!((twice.code(), reason(&twice).as_str()), (Code::FailedPrecondition, "ALREADY_ADVANCING"));
    let second = tokio::spawn(async move {
        let response = two.advance(Some(Limit::By(milliseconds(9))), &[]).await;
        two.leave().await;
        let late = two.try_advance(None, &[]).await.unwrap_err();
        assert_eq!(reason(&late), "PARTICIPANT_LEFT");
        response
    });
    assert_eq!(answer.await.unwrap().unwrap().into_inner().stop(), AdvanceStop::Time);
    one.advance(Some(Limit::By(milliseconds(9))), &[]).await;
    let second = tokio::time::timeout(PATIENCE, second).await.unwrap().unwrap();
    assert_eq!(seconds(&second.time.unwrap()), 0.009);
}

#[tokio::test]
async fn who_gives_up_an_advance_without_an_id_acts_again() {
    let mut one = create(v1::CreateSessionRequest { participants: 2, ..text(SCENARIO) }).await;
    one.participant = 1;
    let advance = one.advance(Some(Limit::By(milliseconds(5))), &[]);
    assert!(tokio::time::timeout(Duration::from_millis(100), advance).await.is_err());
    let mut two = Player { participant: 2, ..one.clone() };
    two.leave().await;
    tokio::time::timeout(PATIENCE, one.listen("server", 80)).await.expect("it is its turn");
    let later = one.advance(Some(Limit::By(milliseconds(5))), &[]).await;
    assert_eq!(later.stop(), AdvanceStop::Time);
}

#[tokio::test]
async fn a_request_that_is_repeated_before_its_turn_is_done_once() {
    let mut one = create(v1::CreateSessionRequest { participants: 2, ..text(SCENARIO) }).await;
    one.participant = 1;
    let mut two = Player { participant: 2, ..one.clone() };
    let listen = v1::ListenRequest { host: "server".into(), request_id: "l".into(), ..two.request() };
    let lost = tokio::time::timeout(Duration::from_millis(100), two.calls.listen(listen.clone())).await;
    assert!(lost.is_err(), "it is not its turn");
    let again = tokio::spawn(async move {
        let socket = two.calls.listen(listen).await.unwrap().into_inner().socket;
        two.leave().await;
        socket
    });
    one.advance(Some(Limit::By(milliseconds(1))), &[]).await;
    assert_eq!(again.await.unwrap(), 1);
    let status = one.calls.get_socket(v1::GetSocketRequest { socket: 2, ..one.request() }).await.unwrap_err();
    assert_eq!(reason(&status), "SOCKET_UNKNOWN", "there is one listener");
}

#[tokio::test]
async fn an_error_behind_data_is_that_of_the_next_call() {
    let mut player = create(text(SCENARIO)).await;
    let (client, server) = player.connected().await;
    player.send(server, b"last words").await;
    player.advance(Some(Limit::By(milliseconds(1))), &[]).await;
    player.calls.abort(v1::AbortRequest { socket: server, ..player.request() }).await.unwrap();
    player.advance(Some(Limit::By(milliseconds(100))), &[]).await;
    let first = player.receive(client).await;
    let second = player.receive(client).await;
    assert!(
        (first.data == b"last words" && second.error == "ECONNRESET") || first.error == "ECONNRESET",
        "{first:?} {second:?}"
    );
}

#[tokio::test]
async fn a_session_without_calls_is_gone_at_its_lease_and_says_so() {
    let lease = Some(time(Duration::from_secs(1)));
    let mut player = create(v1::CreateSessionRequest { lease, ..text(SCENARIO) }).await;
    let mut watch = player.clone();
    let watching = tokio::spawn(async move { watch.events(0).await });
    player.listen("server", 80).await;
    tokio::time::sleep(Duration::from_millis(1600)).await;
    let status = player.try_advance(None, &[]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "SESSION_EXPIRED"));
    let said =
        "participant 1, whose turn it was, made no call for 1s; ask for a longer lease, or finish it in time";
    assert!(status.message().ends_with(said), "{status:?}");
    assert!(!watching.await.unwrap().is_empty(), "the stream ends with the session");
}

#[tokio::test]
async fn a_watcher_resumes_where_it_was() {
    let mut player = create(text(SCENARIO)).await;
    let (client, _) = player.connected().await;
    player.faults("{drop: FIN, first: 1}").await;
    player.close(client).await;
    player.advance(Some(Limit::By(time(Duration::from_secs(30)))), &[]).await;
    player.finish().await;
    let all = player.events(0).await;
    assert!(all.iter().any(|event| matches!(event.kind, Some(Kind::FaultApplied(_)))), "the FIN was dropped");
    for after in [1, all.len() / 2, all.len() - 1, all.len(), all.len() + 5] {
        let rest = all.get(after..).unwrap_or_default();
        assert_eq!(player.events(after as u64).await, rest, "after {after}");
    }
}

#[tokio::test]
async fn an_advance_says_what_happened_since_the_last() {
    let mut player = create(text(SCENARIO)).await;
    let (client, _) = player.connected().await;
    let mut seen = Vec::new();
    loop {
        let request =
            v1::AdvanceRequest { limit: Some(Limit::By(milliseconds(0))), max_events: 7, ..player.request() };
        let response = player.calls.advance(request).await.unwrap().into_inner();
        assert!(response.events.len() <= 7);
        seen.extend(response.events);
        if !response.more_events {
            break;
        }
    }
    player.close(client).await;
    player.finish().await;
    assert_eq!(seen, player.events(0).await[..seen.len()]);
    assert!(seen.len() > 10);
}

/// Takes the events of a message, the first of them with the parts of RunStarted that went ahead of it.
fn take(
    message: &impl Message,
    part: Option<v1::EventPart>,
    mut next: Vec<v1::Event>,
    all: &mut Vec<v1::Setting>,
) {
    assert!(message.encoded_len() < 1 << 20, "{} bytes", message.encoded_len());
    assert!(next.is_empty() || part.is_none(), "a message has events or a part");
    all.extend(part.into_iter().flat_map(|part| part.settings));
    if let Some(Kind::RunStarted(started)) = next.first_mut().and_then(|first| first.kind.as_mut()) {
        all.append(&mut started.settings);
    }
}

#[tokio::test]
async fn an_event_that_is_too_large_for_a_message_comes_in_parts() {
    let name = "c".repeat(64);
    let steps = "connect: server:80, ".repeat(10_000);
    let large = format!(
        "scenario: large\nhosts: {{{name}: {{}}, server: {{}}}}\napplications: {{{name}: [{steps}]}}\n"
    );
    let mut player = create(text(&large)).await;
    let request = v1::WatchSessionRequest { session: player.session.clone(), after_sequence: 0 };
    let mut stream = player.calls.watch_session(request).await.unwrap().into_inner();
    let mut watched = Vec::new();
    loop {
        let message = stream.message().await.unwrap().unwrap();
        take(&message.clone(), message.part, message.events.clone(), &mut watched);
        if !message.events.is_empty() {
            break;
        }
    }
    let bytes = v1::RunStarted { settings: watched.clone(), ..Default::default() }.encoded_len();
    assert!(watched.len() >= 10_000 && bytes > 1 << 20, "{bytes} bytes of settings");

    let (mut advanced, mut responses) = (Vec::new(), 0);
    loop {
        let limit = Some(Limit::By(milliseconds(0)));
        let request = v1::AdvanceRequest { limit, max_events: 1000, ..player.request() };
        let response = player.calls.advance(request).await.unwrap().into_inner();
        responses += 1;
        take(&response.clone(), response.part, response.events.clone(), &mut advanced);
        assert!(response.more_events || !response.events.is_empty());
        if !response.more_events {
            break;
        }
    }
    assert!(responses > 4, "{responses} responses");
    assert_eq!(advanced, watched);
}

/// The text of so many expectations, each of which compares every segment a hundred times.
fn expectations(count: usize) -> String {
    let order = ["RST"; 100].join(", ");
    format!("expect:\n{}", format!("  - order: [{order}]\n").repeat(count))
}

#[tokio::test]
async fn a_verdict_that_is_too_large_for_a_message_is_shortened_and_says_so() {
    for (count, incomplete) in [(10, false), (450, true)] {
        let mut player = create(text(&format!("{SCENARIO}{}", expectations(count)))).await;
        let finished = player.finish().await;
        assert_eq!(finished.incomplete, incomplete, "{} expectations", finished.expectations.len());
        assert_eq!(finished.expectations.len() < count, incomplete);
        assert!(finished.encoded_len() < 1 << 20);
        let events = player.events(0).await;
        let results: Vec<&v1::ExpectationResult> = events
            .iter()
            .filter_map(|event| match &event.kind {
                Some(Kind::ExpectationResult(result)) => Some(result.as_ref()),
                _ => None,
            })
            .collect();
        assert_eq!(results.len(), count);
        assert!(finished.expectations.iter().eq(results[..finished.expectations.len()].iter().copied()));
    }
}

#[tokio::test]
async fn what_cannot_be_done_has_a_reason_and_changes_nothing() {
    let yaml =
        format!("{SCENARIO}applications: {{server: [listen: 80, accept, hold]}}\nlimits: {{events: 2000}}\n");
    let mut player = create(text(&yaml)).await;
    let client = player.connect("client", "server:80").await;
    player.until(Condition::Writable(client)).await;
    let looked = v1::GetSessionRequest { session: player.session.clone() };
    let before = player.calls.get_session(looked.clone()).await.unwrap().into_inner();
    let hosts = before.hosts.iter().map(|host| (host.name.as_str(), host.outside));
    assert_eq!(hosts.collect::<Vec<_>>(), [("client", true), ("server", false)]);

    let session = player.session.clone();
    let mut refused = Vec::new();
    macro_rules! refuse {
        ($call:ident, $request:expr, $code:ident, $reason:literal, $says:literal) => {
            let status = player.calls.$call($request).await.unwrap_err();
            refused.push((status.code(), reason(&status), status.message().to_owned()));
            let (code, reason, message) = refused.last().unwrap();
            assert_eq!((*code, reason.as_str()), (Code::$code, $reason), "{message}");
            assert!(message.contains($says), "{message}");
        };
    }
    let unknown = v1::SendRequest { session: "nonsense".into(), ..Default::default() };
    refuse!(send, unknown, NotFound, "SESSION_UNKNOWN", "there is no session \"nonsense\"");
    let other = v1::SendRequest { participant: 2, ..player.request() };
    refuse!(send, other, InvalidArgument, "PARTICIPANT_UNKNOWN", "it was created for one");
    let send = |socket: u32| v1::SendRequest { session: session.clone(), socket, ..Default::default() };
    refuse!(send, send(0), NotFound, "SOCKET_UNKNOWN", "never had a socket 0");
    refuse!(send, send(9), NotFound, "SOCKET_UNKNOWN", "never had a socket 9");
    let listen = |host: &str, port: u32| v1::ListenRequest {
        session: session.clone(),
        host: host.into(),
        port,
        ..Default::default()
    };
    refuse!(
        listen,
        listen("server", 81),
        FailedPrecondition,
        "HOST_HAS_PROGRAMS",
        "`server` runs programs of the scenario"
    );
    refuse!(listen, listen("srver", 81), NotFound, "HOST_UNKNOWN", "there are client, server");
    refuse!(listen, listen("client", 65536), InvalidArgument, "ARGUMENT_INVALID", "65536 is not a port");
    let accept = v1::AcceptRequest { socket: client, ..player.request() };
    refuse!(accept, accept, FailedPrecondition, "SOCKET_WRONG_KIND", "only a listening socket");
    let connect = |to: &str| v1::StartConnectRequest {
        session: session.clone(),
        host: "client".into(),
        to: to.into(),
        ..Default::default()
    };
    refuse!(
        start_connect,
        connect("server"),
        InvalidArgument,
        "ARGUMENT_INVALID",
        "`server` has no port; write `server:80`"
    );
    refuse!(
        start_connect,
        connect("sever:80"),
        InvalidArgument,
        "ARGUMENT_INVALID",
        "did you mean `server`?"
    );
    let faults = |yaml: &str| v1::ApplyFaultsRequest {
        session: session.clone(),
        yaml: yaml.into(),
        ..Default::default()
    };
    refuse!(apply_faults, faults("{dorp: FIN}"), InvalidArgument, "FAULTS_INVALID", "did you mean `drop`?");
    refuse!(apply_faults, faults(""), InvalidArgument, "FAULTS_INVALID", "the text is empty");
    let lift = |fault: u32| v1::LiftFaultRequest { session: session.clone(), fault, ..Default::default() };
    refuse!(lift_fault, lift(0), InvalidArgument, "ARGUMENT_INVALID", "counted from 1");
    refuse!(lift_fault, lift(5), NotFound, "FAULT_UNKNOWN", "the run has no fault 5");
    let shutdown = v1::ShutdownRequest { socket: client, ..player.request() };
    refuse!(shutdown, shutdown, InvalidArgument, "ARGUMENT_INVALID", "set `write`, `read` or both");
    let negative = halfopen_proto::Duration { seconds: -1, nanos: 0 };
    let advance = |limit: Limit| v1::AdvanceRequest {
        session: session.clone(),
        limit: Some(limit),
        ..Default::default()
    };
    refuse!(advance, advance(Limit::By(negative)), InvalidArgument, "ARGUMENT_INVALID", "`by` is not a time");
    let condition = |condition| v1::AdvanceRequest {
        session: session.clone(),
        conditions: vec![v1::SessionCondition { condition }],
        ..Default::default()
    };
    refuse!(advance, condition(None), InvalidArgument, "CONDITION_INVALID", "says nothing");
    let segment = Condition::Segment("{flasg: FIN}".into());
    refuse!(advance, condition(Some(segment)), InvalidArgument, "CONDITION_INVALID", "did you mean `flags`?");
    let options = v1::SocketOptions { keepalive_probes: Some(3), ..Default::default() };
    let set = v1::SetOptionsRequest { socket: client, options: Some(options), ..player.request() };
    refuse!(set_options, set, InvalidArgument, "ARGUMENT_INVALID", "`keepalive: true`");
    let after = player.calls.get_session(looked).await.unwrap().into_inner();
    assert_eq!(after, before);

    player.close(client).await;
    refuse!(send, send(client), FailedPrecondition, "SOCKET_CLOSED", "is closed");
    player.faults("{freeze: client}").await;
    refuse!(listen, listen("client", 81), FailedPrecondition, "HOST_FROZEN", "`client` has frozen processes");
    player.faults("{power-loss: client}").await;
    refuse!(listen, listen("client", 81), FailedPrecondition, "HOST_DOWN", "`client` is down");
    refuse!(lift_fault, lift(1), FailedPrecondition, "FAULT_OVER", "fault 1 is over");
    player.finish().await;
    refuse!(listen, listen("client", 81), FailedPrecondition, "SESSION_FINISHED", "finished");
    refuse!(lift_fault, lift(2), FailedPrecondition, "SESSION_FINISHED", "finished");
    refuse!(advance, advance(Limit::By(milliseconds(1))), FailedPrecondition, "SESSION_FINISHED", "finished");
    let delete = v1::DeleteSessionRequest { session: session.clone() };
    player.calls.delete_session(delete).await.unwrap();
    refuse!(listen, listen("client", 81), NotFound, "SESSION_DELETED", "a participant deleted it");
    let export = v1::ExportSessionRequest { session: session.clone() };
    refuse!(export_session, export, NotFound, "SESSION_DELETED", "a participant deleted it");
}

#[tokio::test]
async fn a_session_that_no_scenario_has_room_for_is_not_exported() {
    let mut player = create(text(SCENARIO)).await;
    let socket = player.connect("client", "server:80").await;
    let export = v1::ExportSessionRequest { session: player.session.clone() };
    let exported = player.calls.export_session(export.clone()).await.unwrap().into_inner();
    assert!(exported.yaml.contains("connect: server:80, host: client, as: s1"), "{}", exported.yaml);
    player.send(socket, &vec![0; 600_000]).await;
    let refused = player.calls.export_session(export).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "EXPORT_TOO_LONG"));
}

#[tokio::test]
async fn sessions_have_a_limit_of_which_one_client_has_half() {
    let config = Config { max_sessions: 4, ..config() };
    let service = Service::new(&config).unwrap();
    let first = create_in(&service, text(SCENARIO)).await;
    create_in(&service, text(SCENARIO)).await;
    let refused = client(&service).create_session(text(SCENARIO)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "TOO_MANY_SESSIONS"));
    // One over the network is another client's.
    let server = Server::serve(service.clone(), Access::default()).await;
    let mut over_the_network =
        SessionServiceClient::connect(format!("http://{}", server.address)).await.unwrap();
    over_the_network.create_session(text(SCENARIO)).await.unwrap();
    let mut calls = client(&service);
    calls.delete_session(v1::DeleteSessionRequest { session: first.session }).await.unwrap();
    calls.create_session(text(SCENARIO)).await.unwrap();
}

#[tokio::test]
async fn one_long_advance_does_not_hold_up_another_session() {
    let config = Config { threads: std::num::NonZeroUsize::MIN, ..config() };
    let service = Service::new(&config).unwrap();
    let busy = "scenario: busy\nhosts: {client: {}, server: {}, other: {}}\napplications: {client: [connect: server:80, \
                ping: 1 kB, every: 1ms]}\n";
    let busy =
        busy.replace("ping: 1 kB, every: 1ms", "{ping: 1 kB, every: 1ms}") + "  # the server answers\n";
    let busy = busy
        .replace("}\n  #", ", server: [listen: 80, accept, {repeat: [{receive: 1 kB}, {send: 1 kB}]}]}\n  #");
    let mut long = create_in(&service, text(&busy)).await;
    let moving =
        tokio::spawn(async move { long.advance(Some(Limit::By(time(Duration::from_secs(20)))), &[]).await });
    let mut short = create_in(&service, text(SCENARIO)).await;
    let (client, server) = short.connected().await;
    for _ in 0..10 {
        short.send(client, b"x").await;
        short.until(readable(server)).await;
        short.receive(server).await;
    }
    assert!(!moving.is_finished(), "the other one takes much longer");
    assert_eq!(moving.await.unwrap().stop(), AdvanceStop::Time);
}

#[tokio::test]
async fn a_long_verdict_holds_up_no_other_session_and_its_own_can_be_deleted() {
    let config = Config { threads: std::num::NonZeroUsize::MIN, ..config() };
    let service = Service::new(&config).unwrap();
    let server = Server::serve(service.clone(), Access::default()).await;
    let transfer = "applications:\n  client: [connect: server:80, send: 5 MB, close]\n  server: [listen: 80, accept, receive: 5 MB, close]\n";
    let mut long = create_in(&service, text(&format!("{SCENARIO}{transfer}{}", expectations(300)))).await;
    let mut short = create_in(&service, text(SCENARIO)).await;
    assert_eq!(long.advance(None, &[]).await.stop(), AdvanceStop::Idle);
    let (mut calls, request): (_, v1::FinishSessionRequest) = (long.calls.clone(), long.request());
    let finishing = tokio::spawn(async move { calls.finish_session(request).await });
    let looked = v1::GetSessionRequest { session: long.session.clone() };
    while long.calls.get_session(looked.clone()).await.unwrap().into_inner().turn > 0 {}

    let (client, socket) = short.connected().await;
    short.send(client, b"x").await;
    short.until(readable(socket)).await;
    assert_eq!(short.receive(socket).await.data, b"x");
    assert!(!finishing.is_finished(), "the verdict takes much longer");
    let refused = v1::ListenRequest { host: "client".into(), port: 80, ..long.request() };
    let (mut calls, waiting) = (long.calls.clone(), refused.clone());
    let waiting = tokio::spawn(async move { calls.listen(waiting).await });

    long.calls.delete_session(v1::DeleteSessionRequest { session: long.session.clone() }).await.unwrap();
    for gone in [finishing.await.unwrap().map(drop), waiting.await.unwrap().map(drop)] {
        assert_eq!(reason(&gone.unwrap_err()), "SESSION_DELETED");
    }
    server.until(|load| load.sessions == 1 && load.busy_threads == 0).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_thousand_idle_sessions_take_little_memory() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let mut server = Command::new(env!("CARGO_BIN_EXE_halfopend"))
        .args(["--listen", "127.0.0.1:0", "--exit-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = format!("http://{}", line["listening"].as_str().unwrap());
    let mut calls = SessionServiceClient::connect(address).await.unwrap();
    for _ in 0..1000 {
        let session = calls.create_session(text(SCENARIO)).await.unwrap().into_inner().session;
        let mut player = Player { calls: calls.clone(), session, participant: 0 };
        player.connected().await;
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 512 * 1024, "{kilobytes} kB");
    drop(server.stdin.take());
    server.wait().unwrap();
}
