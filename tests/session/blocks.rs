//! Sessions with skipped message keys in blocks: stored piece by piece, with a crash between any two steps, nothing is
//! lost, nothing comes back, and what was deleted is gone.

use std::collections::{BTreeMap, BTreeSet};

use bisik::{BlockId, Ciphertext, DecryptError, Identity, SealedParts, Session, StorageKey, UnsealError, Write};
use bisik_testkit::alice_and_bob::read;
use bisik_testkit::simulation::checked_session::{CONTEXT, storage_key};
use bisik_testkit::{AliceAndBob, SeededRng};
use proptest::prelude::*;

/// A store without transactions.
#[derive(Clone, Default)]
struct Store {
    head: Vec<u8>,
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

impl Store {
    /// Carries out the first `steps` writes. Returns whether the head was among them.
    fn apply(&mut self, sealed: &SealedParts, steps: usize) -> bool {
        let mut swapped = false;
        for write in sealed.writes().take(steps) {
            match write {
                Write::Put(block) => drop(self.blocks.insert(block.id(), block.as_bytes().to_vec())),
                Write::Head(bytes) => {
                    self.head = bytes.to_vec();
                    swapped = true;
                }
                Write::Delete(id) => assert!(self.blocks.remove(&id).is_some() || steps < usize::MAX, "it was there"),
            }
        }
        swapped
    }

