//! Runs made by hand, event by event, for tests of what is made of them.
#![allow(dead_code, reason = "each test file uses some of it")]

pub(crate) mod runs;

use std::time::Duration;

use halfopen_proto::v1::{
    ApplicationResult, Cause, ConnectionError, Event, ExpectationResult, FaultApplied, FinalState, Host,
    HostChanged, HostState, KeepaliveOutcome, KeepaliveVerdict, RunFinished, RunStarted, RunTotals,
    SegmentArrived, SegmentLost, SegmentSent, StateTransition, TcpFlags, TcpPurpose, TcpState, TcpTimer,
    TimerChange, TimerChanged, Verdict, cause, event::Kind,
};
use halfopen_view::record::RunRecord;

pub(crate) const MS: Duration = Duration::from_millis(1);

/// The events of a run so far, and the moment the next ones are of.
pub(crate) struct Script {
    pub(crate) events: Vec<Event>,
    now: Duration,
    segments: u64,
}

impl Script {
    pub(crate) fn new(scenario: &str, title: &str, hosts: &[&str]) -> Script {
        let mut script = Script { events: Vec::new(), now: Duration::ZERO, segments: 0 };
        let host = |name: &&str| Host { name: (*name).to_owned(), ..Host::default() };
        let hosts = hosts.iter().map(host).collect();
        let (scenario, title) = (scenario.to_owned(), title.to_owned());
        script.add(
            "",
            0,
            Kind::RunStarted(RunStarted {
                scenario,
                title,
                seed: 1,
                version: "0.1.0".into(),
                hosts,
                ..RunStarted::default()
            }),
        );
        script
    }

    pub(crate) fn at(&mut self, now: Duration) -> &mut Script {
        assert!(now >= self.now, "events are in the order of time");
        self.now = now;
        self
    }

    pub(crate) fn add(&mut self, host: &str, connection: u32, kind: Kind) -> &mut Script {
        self.events.push(Event {
            sequence: self.events.len() as u64 + 1,
            time: Some(proto(self.now)),
            host: host.to_owned(),
            connection,
            kind: Some(kind),
        });
        self
    }

    /// Sends on connection 1: `("client", "server", "SYN+ACK", seq, ack, length)`. Returns the segment's number.
    pub(crate) fn send(&mut self, way: (&str, &str), flags: &str, seq: u32, ack: u32, length: u32) -> u64 {
        self.send_for(way, flags, (seq, ack, length), TcpPurpose::Normal)
    }

    pub(crate) fn send_for(
        &mut self,
        (from, to): (&str, &str),
        flags: &str,
        (seq, ack, length): (u32, u32, u32),
        purpose: TcpPurpose,
    ) -> u64 {
        self.segments += 1;
        let sent = SegmentSent {
            segment: self.segments,
            to: to.to_owned(),
            flags: Some(parse_flags(flags)),
            relative_sequence_number: seq,
            relative_acknowledgment_number: ack,
            length,
            purpose: purpose.into(),
            ..SegmentSent::default()
        };
        self.add(from, 1, Kind::SegmentSent(sent));
        self.segments
    }

    pub(crate) fn arrive(&mut self, host: &str, segment: u64) -> &mut Script {
        self.add(host, 1, Kind::SegmentArrived(SegmentArrived { segment, ..Default::default() }))
    }

    pub(crate) fn lose(&mut self, host: &str, segment: u64, reason: &str) -> &mut Script {
        self.add(host, 1, Kind::SegmentLost(SegmentLost { segment, reason: reason.to_owned() }))
    }

    pub(crate) fn state(&mut self, host: &str, from: TcpState, to: TcpState, cause: Cause) -> &mut Script {
        let transition = StateTransition { from: from.into(), to: to.into(), cause: Some(cause) };
        self.add(host, 1, Kind::StateTransition(transition))
    }

    pub(crate) fn fault(&mut self, host: &str, fault: u32, action: &str, segment: u64) -> &mut Script {
        let connection = u32::from(segment != 0);
        let applied = FaultApplied { fault, action: action.to_owned(), segment, line: 20 };
        self.add(host, connection, Kind::FaultApplied(applied))
    }

