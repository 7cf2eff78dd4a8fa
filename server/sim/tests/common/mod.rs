//! Scenarios written in Rust.

// Each test crate uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::{
    Action, Amount, Calls, Effect, Failure, Fault, Host, HostId, Keepalive, Limits, Link, Location, Network,
    Payload, Program, Scenario, Slot, Step, TcpSettings, When,
};
use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_tcp::{Errno, Flags, Profile, SendFlags, SocketOptions};
use halfopen_trace::{
    self as trace, EventKind, ExpectationResult, FaultApplied, Phase, Problem, StepId, Trace, Verdict,
};

pub const CLIENT: HostId = HostId(0);
pub const SERVER: HostId = HostId(1);
/// Positions of the programs.
pub const SERVER_PROGRAM: usize = 0;
pub const CLIENT_PROGRAM: usize = 1;
pub const CONNECTION: Slot = Slot(0);
pub const PORT: u16 = 80;
pub const LATENCY: Duration = Duration::from_millis(20);

/// A client and a server at 20 ms.
pub fn scenario(client: Vec<Action>, server: Vec<Action>) -> Scenario {
    Scenario {
        id: "test".to_owned(),
        variant: None,
        title: String::new(),
        source: String::new(),
        description: String::new(),
        hosts: vec![host("client", 1), host("server", 2)],
        network: Network { link: Link { latency: LATENCY, ..Link::default() }, ..Network::default() },
        calls: Calls::default(),
        programs: vec![program("server", SERVER, server), program("client", CLIENT, client)],
        faults: Vec::new(),
        expectations: Vec::new(),
        until: None,
        limits: Limits::default(),
    }
}

fn host(name: &str, number: u8) -> Host {
    Host {
        routes: Vec::new(),
        name: name.to_owned(),
        profile: Profile::Linux,
        tcp: TcpSettings::default(),
        is_scripted: false,
        addresses: vec![IpAddr::from([10, 0, 0, number])],
        location: Location::default(),
    }
}

/// A step that must be done.
pub fn step(action: Action) -> Step {
    let text = action.name().to_owned();
    Step {
        action,
        failure: Failure::EndsProgram,
        timeout: None,
        may_not_happen: false,
        location: Location::default(),
        text,
    }
}

fn program(name: &str, host: HostId, actions: Vec<Action>) -> Program {
    Program {
        name: name.to_owned(),
        host,
        connections: vec![None],
        shared: Vec::new(),
        steps: actions.into_iter().map(step).collect(),
    }
}

pub fn listen() -> Action {
    Action::Listen { port: PORT, backlog: 128, reuse_address: true, options: SocketOptions::NONE }
}

pub fn accept() -> Action {
    Action::Accept { port: PORT, connection: CONNECTION }
}

pub fn connect() -> Action {
    let to = (IpAddr::from([10, 0, 0, 2]), PORT).into();
    Action::Connect { to, from: None, local_port: None, options: SocketOptions::NONE, connection: CONNECTION }
}

pub fn send(octets: u64) -> Action {
    let payload = Payload::Octets(octets);
    Action::Send {
        connection: CONNECTION,
        payload,
        times: 1,
        every: Duration::ZERO,
        flags: SendFlags::default(),
    }
}

pub fn receive(octets: u64) -> Action {
    Action::Receive { connection: CONNECTION, amount: Amount::Octets(octets) }
}

pub fn receive_end() -> Action {
    Action::Receive { connection: CONNECTION, amount: Amount::End }
}

pub fn close() -> Action {
    Action::Close { connection: CONNECTION }
}

/// Handshake, a request and an answer of 1 KiB each, four-way close.
pub fn session() -> Scenario {
    scenario(
        vec![connect(), send(1024), receive(1024), close()],
        vec![listen(), accept(), receive(1024), send(1024), receive_end(), close()],
    )
}

/// The client loses its power a second after the start; the server's keepalive finds out.
pub fn dead_client() -> Scenario {
    let mut scenario = scenario(
        vec![connect(), send(1024), receive(1024), Action::Hold],
        vec![listen(), accept(), receive(1024), send(1024), receive_end()],
    );
    let keepalive = Keepalive::On { idle: None, interval: None, probes: Some(10) };
    scenario.hosts[SERVER.0].tcp.keepalive = Some(keepalive);
    // How it is to end, the tests look at.
    scenario.programs[SERVER_PROGRAM].steps[4].failure = Failure::May;
    scenario.faults.push(fault(Effect::PowerLoss(CLIENT), 1));
    scenario
}

/// Every process of a host dies, for good.
pub fn kill(host: HostId) -> Effect {
    Effect::Kill { host, program: None, restarts_after: None }
}

/// A fault at a second of the run.
pub fn fault(effect: Effect, second: u64) -> Fault {
    Fault {
        text: effect.name().to_owned(),
        effect,
        when: When::At(Duration::from_secs(second)),
        may_not_happen: false,
        location: Location::default(),
    }
}

pub fn run(scenario: &Scenario) -> Outcome {
    halfopen_sim::run(&Arc::new(scenario.clone()), &RunOptions::default(), &mut Discard)
}

/// The trace as text, a line an event: everything that there is.
pub fn text(outcome: &Outcome) -> String {
    outcome.trace.iter().map(|(sequence, event)| format!("{sequence} {event:?}\n")).collect()
}

