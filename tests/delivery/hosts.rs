//! Devices that somebody else holds: an account lists one, its operator's terms change, and users decide.
//!
//! What a label may say is computed here from lists and decisions alone.

use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceTerms};
use bisik::hosting::{
    Disclosure, DisclosureDraft, HostingTerms, Label, Operator, OperatorName, Purposes, Retention, Roles,
};
use rand::RngExt;

use super::device::At;
use super::world::{DAY, World};
use bisik::{Account, DisclosureHash, Identity};

/// What a user decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Consent,
    Refuse,
    Withdraw,
}

impl World {
    /// An account lists a device that an operator holds, unless a clock or a list forbids it.
    pub fn host(&mut self, who: usize) {
        let (now, primary) = (self.true_time(), (who, 0));
        if self.directory(1 - who).is_none() || self.devices[&primary].clock.unsigned_abs() > DAY {
            return;
        }
        let (identity, retention) = (Identity::generate(&mut self.rng), self.retention());
        let terms = HostingTerms {
            custody: Custody::Vendor,
            operator: Operator { name: OperatorName::new("Awan Layanan").unwrap(), key: *self.operator.public() },
            roles: Roles::READ.with(Roles::STORE).with(Roles::ANSWER),
            retention,
            purposes: Purposes::ANSWERING,
        };
        let account = &self.devices[&primary].account;
        let expires = now.plus_seconds(300 * DAY);
        let draft = DisclosureDraft::new(*account.key(), *identity.public(), terms, now, expires).unwrap();
        let disclosure = self.sign(who, draft, &identity);
        let account = &mut self.get(primary).account;
        let Some(index) = account.primary().map(|primary| primary.next_index()) else { return };
        let terms = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
        let certificate = DeviceCertificate::sign(&identity, account.key(), index, terms);
        let list = account.change_devices(&[DeviceChange::Add(certificate)], now).unwrap();
        let key = *account.key();
        self.publish(who, list.clone());
        let mut account = Account::join(identity, &key, &list, now, &mut self.rng).unwrap();
        assert!(account.set_disclosure(disclosure.clone()));
        self.disclosures.push(disclosure);
        self.observe(primary);
        self.accounts.insert((who, index), account);
        self.begin((who, index));
        self.accept((who, index));
        self.tally.hosted += 1;
        self.say(|| format!("HOST {:?}", (who, index)));
    }

    /// The operator of a hosted device adopts other terms.
    pub fn amend(&mut self, at: At) {
        let (now, primary) = (self.true_time(), (at.0, 0));
        let listed = self.devices[&primary].account.devices().devices().iter().find(|entry| entry.index() == at.1);
        let Some(before) = listed.and_then(|entry| entry.terms().disclosure()) else { return };
        if self.devices[&primary].clock.unsigned_abs() > DAY {
            return;
        }
        let previous = self.disclosures.iter().find(|disclosure| disclosure.hash() == before).unwrap().clone();
        let terms = HostingTerms { retention: self.retention(), ..previous.terms().clone() };
        let Ok(draft) = DisclosureDraft::following(&previous, terms, now, now.plus_seconds(300 * DAY)) else { return };
        let hosted = &self.devices[&at].account;
        let disclosure = self.sign(at.0, draft, hosted.identity());
        let terms = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
        let certificate = DeviceCertificate::sign(hosted.identity(), hosted.key(), at.1, terms);
        let account = &mut self.get(primary).account;
        let list = account.change_devices(&[DeviceChange::Update(certificate)], now).unwrap();
        self.disclosures.push(disclosure);
        self.publish(at.0, list);
        self.observe(primary);
        self.say(|| format!("AMEND {at:?}"));
    }

    fn sign(&self, who: usize, draft: DisclosureDraft, hosted: &Identity) -> Disclosure {
        let proven = draft.countersign(&self.operator).unwrap().prove(hosted).unwrap();
        proven.sign(self.devices[&(who, 0)].account.identity()).unwrap()
    }

