//! What a line tells the session to do.

use std::time::Duration;

use halfopen_proto::v1::session_condition::Condition;
use halfopen_proto::v1::{SocketOptions, StateMatch, TcpState};
use halfopen_units::{parse_duration, parse_size};
use halfopen_view::words;

use super::commands::{self, names};
use super::flow::{self, Value};
use super::options::{options, unknown};
use super::quoting::unquoted;

/// The number of bytes that one `send` takes, at most.
const MAX_SENT: u64 = 1 << 20;
/// What is sent if only its size is said.
const FILLER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

/// A line, understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Instruction {
    Listen { host: String, port: u16, options: SocketOptions },
    Connect { host: String, to: String, options: SocketOptions },
    Accept(u32),
    Send { socket: u32, data: Vec<u8> },
    Receive { socket: u32, max_bytes: u32 },
    Shutdown(u32),
    Close(u32),
    Abort(u32),
    Set { socket: u32, options: SocketOptions },
    Advance(Advance),
    Step,
    Fault(String),
    Lift(u32),
    Sockets,
    Events { last: usize },
    Ladder,
    Explain,
    Export(Option<String>),
    Finish,
    Help(Option<&'static str>),
    Quit,
}

/// How far time moves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Advance {
    pub(super) limit: Option<Limit>,
    /// `None`: until a socket is ready, unless there is a limit.
    pub(super) until: Option<Condition>,
}

/// When time stops at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    By(Duration),
    Until(Duration),
    /// What happens at that time has happened.
    Through(Duration),
}

/// The name and what stands behind it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(first, rest)| (first, rest.trim_start()))
}

impl Instruction {
    /// Reads a line; `None` if it is empty or a comment. An error says what to write.
    pub(super) fn read(line: &str) -> Result<Option<Instruction>, String> {
        let (name, rest) = split(line);
        if name.is_empty() || name.starts_with('#') {
            return Ok(None);
        }
        Ok(Some(match name {
            "listen" => {
                let (place, rest) = split(rest);
                let place = place.split_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
                let (host, port) = place.ok_or_else(|| usage(name, "a host with a port from 0 to 65535"))?;
                Instruction::Listen { host: host.to_owned(), port, options: optional(rest)? }
            }
            "connect" => {
                let (host, rest) = split(rest);
                let (to, rest) = split(rest);
                if to.is_empty() {
                    return Err(usage(name, "a host, and where it connects to"));
                }
                Instruction::Connect { host: host.to_owned(), to: to.to_owned(), options: optional(rest)? }
            }
            "accept" => Instruction::Accept(only_socket(name, rest)?),
            "send" => {
                let (socket, rest) = socket(name, rest)?;
                Instruction::Send { socket, data: data(rest)? }
            }
            "receive" => {
                let (socket, rest) = socket(name, rest)?;
                Instruction::Receive { socket, max_bytes: max_bytes(rest)? }
            }
            "shutdown" => Instruction::Shutdown(only_socket(name, rest)?),
            "close" => Instruction::Close(only_socket(name, rest)?),
            "abort" => Instruction::Abort(only_socket(name, rest)?),
            "set" => {
                let (socket, rest) = socket(name, rest)?;
                if rest.is_empty() {
                    return Err(usage(name, "options"));
                }
                Instruction::Set { socket, options: optional(rest)? }
            }
            "advance" => Instruction::Advance(Advance::read(rest)?),
            "fault" if rest.is_empty() => return Err(usage(name, "a fault")),
            "fault" => Instruction::Fault(rest.to_owned()),
            "lift" => Instruction::Lift(rest.parse().map_err(|_| usage(name, "the number of a fault"))?),
            "events" => {
                let wrong = |_| usage(name, "a number, or nothing");
                let last = if rest.is_empty() { 20 } else { rest.parse().map_err(wrong)? };
                Instruction::Events { last }
            }
            "step" => alone(name, rest, Instruction::Step)?,
            "sockets" => alone(name, rest, Instruction::Sockets)?,
            "ladder" => alone(name, rest, Instruction::Ladder)?,
            "explain" => alone(name, rest, Instruction::Explain)?,
            "export" => Instruction::Export(Some(rest.to_owned()).filter(|file| !file.is_empty())),
            "finish" => alone(name, rest, Instruction::Finish)?,
            "help" if rest.is_empty() => Instruction::Help(None),
            "help" => {
                Instruction::Help(Some(names().find(|known| *known == rest).ok_or_else(|| none(rest))?))
            }
            "quit" | "exit" => alone(name, rest, Instruction::Quit)?,
            _ => return Err(none(name)),
        }))
    }
}

