//! Epoch keys of a [`GroupCall`]: giving the local one, and taking those of others.

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::GroupCall;
use super::aside::Waiting;
use super::epoch::EpochKey;
use super::error::{EpochKeyError, MemberError};
use super::group::NO_GROUP;
use super::member::{CallGroup, KeyTaken, Recipients, Standing};
use super::schedule::EpochBinding;
use crate::keys::IdentityKey;
use crate::session::Session;

impl GroupCall {
    /// Returns the current local key for the peer of `session`. Send it as a message in this session.
    ///
    /// It says which stay of the peer is known here, and so asks for the key of another ([`KeyTaken::answer`]).
    ///
    /// # Errors
    ///
    /// [`MemberError::NotInCall`] if the peer is not in the call.
    pub fn key_for(&mut self, session: &Session) -> Result<EpochKey, MemberError> {
        self.others.get(session.peer()).ok_or(MemberError::NotInCall)?;
        self.given.insert(*session.peer());
        Ok(self.epoch.key_for(session, self.stays.newest(session.peer())))
    }

    /// Takes the key of another device. `session` is the session in which it arrived.
    ///
    /// `standing` is asked about its sender and about the local device, in the view that the key names and in the local
    /// one; see [`Standing`]. If the sender asks for the local key and was given one before, the next epoch begins, so
    /// that nothing can be played to it again: up to 32 bytes are drawn from `rng`. Requirements P-9.5, P-9.7 and P-9.16.
    ///
    /// # Errors
    ///
    /// [`EpochKeyError`] if the session is not confirmed, the key is for another call, its sender is not in the call or not
    /// a member, it was not made for this device and session, or its number is crowded.
    pub fn accept_key(
        &mut self,
        key: &EpochKey,
        session: &Session,
        mut standing: impl FnMut(&[u8; 32], &IdentityKey) -> Standing,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<KeyTaken, EpochKeyError> {
        check_session(session)?;
        self.admit(key, session.peer(), session.id(), &mut standing, &mut rng)
    }

    fn admit(
        &mut self,
        key: &EpochKey,
        sender: &IdentityKey,
        session: &[u8; 16],
        standing: &mut dyn FnMut(&[u8; 32], &IdentityKey) -> Standing,
        rng: &mut dyn CryptoRng,
    ) -> Result<KeyTaken, EpochKeyError> {
        self.check(key, sender, session)?;
        self.check_members(key.view(), sender, standing)?;
        let news = self.stays.take(key.of(self.epoch.binding.group, sender))?;
        // P-9.7: who asks again has forgotten what it has opened.
        let answer = (key.known() != Some(self.participant()))
            .then(|| if self.given.contains(sender) { self.advance(rng) } else { Recipients::OneDevice });
        Ok(KeyTaken { news, answer })
    }

    /// P-9.5: the call, a sender who is in it, the call's suite and group, and a confirmation for this device and
    /// session.
    fn check(&self, key: &EpochKey, sender: &IdentityKey, session: &[u8; 16]) -> Result<(), EpochKeyError> {
        let EpochBinding { group, call, suite, .. } = self.epoch.binding;
        if key.call() != call {
            return Err(EpochKeyError::OtherCall);
        }
        if !self.others.contains(sender) {
            return Err(EpochKeyError::NotInCall);
        }
        let fits = key.suite() == suite && (self.group.is_some() || *key.view() == NO_GROUP.view);
        if fits && key.is_for(self.own(), group, sender, session) { Ok(()) } else { Err(EpochKeyError::Rejected) }
    }

    /// P-9.16: both devices are live in the view that the key names, and in the local one.
    fn check_members(
        &self,
        view: &[u8; 32],
        sender: &IdentityKey,
        standing: &mut dyn FnMut(&[u8; 32], &IdentityKey) -> Standing,
    ) -> Result<(), EpochKeyError> {
        let Some(CallGroup { id: _, view: own_view }) = &self.group else { return Ok(()) };
        // The local view first: who is out in it is out, whatever view the key names.
        let views = [Some(own_view), Some(view).filter(|view| *view != own_view)];
        for view in views.into_iter().flatten() {
            for device in [sender, self.own()] {
                match standing(view, device) {
                    Standing::Live => {}
                    Standing::Gone => return Err(EpochKeyError::NotMember),
                    Standing::UnknownView => return Err(EpochKeyError::UnknownView),
                }
            }
        }
        Ok(())
    }

    /// Keeps a key whose [view is unknown](EpochKeyError::UnknownView) until [`retry_aside`](Self::retry_aside), at most
    /// three of each device in the call; of a fourth, the oldest goes.
    ///
    /// # Errors
    ///
    /// [`EpochKeyError`] as for [`accept_key`](Self::accept_key), but for what the group says.
    pub fn keep_aside(&mut self, key: EpochKey, session: &Session) -> Result<(), EpochKeyError> {
        check_session(session)?;
        self.check(&key, session.peer(), session.id())?;
        self.aside.keep(session.peer(), Waiting { key, session: *session.id() });
        Ok(())
    }

    /// Tries the keys that were [kept aside](Self::keep_aside) again, after the device has learned more of the group.
    /// Returns whose keys were taken. Those whose view is still unknown stay aside, and the others are dropped.
    pub fn retry_aside(
        &mut self,
        mut standing: impl FnMut(&[u8; 32], &IdentityKey) -> Standing,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<(IdentityKey, KeyTaken)> {
        let mut taken = Vec::new();
        for (sender, waiting) in self.aside.take() {
            match self.admit(&waiting.key, &sender, &waiting.session, &mut standing, &mut rng) {
                Ok(what) => taken.push((sender, what)),
                Err(EpochKeyError::UnknownView) => self.aside.keep(&sender, waiting),
                Err(_) => {}
            }
        }
        taken
    }
}

/// P-9.5: before a session is confirmed, a thief of this device's pre-keys can be whom it names as its peer.
fn check_session(session: &Session) -> Result<(), EpochKeyError> {
    if session.is_confirmed() { Ok(()) } else { Err(EpochKeyError::Unconfirmed) }
}
