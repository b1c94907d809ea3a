//! Sending: the lazy DH step, the chain, and the bytes of a message (docs/interop.md, sections 3 and 4).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::{Parties, Ratchet, message_key, root_step};
use crate::signal::chain::ChainKey;
use crate::signal::key::PublicKey;
use crate::signal::limits::MAX_PLAINTEXT;
use crate::signal::wire::WhisperHeader;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aes_cbc::padded;
use bisik_core::primitives::x25519;

/// Why a message was not encrypted. The session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// The plaintext is longer than 64 MiB: send it as an attachment.
    TooLong,
    /// The sending chain has ended, after four billion messages without an answer: set up a new session.
    Exhausted,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    EncryptError {
        TooLong => "interop.signal.encrypt.too_long", "the plaintext is longer than 64 MiB";
        Exhausted => "interop.signal.encrypt.exhausted", "the sending chain is exhausted";
        Internal => "interop.signal.encrypt.internal", InternalError::TEXT;
    }
}

impl From<InternalError> for EncryptError {
    fn from(InternalError: InternalError) -> Self {
        Self::Internal
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
}

impl Next {
    /// Bytes of the whole message.
    pub(crate) fn length(&self) -> usize {
        self.header.message_length(self.body)
    }
}

impl Ratchet {
    /// Makes the DH step if one is due, and returns the header and length of the next message. Uses 32 bytes of `rng`
    /// for a step.
    pub(crate) fn prepare(&mut self, plaintext: &[u8], rng: &mut dyn CryptoRng) -> Result<Next, EncryptError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(EncryptError::TooLong);
        }
        if self.sending.is_none() {
            self.step(rng)?;
        }
        let (Some(pair), Some(chain)) = (&self.pair, &self.sending) else {
            return Err(EncryptError::Internal);
        };
        if chain.next == u32::MAX {
            return Err(EncryptError::Exhausted);
        }
        // S-3.5
        let previous_counter = self.previous.saturating_sub(1);
        let ratchet_key = PublicKey::from_dh(*pair.public());
        let header = WhisperHeader { ratchet_key, counter: chain.next, previous_counter };
        Ok(Next { header, body: padded(plaintext.len()) })
    }

    /// Appends the prepared message to `output`, which has the capacity for it.
    pub(crate) fn seal(
        &mut self,
        next: &Next,
        output: &mut Vec<u8>,
        parties: Parties<'_>,
        plaintext: &[u8],
    ) -> Result<(), InternalError> {
        let chain = self.sending.as_mut().ok_or(InternalError)?;
        let after = chain.next.checked_add(1).ok_or(InternalError)?;
        let start = output.len();
        next.header.write(output, next.body);
        let (key, seed) = chain.key.step();
        message_key::seal(seed, output, start, parties, plaintext);
        chain.key = key;
        chain.next = after;
        Ok(())
    }

    /// THE STEP, sending side: `DHRs ← fresh; RK, CKs = KDF_RK(RK, DH(DHRs, DHRr))`. Lazy: made with the first message
    /// after the peer's step, so that receiving needs no randomness. The peer cannot tell the difference.
    fn step(&mut self, rng: &mut dyn CryptoRng) -> Result<(), EncryptError> {
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
        let (pair, agreed) = x25519::generate_and_agree(rng, point).map_err(|_| InternalError)?;
        let (root, key) = root_step(&self.root, &agreed);
        *self.root = root;
        self.pair = Some(pair);
        self.sending = Some(Box::new(SendingChain { key, next: 0 }));
        Ok(())
    }
}
