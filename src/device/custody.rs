//! [`Custody`]: who holds a device's keys. [`DeviceTerms`]: the custody and the other claims of a device's certificate.
//!
//! Disclosures appear here only by their hashes.

use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::disclosure::{self, DisclosureHash, OptionalHash};

/// Who holds a device's keys, from a person's own device to another messenger's client
/// ([section 10.2](crate::manual::spec::accounts#102-entries-and-certificates)). The order is that of trust: a greater
/// value is further away from the account's owner.
///
/// ```
/// use bisik::device::Custody;
///
/// assert!(Custody::SelfHosted.is_own_held() && !Custody::Vendor.is_own_held());
/// assert!(Custody::Person < Custody::Platform);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Custody {
    /// A person's own device.
    Person,
    /// A business' own device: the owner's phone and its companions.
    Business,
    /// A server that the business runs itself.
    SelfHosted,
    /// A server that another company runs for the business.
    Vendor,
    /// A server that the operator of the messaging network runs for the business.
    Platform,
    /// Another messenger's client.
    ForeignClient,
}

impl Custody {
    /// Every custody, in ascending order.
    pub const ALL: [Self; 6] =
        [Self::Person, Self::Business, Self::SelfHosted, Self::Vendor, Self::Platform, Self::ForeignClient];

    /// Returns whether only the account's owner holds the keys. Every other device is hosted and needs a disclosure.
    #[must_use]
    pub const fn is_own_held(self) -> bool {
        match self {
            Self::Person | Self::Business | Self::SelfHosted => true,
            Self::Vendor | Self::Platform | Self::ForeignClient => false,
        }
    }

    /// Returns its encoding, 1 to 6.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Person => 1,
            Self::Business => 2,
            Self::SelfHosted => 3,
            Self::Vendor => 4,
            Self::Platform => 5,
            Self::ForeignClient => 6,
        }
    }

    /// Decodes a custody. The set is closed: every other byte is malformed. Requirement P-10.3.
    pub(crate) const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Person),
            2 => Ok(Self::Business),
            3 => Ok(Self::SelfHosted),
            4 => Ok(Self::Vendor),
            5 => Ok(Self::Platform),
            6 => Ok(Self::ForeignClient),
            0 | 7.. => Err(Malformed),
        }
    }
}

/// The terms under which a device takes part: its custody, whether a program answers, and the hash of the disclosure
/// that names the operator of a hosted device. 34 bytes in every certificate.
///
/// ```
/// use bisik::device::{Custody, DeviceTerms, DeviceTermsError};
/// use bisik::DisclosureHash;
///
/// let phone = DeviceTerms::person();
/// assert!(!phone.is_automated() && phone.disclosure().is_none());
/// assert_eq!(DeviceTerms::own_held(Custody::Vendor), Err(DeviceTermsError::DisclosureMissing));
/// # let disclosure = DisclosureHash::from_bytes([7; 32])?; // `disclosure.hash()` of a verified disclosure
/// let hosted = DeviceTerms::disclosed(Custody::Vendor, disclosure)?.automated();
/// assert!(hosted.is_automated() && hosted.disclosure().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceTerms {
    custody: Custody,
    automated: bool,
    disclosure: OptionalHash,
}

impl DeviceTerms {
    /// Bytes in encoded terms.
    pub(crate) const LENGTH: usize = 1 + 1 + 32;

    /// Returns the terms of a person's own device, [`Custody::Person`].
    #[must_use]
    pub const fn person() -> Self {
        Self { custody: Custody::Person, automated: false, disclosure: OptionalHash::NONE }
    }

    /// Returns the terms of a business' own device, [`Custody::Business`].
    #[must_use]
    pub const fn business() -> Self {
        Self { custody: Custody::Business, automated: false, disclosure: OptionalHash::NONE }
    }

