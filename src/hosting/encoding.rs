//! Keys and trailing signatures in bytes, as disclosures, decisions and receipts share them.

use alloc::vec::Vec;

use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader};
use bisik_core::primitives::ed25519::SIGNATURE;

/// How far ahead of the local clock a disclosure or a decision may be dated, in seconds: a day, as for pre-key bundles.
pub(super) const CLOCK_SKEW: u64 = 24 * 60 * 60;

/// Reads an identity key that another party sent. Both halves are checked.
pub(super) fn read_key(reader: &mut Reader<'_>) -> Result<IdentityKey, Malformed> {
    IdentityKey::from_bytes(reader.array()?).map_err(|_| Malformed)
}

/// Splits `bytes` into the signed text and the 64-byte signature behind it.
pub(super) fn split_signature(bytes: &[u8]) -> Result<(&[u8], &[u8; SIGNATURE]), Malformed> {
    bytes.split_last_chunk().ok_or(Malformed)
}

/// `text ‖ signature`.
pub(super) fn append_signature(text: &[u8], signature: &[u8; SIGNATURE]) -> Vec<u8> {
    [text, signature].concat()
}
