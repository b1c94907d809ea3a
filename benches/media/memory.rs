//! The memory that files of any size take: the most that was allocated at a time.

use allocation_counter::measure;
use bisik::media::{Decryptor, Encryptor, MediaType, Pointer};

use crate::support::report::{self, size};

/// Bytes of the files.
const SIZES: [u64; 3] = [1 << 20, 64 << 20, 4 << 30];
/// Bytes taken at a time.
const PIECE: usize = 1 << 20;

pub(crate) fn print() {
    let lines = SIZES.map(|bytes| {
        let [sending, receiving] = most(bytes).map(|bytes| format!("{} KiB", bytes / 1024));
        vec![size(bytes), sending, receiving]
    });
    let columns = ["file", "encrypt", "decrypt, with the plaintext of a piece"];
    report::print("Memory of attachments, in pieces of 1 MiB", &columns, &lines);
}

/// Encrypts a file piece by piece, and decrypts each piece of its blob at once. The decryptor needs the pointer, which
/// is there after the end, so everything is encrypted twice, from the same random bytes.
fn most(bytes: u64) -> [u64; 2] {
    let piece = vec![7; PIECE];
    let mut pointer = None;
    let sending = measure(|| pointer = Some(encrypt(bytes, &piece, |_| ())));
    let pointer = pointer.expect("a pointer");
    let mut decryptor = Decryptor::new(&pointer);
    let mut plaintext = Vec::new();
    let (mut received, mut receiving) = (0, 0);
    encrypt(bytes, &piece, |ciphertext| {
        let used = measure(|| {
            plaintext.clear();
            decryptor.push(ciphertext, &mut plaintext).expect("the blob");
        });
        assert!(plaintext.iter().all(|byte| *byte == 7));
        received += plaintext.len() as u64;
        receiving = receiving.max(used.bytes_max);
    });
    decryptor.finish().expect("the whole blob");
    assert_eq!(received, bytes);
    [sending.bytes_max, receiving]
}

fn encrypt(bytes: u64, piece: &[u8], mut send: impl FnMut(&[u8])) -> Pointer {
    use rand::SeedableRng;
    let rng = &mut rand::rngs::StdRng::from_seed([7; 32]);
    let mut encryptor = Encryptor::new(MediaType::unknown(), bytes, rng).expect("below the largest size");
    let mut output = Vec::new();
    for _ in 0..bytes / PIECE as u64 {
        output.clear();
        encryptor.push(piece, &mut output).expect("as long as announced");
        send(&output);
    }
    loop {
        output.clear();
        let pointer = encryptor.finish(&mut output).expect("as long as announced");
        send(&output);
        if let Some(pointer) = pointer {
            return pointer;
        }
    }
}
