//! People whose keys a test knows, the group as each of their devices knows it, and everything that they have written.

use std::collections::BTreeMap;

use bisik::device::{AccountKey, Custody, DeviceCertificate, DeviceDirectory, DeviceTerms, ListId, Primary};
use bisik::group::GroupId;
use bisik::group::membership::{
    ActHash, Author, EntryHash, GroupEvent, Membership, OfferError, Offered, Setting, Signers, State, Statement, Stay,
    Taken, WriteError, Written,
};
use bisik::{BlockId, Identity, StorageKey, Timestamp};
use bisik_testkit::{ConstantRng, SeededRng};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// People by number. Each has a telephone; the laptops of the first ones are companions.
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CAROL: usize = 2;
pub const DAVE: usize = 3;
pub const EVE: usize = 4;

/// A device: whose, and 0 for the telephone or 1 for the laptop.
pub type At = (usize, u32);

/// The device whose two secrets are 32 times this byte.
pub fn device(number: u8) -> Identity {
    Identity::generate(&mut ConstantRng(number))
}

/// The byte of a device's secrets.
pub fn number((who, index): At) -> u8 {
    u8::try_from(1 + who).unwrap() + 100 * u8::try_from(index).unwrap()
}

/// `text ‖ signature` by device `at` over `label ‖ identity key ‖ text`, made without the library.
pub fn signed(at: At, label: &str, text: &[u8]) -> Vec<u8> {
    let whole = [label.as_bytes(), &device(number(at)).public().to_bytes(), text].concat();
    [text, &SigningKey::from_bytes(&[number(at); 32]).sign(&whole).to_bytes()].concat()
}

pub fn hash(label: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::digest([label.as_bytes(), bytes].concat()).into()
}

pub fn act_hash(bytes: &[u8]) -> ActHash {
    ActHash::from_bytes(hash("bisik-1 hash of a group act\0", bytes))
}

/// What a person's devices are.
pub struct Person {
    pub account: AccountKey,
    pub directory: DeviceDirectory,
}

/// People, their devices, and the statements so far.
pub struct World {
    pub rng: SeededRng,
    pub people: Vec<Person>,
    pub signers: Signers,
    pub groups: BTreeMap<At, Membership>,
    /// Everything that anybody wrote, in order.
    pub said: Vec<Statement>,
    pub id: GroupId,
}

/// Kinds of acts, by their byte.
pub const ADD: u8 = 1;
pub const ACCEPT: u8 = 2;
pub const LEAVE: u8 = 3;
pub const REMOVE: u8 = 4;
pub const RETIRE: u8 = 5;
pub const OPEN_LINK: u8 = 6;
pub const JOIN: u8 = 8;
pub const REKEY: u8 = 9;

impl World {
    /// `people` people of two devices each; the first founds a group.
    pub fn new(people: usize) -> Self {
        let own = DeviceTerms::own_held(Custody::Person).unwrap();
        let mut signers = Signers::new();
        let people: Vec<_> = (0..people)
            .map(|who| {
                let phone = device(number((who, 0)));
                let mut primary = Primary::new(&phone, own, NOW);
                let joining = DeviceCertificate::sign(&device(number((who, 1))), primary.account(), 1, own);
                signers.add(primary.add(&phone, joining, NOW).unwrap()).unwrap();
                Person { account: *primary.account(), directory: primary.directory() }
            })
            .collect();
        let mut rng = SeededRng::new(7);
        let phone = device(number((ALICE, 0)));
        let author = Author::of(&phone, &people[ALICE].directory).unwrap();
        let (group, written) = Membership::found(&author, &[(Setting::NAME, b"Lombok")], None, NOW, &mut rng).unwrap();
        let id = group.id();
        let groups = [((ALICE, 0), group)].into();
        Self { rng, people, signers, groups, said: written.statements, id }
    }

    /// A group of which everybody is a member, and everybody's telephone knows everything.
    pub fn of_members(people: usize) -> Self {
        let mut world = Self::new(people);
        for who in 1..people {
            world.invite((ALICE, 0), who);
            world.catch_up((who, 0));
            world.write((who, 0), |group, author, _| group.accept(author, NOW)).unwrap();
            world.catch_up((ALICE, 0));
        }
        world.sync();
        world
    }

    pub fn account(&self, who: usize) -> AccountKey {
        self.people[who].account
    }

