//! What the records of a group read alike (docs/formats.md, section 15.6).

use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader};

/// Refuses what does not come after the one before it: each thing has one encoding.
pub(super) fn ascending<T: Ord>(last: Option<&T>, next: &T) -> Result<(), Malformed> {
    if last.is_none_or(|last| last < next) { Ok(()) } else { Err(Malformed) }
}

/// Reads the identity key of a device or an account.
pub(super) fn read_key(reader: &mut Reader<'_>) -> Result<IdentityKey, Malformed> {
    IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)
}

/// Reads a length and as many bytes.
pub(super) fn read_body<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let length = reader.count_of(1)?;
    reader.slice(length)
}
