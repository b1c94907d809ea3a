//! Receiving: find the chain, take the step, verify, and only then commit (docs/spec/session.md, section 4.6).
//!
//! Nothing here changes the state before the whole message has verified.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::State;
use super::chain::ChainKey;
use super::header::{Header, HeaderKey, SealedHeader};
use super::layout::{HEADER, SALT};
use super::limits::{MAX_CHAINS, MAX_PLAINTEXT, MAX_SKIP, MAX_SKIPPED};
use super::message_key::MessageKey;
use super::root::RootKey;
use super::sending::PeerRatchetKey;
use super::skipped::{NewlySkipped, SkippedKeys, skip_to};
use bisik_core::codec::{Malformed, Reader};
use bisik_core::primitives::aead::TAG;
use bisik_core::primitives::x25519::{self, KeyPair, Point, PublicKey};

/// Why a message was not decrypted. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// It is shorter or longer than any message can be. Drop it.
    Malformed,
    /// The peer sent it, but its key was used or deleted: it is a duplicate, or very late. Drop it.
    Replayed,
    /// The peer sent it, but more than 25,000 messages before it are missing: set up a new session.
    TooFarAhead,
    /// The peer sent it from a state that contradicts the local one: one side lost its state or restored an old one.
    /// Later messages will most likely not decrypt either: set up a new session.
    Diverged,
    /// The peer did not make it in this session, it was changed in transit, or five newer chains have displaced its
    /// own. Drop it; if that repeats, the session may be lost.
    Rejected,
}

bisik_core::error_texts! {
    DecryptError {
        Malformed => "ratchet.decrypt.malformed", "the message is malformed";
        Replayed => "ratchet.decrypt.replayed", "the message's key was used or deleted";
        TooFarAhead => "ratchet.decrypt.too_far_ahead", "too many messages before this one are missing";
        Diverged => "ratchet.decrypt.diverged", "one side's ratchet state was lost or rolled back";
        Rejected => "ratchet.decrypt.rejected", "the message does not verify";
    }
}

impl From<Malformed> for DecryptError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// The receiving half of the state.
pub(super) struct Receiving {
    /// Newest first, at most [`MAX_CHAINS`]; only the first can still advance.
    pub(super) chains: VecDeque<Box<ReceivingChain>>,
    /// `NHKr`: the header key of the peer's next chain.
    pub(super) next_header: HeaderKey,
}

/// One receiving chain.
pub(super) struct ReceivingChain {
    pub(super) header: HeaderKey,
    /// The peer's ratchet key of this chain.
    pub(super) ratchet_key: PublicKey,
    /// `None` once the peer has moved on: an old chain gives no new keys. Boxed for the reason given at `Sending`.
    pub(super) key: Option<Box<ChainKey>>,
    /// `Nr`: the number of the next message in order.
    pub(super) next: u32,
    pub(super) skipped: SkippedKeys,
}

/// A decrypted message that has not changed the state yet.
pub(crate) struct Decrypted {
    pub(super) change: StateChange,
    pub(super) plaintext: Zeroizing<Vec<u8>>,
}

impl Decrypted {
    pub(crate) fn plaintext(&self) -> &[u8] {
        &self.plaintext
    }
}

/// What committing a message does to the state.
pub(super) enum StateChange {
    /// Uses a skipped message key.
    UseSkipped { chain: usize, number: u32 },
    /// Advances the current chain.
    Advance(Advanced),
    /// Follows the peer's DH step.
    Step(Box<Step>),
}

/// A chain after a message: its next key and number, and the newly skipped message keys.
pub(super) struct Advanced {
    pub(super) key: ChainKey,
    pub(super) next: u32,
    pub(super) newly_skipped: NewlySkipped,
}

/// The receiving side of a DH step, computed and not applied.
pub(super) struct Step {
    /// Skipped message keys at the end of the previous chain, if there was one.
    pub(super) last_of_previous: NewlySkipped,
    pub(super) root: RootKey,
    pub(super) peer_key: Point,
    /// The peer's new chain, whose first message this is.
    pub(super) chain: Box<ReceivingChain>,
    pub(super) next_header: HeaderKey,
}

/// A message split into its parts.
struct Message<'a> {
    header: SealedHeader<'a>,
    header_tag: &'a [u8; TAG],
    body: &'a [u8],
    body_tag: &'a [u8; TAG],
    /// Authenticated by both tags. Computed once, however many keys are tried.
    digest: [u8; 32],
}

