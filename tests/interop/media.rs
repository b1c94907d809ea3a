//! Attachments of WhatsApp clients: known answers, files of every size, ranges, and changed blobs.
#![allow(clippy::as_conversions, clippy::cast_possible_truncation)]

use std::ops::Range;

use bisik::interop::whatsapp::media::{self, Attachment, Encryptor, MAX_SIZE, MediaError, MediaKey, MediaKind, Ranges};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};

use super::known::Known;

/// Bytes of a blob with one entry in the sidecar.
const WINDOW: usize = 64 << 10;

/// As tests/reference/interop_media.py makes it.
fn file(size: usize) -> Vec<u8> {
    let words = (0..=size as u32 / 4).map(|at| at.wrapping_mul(2_654_435_761));
    words.flat_map(u32::to_le_bytes).take(size).collect()
}

fn encrypted(size: usize) -> (Vec<u8>, Vec<u8>, Attachment) {
    let plaintext = file(size);
    let (blob, attachment) = media::encrypt(MediaKind::Video, &plaintext, &mut StdRng::seed_from_u64(1)).unwrap();
    (plaintext, blob, attachment)
}

/// The same, as another caller would write it down.
fn copy(of: &Attachment) -> Attachment {
    let key = MediaKey::from_bytes(*of.key().expose_bytes());
    Attachment::new(of.kind(), key, *of.file_sha256(), *of.file_enc_sha256())
}

fn verified(attachment: &Attachment, blob: &[u8], step: usize) -> Result<Ranges, MediaError> {
    let mut verifier = attachment.verifier();
    blob.chunks(step).try_for_each(|piece| verifier.push(piece))?;
    verifier.finish()
}

fn part(ranges: &Ranges, blob: &[u8], range: Range<u64>) -> Result<Vec<u8>, MediaError> {
    let plan = ranges.plan(range);
    let wanted = plan.ciphertext();
    let mut output = b"before".to_vec();
    let done = ranges.decrypt(&plan, &blob[wanted.start as usize..wanted.end as usize], &mut output);
    assert!(output.starts_with(b"before"), "existing output is unchanged");
    assert!(done.is_ok() || output.len() == 6, "nothing is released");
    done.map(|()| output.split_off(6))
}

/// S-8.1, S-8.2, S-8.3. Computed by tests/reference/interop_media.py.
#[test]
fn media_blobs_digests_and_sidecars_match_the_reference() {
    let blocks = Known::load("media.txt");
    assert_eq!(blocks.len(), MediaKind::ALL.len());
    for (known, kind) in blocks.iter().zip(MediaKind::ALL) {
        let plaintext = file(known.text("size").parse().unwrap());
        let mut encryptor = Encryptor::new(kind, MediaKey::from_bytes(known.array("key")));
        let mut blob = Vec::new();
        plaintext.chunks(1_000).for_each(|piece| encryptor.push(piece, &mut blob).unwrap());
        let attachment = encryptor.finish(&mut blob).unwrap();
        assert_eq!(attachment.file_sha256(), &known.array("file_sha256"), "{kind:?}");
        assert_eq!(attachment.file_enc_sha256(), &known.array("file_enc_sha256"), "{kind:?}");
        assert_eq!(attachment.sidecar(), known.hex("sidecar"), "{kind:?}");
        assert!(blob.ends_with(&known.hex("last_bytes")), "{kind:?}");
        assert_eq!(attachment.decrypt(&blob).unwrap(), plaintext, "{kind:?}");
    }
}

/// S-8.4, S-8.5.
#[test]
fn files_of_boundary_sizes_decrypt_whole_and_in_ranges() {
    for size in [0, 1, 15, 16, 17, WINDOW - 27, WINDOW - 26, WINDOW - 22, WINDOW - 16, WINDOW - 1, WINDOW, WINDOW + 1] {
        for size in [size, size + WINDOW] {
            let (plaintext, blob, attachment) = encrypted(size);
            assert_eq!(blob.len(), size / 16 * 16 + 16 + 10);
            assert_eq!(attachment.sidecar().len(), blob.len().div_ceil(WINDOW) * 10);
            assert_eq!(attachment.decrypt(&blob).unwrap(), plaintext);
            let streamed = verified(&attachment, &blob, 1_000).unwrap();
            for ranges in [&streamed, &attachment.ranges().unwrap()] {
                assert_eq!(ranges.size(), size as u64);
                assert_eq!(part(ranges, &blob, 0..u64::MAX).unwrap(), plaintext, "{size}");
                let end = size as u64;
                for range in [0..1, 0..0, end..end + 5, end.saturating_sub(20)..end, 65_530..65_540, 65_536..65_537] {
                    let expected = &plaintext[size.min(range.start as usize)..size.min(range.end as usize)];
                    assert_eq!(part(ranges, &blob, range.clone()).unwrap(), expected, "{range:?} of {size}");
                }
            }
        }
    }
}

