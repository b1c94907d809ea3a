//! The relay: it keeps mail, device lists and bundles, and everything that it has seen.

use std::collections::BTreeMap;

use bisik::conversation::{DeviceAddress, Envelope};
use bisik::device::{AccountKey, DeviceList};
use bisik::group::GroupArrival;
use bisik::{PreKeyBundle, Trust, VerifiedBundle};

use super::Result;
use super::device::{Device, NOW};

/// What is for one account. Everybody has one device here.
pub(crate) enum Mail {
    /// A letter of the group, or what a conversation needs.
    Envelope(AccountKey, Envelope),
    /// A message of the group.
    Message(GroupArrival),
    /// A story.
    Story(GroupArrival),
}

#[derive(Default)]
pub(crate) struct Relay {
    lists: BTreeMap<AccountKey, DeviceList>,
    bundles: BTreeMap<AccountKey, PreKeyBundle>,
    mail: Vec<(AccountKey, Mail)>,
    blobs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Everything that went through, and how many of it were messages and letters.
    record: Vec<u8>,
    seen: (usize, usize),
}

impl Relay {
    pub(crate) fn register(&mut self, list: DeviceList, bundle: PreKeyBundle) {
        self.bundles.insert(*list.account(), bundle);
        self.lists.insert(*list.account(), list);
    }

    /// The list of an account. Whoever asks verifies it.
    pub(crate) fn list(&self, account: &AccountKey) -> Result<DeviceList> {
        Ok(self.lists.get(account).ok_or("no such account")?.clone())
    }

    /// The bundle of an account's telephone, verified against the identity that its list names.
    pub(crate) fn bundle(&self, account: &AccountKey) -> Result<(DeviceAddress, VerifiedBundle)> {
        let bundle = self.bundles.get(account).ok_or("no such account")?.clone();
        Ok((DeviceAddress::peer(0), bundle.verify(Trust::Pinned(account.identity()), NOW)?))
    }

    pub(crate) fn letter(&mut self, from: AccountKey, to: AccountKey, envelope: Envelope) {
        self.record.extend(envelope.ciphertext.as_bytes());
        self.seen.1 += 1;
        self.mail.push((to, Mail::Envelope(from, envelope)));
    }

    /// Hands a message to everybody who reads it: the relay stores it once.
    pub(crate) fn message(&mut self, from: AccountKey, to: &[AccountKey], message: &[u8]) {
        self.record.extend(message);
        self.seen.0 += 1;
        for account in to {
            self.mail.push((*account, Mail::Message(GroupArrival { from: (from, 0), message: message.to_vec() })));
        }
    }

    /// The same, for those whom one account shows something.
    pub(crate) fn story(&mut self, from: AccountKey, to: impl Iterator<Item = AccountKey>, message: &[u8]) {
        self.record.extend(message);
        self.seen.0 += 1;
        for account in to {
            self.mail.push((account, Mail::Story(GroupArrival { from: (from, 0), message: message.to_vec() })));
        }
    }

    pub(crate) fn upload(&mut self, name: &[u8], blob: Vec<u8>) {
        self.record.extend(&blob);
        self.blobs.insert(name.to_vec(), blob);
    }

    pub(crate) fn download(&self, name: &[u8]) -> Result<&[u8]> {
        Ok(self.blobs.get(name).ok_or("no such blob")?)
    }

    /// A blob that was uploaded.
    pub(crate) fn some_blob(&self) -> Result<&[u8]> {
        Ok(self.blobs.values().next().ok_or("no blob")?)
    }

    /// Lets everybody do what is due, and delivers, until nothing is left.
    pub(crate) fn run(&mut self, people: &mut [Device]) -> Result<()> {
        loop {
            for device in &mut *people {
                device.work(self)?;
            }
            if self.mail.is_empty() {
                return Ok(());
            }
            for (to, mail) in std::mem::take(&mut self.mail) {
                let device = people.iter_mut().find(|device| *device.account.key() == to).ok_or("no such device")?;
                device.receive(self, mail)?;
            }
        }
    }

    pub(crate) fn seen(&self) -> (usize, usize) {
        self.seen
    }

    pub(crate) fn has_seen(&self, part: &[u8]) -> bool {
        self.record.windows(part.len()).any(|window| window == part)
    }
}
