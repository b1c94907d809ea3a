//! Fuzz target: passes libFuzzer's bytes to `bisik_testkit::fuzz::interop_v4`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::interop_v4(data));
