//! Durations, to the nanosecond.

use std::time::Duration;

use crate::ParseError;
use crate::quantity::{NUMBER, Quantity, decimal};

static DURATION: Quantity = Quantity {
    what: "a duration",
    examples: "`20ms` or `2h 12m 30s`",
    units: &[
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("min", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("µs", 1_000),
        ("us", 1_000),
        ("ns", 1),
    ],
    usual: &["ms", "s", "m"],
    all: "ms, s, m, h or d",
    synonyms: &[
        ("day days D", "`d`"),
        ("hour hours hr hrs H", "`h`"),
        ("mins minute minutes", "`m`"),
        ("sec secs second seconds S", "`s`"),
        ("msec msecs millis milliseconds millisecond", "`ms`"),
        ("μs usec micros microseconds microsecond", "`us`"),
        ("nsec nanos nanoseconds nanosecond", "`ns`"),
    ],
    space: "",
    smallest: "1ns",
    is_compound: true,
};

/// Reads a duration: `20ms`, `1.5s`, `90min`, `2h 12m 30.06s`, `250µs` or `250us`.
///
/// The units are `d`, `h`, `m` or `min`, `s`, `ms`, `µs` or `us`, and `ns`, the largest first.
///
/// # Errors
/// If the text is not a duration, has no unit, or is not a whole number of nanoseconds below 2^64 (584 years).
pub fn parse_duration(text: &str) -> Result<Duration, ParseError> {
    DURATION.parse(text).map(Duration::from_nanos)
}

/// Writes a duration, exact to the nanosecond: `0s`, `250µs`, `61.5ms`, `1m 0.78s`, `2h 12m 30.06s`.
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0 => "0s".to_owned(),
        1..1_000_000 => format!("{}µs", decimal(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 1_000_000)),
        _ => clock(nanos),
    }
}

/// One second or longer, as hours, minutes and seconds; nothing after the last part that is not zero.
fn clock(nanos: u128) -> String {
    const SECOND: u128 = 1_000_000_000;
    const MINUTE: u128 = 60 * SECOND;
    const HOUR: u128 = 60 * MINUTE;
    let (hours, minutes, rest) = (nanos / HOUR, nanos % HOUR / MINUTE, nanos % MINUTE);
    let mut parts = Vec::with_capacity(3);
    if hours > 0 {
        parts.push(format!("{hours}h"));
    }
    if minutes > 0 || (hours > 0 && rest > 0) {
        parts.push(format!("{minutes}m"));
    }
    if rest > 0 {
        parts.push(format!("{}s", decimal(rest, SECOND)));
    }
    parts.join(" ")
}

/// A regular expression (ECMA 262, without anchors) that matches every duration that is read, and the empty text.
pub fn duration_pattern() -> String {
    let part = |unit: &str| format!(r"({NUMBER}\s*{unit}\s*)?");
    ["d", "h", "m(in)?", "s", "ms", "[µu]s", "ns"].map(part).concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Reason;

    #[test]
    fn durations_are_read_exactly() {
        let cases = [
            ("20ms", Duration::from_millis(20)),
            ("2h 12m 30s", Duration::from_secs(7950)),
            ("2h12m30s", Duration::from_secs(7950)),
            ("2h 0m 30s", Duration::from_secs(7230)),
            ("0s", Duration::ZERO),
            ("1s 500ms", Duration::from_millis(1500)),
            ("1.5s", Duration::from_millis(1500)),
            ("1m 0.78s", Duration::from_millis(60_780)),
            ("61.5ms", Duration::from_micros(61_500)),
            ("90min", Duration::from_secs(5400)),
            ("0.5h", Duration::from_secs(1800)),
            ("75 s", Duration::from_secs(75)),
            (" 3 us ", Duration::from_micros(3)),
            ("3µs", Duration::from_micros(3)),
            ("0.001µs", Duration::from_nanos(1)),
            ("1.5000000000000000000000000000000000000000000000s", Duration::from_millis(1500)),
            ("36500d", Duration::from_secs(36_500 * 86_400)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        let cases = [
            ("", "found nothing", "for example `20ms`"),
            ("soon", "expected a duration, found `soon`", "for example `20ms`"),
            ("s", "found `s`", "for example"),
            ("± 1s", "found `± 1s`", "for example"),
            ("1s later", "found `1s later`", "for example"),
            (".5s", "found `.5s`", "for example"),
            ("1.s", "found `1.s`", "for example"),
            ("-3s", "found `-3s`", "cannot be negative"),
            ("75", "the number 75 without a unit", "`75ms`, `75s`, `75m`"),
            ("1h 75", "the number 75 without a unit", "`75ms`"),
            ("75 sec", "an unknown unit `sec`", "did you mean `s`?"),
            ("20 MS", "an unknown unit `MS`", "did you mean `ms`?"),
            ("20 lightyears", "an unknown unit `lightyears`", "the units are ms, s, m, h or d"),
            ("1,5s", "an unknown unit `,`", "a fraction has a point"),
            ("30s 2h", "not in order", "the largest unit first"),
            ("1s 1s", "not in order", "each once"),
            ("1m 1min", "not in order", "each once"),
            ("1.5ns", "too precise", "1ns"),
            ("0.3333333333333333333333333333333333333333333s", "too precise", "1ns"),
            ("99999999999999999999s", "too large", "smaller"),
            ("18446744073s 800ms", "too large", "smaller"),
        ];
        for (text, message, help) in cases {
            let error = parse_duration(text).expect_err(text);
            assert!(error.to_string().contains(message), "{text}: {error}");
            assert!(error.help().contains(help), "{text}: {}", error.help());
        }
    }

    #[test]
    fn long_text_is_not_repeated() {
        let error = parse_duration(&"5 x".repeat(1000)).expect_err("no duration");
        assert_eq!(error.reason(), &Reason::UnknownUnit("x".to_owned()));
        assert!(error.to_string().len() < 200, "{error}");
    }

    #[test]
    fn durations_are_written_with_units_and_without_noise() {
        let nanos = Duration::from_nanos;
        let cases = [
            (nanos(0), "0s"),
            (nanos(1), "0.001µs"),
            (Duration::from_micros(250), "250µs"),
            (Duration::from_millis(20), "20ms"),
            (Duration::from_micros(61_500), "61.5ms"),
            (nanos(61_500_001), "61.500001ms"),
            (Duration::from_millis(999), "999ms"),
            (Duration::from_secs(1), "1s"),
            (Duration::from_millis(1_060), "1.06s"),
            (Duration::from_secs(75), "1m 15s"),
            (Duration::from_millis(60_250), "1m 0.25s"),
            (Duration::from_secs(7_200), "2h"),
            (Duration::from_secs(7_230), "2h 0m 30s"),
            (Duration::from_secs(7_260), "2h 1m"),
            (Duration::from_secs(7_950), "2h 12m 30s"),
            (Duration::from_millis(7_950_060), "2h 12m 30.06s"),
        ];
        for (value, expected) in cases {
            assert_eq!(format_duration(value), expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos: u64, shift in 0..64_u32) {
            let duration = Duration::from_nanos(nanos >> shift);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn whatever_is_read_is_a_duration_or_an_error(text in r"([0-9.,+-]{0,4} ?(s|ms|h|µ|x)? ?){0,4}") {
            if let Err(error) = parse_duration(&text) {
                prop_assert!(!error.to_string().is_empty() && !error.help().is_empty());
            }
        }
    }
}
