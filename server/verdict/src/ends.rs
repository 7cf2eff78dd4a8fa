//! What each end of each connection went through, read from the trace.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use halfopen_scenario::ConnectionRef;
use halfopen_tcp::{Errno, State, TcpInfo};
use halfopen_trace::{
    ApplicationResult, CallReturned, ConnectionCreated, ConnectionNumber, Decision, Event, EventKind,
    FinalState, HostId, HostState, KeepaliveFound, KeepaliveVerdict, OpenedConnections,
};

/// One end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// The host it was on.
    pub(crate) host: HostId,
    /// The connection.
    pub(crate) number: ConnectionNumber,
    /// The number that it has at both ends, or at the first of two on one host.
    pub(crate) first_number: ConnectionNumber,
    /// Its address and the peer's.
    pub(crate) sockets: [SocketAddr; 2],
    /// Its states in order, the one it began in first, each with the event that led there.
    pub(crate) states: Vec<(State, Decision)>,
    /// Whether its host lost its memory, and this end with it.
    pub(crate) is_lost: bool,
    /// What keepalive found out last; probing only while it found out nothing.
    pub(crate) keepalive: Option<(KeepaliveFound, Decision)>,
    /// The first error of the connection.
    pub(crate) error: Option<Errno>,
    /// When a call of the application returned it.
    pub(crate) error_returned: Option<Decision>,
    /// When a call of the application first saw the end of the peer's stream.
    pub(crate) end_of_stream: Option<Decision>,
    /// What TCP_INFO said of it, and when.
    pub(crate) infos: Vec<(TcpInfo, Decision)>,
    /// Octets that the application wrote.
    pub(crate) written: u64,
    /// Octets that it read.
    pub(crate) read: u64,
    /// When it read the last of them.
    pub(crate) last_read: Option<Decision>,
    /// Whether some of them were not what the peer had written.
    pub(crate) mistaken: bool,
}

/// Every end that there was, in order of appearance. A host that lost its end of a connection may get another one.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    list: Vec<End>,
    /// The newest end of a connection on a host, as a position in the list.
    newest: BTreeMap<(ConnectionNumber, HostId), usize>,
    /// The two numbers of a connection whose ends are on one host, each by the other.
    partners: BTreeMap<ConnectionNumber, ConnectionNumber>,
    opened: OpenedConnections,
    /// How many states they went through.
    moments: u64,
    /// How often TCP_INFO told of one.
    infos: u64,
}

/// Octets of memory that an end is counted with, in all tables; a state that it went through; and what TCP_INFO says of it.
const END: u64 = 512;
const MOMENT: u64 = 24;
const INFO: u64 = 384;

impl Ends {
    /// Takes the next event. Most are about segments and timers and change no end, so none is looked up for them.
    pub(crate) fn note(&mut self, event: &Event, moment: Decision) {
        match &event.kind {
            EventKind::HostChanged(HostState::Down) => {
                let lost = |end: &&mut End| Some(end.host) == event.host;
                self.list.iter_mut().filter(lost).for_each(|end| end.is_lost = true);
            }
            EventKind::ConnectionCreated(created) => {
                self.create(event, created);
            }
            EventKind::ConnectionOpened(opened) => {
                if let Some(number) = event.connection {
                    self.opened.open(*opened, number);
                }
            }
            EventKind::StateTransition { from, to, .. } => {
                self.moments += 1;
                self.with_end(event, |end| end.change_state(*from, *to, moment));
            }
            EventKind::KeepaliveOutcome { verdict, probes, silence } => {
                let found = KeepaliveFound { verdict: *verdict, probes: *probes, silence: *silence };
                self.with_end(event, |end| end.find_out(found, moment));
            }
            EventKind::ConnectionError(errno) => {
                self.with_end(event, |end| end.error = end.error.or(Some(*errno)));
            }
            EventKind::DataWritten { octets } => {
                self.with_end(event, |end| end.written = end.written.saturating_add(*octets));
            }
            EventKind::DataRead { octets } => self.with_end(event, |end| {
                end.read = end.read.saturating_add(*octets);
                end.last_read = Some(moment);
            }),
            EventKind::ApplicationResult(ApplicationResult { error, end_of_stream, .. })
            | EventKind::CallReturned(CallReturned { error, end_of_stream, .. }) => {
                self.with_end(event, |end| end.call_returned(*error, *end_of_stream, moment));
            }
            EventKind::TcpInfo(info) => {
                self.infos += 1;
                self.with_end(event, |end| end.infos.push((**info, moment)));
            }
            EventKind::DataMistaken { .. } => self.with_end(event, |end| end.mistaken = true),
            EventKind::HostChanged(_)
            | EventKind::RunStarted(_)
            | EventKind::SegmentSent(_)
            | EventKind::SegmentArrived { .. }
            | EventKind::SegmentLost { .. }
            | EventKind::DestinationUnreachable { .. }
            | EventKind::MiddleboxChanged(_)
            | EventKind::TimerChanged { .. }
            | EventKind::FaultAdded(_)
            | EventKind::FaultApplied(_)
            | EventKind::FaultLifted(_)
            | EventKind::SocketOpened { .. }
            | EventKind::StepBlocked(_)
            | EventKind::LimitReached(_)
            | EventKind::RunStopped
            | EventKind::ExpectationResult(_)
            | EventKind::RunFinished(_) => {}
        }
    }

