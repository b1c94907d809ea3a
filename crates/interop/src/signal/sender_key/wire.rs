//! The encoding of distributions and messages (docs/interop.md, section 11).
//!
//! Signatures are verified over the bytes that arrived: nothing is encoded again.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::ChainKey;
use super::error::DistributionError;
use super::format::SenderKeyFormat;
use crate::fields::{begin_bytes, bytes_length, put_bytes, put_u32, u32_length};
use crate::signal::key::PublicKey;
use crate::signal::limits::MAX_PLAINTEXT;
use crate::signal::xeddsa::SIGNATURE;
use bisik_core::codec::{Malformed, Records, Value};
use bisik_core::primitives::aes_cbc::padded;
use bisik_core::primitives::secret::Secret;

/// A sender key as members receive it, in a pairwise session: the chain key from some message on, and the public
/// signing key.
///
/// A holder can decrypt all later messages, but cannot forge any. Zeroized on drop; `Debug` shows no secret.
pub struct Distribution {
    pub(super) format: SenderKeyFormat,
    pub(super) id: u32,
    pub(super) iteration: u32,
    pub(super) chain: Box<Secret<32>>,
    pub(super) signing: PublicKey,
}

impl Distribution {
    /// Reads a distribution in either format.
    ///
    /// # Errors
    ///
    /// [`DistributionError`] if the bytes are not a distribution, or its signing key is not a valid key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DistributionError> {
        let read = Fields::parse(bytes).and_then(|fields| {
            let [chain, signing] = [fields.bytes(CONTENT)?, fields.bytes(SIGNING_KEY)?];
            let chain = chain.try_into().map_err(|_| Malformed)?;
            let signing = PublicKey::from_bytes(signing).map_err(|_| Malformed)?;
            let Fields { format, id, iteration, .. } = fields;
            Ok(Self { format, id, iteration, chain: Box::new(Secret::copy_of(chain)), signing })
        });
        read.map_err(|Malformed| DistributionError)
    }

    /// The encoding, to be sent in pairwise sessions. It contains the chain key: the caller zeroizes it. S-11.1.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { format, id, iteration, chain, signing } = self;
        let mut bytes = Vec::with_capacity(DISTRIBUTION);
        let content = put_header(&mut bytes, *format, *id, *iteration);
        put_bytes(&mut bytes, content, chain.expose());
        put_bytes(&mut bytes, content.saturating_add(1), &signing.to_bytes());
        bytes
    }

    /// The format of its encoding.
    #[must_use]
    pub const fn format(&self) -> SenderKeyFormat {
        self.format
    }

    /// The id of the sender key, which its messages carry.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The number of the first message that it decrypts.
    #[must_use]
    pub const fn iteration(&self) -> u32 {
        self.iteration
    }

    pub(super) fn chain(&self) -> ChainKey {
        ChainKey::new(self.chain.duplicate())
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, id, iteration, chain: _, signing } = self;
        f.debug_struct("Distribution")
            .field("format", format)
            .field("id", id)
            .field("iteration", iteration)
            .field("signing", signing)
            .finish_non_exhaustive()
    }
}

/// The unencrypted header of a message. It is not verified: use it only to find the sender's [`GroupReceiver`].
///
/// [`GroupReceiver`]: super::GroupReceiver
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupHeader {
    /// The format of the message.
    pub format: SenderKeyFormat,
    /// The id of the sender key.
    pub id: u32,
    /// The number of the message.
    pub iteration: u32,
}

impl GroupHeader {
    /// Reads the header of a whole message.
    ///
    /// # Errors
    ///
    /// [`DistributionError`] if the bytes are not a message of a group.
    pub fn of(message: &[u8]) -> Result<Self, DistributionError> {
        Message::parse(message).map(|message| message.header).map_err(|Malformed| DistributionError)
    }
}

/// A message: `version ‖ fields ‖ signature`.
pub(super) struct Message<'a> {
    pub(super) header: GroupHeader,
    pub(super) body: &'a [u8],
    /// The version and the fields, as they arrived.
    pub(super) signed: &'a [u8],
    pub(super) signature: &'a [u8; SIGNATURE],
}

