//! Accounts of several devices in one group, with real conversations between them, a server of lists and bundles that is
//! not believed, a relay whose mail a test holds, and a clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bisik::conversation::{Arrival, Conversation, DeviceAddress, Envelope, Event, IdentityPolicy, Received, Side};
use bisik::device::{AccountKey, Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms};
use bisik::group::membership::{GroupEvent, LinkSecret, Role, Setting};
use bisik::group::status::{Audience, Author, Feed, StatusLetter};
use bisik::group::{
    Group, GroupArrival, GroupChange, GroupMessageId, GroupReceiveError, GroupReceived, GroupRecordName,
    GroupSendError, GroupSent, HistoryPointer, MemberDevice, Remembered,
};
use bisik::hosting::{Disclosure, DisclosureDraft, HostingTerms, Operator, OperatorName, Purposes, Retention, Roles};
use bisik::registers::Registers;
use bisik::{Account, BlockId, Identity, IdentityKey, StorageKey, Timestamp, Trust};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A person, and a device: 0 is the telephone.
pub type At = (usize, u32);

pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CAROL: usize = 2;
pub const DAVE: usize = 3;

pub const HOUR: u64 = 60 * 60;
pub const DAY: u64 = 24 * HOUR;

/// One device: its account, its conversations, the group, and what it has shown.
pub struct Device {
    pub account: Account,
    pub talks: BTreeMap<AccountKey, Conversation>,
    pub group: Option<Group>,
    pub store: Store,
    /// Messages that need a chain.
    pub held: Vec<GroupArrival>,
    /// What was shown: who wrote it, what, and whether both went by the same members.
    pub shown: Vec<(usize, String, bool)>,
    /// The same messages, as a program stores them.
    pub heard: Vec<Heard>,
    /// What members have passed on, and where it is.
    pub histories: Vec<(MemberDevice, HistoryPointer)>,
    pub changed: Vec<GroupEvent>,
    /// To whom this device shows statuses.
    pub audience: Option<Audience>,
    /// What others show it.
    pub feeds: BTreeMap<AccountKey, Feed>,
    /// Statuses that need a chain.
    pub held_statuses: Vec<GroupArrival>,
    /// Statuses that were shown: who wrote it, what, and until when.
    pub statuses: Vec<(usize, String, Timestamp)>,
    /// What the account's devices share.
    pub registers: Option<Registers>,
    /// Message requests.
    pub requests: usize,
    /// Everything else.
    pub told: Vec<String>,
}

/// A message as a program stores it.
pub struct Heard {
    pub from: MemberDevice,
    pub id: GroupMessageId,
    pub at: Timestamp,
    pub may_pass_on: bool,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn remembered(&self) -> Remembered<'_> {
        let Self { from, id, at, may_pass_on, body } = self;
        Remembered { from: *from, id: *id, at: *at, may_pass_on: *may_pass_on, body }
    }
}

/// The records of a device's group, each with its revision.
#[derive(Clone, Default)]
pub struct Store {
    pub records: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    pub blocks: BTreeMap<BlockId, Vec<u8>>,
}

/// Something in the relay's hands.
pub enum Mail {
    Letter(Envelope),
    Message(Vec<u8>),
    Status(Vec<u8>),
}

pub struct World {
    pub now: Timestamp,
    pub rng: StdRng,
    pub keys: Vec<AccountKey>,
    pub devices: BTreeMap<At, Device>,
    pub lists: Vec<Vec<DeviceList>>,
    pub disclosures: Vec<Disclosure>,
    /// To whom, from whom, what.
    pub mail: VecDeque<(At, At, Mail)>,
    /// Devices that are switched off: nothing reaches them, and they do nothing.
    pub off: BTreeSet<At>,
    /// Users accept whoever writes to them.
    pub accepts: bool,
    /// Bytes that the relay was given, beside addresses: of letters and of messages.
    pub bytes: (usize, usize),
}

pub fn key() -> StorageKey {
    StorageKey::from_bytes([7; 32])
}

impl World {
    /// People with so many devices each.
    pub fn new(seed: u64, sizes: &[u32]) -> Self {
        let mut world = Self {
            now: Timestamp::from_unix_seconds(1_800_000_000),
            rng: StdRng::seed_from_u64(seed),
            keys: Vec::new(),
            devices: BTreeMap::new(),
            lists: Vec::new(),
            disclosures: Vec::new(),
            mail: VecDeque::new(),
            off: BTreeSet::new(),
            accepts: true,
            bytes: (0, 0),
        };
        for (who, size) in sizes.iter().enumerate() {
            let account = Account::create(DeviceTerms::person(), world.now, &mut world.rng);
            world.keys.push(*account.key());
            world.lists.push(vec![account.primary().unwrap().list().clone()]);
            world.move_in((who, 0), account);
            for _ in 1..*size {
                world.link(who);
            }
        }
        world
    }

