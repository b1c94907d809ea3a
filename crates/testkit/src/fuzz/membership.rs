//! `group_statement`: entries, acts and floors of a group that are arbitrary, edited, or correctly signed by a dishonest
//! owner or admin. `membership`: what members of a group do, on a network that reorders.
//!
//! They are signed without the library, by labels and layout of docs/spec/groups.md, section 13.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bisik::device::{Custody, DeviceCertificate, DeviceDirectory, DeviceTerms, Primary};
use bisik::group::membership::{
    Author, LinkPolicy, LinkSecret, Membership, OfferError, Role, Setting, Signers, Statement, Taken, WriteError,
    Written,
};
use bisik::{Identity, StorageKey, Timestamp};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use super::input::{Input, RAW};
use crate::{ConstantRng, SeededRng};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const PEOPLE: usize = 4;

fn identity((who, device): At) -> Identity {
    Identity::generate(&mut ConstantRng(byte((who, device))))
}

/// The byte of which the secrets of a device are made.
fn byte((who, device): At) -> u8 {
    0x70 + u8::try_from(2 * who + device).unwrap()
}

/// A person and one of two devices.
type At = (usize, usize);

struct People {
    directories: Vec<DeviceDirectory>,
    signers: Signers,
}

static PEOPLE_AND_LISTS: LazyLock<People> = LazyLock::new(|| {
    let own = DeviceTerms::own_held(Custody::Person).unwrap();
    let mut signers = Signers::new();
    let directories = (0..PEOPLE)
        .map(|who| {
            let phone = identity((who, 0));
            let mut primary = Primary::new(&phone, own, NOW);
            let laptop = DeviceCertificate::sign(&identity((who, 1)), primary.account(), 1, own);
            signers.add(primary.add(&phone, laptop, NOW).unwrap()).unwrap();
            primary.directory()
        })
        .collect();
    People { directories, signers }
});

/// A group in which everybody does something, as its members' devices know it.
struct World {
    groups: BTreeMap<At, Membership>,
    said: Vec<Statement>,
    links: Vec<LinkSecret>,
    rng: SeededRng,
}

impl World {
    fn new() -> Self {
        let (phone, mut rng) = (identity((0, 0)), SeededRng::new(3));
        let author = Author::of(&phone, &PEOPLE_AND_LISTS.directories[0]).unwrap();
        let (group, written) = Membership::found(&author, &[(Setting::NAME, b"x")], None, NOW, &mut rng).unwrap();
        Self { groups: [((0, 0), group)].into(), said: written.statements, links: Vec::new(), rng }
    }

    fn fresh(&self, at: At) -> Membership {
        let first = self.said[0].as_bytes();
        let id = self.groups[&(0, 0)].id();
        Membership::follow(id, first, PEOPLE_AND_LISTS.directories[at.0].account(), identity(at).public()).unwrap()
    }

