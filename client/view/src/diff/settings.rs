//! The settings in which two runs differ.

use std::fmt;

use halfopen_proto::v1::{RunStarted, Setting, setting::Value};
use halfopen_units::format_size;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::outcome::Changed;
use crate::record::RunRecord;
use crate::words;

/// The settings that differ, in the order of the scenarios. None if a run was recorded by a server that does not report
/// them; profiles are always known.
pub(super) fn settings(a: &RunRecord, b: &RunRecord) -> Vec<Changed> {
    let (Some(a), Some(b)) = (a.started(), b.started()) else { return Vec::new() };
    let reported = !a.settings.is_empty() && !b.settings.is_empty();
    let mut changed = Vec::new();
    maps(&mut changed, "", &tree(a, reported), &tree(b, reported));
    changed
}

/// A part of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Part {
    Value(String),
    List(Vec<Part>),
    Map(Vec<(String, Part)>),
}

/// How deep the settings of a scenario can be nested; other paths are not ours.
const MAX_DEPTH: usize = 32;

/// The settings as the tree that their paths are of.
fn tree(started: &RunStarted, with_settings: bool) -> Vec<(String, Part)> {
    let profiles =
        started.hosts.iter().map(|host| (format!("hosts.{}.profile", host.name), host.profile.clone()));
    let settings = started.settings.iter().filter(|_| with_settings);
    let settings = settings.map(|setting| (setting.path.clone(), value(setting)));
    let mut entries = Vec::new();
    for (path, value) in profiles.chain(settings) {
        if path.matches(['.', '[']).count() < MAX_DEPTH {
            put(&mut entries, &path, Part::Value(value));
        }
    }
    entries
}

/// Puts a part where a path leads that begins with a key: `hosts.client.profile`.
fn put(entries: &mut Vec<(String, Part)>, path: &str, part: Part) {
    let (key, rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    match entries.iter_mut().find(|(known, _)| known == key) {
        Some((_, known)) => known.put(rest, part),
        None => {
            let mut new = Part::Map(Vec::new());
            new.put(rest, part);
            entries.push((key.to_owned(), new));
        }
    }
}

/// A value as the scenario language has it.
fn value(setting: &Setting) -> String {
    match &setting.value {
        None => String::new(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Enabled(on)) => if *on { "on" } else { "off" }.to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Duration(time)) => words::duration(words::from_proto(Some(time))),
        Some(Value::Bytes(bytes)) => format_size(*bytes),
    }
}

impl Part {
    /// Puts a part where a path leads that goes on from here: `.client.profile`, `[0].drop`. Items come in order.
    fn put(&mut self, path: &str, part: Part) {
        if let Some(path) = path.strip_prefix('.') {
            if !matches!(self, Part::Map(_)) {
                *self = Part::Map(Vec::new());
            }
            if let Part::Map(entries) = self {
                put(entries, path, part);
            }
        } else if let Some((index, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) {
            if !matches!(self, Part::List(_)) {
                *self = Part::List(Vec::new());
            }
            if let Part::List(items) = self {
                if index.parse().is_ok_and(|index: usize| index >= items.len()) {
                    items.push(Part::Map(Vec::new()));
                }
                if let Some(item) = items.last_mut() {
                    item.put(rest, part);
                }
            }
        } else {
            *self = part;
        }
    }

    /// The word that a step or a fault begins with.
    fn word(&self) -> Option<&str> {
        match self {
            Part::Map(entries) => entries.first().map(|(key, _)| key.as_str()),
            Part::Value(_) | Part::List(_) => None,
        }
    }
}

/// On one line, as in a text: `drop: {from: client, flags: FIN}, nth: 1`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Value(value) => f.write_str(value),
            Part::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    match item {
                        Part::Map(entries) if entries.len() != 1 => write!(f, "{comma}{{{item}}}")?,
                        _ => write!(f, "{comma}{item}")?,
                    }
                }
                f.write_str("]")
            }
            Part::Map(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    match value {
                        Part::Value(value) if value.is_empty() => write!(f, "{comma}{key}")?,
                        Part::Map(_) => write!(f, "{comma}{key}: {{{value}}}")?,
                        _ => write!(f, "{comma}{key}: {value}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// What differs between two maps: the keys of the one in their order, then those that only the other has.
fn maps(changed: &mut Vec<Changed>, path: &str, a: &[(String, Part)], b: &[(String, Part)]) {
    let only_b = b.iter().filter(|(key, _)| find(a, key).is_none());
    for (key, _) in a.iter().chain(only_b) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        parts(changed, path, find(a, key), find(b, key));
    }
}

fn find<'a>(entries: &'a [(String, Part)], key: &str) -> Option<&'a Part> {
    entries.iter().find_map(|(known, part)| (known == key).then_some(part))
}

/// What differs between two lists: items are compared with those that take their place.
fn lists(changed: &mut Vec<Changed>, path: &str, a: &[Part], b: &[Part]) {
    for step in capture_diff_slices(Algorithm::Myers, a, b) {
        if matches!(step, DiffOp::Equal { .. }) {
            continue;
        }
        let (old, new) = (step.old_range(), step.new_range());
        for index in 0..old.len().max(new.len()) {
            let (one, other) = (a[old.clone()].get(index), b[new.clone()].get(index));
            let place = if one.is_some() { old.start } else { new.start } + index;
            parts(changed, format!("{path}[{place}]"), one, other);
        }
    }
}

