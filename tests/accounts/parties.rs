//! Devices whose keys a test knows, an account of them, and lists signed by a dishonest primary.

use bisik::device::{
    AccountKey, Custody, DeviceCertificate, DeviceDirectory, DeviceList, DeviceListError, DeviceTerms, Primary,
};
use bisik::{DisclosureHash, Identity, Timestamp, Trust};
use bisik_testkit::ConstantRng;
use ed25519_dalek::{Signer, SigningKey};

pub const DAY: u64 = 24 * 60 * 60;
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// Offsets of a list's fields; its certificates follow, 166 bytes each, then the next index and the signature.
pub const SEQUENCE: usize = 65;
pub const PREVIOUS: usize = 73;
pub const ISSUED: usize = 105;
pub const EXPIRES: usize = 113;
pub const COUNT: usize = 121;
pub const CERTIFICATES: usize = 125;

/// Offsets of a certificate's fields.
pub const KEY: usize = 4;
pub const CUSTODY: usize = 68;
pub const AUTOMATED: usize = 69;
pub const DISCLOSURE: usize = 70;
pub const POSSESSION: usize = 102;

/// The device whose two secrets are 32 times this byte, so that a test can sign for it.
pub fn device(number: u8) -> Identity {
    Identity::generate(&mut ConstantRng(number))
}

/// `text ‖ signature` by device `number` over `label ‖ identity key ‖ text`, made without the library.
pub fn signed(number: u8, label: &str, text: &[u8]) -> Vec<u8> {
    let whole = [label.as_bytes(), &device(number).public().to_bytes(), text].concat();
    [text, &SigningKey::from_bytes(&[number; 32]).sign(&whole).to_bytes()].concat()
}

pub fn own(custody: Custody) -> DeviceTerms {
    DeviceTerms::own_held(custody).unwrap()
}

pub fn vendor(disclosure: u8) -> DeviceTerms {
    DeviceTerms::disclosed(Custody::Vendor, DisclosureHash::from_bytes([disclosure; 32]).unwrap()).unwrap()
}

pub fn after(days: u64) -> Timestamp {
    NOW.plus_seconds(days * DAY)
}

/// An account whose primary is device 1.
pub struct Account {
    pub phone: Identity,
    pub primary: Primary,
    pub next: u8,
}

impl Account {
    pub fn new() -> Self {
        let phone = device(1);
        Self { primary: Primary::new(&phone, own(Custody::Person), NOW), phone, next: 2 }
    }

    pub fn of(devices: usize) -> Self {
        let mut account = Self::new();
        (1..devices).for_each(|_| account.join(own(Custody::Person)));
        account
    }

    pub fn key(&self) -> AccountKey {
        AccountKey::of(&self.phone)
    }

    /// Adds a device with the next number, at the next index.
    pub fn join(&mut self, terms: DeviceTerms) {
        let joining = DeviceCertificate::sign(&device(self.next), &self.key(), self.primary.next_index(), terms);
        self.primary.add(&self.phone, joining, NOW).unwrap();
        self.next += 1;
    }

    pub fn leave(&mut self, index: u32) {
        self.primary.remove(&self.phone, index, NOW).unwrap();
    }

    pub fn reissue(&mut self, now: Timestamp) -> DeviceList {
        self.primary.reissue(&self.phone, now).unwrap().clone()
    }

    pub fn list(&self) -> DeviceList {
        self.primary.list().clone()
    }

    /// The directory of a peer that has seen everything so far.
    pub fn directory(&self) -> DeviceDirectory {
        DeviceDirectory::trust(self.primary.list(), Trust::Pinned(self.phone.public()), NOW).unwrap()
    }
}

/// The next list of a dishonest primary: changed, then correctly signed by the account.
pub fn forged(list: &DeviceList, change: impl FnOnce(&mut Vec<u8>)) -> Result<DeviceList, DeviceListError> {
    let bytes = list.to_bytes();
    let mut content = bytes[..bytes.len() - 64].to_vec();
    change(&mut content);
    DeviceList::from_bytes(&signed(1, "bisik-1 device list\0", &content))
}

/// The reason why `list` is refused; checks that the directory is unchanged.
pub fn refused(directory: &DeviceDirectory, list: &DeviceList, now: Timestamp) -> DeviceListError {
    let mut after = directory.clone();
    let error = after.accept(list, now).unwrap_err();
    assert_eq!(after, *directory, "a refused list changes nothing");
    error
}

pub fn certificate_at(position: usize) -> usize {
    CERTIFICATES + position * DeviceCertificate::LENGTH
}
