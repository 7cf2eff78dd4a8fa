//! One run of a scenario, in virtual time.

mod run;
pub mod trace;

pub use run::{Discard, Outcome, RunOptions, Sink};
