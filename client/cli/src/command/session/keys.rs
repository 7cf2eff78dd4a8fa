//! The keys of mappings in a line, from the schema of scenarios: those of faults and of options.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::doc::alternatives;

/// What the schema calls a fault, and the options of a socket.
pub(super) const FAULT: &str = "Fault";
pub(super) const OPTIONS: &str = "Options";

/// How deep alternatives may lie within each other.
const MAX_DEPTH: usize = 16;

/// The schema of scenarios.
pub(super) struct Keys(Value);

/// A mapping that is being written.
#[derive(Default)]
struct Open<'a> {
    used: Vec<&'a str>,
    /// The key whose value comes next.
    key: Option<&'a str>,
}

impl Keys {
    pub(super) fn new() -> Keys {
        // Without a schema, there are no keys to complete.
        Keys(serde_json::from_str(&halfopend::schema()).unwrap_or_default())
    }

    /// Where the last word of `text` begins, and which keys may stand there, sorted. `text` is the beginning of a mapping that the schema
    /// calls `called`; its outer braces may be missing.
    pub(super) fn next<'a>(&'a self, called: &str, text: &str) -> (usize, Vec<&'a str>) {
        let mut open = vec![Open::default()];
        let mut begin = 0;
        for (at, mark) in text.match_indices(['{', '}', ':', ',']) {
            let Some(inner) = open.last_mut() else { return (begin, Vec::new()) };
            match mark {
                ":" if inner.key.is_none() => inner.key = Some(text[begin..at].trim()),
                // One of an address.
                ":" => {}
                "," => inner.used.extend(inner.key.take()),
                "{" if at > text.len() - text.trim_start().len() => open.push(Open::default()),
                "{" => {}
                _ => drop(open.pop()),
            }
            begin = at + 1;
        }
        begin += text[begin..].len() - text[begin..].trim_start().len();
        let Some((last, around)) = open.split_last() else { return (begin, Vec::new()) };
        if last.key.is_some() {
            return (begin, Vec::new());
        }
        let mut forms = self.forms(&self.0["definitions"][called], MAX_DEPTH);
        for Open { used, key } in around {
            let key = key.unwrap_or_default();
            let inner =
                forms.iter().filter(|form| has_all(form, used)).filter_map(|form| form.properties.get(key));
            forms = inner.flat_map(|schema| self.forms(schema, MAX_DEPTH)).collect();
        }
        let fitting = forms.iter().filter(|form| has_all(form, &last.used));
        let keys: BTreeSet<&str> = fitting.flat_map(|form| form.next(&last.used)).collect();
        (begin, keys.into_iter().collect())
    }

    /// The forms of a mapping that a schema allows.
    fn forms<'a>(&'a self, schema: &'a Value, depth: usize) -> Vec<Form<'a>> {
        let Some(depth) = depth.checked_sub(1) else { return Vec::new() };
        let mut forms = Vec::new();
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            forms.extend(self.forms(&self.0["definitions"][name], depth));
        }
        forms.extend(alternatives(schema).flat_map(|either| self.forms(either, depth)));
        if let Some(properties) = schema["properties"].as_object() {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            forms.push(Form { properties, required: required.collect() });
        }
        forms
    }
}

/// A form of a mapping.
struct Form<'a> {
    properties: &'a Map<String, Value>,
    required: Vec<&'a str>,
}

impl<'a> Form<'a> {
    /// The keys that may come next: first those that must be there, which say what it is.
    fn next(&self, used: &[&str]) -> Vec<&'a str> {
        let missing: Vec<&str> = self.required.iter().copied().filter(|key| !used.contains(key)).collect();
        if !missing.is_empty() {
            return missing;
        }
        self.properties.keys().map(String::as_str).filter(|key| !used.contains(key)).collect()
    }
}

fn has_all(form: &Form<'_>, keys: &[&str]) -> bool {
    keys.iter().all(|key| form.properties.contains_key(*key))
}

#[cfg(test)]
mod tests {
    use super::super::options;
    use super::*;

    #[test]
    fn the_keys_that_may_come_next_follow_from_those_before() {
        let keys = Keys::new();
        let all = |called: &str, text: &str| keys.next(called, text);
        let (begin, words) = all(FAULT, "{");
        assert_eq!(begin, 1);
        assert!(
            words.contains(&"drop") && words.contains(&"power-loss") && !words.contains(&"first"),
            "{words:?}"
        );
        for (text, begin, next, none) in [
            ("", 0, "drop", "first"),
            ("{dr", 1, "drop", "at"),
            ("drop: FIN, ", 11, "first", "drop"),
            ("{drop: FIN, first: 1, ev", 22, "every", "first"),
            ("{drop: {flags: SYN, ", 20, "from", "flags"),
            ("{drop: {flags: SYN}, ", 21, "first", "flags"),
            ("{at: 1s, ", 9, "power-loss", "at"),
            ("{move-address: fd00::1, ", 24, "to", "move-address"),
        ] {
            let (at, words) = all(FAULT, text);
            assert!(at == begin && words.contains(&next) && !words.contains(&none), "{text}: {at} {words:?}");
        }
        for text in ["{drop: ", "{drop: FI", "{drop: FIN}", "}", "{power-loss: {", "{nonsense: 1, "] {
            assert_eq!(all(FAULT, text).1, Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn options_are_those_of_scenarios() {
        let keys = Keys::new();
        let known: BTreeSet<&str> = options::KEYS.into_iter().collect();
        let next = |text| keys.next(OPTIONS, text).1.into_iter().collect::<BTreeSet<&str>>();
        assert_eq!(next("{"), known);
        assert_eq!(next("{keepalive: {"), BTreeSet::from(["idle", "interval", "probes"]));
    }
}
