//! A session that is exported plays the same when it is run: whatever was done in it, and at whatever point of an instant.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::config;
use halfopen_proto::v1::advance_request::Limit;
use halfopen_proto::v1::create_session_request::Source;
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::session_condition::Condition;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_proto::v1::{self, Event, ExecuteRunRequest, SocketOptions};
use halfopend::Service;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Three hosts, played by the test.
const SCENARIO: &str = "\
scenario: test
hosts:
  client: {}
  server: {tcp: {keepalive: {idle: 10s, interval: 1s, probes: 3}}}
  phone: {}
network: {latency: 20ms, jitter: 5ms, loss: 5%}
faults: [{delay: {flags: SYN}, by: 3ms, may-not-happen: on}]
expect: [{client: {never: TIME-WAIT}}]
limits: {events: 3000, virtual-time: 5min}
";
/// What ends it, if nothing else does.
const ENDS: [&str; 2] = ["", "until: 20s\n"];

const HOSTS: [&str; 3] = ["client", "server", "phone"];
const FAULTS: [&str; 10] = [
    "{drop: {from: client}, every: 3}",
    "{duplicate: {from: server}, nth: 2}",
    "{freeze: server, resumes-after: 50ms}",
    "{pause: client, resumes-after: 20ms, at: 30s}",
    "{kill: server, restarts-after: 40ms}",
    "{reboot: phone, back-after: 30ms}",
    "{partition: [client, server]}",
    "{inject: {flags: RST, from: client, sequence: rcv.nxt}}",
    "{power-loss: server, when: {client: ESTABLISHED}, for: 100ms}",
    "{cable-pull: phone}",
];

/// What is done next: which call, on which socket, and a number that says how.
type Choice = (u8, usize, u32);

struct Player {
    calls: SessionServiceClient<Channel>,
    session: String,
    sockets: u32,
}

impl Player {
    async fn new(service: &Service, seed: u64, end: &str) -> Player {
        let mut calls = SessionServiceClient::new(service.connect()).max_decoding_message_size(16 << 20);
        let source = Some(Source::Yaml(format!("{SCENARIO}{end}")));
        let request = v1::CreateSessionRequest { source, seed: Some(seed), ..Default::default() };
        let session = calls.create_session(request).await.unwrap().into_inner().session;
        Player { calls, session, sockets: 0 }
    }

    /// Does something. What is refused does not matter.
    async fn act(&mut self, (what, which, number): Choice) -> Result<(), Status> {
        let session = self.session.clone();
        let socket = which as u32 % (self.sockets + 1);
        let host = HOSTS[which % 3].to_owned();
        match what {
            0 | 1 => {
                let port = [80, 80, 81, 0][number as usize % 4];
                let request = v1::ListenRequest { session, host, port, ..Default::default() };
                let opened = self.calls.listen(request).await?.into_inner().socket;
                self.sockets = self.sockets.max(opened);
            }
            2..5 => {
                let to = format!("{}:{}", HOSTS[number as usize % 3], 80 + number / 3 % 2);
                let options = Some(options(number)).filter(|_| number.is_multiple_of(5));
                let request = v1::StartConnectRequest { session, host, to, options, ..Default::default() };
                let opened = self.calls.start_connect(request).await?.into_inner().socket;
                self.sockets = self.sockets.max(opened);
            }
            5..8 => {
                let request = v1::AcceptRequest { session, socket, ..Default::default() };
                let opened = self.calls.accept(request).await?.into_inner().socket;
                self.sockets = self.sockets.max(opened);
            }
            8..11 => {
                let (byte, length) = ((number % 256) as u8, number as usize % 9000);
                let data = vec![byte; length];
                let more = number.is_multiple_of(7);
                let request = v1::SendRequest { session, socket, data, more, ..Default::default() };
                self.calls.send(request).await?;
            }
            11..14 => {
                let max_bytes = number % 3000;
                let request = v1::ReceiveRequest { session, socket, max_bytes, ..Default::default() };
                self.calls.receive(request).await?;
            }
            14 => {
                let (write, read) = (number % 3 > 0, number % 3 < 2);
                let request = v1::ShutdownRequest { session, socket, write, read, ..Default::default() };
                self.calls.shutdown(request).await?;
            }
            15 => drop(self.calls.close(v1::CloseRequest { session, socket, ..Default::default() }).await?),
            16 => drop(self.calls.abort(v1::AbortRequest { session, socket, ..Default::default() }).await?),
            17 => {
                let options = Some(options(number));
                let request = v1::SetOptionsRequest { session, socket, options, ..Default::default() };
                self.calls.set_options(request).await?;
            }
            18 => {
                let request = v1::GetSocketRequest { session, socket, ..Default::default() };
                self.calls.get_socket(request).await?;
            }
            19 => {
                let request = v1::FinishConnectRequest { session, socket, ..Default::default() };
                self.calls.finish_connect(request).await?;
            }
            20 | 21 => {
                let yaml = FAULTS[number as usize % FAULTS.len()].to_owned();
                let request = v1::ApplyFaultsRequest { session, yaml, ..Default::default() };
                self.calls.apply_faults(request).await?;
            }
            22 => {
                let request = v1::LiftFaultRequest { session, fault: number % 5, ..Default::default() };
                self.calls.lift_fault(request).await?;
            }
            _ => self.advance(what, socket, number).await?,
        }
        Ok(())
    }

