//! [`Envelope`] and [`Arrival`]: what a conversation gives to a transport and takes from it, and one encoding for it
//! (docs/spec/conversations.md, section 12.10).
//!
//! The addresses are for the relay. Nothing that a conversation does believes them.

use alloc::vec::Vec;
use core::fmt;

use super::{ConversationId, DeviceAddress, SendError, Side};
use crate::account::Account;
use crate::device::AccountKey;
use crate::keys::IdentityKeyError;
use crate::session::{Ciphertext, CiphertextError};
use bisik_core::codec::{Malformed, Reader, Writer};

/// A message to one device, ready for the relay, which sees the addresses and the length.
///
/// A program that has a transport of its own sends the ciphertext by it, with [`to`](Self::to). For all others there is
/// one encoding, with everything that a relay and the receiving device need: [`to_bytes`](Self::to_bytes) here,
/// [`Arrival::from_bytes`] there. Its text, for JSON, is Base64 with the URL-safe alphabet.
///
/// Whatever the transport is, it carries this, and the relay learns this
/// ([section 12.10](crate::manual::spec::conversations#1210-what-a-transport-carries) has all of it, and what a relay can
/// change):
///
/// | carried | needed for | what the relay learns |
/// |---|---|---|
/// | account and index of the receiving device | its mailbox | who receives, and on which device |
/// | account and index of the sending device | the conversation, the session, the list of a stranger | who writes to whom, and from which device |
/// | the ciphertext | | its length, and whether a session begins or is not answered yet |
/// | nothing more: no id, no number, no acknowledgement, and of copies for own devices no conversation | | when people write, and what leaves together: a copy has nearly the length of its message |
///
/// ```
/// # use bisik::conversation::{Conversation, IdentityPolicy, Recipients};
/// # use bisik::device::{DeviceDirectory, DeviceTerms};
/// # use bisik::{Account, StorageKey, Timestamp, Trust};
/// use bisik::conversation::{Arrival, ConversationId, Envelope, EnvelopeHeader};
///
/// # let rng = &mut rand::rng();
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let alice = Account::create(DeviceTerms::person(), now, rng);
/// # let bob = Account::create(DeviceTerms::person(), now, rng);
/// # let list = DeviceDirectory::trust(bob.primary().ok_or("primary")?.list(), Trust::OnFirstUse, now)?;
/// # let (mut talk, _) = Conversation::new(&alice, list, &[], IdentityPolicy::Block, now);
/// # talk.send(&alice, b"halo", Recipients::All, now, rng)?;
/// # let needed = talk.due(&alice, now).bundles;
/// # let bundle = bob.pre_keys().bundle().verify(Trust::Pinned(&needed[0].key), now)?;
/// # let outgoing = talk.flush(&alice, &[(needed[0].device, bundle)], now, rng)?;
/// # let mut alice = alice;
/// # let stored = talk.seal(&mut alice, &StorageKey::generate(rng), rng)?.stored();
/// # let (envelopes, _) = outgoing.release(&stored).map_err(|_| "another record")?;
/// # let envelope = &envelopes[0];
/// // Alice's device posts an envelope that `Outgoing::release` gave.
/// let bytes = envelope.to_bytes();
///
/// // The relay finds the mailbox: the account and the index of the receiving device.
/// let header = EnvelopeHeader::from_bytes(&bytes)?;
/// let mailbox = (header.receiver_account(), header.receiver_index());
/// assert_eq!(mailbox, (&bob.key().to_bytes(), 0));
///
/// // Bob's device finds the conversation, and gives it the arrival.
/// let (header, arrival) = Arrival::from_bytes(&bytes, &bob)?;
/// match header.conversation() {
///     // From the peer: begin one with the sender's list of devices, if there is none yet. It is a claim until then.
///     Some(id) => assert_eq!((id, header.sender()?), (ConversationId::between(alice.key(), bob.key()), *alice.key())),
///     // From another device of Bob's: for the conversation that reads it, or else for the one that `find` names.
///     None => println!("{}", Conversation::find(&bob, &arrival, now)?.peer),
/// }
/// assert_eq!(arrival.ciphertext, envelope.ciphertext);
/// assert_eq!(envelope.to_string().parse::<Envelope>()?.to_bytes(), bytes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The receiving device.
    pub to: DeviceAddress,
    /// The encrypted message.
    pub ciphertext: Ciphertext,
    /// The accounts, and the sending device.
    pub(super) route: Route,
}

