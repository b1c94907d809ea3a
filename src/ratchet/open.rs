//! Opening a message: find the chain, check the header, take the step, verify the body (docs/spec/session.md, section
//! 4.6).
//!
//! Nothing here changes the state.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::chain::ChainKey;
use super::error::DecryptError;
use super::header::{Header, HeaderError, HeaderKey, SealedHeader};
use super::layout::{HEADER, SALT};
use super::limits::{MAX_GIVEN_UP, MAX_KEPT, MAX_PLAINTEXT};
use super::message_key::MessageKey;
use super::receiving::{Advanced, Change, Decrypted, ReceivingChain, StateChange, Step};
use super::remembered::{Entry, Known};
use super::sending::SendingChain;
use super::skipped::{NewlySkipped, SkippedTo, skip_to};
use super::step::StepInputs;
use super::{Missing, Reading, State, Turn};
use bisik_core::braid::Part;
use bisik_core::codec::{Malformed, Reader};
use bisik_core::internal::InternalError;
use bisik_core::primitives::aead::TAG;
use bisik_core::primitives::x25519::{self, Point};

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
        // P-4.19: at most 64 MiB of plaintext.
        if body.len() > MAX_PLAINTEXT {
            return Err(Malformed);
        }
        let header = SealedHeader { salt, ciphertext };
        Ok(Self { digest: header.digest(binding, body), header, header_tag, body, body_tag })
    }

    fn verifies(&self, key: &HeaderKey) -> bool {
        key.verifies(&self.digest, self.body_tag, self.header_tag)
    }

    fn open_body(&self, key: &MessageKey) -> Option<Zeroizing<Vec<u8>>> {
        key.open(self.header.salt, &self.digest, self.body, self.body_tag)
    }
}

impl State {
    /// Decrypts without changing anything. P-4.5, P-4.8: the header's tag covers the whole message and is verified
    /// first.
    pub(super) fn open(
        &self,
        message: &[u8],
        reading: &Reading<'_>,
        missing: Missing,
    ) -> Result<Decrypted, DecryptError> {
        let message = Message::parse(message, &self.binding)?;
        let chains = &self.receiving.chains;
        if let Some(current) = chains.front().filter(|chain| message.verifies(&chain.header)) {
            return self.open_current(current, &message, missing);
        }
        // Without an own chain, the next header key is that of the own next chain: a step that answers nothing of ours
        // cannot even be opened.
        if let Turn::Ours(own) = &self.turn
            && message.verifies(&self.next_header)
        {
            return self.open_next(own, &message, reading, missing);
        }
        let older = chains.iter().skip(1).find(|chain| message.verifies(&chain.header));
        self.open_ended(older.ok_or(DecryptError::Rejected)?, &message)
    }

    /// Decrypts a message of the newest chain.
    fn open_current(
        &self,
        chain: &ReceivingChain,
        message: &Message<'_>,
        missing: Missing,
    ) -> Result<Decrypted, DecryptError> {
        let header = Self::read_header(&chain.header, message)?;
        self.check_chain(chain, &header, DecryptError::Diverged)?;
        let entry = Entry::new(chain.step, header.number, &message.digest);
        if header.number < chain.next {
            let key = self.skipped_key(&entry)?;
            let plaintext = message.open_body(&key).ok_or(DecryptError::Diverged)?;
            let chains = StateChange::UseSkipped { step: entry.step, number: entry.number };
            let change = self.change(chains, entry, &header, 0, Some(header.part))?;
            return Ok(Decrypted { change, plaintext });
        }
        // The ratchet key of a responder's first chain comes with the first message that verifies.
        let first_key = match chain.ratchet_key {
            Some(_) => None,
            None => Some(Box::new(Point::decode(header.ratchet_key).map_err(|_| DecryptError::Diverged)?)),
        };
        let gap = header.number.checked_sub(chain.next).ok_or(DecryptError::Diverged)?;
        self.check_room(gap, 0, missing)?;
        let key = chain.key.as_ref().ok_or(DecryptError::Diverged)?;
        let (advanced, message_key, given_up) = self.advance(key, chain.next, header.number)?;
        let plaintext = message.open_body(&message_key).ok_or(DecryptError::Diverged)?;
        let chains = StateChange::Advance(Advanced { first_key, ..advanced });
        let change = self.change(chains, entry, &header, given_up, Some(header.part))?;
        Ok(Decrypted { change, plaintext })
    }

