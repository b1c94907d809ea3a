//! [`Event`], and which of its versions is shown (docs/spec/content.md, section 7.9).
//!
//! Reads no clock, and reminds nobody.

use core::fmt;

use rand_core::CryptoRng;

use super::order;
use super::pin::{moment, none_for_zero, zero_for_never};
use crate::content::names::{bounded, within};
use crate::content::sealed::{AnswerSecret, frame};
use crate::content::{
    Content, ContentError, ContentId, Coordinates, Kind, PersonId, PrivateText, Reference, limits, wire,
};
use crate::labels;
use bisik_core::primitives::kdf::digest;
use bisik_core::time::Timestamp;

/// Something that takes place, to which people are invited.
///
/// An event is changed by sending it again with [`replaces`](Self::replaces), and cancelled by sending it so with
/// [`cancelled`](Self::cancelled). Answers are bound to one version: who answered is asked again when the time or the
/// place has changed.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::Timestamp;
/// use bisik::content::{Attendance, Content, ContentMeta, Event, Kind, PersonId, Rsvps, SentAt};
///
/// let now = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let mut dinner = Event::new("dinner", Timestamp::from_unix_seconds(1_800_100_000), rng);
/// dinner.place = "Warung Bu Sri".into();
/// dinner.most_guests = 2;
/// let dinner = Content::new(ContentMeta::new(now, rng), Kind::Event(dinner))?;
/// let (ana, budi) = (PersonId::new(b"ana")?, PersonId::new(b"budi")?);
///
/// // Budi has received Ana's event and answers.
/// let answers = Rsvps::in_event(&dinner, &ana).expect("it is an event");
/// let rsvp = answers.answer(Attendance::Going { guests: 1 }, &budi, now, None, rng)?;
/// // Ana has received Budi's answer; the session authenticates him as its sender.
/// assert_eq!(answers.open(&rsvp, &budi).unwrap().attendance(), Attendance::Going { guests: 1 });
/// assert!(answers.open(&rsvp, &ana).is_err(), "it is nobody else's");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    pub(super) secret: AnswerSecret,
    /// The title: 1 to 255 bytes.
    pub title: PrivateText,
    /// The description: at most 4,096 bytes, or empty.
    pub description: PrivateText,
    /// When it begins, up to the end of the year 9999.
    pub from: Timestamp,
    /// When it ends, after it begins; `None` if that is not known.
    pub to: Option<Timestamp>,
    /// Where it takes place, as text: at most 1,024 bytes, or empty.
    pub place: PrivateText,
    /// Where it takes place, on the map.
    pub at: Option<Coordinates>,
    /// How many others one person may bring: at most 100.
    pub most_guests: u32,
    /// The id of the first version, which this one replaces; `None` in the first version. See [`Event::replaced_of`].
    pub replaces: Option<ContentId>,
    /// Whether it does not take place; only in a version that replaces another. Nobody answers this version.
    pub cancelled: bool,
}

impl Event {
    /// Returns an event with a title and a beginning, and a fresh secret from 32 bytes of `rng`.
    #[must_use]
    pub fn new(title: impl Into<PrivateText>, from: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self {
            secret: AnswerSecret::generate(rng),
            title: title.into(),
            description: PrivateText::default(),
            from,
            to: None,
            place: PrivateText::default(),
            at: None,
            most_guests: 0,
            replaces: None,
            cancelled: false,
        }
    }

