//! [`Staged`]: a decrypted message that waits until its state is stored before it is shown.
//!
//! Performs no I/O: it makes the record, and relies on the caller to store it.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{Ciphertext, DecryptError, Opening, Plaintext, SealError, SealedParts, Session, Standing};
use crate::keys::Identity;
use crate::ratchet::{Change, Decrypted, Missing, Reading};
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
/// # let mut a = Session::initiate(&alice, &bundle, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// # let message = b.encrypt(b"hai", rng)?;
/// # let key = StorageKey::generate(rng);
/// let id = *a.id(); // names the record
/// let mut staged = a.stage(&alice, &message)?;
/// let sealed = staged.seal(&key, &id, rng)?;
/// for write in sealed.writes() {
///     // .. store it
/// #   drop(write);
/// }
/// sealed.stored();
/// // Now the plaintext may be shown.
/// assert_eq!(staged.commit().plaintext, Plaintext::Confirmed(b"hai".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a message that is not committed was not received"]
pub struct Staged<'a> {
    session: &'a mut Session,
    plaintext: Zeroizing<Vec<u8>>,
    /// The standing of the session after the message.
    standing: Standing,
    confirms: bool,
    given_up: u32,
    /// What the message does, until it is done: by the commit, or by sealing, after which only the commit leads on. Not
    /// boxed: a staged message lives as long as a function call, on the stack, where the change was computed.
    change: Option<Change>,
}

impl Session {
    /// Decrypts one message without changing the session. If the result is dropped, the message can be received again;
    /// if the result was sealed before it was dropped, only after the session is loaded again ([`Staged::seal`]).
    /// `identity` is the local one: whoever initiated needs it to read the first answer.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the session is unchanged.
    pub fn stage(&mut self, identity: &Identity, message: &Ciphertext) -> Result<Staged<'_>, DecryptError> {
        self.stage_missing(identity, message, Missing::Keep)
    }

    /// Like [`decrypt_giving_up`](Self::decrypt_giving_up), without changing the session.
    ///
    /// # Errors
    ///
    /// [`DecryptError`]. On error the session is unchanged.
    pub fn stage_giving_up(&mut self, identity: &Identity, message: &Ciphertext) -> Result<Staged<'_>, DecryptError> {
        self.stage_missing(identity, message, Missing::GiveUp)
    }

    fn stage_missing(
        &mut self,
        identity: &Identity,
        message: &Ciphertext,
        missing: Missing,
    ) -> Result<Staged<'_>, DecryptError> {
        self.lineage.check()?;
        if message.is_pre_key_message() && !self.recognizes(message) {
            return Err(DecryptError::OpensNewSession);
        }
        let mut reading = Reading::default();
        if let Opening::Waiting(waiting) = &self.opening {
            if waiting.own != *identity.public() {
                return Err(DecryptError::WrongIdentity);
            }
            reading.identity = Some(identity.agreement());
            for share in &waiting.shares {
                let slot = usize::from(share.place).checked_sub(1).and_then(|index| reading.resumptions.get_mut(index));
                if let Some(slot) = slot {
                    *slot = Some(&*share.input);
                }
            }
        }
        let Decrypted { change, plaintext } = self.ratchet.open(message.ratchet_message(), &reading, missing)?;
        let standing = match (self.standing(), change.step()) {
            (Standing::Waiting | Standing::Confirmed, _) => Standing::Confirmed,
            (Standing::Unconfirmed, step) if step >= 2 => Standing::Confirmed,
            (Standing::Unconfirmed, _) => Standing::Unconfirmed,
        };
        let confirms = standing == Standing::Confirmed && self.standing() != Standing::Confirmed;
        Ok(Staged { session: self, plaintext, standing, confirms, given_up: 0, change: Some(change) })
    }
}

impl Staged<'_> {
    /// Returns the plaintext, to store in the same transaction as the session. Show it only after
    /// [`commit`](Staged::commit).
    pub fn plaintext(&self) -> Plaintext<&[u8]> {
        Plaintext::new(&self.plaintext, self.standing)
    }

    /// Deletes the message's key and returns its plaintext. Cannot fail.
    pub fn commit(mut self) -> super::Decrypted {
        self.apply();
        let Self { session, mut plaintext, standing, confirms, given_up, change: _ } = self;
        session.lineage.commit();
        let plaintext = Plaintext::new(core::mem::take(&mut *plaintext), standing);
        super::Decrypted { plaintext, given_up, confirms }
    }

    /// Does what the message does, once.
    fn apply(&mut self) {
        let Some(change) = self.change.take() else { return };
        if let Opening::Waiting(waiting) = &self.session.opening {
            // Any message from the peer proves that it has the pre-key header, and takes part.
            let share = change.binds().and_then(|place| waiting.shares.iter().find(|share| share.place == place));
            self.session.bound_by = share.map(|share| share.name);
            self.session.opening = Opening::Answered;
        }
        self.given_up = self.session.ratchet.apply(change);
    }

    /// Seals the session as [`commit`](Staged::commit) will leave it. Store [all of it](SealedParts::writes), then commit.
    ///
    /// From here on only [`commit`](Staged::commit) leads on. If this value is dropped instead, because storing failed or
    /// its outcome is unknown, every later operation of the session is an error `Poisoned`: drop the session too, and load
    /// the record that the database has. Otherwise a later record, without the message, could replace this one.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`]. On error the session is unchanged.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedParts, SealError> {
        let sealing = self.session.lineage.seal_staged(key)?;
        self.apply();
        Ok(self.session.seal_as(sealing, key, context, &mut rng))
    }
}

impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("session", &self.session).finish_non_exhaustive()
    }
}
