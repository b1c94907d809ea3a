//! The exact bytes that a handshake authenticates, and the keys derived from them (docs/spec/session.md, section 3.1).
//!
//! Both sides run this code.

use super::{DisclosureHash, Established, SEALED_IDENTITY};
use crate::keys::IdentityKey;
use crate::labels;
use crate::ratchet::StartingSecrets;
use bisik_core::disclosure;
use bisik_core::internal::InternalError;
use bisik_core::primitives::aead::{self, Forged, NONCE, TAG};
use bisik_core::primitives::kdf::{Prk, digest};
use bisik_core::primitives::mlkem768::CIPHERTEXT;
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::PublicKey;

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

    /// `KI`: the key that encrypts the initiator's identity.
    fn identity_key(&self, agreed: &Agreed<'_>) -> Secret<32> {
        // The label separates this from the final derivation. The transcript covers whether there was a DH4.
        key_material(&[], agreed.ephemeral, agreed.kem).expand(&[labels::HANDSHAKE_IDENTITY, &self.0])
    }

    /// Encrypts the initiator's identity. The key is used only once, so the nonce may be fixed.
    pub(super) fn seal_identity(
        &self,
        identity: &IdentityKey,
        agreed: &Agreed<'_>,
    ) -> Result<[u8; SEALED_IDENTITY], InternalError> {
        let key = self.identity_key(agreed);
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
        agreed: &Agreed<'_>,
    ) -> Result<[u8; IdentityKey::LENGTH], Forged> {
        let key = self.identity_key(agreed);
        let mut identity = *sealed.first_chunk::<{ IdentityKey::LENGTH }>().ok_or(Forged)?;
        let tag = sealed.last_chunk::<TAG>().ok_or(Forged)?;
        aead::open_once(&key, &[0; NONCE], &self.0, &mut identity, tag)?;
        Ok(identity)
    }

    /// Derives the results of the handshake.
    pub(super) fn establish(
        &self,
        initiator: &IdentityKey,
        peer: IdentityKey,
        agreed: &Agreed<'_>,
    ) -> Result<Established, InternalError> {
        let binding = digest(&[labels::TRANSCRIPT_FULL, &self.0, &initiator.to_bytes()]);
        let prk = key_material(agreed.identity, agreed.ephemeral, agreed.kem);
        let output = prk.expand::<176>(&[labels::HANDSHAKE_PQXDH, labels::HANDSHAKE_RATCHET, &binding]);
        let secrets = StartingSecrets::split(output.expose().first_chunk().ok_or(InternalError)?);
        let session_id = *output.expose().last_chunk().ok_or(InternalError)?;
        Ok(Established { secrets, binding, session_id, peer })
    }
}

/// What the two sides have agreed on.
pub(super) struct Agreed<'a> {
    /// DH0 and DH1: the agreements of the initiator's identity. A responder has them once it has opened the identity.
    identity: &'a [Secret<32>],
    /// DH2, DH3 and, with a one-time key, DH4: the agreements of the ephemeral key.
    ephemeral: &'a [Secret<32>],
    /// The secret that was encapsulated.
    kem: &'a Secret<32>,
}

impl<'a> Agreed<'a> {
    /// All agreements, DH0 to DH3 or DH4.
    pub(super) fn new(all: &'a [Secret<32>], kem: &'a Secret<32>) -> Result<Self, InternalError> {
        let (identity, ephemeral) = all.split_at_checked(2).ok_or(InternalError)?;
        Ok(Self { identity, ephemeral, kem })
    }

    /// The agreements of the ephemeral key, DH2 to DH3 or DH4.
    pub(super) const fn of_ephemeral(ephemeral: &'a [Secret<32>], kem: &'a Secret<32>) -> Self {
        Self { identity: &[], ephemeral, kem }
    }

    /// Adds DH0 and DH1.
    pub(super) const fn with_identity(self, identity: &'a [Secret<32>; 2]) -> Self {
        Self { identity, ..self }
    }
}

/// P-3.2. PQXDH, section 3.3: `HKDF-Extract(salt = 0, F ‖ DH0 ‖ DH1 ‖ DH2 ‖ DH3 [‖ DH4] ‖ SS)`, where `F` is 32 bytes of 0xFF.
fn key_material(identity: &[Secret<32>], ephemeral: &[Secret<32>], kem: &Secret<32>) -> Prk {
    let mut inputs: [&[u8]; 7] = [&[]; 7];
    let secrets = identity.iter().chain(ephemeral).chain([kem]).map(|secret| secret.expose().as_slice());
    for (slot, input) in inputs.iter_mut().zip(core::iter::once(F.as_slice()).chain(secrets)) {
        *slot = input;
    }
    Prk::extract(&[0; 32], &inputs)
}

/// The constant `F` of X3DH, which is not the encoding of any curve point.
const F: [u8; 32] = [0xFF; 32];
