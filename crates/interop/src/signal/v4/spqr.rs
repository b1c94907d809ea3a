//! [`Spqr`]: the post-quantum ratchet of one state: chains that give every message a key, and the braid that gives the
//! chains new secrets (docs/interop.md, section 13).
//!
//! The braid is never needed for the key of the same message. So a message's key comes first, then its tag and body, and
//! only then what it says for the braid.

use alloc::boxed::Box;

use rand_core::CryptoRng;

use super::chains::{Chain, ChainChange, Chains, Found};
use super::part::{PqPart, VERSION};
use crate::labels;
use crate::signal::ratchet::{EncryptError, OpenError};
use bisik_core::braid::{Braid, Change, Draw, EpochSecret, Labels, MlKem768, Part, Wants};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;

/// What Signal's braid does differently from the native one.
static SIGNAL: Labels = Labels {
    epoch: labels::BRAID_EPOCH,
    authenticator: labels::BRAID_AUTHENTICATOR,
    header: labels::BRAID_HEADER,
    ciphertext: labels::BRAID_CIPHERTEXT,
    wide: true,
};

/// The state of one post-quantum ratchet.
pub(super) struct Spqr {
    initiator: bool,
    /// Whether a message of version 1 was read: from then on no other version is. S-13.12.
    settled: bool,
    chains: Chains,
    braid: Box<Braid>,
}

/// The post-quantum part of a message that is sent, its key, and what sending it does.
pub(super) struct Sending {
    pub(super) part: PqPart,
    pub(super) key: Secret<32>,
    chain: Box<Chain>,
    secret: Option<EpochSecret>,
    change: Change<MlKem768>,
}

/// What a message that verified does. `braid` is `None` for a part of a later version, which the braid does not read.
pub(super) struct Receiving {
    part: PqPart,
    chains: ChainChange,
    braid: Option<bisik_core::braid::Received<MlKem768>>,
}

impl Spqr {
    /// Starts from the third secret of PQXDH.
    pub(super) fn start(initiator: bool, start: &Secret<32>) -> Self {
        let braid = if initiator { Braid::initiator(&SIGNAL, start) } else { Braid::responder(&SIGNAL, start) };
        Self { initiator, settled: false, chains: Chains::start(initiator, start), braid: Box::new(braid) }
    }

    /// The braid's epoch.
    pub(super) const fn epoch(&self) -> u32 {
        self.braid.epoch()
    }

    /// Messages sent and received under the newest secret in use.
    pub(super) fn messages(&self) -> u32 {
        self.chains.messages(self.epoch().saturating_sub(1))
    }

    /// Makes the part and the key of the next message. Uses 64 bytes of `rng` for a new key of the braid and 32 for an
    /// encapsulation, where one is due. Changes nothing.
    pub(super) fn send(&self, rng: &mut dyn CryptoRng) -> Result<Sending, EncryptError> {
        let draw = self.braid.wants().map(|wants| match wants {
            Wants::Seed => Draw::Seed(Box::new(Secret::random(rng))),
            Wants::Randomness => Draw::Randomness(Box::new(Secret::random(rng))),
        });
        let bisik_core::braid::Sent { part: braid, secret, change } = self.braid.send(draw)?;
        let part = PqPart { version: VERSION, index: 0, braid };
        let (chain, key) = self.chains.next_to_send(part.chain()).ok_or(EncryptError::Exhausted)?;
        Ok(Sending { part: PqPart { index: chain.counter(), ..part }, key, chain, secret, change })
    }

    /// Applies a message that was made.
    pub(super) fn sent(&mut self, sending: Sending) {
        let Sending { part, key: _, chain, secret, change } = sending;
        self.braid.apply(change);
        self.chains.sent(part.chain(), chain);
        if let Some(secret) = &secret {
            self.chains.add(self.initiator, secret);
        }
    }

    /// How many steps of a chain it takes to the key of a message.
    pub(super) fn steps(&self, part: &PqPart) -> u32 {
        self.chains.steps(part)
    }

    /// The key of a message that arrived, without changing anything. S-13.11, S-13.12.
    pub(super) fn find(&self, part: &PqPart) -> Result<Found, OpenError> {
        let Part { epoch, .. } = part.braid;
        let usable = if part.version == VERSION { self.braid.permits(epoch) } else { !self.settled };
        if usable { self.chains.find(part) } else { Err(OpenError::Rejected) }
    }

    /// What a message does, now that its tag has verified and its body is decrypted. A wrong text of the braid refuses
    /// the message. S-13.14.
    pub(super) fn receive(&self, part: &PqPart, found: Found) -> Result<Receiving, OpenError> {
        let braid = self.read_braid(part)?;
        Ok(Receiving { part: *part, chains: self.chains.change(part, found), braid })
    }

    fn read_braid(&self, part: &PqPart) -> Result<Option<bisik_core::braid::Received<MlKem768>>, OpenError> {
        if part.version != VERSION {
            return Ok(None);
        }
        self.braid.receive(&part.braid).map(Some).map_err(|_| OpenError::Rejected)
    }

    /// Applies a message. Cannot fail.
    pub(super) fn apply(&mut self, receiving: Receiving) {
        let Receiving { part, chains, braid } = receiving;
        self.chains.apply(chains);
        self.settled |= part.version == VERSION;
        if let Some(bisik_core::braid::Received { secret, change }) = braid {
            self.braid.apply(change);
            if let Some(secret) = &secret {
                self.chains.add(self.initiator, secret);
            }
        }
    }

