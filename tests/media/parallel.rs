//! Attachments on all cores: the same bytes and the same errors as in sequence.

use bisik::media::{CHUNK, DecryptError, Decryptor, EncryptError, Encryptor, HEADER};
use proptest::prelude::*;

use super::fixtures::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parallel_and_sequential_forms_give_the_same_bytes(
        size in prop_oneof![sizes(), 0_usize..1_200_000],
        there in lengths(),
        back in lengths(),
    ) {
        let (plaintext, blob, pointer) = encrypted(size);
        let mut encryptor = Encryptor::new(photo(), size as u64, &mut SeededRng::new(1)).unwrap();
        let mut parallel = Vec::new();
        for (index, piece) in pieces(&plaintext, &[there, vec![1 << 20]].concat()).enumerate() {
            if index % 5 == 4 {
                encryptor.push(piece, &mut parallel).unwrap();
            } else {
                let start = parallel.len();
                parallel.resize(start + encryptor.room_for(piece.len()), 0);
                let written = encryptor.push_into_parallel(piece, &mut parallel[start..]).unwrap();
                prop_assert_eq!(start + written, parallel.len());
            }
        }
        prop_assert_eq!(finish(&mut encryptor, &mut parallel).to_bytes(), pointer.to_bytes());
        prop_assert!(parallel == blob);

        let (mut decryptor, mut decrypted) = (Decryptor::new(&pointer), Vec::new());
        for (index, piece) in pieces(&blob, &[back, vec![1 << 20]].concat()).enumerate() {
            if index % 5 == 4 {
                decryptor.push(piece, &mut decrypted).unwrap();
            } else {
                decryptor.push_parallel(piece, &mut decrypted).unwrap();
            }
        }
        prop_assert_eq!(decryptor.finish(), Ok(()));
        prop_assert!(decrypted == plaintext);
    }
}

/// P-8.5.
#[test]
fn parallel_decryption_releases_verified_chunks_only() {
    let (plaintext, blob, pointer) = encrypted(20 * CHUNK);
    for chunk in [0, 7, 8, 19, 20] {
        let mut changed = blob.clone();
        changed[HEADER + chunk * SEALED + 9] ^= 1;
        let (mut decryptor, mut released) = (Decryptor::new(&pointer), Vec::new());
        assert_eq!(decryptor.push_parallel(&changed, &mut released), Err(DecryptError::Rejected));
        assert!(released == plaintext[..chunk * CHUNK], "as much as in sequence");
        assert_eq!(decryptor.push_parallel(&[], &mut released), Err(DecryptError::Rejected));
        assert_eq!(decryptor.finish(), Err(DecryptError::Rejected));
    }
}

#[test]
fn parallel_push_refuses_the_same_input_as_push() {
    let mut encryptor = Encryptor::new(photo(), 1 << 20, &mut SeededRng::new(1)).unwrap();
    let mut memory = vec![0; 2 << 20];
    assert_eq!(encryptor.push_into_parallel(&[0; (1 << 20) + 1], &mut memory), Err(EncryptError::OtherSize));
    assert_eq!(encryptor.push_into_parallel(&[0; 1 << 20], &mut memory[..1 << 20]), Err(EncryptError::NoRoom));
    assert!(memory.iter().all(|byte| *byte == 0));
}
