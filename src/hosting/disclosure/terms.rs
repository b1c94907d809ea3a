//! [`HostingTerms`]: what an operator may do with messages; [`TermsDiff`]: how new terms are worse than old ones.

use core::fmt;

use super::operator::Operator;
use super::retention::Retention;
use crate::device::Custody;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};

/// Declares a public set of flags in one byte: its constants in the order of their bits, `with`, `contains`, and a `Debug` that
/// names the flags.
macro_rules! set {
    ($(#[$doc:meta])* $vis:vis struct $name:ident;
     $(#[$empty_doc:meta])* $empty:ident = 0;
     $($(#[$flag_doc:meta])* $flag:ident = $bit:literal, $word:literal;)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        $vis struct $name(u8);

        impl $name {
            $(#[$empty_doc])*
            pub const $empty: Self = Self(0);
            $($(#[$flag_doc])* pub const $flag: Self = Self($bit);)+

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

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let flags = [$((Self::$flag, $word)),+];
                f.debug_set().entries(flags.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, word)| word)).finish()
            }
        }
    };
}

set! {
    /// What an operator does with messages, as a set.
    #[derive(PartialOrd, Ord)]
    pub struct Roles;
    /// Nothing. Refused in a disclosure: an operator holds the keys for some role.
    NONE = 0;
    /// It stores them.
    STORE = 1, "store";
    /// Its people or programs read them.
    READ = 2, "read";
    /// Its people or programs answer in the name of the business.
    ANSWER = 4, "answer";
}

impl Roles {
    const ALL: u8 = 7;
}

set! {
    /// What messages may be used for, as a set.
    #[derive(PartialOrd, Ord)]
    pub struct Purposes;
    /// Nothing beyond passing them on.
    NONE = 0;
    /// Answering them.
    ANSWERING = 1, "answering";
    /// Statistics about them.
    ANALYTICS = 2, "analytics";
    /// Marketing by the business itself.
    MARKETING = 4, "marketing";
}

impl Purposes {
    const ALL: u8 = 7;
}

/// What is disclosed about a hosted device: who holds its keys, in which roles, for how long it keeps messages, and for which
/// purposes.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Identity;
/// use bisik::device::Custody;
/// use bisik::hosting::{HostingTerms, Operator, OperatorName, Purposes, Retention, Roles, TermsDiff};
///
/// let agreed = HostingTerms {
///     custody: Custody::Vendor,
///     operator: Operator { name: OperatorName::new("Awan Pesan")?, key: *Identity::generate(rng).public() },
///     roles: Roles::STORE.with(Roles::READ),
///     retention: Retention::THIRTY_DAYS,
///     purposes: Purposes::ANSWERING,
/// };
/// // The vendor wants more: the user is asked again.
/// let mut wanted = agreed.clone();
/// wanted.purposes = Purposes::ANSWERING.with(Purposes::ANALYTICS);
/// assert_eq!(wanted.worse_than(&agreed), TermsDiff::PURPOSES);
/// assert!(!agreed.worse_than(&wanted).is_worse());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
        let mut worse = TermsDiff::NOTHING;
        let mut add = |is: bool, what: TermsDiff| worse = if is { worse.with(what) } else { worse };
        add(operator.key != agreed.operator.key || operator.name != agreed.operator.name, TermsDiff::OPERATOR);
        add(custody.byte() > agreed.custody.byte(), TermsDiff::CUSTODY);
        add(!agreed.roles.contains(*roles), TermsDiff::ROLES);
        add(!agreed.purposes.contains(*purposes), TermsDiff::PURPOSES);
        let longer = retention.at_rest > agreed.retention.at_rest || retention.in_use > agreed.retention.in_use;
        add(longer, TermsDiff::RETENTION);
        add(retention.region != agreed.retention.region, TermsDiff::REGION);
        worse
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

set! {
    /// How some terms are worse than others, as a set.
    pub struct TermsDiff;
    /// They are better, or the same.
    NOTHING = 0;
    /// The operator's key or name differs.
    OPERATOR = 1, "operator";
    /// The keys are further from the business: with a vendor, then with the platform, then with another messenger.
    CUSTODY = 2, "custody";
    /// The operator has another role.
    ROLES = 4, "roles";
    /// Messages are used for another purpose.
    PURPOSES = 8, "purposes";
    /// Messages are stored or processed for longer.
    RETENTION = 16, "retention";
    /// Messages are stored elsewhere.
    REGION = 32, "region";
}

impl TermsDiff {
    /// Every single one, in the order of their bits.
    pub(in crate::hosting) const EACH: [Self; 6] =
        [Self::OPERATOR, Self::CUSTODY, Self::ROLES, Self::PURPOSES, Self::RETENTION, Self::REGION];

    /// Whether the new terms are worse in any respect.
    #[must_use]
    pub const fn is_worse(self) -> bool {
        self.0 != 0
    }
}

/// How far terms go: custody, purposes, roles, seconds at rest, seconds in use.
pub(in crate::hosting) type TermsRank = (u8, u8, u8, u64, u64);

/// Refuses a set with bits outside `all`, which a later version may define.
const fn reject_unknown_bits(bits: u8, all: u8) -> Result<u8, Malformed> {
    if bits & !all == 0 { Ok(bits) } else { Err(Malformed) }
}
