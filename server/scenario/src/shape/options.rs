//! Options of sockets, which programs set.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::hosts::or_off;
use super::{DurationOrOff, Keepalive, Opt, OrOff};
use crate::parse::{Mistake, Parse, Switch, expected};
use crate::quantity::Size;

/// Options of a socket.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Options {
    /// Whether this connection probes an idle peer, and how.
    pub(crate) keepalive: Option<OrOff<Keepalive>>,
    /// Whether small segments are sent at once (TCP_NODELAY).
    pub(crate) nodelay: Opt<Switch>,
    /// Whether segments that are not full wait for more (TCP_CORK).
    pub(crate) cork: Opt<Switch>,
    /// How long data may remain unacknowledged.
    pub(crate) user_timeout: Opt<DurationOrOff>,
    /// How long `close` waits until everything is acknowledged; with `0s` it resets the connection.
    pub(crate) linger: Opt<DurationOrOff>,
    /// The size of the receive buffer, which no longer grows (SO_RCVBUF).
    pub(crate) receive_buffer: Opt<Size>,
    /// The size of the send buffer, which no longer grows (SO_SNDBUF).
    pub(crate) send_buffer: Opt<Size>,
    /// How much may be in the send buffer without being sent (TCP_NOTSENT_LOWAT).
    pub(crate) notsent_lowat: Opt<SizeOrOff>,
    /// The largest segment in both directions (TCP_MAXSEG): beside `connect` and `listen`.
    pub(crate) mss: Opt<Size>,
}

/// A size, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeOrOff(pub(crate) Option<Size>);

impl Parse for SizeOrOff {
    const WHAT: &'static str = "a size such as `16 KiB`, or `off`";

    fn schema() -> Schema {
        or_off(Size::schema())
    }

    fn parse(text: &str) -> Result<SizeOrOff, Mistake> {
        if text == "off" { Ok(SizeOrOff(None)) } else { Size::parse(text).map(Some).map(SizeOrOff) }
    }

    fn boolean(value: bool) -> Result<SizeOrOff, Mistake> {
        if value { Err(expected::<SizeOrOff>("on")) } else { Ok(SizeOrOff(None)) }
    }

    fn number(number: i128) -> Result<SizeOrOff, Mistake> {
        Size::number(number).map(Some).map(SizeOrOff)
    }
}
