//! The layer below: IP options, TTL, differentiated services, ICMP (RFC 9293 §3.9.2).

use etherparse::icmpv4::{DestUnreachableHeader as Why, ParameterProblemHeader, TimeExceededCode};
use etherparse::{Icmpv4Header, Icmpv4Type, SlicedPacket};

use super::*;

/// What a router says about the segment that the endpoint sent last, at `seq`.
fn told(lone: &Lone, seq: u32, what: Icmpv4Type) -> Vec<u8> {
    let mut quoted = Vec::new();
    let header = Header { seq: Seq(seq), flags: ACK, ..Header::default() };
    encode(IpChoice::default(), lone.local, lone.peer, &header, (b"", b""), &mut quoted);
    let message = Icmpv4Header::with_checksum(what, &quoted);
    let mut ip =
        Ipv4Header::new((8 + quoted.len()) as u16, 64, IpNumber::ICMP, [10, 0, 9, 9], [10, 0, 0, 1]).unwrap();
    ip.header_checksum = ip.calc_header_checksum();
    [&ip.to_bytes()[..], &message.to_bytes()[..], &quoted[..]].concat()
}

/// The same with any type and code.
fn told_raw(lone: &Lone, seq: u32, kind: u8, code: u8) -> Vec<u8> {
    told(lone, seq, Icmpv4Type::Unknown { type_u8: kind, code_u8: code, bytes5to8: [0; 4] })
}

#[test]
fn must_48_49_the_application_chooses_ttl_and_differentiated_services() {
    let chosen = |datagram: &[u8]| match SlicedPacket::from_ip(datagram).unwrap().net.unwrap() {
        etherparse::NetSlice::Ipv4(ip) => (ip.header().ttl(), ip.header().dcp().value()),
        etherparse::NetSlice::Ipv6(ip) => (ip.header().hop_limit(), ip.header().traffic_class() >> 2),
        _ => panic!("IP"),
    };
    for (ours, peer) in [("10.0.0.1", "10.0.0.2:80"), ("fd00::1", "[fd00::2]:80")] {
        let mut lone = Lone::new(plain(100));
        lone.endpoint = endpoint(ours, plain(100));
        (lone.local, lone.peer) = (SocketAddr::new(ours.parse().unwrap(), 5000), peer.parse().unwrap());
        lone.connect();
        assert_eq!(chosen(&lone.datagrams()[0]), (64, 0), "unless it says otherwise");
        lone.deliver((SYN | ACK, 300, 101, 0));
        // SHLD-21, SHLD-22: at any time, and unchanged.
        for (hops, codepoint) in [(1, 46), (255, 0x3f), (64, 0)] {
            let id = lone.id();
            lone.endpoint.set_hops(lone.now, id, hops);
            lone.endpoint.set_codepoint(lone.now, id, codepoint);
            lone.endpoint.set_nodelay(lone.now, id, true);
            lone.endpoint.send(lone.now, id, b"x").unwrap();
            assert_eq!(chosen(&lone.datagrams()[0]), (hops, codepoint));
        }
    }
}

#[test]
fn must_50_ip_options_change_nothing() {
    // Record route, a timestamp, and a kind that does not exist.
    for options in [&[7, 7, 4, 0, 0, 0, 0, 0][..], &[68, 8, 5, 0, 0, 0, 0, 0], &[0x9e, 4, 1, 2]] {
        let mut lone = Lone::in_state(State::Established, plain(100));
        let datagram = lone.datagram((ACK, 301, 101, 10), &[], options);
        assert_eq!(lone.take(&datagram).0, Disposition::Accepted);
        assert_eq!(lone.receive(), Ok(Received::Octets(10)));
    }
}

#[test]
fn must_55_source_quench_is_discarded() {
    let mut lone = Lone::in_state(State::Established, recommended());
    lone.send(&[1; 10]);
    let (disposition, answers) = lone.take(&told_raw(&lone, 101, 4, 0));
    assert_eq!((disposition, answers.len()), (Disposition::Dropped(DropReason::NotForUs), 0));
    assert_eq!((lone.state(), lone.reports().len()), (State::Established, 0));
}

#[test]
fn must_56_soft_errors_are_reported_and_end_nothing() {
    let parameter = ParameterProblemHeader::PointerIndicatesError(20);
    for what in [
        Icmpv4Type::DestinationUnreachable(Why::Network),
        Icmpv4Type::DestinationUnreachable(Why::Host),
        Icmpv4Type::DestinationUnreachable(Why::SourceRouteFailed),
        Icmpv4Type::TimeExceeded(TimeExceededCode::TtlExceededInTransit),
        Icmpv4Type::TimeExceeded(TimeExceededCode::FragmentReassemblyTimeExceeded),
        Icmpv4Type::ParameterProblem(parameter),
    ] {
        for state in [State::SynSent, State::SynReceived, State::Established, State::FinWait1] {
            let mut lone = Lone::in_state(state, recommended());
            let mut seq = if state.is_synchronized() { 101 } else { 100 };
            if state == State::Established {
                lone.send(&[1; 10]);
                seq = 101;
            }
            let datagram = told(&lone, seq, what.clone());
            lone.take(&datagram);
            assert_eq!(lone.state(), state, "{what:?}");
            assert!(matches!(lone.reports()[..], [Report::Unreachable(_)]), "{what:?} {state}");
        }
    }
}

#[test]
fn shld_26_hard_errors_abort() {
    for what in [Why::Protocol, Why::Port] {
        for state in [State::SynSent, State::SynReceived, State::Established] {
            let mut lone = Lone::in_state(state, recommended());
            let passive = state == State::SynReceived;
            if state == State::Established {
                lone.send(&[1; 10]);
            }
            let seq = if state == State::Established { 101 } else { 100 };
            let datagram = told(&lone, seq, Icmpv4Type::DestinationUnreachable(what.clone()));
            lone.take(&datagram);
            assert_eq!(lone.state(), State::Closed, "{what:?} {state}");
            let told = if passive { Errno::NotConnected } else { Errno::ConnectionRefused };
            assert_eq!(lone.receive(), Err(told));
        }
    }
}
