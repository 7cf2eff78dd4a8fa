//! How long is waited: retransmissions, delayed acknowledgments, keepalive (RFC 9293 §3.8.3, §3.8.4, §3.8.6).

use super::*;
use crate::Purpose;

/// When each report came, and when the connection ended, in a path that takes nothing from now on.
fn into_the_void(pair: &mut Pair) -> (Vec<(Duration, Report)>, Duration) {
    let began = pair.now;
    let before = pair.events[0].len();
    pair.path(|_, _, _| Fate::Drop);
    if pair.ids[0].is_none() {
        pair.connect();
    } else {
        pair.send(0, &[1; 10]);
    }
    pair.run_for(secs(2000));
    assert_eq!(pair.ended[0], Some(Err(Errno::TimedOut)));
    let after = &pair.events[0][before..];
    let reports = after
        .iter()
        .filter_map(|(at, event)| match event.kind {
            EventKind::Report(report) => Some((*at - began, report)),
            _ => None,
        })
        .collect();
    let end = after.iter().find(|(_, event)| matches!(event.kind, EventKind::Error(_))).unwrap().0;
    (reports, end - began)
}

/// R1 is three retransmissions; the application hears of it long before R2.
#[test]
fn must_20_many_retransmissions_are_reported_and_too_many_end_the_connection() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile.settings(), profile.settings()).connected();
        let (reports, end) = into_the_void(&mut pair);
        let [(at, Report::Retransmissions(3))] = reports[..] else { panic!("{profile:?} {reports:?}") };
        assert!(at < end / 2, "{profile:?}: {at:?} of {end:?}");
        // SHLD-11.
        assert!(end >= secs(100) || profile == Profile::Windows, "{profile:?}: {end:?}");
    }
}

/// The stacks of the other profiles have less patience, as docs/rfc9293.md says.
#[test]
fn must_22_23_a_syn_is_sent_for_three_minutes_by_the_same_rules() {
    for (profile, seconds, reported) in [
        (Profile::Rfc9293, 183, true),
        (Profile::Linux, 131, true),
        (Profile::FreeBsd, 75, true),
        (Profile::Windows, 21, false),
        (Profile::MacOs, 75, true),
    ] {
        let mut pair = Pair::new(profile.settings(), profile.settings());
        let (reports, end) = into_the_void(&mut pair);
        let is_r1 = matches!(reports[..], [(_, Report::Retransmissions(3))]);
        assert_eq!((end.as_secs(), is_r1), (seconds, reported), "{profile:?} {reports:?}");
    }
    let mut lone = Lone::in_state(State::SynReceived, recommended());
    let began = lone.now;
    while lone.state() == State::SynReceived {
        lone.wait();
    }
    assert!(lone.now - began >= secs(180), "{:?}", lone.now - began);
}

#[test]
fn must_25_28_keepalive_is_off_and_waits_two_hours_unless_told_otherwise() {
    for profile in Profile::ALL {
        let settings = profile.settings();
        assert_eq!(settings.keepalive, None, "{profile:?}");
        assert!(settings.keepalive_numbers.idle >= secs(7_200), "{profile:?}");
    }
}

#[test]
fn must_29_a_lost_answer_to_a_probe_is_not_death() {
    let keepalive = crate::KeepaliveSettings { idle: secs(60), interval: secs(10), probes: 3 };
    let settings = Settings { keepalive: Some(keepalive), ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
    let mut answers = 0;
    pair.path(move |from, _, _| {
        answers += u32::from(from == 1);
        if from == 1 && answers % 3 != 0 { Fate::Drop } else { Fate::Pass }
    });
    pair.run_for(secs(1_000));
    assert_eq!(pair.state(0), State::Established);
    let probes: Vec<_> =
        pair.log.iter().filter(|passed| passed.transmit.purpose == Purpose::KeepaliveProbe).collect();
    assert!(probes.len() > 20);
    assert!(probes.iter().all(|probe| probe.transmit.header.payload == 0), "SHLD-12: no garbage octet");
}

/// SHLD-18: an acknowledgment waits; MUST-40: less than half a second.
#[test]
fn must_40_no_acknowledgment_waits_for_half_a_second() {
    for profile in Profile::ALL {
        let mut lone = Lone::in_state(
            State::Established,
            Settings { timestamps: false, sack: false, initial_sequence: Some(100), ..profile.settings() },
        );
        let mut delayed = 0;
        for at in 0..40 {
            let answers = lone.deliver((ACK | PSH, 301 + at * 10, 101, 10)).1;
            if answers.is_empty() {
                let began = lone.now;
                assert_eq!(lone.wait(), [(ACK, 101, 311 + at * 10, 0)], "{profile:?}");
                assert!(lone.now - began < ms(500), "{profile:?}");
                delayed += 1;
            }
            lone.now += ms(100);
        }
        assert!(delayed > 0, "{profile:?}");
    }
}

#[test]
fn shld_19_every_second_full_segment_is_acknowledged() {
    for profile in Profile::ALL {
        let mut lone = Lone::in_state(
            State::Established,
            Settings { timestamps: false, sack: false, initial_sequence: Some(100), ..profile.settings() },
        );
        let mut waiting = 0;
        for at in 0..60 {
            waiting += 1;
            if !lone.deliver((ACK, 301 + at * 1460, 101, 1460)).1.is_empty() {
                waiting = 0;
            }
            let _ = lone.receive();
            if !lone.sent_now().is_empty() {
                waiting = 0;
            }
            assert!(waiting < 2, "{profile:?}: segment {at}");
        }
    }
}

/// SHLD-29, SHLD-30: the first probe after an RTO, the next ones at doubled distances.
#[test]
fn must_35_36_a_closed_window_is_probed_after_an_rto_and_then_less_and_less() {
    let mut lone = Lone::new(recommended());
    lone.connect();
    lone.sent_now();
    lone.deliver_with(SYN | ACK, 300, 101, b"", 0, Options::default());
    let mut last = lone.now;
    assert_eq!(lone.send(b"x"), []);
    let mut between = Vec::new();
    for _ in 0..8 {
        assert_eq!(lone.wait(), [(ACK, 100, 301, 0)]);
        between.push((lone.now - last).as_secs());
        last = lone.now;
        lone.deliver_with(ACK, 301, 101, b"", 0, Options::default());
    }
    assert_eq!(between, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(lone.deliver_with(ACK, 301, 101, b"", 10, Options::default()).1, [(ACK | PSH, 101, 301, 1)]);
}
