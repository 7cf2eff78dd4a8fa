//! How programs are set up by TOML files: every mistake is found at once, with its place and what to do, and the options of the
//! command line alone say which values they take.

mod document;
mod mistake;
mod option;

pub use document::{Document, did_you_mean, text};
pub use mistake::Mistake;
pub use option::{Refusal, check, how_to_write};
