//! What goes wrong: rules over segments, and a script over hosts and links.

mod rewrite;
mod rules;
mod script;

pub(crate) use rules::{Applied, Moment, Rules, Seen};
pub(crate) use script::Script;
