//! [`GroupCall`]: the devices in a call, and a new local key whenever they change.
//!
//! The application tells each device who joins and leaves; the group that the call belongs to, who may.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::aside::Aside;
use super::epoch::Epoch;
use super::error::{MemberError, OpenError, SealError};
use super::id::CallId;
use super::keys::Participant;
use super::member::{CallGroup, Recipients, Standing};
use super::schedule::EpochBinding;
use super::sealer::FrameSealer;
use super::stay::AHEAD;
use super::stays::{GroupFrame, Stays};
use super::suite::FrameSuite;
use crate::keys::IdentityKey;

/// The local device's part in a group call ([section 9.3](crate::manual::spec::calls#93-group-calls)).
///
/// Every device encrypts with keys of its own. When somebody joins, its next key follows from the last, and only the new
/// device is sent it. When somebody leaves, it draws a fresh one for everybody who is left. A device that joins cannot
/// decrypt earlier frames; one that leaves cannot decrypt later ones. No server needs to be trusted, and the devices
/// need to agree only on who is in the call.
///
/// A device that loses this state, for example by a restart, starts again: it draws another number, and the others take
/// its new key whether or not they have heard that it left. Whoever has no key of a device asks for it
/// ([`KeyTaken::answer`](super::KeyTaken::answer)).
///
/// Of each device it keeps at most three stays of eleven keys, less than 48 KiB, whatever arrives; as a rule one of one.
///
/// On error the state is unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// # use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
/// # let (alice, bob, now) = (Identity::generate(rng), Identity::generate(rng), Timestamp::from_unix_seconds(0));
/// # let keys = PreKeys::generate(&bob, now, rng);
/// # let mut a = Session::initiate(&alice, &keys.bundle().verify(Trust::OnFirstUse, now)?, now, rng)?;
/// # let hello = a.encrypt(b"halo", rng)?;
/// # let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
/// # let _ = a.decrypt(&alice, &b.encrypt(b"hai", rng)?)?;
/// use bisik::call::{CallId, FrameSuite, GroupCall, Recipients, Signal, no_group};
///
/// // Alice has the session `a` with Bob; Bob has `b` with Alice. Both know who is in the call.
/// let (id, suite) = (CallId::generate(rng), FrameSuite::default());
/// let mut at_alice = GroupCall::start(id, None, suite, alice.public(), rng);
/// let mut at_bob = GroupCall::start(id, None, suite, bob.public(), rng);
/// assert_eq!(at_alice.join(bob.public(), no_group, rng)?, Recipients::OneDevice);
/// assert_eq!(at_bob.join(alice.public(), no_group, rng)?, Recipients::OneDevice);
///
/// // Each sends its key to the other; here Alice to Bob.
/// let message = a.encrypt(&at_alice.key_for(&a)?.to_bytes(), rng)?;
/// let read = b.decrypt(&bob, &message)?.plaintext.confirmed().expect("Alice has read an answer");
/// let Signal::EpochKey(key) = Signal::from_bytes(&read)? else { panic!("Bob expects a key") };
/// let answer = at_bob.accept_key(&key, &b, no_group, rng)?.answer;
/// assert_eq!(answer, Some(Recipients::OneDevice)); // Alice has no key of his: he sends `at_bob.key_for(&b)`
///
/// let mut packet = Vec::new();
/// at_alice.seal(b"stream 1", b"20 ms of sound", &mut packet)?;
/// let frame = at_bob.open(b"stream 1", &mut packet)?;
/// assert_eq!((frame.device, &*frame.plaintext), (*alice.public(), b"20 ms of sound".as_slice()));
///
/// at_alice.leave(bob.public(), rng)?; // Bob cannot decrypt Alice's frames from here on
/// at_alice.seal(b"stream 1", b"about Bob", &mut packet)?;
/// assert!(at_alice.key_for(&a).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct GroupCall {
    pub(super) group: Option<CallGroup>,
    pub(super) others: BTreeSet<IdentityKey>,
    pub(super) epoch: Epoch,
    /// How many epochs in a row followed from the last fresh one.
    derived: u64,
    /// The devices that were given a key since then.
    pub(super) given: BTreeSet<IdentityKey>,
    sealer: FrameSealer,
    pub(super) stays: Stays,
    pub(super) aside: Aside,
}

impl GroupCall {
    /// Maximum number of devices in a call, including the local one.
    pub const MAX_PARTICIPANTS: usize = 256;

