//! What goes wrong: every fault of a run, and when those on hosts and links begin and end.

mod check;
mod list;
mod script;

pub(crate) use check::check;
pub(crate) use list::Faults;
pub(crate) use script::Script;
