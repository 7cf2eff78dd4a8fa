//! From tree to types: a serde deserializer whose errors know their place.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::de::value::{BoolDeserializer, U32Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::forms::written_as;
use crate::node::{Node, Span, Value};
use crate::parse::not_that;
use crate::wording;

/// The names of the structs that may also be a bare word: `- accept` is `- {accept: }`.
const BARE_WORDS: [&str; 2] = ["Step", "Fault"];
const SPANNED: &str = "$spanned";

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
    /// Not worth telling.
    pub(crate) quiet: bool,
}

impl Error {
    fn of(message: String, help: String) -> Error {
        Error { span: None, shown: None, message, help, missing: false, quiet: false }
    }

    /// The innermost place wins.
    fn at(mut self, node: &Node, key: Option<Span>) -> Error {
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
        Error::of(message.to_owned(), help.to_owned())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Error {
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
        Error::of(mistake.message, mistake.help)
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
        Error::of(format!("unknown key `{}`", wording::short(field)), help)
    }

    fn missing_field(field: &'static str) -> Error {
        let mut error = Error::of(format!("the key `{field}` is missing"), format!("add `{field}: …`"));
        error.missing = true;
        error
    }
}

/// A part of the document that is to become something.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    node: &'a Node,
    /// Where its key stands, if it has one.
    key: Option<Span>,
}

impl<'a> Part<'a> {
    pub(crate) fn root(node: &'a Node) -> Part<'a> {
        Part { node, key: None }
    }

    fn place<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| error.at(self.node, self.key))
    }
}

impl<'de> Deserializer<'de> for Part<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.place(match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_i128(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(value) => visitor.visit_str(value),
            Value::Sequence(items) => visitor.visit_seq(Items { items: items.iter() }),
            Value::Mapping(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => self.place(visitor.visit_none()),
            _ => self.place(visitor.visit_some(self)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == SPANNED {
            return self.place(visitor.visit_seq(Placed { part: self, stage: 0 }));
        }
        self.place(visitor.visit_newtype_struct(self))
    }

    /// Nothing is an empty list.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => self.place(visitor.visit_seq(Items { items: [].iter() })),
            _ => self.deserialize_any(visitor),
        }
    }

    /// Nothing is an empty map.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => self.place(visitor.visit_map(Entries { entries: [].iter(), value: None })),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null | Value::Mapping(_) => self.deserialize_map(visitor),
            Value::String(_) if BARE_WORDS.contains(&name) => {
                self.place(visitor.visit_map(BareWord { word: Some(self.node) }))
            }
            _ => {
                let found = self.node.to_string();
                let help = match found.split_once(':') {
                    Some((key, value)) if fields.contains(&key) => {
                        format!("a colon needs a space after it: `{key}: {}`", wording::short(value))
                    }
                    _ => format!("its keys are {}", wording::list(fields.iter().copied())),
                };
                let found = wording::short(&found);
                self.place(Err(Error::custom(format!("expected a map, found `{found}`\n{help}"))))
            }
        }
    }

    /// A key of a struct is a word: to serde a number would be the struct's so-manieth field.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.place(visitor.visit_str(&self.node.to_string()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct enum ignored_any
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Node>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.items.next().map(|node| seed.deserialize(Part { node, key: None })).transpose()
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (Node, Node)>,
    /// The value of the key given last.
    value: Option<Part<'de>>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(Part { node: value, key: Some(key.span) });
        let part = Part { node: key, key: None };
        part.place(seed.deserialize(part)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let part = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        part.place(seed.deserialize(part))
    }
}

/// A word that stands for a map with that key and nothing as its value.
struct BareWord<'de> {
    word: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for BareWord<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.word.take().map(|node| seed.deserialize(Part { node, key: None })).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(().into_deserializer())
    }
}

/// Something, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) span: Span,
    /// Where its key stands; where it stands itself if it has none.
    pub(crate) key: Span,
    /// Whether a part of it that was wrong has been taken out.
    pub(crate) pruned: bool,
    pub(crate) value: T,
}

written_as!(Spanned<T>: T);

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<T>, D::Error> {
        struct Places<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Places<T> {
            type Value = Spanned<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            /// Outside of this module's deserializer nothing is known of places.
            fn visit_unit<E: serde::de::Error>(self) -> Result<Spanned<T>, E> {
                let value = T::deserialize(().into_deserializer())?;
                Ok(Spanned { span: Span::default(), key: Span::default(), pruned: false, value })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Spanned<T>, A::Error> {
                let mut number = || -> Result<u32, A::Error> { Ok(seq.next_element()?.unwrap_or_default()) };
                let span = Span { start: number()?, end: number()?, line: number()?, column: number()? };
                let key = Span { start: number()?, end: number()?, line: number()?, column: number()? };
                let pruned = seq.next_element()?.unwrap_or_default();
                let value = seq.next_element()?.ok_or_else(|| A::Error::custom("a value is missing"))?;
                Ok(Spanned { span, key, pruned, value })
            }
        }
        deserializer.deserialize_newtype_struct(SPANNED, Places(PhantomData))
    }
}

/// Gives the places of a part, then the part.
struct Placed<'de> {
    part: Part<'de>,
    stage: usize,
}

impl<'de> SeqAccess<'de> for Placed<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let span = self.part.node.span;
        let key = self.part.key.unwrap_or(span);
        let places = [span, key].map(|span| [span.start, span.end, span.line, span.column]);
        let place = places.as_flattened().get(self.stage).copied();
        self.stage += 1;
        match (place, self.stage) {
            (Some(place), _) => seed.deserialize(U32Deserializer::new(place)).map(Some),
            (None, 9) => seed.deserialize(BoolDeserializer::new(self.part.node.pruned)).map(Some),
            (None, 10) => seed.deserialize(self.part).map(Some),
            (None, _) => Ok(None),
        }
    }
}