    /// Decrypts a late message of an ended chain. P-4.20: who copied the state once knows the header keys of ended
    /// chains, so that no contradiction under them says anything of this session.
    fn open_ended(&self, chain: &ReceivingChain, message: &Message<'_>) -> Result<Decrypted, DecryptError> {
        let header = chain.header.decrypt(&message.header).map_err(|_| DecryptError::Rejected)?;
        self.check_chain(chain, &header, DecryptError::Rejected)?;
        if header.number >= chain.next {
            return Err(DecryptError::Rejected);
        }
        let entry = Entry::new(chain.step, header.number, &message.digest);
        let key = self.skipped_key(&entry)?;
        let plaintext = message.open_body(&key).ok_or(DecryptError::Rejected)?;
        let chains = StateChange::UseSkipped { step: entry.step, number: entry.number };
        // P-5.7: after a theft, a thief may still have the kept keys of ended chains.
        let change = self.change(chains, entry, &header, 0, None)?;
        Ok(Decrypted { change, plaintext })
    }

    /// THE STEP, receiving side: the next header key has verified the tag, so the peer has begun its next chain.
    fn open_next(
        &self,
        own: &SendingChain,
        message: &Message<'_>,
        reading: &Reading<'_>,
        missing: Missing,
    ) -> Result<Decrypted, DecryptError> {
        let header = Self::read_header(&self.next_header, message)?;
        let number = self.step.checked_add(1).ok_or(DecryptError::Diverged)?;
        // P-3.13, P-3.17: in step 1, what only this side's identity agrees on, and the secret of an older session.
        let reading = if number == 1 { *reading } else { Reading::default() };
        let resumption = reading.resumption(header.bound).ok_or(DecryptError::Diverged)?;
        let post_quantum =
            self.post_quantum.mixed_by_peer(header.mixed, &header.part).map_err(|Malformed| DecryptError::Diverged)?;
        let peer_key = Point::decode(header.ratchet_key).map_err(|_| DecryptError::Diverged)?;
        let previous = self.check_next(&header, missing)?;
        let (agreed, identity) = match reading.identity {
            Some(identity) => {
                let [agreed, identity] = x25519::agree_each([(&own.pair, &peer_key), (identity, &peer_key)])
                    .map_err(|_| DecryptError::Diverged)?;
                (agreed, Some(identity))
            }
            None => {
                let [agreed] = x25519::agree_each([(&own.pair, &peer_key)]).map_err(|_| DecryptError::Diverged)?;
                (agreed, None)
            }
        };
        let output = self.root.step(&StepInputs {
            step: number,
            agreed: &agreed,
            identity: identity.as_ref(),
            resumption,
            bound: header.bound,
            post_quantum,
            mixed: header.mixed,
            stepping: &header.ratchet_key,
            other: own.pair.public(),
        });
        let (advanced, message_key, given_up) = self.advance(&output.chain, 0, header.number)?;
        let plaintext = message.open_body(&message_key).ok_or(DecryptError::Diverged)?;
        // Skip to the end of the previous chain only now: the body has verified, so the claimed length is authentic.
        let (last_of_previous, given_up_at_the_end) = match previous {
            Some((key, next)) => {
                let SkippedTo { chain: _, keys, given_up } = skip_to(key, next, header.previous, self.counted());
                (keys, given_up)
            }
            None => (NewlySkipped::default(), 0),
        };
        let Advanced { key, next, newly_skipped, first_key: _ } = advanced;
        let chain = ReceivingChain {
            step: number,
            mixed: header.mixed,
            header: self.next_header.duplicate(),
            ratchet_key: Some(header.ratchet_key),
            key: Some(Box::new(key)),
            next,
        };
        let step = Step {
            last_of_previous,
            previous: header.previous,
            root: output.root,
            peer_key,
            chain: Box::new(chain),
            newly_skipped,
            next_header: output.next_header,
            resumption: output.resumption,
            bound: header.bound,
            mixed: header.mixed,
        };
        let entry = Entry::new(number, header.number, &message.digest);
        let given_up = given_up.saturating_add(given_up_at_the_end);
        let change = self.change(StateChange::Step(Box::new(step)), entry, &header, given_up, Some(header.part))?;
        Ok(Decrypted { change, plaintext })
    }

    /// What the message does, now that its body has verified: only here is the braid's part looked at.
    fn change(
        &self,
        chains: StateChange,
        entry: Entry,
        header: &Header,
        given_up: u32,
        part: Option<Part>,
    ) -> Result<Change, DecryptError> {
        let braid = match &part {
            Some(part) => self.post_quantum.receive(part).map_err(|InternalError| DecryptError::Diverged)?,
            None => None,
        };
        Ok(Change { chains, entry, peer_reads: header.reads, given_up, part, braid })
    }

