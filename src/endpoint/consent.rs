//! [`Decision`]: what a user decided about a disclosure; [`DecisionReceipt`]: that the endpoint knows.
//!
//! Does not know why. Who may decide is settled by keys: a device of the user signs, the disclosed endpoint countersigns.

use alloc::vec::Vec;
use core::fmt;

use super::disclosure::{Disclosure, VerifiedDisclosure};
use super::error::DecisionError;
use super::standing::Ruling;
use super::terms::HostingTerms;
use super::{CLOCK_SKEW, read_key, split_signature, with_signature};
use crate::codec::{Malformed, Reader, Writer};
use crate::device::AccountKey;
use crate::disclosure::{self, DisclosureHash};
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use crate::primitives::ed25519::SIGNATURE;
use crate::time::Timestamp;

/// What a user can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Go on.
    Consent,
    /// Do not.
    Refusal,
    /// Go on no longer.
    Withdrawal,
}

impl Choice {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Consent => 1,
            Self::Refusal => 2,
            Self::Withdrawal => 3,
        }
    }

    pub(super) const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Consent),
            2 => Ok(Self::Refusal),
            3 => Ok(Self::Withdrawal),
            0 | 4.. => Err(Malformed),
        }
    }

    pub(super) const fn is_strict(self) -> bool {
        match self {
            Self::Consent => false,
            Self::Refusal | Self::Withdrawal => true,
        }
    }
}

