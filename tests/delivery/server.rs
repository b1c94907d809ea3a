//! What the server has: device lists and bundles; who joins, leaves, and keeps both up to date.
//!
//! The server is honest here but for bundles that it withholds or gives out again; what it may do to lists is tested in
//! `accounts`.

use std::collections::VecDeque;

use bisik::conversation::{Conversation, IdentityPolicy, Needed, Side};
use bisik::device::{
    Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceListError, DeviceTerms, RecoverError,
};
use bisik::{Account, Identity, MaintenanceOutput, PreKeyBundle, ServerState, StorageKey, Trust, VerifiedBundle};
use rand::RngExt;

use super::device::{At, Database, Device, Rows};
use super::world::{DAY, World};
use bisik::conversation::DeviceAddress;

/// The bundles of one device.
#[derive(Clone)]
pub struct Stock {
    pub one_time: VecDeque<PreKeyBundle>,
    pub last_resort: PreKeyBundle,
}

impl World {
    /// Creates an account with its primary device.
    pub fn found(&mut self, who: usize) {
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let account = Account::create(terms, self.true_time(), &mut self.rng);
        self.lists[who] = vec![account.primary().unwrap().list().clone()];
        self.accounts.insert((who, 0), account);
    }

    /// Adds a device to an account; `None` if the clock of its primary device is wrong, or the other account's list is
    /// not valid now.
    pub fn enrol(&mut self, who: usize) -> Option<At> {
        let (now, primary) = (self.true_time(), (who, 0));
        if !self.lists[1 - who].is_empty() && self.directory(1 - who).is_none() {
            return None;
        }
        let identity = Identity::generate(&mut self.rng);
        let account = match self.devices.get_mut(&primary) {
            Some(device) if device.clock.unsigned_abs() > DAY => return None,
            Some(device) => &mut device.account,
            None => self.accounts.get_mut(&primary)?,
        };
        let index = account.primary()?.next_index();
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let certificate = DeviceCertificate::sign(&identity, account.key(), index, terms);
        let list = account.change_devices(&[DeviceChange::Add(certificate)], now).unwrap();
        let key = *account.key();
        self.publish(who, list.clone());
        if self.devices.contains_key(&primary) {
            self.store(primary);
        }
        let account = Account::join(identity, &key, &list, now, &mut self.rng).unwrap();
        self.accounts.insert((who, index), account);
        Some((who, index))
    }

    /// A device begins: its conversation, its bundles, its first record.
    pub fn begin(&mut self, at: At) {
        let mut account = self.accounts.remove(&at).unwrap();
        let (now, peer) = (self.true_time(), self.directory(1 - at.0).unwrap());
        let own = self.lists[at.0].clone();
        let known = usize::try_from(account.devices().sequence()).unwrap();
        account.accept_devices(&own[known..], now).unwrap();
        let (talk, _) = Conversation::new(&account, peer, &self.disclosures, IdentityPolicy::Block, now);
        let stock = Stock { one_time: VecDeque::new(), last_resort: account.pre_keys().bundle() };
        self.stock.insert(at, stock);
        let device = Device {
            account,
            talk,
            key: StorageKey::generate(&mut self.rng),
            database: Database::default(),
            rows: Rows::default(),
            backups: Vec::new(),
            clock: 0,
            again: None,
            kept_up: 0,
            was_restored: false,
        };
        self.devices.insert(at, device);
        if self.one_time_keys {
            self.keep_up(at);
        } else {
            self.get(at).kept_up = self.time;
        }
        self.back_up(at);
    }

    pub fn join(&mut self, who: usize) {
        if let Some(at) = self.enrol(who) {
            self.begin(at);
            if self.choices.random_bool(0.5) {
                self.accept(at);
            }
        }
    }

    /// A device that is not the primary one leaves its account.
    pub fn leave(&mut self, at: At) {
        let now = self.true_time();
        let primary = self.get((at.0, 0));
        if at.1 == 0 || primary.clock.unsigned_abs() > DAY {
            return;
        }
        let list = primary.account.change_devices(&[DeviceChange::Remove(at.1)], now).unwrap();
        self.publish(at.0, list);
        self.observe((at.0, 0));
        self.devices.remove(&at);
        self.stock.remove(&at);
    }

    pub fn publish(&mut self, who: usize, list: DeviceList) {
        let newest = u64::try_from(self.lists[who].len()).unwrap();
        match list.sequence() {
            // It is given until the account knows that the server has it.
            number if number == newest => assert_eq!(self.lists[who].last(), Some(&list)),
            number => {
                assert_eq!(number, newest + 1, "a primary device continues its own lists");
                self.lists[who].push(list);
            }
        }
    }

