//! The encoding of the two messages of sessions (docs/interop.md, section 4).
//!
//! Tags are computed over the bytes that arrived: nothing is encoded again.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::key::{KeyError, PublicKey};
use super::limits::MAX_PLAINTEXT;
use crate::fields::{begin_bytes, bytes_length, put_bytes, put_u32, u32_length};
use bisik_core::codec::{Malformed, Records, Value};
use bisik_core::primitives::aes_cbc::padded;

/// The largest number of bytes around a message's body, without the tag: far more than the known fields take.
const MAX_AROUND: usize = 1_024;
/// Bytes of a message's tag.
pub(super) const MAC: usize = 8;

/// The version byte that is written: current version 3, and 3 as the greatest version that the sender supports. S-4.1.
pub(super) const VERSION: u8 = 0x33;
/// The version bytes that are read. S-4.2.
const VERSIONS: RangeInclusive<u8> = 0x33..=0x34;

/// A message of a session: `version ‖ fields ‖ tag`.
pub(super) struct Whisper<'a> {
    /// The version and the fields, as they arrived.
    pub(super) authenticated: &'a [u8],
    pub(super) mac: &'a [u8; MAC],
    pub(super) version: u8,
    pub(super) ratchet_key: PublicKey,
    pub(super) counter: u32,
    /// Claimed by the sender, and not used: see S-3.5.
    pub(super) previous_counter: u32,
    pub(super) body: &'a [u8],
}

impl<'a> Whisper<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_as(bytes, VERSIONS)
    }

    /// The same for other versions.
    pub(super) fn parse_as(bytes: &'a [u8], versions: RangeInclusive<u8>) -> Result<Self, Malformed> {
        let (authenticated, mac) = bytes.split_last_chunk().ok_or(Malformed)?;
        let (version, fields) = split(authenticated, versions)?;
        let (mut ratchet_key, mut counter, mut previous_counter, mut body) = (None, None, 0, None);
        for record in Records::of(fields) {
            let record = record?;
            match (record.number, record.value) {
                (RATCHET_KEY, Value::Bytes(value)) => ratchet_key = Some(PublicKey::decode(value)?),
                (COUNTER, Value::Varint(value)) => counter = Some(u32::try_from(value)?),
                (PREVIOUS_COUNTER, Value::Varint(value)) => previous_counter = low_half(value),
                (BODY, Value::Bytes(value)) => body = Some(value),
                (RATCHET_KEY..=BODY, _) => return Err(Malformed),
                _ => {}
            }
        }
        let body = body.filter(|body| !body.is_empty() && body.len() <= padded(MAX_PLAINTEXT)).ok_or(Malformed)?;
        // S-6.6. Unknown fields are authenticated too. Unbounded, they would make the tag arbitrarily expensive.
        if authenticated.len().saturating_sub(body.len()) > MAX_AROUND {
            return Err(Malformed);
        }
        Ok(Self {
            authenticated,
            mac,
            version,
            ratchet_key: ratchet_key.ok_or(Malformed)?,
            counter: counter.ok_or(Malformed)?,
            previous_counter,
            body,
        })
    }
}

/// A pre-key message: `version ‖ fields`, with a whole [`Whisper`] in one field. No tag covers the other fields; if
/// they do not match the inner message, that message does not verify.
pub(super) struct PreKeyWhisper<'a> {
    pub(super) version: u8,
    pub(super) registration_id: u32,
    pub(super) pre_key_id: Option<u32>,
    pub(super) signed_pre_key_id: u32,
    pub(super) base_key: PublicKey,
    pub(super) identity: PublicKey,
    pub(super) message: Whisper<'a>,
}

