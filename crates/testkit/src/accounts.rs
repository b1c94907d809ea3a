//! Two accounts of several devices in conversation, a server with bundles and mailboxes, and a clock.

mod device; // one device and its database

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

pub use device::{Database, Device};

use bisik::conversation::{
    Arrival, Conversation, DeviceAddress, Envelope, IdentityPolicy, MessageId, Needed, ReceiveError, Recipients,
    SendError, Side,
};
use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms};
use bisik::hosting::{
    Disclosure, DisclosureDraft, HostingTerms, LabelEvent, Operator, OperatorName, Purposes, Retention, Roles,
};
use bisik::{Account, Identity, IdentityKey, PreKeyBundle, StorageKey, Timestamp, Trust, VerifiedBundle};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// An account, `0` or `1`, and the index of one of its devices.
pub type At = (usize, u32);

/// Two accounts, each with some devices.
pub struct Accounts {
    pub now: Timestamp,
    pub rng: StdRng,
    pub devices: BTreeMap<At, Device>,
    pub lists: [Vec<DeviceList>; 2],
    pub disclosures: Vec<Disclosure>,
    pub one_time: BTreeMap<IdentityKey, VecDeque<PreKeyBundle>>,
    pub last_resort: BTreeMap<IdentityKey, PreKeyBundle>,
    /// Devices whose bundles the server does not give out.
    pub withheld: BTreeSet<IdentityKey>,
    /// Envelopes in flight: receiving device, sending device, envelope.
    pub mail: VecDeque<(At, At, Envelope)>,
}

impl Accounts {
    /// Two accounts with this many devices each.
    pub fn new(seed: u64, sizes: [u32; 2]) -> Self {
        let mut accounts = Self {
            now: Timestamp::from_unix_seconds(1_800_000_000),
            rng: StdRng::seed_from_u64(seed),
            devices: BTreeMap::new(),
            lists: [Vec::new(), Vec::new()],
            disclosures: Vec::new(),
            one_time: BTreeMap::new(),
            last_resort: BTreeMap::new(),
            withheld: BTreeSet::new(),
            mail: VecDeque::new(),
        };
        for (who, size) in sizes.into_iter().enumerate() {
            accounts.found(who);
            for _ in 1..size {
                accounts.join(who);
            }
        }
        for at in accounts.everyone() {
            accounts.open(at, IdentityPolicy::Block);
        }
        accounts
    }

    pub fn everyone(&self) -> Vec<At> {
        self.devices.keys().copied().collect()
    }

    /// Creates an account with its primary device.
    pub fn found(&mut self, who: usize) {
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let account = Account::create(terms, self.now, &mut self.rng);
        self.lists[who] = vec![account.primary().unwrap().list().clone()];
        self.move_in((who, 0), account);
    }

    /// Adds a device to an account; returns its index.
    pub fn join(&mut self, who: usize) -> u32 {
        let index = self.join_without_telling(who);
        self.publish_lists();
        index
    }

    /// Like `join`, but only the account's own primary knows the new device.
    pub fn join_without_telling(&mut self, who: usize) -> u32 {
        let identity = Identity::generate(&mut self.rng);
        let primary = &mut self.devices.get_mut(&(who, 0)).unwrap().account;
        let index = primary.primary().unwrap().next_index();
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let certificate = DeviceCertificate::sign(&identity, primary.key(), index, terms);
        let list = primary.change_devices(&[DeviceChange::Add(certificate)], self.now).unwrap();
        let key = *primary.key();
        let account = Account::join(identity, &key, &list, self.now, &mut self.rng).unwrap();
        self.lists[who].push(list);
        self.move_in((who, index), account);
        index
    }

    /// Adds a device in a vendor's custody that is not announced yet; returns its index.
    pub fn host(&mut self, who: usize, operator: &Identity, retention: Retention) -> u32 {
        let identity = Identity::generate(&mut self.rng);
        let device = self.devices.get_mut(&(who, 0)).unwrap();
        let operator_name = OperatorName::new("Awan Layanan").unwrap();
        let hosting = HostingTerms {
            custody: Custody::Vendor,
            operator: Operator { name: operator_name, key: *operator.public() },
            roles: Roles::READ.with(Roles::STORE).with(Roles::ANSWER),
            retention,
            purposes: Purposes::ANSWERING,
        };
        let expires = self.now.plus_seconds(90 * 86_400);
        let draft =
            DisclosureDraft::new(*device.account.key(), *identity.public(), hosting, self.now, expires).unwrap();
        let proven = draft.countersign(operator).unwrap().prove(&identity).unwrap();
        let disclosure = proven.sign(device.account.identity()).unwrap();

        let index = device.account.primary().unwrap().next_index();
        let terms = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
        let certificate = DeviceCertificate::sign(&identity, device.account.key(), index, terms);
        let list = device.account.change_devices(&[DeviceChange::Add(certificate)], self.now).unwrap();
        let key = *device.account.key();
        let mut account = Account::join(identity, &key, &list, self.now, &mut self.rng).unwrap();
        assert!(account.set_disclosure(disclosure.clone()));
        self.lists[who].push(list);
        self.disclosures.push(disclosure);
        self.move_in((who, index), account);
        self.open((who, index), IdentityPolicy::Block);
        index
    }