    /// The devices of an account by its newest list, if the clock of the primary device was right.
    pub fn directory(&self, who: usize) -> Option<DeviceDirectory> {
        let newest = self.lists[who].last()?;
        DeviceDirectory::trust(newest, Trust::Pinned(newest.account().identity()), self.true_time()).ok()
    }

    /// Once a day, by the true time: pre-keys, the account's list, and the newest lists of both accounts.
    pub fn keep_up(&mut self, at: At) {
        let now = self.now(at);
        let mut device = self.devices.remove(&at).unwrap();
        device.kept_up = self.time;
        let (stock, lists) = (&self.stock[&at], &self.lists[at.0]);
        let bundles: Vec<_> = stock.one_time.iter().chain([&stock.last_resort]).map(PreKeyBundle::id).collect();
        let newest = lists.last().unwrap().id();
        let upkeep = if device.account.primary().is_some() && device.account.devices().sequence() < newest.sequence() {
            device.account.recover(lists, now, &mut self.rng).unwrap()
        } else {
            let server = ServerState { bundles: &bundles, list: Some(newest) };
            device.account.maintain(Some(&server), now, &mut self.rng).unwrap()
        };
        self.upload(at, device, upkeep);
    }

    /// The program knows that the device was restored.
    pub fn recover(&mut self, at: At) {
        let now = self.now(at);
        let mut device = self.devices.remove(&at).unwrap();
        let upkeep = match device.account.recover(&self.lists[at.0], now, &mut self.rng) {
            Ok(upkeep) => upkeep,
            // By a wrong clock, no list is valid.
            Err(RecoverError::List(_)) => device.account.replace_pre_keys(now, &mut self.rng),
            Err(error) => panic!("{error:?}"),
        };
        device.talk.restored();
        self.upload(at, device, upkeep);
    }

    fn upload(&mut self, at: At, mut device: Device, upkeep: MaintenanceOutput) {
        device.account.confirmed(&upkeep);
        self.devices.insert(at, device);
        let stock = self.stock.get_mut(&at).unwrap();
        if upkeep.replaces_one_time {
            stock.one_time.clear();
        }
        stock.one_time.extend(upkeep.one_time);
        if let Some(bundle) = upkeep.last_resort {
            stock.last_resort = bundle;
        }
        if let Some(list) = upkeep.list {
            self.publish(at.0, list);
        }
        self.fetch_lists(at);
        self.store(at);
        self.try_held(at);
    }

    /// Fetches the newest lists of both accounts, as far as this device's clock lets it take them.
    pub fn fetch_lists(&mut self, at: At) {
        let now = self.now(at);
        let device = self.devices.get_mut(&at).unwrap();
        let newer = |lists: &[DeviceList], known: u64| lists[usize::try_from(known).unwrap()..].to_vec();
        let own = newer(&self.lists[at.0], device.account.devices().sequence());
        let peer = newer(&self.lists[1 - at.0], device.talk.peer().sequence());
        let own = device.account.accept_devices(&own, now).map(drop);
        let peer = device.talk.accept_devices(&device.account, &peer, &self.disclosures, now).map(drop);
        for refused in [own, peer].into_iter().filter_map(Result::err) {
            let wrong_clock = matches!(refused, DeviceListError::NotYetValid | DeviceListError::Expired);
            assert!(wrong_clock, "{refused:?} at {at:?}");
        }
        // Nothing is due at the moment when a list brings a new device; a program flushes.
        device.again = Some(device.again.map_or(self.time, |again| again.min(self.time)));
        self.take_terms(at);
        self.observe(at);
    }

    /// The bundles that the server gives for the devices that need one.
    pub fn bundles(&mut self, at: At, needed: &[Needed]) -> Vec<(DeviceAddress, VerifiedBundle)> {
        let (now, mut bundles) = (self.now(at), Vec::new());
        for Needed { device, key } in needed {
            let of = if device.side == Side::Own { (at.0, device.index) } else { (1 - at.0, device.index) };
            if self.withheld.contains(&of) {
                continue;
            }
            let drained = self.drained.contains(&of);
            let Some(stock) = self.stock.get_mut(&of) else { continue };
            let one_time = if drained { None } else { stock.one_time.pop_front() };
            let bundle = one_time.unwrap_or_else(|| stock.last_resort.clone());
            self.tally.bundles += 1;
            // A clock that is wrong by days makes it look expired, or not yet valid.
            if let Ok(bundle) = bundle.verify(Trust::Pinned(key), now) {
                bundles.push((*device, bundle));
            }
        }
        bundles
    }
}
