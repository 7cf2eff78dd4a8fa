//! The states of both ends of connections, and keepalive probes, over time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use halfopen_proto::v1::{HostState, KeepaliveVerdict, TcpState};
use maud::{Markup, html};

use super::axis::Axis;
use crate::markup::Px;
use crate::picture::svg;
use crate::record::RunRecord;
use crate::timeline::{EntryKind, HostIndex, Timeline};
use crate::words;

/// How many connections have bars.
pub(super) const CONNECTIONS: usize = 6;
/// How many faults have a mark.
const FAULTS: usize = 60;

/// Where bars begin and end.
const PLOT: (f64, f64) = (150.0, 940.0);
const WIDTH: f64 = 960.0;
const BAR: f64 = 20.0;
const STRIP: f64 = 18.0;
/// The height of a line of names.
const LINE: f64 = 14.0;

/// One end of a connection.
#[derive(Default)]
struct Lane {
    /// The states, and when they began; `None` where there is no state any more.
    states: Vec<(Duration, Option<TcpState>)>,
    /// What keepalive found out.
    asked: Vec<(Duration, KeepaliveVerdict)>,
}

/// What a chart shows.
#[derive(Default)]
struct Chart {
    lanes: BTreeMap<(u32, HostIndex), Lane>,
    /// When a host changed what it does.
    hosts: Vec<(Duration, HostIndex, HostState)>,
    faults: Vec<(Duration, String)>,
    end: Duration,
}

/// The chart as a drawing; empty if there was no connection. It needs the patterns of the picture with the same
/// prefix.
pub(super) fn chart(record: &RunRecord, timeline: &Timeline, prefix: &str) -> Markup {
    let chart = Chart::new(timeline);
    if chart.lanes.is_empty() {
        return html! {};
    }
    let left_out = (timeline.connections as usize).saturating_sub(CONNECTIONS);
    html! {
        h3 { "States over time" }
        div.wide { (chart.draw(timeline, &record.name, prefix)) }
        p.dim {
            "Time is logarithmic from mark to mark. "
            @if left_out > 0 { (words::count(left_out as u64, "more connection")) " not shown." }
        }
    }
}

impl Chart {
    fn new(timeline: &Timeline) -> Chart {
        let mut chart = Chart::default();
        for entry in &timeline.entries {
            chart.end = chart.end.max(entry.time);
            let lane = entry.host.filter(|_| (1..=CONNECTIONS as u32).contains(&entry.connection));
            let lane = lane.map(|host| (entry.connection, host));
            match &entry.kind {
                EntryKind::Transition { to, .. } => {
                    let state = Some(*to).filter(|state| *state != TcpState::Closed);
                    let lane = lane.map(|lane| chart.lanes.entry(lane).or_default());
                    lane.into_iter().for_each(|lane| lane.states.push((entry.time, state)));
                }
                EntryKind::Keepalive { verdict, .. } => {
                    let lane = lane.map(|lane| chart.lanes.entry(lane).or_default());
                    lane.into_iter().for_each(|lane| lane.asked.push((entry.time, *verdict)));
                }
                EntryKind::Host(state) => chart.host(entry.time, entry.host, *state),
                EntryKind::Fault(fault) => chart.fault(entry.time, &fault.action),
                EntryKind::Sent(segment) => {
                    segment.faults.iter().for_each(|fault| chart.fault(entry.time, &fault.action));
                }
                EntryKind::Arrived { .. }
                | EntryKind::Lost { .. }
                | EntryKind::Unreachable { .. }
                | EntryKind::Middlebox { .. }
                | EntryKind::Timer { .. }
                | EntryKind::Error(_)
                | EntryKind::End
                | EntryKind::Application { .. }
                | EntryKind::Written { .. }
                | EntryKind::Read { .. } => {}
            }
        }
        chart
    }

    fn host(&mut self, time: Duration, host: Option<HostIndex>, state: HostState) {
        let Some(host) = host else { return };
        self.hosts.push((time, host, state));
        if state == HostState::Down {
            for ((_, other), lane) in &mut self.lanes {
                if *other == host && lane.states.last().is_some_and(|(_, state)| state.is_some()) {
                    lane.states.push((time, None));
                }
            }
        }
    }

    fn fault(&mut self, time: Duration, action: &str) {
        if self.faults.len() < FAULTS {
            self.faults.push((time, action.to_owned()));
        }
    }

