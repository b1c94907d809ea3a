//! [`GroupMessageId`]: the name of a message of a group.

use crate::group::chain::{ChainId, SendingChain};
use bisik_core::codec::{Malformed, Reader, SecretWriter};

/// The name of a message: with the device that wrote it, it is unique in the group. Store the message under it, so that
/// storing it again is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupMessageId {
    /// The chain.
    pub chain: ChainId,
    /// The number of the message in the chain, from 0.
    pub index: u32,
}

impl GroupMessageId {
    /// Writes `chain ‖ u32 index`.
    pub(in crate::group) fn write(&self, writer: &mut SecretWriter) {
        writer.bytes(self.chain.as_bytes()).u32(self.index);
    }

    /// Whether a chain has such a number: section 14.2.
    pub(super) const fn is_possible(&self) -> bool {
        self.index < SendingChain::MOST_MESSAGES
    }

    pub(in crate::group) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { chain: ChainId::from_bytes(*reader.array()?), index: reader.u32()? })
    }
}
