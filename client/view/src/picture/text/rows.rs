//! Draws one row, and the texts beside its lifelines.

use std::cmp::max;
use std::slice;

use anstyle::Style;
use halfopen_proto::v1::HostState;
use unicode_width::UnicodeWidthStr;

use super::super::{Life, Note, NoteKind, Notes, Part, Picture, Place, Row, What};
use super::Drawing;
use super::canvas::{self, Line, PLAIN, Span};
use super::frame::Needs;
use super::look::{BAD, DIM, FAULT, Joint};
use super::sheet::{Align, Sheet};
use super::shown::Shown;
use crate::timeline::HostIndex;
use crate::words;

/// How wide the margins should be.
pub(super) fn needs(picture: &Picture, shown: &[Shown]) -> Needs {
    let mut needs = Needs::default();
    let last = picture.lifelines.len().max(2) - 1;
    for (row, shown) in picture.rows.iter().zip(shown) {
        let mut need = |host: Option<HostIndex>, text: usize, is_state: bool| {
            let Some(host) = host.filter(|host| *host == 0 || *host == last) else { return };
            let side = if host == 0 { &mut needs.left } else { &mut needs.right };
            side.insert(text);
            if is_state {
                needs.states = max(needs.states, text);
            }
        };
        match &row.what {
            What::Arrow(arrow) => {
                for (host, states) in [(arrow.from.host, &shown.from), (arrow.to.host, &shown.to)] {
                    states.iter().for_each(|state| need(host, state.text.width(), true));
                }
                if let Part::Lost { at: Place::Receiver, why } = &arrow.part {
                    need(arrow.to.host, why.width(), false);
                }
            }
            What::Notes(notes) => {
                shown.from.iter().for_each(|state| need(notes.host, state.text.width(), true));
                let marginal: Vec<&Note> = notes.notes.iter().filter(|note| is_marginal(note)).collect();
                need(notes.host, canvas::width(&in_margin(&marginal, shown, false)), false);
            }
            What::Silence(_) | What::Folded(_) | What::Omitted(_) => {}
        }
    }
    needs
}

/// What stands in a margin: the state nearest to the lifeline, notes beside it.
fn in_margin(notes: &[&Note], shown: &Shown, state_first: bool) -> Vec<Span> {
    let said = listed(notes);
    let (first, second) = if state_first { (&shown.from, &said) } else { (&said, &shown.from) };
    let dot = Some(Span::new("·", DIM)).filter(|_| !first.is_empty() && !second.is_empty());
    first.iter().cloned().chain(dot).chain(second.iter().cloned()).collect()
}

/// Whether a note is about what an application or a timer did, which stands in the margin.
fn is_marginal(note: &Note) -> bool {
    matches!(note.kind, NoteKind::Application | NoteKind::Failed | NoteKind::Timer)
}

/// Notes with commas between them, each in its style.
fn listed(notes: &[&Note]) -> Vec<Span> {
    let last = notes.len().saturating_sub(1);
    let comma = |index| if index < last { "," } else { "" };
    let span = |(index, note): (usize, &&Note)| {
        Span::new(format!("{}{}", note.text, comma(index)), style(note.kind))
    };
    notes.iter().enumerate().map(span).collect()
}

/// The style of what a note says.
const fn style(kind: NoteKind) -> Style {
    match kind {
        NoteKind::Fault => FAULT,
        NoteKind::Failed | NoteKind::Error => BAD,
        NoteKind::Keepalive | NoteKind::Unreachable | NoteKind::Middlebox => PLAIN,
        NoteKind::Transition | NoteKind::Timer | NoteKind::Application | NoteKind::End => DIM,
    }
}