impl<'a> Message<'a> {
    fn parse(bytes: &'a [u8], binding: &[u8; 32]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let salt = reader.array::<SALT>()?;
        let ciphertext = reader.array::<HEADER>()?;
        let header_tag = reader.array()?;
        let (body, body_tag) = reader.rest().split_last_chunk().ok_or(Malformed)?;
        // P-4.13: at most 64 MiB of plaintext.
        if body.len() > MAX_PLAINTEXT {
            return Err(Malformed);
        }
        let header = SealedHeader { salt, ciphertext };
        Ok(Self { digest: header.digest(binding, body), header, header_tag, body, body_tag })
    }

    fn verifies(&self, key: &HeaderKey) -> bool {
        key.verifies(&self.digest, self.body_tag, self.header_tag)
    }
}

impl State {
    /// Decrypts without changing anything. P-4.2, P-4.4: the header's tag covers the whole message and is verified
    /// first.
    pub(super) fn open(&self, message: &[u8]) -> Result<Decrypted, DecryptError> {
        let message = Message::parse(message, &self.binding)?;
        let Receiving { chains, next_header } = &self.receiving;
        if let Some(current) = chains.front().filter(|chain| message.verifies(&chain.header)) {
            return self.open_known(0, current, &message);
        }
        if message.verifies(next_header) {
            return self.open_next(&message);
        }
        let older = chains.iter().enumerate().skip(1).find(|(_, chain)| message.verifies(&chain.header));
        let (index, chain) = older.ok_or(DecryptError::Rejected)?;
        self.open_known(index, chain, &message)
    }

    /// Decrypts a message of a known chain.
    fn open_known(
        &self,
        index: usize,
        chain: &ReceivingChain,
        message: &Message<'_>,
    ) -> Result<Decrypted, DecryptError> {
        let header = chain.header.decrypt(&message.header).map_err(|Malformed| DecryptError::Diverged)?;
        // P-4.7: one header key belongs to one ratchet key.
        if header.ratchet_key != chain.ratchet_key {
            return Err(DecryptError::Diverged);
        }
        if header.number < chain.next {
            // P-4.6: if no key is left, it was used or deleted.
            let key = chain.skipped.get(header.number).ok_or(DecryptError::Replayed)?;
            let plaintext = self.open_body(key, message)?;
            return Ok(Decrypted {
                change: StateChange::UseSkipped { chain: index, number: header.number },
                plaintext,
            });
        }
        // If there is no chain key, the sender has declared that the chain ended before this number.
        let key = chain.key.as_ref().ok_or(DecryptError::Diverged)?;
        let (advanced, message_key) = advance(key, chain.next, header.number)?;
        let plaintext = self.open_body(&message_key, message)?;
        Ok(Decrypted { change: StateChange::Advance(advanced), plaintext })
    }

    /// THE STEP: `RK, CKr, NHKr' = step(RK, DH(own pair, ratchet key))`, because `NHKr` verified the header tag.
    fn open_next(&self, message: &Message<'_>) -> Result<Decrypted, DecryptError> {
        let Receiving { chains, next_header } = &self.receiving;
        let header = next_header.decrypt(&message.header).map_err(|Malformed| DecryptError::Diverged)?;
        let pair = self.check_next(&header)?;
        let peer_key = Point::decode(header.ratchet_key).map_err(|_| DecryptError::Diverged)?;
        let agreed = x25519::agree(pair, &peer_key).map_err(|_| DecryptError::Diverged)?;
        let (root, chain_key, next) = self.root.step(&agreed);
        let (advanced, message_key) = advance(&chain_key, 0, header.number)?;
        let plaintext = self.open_body(&message_key, message)?;
        // Skip to the end of the previous chain only now: the body has verified, so the claimed length is authentic.
        let last_of_previous = match chains.front().map(AsRef::as_ref) {
            Some(ReceivingChain { key: Some(key), next, .. }) => skip_to(key, *next, header.previous).1,
            Some(_) | None => NewlySkipped::new(),
        };
        let chain = Box::new(ReceivingChain::begin(next_header.duplicate(), header.ratchet_key, advanced));
        let step = Step { last_of_previous, root, peer_key, chain, next_header: next };
        Ok(Decrypted { change: StateChange::Step(Box::new(step)), plaintext })
    }

