//! Receiving: from arrivals to frames (docs/spec/conversations.md, section 12.4).
//!
//! Verify, then commit: the sender is looked up, the message decrypted and its frame checked before anything changes.
//! What a frame does is in `apply.rs`.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::checked::{Checked, Expected, Heard, check};
use super::frame::Frame;
use super::link::Link;
use super::piece::Piece;
use super::{Arrival, Conversation, DeviceAddress, Event, ReceiveError, Side, under};
use crate::account::Account;
use crate::keys::{IdentityKey, Trust};
use crate::session::{AcceptError, Accepted, Ciphertext, DecryptError, Decrypted, Plaintext, Session};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// Why one attempt to read an arrival gave nothing.
enum Attempt {
    /// Too many messages before it are missing: the others of the same batch come first.
    Ahead,
    Failed(ReceiveError),
}

/// What the sender of an arrival is, by its account's list.
#[derive(Clone, Copy)]
struct Sender {
    from: DeviceAddress,
    key: IdentityKey,
    disclosure: Option<DisclosureHash>,
}

impl Conversation {
    /// Receives any number of arrivals, in any order, and returns what became of each. What they gave is in the
    /// [inbox](Self::inbox) once the changes are stored: seal once for all of them.
    ///
    /// Where an arrival set up a session, the account's pre-keys have changed too: [`Conversation::seal`] has both
    /// records. Nothing has to be done about an error but what its variant says: what an author still keeps, it sends
    /// again. Requirement P-12.14.
    #[must_use = "an arrival that was refused may have to be kept"]
    pub fn receive(
        &mut self,
        account: &mut Account,
        arrivals: &[Arrival],
        now: Timestamp,
    ) -> Vec<Result<(), ReceiveError>> {
        let mut results: Vec<Result<(), ReceiveError>> =
            arrivals.iter().map(|_| Err(ReceiveError::Unreadable)).collect();
        let mut left: Vec<usize> = (0..arrivals.len()).collect();
        self.delete_promised(account, now);
        for pass in 0..PASSES {
            let before = left.len();
            left.retain(|place| {
                let (Some(arrival), Some(result)) = (arrivals.get(*place), results.get_mut(*place)) else {
                    return false;
                };
                match self.receive_one(account, arrival, pass == PASSES - 1, now) {
                    Ok(()) => *result = Ok(()),
                    Err(Attempt::Ahead) => return true,
                    Err(Attempt::Failed(error)) => *result = Err(error),
                }
                false
            });
            if left.is_empty() {
                break;
            }
            // P-12.15, P-4.16: what is still ahead is read by giving up what is missing, which its author sends again.
            if left.len() == before {
                for place in core::mem::take(&mut left) {
                    let (Some(arrival), Some(result)) = (arrivals.get(place), results.get_mut(place)) else { continue };
                    if let Err(Attempt::Failed(error)) = self.receive_one(account, arrival, true, now) {
                        *result = Err(error);
                    } else {
                        *result = Ok(());
                    }
                }
            }
        }
        results
    }

    /// Whether a session of this conversation reads the message. For a message of another own device, which does not
    /// say which conversation it belongs to: give it to the one that reads it. If none does, drop it; its author sends
    /// it again in a new session, whose first flight says what it is [for](Self::find). Changes nothing.
    #[must_use]
    pub fn reads(&mut self, account: &Account, arrival: &Arrival) -> bool {
        let Arrival { from, ciphertext } = arrival;
        let Some(link) = self.links.get_mut(from) else { return false };
        if ciphertext.is_pre_key_message() && !link.recognizes(ciphertext) {
            return false;
        }
        match link.quiet().stage(account.identity(), ciphertext, true) {
            Ok(_) | Err(DecryptError::Duplicate | DecryptError::Forked { .. }) => true,
            Err(_) => false,
        }
    }

