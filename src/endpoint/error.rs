//! What can go wrong with disclosures, decisions and labels: one enum for each operation.
//!
//! Does not know what went before. docs/errors.md says what a caller does about each.

use core::fmt;

use super::label::Unverified;
use crate::codec::Malformed;
use crate::disclosure::DisclosureHash;

/// Why a name or a region cannot be disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// Empty, longer than 64 bytes, or with characters that would show a user something else.
    Name,
    /// Not 2 to 16 characters of `A-Z`, `0-9` and `-`.
    Region,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the operator's name cannot be shown",
            Self::Region => "the region is not one",
        })
    }
}

impl core::error::Error for TextError {}

/// Why a disclosure is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DraftError {
    /// Custody of the account's own, or no role: nothing to disclose.
    Terms,
    /// Account, endpoint and operator share a signing key.
    Keys,
    /// It ends before it begins, or lasts longer than 366 days.
    Dates,
    /// Another operator behind the same endpoint key: it needs a new one.
    OtherOperator,
    /// The identity is not the one that has to sign now.
    OtherParty,
    /// Not the encoding of a draft at this step.
    Malformed,
    /// A signature that it already carries does not verify.
    BadSignature,
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terms => "there is nothing to disclose",
            Self::Keys => "account, endpoint and operator must have keys of their own",
            Self::Dates => "the disclosure's dates do not fit",
            Self::OtherOperator => "another operator needs another endpoint key",
            Self::OtherParty => "the identity is not the one that signs at this step",
            Self::Malformed => "the draft is malformed",
            Self::BadSignature => "the draft is badly signed",
        })
    }
}

impl core::error::Error for DraftError {}

impl From<Malformed> for DraftError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Why a disclosure is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisclosureError {
    /// Not an encoding.
    Malformed,
    /// Of another account.
    OtherAccount,
    /// Not the one that the device list names for this device: another endpoint, custody or hash.
    OtherDevice,
    /// One of its three signatures does not verify.
    BadSignature,
    /// Dated more than a day ahead.
    NotYetValid,
    /// It was valid once.
    Expired,
    /// Older than one that is known: somebody replays it.
    RolledBack,
    /// It does not continue the one that is known, or there are two of one number: the account says different things.
    Forked,
    /// The endpoint's key belonged to another operator, who still has it.
    KeyReused,
}

impl fmt::Display for DisclosureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the disclosure is malformed",
            Self::OtherAccount => "the disclosure is another account's",
            Self::OtherDevice => "the disclosure is not the one that the device list names",
            Self::BadSignature => "the disclosure is badly signed",
            Self::NotYetValid => "the disclosure is dated in the future",
            Self::Expired => "the disclosure has expired",
            Self::RolledBack => "the disclosure is older than one that is known",
            Self::Forked => "the disclosure contradicts one that is known",
            Self::KeyReused => "the endpoint's key was another operator's",
        })
    }
}

impl core::error::Error for DisclosureError {}

impl From<Malformed> for DisclosureError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Why a decision or its receipt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionError {
    /// Not an encoding.
    Malformed,
    /// Made by another account than the expected one, or about another.
    OtherAccount,
    /// About another disclosure.
    OtherDisclosure,
    /// It comes from a device that the account does not hold itself.
    OtherDevice,
    /// The receipt is by another endpoint than the disclosed one.
    OtherEndpoint,
    /// A signature does not verify.
    BadSignature,
    /// Dated more than a day ahead.
    NotYetValid,
    /// Consent to a disclosure that had expired.
    Expired,
}

impl fmt::Display for DecisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the decision is malformed",
            Self::OtherAccount => "the decision is between other accounts",
            Self::OtherDisclosure => "the decision is about another disclosure",
            Self::OtherDevice => "the decision comes from a device in another's custody",
            Self::OtherEndpoint => "the endpoint is not the disclosed one",
            Self::BadSignature => "the decision is badly signed",
            Self::NotYetValid => "the decision is dated in the future",
            Self::Expired => "the consent is to a disclosure that had expired",
        })
    }
}

impl core::error::Error for DecisionError {}

impl From<Malformed> for DecisionError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Why a user's decision is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecideError {
    /// Nothing is asked, or nothing was agreed to.
    NothingToDecide,
    /// Not what is asked now: the terms changed while the user was reading. Show them again.
    NotShown,
    /// What is asked has expired: observe again.
    Expired,
}

impl fmt::Display for DecideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingToDecide => "there is nothing to decide",
            Self::NotShown => "the terms have changed since they were shown",
            Self::Expired => "the terms have expired since they were shown",
        })
    }
}

impl core::error::Error for DecideError {}

/// Why nothing may be sent now. Queued messages wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blocked {
    /// No device list was seen yet.
    Unknown,
    /// The user has to agree to this disclosure first.
    ConsentNeeded(DisclosureHash),
    /// The user refused it, or withdrew.
    Refused(DisclosureHash),
    /// It is not known who reads.
    Unverified(Unverified),
    /// Device list or disclosure has expired: fetch and observe newer ones.
    Expired,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "no device list was seen yet",
            Self::ConsentNeeded(_) => "the user has to agree to the disclosure first",
            Self::Refused(_) => "the user refused the disclosure",
            Self::Unverified(_) => "it is not known who reads",
            Self::Expired => "the device list or a disclosure has expired",
        })
    }
}

impl core::error::Error for Blocked {}

/// Why one endpoint cannot follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationError {
    /// The two disclosures are of different accounts.
    OtherAccount,
    /// The endpoint's key is the same: the operator that leaves still has it.
    SameEndpoint,
    /// The new endpoint's disclosure is not the first of its key.
    NotFirst,
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherAccount => "the endpoints are of different accounts",
            Self::SameEndpoint => "the endpoint's key is the same",
            Self::NotFirst => "the new endpoint's disclosure is not its first",
        })
    }
}

impl core::error::Error for RotationError {}

/// A ledger that holds as many messages as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerFull;

impl fmt::Display for LedgerFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the retention ledger is full")
    }
}

impl core::error::Error for LedgerFull {}
