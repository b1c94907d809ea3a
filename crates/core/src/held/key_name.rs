//! [`KeyName`]: which storage key a state's records are under.

use core::fmt;

use subtle::ConstantTimeEq;

use crate::storage::{self, StorageKey};

/// Names a storage key without telling anything of it: eight bytes of a MAC under the key.
#[derive(Clone, Copy)]
pub(super) struct KeyName([u8; 8]);

impl KeyName {
    pub(super) fn of(key: &StorageKey) -> Self {
        Self(storage::key_name(key))
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key name]")
    }
}
