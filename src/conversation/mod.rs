//! [`Conversation`]: the messages between two accounts, over all devices of both
//! ([section 12](crate::manual::spec::conversations#12-conversations)).
//!
//! An operation performs no I/O. It takes received messages, and returns what to send, show and store.
//!
//! ```text
//!   send ───────────────┐
//!   relay ──▶ receive ──┤                                ┌──▶ inbox ──▶ shown ──▶ settle
//!   due ──▶ bundles ──▶ flush ──▶ seal ──▶ database ──▶ stored
//!                         └──── Outgoing ────────────────┴──▶ release ──▶ relay ──▶ handed
//! ```
//!
//! The file of the step is `link.rs`: which of several sessions with a device is sent in.

mod address; //  12.1  accounts and devices
mod apply; //    12.4  what a frame does
mod author; //   12.5  when an author sends again
mod checked; //  12.4  a frame that was checked
mod doubt; //    12.7  reactions to what nobody authenticated
mod envelope; // 12.10 what travels, and the addresses around it
mod error; //          why not
mod event; //          what a conversation gives
mod event_record; // 12.8 events in a record
mod flush; //    12.5  everything that is due becomes frames
mod frame; //    12.2  what travels inside a session
mod hosting; //  12.9  who else reads
mod inbox; //    12.8  what waits for the program
mod kept; //     12.5  messages that wait for acknowledgements
mod letter; //   12.12 what one device of a group has for another
mod limits; //   12.3  every bound
mod link; //     12.6  everything with one device
mod name; //     12.2  names of messages
mod names; //    12.4  what a receiver remembers
mod peer; //     12.1  the peer's devices, and its account key
mod persist; //  12.8  the records
mod piece; //    12.8  parts that are stored beside the head
mod plan; //     12.5  what is due for one device
mod presence; // 12.11 what a person is doing right now
mod receive; //  12.4  arrivals
mod send; //     12.5  what is to be sent
mod slot; //     12.6  one session
mod write; //    12.5  frames to one device

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;

pub use address::{ConversationId, DeviceAddress, Side};
pub use envelope::{Arrival, Envelope, EnvelopeError, EnvelopeHeader};
pub use error::{ReceiveError, SendError};
pub use event::{Cause, Event, Handover, Outgoing, Received, StoredConversation};
pub use flush::{Due, Needed};
pub use letter::{Letter, MemberDevice, ReceivedLetter};
pub use link::Bound;
pub use name::{MessageId, Tag};
pub use peer::IdentityPolicy;
pub use persist::{Change, Changes, Record, RecordName};
pub use presence::Presence;
pub use receive::Found;
pub use send::Recipients;

use crate::account::Account;
use crate::device::DeviceDirectory;
use crate::hosting::{Disclosure, LabelEvent, LabelState};
use crate::keys::IdentityKey;
use crate::labels;
use crate::session::Session;
use bisik_core::blocks::{BlockId, Ended, Place};
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::held::{self, Lineage, Origin};
use bisik_core::time::Timestamp;
use inbox::Inbox;
use kept::KeptMessages;
use link::Link;
use name::Numbers;
use piece::Piece;
use send::Ephemeral;

