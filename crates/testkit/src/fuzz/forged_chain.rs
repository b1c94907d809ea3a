//! [`ForgedChain`]: a chain of a group written without the library (docs/spec/chains.md, sections 14.1 and 14.2), as a
//! dishonest sender or a thief of its keys writes it.

use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use super::record::{apply_stream, hmac, tag};

/// A chain with all of its secrets, and what its sender says of it.
#[derive(Clone)]
pub struct ForgedChain {
    pub group: [u8; 32],
    pub origin: [u8; 32],
    pub account: [u8; 64],
    pub device: u32,
    /// The chain key at index 0.
    pub first: [u8; 32],
    pub signing: [u8; 32],
    pub predecessor: ([u8; 8], u32),
    pub flags: u8,
    pub begun: u64,
}

impl ForgedChain {
    pub fn signing_key(&self) -> [u8; 32] {
        SigningKey::from_bytes(&self.signing).verifying_key().to_bytes()
    }

    pub fn id(&self) -> [u8; 8] {
        let digest = Sha256::new().chain_update(b"bisik-1 group chain\0").chain_update(self.signing_key()).finalize();
        *digest.first_chunk().expect("32 bytes have eight")
    }

    /// `CK` at an index.
    pub fn chain_key(&self, index: u32) -> [u8; 32] {
        (0..index).fold(self.first, |key, _| hmac(&key, &[&[0x02]]))
    }

    pub fn distribution(&self, index: u32) -> Vec<u8> {
        self.distribution_with(index, &self.chain_key(index))
    }

    /// A distribution with any chain key.
    pub fn distribution_with(&self, index: u32, chain_key: &[u8; 32]) -> Vec<u8> {
        let (before, length) = self.predecessor;
        [
            [0x01].as_slice(),
            &self.group,
            &self.origin,
            &self.told(),
            &index.to_be_bytes(),
            chain_key,
            &self.signing_key(),
            &before,
            &length.to_be_bytes(),
            &[self.flags],
            &self.begun.to_be_bytes(),
            &[if self.flags & AUDIENCE == 0 { 0x11 } else { 0 }; 32],
        ]
        .concat()
    }

    /// A message under its own key.
    pub fn message(&self, index: u32, salt: [u8; 16], body: &[u8]) -> Vec<u8> {
        self.message_under(&message_key(&self.chain_key(index)), index, salt, body)
    }

    /// A message under any key, signed as it should be.
    pub fn message_under(&self, key: &[u8; 32], index: u32, salt: [u8; 16], body: &[u8]) -> Vec<u8> {
        self.message_telling(&self.told(), key, index, salt, body)
    }

    /// A message that says under any view that it was written.
    pub fn message_telling(&self, view: &[u8; 8], key: &[u8; 32], index: u32, salt: [u8; 16], body: &[u8]) -> Vec<u8> {
        let mut ciphertext = [view.as_slice(), body].concat();
        let nonce = [salt.as_slice(), &1_u64.to_be_bytes()].concat();
        apply_stream(key, nonce.as_slice().try_into().expect("24 bytes"), &mut ciphertext);
        let digest = self.digest(index, salt, &ciphertext);
        let tag = tag(key, &[&digest]);
        let signed = [b"bisik-1 group signature\0".as_slice(), &digest, &tag].concat();
        let signature = SigningKey::from_bytes(&self.signing).sign(&signed).to_bytes();
        [[0x01].as_slice(), &self.id(), &index.to_be_bytes(), &salt, &ciphertext, &tag, &signature].concat()
    }

    /// An audience is told nothing.
    fn told(&self) -> [u8; 8] {
        if self.flags & AUDIENCE == 0 { VIEW } else { [0; 8] }
    }

    fn digest(&self, index: u32, salt: [u8; 16], ciphertext: &[u8]) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"bisik-1 group message\0")
            .chain_update(self.group)
            .chain_update(self.origin)
            .chain_update(self.account)
            .chain_update(self.device.to_be_bytes())
            .chain_update(self.signing_key())
            .chain_update(index.to_be_bytes())
            .chain_update(salt)
            .chain_update(ciphertext)
            .finalize()
            .into()
    }
}

/// `MK` of a chain key.
pub fn message_key(chain_key: &[u8; 32]) -> [u8; 32] {
    hmac(chain_key, &[&[0x01]])
}

/// What these senders say that they know of the group.
pub const VIEW: [u8; 8] = [0x77; 8];
/// The flag of an audience.
const AUDIENCE: u8 = 2;
