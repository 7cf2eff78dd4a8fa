//! What a fault did.

use crate::{FaultId, SegmentNumber};

/// A fault was applied. What it does is in [`Fault::effect`](halfopen_scenario::Fault::effect).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultApplied {
    /// The fault.
    pub fault: FaultId,
    /// Whether it began or ended.
    pub phase: Phase,
    /// The segment it was applied to, if it acts on segments.
    pub segment: Option<SegmentNumber>,
}

/// Whether a fault begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It takes effect. Faults on segments know no other phase.
    Begin,
    /// It is over: the link heals, the host comes back.
    End,
}
