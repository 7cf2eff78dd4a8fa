//! Opening and closing: addresses, calls, what the application learns (RFC 9293 §3.4 to §3.6, §3.9).

use std::hash::Hasher as _;

use super::*;
use crate::ListenOptions;

/// A host with two addresses.
fn multihomed() -> Endpoint {
    let addresses =
        vec!["10.0.0.1".parse().unwrap(), "10.0.1.1".parse().unwrap(), "fd00::1".parse().unwrap()];
    Endpoint::new(Config::new(addresses, plain(100), 7))
}

fn next(endpoint: &mut Endpoint) -> Transmit {
    endpoint.poll_transmit(Instant::ZERO, &mut Vec::new()).expect("something is sent")
}

fn syn(from: &str, to: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let header = Header { seq: Seq(300), flags: SYN, window: 1000, ..Header::default() };
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    encode(IpChoice::default(), from, to, &header, (b"", b""), &mut octets);
    octets
}

#[test]
fn must_9_a_sequence_number_tells_nothing_about_the_next_ones() {
    // Neighbours in every part of the tuple: about half of the bits differ, and no difference comes twice.
    let iss = |address: &str, port: u16, remote: &str| {
        let addresses = vec![address.parse().unwrap()];
        let mut endpoint = Endpoint::new(Config::new(addresses, Profile::Linux.settings(), 7));
        endpoint.connect(Instant::ZERO, Some(port), remote.parse().unwrap()).unwrap();
        next(&mut endpoint).header.seq.0
    };
    let first = iss("10.0.0.1", 5000, "10.0.0.2:80");
    // SHLD-1: a pseudorandom function of the four, and of a secret.
    let mut function = siphasher::sip::SipHasher24::new_with_keys(7, 0);
    for (ip, port) in [("::ffff:10.0.0.1", 5000_u16), ("::ffff:10.0.0.2", 80)] {
        function.write(&ip.parse::<std::net::Ipv6Addr>().unwrap().octets());
        function.write(&port.to_be_bytes());
    }
    assert_eq!(first, function.finish() as u32);
    let mut differences = Vec::new();
    for port in 5001..5065 {
        differences.push(first ^ iss("10.0.0.1", port, "10.0.0.2:80"));
    }
    differences.push(first ^ iss("10.0.0.3", 5000, "10.0.0.2:80"));
    differences.push(first ^ iss("10.0.0.1", 5000, "10.0.0.3:80"));
    differences.push(first ^ iss("10.0.0.1", 5000, "10.0.0.2:81"));
    let bits: u32 = differences.iter().map(|difference| difference.count_ones()).sum();
    let mean = f64::from(bits) / differences.len() as f64;
    assert!((14.0..18.0).contains(&mean), "{mean}");
    differences.sort_unstable();
    differences.dedup();
    assert_eq!(differences.len(), 67);
}

#[test]
fn must_11_a_reset_in_syn_received_goes_back_to_where_it_came_from() {
    let mut passive = Lone::in_state(State::SynReceived, plain(100));
    passive.deliver((RST, 301, 0, 0));
    assert_eq!(passive.receive(), Err(Errno::NotConnected), "the application never heard of it");
    passive.connection = None;
    passive.peer.set_port(81);
    assert_eq!(passive.deliver((SYN, 300, 0, 0)).1, [(SYN | ACK, 100, 301, 0)], "the listener goes on");

    let mut active = Lone::in_state(State::SynSent, plain(100));
    active.deliver((SYN, 300, 0, 0));
    assert_eq!(active.state(), State::SynReceived);
    active.deliver((RST, 301, 0, 0));
    assert_eq!(active.receive(), Err(Errno::ConnectionRefused));
}

#[test]
fn must_12_a_normal_end_and_a_reset_differ() {
    let mut lone = Lone::in_state(State::Established, plain(100));
    lone.deliver((FIN | ACK, 301, 101, 0));
    assert_eq!(lone.receive(), Ok(Received::End));
    let mut lone = Lone::in_state(State::Established, plain(100));
    lone.deliver((RST, 301, 0, 0));
    assert_eq!(lone.receive(), Err(Errno::ConnectionReset));
}

#[test]
fn must_13_time_wait_lasts_twice_the_two_minutes_of_a_segment() {
    let mut lone = Lone::in_state(State::TimeWait, recommended());
    let began = lone.now;
    assert_eq!(lone.wait(), []);
    assert_eq!((lone.state(), lone.now - began), (State::Closed, secs(2 * 120)));
}

#[test]
fn must_41_a_passive_open_changes_no_other_connection() {
    let mut lone = Lone::in_state(State::SynReceived, plain(100));
    let port = lone.local.port();
    assert_eq!(lone.endpoint.listen(lone.now, port, 8), Err(Errno::AddressInUse));
    assert!(lone.endpoint.listen(lone.now, port + 1, 8).is_ok());
    assert_eq!(lone.state(), State::SynReceived);
    lone.deliver((ACK, 301, 101, 0));
    assert_eq!(lone.state(), State::Established);
}

#[test]
fn must_42_a_port_can_be_listened_on_while_a_connection_opens_from_it() {
    let mut lone = Lone::in_state(State::SynSent, plain(100));
    lone.listen();
    let mut other = Lone { peer: "10.0.0.3:9".parse().unwrap(), connection: None, ..lone };
    assert_eq!(other.deliver((SYN, 300, 0, 0)).1, [(SYN | ACK, 100, 301, 0)]);
}

