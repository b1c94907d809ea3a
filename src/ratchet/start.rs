//! The secrets that a ratchet starts from (docs/spec/session.md, sections 3.1 and 4.2).

use core::fmt;

use crate::labels;
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::{BoxedSecret, Secret};
use bisik_core::shared_secret::SharedSecret;

/// The five secrets that both sides of a ratchet start from: a root key, the key of the initiator's first chain, the
/// header keys of the first chain each way, and the seed of the post-quantum ratchet.
///
/// [`handshake`](crate::handshake) gives them. Wiped on drop.
pub struct StartingSecrets {
    pub(crate) root: BoxedSecret<32>,
    pub(crate) chain: BoxedSecret<32>,
    pub(crate) header: BoxedSecret<32>,
    pub(crate) next_header: BoxedSecret<32>,
    pub(crate) post_quantum: BoxedSecret<32>,
}

impl StartingSecrets {
    /// Splits the output of a key derivation: the five secrets in the order of the fields.
    pub(crate) fn split(output: &[u8; 160]) -> Self {
        let [root, chain, header, next_header, post_quantum] = split(output);
        Self { root, chain, header, next_header, post_quantum }
    }

    /// Returns the five secrets, for a custom protocol: the root key, the key of the initiator's first chain, the header
    /// keys of the initiator's and the responder's first chains, and the seed of the post-quantum ratchet. The caller
    /// must wipe copies of them.
    #[must_use]
    pub fn expose_all(&self) -> [&[u8; 32]; 5] {
        let Self { root, chain, header, next_header, post_quantum } = self;
        [root, chain, header, next_header, post_quantum].map(|secret| secret.expose())
    }

    /// The secrets of a ratchet that has no handshake: derived from 32 bytes that both sides share.
    pub(crate) fn derive(secret: &SharedSecret, binding: &[u8; 32]) -> Self {
        let output = Prk::extract(binding, &[secret.expose_bytes()]).expand::<160>(&[labels::RATCHET_START]);
        Self::split(output.expose())
    }
}

/// Splits the output of a key derivation into secrets of 32 bytes. Each is boxed, so that moving one leaves no copy behind.
pub(super) fn split<const N: usize>(output: &[u8]) -> [BoxedSecret<32>; N] {
    let mut parts: [BoxedSecret<32>; N] = core::array::from_fn(|_| Secret::zero().into());
    for (part, bytes) in parts.iter_mut().zip(output.chunks_exact(32)) {
        part.expose_mut().copy_from_slice(bytes);
    }
    parts
}

impl fmt::Debug for StartingSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StartingSecrets(..)")
    }
}