    pub(crate) fn host(&mut self, host: &str, state: HostState) -> &mut Script {
        self.add(host, 0, Kind::HostChanged(HostChanged { state: state.into() }))
    }

    pub(crate) fn call(&mut self, host: &str, call: &str, octets: u64, error: &str) -> &mut Script {
        let connection = u32::from(call != "listen");
        let (call, error) = (call.to_owned(), error.to_owned());
        let result = ApplicationResult { call, octets, error, ..ApplicationResult::default() };
        self.add(host, connection, Kind::ApplicationResult(result))
    }

    pub(crate) fn timer(
        &mut self,
        host: &str,
        timer: TcpTimer,
        change: TimerChange,
        expires: Duration,
    ) -> &mut Script {
        let expires = (change == TimerChange::Set).then(|| proto(expires));
        self.add(
            host,
            1,
            Kind::TimerChanged(TimerChanged { timer: timer.into(), change: change.into(), expires }),
        )
    }

    pub(crate) fn keepalive(
        &mut self,
        host: &str,
        verdict: KeepaliveVerdict,
        probes: u32,
        silence: Duration,
    ) {
        let silence = Some(proto(silence));
        let outcome = KeepaliveOutcome { verdict: verdict.into(), probes, silence };
        self.add(host, 1, Kind::KeepaliveOutcome(outcome));
    }

    pub(crate) fn error(&mut self, host: &str, errno: &str) -> &mut Script {
        self.add(host, 1, Kind::ConnectionError(ConnectionError { errno: errno.to_owned() }))
    }

    pub(crate) fn expectation(&mut self, result: ExpectationResult) -> &mut Script {
        self.add("", 0, Kind::ExpectationResult(result))
    }

    pub(crate) fn finish(&mut self, verdict: Verdict, problems: &[&str]) -> Vec<Event> {
        let kinds = || self.events.iter().filter_map(|event| event.kind.as_ref());
        let passed = |wanted: bool| {
            let is =
                |kind: &&Kind| matches!(kind, Kind::ExpectationResult(result) if result.passed == wanted);
            u32::try_from(kinds().filter(is).count()).unwrap()
        };
        let totals = RunTotals {
            virtual_time: Some(proto(self.now)),
            events: self.events.len() as u64 + 1,
            segments_sent: self.segments,
            retransmissions: 0,
            segments_lost: kinds().filter(|kind| matches!(kind, Kind::SegmentLost(_))).count() as u64,
            expectations_passed: passed(true),
            expectations_failed: passed(false),
        };
        let closed =
            |host: &str| FinalState { host: host.to_owned(), connection: 1, state: TcpState::Closed.into() };
        let finished = RunFinished {
            verdict: verdict.into(),
            problems: problems.iter().map(|problem| (*problem).to_owned()).collect(),
            final_states: vec![closed("client"), closed("server")],
            totals: Some(totals),
        };
        self.add("", 0, Kind::RunFinished(finished));
        std::mem::take(&mut self.events)
    }
}

pub(crate) fn proto(duration: Duration) -> halfopen_proto::Duration {
    halfopen_proto::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap(),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap(),
    }
}

pub(crate) fn by_call(call: &str) -> Cause {
    Cause { text: format!("{call}()"), origin: Some(cause::Origin::Call(call.to_owned())) }
}

pub(crate) fn by_segment(flags: &str, segment: u64) -> Cause {
    Cause { text: format!("received {flags}"), origin: Some(cause::Origin::Segment(segment)) }
}

pub(crate) fn by_timer(timer: TcpTimer, text: &str) -> Cause {
    Cause { text: text.to_owned(), origin: Some(cause::Origin::Timer(timer.into())) }
}

fn parse_flags(text: &str) -> TcpFlags {
    let mut flags = TcpFlags::default();
    for name in text.split('+') {
        match name {
            "SYN" => flags.syn = true,
            "ACK" => flags.ack = true,
            "FIN" => flags.fin = true,
            "RST" => flags.rst = true,
            "PSH" => flags.psh = true,
            other => panic!("no flag {other}"),
        }
    }
    flags
}