    /// A group of Alice's, in which everybody is a member.
    pub fn of_members(seed: u64, sizes: &[u32]) -> Self {
        let mut world = Self::new(seed, sizes);
        world.found();
        (1..sizes.len()).for_each(|who| world.invite((ALICE, 0), who));
        world.run();
        (1..sizes.len()).for_each(|who| world.accept((who, 0)));
        world.run();
        world
    }

    fn move_in(&mut self, at: At, account: Account) {
        let (talks, store) = (BTreeMap::new(), Store::default());
        let device = Device {
            account,
            talks,
            group: None,
            store,
            audience: None,
            registers: None,
            feeds: BTreeMap::new(),
            held_statuses: Vec::new(),
            statuses: Vec::new(),
            held: Vec::new(),
            shown: Vec::new(),
            heard: Vec::new(),
            histories: Vec::new(),
            changed: Vec::new(),
            requests: 0,
            told: Vec::new(),
        };
        self.devices.insert(at, device);
    }

    /// Links another device of a person; returns its index.
    pub fn link(&mut self, who: usize) -> u32 {
        let identity = Identity::generate(&mut self.rng);
        let now = self.now;
        let primary = &mut self.devices.get_mut(&(who, 0)).unwrap().account;
        let index = primary.primary().unwrap().next_index();
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let certificate = DeviceCertificate::sign(&identity, primary.key(), index, terms);
        let list = primary.change_devices(&[DeviceChange::Add(certificate)], now).unwrap();
        let account = Account::join(identity, &self.keys[who], &list, now, &mut self.rng).unwrap();
        self.publish(who, list);
        self.move_in((who, index), account);
        index
    }

    /// Adds a device of a person that somebody else holds the keys of; returns its index, and what is disclosed of it.
    pub fn host(&mut self, who: usize) -> (u32, Disclosure) {
        let [identity, operator] = [(); 2].map(|()| Identity::generate(&mut self.rng));
        let now = self.now;
        let primary = &mut self.devices.get_mut(&(who, 0)).unwrap().account;
        let terms = HostingTerms {
            custody: Custody::Vendor,
            operator: Operator { name: OperatorName::new("Awan Layanan").unwrap(), key: *operator.public() },
            roles: Roles::READ.with(Roles::STORE).with(Roles::ANSWER),
            retention: Retention::THIRTY_DAYS,
            purposes: Purposes::ANSWERING,
        };
        let draft =
            DisclosureDraft::new(*primary.key(), *identity.public(), terms, now, now.plus_seconds(90 * DAY)).unwrap();
        let proven = draft.countersign(&operator).unwrap().prove(&identity).unwrap();
        let disclosure = proven.sign(primary.identity()).unwrap();
        let index = primary.primary().unwrap().next_index();
        let terms = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
        let certificate = DeviceCertificate::sign(&identity, primary.key(), index, terms);
        let list = primary.change_devices(&[DeviceChange::Add(certificate)], now).unwrap();
        let mut account = Account::join(identity, &self.keys[who], &list, now, &mut self.rng).unwrap();
        assert!(account.set_disclosure(disclosure.clone()));
        self.disclosures.push(disclosure.clone());
        self.publish(who, list);
        self.move_in((who, index), account);
        (index, disclosure)
    }

    /// Unlinks a device of a person. It is gone.
    pub fn unlink(&mut self, who: usize, index: u32) -> Device {
        let primary = &mut self.devices.get_mut(&(who, 0)).unwrap().account;
        let list = primary.change_devices(&[DeviceChange::Remove(index)], self.now).unwrap();
        let gone = self.devices.remove(&(who, index)).unwrap();
        self.publish(who, list);
        gone
    }

    /// Signs the list of a person's devices again, as its telephone does in time.
    pub fn renew(&mut self, who: usize) {
        let primary = &mut self.devices.get_mut(&(who, 0)).unwrap().account;
        let list = primary.change_devices(&[], self.now).unwrap();
        self.publish(who, list);
    }

