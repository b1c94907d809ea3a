//! Sending changes the record only: a message is kept, and [`Conversation::flush`] makes the frames
//! (docs/spec/conversations.md, section 12.5).

use alloc::vec::Vec;
use zeroize::Zeroizing;

use rand_core::CryptoRng;

use super::event::{Cause, Event};
use super::frame::Kind;
use super::kept::Dropped;
use super::limits::EPHEMERAL;
use super::name::MessageId;
use super::{Conversation, DeviceAddress, MAX_BODY, SendError, Side};
use crate::account::Account;
use crate::hosting::Blocked;
use bisik_core::time::Timestamp;

/// To which devices something goes. Requirement P-12.33.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::conversation::{IdentityPolicy, Recipients};
/// # use bisik::device::{DeviceDirectory, DeviceTerms};
/// # use bisik::{Account, Conversation, Timestamp, Trust};
/// # let now = Timestamp::from_unix_seconds(1_800_000_000);
/// # let [alice, bob] = [(); 2].map(|()| Account::create(DeviceTerms::person(), now, rng));
/// # let list = bob.primary().ok_or("a primary device")?.list().clone();
/// # let peer = DeviceDirectory::trust(&list, Trust::Pinned(bob.key().identity()), now)?;
/// # let (mut talk, _) = Conversation::new(&alice, peer, &[], IdentityPolicy::Block, now);
/// use bisik::conversation::DeviceAddress;
///
/// talk.send(&alice, b"halo", Recipients::All, now, rng)?;
/// talk.send(&alice, b"a call for the device that rings", Recipients::Device(DeviceAddress::peer(0)), now, rng)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// Every device of the peer, and every other one of the local account.
    All,
    /// The other devices of the local account: what was read, settings, drafts.
    OwnDevices,
    /// One device.
    Device(DeviceAddress),
}

