//! Quantities as the language has them: with ranges, with words beside them, and in pairs.

use std::num::NonZeroU64;
use std::time::Duration;

use halfopen_units::{self as units, ParseError, Reason};
use schemars::{Schema, json_schema};

use crate::forms;
use crate::parse::{Mistake, Parse, expected, not_that};
use crate::wording::short;
use crate::{Amount, Count, Limits, Link, PayloadMatch, Queue, SizeMatch, Window};

/// A duration is as long as a run can be.
impl Parse for Duration {
    const WHAT: &'static str = "a duration such as `20ms` or `2h 12m 30s`";

    fn schema() -> Schema {
        let mut schema = forms::text(&units::duration_pattern(), ["20ms", "1.5s", "2h 12m 30s"]);
        schema.insert("minLength".to_owned(), 2.into());
        schema
    }

    fn parse(text: &str) -> Result<Duration, Mistake> {
        let most = Limits::MAX_VIRTUAL_TIME;
        read::<Duration, _>(
            text,
            units::parse_duration,
            |duration| *duration <= most,
            |text| Mistake::new(format!("`{text}` is too long"), "a run lasts at most 36500d"),
        )
    }

    fn number(number: i128) -> Result<Duration, Mistake> {
        Duration::parse(&number.to_string())
    }
}

/// A size in octets, of at most 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl Parse for Size {
    const WHAT: &'static str = "a size such as `100 B` or `1 KiB`";

    fn schema() -> Schema {
        forms::text(&units::size_pattern(), ["100 B", "1 KiB"])
    }

    fn parse(text: &str) -> Result<Size, Mistake> {
        let most = u64::from(u32::MAX);
        let size = read::<Size, _>(
            text,
            units::parse_size,
            |size| *size <= most,
            |text| Mistake::new(format!("`{text}` is too large"), "it must be less than 4 GiB"),
        );
        size.map(Size)
    }

    fn number(number: i128) -> Result<Size, Mistake> {
        Size::parse(&number.to_string())
    }
}

/// Bits per second; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bandwidth(pub(crate) Option<NonZeroU64>);

impl Parse for Bandwidth {
    const WHAT: &'static str = "a bandwidth such as `10 Mbit/s`, or `unlimited`";

    fn schema() -> Schema {
        let bandwidth = forms::text(&units::bandwidth_pattern(), ["10 Mbit/s"]);
        forms::any_of([forms::words(["unlimited"]), bandwidth])
    }

    fn parse(text: &str) -> Result<Bandwidth, Mistake> {
        if text == "unlimited" {
            return Ok(Bandwidth(None));
        }
        let [least, most] = Link::BANDWIDTHS;
        let in_range = |bits: &u64| (least..=most).contains(bits);
        let bits = read::<Bandwidth, _>(text, units::parse_bandwidth, in_range, |text| {
            Mistake::new(format!("`{text}` is out of range"), "it is from 1 kbit/s to 1000 Gbit/s")
        });
        bits.map(|bits| Bandwidth(NonZeroU64::new(bits)))
    }

    fn number(number: i128) -> Result<Bandwidth, Mistake> {
        Bandwidth::parse(&number.to_string())
    }
}

/// A quantity that the language has a range for.
fn read<T: Parse, V>(
    text: &str,
    parse: fn(&str) -> Result<V, ParseError>,
    in_range: impl FnOnce(&V) -> bool,
    out_of_range: impl FnOnce(&str) -> Mistake,
) -> Result<V, Mistake> {
    match parse(text) {
        Ok(value) if in_range(&value) => Ok(value),
        Ok(_) => Err(out_of_range(&short(text))),
        Err(error) => Err(match error.reason() {
            Reason::TooLarge => out_of_range(&short(text)),
            Reason::NotAQuantity => expected::<T>(text),
            _ => Mistake::new(error.to_string(), error.help()),
        }),
    }
}

/// `64 KiB` or `100 segments`.
impl Parse for Queue {
    const WHAT: &'static str = "a size such as `64 KiB` or `100 segments`";

    fn schema() -> Schema {
        forms::any_of([Size::schema(), forms::text(r"[0-9]+\s*segments?", ["100 segments"])])
    }

