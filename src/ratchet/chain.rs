//! The symmetric step: a chain key gives one message key and the next chain key (docs/spec/session.md, section 4.3).
//! Chains of groups take the same step.

use super::message_key::MessageKey;
use crate::labels;
use bisik_core::primitives::kdf::HmacSha256;
use bisik_core::primitives::secret::Secret;

/// `CK`: the chain key, from which all later keys of the chain are derived.
pub(crate) struct ChainKey(Secret<32>);

impl ChainKey {
    pub(crate) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// `mk = HMAC(CK, 0x01)`, `CK' = HMAC(CK, 0x02)`.
    pub(crate) fn step(&self) -> (Self, MessageKey) {
        let hash = HmacSha256::new(&self.0);
        let message_key = MessageKey::new(hash.hash(&[labels::CHAIN_MESSAGE]));
        (Self(hash.hash(&[labels::CHAIN_NEXT])), message_key)
    }

    /// The next chain key alone, when the message key is not needed.
    pub(crate) fn skip(&self) -> Self {
        Self(HmacSha256::new(&self.0).hash(&[labels::CHAIN_NEXT]))
    }

    pub(crate) const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }
}
