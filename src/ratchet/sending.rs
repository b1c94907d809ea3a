//! Sending: the lazy DH step, the chain, and the bytes of a message (docs/spec/session.md, section 4.6).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::State;
use super::chain::ChainKey;
use super::header::{Header, HeaderKey, SealedHeader};
use super::layout::{HEADER, SALT};
use super::limits::MAX_PLAINTEXT;
use super::message_key::MessageKey;
use super::root::RootKey;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aead::TAG;
use bisik_core::primitives::x25519::{self, InvalidKey, KeyPair, Point, PublicKey};

/// Why nothing was encrypted. On error the state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptError {
    /// A responder cannot send before the initiator's first message has arrived.
    AwaitingFirstMessage,
    /// The plaintext is longer than 64 MiB: send it as an attachment.
    TooLong,
    /// The chain has no numbers left, after four billion messages without a reply: set up a new session.
    Exhausted,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    EncryptError {
        AwaitingFirstMessage => "session.encrypt.awaiting_first_message",
            "the initiator's first message has not arrived yet";
        TooLong => "session.encrypt.too_long", "the plaintext is longer than 64 MiB";
        Exhausted => "session.encrypt.exhausted", "the sending chain is exhausted";
        @Internal => "session.encrypt.internal";
    }
}

/// The sending half of the state.
///
/// Optional secrets are boxed. An inline `None` leaves its payload bytes uninitialised, so a move may copy stale stack
/// contents that are never zeroized.
pub(super) struct Sending {
    /// The local ratchet pair; `None` before an initiator's first message.
    pub(super) pair: Option<KeyPair>,
    /// The peer's current ratchet key; `None` until a responder has received its first message.
    pub(super) peer_key: Option<PeerRatchetKey>,
    /// The current chain; `None` if a DH step is due before the next message.
    pub(super) chain: Option<Box<SendingChain>>,
    /// `NHKs`: the header key of the next chain.
    pub(super) next_header: HeaderKey,
    /// `PN`: the number of messages in the previous chain.
    pub(super) previous: u32,
}

/// One sending chain.
pub(super) struct SendingChain {
    pub(super) header: HeaderKey,
    pub(super) key: ChainKey,
    /// `Ns`: the number of the next message.
    pub(super) number: u32,
}

/// The peer's ratchet key, decoded if that was done already.
pub(super) enum PeerRatchetKey {
    Encoded(Box<PublicKey>),
    Decoded(Box<Point>),
}

impl PeerRatchetKey {
    pub(super) fn encoded(public: PublicKey) -> Self {
        Self::Encoded(Box::new(public))
    }

    pub(super) fn decoded(point: Point) -> Self {
        Self::Decoded(Box::new(point))
    }

    pub(super) fn public(&self) -> &PublicKey {
        match self {
            Self::Encoded(public) => public,
            Self::Decoded(point) => point.public(),
        }
    }

    fn point(&self) -> Result<Point, InvalidKey> {
        match self {
            Self::Encoded(public) => Point::decode(**public),
            Self::Decoded(point) => Ok(point.as_ref().clone()),
        }
    }

    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Encoded(public) => Self::encoded(**public),
            Self::Decoded(point) => Self::Decoded(point.clone()),
        }
    }
}

/// A DH step: computed, not yet applied.
struct SendingStep {
    pair: KeyPair,
    root: RootKey,
    chain: Box<SendingChain>,
    next_header: HeaderKey,
}

impl State {
    /// Encrypts one message and appends it to `output`: [`OVERHEAD`] bytes more than `plaintext`.
    pub(super) fn encrypt_into(
        &mut self,
        output: &mut Vec<u8>,
        plaintext: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<(), EncryptError> {
        // P-4.13: at most 64 MiB of plaintext.
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(EncryptError::TooLong);
        }
        let mut step = if self.sending.chain.is_none() { Some(self.sending_step(rng)?) } else { None };
        let Sending { pair, chain, previous, .. } = &mut self.sending;
        let (pair, chain) = match &mut step {
            Some(step) => (Some(&step.pair), Some(&mut step.chain)),
            None => (pair.as_ref(), chain.as_mut()),
        };
        let (Some(pair), Some(chain)) = (pair, chain) else { return Err(EncryptError::Internal) };
        // P-4.10: the chain ends before its numbers do.
        let next_number = chain.number.checked_add(1).ok_or(EncryptError::Exhausted)?;
        let (next_key, message_key) = chain.key.step();
        let header = Header { ratchet_key: *pair.public(), previous: *previous, number: chain.number };
        let start = output.len();
        let written = write_message(output, &self.binding, &chain.header, &header, message_key, plaintext, rng);
        if let Err(bug) = written {
            output.truncate(start);
            return Err(bug.into());
        }
        // Nothing can fail from here on: the state changes only with a message written.
        chain.key = next_key;
        chain.number = next_number;
        if let Some(step) = step {
            self.apply_sending_step(step);
        }
        Ok(())
    }

