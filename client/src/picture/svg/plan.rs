//! Where everything of a drawing stands.
//!
//! Time goes down, piece by piece: later is always lower, the way of a segment is as steep as it is slow, and what would be
//! long and empty is short. Each row has up to two points, where its segment leaves and where it arrives; points are
//! placed one after the other in the order of time.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::TcpState;

use super::text::{self, Line};
use super::ways::{Label, Way, apart, room, span};
use crate::picture::{Arrow, Life, Part, Picture, Row, What};
use crate::timeline::HostIndex;
use crate::words;

/// The height of a line of text.
pub(super) const LINE: f64 = 14.0;
/// How far a segment falls that is on its way as long as most are.
const FALL: f64 = 28.0;
/// Arrows that begin or end one after another at the same lifeline stand so far apart.
const ARROWS: f64 = 17.0;
/// What happens later stands lower by at least and at most so much.
const STEP: std::ops::RangeInclusive<f64> = 8.0..=36.0;
/// The names of the hosts stand here.
pub(super) const HEADS: f64 = 26.0;
/// Where time begins.
const TOP: f64 = 64.0;

/// A picture with a place for everything.
pub(super) struct Plan<'a> {
    /// Where the lifelines stand.
    pub(super) columns: Vec<f64>,
    /// Where the times end, left of everything.
    pub(super) times_end: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The times worth telling, from the top.
    pub(super) times: Vec<(f64, String)>,
    /// What each row draws, in the order of the rows.
    pub(super) items: Vec<Item<'a>>,
    /// What each host is, and from where on.
    pub(super) lives: Vec<Vec<(f64, Life)>>,
}

/// What one row draws.
pub(super) struct Item<'a> {
    pub(super) row: &'a Row,
    pub(super) way: Option<Way<'a>>,
    /// Texts beside lifelines: the host, where they begin, and what they say.
    pub(super) margins: Vec<(HostIndex, f64, Vec<Line>)>,
    /// What stands across all lifelines.
    pub(super) band: Option<(f64, Vec<Line>)>,
}

/// Something that has one place.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Tail,
    Head,
    Notes,
    Band,
}

struct Point {
    time: Duration,
    row: usize,
    role: Role,
    host: Option<HostIndex>,
    y: f64,
    margin: Option<(f64, Vec<Line>)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(picture: &'a Picture) -> Plan<'a> {
        let mut points = points(picture);
        let mut walk = Walk::new(picture);
        for point in &mut points {
            walk.place(point);
        }
        let lives = lives(picture, &points);
        let bottom = walk.lowest.max(walk.reach).max(walk.margins.iter().copied().fold(0.0, f64::max)) + 18.0;
        let (columns, times_end, width) = columns(picture, &points);
        let times = times(picture, &points);
        let items = Items::new(picture, &columns, &points).all();
        Plan { columns, times_end, width, height: bottom + 12.0, times, items, lives }
    }

    pub(super) fn top(&self) -> f64 {
        HEADS + 12.0
    }

    /// Where texts across the lifelines stand: between the two in the middle.
    pub(super) fn middle(&self) -> f64 {
        let right = self.columns.len() / 2;
        match (right.checked_sub(1).and_then(|left| self.columns.get(left)), self.columns.get(right)) {
            (Some(left), Some(right)) => (left + right) / 2.0,
            (only, other) => only.or(other).copied().unwrap_or(0.0) + 140.0,
        }
    }

    pub(super) fn bottom(&self) -> f64 {
        self.height - 12.0
    }
}

/// The points of all rows in the order of time.
fn points(picture: &Picture) -> Vec<Point> {
    let mut points = Vec::new();
    for (index, row) in picture.rows.iter().enumerate() {
        let mut add = |time, role, host| {
            points.push(Point { time, row: index, role, host, y: 0.0, margin: None });
        };
        match &row.what {
            What::Arrow(arrow) => {
                let head = arrow.arrived.unwrap_or(row.time);
                match arrow.part {
                    Part::Whole => {
                        add(row.time, Role::Tail, arrow.from.host);
                        add(head, Role::Head, arrow.to.host);
                    }
                    Part::Departure | Part::Lost { .. } => add(row.time, Role::Tail, arrow.from.host),
                    Part::Arrival => add(row.time, Role::Head, arrow.to.host),
                }
            }
            What::Notes(notes) if notes.host.is_some() => add(row.time, Role::Notes, notes.host),
            _ => add(row.time, Role::Band, None),
        }
    }
    // What is not shown stands below everything above it, whenever that arrives; but above what comes next.
    let mut latest = Duration::ZERO;
    for index in 0..points.len() {
        latest = latest.max(points[index].time);
        let hidden = matches!(picture.rows[points[index].row].what, What::Folded(_) | What::Omitted(_));
        let next = points.get(index + 1).map_or(Duration::MAX, |next| next.time);
        if hidden && latest <= next {
            points[index].time = latest;
        }
    }
    // Stable: what is of one moment stays in the order of its rows.
    points.sort_by_key(|point| point.time);
    points
}

/// Goes down the points.
struct Walk<'a> {
    picture: &'a Picture,
    /// How long most segments are on their way.
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
    /// The states that are told already.
    states: BTreeMap<(HostIndex, u32), TcpState>,
    /// The connection that the last text beside each lifeline was about.
    about: Vec<u32>,
}

