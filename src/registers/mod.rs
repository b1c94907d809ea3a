//! What the devices of one account share: settings, read marks, verified marks, audiences, blocked accounts
//! ([section 17](crate::manual::spec::registers)).
//!
//! ```text
//!   set ─────────────────────┐
//!   own conversation ─▶ receive_letter ─┴─▶ flush ─▶ seal ─▶ database ─▶ stored ─▶ changes ─▶ program
//!                                             └── RegistersOutgoing ──────┴─▶ release ─▶ own conversation ─▶ handed
//! ```
//!
//! Each is a register: a key, and the value that was written last. Devices that have heard of the same writes have the same
//! values, in whatever order they came, and how often. No server has a part in it: what one device writes goes to the others
//! in [letters](crate::conversation::Letter) of the conversation with oneself.
//!
//! ```
//! # let rng = &mut rand::rng();
//! use bisik::device::DeviceTerms;
//! use bisik::registers::{RegisterKey, Registers};
//! use bisik::{Account, StorageKey, Timestamp};
//!
//! let now = Timestamp::from_unix_seconds(1_800_000_000);
//! let account = Account::create(DeviceTerms::person(), now, rng);
//! # let key = StorageKey::generate(rng);
//! let mut registers = Registers::new(&account)?;
//! let theme = RegisterKey::setting("theme")?;
//! registers.set(&account, &theme, Some(b"dark"), now)?;
//! assert_eq!(registers.get(&theme), Some(&b"dark"[..]));
//!
//! let outgoing = registers.flush(&account, now)?;
//! let record = registers.seal(&key, rng)?; // store before you send
//! // ... write `record.as_bytes()` into the database, and then:
//! let stored = record.stored();
//! registers.stored(&stored);
//! let (letters, handover) = outgoing.release(&stored).map_err(|_| "another record")?;
//! // Each goes to the conversation with oneself: `Conversation::send_letter`. There is no other device yet.
//! assert!(letters.is_empty());
//! registers.handed(handover);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error; //  why not
mod key; //    17.1 names
mod limits; // 17.4 bounds
mod merge; //  17.1 which of two writes holds
mod record; // 17.4 the same, sealed
mod share; //  17.3 letters
mod typed; //  17.1 values as what they are
mod wire; //   17.2 letters as bytes
mod write; //  17.1 what holds here

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

pub use error::{RegisterError, RegisterLetterError};
pub use key::{Mark, Pin, RegisterKey};
pub use share::{RegistersHandover, RegistersOutgoing, RegistersTaken};

use crate::account::Account;
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::held::Lineage;
use bisik_core::time::Timestamp;
use limits::MOST;
use merge::Register;
use share::{Peer, Question};

/// What the devices of one account share, as one of them has it.
///
/// All own devices may write, and none is believed more than another: a device that was stolen writes until it is
/// [unlinked](crate::device::DeviceChange::Remove). Hosted devices take no part.
///
/// Not `Clone`: two copies would answer for one device.
pub struct Registers {
    account: AccountKey,
    /// This device.
    local: IdentityKey,
    registers: BTreeMap<RegisterKey, Register>,
    /// Bytes of all registers that count for the bound.
    bytes: usize,
    /// Keys whose registers the other devices were not sent.
    unsent: BTreeSet<RegisterKey>,
    /// Keys whose values others have changed, with the revision that has the change, until the program has taken note.
    changed: BTreeMap<RegisterKey, u64>,
    peers: BTreeMap<IdentityKey, Peer>,
    /// Questions of other devices. Not stored: they ask again.
    asked: BTreeMap<IdentityKey, Question>,
    /// After a restore: until when nothing is written if nobody answers.
    quiet: Option<Timestamp>,
    /// The revision that the database certainly has.
    durable: u64,
    lineage: Lineage,
}

impl Registers {
    /// Most registers: 16,384. Their keys and values have 1 MiB at most, with 16 bytes more for each.
    pub const MOST: usize = MOST;

    /// No registers yet, at a device that is new: [flush](Self::flush) asks the others for theirs.
    ///
    /// # Errors
    ///
    /// [`RegisterError::NotListed`] if this device is in no list of its account, or somebody else holds its keys.
    pub fn new(account: &Account) -> Result<Self, RegisterError> {
        let local = *account.identity().public();
        let entry = account.devices().find(&local).ok_or(RegisterError::NotListed)?;
        if !entry.custody().is_own_held() {
            return Err(RegisterError::NotListed);
        }
        Ok(Self {
            account: *account.key(),
            local,
            registers: BTreeMap::new(),
            bytes: 0,
            unsent: BTreeSet::new(),
            changed: BTreeMap::new(),
            peers: BTreeMap::new(),
            asked: BTreeMap::new(),
            quiet: None,
            durable: 0,
            lineage: Lineage::new(1),
        })
    }

    /// Returns the value of a register; `None` if it has none.
    #[must_use]
    pub fn get(&self, key: &RegisterKey) -> Option<&[u8]> {
        self.registers.get(key)?.value.as_ref().map(|value| value.as_slice())
    }

    /// Returns all registers that have a value, ascending by key.
    pub fn iter(&self) -> impl Iterator<Item = (&RegisterKey, &[u8])> {
        let present = |register: &'_ Register| register.value.is_some();
        let registers = self.registers.iter().filter(move |(_, register)| present(register));
        registers.filter_map(|(key, register)| register.value.as_ref().map(|value| (key, value.as_slice())))
    }

    /// Returns the keys whose values other devices have changed, as far as the database has it. Each is given until the
    /// program has [taken note](Self::settle).
    pub fn changes(&self) -> impl Iterator<Item = &RegisterKey> {
        self.changed.iter().filter(|(_, revision)| **revision <= self.durable).map(|(key, _)| key)
    }

    /// Takes note that the program has seen the present value of a register.
    pub fn settle(&mut self, key: &RegisterKey) {
        if self.changed.remove(key).is_some() {
            self.lineage.change();
        }
    }

    /// Says that this device came back from a backup. It asks the others first, and writes nothing until one of them has
    /// answered, or an hour has passed: what it would write may be older than what they have. Requirement P-17.9.
    pub fn restored(&mut self, now: Timestamp) {
        self.quiet = Some(now.plus_seconds(limits::QUIET));
        self.peers.clear();
        self.lineage.change();
    }

    /// The index of this device, if it may do anything. P-17.5.
    fn check(&self, account: &Account, now: Timestamp) -> Result<u32, RegisterError> {
        let entry = account.devices().find(&self.local).filter(|entry| entry.custody().is_own_held());
        let entry = entry.filter(|_| account.acts_as(&self.local, now));
        entry.map(|entry| entry.index()).ok_or(RegisterError::NotListed)
    }
}

/// Does not show values, nor what they are about.
impl fmt::Debug for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registers")
            .field("registers", &self.registers.len())
            .field("unsent", &self.unsent.len())
            .field("revision", &self.lineage.revision())
            .finish_non_exhaustive()
    }
}

/// A part of all registers is named by five bits of a hash of the key.
fn parts(registers: &BTreeMap<RegisterKey, Register>) -> [Vec<(&RegisterKey, &Register)>; limits::PARTS] {
    let mut parts = [const { Vec::new() }; limits::PARTS];
    for (key, register) in registers {
        if let Some(part) = parts.get_mut(key.part()) {
            part.push((key, register));
        }
    }
    parts
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod tests;
