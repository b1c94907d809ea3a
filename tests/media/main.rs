//! Attachments: what holds for files of every size, and for blobs and pointers that somebody has changed.
//!
//! Does not know how the format came about; `forge` below writes it once more, from docs/protocol.md, section 8.
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]

use std::ops::Range;
use std::sync::LazyLock;

use allocation_counter::measure;
use bisik::error::{MediaDecryptError as DecryptError, MediaEncryptError as EncryptError, PointerError, UnsealError};
use bisik::media::{self, CHUNK, Decryptor, Encryptor, HEADER, MediaType, Pointer, RandomAccess, RangePlan};
use bisik::{StorageKey, rand_core::Rng};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

/// A whole chunk with its tag.
const SEALED: usize = CHUNK + 16;

fn photo() -> MediaType {
    MediaType::new("image/jpeg").unwrap()
}

fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// A file of this size. No two chunks of it are alike.
fn file(size: usize) -> Vec<u8> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut block = vec![0; CHUNK + 7];
        seeded(0).fill_bytes(&mut block);
        block.repeat(66)
    });
    BYTES[..size].to_vec()
}

/// A file, its blob and its pointer.
fn encrypted(size: usize) -> (Vec<u8>, Vec<u8>, Pointer) {
    let plaintext = file(size);
    let (blob, pointer) = media::encrypt(photo(), &plaintext, &mut seeded(1)).unwrap();
    (plaintext, blob, pointer)
}

/// In pieces of the given lengths, over and over.
fn encrypt_in_pieces(plaintext: &[u8], lengths: &[usize]) -> (Vec<u8>, Pointer) {
    let mut encryptor = Encryptor::new(photo(), plaintext.len() as u64, &mut seeded(1)).unwrap();
    let mut blob = Vec::new();
    for piece in pieces(plaintext, lengths) {
        encryptor.push(piece, &mut blob).unwrap();
    }
    let pointer = finish(&mut encryptor, &mut blob);
    (blob, pointer)
}

fn finish(encryptor: &mut Encryptor, blob: &mut Vec<u8>) -> Pointer {
    loop {
        if let Some(pointer) = encryptor.finish(blob).unwrap() {
            return pointer;
        }
    }
}

/// Everything that comes out, and how it ends.
fn decrypt_in_pieces(pointer: &Pointer, blob: &[u8], lengths: &[usize]) -> (Vec<u8>, Result<(), DecryptError>) {
    let (mut decryptor, mut plaintext) = (Decryptor::new(pointer), Vec::new());
    let pushed = pieces(blob, lengths).try_for_each(|piece| decryptor.push(piece, &mut plaintext));
    (plaintext, pushed.and_then(|()| decryptor.finish()))
}

fn pieces<'a>(bytes: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut lengths = lengths.iter().copied().cycle();
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(lengths.next().unwrap().min(rest.len()));
        rest = after;
        (!(piece.is_empty() && rest.is_empty())).then_some(piece)
    })
}

/// Sizes around everything that could matter.
fn sizes() -> impl Strategy<Value = usize> {
    let border = prop::sample::select(vec![0, 32, 64, CHUNK, 2 * CHUNK, 3 * CHUNK]);
    prop_oneof![
        (border, 0_usize..70).prop_map(|(border, around)| (border + around).saturating_sub(35)),
        0_usize..200_000
    ]
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1_usize..100, 1_usize..200_000, Just(CHUNK), Just(SEALED)], 1..5)
        .prop_filter("not a byte at a time", |lengths| lengths.iter().sum::<usize>() > 500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// P-8.2, P-8.3, P-8.6.
    #[test]
    fn what_is_encrypted_decrypts_however_it_is_cut(size in sizes(), there in lengths(), back in lengths()) {
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

    /// P-8.5: random access gives what the file has there, and asks for whole chunks only.
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
        prop_assert!(cut(&blob, plan.ciphertext()).len() <= chunks * SEALED, "more is asked for than is needed");
    }

    /// P-8.8.
    #[test]
    fn a_pointer_has_one_encoding(size in 0_u64..=media::MAX_SIZE, key in any::<[u8; 32]>(), digest in any::<[u8; 32]>()) {
        let bytes = pointer_bytes(&key, &digest, size, "video/mp4", 0, &[]);
        let pointer = Pointer::from_bytes(&bytes).unwrap();
        prop_assert_eq!(pointer.to_bytes(), bytes);
        prop_assert_eq!((pointer.size(), pointer.digest()), (size, &digest));
        prop_assert_eq!(pointer.media_type().as_str(), "video/mp4");
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(pointer) = Pointer::from_bytes(&bytes) {
            prop_assert_eq!(pointer.to_bytes(), bytes);
        }
    }
}

