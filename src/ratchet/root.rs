//! The KDF of the DH step: the result of a key agreement advances the root key (docs/spec/session.md, section 4.2).

use super::chain::ChainKey;
use super::header::HeaderKey;
use crate::labels;
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::Secret;
use bisik_core::shared_secret::SharedSecret;

/// `RK`: the root key, which mixes the results of all key agreements so far.
pub(super) struct RootKey(Secret<32>);

impl RootKey {
    /// Derives the keys that a ratchet starts from: the root key, then the header keys of the initiator's and the
    /// responder's first chains.
    pub(super) fn start(secret: &SharedSecret, binding: &[u8; 32]) -> (Self, HeaderKey, HeaderKey) {
        let prk = Prk::extract(binding, &[secret.expose_bytes()]);
        (
            Self(prk.expand(&[labels::RATCHET_ROOT])),
            HeaderKey::new(prk.expand(&[labels::RATCHET_HEADER_INITIATOR])),
            HeaderKey::new(prk.expand(&[labels::RATCHET_HEADER_RESPONDER])),
        )
    }

    /// `RK', CK, NHK = HKDF(salt = RK, ikm = DH, info, 96)`.
    pub(super) fn step(&self, agreed: &Secret<32>) -> (Self, ChainKey, HeaderKey) {
        let output = Prk::extract(self.0.expose(), &[agreed.expose()]).expand::<96>(&[labels::ROOT_STEP]);
        let [root, chain, header] = split_output(&output);
        (Self(root), ChainKey::new(chain), HeaderKey::new(header))
    }

    pub(super) const fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}

fn split_output(output: &Secret<96>) -> [Secret<32>; 3] {
    let mut parts = [Secret::zero(), Secret::zero(), Secret::zero()];
    for (part, bytes) in parts.iter_mut().zip(output.expose().chunks_exact(32)) {
        part.expose_mut().copy_from_slice(bytes);
    }
    parts
}
