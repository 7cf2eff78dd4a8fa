//! What two events of one kind differ in, field by field.

use std::collections::{BTreeMap, BTreeSet};

use halfopen_proto::v1::Event;
use serde_json::Value;

use super::outcome::Changed;

/// The fields that differ, in the order of their names; none if the events are of different kinds, or equal.
pub(super) fn fields(a: &Event, b: &Event) -> Vec<Changed> {
    let kind = |event: &Event| event.kind.as_ref().map(std::mem::discriminant);
    if kind(a) != kind(b) {
        return Vec::new();
    }
    let (a, b) = (flat(a), flat(b));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let value =
        |fields: &BTreeMap<String, String>, name: &String| fields.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| Changed { what: name.clone(), a: value(&a, name), b: value(&b, name) })
        .filter(|field| field.a != field.b)
        .collect()
}

/// The fields of an event by their names in words; those of its kind without the kind's.
fn flat(event: &Event) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Ok(Value::Object(object)) = serde_json::to_value(event) {
        for (name, value) in object {
            match value {
                Value::Object(of_kind) => {
                    for (name, value) in of_kind {
                        add(&mut fields, words(&name), value);
                    }
                }
                value => add(&mut fields, words(&name), value),
            }
        }
    }
    fields
}

fn add(fields: &mut BTreeMap<String, String>, name: String, value: Value) {
    match value {
        Value::Object(object) => {
            for (part, value) in object {
                add(fields, format!("{name}, {}", words(&part)), value);
            }
        }
        Value::String(text) => {
            fields.insert(name, constant(&text));
        }
        value => {
            fields.insert(name, value.to_string());
        }
    }
}

/// `relativeSequenceNumber` as `relative sequence number`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// `TCP_STATE_LAST_ACK` as `LAST-ACK`; other text as it is.
fn constant(text: &str) -> String {
    const ENUMS: [&str; 18] = [
        "FAULT_KIND_",
        "FAULT_PHASE_",
        "LOSS_REASON_",
        "MIDDLEBOX_LOSS_REASON_",
        "OTHER_CAUSE_",
        "SEGMENT_FIELD_",
        "STEP_KIND_",
        "TCP_CALL_",
        "TCP_DROP_REASON_",
        "TCP_STATE_",
        "TCP_TIMER_",
        "TCP_PURPOSE_",
        "TIMER_CHANGE_",
        "KEEPALIVE_VERDICT_",
        "MIDDLEBOX_CHANGE_",
        "MIDDLEBOX_STATE_",
        "HOST_STATE_",
        "UNREACHABLE_CODE_",
    ];
    let name = ENUMS.iter().find_map(|prefix| text.strip_prefix(prefix));
    name.map_or_else(|| text.to_owned(), |name| name.replace('_', "-"))
}
