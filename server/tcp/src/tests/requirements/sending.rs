//! Sending data: small segments, PUSH, windows that shrink, urgent data (RFC 9293 §3.7.4, §3.8, §3.9.1).

use super::*;

/// What was sent: flags, sequence number, urgent pointer, octets of data.
fn marked(lone: &mut Lone) -> Vec<(Flags, u32, u16, u32)> {
    let all = lone.transmits();
    all.iter()
        .map(|Transmit { header, .. }| (header.flags, header.seq.0, header.urgent, header.payload))
        .collect()
}

/// A segment of the peer with an urgent pointer.
fn say_urgent(lone: &mut Lone, seq: u32, urgent: u16, len: usize) -> Disposition {
    let payload = vec![b'u'; len];
    let header = Header {
        seq: Seq(seq),
        ack: Seq(101),
        flags: ACK | URG,
        window: 65_535,
        urgent,
        payload: len as u32,
        ..Header::default()
    };
    let mut octets = Vec::new();
    encode(IpChoice::default(), lone.peer, lone.local, &header, (&payload, b""), &mut octets);
    let disposition = lone.endpoint.handle_datagram(lone.now, &octets).disposition;
    lone.sent_now();
    disposition
}

fn urgent_octets(lone: &Lone) -> u32 {
    lone.endpoint.status(lone.id()).unwrap().urgent
}

#[test]
fn must_30_62_the_pointer_stands_behind_the_urgent_octets() {
    let mut lone = eager(plain(100));
    let (now, id) = (lone.now, lone.id());
    lone.endpoint.send(now, id, &[0; 2000]).unwrap();
    assert_eq!(lone.endpoint.send_urgent(now, id, &[1; 10]), Ok(10));
    lone.endpoint.set_nodelay(now, id, true);
    lone.endpoint.send(now, id, &[0; 1000]).unwrap();
    assert_eq!(
        marked(&mut lone),
        [(ACK | URG, 101, 2010, 1460), (ACK | URG, 1561, 550, 1460), (ACK | PSH, 3021, 0, 90)]
    );
    lone.deliver((ACK, 301, 3111, 0));
    assert_eq!(lone.send(b"calm")[0].0, ACK | PSH, "the mark is history");
}

#[test]
fn must_31_urgent_data_may_be_of_any_length() {
    let mut lone = eager(plain(100));
    let (now, id) = (lone.now, lone.id());
    lone.endpoint.send_urgent(now, id, &[1; 100_000]).unwrap();
    let mut at = 101;
    let end = 101 + 100_000;
    while at < end {
        let sent = marked(&mut lone);
        assert!(!sent.is_empty(), "stuck at {at}");
        for (flags, seq, urgent, len) in sent {
            assert!(flags.contains(URG));
            assert_eq!(u32::from(urgent), (end - seq).min(65_535), "as far as it can point");
            at = seq + len;
        }
        let header = Header { seq: Seq(301), ack: Seq(at), flags: ACK, window: 65_535, ..Header::default() };
        let mut octets = Vec::new();
        encode(IpChoice::default(), lone.peer, lone.local, &header, (b"", b""), &mut octets);
        lone.endpoint.handle_datagram(lone.now, &octets);
    }

    // And the other way round: the mark moves with the segments.
    let all_at_once = Settings { packet_memory: false, send_buffer: 1 << 20, ..Profile::Linux.settings() };
    let mut pair = Pair::new(all_at_once, Profile::Linux.settings()).connected();
    let (now, id) = (pair.now, pair.id(0));
    assert_eq!(pair.ends[0].send_urgent(now, id, &pattern(200_000)), Ok(200_000));
    pair.drain(0);
    pair.run_for(secs(5));
    assert_eq!(pair.read[1], pattern(200_000), "in line and whole");
    let told = pair.events[1].iter().filter(|(_, event)| matches!(event.kind, EventKind::Report(_))).count();
    assert!(told > 1, "{told}");
}

