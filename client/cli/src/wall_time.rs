//! Wall times, which people compare at a glance.

use std::time::Duration;

use halfopen_units::format_duration;

/// A wall time with three significant digits, at most whole seconds: `1.23s`, `45.6ms`, `1h 6m 40s`.
pub(crate) fn wall_time(time: Duration) -> String {
    const SECOND: u128 = 1_000_000_000;
    let nanos = time.as_nanos();
    let step = 10_u128.pow(nanos.checked_ilog10().unwrap_or(0).saturating_sub(2)).min(SECOND);
    let rounded = (nanos + step / 2) / step * step;
    format_duration(Duration::from_nanos(u64::try_from(rounded).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_times_have_three_digits() {
        let cases = [
            (0, "0s"),
            (7, "0.007µs"),
            (123_456, "123µs"),
            (12_340_000, "12.3ms"),
            (123_400_000, "123ms"),
            (999_900_000, "1s"),
            (1_234_000_000, "1.23s"),
            (83_456_000_000, "1m 23.5s"),
            (4_000_400_000_000, "1h 6m 40s"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(wall_time(Duration::from_nanos(nanos)), expected);
        }
    }
}
