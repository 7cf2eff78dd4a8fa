//! Two runs side by side: which settings differ, where they first differ, how they go on, and which results differ.
//!
//! All fields of events are compared except names (the scenario, its variant, the seed, the version, a profile, lines
//! of the text). Sequence numbers, timestamps and ephemeral ports, which start at different values in every run, are
//! compared relative to their start. Memory and time are linear in the number of events.

mod align;
mod fields;
mod outcome;
mod relative;
mod repeats;
mod settings;
mod side;
pub mod text;

use std::collections::VecDeque;
use std::time::Duration;

use halfopen_proto::v1::Event;
use serde::{Serialize, Serializer};

use self::align::Pair;
use self::side::{Side, SideRow};
use crate::record::RunRecord;

pub use outcome::Changed;

/// How many rows are shown before and after a difference.
const CONTEXT: usize = 3;
/// How many rows are shown before the first difference.
const BEFORE: usize = 5;

/// What is compared, and how much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffOptions {
    /// Whether timers have rows after the first difference.
    pub timers: bool,
    /// The maximum number of rows side by side.
    pub rows: usize,
}

impl Default for DiffOptions {
    fn default() -> DiffOptions {
        DiffOptions { timers: false, rows: 200 }
    }
}

/// The differences of two runs. The keys of its JSON are stable; new ones may be added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Whether events and results are the same.
    pub same: bool,
    /// The one run.
    pub a: About,
    /// The other.
    pub b: About,
    /// The settings that differ, by their places in the scenario: `hosts.server.tcp.keepalive.idle`. Empty, apart from
    /// profiles, if a recording has no settings because an older version wrote it.
    pub settings: Vec<Changed>,
    /// The first difference; `None`: the events are the same.
    pub first: Option<First>,
    /// The rows from there on, side by side; long stretches without differences are left out.
    pub rows: Vec<Row>,
    /// How many rows differ.
    pub counts: Counts,
    /// The results that differ.
    pub outcome: Vec<Changed>,
}

/// Which run it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// What was run, as the user named it.
    pub run: String,
    /// The scenario's id.
    pub scenario: String,
    /// Its variant; empty if it has none.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// The version of halfopen that ran it.
    pub version: String,
    /// The profiles of its hosts, in the order of the scenario.
    pub profiles: Vec<String>,
    /// How many events there are.
    pub events: usize,
}

/// The first difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct First {
    /// A few events before it, which both have.
    pub before: Vec<Cell>,
    /// The event of the one run; `None`: there are no more.
    pub a: Option<Cell>,
    /// The event of the other run.
    pub b: Option<Cell>,
    /// The fields in which the two events differ, if they are of one kind.
    pub fields: Vec<Changed>,
}

/// A row of the runs side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// How the two compare.
    pub mark: Mark,
    /// The event of the one run.
    pub a: Option<Cell>,
    /// The event of the other.
    pub b: Option<Cell>,
    /// The differing fields, if both happen at the same time and have the same description.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Changed>,
    /// With [`Mark::LeftOut`] and [`Mark::Repeated`]: how many rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// With [`Mark::Repeated`]: how many rows before it are repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<u64>,
}

/// How two rows compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// The same at the same time.
    Same,
    /// A different event, or at another time.
    Different,
    /// Only the one run has it.
    OnlyA,
    /// Only the other run has it.
    OnlyB,
    /// Rows that are not shown: both agree there, or there are too many.
    LeftOut,
    /// Repetitions of the rows before it, which differ only in numbers and times, and are not shown.
    Repeated,
}

/// An event in a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// Its sequence number in its run.
    pub event: u64,
    /// Its virtual time. In JSON, seconds.
    #[serde(rename = "timeSeconds", serialize_with = "seconds")]
    pub time: Duration,
    /// Its connection; 0: none.
    pub connection: u32,
    /// What happened, with the host.
    pub text: String,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// The number of rows by how they compare, from the first difference on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Events before the first difference.
    pub before: u64,
    /// Rows that are the same.
    pub same: u64,
    /// Rows that are something else, or at another time.
    pub different: u64,
    /// Rows that only the one run has.
    pub only_a: u64,
    /// Rows that only the other run has.
    pub only_b: u64,
}

/// Compares two runs.
pub fn diff(a: &RunRecord, b: &RunRecord, options: DiffOptions) -> Difference {
    let mut sides = (Side::new(&a.events, options.timers), Side::new(&b.events, options.timers));
    let mut counts = Counts::default();
    let first = first(&mut sides.0, &mut sides.1, &mut counts);
    let mut shown = Shown::default();
    if first.is_some() {
        align::align(&mut sides.0, &mut sides.1, |pair| shown.add(pair, &mut counts));
    }
    let outcome = outcome::outcome(a, b);
    let same = first.is_none() && outcome.is_empty();
    let settings = settings::settings(a, b);
    let rows = shown.finish(options.rows);
    Difference { same, a: about(a), b: about(b), settings, first, rows, counts, outcome }
}

