//! A run in sentences: what happened and why, from its events and their causes alone.
//!
//! [`explain`] makes an [`Explanation`]: paragraphs of sentences, each with its time and events. Its length is
//! bounded, whatever the run: repetitions are one sentence, of connections that went the same way one is described,
//! and the most interesting come first. [`text`] writes it for people; it serializes as JSON.

mod applications;
mod beats;
mod choice;
mod ends;
mod fate;
mod faults;
mod fin;
mod half_open;
mod losses;
mod outcome;
mod phrases;
mod probing;
mod reader;
mod recovery;
mod sentences;
mod steps;
mod summary;
pub mod text;

use std::time::Duration;

use serde::{Serialize, Serializer};

use self::choice::Group;
use self::ends::Ends;
use self::outcome::Outcomes;
use self::sentences::Sentences;
use crate::record::RunRecord;
use crate::stall::Stalls;
use crate::timeline::{EntryIndex, HostIndex, Timeline};
use crate::words;

/// What to explain, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainOptions {
    /// Only this connection; `None`: the most interesting ones.
    pub connection: Option<u32>,
    /// How many connections are described in full.
    pub connections: usize,
    /// The maximum number of sentences about a connection; those in the middle are left out.
    pub sentences: usize,
}

impl Default for ExplainOptions {
    fn default() -> ExplainOptions {
        ExplainOptions { connection: None, connections: 3, sentences: 40 }
    }
}

/// A run in sentences. The keys of its JSON are stable; new ones may be added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What was run, as the user named it.
    pub run: String,
    /// The scenario's id.
    pub scenario: String,
    /// Its variant; empty if it has none.
    pub variant: String,
    /// The scenario's title.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// The paragraphs, in the order of reading.
    pub paragraphs: Vec<Paragraph>,
}

/// Sentences on one subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Paragraph {
    /// What they are about.
    pub subject: Subject,
    /// The connection; 0: the whole run.
    pub connection: u32,
    /// Its heading.
    pub heading: String,
    /// The sentences, in order.
    pub sentences: Vec<Sentence>,
}

/// What a paragraph is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// The run in short.
    Summary,
    /// What happened to a connection, in the order of time.
    Story,
    /// How its ends ended, and why.
    Outcome,
    /// What its applications saw.
    Applications,
    /// The other connections.
    Others,
    /// What happened apart from the connections that are described.
    Apart,
    /// Expectations that are broken, and what did not happen.
    Broken,
}

/// One sentence, or a few that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sentence {
    /// Its beginning in virtual time; `None`: it has no particular time. In JSON, seconds.
    #[serde(rename = "fromSeconds", serialize_with = "seconds")]
    pub from: Option<Duration>,
    /// Its end; `None`: the same as its beginning.
    #[serde(rename = "untilSeconds", serialize_with = "seconds")]
    pub until: Option<Duration>,
    /// The sequence numbers of its first and last event.
    pub events: Option<(u64, u64)>,
    /// The faults that it tells of, by their numbers.
    pub faults: Vec<u32>,
    /// The sentence.
    pub text: String,
}

impl Sentence {
    /// When it happened, in words: a moment, or from one to another.
    pub(crate) fn time(&self) -> String {
        match (self.from, self.until) {
            (None, _) => String::new(),
            (Some(from), None) => words::duration(from),
            (Some(from), Some(until)) => format!("{} – {}", words::duration(from), words::duration(until)),
        }
    }
}

fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

impl Sentence {
    fn timeless(text: String) -> Sentence {
        Sentence { text, ..Sentence::default() }
    }

    /// A sentence on what happened from an entry to an entry.
    fn of(timeline: &Timeline, from: EntryIndex, until: EntryIndex, text: String) -> Sentence {
        let (Some(first), Some(last)) = (timeline.entries.get(from), timeline.entries.get(until)) else {
            return Sentence::timeless(text);
        };
        let until = Some(last.time).filter(|time| *time > first.time);
        let events = Some((first.sequence, last.sequence));
        Sentence { from: Some(first.time), until, events, text, ..Sentence::default() }
    }

    fn with_faults(self, faults: Vec<u32>) -> Sentence {
        Sentence { faults, ..self }
    }
}

/// Explains a run. A run that has not begun has no paragraphs.
pub fn explain(record: &RunRecord, options: ExplainOptions) -> Explanation {
    let timeline = Timeline::new(&record.events);
    let started = record.started().cloned().unwrap_or_default();
    let mut explanation = Explanation {
        run: record.name.clone(),
        scenario: started.scenario,
        variant: started.variant,
        title: started.title,
        seed: started.seed,
        paragraphs: Vec::new(),
    };
    if record.started().is_some() {
        let end = words::from_proto(record.events.last().and_then(|last| last.time.as_ref()));
        let stalls = Stalls::new(&timeline);
        explanation.paragraphs = Writer { record, timeline: &timeline, stalls, end, options }.paragraphs();
    }
    explanation
}

struct Writer<'a> {
    record: &'a RunRecord,
    timeline: &'a Timeline,
    stalls: Stalls,
    /// When the run ended, or was stopped.
    end: Duration,
    options: ExplainOptions,
}

