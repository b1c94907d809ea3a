//! Changed, truncated, extended and swapped blobs are refused, and plaintext is released for verified chunks only.

use bisik::media::{self, CHUNK, DecryptError, Decryptor, HEADER, Pointer, RandomAccess};

use super::fixtures::*;

/// P-8.4, P-8.5, P-8.6: in all three ways of reading.
#[test]
fn a_blob_with_any_byte_changed_is_refused() {
    for size in [0, 100, 3_000] {
        let (_, blob, pointer) = encrypted(size);
        for at in 0..blob.len() {
            let mut changed = blob.clone();
            changed[at] ^= 1 << (at % 8);
            assert_eq!(pointer.decrypt(&changed), Err(DecryptError::Rejected), "byte {at} of {size}");
            assert_eq!(decrypt_in_pieces(&pointer, &changed, &[1_000]), (vec![], Err(DecryptError::Rejected)));
            let part = RandomAccess::new(&pointer, changed.first_chunk().unwrap())
                .and_then(|access| access.decrypt(&access.plan(0..1), &changed[HEADER..], &mut Vec::new()));
            assert_eq!(part, Err(DecryptError::Rejected));
            assert!(size > 0 || part.is_err());
        }
    }
}

/// P-8.5: released plaintext is the beginning of the file, and contains nothing of the changed chunk or later ones.
#[test]
fn plaintext_is_released_for_verified_chunks_only() {
    let (plaintext, blob, pointer) = encrypted(3 * CHUNK + 500);
    for chunk in 0..4 {
        for at in [0, 10, 500 + 10] {
            let mut changed = blob.clone();
            changed[HEADER + chunk * SEALED + at] ^= 0x80;
            for lengths in [[blob.len(), 1], [1_000, 70_000]] {
                let (released, end) = decrypt_in_pieces(&pointer, &changed, &lengths);
                assert_eq!(end, Err(DecryptError::Rejected));
                assert!(released == plaintext[..chunk * CHUNK], "chunk {chunk}");
            }
        }
    }
    let mut decryptor = Decryptor::new(&pointer);
    let mut changed = blob.clone();
    changed[HEADER] ^= 1;
    assert_eq!(decryptor.push(&changed[..HEADER + SEALED], &mut Vec::new()), Err(DecryptError::Rejected));
    assert_eq!(
        decryptor.push(&blob[HEADER..], &mut Vec::new()),
        Err(DecryptError::Rejected),
        "a failed decryptor stays failed"
    );
    assert_eq!(decryptor.finish(), Err(DecryptError::Rejected));
}

/// P-8.6.
#[test]
fn truncated_blobs_are_incomplete_and_extended_ones_refused() {
    let (plaintext, blob, pointer) = encrypted(2 * CHUNK);
    let ends = (0..=HEADER).chain((0..3).flat_map(|chunk| {
        let start = HEADER + chunk * SEALED;
        [start, start + 1, start + CHUNK, start + SEALED - 1].map(|end| end.min(blob.len() - 1))
    }));
    for end in ends {
        let (released, result) = decrypt_in_pieces(&pointer, &blob[..end], &[40_000]);
        assert_eq!(result, Err(DecryptError::Incomplete), "{end} bytes");
        assert_eq!(released.len(), end.saturating_sub(HEADER) / SEALED * CHUNK);
        assert_eq!(pointer.decrypt(&blob[..end]), Err(DecryptError::Incomplete));
    }
    for more in [[0].as_slice(), &blob[blob.len() - 32..], &blob[HEADER..]] {
        let longer = [&blob, more].concat();
        assert_eq!(pointer.decrypt(&longer), Err(DecryptError::Rejected));
        assert_eq!(decrypt_in_pieces(&pointer, &longer, &[40_000]).1, Err(DecryptError::Rejected));
    }
    assert_eq!(decrypt_in_pieces(&pointer, &blob, &[40_000]), (plaintext, Ok(())));
}