#[test]
fn must_32_33_the_application_learns_of_each_new_mark_and_how_far_it_is() {
    let mut lone = Lone::in_state(State::Established, plain(100));
    // The pointer may be ahead of the data.
    say_urgent(&mut lone, 301, 500, 100);
    assert_eq!(lone.reports(), [Report::Urgent(500)]);
    say_urgent(&mut lone, 401, 400, 100);
    assert_eq!(lone.reports(), [], "the same mark");
    say_urgent(&mut lone, 501, 600, 100);
    assert_eq!(lone.reports(), [Report::Urgent(800)], "farther on");
    say_urgent(&mut lone, 601, 1, 0);
    assert_eq!((lone.reports(), urgent_octets(&lone)), (vec![], 800), "never back");
    assert_eq!(lone.receive(), Ok(Received::Octets(300)));
    assert_eq!(urgent_octets(&lone), 500);
    lone.deliver((ACK, 601, 101, 600));
    assert_eq!(lone.receive(), Ok(Received::Octets(600)));
    assert_eq!(urgent_octets(&lone), 0);
    say_urgent(&mut lone, 1201, 0, 10);
    assert_eq!(lone.reports(), [], "a pointer to nothing");
    say_urgent(&mut lone, 1211, 5, 10);
    assert_eq!(lone.reports(), [Report::Urgent(15)]);
}

/// A connection whose receive window is closed, and its rcv.nxt.
fn closed_window() -> (Lone, u32) {
    let settings =
        Settings { receive_buffer: 1152, receive_buffer_max: None, trim_to_window: true, ..plain(100) };
    let mut lone = Lone::in_state(State::Established, settings);
    lone.deliver((ACK, 301, 101, 1152));
    assert_eq!(lone.transmits().last().map(|sent| sent.header.window), None);
    lone.deliver((ACK, 1453, 101, 1));
    lone.events();
    (lone, 1453)
}

#[test]
fn must_66_a_closed_window_takes_resets_and_urgent_pointers() {
    let (mut lone, next) = closed_window();
    assert_eq!(say_urgent(&mut lone, next, 7, 0), Disposition::Accepted);
    assert_eq!(lone.reports(), [Report::Urgent(1159)]);
    assert_eq!(say_urgent(&mut lone, next, 9, 1), Disposition::Accepted);
    assert_eq!(lone.reports(), [Report::Urgent(1161)], "with an octet that does not fit");
    lone.deliver((RST, next, 0, 0));
    assert_eq!(lone.state(), State::Closed);

    // Our own pointer gets into a closed window, and again with each probe.
    let mut lone = Lone::in_state(State::Established, plain(100));
    lone.deliver_with(ACK, 301, 101, b"", 0, Options::default());
    let (now, id) = (lone.now, lone.id());
    lone.endpoint.send_urgent(now, id, &[1; 10]).unwrap();
    assert_eq!(marked(&mut lone), [(ACK | URG, 101, 10, 0)]);
    lone.now = lone.endpoint.poll_timeout().unwrap();
    lone.endpoint.handle_timeout(lone.now);
    assert_eq!(marked(&mut lone), [(ACK | URG, 101, 10, 0), (ACK | URG, 100, 11, 0)]);
}

#[test]
fn must_18_a_segment_sent_twice_measures_nothing() {
    let settings = Settings { tail_loss_probe: false, frto: false, ..plain(100) };
    let mut lone = Lone::new(settings);
    lone.connect();
    lone.sent_now();
    lone.now += ms(100);
    lone.deliver((SYN | ACK, 300, 101, 0));
    let sends = |lone: &mut Lone| {
        lone.send(b"x");
        lone.endpoint.poll_timeout().unwrap() - lone.now
    };
    assert_eq!(sends(&mut lone), ms(300), "by the round trip of the SYN");
    assert_eq!(lone.wait(), [(ACK | PSH, 101, 301, 1)]);
    lone.now += ms(10);
    lone.deliver((ACK, 301, 102, 0));
    assert_eq!(sends(&mut lone), ms(600), "backed off, and not 10 ms");
    lone.now += ms(100);
    lone.deliver((ACK, 301, 103, 0));
    assert!(sends(&mut lone) < ms(600), "a measurement ends it");
}