    fn create(&mut self, event: &Event, created: &ConnectionCreated) {
        let (Some(host), Some(number)) = (event.host, event.connection) else { return };
        self.newest.insert((number, host), self.list.len());
        self.partners.extend(created.peer.into_iter().flat_map(|peer| [(peer, number), (number, peer)]));
        let end = End::new(host, number, [created.local, created.remote]);
        self.list.push(End { first_number: created.peer.unwrap_or(number), ..end });
    }

    /// Does something to the end that an event is about, if there is one.
    fn with_end(&mut self, event: &Event, change: impl FnOnce(&mut End)) {
        let (Some(host), Some(number)) = (event.host, event.connection) else { return };
        if let Some(position) = self.newest.get(&(number, host)) {
            change(&mut self.list[*position]);
        }
    }

    /// Every end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &End> {
        self.list.iter()
    }

    /// The number of ends.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The memory that they take, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.list.len() as u64 * END + self.moments * MOMENT + self.infos * INFO
    }

    /// Whether a program opened this connection under that reference.
    pub(crate) fn is(&self, meant: ConnectionRef, number: ConnectionNumber) -> bool {
        self.opened.is(meant, number)
    }

    /// Whether the other end of the connection that was last opened under that reference is gone with its host.
    pub(crate) fn has_lost_its_peer(&self, meant: ConnectionRef, host: HostId) -> bool {
        let Some(number) = self.opened.newest_of(meant) else { return false };
        let ends = self.newest.iter().filter(|((known, of), _)| *known == number && *of != host);
        ends.map(|(_, position)| &self.list[*position]).any(|end| end.is_lost)
    }

    /// Whether a program at either end of this connection opened it under that reference.
    pub(crate) fn is_at_either_end(&self, meant: ConnectionRef, number: ConnectionNumber) -> bool {
        self.is(meant, number) || self.partners.get(&number).is_some_and(|partner| self.is(meant, *partner))
    }

    /// Where each connection is, on each host that still has an end of it: by connection, then host.
    pub(crate) fn final_states(&self) -> Vec<FinalState> {
        let state = |((connection, host), position): (&(ConnectionNumber, HostId), &usize)| {
            let state = self.list[*position].state()?;
            Some(FinalState { host: *host, connection: *connection, state })
        };
        self.newest.iter().filter_map(state).collect()
    }
}

impl End {
    pub(crate) fn new(host: HostId, number: ConnectionNumber, sockets: [SocketAddr; 2]) -> End {
        End {
            host,
            number,
            first_number: number,
            sockets,
            states: Vec::new(),
            is_lost: false,
            keepalive: None,
            error: None,
            error_returned: None,
            end_of_stream: None,
            infos: Vec::new(),
            written: 0,
            read: 0,
            last_read: None,
            mistaken: false,
        }
    }

    /// Its last state; `None` before its first transition and after its host lost its memory.
    pub(crate) fn state(&self) -> Option<State> {
        if self.is_lost { None } else { self.states.last().map(|(state, _)| *state) }
    }

    /// The names of its states alone.
    pub(crate) fn path(&self) -> Vec<State> {
        self.states.iter().map(|(state, _)| *state).collect()
    }

    /// What TCP_INFO said at a time, if the connection existed.
    pub(crate) fn info_at(&self, at: Duration) -> Option<(&TcpInfo, Decision)> {
        let found = self.infos.iter().find(|(_, moment)| moment.time.as_duration() == at);
        found.map(|(info, moment)| (info, *moment))
    }

    fn change_state(&mut self, from: State, to: State, moment: Decision) {
        if self.states.is_empty() {
            self.states.push((from, moment));
        }
        self.states.push((to, moment));
    }

    fn call_returned(&mut self, error: Option<Errno>, end_of_stream: bool, moment: Decision) {
        // What else a call returns, such as EAGAIN, is no error of the connection.
        let has_returned = error.is_some() && error == self.error;
        self.error_returned = self.error_returned.or(has_returned.then_some(moment));
        self.end_of_stream = self.end_of_stream.or(end_of_stream.then_some(moment));
    }

    fn find_out(&mut self, found: KeepaliveFound, moment: Decision) {
        let is_probing = |verdict| verdict == KeepaliveVerdict::Probing;
        if !is_probing(found.verdict) || self.keepalive.is_none_or(|(last, _)| is_probing(last.verdict)) {
            self.keepalive = Some((found, moment));
        }
    }

    /// When it came into its last state.
    pub(crate) fn last_transition(&self) -> Option<Decision> {
        self.states.last().map(|(_, moment)| *moment)
    }
}