/// What went over the wire: `0.020 client SYN 0:0 len 0`, with what became of it if it was lost.
pub fn wire(outcome: &Outcome) -> Vec<String> {
    let line = |event: &trace::Event| match &event.kind {
        EventKind::SegmentSent(sent) => {
            let host = if event.host == Some(CLIENT.into()) { "client" } else { "server" };
            let (seq, ack) = (sent.relative_seq, sent.relative_ack);
            let time = event.time.as_duration().as_secs_f64();
            let flags = sent.header.flags.without(Flags::PSH);
            Some(format!("{time:.3} {host} {flags} {seq}:{ack} len {}", sent.header.payload))
        }
        EventKind::SegmentLost { reason, .. } => Some(format!("lost: {reason:?}")),
        _ => None,
    };
    outcome.trace.iter().filter_map(|(_, event)| line(event)).collect()
}

/// So many octets one way.
pub fn bulk(octets: u64) -> Scenario {
    scenario(vec![connect(), send(octets), close()], vec![listen(), accept(), receive_end(), close()])
}

/// Keepalive of Linux.
pub const KEEPALIVE: Keepalive = Keepalive::On { idle: None, interval: None, probes: None };

/// Runs what stands between the hosts and the end of a scenario: client and server at 20 ms.
pub fn play(rest: &str) -> Outcome {
    let head = "scenario: test\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20ms}\n";
    run_text(&format!("{head}{rest}"))
}

/// Runs a scenario.
pub fn run_text(text: &str) -> Outcome {
    let scenario = halfopen_scenario::load(text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", text, false)));
    halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard)
}

/// The expectations that did not hold.
pub fn broken(outcome: &Outcome) -> Vec<&ExpectationResult> {
    let results = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::ExpectationResult(result) => Some(result.as_ref()),
        _ => None,
    });
    results.filter(|result| !result.passed).collect()
}

/// The run passed.
#[track_caller]
pub fn passes(outcome: &Outcome) {
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?} {:?}", problems(outcome), broken(outcome));
}

/// How the steps of a program ended: `0.540 receive 100`, `1.000 send: EPIPE`.
pub fn results(outcome: &Outcome, program: &str) -> Vec<String> {
    let scenario = scenario_of(&outcome.trace);
    let line = |time: Duration, kind: &EventKind| {
        let EventKind::ApplicationResult(result) = kind else { return None };
        let octets = if result.octets > 0 { format!(" {}", result.octets) } else { String::new() };
        let end = if result.end_of_stream { " end" } else { "" };
        let error = result.error.map(|errno| format!(": {errno}")).unwrap_or_default();
        let (time, call) = (time.as_secs_f64(), call(scenario, result.step));
        let owner = &scenario.programs[result.step.program as usize].name;
        (owner == program).then(|| format!("{time:.3} {call}{octets}{end}{error}"))
    };
    outcome.trace.iter().filter_map(|(_, event)| line(event.time.as_duration(), &event.kind)).collect()
}

/// What was run.
pub fn scenario_of(trace: &Trace) -> &Scenario {
    match trace.get(1).map(|event| &event.kind) {
        Some(EventKind::RunStarted(started)) => &started.scenario,
        other => panic!("a trace does not begin with {other:?}"),
    }
}

/// The word for what a step does.
pub fn call(scenario: &Scenario, step: StepId) -> &'static str {
    scenario.programs[step.program as usize].steps[step.step as usize].action.name()
}

/// The faults that were applied, in order: their positions from 1, and `drop` or `end`.
pub fn applied(outcome: &Outcome) -> Vec<(u32, &'static str, Duration)> {
    let scenario = scenario_of(&outcome.trace);
    let applied = outcome.trace.iter().filter_map(|(_, event)| match event.kind {
        EventKind::FaultApplied(applied) => {
            Some((applied.fault.0 + 1, fault_in_words(scenario, applied), event.time.as_duration()))
        }
        _ => None,
    });
    applied.collect()
}

/// `drop`; `end` for whatever ends.
pub fn fault_in_words(scenario: &Scenario, applied: FaultApplied) -> &'static str {
    match applied.phase {
        Phase::Begin => scenario.faults[applied.fault.index()].effect.name(),
        Phase::End => "end",
    }
}

/// Why the run is not passed, each problem on a line: `step 3 of client: ETIMEDOUT`, `fault 1 never happened`.
pub fn problems(outcome: &Outcome) -> Vec<String> {
    let scenario = scenario_of(&outcome.trace);
    outcome.finished.problems.iter().map(|problem| problem_in_words(scenario, *problem)).collect()
}

fn problem_in_words(scenario: &Scenario, problem: Problem) -> String {
    let step =
        |step: StepId| format!("step {} of {}", step.step + 1, scenario.programs[step.program as usize].name);
    let how = |error: Option<Errno>, failed| match error {
        Some(errno) => errno.to_string(),
        None if failed => "end of stream".to_owned(),
        None => "went well".to_owned(),
    };
    match problem {
        Problem::DataMistaken { connection, offset } => {
            format!("connection {}: octet {offset}", connection.0)
        }
        Problem::StepEndedOtherwise { step: id, expected, error, failed } => {
            let expected: Vec<&str> = expected.iter().map(Errno::name).collect();
            format!("{}: {}, not {}", step(id), how(error, failed), expected.join(" or "))
        }
        Problem::StepFailed { step: id, error } => format!("{}: {}", step(id), how(error, true)),
        Problem::FaultNotApplied(fault) => format!("fault {} never happened", fault.0 + 1),
        Problem::StepsNotDone { first, begun: true, more } => {
            format!("{} did not end, nor {more} after it", step(first))
        }
        Problem::StepsNotDone { first, begun: false, more } => {
            format!("{} was never reached, nor {more} after it", step(first))
        }
        Problem::LimitReached(limit) => format!("{limit:?}"),
        Problem::Stopped => "stopped".to_owned(),
    }
}
