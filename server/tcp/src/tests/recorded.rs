//! Rules that situations beyond the first recordings taught; each names its own (`sim/tests/kernel_truth/others`).

use super::pair::{Fate, Pair, Passed, gaps, pattern};
use super::*;
use crate::{CongestionAlgorithm, Errno, GiveUp, Purpose};

const MSS: usize = 1448;

/// Data segments of end 0: sequence number from the first on, octets, and whether PSH is set.
fn data(pair: &Pair) -> Vec<(u32, u32, bool)> {
    let sent: Vec<&Header> = pair
        .log
        .iter()
        .filter(|it| it.from == 0)
        .map(|it| &it.transmit.header)
        .filter(|it| it.payload > 0)
        .collect();
    let first = sent[0].seq;
    sent.iter().map(|it| (first.until(it.seq), it.payload, it.flags.contains(PSH))).collect()
}

/// Drops data segments of end 0 by their number, the first time they are sent.
fn losing(pair: &mut Pair, lost: std::ops::RangeInclusive<usize>) {
    let mut seen = 0;
    pair.path(move |from, sent, _| {
        seen += usize::from(from == 0 && sent.header.payload > 0);
        let data = from == 0 && sent.header.payload > 0 && sent.purpose == Purpose::Normal;
        if data && lost.contains(&seen) { Fate::Drop } else { Fate::Pass }
    });
}

/// Ten writes of 100 octets, 5 ms apart and without Nagle's algorithm, of which the third to sixth are lost.
fn four_small_lost(settings: impl Fn() -> Settings) -> Pair {
    let mut pair = Pair::new(settings(), settings()).connected();
    let id = pair.id(0);
    pair.ends[0].set_nodelay(pair.now, id, true);
    losing(&mut pair, 3..=6);
    for _ in 0..10 {
        pair.send(0, &[7; 100]);
        pair.run_for(ms(5));
    }
    pair.run_for(secs(2));
    assert_eq!(pair.read[1].len(), 1000);
    pair
}

/// 10m2, and 10m3 without SACK: `tcp_retrans_try_collapse`.
#[test]
fn small_segments_that_are_sent_again_go_as_one() {
    let linux = || Profile::Linux.settings();
    assert_eq!(data(&four_small_lost(linux))[10..], [(200, 400, true)], "what the peer has stays out");
    let without = || Settings { sack: false, ..linux() };
    assert_eq!(data(&four_small_lost(without))[10..], [(200, 800, true)], "nobody knows what the peer has");
    let alone = || Settings { collapse: false, ..linux() };
    assert_eq!(data(&four_small_lost(alone))[10..].len(), 4);
}

/// 10i_loss_2_to_10: what left as one packet leaves as one again, as far as the window allows (`__tcp_retransmit_skb`).
#[test]
fn packets_are_sent_again_as_packets() {
    let mut pair = Pair::linux().connected();
    losing(&mut pair, 2..=10);
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(secs(2));
    let pushed: Vec<(u32, bool)> =
        data(&pair)[10..].iter().map(|(seq, _, pushed)| (seq / MSS as u32, *pushed)).collect();
    let [probe, timeout, rest @ ..] = pushed.as_slice() else { panic!("{pushed:?}") };
    assert_eq!((*probe, *timeout), ((9, true), (1, false)));
    assert_eq!(rest, [(2, false), (3, true), (4, false), (5, true), (6, false), (7, true), (8, false)]);
    assert_eq!(pair.read[1], pattern(10 * MSS));
}

