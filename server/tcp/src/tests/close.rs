//! Closing: who sends which FIN, who waits, and who is reset.

use super::pair::{Fate, Pair, gaps};
use super::*;
use crate::{Cause, Errno, Purpose};
use State::*;

fn close_both(mut pair: Pair, server_waits: Duration) -> Pair {
    pair.close(0);
    pair.run_for(ms(20));
    pair.run_for(server_waits);
    pair.close(1);
    pair.run();
    pair
}

/// Recording 01a: the server closes as soon as it reads the end; its ACK and FIN are one segment.
#[test]
fn ack_and_fin_travel_together_when_the_application_is_ready() {
    let pair = close_both(Pair::linux().connected(), Duration::ZERO);
    assert_eq!(pair.sent(0), [(FIN | ACK, 0), (ACK, 0)]);
    assert_eq!(pair.sent(1), [(FIN | ACK, 0)]);
}

/// A pair that has exchanged a request and its answer.
fn exchanged() -> Pair {
    let mut pair = Pair::linux().connected();
    for end in [0, 1] {
        pair.send(end, &[7; 100]);
        pair.run_for(secs(1));
    }
    pair.log.clear();
    pair
}

/// Recording 01b: half a second later it takes four segments, the first ACK more than 40 ms late.
#[test]
fn four_segments_when_the_application_takes_its_time() {
    let pair = close_both(exchanged(), ms(500));
    assert_eq!(pair.sent(0), [(FIN | ACK, 0), (ACK, 0)]);
    assert_eq!(pair.sent(1), [(ACK, 0), (FIN | ACK, 0)]);
    let times = pair.times(|_| true);
    assert_eq!(times[1] - times[0], 20 + 41);
    assert_eq!(pair.states(0), [Closed, SynSent, Established, FinWait1, FinWait2, TimeWait, Closed]);
    assert_eq!(pair.states(1), [Listen, SynReceived, Established, CloseWait, LastAck, Closed]);
    assert_eq!(pair.ends[0].connections().count() + pair.ends[1].connections().count(), 0, "forgotten");
}

/// Recordings 40b and 40c: where no data has arrived there is no dialogue, and no time to wait for its next line.
#[test]
fn a_fin_without_any_data_before_it_is_acknowledged_at_once() {
    let pair = close_both(Pair::linux().connected(), ms(500));
    assert_eq!(pair.sent(1), [(ACK, 0), (FIN | ACK, 0)]);
    let times = pair.times(|_| true);
    assert_eq!(times[1] - times[0], 20 + 1, "at the next tick");
}

/// Recording 50_rtt2_fin_at_tail_13: a segment with data and FIN is acknowledged as a FIN is, although those before it were
/// acknowledged at once.
#[test]
fn data_with_a_fin_waits_for_the_answer_as_a_fin_does() {
    let mut pair = Pair::linux().connected();
    let id = pair.id(0);
    pair.ends[0].send(pair.now, id, &[1; 100]).unwrap();
    pair.close(0);
    pair.run_for(ms(20));
    assert_eq!(pair.sent(0), [(FIN | PSH | ACK, 100)]);
    assert_eq!(pair.sent(1), []);
    pair.close(1);
    assert_eq!(pair.sent(1), [(FIN | ACK, 0)]);
}

/// Recording 01c.
#[test]
fn a_half_closed_connection_still_carries_data() {
    let mut pair = Pair::linux().connected();
    pair.shutdown(0);
    for _ in 0..3 {
        pair.run_for(ms(200));
        pair.send(1, &[7; 1024]);
    }
    pair.close(1);
    pair.run();
    assert_eq!(pair.read[0], [7; 3072]);
    assert_eq!(pair.ended, [Some(Ok(())), Some(Ok(()))]);
    assert_eq!(pair.states(0)[2..], [Established, FinWait1, FinWait2, TimeWait, Closed]);
}

/// Recording 04a.
#[test]
fn both_close_at_once() {
    let mut pair = Pair::linux().connected();
    pair.close(0);
    pair.close(1);
    pair.run();
    for end in 0..2 {
        assert_eq!(pair.sent(end), [(FIN | ACK, 0), (ACK, 0)]);
        assert_eq!(pair.states(end)[2..], [Established, FinWait1, Closing, TimeWait, Closed]);
    }
}

/// Recording 03b: the FIN comes again, TIME-WAIT acknowledges it again and waits a full minute from then.
#[test]
fn time_wait_acknowledges_again_and_starts_anew() {
    let mut pair = Pair::linux().connected();
    let mut fins = 0;
    pair.path(move |from, sent, _| {
        fins += u32::from(from == 1 && sent.header.flags.contains(FIN));
        if from == 0 && fins == 1 && !sent.header.flags.contains(FIN) { Fate::Drop } else { Fate::Pass }
    });
    let pair = close_both(pair, ms(300));
    let fins = pair.times(|passed| passed.from == 1 && passed.transmit.header.flags.contains(FIN));
    assert_eq!(fins.len(), 2);
    let end = pair.events[0].last().unwrap().0;
    assert_eq!(end.as_nanos() / 1_000_000, fins[1] + 20 + 60_000);
    assert_eq!(pair.states(1).last(), Some(&Closed));
}

