//! Why a command could not do what it was asked for, and how the program ends then.

use std::io;

use halfopen_client::{ClientError, PlanError};

use crate::{exit, output};

/// Why a command could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments make no sense together with what is there.
    #[error("{0}")]
    Usage(String),
    /// The service cannot be reached, or refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The results cannot be written.
    #[error("cannot write the results: {0}")]
    Output(#[from] io::Error),
    /// The operating system gives no threads.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// The service could not serve.
    #[error(transparent)]
    Serve(halfopend::ServeError),
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Failure {
        match error {
            PlanError::Client(error) => Failure::Client(error),
            PlanError::TooMany(_) | PlanError::NoMatch(_) => Failure::Usage(error.to_string()),
        }
    }
}

impl Failure {
    /// Says what happened on standard error and gives the exit code. A reader that closed the pipe has what it wanted.
    pub(crate) fn tell(&self) -> u8 {
        if matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return exit::PASSED;
        }
        output::error(&self.to_string());
        self.help().into_iter().for_each(output::help);
        self.code()
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Serve(halfopend::ServeError::Tls(_)) => exit::USAGE,
            Failure::Client(error) => exit::of_error(error),
            Failure::Output(_) | Failure::Start(_) => exit::UNFINISHED,
            Failure::Serve(_) => exit::NO_SERVER,
        }
    }

    /// What to do, where the error does not say.
    pub(crate) fn help(&self) -> Option<&'static str> {
        matches!(self, Failure::Client(ClientError::NoServer { .. })).then_some(output::WITHOUT_SERVER)
    }
}
