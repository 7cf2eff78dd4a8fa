//! Percentages, in millionths.

use crate::quantity::{Quantity, decimal};
use crate::{ParseError, Reason};

static PERCENTAGE: Quantity = Quantity {
    what: "a percentage",
    examples: "`10%` or `2.5%`",
    units: &[("%", 10_000)],
    usual: &["%"],
    all: "%",
    synonyms: &[("percent", "`%`")],
    space: "",
    smallest: "0.0001%",
    is_compound: false,
};

/// Reads a percentage in millionths: `10%` is 100,000.
///
/// # Errors
/// If the text is not a percentage, has no `%`, or is not a whole number of millionths below 2^32.
pub fn parse_percentage(text: &str) -> Result<u32, ParseError> {
    let millionths = PERCENTAGE.parse(text)?;
    u32::try_from(millionths).map_err(|_| ParseError::new(&PERCENTAGE, text, Reason::TooLarge))
}

/// Writes millionths as a percentage, exactly: `2.5%`.
pub fn format_percentage(millionths: u32) -> String {
    format!("{}%", decimal(millionths.into(), 10_000))
}

/// A regular expression (ECMA 262, without anchors) that matches every percentage that is read.
pub fn percentage_pattern() -> String {
    PERCENTAGE.pattern()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentages_are_read_and_written() {
        for (text, millionths) in
            [("10%", 100_000), ("2.5%", 25_000), ("0.0001%", 1), ("0%", 0), ("100%", 1_000_000)]
        {
            assert_eq!(parse_percentage(text), Ok(millionths), "{text}");
            assert_eq!(format_percentage(millionths), text);
        }
        for wrong in ["0.00001%", "-1%", "%", "0.1", "1%1%", "1000000%"] {
            assert!(parse_percentage(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millionths: u32) {
            prop_assert_eq!(parse_percentage(&format_percentage(millionths)), Ok(millionths));
        }
    }
}
