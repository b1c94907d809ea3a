//! Bodies: a length, the protobuf, and zeros up to the size that PADMÉ gives (docs/spec/content.md, section 7.1).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{ContentError, limits};
use bisik_core::codec::{Reader, padme};

/// Returns `u32(length) ‖ protobuf ‖ zeros`.
pub(super) fn pad(protobuf: &[u8]) -> Result<Zeroizing<Vec<u8>>, ContentError> {
    let length = u32::try_from(protobuf.len()).map_err(|_| ContentError::TooLong)?;
    let padded = padded(protobuf.len())?;
    let mut body = Zeroizing::new(Vec::with_capacity(padded));
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(protobuf);
    body.resize(padded, 0);
    Ok(body)
}

/// Returns the protobuf in a body. Each protobuf has exactly one accepted body. Requirement P-7.2.
pub(super) fn unpad(body: &[u8]) -> Result<&[u8], ContentError> {
    if body.len() > limits::BODY {
        return Err(ContentError::TooLong);
    }
    let mut reader = Reader::new(body);
    let length = reader.u32().map_err(|_| ContentError::Malformed)?;
    let length = usize::try_from(length).map_err(|_| ContentError::Malformed)?;
    let protobuf = reader.slice(length).map_err(|_| ContentError::Malformed)?;
    let is_zero = reader.rest().iter().all(|byte| *byte == 0);
    if is_zero && padded(length) == Ok(body.len()) { Ok(protobuf) } else { Err(ContentError::Malformed) }
}

/// Returns the length of a body with `length` bytes of protobuf. Requirement P-7.1.
fn padded(length: usize) -> Result<usize, ContentError> {
    let framed =
        u64::try_from(length).ok().and_then(|length| length.checked_add(LENGTH)).ok_or(ContentError::TooLong)?;
    let padded = usize::try_from(padme(framed)).map_err(|_| ContentError::TooLong)?;
    if padded > limits::BODY { Err(ContentError::TooLong) } else { Ok(padded) }
}

/// Bytes of the length field.
const LENGTH: u64 = 4;
