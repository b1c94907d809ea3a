//! [`Held`]: a ciphertext that is given out only against the proof that its state was stored.
//!
//! Does not know databases: [`Stored`] is the caller's word that its database has the record.

use core::fmt;

use rand_core::CryptoRng;

use super::{Ciphertext, EncryptError, Session, Stored};

/// A message that was encrypted and cannot be sent yet.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::*;
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let bundle = keys.bundle().verify(Trust::OnFirstUse, now)?;
/// # let mut session = Session::initiate(&alice, &bundle, rng)?;
/// # let key = StorageKey::generate(rng);
/// let held = session.encrypt_held(b"halo", rng)?;
/// let record = session.seal(&key, b"session with bob", rng);
/// // .. the database has stored `record.as_bytes()`, and only then:
/// let stored = record.stored();
/// let message = held.release(&stored).expect("stored after it was encrypted");
/// # let _ = message;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the message was encrypted and is not sent"]
pub struct Held {
    ciphertext: Ciphertext,
    session: [u8; 16],
    revision: u64,
}

impl Session {
    /// Like [`Session::encrypt`], but the message comes out only against the proof that the session was stored after it.
    ///
    /// Dropping the result loses nothing but this message: the peer sees a gap, as for any lost message.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]; the session is unchanged then.
    pub fn encrypt_held(
        &mut self,
        plaintext: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Held, EncryptError> {
        let ciphertext = self.encrypt(plaintext, rng)?;
        Ok(Held { ciphertext, session: self.id, revision: self.revision })
    }
}

impl Held {
    /// Gives the message out, if `stored` is of the same session and not older than the message.
    ///
    /// # Errors
    ///
    /// The held message itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<Ciphertext, Self> {
        if stored.session == self.session && stored.revision >= self.revision { Ok(self.ciphertext) } else { Err(self) }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ciphertext, session: _, revision } = self;
        f.debug_struct("Held").field("ciphertext", ciphertext).field("revision", revision).finish_non_exhaustive()
    }
}
