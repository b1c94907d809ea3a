//! Three members of a group and somebody who was removed, for the targets `group_letter` and `group_room`: what each has
//! stored, everything that they have sent each other, and letters that nobody wrote.
//!
//! A letter arrives in a conversation. Here it is put into the record of one, as docs/formats.md, section 12.8, says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bisik::conversation::{Conversation, Received, ReceivedLetter};
use bisik::device::DeviceTerms;
use bisik::group::membership::{LinkPolicy, Setting};
use bisik::group::{Group, GroupArrival, GroupChange, GroupId, GroupReceived, GroupRecordName, MemberDevice};
use bisik::{Account, BlockId, IdentityKey, Timestamp};

use super::fixtures::{Repeatable, storage_key};
use super::party::{self, BLOCKS, Database, PREFIX, Party};
use super::record;

pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CAROL: usize = 2;
/// Was a member, and is out.
pub const MALLORY: usize = 3;
pub const PEOPLE: usize = 4;
/// Kinds of records.
const CHAIN: u8 = 19;
const CHAINS: u8 = 20;
const DESK: u8 = 26;
const DEVICES: u8 = 27;
/// The kind of an entry of a conversation's inbox that is a letter.
const LETTER: u8 = 7;
/// Bytes of a device in a record.
const DEVICE: usize = 64 + 4 + 64;

/// What a device has stored of the group.
#[derive(Clone, Default)]
pub struct Store {
    pub records: BTreeMap<Vec<u8>, Vec<u8>>,
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

/// What a device sends: letters with the device that each is for, and messages.
#[derive(Default)]
pub struct Sent {
    pub letters: Vec<(IdentityKey, Vec<u8>)>,
    pub messages: Vec<Vec<u8>>,
}

/// A device with its group.
pub struct Member {
    pub who: usize,
    pub group: Group,
    pub store: Store,
    pub rng: Repeatable,
}

pub struct Scene {
    pub accounts: [Account; PEOPLE],
    pub id: GroupId,
    pub stores: [Store; PEOPLE],
    /// Everything that was sent, in its order, and who sent it.
    pub letters: Vec<Vec<u8>>,
    pub messages: Vec<Vec<u8>>,
}

pub static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let accounts = [70, 71, 72, 73].map(|seed| Account::create(DeviceTerms::person(), NOW, &mut Repeatable(seed)));
    let rng = &mut Repeatable(74);
    let settings: [(Setting, &[u8]); 2] = [(Setting::NAME, b"Perjalanan"), (Setting::HISTORY, &[3])];
    let group = Group::found(&accounts[ALICE], &settings, NOW, rng).expect("it is a primary device");
    let id = group.id();
    let mut members: Vec<Option<Member>> = (0..PEOPLE).map(|_| None).collect();
    members[ALICE] = Some(Member { who: ALICE, group, store: Store::default(), rng: Repeatable(80) });
    let (mut letters, mut messages) = (Vec::new(), Vec::new());
    let mut run = |members: &mut Vec<Option<Member>>| {
        for _ in 0..8 {
            for who in 0..PEOPLE {
                let Some(member) = &mut members[who] else { continue };
                member.learn_all(&accounts);
                let Some(sent) = member.work(&accounts[who], NOW) else { continue };
                for (to, body) in sent.letters {
                    let to = accounts.iter().position(|account| *account.identity().public() == to).expect("a person");
                    letters.push(body.clone());
                    with_letter(&device(&accounts, who), &body, |letter| match &mut members[to] {
                        Some(member) => drop(member.group.receive_letter(&accounts[to], letter, NOW)),
                        none => {
                            let group = Group::follow(&accounts[to], letter, NOW).expect("an invitation");
                            *none = Some(Member {
                                who: to,
                                group,
                                store: Store::default(),
                                rng: Repeatable(80 + to as u64),
                            });
                        }
                    });
                }
                for message in sent.messages {
                    messages.push(message.clone());
                    let arrival = [GroupArrival { from: (*accounts[who].key(), 0), message }];
                    for member in members.iter_mut().flatten().filter(|member| member.who != who) {
                        drop(member.group.receive(&accounts[member.who], &arrival, NOW));
                    }
                }
            }
        }
    };
    for who in 1..PEOPLE {
        let group = &mut members[ALICE].as_mut().expect("she founded it").group;
        group.invite(&accounts[ALICE], *accounts[who].key(), NOW, rng).expect("there is room");
        run(&mut members);
        let invited = &mut members[who].as_mut().expect("everybody was invited").group;
        invited.accept(&accounts[who], NOW).expect("invited");
        run(&mut members);
    }
    for (who, text) in [(ALICE, b"satu"), (BOB, b"dua "), (CAROL, b"tiga"), (MALLORY, b"lima")] {
        let group = &mut members[who].as_mut().expect("everybody was invited").group;
        group.send(&accounts[who], text, &[], NOW, rng).expect("a member writes");
        run(&mut members);
    }
    let alice = &mut members[ALICE].as_mut().expect("she founded it").group;
    let _link = alice.open_link(&accounts[ALICE], LinkPolicy::Member, NOW, rng).expect("there is room");
    alice.remove(&accounts[ALICE], accounts[MALLORY].key(), &[], NOW).expect("she owns it");
    run(&mut members);
    let stores = [0, 1, 2, 3].map(|who| {
        let member = members[who].as_mut().expect("everybody was invited");
        member.group.settle(u64::MAX);
        let _stored = member.save();
        member.store.clone()
    });
    Scene { accounts, id, stores, letters, messages }
});

