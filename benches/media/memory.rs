//! The memory of a file of 4 GiB: the most that was allocated at a time.

use allocation_counter::measure;
use bisik::media::{Decryptor, Encryptor, MediaType, Pointer};

/// Bytes of the file.
const SIZE: u64 = 4 << 30;
/// Bytes taken at a time.
const PIECE: usize = 1 << 20;

/// Encrypts the file piece by piece, and decrypts each piece of its blob at once. The decryptor needs the pointer, which
/// is there after the end, so everything is encrypted twice, from the same random bytes.
pub(crate) fn main() {
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    let piece = vec![7; PIECE];
    let mut pointer = None;
    let sending = measure(|| pointer = Some(encrypt(&piece, |_| ())));
    let pointer = pointer.expect("a pointer");
    let mut decryptor = Decryptor::new(&pointer);
    let mut plaintext = Vec::new();
    let (mut received, mut receiving) = (0, 0);
    encrypt(&piece, |ciphertext| {
        let used = measure(|| {
            plaintext.clear();
            decryptor.push(ciphertext, &mut plaintext).expect("the blob");
        });
        assert!(plaintext.iter().all(|byte| *byte == 7));
        received += plaintext.len() as u64;
        receiving = receiving.max(used.bytes_max);
    });
    decryptor.finish().expect("the whole blob");
    assert_eq!(received, SIZE);
    println!("\n### 4 GiB, in pieces of 1 MiB\n\n| | most memory at a time |\n|---|---:|");
    println!("| encrypt | {} KiB |", sending.bytes_max / 1024);
    println!("| decrypt, with the plaintext of a piece | {} KiB |", receiving / 1024);
}

fn encrypt(piece: &[u8], mut send: impl FnMut(&[u8])) -> Pointer {
    use rand::SeedableRng;
    let rng = &mut rand::rngs::StdRng::from_seed([7; 32]);
    let mut encryptor = Encryptor::new(MediaType::unknown(), SIZE, rng).expect("below the largest size");
    let mut output = Vec::new();
    for _ in 0..SIZE / PIECE as u64 {
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
