//! What a rewrite says.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::hosts::or_off;
use super::{ControlBits, Opt, WindowScaling};
use crate::Renumber;
use crate::forms;
use crate::parse::{Mistake, Parse, expected, offset};
use crate::quantity::Size;

/// The fields that are rewritten.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct NewFields {
    /// Its sequence number: a relative one, or its own plus or minus an offset.
    pub(crate) sequence: Opt<Own<false>>,
    /// Its acknowledgment number: a relative one, or its own plus or minus an offset.
    pub(crate) acknowledgment: Opt<Own<true>>,
    /// Exactly these control bits.
    pub(crate) flags: Opt<ControlBits>,
    /// Its window in bytes, as the peer interprets it.
    pub(crate) window: Opt<NewWindow>,
    /// Its urgent pointer and URG, or neither.
    pub(crate) urgent: Opt<UrgentOrOff>,
    /// The maximum segment size that it announces, if it does.
    pub(crate) mss: Opt<SizeOrOff>,
    /// The window scale that it offers, if it does.
    pub(crate) window_scale: Opt<WindowScaling>,
    /// SACK permitted is removed.
    pub(crate) sack_permitted: Opt<Off>,
    /// SACK blocks are removed.
    pub(crate) sack: Opt<Off>,
    /// Timestamps are removed.
    pub(crate) timestamps: Opt<Off>,
    /// `CE`: its datagram is marked as one that met congestion, if its sender uses ECN.
    pub(crate) ecn: Opt<Marked>,
}

/// A number, or the segment's own with something added: its sequence number, or its acknowledgment number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<const ACK: bool>(pub(crate) Renumber);

impl<const ACK: bool> Parse for Own<ACK> {
    const WHAT: &'static str = if ACK {
        "a number such as `1025` or `seg.ack + 100`"
    } else {
        "a number such as `1025` or `seg.seq + 100`"
    };

    fn schema() -> Schema {
        let own = if ACK { ("seg\\.ack", "seg.ack + 100") } else { ("seg\\.seq", "seg.seq + 100") };
        forms::any_of([
            forms::whole(-i64::from(u32::MAX), u32::MAX.into()),
            forms::text(&format!(r"{}\s*([+-]\s*[0-9]+)?", own.0), [own.1]),
        ])
    }

    fn parse(text: &str) -> Result<Own<ACK>, Mistake> {
        let by = text.strip_prefix(if ACK { "seg.ack" } else { "seg.seq" }).and_then(offset);
        by.map(Renumber::By).map(Own).ok_or_else(|| expected::<Own<ACK>>(text))
    }

    fn number(number: i128) -> Result<Own<ACK>, Mistake> {
        crate::Number::number(number).map(|number| Own(Renumber::To(number.plus)))
    }
}

/// A window in octets. Zero needs no unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewWindow(pub(crate) u32);

impl Parse for NewWindow {
    const WHAT: &'static str = "a window such as `0` or `10 KiB`";

    fn schema() -> Schema {
        forms::any_of([forms::whole(0, 0), Size::schema()])
    }

    fn parse(text: &str) -> Result<NewWindow, Mistake> {
        // A size has at most 32 bits.
        Size::parse(text).map(|Size(octets)| NewWindow(u32::try_from(octets).unwrap_or(u32::MAX)))
    }

    fn number(number: i128) -> Result<NewWindow, Mistake> {
        if number == 0 { Ok(NewWindow(0)) } else { Size::number(number).map(|_| NewWindow(0)) }
    }
}

/// An urgent pointer, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UrgentOrOff(pub(crate) Option<u16>);

impl Parse for UrgentOrOff {
    const WHAT: &'static str = "an urgent pointer from 0 to 65535, or `off`";

    fn schema() -> Schema {
        or_off(forms::whole(0, u16::MAX.into()))
    }

    fn parse(text: &str) -> Result<UrgentOrOff, Mistake> {
        if text == "off" { Ok(UrgentOrOff(None)) } else { Err(expected::<UrgentOrOff>(text)) }
    }

    fn boolean(value: bool) -> Result<UrgentOrOff, Mistake> {
        if value { Err(expected::<UrgentOrOff>("on")) } else { Ok(UrgentOrOff(None)) }
    }

    fn number(number: i128) -> Result<UrgentOrOff, Mistake> {
        let pointer = u16::try_from(number).map_err(|_| expected::<UrgentOrOff>(&number.to_string()))?;
        Ok(UrgentOrOff(Some(pointer)))
    }
}

/// A size that fits 16 bits, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeOrOff(pub(crate) Option<u16>);

impl Parse for SizeOrOff {
    const WHAT: &'static str = "a size such as `1200 B`, or `off`";

    fn schema() -> Schema {
        or_off(Size::schema())
    }

    fn parse(text: &str) -> Result<SizeOrOff, Mistake> {
        if text == "off" {
            return Ok(SizeOrOff(None));
        }
        let Size(octets) = Size::parse(text)?;
        let size = u16::try_from(octets);
        size.map(Some)
            .map(SizeOrOff)
            .map_err(|_| Mistake::new(format!("{octets} B is out of range"), "the option has 16 bits"))
    }

    fn boolean(value: bool) -> Result<SizeOrOff, Mistake> {
        if value { Err(expected::<SizeOrOff>("on")) } else { Ok(SizeOrOff(None)) }
    }

    fn number(number: i128) -> Result<SizeOrOff, Mistake> {
        Size::number(number).map(|_| SizeOrOff(None))
    }
}

/// `off`: a rewrite removes options and adds none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Off;

impl Parse for Off {
    const WHAT: &'static str = "`off`, because a rewrite adds no options";

    fn schema() -> Schema {
        schemars::json_schema!({"enum": ["off", false]})
    }

    fn parse(text: &str) -> Result<Off, Mistake> {
        if text == "off" { Ok(Off) } else { Err(Off::other(text)) }
    }

    fn boolean(value: bool) -> Result<Off, Mistake> {
        if value { Err(Off::other("on")) } else { Ok(Off) }
    }
}

/// `CE`: the only mark that a router makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marked;

impl Parse for Marked {
    const WHAT: &'static str = "`CE`";

    fn schema() -> Schema {
        forms::words(["CE"])
    }

    fn parse(text: &str) -> Result<Marked, Mistake> {
        if text == "CE" { Ok(Marked) } else { Err(expected::<Marked>(text)) }
    }
}

impl Off {
    fn other(text: &str) -> Mistake {
        let message = format!("expected `off`, found `{}`", crate::wording::short(text));
        Mistake::new(message, "a rewrite removes options and adds none")
    }
}
