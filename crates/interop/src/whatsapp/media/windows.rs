//! A tag for each window, 64 KiB of a blob together with the 16 bytes before (docs/interop.md, section 8.3).
//!
//! CBC chains the first block of a window to the 16 bytes before, so that a window can be verified and decrypted by
//! itself.

use alloc::vec::Vec;
use core::mem;

use super::keys::{BLOCK, BlobKeys};
use bisik_core::primitives::kdf::{HmacSha256, HmacSha256Stream};

/// Bytes of a blob in one window.
pub(super) const WINDOW: usize = 64 << 10;

/// Computes the tags of a blob in pieces of any length.
pub(super) struct Windows {
    mac: HmacSha256,
    current: HmacSha256Stream,
    /// Bytes of the blob in the current window.
    filled: usize,
    /// The last bytes of the blob so far.
    last: [u8; BLOCK],
    done: Vec<[u8; 32]>,
}

impl Windows {
    pub(super) fn new(keys: &BlobKeys) -> Self {
        let mac = keys.mac.clone();
        let current = begin(&mac, &keys.iv);
        Self { mac, current, filled: 0, last: keys.iv, done: Vec::new() }
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            if self.filled == WINDOW {
                self.close();
            }
            let room = WINDOW.saturating_sub(self.filled);
            let (head, after) = rest.split_at(room.min(rest.len()));
            self.current.update(head);
            self.filled = self.filled.saturating_add(head.len());
            self.remember(head);
            rest = after;
        }
    }

    /// One full tag for each window. The last window may be shorter. S-8.3.
    pub(super) fn finish(mut self) -> Vec<[u8; 32]> {
        if self.filled > 0 {
            self.close();
        }
        self.done
    }

    fn close(&mut self) {
        let next = begin(&self.mac, &self.last);
        let finished = mem::replace(&mut self.current, next).finish();
        self.done.push(*finished.expose());
        self.filled = 0;
    }

    fn remember(&mut self, piece: &[u8]) {
        if let Some(last) = piece.last_chunk::<BLOCK>() {
            self.last = *last;
        } else {
            self.last.rotate_left(piece.len());
            let kept = BLOCK.saturating_sub(piece.len());
            self.last.iter_mut().skip(kept).zip(piece).for_each(|(to, from)| *to = *from);
        }
    }
}

/// The tag of a single window.
pub(super) fn tag(mac: &HmacSha256, before: &[u8; BLOCK], window: &[u8]) -> [u8; 32] {
    let mut hashing = begin(mac, before);
    hashing.update(window);
    *hashing.finish().expose()
}

fn begin(mac: &HmacSha256, before: &[u8; BLOCK]) -> HmacSha256Stream {
    let mut hashing = mac.start();
    hashing.update(before);
    hashing
}

#[cfg(test)]
mod tests {
    use super::super::{MediaKey, MediaKind};
    use super::*;
    use alloc::vec;

    /// S-8.3. `HMAC(S[i·65536 .. (i+1)·65536+16])` for `S = IV ‖ blob`, until S is covered.
    #[test]
    fn tags_are_over_windows_of_iv_and_blob_however_the_pieces_fall() {
        let keys = BlobKeys::derive(MediaKind::Video, &MediaKey::from_bytes([3; 32]));
        for size in [10, 26, WINDOW - 6, WINDOW + 10, 2 * WINDOW - 6, 2 * WINDOW + 26] {
            let blob: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let whole = [keys.iv.as_slice(), &blob].concat();
            let expected: Vec<[u8; 32]> = (0..size.div_ceil(WINDOW))
                .map(|at| &whole[at * WINDOW..whole.len().min((at + 1) * WINDOW + 16)])
                .map(|window| *keys.mac.hash(&[window]).expose())
                .collect();
            for step in [1, 7, 16, 4_096, WINDOW, size] {
                let mut windows = Windows::new(&keys);
                blob.chunks(step).for_each(|piece| windows.update(piece));
                assert_eq!(windows.finish(), expected, "{size} in steps of {step}");
            }
        }
        assert_eq!(Windows::new(&keys).finish(), vec![[0; 32]; 0]);
    }
}
