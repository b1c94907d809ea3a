//! Evidence into the state: which devices an operator holds now, and until when that is known (docs/spec/hosting.md,
//! section 11.3).

use alloc::vec::Vec;

use super::evidence::{Evidence, HostedDevice, Presented};
use super::seen::SeenDevice;
use super::state::{ClosedDevice, LabelState, Transition};
use super::{Label, Unverified};
use crate::hosting::disclosure::{DisclosureError, VerifiedDisclosure};
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

impl LabelState {
    /// Evaluates evidence. If any of it is expired, missing or contradicts what is known, the label becomes
    /// [`Label::Unverified`] and nothing else changes. P-11.11.
    pub fn observe(&self, evidence: Evidence<'_>, now: Timestamp) -> Transition {
        let mut next = self.clone();
        let mut closed = Vec::new();
        match self.examine(evidence, now) {
            Err(why) => next.label = Label::Unverified { why },
            Ok((valid_until, seen)) => {
                closed = self.closed_by(&seen);
                next.valid_until = Some(valid_until);
                next.replace_in_force(seen, now);
            }
        }
        self.transition(next, closed, now)
    }

    /// Updates the label when only time has passed: it becomes [`Label::Unverified`] if the evidence has expired.
    pub fn tick(&self, now: Timestamp) -> Transition {
        let mut next = self.clone();
        if self.has_expired(now) {
            next.label = Label::Unverified { why: Unverified::Expired };
        }
        self.transition(next, Vec::new(), now)
    }

    /// Checks the evidence as a whole. Returns until when it is valid, and the hosted devices.
    fn examine(&self, evidence: Evidence<'_>, now: Timestamp) -> Result<(Timestamp, Vec<SeenDevice>), Unverified> {
        let Evidence::Devices { expires, devices } = evidence else { return Err(Unverified::DeviceList) };
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
        if operators.len() > Self::MOST_OPERATORS { Err(Unverified::TooMany) } else { Ok((valid_until, seen)) }
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
            return match (known, device.disclosure.is_none()) {
                (Some(_), _) => Err(Unverified::KeyWasHosted),
                (None, false) => Err(Unverified::Disclosure(DisclosureError::OtherDevice)),
                (None, true) => Ok(None),
            };
        }
        let verified = match device.presented {
            Presented::Nothing => return Err(Unverified::Missing),
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

    /// Puts the devices in `seen` in force, and no others.
    fn replace_in_force(&mut self, seen: Vec<SeenDevice>, now: Timestamp) {
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
