//! Enums of the trace as enums of the protocol.

use halfopen_proto::v1;
use halfopen_scenario::{Action, Effect, Field, MiddleboxFault, SegmentAction};
use halfopen_scenario::{TrackedState, Unreachable};
use halfopen_tcp::{Call, DropReason, Purpose, State, Timer};
use halfopen_trace::{
    HostState, KeepaliveVerdict, LossReason, MiddleboxChange, MiddleboxLoss, Phase, Verdict,
};

pub(crate) fn state(state: State) -> v1::TcpState {
    match state {
        State::Closed => v1::TcpState::Closed,
        State::Listen => v1::TcpState::Listen,
        State::SynSent => v1::TcpState::SynSent,
        State::SynReceived => v1::TcpState::SynReceived,
        State::Established => v1::TcpState::Established,
        State::FinWait1 => v1::TcpState::FinWait1,
        State::FinWait2 => v1::TcpState::FinWait2,
        State::CloseWait => v1::TcpState::CloseWait,
        State::Closing => v1::TcpState::Closing,
        State::LastAck => v1::TcpState::LastAck,
        State::TimeWait => v1::TcpState::TimeWait,
    }
}

/// The state of a request; `None` if it names none.
pub(crate) fn tcp_state(asked: v1::TcpState) -> Option<State> {
    State::ALL.into_iter().find(|known| state(*known) == asked)
}

pub(super) fn middlebox_change(change: MiddleboxChange) -> v1::MiddleboxChange {
    match change {
        MiddleboxChange::Created => v1::MiddleboxChange::Created,
        MiddleboxChange::Adopted => v1::MiddleboxChange::Adopted,
        MiddleboxChange::Moved => v1::MiddleboxChange::Moved,
        MiddleboxChange::Expired { .. } => v1::MiddleboxChange::Expired,
        MiddleboxChange::Forgotten => v1::MiddleboxChange::Forgotten,
        MiddleboxChange::Clamped => v1::MiddleboxChange::Clamped,
        MiddleboxChange::Translated { .. } => v1::MiddleboxChange::Translated,
        MiddleboxChange::Renumbered { .. } => v1::MiddleboxChange::Renumbered,
        MiddleboxChange::Untranslated => v1::MiddleboxChange::Untranslated,
    }
}

pub(super) fn tracked_state(state: TrackedState) -> v1::MiddleboxState {
    match state {
        TrackedState::SynSent => v1::MiddleboxState::SynSent,
        TrackedState::SynReceived => v1::MiddleboxState::SynReceived,
        TrackedState::Established => v1::MiddleboxState::Established,
        TrackedState::FinWait => v1::MiddleboxState::FinWait,
        TrackedState::CloseWait => v1::MiddleboxState::CloseWait,
        TrackedState::LastAck => v1::MiddleboxState::LastAck,
        TrackedState::TimeWait => v1::MiddleboxState::TimeWait,
        TrackedState::Closed => v1::MiddleboxState::Closed,
    }
}

pub(super) fn timer(timer: Timer) -> v1::TcpTimer {
    match timer {
        Timer::Retransmission => v1::TcpTimer::Retransmission,
        Timer::TailLossProbe => v1::TcpTimer::TailLossProbe,
        Timer::Reordering => v1::TcpTimer::Reordering,
        Timer::Persist => v1::TcpTimer::Persist,
        Timer::Keepalive => v1::TcpTimer::Keepalive,
        Timer::DelayedAck => v1::TcpTimer::DelayedAck,
        Timer::FinWait2 => v1::TcpTimer::FinWait2,
        Timer::TimeWait => v1::TcpTimer::TimeWait,
    }
}

pub(super) fn purpose(purpose: Purpose) -> v1::TcpPurpose {
    match purpose {
        Purpose::Normal => v1::TcpPurpose::Normal,
        Purpose::Retransmission => v1::TcpPurpose::Retransmission,
        Purpose::FastRetransmission => v1::TcpPurpose::FastRetransmission,
        Purpose::TailLossProbe => v1::TcpPurpose::TailLossProbe,
        Purpose::KeepaliveProbe => v1::TcpPurpose::KeepaliveProbe,
        Purpose::WindowProbe => v1::TcpPurpose::WindowProbe,
        Purpose::ChallengeAck => v1::TcpPurpose::ChallengeAck,
        Purpose::DuplicateAck => v1::TcpPurpose::DuplicateAck,
        Purpose::Reset => v1::TcpPurpose::Reset,
    }
}

