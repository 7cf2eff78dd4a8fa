//! YAML as a person writes it: what fits on a line stands on it, in brackets; the rest is indented.

use std::fmt;
use std::time::Duration;

use halfopen_units::{format_duration, format_size};

/// How long a line may be for what is in brackets.
const WIDTH: usize = 100;

/// A part of a document.
#[derive(Clone, Debug)]
pub(super) enum Yaml {
    /// What follows a word that stands alone.
    Nothing,
    /// A word or a form of the language, which needs no quotes.
    Word(String),
    /// Any text.
    Text(String),
    /// `on` or `off`.
    Switch(bool),
    Number(u64),
    Time(Duration),
    /// Octets.
    Size(u64),
    /// A list.
    List(Vec<Yaml>),
    /// A list whose items begin on lines of their own.
    Lines(Vec<Yaml>),
    /// A list that has each item on one line, in brackets, however long that is.
    Rows(Vec<Yaml>),
    Map(Map),
}

/// A map in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Map(Vec<(String, Yaml)>);

impl Map {
    pub(super) fn new() -> Map {
        Map::default()
    }

    /// With one entry more.
    pub(super) fn with(mut self, key: &str, value: impl Into<Yaml>) -> Map {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// With one entry more, if there is a value.
    pub(super) fn maybe<T: Into<Yaml>>(self, key: &str, value: Option<T>) -> Map {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// With one entry more, unless it says what holds anyway.
    pub(super) fn unless<T: Into<Yaml> + PartialEq>(self, default: &T, key: &str, value: T) -> Map {
        if value == *default { self } else { self.with(key, value) }
    }

    /// With `key: on` if it is on.
    pub(super) fn on(self, key: &str, on: bool) -> Map {
        if on { self.with(key, on) } else { self }
    }

    /// With these entries too.
    pub(super) fn and(mut self, other: Map) -> Map {
        self.0.extend(other.0);
        self
    }

    /// Its entries, in order.
    pub(super) fn entries(&self) -> &[(String, Yaml)] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An item of a list: a word that stands alone is only that word.
    pub(super) fn item(self) -> Yaml {
        match &self.0[..] {
            [(word, Yaml::Nothing)] => Yaml::Word(word.clone()),
            _ => Yaml::Map(self),
        }
    }
}

impl From<Map> for Yaml {
    fn from(map: Map) -> Yaml {
        Yaml::Map(map)
    }
}

impl From<&str> for Yaml {
    fn from(word: &str) -> Yaml {
        Yaml::Word(word.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(word: String) -> Yaml {
        Yaml::Word(word)
    }
}

impl From<bool> for Yaml {
    fn from(on: bool) -> Yaml {
        Yaml::Switch(on)
    }
}

impl From<u32> for Yaml {
    fn from(number: u32) -> Yaml {
        Yaml::Number(number.into())
    }
}

impl From<u64> for Yaml {
    fn from(number: u64) -> Yaml {
        Yaml::Number(number)
    }
}

impl From<Duration> for Yaml {
    fn from(duration: Duration) -> Yaml {
        Yaml::Time(duration)
    }
}

/// A document.
impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.0 {
            entry(f, 0, key, value)?;
        }
        Ok(())
    }
}

/// An entry of a map, whose line is indented already.
fn entry(f: &mut fmt::Formatter<'_>, indent: usize, key: &str, value: &Yaml) -> fmt::Result {
    let key = text(key, true);
    write!(f, "{key}:")?;
    if let Some(scalar) = scalar(value, false) {
        return writeln!(f, " {scalar}");
    }
    match on_a_line(value).filter(|line| indent + key.chars().count() + line.chars().count() <= WIDTH) {
        Some(line) => writeln!(f, " {line}"),
        None => {
            f.write_str("\n")?;
            block(f, indent + 2, value)
        }
    }
}

/// A list or a map on lines of its own.
fn block(f: &mut fmt::Formatter<'_>, indent: usize, value: &Yaml) -> fmt::Result {
    match value {
        Yaml::Map(Map(entries)) => {
            for (key, value) in entries {
                write!(f, "{:indent$}", "")?;
                entry(f, indent, key, value)?;
            }
            Ok(())
        }
        Yaml::List(items) | Yaml::Lines(items) => items.iter().try_for_each(|item| {
            write!(f, "{:indent$}- ", "")?;
            list_item(f, indent + 2, item)
        }),
        Yaml::Rows(items) => items.iter().try_for_each(|item| writeln!(f, "{:indent$}- {}", "", row(item))),
        _ => Ok(()),
    }
}

/// An item on one line, in which a word that nothing follows stands alone.
fn row(item: &Yaml) -> String {
    let part = |entry: &(String, Yaml)| match entry {
        (word, Yaml::Nothing) => Some(word.clone()),
        _ => pairs(std::slice::from_ref(entry)),
    };
    match item {
        Yaml::Map(Map(entries)) => {
            format!("{{{}}}", entries.iter().filter_map(part).collect::<Vec<_>>().join(", "))
        }
        _ => on_a_line(item).unwrap_or_default(),
    }
}

/// An item of a list, right after its dash.
fn list_item(f: &mut fmt::Formatter<'_>, indent: usize, item: &Yaml) -> fmt::Result {
    if let Yaml::Map(Map(entries)) = item
        && let Some(((key, value), more)) = entries.split_first()
    {
        entry(f, indent, key, value)?;
        return more.iter().try_for_each(|(key, value)| {
            write!(f, "{:indent$}", "")?;
            entry(f, indent, key, value)
        });
    }
    writeln!(f, "{}", on_a_line(item).unwrap_or_default())
}

/// What is neither a list nor a map.
fn scalar(value: &Yaml, in_brackets: bool) -> Option<String> {
    match value {
        Yaml::Word(word) => Some(word.clone()),
        Yaml::Text(value) => Some(text(value, in_brackets)),
        Yaml::Switch(on) => Some(if *on { "on" } else { "off" }.to_owned()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Time(time) => Some(format_duration(*time)),
        Yaml::Size(octets) => Some(format_size(*octets)),
        Yaml::Nothing | Yaml::List(_) | Yaml::Lines(_) | Yaml::Rows(_) | Yaml::Map(_) => None,
    }
}

/// In brackets, if that can be.
fn on_a_line(value: &Yaml) -> Option<String> {
    match value {
        Yaml::List(items) => {
            let item = |item: &Yaml| match item {
                Yaml::Map(Map(entries)) if entries.len() == 1 => pairs(entries),
                _ => on_a_line(item),
            };
            Some(format!("[{}]", items.iter().map(item).collect::<Option<Vec<_>>>()?.join(", ")))
        }
        Yaml::Map(Map(entries)) => Some(format!("{{{}}}", pairs(entries)?)),
        _ => scalar(value, true),
    }
}

fn pairs(entries: &[(String, Yaml)]) -> Option<String> {
    let pair = |(key, value): &(String, Yaml)| Some(format!("{}: {}", text(key, true), on_a_line(value)?));
    Some(entries.iter().map(pair).collect::<Option<Vec<_>>>()?.join(", "))
}

/// Text, in quotes if it could be read as something else.
fn text(text: &str, in_brackets: bool) -> String {
    let plain = |c: char| c.is_alphanumeric() || " -_./+();…–'§".contains(c) || (c == ',' && !in_brackets);
    let is_plain = text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(plain)
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// Words that YAML 1.2 reads as something else than text.
const RESERVED: [&str; 3] = ["true", "false", "null"];

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                quoted.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