    /// THE STEP, sending side: `pair ← fresh; RK, CKs, NHKs' = step(RK, DH(pair, peer's key))`.
    fn sending_step(&self, rng: &mut dyn CryptoRng) -> Result<SendingStep, EncryptError> {
        // P-4.8: a responder does not send before it has received.
        let peer_key = self.sending.peer_key.as_ref().ok_or(EncryptError::AwaitingFirstMessage)?;
        // The key was checked when it was received, so neither of these can fail.
        let point = peer_key.point().map_err(|_| InternalError)?;
        let (pair, agreed) = x25519::generate_and_agree(rng, &point).map_err(|_| InternalError)?;
        let (root, key, next_header) = self.root.step(&agreed);
        let chain = Box::new(SendingChain { header: self.sending.next_header.duplicate(), key, number: 0 });
        Ok(SendingStep { pair, root, chain, next_header })
    }

    fn apply_sending_step(&mut self, step: SendingStep) {
        let SendingStep { pair, root, chain, next_header } = step;
        self.root = root;
        self.sending.pair = Some(pair);
        self.sending.chain = Some(chain);
        self.sending.next_header = next_header;
    }
}

/// `r ‖ header ‖ header tag ‖ body ‖ body tag`.
fn write_message(
    output: &mut Vec<u8>,
    binding: &[u8; 32],
    header_key: &HeaderKey,
    header: &Header,
    message_key: MessageKey,
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<(), InternalError> {
    let mut randomness = [0; SALT];
    rng.fill_bytes(&mut randomness);
    let sealing = message_key.into_sealing();
    let mut ciphertext = header.encode();
    let salt = sealing.salt(&randomness, &ciphertext, plaintext);
    header_key.encrypt(&salt, &mut ciphertext);
    let sealed = SealedHeader { salt: &salt, ciphertext: &ciphertext };

    output.extend_from_slice(&salt);
    output.extend_from_slice(&ciphertext);
    let tag_at = output.len();
    output.extend_from_slice(&[0; TAG]);
    let body = sealing.append(&salt, plaintext, output);
    let digest = sealed.digest(binding, body);
    let body_tag = sealing.tag(&digest);
    let header_tag = header_key.tag(&digest, &body_tag);
    output.extend_from_slice(&body_tag);
    let slot = output.get_mut(tag_at..).and_then(|rest| rest.first_chunk_mut()).ok_or(InternalError)?;
    *slot = header_tag;
    Ok(())
}

/// Ciphertext expansion in bytes.
pub(super) const OVERHEAD: usize = SALT + HEADER + TAG + TAG;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratchet::{DoubleRatchet, SharedSecret};

    /// P-4.10
    #[test]
    fn sending_stops_before_the_message_number_overflows() {
        let rng = &mut rand::rng();
        let pair = KeyPair::generate(rng);
        let secret = SharedSecret::from_bytes([7; 32]);
        let mut ratchet = DoubleRatchet::initiator(&secret, &[0; 32], pair.public());
        let _ = ratchet.encrypt(b"", rng).unwrap();
        ratchet.state.sending.chain.as_mut().unwrap().number = u32::MAX - 1;
        assert!(ratchet.encrypt(b"", rng).is_ok());
        let before = ratchet.state.encode();
        assert_eq!(ratchet.encrypt(b"", rng), Err(EncryptError::Exhausted));
        assert_eq!(ratchet.state.encode(), before, "an error leaves the state unchanged");
    }
}
