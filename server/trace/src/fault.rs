//! What a fault did.

use halfopen_scenario::Fault;

use crate::{FaultId, SegmentNumber};

/// A fault was added while the run went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultAdded {
    /// Its id: the next after those of the scenario and those added before.
    pub id: FaultId,
    /// What it is.
    pub fault: Fault,
}

/// A fault was applied. What it does is in [`Fault::effect`].
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
