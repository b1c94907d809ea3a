//! Why a decision is refused, or cannot be made. docs/errors.md lists what a caller does about each.

use core::fmt;

use crate::codec::Malformed;

/// Why a decision or its receipt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionError {
    /// The bytes do not encode a decision.
    Malformed,
    /// It was made by another account than expected, or about another account's device.
    OtherAccount,
    /// It is about another disclosure.
    OtherDisclosure,
    /// A hosted device of the user's own account shared it; such a device decides nothing.
    OtherDevice,
    /// The receipt was made by another hosted device than the disclosed one.
    OtherHostedDevice,
    /// A signature does not verify.
    BadSignature,
    /// It is dated more than a day in the future.
    NotYetValid,
    /// It is a consent dated after the disclosure had expired.
    Expired,
}

impl fmt::Display for DecisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the decision is malformed",
            Self::OtherAccount => "the decision is between other accounts",
            Self::OtherDisclosure => "the decision is about another disclosure",
            Self::OtherDevice => "the decision was shared by a hosted device",
            Self::OtherHostedDevice => "the hosted device is not the disclosed one",
            Self::BadSignature => "a signature of the decision does not verify",
            Self::NotYetValid => "the decision is dated in the future",
            Self::Expired => "the disclosure had expired before the consent",
        })
    }
}

impl core::error::Error for DecisionError {}

impl From<Malformed> for DecisionError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Why a user's decision is not accepted. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecideError {
    /// The user was not asked, or there is no such consent to withdraw.
    NothingToDecide,
    /// The question has changed while the user was reading: show the new terms.
    NotShown,
    /// What the question is about has expired: observe the peer's devices again.
    Expired,
    /// The user has changed from refusal to consent too often (2^32 times) for this operator, or a decision shared by another
    /// own device claims so.
    TooManyRounds,
}

impl fmt::Display for DecideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingToDecide => "there is nothing to decide",
            Self::NotShown => "the terms have changed since they were shown",
            Self::Expired => "the terms have expired since they were shown",
            Self::TooManyRounds => "no round is left in which to consent to this operator",
        })
    }
}

impl core::error::Error for DecideError {}
