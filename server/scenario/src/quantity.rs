//! Quantities with their units. All are whole numbers inside; a time is never a float.

use std::num::NonZeroU64;
use std::time::Duration;

use schemars::{Schema, json_schema};

use crate::parse::{Mistake, Parse, expected, not_that};
use crate::schema;
use crate::words::{short, suggest};
use crate::{Amount, Count, Limits, Link, PayloadMatch, Queue, SizeMatch, Window};

/// Units of time with their nanoseconds, in the order in which they are written.
const TIME_UNITS: [(&str, u64); 8] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// Units of size with their octets.
const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

impl Parse for Duration {
    const WHAT: &'static str = "a duration such as `20ms` or `2h 12m 30s`";

    fn schema() -> Schema {
        let mut schema = schema::text(&time_pattern(), ["20ms", "2h 12m 30s"]);
        schema.insert("minLength".to_owned(), 2.into());
        schema
    }

    fn parse(text: &str) -> Result<Duration, Mistake> {
        let mut nanos: u64 = 0;
        let mut last = None;
        let mut rest = text;
        if text.is_empty() {
            return Err(expected::<Duration>(text));
        }
        while !rest.is_empty() {
            let (number, unit, after) = number_and_unit(rest).ok_or_else(|| no_number::<Duration>(text))?;
            let Some(place) = TIME_UNITS.iter().position(|(name, _)| *name == unit) else {
                return Err(unit_mistake::<Duration>(text, number, unit, "ms, s, m, h or d"));
            };
            if last.is_some_and(|last| last >= place) {
                return Err(Mistake::new(
                    format!("the units of `{}` are not in order", short(text)),
                    "write the largest first and each once: 2h 12m 30s",
                ));
            }
            last = Some(place);
            let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(TIME_UNITS[place].1));
            let most = Limits::MAX_VIRTUAL_TIME;
            nanos = part
                .and_then(|part| nanos.checked_add(part))
                .filter(|nanos| Duration::from_nanos(*nanos) <= most)
                .ok_or_else(|| {
                    Mistake::new(format!("`{}` is too long", short(text)), "a run lasts at most 36500d")
                })?;
            rest = after;
        }
        Ok(Duration::from_nanos(nanos))
    }

    fn number(number: i128) -> Result<Duration, Mistake> {
        Err(no_unit::<Duration>(&number.to_string(), &["ms", "s", "m"]))
    }
}

/// What an editor is told of times: the units in their order, any of which may be missing.
fn time_pattern() -> String {
    TIME_UNITS.iter().map(|(unit, _)| format!(r"([0-9]+\s*{unit}\s*)?")).collect()
}

/// So many octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl Parse for Size {
    const WHAT: &'static str = "a size such as `100 B` or `1 KiB`";

    fn schema() -> Schema {
        let units: Vec<&str> = SIZE_UNITS.iter().map(|(unit, _)| *unit).collect();
        schema::text(&format!(r"[0-9]+\s*({})", units.join("|")), ["100 B", "1 KiB"])
    }

    fn parse(text: &str) -> Result<Size, Mistake> {
        let (number, unit, rest) = number_and_unit(text).ok_or_else(|| no_number::<Size>(text))?;
        let Some((_, octets)) = SIZE_UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(unit_mistake::<Size>(text, number, unit, "B, KiB, MiB, GiB, kB, MB or GB"));
        };
        if !rest.is_empty() {
            return Err(expected::<Size>(text));
        }
        let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*octets));
        size.filter(|size| *size <= u64::from(u32::MAX)).map(Size).ok_or_else(|| {
            Mistake::new(format!("`{}` is too large", short(text)), "the most is 4 GiB less one")
        })
    }

    fn number(number: i128) -> Result<Size, Mistake> {
        Err(no_unit::<Size>(&number.to_string(), &["B", "KiB", "MiB"]))
    }
}

