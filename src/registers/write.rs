//! What holds at this device: its own writes, and those of others (docs/spec/registers.md, section 17.1).

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::Registers;
use super::error::RegisterError;
use super::key::{AUDIENCE, READ_MARK, RegisterKey};
use super::limits::{BYTES, DAY, KEPT_ABSENT, LIST, MOST, VALUE};
use super::merge::{self, Register, latest};
use crate::account::Account;
use crate::group::GroupId;
use crate::group::status::{Audience, AudienceEntry};
use bisik_core::time::Timestamp;

impl Registers {
    /// Writes a value of at most 4,096 bytes, or with `None` that there is none. Returns whether anything has changed: of a
    /// read mark and of who is in an audience, what is older than what is there changes nothing.
    ///
    /// # Errors
    ///
    /// [`RegisterError`]. Nothing has changed then.
    pub fn set(
        &mut self,
        account: &Account,
        key: &RegisterKey,
        value: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<bool, RegisterError> {
        let device = self.may_write(account, now)?;
        if value.is_some_and(|value| value.len() > VALUE) {
            return Err(RegisterError::TooLong);
        }
        if !key.allows(value) {
            return Err(RegisterError::WrongValue);
        }
        let known = self.registers.get(key);
        if known.is_some_and(|known| known.value.as_ref().map(|value| value.as_slice()) == value) {
            return Ok(false);
        }
        // P-17.2. What is later than it can be, because this clock was wrong, does not hold later writes back.
        let known = known.filter(|known| !known.is_late(key, now));
        let counter = match known {
            // A read mark that goes on is no further change: of marks that go on the furthest holds.
            Some(known) if key.kind == READ_MARK => known.counter,
            None if key.kind == READ_MARK && !self.registers.contains_key(key) => 0,
            known => merge::next(known.map(|known| known.counter), now),
        };
        let register = Register { counter, device, value: value.map(|value| Zeroizing::new(value.to_vec())) };
        if key.kind == AUDIENCE && register.number() >= latest(now.plus_seconds(DAY)) {
            return Err(RegisterError::WrongValue);
        }
        if known.is_some_and(|known| !register.beats(known, key)) {
            return Ok(false);
        }
        self.put(key, register)
    }

    /// Sets a read mark to any position, also a lower one: what other devices have read before they know of it does not
    /// count. Returns whether anything has changed.
    ///
    /// # Errors
    ///
    /// [`RegisterError::WrongValue`] if the key is none of a read mark; otherwise [`RegisterError`]. Nothing has changed then.
    pub fn set_back(
        &mut self,
        account: &Account,
        key: &RegisterKey,
        position: u64,
        now: Timestamp,
    ) -> Result<bool, RegisterError> {
        if key.kind != READ_MARK {
            return Err(RegisterError::WrongValue);
        }
        let position = RegisterKey::position(position);
        let known = self
            .registers
            .get(key)
            .filter(|known| known.value.as_ref().map(|value| value.as_slice()) != Some(&position));
        let Some(known) = known.filter(|known| !known.is_late(key, now)) else {
            return self.set(account, key, Some(&position), now);
        };
        let counter = merge::next(Some(known.counter), now);
        let device = self.may_write(account, now)?;
        self.put(key, Register { counter, device, value: Some(Zeroizing::new(position.to_vec())) })
    }

    /// The index of this device, if it may write now.
    fn may_write(&self, account: &Account, now: Timestamp) -> Result<u32, RegisterError> {
        let device = self.check(account, now)?;
        if self.quiet.is_some_and(|until| now < until) { Err(RegisterError::Restored) } else { Ok(device) }
    }

    /// Puts a write of this device in place of what is there.
    fn put(&mut self, key: &RegisterKey, register: Register) -> Result<bool, RegisterError> {
        if !self.has_room(key, &register) {
            return Err(RegisterError::Full);
        }
        self.insert(key.clone(), register);
        self.unsent.insert(key.clone());
        self.changed.remove(key);
        self.lineage.change();
        Ok(true)
    }

    /// P-17.2: what this device has written while its clock was ahead is written again once the clock is right. Nobody has
    /// believed it, and the user has meant it. A clock from before the newest list was signed is not right either.
    pub(super) fn date_again(&mut self, account: &Account, device: u32, now: Timestamp) {
        if now.plus_seconds(LIST) < account.devices().expires() {
            return;
        }
        let late: Vec<_> = self
            .registers
            .iter_mut()
            .filter(|(_, register)| register.device == device && register.counter >= latest(now))
            .map(|(key, register)| {
                register.counter = merge::next(None, now);
                key.clone()
            })
            .collect();
        if !late.is_empty() {
            self.unsent.extend(late);
            self.lineage.change();
        }
    }

    /// Writes which accounts an audience of this account has, for the other own devices, and that there is this audience.
    ///
    /// # Errors
    ///
    /// [`RegisterError`]. What was written before it stays.
    pub fn share_audience(
        &mut self,
        account: &Account,
        audience: &Audience,
        now: Timestamp,
    ) -> Result<(), RegisterError> {
        let id = RegisterKey::audience(&audience.id());
        if self.get(&id).is_none() {
            self.set(account, &id, Some(&[]), now)?;
        }
        for AudienceEntry { account: member, version, included } in audience.entries() {
            let key = RegisterKey::audience_member(&audience.id(), &member);
            self.set(account, &key, Some(&RegisterKey::member(version, included)), now)?;
        }
        Ok(())
    }

    /// Returns what is known of the accounts of an audience: [apply](Audience::apply) each.
    pub fn audience_entries(&self, audience: &GroupId) -> impl Iterator<Item = AudienceEntry> {
        let (name, _) = audience.as_bytes().split_at(16);
        let name = name.to_vec();
        self.iter().filter_map(move |(key, value)| key.as_member(&name, value))
    }

    /// P-17.8: whether a register fits in place of what is there.
    fn has_room(&self, key: &RegisterKey, register: &Register) -> bool {
        let known = self.registers.get(key);
        let count = self.registers.len().saturating_add(usize::from(known.is_none()));
        count <= MOST && self.bytes_with(key, register) <= BYTES
    }

    fn bytes_with(&self, key: &RegisterKey, register: &Register) -> usize {
        let former = self.registers.get(key).map_or(0, |known| known.size(key));
        self.bytes.saturating_sub(former).saturating_add(register.size(key))
    }

    pub(super) fn insert(&mut self, key: RegisterKey, register: Register) {
        self.bytes = self.bytes_with(&key, &register);
        self.registers.insert(key, register);
    }

    /// Forgets absence that is older than 90 days. P-17.3.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let before = self.registers.len();
        self.registers
            .retain(|_, register| register.value.is_some() || register.written().plus_seconds(KEPT_ABSENT) > now);
        if self.registers.len() != before {
            let Self { registers, unsent, changed, .. } = self;
            self.bytes = registers.iter().fold(0, |bytes, (key, register)| register.size(key).saturating_add(bytes));
            unsent.retain(|key| registers.contains_key(key));
            changed.retain(|key, _| registers.contains_key(key));
            self.lineage.change();
        }
    }

    /// Takes what another device has written, if it holds.
    pub(super) fn take(&mut self, key: RegisterKey, register: Register, now: Timestamp) -> Took {
        if register.is_late(&key, now) {
            return Took::Refused;
        }
        let known = self.registers.get(&key);
        if known.is_some_and(|known| !known.is_late(&key, now) && !register.beats(known, &key)) {
            return Took::Old;
        }
        // Absence that all others have forgotten by now.
        let is_old = register.value.is_none() && register.written().plus_seconds(KEPT_ABSENT) <= now;
        if known.is_none() && is_old {
            return Took::Old;
        }
        if !self.has_room(&key, &register) {
            return Took::Refused;
        }
        if known.map(|known| &known.value) != Some(&register.value) && (known.is_some() || register.value.is_some()) {
            self.changed.insert(key.clone(), self.lineage.revision());
        }
        self.unsent.remove(&key);
        self.insert(key, register);
        Took::Holds
    }
}

/// What became of a write of another device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Took {
    Holds,
    /// A later one is known.
    Old,
    /// It is dated more than a day ahead, or there is no room. It comes again, because the digests differ.
    Refused,
}
