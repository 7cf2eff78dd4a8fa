//! What applications did.

use halfopen_scenario::{ConnectionRef, Slot};
use halfopen_tcp::Errno;

use crate::StepId;

/// A program opened a connection: `connect` was called, or `accept` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionOpened {
    /// Position of the program in [`Scenario::programs`](halfopen_scenario::Scenario::programs), from 0.
    pub program: u32,
    /// Which of the program's connections, from 0: its name is in
    /// [`Program::connections`](halfopen_scenario::Program::connections).
    pub slot: u32,
}

impl ConnectionOpened {
    /// What a scenario refers to it by.
    pub const fn reference(self) -> ConnectionRef {
        ConnectionRef { program: self.program as usize, connection: Slot(self.slot as usize), nth: None }
    }
}

/// A call that is no step returned the error of the connection, or saw the end of the peer's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallReturned {
    /// The connection's error, if it returned that.
    pub error: Option<Errno>,
    /// Whether it saw the end of the peer's stream.
    pub end_of_stream: bool,
    /// The step that made it; `None` if the application is not a program of the scenario.
    pub step: Option<StepId>,
}

/// A step of an application ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplicationResult {
    /// The step.
    pub step: StepId,
    /// Octets that it sent or received.
    pub octets: u64,
    /// Whether it saw the end of the peer's stream.
    pub end_of_stream: bool,
    /// The error that it ended with.
    pub error: Option<Errno>,
    /// Whether it failed: it ended with an error, or at the end of the stream before it had received what it waits for. A
    /// `receive: end` does not fail, whatever ends it.
    pub failed: bool,
}
