//! Records of uploads still open, and continue to the same pointer.

use bisik::media::{CHUNK, Encryptor, MediaType, Pointer};

use super::state_golden::{Golden, golden, key, nonce};

/// Names of the records, and how many chunks each has behind it.
const RECORDS: [(&str, usize); 3] = [("upload-begun", 0), ("upload", 2), ("upload-ended", 4)];

fn file() -> Vec<u8> {
    (0..200_000_u32).flat_map(|at| [at.to_be_bytes()[2] ^ at.to_be_bytes()[3]]).collect()
}

/// The rest of the blob, and the pointer.
fn rest(upload: &mut Encryptor) -> (Vec<u8>, Pointer) {
    let mut blob = Vec::new();
    let from = usize::try_from(upload.file_position()).unwrap();
    upload.push(&file()[from..], &mut blob).unwrap();
    loop {
        if let Some(pointer) = upload.finish(&mut blob).unwrap() {
            return (blob, pointer);
        }
    }
}

/// P-6.4, P-8.9: an upload of format 1 before its first chunk, in between, and after its last one.
#[test]
fn golden_uploads_open_continue_to_the_same_pointer_and_reseal_to_the_same_bytes() {
    let (pointer, mut blobs) = (Pointer::from_bytes(&golden("upload-pointer")).unwrap(), Vec::new());
    for (name, chunks) in RECORDS {
        let mut upload = Encryptor::unseal(&key(), b"upload", &golden(name)).unwrap();
        assert_eq!(upload.seal(&key(), b"upload", &mut nonce()), golden(name));
        assert_eq!(upload.file_position(), (chunks * CHUNK).min(file().len()) as u64);
        let (blob, again) = rest(&mut upload);
        assert_eq!(again.to_bytes(), golden("upload-pointer"), "{name}");
        blobs.push(blob);
    }
    assert!(blobs.iter().all(|blob| blobs[0].ends_with(blob)));
    assert_eq!(pointer.decrypt(&blobs[0]).unwrap(), file());
}

pub(super) fn write(golden: &Golden) {
    let photo = MediaType::new("image/jpeg").unwrap();
    let mut upload = Encryptor::new(photo, file().len() as u64, &mut rand::rng()).unwrap();
    for (name, chunks) in &RECORDS[..2] {
        let taken = usize::try_from(upload.file_position()).unwrap();
        upload.push(&file()[taken..chunks * CHUNK], &mut Vec::new()).unwrap();
        golden.write(name, &upload.seal(&key(), b"upload", &mut nonce()));
    }
    let (_, pointer) = rest(&mut upload);
    golden.write(RECORDS[2].0, &upload.seal(&key(), b"upload", &mut nonce()));
    golden.write("upload-pointer", &pointer.to_bytes());
}
