//! [`Stay`]: what one device sent in one stay in a call: the key that it said, those that follow from it, and two older
//! ones.

use alloc::vec::Vec;

use super::epoch::Epoch;
use super::error::OpenError;
use super::header::{Header, MAX_METADATA};
use super::keys::EPOCHS;
use super::member::KeyNews;
use super::receiving::Receiving;
use super::schedule::EpochBinding;
use crate::keys::IdentityKey;

/// A stay of a device in the call, from its own view: it has drawn a number for it and counts its epochs from 0.
///
/// The keys that follow from the one that was said are derived when the first frame under one of them verifies. The
/// secret of the said one is kept: everybody who has it can seal frames under a key that follows from it, so such a
/// frame proves nothing about the epoch of the owner, and must not shut out what the owner sends.
pub(super) struct Stay {
    /// The newest epoch whose key the device said.
    said: Epoch,
    /// The key of `said`, then those that follow from it and have opened a frame. None is dropped before the next key is
    /// said: its counters would be forgotten, and it could be derived again.
    current: Vec<Receiving>,
    /// Keys of before, newest first.
    older: Vec<Receiving>,
    /// When it last opened a frame, or began, in turns of the call.
    pub(super) heard: u64,
    /// When its device last said a key in it.
    pub(super) told: u64,
}

/// Why a stay did not open a frame.
pub(super) enum Miss {
    /// It has no key with this id, and none that it can derive opened the frame.
    NoKey,
    /// It has the key.
    Refused(OpenError),
}

/// A frame that opened.
pub(super) struct Opened {
    pub(super) epoch: u64,
    /// Length of the plaintext, which follows the header.
    pub(super) body: usize,
}

impl Stay {
    pub(super) fn begin(said: Epoch, heard: u64) -> Self {
        let current = [Receiving::new(&said.sender_key())].into();
        Self { said, current, older: Vec::new(), heard, told: heard }
    }

    pub(super) const fn device(&self) -> &IdentityKey {
        &self.said.binding.sender
    }

    /// Takes the next key that the device says. P-9.14: one of an earlier epoch changes nothing, nor does one that is
    /// known, or follows from the newest, so that the counters received under it stay.
    pub(super) fn take(&mut self, said: Epoch) -> KeyNews {
        let Some(ahead) = said.binding.epoch.checked_sub(self.said.binding.epoch) else { return KeyNews::Old };
        let known = match u64::from(ahead) {
            0 => self.said.has_secret_of(&said),
            steps @ 1..=AHEAD => self.derived(steps).is_some_and(|derived| derived.has_secret_of(&said)),
            _ => false,
        };
        if known {
            return KeyNews::Known;
        }
        if ahead == 0 {
            return KeyNews::Old;
        }
        let number = u64::from(said.binding.epoch);
        let mut older: Vec<_> = self.current.drain(..).chain(self.older.drain(..)).collect();
        // P-9.10: no id may stand for an older key and for one that follows from the new one too.
        older.retain(|key| number.checked_sub(key.epoch).is_some_and(|behind| (1..EPOCHS - AHEAD).contains(&behind)));
        older.sort_by_key(|key| core::cmp::Reverse(key.epoch));
        older.truncate(OLDER);
        older.iter_mut().for_each(Receiving::limit);
        let heard = self.heard;
        *self = Self { older, ..Self::begin(said, heard) };
        KeyNews::NewEpoch
    }

    /// Decrypts a frame that begins with `header` in place. On error the stay and the frame are unchanged.
    pub(super) fn open(&mut self, header: &Header, metadata: &[u8], frame: &mut [u8]) -> Result<Opened, Miss> {
        let mut held = self.current.iter_mut().chain(&mut self.older);
        let Some(key) = held.find(|key| key.key_id == header.key_id) else {
            return self.open_ahead(header, metadata, frame);
        };
        let epoch = key.epoch;
        // Of any key but the said one, the id may be that of a key on its way: the owner of a derived one may have drawn a
        // fresh secret for this epoch, and sixteen epochs after an older one the id comes again.
        let said = epoch == u64::from(self.said.binding.epoch);
        let missed = |error| if !said && error == OpenError::Rejected { Miss::NoKey } else { Miss::Refused(error) };
        let body = key.open(header, metadata, frame).map_err(missed)?;
        self.older.retain(|key| !key.is_spent());
        Ok(Opened { epoch, body })
    }

    /// Tries the key that follows from the said one and has the id in `header`. A forged frame costs at most
    /// [`AHEAD`] derivations, one key and one tag.
    fn open_ahead(&mut self, header: &Header, metadata: &[u8], frame: &mut [u8]) -> Result<Opened, Miss> {
        let steps = header.key_id.wrapping_sub(u64::from(self.said.binding.epoch)) % EPOCHS;
        if !(1..=AHEAD).contains(&steps) || metadata.len() > MAX_METADATA {
            return Err(Miss::NoKey);
        }
        let epoch = self.derived(steps).ok_or(Miss::NoKey)?;
        let mut key = Receiving::new(&epoch.sender_key());
        // A frame that its tag refuses may be under a fresh key that is on its way.
        let body = key.open(header, metadata, frame).map_err(|_| Miss::NoKey)?;
        let epoch = key.epoch;
        self.current.push(key);
        Ok(Opened { epoch, body })
    }

    /// The epoch so many steps after the said one, with the secret that follows from it; `steps` is not 0.
    fn derived(&self, steps: u64) -> Option<Epoch> {
        (1..steps).try_fold(self.said.next()?, |epoch, _| epoch.next())
    }

    /// What the newest said key is bound to, and the newest epoch that was said or under which a frame was opened.
    pub(super) fn seen(&self) -> (EpochBinding, u64) {
        let said = self.said.binding;
        (said, self.current.iter().map(|key| key.epoch).fold(said.epoch.into(), u64::max))
    }

    pub(super) fn forget_older(&mut self) {
        self.older.clear();
    }

    pub(super) fn keys(&self) -> usize {
        self.current.iter().chain(&self.older).count()
    }
}

/// P-9.6: how many epochs in a row may follow from one that was said to everybody.
pub(super) const AHEAD: u64 = 8;
/// Older keys that are kept for late frames.
const OLDER: usize = 2;
