//! Draws a picture as SVG: lifelines from top to bottom, coloured by state, and segments as arrows whose slope shows
//! their latency.
//!
//! The drawing is self-contained, follows the light or dark theme of the reader, and its text is text.

mod arrange;
mod items;
mod plan;
mod points;
mod sides;
mod style;
mod text;
mod walk;
mod ways;

use halfopen_proto::v1::{HostState, TcpPurpose, TcpState};
use maud::{Markup, html};

use self::items::{Band, Item};
use self::plan::Plan;
use self::points::{HEADS, LINE};
use self::text::Line;
use self::ways::{TURN, Way};
use super::{Life, NoteKind, Part, Picture, Row, What};
use crate::markup::{self, Px};
use crate::words;

pub(crate) use self::style::{sheet, state as state_class};
pub(crate) use self::text::{cut, width};

/// The options of a drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SvgOptions {
    /// Its title, at the top and for screen readers.
    pub title: String,
}

/// Draws a picture as an SVG document of its own.
pub fn svg(picture: &Picture, options: &SvgOptions) -> String {
    let sheet = sheet();
    let drawing = Drawing { picture, title: &options.title, prefix: "", sheet: Some(&sheet) };
    lines_of(&markup::finish(drawing.draw())) + "\n"
}

/// The markup with a line for each element, except within text, where spaces count: for comparing drawings.
fn lines_of(markup: &str) -> String {
    let ends =
        ["<title", "<desc", "<style", "<defs", "<pattern", "<rect", "<path", "<text", "<g", "</g>", "</svg>"];
    ends.into_iter()
        .fold(markup.to_owned(), |text, tag| text.replace(&format!(">{tag}"), &format!(">\n{tag}")))
}

/// Draws a picture for a page that has the [`sheet`]. Ids begin with `prefix`.
pub(crate) fn part(picture: &Picture, title: &str, prefix: &str) -> Markup {
    Drawing { picture, title, prefix, sheet: None }.draw()
}

/// The id of the row that shows an event, or else of the last one before it, or the first one; the ids begin with `prefix`.
pub(crate) fn row_of(picture: &Picture, prefix: &str, event: u64) -> Option<String> {
    let rows = || picture.rows.iter();
    // A row of its own before one of folded connections, during which others go on.
    let own = rows().find(|row| row.events.contains(&event));
    let folded = || rows().find(|row| row.shows(event));
    let before = || rows().rfind(|row| row.events.first().is_some_and(|first| *first <= event));
    let first = || rows().find(|row| !row.events.is_empty());
    own.or_else(folded).or_else(before).or_else(first).and_then(|row| id(row, prefix))
}

/// The id of a row, after its first event.
fn id(row: &Row, prefix: &str) -> Option<String> {
    let first = match &row.what {
        What::Folded(folded) => Some(folded.events.start()),
        What::Arrow(_) | What::Notes(_) | What::Silence(_) | What::Omitted(_) => row.events.first(),
    };
    first.map(|event| format!("{prefix}event-{event}"))
}

struct Drawing<'a> {
    picture: &'a Picture,
    title: &'a str,
    prefix: &'a str,
    /// The style sheet, in a document of its own.
    sheet: Option<&'a str>,
}

