//! Hands libFuzzer's bytes to `bisik_testkit::fuzz::identity_key`; knows nothing else.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_testkit::fuzz::identity_key(data));