    fn write(
        &mut self,
        at: At,
        run: impl FnOnce(&mut Membership, &Author<'_>, &mut SeededRng) -> Result<Written, WriteError>,
    ) {
        if !self.groups.contains_key(&at) {
            let fresh = self.fresh(at);
            self.groups.insert(at, fresh);
        }
        let (identity, group) = (identity(at), self.groups.get_mut(&at).unwrap());
        let author = Author::of(&identity, &PEOPLE_AND_LISTS.directories[at.0]).unwrap();
        let (state, revision) = (group.state().clone(), group.revision());
        match run(group, &author, &mut self.rng) {
            Ok(written) => self.said.extend(written.statements),
            Err(error) => {
                assert_ne!(error, WriteError::Internal);
                assert_eq!((group.state(), group.revision()), (&state, revision), "a refusal changes nothing");
            }
        }
    }

    /// Gives a device everything, as far as it takes it.
    fn tell(&mut self, at: At) {
        let Some(group) = self.groups.get_mut(&at) else { return };
        give(group, &self.said);
    }

    fn invite(&mut self, who: usize) {
        let account = *PEOPLE_AND_LISTS.directories[who].account();
        self.write((0, 0), |group, author, rng| group.add(author, account, NOW, rng));
        self.write((who, 0), |_, _, _| Ok(Written::default()));
        self.tell((who, 0));
        self.write((who, 0), |group, author, _| group.accept(author, NOW));
        self.tell((0, 0));
    }
}

fn give(group: &mut Membership, said: &[Statement]) {
    loop {
        let mut progress = false;
        for statement in said {
            let offered = group.offer(statement, &PEOPLE_AND_LISTS.signers);
            progress |= offered.is_ok_and(|offered| offered.taken == Taken::Taken);
        }
        if !progress {
            return;
        }
    }
}

/// `membership`: each four bytes are who, with which device, does what, to whom.
pub fn membership(data: &[u8]) {
    let (mut input, mut world) = (Input::new(data), World::new());
    (1..PEOPLE - 1).for_each(|who| world.invite(who));
    for _ in 0..24 {
        if input.is_empty() {
            break;
        }
        let [who, what, target, told] = input.array::<4>();
        step(&mut world, (usize::from(who) % PEOPLE, usize::from(who / 128)), what, usize::from(target), told);
    }
    // Whoever is told everything, in whatever order, sees the same members.
    let mut forwards = world.fresh((3, 1));
    give(&mut forwards, &world.said);
    world.said.reverse();
    let (mut backwards, said) = (world.fresh_of(&world.said), world.said.clone());
    give(&mut backwards, &said);
    for group in [&forwards, &backwards] {
        let state = group.state();
        assert!(group.receivers().all(|receiver| state.is_member(receiver)));
        assert!(state.is_member(&state.owner().account));
    }
    let seen = |group: &Membership| {
        let members: Vec<_> = group.state().members().copied().collect();
        (members, *group.state().acts_digest(), group.newest_entry())
    };
    assert_eq!(seen(&forwards), seen(&backwards), "order decides nothing");
    stored(&mut forwards);
}

impl World {
    /// Like `fresh`, where the first entry is said last.
    fn fresh_of(&self, said: &[Statement]) -> Membership {
        let (id, at) = (self.groups[&(0, 0)].id(), (3, 1));
        let account = PEOPLE_AND_LISTS.directories[at.0].account();
        Membership::follow(id, said.last().unwrap().as_bytes(), account, identity(at).public()).unwrap()
    }
}

fn step(world: &mut World, at: At, what: u8, target: usize, told: u8) {
    let account = *PEOPLE_AND_LISTS.directories[target % PEOPLE].account();
    let laptop = *identity((target % PEOPLE, 1)).public();
    let role = [Role::Admin, Role::Member, Role::Reader][target / 4 % 3];
    let link = world.links.get(target % 3).map(LinkSecret::expose_bytes);
    let link = link.map(|bytes| LinkSecret::from_bytes(&bytes).unwrap());
    let owner = (0, 0);
    match what % 13 {
        0 => world.write(at, |group, author, rng| group.add(author, account, NOW, rng)),
        1 => world.write(at, |group, author, _| group.accept(author, NOW)),
        2 => world.write(at, |group, author, _| group.remove(author, &account, &[], NOW)),
        3 => world.write(at, |group, author, _| group.leave(author, &[], NOW)),
        4 => world.write(owner, |group, author, _| group.set_role(author, &account, role, &[], NOW)),
        5 => {
            let all: Vec<_> = world.groups[&owner].acts().map(|act| act.id).collect();
            world.write(owner, |group, author, _| group.set_role(author, &account, role, &all, NOW));
        }
        6 => {
            let mut links = std::mem::take(&mut world.links);
            world.write(at, |group, author, rng| {
                let policy = if target > 127 { LinkPolicy::Ask } else { LinkPolicy::Member };
                let (link, written) = group.open_link(author, policy, NOW, rng)?;
                links.push(link);
                Ok(written)
            });
            world.links = links;
        }
        7 => world.write(at, |group, author, rng| {
            link.as_ref().map_or(Err(WriteError::Unknown), |link| group.join(author, link, NOW, rng))
        }),
        8 => world.write(at, |group, author, _| {
            link.as_ref().map_or(Err(WriteError::Unknown), |link| group.close_link(author, link.id(), &[], NOW))
        }),
        9 => world.write(owner, |group, author, _| group.bar(author, account, laptop, &[], NOW)),
        10 => {
            let one: Vec<_> = world.groups[&owner].acts().map(|act| act.id).skip(target % 8).take(1).collect();
            world.write(owner, |group, author, _| match target > 127 {
                true => group.keep(author, &one, NOW),
                false => group.lift(author, &one, NOW),
            });
        }
        11 => world.write(at, |group, author, _| group.make_again(author, NOW)),
        _ => world.write(at, |group, author, _| group.rekey(author, NOW)),
    }
    let devices: Vec<_> = world.groups.keys().copied().collect();
    for (place, at) in devices.into_iter().enumerate() {
        if told & (1 << (place % 8)) != 0 {
            world.tell(at);
        }
    }
}

/// The record holds what decides.
fn stored(group: &mut Membership) {
    let key = StorageKey::from_bytes([7; 32]);
    let sealed = group.seal(&key, &mut SeededRng::new(1)).unwrap();
    let blocks: BTreeMap<_, _> = sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())).collect();
    let again = Membership::unseal(&key, group.id(), sealed.head(), |id| blocks.get(&id).cloned()).unwrap();
    assert_eq!((again.state(), again.revision()), (group.state(), group.revision()));
}

