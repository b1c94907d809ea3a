//! Encrypting and decrypting files of every size, in pieces of every length.

use bisik::StorageKey;
use bisik::UnsealError;
use bisik::media::{self, CHUNK, DecryptError, EncryptError, Encryptor, HEADER, Pointer, RandomAccess, RangePlan};
use proptest::prelude::*;

use super::fixtures::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// P-8.2, P-8.3, P-8.6.
    #[test]
    fn files_round_trip_in_pieces_of_any_length(size in sizes(), there in lengths(), back in lengths()) {
        let (plaintext, whole, of_whole) = encrypted(size);
        let (blob, pointer) = encrypt_in_pieces(&plaintext, &there);
        prop_assert!(blob == whole, "the blob depends on how the file was cut");
        prop_assert_eq!(pointer.to_bytes(), of_whole.to_bytes());
        prop_assert_eq!(Some(blob.len() as u64), media::ciphertext_size(size as u64));
        prop_assert_eq!(pointer.ciphertext_size(), blob.len() as u64);

        let (decrypted, end) = decrypt_in_pieces(&pointer, &blob, &back);
        prop_assert_eq!(end, Ok(()));
        prop_assert!(decrypted == plaintext);
        prop_assert!(pointer.decrypt(&blob).unwrap() == plaintext);
    }

    /// P-8.5: random access gives that range of the file, and requests whole chunks only.
    #[test]
    fn a_range_is_the_slice_of_the_file(size in sizes(), start in 0_u64..210_000, length in 0_u64..150_000) {
        let (plaintext, blob, pointer) = encrypted(size);
        let access = RandomAccess::new(&pointer, blob.first_chunk().unwrap()).unwrap();
        let plan = RangePlan::new(&pointer, start..start + length);
        prop_assert_eq!(&plan, &access.plan(start..start + length));

        let mut part = b"before".to_vec();
        access.decrypt(&plan, cut(&blob, plan.ciphertext()), &mut part).unwrap();
        let wanted = (start as usize).min(size)..((start + length) as usize).min(size);
        prop_assert_eq!(plan.plaintext(), wanted.start as u64..wanted.end as u64);
        prop_assert!(part == [b"before", &plaintext[wanted.clone()]].concat());
        let chunks = if wanted.is_empty() { 0 } else { (wanted.end - 1) / CHUNK + 1 - wanted.start / CHUNK };
        prop_assert!(cut(&blob, plan.ciphertext()).len() <= chunks * SEALED, "more than the needed chunks is requested");
    }

    /// P-8.8.
    #[test]
    fn a_pointer_has_one_encoding(size in 0_u64..=media::MAX_SIZE, key in any::<[u8; 32]>(), root in any::<[u8; 32]>()) {
        let bytes = pointer_bytes(&key, &root, size, "video/mp4", 0, &[]);
        let pointer = Pointer::from_bytes(&bytes).unwrap();
        prop_assert_eq!(pointer.to_bytes(), bytes);
        prop_assert_eq!((pointer.size(), pointer.root()), (size, &root));
        prop_assert_eq!(pointer.media_type().as_str(), "video/mp4");
    }

    #[test]
    fn any_bytes_decode_as_a_pointer_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(pointer) = Pointer::from_bytes(&bytes) {
            prop_assert_eq!(pointer.to_bytes(), bytes);
        }
    }
}

/// P-8.2.
#[test]
fn a_file_of_another_size_than_announced_is_refused() {
    let begin = |size| Encryptor::new(photo(), size, &mut SeededRng::new(1));
    assert_eq!(begin(media::MAX_SIZE + 1).err(), Some(EncryptError::TooLarge));
    assert!(begin(media::MAX_SIZE).is_ok());
    let (mut encryptor, mut blob) = (begin(100_000).unwrap(), Vec::new());
    encryptor.push(&file(100_000)[..90_000], &mut blob).unwrap();
    let before = blob.len();
    assert_eq!(encryptor.push(&[0; 10_001], &mut blob), Err(EncryptError::OtherSize));
    assert_eq!(encryptor.finish(&mut blob).err(), Some(EncryptError::OtherSize));
    assert_eq!(blob.len(), before, "neither changes anything");
    encryptor.push(&file(100_000)[90_000..], &mut blob).unwrap();
    let pointer = finish(&mut encryptor, &mut blob);
    assert_eq!(pointer.decrypt(&blob).unwrap(), file(100_000));
    assert_eq!(encryptor.push(&[0], &mut blob), Err(EncryptError::OtherSize));
}

