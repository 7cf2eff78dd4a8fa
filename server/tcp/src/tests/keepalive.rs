//! Keepalive: when it asks, when it is silent, and what it concludes.

use super::pair::{Fate, Pair, gaps};
use super::*;
use crate::{Errno, Keepalive, KeepaliveSettings, Purpose};

fn watching(idle: u64, interval: u64, probes: u32) -> Settings {
    let keepalive = KeepaliveSettings { idle: secs(idle), interval: secs(interval), probes };
    Settings { keepalive: Some(keepalive), ..Profile::Linux.settings() }
}

/// A server that watches a client; the client is gone after one second.
fn watched(settings: Settings) -> Pair {
    let mut pair = Pair::new(Profile::Linux.settings(), settings).connected();
    pair.path(|_, _, _| Fate::Drop);
    pair
}

fn outcomes(pair: &Pair) -> Vec<Keepalive> {
    let outcome = |(_, event): &(Instant, Event)| match event.kind {
        EventKind::Keepalive(outcome) => Some(outcome),
        _ => None,
    };
    pair.events[1].iter().filter_map(outcome).collect()
}

/// The article's numbers, and Linux's own: 7,200 + 9 x 75 = 7,875 s.
#[test]
fn a_dead_peer_is_found_after_idle_and_all_probes() {
    for (probes, silence) in [(10, 7950), (9, 7875)] {
        let mut pair = watched(watching(7200, 75, probes));
        pair.run();
        let sent = pair.times(|passed| passed.transmit.purpose == Purpose::KeepaliveProbe);
        assert_eq!(sent.len(), probes as usize);
        assert!(gaps(&sent).iter().all(|gap| *gap == 75_000));
        assert_eq!(outcomes(&pair).last(), Some(&Keepalive::Dead { probes, silence: secs(silence) }));
        assert_eq!(pair.ended[1], Some(Err(Errno::TimedOut)));
        assert_eq!(pair.states(1).last(), Some(&State::Closed));
        // Recording 07a: the last word is a RST at snd.nxt; probes stand one before it.
        let headers: Vec<_> = pair.log.iter().map(|passed| &passed.transmit.header).collect();
        let (last, probes) = headers.split_last().unwrap();
        assert_eq!(last.flags, RST | ACK);
        assert!(probes.iter().all(|probe| probe.seq + 1 == last.seq && probe.is_empty()));
    }
}

/// Recording 07g: no probe before idle has passed since the last receipt.
#[test]
fn everything_received_starts_the_wait_anew() {
    let mut pair = Pair::new(Profile::Linux.settings(), watching(2, 1, 3)).connected();
    for wait in [500, 1500, 1500] {
        pair.run_for(ms(wait));
        pair.send(0, &[1; 100]);
    }
    pair.run_for(ms(2015));
    assert_eq!(outcomes(&pair), []);
    pair.run_for(ms(10));
    assert_eq!(outcomes(&pair), [Keepalive::Probe { unanswered: 1 }]);
}

/// Recordings 07j and 07f: an answer resets the count.
#[test]
fn a_healthy_peer_is_asked_once_per_idle_time() {
    let mut pair = Pair::new(Profile::Linux.settings(), watching(2, 1, 3)).connected();
    pair.run_for(secs(9));
    let sent = pair.times(|passed| passed.transmit.purpose == Purpose::KeepaliveProbe);
    assert_eq!(gaps(&sent), [2040, 2040, 2040], "idle and one round trip");
    assert_eq!(outcomes(&pair)[1], Keepalive::Alive { probes: 1 });
    assert_eq!(pair.state(1), State::Established);
}

/// Recording 07b: the rebooted peer answers by RST.
#[test]
fn a_rebooted_peer_resets() {
    let mut pair = Pair::new(Profile::Linux.settings(), watching(2, 1, 3)).connected();
    pair.ends[0] = endpoint("10.0.0.1", Profile::Linux.settings());
    pair.ids[0] = None;
    pair.run();
    assert!(matches!(outcomes(&pair)[1], Keepalive::Reset { probes: 1, .. }));
    assert_eq!(pair.ended[1], Some(Err(Errno::ConnectionReset)));
}

/// Recording 07c: unacknowledged data asks by itself, and keepalive keeps silent.
#[test]
fn keepalive_is_silent_while_data_is_unacknowledged() {
    let settings = Settings { give_up: crate::GiveUp::Retries(5), ..watching(2, 1, 3) };
    let mut pair = watched(settings);
    pair.send(1, &[1; 1024]);
    pair.run();
    assert_eq!(outcomes(&pair), []);
    assert_eq!(pair.ended[1], Some(Err(Errno::TimedOut)));
    let last = pair.events[1].last().unwrap().0.as_duration().as_secs();
    assert!((14..=19).contains(&last), "the retransmissions decide: {last}");
}

#[test]
fn without_keepalive_nobody_ever_notices() {
    let mut pair = watched(Profile::Linux.settings());
    pair.run_for(secs(30 * 86_400));
    assert_eq!(pair.state(1), State::Established);
    assert!(pair.log.is_empty());
}

#[test]
fn the_application_switches_it_on_and_off() {
    let mut pair = Pair::linux().connected();
    let (now, id) = (pair.now, pair.id(1));
    let settings = KeepaliveSettings { idle: secs(2), interval: secs(1), probes: 3 };
    pair.run_for(secs(1));
    pair.ends[1].set_keepalive(now, id, Some(settings));
    pair.run_for(secs(3));
    assert!(!outcomes(&pair).is_empty());
    let (now, id) = (pair.now, pair.id(1));
    pair.ends[1].set_keepalive(now, id, None);
    let before = outcomes(&pair).len();
    pair.run_for(secs(100));
    assert_eq!(outcomes(&pair).len(), before);
}