/// A decision, signed by the device on which it was made: 302 bytes; docs/protocol.md, section 11.5.
///
/// It binds the disclosure's hash, both accounts and the time. That the device is one of the user's account is what the
/// account's device list says.
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
    /// Bytes of a decision.
    pub const LENGTH: usize = 302;

    /// A decision of the device, which signs it.
    pub(super) fn sign(
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

    /// The bytes to send, to export, and to share with one's own devices.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        with_signature(&self.text(), &self.signature)
    }

    /// Reads a decision, without trusting it: see [`Decision::verify`].
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

    /// Whose user decided.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// On which device.
    #[must_use]
    pub const fn device(&self) -> &IdentityKey {
        &self.device
    }

    /// About whose endpoint.
    #[must_use]
    pub const fn peer(&self) -> &AccountKey {
        &self.peer
    }

    /// About which disclosure.
    #[must_use]
    pub const fn disclosure(&self) -> DisclosureHash {
        self.disclosure
    }

    /// When.
    #[must_use]
    pub const fn decided(&self) -> Timestamp {
        self.decided
    }

    /// Checks that `account` decided this about `disclosure`. The caller knows the deciding [`device`](Self::device) from
    /// the account's device list.
    ///
    /// # Errors
    ///
    /// In this order: [`DecisionError::OtherAccount`], [`DecisionError::OtherDisclosure`], [`DecisionError::BadSignature`],
    /// [`DecisionError::NotYetValid`], [`DecisionError::Expired`].
    pub fn verify(
        &self,
        account: &AccountKey,
        disclosure: &VerifiedDisclosure,
        now: Timestamp,
    ) -> Result<(), DecisionError> {
        let described = disclosure.disclosure();
        if self.account != *account || self.peer != *described.account() {
            return Err(DecisionError::OtherAccount);
        }
        if self.disclosure != disclosure.hash() {
            return Err(DecisionError::OtherDisclosure);
        }
        if !self.device.verify_labelled(labels::DECISION, &self.text(), &self.signature) {
            return Err(DecisionError::BadSignature);
        }
        if self.decided > now.plus_seconds(CLOCK_SKEW) {
            return Err(DecisionError::NotYetValid);
        }
        if self.choice == Choice::Consent && self.decided >= described.expires() {
            return Err(DecisionError::Expired);
        }
        Ok(())
    }

    /// P-11.24. The disclosed endpoint's receipt for a decision: it [verifies](Self::verify) first.
    ///
    /// # Errors
    ///
    /// [`DecisionError::OtherEndpoint`] where `endpoint` is not the disclosed one, and those of [`Decision::verify`].
    pub fn acknowledge(
        self,
        account: &AccountKey,
        disclosure: &VerifiedDisclosure,
        endpoint: &Identity,
        now: Timestamp,
    ) -> Result<DecisionReceipt, DecisionError> {
        if endpoint.public() != disclosure.disclosure().endpoint() {
            return Err(DecisionError::OtherEndpoint);
        }
        self.verify(account, disclosure, now)?;
        let mut receipt =
            DecisionReceipt { decision: self, endpoint: *endpoint.public(), received: now, signature: [0; SIGNATURE] };
        receipt.signature = endpoint.sign_labelled(labels::DECISION_RECEIPT, &receipt.text());
        Ok(receipt)
    }

    pub(super) fn ruling(&self, terms: &HostingTerms) -> Ruling {
        let Self { choice, disclosure, round, decided, .. } = *self;
        Ruling { choice, disclosure, terms: terms.clone(), round, decided }
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

/// A decision with the endpoint's signature over it: 438 bytes. Together with the disclosure it shows anyone that the user
/// decided, and that the operator knew.
#[derive(Clone, PartialEq, Eq)]
pub struct DecisionReceipt {
    decision: Decision,
    endpoint: IdentityKey,
    received: Timestamp,
    signature: [u8; SIGNATURE],
}

impl DecisionReceipt {
    /// Bytes of a receipt.
    pub const LENGTH: usize = 438;

    fn text(&self) -> Vec<u8> {
        let Self { decision, endpoint, received, signature: _ } = self;
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.bytes(&decision.to_bytes()).bytes(&endpoint.to_bytes()).u64(received.as_unix_seconds());
        writer.finish()
    }

    /// The bytes to keep and to export.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        with_signature(&self.text(), &self.signature)
    }

    /// Reads a receipt, without trusting it: see [`DecisionReceipt::verify`].
    ///
    /// # Errors
    ///
    /// [`DecisionError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecisionError> {
        let (text, signature) = split_signature(bytes)?;
        let (decision, rest) = text.split_at_checked(Decision::LENGTH).ok_or(Malformed)?;
        let decision = Decision::from_bytes(decision)?;
        let mut reader = Reader::new(rest);
        let endpoint = read_key(&mut reader)?;
        let received = Timestamp::from_unix_seconds(reader.u64()?);
        reader.finish()?;
        Ok(Self { decision, endpoint, received, signature: *signature })
    }

    /// The decision.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// When the endpoint received it, by its own clock.
    #[must_use]
    pub const fn received(&self) -> Timestamp {
        self.received
    }

    /// Checks both signatures. An old receipt is checked against a disclosure that was verified as of
    /// [`Decision::decided`].
    ///
    /// # Errors
    ///
    /// [`DecisionError::OtherEndpoint`], and those of [`Decision::verify`].
    pub fn verify(&self, account: &AccountKey, disclosure: &VerifiedDisclosure) -> Result<(), DecisionError> {
        self.decision.verify(account, disclosure, self.received)?;
        if self.endpoint != *disclosure.disclosure().endpoint() {
            return Err(DecisionError::OtherEndpoint);
        }
        if !self.endpoint.verify_labelled(labels::DECISION_RECEIPT, &self.text(), &self.signature) {
            return Err(DecisionError::BadSignature);
        }
        Ok(())
    }
}

impl fmt::Debug for DecisionReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decision, endpoint, received, signature: _ } = self;
        f.debug_struct("DecisionReceipt")
            .field("decision", decision)
            .field("endpoint", endpoint)
            .field("received", received)
            .finish_non_exhaustive()
    }
}

/// What a user's devices tell each other: a decision, and the disclosure that it is about.
///
/// The disclosure is there because the other device may not have seen it, or have seen another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedDecision {
    /// What was decided.
    pub decision: Decision,
    /// About what.
    pub disclosure: Disclosure,
}

impl SharedDecision {
    /// `decision ‖ disclosure`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { decision, disclosure } = self;
        [decision.to_bytes(), disclosure.to_bytes()].concat()
    }

    /// Reads what another device of the same account wrote.
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