#[test]
fn must_43_the_application_may_name_the_local_address() {
    let remote = "10.0.0.2:80".parse().unwrap();
    let mut endpoint = multihomed();
    let second = "10.0.1.1".parse().unwrap();
    endpoint.connect_from(Instant::ZERO, second, Some(5000), remote).unwrap();
    assert_eq!(next(&mut endpoint).source, "10.0.1.1:5000".parse().unwrap());
    for wrong in ["10.0.9.9", "fd00::1"] {
        let outcome = endpoint.connect_from(Instant::ZERO, wrong.parse().unwrap(), None, remote);
        assert_eq!(outcome, Err(Errno::AddressNotAvailable), "{wrong}");
    }

    let listen_on = |endpoint: &mut Endpoint, address: &str| {
        let address = Some(address.parse().unwrap());
        endpoint.listen_with(Instant::ZERO, 80, ListenOptions { address, ..ListenOptions::new(8) })
    };
    listen_on(&mut endpoint, "10.0.1.1").unwrap();
    let answer = |endpoint: &mut Endpoint, to| {
        endpoint.handle_datagram(Instant::ZERO, &syn("10.0.0.2:9", to));
        next(endpoint).header.flags
    };
    assert_eq!(answer(&mut endpoint, "10.0.0.1:80"), RST | ACK);
    assert_eq!(answer(&mut endpoint, "10.0.1.1:80"), SYN | ACK);
    assert_eq!(endpoint.listen(Instant::ZERO, 80, 8), Err(Errno::AddressInUse), "for all addresses");
    assert!(listen_on(&mut endpoint, "10.0.0.1").is_ok());
    assert_eq!(answer(&mut endpoint, "10.0.0.1:80"), SYN | ACK);
    assert_eq!(listen_on(&mut endpoint, "10.0.9.9"), Err(Errno::AddressNotAvailable));
}

#[test]
fn must_44_45_the_local_address_is_chosen_once() {
    let mut endpoint = multihomed();
    endpoint.connect(Instant::ZERO, None, "[fd00::2]:80".parse().unwrap()).unwrap();
    assert_eq!(next(&mut endpoint).source.ip(), "fd00::1".parse::<IpAddr>().unwrap());
    endpoint.connect(Instant::ZERO, None, "10.0.0.2:80".parse().unwrap()).unwrap();
    assert_eq!(next(&mut endpoint).source.ip(), "10.0.0.1".parse::<IpAddr>().unwrap());
    // Whoever is called at the second address answers from it.
    endpoint.listen(Instant::ZERO, 80, 8).unwrap();
    endpoint.handle_datagram(Instant::ZERO, &syn("10.0.0.2:9", "10.0.1.1:80"));
    assert_eq!(next(&mut endpoint).source, "10.0.1.1:80".parse().unwrap());
}

/// Addresses that no host has.
const INVALID: [&str; 5] = ["255.255.255.255:80", "224.0.0.1:80", "0.0.0.0:80", "[ff02::1]:80", "[::]:80"];

#[test]
fn must_46_an_open_to_an_address_that_no_host_has_fails() {
    for remote in INVALID {
        let outcome = multihomed().connect(Instant::ZERO, None, remote.parse().unwrap());
        assert_eq!(outcome, Err(Errno::NetworkUnreachable), "{remote}");
    }
}

#[test]
fn must_57_63_a_syn_to_or_from_such_an_address_is_ignored() {
    for invalid in INVALID {
        let host = if invalid.starts_with('[') { "[fd00::1]:80" } else { "10.0.0.1:80" };
        for (from, to, reason) in
            [(host, invalid, DropReason::NotForUs), (invalid, host, DropReason::Malformed)]
        {
            let mut endpoint = multihomed();
            endpoint.listen(Instant::ZERO, 80, 8).unwrap();
            let arrival = endpoint.handle_datagram(Instant::ZERO, &syn(from, to));
            assert_eq!(arrival.disposition, Disposition::Dropped(reason), "{from} {to}");
            assert_eq!(endpoint.poll_transmit(Instant::ZERO, &mut Vec::new()), None);
        }
    }
}

#[test]
fn shld_2_a_reset_may_carry_data() {
    let mut lone = Lone::in_state(State::Established, plain(100));
    assert_eq!(lone.deliver((RST, 301, 0, 20)).1, []);
    assert_eq!(lone.state(), State::Closed);
}

#[test]
fn shld_4_a_newer_timestamp_ends_time_wait_too() {
    for (value, answer) in [(5_001, SYN | ACK), (5_000, ACK)] {
        let mut lone = Lone::new(Settings { timestamps: true, ..plain(100) });
        let stamped =
            |value| Options { timestamps: Some(crate::Timestamps { value, echo: 0 }), ..Options::default() };
        lone.connect();
        lone.sent_now();
        lone.deliver_with(SYN | ACK, 300, 101, b"", 1000, stamped(5_000));
        let id = lone.id();
        lone.endpoint.shutdown(lone.now, id).unwrap();
        lone.sent_now();
        lone.deliver_with(FIN | ACK, 301, 102, b"", 1000, stamped(5_000));
        assert_eq!(lone.state(), State::TimeWait);
        lone.listen();
        // The sequence number alone is too old.
        assert_eq!(lone.deliver_with(SYN, 200, 0, b"", 1000, stamped(value)).1[0].0, answer, "{value}");
    }
}

#[test]
fn may_12_an_acknowledgment_from_before_the_largest_window_is_challenged() {
    let mut lone = Lone::in_state(State::Established, plain(100));
    let (arrival, answers) = lone.deliver((ACK, 301, 101_u32.wrapping_sub(65_536), 10));
    assert_eq!(arrival.disposition, Disposition::Dropped(DropReason::UnacceptableAck));
    assert_eq!(answers, [(ACK, 101, 301, 0)]);
    assert_eq!(
        lone.deliver((ACK, 301, 101_u32.wrapping_sub(65_535), 10)).0.disposition,
        Disposition::Accepted
    );
}
