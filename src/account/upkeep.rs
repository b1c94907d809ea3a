//! The upkeep of an account: what its server needs, until the server has it (docs/spec/accounts.md, sections 10.10 and 10.11).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::inbox::AccountEvent;
use super::{Account, RecoverFirstError};
use crate::device::{DeviceList, ListId, Primary};
use crate::keys::{BundleId, PreKeyBundle, PreKeys, PreKeysError, Rotation};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::Timestamp;

/// What a server says that it has of this device and of its account. Receive what is waiting before you ask for it: a
/// bundle that was used is not known any more.
///
/// It is believed in nothing but what to upload. A server that lies makes a device generate bundles four times at once,
/// then after 1, 2, 4, 8 and 16 hours, then once a day ([`Account::maintain`]), a hundred each time, and a thousand of
/// each generation of pre-keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerState<'a> {
    /// The ids of all bundles of this device: one-time and last-resort. Of more than 4,096 the rest is not looked at.
    pub bundles: &'a [BundleId],
    /// The newest list of the account.
    pub list: Option<ListId>,
}

/// Data to publish after [`Account::maintain`], once the account is stored. Tell the account when the server has it
/// ([`Account::confirmed`]): it gives the same bytes again until then.
#[derive(Clone, Debug, Default)]
#[must_use = "the server does not have these yet"]
pub struct MaintenanceOutput {
    /// One-time bundles. The server hands out each once.
    pub one_time: Vec<PreKeyBundle>,
    /// A last-resort bundle, which replaces the server's current one.
    pub last_resort: Option<PreKeyBundle>,
    /// Whether the server deletes the one-time bundles that it has, before it takes `one_time`.
    pub replaces_one_time: bool,
    /// The device list of the account, on its primary device.
    pub list: Option<DeviceList>,
    /// The number of the server's newest list of the account, if this device does not know it: fetch the lists from the
    /// known number on, and pass them to [`Account::accept_devices`].
    pub unknown_list: Option<u64>,
}

impl Account {
    /// Does the maintenance that is due, and returns the data to publish. Call it once a day, store the account, then
    /// publish, then call [`confirmed`](Self::confirmed) and store again.
    ///
    /// It rotates the pre-keys, generates one-time pre-keys if few are left, and on the primary device renews the
    /// device list. Receive what is waiting first: a device that was off deletes here the secrets of old pre-keys.
    ///
    /// `server` is what the server says that it has, where it was asked. Then stock that an attacker has drained is
    /// replaced at once, and what the server lost is given again. A bundle that the record does not hold means that this
    /// device was restored from a backup: all pre-keys are replaced ([`AccountEvent::Restored`]). What the server's word
    /// alone calls for is bounded (see [`ServerState`]). Requirements P-2.11 and P-10.28 to P-10.31.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::device::{Custody, DeviceTerms};
    /// use bisik::{Account, ServerState, Timestamp};
    ///
    /// let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// let mut phone = Account::create(DeviceTerms::own_held(Custody::Person)?, now, rng);
    /// let upkeep = phone.maintain(None, now, rng)?; // store the account, upload, then:
    /// phone.confirmed(&upkeep);
    /// let tomorrow = now.plus_seconds(24 * 60 * 60);
    /// let nothing_left = ServerState { bundles: &[], list: Some(upkeep.list.expect("the first list").id()) };
    /// let upkeep = phone.maintain(Some(&nothing_left), tomorrow, rng)?;
    /// assert_eq!(upkeep.one_time.len(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecoverFirstError`] on a primary device that must [recover](Self::recover). The state is unchanged.
    pub fn maintain(
        &mut self,
        server: Option<&ServerState<'_>>,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<MaintenanceOutput, RecoverFirstError> {
        if self.must_recover() {
            return Err(RecoverFirstError);
        }
        let before = (self.pre_keys.revision(), self.uploads.clone(), self.tokens);
        if let Some(server) = server {
            self.compare(server, now, rng);
        }
        // These fail only for another identity, and the identity and the pre-keys of an account belong together.
        match self.pre_keys.rotate(&self.identity, now, rng).unwrap_or(Rotation::Nothing) {
            Rotation::Nothing => {}
            Rotation::LastResort => self.uploads.last_resort = true,
            Rotation::Everything => self.uploads = Uploads::replacing(self.uploads.list),
        }
        if self.pre_keys.count(now).is_low() {
            self.generate(REPLENISH, rng);
        } else if let Some(missing) = server.and_then(|server| self.drained(server, now))
            && self.tokens.take(now)
        {
            self.generate(missing, rng);
        }
        if let Some(primary) = self.primary.as_mut().filter(|primary| primary.due(now))
            && primary.reissue(&self.identity, now).is_ok()
        {
            self.uploads.list = true;
            self.follow_primary();
        }
        if before != (self.pre_keys.revision(), self.uploads.clone(), self.tokens) {
            self.touch();
        }
        let unknown_list = server.and_then(|server| server.list).filter(|list| self.is_news(list));
        Ok(MaintenanceOutput { unknown_list: unknown_list.map(|list| list.sequence()), ..self.to_upload(now) })
    }

