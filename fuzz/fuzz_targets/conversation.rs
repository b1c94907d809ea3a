//! Runs `bisik_testkit::fuzz::conversation` on libFuzzer's input.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::conversation(data));
