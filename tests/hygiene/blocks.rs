//! What a store has of skipped message keys: the keys that are kept, and after the deletions none that was used, given
//! up or ended.

use std::collections::{BTreeMap, BTreeSet};

use bisik::{Accepted, BlockId, Ciphertext, Identity, PreKeys, Session, StorageKey, Trust, Write};

use super::canaries::Canaries;
use super::derived::{Fields, state_of};
use super::freed::freed_by;
use super::keys::NOW;
use super::recording::Recording;

const STORAGE: [u8; 32] = [0x3B; 32];

#[derive(Default)]
struct Store {
    head: Vec<u8>,
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

impl Store {
    fn put(&mut self, session: &mut Session, rng: &mut Recording) {
        let sealed = session.seal(&StorageKey::from_bytes(STORAGE), b"", rng).unwrap();
        for write in sealed.writes() {
            match write {
                Write::Put(block) => drop(self.blocks.insert(block.id(), block.as_bytes().to_vec())),
                Write::Head(bytes) => self.head = bytes.to_vec(),
                Write::Delete(id) => assert!(self.blocks.remove(&id).is_some()),
            }
        }
        sealed.stored();
    }

    fn open(&self) -> Session {
        let lookup = |id: BlockId| self.blocks.get(&id).cloned();
        Session::unseal(&StorageKey::from_bytes(STORAGE), b"", &self.head, lookup).unwrap()
    }

    /// Everything in the store, decrypted.
    fn contents(&self) -> Vec<Box<[u8]>> {
        let contents = self.blocks.values().chain([&self.head]);
        contents.map(|record| state_of(record, &STORAGE).into_boxed_slice()).collect()
    }

    /// The keys in the blocks.
    fn keys(&self) -> BTreeSet<[u8; 32]> {
        self.blocks.values().flat_map(|block| keys_in(&state_of(block, &STORAGE))).collect()
    }
}

/// The keys in a block (section 6.5).
pub fn keys_in(content: &[u8]) -> Vec<[u8; 32]> {
    let mut fields = Fields(content);
    let mut count = 0;
    for _ in 0..fields.number() {
        fields.skip(12);
        count += fields.number();
    }
    let keys = (0..count).map(|_| fields.secret()).collect();
    assert!(fields.0.is_empty());
    keys
}

/// Two sessions, and what the second one's device draws.
fn established() -> (Session, Identity, Session, [Recording; 2]) {
    let mut rngs = [Recording::new(1), Recording::new(1001)];
    let [alices, bobs] = &mut rngs;
    let (alice, bob) = (Identity::generate(alices), Identity::generate(bobs));
    let keys = PreKeys::generate(&bob, NOW, bobs);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut a = Session::initiate(&alice, &bundle, NOW, alices).unwrap();
    let hello = a.encrypt(b"halo", alices).unwrap();
    let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
    let _ = a.decrypt(&alice, &b.encrypt(b"hai", bobs).unwrap()).unwrap();
    (a, bob, b, rngs)
}

fn written(a: &mut Session, count: usize, rng: &mut Recording) -> Vec<Ciphertext> {
    (0..count).map(|_| a.encrypt(b"teks", rng).unwrap()).collect()
}

/// P-4.9, P-6.7
#[test]
fn a_key_that_was_used_is_in_no_block_and_no_head_after_the_deletions() {
    let (mut a, bob, mut b, [mut alices, mut bobs]) = established();
    let messages = written(&mut a, 121, &mut alices);
    let mut store = Store::default();
    let _ = b.decrypt(&bob, &messages[120]).unwrap();
    store.put(&mut b, &mut bobs);
    let all = store.keys();
    assert_eq!((all.len(), store.blocks.len()), (120, 5));
    let mut gone = BTreeSet::new();
    // The first and last of a block, its middle, all of a block, and across a restart.
    for number in [0, 23, 12, 50, 48, 71].into_iter().chain(72..96) {
        let before = store.keys();
        let _ = b.decrypt(&bob, &messages[number]).unwrap();
        store.put(&mut b, &mut bobs);
        gone.extend(before.difference(&store.keys()).copied());
        let mut canaries = Canaries::new();
        gone.iter().for_each(|key| canaries.add("a used key", key));
        assert!(canaries.found_in(&store.contents()).is_empty(), "message {number}");
        if number % 7 == 0 {
            b = store.open();
        }
    }
    assert_eq!(gone.len(), 30, "each of them was in a block");
    assert_eq!(b.skipped_keys(), 90);
}

/// P-4.17, P-6.7
#[test]
fn keys_that_were_given_up_or_have_ended_are_in_no_block_and_no_head() {
    let (mut a, bob, mut b, [mut alices, mut bobs]) = established();
    let mut store = Store::default();
    let last = written(&mut a, 1_921, &mut alices).pop().unwrap();
    let _ = b.decrypt(&bob, &last).unwrap();
    store.put(&mut b, &mut bobs);
    let old = store.keys();
    assert_eq!(old.len(), 1_920);
    let last = written(&mut a, 2_001, &mut alices).pop().unwrap();
    assert_eq!(b.decrypt_giving_up(&bob, &last).unwrap().given_up, 1_920);
    store.put(&mut b, &mut bobs);
    let mut canaries = Canaries::new();
    old.iter().chain(&store.keys()).for_each(|key| canaries.add("a key that ended", key));
    for message in written(&mut a, 2_000, &mut alices) {
        let _ = b.decrypt(&bob, &message).unwrap();
    }
    assert_eq!(b.skipped_keys(), 0);
    assert!(!canaries.found_in(&store.contents()).is_empty(), "before they are deleted, the search finds them");
    store.put(&mut b, &mut bobs);
    assert!(canaries.found_in(&store.contents()).is_empty());
}

#[test]
fn blocks_leave_no_key_in_freed_memory() {
    let (mut a, bob, mut b, [mut alices, mut bobs]) = established();
    let messages = written(&mut a, 201, &mut alices);
    let mut store = Store::default();
    let ((), mut freed) = freed_by(|| drop(b.decrypt(&bob, &messages[200]).unwrap()));
    let mut canaries = Canaries::new();
    store.put(&mut b, &mut bobs);
    store.keys().iter().for_each(|key| canaries.add("a skipped key", key));
    assert!(canaries.len() > 2 * 190);
    for number in [7, 0, 23, 100, 101, 102, 199, 198] {
        let (loaded, seen) = freed_by(|| {
            let mut staged = b.stage(&bob, &messages[number]).unwrap();
            let sealed = staged.seal(&StorageKey::from_bytes(STORAGE), b"", &mut bobs).unwrap();
            let _ = staged.commit();
            for block in sealed.blocks() {
                store.blocks.insert(block.id(), block.as_bytes().to_vec());
            }
            store.head = sealed.head().to_vec();
            drop(Box::new(b));
            store.open()
        });
        (b, freed) = (loaded, [freed, seen].concat());
    }
    freed.extend(freed_by(|| drop(Box::new(b))).1);
    canaries.assert_absent(&freed);
}
