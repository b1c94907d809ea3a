//! Tests of blocks by themselves; tests/session/blocks.rs has a session's.

use alloc::collections::BTreeMap;
use alloc::vec;
use std::collections::BTreeSet;

use super::*;
use crate::held::Lineage;
use rand_core::Rng;

const KIND: RecordKind = RecordKind::new(200);
const HEAD: RecordKind = RecordKind::new(201);
const OURS: [u8; PREFIX] = [7; PREFIX];

fn key(byte: u8) -> StorageKey {
    StorageKey::from_bytes([byte; 32])
}

/// A state of pieces.
struct State {
    lineage: Lineage,
    pieces: Vec<(Place, Vec<u8>)>,
    ended: Ended,
}

impl State {
    fn new(contents: &[&[u8]]) -> Self {
        let pieces = contents.iter().map(|content| (Place::default(), content.to_vec())).collect();
        Self { lineage: Lineage::default(), pieces, ended: Ended::default() }
    }

    fn change(&mut self, index: usize, content: &[u8]) {
        let (place, old) = &mut self.pieces[index];
        self.ended.end(place);
        *old = content.to_vec();
        self.lineage.change();
    }

    fn seal(&mut self, key: &StorageKey, rng: &mut dyn CryptoRng) -> SealedParts {
        let sealing = self.lineage.seal(key).unwrap();
        let mut writer = BlockWriter::new(key, sealing, OURS, rng);
        for (place, content) in &mut self.pieces {
            if !writer.name(place) {
                writer.put(KIND, place, &mut self.ended, content);
            }
        }
        let mut state = SecretWriter::with_capacity(0);
        state.u64(writer.revision());
        writer.write_names(&mut state);
        writer.finish(HEAD, b"name", &state.finish(), &mut self.ended)
    }
}

#[derive(Clone, Default)]
struct Store {
    head: Vec<u8>,
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

impl Store {
    /// The first `steps` writes.
    fn apply(&mut self, parts: &SealedParts, steps: usize) {
        for write in parts.writes().take(steps) {
            match write {
                Write::Put(block) => drop(self.blocks.insert(block.id(), block.as_bytes().to_vec())),
                Write::Head(bytes) => self.head = bytes.to_vec(),
                Write::Delete(id) => drop(self.blocks.remove(&id)),
            }
        }
    }

    fn names(&self, key: &StorageKey) -> Vec<BlockId> {
        let state = storage::unseal(key, HEAD, b"name", &self.head).unwrap();
        read_names(Reader::new(&state[8..]), OURS, 100).unwrap()
    }

