//! Opening: SYN, SYN+ACK, ACK, their losses and the queues of a listener.

use super::pair::{Fate, Pair, gaps};
use super::*;
use crate::{Cause, Errno, Timer};
use std::task::Poll;

fn syn_drops(pair: &mut Pair, flags: Flags, count: usize) {
    let mut left = count;
    pair.path(move |_, sent, _| {
        if sent.header.flags == flags && left > 0 {
            left -= 1;
            return Fate::Drop;
        }
        Fate::Pass
    });
}

#[test]
fn both_ends_agree_on_the_options_of_rfc_7323_and_2018() {
    let mut pair = Pair::linux();
    pair.connect();
    pair.run_for(secs(1));
    let options = |at: usize| pair.log[at].transmit.header.options.clone();
    for syn in [options(0), options(1)] {
        assert_eq!((syn.mss, syn.window_scale, syn.sack_permitted), (Some(1460), Some(10), true));
    }
    let (syn, syn_ack, ack) = (options(0), options(1), options(2));
    assert_eq!(syn_ack.timestamps.unwrap().echo, syn.timestamps.unwrap().value);
    assert_eq!(ack.timestamps.unwrap().echo, syn_ack.timestamps.unwrap().value);
    // As in every recording of the kernel.
    let windows: Vec<u16> = pair.log.iter().map(|passed| passed.transmit.header.window).collect();
    assert_eq!(windows, [64_240, 65_160, 63], "the third is scaled by 1024");
}

#[test]
fn what_one_end_does_not_offer_is_not_used() {
    let bare = Settings { timestamps: false, sack: false, window_scale: None, ..Profile::Linux.settings() };
    let mut pair = Pair::new(Profile::Linux.settings(), bare);
    pair.connect();
    pair.run_for(secs(1));
    let syn_ack = &pair.log[1].transmit.header.options;
    assert_eq!((syn_ack.timestamps, syn_ack.window_scale, syn_ack.sack_permitted), (None, None, false));
    assert_eq!(pair.log[2].transmit.header.options, Options::default());
    assert_eq!(pair.log[2].transmit.header.window, 64_240, "not scaled, as in recording 16g");
}

#[test]
fn initial_sequence_numbers_differ_by_secret_clock_and_address() {
    let iss = |secret: u64, at: u64, port: u16| {
        let settings = Profile::Linux.settings();
        let addresses = vec!["10.0.0.1".parse().unwrap()];
        let mut endpoint = Endpoint::new(Config::new(addresses, settings, secret));
        let now = Instant::from_nanos(at);
        endpoint.connect(now, Some(port), "10.0.0.2:80".parse().unwrap()).unwrap();
        endpoint.poll_transmit(now, &mut Vec::new()).unwrap().header.seq
    };
    assert_eq!(iss(1, 0, 1000), iss(1, 0, 1000));
    assert_ne!(iss(1, 0, 1000), iss(2, 0, 1000));
    assert_ne!(iss(1, 0, 1000), iss(1, 0, 1001));
    assert_eq!(iss(1, 0, 1000) + 250, iss(1, 1_000_000, 1000), "a clock of 4 microseconds");
}

/// Recordings 05_syn_dropped_all_default and _syn_retries_2; and the classic series.
#[test]
fn a_syn_that_nobody_answers_is_sent_on_a_schedule() {
    for (settings, expected, end) in [
        (Profile::Linux.settings(), &[1, 1, 1, 1, 1, 2, 4, 8, 16, 32][..], 131),
        (Settings { syn_retries: 2, ..Profile::Linux.settings() }, &[1, 1, 1, 1, 1], 7),
        (Settings { syn_retries: 4, syn_linear_timeouts: 0, ..Profile::Linux.settings() }, &[1, 2, 4, 8], 31),
        (Profile::Rfc9293.settings(), &[1, 2, 4, 8, 16, 32, 60], 183),
    ] {
        let mut pair = Pair::new(settings, Profile::Linux.settings());
        pair.path(|_, _, _| Fate::Drop);
        pair.connect();
        pair.run();
        let mut sent = pair.times(|_| true);
        sent.retain(|at| *at < 1000 * end);
        let seconds: Vec<u64> = gaps(&sent).iter().map(|gap| gap / 1000).collect();
        assert_eq!(seconds, expected, "{end}");
        let (at, _) =
            pair.events[0].iter().rfind(|(_, event)| matches!(event.kind, EventKind::Error(_))).unwrap();
        assert_eq!(at.as_duration().as_secs(), end);
        assert_eq!(pair.ended[0], Some(Err(Errno::TimedOut)));
    }
}

