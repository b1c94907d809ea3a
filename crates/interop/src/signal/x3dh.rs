//! X3DH, version 3: four agreements and one derivation (docs/interop.md, section 2). Version 4 has the same agreements
//! (docs/interop.md, section 13).
//!
//! It turns keys into the root key that a ratchet starts from.

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::bundle::VerifiedBundle;
use super::key::{Identity, PublicKey};
use super::ratchet::Ratchet;
use crate::labels;
use bisik_core::internal::InternalError;
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, InvalidKey, KeyPair, Point, agree_all};

/// The initiator's side. Generates an ephemeral pair from 32 bytes of `rng`; its public half names the session. S-2.2.
pub(super) fn initiate(
    identity: &Identity,
    bundle: &VerifiedBundle,
    rng: &mut dyn CryptoRng,
) -> Result<(PublicKey, Ratchet), InternalError> {
    let (base_key, agreed) = initiator(identity, bundle, rng)?;
    Ok((base_key, Ratchet::initiator(root(&agreed), bundle.signed.clone())))
}

/// The initiator's base key and agreements, in their order.
///
/// The bundle's points were decoded when it was verified. None is of small order, so every agreement succeeds.
pub(super) fn initiator(
    identity: &Identity,
    bundle: &VerifiedBundle,
    rng: &mut dyn CryptoRng,
) -> Result<(PublicKey, Vec<Secret<32>>), InternalError> {
    let base = Secret::random(rng);
    let mut agreements = Vec::with_capacity(4);
    agreements.push((x25519::secret(identity.pair().as_dh()), &bundle.signed));
    agreements.extend([(&base, &bundle.identity_point), (&base, &bundle.signed)]);
    agreements.extend(bundle.one_time.as_ref().map(|(_, point)| (&base, point)));
    let ([base], agreed) = x25519::multiply_all([&base], &agreements).map_err(|_| InternalError)?;
    Ok((PublicKey::from_dh(base), agreed))
}

/// The keys of a pre-key message: the local pre-keys that it names, and the peer's keys that it carries.
pub(super) struct PreKeyMessageKeys<'a> {
    pub(super) signed: &'a KeyPair,
    pub(super) one_time: Option<&'a KeyPair>,
    pub(super) base_key: &'a PublicKey,
    pub(super) identity: &'a PublicKey,
}

/// The responder's side. The message that carries the keys proves that the peer holds them. S-2.3.
pub(super) fn respond(identity: &Identity, keys: &PreKeyMessageKeys<'_>) -> Result<Ratchet, InvalidKey> {
    let agreed = responder(identity, keys)?;
    Ok(Ratchet::responder(root(&agreed), x25519::duplicate(keys.signed)))
}

/// The responder's agreements, in their order.
pub(super) fn responder(identity: &Identity, keys: &PreKeyMessageKeys<'_>) -> Result<Vec<Secret<32>>, InvalidKey> {
    let PreKeyMessageKeys { signed, one_time, base_key, identity: peer } = keys;
    let base = Point::decode(base_key.into_dh())?;
    let peer = Point::decode(peer.into_dh())?;
    let mut pairs = Vec::with_capacity(4);
    pairs.extend([(*signed, &peer), (identity.pair().as_dh(), &base), (*signed, &base)]);
    pairs.extend(one_time.map(|pair| (pair, &base)));
    agree_all(&pairs)
}

/// `HKDF(salt = 00·32, ikm = FF·32 ‖ DH1 ‖ DH2 ‖ DH3 [‖ DH4], "WhisperText", 64)`. The first half is the root key; the
/// second is a chain key that no message uses.
fn root(agreed: &[Secret<32>]) -> Secret<32> {
    derive(agreed, None, labels::TEXT)
}

/// `HKDF(salt = 00·32, ikm = FF·32 ‖ agreements [‖ secret of a key encapsulation], label, N)`.
pub(super) fn derive<const N: usize>(
    agreed: &[Secret<32>],
    encapsulated: Option<&Secret<32>>,
    label: &[u8],
) -> Secret<N> {
    let mut inputs: Vec<&[u8]> = Vec::with_capacity(6);
    inputs.push(&[0xff; 32]);
    inputs.extend(agreed.iter().chain(encapsulated).map(|secret| secret.expose().as_slice()));
    Prk::extract(&[0; 32], &inputs).expand(&[label])
}