    /// What the first flight of another own device is for: the conversation that it belongs to, and the peer's account
    /// key as that device has it pinned. This device may not know the conversation yet: fetch the peer's device list,
    /// trust it under this very key ([`DeviceDirectory::trust`](crate::device::DeviceDirectory::trust)), start the
    /// conversation, and [receive](Self::receive) the arrival in it. Changes nothing. Requirement P-12.56.
    ///
    /// # Errors
    ///
    /// [`ReceiveError::UnknownDevice`] if it does not come from another own device; otherwise as for
    /// [`receive`](Self::receive).
    pub fn find(account: &Account, arrival: &Arrival, now: Timestamp) -> Result<Found, ReceiveError> {
        let Arrival { from, ciphertext } = arrival;
        let own = account.devices().own(account.identity(), now)?;
        // P-12.58
        if !account.knows_its_terms() {
            return Err(ReceiveError::DisclosureNeeded);
        }
        let sender = own.others().find(|entry| *from == DeviceAddress::own(entry.index()));
        let sender = sender.ok_or(ReceiveError::UnknownDevice)?;
        let disclosure = under(account.disclosure(), sender.terms().disclosure());
        let trust = Trust::Pinned(sender.identity());
        let (identity, keys) = (account.identity(), account.pre_keys());
        let accepted = Session::accept_under(identity, keys, ciphertext, trust, disclosure, now);
        let Accepted { session: _, plaintext, used: _ } = accepted.map_err(|error| match refused(error) {
            Refused::Told(error) => error,
            Refused::Doubt => ReceiveError::Unreadable,
        })?;
        let plaintext = Zeroizing::new(plaintext.show_unconfirmed());
        let frame = Frame::decode(&plaintext)?;
        let opening = frame.opening.filter(|_| frame.for_own).ok_or(ReceiveError::ProtocolViolation)?;
        let peer = opening.peer.ok_or(ReceiveError::ProtocolViolation)?;
        if opening.conversation != super::ConversationId::between(account.key(), &peer) {
            return Err(ReceiveError::ProtocolViolation);
        }
        Ok(Found { conversation: opening.conversation, peer })
    }

    fn receive_one(
        &mut self,
        account: &mut Account,
        arrival: &Arrival,
        giving_up: bool,
        now: Timestamp,
    ) -> Result<(), Attempt> {
        let Arrival { from, ciphertext } = arrival;
        // P-12.2: not even what arrives is taken under an old list: its sender may have been removed since.
        account.devices().own(account.identity(), now).map_err(ReceiveError::from)?;
        if self.peer.is_expired(now) {
            return Err(ReceiveError::ListExpired.into());
        }
        if self.inbox.is_full() {
            return Err(ReceiveError::InboxFull.into());
        }
        // P-12.58
        if !account.knows_its_terms() {
            return Err(ReceiveError::DisclosureNeeded.into());
        }
        // P-12.3: the sender is who the list says, and never this device itself.
        let entry = self.entry(account, *from).filter(|entry| entry.identity() != account.identity().public());
        let entry = entry.ok_or(ReceiveError::UnknownDevice)?;
        let theirs = entry.terms().disclosure();
        let disclosure = under(account.disclosure(), theirs);
        let sender = Sender { from: *from, key: *entry.identity(), disclosure };
        self.view(account);
        self.reconcile_link(sender.from, sender.key);

        let known =
            self.links.get(from).is_some_and(|link| !ciphertext.is_pre_key_message() || link.recognizes(ciphertext));
        let (serial, checked, confirms) = if known {
            self.decrypt(account, sender, ciphertext, giving_up)?
        } else if ciphertext.is_pre_key_message() {
            self.accept_session(account, sender, ciphertext, now)?
        } else {
            return Err(self.doubt(sender, ciphertext));
        };

        // From here on nothing fails.
        let slot = self.links.get(from).and_then(|link| link.slot(serial));
        let of_session = slot.and_then(|slot| slot.session.disclosure());
        let delete_by = account.deadline(|own| of_session == under(Some(own), theirs), now);
        self.touch();
        if let Some(link) = self.links.get_mut(from) {
            link.remember(ciphertext);
        }
        if confirms {
            self.confirm(account, *from, serial, now);
        }
        self.apply(account, &Heard { from: *from, serial, key: sender.key, delete_by, now }, checked);
        Ok(())
    }

    /// Decrypts in a session that is there, and commits, or changes nothing.
    fn decrypt(
        &mut self,
        account: &Account,
        sender: Sender,
        ciphertext: &Ciphertext,
        giving_up: bool,
    ) -> Result<(u32, Checked, bool), Attempt> {
        let room = |length| self.inbox.has_room(length);
        let Some(link) = self.links.get_mut(&sender.from) else { return Err(ReceiveError::Unreadable.into()) };
        let error = match link.quiet().stage(account.identity(), ciphertext, giving_up) {
            Ok((serial, staged)) => {
                let plaintext = match staged.plaintext() {
                    Plaintext::Confirmed(plaintext) => plaintext,
                    Plaintext::Unconfirmed(unconfirmed) => unconfirmed.show_unconfirmed(),
                };
                let expected = Expected { side: sender.from.side, opens: ciphertext.is_pre_key_message() };
                let checked = check(plaintext, self.id, self.peer.account(), expected, room)?;
                let Decrypted { plaintext, confirms, .. } = staged.commit();
                // Everything of it is in `checked`.
                let _wiped = Zeroizing::new(match plaintext {
                    Plaintext::Confirmed(plaintext) => plaintext,
                    Plaintext::Unconfirmed(unconfirmed) => unconfirmed.show_unconfirmed(),
                });
                return Ok((serial, checked, confirms));
            }
            Err(error) => error,
        };
        match error {
            DecryptError::Duplicate => Err(ReceiveError::Duplicate.into()),
            DecryptError::Ahead { .. } if !giving_up => Err(Attempt::Ahead),
            DecryptError::UnsupportedVersion(_) => Err(ReceiveError::NewerVersion.into()),
            // Not unreadable: it is too late for it in this session, and its author sends it again.
            DecryptError::Ahead { .. } | DecryptError::TooFar => Err(ReceiveError::Unreadable.into()),
            DecryptError::Forked { .. } => {
                self.touch();
                self.tell(Event::Forked { device: sender.from });
                Err(self.doubt(sender, ciphertext))
            }
            // A conversation seals no staged message, so that its sessions are never poisoned.
            DecryptError::Spent
            | DecryptError::Diverged
            | DecryptError::Malformed
            | DecryptError::OpensNewSession
            | DecryptError::WrongIdentity
            | DecryptError::Rejected
            | DecryptError::Poisoned => Err(self.doubt(sender, ciphertext)),
        }
    }

