//! [`FrameOpener`]: decryption of frames, with the keys of every participant and the counters received under each.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::error::{InstallError, OpenError};
use super::header::Header;
use super::keys::{Participant, SenderKey, participant_of};
use super::receiving::{self, Receiving};
use bisik_core::codec::Malformed;

/// Decrypts the frames of every sender whose key is installed, each frame once
/// ([section 9.5](crate::manual::spec::calls#95-receiving)).
///
/// It is for a call of two, and for keys from elsewhere, such as MLS; a [`GroupCall`](super::GroupCall) keeps the keys
/// of its participants itself.
///
/// For each sender it holds the newest key and up to two older ones, each of which decrypts 512 more late frames. It
/// knows at most 256 senders, so it uses less than 2 MiB whatever arrives.
///
/// See [`FrameSealer`](super::FrameSealer) for an example with both sides.
pub struct FrameOpener {
    senders: BTreeMap<Participant, Sender>,
}

/// The keys of one sender, newest first.
type Sender = Vec<Box<Receiving>>;

/// A decrypted frame, authentic and received for the first time.
pub struct DecryptedFrame<'a> {
    /// The sender whose key the frame was encrypted with. Everybody else who has the key could have encrypted the frame
    /// too.
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

    /// Installs the key of a sender's next epoch.
    ///
    /// The previous key still decrypts 512 late frames. Only the three newest keys of a sender are kept (requirement
    /// P-9.14). A sender that has lost its state and counts its epochs anew needs another number, or must be
    /// [removed](Self::remove) first.
    ///
    /// # Errors
    ///
    /// [`InstallError`] if the epoch is not newer, or there are too many senders. The state is unchanged.
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
        sender.iter_mut().for_each(|older| older.limit());
        sender.insert(0, Box::new(Receiving::new(&key)));
        Ok(())
    }

    /// Decrypts a frame of any sender in place. `metadata` must equal the metadata that the sender passed.
    ///
    /// Allocates nothing, except with the feature `graviola` a copy of a frame above 1,536 bytes, until it returns. A
    /// frame under an unknown key costs one table lookup; a duplicate costs one more.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; the opener and `frame` are unchanged.
    pub fn open<'a>(&mut self, metadata: &[u8], frame: &'a mut [u8]) -> Result<DecryptedFrame<'a>, OpenError> {
        let header = Header::decode(frame).map_err(|Malformed| OpenError::Malformed)?;
        let participant = participant_of(header.key_id).ok_or(OpenError::UnknownKey)?;
        let sender = self.senders.get_mut(&participant).ok_or(OpenError::UnknownKey)?;
        let receiving = sender.iter_mut().find(|key| key.key_id == header.key_id).ok_or(OpenError::UnknownKey)?;
        let (body, epoch) = (receiving.open(&header, metadata, frame)?, receiving.epoch);
        sender.retain(|key| !key.is_spent());
        let (counter, plaintext) = (header.counter, receiving::plaintext(&header, body, frame)?);
        Ok(DecryptedFrame { participant, epoch, counter, plaintext })
    }

    /// Removes all keys of a sender. None of its frames can be decrypted any more.
    pub fn remove(&mut self, participant: Participant) {
        self.senders.remove(&participant);
    }

    /// Removes every key but the newest of each sender.
    ///
    /// Call this a few seconds after a key was replaced because somebody may no longer have it. Until then, anyone who
    /// has an older key can forge frames in the name of the key's owner.
    pub fn forget_older(&mut self) {
        self.senders.values_mut().for_each(|sender| sender.truncate(1));
    }

    /// Returns the number of keys held, including those kept for late frames.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.senders.values().map(Vec::len).sum()
    }

    /// Maximum number of senders whose keys are held. It bounds memory, and exceeds the number of people who can
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

/// Keys held for each sender: the newest, and two for late frames.
const MAX_EPOCHS: usize = 3;