/// A message that a relay delivers, with its claimed sender. The claim is not trusted before the message verifies.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The claimed sender, as seen from the local account.
    pub from: DeviceAddress,
    /// The encrypted message.
    pub ciphertext: Ciphertext,
}

/// The accounts of a conversation and the sending device, the same for all envelopes of a flush.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    sender: [u8; AccountKey::LENGTH],
    sender_index: u32,
    peer: [u8; AccountKey::LENGTH],
}

impl Route {
    pub(super) fn of(account: &Account, peer: &AccountKey) -> Result<Self, SendError> {
        let sender_index = account.index().ok_or(SendError::DeviceNotListed)?;
        Ok(Self { sender: account.key().to_bytes(), sender_index, peer: peer.to_bytes() })
    }
}

impl Envelope {
    /// Bytes in the longest encoded envelope, 512 KiB: twice what a message of the greatest length takes.
    pub const LONGEST: usize = 512 << 10;

    /// Returns what the relay is told: who sends it, and which device it is for.
    #[must_use]
    pub fn header(&self) -> EnvelopeHeader {
        let Self { to, ciphertext: _, route: Route { sender, sender_index, peer } } = self;
        let receiver = match to.side {
            Side::Peer => *peer,
            Side::Own => *sender,
        };
        EnvelopeHeader { receiver, receiver_index: to.index, sender: *sender, sender_index: *sender_index }
    }

    /// Encodes the envelope for a transport: 137 bytes more than the ciphertext. Requirement P-12.59.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = EnvelopeHeader::LENGTH.saturating_add(self.ciphertext.as_bytes().len());
        let mut writer = Writer::with_capacity(length);
        self.header().write(&mut writer);
        writer.bytes(self.ciphertext.as_bytes());
        writer.finish()
    }

    /// Reads an envelope, for a relay or a queue. The device that it is for uses [`Arrival::from_bytes`].
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Malformed`], [`EnvelopeError::UnsupportedVersion`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let (header, ciphertext) = read(bytes)?;
        let EnvelopeHeader { receiver, receiver_index, sender, sender_index } = header;
        let side = if receiver == sender { Side::Own } else { Side::Peer };
        let to = DeviceAddress { side, index: receiver_index };
        Ok(Self { to, ciphertext, route: Route { sender, sender_index, peer: receiver } })
    }
}

impl Arrival {
    /// Reads an envelope that a transport delivered to the device of `account`. Returns its header too, which says for
    /// which conversation it is: [`EnvelopeHeader::conversation`]. Requirement P-12.60.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`]
    pub fn from_bytes(bytes: &[u8], account: &Account) -> Result<(EnvelopeHeader, Self), EnvelopeError> {
        let (header, ciphertext) = read(bytes)?;
        let own = account.key().to_bytes();
        if header.receiver != own || Some(header.receiver_index) != account.index() {
            return Err(EnvelopeError::OtherReceiver);
        }
        let side = if header.sender == own { Side::Own } else { Side::Peer };
        Ok((header, Self { from: DeviceAddress { side, index: header.sender_index }, ciphertext }))
    }
}

/// What an envelope says outside of its ciphertext: for which device it is, and from which it claims to be.
///
/// All of it is a claim, of the sender or of a relay: whoever carries the envelope can change it. A relay that knows its
/// clients refuses an envelope whose sender is not the client that posts it.
///
/// Two are equal if all addresses are. The 64 bytes of an account are not checked to be a key: a relay compares them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnvelopeHeader {
    receiver: [u8; AccountKey::LENGTH],
    receiver_index: u32,
    sender: [u8; AccountKey::LENGTH],
    sender_index: u32,
}

impl EnvelopeHeader {
    /// Bytes of an envelope before its ciphertext.
    pub const LENGTH: usize = 1 + 2 * (AccountKey::LENGTH + 4);

    /// Reads the header at the beginning of an envelope, whatever follows.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Malformed`], [`EnvelopeError::UnsupportedVersion`].
    pub fn from_bytes(envelope: &[u8]) -> Result<Self, EnvelopeError> {
        Self::read(&mut Reader::new(envelope))
    }

    /// Returns the account of the receiving device, as the bytes of its key.
    #[must_use]
    pub const fn receiver_account(&self) -> &[u8; AccountKey::LENGTH] {
        &self.receiver
    }

    /// Returns the index of the receiving device in its account.
    #[must_use]
    pub const fn receiver_index(&self) -> u32 {
        self.receiver_index
    }

