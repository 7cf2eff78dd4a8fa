//! A run with its result, from which every report is written.

use std::sync::Arc;
use std::time::Duration;

use halfopen_proto::v1::{
    Event, ExpectationReference, ExpectationResult, KeepaliveVerdict, RunFinished, RunStarted, RunTotals,
    Verdict, event::Kind,
};

use crate::stopped::Stopped;
use crate::words;

/// How a run is requested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// The variant of the scenario. Required if it has variants.
    pub variant: Option<String>,
    /// The seed of everything random in the run. `None`: the default of the server, which is 1.
    pub seed: Option<u64>,
    /// The TCP profile of every host, instead of what the scenario says.
    pub profile: Option<String>,
    /// Bytes of each datagram that its events keep; 0: none.
    pub snapshot_length: u32,
}

/// One run, as far as it got.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// What was run: a file, a bundled scenario or `standard input`, with `/` and the name of the variant if it has
    /// one.
    pub name: String,
    /// The name of the scenario text in references to its lines.
    pub file: String,
    /// The argument that names it on the command line, if it can be read again.
    pub argument: Option<String>,
    /// How it was requested: the variant, the seed, another profile.
    pub options: RunOptions,
    /// The text of the scenario, if a reporter wants it.
    pub source: Option<Arc<str>>,
    /// All events, in order.
    pub events: Vec<Event>,
    /// Why there are no more events, if the run did not reach its end.
    pub stopped: Option<Stopped>,
    /// The wall time that it took, if it began. It differs from run to run.
    pub took: Option<Duration>,
    /// Where it differs from the first run with the same seed, if it was compared with one.
    pub difference: Option<Difference>,
}

/// The first event that differs from another run of the same scenario with the same seed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the same seed gave different events: event {event} was {before} and is now {now}")]
pub struct Difference {
    /// Its sequence number.
    pub event: u64,
    /// The event before, as proto3 JSON; or that it was missing.
    pub before: String,
    /// The event now, as proto3 JSON; or that it is missing.
    pub now: String,
}

impl Difference {
    /// The difference between an event of the first run and the one of the same number now; one of them may be
    /// missing.
    pub fn new(before: Option<&Event>, now: Option<&Event>) -> Difference {
        let said = |event: Option<&Event>| match event.map(serde_json::to_string) {
            Some(json) => json.unwrap_or_else(|error| error.to_string()),
            None => "missing".to_owned(),
        };
        let event = before.or(now).map_or(0, |event| event.sequence);
        Difference { event, before: said(before), now: said(now) }
    }
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every expectation held.
    Passed,
    /// An expectation is broken, or something that the scenario says did not happen.
    Failed,
    /// A limit, a deadline, the server or the user ended the run before its end.
    Unfinished,
    /// There was no run: the scenario is invalid.
    Invalid,
    /// There was no run: there is no bundled scenario, no variant or no TCP profile of the requested name.
    NotFound,
    /// There was no run: no server could be reached.
    NoServer,
}

impl Outcome {
    /// The outcome in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Passed => words::verdict(Verdict::Passed),
            Outcome::Failed => words::verdict(Verdict::Failed),
            Outcome::Unfinished => words::verdict(Verdict::Unfinished),
            Outcome::Invalid => "invalid",
            Outcome::NotFound => "not found",
            Outcome::NoServer => "no server",
        }
    }
}

/// What keepalive found out about the peer of a host's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// The host that sent the probes.
    pub host: String,
    /// The connection.
    pub connection: u32,
    /// When it was found out, in virtual time.
    pub time: Duration,
    /// What was found out last.
    pub verdict: KeepaliveVerdict,
    /// Probes sent since anything was last received.
    pub probes: u32,
    /// Time since anything was last received.
    pub silence: Duration,
    /// The POSIX name of the error for the application, if this was the end of the connection.
    pub error: Option<String>,
}

impl Keepalive {
    /// Whether this was the end of the connection.
    pub fn ended(&self) -> bool {
        match self.verdict {
            KeepaliveVerdict::Dead | KeepaliveVerdict::Reset => true,
            KeepaliveVerdict::Unspecified | KeepaliveVerdict::Probing | KeepaliveVerdict::Alive => false,
        }
    }
}

impl RunRecord {
    /// A record of a run that has not begun.
    pub fn new(name: String) -> RunRecord {
        RunRecord {
            argument: Some(name.clone()),
            file: name.clone(),
            name,
            options: RunOptions::default(),
            source: None,
            events: Vec::new(),
            stopped: None,
            took: None,
            difference: None,
        }
    }

    /// The beginning of the run; `None` if there was no run.
    pub fn started(&self) -> Option<&RunStarted> {
        let Kind::RunStarted(started) = self.events.first()?.kind.as_ref()? else { return None };
        Some(started)
    }

    /// The end of the run; `None` if it did not get there.
    pub fn finished(&self) -> Option<&RunFinished> {
        let Kind::RunFinished(finished) = self.events.last()?.kind.as_ref()? else { return None };
        Some(finished)
    }

    /// The totals of a run that reached its end.
    pub fn totals(&self) -> Option<&RunTotals> {
        self.finished()?.totals.as_ref()
    }

