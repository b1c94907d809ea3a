//! Fuzz target: passes libFuzzer's bytes to `bisik_testkit::fuzz::group_letter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::group_letter(data));
