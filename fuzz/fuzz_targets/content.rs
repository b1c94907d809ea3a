//! Runs `bisik_testkit::fuzz::content` on libFuzzer's input.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::content(data));