impl Drawing<'_> {
    fn draw(&self) -> Markup {
        let plan = Plan::new(self.picture);
        // A document of its own says what it is at the top.
        let head = if self.sheet.is_some() && !self.title.is_empty() { 34.0 } else { 0.0 };
        let title_width = if head > 0.0 { width(self.title) * 1.25 + 32.0 } else { 0.0 };
        let (width, height) = (plan.width.max(title_width), plan.height + head);
        let name = if self.title.is_empty() { "A run of TCP" } else { self.title };
        html! {
            svg.halfopen xmlns="http://www.w3.org/2000/svg" width=(Px(width)) height=(Px(height))
                viewBox={ "0 0 " (Px(width)) " " (Px(height)) } role="img"
                aria-labelledby={ (self.prefix) "title " (self.prefix) "desc" } {
                title id={ (self.prefix) "title" } { (name) }
                desc id={ (self.prefix) "desc" } { (self.description()) }
                @if let Some(sheet) = self.sheet { style { (maud::PreEscaped(sheet)) } }
                defs { (self.hatch()) }
                rect.paper.fill width="100%" height="100%" rx="6" {}
                @if head > 0.0 { text.strong x="16" y="26" style="font-size:14px" { (self.title) } }
                g transform={ "translate(0 " (Px(head)) ")" } { (self.body(&plan)) }
            }
        }
    }

    fn body(&self, plan: &Plan<'_>) -> Markup {
        html! {
            @for (host, x) in plan.columns.iter().enumerate() { (self.lifeline(plan, host, *x)) }
            @for (y, time) in &plan.times {
                text.time.dim x=(Px(plan.times_end)) y=(Px(y + 4.0)) text-anchor="end" { (time) }
            }
            @for item in &plan.items { (self.ways(plan, item)) }
            @for item in &plan.items { (self.texts(plan, item)) }
        }
    }

    /// What the picture shows, in a sentence.
    fn description(&self) -> String {
        let hosts: Vec<&str> = self.picture.lifelines.iter().map(|line| line.name.as_str()).collect();
        let Picture { segments, lost, .. } = *self.picture;
        let end = self.picture.rows.last().map(|row| row.time).unwrap_or_default();
        format!(
            "A sequence diagram of {}: {} in {}, {lost} lost.",
            hosts.join(", "),
            words::count(segments, "segment"),
            words::duration(end)
        )
    }

    /// What fills the time in which a host is down.
    fn hatch(&self) -> Markup {
        html! {
            pattern id={ (self.prefix) "down" } width="6" height="6" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                path.bad.thick d="M0 0V6" opacity="0.55" {}
            }
            pattern id={ (self.prefix) "still" } width="6" height="6" patternUnits="userSpaceOnUse" {
                path.opening.thick d="M0 0H6" opacity="0.55" {}
            }
        }
    }

    fn lifeline(&self, plan: &Plan<'_>, host: usize, x: f64) -> Markup {
        let name = self.picture.lifelines.get(host).map_or("", |line| line.name.as_str());
        let name = cut(name, 180.0);
        let box_width = width(&name) * 1.1 + 24.0;
        let lives = &plan.lives[host];
        let ends = lives.iter().skip(1).map(|(y, _)| *y).chain([plan.bottom()]);
        html! {
            path.dim.hair d={ "M" (Px(x)) " " (Px(plan.top())) "V" (Px(plan.bottom())) } {}
            @for ((y, life), end) in lives.iter().zip(ends) { (self.life(*life, x, (*y, end))) }
            rect.dim.hair x=(Px(x - box_width / 2.0)) y=(Px(HEADS - 16.0)) width=(Px(box_width)) height="24" rx="4" {}
            text.strong x=(Px(x)) y=(Px(HEADS)) text-anchor="middle" { (name) }
        }
    }

    /// A piece of a lifeline.
    fn life(&self, life: Life, x: f64, (from, to): (f64, f64)) -> Markup {
        let height = (to - from).max(0.0);
        let pattern = match life.host {
            HostState::Down => Some("down"),
            HostState::Paused | HostState::Frozen => Some("still"),
            HostState::Up | HostState::Unspecified => None,
        };
        html! {
            @if let Some(pattern) = pattern {
                rect x=(Px(x - 11.0)) y=(Px(from)) width="22" height=(Px(height)) rx="3"
                    fill={ "url(#" (self.prefix) (pattern) ")" } {}
            }
            @if let Some(state) = life.state {
                // A host that only listens has nothing to show yet.
                @let half = if state == TcpState::Listen { 1.0 } else { 3.0 };
                rect.fill.(style::state(state)) x=(Px(x - half)) y=(Px(from)) width=(Px(half * 2.0))
                    height=(Px(height)) {}
            }
        }
    }

    /// The lines of a row, which stand under all texts.
    fn ways(&self, plan: &Plan<'_>, item: &Item<'_>) -> Markup {
        html! {
            @if let Some(way) = &item.way { (arrow(way)) }
            @if let What::Notes(notes) = &item.row.what {
                @let kind = notes.notes.iter().map(|note| note.kind).max();
                @for (host, y, _) in &item.margins {
                    @if let Some(kind @ (NoteKind::Fault | NoteKind::Error | NoteKind::Failed)) = kind {
                        path.fill.(style::note(kind)) d="M0 -6L6 0L0 6L-6 0Z"
                            transform={ "translate(" (Px(plan.columns[*host])) " " (Px(*y)) ")" } {}
                    }
                }
            }
            @if let (Some(Band { y, .. }), What::Silence(_) | What::Folded(_) | What::Omitted(_)) = (&item.band, &item.row.what) {
                @for x in &plan.columns { (break_of_line(*x, *y - 4.0)) }
            }
        }
    }

    /// The texts of a row.
    fn texts(&self, plan: &Plan<'_>, item: &Item<'_>) -> Markup {
        html! {
            g id=[id(item.row, self.prefix)] {
                @if let Some(way) = &item.way { (label(way)) }
                @for (host, y, texts) in &item.margins {
                    @let x = plan.columns[*host];
                    @if plan.sides.is_left(*host, item.row) {
                        (lines(texts, x - 12.0, y + 4.0, "end"))
                    } @else {
                        (lines(texts, x + 12.0, y + 4.0, "start"))
                    }
                }
                @if let Some(Band { x, y, lines: texts }) = &item.band { (lines(texts, *x, *y, "middle")) }
            }
        }
    }
}

