//! The initiator's side: from a verified bundle to a shared secret and a pre-key header (docs/spec/session.md, section
//! 3.2).

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::transcript::{Agreed, OpenTranscript};
use super::{DisclosureHash, Established, PreKeyHeader};
use crate::keys::{Identity, Stale, VerifiedBundle};
use bisik_core::primitives::x25519::{self, InvalidKey, KeyPair};
use bisik_core::time::Timestamp;

/// Why a session could not be initiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitiateError {
    /// The bundle is the caller's own. A device has no session with itself.
    OwnBundle,
    /// The bundle has expired, or was verified more than a day ago. Fetch and verify another one.
    BundleExpired,
    /// The clock is more than a day before the moment at which the bundle was verified: it is wrong, or was wrong then.
    /// Check the clock; fetch and verify another bundle.
    ClockWentBack,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    InitiateError {
        OwnBundle => "session.initiate.own_bundle", "the pre-key bundle is the local device's own";
        BundleExpired => "session.initiate.bundle_expired", "the pre-key bundle has expired since it was verified";
        ClockWentBack => "session.initiate.clock_went_back", "the clock is before the verification of the bundle";
        @Internal => "session.initiate.internal";
    }
}

impl From<Stale> for InitiateError {
    fn from(stale: Stale) -> Self {
        match stale {
            Stale::TooOld => Self::BundleExpired,
            Stale::ClockWentBack => Self::ClockWentBack,
        }
    }
}

impl From<InvalidKey> for InitiateError {
    /// The keys of a verified bundle were checked: each agreement gives a secret.
    fn from(_: InvalidKey) -> Self {
        Self::Internal
    }
}

/// The initiator's result of a handshake.
#[derive(Debug)]
#[non_exhaustive]
pub struct Initiated {
    /// The shared secrets, the binding, the session id and the peer.
    pub established: Established,
    /// The data to send to the responder.
    pub pre_key_header: PreKeyHeader,
    /// The initiator's first ratchet pair, whose public key its first messages carry.
    pub ratchet_key: KeyPair,
    /// Random labels, for a frame that offers to resume an older session: those of the places that offer nothing.
    pub labels: [[u8; 8]; 4],
}

/// Runs the initiator's side of the handshake with a verified bundle.
///
/// `disclosure` is the hash of a hosted device's disclosure, or `None`. Uses 32 bytes of `rng`, hedged with the secret of
/// `identity`: the ephemeral key, the encapsulation, the first ratchet pair and the labels come from them. The ephemeral
/// secret, the agreements and the KEM secret are wiped before the function returns (requirement P-3.3).
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::handshake::{self, PreKeyHeader};
/// use bisik::{Identity, PreKeys, Timestamp, Trust};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// let keys = PreKeys::generate(&bob, now, rng);
/// let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
///
/// let initiated = handshake::initiate(&alice, &bundle, None, now, rng)?;
/// let (at_alice, sent) = (initiated.established, initiated.pre_key_header.to_bytes());
///
/// let arrived = PreKeyHeader::from_bytes(&sent)?;
/// let responded = handshake::respond(&bob, &keys, &arrived, None, Trust::OnFirstUse, now)?;
/// let at_bob = &responded.established;
///
/// assert_eq!((at_alice.session_id, at_alice.binding), (at_bob.session_id, at_bob.binding));
/// assert_eq!((&at_alice.peer, &at_bob.peer), (bob.public(), alice.public()));
/// let used = responded.claim()?; // once a message has verified under the secrets
/// assert!(!used.one_time());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`InitiateError::OwnBundle`] if the bundle belongs to `identity` (requirement P-3.4);
/// [`InitiateError::BundleExpired`] and [`InitiateError::ClockWentBack`] if the bundle is not used at this time
/// (requirement P-2.5). [`InitiateError::Internal`] is a bug in this library.
pub fn initiate(
    identity: &Identity,
    bundle: &VerifiedBundle,
    disclosure: Option<DisclosureHash>,
    now: Timestamp,
    mut rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Initiated, InitiateError> {
    initiate_with(identity, bundle, disclosure, now, &mut rng)
}

fn initiate_with(
    identity: &Identity,
    bundle: &VerifiedBundle,
    disclosure: Option<DisclosureHash>,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<Initiated, InitiateError> {
    if identity.public() == bundle.identity() {
        return Err(InitiateError::OwnBundle);
    }
    bundle.check_fresh(now)?;
    let draw = identity.draw_set_up(&bundle.digest, disclosure, rng);
    let (ephemeral, first_ratchet) = (draw.agreement(), draw.first_ratchet());
    let own = x25519::secret(identity.agreement());
    // DH0 and DH1, then DH2, DH3 and, with a one-time key, DH4.
    let mut agreements = Vec::with_capacity(5);
    agreements.extend([(own, &bundle.agreement), (own, &bundle.signed)]);
    agreements.extend([(&ephemeral, &bundle.agreement), (&ephemeral, &bundle.signed)]);
    agreements.extend(bundle.one_time.as_ref().map(|(_, one_time)| (&ephemeral, one_time)));
    let ([ephemeral, ratchet_key], agreed) = x25519::multiply_all([&ephemeral, &first_ratchet], &agreements)?;
    let (kem, kem_secret) = bundle.kem.encapsulate_with(&draw.encapsulation());
    let agreed = Agreed::new(&agreed, &kem_secret)?;

    let transcript = OpenTranscript::new(&bundle.digest, &ephemeral, &kem, disclosure);
    let sealed_identity = transcript.seal_identity(identity.public(), &agreed)?;
    let established = transcript.establish(identity.public(), *bundle.identity(), &agreed)?;
    // 0 stands for none: ids begin at 1.
    let one_time_id = match &bundle.one_time {
        Some((id, _)) => *id,
        None => 0,
    };
    let pre_key_header = PreKeyHeader { ephemeral, signed_id: bundle.signed_id, one_time_id, kem, sealed_identity };
    let ratchet_key = x25519::pair_from_parts(first_ratchet, ratchet_key);
    Ok(Initiated { established, pre_key_header, ratchet_key, labels: draw.labels() })
}
