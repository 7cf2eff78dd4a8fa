//! Names of what events are about: small numbers, most of them positions in the scenario.

use std::num::{NonZeroU32, NonZeroU64};

macro_rules! position {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl $name {
            /// The position as an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

position! {
    /// A host: its position in [`Scenario::hosts`](halfopen_scenario::Scenario::hosts), from 0.
    HostId(u16)
}

position! {
    /// A middlebox: its position in [`Network::middleboxes`](halfopen_scenario::Network::middleboxes), from 0.
    MiddleboxId(u16)
}

position! {
    /// A fault: its position in [`Scenario::faults`](halfopen_scenario::Scenario::faults), from 0. Those that are
    /// [added](crate::FaultAdded) while the run goes on follow.
    FaultId(u32)
}

position! {
    /// An expectation: its position in [`Scenario::expectations`](halfopen_scenario::Scenario::expectations), from 0.
    ExpectationId(u32)
}

impl From<halfopen_scenario::HostId> for HostId {
    fn from(host: halfopen_scenario::HostId) -> HostId {
        HostId(u16::try_from(host.0).expect("a scenario has at most `Limits::MAX_HOSTS` hosts"))
    }
}

impl From<HostId> for halfopen_scenario::HostId {
    fn from(host: HostId) -> halfopen_scenario::HostId {
        halfopen_scenario::HostId(host.index())
    }
}

impl From<halfopen_scenario::MiddleboxId> for MiddleboxId {
    fn from(middlebox: halfopen_scenario::MiddleboxId) -> MiddleboxId {
        let number = u16::try_from(middlebox.0);
        MiddleboxId(number.expect("a scenario has at most `Limits::MAX_MIDDLEBOXES` middleboxes"))
    }
}

/// A step of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId {
    /// Position of its program in [`Scenario::programs`](halfopen_scenario::Scenario::programs), from 0.
    pub program: u32,
    /// Its position in [`Program::steps`](halfopen_scenario::Program::steps), from 0.
    pub step: u32,
}

/// A connection's number in the run, from 1 in order of first appearance. Both ends have the same number, unless both are on one
/// host: then each has its own, as the host has two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionNumber(pub NonZeroU32);

impl ConnectionNumber {
    /// The connection with that number; `None` for 0.
    pub fn new(number: usize) -> Option<ConnectionNumber> {
        u32::try_from(number).ok().and_then(NonZeroU32::new).map(ConnectionNumber)
    }

    /// The number counted from 0.
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A segment's number in the run, from 1 in the order of sending. A duplicate made on the way keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentNumber(pub NonZeroU64);

impl SegmentNumber {
    /// The segment with that number; `None` for 0.
    pub const fn new(number: u64) -> Option<SegmentNumber> {
        match NonZeroU64::new(number) {
            Some(number) => Some(SegmentNumber(number)),
            None => None,
        }
    }
}
