//! `halfopen doc`: what the keys of scenarios mean, from their JSON Schema.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;

use anstyle::Style;
use halfopen_view::columns::wrap;
use halfopen_view::words;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::{exit, output};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// How many places of a key are listed.
const PLACES: usize = 6;

/// What to explain.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A key such as `latency`, or the end of its path, such as `network.latency`
    key: Option<String>,
}

pub(super) fn execute(args: &Args) -> Result<u8, Failure> {
    let schema = schema()?;
    let keys = Reader::read(&schema);
    let mut out = output::stdout();
    match &args.key {
        None => {
            let top = || keys.iter().filter(|key| !key.path.contains('.'));
            let width = top().map(|key| key.path.len()).max().unwrap_or(0);
            for key in top() {
                let lines = wrap(key.description().split(' '), output::width().saturating_sub(width + 2));
                let lines = lines.join(&format!("\n{:width$}  ", ""));
                writeln!(out, "{BOLD}{:<width$}{BOLD:#}  {lines}", key.path)?;
            }
        }
        Some(wanted) => {
            let found: Vec<&Key<'_>> = keys.iter().filter(|key| key.is_called(wanted)).collect();
            if found.is_empty() {
                return Err(Failure::Usage(unknown(wanted, &keys)));
            }
            let reader = Reader { root: &schema, keys: Vec::new(), read: BTreeSet::new() };
            for (index, meaning) in meanings(&reader, &found).iter().enumerate() {
                let gap = if index == 0 { "" } else { "\n" };
                write!(out, "{gap}{}", meaning.text(output::width()))?;
            }
        }
    }
    out.flush()?;
    Ok(exit::PASSED)
}

/// The names of all keys, sorted.
pub(super) fn names() -> Vec<String> {
    let Ok(schema) = schema() else { return Vec::new() };
    let names: BTreeSet<String> = Reader::read(&schema).iter().map(|key| key.name().to_owned()).collect();
    names.into_iter().collect()
}

fn schema() -> Result<Value, Failure> {
    serde_json::from_str(&halfopend::schema())
        .map_err(|error| Failure::Usage(format!("the schema cannot be read: {error}")))
}

fn unknown(wanted: &str, keys: &[Key<'_>]) -> String {
    let last = wanted.rsplit('.').next().unwrap_or(wanted);
    let advice = match words::nearest(last, keys.iter().map(Key::name)) {
        Some(near) if near != last => format!("did you mean `{near}`?"),
        Some(near) => format!("`halfopen doc {near}` shows where it can stand"),
        None => "`halfopen doc` lists those at the top".to_owned(),
    };
    format!("scenarios have no key `{wanted}`; {advice}")
}

/// A key at one of its places.
struct Key<'a> {
    /// `network.links[].loss`
    path: String,
    value: &'a Value,
    /// The other keys of its mapping.
    beside: Vec<&'a str>,
}

impl Key<'_> {
    fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    /// Whether the path is this, or ends with it.
    fn is_called(&self, wanted: &str) -> bool {
        let (path, wanted) = (self.path.replace("[]", ""), wanted.replace("[]", ""));
        path.strip_suffix(&wanted).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    }

    fn description(&self) -> &str {
        self.value["description"].as_str().unwrap_or_default()
    }
}

/// Finds every key in a schema.
struct Reader<'a> {
    root: &'a Value,
    keys: Vec<Key<'a>>,
    /// The definitions that were read: the keys in each are listed where it is first used.
    read: BTreeSet<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(root: &'a Value) -> Vec<Key<'a>> {
        let mut reader = Reader { root, keys: Vec::new(), read: BTreeSet::new() };
        // What is nearer to the top comes first, so that a definition is read where it is most natural.
        let mut deeper = VecDeque::from([(root, String::new())]);
        while let Some((schema, path)) = deeper.pop_front() {
            reader.visit(schema, &path, &mut deeper);
        }
        reader.keys
    }

    fn definition(&self, reference: &str) -> &'a Value {
        &self.root["definitions"][reference.rsplit('/').next().unwrap_or_default()]
    }

    fn visit(&mut self, schema: &'a Value, path: &str, deeper: &mut VecDeque<(&'a Value, String)>) {
        if let Some(reference) = schema["$ref"].as_str()
            && self.read.insert(reference)
        {
            self.visit(self.definition(reference), path, deeper);
        }
        for either in alternatives(schema) {
            self.visit(either, path, deeper);
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (name, value) in properties.clone() {
            let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let beside = properties.clone().map(|(other, _)| other.as_str()).filter(|other| other != name);
            self.keys.push(Key { path: place.clone(), value, beside: beside.collect() });
            deeper.push_back((value, place));
        }
        for (inner, place) in [("additionalProperties", ".NAME"), ("items", "[]")] {
            if schema[inner].is_object() {
                deeper.push_back((&schema[inner], format!("{path}{place}")));
            }
        }
    }

    /// What may stand there, in words.
    fn forms(&self, schema: &Value, is_outermost: bool) -> Vec<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.forms(self.definition(reference), false);
        }
        let parts: Vec<String> = alternatives(schema).flat_map(|either| self.forms(either, false)).collect();
        if !parts.is_empty() {
            return parts;
        }
        if let Some(words) = schema["enum"].as_array() {
            return vec![quoted(words)];
        }
        if schema.get("const").is_some() {
            return vec![quoted(std::slice::from_ref(&schema["const"]))];
        }
        // The description of the outermost one says what the key means.
        self.of_type(schema, schema["description"].as_str().filter(|_| !is_outermost))
    }

    fn of_type(&self, schema: &Value, text: Option<&str>) -> Vec<String> {
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            Value::String(one) => vec![one.as_str()],
            _ => Vec::new(),
        };
        let form = |name: &str| match name {
            "string" => match schema["examples"].as_array() {
                Some(examples) => Some(format!("a text such as {}", quoted(examples))),
                None => Some("a text".to_owned()),
            },
            "integer" => Some(format!("a whole number{}", range(schema))),
            "number" => Some(format!("a number{}", range(schema))),
            "boolean" => Some("`true` or `false`".to_owned()),
            "array" => {
                let items = distinct(self.forms(&schema["items"], false));
                Some(if items.is_empty() {
                    "a list".to_owned()
                } else {
                    format!("a list of {}", items.join(", or "))
                })
            }
            "object" => Some(mapping(schema["properties"].as_object())),
            _ => None,
        };
        let form = |name: &str| match text {
            Some(text) if name != "object" && name != "null" => Some(text.to_owned()),
            _ => form(name),
        };
        types.into_iter().filter_map(form).collect()
    }
}

