//! What happened in a run: one ordered list of events, the only output of a run.
//!
//! Whatever a reader may ask for is an event, with its reason as a type: a [`Trace`] together with the
//! [`Scenario`](halfopen_scenario::Scenario) that its first event names is enough to judge a run, to draw it and to replay it.
//! Nothing here runs anything, and nothing here is written for people: words are made by those who show events.

mod application;
mod event;
mod fault;
mod id;
mod keepalive;
mod loss;
mod middlebox;
mod opened;
mod result;
mod segment;
mod trace;

pub use application::{ApplicationResult, CallReturned, ConnectionOpened};
pub use event::{ConnectionCreated, Event, EventKind, HostState, RunStarted};
pub use fault::{FaultAdded, FaultApplied, Phase};
pub use id::{ConnectionNumber, ExpectationId, FaultId, HostId, MiddleboxId, SegmentNumber, StepId};
pub use keepalive::{KeepaliveFound, KeepaliveVerdict};
pub use loss::{LossReason, MiddleboxLoss};
pub use middlebox::{MiddleboxChange, MiddleboxChanged};
pub use opened::OpenedConnections;
pub use result::{
    Decision, ExpectationResult, FinalState, Finding, Limit, Problem, RunFinished, Totals, Verdict,
};
pub use segment::SegmentSent;
pub use trace::Trace;
