//! Why a session did not accept or decrypt. An enum has a variant only if the caller acts differently on it.

use crate::handshake::RespondError;
use crate::keys::IdentityKey;
use crate::ratchet;
use bisik_core::held::Poisoned;

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
    /// Its sender has set up 16 sessions with the last-resort key. It is refused until the pre-keys are rotated.
    TooManySetUps {
        /// The sender, which is authenticated.
        initiator: IdentityKey,
    },
    /// The last-resort key has set up as many sessions as it may with senders who are not pinned, or in all. Rotate the
    /// pre-keys, publish the new bundle, and tell the sender.
    StrangersFull {
        /// The sender, which is authenticated.
        initiator: IdentityKey,
    },
    /// More than 2,000 messages before this one are missing. Put it back, and accept an earlier one first.
    Ahead {
        /// How many messages are missing before it.
        missing: u32,
    },
    /// A newer version of this library wrote it. Update.
    UnsupportedVersion(u8),
    /// It is damaged or forged, or was made under another disclosure. Drop it.
    Rejected,
    /// A bug in this library, which no input causes: please report it.
    Internal,
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
        TooManySetUps => "session.accept.too_many_set_ups", "the sender has set up too many sessions";
        StrangersFull => "session.accept.strangers_full",
            "the last-resort pre-key cannot remember more sessions with strangers";
        Ahead => "session.accept.ahead", "too many messages before this one are missing for now";
        UnsupportedVersion => "session.accept.unsupported_version", "a newer version wrote the message";
        Rejected => "session.accept.rejected", "the pre-key message does not verify";
        @Internal => "session.accept.internal";
    }
}

impl From<RespondError> for AcceptError {
    fn from(error: RespondError) -> Self {
        match error {
            RespondError::Malformed => Self::Malformed,
            RespondError::WrongIdentity => Self::WrongIdentity,
            RespondError::UnknownPreKey => Self::UnknownPreKey,
            RespondError::Replayed => Self::Replayed,
            RespondError::TooManySetUps { initiator } => Self::TooManySetUps { initiator },
            RespondError::StrangersFull { initiator } => Self::StrangersFull { initiator },
            RespondError::Rejected => Self::Rejected,
            RespondError::Internal => Self::Internal,
        }
    }
}

impl From<ratchet::DecryptError> for AcceptError {
    fn from(error: ratchet::DecryptError) -> Self {
        match error {
            ratchet::DecryptError::Ahead { missing } => Self::Ahead { missing },
            ratchet::DecryptError::UnsupportedVersion(version) => Self::UnsupportedVersion(version),
            // A ratchet that has received nothing cannot tell these apart, and the caller need not.
            ratchet::DecryptError::Malformed
            | ratchet::DecryptError::Duplicate
            | ratchet::DecryptError::Forked { .. }
            | ratchet::DecryptError::Spent
            | ratchet::DecryptError::TooFar
            | ratchet::DecryptError::Diverged
            | ratchet::DecryptError::Rejected => Self::Rejected,
        }
    }
}

/// Why a message was not decrypted. On error the session is unchanged, and no error is a reason to give it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The bytes do not encode a message. Drop it.
    Malformed,
    /// It sets up another session: pass it to [`Session::accept`](crate::Session::accept).
    OpensNewSession,
    /// The session was initiated by another identity than the one passed: a bug in the caller.
    WrongIdentity,
    /// This very message was received before. Drop it.
    Duplicate,
    /// Somebody holds a copy of one side's state, or the peer uses two copies itself: under the number of a message
    /// that was received, or as the beginning of a chain that has begun, another message was made. Authenticated
    /// evidence for this device, not for a third party. Tell the user.
    Forked {
        /// The step of the chain that both messages belong to.
        step: u32,
        /// The number of the message in that chain.
        number: u32,
    },
    /// Its key was used, or given up, too long ago to tell whether it is a duplicate. Drop it.
    Spent,
    /// More keys would have to be kept for the messages that are missing before it than there is room for. Put it back
    /// and decrypt the others first; if it is still ahead then,
    /// [`decrypt_giving_up`](crate::Session::decrypt_giving_up) reads it.
    Ahead {
        /// How many messages are missing before it: those with the least come first.
        missing: u32,
    },
    /// More than 25,000 messages before it are missing. It cannot be read.
    TooFar,
    /// A newer version of this library wrote it. Update; the session goes on.
    UnsupportedVersion(u8),
    /// It was made with a key of this session, but contradicts the local state: one side lost its state or restored an
    /// old one, or a thief who holds the key made it.
    Diverged,
    /// The peer did not make it in this session, or it was changed in transit, or it is too old. Drop it.
    Rejected,
    /// A staged message was sealed and then dropped: drop the session too, load the stored record, and receive the message
    /// again.
    Poisoned,
}

bisik_core::error_texts! {
    DecryptError {
        Malformed => "session.decrypt.malformed", "the message is malformed";
        OpensNewSession => "session.decrypt.opens_new_session", "the message opens another session";
        WrongIdentity => "session.decrypt.wrong_identity", "another identity initiated the session";
        Duplicate => "session.decrypt.duplicate", "the message was received before";
        Forked => "session.decrypt.forked", "two messages were made from copies of one state";
        Spent => "session.decrypt.spent", "the message's key was used or deleted";
        Ahead => "session.decrypt.ahead", "too many messages before this one are missing for now";
        TooFar => "session.decrypt.too_far", "too many messages before this one are missing";
        UnsupportedVersion => "session.decrypt.unsupported_version", "a newer version wrote the message";
        Diverged => "session.decrypt.diverged", "the message contradicts the session's state";
        Rejected => "session.decrypt.rejected", "the message does not verify";
        Poisoned => "session.decrypt.poisoned", "a sealed message was not committed: load the stored record";
    }
}

impl From<Poisoned> for DecryptError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

impl From<ratchet::DecryptError> for DecryptError {
    fn from(error: ratchet::DecryptError) -> Self {
        match error {
            ratchet::DecryptError::Malformed => Self::Malformed,
            ratchet::DecryptError::Duplicate => Self::Duplicate,
            ratchet::DecryptError::Forked { step, number } => Self::Forked { step, number },
            ratchet::DecryptError::Spent => Self::Spent,
            ratchet::DecryptError::Ahead { missing } => Self::Ahead { missing },
            ratchet::DecryptError::TooFar => Self::TooFar,
            ratchet::DecryptError::UnsupportedVersion(version) => Self::UnsupportedVersion(version),
            ratchet::DecryptError::Diverged => Self::Diverged,
            ratchet::DecryptError::Rejected => Self::Rejected,
        }
    }
}
