//! [`Frame`]: the plaintext of a message between two devices of a conversation (docs/spec/conversations.md, section
//! 12.2).
//!
//! A frame says which device lists its sender goes by, what the sender has received from this device, and what it still
//! wants to deliver there. Most carry a message beside that.

mod decode; // bytes to a frame: every rule about what is refused
mod encode; // a frame to bytes

use alloc::vec::Vec;
use core::fmt;

use super::ConversationId;
use super::name::{MessageId, Tag};
use crate::device::{AccountKey, DeviceDirectory};
use crate::labels;
use bisik_core::codec::Malformed;
use bisik_core::convert;
use bisik_core::primitives::kdf::digest;

/// What a message with a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A message.
    Message,
    /// A message that its author took back before this device had it. It has no bytes: only its name is settled.
    Withdrawn,
    /// What a user decided about a disclosure; for an own device with the disclosure.
    Decision,
    /// The hosted device's countersignature of it.
    DecisionReceipt,
    /// A message for the author's own devices only.
    Private,
    /// A letter: what one device of a group has for one other, and the layer of groups reads.
    Letter,
    /// A kind of a newer program. It is acknowledged like any other and shown as not understood.
    Unknown(UnknownKind),
}

/// The byte of a kind that this program does not know. Only a decoder makes one, so that a known kind has one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnknownKind(u8);

impl Kind {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::Withdrawn => 2,
            Self::Decision => 3,
            Self::DecisionReceipt => 4,
            Self::Private => 5,
            Self::Letter => 16,
            Self::Unknown(UnknownKind(byte)) => byte,
        }
    }

    /// P-12.10.
    pub(super) const fn from_byte(byte: u8) -> Result<Self, Malformed> {
        Ok(match byte {
            0 => return Err(Malformed),
            1 => Self::Message,
            2 => Self::Withdrawn,
            3 => Self::Decision,
            4 => Self::DecisionReceipt,
            5 => Self::Private,
            16 => Self::Letter,
            6.. => Self::Unknown(UnknownKind(byte)),
        })
    }
}

/// The device lists that a sender goes by: its own account's, and the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lists {
    /// The sequence number of its own account's list, below 2^35.
    pub(super) own: u64,
    /// That of the other account's list, below 2^35.
    pub(super) peer: u64,
    digest: [u8; 16],
}

impl Lists {
    pub(super) fn of(own: &DeviceDirectory, peer: &DeviceDirectory) -> Self {
        let text = [labels::CONVERSATION_LISTS, own.hash().as_slice(), peer.hash().as_slice()];
        Self { own: own.sequence(), peer: peer.sequence(), digest: convert::first(&digest(&text)) }
    }
}

/// What only a frame with a first flight says: which conversation the new session is for, and which older sessions it
/// may be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) conversation: ConversationId,
    /// P-12.11: the peer's account key as the sender has it pinned. Only and always in a frame for an own device, which
    /// may not know the conversation yet; elsewhere it is not encoded.
    pub(super) peer: Option<AccountKey>,
    /// The labels of resumption secrets; places that are not used hold random bytes.
    pub(super) labels: [[u8; 8]; 4],
}

/// One frame.
///
/// The bounds in the comments are those of [`Frame::decode`]. Whoever makes a frame keeps them; one that does not
/// encodes to bytes that every receiver refuses, so nothing is cut off or changed silently.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) lists: Lists,
    /// The receiver is a device of the sender's account.
    pub(super) for_own: bool,
    /// With a first flight only.
    pub(super) opening: Option<Opening>,
    /// Where the sender's view of a directory of accounts ends.
    pub(super) checkpoint: Option<[u8; 16]>,
    /// The highest number that the sender has given.
    pub(super) last: u64,
    /// The lowest number that the sender still wants to deliver here, at most `last + 1`.
    pub(super) base: u64,
    /// The receiver's own numbers below this one are closed for ever.
    pub(super) horizon: u64,
    /// The highest of the receiver's numbers that the sender knows, at least `horizon`.
    pub(super) highest: Option<u64>,
    /// Tags of the receiver's messages that were received and shown: at most [`MAX_SHOWN`], strictly ascending.
    pub(super) shown: Vec<Tag>,
    /// Tags of those that were lost or withdrawn, and never shown: at most [`MAX_CLOSED`], strictly ascending, and none
    /// of those that were shown.
    pub(super) closed: Vec<Tag>,
    pub(super) ask: Option<[u8; 4]>,
    pub(super) answer: Option<[u8; 4]>,
    /// Digests of the messages that an initiator wrote before it was answered: at most [`MAX_WORDS`], strictly ascending.
    pub(super) first_words: Vec<[u8; 16]>,
    /// The beginning of the id of the session that has taken the place of this one.
    pub(super) replaced_by: Option<[u8; 8]>,
    /// Names that the sender has given up: at most [`MAX_LOST`], strictly ascending.
    pub(super) lost: Vec<MessageId>,
    pub(super) content: Content<'a>,
}