/// S-8.5.
#[test]
fn a_range_fetches_its_windows_and_the_preceding_block() {
    let (_, blob, attachment) = encrypted(3 * WINDOW);
    let ranges = attachment.ranges().unwrap();
    let window = WINDOW as u64;
    assert_eq!(ranges.plan(5..6).ciphertext(), 0..window);
    assert_eq!(ranges.plan(window - 1..window + 1).ciphertext(), 0..2 * window);
    assert_eq!(ranges.plan(window..window + 1).ciphertext(), window - 16..2 * window);
    assert_eq!(ranges.plan(0..u64::MAX).ciphertext(), 0..3 * window);
    assert_eq!(ranges.plan(0..u64::MAX).plaintext(), 0..3 * window);
    assert_eq!(ranges.plan(7..7).ciphertext(), 0..0);
    // The last window holds no byte of this file, only padding and tag.
    assert_eq!(blob.len(), 3 * WINDOW + 26);
}

/// S-8.4.
#[test]
fn a_changed_blob_is_refused_before_plaintext_is_released() {
    let (_, blob, attachment) = encrypted(100);
    for at in 0..blob.len() {
        for flip in [1, 0x80] {
            let mut changed = blob.clone();
            changed[at] ^= flip;
            assert_eq!(attachment.decrypt(&changed), Err(MediaError::Rejected), "{at}");
            assert!(verified(&attachment, &changed, 7).is_err(), "{at}");
            assert!(part(&attachment.ranges().unwrap(), &changed, 0..10).is_err(), "{at}");
            // The same if only the tag of the blob and not its digest is known.
            let key = MediaKey::from_bytes(*attachment.key().expose_bytes());
            assert!(Attachment::of_blob(attachment.kind(), key, &changed).is_err(), "{at}");
        }
    }
    for length in 0..blob.len() {
        assert_eq!(attachment.decrypt(&blob[..length]), Err(MediaError::Rejected), "{length}");
        assert!(verified(&attachment, &blob[..length], 50).is_err(), "{length}");
    }
    let longer = [blob.as_slice(), &[0]].concat();
    assert_eq!(attachment.decrypt(&longer), Err(MediaError::Rejected));
    assert!(verified(&attachment, &longer, 50).is_err());
    assert!(verified(&copy(&attachment), &longer, 50).is_err(), "also where the size is not known");
}

/// S-8.4.
#[test]
fn tag_digests_and_size_are_each_checked() {
    let (plaintext, blob, attachment) = encrypted(100_000);
    let key = || MediaKey::from_bytes(*attachment.key().expose_bytes());
    let (kind, file_digest, blob_digest) =
        (attachment.kind(), *attachment.file_sha256(), *attachment.file_enc_sha256());
    let adopted = |blob: &[u8]| Attachment::of_blob(kind, key(), blob);
    let wrong = [0; 32];
    // A wrong tag under correct digests: the sender announced a changed blob.
    let mut changed = blob.clone();
    *changed.last_mut().unwrap() ^= 1;
    let announced = <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(&changed));
    let cases = [
        (Attachment::new(kind, key(), wrong, blob_digest), &blob),
        (Attachment::new(kind, key(), file_digest, wrong), &blob),
        (Attachment::new(kind, key(), file_digest, announced), &changed),
        (Attachment::new(kind, MediaKey::from_bytes(wrong), file_digest, blob_digest), &blob),
        (Attachment::new(MediaKind::Image, key(), file_digest, blob_digest), &blob),
        (copy(&attachment).with_size(99_999), &blob),
        (copy(&attachment).with_size(100_001), &blob),
        (copy(&attachment).with_size(MAX_SIZE + 1), &blob),
    ];
    for (at, (bad, blob)) in cases.iter().enumerate() {
        assert_eq!(bad.decrypt(blob), Err(MediaError::Rejected), "case {at}");
        assert!(verified(bad, blob, 4_096).is_err(), "case {at}");
    }
    assert_eq!(copy(&attachment).decrypt(&blob).unwrap(), plaintext, "size and sidecar may be unknown");
    assert!(verified(&copy(&attachment), &blob, 4_096).is_ok());
    let of_blob = adopted(&blob).unwrap();
    assert_eq!((of_blob.file_sha256(), of_blob.file_enc_sha256()), (&file_digest, &blob_digest));
}

