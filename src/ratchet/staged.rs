//! [`Staged`]: a decrypted message that is not committed yet.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::DoubleRatchet;
use super::receiving::Decrypted;

/// A decrypted message that is not committed yet. See [`DoubleRatchet::stage`].
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::ratchet::{DoubleRatchet, SharedSecret};
///
/// let mut alice = DoubleRatchet::initiator(&SharedSecret::from_bytes([7; 32]), &[0; 32], rng);
/// let mut bob = DoubleRatchet::responder(&SharedSecret::from_bytes([7; 32]), &[0; 32]);
/// let message = alice.encrypt(b"halo", rng)?;
/// let staged = bob.stage(&message)?;
/// let stored = staged.plaintext().to_vec(); // in the database
/// assert_eq!(staged.commit(), stored);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a message that is not committed was not received"]
pub struct Staged<'a> {
    pub(super) ratchet: &'a mut DoubleRatchet,
    pub(super) decrypted: Decrypted,
}

impl Staged<'_> {
    /// The plaintext, to store in the same transaction as the state. Show it only after [`commit`](Staged::commit).
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.decrypted.plaintext
    }

    /// Deletes the message's key and returns its plaintext. Cannot fail.
    #[must_use]
    pub fn commit(self) -> Vec<u8> {
        let Self { ratchet, decrypted } = self;
        ratchet.commit(decrypted).0
    }

    /// Encodes the state as the commit will leave it.
    pub(super) fn encode_after(&self) -> Zeroizing<Vec<u8>> {
        self.ratchet.after(&self.decrypted).state.encode()
    }
}

impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("length", &self.decrypted.plaintext.len()).finish_non_exhaustive()
    }
}