impl Frame<'_> {
    /// Everything but the content, with nothing borrowed.
    pub(super) fn without_content(self) -> Frame<'static> {
        let Self { lists, for_own, opening, checkpoint, last, base, horizon, highest, .. } = self;
        let Self { shown, closed, ask, answer, first_words, replaced_by, lost, .. } = self;
        Frame {
            lists,
            for_own,
            opening,
            checkpoint,
            last,
            base,
            horizon,
            highest,
            shown,
            closed,
            ask,
            answer,
            first_words,
            replaced_by,
            lost,
            content: Content::Nothing,
        }
    }
}

/// What a frame carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// Nothing: the frame is bare.
    Nothing,
    /// A message that is kept until this device acknowledges it. At most [`MAX_CONTENT`] bytes; none if it was
    /// withdrawn.
    Named { kind: Kind, id: MessageId, bytes: &'a [u8] },
    /// What is neither kept nor acknowledged, such as that somebody is typing. At most [`MAX_CONTENT`] bytes.
    Ephemeral(&'a [u8]),
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameError {
    /// It breaks a rule of section 12.2. An honest device does not write that.
    Malformed,
    /// It is of this later version, which the program cannot read.
    NewerVersion(u8),
}

impl From<Malformed> for FrameError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Shows names and numbers, and of the content only the length.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lists, for_own, opening, checkpoint, last, base, horizon, highest, .. } = self;
        let Self { shown, closed, ask, answer, first_words, replaced_by, lost, content, .. } = self;
        let mut out = f.debug_struct("Frame");
        out.field("lists", lists).field("for_own", for_own).field("opening", opening).field("checkpoint", checkpoint);
        out.field("last", last).field("base", base).field("horizon", horizon).field("highest", highest);
        out.field("shown", shown).field("closed", closed).field("ask", ask).field("answer", answer);
        out.field("first_words", first_words).field("replaced_by", replaced_by).field("lost", lost);
        out.field("content", content).finish()
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Named { kind, id, bytes } => {
                let mut out = f.debug_struct("Named");
                out.field("kind", kind).field("id", id).field("length", &bytes.len()).finish()
            }
            Self::Ephemeral(bytes) => f.debug_struct("Ephemeral").field("length", &bytes.len()).finish(),
        }
    }
}

/// Which fields a frame has. A bit that is not listed is no flag of this version.
mod flags {
    pub(super) const FOR_OWN: u16 = 1;
    pub(super) const OPENING: u16 = 1 << 1;
    pub(super) const CHECKPOINT: u16 = 1 << 2;
    pub(super) const ASK: u16 = 1 << 3;
    pub(super) const ANSWER: u16 = 1 << 4;
    pub(super) const FIRST_WORDS: u16 = 1 << 5;
    pub(super) const REPLACED_BY: u16 = 1 << 6;
    pub(super) const LOST: u16 = 1 << 7;
    pub(super) const NAMED: u16 = 1 << 8;
    pub(super) const EPHEMERAL: u16 = 1 << 9;
    /// All of them.
    pub(super) const KNOWN: u16 = (1 << 10) - 1;
}

/// Tags that are listed as shown: 128 names that are known, and 16 that were shown from an unconfirmed session.
pub(super) const MAX_SHOWN: usize = 128 + 16;
/// Tags that are listed as closed: all names that are known.
pub(super) const MAX_CLOSED: usize = 128;
/// Names that are listed as lost: all messages that an author keeps.
pub(super) const MAX_LOST: usize = 64;
/// Digests of first words: of all messages that an author keeps.
pub(super) const MAX_WORDS: usize = 64;
/// Most bytes that a frame adds to its content, beside tags and names in lists: the fields in their order.
pub(super) const OVERHEAD: usize =
    1 + 2 + (5 + 5 + 16) + (16 + 64 + 32) + 16 + (8 + 9) + (8 + 9) + 2 + 2 + (4 + 4) + 1 + 8 + 1 + (1 + 16);
/// Longest content in bytes.
pub(super) const MAX_CONTENT: usize = super::MAX_BODY;
/// First byte of a frame.
const VERSION: u8 = 0x02;
/// Every number in a frame is smaller, so that sums of a few of them do not overflow.
pub(super) const NUMBERS: u64 = 1 << 60;
/// Bytes of a tag.
const TAG: usize = 8;
/// Bytes of a digest of first words.
const WORDS: usize = 16;
/// Bytes of a name.
const NAME: usize = MessageId::LENGTH;

#[cfg(test)]
mod tests;
