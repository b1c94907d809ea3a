//! Memory: it grows neither with the file, nor with the size that a hostile pointer claims.

use allocation_counter::measure;
use bisik::media::{self, DecryptError, Decryptor, Encryptor, Pointer};

use super::fixtures::*;

/// The limit is the same for every size of the file: here 4 MiB.
#[test]
fn memory_does_not_grow_with_the_file() {
    const PIECE: usize = 100_000;
    let (size, piece) = (4 << 20, vec![7; PIECE]);
    let mut blob = Vec::with_capacity(5 << 20);
    let mut pointer = None;
    let used = measure(|| {
        let mut encryptor = Encryptor::new(photo(), size as u64, &mut SeededRng::new(1)).unwrap();
        let mut output = Vec::new();
        let mut send = |output: &mut Vec<u8>| allocation_counter::opt_out(|| blob.append(output));
        for start in (0..size).step_by(PIECE) {
            encryptor.push(&piece[..PIECE.min(size - start)], &mut output).unwrap();
            send(&mut output);
        }
        while pointer.is_none() {
            pointer = encryptor.finish(&mut output).unwrap();
            send(&mut output);
        }
    });
    assert!(used.bytes_max < 1 << 20, "encryption takes {} bytes", used.bytes_max);
    let (pointer, expected) = (pointer.unwrap(), vec![7; 2 * PIECE]);
    let used = measure(|| {
        let (mut decryptor, mut plaintext) = (Decryptor::new(&pointer), Vec::new());
        for piece in blob.chunks(PIECE) {
            decryptor.push(piece, &mut plaintext).unwrap();
            assert!(plaintext[..] == expected[..plaintext.len()]);
            plaintext.clear();
        }
        decryptor.finish().unwrap();
    });
    assert!(used.bytes_max < 1 << 20, "decryption takes {} bytes", used.bytes_max);
}

/// A pointer can claim any size; memory depends on the bytes that arrive.
#[test]
fn a_pointer_claiming_a_huge_file_takes_no_memory() {
    let bytes = pointer_bytes(&[1; 32], &[2; 32], media::MAX_SIZE, "video/mp4", 0, &[]);
    let used = measure(|| {
        let pointer = Pointer::from_bytes(&bytes).unwrap();
        assert_eq!(pointer.decrypt(&[0; 1_000]), Err(DecryptError::Incomplete));
        let mut decryptor = Decryptor::new(&pointer);
        assert_eq!(decryptor.push(&[0; 1_000], &mut Vec::new()), Err(DecryptError::Rejected));
    });
    assert!(used.bytes_max < 200_000, "{}", used.bytes_max);
}
