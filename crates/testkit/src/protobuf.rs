//! Bodies of content that no honest program makes: protobuf written field by field, with correct padding.

use bisik::content::Content;

/// Length, protobuf, zeros. The padded length follows the definition of PADMÉ, computed differently than in the
/// library.
pub fn body(protobuf: &[u8]) -> Vec<u8> {
    let length = protobuf.len() + 4;
    let exponent = (usize::BITS - 1).saturating_sub(length.leading_zeros());
    let step = 1_usize << exponent.saturating_sub(exponent.checked_ilog2().unwrap_or(0) + 1);
    let padded = length.div_ceil(step) * step;
    let mut body = [&u32::try_from(protobuf.len()).unwrap().to_be_bytes(), protobuf].concat();
    body.resize(padded.max(32), 0);
    body
}

pub fn protobuf(content: &Content) -> &[u8] {
    let (length, rest) = content.as_body().split_first_chunk().unwrap();
    &rest[..u32::from_be_bytes(*length).try_into().unwrap()]
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(value.try_into().unwrap());
    bytes
}

pub fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(bytes.len().try_into().unwrap()), bytes.to_vec()].concat()
}

pub fn varint_field(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

pub fn double(number: u64, value: f64) -> Vec<u8> {
    [varint(number << 3 | 1), value.to_le_bytes().to_vec()].concat()
}
