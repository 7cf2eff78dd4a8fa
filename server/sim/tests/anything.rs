//! Whatever programs do and whatever goes wrong: a run ends, never panics, and no octet is ever wrong.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use halfopen_scenario::{
    Action, AddressMove, Amount, Base, BlackHole, Cut, DelayedAck, Effect, Fault, Field, ForgedOptions,
    ForgedTimestamps, Forgery, Keepalive, Match, NewValue, Number, Payload, PollEvent, Renumber, Rewrite,
    Scenario, SegmentAction, TcpSettings, Unreachable, When, Which,
};
use halfopen_sim::{Discard, RunOptions};
use halfopen_tcp::{Flags, Profile, SendFlags, SocketOptions, State};
use halfopen_trace::{Problem, Verdict};
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
        3 => (payload, 1_u32..4, time(), any::<[bool; 2]>()).prop_map(|(payload, times, every, flags)| {
            let flags = SendFlags { more: flags[0], end_of_record: flags[1] };
            Action::Send { connection: CONNECTION, payload, times, every, flags }
        }),
        1 => prop::sample::select(PollEvent::ALL.to_vec())
            .prop_map(|event| Action::Poll { connection: CONNECTION, events: vec![event] }),
        1 => (any::<[bool; 2]>(), prop::option::of(1_u32..20_000)).prop_map(|(switches, lowat)| Action::Set {
            connection: CONNECTION,
            options: SocketOptions {
                cork: Some(switches[0]),
                nodelay: Some(switches[1]),
                notsent_lowat: Some(lowat),
                ..SocketOptions::NONE
            },
        }),
        4 => amounts.prop_map(|amount| Action::Receive { connection: CONNECTION, amount }),
        1 => time().prop_map(Action::Wait),
        1 => time().prop_map(Action::WaitUntil),
        1 => Just(Action::ShutdownWrite { connection: CONNECTION }),
        1 => Just(Action::ShutdownRead { connection: CONNECTION }),
        1 => Just(Action::Close { connection: CONNECTION }),
        1 => Just(Action::Abort { connection: CONNECTION }),
    ]
}

fn matching() -> impl Strategy<Value = Match> {
    let flags = prop::option::of(
        (0_u8..64).prop_map(|bits| halfopen_scenario::FlagsMatch::AtLeast(Flags::from_bits(bits & 0x17))),
    );
    let host = || prop::option::of(prop_oneof![Just(CLIENT), Just(SERVER)]);
    (host(), flags).prop_map(|(from, flags)| Match { from, flags, ..Match::default() })
}

/// Whatever does not put data elsewhere.
fn rewrites() -> impl Strategy<Value = Rewrite> {
    fn or_off<T: Clone + std::fmt::Debug>(
        value: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Option<NewValue<T>>> {
        prop::option::of(prop_oneof![4 => value.prop_map(NewValue::To), 1 => Just(NewValue::Off)])
    }
    let flags =
        prop::sample::select(vec![Flags::ACK, Flags::ACK | Flags::RST, Flags::ACK | Flags::FIN, Flags::NONE]);
    let acknowledgment = prop_oneof![
        (-9_i64..100_000).prop_map(Renumber::To),
        (-100_000_i64..100_000).prop_map(Renumber::By),
    ];
    let fields =
        (prop::option::of(flags), prop::option::of(acknowledgment), prop::option::of(0_u32..100_000));
    let options = (or_off(any::<u16>()), or_off(0_u8..15), any::<[bool; 3]>());
    (fields, options).prop_map(|((flags, acknowledgment, window), (mss, window_scale, off))| Rewrite {
        flags,
        acknowledgment,
        window,
        mss,
        window_scale,
        no_sack_permitted: off[0],
        no_sack: off[1],
        no_timestamps: off[2],
        ..Rewrite::default()
    })
}

fn segment_fault() -> impl Strategy<Value = Effect> {
    let action = prop_oneof![
        Just(SegmentAction::Drop),
        time().prop_map(|by| SegmentAction::Delay { by }),
        (1_u32..4, time()).prop_map(|(copies, spacing)| SegmentAction::Duplicate { copies, spacing }),
        prop::sample::select(Unreachable::ALL.to_vec()).prop_map(SegmentAction::Unreachable),
        (1_u32..5).prop_map(|behind| SegmentAction::Reorder { behind }),
        (1_u32..16, prop::option::of(prop::sample::select(Field::ALL.to_vec())))
            .prop_map(|(bits, field)| SegmentAction::Corrupt { bits, field }),
        rewrites().prop_map(SegmentAction::Rewrite),
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
        skip: 0,
        which,
        action,
    })
}

