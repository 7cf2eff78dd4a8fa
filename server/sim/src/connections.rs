//! Every connection of a run, with what is known of its two ends.

mod relative;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use halfopen_scenario::ConnectionRef;
use halfopen_tcp::{Errno, Flags, Header, Instant, Seq, State};
use halfopen_trace::{ConnectionNumber, ConnectionOpened, HostId, MiddleboxId, OpenedConnections};

use crate::content::Written;

pub(crate) use relative::{Numbers, Relative};

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EndId {
    pub(crate) number: ConnectionNumber,
    /// Position among the pairs.
    pair: usize,
    side: Side,
    /// Position among all ends.
    index: usize,
}

/// Which end of a connection: that with the lower address and port, or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Low,
    High,
}

impl Side {
    const fn other(self) -> Side {
        match self {
            Side::Low => Side::High,
            Side::High => Side::Low,
        }
    }
}

/// What created an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By a call of the application.
    Call,
    /// By a segment that came to a listener.
    Segment,
}

/// What is known of one end.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// The host it is on.
    pub(crate) host: HostId,
    /// Its address and the peer's.
    pub(crate) sockets: [SocketAddr; 2],
    /// Its state and since when; `None` before its first transition and after its host is gone.
    pub(crate) state: Option<(State, Instant)>,
    /// When a segment last arrived at it.
    pub(crate) last_arrival: Option<Instant>,
    /// How long nothing had arrived when one did.
    pub(crate) last_silence: Duration,
    /// Octets the application received.
    pub(crate) received: u64,
    /// Whether some of it was not what the peer had sent.
    pub(crate) mistaken: bool,
    /// Whether the application read the end of the peer's stream.
    pub(crate) has_read_end: bool,
    /// What the application's next call gets.
    pub(crate) error: Option<Errno>,
    /// Where in the stream that it receives there may be anything: a fault put it there, and the scenario knows.
    pub(crate) unchecked: Vec<Range<u64>>,
    /// What the application sent.
    pub(crate) written: Written,
    pub(crate) iss: Option<Seq>,
    /// How much each middlebox adds to its sequence numbers on the way to the peer.
    moved: BTreeMap<MiddleboxId, u32>,
    /// The window field of the last segment sent.
    pub(crate) window: u16,
    /// The timestamp of the last segment sent that had one.
    pub(crate) timestamp: Option<u32>,
    scale: Option<u8>,
    /// The sequence number after the last one sent.
    sent_to: Option<Seq>,
    /// The end that the host had of this connection before.
    before: Option<usize>,
}

/// The two sides of a connection. A socket that is connected to itself is both.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// By side: the newest end, as a position among all.
    ends: [Option<usize>; 2],
    /// By side: the number of the connection there. Two ends on one host have one each, as a host has two sockets then.
    numbers: [ConnectionNumber; 2],
    is_loop: bool,
}

impl Pair {
    const fn peer_of(self, side: Side) -> Side {
        if self.is_loop { side } else { side.other() }
    }
}

/// The connections of a run, numbered in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    /// The newest pair between two sockets, the lower first.
    newest: BTreeMap<(SocketAddr, SocketAddr), usize>,
    pairs: Vec<Pair>,
    /// By number of a connection: its pair.
    numbered: Vec<usize>,
    /// Every end there ever was, in order of appearance.
    ends: Vec<End>,
    /// The ends, by position, in a state that somebody waits for, each with the time since when.
    watched: BTreeMap<(HostId, State), BTreeSet<(Instant, usize)>>,
    opened: OpenedConnections,
    /// The memory that is taken by what applications wrote and the pattern does not have, octets.
    written: u64,
}

/// Octets of memory that an end is counted with, in all tables.
const END: u64 = 1024;

