//! Sending: the lazy DH step, the chain, and the bytes of a message (docs/interop.md, sections 3 and 4).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::{Form, Parties, Ratchet, message_key, root_step};
use crate::signal::chain::ChainKey;
use crate::signal::key::PublicKey;
use crate::signal::limits::MAX_PLAINTEXT;
use crate::signal::wire::{VERSION, WhisperHeader};
use bisik_core::held::Poisoned;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aes_cbc::padded;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, KeyPair};

/// Why a message was not encrypted. The session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// The plaintext is longer than 64 MiB: send it as an attachment.
    TooLong,
    /// The sending chain has ended, after four billion messages without an answer: set up a new session.
    Exhausted,
    /// A staged message was sealed and then dropped: drop the session too, and load the stored record.
    Poisoned,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    EncryptError {
        TooLong => "interop.signal.encrypt.too_long", "the plaintext is longer than 64 MiB";
        Exhausted => "interop.signal.encrypt.exhausted", "the sending chain is exhausted";
        Poisoned => "interop.signal.encrypt.poisoned", "a sealed message was not committed: load the stored record";
        @Internal => "interop.signal.encrypt.internal";
    }
}

impl From<Poisoned> for EncryptError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

/// One sending chain.
pub(super) struct SendingChain {
    pub(super) key: ChainKey,
    /// The number of the next message.
    pub(super) next: u32,
}

/// The header of the next message, and the length of its body.
pub(crate) struct Next {
    header: WhisperHeader,
    body: usize,
    /// The DH step that is due before the message.
    step: Option<Step>,
}

/// A DH step: computed, not yet applied.
struct Step {
    root: Box<Secret<32>>,
    pair: KeyPair,
    chain: Box<SendingChain>,
}

impl Next {
    /// Bytes of the whole message.
    pub(crate) fn length(&self) -> usize {
        self.header.message_length(self.body)
    }
}

impl Ratchet {
    /// Computes the DH step if one is due, and returns it with the header and length of the next message. Changes
    /// nothing; [`seal`](Self::seal) applies the step. Uses 32 bytes of `rng` for a step.
    pub(crate) fn prepare(&self, plaintext: &[u8], rng: &mut dyn CryptoRng) -> Result<Next, EncryptError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(EncryptError::TooLong);
        }
        let step = if self.sending.is_none() { Some(self.step(rng)?) } else { None };
        let (pair, chain) = match &step {
            Some(step) => (Some(&step.pair), Some(&step.chain)),
            None => (self.pair.as_ref(), self.sending.as_ref()),
        };
        let (Some(pair), Some(chain)) = (pair, chain) else { return Err(EncryptError::Internal) };
        if chain.next == u32::MAX {
            return Err(EncryptError::Exhausted);
        }
        // S-3.5
        let previous_counter = self.previous.saturating_sub(1);
        let ratchet_key = PublicKey::from_dh(*pair.public());
        let header = WhisperHeader { ratchet_key, counter: chain.next, previous_counter };
        Ok(Next { header, body: padded(plaintext.len()), step })
    }

    /// Appends the prepared message, in the form of version 3, to `output`, which has the capacity for it. On error the
    /// state and `output` are unchanged.
    pub(crate) fn seal(
        &mut self,
        next: Next,
        output: &mut Vec<u8>,
        parties: Parties<'_>,
        plaintext: &[u8],
    ) -> Result<(), InternalError> {
        self.seal_as(next, output, parties, Form { version: VERSION, after: &[] }, plaintext)
    }

    /// The same in any form. The capacity is that of the message and of the fields after its body.
    pub(crate) fn seal_as(
        &mut self,
        next: Next,
        output: &mut Vec<u8>,
        parties: Parties<'_>,
        form: Form<'_>,
        plaintext: &[u8],
    ) -> Result<(), InternalError> {
        let Next { header, body, mut step } = next;
        let chain = match &mut step {
            Some(step) => Some(&mut step.chain),
            None => self.sending.as_mut(),
        };
        let chain = chain.ok_or(InternalError)?;
        let after = chain.next.checked_add(1).ok_or(InternalError)?;
        let start = output.len();
        header.write(output, form.version, body);
        let seed = chain.key.advance();
        message_key::seal(seed, output, start, parties, form, plaintext);
        chain.next = after;
        if let Some(Step { root, pair, chain }) = step {
            self.root = root;
            self.pair = Some(pair);
            self.sending = Some(chain);
        }
        Ok(())
    }

    /// THE STEP, sending side: `DHRs ← fresh; RK, CKs = KDF_RK(RK, DH(DHRs, DHRr))`. Lazy: made with the first message
    /// after the peer's step, so that receiving needs no randomness. The peer cannot tell the difference.
    fn step(&self, rng: &mut dyn CryptoRng) -> Result<Step, EncryptError> {
        // There is always a key to step against, and it was checked when it was received: neither of these can fail.
        let theirs = self.theirs.as_ref().ok_or(InternalError)?;
        let decoded;
        let point = match &theirs.point {
            Some(point) => point.as_ref(),
            None => {
                decoded = theirs.public.point().map_err(|_| InternalError)?;
                &decoded
            }
        };
        let (pair, [agreed]) = x25519::pair_and_agree(Secret::random(rng), [point]).map_err(|_| InternalError)?;
        let (root, key) = root_step(&self.root, &agreed);
        Ok(Step { root: Box::new(root), pair, chain: Box::new(SendingChain { key, next: 0 }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::key::{Identity, IdentityKey};
    use bisik_core::codec::SecretWriter;

    /// A DH step that is due is applied with the message, and with it alone.
    #[test]
    fn a_prepared_message_changes_nothing_until_it_is_sealed() {
        let rng = &mut rand::rng();
        let theirs = KeyPair::generate(rng);
        let point = x25519::Point::decode(*theirs.public()).unwrap();
        let mut ratchet = Ratchet::initiator(Secret::new([7; 32]), point);
        let bytes = |ratchet: &Ratchet| {
            let mut writer = SecretWriter::with_capacity(0);
            ratchet.write(&mut writer);
            writer.finish()
        };
        let before = bytes(&ratchet);
        drop(ratchet.prepare(b"halo", rng).unwrap());
        assert_eq!(bytes(&ratchet), before);

        let next = ratchet.prepare(b"halo", rng).unwrap();
        let identity: IdentityKey = Identity::generate(rng).public();
        let parties = Parties { sender: &identity, receiver: &identity, salt: &[0; 32] };
        ratchet.seal(next, &mut Vec::new(), parties, b"halo").unwrap();
        assert_ne!(bytes(&ratchet), before);
        assert!(ratchet.pair.is_some() && ratchet.sending.is_some());
    }
}
