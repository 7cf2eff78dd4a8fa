//! Any octets as a scenario, and the beginning of its run.
#![no_main]

#[path = "../../tests/fuzz/mod.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::scenario(octets));
