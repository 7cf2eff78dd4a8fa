//! Middleboxes.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Opt, OrNever, ShortOr};
use crate::de::Spanned;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::{Invalid, OnExpiry, OnFull, OnReuse, Preset, SequenceNumbers, Strays};

/// A middlebox: it keeps state of the connections that pass it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Middlebox {
    /// A real middlebox. The other keys override its settings.
    pub(crate) preset: Opt<Preset>,
    /// The two hosts that it stands between: all by default.
    pub(crate) between: Option<Spanned<Vec<Spanned<Scalar<String>>>>>,
    /// The hosts behind it: it stands between each of them and all others.
    pub(crate) behind: Option<Spanned<Vec<Spanned<Scalar<String>>>>>,
    /// The sender of the segments that pass it, if it is on their way in one direction only.
    pub(crate) from: Opt<String>,
    /// The receiver of these segments.
    pub(crate) to: Opt<String>,
    /// How long it keeps the state of an idle connection: forever by default.
    pub(crate) idle: Option<Spanned<ShortOr<Duration, IdleByState>>>,
    /// What it does when it forgets an idle connection.
    pub(crate) on_expiry: Opt<OnExpiry>,
    /// What happens to a segment, other than a SYN, of a connection that it has no state of: `drop` by default.
    pub(crate) strays: Opt<Strays>,
    /// What happens to a segment that cannot belong to its connection: `pass` by default.
    pub(crate) invalid: Opt<Invalid>,
    /// The largest MSS option that a SYN may have.
    pub(crate) mss_clamp: Opt<Size>,
    /// The address that the hosts behind it share.
    pub(crate) translates: Option<Spanned<Translates>>,
    /// Whether it blocks new connections.
    pub(crate) blocks_new: Opt<Switch>,
    /// What it does with sequence numbers: `kept` by default.
    pub(crate) sequence_numbers: Opt<SequenceNumbers>,
    /// The most connections that it can keep state of: any number by default.
    pub(crate) max_connections: Opt<u32>,
    /// What happens to a segment that would create the state of one more: `drop` by default.
    pub(crate) on_full: Opt<OnFull>,
    /// What happens to a SYN that uses the addresses and ports of a connection in TIME-WAIT again: `pass` by default.
    pub(crate) on_reuse: Opt<OnReuse>,
}

/// The address that the hosts behind a middlebox share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Translates {
    #[schemars(required)]
    /// The address.
    pub(crate) to: Opt<IpAddr>,
    /// How many of its ports, from 1024 on, are used: all by default.
    pub(crate) ports: Opt<u32>,
}

/// How long a connection may be idle, by what the middlebox has seen of it.
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
    /// The longest such time while something is unacknowledged.
    pub(crate) unacknowledged: Opt<OrNever>,
}
