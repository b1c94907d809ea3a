//! Sending: the lazy step, the chain, and the bytes of a message (docs/spec/session.md, section 4.6).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::chain::ChainKey;
use super::header::{Header, HeaderKey, SealedHeader, VERSION};
use super::layout::{HEADER, SALT};
use super::limits::MAX_PLAINTEXT;
use super::message_key::MessageKey;
use super::step::{RootKey, StepDraw, StepInputs};
use super::{Making, State, Turn};
use bisik_core::held::Poisoned;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aead::TAG;
use bisik_core::primitives::secret::BoxedSecret;
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
    /// A staged message was sealed and then dropped: drop the session too, and load the stored record.
    Poisoned,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    EncryptError {
        AwaitingFirstMessage => "session.encrypt.awaiting_first_message",
            "the initiator's first message has not arrived yet";
        TooLong => "session.encrypt.too_long", "the plaintext is longer than 64 MiB";
        Exhausted => "session.encrypt.exhausted", "the sending chain is exhausted";
        Poisoned => "session.encrypt.poisoned", "a sealed message was not committed: load the stored record";
        @Internal => "session.encrypt.internal";
    }
}

impl From<Poisoned> for EncryptError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

/// A sending chain, with the ratchet pair that its headers name. Boxed wherever it is optional: an inline `None` leaves
/// its payload bytes uninitialised, so a move may copy stale stack contents that are never zeroized.
pub(super) struct SendingChain {
    pub(super) pair: KeyPair,
    pub(super) header: HeaderKey,
    pub(super) key: ChainKey,
    /// `Ns`: the number of the next message.
    pub(super) number: u32,
}

impl SendingChain {
    pub(super) fn duplicate(&self) -> Self {
        let Self { pair, header, key, number } = self;
        Self { pair: x25519::duplicate(pair), header: header.duplicate(), key: key.duplicate(), number: *number }
    }
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

/// A step: computed, not yet applied.
struct SendingStep {
    number: u32,
    root: RootKey,
    chain: Box<SendingChain>,
    next_header: HeaderKey,
    resumption: BoxedSecret<32>,
    mixed: u32,
    draw: StepDraw,
}

impl State {
    /// Encrypts one message and appends it to `output`: [`OVERHEAD`] bytes more than `plaintext`.
    pub(super) fn encrypt_into(
        &mut self,
        output: &mut Vec<u8>,
        plaintext: &[u8],
        making: &Making<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), EncryptError> {
        // P-4.19: at most 64 MiB of plaintext.
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(EncryptError::TooLong);
        }
        let mut step = match &self.turn {
            Turn::Ours(_) => None,
            Turn::Theirs(peer_key) => Some(self.sending_step(peer_key, making, rng)?),
            // P-4.11: a responder does not send before it has received.
            Turn::Awaiting => return Err(EncryptError::AwaitingFirstMessage),
        };
        let (made, mixed) = match &step {
            Some(step) => (step.number, step.mixed),
            None => (self.step, self.post_quantum.mixed()),
        };
        let braid = self.post_quantum.send(step.as_ref().map(|step| &step.draw), mixed != self.post_quantum.mixed())?;
        let (part, bound) = (braid.part, self.bound_of(made));
        let chain = match (&mut step, &mut self.turn) {
            (Some(step), _) => &mut step.chain,
            (None, Turn::Ours(chain)) => chain,
            (None, Turn::Theirs(_) | Turn::Awaiting) => return Err(EncryptError::Internal),
        };
        // P-4.13: the chain ends before its numbers do.
        let next_number = chain.number.checked_add(1).ok_or(EncryptError::Exhausted)?;
        let (next_key, message_key) = chain.key.step();
        let ratchet_key = *chain.pair.public();
        let (previous, number) = (self.previous, chain.number);
        let header = Header { ratchet_key, previous, number, reads: VERSION, bound, mixed, part };
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
        self.post_quantum.apply_sending(braid);
        Ok(())
    }

    /// THE STEP, sending side: a fresh pair, and an agreement with the peer's ratchet key.
    fn sending_step(
        &self,
        peer_key: &PeerRatchetKey,
        making: &Making<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<SendingStep, EncryptError> {
        let number = self.step.checked_add(1).ok_or(EncryptError::Exhausted)?;
        // The key was checked when it was received, so no agreement can fail.
        let point = peer_key.point().map_err(|_| InternalError)?;
        let draw = self.root.draw(number, rng);
        // P-3.13: in step 1, an agreement that only the initiator itself can make too.
        let making = if number == 1 { *making } else { Making::default() };
        let (pair, agreed, identity) = match making.identity {
            Some(identity) => {
                let (pair, [agreed, identity]) =
                    x25519::pair_and_agree(draw.pair(), [&point, identity]).map_err(|_| InternalError)?;
                (pair, agreed, Some(identity))
            }
            None => {
                let (pair, [agreed]) = x25519::pair_and_agree(draw.pair(), [&point]).map_err(|_| InternalError)?;
                (pair, agreed, None)
            }
        };
        let (mixed, post_quantum) = match self.post_quantum.due() {
            Some((epoch, secret)) => (epoch, Some(secret)),
            None => (self.post_quantum.mixed(), None),
        };
        let output = self.root.step(&StepInputs {
            step: number,
            agreed: &agreed,
            identity: identity.as_ref(),
            resumption: making.resumption,
            bound: self.bound_of(number),
            post_quantum,
            mixed,
            stepping: pair.public(),
            other: peer_key.public(),
        });
        let chain = Box::new(SendingChain { pair, header: self.next_header.duplicate(), key: output.chain, number: 0 });
        let (root, next_header, resumption) = (output.root, output.next_header, output.resumption);
        Ok(SendingStep { number, root, chain, next_header, resumption, mixed, draw })
    }

    fn apply_sending_step(&mut self, step: SendingStep) {
        let SendingStep { number, root, chain, next_header, resumption, mixed, draw: _ } = step;
        self.step = number;
        self.root = root;
        // The peer's key was used, and goes.
        self.turn = Turn::Ours(chain);
        self.next_header = next_header;
        self.resumptions.made(resumption);
        self.post_quantum.step(mixed);
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

    /// P-4.13
    #[test]
    fn sending_stops_before_the_message_number_overflows() {
        let rng = &mut rand::rng();
        let secret = SharedSecret::from_bytes([7; 32]);
        let mut ratchet = DoubleRatchet::initiator(&secret, &[0; 32], rng);
        let Turn::Ours(chain) = &mut ratchet.state.turn else { panic!("an initiator has a chain") };
        chain.number = u32::MAX - 1;
        assert!(ratchet.encrypt(b"", rng).is_ok());
        let before = ratchet.state.encode();
        assert_eq!(ratchet.encrypt(b"", rng), Err(EncryptError::Exhausted));
        assert_eq!(ratchet.state.encode(), before, "an error leaves the state unchanged");
    }
}
