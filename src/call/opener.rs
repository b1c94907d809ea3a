//! [`FrameOpener`]: decryption of frames, with the keys of every participant and the counters received under each.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::error::{InstallError, OpenError};
use super::header::{Associated, Header, MAX_METADATA};
use super::keys::{Participant, SenderKey, participant_of};
use super::suite::FrameKey;
use super::window::{NotNew, Window};
use bisik_core::codec::Malformed;
use bisik_core::internal::InternalError;

/// Decrypts the frames of every participant whose key is installed, each frame once
/// ([section 9.5](crate::manual::spec::calls#95-receiving)).
///
/// For each participant it holds the newest key and up to two older ones, each of which decrypts 512 more late frames.
/// It knows at most 256 participants, so it uses less than 2 MiB whatever arrives.
///
/// See [`FrameSealer`](super::FrameSealer) for an example with both sides.
pub struct FrameOpener {
    senders: BTreeMap<Participant, Sender>,
}

/// The keys of one participant, newest first.
type Sender = Vec<Box<Receiving>>;

/// A key, and the counters received under it.
struct Receiving {
    epoch: u64,
    key_id: u64,
    key: FrameKey,
    window: Window,
    /// Number of frames that the key may still decrypt.
    left: u64,
}

/// A decrypted frame, authentic and received for the first time.
pub struct DecryptedFrame<'a> {
    /// The participant whose key the frame was encrypted with. Any other participant of that epoch has the key too and
    /// could have encrypted the frame.
    pub participant: Participant,
    /// The number of that key's epoch.
    pub epoch: u64,
    /// The frame's counter under that key.
    pub counter: u64,
    /// The plaintext, inside the buffer that held the frame.
    pub plaintext: &'a mut [u8],
}

impl FrameOpener {
    /// Creates an opener without keys.
    #[must_use]
    pub const fn new() -> Self {
        Self { senders: BTreeMap::new() }
    }

    /// Installs the key of a participant's next epoch.
    ///
    /// The previous key still decrypts 512 late frames. Only the three newest keys of a participant are kept
    /// (requirement P-9.14).
    ///
    /// # Errors
    ///
    /// [`InstallError`] if the epoch is not newer, or there are too many participants. The state is unchanged.
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
        // P-9.10: drop an older key whose 4-bit epoch is being reused; its late frames have had their time.
        sender.retain(|older| older.key_id != key_id);
        sender.truncate(MAX_EPOCHS - 1);
        sender.iter_mut().for_each(|older| older.left = older.left.min(LATE_FRAMES));
        let frame_key = FrameKey::derive(key.suite, key_id, key.base.expose_bytes());
        let receiving = Receiving { epoch: key.epoch, key_id, key: frame_key, window: Window::new(), left: u64::MAX };
        sender.insert(0, Box::new(receiving));
        Ok(())
    }

    /// Decrypts a frame of any participant in place. `metadata` must equal the metadata that the sender passed.
    ///
    /// Allocates nothing, except with the feature `graviola` a copy of a frame above 1,536 bytes, until it returns. A
    /// frame under an unknown key costs one table lookup; a duplicate costs one more.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; the opener and `frame` are unchanged.
    pub fn open<'a>(&mut self, metadata: &[u8], frame: &'a mut [u8]) -> Result<DecryptedFrame<'a>, OpenError> {
        let Header { key_id, counter, length } = Header::decode(frame).map_err(|Malformed| OpenError::Malformed)?;
        let (participant, receiving) = self.find(key_id)?;
        let ciphertext = frame.len().checked_sub(length).ok_or(InternalError)?;
        let body = ciphertext.checked_sub(receiving.key.tag_length()).ok_or(OpenError::Malformed)?;
        receiving.window.check(counter).map_err(|reason| match reason {
            NotNew::Received => OpenError::Replayed,
            NotNew::TooLate => OpenError::TooLate,
        })?;
        if metadata.len() > MAX_METADATA {
            return Err(OpenError::Rejected);
        }
        let (header, rest) = frame.split_at_mut_checked(length).ok_or(InternalError)?;
        let (plaintext, tag) = rest.split_at_mut_checked(body).ok_or(InternalError)?;
        let associated = Associated::received(header)?.with(metadata)?;
        receiving.key.open(counter, &associated, plaintext, tag)?;

        // P-9.13: remember the counter only now that the frame has verified.
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

    /// Removes all keys of a participant. None of its frames can be decrypted any more.
    pub fn remove(&mut self, participant: Participant) {
        self.senders.remove(&participant);
    }

    /// Removes every key but the newest of each participant.
    ///
    /// Call this a few seconds after a participant has left. Until then, anyone who has an older key can forge frames
    /// in the name of the key's owner.
    pub fn forget_older(&mut self) {
        self.senders.values_mut().for_each(|sender| sender.truncate(1));
    }

    /// Returns the number of keys held, including those kept for late frames.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.senders.values().map(Vec::len).sum()
    }

    /// Maximum number of participants whose keys are held. It bounds memory, and exceeds the number of people who can
    /// be heard at once.
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

/// Omits the plaintext.
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

/// Keys held for each participant: the newest, and two for late frames. People rarely join all at once.
const MAX_EPOCHS: usize = 3;
/// Late frames that an older key decrypts: ten seconds of audio.
const LATE_FRAMES: u64 = 512;
