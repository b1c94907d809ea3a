//! Why a session was not set up, did not accept or did not decrypt: a variant only where the caller acts differently.
//!
//! Does not know the causes below: they come from the handshake and the ratchet.

use core::fmt;

use crate::signal::ratchet::OpenError;

/// Why no session was set up. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitiateError {
    /// The bundle is the caller's own: a bug, or a server that hands out the wrong one.
    OwnBundle,
    /// The identity or the bundle is not that of this session: a bug in the caller, or a peer with a new identity.
    OtherIdentity,
    /// The bundle's keys agree on nothing: made by a hostile device. Do not use it.
    Rejected,
}

impl fmt::Display for InitiateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnBundle => "pre-key bundle is one's own",
            Self::OtherIdentity => "identity is not that of this session",
            Self::Rejected => "pre-key bundle agrees on nothing",
        })
    }
}

impl core::error::Error for InitiateError {}

/// Why a first message did not open a state. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// It is no first message, so it belongs to a session, and that one was lost: ask the sender for a new one.
    NotFirst,
    /// The identity, or the owner of the pre-keys, is another than the session's: a bug in the caller.
    OtherIdentity,
    /// It names pre-keys that are gone or never were: used already, dropped, or of an installation that was lost.
    /// Tell the sender to fetch a new bundle.
    UnknownPreKey,
    /// Somebody wrote it, but another identity than the pinned one: warn the user, as for any changed key.
    IdentityMismatch,
    /// It names a state that was opened before. Where the session is still there: a duplicate, drop it. Where the session was
    /// lost or deleted since: its sender goes on in it, and has to be asked for a new one.
    Replayed,
    /// Its signed pre-key has opened 1,024 states without a one-time pre-key, and cannot remember more: rotate, publish
    /// the new bundle, and ask the sender for a new session.
    ReplayCacheFull,
    /// It says that more than 25,000 messages were written before it: ask the sender for a new session.
    TooFarAhead,
    /// Damaged or forged. Drop it.
    Rejected,
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFirst => "message belongs to a session that is not here",
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

/// Why a message was not decrypted. The session is the same as before, bit for bit.
///
/// Headers are clear on this wire: all but [`DecryptError::Rejected`] are what the message says of itself, and anybody can
/// have written that. Drop it, or ask for a new session; conclude nothing about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// It opens another state: hand it to [`Session::accept_reinitiated`](crate::signal::Session::accept_reinitiated).
    OtherSession,
    /// Its key is used up or was given up long ago: a duplicate, or very late. Drop it.
    Replayed,
    /// More than 25,000 messages before it are missing: if it repeats, set up a new session.
    TooFarAhead,
    /// Not made by the peer in any state, changed on the way, or of a chain that newer ones have displaced. Drop it; if it
    /// repeats, set up a new session.
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
