//! Headers, options and the largest segment (RFC 9293 §3.1, §3.2, §3.7).

use super::*;
use crate::WindowScale;

#[test]
fn must_1_the_window_is_an_unsigned_number_of_32_bits() {
    let mut lone = eager(plain(100));
    let sent: usize = lone.send(&[0; 100_000]).iter().map(|(_, _, _, len)| len).sum();
    assert!(sent > usize::from(i16::MAX.unsigned_abs()) && sent <= 65_535, "{sent}");

    let mut lone = Lone::new(Settings {
        congestion: crate::CongestionAlgorithm::None,
        window_scale: Some(WindowScale::Shift(14)),
        packet_memory: false,
        send_buffer: 1 << 20,
        ..plain(100)
    });
    lone.connect();
    lone.sent_now();
    let options = Options { window_scale: Some(14), ..Options::default() };
    lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, options);
    lone.deliver((ACK, 301, 101, 0));
    let sent: usize = lone.send(&[0; 1 << 20]).iter().map(|(_, _, _, len)| len).sum();
    assert!(sent > 1_000_000, "a window of nearly 2^30, and {sent}");
}

#[test]
fn must_4_64_the_mandatory_options_are_read_wherever_they_stand() {
    for options in [
        &[2, 4, 0x01, 0xf4][..],
        &[1, 2, 4, 0x01, 0xf4],
        &[1, 1, 1, 2, 4, 0x01, 0xf4, 0],
        // Behind the end of the list nothing is read.
        &[2, 4, 0x01, 0xf4, 0, 2, 4, 0x05, 0xb4],
    ] {
        let mut lone = Lone::in_state(State::SynSent, plain(100));
        let answer = lone.datagram((SYN | ACK, 300, 101, 0), options, &[]);
        assert_eq!(lone.take(&answer).1, [(ACK, 101, 301, 0)]);
        assert_eq!(lone.send(&[0; 700])[0].3, 500, "{options:?}");
    }
}

#[test]
fn must_5_6_options_are_taken_in_any_segment_and_unknown_ones_passed_over() {
    let unknown = [253, 6, 1, 2, 3, 4];
    let kinds = [
        (ACK, 10, State::Established),
        (ACK, 0, State::Established),
        (FIN | ACK, 0, State::CloseWait),
        (RST | ACK, 0, State::Closed),
    ];
    for (flags, len, then) in kinds {
        let mut lone = Lone::in_state(State::Established, plain(100));
        let datagram = lone.datagram((flags, 301, 101, len), &unknown, &[]);
        assert_eq!(lone.take(&datagram).0, Disposition::Accepted);
        assert_eq!(lone.state(), then, "{flags}");
    }
}

#[test]
fn must_7_an_option_of_illegal_length_ends_the_list() {
    for broken in [&[2, 4, 0x01, 0xf4, 8, 0][..], &[2, 4, 0x01, 0xf4, 3, 1], &[2, 4, 0x01, 0xf4, 254, 99]] {
        let mut lone = Lone::in_state(State::SynSent, plain(100));
        let answer = lone.datagram((SYN | ACK, 300, 101, 0), broken, &[]);
        assert_eq!(lone.take(&answer).0, Disposition::Accepted);
        assert_eq!(lone.send(&[0; 700])[0].3, 500, "{broken:?}");
    }
}

#[test]
fn must_14_65_the_mss_option_is_in_every_syn_and_nowhere_else() {
    let mut pair = Pair::linux();
    pair.path(|_, sent, _| if sent.header.payload == 1448 { Fate::Twice } else { Fate::Pass });
    pair.connect();
    pair.run_for(secs(1));
    pair.send(0, &pattern(20_000));
    pair.run_for(secs(1));
    pair.close(0);
    pair.close(1);
    pair.run();
    assert!(pair.log.len() > 15);
    for passed in &pair.log {
        let header = &passed.transmit.header;
        assert_eq!(header.options.mss.is_some(), header.flags.contains(SYN), "{header:?}");
    }
}

