//! The rows of a picture: data without styles or columns.

use std::ops::RangeInclusive;
use std::time::Duration;

use halfopen_proto::v1::{HostState, TcpFlags, TcpPurpose, TcpState};

use crate::timeline::HostIndex;
use crate::words;

/// A row of a picture: one moment, and what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When, in virtual time.
    pub time: Duration,
    /// The connection; 0: none. That of a segment is its sender's.
    pub connection: u32,
    /// The sequence numbers of its events, in order; empty if it has none.
    pub events: Vec<u64>,
    /// The lines of the scenario that fired here: of faults and of application steps.
    pub lines: Vec<u32>,
    /// What it shows.
    pub what: What,
    /// The state of each host from here on, in the order of [`super::Picture::lifelines`].
    pub lives: Vec<Life>,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A segment, or one end of its way.
    Arrow(Arrow),
    /// Something at one host, or in the network.
    Notes(Notes),
    /// Nothing happened before the next row.
    Silence(Silence),
    /// Repetitions, which have only this row.
    Folded(Folded),
    /// The number of rows that are left out for lack of room.
    Omitted(usize),
}

/// A time in which nothing happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// How long it was.
    pub length: Duration,
    /// What was waited for, in words: `server delays its ACK`; empty: not known.
    pub why: String,
    /// How long that was waited for: it may have begun somewhat later than the silence, or earlier.
    pub waited: Duration,
}

impl Silence {
    /// In words: `1m: client's TIME-WAIT timer runs`, `1m of silence`.
    pub fn text(&self) -> String {
        match self.why.as_str() {
            "" => format!("{} of silence", words::duration(self.length)),
            why => format!("{}: {why}", words::duration(self.waited)),
        }
    }
}

/// Rows that repeat those around them, or the middle of an undisturbed transfer, in which no state changes; or connections
/// that go the same way as another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// How many rows it replaces.
    pub rows: usize,
    /// When the last of them was; the first was at [`Row::time`].
    pub until: Duration,
    /// The sequence numbers of the first and the last event in them.
    pub events: RangeInclusive<u64>,
    /// What they are, in words: `8 more, every 1m 15s`.
    pub text: String,
    /// If these are whole connections: which, and which one they are like.
    pub alike: Option<Alike>,
}

/// Connections that go the same way as another one, whose rows differ from theirs only in times and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// The one that has rows.
    pub like: u32,
    /// Those that have none.
    pub connections: Vec<u32>,
}

/// A word of a label, which no line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// What it says.
    pub kind: WordKind,
}

/// What a word of a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordKind {
    /// The control bits.
    Flags,
    /// A number of the header.
    Number,
    /// Why the segment was sent, or who injected it.
    Purpose,
    /// What a fault did to it, or that this is a duplicate.
    Fault,
    /// Why TCP did not use it.
    NotUsed,
}

impl Word {
    pub(super) fn new(kind: WordKind, text: impl Into<String>) -> Word {
        Word { text: text.into(), kind }
    }
}

/// A segment, or one end of its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// The sender's end.
    pub from: End,
    /// The receiver's end.
    pub to: End,
    /// Which part of the way the row shows.
    pub part: Part,
    /// The segment's number in the run, which joins departure and arrival.
    pub segment: u64,
    /// Which of its arrivals this is, from 1; more than one if it was duplicated.
    pub copy: usize,
    /// When it was sent.
    pub sent: Duration,
    /// When it arrived; `None` if it did not, or the row does not show it.
    pub arrived: Option<Duration>,
    /// Its control bits.
    pub flags: TcpFlags,
    /// Why it was sent.
    pub purpose: TcpPurpose,
    /// Whether a middlebox injected it: the host did not send it.
    pub of_middlebox: bool,
    /// The segment in words; lines may break between them.
    pub label: Vec<Word>,
}

/// One end of an arrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The host; `None` if no host has the address.
    pub host: Option<HostIndex>,
    /// The connection there; 0: none. It is not always [`Row::connection`]: the SYN of a new connection may arrive at an
    /// old one with the same addresses and ports.
    pub connection: u32,
    /// The states of that connection: the sender's when it sent; all those that the arrival led the receiver to, or else
    /// the one it arrived in. Empty: it has none, or the row does not show this end.
    pub states: Vec<TcpState>,
}

/// Which part of a segment's way a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// From host to host.
    Whole,
    /// It leaves; it arrives in a later row, or the run ends before.
    Departure,
    /// It arrives; it left in an earlier row.
    Arrival,
    /// It never arrives.
    Lost {
        /// Where it was lost.
        at: Place,
        /// Why.
        why: String,
    },
}

/// Where on its way a segment was lost, as far as its events say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where it left: a fault took it.
    Sender,
    /// On the way: a link, a queue, a middlebox.
    Way,
    /// At the host it was for.
    Receiver,
}

/// What happened at one moment at one host, or in the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// The host; `None`: in the network.
    pub host: Option<HostIndex>,
    /// The states that the row's connection went to, in order.
    pub states: Vec<TcpState>,
    /// What the host does from here on, if that changed.
    pub becomes: Option<HostState>,
    /// What happened, in order; empty if `states` or `becomes` says it all.
    pub notes: Vec<Note>,
}

/// One thing that happened, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// In words.
    pub text: String,
    /// What it is.
    pub kind: NoteKind,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Why a connection changed its state.
    Transition,
    /// A timer was set, fired or was cancelled.
    Timer,
    /// A step of an application ended.
    Application,
    /// What keepalive found out.
    Keepalive,
    /// A step of an application failed.
    Failed,
    /// An error for the application.
    Error,
    /// What a router reported.
    Unreachable,
    /// What a middlebox did.
    Middlebox,
    /// A fault was applied to a host or the network.
    Fault,
    /// The run is over.
    End,
}

/// The state of a host at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Whether it runs.
    pub host: HostState,
    /// The state of its connection; with several connections, that of the most open one. `None`: it has none.
    pub state: Option<TcpState>,
}

impl Default for Life {
    fn default() -> Life {
        Life { host: HostState::Up, state: None }
    }
}

impl Notes {
    /// The states that are to be written. Not that of a listener that is closed, which is no connection's: the note beside
    /// it says so.
    pub(super) fn named_states(&self, connection: u32) -> impl Iterator<Item = TcpState> {
        let is_said = connection == 0 && self.notes.iter().any(|note| note.kind == NoteKind::Transition);
        self.states.iter().copied().filter(move |state| !is_said || *state != TcpState::Closed)
    }
}

impl Row {
    /// A row with nothing but its content.
    pub(super) fn empty(what: What) -> Row {
        let (time, connection, events, lines, lives) = Default::default();
        Row { time, connection, events, lines, what, lives }
    }

    /// Whether it shows the event of that sequence number, or replaces it.
    pub fn shows(&self, sequence: u64) -> bool {
        let folded = matches!(&self.what, What::Folded(folded) if folded.events.contains(&sequence));
        folded || self.events.contains(&sequence)
    }
}

impl Arrow {
    /// Whether a host sends the segment to itself.
    pub fn turns(&self) -> bool {
        self.from.host.is_some() && self.from.host == self.to.host
    }

    /// Whether it goes from left to right. If there is no receiver, it goes away from the nearer edge.
    pub fn rightwards(&self) -> bool {
        match (self.from.host, self.to.host) {
            (Some(from), Some(to)) => from <= to,
            (from, to) => from == Some(0) || (from.is_none() && to != Some(0)),
        }
    }
}
