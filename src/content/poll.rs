//! [`Poll`] and its votes, which are encrypted under a secret of the poll and bound to poll and voter
//! (docs/spec/content.md, section 7.5).
//!
//! Counting the votes is up to the application. Everyone who has the poll can read its votes and could forge them: the
//! identity of the voter comes from the session that carried the ballot.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::names::{bounded, within};
use super::sealed::{AnswerSecret, Sealing, Turn, frame, sealed_length};
use super::{BallotError, Content, ContentError, Kind, PersonId, PrivateText, Reference, SentAt, limits, wire};
use crate::labels;
use bisik_core::codec::Reader;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::secret::Secret;

/// A question with options to choose from.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::content::{Content, ContentMeta, Kind, PersonId, Poll, SentAt, Votes};
///
/// let now = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let poll = Poll::new("where to eat?", ["warung", "at home"], 1, rng);
/// let poll = Content::new(ContentMeta::new(now, rng), Kind::Poll(poll))?;
/// let (ana, budi) = (PersonId::new(b"ana")?, PersonId::new(b"budi")?);
///
/// // Budi has received Ana's poll and votes.
/// let votes = Votes::in_poll(&poll, &ana).expect("it is a poll");
/// let ballot = votes.cast(&[1], &budi, now, None, rng)?;
/// // Ana has received Budi's ballot; the session authenticates him as its sender.
/// assert_eq!(votes.open(&ballot, &budi).unwrap().choices().collect::<Vec<_>>(), [1]);
/// assert!(votes.open(&ballot, &ana).is_err(), "it is nobody else's");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Poll {
    secret: AnswerSecret,
    /// The question: 1 to 1,024 bytes.
    pub question: PrivateText,
    /// The options: 2 to 32 distinct texts of 1 to 255 bytes.
    pub options: Vec<PrivateText>,
    /// How many options a vote may choose: from 1 to all.
    pub most_choices: u32,
}

impl Poll {
    /// Returns a poll with a fresh secret, from 32 bytes of `rng`.
    #[must_use]
    pub fn new<T: Into<PrivateText>>(
        question: impl Into<PrivateText>,
        options: impl IntoIterator<Item = T>,
        most_choices: u32,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let options = options.into_iter().map(Into::into).collect();
        Self { secret: AnswerSecret::generate(rng), question: question.into(), options, most_choices }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { secret: _, question, options, most_choices } = self;
        bounded(question.len(), 1, limits::QUESTION)?;
        bounded(options.len(), 2, limits::OPTIONS)?;
        within(*most_choices, 1, u32::try_from(options.len()).unwrap_or(u32::MAX))?;
        options.iter().enumerate().try_for_each(|(index, option)| {
            bounded(option.len(), 1, limits::OPTION)?;
            let again = options.iter().take(index).any(|earlier| earlier == option);
            if again { Err(ContentError::OutOfRange) } else { Ok(()) }
        })
    }

    pub(super) fn to_wire(&self) -> wire::Poll {
        let Self { secret, question, options, most_choices } = self;
        let options = options.iter().map(|option| (**option).into()).collect();
        let (secret, question) = (secret.expose_bytes().to_vec(), (**question).into());
        wire::Poll { secret, question, options, most_choices: *most_choices }
    }

    pub(super) fn from_wire(wire: &mut wire::Poll) -> Result<Self, ContentError> {
        let wire::Poll { secret, question, options, most_choices } = wire;
        let secret = AnswerSecret::from_wire(secret)?;
        let options = options.iter_mut().map(PrivateText::take).collect();
        Ok(Self { secret, question: PrivateText::take(question), options, most_choices: *most_choices })
    }

    /// Returns the digest of this question with these options in this order. Votes are bound to it, so an attacker
    /// cannot show different polls under one name and have the votes of one counted in another.
    fn definition(&self, reference: &Reference) -> [u8; 32] {
        let Self { secret: _, question, options, most_choices } = self;
        let [author, asked, count] = [reference.author.as_bytes().len(), question.len(), options.len()].map(frame);
        let options: Vec<_> = options.iter().map(|option| (frame(option.len()), option.as_bytes())).collect();
        let most = most_choices.to_be_bytes();
        let start: [&[u8]; 8] = [
            labels::POLL,
            reference.id.as_bytes(),
            &author,
            reference.author.as_bytes(),
            &asked,
            question.as_bytes(),
            &most,
            &count,
        ];
        let options = options.iter().flat_map(|(length, option)| [length.as_slice(), option]);
        digest(&start.into_iter().chain(options).collect::<Vec<_>>())
    }
}

impl fmt::Debug for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, question, options, most_choices } = self;
        f.debug_struct("Poll")
            .field("question", question)
            .field("options", options)
            .field("most_choices", most_choices)
            .finish_non_exhaustive()
    }
}

/// Casts and opens the votes of one poll. Can only be made from a content that holds the poll.
///
/// A vote is that of a person, not of a device. In a group, and wherever a person has several devices, `voter` names the
/// account: [`PersonId::from`] its account key. Each of the person's devices continues from the newest vote that it
/// knows, whichever of them cast it.
#[derive(Debug)]
pub struct Votes<'a> {
    poll: &'a Poll,
    reference: Reference,
    sealing: Sealing<'a>,
}

