//! [`GroupHeld`] and [`GroupReceiver::decrypt_held`]: what is released only against proof that the sender key was
//! stored.
//!
//! The protocol has no salt: a sender key that was rolled back encrypts two messages under one key and initialisation
//! vector. A program that sends nothing but released messages never does this, wherever it crashes.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::error::{GroupDecryptError, GroupEncryptError};
use super::receiving::GroupReceiver;
use super::sending::GroupSender;
use bisik_core::held::{self, HeldPlaintext, Stored};

/// A message to a group that was encrypted and cannot be sent yet.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// # let key = bisik_core::storage::StorageKey::generate(rng);
/// use bisik::interop::signal::{GroupSender, SenderKeyFormat};
///
/// let mut alice = GroupSender::generate(SenderKeyFormat::WhatsApp, rng);
/// let held = alice.encrypt_held(b"halo, semua", rng)?;
/// let record = alice.seal(&key, b"sender key of group 17", rng)?;
/// // .. the database has stored `record.as_bytes()`, and only then:
/// let stored = record.stored();
/// let message = held.release(&stored).expect("stored after it was encrypted");
/// # let _ = message;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the message was encrypted and is not sent"]
pub struct GroupHeld(held::Held<Vec<u8>>);

impl GroupSender {
    /// Like [`GroupSender::encrypt`], but the message comes out only against the proof that the sender key was stored
    /// after it.
    ///
    /// Dropping the result loses nothing but this message: members see a gap, as for any lost message.
    ///
    /// # Errors
    ///
    /// [`GroupEncryptError`]; the sender key is then unchanged.
    pub fn encrypt_held(
        &mut self,
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupHeld, GroupEncryptError> {
        let message = self.encrypt(plaintext, rng)?;
        Ok(GroupHeld(held::Held::new(message, self.lineage.origin())))
    }
}

impl GroupReceiver {
    /// Like [`GroupReceiver::decrypt`], but the plaintext comes out only against the proof that the receiver was stored
    /// after it.
    ///
    /// Unlike [`GroupReceiver::stage`], this commits at once and gives an owned value, so that any number of received
    /// messages can be held at once and released against one stored record.
    ///
    /// # Errors
    ///
    /// [`GroupDecryptError`]; the receiver is then unchanged.
    pub fn decrypt_held(&mut self, message: &[u8]) -> Result<HeldPlaintext, GroupDecryptError> {
        let plaintext = self.stage(message)?.commit();
        Ok(held::held_plaintext(plaintext, self.lineage.origin()))
    }
}

impl GroupHeld {
    /// The message, for an outbox in the transaction that stores the sender key too. Send nothing of it before
    /// [`release`](Self::release).
    #[must_use]
    pub fn for_outbox(&self) -> &[u8] {
        self.0.peek()
    }

    /// Gives the message out if `stored` is of the sender key that encrypted it, and not older than the message.
    ///
    /// # Errors
    ///
    /// The held message itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<Vec<u8>, Self> {
        self.0.release(stored).map_err(Self)
    }
}

impl fmt::Debug for GroupHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(held) = self;
        f.debug_struct("GroupHeld")
            .field("length", &held.peek().len())
            .field("revision", &held.revision())
            .finish_non_exhaustive()
    }
}
