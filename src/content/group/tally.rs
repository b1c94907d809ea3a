//! [`Tally`]: how many people gave which answer, as the author of the content has counted.

use alloc::vec::Vec;

use super::order;
use crate::content::names::{bounded, within};
use crate::content::{Content, ContentError, ContentId, Kind, PersonId, PrivateText, Reference, limits, wire};

/// How many people gave which answer to a poll, to an event or by sealed reactions, counted by the author of that
/// content, for those who get none of the answers themselves.
///
/// It replaces the author's earlier tally of the same content: [`tallied`] returns what to show. Nobody else can check
/// the numbers: show them as the author's count, and prefer one's own where the answers are there. Requirement P-7.28.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Answered, Content, ContentMeta, Count, Kind, PersonId, SentAt, Tally, Text, tallied};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let news = Content::new(ContentMeta::new(sent, rng).with_secret(rng), Kind::Text(Text::new("we open at nine")))?;
/// let heart = Count { answer: Answered::Emoji("\u{2764}".into()), people: 17 };
/// let tally = Tally { target: news.id(), counts: vec![heart] };
/// let ana = PersonId::new(b"ana")?; // who sent the tally
/// assert_eq!(tally.target_of(&ana), news.reference(&ana));
/// let tally = Content::new(ContentMeta::new(sent, rng), Kind::Tally(tally))?;
/// assert_eq!(tallied(&news, &ana, [(&tally, &ana)])[0].people, 17);
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The content that was answered: one of the sender's own. See [`Tally::target_of`].
    pub target: ContentId,
    /// The counts: at most 64, each answer at most once. The most frequent ones, if there are more.
    pub counts: Vec<Count>,
}

/// How many people gave one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The answer.
    pub answer: Answered,
    /// How many people gave it, from 1. For an event it includes the guests that they bring.
    pub people: u32,
}

/// An answer that a [`Count`] counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A reaction: 1 to 64 bytes.
    Emoji(PrivateText),
    /// The index of a poll's option, from 0 to 31. For an event 0 stands for going, 1 for maybe, 2 for not going.
    Choice(u32),
}

impl Tally {
    /// Returns the content that was answered, given the sender of the tally. Look up this reference and no other.
    #[must_use]
    pub fn target_of(&self, sender: &PersonId) -> Reference {
        Reference { author: sender.clone(), id: self.target }
    }

    pub(in crate::content) fn check(&self) -> Result<(), ContentError> {
        let Self { target: _, counts } = self;
        bounded(counts.len(), 0, limits::COUNTS)?;
        counts.iter().enumerate().try_for_each(|(index, count)| {
            count.check()?;
            let again = counts.iter().take(index).any(|earlier| earlier.answer == count.answer);
            if again { Err(ContentError::OutOfRange) } else { Ok(()) }
        })
    }

    pub(in crate::content) fn to_wire(&self) -> wire::Tally {
        let Self { target, counts } = self;
        wire::Tally { target: target.to_wire(), counts: counts.iter().map(Count::to_wire).collect() }
    }

    pub(in crate::content) fn from_wire(wire: &mut wire::Tally) -> Result<Self, ContentError> {
        let wire::Tally { target, counts } = wire;
        let counts = counts.iter_mut().map(Count::from_wire).collect::<Result<_, _>>()?;
        Ok(Self { target: ContentId::from_wire(target)?, counts })
    }
}

impl Count {
    fn check(&self) -> Result<(), ContentError> {
        let Self { answer, people } = self;
        match answer {
            Answered::Emoji(emoji) => bounded(emoji.len(), 1, limits::EMOJI)?,
            Answered::Choice(choice) => within(*choice, 0, LAST_CHOICE)?,
        }
        within(*people, 1, u32::MAX)
    }

    fn to_wire(&self) -> wire::Count {
        let Self { answer, people } = self;
        match answer {
            Answered::Emoji(emoji) => wire::Count { choice: 0, emoji: (**emoji).into(), people: *people },
            // One beyond the greatest index is refused before it is sent.
            Answered::Choice(choice) => {
                let choice = choice.checked_add(1).unwrap_or(u32::MAX);
                wire::Count { choice, emoji: alloc::string::String::new(), people: *people }
            }
        }
    }

    fn from_wire(wire: &mut wire::Count) -> Result<Self, ContentError> {
        let wire::Count { choice, emoji, people } = wire;
        let answer = match (choice.checked_sub(1), emoji.is_empty()) {
            (Some(choice), true) => Answered::Choice(choice),
            (None, false) => Answered::Emoji(PrivateText::take(emoji)),
            (Some(_), false) | (None, true) => return Err(ContentError::Malformed),
        };
        Ok(Self { answer, people: *people })
    }
}

/// Returns the counts to show at `content`, written by `author`: those of its author's greatest tally, by time, then
/// id, without choices that the content does not offer. Show them as the author's own count.
///
/// `tallies` are contents with their authenticated senders, in any order; other kinds, and tallies of other contents,
/// do no harm. [`Tally`] has an example. Requirement P-7.28.
#[must_use]
pub fn tallied<'a>(
    content: &Content,
    author: &PersonId,
    tallies: impl IntoIterator<Item = (&'a Content, &'a PersonId)>,
) -> Vec<&'a Count> {
    let of_it = |(arrived, sender): (&'a Content, &PersonId)| {
        let Kind::Tally(tally) = arrived.kind() else { return None };
        (sender == author && tally.target == content.id()).then_some((arrived, tally))
    };
    let tallies = tallies.into_iter().filter_map(of_it);
    let greatest = tallies.max_by(|(one, _), (other, _)| order(one).cmp(&order(other)));
    let counts = greatest.into_iter().flat_map(|(_, tally)| &tally.counts);
    counts.filter(|count| offers(content, &count.answer)).collect()
}

/// Whether somebody can have answered this. Anything can be reacted to.
fn offers(content: &Content, answer: &Answered) -> bool {
    let Answered::Choice(choice) = answer else { return true };
    #[expect(clippy::wildcard_enum_match_arm, reason = "two kinds have choices; any later kind has none here")]
    match content.kind() {
        Kind::Poll(poll) => usize::try_from(*choice).is_ok_and(|choice| choice < poll.options.len()),
        Kind::Event(event) => !event.cancelled && *choice < ATTENDANCES,
        _ => false,
    }
}

/// The answers to an event that are counted: going, maybe, not going.
const ATTENDANCES: u32 = 3;
/// The index of the last option that a poll can have.
const LAST_CHOICE: u32 = 31;