impl Walk<'_> {
    fn new(picture: &Picture) -> Walk<'_> {
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

    fn place(&mut self, point: &mut Point) {
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
            What::Silence(length) => vec![text::plain(format!("{} of silence", text::time(*length)))],
            What::Folded(folded) => vec![text::plain(folded.text.clone())],
            What::Omitted(rows) => {
                vec![text::plain(format!("{} left out", words::count(*rows as u64, "row")))]
            }
            What::Arrow(_) => Vec::new(),
        };
        let height = LINE * lines.len().max(1) as f64;
        let above = self.margins.iter().copied().fold(self.lowest.max(self.reach), f64::max);
        point.y = above + 22.0;
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
        let state = match &row.what {
            What::Arrow(arrow) if point.role == Role::Tail => arrow.from.state,
            What::Arrow(arrow) => arrow.to.state,
            What::Notes(notes) => notes.state,
            What::Silence(_) | What::Folded(_) | What::Omitted(_) => None,
        };
        let told = state.filter(|state| {
            let before = self.states.insert((host, row.connection), *state);
            before != Some(*state)
        });
        let number = (self.picture.connections > 1 && row.connection > 0).then_some(row.connection);
        let mut lines: Vec<Line> = told.map(|state| text::state(state, number)).into_iter().collect();
        if let What::Notes(notes) = &row.what {
            let number = number.filter(|number| told.is_none() && self.about[host] != *number);
            lines.extend(text::notes(notes, number, text::MARGIN));
        }
        if !lines.is_empty() {
            self.about[host] = row.connection;
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

/// Where the lifelines stand, where the times end, and how wide all is.
fn columns(picture: &Picture, points: &[Point]) -> (Vec<f64>, f64, f64) {
    let hosts = picture.lifelines.len();
    let margin = |host: Option<usize>| {
        let texts = points.iter().filter(|point| point.host.is_some() && point.host == host);
        let lines = texts.filter_map(|point| point.margin.as_ref()).flat_map(|(_, lines)| lines);
        let name =
            host.and_then(|host| picture.lifelines.get(host)).map_or(0.0, |line| text::width(&line.name));
        lines.map(Line::width).fold(name / 2.0 + 8.0, f64::max) + 22.0
    };
    let longest = picture.rows.iter().map(|row| text::width(&text::time(row.time))).fold(0.0, f64::max);
    let times_end = 12.0 + longest.max(24.0);
    let first = times_end + margin(Some(0));
    let between = room(picture);
    let columns: Vec<f64> = (0..hosts).map(|host| first + between * host as f64).collect();
    let last = columns.last().copied().unwrap_or(first);
    let right = if hosts > 1 { margin(Some(hosts - 1)) } else { 240.0 };
    (columns, times_end, last + right + 12.0)
}

/// The times of rows, and between them those of arrivals, where there is room.
fn times(picture: &Picture, points: &[Point]) -> Vec<(f64, String)> {
    let mut told: Vec<(f64, Duration)> = Vec::new();
    let leaves = |point: &&Point| {
        point.role != Role::Head
            || !matches!(&picture.rows[point.row].what, What::Arrow(arrow) if arrow.part == Part::Whole)
    };
    let silent = |point: &&Point| {
        matches!(picture.rows[point.row].what, What::Silence(_) | What::Folded(_) | What::Omitted(_))
    };
    let (first, second): (Vec<&Point>, Vec<&Point>) =
        points.iter().filter(|point| !silent(point)).partition(leaves);
    for point in first.into_iter().chain(second) {
        let at = told.partition_point(|(y, _)| *y < point.y);
        let near = told[at.saturating_sub(1)..(at + 1).min(told.len())].iter();
        let room = near.clone().all(|(y, _)| (y - point.y).abs() >= LINE - 2.0);
        let new = told[..at].iter().next_back().is_none_or(|(_, time)| *time != point.time)
            && told.get(at).is_none_or(|(_, time)| *time != point.time);
        if room && new {
            told.insert(at, (point.y, point.time));
        }
    }
    told.into_iter().map(|(y, time)| (y, text::time(time))).collect()
}

/// What each host is, and from where on.
fn lives(picture: &Picture, points: &[Point]) -> Vec<Vec<(f64, Life)>> {
    let mut lives: Vec<Vec<(f64, Life)>> = vec![vec![(TOP - 14.0, Life::default())]; picture.lifelines.len()];
    for point in points {
        for (host, changes) in lives.iter_mut().enumerate() {
            let Some(life) = picture.rows[point.row].lives.get(host) else { continue };
            // A band is nowhere, and what is left out changed anything.
            let here = point.host == Some(host) || point.role == Role::Band;
            let changed = changes.last().is_none_or(|(_, last)| last != life);
            if here && changed {
                changes.push((point.y, *life));
            }
        }
    }
    lives
}

/// Makes what the rows draw of their points.
struct Items<'a, 'p> {
    picture: &'a Picture,
    columns: &'p [f64],
    points: &'p [Point],
    tails: BTreeMap<usize, &'p Point>,
    heads: BTreeMap<usize, &'p Point>,
    /// Where each segment left, and the first arrival of each that has a row of its own.
    left: BTreeMap<u64, usize>,
    arrived: BTreeMap<u64, usize>,
}

impl<'a, 'p> Items<'a, 'p> {
    fn new(picture: &'a Picture, columns: &'p [f64], points: &'p [Point]) -> Items<'a, 'p> {
        let of = |role: Role| {
            points.iter().filter(move |point| point.role == role).map(|point| (point.row, point))
        };
        let (tails, heads) = (of(Role::Tail).collect(), of(Role::Head).collect());
        let mut items =
            Items { picture, columns, points, tails, heads, left: BTreeMap::new(), arrived: BTreeMap::new() };
        for (index, row) in picture.rows.iter().enumerate() {
            if let What::Arrow(arrow) = &row.what {
                let known = if arrow.part == Part::Arrival { &mut items.arrived } else { &mut items.left };
                known.entry(arrow.segment).or_insert(index);
            }
        }
        items
    }

    fn all(&self) -> Vec<Item<'a>> {
        let mut items: Vec<Item<'a>> = self
            .picture
            .rows
            .iter()
            .enumerate()
            .map(|(index, row)| Item { row, way: self.way(index, row), margins: Vec::new(), band: None })
            .collect();
        for point in self.points {
            let Some((y, lines)) = &point.margin else { continue };
            match point.host {
                Some(host) => items[point.row].margins.push((host, *y, lines.clone())),
                None => items[point.row].band = Some((*y, lines.clone())),
            }
        }
        let mut ways: Vec<&mut Way<'_>> = items.iter_mut().filter_map(|item| item.way.as_mut()).collect();
        apart(&mut ways);
        items
    }

    /// The way that the row draws: an arrival draws none if the row of the departure did.
    fn way(&self, index: usize, row: &'a Row) -> Option<Way<'a>> {
        let What::Arrow(arrow) = &row.what else { return None };
        let x = |host: Option<HostIndex>| host.and_then(|host| self.columns.get(host)).copied();
        let from = self.tails.get(&index).map(|point| point.y);
        let (tail, head) = match &arrow.part {
            Part::Whole => (from?, self.heads.get(&index)?.y),
            Part::Lost { .. } => (from?, from? + FALL),
            Part::Departure => {
                let arrival = self.arrived.get(&arrow.segment).and_then(|arrival| self.heads.get(arrival));
                (from?, arrival.map_or(from? + FALL, |point| point.y))
            }
            Part::Arrival => {
                let head = self.heads.get(&index)?.y;
                match self.left.get(&arrow.segment) {
                    Some(_) if self.is_drawn(arrow.segment, index) => return None,
                    Some(left) => (self.tails.get(left)?.y, head),
                    None => (head - FALL, head),
                }
            }
        };
        // Towards nobody, and from nobody: some way beyond the lifeline.
        let room = room(self.picture);
        let side = if arrow.rightwards() { room / 2.0 } else { -room / 2.0 };
        let (from, to) = match (x(arrow.from.host), x(arrow.to.host)) {
            (Some(from), Some(to)) => (from, to),
            (Some(from), None) => (from, from + side),
            (None, Some(to)) => (to - side, to),
            (None, None) => return None,
        };
        Some(Way { arrow, from: (from, tail), to: (to, head), label: Label::new(arrow, room, span(arrow)) })
    }

    /// Whether the row of its departure draws the way to its arrival there.
    fn is_drawn(&self, segment: u64, arrival: usize) -> bool {
        self.arrived.get(&segment) == Some(&arrival) && self.departs(segment)
    }

    /// Whether the segment has a row for its departure alone, which draws the whole way.
    fn departs(&self, segment: u64) -> bool {
        let left = self.left.get(&segment).map(|index| &self.picture.rows[*index].what);
        matches!(left, Some(What::Arrow(Arrow { part: Part::Departure, .. })))
    }
}