    /// Decrypts a header whose tag has verified.
    fn read_header(key: &HeaderKey, message: &Message<'_>) -> Result<Header, DecryptError> {
        key.decrypt(&message.header).map_err(|error| match error {
            HeaderError::UnsupportedVersion(version) => DecryptError::UnsupportedVersion(version),
            HeaderError::Malformed => DecryptError::Diverged,
        })
    }

    /// Compares a header with the chain that its key belongs to. P-4.21: two steps that were made from one root are
    /// evidence of a copied state. `otherwise` is what any other contradiction means under the key of this chain.
    fn check_chain(
        &self,
        chain: &ReceivingChain,
        header: &Header,
        otherwise: DecryptError,
    ) -> Result<(), DecryptError> {
        if chain.ratchet_key.is_some_and(|known| known != header.ratchet_key) {
            return Err(DecryptError::Forked { step: chain.step, number: header.number });
        }
        // P-5.4: the root that a chain comes from, and what entered it, are the same for all of its messages.
        let same_root = header.mixed == chain.mixed && header.bound == self.bound_of(chain.step);
        // Nothing came before an initiator's first chain.
        let begins = chain.ratchet_key.is_some() || header.previous == 0;
        if same_root && begins && self.post_quantum.permits(&header.part) { Ok(()) } else { Err(otherwise) }
    }

    /// Checks that an honest peer could have made this step, before anything is agreed or stepped. Returns the key and the
    /// next number of the chain that it ends. P-4.20, P-4.12.
    fn check_next(&self, header: &Header, missing: Missing) -> Result<Option<(&ChainKey, u32)>, DecryptError> {
        let chains = &self.receiving.chains;
        let known = chains.iter().any(|chain| chain.ratchet_key == Some(header.ratchet_key));
        if known || !self.post_quantum.permits(&header.part) {
            return Err(DecryptError::Diverged);
        }
        let Some(current) = chains.front() else {
            // The peer has had no chain before its first.
            if header.previous != 0 {
                return Err(DecryptError::Diverged);
            }
            self.check_room(header.number, 0, missing)?;
            return Ok(None);
        };
        // An honest peer's chain is never shorter than the part of it that has arrived.
        let at_the_end = header.previous.checked_sub(current.next).ok_or(DecryptError::Diverged)?;
        self.check_room(header.number, at_the_end, missing)?;
        Ok(Some((current.key.as_ref().ok_or(DecryptError::Diverged)?, current.next)))
    }

    /// P-4.15: there is room for the keys of all messages that are missing before this one, in its chain and at the end
    /// of the chain before it; or the caller gives up what does not fit.
    fn check_room(&self, gap: u32, at_the_end: u32, missing: Missing) -> Result<(), DecryptError> {
        let needed = gap.saturating_add(at_the_end);
        match missing {
            Missing::Keep if self.skipped_keys().saturating_add(needed) > MAX_KEPT => {
                Err(DecryptError::Ahead { missing: needed })
            }
            Missing::GiveUp if gap > MAX_GIVEN_UP || at_the_end > MAX_GIVEN_UP => Err(DecryptError::TooFar),
            Missing::Keep | Missing::GiveUp => Ok(()),
        }
    }

    /// How many messages will have been received with this one: what keys that it skips are kept at.
    const fn counted(&self) -> u32 {
        self.receiving.received.saturating_add(1)
    }

    /// The kept key of a message whose number is below that of the next one.
    fn skipped_key(&self, entry: &Entry) -> Result<MessageKey, DecryptError> {
        self.receiving.skipped.get(entry.step, entry.number).ok_or_else(|| self.used(entry))
    }

    /// P-4.10, P-4.21: why a message whose number was used cannot be read.
    fn used(&self, entry: &Entry) -> DecryptError {
        match self.remembered.compare(entry) {
            Known::Same => DecryptError::Duplicate,
            Known::Other => DecryptError::Forked { step: entry.step, number: entry.number },
            Known::Forgotten => DecryptError::Spent,
        }
    }

    /// Returns the chain after message `number`, that message's key, and how many messages before it are given up. The
    /// caller has checked the distance.
    fn advance(&self, key: &ChainKey, next: u32, number: u32) -> Result<(Advanced, MessageKey, u32), DecryptError> {
        // P-4.13: no chain has a message 2^32 - 1.
        let after = number.checked_add(1).ok_or(DecryptError::Diverged)?;
        let SkippedTo { chain, keys, given_up } = skip_to(key, next, number, self.counted());
        let (key, message_key) = chain.step();
        Ok((Advanced { key, next: after, newly_skipped: keys, first_key: None }, message_key, given_up))
    }
}