    /// Makes a new disclosure for a hosted device; no party has it yet, not even the device.
    pub fn amend(&mut self, who: usize, index: u32, operator: &Identity, retention: Retention) {
        let previous = self.disclosures.last().unwrap();
        let hosting = HostingTerms { retention, ..previous.terms().clone() };
        let expires = self.now.plus_seconds(90 * 86_400);
        let draft = DisclosureDraft::following(previous, hosting, self.now, expires).unwrap();
        let hosted = self.devices[&(who, index)].account.identity();
        let proven = draft.countersign(operator).unwrap().prove(hosted).unwrap();
        let primary = &self.devices[&(who, 0)].account;
        let disclosure = proven.sign(primary.identity()).unwrap();
        let terms = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
        let certificate = DeviceCertificate::sign(hosted, primary.key(), index, terms);
        let primary = &mut self.devices.get_mut(&(who, 0)).unwrap().account;
        self.lists[who].push(primary.change_devices(&[DeviceChange::Update(certificate)], self.now).unwrap());
        self.disclosures.push(disclosure);
    }

    /// Removes a device from its account.
    pub fn remove(&mut self, who: usize, index: u32) -> Device {
        let primary = &mut self.devices.get_mut(&(who, 0)).unwrap().account;
        let list = primary.change_devices(&[DeviceChange::Remove(index)], self.now).unwrap();
        self.lists[who].push(list);
        let gone = self.devices.remove(&(who, index)).unwrap();
        self.publish_lists();
        gone
    }

    fn move_in(&mut self, at: At, mut account: Account) {
        let upkeep = account.maintain(None, self.now, &mut self.rng).unwrap();
        account.confirmed(&upkeep);
        let key = *account.identity().public();
        self.one_time.insert(key, upkeep.one_time.into());
        self.last_resort.insert(key, upkeep.last_resort.unwrap());
        let key = StorageKey::generate(&mut self.rng);
        let device = Device {
            account,
            conversation: None,
            key,
            shown: Vec::new(),
            events: Vec::new(),
            labels: Vec::new(),
            deadlines: Vec::new(),
            decisions: Vec::new(),
            receipts: Vec::new(),
            database: HashMap::new(),
            blocks: BTreeMap::new(),
            attic: BTreeMap::new(),
        };
        self.devices.insert(at, device);
    }

    /// Begins the conversation with the other account on one device.
    pub fn open(&mut self, at: At, policy: IdentityPolicy) {
        let directory = self.directory(1 - at.0);
        let device = self.devices.get_mut(&at).unwrap();
        let (conversation, event) = Conversation::new(&device.account, directory, &self.disclosures, policy, self.now);
        assert!(
            matches!(
                event,
                Some(LabelEvent::Verified(_) | LabelEvent::HostingDisclosed(_) | LabelEvent::OwnHosting(_))
            ),
            "{event:?}"
        );
        device.conversation = Some(conversation);
        device.conversation.as_mut().unwrap().accept();
    }

    pub fn directory(&self, who: usize) -> DeviceDirectory {
        let newest = self.lists[who].last().unwrap();
        DeviceDirectory::trust(newest, Trust::Pinned(newest.account().identity()), self.now).unwrap()
    }

    /// Gives every device the newest lists.
    pub fn publish_lists(&mut self) {
        let disclosures = self.disclosures.clone();
        let now = self.now;
        for (at, device) in &mut self.devices {
            let own = &self.lists[at.0];
            let known = usize::try_from(device.account.devices().sequence()).unwrap();
            device.account.accept_devices(own.get(known..).unwrap_or_default(), now).unwrap();
            let Some(conversation) = &mut device.conversation else { continue };
            let peers = &self.lists[1 - at.0];
            let known = usize::try_from(conversation.peer().sequence()).unwrap();
            let newer = peers.get(known..).unwrap_or_default();
            device.labels.extend(conversation.accept_devices(&device.account, newer, &disclosures, now).unwrap());
            let _stored = device.store(&mut self.rng);
            device.settle();
        }
    }

    pub fn bundle(&mut self, key: &IdentityKey) -> VerifiedBundle {
        let one_time = self.one_time.get_mut(key).and_then(VecDeque::pop_front);
        let bundle = one_time.unwrap_or_else(|| self.last_resort[key].clone());
        bundle.verify(Trust::Pinned(key), self.now).unwrap()
    }