    fn axis(&self) -> Axis {
        let mut moments = BTreeSet::from([Duration::ZERO, self.end]);
        for lane in self.lanes.values() {
            moments.extend(lane.states.iter().map(|(time, _)| *time));
            moments.extend(lane.asked.iter().map(|(time, _)| *time));
        }
        moments.extend(self.hosts.iter().map(|(time, ..)| *time));
        moments.extend(self.faults.iter().map(|(time, _)| *time));
        Axis::new(&moments, PLOT)
    }

    fn draw(&self, timeline: &Timeline, name: &str, prefix: &str) -> Markup {
        let axis = self.axis();
        let mut y = 14.0;
        let mut places = Vec::new();
        for lane in self.lanes.values() {
            let names = lane.names(&axis, self.end);
            let asked = if lane.asked.is_empty() { 0.0 } else { STRIP };
            let height = BAR + 6.0 + asked + LINE * names.len() as f64;
            places.push((y, names));
            y += height;
        }
        let (bottom, height) = (y, y + 26.0);
        html! {
            svg.halfopen xmlns="http://www.w3.org/2000/svg" width=(Px(WIDTH)) height=(Px(height))
                viewBox={ "0 0 " (Px(WIDTH)) " " (Px(height)) } role="img" aria-label={ "States over time of " (name) } {
                (ticks(&axis, bottom))
                @for (((connection, host), lane), (y, names)) in self.lanes.iter().zip(places) {
                    @let name = timeline.hosts.get(*host).map_or("", String::as_str);
                    @let number = if timeline.connections > 1 { format!(" #{connection}") } else { String::new() };
                    text.strong x=(Px(PLOT.0 - 10.0)) y=(Px(y + 14.0)) text-anchor="end" { (svg::cut(name, 110.0)) (number) }
                    (self.down(&axis, *host, y, prefix))
                    (bars(&axis, lane, self.end, y))
                    @if !lane.asked.is_empty() {
                        text.time.dim x=(Px(PLOT.0 - 10.0)) y=(Px(y + BAR + 14.0)) text-anchor="end" { "keepalive" }
                        (strip(&axis, lane, y + BAR + 10.0))
                    }
                    @let top = y + BAR + if lane.asked.is_empty() { 0.0 } else { STRIP };
                    @for (index, line) in names.iter().enumerate() {
                        text.time.dim x=(Px(PLOT.0)) y=(Px(top + LINE * (index as f64 + 0.9))) {
                            @for (index, (state, text)) in line.iter().enumerate() {
                                @if index > 0 { " · " }
                                tspan.(svg::state_class(*state)) { (text) }
                            }
                        }
                    }
                }
                @for (time, action) in &self.faults {
                    @let x = axis.at(*time);
                    g.fault {
                        title { (words::duration(*time)) ": " (action) }
                        path.hair d={ "M" (Px(x)) " 8V" (Px(bottom)) } {}
                        path.fill d={ "M" (Px(x)) " 1l5 5l-5 5l-5 -5Z" } {}
                    }
                }
            }
        }
    }

    /// Where the host is down or suspended.
    fn down(&self, axis: &Axis, host: HostIndex, y: f64, prefix: &str) -> Markup {
        let changes: Vec<(Duration, HostState)> = self
            .hosts
            .iter()
            .filter(|(_, other, _)| *other == host)
            .map(|(time, _, state)| (*time, *state))
            .collect();
        let ends = changes.iter().skip(1).map(|(time, _)| *time).chain([self.end]);
        html! {
            @for ((from, state), to) in changes.iter().zip(ends) {
                @let pattern = match state {
                    HostState::Down => Some(("down", "is down")),
                    HostState::Paused => Some(("still", "is paused")),
                    HostState::Frozen => Some(("still", "is frozen")),
                    HostState::Up | HostState::Unspecified => None,
                };
                @if let Some((pattern, does)) = pattern {
                    @let (x1, x2) = (axis.at(*from), axis.at(to));
                    rect x=(Px(x1)) y=(Px(y - 3.0)) width=(Px((x2 - x1).max(2.0))) height=(Px(BAR + 6.0))
                        fill={ "url(#" (prefix) (pattern) ")" } { title { (does) " from " (words::duration(*from)) } }
                }
            }
        }
    }
}

impl Lane {
    /// The states, each with its beginning and its end.
    fn stays(&self, end: Duration) -> impl Iterator<Item = (TcpState, Duration, Duration)> {
        let ends = self.states.iter().skip(1).map(|(time, _)| *time).chain([end]);
        self.states.iter().zip(ends).filter_map(|((from, state), to)| Some(((*state)?, *from, to)))
    }

