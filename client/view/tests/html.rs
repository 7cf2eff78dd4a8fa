//! The HTML report, read as a browser reads it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{Script, bundled_runs, dead_client, ends, errors, expectation_reference, handshake, never};
use halfopen_proto::v1::{
    Diagnostic, Event, ExpectationResult, FaultApplied, FaultKind, LossReason, SegmentLost, StepKind,
    TcpState, Verdict,
};
use halfopen_view::Stopped;
use halfopen_view::record::RunRecord;
use halfopen_view::report::{HtmlReporter, Reporter as _};
use html5gum::{Token, Tokenizer, emitters::default::DefaultEmitter};

const VOID: [&str; 5] = ["meta", "input", "br", "link", "wbr"];

/// A page as its elements: names, attributes, and the text in each element of a name.
#[derive(Default)]
struct Page {
    elements: Vec<(String, Vec<(String, String)>)>,
    /// All text outside of `script` and `style`.
    text: String,
    /// What is in `script` and `style`.
    code: String,
}

impl Page {
    /// Reads a page, every element of which must be closed where it may be.
    fn parse(html: &str) -> Page {
        let mut page = Page::default();
        let mut open: Vec<String> = Vec::new();
        let mut emitter = DefaultEmitter::default();
        // What is in a script is no element.
        emitter.naively_switch_states(true);
        for token in Tokenizer::new_with_emitter(html, emitter).flatten() {
            match token {
                Token::StartTag(tag) => {
                    let name = text(&tag.name);
                    let attributes =
                        tag.attributes.iter().map(|(name, value)| (text(name), text(value))).collect();
                    page.elements.push((name.clone(), attributes));
                    if !VOID.contains(&name.as_str()) {
                        open.push(name);
                    }
                }
                Token::EndTag(tag) => assert_eq!(open.pop(), Some(text(&tag.name)), "closed in their order"),
                Token::String(string) => match open.last().map(String::as_str) {
                    Some("script" | "style") => page.code += &text(&string),
                    _ => page.text += &text(&string),
                },
                Token::Doctype(_) => {}
                Token::Comment(comment) => panic!("a comment: {comment:?}"),
                Token::Error(error) => panic!("no HTML: {error:?}"),
            }
        }
        assert_eq!(open, [""; 0], "all are closed");
        page
    }

