//! What all quantities have in common: numbers with units.

/// A kind of quantity.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    /// What it is: `a duration`.
    pub(crate) what: &'static str,
    /// One or two examples.
    pub(crate) examples: &'static str,
    /// Units that are read, each with how many of the smallest it is.
    pub(crate) units: &'static [(&'static str, u64)],
    /// The most common units.
    pub(crate) usual: &'static [&'static str],
    /// The units that a message lists.
    pub(crate) all: &'static str,
    /// Other names of units, separated by spaces, with the units that they probably mean.
    pub(crate) synonyms: &'static [(&'static str, &'static str)],
    /// What stands between number and unit when it is written.
    pub(crate) space: &'static str,
    /// The smallest step.
    pub(crate) smallest: &'static str,
    /// Whether several numbers with units make one: `2h 12m 30s`.
    pub(crate) is_compound: bool,
}

impl Quantity {
    /// The unit that another name probably means.
    pub(crate) fn meant(&self, unit: &str) -> Option<String> {
        let synonym = self.synonyms.iter().find(|(names, _)| names.split(' ').any(|name| name == unit));
        let other_case = || self.units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        synonym
            .map(|(_, meant)| (*meant).to_owned())
            .or_else(|| other_case().map(|(name, _)| format!("`{name}`")))
    }

    /// A regular expression for one number with one of its units.
    pub(crate) fn pattern(&self) -> String {
        let names: Vec<&str> = self.units.iter().map(|(name, _)| *name).collect();
        match names[..] {
            [only] => format!(r"{NUMBER}\s*{only}"),
            _ => format!(r"{NUMBER}\s*({})", names.join("|")),
        }
    }
}

/// A regular expression for a number.
pub(crate) const NUMBER: &str = r"[0-9]+(\.[0-9]+)?";

/// `value / unit` without zeros at the end. The unit is a power of ten.
pub(crate) fn decimal(value: u128, unit: u128) -> String {
    let digits = unit.ilog10() as usize;
    let fraction = format!("{:0digits$}", value % unit);
    let fraction = if digits == 0 { "" } else { fraction.trim_end_matches('0') };
    if fraction.is_empty() { (value / unit).to_string() } else { format!("{}.{fraction}", value / unit) }
}
