//! Goes down the points of a drawing, in the order of time, and finds how low each stands.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use halfopen_proto::v1::{HostState, TcpState};

use super::points::{FALL, LINE, Point, Role, TOP};
use super::text::{self, Line};
use super::ways::{Label, room, span};
use crate::picture::{Arrow, Part, Picture, Row, What};
use crate::timeline::HostIndex;
use crate::words;

/// The distance between arrows that begin or end one after another at the same lifeline.
const ARROWS: f64 = 17.0;
/// How much lower a later point is placed, at least and at most.
const STEP: RangeInclusive<f64> = 8.0..=36.0;

/// Goes down the points.
pub(super) struct Walk<'a> {
    picture: &'a Picture,
    /// The usual latency of segments.
    usual: Duration,
    now: Duration,
    /// Nothing of the present moment stands higher.
    floor: f64,
    lowest: f64,
    /// Where the lines of lost segments end.
    reach: f64,
    /// The last departure and the last arrival at each host; what stands below an arrow counts.
    last: Vec<[Option<f64>; 2]>,
    /// Where the texts beside each lifeline end.
    margins: Vec<f64>,
    /// Where segments left.
    tails: BTreeMap<u64, f64>,
    /// The states that are shown already.
    states: BTreeMap<(HostIndex, u32), TcpState>,
    /// The connection that the last text beside each lifeline was about.
    about: Vec<u32>,
}

