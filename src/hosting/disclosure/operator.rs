//! [`Operator`]: the party that holds a hosted device's keys (docs/spec/hosting.md, section 11.1).
//!
//! The name proves nothing: it is what the operator calls itself. The key does, and its number stands for it.

use alloc::format;
use alloc::string::String;

use super::name::OperatorName;
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::kdf::digest;

/// The party that holds a hosted device's keys: a vendor, the network itself, or another messenger's provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// What it calls itself.
    pub name: OperatorName,
    /// The key that identifies it. Two operators may have the same name.
    pub key: IdentityKey,
}

impl Operator {
    /// The number that stands for the key where users read it: 30 digits, in groups of five. Operators with the same name
    /// have different numbers. P-11.25.
    #[must_use]
    pub fn number(&self) -> String {
        let digest = digest(&[labels::OPERATOR_NUMBER, &self.key.to_bytes()]);
        let mut text = String::new();
        for group in digest.chunks_exact(5).take(6) {
            let number = group.iter().fold(0_u64, |number, byte| number.wrapping_shl(8) | u64::from(*byte));
            let separator = if text.is_empty() { "" } else { " " };
            text.push_str(&format!("{separator}{:05}", number.checked_rem(100_000).unwrap_or_default()));
        }
        text
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { name, key } = self;
        writer.bytes(&key.to_bytes()).u8(name.length()).bytes(name.as_str().as_bytes());
    }

    /// `key` reads the key: with all checks if another party sent it, without decompressing its points if it comes from a
    /// sealed record.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        key: fn(&mut Reader<'_>) -> Result<IdentityKey, Malformed>,
    ) -> Result<Self, Malformed> {
        let key = key(reader)?;
        let length = usize::from(reader.u8()?);
        let name = core::str::from_utf8(reader.slice(length)?).map_err(|_| Malformed)?;
        Ok(Self { name: OperatorName::new(name).map_err(|_| Malformed)?, key })
    }
}
