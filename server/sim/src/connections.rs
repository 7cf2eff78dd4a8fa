//! Every connection of a run, with what is known of its two ends.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use halfopen_tcp::{Flags, Header, Instant, Seq, State};

use crate::content::Written;
use crate::trace::{ConnectionNumber, FinalState, HostId};

/// One end of a connection: the connection's number and the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EndId {
    pub(crate) number: ConnectionNumber,
    side: Side,
}

impl EndId {
    /// The other end.
    pub(crate) const fn peer(self) -> EndId {
        let side = match self.side {
            Side::Low => Side::High,
            Side::High => Side::Low,
        };
        EndId { number: self.number, side }
    }
}

/// Which end of a connection: that with the lower address and port, or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Low,
    High,
}

/// What is known of one end.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    /// The host it is on; `None` while no host has it.
    pub(crate) host: Option<HostId>,
    /// Its state and since when; `None` before its first transition and after its host is gone.
    pub(crate) state: Option<(State, Instant)>,
    /// When a segment last arrived at it.
    pub(crate) last_arrival: Option<Instant>,
    /// How long nothing had arrived when one did.
    pub(crate) last_silence: Duration,
    /// Octets the application received, and when the last came.
    pub(crate) received: Option<(u64, Instant)>,
    /// What the application sent.
    pub(crate) written: Written,
    iss: Option<Seq>,
    scale: Option<u8>,
    /// The sequence number after the last one sent.
    sent_to: Option<Seq>,
}

/// What an end's history makes of a segment it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) peer_iss: u32,
    pub(crate) window: u32,
    pub(crate) retransmission: bool,
}

/// The connections of a run, numbered in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    /// The newest connection between two sockets, the lower first.
    newest: BTreeMap<(SocketAddr, SocketAddr), ConnectionNumber>,
    ends: Vec<[End; 2]>,
}

impl Connections {
    /// A connection came to be on a host: the other end of one that is there already, or a new one.
    pub(crate) fn attach(&mut self, host: HostId, local: SocketAddr, remote: SocketAddr) -> EndId {
        if let Some(id) = self.find(local, remote)
            && self.end(id).host.is_none()
        {
            self.end_mut(id).host = Some(host);
            return id;
        }
        let (key, side) = key(local, remote);
        self.ends.push(Default::default());
        let number = ConnectionNumber::new(self.ends.len()).expect("one was just pushed");
        self.newest.insert(key, number);
        let id = EndId { number, side };
        self.end_mut(id).host = Some(host);
        id
    }

    /// The local end of the newest connection between two sockets.
    pub(crate) fn find(&self, local: SocketAddr, remote: SocketAddr) -> Option<EndId> {
        let (key, side) = key(local, remote);
        self.newest.get(&key).map(|number| EndId { number: *number, side })
    }

    /// What is known of an end.
    pub(crate) fn end(&self, id: EndId) -> &End {
        &self.ends[id.number.index()][id.side as usize]
    }

    /// What is known of an end.
    pub(crate) fn end_mut(&mut self, id: EndId) -> &mut End {
        &mut self.ends[id.number.index()][id.side as usize]
    }

    /// A segment arrived at an end.
    pub(crate) fn arrived(&mut self, id: EndId, now: Instant) {
        let end = self.end_mut(id);
        end.last_silence = now.since(end.last_arrival.unwrap_or(now));
        end.last_arrival = Some(now);
    }

    /// An end sends a segment: learns from it, and says what it is relative to the connection.
    pub(crate) fn sends(&mut self, id: EndId, header: &Header) -> Relative {
        let syn = header.flags.contains(Flags::SYN);
        let end = self.end_mut(id);
        if syn {
            end.iss = Some(header.seq);
            end.scale = header.options.window_scale;
        }
        let retransmission = !header.is_empty() && end.sent_to.is_some_and(|sent| header.seq.before(sent));
        if !header.is_empty() {
            end.sent_to = Some(end.sent_to.map_or(header.end(), |sent| sent.max(header.end())));
        }
        let (iss, scale) = (end.iss, end.scale);
        let peer = self.end(id.peer());
        let peer_iss = peer.iss.unwrap_or_default();
        // The window of a SYN is never scaled, and others only if both SYNs offered it (RFC 7323 §2.2).
        let shift = if syn { 0 } else { scale.and(peer.scale).and(scale).unwrap_or(0) };
        Relative {
            seq: iss.map_or(header.seq.0, |iss| iss.until(header.seq)),
            ack: if header.flags.contains(Flags::ACK) { peer_iss.until(header.ack) } else { 0 },
            peer_iss: peer_iss.0,
            window: u32::from(header.window) << shift,
            retransmission,
        }
    }

