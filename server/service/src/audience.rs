//! Who gets the events of a run.

use halfopen_sim::Sink;
use halfopen_trace::Verdict;

/// Who gets the events of a run.
pub(crate) trait Audience: Sink {
    /// The verdict, once it has got the last event.
    fn verdict(&self) -> Option<Verdict>;

    /// Whether it still wants the run.
    fn is_wanted(&self) -> bool;
}
