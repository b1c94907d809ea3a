//! A group's membership as a head and its blocks.

use std::collections::BTreeMap;

use bisik::group::membership::{Membership, Role, Setting};
use bisik::{BlockId, StorageKey, UnsealError, Write};

use super::world::{ALICE, BOB, NOW, World};

type Store = (Vec<u8>, BTreeMap<BlockId, Vec<u8>>);

fn key() -> StorageKey {
    StorageKey::from_bytes([3; 32])
}

/// Stores what changed. Returns how many bytes were written.
fn store(group: &mut Membership, (head, blocks): &mut Store) -> usize {
    let sealed = group.seal(&key(), &mut bisik_testkit::SeededRng::new(group.revision())).unwrap();
    let mut written = 0;
    for write in sealed.writes() {
        match write {
            Write::Put(block) => {
                written += block.as_bytes().len();
                blocks.insert(block.id(), block.as_bytes().to_vec());
            }
            Write::Head(bytes) => {
                written += bytes.len();
                *head = bytes.to_vec();
            }
            Write::Delete(id) => drop(blocks.remove(&id).unwrap()),
        }
    }
    sealed.stored();
    written
}

fn load(world: &World, (head, blocks): &Store) -> Result<Membership, UnsealError> {
    Membership::unseal(&key(), world.id, head, |id| blocks.get(&id).cloned())
}

/// A group that was stored knows everything that it knew; an act writes a page and the head, and nothing is left behind.
#[test]
fn a_stored_group_is_the_same_and_an_act_writes_little() {
    let mut world = World::of_members(60);
    world.role(BOB, Role::Admin);
    world.sync();
    let mut stored = Store::default();
    let group = world.groups.get_mut(&(ALICE, 0)).unwrap();
    let whole = store(group, &mut stored);
    assert!(whole > 30_000, "{whole}");
    let again = load(&world, &stored).unwrap();
    assert_eq!(again.state(), world.state((ALICE, 0)));
    assert_eq!((again.epoch(), again.revision()), (2, world.group((ALICE, 0)).revision()));
    let mut named = Membership::named_blocks(&key(), world.id, &stored.0).unwrap();
    named.sort_unstable();
    assert_eq!(named, stored.1.keys().copied().collect::<Vec<_>>());
    for turn in 0..20 {
        world.invite((ALICE, 0), 2 + turn % 3);
        let written = store(world.groups.get_mut(&(ALICE, 0)).unwrap(), &mut stored);
        assert!(written < 12_000, "{written}");
    }
    world.write((ALICE, 0), |group, author, _| group.settle_group(author, NOW)).unwrap();
    store(world.groups.get_mut(&(ALICE, 0)).unwrap(), &mut stored);
    assert_eq!(stored.1.len(), 2, "a page of entries and the floor");
    assert_eq!(load(&world, &stored).unwrap().state(), world.state((ALICE, 0)));
    // What is loaded goes on where it was.
    let mut loaded = load(&world, &stored).unwrap();
    std::mem::swap(&mut loaded, world.groups.get_mut(&(ALICE, 0)).unwrap());
    world.write((ALICE, 0), |group, author, _| group.set(author, Setting::NAME, b"Bali", NOW)).unwrap();
    store(world.groups.get_mut(&(ALICE, 0)).unwrap(), &mut stored);
    assert_eq!(load(&world, &stored).unwrap().setting(Setting::NAME), Some(b"Bali".as_slice()));
}

/// A record opens under its own key and id, with its own blocks, unchanged, or not at all.
#[test]
fn a_damaged_or_foreign_record_is_refused() {
    let mut world = World::of_members(3);
    let mut stored = Store::default();
    store(world.groups.get_mut(&(ALICE, 0)).unwrap(), &mut stored);
    let (head, blocks) = &stored;
    let open = |key: &StorageKey, id, head: &[u8], blocks: &BTreeMap<BlockId, Vec<u8>>| {
        Membership::unseal(key, id, head, |id| blocks.get(&id).cloned()).map(drop)
    };
    assert_eq!(open(&StorageKey::from_bytes([4; 32]), world.id, head, blocks), Err(UnsealError::Rejected));
    let other = bisik::group::GroupId::from_bytes([1; 32]);
    assert_eq!(open(&key(), other, head, blocks), Err(UnsealError::Rejected));
    for at in [1, head.len() / 2, head.len() - 1] {
        let mut changed = head.clone();
        changed[at] ^= 1;
        assert_eq!(open(&key(), world.id, &changed, blocks), Err(UnsealError::Rejected));
    }
    for id in blocks.keys() {
        let mut fewer = blocks.clone();
        fewer.remove(id);
        assert_eq!(open(&key(), world.id, head, &fewer), Err(UnsealError::MissingBlock(*id)));
        for other in blocks.keys().filter(|other| *other != id) {
            let mut swapped = blocks.clone();
            swapped.insert(*id, blocks[other].clone());
            assert_eq!(open(&key(), world.id, head, &swapped), Err(UnsealError::Rejected));
        }
    }
}

