//! Events, each with its kind.

use std::sync::Arc;

use halfopen_proto::v1;
use halfopen_proto::v1::event::Kind;
use halfopen_scenario::{Setting, SettingValue, TrackedState};
use halfopen_tcp::{Cause, State, Timer, TimerChange};
use halfopen_trace::{
    ApplicationResult, ConnectionCreated, ConnectionOpened, Event, EventKind, MiddleboxChange,
    MiddleboxChanged, RunStarted, SegmentNumber,
};

use super::converter::{Converter, written};
use super::segment::segment_arrived;
use super::tcp_info::tcp_info;
use super::values::{bytes, drop_reason, duration, errno, flags, mtu};
use super::{enums, verdict};

/// The estimated size, in bytes, of an event none of whose fields can be long. Measured: 22 to 115, 59 on average.
const USUAL_EVENT: usize = 64;

impl Converter {
    /// Converts an event; also returns its approximate size in bytes.
    pub(crate) fn event(&mut self, sequence: u64, event: &Event) -> (v1::Event, usize) {
        if let EventKind::RunStarted(started) = &event.kind {
            self.has_lines = !started.scenario.is_on_one_line();
            self.scenario = Some(Arc::clone(&started.scenario));
        }
        if let EventKind::FaultAdded(added) = &event.kind {
            self.added.push(added.fault.clone());
        }
        let converted = v1::Event {
            sequence,
            time: Some(duration(event.time.as_duration())),
            host: self.host(event.host),
            connection: event.connection.map_or(0, |connection| connection.0.get()),
            kind: Some(self.kind(&event.kind)),
        };
        let bytes = match &converted.kind {
            Some(
                Kind::RunStarted(_)
                | Kind::RunFinished(_)
                | Kind::ExpectationResult(_)
                | Kind::FaultApplied(_),
            ) => prost::Message::encoded_len(&converted),
            _ => USUAL_EVENT + event.datagram().map_or(0, |datagram| datagram.len()),
        };
        (converted, bytes)
    }

