//! What differs between runs, and what does not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;

use common::runs::{bundled, one};
use halfopen_proto::v1::{RunStarted, event::Kind};
use halfopen_view::diff::{DiffOptions, Difference, Mark, diff, text};
use halfopen_view::record::RunOptions;
use halfopen_view::record::RunRecord;
use snapbox::assert_data_eq;

fn with(seed: Option<u64>, profile: Option<&str>, variant: Option<&str>) -> RunOptions {
    let [profile, variant] = [profile, variant].map(|name| name.map(str::to_owned));
    RunOptions { seed, profile, variant, ..RunOptions::default() }
}

fn compared(a: &RunRecord, b: &RunRecord) -> Difference {
    diff(a, b, DiffOptions::default())
}

/// The text without styles is that of the file.
fn assert_text(difference: &Difference, file: &str) {
    let text = text::write(difference, 110);
    for line in anstream::adapter::strip_str(&text).to_string().lines() {
        assert!(line.chars().count() <= 110, "{line}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff").join(file);
    let plain = anstream::adapter::strip_str(&text).to_string();
    assert_data_eq!(plain, snapbox::Data::read_from(&path, None).raw());
}

#[test]
fn a_seed_changes_only_the_numbers_that_are_compared_relative() {
    for scenario in ["dead-client", "reboot-same-port", "partition-heals"] {
        let [a, b] = [1, 2].map(|seed| one(scenario, with(Some(seed), None, None)));
        assert_ne!(a.events, b.events, "{scenario}: the seed changes something");
        let difference = compared(&a, &b);
        assert!(difference.same, "{scenario}: {difference:#?}");
        assert_eq!(difference.first, None);
    }
}

#[test]
fn profiles_differ_where_their_numbers_do() {
    let [a, b] = ["linux", "freebsd"].map(|profile| one("dropped-fin", with(None, Some(profile), None)));
    let difference = compared(&a, &b);
    assert!(!difference.same);
    assert_text(&difference, "dropped-fin-linux-freebsd.txt");
}

#[test]
fn variants_differ_by_what_they_are_about() {
    let [a, b] = ["held", "orphan"].map(|variant| one("fin-wait-2-stuck", with(None, None, Some(variant))));
    let difference = compared(&a, &b);
    assert_text(&difference, "fin-wait-2-stuck-held-orphan.txt");
    let only_b: Vec<_> = difference.rows.iter().filter(|row| row.mark == Mark::OnlyB).collect();
    assert_eq!(only_b.len(), 1);
    assert_eq!(only_b[0].b.as_ref().unwrap().text, "client: FIN-WAIT-2 → CLOSED (FIN-WAIT-2 timer fired)");
}

#[test]
fn a_port_that_the_scenario_chose_is_not_one_of_the_system() {
    let of = |variant| one("tuple-reuse", with(None, None, Some(variant)));
    let difference = compared(&of("close-wait"), &of("time-wait"));
    let text = anstream::adapter::strip_str(&text::write(&difference, 200)).to_string();
    assert!(text.contains("a connection from 10.0.0.1:40000 to") && !text.contains("ephemeral"), "{text}");
    assert!(text.contains("the same, but receiver state ESTABLISHED instead of FIN-WAIT-1"), "{text}");
}

#[test]
fn an_event_that_is_missing_is_the_first_difference_wherever_it_is() {
    for record in bundled().into_iter().filter(|record| record.events.len() < 400) {
        let difference = compared(&record, &record);
        assert!(difference.same && difference.rows.is_empty(), "{}", record.name);
        let happened = record.events.iter().enumerate().filter(|(_, event)| match &event.kind {
            Some(Kind::TimerChanged(_) | Kind::RunStarted(_)) => false,
            Some(Kind::ExpectationResult(_) | Kind::RunFinished(_)) | None => false,
            Some(_) => true,
        });
        for (index, event) in happened.step_by(23) {
            let mut shorter = RunRecord::new(record.name.clone());
            shorter.events.clone_from(&record.events);
            shorter.events.remove(index);
            let difference = compared(&record, &shorter);
            let first = difference.first.unwrap();
            assert_eq!(first.a.unwrap().event, event.sequence, "{}", record.name);
        }
    }
}

#[test]
fn names_are_no_difference_and_results_are_one() {
    let a = one("dropped-fin", RunOptions::default());
    let mut b = one("dropped-fin", RunOptions::default());
    if let Some(Kind::RunStarted(started)) = &mut b.events[0].kind {
        let hosts = started.hosts.clone();
        **started =
            RunStarted { scenario: "other".into(), version: "9".into(), seed: 9, hosts, ..*started.clone() };
    }
    assert!(compared(&a, &b).same);
    for event in &mut b.events {
        if let Some(Kind::ExpectationResult(result)) = &mut event.kind {
            result.passed = false;
        }
    }
    let difference = compared(&a, &b);
    assert!(!difference.same && difference.first.is_none());
    assert_eq!(difference.outcome.len(), 8, "every expectation");
    assert!(
        difference.outcome[0].a.starts_with("holds, ") && difference.outcome[0].b.starts_with("broken, ")
    );
}

#[test]
fn rows_have_a_limit_and_are_counted_all_the_same() {
    let [a, b] = ["linux", "freebsd"].map(|profile| one("dropped-fin", with(None, Some(profile), None)));
    let all = compared(&a, &b);
    let few = diff(&a, &b, DiffOptions { rows: 5, ..DiffOptions::default() });
    assert_eq!(few.rows.len(), 6, "and one that says how many are left out");
    assert_eq!(few.rows[..5], all.rows[..5]);
    assert_eq!(few.counts, all.counts);
    let left_out = few.rows[5].left_out.unwrap();
    let rows = all.counts.same + all.counts.different + all.counts.only_a + all.counts.only_b;
    assert_eq!(left_out + 5, rows);
}

#[test]
fn what_repeats_is_folded_and_counted() {
    let [a, b] = ["none", "ping"].map(|variant| one("grpc-dead-peer", with(None, None, Some(variant))));
    let difference = compared(&a, &b);
    let repeated: Vec<_> = difference.rows.iter().filter(|row| row.mark == Mark::Repeated).collect();
    assert!(!repeated.is_empty() && difference.rows.len() < 150, "{} rows", difference.rows.len());
    let shown = |row: &&halfopen_view::diff::Row| row.left_out.unwrap_or(1);
    let counts = difference.counts;
    let rows = counts.same + counts.different + counts.only_a + counts.only_b;
    assert_eq!(
        difference.rows.iter().map(|row| shown(&row)).sum::<u64>(),
        rows,
        "each row is shown or counted"
    );
    let text = anstream::adapter::strip_str(&text::write(&difference, 100)).to_string();
    assert!(text.contains("times more …") || text.contains("more like this …"), "{text}");
}