    /// A list that the person's own devices know, and everybody else when they ask.
    fn publish(&mut self, who: usize, list: DeviceList) {
        self.lists[who].push(list.clone());
        for device in self.devices.values_mut() {
            if device.account.key() == list.account() {
                let _known = device.account.accept_devices(core::slice::from_ref(&list), self.now);
            }
            if let Some(talk) = device.talks.get_mut(list.account()) {
                talk.accept_devices(&device.account, core::slice::from_ref(&list), &self.disclosures, self.now)
                    .unwrap();
            }
        }
    }

    pub fn at(&mut self, at: At) -> &mut Device {
        self.devices.get_mut(&at).unwrap()
    }

    pub fn group(&self, at: At) -> &Group {
        let device = &self.devices[&at];
        device.group.as_ref().unwrap_or_else(|| panic!("{at:?} has no group: {:?}", device.told))
    }

    /// Does something in the group of a device.
    pub fn with<T>(&mut self, at: At, act: impl FnOnce(&mut Group, &Account, Timestamp, &mut StdRng) -> T) -> T {
        let device = self.devices.get_mut(&at).unwrap_or_else(|| panic!("{at:?} is no device"));
        let group = device.group.as_mut().unwrap_or_else(|| panic!("{at:?} has no group: {:?}", device.told));
        act(group, &device.account, self.now, &mut self.rng)
    }

    pub fn found(&mut self) {
        let account = &self.devices[&(ALICE, 0)].account;
        let group = Group::found(account, &[(Setting::NAME, b"Perjalanan")], self.now, &mut self.rng).unwrap();
        self.at((ALICE, 0)).group = Some(group);
    }

    pub fn invite(&mut self, by: At, who: usize) {
        let whom = self.keys[who];
        self.with(by, |group, account, now, rng| group.invite(account, whom, now, rng)).unwrap();
    }

    pub fn accept(&mut self, at: At) {
        self.with(at, |group, account, now, _| group.accept(account, now)).unwrap();
    }

    pub fn remove(&mut self, by: At, who: usize) {
        let whom = self.keys[who];
        self.with(by, |group, account, now, _| group.remove(account, &whom, &[], now)).unwrap();
    }

    pub fn role(&mut self, who: usize, role: Role) {
        let whom = self.keys[who];
        self.with((ALICE, 0), |group, account, now, _| group.set_role(account, &whom, role, &[], now)).unwrap();
    }

    /// Asks a member to tell this device of a group.
    pub fn knock(&mut self, at: At, link: &LinkSecret, to: MemberDevice) {
        self.talk(at, &to.account);
        let device = self.devices.get_mut(&at).unwrap();
        let letter = Group::knock(&device.account, link, to, &mut self.rng);
        let talk = device.talks.get_mut(&to.account).unwrap();
        talk.send_letter(&device.account, &letter, self.now, &mut self.rng).unwrap();
    }

    /// Writes a text, to hosted devices too where the labels of this device's conversations permit it.
    pub fn send(&mut self, at: At, text: &str) -> Result<(), GroupSendError> {
        let (now, rng) = (self.now, &mut self.rng);
        let Device { account, talks, group, told, .. } = self.devices.get_mut(&at).unwrap();
        let group = group.as_mut().unwrap_or_else(|| panic!("{at:?} has no group: {told:?}"));
        let labels: Vec<_> = talks.values().map(Conversation::label).collect();
        group.send(account, text.as_bytes(), &labels, now, rng).map(drop)
    }

    /// A device writes three messages, of which the relay loses the second for one person.
    pub fn lose_the_second(&mut self, at: At, reader: usize) {
        for text in ["satu", "dua", "tiga"] {
            self.send(at, text).unwrap();
            self.work(at);
            if text == "dua" {
                self.mail.retain(|(to, _, mail)| to.0 != reader || matches!(mail, Mail::Letter(_)));
            }
            self.run();
        }
    }

    /// The members as a device knows them.
    pub fn members(&self, at: At) -> Vec<usize> {
        let group = self.group(at);
        let mut members: Vec<_> = group.membership().state().members().map(|member| self.who(member)).collect();
        members.sort_unstable();
        members
    }

    /// The texts that a device has shown.
    pub fn texts(&self, at: At) -> Vec<&str> {
        self.devices[&at].shown.iter().map(|(_, text, _)| text.as_str()).collect()
    }

    pub fn who(&self, account: &AccountKey) -> usize {
        self.keys.iter().position(|key| key == account).unwrap()
    }

    pub fn locate(&self, identity: &IdentityKey) -> Option<At> {
        self.devices.iter().find(|(_, device)| device.account.identity().public() == identity).map(|(at, _)| *at)
    }