    fn open(&self) -> Session {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Session, UnsealError> {
        Session::unseal(&storage_key(), CONTEXT, &self.head, |id| self.blocks.get(&id).cloned())
    }

    fn named(&self) -> BTreeSet<BlockId> {
        Session::named_blocks(&storage_key(), CONTEXT, &self.head).unwrap().into_iter().collect()
    }

    fn held(&self) -> BTreeSet<BlockId> {
        self.blocks.keys().copied().collect()
    }

    /// Deletes what a crash has left behind.
    fn sweep(&mut self) {
        let named = self.named();
        self.blocks.retain(|id, _| named.contains(id));
    }
}

fn seal(session: &mut Session, rng: &mut SeededRng) -> SealedParts {
    session.seal(&storage_key(), CONTEXT, rng).unwrap()
}

/// Bob, stored, and messages of Alice's that he has not read: the last one skips all others.
fn waiting_for(count: usize, both: &mut AliceAndBob) -> (Session, Store, Vec<Ciphertext>) {
    let (mut alice, mut bob) = both.established();
    let messages: Vec<_> = (0..count).map(|_| alice.encrypt(b"terlambat", &mut both.rng).unwrap()).collect();
    let last = alice.encrypt(b"cepat", &mut both.rng).unwrap();
    assert_eq!(read(&mut bob, &both.bob, &last), b"cepat");
    let mut store = Store::default();
    let sealed = seal(&mut bob, &mut both.rng);
    assert!(store.apply(&sealed, usize::MAX));
    sealed.stored();
    (bob, store, messages)
}

fn receive(session: &mut Session, store: &mut Store, bob: &Identity, message: &Ciphertext, rng: &mut SeededRng) {
    let mut staged = session.stage(bob, message).unwrap();
    let sealed = staged.seal(&storage_key(), CONTEXT, rng).unwrap();
    store.apply(&sealed, usize::MAX);
    sealed.stored();
    let _ = staged.commit();
}

#[test]
fn a_session_that_waits_for_fewer_than_24_messages_has_no_block() {
    for (count, blocks) in [(0, 0), (1, 0), (23, 0), (24, 1), (47, 1), (48, 2), (2_000, 83)] {
        let (_, store, _) = waiting_for(count, &mut AliceAndBob::new(1));
        assert_eq!((store.held().len(), store.named()), (blocks, store.held()), "{count} kept keys");
        assert_eq!(store.open().skipped_keys(), count);
    }
}

#[test]
fn a_message_in_order_writes_the_head_alone_and_a_skipped_one_replaces_one_block() {
    let mut both = AliceAndBob::new(2);
    let (mut bob, mut store, messages) = waiting_for(2_000, &mut both);
    assert!(store.head.len() <= 2_560 + 1_024, "{} bytes", store.head.len());
    assert!(store.blocks.values().all(|block| block.len() < 900));
    for (read, message) in [messages[0].clone(), messages[999].clone(), messages[1_975].clone()].iter().enumerate() {
        let before = store.held();
        receive(&mut bob, &mut store, &both.bob, message, &mut both.rng);
        let new = store.held().difference(&before).count();
        assert_eq!((new, store.held().len(), store.named()), (1, 83, store.held()), "message {read}");
        assert!(store.head.len() < 3_584);
    }
    // One of the last, which the head has itself.
    let before = store.held();
    receive(&mut bob, &mut store, &both.bob, &messages[1_999], &mut both.rng);
    assert_eq!(store.held(), before);
}

#[test]
fn a_block_whose_last_key_was_used_is_deleted_and_no_new_one_put() {
    let mut both = AliceAndBob::new(3);
    let (mut bob, mut store, messages) = waiting_for(72, &mut both);
    for (count, message) in messages.iter().enumerate() {
        receive(&mut bob, &mut store, &both.bob, message, &mut both.rng);
        assert_eq!(store.named(), store.held(), "after {count}");
    }
    assert_eq!((bob.skipped_keys(), store.held().len()), (0, 0));
}

/// P-6.6: the record of the second is complete, although the first was never stored.
#[test]
fn a_state_sealed_twice_of_which_only_the_second_is_stored_is_complete() {
    let mut both = AliceAndBob::new(4);
    let (mut alice, mut bob) = both.established();
    let mut store = Store::default();
    let sealed = seal(&mut bob, &mut both.rng);
    store.apply(&sealed, usize::MAX);
    sealed.stored();
    let messages: Vec<_> = (0..62).map(|_| alice.encrypt(b"teks", &mut both.rng).unwrap()).collect();
    let _ = bob.decrypt(&both.bob, &messages[60]).unwrap();
    let never_stored = seal(&mut bob, &mut both.rng);
    let _ = bob.decrypt(&both.bob, &messages[61]).unwrap();
    let _ = bob.decrypt(&both.bob, &messages[3]).unwrap();
    let sealed = seal(&mut bob, &mut both.rng);
    assert_eq!((never_stored.blocks().len(), sealed.blocks().len()), (2, 2));
    assert_eq!(never_stored.blocks()[1], sealed.blocks()[1], "the same again, under the same id");
    assert_eq!(sealed.ended(), [never_stored.blocks()[0].id()], "the first may have been put all the same");
    for write in sealed.writes() {
        match write {
            Write::Put(block) => drop(store.blocks.insert(block.id(), block.as_bytes().to_vec())),
            Write::Head(bytes) => store.head = bytes.to_vec(),
            Write::Delete(id) => drop(store.blocks.remove(&id)),
        }
    }
    let mut loaded = store.open();
    for (number, message) in messages.iter().enumerate().take(60) {
        let expected = if number == 3 { Err(DecryptError::Duplicate) } else { Ok(()) };
        assert_eq!(loaded.decrypt(&both.bob, message).map(drop), expected, "message {number}");
    }
}

/// A staged message that was sealed and dropped may be in the store: whichever head is there, its blocks are too.
#[test]
fn a_staged_message_that_was_dropped_leaves_a_complete_session_in_the_store() {
    let mut both = AliceAndBob::new(5);
    let (mut bob, store, messages) = waiting_for(60, &mut both);
    let mut staged = bob.stage(&both.bob, &messages[5]).unwrap();
    let sealed = staged.seal(&storage_key(), CONTEXT, &mut both.rng).unwrap();
    let again = staged.seal(&storage_key(), CONTEXT, &mut both.rng).unwrap();
    assert_eq!((sealed.blocks(), sealed.ended()), (again.blocks(), again.ended()), "sealed twice");
    drop(staged);
    assert_eq!(bob.decrypt(&both.bob, &messages[6]).unwrap_err(), DecryptError::Poisoned);
    for steps in 0..=sealed.writes().count() {
        let mut store = store.clone();
        let swapped = store.apply(&sealed, steps);
        let mut loaded = store.open();
        assert_eq!(loaded.skipped_keys(), if swapped { 59 } else { 60 });
        assert_eq!(loaded.decrypt(&both.bob, &messages[5]).is_ok(), !swapped);
        assert_eq!(read(&mut loaded, &both.bob, &messages[6]), b"terlambat");
    }
}

/// P-6.5: each block in the place of each other, changed, under another session's name, or not there.
#[test]
fn a_swapped_changed_foreign_or_missing_block_is_refused() {
    let mut both = AliceAndBob::new(6);
    let (_, store, _) = waiting_for(72, &mut both);
    let (_, other, _) = waiting_for(72, &mut both);
    let ids = Session::named_blocks(&storage_key(), CONTEXT, &store.head).unwrap();
    assert_eq!(ids.len(), 3);
    let with = |id: BlockId, bytes: Option<Vec<u8>>| {
        let mut store = store.clone();
        match bytes {
            Some(bytes) => drop(store.blocks.insert(id, bytes)),
            None => drop(store.blocks.remove(&id)),
        }
        store.try_open().map(drop)
    };
    for id in &ids {
        assert_eq!(with(*id, None), Err(UnsealError::MissingBlock(*id)));
        for foreign in store.blocks.iter().filter(|(known, _)| *known != id).chain(&other.blocks) {
            assert_eq!(with(*id, Some(foreign.1.clone())), Err(UnsealError::Rejected));
        }
        let mut changed = store.blocks[id].clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(with(*id, Some(changed)), Err(UnsealError::Rejected));
        assert_eq!(with(*id, Some(store.head.clone())), Err(UnsealError::Rejected), "a record of another kind");
        assert_eq!(with(*id, Some(store.blocks[id].clone())), Ok(()));
    }
    let other_key = StorageKey::from_bytes([1; 32]);
    assert_eq!(Session::named_blocks(&other_key, CONTEXT, &store.head), Err(UnsealError::Rejected));
}

/// Every block is written anew, under the new key.
#[test]
fn a_session_with_blocks_moves_to_another_key() {
    let mut both = AliceAndBob::new(7);
    let (mut bob, mut store, messages) = waiting_for(60, &mut both);
    let (before, key) = (store.held(), StorageKey::from_bytes([1; 32]));
    bob.move_to_key(&key);
    let sealed = bob.seal(&key, CONTEXT, &mut both.rng).unwrap();
    assert_eq!(sealed.ended().iter().copied().collect::<BTreeSet<_>>(), before);
    store.apply(&sealed, usize::MAX);
    sealed.stored();
    assert_eq!(store.held().intersection(&before).count(), 0);
    let mut loaded = Session::unseal(&key, CONTEXT, &store.head, |id| store.blocks.get(&id).cloned()).unwrap();
    assert_eq!(read(&mut loaded, &both.bob, &messages[30]), b"terlambat");
}

/// P-4.17, P-4.14: blocks whose keys have ended or were given up leave the store.
#[test]
fn keys_that_expire_or_are_given_up_leave_the_store() {
    let mut both = AliceAndBob::new(8);
    let (mut alice, mut bob) = both.established();
    let mut store = Store::default();
    let mut ended = 0;
    let mut store_all = |bob: &mut Session, rng: &mut SeededRng| {
        let sealed = seal(bob, rng);
        store.apply(&sealed, usize::MAX);
        sealed.stored();
        assert_eq!(store.named(), store.held());
        assert_eq!(store.open().skipped_keys(), bob.skipped_keys());
        store.held().len()
    };
    let skip = |alice: &mut Session, count: usize, rng: &mut SeededRng| {
        (0..count).for_each(|_| drop(alice.encrypt(b"hilang", rng).unwrap()));
        alice.encrypt(b"ada", rng).unwrap()
    };
    let message = skip(&mut alice, 1_990, &mut both.rng);
    ended += bob.decrypt(&both.bob, &message).unwrap().given_up;
    assert_eq!(store_all(&mut bob, &mut both.rng), 82);
    let message = skip(&mut alice, 100, &mut both.rng);
    assert_eq!(bob.decrypt(&both.bob, &message).unwrap_err(), DecryptError::Ahead { missing: 100 });
    ended += bob.decrypt_giving_up(&both.bob, &message).unwrap().given_up;
    assert_eq!((ended, bob.skipped_keys()), (90, 2_000));
    assert!(store_all(&mut bob, &mut both.rng) <= 84);
    for count in 0..2_000 {
        ended += bob.decrypt(&both.bob, &alice.encrypt(b"", &mut both.rng).unwrap()).unwrap().given_up;
        if count % 100 == 0 {
            store_all(&mut bob, &mut both.rng);
        }
    }
    assert_eq!((ended, bob.skipped_keys(), store_all(&mut bob, &mut both.rng)), (2_090, 0, 0));
}

/// What happens to one message of a schedule.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It is staged, sealed, stored and committed.
    Stored,
    /// Storing it is cut off after so many writes, and the session is loaded again.
    Crash(usize),
    /// It is decrypted; the next record has it.
    Later,
    /// It is decrypted and sealed, and that record is never stored.
    SealedInVain,
    /// It is stored, and nobody confirms it.
    Unconfirmed,
    /// It is decrypted, and the session is loaded again before anything is stored.
    Forgotten,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Stored),
        3 => (0_usize..8).prop_map(Step::Crash),
        2 => Just(Step::Later),
        1 => Just(Step::SealedInVain),
        1 => Just(Step::Unconfirmed),
        1 => Just(Step::Forgotten),
    ]
}

