//! Why a command failed, and how the program ends then.

use std::io;

use halfopen_client::{BadOptions, ClientError, PlanError, Refusal};

use crate::{exit, output};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments are wrong, by themselves or for what they name.
    #[error("{0}")]
    Usage(String),
    /// The service cannot be reached, or a call to it failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The results cannot be written.
    #[error("cannot write the results: {0}")]
    Output(#[from] io::Error),
    /// The operating system provides no threads.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// The service cannot serve.
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
    /// Prints the error on standard error and returns the exit code. If the reader closed the pipe, it has what it
    /// wanted.
    pub(crate) fn report(&self) -> u8 {
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

    /// What to do on the command line, where the error does not say so.
    pub(crate) fn help(&self) -> Option<&'static str> {
        let Failure::Client(error) = self else { return None };
        match error {
            ClientError::NoServer { .. } => Some(output::WITHOUT_SERVER),
            ClientError::NotFound(_) => Some(output::NAMES),
            ClientError::Refused { reason: Refusal::Untrusted, .. }
            | ClientError::BadOptions(BadOptions::NoTls { .. } | BadOptions::EmptyCa) => {
                Some("--ca FILE names the certificate that signed the server's")
            }
            ClientError::BadOptions(BadOptions::UnusedCa { .. }) => {
                Some("leave out --ca and HALFOPEN_CA to connect without TLS")
            }
            ClientError::BadOptions(BadOptions::TokenInClear { .. }) => {
                Some("`halfopen serve --tls-cert FILE --tls-key FILE` serves over TLS")
            }
            ClientError::Refused {
                reason: Refusal::WantsTls | Refusal::NoTls | Refusal::Other(_), ..
            }
            | ClientError::BadAddress { .. }
            | ClientError::Unsupported { .. }
            | ClientError::Invalid { .. }
            | ClientError::HasVariants(_)
            | ClientError::NoVariant(_)
            | ClientError::NoProfile(_)
            | ClientError::Ended(_) => None,
        }
    }
}