    /// Delivers everything, and lets every device do what is due, until nothing is left.
    pub fn run(&mut self) {
        for _ in 0..200 {
            let all: Vec<_> = self.devices.keys().copied().collect();
            all.into_iter().for_each(|at| self.work(at));
            if !self.mail.iter().any(|(to, ..)| !self.off.contains(to)) {
                return;
            }
            for (to, from, mail) in core::mem::take(&mut self.mail) {
                if self.off.contains(&to) {
                    self.mail.push_back((to, from, mail));
                } else {
                    self.deliver(to, from, mail);
                }
            }
        }
        panic!("the devices never stop writing");
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus_seconds(seconds);
        self.run();
    }

    /// What is due at one device: lists, the group, and then all conversations.
    pub fn work(&mut self, at: At) {
        if self.off.contains(&at) || !self.devices.contains_key(&at) {
            return;
        }
        let peers = self.devices[&at].group.as_ref().map_or_else(Vec::new, Group::peers);
        for peer in peers {
            self.talk(at, &peer);
            let now = self.now;
            let Device { account, talks, group, .. } = self.devices.get_mut(&at).unwrap();
            let talk = talks.get_mut(&peer).unwrap();
            talk.set_shares_group(true);
            group.as_mut().unwrap().learn_devices(account, talk.peer(), now);
        }
        if let Some(sent) = self.flush(at) {
            self.hand_over(at, sent);
        }
        self.flush_statuses(at);
        self.flush_registers(at);
        let accounts: Vec<_> = self.devices[&at].talks.keys().copied().collect();
        accounts.into_iter().for_each(|account| self.flush_talk(at, &account));
    }

    /// Makes what is due in the group, and stores it.
    pub fn flush(&mut self, at: At) -> Option<GroupSent> {
        let needs = self.devices[&at].group.as_ref()?.needs(self.now);
        for need in needs {
            let who = self.who(&need.account);
            let lists = self.lists[who].clone();
            let wanted = need.list.and_then(|id| lists.iter().find(|list| list.id() == id)).or(lists.last());
            let wanted = wanted.unwrap();
            let _learned = self.with(at, |group, account, now, _| group.learn(account, wanted, now));
        }
        let now = self.now;
        let Device { account, talks, group, store, .. } = self.devices.get_mut(&at).unwrap();
        let group = group.as_mut()?;
        let labels: Vec<_> = talks.values().map(Conversation::label).collect();
        let outgoing = group.flush(account, &labels, now, &mut self.rng).ok()?;
        let stored = store.write(group, &mut self.rng);
        let (sent, handover) = outgoing.release(&stored).unwrap();
        group.handed(handover);
        Some(sent)
    }

    /// Gives messages to the relay, and letters to conversations.
    pub fn hand_over(&mut self, at: At, GroupSent { letters, messages, to }: GroupSent) {
        for message in messages {
            self.bytes.1 += message.len();
            let readers: Vec<_> = to.iter().filter_map(|device| self.locate(&device.identity)).collect();
            for device in readers {
                self.mail.push_back((device, at, Mail::Message(message.clone())));
            }
        }
        for letter in letters {
            let account = letter.to().account;
            self.talk(at, &account);
            let device = self.devices.get_mut(&at).unwrap();
            let talk = device.talks.get_mut(&account).unwrap();
            // A device that has gone since gets nothing.
            let sent = talk.send_letter(&device.account, &letter, self.now, &mut self.rng);
            device.told.extend(sent.err().map(|error| format!("not sent: {error:?} to {:?}", letter.to().device)));
        }
    }

    /// Makes what is due among own devices, stores it, and gives it to the conversation with oneself.
    fn flush_registers(&mut self, at: At) {
        let (now, device) = (self.now, self.devices.get_mut(&at).unwrap());
        let Some(registers) = &mut device.registers else { return };
        let Ok(outgoing) = registers.flush(&device.account, now) else { return };
        let stored = registers.seal(&key(), &mut self.rng).unwrap().stored();
        assert!(registers.stored(&stored));
        let (letters, handover) = outgoing.release(&stored).unwrap();
        registers.handed(handover);
        self.hand_over(at, GroupSent { letters, ..GroupSent::default() });
    }

