//! Frames of the crate `sframe`, another implementation of RFC 9605, with ring's AES-GCM.

use bisik::call::{BaseKey, FrameOpener, FrameSealer, FrameSuite, Participant, SenderKey};
use sframe::CipherSuite;
use sframe::frame::validation::{ReplayAttackProtection, Tolerance};
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::key::{DecryptionKey, EncryptionKey};

const SUITES: [(FrameSuite, CipherSuite); 2] =
    [(FrameSuite::Aes128Gcm, CipherSuite::AesGcm128Sha256), (FrameSuite::Aes256Gcm, CipherSuite::AesGcm256Sha512)];

/// Participants with short and long key ids, and the key id of each (section 9.4).
const SENDERS: [(u16, u64, u64); 4] = [(0, 2, 2), (3, 1, 0x31), (40, 17, 0x281), (u16::MAX, 15, 0xFFFFF)];

/// Both seal the same bytes, and open what the other sealed: long key ids and counters, metadata, every length around
/// the blocks of the ciphers.
#[test]
fn frames_are_those_of_another_implementation_and_each_opens_the_others() {
    let lengths = (0..40).chain([255, 256, 257, 1200, 1535, 1536, 1537, 5000]);
    for ((ours, theirs), (participant, epoch, key_id)) in SUITES.into_iter().flat_map(|s| SENDERS.map(|p| (s, p))) {
        let base = [7 + u8::try_from(epoch).unwrap(); 32];
        let key = || SenderKey::new(ours, Participant(participant), epoch, BaseKey::from_bytes(&base).unwrap());
        let (mut sealer, mut opener) = (FrameSealer::new(key()), FrameOpener::new());
        opener.install(key()).unwrap();
        let sealing = EncryptionKey::derive_from(theirs, key_id, base).unwrap();
        let opening = DecryptionKey::derive_from(theirs, key_id, base).unwrap();
        let mut received = ReplayAttackProtection::new(key_id, Tolerance::new(1024));
        let mut counter = MonotonicCounter::default();
        for length in lengths.clone() {
            let plaintext: Vec<_> = (0..length).map(|at: usize| at.to_le_bytes()[0]).collect();
            let metadata = &plaintext[..length.min(100)];
            let mut frame = Vec::new();
            sealer.seal(metadata, &plaintext, &mut frame).unwrap();

            let (mut buffer, mut opened) = (Vec::new(), Vec::new());
            let media = MediaFrameView::try_with_meta_data(&mut counter, &plaintext, metadata).unwrap();
            media.encrypt_into(&sealing, &mut buffer).unwrap();
            // Theirs puts the metadata, which is not sent here, in front.
            assert_eq!(buffer.strip_prefix(metadata), Some(frame.as_slice()), "{ours:?}, {length} bytes");

            let view = EncryptedFrameView::try_with_meta_data(&frame, metadata).unwrap();
            let media = view.validated_decrypt_into(&opening, &mut opened, &mut received).unwrap();
            assert_eq!(media.payload(), plaintext);

            let decrypted = opener.open(metadata, &mut frame).unwrap();
            assert_eq!((decrypted.epoch, &*decrypted.plaintext), (epoch, plaintext.as_slice()));
        }
    }
}

/// A frame that one of them refuses as forged, the other refuses too.
#[test]
fn a_frame_with_any_bit_changed_is_refused_by_both() {
    for (ours, theirs) in SUITES {
        let key = || SenderKey::new(ours, Participant(3), 1, BaseKey::from_bytes(&[7; 32]).unwrap());
        let (mut sealer, mut opener) = (FrameSealer::new(key()), FrameOpener::new());
        opener.install(key()).unwrap();
        let opening = DecryptionKey::derive_from(theirs, 0x31_u64, [7; 32]).unwrap();
        let mut frame = Vec::new();
        sealer.seal(b"", &[9; 300], &mut frame).unwrap();
        for place in 0..frame.len() {
            let mut forged = frame.clone();
            forged[place] ^= 1;
            let before = forged.clone();
            assert!(opener.open(b"", &mut forged).is_err(), "{place}");
            assert_eq!(forged, before, "{place}");
            let theirs = EncryptedFrameView::try_new(&forged).is_ok_and(|view| view.decrypt(&opening).is_ok());
            assert!(!theirs, "{place}");
        }
        assert!(opener.open(b"", &mut frame).is_ok());
    }
}
