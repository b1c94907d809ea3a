//! [`Ciphertext`]: the bytes that travel (docs/spec/session.md, section 4.1).
//!
//! Does not know keys. Tells the two kinds of message apart, and says nothing else about them.

use alloc::vec::Vec;
use core::fmt;

use crate::handshake::FirstFlight;
use crate::ratchet::DoubleRatchet;

/// The bytes are not a message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CiphertextError;

bisik_core::error_texts! {
    CiphertextError => "session.ciphertext.malformed", "the bytes are not a message of this protocol"
}

/// One encrypted message.
///
/// `Debug` shows its kind and length. An eavesdropper learns as much.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext(Vec<u8>);

impl Ciphertext {
    /// Reads a message that arrived. Copies it once.
    ///
    /// # Errors
    ///
    /// [`CiphertextError`] where the kind is unknown or the length too short for the kind.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CiphertextError> {
        check(bytes)?;
        Ok(Self(bytes.to_vec()))
    }

    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to send, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether it carries a first flight, and so can open a session. Give it to
    /// [`Session::accept`](crate::Session::accept), unless a session [recognizes](crate::Session::recognizes) it.
    #[must_use]
    pub fn is_pre_key_message(&self) -> bool {
        self.0.first() == Some(&FIRST)
    }

    /// Begins a message that carries the first flight, with room for `length` more bytes.
    pub(super) fn start_first(flight: &[u8], length: usize) -> Vec<u8> {
        let mut output = Vec::with_capacity(length.saturating_add(1 + FirstFlight::LENGTH));
        output.push(FIRST);
        output.extend_from_slice(flight);
        output
    }

    /// Begins any other message.
    pub(super) fn start_ordinary(length: usize) -> Vec<u8> {
        let mut output = Vec::with_capacity(length.saturating_add(1));
        output.push(ORDINARY);
        output
    }

    pub(super) const fn finish(output: Vec<u8>) -> Self {
        Self(output)
    }

    /// The first flight, where there is one.
    pub(super) fn first_flight(&self) -> Option<&[u8]> {
        if self.is_pre_key_message() { self.0.get(1..=FirstFlight::LENGTH) } else { None }
    }

    /// What the ratchet reads.
    pub(super) fn ratchet_message(&self) -> &[u8] {
        let start = if self.is_pre_key_message() { 1 + FirstFlight::LENGTH } else { 1 };
        self.0.get(start..).unwrap_or_default()
    }
}

/// Reads a message that arrived, without a copy.
impl TryFrom<Vec<u8>> for Ciphertext {
    type Error = CiphertextError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, CiphertextError> {
        check(&bytes)?;
        Ok(Self(bytes))
    }
}

fn check(bytes: &[u8]) -> Result<(), CiphertextError> {
    let least = match bytes.first() {
        Some(&ORDINARY) => ORDINARY_OVERHEAD,
        Some(&FIRST) => FIRST_OVERHEAD,
        Some(_) | None => return Err(CiphertextError),
    };
    if bytes.len() < least { Err(CiphertextError) } else { Ok(()) }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ciphertext")
            .field("pre_key_message", &self.is_pre_key_message())
            .field("length", &self.0.len())
            .finish()
    }
}

/// Kind byte of a message that carries a first flight.
const FIRST: u8 = 0x21;
/// Kind byte of every other message.
const ORDINARY: u8 = 0x22;
/// Bytes of an empty ordinary message.
const ORDINARY_OVERHEAD: usize = 1 + DoubleRatchet::OVERHEAD;
/// Bytes of an empty first message.
const FIRST_OVERHEAD: usize = ORDINARY_OVERHEAD + FirstFlight::LENGTH;
