//! The results of operations on a conversation: envelopes to send, received messages, and events for the user
//! interface.
//!
//! Envelopes and received messages are held until the records are stored.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::{DeviceAddress, MessageId, Side};
use crate::device::{DirectoryEvent, FromOwnDevice};
use crate::hosting::{Decision, DecisionError, DecisionReceipt, LabelEvent};
use crate::session::Ciphertext;
use bisik_core::held::{Held, Origin, Stored};
use bisik_core::time::Timestamp;

/// A message to one device, ready for the relay, which sees the ids and the length.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The id of the message; the receiver gets it as [`Arrival::id`].
    pub id: MessageId,
    /// The receiving device.
    pub to: DeviceAddress,
    /// The encrypted message.
    pub ciphertext: Ciphertext,
}

/// A message that a relay delivers, with its claimed sender. Neither id nor sender is trusted before the message
/// verifies.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The id of the message.
    pub id: MessageId,
    /// The claimed sender, as seen from the local account.
    pub from: DeviceAddress,
    /// The encrypted message.
    pub ciphertext: Ciphertext,
}

/// An event besides the messages that were sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A device of the peer's account, or another own device, has received the message.
    Delivered {
        /// The message.
        id: MessageId,
        /// The device that received it.
        device: DeviceAddress,
    },
    /// A device asked for a message that it cannot have: too old, not meant for it, or asked for too often.
    NotSentAgain {
        /// The message.
        id: MessageId,
        /// The device that asked.
        device: DeviceAddress,
    },
    /// A device set up a new session because it lost the old ones.
    SessionReplaced {
        /// The device.
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
    /// Devices of the peer's account joined.
    DevicesAdded {
        /// Their indexes.
        indexes: Vec<u32>,
    },
    /// Devices of the peer's account left.
    DevicesRemoved {
        /// Their indexes.
        indexes: Vec<u32>,
    },
    /// Another change of the peer's devices: the custody, automation or disclosure of one, or lists that were never seen.
    Devices(DirectoryEvent),
    /// The label has changed: who else can read, or that it is not known. The protocol requires that the user is shown
    /// this.
    Label(Box<LabelEvent>),
    /// Another own device shared a decision that is not about this peer, or whose signature does not verify.
    DecisionNotAdopted {
        /// The device.
        device: DeviceAddress,
        /// The reason.
        error: DecisionError,
    },
    /// The peer has another account key: a new phone, a new owner, or an attacker in the middle.
    IdentityChanged,
}

/// A received message.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// A message from the peer.
    Message {
        /// The id of the message.
        id: MessageId,
        /// The device that sent it.
        from: DeviceAddress,
        /// The content.
        body: Zeroizing<Vec<u8>>,
        /// On a hosted device: the time by which the disclosure that it was sent under promises to delete the message.
        delete_by: Option<Timestamp>,
    },
    /// A message that another own device sent to the peer. Only a verified own device can produce it.
    Sent {
        /// The id of the message.
        id: MessageId,
        /// The content, with the device that sent it.
        body: FromOwnDevice<Zeroizing<Vec<u8>>>,
        /// On a hosted device: the time by which its disclosure promises to delete the copy.
        delete_by: Option<Timestamp>,
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
    /// Nothing to show: an acknowledgement, a request, or a message that was shown before.
    Nothing,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { id, from, body: _, delete_by } => f
                .debug_struct("Message")
                .field("id", id)
                .field("from", from)
                .field("delete_by", delete_by)
                .finish_non_exhaustive(),
            Self::Decision { from, decision } => {
                f.debug_struct("Decision").field("from", from).field("decision", decision).finish()
            }
            Self::DecisionReceipt { from, receipt } => {
                f.debug_struct("DecisionReceipt").field("from", from).field("receipt", receipt).finish()
            }
            Self::Sent { id, body, delete_by } => {
                f.debug_struct("Sent").field("id", id).field("body", body).field("delete_by", delete_by).finish()
            }
            Self::Nothing => f.write_str("Nothing"),
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
    id: MessageId,
    envelopes: Held<Vec<Envelope>>,
}

impl Outgoing {
    pub(super) const fn new(id: MessageId, envelopes: Vec<Envelope>, origin: Origin) -> Self {
        Self { id, envelopes: Held::new(envelopes, origin) }
    }

    /// The id of the message that was sent.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        self.id
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

    /// The envelopes, for an outbox that is written in the transaction that stores the records
    /// ([`Conversation::seal`](super::Conversation::seal)), and sent from once that is committed. Sent before, they
    /// break the rule that the types keep otherwise.
    #[must_use]
    pub fn for_outbox(&self) -> &[Envelope] {
        self.envelopes.peek()
    }

    /// Releases the envelopes, if `stored` proves that the conversation was stored after they were made.
    ///
    /// # Errors
    ///
    /// Returns itself if the proof is of another value in memory or of an earlier revision.
    pub fn release(self, stored: &StoredConversation) -> Result<Vec<Envelope>, Self> {
        let Self { id, envelopes } = self;
        envelopes.release(&stored.0).map_err(|envelopes| Self { id, envelopes })
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, envelopes } = self;
        let mut shown = f.debug_struct("Outgoing");
        shown.field("id", id).field("envelopes", &envelopes.peek().len()).field("revision", &envelopes.revision());
        shown.finish_non_exhaustive()
    }
}

/// A received message and its events, released once the records are stored: **store before you show**.
#[must_use = "a message that is not released was not shown"]
pub struct Incoming(Held<Arrived>);

/// A received message and its events. Boxed, because the result of an operation should be small.
type Arrived = Box<(Received, Vec<Event>)>;

impl Incoming {
    pub(super) fn new(received: Received, events: Vec<Event>, origin: Origin) -> Self {
        Self(Held::new(Box::new((received, events)), origin))
    }

    /// What arrived and happened, for an inbox that is written in the transaction that stores the records
    /// ([`Conversation::seal`](super::Conversation::seal)), and for an answer that leaves in the same one. Shown
    /// before that is committed, it can be shown again after a crash.
    #[must_use]
    pub fn for_inbox(&self) -> (&Received, &[Event]) {
        let (received, events) = &**self.0.peek();
        (received, events)
    }

    /// Releases message and events, if `stored` proves that the conversation was stored after they arrived.
    ///
    /// # Errors
    ///
    /// Returns itself if the proof is of another value in memory or of an earlier revision.
    pub fn release(self, stored: &StoredConversation) -> Result<(Received, Vec<Event>), Self> {
        self.0.release(&stored.0).map(|arrived| *arrived).map_err(Self)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(held) = self;
        let ((received, events), revision) = (&**held.peek(), held.revision());
        let mut shown = f.debug_struct("Incoming");
        shown.field("received", received).field("events", events).field("revision", &revision).finish_non_exhaustive()
    }
}
