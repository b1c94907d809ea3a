//! Runs `bisik_testkit::fuzz::interop_group_state` on libFuzzer's input.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::interop_group_state(data));
