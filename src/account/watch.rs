//! The devices of the local account: what its primary issues, what its companions accept, and what neither expected
//! (docs/spec/accounts.md, sections 10.4 and 10.9).

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::inbox::AccountEvent;
use super::{Account, MaintenanceOutput};
use crate::device::{DeviceChange, DeviceList, DeviceListError, DirectoryChange, Primary, PrimaryError, RecoverError};
use crate::keys::{Identity, IdentityKey};
use bisik_core::time::Timestamp;

impl Account {
    /// Makes an account on a new telephone from the identity of its primary device and from its lists, which a server
    /// has. Everything else of the former telephone is gone; peers set up new sessions. It signs the next list at once.
    /// Store the account, then publish what [`maintain`](Self::maintain) gives.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::device::{Custody, DeviceTerms};
    /// # use bisik::{Account, Identity, StorageKey, Timestamp};
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let former = Account::create(DeviceTerms::own_held(Custody::Person)?, now, rng);
    /// # let key = StorageKey::generate(rng);
    /// # let backup = former.identity().seal(&key, b"backup", rng);
    /// # let lists = [former.primary().expect("the primary").list().clone()]; // from the server
    /// let identity = Identity::unseal(&key, b"backup", &backup)?;
    /// let mut phone = Account::restore(identity, &lists, now, rng)?;
    /// let upkeep = phone.maintain(None, now, rng)?;
    /// assert_eq!(upkeep.list.expect("the next list").sequence(), 2);
    /// assert!(upkeep.replaces_one_time, "the server's bundles are those of the former telephone");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecoverError::NoList`] if none of `lists` is signed with the identity; [`RecoverError::Exhausted`].
    pub fn restore(
        identity: Identity,
        lists: &[DeviceList],
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, RecoverError> {
        let primary = Primary::restore(&identity, lists, now)?;
        let devices = primary.directory();
        let mut account = Self::assemble(identity, devices, Some(primary), now, rng);
        let _given_by_maintain = account.replace_pre_keys(now, rng);
        Ok(account)
    }

    /// Continues after this device was restored from a backup. Pass all lists of the account that the server has from the
    /// known number on. All pre-keys are replaced. Returns the data to publish, once the account is stored; what changed
    /// since the backup are [events](Self::events).
    ///
    /// The primary device adopts the newest list and signs the next one in the same step ([`Primary::recover`]). A
    /// companion device accepts the lists. Requirements P-10.26 and P-10.27.
    ///
    /// # Errors
    ///
    /// [`RecoverError`]. On error the state is unchanged.
    pub fn recover(
        &mut self,
        lists: &[DeviceList],
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<MaintenanceOutput, RecoverError> {
        let from = self.devices.sequence();
        if let Some(primary) = &mut self.primary {
            let change = primary.recover(&self.identity, lists, now)?;
            self.follow_primary();
            self.inbox.add(AccountEvent::Recovered { from, to: self.devices.sequence() });
            let _ = self.tell(&change);
            self.uploads.list = true;
        } else {
            let change = self.devices.catch_up(lists, now)?;
            self.inbox.add(AccountEvent::Restored);
            let _ = self.tell(&change);
        }
        Ok(self.replace_pre_keys(now, rng))
    }

    /// Returns whether this is a primary device that was shown a list which it did not sign, and must
    /// [recover](Self::recover) before it does anything else.
    #[must_use]
    pub fn must_recover(&self) -> bool {
        self.primary.as_ref().is_some_and(Primary::must_recover)
    }

    /// P-12.1, P-12.2: whether this device may do anything now, and is the one whose record says so: it is in the newest list of
    /// the account, which has not expired, and its primary has not to recover first.
    pub(crate) fn acts_as(&self, local: &IdentityKey, now: Timestamp) -> bool {
        self.identity.public() == local && self.devices.own(&self.identity, now).is_ok() && !self.must_recover()
    }

    /// Changes the account's devices, on the primary device. Returns the list to publish once the account is stored;
    /// [`maintain`](Self::maintain) gives it again until it is [confirmed](Self::confirmed).
    ///
    /// # Errors
    ///
    /// [`PrimaryError`]; on any other device [`PrimaryError::WrongIdentity`].
    pub fn change_devices(&mut self, changes: &[DeviceChange], now: Timestamp) -> Result<DeviceList, PrimaryError> {
        let primary = self.primary.as_mut().ok_or(PrimaryError::WrongIdentity)?;
        let list = primary.issue(&self.identity, changes, now)?.clone();
        self.uploads.list = true;
        self.follow_primary();
        self.touch();
        Ok(list)
    }

    /// Takes newer lists of the account that a server has, oldest first. Returns the events, which stay in the
    /// [inbox](Self::events) until they are settled.
    ///
    /// On a companion device the account follows the lists, as a peer does, and every change is an event. On the primary
    /// device nothing is followed: a list that this device did not sign is an alarm
    /// ([`AccountEvent::UnsignedList`]). Requirements P-10.25 and P-10.29.
    ///
    /// # Errors
    ///
    /// [`DeviceListError`]
    pub fn accept_devices(
        &mut self,
        lists: &[DeviceList],
        now: Timestamp,
    ) -> Result<Vec<AccountEvent>, DeviceListError> {
        if let Some(primary) = &mut self.primary {
            let alarms: Vec<_> = primary.see(lists)?.into_iter().map(AccountEvent::UnsignedList).collect();
            for alarm in &alarms {
                self.inbox.add(*alarm);
            }
            if !alarms.is_empty() {
                self.touch();
            }
            return Ok(alarms);
        }
        let before = self.devices.sequence();
        let change = self.devices.catch_up(lists, now)?;
        let events = self.tell(&change);
        if self.devices.sequence() != before || !events.is_empty() {
            self.touch();
        }
        Ok(events)
    }

    /// Notes that a frame of a contact or of an own device goes by the list `sequence` of this account, a higher number
    /// than the known one. Returns `true` if this is the primary device, which signs all lists: then this is not news to
    /// fetch but an alarm ([`AccountEvent::UnsignedListClaimed`]), of which at most one waits, and one more each day.
    /// On a companion device it changes nothing: fetch the list.
    #[must_use = "a companion device fetches the list"]
    pub fn claimed_list(&mut self, sequence: u64, now: Timestamp) -> bool {
        if self.primary.is_none() || sequence <= self.devices.sequence() {
            return false;
        }
        let waits = self.events().any(|(_, event)| matches!(event, AccountEvent::UnsignedListClaimed { .. }));
        let soon = now >= self.claimed_at && now < self.claimed_at.plus_seconds(A_DAY);
        if !waits && !soon {
            self.claimed_at = now;
            self.inbox.add(AccountEvent::UnsignedListClaimed { sequence });
            self.touch();
        }
        true
    }

    /// Returns the events that were not settled, oldest first, each with its number. They are a part of the record.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceTerms, DirectoryEvent};
    /// # use bisik::{Account, AccountEvent, Identity, Timestamp};
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let own = DeviceTerms::own_held(Custody::Person)?;
    /// # let mut phone = Account::create(own, now, rng);
    /// # let key = *phone.key();
    /// # let mut add = |index, identity: &Identity| {
    /// #     let certificate = DeviceCertificate::sign(identity, &key, index, own);
    /// #     phone.change_devices(&[DeviceChange::Add(certificate)], now)
    /// # };
    /// # let (laptop, tablet) = (Identity::generate(rng), Identity::generate(rng));
    /// # let first = add(1, &laptop)?;
    /// # let second = add(2, &tablet)?;
    /// # let mut laptop = Account::join(laptop, &key, &first, now, rng)?;
    /// laptop.accept_devices(&[second], now)?;
    /// let events: Vec<_> = laptop.events().map(|(number, event)| (number, *event)).collect();
    /// for (number, event) in events {
    ///     assert!(matches!(event, AccountEvent::Devices(DirectoryEvent::Joined(entry)) if entry.index() == 2));
    ///     laptop.settle(number); // after it was shown
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn events(&self) -> impl Iterator<Item = (u64, &AccountEvent)> {
        self.inbox.events()
    }

    /// Takes an event out of the inbox: it was shown, or is stored where it will be. A number that is not there changes
    /// nothing.
    pub fn settle(&mut self, number: u64) {
        if self.inbox.settle(number) {
            self.touch();
        }
    }

    fn tell(&mut self, change: &DirectoryChange) -> Vec<AccountEvent> {
        let events: Vec<_> = change.events().into_iter().map(AccountEvent::Devices).collect();
        for event in &events {
            self.inbox.add(*event);
        }
        events
    }

    pub(super) fn follow_primary(&mut self) {
        if let Some(primary) = &self.primary {
            self.devices = primary.directory();
        }
    }
}

/// Seconds between two claims that nothing proves.
const A_DAY: u64 = 24 * 60 * 60;
