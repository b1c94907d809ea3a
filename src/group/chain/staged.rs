//! [`StagedMessage`]: a message of a group that waits until its state is stored before it is shown.
//!
//! Performs no I/O: it makes the record, and relies on the caller to store it.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::apply::Change;
use super::error::OpenError;
use super::message::GroupMessage;
use super::names::{ChainId, Place};
use super::open::Verified;
use super::receiving::ReceivingChains;
use super::view::View;
use bisik_core::held::{SealError, SealedRecord};
use bisik_core::storage::StorageKey;

/// A message that was opened. The body is the caller's to wipe.
pub struct OpenedMessage {
    /// The chain.
    pub chain: ChainId,
    /// The number of the message in the chain, from 0.
    pub index: u32,
    /// The group or audience, and the entry under which the chain began.
    pub place: Place,
    /// Whether members may show it to newcomers, as its sender says.
    pub history: bool,
    /// What its sender knew of the group.
    pub view: View,
    /// What was written.
    pub body: Vec<u8>,
    /// How many messages of this sender cannot be read any more, because of this one: their keys had to go.
    pub given_up: u32,
}

/// A message that was opened and is not committed: the chains have not changed yet.
///
/// It borrows the chains. Nothing else can change them before the commit, so the commit cannot fail. To hold several
/// messages at once, use [`ReceivingChains::open_held`] or [`ReceivingChains::open_backlog`].
#[must_use = "a message that is not committed was not received"]
pub struct StagedMessage<'a> {
    chains: &'a mut ReceivingChains,
    opened: OpenedMessage,
    /// What the message does, until it is done: by the commit, or by sealing, after which only the commit leads on.
    change: Option<Change>,
}

impl ReceivingChains {
    /// Verifies and decrypts one message, and commits at once.
    ///
    /// Use [`stage`](Self::stage), [`open_held`](Self::open_held) or [`open_backlog`](Self::open_backlog) to store the
    /// chains before the message is shown.
    ///
    /// # Errors
    ///
    /// [`OpenError`]. On error nothing has changed.
    pub fn open(&mut self, message: &GroupMessage) -> Result<OpenedMessage, OpenError> {
        Ok(self.stage(message)?.commit())
    }

    /// Verifies and decrypts one message without changing anything yet. If the result is dropped, the message can be
    /// received again; if the result was sealed before it was dropped, only after the chains are loaded again
    /// ([`StagedMessage::seal`]).
    ///
    /// # Errors
    ///
    /// [`OpenError`]. On error nothing has changed.
    pub fn stage(&mut self, message: &GroupMessage) -> Result<StagedMessage<'_>, OpenError> {
        let (candidate, signature) = self.candidate(message)?;
        // P-14.16: first.
        if !signature.verify() {
            return Err(OpenError::Rejected);
        }
        let verified = self.verified(&candidate)?;
        Ok(self.staged(verified))
    }

    pub(super) fn staged(&mut self, verified: Verified) -> StagedMessage<'_> {
        let Verified { chain, index, place, history, view, mut body, change } = verified;
        let body = core::mem::take(&mut *body);
        let opened = OpenedMessage { chain, index, place, history, view, body, given_up: 0 };
        StagedMessage { chains: self, opened, change: Some(change) }
    }
}

impl StagedMessage<'_> {
    /// Returns what was written, to store in the same transaction as the chains. Show it only after
    /// [`commit`](Self::commit).
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.opened.body
    }

    /// Deletes the message's key and returns the message. Cannot fail.
    #[must_use]
    pub fn commit(mut self) -> OpenedMessage {
        self.apply();
        self.chains.lineage.commit();
        let OpenedMessage { chain, index, place, history, view, body, given_up } = &mut self.opened;
        let body = core::mem::take(body);
        OpenedMessage {
            chain: *chain,
            index: *index,
            place: *place,
            history: *history,
            view: *view,
            body,
            given_up: *given_up,
        }
    }

    /// Does what the message does, once.
    fn apply(&mut self) {
        let Some(change) = self.change.take() else { return };
        self.opened.given_up = self.chains.apply(change);
    }

    /// Seals the chains as [`commit`](Self::commit) will leave them: store this, then commit.
    ///
    /// From here on only [`commit`](Self::commit) leads on. If this value is dropped instead, because storing failed or
    /// its outcome is unknown, every later operation is an error `Poisoned`: drop the chains too, and load the record that
    /// the database has. Otherwise a later record, without the message, could replace this one.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`]. On error nothing has changed.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, SealError> {
        let lineage = self.chains.lineage.stage(key)?;
        self.apply();
        Ok(self.chains.seal_as(&lineage, key, context, &mut rng))
    }
}

/// The body of a message that was not committed is wiped.
impl Drop for StagedMessage<'_> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.opened.body);
    }
}

impl fmt::Debug for StagedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StagedMessage").field("message", &self.opened).field("chains", &self.chains).finish()
    }
}

/// Shows no content.
impl fmt::Debug for OpenedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, index, place: _, history: _, view, body, given_up } = self;
        f.debug_struct("OpenedMessage")
            .field("chain", chain)
            .field("index", index)
            .field("view", view)
            .field("length", &body.len())
            .field("given_up", given_up)
            .finish_non_exhaustive()
    }
}
