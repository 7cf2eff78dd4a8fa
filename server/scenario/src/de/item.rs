//! Items of a list: one word for what happens, with its object, and beside it how, when and which.
//!
//! An enum of newtype variants is such an item. Each variant is a struct that has the word as its first field and, as the
//! others, what may stand beside it. A field that is renamed to something with a [`GROUP`] before it is a struct of
//! keys that stand beside several words; they are in the item itself, as if the struct had them as its fields.

use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::UnknownKey;
use super::{Error, Part, no_map};
use crate::node::{Node, Span, Value};
use crate::wording;

/// What the name of a field begins with that is a group of keys.
pub(crate) const GROUP: char = '+';

/// The variant that takes an item without any of the other words, whole: a map whose keys are names.
const NAMES: &str = "*";

/// Words of items that may also stand beside another word, which is then the item's: `set` beside `connect`.
const BESIDE: [&str; 1] = ["set"];

/// What stands after a bare word: `accept` is `{accept: }`.
static NOTHING: Node =
    Node { span: Span { start: 0, end: 0, line: 0, column: 0 }, value: Value::Null, pruned: false };

/// An item and its word.
pub(super) struct Item<'de> {
    node: &'de Node,
    word: &'static str,
    /// What it is called.
    what: String,
    /// The word that stands beside it, if one does.
    second: Option<&'static str>,
}

impl<'de> Item<'de> {
    /// The item that is one of these words, a map or a bare word. `what` is what it is called.
    pub(super) fn of(node: &'de Node, what: &str, words: &'static [&'static str]) -> Result<Self, Error> {
        let keys: Vec<&Node> = match &node.value {
            Value::Mapping(entries) => entries.iter().map(|(key, _)| key).collect(),
            Value::String(_) => vec![node],
            Value::Null => Vec::new(),
            _ => return Err(no_map(node, words)),
        };
        let known = |key: &&Node| words.iter().copied().find(|word| is(key, word));
        let what = what.to_lowercase();
        match keys.iter().filter_map(known).collect::<Vec<_>>()[..] {
            [word] => Ok(Item { node, word, what, second: None }),
            [word, second] | [second, word] if BESIDE.contains(&second) => {
                Ok(Item { node, word, what, second: Some(second) })
            }
            [first, second, ..] => Err(two_words(first, second, &what)),
            [] if words.contains(&NAMES) && matches!(node.value, Value::Mapping(_)) && !keys.is_empty() => {
                Ok(Item { node, word: NAMES, what, second: None })
            }
            [] => Err(no_word(node, &keys, &what, words)),
        }
    }
}

fn two_words(first: &str, second: &str, what: &str) -> Error {
    Error::of(format!("`{first}` and `{second}` in one {what}"), format!("make two {what}s of it"))
}

/// What to say if none of the keys is one of the words.
fn no_word(node: &Node, keys: &[&Node], what: &str, words: &'static [&'static str]) -> Error {
    let meant = |key: &&&Node| {
        let text = key.to_string();
        let first = text.split(' ').next().unwrap_or_default();
        words.contains(&first) || wording::suggest(&text, words.iter().copied()).is_some()
    };
    let mut error = match keys.iter().find(meant).or(keys.first()) {
        Some(key) if meant(&key) => {
            Error { shown: Some(key.span), ..Error::unknown_field(&key.to_string(), words) }
        }
        first => {
            let message = match first {
                Some(key) => {
                    format!("`{}` is not {}", wording::short(&key.to_string()), wording::with_article(what))
                }
                None => format!("this {what} does not say what it is about"),
            };
            let known = wording::list(words.iter().copied().filter(|word| *word != NAMES));
            let help = match words.contains(&NAMES) {
                true => format!(
                    "name a host and what is claimed of it: `server: {{ends: CLOSED}}`, or one of {known}"
                ),
                false => format!("it is one of {known}"),
            };
            Error { shown: first.map(|key| key.span), ..Error::of(message, help) }
        }
    };
    if matches!(node.value, Value::Null) {
        // The key that nothing follows is shown.
        error.missing = true;
        return error;
    }
    error.span = Some(node.span);
    error.quiet = node.pruned;
    error
}

fn is(key: &Node, word: &str) -> bool {
    matches!(&key.value, Value::String(text) if text == word)
}

