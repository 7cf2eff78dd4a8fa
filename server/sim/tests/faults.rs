//! What goes wrong, and what a run makes of it.

mod common;

use std::time::Duration;

use common::*;
use halfopen_scenario::{
    Action, Cut, Effect, Fault, FlagsMatch, Match, PayloadMatch, Scenario, SegmentAction, SizeMatch, Slot,
    When, Which,
};
use halfopen_sim::Outcome;
use halfopen_tcp::{DropReason, Flags, State};
use halfopen_trace::{EventKind, Verdict};

fn with(mut scenario: Scenario, faults: impl IntoIterator<Item = Fault>) -> Scenario {
    scenario.faults.extend(faults);
    scenario
}

/// A fault on the first segment from the client that matches.
fn on_first(matching: &Match, action: SegmentAction) -> Fault {
    let matching = Match { from: Some(CLIENT), ..matching.clone() };
    Fault {
        when: When::Always,
        ..fault(Effect::Segment { matching, skip: 0, which: Which::First(1), action }, 0)
    }
}

fn flags(flags: Flags) -> Match {
    Match { flags: Some(FlagsMatch::AtLeast(flags)), ..Match::default() }
}

fn data() -> Match {
    Match { payload: Some(PayloadMatch::Any), ..Match::default() }
}

fn passed(scenario: &Scenario) -> Outcome {
    let outcome = run(scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished.problems);
    outcome
}

