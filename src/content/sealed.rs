//! Sealed answers: what one person answers to one content, encrypted under a secret of the content and bound to the
//! content, its author and the person (docs/spec/content.md, sections 7.5 and 7.9).
//!
//! Votes, answers to events and sealed reactions are sealed here. They differ in their label, in what defines the
//! content, and in their bytes.

use alloc::boxed::Box;
use core::fmt;

use rand_core::CryptoRng;

use super::{BallotError, ContentError, PersonId, SentAt};
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::primitives::aead::{Aead, NONCE, TAG};
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::Secret;

/// Seals and opens the answers to one content.
pub(super) struct Sealing<'a> {
    /// The secret of the content.
    pub(super) secret: &'a AnswerSecret,
    /// The label of this type of answers.
    pub(super) label: &'static [u8],
    /// The digest of the content's name and of what its readers see of it.
    pub(super) definition: [u8; 32],
}

impl Sealing<'_> {
    /// Returns `N ‖ Seal(K, N, "", answer)`. The nonce is hedged like that of a sealed record: a generator that repeats
    /// its output still gives two different answers two different nonces. Draws 24 bytes of `rng`.
    pub(super) fn seal<const N: usize, const SEALED: usize>(
        &self,
        mut answer: Secret<N>,
        person: &PersonId,
        rng: &mut dyn CryptoRng,
    ) -> [u8; SEALED] {
        const { assert!(SEALED == sealed_length(N), "a nonce, the answer and a tag") };
        let key = self.key(person);
        let mut randomness = [0; NONCE];
        rng.fill_bytes(&mut randomness);
        let hedged = key.derive(labels::ANSWER_NONCE, &[&randomness, answer.expose()]);
        let nonce = hedged.truncate();
        let tag = key.seal(&nonce, &[], answer.expose_mut());
        let mut sealed = [0; SEALED];
        let parts = nonce.iter().chain(answer.expose()).chain(&tag);
        sealed.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        sealed
    }

    /// Decrypts what [`seal`](Self::seal) gave for this person, this content and this type of answers.
    pub(super) fn open<const N: usize>(&self, sealed: &[u8], person: &PersonId) -> Result<Secret<N>, BallotError> {
        let mut reader = Reader::new(sealed);
        let nonce = reader.array::<NONCE>().map_err(|_| BallotError::Rejected)?;
        let mut answer = Secret::copy_of(reader.array::<N>().map_err(|_| BallotError::Rejected)?);
        let tag = reader.array::<TAG>().map_err(|_| BallotError::Rejected)?;
        self.key(person).open(nonce, &[], answer.expose_mut(), tag).map_err(|_| BallotError::Rejected)?;
        Ok(answer)
    }

    /// Derives the key, one for each combination of label, content, author and person. Every part of the input has a
    /// fixed length or a length prefix. Requirements P-7.13 and P-7.23.
    fn key(&self, person: &PersonId) -> Aead {
        let Self { secret, label, definition } = self;
        let person = person.as_bytes();
        let prk = Prk::extract(&[0; 32], &[secret.expose_bytes()]);
        Aead::new(&prk.expand(&[label, definition, &frame(person.len()), person]))
    }
}

impl fmt::Debug for Sealing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing(..)")
    }
}

/// The place of an answer among those of one person to one content: the greatest counts. Requirements P-7.15 and P-7.25.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    sequence: u64,
    sent: SentAt,
}

impl Turn {
    /// Returns the place after `earlier`, or the first.
    pub(super) fn after(earlier: Option<Self>, sent: SentAt) -> Result<Self, ContentError> {
        let sequence = match earlier {
            Some(earlier) => earlier.sequence.checked_add(1).ok_or(ContentError::OutOfRange)?,
            None => 1,
        };
        Ok(Self { sequence, sent })
    }

    pub(super) const fn sent(self) -> SentAt {
        self.sent
    }

    /// Returns the answer's bytes: the place, `said`, and zeros.
    pub(super) fn encode<const N: usize>(self, said: &[&[u8]]) -> Secret<N> {
        let Self { sequence, sent } = self;
        let (sequence, sent) = (sequence.to_be_bytes(), sent.as_unix_milliseconds().to_be_bytes());
        let mut encoded = Secret::zero();
        let parts = sequence.iter().chain(&sent).chain(said.iter().copied().flatten());
        encoded.expose_mut().iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        encoded
    }

    /// Reads the place at the beginning of an answer. Refuses a time beyond its bound.
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, BallotError> {
        let (sequence, sent) = (reader.u64(), reader.u64());
        let sent = sent.ok().and_then(|sent| SentAt::from_unix_milliseconds(sent).ok()).ok_or(BallotError::Invalid)?;
        Ok(Self { sequence: sequence.map_err(|_| BallotError::Invalid)?, sent })
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn(..)")
    }
}

bisik_core::boxed_secret! {
    /// The secret of a content under which the answers to it are encrypted.
    pub(super) struct AnswerSecret([u8; 32]);
    /// Takes the secret that a message carried.
    pub(super) fn from_bytes(bytes);
    /// Returns the 32 bytes, for the message.
    pub(super) fn expose_bytes();
    /// Draws a new secret from 32 bytes of `rng`.
    pub(super) fn generate(rng);
}

impl AnswerSecret {
    pub(super) fn from_wire(bytes: &[u8]) -> Result<Self, ContentError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| ContentError::Malformed)?;
        Ok(Self::from_bytes(*bytes))
    }
}

impl Clone for AnswerSecret {
    fn clone(&self) -> Self {
        Self(Box::new(self.0.duplicate()))
    }
}

impl PartialEq for AnswerSecret {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(&*self.0, &*other.0).into()
    }
}

impl Eq for AnswerSecret {}

/// Returns a length prefix. Every length here is bounded far below `u32::MAX`.
pub(super) fn frame(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Returns the length of a sealed answer of `answer` bytes, for constants.
pub(super) const fn sealed_length(answer: usize) -> usize {
    NONCE.saturating_add(answer).saturating_add(TAG)
}
