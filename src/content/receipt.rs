//! [`Receipt`]: delivered, read, played; only for contents that are shown.
//!
//! The application sends a receipt only to the author of the contents it names.

use alloc::vec;
use alloc::vec::Vec;

use super::names::bounded;
use super::{Content, ContentError, ContentId, Kind, limits, wire};

/// Tells an author that contents were delivered, read or played.
///
/// A receipt can only be made from a [`Visible`] content. Contents that leave no trace on the screen (a reaction, an
/// edit, a vote, another receipt, an unknown kind) are never confirmed. Otherwise an attacker could probe every minute,
/// unseen, whether a device is awake. Requirement P-7.16.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::content::{ContentMeta, ContentId, PersonId, PrivateText, Reaction, Reference, SentAt, Text};
/// use bisik::content::{Content, Kind, Receipt};
///
/// # let now = SentAt::from_unix_milliseconds(1_800_000_000_000)?;
/// # let halo = Content::new(ContentMeta::new(now, rng), Kind::Text(Text::new("halo")))?;
/// # let target = Reference { author: PersonId::new(b"ana")?, id: ContentId::generate(rng) };
/// # let heart = Kind::Reaction(Reaction { target, emoji: PrivateText::from("\u{2764}") });
/// # let heart = Content::new(ContentMeta::new(now, rng), heart)?;
/// let receipt = halo.visible().map(|shown| Receipt::read(&shown));
/// assert!(receipt.is_some());
/// assert!(heart.visible().is_none(), "a reaction gives no receipt");
/// # Ok::<(), bisik::content::ContentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    status: i32,
    messages: Vec<ContentId>,
}

/// A content that is shown by itself: the proof that a receipt requires.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(&'a Content);

/// The status that a receipt reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiptStatus {
    /// Delivered to the receiver's device.
    Delivered,
    /// Seen by the receiver.
    Read,
    /// A voice note or video was played, or a view-once content was opened.
    Played,
    /// A status from a later version.
    Unknown,
}

impl<'a> Visible<'a> {
    pub(super) fn of(content: &'a Content) -> Option<Self> {
        content.kind().is_visible().then_some(Self(content))
    }
}

impl Receipt {
    /// Returns a receipt for a content that was delivered.
    #[must_use]
    pub fn delivered(content: &Visible<'_>) -> Self {
        Self { status: DELIVERED, messages: vec![content.0.id()] }
    }

    /// Returns a receipt for a content that was read.
    #[must_use]
    pub fn read(content: &Visible<'_>) -> Self {
        Self { status: READ, messages: vec![content.0.id()] }
    }

    /// Returns a receipt for a content that was played, or `None` if it cannot be played.
    #[must_use]
    pub fn played(content: &Visible<'_>) -> Option<Self> {
        let Visible(content) = content;
        let plays = content.view_once() || matches!(content.kind(), Kind::VoiceNote(_) | Kind::Video(_));
        plays.then(|| Self { status: PLAYED, messages: vec![content.id()] })
    }

    /// Merges two receipts to the same author with the same status.
    ///
    /// # Errors
    ///
    /// [`ContentError::NotAllowed`] if the statuses differ, [`ContentError::TooLong`] above 256 contents.
    pub fn merge(mut self, other: &Self) -> Result<Self, ContentError> {
        if self.status != other.status {
            return Err(ContentError::NotAllowed);
        }
        self.messages.extend_from_slice(&other.messages);
        self.messages.sort_unstable();
        self.messages.dedup();
        self.check().map(|()| self)
    }

    /// Returns the status.
    #[must_use]
    pub const fn status(&self) -> ReceiptStatus {
        match self.status {
            DELIVERED => ReceiptStatus::Delivered,
            READ => ReceiptStatus::Read,
            PLAYED => ReceiptStatus::Played,
            _ => ReceiptStatus::Unknown,
        }
    }

    /// Returns the ids of the contents. All were written by the receiver of the receipt.
    #[must_use]
    pub fn messages(&self) -> &[ContentId] {
        &self.messages
    }

    pub(super) fn check(&self) -> Result<(), ContentError> {
        let Self { status, messages } = self;
        if *status < DELIVERED {
            return Err(ContentError::OutOfRange);
        }
        bounded(messages.len(), 1, limits::RECEIPTS)
    }

    pub(super) fn to_wire(&self) -> wire::Receipt {
        let Self { status, messages } = self;
        wire::Receipt { status: *status, messages: messages.iter().map(|id| id.to_wire()).collect() }
    }

    pub(super) fn from_wire(wire: &wire::Receipt) -> Result<Self, ContentError> {
        let wire::Receipt { status, messages } = wire;
        let messages = messages.iter().map(|id| ContentId::from_wire(id)).collect::<Result<_, _>>()?;
        Ok(Self { status: *status, messages })
    }
}

// `Status` of content.proto.
const DELIVERED: i32 = 1;
const READ: i32 = 2;
const PLAYED: i32 = 3;