/// The schemas of which one or all apply.
pub(super) fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten()
}

fn quoted(words: &[Value]) -> String {
    let words = words.iter().filter(|word| !word.is_null());
    let words: Vec<String> = words
        .map(|word| format!("`{}`", word.as_str().map_or_else(|| word.to_string(), str::to_owned)))
        .collect();
    words.join(", ")
}

fn range(schema: &Value) -> String {
    match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" from {least}"),
        (None, Some(most)) => format!(" up to {most}"),
        (None, None) => String::new(),
    }
}

fn mapping(properties: Option<&Map<String, Value>>) -> String {
    match properties.map(|properties| properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ")) {
        Some(keys) if !keys.is_empty() => format!("a mapping with the keys {keys}"),
        _ => "a mapping".to_owned(),
    }
}

fn distinct(words: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct
}

/// What a key means, at all places where it means that.
struct Meaning<'a> {
    places: Vec<&'a str>,
    description: &'a str,
    forms: Vec<String>,
    /// The keys beside it at all of them.
    beside: Vec<&'a str>,
}

fn meanings<'a>(reader: &Reader<'_>, keys: &[&'a Key<'_>]) -> Vec<Meaning<'a>> {
    let mut meanings: Vec<Meaning<'a>> = Vec::new();
    for key in keys {
        let (description, forms) = (key.description(), distinct(reader.forms(key.value, true)));
        let same = |known: &&mut Meaning<'_>| known.description == description && known.forms == forms;
        match meanings.iter_mut().find(same) {
            Some(known) => {
                if !known.places.contains(&key.path.as_str()) {
                    known.places.push(&key.path);
                }
                known.beside.retain(|other| key.beside.contains(other));
            }
            None => {
                let (places, beside) = (vec![key.path.as_str()], key.beside.clone());
                meanings.push(Meaning { places, description, forms, beside });
            }
        }
    }
    meanings
}

impl Meaning<'_> {
    fn text(&self, width: usize) -> String {
        let Meaning { places, description, forms, beside } = self;
        let mut text = String::new();
        for place in places.iter().take(PLACES) {
            text.push_str(&format!("{BOLD}{place}{BOLD:#}\n"));
        }
        if let Some(more) = places.len().checked_sub(PLACES).filter(|more| *more > 0) {
            text.push_str(&format!("{DIM}and {}{DIM:#}\n", words::count(more as u64, "more place")));
        }
        let wrapped = |words: &str, indent: usize| {
            let lines = wrap(words.split(' '), width.saturating_sub(indent));
            lines.join(&format!("\n{:indent$}", ""))
        };
        text.push_str(&format!("  {}\n", wrapped(description, 2)));
        for (index, form) in forms.iter().enumerate() {
            text.push_str(&format!(
                "  {} {}\n",
                if index == 0 { "write" } else { "   or" },
                wrapped(form, 8)
            ));
        }
        // At the top everything is beside everything.
        if !beside.is_empty() && places.iter().any(|place| place.contains('.')) {
            text.push_str(&format!("  {DIM}beside it: {}{DIM:#}\n", wrapped(&beside.join(", "), 13)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_name_and_by_the_end_of_its_path() {
        let schema = schema().unwrap();
        let keys = Reader::read(&schema);
        let found = |wanted: &str| {
            let found: Vec<&Key<'_>> = keys.iter().filter(|key| key.is_called(wanted)).collect();
            let reader = Reader { root: &schema, keys: Vec::new(), read: BTreeSet::new() };
            meanings(&reader, &found).iter().map(|meaning| meaning.text(80)).collect::<String>()
        };
        assert!(found("latency").contains("network.latency"), "{}", found("latency"));
        assert_eq!(found("atency"), "");
        assert!(found("profile").contains("`linux`"), "{}", found("profile"));
        assert!(found("faults.drop").contains("beside it: "), "{}", found("faults.drop"));
        assert!(found("at").lines().all(|line| line.chars().count() <= 80), "{}", found("at"));
        assert_eq!(found("at").matches("faults[].at").count(), 1, "each place once: {}", found("at"));
        for key in &keys {
            assert!(!key.description().is_empty(), "{} has no description", key.path);
        }
        assert!(unknown("latencyy", &keys).contains("did you mean `latency`?"));
    }
}
