//! An event in a line, for whoever refers to one: `server: sends FIN+ACK seq=1025 ack=1025, tail loss probe`.

use halfopen_proto::v1::{
    ApplicationResult, ConnectionOpened, Event, ExpectationResult, FaultApplied, HostState, MiddleboxChange,
    MiddleboxChanged, MiddleboxState, SegmentSent, StepReference, TcpDropReason, TcpState, TimerChange,
    TimerChanged, event::Kind,
};

use crate::record::reference;
use crate::words;

/// The event in a line, with its host but without its time and number.
pub fn event(event: &Event) -> String {
    let text = kind(event.kind.as_ref());
    if event.host.is_empty() { text } else { format!("{}: {text}", event.host) }
}

/// What happened, in a line.
fn kind(kind: Option<&Kind>) -> String {
    let Some(kind) = kind else { return "an event unknown to this version".to_owned() };
    match kind {
        Kind::RunStarted(started) => format!("the run of {} begins", started.scenario),
        Kind::ConnectionCreated(created) => {
            format!("a connection from {} to {}", created.local, created.remote)
        }
        Kind::SegmentSent(sent) => segment(sent),
        Kind::SegmentArrived(arrived) => {
            format!("segment {} arrives{}", arrived.segment, unused(" and is", arrived.drop_reason()))
        }
        Kind::SegmentLost(lost) => format!("segment {} is lost: {}", lost.segment, words::loss(lost)),
        Kind::DestinationUnreachable(message) => {
            let (what, unused) = (words::unreachable(message.code()), unused(",", message.drop_reason()));
            format!("ICMP: {what} (segment {}){unused}", message.segment)
        }
        Kind::MiddleboxChanged(changed) => middlebox_changed(changed),
        Kind::StateTransition(transition) => {
            let cause = transition.cause.as_ref().map(words::cause).unwrap_or_default();
            format!("{} → {} ({cause})", words::state(transition.before()), words::state(transition.after()))
        }
        Kind::TimerChanged(changed) => timer_changed(changed),
        Kind::KeepaliveOutcome(outcome) => {
            let silence = words::silence(outcome.probes, words::from_proto(outcome.silence.as_ref()));
            format!("keepalive: {}, {silence}", words::keepalive(outcome.verdict()))
        }
        Kind::ConnectionError(error) => format!("error {} for the next call", error.errno),
        Kind::HostChanged(changed) => format!("is {}", host_state(changed.state())),
        Kind::FaultAdded(added) => {
            let number = added.fault.as_ref().map_or(0, |fault| fault.number);
            format!("fault {number} is added: {}", words::fault_kind(added.kind()))
        }
        Kind::FaultLifted(lifted) => {
            let number = lifted.fault.as_ref().map_or(0, |fault| fault.number);
            format!("fault {number} is lifted: {}", words::fault_kind(lifted.kind()))
        }
        Kind::FaultApplied(applied) => match applied.segment {
            0 => fault(applied),
            segment => format!("{} (segment {segment})", fault(applied)),
        },
        Kind::ConnectionOpened(opened) => connection_opened(opened),
        Kind::StepBlocked(blocked) => format!("waits: {}", step(blocked.step.as_ref())),
        Kind::DataWritten(written) => format!("writes {}", words::count(written.bytes, "byte")),
        Kind::DataRead(read) => format!("reads {}", words::count(read.bytes, "byte")),
        Kind::CallReturned(returned) => match returned.error.as_str() {
            "" => "a call sees the end of the stream".to_owned(),
            errno => format!("a call returns {errno}"),
        },
        Kind::TcpInfo(info) => format!("TCP_INFO: {}", words::tcp_info(info)),
        Kind::DataMistaken(mistake) => format!("reads a wrong byte at offset {}", mistake.offset),
        Kind::ApplicationResult(result) => {
            format!("{} ({})", call(result), step_number(result.step.as_ref()))
        }
        Kind::LimitReached(_) => "a limit ends the run".to_owned(),
        Kind::RunStopped(_) => "the run is stopped".to_owned(),
        Kind::ExpectationResult(result) => expectation_result(result),
        Kind::RunFinished(finished) => format!("the run is over: {}", words::verdict(finished.verdict())),
    }
}

/// Why a segment or a message was not used, after `and is` or a comma; empty if it was used.
fn unused(before: &str, reason: TcpDropReason) -> String {
    words::drop_reason(reason).map(|why| format!("{before} not used: {why}")).unwrap_or_default()
}

