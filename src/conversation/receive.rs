//! Receiving a message from one device, in the session that it belongs to (docs/spec/conversations.md, section 12.4).
//!
//! Verify, then commit: the sender is looked up, the message decrypted and its frame checked before anything changes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::frame::{Frame, Kind, Lists};
use super::link::Link;
use super::{
    Arrival, Conversation, ConversationId, DeviceAddress, Event, Incoming, MessageId, ReceiveError, Received, Side,
    under,
};
use crate::account::Account;
use crate::hosting::{Decision, DecisionError, DecisionReceipt, SharedDecision};
use crate::keys::{IdentityKey, Trust};
use crate::session::{AcceptError, Accepted, DecryptError, Plaintext, Session};
use bisik_core::codec::Malformed;
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// A frame that was checked, with nothing borrowed.
struct Checked {
    kind: Kind,
    fresh: bool,
    /// The disclosure of the session that it came in.
    disclosure: Option<DisclosureHash>,
    lists: Lists,
    content: Content,
}

/// What a frame holds, decoded.
enum Content {
    Body(Zeroizing<Vec<u8>>),
    Ids(Vec<MessageId>),
    Decision(Box<Decision>),
    Shared(Box<SharedDecision>),
    DecisionReceipt(Box<DecisionReceipt>),
}

/// What a frame gives.
enum Taken {
    Message(Zeroizing<Vec<u8>>),
    Copy(Zeroizing<Vec<u8>>),
    Decision(Box<Decision>),
    DecisionReceipt(Box<DecisionReceipt>),
    Shared(Box<SharedDecision>),
    Nothing,
}

