//! What the records of groups and statuses write and read alike (docs/formats.md, section 15.6).

use crate::conversation::MemberDevice;
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};

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

pub(super) fn write_member(MemberDevice { account, device, identity }: &MemberDevice, writer: &mut SecretWriter) {
    writer.bytes(&account.to_bytes()).u32(*device).bytes(&identity.to_bytes());
}

pub(super) fn read_member(reader: &mut Reader<'_>) -> Result<MemberDevice, Malformed> {
    let account = AccountKey::from_identity(read_key(reader)?);
    Ok(MemberDevice { account, device: reader.u32()?, identity: read_key(reader)? })
}
