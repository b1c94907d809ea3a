//! The test vectors published with RFC 9605, unmodified. For tests only.

use alloc::vec::Vec;

use serde_json::Value;

/// Returns all vectors of one kind.
pub(crate) fn of(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../tests/vectors/sframe/sframe-tv.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

/// Returns a field that is written in hexadecimal digits.
pub(crate) fn bytes(vector: &Value, name: &str) -> Vec<u8> {
    from_hex(vector[name].as_str().unwrap())
}

/// Decodes hexadecimal digits.
pub(crate) fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Returns a field that is a number.
pub(crate) fn number(vector: &Value, name: &str) -> u64 {
    vector[name].as_u64().unwrap()
}