/// Units of bandwidth with their bits a second.
const BANDWIDTH_UNITS: [(&str, u64); 4] =
    [("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000)];

/// Bits a second; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bandwidth(pub(crate) Option<NonZeroU64>);

impl Parse for Bandwidth {
    const WHAT: &'static str = "a bandwidth such as `10 Mbit/s`, or `unlimited`";

    fn schema() -> Schema {
        let units = BANDWIDTH_UNITS.map(|(unit, _)| unit).join("|");
        schema::any_of([
            schema::words(["unlimited"]),
            schema::text(&format!(r"[0-9]+\s*({units})"), ["10 Mbit/s"]),
        ])
    }

    fn parse(text: &str) -> Result<Bandwidth, Mistake> {
        if text == "unlimited" {
            return Ok(Bandwidth(None));
        }
        let (number, unit, rest) = number_and_unit(text).ok_or_else(|| no_number::<Bandwidth>(text))?;
        let Some((_, bits)) = BANDWIDTH_UNITS.iter().find(|(name, _)| *name == unit) else {
            let units = "kbit/s, Mbit/s or Gbit/s";
            return Err(unit_mistake::<Bandwidth>(text, number, unit, units));
        };
        if !rest.is_empty() {
            return Err(expected::<Bandwidth>(text));
        }
        let [least, most] = Link::BANDWIDTHS;
        let bandwidth = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*bits));
        let bandwidth = bandwidth.filter(|bandwidth| (least..=most).contains(bandwidth));
        bandwidth.and_then(NonZeroU64::new).map(|bandwidth| Bandwidth(Some(bandwidth))).ok_or_else(|| {
            Mistake::new(format!("`{}` is out of range", short(text)), "it is from 1 kbit/s to 1000 Gbit/s")
        })
    }

    fn number(number: i128) -> Result<Bandwidth, Mistake> {
        Err(no_unit::<Bandwidth>(&number.to_string(), &["kbit/s", "Mbit/s", "Gbit/s"]))
    }
}

/// `64 KiB` or `100 segments`.
impl Parse for Queue {
    const WHAT: &'static str = "a size such as `64 KiB` or `100 segments`";

    fn schema() -> Schema {
        schema::any_of([Size::schema(), schema::text(r"[0-9]+\s*segments?", ["100 segments"])])
    }

    fn parse(text: &str) -> Result<Queue, Mistake> {
        match number_and_unit(text) {
            Some((number, "segments" | "segment", "")) => {
                let count = number.parse::<u32>().map_err(|_| expected::<Queue>(text))?;
                Ok(Queue::Segments(count.into()))
            }
            Some(_) => Size::parse(text).map(|Size(octets)| Queue::Octets(octets)),
            None => Err(no_number::<Queue>(text)),
        }
    }

    fn number(number: i128) -> Result<Queue, Mistake> {
        Err(no_unit::<Queue>(&number.to_string(), &["segments", "KiB"]))
    }
}

/// How much is lost by chance, in millionths; `None` is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LossRate(pub(crate) Option<u32>);

impl Parse for LossRate {
    const WHAT: &'static str = "a percentage such as `1%`, or `off`";

