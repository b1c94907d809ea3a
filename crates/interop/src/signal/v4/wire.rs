//! The encoding of the two messages (docs/interop.md, section 13).

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::addresses;
use super::kyber;
use super::part::PqPart;
use crate::fields::{begin_bytes, bytes_length, put_bytes, put_u32};
use crate::signal::key::PublicKey;
use crate::signal::wire::{Whisper, small, split};
use bisik_core::codec::{Malformed, Records, Value};
use bisik_core::primitives::kyber1024::CIPHERTEXT;

/// The version byte that is written: version 4, and 4 as the greatest version that the sender supports.
pub(super) const VERSION: u8 = 0x44;
/// The version bytes that are read: the high half is the version, the low half the greatest that the sender supports.
/// S-13.6.
const VERSIONS: RangeInclusive<u8> = 0x40..=0x4f;

/// A message of a session: `version ‖ fields ‖ tag`.
pub(super) struct Message<'a> {
    pub(super) whisper: Whisper<'a>,
    pub(super) part: PqPart,
    pub(super) addresses: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let whisper = Whisper::parse_as(bytes, VERSIONS)?;
        let (_, fields) = split(whisper.authenticated, VERSIONS)?;
        let (mut part, mut addresses) = (None, None);
        for record in Records::of(fields) {
            let record = record?;
            match (record.number, record.value) {
                (PQ_RATCHET, Value::Bytes(value)) => part = Some(value),
                (ADDRESSES, Value::Bytes(value)) => addresses = Some(value),
                (PQ_RATCHET | ADDRESSES, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(Self { whisper, part: PqPart::parse(part.ok_or(Malformed)?)?, addresses })
    }
}

/// The fields after the body of a message.
pub(super) fn after_body(part: &PqPart, addresses: Option<[u8; addresses::LENGTH]>) -> Vec<u8> {
    let part = part.encode();
    let mut output = Vec::with_capacity(bytes_length(part.len()).saturating_add(bytes_length(addresses::LENGTH)));
    put_bytes(&mut output, small(PQ_RATCHET), &part);
    if let Some(addresses) = addresses {
        put_bytes(&mut output, small(ADDRESSES), &addresses);
    }
    output
}

/// A pre-key message: `version ‖ fields`, with a whole [`Message`] in one field. No tag covers the other fields; if they
/// do not match the inner message, that message does not verify.
pub(super) struct PreKeyMessage<'a> {
    pub(super) version: u8,
    pub(super) registration_id: u32,
    pub(super) pre_key_id: Option<u32>,
    pub(super) signed_pre_key_id: u32,
    pub(super) kyber_pre_key_id: u32,
    pub(super) kyber_ciphertext: &'a [u8; CIPHERTEXT],
    pub(super) base_key: PublicKey,
    pub(super) identity: PublicKey,
    pub(super) message: Message<'a>,
}

impl<'a> PreKeyMessage<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (version, fields) = split(bytes, VERSIONS)?;
        let (mut registration_id, mut pre_key_id, mut signed_pre_key_id) = (0, None, None);
        let (mut base_key, mut identity, mut message) = (None, None, None);
        let (mut kyber_pre_key_id, mut kyber_ciphertext) = (None, None);
        for record in Records::of(fields) {
            let record = record?;
            match (record.number, record.value) {
                (PRE_KEY_ID, Value::Varint(value)) => pre_key_id = Some(u32::try_from(value)?),
                (BASE_KEY, Value::Bytes(value)) => base_key = Some(PublicKey::decode(value)?),
                (IDENTITY_KEY, Value::Bytes(value)) => identity = Some(PublicKey::decode(value)?),
                (MESSAGE, Value::Bytes(value)) => message = Some(value),
                (REGISTRATION_ID, Value::Varint(value)) => registration_id = u32::try_from(value)?,
                (SIGNED_PRE_KEY_ID, Value::Varint(value)) => signed_pre_key_id = Some(u32::try_from(value)?),
                (KYBER_PRE_KEY_ID, Value::Varint(value)) => kyber_pre_key_id = Some(u32::try_from(value)?),
                (KYBER_CIPHERTEXT, Value::Bytes(value)) => kyber_ciphertext = Some(kyber::raw(value).ok_or(Malformed)?),
                (PRE_KEY_ID..=KYBER_CIPHERTEXT, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(Self {
            version,
            registration_id,
            pre_key_id,
            signed_pre_key_id: signed_pre_key_id.ok_or(Malformed)?,
            kyber_pre_key_id: kyber_pre_key_id.ok_or(Malformed)?,
            kyber_ciphertext: kyber_ciphertext.ok_or(Malformed)?,
            base_key: base_key.ok_or(Malformed)?,
            identity: identity.ok_or(Malformed)?,
            message: Message::parse(message.ok_or(Malformed)?)?,
        })
    }
}

/// What a pre-key message has beside the inner message.
pub(super) struct Around<'a> {
    pub(super) registration_id: u32,
    pub(super) pre_key_id: Option<u32>,
    pub(super) signed_pre_key_id: u32,
    pub(super) kyber_pre_key_id: u32,
    pub(super) kyber_ciphertext: &'a [u8; CIPHERTEXT],
    pub(super) base_key: PublicKey,
    pub(super) identity: PublicKey,
}

impl Around<'_> {
    /// The largest number of bytes before and after the inner message, together.
    pub(super) const MOST: usize = 1_728;

    /// Appends everything before the inner message, which has `message` bytes.
    pub(super) fn write_before(&self, output: &mut Vec<u8>, message: usize) {
        output.push(VERSION);
        if let Some(id) = self.pre_key_id {
            put_u32(output, small(PRE_KEY_ID), id);
        }
        put_bytes(output, small(BASE_KEY), &self.base_key.to_bytes());
        put_bytes(output, small(IDENTITY_KEY), &self.identity.to_bytes());
        begin_bytes(output, small(MESSAGE), message);
    }

    /// Appends everything after the inner message.
    pub(super) fn write_after(&self, output: &mut Vec<u8>) {
        put_u32(output, small(REGISTRATION_ID), self.registration_id);
        put_u32(output, small(SIGNED_PRE_KEY_ID), self.signed_pre_key_id);
        put_u32(output, small(KYBER_PRE_KEY_ID), self.kyber_pre_key_id);
        put_bytes(output, small(KYBER_CIPHERTEXT), &kyber::typed(self.kyber_ciphertext));
    }
}

// Field numbers of a session's message, beside those of version 3.
const PQ_RATCHET: u32 = 5;
const ADDRESSES: u32 = 6;

// Field numbers of a pre-key message.
const PRE_KEY_ID: u32 = 1;
const BASE_KEY: u32 = 2;
const IDENTITY_KEY: u32 = 3;
const MESSAGE: u32 = 4;
const REGISTRATION_ID: u32 = 5;
const SIGNED_PRE_KEY_ID: u32 = 6;
const KYBER_PRE_KEY_ID: u32 = 7;
const KYBER_CIPHERTEXT: u32 = 8;
