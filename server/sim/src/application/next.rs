//! How a step goes on, and how it ends.

use halfopen_scenario::{Action, Amount, Failure};
use halfopen_tcp::{ConnectionId, Errno, Instant};

/// How a step goes on after a turn.
pub(super) enum Next {
    /// It has more to do at once.
    More,
    /// It waits.
    Wait(Wait),
    /// Another step goes on for it.
    Jump,
    /// It has ended.
    End(End),
}

/// What a step waits for: whichever comes first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wait {
    /// That something happens to one of these connections.
    pub(super) connections: [Option<ConnectionId>; 2],
    /// That another program opens a connection that this one shares.
    pub(super) opening: bool,
    /// That there is a connection to accept.
    pub(super) accept: bool,
    /// This time.
    pub(super) until: Option<Instant>,
}

impl Wait {
    pub(super) fn connection(id: ConnectionId) -> Next {
        Next::Wait(Wait { connections: [Some(id), None], ..Wait::default() })
    }

    pub(super) fn until(time: Instant) -> Next {
        Next::Wait(Wait { until: Some(time), ..Wait::default() })
    }

    /// Whether it waits for anything but a time.
    pub(super) fn is_for_others(&self) -> bool {
        self.accept || self.opening || self.connections != [None, None]
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    pub(super) error: Option<Errno>,
    pub(super) end_of_stream: bool,
    /// Whether it did not do what it was to do.
    pub(super) failed: bool,
}

impl End {
    pub(super) fn of(result: Result<(), Errno>) -> Next {
        let error = result.err();
        Next::End(End { error, end_of_stream: false, failed: error.is_some() })
    }

    /// It waited for as long as it may.
    pub(super) fn timed_out(action: &Action) -> End {
        let connects = matches!(action, Action::Connect { .. });
        let error = if connects { Errno::InProgress } else { Errno::Again };
        // Any error may end a wait for the end.
        let failed = !matches!(action, Action::Receive { amount: Amount::End, .. });
        End { error: Some(error), end_of_stream: false, failed }
    }

    /// Whether it ended in a way that the step allows, so that the program goes on.
    pub(super) fn is_fine(&self, failure: Failure) -> bool {
        match failure {
            Failure::EndsProgram => !self.failed,
            Failure::May => true,
            Failure::Must(errors) => self.error.is_some_and(|errno| errors.contains(errno)),
        }
    }
}
