//! [`Ciphertext`]: an encrypted message, of one of two kinds (docs/spec/session.md, section 4.1).

use alloc::vec::Vec;
use core::fmt;

use crate::handshake::PreKeyHeader;
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
/// `Debug` shows its kind and length, which an eavesdropper learns as well. `Display` is its text for where bytes cannot
/// go: Base64 with the URL-safe alphabet.
///
/// ```
/// use bisik::{Ciphertext, CiphertextError};
///
/// let message = Ciphertext::from_bytes(&[0x22; 200])?; // from the network
/// assert_eq!(Ciphertext::try_from(message.as_ref())?, message);
/// assert_eq!(message.to_string().parse(), Ok(message));
/// assert!("IiI".parse::<Ciphertext>().is_err()); // too short for a message
/// # Ok::<(), CiphertextError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext(Vec<u8>);

impl Ciphertext {
    /// Reads a received message. Copies the bytes; `TryFrom<Vec<u8>>` does not.
    ///
    /// # Errors
    ///
    /// [`CiphertextError`] if the kind is unknown, or the message is too short for its kind.
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

    /// Returns whether this is a pre-key message: it carries the initiator's pre-key header and can set up a session.
    /// Give it to [`Session::accept`](crate::Session::accept), unless a session
    /// [recognizes](crate::Session::recognizes) it.
    #[must_use]
    pub fn is_pre_key_message(&self) -> bool {
        self.0.first() == Some(&FIRST)
    }

    /// Begins a pre-key message, with capacity for `length` more bytes.
    pub(super) fn start_first(header: &[u8], length: usize) -> Vec<u8> {
        let mut output = Vec::with_capacity(length.saturating_add(1 + PreKeyHeader::LENGTH));
        output.push(FIRST);
        output.extend_from_slice(header);
        output
    }

    /// Begins any other message, with capacity for `length` more bytes.
    pub(super) fn start_ordinary(length: usize) -> Vec<u8> {
        let mut output = Vec::with_capacity(length.saturating_add(1));
        output.push(ORDINARY);
        output
    }

    pub(super) const fn finish(output: Vec<u8>) -> Self {
        Self(output)
    }

    /// The pre-key header, if this is a pre-key message.
    pub(super) fn pre_key_header(&self) -> Option<&[u8]> {
        if self.is_pre_key_message() { self.0.get(1..=PreKeyHeader::LENGTH) } else { None }
    }

    /// The part that the ratchet decrypts.
    pub(super) fn ratchet_message(&self) -> &[u8] {
        let start = if self.is_pre_key_message() { 1 + PreKeyHeader::LENGTH } else { 1 };
        self.0.get(start..).unwrap_or_default()
    }
}

/// Reads a received message without copying it.
impl TryFrom<Vec<u8>> for Ciphertext {
    type Error = CiphertextError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, CiphertextError> {
        check(&bytes)?;
        Ok(Self(bytes))
    }
}

impl AsRef<[u8]> for Ciphertext {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::base64_text! {
    Ciphertext: at most usize::MAX, or CiphertextError = CiphertextError;
    from |bytes| Ciphertext::from_bytes(bytes);
    to |message| message.as_bytes();
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

/// Kind byte of a pre-key message.
const FIRST: u8 = 0x21;
/// Kind byte of every other message.
const ORDINARY: u8 = 0x22;
/// Length of an ordinary message with an empty plaintext.
const ORDINARY_OVERHEAD: usize = 1 + DoubleRatchet::OVERHEAD;
/// Length of a pre-key message with an empty plaintext.
const FIRST_OVERHEAD: usize = ORDINARY_OVERHEAD + PreKeyHeader::LENGTH;
