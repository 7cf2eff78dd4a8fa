//! A run as the history knows it.

use std::collections::BTreeMap;
use std::time::Duration;

/// The position of a run among all that were ever accepted. It names a run inside the server; clients know its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub i64);

/// A wall-clock time: microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// A run that is to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// What clients call it. Nobody can guess it.
    pub id: String,
    /// Whose it is. Nobody else learns that it exists.
    pub tenant: String,
    /// By which its request is recognized when it is repeated.
    pub request_id: Option<String>,
    /// All that is needed to execute it. Two requests with the same id must be the same bytes.
    pub request: Vec<u8>,
    /// What lists show of it, besides the other fields of a [`Run`].
    pub summary: Vec<u8>,
    /// The name of its scenario.
    pub scenario: String,
    /// By which lists are filtered, too.
    pub labels: BTreeMap<String, String>,
    /// The version of the program that accepts it.
    pub version: String,
    /// The time of its acceptance.
    pub now: Time,
}

/// What became of a run that was to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The run.
    pub run: Run,
    /// Whether it is to be executed now; otherwise it is that of an earlier request with the same id.
    pub is_new: bool,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is executed.
    Running,
    /// It has a verdict.
    Finished,
    /// It was cancelled before it had one.
    Cancelled,
    /// It ended without a verdict.
    Interrupted(Interruption),
}

impl State {
    /// Whether it stays as it is.
    pub fn is_over(self) -> bool {
        match self {
            State::Queued | State::Running => false,
            State::Finished | State::Cancelled | State::Interrupted(_) => true,
        }
    }
}

/// Why a run ended without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The server was replaced by another version when a part of its events was stored already.
    VersionChanged,
    /// When it was executed again, its events were others than those that are stored.
    NotRepeatable,
    /// The server ended again and again while it was executed.
    ServerCrashed,
    /// A bug in the program ended it.
    Panicked,
    /// Its scenario can no longer be loaded.
    NotLoadable,
}

/// A run that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its position.
    pub number: Number,
    /// What clients call it.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
    /// What [`NewRun::summary`] was.
    pub summary: Vec<u8>,
    /// The version of the program that executes it, or will.
    pub version: String,
    /// How far it has come.
    pub state: State,
    /// Its verdict, once it is finished.
    pub verdict: Option<i32>,
    /// When it was accepted.
    pub created: Time,
    /// When it was executed first.
    pub began: Option<Time>,
    /// When it was over.
    pub ended: Option<Time>,
    /// The virtual time that it took, once it is finished.
    pub virtual_time: Option<Duration>,
    /// The number of its events that are stored.
    pub events: u64,
    /// The size of what is stored of it, in bytes.
    pub bytes: u64,
}

/// Consecutive events of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The sequence number of the first.
    pub first: u64,
    /// How many they are.
    pub count: u64,
    /// The events. Where a run is cut into batches must follow from its events alone.
    pub content: Vec<u8>,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its last events and a verdict.
    Finished {
        /// Its last events.
        last: Batch,
        /// The verdict.
        verdict: i32,
        /// The virtual time that it took.
        virtual_time: Duration,
    },
    /// Without a verdict.
    Interrupted(Interruption),
}

/// How much of a run is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of its events.
    pub events: u64,
    /// Whether no more will come.
    pub is_over: bool,
}

/// A run that is to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Its position.
    pub number: Number,
    /// What clients call it.
    pub id: String,
    /// Whose it is.
    pub tenant: String,
}

/// Which runs a list has. All by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of the scenario with this name.
    pub scenario: Option<String>,
    /// With this verdict.
    pub verdict: Option<i32>,
    /// In this state; for interrupted runs, whatever interrupted them.
    pub state: Option<State>,
    /// Accepted at this time or later.
    pub created_from: Option<Time>,
    /// Accepted before this time.
    pub created_before: Option<Time>,
    /// With all of these labels.
    pub labels: BTreeMap<String, String>,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The runs, the latest first.
    pub runs: Vec<Run>,
    /// What to ask for the next page with, if there is one.
    pub next: Option<String>,
}

/// How long runs that are over are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long after their end; for ever if `None`.
    pub keep_for: Option<Duration>,
    /// How many bytes of each tenant; the latest are kept. No limit if `None`.
    pub keep_bytes: Option<u64>,
}
