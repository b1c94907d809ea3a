//! What an operation on a conversation gives: envelopes to send, what arrived, and events that a user interface shows.
//!
//! Does not know how any of it is shown or sent. Both forms are held until the records are stored.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::{ConversationId, DeviceAddress, MessageId, Side};
use crate::device::FromOwnDevice;
use crate::hosting::{Decision, DecisionError, DecisionReceipt, LabelEvent};
use crate::session::Ciphertext;
use bisik_core::time::Timestamp;

/// One message to one device, ready for the relay, which sees the names and the length.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The message's name; it comes back as [`Arrival::id`].
    pub id: MessageId,
    /// The device it goes to.
    pub to: DeviceAddress,
    /// The bytes that travel.
    pub ciphertext: Ciphertext,
}

/// What a relay delivers: a message, and whom it says it is from. Neither name is believed before the message verifies.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The message's name.
    pub id: MessageId,
    /// The device that it comes from, as seen from this end.
    pub from: DeviceAddress,
    /// The bytes that travelled.
    pub ciphertext: Ciphertext,
}

/// Something that happened, beside what was sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A device of the peer's, or one's own, has the message.
    Delivered {
        /// The message.
        id: MessageId,
        /// The device that has it.
        device: DeviceAddress,
    },
    /// A device asks for a message that it cannot have: too old, not meant for it, or asked for too often.
    NotSentAgain {
        /// The message.
        id: MessageId,
        /// The device that asks.
        device: DeviceAddress,
    },
    /// A device set up a new session because it lost the old ones.
    SessionReplaced {
        /// The device.
        device: DeviceAddress,
    },
    /// The sender goes by a newer device list than is known here: fetch it.
    ListOutdated {
        /// Whose list.
        side: Side,
        /// The sequence number that the sender goes by.
        sequence: u64,
    },
    /// Sender and receiver hold different lists under the same numbers: somebody shows different people different devices.
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
    /// The label has changed: who else reads, or that nobody can tell. Showing it is part of the protocol.
    Label(Box<LabelEvent>),
    /// Another own device shared a decision that is not about this peer, or not signed as it says.
    DecisionNotAdopted {
        /// The device.
        device: DeviceAddress,
        /// Why.
        error: DecisionError,
    },
    /// The peer has another account key: another telephone, another owner, or somebody in the middle.
    IdentityChanged,
}

/// What arrived.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// A message from the peer.
    Message {
        /// Its name.
        id: MessageId,
        /// The device that wrote it.
        from: DeviceAddress,
        /// What it says.
        body: Zeroizing<Vec<u8>>,
        /// On a hosted device: when it has to be deleted, as the disclosure promises.
        delete_by: Option<Timestamp>,
    },
    /// A message that another of one's own devices sent to the peer. Only a verified own device can produce it.
    Sent {
        /// Its name.
        id: MessageId,
        /// What it says, and which device wrote it.
        body: FromOwnDevice<Zeroizing<Vec<u8>>>,
    },
    /// What a user decided about this hosted device: verify and [`countersign`](super::Conversation::countersign) it.
    Decision {
        /// The device that sent it.
        from: DeviceAddress,
        /// The decision.
        decision: Box<Decision>,
    },
    /// The hosted device's countersignature of what the user decided: verify and keep it.
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
            Self::Sent { id, body } => f.debug_struct("Sent").field("id", id).field("body", body).finish(),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// The proof that a conversation's record was stored at some revision; comes only from [`Changes::stored`](super::Changes::stored).
#[derive(Debug)]
#[must_use = "it releases what was held until now"]
pub struct StoredConversation {
    pub(super) conversation: ConversationId,
    pub(super) revision: u64,
}

/// Envelopes that are given out when the records are stored: **store before you send**.
#[must_use = "the messages were encrypted and are not sent"]
pub struct Outgoing {
    pub(super) id: MessageId,
    pub(super) envelopes: Vec<Envelope>,
    pub(super) conversation: ConversationId,
    pub(super) revision: u64,
}

impl Outgoing {
    /// The name of the message that was sent.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        self.id
    }

    /// How many envelopes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }

    /// The envelopes, for an outbox that is written in the transaction that stores the records
    /// ([`Conversation::seal`](super::Conversation::seal)), and sent from once that is committed. Sent before, they
    /// break the rule that the types keep otherwise.
    #[must_use]
    pub fn for_outbox(&self) -> &[Envelope] {
        &self.envelopes
    }

    /// The envelopes, against the proof that the conversation was stored after them.
    ///
    /// # Errors
    ///
    /// Itself, where the proof is of another conversation or of an earlier revision.
    pub fn release(self, stored: &StoredConversation) -> Result<Vec<Envelope>, Self> {
        if stored.conversation == self.conversation && stored.revision >= self.revision {
            Ok(self.envelopes)
        } else {
            Err(self)
        }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, envelopes, conversation: _, revision } = self;
        let mut shown = f.debug_struct("Outgoing");
        shown.field("id", id).field("envelopes", &envelopes.len()).field("revision", revision);
        shown.finish_non_exhaustive()
    }
}

/// What arrived, given out when the records are stored: **store before you show**.
#[must_use = "a message that is not released was not shown"]
pub struct Incoming {
    pub(super) received: Box<Received>,
    pub(super) events: Vec<Event>,
    pub(super) conversation: ConversationId,
    pub(super) revision: u64,
}

impl Incoming {
    /// What arrived and happened, for an inbox that is written in the transaction that stores the records
    /// ([`Conversation::seal`](super::Conversation::seal)), and for an answer that leaves in the same one. Shown
    /// before that is committed, it can be shown again after a crash.
    #[must_use]
    pub fn for_inbox(&self) -> (&Received, &[Event]) {
        (&self.received, &self.events)
    }

    /// The message and events, against the proof that the conversation was stored after them.
    ///
    /// # Errors
    ///
    /// Itself, where the proof is of another conversation or of an earlier revision.
    pub fn release(self, stored: &StoredConversation) -> Result<(Received, Vec<Event>), Self> {
        if stored.conversation == self.conversation && stored.revision >= self.revision {
            Ok((*self.received, self.events))
        } else {
            Err(self)
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, events, conversation: _, revision } = self;
        let mut shown = f.debug_struct("Incoming");
        shown.field("received", received).field("events", events).field("revision", revision).finish_non_exhaustive()
    }
}
