//! What arrives, and what the program shows: everything that must hold at that moment.

use std::collections::BTreeSet;

use bisik::conversation::{Arrival, Bound, DeviceAddress, ReceiveError, Side};

use super::device::{At, Device};
use super::world::{Crash, DAY, Mail, THIEF, World};

impl World {
    /// Delivers envelopes to one device, all at once.
    pub fn deliver(&mut self, to: At, batch: Vec<Mail>, crash: Option<Crash>) {
        let now = self.now(to);
        let Some(mut device) = self.devices.remove(&to) else { return };
        let address =
            |from: At| DeviceAddress { side: if from.0 == to.0 { Side::Own } else { Side::Peer }, index: from.1 };
        let with_session: BTreeSet<At> =
            batch.iter().map(|mail| mail.from).filter(|from| device.has_session_with(address(*from))).collect();
        let arrivals: Vec<_> = batch
            .iter()
            .map(|mail| Arrival { from: address(mail.from), ciphertext: mail.ciphertext.clone() })
            .collect();
        let results = device.talk.receive(&mut device.account, &arrivals, now);
        if crash == Some(Crash::BeforeStoring) {
            self.tally.crashes += 1;
            device.reload();
            self.devices.insert(to, device);
            // The relay keeps them.
            self.net.extend(batch);
            return;
        }
        drop(device.store(&mut self.rng));
        if crash == Some(Crash::AfterStoring) {
            self.tally.crashes += 1;
            device.reload();
        }
        device.again = Some(self.time);
        self.devices.insert(to, device);
        let mut unlisted = Vec::new();
        for (mail, result) in batch.into_iter().zip(results) {
            self.say(|| format!("   {to:?} <- {:?} {result:?}", mail.from));
            match result {
                Ok(()) | Err(ReceiveError::Duplicate | ReceiveError::Unreadable) => {}
                Err(ReceiveError::UnknownDevice | ReceiveError::ListExpired) => unlisted.push(mail),
                // It is listed under terms that it has to fetch first.
                Err(ReceiveError::DisclosureNeeded) => unlisted.push(mail),
                // Only an authenticated sender gets so far.
                Err(ReceiveError::ProtocolViolation) if mail.is_forged => {}
                // Of an account that left, or of a device that is not listed yet.
                Err(ReceiveError::DeviceNotListed) => {}
                // So many first flights came to keys that can be used again: a program replaces the keys.
                Err(ReceiveError::ReplayCacheFull) => {
                    self.held.extend((!mail.is_forged).then_some(mail));
                    if self.devices[&to].kept_up + DAY / 4 < self.time {
                        self.keep_up(to);
                    }
                }
                Err(error) => self.broken(&format!("{to:?} cannot receive: {error:?}")),
            }
        }
        self.settle_beside(to, &with_session);
        self.try_with_newer_lists(to, unlisted);
    }

    /// Fetches the newest lists and tries once more; then waits for a day.
    fn try_with_newer_lists(&mut self, to: At, unlisted: Vec<Mail>) {
        if unlisted.is_empty() {
            return;
        }
        let known = |device: &Device| [device.account.devices().sequence(), device.talk.peer().sequence()];
        let before = known(&self.devices[&to]);
        self.fetch_lists(to);
        self.store(to);
        if known(&self.devices[&to]) == before {
            self.held.extend(unlisted);
        } else {
            self.deliver(to, unlisted, None);
        }
    }

    pub fn settle(&mut self, at: At) {
        self.settle_beside(at, &BTreeSet::new());
    }

    /// The program shows what the inbox has. `with_session`: devices with which a session was established before.
    fn settle_beside(&mut self, at: At, with_session: &BTreeSet<At>) {
        let taken = self.get(at).take(at);
        if !taken.twice.is_empty() {
            self.broken(&format!("{at:?} was shown twice: {:?}", taken.twice));
        }
        for (uid, from, confirmed) in taken.shown {
            self.say(|| format!("     SHOWN {uid} at {at:?}{}", if confirmed { "" } else { " (unconfirmed)" }));
            self.ever.insert((uid, at));
            self.tally.shown_at_last = self.time;
            if !confirmed && with_session.contains(&from) {
                self.broken(&format!("{at:?} was shown {uid} from an unconfirmed session beside a confirmed one"));
            }
            if confirmed && uid >= THIEF {
                self.broken(&format!("{at:?}: a thief's message was shown as confirmed"));
            }
        }
        for uid in taken.vouched_for {
            self.tally.vouched_for += 1;
            if uid >= THIEF {
                self.broken(&format!("{at:?}: a thief's message is said to be the device's"));
            }
        }
        for (device, bound, early) in taken.replaced {
            self.say(|| format!("     REPLACED {device:?} at {at:?}, {bound:?}, early {early}"));
            self.tally.replaced += 1;
            self.tally.bound += u64::from(bound != Bound::None);
            if bound == Bound::None && !early && !self.was_restored(at, device) {
                self.broken(&format!(
                    "{at:?}: an unbound session with {device:?} replaced one, and nobody was restored"
                ));
            }
        }
        for device in taken.told_of_another.into_iter().chain(taken.not_the_peers) {
            if !self.was_restored(at, device) {
                self.broken(&format!("{at:?}: {device:?} speaks of somebody else, and nobody was restored"));
            }
        }
        // P-12.58
        if taken.without_deadline && self.terms_of(at).is_some() {
            self.broken(&format!("{at:?} is hosted and was given a message without a time to delete it"));
        }
        if taken.outdated {
            self.fetch_lists(at);
            self.store(at);
        }
    }

    /// Whether one of the two went back in time.
    pub fn was_restored(&self, one: At, other: At) -> bool {
        [one, other].iter().any(|at| self.devices.get(at).is_none_or(|device| device.was_restored))
    }

    /// What was refused for a list is tried again; of a device that has left nothing is kept.
    pub fn try_held(&mut self, to: At) {
        let (again, rest) = std::mem::take(&mut self.held).into_iter().partition(|mail| mail.to == to);
        self.held = rest;
        let again: Vec<Mail> = again;
        self.net.extend(again.into_iter().filter(|mail| self.devices.contains_key(&mail.from)));
    }
}