    fn parse(text: &str) -> Result<Queue, Mistake> {
        let segments = text.strip_suffix("segments").or_else(|| text.strip_suffix("segment"));
        if let Some(number) = segments.and_then(|number| number.trim_end().parse::<u32>().ok()) {
            return Ok(Queue::Segments(number.into()));
        }
        match text.starts_with(|c: char| c.is_ascii_digit()) && segments.is_none() {
            true => Size::parse(text).map(|Size(octets)| Queue::Octets(octets)),
            false => Err(expected::<Queue>(text)),
        }
    }

    fn number(number: i128) -> Result<Queue, Mistake> {
        let mistake = not_that(Queue::WHAT, &format!("the number {number} without a unit"));
        let help = format!("say which unit: `{number} segments`, `{number} KiB`");
        Err(Mistake::new(mistake.message, help))
    }
}

/// How much is lost by chance, in millionths; `None` is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LossRate(pub(crate) Option<u32>);

impl Parse for LossRate {
    const WHAT: &'static str = "a percentage such as `1%`, or `off`";

    fn schema() -> Schema {
        forms::any_of([forms::words(["off"]), json_schema!({"const": false}), Probability::schema()])
    }

    fn parse(text: &str) -> Result<LossRate, Mistake> {
        match text {
            "off" => Ok(LossRate(None)),
            _ => Probability::parse(text).map(|Probability(millionths)| LossRate(Some(millionths))),
        }
    }

    fn boolean(value: bool) -> Result<LossRate, Mistake> {
        if value { Err(expected::<LossRate>("on")) } else { Ok(LossRate(None)) }
    }

    fn number(number: i128) -> Result<LossRate, Mistake> {
        LossRate::parse(&number.to_string())
    }
}

/// A whole number that counts something.
impl Parse for u32 {
    const WHAT: &'static str = "a whole number such as `10`";

    fn schema() -> Schema {
        forms::whole(0, u32::MAX.into())
    }

    fn parse(text: &str) -> Result<u32, Mistake> {
        let mut mistake = expected::<u32>(text);
        if text.parse::<u32>().is_ok() {
            mistake.help = "write it without quotes".to_owned();
        }
        Err(mistake)
    }

    fn number(number: i128) -> Result<u32, Mistake> {
        u32::try_from(number).map_err(|_| {
            Mistake::new(format!("{number} is out of range"), "it is a whole number from 0 to 4294967295")
        })
    }
}

/// `10%`, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probability(pub(crate) u32);

impl Parse for Probability {
    const WHAT: &'static str = "a percentage such as `10%`";

    fn schema() -> Schema {
        forms::text(&units::percentage_pattern(), ["10%", "2.5%"])
    }

    fn parse(text: &str) -> Result<Probability, Mistake> {
        if let Ok(share) = text.parse::<f64>() {
            return Err(Probability::without_percent(text, share));
        }
        let in_range = |millionths: &u32| (1..=1_000_000).contains(millionths);
        let millionths = read::<Probability, _>(text, units::parse_percentage, in_range, |text| {
            Mistake::new(format!("`{text}` is not a probability"), "it is more than 0% and at most 100%")
        });
        millionths.map(Probability)
    }

    fn number(number: i128) -> Result<Probability, Mistake> {
        Probability::parse(&number.to_string())
    }
}

impl Probability {
    fn without_percent(text: &str, share: f64) -> Mistake {
        let mut mistake = expected::<Probability>(text);
        mistake.help = if share > 0.0 && share < 1.0 {
            let percent = (share * 1e6).round() / 1e4;
            format!("write a percentage: `{percent}%` if 1 means all, otherwise `{text}%`")
        } else {
            format!("write a percentage: `{text}%`")
        };
        mistake
    }
}

/// `7950s`, `7950s ± 1s`, `within 90s` or `under 3h`.
impl Parse for Window {
    const WHAT: &'static str = "a time such as `7950s`, `7950s ± 1s`, `within 90s` or `under 3h`";

    fn schema() -> Schema {
        let time = units::duration_pattern();
        let pattern = format!(r"{time}((±|\+-)\s*{time})?|(within|under)\s+{time}");
        forms::text(&pattern, ["7950s", "7950s ± 1s", "within 90s", "under 3h"])
    }

