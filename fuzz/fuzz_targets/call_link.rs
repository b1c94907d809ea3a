//! Fuzz target: passes libFuzzer's bytes to `bisik_testkit::fuzz::call_link`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::call_link(data));
