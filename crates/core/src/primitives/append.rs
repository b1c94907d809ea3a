//! Encryption of a plaintext into new capacity at the end of an output, which never holds the plaintext.

use alloc::vec::Vec;

use chacha20poly1305::aead::inout::InOutBuf;

use crate::internal::InternalError;

/// Appends as many zeros to `output` as `plaintext` has bytes. `encrypt` replaces them with ciphertext while it reads
/// the plaintext. Returns the result of `encrypt`.
///
/// # Errors
///
/// [`InternalError`] if `encrypt` fails. On error `output` has its old length.
pub(super) fn append<T>(
    output: &mut Vec<u8>,
    plaintext: &[u8],
    encrypt: impl FnOnce(InOutBuf<'_, '_, u8>) -> Result<T, InternalError>,
) -> Result<T, InternalError> {
    let start = output.len();
    output.extend(core::iter::repeat_n(0, plaintext.len()));
    let room = output.get_mut(start..).and_then(|room| InOutBuf::new(plaintext, room).ok());
    let result = room.ok_or(InternalError).and_then(encrypt);
    if result.is_err() {
        output.truncate(start);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_encryption_leaves_the_output_as_it_was() {
        let mut output = b"before".to_vec();
        let failed = append(&mut output, b"attack at dawn", |_| Err::<(), _>(InternalError));
        assert_eq!((failed, output.as_slice()), (Err(InternalError), b"before".as_slice()));
    }

    /// The mistake that matters: an encryption that reports success without encrypting.
    #[test]
    fn an_encryption_that_does_nothing_appends_zeros_and_no_plaintext() {
        let mut output = b"before".to_vec();
        append(&mut output, b"attack at dawn", |_| Ok(())).unwrap();
        assert_eq!(output, *b"before\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    }
}
