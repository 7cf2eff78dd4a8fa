//! Bandwidths, in bits per second.

use crate::ParseError;
use crate::quantity::{Quantity, decimal};

static BANDWIDTH: Quantity = Quantity {
    what: "a bandwidth",
    examples: "`10 Mbit/s`",
    units: &[("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000), ("bit/s", 1)],
    usual: &["kbit/s", "Mbit/s", "Gbit/s"],
    all: "kbit/s, Mbit/s or Gbit/s",
    synonyms: &[
        ("Gbps gbps Gbit gbit Gb/s", "`Gbit/s`"),
        ("Mbps mbps Mbit mbit Mb/s", "`Mbit/s`"),
        ("Kbps kbps Kbit kbit kb/s", "`kbit/s`"),
        ("GB/s", "`Gbit/s` (1 GB/s is 8 Gbit/s)"),
        ("MB/s", "`Mbit/s` (1 MB/s is 8 Mbit/s)"),
        ("kB/s KB/s", "`kbit/s` (1 kB/s is 8 kbit/s)"),
        ("bps bit bits bits/s", "`bit/s`"),
    ],
    space: " ",
    smallest: "1 bit/s",
    is_compound: false,
};

/// Reads a bandwidth in bits per second: `10 Mbit/s`, `1.5 Gbit/s`.
///
/// # Errors
/// If the text is not a bandwidth, has no unit, or is not a whole number of bits per second below 2^64.
pub fn parse_bandwidth(text: &str) -> Result<u64, ParseError> {
    BANDWIDTH.parse(text)
}

/// Writes a bandwidth, exactly, in the largest unit that does not exceed it: `10 Mbit/s`, `1.5 Gbit/s`.
pub fn format_bandwidth(bits_per_second: u64) -> String {
    let largest = BANDWIDTH.units.iter().find(|(_, unit)| bits_per_second >= *unit);
    let (name, unit) = largest.copied().unwrap_or(("bit/s", 1));
    format!("{} {name}", decimal(bits_per_second.into(), unit.into()))
}

/// A regular expression (ECMA 262, without anchors) that matches every bandwidth that is read.
pub fn bandwidth_pattern() -> String {
    BANDWIDTH.pattern()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bandwidths_are_read_and_written() {
        for (text, bits) in [
            ("10 Mbit/s", 10_000_000),
            ("1 kbit/s", 1000),
            ("1.5 Mbit/s", 1_500_000),
            ("999 bit/s", 999),
            ("1000 Gbit/s", 1_000_000_000_000),
            ("0 bit/s", 0),
        ] {
            assert_eq!(parse_bandwidth(text), Ok(bits), "{text}");
            assert_eq!(format_bandwidth(bits), text);
        }
        for (text, help) in [
            ("10", "say which unit: `10 kbit/s`"),
            ("10 Mbps", "did you mean `Mbit/s`?"),
            ("10 MB/s", "did you mean `Mbit/s` (1 MB/s is 8 Mbit/s)?"),
            ("fast", "for example `10 Mbit/s`"),
        ] {
            let error = parse_bandwidth(text).expect_err(text);
            assert!(error.help().contains(help), "{text}: {}", error.help());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bits: u64, shift in 0..64_u32) {
            prop_assert_eq!(parse_bandwidth(&format_bandwidth(bits >> shift)), Ok(bits >> shift));
        }
    }
}
