//! Middleboxes.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Opt, OrNever, ShortOr};
use crate::de::Spanned;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::{Invalid, OnExpiry, Preset, Strays};

/// A box on the way that keeps state of connections.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Middlebox {
    /// A middlebox that people have; what else is said here is laid over its numbers and choices.
    pub(crate) preset: Opt<Preset>,
    /// The two hosts between which it stands: between all if nothing is said.
    pub(crate) between: Option<Spanned<Vec<Spanned<Scalar<String>>>>>,
    /// How long it keeps the state of an idle connection: for ever if nothing is said.
    pub(crate) idle: Option<Spanned<ShortOr<Duration, IdleByState>>>,
    /// What it does when it forgets an idle connection.
    pub(crate) on_expiry: Opt<OnExpiry>,
    /// What happens to a segment, other than a SYN, of a connection that it has no state of: `drop` if nothing is said.
    pub(crate) strays: Opt<Strays>,
    /// What happens to a segment that can not belong to its connection: `pass` if nothing is said.
    pub(crate) invalid: Opt<Invalid>,
    /// The most that the MSS option of a SYN may say.
    pub(crate) mss_clamp: Opt<Size>,
    /// Whether it lets no new connection pass.
    pub(crate) blocks_new: Opt<Switch>,
}

/// How long a connection may be idle, by what the box has seen of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct IdleByState {
    /// After a SYN.
    pub(crate) syn_sent: Opt<OrNever>,
    /// After the SYN+ACK.
    pub(crate) syn_received: Opt<OrNever>,
    /// After the handshake.
    pub(crate) established: Opt<OrNever>,
    /// After the first FIN: short for `fin-wait` and `close-wait`.
    pub(crate) half_closed: Opt<OrNever>,
    /// After the first FIN.
    pub(crate) fin_wait: Opt<OrNever>,
    /// After an ACK that follows the first FIN.
    pub(crate) close_wait: Opt<OrNever>,
    /// After the second FIN.
    pub(crate) last_ack: Opt<OrNever>,
    /// After an ACK that follows the second FIN.
    pub(crate) time_wait: Opt<OrNever>,
    /// After a RST.
    pub(crate) closed: Opt<OrNever>,
    /// No longer than this while something is not acknowledged.
    pub(crate) unacknowledged: Opt<OrNever>,
}