const UP: (&str, &str) = ("client", "server");
const DOWN: (&str, &str) = ("server", "client");

/// Opens connection 1 from client to server with 20 ms each way, from the script's beginning to 60 ms.
pub(crate) fn handshake(script: &mut Script) {
    use TcpState::{Closed, Established, Listen, SynReceived, SynSent};
    let listening =
        StateTransition { from: Closed.into(), to: Listen.into(), cause: Some(by_call("listen")) };
    script.add("server", 0, Kind::StateTransition(listening)).call("server", "listen", 0, "");
    script.state("client", Closed, SynSent, by_call("connect"));
    let syn = script.send(UP, "SYN", 0, 0, 0);
    script.timer("client", TcpTimer::Retransmission, TimerChange::Set, 1000 * MS);
    script.at(20 * MS).arrive("server", syn).state("server", Listen, SynReceived, by_segment("SYN", syn));
    let syn_ack = script.send(DOWN, "SYN+ACK", 0, 1, 0);
    script.at(40 * MS).arrive("client", syn_ack);
    script.timer("client", TcpTimer::Retransmission, TimerChange::Cancelled, Duration::ZERO);
    script.state("client", SynSent, Established, by_segment("SYN+ACK", syn_ack));
    let ack = script.send(UP, "ACK", 1, 1, 0);
    script.call("client", "connect", 0, "");
    let data = script.send(UP, "PSH+ACK", 1, 1, 1024);
    script.call("client", "send", 1024, "");
    script.at(60 * MS).arrive("server", ack).state(
        "server",
        SynReceived,
        Established,
        by_segment("ACK", ack),
    );
    script.call("server", "accept", 0, "").arrive("server", data).call("server", "receive", 1024, "");
}

/// The bundled scenario dead-client, shortened: two probes a minute apart.
pub(crate) fn dead_client() -> Vec<Event> {
    use TcpState::{Closed, Established};
    let mut script = Script::new(
        "dead-client",
        "The client fails without a word; the server's keepalive finds out",
        &["client", "server"],
    );
    handshake(&mut script);
    let reply = script.send(DOWN, "PSH+ACK", 1, 1025, 1024);
    script.call("server", "send", 1024, "");
    script.at(80 * MS).arrive("client", reply).call("client", "receive", 1024, "");
    let ack = script.send(UP, "ACK", 1025, 1025, 0);
    script.at(100 * MS).arrive("server", ack);
    script.at(1000 * MS).fault("client", 1, "power-loss", 0);
    let last = 100 * MS;
    for (probes, minutes) in [(1, 120), (2, 121)] {
        let now = last + Duration::from_secs(minutes * 60);
        script.at(now);
        let probe = script.send_for(DOWN, "ACK", (1024, 1025, 0), TcpPurpose::KeepaliveProbe);
        script.keepalive("server", KeepaliveVerdict::Probing, probes, now - last);
        script.at(now + 20 * MS).lose("client", probe, "host is down");
    }
    let silence = Duration::from_secs(122 * 60);
    script.at(last + silence);
    script.keepalive("server", KeepaliveVerdict::Dead, 2, silence);
    script.error("server", "ETIMEDOUT");
    let cause = by_timer(TcpTimer::Keepalive, "keepalive timer: gave up");
    script.state("server", Established, Closed, cause).call("server", "receive", 0, "ETIMEDOUT");
    script.expectation(ExpectationResult {
        expectation: 1,
        passed: true,
        text: "server: error ETIMEDOUT".into(),
        line: 33,
        ..ExpectationResult::default()
    });
    script.finish(Verdict::Passed, &[])
}

/// Every bundled run: its name, the scenario's text, and what happened.
pub(crate) fn bundled_runs() -> Vec<(String, String, Vec<Event>)> {
    let whole = |run: RunRecord| (run.name, run.source.unwrap().to_string(), run.events);
    runs::bundled().into_iter().map(whole).collect()
}