/// Recordings 02_client_fin_dropped_*: a tail loss probe, then the timer without backoff, then doubled.
#[test]
fn a_lost_fin_is_sent_again_until_it_arrives() {
    for (settings, expected) in [
        (Profile::Linux.settings(), [240, 240, 480, 960]),
        (Settings { tail_loss_probe: false, ..Profile::Linux.settings() }, [240, 480, 960, 1920]),
    ] {
        let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
        let mut fins = 0;
        pair.path(move |from, sent, _| {
            fins += u32::from(from == 0 && sent.header.flags.contains(FIN));
            if from == 0 && fins <= 4 { Fate::Drop } else { Fate::Pass }
        });
        pair.close(0);
        pair.run_for(secs(5));
        let fins = pair.times(|passed| passed.from == 0 && passed.transmit.header.flags.contains(FIN));
        assert_eq!(gaps(&fins), expected);
        assert_eq!(pair.state(1), CloseWait);
    }
}

/// Recording 02_client_fin_dropped_all_orphan_default: FIN, one probe, eight timeouts, and silence at 127 s.
#[test]
fn an_orphan_gives_up_its_fin_in_silence() {
    let mut pair = Pair::linux().connected();
    pair.path(|_, sent, _| if sent.header.flags.contains(FIN) { Fate::Drop } else { Fate::Pass });
    pair.close(0);
    pair.run_for(secs(200));
    assert_eq!(pair.log.iter().filter(|passed| passed.transmit.purpose == Purpose::TailLossProbe).count(), 1);
    assert_eq!(pair.log.len(), 1 + 1 + 8);
    assert_eq!(pair.states(0)[2..], [Established, FinWait1, Closed]);
    let gone = pair.events[0].last().unwrap().0.as_duration().as_secs();
    assert!((122..=129).contains(&gone), "{gone}");
    assert_eq!(pair.state(1), Established, "half-open");
}

/// Recordings 14a4 and 02_server_fin_dropped_all_client_shutdown.
#[test]
fn only_orphans_leave_fin_wait_2_by_themselves() {
    let mut pair = Pair::linux().connected();
    pair.close(0);
    pair.run_for(secs(61));
    assert_eq!(pair.states(0)[2..], [Established, FinWait1, FinWait2, Closed]);
    let mut pair = Pair::linux().connected();
    pair.shutdown(0);
    pair.run_for(secs(86_400));
    assert_eq!(pair.state(0), FinWait2);
    pair.close(0);
    pair.run_for(secs(61));
    assert_eq!(pair.state(0), Closed);
}

/// Recordings 12a and 14a3: data for a closed application is answered by RST; the sender gets EPIPE.
#[test]
fn data_for_a_closed_application_is_reset() {
    let mut pair = Pair::linux().connected();
    pair.close(0);
    pair.run_for(secs(1));
    assert_eq!(pair.state(0), FinWait2);
    pair.send(1, &[1; 100]);
    pair.run_for(secs(1));
    assert_eq!(pair.sent(0).last(), Some(&(RST, 0)));
    assert_eq!((pair.states(0).last(), pair.states(1).last()), (Some(&Closed), Some(&Closed)));
    let id = pair.id(1);
    let now = pair.now;
    assert_eq!(pair.ends[1].send(now, id, b"more"), Err(Errno::BrokenPipe));
}

/// Recordings 08b and 08a.
#[test]
fn closing_with_unread_data_resets_and_without_does_not() {
    let mut pair = Pair::linux().connected();
    pair.reads[0] = false;
    pair.send(1, &[1; 100]);
    pair.run_for(ms(100));
    pair.close(0);
    pair.run();
    assert_eq!(pair.sent(0).last(), Some(&(RST | ACK, 0)));
    assert_eq!(pair.ended[1], Some(Err(Errno::ConnectionReset)));
    assert_eq!(pair.states(1)[2..], [Established, Closed]);
}

/// Recording 08f: the first call gets ECONNRESET, then send EPIPE and receive the end.
#[test]
fn the_error_of_a_reset_is_told_once() {
    let mut pair = Pair::linux().connected();
    pair.reads[1] = false;
    let (now, id) = (pair.now, pair.id(0));
    pair.ends[0].abort(now, id);
    pair.drain(0);
    pair.run();
    let (now, id) = (pair.now, pair.id(1));
    let server = &mut pair.ends[1];
    assert_eq!(server.send(now, id, b"x"), Err(Errno::ConnectionReset));
    assert_eq!(server.send(now, id, b"x"), Err(Errno::BrokenPipe));
    assert_eq!(server.receive(now, id, &mut [0; 9]), Ok(crate::Received::End));
}

