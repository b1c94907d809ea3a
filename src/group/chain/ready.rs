//! [`SendPlan`] and [`ReadyChain`]: a chain that may be used, because nobody has it who must not read what is written now
//! (docs/spec/chains.md, section 14.3).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::context::{Context, signed};
use super::distribution::Distribution;
use super::error::{DistributeError, EncryptError};
use super::limits::{MAX_AGE, MAX_AHEAD, MAX_BODY, MAX_MESSAGES};
use super::message::GroupMessage;
use super::sending::{Given, Retired, SendingChain};
use super::view::{ListsDigest, View};
use crate::keys::IdentityKey;
use crate::ratchet::SALT;
use bisik_core::time::Timestamp;

/// Whether a chain may be used for what is written now.
#[derive(Debug)]
pub enum SendPlan<'a> {
    /// It may: everybody who was ever given it is to read the message.
    Ready(ReadyChain<'a>),
    /// A new chain must begin first: [`SendingChain::renew`], and then plan again.
    Renew(NewChain),
}

/// Why a new chain must begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewChain {
    /// A device that was given the chain is not to read what is written now: it was removed, or left, or is not listed
    /// any more, or its hosting is not consented to.
    DeviceLeft,
    /// The chain has 1,000 messages.
    Messages,
    /// It began 7 days ago, or more than a day ahead of the clock.
    Age,
    /// It was asked for, or this device's own stay in the group has ended ([`SendingChain::rekey`]).
    Rekey,
    /// The state was restored ([`SendingChain::restored`]).
    Restored,
}

impl SendingChain {
    /// Compares those who were ever given the chain with `targets`: the devices that are to read what is written now, by
    /// their identity keys. This device itself need not be among them. Nothing changes.
    pub fn plan<'a>(&'a mut self, targets: &'a BTreeSet<IdentityKey>, now: Timestamp) -> SendPlan<'a> {
        match self.why_renew(targets, now) {
            Some(why) => SendPlan::Renew(why),
            None => SendPlan::Ready(ReadyChain { chain: self, targets }),
        }
    }

    fn why_renew(&self, targets: &BTreeSet<IdentityKey>, now: Timestamp) -> Option<NewChain> {
        let (begun, now) = (self.begun.as_unix_seconds(), now.as_unix_seconds());
        let age = now.checked_sub(begun);
        // P-14.8. A clock that went back far would keep a chain for ever.
        let too_old = age.is_some_and(|age| age >= MAX_AGE);
        let ahead = age.is_none() && begun.checked_sub(now).is_none_or(|ahead| ahead > MAX_AHEAD);
        match self.retired {
            Some(Retired::Restored) => Some(NewChain::Restored),
            Some(Retired::Rekey) => Some(NewChain::Rekey),
            // P-14.7: the one rule.
            None if !self.given().all(|device| targets.contains(device)) => Some(NewChain::DeviceLeft),
            None if self.index >= MAX_MESSAGES => Some(NewChain::Messages),
            None => (too_old || ahead).then_some(NewChain::Age),
        }
    }
}

/// A chain that may be used for what is written now. It borrows the chain and the devices that it was compared with, so
/// that neither can change meanwhile.
pub struct ReadyChain<'a> {
    pub(super) chain: &'a mut SendingChain,
    targets: &'a BTreeSet<IdentityKey>,
}