/// A payload that is not kept, and waits for the next flush.
pub(super) struct Ephemeral {
    pub(super) to: Recipients,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Recipients {
    pub(super) fn include(self, device: DeviceAddress) -> bool {
        match self {
            Self::All => true,
            Self::OwnDevices => device.side == Side::Own,
            Self::Device(one) => one == device,
        }
    }
}

impl Conversation {
    /// Keeps `body`, of at most [`MAX_BODY`] bytes, for the devices of `to`, and returns its id. Nothing is encrypted
    /// yet: [`flush`](Self::flush) does that, now and again until each device has acknowledged the message, for at most
    /// 14 days. Writing to the peer accepts it as a contact.
    ///
    /// Of the messages that no device has acknowledged, the 64 newest are kept, and a mebibyte of them. What makes room
    /// is given up: an event says so here and at each device that does not have it.
    ///
    /// # Errors
    ///
    /// [`SendError`]. On error the state is unchanged.
    pub fn send(
        &mut self,
        account: &Account,
        body: &[u8],
        to: Recipients,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<MessageId, SendError> {
        let devices = self.check_recipients(account, body, to, now)?;
        // From here on nothing fails.
        self.touch();
        let to_peer = devices.iter().any(|device| device.side == Side::Peer);
        if to_peer {
            self.accept_contact();
        }
        // A note to oneself is what one's devices show in this conversation.
        let kind = if to_peer || self.is_with_oneself(account) { Kind::Message } else { Kind::Private };
        Ok(self.keep(account, (kind, body), &devices, now, &mut rng))
    }

    /// Sends `body` once, with the next [`flush`](Self::flush), to those devices of `to` with which a session is
    /// established: where somebody is, a receipt, or what [`send_presence`](Self::send_presence) sends. It is not kept,
    /// not acknowledged, sets up no session, and takes the room of nothing. It is not in the record, so a crash loses
    /// it; of more than 32 that wait, the oldest are dropped. Requirement P-12.32.
    ///
    /// # Errors
    ///
    /// [`SendError`]. On error the state is unchanged.
    pub fn send_ephemeral(
        &mut self,
        account: &Account,
        body: &[u8],
        to: Recipients,
        now: Timestamp,
    ) -> Result<(), SendError> {
        self.send_once(account, body, to, now, |_| false)
    }

    /// As [`send_ephemeral`](Self::send_ephemeral), in place of what waits and is `replaced`: that goes first, so that
    /// it takes the room of nothing else.
    pub(super) fn send_once(
        &mut self,
        account: &Account,
        body: &[u8],
        to: Recipients,
        now: Timestamp,
        replaced: impl Fn(&Ephemeral) -> bool,
    ) -> Result<(), SendError> {
        self.check_recipients(account, body, to, now)?;
        // From here on nothing fails.
        self.ephemeral.retain(|waits| !replaced(waits));
        self.ephemeral.push_back(Ephemeral { to, body: Zeroizing::new(body.to_vec()) });
        while self.ephemeral.len() > EPHEMERAL {
            self.ephemeral.pop_front();
        }
        Ok(())
    }

    /// Takes back a message that is still kept for some device: deleted, expired, or seen once. Its text is gone from
    /// here on; a device that does not have it yet is told nothing but that there is none. Whether it was kept.
    pub fn withdraw_message(&mut self, id: MessageId) -> bool {
        let kept = self.kept.withdraw(id);
        if kept {
            self.touch();
        }
        kept
    }

    /// Accepts the peer as a contact: from here on frames go back to it. [`send`](Self::send) to the peer does this too.
    pub fn accept(&mut self) {
        if !self.accepted {
            self.touch();
            self.accept_contact();
        }
    }

    /// From here on frames go to the peer, first of all the answers to what it has sent. The caller counts the change.
    pub(super) fn accept_contact(&mut self) {
        if !core::mem::replace(&mut self.accepted, true) {
            for link in self.links.values_mut() {
                link.answer_all();
            }
        }
    }

    /// Whether the user has accepted the peer as a contact, or has written to it. Before that nothing goes back, not
    /// even an acknowledgement: a stranger learns nothing. Requirement P-12.51.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// Keeps a message, and gives up what has to make room. The caller counts the change.
    pub(super) fn keep(
        &mut self,
        account: &Account,
        message: (Kind, &[u8]),
        devices: &[DeviceAddress],
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> MessageId {
        self.view(account);
        let id = self.numbers.next(now, rng);
        // P-12.58: whatever the session will be.
        let until = account.deadline(|_| false, now);
        let dropped = self.kept.keep(id, message, devices, (now, until));
        self.give_up(account, dropped);
        id
    }

    /// P-12.58: deletes what a hosted device has promised to delete by now, whatever else is possible.
    pub(super) fn delete_promised(&mut self, account: &Account, now: Timestamp) {
        let inbox = self.inbox.expires_at().is_some_and(|at| at <= now);
        let dropped = self.kept.take_promised(now);
        if !inbox && dropped.is_empty() {
            return;
        }
        self.touch();
        let revision = self.lineage.revision();
        self.inbox.expire(now, revision);
        self.give_up(account, dropped);
    }

    /// P-12.29: tells the program, and from the next frame on each device that still waited.
    pub(super) fn give_up(&mut self, account: &Account, dropped: Vec<Dropped>) {
        for Dropped { id, silent, devices } in dropped {
            for device in devices.into_iter().filter(|_| !silent) {
                // Also to a device that nothing could ever be sent to: a session is set up to tell it.
                if let Some(key) = self.entry(account, device).map(|entry| *entry.identity()) {
                    self.link(device, key).author.lose(id);
                }
                self.tell(Event::GivenUp { id, device, cause: Cause::TooOld });
            }
        }
    }

    /// The devices that something may go to, or why it may not.
    fn check_recipients(
        &self,
        account: &Account,
        body: &[u8],
        to: Recipients,
        now: Timestamp,
    ) -> Result<Vec<DeviceAddress>, SendError> {
        self.check_own(account, now)?;
        if body.len() > MAX_BODY {
            return Err(SendError::TooLong);
        }
        if self.inbox.is_overfull() {
            return Err(SendError::InboxFull);
        }
        let devices: Vec<_> = self.devices(account).map(|(device, _)| device).filter(|to_| to.include(*to_)).collect();
        if matches!(to, Recipients::Device(_)) && devices.is_empty() {
            return Err(SendError::UnknownDevice);
        }
        if devices.iter().any(|device| device.side == Side::Peer) {
            self.check_peer(now)?;
        }
        Ok(devices)
    }

    /// P-12.1, P-12.2: whether this device may send anything to anybody.
    pub(super) fn check_own(&self, account: &Account, now: Timestamp) -> Result<(), SendError> {
        account.devices().own(account.identity(), now)?;
        if account.must_recover() {
            return Err(SendError::RecoverFirst);
        }
        if self.peer.is_expired(now) { Err(SendError::ListExpired) } else { Ok(()) }
    }

    /// P-12.7, P-12.57: whether messages may be sent to the peer. `send` always checks this. `flush` checks it for
    /// everything except decisions and receipts. Nothing is ever sent unencrypted.
    pub(super) fn check_peer(&self, now: Timestamp) -> Result<(), SendError> {
        if self.unacknowledged {
            return Err(SendError::IdentityChanged);
        }
        let permit = self.label.permit(now).map_err(SendError::Blocked)?;
        // Always true, because the label was computed from this list. Checked anyway; it is cheap.
        let mut devices = self.peer.devices().iter();
        if devices.all(|entry| permit.allows(entry.identity(), entry.terms().disclosure())) {
            Ok(())
        } else {
            Err(SendError::Blocked(Blocked::Unknown))
        }
    }
}
