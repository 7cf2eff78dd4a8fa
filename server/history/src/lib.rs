//! What is kept of runs, in SQLite or PostgreSQL.
//!
//! A [`History`] accepts runs, keeps their events while they are executed, and lists them. It knows a run as bytes with a few columns:
//! what they mean is the business of its user. An accepted run is never lost: acceptance is answered only once it is on disk, and what is not
//! over when a process ends is there for the next one ([`History::recover`]). Since runs are deterministic, they are then executed from the
//! beginning; events that are stored already are compared, not stored again.
//!
//! All writes go through one task, which commits what waits in one transaction. So the price of a durable commit is shared, and a
//! database that is away is a pause for runs in progress, and an error for callers.

#[cfg(not(feature = "databases"))]
mod absent;
#[cfg(feature = "databases")]
mod database;
mod error;
#[cfg(feature = "databases")]
mod history;
#[cfg(feature = "databases")]
mod live;
#[cfg(feature = "databases")]
mod lock;
#[cfg(feature = "databases")]
mod read;
mod run;
#[cfg(feature = "databases")]
mod write;
#[cfg(feature = "databases")]
mod writer;

#[cfg(not(feature = "databases"))]
pub use absent::History;
pub use error::{HistoryError, OpenError};
#[cfg(feature = "databases")]
pub use history::History;
pub use run::{
    Accepted, Batch, Ending, Filter, Interruption, NewRun, Number, Page, Progress, Retention, Run, State,
    Time, Unfinished,
};