    /// The conversation of a device with an account; begins it.
    pub fn talk(&mut self, at: At, account: &AccountKey) {
        let list = self.lists[self.who(account)].last().unwrap().clone();
        let device = self.devices.get_mut(&at).unwrap();
        if !device.talks.contains_key(account) {
            let peer = DeviceDirectory::trust(&list, Trust::Pinned(account.identity()), self.now).unwrap();
            let (talk, _) =
                Conversation::new(&device.account, peer, &self.disclosures, IdentityPolicy::Block, self.now);
            device.talks.insert(*account, talk);
        }
    }

    fn flush_talk(&mut self, at: At, account: &AccountKey) {
        let (who, other) = (at.0, self.who(account));
        let device = &self.devices[&at];
        let due = device.talks[account].due(&device.account, self.now);
        let mut bundles = Vec::new();
        for needed in due.bundles {
            if let Some(of) = self.locate(&needed.key) {
                let bundle = self.devices[&of].account.pre_keys().bundle();
                bundles.push((needed.device, bundle.verify(Trust::Pinned(&needed.key), self.now).unwrap()));
            }
        }
        let device = self.devices.get_mut(&at).unwrap();
        let talk = device.talks.get_mut(account).unwrap();
        let outgoing = talk.flush(&device.account, &bundles, self.now, &mut self.rng).unwrap();
        let stored = talk.seal(&mut device.account, &key(), &mut self.rng).unwrap().stored();
        talk.stored(&stored);
        let (envelopes, handover) = outgoing.release(&stored).unwrap();
        talk.handed(handover);
        for envelope in envelopes {
            self.bytes.0 += envelope.ciphertext.as_bytes().len();
            let to = if envelope.to.side == Side::Own { who } else { other };
            self.mail.push_back(((to, envelope.to.index), at, Mail::Letter(envelope)));
        }
    }

    pub fn deliver(&mut self, to: At, from: At, mail: Mail) {
        if !self.devices.contains_key(&to) {
            return;
        }
        match mail {
            Mail::Message(message) => {
                let from = (self.keys[from.0], from.1);
                self.receive(to, vec![GroupArrival { from, message }]);
            }
            Mail::Status(message) => {
                let from = (self.keys[from.0], from.1);
                self.receive_statuses(to, vec![GroupArrival { from, message }]);
            }
            Mail::Letter(envelope) => self.receive_letter(to, from, envelope),
        }
    }

    /// Receives messages, keeps those that need a chain, and shows what came.
    pub fn receive(&mut self, at: At, arrivals: Vec<GroupArrival>) {
        let now = self.now;
        let device = self.devices.get_mut(&at).unwrap();
        let Some(group) = &mut device.group else { return device.held.extend(arrivals) };
        let results = group.receive(&device.account, &arrivals, now);
        for (arrival, result) in arrivals.into_iter().zip(results) {
            match result {
                Err(GroupReceiveError::NeedsChain) => device.held.push(arrival),
                Err(error) => device.told.push(format!("{error:?}")),
                Ok(()) => {}
            }
        }
        self.show(at);
    }

    fn receive_letter(&mut self, to: At, from: At, envelope: Envelope) {
        let account = self.keys[from.0];
        self.talk(to, &account);
        let (now, accepts) = (self.now, self.accepts);
        let device = self.devices.get_mut(&to).unwrap();
        let address = if from.0 == to.0 { DeviceAddress::own(from.1) } else { DeviceAddress::peer(from.1) };
        let talk = device.talks.get_mut(&account).unwrap();
        let arrival = Arrival { from: address, ciphertext: envelope.ciphertext };
        for result in talk.receive(&mut device.account, &[arrival], now) {
            device.told.extend(result.err().map(|error| format!("{error:?}")));
        }
        let stored = talk.seal(&mut device.account, &key(), &mut self.rng).unwrap().stored();
        talk.stored(&stored);
        let (mut last, mut requested) = (None, false);
        for (number, received) in talk.inbox() {
            last = Some(number);
            match received {
                Received::Letter { letter, .. } if letter.is_of_registers() => {
                    let taken = device.registers.as_mut().map(|own| own.receive_letter(&device.account, letter, now));
                    device.told.extend(taken.and_then(Result::err).map(|error| format!("registers: {error:?}")));
                }
                Received::Letter { letter, .. } if letter.status() == Some(StatusLetter::Feed) => {
                    let author = Author { devices: talk.peer(), label: Some(talk.label()) };
                    let feed = device.feeds.entry(account).or_insert_with(|| Feed::new(&device.account, account));
                    let result = feed.receive_letter(&device.account, author, letter, now);
                    device.told.extend(result.err().map(|error| format!("status: {error:?}")));
                }
                Received::Letter { letter, .. } if letter.status() == Some(StatusLetter::Audience) => {
                    let result = device.audience.as_mut().map(|audience| audience.receive_letter(letter, now));
                    device.told.extend(result.and_then(Result::err).map(|error| format!("asked: {error:?}")));
                }
                Received::Letter { letter, .. } => match &mut device.group {
                    Some(group) => {
                        let result = group.receive_letter(&device.account, letter, now);
                        device.told.extend(result.err().map(|error| format!("letter: {error:?}")));
                    }
                    None => match Group::follow(&device.account, letter, now) {
                        Ok(group) => device.group = Some(group),
                        Err(error) => device.told.push(format!("follow: {error:?} {letter:?}")),
                    },
                },
                Received::Event(Event::Request) => requested = true,
                Received::Event(event) => device.told.push(format!("{event:?}")),
                _ => device.told.push("something else".into()),
            }
        }
        if device.group.is_some() {
            self.show(to);
        }
        let talk = self.at(to).talks.get_mut(&account).unwrap();
        if let Some(last) = last {
            talk.settle(last);
        }
        // The user answers whoever invites.
        if requested && accepts {
            talk.accept();
        }
        self.at(to).requests += usize::from(requested);
        let held = core::mem::take(&mut self.at(to).held);
        if !held.is_empty() {
            self.receive(to, held);
        }
        let held = core::mem::take(&mut self.at(to).held_statuses);
        if !held.is_empty() {
            self.receive_statuses(to, held);
        }
    }

