//! Writing protobuf fields: field numbers below 16, 32-bit values and byte strings. The protocols here use no others.
//!
//! Reading is in `bisik_core::codec`.

use alloc::vec::Vec;

/// Appends a number.
pub(super) fn put_u32(output: &mut Vec<u8>, number: u8, value: u32) {
    output.push(number << 3);
    put_varint(output, value);
}

/// Appends a byte string.
pub(super) fn put_bytes(output: &mut Vec<u8>, number: u8, value: &[u8]) {
    begin_bytes(output, number, value.len());
    output.extend_from_slice(value);
}

/// Appends the tag and length of a byte string of `length` bytes, which the caller then appends. Lengths are those of
/// messages: below 2^32.
pub(super) fn begin_bytes(output: &mut Vec<u8>, number: u8, length: usize) {
    output.push((number << 3) | LENGTH_DELIMITED);
    put_varint(output, u32::try_from(length).unwrap_or(u32::MAX));
}

/// Bytes of a number with its tag.
pub(super) const fn u32_length(value: u32) -> usize {
    varint_length(value).saturating_add(1)
}

/// Bytes of a byte string with its tag and length.
pub(super) fn bytes_length(length: usize) -> usize {
    varint_length(u32::try_from(length).unwrap_or(u32::MAX)).saturating_add(1).saturating_add(length)
}

const fn varint_length(value: u32) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        0x1000_0000.. => 5,
    }
}

fn put_varint(output: &mut Vec<u8>, mut value: u32) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            output.push(low & 0x7f);
            return;
        }
        output.push(low | 0x80);
    }
}

/// The wire type of byte strings.
const LENGTH_DELIMITED: u8 = 2;
