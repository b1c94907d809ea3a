//! Why a disclosure cannot be made, or is refused. docs/errors.md lists what a caller does about each.

use core::fmt;

use crate::codec::Malformed;

/// Why a name or a region cannot be disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// The name is empty or longer than 64 bytes, or has characters that would show users something else.
    Name,
    /// The region does not consist of 2 to 16 characters of `A-Z`, `0-9` and `-`.
    Region,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the operator's name is not 1 to 64 bytes of plainly visible text",
            Self::Region => "the region is not 2 to 16 characters of A-Z, 0-9 and '-'",
        })
    }
}

impl core::error::Error for TextError {}

/// Why a disclosure cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DraftError {
    /// The account holds the device's keys itself, or the operator has no role: there is nothing to disclose.
    Terms,
    /// Two of account, device and operator have the same signing key.
    Keys,
    /// It expires before it is issued, or is valid for more than 366 days, or the sequence numbers are used up.
    Dates,
    /// The operator is another than before: its hosted device needs a new key.
    OtherOperator,
    /// The identity is not the party that signs at this step.
    OtherParty,
    /// The bytes do not encode a draft at this step.
    Malformed,
    /// A signature that the draft already has does not verify.
    BadSignature,
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terms => "there is nothing to disclose",
            Self::Keys => "two of account, device and operator have the same key",
            Self::Dates => "the disclosure's validity is empty or longer than 366 days",
            Self::OtherOperator => "the device key belongs to another operator",
            Self::OtherParty => "the identity is not the one that signs at this step",
            Self::Malformed => "the draft is malformed",
            Self::BadSignature => "a signature of the draft does not verify",
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
    /// The bytes do not encode a disclosure.
    Malformed,
    /// It belongs to another account.
    OtherAccount,
    /// It is not the one that the device list names for this device: key, custody or hash differ.
    OtherDevice,
    /// One of its three signatures does not verify.
    BadSignature,
    /// It was issued more than a day in the future: the local clock or the issuer's is wrong.
    NotYetValid,
    /// It has expired.
    Expired,
    /// It is older than a known one: an attacker replays it.
    RolledBack,
    /// It contradicts a known one: it does not continue it, or has the same number. The account discloses different things to
    /// different peers.
    Forked,
    /// The device's key belonged to another operator, which still holds it.
    KeyReused,
}

impl fmt::Display for DisclosureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the disclosure is malformed",
            Self::OtherAccount => "the disclosure belongs to another account",
            Self::OtherDevice => "the disclosure is not the one that the device list names",
            Self::BadSignature => "a signature of the disclosure does not verify",
            Self::NotYetValid => "the disclosure was issued in the future",
            Self::Expired => "the disclosure has expired",
            Self::RolledBack => "the disclosure is older than a known one",
            Self::Forked => "the disclosure contradicts a known one",
            Self::KeyReused => "the device's key belonged to another operator",
        })
    }
}

impl core::error::Error for DisclosureError {}

impl From<Malformed> for DisclosureError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}