/// A segment without data that neither end sent.
fn forgery() -> impl Strategy<Value = Effect> {
    let bases = [Base::Initial, Base::SndUna, Base::SndNxt, Base::RcvNxt];
    let number = move || {
        let plus = prop_oneof![Just(0), -3_i64..3, -2_000_i64..100_000];
        (prop::sample::select(bases.to_vec()), plus).prop_map(|(base, plus)| Number { base, plus })
    };
    let flags = prop::sample::select(vec![Flags::RST, Flags::ACK, Flags::SYN, Flags::RST | Flags::ACK]);
    (any::<bool>(), flags, number(), number(), any::<bool>()).prop_map(
        |(from_client, flags, sequence, acknowledgment, timestamps)| {
            let (from, to) = if from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
            let acknowledgment = flags.contains(Flags::ACK).then_some(acknowledgment);
            let forgery = Forgery {
                port: None,
                from,
                to,
                connection: None,
                flags,
                sequence,
                acknowledgment,
                window: timestamps.then_some(0),
                payload: None,
                is_unchecked: false,
                options: ForgedOptions {
                    timestamps: timestamps.then(ForgedTimestamps::default),
                    sack: vec![[sequence, sequence]],
                    ..ForgedOptions::default()
                },
            };
            Effect::Inject(Box::new(forgery))
        },
    )
}

fn host_fault() -> impl Strategy<Value = Effect> {
    let host = || prop_oneof![Just(CLIENT), Just(SERVER)];
    let cut = prop_oneof![
        Just(Cut::Between(vec![CLIENT, SERVER])),
        Just(Cut::OneWay { from: CLIENT, to: SERVER }),
        Just(Cut::OneWay { from: SERVER, to: CLIENT }),
        host().prop_map(Cut::Isolate),
    ];
    let lasts = || prop::option::of(time());
    let jump = prop_oneof![time(), (0_u64..36_500).prop_map(|days| Duration::from_secs(days * 86_400))];
    let ends = prop_oneof![Just((None, None)), Just((Some(CLIENT), None)), Just((None, Some(CLIENT)))];
    let hole = (40_u64..1500, ends).prop_map(|(larger_than, (from, to))| BlackHole { larger_than, from, to });
    prop_oneof![
        host().prop_map(Effect::PowerLoss),
        (host(), time()).prop_map(|(host, back_after)| Effect::Reboot { host, back_after }),
        host().prop_map(kill),
        (host(), lasts()).prop_map(|(host, resumes_after)| Effect::Freeze { host, resumes_after }),
        (host(), lasts(), any::<bool>()).prop_map(|(host, resumes_after, clock_stops)| Effect::Pause {
            host,
            resumes_after,
            clock_stops
        }),
        (host(), jump).prop_map(|(host, by)| Effect::ClockJump { host, by }),
        (host(), lasts()).prop_map(|(host, replug_after)| Effect::CablePull { host, replug_after }),
        (address_move(), lasts())
            .prop_map(|(change, returns_after)| Effect::Address { change, returns_after }),
        (hole, lasts()).prop_map(|(hole, heals_after)| Effect::BlackHole { hole, heals_after }),
        forgery(),
        (cut, prop::option::of(time())).prop_map(|(cut, heals_after)| Effect::Partition { cut, heals_after }),
    ]
}

