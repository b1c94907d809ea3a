//! The symmetric step: a chain key gives one message key and the next chain key (docs/spec/session.md, section 4.3).

use super::message_key::MessageKey;
use crate::labels;
use bisik_core::primitives::kdf::HmacSha256;
use bisik_core::primitives::secret::Secret;

/// `CK`: the chain key, from which all later keys of the chain are derived.
pub(super) struct ChainKey(Secret<32>);

impl ChainKey {
    pub(super) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// `mk = HMAC(CK, 0x01)`, `CK' = HMAC(CK, 0x02)`.
    pub(super) fn step(&self) -> (Self, MessageKey) {
        let hash = HmacSha256::new(&self.0);
        let message_key = MessageKey::new(hash.hash(&[labels::CHAIN_MESSAGE]));
        (Self(hash.hash(&[labels::CHAIN_NEXT])), message_key)
    }

    /// The next chain key alone, when the message key is not needed.
    pub(super) fn skip(&self) -> Self {
        Self(HmacSha256::new(&self.0).hash(&[labels::CHAIN_NEXT]))
    }

    pub(super) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}
