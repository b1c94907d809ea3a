//! Records of who is a member of a group, of released formats: each still opens, has the members that it had, and is
//! sealed to the same bytes again.

use bisik::device::{Custody, DeviceDirectory, DeviceTerms, Primary};
use bisik::group::GroupId;
use bisik::group::membership::{
    Author, LinkPolicy, Membership, Role, Setting, Signers, Statement, Taken, WriteError, Written,
};
use bisik::{BlockId, Identity};
use bisik_testkit::draws::Draws;
use sha2::{Digest, Sha256};

use super::state_golden::{CREATED, Golden, blocks, golden, key, nonce};

fn directory(identity: &Identity) -> DeviceDirectory {
    Primary::new(identity, DeviceTerms::own_held(Custody::Person).unwrap(), CREATED).directory()
}

fn open(name: &str) -> Membership {
    let id = GroupId::try_from(golden("group-id").as_slice()).unwrap();
    let blocks = blocks(&golden(&format!("{name}-blocks")));
    let head = golden(name);
    let mut named = Membership::named_blocks(&key(), id, &head).unwrap();
    named.sort_unstable();
    assert_eq!(named, blocks.keys().copied().collect::<Vec<BlockId>>());
    Membership::unseal(&key(), id, &head, |block| blocks.get(&block).cloned()).unwrap()
}

/// P-6.4, P-13.15: a group of format 1 with a floor, a suspension from below it, an invitation and a link.
#[test]
fn golden_group_opens_and_reseals_to_the_same_bytes() {
    let mut group = open("group");
    let sealed = group.seal(&key(), &mut nonce()).unwrap();
    assert_eq!((sealed.head(), sealed.blocks().len(), sealed.ended().len()), (&golden("group")[..], 0, 0));
    assert_eq!((group.epoch(), group.acts().count(), group.setting(Setting::NAME)), (4, 2, Some(&b"golden"[..])));
    let state = group.state();
    assert_eq!((state.members().count(), group.receivers().count(), state.stays().count()), (3, 2, 4));
    assert_eq!(state.links().map(|(_, policy)| policy).collect::<Vec<_>>(), [LinkPolicy::Ask]);
    assert_eq!(Sha256::digest(group.floor().unwrap()).as_slice(), golden("group-floor"));
    let suspended = state.stays().find_map(|(_, view)| view.suspended).unwrap();
    let owner = Identity::unseal(&key(), b"group-owner", &golden("group-owner")).unwrap();
    let devices = directory(&owner);
    let author = Author::of(&owner, &devices).unwrap();
    let _ = group.lift(&author, &[suspended.act], CREATED).unwrap();
    assert_eq!(group.receivers().count(), 3);
}

/// P-6.4, P-13.4: a group of format 1 whose owner has written two logs.
#[test]
fn golden_group_with_two_logs_stays_read_only() {
    let mut group = open("group-read-only");
    let sealed = group.seal(&key(), &mut nonce()).unwrap();
    assert_eq!((sealed.head(), sealed.blocks().len()), (&golden("group-read-only")[..], 0));
    let evidence = group.evidence().unwrap();
    assert_ne!(evidence.known(), evidence.rival());
    let rival = Statement::Entry(evidence.rival().to_vec());
    assert_eq!(group.offer(&rival, &Signers::new()).unwrap().taken, Taken::Known);
    let owner = Identity::unseal(&key(), b"group-owner", &golden("group-owner")).unwrap();
    let devices = directory(&owner);
    let author = Author::of(&owner, &devices).unwrap();
    assert_eq!(group.end(&author, CREATED).unwrap_err(), WriteError::Equivocated);
}

fn store(golden: &Golden, name: &str, group: &mut Membership) {
    let sealed = group.seal(&key(), &mut Draws::listed(&[0x5a; 5 * 24][..24 * count(group)])).unwrap();
    golden.write(name, sealed.head());
    let mut all = Vec::new();
    for block in sealed.blocks() {
        all.extend(block.id().as_bytes());
        all.extend(u32::try_from(block.as_bytes().len()).unwrap().to_be_bytes());
        all.extend(block.as_bytes());
    }
    golden.write(&format!("{name}-blocks"), &all);
}