/// An act takes room once: a record in which it stands twice, on one page or on two, is none that the library wrote.
#[test]
fn a_record_that_repeats_an_act_is_refused() {
    use bisik_testkit::fuzz::record::{NONCE, STORAGE_KEY, open_named, seal_with, try_open};

    /// The record kind of a page of acts.
    const ACTS: u8 = 23;
    let key = StorageKey::from_bytes(STORAGE_KEY);
    let mut world = World::of_members(3);
    let group = world.groups.get_mut(&(ALICE, 0)).unwrap();
    let sealed = group.seal(&key, &mut bisik_testkit::SeededRng::new(1)).unwrap();
    let mut blocks: BTreeMap<_, _> = sealed.blocks().iter().map(|b| (b.id(), b.as_bytes().to_vec())).collect();
    let open = |blocks: &BTreeMap<BlockId, Vec<u8>>| {
        Membership::unseal(&key, world.id, sealed.head(), |id| blocks.get(&id).cloned()).map(drop)
    };
    assert_eq!(open(&blocks), Ok(()));
    let prefix = &world.id.as_bytes()[..8];
    let pages: Vec<_> = blocks.iter().filter(|(_, block)| try_open(ACTS, prefix, block).is_some()).collect();
    let [(id, page)] = pages.as_slice() else { panic!("{} pages", pages.len()) };
    let (id, nonce): (_, [u8; NONCE]) = (**id, page[1..=NONCE].try_into().unwrap());
    let content = open_named(ACTS, prefix, page);
    blocks.insert(id, seal_with(nonce, ACTS, prefix, &content));
    assert_eq!(open(&blocks), Ok(()));
    blocks.insert(id, seal_with(nonce, ACTS, prefix, &content.repeat(2)));
    assert_eq!(open(&blocks), Err(UnsealError::Rejected));
}

/// P-13.15. The floor of a record is the one that its log names.
#[test]
fn a_record_with_another_floor_is_refused() {
    use bisik_testkit::fuzz::record::{NONCE, STORAGE_KEY, open_named, seal_with, try_open};

    /// The record kind of a floor.
    const FLOOR: u8 = 24;
    let key = StorageKey::from_bytes(STORAGE_KEY);
    let mut world = World::of_members(3);
    world.write((ALICE, 0), |group, author, _| group.settle_group(author, NOW)).unwrap();
    let group = world.groups.get_mut(&(ALICE, 0)).unwrap();
    let sealed = group.seal(&key, &mut bisik_testkit::SeededRng::new(1)).unwrap();
    let mut blocks: BTreeMap<_, _> = sealed.blocks().iter().map(|b| (b.id(), b.as_bytes().to_vec())).collect();
    let open = |blocks: &BTreeMap<BlockId, Vec<u8>>| {
        Membership::unseal(&key, world.id, sealed.head(), |id| blocks.get(&id).cloned()).map(drop)
    };
    assert_eq!(open(&blocks), Ok(()));
    let prefix = &world.id.as_bytes()[..8];
    let (id, block) = blocks.iter().find(|(_, block)| try_open(FLOOR, prefix, block).is_some()).unwrap();
    let (id, nonce): (_, [u8; NONCE]) = (*id, block[1..=NONCE].try_into().unwrap());
    let mut floor = open_named(FLOOR, prefix, block).to_vec();
    blocks.insert(id, seal_with(nonce, FLOOR, prefix, &floor));
    assert_eq!(open(&blocks), Ok(()));
    // Somebody more has accepted, or less.
    floor[83] ^= 1;
    blocks.insert(id, seal_with(nonce, FLOOR, prefix, &floor));
    assert_eq!(open(&blocks), Err(UnsealError::Rejected));
}

/// P-13.1. A record whose entries lead to other rights than the newest names is refused: this library and the one that wrote
/// it would not agree on who may do what.
#[test]
fn a_record_that_leads_to_other_rights_is_refused() {
    use bisik_testkit::fuzz::record::{NONCE, STORAGE_KEY, open_named, seal_with, try_open};

    /// The record kind of a page of entries.
    const ENTRIES: u8 = 22;
    let key = StorageKey::from_bytes(STORAGE_KEY);
    let mut world = World::of_members(2);
    world.write((ALICE, 0), |group, author, _| group.set(author, Setting::NAME, b"Bali", NOW)).unwrap();
    let group = world.groups.get_mut(&(ALICE, 0)).unwrap();
    let sealed = group.seal(&key, &mut bisik_testkit::SeededRng::new(1)).unwrap();
    let mut blocks: BTreeMap<_, _> = sealed.blocks().iter().map(|b| (b.id(), b.as_bytes().to_vec())).collect();
    let open = |blocks: &BTreeMap<BlockId, Vec<u8>>| {
        Membership::unseal(&key, world.id, sealed.head(), |id| blocks.get(&id).cloned()).map(drop)
    };
    let prefix = &world.id.as_bytes()[..8];
    let (id, block) = blocks.iter().find(|(_, block)| try_open(ENTRIES, prefix, block).is_some()).unwrap();
    let (id, nonce): (_, [u8; NONCE]) = (*id, block[1..=NONCE].try_into().unwrap());
    let mut entries = open_named(ENTRIES, prefix, block).to_vec();
    blocks.insert(id, seal_with(nonce, ENTRIES, prefix, &entries));
    assert_eq!(open(&blocks), Ok(()));
    // The hash of the rights stands before the signature, at the end of the newest entry.
    let at = entries.len() - 65;
    entries[at] ^= 1;
    blocks.insert(id, seal_with(nonce, ENTRIES, prefix, &entries));
    assert_eq!(open(&blocks), Err(UnsealError::Rejected));
}
