//! The messages of linking (hello, answer, reveal), the channel that authenticates them, and the transcript.
//!
//! The states in `companion.rs` and `primary.rs` decide which message is expected next.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;

use crate::device::{AccountKey, DeviceEntry, DeviceTerms, LinkError};
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::codec::{Reader, Writer};
use bisik_core::primitives::kdf::{HmacSha256, digest};
use bisik_core::primitives::secret::Secret;

/// The channel between companion and primary besides the network: a secret that a camera read, or only the user's eyes.
pub(super) enum Channel {
    QrCode(Box<Secret<32>>),
    TypedCode,
}

impl Channel {
    const fn method(&self) -> u8 {
        match self {
            Self::QrCode(_) => METHOD_QR,
            Self::TypedCode => METHOD_CODE,
        }
    }

    /// Returns the link secret, or zeros if there is none.
    pub(super) fn salt(&self) -> &[u8] {
        match self {
            Self::QrCode(secret) => secret.expose(),
            Self::TypedCode => &[0; 32],
        }
    }

    /// Returns `message`, followed by a tag over it if there is a link secret.
    fn authenticate(&self, label: &[u8], context: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::QrCode(secret) => {
                let tag = HmacSha256::new(secret).hash(&[label, context, message]);
                [message, tag.expose()].concat()
            }
            Self::TypedCode => message.to_vec(),
        }
    }

    /// Checks that the tag is present if it must be, and correct. Requirement P-10.13.
    fn verify(&self, label: &[u8], context: &[u8], message: &[u8], tag: Option<&[u8; TAG]>) -> Result<(), LinkError> {
        let fits = match (self, tag) {
            (Self::QrCode(secret), Some(tag)) => {
                HmacSha256::new(secret).hash(&[label, context, message]).expose().ct_eq(tag).into()
            }
            (Self::TypedCode, None) => true,
            (Self::QrCode(_), None) | (Self::TypedCode, Some(_)) => false,
        };
        if fits { Ok(()) } else { Err(LinkError::Rejected) }
    }

    /// Splits a message of this kind into its `N` bytes and its tag.
    fn split<'a, const N: usize>(&self, kind: u8, bytes: &'a [u8]) -> Result<Split<'a, N>, LinkError> {
        check_kind(kind, bytes)?;
        let mut reader = Reader::new(bytes);
        let message = reader.array()?;
        let tag = match self {
            Self::QrCode(_) => Some(reader.array()?),
            Self::TypedCode => None,
        };
        reader.finish()?;
        Ok((message, tag))
    }
}

/// A message and its tag.
type Split<'a, const N: usize> = (&'a [u8; N], Option<&'a [u8; TAG]>);

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QrCode(_) => "QrCode(..)",
            Self::TypedCode => "TypedCode",
        })
    }
}

/// Distinguishes a message at the wrong step from bytes that are no message. Requirement P-10.16.
fn check_kind(kind: u8, bytes: &[u8]) -> Result<(), LinkError> {
    match bytes.first() {
        Some(found) if *found == kind => Ok(()),
        Some(&(HELLO | ANSWER | REVEAL)) => Err(LinkError::WrongStep),
        Some(_) | None => Err(LinkError::Malformed),
    }
}

/// The companion's first message: its identity and its commitment.
#[derive(Clone)]
pub(super) struct Hello {
    bytes: Box<[u8; Self::LENGTH]>,
    companion: IdentityKey,
}

impl Hello {
    pub(super) const LENGTH: usize = 1 + 1 + IdentityKey::LENGTH + 32;

    pub(super) fn new(channel: &Channel, companion: &IdentityKey, nonce: &Secret<32>) -> Self {
        let mut bytes = Box::new([0; Self::LENGTH]);
        let head = [HELLO, channel.method()];
        let (key, commitment) = (companion.to_bytes(), commitment(channel, companion, nonce));
        for (to, from) in bytes.iter_mut().zip(head.iter().chain(&key).chain(&commitment)) {
            *to = *from;
        }
        Self { bytes, companion: *companion }
    }