fn parts(changed: &mut Vec<Changed>, path: String, a: Option<&Part>, b: Option<&Part>) {
    match (a, b) {
        (a, b) if a == b => {}
        (Some(Part::List(a)), Some(Part::List(b))) => lists(changed, &path, a, b),
        // Another word is something else altogether.
        (Some(one @ Part::Map(a)), Some(other @ Part::Map(b)))
            if !path.ends_with(']') || one.word() == other.word() =>
        {
            maps(changed, &path, a, b);
        }
        (a, b) => {
            let text = |part: Option<&Part>| part.map(ToString::to_string).unwrap_or_default();
            changed.push(Changed { what: path, a: text(a), b: text(b) });
        }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_proto::Duration;
    use halfopen_proto::v1::{Event, Host, event::Kind};

    use super::*;

    /// A run that began with these settings.
    fn run(profile: &str, settings: &[(&str, Value)]) -> RunRecord {
        let host = Host { name: "client".into(), profile: profile.into(), ..Host::default() };
        let setting = |(path, value): &(&str, Value)| Setting {
            path: (*path).to_owned(),
            value: Some(value.clone()).filter(|value| *value != text("")),
        };
        let started = RunStarted {
            hosts: vec![host],
            settings: settings.iter().map(setting).collect(),
            ..RunStarted::default()
        };
        let kind = Some(Kind::RunStarted(started.into()));
        RunRecord {
            events: vec![Event { sequence: 1, kind, ..Event::default() }],
            ..RunRecord::new("x".into())
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn seconds(seconds: i64) -> Value {
        Value::Duration(Duration { seconds, nanos: 0 })
    }

    /// The differences, one a line.
    fn lines(a: &RunRecord, b: &RunRecord) -> Vec<String> {
        settings(a, b).iter().map(|Changed { what, a, b }| format!("{what}: {a} → {b}")).collect()
    }

    #[test]
    fn values_of_every_kind_are_said_as_the_language_says_them() {
        for (a, b, expected) in [
            (text("cubic"), text("newreno"), "cubic → newreno"),
            (Value::Enabled(true), Value::Enabled(false), "on → off"),
            (Value::Number(3), Value::Number(5), "3 → 5"),
            (seconds(7200), seconds(60), "2h → 1m"),
            (Value::Bytes(1024), Value::Bytes(1000), "1 KiB → 1000 B"),
            // Another kind is another value, even if it reads alike.
            (text("on"), Value::Bytes(1), "on → 1 B"),
        ] {
            let path = "hosts.client.tcp.x";
            let found = lines(&run("linux", &[(path, a)]), &run("linux", &[(path, b)]));
            assert_eq!(found, [format!("{path}: {expected}")]);
        }
    }

    #[test]
    fn a_part_that_only_one_has_is_said_whole_and_in_its_place() {
        let a = [("network.latency", seconds(1)), ("until", seconds(9))];
        let b = [
            ("network.latency", seconds(1)),
            ("network.loss.chance", text("5%")),
            ("network.loss.bursts", text("10")),
            ("until", seconds(9)),
        ];
        let expected = ["network.loss:  → chance: 5%, bursts: 10"];
        assert_eq!(lines(&run("linux", &a), &run("linux", &b)), expected);
    }

    #[test]
    fn items_of_lists_are_compared_with_those_that_take_their_place() {
        let (close, server) = (("applications.client[2].close", text("")), "applications.client[0].connect");
        let a = [
            (server, text("server:80")),
            ("applications.client[1].send", Value::Bytes(1024)),
            close.clone(),
            ("faults[0].drop.flags", text("FIN")),
            ("faults[0].nth", Value::Number(1)),
        ];
        let b = [
            (server, text("server:80")),
            ("applications.client[1].send", Value::Bytes(2048)),
            ("applications.client[1].every", seconds(1)),
            ("applications.client[2].abort", text("")),
            ("faults[0].delay.flags", text("SYN")),
            ("faults[1].drop.flags", text("FIN")),
            ("faults[1].nth", Value::Number(1)),
        ];
        let expected = [
            "applications.client[1].send: 1 KiB → 2 KiB",
            "applications.client[1].every:  → 1s",
            "applications.client[2]: close → abort",
            "faults[0]:  → delay: {flags: SYN}",
        ];
        assert_eq!(lines(&run("linux", &a), &run("linux", &b)), expected);
    }

    #[test]
    fn an_older_server_reports_no_settings_but_profiles() {
        let (old, new) = (run("linux", &[]), run("macos", &[("until", seconds(9))]));
        assert_eq!(lines(&old, &new), ["hosts.client.profile: linux → macos"]);
        assert_eq!(lines(&new, &new), [""; 0]);
    }

    #[test]
    fn paths_that_are_none_do_no_harm() {
        let odd = ["", ".", "[", "[0", "[0]", "a[7].b", "a.b[0]", "a[x]", &"a[0]".repeat(50_000)];
        let settings = odd.map(|path| (path, text("x")));
        let usual = run("linux", &[("until", seconds(9))]);
        assert!(!lines(&run("linux", &settings), &usual).is_empty());
        let mut long = usual.clone();
        if let Some(Kind::RunStarted(started)) = &mut long.events[0].kind {
            started.hosts[0].name = "a.".repeat(50_000);
        }
        assert!(!lines(&long, &usual).is_empty());
    }
}