    /// Sets up the session of a first flight, or changes nothing.
    fn accept_session(
        &mut self,
        account: &mut Account,
        sender: Sender,
        ciphertext: &Ciphertext,
        now: Timestamp,
    ) -> Result<(u32, Checked, bool), Attempt> {
        let Sender { from, key, disclosure } = sender;
        let accepted = Session::accept_under(
            account.identity(),
            account.pre_keys(),
            ciphertext,
            Trust::Pinned(&key),
            disclosure,
            now,
        );
        let Accepted { session, plaintext, used } = match accepted.map_err(refused) {
            Ok(accepted) => accepted,
            Err(Refused::Told(error)) => return Err(error.into()),
            Err(Refused::Doubt) => return Err(self.doubt(sender, ciphertext)),
        };
        let plaintext = Zeroizing::new(plaintext.show_unconfirmed());
        let expected = Expected { side: from.side, opens: true };
        let room = |length| self.inbox.has_room(length);
        let checked = check(&plaintext, self.id, self.peer.account(), expected, room)?;
        let labels = checked.frame.opening.map_or([[0; 8]; 4], |opening| opening.labels);
        let last_resort = !used.one_time();
        account.use_up(used);
        let link = self.links.entry(from).or_insert_with(|| Piece::new(Link::new(key)));
        Ok((link.add_theirs(session, &labels, last_resort), checked, false))
    }

    /// P-12.46: something arrived that nothing reads. For a contact that the user has accepted, and an own device, that
    /// is remembered; it is one bit, however much arrives.
    fn doubt(&mut self, sender: Sender, ciphertext: &Ciphertext) -> Attempt {
        let Sender { from, key, disclosure: _ } = sender;
        if self.links.get(&from).is_some_and(|link| link.remembers(ciphertext)) {
            return ReceiveError::Duplicate.into();
        }
        if self.reacts && self.answers(from.side) {
            let link = self.links.entry(from).or_insert_with(|| Piece::new(Link::new(key)));
            if !link.doubt.raised {
                link.doubt.raised = true;
                self.touch();
            }
        }
        Attempt::Failed(ReceiveError::Unreadable)
    }

    /// Whether frames may go to this side at all. P-12.51: none to a contact that the user has not accepted, unless both
    /// are in one group.
    pub(super) fn answers(&self, side: Side) -> bool {
        side == Side::Own || self.accepted || self.shares_group
    }
}

/// What the first flight of another own device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The conversation.
    pub conversation: super::ConversationId,
    /// The account key of its peer, as the own device that wrote has it pinned.
    pub peer: crate::device::AccountKey,
}

/// Why a first flight was not accepted.
enum Refused {
    Told(ReceiveError),
    /// Nothing authenticated says what it is.
    Doubt,
}

fn refused(error: AcceptError) -> Refused {
    match error {
        AcceptError::Replayed => Refused::Told(ReceiveError::Duplicate),
        // Too many messages before it are missing. Its author sends it again.
        AcceptError::Ahead { .. } => Refused::Told(ReceiveError::Unreadable),
        AcceptError::UnsupportedVersion(_) => Refused::Told(ReceiveError::NewerVersion),
        AcceptError::TooManySetUps { .. } | AcceptError::StrangersFull { .. } => {
            Refused::Told(ReceiveError::ReplayCacheFull)
        }
        // Perhaps of another device, of the relay's choice, under this address.
        AcceptError::IdentityMismatch
        | AcceptError::NotPreKeyMessage
        | AcceptError::UnknownPreKey
        | AcceptError::Malformed
        | AcceptError::WrongIdentity
        | AcceptError::Rejected
        | AcceptError::Internal => Refused::Doubt,
    }
}

impl From<ReceiveError> for Attempt {
    fn from(error: ReceiveError) -> Self {
        Self::Failed(error)
    }
}

/// Passes over arrivals of which some are ahead of others.
const PASSES: usize = 6;