#[test]
fn a_lost_syn_or_syn_ack_is_sent_again_after_a_second() {
    for (flags, count) in [(SYN, 1), (SYN, 2), (SYN | ACK, 1)] {
        let mut pair = Pair::linux();
        syn_drops(&mut pair, flags, count);
        pair.connect();
        pair.run_for(secs(5));
        assert_eq!((pair.state(0), pair.state(1)), (State::Established, State::Established), "{flags}");
        let sent = pair.times(|passed| passed.transmit.header.flags == flags);
        assert_eq!(gaps(&sent)[..count], vec![1000; count], "{flags}");
    }
}

/// Recordings 75a to 75h (`tcp_rcv_synsent_state_process`): any unacceptable acknowledgment hastens the first
/// retransmission of the SYN, and no other; what follows keeps its pace.
#[test]
fn an_unacceptable_acknowledgment_hastens_the_syn_once() {
    for (flags, ack, answer) in [
        (ACK, 100, vec![(RST, 100, 0, 0)]),
        (ACK, 900, vec![(RST, 900, 0, 0)]),
        (SYN | ACK, 900, vec![(RST, 900, 0, 0)]),
        (RST | ACK, 900, vec![]),
    ] {
        let mut lone = Lone::in_state(State::SynSent, plain(100));
        // What comes again before the timer fires, sets it again.
        for at in [40, 44] {
            lone.now = Instant::ZERO + ms(at);
            assert_eq!(lone.deliver((flags, 700, ack, 0)).1, answer, "{flags} {ack}");
        }
        let mut sent = Vec::new();
        for _ in 0..6 {
            assert_eq!(lone.wait(), [(SYN, 100, 0, 0)]);
            sent.push(lone.now.as_duration().as_millis() as u64);
            lone.now += ms(40);
            lone.deliver((flags, 700, ack, 0));
        }
        assert_eq!((sent[0], gaps(&sent)), (52, vec![1000, 1000, 1000, 1000, 2000]), "{flags} {ack}");
    }
    // An acknowledgment that could be of our SYN says nothing of the kind, and neither does a RST without one.
    for segment in [(ACK, 700, 101, 0), (RST, 700, 0, 0)] {
        let mut lone = Lone::in_state(State::SynSent, plain(100));
        lone.now += ms(40);
        assert_eq!(lone.deliver(segment).1, []);
        assert_eq!(lone.endpoint.poll_timeout(), Some(Instant::ZERO + secs(1)), "{segment:?}");
    }
}

/// As 75h, with no retry at all: the hastened timer is the last.
#[test]
fn a_hastened_syn_counts_as_a_retry() {
    let settings = Settings { syn_retries: 0, syn_linear_timeouts: 0, ..plain(100) };
    let mut lone = Lone::in_state(State::SynSent, settings);
    lone.deliver((ACK, 700, 900, 0));
    assert_eq!(lone.wait(), []);
    assert_eq!((lone.now, lone.state()), (Instant::ZERO + ms(8), State::Closed));
}

/// Recording 05_synack_dropped_all_client_gone.
#[test]
fn a_syn_ack_that_nobody_answers_is_sent_six_times() {
    let mut gone = Pair::linux();
    gone.path(|from, _, now| if from == 1 || now > Instant::ZERO { Fate::Drop } else { Fate::Pass });
    gone.connect();
    gone.run();
    let sent: Vec<u64> = gone.times(|passed| passed.from == 1).iter().map(|at| at / 1000).collect();
    assert_eq!(gaps(&sent), [1, 2, 4, 8, 16]);
    assert_eq!(gone.states(1), [State::Listen, State::SynReceived, State::Closed]);
    let (at, event) =
        gone.events[1].iter().rfind(|(_, e)| matches!(e.kind, EventKind::Transition { .. })).unwrap();
    assert_eq!(at.as_duration().as_secs(), 63);
    let EventKind::Transition { cause, .. } = event.kind else { unreachable!() };
    assert_eq!(cause, Cause::GaveUp(Timer::Retransmission));
}

/// Recording 05_final_ack_dropped_*: data completes the handshake.
#[test]
fn a_lost_last_ack_is_made_good_by_data() {
    let mut pair = Pair::linux();
    let mut first = true;
    pair.path(move |_, sent, _| {
        let lost = sent.header.flags == ACK && std::mem::take(&mut first);
        if lost { Fate::Drop } else { Fate::Pass }
    });
    pair.connect();
    pair.run_for(ms(100));
    assert_eq!((pair.state(0), pair.ids[1]), (State::Established, None));
    pair.send(0, b"hello");
    pair.run_for(ms(100));
    assert_eq!(pair.state(1), State::Established);
    assert_eq!(pair.read[1], b"hello");
}

