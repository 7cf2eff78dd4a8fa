//! One run of a scenario, in virtual time.
//!
//! [`run()`] plays a [`Scenario`](halfopen_scenario::Scenario): every host has a TCP of its own and lives in a
//! turmoil world, a queue of events drives the clock, and everything that happens becomes one ordered
//! [`Trace`](halfopen_trace::Trace). A [`Simulation`] is a run that is played step by step, in which somebody outside adds faults and
//! makes the calls of a host's application.

mod application;
mod budget;
mod caller;
mod clock;
mod command;
mod conclusion;
mod condition;
mod connections;
mod content;
mod driver;
mod faults;
mod forge;
mod host;
mod line;
mod recorder;
mod run;
mod scripted;
mod segments;
mod shared;
mod simulation;
mod snapshots;
mod wanted;
mod world;

pub use budget::Budget;
pub use caller::{Caller, Made};
pub use command::{Call, Command, Refusal, Reply, SocketId, SocketStatus};
pub use conclusion::Ended;
pub use condition::Condition;
pub use run::{Discard, Interruption, Outcome, RunOptions, Sink};
pub use simulation::{Bound, Simulation, Stop, run};
