//! The key of an attachment, and the keys derived from it for each kind of file (docs/interop.md, sections 8.1 and
//! 8.7).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::MAX_SIZE;
use super::error::MediaError;
use super::kind::MediaKind;
use crate::whatsapp::message_secret::SealedPayload;
use bisik_core::convert::widened;
use bisik_core::primitives::aes_gcm;
use bisik_core::primitives::kdf::{HmacSha256, Prk};
use bisik_core::primitives::secret::Secret;

pub(super) use bisik_core::primitives::aes_cbc_stream::BLOCK;

bisik_core::boxed_secret! {
    /// The 32-byte key that a message carries for an attachment. Zeroized on drop, absent from `Debug`.
    pub struct MediaKey([u8; 32]);
    /// The key from a received message.
    pub fn from_bytes(bytes);
    /// The 32 secret bytes, for the message. The caller zeroizes any copies.
    pub fn expose_bytes();
    /// A new key from 32 bytes of `rng`.
    pub fn generate(rng);
}

impl MediaKey {
    /// Encrypts what a sender's primary device answers when it is asked to upload a file again. `message` is the identifier
    /// of the message with the attachment. Uses 12 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`MediaError::TooLarge`] if the payload is longer than [`MAX_SIZE`](super::MAX_SIZE).
    pub fn seal_retry(
        &self,
        message: &str,
        payload: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedPayload, MediaError> {
        if widened(payload.len()) > MAX_SIZE {
            return Err(MediaError::TooLarge);
        }
        let mut iv = [0; aes_gcm::GCM_NONCE];
        rng.fill_bytes(&mut iv);
        let payload = aes_gcm::seal(&self.retry(), &iv, message.as_bytes(), payload)?;
        Ok(SealedPayload { iv, payload })
    }

    /// Decrypts what [`seal_retry`](Self::seal_retry) made.
    ///
    /// # Errors
    ///
    /// [`MediaError::Rejected`] if it was encrypted for another message or key, or changed.
    pub fn open_retry(&self, message: &str, sealed: &SealedPayload) -> Result<Vec<u8>, MediaError> {
        let opened = aes_gcm::open(&self.retry(), &sealed.iv, message.as_bytes(), &sealed.payload);
        opened.map_err(|_| MediaError::Rejected)
    }

    /// The key of media retry notifications. S-8.7.
    fn retry(&self) -> Secret<32> {
        self.prk().expand(&[b"WhatsApp Media Retry Notification"])
    }

    fn prk(&self) -> Prk {
        Prk::extract(&[], &[self.0.expose()])
    }
}

/// The keys of one blob.
pub(super) struct BlobKeys {
    pub(super) iv: [u8; BLOCK],
    pub(super) cipher: Box<Secret<32>>,
    pub(super) mac: HmacSha256,
}

impl BlobKeys {
    /// `IV 16 ‖ cipher key 32 ‖ MAC key 32 ‖ 32 unused bytes`. S-8.1.
    pub(super) fn derive(kind: MediaKind, key: &MediaKey) -> Self {
        let output: Secret<112> = key.prk().expand(&[kind.label()]);
        let mut iv = [0; BLOCK];
        let (mut cipher, mut mac) = (Box::new(Secret::zero()), Secret::zero());
        let mut bytes = output.expose().iter();
        let parts: [&mut [u8]; 3] = [&mut iv, cipher.expose_mut(), mac.expose_mut()];
        for part in parts {
            part.iter_mut().zip(&mut bytes).for_each(|(to, from)| *to = *from);
        }
        Self { iv, cipher, mac: HmacSha256::new(&mac) }
    }
}

/// Bytes of the tag at the end of a blob, and of an entry of a sidecar.
pub(super) const TAG: usize = 10;

/// Whether `mac` begins with `tag`. Constant-time.
pub(super) fn verify(mac: &[u8; 32], tag: &[u8]) -> bool {
    mac.get(..tag.len()).is_some_and(|mac| mac.ct_eq(tag).into())
}

/// Bytes of ciphertext of a file of `size` bytes, without the tag.
pub(super) const fn ciphertext_size(size: u64) -> u64 {
    (size / BLOCK_SIZE).saturating_add(1).saturating_mul(BLOCK_SIZE)
}

/// Bytes of a block.
const BLOCK_SIZE: u64 = 16;

/// The last piece of plaintext without its PKCS#7 padding; `None` if the padding is invalid.
pub(super) fn without_padding(plaintext: &[u8]) -> Option<&[u8]> {
    let last = *plaintext.last()?;
    let length = usize::from(last);
    let (file, padding) = plaintext.split_at_checked(plaintext.len().checked_sub(length)?)?;
    ((1..=BLOCK).contains(&length) && padding.iter().all(|byte| *byte == last)).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use core::fmt::Write;

    /// S-8.1. Computed independently in Python, of the bytes 0 to 31.
    #[test]
    fn the_keys_of_a_picture_agree_with_an_independent_computation() {
        let key = MediaKey::from_bytes(core::array::from_fn(|at| u8::try_from(at).unwrap()));
        let keys = BlobKeys::derive(MediaKind::Image, &key);
        let hex = keys.iv.iter().chain(keys.cipher.expose()).fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        assert_eq!(
            hex,
            "aa6a127218397cbd2383e4ccf7176a79008c9aea9b7c5d81eb56b3f530f87d42dcc92d27b11ad6b5bd66f0560d0d8c46"
        );
    }
}