    /// Begins a stay in `call`, with no other devices yet.
    ///
    /// `own` is the local identity key. `call`, `suite` and the id of the `group` are the same for all; without a group,
    /// only the application says who may be in the call. Draws 2 and then 32 bytes from `rng`: the number of the stay
    /// and the secret of its first epoch. Requirement P-9.15.
    #[must_use]
    pub fn start(
        call: CallId,
        group: Option<CallGroup>,
        suite: FrameSuite,
        own: &IdentityKey,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let CallGroup { id, view } = group.unwrap_or(NO_GROUP);
        let participant = draw_number(&mut rng);
        let binding = EpochBinding { group: id, view, call, epoch: 0, participant, suite, sender: *own };
        let epoch = Epoch::generate(binding, &mut rng);
        let sealer = FrameSealer::new(epoch.sender_key());
        let (others, stays, aside) = (BTreeSet::new(), Stays::new(), Aside::new());
        Self { group, others, epoch, derived: 0, given: BTreeSet::new(), sealer, stays, aside }
    }

    /// Begins another stay: draws another number, and a fresh secret. Send the new [key](Self::key_for) to everybody.
    ///
    /// For a device that was told that its number is [crowded](super::EpochKeyError::Crowded), or its first key
    /// [old](super::KeyNews::Old): it has drawn a number that it had before (1 in 65,536). Draws 2 and then 32 bytes.
    pub fn begin_stay(&mut self, mut rng: &mut (impl CryptoRng + ?Sized)) {
        self.fresh(None, &mut rng);
    }

    /// Adds a device, and begins the next epoch. Send the new [key](Self::key_for) to the devices that are returned.
    ///
    /// To [take](Self::accept_key) the key of a new device first, and wait a second for it, saves messages: the local key
    /// then need not ask for it.
    ///
    /// The next key follows from the last, so that only the new device needs to be sent it. A fresh one for everybody is
    /// drawn instead, 32 bytes from `rng`, if the view of the group has changed since the last one was drawn, or eight
    /// keys in a row have followed from it. Requirements P-9.6 and P-9.7.
    ///
    /// `standing` is asked what the local view of the group says about the device; see [`Standing`].
    ///
    /// # Errors
    ///
    /// [`MemberError`] if the device is in the call already, is not a member, or the call is full.
    pub fn join(
        &mut self,
        device: &IdentityKey,
        mut standing: impl FnMut(&[u8; 32], &IdentityKey) -> Standing,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Recipients, MemberError> {
        if device == self.own() || self.others.contains(device) {
            return Err(MemberError::AlreadyInCall);
        }
        if self.group.is_some_and(|group| standing(&group.view, device) != Standing::Live) {
            return Err(MemberError::NotMember);
        }
        if self.others.len() >= Self::MAX_PARTICIPANTS - 1 {
            return Err(MemberError::Full);
        }
        let recipients = self.advance(&mut rng);
        self.others.insert(*device);
        Ok(recipients)
    }

    /// Removes a device and its keys, and begins a new epoch. Send the new [key](Self::key_for) to every other device.
    ///
    /// Draws 32 bytes from `rng`. Requirements P-9.6 and P-9.7.
    ///
    /// The device that left can decrypt the frames of each other device until that has removed it too. Older keys of the
    /// others still decrypt late frames for a while; [`GroupCall::forget_older`] ends that.
    ///
    /// # Errors
    ///
    /// [`MemberError::NotInCall`] if the device is not in the call.
    pub fn leave(&mut self, device: &IdentityKey, mut rng: &mut (impl CryptoRng + ?Sized)) -> Result<(), MemberError> {
        if !self.others.contains(device) {
            return Err(MemberError::NotInCall);
        }
        self.renew(&mut rng);
        self.forget(device);
        Ok(())
    }

    /// Takes a new view of the group, and removes every device that is no longer live in it, at once and whatever a
    /// roster says. Returns them. If there are any, a new epoch has begun: send the new [key](Self::key_for) to every
    /// other device.
    ///
    /// Call it after every change of the group. Draws 32 bytes from `rng` if a device is removed. Requirement P-9.17.
    ///
    /// # Errors
    ///
    /// [`MemberError::NotMember`] if the call has no group.
    pub fn group_changed(
        &mut self,
        view: [u8; 32],
        mut standing: impl FnMut(&[u8; 32], &IdentityKey) -> Standing,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<IdentityKey>, MemberError> {
        let CallGroup { id, view: _ } = self.group.ok_or(MemberError::NotMember)?;
        let gone = self.others.iter().filter(|device| standing(&view, device) != Standing::Live);
        let gone: Vec<_> = gone.copied().collect();
        self.group = Some(CallGroup { id, view });
        if !gone.is_empty() {
            self.renew(&mut rng);
        }
        gone.iter().for_each(|device| self.forget(device));
        Ok(gone)
    }

    /// Begins the next epoch, used from the next frame on (P-9.7). P-9.6: its secret follows from the last one, at most
    /// eight times in a row and in one view of the group.
    pub(super) fn advance(&mut self, rng: &mut dyn CryptoRng) -> Recipients {
        match self.epoch.next() {
            Some(next) if self.derived < AHEAD && next.binding.view == self.view() => {
                self.derived = self.derived.wrapping_add(1);
                self.install(next);
                Recipients::OneDevice
            }
            Some(_) | None => {
                self.renew(rng);
                Recipients::Everybody
            }
        }
    }

    /// Begins an epoch with a fresh secret (P-9.6); after the last number, in another stay.
    fn renew(&mut self, rng: &mut dyn CryptoRng) {
        self.fresh(self.epoch.binding.epoch.checked_add(1), rng);
    }

    /// Draws the secret of an epoch of this stay, or of the first one of another.
    fn fresh(&mut self, epoch: Option<u32>, rng: &mut dyn CryptoRng) {
        let mut binding = EpochBinding { view: self.view(), ..self.epoch.binding };
        (binding.participant, binding.epoch) = match epoch {
            Some(epoch) => (binding.participant, epoch),
            None => (draw_number(rng), 0),
        };
        self.derived = 0;
        self.given.clear();
        self.install(Epoch::generate(binding, rng));
    }

    fn install(&mut self, epoch: Epoch) {
        self.sealer = FrameSealer::new(epoch.sender_key());
        self.epoch = epoch;
    }

    fn forget(&mut self, device: &IdentityKey) {
        self.others.remove(device);
        self.stays.forget(device);
        self.aside.forget(device);
    }

    /// Encrypts one frame for everybody in the call. See [`FrameSealer::seal`].
    ///
    /// # Errors
    ///
    /// As for [`FrameSealer::seal`].
    pub fn seal(&mut self, metadata: &[u8], plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), SealError> {
        self.sealer.seal(metadata, plaintext, output)
    }

    /// Decrypts one frame of any device in place. `metadata` must equal the metadata that the sender passed.
    ///
    /// A frame with an unknown key may have overtaken that key: keep it for a moment and try again. A forged frame costs
    /// at most 32 derivations, 4 keys and 4 tags, and that only where four stays have one number; else a quarter.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; the call and `frame` are unchanged.
    pub fn open<'a>(&mut self, metadata: &[u8], frame: &'a mut [u8]) -> Result<GroupFrame<'a>, OpenError> {
        self.stays.open(metadata, frame)
    }

