//! Frame counters: reserved before use and stored first, so that a restored sealer repeats no counter.

use std::collections::BTreeSet;

use bisik::call::{FrameSealer, FrameSuite, OpenError, SealError};
use bisik::{StorageKey, UnsealError};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::fixtures::*;

const STORAGE: [u8; 32] = [7; 32];

fn reserve(sealer: &mut FrameSealer, count: u32, rng: &mut StdRng) -> Result<Vec<u8>, SealError> {
    let mut held = sealer.reserve(count, rng)?;
    let record = held.seal(&StorageKey::from_bytes(STORAGE), b"call", rng).unwrap();
    let bytes = record.as_bytes().to_vec();
    held.release(&record.stored()).unwrap();
    Ok(bytes)
}

fn unseal(record: &[u8]) -> FrameSealer {
    FrameSealer::unseal(&StorageKey::from_bytes(STORAGE), b"call", record).unwrap()
}

/// P-9.11
#[test]
fn frame_counters_are_usable_only_after_they_are_stored() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut sealer = FrameSealer::new(key(FrameSuite::default(), 0, 0));
    sealed(&mut sealer, b"in memory");
    let mut dropped = sealer.reserve(5, rng).unwrap();
    let of_dropped = dropped.seal(&StorageKey::from_bytes(STORAGE), b"call", rng).unwrap().stored();
    drop(dropped);
    let mut output = Vec::new();
    assert_eq!(sealer.seal(b"", b"", &mut output), Err(SealError::NotReserved));
    assert!(output.is_empty());
    let unsealed = sealer.reserve(5, rng).unwrap();
    let mut unsealed = unsealed.release(&of_dropped).expect_err("no record of these counters was sealed");
    drop(unsealed.seal(&StorageKey::from_bytes(STORAGE), b"call", rng));
    drop(unsealed.release(&of_dropped).expect_err("the record of other counters was stored"));
    assert_eq!(sealer.seal(b"", b"", &mut output), Err(SealError::NotReserved));
    let record = reserve(&mut sealer, 2, rng).unwrap();
    assert_eq!(sealer.remaining(), 2);
    sealed(&mut sealer, b"one");
    sealed(&mut sealer, b"two");
    assert_eq!(sealer.seal(b"", b"", &mut output), Err(SealError::NotReserved));
    assert_eq!(unseal(&record).seal(b"", b"", &mut output), Err(SealError::NotReserved));
}

/// A record under a key that nobody keeps cannot be opened, so that it releases no counters.
#[test]
fn counters_are_recorded_under_one_key_until_the_caller_moves_the_sealer() {
    let rng = &mut StdRng::seed_from_u64(2);
    let (storage_key, other) = (StorageKey::from_bytes(STORAGE), StorageKey::from_bytes([8; 32]));
    let mut sealer = FrameSealer::new(key(FrameSuite::default(), 0, 0));
    let record = reserve(&mut sealer, 5, rng).unwrap();
    for mut sealer in [sealer, unseal(&record)] {
        let mut held = sealer.reserve(5, rng).unwrap();
        assert_eq!(held.seal(&other, b"call", rng).unwrap_err(), bisik::SealError::WrongKey);
        let record = held.seal(&storage_key, b"call", rng).unwrap();
        held.release(&record.stored()).unwrap();
        sealer.move_to_key(&other);
        let mut held = sealer.reserve(5, rng).unwrap();
        assert_eq!(held.seal(&storage_key, b"call", rng).unwrap_err(), bisik::SealError::WrongKey);
        assert!(held.seal(&other, b"call", rng).is_ok());
    }
}

/// The store takes a record only over a lower revision.
#[test]
fn the_record_after_dropped_counters_has_a_higher_revision() {
    let (rng, storage_key) = (&mut StdRng::seed_from_u64(1), StorageKey::from_bytes(STORAGE));
    let mut sealer = FrameSealer::new(key(FrameSuite::default(), 0, 0));
    let mut revision = 0;
    for restored in [false, true] {
        for (count, released) in [(10, true), (5_000, false), (100, true), (7, false), (1, true)] {
            let mut held = sealer.reserve(count, rng).unwrap();
            let record = held.seal(&storage_key, b"call", rng).unwrap();
            assert!(record.revision() > revision, "{count} counters, restored: {restored}");
            revision = record.revision();
            if released {
                held.release(&record.stored()).unwrap();
                sealed(&mut sealer, b"one");
            }
        }
        assert_eq!(sealer.remaining(), 0, "only those of the newest record");
        sealer = unseal(&reserve(&mut sealer, 3, rng).unwrap());
        // What is dropped right after a restart counts too.
        let mut held = sealer.reserve(9, rng).unwrap();
        let first = held.seal(&storage_key, b"call", rng).unwrap().revision();
        assert!(first > revision, "restored: {restored}");
        revision = first;
    }
}

/// A program restored from a snapshot may have a generator that repeats itself: two sealers then have equal records.
#[test]
fn the_record_of_another_sealer_releases_no_counters() {
    let storage_key = StorageKey::from_bytes(STORAGE);
    let [mut first, mut second] = [(); 2].map(|()| FrameSealer::new(key(FrameSuite::default(), 0, 0)));
    let rng = || StdRng::seed_from_u64(1);
    let mut held = first.reserve(5, &mut rng()).unwrap();
    let mut of_other = second.reserve(5, &mut rng()).unwrap();
    let record = held.seal(&storage_key, b"call", &mut rng()).unwrap();
    let twin = of_other.seal(&storage_key, b"call", &mut rng()).unwrap();
    assert_eq!(record.as_bytes(), twin.as_bytes());
    let held = held.release(&twin.stored()).expect_err("the record of another sealer");
    held.release(&record.stored()).expect("stored just now");
    assert_eq!(first.remaining(), 5);
}