fn cut(blob: &[u8], range: Range<u64>) -> &[u8] {
    &blob[range.start as usize..range.end as usize]
}

/// P-8.4, P-8.5, P-8.6: by all three ways of reading.
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

/// P-8.5: what comes out before a change is the file's beginning, and nothing comes out of the changed chunk or after it.
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
    assert_eq!(decryptor.push(&blob[HEADER..], &mut Vec::new()), Err(DecryptError::Rejected), "once is for good");
    assert_eq!(decryptor.finish(), Err(DecryptError::Rejected));
}

/// P-8.6.
#[test]
fn a_blob_that_is_cut_is_incomplete_and_one_that_goes_on_is_refused() {
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
    for more in [[0].as_slice(), &blob[blob.len() - 16..], &blob[HEADER..]] {
        let longer = [&blob, more].concat();
        assert_eq!(pointer.decrypt(&longer), Err(DecryptError::Rejected));
        assert_eq!(decrypt_in_pieces(&pointer, &longer, &[40_000]).1, Err(DecryptError::Rejected));
    }
    assert_eq!(decrypt_in_pieces(&pointer, &blob, &[40_000]), (plaintext, Ok(())));
}

/// P-8.5: in the place of each chunk, every other chunk of this file and of others, some under the same key.
#[test]
fn a_chunk_fits_in_no_other_place() {
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
    let (blob, pointer) = media::encrypt(photo(), plaintext, &mut seeded(2)).unwrap();
    (plaintext.to_vec(), blob, pointer)
}

/// P-8.4: another blob of the same size, another salt or commitment.
#[test]
fn another_blob_is_refused_before_anything_is_decrypted() {
    let (plaintext, blob, pointer) = encrypted(CHUNK + 100);
    let (_, other, _) = encrypted_otherwise(&plaintext);
    for header in [&other[..HEADER], &[&blob[..24], &other[24..HEADER]].concat(), &[0; HEADER]] {
        assert_eq!(RandomAccess::new(&pointer, header.try_into().unwrap()).err(), Some(DecryptError::Rejected));
        let mut decryptor = Decryptor::new(&pointer);
        assert_eq!(decryptor.push(header, &mut Vec::new()), Err(DecryptError::Rejected));
    }
}

/// P-8.8, and P-8.4 for what a changed pointer is when it is one.
#[test]
fn a_pointer_with_any_byte_changed_is_refused() {
    let (_, blob, pointer) = encrypted(100);
    let pointer = pointer.with_thumbnail(b"a small picture", &mut seeded(3)).unwrap();
    let bytes = pointer.to_bytes();
    assert!(bytes.len() <= Pointer::MAX_LENGTH);
    let read = |bytes: &[u8]| {
        let pointer = Pointer::from_bytes(bytes).ok()?;
        Some((pointer.decrypt(&blob).ok()?, pointer.thumbnail().ok()??))
    };
    assert_eq!(read(&bytes), Some((file(100), b"a small picture".to_vec())));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(read(&changed), None, "bit {bit} of byte {at}");
        }
        assert_eq!(Pointer::from_bytes(&bytes[..at]).err(), Some(PointerError_()), "{at} bytes");
    }
    assert_eq!(Pointer::from_bytes(&[bytes.as_slice(), &[0]].concat()).err(), Some(PointerError_()));
}

/// The error has no constructor: it is taken from where it comes.
#[allow(non_snake_case)]
fn PointerError_() -> PointerError {
    Pointer::from_bytes(&[]).unwrap_err()
}