impl Connections {
    /// An end was created on a host: the other end of a connection that is there already, or the first of a new one.
    ///
    /// A call opens a new connection, unless the peer has opened one to here too. A segment belongs to the newest
    /// connection between the two; the end that the host had of it, if any, is history. The second end on one host gets a number of
    /// its own.
    ///
    /// `peer` is the remote socket as its own host knows it, which is another one if a middlebox between the two translates.
    pub(crate) fn attach(
        &mut self,
        host: HostId,
        [local, remote]: [SocketAddr; 2],
        peer: SocketAddr,
        origin: Origin,
    ) -> EndId {
        let (key, side) = key(local, peer);
        let joins =
            |pair: &usize| origin == Origin::Segment || self.pairs[*pair].ends[side as usize].is_none();
        let pair = self.newest.get(&key).copied().filter(joins).unwrap_or_else(|| {
            let number = self.next_number(self.pairs.len());
            self.pairs.push(Pair { ends: [None; 2], numbers: [number; 2], is_loop: local == peer });
            self.pairs.len() - 1
        });
        self.newest.insert(key, pair);
        let [own, other] = [side, side.other()].map(|side| self.pairs[pair].ends[side as usize]);
        if own.is_none() && other.is_some_and(|other| self.ends[other].host == host) {
            self.pairs[pair].numbers[side as usize] = self.next_number(pair);
        }
        let number = self.pairs[pair].numbers[side as usize];
        let index = self.ends.len();
        let before = self.pairs[pair].ends[side as usize].replace(index);
        let written = Written::new(2 * u64::from(number.0.get()) + side as u64);
        let mut end = End { before, written, ..End::new(host, [local, remote]) };
        // The SYN of an end that was made from a SYN cookie was sent before.
        if let Some(cookie) = before.map(|before| &self.ends[before]).filter(|it| it.is_cookie(host, origin))
        {
            (end.iss, end.scale, end.sent_to) = (cookie.iss, cookie.scale, cookie.sent_to);
        }
        self.ends.push(end);
        EndId { number, pair, side, index }
    }

    fn next_number(&mut self, pair: usize) -> ConnectionNumber {
        self.numbered.push(pair);
        ConnectionNumber::new(self.numbered.len()).expect("one was just pushed")
    }

    /// The number that the connection has at the other end, if that is on the same host.
    pub(crate) fn number_of_peer(&self, id: EndId) -> Option<ConnectionNumber> {
        let number = self.pairs[id.pair].numbers[id.side.other() as usize];
        Some(number).filter(|number| *number != id.number)
    }

    /// What is known of an end.
    pub(crate) fn end(&self, id: EndId) -> &End {
        &self.ends[id.index]
    }

    /// What is known of an end.
    pub(crate) fn end_mut(&mut self, id: EndId) -> &mut End {
        &mut self.ends[id.index]
    }

    /// The other end, and those that its host had of this connection before it, newest first. A late SYN makes a new
    /// one while what the old one sent is still under way.
    pub(crate) fn peers(&self, id: EndId) -> impl Iterator<Item = &End> {
        self.side(id.pair, self.pairs[id.pair].peer_of(id.side))
    }

    fn side(&self, pair: usize, side: Side) -> impl Iterator<Item = &End> {
        let newest = self.pairs[pair].ends[side as usize].map(|index| &self.ends[index]);
        std::iter::successors(newest, |end| end.before.map(|index| &self.ends[index]))
    }

    /// A segment arrived at an end.
    pub(crate) fn arrived(&mut self, id: EndId, now: Instant) {
        let end = self.end_mut(id);
        end.last_silence = now.since(end.last_arrival.unwrap_or(now));
        end.last_arrival = Some(now);
    }

    /// A middlebox adds this much to the sequence numbers of an end, from the SYN on that passes now.
    pub(crate) fn renumber(
        &mut self,
        number: ConnectionNumber,
        host: HostId,
        (middlebox, by): (MiddleboxId, u32),
    ) {
        let pair = self.pairs[self.numbered[number.index()]];
        for index in pair.ends.into_iter().flatten() {
            if self.ends[index].host == host {
                self.ends[index].moved.insert(middlebox, by);
            }
        }
    }

