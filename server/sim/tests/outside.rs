//! Somebody outside plays hosts, step by step: the same happens as in the scenario that says the same.

mod common;
#[path = "outside/player.rs"]
mod player;

use std::sync::Arc;
use std::time::Duration;

use common::{fault, kill};
use halfopen_scenario::{
    Base, Effect, Forgery, HostId as ScenarioHost, Match, Number, Scenario, SegmentAction, When, Which,
    library,
};
use halfopen_sim::{
    Budget, Call, Command, Condition, Discard, Outcome, Refusal, Reply, RunOptions, Simulation, SocketId,
    Stop,
};
use halfopen_tcp::{Errno, Flags, Instant, ListenOptions, SendFlags, SocketOptions, State};
use halfopen_trace::{EventKind, FaultId, HostId, MiddleboxId, Trace};
use proptest::prelude::*;

const CLIENT: HostId = HostId(0);
const SERVER: HostId = HostId(1);

/// Datagrams are kept whole.
const OPTIONS: RunOptions =
    RunOptions { seed: 1, snapshot_length: 65_535, budget: Budget::OWN, keeps_trace: true };

/// What happened, an event a line, but for what is about the text of the scenario or who plays its programs.
fn happened(trace: &Trace) -> Vec<String> {
    let line = |event: &halfopen_trace::Event| match &event.kind {
        EventKind::RunStarted(_)
        | EventKind::StepBlocked(_)
        | EventKind::ApplicationResult(_)
        | EventKind::CallReturned(_)
        | EventKind::FaultAdded(_)
        | EventKind::FaultLifted(_)
        | EventKind::ExpectationResult(_)
        | EventKind::RunFinished(_) => None,
        EventKind::ConnectionOpened(_) | EventKind::SocketOpened { .. } => {
            Some(format!("{:?} {:?} {:?} opened", event.time, event.host, event.connection))
        }
        _ => Some(format!("{event:?}")),
    };
    trace.iter().filter_map(|(_, event)| line(event)).collect()
}

/// Holds two runs against each other, up to the first event that is another one.
fn assert_same(name: &str, wanted: &Outcome, found: &Outcome) {
    let [wanted_events, found_events] = [wanted, found].map(|outcome| happened(&outcome.trace));
    let differ = wanted_events.iter().zip(&found_events).position(|(wanted, found)| wanted != found);
    let at = differ.unwrap_or(wanted_events.len().min(found_events.len()));
    let [wanted_event, found_event] = [&wanted_events, &found_events].map(|events| events.get(at));
    assert_eq!(wanted_event, found_event, "{name}, event {at}");
    assert_eq!(wanted.finished.final_states, found.finished.final_states, "{name}");
    assert_eq!(wanted.finished.totals.virtual_time, found.finished.totals.virtual_time, "{name}");
    assert_eq!(wanted.finished.totals.segments_lost, found.finished.totals.segments_lost, "{name}");
}

