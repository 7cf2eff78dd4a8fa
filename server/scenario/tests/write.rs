//! What is written loads as the same scenario.

use std::cell::Cell;
use std::time::Duration;

use halfopen_scenario::{Scenario, Setting, SettingValue, library, load, load_all, settings, write};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_yaml::Value;

const WHOLE: &str = include_str!("whole.yaml");

fn comes_back(scenario: &Scenario) {
    let text = write(scenario);
    let name = scenario.name();
    let read = load(&text).unwrap_or_else(|wrong| panic!("{}\n{text}", wrong.render(&name, &text, false)));
    assert_eq!(read.without_places(), scenario.clone().without_places(), "{name}\n{text}");
}

#[test]
fn bundled_scenarios_and_the_whole_language_come_back() {
    let whole = load_all(WHOLE).expect("right");
    let bundled = library::ALL.iter().flat_map(library::Bundled::scenarios);
    let scenarios: Vec<Scenario> = bundled.chain(whole).collect();
    assert!(scenarios.len() > 50);
    scenarios.iter().for_each(comes_back);
}

#[test]
fn a_text_is_written_as_a_person_would() {
    let text = "\
# Nobody answers.
#
# Two lines.
scenario: silence
title: \"Silence: what follows\"
hosts:
  client: {addresses: [192.0.2.1, \"fd00::1\"], ephemeral-ports: 40000-50000}
  \"2\": {profile: rfc9293, tcp: {keepalive: {idle: 2h}, rto: {initial: 1.5s}, user-timeout: off}}
network:
  latency: 61.5ms
  links:
    - between: [client, \"2\"]
      bandwidth: 1.5 Mbit/s
  middleboxes: {nat: {preset: aws-nlb}}
applications:
  \"2\": [listen: 80, accept, receive: 1 KiB, receive, {receive: end, timeout: 1m 15s}]
  client:
    - connect: \"192.0.2.9:81\"
      as: first
      may-fail: on
    - connect: \"2:80\"
      as: second
      error: ECONNREFUSED
    - repeat: [{send: 1 B, on: first}, wait: 250µs]
      times: 3
    - close:
      on: first
    - hold
faults:
  - drop: {}
    first: 2
  - delay: SYN
    by: 300ms
    at: 1s
expect:
  - \"2\": {states: [LISTEN, …, CLOSED], within: 1m 0.78s}
  - segments: {from: client, flags: only ACK}
    count: at least 2
    at: 5s ± 10ms
  - all-closed:
until: 2h 12m 30s
";
    let scenario = load(text).unwrap_or_else(|wrong| panic!("{}", wrong.render("text", text, false)));
    assert_eq!(write(&scenario), text);
}

/// A change of a document at one of its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    /// The part goes.
    Drop,
    /// An item of a list comes twice.
    Repeat,
    /// A word, a number or a quantity becomes one of its kind.
    Replace(usize),
}

#[test]
fn settings_have_paths_and_types_and_leave_out_what_is_expected() {
    let text = "\
scenario: settings
title: Whatever it is called
hosts:
  client: {profile: freebsd, tcp: {nagle: off, retries2: 5, mss: 1 KiB, user-timeout: off}}
  server: {}
network: {latency: 20ms}
applications:
  server: [listen: 80, accept, receive: end]
  client: [connect: server:80, {send: 10 B, every: 1s, times: 3}, close]
faults:
  - drop: {from: client, flags: FIN}
    nth: 1
expect:
  - client: {ends: CLOSED}
until: 1h
";
    let size = SettingValue::Size;
    let text_of = |text: &str| SettingValue::Text(text.to_owned());
    let time = |millis| SettingValue::Duration(Duration::from_millis(millis));
    let expected = [
        ("hosts.client.profile", text_of("freebsd")),
        ("hosts.client.tcp.nagle", SettingValue::Switch(false)),
        ("hosts.client.tcp.retries2", SettingValue::Number(5)),
        ("hosts.client.tcp.user-timeout", text_of("off")),
        ("hosts.client.tcp.mss", size(1024)),
        ("network.latency", time(20)),
        ("applications.server[0].listen", SettingValue::Number(80)),
        ("applications.server[1]", text_of("accept")),
        ("applications.server[2].receive", text_of("end")),
        ("applications.client[0].connect", text_of("server:80")),
        ("applications.client[1].send", size(10)),
        ("applications.client[1].every", time(1000)),
        ("applications.client[1].times", SettingValue::Number(3)),
        ("applications.client[2]", text_of("close")),
        ("faults[0].drop.from", text_of("client")),
        ("faults[0].drop.flags", text_of("FIN")),
        ("faults[0].nth", SettingValue::Number(1)),
        ("until", time(3_600_000)),
    ];
    let expected = expected.map(|(path, value)| Setting { path: path.to_owned(), value });
    assert_eq!(settings(&load(text).expect("right")), expected);
}

/// How many parts a document has.
fn parts(value: &Value) -> usize {
    1 + match value {
        Value::Sequence(items) => items.iter().map(parts).sum(),
        Value::Mapping(entries) => entries.values().map(parts).sum(),
        _ => 0,
    }
}

/// Changes the part that `place` others come before. Whether it was there.
fn change(value: &mut Value, place: &mut usize, what: Change) -> bool {
    if let Some(rest) = place.checked_sub(1) {
        *place = rest;
    } else {
        if let (Change::Replace(choice), false) = (what, value.is_mapping() || value.is_sequence()) {
            let others = alike(value);
            *value = serde_yaml::from_str(others[choice % others.len()]).expect("YAML");
        }
        return true;
    }
    match value {
        Value::Sequence(items) => (0..items.len()).any(|index| {
            match (*place, what) {
                (0, Change::Drop) => _ = items.remove(index),
                (0, Change::Repeat) => items.insert(index, items[index].clone()),
                _ => return change(&mut items[index], place, what),
            }
            true
        }),
        Value::Mapping(entries) => entries.keys().cloned().collect::<Vec<_>>().into_iter().any(|key| {
            if (*place, what) == (0, Change::Drop) {
                entries.remove(&key);
                return true;
            }
            entries.get_mut(&key).is_some_and(|value| change(value, place, what))
        }),
        _ => false,
    }
}

/// Values that may stand where this one does.
fn alike(scalar: &Value) -> &'static [&'static str] {
    const DURATIONS: &[&str] =
        &["0s", "1ns", "250µs", "61.5ms", "1.5s", "1m 0.78s", "90min", "2h 0m 30s", "30d", "off", "never"];
    const SIZES: &[&str] = &[
        "0 B",
        "1 B",
        "100 B",
        "larger than 576 B",
        "1000 B",
        "1400 B",
        "1.5 KiB",
        "64 KiB",
        "1 MB",
        "1 GiB",
    ];
    const SHARES: &[&str] = &["0.0001%", "1%", "2.5%", "99.9%", "100%", "off"];
    const RATES: &[&str] = &["1 kbit/s", "1.5 Mbit/s", "1.234567 Mbit/s", "100 Gbit/s", "unlimited"];
    const WINDOWS: &[&str] =
        &["0s", "5s", "5s ± 1ns", "1m 0.5s ± 250µs", "within 90s", "under 3h", "1s ± 2s"];
    const NUMBERS: &[&str] = &["0", "1", "2", "3", "7", "15", "100", "40001", "65535", "-5", "snd.nxt - 1"];
    const WORDS: &[&str] = &[
        "client",
        "server",
        "other",
        "nat",
        "first",
        "pool-1",
        "SYN",
        "only ACK",
        "FIN+ACK",
        "ESTABLISHED",
        "CLOSE-WAIT",
        "ECONNRESET",
        "on",
        "off",
        "end",
        "read",
        "write",
        "any",
        "none",
        "dead",
        "silent",
        "linux",
        "freebsd",
        "cubic",
        "pareto",
        "normal",
        "payload",
        "host",
        "port",
        "net",
        "drop",
        "adopt",
        "reset-both",
        "at least 2",
        "at most 2",
        "100 segments",
        "'9293'",
        "'true'",
        "'a: b, c'",
        "' #'",
        "'\"q\" \\'",
        "\"\\t\\n\"",
        "'ünï – …'",
        "'{a}'",
    ];
    let text = match scalar {
        Value::Number(_) => return NUMBERS,
        Value::String(text) => text.as_str(),
        _ => return WORDS,
    };
    match text {
        _ if halfopen_units::parse_duration(text).is_ok() => DURATIONS,
        _ if text.ends_with('B') => SIZES,
        _ if text.ends_with('%') => SHARES,
        _ if text.ends_with("bit/s") => RATES,
        _ if text.contains('±') || text.starts_with("within ") || text.starts_with("under ") => WINDOWS,
        _ => WORDS,
    }
}

/// A change, and where.
fn changes() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let what = prop_oneof![
        1 => Just(Change::Drop),
        1 => Just(Change::Repeat),
        4 => any::<usize>().prop_map(Change::Replace),
    ];
    (any::<prop::sample::Index>(), what)
}

#[test]
fn scenarios_that_are_changed_at_random_come_back() {
    let mut texts: Vec<&str> = library::ALL.iter().map(|bundled| bundled.text).collect();
    // The whole language has more to be changed than any other.
    texts.extend(std::iter::repeat_n(WHOLE, texts.len()));
    let config = Config::default();
    let cases = config.cases;
    let mut runner = TestRunner::new(config);
    let loaded = Cell::new(0_u32);
    let plan = (prop::sample::select(texts), prop::collection::vec(changes(), 1..3));
    runner
        .run(&plan, |(text, plan)| {
            let mut document: Value = serde_yaml::from_str(text).expect("YAML");
            for (place, what) in plan {
                let mut place = place.index(parts(&document));
                change(&mut document, &mut place, what);
            }
            let text = serde_yaml::to_string(&document).expect("YAML");
            if let Ok(scenarios) = load_all(&text) {
                loaded.set(loaded.get() + 1);
                scenarios.iter().for_each(comes_back);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(loaded.get() > cases / 4, "only {} of {cases} changed texts load", loaded.get());
}
