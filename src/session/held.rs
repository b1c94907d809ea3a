//! [`Held`] and [`Session::decrypt_held`]: messages that are released only against proof that the session was stored.
//!
//! Performs no I/O: the caller affirms by [`Stored`] that its database has the record.

use core::fmt;

use rand_core::CryptoRng;

use super::{Ciphertext, DecryptError, Decrypted, EncryptError, Plaintext, Session, Standing, Stored};
use crate::keys::Identity;
use bisik_core::held;

/// An encrypted message that is held until the session is stored.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::*;
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let bundle = keys.bundle().verify(Trust::OnFirstUse, now)?;
/// # let mut session = Session::initiate(&alice, &bundle, now, rng)?;
/// # let key = StorageKey::generate(rng);
/// let id = *session.id(); // names the record
/// let held = session.encrypt_held(b"halo", rng)?;
/// let record = session.seal(&key, &id, rng)?;
/// // Only once the database has stored `record.as_bytes()`:
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
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::*;
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    /// # let keys = PreKeys::generate(&bob, now, rng);
    /// # let bundle = keys.bundle().verify(Trust::OnFirstUse, now)?;
    /// # let mut a = Session::initiate(&alice, &bundle, now, rng)?;
    /// # let hello = a.encrypt(b"halo", rng)?;
    /// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
    /// # let messages = [b.encrypt(b"hai", rng)?, b.encrypt(b"apa kabar", rng)?];
    /// # let key = StorageKey::generate(rng);
    /// let held = [a.decrypt_held(&alice, &messages[0])?, a.decrypt_held(&alice, &messages[1])?];
    /// let id = *a.id(); // names the record
    /// let record = a.seal(&key, &id, rng)?;
    /// // Once the database has stored `record.as_bytes()`, one record for both:
    /// let stored = record.stored();
    /// let [first, second] = held.map(|held| held.release(&stored).expect("stored after both"));
    /// assert_eq!(first.plaintext, Plaintext::Confirmed(b"hai".to_vec()));
    /// assert_eq!(second.plaintext, Plaintext::Confirmed(b"apa kabar".to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the session is unchanged.
    pub fn decrypt_held(&mut self, identity: &Identity, message: &Ciphertext) -> Result<HeldPlaintext, DecryptError> {
        let Decrypted { plaintext, given_up, confirms } = self.stage(identity, message)?.commit();
        let (plaintext, standing) = match plaintext {
            Plaintext::Confirmed(plaintext) => (plaintext, Standing::Confirmed),
            Plaintext::Unconfirmed(unconfirmed) => (unconfirmed.show_unconfirmed(), Standing::Unconfirmed),
        };
        let plaintext = held::held_plaintext(plaintext, self.lineage.origin());
        Ok(HeldPlaintext { plaintext, standing, given_up, confirms })
    }
}

/// A decrypted message that is held until the session is stored. Wiped if it is dropped.
#[must_use = "the message was decrypted and is not shown"]
pub struct HeldPlaintext {
    plaintext: held::HeldPlaintext,
    standing: Standing,
    given_up: u32,
    confirms: bool,
}

impl HeldPlaintext {
    /// Returns the plaintext, for an inbox that is written in the transaction that stores the session. Show it only after
    /// [`release`](Self::release).
    pub fn for_inbox(&self) -> Plaintext<&[u8]> {
        Plaintext::new(self.plaintext.for_inbox(), self.standing)
    }

    /// Releases the message if `stored` is of the session that decrypted it, and not older than the message.
    ///
    /// # Errors
    ///
    /// Returns the held message itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<Decrypted, Self> {
        let Self { plaintext, standing, given_up, confirms } = self;
        match plaintext.release(stored) {
            Ok(plaintext) => Ok(Decrypted { plaintext: Plaintext::new(plaintext, standing), given_up, confirms }),
            Err(plaintext) => Err(Self { plaintext, standing, given_up, confirms }),
        }
    }
}

impl fmt::Debug for HeldPlaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldPlaintext")
            .field("plaintext", &self.plaintext)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
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
