//! Messages made with known keys from the specification alone (docs/spec/session.md, sections 4.2 to 4.5).
//!
//! Keys are agreed with the Montgomery ladder, whereas the library uses Edwards points.

use curve25519_dalek::montgomery::MontgomeryPoint;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

use super::record::{NONCE, apply_stream, hmac, tag};

/// A header before it is encrypted.
#[derive(Clone, Debug)]
pub struct Header {
    pub ratchet_key: [u8; 32],
    pub previous: u32,
    pub number: u32,
    /// High half: the newest version that the sender reads; low half: the one used.
    pub version: u8,
    /// High half: the place of a resumption secret; low half: the kind of the braid's part.
    pub kinds: u8,
    pub epoch: u32,
    pub mixed: u32,
    pub chunk_number: u16,
    pub chunk: [u8; 32],
}

/// A message, and the digest that its tags cover.
pub struct Forged {
    pub message: Vec<u8>,
    pub digest: [u8; 32],
}

/// `r ‖ encrypted header ‖ header tag ‖ encrypted body ‖ body tag`.
pub fn message(
    binding: &[u8; 32],
    header_key: &[u8; 32],
    message_key: &[u8; 32],
    header: &Header,
    plaintext: &[u8],
) -> Forged {
    let salt = [0x52; 16];
    let Header { ratchet_key, previous, number, version, kinds, epoch, mixed, chunk_number, chunk } = header;
    let numbers = [previous.to_be_bytes(), number.to_be_bytes()].concat();
    let epochs = [epoch.to_be_bytes(), mixed.to_be_bytes()].concat();
    let mut header =
        [ratchet_key.as_slice(), &numbers, &[*version, *kinds], &epochs, &chunk_number.to_be_bytes(), chunk].concat();
    apply_stream(header_key, &nonce(&salt, 0), &mut header);
    let mut body = plaintext.to_vec();
    apply_stream(message_key, &nonce(&salt, 1), &mut body);
    let digest = digest(binding, &salt, &header, &body);
    let body_tag = tag(message_key, &[&digest]);
    let header_tag = tag(header_key, &[&digest, &body_tag]);
    let message = [salt.as_slice(), &header, &header_tag, &body, &body_tag].concat();
    Forged { message, digest }
}

/// `D`, which both tags cover.
pub(super) fn digest(binding: &[u8; 32], salt: &[u8; 16], header: &[u8], body: &[u8]) -> [u8; 32] {
    Sha256::digest([b"bisik-1 message\0", binding.as_slice(), salt, header, body].concat()).into()
}

pub(super) fn nonce(salt: &[u8; 16], purpose: u64) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    nonce[..16].copy_from_slice(salt);
    nonce[16..].copy_from_slice(&purpose.to_be_bytes());
    nonce
}

/// The key of the message `steps` further along the chain.
pub fn message_key(chain: &[u8; 32], steps: u32) -> [u8; 32] {
    let last = (0..steps).fold(*chain, |key, _| hmac(&key, &[&[0x02]]));
    hmac(&last, &[&[0x01]])
}

/// The first key of the chain that begins when the owner of a ratchet pair learns of a step, by its number and header.
/// No agreement with an identity and no older session enter; `epoch` is the secret of a braid epoch that does, or zero.
pub fn next_chain_key(
    root: &[u8; 32],
    (secret, public): (&[u8; 32], &[u8; 32]),
    number: u32,
    epoch: &[u8; 32],
    header: &Header,
) -> [u8; 32] {
    let agreed = agree(secret, &header.ratchet_key);
    step(root, &agreed, public, number, epoch, header).chain
}

/// What a step gives.
pub struct Stepped {
    pub root: [u8; 32],
    pub chain: [u8; 32],
    /// The header key of the chain after that one.
    pub next_header: [u8; 32],
}

/// A step by its number and a header of its chain, after an agreement of its ratchet key with the `other` side's.
pub fn step(
    root: &[u8; 32],
    agreed: &[u8; 32],
    other: &[u8; 32],
    number: u32,
    epoch: &[u8; 32],
    header: &Header,
) -> Stepped {
    let (number, mixed, bound) = (number.to_be_bytes(), header.mixed.to_be_bytes(), [header.kinds >> 4]);
    let info: [&[u8]; 6] = [b"bisik-1 ratchet root step\0", &number, &mixed, &bound, &header.ratchet_key, other];
    let mut output = [0; 128];
    Hkdf::<Sha256>::new(Some(root), &[*agreed, [0; 32], [0; 32], *epoch].concat())
        .expand(&info.concat(), &mut output)
        .expect("128 bytes are not too many");
    let part = |index: usize| *output[32 * index..].first_chunk().expect("128 bytes have four parts of 32");
    Stepped { root: part(0), chain: part(1), next_header: part(2) }
}

/// X25519 of a secret and a public key.
pub fn agree(secret: &[u8; 32], public: &[u8; 32]) -> [u8; 32] {
    MontgomeryPoint(*public).mul_clamped(*secret).to_bytes()
}

/// The public key of a scalar.
pub fn public_key(secret: u8) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped([secret; 32]).to_bytes()
}