    /// Stores, shows and settles.
    pub fn show(&mut self, at: At) {
        let (keys, now) = (self.keys.clone(), self.now);
        let device = self.devices.get_mut(&at).unwrap_or_else(|| panic!("{at:?} is no device"));
        let group = device.group.as_mut().unwrap();
        let _stored = device.store.write(group, &mut self.rng);
        let mut last = None;
        for (number, received) in group.inbox() {
            last = Some(number);
            match received {
                GroupReceived::Message { from, id, body, same_view, may_pass_on, .. } => {
                    let (from, id, at, may_pass_on) = (*from, *id, now, *may_pass_on);
                    device.heard.push(Heard { from, id, at, may_pass_on, body: body.to_vec() });
                    let who = keys.iter().position(|key| *key == from.account).unwrap();
                    device.shown.push((who, String::from_utf8_lossy(body).into_owned(), *same_view));
                }
                GroupReceived::History { by, pointer } => device.histories.push((*by, pointer.clone())),
                GroupReceived::Changed(event) => device.changed.push(event.clone()),
                other => device.told.push(format!("{other:?}")),
            }
        }
        if let Some(last) = last {
            group.settle(last);
        }
    }

    /// Drops what a device has in memory of its group, and opens its records.
    pub fn reload(&mut self, at: At) {
        let device = self.devices.get_mut(&at).unwrap();
        let id = device.group.as_ref().unwrap().id();
        device.group = Some(device.store.open(id));
    }
}

impl Store {
    /// Stores what has changed, by compare-and-swap.
    pub fn write(&mut self, group: &mut Group, rng: &mut StdRng) -> bisik::group::StoredGroup {
        let changes = group.seal(&key(), rng).unwrap();
        for change in changes.writes() {
            match change {
                GroupChange::Put(block) => drop(self.blocks.insert(block.id(), block.as_bytes().to_vec())),
                GroupChange::Record(record) => {
                    let known = self.records.get(&record.name.to_bytes()).map(|(revision, _)| *revision);
                    assert_eq!(known, record.expected, "{:?}", record.name);
                    assert!(Some(record.revision) > known, "{:?}", record.name);
                    self.records.insert(record.name.to_bytes(), (record.revision, record.bytes.clone()));
                }
                GroupChange::Delete(id) => drop(self.blocks.remove(&id)),
                GroupChange::Remove(name) => drop(self.records.remove(&name.to_bytes())),
            }
        }
        let stored = changes.stored();
        assert!(group.stored(&stored));
        stored
    }

    pub fn open(&self, id: bisik::group::GroupId) -> Group {
        self.try_open(id).unwrap()
    }

    pub fn try_open(&self, id: bisik::group::GroupId) -> Result<Group, bisik::UnsealError> {
        let record = |name: GroupRecordName| self.records.get(&name.to_bytes()).map(|(_, bytes)| bytes.clone());
        Group::unseal(&key(), id, record, |block| self.blocks.get(&block).cloned())
    }
}
