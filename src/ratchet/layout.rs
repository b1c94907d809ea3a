//! The parts of a message that header and body share: their sizes, the salt and the nonces (docs/spec/session.md,
//! section 4.4).

use bisik_core::primitives::aead::NONCE;

/// Bytes of the salt, fresh for each message.
pub(crate) const SALT: usize = 16;

/// Bytes of every header: ratchet key, two counters, version, and the part of the post-quantum ratchet.
pub(super) const HEADER: usize = 32 + 4 + 4 + 1 + 43;

/// The purpose in the nonce of a header.
pub(super) const HEADER_NONCE: u64 = 0;

/// The purpose in the nonce of a body.
pub(super) const BODY_NONCE: u64 = 1;

/// `salt ‖ purpose`, the purpose as 8 big-endian bytes: [`HEADER_NONCE`] or [`BODY_NONCE`].
pub(super) fn nonce(salt: &[u8; SALT], purpose: u64) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    for (to, from) in nonce.iter_mut().zip(salt.iter().chain(&purpose.to_be_bytes())) {
        *to = *from;
    }
    nonce
}
