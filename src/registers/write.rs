//! What holds at this device: its own writes, and those of others (docs/spec/registers.md, section 17.1).

use zeroize::Zeroizing;

use super::Registers;
use super::error::RegisterError;
use super::key::RegisterKey;
use super::limits::{BYTES, KEPT_ABSENT, MOST, VALUE};
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
        let device = self.check(account, now)?;
        if self.quiet.is_some_and(|until| now < until) {
            return Err(RegisterError::Restored);
        }
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
        let known_counter = known.map(|known| known.counter).filter(|counter| *counter < latest(now));
        let counter = merge::next(known_counter, now);
        let register = Register { counter, device, value: value.map(|value| Zeroizing::new(value.to_vec())) };
        if known.is_some_and(|known| known_counter.is_some() && !register.beats(known, key)) {
            return Ok(false);
        }
        if !self.has_room(key, &register) {
            return Err(RegisterError::Full);
        }
        self.registers.insert(key.clone(), register);
        self.unsent.insert(key.clone());
        self.changed.remove(key);
        self.lineage.change();
        Ok(true)
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
    pub(super) fn has_room(&self, key: &RegisterKey, register: &Register) -> bool {
        let others = self.registers.iter().filter(|(known, _)| *known != key);
        let (count, bytes) = others.fold((1_usize, register.size(key)), |(count, bytes), (key, register)| {
            (count.saturating_add(1), bytes.saturating_add(register.size(key)))
        });
        count <= MOST && bytes <= BYTES
    }

    /// Forgets absence that is older than 90 days. P-17.3.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let before = self.registers.len();
        self.registers
            .retain(|_, register| register.value.is_some() || register.written().plus_seconds(KEPT_ABSENT) > now);
        if self.registers.len() != before {
            let Self { registers, unsent, changed, .. } = self;
            unsent.retain(|key| registers.contains_key(key));
            changed.retain(|key, _| registers.contains_key(key));
            self.lineage.change();
        }
    }

    /// Takes what another device has written, if it holds.
    pub(super) fn take(&mut self, key: RegisterKey, register: Register, now: Timestamp) -> Took {
        if register.counter >= latest(now) {
            return Took::Refused;
        }
        let known = self.registers.get(&key);
        if known.is_some_and(|known| known.counter < latest(now) && !register.beats(known, &key)) {
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
        self.registers.insert(key, register);
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::key::Mark;
    use super::super::limits;
    use super::*;
    use crate::device::DeviceTerms;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn at_a_device(account: &Account, writes: &[&(RegisterKey, Register)]) -> Vec<(RegisterKey, Register)> {
        let mut registers = Registers::new(account).unwrap();
        for (key, register) in writes {
            assert!(registers.take(key.clone(), register.clone(), NOW) != Took::Refused);
        }
        registers.registers.into_iter().collect()
    }

    /// P-17.1, P-17.2. Every order of every three writes, doubles among them, for each kind with a rule of its own.
    #[test]
    fn devices_agree_whatever_order_writes_arrive_in() {
        let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
        let mark = |what| Mark::Verified { what }.to_bytes().to_vec();
        let kinds = [
            (RegisterKey::setting("theme").unwrap(), vec![None, Some(vec![]), Some(vec![7])]),
            (RegisterKey::read_mark(&[1; 16]).unwrap(), vec![Some(vec![0; 8]), Some(vec![9; 8])]),
            (
                RegisterKey::verified(account.key()),
                vec![None, Some(mark([1; 32])), Some(mark([2; 32])), Some(Mark::NotVerified.to_bytes().to_vec())],
            ),
            (RegisterKey::blocked(account.key()), vec![None, Some(vec![0]), Some(vec![1])]),
            (
                RegisterKey::audience_member(&GroupId::from_bytes([1; 32]), account.key()),
                [(1, true), (1, false), (2, true)]
                    .map(|(version, included)| Some(RegisterKey::member(version, included).to_vec()))
                    .to_vec(),
            ),
        ];
        let counter = merge::counter_at(NOW);
        for (key, values) in kinds {
            let mut writes = Vec::new();
            for value in values {
                for (later, device) in [(0, 0), (0, 1), (1, 0)] {
                    let value = value.clone().map(Zeroizing::new);
                    writes.push((key.clone(), Register { counter: counter + later, device, value }));
                }
            }
            for one in &writes {
                for two in &writes {
                    for three in &writes {
                        let ends = [[one, two, three], [two, three, one], [three, one, two], [three, two, one]]
                            .map(|order| at_a_device(&account, &order));
                        assert!(ends.iter().all(|end| *end == ends[0]), "kind {}", key.kind);
                        assert!(at_a_device(&account, &[one, one, two, one, three]) == ends[0], "doubles");
                    }
                }
            }
        }
    }

    /// P-17.1. What is safer holds where two devices wrote at once.
    #[test]
    fn of_two_writes_at_once_the_safer_one_holds() {
        let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
        let counter = merge::counter_at(NOW);
        let both = |key: RegisterKey, safer: Option<Vec<u8>>, other: Vec<u8>| {
            // The other one is of the greater device.
            let safer = (key.clone(), Register { counter, device: 0, value: safer.map(Zeroizing::new) });
            let other = (key, Register { counter, device: 9, value: Some(Zeroizing::new(other)) });
            at_a_device(&account, &[&safer, &other]) == [safer]
        };
        let verified = Mark::Verified { what: [7; 32] }.to_bytes().to_vec();
        assert!(both(
            RegisterKey::verified(account.key()),
            Some(Mark::NotVerified.to_bytes().to_vec()),
            verified.clone()
        ));
        assert!(both(RegisterKey::verified(account.key()), None, verified));
        assert!(both(RegisterKey::blocked(account.key()), Some(vec![1]), vec![0]));
        let member = RegisterKey::audience_member(&GroupId::from_bytes([1; 32]), account.key());
        let word = |version, included| RegisterKey::member(version, included).to_vec();
        assert!(both(member.clone(), Some(word(4, false)), word(4, true)));
        assert!(both(member, Some(word(5, true)), word(4, true)), "an older word does not come back");
    }

    /// P-17.8
    #[test]
    fn a_full_store_refuses_more_and_takes_changes() {
        let account = Account::create(DeviceTerms::person(), NOW, &mut rand::rng());
        let mut registers = Registers::new(&account).unwrap();
        let value = vec![7; VALUE];
        let key = |number: usize| RegisterKey::of_program(200, &number.to_be_bytes()).unwrap();
        let most = BYTES / (VALUE + 8 + limits::EACH);
        for number in 0..most {
            assert_eq!(registers.set(&account, &key(number), Some(&value), NOW), Ok(true));
        }
        assert_eq!(registers.set(&account, &key(most), Some(&value), NOW), Err(RegisterError::Full));
        assert_eq!(registers.set(&account, &key(0), Some(b"short"), NOW), Ok(true));
        assert_eq!(
            registers.set(&account, &key(0), Some(&[&value[..], &[0]].concat()), NOW),
            Err(RegisterError::TooLong)
        );
        let from_others =
            Register { counter: merge::counter_at(NOW) + 9, device: 1, value: Some(Zeroizing::new(value)) };
        assert!(registers.take(key(most + 1), from_others.clone(), NOW) == Took::Holds, "there is room again");
        assert!(registers.take(key(most + 2), from_others, NOW) == Took::Refused);
    }
}
