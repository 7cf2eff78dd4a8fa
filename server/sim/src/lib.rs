//! One run of a scenario, in virtual time.
//!
//! [`run()`] plays a [`Scenario`](halfopen_scenario::Scenario): every host has a TCP of its own and lives in a
//! turmoil world, a queue of events drives the clock, and everything that happens becomes one ordered
//! [`Trace`](halfopen_trace::Trace).

mod application;
mod clock;
mod conclusion;
mod connections;
mod content;
mod driver;
mod forge;
mod host;
mod recorder;
mod run;
mod script;
mod segments;
mod shared;
mod snapshots;
mod world;

pub use driver::run;
pub use run::{Discard, Outcome, RunOptions, Sink};
