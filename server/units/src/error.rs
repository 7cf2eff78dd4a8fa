//! Why a text is not a quantity, and what to write instead.

use std::error::Error;
use std::fmt;

use crate::quantity::Quantity;

/// A text that is not a quantity of the expected kind.
///
/// Its `Display` says what is wrong, as a lower-case fragment; [`help`](ParseError::help) says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    quantity: &'static Quantity,
    text: String,
    reason: Reason,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is something other than a number with a unit.
    NotAQuantity,
    /// It is below zero.
    Negative,
    /// This number has no unit.
    NoUnit(String),
    /// No unit has this name.
    UnknownUnit(String),
    /// A smaller unit stands before a larger one, or a unit stands twice.
    UnitsOutOfOrder,
    /// It is not a whole number of the smallest unit.
    TooPrecise,
    /// It does not fit 64 bits.
    TooLarge,
}

impl ParseError {
    pub(crate) fn new(quantity: &'static Quantity, text: &str, reason: Reason) -> ParseError {
        ParseError { quantity, text: short(text.trim()), reason }
    }

    /// What is wrong.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// What to do about it: ``say which unit: `5ms`, `5s`, `5m` ``.
    pub fn help(&self) -> String {
        let Quantity { examples, space, smallest, .. } = self.quantity;
        match &self.reason {
            Reason::NotAQuantity => format!("for example {examples}"),
            Reason::Negative => "it cannot be negative".to_owned(),
            Reason::NoUnit(number) => {
                let forms = self.quantity.usual.iter().map(|unit| format!("`{number}{space}{unit}`"));
                format!("say which unit: {}", forms.collect::<Vec<_>>().join(", "))
            }
            Reason::UnknownUnit(unit) if unit.starts_with(',') => "a fraction has a point: `1.5`".to_owned(),
            Reason::UnknownUnit(unit) => self.quantity.meant(unit).map_or_else(
                || format!("the units are {}", self.quantity.all),
                |meant| format!("did you mean {meant}?"),
            ),
            Reason::UnitsOutOfOrder => "write the largest unit first and each once: `2h 12m 30s`".to_owned(),
            Reason::TooPrecise => format!("the smallest step is {smallest}"),
            Reason::TooLarge => "use a smaller number".to_owned(),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError { quantity: Quantity { what, .. }, text, reason } = self;
        match reason {
            Reason::NotAQuantity | Reason::Negative if text.is_empty() => {
                write!(f, "expected {what}, found nothing")
            }
            Reason::NotAQuantity | Reason::Negative => write!(f, "expected {what}, found `{text}`"),
            Reason::NoUnit(number) => write!(f, "expected {what}, found the number {number} without a unit"),
            Reason::UnknownUnit(unit) => write!(f, "`{text}` has an unknown unit `{}`", short(unit)),
            Reason::UnitsOutOfOrder => write!(f, "the units of `{text}` are not in order"),
            Reason::TooPrecise => write!(f, "`{text}` is too precise"),
            Reason::TooLarge => write!(f, "`{text}` is too large"),
        }
    }
}

impl Error for ParseError {}

/// The beginning of a text that may be long.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((offset, _)) => format!("{}…", &line[..offset]),
        None if line.len() < text.len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
