//! [`GroupMessage`]: an encrypted message of a group (docs/spec/chains.md, section 14.2).

use alloc::vec::Vec;
use core::fmt;

use super::error::GroupMessageError;
use super::limits::{MAX_BODY, MAX_MESSAGES};
use super::names::ChainId;
use super::view::View;
use crate::ratchet::SALT;
use bisik_core::codec::{Malformed, Reader};
use bisik_core::primitives::aead::TAG;
use bisik_core::primitives::ed25519::SIGNATURE;

/// One encrypted message, for all devices that were given its chain.
///
/// `Debug` shows chain, number and length, which an eavesdropper learns as well. `Display` is its text for where bytes
/// cannot go: Base64 with the URL-safe alphabet.
///
/// ```
/// use bisik::group::{GroupMessage, GroupMessageError};
///
/// let mut bytes = vec![1; 200]; // from the network
/// bytes[9..13].copy_from_slice(&[0, 0, 3, 231]);
/// let message = GroupMessage::from_bytes(&bytes)?;
/// assert_eq!(GroupMessage::try_from(message.as_ref())?, message);
/// assert_eq!((message.index(), message.as_bytes().len()), (999, 200));
/// assert_eq!(message.to_string().parse(), Ok(message));
/// assert_eq!(GroupMessage::from_bytes(&[2; 200]), Err(GroupMessageError::UnsupportedVersion(2)));
/// # Ok::<(), GroupMessageError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct GroupMessage(Vec<u8>);

/// A message in its parts.
pub(super) struct Parts<'a> {
    pub(super) chain: ChainId,
    pub(super) index: u32,
    pub(super) salt: &'a [u8; SALT],
    /// Of view and body.
    pub(super) ciphertext: &'a [u8],
    pub(super) tag: &'a [u8; TAG],
    pub(super) signature: &'a [u8; SIGNATURE],
}

impl GroupMessage {
    /// How many bytes longer a message is than its body: 117.
    pub const OVERHEAD: usize = 1 + ChainId::LENGTH + 4 + SALT + View::LENGTH + TAG + SIGNATURE;

    /// Reads a received message. Copies the bytes; `TryFrom<Vec<u8>>` does not.
    ///
    /// # Errors
    ///
    /// [`GroupMessageError`] if it is shorter than 117 bytes or its body longer than 64 MiB, if its number is 1,000 or
    /// above, or if its version is another.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GroupMessageError> {
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

    /// Returns the name of the chain that it says to belong to.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        // Every value has passed the check that reads these parts.
        parts(&self.0).map_or(ChainId::from_bytes([0; ChainId::LENGTH]), |parts| parts.chain)
    }

    /// Returns the number in the chain that it says to have, from 0 to 999.
    #[must_use]
    pub fn index(&self) -> u32 {
        parts(&self.0).map_or(0, |parts| parts.index)
    }

    /// Begins a message, with capacity for a body of `length` bytes.
    pub(super) fn start(chain: ChainId, index: u32, salt: &[u8; SALT], length: usize) -> Vec<u8> {
        let mut output = Vec::with_capacity(length.saturating_add(Self::OVERHEAD));
        output.push(VERSION);
        output.extend_from_slice(chain.as_bytes());
        output.extend_from_slice(&index.to_be_bytes());
        output.extend_from_slice(salt);
        output
    }

    pub(super) const fn finish(output: Vec<u8>) -> Self {
        Self(output)
    }

    pub(super) fn parts(&self) -> Result<Parts<'_>, Malformed> {
        parts(&self.0)
    }
}

/// Reads a received message without copying it.
impl TryFrom<Vec<u8>> for GroupMessage {
    type Error = GroupMessageError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, GroupMessageError> {
        check(&bytes)?;
        Ok(Self(bytes))
    }
}

impl AsRef<[u8]> for GroupMessage {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::base64_text! {
    GroupMessage: at most usize::MAX, or GroupMessageError = GroupMessageError::Malformed;
    from |bytes| GroupMessage::from_bytes(bytes);
    to |message| message.as_bytes();
}

fn check(bytes: &[u8]) -> Result<(), GroupMessageError> {
    match bytes.first() {
        Some(&VERSION) => {}
        Some(version) => return Err(GroupMessageError::UnsupportedVersion(*version)),
        None => return Err(GroupMessageError::Malformed),
    }
    // P-14.6: no chain is longer.
    let fits = parts(bytes).is_ok_and(|parts| parts.index < MAX_MESSAGES && parts.ciphertext.len() <= LONGEST);
    if fits { Ok(()) } else { Err(GroupMessageError::Malformed) }
}

fn parts(bytes: &[u8]) -> Result<Parts<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    reader.expect(&[VERSION])?;
    let (chain, index, salt) = (ChainId::from_bytes(*reader.array()?), reader.u32()?, reader.array()?);
    let (rest, signature) = reader.rest().split_last_chunk().ok_or(Malformed)?;
    let (ciphertext, tag) = rest.split_last_chunk().ok_or(Malformed)?;
    if ciphertext.len() < View::LENGTH {
        return Err(Malformed);
    }
    Ok(Parts { chain, index, salt, ciphertext, tag, signature })
}

impl fmt::Debug for GroupMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupMessage")
            .field("chain", &self.chain())
            .field("index", &self.index())
            .field("length", &self.0.len())
            .finish()
    }
}

/// The first byte of every message.
const VERSION: u8 = 0x01;
/// Length of the longest ciphertext.
const LONGEST: usize = MAX_BODY + View::LENGTH;