/// A conversation with a peer account: the sessions with all its devices and with the other own devices, the messages
/// that some device has not acknowledged, and what waits for the program. It is stored as one record.
///
/// Every operation needs the [`Account`] of this device. Two rules keep a conversation safe across crashes, and its
/// types enforce them: what it gives and what it sends is released once the [`Changes`] that it made are stored.
///
/// ```
/// use bisik::conversation::{Arrival, DeviceAddress, Envelope, IdentityPolicy, Received, Recipients};
/// use bisik::device::{DeviceDirectory, DeviceTerms};
/// use bisik::{Account, Conversation, Plaintext, PreKeyBundle, StorageKey, Timestamp, Trust};
///
/// type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
///
/// /// The part of a program that has one device of one person.
/// struct Device {
///     account: Account,
///     talk: Conversation,
///     key: StorageKey, // from the operating system's key store
/// }
///
/// impl Device {
///     /// Stores what has changed.
///     fn store(&mut self) -> Result<bisik::conversation::StoredConversation> {
///         let changes = self.talk.seal(&mut self.account, &self.key, &mut rand::rng())?;
///         // ... write everything that `changes` names into the database, and then:
///         let stored = changes.stored();
///         self.talk.stored(&stored);
///         Ok(stored)
///     }
///
///     /// Makes the envelopes that are due. `server` is the bundle that the server has for the other device.
///     fn flush(&mut self, server: &PreKeyBundle, now: Timestamp) -> Result<Vec<Envelope>> {
///         let mut bundles = Vec::new();
///         for needed in self.talk.due(&self.account, now).bundles {
///             bundles.push((needed.device, server.clone().verify(Trust::Pinned(&needed.key), now)?));
///         }
///         let outgoing = self.talk.flush(&self.account, &bundles, now, &mut rand::rng())?;
///         let stored = self.store()?; // store before you send
///         let (envelopes, handover) = outgoing.release(&stored).map_err(|_| "another record")?;
///         self.talk.handed(handover); // once the transport has them
///         Ok(envelopes)
///     }
///
///     /// Receives what the relay delivers, and returns the texts to show.
///     fn receive(&mut self, envelopes: Vec<Envelope>, now: Timestamp) -> Result<Vec<Vec<u8>>> {
///         let from = DeviceAddress::peer(0); // the relay says so; a wrong claim does not verify
///         let arrivals = envelopes.into_iter().map(|envelope| Arrival { from, ciphertext: envelope.ciphertext });
///         for result in self.talk.receive(&mut self.account, &arrivals.collect::<Vec<_>>(), now) {
///             result?;
///         }
///         let _nothing_is_held = self.store()?; // store before you show
///         let (mut texts, mut last) = (Vec::new(), 0);
///         for (number, received) in self.talk.inbox() {
///             match received {
///                 Received::Message { body: Plaintext::Confirmed(body), .. } => texts.push(body.to_vec()),
///                 // A first contact: `Event::Confirmed` says later that the device wrote it. Mark it until then.
///                 Received::Message { body: Plaintext::Unconfirmed(body), .. } => {
///                     texts.push([b"(unconfirmed) ", body.peek_unconfirmed().as_slice()].concat());
///                 }
///                 _ => {} // events: delivered, lost, a message request, the label ...
///             }
///             last = number;
///         }
///         self.talk.settle(last); // once the program's own database has them
///         Ok(texts)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let start = |account: Account, peer: &bisik::device::DeviceList| -> Result<Device> {
/// #     // The peer's account key: compared in person, from a link, or on first use.
/// #     let peer = DeviceDirectory::trust(peer, Trust::OnFirstUse, now)?;
/// #     let (talk, _label) = Conversation::new(&account, peer, &[], IdentityPolicy::Block, now);
/// #     Ok(Device { account, talk, key: StorageKey::generate(&mut rand::rng()) })
/// # };
/// # let [alice, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), now, &mut rand::rng()));
/// # let [list_a, list_b] = [&alice, &bob].map(|of| of.primary().expect("a primary device").list().clone());
/// # let (bundle_a, bundle_b) = (alice.pre_keys().bundle(), bob.pre_keys().bundle());
/// # let (mut alice, mut bob) = (start(alice, &list_b)?, start(bob, &list_a)?);
/// // Alice writes. The message is kept until every device has acknowledged it.
/// alice.talk.send(&alice.account, b"halo", Recipients::All, now, &mut rand::rng())?;
/// let envelopes = alice.flush(&bundle_b, now)?;
/// assert_eq!(bob.receive(envelopes, now)?, [b"(unconfirmed) halo"]);
///
/// // Until Bob has accepted Alice as a contact nothing goes back: a stranger learns nothing.
/// assert!(bob.flush(&bundle_a, now)?.is_empty());
/// bob.talk.send(&bob.account, b"hai", Recipients::All, now, &mut rand::rng())?; // writing accepts
/// let envelopes = bob.flush(&bundle_a, now)?;
/// assert_eq!(alice.receive(envelopes, now)?, [b"hai"]);
/// assert_eq!(alice.talk.unacknowledged_messages(), 0); // Bob's answer said that he has it
/// # Ok(())
/// # }
/// ```
pub struct Conversation {
    id: ConversationId,
    peer: DeviceDirectory,
    links: BTreeMap<DeviceAddress, Piece<Link>>,
    kept: KeptMessages,
    numbers: Numbers,
    inbox: Inbox,
    /// Payloads that are not kept. Not in the record.
    ephemeral: VecDeque<Ephemeral>,
    /// Number of the last flush.
    batch: u64,
    label: LabelState,
    policy: IdentityPolicy,
    /// The user wants to hear from the peer.
    accepted: bool,
    /// The peer is in a group with the local account.
    shares_group: bool,
    /// The program was told that the peer has written.
    requested: bool,
    /// What nobody authenticated may cause a bounded trickle of frames.
    reacts: bool,
    /// The peer's account key has changed and nobody has acknowledged it.
    unacknowledged: bool,
    /// The revision, and what ties the value to its records and to what it holds.
    lineage: Lineage,
    /// The revision that the database certainly has under this name, where it has one.
    stored: Option<u64>,
    /// The revision that the database certainly has.
    durable: u64,
    /// The name of the record that this one takes the place of, where the peer's account key has changed.
    former: Option<peer::Former>,
    /// Where the peer's devices and the label are stored.
    place: Place,
    /// The blocks that the last record named, and those that no record will name any more.
    named: Vec<BlockId>,
    ended: Ended,
    /// What links and kept messages were last reconciled with. Not in the record.
    reconciled: Option<peer::View>,
}

