//! Which sockets may share a port (Linux `inet_csk_bind_conflict`).

use super::*;
use crate::{Errno, ListenOptions};
use State::*;

/// A connection of a listener that has closed, in each state in which the kernel still knows it.
fn orphaned(state: State, reuse_address: bool) -> Lone {
    let mut lone = Lone::new(plain(100));
    let options = ListenOptions { reuse_address, ..ListenOptions::new(8) };
    let listener = lone.endpoint.listen_with(lone.now, lone.local.port(), options).unwrap();
    lone.deliver((SYN, 300, 0, 0));
    lone.deliver((ACK, 301, 101, 0));
    let id = lone.endpoint.accept(listener).expect("the handshake is complete");
    lone.connection = Some(id);
    lone.endpoint.close_listener(lone.now, listener);
    match state {
        CloseWait => {
            lone.deliver((FIN | ACK, 301, 101, 0));
        }
        TimeWait => {
            lone.endpoint.close(lone.now, id);
            lone.sent_now();
            lone.deliver((FIN | ACK, 301, 102, 0));
        }
        _ => {}
    }
    assert_eq!(lone.state(), state);
    lone
}

#[test]
fn a_port_is_shared_if_every_socket_reuses_its_address_and_none_listens() {
    for state in [Established, CloseWait, TimeWait] {
        for (old, new, outcome) in [
            (true, true, Ok(())),
            (true, false, Err(Errno::AddressInUse)),
            (false, true, Err(Errno::AddressInUse)),
            (false, false, Err(Errno::AddressInUse)),
        ] {
            let mut lone = orphaned(state, old);
            let options = ListenOptions { reuse_address: new, ..ListenOptions::new(8) };
            let port = lone.local.port();
            let opened = lone.endpoint.listen_with(lone.now, port, options).map(|_| ());
            assert_eq!(opened, outcome, "{state}: the old socket {old}, the new one {new}");
            let elsewhere = lone.endpoint.listen_with(lone.now, port + 1, options);
            assert!(elsewhere.is_ok(), "another port");
        }
    }
    let mut lone = Lone::new(plain(100));
    lone.listen();
    let again = lone.endpoint.listen(lone.now, lone.local.port(), 8);
    assert_eq!(again, Err(Errno::AddressInUse), "two listeners");
}

#[test]
fn the_port_is_free_once_the_kernel_has_forgotten_the_connection() {
    let mut lone = orphaned(TimeWait, true);
    let options = ListenOptions { reuse_address: false, ..ListenOptions::new(8) };
    lone.now += secs(60);
    lone.endpoint.handle_timeout(lone.now);
    assert!(lone.endpoint.listen_with(lone.now, lone.local.port(), options).is_ok());
}

#[test]
fn a_port_that_an_active_open_was_given_cannot_be_bound_but_one_that_it_bound_can() {
    for (bound, outcome) in [(None, Err(Errno::AddressInUse)), (Some(5000), Ok(()))] {
        let mut lone = Lone::new(plain(100));
        let id = lone.endpoint.connect(lone.now, bound, lone.peer).unwrap();
        let port = lone.endpoint.status(id).expect("it is there").local.port();
        assert_eq!(lone.endpoint.listen(lone.now, port, 8).map(|_| ()), outcome, "{bound:?}");
    }
    let mut lone = Lone::new(plain(100));
    lone.listen();
    let opened = lone.endpoint.connect(lone.now, Some(lone.local.port()), lone.peer);
    assert_eq!(opened, Err(Errno::AddressInUse), "the listener's");
}
