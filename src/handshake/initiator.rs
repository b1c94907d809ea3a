//! The initiator's side: from a verified bundle to a shared secret and a pre-key header (docs/spec/session.md, section
//! 3.2).

use rand_core::CryptoRng;

use super::transcript::OpenTranscript;
use super::{DisclosureHash, Established, PreKeyHeader};
use crate::keys::{Identity, VerifiedBundle};
use bisik_core::primitives::x25519::{self, InvalidKey, PublicKey};

/// Why a session could not be initiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitiateError {
    /// The bundle is the caller's own. A device has no session with itself.
    OwnBundle,
    /// A bug in this library, which no input causes: please report it. Nothing has changed.
    Internal,
}

bisik_core::error_texts! {
    InitiateError {
        OwnBundle => "session.initiate.own_bundle", "the pre-key bundle is the local device's own";
        @Internal => "session.initiate.internal";
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
    /// The responder's first ratchet key, which is its signed pre-key.
    pub ratchet_key: PublicKey,
}

/// Runs the initiator's side of the handshake with a verified bundle.
///
/// `disclosure` is the hash of a hosted device's disclosure, or `None`. The ephemeral key and the
/// encapsulation are drawn fresh from `rng`. The ephemeral secret, the agreements and the KEM secret are wiped before
/// the function returns (requirement P-3.2).
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::handshake::{self, PreKeyHeader};
/// use bisik::ratchet::DoubleRatchet;
/// use bisik::{Identity, PreKeys, Timestamp, Trust};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
/// let keys = PreKeys::generate(&bob, now, rng);
/// let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
///
/// let initiated = handshake::initiate(&alice, &bundle, None, rng)?;
/// let (at_alice, sent) = (initiated.established, initiated.pre_key_header.to_bytes());
/// let mut a = DoubleRatchet::initiator(&at_alice.secret, &at_alice.binding, &initiated.ratchet_key);
///
/// let arrived = PreKeyHeader::from_bytes(&sent)?;
/// let responded = handshake::respond(&bob, &keys, &arrived, None)?;
/// let at_bob = responded.established;
/// let mut b = DoubleRatchet::responder(&at_bob.secret, &at_bob.binding, responded.ratchet_key);
///
/// assert_eq!(b.decrypt(&a.encrypt(b"halo", rng)?)?, b"halo");
/// assert_eq!(&at_bob.peer, alice.public());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`InitiateError::OwnBundle`] if the bundle belongs to `identity` (requirement P-3.3).
/// [`InitiateError::Internal`] is a bug in this library.
pub fn initiate(
    identity: &Identity,
    bundle: &VerifiedBundle,
    disclosure: Option<DisclosureHash>,
    mut rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Initiated, InitiateError> {
    initiate_with(identity, bundle, disclosure, &mut rng)
}

fn initiate_with(
    identity: &Identity,
    bundle: &VerifiedBundle,
    disclosure: Option<DisclosureHash>,
    rng: &mut dyn CryptoRng,
) -> Result<Initiated, InitiateError> {
    if identity.public() == bundle.identity() {
        return Err(InitiateError::OwnBundle);
    }
    // The order is DH2, DH3, DH4 (with a one-time key), then DH1.
    let dh1 = (identity.agreement(), &bundle.signed);
    let (ephemeral, secrets) = match &bundle.one_time {
        Some((_, one_time)) => {
            x25519::generate_and_agree_all(rng, &[&bundle.agreement, &bundle.signed, one_time], dh1)?
        }
        None => x25519::generate_and_agree_all(rng, &[&bundle.agreement, &bundle.signed], dh1)?,
    };
    let (kem, kem_secret) = bundle.kem.encapsulate(rng);
    let (first, agreed) = secrets.split_last().ok_or(InitiateError::Internal)?;

    let transcript = OpenTranscript::new(&bundle.digest, ephemeral.public(), &kem, disclosure);
    let sealed_identity = transcript.seal_identity(identity.public(), agreed, &kem_secret)?;
    let established = transcript.establish(identity.public(), *bundle.identity(), first, agreed, &kem_secret);
    // 0 stands for none: ids begin at 1.
    let one_time_id = match &bundle.one_time {
        Some((id, _)) => *id,
        None => 0,
    };
    let pre_key_header =
        PreKeyHeader { ephemeral: *ephemeral.public(), signed_id: bundle.signed_id, one_time_id, kem, sealed_identity };
    Ok(Initiated { established, pre_key_header, ratchet_key: *bundle.signed.public() })
}
