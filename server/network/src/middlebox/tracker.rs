//! The connections that a middlebox keeps state of, and what follows for each segment that comes to it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use halfopen_scenario::{
    Invalid, MiddleboxSettings, OnExpiry, OnFull, OnReuse, SequenceNumbers, Strays, TrackedState,
};
use halfopen_tcp::{Flags, Header, Instant};

use super::numbers::{Moved, acknowledging};
use super::resets::{reset_for, reset_of};
use super::states::{self, Kind, Sender, Step};
use super::translation::Translation;
use super::window::{self, End};
use crate::random::Stream;
use crate::wire;
use halfopen_trace::MiddleboxLoss;

/// Octets of memory that a connection is counted with: in the table, and where it waits to expire.
const FLOW: u64 = 512;

/// The two sockets of a connection, the lower first.
pub(crate) type Sockets = [SocketAddr; 2];

/// What a middlebox does with a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passes.
    Pass,
    /// It passes untranslated: the receiver does not know the source address.
    Untranslated,
    /// It is lost.
    Lose(MiddleboxLoss),
    /// It is lost, and its sender gets this RST.
    Reset(MiddleboxLoss, Header),
}

/// Where a segment comes from, seen from a middlebox that translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From a host behind it: it gets the shared address.
    Behind,
    /// From anywhere else: nothing gets in that does not belong to a connection from behind.
    Outside,
    /// It is not translated.
    Either,
}

/// A change in the state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A SYN created it.
    Created,
    /// A segment in the middle of the connection created it.
    Adopted,
    /// It was this one before.
    From(TrackedState),
}

/// The passage of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) verdict: Verdict,
    /// The change of the connection's state, and the state after it.
    pub(crate) change: Option<(Change, TrackedState)>,
    /// The connection that is forgotten for it.
    pub(crate) forgotten: Option<(Sockets, TrackedState)>,
    /// The socket that replaces one of the segment's, if it passes.
    pub(crate) translated: Option<(wire::End, SocketAddr)>,
    /// How its numbers move, if it passes.
    pub(crate) moved: Moved,
}

impl From<Verdict> for Passage {
    fn from(verdict: Verdict) -> Passage {
        Passage { verdict, change: None, forgotten: None, translated: None, moved: Moved::default() }
    }
}

/// A connection that is forgotten because nothing has passed for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expired {
    /// When it expired.
    pub(crate) time: Instant,
    /// For how long nothing had passed.
    pub(crate) idle: Duration,
    pub(crate) sockets: Sockets,
    /// The same as the other end knows each.
    pub(crate) known_as: Sockets,
    pub(crate) state: TrackedState,
    /// The RST for each socket.
    pub(crate) resets: [Option<Header>; 2],
}

/// A table of connections.
#[derive(Debug)]
pub(crate) struct Tracker {
    settings: MiddleboxSettings,
    translation: Option<Translation>,
    random: Stream,
    /// By their sockets as those behind know them.
    flows: BTreeMap<Sockets, Flow>,
    /// When connections expire silently, and when with RSTs.
    quiet: BTreeSet<(Instant, Sockets)>,
    loud: BTreeSet<(Instant, Sockets)>,
    /// When something last passed on each connection, if a full table forgets the one that was idle for longest.
    passed: BTreeSet<(Instant, Sockets)>,
}

#[derive(Clone, Copy, Debug)]
struct Flow {
    state: TrackedState,
    /// Which socket sent the first segment.
    opener: usize,
    ends: [End; 2],
    /// Whether it was adopted: its window scale is unknown, so windows are not checked.
    adopted: bool,
    expires: Option<Instant>,
    /// When something last passed.
    passed: Instant,
    /// The side that has another port, beyond the middlebox, and that port.
    port: Option<(usize, u16)>,
    /// By side: how much is added to its sequence numbers.
    added: [u32; 2],
}

impl Tracker {
    /// A table without connections.
    pub(crate) fn new(settings: MiddleboxSettings, random: Stream) -> Tracker {
        Tracker {
            random,
            translation: settings.translates.map(Translation::new),
            settings,
            flows: BTreeMap::new(),
            quiet: BTreeSet::new(),
            loud: BTreeSet::new(),
            passed: BTreeSet::new(),
        }
    }

