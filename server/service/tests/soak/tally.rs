//! What happened to clients: how often, how fast, and what should not have.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::PROMISED_LATENCY;
use crate::client::Kind;

/// The number of broken promises that are told in full.
const TOLD: usize = 20;

/// What happened to all clients.
#[derive(Default)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Default)]
struct State {
    outcomes: BTreeMap<(Kind, &'static str, String), u64>,
    /// Of the short runs of honest clients.
    latencies: Latencies,
    /// Of these, those since the last line.
    latest: Latencies,
    broken: Vec<String>,
}

impl Tally {
    /// Counts how an act ended.
    pub(crate) fn count(&self, kind: Kind, act: &'static str, outcome: impl Into<String>) {
        *self.lock().outcomes.entry((kind, act, outcome.into())).or_default() += 1;
    }

    /// A short run of an honest client took so long.
    pub(crate) fn took(&self, latency: Duration) {
        let mut state = self.lock();
        state.latencies.0.push(latency);
        state.latest.0.push(latency);
    }

    /// A promise is broken.
    pub(crate) fn broken(&self, what: String) {
        println!("BROKEN: {what}");
        self.lock().broken.push(what);
    }

    /// The latencies since the last call.
    pub(crate) fn latest_latencies(&self) -> String {
        std::mem::take(&mut self.lock().latest).to_string()
    }

    pub(crate) fn forget_latencies(&self) {
        let mut state = self.lock();
        (state.latencies, state.latest) = Default::default();
    }

    /// Prints everything. Returns the promises that were broken.
    pub(crate) fn report(&self) -> Vec<String> {
        let mut state = self.lock();
        for ((kind, act, outcome), times) in &state.outcomes {
            println!("{times:>9}  {kind:?}: {act}: {outcome}");
        }
        println!("all: {}", state.latencies);
        let mut broken: Vec<String> = state.broken.drain(..).collect();
        if broken.len() > TOLD {
            let more = broken.len() - TOLD;
            broken.truncate(TOLD);
            broken.push(format!("and {more} more"));
        }
        let p99 = state.latencies.percentile(99);
        if p99 >= PROMISED_LATENCY {
            broken.push(format!("one in a hundred honest runs took {p99:?} or longer"));
        }
        if state.latencies.0.is_empty() {
            broken.push("no honest client was answered".to_owned());
        }
        broken
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

#[derive(Default)]
struct Latencies(Vec<Duration>);

impl Latencies {
    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * percent / 100).or(sorted.last()).copied().unwrap_or_default()
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, longest] = [50, 99, 100].map(|percent| self.percentile(percent).as_millis());
        write!(f, "{} honest runs, p50 {half} ms, p99 {most} ms, longest {longest} ms", self.0.len())
    }
}
