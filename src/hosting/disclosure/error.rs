//! Why a disclosure cannot be made, or is refused. docs/errors.md lists what a caller does about each.

use bisik_core::codec::Malformed;

/// Why a name or a region cannot be disclosed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// The name is empty or longer than 64 bytes, mixes scripts, or has a character that no name may have.
    Name,
    /// The region does not consist of 2 to 16 characters of `A-Z`, `0-9` and `-`.
    Region,
}

bisik_core::error_texts! {
    TextError {
        Name => "hosting.text.name", "the operator's name is not 1 to 64 bytes of one script";
        Region => "hosting.text.region", "the region is not 2 to 16 characters of A-Z, 0-9 and '-'";
    }
}

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

bisik_core::error_texts! {
    DraftError {
        Terms => "hosting.draft.terms", "there is nothing to disclose";
        Keys => "hosting.draft.keys", "two of account, device and operator have the same key";
        Dates => "hosting.draft.dates", "the disclosure's validity is empty or longer than 366 days";
        OtherOperator => "hosting.draft.other_operator", "the device key belongs to another operator";
        OtherParty => "hosting.draft.other_party", "the identity is not the one that signs at this step";
        Malformed => "hosting.draft.malformed", "the draft is malformed";
        BadSignature => "hosting.draft.bad_signature", "a signature of the draft does not verify";
    }
}

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

bisik_core::error_texts! {
    DisclosureError {
        Malformed => "hosting.disclosure.malformed", "the disclosure is malformed";
        OtherAccount => "hosting.disclosure.other_account", "the disclosure belongs to another account";
        OtherDevice => "hosting.disclosure.other_device", "the disclosure is not the one that the device list names";
        BadSignature => "hosting.disclosure.bad_signature", "a signature of the disclosure does not verify";
        NotYetValid => "hosting.disclosure.not_yet_valid", "the disclosure was issued in the future";
        Expired => "hosting.disclosure.expired", "the disclosure has expired";
        RolledBack => "hosting.disclosure.rolled_back", "the disclosure is older than a known one";
        Forked => "hosting.disclosure.forked", "the disclosure contradicts a known one";
        KeyReused => "hosting.disclosure.key_reused", "the device's key belonged to another operator";
    }
}

impl From<Malformed> for DisclosureError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}
