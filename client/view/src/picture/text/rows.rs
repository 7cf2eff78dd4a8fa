//! Draws one row, and the texts beside its lifelines.

use std::cmp::max;

use anstyle::Style;
use halfopen_proto::v1::{HostState, TcpState};
use unicode_width::UnicodeWidthStr;

use super::super::{Life, Note, NoteKind, Notes, Part, Picture, Place, Row, What};
use super::Drawing;
use super::canvas::{Line, PLAIN};
use super::frame::Needs;
use super::look::{self, BAD, DIM, FAULT, Joint};
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
                for (host, state) in [(arrow.from.host, shown.from), (arrow.to.host, shown.to)] {
                    if let Some(state) = state {
                        need(host, words::state(state).len(), true);
                    }
                }
                if let Part::Lost { at: Place::Receiver, why } = &arrow.part {
                    need(arrow.to.host, why.width(), false);
                }
            }
            What::Notes(notes) => {
                if let Some(state) = shown.from {
                    need(notes.host, words::state(state).len(), true);
                }
                need(notes.host, in_margin(notes, shown, false).width(), false);
            }
            What::Silence(_) | What::Folded(_) | What::Omitted(_) => {}
        }
    }
    needs
}

/// What notes put into a margin: the state nearest to the lifeline, what applications and timers do beside it.
fn in_margin(notes: &Notes, shown: &Shown, state_first: bool) -> String {
    let state = shown.from.map(words::state).unwrap_or_default();
    let marginal = notes.notes.iter().filter(|note| is_marginal(note)).map(|note| note.text.as_str());
    let marginal = marginal.collect::<Vec<_>>().join(", ");
    let parts = if state_first { [state, &marginal] } else { [&marginal, state] };
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" · ")
}

fn is_marginal(note: &Note) -> bool {
    matches!(note.kind, NoteKind::Application | NoteKind::Timer)
}

/// The style of what notes say.
fn style<'n>(notes: impl Iterator<Item = &'n Note>) -> Style {
    match notes.map(|note| note.kind).max() {
        Some(NoteKind::Fault) => FAULT,
        Some(NoteKind::Error) => BAD,
        Some(NoteKind::Keepalive | NoteKind::Unreachable | NoteKind::Middlebox) => PLAIN,
        Some(NoteKind::Transition | NoteKind::Timer | NoteKind::Application | NoteKind::End) | None => DIM,
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
        let (row, shown) = (&self.picture.rows[index], self.shown[index]);
        let mut sheet = Sheet::new(&self.frame, self.lives(row));
        let mark = self.ellipsis();
        let gap = match &row.what {
            What::Arrow(arrow) => {
                match self.slopes.other_end(index) {
                    Some(other) => self.end(&mut sheet, arrow, shown, &self.picture.rows[other]),
                    None => self.arrow(&mut sheet, row, arrow, shown),
                }
                None
            }
            What::Notes(notes) => {
                self.notes(&mut sheet, row, notes, shown);
                None
            }
            What::Silence(length) => Some(format!("{} of silence", words::duration(*length))),
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

    fn notes(&self, sheet: &mut Sheet<'_>, row: &Row, notes: &Notes, shown: Shown) {
        let said = notes.notes.iter();
        let Some(lane) = self.frame.lane(notes, row) else {
            let texts: Vec<&str> = said.clone().map(|note| note.text.as_str()).collect();
            return sheet.write_across(&texts.join(", "), style(said));
        };
        let inward = if lane == 0 { true } else { lane + 1 != self.frame.lanes.len() };
        let margin = if lane == 0 { 0 } else { lane + 1 };
        let inner = if inward { lane + 1 } else { lane };
        let mut inside: Vec<&Note> = said.clone().filter(|note| !is_marginal(note)).collect();
        let whole = in_margin(notes, &shown, lane != 0);
        let whole = self.named(notes.host, &whole);
        let mut joint = Joint::default();
        if sheet.fits(margin, &whole) {
            let align = if lane == 0 { Align::Right } else { Align::Left };
            let state = shown.from.map_or(DIM, look::of_state);
            let marginal = said.clone().any(is_marginal);
            sheet.write(margin, align, [whole.as_str()], if marginal { DIM } else { state });
            (joint.left, joint.right) = (lane == 0 && marginal, lane != 0 && marginal);
        } else if inside.is_empty() && !sheet.fits(margin, shown.from.map_or("", words::state)) {
            let state = shown.from.map_or(DIM, look::of_state);
            let align = if inward { Align::Left } else { Align::Right };
            sheet.write(inner, align, in_margin(notes, &shown, inward).split(' '), state);
            (joint.left, joint.right) = (!inward, inward);
        } else {
            self.state(sheet, (lane, inward), notes.host, shown.from);
            inside = said.clone().collect();
        }
        let mut texts: Vec<&str> = inside.iter().map(|note| note.text.as_str()).collect();
        let by_fault = said.clone().any(|note| note.kind == NoteKind::Fault);
        texts.extend(notes.becomes.filter(|_| !by_fault).map(host_state));
        if !texts.is_empty() {
            let align = if inward { Align::Left } else { Align::Right };
            let first = sheet.is_free(inner);
            sheet.write(inner, align, texts.join(", ").split(' '), style(inside.into_iter()));
            (joint.left, joint.right) = (joint.left || (first && !inward), joint.right || (first && inward));
        }
        sheet.join(lane, joint);
        if notes.becomes == Some(HostState::Down) {
            sheet.line(0).put(self.frame.lanes[lane], "╳", FAULT);
        }
    }

    /// Writes a state beside its lifeline, with the host's name where lifelines are shared.
    pub(super) fn state(
        &self,
        sheet: &mut Sheet<'_>,
        place: (usize, bool),
        host: Option<HostIndex>,
        state: Option<TcpState>,
    ) {
        let text = state.map(words::state).unwrap_or_default();
        self.beside(sheet, place, host, text, state.map_or(DIM, look::of_state));
    }

    /// Writes a text beside a lifeline: on the side away from what is drawn (on its right if the flag says so), or below that
    /// where there is no room.
    pub(super) fn beside(
        &self,
        sheet: &mut Sheet<'_>,
        (lane, drawn_right): (usize, bool),
        host: Option<HostIndex>,
        text: &str,
        style: Style,
    ) {
        let (outer, inner) = if drawn_right { (lane, lane + 1) } else { (lane + 1, lane) };
        let (away, near) =
            if drawn_right { (Align::Right, Align::Left) } else { (Align::Left, Align::Right) };
        let whole = self.named(host, text);
        if whole.is_empty() {
            return;
        }
        if sheet.fits(outer, &whole) {
            return sheet.write(outer, away, [whole.as_str()], style);
        }
        let name = self.named(host, "");
        if !name.is_empty() && sheet.zone(outer).1 > 0 {
            sheet.write(outer, away, [name.as_str()], style);
        }
        sheet.write(inner, near, text.split(' '), style);
    }

    /// The text, after the host's name where lifelines are shared.
    fn named(&self, host: Option<HostIndex>, text: &str) -> String {
        let host = host.filter(|_| self.frame.shared).and_then(|host| self.picture.lifelines.get(host));
        match host {
            Some(host) if text.is_empty() => host.name.clone(),
            Some(host) => format!("{} {text}", host.name),
            None => text.to_owned(),
        }
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