/// `nat creates its state: nothing → established`.
fn middlebox_changed(changed: &MiddleboxChanged) -> String {
    let state = |state: MiddleboxState| match state {
        MiddleboxState::Unspecified => "nothing",
        state => words::middlebox_state(state),
    };
    let (before, after) = (state(changed.before()), state(changed.after()));
    match changed.change() {
        MiddleboxChange::Translated => {
            format!("{} translates the connection to {}", changed.middlebox, changed.translated_to)
        }
        MiddleboxChange::Renumbered => {
            format!("{} moves sequence numbers by {}", changed.middlebox, changed.renumbered_by)
        }
        MiddleboxChange::Expired if changed.idle.is_some() => {
            let idle = words::duration(words::from_proto(changed.idle.as_ref()));
            format!("{} forgets the connection, idle for {idle}: {before} → {after}", changed.middlebox)
        }
        change => format!("{} {}: {before} → {after}", changed.middlebox, middlebox(change)),
    }
}

/// `retransmission timer fires`.
fn timer_changed(changed: &TimerChanged) -> String {
    let name = words::timer(changed.timer());
    match changed.change() {
        TimerChange::Unspecified => format!("{name} timer"),
        TimerChange::Set => {
            let expires = words::duration(words::from_proto(changed.expires.as_ref()));
            format!("{name} timer is set to {expires}")
        }
        TimerChange::Fired => format!("{name} timer fires"),
        TimerChange::Cancelled => format!("{name} timer is cancelled"),
    }
}

/// `client opens connection pool`.
fn connection_opened(opened: &ConnectionOpened) -> String {
    match (opened.application.as_str(), opened.name.as_str()) {
        ("", _) => "opens a connection".to_owned(),
        (application, "") => format!("{application} opens a connection"),
        (application, name) => format!("{application} opens connection {name}"),
    }
}

/// `expectation 2 holds: server reaches CLOSED (found: 60 s)`.
fn expectation_result(result: &ExpectationResult) -> String {
    let held = if result.passed { "holds" } else { "is broken" };
    let (number, found) = (reference(result).number, words::found(result));
    format!("expectation {number} {held}: {} (found: {found})", result.text)
}

/// `fault 1: drop`.
pub(crate) fn fault(applied: &FaultApplied) -> String {
    let number = applied.fault.as_ref().map_or(0, |fault| fault.number);
    format!("fault {number}: {}", words::fault(applied))
}

/// How a step ended: `receive 1024, end of stream`, `send: EPIPE`.
pub(crate) fn call(result: &ApplicationResult) -> String {
    let name = result.step.as_ref().map_or("step", |step| words::step(step.kind()));
    let bytes = if result.bytes > 0 { format!(" {}", result.bytes) } else { String::new() };
    let end = if result.end_of_stream { ", end of stream" } else { "" };
    let error = if result.error.is_empty() { String::new() } else { format!(": {}", result.error) };
    format!("{name}{bytes}{end}{error}")
}

/// `receive (step 3 of client)`.
fn step(step: Option<&StepReference>) -> String {
    let name = step.map_or("step", |step| words::step(step.kind()));
    format!("{name} ({})", step_number(step))
}

/// `step 3 of client`.
fn step_number(step: Option<&StepReference>) -> String {
    step.map(|step| format!("step {} of {}", step.number, step.application)).unwrap_or_default()
}

/// A segment in a line.
fn segment(sent: &SegmentSent) -> String {
    let flags = sent.flags.unwrap_or_default();
    let mut text = format!("sends {} seq={}", words::flags(flags), sent.relative_sequence_number);
    if flags.ack {
        text.push_str(&format!(" ack={}", sent.relative_acknowledgment_number));
    }
    if sent.length > 0 {
        text.push_str(&format!(" len={}", sent.length));
    }
    if let Some(purpose) = words::purpose(sent.purpose()) {
        text.push_str(&format!(", {purpose}"));
    }
    if !sent.middlebox.is_empty() {
        text.push_str(&format!(", by {}", sent.middlebox));
    } else if sent.injected {
        text.push_str(", injected");
    }
    match sent.sender_state() {
        TcpState::Unspecified => text,
        state => format!("{text} ({})", words::state(state)),
    }
}

const fn host_state(state: HostState) -> &'static str {
    match state {
        HostState::Unspecified => "in an unknown state",
        HostState::Up => "up",
        HostState::Frozen => "frozen",
        HostState::Paused => "paused",
        HostState::Down => "down",
    }
}

const fn middlebox(change: MiddleboxChange) -> &'static str {
    match change {
        MiddleboxChange::Unspecified => "changes",
        MiddleboxChange::Created => "creates its state",
        MiddleboxChange::Adopted => "adopts the connection",
        MiddleboxChange::Moved => "moves its state",
        MiddleboxChange::Expired => "forgets the idle connection",
        MiddleboxChange::Forgotten => "loses its state",
        MiddleboxChange::Clamped => "lowers the MSS",
        MiddleboxChange::Translated => "translates the connection",
        MiddleboxChange::Renumbered => "moves the sequence numbers",
        MiddleboxChange::Untranslated => "lets a segment pass untranslated",
    }
}
