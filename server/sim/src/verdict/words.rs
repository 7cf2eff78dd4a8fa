//! Values as people say them.

use std::time::Duration;

/// A time as scenarios write it: `2h 12m 30s`, `20ms`, `1.5us`.
pub(super) fn time(time: Duration) -> String {
    if time.is_zero() {
        return "0s".to_owned();
    }
    let seconds = time.as_secs();
    let mut parts = Vec::new();
    for (count, unit) in [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")] {
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    let below = Duration::from_nanos(u64::from(time.subsec_nanos()));
    if !below.is_zero() {
        // Debug has the unit that fits and no zeros at the end.
        parts.push(format!("{below:?}").replace('µ', "u"));
    }
    parts.join(" ")
}

/// `1 probe`, `2 probes`.
pub(super) fn count(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_in_scenarios() {
        let cases = [
            (Duration::ZERO, "0s"),
            (Duration::from_secs(7950), "2h 12m 30s"),
            (Duration::from_secs(3600), "1h"),
            (Duration::from_millis(20), "20ms"),
            (Duration::from_millis(1020), "1s 20ms"),
            (Duration::from_micros(1500), "1.5ms"),
            (Duration::from_nanos(1500), "1.5us"),
        ];
        for (value, text) in cases {
            assert_eq!(time(value), text);
        }
    }
}