impl Advance {
    fn read(text: &str) -> Result<Advance, String> {
        let is_word = |(begin, word): &(usize, &str)| {
            let (before, after) = (&text[..*begin], &text[begin + word.len()..]);
            before.chars().next_back().is_none_or(char::is_whitespace)
                && after.chars().next().is_none_or(char::is_whitespace)
        };
        let (time, until) = match text.match_indices("until").find(is_word) {
            Some((begin, word)) => (text[..begin].trim(), Some(text[begin + word.len()..].trim())),
            None => (text, None),
        };
        let mut advance = Advance::default();
        if !time.is_empty() {
            let time = parse_duration(time).map_err(|error| {
                format!("{error}; {}; or write `until` and what to wait for", error.help())
            })?;
            advance.limit = Some(Limit::By(time));
        }
        let Some(until) = until else { return Ok(advance) };
        match (parse_duration(until), advance.limit) {
            (Ok(time), None) => advance.limit = Some(Limit::Until(time)),
            (Ok(_), Some(_)) => {
                return Err("one time is enough: `advance 5s`, or `advance until 2h`".to_owned());
            }
            (Err(_), _) => advance.until = Some(condition(until)?),
        }
        Ok(advance)
    }
}

/// What `until` waits for.
fn condition(text: &str) -> Result<Condition, String> {
    let (kind, rest) = split(text);
    let number = || rest.parse().map_err(|_| format!("`until {kind}` needs a number: `until {kind} 1`"));
    let host = || match rest {
        "" => Err(format!("`until {kind}` needs a host: `until {kind} server`")),
        host => Ok(host.to_owned()),
    };
    Ok(match kind {
        "segment" if rest.is_empty() => {
            return Err("`until segment` needs a segment: `until segment FIN`".to_owned());
        }
        "segment" => Condition::Segment(rest.to_owned()),
        "readable" => Condition::Readable(number()?),
        "writable" => Condition::Writable(number()?),
        "fault" => Condition::Fault(number()?),
        "keepalive" => Condition::Keepalive(host()?),
        "host" => Condition::HostChanged(host()?),
        _ if text.contains(':') => state(text)?,
        _ => return Err(format!("`until` waits for one of: {}", commands::conditions())),
    })
}

fn state(text: &str) -> Result<Condition, String> {
    let map = flow::map(text)?;
    let [(host, Value::Text(name))] = map.as_slice() else {
        return Err("name one host with one state: `until {server: CLOSE-WAIT}`".to_owned());
    };
    let states: Vec<TcpState> = (1..=11).filter_map(|number| TcpState::try_from(number).ok()).collect();
    let Some(state) = states.iter().find(|state| words::state(**state) == name) else {
        let names: Vec<&str> = states.iter().map(|state| words::state(*state)).collect();
        return Err(unknown("state", name, &names));
    };
    Ok(Condition::State(StateMatch { host: host.clone(), state: (*state).into() }))
}

/// That there is no such command, and which may be meant.
fn none(name: &str) -> String {
    let near = words::nearest(name, names()).map(|near| format!("; did you mean `{near}`?"));
    let near = near.unwrap_or_else(|| "; `help` lists the commands".to_owned());
    format!("there is no command `{}`{near}", words::plain(name))
}

/// Says how a command is written.
fn usage(name: &str, needs: &str) -> String {
    format!("`{name}` needs {needs}: {}", commands::usage(name))
}

