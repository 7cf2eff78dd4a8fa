//! From scenario to settings: what decides how its run goes, as a list.

use std::time::Duration;

use super::Writer;
use super::yaml::{Map, Yaml};
use crate::Scenario;

/// A setting of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where a text has it, as a path through the document: `hosts.server.tcp.keepalive.idle`, `faults[0].drop.from`.
    pub path: String,
    /// Its value.
    pub value: SettingValue,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// The last word of the path says it all: `close` of a step.
    Nothing,
    /// A name, another text or a form of the language: `freebsd`, `SYN+ACK`, `0.5%`.
    Text(String),
    /// `on` or `off`.
    Switch(bool),
    /// A number.
    Number(u64),
    /// A time.
    Duration(Duration),
    /// A size in octets.
    Size(u64),
}

/// The settings of a scenario in the order of its text, as [`write`](super::write()) writes them. What holds by default is not
/// among them, nor is what has no effect on the run: its names, and what is expected of it.
pub fn settings(scenario: &Scenario) -> Vec<Setting> {
    let writer = Writer { scenario };
    let mut settings = Vec::new();
    in_map(&mut settings, "", &writer.circumstances().and(writer.end()));
    settings
}

fn in_map(settings: &mut Vec<Setting>, path: &str, map: &Map) {
    for (key, value) in map.entries() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        add(settings, path, value);
    }
}

fn add(settings: &mut Vec<Setting>, path: String, value: &Yaml) {
    let value = match value {
        Yaml::Map(map) => return in_map(settings, &path, map),
        Yaml::List(items) | Yaml::Lines(items) | Yaml::Rows(items) => {
            for (index, item) in items.iter().enumerate() {
                add(settings, format!("{path}[{index}]"), item);
            }
            return;
        }
        Yaml::Nothing => SettingValue::Nothing,
        Yaml::Word(text) | Yaml::Text(text) => SettingValue::Text(text.clone()),
        Yaml::Switch(on) => SettingValue::Switch(*on),
        Yaml::Number(number) => SettingValue::Number(*number),
        Yaml::Time(time) => SettingValue::Duration(*time),
        Yaml::Size(octets) => SettingValue::Size(*octets),
    };
    settings.push(Setting { path, value });
}
