//! [`Addresses`]: the names of both devices, which first messages carry under their tag.

/// What a service id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServiceKind {
    /// An account (ACI).
    Account,
    /// A phone number (PNI).
    PhoneNumber,
}

/// The name of one device: a service id and the device's number in its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceAddress {
    /// What the id names.
    pub kind: ServiceKind,
    /// The 16 bytes of the id.
    pub uuid: [u8; 16],
    /// The device's number, from 1 to 127.
    pub device: u8,
}

/// The names of both devices of a session. S-13.7.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// use bisik::interop::signal::v4::{Addresses, ServiceAddress, ServiceKind};
///
/// let ours = ServiceAddress { kind: ServiceKind::Account, uuid: [1; 16], device: 1 };
/// let theirs = ServiceAddress { kind: ServiceKind::Account, uuid: [2; 16], device: 3 };
/// let addresses = Addresses { ours, theirs };
/// # let _ = addresses;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// The local device.
    pub ours: ServiceAddress,
    /// The peer's.
    pub theirs: ServiceAddress,
}

/// Bytes of the field.
pub(super) const LENGTH: usize = 36;

impl Addresses {
    /// The field of a message that the local device sends.
    pub(super) fn outgoing(&self) -> [u8; LENGTH] {
        field(&self.ours, &self.theirs)
    }

    /// The field of a message that it receives.
    pub(super) fn incoming(&self) -> [u8; LENGTH] {
        field(&self.theirs, &self.ours)
    }

    /// Both names as they are stored: like [`outgoing`](Self::outgoing).
    pub(super) fn read(bytes: &[u8; LENGTH]) -> Option<Self> {
        let (ours, theirs) = bytes.split_at_checked(LENGTH / 2)?;
        Some(Self { ours: address(ours)?, theirs: address(theirs)? })
    }
}

fn field(sender: &ServiceAddress, receiver: &ServiceAddress) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let parts = [sender, receiver].into_iter().flat_map(|ServiceAddress { kind, uuid, device }| {
        let kind = match kind {
            ServiceKind::Account => ACCOUNT,
            ServiceKind::PhoneNumber => PHONE_NUMBER,
        };
        [kind].into_iter().chain(*uuid).chain([*device])
    });
    bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    bytes
}

fn address(bytes: &[u8]) -> Option<ServiceAddress> {
    let (kind, rest) = bytes.split_first()?;
    let (uuid, rest) = rest.split_first_chunk()?;
    let kind = match *kind {
        ACCOUNT => ServiceKind::Account,
        PHONE_NUMBER => ServiceKind::PhoneNumber,
        _ => return None,
    };
    Some(ServiceAddress { kind, uuid: *uuid, device: *rest.first()? })
}

/// The first byte of an account's id.
const ACCOUNT: u8 = 0;
/// The first byte of a phone number's.
const PHONE_NUMBER: u8 = 1;
