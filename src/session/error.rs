//! Why a session did not accept or decrypt: one small enum for each, a variant only where the caller acts differently.
//!
//! Does not know the causes below: they come from the handshake and the ratchet.

use core::fmt;

use crate::handshake::RespondError;
use crate::ratchet;

/// Why a first message did not open a session. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// It carries no first flight, so it belongs to a session, and that one was lost: ask the sender for a new one.
    NotPreKeyMessage,
    /// Not the encoding of a first message. Drop it.
    Malformed,
    /// The pre-keys belong to another identity: a bug in the caller.
    WrongIdentity,
    /// It names pre-keys that are gone or never were: used already, expired, or of an installation that was lost.
    /// Tell the sender to fetch a new bundle.
    UnknownPreKey,
    /// Somebody wrote it, but another identity than the pinned one: warn the user, as for any changed key.
    IdentityMismatch,
    /// This first flight opened a session before: a duplicate. Drop it.
    Replayed,
    /// The last-resort key has opened as many sessions as it can remember. Rotate, publish, and let the sender try again.
    ReplayCacheFull,
    /// The sender had written more than 25,000 messages before this one: ask it for a new session.
    TooFarAhead,
    /// Damaged, forged, or made under another disclosure. Drop it.
    Rejected,
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPreKeyMessage => "message belongs to a session that is not here",
            Self::Malformed => "first message is malformed",
            Self::WrongIdentity => "pre-keys belong to another identity",
            Self::UnknownPreKey => "first message names unknown pre-keys",
            Self::IdentityMismatch => "first message is from another identity",
            Self::Replayed => "first message opened a session before",
            Self::ReplayCacheFull => "last-resort pre-key cannot remember more sessions",
            Self::TooFarAhead => "too many messages before this one are missing",
            Self::Rejected => "first message does not verify",
        })
    }
}

impl core::error::Error for AcceptError {}

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

/// Why a message was not decrypted. The session is the same as before, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// Not the encoding of a message. Drop it.
    Malformed,
    /// It opens another session: hand it to [`Session::accept`](crate::Session::accept).
    OpensNewSession,
    /// The peer did send this, but its key is used up or was given up long ago: a duplicate, or very late. Drop it.
    Replayed,
    /// The peer did send this, but more than 25,000 messages before it are missing: set up a new session.
    TooFarAhead,
    /// The peer did send this, from a state that contradicts ours: one side lost its state or restored an old one.
    /// Later messages will most likely not decrypt either: set up a new session.
    Diverged,
    /// Not made by the peer in this session, changed on the way, or of a chain that five newer ones have displaced. Drop it; if
    /// it repeats, the session may be lost.
    Rejected,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "message is malformed",
            Self::OpensNewSession => "message opens another session",
            Self::Replayed => "message was received before",
            Self::TooFarAhead => "too many messages before this one are missing",
            Self::Diverged => "one side's session state was lost or rolled back",
            Self::Rejected => "message does not verify",
        })
    }
}

impl core::error::Error for DecryptError {}

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
