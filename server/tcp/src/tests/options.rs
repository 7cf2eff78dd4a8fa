//! Socket options, the flags of `send`, readiness, and `shutdown(SHUT_RD)`.

use super::pair::{Fate, Pair, pattern};
use super::*;
use crate::{
    Cause, Errno, Keepalive, KeepaliveSettings, ListenOptions, Purpose, Readiness, Received, SendFlags,
    SocketOptions, Timer,
};

fn void(mut pair: Pair) -> Pair {
    pair.path(|_, _, _| Fate::Drop);
    pair
}

fn patient(timeout: Duration) -> Settings {
    Settings { user_timeout: Some(timeout), ..Profile::Linux.settings() }
}

/// Why the connection of one end changed its state last.
fn end(pair: &Pair, end: usize) -> Cause {
    let causes = pair.events[end].iter().rev().filter_map(|(_, event)| match event.kind {
        EventKind::Transition { cause, .. } => Some(cause),
        _ => None,
    });
    causes.into_iter().next().unwrap()
}

/// Recording 07e: 3,000 ms from the first timeout, 3.52 s after the call.
#[test]
fn the_user_timeout_of_data_counts_from_the_first_timeout() {
    let mut pair = void(Pair::new(patient(ms(3000)), Profile::Linux.settings()).connected());
    let start = pair.now;
    pair.send(0, &[1; 1024]);
    pair.run();
    assert_eq!(pair.events[0].last().unwrap().0 - start, ms(240 + 240 + 3000));
    assert_eq!(end(&pair, 0), Cause::UserTimeout(Timer::Retransmission));
    assert_eq!(pair.ended[0], Some(Err(Errno::TimedOut)));
}

/// Recording 06c: 2,500 ms from the first SYN.
#[test]
fn the_user_timeout_of_a_connect_counts_from_the_syn() {
    let mut pair = void(Pair::new(patient(ms(2500)), Profile::Linux.settings()));
    pair.connect();
    pair.run();
    assert_eq!(pair.events[0].last().unwrap().0, Instant::ZERO + ms(2500));
    assert_eq!(end(&pair, 0), Cause::UserTimeout(Timer::Retransmission));
}

/// Recording 07d: with 3,500 ms two probes are sent, and the third interval ends the connection.
#[test]
fn the_user_timeout_takes_the_place_of_the_probe_count() {
    let keepalive = Some(KeepaliveSettings { idle: secs(2), interval: secs(1), probes: 9 });
    let settings = Settings { keepalive, ..patient(ms(3500)) };
    let mut pair = void(Pair::new(Profile::Linux.settings(), settings).connected());
    pair.run();
    let dead = Keepalive::Dead { probes: 2, silence: secs(4) };
    assert!(pair.events[1].iter().any(|(_, event)| event.kind == EventKind::Keepalive(dead)));
    assert_eq!(end(&pair, 1), Cause::UserTimeout(Timer::Keepalive));
}

#[test]
fn the_user_timeout_ends_probing_a_window_that_stays_closed() {
    let mut pair = Pair::new(patient(secs(30)), Profile::Linux.settings()).connected();
    pair.reads[1] = false;
    pair.send(0, &[1; 200_000]);
    pair.run_for(secs(120));
    assert_eq!(pair.ended[0], Some(Err(Errno::TimedOut)));
    let probes = pair.log.iter().filter(|passed| passed.transmit.purpose == Purpose::WindowProbe);
    assert!(probes.count() >= 5, "they were answered");
    assert_eq!(end(&pair, 0), Cause::UserTimeout(Timer::Persist));
}

/// Recording 08d.
#[test]
fn linger_zero_makes_close_a_reset() {
    for (linger, flags) in [(Some(Duration::ZERO), RST | ACK), (Some(secs(2)), FIN | ACK), (None, FIN | ACK)]
    {
        let mut pair = Pair::linux().connected();
        let (now, id) = (pair.now, pair.id(0));
        pair.ends[0].set_linger(now, id, linger);
        pair.close(0);
        assert_eq!(pair.sent(0), [(flags, 0)]);
    }
}

