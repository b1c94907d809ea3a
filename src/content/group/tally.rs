//! [`Tally`]: how many people gave which answer, as the author of the content has counted.

use alloc::vec::Vec;

use crate::content::names::{bounded, within};
use crate::content::{ContentError, ContentId, PersonId, PrivateText, Reference, limits, wire};

/// How many people gave which answer to a poll, to an event or by sealed reactions, counted by the author of that
/// content, for those who get none of the answers themselves.
///
/// It replaces the author's earlier tally of the same content. Nobody else can check the numbers: show them as the
/// author's count, and prefer one's own where the answers are there. Requirement P-7.28.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Answered, Content, ContentMeta, Count, Kind, PersonId, SentAt, Tally, Text};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let news = Content::new(ContentMeta::new(sent, rng).with_secret(rng), Kind::Text(Text::new("we open at nine")))?;
/// let heart = Count { answer: Answered::Emoji("\u{2764}".into()), people: 17 };
/// let tally = Tally { target: news.id(), counts: vec![heart] };
/// let ana = PersonId::new(b"ana")?; // who sent the tally
/// assert_eq!(tally.target_of(&ana), news.reference(&ana));
/// # assert!(Content::new(ContentMeta::new(sent, rng), Kind::Tally(tally)).is_ok());
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

/// The index of the last option that a poll can have.
const LAST_CHOICE: u32 = 31;
