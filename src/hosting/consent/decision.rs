//! [`Decision`]: what a user decided about a disclosure, signed by the deciding device (docs/spec/hosting.md, section
//! 11.5).

use alloc::vec::Vec;
use core::fmt;

use super::choice::Choice;
use super::error::DecisionError;
use crate::device::{AccountKey, Custody, DeviceDirectory, DeviceEntry};
use crate::hosting::disclosure::{Disclosure, VerifiedDisclosure};
use crate::hosting::encoding::{CLOCK_SKEW, append_signature, read_key};
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::time::Timestamp;

/// A user's decision, signed by the device on which it was made: 302 bytes.
///
/// It binds the disclosure's hash, both accounts and the time. Its signature alone shows nothing: anybody can sign in anybody's
/// name with a key of his own. That the device belongs to the user's account follows from the account's device list.
#[derive(Clone, PartialEq, Eq)]
pub struct Decision {
    choice: Choice,
    account: AccountKey,
    device: IdentityKey,
    peer: AccountKey,
    disclosure: DisclosureHash,
    round: u32,
    decided: Timestamp,
    signature: [u8; SIGNATURE],
}

impl Decision {
    /// Bytes of every decision.
    pub const LENGTH: usize = 302;

    /// Makes a decision and signs it with the key of `device`.
    pub(in crate::hosting) fn sign(
        choice: Choice,
        own: &AccountKey,
        device: &Identity,
        peer: &AccountKey,
        disclosure: DisclosureHash,
        (round, decided): (u32, Timestamp),
    ) -> Self {
        let (account, peer, signer) = (*own, *peer, *device.public());
        let signature = [0; SIGNATURE];
        let mut decision = Self { choice, account, device: signer, peer, disclosure, round, decided, signature };
        decision.signature = device.sign_labelled(labels::DECISION, &decision.text());
        decision
    }

    fn text(&self) -> Vec<u8> {
        let Self { choice, account, device, peer, disclosure, round, decided, signature: _ } = self;
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u8(VERSION).u8(choice.byte()).bytes(&account.to_bytes()).bytes(&device.to_bytes());
        writer.bytes(&peer.to_bytes()).bytes(disclosure.as_bytes()).u32(*round).u64(decided.as_unix_seconds());
        writer.finish()
    }

    /// The bytes to send to the hosted device, to share with the user's own devices, and to export.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        append_signature(&self.text(), &self.signature)
    }

    /// Reads a decision without checking its signature: see [`Decision::verify`].
    ///
    /// # Errors
    ///
    /// [`DecisionError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecisionError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[VERSION])?;
        let decision = Self {
            choice: Choice::from_byte(reader.u8()?)?,
            account: AccountKey::from_identity(read_key(&mut reader)?),
            device: read_key(&mut reader)?,
            peer: AccountKey::from_identity(read_key(&mut reader)?),
            disclosure: disclosure::read(&mut reader)?,
            round: reader.u32()?,
            decided: Timestamp::from_unix_seconds(reader.u64()?),
            signature: *reader.array()?,
        };
        reader.finish()?;
        if decision.account == decision.peer {
            return Err(DecisionError::Malformed);
        }
        Ok(decision)
    }

    /// What was decided.
    #[must_use]
    pub const fn choice(&self) -> Choice {
        self.choice
    }

    /// The account of the user who decided.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// The device on which the user decided.
    #[must_use]
    pub const fn device(&self) -> &IdentityKey {
        &self.device
    }

    /// The account whose hosted device it is about.
    #[must_use]
    pub const fn peer(&self) -> &AccountKey {
        &self.peer
    }

    /// The disclosure it is about.
    #[must_use]
    pub const fn disclosure(&self) -> DisclosureHash {
        self.disclosure
    }

    /// When the user decided, by the clock of the deciding device.
    #[must_use]
    pub const fn decided(&self) -> Timestamp {
        self.decided
    }

    /// How often the user had changed from refusal to consent before.
    pub(in crate::hosting) const fn round(&self) -> u32 {
        self.round
    }

    /// Checks that `user` decided this about `disclosure`, on a device of the account that its owner holds. `user` is the
    /// account's verified device list; for an old decision, the list of that time. P-11.19.
    ///
    /// Refusals and withdrawals are valid whatever their date. P-11.27.
    ///
    /// # Errors
    ///
    /// In this order: [`DecisionError::OtherAccount`], [`DecisionError::OtherDisclosure`], [`DecisionError::NotListed`],
    /// [`DecisionError::BadSignature`], [`DecisionError::NotYetValid`], [`DecisionError::Expired`].
    pub fn verify(
        &self,
        user: &DeviceDirectory,
        disclosure: &VerifiedDisclosure,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        let described = disclosure.disclosure();
        if self.account != *user.account() || self.peer != *described.account() {
            return Err(DecisionError::OtherAccount);
        }
        if self.disclosure != disclosure.hash() {
            return Err(DecisionError::OtherDisclosure);
        }
        let listed = user.find(&self.device).map(DeviceEntry::custody);
        if !listed.is_some_and(Custody::is_own_held) {
            return Err(DecisionError::NotListed);
        }
        if !self.device.verify_labelled(labels::DECISION, &self.text(), &self.signature) {
            return Err(DecisionError::BadSignature);
        }
        if self.choice.is_strict() {
            return Ok(());
        }
        if self.decided > now.plus_seconds(CLOCK_SKEW) {
            return Err(DecisionError::NotYetValid);
        }
        if self.decided >= described.expires() { Err(DecisionError::Expired) } else { Ok(()) }
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { choice, account, device, peer, disclosure, round, decided, signature: _ } = self;
        f.debug_struct("Decision")
            .field("choice", choice)
            .field("account", account)
            .field("device", device)
            .field("peer", peer)
            .field("disclosure", disclosure)
            .field("round", round)
            .field("decided", decided)
            .finish_non_exhaustive()
    }
}

/// What a user's devices share with each other: a decision, and the disclosure it is about.
///
/// The disclosure comes along because the other device may not have seen it, or may have seen another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedDecision {
    /// The decision.
    pub decision: Decision,
    /// The disclosure it is about.
    pub disclosure: Disclosure,
}

impl SharedDecision {
    /// `decision ‖ disclosure`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { decision, disclosure } = self;
        [decision.to_bytes(), disclosure.to_bytes()].concat()
    }

    /// Reads what another device of the same account wrote, without checking signatures.
    ///
    /// # Errors
    ///
    /// [`DecisionError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecisionError> {
        let (decision, disclosure) = bytes.split_at_checked(Decision::LENGTH).ok_or(Malformed)?;
        let decision = Decision::from_bytes(decision)?;
        let disclosure = Disclosure::from_bytes(disclosure).map_err(|_| DecisionError::Malformed)?;
        Ok(Self { decision, disclosure })
    }
}

/// First byte of a decision.
const VERSION: u8 = 0x01;
