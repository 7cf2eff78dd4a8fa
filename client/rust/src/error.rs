//! Why a call to a service failed.

use std::time::Duration;

use halfopen_proto::v1::Diagnostic;
use halfopen_view::Stopped;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address of the server is not one.
    #[error(
        "`{address}` is not the address of a server: {reason}; write http://host:port, or https://host:port"
    )]
    BadAddress {
        /// The address.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The options cannot be used with this address.
    #[error(transparent)]
    BadOptions(#[from] BadOptions),
    /// Nothing that speaks the protocol answers at the address.
    #[error("no halfopen server answers at {server}: {reason}")]
    NoServer {
        /// The address.
        server: String,
        /// What happened.
        reason: String,
    },
    /// A server answers, but client and server do not agree on TLS, its certificate or the token.
    #[error("cannot talk to {server}: {reason}")]
    Refused {
        /// The address.
        server: String,
        /// What is wrong.
        reason: Refusal,
    },
    /// The server does not support an option of the run.
    #[error(
        "the server at {server} is older than this client and does not support {what}; update the server, or run without"
    )]
    Unsupported {
        /// The address.
        server: String,
        /// The option, in words.
        what: &'static str,
    },
    /// The scenario is wrong.
    #[error("{message}")]
    Invalid {
        /// The first mistake, and how many there are.
        message: String,
        /// Every mistake with its place, as far as the server reported them.
        diagnostics: Vec<Diagnostic>,
    },
    /// The scenario has variants, and none was requested.
    #[error("the scenario has {} variants, and a run needs one of them: {}", .0.len(), .0.join(", "))]
    HasVariants(Vec<String>),
    /// The scenario has no variant of that name; the text says which it has.
    #[error("{0}")]
    NoVariant(String),
    /// No TCP profile has the requested name; the text says which there are.
    #[error("{0}")]
    NoProfile(String),
    /// No bundled scenario has that name.
    #[error("no bundled scenario is named `{0}`")]
    NotFound(String),
    /// The server ended the call: a deadline, a limit, a bug, or it went away.
    #[error("the service ended the call: {} ({:?})", .0.message(), .0.code())]
    Ended(Box<Status>),
}

/// What is wrong with the [`ConnectOptions`](crate::ConnectOptions).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOptions {
    /// Certificates to trust were given for an address without TLS.
    #[error("{server} is reached without TLS, so the certificates to trust have no effect; write https://")]
    UnusedCa {
        /// The address.
        server: String,
    },
    /// The given text contains no certificate in PEM format.
    #[error("there is no certificate in PEM format (-----BEGIN CERTIFICATE-----) among those to trust")]
    EmptyCa,
    /// The system has no certificates that it trusts, or those that were given cannot be used.
    #[error("no TLS: {reason}")]
    NoTls {
        /// What is wrong with them.
        reason: String,
    },
    /// The token would go to another machine without TLS.
    #[error("the token would travel to {server} in the clear; write https://")]
    TokenInClear {
        /// The address.
        server: String,
    },
}

/// Why a server that answers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It speaks TLS, and its address does not say so.
    #[error("it speaks TLS; write https://")]
    WantsTls,
    /// Its address says that it speaks TLS, but it does not.
    #[error("it does not speak TLS; write http://")]
    NoTls,
    /// No trusted certificate signed its own: see [`ConnectOptions::ca`](crate::ConnectOptions::ca).
    #[error("its certificate has no trusted signature")]
    Untrusted,
    /// Anything else, such as a wrong token, an expired certificate or a failed TLS handshake.
    #[error("{0}")]
    Other(String),
}

impl ClientError {
    /// How long to wait before the same call may succeed, if the server is merely too busy at the moment.
    pub fn retry_after(&self) -> Option<Duration> {
        let ClientError::Ended(status) = self else { return None };
        if status.code() != Code::ResourceExhausted {
            return None;
        }
        status.get_details_retry_info()?.retry_delay
    }

    /// Whether the server does not know the call: it is older than the call, or not a halfopen server.
    pub fn is_unimplemented(&self) -> bool {
        matches!(self, ClientError::Ended(status) if status.code() == Code::Unimplemented)
    }
}

impl From<ClientError> for Stopped {
    fn from(error: ClientError) -> Stopped {
        let text = error.to_string();
        match error {
            ClientError::Invalid { message, diagnostics } => Stopped::Invalid { message, diagnostics },
            ClientError::HasVariants(_) | ClientError::NoVariant(_) => Stopped::NoVariant(text),
            ClientError::NoProfile(_) => Stopped::NoProfile(text),
            ClientError::NotFound(_) => Stopped::NoScenario(text),
            ClientError::NoServer { .. } => Stopped::NoServer(text),
            ClientError::Refused { .. } | ClientError::Unsupported { .. } => Stopped::Refused(text),
            ClientError::BadAddress { .. } | ClientError::BadOptions(_) | ClientError::Ended(_) => {
                Stopped::Ended(text)
            }
        }
    }
}