impl Conversation {
    /// Starts a conversation with the account whose device list was verified against its account key
    /// ([`DeviceDirectory::trust`]), and returns it with the event for its first label. `disclosures` are those that
    /// the server has for hosted devices of the list. The event for the label also waits in the inbox.
    ///
    /// A conversation with one's own account is a note to oneself: it goes to the other own devices, and to nobody while
    /// there are none. What other own devices write in other conversations is not received in it
    /// ([`find`](Self::find)).
    #[must_use]
    pub fn new(
        account: &Account,
        peer: DeviceDirectory,
        disclosures: &[Disclosure],
        policy: IdentityPolicy,
        now: Timestamp,
    ) -> (Self, Option<LabelEvent>) {
        let peer_account = *peer.account();
        let mut conversation = Self {
            id: ConversationId::between(account.key(), peer.account()),
            peer,
            links: BTreeMap::new(),
            kept: KeptMessages::default(),
            numbers: Numbers::default(),
            inbox: Inbox::default(),
            ephemeral: VecDeque::new(),
            batch: 0,
            label: LabelState::new(peer_account),
            policy,
            accepted: false,
            shares_group: false,
            requested: false,
            reacts: true,
            unacknowledged: false,
            lineage: Lineage::new(1),
            stored: None,
            durable: 0,
            former: None,
            place: Place::default(),
            named: Vec::new(),
            ended: Ended::default(),
            reconciled: None,
        };
        let event = conversation.observe(account, disclosures, now);
        (conversation, event)
    }

    /// Returns the conversation's id, equal on both sides.
    #[must_use]
    pub const fn id(&self) -> ConversationId {
        self.id
    }

    /// Returns what is known of the peer's devices.
    #[must_use]
    pub const fn peer(&self) -> &DeviceDirectory {
        &self.peer
    }