/// Recording 12d: data is still taken and acknowledged; the reader sees it, then the end.
#[test]
fn shutting_the_read_side_tells_the_peer_nothing() {
    let mut pair = Pair::linux().connected();
    pair.reads[0] = false;
    let (now, id) = (pair.now, pair.id(0));
    assert_eq!(pair.ends[0].shutdown_read(now, id), Ok(()));
    pair.send(1, &[1; 100]);
    pair.run_for(secs(1));
    assert_eq!(pair.sent(0), [(ACK, 0)]);
    let mut buffer = [0; 200];
    let now = pair.now;
    assert_eq!(pair.ends[0].receive(now, id, &mut buffer), Ok(Received::Octets(100)));
    assert_eq!(pair.ends[0].receive(now, id, &mut buffer), Ok(Received::End));
}

#[test]
fn a_smaller_receive_buffer_closes_the_window_earlier() {
    let mut pair = Pair::linux().connected();
    let (now, id) = (pair.now, pair.id(1));
    pair.reads[1] = false;
    pair.ends[1].set_receive_buffer(now, id, 80_000);
    pair.send(0, &[1; 200_000]);
    pair.run_for(secs(5));
    // Linux sets aside twice as much memory, of which five eighths hold data, and rounds each
    // window up.
    let unread = pair.ends[1].status(id).unwrap().unread;
    assert!((64_000..=112_000).contains(&unread), "{unread}");
}

const MORE: SendFlags = SendFlags { more: true, end_of_record: false };
const EOR: SendFlags = SendFlags { more: false, end_of_record: true };

/// Writes as much as fits, and transmits meanwhile.
fn write(pair: &mut Pair, octets: usize, flags: SendFlags) -> usize {
    let (now, id) = (pair.now, pair.id(0));
    let mut count = 0;
    while count < octets {
        match pair.ends[0].send_with(now, id, &vec![1; octets - count], flags).unwrap() {
            0 => break,
            taken => count += taken,
        }
        pair.drain(0);
    }
    count
}

/// Sets options of the first end.
fn set(pair: &mut Pair, options: &SocketOptions) {
    let (now, id) = (pair.now, pair.id(0));
    pair.ends[0].set_options(now, id, options);
    pair.drain(0);
}

fn cork(on: bool) -> SocketOptions {
    SocketOptions { cork: Some(on), ..SocketOptions::NONE }
}

/// The data of the segments that the first end has sent, each with its time since `start`, in milliseconds.
fn data(pair: &Pair, start: Instant) -> Vec<(u64, u32)> {
    let sent = pair.log.iter().filter(|passed| passed.from == 0 && passed.transmit.header.payload > 0);
    sent.map(|passed| ((passed.at - start).as_millis() as u64, passed.transmit.header.payload)).collect()
}

/// Recording 60a_cork: an RTO of 240 ms.
#[test]
fn a_corked_socket_sends_full_segments_and_the_rest_late() {
    let mut pair = Pair::linux().connected();
    let start = pair.now;
    set(&mut pair, &cork(true));
    write(&mut pair, 100, SendFlags::default());
    pair.run_for(ms(100));
    write(&mut pair, 200, SendFlags::default());
    pair.run_for(ms(900));
    assert_eq!(data(&pair, start), [(240, 300)]);
    write(&mut pair, 2000, SendFlags::default());
    pair.run_for(ms(50));
    set(&mut pair, &cork(false));
    assert_eq!(data(&pair, start)[1..], [(1000, 1448), (1050, 552)]);
    set(&mut pair, &cork(true));
    pair.run_for(ms(950));
    write(&mut pair, 50, SendFlags::default());
    set(&mut pair, &SocketOptions { nodelay: Some(true), ..SocketOptions::NONE });
    assert_eq!(data(&pair, start)[3..], [(2000, 50)]);
    write(&mut pair, 60, SendFlags::default());
    pair.shutdown(0);
    assert_eq!(data(&pair, start)[4..], [(2000, 60)], "nothing follows that it could wait for");
}

/// TCP_NODELAY ends the wait of what waits for more, not that of what the window does not take (RFC 9293 §3.8.6.2.1).
#[test]
fn switching_nodelay_on_does_not_fill_a_small_window() {
    // Four segments, and 208 octets.
    let small = Settings { receive_buffer: 6000, whole_segment_window: false, ..Profile::Rfc9293.settings() };
    let mut pair = Pair::new(Profile::Rfc9293.settings(), small).connected();
    let start = pair.now;
    pair.send(0, &pattern(20_000));
    pair.run_for(ms(10));
    let before = data(&pair, start);
    assert_eq!(before, [(0, 1448); 4]);
    set(&mut pair, &SocketOptions { nodelay: Some(true), ..SocketOptions::NONE });
    pair.run_for(ms(1));
    assert_eq!(data(&pair, start), before);
}

