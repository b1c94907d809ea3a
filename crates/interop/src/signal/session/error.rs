//! Why a session was not set up, did not accept or did not decrypt: a variant only where the caller acts differently.

use crate::signal::ratchet::OpenError;
use bisik_core::held::Poisoned;

/// Why no session was set up. The session, if there was one, is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitiateError {
    /// The bundle is the local device's own: a bug in the caller, or a server that hands out the wrong bundle.
    OwnBundle,
    /// The identity or the bundle is not this session's: a bug in the caller, or a peer with a new identity.
    WrongIdentity,
    /// A staged message was sealed and then dropped: drop the session too, and load the stored record.
    Poisoned,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    InitiateError {
        OwnBundle => "interop.signal.initiate.own_bundle", "the pre-key bundle is the local device's own";
        WrongIdentity => "interop.signal.initiate.wrong_identity", "the identity is not that of this session";
        Poisoned => "interop.signal.initiate.poisoned", "a sealed message was not committed: load the stored record";
        @Internal => "interop.signal.initiate.internal";
    }
}

/// Why a pre-key message did not open a state. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptError {
    /// It is not a pre-key message, so it belongs to a session, which this device has lost: ask the sender for a new
    /// one.
    NotPreKeyMessage,
    /// The identity, or the owner of the pre-keys, is not the session's: a bug in the caller.
    WrongIdentity,
    /// It names pre-keys that this device does not have: they were used, dropped, or lost with an installation.
    /// Ask the sender to fetch a new bundle.
    UnknownPreKey,
    /// Another identity than the pinned one wrote it: warn the user, as for any changed key.
    IdentityMismatch,
    /// The message names a state that was opened before. If the session still exists, this is a duplicate: drop it. If
    /// the session was lost or deleted since, the sender still writes in it: ask the sender for a new session.
    Replayed,
    /// The signed pre-key has opened 1,024 states without a one-time pre-key, and cannot remember more: rotate it,
    /// publish the new bundle, and ask the sender for a new session.
    ReplayCacheFull,
    /// It claims that more than 25,000 messages precede it: ask the sender for a new session.
    TooFarAhead,
    /// It is damaged or forged. Drop it.
    Rejected,
    /// A staged message was sealed and then dropped: drop the session too, load the stored record, and receive the message
    /// again.
    Poisoned,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    AcceptError {
        NotPreKeyMessage => "interop.signal.accept.not_pre_key_message",
            "the message belongs to a session that is not here";
        WrongIdentity => "interop.signal.accept.wrong_identity",
            "the pre-keys or the session belong to another identity";
        UnknownPreKey => "interop.signal.accept.unknown_pre_key", "the pre-key message names unknown pre-keys";
        IdentityMismatch => "interop.signal.accept.identity_mismatch",
            "the pre-key message was written by another identity than the expected one";
        Replayed => "interop.signal.accept.replayed", "the pre-key message opened a session before";
        ReplayCacheFull => "interop.signal.accept.replay_cache_full",
            "the signed pre-key cannot remember more sessions";
        TooFarAhead => "interop.signal.accept.too_far_ahead", "too many messages before this one are missing";
        Rejected => "interop.signal.accept.rejected", "the pre-key message does not verify";
        Poisoned => "interop.signal.accept.poisoned", "a sealed message was not committed: load the stored record";
        @Internal => "interop.signal.accept.internal";
    }
}

impl From<OpenError> for AcceptError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::TooFarAhead => Self::TooFarAhead,
            // A ratchet that has received nothing cannot tell these apart.
            OpenError::Replayed | OpenError::TooLate | OpenError::Rejected => Self::Rejected,
        }
    }
}

/// Why a message was not decrypted. On error the session is unchanged.
///
/// Headers of this protocol are not authenticated until a message decrypts: the variants before [`DecryptError::Rejected`]
/// repeat what the message claims. Conclude nothing about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The message opens another state: hand it to
    /// [`Session::accept_reinitiated`](crate::signal::Session::accept_reinitiated).
    OpensNewSession,
    /// Its key was used or deleted: it is a duplicate, or very late. Drop it.
    Replayed,
    /// It belongs to a chain that has ended, since the peer has made five DH steps after it, and no key is kept for it:
    /// it was received before, or comes too late. Drop it; if it is wanted, ask the peer to send it again. The session
    /// is as good as before.
    TooLate,
    /// More than 25,000 messages before it are missing. If this repeats, set up a new session.
    TooFarAhead,
    /// The peer did not make it in any state of this session, or it was changed in transit. Drop it; if that repeats, set
    /// up a new session.
    Rejected,
    /// A staged message was sealed and then dropped: drop the session too, load the stored record, and receive the message
    /// again.
    Poisoned,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    DecryptError {
        OpensNewSession => "interop.signal.decrypt.opens_new_session", "the message opens another session";
        Replayed => "interop.signal.decrypt.replayed", "the message's key was used or deleted";
        TooLate => "interop.signal.decrypt.too_late", "the message belongs to a chain that has ended";
        TooFarAhead => "interop.signal.decrypt.too_far_ahead", "too many messages before this one are missing";
        Rejected => "interop.signal.decrypt.rejected", "the message does not verify";
        Poisoned => "interop.signal.decrypt.poisoned", "a sealed message was not committed: load the stored record";
        @Internal => "interop.signal.decrypt.internal";
    }
}

impl From<OpenError> for DecryptError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Replayed => Self::Replayed,
            OpenError::TooLate => Self::TooLate,
            OpenError::TooFarAhead => Self::TooFarAhead,
            OpenError::Rejected => Self::Rejected,
        }
    }
}

impl From<Poisoned> for InitiateError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

impl From<Poisoned> for AcceptError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

impl From<Poisoned> for DecryptError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}
