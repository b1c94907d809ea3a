//! [`Rsvp`]: an answer to an event, sealed as a vote is (docs/spec/content.md, section 7.9).

use core::fmt;

use rand_core::CryptoRng;

use super::{Event, required};
use crate::content::sealed::{Sealing, Turn, sealed_length};
use crate::content::{BallotError, Content, ContentError, Kind, PersonId, Reference, SentAt, wire};
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::primitives::secret::Secret;

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