fn pointer_bytes(key: &[u8], digest: &[u8; 32], size: u64, kind: &str, thumbnail: u32, blob: &[u8]) -> Vec<u8> {
    let length = [kind.len() as u8];
    let fields: [&[u8]; 8] =
        [&[1], key, digest, &size.to_be_bytes(), &length, kind.as_bytes(), &thumbnail.to_be_bytes(), blob];
    fields.concat()
}

/// P-8.2, P-8.7, P-8.8: each bound, at it and past it.
#[test]
fn a_pointer_past_any_bound_is_refused() {
    let decodes = |size, kind: &str, thumbnail, blob: &[u8]| {
        Pointer::from_bytes(&pointer_bytes(&[1; 32], &[2; 32], size, kind, thumbnail, blob)).is_ok()
    };
    let longest = format!("a/{}", "b".repeat(125));
    let blob = |size| vec![0; media::ciphertext_size(size).unwrap() as usize];
    assert!(decodes(1 << 53, &longest, 32_768, &blob(32_768)));
    assert!(decodes(0, "a/b", 1, &blob(1)));
    assert!(!decodes((1 << 53) + 1, "a/b", 0, &[]));
    assert!(!decodes(5, &format!("{longest}b"), 0, &[]));
    assert!(!decodes(5, "image", 0, &[]) && !decodes(5, "", 0, &[]) && !decodes(5, "Image/jpeg", 0, &[]));
    assert!(!decodes(5, "a/b", 32_769, &blob(32_769)));
    assert!(!decodes(5, "a/b", 1, &blob(1)[1..]) && !decodes(5, "a/b", 0, &blob(1)));
}

#[test]
fn a_thumbnail_is_there_once_and_within_its_bound() {
    let (_, _, pointer) = encrypted(10);
    assert_eq!(pointer.thumbnail(), Ok(None));
    let largest = file(Pointer::MAX_THUMBNAIL);
    let pointer = pointer.with_thumbnail(b"first", &mut seeded(1)).unwrap();
    let pointer = pointer.with_thumbnail(&largest, &mut seeded(2)).unwrap();
    let pointer = Pointer::from_bytes(&pointer.to_bytes()).unwrap();
    assert_eq!(pointer.thumbnail(), Ok(Some(largest.clone())));
    let too_large = [largest.as_slice(), &[0]].concat();
    assert_eq!(pointer.clone().with_thumbnail(&too_large, &mut seeded(3)).err(), Some(EncryptError::TooLarge));
    assert_eq!(pointer.with_thumbnail(&[], &mut seeded(3)).err(), Some(EncryptError::OtherSize));
}

/// P-8.2.
#[test]
fn a_file_has_the_size_that_was_announced() {
    let begin = |size| Encryptor::new(photo(), size, &mut seeded(1));
    assert_eq!(begin(media::MAX_SIZE + 1).err(), Some(EncryptError::TooLarge));
    assert!(begin(media::MAX_SIZE).is_ok());
    let (mut encryptor, mut blob) = (begin(100_000).unwrap(), Vec::new());
    encryptor.push(&file(100_000)[..90_000], &mut blob).unwrap();
    let before = blob.len();
    assert_eq!(encryptor.push(&[0; 10_001], &mut blob), Err(EncryptError::OtherSize));
    assert_eq!(encryptor.finish(&mut blob).err(), Some(EncryptError::OtherSize));
    assert_eq!(blob.len(), before, "nothing came of either");
    encryptor.push(&file(100_000)[90_000..], &mut blob).unwrap();
    let pointer = finish(&mut encryptor, &mut blob);
    assert_eq!(pointer.decrypt(&blob).unwrap(), file(100_000));
    assert_eq!(encryptor.push(&[0], &mut blob), Err(EncryptError::OtherSize));
}

/// In the caller's memory, and nothing is taken where that is too short.
#[test]
fn what_is_pushed_into_memory_is_what_is_appended() {
    let (plaintext, blob, pointer) = encrypted(3 * CHUNK);
    let mut encryptor = Encryptor::new(photo(), plaintext.len() as u64, &mut seeded(1)).unwrap();
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
    let rng = &mut seeded(5);
    let [(one, of_one), (other, of_other)] = [(); 2].map(|()| media::encrypt(photo(), &plaintext, rng).unwrap());
    assert_ne!(of_one.to_bytes()[1..33], of_other.to_bytes()[1..33]);
    assert!(one.chunks(8).zip(other.chunks(8)).all(|(one, other)| one != other));
}