#[test]
fn a_changed_counter_record_does_not_open() {
    let rng = &mut StdRng::seed_from_u64(1);
    let record = reserve(&mut FrameSealer::new(key(FrameSuite::default(), 5, 2)), 9, rng).unwrap();
    assert!(record.len() < 200);
    let storage_key = StorageKey::from_bytes(STORAGE);
    let open = |record: &[u8], context: &[u8]| FrameSealer::unseal(&storage_key, context, record).map(drop);
    for at in 0..record.len() {
        let mut changed = record.clone();
        changed[at] ^= 1;
        let expected = if at == 0 { UnsealError::UnknownVersion } else { UnsealError::Rejected };
        assert_eq!(open(&changed, b"call"), Err(expected), "byte {at}");
    }
    assert_eq!(open(&record, b"another call"), Err(UnsealError::Rejected));
    assert_eq!(open(&record, b"call"), Ok(()));
}

/// P-9.12: 56 bits per restart suffice for some hundred restarts; after that a new epoch is needed.
#[test]
fn a_sender_key_restored_too_often_runs_out_of_counters() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut record = reserve(&mut FrameSealer::new(key(FrameSuite::default(), 0, 0)), 1, rng).unwrap();
    for restarts in 0..1_000 {
        match reserve(&mut unseal(&record), 1, rng) {
            Ok(next) => record = next,
            Err(error) => {
                assert_eq!(error, SealError::Exhausted);
                assert!(restarts > 400, "2^56 counters each at most, half of that as a rule: {restarts}");
                return;
            }
        }
    }
    panic!("counters never run out");
}

/// An event for a sealer and its database.
#[derive(Clone, Debug)]
enum Fate {
    Seal(u8),
    Reserve(u8),
    /// The record was written, and the program crashed before it learned of that.
    ReserveThenCrash(u8),
    /// The record was written, and the counters were dropped.
    ReserveThenDrop(u8),
    /// The program crashed before anything was written.
    Crash,
    /// The database is restored from a backup.
    Restore(u8),
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => any::<u8>().prop_map(Fate::Seal),
        3 => any::<u8>().prop_map(Fate::Reserve),
        1 => any::<u8>().prop_map(Fate::ReserveThenCrash),
        1 => any::<u8>().prop_map(Fate::ReserveThenDrop),
        1 => Just(Fate::Crash),
        1 => any::<u8>().prop_map(Fate::Restore),
    ];
    proptest::collection::vec(fate, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// P-9.11, P-9.12
    #[test]
    fn no_frame_counter_is_reused_after_any_restore(fates in fates(), seed: u64) {
        let (rng, suite) = (&mut StdRng::seed_from_u64(seed), FrameSuite::default());
        let mut sealer = FrameSealer::new(key(suite, 0, 0));
        let mut records = vec![reserve(&mut sealer, 1, rng).unwrap()];
        let mut used = BTreeSet::new();
        for fate in fates {
            match fate {
                Fate::Seal(count) => {
                    let mut frame = Vec::new();
                    for _ in 0..count {
                        frame.clear();
                        if sealer.seal(b"", b"", &mut frame).is_err() {
                            break;
                        }
                        // With key id 0 and an empty plaintext, the bytes before the tag encode the counter.
                        let header = frame[..frame.len() - 16].to_vec();
                        prop_assert!(used.insert(header), "a counter is used twice");
                    }
                }
                Fate::Reserve(count) => records.push(reserve(&mut sealer, count.into(), rng).unwrap()),
                Fate::ReserveThenCrash(count) => {
                    let storage_key = StorageKey::from_bytes(STORAGE);
                    let mut held = sealer.reserve(count.into(), rng).unwrap();
                    records.push(held.seal(&storage_key, b"call", rng).unwrap().into_bytes());
                    sealer = unseal(records.last().unwrap());
                }
                Fate::ReserveThenDrop(count) => {
                    let mut held = sealer.reserve(count.into(), rng).unwrap();
                    records.push(held.seal(&StorageKey::from_bytes(STORAGE), b"call", rng).unwrap().into_bytes());
                }
                Fate::Crash => sealer = unseal(records.last().unwrap()),
                Fate::Restore(age) => {
                    records.truncate(usize::from(age) % records.len() + 1);
                    sealer = unseal(records.last().unwrap());
                }
            }
        }
    }

    /// P-9.13: with frames lost, duplicated and reordered, each opens once.
    #[test]
    fn frames_open_exactly_once_out_of_order(order in proptest::collection::vec(0..200_usize, 1..400)) {
        let (mut sealer, mut opener) = ends(FrameSuite::Aes128Gcm);
        let frames: Vec<_> = (0..200_u8).map(|number| sealed(&mut sealer, &[number])).collect();
        let mut opened = BTreeSet::new();
        for number in order {
            let mut frame = frames[number].clone();
            let outcome = opener.open(b"audio", &mut frame).map(|opened| usize::from(opened.plaintext[0]));
            prop_assert_eq!(outcome, if opened.insert(number) { Ok(number) } else { Err(OpenError::Replayed) });
        }
    }
}
