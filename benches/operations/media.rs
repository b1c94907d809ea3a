//! Operations of attachments and calls.

use std::hint::black_box;

use bisik::call::{BaseKey, FrameOpener, FrameSealer, FrameSuite, Participant, SenderKey};
use bisik::media::{self, HEADER, MediaType, Pointer, RandomAccess};

use super::{Row, case};

const MIB: usize = 1 << 20;
/// Bytes in a packet of video.
const FRAME: usize = 1_200;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        (
            "encrypt an attachment of 1 MiB",
            case(|| vec![7; MIB], |file| drop(media::encrypt(MediaType::unknown(), file, &mut rand::rng()).unwrap())),
        ),
        ("decrypt an attachment of 1 MiB", case(attachment, |(blob, pointer)| drop(pointer.decrypt(blob).unwrap()))),
        ("decrypt 64 KiB in the middle of it", case(attachment, |(blob, pointer)| part(blob, pointer))),
        (
            "seal a call frame of 1,200 B",
            case(frames, |(sealer, _, plaintext, frame)| {
                frame.clear();
                sealer.seal(b"", plaintext, frame).unwrap();
            }),
        ),
        (
            "open a call frame of 1,200 B",
            case(frames, |(_, opener, _, frame)| {
                _ = black_box(opener.open(b"", frame).unwrap());
            }),
        ),
    ]
}

fn attachment() -> (Vec<u8>, Pointer) {
    media::encrypt(MediaType::unknown(), &vec![7; MIB], &mut rand::rng()).unwrap()
}

fn part(blob: &[u8], pointer: &Pointer) {
    let access = RandomAccess::new(pointer, blob.first_chunk::<HEADER>().unwrap()).unwrap();
    let plan = access.plan(5 << 16..6 << 16);
    let wanted = plan.ciphertext();
    let mut part = Vec::new();
    access.decrypt(&plan, &blob[wanted.start as usize..wanted.end as usize], &mut part).unwrap();
    assert_eq!(part.len(), 1 << 16);
}

/// The two ends of a sender's key, a plaintext, and a frame that was not opened.
fn frames() -> (FrameSealer, FrameOpener, Vec<u8>, Vec<u8>) {
    let base = || BaseKey::from_bytes(&[7; 32]).unwrap();
    let key = || SenderKey::new(FrameSuite::Aes256Gcm, Participant(3), 1, base());
    let (mut sealer, mut opener) = (FrameSealer::new(key()), FrameOpener::new());
    opener.install(key()).unwrap();
    let (plaintext, mut frame) = (vec![7; FRAME], Vec::with_capacity(2 * FRAME));
    sealer.seal(b"", &plaintext, &mut frame).unwrap();
    (sealer, opener, plaintext, frame)
}
