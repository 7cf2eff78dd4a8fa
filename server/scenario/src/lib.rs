//! The scenario language: what a scenario says, and what is wrong with one.
//!
//! [`load`] turns the text of a scenario, YAML or JSON, into a [`Scenario`]: checked, with every name resolved. What is
//! wrong comes back as [`Diagnostics`], all mistakes at once, each with its place and what to do about it. A text may
//! have variants, each a scenario of its own: [`load_all`] gives all of them, [`load_variant`] one, [`load_with`] one with
//! another TCP profile.
//! [`write()`] turns a scenario into text again. [`library`] has the bundled scenarios.

mod address;
mod de;
mod diagnostic;
mod document;
mod forms;
pub mod library;
mod load;
mod marks;
mod model;
mod names;
mod node;
mod options;
mod parse;
mod part;
mod quantity;
mod resolve;
mod schema;
mod shape;
mod variants;
mod wording;
mod write;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use load::{
    LoadError, UnknownProfile, load, load_all, load_all_while, load_bytes, load_variant, load_with, profile,
};
pub use model::*;
pub use options::LoadOptions;
pub use part::{destination, load_faults, load_match};
pub use schema::schema;
pub use write::{Setting, SettingValue, settings, write};

use node::Span;

/// A mistake whose place is still a span of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    span: Span,
    message: String,
    help: String,
}

impl Problem {
    fn new(span: Span, message: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), help: String::new() }
    }

    fn help(self, help: impl Into<String>) -> Problem {
        Problem { help: help.into(), ..self }
    }
}