#[test]
fn the_process_dies_and_the_kernel_closes_everything() {
    let mut pair = Pair::linux().connected();
    let (now, id) = (pair.now, pair.id(1));
    pair.ends[1].close_listener(now, pair.listener);
    pair.ends[1].close(now, id);
    pair.drain(1);
    pair.run_for(secs(1));
    assert_eq!(pair.sent(1)[0], (FIN | ACK, 0));
    assert_eq!(pair.state(0), CloseWait);
    let now = pair.now;
    let id = pair.ends[0].connect(now, None, "10.0.0.2:80".parse().unwrap()).unwrap();
    pair.drain(0);
    pair.run_for(secs(1));
    let now = pair.now;
    assert_eq!(pair.ends[0].receive(now, id, &mut [0]), Err(Errno::ConnectionRefused));
}

/// Recordings 76a to 76h: a connection in SYN-RECEIVED outlives its listener, and ends in silence: when its timer fires, or
/// when anything arrives, which then meets what is there without it.
#[test]
fn a_connection_in_syn_received_ends_after_its_listener() {
    let closed = || {
        let mut lone = Lone::in_state(SynReceived, plain(100));
        lone.endpoint.close_listener(lone.now, lone.listener.unwrap());
        assert_eq!((lone.sent_now(), lone.state()), (vec![], SynReceived));
        lone.events();
        lone
    };
    let end = |lone: &mut Lone| {
        lone.events().into_iter().find_map(|event| match event {
            EventKind::Transition { from, to, cause } => Some((from, to, cause)),
            _ => None,
        })
    };
    let silence = Some((SynReceived, Closed, Cause::ListenerClosed));

    let mut lone = closed();
    assert_eq!(lone.wait(), [], "no SYN+ACK any more");
    assert_eq!((lone.now, end(&mut lone)), (Instant::ZERO + secs(1), silence));
    assert_eq!(lone.endpoint.poll_timeout(), None);

    for (segment, answer) in [
        ((ACK, 301, 101, 0), vec![(RST, 101, 0, 0)]),
        ((ACK, 301, 101, 10), vec![(RST, 101, 0, 0)]),
        ((SYN, 300, 0, 0), vec![(RST | ACK, 0, 301, 0)]),
        ((RST | ACK, 301, 101, 0), vec![]),
    ] {
        let mut lone = closed();
        assert_eq!(lone.deliver(segment).1, answer, "{segment:?}");
        assert_eq!(end(&mut lone), silence, "{segment:?}");
    }

    // Another listener on the port takes a SYN, and no more of the old connection than that.
    let mut lone = closed();
    lone.listen();
    assert_eq!(lone.deliver((ACK, 301, 101, 0)).1, [(RST, 101, 0, 0)]);
    let mut lone = closed();
    lone.listen();
    assert_eq!(lone.deliver((SYN, 300, 0, 0)).1, [(SYN | ACK, 100, 301, 0)]);
    assert_eq!(lone.deliver((ACK, 301, 101, 0)).1, []);
    assert!(lone.endpoint.accept(lone.listener.unwrap()).is_some());
}

/// Recordings 14c and 11h.
#[test]
fn time_wait_ends_by_a_new_syn_or_a_reset() {
    let mut lone = Lone::in_state(TimeWait, plain(100));
    lone.listen();
    assert_eq!(lone.deliver((SYN, 200, 0, 0)).1, [(ACK, 102, 302, 0)], "an old SYN");
    lone.endpoint.set_initial_sequence(500);
    assert_eq!(lone.deliver((SYN, 400, 0, 0)).1, [(SYN | ACK, 500, 401, 0)]);
    assert_eq!(lone.path(), [TimeWait, Closed, SynReceived], "the second connection starts in LISTEN");

    let settings = Settings { reset_ends_time_wait: false, ..plain(100) };
    let mut lone = Lone::in_state(TimeWait, settings);
    lone.deliver((RST, 302, 0, 0));
    assert_eq!(lone.state(), TimeWait, "RFC 1337");
}

/// Linux `tcp_timewait_check_oow_rate_limit`: two ends that do not know each other would acknowledge each other's
/// acknowledgments for ever.
#[test]
fn time_wait_does_not_answer_every_empty_segment() {
    let mut lone = Lone::in_state(TimeWait, plain(100));
    let mut answers = |segment| lone.deliver(segment).1.len();
    let stray = (ACK, 9000, 50, 0);
    assert_eq!([answers(stray), answers(stray)], [1, 0]);
    let fin = (FIN | ACK, 301, 102, 0);
    assert_eq!([answers(fin), answers(fin)], [1, 1], "a FIN is no part of such a loop");
    lone.now += secs(1);
    assert_eq!(lone.deliver(stray).1, [(ACK, 102, 302, 0)]);
}
