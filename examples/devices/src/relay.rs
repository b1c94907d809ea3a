//! The server: device lists, bundles and letters. It is trusted with nothing: all that comes from it is verified.

use std::collections::HashMap;

use bisik::conversation::EnvelopeHeader;
use bisik::device::{AccountKey, DeviceList};
use bisik::{Account, IdentityKey, MaintenanceOutput, PreKeyBundle};

use crate::Outcome;

#[derive(Default)]
pub(crate) struct Relay {
    lists: HashMap<AccountKey, Vec<DeviceList>>,
    one_time: HashMap<IdentityKey, Vec<PreKeyBundle>>,
    last_resort: HashMap<IdentityKey, PreKeyBundle>,
    /// By the account and the index of the receiving device.
    letters: HashMap<([u8; 64], u32), Vec<Vec<u8>>>,
}

impl Relay {
    /// Takes what [`Account::maintain`] gave.
    pub(crate) fn publish(&mut self, account: &Account, upkeep: &MaintenanceOutput) {
        let device = *account.identity().public();
        if upkeep.replaces_one_time {
            self.one_time.remove(&device);
        }
        self.one_time.entry(device).or_default().extend(upkeep.one_time.iter().cloned());
        upkeep.last_resort.iter().for_each(|bundle| drop(self.last_resort.insert(device, bundle.clone())));
        upkeep.list.iter().for_each(|list| self.lists.entry(*account.key()).or_default().push(list.clone()));
    }

    /// The lists of an account after the one with the number `known`, oldest first.
    pub(crate) fn lists(&self, account: &AccountKey, known: u64) -> Vec<DeviceList> {
        let lists = self.lists.get(account).into_iter().flatten();
        lists.filter(|list| list.sequence() > known).cloned().collect()
    }

    /// A bundle of a device: each one-time bundle once, and the last-resort bundle when none is left.
    pub(crate) fn bundle(&mut self, device: &IdentityKey) -> Option<PreKeyBundle> {
        let one_time = self.one_time.get_mut(device).and_then(Vec::pop);
        one_time.or_else(|| self.last_resort.get(device).cloned())
    }

    pub(crate) fn post(&mut self, letter: Vec<u8>) -> Outcome<()> {
        let header = EnvelopeHeader::from_bytes(&letter)?;
        self.letters.entry((*header.receiver_account(), header.receiver_index())).or_default().push(letter);
        Ok(())
    }

    /// Gives letters once. What is lost after that, by a crash, is sent again until its receiver acknowledges it.
    pub(crate) fn take(&mut self, account: &Account) -> Vec<Vec<u8>> {
        let mailbox = account.index().map(|index| (account.key().to_bytes(), index));
        mailbox.and_then(|mailbox| self.letters.remove(&mailbox)).unwrap_or_default()
    }
}
