//! SFrame: published vectors, replayed, forged, late and overlong frames, and the memory of an opener.

use bisik::call::{
    BaseKey, FrameOpener, FrameSealer, FrameSuite, InstallError, OpenError, Participant, SealError, SenderKey,
};

use super::fixtures::*;

/// P-9.8: the frames of RFC 9605, appendix C.3, through the public interface.
#[test]
fn sealer_and_opener_match_the_published_sframe_vectors() {
    let published: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/sframe/sframe-tv.json")).expect("the RFC's vectors");
    for vector in published["sframe"].as_array().unwrap() {
        let bytes = |name: &str| -> Vec<u8> {
            let digits = vector[name].as_str().unwrap();
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
        };
        let suite = SUITES.into_iter().find(|suite| vector["cipher_suite"] == suite.number()).unwrap();
        // Key id 0x123 is participant 0x12 in epoch 3.
        let key = || SenderKey::new(suite, Participant(0x12), 3, BaseKey::from_bytes(&bytes("base_key")).unwrap());
        assert_eq!((&vector["kid"], &vector["ctr"]), (&0x123.into(), &0x4567.into()));
        let (mut sealer, mut opener) = (FrameSealer::new(key()), FrameOpener::new());
        opener.install(key()).unwrap();
        let mut frame = Vec::new();
        let (metadata, plaintext) = (bytes("metadata"), bytes("pt"));
        for _ in 0..=0x4567 {
            frame.clear();
            sealer.seal(&metadata, &plaintext, &mut frame).unwrap();
        }
        assert_eq!(frame, bytes("ct"), "{suite:?}");
        let opened = opener.open(&metadata, &mut frame).unwrap();
        assert_eq!((opened.counter, &*opened.plaintext), (0x4567, plaintext.as_slice()));
    }
}

/// P-9.13
#[test]
fn a_frame_with_any_byte_changed_is_refused_and_changes_nothing() {
    for suite in SUITES {
        let (mut sealer, mut opener) = ends(suite);
        let frame = sealed(&mut sealer, b"20 ms of sound");
        for at in 0..frame.len() {
            for bit in 0..8 {
                let mut changed = frame.clone();
                changed[at] ^= 1 << bit;
                let before = changed.clone();
                let refused = opener.open(b"audio", &mut changed).unwrap_err();
                assert_eq!(changed, before, "a refused buffer is left as it was");
                let in_header = at < 2;
                assert!(in_header || refused == OpenError::Rejected, "{suite:?}, byte {at}: {refused}");
            }
        }
        for length in 0..frame.len() {
            assert!(opener.open(b"audio", &mut frame[..length].to_vec()).is_err(), "{suite:?}, cut to {length}");
        }
        assert_eq!(opener.open(b"video", &mut frame.clone()).unwrap_err(), OpenError::Rejected);
        assert_eq!(opener.open(b"audio", &mut frame.clone()).unwrap().plaintext, b"20 ms of sound");
        assert_eq!(opener.open(b"audio", &mut frame.clone()).unwrap_err(), OpenError::Replayed);
    }
}

/// P-9.13: a forged counter must not push genuine frames out of the window.
#[test]
fn forged_frames_do_not_move_the_replay_window() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let first = sealed(&mut sealer, b"first");
    // One byte of key id, eight of the counter.
    let mut ahead = [&[0x8f, 0x30][..], &u64::MAX.to_be_bytes(), &first[2..]].concat();
    assert_eq!(opener.open(b"audio", &mut ahead).unwrap_err(), OpenError::Rejected);
    assert!(opener.open(b"audio", &mut first.clone()).is_ok());
}

#[test]
fn an_unknown_key_id_is_distinguished_from_a_forged_frame() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let mut frame = sealed(&mut sealer, b"sound");
    for mut other in [FrameOpener::new(), FrameOpener::default()] {
        assert_eq!(other.open(b"audio", &mut frame).unwrap_err(), OpenError::UnknownKey);
    }
    // No participant has a number that long.
    let mut beyond = [&[0xa0, 0x10, 0, 0][..], &[0; 16]].concat();
    assert_eq!(opener.open(b"audio", &mut beyond).unwrap_err(), OpenError::UnknownKey);
    opener.remove(Participant(3));
    assert_eq!(opener.open(b"audio", &mut frame).unwrap_err(), OpenError::UnknownKey);
}