    /// Returns the account of the claimed sender, as the bytes of its key.
    #[must_use]
    pub const fn sender_account(&self) -> &[u8; AccountKey::LENGTH] {
        &self.sender
    }

    /// Returns the index of the claimed sender in its account.
    #[must_use]
    pub const fn sender_index(&self) -> u32 {
        self.sender_index
    }

    /// Returns the account of the claimed sender. If no conversation with it exists, its device list is to be fetched. If
    /// it is this device's own account ([`conversation`](Self::conversation) is `None`), another own device wrote the
    /// message, for a conversation that [`Conversation::find`](super::Conversation::find) names: never begin one with
    /// the own account for it.
    ///
    /// # Errors
    ///
    /// [`IdentityKeyError`] if the bytes are no key: drop the envelope.
    pub fn sender(&self) -> Result<AccountKey, IdentityKeyError> {
        AccountKey::from_bytes(&self.sender)
    }

    /// Returns the conversation of two accounts; it names the record to load. `None` if both devices are of one account:
    /// such a message does not say outside of its ciphertext which conversation it belongs to, so that the relay does not
    /// learn it. A first flight is [found](super::Conversation::find), any other is for the conversation that
    /// [reads](super::Conversation::reads) it. Requirement P-12.61.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        let Self { receiver, receiver_index: _, sender, sender_index: _ } = self;
        (receiver != sender).then(|| ConversationId::of(receiver, sender))
    }

    fn write(&self, writer: &mut Writer) {
        let Self { receiver, receiver_index, sender, sender_index } = self;
        writer.u8(VERSION).bytes(receiver).u32(*receiver_index).bytes(sender).u32(*sender_index);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, EnvelopeError> {
        match reader.u8()? {
            VERSION => {}
            0 => return Err(EnvelopeError::Malformed),
            later => return Err(EnvelopeError::UnsupportedVersion(later)),
        }
        let (receiver, receiver_index) = (*reader.array()?, reader.u32()?);
        Ok(Self { receiver, receiver_index, sender: *reader.array()?, sender_index: reader.u32()? })
    }
}

fn read(bytes: &[u8]) -> Result<(EnvelopeHeader, Ciphertext), EnvelopeError> {
    let mut reader = Reader::new(bytes);
    let header = EnvelopeHeader::read(&mut reader)?;
    if bytes.len() > Envelope::LONGEST {
        return Err(EnvelopeError::Malformed);
    }
    Ok((header, Ciphertext::from_bytes(reader.rest())?))
}

bisik_core::base64_text! {
    Envelope: at most Envelope::LONGEST, or EnvelopeError = EnvelopeError::Malformed;
    from |bytes| Envelope::from_bytes(bytes);
    to |envelope| envelope.to_bytes();
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, ciphertext, route: _ } = self;
        f.debug_struct("Envelope").field("to", to).field("ciphertext", ciphertext).finish_non_exhaustive()
    }
}

/// Shows the indices, and of each account the first four bytes.
impl fmt::Debug for EnvelopeHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { receiver: [a, b, c, d, ..], receiver_index, sender: [e, f_, g, h, ..], sender_index } = self;
        write!(f, "EnvelopeHeader({e:02x}{f_:02x}{g:02x}{h:02x}.. {sender_index} ")?;
        write!(f, "to {a:02x}{b:02x}{c:02x}{d:02x}.. {receiver_index})")
    }
}

/// Why bytes are not an envelope, or not one for this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not an encoded envelope, or longer than [`Envelope::LONGEST`]. Drop it.
    Malformed,
    /// A later version of this library encoded it; the number is its first byte. Keep it until this one is updated.
    UnsupportedVersion(u8),
    /// It is for another device: the relay confused two mailboxes. Drop it.
    OtherReceiver,
}

bisik_core::error_texts! {
    EnvelopeError {
        Malformed => "conversation.envelope.malformed", "the bytes are not an envelope";
        UnsupportedVersion => "conversation.envelope.unsupported_version", "a later version encoded the envelope";
        OtherReceiver => "conversation.envelope.other_receiver", "the envelope is for another device";
    }
}

impl From<Malformed> for EnvelopeError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

impl From<CiphertextError> for EnvelopeError {
    fn from(CiphertextError { .. }: CiphertextError) -> Self {
        Self::Malformed
    }
}

/// First byte of an envelope.
const VERSION: u8 = 0x01;
