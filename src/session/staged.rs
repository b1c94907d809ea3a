//! [`Staged`]: a decrypted message that waits until its state is stored before it is shown.
//!
//! Performs no I/O: it makes the record, and relies on the caller to store it.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::{Ciphertext, DecryptError, Session, SetupState};
use crate::ratchet::Decrypted;
use bisik_core::held::SealedRecord;
use bisik_core::revision::Reserved;
use bisik_core::storage::StorageKey;

/// A decrypted message that is not committed: the session has not changed yet.
///
/// It borrows the session. Nothing else can change the session before the commit, so the commit cannot fail. To hold
/// several messages at once, use [`Session::decrypt_held`].
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::*;
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let bundle = keys.bundle().verify(Trust::OnFirstUse, now)?;
/// # let mut a = Session::initiate(&alice, &bundle, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse)?;
/// # let message = b.encrypt(b"hai", rng)?;
/// # let key = StorageKey::generate(rng);
/// let mut staged = a.stage(&message)?;
/// let record = staged.seal(&key, b"session with bob", rng);
/// // Once the database has stored `record.as_bytes()`, the plaintext may be shown.
/// assert_eq!(staged.commit(), b"hai");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a message that is not committed was not received"]
pub struct Staged<'a> {
    session: &'a mut Session,
    decrypted: Decrypted,
    /// The revision of the record that was sealed, if any.
    sealed: Reserved,
}

impl Session {
    /// Decrypts one message without changing the session. If the result is dropped, the message can be received again.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the session is unchanged.
    pub fn stage(&mut self, message: &Ciphertext) -> Result<Staged<'_>, DecryptError> {
        if message.is_pre_key_message() && !self.recognizes(message) {
            return Err(DecryptError::OpensNewSession);
        }
        let decrypted = self.ratchet.open(message.ratchet_message())?;
        Ok(Staged { session: self, decrypted, sealed: Reserved::default() })
    }
}

impl Staged<'_> {
    /// Returns the plaintext, to store in the same transaction as the session. Show it only after
    /// [`commit`](Staged::commit).
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        self.decrypted.plaintext()
    }

    /// Deletes the message's key and returns its plaintext. Cannot fail.
    #[must_use]
    pub fn commit(self) -> Vec<u8> {
        let Self { session, decrypted, sealed } = self;
        let plaintext = session.ratchet.commit(decrypted);
        if !session.is_confirmed() {
            session.setup = session.setup.after_receiving();
        }
        sealed.commit(&mut session.revision);
        plaintext
    }

    /// Seals the session as [`commit`](Staged::commit) will leave it. Store the record, then commit.
    ///
    /// No record of another state gets the revision of this one, even if the message is not committed after all.
    pub fn seal(&mut self, key: &StorageKey, context: &[u8], mut rng: &mut (impl CryptoRng + ?Sized)) -> SealedRecord {
        let Self { session, decrypted, sealed } = self;
        let revision = sealed.reserve(&mut session.revision);
        let Session { ratchet, id, peer, disclosure, setup, revision: _, instance } = &**session;
        let after = Session {
            ratchet: ratchet.after(decrypted),
            id: *id,
            peer: *peer,
            disclosure: *disclosure,
            setup: setup.after_receiving(),
            revision,
            instance: instance.clone(),
        };
        after.seal_with(key, context, &mut rng)
    }
}

impl SetupState {
    /// Any message from the peer proves that it has the pre-key header.
    fn after_receiving(&self) -> Self {
        match self {
            Self::Unanswered(_) | Self::Answered => Self::Answered,
            Self::Accepted(digest) => Self::Accepted(digest.clone()),
        }
    }
}

impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("session", &self.session).finish_non_exhaustive()
    }
}
