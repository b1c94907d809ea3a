//! What a conversation gives: held envelopes, received messages, and events for the user interface.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::letter::ReceivedLetter;
use super::link::Bound;
use super::{DeviceAddress, Envelope, MessageId, Side};
use crate::device::{DirectoryEvent, FromOwnDevice};
use crate::hosting::{Decision, DecisionReceipt};
use crate::session::Plaintext;
use bisik_core::held::{Held, Origin, Stored};
use bisik_core::time::Timestamp;

/// Why a message was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It was not acknowledged within 14 days, or newer messages needed its room. The device is told.
    TooOld,
    /// This device was restored from a backup: the other device may have shown the message before that, or was told
    /// that it is lost.
    Restored,
}

/// An event besides the messages that were received. Requirements P-12.20, P-12.25, P-12.39, P-12.46, P-12.51 and
/// P-12.52 say when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A device has the message in its record, and gives it to its program. It tells so with the next message that it
    /// writes, after eight messages, or after ten minutes: enough for a tick, too late for a read receipt, which is a
    /// content of its own.
    Delivered {
        /// The message.
        id: MessageId,
        /// The device that has it.
        device: DeviceAddress,
    },
    /// The message is no longer sent to a device.
    GivenUp {
        /// The message.
        id: MessageId,
        /// The device that does not get it.
        device: DeviceAddress,
        /// Why.
        cause: Cause,
    },
    /// Another device gave up one of its messages before this device had it. Show that something is missing.
    Lost {
        /// The message.
        id: MessageId,
        /// Its author.
        device: DeviceAddress,
    },
    /// Somebody whom the user has not accepted writes: show a message request. Nothing goes back until
    /// [`accept`](super::Conversation::accept) or [`send`](super::Conversation::send).
    Request,
    /// A new session with a device was confirmed beside the one in use, and is sent in from now on.
    SessionReplaced {
        /// The device.
        device: DeviceAddress,
        /// What binds the new session to the older one.
        bound: Bound,
        /// The new session was set up with pre-keys that the server gives out more than once.
        last_resort: bool,
        /// It was set up before the older session was established, mostly because both sides wrote first at once. It may
        /// be shown quietly, but is worth a line: whoever holds the device's identity key could do it then.
        early: bool,
    },
    /// A device says that another session took the place of one with this device, which does not know that session:
    /// somebody acts in this device's name, unless it has just come back from a backup.
    ReplacedByAnother {
        /// The device that says so.
        device: DeviceAddress,
    },
    /// A device knows messages of this one that this one does not: it was restored from a backup.
    Restored {
        /// The device that says so.
        device: DeviceAddress,
    },
    /// A device has used one key for two messages: its state was copied, or it runs twice.
    Forked {
        /// The device.
        device: DeviceAddress,
    },
    /// A message that was shown as unconfirmed is not one of those that the device now says it wrote.
    NotThePeers {
        /// The message.
        id: MessageId,
        /// The device that did not write it.
        device: DeviceAddress,
    },
    /// A message that was shown as unconfirmed is the device's own: what marks it as unconfirmed can go. With the
    /// message that follows the first answer, such an event or [`NotThePeers`](Self::NotThePeers) comes for each, and
    /// again where a message is sent again: the newest counts.
    Confirmed {
        /// The message.
        id: MessageId,
        /// The device that wrote it.
        device: DeviceAddress,
    },
    /// A message of a kind that this version does not know. Its author counts it as shown.
    NotUnderstood {
        /// The message.
        id: MessageId,
        /// Its author.
        device: DeviceAddress,
    },
    /// The sender uses a newer device list than the one known here: fetch it.
    ListOutdated {
        /// The account whose list it is.
        side: Side,
        /// The sequence number of the sender's list.
        sequence: u64,
    },
    /// Sender and receiver hold different lists with the same sequence number: the relay or the account shows different
    /// devices to different people.
    ListsForked,
    /// A change of the peer's devices: one joined, left, or has other terms, or lists were never seen.
    Devices(DirectoryEvent),
    /// The label has changed: show [`label`](super::Conversation::label). The protocol requires that the user sees who
    /// else can read, or that it is not known.
    LabelChanged,
    /// Another own device shared a decision that is not about this peer, or whose signature does not verify.
    DecisionNotAdopted {
        /// The device.
        device: DeviceAddress,
    },
    /// The peer has another account key: a new phone, a new owner, or an attacker in the middle.
    IdentityChanged,
}