/// What `group_statement` begins with: a group with an admin, and one statement of each kind.
static GENUINE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut world = base();
    step(&mut world, (1, 1), 0, 3, 0xff);
    step(&mut world, (1, 0), 2, 2, 0xff);
    step(&mut world, (1, 0), 6, 0, 0xff);
    step(&mut world, (0, 0), 9, 2, 0xff);
    world.write((0, 0), |group, author, _| group.settle_group(author, NOW));
    world.said.iter().map(|statement| statement.as_bytes().to_vec()).collect()
});

fn base() -> World {
    let mut world = World::new();
    (1..PEOPLE - 1).for_each(|who| world.invite(who));
    step(&mut world, (0, 0), 4, 1, 0xff);
    world
}

/// `text ‖ signature` by a device, made without the library.
fn signed(at: At, label: &[u8], text: &[u8]) -> Vec<u8> {
    let key = SigningKey::from_bytes(&[byte(at); 32]);
    let whole = [label, &identity(at).public().to_bytes(), text].concat();
    [text, &key.sign(&whole).to_bytes()].concat()
}

/// `group_statement`: the first byte says what the others are.
pub fn group_statement(data: &[u8]) {
    let (mut input, mut world) = (Input::new(data), base());
    let mut group = world.groups.remove(&(0, 0)).unwrap();
    let (state, revision) = (group.state().clone(), group.revision());
    let statement = match input.byte() % 4 {
        0 => {
            let bytes = input.edited(&GENUINE);
            [Statement::Entry(bytes.clone()), Statement::Act(bytes.clone()), Statement::Floor(bytes)]
                [usize::from(input.byte()) % 3]
                .clone()
        }
        1 => Statement::Entry(entry(&group, input.rest())),
        2 => Statement::Act(act(&group, &mut input)),
        _ => return floor(&group, input.rest()),
    };
    let signers = &PEOPLE_AND_LISTS.signers;
    match group.offer(&statement, signers) {
        Ok(offered) if offered.taken == Taken::Taken => {
            assert!(group.revision() > revision);
            assert_eq!(group.offer(&statement, signers).unwrap().taken, Taken::Known);
            stored(&mut group);
        }
        Ok(_) => assert_eq!((group.state(), group.revision()), (&state, revision), "nothing was taken"),
        Err(error) => {
            assert_eq!((group.state(), group.revision()), (&state, revision), "a refusal changes nothing");
            assert_eq!(group.offer(&statement, signers), Err(error));
        }
    }
}

/// The next entry with any changes, signed by the owner.
fn entry(group: &Membership, changes: &[u8]) -> Vec<u8> {
    let changes = &changes[..changes.len().min(32_768)];
    let text = [
        [1].as_slice(),
        group.id().as_bytes(),
        &(group.epoch() + 1).to_be_bytes(),
        group.newest_entry().as_bytes(),
        &identity((0, 0)).public().to_bytes(),
        &NOW.as_unix_seconds().to_be_bytes(),
        &u16::try_from(changes.len()).unwrap().to_be_bytes(),
        changes,
        &[0; 32],
    ]
    .concat();
    signed((0, 0), b"bisik-1 group entry\0", &text)
}

/// An act of any kind with any body, at the newest entry, signed by the owner or an admin.
fn act(group: &Membership, input: &mut Input<'_>) -> Vec<u8> {
    let [who, kind] = input.array();
    let at = (usize::from(who) % 2, 0);
    let account = *PEOPLE_AND_LISTS.directories[at.0].account();
    let stay = *group.state().stay_of(&account).unwrap();
    let text = [
        [1].as_slice(),
        group.id().as_bytes(),
        &group.epoch().to_be_bytes(),
        group.newest_entry().as_bytes(),
        &account.to_bytes(),
        stay.id.as_bytes(),
        &[0; 44],
        &NOW.as_unix_seconds().to_be_bytes(),
        &[kind % 12],
        input.bytes(20_000),
    ]
    .concat();
    signed(at, b"bisik-1 group act\0", &text)
}

