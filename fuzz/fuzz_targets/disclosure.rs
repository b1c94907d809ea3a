//! Hands libFuzzer's bytes to `bisik_fuzz::disclosure`; knows nothing else.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bisik_fuzz::disclosure(data));
