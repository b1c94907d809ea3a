//! The responder's side: from a pre-key header to the same shared secret (docs/spec/session.md, section 3.3).
//!
//! P-3.6: nothing here changes the pre-keys. The result names the keys that were used, and the caller removes them once
//! the pre-key message has verified.

use subtle::ConstantTimeEq;

use super::transcript::{Agreed, OpenTranscript};
use super::{DisclosureHash, Established, PreKeyHeader};
use crate::keys::{
    Claim, Identity, IdentityKey, IdentityKeyError, PreKeys, Refusal, Trust, UnknownPreKey, UsedPreKeys,
};
use bisik_core::primitives::aead::Forged;
use bisik_core::primitives::x25519::{InvalidKey, Point, agree_all, agree_each};
use bisik_core::time::Timestamp;

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
    /// This initiator has set up 16 sessions with the last-resort key. It is refused until the pre-keys are rotated.
    TooManySetUps {
        /// Who has set up so many.
        initiator: IdentityKey,
    },
    /// The last-resort key has set up as many sessions as it may with initiators who are not pinned, or in all. Call
    /// [`PreKeys::rotate`] and publish the new bundle; the initiator fetches it when it is told.
    StrangersFull {
        /// Who found no room.
        initiator: IdentityKey,
    },
    /// The pre-key header is damaged or forged, or was made under another disclosure. Drop it.
    Rejected,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

bisik_core::error_texts! {
    RespondError {
        Malformed => "handshake.respond.malformed", "the pre-key header is malformed";
        WrongIdentity => "handshake.respond.wrong_identity", "the pre-keys belong to another identity";
        UnknownPreKey => "handshake.respond.unknown_pre_key", "the pre-key header names unknown pre-keys";
        Replayed => "handshake.respond.replayed", "the pre-key header was answered before";
        TooManySetUps => "handshake.respond.too_many_set_ups", "the initiator has set up too many sessions";
        StrangersFull => "handshake.respond.strangers_full",
            "the last-resort pre-key cannot remember more sessions with strangers";
        Rejected => "handshake.respond.rejected", "the pre-key header does not verify";
        @Internal => "handshake.respond.internal";
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

impl From<IdentityKeyError> for RespondError {
    fn from(_: IdentityKeyError) -> Self {
        Self::Rejected
    }
}

impl From<UnknownPreKey> for RespondError {
    fn from(UnknownPreKey: UnknownPreKey) -> Self {
        Self::UnknownPreKey
    }
}

/// The responder's result of a handshake.
#[derive(Debug)]
#[non_exhaustive]
pub struct Responded {
    /// The shared secrets, the binding, the session id and the peer.
    pub established: Established,
    claim: Claim,
}

impl Responded {
    /// Returns the pre-keys that the session uses, for [`PreKeys::remove`]. Call it once a message has verified under
    /// the secrets, not before: only then is the initiator that an error names authenticated. Requirement P-3.8.
    ///
    /// # Errors
    ///
    /// [`RespondError::Replayed`], [`RespondError::TooManySetUps`] or [`RespondError::StrangersFull`]: drop the session.
    pub fn claim(&self) -> Result<UsedPreKeys, RespondError> {
        let initiator = self.established.peer;
        self.claim.map_err(|refusal| match refusal {
            Refusal::Replayed => RespondError::Replayed,
            Refusal::TooMany => RespondError::TooManySetUps { initiator },
            Refusal::Full => RespondError::StrangersFull { initiator },
        })
    }
}

/// Runs the responder's side of the handshake.
///
/// `trust` says which initiator the caller expects. The one that it pins is not checked again, and finds room where
/// strangers do not; another one is not refused here.
///
/// The initiator is authenticated only once a message has verified under the secrets. Until then, the header may be a
/// replay, or a forgery by an attacker who has the responder's secrets.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::handshake::{self, PreKeyHeader, RespondError};
/// # use bisik::{Identity, PreKeys, Timestamp, Trust};
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
/// # let initiated = handshake::initiate(&alice, &bundle, None, now, rng)?;
/// let header = &initiated.pre_key_header;
/// let responded = handshake::respond(&bob, &keys, header, None, Trust::OnFirstUse, now)?;
/// assert_eq!(&responded.established.peer, alice.public());
/// // Another device cannot answer with its own keys.
/// let eve = Identity::generate(rng);
/// let keys = PreKeys::generate(&eve, now, rng);
/// assert!(handshake::respond(&eve, &keys, header, None, Trust::OnFirstUse, now).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`RespondError`]. `identity` and `keys` are never changed.
pub fn respond(
    identity: &Identity,
    keys: &PreKeys,
    header: &PreKeyHeader,
    disclosure: Option<DisclosureHash>,
    trust: Trust<'_>,
    now: Timestamp,
) -> Result<Responded, RespondError> {
    if keys.owner() != identity.public() {
        return Err(RespondError::WrongIdentity);
    }
    let found = keys.find(header.signed_id, header.one_time_id, now)?;
    let kem_secret = found.kem.decapsulate(&header.kem);

    let ephemeral = Point::decode(header.ephemeral)?;
    let dh2 = (identity.agreement(), &ephemeral);
    let dh3 = (found.signed(), &ephemeral);
    let agreed = match found.one_time {
        Some((_, one_time)) => agree_all(&[dh2, dh3, (one_time, &ephemeral)])?,
        None => agree_all(&[dh2, dh3])?,
    };
    let agreed = Agreed::of_ephemeral(&agreed, &kem_secret);

    let transcript = OpenTranscript::new(&found.digest, &header.ephemeral, &header.kem, disclosure);
    let initiator = transcript.open_identity(&header.sealed_identity, &agreed)?;
    let (initiator, point, known) = decode_initiator(&initiator, trust)?;
    // P-3.4: refuse a pre-key header of the local identity.
    if initiator == *identity.public() {
        return Err(RespondError::Rejected);
    }
    let of_identity = agree_each([(identity.agreement(), &point), (found.signed(), &point)])?;
    let agreed = agreed.with_identity(&of_identity);
    let established = transcript.establish(&initiator, initiator, &agreed)?;
    let claim = found.claim(&initiator, &established.session_id, known);
    Ok(Responded { established, claim })
}

/// P-2.3: decodes the initiator's identity key. One that the caller has pinned was checked before. Returns whether it
/// is the pinned one.
fn decode_initiator(
    bytes: &[u8; IdentityKey::LENGTH],
    trust: Trust<'_>,
) -> Result<(IdentityKey, Point, bool), RespondError> {
    if let Trust::Pinned(expected) = trust
        && bool::from(expected.to_bytes().ct_eq(bytes))
    {
        return Ok((*expected, expected.point()?, true));
    }
    let (initiator, point) = IdentityKey::decode(bytes)?;
    Ok((initiator, point, false))
}