fn alone(name: &str, rest: &str, instruction: Instruction) -> Result<Instruction, String> {
    if rest.is_empty() { Ok(instruction) } else { Err(format!("`{name}` stands alone: leave out `{rest}`")) }
}

fn socket<'a>(name: &str, text: &'a str) -> Result<(u32, &'a str), String> {
    let (number, rest) = split(text);
    let number = number.parse().map_err(|_| usage(name, "the number of a socket"))?;
    Ok((number, rest))
}

fn only_socket(name: &str, text: &str) -> Result<u32, String> {
    match socket(name, text)? {
        (number, "") => Ok(number),
        (_, rest) => Err(format!("`{name}` needs the number of a socket and no more: leave out `{rest}`")),
    }
}

/// Options, if there are any.
fn optional(text: &str) -> Result<SocketOptions, String> {
    if text.is_empty() { Ok(SocketOptions::default()) } else { options(&flow::map(text)?) }
}

/// What is sent: a text in quotes, so much, or the text as it stands.
fn data(text: &str) -> Result<Vec<u8>, String> {
    if text.is_empty() {
        return Err(usage("send", "what to send"));
    }
    let data = if text.starts_with('"') {
        unquoted(text)?
    } else {
        match parse_size(text) {
            Ok(size) if size > MAX_SENT => {
                return Err("`send` takes 1 MiB at most: send it in parts".to_owned());
            }
            // Less than a mebibyte.
            Ok(size) => FILLER.iter().copied().cycle().take(size as usize).collect(),
            Err(_) => text.as_bytes().to_vec(),
        }
    };
    Ok(data)
}