pub fn device(accounts: &[Account], who: usize) -> MemberDevice {
    MemberDevice { account: *accounts[who].key(), device: 0, identity: *accounts[who].identity().public() }
}

impl Member {
    /// A device, as the scene left it.
    pub fn new(who: usize) -> Self {
        let store = SCENE.stores[who].clone();
        Self { who, group: store.open(SCENE.id), store, rng: Repeatable(90 + who as u64) }
    }

    pub fn account(&self) -> &'static Account {
        &SCENE.accounts[self.who]
    }

    /// Takes all lists.
    pub fn learn_all(&mut self, accounts: &[Account]) {
        for other in accounts {
            self.group.learn_devices(&accounts[self.who], other.devices(), NOW);
        }
    }

    /// Stores what has changed.
    pub fn save(&mut self) -> bisik::group::StoredGroup {
        let changes = self.group.seal(&storage_key(), &mut self.rng).expect("no other key was used");
        for change in changes.writes() {
            match change {
                GroupChange::Put(block) => drop(self.store.blocks.insert(block.id(), block.as_bytes().to_vec())),
                GroupChange::Record(record) => {
                    self.store.records.insert(record.name.to_bytes(), record.bytes.clone());
                }
                GroupChange::Delete(id) => drop(self.store.blocks.remove(&id)),
                GroupChange::Remove(name) => drop(self.store.records.remove(&name.to_bytes())),
            }
        }
        let stored = changes.stored();
        assert!(self.group.stored(&stored));
        stored
    }

    /// Does what is due, stores it, and hands it over.
    pub fn work(&mut self, account: &Account, now: Timestamp) -> Option<Sent> {
        let outgoing = self.group.flush(account, &[], now, &mut self.rng).ok()?;
        let stored = self.save();
        let letters = self.outbox();
        let (sent, handover) = outgoing.release(&stored).expect("it was stored");
        self.group.handed(handover);
        assert_eq!(letters.len(), sent.letters.len(), "all of the outbox was given out");
        Some(Sent { letters, messages: sent.messages })
    }

    /// The letters that the stored desk has to send.
    fn outbox(&self) -> Vec<(IdentityKey, Vec<u8>)> {
        let desk = self.open_record(GroupRecordName::Desk(self.group.id())).expect("it was stored");
        let mut rest = &desk[8 + DEVICE + 8..];
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at(length);
            rest = left;
            taken
        };
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize;
        let count = number(take(4));
        let mut letters = Vec::new();
        for _ in 0..count {
            if take(1) == [1] {
                let length = number(take(4));
                let _message = take(length);
                continue;
            }
            let key = take(DEVICE)[68..].try_into().expect("64 bytes");
            let length = number(take(4));
            letters.push((IdentityKey::from_bytes(key).expect("of a person"), take(length).to_vec()));
        }
        letters
    }

    /// The state in a record.
    fn open_record(&self, name: GroupRecordName) -> Option<Vec<u8>> {
        let bytes = self.store.records.get(&name.to_bytes())?;
        let (kind, context) = match name {
            GroupRecordName::Desk(group) => (DESK, group.as_bytes().to_vec()),
            GroupRecordName::Devices(_) => (DEVICES, name.to_bytes()),
            GroupRecordName::Chain(_) => (CHAIN, name.to_bytes()),
            GroupRecordName::Sender(..) => (CHAINS, name.to_bytes()),
            GroupRecordName::Members(_) => return None,
        };
        Some(record::open_named(kind, &context, bytes))
    }

    /// Everything that is stored, but revisions, and what is known of the members. All of it counts as changed.
    pub fn image(&mut self) -> Vec<Vec<u8>> {
        self.group.move_to_key(&storage_key());
        let _stored = self.save();
        let id = self.group.id();
        let senders = (0..PEOPLE).map(|who| GroupRecordName::Sender(id, device(&SCENE.accounts, who)));
        let names =
            senders.chain([GroupRecordName::Desk(id), GroupRecordName::Devices(id), GroupRecordName::Chain(id)]);
        let records = names.map(|name| self.open_record(name).map_or_else(Vec::new, |state| state[8..].to_vec()));
        let members = self.group.membership();
        let known =
            format!("{:?} {:?} {:?}", members.newest_entry(), members.aside(), members.acts().collect::<Vec<_>>());
        records.chain([known.into_bytes()]).collect()
    }

    /// Crashes, and goes on with what is stored: whatever has happened, that opens, and bounds hold.
    pub fn reload(&mut self) {
        let _stored = self.save();
        self.group = self.store.open(self.group.id());
        let waits = self.group.inbox().count();
        assert!(waits <= 1_024 + 2_048, "{waits} things wait for the program");
        let desk = &self.store.records[&GroupRecordName::Desk(self.group.id()).to_bytes()];
        assert!(desk.len() < 16 << 20, "the desk has {} bytes", desk.len());
    }

    /// Takes a letter. What is refused changes nothing.
    pub fn take_letter(&mut self, from: &MemberDevice, body: &[u8], now: Timestamp) -> bool {
        let before = self.image();
        let account = self.account();
        let result = with_letter(from, body, |letter| {
            let named = letter.group();
            let result = self.group.receive_letter(account, letter, now);
            assert!(result.is_err() || named == Ok(self.group.id()), "a letter of another group is refused");
            result
        });
        self.check_inbox();
        if let Err(error) = result {
            assert_eq!(self.image(), before, "{error:?}");
        }
        result.is_ok()
    }

    /// Takes a message. What is refused changes nothing, but that a device which went back is told of.
    pub fn take_message(&mut self, from: &MemberDevice, message: Vec<u8>, now: Timestamp) -> bool {
        let account = self.account();
        drop(self.group.receive(account, &[], now));
        let before = self.image();
        let arrival = [GroupArrival { from: (from.account, from.device), message }];
        let result = self.group.receive(account, &arrival, now).remove(0);
        self.check_inbox();
        if let Err(error) = result {
            let after = self.image();
            let went_back = self.group.inbox().any(|(_, waits)| matches!(waits, GroupReceived::WentBack { .. }));
            assert!(after == before || went_back, "{error:?}");
        }
        result.is_ok()
    }

    /// What has just arrived is of members, by this device's own state.
    fn check_inbox(&mut self) {
        let _stored = self.save();
        let state = self.group.membership().state();
        let Some((_, newest)) = self.group.inbox().last() else { return };
        match newest {
            GroupReceived::History { by, .. } => {
                let setting = self.group.membership().setting(Setting::HISTORY);
                assert!(
                    matches!(setting, Some([2 | 3])) || !state.is_member(&by.account) || self.group.inbox().count() > 1
                );
            }
            GroupReceived::Message { from, .. } => {
                assert!(state.role_of(&from.account).is_some() || self.group.inbox().count() > 1);
            }
            _ => {}
        }
    }
}

