//! [`Staged`]: a message that verified and waits for its state to be stored before it is shown.
//!
//! Performs no I/O: it gives the record, and relies on the caller to store it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::open::{Opened, OpenedMessage};
use super::{Ciphertext, DecryptError, Session, State};
use bisik_core::held::{Lineage, SealError, SealedRecord};
use bisik_core::storage::StorageKey;

/// A message that verified and has not been committed: the session has not changed yet.
///
/// It borrows the session, so that nothing else can change the session before the commit: that is why the commit cannot
/// fail. To hold several messages at once, use [`Session::decrypt_held`].
#[must_use = "a message that is not committed was not received"]
pub struct Staged<'a> {
    session: &'a mut Session,
    opened: OpenedMessage,
}

impl Session {
    /// Decrypts one message without changing anything yet. Dropping the result forgets the message, which can come
    /// again; if the result was sealed before it was dropped, only after the session is loaded again ([`Staged::seal`]).
    ///
    /// # Errors
    ///
    /// [`DecryptError`]; the session is then unchanged.
    pub fn stage(&mut self, message: &Ciphertext) -> Result<Staged<'_>, DecryptError> {
        self.lineage.check()?;
        let opened = self.open(message)?;
        Ok(Staged { session: self, opened })
    }

    /// A second copy, to be sealed with a message applied. No copy leaves the library.
    fn duplicate(&self, lineage: Lineage) -> Self {
        let Self { ours, registration_id, peer, addresses, states, lineage: _ } = self;
        let states = states.iter().map(|state| Box::new(state.duplicate())).collect();
        let (ours, registration_id, peer, addresses) = (*ours, *registration_id, *peer, *addresses);
        Self { ours, registration_id, peer, addresses, states, lineage }
    }
}

impl Staged<'_> {
    /// The plaintext, for the transaction that stores the session too. Showing it is for after
    /// [`commit`](Staged::commit).
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.opened.opened.plaintext
    }

    /// Commits: deletes the message's key and returns its plaintext. Cannot fail.
    #[must_use]
    pub fn commit(self) -> Vec<u8> {
        let Self { session, opened } = self;
        let OpenedMessage { state, opened: Opened { mut plaintext, change, receiving } } = opened;
        session.apply(state, change, receiving);
        session.lineage.commit();
        core::mem::take(&mut *plaintext)
    }

    /// Seals the session as [`commit`](Staged::commit) will leave it: store this, then commit.
    ///
    /// From here on only [`commit`](Staged::commit) leads on. If this value is dropped instead, because storing failed or its
    /// outcome is unknown, every later operation of the session is an error `Poisoned`: drop the session too, and load the record
    /// that the database has. Otherwise a later record, without the message, could replace this one.
    ///
    /// # Errors
    ///
    /// [`SealError`]; the session is then unchanged.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        let Self { session, opened: OpenedMessage { state, opened } } = self;
        session.lineage.admits(key)?;
        let known = session.states.get(*state).ok_or(SealError::Internal)?;
        // The copy is of this very state: what the message does to it is the same.
        let receiving = known.spqr.again(&opened.receiving).ok_or(SealError::Internal)?;
        let lineage = session.lineage.stage(key)?;
        let mut after = session.duplicate(lineage);
        after.apply(*state, opened.change.duplicate(), receiving);
        after.seal(key, context, rng)
    }
}

impl State {
    fn duplicate(&self) -> Self {
        let Self { base_key, peer_registration_id, since_revision, unanswered, ratchet, spqr } = self;
        Self {
            base_key: *base_key,
            peer_registration_id: *peer_registration_id,
            since_revision: *since_revision,
            unanswered: unanswered.clone(),
            ratchet: ratchet.duplicate(),
            spqr: spqr.duplicate(),
        }
    }
}

impl fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").field("session", &self.session).finish_non_exhaustive()
    }
}