/// How much is received at most; 0: what the service gives at once.
fn max_bytes(text: &str) -> Result<u32, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let size = parse_size(text).map_err(|error| format!("{error}; {}", error.help()))?;
    match u32::try_from(size) {
        Ok(size @ 1..) => Ok(size),
        Ok(_) | Err(_) => Err("`receive` takes 1 B to 1 MiB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Instruction {
        Instruction::read(line).unwrap().unwrap()
    }

    #[test]
    fn every_command_is_read() {
        let options = SocketOptions { nodelay: Some(true), ..SocketOptions::default() };
        let none = SocketOptions::default();
        let (server, client) = ("server".to_owned(), "client".to_owned());
        let send = |data: &[u8]| Instruction::Send { socket: 2, data: data.to_vec() };
        for (line, expected) in [
            ("listen server:80", Instruction::Listen { host: server.clone(), port: 80, options: none }),
            ("  listen  server:80  nodelay: on", Instruction::Listen { host: server, port: 80, options }),
            (
                "connect client server:80 {nodelay: on}",
                Instruction::Connect { host: client, to: "server:80".to_owned(), options },
            ),
            ("accept 1", Instruction::Accept(1)),
            ("send 2 hello world", send(b"hello world")),
            (r#"send 2 "GET /\r\n""#, send(b"GET /\r\n")),
            ("send 2 3 B", send(b"abc")),
            (r#"send 2 "3 B""#, send(b"3 B")),
            ("receive 3", Instruction::Receive { socket: 3, max_bytes: 0 }),
            ("receive 3 1 KiB", Instruction::Receive { socket: 3, max_bytes: 1024 }),
            ("shutdown 2", Instruction::Shutdown(2)),
            ("close 2", Instruction::Close(2)),
            ("abort 2", Instruction::Abort(2)),
            ("set 2 {nodelay: on}", Instruction::Set { socket: 2, options }),
            ("fault {drop: FIN, first: 1}", Instruction::Fault("{drop: FIN, first: 1}".to_owned())),
            ("lift 2", Instruction::Lift(2)),
            ("export", Instruction::Export(None)),
            ("export my file.yaml", Instruction::Export(Some("my file.yaml".to_owned()))),
            ("sockets", Instruction::Sockets),
            ("events", Instruction::Events { last: 20 }),
            ("events 5", Instruction::Events { last: 5 }),
            ("ladder", Instruction::Ladder),
            ("explain", Instruction::Explain),
            ("finish", Instruction::Finish),
            ("step", Instruction::Step),
            ("help", Instruction::Help(None)),
            ("help send", Instruction::Help(Some("send"))),
            ("quit", Instruction::Quit),
            ("exit", Instruction::Quit),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
        for nothing in ["", "  ", "# a comment"] {
            assert_eq!(Instruction::read(nothing), Ok(None), "{nothing}");
        }
    }

    #[test]
    fn time_moves_for_a_while_or_until_something_happens() {
        let seconds = |seconds| Some(Limit::By(Duration::from_secs(seconds)));
        let state = StateMatch { host: "server".to_owned(), state: TcpState::CloseWait.into() };
        let state = Some(Condition::State(state));
        for (line, limit, until) in [
            ("advance", None, None),
            ("advance 1m 5s", seconds(65), None),
            ("advance until 2h", Some(Limit::Until(Duration::from_secs(7200))), None),
            ("advance until {server: CLOSE-WAIT}", None, state.clone()),
            ("advance until server: CLOSE-WAIT", None, state.clone()),
            ("advance 5s\tuntil  {server: CLOSE-WAIT}", seconds(5), state),
            ("advance until segment FIN", None, Some(Condition::Segment("FIN".to_owned()))),
            ("advance until readable 3", None, Some(Condition::Readable(3))),
            ("advance until writable 2", None, Some(Condition::Writable(2))),
            ("advance until fault 1", None, Some(Condition::Fault(1))),
            ("advance until keepalive server", None, Some(Condition::Keepalive("server".to_owned()))),
            ("advance until host server", None, Some(Condition::HostChanged("server".to_owned()))),
        ] {
            assert_eq!(read(line), Instruction::Advance(Advance { limit, until }), "{line}");
        }
    }

    #[test]
    fn a_wrong_line_says_what_to_write() {
        for (line, expected) in [
            ("conect client server:80", "there is no command `conect`; did you mean `connect`?"),
            ("frobnicate", "there is no command `frobnicate`; `help` lists the commands"),
            (
                "listen server",
                "`listen` needs a host with a port from 0 to 65535: listen HOST:PORT [{OPTIONS}]",
            ),
            ("listen server:65536", "`listen` needs a host with a port"),
            ("help me", "there is no command `me`"),
            ("connect client", "`connect` needs a host, and where it connects to"),
            ("accept", "`accept` needs the number of a socket: accept SOCKET"),
            ("accept 1 2", "`accept` needs the number of a socket and no more: leave out `2`"),
            ("accept -1", "`accept` needs the number of a socket"),
            ("send 2", "`send` needs what to send: send SOCKET TEXT|SIZE"),
            ("send 2 2 MiB", "`send` takes 1 MiB at most"),
            (r#"send 2 "open"#, "`\"open` has no quote at its end"),
            ("receive 3 0 B", "`receive` takes 1 B to 1 MiB"),
            ("set 2", "`set` needs options: set SOCKET {OPTIONS}"),
            ("set 2 {nodelai: on}", "there is no option `nodelai`"),
            ("fault", "`fault` needs a fault"),
            ("lift", "`lift` needs the number of a fault: lift FAULT"),
            ("events all", "`events` needs a number, or nothing"),
            ("quit now", "`quit` stands alone: leave out `now`"),
            ("advance soon", "expected a duration, found `soon`"),
            ("advance 5s until 2h", "one time is enough"),
            ("advance until", "`until` waits for one of: 2h, "),
            ("advance 5s until", "`until` waits for one of: 2h, "),
            ("advance untilFIN", "expected a duration, found `untilFIN`"),
            ("advance until segment", "`until segment` needs a segment"),
            ("advance until readable it", "`until readable` needs a number"),
            ("advance until host", "`until host` needs a host"),
            (
                "advance until {server: CLOSEWAIT}",
                "there is no state `CLOSEWAIT`; did you mean `CLOSE-WAIT`?",
            ),
            ("advance until {a: CLOSED, b: CLOSED}", "name one host with one state"),
        ] {
            let error = Instruction::read(line).unwrap_err();
            assert!(error.starts_with(expected), "{line}: {error}");
        }
    }
}
