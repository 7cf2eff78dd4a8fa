//! ICMP destination unreachable: what is believed, and what it changes.

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::{Icmpv4Header, Icmpv4Type, IpNumber, Ipv4Header};

use super::pair::{Fate, Pair, gaps, pattern};
use super::*;
use crate::{Disposition, DropReason, Errno, GiveUp, Purpose};
use std::task::Poll;

/// A router's answer to a segment that `from` sent to `to` with this sequence number.
fn unreachable(from: SocketAddr, to: SocketAddr, seq: Seq, why: DestUnreachableHeader) -> Vec<u8> {
    let mut quoted = Vec::new();
    let header = Header { seq, flags: Flags::ACK, ..Header::default() };
    encode(IpChoice::default(), from, to, &header, (b"", b""), &mut quoted);
    quoted.truncate(28);
    let message = Icmpv4Header::with_checksum(Icmpv4Type::DestinationUnreachable(why), &quoted);
    let octets = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => ip.octets(),
        IpAddr::V6(_) => unreachable!("these tests are IPv4"),
    };
    let mut ip =
        Ipv4Header::new((8 + quoted.len()) as u16, 64, IpNumber::ICMP, octets(to), octets(from)).unwrap();
    ip.header_checksum = ip.calc_header_checksum();
    [&ip.to_bytes()[..], &message.to_bytes()[..], &quoted[..]].concat()
}

/// Recordings 06d and 06e.
#[test]
fn a_connect_fails_at_once() {
    use DestUnreachableHeader as Why;
    for (why, errno) in [
        (Why::Host, Errno::HostUnreachable),
        (Why::Network, Errno::NetworkUnreachable),
        (Why::Port, Errno::ConnectionRefused),
    ] {
        let mut lone = Lone::in_state(State::SynSent, plain(100));
        let (local, peer) = (lone.local, lone.peer);
        let wrong = unreachable(local, peer, Seq(77), why.clone());
        let dropped = Disposition::Dropped(DropReason::OutOfWindow);
        assert_eq!(lone.endpoint.handle_datagram(lone.now, &wrong).disposition, dropped, "a guess");
        lone.endpoint.handle_datagram(lone.now, &unreachable(local, peer, Seq(100), why));
        let id = lone.id();
        assert_eq!(lone.endpoint.connected(id), Poll::Ready(Err(errno)));
        assert_eq!(lone.state(), State::Closed);
    }
}

/// Recordings 47_icmp_net_on_synack to 47_icmp_port_on_synack: a request is dropped if its sender cannot be reached, and else
/// waits for it.
#[test]
fn a_passive_open_ends_if_the_peer_cannot_be_reached() {
    use DestUnreachableHeader as Why;
    for (why, state) in [
        (Why::Host, State::Closed),
        (Why::Network, State::Closed),
        (Why::Port, State::SynReceived),
        (Why::FilterProhibited, State::SynReceived),
    ] {
        let mut lone = Lone::in_state(State::SynReceived, plain(100));
        let guess = unreachable(lone.local, lone.peer, Seq(77), why.clone());
        lone.endpoint.handle_datagram(lone.now, &guess);
        assert_eq!(lone.state(), State::SynReceived, "a guess");
        let told = unreachable(lone.local, lone.peer, Seq(100), why.clone());
        lone.endpoint.handle_datagram(lone.now, &told);
        assert_eq!(lone.state(), state, "{why:?}");
        assert_eq!(lone.sent_now(), [], "in silence");
    }
}

/// A simultaneous open is an active one, and fails as such (Linux `tcp_v4_err`).
#[test]
fn a_simultaneous_open_fails_at_once() {
    let mut lone = Lone::in_state(State::SynSent, plain(100));
    lone.deliver((SYN, 300, 0, 0));
    assert_eq!(lone.state(), State::SynReceived);
    let told = unreachable(lone.local, lone.peer, Seq(100), DestUnreachableHeader::Port);
    lone.endpoint.handle_datagram(lone.now, &told);
    assert_eq!(lone.endpoint.connected(lone.id()), Poll::Ready(Err(Errno::ConnectionRefused)));
}

/// Recording 06f: every timeout is answered, so that none backs off; the limit is a time all the same, and the router's
/// word becomes the error.
#[test]
fn an_established_connection_keeps_its_pace_and_gets_the_error_in_the_end() {
    let settings = Settings { give_up: GiveUp::Retries(4), ..Profile::Linux.settings() };
    let mut pair = Pair::new(settings, Profile::Linux.settings()).connected();
    pair.path(|_, _, _| Fate::Drop);
    pair.send(0, &[1; 1024]);
    let mut answered = 0;
    while pair.step(Instant::FAR_FUTURE) && pair.ended[0].is_none() {
        while let Some(sent) = pair.log.get(answered).cloned() {
            answered += 1;
            let transmit = sent.transmit;
            let told = unreachable(
                transmit.source,
                transmit.destination,
                transmit.header.seq,
                DestUnreachableHeader::Host,
            );
            let now = pair.now;
            pair.ends[0].handle_datagram(now, &told);
            pair.drain(0);
        }
    }
    let sent = gaps(&pair.times(|passed| passed.transmit.purpose == Purpose::Retransmission));
    assert!(sent.len() > 20 && sent.iter().all(|gap| *gap == 240), "{sent:?}");
    assert_eq!(pair.ended[0], Some(Err(Errno::HostUnreachable)));
}

/// RFC 1191: a link on the way takes 600 octets.
#[test]
fn a_smaller_mtu_makes_smaller_segments() {
    let mut pair = Pair::linux().connected();
    pair.path(|_, sent, _| if sent.header.payload > 560 - 12 { Fate::Drop } else { Fate::Pass });
    pair.send(0, &pattern(10_000));
    let first = pair.log.last().unwrap().transmit.clone();
    let first = Transmit { header: Header { seq: pair.log[0].transmit.header.seq, ..first.header }, ..first };
    let told = unreachable(
        first.source,
        first.destination,
        first.header.seq,
        DestUnreachableHeader::FragmentationNeeded { next_hop_mtu: 600 },
    );
    let now = pair.now;
    pair.ends[0].handle_datagram(now, &told);
    pair.drain(0);
    pair.run_for(secs(5));
    assert_eq!(pair.read[1], pattern(10_000));
    let later = pair.log.iter().filter(|passed| passed.from == 0 && passed.at > now);
    assert!(later.map(|passed| passed.transmit.header.payload).all(|payload| payload <= 548));
}