/// The arrow of a segment, from lifeline to lifeline.
fn arrow(way: &Way<'_>) -> Markup {
    let ((x1, y1), (x2, y2)) = (way.from, way.to);
    let lost = matches!(way.arrow.part, Part::Lost { .. });
    let colour = if way.arrow.flags.rst { "bad" } else { "ink" };
    let kind = match way.arrow.purpose {
        TcpPurpose::Retransmission | TcpPurpose::FastRetransmission | TcpPurpose::TailLossProbe => "again",
        TcpPurpose::KeepaliveProbe | TcpPurpose::WindowProbe => "asks",
        TcpPurpose::Unspecified
        | TcpPurpose::Normal
        | TcpPurpose::ChallengeAck
        | TcpPurpose::DuplicateAck
        | TcpPurpose::Reset => "plain",
    };
    let kind = if way.arrow.flags.psh && kind == "plain" { "data" } else { kind };
    if way.turns() {
        let bend = x1 + way.side * TURN;
        let (x, tip) = (x1 + way.side * 4.0, x1 + way.side * 3.0);
        return html! {
            path.shaft.(colour).(kind) d={
                "M" (Px(x)) " " (Px(y1)) "C" (Px(bend)) " " (Px(y1)) " " (Px(bend)) " " (Px(y2)) " " (Px(x)) " " (Px(y2))
            } {}
            path.fill.(colour) d={ "M0 0L" (Px(way.side * 9.0)) " -4L" (Px(way.side * 9.0)) " 4Z" }
                transform={ "translate(" (Px(tip)) " " (Px(y2)) ")" } {}
        };
    }
    // Lifelines have a breadth.
    let length = (x2 - x1).abs();
    let side = if x2 > x1 { 1.0 } else { -1.0 };
    let at = |part: f64| (x1 + (x2 - x1) * part, y1 + (y2 - y1) * part);
    let ((bx, by), (ex, ey)) =
        (at(way.label.begins + 4.0 / length), at((way.label.goes - 5.0 / length).max(0.0)));
    html! {
        path.shaft.(colour).(kind) d={ "M" (Px(bx)) " " (Px(by)) "L" (Px(ex)) " " (Px(ey)) } {}
        @if lost {
            // Where it would have gone, beyond what stands there.
            @let words = way.label.after.as_ref().map_or(0.0, Line::width) + 18.0;
            @let free = way.label.goes + words / length;
            @if way.label.at.is_some() && free < 0.98 {
                @let ((fx, fy), (rx, ry)) = (at(free), at(1.0));
                path.shaft.beyond.dim d={ "M" (Px(fx)) " " (Px(fy)) "L" (Px(rx)) " " (Px(ry)) } {}
            }
            path.thick.bad d={
                "M" (Px(ex - 4.5)) " " (Px(ey - 4.5)) "l9 9m0 -9l-9 9"
            } {}
        } @else {
            @let angle = (y2 - y1).atan2(x2 - x1).to_degrees();
            path.fill.(colour) d="M0 0L-9 -4L-9 4Z"
                transform={ "translate(" (Px(ex + side)) " " (Px(ey)) ") rotate(" (Px(angle)) ")" } {}
        }
    }
}

/// The text of a segment, along its arrow.
fn label(way: &Way<'_>) -> Markup {
    let ((x1, y1), (x2, y2)) = (way.from, way.to);
    if way.turns() {
        let anchor = if way.side > 0.0 { "start" } else { "end" };
        return lines(&way.label.lines, x1 + way.side * (TURN * 0.75 + 8.0), (y1 + y2) / 2.0 + 4.0, anchor);
    }
    let rightwards = x2 >= x1;
    let angle = way.turn();
    let place = |part: f64| {
        let (x, y) = way.point(part);
        format!("translate({} {}) rotate({})", Px(x), Px(y), Px(angle))
    };
    let (beside, anchor) = if rightwards { (10.0, "start") } else { (-10.0, "end") };
    html! {
        @if let Some(at) = way.label.at {
            g transform=(place(at)) {
                @for (index, line) in way.label.lines.iter().enumerate() {
                    (one_line(line, 0.0, Way::baseline(index), "middle"))
                }
            }
        } @else {
            g transform=(place(way.label.goes)) { (lines(&way.label.lines, beside, 4.0, anchor)) }
        }
        @if let Some(after) = &way.label.after {
            g transform=(place(way.label.goes)) { (one_line(after, beside, 4.0, anchor)) }
        }
    }
}

/// Lines one below the other.
fn lines(lines: &[Line], x: f64, y: f64, anchor: &str) -> Markup {
    html! {
        @for (index, line) in lines.iter().enumerate() {
            (one_line(line, x, y + LINE * index as f64, anchor))
        }
    }
}

fn one_line(line: &Line, x: f64, y: f64, anchor: &str) -> Markup {
    html! {
        text.halo x=(Px(x)) y=(Px(y)) text-anchor=(anchor) {
            @for (class, text) in &line.parts {
                @if class.is_empty() { (text) } @else { tspan class=(class) { (text) } }
            }
        }
    }
}

/// Where time is left out of a lifeline.
fn break_of_line(x: f64, y: f64) -> Markup {
    html! {
        rect.paper.fill x=(Px(x - 8.0)) y=(Px(y - 4.0)) width="16" height="8" {}
        path.dim.shaft d={
            "M" (Px(x - 7.0)) " " (Px(y - 1.0)) "l14 -6m-14 14l14 -6"
        } {}
    }
}
