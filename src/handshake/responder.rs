//! The responder's side: from a first flight to the same shared secret (docs/spec/session.md, section 3.3).
//!
//! P-3.5. Changes nothing: which keys were used is returned, and removed by the caller once the first message verified.

use core::fmt;

use super::transcript::OpenTranscript;
use super::{DisclosureHash, Established, FirstFlight};
use crate::keys::{Identity, IdentityKey, LookupError, PreKeys, UsedPreKeys};
use crate::primitives::aead::Forged;
use crate::primitives::x25519::{InvalidKey, KeyPair, Point, agree_all};

/// Why a first flight is not answered; each variant asks for another reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RespondError {
    /// Not the encoding of a first flight. Drop it.
    Malformed,
    /// The pre-keys belong to another identity: a bug in the caller.
    OtherIdentity,
    /// It names pre-keys that are gone or never were: used already, expired, or of an installation that was lost.
    /// Tell the sender to fetch a new bundle.
    UnknownPreKey,
    /// This first flight opened a session before. Drop it.
    Replayed,
    /// The last-resort key has opened as many sessions as it can remember. Rotate, publish, and let the sender try again.
    ReplayCacheFull,
    /// Damaged, forged, or made under another disclosure. Drop it; nothing was changed.
    Rejected,
}

impl fmt::Display for RespondError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "first flight is malformed",
            Self::OtherIdentity => "pre-keys belong to another identity",
            Self::UnknownPreKey => "first flight names unknown pre-keys",
            Self::Replayed => "first flight was answered before",
            Self::ReplayCacheFull => "last-resort pre-key cannot remember more sessions",
            Self::Rejected => "first flight does not verify",
        })
    }
}

impl core::error::Error for RespondError {}

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

/// What the responder has after its half of the handshake.
#[derive(Debug)]
#[non_exhaustive]
pub struct Responded {
    /// The shared secret and its names.
    pub established: Established,
    /// The signed pre-key, which is the responder's first ratchet key.
    pub ratchet_key: KeyPair,
    /// What to hand to [`PreKeys::remove`] once the first message has verified, and not before.
    pub used: UsedPreKeys,
}

/// Runs the responder's half. It authenticates the initiator as soon as a first message under the secret verifies;
/// until then a flight may be a replay or a forgery by somebody who holds the signed pre-key's secret.
///
/// # Errors
///
/// [`RespondError`]; neither `identity` nor `keys` is changed in any case.
pub fn respond(
    identity: &Identity,
    keys: &PreKeys,
    flight: &FirstFlight,
    disclosure: Option<DisclosureHash>,
) -> Result<Responded, RespondError> {
    if keys.owner() != identity.public() {
        return Err(RespondError::OtherIdentity);
    }
    let found = keys.find(flight.signed_id, flight.one_time_id)?;
    let kem_secret = found.kem.decapsulate(&flight.kem);

    let ephemeral = Point::decode(flight.ephemeral)?;
    let dh2 = (identity.agreement(), &ephemeral);
    let dh3 = (found.signed(), &ephemeral);
    let agreed = match found.one_time {
        Some((_, one_time)) => agree_all(&[dh2, dh3, (one_time, &ephemeral)])?,
        None => agree_all(&[dh2, dh3])?,
    };

    let transcript = OpenTranscript::new(&found.digest, &flight.ephemeral, &flight.kem, disclosure);
    let initiator = transcript.open_identity(&flight.sealed_identity, &agreed, &kem_secret)?;
    let (initiator, initiator_point) = IdentityKey::decode(&initiator).map_err(|_| RespondError::Rejected)?;
    // P-3.3
    if initiator == *identity.public() {
        return Err(RespondError::Rejected);
    }
    let first = found.signed().agree(&initiator_point)?;
    let established = transcript.establish(&initiator, initiator, &first, &agreed, &kem_secret);
    let used = found.claim(established.session_id)?;
    Ok(Responded { established, ratchet_key: found.signed().duplicate(), used })
}