    /// A change for a copy of this very state. What the braid does is computed again: it has no copy.
    pub(super) fn again(&self, receiving: &Receiving) -> Option<Receiving> {
        let Receiving { part, chains, braid: _ } = receiving;
        Some(Receiving { part: *part, chains: chains.duplicate(), braid: self.read_braid(part).ok()? })
    }

    pub(super) fn skipped_keys(&self) -> usize {
        self.chains.skipped_keys()
    }

    pub(super) fn discard_skipped_keys(&mut self, surplus: usize) -> usize {
        self.chains.discard_skipped_keys(surplus)
    }

    pub(super) fn duplicate(&self) -> Self {
        let Self { initiator, settled, chains, braid } = self;
        Self {
            initiator: *initiator,
            settled: *settled,
            chains: chains.duplicate(),
            braid: Box::new(braid.duplicate()),
        }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { initiator, settled, chains, braid } = self;
        writer.flag(*initiator).flag(*settled);
        braid.write(writer);
        chains.write(writer);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (initiator, settled) = (reader.flag()?, reader.flag()?);
        let braid = Box::new(Braid::read(&SIGNAL, initiator, reader)?);
        let chains = Chains::read(braid.epoch(), reader)?;
        Ok(Self { initiator, settled, chains, braid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bisik_core::braid::Kind;

    fn two() -> (Spqr, Spqr) {
        let start = Secret::new([7; 32]);
        (Spqr::start(true, &start), Spqr::start(false, &start))
    }

    fn write(from: &mut Spqr) -> (PqPart, Secret<32>) {
        let sending = from.send(&mut rand::rng()).unwrap();
        let made = (sending.part, sending.key.duplicate());
        from.sent(sending);
        made
    }

    fn read(to: &mut Spqr, part: &PqPart) -> Result<Secret<32>, OpenError> {
        let found = to.find(part)?;
        let key = found.key.duplicate();
        let receiving = to.receive(part, found)?;
        to.apply(receiving);
        Ok(key)
    }

    fn bytes(spqr: &Spqr) -> alloc::vec::Vec<u8> {
        let mut writer = SecretWriter::with_capacity(0);
        spqr.write(&mut writer);
        writer.finish().to_vec()
    }

    /// S-13.12. The chains go on, the braid does not, and the first message of version 1 ends it.
    #[test]
    fn a_part_of_a_later_version_gives_a_key_until_a_message_of_version_1_was_read() {
        let (mut a, mut b) = two();
        for _ in 0..5 {
            let (part, key) = write(&mut a);
            let later = PqPart { version: 2, ..part };
            assert_eq!(read(&mut b, &later).unwrap().expose(), key.expose());
            // Its key is used.
            assert_eq!(read(&mut b, &part).unwrap_err(), OpenError::Replayed);
        }
        // Five chunks of the header came, three of which would have been enough.
        assert_eq!(write(&mut b).0.braid.kind, Kind::None);
        let (part, key) = write(&mut a);
        assert_eq!(read(&mut b, &part).unwrap().expose(), key.expose());
        let (part, _) = write(&mut a);
        assert_eq!(read(&mut b, &PqPart { version: 2, ..part }).unwrap_err(), OpenError::Rejected);
        assert!(read(&mut b, &part).is_ok());
    }

    /// S-13.14. A peer that lies about the braid: the message that shows it is refused, and nothing of it is kept.
    #[test]
    fn a_wrong_text_of_the_braid_refuses_the_message_and_keeps_nothing() {
        let (mut a, mut b) = two();
        for _ in 0..2 {
            let (part, _) = write(&mut a);
            read(&mut b, &part).unwrap();
        }
        let (part, key) = write(&mut a);
        let before = bytes(&b);
        let mut wrong = part;
        wrong.braid.chunk[0] ^= 1;
        assert_eq!(read(&mut b, &wrong).unwrap_err(), OpenError::Rejected);
        assert_eq!(bytes(&b), before);
        assert_eq!(read(&mut b, &part).unwrap().expose(), key.expose());
    }

    /// S-13.8, S-13.11. The next epoch has not begun, and one after it cannot have.
    #[test]
    fn an_epoch_that_has_not_begun_is_refused() {
        let (mut a, mut b) = two();
        let (mut part, _) = write(&mut a);
        for epoch in [2, 3, u32::MAX] {
            part.braid.epoch = epoch;
            assert!(read(&mut b, &part).is_err(), "{epoch}");
        }
    }

    /// S-13.11. After a message was sent in a new chain, late ones of the epoch before it are read, and older ones not.
    #[test]
    fn keys_of_the_epoch_before_the_one_sent_in_are_kept() {
        let (mut a, mut b) = two();
        let (mut late, mut reached) = (alloc::vec::Vec::new(), 0);
        while reached < 4 {
            let (part, key) = write(&mut a);
            if part.chain() >= reached {
                // Kept back, the first of each chain.
                late.push((part, key));
                reached = part.chain().saturating_add(1);
            } else {
                read(&mut b, &part).unwrap();
            }
            let (part, _) = write(&mut b);
            read(&mut a, &part).unwrap();
            // One that is stored goes on the same.
            let stored = bytes(&b);
            b = Spqr::read(&mut Reader::new(&stored)).unwrap();
            assert_eq!(bytes(&b), stored);
        }
        let sent_in = b.epoch().saturating_sub(1);
        for (part, key) in late {
            let result = read(&mut b, &part);
            if part.chain().saturating_add(1) >= sent_in {
                assert_eq!(result.unwrap().expose(), key.expose());
            } else {
                assert_eq!(result.unwrap_err(), OpenError::Replayed);
            }
        }
    }
}
