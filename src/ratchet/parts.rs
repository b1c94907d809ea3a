//! The parts of the public methods that a session needs one by one, and the encoding for its record.

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::error::DecryptError;
use super::inputs::{Making, Missing, Reading};
use super::receiving::{Change, Decrypted};
use super::resumption::Resumption;
use super::sending::EncryptError;
use super::skipped::{KeysIn, LooseKeys, SkippedKeys};
use super::{DoubleRatchet, State};
use bisik_core::blocks::{BlockId, BlockWriter, Ended};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::storage::{StorageKey, UnsealError};

/// A state as its encoding says, of which nothing is checked that depends on the keys in blocks.
pub(crate) struct Encoded {
    state: Box<State>,
    loose: LooseKeys,
}

impl Encoded {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (state, loose) = State::read(reader)?;
        Ok(Self { state, loose })
    }

    /// The ratchet, with the keys that the encoding has itself and those in `blocks`, which the record names.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if no ratchet has this state.
    pub(crate) fn with(self, blocks: Blocks, keys: KeysIn) -> Result<DoubleRatchet, Malformed> {
        let Self { mut state, loose } = self;
        let Blocks(skipped) = blocks;
        state.receiving.skipped = skipped;
        state.receiving.skipped.add_loose(&loose, keys)?;
        if state.is_possible() { Ok(DoubleRatchet { state }) } else { Err(Malformed) }
    }
}

/// The blocks of skipped message keys that a record names.
#[derive(Default)]
pub(crate) struct Blocks(SkippedKeys);

impl Blocks {
    /// Opens the next block.
    ///
    /// # Errors
    ///
    /// As for [`bisik_core::blocks::open`].
    pub(crate) fn add(&mut self, id: BlockId, key: &StorageKey, block: Option<&[u8]>) -> Result<(), UnsealError> {
        self.0.add_block(id, key, block)
    }
}

impl DoubleRatchet {
    /// Encrypts one message and appends it to `output`: [`OVERHEAD`](Self::OVERHEAD) bytes more than `plaintext`.
    pub(crate) fn encrypt_into(
        &mut self,
        output: &mut Vec<u8>,
        plaintext: &[u8],
        making: &Making<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), EncryptError> {
        self.state.encrypt_into(output, plaintext, making, rng)
    }

    /// Decrypts one message without changing anything.
    pub(crate) fn open(
        &self,
        message: &[u8],
        reading: &Reading<'_>,
        missing: Missing,
    ) -> Result<Decrypted, DecryptError> {
        self.state.open(message, reading, missing)
    }

    /// Applies the result of [`open`](Self::open). Returns the plaintext, and how many missing messages can no longer be
    /// read. Cannot fail.
    pub(crate) fn commit(&mut self, decrypted: Decrypted) -> (Vec<u8>, u32) {
        let Decrypted { change, mut plaintext } = decrypted;
        let given_up = self.apply(change);
        (core::mem::take(&mut *plaintext), given_up)
    }

    /// Applies the change alone. Returns how many missing messages can no longer be read. Cannot fail.
    pub(crate) fn apply(&mut self, change: Change) -> u32 {
        self.state.apply(change)
    }

    /// A copy of the ratchet as [`commit`](Self::commit) will leave it, to be encoded before the commit.
    pub(crate) fn after(&self, decrypted: &Decrypted) -> Self {
        let mut state = self.state.duplicate();
        state.apply(decrypted.change.duplicate(&self.state.post_quantum));
        Self { state }
    }

    /// What every message is bound to.
    pub(crate) const fn binding(&self) -> &[u8; 32] {
        &self.state.binding
    }

    /// The number of the last step, which either side made.
    pub(crate) const fn step(&self) -> u32 {
        self.state.step
    }

    /// The step of the newest chain of the peer's in which something was read; `None` before anything was.
    pub(crate) fn newest_received(&self) -> Option<u32> {
        self.state.receiving.chains.front().filter(|chain| chain.ratchet_key.is_some()).map(|chain| chain.step)
    }

    /// How many messages were received.
    pub(crate) const fn messages_received(&self) -> u32 {
        self.state.receiving.received
    }

    /// Whether this side sends the first message.
    pub(crate) const fn is_initiator(&self) -> bool {
        self.state.is_initiator()
    }

    /// The place of the resumption secret that enters, or has entered, step 1.
    pub(crate) const fn bound(&self) -> u8 {
        self.state.bound
    }

    /// Sets that place, on the side that will make step 1.
    pub(crate) const fn bind(&mut self, place: u8) {
        self.state.bound = place;
    }

    pub(crate) fn offer(&self) -> Option<Resumption> {
        self.state.resumptions.offer.as_ref().map(|offer| offer.duplicate())
    }

    pub(crate) fn accepts(&self) -> Vec<Resumption> {
        self.state.resumptions.accepted()
    }

    pub(crate) fn forget_resumption(&mut self, name: &[u8; 8]) -> bool {
        self.state.resumptions.forget(name)
    }

    pub(crate) fn forget_all_resumption(&mut self) -> bool {
        self.state.resumptions.forget_all()
    }

    /// Names the blocks of skipped message keys, and gives those that the store does not have.
    pub(crate) fn write_blocks(&mut self, writer: &mut BlockWriter<'_>) {
        self.state.receiving.skipped.write_blocks(writer);
    }

    /// The blocks that have ended.
    pub(crate) fn ended_blocks(&mut self) -> &mut Ended {
        self.state.receiving.skipped.ended()
    }

    /// Appends the state, as section 6.4 encodes it.
    pub(crate) fn write(&self, keys: KeysIn, writer: &mut SecretWriter) {
        self.state.write(keys, writer);
    }

    /// Reads the encoding of [`write`](Self::write).
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Encoded, Malformed> {
        Encoded::read(reader)
    }
}
