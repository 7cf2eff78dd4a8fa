//! Writes a picture as a Mermaid sequence diagram, which GitHub and many other sites draw.
//!
//! Time has no scale there: every arrow is flat, and a silence is a note over all hosts.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::{HostState, TcpState};

use super::{Arrow, End, Notes, Part, Picture, Row, What};
use crate::timeline::HostIndex;
use crate::words;

/// The text of a diagram, from its first word to the end of its last line.
pub fn mermaid(picture: &Picture, title: &str) -> String {
    let mut diagram = Diagram { picture, states: BTreeMap::new(), out: "sequenceDiagram\n".to_owned() };
    if !title.is_empty() {
        diagram.line(&format!("title {}", escape(title)));
        diagram.line(&format!("accTitle: {}", escape(title)));
    }
    for (host, lifeline) in picture.lifelines.iter().enumerate() {
        diagram.line(&format!("participant h{host} as {}", escape(&lifeline.name)));
    }
    if picture.rows.iter().any(|row| matches!(&row.what, What::Arrow(arrow) if has_no_host(arrow))) {
        diagram.line("participant nobody as (no host)");
    }
    for row in &picture.rows {
        diagram.row(row);
    }
    diagram.out
}

fn has_no_host(arrow: &Arrow) -> bool {
    arrow.from.host.is_none() || arrow.to.host.is_none()
}

struct Diagram<'a> {
    picture: &'a Picture,
    /// The states that are shown already.
    states: BTreeMap<(HostIndex, u32), TcpState>,
    out: String,
}

impl Diagram<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str("    ");
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn row(&mut self, row: &Row) {
        match &row.what {
            What::Arrow(arrow) => self.arrow(row, arrow),
            What::Notes(notes) => self.notes(row, notes),
            What::Silence(silence) => self.note(None, &silence.text()),
            What::Folded(folded) => {
                let when = self.when(row.time, row.connection);
                self.note(None, &format!("{when} {}", folded.text));
            }
            What::Omitted(rows) => {
                self.note(None, &format!("{} left out", words::count(*rows as u64, "row")));
            }
        }
    }

    fn arrow(&mut self, row: &Row, arrow: &Arrow) {
        let (line, more) = match &arrow.part {
            Part::Whole => ("->>", String::new()),
            Part::Departure => ("-)", " · on its way".to_owned()),
            Part::Arrival => ("-->>", " · arrives".to_owned()),
            Part::Lost { why, .. } => ("-x", format!(" · lost: {why}")),
        };
        self.end(&arrow.from, arrow.sent);
        let name = |end: &End| end.host.map_or("nobody".to_owned(), |host| format!("h{host}"));
        let text = format!(
            "{} {}{more}",
            self.when(row.time, row.connection),
            arrow.label.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
        );
        self.line(&format!("{}{line}{}: {}", name(&arrow.from), name(&arrow.to), escape(&text)));
        self.end(&arrow.to, arrow.arrived.unwrap_or(row.time));
    }

    /// A note of the states at an end of an arrow that are not shown yet, with the time when the arrow is there.
    fn end(&mut self, end: &End, time: Duration) {
        let Some(host) = end.host else { return };
        let states = self.new_states(host, end.connection, &end.states);
        if !states.is_empty() {
            let text = format!("{} {}", self.when(time, end.connection), states.join(", "));
            self.note(Some(host), &text);
        }
    }

    /// A time, and the number of the connection where there are several: `20ms #1`.
    fn when(&self, time: Duration, connection: u32) -> String {
        let time = words::duration(time);
        match self.picture.connections > 1 && connection > 0 {
            true => format!("{time} #{connection}"),
            false => time,
        }
    }

    fn notes(&mut self, row: &Row, notes: &Notes) {
        if notes.becomes == Some(HostState::Down) {
            self.states.retain(|(host, _), _| Some(*host) != notes.host);
        }
        let states = match notes.host {
            Some(host) => {
                self.new_states(host, row.connection, &notes.states);
                notes.named_states(row.connection).map(words::state).collect()
            }
            None => Vec::new(),
        };
        let becomes = notes.becomes.filter(|_| notes.notes.is_empty()).and_then(becomes);
        let texts = notes.notes.iter().map(|note| note.text.as_str()).filter(|text| !text.is_empty());
        let texts: Vec<&str> = states.into_iter().chain(becomes).chain(texts).collect();
        if !texts.is_empty() {
            let when = self.when(row.time, row.connection);
            self.note(notes.host, &format!("{when} {}", texts.join(", ")));
        }
    }

    /// The names of the states that are not shown yet.
    fn new_states(&mut self, host: HostIndex, connection: u32, states: &[TcpState]) -> Vec<&'static str> {
        let mut is_new = |state: TcpState| self.states.insert((host, connection), state) != Some(state);
        states.iter().filter(|state| is_new(**state)).map(|state| words::state(*state)).collect()
    }

    /// A note beside a host, or over all.
    fn note(&mut self, host: Option<HostIndex>, text: &str) {
        let last = self.picture.lifelines.len().saturating_sub(1);
        let place = match host {
            Some(0) if last > 0 => "left of h0".to_owned(),
            Some(host) if host == last && last > 0 => format!("right of h{host}"),
            Some(host) => format!("over h{host}"),
            None if last > 0 => format!("over h0,h{last}"),
            None => "over h0".to_owned(),
        };
        self.line(&format!("Note {place}: {}", escape(text)));
    }
}

const fn becomes(state: HostState) -> Option<&'static str> {
    match state {
        HostState::Unspecified => None,
        HostState::Up => Some("up"),
        HostState::Frozen => Some("frozen"),
        HostState::Paused => Some("paused"),
        HostState::Down => Some("down"),
    }
}

/// A text that Mermaid takes literally, on one line: characters with a meaning are written as entities.
fn escape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            _ if character.is_control() => result.push(' '),
            ' ' | ':' | '+' | '=' | '.' | ',' | '(' | ')' | '-' | '_' | '/' | '·' | '…' | '§' => {
                result.push(character);
            }
            _ if character.is_alphanumeric() => result.push(character),
            _ => result.push_str(&format!("#{};", u32::from(character))),
        }
    }
    result.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_in_a_text_means_anything() {
        let cases = [
            ("SYN seq=0", "SYN seq=0"),
            ("a;b#c\nd", "a#59;b#35;c d"),
            ("<script>&\"'", "#60;script#62;#38;#34;#39;"),
            ("#2 keepalive: dead", "#35;2 keepalive: dead"),
            (" %%{init}%% ", "#37;#37;#123;init#125;#37;#37;"),
        ];
        for (text, expected) in cases {
            assert_eq!(escape(text), expected, "{text}");
        }
    }
}
