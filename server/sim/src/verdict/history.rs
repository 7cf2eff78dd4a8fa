//! What a connection went through on a host, read from the trace.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_tcp::{Errno, Instant, State};

use crate::trace::{ConnectionNumber, EventKind, HostId, KeepaliveVerdict, Trace};

/// A moment: the sequence number of an event and its time.
pub(super) type Moment = (u64, Instant);

/// What a connection went through on one host.
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

/// The history of every connection on every host.
pub(super) fn read(trace: &Trace) -> BTreeMap<(HostId, ConnectionNumber), History> {
    let mut histories: BTreeMap<_, History> = BTreeMap::new();
    for (sequence, event) in trace.iter() {
        let (Some(host), Some(connection)) = (event.host, event.connection) else { continue };
        let moment = (sequence, event.time);
        match &event.kind {
            EventKind::ConnectionCreated(_) => {
                histories.entry((host, connection)).or_default();
            }
            EventKind::StateTransition { from, to, .. } => {
                let history = histories.entry((host, connection)).or_default();
                if history.states.is_empty() {
                    history.states.push((*from, moment));
                }
                history.states.push((*to, moment));
            }
            EventKind::KeepaliveOutcome { verdict, probes, silence } => {
                let history = histories.entry((host, connection)).or_default();
                let probing = |verdict| verdict == KeepaliveVerdict::Probing;
                if !probing(*verdict) || history.keepalive.is_none_or(|(last, ..)| probing(last)) {
                    history.keepalive = Some((*verdict, *probes, *silence, moment));
                }
            }
            EventKind::ConnectionError(errno) => {
                let history = histories.entry((host, connection)).or_default();
                history.error.get_or_insert((*errno, moment));
            }
            EventKind::ApplicationResult(result) if result.call == "receive" && result.octets > 0 => {
                histories.entry((host, connection)).or_default().last_receipt = Some(moment);
            }
            EventKind::RunStarted(_)
            | EventKind::SegmentSent(_)
            | EventKind::SegmentArrived { .. }
            | EventKind::SegmentLost { .. }
            | EventKind::TimerChanged { .. }
            | EventKind::FaultApplied(_)
            | EventKind::ApplicationResult(_)
            | EventKind::ExpectationResult(_)
            | EventKind::RunFinished(_) => {}
        }
    }
    histories
}