/// P-8.5: each chunk is replaced by every other chunk of this file and of others, some under the same key.
#[test]
fn a_chunk_moved_to_another_place_is_refused() {
    let (plaintext, blob, pointer) = encrypted(3 * CHUNK + 100);
    let (_, other, _) = encrypted_otherwise(&plaintext);
    let key = &pointer.to_bytes()[1..33];
    let same_key = forge(key, &[9; 24], &plaintext, &[0; 0], "image/jpeg").0;
    for to in 0..4 {
        for (source, from) in (0..4).map(|from| (&blob, from)).chain([&other, &same_key].map(|source| (source, to))) {
            let here = (source, from) == (&blob, to);
            let mut spliced = blob.clone();
            let length = if to == 3 || from == 3 { blob.len() - HEADER - 3 * SEALED } else { SEALED };
            let piece = source[HEADER + from * SEALED..][..length].to_vec();
            spliced[HEADER + to * SEALED..][..length].copy_from_slice(&piece);
            let result = pointer.decrypt(&spliced);
            assert_eq!(result.is_ok(), here, "chunk {from} in place {to}");
        }
    }
    let mut swapped = blob;
    let (front, back) = swapped[HEADER..].split_at_mut(SEALED);
    front.swap_with_slice(&mut back[..SEALED]);
    assert_eq!(pointer.decrypt(&swapped), Err(DecryptError::Rejected));
}

fn encrypted_otherwise(plaintext: &[u8]) -> (Vec<u8>, Vec<u8>, Pointer) {
    let (blob, pointer) = media::encrypt(photo(), plaintext, &mut SeededRng::new(2)).unwrap();
    (plaintext.to_vec(), blob, pointer)
}

/// P-8.1, P-8.4: blobs of one file under one key differ in everything, and their headers cannot be exchanged.
#[test]
fn blobs_under_one_key_cannot_exchange_their_salts() {
    let plaintext = file(CHUNK + 100);
    let [(one, of_one), (other, _)] =
        [[8; 24], [9; 24]].map(|salt| forge(&[7; 32], &salt, &plaintext, &[], "image/jpeg"));
    assert!(one[24..].chunks(8).zip(other[24..].chunks(8)).all(|(one, other)| one != other));
    for part in [0..24, 24..HEADER, 0..HEADER, HEADER..HEADER + SEALED, HEADER..one.len()] {
        let mut mixed = one.clone();
        mixed[part.clone()].copy_from_slice(&other[part]);
        assert_eq!(of_one.decrypt(&mixed), Err(DecryptError::Rejected));
    }
}

/// P-8.4: another blob of the same size, another salt or commitment.
#[test]
fn another_blob_is_refused_before_decryption() {
    let (plaintext, blob, pointer) = encrypted(CHUNK + 100);
    let (_, other, _) = encrypted_otherwise(&plaintext);
    for header in [&other[..HEADER], &[&blob[..24], &other[24..HEADER]].concat(), &[0; HEADER]] {
        assert_eq!(RandomAccess::new(&pointer, header.try_into().unwrap()).err(), Some(DecryptError::Rejected));
        let mut decryptor = Decryptor::new(&pointer);
        assert_eq!(decryptor.push(header, &mut Vec::new()), Err(DecryptError::Rejected));
    }
}

/// P-8.2: a dishonest sender has the key.
#[test]
fn nonzero_padding_is_refused() {
    // The second file's padding fills the rest of one chunk and all of the next.
    for (size, dirty) in [(100, [0, 1, 3].as_slice()), ((4 << 20) + 10, &[CHUNK])] {
        let plaintext = file(size);
        for at in dirty.iter().copied() {
            let mut dirt = vec![0; at + 1];
            dirt[at] = 1;
            let (blob, pointer) = forge(&[7; 32], &[8; 24], &plaintext, &dirt, "image/jpeg");
            assert_eq!(pointer.decrypt(&blob), Err(DecryptError::Rejected), "{size}, {at}");

            let access = RandomAccess::new(&pointer, blob.first_chunk().unwrap()).unwrap();
            let plan = access.plan(size as u64 - 1..size as u64);
            let part = access.decrypt(&plan, cut(&blob, plan.ciphertext()), &mut Vec::new());
            assert_eq!(part.is_err(), at < CHUNK, "ranges are checked by the chunks that hold them");
        }
    }
}

