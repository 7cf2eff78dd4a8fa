//! What explanations say of every bundled scenario.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeSet;

use common::runs::bundled;
use halfopen_proto::v1::event::Kind;
use halfopen_view::explain::{ExplainOptions, Explanation, Subject, explain, text};
use halfopen_view::record::RunRecord;
use snapbox::assert_data_eq;

fn whole(explanation: &Explanation) -> String {
    let sentences = explanation.paragraphs.iter().flat_map(|paragraph| &paragraph.sentences);
    sentences.map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The runs whose explanations are kept word for word.
const KEPT: [&str; 12] = [
    "aws-nlb-idle/keepalive-default",
    "blind-reset",
    "close-wait-leak",
    "close-with-unread/at-once",
    "conntrack-half-close/sixty-seconds",
    "conntrack-invalid-rst/untranslated",
    "dead-client",
    "dropped-fin",
    "partition-heals",
    "rebooted-client",
    "time-wait-exhaustion/client-closes",
    "zero-window-forever/user-timeout",
];

#[test]
fn every_bundled_run_is_explained_in_bounded_words_that_name_each_fault() {
    let mut kept = 0;
    for mut record in bundled() {
        let explanation = explain(&record, ExplainOptions::default());
        let (name, words) = (record.name.clone(), whole(&explanation));
        assert_eq!(explain(&record, ExplainOptions::default()), explanation, "{name}: the same again");
        assert!(words.len() < 16_000, "{name}: {} octets", words.len());
        let plain = |width| anstream::adapter::strip_str(&text::write(&explanation, width)).to_string();
        for line in plain(80).lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        let fired: BTreeSet<u32> = record
            .events
            .iter()
            .filter_map(|event| match event.kind.as_ref()? {
                Kind::FaultApplied(applied) => Some(applied.fault.as_ref()?.number),
                _ => None,
            })
            .collect();
        for fault in fired {
            assert!(
                words.to_lowercase().contains(&format!("fault {fault}")),
                "{name}: fault {fault}\n{words}"
            );
        }
        if KEPT.contains(&name.as_str()) {
            kept += 1;
            let file = format!("explain/{}.txt", name.replace('/', "-"));
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
            assert_data_eq!(plain(110), snapbox::Data::read_from(&path, None).raw());
        }
        break_expectations(&mut record);
        let explanation = explain(&record, ExplainOptions::default());
        let told =
            explanation.paragraphs.iter().find(|paragraph| paragraph.subject == Subject::Broken).unwrap();
        assert_eq!(told.sentences.len(), record.expectations().count(), "{name}");
    }
    assert_eq!(kept, KEPT.len());
}

#[test]
fn what_has_gaps_is_explained_as_far_as_it_goes() {
    for mut record in bundled().into_iter().filter(|record| record.events.len() < 200) {
        let all = std::mem::take(&mut record.events);
        for gap in 2..7 {
            let kept = all.iter().enumerate().filter(|(index, _)| *index == 0 || index % gap != 1);
            record.events = kept.map(|(_, event)| event.clone()).collect();
            let explanation = explain(&record, ExplainOptions::default());
            assert!(!explanation.paragraphs.is_empty(), "{} without every {gap}th event", record.name);
            record.events.truncate(record.events.len() / 2);
            let words = whole(&explain(&record, ExplainOptions::default()));
            assert!(words.contains("did not reach its end"), "{}: {words}", record.name);
        }
    }
}

/// As if nothing had been as expected.
fn break_expectations(record: &mut RunRecord) {
    for event in &mut record.events {
        if let Some(Kind::ExpectationResult(result)) = &mut event.kind {
            result.passed = false;
        }
    }
}