impl Store {
    pub fn open(&self, id: GroupId) -> Group {
        let record = |name: GroupRecordName| self.records.get(&name.to_bytes()).cloned();
        let block = |id| self.blocks.get(&id).cloned();
        Group::unseal(&storage_key(), id, record, block).expect("every reachable state can be stored")
    }
}

/// A conversation in which one thing waits for the program, and the name of its block.
struct Mailbox {
    account: Account,
    database: Database,
    entry: BlockId,
}

static MAILBOX: LazyLock<Mailbox> = LazyLock::new(|| {
    let mut us = Party::us();
    let genuine = &party::SCENE.genuine[2];
    us.receive(genuine.author, &genuine.ciphertext).expect("it arrives for the first time");
    drop(us.store());
    let prefix = &party::SCENE.id.as_bytes()[..PREFIX];
    let waits = |block: &[u8]| record::try_open(BLOCKS[3], prefix, block).is_some();
    let entry = us.database.blocks.iter().find(|(_, block)| waits(block)).map(|(id, _)| *id).expect("it waits");
    Mailbox {
        account: Account::unseal(&storage_key(), &us.database.account).expect("stored"),
        database: us.database,
        entry,
    }
});

/// Does something with a letter that a device has written, if that can be one.
pub fn with_letter<T>(from: &MemberDevice, body: &[u8], act: impl FnOnce(&ReceivedLetter) -> T) -> T {
    let Mailbox { account, database, entry } = &*MAILBOX;
    let length = u32::try_from(body.len()).expect("a letter is short").to_be_bytes();
    let head = [&[LETTER, 0], &from.device.to_be_bytes()[..], &[0; 16], &[0; 8]].concat();
    let content = [&head[..], &from.account.to_bytes(), &from.identity.to_bytes(), &length, body].concat();
    let mut nonce = [0; record::NONCE];
    nonce[..PREFIX].copy_from_slice(&entry.as_bytes()[PREFIX..]);
    let prefix = &party::SCENE.id.as_bytes()[..PREFIX];
    let forged = record::seal_with(nonce, BLOCKS[3], prefix, &content);
    let block = |id: BlockId| if id == *entry { Some(forged.clone()) } else { database.blocks.get(&id).cloned() };
    let talk = Conversation::unseal(account, &storage_key(), party::SCENE.id, &database.head, block);
    let talk = talk.expect("a letter can wait");
    let letter = talk.inbox().find_map(|(_, received)| match received {
        Received::Letter { letter, .. } => Some(letter),
        _ => None,
    });
    act(letter.expect("it waits"))
}
