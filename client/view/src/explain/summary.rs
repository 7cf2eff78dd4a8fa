//! The run in short, what is left to say of it, and what was expected in vain.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use halfopen_proto::v1::{ExpectationReference, ExpectationResult, StepKind, TcpState, TcpTimer};

use super::choice::Group;
use super::ends::{End, Ends};
use super::faults;
use super::half_open::{self, HalfOpen};
use super::phrases::{self, about};
use super::{Paragraph, Sentence};
use crate::record::{Outcome, RunRecord, reference};
use crate::timeline::{Entry, EntryIndex, EntryKind, HostIndex, Timeline};
use crate::{describe, words};

/// How many half-open connections are named one by one.
const HALF_OPEN: usize = 5;
/// How many other ways that connections went are named.
const OTHERS: usize = 10;
/// How many broken expectations and problems are described in full.
const BROKEN: usize = 30;
/// How many things apart are described.
const APART: usize = 20;

/// What a run is summed up from.
pub(super) struct Summary<'a> {
    pub(super) record: &'a RunRecord,
    pub(super) timeline: &'a Timeline,
    pub(super) ends: &'a Ends,
    pub(super) groups: &'a [Group],
    /// When the run ended, or was stopped.
    pub(super) end: Duration,
}

impl Summary<'_> {
    /// The run in short: its verdict, what was half-open, and where everything is in the end.
    pub(super) fn sentences(&self, only: Option<u32>) -> Vec<Sentence> {
        let mut all = vec![Sentence::timeless(self.verdict())];
        let connections = &self.ends.connections;
        let count = words::count(connections.len() as u64, "connection");
        match (connections.len(), only) {
            (0, _) => all.push(Sentence::timeless("There was no connection.".to_owned())),
            (_, Some(only)) if !connections.contains_key(&only) => {
                all.push(Sentence::timeless(format!("There is no connection {only}: the run had {count}.")));
            }
            (1, _) | (_, Some(_)) => {}
            _ if self.groups.len() == 1 => {
                all.push(Sentence::timeless(format!("It had {count}, and all went the same way.")));
            }
            _ => {
                let ways = self.groups.len();
                all.push(Sentence::timeless(format!("It had {count}, in {ways} different ways.")));
            }
        }
        self.half_open(only, &mut all);
        let single = only.or_else(|| connections.keys().next().copied().filter(|_| connections.len() == 1));
        if let Some(ends) = single.and_then(|single| connections.get(&single)) {
            all.extend(self.final_states(ends));
        }
        all.extend(self.failures(only));
        all
    }

    /// The calls that failed, each kind once.
    fn failures(&self, only: Option<u32>) -> Option<Sentence> {
        let mut kinds: BTreeMap<(HostIndex, &str, &str), usize> = BTreeMap::new();
        for entry in &self.timeline.entries {
            if let (EntryKind::Application { call, error, .. }, Some(host)) = (&entry.kind, entry.host)
                && !error.is_empty()
                && only.is_none_or(|only| only == entry.connection)
            {
                *kinds.entry((host, words::step(*call), error)).or_default() += 1;
            }
        }
        let say = |((host, call, error), count): (&(HostIndex, &str, &str), &usize)| {
            let often = if *count > 1 { format!(" ({})", phrases::times(*count)) } else { String::new() };
            format!("{}'s {call} with {error}{often}", phrases::host(self.timeline, *host))
        };
        let failed: Vec<String> = kinds.iter().map(say).collect();
        (!failed.is_empty())
            .then(|| Sentence::timeless(format!("Calls that failed: {}.", phrases::list(&failed))))
    }

    fn half_open(&self, only: Option<u32>, all: &mut Vec<Sentence>) {
        let several = self.ends.connections.len() > 1;
        let mut said = 0;
        for (number, ends) in &self.ends.connections {
            for period in half_open::periods(self.timeline, ends) {
                if only.is_some_and(|only| only != *number) {
                    continue;
                }
                said += 1;
                if said <= HALF_OPEN {
                    let text = self.alone(&period, several.then_some(*number));
                    let until = period.until.unwrap_or(period.from);
                    all.push(Sentence::of(self.timeline, period.from, until, text));
                }
            }
        }
        if said > HALF_OPEN {
            let more = said - HALF_OPEN;
            all.push(Sentence::timeless(format!("{more} more were half-open.")));
        }
    }

    /// Where the ends of a connection are in the end.
    fn final_states(&self, ends: &[End]) -> Option<Sentence> {
        let mut states: Vec<String> = Vec::new();
        for end in ends {
            let host = phrases::host(self.timeline, end.host);
            match (end.down, end.state()) {
                (Some(_), _) => states.push(format!("{host}'s end is gone with its host")),
                (None, Some(state)) => states.push(format!("{host} is {}", words::state(state))),
                (None, None) => {}
            }
        }
        let same = |state: TcpState| ends.iter().all(|end| end.down.is_none() && end.state() == Some(state));
        let text = match ends.first().and_then(End::state).filter(|state| ends.len() == 2 && same(*state)) {
            Some(state) => format!("In the end both ends are {}.", words::state(state)),
            None => format!("In the end {}.", phrases::list(&states)),
        };
        (!states.is_empty()).then(|| Sentence::timeless(text))
    }

    fn verdict(&self) -> String {
        let Some(finished) = self.record.finished() else {
            let events = words::count(self.record.events.len() as u64, "event");
            let stopped = self.record.stopped.as_ref();
            let why = stopped.map(|stopped| format!(" ({stopped})")).unwrap_or_default();
            let when = words::duration(self.end);
            return format!(
                "The run did not reach its end{why}: its last event is at {when}, after {events}."
            );
        };
        let totals = finished.totals.unwrap_or_default();
        let checked = u64::from(totals.expectations_passed) + u64::from(totals.expectations_failed);
        let expectations = match (totals.expectations_passed, totals.expectations_failed) {
            (0, 0) => "it has no expectations".to_owned(),
            (1, 0) => "its expectation held".to_owned(),
            (all, 0) => format!("all {all} expectations held"),
            (_, 1) => format!("1 of {} is broken", words::count(checked, "expectation")),
            (_, failed) => format!("{failed} of {} are broken", words::count(checked, "expectation")),
        };
        let how = match self.record.outcome() {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Unfinished | Outcome::Invalid | Outcome::NotFound | Outcome::NoServer => {
                "did not reach its end"
            }
        };
        let problems = match finished.problems.len() {
            0 => String::new(),
            many => format!(
                ", and there {} {}",
                if many == 1 { "is" } else { "are" },
                words::count(many as u64, "problem")
            ),
        };
        let mut counts = vec![words::count(totals.segments_sent, "segment")];
        if totals.retransmissions > 0 {
            counts.push(format!("{} retransmitted", totals.retransmissions));
        }
        if totals.segments_lost > 0 {
            counts.push(format!("{} lost", totals.segments_lost));
        }
        let time = words::duration(words::from_proto(totals.virtual_time.as_ref()));
        format!(
            "The run {how}: {expectations}{problems}. It took {time} of virtual time ({}).",
            counts.join(", ")
        )
    }

    /// A half-open period in a sentence.
    fn alone(&self, period: &HalfOpen, connection: Option<u32>) -> String {
        let host = |host| phrases::host(self.timeline, host);
        let (here, gone) = (host(period.here), host(period.gone));
        let time = |entry: EntryIndex| self.timeline.entries[entry].time;
        let (from, until) = (time(period.from), period.until.map_or(self.end, time));
        let length = about(until.saturating_sub(from));
        let whose = connection.map_or("The connection".to_owned(), |number| format!("Connection {number}"));
        let why = match (&self.timeline.entries[period.from].kind, period.by_power) {
            (EntryKind::Transition { .. }, false) => {
                format!("{gone} had ended it ({})", self.timeline.why(period.from))
            }
            _ => format!("{gone} had gone down"),
        };
        let state = words::state(period.state);
        if period.until.is_none() && from == self.end {
            return format!(
                "{whose} was half-open when the run ended: {why}, and {here} was still there ({state}) without noticing."
            );
        }
        let found = self.found(period, here, gone);
        let (from, until) = (words::duration(from), words::duration(until));
        format!(
            "{whose} was half-open for {length}, from {from} to {until}: {why}, and {here} was still there ({state}). {found}"
        )
    }

    /// How an end that was alone found out.
    fn found(&self, period: &HalfOpen, here: &str, gone: &str) -> String {
        let Some(until) = period.until else {
            return format!("{here} never found out: the run ended before.");
        };
        let EntryKind::Transition { cause, by_segment, .. } = &self.timeline.entries[until].kind else {
            return format!("{here} never found out: it went down itself.");
        };
        if let Some(timer) = phrases::gave_up(cause) {
            let what = match (timer, faults::mute(self.timeline, until)) {
                (TcpTimer::Keepalive, _) => "its keepalive probes were not answered".to_owned(),
                (TcpTimer::Persist, Some(mute)) => format!("it could send nothing, because {mute}"),
                (TcpTimer::Persist, None) => "its window probes did not open the window".to_owned(),
                _ => "what it sent was never acknowledged".to_owned(),
            };
            let limit = if cause.user_timeout { "its user timeout ended" } else { "it gave up" };
            return format!("{here} found out by itself: {what}, and {limit}.");
        }
        match by_segment.and_then(|sent| self.timeline.segment(sent)) {
            Some(segment) if segment.flags.rst && !segment.middlebox.is_empty() => {
                format!("{here} learned of it from a RST of middlebox {}.", segment.middlebox)
            }
            Some(segment) if segment.flags.rst => {
                // Another host may have the address by then.
                let sender = by_segment.and_then(|sent| self.timeline.entries[sent].host);
                let sender = sender.map_or(gone, |host| phrases::host(self.timeline, host));
                format!("{here} learned of it from a RST: {sender} did not know the connection.")
            }
            Some(_) => format!("It ended when {here} went on ({}).", self.timeline.why(until)),
            None if phrases::fired(cause) == Some(TcpTimer::FinWait2) => {
                format!("{here} never found out: its FIN-WAIT-2 timer ended it.")
            }
            None => {
                let why = self.timeline.why(until);
                format!("{here} never found out: it ended the connection itself ({why}).")
            }
        }
    }
}

