//! What is wrong with a part of the document.

use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

use crate::node::{Node, Span};
use crate::parse::not_that;
use crate::wording;

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct Error {
    /// The part that is wrong.
    pub(crate) span: Option<Span>,
    /// What to mark, if not that part.
    pub(crate) shown: Option<Span>,
    pub(crate) message: String,
    pub(crate) help: String,
    /// What is missing may be what was taken out before.
    pub(crate) missing: bool,
    /// It is not reported.
    pub(crate) quiet: bool,
    /// The part is a map where none may be.
    pub(super) is_map: bool,
    /// Without that part the rest is whole.
    pub(crate) superfluous: bool,
    /// The key that is not known where it stands.
    pub(crate) unknown: Option<Box<UnknownKey>>,
}

/// A key that is not known where it stands, and may belong elsewhere.
#[derive(Debug)]
pub(crate) struct UnknownKey {
    pub(crate) name: String,
    /// The keys that are known there.
    pub(crate) known: Vec<&'static str>,
}

impl Error {
    pub(super) fn of(message: impl Into<String>, help: impl Into<String>) -> Error {
        let (message, help) = (message.into(), help.into());
        Error {
            span: None,
            shown: None,
            message,
            help,
            missing: false,
            quiet: false,
            is_map: false,
            superfluous: false,
            unknown: None,
        }
    }

    /// A key that is unknown within `word` may be one of those beside it.
    pub(super) fn above(mut self, word: &str, beside: &[&str]) -> Error {
        if let Some(key) = self.unknown.take_if(|key| key.name != word && beside.contains(&key.name.as_str()))
        {
            self.help = format!("move `{}` up: it stands beside `{word}`", key.name);
        }
        self
    }

    /// The innermost place wins.
    pub(super) fn at(mut self, node: &Node, key: Option<Span>) -> Error {
        if self.span.is_none() {
            self.span = Some(node.span);
            self.quiet = self.missing && node.pruned;
            self.shown = if self.missing { key } else { None };
        }
        self
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    /// The first line is the message, the rest is what to do about it.
    fn custom<T: Display>(text: T) -> Error {
        let text = text.to_string();
        let (message, help) = text.split_once('\n').unwrap_or((&text, ""));
        Error::of(message, help)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Error {
        let is_map = matches!(found, Unexpected::Map);
        let found = match found {
            Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
            Unexpected::Bool(value) => format!("`{value}`"),
            Unexpected::Unsigned(value) => format!("the number {value}"),
            Unexpected::Signed(value) => format!("the number {value}"),
            Unexpected::Float(value) => format!("the number {value}"),
            Unexpected::Str(value) => format!("`{}`", wording::short(value)),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a map".to_owned(),
            other => other.to_string(),
        };
        let expected = match expected.to_string().as_str() {
            "a sequence" => "a list such as `[a, b]`, or a line with `- ` before each item".to_owned(),
            other => other.to_owned(),
        };
        let mistake = not_that(&expected, &found);
        Error { is_map, ..Error::of(mistake.message, mistake.help) }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Error {
        Error::invalid_type(found, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Error {
        let first = field.split_once(' ').map(|(first, _)| first).filter(|first| expected.contains(first));
        let help = first.map(|first| format!("a colon belongs after the word: `{first}: …`"));
        let help = help
            .or_else(|| wording::suggest(field, expected.iter().copied()))
            .unwrap_or_else(|| format!("the keys here are {}", wording::list(expected.iter().copied())));
        let unknown = Some(Box::new(UnknownKey { name: field.to_owned(), known: expected.to_vec() }));
        Error { unknown, ..Error::of(format!("unknown key `{}`", wording::short(field)), help) }
    }

    fn missing_field(field: &'static str) -> Error {
        let mut error = Error::of(format!("the key `{field}` is missing"), format!("add `{field}: …`"));
        error.missing = true;
        error
    }
}
