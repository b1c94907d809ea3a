//! [`Ciphertext`]: one message of version 4 and its kind, which the transport carries beside the bytes.

use alloc::vec::Vec;
use core::fmt;

use super::wire::{Message, PreKeyMessage};
use crate::signal::ciphertext::{CiphertextError, MessageKind};
use crate::signal::key::{IdentityKey, PublicKey};
use bisik_core::internal::InternalError;

/// One encrypted message. `Debug` shows its kind and length. An eavesdropper learns both, and the header.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext {
    kind: MessageKind,
    bytes: Vec<u8>,
}

/// The unencrypted part of a message. None of it is authenticated until the message has been decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version byte: 0x44, or another with 4 in its high half.
    pub version: u8,
    /// The sender's ratchet key.
    pub ratchet_key: PublicKey,
    /// The message's number in its chain, from 0.
    pub counter: u32,
    /// The number of the last message in the sender's previous chain, or 0.
    pub previous_counter: u32,
    /// The epoch of the post-quantum ratchet, from 1.
    pub epoch: u32,
    /// The message's number in the chain of the epoch before, from 1.
    pub index: u32,
    /// The further fields of a pre-key message.
    pub pre_key: Option<PreKeyHeader>,
}

/// The part of a [`Header`] that only pre-key messages ([`MessageKind::PreKey`]) have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreKeyHeader {
    /// The outer version byte; the inner message has its own.
    pub version: u8,
    /// The sender's registration id.
    pub registration_id: u32,
    /// The id of the receiver's one-time pre-key, if one was used.
    pub pre_key_id: Option<u32>,
    /// The id of the receiver's signed pre-key.
    pub signed_pre_key_id: u32,
    /// The id of the receiver's Kyber pre-key.
    pub kyber_pre_key_id: u32,
    /// The sender's ephemeral key, which names the session on both sides.
    pub base_key: PublicKey,
    /// The identity that the sender claims.
    pub identity: IdentityKey,
}

impl Ciphertext {
    /// Reads a message that arrived. Copies it once.
    ///
    /// # Errors
    ///
    /// [`CiphertextError`] if the bytes are not well-formed, the version is not 4, the post-quantum part is missing, or a
    /// key in them is not canonical or of small order.
    pub fn from_parts(kind: MessageKind, bytes: &[u8]) -> Result<Self, CiphertextError> {
        let parsed = match kind {
            MessageKind::Whisper => Message::parse(bytes).map(drop),
            MessageKind::PreKey => PreKeyMessage::parse(bytes).map(drop),
        };
        parsed.map_err(|_| CiphertextError)?;
        Ok(Self { kind, bytes: bytes.to_vec() })
    }

    /// A message that this library has just encrypted.
    pub(super) const fn made(kind: MessageKind, bytes: Vec<u8>) -> Self {
        Self { kind, bytes }
    }

    /// The kind, which the transport carries beside the bytes.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to send, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Parses a message of kind [`MessageKind::Whisper`] again.
    ///
    /// # Errors
    ///
    /// [`InternalError`] alone, since the bytes were checked when the value was made.
    pub(super) fn message(&self) -> Result<Message<'_>, InternalError> {
        Message::parse(&self.bytes).map_err(|_| InternalError)
    }

    /// The same, of kind [`MessageKind::PreKey`].
    ///
    /// # Errors
    ///
    /// [`InternalError`] alone.
    pub(super) fn pre_key_message(&self) -> Result<PreKeyMessage<'_>, InternalError> {
        PreKeyMessage::parse(&self.bytes).map_err(|_| InternalError)
    }

    /// The unencrypted fields. `Some` for every value of this type, since the bytes were checked when it was made.
    #[must_use]
    pub fn header(&self) -> Option<Header> {
        match self.kind {
            MessageKind::Whisper => Message::parse(&self.bytes).ok().map(|message| header(&message, None)),
            MessageKind::PreKey => {
                let outer = PreKeyMessage::parse(&self.bytes).ok()?;
                let pre_key = PreKeyHeader {
                    version: outer.version,
                    registration_id: outer.registration_id,
                    pre_key_id: outer.pre_key_id,
                    signed_pre_key_id: outer.signed_pre_key_id,
                    kyber_pre_key_id: outer.kyber_pre_key_id,
                    base_key: outer.base_key,
                    identity: IdentityKey::from(outer.identity),
                };
                Some(header(&outer.message, Some(pre_key)))
            }
        }
    }
}

const fn header(message: &Message<'_>, pre_key: Option<PreKeyHeader>) -> Header {
    let Message { whisper, part, addresses: _ } = message;
    Header {
        version: whisper.version,
        ratchet_key: whisper.ratchet_key,
        counter: whisper.counter,
        previous_counter: whisper.previous_counter,
        epoch: part.braid.epoch,
        index: part.index,
        pre_key,
    }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, bytes } = self;
        f.debug_struct("Ciphertext").field("kind", kind).field("length", &bytes.len()).finish()
    }
}