/// A session in memory, its store, and which messages each of them has read.
struct Device {
    session: Session,
    store: Store,
    read: BTreeSet<usize>,
    stored: BTreeSet<usize>,
}

impl Device {
    fn reload(&mut self) {
        self.session = self.store.open();
        self.read = self.stored.clone();
    }

    /// One message. Returns whether it was delivered and must not come again.
    fn receive(&mut self, bob: &Identity, number: usize, message: &Ciphertext, step: Step, rng: &mut SeededRng) {
        let mut staged = match self.session.stage(bob, message) {
            Ok(staged) => staged,
            Err(error) => {
                assert!(self.read.contains(&number), "{error:?}");
                return;
            }
        };
        assert!(self.read.insert(number), "read twice");
        let seal = |staged: &mut bisik::Staged<'_>, rng| staged.seal(&storage_key(), CONTEXT, rng).unwrap();
        match step {
            Step::Stored | Step::Unconfirmed => {
                let sealed = seal(&mut staged, rng);
                self.store.apply(&sealed, usize::MAX - 1);
                if matches!(step, Step::Stored) {
                    sealed.stored();
                }
                let _ = staged.commit();
                self.stored = self.read.clone();
            }
            Step::Crash(steps) => {
                let sealed = seal(&mut staged, rng);
                if self.store.apply(&sealed, steps) {
                    self.stored = self.read.clone();
                }
                self.reload();
            }
            Step::Later => drop(staged.commit()),
            Step::SealedInVain => {
                let _ = seal(&mut staged, rng);
                let _ = staged.commit();
            }
            Step::Forgotten => {
                let _ = staged.commit();
                self.reload();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several chains, any order, and a crash between any two steps of storing.
    #[test]
    fn each_message_is_read_once_whatever_step_of_storing_a_crash_cuts_off(
        lengths in prop::collection::vec(1_usize..90, 1..4),
        schedule in prop::collection::vec((any::<prop::sample::Index>(), step()), 1..160),
        seed in any::<u64>(),
    ) {
        let mut both = AliceAndBob::new(seed);
        let (mut alice, mut session) = both.established();
        let rng = &mut SeededRng::new(seed ^ 1);
        let mut store = Store::default();
        let sealed = seal(&mut session, rng);
        store.apply(&sealed, usize::MAX);
        sealed.stored();
        // Bob answers each turn of Alice's, of which he has read one message.
        let mut device = Device { session, store, read: BTreeSet::new(), stored: BTreeSet::new() };
        let mut messages = Vec::new();
        for length in lengths {
            messages.extend((0..length).map(|_| alice.encrypt(b"teks", &mut both.rng).unwrap()));
            let first = messages.len() - length / 2 - 1;
            device.receive(&both.bob, first, &messages[first], Step::Stored, rng);
            let answer = device.session.encrypt(b"jawab", &mut both.rng).unwrap();
            let sealed = seal(&mut device.session, rng);
            device.store.apply(&sealed, usize::MAX);
            sealed.stored();
            let _ = read(&mut alice, &both.alice, &answer);
        }
        for (index, step) in schedule {
            let number = index.index(messages.len());
            device.receive(&both.bob, number, &messages[number], step, rng);
            let missing = device.store.named().difference(&device.store.held()).count();
            prop_assert_eq!(missing, 0, "the stored head finds its blocks");
        }
        // The rest, in reverse order: nothing was lost.
        for (number, message) in messages.iter().enumerate().rev() {
            device.receive(&both.bob, number, message, Step::Stored, rng);
        }
        // There may have been no rest, and the last ones in memory alone.
        let sealed = seal(&mut device.session, rng);
        device.store.apply(&sealed, usize::MAX - 1);
        sealed.stored();
        prop_assert_eq!(device.read.len(), messages.len());
        prop_assert_eq!((device.session.skipped_keys(), device.store.named().len()), (0, 0));
        device.store.sweep();
        prop_assert_eq!(device.store.held().len(), 0);
        let mut loaded = device.store.open();
        for message in &messages {
            prop_assert!(loaded.decrypt(&both.bob, message).is_err(), "what was read does not come back");
        }
    }

    /// Without a crash, and with every record confirmed, the store has what its head names, and nothing else.
    #[test]
    fn the_store_has_the_blocks_that_the_head_names_and_no_others(
        schedule in prop::collection::vec((0_usize..60, any::<prop::sample::Index>()), 1..60),
    ) {
        let mut both = AliceAndBob::new(9);
        let (mut alice, mut bob) = both.established();
        let (mut store, mut waiting) = (Store::default(), Vec::new());
        for (skipped, index) in schedule {
            waiting.extend((0..skipped).map(|_| alice.encrypt(b"teks", &mut both.rng).unwrap()));
            let message = match waiting.len() {
                0 => alice.encrypt(b"teks", &mut both.rng).unwrap(),
                length => waiting.swap_remove(index.index(length)),
            };
            receive(&mut bob, &mut store, &both.bob, &message, &mut both.rng);
            prop_assert_eq!(store.named(), store.held());
            prop_assert_eq!(store.open().skipped_keys(), bob.skipped_keys());
        }
    }
}
