//! The responder's side: from a pre-key header to the same shared secret (docs/spec/session.md, section 3.3).
//!
//! P-3.5: nothing here changes the pre-keys. The result names the keys that were used, and the caller removes them once
//! the pre-key message has verified.

use super::transcript::OpenTranscript;
use super::{DisclosureHash, Established, PreKeyHeader};
use crate::keys::{Identity, IdentityKey, LookupError, PreKeys, UsedPreKeys};
use bisik_core::primitives::aead::Forged;
use bisik_core::primitives::x25519::{self, InvalidKey, KeyPair, Point, agree_all};

/// Why a pre-key header is refused. Each variant calls for a different reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RespondError {
    /// The bytes do not encode a pre-key header. Drop it.
    Malformed,
    /// The pre-keys belong to another identity, which is a bug in the caller.
    WrongIdentity,
    /// The named pre-keys are not held: used already, expired, or lost with an earlier installation. Tell the sender to
    /// fetch a new bundle.
    UnknownPreKey,
    /// This pre-key header has set up a session before. Drop it.
    Replayed,
    /// The replay cache of the last-resort key is full. Rotate the pre-keys, publish the new bundle, and let the sender
    /// try again.
    ReplayCacheFull,
    /// The pre-key header is damaged or forged, or was made under another disclosure. Drop it.
    Rejected,
}

bisik_core::error_texts! {
    RespondError {
        Malformed => "handshake.respond.malformed", "the pre-key header is malformed";
        WrongIdentity => "handshake.respond.wrong_identity", "the pre-keys belong to another identity";
        UnknownPreKey => "handshake.respond.unknown_pre_key", "the pre-key header names unknown pre-keys";
        Replayed => "handshake.respond.replayed", "the pre-key header was answered before";
        ReplayCacheFull => "handshake.respond.replay_cache_full",
            "the last-resort pre-key cannot remember more sessions";
        Rejected => "handshake.respond.rejected", "the pre-key header does not verify";
    }
}

impl From<InvalidKey> for RespondError {
    fn from(_: InvalidKey) -> Self {
        Self::Rejected
    }
}

impl From<Forged> for RespondError {
    fn from(Forged: Forged) -> Self {
        Self::Rejected
    }
}

impl From<LookupError> for RespondError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Unknown => Self::UnknownPreKey,
            LookupError::Replayed => Self::Replayed,
            LookupError::CacheFull => Self::ReplayCacheFull,
        }
    }
}

/// The responder's result of a handshake.
#[derive(Debug)]
#[non_exhaustive]
pub struct Responded {
    /// The shared secrets, the binding, the session id and the peer.
    pub established: Established,
    /// The signed pre-key, which is the responder's first ratchet key.
    pub ratchet_key: KeyPair,
    /// The pre-keys that were used. Pass this to [`PreKeys::remove`] once the pre-key message has verified, not before.
    pub used: UsedPreKeys,
}

/// Runs the responder's side of the handshake.
///
/// The initiator is authenticated only once its pre-key message has verified under the shared secret. Until then, the
/// header may be a replay, or a forgery by an attacker who has the signed pre-key's secret.
///
/// # Errors
///
/// [`RespondError`]. `identity` and `keys` are never changed.
pub fn respond(
    identity: &Identity,
    keys: &PreKeys,
    header: &PreKeyHeader,
    disclosure: Option<DisclosureHash>,
) -> Result<Responded, RespondError> {
    if keys.owner() != identity.public() {
        return Err(RespondError::WrongIdentity);
    }
    let found = keys.find(header.signed_id, header.one_time_id)?;
    let kem_secret = found.kem.decapsulate(&header.kem);

    let ephemeral = Point::decode(header.ephemeral)?;
    let dh2 = (identity.agreement(), &ephemeral);
    let dh3 = (found.signed(), &ephemeral);
    let agreed = match found.one_time {
        Some((_, one_time)) => agree_all(&[dh2, dh3, (one_time, &ephemeral)])?,
        None => agree_all(&[dh2, dh3])?,
    };

    let transcript = OpenTranscript::new(&found.digest, &header.ephemeral, &header.kem, disclosure);
    let initiator = transcript.open_identity(&header.sealed_identity, &agreed, &kem_secret)?;
    let (initiator, initiator_point) = IdentityKey::decode(&initiator).map_err(|_| RespondError::Rejected)?;
    // P-3.3: refuse a pre-key header of the local identity.
    if initiator == *identity.public() {
        return Err(RespondError::Rejected);
    }
    let first = x25519::agree(found.signed(), &initiator_point)?;
    let established = transcript.establish(&initiator, initiator, &first, &agreed, &kem_secret);
    let used = found.claim(established.session_id)?;
    Ok(Responded { established, ratchet_key: x25519::duplicate(found.signed()), used })
}