    /// The states whose bars have no room for their names, in lines: with their times, because they may be too short to be
    /// seen.
    fn names(&self, axis: &Axis, end: Duration) -> Vec<Vec<(TcpState, String)>> {
        let mut lines: Vec<Vec<(TcpState, String)>> = Vec::new();
        let mut taken = f64::INFINITY;
        for (state, from, to) in self.stays(end) {
            if fits(axis, state, from, to) {
                continue;
            }
            let length = words::duration(to.saturating_sub(from));
            let text = format!("{} at {} for {length}", words::state(state), words::duration(from));
            let width = svg::width(&text) + svg::width(" · ");
            if taken + width > PLOT.1 - PLOT.0 {
                lines.push(Vec::new());
                taken = 0.0;
            }
            taken += width;
            if let Some(line) = lines.last_mut() {
                line.push((state, text));
            }
        }
        lines
    }
}

/// Whether a bar has room for the name of its state.
fn fits(axis: &Axis, state: TcpState, from: Duration, to: Duration) -> bool {
    axis.at(to) - axis.at(from) > svg::width(words::state(state)) * 0.95
}

/// The states of one end.
fn bars(axis: &Axis, lane: &Lane, end: Duration, y: f64) -> Markup {
    html! {
        @for (state, from, to) in lane.stays(end) {
            @let (x, width) = (axis.at(from), (axis.at(to) - axis.at(from)).max(1.0));
            @let name = words::state(state);
            g {
                title { (name) " from " (words::duration(from)) " for " (words::duration(to.saturating_sub(from))) }
                rect.fill.(svg::state_class(state)) x=(Px(x)) y=(Px(y)) width=(Px(width)) height=(Px(BAR)) rx="2" {}
                @if fits(axis, state, from, to) {
                    text.state.paper x=(Px(x + width / 2.0)) y=(Px(y + 14.0)) text-anchor="middle" { (name) }
                }
            }
        }
    }
}

/// Keepalive probes: a ring for a probe without an answer, a disc for one with an answer, a cross for the end.
fn strip(axis: &Axis, lane: &Lane, y: f64) -> Markup {
    let later = lane.asked.iter().skip(1).map(|(_, verdict)| Some(*verdict)).chain([None]);
    html! {
        @for ((time, verdict), next) in lane.asked.iter().zip(later) {
            @let x = axis.at(*time);
            @let at = words::duration(*time);
            @match verdict {
                KeepaliveVerdict::Probing => {
                    @let answered = matches!(next, Some(KeepaliveVerdict::Alive));
                    g.(if answered { "open" } else { "closing" }) {
                        title { "probe at " (at) ", " (if answered { "answered" } else { "no answer" }) }
                        circle.(if answered { "fill" } else { "thick" }) cx=(Px(x)) cy=(Px(y)) r="4" {}
                    }
                }
                KeepaliveVerdict::Dead | KeepaliveVerdict::Reset => {
                    g.bad {
                        title { (words::keepalive(*verdict)) " at " (at) }
                        path.thick d={ "M" (Px(x - 4.0)) " " (Px(y - 4.0)) "l8 8m0 -8l-8 8" } {}
                    }
                }
                KeepaliveVerdict::Alive | KeepaliveVerdict::Unspecified => {}
            }
        }
    }
}

/// The times of moments, as far as there is room.
fn ticks(axis: &Axis, bottom: f64) -> Markup {
    let mut shown: Vec<(f64, String)> = Vec::new();
    let last = axis.stops().last().map_or(0.0, |(_, x)| x);
    for (time, x) in axis.stops() {
        let text = words::duration(time);
        let free = shown.last().map_or(0.0, |(before, text)| before + svg::width(text) / 2.0 + 8.0);
        let half = svg::width(&text) / 2.0;
        if x == last {
            while shown.last().is_some_and(|(before, text)| before + svg::width(text) / 2.0 + 8.0 > x - half)
            {
                shown.pop();
            }
            shown.push((x, text));
        } else if x - half >= free {
            shown.push((x, text));
        }
    }
    html! {
        @for (_, x) in axis.stops() { path.dim.hair d={ "M" (Px(x)) " 10V" (Px(bottom)) } {} }
        @for (x, text) in &shown {
            text.time.dim x=(Px(*x)) y=(Px(bottom + 16.0)) text-anchor=(if *x == last { "end" } else { "middle" }) { (text) }
        }
    }
}
