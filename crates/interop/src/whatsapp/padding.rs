//! Padding of a message before it is encrypted: 1 to 16 bytes, each of which is the number of padding bytes
//! (docs/interop.md, section 7).
//!
//! It hides lengths only modulo 16. A receiver removes it only after the message has authenticated.

use alloc::vec::Vec;

use rand_core::CryptoRng;

/// The most bytes that [`pad`] adds.
pub const MAX_PADDING: u8 = 16;

/// Appends 1 to 16 bytes of padding to a copy of `plaintext`. Uses one byte of `rng`.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::whatsapp::{pad, unpad};
///
/// let padded = pad(b"halo, dunia", rng);
/// assert_eq!(unpad(&padded)?, b"halo, dunia");
/// # Ok::<(), bisik::interop::whatsapp::PaddingError>(())
/// ```
#[must_use]
pub fn pad(plaintext: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
    let mut random = [0];
    rng.fill_bytes(&mut random);
    // Sixteen divides 256: every length is equally likely.
    let length = (random[0] & 0x0f).saturating_add(1);
    let end = plaintext.len().saturating_add(usize::from(length));
    let mut padded = Vec::with_capacity(end);
    padded.extend_from_slice(plaintext);
    padded.resize(end, length);
    padded
}

/// Removes the padding. All padding bytes are checked, so that a plaintext has exactly sixteen padded forms. S-7.1.
///
/// # Errors
///
/// [`PaddingError`] if the last byte is not 1 to 16, or another padding byte differs from it.
pub fn unpad(padded: &[u8]) -> Result<&[u8], PaddingError> {
    let last = *padded.last().ok_or(PaddingError)?;
    let split = padded.len().checked_sub(usize::from(last)).ok_or(PaddingError)?;
    let (plaintext, padding) = padded.split_at_checked(split).ok_or(PaddingError)?;
    let counted = (1..=MAX_PADDING).contains(&last) && padding.iter().all(|byte| *byte == last);
    if counted { Ok(plaintext) } else { Err(PaddingError) }
}

/// The bytes do not end in valid padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaddingError;

bisik_core::error_texts! {
    PaddingError => "interop.whatsapp.padding.malformed", "message does not end in valid padding"
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// S-7.1.
    #[test]
    fn all_of_the_padding_counts() {
        for length in 1..=16_u8 {
            let mut padded = vec![0xA5; 3];
            padded.resize(3 + usize::from(length), length);
            assert_eq!(unpad(&padded), Ok([0xA5; 3].as_slice()));
            for at in 3..padded.len() - 1 {
                let mut changed = padded.clone();
                changed[at] ^= 1;
                assert_eq!(unpad(&changed), Err(PaddingError), "byte {at} of {length}");
            }
        }
        assert_eq!(unpad(&[1]), Ok([].as_slice()));
        for bad in [vec![], vec![0], vec![0, 0], vec![17; 17], vec![2], vec![16; 15], vec![255; 255]] {
            assert_eq!(unpad(&bad), Err(PaddingError), "{bad:?}");
        }
    }
}
