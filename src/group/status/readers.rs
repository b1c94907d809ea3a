//! Which devices read what is shown to an audience (docs/spec/statuses.md, section 16.1).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::audience::Audience;
use crate::account::Account;
use crate::device::{AccountKey, DeviceDirectory, DeviceEntry};
use crate::group::room::device_of;
use crate::group::write::Targets;
use crate::group::{LeftOut, Reader};
use crate::hosting::LabelState;
use bisik_core::time::Timestamp;

/// What the conversations with the accounts of an audience know: an account without devices here is left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contacts<'a> {
    /// The devices of each ([`Conversation::peer`](crate::Conversation::peer)).
    pub devices: &'a [&'a DeviceDirectory],
    /// The labels of those with hosted devices ([`Conversation::label`](crate::Conversation::label)), and that of the
    /// conversation with oneself if the own account has any.
    pub labels: &'a [&'a LabelState],
}

impl Audience {
    /// Returns which devices read what is posted now, and which do not: for the author alone to see. Requirements P-16.2 and
    /// P-16.3.
    #[must_use]
    pub fn readers(&self, account: &Account, contacts: Contacts<'_>, now: Timestamp) -> Vec<Reader> {
        let given: BTreeSet<_> = self.chain.iter().flat_map(|chain| chain.given()).collect();
        let known: BTreeMap<_, _> = contacts.devices.iter().map(|devices| (*devices.account(), *devices)).collect();
        let mut readers = Vec::new();
        for member in self.members().chain([account.key()]) {
            let own = member == account.key();
            let directory = if own { Some(account.devices()) } else { known.get(member).copied() };
            let Some(directory) = directory else {
                readers.push(Reader { account: *member, device: None, left_out: Some(LeftOut::NoList) });
                continue;
            };
            for entry in directory.devices().iter().filter(|entry| *entry.identity() != self.local.identity) {
                // A chain that a device has goes on to its own end: a day, here.
                let expired = directory.is_expired(now) && !given.contains(entry.identity());
                let left_out = self.why_left_out(member, entry, contacts.labels, now);
                let left_out = left_out.or_else(|| expired.then_some(LeftOut::ListExpired));
                readers.push(Reader { account: *member, device: Some(device_of(member, entry)), left_out });
            }
        }
        readers
    }

    /// P-16.3: a hosted device reads only if the author has said so for this audience, and has agreed to its terms.
    fn why_left_out(
        &self,
        member: &AccountKey,
        entry: &DeviceEntry,
        labels: &[&LabelState],
        now: Timestamp,
    ) -> Option<LeftOut> {
        if entry.custody().is_own_held() {
            return None;
        }
        if !self.hosted {
            return Some(LeftOut::NotAdmitted);
        }
        let agrees = labels.iter().any(|label| label.account() == member && label.lets_read(entry, now));
        (!agrees).then_some(LeftOut::NoConsent)
    }

    pub(super) fn targets(&self, account: &Account, contacts: Contacts<'_>, now: Timestamp) -> Targets {
        let readers = self.readers(account, contacts, now).into_iter();
        let read = readers.filter(|reader| reader.left_out.is_none()).filter_map(|reader| reader.device);
        read.map(|device| (device.identity, device)).collect()
    }
}
