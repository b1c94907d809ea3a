//! [`HostingTerms`]: what an operator may do with what it reads; [`Worse`]: in what new terms are worse than old ones.
//!
//! Does not know who agreed to them.

use core::fmt;

use super::operator::Operator;
use super::retention::Retention;
use crate::codec::{Malformed, Reader, Writer};
use crate::device::Custody;
use crate::keys::IdentityKey;

/// What an operator does with messages: a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Nothing. Not allowed in a disclosure: whoever holds the keys does something.
    pub const NONE: Self = Self(0);
    /// It keeps them.
    pub const STORE: Self = Self(1);
    /// Its people or programs read them.
    pub const READ: Self = Self(2);
    /// Its people or programs answer in the business' name.
    pub const ANSWER: Self = Self(4);

    const ALL: u8 = 7;

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Self::STORE, "store"), (Self::READ, "read"), (Self::ANSWER, "answer")];
        f.debug_set().entries(names.iter().filter(|(role, _)| self.contains(*role)).map(|(_, name)| name)).finish()
    }
}

/// What messages may be used for: a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purposes(u8);

impl Purposes {
    /// Nothing but passing them on.
    pub const NONE: Self = Self(0);
    /// Answering them.
    pub const ANSWERING: Self = Self(1);
    /// Statistics about them.
    pub const ANALYTICS: Self = Self(2);
    /// The business' own marketing.
    pub const MARKETING: Self = Self(4);

    const ALL: u8 = 7;

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for Purposes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Self::ANSWERING, "answering"), (Self::ANALYTICS, "analytics"), (Self::MARKETING, "marketing")];
        f.debug_set().entries(names.iter().filter(|(one, _)| self.contains(*one)).map(|(_, name)| name)).finish()
    }
}

/// What is disclosed of an endpoint: who runs it, in what role, how long it keeps what, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostingTerms {
    /// [`Custody::Vendor`], [`Custody::Platform`] or [`Custody::Interop`].
    pub custody: Custody,
    /// Who holds the endpoint's keys.
    pub operator: Operator,
    /// What it does with messages; not [`Roles::NONE`].
    pub roles: Roles,
    /// How long it keeps them.
    pub retention: Retention,
    /// What it may use them for.
    pub purposes: Purposes,
}

impl HostingTerms {
    /// Whether a disclosure may say so.
    pub(super) fn are_disclosable(&self) -> bool {
        !self.custody.is_own_held() && self.roles != Roles::NONE
    }

    /// P-11.13. In what these terms are worse than `agreed`; nothing where consent to `agreed` covers them.
    #[must_use]
    pub fn worse_than(&self, agreed: &Self) -> Worse {
        let Self { custody, operator, roles, retention, purposes } = self;
        let mut worse = 0;
        let mut add = |is: bool, what: Worse| worse |= if is { what.0 } else { 0 };
        add(operator.key != agreed.operator.key || operator.name != agreed.operator.name, Worse::OPERATOR);
        add(custody.byte() > agreed.custody.byte(), Worse::CUSTODY);
        add(!agreed.roles.contains(*roles), Worse::ROLES);
        add(!agreed.purposes.contains(*purposes), Worse::PURPOSES);
        let longer = retention.at_rest > agreed.retention.at_rest || retention.in_use > agreed.retention.in_use;
        add(longer, Worse::RETENTION);
        add(retention.region != agreed.retention.region, Worse::REGION);
        Worse(worse)
    }

    /// The order in which a user is asked about several: the worst first.
    pub(super) fn rank(&self) -> Rank {
        let Self { custody, operator: _, roles, retention, purposes } = self;
        (custody.byte(), purposes.0, roles.0, retention.at_rest, retention.in_use)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { custody, operator, roles, retention, purposes } = self;
        writer.u8(custody.byte());
        operator.write(writer);
        writer.u8(roles.0);
        retention.write(writer);
        writer.u8(purposes.0);
    }

    /// P-11.1. The sets are closed, and custody is somebody else's.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        key: fn(&mut Reader<'_>) -> Result<IdentityKey, Malformed>,
    ) -> Result<Self, Malformed> {
        let terms = Self {
            custody: Custody::from_byte(reader.u8()?)?,
            operator: Operator::read(reader, key)?,
            roles: Roles(within(reader.u8()?, Roles::ALL)?),
            retention: Retention::read(reader)?,
            purposes: Purposes(within(reader.u8()?, Purposes::ALL)?),
        };
        if terms.are_disclosable() { Ok(terms) } else { Err(Malformed) }
    }
}

/// In what some terms are worse than others: a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Worse(u8);

impl Worse {
    /// In nothing: better, or the same.
    pub const NOTHING: Self = Self(0);
    /// Another operator, by key or by name.
    pub const OPERATOR: Self = Self(1);
    /// Custody further from the business: vendor, then platform, then another messenger.
    pub const CUSTODY: Self = Self(2);
    /// A role more.
    pub const ROLES: Self = Self(4);
    /// A purpose more.
    pub const PURPOSES: Self = Self(8);
    /// Kept or in use for longer.
    pub const RETENTION: Self = Self(16);
    /// Kept somewhere else.
    pub const REGION: Self = Self(32);

    /// Whether everything in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it is worse in anything.
    #[must_use]
    pub const fn in_anything(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Debug for Worse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::OPERATOR, "operator"),
            (Self::CUSTODY, "custody"),
            (Self::ROLES, "roles"),
            (Self::PURPOSES, "purposes"),
            (Self::RETENTION, "retention"),
            (Self::REGION, "region"),
        ];
        f.debug_set().entries(names.iter().filter(|(one, _)| self.contains(*one)).map(|(_, name)| name)).finish()
    }
}

/// How far some terms go: custody, purposes, roles, then for how long.
pub(super) type Rank = (u8, u8, u8, u64, u64);

/// A bit set without bits of its own meaning.
const fn within(bits: u8, all: u8) -> Result<u8, Malformed> {
    if bits & !all == 0 { Ok(bits) } else { Err(Malformed) }
}
