//! Segments that no host sent.

use halfopen_tcp::Flags;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::arguments::Payload;
use super::rewrite::NewWindow;
use super::{Opt, OrOff, WindowScaling};
use crate::address::Port;
use crate::de::Spanned;
use crate::forms;
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, offset};
use crate::quantity::Size;
use crate::{Base, FlagsMatch, Number};

/// A segment that no host sent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Forgery {
    /// The host that it appears to come from.
    pub(crate) from: Opt<String>,
    /// The host that it arrives at.
    pub(crate) to: Opt<String>,
    /// The name of its connection at either end: the newest between the two by default.
    pub(crate) on: Opt<String>,
    /// With a SYN of a host without a TCP: the port that a new connection is asked for.
    pub(crate) port: Opt<Port>,
    /// Exactly these control bits.
    pub(crate) flags: Opt<ControlBits>,
    /// Its sequence number: relative to the initial one, or to a variable of the host that it arrives at.
    pub(crate) sequence: Opt<Number>,
    /// Its acknowledgment number, likewise; required with ACK.
    pub(crate) acknowledgment: Opt<Number>,
    /// Its window in bytes, as the receiver interprets it: that of the last segment of `from` by default.
    pub(crate) window: Opt<NewWindow>,
    /// How much data it has, or a text.
    pub(crate) payload: Option<Spanned<Payload>>,
    /// Whether the receiver's application may read the data.
    pub(crate) content: Opt<Unchecked>,
    /// The maximum segment size that it announces.
    pub(crate) mss: Opt<Size>,
    /// The window scale that it offers.
    pub(crate) window_scale: Opt<WindowScaling>,
    /// Whether it has SACK permitted.
    pub(crate) sack_permitted: Opt<Switch>,
    /// Its SACK blocks, each with its left and its right edge: numbers like an acknowledgment number.
    pub(crate) sack: Option<Spanned<Vec<Vec<Scalar<Number>>>>>,
    /// Whether it has the timestamps of the last segment of `from`, or which later or earlier ones.
    pub(crate) timestamps: Option<OrOff<ForgedTimestamps>>,
}

/// Timestamps that are later or, if negative, earlier than the last ones, in ticks.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ForgedTimestamps {
    /// How much later than that of the last segment of `from` the value is.
    pub(crate) value: Opt<i64>,
    /// How much later than the value of the last segment of `to` the echo reply is.
    pub(crate) echo: Opt<i64>,
}

/// `unchecked`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unchecked;

impl Parse for Unchecked {
    const WHAT: &'static str = "`unchecked`, or no `content`";

    fn schema() -> Schema {
        forms::words(["unchecked"])
    }

    fn parse(text: &str) -> Result<Unchecked, Mistake> {
        if text == "unchecked" { Ok(Unchecked) } else { Err(expected::<Unchecked>(text)) }
    }
}

/// A number of ticks.
impl Parse for i64 {
    const WHAT: &'static str = "a whole number such as `-1000`";

    fn schema() -> Schema {
        forms::whole(-i64::from(u32::MAX), u32::MAX.into())
    }

    fn parse(text: &str) -> Result<i64, Mistake> {
        Err(expected::<i64>(text))
    }

    fn number(number: i128) -> Result<i64, Mistake> {
        let ticks = i64::try_from(number).ok().filter(|ticks| ticks.unsigned_abs() <= u32::MAX.into());
        ticks.ok_or_else(|| Mistake::new(format!("{number} is out of range"), "timestamps have 32 bits"))
    }
}

/// Exactly these control bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlBits(pub(crate) Flags);

impl Parse for ControlBits {
    const WHAT: &'static str = "control bits such as `RST` or `PSH+ACK`";

    fn schema() -> Schema {
        let names = Flags::NAMES.map(|(_, name)| name).join("|");
        forms::text(&format!(r"({names})(\s*\+\s*({names}))*"), ["RST", "PSH+ACK"])
    }

    fn parse(text: &str) -> Result<ControlBits, Mistake> {
        match FlagsMatch::parse(text)? {
            FlagsMatch::AtLeast(flags) => Ok(ControlBits(flags)),
            FlagsMatch::Only(_) => Err(expected::<ControlBits>(text)),
        }
    }
}

/// `1025`, `rcv.nxt`, `snd.una - 1`.
impl Parse for Number {
    const WHAT: &'static str = "a number such as `1025` or `rcv.nxt + 100`";

    fn schema() -> Schema {
        let variables = Base::VARIABLES.map(|base| base.name().replace('.', r"\.")).join("|");
        forms::any_of([
            forms::whole(-i64::from(u32::MAX), u32::MAX.into()),
            forms::text(&format!(r"({variables})\s*([+-]\s*[0-9]+)?"), ["rcv.nxt + 100", "snd.una - 1"]),
        ])
    }

    fn parse(text: &str) -> Result<Number, Mistake> {
        let variable = Base::VARIABLES.into_iter().find(|base| text.starts_with(base.name()));
        let base = variable.ok_or_else(|| expected::<Number>(text))?;
        let plus = offset(&text[base.name().len()..]).ok_or_else(|| expected::<Number>(text))?;
        Ok(Number { base, plus })
    }

    fn number(number: i128) -> Result<Number, Mistake> {
        let plus = i64::try_from(number).ok().filter(|plus| plus.unsigned_abs() <= u32::MAX.into());
        plus.map(|plus| Number { base: Base::Initial, plus })
            .ok_or_else(|| Mistake::new(format!("{number} is out of range"), "sequence numbers have 32 bits"))
    }
}
