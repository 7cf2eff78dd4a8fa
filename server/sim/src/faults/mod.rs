//! What goes wrong: rules over segments, and a script over hosts and links.

mod rules;
mod script;

pub(crate) use rules::{Applied, Rules};
pub(crate) use script::{Deed, Script};
