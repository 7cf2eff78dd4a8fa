//! Any stream of segments, calls and steps of time.
#![no_main]

#[path = "../../tests/fuzz/mod.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::calls(octets));