    /// Whether the edges of SACK blocks move with the sequence numbers.
    pub(crate) fn moves_sack(&self) -> bool {
        self.settings.sequence_numbers == SequenceNumbers::Randomised
    }

    /// Whether it has no connections.
    pub(crate) fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// The memory that the table takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.flows.len() as u64 * FLOW + self.translation.as_ref().map_or(0, Translation::memory)
    }

    /// When the next connection expires.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        [self.quiet.first(), self.loud.first()].into_iter().flatten().map(|(time, _)| *time).min()
    }

    /// When the next connection expires whose ends get RSTs.
    pub(crate) fn next_reset(&self) -> Option<Instant> {
        self.loud.first().map(|(time, _)| *time)
    }

    /// Forgets all connections, and returns them in the order of their sockets.
    pub(crate) fn forget(&mut self) -> Vec<(Sockets, TrackedState)> {
        self.quiet.clear();
        self.loud.clear();
        self.passed.clear();
        let gone = std::mem::take(&mut self.flows);
        for (sockets, flow) in &gone {
            self.release(*sockets, flow);
        }
        gone.into_iter().map(|(sockets, flow)| (sockets, flow.state)).collect()
    }

    /// Forgets the connection that expires first, if it has expired by now.
    pub(crate) fn handle_expiry(&mut self, now: Instant) -> Option<Expired> {
        let first = [self.quiet.first(), self.loud.first()].into_iter().flatten().min();
        let (time, sockets) = first.copied().filter(|(time, _)| *time <= now)?;
        let flow = self.remove(sockets)?;
        let mut resets = [None, None];
        if self.is_loud(flow.state) {
            resets = [0, 1].map(|side| reset_of(&flow.ends[side], flow.added[1 - side]));
        }
        let mut known_as = sockets;
        if let Some((side, port)) = flow.port {
            known_as[side] = self.shared(port).unwrap_or(sockets[side]);
        }
        let idle = time.since(flow.passed);
        Some(Expired { time, idle, sockets, known_as, state: flow.state, resets })
    }

    /// The shared address with this port, if the middlebox translates.
    fn shared(&self, port: u16) -> Option<SocketAddr> {
        self.translation.as_ref().map(|translation| SocketAddr::new(translation.address(), port))
    }

    /// The translation, if there is one for addresses of this family.
    pub(crate) fn translation(&self, address: IpAddr) -> Option<&Translation> {
        self.translation.as_ref().filter(|translation| translation.is_for(address))
    }

    /// A segment from one socket to another arrives. `blocked`: it creates no new state.
    pub(crate) fn handle_segment(
        &mut self,
        now: Instant,
        origin: Origin,
        [from, to]: [SocketAddr; 2],
        header: &Header,
        blocked: bool,
    ) -> Passage {
        let user = match (origin, &self.translation) {
            (Origin::Outside, Some(translation)) => translation.user(to, from),
            (Origin::Outside | Origin::Behind | Origin::Either, _) => Some(to),
        };
        let Some(user) = user else { return self.stray(origin, header).into() };
        let (sockets, side) = if from <= user { ([from, user], 0) } else { ([user, from], 1) };
        let passage = self.follow(now, origin, (sockets, side), header, blocked);
        let flow = self.flows.get(&sockets).filter(|_| passage.verdict == Verdict::Pass);
        let Some(flow) = flow else { return passage };
        let translated = match flow.port {
            Some((behind, port)) if behind == side => {
                self.shared(port).map(|shared| (wire::End::Source, shared))
            }
            Some(_) => Some((wire::End::Destination, user)),
            None => None,
        };
        Passage {
            translated,
            moved: Moved::from_side(side, flow.added, self.settings.sequence_numbers),
            ..passage
        }
    }

    /// A segment arrives from one side of a connection.
    fn follow(
        &mut self,
        now: Instant,
        origin: Origin,
        (sockets, side): (Sockets, usize),
        header: &Header,
        blocked: bool,
    ) -> Passage {
        let kind = Kind::of(header.flags);
        let Some(mut flow) = self.flows.get(&sockets).copied() else {
            return self.without_state(now, origin, (sockets, side), header, blocked);
        };
        // Its sender acknowledges moved numbers; the receiver's own are those that the state knows.
        let inner = &acknowledging(header, flow.added[1 - side]);
        let peer = flow.ends[1 - side];
        let sender =
            if flow.opener == side { Sender::Opener { heard: peer != End::default() } } else { Sender::Peer };
        match states::step(flow.state, sender, kind) {
            Step::Anew if flow.state == TrackedState::TimeWait && self.drops_first_syn() => {
                self.remove(sockets);
                let verdict = Verdict::Lose(MiddleboxLoss::Reused);
                Passage { forgotten: Some((sockets, flow.state)), ..verdict.into() }
            }
            Step::Anew if origin == Origin::Outside => self.stray(origin, header).into(),
            Step::Anew => {
                self.remove(sockets);
                self.without_state(now, origin, (sockets, side), header, blocked)
            }
            Step::Ignored => Verdict::Pass.into(),
            Step::Invalid => self.invalid(origin, header),
            Step::To(_) if self.checks(&flow) && !flow.ends[side].may_send(&peer, inner) => {
                self.invalid(origin, header)
            }
            Step::To(state) => {
                let before = std::mem::replace(&mut flow.state, state);
                let change = (before != state).then_some((Change::From(before), state));
                self.pass(now, sockets, side, flow, inner);
                Passage { change, ..Verdict::Pass.into() }
            }
        }
    }

    /// A segment without state arrives.
    fn without_state(
        &mut self,
        now: Instant,
        origin: Origin,
        (sockets, side): (Sockets, usize),
        header: &Header,
        blocked: bool,
    ) -> Passage {
        let kind = Kind::of(header.flags);
        let (change, state) = match kind {
            Kind::Syn => (Change::Created, TrackedState::SynSent),
            Kind::Ack if self.settings.strays == Strays::Adopt => {
                (Change::Adopted, TrackedState::Established)
            }
            Kind::SynAck | Kind::Fin | Kind::Ack | Kind::Rst | Kind::Bare => {
                return self.stray(origin, header).into();
            }
        };
        if blocked {
            return Verdict::Lose(MiddleboxLoss::Blocked).into();
        }
        let forgotten = match self.make_room(origin, sockets[1 - side]) {
            Ok(forgotten) => forgotten,
            Err(why) if self.settings.on_full == OnFull::Reset => {
                return Verdict::Reset(why, reset_for(header)).into();
            }
            Err(why) => return Verdict::Lose(why).into(),
        };
        let translation = self.translation.as_mut().filter(|_| origin == Origin::Behind);
        let port = translation.map(|it| (side, it.assign(sockets[side], sockets[1 - side])));
        let adopted = change == Change::Adopted;
        // In the middle of a connection, both ends have numbers of their own by now.
        let added = match self.settings.sequence_numbers {
            SequenceNumbers::Randomised | SequenceNumbers::RandomisedExceptSack if !adopted => {
                [0, 1].map(|_| self.random.next_u64() as u32)
            }
            SequenceNumbers::Randomised | SequenceNumbers::RandomisedExceptSack | SequenceNumbers::Kept => {
                [0; 2]
            }
        };
        let ends = Default::default();
        let flow = Flow { state, opener: side, ends, adopted, expires: None, passed: now, port, added };
        self.pass(now, sockets, side, flow, header);
        Passage { change: Some((change, state)), forgotten, ..Verdict::Pass.into() }
    }

    fn stray(&self, origin: Origin, header: &Header) -> Verdict {
        let lost = MiddleboxLoss::NoState;
        match self.settings.strays {
            Strays::Untranslated => untranslated(origin, lost, header),
            Strays::Reset if !header.flags.contains(Flags::RST) => Verdict::Reset(lost, reset_for(header)),
            Strays::Reset | Strays::Drop | Strays::Adopt => Verdict::Lose(lost),
        }
    }

    fn invalid(&self, origin: Origin, header: &Header) -> Passage {
        let verdict = match self.settings.invalid {
            Invalid::Pass => Verdict::Pass,
            Invalid::Drop => Verdict::Lose(MiddleboxLoss::Invalid),
            Invalid::Untranslated => untranslated(origin, MiddleboxLoss::Invalid, header),
        };
        verdict.into()
    }

    fn drops_first_syn(&self) -> bool {
        self.settings.on_reuse == OnReuse::DropFirstSyn
    }

    /// Makes room for one more connection to a socket, if need be. Returns the one that is forgotten for it.
    ///
    /// # Errors
    /// Why there is no room.
    fn make_room(
        &mut self,
        origin: Origin,
        to: SocketAddr,
    ) -> Result<Option<(Sockets, TrackedState)>, MiddleboxLoss> {
        let translation = self.translation.as_ref().filter(|_| origin == Origin::Behind);
        let without_port = translation.is_some_and(|translation| translation.is_exhausted(to));
        let most = self.settings.max_connections.map(|most| most as usize);
        let why = match most.is_some_and(|most| self.flows.len() >= most) {
            true => MiddleboxLoss::Full,
            false if without_port => MiddleboxLoss::NoPort,
            false => return Ok(None),
        };
        // Only a connection to the same socket has a port that is of use.
        let mut oldest_first = self.passed.iter().map(|(_, sockets)| *sockets);
        let oldest = oldest_first.find(|sockets| !without_port || sockets.contains(&to)).ok_or(why)?;
        let flow = self.remove(oldest).ok_or(why)?;
        Ok(Some((oldest, flow.state)))
    }

    fn checks(&self, flow: &Flow) -> bool {
        self.settings.invalid != Invalid::Pass && !flow.adopted
    }

    /// The segment passes on this connection and restarts its timer.
    fn pass(&mut self, now: Instant, sockets: Sockets, side: usize, mut flow: Flow, header: &Header) {
        self.take(sockets);
        let [low, high] = &mut flow.ends;
        let (sender, receiver) = if side == 0 { (low, high) } else { (high, low) };
        window::note(sender, receiver, header);
        let [low, high] = &flow.ends;
        let waiting = low.waits_for(high) || high.waits_for(low);
        let idle = self.settings.idle.of(flow.state);
        let shorter = self.settings.idle.unacknowledged.filter(|_| waiting);
        flow.expires = idle.into_iter().chain(shorter).min().map(|idle| now + idle);
        if let Some(expires) = flow.expires {
            self.timers(flow.state).insert((expires, sockets));
        }
        flow.passed = now;
        if self.settings.on_full == OnFull::ForgetOldest {
            self.passed.insert((now, sockets));
        }
        self.flows.insert(sockets, flow);
    }

    /// Forgets a connection. Its port is free again.
    fn remove(&mut self, sockets: Sockets) -> Option<Flow> {
        let flow = self.take(sockets)?;
        self.release(sockets, &flow);
        Some(flow)
    }

    fn release(&mut self, sockets: Sockets, flow: &Flow) {
        if let (Some((side, port)), Some(translation)) = (flow.port, &mut self.translation) {
            translation.release(sockets[1 - side], port);
        }
    }

    /// Takes a connection out of the table.
    fn take(&mut self, sockets: Sockets) -> Option<Flow> {
        let flow = self.flows.remove(&sockets)?;
        if let Some(expires) = flow.expires {
            self.timers(flow.state).remove(&(expires, sockets));
        }
        self.passed.remove(&(flow.passed, sockets));
        Some(flow)
    }

    fn timers(&mut self, state: TrackedState) -> &mut BTreeSet<(Instant, Sockets)> {
        if self.is_loud(state) { &mut self.loud } else { &mut self.quiet }
    }

    /// Whether the ends get RSTs when a connection expires in this state.
    fn is_loud(&self, state: TrackedState) -> bool {
        self.settings.on_expiry == OnExpiry::ResetBoth && !state.is_over()
    }
}

/// A segment is not translated. From outside it has the address of the middlebox itself, whose own TCP knows no such connection.
fn untranslated(origin: Origin, why: MiddleboxLoss, header: &Header) -> Verdict {
    match origin {
        Origin::Behind | Origin::Either => Verdict::Untranslated,
        Origin::Outside if header.flags.contains(Flags::RST) => Verdict::Lose(why),
        Origin::Outside => Verdict::Reset(why, reset_for(header)),
    }
}
