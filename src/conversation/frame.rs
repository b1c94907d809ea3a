//! Frames: the plaintext of a message between two devices of a conversation (docs/spec/conversations.md, section 12.2).
//!
//! A frame names the conversation, the message, and the device lists that its sender uses.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::{ConversationId, MessageId};
use crate::device::DeviceDirectory;
use crate::labels;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::convert;
use bisik_core::primitives::kdf::digest;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message to the peer account.
    Message,
    /// The same message, for the sender's own other devices.
    Copy,
    /// Ids of messages that arrived.
    Acknowledgement,
    /// Ids of messages that could not be decrypted.
    Request,
    /// What a user decided about a disclosure; for an own device with the disclosure.
    Decision,
    /// The hosted device's countersignature of it.
    DecisionReceipt,
}

impl Kind {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::Copy => 2,
            Self::Acknowledgement => 3,
            Self::Request => 4,
            Self::Decision => 5,
            Self::DecisionReceipt => 6,
        }
    }

    pub(super) const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Message),
            2 => Ok(Self::Copy),
            3 => Ok(Self::Acknowledgement),
            4 => Ok(Self::Request),
            5 => Ok(Self::Decision),
            6 => Ok(Self::DecisionReceipt),
            _ => Err(Malformed),
        }
    }
}

/// The device lists that a sender goes by: its own account's first, then the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lists {
    pub(super) own: u64,
    pub(super) peer: u64,
    digest: [u8; 16],
}

impl Lists {
    pub(super) fn of(own: &DeviceDirectory, peer: &DeviceDirectory) -> Self {
        let text = [labels::CONVERSATION_LISTS, own.hash().as_slice(), peer.hash().as_slice()];
        Self { own: own.sequence(), peer: peer.sequence(), digest: convert::first(&digest(&text)) }
    }
}

/// One frame. `body` is the message, or 16-byte ids.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    /// The sender has lost its sessions with this device and asks to forget those before this one.
    pub(super) fresh: bool,
    pub(super) conversation: ConversationId,
    pub(super) id: MessageId,
    pub(super) lists: Lists,
    pub(super) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// P-12.3.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let Self { kind, fresh, conversation, id, lists, body } = self;
        let Lists { own, peer, digest } = lists;
        let mut writer = SecretWriter::with_capacity(OVERHEAD.saturating_add(body.len()));
        writer.u8(VERSION).u8(kind.byte()).flag(*fresh).bytes(conversation.as_bytes()).bytes(id.as_bytes());
        writer.u64(*own).u64(*peer).bytes(digest).bytes(body);
        writer.finish()
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[VERSION])?;
        let kind = Kind::from_byte(reader.u8()?)?;
        let fresh = reader.flag()?;
        let conversation = ConversationId::from_bytes(*reader.array()?);
        let id = MessageId::from_bytes(*reader.array()?);
        let lists = Lists { own: reader.u64()?, peer: reader.u64()?, digest: *reader.array()? };
        Ok(Self { kind, fresh, conversation, id, lists, body: reader.rest() })
    }

    /// The ids of an acknowledgement or a request: at least one, at most [`MAX_IDS`].
    pub(super) fn ids(&self) -> Result<Vec<MessageId>, Malformed> {
        let (ids, rest) = self.body.as_chunks::<16>();
        if ids.is_empty() || ids.len() > MAX_IDS || !rest.is_empty() {
            return Err(Malformed);
        }
        Ok(ids.iter().map(|id| MessageId::from_bytes(*id)).collect())
    }
}

/// Bytes that a frame adds to its body.
pub(super) const OVERHEAD: usize = 3 + 16 + 16 + 32;
/// Ids in one acknowledgement or request.
pub(super) const MAX_IDS: usize = 256;
/// First byte of a frame.
const VERSION: u8 = 0x01;
