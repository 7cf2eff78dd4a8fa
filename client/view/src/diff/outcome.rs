//! The results of two runs that differ.

use std::collections::{BTreeMap, BTreeSet};

use halfopen_proto::v1::{ExpectationResult, RunFinished};
use serde::Serialize;

use crate::record::{RunRecord, reference};
use crate::words;

/// A result, a setting or a field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What it is: `verdict`, `server on connection 1`, `expectation 3`; `hosts.server.profile`.
    pub what: String,
    /// In the one run; empty: it has none.
    pub a: String,
    /// In the other.
    pub b: String,
}

/// All results that differ, in an order that does not depend on the runs.
pub(super) fn outcome(a: &RunRecord, b: &RunRecord) -> Vec<Changed> {
    let mut changed = Vec::new();
    let mut compare = |what: &str, a: String, b: String| {
        if a != b {
            changed.push(Changed { what: what.to_owned(), a, b });
        }
    };
    compare("verdict", a.outcome().name().to_owned(), b.outcome().name().to_owned());
    let (one, other) = (expectations(a), expectations(b));
    for number in numbers(&one, &other) {
        let text = |all: &BTreeMap<u32, String>| all.get(&number).cloned().unwrap_or_default();
        compare(&format!("expectation {number}"), text(&one), text(&other));
    }
    let nothing = RunFinished::default();
    let (a, b) = (a.finished().unwrap_or(&nothing), b.finished().unwrap_or(&nothing));
    let problems =
        |finished: &RunFinished| finished.problems.iter().map(words::problem).collect::<Vec<_>>().join("; ");
    compare("problems", problems(a), problems(b));
    let (one, other) = (states(a), states(b));
    for key in numbers(&one, &other) {
        let state = |all: &BTreeMap<(u32, &str), &str>| {
            all.get(&key).map_or(String::new(), |state| (*state).to_owned())
        };
        compare(&format!("{} on connection {}", key.1, key.0), state(&one), state(&other));
    }
    for ((what, a), (_, b)) in totals(a).into_iter().zip(totals(b)) {
        compare(what, a, b);
    }
    changed
}

fn numbers<K: Ord + Copy, V>(one: &BTreeMap<K, V>, other: &BTreeMap<K, V>) -> BTreeSet<K> {
    one.keys().chain(other.keys()).copied().collect()
}

/// What was found about each expectation.
fn expectations(record: &RunRecord) -> BTreeMap<u32, String> {
    let say = |result: &ExpectationResult| {
        let held = if result.passed { "holds" } else { "broken" };
        format!("{held}, found {}: {}", words::found(result), result.text)
    };
    record.expectations().map(|result| (reference(result).number, say(result))).collect()
}

fn states(finished: &RunFinished) -> BTreeMap<(u32, &str), &'static str> {
    let state = |last: &halfopen_proto::v1::FinalState| words::state(last.state());
    finished.final_states.iter().map(|last| ((last.connection, last.host.as_str()), state(last))).collect()
}

fn totals(finished: &RunFinished) -> [(&'static str, String); 4] {
    let totals = finished.totals.unwrap_or_default();
    [
        ("virtual time", words::duration(words::from_proto(totals.virtual_time.as_ref()))),
        ("segments sent", totals.segments_sent.to_string()),
        ("segments sent again", totals.retransmissions.to_string()),
        ("segments lost", totals.segments_lost.to_string()),
    ]
}