    /// The command that repeats the run, with a shell comment that names what else is needed: the version, and the
    /// text if it came from standard input. `None` if there was nothing to run.
    pub fn command(&self) -> Option<String> {
        if matches!(self.outcome(), Outcome::NotFound | Outcome::NoServer) {
            return None;
        }
        let RunOptions { variant, seed, profile, .. } = &self.options;
        let started = self.started();
        let mut comment =
            format!("halfopen {}", started.map_or(env!("CARGO_PKG_VERSION"), |run| &run.version));
        let mut words = vec!["halfopen run".to_owned()];
        match &self.argument {
            // It looks like an option, but is not one.
            Some(argument) if argument.starts_with('-') => words.push(quoted(&format!("./{argument}"))),
            Some(argument) => words.push(quoted(argument)),
            None => {
                words.push("-".to_owned());
                words.extend(variant.as_ref().map(|variant| format!("--variant {}", quoted(variant))));
                comment.push_str(", with the same scenario on standard input");
            }
        }
        words.extend(started.map(|run| run.seed).or(*seed).map(|seed| format!("--seed {seed}")));
        words.extend(profile.as_ref().map(|profile| format!("--profile {}", quoted(profile))));
        words.extend(self.difference.iter().map(|_| "--repeat 2".to_owned()));
        Some(format!("{}  # {comment}", words.join(" ")))
    }

    /// The outcome of the run.
    pub fn outcome(&self) -> Outcome {
        if self.difference.is_some() {
            return Outcome::Failed;
        }
        if let Some(finished) = self.finished() {
            return match finished.verdict() {
                Verdict::Passed => Outcome::Passed,
                Verdict::Failed => Outcome::Failed,
                Verdict::Unspecified | Verdict::Unfinished => Outcome::Unfinished,
            };
        }
        match &self.stopped {
            Some(Stopped::Invalid { .. }) => Outcome::Invalid,
            Some(Stopped::NoScenario(_) | Stopped::NoVariant(_) | Stopped::NoProfile(_)) => Outcome::NotFound,
            Some(Stopped::NoServer(_) | Stopped::Refused(_)) => Outcome::NoServer,
            Some(Stopped::Ended(_) | Stopped::Interrupted) | None => Outcome::Unfinished,
        }
    }

    /// Why the run did not pass, besides broken expectations.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.finished().map_or(&[][..], |finished| &finished.problems);
        problems.iter().map(words::problem).chain(self.difference.as_ref().map(ToString::to_string)).collect()
    }

    /// The expectations that were checked, in the order of checking.
    pub fn expectations(&self) -> impl Iterator<Item = &ExpectationResult> {
        self.kinds().filter_map(|(_, kind)| {
            let Kind::ExpectationResult(result) = kind else { return None };
            Some(result.as_ref())
        })
    }

    /// When an expectation was decided; `None`: at the end of the run.
    pub fn time_of_result(&self, result: &ExpectationResult) -> Option<Duration> {
        let time = result.deciding_time.as_ref().map(|time| words::from_proto(Some(time)));
        // Older servers do not report it there.
        time.or_else(|| self.time_of(result.deciding_event))
    }

    /// The time of the event of that number.
    pub fn time_of(&self, sequence: u64) -> Option<Duration> {
        self.event(sequence).map(|event| words::from_proto(event.time.as_ref()))
    }

    /// The event of that number. Numbers are dense from 1.
    pub fn event(&self, sequence: u64) -> Option<&Event> {
        self.events.get(usize::try_from(sequence.checked_sub(1)?).ok()?)
    }

    /// What keepalive found out last, for each host and connection that sent probes, in the order of their first
    /// probes.
    pub fn keepalive(&self) -> Vec<Keepalive> {
        let mut found: Vec<Keepalive> = Vec::new();
        for (event, kind) in self.kinds() {
            let known = found
                .iter_mut()
                .find(|known| known.host == event.host && known.connection == event.connection);
            if let Kind::KeepaliveOutcome(outcome) = kind {
                let next = Keepalive {
                    host: event.host.clone(),
                    connection: event.connection,
                    time: words::from_proto(event.time.as_ref()),
                    verdict: outcome.verdict(),
                    probes: outcome.probes,
                    silence: words::from_proto(outcome.silence.as_ref()),
                    error: None,
                };
                match known {
                    Some(known) => *known = next,
                    None => found.push(next),
                }
            } else if let (Kind::ConnectionError(error), Some(known)) = (kind, known)
                && known.ended()
            {
                known.error.get_or_insert_with(|| error.errno.clone());
            }
        }
        found
    }

    fn kinds(&self) -> impl Iterator<Item = (&Event, &Kind)> {
        self.events.iter().filter_map(|event| Some((event, event.kind.as_ref()?)))
    }
}

/// Which expectation a result is of.
pub fn reference(result: &ExpectationResult) -> ExpectationReference {
    result.expectation.clone().unwrap_or_default()
}

/// An argument, quoted for a shell if necessary.
fn quoted(argument: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "_-./:+".contains(character);
    match argument.chars().all(plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}
