//! Any octets may be a call: what the fuzzer found, the bundled scenarios and the wrong ones, and right calls with changes.
//! `PROPTEST_CASES` makes it longer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod fuzz;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

const SESSION: &str = include_str!("../benches/session.yaml");

/// Makes every file of a folder a call, as it is or after a first line.
fn replay(folder: &str, line: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            println!("{line}{}", path.display());
            fuzz::call(&[line.as_bytes(), &fs::read(path).unwrap()].concat());
            count += 1;
        }
    }
    assert!(count > 0, "{} is empty", folder.display());
}

#[test]
fn what_is_known_does_no_harm() {
    replay("fuzz/corpus/calls", "");
    for line in ["ExecuteRun text\n", "ValidateScenario text\n"] {
        replay("../scenario/tests/wrong", line);
        replay("../../scenarios/close", line);
        replay("../sim/fuzz/corpus/scenarios", line);
    }
}

/// A change of one place.
fn change(octets: &mut Vec<u8>, (at, kind, value): (Index, u8, u8)) {
    let at = at.index(octets.len().max(1));
    match kind {
        0 => octets.truncate(at),
        1 => octets.insert(at.min(octets.len()), value),
        2 => octets.extend_from_within(at.min(octets.len())..),
        _ => {
            if let Some(octet) = octets.get_mut(at) {
                *octet = value;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_call_does_no_harm(
        form in prop::sample::select(vec!["text", "message", "body"]),
        method in prop::sample::select(vec!["ExecuteRun", "ValidateScenario", "GetScenario", "CreateSession", "Advance"]),
        changes in prop::collection::vec((any::<Index>(), 0..6_u8, any::<u8>()), 1..8),
    ) {
        let mut rest = SESSION.as_bytes().to_vec();
        if form != "text" {
            // Field 1, the text, with its length as a varint; in a body, after the length of the message.
            let length = rest.len();
            let head = [10, (length % 128) as u8 | 128, (length / 128) as u8];
            let frame = [&[0], ((length + head.len()) as u32).to_be_bytes().as_slice()].concat();
            let frame = if form == "body" { frame } else { Vec::new() };
            rest.splice(0..0, frame.into_iter().chain(head));
        }
        changes.into_iter().for_each(|one| change(&mut rest, one));
        fuzz::call(&[format!("{method} {form}\n").as_bytes(), &rest].concat());
    }

    #[test]
    fn any_octets_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz::call(&octets);
    }
}
