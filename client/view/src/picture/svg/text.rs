//! The texts of a drawing, as lines with the class of each part.

use std::time::Duration;

use halfopen_proto::v1::TcpState;
use unicode_width::UnicodeWidthChar;

use super::style;
use crate::picture::{Arrow, Notes, WordKind};
use crate::words;

/// The classes of why a segment was lost.
const LOST: &str = "strong bad";
/// How wide a text beside a lifeline may be.
pub(super) const MARGIN: f64 = 200.0;
/// How wide it may be where segments of others pass.
pub(super) const BETWEEN: f64 = 120.0;
/// How wide a text across the lifelines may be.
pub(super) const BAND: f64 = 400.0;

/// A line of text: parts, each with its classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    pub(super) parts: Vec<(&'static str, String)>,
}

impl Line {
    fn one(class: &'static str, text: String) -> Line {
        Line { parts: vec![(class, text)] }
    }

    /// About how wide it is.
    pub(crate) fn width(&self) -> f64 {
        self.parts.iter().map(|(_, text)| width(text)).sum()
    }
}

/// About how wide a text is. Fonts differ: what is said here is true of DejaVu Sans, which is wide, at 12 pixels.
pub(crate) fn width(text: &str) -> f64 {
    let one = |character: char| match character {
        ' ' | '.' | ',' | ':' | ';' | 'i' | 'j' | 'l' | '\'' | '·' | '|' => 3.9,
        'A'..='Z' | 'm' | 'w' | '=' | '+' | '✗' | '…' => 9.0,
        _ => 7.2 * character.width().unwrap_or(0) as f64,
    };
    text.chars().map(one).sum()
}

/// A moment. Exact to the microsecond: more digits would not be read.
pub(super) fn time(time: Duration) -> String {
    let nanos = time.subsec_nanos();
    words::duration(Duration::new(time.as_secs(), nanos - nanos % 1000))
}

/// A remark about the picture.
pub(super) fn plain(text: String) -> Line {
    Line::one("dim", text)
}

/// A remark across the lifelines, in lines.
pub(super) fn band(text: String) -> Vec<Line> {
    wrap(vec![("dim", text)], BAND)
}

/// A state that a connection has from here on.
pub(super) fn state(state: TcpState, connection: Option<u32>) -> Line {
    let number = connection.map(|number| format!("#{number} ")).unwrap_or_default();
    let class = match style::state(state) {
        "opening" => "state opening",
        "open" => "state open",
        "closing" => "state closing",
        "waiting" => "state waiting",
        _ => "state dim",
    };
    Line::one(class, format!("{number}{}", words::state(state)))
}

/// What happened at one host, or in the network.
pub(super) fn notes(notes: &Notes, connection: Option<u32>, room: f64) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut number = connection.map(|number| format!("#{number} ")).unwrap_or_default();
    for note in notes.notes.iter().filter(|note| !note.text.is_empty()) {
        let text = std::mem::take(&mut number) + &note.text;
        lines.extend(wrap(vec![(style::note(note.kind), text)], room));
    }
    lines
}

/// What a segment is, in lines.
pub(super) fn label(arrow: &Arrow, room: f64) -> Vec<Line> {
    wrap(parts(arrow), room)
}

/// What a segment is and why it was lost, in lines.
pub(super) fn label_of_lost(arrow: &Arrow, why: &str, room: f64) -> Vec<Line> {
    let mut parts = parts(arrow);
    parts.push((LOST, why.to_owned()));
    wrap(parts, room)
}

/// Why a segment was lost.
pub(super) fn reason(why: &str) -> Line {
    Line::one(LOST, why.to_owned())
}

fn parts(arrow: &Arrow) -> Vec<(&'static str, String)> {
    let flags = match (arrow.flags.rst, arrow.flags.syn || arrow.flags.fin) {
        (true, _) => "strong bad",
        (false, true) => "strong",
        (false, false) => "",
    };
    let class = |kind: WordKind| match kind {
        WordKind::Flags => flags,
        WordKind::Number => "dim",
        WordKind::Purpose => "closing",
        WordKind::Fault => "fault",
        WordKind::NotUsed => "bad",
    };
    arrow.label.iter().map(|word| (class(word.kind), word.text.clone())).collect()
}

/// Fills lines with parts. One that is longer than a line is divided between words.
fn wrap(parts: Vec<(&'static str, String)>, room: f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (class, text) in parts {
        let pieces = if width(&text) <= room { vec![text.as_str()] } else { text.split(' ').collect() };
        for (index, piece) in pieces.into_iter().filter(|piece| !piece.is_empty()).enumerate() {
            let piece = cut(piece, room);
            let longer = lines.last().map(|line| line.width() + width(" ") + width(&piece));
            match (lines.last_mut(), longer) {
                (Some(line), Some(longer)) if longer <= room => match line.parts.last_mut() {
                    Some((_, last)) if index > 0 => {
                        last.push(' ');
                        last.push_str(&piece);
                    }
                    _ => line.parts.push((class, format!(" {piece}"))),
                },
                // A dot is for what stands before it.
                _ => lines.push(Line::one(class, piece.trim_start_matches("· ").to_owned())),
            }
        }
    }
    lines
}

/// A word, or its beginning and `…` if it alone is wider than there is room.
pub(crate) fn cut(word: &str, room: f64) -> String {
    if width(word) <= room {
        return word.to_owned();
    }
    let mut result = String::new();
    for character in word.chars() {
        result.push(character);
        if width(&result) + width("…") >= room {
            break;
        }
    }
    result + "…"
}
