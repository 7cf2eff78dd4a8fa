//! From tree to types: a serde deserializer whose errors know their place.

mod error;
mod item;
mod spanned;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use self::item::Item;
use self::spanned::{Placed, SPANNED};
use crate::node::{Node, Span, Value};
use crate::wording;

pub(crate) use error::Error;
pub(crate) use item::GROUP;
pub(crate) use spanned::Spanned;

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
            Value::Mapping(entries) => {
                visitor.visit_map(Entries { entries: entries.iter(), known: &[], value: None })
            }
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
            return self.place(visitor.visit_seq(Placed::new(self)));
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
            Value::Null => {
                self.place(visitor.visit_map(Entries { entries: [].iter(), known: &[], value: None }))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => self.deserialize_map(visitor),
            Value::Mapping(entries) => {
                self.place(visitor.visit_map(Entries { entries: entries.iter(), known: fields, value: None }))
            }
            _ => self.place(Err(no_map(self.node, fields))),
        }
    }

    /// An item of a list: one of the variants' words, and what stands beside it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.place(Item::of(self.node, name, variants).and_then(|item| visitor.visit_enum(item)))
    }

    /// A key of a struct is a word: to serde a number would be the index of a field.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.place(visitor.visit_str(&self.node.to_string()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct ignored_any
    }
}

/// Something else stands where a map with these keys belongs.
fn no_map(node: &Node, keys: &[&str]) -> Error {
    let found = node.to_string();
    let help = match found.split_once(':') {
        Some((key, value)) if keys.contains(&key) => {
            format!("a colon needs a space after it: `{key}: {}`", wording::short(value))
        }
        _ => format!("its keys are {}", wording::list(keys.iter().copied())),
    };
    Error::of(format!("expected a map, found `{}`", wording::short(&found)), help)
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
    /// The keys that may be there, if they are not names.
    known: &'static [&'static str],
    /// The key given last, and its value.
    value: Option<(&'de Node, Part<'de>)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, Part { node: value, key: Some(key.span) }));
        let part = Part { node: key, key: None };
        part.place(seed.deserialize(part)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, part) = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        let value = seed.deserialize(part).map_err(|error| match error.unknown {
            Some(_) => error.above(&key.to_string(), self.known),
            None => error,
        });
        part.place(value)
    }
}
