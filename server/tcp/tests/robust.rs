//! Anything may arrive and anything may be called: what the fuzzer found, its seeds, and random octets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod fuzz;

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

/// Plays every file of a folder of `fuzz/corpus`.
fn replay(target: &str, play: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        println!("{}", path.display());
        play(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0, "no file");
}

#[test]
fn the_fuzzer_s_segments_do_no_harm() {
    replay("segments", fuzz::segments);
}

#[test]
fn the_fuzzer_s_calls_do_no_harm() {
    replay("calls", fuzz::calls);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_segments_do_no_harm(octets in vec(any::<u8>(), 0..600)) {
        fuzz::segments(&octets);
    }

    #[test]
    fn random_calls_do_no_harm(octets in vec(any::<u8>(), 0..600)) {
        fuzz::calls(&octets);
    }
}
