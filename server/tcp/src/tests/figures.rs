//! Figures 6 to 13 of RFC 9293, with the RFC's numbers.

use super::*;

/// The connection of figures 9, 10, 12 and 13: `send` is our snd.nxt, `receive` our rcv.nxt.
fn established(send: u32, receive: u32) -> Lone {
    let mut lone = Lone::new(plain(send - 1));
    lone.connect();
    lone.sent_now();
    lone.deliver((SYN | ACK, receive - 1, send, 0));
    assert_eq!(lone.state(), State::Established);
    lone.path();
    lone
}

#[test]
fn figure_6_basic_three_way_handshake() {
    let mut a = Lone::new(plain(100));
    let mut b = Lone::new(plain(300));
    b.listen();
    a.connect();
    assert_eq!(a.sent_now(), [(SYN, 100, 0, 0)]);
    assert_eq!(b.deliver((SYN, 100, 0, 0)).1, [(SYN | ACK, 300, 101, 0)]);
    assert_eq!(a.deliver((SYN | ACK, 300, 101, 0)).1, [(ACK, 101, 301, 0)]);
    b.deliver((ACK, 101, 301, 0));
    assert_eq!(a.path(), [State::Closed, State::SynSent, State::Established]);
    assert_eq!(b.path(), [State::Listen, State::SynReceived, State::Established]);
    // Line 5: the data has the sequence number of the ACK, which took none.
    let id = a.id();
    a.endpoint.send(a.now, id, b"data").unwrap();
    assert_eq!(a.sent_now(), [(ACK | PSH, 101, 301, 4)]);
}

#[test]
fn figure_7_simultaneous_open() {
    let mut a = Lone::new(plain(100));
    let mut b = Lone::new(plain(300));
    a.connect();
    b.connect();
    assert_eq!((a.sent_now(), b.sent_now()), (vec![(SYN, 100, 0, 0)], vec![(SYN, 300, 0, 0)]));
    assert_eq!(a.deliver((SYN, 300, 0, 0)).1, [(SYN | ACK, 100, 301, 0)]);
    assert_eq!(b.deliver((SYN, 100, 0, 0)).1, [(SYN | ACK, 300, 101, 0)]);
    a.deliver((SYN | ACK, 300, 101, 0));
    b.deliver((SYN | ACK, 100, 301, 0));
    for mut end in [a, b] {
        assert_eq!(end.path(), [State::Closed, State::SynSent, State::SynReceived, State::Established]);
    }
}

#[test]
fn figure_8_recovery_from_an_old_duplicate_syn() {
    let mut a = Lone::new(plain(100));
    let mut b = Lone::new(plain(300));
    b.listen();
    a.connect();
    a.sent_now();
    assert_eq!(b.deliver((SYN, 90, 0, 0)).1, [(SYN | ACK, 300, 91, 0)]);
    assert_eq!(a.deliver((SYN | ACK, 300, 91, 0)).1, [(RST, 91, 0, 0)]);
    assert_eq!(a.state(), State::SynSent);
    b.deliver((RST, 91, 0, 0));
    assert_eq!(b.path(), [State::Listen, State::SynReceived, State::Closed]);
    b.endpoint.set_initial_sequence(400);
    b.connection = None;
    assert_eq!(b.deliver((SYN, 100, 0, 0)).1, [(SYN | ACK, 400, 101, 0)]);
    assert_eq!(a.deliver((SYN | ACK, 400, 101, 0)).1, [(ACK, 101, 401, 0)]);
    b.deliver((ACK, 101, 401, 0));
    assert_eq!((a.state(), b.state()), (State::Established, State::Established));
}

#[test]
fn figure_9_half_open_connection_discovery() {
    let mut a = Lone::new(plain(400));
    let mut b = established(300, 100);
    a.connect();
    assert_eq!(a.sent_now(), [(SYN, 400, 0, 0)]);
    // RFC 5961 makes the answer a challenge ACK; the figure has the same numbers.
    assert_eq!(b.deliver((SYN, 400, 0, 0)).1, [(ACK, 300, 100, 0)]);
    assert_eq!(a.deliver((ACK, 300, 100, 0)).1, [(RST, 100, 0, 0)]);
    b.deliver((RST, 100, 0, 0));
    assert_eq!(b.path(), [State::Established, State::Closed]);
    let id = b.id();
    assert_eq!(b.endpoint.receive(b.now, id, &mut [0]), Err(crate::Errno::ConnectionReset));
    assert_eq!(a.state(), State::SynSent);
    assert_eq!(a.wait(), [(SYN, 400, 0, 0)]);
}

