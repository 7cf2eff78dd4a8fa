//! Options of sockets, in the words of the scenario language.

use std::time::Duration;

use halfopen_proto::v1::SocketOptions;
use halfopen_units::{parse_duration, parse_size};
use halfopen_view::words::{self, to_proto};

use super::flow::{Map, Value};

/// The keys.
pub(super) const KEYS: [&str; 9] = [
    "keepalive",
    "nodelay",
    "cork",
    "user-timeout",
    "linger",
    "receive-buffer",
    "send-buffer",
    "notsent-lowat",
    "mss",
];

/// The keys of a keepalive.
const KEEPALIVE: [&str; 3] = ["idle", "interval", "probes"];

/// The options that a mapping sets.
pub(super) fn options(map: &Map) -> Result<SocketOptions, String> {
    let mut options = SocketOptions::default();
    for (key, value) in map {
        let text = match value {
            Value::Map(numbers) if key == "keepalive" => {
                keepalive(numbers, &mut options)?;
                continue;
            }
            Value::Map(_) => return Err(format!("`{key}` takes one value, without braces")),
            Value::Text(text) => text,
        };
        match key.as_str() {
            "keepalive" => options.keepalive = Some(switch(key, text)?),
            "nodelay" => options.nodelay = Some(switch(key, text)?),
            "cork" => options.cork = Some(switch(key, text)?),
            "user-timeout" => {
                let time = or_off(text, |text| duration(key, text))?;
                options.user_timeout = Some(to_proto(time.unwrap_or_default()));
            }
            "linger" => options.reset_on_close = Some(resets_on_close(text)?),
            "receive-buffer" => options.receive_buffer = Some(size(key, text)?),
            "send-buffer" => options.send_buffer = Some(size(key, text)?),
            "notsent-lowat" => {
                let size = or_off(text, |text| size(key, text))?;
                options.notsent_lowat = Some(size.unwrap_or_default());
            }
            "mss" => options.mss = Some(size(key, text)?),
            _ => return Err(unknown("option", key, &KEYS)),
        }
    }
    Ok(options)
}

fn keepalive(numbers: &Map, options: &mut SocketOptions) -> Result<(), String> {
    options.keepalive = Some(true);
    for (key, value) in numbers {
        let Value::Text(text) = value else {
            return Err(format!("`{key}` takes one value, without braces"));
        };
        match key.as_str() {
            "idle" => options.keepalive_idle = Some(to_proto(duration(key, text)?)),
            "interval" => options.keepalive_interval = Some(to_proto(duration(key, text)?)),
            "probes" => {
                let probes = text.parse().map_err(|_| format!("`probes` is a number, not `{text}`"))?;
                options.keepalive_probes = Some(probes);
            }
            _ => return Err(unknown("number of `keepalive`", key, &KEEPALIVE)),
        }
    }
    Ok(())
}

fn switch(key: &str, text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(format!("`{key}` is `on` or `off`, not `{text}`")),
    }
}

/// `close` waits for nothing in a session, so a linger is on only to reset.
fn resets_on_close(text: &str) -> Result<bool, String> {
    match or_off(text, |text| duration("linger", text))? {
        None => Ok(false),
        Some(Duration::ZERO) => Ok(true),
        Some(_) => Err("`close` does not wait in a session: write `linger: 0s`, or `off`".to_owned()),
    }
}

fn or_off<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if ["off", "false"].contains(&text) { Ok(None) } else { parse(text).map(Some) }
}

fn duration(key: &str, text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| format!("`{key}`: {error}; {}", error.help()))
}

fn size(key: &str, text: &str) -> Result<u32, String> {
    let size = parse_size(text).map_err(|error| format!("`{key}`: {error}; {}", error.help()))?;
    u32::try_from(size).map_err(|_| format!("`{key}` is at most 4 GiB, not `{text}`"))
}

/// There is nothing of that name.
pub(super) fn unknown(what: &str, name: &str, names: &[&str]) -> String {
    match words::nearest(name, names.iter().copied()) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None => format!("there is no {what} `{name}`; there are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::session::flow;

    fn read(text: &str) -> Result<SocketOptions, String> {
        options(&flow::map(text)?)
    }

    #[test]
    fn options_are_those_of_a_scenario() {
        let ten = Some(to_proto(Duration::from_secs(10)));
        let none = SocketOptions::default();
        for (text, expected) in [
            ("{keepalive: on}", SocketOptions { keepalive: Some(true), ..none }),
            (
                "{keepalive: {idle: 10s, probes: 3}}",
                SocketOptions {
                    keepalive: Some(true),
                    keepalive_idle: ten,
                    keepalive_probes: Some(3),
                    ..none
                },
            ),
            ("nodelay: on, cork: off", SocketOptions { nodelay: Some(true), cork: Some(false), ..none }),
            ("{user-timeout: 10s}", SocketOptions { user_timeout: ten, ..none }),
            ("{user-timeout: off}", SocketOptions { user_timeout: Some(to_proto(Duration::ZERO)), ..none }),
            ("{linger: 0s}", SocketOptions { reset_on_close: Some(true), ..none }),
            ("{linger: off}", SocketOptions { reset_on_close: Some(false), ..none }),
            (
                "{receive-buffer: 4 KiB, send-buffer: 8 KiB, notsent-lowat: off, mss: 536 B}",
                SocketOptions {
                    receive_buffer: Some(4096),
                    send_buffer: Some(8192),
                    notsent_lowat: Some(0),
                    mss: Some(536),
                    ..none
                },
            ),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_option_is_said() {
        for (text, expected) in [
            ("{keepaliv: on}", "there is no option `keepaliv`; did you mean `keepalive`?"),
            ("{nodelay: maybe}", "`nodelay` is `on` or `off`, not `maybe`"),
            ("{nodelay: {on: off}}", "`nodelay` takes one value, without braces"),
            ("{keepalive: {every: 1s}}", "there is no number of `keepalive` `every`"),
            ("{keepalive: {probes: many}}", "`probes` is a number, not `many`"),
            ("{linger: 5s}", "`close` does not wait in a session"),
            ("{user-timeout: 10}", "`user-timeout`: "),
            ("{mss: 5 GiB}", "`mss` is at most 4 GiB, not `5 GiB`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