    fn schema() -> Schema {
        schema::any_of([schema::words(["off"]), json_schema!({"const": false}), Probability::schema()])
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

/// The first number of a text, the unit after it, and what comes then.
fn number_and_unit(text: &str) -> Option<(&str, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits == 0 {
        return None;
    }
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    Some((number, unit, rest.trim_start()))
}

fn no_number<T: Parse>(text: &str) -> Mistake {
    let mut mistake = expected::<T>(text);
    if text.starts_with('-') {
        mistake.help = "it can not be negative".to_owned();
    }
    mistake
}

fn no_unit<T: Parse>(number: &str, units: &[&str]) -> Mistake {
    let forms: Vec<String> = units.iter().map(|unit| format!("`{number} {unit}`")).collect();
    Mistake::new(
        not_that(T::WHAT, &format!("the number {number} without a unit")).message,
        format!("say which unit: {}", forms.join(", ")),
    )
}

fn unit_mistake<T: Parse>(text: &str, number: &str, unit: &str, units: &'static str) -> Mistake {
    if unit.is_empty() {
        return no_unit::<T>(
            number,
            &units.split([',', ' ']).filter(|u| !u.is_empty() && *u != "or").take(3).collect::<Vec<_>>(),
        );
    }
    if unit.starts_with('.') {
        return Mistake::new(
            format!("`{}` has a fraction", short(text)),
            "use whole numbers of a smaller unit: 1s 500ms, 1536 B",
        );
    }
    let names = units.split([',', ' ']).filter(|unit| !unit.is_empty() && *unit != "or");
    let meant = match unit {
        "min" | "mins" | "minutes" | "minute" => Some("did you mean `m`?".to_owned()),
        "sec" | "secs" | "seconds" | "second" => Some("did you mean `s`?".to_owned()),
        "msec" | "millis" => Some("did you mean `ms`?".to_owned()),
        "bytes" | "byte" | "octets" | "b" => Some("did you mean `B`?".to_owned()),
        "K" | "k" | "KB" | "Kb" | "kb" => Some("did you mean `KiB` (1024) or `kB` (1000)?".to_owned()),
        "Mbps" | "mbps" | "Mbit" | "mbit" | "Mb/s" | "MB/s" => Some("did you mean `Mbit/s`?".to_owned()),
        "Gbps" | "gbps" | "Gbit" | "gbit" | "Gb/s" => Some("did you mean `Gbit/s`?".to_owned()),
        "kbps" | "Kbps" | "kbit" | "kb/s" => Some("did you mean `kbit/s`?".to_owned()),
        "M" | "mb" | "Mb" => Some("did you mean `MiB` (1024²) or `MB` (1000²)?".to_owned()),
        _ => suggest(unit, names),
    };
    Mistake::new(
        format!("`{}` has an unknown unit `{}`", short(text), short(unit)),
        meant.unwrap_or_else(|| format!("the units are {units}")),
    )
}

/// A whole number that counts something.
impl Parse for u32 {
    const WHAT: &'static str = "a whole number such as `10`";

    fn schema() -> Schema {
        schema::whole(0, u32::MAX.into())
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
        schema::text(r"[0-9]+(\.[0-9]{1,4})?\s*%", ["10%", "2.5%"])
    }

    fn parse(text: &str) -> Result<Probability, Mistake> {
        let Some(number) = text.strip_suffix('%').map(str::trim_end) else {
            let mut mistake = expected::<Probability>(text);
            match text.parse::<f64>() {
                Ok(share) if share > 0.0 && share < 1.0 => {
                    mistake.help = format!(
                        "say percent: `{}%` if 1 is all, otherwise `{text}%`",
                        (share * 1e6).round() / 1e4
                    );
                }
                Ok(_) => mistake.help = format!("say percent: `{text}%`"),
                Err(_) => {}
            }
            return Err(mistake);
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 {
            return Err(expected::<Probability>(text));
        }
        // A millionth is 0.0001 %.
        let millionths = whole.parse::<u32>().ok().and_then(|whole| {
            let fraction = format!("{fraction:0<4}").parse::<u32>().ok()?;
            whole.checked_mul(10_000)?.checked_add(fraction)
        });
        millionths.filter(|millionths| (1..=1_000_000).contains(millionths)).map(Probability).ok_or_else(
            || {
                Mistake::new(
                    format!("`{}` is no probability", short(text)),
                    "it is more than 0% and at most 100%",
                )
            },
        )
    }

    fn number(number: i128) -> Result<Probability, Mistake> {
        Probability::parse(&number.to_string())
    }
}

/// `7950s`, `7950s ± 1s`, `within 90s` or `under 3h`.
impl Parse for Window {
    const WHAT: &'static str = "a time such as `7950s`, `7950s ± 1s`, `within 90s` or `under 3h`";

    fn schema() -> Schema {
        let time = time_pattern();
        let pattern = format!(r"{time}((±|\+-)\s*{time})?|(within|under)\s+{time}");
        schema::text(&pattern, ["7950s", "7950s ± 1s", "within 90s", "under 3h"])
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
        let (middle, margin) = match text.split_once('±').or_else(|| text.split_once("+-")) {
            Some((middle, margin)) => (Duration::parse(middle.trim())?, Duration::parse(margin.trim())?),
            None => (Duration::parse(text)?, Duration::ZERO),
        };
        Ok(Window { from: middle.saturating_sub(margin), to: middle + margin })
    }

    fn number(number: i128) -> Result<Window, Mistake> {
        Err(no_unit::<Window>(&number.to_string(), &["ms", "s", "m"]))
    }
}

impl Parse for Count {
    const WHAT: &'static str = "a count such as `2`, `at least 2` or `at most 2`";

    fn schema() -> Schema {
        schema::any_of([
            schema::whole(0, i64::MAX),
            schema::text(r"at (least|most)\s+[0-9]+", ["at least 2", "at most 2"]),
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
            .map_err(|_| Mistake::new(format!("{number} is no count"), "it can not be negative"))
    }
}

impl Parse for PayloadMatch {
    const WHAT: &'static str = "`none`, `any` or a size such as `100 B` or `larger than 100 B`";

    fn schema() -> Schema {
        schema::any_of([schema::words(["none", "any"]), SizeMatch::schema()])
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
        let units: Vec<&str> = SIZE_UNITS.iter().map(|(unit, _)| *unit).collect();
        let pattern = format!(r"((larg|small)er than\s+)?[0-9]+\s*({})", units.join("|"));
        schema::text(&pattern, ["40 B", "larger than 1480 B"])
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
        schema::any_of([schema::words(["end"]), Size::schema()])
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
    fn durations_are_exact() {
        let cases = [
            ("20ms", Duration::from_millis(20)),
            ("2h 12m 30s", Duration::from_secs(7950)),
            ("2h12m30s", Duration::from_secs(7950)),
            ("0s", Duration::ZERO),
            ("1s 500ms", Duration::from_millis(1500)),
            ("75 s", Duration::from_secs(75)),
            ("3 us", Duration::from_micros(3)),
            ("3µs", Duration::from_micros(3)),
            ("36500d", Limits::MAX_VIRTUAL_TIME),
        ];
        for (text, expected) in cases {
            assert_eq!(Duration::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        let cases = [
            ("75", "say which unit"),
            ("75 sec", "did you mean `s`?"),
            ("2h 12min", "did you mean `m`?"),
            ("1.5s", "whole numbers"),
            ("30s 2h", "largest first"),
            ("1s 1s", "each once"),
            ("-3s", "negative"),
            ("36501d", "at most 36500d"),
            ("99999999999999999999s", "at most"),
            ("20 lightyears", "the units are"),
        ];
        for (text, help) in cases {
            let mistake = Duration::parse(text).expect_err(text);
            assert!(mistake.help.contains(help), "{text}: {mistake:?}");
        }
        for text in ["", "soon", "s", "± 1s"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bandwidths_and_queues() {
        let bits = |bits| Ok(Bandwidth(NonZeroU64::new(bits)));
        assert_eq!(Bandwidth::parse("10 Mbit/s"), bits(10_000_000));
        assert_eq!(Bandwidth::parse("1kbit/s"), bits(1000));
        assert_eq!(Bandwidth::parse("1000 Gbit/s"), bits(1_000_000_000_000));
        assert_eq!(Bandwidth::parse("unlimited"), Ok(Bandwidth(None)));
        for (text, help) in [
            ("10", "say which unit"),
            ("10 Mbps", "did you mean `Mbit/s`?"),
            ("10 MB/s", "did you mean"),
            ("999 bit/s", "from 1 kbit/s"),
            ("0 Mbit/s", "from 1 kbit/s"),
            ("1001 Gbit/s", "to 1000 Gbit/s"),
            ("1.5 Mbit/s", "whole numbers"),
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
        assert_eq!(Size::parse("2MB"), Ok(Size(2_000_000)));
        assert!(Size::parse("1 KB").expect_err("KB").help.contains("1024"));
        assert!(Size::parse("5 GiB").is_err());
        assert!(Size::parse("1 KiB 3 B").is_err());
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