/// Something for the program: it stays in the record until the program [settles](super::Conversation::settle) it.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// A message from the peer.
    Message {
        /// The id of the message; with `from` its name, under which the program stores it.
        id: MessageId,
        /// The device that wrote it.
        from: DeviceAddress,
        /// The content. Unconfirmed at the first contact of two devices, also of accounts that know each other: only who
        /// wrote to this device's pre-keys is known then. [`Event::Confirmed`] or [`Event::NotThePeers`] follows.
        body: Plaintext<Zeroizing<Vec<u8>>>,
        /// On a hosted device: the time by which its disclosure promises to delete the message.
        delete_by: Option<Timestamp>,
    },
    /// A message that another own device wrote to the peer. Only a verified own device can produce it.
    Sent {
        /// The id of the message; with `from` its name.
        id: MessageId,
        /// The own device that wrote it.
        from: DeviceAddress,
        /// The content, with the device that sent it.
        body: FromOwnDevice<Zeroizing<Vec<u8>>>,
        /// On a hosted device: the time by which its disclosure promises to delete the message.
        delete_by: Option<Timestamp>,
    },
    /// A message that another own device wrote for its own account only: what was read, settings, drafts.
    Own {
        /// The id of the message; with `from` its name.
        id: MessageId,
        /// The own device that wrote it.
        from: DeviceAddress,
        /// The content, with the device that sent it.
        body: FromOwnDevice<Zeroizing<Vec<u8>>>,
        /// On a hosted device: the time by which its disclosure promises to delete the message.
        delete_by: Option<Timestamp>,
    },
    /// What a device of a group has for this one: give it to that group. Never from an unconfirmed session.
    Letter {
        /// The id of the message that brought it.
        id: MessageId,
        /// The letter, with the device that wrote it.
        letter: ReceivedLetter,
        /// On a hosted device: the time by which its disclosure promises to delete it.
        delete_by: Option<Timestamp>,
    },
    /// Something that is not kept: that somebody is typing ([`Presence`](super::Presence)), where somebody is, what was
    /// read. It is not in the record, so a crash loses it.
    Ephemeral {
        /// The device that sent it, of the peer or one's own.
        from: DeviceAddress,
        /// The content.
        body: Zeroizing<Vec<u8>>,
    },
    /// A user's decision about this hosted device: verify and [`countersign`](super::Conversation::countersign) it.
    Decision {
        /// The device that sent it.
        from: DeviceAddress,
        /// The decision.
        decision: Box<Decision>,
    },
    /// The hosted device's countersignature of the user's decision: verify and keep it.
    DecisionReceipt {
        /// The device that sent it.
        from: DeviceAddress,
        /// The receipt.
        receipt: Box<DecisionReceipt>,
    },
    /// Anything else that the user or the program should know.
    Event(Event),
}

/// Does not show what messages say.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { id, from, body, delete_by } => {
                let mut shown = f.debug_struct("Message");
                shown.field("id", id).field("from", from).field("body", body).field("delete_by", delete_by).finish()
            }
            Self::Sent { id, from, body, delete_by } => {
                let mut shown = f.debug_struct("Sent");
                shown.field("id", id).field("from", from).field("body", body).field("delete_by", delete_by).finish()
            }
            Self::Own { id, from, body, delete_by } => {
                let mut shown = f.debug_struct("Own");
                shown.field("id", id).field("from", from).field("body", body).field("delete_by", delete_by).finish()
            }
            Self::Letter { id, letter, delete_by } => {
                let mut shown = f.debug_struct("Letter");
                shown.field("id", id).field("letter", letter).field("delete_by", delete_by).finish()
            }
            Self::Ephemeral { from, body } => {
                f.debug_struct("Ephemeral").field("from", from).field("length", &body.len()).finish()
            }
            Self::Decision { from, decision } => {
                f.debug_struct("Decision").field("from", from).field("decision", decision).finish()
            }
            Self::DecisionReceipt { from, receipt } => {
                f.debug_struct("DecisionReceipt").field("from", from).field("receipt", receipt).finish()
            }
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}

/// Proof that a conversation's record was stored at some revision; comes only from
/// [`Changes::stored`](super::Changes::stored).
///
/// It releases what came from the value that was sealed, and nothing of a value that was opened from a record of it.
#[derive(Debug)]
#[must_use = "it releases what was held when the records were sealed"]
pub struct StoredConversation(pub(super) Stored);

/// Envelopes that are released once the records are stored: **store before you send**.
#[must_use = "the messages were encrypted and are not sent"]
pub struct Outgoing {
    envelopes: Held<Vec<Envelope>>,
    batch: u64,
}

/// Names the envelopes of one [`Outgoing`], for [`Conversation::handed`](super::Conversation::handed).
#[derive(Debug)]
#[must_use = "what is not confirmed as handed over is made again after a crash"]
pub struct Handover(pub(super) u64);

impl Outgoing {
    pub(super) const fn new(envelopes: Vec<Envelope>, batch: u64, origin: Origin) -> Self {
        Self { envelopes: Held::new(envelopes, origin), batch }
    }

    /// The number of envelopes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.envelopes.peek().len()
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envelopes.peek().is_empty()
    }

    /// Releases the envelopes, if `stored` proves that the conversation was stored after they were made. Give them to
    /// the transport, then tell the conversation ([`handed`](super::Conversation::handed)). Requirement P-12.53.
    ///
    /// # Errors
    ///
    /// Returns itself if the proof is of another value in memory or of an earlier revision.
    pub fn release(self, stored: &StoredConversation) -> Result<(Vec<Envelope>, Handover), Self> {
        let Self { envelopes, batch } = self;
        match envelopes.release(&stored.0) {
            Ok(envelopes) => Ok((envelopes, Handover(batch))),
            Err(envelopes) => Err(Self { envelopes, batch }),
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { envelopes, batch: _ } = self;
        let mut shown = f.debug_struct("Outgoing");
        shown.field("envelopes", &envelopes.peek().len()).field("revision", &envelopes.revision());
        shown.finish_non_exhaustive()
    }
}
