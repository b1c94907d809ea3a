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
    /// Zero in an honest header.
    pub post_quantum: [u8; 44],
}

/// `r ‖ encrypted header ‖ header tag ‖ encrypted body ‖ body tag`.
pub fn message(
    binding: &[u8; 32],
    header_key: &[u8; 32],
    message_key: &[u8; 32],
    header: &Header,
    plaintext: &[u8],
) -> Vec<u8> {
    let salt = [0x52; 16];
    let Header { ratchet_key, previous, number, post_quantum } = header;
    let numbers = [previous.to_be_bytes(), number.to_be_bytes()].concat();
    let mut header = [ratchet_key.as_slice(), &numbers, post_quantum].concat();
    apply_stream(header_key, &nonce(&salt, 0), &mut header);
    let mut body = plaintext.to_vec();
    apply_stream(message_key, &nonce(&salt, 1), &mut body);
    let digest: [u8; 32] =
        Sha256::digest([b"bisik-1 message", binding.as_slice(), &salt, &header, &body].concat()).into();
    let body_tag = tag(message_key, &[&digest]);
    let header_tag = tag(header_key, &[&digest, &body_tag]);
    [salt.as_slice(), &header, &header_tag, &body, &body_tag].concat()
}

fn nonce(salt: &[u8; 16], purpose: u64) -> [u8; NONCE] {
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

/// The first key of the chain that begins when the owner of `secret` learns `ratchet_key`.
pub fn next_chain_key(root: &[u8; 32], secret: &[u8; 32], ratchet_key: &[u8; 32]) -> [u8; 32] {
    let agreed = MontgomeryPoint(*ratchet_key).mul_clamped(*secret);
    let mut output = [0; 96];
    Hkdf::<Sha256>::new(Some(root), agreed.as_bytes())
        .expand(b"bisik-1 ratchet root step", &mut output)
        .expect("96 bytes are not too many");
    *output[32..].first_chunk().expect("64 bytes have 32")
}

/// The public key of a scalar.
pub fn public_key(secret: u8) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped([secret; 32]).to_bytes()
}