#[test]
fn overlong_frames_are_refused_by_sealer_and_opener() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let long = [7; FrameSealer::MAX_METADATA + 1];
    let mut output = vec![1, 2, 3];
    assert_eq!(sealer.seal(&long, b"", &mut output), Err(SealError::TooLong));
    let plaintext = vec![0; FrameSealer::MAX_PLAINTEXT + 1];
    assert_eq!(sealer.seal(b"", &plaintext, &mut output), Err(SealError::TooLong));
    assert_eq!(output, [1, 2, 3]);
    sealer.seal(&long[1..], b"sound", &mut output).unwrap();
    let frame = &mut output[3..];
    assert_eq!(opener.open(&long, frame).unwrap_err(), OpenError::Rejected);
    let opened = opener.open(&long[1..], frame).unwrap();
    assert_eq!((opened.counter, &*opened.plaintext), (0, b"sound".as_slice()));
    for length in [15, 65] {
        assert!(BaseKey::from_bytes(&long[..length]).is_err());
    }
}

#[test]
fn sealing_and_opening_in_existing_buffers_allocates_nothing() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let (plaintext, mut frame) = ([7; 1200], Vec::with_capacity(1300));
    let allocations = allocation_counter::measure(|| {
        for _ in 0..100 {
            frame.clear();
            sealer.seal(b"audio", &plaintext, &mut frame).unwrap();
            assert!(opener.open(b"audio", &mut frame).is_ok());
        }
    });
    assert_eq!(allocations.count_total, 0);
}

/// P-9.14
#[test]
fn late_frames_of_older_epochs_open_until_their_key_is_dropped() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let mut late: Vec<_> = (0..600).map(|_| sealed(&mut sealer, b"late")).collect();
    opener.install(key(FrameSuite::default(), 3, 1)).unwrap();
    for (index, frame) in late.iter_mut().enumerate() {
        let opened = opener.open(b"audio", frame).map(|opened| opened.epoch);
        assert_eq!(opened, if index < 512 { Ok(0) } else { Err(OpenError::UnknownKey) }, "frame {index}");
    }
    assert_eq!(opener.keys(), 1);
}

/// P-9.10, P-9.14
#[test]
fn memory_of_a_frame_opener_is_bounded() {
    let suite = FrameSuite::default();
    let mut opener = FrameOpener::new();
    for epoch in 0..40 {
        opener.install(key(suite, 0, epoch)).unwrap();
        assert_eq!(opener.keys(), usize::try_from(epoch + 1).unwrap().min(3));
        assert_eq!(opener.install(key(suite, 0, epoch)), Err(InstallError::Stale));
    }
    // Sixteen epochs after the newest, the key id is the same: that key is dropped, and the two older ones stay.
    let mut late = [39, 38, 37].map(|epoch| sealed(&mut FrameSealer::new(key(suite, 0, epoch)), b"late"));
    opener.install(key(suite, 0, 55)).unwrap();
    let opened = late.each_mut().map(|frame| opener.open(b"audio", frame).map(|opened| opened.epoch));
    assert_eq!(opened.map(Result::ok), [None, Some(38), Some(37)]);
    opener.forget_older();
    assert_eq!(opener.keys(), 1);
    for participant in 1..256 {
        opener.install(key(suite, participant, 0)).unwrap();
    }
    assert_eq!(opener.install(key(suite, 256, 0)), Err(InstallError::Full));
    assert_eq!(opener.install(key(suite, 255, 1)), Ok(()));
}

/// P-9.13
#[test]
fn a_frame_1024_behind_the_newest_is_too_late() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let mut frames: Vec<_> = (0..1025).map(|_| sealed(&mut sealer, b"")).collect();
    assert!(opener.open(b"audio", &mut frames[1024]).is_ok());
    assert_eq!(opener.open(b"audio", &mut frames[0]).unwrap_err(), OpenError::TooLate);
    assert!(opener.open(b"audio", &mut frames[1]).is_ok());
}

/// P-9.9: longer encodings of the same header, with a tag that is valid for the short one.
#[test]
fn a_frame_with_a_non_minimal_header_is_malformed() {
    let (mut sealer, mut opener) = ends(FrameSuite::default());
    let frame = sealed(&mut sealer, b"sound");
    assert_eq!(frame[..2], [0x80, 0x30]);
    for header in [&[0x90, 0, 0x30][..], &[0x88, 0x30, 0]] {
        let mut longer = [header, &frame[2..]].concat();
        assert_eq!(opener.open(b"audio", &mut longer).unwrap_err(), OpenError::Malformed);
    }
}
