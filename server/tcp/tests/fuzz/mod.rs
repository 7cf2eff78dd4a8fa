//! What octets that a fuzzer chose do to an endpoint. Used by the targets of `fuzz/` and by `tests/robust.rs`.

mod calls;
mod watch;
mod wire;

use std::net::{IpAddr, Ipv4Addr};

use halfopen_tcp::{Config, Disposition, DropReason, Endpoint, Instant, Settings};

pub(crate) use calls::calls;

/// The endpoint's address.
const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The peer's, played by the fuzzer.
const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// The port the endpoint listens on, and the one of the peer that it connects to.
const PORT: u16 = 80;

/// The fuzzer's octets, taken from the front; zeros when there are no more.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

fn endpoint(address: Ipv4Addr, settings: Settings) -> Endpoint {
    Endpoint::new(Config::new(vec![IpAddr::V4(address)], settings, 7))
}

/// Datagrams of any octets, and TCP segments of any octets in good datagrams, reach an endpoint that listens, or
/// one that opens, and whatever becomes of them. What the endpoint says must be readable.
pub(crate) fn segments(octets: &[u8]) {
    let mut input = Input(octets);
    let settings = calls::settings(&mut input);
    let mut reader = endpoint(PEER, settings.clone());
    let mut endpoint = endpoint(US, settings);
    let mut now = Instant::ZERO;
    endpoint.listen(now, PORT, 4).expect("the port is free");
    let opened = endpoint.connect(now, Some(1000), (PEER, PORT).into()).expect("the port is free");
    // The latest numbers the endpoint used: without them no segment would get far.
    let (mut seq, mut ack) = say(&mut endpoint, &mut reader, now).unwrap_or_default();
    while !input.is_empty() {
        let mode = input.octet();
        let length = usize::from(input.octet());
        let mut chosen = input.take(length).to_vec();
        if mode & 1 == 0 {
            endpoint.handle_datagram(now, &chosen);
        } else {
            wire::aim(&mut chosen, mode & 2 == 0, mode & 4 == 0, (ack, seq));
            endpoint.handle_datagram(now, &wire::datagram(PEER, US, chosen));
        }
        if mode & 8 != 0 {
            let _ = endpoint.receive(now, opened, &mut [0; 100]);
            let _ = endpoint.send(now, opened, &[0; 100]);
        }
        if mode & 16 != 0
            && let Some(next) = endpoint.poll_timeout()
        {
            now = next;
            endpoint.handle_timeout(now);
        }
        (seq, ack) = say(&mut endpoint, &mut reader, now).unwrap_or((seq, ack));
    }
}

/// Takes what the endpoint says, which the reader must understand. The latest numbers: behind what was said, and
/// what it expects.
fn say(endpoint: &mut Endpoint, reader: &mut Endpoint, now: Instant) -> Option<(u32, u32)> {
    let mut latest = None;
    let mut sent = Vec::new();
    while let Some(transmit) = endpoint.poll_transmit(now, &mut sent) {
        latest = Some((transmit.header.end().0, transmit.header.ack.0));
        let read = reader.handle_datagram(now, &std::mem::take(&mut sent)).disposition;
        let unreadable = [DropReason::Malformed, DropReason::Checksum, DropReason::NotForUs];
        assert!(!unreadable.map(Disposition::Dropped).contains(&read), "{read:?}: {transmit:?}");
    }
    let mut ignored = Vec::new();
    while reader.poll_transmit(now, &mut ignored).is_some() {}
    while endpoint.poll_event().is_some() {}
    while reader.poll_event().is_some() {}
    latest
}