impl<'a> Message<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (signed, signature) = bytes.split_last_chunk().ok_or(Malformed)?;
        let fields = Fields::parse(signed)?;
        let body = fields.bytes(CONTENT)?;
        if body.is_empty() || body.len() > padded(MAX_PLAINTEXT) {
            return Err(Malformed);
        }
        let Fields { format, id, iteration, .. } = fields;
        Ok(Self { header: GroupHeader { format, id, iteration }, body, signed, signature })
    }
}

impl GroupHeader {
    /// Bytes of the whole message around a body of `body` bytes.
    pub(super) fn message_length(&self, body: usize) -> usize {
        let name = match self.format {
            SenderKeyFormat::WhatsApp => 0,
            SenderKeyFormat::Signal { distribution } => bytes_length(distribution.len()),
        };
        let lengths = [name, u32_length(self.id), u32_length(self.iteration), bytes_length(body), SIGNATURE];
        lengths.iter().fold(1, |sum, length| sum.saturating_add(*length))
    }

    /// Appends everything before the body.
    pub(super) fn write(&self, output: &mut Vec<u8>, body: usize) {
        let content = put_header(output, self.format, self.id, self.iteration);
        begin_bytes(output, content, body);
    }
}

/// Appends the fields that distributions and messages begin with, and returns the number of the next field. S-11.1.
fn put_header(output: &mut Vec<u8>, format: SenderKeyFormat, id: u32, iteration: u32) -> u8 {
    output.push(VERSION);
    let first = match format {
        SenderKeyFormat::WhatsApp => 1,
        SenderKeyFormat::Signal { distribution } => {
            put_bytes(output, 1, &distribution);
            2
        }
    };
    put_u32(output, first, id);
    put_u32(output, first.saturating_add(1), iteration);
    first.saturating_add(2)
}

/// The fields of a distribution or message.
struct Fields<'a> {
    format: SenderKeyFormat,
    id: u32,
    iteration: u32,
    /// The remaining fields, in order.
    rest: [Option<Value<'a>>; 2],
}

impl<'a> Fields<'a> {
    /// As protobuf requires, the last occurrence of a repeated field counts, and unknown fields are ignored.
    fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let Some((&(VERSION | VERSION_AND_NEWER), fields)) = bytes.split_first() else { return Err(Malformed) };
        let mut values = [None; 5];
        for record in Records::of(fields) {
            let record = record?;
            let at = usize::try_from(record.number).ok().and_then(|number| number.checked_sub(1));
            if let Some(slot) = at.and_then(|at| values.get_mut(at)) {
                *slot = Some(record.value);
            }
        }
        let [first, second, third, fourth, fifth] = values;
        // The first field tells the formats apart: a key id, or a distribution id.
        let (format, id, iteration, rest) = match first {
            Some(Value::Bytes(name)) => {
                let distribution = name.try_into().map_err(|_| Malformed)?;
                (SenderKeyFormat::Signal { distribution }, second, third, [fourth, fifth])
            }
            Some(Value::Varint(_)) => (SenderKeyFormat::WhatsApp, first, second, [third, fourth]),
            Some(Value::Fixed64 | Value::Fixed32) | None => return Err(Malformed),
        };
        Ok(Self { format, id: number(id)?, iteration: number(iteration)?, rest })
    }

    fn bytes(&self, at: usize) -> Result<&'a [u8], Malformed> {
        match self.rest.get(at).copied().flatten() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            Some(Value::Varint(_) | Value::Fixed64 | Value::Fixed32) | None => Err(Malformed),
        }
    }
}

fn number(value: Option<Value<'_>>) -> Result<u32, Malformed> {
    match value {
        Some(Value::Varint(value)) => u32::try_from(value).map_err(|_| Malformed),
        Some(Value::Bytes(_) | Value::Fixed64 | Value::Fixed32) | None => Err(Malformed),
    }
}

/// The version byte that is written: version 3, and 3 as the greatest version that the sender supports.
const VERSION: u8 = 0x33;
/// The version byte of a sender that supports version 4 in sessions; sender keys are the same there.
const VERSION_AND_NEWER: u8 = 0x34;

/// Index in `rest`: the chain key, or the ciphertext.
const CONTENT: usize = 0;
/// Index in `rest`: the public half of the signing pair.
const SIGNING_KEY: usize = 1;

/// Bytes of the longest distribution.
const DISTRIBUTION: usize = 1 + 18 + 6 + 6 + 34 + 35;
