//! Whatever programs do and whatever goes wrong: a run ends, never panics, and no octet is ever wrong.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use halfopen_scenario::{
    Action, Amount, Cut, Effect, Fault, Match, Payload, Scenario, SegmentAction, When, Which,
};
use halfopen_sim::trace::Verdict;
use halfopen_sim::{Discard, RunOptions};
use halfopen_tcp::State;
use proptest::prelude::*;

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0_u64..200).prop_map(Duration::from_millis),
        (0_u64..20_000).prop_map(Duration::from_millis),
        (0_u64..200).prop_map(Duration::from_secs),
    ]
}

/// A step about the program's connection.
fn talk() -> impl Strategy<Value = Action> {
    let size = || prop_oneof![1_u64..3000, 1_u64..300_000];
    let texts = Just(Payload::Text("the quick brown fox".to_owned()));
    let payload = prop_oneof![4 => size().prop_map(Payload::Octets), 1 => texts];
    let amounts = prop_oneof![size().prop_map(Amount::Octets), Just(Amount::Next), Just(Amount::End),];
    prop_oneof![
        3 => (payload, 1_u32..4, time()).prop_map(|(payload, times, every)| Action::Send {
            connection: CONNECTION,
            payload,
            times,
            every,
        }),
        4 => amounts.prop_map(|amount| Action::Receive { connection: CONNECTION, amount }),
        2 => time().prop_map(Action::Wait),
        1 => Just(Action::ShutdownWrite { connection: CONNECTION }),
        1 => Just(Action::Close { connection: CONNECTION }),
        1 => Just(Action::Abort { connection: CONNECTION }),
    ]
}

fn matching() -> impl Strategy<Value = Match> {
    let flags = prop::option::of((0_u8..64).prop_map(|bits| {
        halfopen_scenario::FlagsMatch::AtLeast(halfopen_tcp::Flags::from_bits(bits & 0x17))
    }));
    let host = || prop::option::of(prop_oneof![Just(CLIENT), Just(SERVER)]);
    (host(), flags).prop_map(|(from, flags)| Match { from, flags, ..Match::default() })
}

fn segment_fault() -> impl Strategy<Value = Effect> {
    let action = prop_oneof![
        Just(SegmentAction::Drop),
        time().prop_map(|by| SegmentAction::Delay { by }),
        (1_u32..4, time()).prop_map(|(copies, spacing)| SegmentAction::Duplicate { copies, spacing }),
    ];
    let which = prop_oneof![
        Just(Which::All),
        (1_u64..5).prop_map(Which::First),
        (1_u64..9).prop_map(Which::Nth),
        (1_u64..9).prop_map(Which::Every),
        (0_u32..1_000_000).prop_map(Which::Probability),
    ];
    (matching(), which, action).prop_map(|(matching, which, action)| Effect::Segment {
        matching,
        which,
        action,
    })
}

fn host_fault() -> impl Strategy<Value = Effect> {
    let host = || prop_oneof![Just(CLIENT), Just(SERVER)];
    let cut = prop_oneof![
        Just(Cut::Between(vec![CLIENT, SERVER])),
        Just(Cut::OneWay { from: CLIENT, to: SERVER }),
        Just(Cut::OneWay { from: SERVER, to: CLIENT }),
        host().prop_map(Cut::Isolate),
    ];
    prop_oneof![
        host().prop_map(Effect::PowerLoss),
        (host(), time()).prop_map(|(host, back_after)| Effect::Reboot { host, back_after }),
        host().prop_map(Effect::Kill),
        (cut, prop::option::of(time())).prop_map(|(cut, heals_after)| Effect::Partition { cut, heals_after }),
    ]
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let state = prop::sample::select(State::ALL.to_vec());
    let when = (prop_oneof![Just(CLIENT), Just(SERVER)], state, time())
        .prop_map(|(host, state, lasted)| When::State { host, state, lasted });
    let when = prop_oneof![3 => time().prop_map(When::At), 1 => when];
    let one = (prop_oneof![3 => segment_fault(), 1 => host_fault()], when)
        .prop_map(|(effect, when)| Fault { when, ..fault(effect, 0) });
    prop::collection::vec(one, 0..6)
}

fn anything() -> impl Strategy<Value = Scenario> {
    let talk = || prop::collection::vec(talk(), 0..6);
    (talk(), talk(), faults(), time(), time(), any::<bool>()).prop_map(
        |(client, server, faults, latency, jitter, keepalive)| {
            let client = [vec![connect()], client].concat();
            let server = [vec![listen(), accept()], server].concat();
            let mut scenario = scenario(client, server);
            scenario.network.latency = latency;
            scenario.network.jitter = jitter.min(latency);
            if keepalive {
                scenario.hosts[SERVER.0].tcp.keepalive = Some(KEEPALIVE);
            }
            scenario.faults = faults;
            scenario.limits.events = 20_000;
            scenario
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_ends_and_no_octet_is_wrong(scenario in anything(), seed in any::<u64>()) {
        let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions { seed }, &mut Discard);
        let finished = outcome.finished;
        let wrong = finished.problems.iter().find(|problem| problem.contains("is not what was sent"));
        prop_assert_eq!(wrong, None);
        if finished.verdict == Verdict::Unfinished {
            prop_assert!(finished.problems.iter().any(|problem| problem.contains("limit")));
        }
    }
}