#[test]
fn must_34_a_window_that_shrinks_is_survived() {
    let mut lone = eager(Settings { tail_loss_probe: false, ..plain(100) });
    assert_eq!(lone.send(&[0; 14_600]).len(), 10);
    // All is received, but the window is taken back to before what is under way.
    lone.deliver_with(ACK, 301, 101 + 1460, b"", 2000, Options::default());
    assert_eq!(lone.send(&[0; 1000]), [], "SHLD-15: nothing new");
    assert_eq!(lone.wait()[0].1, 101 + 1460, "SHLD-16: the old again");
    let opened = lone.deliver_with(ACK, 301, 101 + 14_600, b"", 65_535, Options::default()).1;
    assert_eq!(opened, [(ACK | PSH, 101 + 14_600, 301, 1000)]);
}

/// SHLD-17: the peer answers, so it is not gone, although it takes nothing for an hour.
#[test]
fn shld_17_data_beyond_a_closed_window_ends_nothing() {
    for settings in [plain(100), recommended()] {
        let mut lone = eager(settings);
        lone.send(&[0; 1460]);
        lone.deliver_with(ACK, 301, 101, b"", 0, Options::default());
        let end = lone.now + secs(3_600);
        while lone.now < end {
            for _ in lone.wait() {
                lone.deliver_with(ACK, 301, 101, b"", 0, Options::default());
            }
            assert_eq!(lone.state(), State::Established, "at {:?}", lone.now);
        }
    }
}

#[test]
fn must_38_a_silly_window_is_not_used_until_it_has_been_one_for_long() {
    let mut lone = eager(plain(100));
    lone.deliver_with(ACK, 301, 101, b"", 100, Options::default());
    assert_eq!(lone.send(&[0; 1000]), []);
    assert_eq!(lone.wait(), [(ACK, 101, 301, 100)], "the override timer");
    lone.deliver_with(ACK, 301, 201, b"", 50, Options::default());
    assert_eq!(lone.sent_now(), []);
    assert_eq!(
        lone.deliver_with(ACK, 301, 201, b"", 65_535, Options::default()).1,
        [(ACK | PSH, 201, 301, 900)]
    );
}

#[test]
fn must_58_59_one_acknowledgment_answers_what_came_together() {
    let mut lone = Lone::in_state(State::Established, recommended());
    for at in 0..5 {
        let datagram = lone.datagram((ACK, 301 + at * 1000, 101, 1000), &[], &[]);
        lone.endpoint.handle_datagram(lone.now, &datagram);
    }
    assert_eq!(lone.sent_now(), [(ACK, 101, 5301, 0)]);
}

#[test]
fn must_60_61_what_is_sent_goes_at_once_and_its_last_segment_is_pushed() {
    let mut lone = eager(plain(100));
    assert_eq!(lone.send(&[0; 10]), [(ACK | PSH, 101, 301, 10)]);
    lone.deliver((ACK, 301, 111, 0));
    let (now, id) = (lone.now, lone.id());
    // SHLD-27: two writes, one PSH.
    lone.endpoint.send(now, id, &[0; 1000]).unwrap();
    lone.endpoint.send(now, id, &[0; 1000]).unwrap();
    lone.endpoint.set_nodelay(now, id, true);
    assert_eq!(lone.sent_now(), [(ACK, 111, 301, 1460), (ACK | PSH, 1571, 301, 540)]);
}

#[test]
fn may_13_data_ahead_of_a_gap_is_kept_and_acknowledged_at_once() {
    let mut lone = Lone::in_state(State::Established, recommended());
    assert_eq!(lone.deliver((ACK, 311, 101, 10)).1, [(ACK, 101, 301, 0)]);
    assert_eq!(lone.deliver((ACK, 301, 101, 10)).1, [(ACK, 101, 321, 0)]);
    assert_eq!(lone.receive(), Ok(Received::Octets(20)));
}
