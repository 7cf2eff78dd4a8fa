//! Every mistake has a place and a way out: what the user sees is kept beside each wrong scenario.
//!
//! `SNAPSHOTS=overwrite cargo test -p halfopen-scenario --test wrong` writes it anew; read the difference.

use std::fs;
use std::path::{Path, PathBuf};

use halfopen_scenario::{Diagnostics, Limits, Scenario, load, load_bytes};

fn wrong_scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn what_the_user_sees_is_as_reviewed() {
    let overwrite = std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite");
    let files = wrong_scenarios();
    let mut single = 0;
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let diagnostics = load(&text).expect_err(&name);
        let seen = diagnostics.render(&name, &text, false) + "\n";
        let reviewed = path.with_extension("err");
        if overwrite {
            fs::write(&reviewed, &seen).unwrap();
        }
        assert_eq!(seen, fs::read_to_string(&reviewed).unwrap_or_default(), "{name}");
        single += usize::from(diagnostics.as_slice().len() == 1);
    }
    assert!(single >= 100, "only {single} wrong scenarios have one mistake each");
}

#[test]
fn every_mistake_has_a_place_within_the_text_and_a_message() {
    for path in wrong_scenarios() {
        let text = fs::read_to_string(&path).unwrap();
        for mistake in &load(&text).expect_err("wrong") {
            let lines = text.lines().count().max(1) as u32 + 1;
            assert!(mistake.line <= lines, "{path:?}: {mistake:?}");
            assert!(!mistake.message.is_empty() && !mistake.help.is_empty(), "{path:?}: {mistake:?}");
            assert!(mistake.line == 0 || (mistake.column > 0 && mistake.length > 0), "{path:?}: {mistake:?}");
        }
    }
}

fn only(result: Result<Scenario, Diagnostics>) -> String {
    let diagnostics = result.expect_err("wrong");
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    diagnostics.as_slice()[0].message.clone()
}

#[test]
fn what_is_no_text_is_told_so() {
    assert_eq!(only(load_bytes(b"scenario: a\nb: \xff\xfe")), "this is not UTF-8 text");
    assert_eq!(
        only(load_bytes(b"\x7fELF\x02\x01\x01\x00\x00")),
        "the control character U+007F does not belong in a scenario"
    );
}

#[test]
fn what_is_too_large_is_not_even_read() {
    let text = format!("scenario: a # {}", "x".repeat(5 << 20));
    assert!(only(load(&text)).ends_with("more than 1048576"));
    let many = format!("scenario: [{}]", "a, ".repeat(Limits::MAX_NODES));
    assert!(only(load(&many)).starts_with("the scenario has more than 100000 parts"));
    let message = only(load(&"[".repeat(Limits::MAX_TEXT)));
    assert!(message.ends_with("nested more than 32 deep"), "{message}");
    let keys: String = (0..40_000).map(|key| format!("k{key}: 1\n")).collect();
    assert_eq!(load(&keys).expect_err("wrong").as_slice().len(), 50);
}
