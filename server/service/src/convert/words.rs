//! Words of the trace as those of the protocol, one function an enumeration.

use halfopen_proto::v1;
use halfopen_scenario::{TrackedState, Unreachable};
use halfopen_sim::trace::{HostState, KeepaliveVerdict, MiddleboxChange, Verdict};
use halfopen_tcp::{Purpose, State, Timer};

pub(super) fn state(state: State) -> v1::TcpState {
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

pub(super) fn middlebox_change(change: MiddleboxChange) -> v1::MiddleboxChange {
    match change {
        MiddleboxChange::Created => v1::MiddleboxChange::Created,
        MiddleboxChange::Adopted => v1::MiddleboxChange::Adopted,
        MiddleboxChange::Moved => v1::MiddleboxChange::Moved,
        MiddleboxChange::Expired => v1::MiddleboxChange::Expired,
        MiddleboxChange::Forgotten => v1::MiddleboxChange::Forgotten,
        MiddleboxChange::Clamped => v1::MiddleboxChange::Clamped,
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
