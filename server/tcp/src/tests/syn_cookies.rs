//! What a listener does with more requests than it holds: SYN cookies, and when a handshake hands a connection over.

use super::pair::{Pair, gaps, pattern};
use super::*;
use crate::{Cause, DropReason, SynCookies};

const MSS: u16 = 1460;

fn with_cookies(syn_cookies: SynCookies) -> Settings {
    Settings { syn_cookies, ..Profile::Linux.settings() }
}

/// 40_syn_flood_*: how many of the SYNs that nobody completes begin a connection, and how many are answered
/// (`tcp_conn_request`).
#[test]
fn a_flood_of_syns_is_answered_with_cookies_or_dropped() {
    for (syn_cookies, syn_backlog, backlog, syns, held, answered) in [
        (SynCookies::WhenFull, 2048, 4, 20, 5, 20),
        (SynCookies::Off, 2048, 4, 20, 5, 5),
        (SynCookies::Off, 64, 128, 100, 49, 49),
        (SynCookies::WhenFull, 64, 128, 200, 129, 200),
        (SynCookies::Always, 2048, 128, 3, 0, 3),
    ] {
        let mut lone = Lone::new(Settings { syn_backlog, ..with_cookies(syn_cookies) });
        lone.endpoint.listen(lone.now, lone.local.port(), backlog).unwrap();
        let (mut began, mut answers) = (0, 0);
        for port in 0..syns {
            lone.peer.set_port(42_000 + port);
            let (arrival, sent) = lone.deliver((SYN, 300, 0, 0));
            began += u32::from(arrival.connection.is_some());
            answers += sent.iter().filter(|(flags, ..)| *flags == SYN | ACK).count();
        }
        assert_eq!((began, answers), (held, answered), "{syn_cookies:?} {syn_backlog} {backlog}");
    }
}

/// 40_syn_flood_always, 40_syn_flood_no_ts: with timestamps nothing is lost, without them window scale and SACK are.
#[test]
fn a_connection_from_a_cookie_is_like_any_other() {
    for (timestamps, scale, window) in [(true, Some(10), 65_160), (false, None, 64_240)] {
        let client = Settings { timestamps, ..Profile::Linux.settings() };
        let mut pair = Pair::new(client, with_cookies(SynCookies::Always));
        pair.connect();
        pair.run_for(ms(70));
        let answer = &pair.log[1].transmit;
        assert_eq!((answer.connection, answer.header.flags), (None, SYN | ACK));
        assert_eq!(answer.header.options.mss, Some(MSS));
        assert_eq!((answer.header.options.window_scale, answer.header.window), (scale, window));
        assert_eq!(answer.header.options.sack_permitted, timestamps);
        assert_eq!(pair.states(1), [State::Listen, State::SynReceived, State::Established]);
        let begins = |kind| {
            matches!(kind, EventKind::Transition { cause: Cause::SynCookie(ACK), to: State::SynReceived, .. })
        };
        assert!(pair.events[1].iter().any(|(_, event)| begins(event.kind)));
        let info = pair.info(1);
        assert_eq!((info.rtt, info.rto), (None, secs(1)), "nobody knows when the SYN+ACK was sent");
        for end in 0..2 {
            pair.send(end, &pattern(100_000));
        }
        pair.run_for(secs(5));
        assert_eq!((pair.read[0].len(), pair.read[1].len()), (100_000, 100_000));
        assert_eq!(
            pair.log.iter().filter(|it| it.transmit.purpose == crate::Purpose::Retransmission).count(),
            0
        );
    }
}

/// A request that is repeated is answered again, and the first data completes the handshake if its ACK was lost.
#[test]
fn a_cookie_is_returned_with_data_too() {
    let mut lone = Lone::new(with_cookies(SynCookies::Always));
    lone.listen();
    lone.deliver((SYN, 300, 0, 0));
    let (_, sent) = lone.deliver((SYN, 300, 0, 0));
    let cookie = sent[0].1;
    let (arrival, sent) = lone.deliver((ACK | PSH, 301, cookie + 1, 10));
    assert_eq!((arrival.disposition, sent.len()), (crate::Disposition::Accepted, 1));
    let id = lone.endpoint.accept(lone.listener.unwrap()).expect("it can be accepted");
    assert_eq!(lone.endpoint.status(id).unwrap().unread, 10);
}

#[test]
fn what_is_no_cookie_of_ours_is_reset() {
    for (syn_cookies, floods, later, off_by) in [
        (SynCookies::Always, true, secs(0), 4),
        (SynCookies::Always, true, secs(121), 0),
        (SynCookies::Always, false, secs(0), 0),
        (SynCookies::Off, true, secs(0), 0),
    ] {
        let mut lone = Lone::new(with_cookies(syn_cookies));
        lone.listen();
        let cookie = if floods { lone.deliver((SYN, 300, 0, 0)).1[0].1 } else { 7 };
        lone.now += later;
        lone.peer.set_port(if syn_cookies == SynCookies::Off { 81 } else { 80 });
        let (arrival, sent) = lone.deliver((ACK, 301, cookie + 1 + off_by, 0));
        assert_eq!(arrival, Arrival::dropped(DropReason::NoConnection));
        assert_eq!(sent, [(RST, cookie + 1 + off_by, 0, 0)]);
    }
}

/// Backlog 1, nobody accepts: there is room for two (`tcp_check_req`).
#[test]
fn a_full_accept_queue_resets_who_completes_a_handshake_or_lets_them_try_again() {
    for (abort_on_overflow, answers) in [(true, vec![RST]), (false, vec![])] {
        let mut lone = Lone::new(Settings { abort_on_overflow, ..Profile::Linux.settings() });
        lone.endpoint.listen(lone.now, lone.local.port(), 1).unwrap();
        let mut peer = |port: u16, flags: Flags, ack: u32| {
            lone.peer.set_port(port);
            lone.deliver((flags, if flags == SYN { 300 } else { 301 }, ack, 0)).1
        };
        let [first, second] = [80, 81].map(|port| peer(port, SYN, 0)[0].1);
        peer(80, ACK, first + 1);
        let third = peer(82, SYN, 0)[0].1;
        peer(81, ACK, second + 1);
        let last = peer(82, ACK, third + 1);
        assert_eq!(last.iter().map(|(flags, ..)| *flags).collect::<Vec<_>>(), answers);
    }
}

/// 41_defer_accept_*: a listener that waits 5 s for data, with a client that sends after 2 s or not at all
/// (`syn_ack_recalc`).
#[test]
fn a_listener_may_wait_for_data() {
    for (sends, accepted) in [(Some(secs(2)), 2020), (None, 7060)] {
        let waits = Settings { defer_accept: Some(secs(5)), ..Profile::Linux.settings() };
        let mut pair = Pair::new(Profile::Linux.settings(), waits);
        pair.connect();
        if let Some(sends) = sends {
            pair.run_for(sends);
            pair.send(0, &[1; 10]);
        }
        pair.run_for(secs(10));
        let syn_acks = pair.times(|it| it.transmit.header.flags == SYN | ACK);
        assert_eq!(gaps(&syn_acks), if sends.is_some() { vec![] } else { vec![7000] });
        let established = pair.events[1].iter().find_map(|(at, event)| match event.kind {
            EventKind::Transition { to: State::Established, .. } => Some(at.as_duration().as_millis()),
            _ => None,
        });
        assert_eq!(established, Some(accepted));
    }
}