fn applied(outcome: &Outcome) -> Vec<(u32, &'static str, u64)> {
    let millis =
        |(fault, action, time): (u32, &'static str, Duration)| (fault, action, time.as_millis() as u64);
    common::applied(outcome).into_iter().map(millis).collect()
}

fn states(outcome: &Outcome) -> Vec<(usize, State)> {
    outcome.finished.final_states.iter().map(|end| (end.host.index(), end.state)).collect()
}

#[test]
fn a_dropped_segment_is_sent_again() {
    let outcome = passed(&with(session(), [on_first(&flags(Flags::SYN), SegmentAction::Drop)]));
    let expected = [
        "0.000 client SYN 0:0 len 0",
        "lost: Fault(FaultId(0))",
        "1.000 client SYN 0:0 len 0",
        "1.020 server SYN+ACK 0:1 len 0",
    ];
    assert_eq!(wire(&outcome)[..4], expected);
    assert_eq!(applied(&outcome), [(1, "drop", 0)]);
    assert_eq!(outcome.finished.totals.segments_lost, 1);
    assert_eq!(outcome.finished.totals.retransmissions, 1);
}

#[test]
fn a_delayed_segment_is_overtaken() {
    let by = Duration::from_millis(35);
    let ack =
        Match { flags: Some(FlagsMatch::Only(Flags::ACK)), payload: Some(PayloadMatch::None), ..data() };
    let outcome = passed(&with(session(), [on_first(&ack, SegmentAction::Delay { by })]));
    assert_eq!(applied(&outcome), [(1, "delay", 40)]);
    let arrivals: Vec<(u64, u64)> = outcome
        .trace
        .iter()
        .filter_map(|(_, event)| match event.kind {
            EventKind::SegmentArrived { segment, .. } => {
                Some((segment.0.get(), event.time.as_duration().as_millis() as u64))
            }
            _ => None,
        })
        .collect();
    assert_eq!(arrivals[2], (4, 60), "the data comes first");
    assert!(arrivals.contains(&(3, 95)));
}

#[test]
fn a_duplicate_arrives_under_the_same_number_and_is_not_used_twice() {
    let spacing = Duration::from_millis(1);
    let action = SegmentAction::Duplicate { copies: 2, spacing };
    let outcome = passed(&with(session(), [on_first(&data(), action)]));
    let arrivals: Vec<_> = outcome
        .trace
        .iter()
        .filter_map(|(_, event)| match event.kind {
            EventKind::SegmentArrived { segment, dropped, .. } if segment.0.get() == 4 => {
                Some((event.time.as_duration().as_millis() as u64, dropped))
            }
            _ => None,
        })
        .collect();
    let again = Some(DropReason::Duplicate);
    assert_eq!(arrivals, [(60, None), (61, again), (62, again)]);
}

#[test]
fn a_rebooted_client_answers_the_servers_question_with_a_reset() {
    let mut scenario = dead_client();
    let back_after = Duration::from_secs(30);
    scenario.faults = vec![fault(Effect::Reboot { host: CLIENT, back_after }, 1)];
    let outcome = passed(&scenario);
    let wire = wire(&outcome);
    let end = ["7200.100 server ACK 1024:1025 len 0", "7200.120 client RST 1025:0 len 0"];
    assert_eq!(wire[wire.len() - 2..], end);
    assert_eq!(applied(&outcome), [(1, "reboot", 1000), (1, "end", 31_000)]);
}

/// A client that connects twice: at once, and ten seconds later.
fn twice() -> Scenario {
    let mut scenario = scenario(
        vec![connect(), Action::Wait(Duration::from_secs(10)), close(), connect(), send(10), close()],
        vec![listen(), accept(), receive_end(), close(), accept(), receive_end(), close()],
    );
    for program in &mut scenario.programs {
        program.connections.push(None);
        let mut opened = 0;
        for step in &mut program.steps {
            match &mut step.action {
                Action::Connect { connection, .. } | Action::Accept { connection, .. } => {
                    *connection = Slot(opened);
                    opened += 1;
                }
                Action::Send { connection, .. }
                | Action::Receive { connection, .. }
                | Action::Close { connection } => *connection = Slot(opened - 1),
                _ => {}
            }
        }
    }
    scenario
}

#[test]
fn a_service_comes_back_with_its_host_and_numbers_from_anew() {
    let back_after = Duration::from_secs(1);
    let mut scenario = with(twice(), [fault(Effect::Reboot { host: SERVER, back_after }, 5)]);
    for step in &mut scenario.programs[SERVER_PROGRAM].steps {
        step.may_not_happen = true;
    }
    let outcome = passed(&scenario);
    let initial: Vec<u32> = outcome
        .trace
        .iter()
        .filter_map(|(_, event)| match &event.kind {
            EventKind::SegmentSent(sent) if sent.header.flags == Flags::SYN | Flags::ACK => {
                Some(sent.header.seq.0)
            }
            _ => None,
        })
        .collect();
    assert_eq!(initial.len(), 2, "both connections were accepted");
    assert_ne!(initial[0], initial[1]);
    let connections: std::collections::BTreeSet<_> =
        outcome.trace.iter().filter_map(|(_, event)| event.connection).collect();
    assert_eq!(connections.len(), 2);
}

#[test]
fn a_killed_application_is_closed_by_its_kernel() {
    let mut scenario = session();
    scenario.programs[CLIENT_PROGRAM].steps.insert(3, step(Action::Hold));
    scenario.programs[CLIENT_PROGRAM].steps.truncate(4);
    let outcome = passed(&with(scenario, [fault(kill(CLIENT), 5)]));
    assert!(wire(&outcome).contains(&"5.000 client FIN+ACK 1025:1025 len 0".to_owned()));
    assert_eq!(states(&outcome), [(0, State::Closed), (1, State::Closed)]);
}

#[test]
fn a_partition_loses_what_is_under_way_and_heals() {
    let cut = Cut::Between(vec![CLIENT, SERVER]);
    let partition = Effect::Partition { cut, heals_after: Some(Duration::from_secs(3)) };
    let cut_at = When::At(Duration::from_millis(50));
    let outcome = passed(&with(session(), [Fault { when: cut_at, ..fault(partition, 0) }]));
    let wire = wire(&outcome);
    // The handshake's ACK and the request were under way.
    assert_eq!(wire[4..6], ["lost: Partition", "lost: Partition"]);
    assert!(wire.iter().filter(|line| *line == "lost: Partition").count() > 3);
    assert_eq!(applied(&outcome), [(1, "partition", 50), (1, "end", 3050)]);
    assert_eq!(states(&outcome), [(0, State::Closed), (1, State::Closed)]);
}

#[test]
fn a_partition_one_way_lets_the_other_way_through() {
    let cut = Cut::OneWay { from: SERVER, to: CLIENT };
    let partition = Effect::Partition { cut, heals_after: Some(Duration::from_millis(1500)) };
    let outcome = passed(&with(session(), [fault(partition, 0)]));
    let lost: Vec<String> = wire(&outcome)
        .windows(2)
        .filter(|pair| pair[1] == "lost: Partition")
        .map(|pair| pair[0].clone())
        .collect();
    let expected = [
        "0.020 server SYN+ACK 0:1 len 0",
        "1.020 server SYN+ACK 0:1 len 0",
        "1.020 server SYN+ACK 0:1 len 0",
    ];
    assert_eq!(lost, expected[..lost.len()]);
    assert!(!lost.is_empty());
}

#[test]
fn a_fault_waits_for_a_state() {
    let mut scenario = session();
    scenario.programs[SERVER_PROGRAM].steps[5].action = Action::Hold;
    let when = When::State { host: SERVER, state: State::CloseWait, lasted: Duration::from_secs(2) };
    let outcome = passed(&with(scenario, [Fault { when, ..fault(kill(SERVER), 0) }]));
    assert_eq!(applied(&outcome), [(1, "kill", 2100)]);
}

#[test]
fn a_segment_for_nobody_is_lost() {
    let mut scenario = scenario(vec![connect()], vec![Action::Wait(Duration::from_secs(1))]);
    let Action::Connect { to, .. } = &mut scenario.programs[CLIENT_PROGRAM].steps[0].action else {
        unreachable!("the step connects");
    };
    *to = "10.9.9.9:80".parse().unwrap();
    let outcome = run(&scenario);
    assert_eq!(wire(&outcome)[1], "lost: NoRoute");
}

#[test]
fn a_datagram_larger_than_the_path_takes_is_lost() {
    let mut scenario =
        scenario(vec![connect(), send(3000), close()], vec![listen(), accept(), receive_end()]);
    scenario.network.link.mtu = 1000;
    for host in &mut scenario.hosts {
        host.tcp.mtu = Some(1500);
    }
    scenario.until = Some(Duration::from_secs(10));
    let outcome = run(&scenario);
    assert!(wire(&outcome).contains(&"lost: TooLarge".to_owned()));

    for host in &mut scenario.hosts {
        host.tcp.mtu = None;
    }
    scenario.until = None;
    let outcome = run(&scenario);
    assert_eq!(
        outcome.finished.totals.segments_lost, 0,
        "hosts know the path's MTU unless they are told otherwise"
    );
}

#[test]
fn a_fault_that_never_happens_is_a_problem_unless_it_may_be() {
    let never = Match { payload: Some(PayloadMatch::Octets(SizeMatch::Exactly(77))), ..Match::default() };
    let mut scenario = with(session(), [on_first(&never, SegmentAction::Drop)]);
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Failed);
    assert_eq!(problems(&outcome), ["fault 1 never happened"]);
    scenario.faults[0].may_not_happen = true;
    passed(&scenario);
}

#[test]
fn a_fault_does_not_change_what_is_random_elsewhere() {
    let initial = |outcome: &Outcome| {
        outcome.trace.iter().find_map(|(_, event)| match &event.kind {
            EventKind::SegmentSent(sent) => Some(sent.header.seq),
            _ => None,
        })
    };
    let plain = run(&session());
    let Effect::Segment { matching, action, .. } = on_first(&data(), SegmentAction::Drop).effect else {
        unreachable!("a fault on segments");
    };
    let coin = Effect::Segment { matching, skip: 0, which: Which::Probability(500_000), action };
    let faulty = run(&with(session(), [Fault { when: When::Always, ..fault(coin, 0) }]));
    assert_eq!(initial(&plain), initial(&faulty));
}