/// What section 8 of docs/protocol.md says a blob is, written once more: any padding that is given, and any size.
fn forge(key: &[u8], salt: &[u8; 24], file: &[u8], padding: &[u8], kind: &str) -> (Vec<u8>, Pointer) {
    let size = file.len() as u64;
    let info: [&[u8]; 6] = [b"bisik-1 attachment", &[0], salt, &[1], &size.to_be_bytes(), kind.as_bytes()];
    let mut keys = [0; 76];
    hkdf::Hkdf::<sha2::Sha256>::from_prk(key).unwrap().expand_multi_info(&info, &mut keys).unwrap();
    let cipher = chacha20poly1305::ChaCha20Poly1305::new_from_slice(&keys[..32]).unwrap();
    let padded = media::ciphertext_size(size).unwrap() as usize;
    let mut plaintext = [file, padding].concat();
    plaintext.resize(padded - HEADER - 16 * (padded - HEADER).div_ceil(SEALED), 0);
    let mut blob = [salt, &keys[44..]].concat();
    for number in 0..=plaintext.len() / CHUNK {
        let mut chunk = plaintext[number * CHUNK..plaintext.len().min((number + 1) * CHUNK)].to_vec();
        let mut nonce: [u8; 12] = keys[32..44].try_into().unwrap();
        nonce.iter_mut().zip((number as u128).to_be_bytes()[4..].iter()).for_each(|(to, from)| *to ^= from);
        let tag = cipher.encrypt_inout_detached(&nonce.into(), &[], chunk.as_mut_slice().into()).unwrap();
        blob.extend_from_slice(&chunk);
        blob.extend_from_slice(&tag);
    }
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&blob).into();
    let pointer = Pointer::from_bytes(&pointer_bytes(key, &digest, size, kind, 0, &[])).unwrap();
    (blob, pointer)
}

#[test]
fn blobs_are_what_the_document_says() {
    for size in [0, 1, 33, CHUNK - 1, CHUNK, 2 * CHUNK, 150_000] {
        let (plaintext, blob, pointer) = encrypted(size);
        let (forged, of_forged) =
            forge(&pointer.to_bytes()[1..33], blob.first_chunk().unwrap(), &plaintext, &[], "image/jpeg");
        assert!(forged == blob, "{size}");
        assert_eq!(of_forged.to_bytes(), pointer.to_bytes());
    }
}

/// P-8.2: whoever has the key may be dishonest.
#[test]
fn padding_that_is_not_zeros_is_refused() {
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
            assert_eq!(part.is_err(), at < CHUNK, "of parts, the chunks that hold them are judged");
        }
    }
}

/// P-8.6: all chunks are good, and the sender has signed for another digest.
#[test]
fn a_blob_with_another_digest_is_refused_at_its_end() {
    let (plaintext, blob, pointer) = encrypted(CHUNK + 5);
    let mut bytes = pointer.to_bytes();
    bytes[33] ^= 1;
    let other = Pointer::from_bytes(&bytes).unwrap();
    assert_eq!(decrypt_in_pieces(&other, &blob, &[9_000]), (plaintext, Err(DecryptError::Rejected)));
    assert_eq!(other.decrypt(&blob), Err(DecryptError::Rejected));
}