    /// An end sends a segment: learns from it, and says what it is relative to the connection.
    pub(crate) fn sends(&mut self, id: EndId, header: &Header) -> Relative {
        let end = self.end_mut(id);
        if header.flags.contains(Flags::SYN) {
            end.iss = Some(header.seq);
            end.scale = header.options.window_scale;
        }
        end.window = header.window;
        end.timestamp = header.options.timestamps.map(|timestamps| timestamps.value).or(end.timestamp);
        let again = !header.is_empty() && end.sent_to.is_some_and(|sent| header.seq.before(sent));
        if !header.is_empty() {
            end.sent_to = Some(end.sent_to.map_or(header.end(), |sent| sent.max(header.end())));
        }
        let relative = Relative::of(header, Numbers::Sent, Some(self.end(id)), self.peers(id));
        let seq = self.older(id, header).map_or(relative.seq, |iss| iss.until(header.seq));
        Relative { seq, retransmission: again, ..relative }
    }

    /// The initial sequence number of the connection that a RST is meant for, if that is an older one between the same two
    /// sockets: what a new end gets of it is answered with its numbers.
    fn older(&self, id: EndId, header: &Header) -> Option<Seq> {
        let is_answer = header.flags.contains(Flags::RST) && !header.flags.contains(Flags::ACK);
        if !is_answer || self.end(id).has_sent(header.seq) {
            return None;
        }
        let sockets = self.end(id).sockets;
        let older = self.pairs[..id.pair].iter().rev().flat_map(|pair| pair.ends).flatten();
        let own = older.map(|index| &self.ends[index]).filter(|end| end.sockets == sockets);
        own.filter(|end| end.has_sent(header.seq)).find_map(|end| end.iss)
    }

    /// The number of ends so far.
    pub(crate) fn ends(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The memory that they take, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.ends() * END + self.written
    }

    /// An end's application writes these octets of its own next.
    pub(crate) fn begin_own(&mut self, id: EndId, octets: &[u8]) {
        self.written += self.end_mut(id).written.begin_own(octets);
    }

    /// An end's application writes octets next that are a copy: so many of the pattern from this place on.
    pub(crate) fn begin_copy(&mut self, id: EndId, place: u64, octets: usize) {
        self.written += self.end_mut(id).written.begin_copy(place, octets);
    }

    /// The number of pairs of ends so far.
    pub(crate) fn count(&self) -> usize {
        self.pairs.len()
    }

    /// Whether a socket has an end of the newest connection between two sockets.
    pub(crate) fn has_end(&self, own: SocketAddr, peer: SocketAddr) -> bool {
        let (key, side) = key(own, peer);
        self.newest.get(&key).is_some_and(|pair| self.pairs[*pair].ends[side as usize].is_some())
    }

    /// The two ends of a connection between two hosts: of this one, or of the newest. The second host may have no end, or none
    /// yet, if the first one's `leads_there`.
    pub(crate) fn between(
        &self,
        [from, to]: [HostId; 2],
        number: Option<ConnectionNumber>,
        leads_there: impl Fn(&End) -> bool,
    ) -> Option<(EndId, Option<EndId>)> {
        let all = 0..self.pairs.len();
        let pairs = number.map_or(all, |number| {
            let pair = self.numbered[number.index()];
            pair..pair + 1
        });
        pairs.rev().find_map(|pair| {
            let Pair { ends, numbers, .. } = self.pairs[pair];
            let end = |host| {
                [Side::Low, Side::High].into_iter().find_map(|side| {
                    let (index, number) = (ends[side as usize]?, numbers[side as usize]);
                    (self.ends[index].host == host).then_some(EndId { number, pair, side, index })
                })
            };
            let (from, to) = (end(from)?, end(to));
            let is_alone = ends.contains(&None) && leads_there(self.end(from));
            (to.is_some() || is_alone).then_some((from, to))
        })
    }

