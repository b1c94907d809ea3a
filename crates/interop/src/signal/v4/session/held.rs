//! [`Held`] and [`Session::decrypt_held`]: what is released only against proof that the session was stored.
//!
//! The protocol has no salt: a message key that is used twice encrypts two messages under one initialisation vector. A
//! program that sends nothing but released messages never does this, wherever it crashes.

use core::fmt;

use rand_core::CryptoRng;

use super::{Ciphertext, DecryptError, EncryptError, Session};
use bisik_core::held::{self, HeldPlaintext, Stored};

/// A message that was encrypted and cannot be sent yet.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// # use bisik::interop::signal::v4::{PreKeys, Session};
/// # use bisik::interop::signal::{Identity, Trust};
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let bundle = PreKeys::generate(&bob, rng).bundle(&bob, 1, None, None)?.verify(Trust::OnFirstUse)?;
/// # let mut session = Session::initiate(&alice, &bundle, None, rng)?;
/// # let key = bisik_core::storage::StorageKey::generate(rng);
/// let held = session.encrypt_held(b"halo", rng)?;
/// let record = session.seal(&key, b"session with bob", rng)?;
/// // .. the database has stored `record.as_bytes()`, and only then:
/// let stored = record.stored();
/// let message = held.release(&stored).expect("stored after it was encrypted");
/// # let _ = message;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the message was encrypted and is not sent"]
pub struct Held(held::Held<Ciphertext>);

impl Session {
    /// Like [`Session::encrypt`], but holds the message until there is proof that the session was stored after it.
    ///
    /// If the result is dropped, only this message is lost: the peer sees a gap, as for any lost message.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]. On error the session is unchanged.
    pub fn encrypt_held(
        &mut self,
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Held, EncryptError> {
        let ciphertext = self.encrypt(plaintext, rng)?;
        Ok(Held(held::Held::new(ciphertext, self.lineage.origin())))
    }

    /// Like [`Session::decrypt`], but holds the plaintext until there is proof that the session was stored after it.
    ///
    /// Unlike [`Session::stage`], this commits at once and returns an owned value, so that any number of received
    /// messages can be held at once and released against one stored record.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the session is unchanged.
    pub fn decrypt_held(&mut self, message: &Ciphertext) -> Result<HeldPlaintext, DecryptError> {
        let plaintext = self.stage(message)?.commit();
        Ok(held::held_plaintext(plaintext, self.lineage.origin()))
    }
}

impl Held {
    /// Returns the message, for an outbox that is written in the transaction that stores the session. Send it only
    /// after [`release`](Self::release).
    #[must_use]
    pub const fn for_outbox(&self) -> &Ciphertext {
        self.0.peek()
    }

    /// Releases the message if `stored` is of the session that encrypted it, and not older than the message.
    ///
    /// # Errors
    ///
    /// Returns the held message itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<Ciphertext, Self> {
        self.0.release(stored).map_err(Self)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(held) = self;
        f.debug_struct("Held")
            .field("ciphertext", held.peek())
            .field("revision", &held.revision())
            .finish_non_exhaustive()
    }
}