/// An endpoint of either family, connected by a SYN without options: the first segment of much data.
#[test]
fn must_15_a_peer_that_names_no_mss_gets_536_or_1220_octets() {
    for (ours, peer, expected) in [("10.0.0.1", "10.0.0.2:80", 536), ("fd00::1", "[fd00::2]:80", 1220)] {
        let mut lone = Lone::new(plain(100));
        lone.endpoint = endpoint(ours, plain(100));
        (lone.local, lone.peer) = (SocketAddr::new(ours.parse().unwrap(), 5000), peer.parse().unwrap());
        lone.listen();
        lone.deliver((SYN, 300, 0, 0));
        lone.deliver((ACK, 301, 101, 0));
        assert_eq!(lone.send(&[0; 4000])[0].3, expected);
    }
}

#[test]
fn must_16_segments_are_as_large_as_the_peer_and_the_path_take_and_the_options_leave() {
    for (theirs, mtu, timestamps, expected) in [
        (1460, 1500, false, 1460),
        (1460, 1500, true, 1448),
        (8960, 1500, false, 1460),
        (1460, 9000, false, 1460),
        (500, 1500, true, 488),
        (1460, 600, true, 548),
    ] {
        let mut lone = Lone::new(Settings { mtu, timestamps, ..plain(100) });
        lone.connect();
        lone.sent_now();
        let stamp = crate::Timestamps { value: 1, echo: 0 };
        let options =
            Options { mss: Some(theirs), timestamps: timestamps.then_some(stamp), ..Options::default() };
        lone.deliver_with(SYN | ACK, 300, 101, b"", 65_535, options);
        assert_eq!(lone.send(&[0; 20_000])[0].3, expected, "{theirs} {mtu} {timestamps}");
    }
}

#[test]
fn must_67_the_announced_mss_is_what_can_be_received() {
    for (address, remote, mtu, expected) in [
        ("10.0.0.1", "10.0.0.2:80", 1500, 1460),
        ("10.0.0.1", "10.0.0.2:80", 576, 536),
        ("fd00::1", "[fd00::2]:80", 1500, 1440),
        ("fd00::1", "[fd00::2]:80", 9000, 8940),
    ] {
        let mut endpoint = endpoint(address, Settings { mtu, ..plain(100) });
        endpoint.connect(Instant::ZERO, None, remote.parse().unwrap()).unwrap();
        let syn = endpoint.poll_transmit(Instant::ZERO, &mut Vec::new()).unwrap();
        assert_eq!(syn.header.options.mss, Some(expected), "{address} {mtu}");
    }
}

/// What stands in the options of a segment: kinds with their lengths, and the octets behind the end of the list.
fn walk(mut options: &[u8]) -> (Vec<(u8, usize)>, Vec<u8>) {
    let mut kinds = Vec::new();
    while let [kind, rest @ ..] = options {
        match kind {
            0 => return (kinds, rest.to_vec()),
            1 => options = rest,
            _ => {
                let length = usize::from(rest[0]);
                kinds.push((*kind, length));
                options = &options[length..];
            }
        }
    }
    (kinds, Vec::new())
}

#[test]
fn must_68_69_every_option_has_its_length_and_padding_is_zeros() {
    for bits in 0..8 {
        let (timestamps, sack, scale) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let settings =
            Settings { timestamps, sack, window_scale: scale.then_some(WindowScale::Shift(7)), ..plain(100) };
        let mut lone = Lone::new(settings);
        lone.connect();
        let syn = lone.datagrams().remove(0);
        let header = usize::from(syn[32] >> 4) * 4;
        let (kinds, padding) = walk(&syn[40..20 + header]);
        let expected: Vec<(u8, usize)> =
            [Some((2, 4)), sack.then_some((4, 2)), timestamps.then_some((8, 10)), scale.then_some((3, 3))]
                .into_iter()
                .flatten()
                .collect();
        assert_eq!(kinds, expected);
        assert!(padding.iter().all(|octet| *octet == 0), "{padding:?}");
    }
}
