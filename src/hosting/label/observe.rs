//! Evidence into the state: which devices an operator holds now, and until when that is known (docs/spec/hosting.md,
//! section 11.3).

use alloc::vec::Vec;

use super::evidence::{Evidence, HostedDevice, Presented};
use super::seen::{OwnHeld, OwnHosting, SeenDevice};
use super::state::{ClosedDevice, LabelState, Transition};
use super::{Label, Unverified};
use crate::hosting::disclosure::{DisclosureError, VerifiedDisclosure};
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

/// What valid evidence shows.
struct Examined {
    valid_until: Timestamp,
    /// The peer's hosted devices.
    seen: Vec<SeenDevice>,
    own_held: OwnHeld,
    own: Option<OwnHosting>,
}

impl LabelState {
    /// Evaluates evidence. If any of it is expired, missing or contradicts what is known, the label becomes
    /// [`Label::Unverified`] and nothing else changes, except that a key which an operator held is remembered. P-11.11.
    pub fn observe(&self, evidence: Evidence<'_>, now: Timestamp) -> Transition {
        let mut next = self.clone();
        next.remember_former(evidence, now);
        next.drop_early_consents(now);
        let mut closed = Vec::new();
        match next.examine(evidence, now) {
            Err(why) => next.label = Label::Unverified { why },
            Ok(Examined { valid_until, seen, own_held, own }) => {
                closed = self.closed_by(&seen);
                next.valid_until = Some(valid_until);
                next.own_held = Some(own_held);
                next.own = own;
                next.replace_in_force(seen, now);
            }
        }
        self.transition(next, closed, now)
    }

    /// Updates the label when only time has passed: it becomes [`Label::Unverified`] if the evidence has expired, and the
    /// user is asked again if the consent turns out to be dated ahead of the clock. P-11.27.
    pub fn tick(&self, now: Timestamp) -> Transition {
        let mut next = self.clone();
        next.drop_early_consents(now);
        if self.has_expired(now) {
            next.label = Label::Unverified { why: Unverified::Expired };
        } else if next.decisions != self.decisions && self.is_verified() {
            next.update_label(now);
        }
        self.transition(next, Vec::new(), now)
    }

    /// Remembers keys that the list calls own-held although an operator held them: the next list may come without the
    /// disclosure that shows it. P-11.30.
    fn remember_former(&mut self, evidence: Evidence<'_>, now: Timestamp) {
        let Evidence::Devices { devices, .. } = evidence else { return };
        for device in devices {
            let Presented::Former(verified) = device.presented else { continue };
            let disclosure = verified.disclosure();
            if *disclosure.account() == self.account && self.known(disclosure.device()).is_none() {
                self.remember(SeenDevice::new(verified).absent(now));
            }
        }
    }

    /// Checks the evidence as a whole. Returns until when it is valid, and the hosted devices.
    fn examine(&self, evidence: Evidence<'_>, now: Timestamp) -> Result<Examined, Unverified> {
        let Evidence::Devices { expires, devices, own } = evidence else { return Err(Unverified::DeviceList) };
        if expires <= now || devices.is_empty() {
            return Err(Unverified::DeviceList);
        }
        let (mut valid_until, mut seen) = (expires, Vec::<SeenDevice>::new());
        for device in devices {
            let Some(verified) = self.examine_device(device, now)? else { continue };
            if seen.len() >= Self::MOST_DEVICES {
                return Err(Unverified::TooMany);
            }
            valid_until = valid_until.min(verified.disclosure().expires());
            seen.push(SeenDevice::new(verified));
        }
        let mut operators: Vec<_> = seen.iter().map(|device| device.terms.operator.key).collect();
        operators.sort_unstable();
        operators.dedup();
        if operators.len() > Self::MOST_OPERATORS {
            return Err(Unverified::TooMany);
        }
        Ok(Examined { valid_until, seen, own_held: OwnHeld::of(devices), own: OwnHosting::of(own) })
    }

    /// Checks one device. Returns the disclosure of a hosted device, `None` for one that the account holds itself.
    /// P-11.12.
    fn examine_device<'a>(
        &self,
        device: &HostedDevice<'a>,
        now: Timestamp,
    ) -> Result<Option<&'a VerifiedDisclosure>, Unverified> {
        let known = self.known(&device.key);
        if device.custody.is_own_held() {
            // P-11.30
            return match (known, device.presented, device.disclosure.is_none()) {
                (Some(_), ..) | (None, Presented::Former(_), _) => Err(Unverified::KeyWasHosted),
                (None, _, false) => Err(Unverified::Disclosure(DisclosureError::OtherDevice)),
                (None, _, true) => Ok(None),
            };
        }
        let verified = match device.presented {
            Presented::Nothing | Presented::Former(_) => return Err(Unverified::Missing),
            Presented::Rejected(error) => return Err(Unverified::Disclosure(error)),
            Presented::Verified(verified) => verified,
        };
        let disclosure = verified.disclosure();
        if *disclosure.account() != self.account {
            return Err(Unverified::Disclosure(DisclosureError::OtherAccount));
        }
        let named = *disclosure.device() == device.key
            && disclosure.terms().custody == device.custody
            && Some(verified.hash()) == device.disclosure;
        if !named {
            return Err(Unverified::Disclosure(DisclosureError::OtherDevice));
        }
        verified.check_dates(now).map_err(Unverified::Disclosure)?;
        if let Some(known) = known {
            known.check_successor(verified).map_err(Unverified::Disclosure)?;
        }
        Ok(Some(verified))
    }

    /// The devices in force now that will not be once `seen` is. P-11.23.
    fn closed_by(&self, seen: &[SeenDevice]) -> Vec<ClosedDevice> {
        let stays = |old: &SeenDevice| seen.iter().any(|new| new.device == old.device && new.hash == old.hash);
        let gone = self.seen.iter().filter(|old| old.in_force && !stays(old));
        gone.map(|old| ClosedDevice { device: old.device, disclosure: old.hash }).collect()
    }

    /// Puts the devices in `seen` in force, and no others. What the user is asked about he is still asked about.
    fn replace_in_force(&mut self, mut seen: Vec<SeenDevice>, now: Timestamp) {
        for device in &mut seen {
            let same = |known: &&SeenDevice| known.device == device.device && known.hash == device.hash;
            device.asked = self.seen.iter().find(same).is_some_and(|known| known.asked);
        }
        let before: Vec<_> = self.in_force().map(|device| device.terms.operator.key).collect();
        for device in self.seen.iter_mut().filter(|device| device.in_force) {
            *device = device.clone().absent(now);
        }
        for device in seen {
            self.remember(device);
        }
        let after: Vec<_> = self.in_force().map(|device| device.terms.operator.key).collect();
        let left = |key: &IdentityKey| before.contains(key) && !after.contains(key);
        // If an operator leaves and later returns, earlier consent no longer applies; an earlier refusal does.
        self.decisions.retain(|decision| decision.choice.is_strict() || !left(&decision.terms.operator.key));
        self.update_label(now);
    }
}