    fn values<'a>(&'a self, attribute: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.elements.iter().flat_map(|(_, attributes)| attributes);
        all.filter(move |(name, _)| name == attribute).map(|(_, value)| value.as_str())
    }

    fn count(&self, name: &str, class: &str) -> usize {
        let has = |attributes: &[(String, String)]| {
            attributes.iter().any(|(name, value)| name == "class" && value.split(' ').any(|one| one == class))
        };
        let elements = self.elements.iter().filter(|(element, _)| element == name);
        elements.filter(|(_, attributes)| class.is_empty() || has(attributes)).count()
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

fn record(name: &str, source: &str, events: Vec<Event>) -> RunRecord {
    RunRecord { source: Some(source.into()), events, ..RunRecord::new(name.to_owned()) }
}

fn report(records: &[RunRecord]) -> String {
    let mut out = Vec::new();
    let mut reporter = HtmlReporter::new(&mut out);
    records.iter().for_each(|record| reporter.run(record).unwrap());
    reporter.end().unwrap();
    drop(reporter);
    String::from_utf8(out).unwrap()
}

/// Ids are unique, links lead to them, and nothing is fetched from elsewhere.
fn check(page: &Page) {
    let mut ids = BTreeSet::new();
    for id in page.values("id") {
        assert!(ids.insert(id), "two have the id {id}");
    }
    for link in page.values("href") {
        let id = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads elsewhere"));
        assert!(ids.contains(id), "{link} leads nowhere");
    }
    for fill in page.values("fill").filter_map(|fill| fill.strip_prefix("url(#")?.strip_suffix(')')) {
        assert!(ids.contains(fill), "no pattern {fill}");
    }
    assert_eq!(page.values("src").count() + page.count("link", "") + page.count("iframe", ""), 0);
    let references = page
        .elements
        .iter()
        .flat_map(|(_, attributes)| attributes)
        .filter(|(name, _)| name != "xmlns" && name != "title");
    for (name, value) in references {
        assert!(!value.contains("://"), "{name}={value}");
    }
    assert!(!page.code.contains("://") && !page.code.contains("@import") && !page.code.contains("url("));
    assert!(page.values("onclick").chain(page.values("onload")).next().is_none());
}

#[test]
fn all_bundled_runs_are_one_page_that_needs_nothing_else() {
    let records: Vec<RunRecord> =
        bundled_runs().into_iter().map(|(name, source, events)| record(&name, &source, events)).collect();
    let html = report(&records);
    assert_eq!(html, report(&records), "always the same");
    let page = Page::parse(&html);
    check(&page);
    assert_eq!(page.count("details", "run"), records.len());
    assert_eq!(page.count("script", ""), 1);
    assert!(html.contains("fin-<wbr>wait-<wbr>2-<wbr>stuck/<wbr>held"), "names break between their parts");
    assert!(page.text.contains(&format!("{0} runs: {0} passed", records.len())));
    assert!(html.len() < 60_000 * records.len(), "{} octets", html.len());
    for record in &records {
        let id = format!("run-{}-seed-1", record.name.replace(['/', '+', '.'], "-"));
        assert!(page.values("id").any(|known| known == id), "{id}");
        let lines = record.source.as_deref().unwrap().lines().count();
        assert!(page.values("id").any(|known| known == format!("{id}.line-{lines}")), "all lines of {id}");
        for result in record.expectations().filter(|result| result.deciding_event > 0) {
            let expectation = format!("{id}.expectation-{}", halfopen_view::record::reference(result).number);
            assert!(page.values("id").any(|known| known == expectation), "{expectation}");
        }
    }
}

#[test]
fn a_broken_expectation_says_where_and_why_and_leads_there() {
    let mut script = Script::new("broken", "A title", &["client", "server"]);
    handshake(&mut script);
    let lost = script.send(("client", "server"), "FIN+ACK", 1025, 1, 0);
    script.fault("", 1, FaultKind::Drop, lost).lose_by_fault("server", lost, 1);
    let deciding = script.events.len() as u64 - 2;
    let (claim, finding) = ends(TcpState::Closed, TcpState::Established);
    script.at(Duration::from_secs(3)).expectation(ExpectationResult {
        expectation: expectation_reference(2, 3),
        passed: false,
        text: "server: {state: CLOSED}".into(),
        claim,
        finding,
        deciding_event: deciding,
        ..ExpectationResult::default()
    });
    let events = script.finish(Verdict::Failed, &[never(7, "drop: SYN")]);
    let source: String = (1..=25).map(|line| format!("line {line}\n")).collect();
    let html = report(&[record("a/b.yaml", &source, events), RunRecord::new("none".to_owned())]);
    let page = Page::parse(&html);
    check(&page);
    for wanted in [
        "ESTABLISHED",
        "expected",
        "fault 7 was never applied",
        "halfopen run a/b.yaml --seed 1",
        "2 runs: 0 passed, 1 failed, 1 unfinished",
    ] {
        assert!(page.text.contains(wanted), "{wanted}");
    }
    let links: Vec<&str> = page.values("href").collect();
    let row = format!("#run-a-b-yaml-seed-1.event-{deciding}");
    assert!(links.contains(&row.as_str()), "{links:?}");
    assert!(links.contains(&"#run-a-b-yaml-seed-1.line-3"), "{links:?}");
    // The fault of line 20, and the expectation of line 3.
    assert_eq!(page.count("li", "fired"), 2);
    let failed = page.elements.iter().find(|(name, attributes)| {
        name == "li" && attributes.iter().any(|(name, value)| name == "id" && value.ends_with(".line-3"))
    });
    assert!(failed.unwrap().1.iter().any(|(name, value)| name == "class" && value.contains("failed")));
}

#[test]
fn whatever_a_scenario_says_it_stays_text() {
    const EVIL: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=y>&amp;<!-- ]]>";
    let mut script = Script::new(EVIL, EVIL, &["client", "server"]);
    handshake(&mut script);
    let lost = script.send(("client", "server"), "ACK", 1025, 1, 0);
    let fault = |segment| FaultApplied { segment, middlebox: EVIL.to_owned(), ..FaultApplied::default() };
    let reason = LossReason::Middlebox.into();
    let loss = SegmentLost { segment: lost, reason, middlebox: EVIL.to_owned(), ..SegmentLost::default() };
    script.fault_with("", 1, fault(lost)).lost("server", loss);
    script.fault_with("client", 2, fault(0)).call("client", StepKind::Send, 0, EVIL).error("client", EVIL);
    let (claim, finding) = errors(EVIL, EVIL);
    script.expectation(ExpectationResult {
        expectation: expectation_reference(1, 1),
        text: EVIL.into(),
        claim,
        finding,
        ..ExpectationResult::default()
    });
    let mut events = script.finish(Verdict::Failed, &[never(1, EVIL)]);
    for event in &mut events {
        if event.host == "client" {
            event.host = EVIL.to_owned();
        }
    }
    let mut invalid = RunRecord::new(EVIL.to_owned());
    let diagnostics = vec![Diagnostic { rendered: EVIL.to_owned(), ..Diagnostic::default() }];
    invalid.stopped = Some(Stopped::Invalid { message: EVIL.to_owned(), diagnostics });
    let html = report(&[record(EVIL, &format!("# {EVIL}\n\u{0}{EVIL}"), events), invalid]);
    let page = Page::parse(&html);
    check(&page);
    assert_eq!((page.count("script", ""), page.count("img", ""), page.count("style", "")), (1, 0, 1));
    assert!(page.text.matches(EVIL).count() > 12, "{}", page.text.matches(EVIL).count());
    assert!(!html.contains(['\u{0}', '\u{1b}']));
}