impl<'de> EnumAccess<'de> for Item<'de> {
    type Error = Error;
    type Variant = Item<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Item<'de>), Error> {
        let word: StrDeserializer<'_, Error> = self.word.into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'de> VariantAccess<'de> for Item<'de> {
    type Error = Error;

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        if self.word == NAMES {
            return seed.deserialize(Part { node: self.node, key: None });
        }
        let read = RefCell::new(Vec::new());
        let value = seed.deserialize(Keys { node: self.node, read: &read });
        let read = read.into_inner();
        let value = value.map_err(|error| self.no_map_here(error.above(self.word, &read), &read))?;
        if let Some(second) = self.second.filter(|second| !read.contains(second)) {
            return Err(two_words(self.word, second, &self.what));
        }
        if let Value::Mapping(entries) = &self.node.value {
            let other = entries.iter().find(|(key, _)| !read.iter().any(|name| is(key, name)));
            other.map_or(Ok(value), |(key, _)| Err(self.does_not_belong(key, &read)))
        } else {
            Ok(value)
        }
    }

    fn unit_variant(self) -> Result<(), Error> {
        Err(Error::custom("an item has an object"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("an item has one object"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Error> {
        Err(Error::custom("an item has an object"))
    }
}

impl Item<'_> {
    /// The object of the word is a map where none may be: its keys belong beside the word, and one of them may be the
    /// object itself.
    fn no_map_here(&self, error: Error, read: &[&'static str]) -> Error {
        let Value::Mapping(item) = &self.node.value else { return error };
        let object = item.iter().find(|(key, _)| is(key, self.word)).map(|(_, object)| object);
        let Some(Node { span, value: Value::Mapping(entries), .. }) = object else { return error };
        if !error.is_map || error.span != Some(*span) {
            return error;
        }
        let word = self.word;
        let (beside, others): (Vec<_>, Vec<_>) =
            entries.iter().partition(|(key, _)| read.iter().any(|name| is(key, name)));
        let keys: Vec<String> = beside.iter().map(|(key, _)| key.to_string()).collect();
        let keys = wording::list(keys.iter().map(String::as_str));
        let up = match beside[..] {
            [] => None,
            _ => Some(format!("move {keys} up, beside `{word}`")),
        };
        let object = match others[..] {
            [(_, object)] if !matches!(object.value, Value::Mapping(_) | Value::Null) => {
                Some(format!("write `{word}: {}`", wording::short(&object.to_string())))
            }
            _ => None,
        };
        let helps: Vec<String> = object.into_iter().chain(up).collect();
        if helps.is_empty() { error } else { Error { help: helps.join(", and "), ..error } }
    }

    /// A key that may not stand beside the word.
    fn does_not_belong(&self, key: &Node, read: &[&'static str]) -> Error {
        let (name, word) = (key.to_string(), self.word);
        let beside: Vec<&str> = read.iter().copied().filter(|name| *name != word).collect();
        let help = wording::suggest(&name, beside.iter().copied()).unwrap_or_else(|| match beside[..] {
            [] => format!("nothing may stand beside `{word}`"),
            _ => format!("beside `{word}` there may be {}", wording::list(beside.iter().copied())),
        });
        let mut error = Error::of(format!("`{}` does not belong to `{word}`", wording::short(&name)), help);
        error.superfluous = true;
        error.unknown = Some(Box::new(UnknownKey { name, known: read.to_vec() }));
        error.at(key, None)
    }
}

/// The keys of an item that a struct asks for.
#[derive(Clone, Copy)]
struct Keys<'de, 'item> {
    node: &'de Node,
    /// Every key that was asked for, whether it is there or not.
    read: &'item RefCell<Vec<&'static str>>,
}

impl<'de> Deserializer<'de> for Keys<'de, '_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.read.borrow_mut().extend(fields.iter().filter(|field| !field.starts_with(GROUP)));
        // Groups first, so that all keys that may stand here are known when one of them is wrong.
        let (groups, keys): (Vec<_>, Vec<_>) = fields.iter().partition(|field| field.starts_with(GROUP));
        let fields = groups.into_iter().chain(keys).copied().collect::<Vec<_>>().into_iter();
        visitor.visit_map(Fields { keys: self, fields, value: None })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("an item is a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> Keys<'de, '_> {
    /// What stands after a key, if the key is there.
    fn part(&self, name: &str) -> Option<Part<'de>> {
        match &self.node.value {
            Value::Mapping(entries) => entries
                .iter()
                .find(|(key, _)| is(key, name))
                .map(|(key, node)| Part { node, key: Some(key.span) }),
            _ => is(self.node, name).then_some(Part { node: &NOTHING, key: Some(self.node.span) }),
        }
    }
}

/// The fields of a struct, each from a key or, if it is a group, from several.
struct Fields<'de, 'item> {
    keys: Keys<'de, 'item>,
    fields: std::vec::IntoIter<&'static str>,
    /// What the field given last is read from; a group if it is `None`.
    value: Option<Part<'de>>,
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let keys = self.keys;
        let field = self.fields.find(|field| field.starts_with(GROUP) || keys.part(field).is_some());
        let Some(field) = field else { return Ok(None) };
        self.value = self.keys.part(field);
        let name: StrDeserializer<'_, Error> = field.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(part) => part.place(seed.deserialize(part)),
            None => seed.deserialize(self.keys),
        }
    }
}
