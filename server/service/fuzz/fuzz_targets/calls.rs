//! Any octets as a call of the service.
#![no_main]

#[path = "../../tests/fuzz/mod.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| fuzz::call(octets));