/// Recording 60b.
#[test]
fn what_is_written_with_more_to_come_waits_for_it_or_for_an_acknowledgment() {
    let mut pair = Pair::linux().connected();
    let start = pair.now;
    write(&mut pair, 100, MORE);
    pair.run_for(ms(50));
    write(&mut pair, 200, SendFlags::default());
    assert_eq!(data(&pair, start), [(50, 300)]);
    pair.run_for(ms(450));
    write(&mut pair, 100, MORE);
    pair.run_for(ms(500));
    assert_eq!(data(&pair, start)[1..], [(740, 100)], "an RTO");
    write(&mut pair, 2000, MORE);
    pair.run_for(ms(500));
    assert_eq!(data(&pair, start)[2..], [(1000, 1448), (1040, 552)]);
}

/// Recording 60c: of several records only the last waits for an acknowledgment.
#[test]
fn no_segment_goes_beyond_the_end_of_a_record() {
    let mut pair = Pair::linux().connected();
    let start = pair.now;
    let id = pair.id(0);
    for octets in [100, 200, 300] {
        assert_eq!(pair.ends[0].send_with(start, id, &vec![1; octets], EOR), Ok(octets));
    }
    pair.drain(0);
    pair.run_for(secs(1));
    assert_eq!(data(&pair, start), [(0, 100), (0, 200), (40, 300)]);
    write(&mut pair, 2000, EOR);
    write(&mut pair, 100, SendFlags::default());
    let sizes: Vec<u32> = data(&pair, start)[3..].iter().map(|(_, octets)| *octets).collect();
    assert_eq!(sizes, [1448, 552]);
}

/// Recording 60d.
#[test]
fn records_are_not_merged_when_they_are_sent_again() {
    let mut pair = Pair::linux().connected();
    set(&mut pair, &SocketOptions { nodelay: Some(true), ..SocketOptions::NONE });
    let mut lost = 0;
    pair.path(move |from, transmit, _| {
        let drops = from == 0 && transmit.header.payload > 0 && lost < 3;
        lost += u32::from(drops);
        if drops { Fate::Drop } else { Fate::Pass }
    });
    for octets in [100, 200, 300] {
        write(&mut pair, octets, EOR);
    }
    pair.run_for(secs(5));
    let sent: Vec<u32> =
        pair.sent(0).iter().map(|(_, octets)| *octets).filter(|octets| *octets > 0).collect();
    assert!(sent.iter().all(|octets| [100, 200, 300].contains(octets)), "{sent:?}");
    assert_eq!(pair.read[1].len(), 600);
}

/// Recording 60e: the window scale follows from SO_RCVBUF as it is when the SYN is made.
#[test]
fn a_receive_buffer_set_before_the_syn_decides_the_window_scale() {
    for (octets, scale) in [(16_384, 0), (100_000, 1), (1 << 20, 5)] {
        let mut pair = Pair::linux();
        let remote = "10.0.0.2:80".parse().unwrap();
        let id = pair.ends[0].connect(pair.now, None, remote).unwrap();
        let options = SocketOptions { receive_buffer: Some(octets), ..SocketOptions::NONE };
        pair.ends[0].set_options(pair.now, id, &options);
        pair.drain(0);
        assert_eq!(pair.log[0].transmit.header.options.window_scale, Some(scale));
        let later = SocketOptions { receive_buffer: Some(1 << 24), ..SocketOptions::NONE };
        pair.ends[0].set_options(pair.now, id, &later);
        pair.run_for(secs(2));
        let syns = pair.log.iter().filter(|passed| passed.from == 0 && passed.transmit.header.flags == SYN);
        assert!(syns.map(|passed| passed.transmit.header.options.window_scale).all(|it| it == Some(scale)));
    }
}