fn address_move() -> impl Strategy<Value = AddressMove> {
    let host = || prop::option::of(prop_oneof![Just(CLIENT), Just(SERVER)]);
    let address = (1_u8..4).prop_map(|last| [10, 0, 0, last].into());
    (address, host(), host(), any::<bool>()).prop_map(|(address, from, to, announced)| AddressMove {
        address,
        from,
        to,
        announced,
    })
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

/// A host's TCP: features on and off, and buffers that are soon full.
fn tcp() -> impl Strategy<Value = (Profile, TcpSettings)> {
    let on = || prop::option::of(any::<bool>());
    let buffer = || prop::option::of(prop_oneof![4096_u32..20_000, 4096_u32..1_000_000]);
    let profile = prop::sample::select(Profile::ALL.to_vec());
    // A window scale that is coarser than the buffer can announce nothing.
    let scale = prop::option::of(prop::option::of(0_u8..8));
    let switches = (on(), on(), on(), scale, on(), on());
    let sizes = (buffer(), buffer(), prop::option::of(576_u16..9000), prop::option::of(1_u32..20));
    (profile, switches, sizes).prop_map(|(profile, switches, sizes)| {
        let (sack, timestamps, nagle, window_scaling, delayed_ack, keepalive) = switches;
        let (receive_buffer, send_buffer, mtu, initial_window) = sizes;
        let delayed_ack = delayed_ack.map(|on| {
            if on { DelayedAck::On { min: None, max: None, quick: Some(0) } } else { DelayedAck::Off }
        });
        let keepalive = keepalive.map(|on| if on { KEEPALIVE } else { Keepalive::Off });
        let settings = TcpSettings {
            sack,
            timestamps,
            nagle,
            window_scaling,
            delayed_ack,
            keepalive,
            receive_buffer,
            send_buffer,
            mtu,
            initial_window,
            ..TcpSettings::default()
        };
        (profile, settings)
    })
}

fn anything() -> impl Strategy<Value = Scenario> {
    let talk = || prop::collection::vec(talk(), 0..6);
    let hosts = (tcp(), tcp());
    (talk(), talk(), faults(), time(), time(), hosts).prop_map(
        |(client, server, faults, latency, jitter, (near, far))| {
            let client = [vec![connect()], client].concat();
            let server = [vec![listen(), accept()], server].concat();
            let mut scenario = scenario(client, server);
            scenario.network.link.latency = latency;
            scenario.network.link.jitter.most = jitter.min(latency);
            for (host, (profile, tcp)) in scenario.hosts.iter_mut().zip([near, far]) {
                (host.profile, host.tcp) = (profile, tcp);
            }
            scenario.faults = faults;
            scenario.limits.events = 20_000;
            scenario
        },
    )
}

/// A transfer over a way that loses, delays and doubles a few percent of everything: few enough that no host gives up.
fn lossy_transfer() -> impl Strategy<Value = Scenario> {
    let action = prop_oneof![
        Just(SegmentAction::Drop),
        (1_u64..2000).prop_map(|by| SegmentAction::Delay { by: Duration::from_millis(by) }),
        (0_u64..2000).prop_map(|spacing| {
            SegmentAction::Duplicate { copies: 1, spacing: Duration::from_millis(spacing) }
        }),
    ];
    let one = (matching(), 0_u32..40_000, action).prop_map(|(matching, probability, action)| {
        let which = Which::Probability(probability);
        let effect = Effect::Segment { matching, skip: 0, which, action };
        Fault { when: When::Always, may_not_happen: true, ..fault(effect, 0) }
    });
    (1_u64..300_000, prop::collection::vec(one, 0..3), tcp(), tcp(), 0_u64..200).prop_map(
        |(octets, faults, near, far, latency)| {
            let mut scenario = bulk(octets);
            scenario.network.link.latency = Duration::from_millis(latency);
            for (host, (profile, tcp)) in scenario.hosts.iter_mut().zip([near, far]) {
                // Two TCPs that answer every stray acknowledgment may do so for ever: RFC 5961 §7.
                let challenge_ack_interval = Some(Duration::from_millis(500));
                host.profile = profile;
                host.tcp = TcpSettings { mtu: None, challenge_ack_interval, ..tcp };
            }
            scenario.faults = faults;
            // Ten times what the worst needs.
            scenario.limits.events = 50_000;
            scenario
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_run_ends_and_no_octet_is_wrong(scenario in anything(), seed in any::<u64>()) {
        let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions { seed, ..RunOptions::default() }, &mut Discard);
        let finished = outcome.finished;
        let wrong = finished.problems.iter().find(|problem| matches!(problem, Problem::DataMistaken { .. }));
        prop_assert_eq!(wrong, None);
        if finished.verdict == Verdict::Unfinished {
            prop_assert!(finished.problems.iter().any(|problem| matches!(problem, Problem::LimitReached(_))));
        }
    }

    #[test]
    fn whatever_is_lost_a_transfer_is_whole_in_the_end(scenario in lossy_transfer(), seed in any::<u64>()) {
        let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions { seed, ..RunOptions::default() }, &mut Discard);
        let finished = outcome.finished;
        prop_assert_eq!(finished.verdict, Verdict::Passed, "{:?}", finished.problems);
    }
}
