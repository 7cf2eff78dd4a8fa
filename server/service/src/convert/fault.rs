//! The effects of faults.

use halfopen_proto::v1::{self, field_rewrite::Change};
use halfopen_scenario::{Effect, NewValue, Renumber, Rewrite, SegmentAction};
use halfopen_trace::FaultApplied;

use super::converter::Converter;
use super::enums;
use super::values::{duration, flags, mtu};

impl Converter {
    pub(super) fn fault_applied(&self, applied: FaultApplied) -> v1::FaultApplied {
        let effect = self.scenario_fault(applied.fault).map(|fault| &fault.effect);
        v1::FaultApplied {
            fault: Some(self.fault(applied.fault)),
            phase: enums::phase(applied.phase).into(),
            kind: effect.map_or(v1::FaultKind::Unspecified, enums::fault_kind).into(),
            segment: applied.segment.map_or(0, |segment| segment.0.get()),
            ..effect.map(|effect| self.parameters(effect)).unwrap_or_default()
        }
    }

    /// The parameters of a fault, beside its kind.
    fn parameters(&self, effect: &Effect) -> v1::FaultApplied {
        let none = v1::FaultApplied::default();
        match effect {
            Effect::Segment { action, .. } => of_segments(*action),
            Effect::Pause { clock_stops, .. } => v1::FaultApplied { clock_stops: *clock_stops, ..none },
            Effect::ClockJump { by, .. } => v1::FaultApplied { by: Some(duration(*by)), ..none },
            Effect::BlackHole { hole, .. } => v1::FaultApplied { larger_than: hole.larger_than, ..none },
            Effect::Address { change, .. } => v1::FaultApplied {
                address: change.address.to_string(),
                to_host: self.host(change.to.map(Into::into)),
                ..none
            },
            Effect::Middlebox { middlebox, .. } => {
                v1::FaultApplied { middlebox: self.middlebox(Some((*middlebox).into())), ..none }
            }
            Effect::Kill { program, .. } => {
                let programs = self.scenario.as_ref().map(|scenario| &scenario.programs);
                let list = program.and_then(|program| Some(programs?.get(program)?.name.clone()));
                v1::FaultApplied { list: list.unwrap_or_default(), ..none }
            }
            Effect::Inject(_)
            | Effect::PowerLoss(_)
            | Effect::Reboot { .. }
            | Effect::Freeze { .. }
            | Effect::CablePull { .. }
            | Effect::Partition { .. } => none,
        }
    }
}

fn of_segments(action: SegmentAction) -> v1::FaultApplied {
    let none = v1::FaultApplied::default();
    match action {
        SegmentAction::Drop => none,
        SegmentAction::Delay { by } => v1::FaultApplied { by: Some(duration(by)), ..none },
        SegmentAction::Duplicate { copies, spacing } => {
            v1::FaultApplied { copies, spacing: Some(duration(spacing)), ..none }
        }
        SegmentAction::Reorder { behind } => v1::FaultApplied { behind, ..none },
        SegmentAction::Corrupt { bits, field } => v1::FaultApplied {
            bits,
            field: field.map_or(v1::SegmentField::Unspecified, enums::field).into(),
            ..none
        },
        SegmentAction::Rewrite(rewrite) => v1::FaultApplied { rewrites: rewrites(&rewrite), ..none },
        SegmentAction::Unreachable(code) => {
            v1::FaultApplied { code: enums::unreachable_code(code).into(), mtu: mtu(code), ..none }
        }
    }
}

/// The fields that are rewritten, in the order of RFC 9293 §3.1.
fn rewrites(rewrite: &Rewrite) -> Vec<v1::FieldRewrite> {
    use v1::SegmentField as Field;
    let number = |number: Renumber| match number {
        Renumber::To(value) => Change::Value(value),
        Renumber::By(increment) => Change::Increment(increment),
    };
    let removed = |removed: bool| removed.then_some(Change::Removed(true));
    [
        (Field::Sequence, rewrite.sequence.map(number)),
        (Field::Acknowledgment, rewrite.acknowledgment.map(number)),
        (Field::Flags, rewrite.flags.map(|control| Change::Flags(flags(control)))),
        (Field::Window, rewrite.window.map(|window| Change::Value(window.into()))),
        (Field::Urgent, rewrite.urgent.map(new_value)),
        (Field::Mss, rewrite.mss.map(new_value)),
        (Field::WindowScale, rewrite.window_scale.map(new_value)),
        (Field::SackPermitted, removed(rewrite.no_sack_permitted)),
        (Field::Sack, removed(rewrite.no_sack)),
        (Field::Timestamps, removed(rewrite.no_timestamps)),
    ]
    .into_iter()
    .filter_map(|(field, change)| Some(v1::FieldRewrite { field: field.into(), change: Some(change?) }))
    .collect()
}

fn new_value<T: Into<i64>>(value: NewValue<T>) -> Change {
    match value {
        NewValue::To(value) => Change::Value(value.into()),
        NewValue::Off => Change::Removed(true),
    }
}