/// Recordings 60f: TCP_MAXSEG bounds both directions, and connections inherit it from their listener.
#[test]
fn the_mss_of_a_socket_bounds_what_it_sends_and_what_it_takes() {
    let mut pair = Pair::linux();
    let remote = "10.0.0.2:80".parse().unwrap();
    let id = pair.ends[0].connect(pair.now, None, remote).unwrap();
    pair.ends[0].set_options(pair.now, id, &SocketOptions { mss: Some(700), ..SocketOptions::NONE });
    pair.ids[0] = Some(id);
    pair.drain(0);
    pair.run_for(secs(1));
    assert_eq!(pair.log[0].transmit.header.options.mss, Some(700));
    pair.send(0, &[1; 3000]);
    pair.send(1, &[1; 3000]);
    pair.run_for(secs(1));
    for end in [0, 1] {
        assert_eq!(pair.sent(end).iter().map(|(_, octets)| *octets).max(), Some(688));
    }
}

#[test]
fn connections_inherit_the_options_of_their_listener() {
    let keepalive = KeepaliveSettings { idle: secs(5), interval: secs(1), probes: 2 };
    let options = SocketOptions {
        keepalive: Some(Some(keepalive)),
        receive_buffer: Some(16_384),
        mss: Some(800),
        ..SocketOptions::NONE
    };
    let mut pair = Pair::linux();
    pair.ends[1].close_listener(Instant::ZERO, pair.listener);
    let listen = ListenOptions { options, ..ListenOptions::new(8) };
    pair.listener = pair.ends[1].listen_with(Instant::ZERO, 80, listen).unwrap();
    pair.connect();
    pair.run_for(secs(1));
    let answer = pair.log.iter().find(|passed| passed.from == 1).unwrap().transmit.header.options.clone();
    assert_eq!((answer.mss, answer.window_scale), (Some(800), Some(0)));
    let mut pair = void(pair);
    pair.run_for(secs(60));
    assert_eq!(pair.ended[1], Some(Err(Errno::TimedOut)), "its keepalive found out");
}

/// Recordings 60h and 60i: a writer goes on once a third of the buffer is free, and half of what may wait is sent.
#[test]
fn a_socket_is_writable_once_enough_is_free_and_enough_is_sent() {
    let small = || Settings { receive_buffer: 8192, receive_buffer_max: None, ..Profile::Linux.settings() };
    let lowat = SocketOptions { notsent_lowat: Some(Some(4096)), ..SocketOptions::NONE };
    let buffer = SocketOptions { send_buffer: Some(16_384), ..SocketOptions::NONE };
    for (options, fits) in [(lowat, 13_032), (buffer, 27_512)] {
        let mut pair = Pair::new(Profile::Linux.settings(), small()).connected();
        pair.reads[1] = false;
        set(&mut pair, &options);
        let id = pair.id(0);
        assert!(pair.ends[0].poll(id).writable);
        assert_eq!(write(&mut pair, 100_000, SendFlags::default()), fits);
        assert_eq!(write(&mut pair, 1, SendFlags::default()), 0);
        let queued = |pair: &Pair| pair.ends[0].info(pair.now, id).unwrap();
        assert!(!pair.ends[0].poll(id).writable, "{:?}", queued(&pair));
        pair.reads[1] = true;
        pair.drain(1);
        pair.run_for(secs(2));
        assert!(pair.ends[0].poll(id).writable, "{:?}", queued(&pair));
        assert_eq!((queued(&pair).outq, queued(&pair).notsent_bytes, queued(&pair).inq), (0, 0, 0));
    }
}

#[test]
fn readiness_says_which_directions_are_closed() {
    let mut pair = Pair::linux().connected();
    let id = pair.id(0);
    let open = Readiness { writable: true, ..Readiness::default() };
    assert_eq!(pair.ends[0].readiness(id), open);
    pair.reads[0] = false;
    pair.shutdown(1);
    pair.run_for(secs(1));
    let half = Readiness { readable: true, peer_closed: true, ..open };
    assert_eq!(pair.ends[0].readiness(id), half);
    pair.shutdown(0);
    assert_eq!(pair.ends[0].readiness(id), Readiness { hung_up: true, ..half });

    let mut pair = Pair::linux().connected();
    pair.reads[0] = false;
    let (now, other) = (pair.now, pair.id(1));
    pair.ends[1].abort(now, other);
    pair.drain(1);
    pair.run_for(secs(1));
    let id = pair.id(0);
    let reset = Readiness { readable: true, writable: true, peer_closed: true, hung_up: true, failed: true };
    assert_eq!(pair.ends[0].readiness(id), reset);
}
