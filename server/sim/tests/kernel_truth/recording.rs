//! Recordings of the kernel.

use std::collections::{BTreeMap, BTreeSet};

use halfopen_tcp::State;
use serde_json::Value;

use super::observed::{
    Call, CallResult, Host, Micros, Observed, Path, Segment, Step, add_call, add_transition,
};

/// A recording: what one situation came to, in each of the structures that were seen.
pub(crate) struct Recording {
    pub(crate) name: String,
    /// The recorded structures, the most frequent first.
    pub(crate) structures: Vec<Observed>,
    /// When a fault handed each of its forged segments over.
    pub(crate) injected: Vec<Micros>,
}

impl Recording {
    /// Reads one, or tells what in it is not understood.
    pub(crate) fn read(text: &str) -> Result<Recording, String> {
        std::panic::catch_unwind(|| Recording::parse(text)).map_err(|reason| {
            let said = reason.downcast_ref::<String>().cloned();
            let said = said.or_else(|| reason.downcast_ref::<&str>().map(|said| (*said).to_owned()));
            format!("the recording is not understood: {}", said.unwrap_or_default())
        })
    }

    fn parse(text: &str) -> Recording {
        let json: Value = serde_json::from_str(text).expect("a recording is JSON");
        let until = micros(&json["observed_until_ms"]);
        // Polled every 5 ms, every 20 ms in the long runs.
        let late = if until > 60_000_000 { 20_000 } else { 5_000 };
        // What is not TCP is not compared (`proto17`); the harness's own ICMP is told as injected.
        let (injected, sent): (Vec<_>, Vec<_>) = list(&json["segments"])
            .filter(|segment| !text_of(&segment["flags"]).starts_with("proto"))
            .partition(|segment| segment["injected"] == true);
        let chosen = Observed {
            segments: sent.into_iter().map(segment).collect(),
            paths: paths(&json["transitions"], late),
            calls: calls(
                list(&json["app"])
                    .map(|event| (text_of(&event["host"]), text_of(&event["event"]), micros(&event["t_ms"]))),
            ),
            until,
        };
        let forged: Vec<Segment> =
            injected.iter().filter(|it| text_of(&it["flags"]) != "ICMP").map(|it| segment(it)).collect();
        let others = list(&json["alternative_structures"]).map(|other| Observed {
            segments: without(
                list(&other["segments"])
                    .map(text_of)
                    .filter(|line| !line.contains(" ICMP ") && !line.contains(" proto"))
                    .map(short_segment)
                    .collect(),
                &forged,
            ),
            paths: short_paths(&other["transitions"], late),
            calls: calls(list(&other["app"]).map(|line| {
                let (time, host, event) = short(text_of(line));
                (host, event, time)
            })),
            until,
        });
        Recording {
            name: text_of(&json["name"]).to_owned(),
            structures: [chosen].into_iter().chain(others).collect(),
            injected: injected.into_iter().map(|segment| micros(&segment["deliver_ms"])).collect(),
        }
    }
}

/// The short form does not tell what a fault forged: the first that is like each of them is it.
fn without(mut segments: Vec<Segment>, forged: &[Segment]) -> Vec<Segment> {
    for forged in forged {
        if let Some(at) = segments.iter().position(|segment| segment.is_like(forged)) {
            segments.remove(at);
        }
    }
    segments
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a whole number")
}

fn micros(value: &Value) -> Micros {
    (value.as_f64().expect("milliseconds") * 1000.0).round() as Micros
}

fn segment(json: &Value) -> Segment {
    let delivered = match &json["deliver_ms"] {
        Value::Null => Vec::new(),
        Value::Array(times) => times.iter().map(micros).collect(),
        time => vec![micros(time)],
    };
    let sack = list(&json["opts"]).find_map(|option| text_of(option).strip_prefix("sack "));
    let block = |block: &str| {
        let (left, right) = block.split_once(':').expect("left:right");
        (left.parse().expect("a number"), right.parse().expect("a number"))
    };
    let flags = text_of(&json["flags"]);
    let seq = json["seq_rel"].as_i64().unwrap_or_else(|| number(&json["seq_raw"]));
    // No recorded connection comes so far from its first number: it is 0 itself, and told relative to that number.
    let unrelated = flags == "RA" && seq.abs() > 1 << 24;
    Segment {
        host: Host::named(text_of(&json["from"])),
        time: micros(&json["t_ms"]),
        delivered,
        flags: flags.to_owned(),
        seq: if unrelated { 0 } else { seq },
        ack: json["ack_rel"].as_i64(),
        len: number(&json["len"]),
        sack: Some(sack.map(|blocks| blocks.split(' ').map(block).collect()).unwrap_or_default()),
        timestamps: Some(list(&json["opts"]).any(|option| text_of(option).starts_with("TS "))),
        window: json["win"].as_i64().filter(|_| flags.contains(['S', 'R'])),
        dropped: json["dropped"] == true,
    }
}

/// The states of the connections; a listener's own are left out.
fn paths(transitions: &Value, late: Micros) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut known: BTreeMap<(Host, String), Option<usize>> = BTreeMap::new();
    for transition in list(transitions).filter(|transition| transition["sock"] != "listener") {
        let host = Host::named(text_of(&transition["host"]));
        let step = Step {
            state: state(text_of(&transition["to"])),
            time: micros(&transition["t_ms"]),
            late: if transition["approx"] == true { late } else { 0 },
        };
        let path = known.entry((host, transition["ports"].to_string())).or_default();
        add_transition(&mut paths, path, host, state(text_of(&transition["from"])), step);
    }
    paths
}