    /// Returns the first version, which this one replaces, given the sender. Look up this reference and no other.
    /// [`event_shown`] tells which of several versions is shown. Requirement P-7.27.
    #[must_use]
    pub fn replaced_of(&self, sender: &PersonId) -> Option<Reference> {
        self.replaces.map(|id| Reference { author: sender.clone(), id })
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { secret: _, title, description, from, to, place, at: _, most_guests, replaces, cancelled } = self;
        bounded(title.len(), 1, limits::NAME)?;
        bounded(description.len(), 0, limits::DESCRIPTION)?;
        bounded(place.len(), 0, limits::PLACE)?;
        within(*most_guests, 0, limits::GUESTS)?;
        moment(*to)?;
        let starts = from.as_unix_seconds() <= limits::MOMENT_S && to.is_none_or(|to| *from < to);
        // P-7.27: a first version cannot be cancelled; there would be nothing that does not take place.
        if starts && (replaces.is_some() || !cancelled) { Ok(()) } else { Err(ContentError::OutOfRange) }
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Event {
        let Self { secret, title, description, from, to, place, at, most_guests, replaces, cancelled } = self;
        wire::Event {
            secret: secret.expose_bytes().to_vec(),
            title: (**title).into(),
            description: (**description).into(),
            from_s: from.as_unix_seconds(),
            to_s: zero_for_never(*to),
            place: (**place).into(),
            at: at.as_ref().map(Coordinates::to_wire),
            most_guests: *most_guests,
            replaces: replaces.map_or_else(alloc::vec::Vec::new, ContentId::to_wire),
            cancelled: *cancelled,
        }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Event) -> Result<Self, ContentError> {
        let wire::Event { secret, title, description, from_s, to_s, place, at, most_guests, replaces, cancelled } =
            wire;
        Ok(Self {
            secret: AnswerSecret::from_wire(secret)?,
            title: PrivateText::take(title),
            description: PrivateText::take(description),
            from: Timestamp::from_unix_seconds(*from_s),
            to: none_for_zero(*to_s),
            place: PrivateText::take(place),
            at: at.as_ref().map(|at| Coordinates::from_wire(Some(at))).transpose()?,
            most_guests: *most_guests,
            replaces: if replaces.is_empty() { None } else { Some(ContentId::from_wire(replaces)?) },
            cancelled: *cancelled,
        })
    }

    /// Returns the digest of everything that people see of this version. Answers are bound to it, so nobody who said
    /// that he comes to one event is counted at another.
    pub(super) fn definition(&self, reference: &Reference) -> [u8; 32] {
        let Self { secret: _, title, description, from, to, place, at, most_guests, replaces, cancelled: _ } = self;
        let point = at.as_ref().map(Coordinates::to_bytes);
        let point = point.as_ref().map_or(&[][..], |point| point.expose());
        let author = reference.author.as_bytes();
        let replaced = replaces.as_ref().map_or(&[][..], |id| id.as_bytes());
        let texts = [author, title.as_bytes(), description.as_bytes(), place.as_bytes(), point, replaced];
        let [author_length, asked, described, placed, pointed, replacing] = texts.map(|text| frame(text.len()));
        let [begins, ends] = [from.as_unix_seconds(), zero_for_never(*to)].map(u64::to_be_bytes);
        digest(&[
            labels::EVENT,
            reference.id.as_bytes(),
            &author_length,
            author,
            &asked,
            title.as_bytes(),
            &described,
            description.as_bytes(),
            &begins,
            &ends,
            &placed,
            place.as_bytes(),
            &pointed,
            point,
            &most_guests.to_be_bytes(),
            &replacing,
            replaced,
        ])
    }
}

/// Returns the version of an event that is shown, where `first` names its first version: the greatest of those by the
/// same author that replace it, by time, then id; the first version if there is none. `None` if neither is there, or if
/// `first` names a version that replaces another one.
///
/// `contents` are contents with their authenticated senders, in any order; other kinds, and other events, do no harm. A
/// version that is [cancelled](Event::cancelled) is shown as an event that does not take place. Answers count for the
/// version that they name. Requirement P-7.27.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::Timestamp;
/// # use bisik::content::SentAt;
/// use bisik::content::{Content, ContentMeta, Event, Kind, PersonId, event_shown};
///
/// let (at, later) = (Timestamp::from_unix_seconds(1_800_100_000), Timestamp::from_unix_seconds(1_800_103_600));
/// # let now = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let dinner = Content::new(ContentMeta::new(now, rng), Kind::Event(Event::new("dinner", at, rng)))?;
/// let mut changed = Event::new("dinner", later, rng);
/// changed.replaces = Some(dinner.id());
/// let changed = Content::new(ContentMeta::new(now, rng), Kind::Event(changed))?;
///
/// let (ana, eve) = (PersonId::new(b"ana")?, PersonId::new(b"eve")?);
/// let first = dinner.reference(&ana);
/// assert_eq!(event_shown(&first, [(&changed, &ana), (&dinner, &ana)]), Some(&changed));
/// assert_eq!(event_shown(&first, [(&changed, &eve), (&dinner, &ana)]), Some(&dinner), "not by somebody else");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[must_use]
pub fn event_shown<'a>(
    first: &Reference,
    contents: impl IntoIterator<Item = (&'a Content, &'a PersonId)>,
) -> Option<&'a Content> {
    let rank = |content: &'a Content, replaces: bool| (replaces, order(content));
    let mut shown: Option<(&Content, bool)> = None;
    for (content, _) in contents.into_iter().filter(|(_, author)| **author == first.author) {
        let Kind::Event(event) = content.kind() else { continue };
        let replaces = match event.replaces {
            Some(_) if content.id() == first.id => return None,
            Some(replaced) if replaced == first.id => true,
            None if content.id() == first.id => false,
            Some(_) | None => continue,
        };
        if shown.is_none_or(|(shown, replaced)| rank(shown, replaced) < rank(content, replaces)) {
            shown = Some((content, replaces));
        }
    }
    shown.map(|(content, _)| content)
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, title, description, from: _, to: _, place, at, most_guests, replaces, cancelled } = self;
        f.debug_struct("Event")
            .field("title", title)
            .field("description", description)
            .field("place", place)
            .field("at", at)
            .field("most_guests", most_guests)
            .field("replaces", replaces)
            .field("cancelled", cancelled)
            .finish_non_exhaustive()
    }
}
