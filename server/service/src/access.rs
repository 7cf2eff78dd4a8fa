//! Who may use a port, and how.

use halfopen_proto::Token;

use crate::tls::Tls;

/// Who may use a port, and how. By default anybody may, without TLS.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The certificate and key for TLS; `None` serves without TLS.
    pub tls: Option<Tls>,
    /// The token that callers must send. Every call needs it, including reflection; only health checks do not.
    pub token: Option<Token>,
}
