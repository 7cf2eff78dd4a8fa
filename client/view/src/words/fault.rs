//! What faults do, and why segments are lost.

use halfopen_proto::v1::field_rewrite::Change;
use halfopen_proto::v1::{
    FaultApplied, FaultKind, FaultPhase, FieldRewrite, LossReason, MiddleboxLossReason, SegmentField,
    SegmentLost, UnreachableCode,
};

use super::{count, duration, flags, from_proto};

/// What a fault did: `drop`, `delay 300ms`, `reboot nat`; at its end `heal`, `back`.
pub fn fault(applied: &FaultApplied) -> String {
    let mut text = match applied.phase() {
        FaultPhase::End => end(applied),
        FaultPhase::Unspecified | FaultPhase::Begin => begin(applied),
    };
    for name in [&applied.middlebox, &applied.list].into_iter().filter(|name| !name.is_empty()) {
        text.push_str(&format!(" {name}"));
    }
    text
}

/// The word of the scenario language for a fault: `power-loss`.
pub const fn fault_kind(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unspecified => "fault",
        FaultKind::Drop => "drop",
        FaultKind::Delay => "delay",
        FaultKind::Duplicate => "duplicate",
        FaultKind::Reorder => "reorder",
        FaultKind::Corrupt => "corrupt",
        FaultKind::Rewrite => "rewrite",
        FaultKind::Unreachable => "unreachable",
        FaultKind::Inject => "inject",
        FaultKind::PowerLoss => "power-loss",
        FaultKind::Reboot => "reboot",
        FaultKind::Kill => "kill",
        FaultKind::Freeze => "freeze",
        FaultKind::Pause => "pause",
        FaultKind::ClockJump => "clock-jump",
        FaultKind::CablePull => "cable-pull",
        FaultKind::BlackHole => "blackhole",
        FaultKind::Partition => "partition",
        FaultKind::Forget => "forget",
        FaultKind::BlocksNew => "blocks-new",
        FaultKind::MoveAddress => "move-address",
        FaultKind::LoseAddress => "lose-address",
    }
}

fn begin(applied: &FaultApplied) -> String {
    let kind = applied.kind();
    let name = fault_kind(kind);
    match kind {
        FaultKind::Delay | FaultKind::ClockJump => {
            format!("{name} {}", duration(from_proto(applied.by.as_ref())))
        }
        FaultKind::Duplicate if applied.copies > 1 => format!("{name} {} times", applied.copies),
        FaultKind::Reorder => format!("{name} behind {}", applied.behind),
        FaultKind::Corrupt => {
            let field = match applied.field() {
                SegmentField::Unspecified => String::new(),
                some => format!(" of the {}", field(some)),
            };
            format!("{name} {}{field}", count(applied.bits.into(), "bit"))
        }
        FaultKind::Rewrite => {
            let rewrites: Vec<String> = applied.rewrites.iter().map(rewrite).collect();
            format!("{name} {}", rewrites.join(", "))
        }
        FaultKind::Unreachable => match applied.code() {
            UnreachableCode::FragmentationNeeded => {
                format!("{name} fragmentation-needed mtu {}", applied.mtu)
            }
            UnreachableCode::Net => format!("{name} net"),
            UnreachableCode::Host | UnreachableCode::Unspecified => format!("{name} host"),
            UnreachableCode::Port => format!("{name} port"),
        },
        FaultKind::Pause if applied.clock_stops => format!("{name} with stopped clock"),
        FaultKind::BlackHole => format!("{name} larger than {} B", applied.larger_than),
        FaultKind::MoveAddress => format!("{name} {} to {}", applied.address, applied.to_host),
        FaultKind::LoseAddress => format!("{name} {}", applied.address),
        FaultKind::Unspecified
        | FaultKind::Drop
        | FaultKind::Duplicate
        | FaultKind::Inject
        | FaultKind::PowerLoss
        | FaultKind::Reboot
        | FaultKind::Kill
        | FaultKind::Freeze
        | FaultKind::Pause
        | FaultKind::CablePull
        | FaultKind::Partition
        | FaultKind::Forget
        | FaultKind::BlocksNew => name.to_owned(),
    }
}

