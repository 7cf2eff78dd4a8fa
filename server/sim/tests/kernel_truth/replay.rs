//! A run of a scenario, told as a recording tells it.

use std::collections::BTreeMap;
use std::sync::Arc;

use halfopen_scenario::Scenario;
use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_tcp::{Flags, Seq};
use halfopen_trace::{self as trace, ApplicationResult, EventKind, LossReason, SegmentNumber, SegmentSent};

use super::observed::Segment;
use super::observed::{Call, CallResult, Host, Micros, Observed, Step, add_call, add_transition};

/// A run, and where in it each thing that was seen stands.
pub(crate) struct Replay {
    pub(crate) observed: Observed,
    pub(crate) outcome: Outcome,
    /// Sequence number of the event → position among the segments.
    pub(crate) segments: BTreeMap<u64, usize>,
    /// Segment number → position among the segments.
    pub(crate) numbers: BTreeMap<SegmentNumber, usize>,
    /// Sequence number of the event → the path and the position in it.
    pub(crate) steps: BTreeMap<u64, (usize, usize)>,
    /// Sequence number of the event → the last call that it told of.
    pub(crate) calls: BTreeMap<u64, usize>,
}

/// Runs a scenario that has the hosts `client` and `server`.
pub(crate) fn replay(scenario: &Arc<Scenario>) -> Replay {
    let outcome = halfopen_sim::run(scenario, &RunOptions::default(), &mut Discard);
    tell(scenario, outcome)
}

fn tell(scenario: &Scenario, outcome: Outcome) -> Replay {
    let mut told = Replay {
        observed: Observed {
            until: scenario.until.map_or(Micros::MAX, |until| until.as_micros() as Micros),
            ..Observed::default()
        },
        outcome,
        segments: BTreeMap::new(),
        numbers: BTreeMap::new(),
        steps: BTreeMap::new(),
        calls: BTreeMap::new(),
    };
    let trace = told.outcome.trace.clone();
    let mut known: BTreeMap<_, Option<usize>> = BTreeMap::new();
    for (sequence, event) in trace.iter() {
        let time = micros(event.time);
        let Some(host) = event.host.map(|host| host_of(scenario, host)) else { continue };
        match &event.kind {
            EventKind::SegmentSent(sent) if !is_forged(sent) => {
                let position = told.observed.segments.len();
                told.segments.insert(sequence, position);
                told.numbers.insert(sent.segment, position);
                told.observed.segments.push(segment(host, time, sent));
            }
            EventKind::SegmentArrived { segment, .. } => {
                if let Some(position) = told.numbers.get(segment) {
                    told.observed.segments[*position].delivered.push(time);
                }
            }
            EventKind::SegmentLost { segment, reason } => {
                if let Some(position) = told.numbers.get(segment) {
                    told.observed.segments[*position].dropped |= is_drop(*reason);
                }
            }
            // A listener's own states are nobody's.
            EventKind::StateTransition { from, to, .. } if event.connection.is_some() => {
                let path = known.entry((host, event.connection)).or_default();
                let step = Step { state: *to, time, late: 0 };
                let paths = &mut told.observed.paths;
                add_transition(paths, path, host, *from, step);
                let path = path.expect("just set");
                told.steps.insert(sequence, (path, paths[path].steps.len() - 1));
            }
            EventKind::ApplicationResult(result) => {
                for call in results(scenario, result) {
                    add_call(&mut told.observed.calls, Call { host, result: call, time, late: 0 });
                    let last = told.observed.calls.iter().rposition(|call| call.host == host);
                    told.calls.insert(sequence, last.expect("just added"));
                }
            }
            _ => {}
        }
    }
    told
}

/// The time of an event.
pub(crate) fn micros(time: halfopen_tcp::Instant) -> Micros {
    (time.as_nanos() / 1000) as Micros
}

/// The host of that number.
pub(crate) fn host_of(scenario: &Scenario, host: trace::HostId) -> Host {
    Host::named(&scenario.hosts[host.index()].name)
}

/// Whether a fault made it.
pub(crate) fn is_forged(sent: &SegmentSent) -> bool {
    sent.injected
}

/// In the recordings a segment is dropped when the forwarder dropped it, whatever for.
fn is_drop(reason: LossReason) -> bool {
    match reason {
        LossReason::Fault(_) | LossReason::Partition | LossReason::HostDown | LossReason::NoRoute => true,
        LossReason::NeighbourUnresolved
        | LossReason::HostPaused
        | LossReason::CablePulled
        | LossReason::BlackHole => true,
        LossReason::TooLarge | LossReason::QueueFull | LossReason::Random | LossReason::Middlebox { .. } => {
            false
        }
    }
}

fn segment(host: Host, time: Micros, sent: &SegmentSent) -> Segment {
    let header = &sent.header;
    let block = |(left, right): &(Seq, Seq)| {
        (relative(left.0.wrapping_sub(sent.peer_iss)), relative(right.0.wrapping_sub(sent.peer_iss)))
    };
    let flags = letters(header.flags);
    Segment {
        host,
        time,
        delivered: Vec::new(),
        // Of what answers a segment without ACK it is 0, whatever the connection's numbers are.
        seq: if header.flags.contains(Flags::RST) && header.seq == Seq(0) {
            0
        } else {
            relative(sent.relative_seq)
        },
        ack: header.flags.contains(Flags::ACK).then(|| relative(sent.relative_ack)),
        len: i64::from(header.payload),
        sack: Some(header.options.sack.as_slice().iter().map(block).collect()),
        timestamps: Some(header.options.timestamps.is_some()),
        window: flags.contains(['S', 'R']).then_some(i64::from(header.window)),
        flags,
        dropped: false,
    }
}

/// A difference of sequence numbers may be below zero.
fn relative(number: u32) -> i64 {
    i64::from(number.cast_signed())
}

/// In the order of the recordings.
fn letters(flags: Flags) -> String {
    let all = [
        (Flags::SYN, 'S'),
        (Flags::FIN, 'F'),
        (Flags::RST, 'R'),
        (Flags::PSH, 'P'),
        (Flags::ACK, 'A'),
        (Flags::URG, 'U'),
        (Flags::ECE, 'E'),
        (Flags::CWR, 'W'),
    ];
    all.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect()
}

/// What a step's end says of calls that a recording has too.
fn results(scenario: &Scenario, result: &ApplicationResult) -> Vec<CallResult> {
    let octets = |made: fn(u64) -> CallResult| (result.octets > 0).then(|| made(result.octets));
    let failed = |call| result.error.map(|error| CallResult::Failed(call, error.name().to_owned()));
    let done = |made: CallResult| result.error.is_none().then_some(made);
    let end = || result.end_of_stream.then_some(CallResult::End);
    let step = &scenario.programs[result.step.program as usize].steps[result.step.step as usize];
    match step.action.name() {
        "connect" => [done(CallResult::Connected), failed("connect"), None],
        "accept" => [done(CallResult::Accepted), failed("accept"), None],
        "send" => [octets(CallResult::Sent), failed("send"), None],
        "receive" => [octets(CallResult::Received), end(), failed("receive")],
        "shutdown" => [done(CallResult::ShutDown), failed("shutdown"), None],
        "close" | "abort" => [Some(CallResult::Closed), None, None],
        _ => [None, None, None],
    }
    .into_iter()
    .flatten()
    .collect()
}