    pub(super) fn read(channel: &Channel, bytes: &[u8]) -> Result<Self, LinkError> {
        check_kind(HELLO, bytes)?;
        let mut reader = Reader::new(bytes);
        let bytes = Box::new(*reader.array()?);
        reader.finish()?;
        let mut reader = Reader::new(bytes.as_slice());
        reader.expect(&[HELLO, channel.method()])?;
        let companion = IdentityKey::from_bytes(reader.array()?).map_err(|_| LinkError::Malformed)?;
        Ok(Self { bytes, companion })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    pub(super) const fn companion(&self) -> &IdentityKey {
        &self.companion
    }

    /// Returns whether `nonce` opens the companion's commitment. Requirement P-10.12.
    fn opens(&self, channel: &Channel, nonce: &Secret<32>) -> bool {
        self.bytes.ends_with(&commitment(channel, &self.companion, nonce))
    }
}

/// Commits the companion to its nonce before it sees the primary's. Requirement P-10.12.
fn commitment(channel: &Channel, companion: &IdentityKey, nonce: &Secret<32>) -> [u8; 32] {
    let (method, companion) = ([channel.method()], companion.to_bytes());
    digest(&[labels::LINK_COMMITMENT, &method, &companion, nonce.expose(), channel.salt()])
}

/// The primary's message: the account, and the companion's index and terms in it.
pub(super) struct Answer {
    pub(super) account: AccountKey,
    pub(super) index: u32,
    pub(super) terms: DeviceTerms,
    bytes: Vec<u8>,
}

impl Answer {
    const LENGTH: usize = 1 + 32 + AccountKey::LENGTH + 4 + DeviceTerms::LENGTH + 32;

    pub(super) fn new(hello: &Hello, account: AccountKey, index: u32, terms: DeviceTerms, nonce: &[u8; 32]) -> Self {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u8(ANSWER).bytes(&digest(&[hello.as_bytes()])).bytes(&account.to_bytes()).u32(index);
        terms.write(&mut writer);
        writer.bytes(nonce);
        Self { account, index, terms, bytes: writer.finish() }
    }

    pub(super) fn to_message(&self, channel: &Channel) -> Vec<u8> {
        channel.authenticate(labels::LINK_ANSWER, &[], &self.bytes)
    }

    pub(super) fn read(channel: &Channel, hello: &Hello, message: &[u8]) -> Result<Self, LinkError> {
        let (bytes, tag) = channel.split::<{ Self::LENGTH }>(ANSWER, message)?;
        let mut reader = Reader::new(bytes);
        reader.expect(&[ANSWER])?;
        if *reader.array()? != digest(&[hello.as_bytes()]) {
            return Err(LinkError::OtherLink);
        }
        channel.verify(labels::LINK_ANSWER, &[], bytes, tag)?;
        let account = AccountKey::from_bytes(reader.array()?).map_err(|_| LinkError::Malformed)?;
        let index = reader.u32()?;
        let terms = DeviceTerms::read(&mut reader)?;
        if index == DeviceEntry::PRIMARY {
            return Err(LinkError::Malformed);
        }
        Ok(Self { account, index, terms, bytes: bytes.to_vec() })
    }
}

/// The values that both sides have fixed. Neither side could choose any of them after seeing the other's nonce.
pub(super) struct Transcript([u8; 32]);

impl Transcript {
    /// Hashes the messages. The companion's signature is not included: a signer can make many signatures of one text
    /// and choose among them. Requirement P-10.14.
    pub(super) fn new(hello: &Hello, answer: &Answer, nonce: &Secret<32>) -> Self {
        Self(digest(&[labels::LINK_TRANSCRIPT, hello.as_bytes(), &answer.bytes, nonce.expose()]))
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The companion's second message: the nonce it committed to, and its signature for the account.
pub(super) struct Reveal {
    pub(super) possession: [u8; 64],
    pub(super) transcript: Transcript,
}

impl Reveal {
    const LENGTH: usize = 1 + 32 + 64;

    pub(super) fn message(
        channel: &Channel,
        transcript: &Transcript,
        nonce: &Secret<32>,
        possession: &[u8; 64],
    ) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u8(REVEAL).bytes(nonce.expose()).bytes(possession);
        channel.authenticate(labels::LINK_REVEAL, transcript.as_bytes(), &writer.finish())
    }

    pub(super) fn read(channel: &Channel, hello: &Hello, answer: &Answer, message: &[u8]) -> Result<Self, LinkError> {
        let (bytes, tag) = channel.split::<{ Self::LENGTH }>(REVEAL, message)?;
        let mut reader = Reader::new(bytes);
        reader.expect(&[REVEAL])?;
        let nonce = Secret::copy_of(reader.array()?);
        let possession = *reader.array()?;
        let transcript = Transcript::new(hello, answer, &nonce);
        channel.verify(labels::LINK_REVEAL, transcript.as_bytes(), bytes, tag)?;
        if hello.opens(channel, &nonce) { Ok(Self { possession, transcript }) } else { Err(LinkError::Rejected) }
    }
}

/// First byte of a hello.
const HELLO: u8 = 0x51;
/// First byte of an answer.
const ANSWER: u8 = 0x52;
/// First byte of a reveal.
const REVEAL: u8 = 0x53;

/// Second byte of a hello with a QR code.
const METHOD_QR: u8 = 1;
/// Second byte of a hello with a typed code.
const METHOD_CODE: u8 = 2;

/// Bytes in a tag.
const TAG: usize = 32;
