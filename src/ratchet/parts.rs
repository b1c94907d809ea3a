//! The parts of the public methods that a session needs one by one, and the encoding for its record.

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::error::DecryptError;
use super::inputs::{Making, Missing, Reading};
use super::receiving::Decrypted;
use super::resumption::Resumption;
use super::sending::EncryptError;
use super::{DoubleRatchet, State};
use bisik_core::codec::{Malformed, Reader, SecretWriter};

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
        let given_up = self.state.apply(change);
        (core::mem::take(&mut *plaintext), given_up)
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

    /// Appends the state, as section 6.4 encodes it.
    pub(crate) fn write(&self, writer: &mut SecretWriter) {
        self.state.write(writer);
    }

    /// Reads the encoding of [`write`](Self::write).
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { state: State::read(reader)? })
    }
}
