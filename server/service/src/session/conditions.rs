//! What participants wait for.

use halfopen_proto::v1;
use halfopen_proto::v1::AdvanceStop;
use halfopen_proto::v1::advance_request::Limit;
use halfopen_proto::v1::session_condition::Condition as Asked;
use halfopen_scenario::load_match;
use halfopen_sim::{Bound, Condition, SocketId, Stop};
use halfopen_tcp::{Instant, State};
use halfopen_trace::{Event, EventKind, FaultId, HostId};
use tonic::Status;

use super::played::Played;
use crate::convert;
use crate::status;

/// The number of conditions of one call.
const MAX_CONDITIONS: usize = 4096;
/// The number of them that may be about segments, because their texts have to be read.
const MAX_SEGMENTS: usize = 64;

/// Until when a participant waits.
pub(super) struct Until {
    /// At most until then.
    pub(super) bound: Option<Bound>,
    /// Until one of these is true.
    pub(super) conditions: Vec<Awaited>,
    /// The number of events that do not count, because they happened before it began to wait.
    pub(super) seen: u64,
}

/// Something that a participant waits for.
pub(super) enum Awaited {
    Readable(SocketId),
    Writable(SocketId),
    State(HostId, State),
    Event(Box<dyn Fn(&Event) -> bool>),
}

impl Until {
    /// What a request waits for, from now on.
    pub(super) fn new(played: &Played, request: &v1::AdvanceRequest) -> Result<Until, Status> {
        played.is_open()?;
        let now = played.time();
        let at = |name: &str, time: &halfopen_proto::Duration| {
            let time = convert::time(time).ok_or_else(|| status::time_invalid(name))?;
            let time = Instant::ZERO + time;
            match time < now {
                true => Err(status::time_past(time.as_duration(), now.as_duration())),
                false => Ok(time),
            }
        };
        let bound = match &request.limit {
            None => None,
            Some(Limit::By(by)) => {
                let by = convert::time(by).ok_or_else(|| status::time_invalid("by"))?;
                Some(Bound::until(Instant::ZERO + now.as_duration().saturating_add(by)))
            }
            Some(Limit::Until(until)) => Some(Bound::until(at("until", until)?)),
            Some(Limit::Through(through)) => Some(Bound::through(at("through", through)?)),
        };
        let asked = &request.conditions;
        if asked.len() > MAX_CONDITIONS {
            let message =
                format!("there are {} conditions, but at most {MAX_CONDITIONS} are allowed", asked.len());
            return Err(status::condition_invalid(&message));
        }
        let segments = asked.iter().filter(|asked| matches!(asked.condition, Some(Asked::Segment(_))));
        if segments.count() > MAX_SEGMENTS {
            let message = format!("at most {MAX_SEGMENTS} conditions may be about segments");
            return Err(status::condition_invalid(&message));
        }
        let conditions = asked.iter().map(|asked| Awaited::new(played, asked)).collect::<Result<_, _>>()?;
        Ok(Until { bound, conditions, seen: request.after_sequence.unwrap_or_else(|| played.events()) })
    }

    /// The position of the first condition that is true.
    pub(super) fn holds(&self, played: &Played) -> Option<usize> {
        self.conditions.iter().position(|awaited| played.holds(&awaited.condition(), self.seen))
    }

    /// Why time stands still, for one who waited for this.
    pub(super) fn stopped(&self, stop: Stop, played: &Played) -> v1::AdvanceResponse {
        let (stop, condition, limit) = match stop {
            Stop::Time => (AdvanceStop::Time, 0, None),
            Stop::Condition(position) => (AdvanceStop::Condition, position as u32, None),
            Stop::Idle => (AdvanceStop::Idle, 0, None),
            Stop::End | Stop::Cancelled => (AdvanceStop::End, 0, None),
            Stop::Limit(limit) => (AdvanceStop::Limit, 0, Some(limit)),
        };
        let mut sockets: Vec<SocketId> = self.conditions.iter().filter_map(Awaited::socket).collect();
        sockets.sort_unstable();
        sockets.dedup();
        let is_ready = |known: &v1::SocketReadiness| known.readable || known.writable || known.gone;
        v1::AdvanceResponse {
            stop: stop.into(),
            time: Some(convert::duration(played.time().as_duration())),
            condition,
            ready: sockets.into_iter().map(|socket| played.readiness(socket)).filter(is_ready).collect(),
            events: Vec::new(),
            part: None,
            more_events: false,
            limit: limit.map(convert::limit),
            next: played.next_instant().map(|next| convert::duration(next.as_duration())),
            last_sequence: played.events(),
        }
    }
}

impl Awaited {
    fn new(played: &Played, asked: &v1::SessionCondition) -> Result<Awaited, Status> {
        let nothing = || status::condition_invalid("a condition says nothing: set `readable` or another");
        Ok(match asked.condition.as_ref().ok_or_else(nothing)? {
            Asked::Readable(socket) => Awaited::Readable(played.id(*socket)?),
            Asked::Writable(socket) => Awaited::Writable(played.id(*socket)?),
            Asked::State(wanted) => {
                let state = convert::tcp_state(wanted.state())
                    .ok_or_else(|| status::condition_invalid("a condition names no state"))?;
                Awaited::State(played.host(&wanted.host)?, state)
            }
            Asked::Segment(text) => Awaited::segment(played, text)?,
            Asked::Fault(number) => {
                let id = FaultId(
                    number
                        .checked_sub(1)
                        .ok_or_else(|| status::condition_invalid("faults are counted from 1"))?,
                );
                Awaited::event(
                    move |event| matches!(&event.kind, EventKind::FaultApplied(applied) if applied.fault == id),
                )
            }
            Asked::Keepalive(host) => {
                let host = played.host(host)?;
                Awaited::event(move |event| {
                    event.host == Some(host) && matches!(event.kind, EventKind::KeepaliveOutcome { .. })
                })
            }
            Asked::HostChanged(host) => {
                let host = played.host(host)?;
                Awaited::event(move |event| {
                    event.host == Some(host) && matches!(event.kind, EventKind::HostChanged(_))
                })
            }
        })
    }

    fn segment(played: &Played, text: &str) -> Result<Awaited, Status> {
        let matching = load_match(text, played.scenario())
            .map_err(|mistakes| status::condition_wrong(mistakes.as_slice()))?;
        if !matching.connections.is_empty() {
            return Err(status::condition_invalid("`on` names no connection of a session; name the hosts"));
        }
        Ok(Awaited::event(move |event| match (&event.kind, event.host) {
            (EventKind::SegmentSent(sent), Some(sender)) if !sent.injected => {
                matching.matches(&sent.facts(sender), |_| false)
            }
            _ => false,
        }))
    }

    fn event(is_meant: impl Fn(&Event) -> bool + 'static) -> Awaited {
        Awaited::Event(Box::new(is_meant))
    }

    /// As the simulation knows it.
    pub(super) fn condition(&self) -> Condition<'_> {
        match self {
            Awaited::Readable(socket) => Condition::Readable(*socket),
            Awaited::Writable(socket) => Condition::Writable(*socket),
            Awaited::State(host, state) => Condition::State(*host, *state),
            Awaited::Event(is_meant) => Condition::Event(is_meant.as_ref()),
        }
    }

    /// The socket that it is about.
    pub(super) fn socket(&self) -> Option<SocketId> {
        match self {
            Awaited::Readable(socket) | Awaited::Writable(socket) => Some(*socket),
            Awaited::State(..) | Awaited::Event(_) => None,
        }
    }
}
