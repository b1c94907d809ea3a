//! [`GroupStaged`]: a message of a group that verified and waits for its state to be stored before it is shown.
//!
//! Performs no I/O: it gives the record, and relies on the caller to store it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::error::GroupDecryptError;
use super::receiving::{GroupReceiver, OpenedMessage, State, StateChange};
use crate::signal::chain::duplicate_skipped;
use bisik_core::held::SealedRecord;
use bisik_core::revision::Reserved;
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
    /// The revision of the record that was sealed, if any.
    sealed: Reserved,
}

impl GroupReceiver {
    /// Verifies and decrypts one message without changing anything yet. Dropping the result forgets the message, which
    /// can come again.
    ///
    /// # Errors
    ///
    /// [`GroupDecryptError`]; the receiver is then unchanged.
    pub fn stage(&mut self, message: &[u8]) -> Result<GroupStaged<'_>, GroupDecryptError> {
        let (index, opened) = self.open(message)?;
        Ok(GroupStaged { receiver: self, index, opened, sealed: Reserved::default() })
    }

    fn apply(&mut self, index: usize, change: StateChange) {
        if let Some(state) = self.states.get_mut(index) {
            state.apply(change);
        }
    }

    /// A second copy, to be sealed with a message applied. No copy leaves the library.
    fn duplicate(&self, revision: u64) -> Self {
        let Self { states, revision: _, instance } = self;
        Self { states: states.iter().map(State::duplicate).collect(), revision, instance: instance.clone() }
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
        let Self { receiver, index, opened: OpenedMessage { mut plaintext, change }, sealed } = self;
        receiver.apply(index, change);
        sealed.commit(&mut receiver.revision);
        core::mem::take(&mut *plaintext)
    }

    /// Seals the receiver as [`commit`](GroupStaged::commit) will leave it: store this, then commit.
    ///
    /// No record of another state gets the revision of this one, even if the message is not committed after all.
    pub fn seal(&mut self, key: &StorageKey, context: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> SealedRecord {
        let Self { receiver, index, opened, sealed } = self;
        let revision = sealed.reserve(&mut receiver.revision);
        let mut after = receiver.duplicate(revision);
        after.apply(*index, opened.change.duplicate());
        after.seal(key, context, rng)
    }
}

impl State {
    fn duplicate(&self) -> Self {
        let Self { format, id, signing, verifying: _, next, chain, skipped } = self;
        Self {
            format: *format,
            id: *id,
            signing: *signing,
            verifying: None,
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
