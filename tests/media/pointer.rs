//! Pointers: changed bytes, values past each limit, thumbnails.

use bisik::media::{self, EncryptError, Pointer, PointerError};

use super::fixtures::*;

/// P-8.8, and P-8.4 for a changed pointer that still decodes.
#[test]
fn a_pointer_with_any_byte_changed_is_refused() {
    let (_, blob, pointer) = encrypted(100);
    let pointer = pointer.with_thumbnail(b"a small picture", &mut SeededRng::new(3)).unwrap();
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

/// The error has no public constructor, so it is taken from a failing call.
#[allow(non_snake_case)]
fn PointerError_() -> PointerError {
    Pointer::from_bytes(&[]).unwrap_err()
}

/// P-8.2, P-8.7, P-8.8: each limit, reached and exceeded.
#[test]
fn a_pointer_past_any_limit_is_refused() {
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
fn a_thumbnail_is_set_once_and_within_its_limit() {
    let (_, _, pointer) = encrypted(10);
    assert_eq!(pointer.thumbnail(), Ok(None));
    let largest = file(Pointer::MAX_THUMBNAIL);
    let pointer = pointer.with_thumbnail(b"first", &mut SeededRng::new(1)).unwrap();
    let pointer = pointer.with_thumbnail(&largest, &mut SeededRng::new(2)).unwrap();
    let pointer = Pointer::from_bytes(&pointer.to_bytes()).unwrap();
    assert_eq!(pointer.thumbnail(), Ok(Some(largest.clone())));
    let too_large = [largest.as_slice(), &[0]].concat();
    assert_eq!(pointer.clone().with_thumbnail(&too_large, &mut SeededRng::new(3)).err(), Some(EncryptError::TooLarge));
    assert_eq!(pointer.with_thumbnail(&[], &mut SeededRng::new(3)).err(), Some(EncryptError::OtherSize));
}