    /// Returns the revision, which grows with every change.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.lineage.revision()
    }

    /// Returns the number of sent messages that some device has not acknowledged. An acknowledgement waits for a message in
    /// the other direction, for eight messages, or for ten minutes.
    #[must_use]
    pub fn unacknowledged_messages(&self) -> usize {
        self.kept.len()
    }

    /// Whether arrivals that nobody authenticated cause a reaction at all: a few frames that repair a lost session within
    /// one round trip, and never more than a trickle. `true` at first. Off, for people at risk, whoever sends garbage
    /// sees nothing; a lost session is then repaired when its messages are sent again by the clock, within 17 hours.
    pub fn set_reactions(&mut self, on: bool) {
        if self.reacts != on {
            self.reacts = on;
            self.touch();
        }
    }

    /// Says that this device came back from a backup, or was moved: sessions are repaired with the next
    /// [`flush`](Self::flush), before somebody writes. Nothing depends on it; without it the repair comes later. Replace the
    /// pre-keys too ([`Account::replace_pre_keys`]).
    pub fn restored(&mut self) {
        for link in self.links.values_mut() {
            link.doubt.raised = true;
        }
        self.touch();
    }

    /// Lends the session with a device that is sent in, where one is confirmed: for a call with that device
    /// (`bisik::call`). What has to be sent for the call goes through [`send`](Self::send), to
    /// [that device](Recipients::Device).
    #[must_use]
    pub fn session_with(&self, account: &Account, device: DeviceAddress) -> Option<&Session> {
        let link = self.links.get(&device)?;
        let serial = link.current(self.leads(account, &link.key))?;
        link.slot(serial).filter(|slot| slot.live).map(|slot| &slot.session)
    }

    /// What waits for the program, as far as the database has it: [`stored`](Self::stored) says so, and so does loading
    /// a record. Each thing has a number, under which it is given again until it is [settled](Self::settle). A message is
    /// stored under its name, so that storing it again is harmless.
    pub fn inbox(&self) -> impl Iterator<Item = (u64, &Received)> {
        self.inbox.stored(self.durable)
    }

    /// Forgets what the program has stored or shown: everything up to this number that [`inbox`](Self::inbox) gave. Its
    /// text is gone from the next record on.
    pub fn settle(&mut self, through: u64) {
        if self.inbox.settle(through, self.durable) {
            self.touch();
        }
    }

    /// Takes the proof that the changes are stored: the [inbox](Self::inbox) has what they gave. Returns whether the
    /// proof is of this value.
    pub fn stored(&mut self, stored: &StoredConversation) -> bool {
        let revision = held::revision_of(&stored.0, &self.origin());
        if let Some(revision) = revision {
            self.durable = self.durable.max(revision);
            self.stored = Some(self.durable);
            self.former = None;
        }
        revision.is_some()
    }

    /// Takes note that the transport has the envelopes of one [`flush`](Self::flush). What was made and not handed over
    /// is made again after the record is loaded. Nothing has to be stored at once: what is sent twice is recognised.
    pub fn handed(&mut self, handover: Handover) {
        let Handover(batch) = handover;
        self.kept.handed(batch);
        for link in self.links.values_mut().filter(|link| link.awaits(batch)) {
            link.handed(batch);
        }
        self.touch();
    }

    /// The link to a device; begins one where there is none, or where it was another's.
    fn link(&mut self, device: DeviceAddress, key: IdentityKey) -> &mut Link {
        self.reconcile_link(device, key);
        self.links.entry(device).or_insert_with(|| Piece::new(Link::new(key)))
    }

    /// This value at its present revision: the origin of what it holds and of its record.
    fn origin(&self) -> Origin {
        self.lineage.origin()
    }

    const fn touch(&mut self) {
        self.lineage.change();
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, peer, links, label, lineage, .. } = self;
        let mut shown = f.debug_struct("Conversation");
        shown.field("id", id).field("peer", peer.account()).field("links", &links.len());
        shown.field("label", &label.last_label()).field("revision", &lineage.revision());
        shown.finish_non_exhaustive()
    }
}

/// P-12.35: the disclosure under which a session between two devices is set up: that of the hosted one, or, if both are
/// hosted, a hash of both disclosures in an order that is the same on both sides.
fn under(one: Option<DisclosureHash>, other: Option<DisclosureHash>) -> Option<DisclosureHash> {
    let (Some(one), Some(other)) = (one, other) else { return one.or(other) };
    let (first, second) = (one.min(other), one.max(other));
    Some(disclosure::hash(labels::CONVERSATION_DISCLOSURES, &[first.as_bytes(), second.as_bytes()]))
}

/// Longest message in bytes: the longest content, 256 KiB. Larger files are sent as attachments.
pub const MAX_BODY: usize = 256 << 10;