/// A sentence for each way that connections went which is not described in full.
pub(super) fn others(groups: &[Group]) -> Vec<Sentence> {
    let say = |group: &Group| {
        let remarks = phrases::list(&group.remarks);
        Sentence::timeless(match group.count {
            1 => format!("Connection {}: {remarks}.", group.first),
            many => format!("Connection {} and {} like it: {remarks}.", group.first, many - 1),
        })
    };
    let mut all: Vec<Sentence> = groups.iter().take(OTHERS).map(say).collect();
    let rest: usize = groups.iter().skip(OTHERS).map(|group| group.count).sum();
    if rest > 0 {
        all.push(Sentence::timeless(format!(
            "{} more went in other ways.",
            words::count(rest as u64, "connection")
        )));
    }
    all
}

/// What happened to hosts and the network, and what applications did, that no paragraph describes: each fault once.
pub(super) fn apart(timeline: &Timeline, ends: &Ends, paragraphs: &[Paragraph]) -> Vec<Sentence> {
    let known: BTreeSet<u32> = paragraphs
        .iter()
        .flat_map(|paragraph| &paragraph.sentences)
        .flat_map(|sentence| &sentence.faults)
        .copied()
        .collect();
    let mut seen = BTreeSet::new();
    let mut all: Vec<Sentence> = Vec::new();
    for (index, entry) in timeline.entries.iter().enumerate() {
        let host = entry.host.map_or("the network", |host| phrases::host(timeline, host));
        let mut say =
            |text: String, faults| all.push(Sentence::of(timeline, index, index, text).with_faults(faults));
        match &entry.kind {
            EntryKind::Fault(fault) if !known.contains(&fault.number) && seen.insert(fault.number) => {
                say(faults::struck(timeline, entry.host, fault, None), vec![fault.number]);
            }
            EntryKind::Sent(segment) => {
                for fault in &segment.faults {
                    if !known.contains(&fault.number) && seen.insert(fault.number) {
                        let label = phrases::label(segment);
                        let (number, action) = (fault.number, &fault.action);
                        let text =
                            format!("Fault {number} ({action}) was applied to {host}'s {label} first.");
                        say(text, vec![number]);
                    }
                }
            }
            EntryKind::Application { call, error, .. } if entry.connection == 0 && !error.is_empty() => {
                let why = if *call == StepKind::Connect {
                    no_port(ends, entry, index, error)
                } else {
                    String::new()
                };
                say(format!("{host}'s {} failed with {error}{why}.", words::step(*call)), Vec::new());
            }
            _ => {}
        }
    }
    super::shortened(all, APART)
}

