//! What is wrong with a setting, and what to do about it.

use std::fmt;

/// A setting that cannot be used as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, and what.
    pub text: String,
    /// What to do.
    pub help: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.help {
            Some(help) => write!(f, "{}; {help}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
