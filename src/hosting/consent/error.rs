//! Why a decision is refused, or cannot be made. docs/errors.md lists what a caller does about each.

use bisik_core::codec::Malformed;

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
    /// The device that decided is not in the user's device list, or somebody else holds its keys.
    NotListed,
    /// A signature does not verify.
    BadSignature,
    /// It is a consent dated more than a day in the future.
    NotYetValid,
    /// It is a consent dated after the disclosure had expired.
    Expired,
}

bisik_core::error_texts! {
    DecisionError {
        Malformed => "hosting.decision.malformed", "the decision is malformed";
        OtherAccount => "hosting.decision.other_account", "the decision is between other accounts";
        OtherDisclosure => "hosting.decision.other_disclosure", "the decision is about another disclosure";
        OtherDevice => "hosting.decision.other_device", "the decision was shared by a hosted device";
        OtherHostedDevice => "hosting.decision.other_hosted_device", "the hosted device is not the disclosed one";
        NotListed => "hosting.decision.not_listed", "the device that decided is not one of the user's own";
        BadSignature => "hosting.decision.bad_signature", "a signature of the decision does not verify";
        NotYetValid => "hosting.decision.not_yet_valid", "the consent is dated in the future";
        Expired => "hosting.decision.expired", "the disclosure had expired before the consent";
    }
}

impl From<Malformed> for DecisionError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Why a user's decision is not accepted. On error the state is unchanged.
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

bisik_core::error_texts! {
    DecideError {
        NothingToDecide => "hosting.decide.nothing_to_decide", "there is nothing to decide";
        NotShown => "hosting.decide.not_shown", "the terms have changed since they were shown";
        Expired => "hosting.decide.expired", "the terms have expired since they were shown";
        TooManyRounds => "hosting.decide.too_many_rounds", "no round is left in which to consent to this operator";
    }
}