    /// A host is gone, and the ends on it with it.
    pub(crate) fn forget(&mut self, host: HostId) {
        for end in self.ends.iter_mut().flatten().filter(|end| end.host == Some(host)) {
            end.state = None;
        }
    }

    /// Since when the host has had a connection in this state without a break, if it has.
    pub(crate) fn in_state_since(&self, host: HostId, wanted: State) -> Option<Instant> {
        self.ends
            .iter()
            .flatten()
            .filter(|end| end.host == Some(host))
            .filter_map(|end| end.state.and_then(|(state, since)| (state == wanted).then_some(since)))
            .min()
    }

    /// Every end a host ever had, by connection.
    pub(crate) fn of_host(&self, host: HostId) -> impl Iterator<Item = (ConnectionNumber, &End)> {
        self.all().filter(move |(_, end)| end.host == Some(host))
    }

    /// Where each connection is, on each host: by connection, then host.
    pub(crate) fn states(&self) -> Vec<FinalState> {
        let mut states: Vec<FinalState> = self
            .all()
            .filter_map(|(connection, end)| {
                Some(FinalState { host: end.host?, connection, state: end.state?.0 })
            })
            .collect();
        states.sort_by_key(|end| (end.connection, end.host));
        states
    }

    fn all(&self) -> impl Iterator<Item = (ConnectionNumber, &End)> {
        let numbers = (1..).filter_map(ConnectionNumber::new);
        numbers.zip(&self.ends).flat_map(|(number, ends)| ends.iter().map(move |end| (number, end)))
    }
}

fn key(local: SocketAddr, remote: SocketAddr) -> ((SocketAddr, SocketAddr), Side) {
    if local <= remote { ((local, remote), Side::Low) } else { ((remote, local), Side::High) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn both_ends_of_a_connection_have_one_number_and_a_second_life_has_another() {
        let [client, server] = [socket("10.0.0.1:40000"), socket("10.0.0.2:80")];
        let mut connections = Connections::default();
        let first = connections.attach(HostId(0), client, server);
        assert_eq!(connections.attach(HostId(1), server, client), first.peer());
        let again = connections.attach(HostId(0), client, server);
        assert_ne!(again.number, first.number);
        assert_eq!(connections.attach(HostId(1), server, client), again.peer());
        assert_eq!(connections.find(server, client), Some(again.peer()));
        let other = connections.attach(HostId(0), socket("10.0.0.1:40001"), server);
        assert_eq!(other.number.0.get(), 3);
    }

    #[test]
    fn numbers_are_relative_to_the_initial_ones_and_windows_are_scaled() {
        let [client, server] = [socket("10.0.0.1:40000"), socket("10.0.0.2:80")];
        let mut connections = Connections::default();
        let near = connections.attach(HostId(0), client, server);
        let mut syn = Header { seq: Seq(u32::MAX), flags: Flags::SYN, window: 100, ..Header::default() };
        syn.options.window_scale = Some(7);
        assert_eq!(connections.sends(near, &syn), Relative { window: 100, ..Relative::default() });
        assert!(connections.sends(near, &syn).retransmission, "the same SYN again");

        let far = connections.attach(HostId(1), server, client);
        let mut syn_ack =
            Header { seq: Seq(500), ack: Seq(0), flags: Flags::SYN | Flags::ACK, ..Header::default() };
        syn_ack.options.window_scale = Some(2);
        let expected = Relative { ack: 1, peer_iss: u32::MAX, ..Relative::default() };
        assert_eq!(connections.sends(far, &syn_ack), expected);

        let data = Header {
            seq: Seq(0),
            ack: Seq(501),
            flags: Flags::ACK,
            window: 100,
            payload: 10,
            ..Header::default()
        };
        let expected = Relative { seq: 1, ack: 1, peer_iss: 500, window: 12_800, retransmission: false };
        assert_eq!(connections.sends(near, &data), expected);
        let half_new = Header { payload: 20, ..data };
        assert!(connections.sends(near, &half_new).retransmission, "half of it was sent before");
    }
}
