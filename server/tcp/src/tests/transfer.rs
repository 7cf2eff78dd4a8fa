//! Whole transfers: every octet arrives once and in order, whatever the path does.

use proptest::prelude::*;

use super::pair::{Fate, Pair, pattern};
use super::*;

#[test]
fn a_megabyte_each_way() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile.settings(), profile.settings()).connected();
        let octets = pattern(1 << 20);
        let mut written = [0, 0];
        while pair.read[0].len() < octets.len() || pair.read[1].len() < octets.len() {
            for end in 0..2 {
                let (now, id) = (pair.now, pair.id(end));
                written[end] += pair.ends[end].send(now, id, &octets[written[end]..]).unwrap();
                pair.drain(end);
            }
            assert!(pair.step(Instant::FAR_FUTURE), "{profile:?}: stuck at {written:?}");
        }
        assert!(pair.read[0] == octets && pair.read[1] == octets);
        assert!(pair.log.iter().all(|passed| passed.transmit.purpose != crate::Purpose::Retransmission));
    }
}

/// Nagle: while something is unacknowledged, small writes gather into one segment (RFC 9293 §3.7.4).
#[test]
fn small_writes_gather_unless_nodelay() {
    for (nodelay, segments) in [(false, 2), (true, 5)] {
        let mut pair = Pair::linux().connected();
        let (now, id) = (pair.now, pair.id(0));
        pair.ends[0].set_nodelay(now, id, nodelay);
        for _ in 0..5 {
            pair.send(0, &[1; 10]);
        }
        pair.run_for(secs(1));
        let sent = pair.sent(0).iter().filter(|(_, len)| *len > 0).count();
        assert_eq!(sent, segments);
        assert_eq!(pair.read[1].len(), 50);
    }
}

#[test]
fn memory_is_counted_while_octets_wait_and_no_longer() {
    let mut pair = Pair::linux().connected();
    let idle = pair.ends[0].memory();
    pair.reads = [false, false];
    pair.send(0, &pattern(100_000));
    pair.run_for(secs(10));
    let waiting: u64 = pair.ends.iter().map(|end| end.memory() - idle).sum();
    assert!((100_000..110_000).contains(&waiting), "{waiting}");
    pair.reads = [true, true];
    pair.drain(1);
    pair.run_for(secs(10));
    assert_eq!([0, 1].map(|end: usize| pair.ends[end].memory()), [idle; 2]);
    for end in 0..2 {
        let (now, id) = (pair.now, pair.id(end));
        pair.ends[end].close(now, id);
        pair.drain(end);
    }
    pair.run();
    assert_eq!([0, 1].map(|end: usize| pair.ends[end].memory()), [0; 2], "they are gone");
}

/// No more than the peer's window is ever under way (RFC 9293 §3.8.6).
#[test]
fn a_small_window_is_respected() {
    let small = Settings { receive_buffer: 3_000, receive_buffer_max: None, ..Profile::Linux.settings() };
    let mut pair = Pair::new(Profile::Linux.settings(), small).connected();
    pair.send(0, &pattern(50_000));
    let (mut sent, mut allowed) = (0_u64, 3_000_u64);
    pair.run_for(secs(30));
    for passed in &pair.log {
        let header = &passed.transmit.header;
        if passed.from == 0 && header.payload > 0 {
            sent += u64::from(header.payload);
            assert!(sent <= allowed + 1024, "{sent} of {allowed}");
        } else if passed.from == 1 {
            allowed = allowed.max(sent + (u64::from(header.window) << 10));
        }
    }
    assert_eq!(pair.read[1], pattern(50_000));
}

#[derive(Clone, Debug)]
struct Plan {
    drop: u32,
    twice: u32,
    late: u32,
    corrupt: u32,
    sizes: [Vec<usize>; 2],
    profiles: [Profile; 2],
    shut_first: usize,
    seed: u64,
}

fn plans() -> impl Strategy<Value = Plan> {
    let profile = || prop_oneof![Just(Profile::Linux), Just(Profile::Rfc9293)];
    let sizes = || proptest::collection::vec(1_usize..20_000, 0..6);
    (
        0_u32..14,
        0_u32..25,
        0_u32..25,
        0_u32..6,
        sizes(),
        sizes(),
        profile(),
        profile(),
        0_usize..2,
        any::<u64>(),
    )
        .prop_map(|(drop, twice, late, corrupt, a, b, client, server, shut_first, seed)| Plan {
            drop,
            twice,
            late,
            corrupt,
            sizes: [a, b],
            profiles: [client, server],
            shut_first,
            seed,
        })
}

fn random(seed: &mut u64) -> u32 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 32) as u32
}

proptest! {

    /// Loss, duplication, reordering and corruption, both ways: every octet arrives once and in order, both ends see
    /// the end of the stream, and both are gone in the end.
    #[test]
    fn every_octet_arrives_once(plan in plans()) {
        let mut pair = Pair::new(plan.profiles[0].settings(), plan.profiles[1].settings());
        let mut seed = plan.seed | 1;
        let odds = plan.clone();
        pair.path(move |_, _, _| {
            let mut dice = random(&mut seed) % 100;
            for (odds, fate) in [
                (odds.drop, Fate::Drop),
                (odds.twice, Fate::Twice),
                (odds.late, Fate::Delay(ms(u64::from(random(&mut seed) % 300)))),
                (odds.corrupt, Fate::Corrupt),
            ] {
                if dice < odds {
                    return fate;
                }
                dice -= odds;
            }
            Fate::Pass
        });
        pair.connect();
        let day = pair.now + secs(86_400);
        while pair.ids[1].is_none() && pair.step(day) {}
        prop_assume!(pair.ids[1].is_some() && pair.state(0) == State::Established);
        let streams = [0, 1].map(|end: usize| pattern(plan.sizes[end].iter().sum()));
        let mut at = [0, 0];
        for round in 0..6 {
            for end in 0..2 {
                if let Some(size) = plan.sizes[end].get(round) {
                    let (now, id) = (pair.now, pair.id(end));
                    let sent = pair.ends[end].send(now, id, &streams[end][at[end]..at[end] + size]);
                    at[end] += sent.unwrap_or(0);
                    pair.drain(end);
                }
            }
            pair.run_for(ms(50));
        }
        let streams = [0, 1].map(|end: usize| &streams[end][..at[end]]);
        for end in [plan.shut_first, 1 - plan.shut_first] {
            let (now, id) = (pair.now, pair.id(end));
            let _ = pair.ends[end].shutdown(now, id);
            pair.drain(end);
            pair.run_for(ms(30));
        }
        pair.run();
        for end in 0..2 {
            prop_assert_eq!(pair.ended[end], Some(Ok(())), "end {} is in {}", end, pair.state(end));
            prop_assert!(pair.read[end] == streams[1 - end], "end {end}");
            prop_assert_eq!(pair.state(end), State::Closed);
        }
    }
}