    /// Lets a device write. What it wrote is kept, and nobody else knows it yet.
    pub fn write(
        &mut self,
        at: At,
        run: impl FnOnce(&mut Membership, &Author<'_>, &mut SeededRng) -> Result<Written, WriteError>,
    ) -> Result<Vec<Statement>, WriteError> {
        let identity = device(number(at));
        let author = Author::of(&identity, &self.people[at.0].directory).unwrap();
        let group = self.groups.get_mut(&at).unwrap();
        let written = run(group, &author, &mut self.rng)?;
        self.said.extend(written.statements.iter().cloned());
        Ok(written.statements)
    }

    pub fn invite(&mut self, by: At, who: usize) {
        let account = self.account(who);
        self.write(by, |group, author, rng| group.add(author, account, NOW, rng)).unwrap();
    }

    pub fn remove(&mut self, by: At, who: usize) -> Result<Vec<Statement>, WriteError> {
        let account = self.account(who);
        self.write(by, |group, author, _| group.remove(author, &account, &[], NOW))
    }

    pub fn role(&mut self, who: usize, role: bisik::group::membership::Role) -> Vec<Statement> {
        let account = self.account(who);
        self.write((ALICE, 0), |group, author, _| group.set_role(author, &account, role, &[], NOW)).unwrap()
    }

    /// The group as a device that begins to follow it now knows it: its first entry.
    pub fn fresh(&self, at: At) -> Membership {
        let first = self.said[0].as_bytes();
        Membership::follow(self.id, first, &self.account(at.0), device(number(at)).public()).unwrap()
    }

    pub fn offer(&mut self, at: At, statement: &Statement) -> Result<Offered, OfferError> {
        if !self.groups.contains_key(&at) {
            let group = self.fresh(at);
            self.groups.insert(at, group);
        }
        self.groups.get_mut(&at).unwrap().offer(statement, &self.signers)
    }

    /// Gives a device everything that was written. Returns the events.
    pub fn catch_up(&mut self, at: At) -> Vec<GroupEvent> {
        let said = self.said.clone();
        said.iter().filter_map(|statement| self.offer(at, statement).ok()).flat_map(|offered| offered.events).collect()
    }

    /// Gives every device that follows the group everything.
    pub fn sync(&mut self) {
        for at in self.groups.keys().copied().collect::<Vec<_>>() {
            self.catch_up(at);
        }
    }

    /// The device after a restart with an old record, or a copy of it: what it knows, and nothing else.
    pub fn copy(&mut self, at: At) -> Membership {
        let key = StorageKey::from_bytes([9; 32]);
        let group = self.groups.get_mut(&at).unwrap();
        let mut blocks: BTreeMap<BlockId, Vec<u8>> = BTreeMap::new();
        let sealed = group.seal(&key, &mut self.rng).unwrap();
        blocks.extend(sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())));
        // Not confirmed: the group itself will give all of them again.
        Membership::unseal(&key, self.id, sealed.head(), |id| blocks.get(&id).cloned()).unwrap()
    }

    pub fn group(&self, at: At) -> &Membership {
        &self.groups[&at]
    }

    pub fn state(&self, at: At) -> &State {
        self.group(at).state()
    }

    /// The people who are members, as this device sees it.
    pub fn members(&self, at: At) -> Vec<usize> {
        (0..self.people.len()).filter(|who| self.state(at).is_member(&self.account(*who))).collect()
    }

    /// The people to whom this device would send keys.
    pub fn receivers(&self, at: At) -> Vec<usize> {
        let receivers: Vec<_> = self.group(at).receivers().copied().collect();
        (0..self.people.len()).filter(|who| receivers.contains(&self.account(*who))).collect()
    }

    pub fn stay(&self, at: At, who: usize) -> Stay {
        *self.state(at).stay_of(&self.account(who)).unwrap()
    }

    /// An act with any fields, signed with the device's key.
    pub fn forge(&self, by: At, entry: (u64, EntryHash), stay: Stay, kind: u8, body: &[u8]) -> Statement {
        let list = if by.1 == 0 { ListId::from_bytes(&[0; 40]) } else { self.people[by.0].directory.id() };
        let text = [
            &[1],
            self.id.as_bytes().as_slice(),
            &entry.0.to_be_bytes(),
            entry.1.as_bytes(),
            &stay.account.to_bytes(),
            stay.id.as_bytes(),
            &by.1.to_be_bytes(),
            &list.to_bytes(),
            &NOW.as_unix_seconds().to_be_bytes(),
            &[kind],
            body,
        ]
        .concat();
        Statement::Act(signed(by, "bisik-1 group act\0", &text))
    }

    /// The same act of another time: another act.
    pub fn again(&self, by: At, act: &Statement, seconds: u64) -> Statement {
        let mut text = act.as_bytes().to_vec();
        text.truncate(text.len() - 64);
        text[197..205].copy_from_slice(&(NOW.as_unix_seconds() + seconds).to_be_bytes());
        Statement::Act(signed(by, "bisik-1 group act\0", &text))
    }

    /// This many different acts that ask for new keys, by a device that has the right to it after the entry.
    pub fn rekeys(&self, by: At, entry: (u64, EntryHash), stay: Stay, count: u64) -> Vec<Statement> {
        let act = self.forge(by, entry, stay, REKEY, &[]);
        (0..count).map(|turn| self.again(by, &act, turn)).collect()
    }

    /// Offers several acts at once.
    pub fn offer_all_at_once(&mut self, at: At, acts: &[Statement]) -> Vec<Result<Taken, OfferError>> {
        let acts: Vec<_> = acts.iter().map(Statement::as_bytes).collect();
        self.groups.get_mut(&at).unwrap().offer_acts(&acts, &self.signers).taken
    }

    /// The newest entry, as a device knows it.
    pub fn newest(&self, at: At) -> (u64, EntryHash) {
        (self.group(at).epoch(), self.group(at).newest_entry())
    }
}

/// `account ‖ stay`.
pub fn encoded(stay: &Stay) -> Vec<u8> {
    [&stay.account.to_bytes(), stay.id.as_bytes().as_slice()].concat()
}

/// Offers everything in this order until nothing new is taken, as a device does that asks again for what it lacks.
pub fn offer_all(group: &mut Membership, statements: &[Statement], signers: &Signers) {
    loop {
        let mut progress = false;
        for statement in statements {
            progress |= group.offer(statement, signers).is_ok_and(|offered| offered.taken == Taken::Taken);
        }
        if !progress {
            return;
        }
    }
}