    /// What a segment that arrives as if it came from an end is relative to the connection.
    pub(crate) fn relative(&self, id: EndId, header: &Header) -> Relative {
        Relative::of(header, Numbers::Arrived, Some(self.end(id)), self.peers(id))
    }

    /// The newest connection between two sockets, and what a segment that belongs to no end is relative to it: a
    /// RST that answers for nobody, sent by this host.
    pub(crate) fn answers(
        &self,
        host: HostId,
        local: SocketAddr,
        remote: SocketAddr,
        (header, whose): (&Header, Numbers),
    ) -> Option<(ConnectionNumber, Relative)> {
        let (key, side) = key(local, remote);
        let pair = *self.newest.get(&key)?;
        let Pair { numbers, .. } = self.pairs[pair];
        let own = self.side(pair, side).next();
        let mut relative = Relative::of(header, whose, own, self.side(pair, self.pairs[pair].peer_of(side)));
        // The end may be on the host that had the address before.
        if own.is_some_and(|own| own.host != host) {
            relative.states[0] = None;
        }
        Some((numbers[side as usize], relative))
    }

    /// An end changes its state.
    pub(crate) fn change_state(&mut self, id: EndId, state: State, now: Instant) {
        let end = &mut self.ends[id.index];
        if let Some((before, since)) = end.state.replace((state, now))
            && let Some(watched) = self.watched.get_mut(&(end.host, before))
        {
            watched.remove(&(since, id.index));
        }
        if let Some(watched) = self.watched.get_mut(&(end.host, state)) {
            watched.insert((now, id.index));
        }
    }

    /// A program opened a connection.
    pub(crate) fn open(&mut self, opened: ConnectionOpened, number: ConnectionNumber) {
        self.opened.open(opened, number);
    }

    /// The connection that was last opened under that reference.
    pub(crate) fn newest_of(&self, meant: ConnectionRef) -> Option<ConnectionNumber> {
        self.opened.newest_of(meant)
    }

    /// A host is gone, and the ends on it with it.
    pub(crate) fn forget(&mut self, host: HostId) {
        for end in self.ends.iter_mut().filter(|end| end.host == host) {
            end.state = None;
        }
        for (_, watched) in self.watched.iter_mut().filter(|((watched, _), _)| *watched == host) {
            watched.clear();
        }
    }

    /// From now on [`in_state_since`](halfopen_network::Connections::in_state_since) can be asked for this.
    pub(crate) fn watch(&mut self, host: HostId, state: State) {
        self.watched.entry((host, state)).or_insert_with(|| {
            let since = |end: &End| end.state.filter(|(now, _)| end.host == host && *now == state);
            let ends = self.ends.iter().enumerate();
            ends.filter_map(|(index, end)| since(end).map(|(_, since)| (since, index))).collect()
        });
    }
}

impl halfopen_network::Connections for Connections {
    fn in_state_since(&self, host: HostId, wanted: State) -> Option<Instant> {
        self.watched.get(&(host, wanted))?.first().map(|(since, _)| *since)
    }

    fn is(&self, meant: ConnectionRef, number: ConnectionNumber) -> bool {
        self.opened.is(meant, number)
    }

    fn newest_between(&self, [one, other]: [SocketAddr; 2]) -> Option<ConnectionNumber> {
        let (key, side) = key(one, other);
        self.newest.get(&key).map(|pair| self.pairs[*pair].numbers[side as usize])
    }
}

impl End {
    fn new(host: HostId, sockets: [SocketAddr; 2]) -> End {
        End {
            host,
            sockets,
            state: None,
            last_arrival: None,
            last_silence: Duration::ZERO,
            received: 0,
            mistaken: false,
            unchecked: Vec::new(),
            has_read_end: false,
            error: None,
            written: Written::default(),
            iss: None,
            moved: BTreeMap::new(),
            window: 0,
            timestamp: None,
            scale: None,
            sent_to: None,
            before: None,
        }
    }

