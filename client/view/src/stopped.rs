//! Why a run did not begin, or did not reach its end.

use halfopen_proto::v1::Diagnostic;

/// Why a run did not begin, or did not reach its end.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Stopped {
    /// The scenario is wrong.
    #[error("{message}")]
    Invalid {
        /// The first mistake, and how many there are.
        message: String,
        /// Every mistake with its place, as far as the server reported them.
        diagnostics: Vec<Diagnostic>,
    },
    /// No bundled scenario has the requested name.
    #[error("{0}")]
    NoScenario(String),
    /// The scenario has no variant of the requested name, or has variants and none was requested.
    #[error("{0}")]
    NoVariant(String),
    /// No TCP profile has the requested name.
    #[error("{0}")]
    NoProfile(String),
    /// No server answers.
    #[error("{0}")]
    NoServer(String),
    /// A server answers, but client and server do not agree on TLS, a certificate or the token.
    #[error("{0}")]
    Refused(String),
    /// The server ended the call: a deadline, a limit, a bug, or it went away.
    #[error("{0}")]
    Ended(String),
    /// The user interrupted the run.
    #[error("interrupted")]
    Interrupted,
}