impl Drawing<'_> {
    /// The lines of a row, with what goes through them.
    pub(super) fn row(&self, index: usize) -> Vec<Line> {
        let mut lines = self.own_lines(index);
        self.slopes.draw(self.picture, &self.frame, index, &mut lines);
        lines
    }

    /// The lines of a row by itself.
    pub(super) fn own_lines(&self, index: usize) -> Vec<Line> {
        let (row, shown) = (&self.picture.rows[index], &self.shown[index]);
        let mut sheet = Sheet::new(&self.frame, self.lives(row));
        let mark = self.ellipsis();
        let gap = match &row.what {
            What::Arrow(arrow) => {
                match self.slopes.other_end(index) {
                    Some(other) => self.end(&mut sheet, arrow, shown, &self.picture.rows[other]),
                    None if arrow.turns() && !matches!(arrow.part, Part::Lost { .. }) => {
                        self.turn(&mut sheet, arrow, shown);
                    }
                    None => self.arrow(&mut sheet, row, arrow, shown),
                }
                None
            }
            What::Notes(notes) => {
                self.notes(&mut sheet, row, notes, shown);
                None
            }
            What::Silence(silence) => Some(silence.text()),
            What::Folded(folded) => Some(folded.text.clone()),
            What::Omitted(rows) => Some(format!("{} left out", words::count(*rows as u64, "row"))),
        };
        let time = if let Some(text) = gap {
            sheet.write_across(&format!("{mark} {text} {mark}"), DIM);
            mark.to_owned()
        } else {
            words::duration(row.time)
        };
        let line = sheet.line(0);
        line.put(self.frame.time.saturating_sub(time.width()), &time, DIM);
        if row.connection > 0 && self.frame.connection > 0 {
            line.put(self.frame.time + 2, &format!("#{}", row.connection), DIM);
        }
        sheet.into_lines()
    }

    /// What the lifelines are in a row; where they are shared, those of its hosts.
    fn lives(&self, row: &Row) -> Vec<Option<Life>> {
        let life = |host: HostIndex| row.lives.get(host).copied();
        if !self.frame.shared {
            return (0..self.frame.lanes.len()).map(life).collect();
        }
        let mut lives = vec![None; 2];
        match &row.what {
            What::Arrow(arrow) => {
                let (from, to) = self.frame.ends(arrow);
                lives[from] = arrow.from.host.and_then(life);
                lives[to] = arrow.to.host.and_then(life);
            }
            What::Notes(notes) => {
                if let (Some(lane), Some(host)) = (self.frame.lane(notes, row), notes.host) {
                    lives[lane] = life(host);
                }
            }
            What::Silence(_) | What::Folded(_) | What::Omitted(_) => {}
        }
        lives
    }

    fn notes(&self, sheet: &mut Sheet<'_>, row: &Row, notes: &Notes, shown: &Shown) {
        let all: Vec<&Note> = notes.notes.iter().collect();
        let Some(lane) = self.frame.lane(notes, row) else {
            let texts: Vec<&str> = all.iter().map(|note| note.text.as_str()).collect();
            let kind = all.iter().map(|note| note.kind).max();
            return sheet.write_across(&texts.join(", "), kind.map_or(DIM, style));
        };
        let inward = if lane == 0 { true } else { lane + 1 != self.frame.lanes.len() };
        let margin = if lane == 0 { 0 } else { lane + 1 };
        let inner = if inward { lane + 1 } else { lane };
        let align = if inward { Align::Left } else { Align::Right };
        // Beside a lifeline in the middle there is one place for all.
        let in_the_middle = margin == inner;
        let (marginal, mut inside): (Vec<&Note>, Vec<&Note>) =
            all.iter().copied().partition(|note| in_the_middle || is_marginal(note));
        let beside = self.named(notes.host, in_margin(&marginal, shown, lane != 0));
        let mut joint = Joint::default();
        if sheet.fits(margin, &beside) {
            let align = if lane == 0 { Align::Right } else { Align::Left };
            let any = !marginal.is_empty();
            sheet.write_spans(margin, align, &beside);
            (joint.left, joint.right) = (lane == 0 && any, lane != 0 && any);
        } else if inside.is_empty() && !sheet.fits(margin, &shown.from) {
            let said: Vec<Span> = in_margin(&marginal, shown, inward).iter().flat_map(Span::words).collect();
            sheet.write_spans(inner, align, &said);
            (joint.left, joint.right) = (!inward, inward);
        } else {
            self.beside(sheet, (lane, inward), notes.host, &shown.from);
            inside = all.clone();
        }
        let mut said = listed(&inside);
        let by_fault = all.iter().any(|note| note.kind == NoteKind::Fault);
        said.extend(notes.becomes.filter(|_| !by_fault).map(|state| Span::new(host_state(state), FAULT)));
        if !said.is_empty() {
            let first = sheet.is_free(inner);
            let words: Vec<Span> = said.iter().flat_map(Span::words).collect();
            sheet.write_spans(inner, align, &words);
            (joint.left, joint.right) = (joint.left || (first && !inward), joint.right || (first && inward));
        }
        sheet.join(lane, joint);
        if notes.becomes == Some(HostState::Down) {
            sheet.line(0).put(self.frame.lanes[lane], "╳", FAULT);
        }
    }

    /// Writes texts beside a lifeline, each on a line of its own: on the side away from what is drawn (on its right if the
    /// flag says so), or below that where there is no room. Where lifelines are shared, the host's name stands before
    /// them.
    pub(super) fn beside(
        &self,
        sheet: &mut Sheet<'_>,
        (lane, drawn_right): (usize, bool),
        host: Option<HostIndex>,
        texts: &[Span],
    ) {
        let (outer, inner) = if drawn_right { (lane, lane + 1) } else { (lane + 1, lane) };
        let (away, near) =
            if drawn_right { (Align::Right, Align::Left) } else { (Align::Left, Align::Right) };
        let (first, others) = texts.split_at(texts.len().min(1));
        let first = self.named(host, first.to_vec());
        if sheet.fits(outer, &first) && others.iter().all(|text| sheet.fits(outer, slice::from_ref(text))) {
            sheet.write_spans(outer, away, &first);
            others.iter().for_each(|text| sheet.write_spans(outer, away, slice::from_ref(text)));
            return;
        }
        let name = self.named(host, Vec::new());
        if !name.is_empty() && sheet.zone(outer).1 > 0 {
            sheet.write_spans(outer, away, &name);
        }
        for text in texts {
            let words: Vec<Span> = text.words().collect();
            sheet.write_spans(inner, near, &words);
        }
    }

    /// Spans, after the host's name where lifelines are shared.
    fn named(&self, host: Option<HostIndex>, spans: Vec<Span>) -> Vec<Span> {
        let host = host.filter(|_| self.frame.shared).and_then(|host| self.picture.lifelines.get(host));
        host.map(|host| Span::new(host.name.clone(), DIM)).into_iter().chain(spans).collect()
    }
}

const fn host_state(state: HostState) -> &'static str {
    match state {
        HostState::Unspecified => "",
        HostState::Up => "up again",
        HostState::Frozen => "frozen",
        HostState::Paused => "paused",
        HostState::Down => "down",
    }
}
