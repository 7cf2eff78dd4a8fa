//! The outcome of checking one claim.

use halfopen_scenario::Window;
use halfopen_trace::{ConnectionNumber, Decision, Finding};

/// Whether a claim holds, and what was found.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) passed: bool,
    pub(crate) finding: Finding,
    /// The connection that broke the claim.
    pub(crate) connection: Option<ConnectionNumber>,
    /// What decided it; `None`: the end of the run did.
    pub(crate) decided: Option<Decision>,
}

impl Check {
    /// The claim holds if `passed`.
    pub(crate) fn new(passed: bool, finding: Finding, decided: Option<Decision>) -> Check {
        Check { passed, finding, connection: None, decided }
    }

    /// It does not hold, and nothing in particular decided that.
    pub(crate) fn broken(finding: Finding) -> Check {
        Check::new(false, finding, None)
    }

    /// It does not hold because of this connection.
    pub(crate) fn by(self, connection: ConnectionNumber) -> Check {
        Check { connection: Some(connection), ..self }
    }

    /// What decided it must have happened within the window. What nothing decided happened at no time.
    pub(crate) fn in_time(mut self, window: Option<Window>) -> Check {
        if let Some(window) = window {
            self.passed &= self.decided.is_some_and(|moment| window.contains(moment.time.as_duration()));
        }
        self
    }
}