    fn parse(text: &str) -> Result<Window, Mistake> {
        if let Some(most) = text.strip_prefix("within ") {
            return Ok(Window { from: Duration::ZERO, to: Duration::parse(most.trim())? });
        }
        if let Some(more) = text.strip_prefix("under ") {
            // The clock counts nanoseconds.
            let to = Duration::parse(more.trim())?.saturating_sub(Duration::from_nanos(1));
            return Ok(Window { from: Duration::ZERO, to });
        }
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Err(expected::<Window>(text));
        }
        let (middle, margin) = match text.split_once('±').or_else(|| text.split_once("+-")) {
            Some((middle, margin)) => (Duration::parse(middle.trim())?, Duration::parse(margin.trim())?),
            None => (Duration::parse(text)?, Duration::ZERO),
        };
        Ok(Window { from: middle.saturating_sub(margin), to: middle + margin })
    }

    fn number(number: i128) -> Result<Window, Mistake> {
        Duration::number(number).map(|time| Window { from: time, to: time })
    }
}

impl Parse for Count {
    const WHAT: &'static str = "a count such as `2`, `at least 2` or `at most 2`";

    fn schema() -> Schema {
        forms::any_of([
            forms::whole(0, i64::MAX),
            forms::text(r"at (least|most)\s+[0-9]+", ["at least 2", "at most 2"]),
        ])
    }

    fn parse(text: &str) -> Result<Count, Mistake> {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let count = if let Some(rest) = text.strip_prefix("at least ") {
            number(rest).map(Count::AtLeast)
        } else if let Some(rest) = text.strip_prefix("at most ") {
            number(rest).map(Count::AtMost)
        } else {
            None
        };
        count.ok_or_else(|| expected::<Count>(text))
    }

    fn number(number: i128) -> Result<Count, Mistake> {
        u64::try_from(number)
            .map(Count::Exactly)
            .map_err(|_| Mistake::new(format!("{number} is not a count"), "it cannot be negative"))
    }
}

/// A size that is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeCount(pub(crate) Count);

impl Parse for SizeCount {
    const WHAT: &'static str = "a size such as `100 B`, `at least 100 B` or `at most 100 B`";

    fn schema() -> Schema {
        let pattern = format!(r"(at (least|most)\s+)?({})", units::size_pattern());
        forms::text(&pattern, ["100 B", "at least 100 B", "at most 1 KiB"])
    }

    fn parse(text: &str) -> Result<SizeCount, Mistake> {
        let size = |text: &str| Size::parse(text.trim()).map(|Size(octets)| octets);
        let count = if let Some(rest) = text.strip_prefix("at least ") {
            size(rest).map(Count::AtLeast)
        } else if let Some(rest) = text.strip_prefix("at most ") {
            size(rest).map(Count::AtMost)
        } else {
            size(text).map(Count::Exactly)
        };
        count.map(SizeCount)
    }

    fn number(number: i128) -> Result<SizeCount, Mistake> {
        Size::number(number).map(|Size(octets)| SizeCount(Count::Exactly(octets)))
    }
}

impl Parse for PayloadMatch {
    const WHAT: &'static str = "`none`, `any` or a size such as `100 B` or `larger than 100 B`";

    fn schema() -> Schema {
        forms::any_of([forms::words(["none", "any"]), SizeMatch::schema()])
    }

    fn parse(text: &str) -> Result<PayloadMatch, Mistake> {
        match text {
            "none" => Ok(PayloadMatch::None),
            "any" => Ok(PayloadMatch::Any),
            _ if text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(" than ") => {
                SizeMatch::parse(text).map(PayloadMatch::Octets)
            }
            _ => Err(expected::<PayloadMatch>(text)),
        }
    }

    fn number(number: i128) -> Result<PayloadMatch, Mistake> {
        SizeMatch::number(number).map(PayloadMatch::Octets)
    }
}

impl Parse for SizeMatch {
    const WHAT: &'static str = "a size such as `40 B`, `larger than 1480 B` or `smaller than 100 B`";

    fn schema() -> Schema {
        let pattern = format!(r"((larg|small)er than\s+)?{}", units::size_pattern());
        forms::text(&pattern, ["40 B", "larger than 1480 B"])
    }

    fn parse(text: &str) -> Result<SizeMatch, Mistake> {
        let octets = |text: &str| Size::parse(text.trim()).map(|Size(octets)| octets);
        if let Some(than) = text.strip_prefix("larger than ") {
            return octets(than).map(SizeMatch::Larger);
        }
        if let Some(than) = text.strip_prefix("smaller than ") {
            return octets(than).map(SizeMatch::Smaller);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            octets(text).map(SizeMatch::Exactly)
        } else {
            Err(expected::<SizeMatch>(text))
        }
    }

    fn number(number: i128) -> Result<SizeMatch, Mistake> {
        Size::number(number).map(|Size(octets)| SizeMatch::Exactly(octets))
    }
}

