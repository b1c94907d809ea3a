//! [`Commitment`] and [`Opening`]: the signals of a spoken comparison.

use alloc::vec::Vec;
use core::fmt;

use super::error::SignalError;
use super::id::{COMMITMENT, CallId, OPENING};
use bisik_core::codec::{Reader, Writer};

/// A device's commitment to its bytes in one round of a [`Comparison`](super::Comparison).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    pub(super) call: CallId,
    pub(super) round: u16,
    pub(super) hash: [u8; 32],
}

impl Commitment {
    /// Length in bytes: 51.
    pub const LENGTH: usize = 1 + 16 + 2 + 32;

    /// Decodes a commitment from the plaintext of a session's message.
    ///
    /// # Errors
    ///
    /// [`SignalError::Malformed`] if the bytes are not the encoding of a commitment.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let (call, round, hash) = decode(bytes, COMMITMENT)?;
        Ok(Self { call, round, hash })
    }

    /// Encodes the commitment, to [encrypt](crate::Session::encrypt) for each other device.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(COMMITMENT, self.call, self.round, &self.hash)
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }
}

/// The opening of a device's commitment: the bytes to which it had committed itself.
#[derive(Clone)]
pub struct Opening {
    pub(super) call: CallId,
    pub(super) round: u16,
    pub(super) bytes: [u8; 16],
}

impl Opening {
    /// Length in bytes: 35.
    pub const LENGTH: usize = 1 + 16 + 2 + 16;

    /// Decodes an opening from the plaintext of a session's message.
    ///
    /// # Errors
    ///
    /// [`SignalError::Malformed`] if the bytes are not the encoding of an opening.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let (call, round, bytes) = decode(bytes, OPENING)?;
        Ok(Self { call, round, bytes })
    }

    /// Encodes the opening, to [encrypt](crate::Session::encrypt) for each other device.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(OPENING, self.call, self.round, &self.bytes)
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, round, bytes: _ } = self;
        f.debug_struct("Opening").field("call", call).field("round", round).finish_non_exhaustive()
    }
}

fn decode<const N: usize>(bytes: &[u8], kind: u8) -> Result<(CallId, u16, [u8; N]), SignalError> {
    let mut reader = Reader::new(bytes);
    reader.expect(&[kind])?;
    let call = CallId::from_bytes(*reader.array()?);
    let round = u16::from_be_bytes(*reader.array()?);
    let value = *reader.array()?;
    reader.finish()?;
    Ok((call, round, value))
}

fn encode(kind: u8, call: CallId, round: u16, value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(Commitment::LENGTH);
    writer.u8(kind).bytes(call.as_bytes()).bytes(&round.to_be_bytes()).bytes(value);
    writer.finish()
}
