//! Values as what they are (docs/spec/registers.md, section 17.1).

use super::Registers;
use super::key::{BLOCKED, Mark, Pin, RegisterKey};
use crate::device::AccountKey;
use crate::keys::IdentityKey;

impl Registers {
    /// Returns up to where a conversation or group was read, by its id.
    #[must_use]
    pub fn read_to(&self, of: &[u8]) -> Option<u64> {
        let value = self.get(&RegisterKey::read_mark(of).ok()?)?;
        Some(u64::from_be_bytes(value.try_into().ok()?))
    }

    /// Returns what the user has found out about an account's key.
    #[must_use]
    pub fn mark(&self, account: &AccountKey) -> Option<Mark> {
        self.get(&RegisterKey::verified(account)).and_then(Mark::read)
    }

    /// Returns the account key that a contact is known by, by the program's name of the contact.
    #[must_use]
    pub fn pin(&self, contact: &str) -> Option<Pin> {
        self.get(&RegisterKey::pinned(contact).ok()?).and_then(Pin::read)
    }

    /// Returns whether the user has blocked an account.
    #[must_use]
    pub fn is_blocked(&self, account: &AccountKey) -> bool {
        self.get(&RegisterKey::blocked(account)) == Some(&[1])
    }

    /// Returns the accounts that the user has blocked, ascending.
    pub fn blocked(&self) -> impl Iterator<Item = AccountKey> {
        let blocked = self.iter().filter(|(key, value)| key.kind == BLOCKED && *value == [1]);
        blocked.filter_map(|(key, _)| {
            let key = IdentityKey::from_bytes_without_points(key.id().try_into().ok()?).ok()?;
            Some(AccountKey::from_identity(key))
        })
    }
}
