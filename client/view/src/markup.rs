//! What SVG and HTML have in common. Text is escaped where it is inserted; this is about whole documents.

use std::fmt::Write as _;

use maud::{Markup, Render};

/// The markup as text for every parser: without characters that XML cannot represent.
pub(crate) fn finish(markup: Markup) -> String {
    let text = markup.into_string();
    if text.chars().all(is_allowed) {
        return text;
    }
    text.chars().map(|character| if is_allowed(character) { character } else { '\u{fffd}' }).collect()
}

/// XML 1.0 §2.2; besides, DEL and the control characters after it, which HTML forbids.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n')
        || !(character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}'))
}

/// A length or a position in pixels, rounded to tenths, so that the same picture has the same bytes everywhere.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Px(pub(crate) f64);

impl std::fmt::Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round();
        // No "-0".
        let value = if tenths == 0.0 { 0.0 } else { tenths / 10.0 };
        write!(f, "{value}")
    }
}

impl Render for Px {
    fn render_to(&self, buffer: &mut String) {
        // A string takes everything.
        let _ = write!(buffer, "{self}");
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    #[test]
    fn what_no_parser_takes_is_replaced() {
        assert_eq!(finish(html! { b { "a\u{1}<\u{ffff}\n" } }), "<b>a\u{fffd}&lt;\u{fffd}\n</b>");
    }

    #[test]
    fn places_have_one_digit_at_most() {
        let cases =
            [(0.0, "0"), (-0.01, "0"), (12.0, "12"), (12.34, "12.3"), (-0.26, "-0.3"), (1e6, "1000000")];
        for (value, expected) in cases {
            assert_eq!(Px(value).to_string(), expected);
        }
    }
}
