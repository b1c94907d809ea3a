//! [`Ciphertext`]: one message and its kind, which transports of this wire carry outside of the bytes.
//!
//! Does not know keys' secrets.

use alloc::vec::Vec;
use core::fmt;

use super::key::{IdentityKey, PublicKey};
use super::wire::{PreKeyWhisper, Whisper};

/// The two kinds of message. Their bytes do not say which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A message of a session that both sides have: `msg` in stanzas, type 2 of libsignal's API.
    Whisper,
    /// A message that can open a session: `pkmsg` in stanzas, type 3.
    PreKey,
}

/// The bytes are not a message of this wire and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CiphertextError;

bisik_core::error_texts! {
    CiphertextError => "interop.signal.ciphertext.malformed", "the bytes are not a message of this protocol and kind"
}

/// One encrypted message. `Debug` shows its kind and length; an eavesdropper learns as much, and its header too.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext {
    kind: Kind,
    bytes: Vec<u8>,
}

/// What a message says in the clear. All of it is the sender's word until the message has been decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version byte: 0x33, or 0x34 from clients that speak a later one too.
    pub version: u8,
    /// The sender's ratchet key.
    pub ratchet_key: PublicKey,
    /// The message's number in its chain, from 0.
    pub counter: u32,
    /// The number of the last message in the sender's previous chain, or 0; some senders write 0xFFFFFFFF for an empty one.
    pub previous_counter: u32,
    /// What a message that can open a session says beside that.
    pub opening: Option<OpeningHeader>,
}

/// The part of a [`Header`] that only messages of [`Kind::PreKey`] have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningHeader {
    /// The version byte outside; the message inside has its own.
    pub version: u8,
    /// The sender's registration id.
    pub registration_id: u32,
    /// The receiver's one-time pre-key, where one was used.
    pub pre_key_id: Option<u32>,
    /// The receiver's signed pre-key.
    pub signed_pre_key_id: u32,
    /// The sender's ephemeral key, which names the session on both sides.
    pub base_key: PublicKey,
    /// Who the sender says it is.
    pub identity: IdentityKey,
}

impl Ciphertext {
    /// Reads a message that arrived. Copies it once.
    ///
    /// # Errors
    ///
    /// [`CiphertextError`] where it is not well-formed, its version is not 3, or a key in it is not canonical or of small
    /// order.
    pub fn from_parts(kind: Kind, bytes: &[u8]) -> Result<Self, CiphertextError> {
        let parsed = match kind {
            Kind::Whisper => Whisper::parse(bytes).map(drop),
            Kind::PreKey => PreKeyWhisper::parse(bytes).map(drop),
        };
        parsed.map_err(|_| CiphertextError)?;
        Ok(Self { kind, bytes: bytes.to_vec() })
    }

    /// A message that was just made.
    pub(super) const fn made(kind: Kind, bytes: Vec<u8>) -> Self {
        Self { kind, bytes }
    }

    /// Its kind, which the transport carries outside.
    #[must_use]
    pub const fn kind(&self) -> Kind {
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

    /// What it says in the clear; nothing only where the bytes could not have been read in the first place.
    #[must_use]
    pub fn header(&self) -> Option<Header> {
        match self.kind {
            Kind::Whisper => Whisper::parse(&self.bytes).ok().map(|message| header(&message, None)),
            Kind::PreKey => {
                let PreKeyWhisper {
                    version,
                    registration_id,
                    pre_key_id,
                    signed_pre_key_id,
                    base_key,
                    identity,
                    message,
                } = PreKeyWhisper::parse(&self.bytes).ok()?;
                let identity = IdentityKey::from(identity);
                let opening =
                    OpeningHeader { version, registration_id, pre_key_id, signed_pre_key_id, base_key, identity };
                Some(header(&message, Some(opening)))
            }
        }
    }
}

const fn header(message: &Whisper<'_>, opening: Option<OpeningHeader>) -> Header {
    let Whisper { authenticated: _, mac: _, version, ratchet_key, counter, previous_counter, body: _ } = *message;
    Header { version, ratchet_key, counter, previous_counter, opening }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, bytes } = self;
        f.debug_struct("Ciphertext").field("kind", kind).field("length", &bytes.len()).finish()
    }
}