/// How many draws a record takes: one for the head, one for each block.
fn count(group: &Membership) -> usize {
    2 + usize::from(group.acts().count() > 0)
        + usize::from(group.floor().is_some())
        + usize::from(group.evidence().is_some())
}

/// Writes the files of the tests above.
pub(super) fn write(golden: &Golden) {
    let rng = &mut rand::rng();
    let people = [(); 4].map(|()| Identity::generate(rng));
    let devices = people.each_ref().map(directory);
    let [alice, bob, carol] = [0, 1, 2].map(|who| Author::of(&people[who], &devices[who]).unwrap());
    let keys = devices.each_ref().map(|directory| *directory.account());
    golden.write("group-owner", &people[0].seal(&key(), b"group-owner", &mut nonce()));
    let signers = Signers::new();
    let found = |rng: &mut rand::rngs::ThreadRng| {
        Membership::found(&alice, &[(Setting::NAME, b"golden")], None, CREATED, rng).unwrap()
    };
    let (mut at_alice, founded) = found(rng);
    let mut said = founded.statements;
    let first = said[0].as_bytes().to_vec();
    golden.write("group-id", at_alice.id().as_bytes());
    let join = |at_alice: &mut Membership, who: usize, author: &Author<'_>, said: &mut Vec<Statement>| {
        said.extend(at_alice.add(&alice, keys[who], CREATED, &mut rand::rng()).unwrap().statements);
        let mut own = Membership::follow(at_alice.id(), &first, &keys[who], people[who].public()).unwrap();
        said.iter().for_each(|statement| drop(own.offer(statement, &signers)));
        let accepted = own.accept(author, CREATED).unwrap().statements;
        accepted.iter().for_each(|statement| drop(at_alice.offer(statement, &signers)));
        said.extend(accepted);
        own
    };
    let mut at_bob = join(&mut at_alice, 1, &bob, &mut said);
    let _ = join(&mut at_alice, 2, &carol, &mut said);
    let promoted: Written = at_alice.set_role(&alice, &keys[1], Role::Admin, &[], CREATED).unwrap();
    said.extend(promoted.statements);
    said.iter().for_each(|statement| drop(at_bob.offer(statement, &signers)));
    let removal = at_bob.remove(&bob, &keys[2], &[], CREATED).unwrap().statements;
    removal.iter().for_each(|statement| drop(at_alice.offer(statement, &signers)));
    let dropped: Vec<_> = at_alice.acts().filter(|act| act.device == *people[1].public()).map(|act| act.id).collect();
    let _ = at_alice.set_role(&alice, &keys[1], Role::Member, &dropped, CREATED).unwrap();
    let _ = at_alice.settle_group(&alice, CREATED).unwrap();
    let _ = at_alice.add(&alice, keys[3], CREATED, rng).unwrap();
    let _ = at_alice.open_link(&alice, LinkPolicy::Ask, CREATED, rng).unwrap();
    store(golden, "group", &mut at_alice);

    let mut twin = open_written(golden);
    let _ = at_alice.set(&alice, Setting::NAME, b"one", CREATED).unwrap();
    let rival = twin.set(&alice, Setting::NAME, b"other", CREATED).unwrap();
    let _ = at_alice.offer(&rival.statements[0], &signers).unwrap();
    store(golden, "group-read-only", &mut at_alice);
    golden.write("group-floor", Sha256::digest(at_alice.floor().unwrap()).as_slice());
}

/// The record that was written just now, as another copy of the device has it.
fn open_written(golden: &Golden) -> Membership {
    let id = GroupId::try_from(golden.read("group-id").as_slice()).unwrap();
    let blocks = blocks(&golden.read("group-blocks"));
    Membership::unseal(&key(), id, &golden.read("group"), |block| blocks.get(&block).cloned()).unwrap()
}
