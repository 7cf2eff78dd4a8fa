//! Any octets may be a scenario: what the fuzzer found, the bundled scenarios and the wrong ones, and what comes
//! of a whole scenario by one change.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod fuzz;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

const WHOLE: &str = include_str!("../../scenario/tests/whole.yaml");

/// Plays every file of a folder, and of the folders in it.
fn replay(folder: &Path) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += replay(&path);
        } else {
            println!("{}", path.display());
            fuzz::scenario(&fs::read(path).unwrap());
            count += 1;
        }
    }
    count
}

#[test]
fn what_is_known_does_no_harm() {
    for folder in ["fuzz/corpus/scenarios", "../../scenarios", "../scenario/tests"] {
        assert!(replay(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) > 0, "{folder} is empty");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_less_does_no_harm(gone in prop::collection::btree_set(0..WHOLE.lines().count(), 1..30)) {
        let rest: Vec<&str> =
            WHOLE.lines().enumerate().filter(|(line, _)| !gone.contains(line)).map(|(_, line)| line).collect();
        fuzz::scenario(rest.join("\n").as_bytes());
    }
}