/// 10j3: in congestion avoidance an acknowledgment makes room for one segment; two are sent with every other
/// (`tcp_tso_should_defer`).
#[test]
fn room_for_one_segment_waits_for_room_for_two() {
    let settings = Settings { congestion: CongestionAlgorithm::NewReno, ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
    losing(&mut pair, 3..=3);
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(ms(500));
    pair.log.clear();
    pair.send(0, &pattern(20 * MSS));
    pair.run_for(ms(60));
    let pushed: Vec<bool> = data(&pair).iter().map(|(_, _, pushed)| *pushed).collect();
    assert_eq!(
        pushed[..6],
        [false, true, false, true, false, true],
        "the first flight: what the window takes"
    );
    assert_eq!(
        pushed[6..],
        [false, false, true, false, true, false, true],
        "one for the first acknowledgment"
    );
    pair.run_for(secs(2));
    assert_eq!(pair.read[1].len(), 30 * MSS);
}

/// 10i_loss_segment_1: while the window grows, and three times more, each is acknowledged at once, then several
/// together after 1 ms.
#[test]
fn what_stands_beyond_a_gap_is_told_together_in_the_end() {
    for (sack, acks) in [(true, vec![0, 0, 0, 0, 0, 0, 0, 1]), (false, vec![0; 9])] {
        let settings = || Settings { sack, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings()).connected();
        losing(&mut pair, 1..=1);
        pair.send(0, &pattern(10 * MSS));
        pair.run_for(ms(30));
        let times = pair.times(|it| it.from == 1);
        assert_eq!(times.iter().map(|at| at - times[0]).collect::<Vec<_>>(), acks, "SACK {sack}");
        pair.run_for(secs(2));
        assert_eq!(pair.read[1], pattern(10 * MSS));
    }
}

/// 10o_segment_3_late_60: the original comes when what was sent again is there; its timestamp is old
/// (`tcp_send_dupack`).
#[test]
fn what_arrives_late_is_told_as_a_duplicate_though_its_timestamp_is_old() {
    let mut pair = Pair::linux().connected();
    let mut seen = 0;
    pair.path(move |from, sent, _| {
        seen += usize::from(from == 0 && sent.header.payload > 0);
        if from == 0 && seen == 3 && sent.header.payload > 0 { Fate::Delay(ms(60)) } else { Fate::Pass }
    });
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(secs(1));
    let last = pair.log.iter().rfind(|it| it.from == 1).expect("it acknowledged");
    let blocks: Vec<u32> =
        last.transmit.header.options.sack.as_slice().iter().map(|(left, right)| left.until(*right)).collect();
    assert_eq!(blocks, [MSS as u32]);
}

/// 09f_single_segment_ack_delayed: the acknowledgment that others overtook is no reason for an answer
/// (`tcp_disordered_ack_check`).
#[test]
fn an_acknowledgment_that_others_overtook_is_not_answered() {
    for (late_acks, answers) in [(true, 0), (false, 1)] {
        let settings = Settings { late_acks, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
        let mut seen = 0;
        pair.path(move |from, _, _| {
            seen += usize::from(from == 1);
            if from == 1 && seen == 1 { Fate::Delay(ms(300)) } else { Fate::Pass }
        });
        pair.send(0, &pattern(1000));
        pair.run_for(secs(2));
        let plain = |it: &&Passed| it.from == 0 && it.transmit.header.payload == 0;
        assert_eq!(pair.log.iter().filter(plain).count(), answers);
    }
}

/// 10p6_acks_delayed_no_tlp: RFC 8985 §6.2 step 2 (`tcp_skb_spurious_retrans`).
#[test]
fn after_a_spurious_timeout_nothing_more_is_sent_again() {
    let settings = Settings { tail_loss_probe: false, ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
    pair.path(|from, _, _| if from == 1 { Fate::Delay(ms(300)) } else { Fate::Pass });
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(secs(3));
    assert_eq!(data(&pair)[10..], [(0, MSS as u32, false)], "the timeout's own");
}

/// 07h2_zero_window_client_gone: the wait doubles no more often than tcp_retries2 allows (`tcp_send_probe0`).
#[test]
fn probes_of_a_closed_window_come_at_an_even_pace_in_the_end() {
    let settings = Settings { give_up: GiveUp::Retries(2), ..Profile::Linux.settings() };
    let small = Settings { receive_buffer: 4096, receive_buffer_max: None, ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings, small).connected();
    pair.reads[1] = false;
    pair.send(0, &pattern(20_000));
    pair.run_for(secs(20));
    let times = pair.times(|it| it.transmit.purpose == Purpose::WindowProbe);
    let gaps = gaps(&times);
    let last = gaps.last().expect("there are some");
    assert!(gaps.len() > 10 && gaps[3..].iter().all(|gap| gap == last), "{gaps:?}");
}

/// 11o_bad_acks_rate, 11n2: not even with data are they answered more often (`tcp_send_challenge_ack`).
#[test]
fn acknowledgments_that_can_not_be_are_answered_twice_a_second() {
    for wrong in [5_000, 101_u32.wrapping_sub(200_000)] {
        let mut lone = Lone::new(plain(100));
        lone.connect();
        lone.sent_now();
        lone.deliver((SYN | ACK, 300, 101, 0));
        let mut answers = 0;
        for _ in 0..5 {
            answers += lone.deliver((ACK | PSH, 301, wrong, 10)).1.len();
            lone.now += ms(100);
        }
        assert_eq!(answers, 1, "{wrong}");
        lone.now += ms(100);
        assert_eq!(lone.deliver((ACK | PSH, 301, wrong, 10)).1.len(), 1, "half a second later");
    }
}

/// 11n11_syn_in_orphan_fin_wait_2, and a RST anywhere in the window (`tcp_timewait_state_process`).
#[test]
fn an_orphan_in_fin_wait_2_is_worth_no_challenge() {
    for (segment, answer) in [((SYN, 900, 0, 0), vec![(RST | ACK, 0, 901, 0)]), ((RST, 900, 0, 0), vec![])] {
        let mut lone = Lone::new(plain(100));
        lone.connect();
        lone.sent_now();
        lone.deliver((SYN | ACK, 300, 101, 0));
        lone.endpoint.close(lone.now, lone.id());
        lone.sent_now();
        lone.deliver((ACK, 301, 102, 0));
        assert_eq!(lone.state(), State::FinWait2);
        assert_eq!(lone.deliver(segment).1, answer);
        assert_eq!(lone.state(), State::Closed);
    }
}

/// 12d3_shutdown_rdwr: RFC 1122 §4.2.2.13; `tcp_rcv_state_process` step 7.
#[test]
fn data_for_who_shut_both_directions_is_reset() {
    let mut pair = Pair::linux().connected();
    pair.shutdown(0);
    let id = pair.id(0);
    pair.ends[0].shutdown_read(pair.now, id).unwrap();
    pair.run_for(secs(1));
    pair.send(1, &[1; 100]);
    pair.run_for(secs(1));
    assert_eq!((pair.state(0), pair.state(1)), (State::Closed, State::Closed));
    let resets = pair.log.iter().filter(|it| it.from == 0 && it.transmit.header.flags == RST).count();
    assert_eq!(resets, 1);
}

/// 14g_reuse_own_time_wait_no_ts: only timestamps would distinguish old segments from new ones
/// (`__inet_check_established`).
#[test]
fn a_pair_of_addresses_in_time_wait_is_not_available() {
    for (timestamps, again) in [(true, None), (false, Some(Errno::AddressNotAvailable))] {
        let settings = || Settings { timestamps, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings()).connected();
        let local = pair.ends[0].status(pair.id(0)).unwrap().local;
        pair.close(0);
        pair.run_for(ms(100));
        pair.close(1);
        pair.run_for(secs(2));
        assert_eq!(pair.state(0), State::TimeWait);
        let remote = "10.0.0.2:80".parse().unwrap();
        assert_eq!(pair.ends[0].connect(pair.now, Some(local.port()), remote).err(), again);
    }
}

/// 17s_rtt2100_syn: the echo tells which SYN was answered (`tcp_ack_update_rtt`), so data is not sent again too early.
#[test]
fn a_syn_that_was_repeated_shows_a_round_trip_by_its_timestamp() {
    for (timestamps, transmissions) in [(true, 1), (false, 2)] {
        let settings = || Settings { timestamps, tail_loss_probe: false, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings());
        pair.latency = ms(1050);
        pair.connect();
        pair.run_for(ms(2200));
        assert_eq!(pair.state(0), State::Established);
        pair.send(0, &[1; 1000]);
        pair.run_for(ms(2000));
        assert_eq!(data(&pair).len(), transmissions, "timestamps {timestamps}");
    }
}

/// 23c_nagle_second_small_waits_lost: new data is the better probe, even if Nagle's algorithm held it back
/// (`tcp_send_loss_probe`).
#[test]
fn a_tail_loss_probe_takes_what_nagle_held_back() {
    let mut pair = Pair::linux().connected();
    losing(&mut pair, 1..=1);
    pair.send(0, &[1; 100]);
    pair.send(0, &[2; 100]);
    pair.run_for(secs(1));
    assert_eq!(data(&pair), [(0, 100, true), (100, 100, true), (0, 100, true)]);
    assert_eq!(pair.read[1].len(), 200);
}

/// 30a_autotune_20MB_rtt50: the last window offered in each round trip, until something else limits
/// (`tcp_rcv_space_adjust`).
#[test]
fn the_receive_buffer_grows_with_what_is_read_in_a_round_trip() {
    let recorded = [80_896, 80_896, 151_552, 346_112, 694_272, 1_389_568];
    let mut pair = Pair::linux();
    pair.latency = ms(25);
    let mut pair = pair.connected();
    pair.send(0, &pattern(3_000_000));
    pair.run_for(secs(1));
    let first = pair.times(|it| it.from == 1)[0];
    let mut windows = vec![0; recorded.len()];
    for it in pair.log.iter().filter(|it| it.from == 1) {
        let round = (it.at.as_duration().as_millis() as u64 - first) / 50;
        if let Some(window) = windows.get_mut(round as usize) {
            *window = u32::from(it.transmit.header.window) << 10;
        }
    }
    assert_eq!(windows, recorded);
}

/// 31a_rcvbuf_*: SO_RCVBUF; the window scale of the SYN, its window, and that of the next segment
/// (`tcp_select_initial_window`).
#[test]
fn a_fixed_receive_buffer_is_offered_whole_with_the_scale_that_it_needs() {
    for (octets, shift, syn, then) in [
        (2048, 0, 1460, 1460),
        (4096, 0, 2920, 2920),
        (8192, 0, 7300, 7300),
        (32_768, 0, 32_120, 32_120),
        (65_536, 1, 64_240, 32_120),
        (100_000, 1, 65_535, 49_640),
        (262_144, 3, 65_535, 32_668),
        (1_048_576, 5, 65_535, 32_759),
        (4_194_304, 7, 65_535, 32_759),
    ] {
        let fixed =
            || Settings { receive_buffer: octets, receive_buffer_max: None, ..Profile::Linux.settings() };
        let mut pair = Pair::new(fixed(), fixed());
        pair.connect();
        pair.run_for(ms(500));
        let sent: Vec<&Header> =
            pair.log.iter().filter(|it| it.from == 0).map(|it| &it.transmit.header).collect();
        assert_eq!(sent[0].options.window_scale, Some(shift), "{octets}");
        assert_eq!((sent[0].window, sent[1].window), (syn, then), "{octets}");
    }
}

/// 42a_ack_advances_and_sacks: what one acknowledgment says all at once came in order (`tcp_check_sack_reordering`).
#[test]
fn an_acknowledgment_that_advances_and_reports_delays_no_repair() {
    let mut pair = Pair::linux().connected();
    let (mut data, mut acks) = (0, 0);
    pair.path(move |from, sent, _| {
        data += usize::from(from == 0 && sent.header.payload > 0);
        acks += usize::from(from == 1);
        let lost = (from == 0 && data == 2 && sent.header.payload > 0) || (from == 1 && acks == 1);
        if lost { Fate::Drop } else { Fate::Pass }
    });
    pair.send(0, &pattern(10 * MSS));
    pair.run_for(secs(1));
    let again = pair.times(|it| it.transmit.purpose == Purpose::FastRetransmission);
    assert_eq!(again, [1000 + 40], "one round trip later");
}

/// 49b_undo_by_dsack_nothing_in_flight, and while the repair still goes on (`tcp_try_undo_dsack`): without timestamps the
/// D-SACK alone shows that nothing was lost.
#[test]
fn a_d_sack_undoes_a_repair_that_goes_on_or_is_over() {
    let flights = [false, true].map(|goes_on| {
        let settings = || Settings { timestamps: false, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings()).connected();
        let mut seen = 0;
        pair.path(move |from, sent, _| {
            let data = from == 0 && sent.header.payload > 0 && sent.purpose == Purpose::Normal;
            seen += usize::from(data);
            match seen {
                2 if data => Fate::Delay(ms(25)),
                // Sent before the repair began, so that it goes on until they have arrived.
                11..=14 if data && goes_on => Fate::Delay(ms(6)),
                _ => Fate::Pass,
            }
        });
        pair.send(0, &pattern(if goes_on { 40 } else { 10 } * 1460));
        pair.run_for(ms(if goes_on { 80 } else { 120 }));
        if !goes_on {
            pair.send(0, &pattern(20 * 1460));
        }
        let now = pair.now;
        pair.log.iter().filter(|it| it.at == now && it.transmit.purpose == Purpose::Normal).count()
    });
    assert_eq!(flights, [11, 6], "as many as the window takes that was restored");
}

/// A client that has sent three segments of which the first is lost, to a server that says `window` from then on.
fn shrunk(window: u16) -> Lone {
    let mut lone = Lone::new(Settings { sack: true, ..plain(100) });
    lone.connect();
    lone.sent_now();
    let options = Options { mss: Some(1000), sack_permitted: true, ..Options::default() };
    lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, options);
    lone.endpoint.send(lone.now, lone.id(), &[1; 5000]).unwrap();
    assert_eq!(lone.sent_now().len(), 5);
    lone.now += ms(40);
    let mut options = Options::default();
    options.sack.push(Seq(1101), Seq(4101));
    lone.deliver_with(ACK, 301, 101, b"", window, options);
    lone
}

/// 44a_shrunk_window_retransmission, 44c_window_shrunk_to_zero (`__tcp_retransmit_skb`).
#[test]
fn what_is_sent_again_keeps_to_a_window_that_shrank() {
    for (window, sent) in [(65_535, vec![(101, 1000)]), (512, vec![(101, 512)]), (0, vec![(101, 1000)])] {
        let mut lone = shrunk(window);
        let mut again = lone.wait();
        while again.is_empty() {
            again = lone.wait();
        }
        let again: Vec<(u32, usize)> = again.into_iter().map(|(_, seq, _, len)| (seq, len)).collect();
        assert_eq!(again, sent, "{window}");
    }
}

/// The last segment lies beyond the window (`tcp_send_loss_probe`): the timer follows, without a probe before it.
#[test]
fn no_tail_loss_probe_goes_beyond_the_window() {
    for (window, first_again) in [(65_535, (2201, 1100)), (1500, (1, 1100))] {
        let mut lone = Lone::new(Settings { sack: true, ..plain(100) });
        lone.connect();
        lone.sent_now();
        lone.now += ms(40);
        let options = Options { mss: Some(1100), sack_permitted: true, ..Options::default() };
        lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, options);
        lone.endpoint.send(lone.now, lone.id(), &[1; 3300]).unwrap();
        assert_eq!(lone.sent_now().len(), 3);
        lone.deliver_with(ACK, 301, 101, b"", window, Options::default());
        let mut again = lone.wait();
        while again.is_empty() {
            again = lone.wait();
        }
        assert_eq!((again[0].1 - 100, again[0].3), first_again, "{window}");
    }
}

/// 08b_kill9_unread_data and others: a RST that is no answer has timestamps and a window as every segment
/// (`tcp_send_active_reset`).
#[test]
fn the_reset_of_a_close_has_timestamps_and_a_window() {
    let mut pair = Pair::linux().connected();
    pair.reads[1] = false;
    pair.send(0, &[1; 100]);
    pair.run_for(ms(100));
    pair.close(1);
    let reset = &pair.log.last().unwrap().transmit.header;
    assert_eq!(reset.flags, RST | ACK);
    assert!(reset.window > 0 && reset.options.timestamps.is_some());
}

/// 54a_keepalive_probe_timestamp and 54b_ack_beyond_snd_nxt: a segment that is not acceptable has no timestamp that counts
/// (RFC 7323 §5.3, R2; `tcp_ack`); the last one repeated has (54d_duplicate_future_timestamp).
#[test]
fn only_an_acceptable_segment_moves_the_echo() {
    // (seq, ack, len, whether its timestamp is echoed), relative to rcv.nxt and snd.nxt.
    for (seq, ack, len, echoed) in [(0, 0, 10, true), (-1, 0, 0, false), (0, 1, 0, false), (-10, 0, 10, true)]
    {
        let settings = Settings { timestamps: true, ..plain(100) };
        let mut lone = Lone::new(settings);
        lone.connect();
        lone.sent_now();
        let stamped =
            |value| Options { timestamps: Some(crate::Timestamps { value, echo: 0 }), ..Options::default() };
        lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, stamped(1000));
        lone.deliver_with(ACK, 301, 101, &[1; 20], 65_535, stamped(1000));
        let (seq, ack) = (321_u32.wrapping_add_signed(seq), 101 + ack);
        lone.deliver_with(ACK, seq, ack, &vec![2; len], 65_535, stamped(2000));
        lone.endpoint.send(lone.now, lone.id(), b"x").unwrap();
        let echo = lone.transmits().last().unwrap().header.options.timestamps.unwrap().echo;
        assert_eq!(echo, if echoed { 2000 } else { 1000 }, "{seq} {ack} {len}");
    }
}