    /// Removes the other devices' older keys: those that were current before a device said a fresh one.
    ///
    /// Call this a few seconds after a device has left. Until then, it can forge frames in the others' names.
    pub fn forget_older(&mut self) {
        self.stays.forget_older();
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.epoch.binding.call
    }

    /// Returns the number that this device has drawn for its stay.
    #[must_use]
    pub const fn participant(&self) -> Participant {
        self.epoch.binding.participant
    }

    /// Returns the number of the local epoch.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch.binding.epoch
    }

    /// Returns the identity keys of the other devices.
    pub fn others(&self) -> impl Iterator<Item = &IdentityKey> {
        self.others.iter()
    }

    /// Returns the number of the others' keys that are held, including those for late frames.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.stays.keys()
    }

    pub(super) const fn own(&self) -> &IdentityKey {
        &self.epoch.binding.sender
    }

    fn view(&self) -> [u8; 32] {
        self.group.unwrap_or(NO_GROUP).view
    }
}

impl fmt::Debug for GroupCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group: _, others, epoch, derived: _, given: _, sealer: _, stays: _, aside: _ } = self;
        f.debug_struct("GroupCall")
            .field("call", &epoch.binding.call)
            .field("participant", &epoch.binding.participant)
            .field("epoch", &epoch.binding.epoch)
            .field("others", &others.len())
            .finish_non_exhaustive()
    }
}

/// P-9.15: a number for a stay. Nobody is asked, so two stays may draw the same.
fn draw_number(rng: &mut dyn CryptoRng) -> Participant {
    let mut number = [0; 2];
    rng.fill_bytes(&mut number);
    Participant(u16::from_be_bytes(number))
}

/// What the keys of a call without a group are bound to instead.
pub(super) const NO_GROUP: CallGroup = CallGroup { id: [0; 32], view: [0; 32] };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Identity;

    /// P-9.15: nobody gets there, but the number after the last is not the first again.
    #[test]
    fn after_the_last_epoch_comes_another_stay() {
        let rng = &mut rand::rng();
        let [own, other] = [(); 2].map(|()| Identity::generate(rng));
        let id = CallId::generate(rng);
        for leaves in [false, true] {
            let mut call = GroupCall::start(id, None, FrameSuite::default(), own.public(), rng);
            let _ = call.join(other.public(), super::super::no_group, rng).unwrap();
            call.epoch.binding.epoch = u32::MAX;
            if leaves {
                call.leave(other.public(), rng).unwrap();
            } else {
                let third = Identity::generate(rng);
                assert_eq!(call.join(third.public(), super::super::no_group, rng), Ok(Recipients::Everybody));
            }
            assert_eq!(call.epoch(), 0);
        }
    }
}
