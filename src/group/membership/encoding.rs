//! Pieces that entries, acts, floors and rights share. Counts and lengths have two bytes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::ActId;
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};

/// Writes a count or a length. Every collection is bounded below 2^16 before it is written.
pub(super) fn write_count(writer: &mut Writer, count: usize) {
    writer.bytes(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
}

/// Reads a count or a length of at most `limit`.
pub(super) fn read_count(reader: &mut Reader<'_>, limit: usize) -> Result<usize, Malformed> {
    let count = usize::from(reader.u16()?);
    if count > limit { Err(Malformed) } else { Ok(count) }
}

/// Reads `N` bytes.
pub(super) fn read_array<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], Malformed> {
    reader.array().copied()
}

/// Reads an identity key. Its points are decoded where it verifies something, and when it is named by an act or an entry
/// that was verified.
pub(super) fn read_key(reader: &mut Reader<'_>) -> Result<IdentityKey, Malformed> {
    IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)
}

/// Reads an account's key, as [`read_key`] does.
pub(super) fn read_account(reader: &mut Reader<'_>) -> Result<AccountKey, Malformed> {
    read_key(reader).map(AccountKey::from_identity)
}

/// Checks both halves of a key that somebody else wrote. Requirement P-2.3.
pub(super) fn check_key(key: &IdentityKey) -> Result<(), Malformed> {
    IdentityKey::from_bytes(&key.to_bytes()).map(drop).map_err(|_| Malformed)
}

/// Writes the names of acts, which are ascending.
pub(super) fn write_ids(writer: &mut Writer, ids: &[ActId]) {
    write_count(writer, ids.len());
    for id in ids {
        writer.bytes(id.as_bytes());
    }
}

/// Reads the names of at most `limit` acts, strictly ascending: there is one encoding. P-1.8.
pub(super) fn read_ids(reader: &mut Reader<'_>, limit: usize) -> Result<Vec<ActId>, Malformed> {
    let count = read_count(reader, limit)?;
    let id = |reader: &mut Reader<'_>| read_array(reader).map(ActId::from_bytes);
    let ids = (0..count).map(|_| id(reader)).collect::<Result<Vec<_>, _>>()?;
    if ids.is_sorted_by(|a, b| a < b) { Ok(ids) } else { Err(Malformed) }
}

/// Reads `count` items of which the names are strictly ascending.
pub(super) fn read_ascending<K: Ord, V>(
    reader: &mut Reader<'_>,
    count: usize,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<(K, V), Malformed>,
) -> Result<BTreeMap<K, V>, Malformed> {
    let mut found = BTreeMap::new();
    for _ in 0..count {
        let (key, value) = item(reader)?;
        if found.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(Malformed);
        }
        found.insert(key, value);
    }
    Ok(found)
}