/// 41b_tiny_window_2000: a window that takes no two segments is filled by halves (`tcp_bound_to_half_wnd`).
#[test]
fn a_segment_takes_no_more_than_half_of_the_largest_window() {
    // (the largest window, octets in a segment): a window of 536 or less is taken whole, and 48 octets at least.
    for (window, len) in [(65_535, 1000), (2000, 1000), (1200, 600), (540, 270), (536, 536), (20, 20)] {
        let mut lone = Lone::new(plain(100));
        lone.connect();
        lone.sent_now();
        let options = Options { mss: Some(1000), ..Options::default() };
        lone.deliver_with(SYN | ACK, 300, 101, b"", window, options);
        lone.write(&[1; 5000]);
        let mut sent = lone.sent_now();
        if sent.is_empty() {
            sent = lone.wait();
        }
        assert_eq!(sent.first().map(|segment| segment.3), Some(len), "{window}");
    }
}

/// 68a_reordering_then_loss, and 68b without SACK: a segment that arrives 8 ms late makes the proof of a loss longer, where the
/// profile lets it (`tcp_check_sack_reordering`).
#[test]
fn a_path_that_reorders_asks_for_more_duplicates() {
    // (SACK, the most duplicates, those asked for then, when the next loss is repaired).
    for (sack, max_dup_thresh, reordering, repaired) in
        [(true, 300, 8, 65), (true, 3, 3, 65), (false, 300, 8, 80), (false, 3, 3, 40)]
    {
        let settings = || Settings { sack, max_dup_thresh, ..Profile::Linux.settings() };
        let mut pair = Pair::new(settings(), settings()).connected();
        let mut seen = 0;
        pair.path(move |from, sent, _| {
            let new = from == 0 && sent.header.payload > 0 && sent.purpose == Purpose::Normal;
            seen += u32::from(new);
            match seen {
                3 if new => Fate::Delay(ms(8)),
                24 if new => Fate::Drop,
                _ => Fate::Pass,
            }
        });
        pair.send(0, &pattern(20 * MSS));
        pair.run_for(ms(700));
        let info = pair.info(0);
        assert_eq!(info.reordering, reordering, "SACK {sack}");
        let (start, before) = (pair.now, pair.log.len());
        pair.send(0, &pattern(20 * MSS));
        pair.run_for(ms(300));
        let again = pair.log[before..].iter().find(|it| it.transmit.purpose == Purpose::FastRetransmission);
        assert_eq!((again.unwrap().at - start).as_millis(), repaired, "SACK {sack}, up to {max_dup_thresh}");
    }
}