    /// Checks that an honest peer could have made this step, before any work is spent on it. P-4.7, P-4.9.
    fn check_next(&self, header: &Header) -> Result<&KeyPair, DecryptError> {
        let chains = &self.receiving.chains;
        // An honest peer steps only after receiving a message under the current local pair, so at most once per local
        // step.
        let answered = chains.is_empty() || self.sending.chain.is_some();
        let known = chains.iter().any(|chain| chain.ratchet_key == header.ratchet_key);
        let received = match chains.front() {
            Some(current) => current.next,
            None => 0,
        };
        let before_the_first = chains.is_empty() && header.previous != 0;
        // An honest peer's chain is never shorter than the part of it that has arrived.
        let missing = header.previous.checked_sub(received).ok_or(DecryptError::Diverged)?;
        if !answered || known || before_the_first {
            return Err(DecryptError::Diverged);
        }
        if header.number > MAX_SKIP || missing > MAX_SKIP {
            return Err(DecryptError::TooFarAhead);
        }
        self.sending.pair.as_ref().ok_or(DecryptError::Diverged)
    }

    /// Decrypts the body. The header's tag has verified over it, so if the body's own tag does not verify, the peer's
    /// keys have diverged from the local ones.
    fn open_body(&self, key: &MessageKey, message: &Message<'_>) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        key.open(message.header.salt, &message.digest, message.body, message.body_tag).ok_or(DecryptError::Diverged)
    }

    /// Applies the change that [`State::open`] computed. Cannot fail.
    pub(super) fn apply(&mut self, change: StateChange) {
        match change {
            StateChange::UseSkipped { chain, number } => {
                if let Some(chain) = self.receiving.chains.get_mut(chain) {
                    // P-4.5: a message key is deleted once its message has been received.
                    chain.skipped.remove(number);
                }
            }
            StateChange::Advance(advanced) => {
                if let Some(current) = self.receiving.chains.front_mut() {
                    current.advance(advanced);
                }
                self.evict();
            }
            StateChange::Step(step) => {
                self.apply_step(step);
                self.evict();
            }
        }
    }

    fn apply_step(&mut self, mut step: Box<Step>) {
        // Swapped, not moved out: a move would leave a copy in the box, which is freed without being wiped.
        core::mem::swap(&mut self.root, &mut step.root);
        core::mem::swap(&mut self.receiving.next_header, &mut step.next_header);
        let Step { last_of_previous, root: _, peer_key, chain, next_header: _ } = *step;
        if let Some(previous) = self.receiving.chains.front_mut() {
            previous.key = None;
            previous.next =
                previous.next.max(last_of_previous.last().map_or(0, |(number, _)| number.saturating_add(1)));
            for (number, key) in last_of_previous {
                previous.skipped.insert(number, key);
            }
        }
        self.receiving.chains.push_front(chain);
        // P-4.12: at most 5 receiving chains.
        self.receiving.chains.truncate(MAX_CHAINS);
        self.sending.peer_key = Some(PeerRatchetKey::decoded(peer_key));
        if let Some(finished) = self.sending.chain.take() {
            self.sending.previous = finished.number;
        }
    }

    /// Deletes the oldest keys of the oldest chains until no more than [`MAX_SKIPPED`] are left. P-4.11.
    fn evict(&mut self) {
        let mut surplus = self.skipped_keys().saturating_sub(MAX_SKIPPED);
        for chain in self.receiving.chains.iter_mut().rev() {
            while surplus > 0 && chain.skipped.remove_oldest() {
                surplus = surplus.saturating_sub(1);
            }
        }
    }

    /// Returns the number of skipped message keys.
    pub(super) fn skipped_keys(&self) -> usize {
        self.receiving.chains.iter().fold(0, |sum, chain| sum.saturating_add(chain.skipped.len()))
    }
}

impl ReceivingChain {
    fn begin(header: HeaderKey, ratchet_key: PublicKey, first: Advanced) -> Self {
        let Advanced { key, next, newly_skipped } = first;
        let skipped = newly_skipped.into_iter().collect();
        Self { header, ratchet_key, key: Some(Box::new(key)), next, skipped }
    }

    fn advance(&mut self, advanced: Advanced) {
        let Advanced { key, next, newly_skipped } = advanced;
        match &mut self.key {
            Some(current) => **current = key,
            None => self.key = Some(Box::new(key)),
        }
        self.next = next;
        for (number, key) in newly_skipped {
            self.skipped.insert(number, key);
        }
    }
}

/// Returns the chain after message `number`, and that message's key.
fn advance(key: &ChainKey, next: u32, number: u32) -> Result<(Advanced, MessageKey), DecryptError> {
    // P-4.9: a bounded number of steps.
    if number.checked_sub(next).ok_or(DecryptError::Replayed)? > MAX_SKIP {
        return Err(DecryptError::TooFarAhead);
    }
    let after = number.checked_add(1).ok_or(DecryptError::TooFarAhead)?;
    let (key, newly_skipped) = skip_to(key, next, number);
    let (key, message_key) = key.step();
    Ok((Advanced { key, next: after, newly_skipped }, message_key))
}