#[test]
fn nobody_listens_and_the_connection_is_refused() {
    let mut lone = Lone::new(plain(100));
    lone.connect();
    lone.sent_now();
    lone.deliver((RST | ACK, 0, 101, 0));
    let id = lone.id();
    assert_eq!(lone.endpoint.connected(id), Poll::Ready(Err(Errno::ConnectionRefused)));
    assert_eq!(lone.path(), [State::Closed, State::SynSent, State::Closed]);
}

#[test]
fn a_repeated_syn_is_answered_by_the_same_syn_ack() {
    let mut lone = Lone::in_state(State::SynReceived, plain(100));
    assert_eq!(lone.deliver((SYN, 300, 0, 0)).1, [(SYN | ACK, 100, 301, 0)]);
}

/// Recording 14e: backlog 1 lets two connections in; the other SYNs are dropped in silence.
#[test]
fn a_full_accept_queue_drops_syns() {
    let mut server = endpoint("10.0.0.1", plain(100));
    let listener = server.listen(Instant::ZERO, 5000, 1).unwrap();
    let mut answers = Vec::new();
    let say = |server: &mut Endpoint, port: u16, flags: Flags, seq: u32, ack: u32| {
        let header = Header { seq: Seq(seq), ack: Seq(ack), flags, window: 1000, ..Header::default() };
        let mut octets = Vec::new();
        let peer = SocketAddr::new("10.0.0.2".parse().unwrap(), port);
        encode(IpChoice::default(), peer, "10.0.0.1:5000".parse().unwrap(), &header, (b"", b""), &mut octets);
        server.handle_datagram(Instant::ZERO, &octets);
        server.poll_transmit(Instant::ZERO, &mut Vec::new()).map(|sent| sent.header.flags)
    };
    for port in 1..=4 {
        answers.push(say(&mut server, port, SYN, 300, 0));
        say(&mut server, port, ACK, 301, 101);
    }
    assert_eq!(answers, [Some(SYN | ACK), Some(SYN | ACK), None, None]);
    assert!(server.accept(listener).is_some());
    assert_eq!(say(&mut server, 3, SYN, 300, 0), Some(SYN | ACK));
    assert_eq!(server.listen(Instant::ZERO, 5000, 1), Err(Errno::AddressInUse));
}

#[test]
fn ports_are_taken_from_the_range_until_none_is_left() {
    let settings = Settings { ephemeral_ports: 40_000..=40_002, ..plain(1) };
    let mut endpoint = endpoint("10.0.0.1", settings);
    let remote: SocketAddr = "10.0.0.2:80".parse().unwrap();
    let mut ports = Vec::new();
    for _ in 0..3 {
        let id = endpoint.connect(Instant::ZERO, None, remote).unwrap();
        ports.push(endpoint.status(id).unwrap().local.port());
    }
    ports.sort_unstable();
    assert_eq!(ports, [40_000, 40_001, 40_002]);
    assert_eq!(endpoint.connect(Instant::ZERO, None, remote), Err(Errno::AddressNotAvailable));
    assert_eq!(endpoint.connect(Instant::ZERO, Some(40_001), remote), Err(Errno::AddressInUse));
    assert!(endpoint.connect(Instant::ZERO, None, "10.0.0.3:80".parse().unwrap()).is_ok());
    let v6 = "[fd00::1]:80".parse().unwrap();
    assert_eq!(endpoint.connect(Instant::ZERO, None, v6), Err(Errno::NetworkUnreachable));
}

/// Whoever forgets to poll for the SYN loses segments, and nothing else.
#[test]
fn nothing_answers_a_syn_that_has_not_been_sent() {
    for segment in
        [(SYN | ACK, 300, 100, 0), (SYN | ACK, 300, 101, 0), (ACK, 301, 101, 5), (RST | ACK, 0, 101, 0)]
    {
        let mut lone = Lone::new(plain(100));
        lone.connect();
        let (arrival, answers) = lone.deliver(segment);
        assert_eq!(arrival.disposition, crate::Disposition::Dropped(crate::DropReason::UnacceptableAck));
        assert_eq!(answers, [(SYN, 100, 0, 0)]);
        assert_eq!(lone.state(), State::SynSent);
    }
}
