//! [`DisclosureHash`], and its encoding: 32 bytes, all zero if there is none.
//!
//! `bisik` re-exports [`DisclosureHash`] and [`DisclosureHashError`]. The functions here are for the suites.

use core::fmt;

use crate::codec::{Malformed, Reader};
use crate::primitives::kdf::digest;

/// The name of a disclosure: the SHA-256 of its bytes (section 11.2 of `bisik::manual::spec::hosting`). Never all zero.
///
/// A session with a hosted device is set up under the hash of that device's disclosure, which is part of the
/// transcript. If a relay removes, swaps or replays a disclosure, the two sides hash different values, and the
/// handshake fails (section 3.1 of `bisik::manual::spec::session`). If no device is hosted there is no disclosure, and
/// the API has `None`.
///
/// ```
/// # use bisik_core::disclosure as bisik;
/// use bisik::DisclosureHash;
///
/// let hash = DisclosureHash::from_bytes([7; 32])?;
/// assert_eq!(hash.as_bytes(), &[7; 32]);
/// assert!(DisclosureHash::from_bytes([0; 32]).is_err()); // "no disclosure" is `None`, not a hash
/// assert_eq!(hash.to_string(), "07".repeat(32));
/// assert_eq!(hash.to_string().parse(), Ok(hash));
/// # Ok::<(), bisik::DisclosureHashError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisclosureHash([u8; 32]);

impl DisclosureHash {
    /// Creates a hash from stored or received bytes.
    ///
    /// # Errors
    ///
    /// [`DisclosureHashError::Zero`] if all 32 are zero. In records and messages, zeros encode that there is no disclosure.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, DisclosureHashError> {
        if bytes == [0; 32] { Err(DisclosureHashError::Zero) } else { Ok(Self(bytes)) }
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl AsRef<[u8]> for DisclosureHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

crate::hex_text! {
    DisclosureHash: 32, or DisclosureHashError = DisclosureHashError::Malformed;
    from |bytes| DisclosureHash::from_bytes(bytes);
    to |hash| hash.0;
}

impl fmt::Debug for DisclosureHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DisclosureHash").field(&self.0).finish()
    }
}

/// Why bytes or a text are not a [`DisclosureHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisclosureHashError {
    /// All 32 bytes are zero, which is the encoding of no disclosure and not a hash.
    Zero,
    /// Not 32 bytes, or not 64 hexadecimal digits.
    Malformed,
}

crate::error_texts! {
    DisclosureHashError {
        Zero => "disclosure_hash.zero", "the hash of a disclosure is never all zero";
        Malformed => "disclosure_hash.malformed", "the bytes or the text are not the hash of a disclosure";
    }
}

/// Hashes a disclosure, or a pair of disclosures: SHA-256 of `label`, then `parts` one after the other.
#[must_use]
pub fn hash(label: &[u8], parts: &[&[u8]]) -> DisclosureHash {
    DisclosureHash(digest(&[label, &parts.concat()]))
}

/// Encodes an optional hash as 32 bytes: all zero for `None`.
#[must_use]
pub fn to_bytes(hash: Option<DisclosureHash>) -> [u8; 32] {
    hash.map_or([0; 32], |DisclosureHash(bytes)| bytes)
}

/// An optional hash as a field of a value: 32 bytes, all zero if there is none.
///
/// The unused bytes of an `Option` without a value are whatever the stack held before, which may be part of a secret, and
/// they move to the heap with the value. This type has no unused bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OptionalHash([u8; 32]);

impl OptionalHash {
    /// No hash.
    pub const NONE: Self = Self([0; 32]);

    /// Returns the hash, if there is one.
    #[must_use]
    pub fn get(self) -> Option<DisclosureHash> {
        DisclosureHash::from_bytes(self.0).ok()
    }

    /// Returns the encoding: 32 bytes, all zero if there is no hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<Option<DisclosureHash>> for OptionalHash {
    fn from(hash: Option<DisclosureHash>) -> Self {
        Self(to_bytes(hash))
    }
}

impl fmt::Debug for OptionalHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// Reads an optional hash: 32 bytes, all zero for `None`.
///
/// # Errors
///
/// [`Malformed`] if fewer than 32 bytes are left.
pub fn read_optional(reader: &mut Reader<'_>) -> Result<Option<DisclosureHash>, Malformed> {
    reader.array().map(|bytes| DisclosureHash::from_bytes(*bytes).ok())
}

/// Reads a hash: 32 bytes.
///
/// # Errors
///
/// [`Malformed`] if fewer than 32 bytes are left, or all of them are zero.
pub fn read(reader: &mut Reader<'_>) -> Result<DisclosureHash, Malformed> {
    read_optional(reader)?.ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn zeros_encode_no_disclosure_and_decode_as_none() {
        assert_eq!(DisclosureHash::from_bytes([0; 32]), Err(DisclosureHashError::Zero));
        let some = DisclosureHash::from_bytes([1; 32]).ok();
        assert!(some.is_some());
        for hash in [None, some] {
            assert_eq!(read_optional(&mut Reader::new(&to_bytes(hash))), Ok(hash));
            assert_eq!(read(&mut Reader::new(&to_bytes(hash))), hash.ok_or(Malformed));
        }
        assert_eq!(to_bytes(None), [0; 32]);
    }

    #[test]
    fn an_optional_hash_has_no_bytes_that_could_keep_a_secret_of_the_stack() {
        let some = DisclosureHash::from_bytes([1; 32]).ok();
        for hash in [None, some] {
            let field = OptionalHash::from(hash);
            assert_eq!((field.get(), *field.as_bytes()), (hash, to_bytes(hash)));
            assert_eq!(format!("{field:?}"), format!("{hash:?}"));
        }
        assert_eq!(OptionalHash::from(None), OptionalHash::NONE);
        assert_eq!(size_of::<OptionalHash>(), 32);
    }
}
