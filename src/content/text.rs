//! Text, and changes to earlier contents: edits, deletions, reactions.
//!
//! The application looks up the contents that they name, by author and id.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::names::{bounded, within};
use super::{ContentError, ContentId, PersonId, PrivateText, Reference, limits, wire};

/// A text, or the caption of an attachment: 1 to 65,536 bytes of UTF-8.
///
/// ```
/// use bisik::content::{Mention, PersonId, Text};
///
/// let mut text = Text::new("halo @budi!");
/// text.mentions.push(Mention { start: 5, length: 5, person: PersonId::new(b"budi")? });
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Text {
    /// The text itself.
    pub body: PrivateText,
    /// The persons mentioned in it: at most 256, in the order of the text, not overlapping.
    pub mentions: Vec<Mention>,
}

/// A mention of a person in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The offset of its first byte, at the start of a character.
    pub start: u32,
    /// Its length in bytes: at least one, up to the end of a character.
    pub length: u32,
    /// The person mentioned.
    pub person: PersonId,
}

impl Text {
    /// Returns a text without mentions.
    #[must_use]
    pub fn new(body: impl Into<PrivateText>) -> Self {
        Self { body: body.into(), mentions: Vec::new() }
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { body, mentions } = self;
        bounded(body.len(), 1, limits::TEXT)?;
        bounded(mentions.len(), 0, limits::MENTIONS)?;
        let mut end = 0;
        for Mention { start, length, person: _ } in mentions {
            let next = start.checked_add(*length).ok_or(ContentError::OutOfRange)?;
            let [from, to] = [*start, next].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
            if *start < end || *length == 0 || body.get(from..to).is_none() {
                return Err(ContentError::OutOfRange);
            }
            end = next;
        }
        Ok(())
    }

    pub(super) fn to_wire(&self) -> wire::Text {
        let Self { body, mentions } = self;
        let mention = |Mention { start, length, person }: &Mention| wire::Mention {
            start: *start,
            length: *length,
            person: person.as_bytes().to_vec(),
        };
        wire::Text { body: (**body).into(), mentions: mentions.iter().map(mention).collect() }
    }

    pub(super) fn from_wire(wire: &mut wire::Text) -> Result<Self, ContentError> {
        let wire::Text { body, mentions } = wire;
        let mention = |wire::Mention { start, length, person }: &wire::Mention| {
            Ok(Mention { start: *start, length: *length, person: PersonId::new(person)? })
        };
        Ok(Self { body: PrivateText::take(body), mentions: mentions.iter().map(mention).collect::<Result<_, _>>()? })
    }
}

/// A new text for an earlier content of the same author. No field can name another author's content.
/// Requirement P-7.10.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Content, ContentMeta, Edit, Kind, PersonId, SentAt, Text};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let typo = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("hallo")))?;
/// let edit = Edit { target: typo.id(), text: Text::new("halo") };
/// // The receiver looks for the content in what the sender of the edit has written, and nowhere else.
/// let ana = PersonId::new(b"ana")?;
/// assert_eq!(edit.target_of(&ana), typo.reference(&ana));
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The text, or the attachment with a caption, to edit: one of the sender's own. See [`Edit::target_of`].
    pub target: ContentId,
    /// The new text.
    pub text: Text,
}

impl Edit {
    /// Returns the content to edit, given the sender of the edit. Look up this reference and no other.
    #[must_use]
    pub fn target_of(&self, sender: &PersonId) -> Reference {
        Reference { author: sender.clone(), id: self.target }
    }

    pub(super) fn to_wire(&self) -> wire::Edit {
        let Self { target, text } = self;
        wire::Edit { target: target.to_wire(), text: Some(text.to_wire()) }
    }

    pub(super) fn from_wire(wire: &mut wire::Edit) -> Result<Self, ContentError> {
        let wire::Edit { target, text } = wire;
        let text = text.as_mut().ok_or(ContentError::Malformed)?;
        Ok(Self { target: ContentId::from_wire(target)?, text: Text::from_wire(text)? })
    }
}

/// The deletion, for everyone, of an earlier content of the same author. Advisory: a peer that has the content can keep
/// it. Requirement P-7.10.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Content, ContentMeta, Delete, Kind, PersonId, SentAt, Text};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let halo = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("halo")))?;
/// let delete = Delete { target: halo.id() };
/// let ana = PersonId::new(b"ana")?;
/// assert_eq!(delete.target_of(&ana), halo.reference(&ana));
/// assert_ne!(delete.target_of(&PersonId::new(b"eve")?), halo.reference(&ana));
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete {
    /// The content to delete: one of the sender's own. See [`Delete::target_of`].
    pub target: ContentId,
}

impl Delete {
    /// Returns the content to delete, given the sender of the deletion. Look up this reference and no other.
    #[must_use]
    pub fn target_of(&self, sender: &PersonId) -> Reference {
        Reference { author: sender.clone(), id: self.target }
    }
}

/// An emoji reaction to a content. It replaces the sender's earlier one.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{Content, ContentMeta, Kind, PersonId, Reaction, SentAt, Text};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let halo = Content::new(ContentMeta::new(sent, rng), Kind::Text(Text::new("halo")))?;
/// let target = halo.reference(&PersonId::new(b"ana")?); // of a content that Ana has sent
/// let heart = Reaction { target: target.clone(), emoji: "\u{2764}".into() };
/// let none = Reaction { target, emoji: "".into() }; // takes it back
/// # for reaction in [heart, none] {
/// #     assert!(Content::new(ContentMeta::new(sent, rng), Kind::Reaction(reaction)).is_ok());
/// # }
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The content reacted to.
    pub target: Reference,
    /// At most 64 bytes. Empty to remove the reaction.
    pub emoji: PrivateText,
}

impl Reaction {
    pub(super) fn check(&self) -> Result<(), ContentError> {
        bounded(self.emoji.len(), 0, limits::EMOJI)
    }

    pub(super) fn to_wire(&self) -> wire::Reaction {
        let Self { target, emoji } = self;
        wire::Reaction { target: Some(target.to_wire()), emoji: (**emoji).into() }
    }

    pub(super) fn from_wire(wire: &mut wire::Reaction) -> Result<Self, ContentError> {
        let wire::Reaction { target, emoji } = wire;
        let target = Reference::from_wire(target.as_ref().ok_or(ContentError::Malformed)?)?;
        Ok(Self { target, emoji: PrivateText::take(emoji) })
    }
}

/// The disappearing-message timer of the conversation. Advisory: a peer's program can ignore it, or keep a copy.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use core::num::NonZeroU32;
/// # use bisik::content::{Content, ContentMeta, Kind, SentAt, Timer};
/// # let sent = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// let a_week = Timer { seconds: NonZeroU32::new(7 * 86_400) };
/// assert!(Content::new(ContentMeta::new(sent, rng), Kind::Timer(a_week)).is_ok());
/// // From then on the program sets `ContentMeta::disappears_after` of what it sends.
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Seconds until a content disappears after it was read: at most a year, or `None` to switch the timer off.
    pub seconds: Option<NonZeroU32>,
}

impl Timer {
    pub(super) fn check(self) -> Result<(), ContentError> {
        within(wire::zero_for_none(self.seconds), 0, limits::TIMER_S)
    }
}

/// A step of setting up or ending a call ([section 9](crate::manual::spec::calls#9-calls)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The bytes of a signal of the `call` module, and what the application's transport adds: 1 to 16,384 bytes.
    pub signal: super::PrivateBytes,
}

impl Call {
    pub(super) fn check(&self) -> Result<(), ContentError> {
        bounded(self.signal.len(), 1, limits::SIGNAL)
    }
}