/// A group of one whose owner settles it by any floor.
fn floor(_: &Membership, floor: &[u8]) {
    let mut world = World::new();
    let mut group = world.groups.remove(&(0, 0)).unwrap();
    let owner = group.state().owner();
    let owner = [&owner.account.to_bytes(), owner.id.as_bytes().as_slice()].concat();
    let whole: Vec<u8>;
    // After the version and one stay, which is the owner's, come the fuzzer's bytes; or nothing but these.
    let floor = match floor.split_first() {
        Some((0, rest)) => {
            whole = [[1, 0, 1].as_slice(), &owner, &[1], rest].concat();
            &whole
        }
        _ => floor,
    };
    let hash = Sha256::digest([b"bisik-1 group floor\0", floor].concat());
    let rights =
        [&[1][..], &owner, &[0, 0, 1], &owner, &[0, 0, 1, 1, 0, 1], b"x", &[0; 4], &2_u64.to_be_bytes(), &hash];
    let rights = Sha256::digest([b"bisik-1 group rights\0", rights.concat().as_slice()].concat());
    let mut text = entry(&group, &[&[10][..], &hash].concat());
    text.truncate(text.len() - 96);
    let settled = signed((0, 0), b"bisik-1 group entry\0", &[text.as_slice(), &rights].concat());
    let signers = &PEOPLE_AND_LISTS.signers;
    assert_eq!(group.offer_entry(&settled, signers).unwrap().taken, Taken::Taken);
    let revision = group.revision();
    match group.offer_floor(floor, signers) {
        Ok(offered) => {
            assert_eq!((offered.taken, group.floor()), (Taken::Taken, Some(floor)));
            stored(&mut group);
        }
        Err(error) => assert_eq!((error, group.revision()), (OfferError::Malformed, revision)),
    }
}

pub fn membership_seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("promote_and_remove", [[0, 4, 1, 0xff], [1, 2, 2, 0xff], [0, 5, 5, 0]].concat()),
        ("removed_at_once", [[0, 4, 1, 0xff], [1, 2, 2, 0], [0, 2, 1, 0], [129, 0, 3, 0]].concat()),
        ("links", [[0, 6, 0, 0xff], [3, 7, 0, 0xff], [0, 8, 0, 0xff], [3, 7, 0, 0xff]].concat()),
        ("link_that_asks", [[0, 6, 200, 0xff], [3, 7, 2, 0xff], [0, 12, 0, 0xff]].concat()),
        ("leave_and_come_back", [[2, 3, 0, 0xff], [0, 0, 2, 0xff], [2, 1, 0, 0xff]].concat()),
        ("barred", [[0, 4, 1, 0xff], [129, 2, 2, 0], [0, 9, 1, 0xff], [129, 0, 3, 0xff]].concat()),
        ("kept_and_lifted", [[0, 2, 2, 0xff], [0, 10, 128, 0xff], [0, 10, 0, 0xff]].concat()),
    ]
}

pub fn group_statement_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let genuine = |index: u8, kind: u8| vec![0, index, 0, kind];
    let raw = |bytes: &[u8], kind: u8| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0, RAW], length.as_slice(), bytes, &[kind]].concat()
    };
    let last = GENUINE.len() - 1;
    vec![
        ("entry", genuine(u8::try_from(last - 1).unwrap(), 0)),
        ("act", genuine(u8::try_from(last - 3).unwrap(), 1)),
        ("floor", genuine(u8::try_from(last).unwrap(), 2)),
        ("raw_act", raw(&GENUINE[1], 1)),
        ("flipped_act", vec![0, 1, 1, 0, 1, 0, 100, 1]),
        ("truncated_entry", vec![0, 0, 1, 1, 0, 0, 200, 0]),
        ("signed_settings", [&[1, 3, 1, 0, 2][..], b"hi", &[3, 4, 0, 4, 0, 0, 0, 9]].concat()),
        ("signed_unknown_change", vec![1, 13]),
        ("signed_lists", [&[1, 7, 0, 1][..], &[5; 16], &[8, 0, 0], &[12]].concat()),
        ("signed_rekey", vec![2, 1, 9]),
        ("signed_link", [&[2, 0, 6][..], &GENUINE[0][73..105], &[1]].concat()),
        ("signed_removal_that_keeps", [&[2, 0, 4][..], &GENUINE[0][73..137], &[6; 16], &[0, 1], &[5; 16]].concat()),
        ("signed_leave", vec![2, 1, 3, 0, 0]),
        ("settled", [&[3, 0][..], &[0; 6]].concat()),
        ("settled_with_a_link", [&[3, 0, 0, 1][..], &[4; 16], &[5; 32], &[2], &[0; 4]].concat()),
        ("settled_without_the_owner", vec![3, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    ]
}
