//! The exact bytes that a handshake authenticates, and the keys derived from them (docs/spec/session.md, section 3.1).
//!
//! Both sides run this code.

use super::{DisclosureHash, Established, SEALED_IDENTITY};
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::disclosure;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aead::{self, Forged, NONCE, TAG};
use bisik_core::primitives::kdf::{Prk, digest};
use bisik_core::primitives::mlkem768::CIPHERTEXT;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::PublicKey;
use bisik_core::shared_secret;

/// Hash of all public inputs but the initiator's identity: bundle, ephemeral key, KEM ciphertext, disclosure.
///
/// P-3.1: callers pass local keys and the bytes that were sent, never values that the peer only asserts.
pub(super) struct OpenTranscript([u8; 32]);

impl OpenTranscript {
    pub(super) fn new(
        bundle: &[u8; 32],
        ephemeral: &PublicKey,
        kem: &[u8; CIPHERTEXT],
        disclosure: Option<DisclosureHash>,
    ) -> Self {
        Self(digest(&[labels::TRANSCRIPT_OPEN, bundle, ephemeral.as_bytes(), kem, &disclosure::to_bytes(disclosure)]))
    }

    /// The key that encrypts the initiator's identity. `agreed` is DH2, DH3 and, with a one-time key, DH4.
    fn identity_key(&self, agreed: &[Secret<32>], kem: &Secret<32>) -> Secret<32> {
        // The label separates this from the final derivation. The transcript covers whether there was a DH4.
        key_material(&[], agreed, kem).expand(&[labels::HANDSHAKE_IDENTITY, &self.0])
    }

    /// Encrypts the initiator's identity. The key is used only once, so the nonce may be fixed.
    pub(super) fn seal_identity(
        &self,
        identity: &IdentityKey,
        agreed: &[Secret<32>],
        kem: &Secret<32>,
    ) -> Result<[u8; SEALED_IDENTITY], InternalError> {
        let key = self.identity_key(agreed, kem);
        let mut sealed = identity.to_bytes();
        let tag = aead::seal_once(&key, &[0; NONCE], &self.0, &mut sealed)?;
        let mut joined = [0; SEALED_IDENTITY];
        for (to, from) in joined.iter_mut().zip(sealed.iter().chain(&tag)) {
            *to = *from;
        }
        Ok(joined)
    }

    /// Decrypts the initiator's identity key. The bytes are not validated yet.
    pub(super) fn open_identity(
        &self,
        sealed: &[u8; SEALED_IDENTITY],
        agreed: &[Secret<32>],
        kem: &Secret<32>,
    ) -> Result<[u8; IdentityKey::LENGTH], Forged> {
        let key = self.identity_key(agreed, kem);
        let mut identity = *sealed.first_chunk::<{ IdentityKey::LENGTH }>().ok_or(Forged)?;
        let tag = sealed.last_chunk::<TAG>().ok_or(Forged)?;
        aead::open_once(&key, &[0; NONCE], &self.0, &mut identity, tag)?;
        Ok(identity)
    }

    /// Derives the results of the handshake. `first` is DH1; `agreed` is DH2, DH3 and, with a one-time key, DH4.
    pub(super) fn establish(
        &self,
        initiator: &IdentityKey,
        peer: IdentityKey,
        first: &Secret<32>,
        agreed: &[Secret<32>],
        kem: &Secret<32>,
    ) -> Established {
        let binding = digest(&[labels::TRANSCRIPT_FULL, &self.0, &initiator.to_bytes()]);
        let prk = key_material(&[first], agreed, kem);
        let output = |label: &[u8]| prk.expand::<32>(&[labels::HANDSHAKE_PQXDH, label, &binding]);
        let session_id = prk.expand::<16>(&[labels::HANDSHAKE_PQXDH, labels::HANDSHAKE_SESSION_ID, &binding]);
        Established {
            secret: shared_secret::from_secret(output(labels::HANDSHAKE_RATCHET)),
            post_quantum_seed: shared_secret::from_secret(output(labels::HANDSHAKE_POST_QUANTUM)),
            binding,
            session_id: *session_id.expose(),
            peer,
        }
    }
}

/// PQXDH, section 3.3: `HKDF-Extract(salt = 0, F ‖ DH1 ‖ DH2 ‖ DH3 [‖ DH4] ‖ SS)`, where `F` is 32 bytes of 0xFF.
fn key_material(first: &[&Secret<32>], agreed: &[Secret<32>], kem: &Secret<32>) -> Prk {
    let mut inputs: [&[u8]; 6] = [&[]; 6];
    let secrets = first.iter().copied().chain(agreed).chain([kem]).map(|secret| secret.expose().as_slice());
    for (slot, input) in inputs.iter_mut().zip(core::iter::once(F.as_slice()).chain(secrets)) {
        *slot = input;
    }
    Prk::extract(&[0; 32], &inputs)
}

/// The constant `F` of X3DH, which is not the encoding of any curve point.
const F: [u8; 32] = [0xFF; 32];
