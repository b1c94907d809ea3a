//! Why a session did not accept or decrypt. An enum has a variant only if the caller acts differently on it.

use crate::handshake::RespondError;
use crate::ratchet;

/// Why a pre-key message did not set up a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// It is not a pre-key message. It belongs to a session that this device has lost: ask the sender for a new one.
    NotPreKeyMessage,
    /// The bytes do not encode a pre-key message. Drop it.
    Malformed,
    /// The pre-keys belong to another identity: a bug in the caller.
    WrongIdentity,
    /// It names pre-keys that this device does not have: they were used, have expired, or were lost with an installation.
    /// Ask the sender to fetch a new bundle.
    UnknownPreKey,
    /// An identity other than the pinned one wrote it: warn the user, as for any changed key.
    IdentityMismatch,
    /// It set up a session before. Drop the duplicate.
    Replayed,
    /// The last-resort key has set up as many sessions as it can remember. Rotate it, publish the new one, and let the
    /// sender try again.
    ReplayCacheFull,
    /// The sender had written more than 25,000 messages before this one: ask it for a new session.
    TooFarAhead,
    /// It is damaged or forged, or was made under another disclosure. Drop it.
    Rejected,
}

bisik_core::error_texts! {
    AcceptError {
        NotPreKeyMessage => "session.accept.not_pre_key_message", "the message belongs to a session that is not here";
        Malformed => "session.accept.malformed", "the pre-key message is malformed";
        WrongIdentity => "session.accept.wrong_identity", "the pre-keys belong to another identity";
        UnknownPreKey => "session.accept.unknown_pre_key", "the pre-key message names unknown pre-keys";
        IdentityMismatch => "session.accept.identity_mismatch",
            "the pre-key message was written by another identity than the expected one";
        Replayed => "session.accept.replayed", "the pre-key message opened a session before";
        ReplayCacheFull => "session.accept.replay_cache_full", "the last-resort pre-key cannot remember more sessions";
        TooFarAhead => "session.accept.too_far_ahead", "too many messages before this one are missing";
        Rejected => "session.accept.rejected", "the pre-key message does not verify";
    }
}

impl From<RespondError> for AcceptError {
    fn from(error: RespondError) -> Self {
        match error {
            RespondError::Malformed => Self::Malformed,
            RespondError::WrongIdentity => Self::WrongIdentity,
            RespondError::UnknownPreKey => Self::UnknownPreKey,
            RespondError::Replayed => Self::Replayed,
            RespondError::ReplayCacheFull => Self::ReplayCacheFull,
            RespondError::Rejected => Self::Rejected,
        }
    }
}

impl From<ratchet::DecryptError> for AcceptError {
    fn from(error: ratchet::DecryptError) -> Self {
        match error {
            ratchet::DecryptError::TooFarAhead => Self::TooFarAhead,
            // A ratchet that has received nothing cannot tell these apart, and the caller need not.
            ratchet::DecryptError::Malformed
            | ratchet::DecryptError::Replayed
            | ratchet::DecryptError::Diverged
            | ratchet::DecryptError::Rejected => Self::Rejected,
        }
    }
}

/// Why a message was not decrypted. On error the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The bytes do not encode a message. Drop it.
    Malformed,
    /// It sets up another session: pass it to [`Session::accept`](crate::Session::accept).
    OpensNewSession,
    /// The peer sent it, but its key was used or deleted: it is a duplicate, or very late. Drop it.
    Replayed,
    /// The peer sent it, but more than 25,000 messages before it are missing: set up a new session.
    TooFarAhead,
    /// The peer sent it from a state that contradicts the local one: one side lost its state or restored an old one.
    /// Later messages will most likely not decrypt either: set up a new session.
    Diverged,
    /// The peer did not make it in this session, it was changed in transit, or five newer chains have displaced its own. Drop
    /// it; if that repeats, the session may be lost.
    Rejected,
}

bisik_core::error_texts! {
    DecryptError {
        Malformed => "session.decrypt.malformed", "the message is malformed";
        OpensNewSession => "session.decrypt.opens_new_session", "the message opens another session";
        Replayed => "session.decrypt.replayed", "the message's key was used or deleted";
        TooFarAhead => "session.decrypt.too_far_ahead", "too many messages before this one are missing";
        Diverged => "session.decrypt.diverged", "one side's session state was lost or rolled back";
        Rejected => "session.decrypt.rejected", "the message does not verify";
    }
}

impl From<ratchet::DecryptError> for DecryptError {
    fn from(error: ratchet::DecryptError) -> Self {
        match error {
            ratchet::DecryptError::Malformed => Self::Malformed,
            ratchet::DecryptError::Replayed => Self::Replayed,
            ratchet::DecryptError::TooFarAhead => Self::TooFarAhead,
            ratchet::DecryptError::Diverged => Self::Diverged,
            ratchet::DecryptError::Rejected => Self::Rejected,
        }
    }
}
