//! The page about the language (scenarios/README.md) says what the language is.

use halfopen_scenario::{load, load_all};

const PAGE: &str = include_str!("../../../scenarios/README.md");

#[test]
fn its_examples_load() {
    let examples: Vec<&str> =
        PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        if let Err(diagnostics) = load_all(example) {
            panic!("{}", diagnostics.render("README.md", example, false));
        }
    }
}

/// What the loader offers where a key is unknown.
fn keys(around: &str) -> Vec<String> {
    let diagnostics = load(&around.replace('@', "no-such-thing: 1")).expect_err("no such key");
    let offered = diagnostics.iter().find(|diagnostic| diagnostic.message.contains("no-such-thing"));
    let help = &offered.unwrap_or_else(|| panic!("{around}: {diagnostics}")).help;
    help.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn it_has_every_word_of_the_language() {
    let places = [
        "@",
        "hosts: {a: {@}}",
        "hosts: {a: {tcp: {@}}}",
        "hosts: {a: {tcp: {keepalive: {@}}}}",
        "hosts: {a: {tcp: {rto: {@}}}}",
        "hosts: {a: {tcp: {delayed-ack: {@}}}}",
        "network: {@}",
        "network: {jitter: {@}}",
        "network: {loss: {@}}",
        "network: {loss: {bursts: {@}}}",
        "network: {links: [{@}]}",
        "network: {middleboxes: {a: {@}}}",
        "network: {middleboxes: {a: {idle: {@}}}}",
        "limits: {@}",
        "applications: {a: [{set: {@}}]}",
        "applications: {a: [{send: {@}}]}",
        "calls: [{send: {@}}]",
        "faults: [{drop: {@}}]",
        "faults: [{rewrite: {}, set: {@}}]",
        "faults: [{partition: {@}}]",
        "faults: [{blackhole: {@}}]",
        "faults: [{inject: {@}}]",
        "expect: [{a: {@}}]",
    ];
    let items = ["applications: {a: [{@}]}", "faults: [{@}]", "calls: [{@}]"];
    let beside = items.iter().flat_map(|item| {
        keys(item).into_iter().map(|word| item.replace('@', &format!("{word}: , @"))).collect::<Vec<_>>()
    });
    for place in places.iter().chain(&items).map(|place| (*place).to_owned()).chain(beside) {
        let keys = keys(&place);
        assert!(!keys.is_empty(), "{place}");
        for key in keys {
            let word = |before: char, after: char| PAGE.contains(&format!("{before}{key}{after}"));
            let found = word('`', '`') || word('`', ':') || word('{', ':') || word(' ', ':');
            assert!(found, "{place} may have `{key}`, which scenarios/README.md does not explain");
        }
    }
}