    /// Takes over what the server says, as far as it decides what to upload, and replaces everything if it has bundles
    /// that the record does not know.
    fn compare(&mut self, server: &ServerState<'_>, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) {
        let bundles = || server.bundles.iter().take(MOST_BUNDLES).copied();
        // While a replacement waits to be uploaded, the server has bundles that are gone here.
        if !self.uploads.replaces && bundles().any(|id| !self.pre_keys.knows(id)) && self.tokens.take(now) {
            self.replace_everything(now, rng);
            self.inbox.add(AccountEvent::Restored);
            return;
        }
        let Self { uploads, pre_keys, primary, .. } = self;
        uploads.replaces &= bundles().any(|id| !pre_keys.is_published(id, now));
        let current = pre_keys.bundle().id();
        uploads.last_resort = !bundles().any(|id| id == current);
        if !uploads.replaces {
            for id in bundles().filter_map(BundleId::one_time) {
                uploads.one_time.remove(&id);
            }
        }
        if let Some(primary) = primary {
            let own = primary.list().id();
            uploads.list = server.list.is_none_or(|list| list.sequence() < own.sequence());
        }
    }

    /// How many one-time bundles the server lacks, if it has few, or will have once it has what is pending.
    fn drained(&self, server: &ServerState<'_>, now: Timestamp) -> Option<usize> {
        let usable = |id: &BundleId| id.is_one_time() && self.pre_keys.is_published(*id, now);
        let ids = server.bundles.iter().take(MOST_BUNDLES).filter(|id| !self.uploads.replaces && usable(id));
        let ids: BTreeSet<u32> =
            ids.filter_map(|id| id.one_time()).chain(self.uploads.one_time.iter().copied()).collect();
        REPLENISH.checked_sub(ids.len()).filter(|_| ids.len() < LOW_STOCK)
    }

    /// Whether the server has a list that this device does not know.
    fn is_news(&self, list: &ListId) -> bool {
        let known = self.devices.id();
        list.sequence() > known.sequence() || list.sequence() == known.sequence() && *list != known
    }

    /// Generates one-time pre-keys, as many as there is room for, to be uploaded.
    fn generate(&mut self, count: usize, rng: &mut (impl CryptoRng + ?Sized)) {
        let count = count.min(self.pre_keys.room());
        // Fails only for another identity or if there is no room.
        let bundles = self.pre_keys.replenish(&self.identity, count, rng).unwrap_or_default();
        self.uploads.add(&bundles);
    }

    fn replace_everything(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) {
        let bundles = self.pre_keys.replace_all(&self.identity, REPLENISH, now, rng).unwrap_or_default();
        self.uploads = Uploads::replacing(self.uploads.list);
        self.uploads.add(&bundles);
    }

    /// Everything that the server is not known to have.
    fn to_upload(&self, now: Timestamp) -> MaintenanceOutput {
        let Uploads { one_time, last_resort, replaces, list } = &self.uploads;
        MaintenanceOutput {
            one_time: self.pre_keys.one_time_bundles_of(one_time, now),
            last_resort: last_resort.then(|| self.pre_keys.bundle()),
            replaces_one_time: *replaces,
            list: self.primary.as_ref().filter(|_| *list).map(Primary::list).cloned(),
            unknown_list: None,
        }
    }

