//! What can be seen of a run from outside, whether a kernel made it or the engine: the common ground of the comparison.

use std::fmt;

use halfopen_tcp::State;

/// A moment or a length of time, microseconds.
pub(crate) type Micros = i64;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observed {
    /// What each host sent, in order; what a fault forged is not among it.
    pub(crate) segments: Vec<Segment>,
    /// The states of each host's connections, in the order in which the connections came to be.
    pub(crate) paths: Vec<Path>,
    /// What the applications' calls came to, in order.
    pub(crate) calls: Vec<Call>,
    /// When the watching ended.
    pub(crate) until: Micros,
}

/// A host: the first letter of its name is enough to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    Client,
    Server,
}

impl Host {
    pub(crate) const BOTH: [Host; 2] = [Host::Client, Host::Server];

    /// The host of that name. A rebooted client is still the client.
    pub(crate) fn named(name: &str) -> Host {
        if name.starts_with("client") { Host::Client } else { Host::Server }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Host::Client => "client",
            Host::Server => "server",
        })
    }
}

/// A segment that a host sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Segment {
    pub(crate) host: Host,
    pub(crate) time: Micros,
    /// When it reached the other side: once, several times, or never.
    pub(crate) delivered: Vec<Micros>,
    /// The first letters of its control bits, in the order of the recordings.
    pub(crate) flags: String,
    /// Relative to the sender's initial number; absolute where the sender never had one (RST of a closed port).
    pub(crate) seq: i64,
    /// Relative to the peer's initial number; `None` without ACK.
    pub(crate) ack: Option<i64>,
    pub(crate) len: i64,
    /// SACK and DSACK blocks relative to the peer's initial number; `None` where the recording does not tell.
    pub(crate) sack: Option<Vec<(i64, i64)>>,
    /// Whether it has timestamps; `None` where the recording does not tell.
    pub(crate) timestamps: Option<bool>,
    /// The window field of SYN and RST; that of others depends on when a reader woke up.
    pub(crate) window: Option<i64>,
    pub(crate) dropped: bool,
}

impl Segment {
    /// Whether the two are the same but for their times.
    pub(crate) fn is_like(&self, other: &Segment) -> bool {
        fn agree<T: PartialEq>(ours: &Option<T>, theirs: &Option<T>) -> bool {
            ours.is_none() || theirs.is_none() || ours == theirs
        }
        let options = agree(&self.sack, &other.sack) && agree(&self.timestamps, &other.timestamps);
        let key = |segment: &Segment| (segment.host, segment.seq, segment.ack, segment.len, segment.dropped);
        key(self) == key(other) && self.flags == other.flags && options && agree(&self.window, &other.window)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} seq {}", Millis(self.time), self.host, self.flags, self.seq)?;
        if let Some(ack) = self.ack {
            write!(f, " ack {ack}")?;
        }
        write!(f, " len {}", self.len)?;
        for (left, right) in self.sack.iter().flatten() {
            write!(f, " sack {left}:{right}")?;
        }
        if let Some(window) = self.window {
            write!(f, " win {window}")?;
        }
        f.write_str(if self.timestamps == Some(false) { " no timestamps" } else { "" })?;
        f.write_str(if self.dropped { " dropped" } else { "" })
    }
}

/// The states of one connection on one host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) host: Host,
    /// The state it began in.
    pub(crate) first: State,
    /// Each later state and when it came.
    pub(crate) steps: Vec<Step>,
}

/// A state and when it came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) state: State,
    pub(crate) time: Micros,
    /// How much later than it happened the time may be, because it was polled.
    pub(crate) late: Micros,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Millis(self.time), self.state)
    }
}

impl Path {
    /// The states alone.
    pub(crate) fn states(&self) -> Vec<State> {
        [self.first].into_iter().chain(self.steps.iter().map(|step| step.state)).collect()
    }

    /// The state it is in.
    pub(crate) fn last(&self) -> State {
        self.steps.last().map_or(self.first, |step| step.state)
    }
}

/// Puts a transition where it belongs: onto the connection it continues, or onto a new one.
///
/// `path` says which path the last transition with this key went to.
pub(crate) fn add_transition(
    paths: &mut Vec<Path>,
    path: &mut Option<usize>,
    host: Host,
    from: State,
    step: Step,
) {
    match path.filter(|path| paths[*path].last() == from && from != State::Closed) {
        Some(path) => paths[path].steps.push(step),
        None => {
            *path = Some(paths.len());
            paths.push(Path { host, first: from, steps: vec![step] });
        }
    }
}

/// What a call of an application came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) host: Host,
    pub(crate) result: CallResult,
    pub(crate) time: Micros,
    /// How much later than it happened the time may be, because the application only looked then.
    pub(crate) late: Micros,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallResult {
    Connected,
    Accepted,
    /// So many octets went into the send buffer.
    Sent(u64),
    /// So many octets were read.
    Received(u64),
    /// The peer's end of stream was read.
    End,
    ShutDown,
    Closed,
    /// The call of that name failed.
    Failed(&'static str, String),
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", Millis(self.time), self.host, self.result)
    }
}

/// Adds a call. Reads in a row of one host become one, and so do writes: how many calls it takes to read 3 KiB depends
/// on when the reader wakes up, and one step of a scenario may stand for many calls. The time is the last one's.
pub(crate) fn add_call(calls: &mut Vec<Call>, call: Call) {
    let last = calls.iter_mut().rev().find(|last| last.host == call.host);
    match (last, &call.result) {
        (Some(Call { result: CallResult::Sent(octets), time: last, .. }), CallResult::Sent(more))
        | (Some(Call { result: CallResult::Received(octets), time: last, .. }), CallResult::Received(more)) =>
        {
            *octets += more;
            *last = call.time;
        }
        _ => calls.push(call),
    }
}

/// Prints microseconds as milliseconds.
pub(crate) struct Millis(pub Micros);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0 as f64 / 1000.0)
    }
}
