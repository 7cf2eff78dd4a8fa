//! Scalars that are read from their text.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::{forms, wording};

/// What is wrong with a scalar, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { message: message.into(), help: help.into() }
    }
}

/// Something that is read from a scalar.
pub(crate) trait Parse: Sized {
    /// What it is, with an example: `a duration such as ...`.
    const WHAT: &'static str;

    /// Whether white space around it belongs to it.
    const VERBATIM: bool = false;

    /// Its schema, for editors: its words, or its pattern with examples. It may accept what [`parse`](Parse::parse) refuses,
    /// never the opposite. See [`forms`](crate::forms).
    fn schema() -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }

    /// From text.
    fn parse(text: &str) -> Result<Self, Mistake>;

    /// From a number without anything around it.
    fn number(number: i128) -> Result<Self, Mistake> {
        Err(not_that(Self::WHAT, &format!("the number {number}")))
    }

    /// From a number with a fraction or an exponent.
    fn float(number: f64) -> Result<Self, Mistake> {
        Self::parse(&format!("{number:?}"))
    }

    /// From `true` or `false`.
    fn boolean(value: bool) -> Result<Self, Mistake> {
        Err(not_that(Self::WHAT, &format!("`{value}`")))
    }
}

/// Reads itself by [`Parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar<T>(pub(crate) T);

impl<'de, T: Parse> Deserialize<'de> for Scalar<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar<T>, D::Error> {
        deserializer.deserialize_any(ScalarVisitor(PhantomData)).map(Scalar)
    }
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Parse> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WHAT)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        with_help(T::parse(if T::VERBATIM { text } else { text.trim() }))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        with_help(T::number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        with_help(T::number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        with_help(T::float(number))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        with_help(T::boolean(value))
    }
}

/// As the deserializer's errors want it: the help after the first line.
pub(crate) fn with_help<T, E: Error>(result: Result<T, Mistake>) -> Result<T, E> {
    result.map_err(|mistake| E::custom(format!("{}\n{}", mistake.message, mistake.help)))
}

impl<T: Parse> JsonSchema for Scalar<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }
    fn schema_id() -> Cow<'static, str> {
        type_name::<Self>().into()
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::schema();
        schema.insert("description".to_owned(), T::WHAT.into());
        schema
    }
}

/// `on` or `off`. JSON, and YAML from before 2009, know these words as true and false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch(pub(crate) bool);

impl Parse for Switch {
    const WHAT: &'static str = "`on` or `off`";

    fn schema() -> Schema {
        json_schema!({"enum": ["on", "off", true, false]})
    }

    fn parse(text: &str) -> Result<Switch, Mistake> {
        match text {
            "on" => Ok(Switch(true)),
            "off" => Ok(Switch(false)),
            _ => Err(expected::<Switch>(text)),
        }
    }

    fn boolean(value: bool) -> Result<Switch, Mistake> {
        Ok(Switch(value))
    }
}

/// Any text.
impl Parse for String {
    const WHAT: &'static str = "text";
    const VERBATIM: bool = true;

    fn schema() -> Schema {
        json_schema!({"type": "string"})
    }

    fn parse(text: &str) -> Result<String, Mistake> {
        Ok(text.to_owned())
    }

    fn number(number: i128) -> Result<String, Mistake> {
        Err(unquoted::<String>(number))
    }

    fn float(number: f64) -> Result<String, Mistake> {
        Err(unquoted::<String>(number))
    }
}

/// Octets in base64 (RFC 4648 §4).
#[derive(Clone, Debug)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl Parse for Base64 {
    const WHAT: &'static str = "base64 such as `aGVsbG8=`";

    fn schema() -> Schema {
        let last = "[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=";
        forms::text(&format!("([A-Za-z0-9+/]{{4}})*({last})?"), ["aGVsbG8="])
    }

    fn parse(text: &str) -> Result<Base64, Mistake> {
        BASE64_STANDARD.decode(text).map(Base64).map_err(|_| expected::<Base64>(text))
    }

    fn number(number: i128) -> Result<Base64, Mistake> {
        Err(unquoted::<Base64>(number))
    }

    fn float(number: f64) -> Result<Base64, Mistake> {
        Err(unquoted::<Base64>(number))
    }
}

/// Text that YAML reads as a number, which may no longer be what was written.
fn unquoted<T: Parse>(number: impl fmt::Display) -> Mistake {
    let what = T::WHAT.split(" such as ").next().unwrap_or_default();
    let message = format!("expected {what}, found the number {number}");
    Mistake::new(message, "put it in quotes, so that it is read as it is written")
}

/// Something else was written.
pub(crate) fn expected<T: Parse>(text: &str) -> Mistake {
    let found = if text.is_empty() { "nothing".to_owned() } else { format!("`{}`", wording::short(text)) };
    let mistake = not_that(T::WHAT, &found);
    if text.contains(['“', '”', '„', '‘', '’']) {
        return Mistake::new(mistake.message, "these are typographic quotes; use \" or none");
    }
    mistake
}

/// Something else was found. What follows `such as` becomes the help.
pub(crate) fn not_that(what: &str, found: &str) -> Mistake {
    let (message, help) = match what.split_once(" such as ") {
        Some((kind, examples)) => (kind, format!("for example {examples}")),
        None => (what, format!("write {what}")),
    };
    Mistake::new(format!("expected {message}, found {found}"), help)
}

/// What stands after a variable: nothing, `+ 100`, `- 1`.
pub(crate) fn offset(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, number) = match text.chars().next() {
        None => return Some(0),
        Some('+') => (1, &text[1..]),
        Some('-') => (-1, &text[1..]),
        Some(_) => return None,
    };
    number.trim().parse::<u32>().ok().map(|number| sign * i64::from(number))
}
