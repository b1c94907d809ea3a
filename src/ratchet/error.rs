//! Why a message was not decrypted (docs/spec/session.md, section 4.9).

use bisik_core::codec::Malformed;

/// Why a message was not decrypted. The state is unchanged, and no error is a reason to give a session up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// It is shorter or longer than any message can be. Drop it.
    Malformed,
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
    /// and decrypt the others first; if it is still ahead then, `decrypt_giving_up` reads it.
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
}

bisik_core::error_texts! {
    DecryptError {
        Malformed => "ratchet.decrypt.malformed", "the message is malformed";
        Duplicate => "ratchet.decrypt.duplicate", "the message was received before";
        Forked => "ratchet.decrypt.forked", "two messages were made from copies of one state";
        Spent => "ratchet.decrypt.spent", "the message's key was used or deleted";
        Ahead => "ratchet.decrypt.ahead", "too many messages before this one are missing for now";
        TooFar => "ratchet.decrypt.too_far", "too many messages before this one are missing";
        UnsupportedVersion => "ratchet.decrypt.unsupported_version", "a newer version wrote the message";
        Diverged => "ratchet.decrypt.diverged", "the message contradicts the ratchet's state";
        Rejected => "ratchet.decrypt.rejected", "the message does not verify";
    }
}

impl From<Malformed> for DecryptError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}
