//! [`HostingTerms`]: what an operator may do with what it reads; [`TermsDiff`]: how new terms are worse than old ones.

use core::fmt;

use super::operator::Operator;
use super::retention::Retention;
use crate::device::Custody;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};

/// What an operator does with messages, as a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Nothing. Refused in a disclosure: an operator holds the keys for some role.
    pub const NONE: Self = Self(0);
    /// It stores them.
    pub const STORE: Self = Self(1);
    /// Its people or programs read them.
    pub const READ: Self = Self(2);
    /// Its people or programs answer in the name of the business.
    pub const ANSWER: Self = Self(4);

    const ALL: u8 = 7;

    /// The union of both sets.
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

/// What messages may be used for, as a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purposes(u8);

impl Purposes {
    /// Nothing beyond passing them on.
    pub const NONE: Self = Self(0);
    /// Answering them.
    pub const ANSWERING: Self = Self(1);
    /// Statistics about them.
    pub const ANALYTICS: Self = Self(2);
    /// Marketing by the business itself.
    pub const MARKETING: Self = Self(4);

    const ALL: u8 = 7;

    /// The union of both sets.
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

/// What is disclosed about a hosted device: who holds its keys, in which roles, for how long it keeps messages, and for which
/// purposes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostingTerms {
    /// [`Custody::Vendor`], [`Custody::Platform`] or [`Custody::ForeignClient`].
    pub custody: Custody,
    /// Who holds the device's keys.
    pub operator: Operator,
    /// What it does with messages; never [`Roles::NONE`].
    pub roles: Roles,
    /// How long it keeps them.
    pub retention: Retention,
    /// What it may use them for.
    pub purposes: Purposes,
}

impl HostingTerms {
    /// Whether a disclosure may have these terms.
    pub(in crate::hosting) fn are_disclosable(&self) -> bool {
        !self.custody.is_own_held() && self.roles != Roles::NONE
    }

    /// How these terms are worse than `agreed`. [`TermsDiff::NOTHING`] if consent to `agreed` covers them. P-11.13.
    #[must_use]
    pub fn worse_than(&self, agreed: &Self) -> TermsDiff {
        let Self { custody, operator, roles, retention, purposes } = self;
        let mut worse = 0;
        let mut add = |is: bool, what: TermsDiff| worse |= if is { what.0 } else { 0 };
        add(operator.key != agreed.operator.key || operator.name != agreed.operator.name, TermsDiff::OPERATOR);
        add(custody.byte() > agreed.custody.byte(), TermsDiff::CUSTODY);
        add(!agreed.roles.contains(*roles), TermsDiff::ROLES);
        add(!agreed.purposes.contains(*purposes), TermsDiff::PURPOSES);
        let longer = retention.at_rest > agreed.retention.at_rest || retention.in_use > agreed.retention.in_use;
        add(longer, TermsDiff::RETENTION);
        add(retention.region != agreed.retention.region, TermsDiff::REGION);
        TermsDiff(worse)
    }

    /// Sorts terms: the user is asked about the greatest, which are the worst, first.
    pub(in crate::hosting) fn rank(&self) -> TermsRank {
        let Self { custody, operator: _, roles, retention, purposes } = self;
        (custody.byte(), purposes.0, roles.0, retention.at_rest, retention.in_use)
    }

    pub(in crate::hosting) fn write(&self, writer: &mut Writer) {
        let Self { custody, operator, roles, retention, purposes } = self;
        writer.u8(custody.byte());
        operator.write(writer);
        writer.u8(roles.0);
        retention.write(writer);
        writer.u8(purposes.0);
    }

    /// Reads terms, and refuses unknown roles and purposes, and custody by the account itself. P-11.1.
    ///
    /// `key` reads the operator's key, as for [`Operator::read`].
    pub(in crate::hosting) fn read(
        reader: &mut Reader<'_>,
        key: fn(&mut Reader<'_>) -> Result<IdentityKey, Malformed>,
    ) -> Result<Self, Malformed> {
        let terms = Self {
            custody: Custody::from_byte(reader.u8()?)?,
            operator: Operator::read(reader, key)?,
            roles: Roles(reject_unknown_bits(reader.u8()?, Roles::ALL)?),
            retention: Retention::read(reader)?,
            purposes: Purposes(reject_unknown_bits(reader.u8()?, Purposes::ALL)?),
        };
        if terms.are_disclosable() { Ok(terms) } else { Err(Malformed) }
    }
}

/// How some terms are worse than others, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TermsDiff(u8);

impl TermsDiff {
    /// They are better, or the same.
    pub const NOTHING: Self = Self(0);
    /// The operator's key or name differs.
    pub const OPERATOR: Self = Self(1);
    /// The keys are further from the business: with a vendor, then with the platform, then with another messenger.
    pub const CUSTODY: Self = Self(2);
    /// The operator has another role.
    pub const ROLES: Self = Self(4);
    /// Messages are used for another purpose.
    pub const PURPOSES: Self = Self(8);
    /// Messages are stored or processed for longer.
    pub const RETENTION: Self = Self(16);
    /// Messages are stored elsewhere.
    pub const REGION: Self = Self(32);

    /// Whether everything in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the new terms are worse in any respect.
    #[must_use]
    pub const fn is_worse(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Debug for TermsDiff {
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

/// How far terms go: custody, purposes, roles, seconds at rest, seconds in use.
pub(in crate::hosting) type TermsRank = (u8, u8, u8, u64, u64);

/// Refuses a set with bits outside `all`, which a later version may define.
const fn reject_unknown_bits(bits: u8, all: u8) -> Result<u8, Malformed> {
    if bits & !all == 0 { Ok(bits) } else { Err(Malformed) }
}
