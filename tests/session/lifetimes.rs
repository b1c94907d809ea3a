//! Lifetimes of pre-keys (docs/spec/session.md, section 2.4): when they are replaced, when they are deleted, and how long
//! a bundle works.

use bisik::{
    AcceptError, BundleError, BundleId, Ciphertext, Identity, InitiateError, PreKeyBundle, PreKeys, PreKeysError,
    Rotation, Session, StorageKey, Timestamp, Trust,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

const DAY: u64 = 24 * 60 * 60;
const HOUR: u64 = 60 * 60;
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

struct Setting {
    rng: StdRng,
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
}

fn setting(seed: u64) -> Setting {
    let mut rng = StdRng::seed_from_u64(seed);
    let (alice, bob) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
    let keys = PreKeys::generate(&bob, NOW, &mut rng);
    Setting { rng, alice, bob, keys }
}

impl Setting {
    fn bundle(&mut self, one_time: bool) -> PreKeyBundle {
        if one_time { self.keys.replenish(&self.bob, 1, &mut self.rng).unwrap().remove(0) } else { self.keys.bundle() }
    }

    /// A first message to a new bundle, written at a time.
    fn hello(&mut self, one_time: bool, at: Timestamp) -> Ciphertext {
        let bundle = self.bundle(one_time).verify(Trust::OnFirstUse, at).unwrap();
        self.write(&bundle, at)
    }

    fn write(&mut self, bundle: &bisik::VerifiedBundle, at: Timestamp) -> Ciphertext {
        let mut session = Session::initiate(&self.alice, bundle, at, &mut self.rng).unwrap();
        session.encrypt(b"halo", &mut self.rng).unwrap()
    }

    fn rotate(&mut self, now: Timestamp) -> Rotation {
        self.keys.rotate(&self.bob, now, &mut self.rng).unwrap()
    }

    fn accept(&self, message: &Ciphertext, now: Timestamp) -> Result<(), AcceptError> {
        Session::accept(&self.bob, &self.keys, message, Trust::Pinned(self.alice.public()), now).map(drop)
    }

    fn record(&self) -> Vec<u8> {
        self.keys.seal(&storage_key(), b"", &mut StdRng::seed_from_u64(0))
    }

    fn reload(&mut self) {
        let record = self.record();
        self.keys = PreKeys::unseal(&storage_key(), b"", &record).unwrap();
        assert!(self.record() == record, "a sealed state opens unchanged");
    }
}

fn storage_key() -> StorageKey {
    StorageKey::from_bytes([7; 32])
}

fn at(seconds: u64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

/// P-2.7
#[test]
fn pre_keys_are_replaced_after_four_days() {
    let mut setting = setting(1);
    let bundle = setting.keys.bundle();
    assert_eq!(setting.rotate(at(4 * DAY - 1)), Rotation::Nothing);
    assert!(setting.keys.bundle() == bundle, "nothing was due");
    assert_eq!(setting.rotate(at(4 * DAY)), Rotation::Everything);
    assert!(setting.keys.bundle() != bundle);
    assert_eq!(setting.keys.bundle().expires(), at(34 * DAY));
    assert_eq!(setting.rotate(at(4 * DAY)), Rotation::Nothing, "not twice");
}

/// P-2.8: one day for a sender to use what it has fetched, two for the message to arrive.
#[test]
fn a_message_to_replaced_pre_keys_is_accepted_for_three_days() {
    for one_time in [true, false] {
        let mut setting = setting(2);
        let hello = setting.hello(one_time, NOW);
        assert_eq!(setting.rotate(at(4 * DAY)), Rotation::Everything);
        assert_eq!(setting.rotate(at(7 * DAY - 1)), Rotation::Nothing);
        setting.reload();
        assert_eq!(setting.accept(&hello, at(7 * DAY - 1)), Ok(()));
        assert_eq!(setting.rotate(at(7 * DAY)), Rotation::Nothing);
        assert_eq!(setting.accept(&hello, at(7 * DAY)), Err(AcceptError::UnknownPreKey));
    }
}

/// P-2.8: what is not in the record cannot be stolen from it. The record holds a secret pair whose public half the
/// bundle shows.
#[test]
fn the_record_holds_no_pre_key_three_days_after_its_successor() {
    let mut setting = setting(3);
    let bundles: Vec<_> = [true, false].map(|one_time| setting.bundle(one_time).to_bytes()).into();
    let holds = |setting: &Setting, key: &[u8]| {
        // Every pair is stored with its public half, in clear under the storage key.
        let record = plain(&setting.record());
        record.windows(32).any(|window| window == key)
    };
    let keys = |bundle: &Vec<u8>| bundle[88..120].to_vec();
    let one_time = bundles[0][1_310..1_342].to_vec();
    assert!(holds(&setting, &keys(&bundles[1])) && holds(&setting, &one_time));
    let _ = setting.rotate(at(4 * DAY));
    assert!(holds(&setting, &keys(&bundles[1])) && holds(&setting, &one_time));
    let revision = setting.keys.revision();
    assert_eq!(setting.rotate(at(7 * DAY)), Rotation::Nothing);
    assert!(setting.keys.revision() > revision, "the record must be stored again");
    assert!(!holds(&setting, &keys(&bundles[1])) && !holds(&setting, &one_time));
    assert!(!holds(&setting, &keys(&bundles[0])));
}

/// The state that a record holds.
fn plain(record: &[u8]) -> Vec<u8> {
    use bisik_core::codec::{Malformed, Reader};
    use bisik_core::storage::{self, RecordKind};
    const PRE_KEYS: RecordKind = RecordKind::new(2);
    let read = |reader: &mut Reader<'_>| -> Result<Vec<u8>, Malformed> {
        let mut state = Vec::new();
        while let Ok(byte) = reader.u8() {
            state.push(byte);
        }
        Ok(state)
    };
    storage::open(&storage_key(), PRE_KEYS, b"", record, read).unwrap()
}

/// A device that was off for 30 days still reads what was written to it, if it decrypts before it rotates, or within the
/// three days after.
#[test]
fn a_device_that_was_away_for_thirty_days_is_still_written_to() {
    for one_time in [true, false] {
        let mut setting = setting(4);
        let late = at(30 * DAY - 1);
        let hello = setting.hello(one_time, late);
        assert_eq!(setting.accept(&hello, at(30 * DAY)), Ok(()));
        assert_eq!(setting.rotate(at(30 * DAY)), Rotation::Everything);
        assert_eq!(setting.accept(&hello, at(33 * DAY - 1)), Ok(()));
        assert_eq!(setting.keys.count(at(30 * DAY)).one_time, 0, "no peer can use the old pairs any more");
        let _ = setting.rotate(at(33 * DAY));
        assert_eq!(setting.accept(&hello, at(33 * DAY)), Err(AcceptError::UnknownPreKey));
    }
}

/// P-2.8: a program that never rotates does not answer for ever, and its expired bundles are gone for peers before.
#[test]
fn pre_keys_that_nobody_replaces_end_after_33_days() {
    for one_time in [true, false] {
        let mut setting = setting(5);
        let hello = setting.hello(one_time, NOW);
        let bundle = setting.bundle(one_time);
        assert_eq!(bundle.clone().verify(Trust::OnFirstUse, at(30 * DAY)).unwrap_err(), BundleError::Expired);
        assert_eq!(setting.keys.count(at(30 * DAY)).one_time, 0);
        assert_eq!(setting.accept(&hello, at(33 * DAY - 1)), Ok(()));
        assert_eq!(setting.accept(&hello, at(33 * DAY)), Err(AcceptError::UnknownPreKey));
        // With the current generation replaced only now, its secrets go at once.
        assert_eq!(setting.rotate(at(33 * DAY)), Rotation::Everything);
        assert!(!setting.keys.knows(bundle.id()));
    }
}

/// P-2.5
#[test]
fn a_bundle_is_not_used_a_day_after_it_was_verified_nor_after_it_has_expired() {
    let mut setting = setting(6);
    let bundle = setting.bundle(true);
    let verified = bundle.clone().verify(Trust::OnFirstUse, NOW).unwrap();
    let Setting { alice, rng, .. } = &mut setting;
    let mut used = |bundle, now| Session::initiate(alice, bundle, now, rng).map(drop);
    assert_eq!(used(&verified, at(DAY)), Ok(()));
    assert_eq!(used(&verified, at(DAY + 1)), Err(InitiateError::BundleExpired));
    let back = Timestamp::from_unix_seconds(NOW.as_unix_seconds() - DAY - 1);
    assert_eq!(used(&verified, back), Err(InitiateError::ClockWentBack));
    let late = bundle.verify(Trust::OnFirstUse, at(30 * DAY - 1)).unwrap();
    assert_eq!(used(&late, at(30 * DAY)), Err(InitiateError::BundleExpired));
}

/// P-2.7
#[test]
fn pre_keys_dated_in_the_future_are_replaced_at_once() {
    let mut setting = setting(7);
    let dated = |setting: &mut Setting, ahead| {
        setting.keys = PreKeys::generate(&setting.bob, at(ahead), &mut setting.rng);
    };
    dated(&mut setting, 400 * DAY);
    assert_eq!(setting.keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap_err(), BundleError::NotYetValid);
    assert_eq!(setting.rotate(NOW), Rotation::Everything);
    assert!(setting.keys.bundle().verify(Trust::OnFirstUse, NOW).is_ok());
    // One day of clock difference is tolerated.
    dated(&mut setting, DAY);
    assert_eq!(setting.rotate(NOW), Rotation::Nothing);
    dated(&mut setting, DAY + 1);
    assert_eq!(setting.rotate(NOW), Rotation::Everything);
}

/// P-2.8: a clock that was ahead when pre-keys were replaced does not keep their secrets for longer.
#[test]
fn a_clock_that_was_ahead_keeps_no_secret_for_longer() {
    let mut setting = setting(8);
    let first = setting.keys.bundle().id();
    assert_eq!(setting.rotate(at(20 * DAY)), Rotation::Everything, "the clock is 20 days ahead");
    assert_eq!(setting.rotate(NOW), Rotation::Everything, "and is set right");
    assert!(setting.keys.knows(first));
    assert_eq!(setting.rotate(at(3 * DAY)), Rotation::Nothing);
    assert!(!setting.keys.knows(first));
    assert_eq!(setting.keys.ids().len(), 1, "that of the wrong clock has gone too");
}

/// P-2.8
#[test]
fn at_most_sixteen_replaced_generations_are_kept() {
    let mut setting = setting(9);
    let mut now = NOW;
    let mut ids = vec![setting.keys.bundle().id()];
    // A clock that goes backwards: at each call the generation is dated two days in the future.
    for _ in 0..18 {
        now = Timestamp::from_unix_seconds(now.as_unix_seconds() - 2 * DAY);
        assert_eq!(setting.rotate(now), Rotation::Everything);
        ids.push(setting.keys.bundle().id());
    }
    let known: Vec<_> = ids.iter().map(|id| setting.keys.knows(*id)).collect();
    assert!(known.is_sorted(), "the oldest have gone");
    assert_eq!(known.iter().filter(|known| **known).count(), 16 + 1, "sixteen, and the current one");
    assert_eq!(setting.keys.ids().len(), 16 + 1);
}

/// P-2.7, P-3.8: where strangers find no room, the last-resort bundle is replaced after six hours, and one-time bundles
/// stay until their generation is four days old.
#[test]
fn a_full_memory_replaces_the_last_resort_bundle_only_and_at_most_every_six_hours() {
    let mut setting = setting(10);
    let one_time = setting.bundle(true);
    let hello = setting.hello(true, NOW);
    fill(&mut setting, NOW);
    assert_eq!(setting.rotate(at(6 * HOUR - 1)), Rotation::Nothing);
    let old = setting.keys.bundle();
    assert_eq!(setting.rotate(at(6 * HOUR)), Rotation::LastResort);
    assert!(setting.keys.bundle() != old);
    setting.reload();
    // The one-time bundles are still handed out, and answered for as long as any others.
    assert_eq!(setting.keys.count(at(6 * HOUR)).one_time, 2);
    assert!(setting.keys.one_time_bundles(at(4 * DAY - 1)).contains(&one_time));
    assert_eq!(setting.keys.count(at(4 * DAY)).one_time, 0);
    assert_eq!(setting.rotate(at(4 * DAY)), Rotation::Nothing, "the new generation is not four days old");
    assert_eq!(setting.rotate(at(7 * DAY - 1)), Rotation::Everything);
    assert_eq!(setting.accept(&hello, at(7 * DAY - 1)), Ok(()));
    let _ = setting.rotate(at(7 * DAY));
    assert_eq!(setting.accept(&hello, at(7 * DAY)), Err(AcceptError::UnknownPreKey));
}

/// 48 strangers set up 16 sessions each.
fn fill(setting: &mut Setting, now: Timestamp) {
    let bundle = setting.keys.bundle().verify(Trust::OnFirstUse, now).unwrap();
    for _ in 0..48 {
        let stranger = Identity::generate(&mut setting.rng);
        for _ in 0..16 {
            let mut session = Session::initiate(&stranger, &bundle, now, &mut setting.rng).unwrap();
            let hello = session.encrypt(b"", &mut setting.rng).unwrap();
            let accepted = Session::accept(&setting.bob, &setting.keys, &hello, Trust::OnFirstUse, now).unwrap();
            setting.keys.remove(accepted.used);
        }
    }
}

/// P-2.11
#[test]
fn a_restored_record_does_not_know_the_bundles_that_a_server_holds() {
    let mut setting = setting(12);
    let _ = setting.bundle(true);
    let backup = setting.record();
    let published = [setting.bundle(true).id(), setting.bundle(true).id()];
    assert!(published.iter().all(|id| setting.keys.knows(*id) && setting.keys.ids().contains(id)));
    setting.keys = PreKeys::unseal(&storage_key(), b"", &backup).unwrap();
    assert!(!published.iter().any(|id| setting.keys.knows(*id)));
    let before = setting.keys.ids();
    assert_eq!(before.len(), 2);

    let hello = setting.hello(false, NOW);
    let bundles = setting.keys.replace_all(&setting.bob, 3, at(60), &mut setting.rng).unwrap();
    let fresh: Vec<_> = bundles.iter().map(PreKeyBundle::id).chain([setting.keys.bundle().id()]).collect();
    assert!(fresh.iter().all(|id| setting.keys.knows(*id) && !before.contains(id)));
    assert_eq!(setting.keys.count(at(60)).one_time, 3, "the others are withdrawn");
    assert_eq!(setting.accept(&hello, at(3 * DAY)), Ok(()), "and answered for three days");
    let _ = setting.rotate(at(3 * DAY + 60));
    assert_eq!(setting.keys.ids().len(), 4);
    for id in fresh {
        assert_eq!(BundleId::from_bytes(&id.to_bytes()), id);
        assert_eq!(id.is_one_time(), id != setting.keys.bundle().id());
    }
}

#[test]
fn pre_key_rotation_survives_a_restart() {
    let mut setting = setting(13);
    let _ = setting.bundle(true);
    for day in [4, 8, 12, 16] {
        assert_eq!(setting.rotate(at(day * DAY)), Rotation::Everything);
        setting.reload();
    }
    assert_eq!(setting.keys.ids().len(), 2, "the current generation and the one before");
}

#[test]
fn pre_key_stock_counts_only_usable_one_time_keys() {
    let mut setting = setting(14);
    let stock = |setting: &Setting, seconds| setting.keys.count(at(seconds));
    let first = setting.keys.replenish(&setting.bob, 20, &mut setting.rng).unwrap();
    assert_eq!((first.len(), stock(&setting, 0).one_time, stock(&setting, 0).is_low()), (20, 20, false));
    let mut published: Vec<_> = first.iter().map(|bundle| bundle.to_bytes()).collect();
    let mut held: Vec<_> = setting.keys.one_time_bundles(NOW).iter().map(|bundle| bundle.to_bytes()).collect();
    published.sort();
    held.sort();
    assert!(published == held, "a server that lost them gets the same again");

    let bundle = first.first().unwrap().clone().verify(Trust::OnFirstUse, NOW).unwrap();
    let hello = setting.write(&bundle, NOW);
    let used = Session::accept(&setting.bob, &setting.keys, &hello, Trust::OnFirstUse, NOW).unwrap().used;
    setting.keys.remove(used);
    assert_eq!((stock(&setting, 0).one_time, stock(&setting, 0).is_low()), (19, true));
    assert_eq!(stock(&setting, 30 * DAY).one_time, 0);
    let _ = setting.rotate(at(4 * DAY));
    assert_eq!(stock(&setting, 4 * DAY).one_time, 0, "those of a replaced generation are deleted from the server");
}

/// P-2.9
#[test]
fn pre_keys_refuse_another_identity_and_too_many_pairs() {
    let mut setting = setting(15);
    let before = setting.record();
    let Setting { rng, alice: stranger, bob, keys } = &mut setting;
    assert_eq!(keys.rotate(stranger, at(9 * DAY), rng), Err(PreKeysError::WrongIdentity));
    assert_eq!(keys.replenish(stranger, 1, rng).unwrap_err(), PreKeysError::WrongIdentity);
    assert_eq!(keys.replace_all(stranger, 1, NOW, rng).unwrap_err(), PreKeysError::WrongIdentity);
    let too_many = PreKeys::MAX_ONE_TIME + 1;
    assert_eq!(keys.replenish(bob, too_many, rng).unwrap_err(), PreKeysError::Full);
    assert_eq!(keys.replace_all(bob, too_many, NOW, rng).unwrap_err(), PreKeysError::Full);
    assert!(before == setting.record(), "refused, and nothing was made");
    let Setting { rng, bob, keys, .. } = &mut setting;
    assert_eq!(keys.replenish(bob, PreKeys::MAX_ONE_TIME, rng).unwrap().len(), 1_000);
    assert_eq!(keys.replenish(bob, 1, rng).unwrap_err(), PreKeysError::Full);
}

#[test]
fn the_pre_key_revision_counts_every_change() {
    let mut setting = setting(16);
    let hello = setting.hello(true, NOW);
    let mut last = setting.keys.revision();
    let used = Session::accept(&setting.bob, &setting.keys, &hello, Trust::OnFirstUse, NOW).unwrap().used;
    assert_eq!(setting.keys.revision(), last, "accepting changes nothing by itself");
    let mut changed = |keys: &PreKeys| {
        assert!(keys.revision() > last);
        last = keys.revision();
    };
    setting.keys.remove(used);
    changed(&setting.keys);
    let _ = setting.bundle(true);
    changed(&setting.keys);
    let _ = setting.rotate(at(4 * DAY));
    changed(&setting.keys);
    let _ = setting.rotate(at(8 * DAY));
    changed(&setting.keys);
    assert_eq!(setting.rotate(at(9 * DAY)), Rotation::Nothing);
    assert_eq!(setting.keys.revision(), last, "nothing was due, nothing changed");
}