    /// Returns the terms of a device whose keys only the account's owner holds.
    ///
    /// # Errors
    ///
    /// [`DeviceTermsError::DisclosureMissing`] if `custody` is that of a hosted device.
    pub const fn own_held(custody: Custody) -> Result<Self, DeviceTermsError> {
        if custody.is_own_held() {
            Ok(Self { custody, automated: false, disclosure: OptionalHash::NONE })
        } else {
            Err(DeviceTermsError::DisclosureMissing)
        }
    }

    /// Returns the terms of a hosted device. `disclosure` is the hash of the disclosure that names its operator.
    ///
    /// # Errors
    ///
    /// [`DeviceTermsError::DisclosureUnexpected`] if `custody` is own-held.
    pub fn disclosed(custody: Custody, disclosure: DisclosureHash) -> Result<Self, DeviceTermsError> {
        if custody.is_own_held() {
            Err(DeviceTermsError::DisclosureUnexpected)
        } else {
            Ok(Self { custody, automated: false, disclosure: Some(disclosure).into() })
        }
    }

    /// Returns the same terms for a device on which a program answers.
    #[must_use]
    pub const fn automated(self) -> Self {
        Self { automated: true, ..self }
    }

    /// Returns who holds the keys.
    #[must_use]
    pub const fn custody(&self) -> Custody {
        self.custody
    }

    /// Returns whether a program answers.
    #[must_use]
    pub const fn is_automated(&self) -> bool {
        self.automated
    }

    /// Returns the hash of the disclosure, or `None` if the account's owner holds the keys.
    #[must_use]
    pub fn disclosure(&self) -> Option<DisclosureHash> {
        self.disclosure.get()
    }

    pub(crate) fn bytes(&self) -> [u8; Self::LENGTH] {
        let Self { custody, automated, disclosure } = self;
        let mut bytes = [0; Self::LENGTH];
        let parts = [custody.byte(), u8::from(*automated)];
        for (to, from) in bytes.iter_mut().zip(parts.iter().chain(disclosure.as_bytes())) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.bytes());
    }

    /// Decodes terms. A disclosure is present exactly if the device is hosted. Requirement P-10.3.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let custody = Custody::from_byte(reader.u8()?)?;
        let automated = reader.flag()?;
        let disclosure = disclosure::read_optional(reader)?;
        if custody.is_own_held() == disclosure.is_none() {
            Ok(Self { custody, automated, disclosure: disclosure.into() })
        } else {
            Err(Malformed)
        }
    }
}

/// A custody and a disclosure that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceTermsError {
    /// The device is hosted, but there is no disclosure.
    DisclosureMissing,
    /// The owner holds the keys, but there is a disclosure.
    DisclosureUnexpected,
}

bisik_core::error_texts! {
    DeviceTermsError {
        DisclosureMissing => "device.terms.disclosure_missing", "a hosted device has no disclosure";
        DisclosureUnexpected => "device.terms.disclosure_unexpected", "a device that its owner holds has a disclosure";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// P-10.3.
    #[test]
    fn each_custody_has_one_byte_and_no_other_byte_is_one() {
        let known: Vec<u8> = (0..=255).filter(|byte| Custody::from_byte(*byte).is_ok()).collect();
        assert_eq!(known, vec![1, 2, 3, 4, 5, 6]);
        for custody in Custody::ALL {
            assert_eq!(Custody::from_byte(custody.byte()), Ok(custody));
        }
    }

    /// P-10.3.
    #[test]
    fn terms_are_read_only_where_custody_and_disclosure_agree() {
        for custody in Custody::ALL {
            for disclosure in [[0; 32], [1; 32]] {
                for automated in [0, 1, 2] {
                    let bytes = [[custody.byte(), automated].as_slice(), &disclosure].concat();
                    let good = automated < 2 && custody.is_own_held() == (disclosure == [0; 32]);
                    let read = DeviceTerms::read(&mut Reader::new(&bytes));
                    assert_eq!(read.is_ok(), good, "{custody:?} {automated} {disclosure:?}");
                    assert!(read.is_err() || read.is_ok_and(|terms| terms.bytes() == bytes.as_slice()));
                }
            }
        }
    }
}