impl Walk<'_> {
    pub(super) fn new(picture: &Picture) -> Walk<'_> {
        let hosts = picture.lifelines.len();
        Walk {
            picture,
            usual: usual_latency(picture),
            now: Duration::ZERO,
            floor: TOP,
            lowest: TOP,
            reach: TOP,
            last: vec![[None; 2]; hosts],
            margins: vec![TOP - LINE; hosts],
            tails: BTreeMap::new(),
            states: BTreeMap::new(),
            about: vec![0; hosts],
        }
    }

    /// How low anything stands by now.
    pub(super) fn bottom(&self) -> f64 {
        self.margins.iter().copied().fold(self.lowest.max(self.reach), f64::max)
    }

    /// Finds how low the next point stands, and what is said beside it.
    pub(super) fn place(&mut self, point: &mut Point) {
        let row = &self.picture.rows[point.row];
        if point.time > self.now {
            if point.role != Role::Band {
                let step = (point.time - self.now).as_secs_f64() / self.usual.as_secs_f64() * FALL;
                self.floor = self.floor.max(self.lowest + step.clamp(*STEP.start(), *STEP.end()));
            }
            self.now = point.time;
        }
        match point.host {
            Some(host) => self.at_host(point, host, row),
            None => self.across(point, row),
        }
    }

    /// Something across all lifelines, or the end of a way that is at no host.
    fn across(&mut self, point: &mut Point, row: &Row) {
        if point.role != Role::Band {
            point.y = self.floor;
            self.lowest = self.lowest.max(point.y);
            return;
        }
        let lines = match &row.what {
            What::Notes(notes) => text::notes(notes, None, text::BAND),
            What::Silence(silence) => text::band(silence.text()),
            What::Folded(folded) => vec![text::plain(folded.text.clone())],
            What::Omitted(rows) => {
                vec![text::plain(format!("{} left out", words::count(*rows as u64, "row")))]
            }
            What::Arrow(_) => Vec::new(),
        };
        let height = LINE * lines.len().max(1) as f64;
        point.y = self.bottom() + 24.0;
        self.lowest = point.y + height - LINE;
        self.floor = self.lowest + 24.0;
        self.margins.fill(self.lowest + 8.0);
        point.margin = Some((point.y, lines));
    }

    fn at_host(&mut self, point: &mut Point, host: HostIndex, row: &Row) {
        let lines = self.margin(point, host, row);
        let mut y = self.floor;
        let [tail, head] = self.last[host];
        let (tail, head) = (tail.unwrap_or(f64::MIN), head.unwrap_or(f64::MIN));
        // So far apart that the texts of two arrows have room.
        y = match point.role {
            Role::Tail => y.max(tail + ARROWS).max(head + 3.0),
            Role::Head => y.max(tail + 12.0).max(head + ARROWS),
            Role::Notes | Role::Band => y.max(tail).max(head),
        };
        if point.role == Role::Head
            && let What::Arrow(arrow) = &row.what
            && let Some(tail) = self.tails.get(&arrow.segment)
            && point.time > arrow.sent
        {
            y = y.max(tail + FALL / 2.0);
        }
        if !lines.is_empty() {
            y = y.max(self.margins[host] + LINE - 2.0);
            self.margins[host] = y + LINE * (lines.len() - 1) as f64 + 2.0;
            point.margin = Some((y, lines));
        }
        let below = |arrow: &Arrow| {
            let lines = Label::new(arrow, room(self.picture), span(arrow)).lines.len();
            if lines > 1 { LINE * lines as f64 - 6.0 } else { 0.0 }
        };
        match (point.role, &row.what) {
            (Role::Tail, What::Arrow(arrow)) => {
                self.tails.insert(arrow.segment, y);
                self.last[host][0] = Some(y + below(arrow));
                if matches!(arrow.part, Part::Lost { .. }) {
                    self.reach = y + FALL;
                }
            }
            (Role::Head, What::Arrow(arrow)) => self.last[host][1] = Some(y + below(arrow)),
            (Role::Tail | Role::Head | Role::Notes | Role::Band, _) => {}
        }
        point.y = y;
        self.lowest = self.lowest.max(y);
    }

    /// What is said beside the lifeline.
    fn margin(&mut self, point: &Point, host: HostIndex, row: &Row) -> Vec<Line> {
        let (connection, states) = match &row.what {
            What::Arrow(arrow) => {
                let end = if point.role == Role::Tail { &arrow.from } else { &arrow.to };
                (end.connection, end.states.as_slice())
            }
            What::Notes(notes) => {
                // All its states are gone.
                if notes.becomes == Some(HostState::Down) {
                    self.states.retain(|(other, _), _| *other != host);
                }
                (row.connection, notes.states.as_slice())
            }
            What::Silence(_) | What::Folded(_) | What::Omitted(_) => (row.connection, &[][..]),
        };
        let number = (self.picture.connections > 1 && connection > 0).then_some(connection);
        let mut lines: Vec<Line> = Vec::new();
        let is_named = |state| match &row.what {
            What::Notes(notes) => notes.named_states(row.connection).any(|named| named == state),
            What::Arrow(_) | What::Silence(_) | What::Folded(_) | What::Omitted(_) => true,
        };
        for &state in states {
            if self.states.insert((host, connection), state) != Some(state) && is_named(state) {
                lines.push(text::state(state, number));
            }
        }
        if let What::Notes(notes) = &row.what {
            let number = number.filter(|number| lines.is_empty() && self.about[host] != *number);
            let is_between = host > 0 && host + 1 < self.picture.lifelines.len();
            let room = if is_between { text::BETWEEN } else { text::MARGIN };
            lines.extend(text::notes(notes, number, room));
        }
        if !lines.is_empty() || matches!(row.what, What::Arrow(_)) {
            self.about[host] = connection;
        }
        lines
    }
}

/// The median of how long segments are on their way.
fn usual_latency(picture: &Picture) -> Duration {
    let mut latencies: Vec<Duration> = picture
        .rows
        .iter()
        .filter_map(|row| match &row.what {
            What::Arrow(arrow) => Some(arrow.arrived?.saturating_sub(arrow.sent)),
            What::Notes(_) | What::Silence(_) | What::Folded(_) | What::Omitted(_) => None,
        })
        .filter(|latency| !latency.is_zero())
        .collect();
    latencies.sort();
    latencies.get(latencies.len() / 2).copied().unwrap_or(Duration::from_millis(1))
}