#[test]
fn figure_10_active_side_causes_half_open_connection_discovery() {
    let mut a = Lone::new(plain(1));
    let mut b = established(300, 100);
    let id = b.id();
    b.endpoint.send(b.now, id, &[0; 10]).unwrap();
    assert_eq!(b.sent_now(), [(ACK | PSH, 300, 100, 10)]);
    assert_eq!(a.deliver((ACK | PSH, 300, 100, 10)).1, [(RST, 100, 0, 0)]);
    b.deliver((RST, 100, 0, 0));
    assert_eq!(b.path(), [State::Established, State::Closed]);
}

#[test]
fn figure_11_old_duplicate_syn_initiates_a_reset_on_two_passive_sockets() {
    let (x, z) = (300, 900);
    let mut a = Lone::new(plain(100));
    let mut b = Lone::new(plain(x));
    a.listen();
    b.listen();
    assert_eq!(b.deliver((SYN, z, 0, 0)).1, [(SYN | ACK, x, z + 1, 0)]);
    assert_eq!(a.deliver((SYN | ACK, x, z + 1, 0)).1, [(RST, z + 1, 0, 0)]);
    b.deliver((RST, z + 1, 0, 0));
    assert_eq!(b.path(), [State::Listen, State::SynReceived, State::Closed]);
    // Both still listen.
    for end in [&mut a, &mut b] {
        end.peer.set_port(81);
        assert_eq!(end.deliver((SYN, 5, 0, 0)).1[0].0, SYN | ACK);
    }
}

#[test]
fn figure_12_normal_close_sequence() {
    let mut a = established(100, 300);
    let mut b = established(300, 100);
    let (a_id, b_id) = (a.id(), b.id());
    a.endpoint.close(a.now, a_id);
    assert_eq!(a.sent_now(), [(FIN | ACK, 100, 300, 0)]);
    assert_eq!(b.deliver((FIN | ACK, 100, 300, 0)).1, [], "Linux hopes for company");
    assert_eq!(b.wait(), [(ACK, 300, 101, 0)]);
    a.deliver((ACK, 300, 101, 0));
    b.endpoint.close(b.now, b_id);
    assert_eq!(b.sent_now(), [(FIN | ACK, 300, 101, 0)]);
    assert_eq!(a.deliver((FIN | ACK, 300, 101, 0)).1, [(ACK, 101, 301, 0)]);
    b.deliver((ACK, 101, 301, 0));
    let before = a.now;
    assert_eq!(a.wait(), []);
    assert_eq!(a.now - before, secs(60), "2 MSL");
    use State::*;
    assert_eq!(a.path(), [Established, FinWait1, FinWait2, TimeWait, Closed]);
    assert_eq!(b.path(), [Established, CloseWait, LastAck, Closed]);
}

#[test]
fn figure_13_simultaneous_close_sequence() {
    let mut a = established(100, 300);
    let mut b = established(300, 100);
    for (end, seq, ack) in [(&mut a, 100, 300), (&mut b, 300, 100)] {
        let id = end.id();
        end.endpoint.close(end.now, id);
        assert_eq!(end.sent_now(), [(FIN | ACK, seq, ack, 0)]);
    }
    assert_eq!(a.deliver((FIN | ACK, 300, 100, 0)).1, [(ACK, 101, 301, 0)]);
    assert_eq!(b.deliver((FIN | ACK, 100, 300, 0)).1, [(ACK, 301, 101, 0)]);
    a.deliver((ACK, 301, 101, 0));
    b.deliver((ACK, 101, 301, 0));
    for mut end in [a, b] {
        end.wait();
        use State::*;
        assert_eq!(end.path(), [Established, FinWait1, Closing, TimeWait, Closed]);
    }
}