#[test]
fn a_range_takes_only_the_bytes_that_it_asked_for() {
    let (_, blob, pointer) = encrypted(3 * CHUNK);
    let access = RandomAccess::new(&pointer, blob.first_chunk().unwrap()).unwrap();
    let plan = access.plan(CHUNK as u64 - 5..CHUNK as u64 + 5);
    assert_eq!(plan.ciphertext(), HEADER as u64..(HEADER + 2 * SEALED) as u64);
    let wanted = cut(&blob, plan.ciphertext());
    let mut output = b"kept".to_vec();
    let mut refused = |plan: &RangePlan, bytes: &[u8]| {
        assert_eq!(access.decrypt(plan, bytes, &mut output), Err(DecryptError::Rejected));
        assert_eq!(output, b"kept", "nothing is released of a range that is refused");
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

/// P-8.9, P-6.1: at every chunk, and with the same pointer at the end.
#[test]
fn an_upload_goes_on_with_the_same_bytes() {
    let (plaintext, blob, pointer) = encrypted(3 * CHUNK + 700);
    let (key, rng) = (StorageKey::from_bytes([5; 32]), &mut seeded(9));
    for taken in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, plaintext.len()] {
        let mut encryptor = Encryptor::new(photo(), plaintext.len() as u64, &mut seeded(1)).unwrap();
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

/// Whatever the size of the file: here 4 MiB.
#[test]
fn memory_does_not_grow_with_the_file() {
    const PIECE: usize = 100_000;
    let (size, piece) = (4 << 20, vec![7; PIECE]);
    let mut blob = Vec::with_capacity(5 << 20);
    let mut pointer = None;
    let used = measure(|| {
        let mut encryptor = Encryptor::new(photo(), size as u64, &mut seeded(1)).unwrap();
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

/// A pointer can name any size: what is there decides about memory.
#[test]
fn a_pointer_to_a_huge_file_takes_no_memory() {
    let bytes = pointer_bytes(&[1; 32], &[2; 32], media::MAX_SIZE, "video/mp4", 0, &[]);
    let used = measure(|| {
        let pointer = Pointer::from_bytes(&bytes).unwrap();
        assert_eq!(pointer.decrypt(&[0; 1_000]), Err(DecryptError::Incomplete));
        let mut decryptor = Decryptor::new(&pointer);
        assert_eq!(decryptor.push(&[0; 1_000], &mut Vec::new()), Err(DecryptError::Rejected));
    });
    assert!(used.bytes_max < 200_000, "{}", used.bytes_max);
}

#[cfg(feature = "rayon")]
mod parallel {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn parallel_and_sequential_forms_give_the_same_bytes(
            size in prop_oneof![sizes(), 0_usize..1_200_000],
            there in lengths(),
            back in lengths(),
        ) {
            let (plaintext, blob, pointer) = encrypted(size);
            let mut encryptor = Encryptor::new(photo(), size as u64, &mut seeded(1)).unwrap();
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
            assert!(released.len() <= chunk * CHUNK && plaintext.starts_with(&released));
            assert_eq!(decryptor.push_parallel(&[], &mut released), Err(DecryptError::Rejected));
            assert_eq!(decryptor.finish(), Err(DecryptError::Rejected));
        }
    }

    #[test]
    fn what_push_refuses_is_refused_in_parallel_too() {
        let mut encryptor = Encryptor::new(photo(), 1 << 20, &mut seeded(1)).unwrap();
        let mut memory = vec![0; 2 << 20];
        assert_eq!(encryptor.push_into_parallel(&[0; (1 << 20) + 1], &mut memory), Err(EncryptError::OtherSize));
        assert_eq!(encryptor.push_into_parallel(&[0; 1 << 20], &mut memory[..1 << 20]), Err(EncryptError::NoRoom));
        assert!(memory.iter().all(|byte| *byte == 0));
    }
}

#[cfg(feature = "std")]
mod adapters {
    use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

    use bisik::media::{DecryptingReader, EncryptingReader, EncryptingWriter};

    use super::*;

    #[test]
    fn writer_and_reader_make_the_same_blob() {
        for size in [0, 1, CHUNK, 200_000] {
            let (plaintext, blob, pointer) = encrypted(size);
            let mut writer = EncryptingWriter::new(Vec::new(), photo(), size as u64, &mut seeded(1)).unwrap();
            writer.write_all(&plaintext).unwrap();
            let (written, of_written) = writer.finish().unwrap();
            assert!(written == blob);
            assert_eq!(of_written.to_bytes(), pointer.to_bytes());

            let mut reader = EncryptingReader::new(&*plaintext, photo(), size as u64, &mut seeded(1)).unwrap();
            assert_eq!(reader.ciphertext_size(), blob.len() as u64);
            let mut read = Vec::new();
            assert!(reader.pointer().is_none());
            reader.read_to_end(&mut read).unwrap();
            assert!(read == blob);
            assert_eq!(reader.pointer().unwrap().to_bytes(), pointer.to_bytes());
        }
    }

    #[test]
    fn a_reader_goes_on_where_an_upload_was_put_away() {
        let (plaintext, blob, pointer) = encrypted(300_000);
        let (key, rng) = (StorageKey::from_bytes([5; 32]), &mut seeded(9));
        let mut first = EncryptingReader::new(&*plaintext, photo(), 300_000, &mut seeded(1)).unwrap();
        first.read_exact(&mut vec![0; 100_000]).unwrap();
        let record = first.encryptor().seal(&key, b"upload", rng);
        let encryptor = Encryptor::unseal(&key, b"upload", &record).unwrap();
        let (from_file, from_blob) = (encryptor.file_position() as usize, encryptor.blob_position() as usize);
        let mut second = EncryptingReader::resume(&plaintext[from_file..], encryptor);
        let mut rest = Vec::new();
        second.read_to_end(&mut rest).unwrap();
        assert!(from_blob > 0 && rest == blob[from_blob..]);
        assert_eq!(second.pointer().unwrap().to_bytes(), pointer.to_bytes());
    }

    #[test]
    fn a_file_of_another_size_is_an_error() {
        let mut longer = EncryptingReader::new(&[0; 11][..], photo(), 10, &mut seeded(1)).unwrap();
        assert_eq!(longer.read_to_end(&mut Vec::new()).unwrap_err().kind(), ErrorKind::InvalidInput);
        let mut shorter = EncryptingReader::new(&[0; 9][..], photo(), 10, &mut seeded(1)).unwrap();
        assert_eq!(shorter.read_to_end(&mut Vec::new()).unwrap_err().kind(), ErrorKind::InvalidInput);
        let mut writer = EncryptingWriter::new(Vec::new(), photo(), 10, &mut seeded(1)).unwrap();
        assert_eq!(writer.write_all(&[0; 11]).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

        /// What a cursor over the file would do, the reader does over the blob.
        #[test]
        fn a_reader_seeks_as_in_the_file(
            size in sizes(),
            steps in prop::collection::vec((0_u8..3, -250_000_i64..250_000, 0_usize..100_000), 1..8),
        ) {
            let (plaintext, blob, pointer) = encrypted(size);
            let mut model = Cursor::new(&plaintext);
            let mut reader = DecryptingReader::new(Cursor::new(&blob), &pointer).unwrap();
            prop_assert_eq!(reader.size(), size as u64);
            for (kind, offset, length) in steps {
                let to = match kind {
                    0 => SeekFrom::Start(offset.unsigned_abs()),
                    1 => SeekFrom::Current(offset),
                    _ => SeekFrom::End(offset),
                };
                prop_assert_eq!(reader.seek(to).ok(), model.seek(to).ok());
                let [mut ours, mut theirs] = [(); 2].map(|()| Vec::new());
                reader.by_ref().take(length as u64).read_to_end(&mut ours).unwrap();
                model.by_ref().take(length as u64).read_to_end(&mut theirs).unwrap();
                prop_assert!(ours == theirs);
            }
        }
    }

    #[test]
    fn a_changed_chunk_is_an_error_when_it_is_read() {
        let (plaintext, mut blob, pointer) = encrypted(2 * CHUNK);
        blob[HEADER + SEALED] ^= 1;
        let mut reader = DecryptingReader::new(Cursor::new(&blob), &pointer).unwrap();
        let mut read = Vec::new();
        let error = reader.read_to_end(&mut read).unwrap_err();
        assert_eq!((error.kind(), read), (ErrorKind::InvalidData, plaintext[..CHUNK].to_vec()));
        blob[0] ^= 1;
        let error = DecryptingReader::new(Cursor::new(&blob), &pointer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn errors_of_the_inner_reader_come_through() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        let mut reader = EncryptingReader::new(Broken, photo(), 10, &mut seeded(1)).unwrap();
        assert_eq!(reader.read(&mut [0; 10]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}