/// P-8.5: half of a tag, as other tags of this protocol have, is not enough.
#[test]
fn a_changed_byte_in_any_part_of_a_blob_is_refused() {
    let (plaintext, blob, pointer) = encrypted(CHUNK + 500);
    let last = HEADER + SEALED;
    // Salt, commitment; of the first chunk body and tag; of the last one file, padding and tag.
    let parts = [0..24, 24..56, 56..57, last - 33..last - 32, last - 32..last, last..last + 1, last + 499..last + 500];
    let end = blob.len();
    for at in parts.into_iter().flatten().chain([last + 500, end - 33]).chain(end - 32..end) {
        let mut changed = blob.clone();
        changed[at] ^= 1 << (at % 8);
        let (released, result) = decrypt_in_pieces(&pointer, &changed, &[end]);
        assert_eq!(result, Err(DecryptError::Rejected), "byte {at}");
        assert!(plaintext.starts_with(&released));
    }
}

/// P-8.5, P-8.6: two chunks of equal plaintext and length have different ciphertexts and tags, and stay in their places.
#[test]
fn equal_chunks_cannot_be_swapped() {
    let (blob, pointer) = media::encrypt(photo(), &[7; 3 * CHUNK], &mut SeededRng::new(1)).unwrap();
    let (first, second) = blob[HEADER..HEADER + 2 * SEALED].split_at(SEALED);
    assert!(first.chunks(32).zip(second.chunks(32)).all(|(one, other)| one != other));
    let swapped = [&blob[..HEADER], second, first, &blob[HEADER + 2 * SEALED..]].concat();
    assert_eq!(pointer.decrypt(&swapped), Err(DecryptError::Rejected));
}

/// P-8.6: all chunks are authentic, and the pointer holds another root.
#[test]
fn a_blob_with_another_root_is_refused_at_its_end() {
    let (plaintext, blob, pointer) = encrypted(CHUNK + 5);
    for at in 33..65 {
        let mut bytes = pointer.to_bytes();
        bytes[at] ^= 1 << (at % 8);
        let other = Pointer::from_bytes(&bytes).unwrap();
        assert_eq!(decrypt_in_pieces(&other, &blob, &[9_000]), (plaintext.clone(), Err(DecryptError::Rejected)));
        assert_eq!(other.decrypt(&blob), Err(DecryptError::Rejected));
    }
}

/// P-8.6: another receiver has the key, and the store helps. Only whoever reads the whole file notices.
#[test]
fn a_chunk_that_another_receiver_forged_does_not_fit_the_root() {
    let (plaintext, blob, pointer) = encrypted(3 * CHUNK + 500);
    for chunk in 0..4 {
        let forged = changed_with_the_key(&blob, &pointer, chunk, 9);
        let (released, end) = decrypt_in_pieces(&pointer, &forged, &[70_000]);
        assert_eq!(end, Err(DecryptError::Rejected));
        assert_eq!(released.len(), plaintext.len(), "each chunk by itself verifies");
        assert!(released != plaintext);
        assert_eq!(pointer.decrypt(&forged), Err(DecryptError::Rejected));

        let access = RandomAccess::new(&pointer, forged.first_chunk().unwrap()).unwrap();
        let plan = access.plan((chunk * CHUNK) as u64..(chunk * CHUNK + 20) as u64);
        let mut part = Vec::new();
        access.decrypt(&plan, cut(&forged, plan.ciphertext()), &mut part).unwrap();
        assert_ne!(part, plaintext[chunk * CHUNK..chunk * CHUNK + 20], "a reader of parts cannot notice");
    }
}