    /// Whether it never had a state: its SYN+ACK was a SYN cookie of this host, which a segment has returned.
    fn is_cookie(&self, host: HostId, origin: Origin) -> bool {
        self.state.is_none() && self.host == host && origin == Origin::Segment
    }

    /// Whether the octets that arrived at an offset are what a peer's application wrote there, or may be anything; otherwise
    /// where they first differ.
    pub(crate) fn check(&self, written: &Written, offset: u64, octets: &[u8]) -> Result<(), u64> {
        let (mut at, end) = (offset, offset + octets.len() as u64);
        while at < end {
            let unchecked = self.unchecked.iter().find(|range| range.contains(&at));
            at = match unchecked {
                Some(range) => range.end.min(end),
                None => {
                    let starts = self.unchecked.iter().map(|range| range.start).filter(|start| *start > at);
                    let next = starts.min().map_or(end, |start| start.min(end));
                    written.check(at, &octets[(at - offset) as usize..(next - offset) as usize])?;
                    next
                }
            };
        }
        Ok(())
    }

    /// How much is added to its sequence numbers on the way to the peer, modulo 2^32.
    pub(crate) fn moved(&self) -> u32 {
        self.moved.values().fold(0, |sum, by| sum.wrapping_add(*by))
    }

    /// Whether the end has sent everything before this sequence number, and not long ago.
    fn has_sent(&self, ack: Seq) -> bool {
        let (Some(iss), Some(sent_to)) = (self.iss, self.sent_to) else { return false };
        iss.until(ack) <= iss.until(sent_to)
    }
}

fn key(local: SocketAddr, remote: SocketAddr) -> ((SocketAddr, SocketAddr), Side) {
    if local <= remote { ((local, remote), Side::Low) } else { ((remote, local), Side::High) }
}

#[cfg(test)]
mod tests {
    use halfopen_network::Connections as _;

    use super::*;

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn both_ends_of_a_connection_have_one_number_and_another_open_has_another() {
        let [client, server] = [socket("10.0.0.1:40000"), socket("10.0.0.2:80")];
        let (near, far) = (HostId(0), HostId(1));
        let mut connections = Connections::default();
        let first = connections.attach(near, [client, server], server, Origin::Call);
        assert_eq!(connections.attach(far, [server, client], client, Origin::Segment).number, first.number);
        let again = connections.attach(near, [client, server], server, Origin::Call);
        assert_eq!(again.number.0.get(), 2);
        assert_eq!(connections.attach(far, [server, client], client, Origin::Segment).number, again.number);
        let other = connections.attach(near, [socket("10.0.0.1:40001"), server], server, Origin::Call);
        assert_eq!(other.number.0.get(), 3);
    }

    #[test]
    fn two_that_open_to_each_other_have_one_connection() {
        let [client, server] = [socket("10.0.0.1:40000"), socket("10.0.0.2:80")];
        let mut connections = Connections::default();
        let first = connections.attach(HostId(0), [client, server], server, Origin::Call);
        assert_eq!(
            connections.attach(HostId(1), [server, client], client, Origin::Call).number,
            first.number
        );
    }

    #[test]
    fn two_ends_on_one_host_have_a_number_each_and_know_each_other() {
        let [client, server] = [socket("10.0.0.1:40000"), socket("10.0.0.1:80")];
        let mut connections = Connections::default();
        let near = connections.attach(HostId(0), [client, server], server, Origin::Call);
        assert_eq!(connections.number_of_peer(near), None, "nobody has answered");
        let far = connections.attach(HostId(0), [server, client], client, Origin::Segment);
        assert_eq!([near.number.0.get(), far.number.0.get()], [1, 2]);
        assert_eq!(connections.number_of_peer(near), Some(far.number));
        assert_eq!(connections.number_of_peer(far), Some(near.number));
        let sockets = |id| connections.peers(id).map(|end| end.sockets).collect::<Vec<_>>();
        assert_eq!([sockets(near), sockets(far)], [[[server, client]], [[client, server]]]);
    }

