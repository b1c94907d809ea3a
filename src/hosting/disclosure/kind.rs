//! Terms in kind: what they allow, apart from names, places and seconds (docs/spec/hosting.md, section 11.11).
//!
//! After a refusal only terms that are better in kind may be asked about, so that a business cannot ask again by changing
//! what makes no difference to the user.

use super::retention::Retention;
use super::terms::{HostingTerms, Purposes, Roles};
use crate::device::Custody;

/// For how long an operator has a message, in classes: the class of the longer of its two times.
///
/// ```
/// use bisik::hosting::{Retention, RetentionClass};
///
/// assert_eq!(Retention::NO_STORAGE.class(), RetentionClass::Hour);
/// assert_eq!(Retention::THIRTY_DAYS.class(), RetentionClass::Month);
/// assert!(RetentionClass::Week < RetentionClass::Month);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetentionClass {
    /// An hour at most.
    Hour,
    /// A day at most.
    Day,
    /// 7 days at most.
    Week,
    /// 31 days at most.
    Month,
    /// 366 days at most.
    Year,
    /// Longer.
    Longer,
    /// Without limit.
    Forever,
}

impl Retention {
    /// The class of the longer of the two times. P-11.26.
    #[must_use]
    pub fn class(&self) -> RetentionClass {
        let longest = self.at_rest.max(self.in_use);
        let mut bounds = CLASSES.iter().filter(|(most, _)| longest <= *most).map(|(_, class)| *class);
        bounds.next().unwrap_or(RetentionClass::Forever)
    }
}

/// What terms allow: custody, roles, purposes, retention class. Ordered in each part, and as a whole only partially.
struct Kind {
    custody: Custody,
    roles: Roles,
    purposes: Purposes,
    class: RetentionClass,
}

impl HostingTerms {
    fn kind(&self) -> Kind {
        let Self { custody, operator: _, roles, retention, purposes } = self;
        Kind { custody: *custody, roles: *roles, purposes: *purposes, class: retention.class() }
    }

    /// Whether these terms are better in kind than `refused`: in no part do they allow more, and they have a role or a
    /// purpose less, or a shorter retention class. A strict partial order. P-11.26.
    ///
    /// Neither another operator, name or region, nor a shorter time in the same class is better in kind.
    #[must_use]
    pub fn is_better_in_kind_than(&self, refused: &Self) -> bool {
        let (new, old) = (self.kind(), refused.kind());
        let allows_no_more = new.custody <= old.custody
            && old.roles.contains(new.roles)
            && old.purposes.contains(new.purposes)
            && new.class <= old.class;
        let allows_less = new.roles != old.roles || new.purposes != old.purposes || new.class != old.class;
        allows_no_more && allows_less
    }
}

/// The longest time of each class, in seconds.
const CLASSES: [(u64, RetentionClass); 6] = [
    (3_600, RetentionClass::Hour),
    (DAY, RetentionClass::Day),
    (7 * DAY, RetentionClass::Week),
    (31 * DAY, RetentionClass::Month),
    (366 * DAY, RetentionClass::Year),
    (Retention::FOREVER - 1, RetentionClass::Longer),
];
const DAY: u64 = 86_400;