impl Conversation {
    /// Receives a message.
    ///
    /// Where it set up a session, the account's pre-keys have changed too: [`Conversation::seal`] has both records.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]. On error neither the conversation nor the account has changed.
    pub fn receive(
        &mut self,
        account: &mut Account,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Incoming, ReceiveError> {
        let Arrival { id, from, ciphertext: _ } = *arrival;
        // P-12.2: not even what arrives is taken under an old list: its sender may have been removed since.
        account.devices().own(account.identity(), now)?;
        if self.peer.is_expired(now) {
            return Err(ReceiveError::ListExpired);
        }
        // P-12.16
        if !account.knows_its_terms() {
            return Err(ReceiveError::DisclosureNeeded);
        }
        // P-12.4: the sender is who the list says, and never this device itself.
        let entry = self.entry(account, from).filter(|entry| entry.identity() != account.identity().public());
        let entry = entry.ok_or(ReceiveError::UnknownDevice)?;
        let (key, theirs) = (*entry.identity(), entry.terms().disclosure());
        let checked = match self.open(account, arrival, key, under(account.disclosure(), theirs), now) {
            // P-12.11: a new name under a number that was used: its sender went back in time, or a relay invents names.
            Err(ReceiveError::Replayed) if !self.pending.has_seen(id) => return Err(ReceiveError::SessionLost),
            checked => checked?,
        };

        // From here on nothing fails.
        let session = checked.disclosure;
        let delete_by = account.deadline(|own| session == under(Some(own), theirs), now);
        let mut events = self.compare_lists(account, checked.lists, from.side);
        if checked.fresh {
            events.push(Event::SessionReplaced { device: from });
        }
        let received = self.take(checked, id, from, &mut events);
        let received = match received {
            Taken::Copy(body) => match account.devices().own(account.identity(), now) {
                Ok(own) => {
                    own.vouch(&key, body).map_or(Received::Nothing, |body| Received::Sent { id, body, delete_by })
                }
                Err(_) => Received::Nothing,
            },
            Taken::Message(body) => Received::Message { id, from, body, delete_by },
            Taken::Decision(decision) => Received::Decision { from, decision },
            Taken::DecisionReceipt(receipt) => Received::DecisionReceipt { from, receipt },
            Taken::Shared(shared) => {
                let own = account.devices().own(account.identity(), now).and_then(|own| own.vouch(&key, *shared));
                if let Ok(shared) = own {
                    match self.adopt(account, &shared, now) {
                        Ok(event) => events.extend(event.map(Box::new).map(Event::Label)),
                        Err(error) => events.push(Event::DecisionNotAdopted { device: from, error }),
                    }
                }
                Received::Nothing
            }
            Taken::Nothing => Received::Nothing,
        };
        self.touch();
        Ok(Incoming::new(received, events, self.origin()))
    }

    /// Decrypts and commits, or changes nothing.
    fn open(
        &mut self,
        account: &mut Account,
        arrival: &Arrival,
        key: IdentityKey,
        disclosure: Option<DisclosureHash>,
        now: Timestamp,
    ) -> Result<Checked, ReceiveError> {
        let Arrival { id, from, ciphertext } = arrival;
        let known = self.links.get_mut(from).filter(|link| link.key == key);
        match known {
            Some(link) if !ciphertext.is_pre_key_message() || link.recognizes(ciphertext) => {
                let (disclosure, staged) = link.stage(account.identity(), ciphertext)?;
                let plaintext = match staged.plaintext() {
                    Plaintext::Confirmed(plaintext) => plaintext,
                    Plaintext::Unconfirmed(unconfirmed) => unconfirmed.show_unconfirmed(),
                };
                let mut checked = check(plaintext, self.id, *id, from.side, disclosure)?;
                drop(staged.commit());
                // Only what opens a session can replace others.
                checked.fresh = false;
                Ok(checked)
            }
            Some(_) | None if ciphertext.is_pre_key_message() => {
                let Accepted { session, plaintext, used } = Session::accept_under(
                    account.identity(),
                    account.pre_keys(),
                    ciphertext,
                    Trust::Pinned(&key),
                    disclosure,
                    now,
                )?;
                let plaintext = Zeroizing::new(plaintext.show_unconfirmed());
                let checked = check(&plaintext, self.id, *id, from.side, disclosure)?;
                account.use_up(used);
                self.keep(*from, key, session, checked.fresh);
                Ok(checked)
            }
            Some(_) | None => Err(ReceiveError::SessionLost),
        }
    }

    fn keep(&mut self, from: DeviceAddress, key: IdentityKey, session: Session, fresh: bool) {
        let link = self.links.entry(from).or_insert_with(|| Link::new(key));
        if link.key != key {
            *link = Link::new(key);
        }
        if fresh { link.replace_by_peers(session) } else { link.add_peers(session) }
    }

    /// What a frame means.
    fn take(&mut self, checked: Checked, id: MessageId, from: DeviceAddress, events: &mut Vec<Event>) -> Taken {
        if !matches!(checked.kind, Kind::Message | Kind::Copy) {
            self.pending.see(id);
        }
        match (checked.kind, checked.content) {
            (Kind::Message | Kind::Copy, Content::Body(_)) if !self.pending.arrived(id, from) => Taken::Nothing,
            (Kind::Copy, Content::Body(body)) => Taken::Copy(body),
            (_, Content::Body(body)) => Taken::Message(body),
            (_, Content::Decision(decision)) => Taken::Decision(decision),
            (_, Content::Shared(shared)) => Taken::Shared(shared),
            (_, Content::DecisionReceipt(receipt)) => Taken::DecisionReceipt(receipt),
            (Kind::Acknowledgement, Content::Ids(ids)) => {
                for id in ids {
                    if self.sent.acknowledge(id, from) {
                        events.push(Event::Delivered { id, device: from });
                    }
                }
                Taken::Nothing
            }
            (_, Content::Ids(ids)) => {
                for id in ids {
                    if self.sent.request(id, from) {
                        self.pending.resend(id, from);
                    } else {
                        events.push(Event::NotSentAgain { id, device: from });
                    }
                }
                Taken::Nothing
            }
        }
    }

    /// P-12.5: sender and receiver go by the same lists, or one of them is shown other devices than the other.
    fn compare_lists(&self, account: &Account, theirs: Lists, side: Side) -> Vec<Event> {
        // The sender's own list is the peer's one here, unless the sender is one's own device.
        let ours = match side {
            Side::Peer => Lists::of(&self.peer, account.devices()),
            Side::Own => Lists::of(account.devices(), &self.peer),
        };
        let mut events = Vec::new();
        let (first, second) = match side {
            Side::Peer => (Side::Peer, Side::Own),
            Side::Own => (Side::Own, Side::Peer),
        };
        for (side, theirs, ours) in [(first, theirs.own, ours.own), (second, theirs.peer, ours.peer)] {
            if theirs > ours {
                events.push(Event::ListOutdated { side, sequence: theirs });
            }
        }
        if theirs.own == ours.own && theirs.peer == ours.peer && theirs != ours {
            events.push(Event::ListsForked);
        }
        events
    }

    /// Asks the sender again for a message that could not be decrypted, with the next [`Conversation::flush`].
    ///
    /// Call it for [`ReceiveError::SessionLost`], and for a [`ReceiveError::Rejected`] that repeats. A relay can cause
    /// the latter at will, so a message is asked for at most three times, and a session is replaced at most once an
    /// hour.
    ///
    /// Returns `false` if the message was asked for too often, or has arrived: then it is given up.
    #[must_use = "a message that is given up should be shown as missing"]
    pub fn ask_again(&mut self, id: MessageId, from: DeviceAddress) -> bool {
        if self.pending.has_seen(id) {
            return false;
        }
        let asked = self.pending.want(id, from);
        self.touch();
        asked
    }
}

/// P-12.3: a frame of this conversation, with the name it came under, of a kind that such a device may write.
fn check(
    plaintext: &[u8],
    conversation: ConversationId,
    id: MessageId,
    side: Side,
    disclosure: Option<DisclosureHash>,
) -> Result<Checked, ReceiveError> {
    let frame = Frame::decode(plaintext)?;
    let fits = match frame.kind {
        Kind::Message => side == Side::Peer,
        Kind::Copy => side == Side::Own,
        Kind::Acknowledgement | Kind::Request | Kind::Decision => true,
        Kind::DecisionReceipt => side == Side::Peer,
    };
    if frame.conversation != conversation || frame.id != id || !fits {
        return Err(ReceiveError::ProtocolViolation);
    }
    let content = match (frame.kind, side) {
        (Kind::Message | Kind::Copy, _) => Content::Body(Zeroizing::new(frame.body.to_vec())),
        (Kind::Acknowledgement | Kind::Request, _) => Content::Ids(frame.ids()?),
        (Kind::Decision, Side::Peer) => Content::Decision(Box::new(Decision::from_bytes(frame.body)?)),
        (Kind::Decision, Side::Own) => Content::Shared(Box::new(SharedDecision::from_bytes(frame.body)?)),
        (Kind::DecisionReceipt, _) => Content::DecisionReceipt(Box::new(DecisionReceipt::from_bytes(frame.body)?)),
    };
    Ok(Checked { kind: frame.kind, fresh: frame.fresh, disclosure, lists: frame.lists, content })
}

impl From<Malformed> for ReceiveError {
    fn from(Malformed: Malformed) -> Self {
        Self::ProtocolViolation
    }
}

impl From<DecisionError> for ReceiveError {
    fn from(_: DecisionError) -> Self {
        Self::ProtocolViolation
    }
}

impl From<DecryptError> for ReceiveError {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::Duplicate | DecryptError::Spent => Self::Replayed,
            DecryptError::Forked { .. } | DecryptError::Diverged | DecryptError::TooFar => Self::SessionLost,
            // A conversation seals no staged message, so that its sessions are never poisoned.
            DecryptError::Malformed
            | DecryptError::OpensNewSession
            | DecryptError::WrongIdentity
            | DecryptError::Ahead { .. }
            | DecryptError::UnsupportedVersion(_)
            | DecryptError::Rejected
            | DecryptError::Poisoned => Self::Rejected,
        }
    }
}

impl From<AcceptError> for ReceiveError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Replayed => Self::Replayed,
            AcceptError::UnknownPreKey | AcceptError::NotPreKeyMessage | AcceptError::Ahead { .. } => Self::SessionLost,
            AcceptError::TooManySetUps { .. } | AcceptError::StrangersFull { .. } => Self::ReplayCacheFull,
            // Another device of the relay's choice under this address: whoever wrote it, it is not from there.
            AcceptError::IdentityMismatch
            | AcceptError::Malformed
            | AcceptError::WrongIdentity
            | AcceptError::UnsupportedVersion(_)
            | AcceptError::Rejected
            | AcceptError::Internal => Self::Rejected,
        }
    }
}
