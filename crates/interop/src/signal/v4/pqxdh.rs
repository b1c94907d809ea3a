//! PQXDH: the agreements of X3DH and one key encapsulation (docs/interop.md, section 13).

use alloc::boxed::Box;

use rand_core::CryptoRng;

use super::bundle::VerifiedBundle;
use super::kyber::KyberKeyPair;
use super::spqr::Spqr;
use crate::labels;
use crate::signal::key::{Identity, PublicKey};
use crate::signal::ratchet::Ratchet;
use crate::signal::x3dh::{self, PreKeyMessageKeys};
use bisik_core::internal::InternalError;
use bisik_core::primitives::kyber1024::CIPHERTEXT;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{self, InvalidKey};

/// What the initiator has: the key that names the session, the ciphertext for the peer, and both ratchets.
pub(super) struct Initiated {
    pub(super) base_key: PublicKey,
    pub(super) ciphertext: Box<[u8; CIPHERTEXT]>,
    pub(super) ratchet: Ratchet,
    pub(super) spqr: Spqr,
}

/// The initiator's side. Uses 32 bytes of `rng` for the base key and 32 for the encapsulation. S-13.4.
pub(super) fn initiate(
    identity: &Identity,
    bundle: &VerifiedBundle,
    rng: &mut dyn CryptoRng,
) -> Result<Initiated, InternalError> {
    let (base_key, agreed) = x3dh::initiator(identity, &bundle.classical, rng)?;
    let (ciphertext, shared) = bundle.kyber.0.encapsulate_with(&Secret::random(rng));
    let (root, start) = secrets(&agreed, &shared);
    let ratchet = Ratchet::initiator(root, bundle.classical.signed.clone());
    Ok(Initiated { base_key, ciphertext, ratchet, spqr: Spqr::start(true, &start) })
}

/// The responder's side. The message that carries the keys proves that the peer holds them. S-13.4.
pub(super) fn respond(
    identity: &Identity,
    keys: &PreKeyMessageKeys<'_>,
    kyber: &KyberKeyPair,
    ciphertext: &[u8; CIPHERTEXT],
) -> Result<(Ratchet, Spqr), InvalidKey> {
    let agreed = x3dh::responder(identity, keys)?;
    let (root, start) = secrets(&agreed, &kyber.decapsulate(ciphertext));
    Ok((Ratchet::responder(root, x25519::duplicate(keys.signed)), Spqr::start(false, &start)))
}

/// Of the 96 bytes, the first third is the root key and the last what the post-quantum ratchet starts from. The second
/// is a chain key that no message uses.
fn secrets(agreed: &[Secret<32>], shared: &Secret<32>) -> (Secret<32>, Secret<32>) {
    let output: Secret<96> = x3dh::derive(agreed, Some(shared), labels::PQXDH);
    let (mut root, mut start) = (Secret::zero(), Secret::zero());
    let bytes = output.expose();
    root.expose_mut().iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    start.expose_mut().iter_mut().zip(bytes.iter().skip(64)).for_each(|(to, from)| *to = *from);
    (root, start)
}