/// The same of `41.18 client SYN_SENT->ESTABLISHED`, where the times may all be polled ones. The recordings that have
/// other structures have one connection a host.
fn short_paths(lines: &Value, late: Micros) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut known: BTreeMap<Host, Option<usize>> = BTreeMap::new();
    for line in list(lines) {
        let (time, host, change) = short(text_of(line));
        let (from, to) = change.split_once("->").expect("from->to");
        if (from, to) != ("CLOSE", "LISTEN") {
            let host = Host::named(host);
            let step = Step { state: state(to), time, late };
            add_transition(&mut paths, known.entry(host).or_default(), host, state(from), step);
        }
    }
    paths
}

/// The host, the event and the time.
fn short(line: &str) -> (Micros, &str, &str) {
    let (time, rest) = line.split_once(' ').expect("a time");
    let (host, event) = rest.split_once(' ').expect("a host");
    ((time.parse::<f64>().expect("milliseconds") * 1000.0).round() as Micros, host, event)
}

/// `0.15 client S seq 0 ack None len 0 DROPPED`: neither blocks nor the time of arrival are kept.
fn short_segment(line: &str) -> Segment {
    let words: Vec<&str> = line.split(' ').collect();
    let [time, host, flags, "seq", seq, "ack", ack, "len", len, rest @ ..] = words.as_slice() else {
        panic!("not a segment: {line}")
    };
    Segment {
        host: Host::named(host),
        time: (time.parse::<f64>().expect("milliseconds") * 1000.0).round() as Micros,
        delivered: Vec::new(),
        flags: (*flags).to_owned(),
        // `None` where the sender never had an initial number: a RST of a closed port, whose number is 0.
        seq: if *seq == "None" { 0 } else { seq.parse().expect("a number") },
        ack: ack.parse().ok(),
        len: len.parse().expect("a number"),
        sack: None,
        timestamps: None,
        window: None,
        dropped: rest == ["DROPPED"],
    }
}

/// RFC 9293's name for Linux's.
fn state(name: &str) -> State {
    match name {
        "CLOSE" => State::Closed,
        "LISTEN" => State::Listen,
        "SYN_SENT" => State::SynSent,
        "SYN_RECV" => State::SynReceived,
        "ESTABLISHED" => State::Established,
        "FIN_WAIT1" => State::FinWait1,
        "FIN_WAIT2" => State::FinWait2,
        "CLOSE_WAIT" => State::CloseWait,
        "CLOSING" => State::Closing,
        "LAST_ACK" => State::LastAck,
        "TIME_WAIT" => State::TimeWait,
        other => panic!("no state is called {other}"),
    }
}

/// The calls that a scenario can make. Left out: what the applications only asked (poll, SO_ERROR), said (`idle`) or set
/// (socket options and listen, which can not fail here), and a connect that did not wait.
fn calls<'a>(events: impl Iterator<Item = (&'a str, &'a str, Micros)>) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut connected = BTreeSet::new();
    for (host, event, time) in events {
        let host = Host::named(host);
        if let Some(port) = polled_connect(event)
            && connected.insert(port)
        {
            add_call(&mut calls, Call { host, result: CallResult::Connected, time, late: time });
        }
        for result in results(event) {
            add_call(&mut calls, Call { host, result, time, late: 0 });
        }
    }
    calls
}

/// `port 40000: poll=POLLOUT state_from_TCP_INFO=ESTABLISHED`: a connect that did not wait has come to its end by then.
fn polled_connect(event: &str) -> Option<&str> {
    let (port, state) = event.strip_prefix("port ")?.split_once(':')?;
    state.ends_with("POLLOUT state_from_TCP_INFO=ESTABLISHED").then_some(port)
}

fn results(event: &str) -> Vec<CallResult> {
    let call = event.split('(').next().unwrap_or_default();
    match call {
        "connect" if event.starts_with("connect(port") => Vec::new(),
        "recv" if event.contains("total") => totals(event),
        "connect" | "accept" | "send" | "recv" | "shutdown" => {
            let outcome = event.split_once(" = ").map_or("0", |(_, outcome)| outcome);
            vec![result(call, outcome)]
        }
        "sendall" => vec![CallResult::Sent(digits(event))],
        "close" => vec![CallResult::Closed],
        _ => Vec::new(),
    }
}

/// `recv() total 14480 bytes`, or `recv() total 100 then 0 (EOF)`: many calls in one line.
fn totals(event: &str) -> Vec<CallResult> {
    let received = CallResult::Received(digits(event));
    match event.split_once(" then ") {
        Some((_, outcome)) => vec![received, result("recv", outcome)],
        None => vec![received],
    }
}

fn result(call: &str, outcome: &str) -> CallResult {
    let error = || outcome.split('(').next().unwrap_or_default().to_owned();
    match (call, digits_at_start(outcome)) {
        ("connect", Some(0)) => CallResult::Connected,
        ("connect", _) => CallResult::Failed("connect", error()),
        ("accept", _) => CallResult::Accepted,
        ("send", Some(octets)) => CallResult::Sent(octets),
        ("send", None) => CallResult::Failed("send", error()),
        ("recv", Some(0)) => CallResult::End,
        ("recv", Some(octets)) => CallResult::Received(octets),
        ("recv", None) => CallResult::Failed("receive", error()),
        ("shutdown", _) => CallResult::ShutDown,
        other => panic!("no call: {other:?}"),
    }
}

fn digits_at_start(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// The first number in a text.
fn digits(text: &str) -> u64 {
    let start = text.find(|c: char| c.is_ascii_digit()).expect("a number");
    digits_at_start(&text[start..]).expect("a number")
}
