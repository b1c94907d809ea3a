//! Headers and their encryption (docs/spec/session.md, section 4.4).
//!
//! A header's tag covers the whole message, so that an attacker without the header key cannot make a receiver do more
//! than check tags.

use alloc::boxed::Box;

use crate::labels;
use bisik_core::braid::{Kind, Part};
use bisik_core::codec::{Malformed, Reader};
use bisik_core::primitives::aead::{Aead, TAG};
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, PublicKey};
use zeroize::Zeroizing;

use super::layout::{HEADER, HEADER_NONCE, SALT, nonce};

/// `HK`: opens the headers of one chain. Boxed, so that moving one leaves no copy behind.
pub(super) struct HeaderKey(Box<Keys>);

struct Keys {
    secret: Secret<32>,
    aead: Aead,
}

impl HeaderKey {
    pub(super) fn new(secret: &Secret<32>) -> Self {
        Self(Box::new(Keys { aead: Aead::new(secret), secret: secret.duplicate() }))
    }

    pub(super) fn secret(&self) -> &Secret<32> {
        &self.0.secret
    }

    pub(super) fn duplicate(&self) -> Self {
        let Keys { secret, aead } = self.0.as_ref();
        Self(Box::new(Keys { secret: secret.duplicate(), aead: aead.clone() }))
    }

    /// Encrypts `header` in place, without a tag, which is computed once the body is encrypted.
    pub(super) fn encrypt(&self, salt: &[u8; SALT], header: &mut [u8; HEADER]) {
        self.0.aead.apply_stream(&nonce(salt, HEADER_NONCE), header);
    }

    /// The tag over the digest of the whole message and the tag of its body.
    pub(super) fn tag(&self, digest: &[u8; 32], body_tag: &[u8; TAG]) -> [u8; TAG] {
        self.0.aead.tag(&[digest, body_tag])
    }

    /// Whether this key made the tag.
    pub(super) fn verifies(&self, digest: &[u8; 32], body_tag: &[u8; TAG], tag: &[u8; TAG]) -> bool {
        self.0.aead.verify(&[digest, body_tag], tag)
    }

    /// Decrypts the header. The caller has verified its tag.
    pub(super) fn decrypt(&self, header: &SealedHeader<'_>) -> Result<Header, HeaderError> {
        let mut plaintext = Zeroizing::new(*header.ciphertext);
        self.0.aead.apply_stream(&nonce(header.salt, HEADER_NONCE), plaintext.as_mut_slice());
        Header::decode(&plaintext)
    }
}

/// An encrypted header, with the salt of its message.
#[derive(Clone, Copy)]
pub(super) struct SealedHeader<'a> {
    pub(super) salt: &'a [u8; SALT],
    pub(super) ciphertext: &'a [u8; HEADER],
}

impl SealedHeader<'_> {
    /// The digest that both tags of a message authenticate. Every part but the last is of fixed length.
    pub(super) fn digest(&self, binding: &[u8; 32], body: &[u8]) -> [u8; 32] {
        digest(&[labels::MESSAGE, binding, self.salt, self.ciphertext, body])
    }
}

/// A decrypted header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The sender's ratchet key.
    pub(super) ratchet_key: PublicKey,
    /// `PN`: how many messages the sender's previous chain had.
    pub(super) previous: u32,
    /// `N`: the number of this message in its chain, from 0.
    pub(super) number: u32,
    /// The newest version of this layout that the sender reads, at least [`VERSION`].
    pub(super) reads: u8,
    /// In the first chain of a responder, the place of the resumption secret that step 1 took; otherwise 0.
    pub(super) bound: u8,
    /// The newest braid epoch whose secret is in the root of this chain.
    pub(super) mixed: u32,
    /// What the braid says.
    pub(super) part: Part,
}

/// Why a decrypted header cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// It has a version that this library does not read.
    UnsupportedVersion(u8),
    /// No sender writes it.
    Malformed,
}

impl From<Malformed> for HeaderError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl Header {
    /// Writes this version's layout; [`reads`](Self::reads) and the version written are the same.
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let Self { ratchet_key, previous, number, reads, bound, mixed, part } = self;
        let Part { kind, epoch, number: chunk_number, chunk } = part;
        let version = (reads << 4) | VERSION;
        let kinds = (bound << 4) | u8::from(*kind);
        let mut bytes = [0; HEADER];
        let fields = ratchet_key.as_bytes().iter().copied().chain(previous.to_be_bytes()).chain(number.to_be_bytes());
        let fields = fields.chain([version, kinds]).chain(epoch.to_be_bytes()).chain(mixed.to_be_bytes());
        for (to, from) in bytes.iter_mut().zip(fields.chain(chunk_number.to_be_bytes()).chain(*chunk)) {
            *to = from;
        }
        bytes
    }

    /// Reads a header whose tag has verified. P-4.4: the version comes first, since the rest may be laid out otherwise.
    fn decode(bytes: &[u8; HEADER]) -> Result<Self, HeaderError> {
        let mut reader = Reader::new(bytes);
        let ratchet_key = reader.array()?;
        let previous = reader.u32()?;
        let number = reader.u32()?;
        let version = reader.u8()?;
        let (reads, written) = (version >> 4, version & 0x0F);
        if written != VERSION {
            return Err(HeaderError::UnsupportedVersion(written));
        }
        let kinds = reader.u8()?;
        let (bound, kind) = (kinds >> 4, Kind::try_from(kinds & 0x0F)?);
        let epoch = reader.u32()?;
        let mixed = reader.u32()?;
        let part = Part { kind, epoch, number: reader.u16()?, chunk: *reader.array()? };
        reader.finish()?;
        // P-4.13: no chain has a message 2^32 - 1.
        if reads < VERSION || bound > MAX_PLACES || !part.is_well_formed() || number == u32::MAX {
            return Err(HeaderError::Malformed);
        }
        let ratchet_key = x25519::decode_public(ratchet_key).map_err(|_| HeaderError::Malformed)?;
        Ok(Self { ratchet_key, previous, number, reads, bound, mixed, part })
    }
}

/// The version of the layout of headers that this library writes, and the newest that it reads.
pub(super) const VERSION: u8 = 1;

/// Places of the labels that a first message may hold (docs/spec/session.md, section 3.6).
pub(crate) const MAX_PLACES: u8 = 4;