    /// Records that the server has taken `output`. Store the account; if a crash prevents it, the same is given again.
    /// What was replaced since `output` was made stays to be uploaded.
    pub fn confirmed(&mut self, output: &MaintenanceOutput) {
        let MaintenanceOutput { one_time, last_resort, replaces_one_time, list, unknown_list: _ } = output;
        let before = self.uploads.clone();
        let current = self.pre_keys.bundle().id();
        let is_current = last_resort.as_ref().is_some_and(|bundle| bundle.id() == current);
        if is_current {
            self.uploads.last_resort = false;
            self.uploads.replaces &= !*replaces_one_time;
        }
        // What a replacement would delete again is not confirmed.
        if !self.uploads.replaces {
            for id in one_time.iter().filter_map(|bundle| bundle.id().one_time()) {
                self.uploads.one_time.remove(&id);
            }
        }
        let own = self.primary.as_ref().map(|primary| primary.list().id());
        if list.is_some() && list.as_ref().map(DeviceList::id) == own {
            self.uploads.list = false;
        }
        if self.uploads != before {
            self.touch();
        }
    }

    /// Replaces all pre-keys at once, and returns the data to publish: for a device that knows that it was restored from
    /// a backup. [`recover`](Self::recover) and [`maintain`](Self::maintain) do this too. Store the account, then
    /// publish. Requirement P-2.11.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # use bisik::device::{Custody, DeviceTerms};
    /// # use bisik::{Account, Timestamp};
    /// # let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// # let mut phone = Account::create(DeviceTerms::own_held(Custody::Person)?, now, rng);
    /// let before = phone.maintain(None, now, rng)?.one_time;
    /// let fresh = phone.replace_pre_keys(now, rng);
    /// assert!(fresh.replaces_one_time && fresh.last_resort.is_some());
    /// assert_eq!(phone.pre_key_count(now).one_time, fresh.one_time.len(), "the others are withdrawn");
    /// assert!(before.iter().all(|bundle| phone.pre_keys().knows(bundle.id())), "and answered for three days");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_pre_keys(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> MaintenanceOutput {
        self.replace_everything(now, rng);
        self.touch();
        self.to_upload(now)
    }

    /// Generates `count` one-time pre-keys in addition to those of [`Account::maintain`], and returns everything that is
    /// to be published. Store the account, then publish.
    ///
    /// `maintain` generates enough for a person. An account that receives pre-key messages from thousands of strangers
    /// needs more.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::Full`] if more than [`PreKeys::MAX_ONE_TIME`] would be unused.
    pub fn replenish(
        &mut self,
        count: usize,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<MaintenanceOutput, PreKeysError> {
        let bundles = self.pre_keys.replenish(&self.identity, count, rng)?;
        self.uploads.add(&bundles);
        self.touch();
        Ok(self.to_upload(now))
    }
}

/// What the server is not known to have. A part of the record, so that a crash before an upload loses nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uploads {
    /// The ids of one-time bundles. Their bytes follow from the pre-keys.
    one_time: BTreeSet<u32>,
    last_resort: bool,
    /// Whether the server deletes its one-time bundles first.
    replaces: bool,
    /// The list that the primary issued last.
    pub(super) list: bool,
}

impl Uploads {
    /// Everything there is, for a server that has nothing.
    pub(super) const fn all(list: bool) -> Self {
        Self { one_time: BTreeSet::new(), last_resort: true, replaces: false, list }
    }

    fn replacing(list: bool) -> Self {
        Self { replaces: true, ..Self::all(list) }
    }

    fn add(&mut self, bundles: &[PreKeyBundle]) {
        self.one_time.extend(bundles.iter().filter_map(|bundle| bundle.id().one_time()));
    }

    /// Forgets what was used up.
    pub(super) fn prune(&mut self, pre_keys: &PreKeys) {
        self.one_time.retain(|id| pre_keys.has_one_time(*id));
    }

    pub(super) fn encode(&self, writer: &mut SecretWriter) {
        let Self { one_time, last_resort, replaces, list } = self;
        writer.flag(*last_resort).flag(*replaces).flag(*list).count(one_time.len());
        for id in one_time {
            writer.u32(*id);
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (last_resort, replaces, list) = (reader.flag()?, reader.flag()?, reader.flag()?);
        let count = reader.count_of(4)?;
        let ids = (0..count).map(|_| reader.u32()).collect::<Result<Vec<_>, _>>()?;
        if !ids.is_sorted_by(|a, b| a < b) {
            return Err(Malformed);
        }
        Ok(Self { one_time: ids.into_iter().collect(), last_resort, replaces, list })
    }
}

/// One-time pre-keys that a server should have: enough for a day's pre-key messages.
const REPLENISH: usize = 100;

/// With fewer one-time bundles than this, a server gets more.
const LOW_STOCK: usize = 20;

/// Ids of a server that are looked at: more than a device ever publishes, four generations of a thousand.
const MOST_BUNDLES: usize = 4_096;