fn end(applied: &FaultApplied) -> String {
    let word = match applied.kind() {
        FaultKind::Partition | FaultKind::BlackHole => "heal",
        FaultKind::Reboot | FaultKind::PowerLoss => "back",
        FaultKind::Freeze | FaultKind::Pause => "resume",
        FaultKind::CablePull => "replug",
        FaultKind::BlocksNew => "unblock",
        FaultKind::MoveAddress | FaultKind::LoseAddress => return format!("return {}", applied.address),
        FaultKind::Kill => "restart",
        FaultKind::Unspecified
        | FaultKind::Drop
        | FaultKind::Delay
        | FaultKind::Duplicate
        | FaultKind::Reorder
        | FaultKind::Corrupt
        | FaultKind::Rewrite
        | FaultKind::Unreachable
        | FaultKind::Inject
        | FaultKind::ClockJump
        | FaultKind::Forget => "end",
    };
    word.to_owned()
}

/// The word of the scenario language for a part of a segment.
const fn field(field: SegmentField) -> &'static str {
    match field {
        SegmentField::Unspecified => "segment",
        SegmentField::Sequence => "sequence",
        SegmentField::Acknowledgment => "acknowledgment",
        SegmentField::Flags => "flags",
        SegmentField::Window => "window",
        SegmentField::Checksum => "checksum",
        SegmentField::Urgent => "urgent",
        SegmentField::Payload => "payload",
        SegmentField::Mss => "mss",
        SegmentField::WindowScale => "window-scale",
        SegmentField::SackPermitted => "sack-permitted",
        SegmentField::Sack => "sack",
        SegmentField::Timestamps => "timestamps",
    }
}

/// `window 0 B`, `sequence seg.seq + 1000`.
fn rewrite(rewrite: &FieldRewrite) -> String {
    let name = field(rewrite.field());
    match rewrite.change {
        Some(Change::Value(value)) => match rewrite.field() {
            SegmentField::Window | SegmentField::Mss => format!("{name} {value} B"),
            _ => format!("{name} {value}"),
        },
        Some(Change::Increment(by)) => {
            let own = if rewrite.field() == SegmentField::Sequence { "seg.seq" } else { "seg.ack" };
            format!("{name} {own} {} {}", if by < 0 { '-' } else { '+' }, by.unsigned_abs())
        }
        Some(Change::Flags(bits)) => format!("{name} {}", flags(bits)),
        Some(Change::Removed(_)) => format!("{name} off"),
        None => name.to_owned(),
    }
}

/// Why a segment was lost: `fault 1`, `host is down`, `nat: no state`.
pub fn loss(lost: &SegmentLost) -> String {
    match lost.reason() {
        LossReason::Unspecified => "lost".to_owned(),
        LossReason::Fault => format!("fault {}", lost.fault.as_ref().map_or(0, |fault| fault.number)),
        LossReason::Partition => "partition".to_owned(),
        LossReason::HostDown => "host is down".to_owned(),
        LossReason::HostPaused => "host is paused, and its queue is full".to_owned(),
        LossReason::CablePulled => "cable is unplugged".to_owned(),
        LossReason::BlackHole => "black hole".to_owned(),
        LossReason::NoRoute => "no host has this address".to_owned(),
        LossReason::NeighbourUnresolved => "no neighbour answered".to_owned(),
        LossReason::TooLarge => "larger than the path's MTU".to_owned(),
        LossReason::QueueFull => "queue is full".to_owned(),
        LossReason::Random => "random loss".to_owned(),
        LossReason::Middlebox => {
            let why = match lost.middlebox_reason() {
                MiddleboxLossReason::Unspecified => "lost",
                MiddleboxLossReason::NoState => "no state",
                MiddleboxLossReason::Invalid => "invalid",
                MiddleboxLossReason::Blocked => "blocks new",
                MiddleboxLossReason::Full => "full",
                MiddleboxLossReason::NoPort => "no port is free",
                MiddleboxLossReason::Reused => "port reused",
                MiddleboxLossReason::Down => "down",
            };
            format!("{}: {why}", lost.middlebox)
        }
    }
}