    fn read(&self, key: &StorageKey) -> Result<Vec<Vec<u8>>, UnsealError> {
        let open = |id: BlockId| open(key, KIND, id, self.blocks.get(&id).map(Vec::as_slice));
        self.names(key).into_iter().map(|id| open(id).map(|content| content.to_vec())).collect()
    }
}

/// Counts up, in eight bytes.
struct Counting(u64);

impl rand_core::TryRng for Counting {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let [.., a, b, c, d] = self.next_u64().to_be_bytes();
        Ok(u32::from_be_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(1);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counting {}

/// P-6.6
#[test]
fn a_block_is_given_until_it_was_confirmed_and_never_again() {
    let (key, rng, mut store) = (key(1), &mut Counting(0), Store::default());
    let mut state = State::new(&[b"one", b"two"]);
    let first = state.seal(&key, rng);
    state.change(0, b"three");
    let second = state.seal(&key, rng);
    assert_eq!((first.blocks().len(), second.blocks().len(), second.ended().len()), (2, 2, 1));
    assert_eq!(first.blocks()[1], second.blocks()[1], "the same bytes under the same id");
    // Only the second is stored: it is complete.
    store.apply(&second, usize::MAX);
    assert_eq!(store.read(&key), Ok(vec![b"three".to_vec(), b"two".to_vec()]));
    second.stored();
    let third = state.seal(&key, rng);
    assert_eq!((third.blocks().len(), third.ended().len()), (0, 0));
    // An older record that is confirmed late confirms nothing more.
    state.change(1, b"four");
    let fourth = state.seal(&key, rng);
    first.stored();
    third.stored();
    let fifth = state.seal(&key, rng);
    assert_eq!((fifth.blocks(), fifth.ended()), (fourth.blocks(), fourth.ended()));
    assert_eq!((fifth.blocks().len(), fifth.ended().len()), (1, 1));
}

#[test]
fn whatever_step_of_storing_a_crash_leaves_out_the_stored_head_finds_its_blocks() {
    let (key, rng) = (key(1), &mut Counting(0));
    let mut state = State::new(&[b"one", b"two", b"three"]);
    let mut store = Store::default();
    let first = state.seal(&key, rng);
    store.apply(&first, usize::MAX);
    first.stored();
    let before = store.read(&key).unwrap();
    state.change(0, b"four");
    state.change(2, b"five");
    let second = state.seal(&key, rng);
    assert_eq!(second.writes().count(), 5);
    for steps in 0..=5 {
        let mut crashed = store.clone();
        crashed.apply(&second, steps);
        let after = vec![b"four".to_vec(), b"two".to_vec(), b"five".to_vec()];
        assert_eq!(crashed.read(&key), Ok(if steps < 3 { before.clone() } else { after }), "{steps} steps");
    }
}

#[test]
fn another_storage_key_makes_every_block_anew_and_ends_the_former_ones() {
    let (rng, mut store) = (&mut Counting(0), Store::default());
    let mut state = State::new(&[b"one", b"two"]);
    let first = state.seal(&key(1), rng);
    store.apply(&first, usize::MAX);
    first.stored();
    let former: BTreeSet<_> = store.blocks.keys().copied().collect();
    state.lineage.move_to_key(&key(2));
    let moved = state.seal(&key(2), rng);
    assert_eq!(moved.ended().iter().copied().collect::<BTreeSet<_>>(), former);
    store.apply(&moved, usize::MAX);
    moved.stored();
    assert_eq!(store.read(&key(2)), Ok(vec![b"one".to_vec(), b"two".to_vec()]));
    assert_eq!(store.blocks.len(), 2);
    assert_eq!(state.seal(&key(2), rng).writes().count(), 1, "the head alone");
}

/// P-6.5
#[test]
fn a_changed_foreign_exchanged_or_missing_block_is_refused() {
    let (key, rng) = (key(1), &mut Counting(0));
    let sealed = State::new(&[b"one", b"two"]).seal(&key, rng);
    let [one, two] = [&sealed.blocks()[0], &sealed.blocks()[1]];
    let opened = |id, bytes: Option<&[u8]>| open(&key, KIND, id, bytes).map(|content| content.to_vec());
    assert_eq!(opened(one.id(), Some(one.as_bytes())), Ok(b"one".to_vec()));
    assert_eq!(opened(one.id(), None), Err(UnsealError::MissingBlock(one.id())));
    assert_eq!(opened(one.id(), Some(two.as_bytes())), Err(UnsealError::Rejected), "another block");
    let of_another_state = id([8; PREFIX], suffix(one.id()));
    assert_eq!(opened(of_another_state, Some(one.as_bytes())), Err(UnsealError::Rejected));
    assert_eq!(open(&key, HEAD, one.id(), Some(one.as_bytes())).err(), Some(UnsealError::Rejected), "another kind");
    let other = StorageKey::from_bytes([2; 32]);
    assert_eq!(open(&other, KIND, one.id(), Some(one.as_bytes())).err(), Some(UnsealError::Rejected));
    for at in 0..one.as_bytes().len() {
        let mut changed = one.as_bytes().to_vec();
        changed[at] ^= 1;
        let expected = if at == 0 { UnsealError::UnknownVersion } else { UnsealError::Rejected };
        assert_eq!(opened(one.id(), Some(&changed)), Err(expected), "byte {at}");
    }
    assert_eq!(opened(one.id(), Some(&[])), Err(UnsealError::Rejected));
    assert_eq!(opened(one.id(), Some(&one.as_bytes()[..20])), Err(UnsealError::Rejected));
}

/// A generator that repeats its output makes one id of equal content, and never of two contents.
#[test]
fn a_repeating_generator_never_gives_two_contents_one_id_or_ends_a_named_block() {
    let key = key(1);
    let mut state = State::new(&[b"one"]);
    let first = state.seal(&key, &mut Counting(0));
    state.change(0, b"two");
    let second = state.seal(&key, &mut Counting(0));
    assert_ne!(first.blocks()[0].id(), second.blocks()[0].id());
    state.change(0, b"one");
    let third = state.seal(&key, &mut Counting(0));
    assert_eq!(third.blocks()[0], first.blocks()[0]);
    assert_eq!(third.ended(), [second.blocks()[0].id()], "not the one that the head names");
}

#[test]
fn names_that_are_cut_off_or_too_many_are_refused() {
    let read = |length: usize, limit| read_names(Reader::new(&[5; 64][..length]), OURS, limit).map(|ids| ids.len());
    assert_eq!((read(0, 2), read(8, 2), read(16, 2)), (Ok(0), Ok(1), Ok(2)));
    assert_eq!((read(24, 2), read(7, 2), read(9, 2)), (Err(Malformed), Err(Malformed), Err(Malformed)));
}

/// A caller who never confirms gets every ended block many times, and costs no memory without an end.
#[test]
fn ended_blocks_of_a_caller_who_never_confirms_are_bounded() {
    let (key, rng) = (key(1), &mut Counting(0));
    let mut state = State::new(&[b"one"]);
    for round in 0..2 * MAX_ENDED {
        state.change(0, &round.to_be_bytes());
        let sealed = state.seal(&key, rng);
        assert_eq!(sealed.blocks().len(), 1);
        assert!(sealed.ended().len() <= MAX_ENDED + 1 && sealed.ended().len() >= round.min(MAX_ENDED));
    }
}