impl<'a> PreKeyWhisper<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (version, fields) = split_version(bytes)?;
        let (mut registration_id, mut pre_key_id, mut signed_pre_key_id) = (0, None, None);
        let (mut base_key, mut identity, mut message) = (None, None, None);
        for record in Records::of(fields) {
            let record = record?;
            match (record.number, record.value) {
                (PRE_KEY_ID, Value::Varint(value)) => pre_key_id = Some(u32::try_from(value)?),
                (BASE_KEY, Value::Bytes(value)) => base_key = Some(PublicKey::decode(value)?),
                (IDENTITY_KEY, Value::Bytes(value)) => identity = Some(PublicKey::decode(value)?),
                (MESSAGE, Value::Bytes(value)) => message = Some(value),
                (REGISTRATION_ID, Value::Varint(value)) => registration_id = u32::try_from(value)?,
                (SIGNED_PRE_KEY_ID, Value::Varint(value)) => signed_pre_key_id = Some(u32::try_from(value)?),
                (PRE_KEY_ID..=SIGNED_PRE_KEY_ID, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(Self {
            version,
            registration_id,
            pre_key_id,
            signed_pre_key_id: signed_pre_key_id.ok_or(Malformed)?,
            base_key: base_key.ok_or(Malformed)?,
            identity: identity.ok_or(Malformed)?,
            message: Whisper::parse(message.ok_or(Malformed)?)?,
        })
    }
}

/// The fields before the encrypted body of a message.
pub(super) struct WhisperHeader {
    pub(super) ratchet_key: PublicKey,
    pub(super) counter: u32,
    pub(super) previous_counter: u32,
}

impl WhisperHeader {
    /// Bytes of the whole message around a body of `body` bytes.
    pub(super) fn message_length(&self, body: usize) -> usize {
        [
            bytes_length(PublicKey::LENGTH),
            u32_length(self.counter),
            u32_length(self.previous_counter),
            bytes_length(body),
            MAC,
        ]
        .iter()
        .fold(1, |sum, length| sum.saturating_add(*length))
    }

    /// Appends everything before the body.
    pub(super) fn write(&self, output: &mut Vec<u8>, version: u8, body: usize) {
        let Self { ratchet_key, counter, previous_counter } = self;
        output.push(version);
        put_bytes(output, small(RATCHET_KEY), &ratchet_key.to_bytes());
        put_u32(output, small(COUNTER), *counter);
        put_u32(output, small(PREVIOUS_COUNTER), *previous_counter);
        begin_bytes(output, small(BODY), body);
    }
}

/// The fields of a pre-key message beside the inner message.
pub(super) struct PreKeyHeader {
    pub(super) registration_id: u32,
    pub(super) pre_key_id: Option<u32>,
    pub(super) signed_pre_key_id: u32,
    pub(super) base_key: PublicKey,
    pub(super) identity: PublicKey,
}

impl PreKeyHeader {
    /// The largest number of bytes before and after the inner message, together.
    pub(super) const MOST: usize = 128;

    /// Appends everything before the inner message, which has `message` bytes.
    pub(super) fn write_before(&self, output: &mut Vec<u8>, message: usize) {
        let Self { registration_id: _, pre_key_id, signed_pre_key_id: _, base_key, identity } = self;
        output.push(VERSION);
        if let Some(id) = pre_key_id {
            put_u32(output, small(PRE_KEY_ID), *id);
        }
        put_bytes(output, small(BASE_KEY), &base_key.to_bytes());
        put_bytes(output, small(IDENTITY_KEY), &identity.to_bytes());
        begin_bytes(output, small(MESSAGE), message);
    }

    /// Appends everything after the inner message.
    pub(super) fn write_after(&self, output: &mut Vec<u8>) {
        put_u32(output, small(REGISTRATION_ID), self.registration_id);
        put_u32(output, small(SIGNED_PRE_KEY_ID), self.signed_pre_key_id);
    }
}

/// The high half of the first byte is the version; the low half is the greatest version that the sender supports.
/// S-4.2.
pub(super) fn split_version(bytes: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    split(bytes, VERSIONS)
}

/// The same for other versions.
pub(super) fn split(bytes: &[u8], versions: RangeInclusive<u8>) -> Result<(u8, &[u8]), Malformed> {
    match bytes.split_first() {
        Some((version, rest)) if versions.contains(version) => Ok((*version, rest)),
        Some(_) | None => Err(Malformed),
    }
}

/// A number that some senders compute as negative and write in 32 or 64 bits.
pub(super) fn low_half(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// A field number as the writer takes it.
pub(super) const fn small(number: u32) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
}

impl From<KeyError> for Malformed {
    fn from(_: KeyError) -> Self {
        Self
    }
}

// Field numbers of a session's message.
const RATCHET_KEY: u32 = 1;
const COUNTER: u32 = 2;
const PREVIOUS_COUNTER: u32 = 3;
const BODY: u32 = 4;

// Field numbers of a pre-key message.
const PRE_KEY_ID: u32 = 1;
const BASE_KEY: u32 = 2;
const IDENTITY_KEY: u32 = 3;
const MESSAGE: u32 = 4;
const REGISTRATION_ID: u32 = 5;
const SIGNED_PRE_KEY_ID: u32 = 6;
