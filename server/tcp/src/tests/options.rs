//! Socket options: TCP_USER_TIMEOUT, SO_LINGER, SO_RCVBUF, and `shutdown(SHUT_RD)`.

use super::pair::{Fate, Pair};
use super::*;
use crate::{Cause, Errno, Keepalive, KeepaliveSettings, Purpose, Received, Timer};

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