pub(super) fn unreachable_code(code: Unreachable) -> v1::UnreachableCode {
    match code {
        Unreachable::Net => v1::UnreachableCode::Net,
        Unreachable::Host => v1::UnreachableCode::Host,
        Unreachable::Port => v1::UnreachableCode::Port,
        Unreachable::FragmentationNeeded { .. } => v1::UnreachableCode::FragmentationNeeded,
    }
}

pub(super) fn host_state(state: HostState) -> v1::HostState {
    match state {
        HostState::Up => v1::HostState::Up,
        HostState::Frozen => v1::HostState::Frozen,
        HostState::Paused => v1::HostState::Paused,
        HostState::Down => v1::HostState::Down,
    }
}

pub(super) fn keepalive_verdict(verdict: KeepaliveVerdict) -> v1::KeepaliveVerdict {
    match verdict {
        KeepaliveVerdict::Probing => v1::KeepaliveVerdict::Probing,
        KeepaliveVerdict::Alive => v1::KeepaliveVerdict::Alive,
        KeepaliveVerdict::Reset => v1::KeepaliveVerdict::Reset,
        KeepaliveVerdict::Dead => v1::KeepaliveVerdict::Dead,
    }
}

pub(super) fn verdict(verdict: Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Passed => v1::Verdict::Passed,
        Verdict::Failed => v1::Verdict::Failed,
        Verdict::Unfinished => v1::Verdict::Unfinished,
    }
}

pub(super) fn call(call: Call) -> v1::TcpCall {
    match call {
        Call::Connect => v1::TcpCall::Connect,
        Call::Listen => v1::TcpCall::Listen,
        Call::Shutdown => v1::TcpCall::Shutdown,
        Call::Close => v1::TcpCall::Close,
        Call::Abort => v1::TcpCall::Abort,
    }
}

pub(super) fn drop_reason(reason: DropReason) -> v1::TcpDropReason {
    match reason {
        DropReason::Malformed => v1::TcpDropReason::Malformed,
        DropReason::Checksum => v1::TcpDropReason::Checksum,
        DropReason::NotForUs => v1::TcpDropReason::NotForUs,
        DropReason::NoConnection => v1::TcpDropReason::NoConnection,
        DropReason::NoListener => v1::TcpDropReason::NoListener,
        DropReason::OutOfWindow => v1::TcpDropReason::OutOfWindow,
        DropReason::Duplicate => v1::TcpDropReason::Duplicate,
        DropReason::OldTimestamp => v1::TcpDropReason::OldTimestamp,
        DropReason::UnacceptableAck => v1::TcpDropReason::UnacceptableAck,
        DropReason::NoAck => v1::TcpDropReason::NoAck,
        DropReason::NoSyn => v1::TcpDropReason::NoSyn,
        DropReason::SynFin => v1::TcpDropReason::SynFin,
        DropReason::UnexpectedSyn => v1::TcpDropReason::UnexpectedSyn,
        DropReason::InexactReset => v1::TcpDropReason::InexactReset,
        DropReason::QueueFull => v1::TcpDropReason::QueueFull,
        DropReason::AwaitingData => v1::TcpDropReason::AwaitingData,
        DropReason::NoReceiver => v1::TcpDropReason::NoReceiver,
        DropReason::ImpossibleMtu => v1::TcpDropReason::ImpossibleMtu,
    }
}

pub(super) fn loss_reason(reason: LossReason) -> v1::LossReason {
    match reason {
        LossReason::Fault(_) => v1::LossReason::Fault,
        LossReason::Partition => v1::LossReason::Partition,
        LossReason::HostDown => v1::LossReason::HostDown,
        LossReason::HostPaused => v1::LossReason::HostPaused,
        LossReason::CablePulled => v1::LossReason::CablePulled,
        LossReason::NeighbourUnresolved => v1::LossReason::NeighbourUnresolved,
        LossReason::BlackHole => v1::LossReason::BlackHole,
        LossReason::NoRoute => v1::LossReason::NoRoute,
        LossReason::TooLarge => v1::LossReason::TooLarge,
        LossReason::QueueFull => v1::LossReason::QueueFull,
        LossReason::Random => v1::LossReason::Random,
        LossReason::Middlebox { .. } => v1::LossReason::Middlebox,
    }
}