impl ReadyChain<'_> {
    /// The devices that the message is to go to and that were not given the chain, in ascending order: give it to each
    /// that there is a session with. The others are left out, and are owed it.
    pub fn owed(&self) -> impl Iterator<Item = &IdentityKey> {
        let Self { chain, targets } = self;
        let has = |device: &IdentityKey| chain.given.get(device).is_some_and(|given| given.this);
        targets.iter().filter(move |device| **device != chain.sender.identity && !has(device))
    }

    /// Gives the chain to a device, from the next message on, and remembers that. Send the distribution in a session with
    /// that device, after the chain is stored; [`distribution_held`](Self::distribution_held) enforces that. A device that
    /// has lost the chain can be given it again. `view` and `lists` are what this device knows of the group; an audience is
    /// told neither.
    ///
    /// # Errors
    ///
    /// [`DistributeError`]. On error nothing has changed.
    pub fn distribution_for(
        &mut self,
        device: &IdentityKey,
        view: View,
        lists: &ListsDigest,
    ) -> Result<Distribution, DistributeError> {
        let Self { chain, targets } = self;
        if *device == chain.sender.identity || !targets.contains(device) {
            return Err(DistributeError::NotATarget);
        }
        if chain.index >= MAX_MESSAGES {
            return Err(DistributeError::Ended);
        }
        let known = chain.given.get(device).copied();
        if known.is_none() && !chain.make_room(targets) {
            return Err(DistributeError::Full);
        }
        // P-14.11: the chain key as it is now.
        let (constants, key) = (chain.constants(device), Box::new(chain.chain.duplicate()));
        if known.is_none_or(|known| !known.this) {
            // P-14.10: by the device's identity key.
            let before = known.is_some_and(|known| known.before);
            chain.given.insert(*device, Given { this: true, before });
            chain.lineage.change();
        }
        // P-14.3: what the author knows of those who read would tell them of one another.
        let audience = chain.place.is_audience();
        let (view, lists) = if audience { (View::NONE, ListsDigest::NONE) } else { (view, *lists) };
        Ok(Distribution { constants, view, lists, index: chain.index, chain: key })
    }

    /// Encrypts and signs one message for all who were given the chain. `view` is what this device knows of the group; an
    /// audience is not told it. Draws 16 bytes from `rng`. Store the chain before the message is sent;
    /// [`encrypt_held`](Self::encrypt_held) enforces that.
    ///
    /// # Errors
    ///
    /// [`EncryptError`]. On error the chain is unchanged.
    pub fn encrypt(
        &mut self,
        view: View,
        body: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupMessage, EncryptError> {
        let Self { chain: own, targets: _ } = self;
        if body.len() > MAX_BODY {
            return Err(EncryptError::TooLong);
        }
        // P-14.8.
        let next = own.index.checked_add(1).filter(|next| *next <= MAX_MESSAGES).ok_or(EncryptError::Ended)?;
        let mut randomness = [0; SALT];
        rng.fill_bytes(&mut randomness);
        let (id, signing) = (own.chain(), own.signing.public());
        let mut plaintext = Zeroizing::new(Vec::with_capacity(body.len().saturating_add(View::LENGTH)));
        let view = if own.place.is_audience() { View::NONE } else { view };
        plaintext.extend_from_slice(view.as_bytes());
        plaintext.extend_from_slice(body);

        let (chain, key) = own.chain.step();
        // Boxed at once, so that no copy is left where it was.
        let chain = Box::new(chain);
        let sealing = key.into_sealing();
        // P-14.5.
        let numbered = [id.as_bytes().as_slice(), &own.index.to_be_bytes()].concat();
        let salt = sealing.salt(&randomness, &numbered, &plaintext);
        let mut output = GroupMessage::start(id, own.index, &salt, body.len());
        let ciphertext = sealing.append(&salt, &plaintext, &mut output);
        let context = Context {
            group: own.place.id(),
            origin: own.place.origin(),
            sender: &own.sender,
            signing: signing.as_bytes(),
        };
        let digest = context.digest(own.index, &salt, ciphertext);
        let tag = sealing.tag(&digest);
        let signature = own.signing.sign(&signed(&digest, &tag));
        output.extend_from_slice(&tag);
        output.extend_from_slice(&signature);

        own.chain = chain;
        own.index = next;
        own.lineage.change();
        Ok(GroupMessage::finish(output))
    }
}

impl fmt::Debug for ReadyChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, targets } = self;
        f.debug_struct("ReadyChain").field("chain", chain).field("targets", &targets.len()).finish()
    }
}
