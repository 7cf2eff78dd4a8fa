//! An event on one line. What belongs to the text of the scenario and not to the run is left out: lines, and expectations.

use halfopen_tcp::{Flags, TimerChange};
use halfopen_trace::{Event, EventKind, SegmentSent};

/// `1.020000000s client #1 ESTABLISHED to FIN-WAIT-1: close()`; `None` if it says nothing of the run.
pub(crate) fn line(event: &Event, scenario: &halfopen_scenario::Scenario) -> Option<String> {
    let what = match &event.kind {
        EventKind::RunStarted(_) | EventKind::ExpectationResult(_) => return None,
        EventKind::ConnectionCreated(created) => format!("new {} > {}", created.local, created.remote),
        EventKind::SegmentSent(sent) => segment(sent),
        EventKind::SegmentArrived { segment, dropped: None, .. } => format!("arrived {}", segment.0),
        EventKind::SegmentArrived { segment, dropped: Some(why), .. } => {
            format!("refused {}: {why}", segment.0)
        }
        EventKind::SegmentLost { segment, reason } => {
            format!("lost {}: {reason:?}", segment.0)
        }
        EventKind::StateTransition { from, to, cause, .. } => format!("{from} to {to}: {cause}"),
        EventKind::TimerChanged { timer, change: TimerChange::Set { expires } } => {
            format!("{timer} timer until {expires}")
        }
        EventKind::TimerChanged { timer, change } => format!("{timer} timer {change:?}"),
        EventKind::ConnectionError(errno) => format!("error {errno}"),
        EventKind::FaultApplied(applied) => {
            let segment = applied.segment.map(|segment| format!(" {}", segment.0)).unwrap_or_default();
            let fault = scenario.all_faults().nth(applied.fault.index()).expect("it was applied");
            let (number, name) = (applied.fault.0 + 1, fault.effect.name());
            format!("fault {number}: {:?} {name}{segment}", applied.phase)
        }
        EventKind::ApplicationResult(result) => {
            let error = result.error.map(|error| format!(" {error}")).unwrap_or_default();
            let end = if result.end_of_stream { " end" } else { "" };
            let program = &scenario.programs[result.step.program as usize];
            let (step, call) = (result.step.step + 1, program.steps[result.step.step as usize].action.name());
            format!("{} {step}: {call} {}{end}{error}", program.name, result.octets)
        }
        EventKind::RunFinished(finished) => format!(
            "{} segments, {} again, {} lost; {:?}",
            finished.totals.segments_sent,
            finished.totals.retransmissions,
            finished.totals.segments_lost,
            finished.final_states.iter().map(|last| last.state).collect::<Vec<_>>()
        ),
        EventKind::DestinationUnreachable { segment, code, dropped, .. } => {
            let told = "DestinationUnreachable";
            format!("{told} {{ segment: {segment:?}, code: {code:?}, dropped: {dropped:?} }}")
        }
        other => format!("{other:?}"),
    };
    let host = event.host.map(|host| format!(" {}", scenario.hosts[host.index()].name)).unwrap_or_default();
    let connection = event.connection.map(|connection| format!(" #{}", connection.0)).unwrap_or_default();
    Some(format!("{}{host}{connection} {what}", event.time))
}

/// `sent 3 FIN+ACK 1:1 len 0 win 64240 (ports, options, why)`.
fn segment(sent: &SegmentSent) -> String {
    let header = &sent.header;
    let mut text = format!(
        "sent {} {} {}:{} len {} win {}",
        sent.segment.0, header.flags, sent.relative_seq, sent.relative_ack, header.payload, sent.window
    );
    if header.flags.contains(Flags::SYN) {
        text += &format!(" {} > {} iss {}", sent.source, sent.destination, header.seq);
    }
    let options = &header.options;
    text += &options.mss.map(|mss| format!(" mss {mss}")).unwrap_or_default();
    text += &options.window_scale.map(|shift| format!(" ws {shift}")).unwrap_or_default();
    text += if options.sack_permitted { " sackOK" } else { "" };
    text += &options.timestamps.map(|ts| format!(" ts {}:{}", ts.value, ts.echo)).unwrap_or_default();
    for (left, right) in options.sack.as_slice() {
        text += &format!(" sack {left}-{right}");
    }
    text += &format!(" ({}{})", sent.purpose, if sent.injected { ", forged" } else { "" });
    text
}