pub(super) fn middlebox_loss(reason: MiddleboxLoss) -> v1::MiddleboxLossReason {
    match reason {
        MiddleboxLoss::NoPort => v1::MiddleboxLossReason::NoPort,
        MiddleboxLoss::NoState => v1::MiddleboxLossReason::NoState,
        MiddleboxLoss::Invalid => v1::MiddleboxLossReason::Invalid,
        MiddleboxLoss::Blocked => v1::MiddleboxLossReason::Blocked,
        MiddleboxLoss::Full => v1::MiddleboxLossReason::Full,
        MiddleboxLoss::Reused => v1::MiddleboxLossReason::Reused,
        MiddleboxLoss::Down => v1::MiddleboxLossReason::Down,
    }
}

pub(super) fn phase(phase: Phase) -> v1::FaultPhase {
    match phase {
        Phase::Begin => v1::FaultPhase::Begin,
        Phase::End => v1::FaultPhase::End,
    }
}

pub(super) fn fault_kind(effect: &Effect) -> v1::FaultKind {
    match effect {
        Effect::Segment { action, .. } => match action {
            SegmentAction::Drop => v1::FaultKind::Drop,
            SegmentAction::Delay { .. } => v1::FaultKind::Delay,
            SegmentAction::Duplicate { .. } => v1::FaultKind::Duplicate,
            SegmentAction::Reorder { .. } => v1::FaultKind::Reorder,
            SegmentAction::Corrupt { .. } => v1::FaultKind::Corrupt,
            SegmentAction::Rewrite(_) => v1::FaultKind::Rewrite,
            SegmentAction::Unreachable(_) => v1::FaultKind::Unreachable,
        },
        Effect::Inject(_) => v1::FaultKind::Inject,
        Effect::PowerLoss(_) => v1::FaultKind::PowerLoss,
        Effect::Reboot { .. } => v1::FaultKind::Reboot,
        Effect::Kill { .. } => v1::FaultKind::Kill,
        Effect::Freeze { .. } => v1::FaultKind::Freeze,
        Effect::Pause { .. } => v1::FaultKind::Pause,
        Effect::ClockJump { .. } => v1::FaultKind::ClockJump,
        Effect::CablePull { .. } => v1::FaultKind::CablePull,
        Effect::Address { change, .. } if change.to.is_some() => v1::FaultKind::MoveAddress,
        Effect::Address { .. } => v1::FaultKind::LoseAddress,
        Effect::BlackHole { .. } => v1::FaultKind::BlackHole,
        Effect::Partition { .. } => v1::FaultKind::Partition,
        Effect::Middlebox { fault, .. } => match fault {
            MiddleboxFault::Forget => v1::FaultKind::Forget,
            MiddleboxFault::BlocksNew { .. } => v1::FaultKind::BlocksNew,
            MiddleboxFault::PowerLoss => v1::FaultKind::PowerLoss,
            MiddleboxFault::Reboot { .. } => v1::FaultKind::Reboot,
        },
    }
}

pub(super) fn field(field: Field) -> v1::SegmentField {
    match field {
        Field::Sequence => v1::SegmentField::Sequence,
        Field::Acknowledgment => v1::SegmentField::Acknowledgment,
        Field::Flags => v1::SegmentField::Flags,
        Field::Window => v1::SegmentField::Window,
        Field::Checksum => v1::SegmentField::Checksum,
        Field::Urgent => v1::SegmentField::Urgent,
        Field::Payload => v1::SegmentField::Payload,
    }
}

pub(super) fn step_kind(action: &Action) -> v1::StepKind {
    match action {
        Action::Listen { .. } => v1::StepKind::Listen,
        Action::Accept { .. } => v1::StepKind::Accept,
        Action::Connect { .. } => v1::StepKind::Connect,
        Action::Send { .. } => v1::StepKind::Send,
        Action::Receive { .. } => v1::StepKind::Receive,
        Action::Ping { .. } => v1::StepKind::Ping,
        Action::Relay { .. } => v1::StepKind::Relay,
        Action::Repeat { .. } => v1::StepKind::Repeat,
        Action::Wait(_) => v1::StepKind::Wait,
        Action::WaitUntil(_) => v1::StepKind::WaitUntil,
        Action::Hold => v1::StepKind::Hold,
        Action::ShutdownWrite { .. } | Action::ShutdownRead { .. } => v1::StepKind::Shutdown,
        Action::Close { .. } | Action::CloseListener { .. } => v1::StepKind::Close,
        Action::Abort { .. } => v1::StepKind::Abort,
        Action::Set { .. } => v1::StepKind::Set,
        Action::Poll { .. } => v1::StepKind::Poll,
    }
}
