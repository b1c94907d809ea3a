//! [`HeldGroupMessage`], [`HeldDistribution`], [`HeldOpened`]: what is released only against proof that the state was
//! stored.
//!
//! P-14.9. Performs no I/O: the caller affirms by [`Stored`] that its database has the record.

use alloc::boxed::Box;
use core::fmt;

use rand_core::CryptoRng;

use super::distribution::Distribution;
use super::error::{DistributeError, EncryptError, OpenError};
use super::message::GroupMessage;
use super::ready::ReadyChain;
use super::receiving::ReceivingChains;
use super::staged::OpenedMessage;
use super::view::{ListsDigest, View};
use crate::keys::IdentityKey;
use bisik_core::held::{self, Origin, Stored};

/// An encrypted message that is held until its chain is stored.
#[must_use = "the message was encrypted and is not sent"]
pub struct HeldGroupMessage(held::Held<GroupMessage>);

/// A distribution that is held until its chain is stored, which remembers who was given it.
#[must_use = "the device was given the chain, and does not have it"]
pub struct HeldDistribution(held::Held<Box<Distribution>>);

impl ReadyChain<'_> {
    /// Like [`encrypt`](Self::encrypt), but holds the message until there is proof that the chain was stored after it.
    ///
    /// If the result is dropped, only this message is lost: receivers see a gap, as for any lost message.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]. On error the chain is unchanged.
    pub fn encrypt_held(
        &mut self,
        view: View,
        body: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<HeldGroupMessage, EncryptError> {
        let message = self.encrypt(view, body, rng)?;
        Ok(HeldGroupMessage(held::Held::new(message, self.chain.lineage.origin())))
    }

    /// Like [`distribution_for`](Self::distribution_for), but holds the distribution until there is proof that the chain
    /// was stored after it.
    ///
    /// # Errors
    ///
    /// [`DistributeError`]. On error nothing has changed.
    pub fn distribution_held(
        &mut self,
        device: &IdentityKey,
        view: View,
        lists: &ListsDigest,
    ) -> Result<HeldDistribution, DistributeError> {
        let distribution = self.distribution_for(device, view, lists)?;
        Ok(HeldDistribution(held::Held::new(Box::new(distribution), self.chain.lineage.origin())))
    }
}

impl HeldGroupMessage {
    /// Returns the message, for an outbox that is written in the transaction that stores the chain. Send it only after
    /// [`release`](Self::release).
    #[must_use]
    pub const fn for_outbox(&self) -> &GroupMessage {
        self.0.peek()
    }

    /// Releases the message if `stored` is of the chain that encrypted it, and not older than the message.
    ///
    /// # Errors
    ///
    /// Returns the held message itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<GroupMessage, Self> {
        self.0.release(stored).map_err(Self)
    }
}

impl HeldDistribution {
    /// Returns the distribution, to be encrypted in a session that is stored in the transaction that stores the chain.
    /// Send it only after [`release`](Self::release).
    #[must_use]
    pub fn for_outbox(&self) -> &Distribution {
        self.0.peek()
    }

    /// Releases the distribution if `stored` is of the chain that made it, and not older than the distribution.
    ///
    /// # Errors
    ///
    /// Returns the held distribution itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<Distribution, Self> {
        self.0.release(stored).map(|distribution| *distribution).map_err(Self)
    }
}

/// An opened message that is held until the chains are stored. Its body is wiped if it is dropped.
#[must_use = "the message was opened and is not shown"]
pub struct HeldOpened {
    body: held::HeldPlaintext,
    /// Everything else.
    opened: Box<OpenedMessage>,
}

impl ReceivingChains {
    /// Like [`open`](Self::open), but holds the message until there is proof that the chains were stored after it.
    ///
    /// Unlike [`stage`](Self::stage), this commits at once and returns an owned value, so that any number of received
    /// messages can be held at once and released against one stored record.
    ///
    /// # Errors
    ///
    /// [`OpenError`]. On error nothing has changed.
    pub fn open_held(&mut self, message: &GroupMessage) -> Result<HeldOpened, OpenError> {
        let opened = self.stage(message)?.commit();
        Ok(HeldOpened::new(opened, self.lineage.origin()))
    }
}

impl HeldOpened {
    pub(super) fn new(mut opened: OpenedMessage, origin: Origin) -> Self {
        let body = core::mem::take(&mut opened.body);
        Self { body: held::held_plaintext(body, origin), opened: Box::new(opened) }
    }

    /// Returns what was written, for an inbox that is written in the transaction that stores the chains. Show it only after
    /// [`release`](Self::release).
    #[must_use]
    pub fn for_inbox(&self) -> &[u8] {
        self.body.for_inbox()
    }

    /// Releases the message if `stored` is of the chains that opened it, and not older than the message.
    ///
    /// # Errors
    ///
    /// Returns the held message itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<OpenedMessage, Self> {
        let Self { body, opened } = self;
        match body.release(stored) {
            Ok(body) => Ok(OpenedMessage { body, ..*opened }),
            Err(body) => Err(Self { body, opened }),
        }
    }
}

impl fmt::Debug for HeldGroupMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(held) = self;
        f.debug_struct("HeldGroupMessage")
            .field("message", held.peek())
            .field("revision", &held.revision())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HeldDistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(held) = self;
        f.debug_struct("HeldDistribution")
            .field("distribution", held.peek())
            .field("revision", &held.revision())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HeldOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { body, opened } = self;
        f.debug_struct("HeldOpened")
            .field("body", body)
            .field("chain", &opened.chain)
            .field("index", &opened.index)
            .finish_non_exhaustive()
    }
}
