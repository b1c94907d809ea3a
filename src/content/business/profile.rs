//! [`Profile`]: a business's description of itself.
//!
//! Nothing in it is verified. The identity of the business is its account key.

use alloc::vec::Vec;

use super::check_link;
use crate::content::names::{bounded, within};
use crate::content::{ContentError, PrivateText, limits, wire};

/// A business's description of itself. It replaces the previous one.
///
/// ```
/// use bisik::content::{OpeningHours, Profile};
///
/// let mut profile = Profile::new("Kopi Pojok");
/// profile.address = "Jl. Kemang Raya 12, Jakarta Selatan".into();
/// profile.time_zone = "Asia/Jakarta".into();
/// profile.hours = (1..=5).map(|day| OpeningHours { day, from: 7 * 60, to: 21 * 60 }).collect();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name: 1 to 255 bytes.
    pub name: PrivateText,
    /// A description: at most 1,024 bytes, or empty.
    pub about: PrivateText,
    /// A postal address: at most 1,024 bytes, or empty.
    pub address: PrivateText,
    /// An e-mail address: at most 254 bytes, or empty.
    pub email: PrivateText,
    /// At most 4 links of at most 2,048 bytes, all `https`.
    pub sites: Vec<PrivateText>,
    /// Opening hours, in the order of the week and not overlapping: at most 28. Empty if unspecified.
    pub hours: Vec<OpeningHours>,
    /// The time zone of the opening hours, such as `Asia/Jakarta`: at most 64 bytes. Required if there are opening
    /// hours.
    pub time_zone: PrivateText,
}

/// A period of the week in which a business is open. A period that passes midnight is written as two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningHours {
    /// The day, from 1 (Monday) to 7 (Sunday).
    pub day: u32,
    /// Minutes after midnight.
    pub from: u32,
    /// Minutes after midnight, later than `from`, at most 1,440.
    pub to: u32,
}

impl Profile {
    /// Returns a profile with a name, and all else empty.
    #[must_use]
    pub fn new(name: impl Into<PrivateText>) -> Self {
        let [about, address, email, time_zone] = [const { "" }; 4].map(PrivateText::from);
        Self { name: name.into(), about, address, email, sites: Vec::new(), hours: Vec::new(), time_zone }
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { name, about, address, email, sites, hours, time_zone } = self;
        bounded(name.len(), 1, limits::NAME)?;
        bounded(about.len(), 0, limits::ABOUT)?;
        bounded(address.len(), 0, limits::ADDRESS)?;
        bounded(email.len(), 0, limits::EMAIL)?;
        if !email.is_empty() && !is_plain_address(email) {
            return Err(ContentError::OutOfRange);
        }
        bounded(sites.len(), 0, limits::SITES)?;
        sites.iter().try_for_each(|site| check_link(site, limits::LINK))?;
        bounded(time_zone.len(), usize::from(!hours.is_empty()), limits::TIME_ZONE)?;
        check_hours(hours)
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Profile {
        let Self { name, about, address, email, sites, hours, time_zone } = self;
        let opening =
            |OpeningHours { day, from, to }: &OpeningHours| wire::Opening { day: *day, from_min: *from, to_min: *to };
        wire::Profile {
            name: (**name).into(),
            about: (**about).into(),
            address: (**address).into(),
            email: (**email).into(),
            sites: sites.iter().map(|site| (**site).into()).collect(),
            hours: hours.iter().map(opening).collect(),
            time_zone: (**time_zone).into(),
        }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Profile) -> Self {
        let wire::Profile { name, about, address, email, sites, hours, time_zone } = wire;
        let opening = |wire::Opening { day, from_min, to_min }: &wire::Opening| OpeningHours {
            day: *day,
            from: *from_min,
            to: *to_min,
        };
        Self {
            name: PrivateText::take(name),
            about: PrivateText::take(about),
            address: PrivateText::take(address),
            email: PrivateText::take(email),
            sites: sites.iter_mut().map(PrivateText::take).collect(),
            hours: hours.iter().map(opening).collect(),
            time_zone: PrivateText::take(time_zone),
        }
    }
}

/// Checks that the opening hours ascend and do not overlap, as minutes of the week. Requirement P-7.7.
fn check_hours(hours: &[OpeningHours]) -> Result<(), ContentError> {
    bounded(hours.len(), 0, limits::OPENINGS)?;
    let mut end = (0, 0);
    for OpeningHours { day, from, to } in hours {
        within(*day, 1, DAYS)?;
        within(*to, 1, limits::MINUTES)?;
        if from >= to || (*day, *from) < end {
            return Err(ContentError::OutOfRange);
        }
        end = (*day, *to);
    }
    Ok(())
}

/// Checks that there is one `@` with text on both sides, all in printable ASCII. Requirement P-7.21.
fn is_plain_address(address: &str) -> bool {
    let parts = address.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
    parts.is_some_and(|(_, host)| !host.contains('@')) && address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Days in a week.
const DAYS: u32 = 7;
