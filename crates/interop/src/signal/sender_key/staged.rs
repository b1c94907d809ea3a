//! [`GroupStaged`]: a message of a group that verified and waits for its state to be stored before it is shown.
//!
//! Performs no I/O: it gives the record, and relies on the caller to store it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::error::GroupDecryptError;
use super::receiving::GroupReceiver;
use super::state::{OpenedMessage, State, StateChange};
use crate::signal::chain::duplicate_skipped;
use bisik_core::held::{Lineage, SealError, SealedRecord};
use bisik_core::storage::StorageKey;

/// A message of a group that verified and has not been committed: the receiver has not changed yet.
///
/// It borrows the receiver, so that nothing else can change the receiver before the commit: that is why the commit
/// cannot fail. To hold several messages at once, use [`GroupReceiver::decrypt_held`].
#[must_use = "a message that is not committed was not received"]
pub struct GroupStaged<'a> {
    receiver: &'a mut GroupReceiver,
    /// Which of the receiver's states.
    index: usize,
    opened: OpenedMessage,
}

impl GroupReceiver {
    /// Verifies and decrypts one message without changing anything yet. Dropping the result forgets the message, which
    /// can come again; if the result was sealed before it was dropped, only after the receiver is loaded again
    /// ([`GroupStaged::seal`]).
    ///
    /// # Errors
    ///
    /// [`GroupDecryptError`]; the receiver is then unchanged.
    pub fn stage(&mut self, message: &[u8]) -> Result<GroupStaged<'_>, GroupDecryptError> {
        self.lineage.check()?;
        let (index, opened) = self.open(message)?;
        Ok(GroupStaged { receiver: self, index, opened })
    }

    fn apply(&mut self, index: usize, change: StateChange) {
        if let Some(state) = self.states.get_mut(index) {
            state.apply(change);
        }
    }

    /// A second copy, to be sealed with a message applied. No copy leaves the library.
    fn duplicate(&self, lineage: Lineage) -> Self {
        Self { states: self.states.iter().map(State::duplicate).collect(), lineage }
    }
}

impl GroupStaged<'_> {
    /// The plaintext, for the transaction that stores the receiver too. Showing it is for after
    /// [`commit`](GroupStaged::commit).
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        &self.opened.plaintext
    }

    /// Commits: deletes the message's key and returns its plaintext. Cannot fail.
    #[must_use]
    pub fn commit(self) -> Vec<u8> {
        let Self { receiver, index, opened: OpenedMessage { mut plaintext, change } } = self;
        receiver.apply(index, change);
        receiver.lineage.commit();
        core::mem::take(&mut *plaintext)
    }

    /// Seals the receiver as [`commit`](GroupStaged::commit) will leave it: store this, then commit.
    ///
    /// From here on only [`commit`](GroupStaged::commit) leads on. If this value is dropped instead, because storing failed or its
    /// outcome is unknown, every later operation of the receiver is an error `Poisoned`: drop the receiver too, and load the record
    /// that the database has. Otherwise a later record, without the message, could replace this one.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`]; the receiver is then unchanged.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        let Self { receiver, index, opened } = self;
        let lineage = receiver.lineage.stage(key)?;
        let mut after = receiver.duplicate(lineage);
        after.apply(*index, opened.change.duplicate());
        after.seal(key, context, rng)
    }
}

impl State {
    fn duplicate(&self) -> Self {
        let Self { format, id, signing, verifying: _, complete_from, missing_from, next, chain, skipped } = self;
        Self {
            format: *format,
            id: *id,
            signing: *signing,
            verifying: None,
            complete_from: *complete_from,
            missing_from: *missing_from,
            next: *next,
            chain: Box::new(chain.duplicate()),
            skipped: duplicate_skipped(skipped),
        }
    }
}

impl StateChange {
    fn duplicate(&self) -> Self {
        match self {
            Self::Taken(number) => Self::Taken(*number),
            Self::Advanced { chain, next, skipped } => {
                let skipped = duplicate_skipped(skipped.iter().map(|(number, seed)| (number, seed)));
                Self::Advanced { chain: chain.duplicate(), next: *next, skipped }
            }
        }
    }
}

impl fmt::Debug for GroupStaged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupStaged").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}