#[test]
fn a_run_that_runs_again_has_an_id_of_its_own_and_a_left_out_one_is_listed() {
    let records = [record("x", "", dead_client()), record("x", "", dead_client())];
    let mut out = Vec::new();
    let mut reporter = HtmlReporter::new(&mut out);
    reporter.run(&records[0]).unwrap();
    reporter.run(&records[1]).unwrap();
    reporter.skipped(&RunRecord::new("later".to_owned()), "after the first failure").unwrap();
    reporter.end().unwrap();
    drop(reporter);
    let page = Page::parse(&String::from_utf8(out).unwrap());
    check(&page);
    assert!(page.text.contains("3 runs: 2 passed, 1 skipped"), "{}", page.text);
    assert!(page.text.contains("after the first failure"));
    Page::parse(&report(&[]));
}

#[test]
fn what_did_not_pass_is_first_and_every_run_is_explained_under_its_date() {
    let mut out = Vec::new();
    let mut reporter = HtmlReporter::new(&mut out).dated("Sat, 28 Nov 2026 03:20:00 GMT".to_owned());
    reporter.run(&record("fine", "", dead_client())).unwrap();
    reporter.run(&RunRecord::new("cut".to_owned())).unwrap();
    reporter.end().unwrap();
    drop(reporter);
    let page = Page::parse(&String::from_utf8(out).unwrap());
    check(&page);
    let runs: Vec<&str> =
        page.values("id").filter(|id| ["run-cut", "run-fine-seed-1"].contains(id)).collect();
    assert_eq!(runs, ["run-cut", "run-fine-seed-1"]);
    for wanted in ["Sat, 28 Nov 2026 03:20:00 GMT", "What happened"] {
        assert!(page.text.contains(wanted), "{wanted}");
    }
    assert!(page.count("ul", "story") > 0);
    assert_eq!((page.count("span", "calm") > 0, page.count("details", "run")), (true, 2));
}

#[test]
fn without_a_run_that_began_the_page_has_its_date_and_no_version() {
    for (date, expected) in [(Some("Sat, 28 Nov 2026 03:20:00 GMT"), 1), (None, 0)] {
        let mut out = Vec::new();
        let mut reporter = HtmlReporter::new(&mut out);
        if let Some(date) = date {
            reporter = reporter.dated(date.to_owned());
        }
        reporter.run(&RunRecord::new("cut".to_owned())).unwrap();
        reporter.end().unwrap();
        drop(reporter);
        let text = String::from_utf8(out).unwrap();
        let header = text.split("<main>").next().unwrap();
        assert_eq!(header.matches("<p class=\"dim\">").count(), expected);
        assert!(!header.contains("<p class=\"dim\">,"), "{header}");
    }
}
