//! The page about faults (docs/faults.md) says what happens: every scenario on it holds, and none of them without its fault.

use std::sync::Arc;

use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_trace::{EventKind, ExpectationResult, Verdict};

const PAGE: &str = include_str!("../../../docs/faults.md");

/// A scenario's text by its keys, each with the lines that belong to it.
type Parts = Vec<(String, String)>;

fn parts(text: &str) -> Parts {
    let mut parts = Parts::new();
    for line in text.lines() {
        match line.split_once(':') {
            Some((key, _)) if line.starts_with(|c: char| c.is_ascii_lowercase()) => {
                parts.push((key.to_owned(), format!("{line}\n")));
            }
            _ => parts.last_mut().expect("a key comes first").1.push_str(&format!("{line}\n")),
        }
    }
    parts
}

/// The scenarios of a text: what stands between ```` ```yaml ```` and ```` ``` ````.
fn scenarios(text: &str) -> impl Iterator<Item = Parts> {
    text.split("```yaml\n").skip(1).map(|rest| parts(rest.split("```").next().expect("the first")))
}

fn text(common: &Parts, own: &Parts) -> String {
    let said = |key: &str| own.iter().any(|(known, _)| known == key);
    let common = common.iter().filter(|(key, _)| !said(key));
    common.chain(own).map(|(_, text)| text.as_str()).collect()
}

fn play(text: &str) -> Outcome {
    let scenario = halfopen_scenario::load(text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("faults.md", text, false)));
    halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard)
}

fn results(outcome: &Outcome) -> Vec<ExpectationResult> {
    let results = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::ExpectationResult(result) => Some(ExpectationResult::clone(result)),
        _ => None,
    });
    results.collect()
}

/// The sections of the page by their titles.
fn sections() -> Vec<(&'static str, &'static str)> {
    let sections = PAGE.split("\n## ").skip(1);
    sections.map(|section| section.split_once('\n').expect("a title and more")).collect()
}

#[test]
fn every_scenario_holds_and_none_without_its_fault() {
    let common = scenarios(PAGE).next().expect("what they have in common");
    let mut wrong = Vec::new();
    for (title, section) in sections() {
        assert!(scenarios(section).count() > 0, "{title} is not shown");
        for own in scenarios(section) {
            let with = text(&common, &own);
            assert!(with.contains(title), "{title} does not happen in\n{with}");
            let outcome = play(&with);
            if outcome.finished.verdict != Verdict::Passed {
                wrong.push(format!("{with}\n{:#?}\n{:#?}", outcome.finished.problems, results(&outcome)));
            }
            let own: Parts = own.into_iter().filter(|(key, _)| key != "faults").collect();
            let without = text(&common, &own);
            if results(&play(&without)).iter().all(|result| result.passed) {
                wrong.push(format!("this holds without its fault:\n{with}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What the loader offers as a fault.
fn words() -> Vec<String> {
    let mistakes = halfopen_scenario::load("faults: [{no-such-thing: 1}]").expect_err("no such fault");
    let offered = mistakes.iter().find(|mistake| mistake.message.contains("no-such-thing"));
    let help = &offered.expect("it is told").help;
    help.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether it is a fault on a host or a link: what may be said of a host, an address or a size.
fn is_on_hosts_or_links(word: &str) -> bool {
    let objects = ["client", "10.0.0.1", "larger than 1480 B"];
    let more = ["", ", by: 1s", ", back-after: 1s", ", to: server"];
    objects.iter().flat_map(|object| more.map(|more| (object, more))).any(|(object, more)| {
        let text = format!(
            "scenario: a\nhosts: {{client: {{}}, server: {{}}}}\napplications: {{client: [hold: null]}}\nfaults: [{{{word}: {object}, at: \
             1s{more}}}]\n"
        );
        halfopen_scenario::load(&text).is_ok()
    })
}

#[test]
fn every_fault_on_hosts_and_links_has_a_row_and_a_section() {
    let words = words();
    assert!(words.iter().any(|word| word == "power-loss"), "{words:?}");
    let mut wanted: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| is_on_hosts_or_links(word)).collect();
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| [")?.split_once(']'));
    let mut rows: Vec<&str> = rows.map(|(word, _)| word).collect();
    let mut titles: Vec<&str> = sections().into_iter().map(|(title, _)| title).collect();
    assert_eq!(rows, titles, "in the same order");
    for list in [&mut wanted, &mut rows, &mut titles] {
        list.sort_unstable();
    }
    assert!(wanted.len() >= 9);
    assert_eq!(wanted, titles);
}