impl Writer<'_> {
    fn paragraphs(&self) -> Vec<Paragraph> {
        let ends = Ends::new(self.timeline);
        let groups = choice::groups(self.timeline, &ends);
        let (described, others) = match self.options.connection {
            Some(number) => (vec![number], &[][..]),
            None => {
                let (described, others) = groups.split_at(groups.len().min(self.options.connections));
                (described.iter().map(|group| group.first).collect(), others)
            }
        };
        let summary = summary::Summary {
            record: self.record,
            timeline: self.timeline,
            ends: &ends,
            groups: &groups,
            end: self.end,
        }
        .sentences(self.options.connection);
        let mut all = vec![self.paragraph(Subject::Summary, 0, "Summary", summary)];
        for number in &described {
            let of = groups.iter().find(|group| group.first == *number && self.options.connection.is_none());
            self.connection(*number, &ends, of, &mut all);
        }
        all.push(self.paragraph(Subject::Others, 0, "Other connections", summary::others(others)));
        let apart = summary::apart(self.timeline, &ends, &all);
        all.push(self.paragraph(Subject::Apart, 0, "Other events", apart));
        let broken = summary::broken(self.record);
        all.push(self.paragraph(Subject::Broken, 0, "Broken expectations", broken));
        all.retain(|paragraph| !paragraph.sentences.is_empty());
        all
    }

    fn paragraph(
        &self,
        subject: Subject,
        connection: u32,
        heading: &str,
        sentences: Vec<Sentence>,
    ) -> Paragraph {
        Paragraph { subject, connection, heading: heading.to_owned(), sentences }
    }

    /// Everything about one connection.
    fn connection(&self, number: u32, ends: &Ends, group: Option<&Group>, all: &mut Vec<Paragraph>) {
        let Some(connection) = ends.connections.get(&number) else { return };
        let mut hosts: Vec<HostIndex> = connection.iter().map(|end| end.host).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let story = reader::story(self.timeline, &self.stalls, number, &hosts);
        let half_open = half_open::periods(self.timeline, connection);

        let sentences = Sentences { timeline: self.timeline, stalls: &self.stalls, story: &story };
        let sentences = story.beats.iter().map(|beat| {
            let text = sentences.sentence(beat);
            let faults = beat.what.faults(&story.recoveries);
            Sentence::of(self.timeline, beat.from, beat.until, text).with_faults(faults)
        });
        let sentences = shortened(
            sentences.filter(|sentence| !sentence.text.is_empty()).collect(),
            self.options.sentences,
        );
        all.push(self.paragraph(Subject::Story, number, &self.heading(number, ends, group), sentences));

        let outcomes = Outcomes {
            timeline: self.timeline,
            stalls: &self.stalls,
            end: self.end,
            story: &story,
            ends: connection,
            half_open: &half_open,
        };
        let said = outcomes
            .sentences()
            .into_iter()
            .map(|said| Sentence::of(self.timeline, said.from, said.until.unwrap_or(said.from), said.text));
        let said = shortened(said.collect(), self.options.sentences);
        all.push(self.paragraph(Subject::Outcome, number, "Outcome of each end", said));

        let seen = applications::sentences(self.timeline, number);
        let seen = seen.into_iter().map(|(from, until, text)| Sentence::of(self.timeline, from, until, text));
        all.push(self.paragraph(Subject::Applications, number, "What the applications saw", seen.collect()));
    }

    fn heading(&self, number: u32, ends: &Ends, group: Option<&Group>) -> String {
        let mut heading = format!("Connection {number}");
        let connection = ends.connections.get(&number).map_or(&[][..], Vec::as_slice);
        let opener = connection.iter().find(|end| end.opened()).or(connection.first());
        if let Some(end) = opener.and_then(|end| self.timeline.ends.get(end.created?)) {
            let (host, local, remote) = (phrases::host(self.timeline, end.host), &end.local, &end.remote);
            let peer = end.peer.map_or("nobody", |peer| phrases::host(self.timeline, peer));
            match self.timeline.other_number(number) {
                _ if local == remote => heading.push_str(&format!(", from {host} ({local}) to itself")),
                Some(other) => heading.push_str(&format!(
                    ", from {host} ({local}) to itself ({remote}), where it is connection {other}"
                )),
                None => heading.push_str(&format!(", from {host} ({local}) to {peer} ({remote})")),
            }
        }
        if let Some(group) = group.filter(|group| group.count > 1) {
            heading.push_str(&format!("; {} went the same way", group.count - 1));
        }
        heading
    }
}

/// Leaves out sentences in the middle, so that not more than `limit` remain besides the one that says so.
fn shortened(mut sentences: Vec<Sentence>, limit: usize) -> Vec<Sentence> {
    if sentences.len() > limit {
        let head = limit.div_ceil(2);
        let tail = sentences.split_off(sentences.len() - limit / 2);
        let left_out = sentences.split_off(head);
        let from = left_out.first().and_then(|first| first.from);
        let until = left_out.last().and_then(|last| last.until.or(last.from));
        let first = left_out.first().and_then(|first| first.events).map(|(first, _)| first);
        let last = left_out.iter().filter_map(|left_out| left_out.events).map(|(_, last)| last).max();
        let events = first.zip(last);
        let text = format!("… {} are left out here.", words::count(left_out.len() as u64, "sentence"));
        sentences.push(Sentence { from, until, events, text, faults: Vec::new() });
        sentences.extend(tail);
    }
    sentences
}