    #[test]
    fn a_socket_that_is_connected_to_itself_is_its_own_peer() {
        let own = socket("10.0.0.1:40000");
        let mut connections = Connections::default();
        let only = connections.attach(HostId(0), [own, own], own, Origin::Call);
        let syn = Header { seq: Seq(500), flags: Flags::SYN, ..Header::default() };
        connections.sends(only, &syn);
        let both = Header { ack: Seq(501), flags: Flags::SYN | Flags::ACK, ..syn };
        let expected = Relative { ack: 1, peer_iss: 500, retransmission: true, ..Relative::default() };
        assert_eq!(connections.sends(only, &both), expected);
        assert_eq!(connections.number_of_peer(only), None);
    }

    #[test]
    fn a_host_that_lost_its_end_gets_another_of_the_same_connection() {
        let [client, server] = [socket("10.0.0.1:40000"), socket("10.0.0.2:80")];
        let mut connections = Connections::default();
        let near = connections.attach(HostId(0), [client, server], server, Origin::Call);
        let lost = connections.attach(HostId(1), [server, client], client, Origin::Segment);
        connections.change_state(lost, State::SynReceived, Instant::ZERO);
        connections.forget(HostId(1));
        let back = connections.attach(HostId(1), [server, client], client, Origin::Segment);
        assert_eq!(back.number, near.number);
        connections.change_state(back, State::Established, Instant::ZERO);
        let states: Vec<_> = connections.peers(near).map(|end| end.state.map(|(state, _)| state)).collect();
        assert_eq!(states, [Some(State::Established), None]);
    }

    #[test]
    fn a_state_lasts_since_the_oldest_end_that_is_still_in_it() {
        let host = HostId(0);
        let at = |second| Instant::ZERO + Duration::from_secs(second);
        let mut connections = Connections::default();
        connections.watch(host, State::CloseWait);
        let ends = [40_000, 40_001].map(|port| {
            let local = SocketAddr::new([10, 0, 0, 1].into(), port);
            connections.attach(host, [local, socket("10.0.0.2:80")], socket("10.0.0.2:80"), Origin::Call)
        });
        let since = |connections: &Connections| connections.in_state_since(host, State::CloseWait);
        assert_eq!(since(&connections), None);
        for (end, second) in ends.into_iter().zip([1, 2]) {
            connections.change_state(end, State::CloseWait, at(second));
            assert_eq!(since(&connections), Some(at(1)));
        }
        connections.change_state(ends[0], State::LastAck, at(3));
        assert_eq!(since(&connections), Some(at(2)));
        connections.forget(HostId(1));
        assert_eq!(since(&connections), Some(at(2)), "another host");
        connections.forget(host);
        assert_eq!(since(&connections), None);
    }

    #[test]
    fn numbers_are_relative_to_the_initial_ones_and_windows_are_scaled() {
        let [client, server] = [socket("10.0.0.1:40000"), socket("10.0.0.2:80")];
        let mut connections = Connections::default();
        let near = connections.attach(HostId(0), [client, server], server, Origin::Call);
        let mut syn = Header { seq: Seq(u32::MAX), flags: Flags::SYN, window: 100, ..Header::default() };
        syn.options.window_scale = Some(7);
        assert_eq!(connections.sends(near, &syn), Relative { window: 100, ..Relative::default() });
        assert!(connections.sends(near, &syn).retransmission, "the same SYN again");

        let far = connections.attach(HostId(1), [server, client], client, Origin::Segment);
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
        let expected = Relative {
            seq: 1,
            ack: 1,
            peer_iss: 500,
            window: 12_800,
            window_shift: 7,
            ..Relative::default()
        };
        assert_eq!(connections.sends(near, &data), expected);
        let half_new = Header { payload: 20, ..data };
        assert!(connections.sends(near, &half_new).retransmission, "half of it was sent before");
    }
}