    fn kind(&mut self, kind: &EventKind) -> Kind {
        match kind {
            EventKind::RunStarted(started) => Kind::RunStarted(Box::new(run_started(started))),
            EventKind::ConnectionCreated(created) => {
                Kind::ConnectionCreated(self.connection_created(created))
            }
            EventKind::SegmentSent(sent) => Kind::SegmentSent(self.segment_sent(sent)),
            EventKind::SegmentArrived { segment, dropped, datagram } => {
                Kind::SegmentArrived(segment_arrived(*segment, *dropped, datagram.as_deref()))
            }
            EventKind::SegmentLost { segment, reason } => {
                Kind::SegmentLost(self.segment_lost(*segment, *reason))
            }
            EventKind::DestinationUnreachable { segment, code, dropped, datagram } => {
                Kind::DestinationUnreachable(v1::DestinationUnreachable {
                    segment: segment.0.get(),
                    code: enums::unreachable_code(*code).into(),
                    drop_reason: drop_reason(*dropped),
                    mtu: mtu(*code),
                    datagram: bytes(datagram.as_deref()),
                })
            }
            EventKind::MiddleboxChanged(changed) => Kind::MiddleboxChanged(self.middlebox_changed(changed)),
            EventKind::StateTransition { from, to, cause, segment } => {
                Kind::StateTransition(state_transition(*from, *to, cause, *segment))
            }
            EventKind::TimerChanged { timer, change } => Kind::TimerChanged(timer_changed(*timer, *change)),
            EventKind::KeepaliveOutcome { verdict, probes, silence } => {
                Kind::KeepaliveOutcome(v1::KeepaliveOutcome {
                    verdict: enums::keepalive_verdict(*verdict).into(),
                    probes: *probes,
                    silence: Some(duration(*silence)),
                })
            }
            EventKind::ConnectionError(errno) => {
                Kind::ConnectionError(v1::ConnectionError { errno: errno.name().to_owned() })
            }
            EventKind::FaultAdded(added) => Kind::FaultAdded(v1::FaultAdded {
                fault: Some(self.fault(added.id)),
                kind: enums::fault_kind(&added.fault.effect).into(),
            }),
            EventKind::FaultLifted(id) => Kind::FaultLifted(v1::FaultLifted {
                fault: Some(self.fault(*id)),
                kind: self
                    .scenario_fault(*id)
                    .map_or(v1::FaultKind::Unspecified, |fault| enums::fault_kind(&fault.effect))
                    .into(),
            }),
            EventKind::FaultApplied(applied) => Kind::FaultApplied(Box::new(self.fault_applied(*applied))),
            EventKind::HostChanged(state) => {
                Kind::HostChanged(v1::HostChanged { state: enums::host_state(*state).into() })
            }
            EventKind::ConnectionOpened(opened) => Kind::ConnectionOpened(self.connection_opened(*opened)),
            EventKind::SocketOpened { .. } => Kind::ConnectionOpened(v1::ConnectionOpened::default()),
            EventKind::StepBlocked(step) => {
                Kind::StepBlocked(v1::StepBlocked { step: Some(self.step(*step)) })
            }
            EventKind::DataWritten { octets } => Kind::DataWritten(v1::DataWritten { bytes: *octets }),
            EventKind::DataRead { octets } => Kind::DataRead(v1::DataRead { bytes: *octets }),
            EventKind::DataMistaken { offset } => Kind::DataMistaken(v1::DataMistaken { offset: *offset }),
            EventKind::ApplicationResult(result) => Kind::ApplicationResult(self.application_result(*result)),
            EventKind::CallReturned(returned) => Kind::CallReturned(v1::CallReturned {
                error: errno(returned.error),
                end_of_stream: returned.end_of_stream,
                step: returned.step.map(|step| self.step(step)),
            }),
            EventKind::TcpInfo(info) => Kind::TcpInfo(tcp_info(info)),
            EventKind::LimitReached(limit) => {
                Kind::LimitReached(v1::LimitReached { limit: Some(verdict::limit(*limit)) })
            }
            EventKind::RunStopped => Kind::RunStopped(v1::RunStopped {}),
            EventKind::ExpectationResult(result) => {
                Kind::ExpectationResult(Box::new(self.expectation_result(result)))
            }
            EventKind::RunFinished(finished) => Kind::RunFinished(self.run_finished(finished)),
        }
    }

    fn connection_created(&mut self, created: &ConnectionCreated) -> v1::ConnectionCreated {
        v1::ConnectionCreated {
            local: self.addresses.text(created.local),
            remote: self.addresses.text(created.remote),
            remote_host: self.host(created.remote_host),
            peer_connection: created.peer.map_or(0, |peer| peer.0.get()),
        }
    }

    fn connection_opened(&self, opened: ConnectionOpened) -> v1::ConnectionOpened {
        let program =
            self.scenario.as_ref().and_then(|scenario| scenario.programs.get(opened.program as usize));
        v1::ConnectionOpened {
            application: program.map(|program| program.name.clone()).unwrap_or_default(),
            name: self.connection(opened.reference()),
        }
    }

    fn middlebox_changed(&mut self, changed: &MiddleboxChanged) -> v1::MiddleboxChanged {
        let state =
            |state: Option<TrackedState>| state.map_or(v1::MiddleboxState::Unspecified, enums::tracked_state);
        let mut detail = v1::MiddleboxChanged::default();
        match changed.change {
            MiddleboxChange::Expired { idle } => detail.idle = Some(duration(idle)),
            MiddleboxChange::Translated { to } => detail.translated_to = self.addresses.text(to),
            MiddleboxChange::Renumbered { from: _, by, with_sack } => {
                (detail.renumbered_by, detail.sack_kept) = (by, !with_sack);
            }
            MiddleboxChange::Created
            | MiddleboxChange::Adopted
            | MiddleboxChange::Moved
            | MiddleboxChange::Forgotten
            | MiddleboxChange::Clamped
            | MiddleboxChange::Untranslated => {}
        }
        v1::MiddleboxChanged {
            middlebox: self.middlebox(Some(changed.middlebox)),
            change: enums::middlebox_change(changed.change).into(),
            before: state(changed.before).into(),
            after: state(changed.after).into(),
            segment: changed.segment.map_or(0, |segment| segment.0.get()),
            ..detail
        }
    }

