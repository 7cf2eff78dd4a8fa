//! Ways to other hosts: with settings of their own; and without any, because the host has lost the address of its connections,
//! as Linux 6.18 was seen to do it with `tcp_retries2` 4.

use super::pair::{Fate, Pair};
use super::*;
use crate::{Errno, GiveUp};

/// The client, connected, gives up after four retries.
fn connected() -> Pair {
    let settings = Settings { give_up: GiveUp::Retries(4), ..Profile::Linux.settings() };
    Pair::new(settings, Profile::Linux.settings()).connected()
}

fn lose_address(pair: &mut Pair) {
    pair.ends[0].set_addresses(vec!["10.0.0.9".parse().unwrap()]);
}

#[test]
fn data_that_was_in_flight_ends_with_the_error_of_the_route() {
    let mut pair = connected();
    pair.path(|_, _, _| Fate::Drop);
    pair.send(0, b"twelve bytes");
    lose_address(&mut pair);
    pair.log.clear();
    let begun = pair.now;
    pair.run();
    assert_eq!(pair.sent(0), [], "nothing leaves the host");
    assert_eq!(pair.ended[0], Some(Err(Errno::NetworkUnreachable)));
    let failed = pair.events[0].iter().find(|(_, event)| matches!(event.kind, EventKind::Error(_)));
    let waited = failed.unwrap().0 - begun;
    assert!((secs(6)..secs(9)).contains(&waited), "{waited:?}");
}

#[test]
fn data_that_was_never_sent_ends_with_a_timeout() {
    let mut pair = connected();
    lose_address(&mut pair);
    pair.send(0, b"twelve bytes");
    pair.run();
    assert_eq!(pair.sent(0), []);
    assert_eq!(pair.ended[0], Some(Err(Errno::TimedOut)));
}

#[test]
fn data_goes_out_once_the_address_is_back() {
    let mut pair = connected();
    lose_address(&mut pair);
    pair.send(0, b"twelve bytes");
    pair.run_for(secs(2));
    assert_eq!(pair.read[1], b"");
    pair.ends[0].set_addresses(vec!["10.0.0.1".parse().unwrap()]);
    pair.run_for(secs(2));
    assert_eq!(pair.read[1], b"twelve bytes");
    assert_eq!(pair.ended[0], None);
}

#[test]
fn a_connection_opens_from_an_address_that_is_left() {
    let mut pair = Pair::linux();
    let remote = "10.0.0.2:80".parse().unwrap();
    lose_address(&mut pair);
    let id = pair.ends[0].connect(pair.now, None, remote).unwrap();
    assert_eq!(pair.ends[0].status(id).unwrap().local.ip(), "10.0.0.9".parse::<IpAddr>().unwrap());
    let lost = pair.ends[0].connect_from(pair.now, "10.0.0.1".parse().unwrap(), None, remote);
    assert_eq!(lost, Err(Errno::AddressNotAvailable));
    pair.ends[0].set_addresses(Vec::new());
    assert_eq!(pair.ends[0].connect(pair.now, None, remote), Err(Errno::NetworkUnreachable));
}

#[test]
fn a_route_has_settings_of_its_own() {
    let settings = Profile::Linux.settings();
    let mut near = settings.clone();
    (near.rto.initial, near.initial_window) = (ms(100), 2);
    let mut config = Config::new(vec!["10.0.0.1".parse().unwrap()], settings, 7);
    config.routes.insert("10.0.0.2".parse().unwrap(), near);
    let mut endpoint = Endpoint::new(config);
    for (remote, rto, window) in [("10.0.0.2:80", ms(100), 2), ("10.0.0.3:80", secs(1), 10)] {
        let id = endpoint.connect(Instant::ZERO, None, remote.parse().unwrap()).unwrap();
        let info = endpoint.info(Instant::ZERO, id).unwrap();
        assert_eq!((info.rto, info.snd_cwnd), (rto, window), "{remote}");
    }
}
