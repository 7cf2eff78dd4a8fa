//! A YAML document as a tree that knows where everything stands.

use std::fmt;

use crate::Location;

/// Where something stands in the text, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// Of the whole text, from 0.
    pub(crate) start: u32,
    /// Of the whole text; the first that does not belong to it.
    pub(crate) end: u32,
    /// From 1.
    pub(crate) line: u32,
    /// From 1.
    pub(crate) column: u32,
}

impl Span {
    /// Whether another part of the text lies in this one.
    fn holds(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether this begins at a location.
    pub(crate) fn begins_at(self, location: &Location) -> bool {
        (self.line, self.column) == (location.line, location.column)
    }
}

/// A part of the document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
    /// Whether a part of it that was wrong has been taken out.
    pub(crate) pruned: bool,
}

/// What it is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    String(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    pub(crate) fn new(span: Span, value: Value) -> Node {
        Node { span, value, pruned: false }
    }

    /// Takes out what stands there, with its key if it is a value and with its value if it is a key. `needed` says whether
    /// the rest may lack it. Returns whether there was such a part.
    pub(crate) fn prune(&mut self, span: Span, needed: bool) -> bool {
        let before = self.len();
        match &mut self.value {
            Value::Sequence(items) => items.retain(|item| item.span != span),
            Value::Mapping(entries) => entries.retain(|(key, value)| key.span != span && value.span != span),
            _ => {}
        }
        if self.len() < before {
            self.pruned |= needed;
            return true;
        }
        match &mut self.value {
            Value::Sequence(items) => items.iter_mut().any(|item| item.prune(span, needed)),
            Value::Mapping(entries) => entries.iter_mut().any(|(_, value)| value.prune(span, needed)),
            _ => false,
        }
    }

    /// The value whose key stands there.
    pub(crate) fn value_of(&self, key_span: Span) -> Option<&Node> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find_map(
            |(key, value)| {
                if key.span == key_span { Some(value) } else { value.value_of(key_span) }
            },
        )
    }

    /// How many parts it has.
    pub(crate) fn len(&self) -> usize {
        match &self.value {
            Value::Sequence(items) => items.len(),
            Value::Mapping(entries) => entries.len(),
            _ => 0,
        }
    }

    /// How many parts it has with all that is in them, itself included.
    pub(crate) fn count(&self) -> usize {
        1 + match &self.value {
            Value::Sequence(items) => items.iter().map(Node::count).sum(),
            Value::Mapping(entries) => entries.iter().map(|(key, value)| key.count() + value.count()).sum(),
            _ => 0,
        }
    }

    /// The part that stands there.
    pub(crate) fn find(&self, span: Span) -> Option<&Node> {
        // What an alias refers to lies outside it; only then is everything searched.
        self.find_within(span, true).or_else(|| self.find_within(span, false))
    }

    fn find_within(&self, span: Span, inside: bool) -> Option<&Node> {
        if self.span == span {
            return Some(self);
        }
        if inside && !self.span.holds(span) {
            return None;
        }
        match &self.value {
            Value::Sequence(items) => items.iter().find_map(|item| item.find_within(span, inside)),
            Value::Mapping(entries) => entries.iter().find_map(|(key, value)| {
                key.find_within(span, inside).or_else(|| value.find_within(span, inside))
            }),
            _ => None,
        }
    }

    /// The way from here to what stands there: `faults[0].drop.from`. A key's is that of its value.
    pub(crate) fn path_to(&self, span: Span) -> Option<String> {
        self.path_within(span, true).or_else(|| self.path_within(span, false))
    }

    fn path_within(&self, span: Span, inside: bool) -> Option<String> {
        if self.span == span {
            return Some(String::new());
        }
        if inside && !self.span.holds(span) {
            return None;
        }
        match &self.value {
            Value::Sequence(items) => items.iter().enumerate().find_map(|(index, item)| {
                Some(format!("[{index}]{}", joined(&item.path_within(span, inside)?)))
            }),
            Value::Mapping(entries) => entries.iter().find_map(|(key, value)| {
                let rest = if key.span == span { String::new() } else { value.path_within(span, inside)? };
                Some(format!("{key}{}", joined(&rest)))
            }),
            _ => None,
        }
    }
}

/// A path as it goes on after a key or an index.
fn joined(rest: &str) -> String {
    if rest.is_empty() || rest.starts_with('[') { rest.to_owned() } else { format!(".{rest}") }
}

/// On one line, braces only where they are needed: `send: 1 KiB, every: 1s`.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Mapping(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    match &value.value {
                        Value::Null => write!(f, "{comma}{key}")?,
                        Value::Mapping(_) => write!(f, "{comma}{key}: {{{value}}}")?,
                        _ => write!(f, "{comma}{key}: {value}")?,
                    }
                }
                Ok(())
            }
            Value::Sequence(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    match &item.value {
                        Value::Mapping(entries) if entries.len() != 1 => write!(f, "{comma}{{{item}}}")?,
                        _ => write!(f, "{comma}{item}")?,
                    }
                }
                f.write_str("]")
            }
            Value::Null => Ok(()),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::String(value) => f.write_str(value),
        }
    }
}