/// S-8.5.
#[test]
fn a_blob_changed_after_verification_is_refused_when_read() {
    let (plaintext, blob, attachment) = encrypted(2 * WINDOW + 100);
    let ranges = verified(&attachment, &blob, 4_096).unwrap();
    for at in [0, WINDOW - 17, WINDOW - 16, WINDOW - 1, WINDOW, 2 * WINDOW - 1, 2 * WINDOW, blob.len() - 1] {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        assert!(part(&ranges, &changed, 0..u64::MAX).is_err(), "byte {at}");
        for window in 0..3 {
            let range = (window * WINDOW) as u64..(window * WINDOW + 50) as u64;
            let plan = ranges.plan(range.clone()).ciphertext();
            let fetched = plan.contains(&(at as u64));
            let found = part(&ranges, &changed, range.clone());
            assert_eq!(found.is_err(), fetched, "byte {at}, window {window}");
            assert!(found.is_err() || found.unwrap() == plaintext[range.start as usize..range.end as usize]);
        }
    }
    // Another file's plan, and bytes that were not asked for.
    let (_, other, attachment) = encrypted(WINDOW);
    let plan = attachment.ranges().unwrap().plan(0..10);
    assert_eq!(ranges.decrypt(&plan, &other[..WINDOW], &mut Vec::new()), Err(MediaError::Rejected));
    assert_eq!(ranges.decrypt(&ranges.plan(0..10), &blob[..WINDOW - 1], &mut Vec::new()), Err(MediaError::Rejected));
}

/// S-8.6.
#[test]
fn a_sidecar_authenticates_its_windows_in_order() {
    let (plaintext, blob, attachment) = encrypted(3 * WINDOW + 5);
    let with = |size: u64, sidecar: &[u8]| copy(&attachment).with_size(size).with_sidecar(sidecar.to_vec()).ranges();
    let (size, sidecar) = (plaintext.len() as u64, attachment.sidecar());
    for at in 0..sidecar.len() {
        let mut changed = sidecar.to_vec();
        changed[at] ^= 1;
        let ranges = with(size, &changed).unwrap();
        for window in 0..4 {
            let start = (window * WINDOW) as u64;
            assert_eq!(part(&ranges, &blob, start..start + 3).is_err(), at / 10 == window, "entry {at}");
        }
    }
    // Windows in another order, with their entries.
    let mut swapped = blob.clone();
    swapped[..2 * WINDOW].rotate_left(WINDOW);
    let entries = [&sidecar[10..20], &sidecar[..10], &sidecar[20..]].concat();
    assert!(part(&with(size, &entries).unwrap(), &swapped, 0..5).is_err());
    // No sidecar, one for another size, and a size that the padding does not have.
    for (size, sidecar) in [(size, &[][..]), (size, &sidecar[..30]), (size, &sidecar[..39]), (MAX_SIZE + 1, sidecar)] {
        assert!(with(size, sidecar).is_err());
    }
    assert!(with(size, &[sidecar, &[0; 10]].concat()).is_err());
    assert!(copy(&attachment).with_sidecar(sidecar.to_vec()).ranges().is_err(), "the size is needed");
    let other = with(size + 1, sidecar).unwrap();
    assert!(part(&other, &blob, size - 1..size).is_err(), "the size is not the padding's");
    // If only the tag is left over, some implementations write an entry for it.
    let (plaintext, blob, attachment) = encrypted(WINDOW - 17);
    assert_eq!(blob.len() % WINDOW, WINDOW - 6);
    let more = copy(&attachment).with_size(plaintext.len() as u64);
    let more = more.with_sidecar([attachment.sidecar(), &[9; 10]].concat()).ranges().unwrap();
    assert_eq!(part(&more, &blob, 0..u64::MAX).unwrap(), plaintext);
}

#[test]
fn debug_shows_neither_keys_nor_digests() {
    let (_, _, attachment) = encrypted(5);
    let shown = format!("{attachment:?} {:?} {:?}", attachment.ranges().unwrap(), attachment.verifier());
    let expected = "Attachment { kind: Video, size: Some(5), .. } Ranges { size: 5, .. } Verifier { received: 0, .. }";
    assert_eq!(shown, expected);
    assert_eq!(format!("{:?}", attachment.key()), "MediaKey(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_blob_does_not_depend_on_piece_sizes(
        size in 0_usize..200_000,
        steps in prop::collection::vec(1_usize..70_000, 1..8),
        range in any::<(u32, u32)>(),
    ) {
        let (plaintext, blob, attachment) = encrypted(size);
        let key = MediaKey::from_bytes(*attachment.key().expose_bytes());
        let mut encryptor = Encryptor::new(MediaKind::Video, key);
        let (mut output, mut rest) = (Vec::new(), plaintext.as_slice());
        for step in steps.iter().cycle() {
            let (head, after) = rest.split_at(rest.len().min(*step));
            encryptor.push(head, &mut output).unwrap();
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let again = encryptor.finish(&mut output).unwrap();
        prop_assert_eq!(&output, &blob);
        prop_assert_eq!(again.sidecar(), attachment.sidecar());
        let ranges = verified(&attachment, &blob, steps[0]).unwrap();
        let (start, end) = (u64::from(range.0) % 200_000, u64::from(range.1) % 200_000);
        let range = start.min(end)..start.max(end);
        let expected = &plaintext[size.min(range.start as usize)..size.min(range.end as usize)];
        prop_assert_eq!(part(&ranges, &blob, range).unwrap(), expected);
    }
}
