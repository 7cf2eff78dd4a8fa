//! Reads quantities.

use crate::quantity::Quantity;
use crate::{ParseError, Reason};

impl Quantity {
    /// Reads a quantity, in its smallest unit.
    pub(crate) fn parse(&'static self, text: &str) -> Result<u64, ParseError> {
        self.value(text.trim()).map_err(|reason| ParseError::new(self, text, reason))
    }

    fn value(&self, text: &str) -> Result<u64, Reason> {
        let (mut total, mut last, mut rest) = (0_u64, None, text);
        loop {
            let (number, unit, after) = number_and_unit(rest).ok_or(match text.starts_with('-') {
                true => Reason::Negative,
                false => Reason::NotAQuantity,
            })?;
            if unit.is_empty() {
                return Err(Reason::NoUnit(number.to_owned()));
            }
            let known = self.units.iter().find(|(name, _)| *name == unit);
            let Some((_, factor)) = known else { return Err(Reason::UnknownUnit(unit.to_owned())) };
            if last.is_some_and(|last| last <= factor) {
                return Err(Reason::UnitsOutOfOrder);
            }
            total = total.checked_add(scaled(number, *factor)?).ok_or(Reason::TooLarge)?;
            if after.is_empty() {
                return Ok(total);
            }
            if !self.is_compound {
                return Err(Reason::NotAQuantity);
            }
            (last, rest) = (Some(factor), after);
        }
    }
}

/// The first number of a text, the unit after it, and what comes then.
fn number_and_unit(text: &str) -> Option<(&str, &str, &str)> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(text);
    let end = match text[whole..].strip_prefix('.') {
        Some(fraction) => whole + 1 + Some(digits(fraction)).filter(|length| *length > 0)?,
        None => whole,
    };
    if whole == 0 {
        return None;
    }
    let (number, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let unit = rest.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit);
    Some((number, unit, rest.trim_start()))
}

/// A decimal number times a factor, if that is whole.
fn scaled(number: &str, factor: u64) -> Result<u64, Reason> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(factor));
    let whole = whole.ok_or(Reason::TooLarge)?;
    let fraction = match fraction.trim_end_matches('0') {
        "" => 0,
        fraction => exact_fraction(fraction, factor).ok_or(Reason::TooPrecise)?,
    };
    whole.checked_add(fraction).ok_or(Reason::TooLarge)
}

/// What follows a point times a factor, if that is whole.
fn exact_fraction(digits: &str, factor: u64) -> Option<u64> {
    let scale = 10_u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let scaled = digits.parse::<u128>().ok()?.checked_mul(factor.into())?;
    if scaled % scale == 0 { u64::try_from(scaled / scale).ok() } else { None }
}