fn load(rest: &str) -> Scenario {
    let text =
        format!("scenario: test\nhosts: {{client: {{}}, server: {{}}}}\nnetwork: {{latency: 20ms}}\n{rest}");
    halfopen_scenario::load(&text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", &text, false)))
}

fn reference(scenario: &Scenario, options: &RunOptions) -> Outcome {
    halfopen_sim::run(&Arc::new(scenario.clone()), options, &mut Discard)
}

const SERVER_PROGRAM: &str =
    "server: [listen: 80, accept, receive: 5 B, send: {text: an answer}, receive: end, close]";
const CLIENT_PROGRAM: &str = "client: [connect: server:80, send: {text: hello}, receive: 9 B, wait: 1s, shutdown: write, receive: end, close]";

#[test]
fn hosts_that_are_played_from_outside_do_what_their_programs_do() {
    let faults = [
        ("nothing goes wrong", ""),
        ("the client's FIN is lost", "faults: [{drop: {from: client, flags: FIN}, nth: 1}]\n"),
        ("the server crashes", "faults: [{power-loss: server, at: 500ms}]\nuntil: 1000s\n"),
        ("the client crashes", "faults: [{power-loss: client, at: 500ms}]\nuntil: 10000s\n"),
        ("the client is killed", "faults: [{kill: client, at: 500ms}]\n"),
        ("the answer is late and the time to close comes", "faults: [{delay: {from: server}, by: 960ms}]\n"),
        ("both act at once", "faults: [{freeze: client, at: 30ms, resumes-after: 30ms}]\n"),
    ];
    for (name, faults) in faults {
        let scenario = load(&format!("applications:\n  {SERVER_PROGRAM}\n  {CLIENT_PROGRAM}\n{faults}"));
        let wanted = reference(&scenario, &OPTIONS);
        for outside in [&[CLIENT][..], &[SERVER], &[CLIENT, SERVER]] {
            let found = player::play(&scenario, outside, &OPTIONS);
            assert_same(&format!("{name}, outside: {outside:?}"), &wanted, &found);
        }
    }
}

#[test]
fn keepalive_finds_a_dead_client_that_was_played_from_outside() {
    let scenario = load(
        "applications:\n  server: [listen: 80, accept, set: {keepalive: {idle: 2h}}, {receive: 1 B, error: ETIMEDOUT}]\n  \
         client: [connect: server:80, hold]\nfaults: [{power-loss: client, at: 1s}]\n",
    );
    let wanted = reference(&scenario, &OPTIONS);
    assert!(wanted.finished.totals.virtual_time > Duration::from_secs(7200));
    for outside in [&[CLIENT][..], &[CLIENT, SERVER]] {
        assert_same("dead client", &wanted, &player::play(&scenario, outside, &OPTIONS));
    }
}

/// What the programs of a bundled scenario send is not what somebody outside sends, so no octets are compared.
#[test]
fn bundled_scenarios_are_the_same_when_all_their_programs_are_played_from_outside() {
    let options = RunOptions::default();
    let mut played = 0;
    for scenario in library::ALL.iter().flat_map(library::Bundled::scenarios) {
        if player::can_play(&scenario) {
            let outside: Vec<HostId> = scenario.programs.iter().map(|program| program.host.into()).collect();
            let found = player::play(&scenario, &outside, &options);
            assert_same(&scenario.name(), &reference(&scenario, &options), &found);
            played += 1;
        }
    }
    assert!(played >= 30, "only {played} were played");
}

/// A client that is played from outside, and a server that answers.
fn with_server(faults: &str) -> Scenario {
    load(&format!("applications:\n  {SERVER_PROGRAM}\n{faults}"))
}

fn start(scenario: &Scenario) -> Simulation {
    Simulation::new(&Arc::new(scenario.clone()), &OPTIONS)
}

fn milliseconds(time: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(time)
}

fn until(simulation: &mut Simulation, condition: Condition<'_>) -> (Stop, Instant) {
    let stop = simulation.step_until(None, &[condition], &mut Discard);
    (stop, simulation.now())
}

fn call(simulation: &mut Simulation, call: Call) -> Result<Reply, Refusal> {
    simulation.apply(Command::Call(call))
}

fn send(socket: SocketId, octets: Vec<u8>) -> Call {
    Call::Send { socket, octets: octets.into(), from: 0, flags: SendFlags::default() }
}

fn connect(simulation: &mut Simulation) -> SocketId {
    let to = "10.0.0.2:80".parse().expect("an address");
    match call(
        simulation,
        Call::Connect { host: CLIENT, to, from: None, local_port: None, options: SocketOptions::NONE },
    ) {
        Ok(Reply::Socket(socket)) => socket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_condition_is_noticed_at_the_instant_at_which_it_becomes_true() {
    let mut simulation = start(&with_server(""));
    let socket = connect(&mut simulation);
    assert_eq!(call(&mut simulation, Call::FinishConnect(socket)), Err(Errno::InProgress.into()));
    let arrives = |event: &halfopen_trace::Event| matches!(event.kind, EventKind::SegmentArrived { .. });
    let conditions = [
        (Condition::Event(&arrives), 20),
        (Condition::State(SERVER, State::SynReceived), 20),
        (Condition::Clock(CLIENT, milliseconds(30)), 30),
        (Condition::Writable(socket), 40),
        (Condition::State(CLIENT, State::Established), 40),
    ];
    for (condition, time) in conditions {
        assert_eq!(until(&mut simulation, condition), (Stop::Condition(0), milliseconds(time)));
    }
    assert_eq!(call(&mut simulation, Call::FinishConnect(socket)), Ok(Reply::Done));
    assert_eq!(call(&mut simulation, send(socket, b"hello".to_vec())), Ok(Reply::Sent(5)));
    let receive = Call::Receive { socket, max_len: 100 };
    assert_eq!(call(&mut simulation, receive.clone()), Err(Errno::Again.into()));
    assert_eq!(until(&mut simulation, Condition::Readable(socket)), (Stop::Condition(0), milliseconds(80)));
    assert_eq!(call(&mut simulation, receive), Ok(Reply::Received(b"an answer".to_vec())));
    assert!(simulation.readiness(socket).is_some_and(|readiness| !readiness.readable && readiness.writable));
}

#[test]
fn who_waits_for_nothing_learns_that_nothing_can_happen_any_more() {
    let mut simulation = start(&with_server(""));
    let socket = connect(&mut simulation);
    let hour = Instant::ZERO + Duration::from_secs(3600);
    let stop = simulation.step_until(None, &[Condition::Readable(socket)], &mut Discard);
    assert_eq!((stop, simulation.now()), (Stop::Idle, milliseconds(60)), "the last ACK has arrived");
    let stop = simulation.step_until(Some(hour), &[Condition::Readable(socket)], &mut Discard);
    assert_eq!((stop, simulation.now()), (Stop::Time, hour), "but who asks for a time gets there");
    assert_eq!(call(&mut simulation, Call::Abort(socket)), Ok(Reply::Done));
    assert_eq!(simulation.step_until(None, &[], &mut Discard), Stop::Idle);
}

#[test]
fn the_end_of_the_scenario_and_its_limits_end_a_simulation() {
    let cases = [
        ("until: 5s\n", Stop::End, 5),
        (
            "limits: {virtual-time: 7s}\n",
            Stop::Limit(halfopen_trace::Limit::VirtualTime(Duration::from_secs(7))),
            7,
        ),
    ];
    for (text, stop, second) in cases {
        let mut simulation = start(&with_server(text));
        let day = Instant::ZERO + Duration::from_secs(86_400);
        assert_eq!(simulation.step_until(Some(day), &[], &mut Discard), stop);
        assert_eq!(simulation.now(), milliseconds(second * 1000));
        assert_eq!(simulation.step_until(Some(day), &[], &mut Discard), stop, "and again");
        let listen = Call::Listen { host: CLIENT, port: 80, options: ListenOptions::new(1) };
        assert_eq!(call(&mut simulation, listen), Err(Refusal::Over));
    }
}

#[test]
fn where_a_run_is_stopped_in_between_does_not_matter() {
    let never = |_: &halfopen_trace::Event| false;
    // Round by round, and host by host.
    let kinds: [&[Condition<'_>]; 2] = [&[], &[Condition::Event(&never)]];
    let all = library::ALL.iter().flat_map(library::Bundled::scenarios);
    // Its calls are made where a run stops for them.
    for scenario in all.filter(|scenario| scenario.calls.list.is_empty()) {
        let wanted = reference(&scenario, &OPTIONS);
        let mut simulation = Simulation::new(&Arc::new(scenario.clone()), &OPTIONS);
        let last = Instant::ZERO + wanted.finished.totals.virtual_time;
        let mut time = milliseconds(1);
        for conditions in kinds.iter().cycle() {
            if time >= last {
                break;
            }
            assert_eq!(simulation.step_until(Some(time), conditions, &mut Discard), Stop::Time);
            time += Duration::from_millis(5) + time.as_duration() / 50;
        }
        simulation.step_until(None, kinds[1], &mut Discard);
        let found = simulation.finish(&mut Discard);
        assert!(common::text(&wanted) == common::text(&found), "{}", scenario.name());
    }
}

#[test]
fn a_fault_that_is_added_does_what_it_does_in_the_scenario_at_that_time() {
    let faults = [
        "power-loss: server",
        "kill: server",
        "reboot: server, back-after: 100ms",
        "freeze: server, resumes-after: 1s",
        "partition: [client, server], heals-after: 300ms",
        "cable-pull: client, replug-after: 1s",
        "drop: {from: client}, nth: 2",
        "delay: {from: server}, by: 10ms, every: 2",
        "drop: {to: client}, probability: 50%",
        "inject: {from: server, to: client, flags: RST, sequence: rcv.nxt}",
    ];
    let programs = format!("applications:\n  {SERVER_PROGRAM}\n  {CLIENT_PROGRAM}\nuntil: 100s\n");
    let plain = load(&programs);
    for text in faults {
        // At 40, 60 and 80 ms something else happens, too.
        for time in [0, 40, 50, 60, 80, 1080] {
            let scenario =
                load(&format!("{programs}faults: [{{{text}, at: {time}ms, may-not-happen: on}}]\n"));
            let mut fault = scenario.faults[0].clone();
            fault.when = When::Always;
            let mut simulation = start(&plain);
            assert_eq!(simulation.step_until(Some(milliseconds(time)), &[], &mut Discard), Stop::Time);
            let added = simulation.apply(Command::AddFault(Box::new(fault)));
            assert_eq!(added, Ok(Reply::Fault(FaultId(0))));
            simulation.step_until(None, &[], &mut Discard);
            let name = format!("{text} at {time} ms");
            assert_same(&name, &reference(&scenario, &OPTIONS), &simulation.finish(&mut Discard));
        }
    }
}

#[test]
fn a_fault_that_is_added_and_waits_for_a_state_knows_since_when_that_lasts() {
    let when = "{kill: server, when: {server: CLOSE-WAIT}, for: 1s}";
    let programs =
        "applications:\n  server: [listen: 80, accept, hold]\n  client: [connect: server:80, close]\n";
    let scenario = load(&format!("{programs}faults: [{when}]\n"));
    let mut simulation = start(&load(programs));
    // In CLOSE-WAIT since 60 ms.
    simulation.step_until(Some(milliseconds(700)), &[], &mut Discard);
    simulation.apply(Command::AddFault(Box::new(scenario.faults[0].clone()))).expect("it is fine");
    simulation.step_until(None, &[], &mut Discard);
    assert_same(when, &reference(&scenario, &OPTIONS), &simulation.finish(&mut Discard));
}

#[test]
fn a_fault_that_is_added_and_never_applied_is_a_problem() {
    let mut simulation = start(&with_server("faults: [{kill: client, at: 1s}]\n"));
    let never = fault(kill(ScenarioHost(1)), 3600 * 24 * 365);
    assert_eq!(simulation.apply(Command::AddFault(Box::new(never))), Ok(Reply::Fault(FaultId(1))));
    simulation.step_until(Some(milliseconds(2000)), &[], &mut Discard);
    let problems = simulation.finish(&mut Discard).finished.problems;
    assert!(problems.contains(&halfopen_trace::Problem::FaultNotApplied(FaultId(1))), "{problems:?}");
    assert!(!problems.contains(&halfopen_trace::Problem::FaultNotApplied(FaultId(0))), "{problems:?}");
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let scenario = with_server("");
    let play = |with_mistakes: bool| {
        let mut simulation = start(&scenario);
        let refuse = |simulation: &mut Simulation, command: Command, refusal: Refusal| {
            if with_mistakes {
                assert_eq!(simulation.apply(command.clone()), Err(refusal), "{command:?}");
            }
        };
        let socket = connect(&mut simulation);
        let unknown = SocketId { number: 7, ..socket };
        let nowhere = HostId(7);
        let calls = [
            (
                Call::Listen { host: nowhere, port: 80, options: ListenOptions::new(1) },
                Refusal::UnknownHost(nowhere),
            ),
            (
                Call::Listen { host: CLIENT, port: 0, options: ListenOptions::new(1) },
                Refusal::Invalid("a port is 1 to 65535"),
            ),
            (
                Call::Listen { host: SERVER, port: 81, options: ListenOptions::new(1) },
                Refusal::HasPrograms(SERVER),
            ),
            (Call::Close(SocketId { host: nowhere, number: 1 }), Refusal::UnknownHost(nowhere)),
            (send(unknown, vec![0]), Refusal::UnknownSocket(unknown)),
            (Call::Receive { socket: unknown, max_len: 1 }, Refusal::UnknownSocket(unknown)),
            (Call::Accept(socket), Refusal::NotListening(socket)),
            (Call::ShutdownWrite(socket), Errno::NotConnected.into()),
        ];
        for (call, refusal) in calls {
            refuse(&mut simulation, Command::Call(call), refusal);
        }
        let program = halfopen_scenario::ConnectionRef {
            program: 3,
            connection: halfopen_scenario::Slot(0),
            nth: None,
        };
        let drops = |matching: Match, action: SegmentAction| Effect::Segment {
            matching,
            skip: 0,
            which: Which::All,
            action,
        };
        let of_program = Match { connections: vec![program], ..Match::default() };
        let box_3 = halfopen_scenario::MiddleboxId(3);
        let huge = Forgery {
            from: ScenarioHost(0),
            to: ScenarioHost(1),
            connection: None,
            port: None,
            flags: Flags::RST,
            sequence: Number { base: Base::Initial, plus: 0 },
            acknowledgment: None,
            window: None,
            payload: Some(halfopen_scenario::Payload::Octets(1401)),
            is_unchecked: false,
            options: halfopen_scenario::ForgedOptions::default(),
        };
        let of_host_with_tcp = Forgery { port: Some(80), payload: None, ..huge.clone() };
        let faults = [
            (
                Effect::Inject(Box::new(of_host_with_tcp)),
                Refusal::Invalid("only a SYN of a host without a TCP asks for a connection to a port"),
            ),
            (kill(ScenarioHost(7)), Refusal::UnknownHost(nowhere)),
            (drops(of_program, SegmentAction::Drop), Refusal::UnknownConnection(program)),
            (
                drops(Match::default(), SegmentAction::Corrupt { bits: 0, field: None }),
                Refusal::Invalid("the number of bits is 1 to 15"),
            ),
            (
                Effect::Segment {
                    matching: Match::default(),
                    skip: 0,
                    which: Which::Every(0),
                    action: SegmentAction::Drop,
                },
                Refusal::Invalid("matches are counted from 1"),
            ),
            (Effect::Inject(Box::new(huge)), Refusal::Invalid("a forged segment has at most 1400 octets")),
            (
                Effect::Middlebox { middlebox: box_3, fault: halfopen_scenario::MiddleboxFault::Forget },
                Refusal::UnknownMiddlebox(MiddleboxId(3)),
            ),
        ];
        for (effect, refusal) in faults {
            refuse(&mut simulation, Command::AddFault(Box::new(fault(effect, 0))), refusal);
        }
        simulation.step_until(None, &[], &mut Discard);
        assert_eq!(call(&mut simulation, Call::Close(socket)), Ok(Reply::Done));
        refuse(&mut simulation, Command::Call(Call::Close(socket)), Refusal::UnknownSocket(socket));
        simulation.step_until(None, &[], &mut Discard);
        simulation.finish(&mut Discard)
    };
    assert_eq!(common::text(&play(false)), common::text(&play(true)));
}

#[test]
fn a_host_that_does_nothing_refuses_calls_and_has_new_sockets_when_it_is_back() {
    let cases = [
        ("freeze: client", Refusal::HostFrozen(CLIENT)),
        ("pause: client", Refusal::HostPaused(CLIENT)),
        ("kill: client", Refusal::ProcessKilled(CLIENT)),
        ("power-loss: client", Refusal::HostDown(CLIENT)),
    ];
    for (text, refusal) in cases {
        let mut simulation = start(&with_server(&format!("faults: [{{{text}, at: 1s}}]\n")));
        let socket = connect(&mut simulation);
        simulation.step_until(Some(milliseconds(1001)), &[], &mut Discard);
        let listen = Call::Listen { host: CLIENT, port: 80, options: ListenOptions::new(1) };
        assert_eq!(call(&mut simulation, listen), Err(refusal), "{text}");
        let gone = matches!(refusal, Refusal::ProcessKilled(_) | Refusal::HostDown(_));
        assert_eq!(simulation.readiness(socket).is_none(), gone, "{text}");
    }

    let mut simulation = start(&with_server("faults: [{reboot: client, at: 1s, back-after: 1s}]\n"));
    let before = connect(&mut simulation);
    simulation.step_until(Some(milliseconds(2000)), &[], &mut Discard);
    let after = connect(&mut simulation);
    assert_ne!(before, after);
    assert_eq!(call(&mut simulation, Call::Close(before)), Err(Refusal::UnknownSocket(before)));
    assert_eq!(call(&mut simulation, Call::Close(after)), Ok(Reply::Done));
}

#[test]
fn a_sink_that_is_flushed_has_every_event_once() {
    struct Numbers(Vec<u64>);
    impl halfopen_sim::Sink for Numbers {
        fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<halfopen_trace::Event>>) {
            self.0.extend((first_sequence..).take(events.len()));
        }
    }
    let mut simulation = start(&with_server(""));
    let mut numbers = Numbers(Vec::new());
    let socket = connect(&mut simulation);
    simulation.flush(&mut numbers);
    assert!(numbers.0.len() > 3);
    simulation.flush(&mut numbers);
    simulation.step_until(None, &[Condition::Writable(socket)], &mut numbers);
    let outcome = simulation.finish(&mut numbers);
    assert_eq!(numbers.0, (1..=outcome.finished.totals.events).collect::<Vec<_>>());
}

/// Something that somebody outside can do: what, to which socket, and with which number.
type Choice = (u8, usize, u32);

/// The command of a choice, if it is one; otherwise time goes on.
fn command(choice: Choice, sockets: &[SocketId], faults: &[halfopen_scenario::Fault]) -> Option<Command> {
    let (kind, which, number) = choice;
    let host = HostId(u16::from(kind % 3));
    let unknown = SocketId { host, number: 1000 };
    let socket = sockets.get(which % (sockets.len() + 1)).copied().unwrap_or(unknown);
    let port = 80 + (number % 3) as u16;
    let keepalive = halfopen_tcp::KeepaliveSettings {
        idle: Duration::from_millis(u64::from(number % 5)),
        interval: Duration::from_millis(u64::from(number % 7)),
        probes: number % 4,
    };
    let options = SocketOptions {
        keepalive: Some(Some(keepalive)),
        linger: Some(Some(Duration::from_millis(u64::from(number % 2)))),
        send_buffer: Some(number),
        receive_buffer: Some(number / 3),
        ..Default::default()
    };
    let call = match kind {
        0 | 1 => Call::Listen { host, port, options: ListenOptions::new(number % 3) },
        2..=4 => {
            let to = std::net::SocketAddr::from(([10, 0, 0, 1 + (number % 3) as u8], port));
            let from = number.is_multiple_of(7).then(|| [10, 0, 0, 1 + (number % 2) as u8].into());
            let local_port = number.is_multiple_of(5).then_some(number as u16);
            let mss = number.is_multiple_of(11).then_some((number % 2000) as u16);
            Call::Connect {
                host,
                to,
                from,
                local_port,
                options: SocketOptions { mss, ..SocketOptions::NONE },
            }
        }
        5 => Call::FinishConnect(socket),
        6..=8 => Call::Accept(socket),
        9..=11 => send(socket, vec![b'x'; number as usize % 100_000]),
        12..=14 => Call::Receive { socket, max_len: number as usize },
        15 => Call::ShutdownWrite(socket),
        16 => Call::ShutdownRead(socket),
        17 => Call::Close(socket),
        18 => Call::Abort(socket),
        19 => Call::SetOptions(socket, options),
        20 => Call::Status(socket),
        21 => return Some(Command::AddFault(Box::new(faults[number as usize % faults.len()].clone()))),
        _ => return None,
    };
    Some(Command::Call(call))
}

/// Does one thing after the other on two hosts without programs.
fn do_all(choices: &[Choice]) -> Outcome {
    let faults = load(
        "applications: {client: [hold]}\nfaults: [{kill: client, at: 0s}, {reboot: server, back-after: 30ms, at: 0s}, {power-loss: server, at: 1s}, {partition: \
         [client, server], at: 0s, heals-after: 1s}, {drop: {from: client}, every: 3}, {duplicate: {from: server}, nth: 2}, \
         {freeze: server, at: 0s, resumes-after: 50ms}, {pause: client, at: 0s, resumes-after: 20ms}, {inject: {flags: RST, \
         from: client, sequence: rcv.nxt}, at: 0s}, {clock-jump: client, by: 1h, at: 0s}]\n",
    )
    .faults;
    let mut scenario = load("applications: {client: [hold]}\nlimits: {events: 20000}\n");
    scenario.programs.clear();
    let mut simulation = start(&scenario);
    let mut sockets = Vec::new();
    for choice in choices {
        let (_, which, number) = *choice;
        if let Some(command) = command(*choice, &sockets, &faults) {
            if let Ok(Reply::Socket(socket)) = simulation.apply(command) {
                sockets.push(socket);
            }
            continue;
        }
        let time = simulation.now() + Duration::from_millis(u64::from(number % 1000));
        let conditions = match sockets.get(which % (sockets.len() + 1)) {
            Some(socket) if number % 2 == 0 => vec![Condition::Readable(*socket)],
            Some(socket) => vec![Condition::Writable(*socket), Condition::Clock(socket.host, time)],
            None => Vec::new(),
        };
        simulation.step_until(Some(time), &conditions, &mut Discard);
    }
    simulation.step_until(None, &[], &mut Discard);
    simulation.finish(&mut Discard)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_somebody_outside_does_is_done_or_refused_and_the_same_again(
        choices in proptest::collection::vec((0_u8..30, 0_usize..20, any::<u32>()), 1..60),
    ) {
        prop_assert_eq!(common::text(&do_all(&choices)), common::text(&do_all(&choices)));
    }
}
