//! Errors of sessions. There is a variant only where the caller acts differently.

use core::fmt;

use crate::signal::ratchet::OpenError;

/// Why no session was set up. The session, if there was one, is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitiateError {
    /// The bundle is the local device's own: a bug in the caller, or a server that hands out the wrong bundle.
    OwnBundle,
    /// The identity or the bundle is not this session's: a bug in the caller, or a peer with a new identity.
    OtherIdentity,
    /// A key agreement with the bundle's keys gives zero: a hostile device made it. Do not use it.
    Rejected,
}

impl fmt::Display for InitiateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnBundle => "pre-key bundle is the local device's own",
            Self::OtherIdentity => "identity or bundle is not this session's",
            Self::Rejected => "pre-key bundle gives no shared secret",
        })
    }
}

impl core::error::Error for InitiateError {}

/// Why a first message did not open a state. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// The message is not a pre-key message: it belongs to a session that was lost. Ask the sender for a new session.
    NotFirst,
    /// The identity, or the owner of the pre-keys, is not the session's: a bug in the caller.
    OtherIdentity,
    /// The message names pre-keys that this device does not have: used already, discarded, or of a lost installation.
    /// Tell the sender to fetch a new bundle.
    UnknownPreKey,
    /// The message is authentic, but from another identity than the pinned one: warn the user, as for any changed key.
    IdentityMismatch,
    /// The message names a state that was opened before. If the session still exists, this is a duplicate: drop it. If
    /// the session was lost or deleted since, the sender still writes in it: ask the sender for a new session.
    Replayed,
    /// The signed pre-key has opened 1,024 states without a one-time pre-key, and cannot remember more: rotate it,
    /// publish the new bundle, and ask the sender for a new session.
    ReplayCacheFull,
    /// The message claims that more than 25,000 messages precede it: ask the sender for a new session.
    TooFarAhead,
    /// Damaged or forged. Drop it.
    Rejected,
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFirst => "message is no pre-key message, and its session is unknown",
            Self::OtherIdentity => "pre-keys or session belong to another identity",
            Self::UnknownPreKey => "first message names unknown pre-keys",
            Self::IdentityMismatch => "first message is from another identity",
            Self::Replayed => "first message opened a session before",
            Self::ReplayCacheFull => "signed pre-key cannot remember more sessions",
            Self::TooFarAhead => "too many messages before this one are missing",
            Self::Rejected => "first message does not verify",
        })
    }
}

impl core::error::Error for AcceptError {}

impl From<OpenError> for AcceptError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::TooFarAhead => Self::TooFarAhead,
            // A ratchet that has received nothing cannot tell these apart.
            OpenError::Replayed | OpenError::Rejected => Self::Rejected,
        }
    }
}

/// Why a message was not decrypted. The session is unchanged.
///
/// Headers are not encrypted or yet verified: an attacker can provoke any of these errors with a forged message. Drop
/// the message, or ask for a new session, but conclude nothing about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The message opens another state: hand it to
    /// [`Session::accept_reinitiated`](crate::signal::Session::accept_reinitiated).
    OtherSession,
    /// Its key was used or discarded: the message is a duplicate, or very late. Drop it.
    Replayed,
    /// More than 25,000 messages before it are missing. If this repeats, set up a new session.
    TooFarAhead,
    /// Not made by the peer in any known state, changed in transit, or of a receiving chain that newer ones have
    /// displaced. Drop it; if this repeats, set up a new session.
    Rejected,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherSession => "message opens another session",
            Self::Replayed => "message was received before",
            Self::TooFarAhead => "too many messages before this one are missing",
            Self::Rejected => "message does not verify",
        })
    }
}

impl core::error::Error for DecryptError {}

impl From<OpenError> for DecryptError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Replayed => Self::Replayed,
            OpenError::TooFarAhead => Self::TooFarAhead,
            OpenError::Rejected => Self::Rejected,
        }
    }
}
