//! [`Custody`]: in whose hands a device's keys are; [`Terms`]: the same with all that a device's certificate says of it.
//!
//! Does not know disclosures, only their hashes.

use core::fmt;

use crate::codec::{Malformed, Reader, Writer};
use crate::disclosure::{self, DisclosureHash};

/// In whose hands a device's keys are, from the person who writes to another company's client (docs/spec/accounts.md,
/// section 10.2). The order is that of trust: whatever is greater is further away from the account's owner.
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
    Interop,
}

impl Custody {
    /// Every custody, in order.
    pub const ALL: [Self; 6] =
        [Self::Person, Self::Business, Self::SelfHosted, Self::Vendor, Self::Platform, Self::Interop];

    /// Whether only the account's owner holds the keys. Every other device needs a disclosure.
    #[must_use]
    pub const fn is_own_held(self) -> bool {
        match self {
            Self::Person | Self::Business | Self::SelfHosted => true,
            Self::Vendor | Self::Platform | Self::Interop => false,
        }
    }

    /// The byte that stands for it, 1 to 6.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Person => 1,
            Self::Business => 2,
            Self::SelfHosted => 3,
            Self::Vendor => 4,
            Self::Platform => 5,
            Self::Interop => 6,
        }
    }

    /// P-10.3. The set is closed: a byte outside it stands for nothing.
    pub(crate) const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            1 => Ok(Self::Person),
            2 => Ok(Self::Business),
            3 => Ok(Self::SelfHosted),
            4 => Ok(Self::Vendor),
            5 => Ok(Self::Platform),
            6 => Ok(Self::Interop),
            0 | 7.. => Err(Malformed),
        }
    }
}

/// The terms under which a device takes part: custody, whether a program answers, and the disclosure that says who else
/// holds the keys. 34 bytes in every certificate.
///
/// ```
/// use bisik::device::{Custody, Terms, TermsError};
/// use bisik::DisclosureHash;
///
/// let phone = Terms::own_held(Custody::Person)?;
/// assert!(!phone.is_automated() && phone.disclosure().is_none());
/// assert_eq!(Terms::own_held(Custody::Vendor), Err(TermsError::DisclosureMissing));
/// # let disclosure = b"a disclosure";
/// let hosted = Terms::disclosed(Custody::Vendor, DisclosureHash::of(&[disclosure]))?.automated();
/// assert!(hosted.is_automated() && hosted.disclosure().is_some());
/// # Ok::<(), TermsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    custody: Custody,
    automated: bool,
    disclosure: Option<DisclosureHash>,
}

impl Terms {
    /// Bytes of terms.
    pub(crate) const LENGTH: usize = 1 + 1 + 32;

    /// A device whose keys only the account's owner holds.
    ///
    /// # Errors
    ///
    /// [`TermsError::DisclosureMissing`] where `custody` is somebody else's.
    pub const fn own_held(custody: Custody) -> Result<Self, TermsError> {
        if custody.is_own_held() {
            Ok(Self { custody, automated: false, disclosure: None })
        } else {
            Err(TermsError::DisclosureMissing)
        }
    }

    /// A device whose keys somebody else holds, as the disclosure with this hash says.
    ///
    /// # Errors
    ///
    /// [`TermsError::DisclosureUnexpected`] where `custody` is the owner's.
    pub fn disclosed(custody: Custody, disclosure: DisclosureHash) -> Result<Self, TermsError> {
        if custody.is_own_held() {
            Err(TermsError::DisclosureUnexpected)
        } else {
            Ok(Self { custody, automated: false, disclosure: Some(disclosure) })
        }
    }

    /// The same, for a device that a program answers on.
    #[must_use]
    pub const fn automated(self) -> Self {
        Self { automated: true, ..self }
    }

    /// In whose hands the keys are.
    #[must_use]
    pub const fn custody(&self) -> Custody {
        self.custody
    }

    /// Whether a program answers.
    #[must_use]
    pub const fn is_automated(&self) -> bool {
        self.automated
    }

    /// The disclosure that says who holds the keys; `None` where the account's owner does.
    #[must_use]
    pub const fn disclosure(&self) -> Option<DisclosureHash> {
        self.disclosure
    }

    pub(crate) fn bytes(&self) -> [u8; Self::LENGTH] {
        let Self { custody, automated, disclosure } = self;
        let mut bytes = [0; Self::LENGTH];
        let parts = [custody.byte(), u8::from(*automated)];
        for (to, from) in bytes.iter_mut().zip(parts.iter().chain(&disclosure::to_bytes(*disclosure))) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.bytes());
    }

    /// P-10.3. A disclosure where, and only where, somebody else holds the keys.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let custody = Custody::from_byte(reader.u8()?)?;
        let automated = reader.flag()?;
        let disclosure = disclosure::read_optional(reader)?;
        if custody.is_own_held() == disclosure.is_none() {
            Ok(Self { custody, automated, disclosure })
        } else {
            Err(Malformed)
        }
    }
}

/// Why a custody and a disclosure do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TermsError {
    /// Somebody else holds the keys, and nothing says who.
    DisclosureMissing,
    /// The owner holds the keys, and a disclosure says somebody else does.
    DisclosureUnexpected,
}

impl fmt::Display for TermsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DisclosureMissing => "a device that others hold needs a disclosure",
            Self::DisclosureUnexpected => "a device that its owner holds has no disclosure",
        })
    }
}

impl core::error::Error for TermsError {}

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
                    let read = Terms::read(&mut Reader::new(&bytes));
                    assert_eq!(read.is_ok(), good, "{custody:?} {automated} {disclosure:?}");
                    assert!(read.is_err() || read.is_ok_and(|terms| terms.bytes() == bytes.as_slice()));
                }
            }
        }
    }
}
