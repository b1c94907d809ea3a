//! [`Pin`] and [`Unpin`], and which contents are at the top of a conversation after all of them.
//!
//! Who may pin is for the application to say: [`Policy::may_pin`](crate::content::Policy::may_pin).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::required;
use crate::content::{Content, ContentError, ContentId, Kind, PersonId, Reference, SentAt, limits, policy, wire};
use bisik_core::time::Timestamp;

/// Shows a content at the top of its conversation. [`pinned`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The content to show.
    pub target: Reference,
    /// The moment from which it is no longer shown there, up to the end of the year 9999; `None` for never.
    pub until: Option<Timestamp>,
}

/// Shows a content no longer at the top of its conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpin {
    /// The content.
    pub target: Reference,
}

impl Pin {
    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        moment(self.until)
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Pin {
        let Self { target, until } = self;
        wire::Pin { target: Some(target.to_wire()), until_s: zero_for_never(*until) }
    }

    pub(in crate::content) fn from_wire(wire: &wire::Pin) -> Result<Self, ContentError> {
        let wire::Pin { target, until_s } = wire;
        Ok(Self { target: required(target.as_ref())?, until: none_for_zero(*until_s) })
    }
}

impl Unpin {
    pub(in crate::content) fn to_wire(&self) -> wire::Unpin {
        wire::Unpin { target: Some(self.target.to_wire()) }
    }

    pub(in crate::content) fn from_wire(wire: &wire::Unpin) -> Result<Self, ContentError> {
        let wire::Unpin { target } = wire;
        Ok(Self { target: required(target.as_ref())? })
    }
}

/// One pin or unpin, with what decides between several: the greatest word about a content counts, by time, then author,
/// then id. The order is total, so all who have the same words show the same pins, in whatever order they arrived.
/// Requirement P-7.29.
///
/// While a word is dated more than 300 seconds ahead of the reader's clock, it does not count. So a wrong clock delays
/// a pin, and cannot win against all later words at once. Requirement P-7.30.
///
/// The application keeps the words of those who may pin, and forgets those that a [counting](Self::counts) word about
/// the same content has replaced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PinWord {
    sent: SentAt,
    author: PersonId,
    id: ContentId,
    target: Reference,
    until: Until,
}

/// What a word says. The order decides only between two contents with one name, which no honest author sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    Unpinned,
    Moment(Timestamp),
    Ever,
}

impl PinWord {
    /// Returns the word in a pin or unpin by `author`, the authenticated sender; `None` for any other content.
    #[must_use]
    pub fn of(content: &Content, author: &PersonId) -> Option<Self> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "two kinds speak of pins; any later kind does not here")]
        let (target, until) = match content.kind() {
            Kind::Pin(Pin { target, until }) => (target, until.map_or(Until::Ever, Until::Moment)),
            Kind::Unpin(Unpin { target }) => (target, Until::Unpinned),
            _ => return None,
        };
        Some(Self { sent: content.sent(), author: author.clone(), id: content.id(), target: target.clone(), until })
    }

    /// Returns the content that is pinned or unpinned.
    #[must_use]
    pub const fn target(&self) -> &Reference {
        &self.target
    }

    /// Returns whether it is dated at most 300 seconds ahead of the reader's clock. Requirement P-7.30.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.sent.timestamp() <= now.plus_seconds(policy::CLOCK_TOLERANCE)
    }

    /// Returns the time under which a pin or unpin that is to replace this one is sent: `now`, or a millisecond after
    /// this one where its author's clock is ahead and it [counts](Self::counts). One that does not count yet is not
    /// outbid: nobody's false date becomes the date of an honest word. Requirement P-7.29.
    ///
    /// Where several words are to be replaced, take the greatest of their times. `None` if this one counts and is of
    /// the last moment of the year 9999: nothing comes after it.
    #[must_use]
    pub fn replaced_at(&self, now: SentAt) -> Option<SentAt> {
        if !self.counts(now.timestamp()) {
            return Some(now);
        }
        let next = self.sent.as_unix_milliseconds().checked_add(1)?;
        SentAt::from_unix_milliseconds(next).ok().map(|next| next.max(now))
    }

    fn pins(&self, now: Timestamp) -> bool {
        match self.until {
            Until::Unpinned => false,
            Until::Moment(until) => now < until,
            Until::Ever => true,
        }
    }
}

/// Returns the contents that are at the top of a conversation at the moment `now`: at most `most`, the newest pin first.
///
/// `words` are those whose authors may pin, in any order. Requirements P-7.29 and P-7.30.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Timestamp;
/// use bisik::content::{Content, ContentMeta, Kind, MOST_PINS, PersonId, Pin, PinWord, SentAt, Text, Unpin, pinned};
///
/// let (ana, budi) = (PersonId::new(b"ana")?, PersonId::new(b"budi")?);
/// let at = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let address = Content::new(ContentMeta::new(at, rng), Kind::Text(Text::new("jalan Cempaka 27")))?;
/// let target = address.reference(&ana);
///
/// let a_week = Some(Timestamp::from_unix_seconds(1_800_604_800));
/// let pin = Content::new(ContentMeta::new(at, rng), Kind::Pin(Pin { target: target.clone(), until: a_week }))?;
/// let pin = PinWord::of(&pin, &budi).expect("a pin");
/// let now = Timestamp::from_unix_seconds(1_800_000_060);
/// assert_eq!(pinned([&pin], MOST_PINS, now), [&target]);
///
/// let later = pin.replaced_at(at).expect("a moment before the end of the year 9999");
/// let unpin = Content::new(ContentMeta::new(later, rng), Kind::Unpin(Unpin { target }))?;
/// let unpin = PinWord::of(&unpin, &ana).expect("an unpin");
/// assert!(pinned([&unpin, &pin], MOST_PINS, now).is_empty());
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[must_use]
pub fn pinned<'a>(words: impl IntoIterator<Item = &'a PinWord>, most: usize, now: Timestamp) -> Vec<&'a Reference> {
    let mut newest: BTreeMap<&Reference, &PinWord> = BTreeMap::new();
    for word in words.into_iter().filter(|word| word.counts(now)) {
        let known = newest.entry(&word.target).or_insert(word);
        *known = word.max(known);
    }
    let mut pins: Vec<_> = newest.into_values().filter(|word| word.pins(now)).collect();
    pins.sort_unstable_by(|one, other| other.cmp(one));
    pins.into_iter().take(most).map(PinWord::target).collect()
}

/// Checks a moment that may be absent. 0 stands for absent, so it is not one. Requirement P-7.7.
pub(super) fn moment(moment: Option<Timestamp>) -> Result<(), ContentError> {
    let fits = |moment: Timestamp| (1..=limits::MOMENT_S).contains(&moment.as_unix_seconds());
    if moment.is_none_or(fits) { Ok(()) } else { Err(ContentError::OutOfRange) }
}

/// The field of a moment that can be absent.
pub(super) fn zero_for_never(moment: Option<Timestamp>) -> u64 {
    moment.map_or(0, Timestamp::as_unix_seconds)
}

pub(super) fn none_for_zero(seconds: u64) -> Option<Timestamp> {
    (seconds != 0).then(|| Timestamp::from_unix_seconds(seconds))
}