impl Parse for Amount {
    const WHAT: &'static str = "a size such as `1 KiB`, or `end`";

    fn schema() -> Schema {
        forms::any_of([forms::words(["end"]), Size::schema()])
    }

    fn parse(text: &str) -> Result<Amount, Mistake> {
        match text {
            "end" => Ok(Amount::End),
            _ if text.starts_with(|c: char| c.is_ascii_digit()) => {
                Size::parse(text).map(|size| Amount::Octets(size.0))
            }
            _ => Err(expected::<Amount>(text)),
        }
    }

    fn number(number: i128) -> Result<Amount, Mistake> {
        Size::number(number).map(|size| Amount::Octets(size.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_long_as_a_run_can_be() {
        assert_eq!(Duration::parse("36500d"), Ok(Limits::MAX_VIRTUAL_TIME));
        for (text, help) in [
            ("36501d", "at most 36500d"),
            ("99999999999999999999s", "at most 36500d"),
            ("75", "say which unit"),
            ("1.5ns", "1ns"),
            ("-3s", "negative"),
        ] {
            let mistake = Duration::parse(text).expect_err(text);
            assert!(mistake.help.contains(help), "{text}: {mistake:?}");
        }
    }

    #[test]
    fn bandwidths_and_queues() {
        let bits = |bits| Ok(Bandwidth(NonZeroU64::new(bits)));
        assert_eq!(Bandwidth::parse("10 Mbit/s"), bits(10_000_000));
        assert_eq!(Bandwidth::parse("1.5 Mbit/s"), bits(1_500_000));
        assert_eq!(Bandwidth::parse("1000 Gbit/s"), bits(1_000_000_000_000));
        assert_eq!(Bandwidth::parse("unlimited"), Ok(Bandwidth(None)));
        for (text, help) in [
            ("10", "say which unit"),
            ("999 bit/s", "from 1 kbit/s"),
            ("0 Mbit/s", "from 1 kbit/s"),
            ("1001 Gbit/s", "to 1000 Gbit/s"),
            ("fast", "for example"),
        ] {
            let mistake = Bandwidth::parse(text).expect_err(text);
            assert!(mistake.help.contains(help), "{text}: {mistake:?}");
        }
        assert_eq!(Queue::parse("100 segments"), Ok(Queue::Segments(100)));
        assert_eq!(Queue::parse("1 segment"), Ok(Queue::Segments(1)));
        assert_eq!(Queue::parse("64 KiB"), Ok(Queue::Octets(65536)));
        for wrong in ["100", "long", "100 packets", "-1 segments", "1 segment 2"] {
            assert!(Queue::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(LossRate::parse("2.5%"), Ok(LossRate(Some(25_000))));
        assert_eq!(LossRate::parse("off"), Ok(LossRate(None)));
        assert!(LossRate::parse("0%").is_err() && LossRate::parse("1").is_err());
    }

    #[test]
    fn sizes_counts_percentages_and_windows() {
        assert_eq!(Size::parse("1 KiB"), Ok(Size(1024)));
        assert!(Size::parse("4 GiB").expect_err("too large").help.contains("less than 4 GiB"));
        assert_eq!(Count::parse("at least 2"), Ok(Count::AtLeast(2)));
        assert_eq!(Count::number(2), Ok(Count::Exactly(2)));
        assert!(Count::parse("2 or so").is_err());
        assert_eq!(Probability::parse("10%"), Ok(Probability(100_000)));
        assert_eq!(Probability::parse("0.0001%"), Ok(Probability(1)));
        for wrong in ["0%", "101%", "0.00001%", "-1%", "%", "0.1"] {
            assert!(Probability::parse(wrong).is_err(), "{wrong}");
        }
        let second = Duration::from_secs;
        assert_eq!(Window::parse("7950s ± 1s"), Ok(Window { from: second(7949), to: second(7951) }));
        assert_eq!(Window::parse("5s +- 9s"), Ok(Window { from: second(0), to: second(14) }));
        assert_eq!(Window::parse("within 90s"), Ok(Window { from: second(0), to: second(90) }));
        let under = second(3) - Duration::from_nanos(1);
        assert_eq!(Window::parse("under 3s"), Ok(Window { from: second(0), to: under }));
        assert!(Window::parse("below 3s").is_err() && Window::parse("within 3").is_err());
        assert_eq!(Window::parse("5s"), Ok(Window { from: second(5), to: second(5) }));
    }
}
