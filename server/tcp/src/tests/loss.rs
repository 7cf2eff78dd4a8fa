//! Losses on the way, and how they are noticed and repaired.

use super::pair::{Fate, Pair, gaps, pattern};
use super::*;
use crate::{Errno, GiveUp, Purpose};

/// Drops the data segments (counted from 1, in the order first sent) that `lost` names, the first time.
fn losing(pair: &mut Pair, lost: &'static [usize]) {
    let mut seen = 0;
    pair.path(move |from, sent, _| {
        if from != 0 || sent.header.payload == 0 || sent.purpose != Purpose::Normal {
            return Fate::Pass;
        }
        seen += 1;
        if lost.contains(&seen) { Fate::Drop } else { Fate::Pass }
    });
}

fn purposes(pair: &Pair) -> Vec<Purpose> {
    let again = |purpose: &Purpose| *purpose != Purpose::Normal;
    pair.log
        .iter()
        .filter(|passed| passed.from == 0)
        .map(|passed| passed.transmit.purpose)
        .filter(again)
        .collect()
}

const MSS: usize = 1448;

/// Recording 10a, and 16d without SACK: the third sign of later segments brings the lost one back after one RTT.
#[test]
fn a_segment_lost_in_the_middle_is_sent_again_fast() {
    for sack in [true, false] {
        let settings = || Settings { sack, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings()).connected();
        losing(&mut pair, &[3]);
        pair.send(0, &pattern(10 * MSS));
        pair.run_for(secs(2));
        assert_eq!(purposes(&pair), [Purpose::FastRetransmission], "SACK {sack}");
        let times = pair.times(|passed| passed.from == 0 && passed.transmit.header.payload > 0);
        assert_eq!(times[10] - times[0], 40, "one round trip");
        assert_eq!(pair.read[1], pattern(10 * MSS));
    }
}

#[test]
fn several_holes_are_repaired_in_one_recovery() {
    for sack in [true, false] {
        let settings = || Settings { sack, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings()).connected();
        losing(&mut pair, &[2, 4, 5]);
        pair.send(0, &pattern(10 * MSS));
        pair.run_for(secs(5));
        assert_eq!(purposes(&pair), [Purpose::FastRetransmission; 3], "SACK {sack}");
        assert_eq!(pair.read[1], pattern(10 * MSS));
    }
}

/// What waited for company goes with the answer to what came after it, and that is not a duplicate yet.
#[test]
fn a_duplicate_acknowledgment_repeats_the_one_before() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile.settings(), profile.settings()).connected();
        losing(&mut pair, &[2]);
        pair.send(0, &pattern(10 * MSS));
        pair.run_for(secs(5));
        let (mut last, mut duplicates) = (None, 0);
        for passed in pair.log.iter().filter(|passed| passed.from == 1) {
            let ack = Some(passed.transmit.header.ack);
            if passed.transmit.purpose == Purpose::DuplicateAck {
                assert_eq!(ack, last, "{profile:?}");
                duplicates += 1;
            }
            last = ack;
        }
        assert!(duplicates > 0, "{profile:?}");
    }
}

