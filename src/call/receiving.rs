//! [`Receiving`]: one key of one sender, with the counters received under it.

use super::error::OpenError;
use super::header::{Associated, Header, MAX_METADATA};
use super::keys::SenderKey;
use super::suite::FrameKey;
use super::window::{NotNew, Window};
use bisik_core::internal::InternalError;

/// A key to decrypt with, and the counters received under it.
pub(super) struct Receiving {
    pub(super) epoch: u64,
    pub(super) key_id: u64,
    key: FrameKey,
    window: Window,
    /// Number of frames that the key may still decrypt.
    left: u64,
}

impl Receiving {
    pub(super) fn new(key: &SenderKey) -> Self {
        let (epoch, key_id) = (key.epoch(), key.key_id());
        let key = FrameKey::derive(key.suite, key_id, key.base.expose_bytes());
        Self { epoch, key_id, key, window: Window::new(), left: u64::MAX }
    }

    /// Decrypts the frame that begins with `header` in place, and returns the length of the plaintext that follows the
    /// header. On error the frame and the counters are unchanged.
    pub(super) fn open(&mut self, header: &Header, metadata: &[u8], frame: &mut [u8]) -> Result<usize, OpenError> {
        let ciphertext = frame.len().checked_sub(header.length).ok_or(InternalError)?;
        let body = ciphertext.checked_sub(self.key.tag_length()).ok_or(OpenError::Malformed)?;
        self.window.check(header.counter).map_err(|reason| match reason {
            NotNew::Received => OpenError::Replayed,
            NotNew::TooLate => OpenError::TooLate,
        })?;
        if metadata.len() > MAX_METADATA {
            return Err(OpenError::Rejected);
        }
        let (header_bytes, rest) = frame.split_at_mut_checked(header.length).ok_or(InternalError)?;
        let (buffer, tag) = rest.split_at_mut_checked(body).ok_or(InternalError)?;
        let associated = Associated::received(header_bytes)?.with(metadata)?;
        self.key.open(header.counter, &associated, buffer, tag)?;

        // P-9.13: remember the counter only now that the frame has verified.
        self.window.insert(header.counter);
        self.left = self.left.saturating_sub(1);
        Ok(body)
    }

    /// P-9.14: a key that is not the newest decrypts 512 more frames.
    pub(super) fn limit(&mut self) {
        self.left = self.left.min(LATE_FRAMES);
    }

    /// Whether the key has decrypted all that it may.
    pub(super) const fn is_spent(&self) -> bool {
        self.left == 0
    }
}

/// The plaintext of an opened frame: `body` bytes after the header.
pub(super) fn plaintext<'a>(header: &Header, body: usize, frame: &'a mut [u8]) -> Result<&'a mut [u8], InternalError> {
    let (_, rest) = frame.split_at_mut_checked(header.length).ok_or(InternalError)?;
    Ok(rest.split_at_mut_checked(body).ok_or(InternalError)?.0)
}

/// Late frames that an older key decrypts: ten seconds of audio.
const LATE_FRAMES: u64 = 512;
