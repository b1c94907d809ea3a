//! [`Stay`]: one membership of one account. [`Role`]: what it may do.

use super::StayId;
use super::encoding::{read_account, read_array};
use crate::device::AccountKey;
use bisik_core::codec::{Malformed, Reader, Writer};

/// One membership of one account: it begins when the account is added, and ends for good when it leaves or is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stay {
    /// The account.
    pub account: AccountKey,
    /// Which of its memberships.
    pub id: StayId,
}

impl Stay {
    /// Bytes of an encoded stay.
    pub(super) const LENGTH: usize = AccountKey::LENGTH + StayId::LENGTH;

    /// Writes `account ‖ stay`.
    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { account, id } = self;
        writer.bytes(&account.to_bytes()).bytes(id.as_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { account: read_account(reader)?, id: StayId::from_bytes(read_array(reader)?) })
    }
}

/// What a member may do. The owner's log says who has which role; whom it has not named is a `Member`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Writes the log: roles, settings, admitted endpoints. Adds and removes anybody. There is one.
    Owner,
    /// Adds accounts, removes members and readers, opens and closes links.
    Admin,
    /// Reads and writes.
    Member,
    /// Reads.
    Reader,
}

impl Role {
    /// Returns whether this is an owner or an admin.
    #[must_use]
    pub const fn leads(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// The byte in an encoding of rights. An entry gives every role but the owner's.
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Owner => 0,
            Self::Admin => 1,
            Self::Member => 2,
            Self::Reader => 3,
        }
    }

    /// Reads a role that an entry gives.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.u8()? {
            1 => Ok(Self::Admin),
            2 => Ok(Self::Member),
            3 => Ok(Self::Reader),
            _ => Err(Malformed),
        }
    }
}