    fn application_result(&self, result: ApplicationResult) -> v1::ApplicationResult {
        v1::ApplicationResult {
            step: Some(self.step(result.step)),
            bytes: result.octets,
            end_of_stream: result.end_of_stream,
            error: errno(result.error),
            failed: result.failed,
        }
    }
}

fn run_started(started: &RunStarted) -> v1::RunStarted {
    let scenario = &started.scenario;
    let host = |host: &halfopen_scenario::Host| v1::Host {
        name: host.name.clone(),
        addresses: host.addresses.iter().map(ToString::to_string).collect(),
        profile: host.profile.name().to_owned(),
    };
    v1::RunStarted {
        scenario: scenario.id.clone(),
        title: written(&scenario.title),
        seed: started.seed,
        version: started.version.to_owned(),
        hosts: scenario.hosts.iter().map(host).collect(),
        variant: scenario.variant.clone().unwrap_or_default(),
        middleboxes: scenario.network.middleboxes.iter().map(|middlebox| middlebox.name.clone()).collect(),
        settings: halfopen_scenario::settings(scenario).into_iter().map(setting).collect(),
    }
}

fn setting(setting: Setting) -> v1::Setting {
    use v1::setting::Value;
    let value = match setting.value {
        SettingValue::Nothing => None,
        SettingValue::Text(text) => Some(Value::Text(written(&text))),
        SettingValue::Switch(on) => Some(Value::Enabled(on)),
        SettingValue::Number(number) => Some(Value::Number(number)),
        SettingValue::Duration(time) => Some(Value::Duration(duration(time))),
        SettingValue::Size(octets) => Some(Value::Bytes(octets)),
    };
    v1::Setting { path: setting.path, value }
}

fn state_transition(
    from: State,
    to: State,
    cause: &Cause,
    segment: Option<SegmentNumber>,
) -> v1::StateTransition {
    v1::StateTransition {
        before: enums::state(from).into(),
        after: enums::state(to).into(),
        cause: Some(self::cause(cause, segment)),
    }
}

fn cause(cause: &Cause, segment: Option<SegmentNumber>) -> v1::Cause {
    use v1::cause::Origin;
    let origin = match cause {
        Cause::Call(call) => Origin::Call(enums::call(*call).into()),
        Cause::Segment(control) | Cause::SynCookie(control) => Origin::Segment(v1::SegmentCause {
            segment: segment.map_or(0, |segment| segment.0.get()),
            flags: Some(flags(*control)),
            syn_cookie: matches!(cause, Cause::SynCookie(_)),
        }),
        Cause::Timer(timer) => Origin::Timer(enums::timer(*timer).into()),
        Cause::GaveUp(timer) | Cause::UserTimeout(timer) => Origin::GaveUp(enums::timer(*timer).into()),
        Cause::Unreachable(errno) => Origin::Unreachable(errno.name().to_owned()),
        Cause::ListenerClosed => Origin::Other(v1::OtherCause::ListenerClosed.into()),
        Cause::Replaced => Origin::Other(v1::OtherCause::Replaced.into()),
    };
    v1::Cause { origin: Some(origin), user_timeout: matches!(cause, Cause::UserTimeout(_)) }
}

fn timer_changed(timer: Timer, change: TimerChange) -> v1::TimerChanged {
    let (change, expires) = match change {
        TimerChange::Set { expires } => (v1::TimerChange::Set, Some(duration(expires.as_duration()))),
        TimerChange::Fired => (v1::TimerChange::Fired, None),
        TimerChange::Cancelled => (v1::TimerChange::Cancelled, None),
    };
    v1::TimerChanged { timer: enums::timer(timer).into(), change: change.into(), expires }
}
