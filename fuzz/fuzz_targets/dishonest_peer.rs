//! Fuzz target: passes libFuzzer's bytes to `bisik_testkit::fuzz::dishonest_peer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::dishonest_peer(data));