    fn retention(&mut self) -> Retention {
        let all = [Retention::THIRTY_DAYS, Retention::NO_STORAGE];
        all[self.choices.random_range(0..all.len())]
    }

    /// A hosted device that is listed under other terms takes them.
    pub fn take_terms(&mut self, at: At) {
        if let Some(hash) = self.terms_of(at) {
            let disclosure = self.disclosures.iter().find(|disclosure| disclosure.hash() == hash).unwrap().clone();
            assert!(self.get(at).account.set_disclosure(disclosure));
        }
    }

    /// What a program does when a list has changed.
    pub fn observe(&mut self, at: At) {
        let now = self.now(at);
        let device = self.devices.get_mut(&at).unwrap();
        let _event = device.talk.observe(&device.account, &self.disclosures, now);
        self.store(at);
    }

    /// The disclosure that a device is listed under, as far as it knows.
    pub fn terms_of(&self, at: At) -> Option<DisclosureHash> {
        let account = &self.devices[&at].account;
        let entry = account.devices().devices().iter().find(|entry| entry.identity() == account.identity().public());
        entry.and_then(|entry| entry.terms().disclosure())
    }

    /// A user decides about what the label asks.
    pub fn decide(&mut self, at: At, choice: Choice) {
        let now = self.now(at);
        let device = self.devices.get_mut(&at).unwrap();
        let about = match (device.talk.label().label(now), choice) {
            // What was refused may be other terms than those that are in force.
            (Label::Disclosed { .. } | Label::Refused { .. }, Choice::Consent)
            | (Label::Disclosed { .. }, Choice::Refuse) => device.talk.label().question().map(|(about, _)| about),
            (Label::Hosted { consent, .. }, Choice::Withdraw) => Some(consent),
            _ => None,
        };
        let Some(about) = about else { return };
        let about = self.disclosures.iter().find(|disclosure| disclosure.hash() == about).unwrap();
        let (account, rng) = (&device.account, &mut self.rng);
        let decided = match choice {
            Choice::Consent => device.talk.consent(account, about, now, rng),
            Choice::Refuse => device.talk.refuse(account, about, now, rng),
            Choice::Withdraw => device.talk.withdraw(account, about, now, rng),
        };
        match decided {
            Ok(_) => {
                if choice == Choice::Consent {
                    self.agreed.insert((at.0, about.hash()));
                }
                self.tally.decisions += 1;
                self.store(at);
                self.wake(at);
                self.settle(at);
            }
            // By a wrong clock, what it is about is over, or not yet there.
            Err(error) => self.say(|| format!("   {at:?} cannot decide: {error:?}")),
        }
        self.say(|| format!("DECIDE {choice:?} at {at:?}"));
    }

    /// P-11.16, P-12.57: no label is better than what the lists that the device has say, and no message leaves but under
    /// one that permits it.
    pub fn check_label(&self, at: At, sends_to_peer: bool) {
        let device = &self.devices[&at];
        let hosted = |entries: &[bisik::device::DeviceEntry]| -> Vec<DisclosureHash> {
            entries.iter().filter_map(|entry| entry.terms().disclosure()).collect()
        };
        let theirs = hosted(device.talk.peer().devices());
        let ours = hosted(device.account.devices().devices());
        let label = device.talk.label().label(self.now(at));
        let agreed = self.agreed.iter().any(|(who, _)| *who == at.0);
        let is_true = match label {
            Label::EndToEnd { .. } => theirs.is_empty() && ours.is_empty(),
            Label::OwnHosted { .. } => theirs.is_empty() && !ours.is_empty(),
            Label::Hosted { disclosure, consent } => {
                theirs.contains(&disclosure) && self.agreed.contains(&(at.0, consent)) && agreed
            }
            Label::Disclosed { .. } | Label::Refused { .. } | Label::Unverified { .. } | Label::Unknown => {
                !sends_to_peer
            }
        };
        if !is_true {
            self.broken(&format!("{at:?} shows {label:?}; its lists have {theirs:?} and {ours:?}"));
        }
    }
}