/// 65a_sndbuf_*: what a call that does not block takes for a window of 7300 octets, with and without SO_SNDBUF (`tcp_sendmsg`,
/// which transmits while it copies).
#[test]
fn a_write_transmits_while_it_copies() {
    for (send_buffer, taken) in
        [(None, 36_260), (Some(4096), 10_196), (Some(8192), 13_092), (Some(65_536), 102_868)]
    {
        let small = Settings { receive_buffer: 8192, receive_buffer_max: None, ..Profile::Linux.settings() };
        let mut pair = Pair::new(small, Profile::Linux.settings()).connected();
        pair.reads[0] = false;
        let id = pair.id(1);
        if let Some(octets) = send_buffer {
            pair.ends[1].set_send_buffer(pair.now, id, octets);
        }
        pair.send(1, &pattern(400_000));
        assert_eq!(pair.ends[1].status(id).unwrap().unacknowledged, taken, "{send_buffer:?}");
    }
}

/// Room for all that is left, and nothing that could still fill it (`tcp_tso_should_defer`).
#[test]
fn the_end_of_the_stream_does_not_wait_for_more() {
    for (closes, micros) in [(true, 2411), (false, 2548)] {
        let mut pair = Pair::linux();
        pair.latency = ms(1);
        let mut pair = pair.connected();
        let mut sent = 0;
        // As on a link that takes its time for each.
        pair.path(move |from, _, _| {
            sent += u64::from(from == 0);
            Fate::Delay(Duration::from_micros(if from == 0 { sent * 137 } else { 0 }))
        });
        let id = pair.id(0);
        pair.ends[0].send(pair.now, id, &pattern(14 * MSS)).unwrap();
        if closes {
            pair.close(0);
        }
        pair.drain(0);
        let began = pair.now;
        pair.run_for(secs(1));
        let last = pair.log.iter().rfind(|it| it.from == 0 && it.transmit.header.payload > 0).unwrap();
        assert_eq!((last.at - began).as_micros(), micros, "{closes}");
    }
}

/// 66a_rcvbuf_after_connect_131072: SO_RCVBUF on a connected socket; the windows that follow, while nothing is read.
#[test]
fn a_receive_buffer_that_is_set_late_grows_the_window_with_what_arrives() {
    let mut pair = Pair::linux();
    pair.latency = Duration::from_micros(20_250);
    let mut pair = pair.connected();
    pair.reads[1] = false;
    pair.send(0, &pattern(100));
    pair.run_for(ms(450));
    let id = pair.id(1);
    pair.ends[1].receive(pair.now, id, &mut [0; 100]).unwrap();
    pair.ends[1].set_receive_buffer(pair.now, id, 131_072);
    pair.run_for(ms(100));
    pair.log.clear();
    for _ in 0..8 {
        pair.send(0, &pattern(3000));
        pair.run_for(ms(100));
    }
    let windows: Vec<u16> =
        pair.log.iter().filter(|it| it.from == 1).map(|it| it.transmit.header.window).collect();
    let recorded = [
        67, 70, 70, 73, 76, 76, 79, 81, 81, 84, 87, 87, 90, 93, 93, 96, 98, 98, 101, 104, 104, 107, 110, 110,
    ];
    assert_eq!(windows, recorded, "times 1024");
}