impl<'a> Votes<'a> {
    /// Returns the votes of the poll in `content`, written by `author`. Returns `None` if `content` is not a poll.
    #[must_use]
    pub fn in_poll(content: &'a Content, author: &PersonId) -> Option<Self> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "one kind is a poll; any later kind is none here")]
        match content.kind() {
            Kind::Poll(poll) => {
                let reference = content.reference(author);
                let definition = poll.definition(&reference);
                let sealing = Sealing { secret: &poll.secret, label: labels::VOTE, definition };
                Some(Self { poll, reference, sealing })
            }
            _ => None,
        }
    }

    /// Encrypts a vote. Uses 24 bytes of `rng`; the result has 60 bytes whatever is chosen.
    ///
    /// `choices` are the indices of the chosen options, from 0, each once; an empty slice withdraws the vote. `earlier`
    /// is the voter's vote that this one replaces.
    ///
    /// # Errors
    ///
    /// [`ContentError::OutOfRange`] for more choices than the poll allows, or for an index that it does not have.
    pub fn cast(
        &self,
        choices: &[usize],
        voter: &PersonId,
        sent: SentAt,
        earlier: Option<&Vote>,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Ballot, ContentError> {
        let bits = choices.iter().try_fold(0_u32, |bits, choice| {
            let bit = u32::try_from(*choice).ok().and_then(|choice| 1_u32.checked_shl(choice));
            bit.filter(|bit| bits & bit == 0).map(|bit| bits | bit).ok_or(ContentError::OutOfRange)
        })?;
        let vote = Vote { turn: Turn::after(earlier.map(|earlier| earlier.turn), sent)?, bits };
        if !self.allows(vote) {
            return Err(ContentError::OutOfRange);
        }
        Ok(Ballot { poll: self.reference.clone(), sealed: self.sealing.seal(vote.encode(), voter, &mut rng) })
    }

    /// Decrypts a ballot of `voter`.
    ///
    /// `voter` must be the authenticated sender of the message that carried the ballot. Requirement P-7.12.
    ///
    /// # Errors
    ///
    /// [`BallotError`]
    pub fn open(&self, ballot: &Ballot, voter: &PersonId) -> Result<Vote, BallotError> {
        let Ballot { poll, sealed } = ballot;
        if *poll != self.reference {
            return Err(BallotError::Rejected);
        }
        let vote = self.sealing.open(sealed, voter)?;
        Vote::decode(&vote).and_then(|vote| if self.allows(vote) { Ok(vote) } else { Err(BallotError::Invalid) })
    }

    /// Returns whether the poll has these options and allows so many. Requirement P-7.14.
    fn allows(&self, vote: Vote) -> bool {
        let offered = |bit: u32| usize::try_from(bit).is_ok_and(|bit| bit < self.poll.options.len());
        let chosen = (0..u32::BITS).filter(|bit| vote.bits & (1 << bit) != 0);
        chosen.into_iter().all(offered) && vote.bits.count_ones() <= self.poll.most_choices
    }
}

/// An encrypted vote, with the poll it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    poll: Reference,
    sealed: [u8; SEALED],
}

impl Ballot {
    /// Returns the poll to open it with.
    #[must_use]
    pub const fn poll(&self) -> &Reference {
        &self.poll
    }

    pub(super) fn to_wire(&self) -> wire::Ballot {
        let Self { poll, sealed } = self;
        wire::Ballot { poll: Some(poll.to_wire()), sealed: sealed.to_vec() }
    }

    pub(super) fn from_wire(wire: &wire::Ballot) -> Result<Self, ContentError> {
        let wire::Ballot { poll, sealed } = wire;
        let poll = Reference::from_wire(poll.as_ref().ok_or(ContentError::Malformed)?)?;
        let sealed = sealed.as_slice().try_into().map_err(|_| ContentError::Malformed)?;
        Ok(Self { poll, sealed })
    }
}

/// A voter's choice, and its place in the sequence of that voter's votes.
///
/// Of several votes of one voter, the greatest counts, in the order of this type: sequence, then time, then choices.
/// The order is total, so everyone with the same votes counts the same one, in whatever order they arrived.
/// Requirement P-7.15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vote {
    turn: Turn,
    bits: u32,
}

impl Vote {
    /// Returns the indices of the chosen options, from 0, ascending. Empty if the vote was withdrawn.
    pub fn choices(&self) -> impl Iterator<Item = usize> + use<> {
        let bits = self.bits;
        (0..limits::OPTIONS).filter(move |choice| {
            u32::try_from(*choice).is_ok_and(|choice| bits.checked_shr(choice).is_some_and(|rest| rest & 1 == 1))
        })
    }

    /// Returns when it was cast, by the voter's clock.
    #[must_use]
    pub const fn sent(&self) -> SentAt {
        self.turn.sent()
    }

    fn encode(self) -> Secret<VOTE> {
        let Self { turn, bits } = self;
        turn.encode(&[&bits.to_be_bytes()])
    }

    fn decode(bytes: &Secret<VOTE>) -> Result<Self, BallotError> {
        let mut reader = Reader::new(bytes.expose());
        let (turn, bits) = (Turn::decode(&mut reader)?, reader.u32().map_err(|_| BallotError::Invalid)?);
        Ok(Self { turn, bits })
    }
}

impl fmt::Debug for Vote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vote(..)")
    }
}

/// Bytes of a vote: sequence, milliseconds, and one bit for each option.
const VOTE: usize = 8 + 8 + 4;
/// Bytes of an encrypted vote.
const SEALED: usize = sealed_length(VOTE);