/// Why there was no port left, if that is the error: what holds them.
fn no_port(ends: &Ends, entry: &Entry, index: EntryIndex, error: &str) -> String {
    if error != "EADDRNOTAVAIL" {
        return String::new();
    }
    let mine = ends.connections.values().flatten().filter(|end| Some(end.host) == entry.host);
    let waiting = mine.filter(|end| end.state_at(index) == Some(TcpState::TimeWait)).count();
    match waiting {
        0 => ": no port is left".to_owned(),
        waiting => {
            let held = words::count(waiting as u64, "port");
            format!(
                ": no port is left, because {held} {} in TIME-WAIT",
                if waiting == 1 { "is" } else { "are" }
            )
        }
    }
}

/// The expectations that are broken and what did not happen.
pub(super) fn broken(record: &RunRecord) -> Vec<Sentence> {
    let mut all: Vec<Sentence> = record
        .expectations()
        .filter(|result| !result.passed)
        .map(|result| expectation(record, result))
        .collect();
    all.extend(record.problems().iter().map(|problem| Sentence::timeless(format!("Problem: {problem}."))));
    super::shortened(all, BROKEN)
}

fn expectation(record: &RunRecord, result: &ExpectationResult) -> Sentence {
    let ExpectationResult { text, deciding_event, .. } = result;
    let ExpectationReference { number, line, .. } = reference(result);
    let (expected, actual) = (words::expected(result), words::found(result));
    let from = record.time_of_result(result);
    let decided = record.event(*deciding_event);
    let by = match (decided, from) {
        (Some(event), _) => format!(" Event {deciding_event} decided it: {}.", describe::event(event)),
        (None, Some(time)) => format!(" It was decided at {}.", words::duration(time)),
        (None, None) => " It was decided at the end of the run.".to_owned(),
    };
    Sentence {
        from,
        until: None,
        events: decided.map(|_| (*deciding_event, *deciding_event)),
        faults: Vec::new(),
        text: format!(
            "Expectation {number} (line {line}) is broken: {text}. Expected: {expected}. Found: {actual}.{by}"
        ),
    }
}
