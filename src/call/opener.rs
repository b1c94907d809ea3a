//! [`FrameOpener`]: the receiving side, with the keys of every participant and what was received under each.
//!
//! Does not know how keys arrive, nor who is in the call.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::error::{InstallError, OpenError};
use super::header::{Associated, Header, MAX_METADATA};
use super::keys::{Participant, SenderKey, participant_of};
use super::suite::FrameKey;
use super::window::{NotNew, Window};
use crate::codec::Malformed;

/// Decrypts the frames of every participant whose key it was given, each frame once (docs/spec/calls.md, section 9.5).
///
/// Of each participant it holds the newest key and, for frames that are late, the two before it, for 512 frames each.
/// At most 256 participants, so less than 2 MiB whatever arrives.
///
/// The example of [`FrameSealer`](super::FrameSealer) shows both sides.
pub struct FrameOpener {
    senders: BTreeMap<Participant, Sender>,
}

/// One participant's keys, the newest first.
type Sender = Vec<Box<Receiving>>;

/// One key, and what was received under it.
struct Receiving {
    epoch: u32,
    key_id: u64,
    key: FrameKey,
    window: Window,
    /// Frames that it may still open.
    left: u64,
}

/// A frame that was authentic and new.
pub struct DecryptedFrame<'a> {
    /// Whose key it was sealed with. Whoever else has that key could have sealed it too: the participants of the epoch.
    pub participant: Participant,
    /// Which of that participant's keys.
    pub epoch: u32,
    /// Its number under that key.
    pub counter: u64,
    /// The plaintext, in the buffer that the frame was in.
    pub plaintext: &'a mut [u8],
}

impl FrameOpener {
    /// Without any key.
    #[must_use]
    pub const fn new() -> Self {
        Self { senders: BTreeMap::new() }
    }

    /// P-9.14. Takes the key of a participant's next epoch. The one before it still opens 512 late frames, and the oldest
    /// of more than three is gone.
    ///
    /// # Errors
    ///
    /// [`InstallError`]; nothing has changed then.
    pub fn install(&mut self, key: SenderKey) -> Result<(), InstallError> {
        let (full, participant) = (self.senders.len() >= Self::MAX_PARTICIPANTS, key.participant);
        let newest = self.senders.get(&participant).and_then(|keys| keys.first());
        match newest {
            Some(newest) if key.epoch <= newest.epoch => return Err(InstallError::Stale),
            None if full => return Err(InstallError::Full),
            Some(_) | None => {}
        }
        let key_id = key.key_id();
        let sender = self.senders.entry(participant).or_default();
        // P-9.10: whose four bits come round again has been late for long enough.
        sender.retain(|older| older.key_id != key_id);
        sender.truncate(MAX_EPOCHS.saturating_sub(1));
        sender.iter_mut().for_each(|older| older.left = older.left.min(LATE_FRAMES));
        let frame_key = FrameKey::derive(key.suite, key_id, key.base.expose_bytes());
        let receiving = Receiving { epoch: key.epoch, key_id, key: frame_key, window: Window::new(), left: u64::MAX };
        sender.insert(0, Box::new(receiving));
        Ok(())
    }

    /// Opens a frame in its own buffer, whatever participant it is from. `metadata` must be what it was sealed with.
    ///
    /// Allocates nothing. A frame whose key is not known costs a look into a table, a duplicate one more.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; neither the opener nor `frame` has changed then.
    pub fn open<'a>(&mut self, metadata: &[u8], frame: &'a mut [u8]) -> Result<DecryptedFrame<'a>, OpenError> {
        let Header { key_id, counter, length } = Header::decode(frame).map_err(|Malformed| OpenError::Malformed)?;
        let (participant, receiving) = self.find(key_id)?;
        let ciphertext = frame.len().saturating_sub(length);
        let body = ciphertext.checked_sub(receiving.key.tag_length()).ok_or(OpenError::Malformed)?;
        receiving.window.check(counter).map_err(|reason| match reason {
            NotNew::Received => OpenError::Replayed,
            NotNew::TooLate => OpenError::TooLate,
        })?;
        if metadata.len() > MAX_METADATA {
            return Err(OpenError::Rejected);
        }
        let (header, rest) = frame.split_at_mut_checked(length).ok_or(OpenError::Malformed)?;
        let (plaintext, tag) = rest.split_at_mut_checked(body).ok_or(OpenError::Malformed)?;
        let associated = Associated::received(header).with(metadata);
        receiving.key.open(counter, &associated, plaintext, tag)?;

        // P-9.13. Authentic: only now it is remembered.
        receiving.window.insert(counter);
        receiving.left = receiving.left.saturating_sub(1);
        let (epoch, over) = (receiving.epoch, receiving.left == 0);
        if over {
            self.senders.entry(participant).or_default().retain(|key| key.key_id != key_id);
        }
        Ok(DecryptedFrame { participant, epoch, counter, plaintext })
    }

    fn find(&mut self, key_id: u64) -> Result<(Participant, &mut Receiving), OpenError> {
        let participant = participant_of(key_id).ok_or(OpenError::UnknownKey)?;
        let sender = self.senders.get_mut(&participant).ok_or(OpenError::UnknownKey)?;
        let receiving = sender.iter_mut().find(|key| key.key_id == key_id).ok_or(OpenError::UnknownKey)?;
        Ok((participant, receiving))
    }

    /// Forgets all keys of a participant: nothing of it opens any more.
    pub fn remove(&mut self, participant: Participant) {
        self.senders.remove(&participant);
    }

    /// Forgets every key but the newest of each participant. Call it some seconds after somebody has left: whoever has an
    /// older key can seal frames in its owner's name for as long as it opens any.
    pub fn forget_older(&mut self) {
        self.senders.values_mut().for_each(|sender| sender.truncate(1));
    }

    /// How many keys it holds, late ones among them.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.senders.values().map(Vec::len).sum()
    }

    /// The most participants whose keys it holds: more than can be heard at once, and a bound to its memory.
    pub const MAX_PARTICIPANTS: usize = 256;
}

impl Default for FrameOpener {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FrameOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { senders } = self;
        f.debug_struct("FrameOpener").field("participants", &senders.len()).finish_non_exhaustive()
    }
}

/// Shows no plaintext.
impl fmt::Debug for DecryptedFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { participant, epoch, counter, plaintext } = self;
        f.debug_struct("DecryptedFrame")
            .field("participant", participant)
            .field("epoch", epoch)
            .field("counter", counter)
            .field("length", &plaintext.len())
            .finish()
    }
}

/// Keys of one participant: the newest, and two for frames that are late. People join one after the other, seldom at once.
const MAX_EPOCHS: usize = 3;
/// Frames that an older key still opens: ten seconds of audio.
const LATE_FRAMES: u64 = 512;