fn about(record: &RunRecord) -> About {
    let started = record.started().cloned().unwrap_or_default();
    About {
        run: record.name.clone(),
        scenario: started.scenario,
        variant: started.variant,
        seed: started.seed,
        version: started.version,
        profiles: started.hosts.into_iter().map(|host| host.profile).collect(),
        events: record.events.len(),
    }
}

/// Advances to the first difference, which is left in the windows.
fn first<'a>(a: &mut Side<'a>, b: &mut Side<'a>, counts: &mut Counts) -> Option<First> {
    let mut before: VecDeque<Event> = VecDeque::new();
    loop {
        let (one, other) = (a.next(), b.next());
        if one == other {
            counts.before += 1;
            let event = one?;
            if a.has_row(&event) {
                if before.len() == BEFORE {
                    before.pop_front();
                }
                before.push_back(event);
            }
            continue;
        }
        let before = before.into_iter().map(|event| cell(a.row(event))).collect();
        let fields =
            one.as_ref().zip(other.as_ref()).map_or(Vec::new(), |(one, other)| fields::fields(one, other));
        let first = First {
            before,
            a: one.clone().map(|event| cell(a.row(event))),
            b: other.clone().map(|event| cell(b.row(event))),
            fields,
        };
        for (side, event) in [(a, one), (b, other)] {
            if let Some(event) = event.filter(|event| side.has_row(event)) {
                side.put(event);
            }
        }
        return Some(first);
    }
}

fn cell(row: SideRow) -> Cell {
    Cell { event: row.sequence, time: row.time, connection: row.connection, text: row.text }
}

impl Row {
    /// Rows that are not shown.
    fn hidden(mark: Mark, rows: u64, period: Option<u64>) -> Row {
        Row { mark, a: None, b: None, fields: Vec::new(), left_out: Some(rows), period }
    }
}

/// The rows that are shown.
#[derive(Default)]
struct Shown {
    rows: Vec<Row>,
    /// Rows in which both agree since the last difference: those that may be shown before the next one.
    agreeing: VecDeque<Row>,
    /// How many of them are left out.
    left_out: u64,
    /// How many more of them are shown because a difference was just before.
    after: usize,
    /// How many rows are beyond [`COLLECTED`].
    beyond: u64,
}

/// How many rows are collected before repetitions are folded, so that memory is bounded.
const COLLECTED: usize = 20_000;

impl Shown {
    fn add(&mut self, pair: Pair, counts: &mut Counts) {
        let (mark, a, b) = match pair {
            Pair::Both(a, b) if a.event == b.event => (Mark::Same, Some(a), Some(b)),
            Pair::Both(a, b) => (Mark::Different, Some(a), Some(b)),
            Pair::OnlyA(a) => (Mark::OnlyA, Some(a), None),
            Pair::OnlyB(b) => (Mark::OnlyB, None, Some(b)),
        };
        match mark {
            Mark::Same => counts.same += 1,
            Mark::Different => counts.different += 1,
            Mark::OnlyA => counts.only_a += 1,
            Mark::OnlyB => counts.only_b += 1,
            Mark::LeftOut | Mark::Repeated => {}
        }
        if self.rows.len() >= COLLECTED {
            self.beyond += 1;
            return;
        }
        let fields = match (&a, &b) {
            (Some(a), Some(b)) if mark == Mark::Different && (a.key, a.time) == (b.key, b.time) => {
                fields::fields(&a.event, &b.event)
            }
            _ => Vec::new(),
        };
        let row = Row { mark, a: a.map(cell), b: b.map(cell), fields, left_out: None, period: None };
        match mark {
            Mark::Same if self.after > 0 => {
                self.after -= 1;
                self.rows.push(row);
            }
            Mark::Same => {
                self.agreeing.push_back(row);
                if self.agreeing.len() > CONTEXT {
                    self.agreeing.pop_front();
                    self.left_out += 1;
                }
            }
            Mark::Different | Mark::OnlyA | Mark::OnlyB | Mark::LeftOut | Mark::Repeated => {
                self.gap();
                self.rows.append(&mut self.agreeing.drain(..).collect());
                self.rows.push(row);
                self.after = CONTEXT;
            }
        }
    }

    /// Says how many rows are left out, if any.
    fn gap(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            self.rows.push(Row::hidden(Mark::LeftOut, left_out, None));
        }
    }

    fn finish(mut self, limit: usize) -> Vec<Row> {
        self.rows = repeats::fold(std::mem::take(&mut self.rows));
        let over = self.rows.split_off(self.rows.len().min(limit));
        let over: u64 = over.iter().map(|row| row.left_out.unwrap_or(1)).sum();
        self.left_out += self.agreeing.len() as u64 + self.beyond + over;
        self.gap();
        self.rows
    }
}