/// Recording 10b: at the tail nothing follows that would show the loss, but a probe does. 16b: without it, the timer.
#[test]
fn a_segment_lost_at_the_end_is_found_by_a_probe_or_the_timer() {
    for (tail_loss_probe, purpose) in [(true, Purpose::TailLossProbe), (false, Purpose::Retransmission)] {
        let settings = Settings { tail_loss_probe, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
        losing(&mut pair, &[10]);
        pair.send(0, &pattern(10 * MSS));
        pair.run_for(secs(2));
        assert_eq!(purposes(&pair), [purpose]);
        assert_eq!(pair.read[1], pattern(10 * MSS));
    }
}

/// What was acknowledged late because what came before it was lost shows no round trip (Linux
/// `tcp_clean_rtx_queue`: with anything among it that was sent again, the timestamps alone count).
#[test]
fn waiting_for_a_repair_is_no_round_trip() {
    let settings = || Settings { sack: false, tail_loss_probe: false, ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings(), settings()).connected();
    losing(&mut pair, &[1, 3]);
    pair.send(0, &pattern(2 * MSS));
    pair.run_for(secs(2));
    assert_eq!(pair.read[1], pattern(2 * MSS));
    pair.send(0, &[1; 100]);
    pair.run_for(secs(2));
    assert_eq!(purposes(&pair), [Purpose::Retransmission; 2]);
    let times = pair.times(|passed| passed.from == 0 && passed.transmit.header.payload == 100);
    assert!((200..=260).contains(&(times[1] - times[0])), "{times:?}: 200 ms and one round trip of 40 ms");
}

/// Recording 10d: reordering by one or two segments is no loss.
#[test]
fn a_little_reordering_is_no_loss() {
    let mut pair = Pair::linux().connected();
    let mut seen = 0;
    pair.path(move |from, sent, _| {
        if from == 0 && sent.header.payload > 0 {
            seen += 1;
            // Every segment 1 ms after the one before, the third two places late.
            return Fate::Delay(ms(if seen == 3 { 5 } else { seen }));
        }
        Fate::Pass
    });
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(secs(2));
    assert_eq!(purposes(&pair), []);
    assert_eq!(pair.read[1], pattern(10 * MSS));
}

/// Recording 10c: a probe, then timeouts that double, until tcp_retries2 worth of time has passed.
#[test]
fn data_into_a_void_ends_by_a_time_and_not_by_a_count() {
    for (retries, latency, count) in [(6, 20, 6), (4, 150, 3)] {
        let settings = Settings { give_up: GiveUp::Retries(retries), ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings, Profile::Linux.settings());
        pair.latency = ms(latency);
        let mut pair = pair.connected();
        pair.path(|_, _, _| Fate::Drop);
        pair.send(0, &[1; 1024]);
        pair.run();
        let timeouts = purposes(&pair).iter().filter(|purpose| **purpose == Purpose::Retransmission).count();
        // 17c: with a long RTT fewer retransmissions fit in the same time.
        assert_eq!(timeouts, count, "{retries}");
        assert_eq!(pair.ended[0], Some(Err(Errno::TimedOut)));
        let sent = gaps(&pair.times(|_| true));
        assert!(sent[1..].windows(2).skip(1).all(|pair| pair[1] == pair[0] * 2), "{sent:?}");
    }
}

/// The 15 minutes that people wait for: 924.6 s is the least; the last timeout ends beyond it.
#[test]
fn linux_waits_a_quarter_of_an_hour() {
    let mut pair = Pair::linux().connected();
    pair.path(|_, _, _| Fate::Drop);
    let start = pair.now;
    pair.send(0, &[1; 1024]);
    pair.run();
    let end = pair.events[0].last().unwrap().0;
    let seconds = (end - start).as_secs_f64();
    assert!((924.6..=1_050.0).contains(&seconds), "{seconds}");
}

/// RFC 5682 step 3.a: new data that arrives after a timeout does not make the timeout spurious.
#[test]
fn a_real_timeout_is_not_taken_for_a_spurious_one() {
    let mut pair = Pair::linux().connected();
    let heals = pair.now + secs(2);
    pair.path(move |_, _, now| if now < heals { Fate::Drop } else { Fate::Pass });
    pair.send(0, &pattern(6 * MSS + 104));
    pair.run_for(secs(60));
    assert_eq!(pair.read[1], pattern(6 * MSS + 104));
    let again = purposes(&pair).split_off(1);
    assert!(again.iter().all(|purpose| *purpose == Purpose::Retransmission), "{again:?}");
}

/// Recording 10f.
#[test]
fn a_corrupted_segment_is_dropped_and_repaired() {
    let mut pair = Pair::linux().connected();
    let mut seen = 0;
    pair.path(move |from, sent, _| {
        seen += usize::from(from == 0 && sent.header.payload > 0);
        if from == 0 && seen == 3 && sent.purpose == Purpose::Normal { Fate::Corrupt } else { Fate::Pass }
    });
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(secs(2));
    assert_eq!(pair.read[1], pattern(10 * MSS));
    assert_eq!(purposes(&pair), [Purpose::FastRetransmission]);
}

/// Recording 10e: everything twice harms nothing.
#[test]
fn duplicates_harm_nothing() {
    let mut pair = Pair::linux();
    pair.path(|_, _, _| Fate::Twice);
    pair.connect();
    pair.run_for(secs(1));
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(secs(1));
    pair.close(0);
    pair.run_for(secs(1));
    pair.close(1);
    pair.run();
    assert_eq!(pair.read[1], pattern(10 * MSS));
    assert_eq!((pair.state(0), pair.state(1)), (State::Closed, State::Closed));
}

/// A closed window is asked after for ever, as long as the answers come (recordings 13a, 13c).
#[test]
fn a_closed_window_is_probed_until_it_opens() {
    let mut pair = Pair::linux().connected();
    pair.reads[1] = false;
    pair.send(0, &pattern(200_000));
    pair.run_for(secs(3_600));
    assert_eq!(pair.state(0), State::Established);
    let probes = pair.times(|passed| passed.transmit.purpose == Purpose::WindowProbe);
    let between = gaps(&probes);
    // The largest wait begins when the answer is there.
    assert!(between[0] < 1_000 && between.last() == Some(&120_040), "{between:?}");
    pair.reads[1] = true;
    pair.drain(1);
    pair.run_for(secs(5));
    assert_eq!(pair.read[1], pattern(200_000));
}

/// RFC 5961: one answer per connection and half second (recording 11g).
#[test]
fn challenge_acks_are_limited() {
    let mut lone = Lone::in_state(State::Established, plain(100));
    let mut answered = Vec::new();
    for at in [500, 600, 700, 800, 1300] {
        lone.now = Instant::ZERO + ms(at);
        answered.push(lone.deliver((RST, 301 + 100, 0, 0)).1.len());
    }
    assert_eq!(answered, [1, 0, 0, 0, 1]);
}

/// RFC 7323 §5: PAWS.
#[test]
fn an_old_timestamp_is_rejected() {
    let mut lone = Lone::new(Settings { timestamps: true, ..plain(100) });
    lone.connect();
    lone.sent_now();
    let stamped =
        |value| Options { timestamps: Some(crate::Timestamps { value, echo: 0 }), ..Options::default() };
    lone.deliver_with(SYN | ACK, 300, 101, b"", 1000, stamped(5_000));
    let (arrival, answer) = lone.deliver_with(ACK, 301, 101, b"old", 1000, stamped(4_999));
    assert_eq!(arrival.disposition, crate::Disposition::Dropped(crate::DropReason::OldTimestamp));
    assert_eq!(answer, [(ACK, 101, 301, 0)]);
    let (arrival, _) = lone.deliver_with(ACK, 301, 101, b"new", 1000, stamped(5_001));
    assert_eq!(arrival.disposition, crate::Disposition::Accepted);
}

/// The first segment sent again after a long cut gets through, and the rest follows; the last few octets, which Nagle
/// holds back, must not hold back the rest (RFC 5682 step 2.b).
#[test]
fn a_transfer_goes_on_after_a_cut() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile.settings(), profile.settings()).connected();
        let heals = pair.now + secs(2);
        pair.path(move |_, _, now| if now < heals { Fate::Drop } else { Fate::Pass });
        pair.send(0, &pattern(10 * 1024));
        pair.run_for(secs(60));
        assert!(pair.read[1] == pattern(10 * 1024), "{profile:?}: {}", pair.read[1].len());
    }
}
