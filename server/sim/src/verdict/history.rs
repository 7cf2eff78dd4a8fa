//! What a connection went through on a host, read from the trace.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_tcp::{Errno, Instant, State};

use crate::trace::{ConnectionNumber, EventKind, HostId, KeepaliveVerdict, Trace};

/// A moment: the sequence number of an event and its time.
pub(super) type Moment = (u64, Instant);

/// What one end of a connection went through.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// Its states in order, the one it began in first, each with the event that led there.
    pub(super) states: Vec<(State, Moment)>,
    /// What keepalive found out last; probing only while it found out nothing.
    pub(super) keepalive: Option<(KeepaliveVerdict, u32, Duration, Moment)>,
    /// The first error the application got.
    pub(super) error: Option<(Errno, Moment)>,
    /// The last octets the application received.
    pub(super) last_receipt: Option<Moment>,
}

/// The histories of every connection on every host, oldest first: a host that lost its end may get another.
pub(super) type Histories = BTreeMap<(HostId, ConnectionNumber), Vec<History>>;

/// Reads the histories from a trace.
pub(super) fn read(trace: &Trace) -> Histories {
    let mut histories = Histories::new();
    for (sequence, event) in trace.iter() {
        let (Some(host), Some(connection)) = (event.host, event.connection) else { continue };
        if let EventKind::ConnectionCreated(_) = event.kind {
            histories.entry((host, connection)).or_default().push(History::default());
        } else if let Some(history) = histories.get_mut(&(host, connection)).and_then(|ends| ends.last_mut())
        {
            history.note(&event.kind, (sequence, event.time));
        }
    }
    histories
}

impl History {
    fn note(&mut self, kind: &EventKind, moment: Moment) {
        match kind {
            EventKind::StateTransition { from, to, .. } => {
                if self.states.is_empty() {
                    self.states.push((*from, moment));
                }
                self.states.push((*to, moment));
            }
            EventKind::KeepaliveOutcome { verdict, probes, silence } => {
                let probing = |verdict| verdict == KeepaliveVerdict::Probing;
                if !probing(*verdict) || self.keepalive.is_none_or(|(last, ..)| probing(last)) {
                    self.keepalive = Some((*verdict, *probes, *silence, moment));
                }
            }
            EventKind::ConnectionError(errno) => {
                self.error.get_or_insert((*errno, moment));
            }
            EventKind::ApplicationResult(result) if result.call == "receive" && result.octets > 0 => {
                self.last_receipt = Some(moment);
            }
            EventKind::RunStarted(_)
            | EventKind::ConnectionCreated(_)
            | EventKind::SegmentSent(_)
            | EventKind::SegmentArrived { .. }
            | EventKind::SegmentLost { .. }
            | EventKind::DestinationUnreachable { .. }
            | EventKind::MiddleboxChanged(_)
            | EventKind::TimerChanged { .. }
            | EventKind::FaultApplied(_)
            | EventKind::HostChanged(_)
            | EventKind::ApplicationResult(_)
            | EventKind::ExpectationResult(_)
            | EventKind::RunFinished(_) => {}
        }
    }
}