    fn supply(&mut self, needed: &[Needed]) -> Vec<(DeviceAddress, VerifiedBundle)> {
        let needed: Vec<_> = needed.iter().filter(|needed| !self.withheld.contains(&needed.key)).collect();
        needed.into_iter().map(|Needed { device, key }| (*device, self.bundle(key))).collect()
    }

    /// Writes a text to all devices, and posts what is due.
    pub fn send(&mut self, at: At, text: &[u8]) -> Result<MessageId, SendError> {
        let id = self.write(at, text, Recipients::All)?;
        self.flush(at);
        Ok(id)
    }

    /// Writes a text. Nothing leaves.
    pub fn write(&mut self, at: At, text: &[u8], to: Recipients) -> Result<MessageId, SendError> {
        let device = self.devices.get_mut(&at).unwrap();
        let conversation = device.conversation.as_mut().unwrap();
        let id = conversation.send(&device.account, text, to, self.now, &mut self.rng)?;
        let _stored = device.store(&mut self.rng);
        Ok(id)
    }

    /// Posts everything that is due on a device.
    pub fn flush(&mut self, at: At) {
        let mut device = self.devices.remove(&at).unwrap();
        self.flush_from(at, &mut device).unwrap();
        self.devices.insert(at, device);
    }

    pub fn flush_from(&mut self, at: At, device: &mut Device) -> Result<(), SendError> {
        let conversation = device.conversation.as_mut().unwrap();
        let due = conversation.due(&device.account, self.now);
        if due.bundles.is_empty() && due.at.is_none_or(|at| at > self.now) {
            return Ok(());
        }
        let bundles = self.supply(&due.bundles);
        let outgoing = conversation.flush(&device.account, &bundles, self.now, &mut self.rng)?;
        let stored = device.store(&mut self.rng);
        let (envelopes, handover) = outgoing.release(&stored).unwrap();
        self.post(at, envelopes);
        device.conversation.as_mut().unwrap().handed(handover);
        Ok(())
    }

    fn post(&mut self, from: At, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            let who = if envelope.to.side == Side::Own { from.0 } else { 1 - from.0 };
            self.mail.push_back(((who, envelope.to.index), from, envelope));
        }
    }

    /// Delivers one envelope, and records what the device shows.
    pub fn deliver(&mut self, to: At, from: At, envelope: &Envelope) -> Result<(), ReceiveError> {
        let Some(device) = self.devices.get_mut(&to) else { return Ok(()) };
        let side = if to.0 == from.0 { Side::Own } else { Side::Peer };
        let from = DeviceAddress { side, index: from.1 };
        let arrival = Arrival { from, ciphertext: envelope.ciphertext.clone() };
        let Some(conversation) = device.conversation.as_mut() else { return Ok(()) };
        let result = conversation.receive(&mut device.account, &[arrival], self.now).remove(0);
        let _stored = device.store(&mut self.rng);
        device.settle();
        result
    }

    /// Delivers everything and posts what is due, until nothing is in flight or due within the time in which an
    /// acknowledgement travels alone.
    pub fn settle(&mut self) {
        for _ in 0..40 {
            while let Some((to, from, envelope)) = self.mail.pop_front() {
                let result = self.deliver(to, from, &envelope);
                assert!(
                    matches!(result, Ok(()) | Err(ReceiveError::Unreadable | ReceiveError::Duplicate)),
                    "{result:?} at {to:?}"
                );
            }
            for at in self.everyone() {
                self.flush(at);
            }
            if self.mail.is_empty() {
                match self.next_due() {
                    Some(at) if at <= self.now.plus_seconds(ACKNOWLEDGED) => self.now = self.now.max(at),
                    _ => return,
                }
            }
        }
        panic!("it does not settle");
    }

    /// Delivers what is in flight to everybody else, and drops what is for this device.
    pub fn settle_all_but(&mut self, at: At) {
        for (to, from, envelope) in self.mail.drain(..).collect::<Vec<_>>() {
            if to != at {
                self.deliver(to, from, &envelope).unwrap();
            }
        }
    }

    /// When something is due next, at any device.
    pub fn next_due(&self) -> Option<Timestamp> {
        let due =
            |device: &Device| device.conversation.as_ref().and_then(|talk| talk.due(&device.account, self.now).at);
        self.devices.values().filter_map(due).min()
    }

    /// The messages that a device has shown, sorted.
    pub fn shown(&self, at: At) -> Vec<(String, Vec<u8>)> {
        let mut shown = self.devices[&at].shown.clone();
        shown.sort();
        shown
    }

    /// Continues from older records.
    pub fn restore(&mut self, at: At, database: &Database) {
        let device = self.devices.get_mut(&at).unwrap();
        device.database = database.clone();
        device.blocks = device.attic.clone();
        device.reload();
    }
}

/// Seconds after which an acknowledgement travels alone.
const ACKNOWLEDGED: u64 = 600;
