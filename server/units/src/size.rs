//! Sizes, in bytes.

use crate::ParseError;
use crate::quantity::Quantity;

static SIZE: Quantity = Quantity {
    what: "a size",
    examples: "`100 B` or `1 KiB`",
    units: &[
        ("GiB", 1 << 30),
        ("GB", 1_000_000_000),
        ("MiB", 1 << 20),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("kB", 1_000),
        ("B", 1),
    ],
    usual: &["B", "KiB", "MiB"],
    all: "B, KiB, MiB, GiB, kB, MB or GB",
    synonyms: &[
        ("bytes byte octets octet b", "`B`"),
        ("K k KB Kb kb", "`KiB` (1024) or `kB` (1000)"),
        ("M mb Mb", "`MiB` (1024²) or `MB` (1000²)"),
        ("G gb Gb", "`GiB` (1024³) or `GB` (1000³)"),
    ],
    space: " ",
    smallest: "1 B",
    is_compound: false,
};

/// Reads a size in bytes: `100 B`, `64 KiB`, `1.5 MB`.
///
/// The units are `B`, `KiB`, `MiB` and `GiB` (powers of 1024), and `kB`, `MB` and `GB` (powers of 1000).
///
/// # Errors
/// If the text is not a size, has no unit, or is not a whole number of bytes below 2^64.
pub fn parse_size(text: &str) -> Result<u64, ParseError> {
    SIZE.parse(text)
}

/// Writes a size in the largest unit of which it is a whole number: `64 KiB`, `1 MB`, `1460 B`. The unit `kB` is used from
/// 10,000 bytes on.
pub fn format_size(bytes: u64) -> String {
    let fits =
        |unit: &u64| bytes >= *unit && bytes.is_multiple_of(*unit) && (*unit != 1_000 || bytes >= 10_000);
    let largest = SIZE.units.iter().find(|(_, unit)| fits(unit));
    let (name, unit) = largest.copied().unwrap_or(("B", 1));
    format!("{} {name}", bytes / unit)
}

/// A regular expression (ECMA 262, without anchors) that matches every size that is read.
pub fn size_pattern() -> String {
    SIZE.pattern()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_exactly() {
        let cases = [
            ("100 B", 100),
            ("1 KiB", 1024),
            ("2MB", 2_000_000),
            ("1.5 KiB", 1536),
            ("0 B", 0),
            ("4 GiB", 1 << 32),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_size(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_says_why() {
        let cases = [
            ("100", "without a unit", "`100 B`, `100 KiB`, `100 MiB`"),
            ("1 KB", "an unknown unit `KB`", "`KiB` (1024) or `kB` (1000)"),
            ("1 kib", "an unknown unit `kib`", "did you mean `KiB`?"),
            ("1 parsec", "an unknown unit `parsec`", "the units are B, KiB"),
            ("1 KiB 3 B", "expected a size", "for example `100 B`"),
            ("0.1 KiB", "too precise", "1 B"),
            ("99999999999 GiB", "too large", "smaller"),
        ];
        for (text, message, help) in cases {
            let error = parse_size(text).expect_err(text);
            assert!(error.to_string().contains(message), "{text}: {error}");
            assert!(error.help().contains(help), "{text}: {}", error.help());
        }
    }

    #[test]
    fn sizes_are_written_in_the_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (1, "1 B"),
            (1000, "1000 B"),
            (1024, "1 KiB"),
            (1460, "1460 B"),
            (9000, "9000 B"),
            (100_000, "100 kB"),
            (65_535, "65535 B"),
            (65_536, "64 KiB"),
            (1_000_000, "1 MB"),
            (1 << 30, "1 GiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(format_size(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes: u64, zeros in 0..64_u32) {
            for bytes in [bytes >> zeros, bytes >> zeros << zeros, bytes % 1_000 * 1_000_000] {
                prop_assert_eq!(parse_size(&format_size(bytes)), Ok(bytes));
            }
        }
    }
}
