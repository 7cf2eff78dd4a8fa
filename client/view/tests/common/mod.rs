//! Runs made by hand, event by event, for tests of what is made of them.
#![allow(dead_code, reason = "each test file uses some of it")]

pub(crate) mod runs;
pub(crate) mod tool;

use std::time::Duration;

use halfopen_proto::v1::{
    ApplicationResult, Cause, Claim, ConnectionError, Event, ExpectationReference, ExpectationResult,
    FaultApplied, FaultKind, FaultNotApplied, FaultPhase, FaultReference, FinalState, Finding, Host,
    HostChanged, HostClaim, HostState, KeepaliveOutcome, KeepaliveVerdict, LossReason, Problem, RunFinished,
    RunStarted, RunTotals, SegmentArrived, SegmentCause, SegmentLost, SegmentSent, StateTransition, StepKind,
    StepReference, TcpCall, TcpFlags, TcpPurpose, TcpState, TcpTimer, TimerChange, TimerChanged, Verdict,
    cause, claim, event::Kind, finding, host_claim, problem,
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
            Kind::RunStarted(Box::new(RunStarted {
                scenario,
                title,
                seed: 1,
                version: "0.1.0".into(),
                hosts,
                ..RunStarted::default()
            })),
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
            receiver: to.to_owned(),
            flags: Some(parse_flags(flags)),
            relative_sequence_number: seq,
            relative_acknowledgment_number: ack,
            length,
            window: 65_535,
            purpose: purpose.into(),
            ..SegmentSent::default()
        };
        self.add(from, 1, Kind::SegmentSent(sent));
        self.segments
    }

    pub(crate) fn arrive(&mut self, host: &str, segment: u64) -> &mut Script {
        self.add(host, 1, Kind::SegmentArrived(SegmentArrived { segment, ..Default::default() }))
    }

    pub(crate) fn lose(&mut self, host: &str, segment: u64, reason: LossReason) -> &mut Script {
        let reason = reason.into();
        self.lost(host, SegmentLost { segment, reason, ..SegmentLost::default() })
    }

    pub(crate) fn lose_by_fault(&mut self, host: &str, segment: u64, fault: u32) -> &mut Script {
        let (reason, fault) = (LossReason::Fault.into(), Some(fault_reference(fault)));
        self.lost(host, SegmentLost { segment, reason, fault, ..SegmentLost::default() })
    }

    pub(crate) fn lost(&mut self, host: &str, lost: SegmentLost) -> &mut Script {
        self.add(host, 1, Kind::SegmentLost(lost))
    }

    pub(crate) fn state(&mut self, host: &str, from: TcpState, to: TcpState, cause: Cause) -> &mut Script {
        let transition = StateTransition { before: from.into(), after: to.into(), cause: Some(cause) };
        self.add(host, 1, Kind::StateTransition(transition))
    }

    pub(crate) fn fault(&mut self, host: &str, fault: u32, kind: FaultKind, segment: u64) -> &mut Script {
        self.fault_with(host, fault, FaultApplied { kind: kind.into(), segment, ..FaultApplied::default() })
    }

    pub(crate) fn fault_with(&mut self, host: &str, fault: u32, what: FaultApplied) -> &mut Script {
        let connection = u32::from(what.segment != 0);
        let (fault, phase) = (Some(fault_reference(fault)), FaultPhase::Begin.into());
        self.add(host, connection, Kind::FaultApplied(Box::new(FaultApplied { fault, phase, ..what })))
    }

    pub(crate) fn host(&mut self, host: &str, state: HostState) -> &mut Script {
        self.add(host, 0, Kind::HostChanged(HostChanged { state: state.into() }))
    }

    pub(crate) fn call(&mut self, host: &str, kind: StepKind, bytes: u64, error: &str) -> &mut Script {
        let connection = u32::from(kind != StepKind::Listen);
        let step = Some(StepReference { kind: kind.into(), ..StepReference::default() });
        let error = error.to_owned();
        let result = ApplicationResult { step, bytes, error, ..ApplicationResult::default() };
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
        self.add("", 0, Kind::ExpectationResult(Box::new(result)))
    }

    pub(crate) fn finish(&mut self, verdict: Verdict, problems: &[Problem]) -> Vec<Event> {
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
            problems: problems.to_vec(),
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

pub(crate) fn by_call(call: TcpCall) -> Cause {
    Cause { origin: Some(cause::Origin::Call(call.into())), ..Cause::default() }
}

pub(crate) fn by_segment(flags: &str, segment: u64) -> Cause {
    let flags = Some(parse_flags(flags));
    Cause {
        origin: Some(cause::Origin::Segment(SegmentCause { segment, flags, syn_cookie: false })),
        ..Cause::default()
    }
}

pub(crate) fn gave_up(timer: TcpTimer) -> Cause {
    Cause { origin: Some(cause::Origin::GaveUp(timer.into())), ..Cause::default() }
}

/// Every fault is in line 20.
fn fault_reference(number: u32) -> FaultReference {
    FaultReference { number, path: format!("faults[{}]", number - 1), line: 20 }
}

/// An expectation with its line.
pub(crate) fn expectation_reference(number: u32, line: u32) -> Option<ExpectationReference> {
    Some(ExpectationReference { number, path: format!("expect[{}]", number - 1), line })
}

/// That a state was expected, and which was found.
pub(crate) fn ends(expected: TcpState, found: TcpState) -> (Option<Claim>, Option<Finding>) {
    let kind = host_claim::Kind::Ends(expected.into());
    (claim(kind), Some(Finding { kind: Some(finding::Kind::LastState(found.into())) }))
}

/// What was expected and found in any words: errors have their names from the outside.
pub(crate) fn errors(expected: &str, found: &str) -> (Option<Claim>, Option<Finding>) {
    let kind = host_claim::Kind::Error(expected.to_owned());
    (claim(kind), Some(Finding { kind: Some(finding::Kind::Error(found.to_owned())) }))
}

fn claim(kind: host_claim::Kind) -> Option<Claim> {
    let host = HostClaim { host: "server".to_owned(), kind: Some(kind), ..HostClaim::default() };
    Some(Claim { kind: Some(claim::Kind::Host(host)), at: None })
}

/// A fault that never happened.
pub(crate) fn never(fault: u32, text: &str) -> Problem {
    let never = FaultNotApplied { fault: Some(fault_reference(fault)), text: text.to_owned() };
    Problem { kind: Some(problem::Kind::FaultNotApplied(never)) }
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
    let listening = StateTransition {
        before: Closed.into(),
        after: Listen.into(),
        cause: Some(by_call(TcpCall::Listen)),
    };
    script.add("server", 0, Kind::StateTransition(listening)).call("server", StepKind::Listen, 0, "");
    script.state("client", Closed, SynSent, by_call(TcpCall::Connect));
    let syn = script.send(UP, "SYN", 0, 0, 0);
    script.timer("client", TcpTimer::Retransmission, TimerChange::Set, 1000 * MS);
    script.at(20 * MS).arrive("server", syn).state("server", Listen, SynReceived, by_segment("SYN", syn));
    let syn_ack = script.send(DOWN, "SYN+ACK", 0, 1, 0);
    script.at(40 * MS).arrive("client", syn_ack);
    script.timer("client", TcpTimer::Retransmission, TimerChange::Cancelled, Duration::ZERO);
    script.state("client", SynSent, Established, by_segment("SYN+ACK", syn_ack));
    let ack = script.send(UP, "ACK", 1, 1, 0);
    script.call("client", StepKind::Connect, 0, "");
    let data = script.send(UP, "PSH+ACK", 1, 1, 1024);
    script.call("client", StepKind::Send, 1024, "");
    script.at(60 * MS).arrive("server", ack).state(
        "server",
        SynReceived,
        Established,
        by_segment("ACK", ack),
    );
    script.call("server", StepKind::Accept, 0, "").arrive("server", data).call(
        "server",
        StepKind::Receive,
        1024,
        "",
    );
}

/// The bundled scenario dead-client, shortened: two probes a minute apart.
pub(crate) fn dead_client() -> Vec<Event> {
    use TcpState::{Closed, Established};
    let mut script = Script::new(
        "dead-client",
        "The client disappears silently; the server's keepalive finds out",
        &["client", "server"],
    );
    handshake(&mut script);
    let reply = script.send(DOWN, "PSH+ACK", 1, 1025, 1024);
    script.call("server", StepKind::Send, 1024, "");
    script.at(80 * MS).arrive("client", reply).call("client", StepKind::Receive, 1024, "");
    let ack = script.send(UP, "ACK", 1025, 1025, 0);
    script.at(100 * MS).arrive("server", ack);
    script.at(1000 * MS).fault("client", 1, FaultKind::PowerLoss, 0);
    let last = 100 * MS;
    for (probes, minutes) in [(1, 120), (2, 121)] {
        let now = last + Duration::from_secs(minutes * 60);
        script.at(now);
        let probe = script.send_for(DOWN, "ACK", (1024, 1025, 0), TcpPurpose::KeepaliveProbe);
        script.keepalive("server", KeepaliveVerdict::Probing, probes, now - last);
        script.at(now + 20 * MS).lose("client", probe, LossReason::HostDown);
    }
    let silence = Duration::from_secs(122 * 60);
    script.at(last + silence);
    script.keepalive("server", KeepaliveVerdict::Dead, 2, silence);
    script.error("server", "ETIMEDOUT");
    let cause = gave_up(TcpTimer::Keepalive);
    script.state("server", Established, Closed, cause).call("server", StepKind::Receive, 0, "ETIMEDOUT");
    script.expectation(ExpectationResult {
        expectation: expectation_reference(1, 33),
        passed: true,
        text: "server: error ETIMEDOUT".into(),
        ..ExpectationResult::default()
    });
    script.finish(Verdict::Passed, &[])
}

/// Every bundled run: its name, the scenario's text, and what happened.
pub(crate) fn bundled_runs() -> Vec<(String, String, Vec<Event>)> {
    let whole = |run: RunRecord| (run.name, run.source.unwrap().to_string(), run.events);
    runs::bundled().into_iter().map(whole).collect()
}
