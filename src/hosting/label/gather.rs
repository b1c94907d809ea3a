//! The device lists of both accounts and the disclosures that a server has for them, as [`Evidence`] (docs/spec/hosting.md,
//! section 11.3).

use alloc::vec::Vec;

use super::evidence::{Evidence, HostedDevice, Presented};
use super::state::{LabelState, Transition};
use crate::device::{AccountKey, DeviceDirectory, DeviceEntry};
use crate::hosting::disclosure::{Disclosure, DisclosureError, KnownDisclosure, VerifiedDisclosure};
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

impl LabelState {
    /// Observes the devices of both accounts. `disclosures` are those that the server has of either account; it should give
    /// those of former hosted devices too.
    ///
    /// Call it with every list of the peer's and of the own account that was accepted, with disclosures that arrive later,
    /// and when time has passed. P-11.11, P-11.28, P-11.30.
    pub fn observe_lists(
        &self,
        own: &DeviceDirectory,
        peer: &DeviceDirectory,
        disclosures: &[Disclosure],
        now: Timestamp,
    ) -> Transition {
        if peer.account() != self.account() {
            return self.observe(Evidence::NoDeviceList, now);
        }
        let known = |key: &IdentityKey| self.known(key);
        let theirs = present_all(peer, disclosures, known, now);
        let ours = present_all(own, disclosures, |_| None, now);
        let (theirs, ours) = (as_devices(peer, &theirs), as_devices(own, &ours));
        self.observe(Evidence::Devices { expires: peer.expires(), devices: &theirs, own: &ours }, now)
    }
}

/// What there is to show for one device.
enum Found {
    Nothing,
    Listed(Result<VerifiedDisclosure, DisclosureError>),
    Former(VerifiedDisclosure),
}

fn present_all(
    directory: &DeviceDirectory,
    disclosures: &[Disclosure],
    known: impl Fn(&IdentityKey) -> Option<KnownDisclosure>,
    now: Timestamp,
) -> Vec<Found> {
    let account = directory.account();
    directory.devices().iter().map(|entry| present(entry, account, disclosures, known(entry.identity()), now)).collect()
}

fn present(
    entry: &DeviceEntry,
    account: &AccountKey,
    disclosures: &[Disclosure],
    known: Option<KnownDisclosure>,
    now: Timestamp,
) -> Found {
    let Some(wanted) = entry.terms().disclosure() else {
        // One that all three parties have signed shows that an operator held the key, however old it is.
        let of_key = disclosures.iter().filter(|disclosure| disclosure.device() == entry.identity());
        let former = of_key.filter_map(|disclosure| disclosure.clone().verify_origin(account).ok()).next();
        return former.map_or(Found::Nothing, Found::Former);
    };
    let found = disclosures.iter().find(|disclosure| disclosure.hash() == wanted);
    found.map_or(Found::Nothing, |found| Found::Listed(found.clone().verify(account, known.as_ref(), now)))
}

fn as_devices<'a>(directory: &DeviceDirectory, found: &'a [Found]) -> Vec<HostedDevice<'a>> {
    let device = |(entry, found): (&DeviceEntry, &'a Found)| {
        let presented = match found {
            Found::Nothing => Presented::Nothing,
            Found::Listed(Ok(verified)) => Presented::Verified(verified),
            Found::Listed(Err(error)) => Presented::Rejected(*error),
            Found::Former(verified) => Presented::Former(verified),
        };
        HostedDevice::new(entry, presented)
    };
    directory.devices().iter().zip(found).map(device).collect()
}
