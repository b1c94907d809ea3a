//! [`Event`] and the answers to it, which are sealed as votes are (docs/spec/content.md, section 7.9).
//!
//! Reads no clock, and reminds nobody.

use core::fmt;

use rand_core::CryptoRng;

use super::pin::{moment, none_for_zero, zero_for_never};
use super::required;
use crate::content::names::{bounded, within};
use crate::content::sealed::{AnswerSecret, Sealing, Turn, frame, sealed_length};
use crate::content::{
    BallotError, Content, ContentError, ContentId, Coordinates, Kind, PersonId, PrivateText, Reference, SentAt, limits,
    wire,
};
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::Secret;
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
    secret: AnswerSecret,
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

    /// Returns the version that this one replaces, given the sender. Look up this reference and no other. Of several
    /// replacements of one event the greatest is shown, by time, then id. Requirement P-7.27.
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
    fn definition(&self, reference: &Reference) -> [u8; 32] {
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

/// Seals and opens the answers to one event. Can only be made from a content that holds the event.
///
/// An answer is that of a person, not of a device, as with [`Votes`](crate::content::Votes).
#[derive(Debug)]
pub struct Rsvps<'a> {
    event: &'a Event,
    reference: Reference,
    sealing: Sealing<'a>,
}

impl<'a> Rsvps<'a> {
    /// Returns the answers to the event in `content`, written by `author`. Returns `None` if `content` is not an event.
    #[must_use]
    pub fn in_event(content: &'a Content, author: &PersonId) -> Option<Self> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "one kind is an event; any later kind is none here")]
        match content.kind() {
            Kind::Event(event) => {
                let reference = content.reference(author);
                let definition = event.definition(&reference);
                let sealing = Sealing { secret: &event.secret, label: labels::RSVP, definition };
                Some(Self { event, reference, sealing })
            }
            _ => None,
        }
    }

    /// Encrypts an answer. Uses 24 bytes of `rng`; the result has 60 bytes whatever it says.
    ///
    /// `earlier` is the person's answer that this one replaces.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] for more guests than the event allows, [`ContentError::NotAllowed`] if the event is
    /// cancelled.
    pub fn answer(
        &self,
        attendance: Attendance,
        person: &PersonId,
        sent: SentAt,
        earlier: Option<&RsvpAnswer>,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Rsvp, ContentError> {
        if self.event.cancelled {
            return Err(ContentError::NotAllowed);
        }
        let answer = RsvpAnswer { turn: Turn::after(earlier.map(|earlier| earlier.turn), sent)?, attendance };
        if !self.allows(attendance) {
            return Err(ContentError::OutOfRange);
        }
        Ok(Rsvp { event: self.reference.clone(), sealed: self.sealing.seal(answer.encode(), person, &mut rng) })
    }

    /// Decrypts an answer of `person`.
    ///
    /// `person` must be the authenticated sender of the message that carried it. Requirement P-7.23.
    ///
    /// # Errors
    ///
    /// [`BallotError`]
    pub fn open(&self, rsvp: &Rsvp, person: &PersonId) -> Result<RsvpAnswer, BallotError> {
        let Rsvp { event, sealed } = rsvp;
        if *event != self.reference {
            return Err(BallotError::Rejected);
        }
        let answer = RsvpAnswer::decode(&self.sealing.open(sealed, person)?)?;
        let allowed = !self.event.cancelled && self.allows(answer.attendance);
        if allowed { Ok(answer) } else { Err(BallotError::Invalid) }
    }

    /// Returns whether the event allows so many guests. Requirement P-7.24.
    fn allows(&self, attendance: Attendance) -> bool {
        match attendance {
            Attendance::Going { guests } | Attendance::Maybe { guests } => u32::from(guests) <= self.event.most_guests,
            Attendance::NotGoing | Attendance::Withdrawn => true,
        }
    }
}

/// An encrypted answer, with the event that it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rsvp {
    event: Reference,
    sealed: [u8; SEALED],
}

impl Rsvp {
    /// Returns the event to open it with.
    #[must_use]
    pub const fn event(&self) -> &Reference {
        &self.event
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Rsvp {
        let Self { event, sealed } = self;
        wire::Rsvp { event: Some(event.to_wire()), sealed: sealed.to_vec() }
    }

    pub(in crate::content) fn from_wire(wire: &wire::Rsvp) -> Result<Self, ContentError> {
        let wire::Rsvp { event, sealed } = wire;
        let sealed = sealed.as_slice().try_into().map_err(|_| ContentError::Malformed)?;
        Ok(Self { event: required(event.as_ref())?, sealed })
    }
}

/// Whether a person comes. The variants are in the order in which equal answers are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attendance {
    /// The person has taken the answer back.
    Withdrawn,
    /// Comes.
    Going {
        /// How many others the person brings.
        guests: u16,
    },
    /// Comes perhaps.
    Maybe {
        /// How many others the person would bring.
        guests: u16,
    },
    /// Does not come.
    NotGoing,
}

impl fmt::Debug for Attendance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attendance(..)")
    }
}

/// A person's answer, and its place in the sequence of that person's answers.
///
/// Of several answers of one person to one event the greatest counts, in the order of this type: sequence, then time,
/// then what it says. The order is total, as with [`Vote`](crate::content::Vote). Requirement P-7.25.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RsvpAnswer {
    turn: Turn,
    attendance: Attendance,
}

impl RsvpAnswer {
    /// Returns whether the person comes.
    #[must_use]
    pub const fn attendance(&self) -> Attendance {
        self.attendance
    }

    /// Returns when it was given, by the person's clock.
    #[must_use]
    pub const fn sent(&self) -> SentAt {
        self.turn.sent()
    }

    fn encode(self) -> Secret<ANSWER> {
        let Self { turn, attendance } = self;
        let (number, guests) = match attendance {
            Attendance::Withdrawn => (WITHDRAWN, 0),
            Attendance::Going { guests } => (GOING, guests),
            Attendance::Maybe { guests } => (MAYBE, guests),
            Attendance::NotGoing => (NOT_GOING, 0),
        };
        turn.encode(&[&number.to_be_bytes(), &guests.to_be_bytes()])
    }

    /// Requirement P-7.24.
    fn decode(bytes: &Secret<ANSWER>) -> Result<Self, BallotError> {
        let mut reader = Reader::new(bytes.expose());
        let turn = Turn::decode(&mut reader)?;
        let [number, guests] = [reader.u16(), reader.u16()].map(|number| number.map_err(|_| BallotError::Invalid));
        let attendance = match (number?, guests?) {
            (WITHDRAWN, 0) => Attendance::Withdrawn,
            (GOING, guests) => Attendance::Going { guests },
            (MAYBE, guests) => Attendance::Maybe { guests },
            (NOT_GOING, 0) => Attendance::NotGoing,
            _ => return Err(BallotError::Invalid),
        };
        Ok(Self { turn, attendance })
    }
}

impl fmt::Debug for RsvpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsvpAnswer(..)")
    }
}

const WITHDRAWN: u16 = 0;
const GOING: u16 = 1;
const MAYBE: u16 = 2;
const NOT_GOING: u16 = 3;
/// Bytes of an answer: sequence, milliseconds, the answer's number, and guests.
const ANSWER: usize = 8 + 8 + 2 + 2;
/// Bytes of an encrypted answer.
const SEALED: usize = sealed_length(ANSWER);