/// Into a slice of the caller's; a slice that is too short is left untouched.
#[test]
fn push_into_a_slice_writes_the_same_bytes_as_push() {
    let (plaintext, blob, pointer) = encrypted(3 * CHUNK);
    let mut encryptor = Encryptor::new(photo(), plaintext.len() as u64, &mut SeededRng::new(1)).unwrap();
    let (mut written, mut memory) = (Vec::new(), vec![0; 4 * SEALED]);
    for piece in plaintext.chunks(100_000) {
        let room = encryptor.room_for(piece.len());
        assert_eq!(encryptor.push_into(piece, &mut memory[..room - 1]), Err(EncryptError::NoRoom));
        assert_eq!(encryptor.push_into(piece, &mut memory), Ok(room));
        written.extend_from_slice(&memory[..room]);
    }
    assert_eq!(finish(&mut encryptor, &mut written).to_bytes(), pointer.to_bytes());
    assert!(written == blob);
}

/// P-8.1.
#[test]
fn two_encryptions_of_a_file_have_nothing_in_common() {
    let plaintext = file(1_000);
    let rng = &mut SeededRng::new(5);
    let [(one, of_one), (other, of_other)] = [(); 2].map(|()| media::encrypt(photo(), &plaintext, rng).unwrap());
    assert_ne!(of_one.to_bytes()[1..33], of_other.to_bytes()[1..33]);
    assert!(one.chunks(8).zip(other.chunks(8)).all(|(one, other)| one != other));
}

#[test]
fn blobs_match_an_independent_encryption() {
    for size in [0, 1, 33, CHUNK - 1, CHUNK, 2 * CHUNK, 150_000] {
        let (plaintext, blob, pointer) = encrypted(size);
        let (forged, of_forged) =
            forge(&pointer.to_bytes()[1..33], blob.first_chunk().unwrap(), &plaintext, &[], "image/jpeg");
        assert!(forged == blob, "{size}");
        assert_eq!(*pointer.root(), root_of(&blob));
        assert_eq!(of_forged.to_bytes(), pointer.to_bytes());
    }
}

#[test]
fn a_range_accepts_only_the_planned_ciphertext() {
    let (_, blob, pointer) = encrypted(3 * CHUNK);
    let access = RandomAccess::new(&pointer, blob.first_chunk().unwrap()).unwrap();
    let plan = access.plan(CHUNK as u64 - 5..CHUNK as u64 + 5);
    assert_eq!(plan.ciphertext(), HEADER as u64..(HEADER + 2 * SEALED) as u64);
    let wanted = cut(&blob, plan.ciphertext());
    let mut output = b"kept".to_vec();
    let mut refused = |plan: &RangePlan, bytes: &[u8]| {
        assert_eq!(access.decrypt(plan, bytes, &mut output), Err(DecryptError::Rejected));
        assert_eq!(output, b"kept", "a refused range releases nothing");
    };
    refused(&plan, &wanted[1..]);
    refused(&plan, &[wanted, &[0]].concat());
    refused(&plan, &wanted[..SEALED]);
    refused(&plan, &blob[HEADER..][..3 * SEALED]);
    refused(&plan, &blob[HEADER + SEALED..][..wanted.len()]);
    let mut changed = wanted.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    refused(&plan, &changed);
    let (_, _, shorter) = encrypted(3 * CHUNK - 1);
    refused(&RangePlan::new(&shorter, plan.plaintext()), wanted);
}

/// P-8.9, P-6.1: suspended after every chunk, with the same pointer at the end.
#[test]
fn a_resumed_upload_gives_the_same_bytes() {
    let (plaintext, blob, pointer) = encrypted(3 * CHUNK + 700);
    let (key, rng) = (StorageKey::from_bytes([5; 32]), &mut SeededRng::new(9));
    for taken in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, plaintext.len()] {
        let mut encryptor = Encryptor::new(photo(), plaintext.len() as u64, &mut SeededRng::new(1)).unwrap();
        encryptor.push(&plaintext[..taken], &mut Vec::new()).unwrap();
        let record = encryptor.seal(&key, b"upload", rng);
        assert!(record.len() <= 400);

        let mut resumed = Encryptor::unseal(&key, b"upload", &record).unwrap();
        assert_eq!(resumed.file_position(), (taken / CHUNK * CHUNK) as u64);
        let (from_file, from_blob) = (resumed.file_position() as usize, resumed.blob_position() as usize);
        let mut rest = Vec::new();
        resumed.push(&plaintext[from_file..], &mut rest).unwrap();
        let again = finish(&mut resumed, &mut rest);
        assert!(rest == blob[from_blob..], "after {taken}");
        assert_eq!(again.to_bytes(), pointer.to_bytes());

        let ended = Encryptor::unseal(&key, b"upload", &resumed.seal(&key, b"upload", rng));
        let mut nothing = Vec::new();
        assert_eq!(finish(&mut ended.unwrap(), &mut nothing).to_bytes(), pointer.to_bytes());
        assert_eq!(nothing, b"");

        let other_key = StorageKey::from_bytes([6; 32]);
        for (key, context) in [(&key, b"uploads".as_slice()), (&other_key, b"upload")] {
            assert_eq!(Encryptor::unseal(key, context, &record).err(), Some(UnsealError::Rejected));
        }
    }
}
