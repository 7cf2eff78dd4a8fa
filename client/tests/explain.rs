//! What explanations say of every bundled scenario.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use halfopen::client::{Client, RunOptions, Source};
use halfopen::explain::{ExplainOptions, Explanation, Subject, explain, text};
use halfopen::record::RunRecord;
use halfopen_proto::v1::event::Kind;
use halfopend::{Config, Service};
use snapbox::assert_data_eq;

/// Every run of the bundled scenarios, whole.
fn bundled() -> Vec<RunRecord> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let service = Service::new(&Config::default()).unwrap();
        let mut client = Client::new(service.connect(), "this process".to_owned());
        let mut records = Vec::new();
        for scenario in client.list().await.unwrap() {
            let variants = match scenario.variants.is_empty() {
                true => vec![None],
                false => scenario.variants.into_iter().map(Some).collect(),
            };
            for variant in variants {
                records.push(run(&mut client, &scenario.name, variant).await);
            }
        }
        records
    })
}

async fn run(client: &mut Client, scenario: &str, variant: Option<String>) -> RunRecord {
    let name = variant.as_ref().map_or(scenario.to_owned(), |variant| format!("{scenario}/{variant}"));
    let mut record = RunRecord::new(name);
    let options = RunOptions { variant, ..RunOptions::default() };
    let mut stream = client.run(&Source::Bundled(scenario.to_owned()), &options).await.unwrap();
    while let Some(events) = stream.next().await.unwrap() {
        record.events.extend(events);
    }
    record
}

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
                Kind::FaultApplied(applied) => Some(applied.fault),
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

/// As if nothing had been as expected.
fn break_expectations(record: &mut RunRecord) {
    for event in &mut record.events {
        if let Some(Kind::ExpectationResult(result)) = &mut event.kind {
            result.passed = false;
        }
    }
}
