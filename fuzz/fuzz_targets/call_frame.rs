//! Runs `bisik_testkit::fuzz::call_frame` on libFuzzer's input.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::call_frame(data));