    async fn advance(&mut self, what: u8, socket: u32, number: u32) -> Result<(), Status> {
        let nanos = i32::try_from(number % 40_000_000).unwrap();
        let time = halfopen_proto::Duration { seconds: 0, nanos };
        let by = Some(Limit::By(time));
        let (limit, condition) = match what {
            23 => (by, None),
            24 => (by, Some(Condition::Readable(socket))),
            25 => (by, Some(Condition::Segment("ACK".to_owned()))),
            26 => (by, Some(Condition::HostChanged(HOSTS[number as usize % 3].to_owned()))),
            27 => (by, Some(Condition::Writable(socket))),
            _ => {
                let request = v1::GetSessionRequest { session: self.session.clone() };
                let now = self.calls.get_session(request).await?.into_inner().time;
                (now.map(Limit::Through), None)
            }
        };
        let conditions: Vec<_> =
            condition.into_iter().map(|it| v1::SessionCondition { condition: Some(it) }).collect();
        let session = self.session.clone();
        self.calls.advance(v1::AdvanceRequest { session, limit, conditions, ..Default::default() }).await?;
        Ok(())
    }

    async fn finish(&mut self, until: Option<u64>) {
        let until = until.map(|seconds| halfopen_proto::Duration { seconds: seconds as i64, nanos: 0 });
        let request = v1::FinishSessionRequest { session: self.session.clone(), until, ..Default::default() };
        self.calls.finish_session(request).await.unwrap();
    }

    async fn export(&mut self) -> v1::ExportSessionResponse {
        let request = v1::ExportSessionRequest { session: self.session.clone() };
        self.calls.export_session(request).await.unwrap().into_inner()
    }

    async fn events(&mut self) -> Vec<Event> {
        let request = v1::WatchSessionRequest { session: self.session.clone(), after_sequence: 0 };
        let mut stream = self.calls.watch_session(request).await.unwrap().into_inner();
        let mut events = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            events.extend(message.events);
        }
        events
    }
}

fn options(number: u32) -> SocketOptions {
    let time = |seconds: u32| Some(halfopen_proto::Duration { seconds: seconds.into(), nanos: 0 });
    match number % 8 {
        0 => SocketOptions { nodelay: Some(true), cork: Some(false), ..Default::default() },
        1 => SocketOptions { keepalive: Some(true), keepalive_idle: time(5), ..Default::default() },
        2 => SocketOptions { keepalive: Some(false), ..Default::default() },
        3 => SocketOptions { user_timeout: time(number % 3), ..Default::default() },
        4 => SocketOptions { reset_on_close: Some(number.is_multiple_of(3)), ..Default::default() },
        5 => SocketOptions { receive_buffer: Some(20_000), send_buffer: Some(9_000), ..Default::default() },
        6 => SocketOptions { notsent_lowat: Some(number % 3 * 1000), ..Default::default() },
        _ => SocketOptions { cork: Some(true), ..Default::default() },
    }
}

async fn run(service: &Service, exported: &v1::ExportSessionResponse) -> Vec<Event> {
    let mut runs = RunServiceClient::new(service.connect()).max_decoding_message_size(16 << 20);
    let source = Some(v1::execute_run_request::Source::Yaml(exported.yaml.clone()));
    let request = ExecuteRunRequest { source, seed: Some(exported.seed), ..Default::default() };
    common::all(runs.execute_run(request).await.unwrap().into_inner()).await
}

/// An event without what only its text says: what the scenario is, and where a fault stands.
fn told(event: &Event) -> Event {
    let mut event = event.clone();
    let fault = match &mut event.kind {
        Some(Kind::RunStarted(started)) => {
            started.settings.clear();
            None
        }
        Some(Kind::FaultAdded(added)) => added.fault.as_mut(),
        Some(Kind::FaultLifted(lifted)) => lifted.fault.as_mut(),
        Some(Kind::FaultApplied(applied)) => applied.fault.as_mut(),
        Some(Kind::SegmentLost(lost)) => lost.fault.as_mut(),
        Some(Kind::ExpectationResult(result)) => {
            (result.expectation, result.text) = (None, String::new());
            None
        }
        Some(Kind::RunFinished(finished)) => {
            finished.problems.iter_mut().for_each(|problem| *problem = Default::default());
            None
        }
        _ => None,
    };
    if let Some(fault) = fault {
        (fault.line, fault.path) = (0, String::new());
    }
    event
}

/// Does one thing after the other, and runs what is exported.
async fn check(service: &Service, seed: u64, choices: &[Choice], end: Option<u64>) {
    let mut player = Player::new(service, seed, ENDS[seed as usize % ENDS.len()]).await;
    for choice in choices {
        let acted = player.act(*choice).await;
        assert!(acted.as_ref().err().is_none_or(|status| status.code() != Code::Internal), "{acted:?}");
    }
    player.finish(end).await;
    let exported = player.export().await;
    let (played, replayed) = (player.events().await, run(service, &exported).await);
    for (played, replayed) in played.iter().zip(&replayed) {
        assert_eq!(told(played), told(replayed), "{}", exported.yaml);
    }
    assert_eq!(played.len(), replayed.len(), "{}", exported.yaml);
    player.calls.delete_session(v1::DeleteSessionRequest { session: player.session }).await.unwrap();
}

#[test]
fn whatever_is_done_in_a_session_plays_the_same_as_a_scenario() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let service = runtime.block_on(async { Service::new(&config()).unwrap() });
    let choices = proptest::collection::vec((0_u8..30, 0_usize..20, any::<u32>()), 1..60);
    let done = (any::<u64>(), choices, proptest::option::of(0_u64..40));
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&done, |(seed, choices, end)| {
        runtime.block_on(check(&service, seed, &choices, end));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
