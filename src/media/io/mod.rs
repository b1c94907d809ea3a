//! Adapters to `std::io` (feature `std`).

mod decrypting; //    a whole file, in order; its end says that it is complete
mod encrypting; //    a writer and a reader that encrypt
mod random_access; // any part of a file

use std::io;

use super::error::{DecryptError, EncryptError};

pub use decrypting::DecryptingReader;
pub use encrypting::{EncryptingReader, EncryptingWriter};
pub use random_access::RandomAccessReader;

/// Copies as many bytes as fit, and returns their number.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    from.len().min(to.len())
}

fn invalid_input(error: EncryptError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

fn invalid_data(error: DecryptError) -> io::Error {
    let kind = match error {
        DecryptError::Rejected => io::ErrorKind::InvalidData,
        DecryptError::Incomplete => io::ErrorKind::UnexpectedEof,
        DecryptError::Internal => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
