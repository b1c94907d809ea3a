//! The keys that a call has: SRTP keys, SFrame base keys, and whose frames a base key is for.
//!
//! Does not know how they came about.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::error::BaseKeyError;
use super::suite::FrameSuite;
use crate::primitives::secret::Secret;

/// One participant of a group call: a number that the members of the call agree on, unique in the call.
///
/// Frames of participants 0 to 15 have headers of the shortest kind (docs/spec/calls.md, section 9.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Participant(pub u16);

/// SFrame's `base_key` (RFC 9605, section 4.4.1): the secret of one sender, from which its frames' keys are derived.
///
/// 16 to 64 bytes; those that this library makes have 32. Wiped on drop, absent from `Debug`.
pub struct BaseKey(Zeroizing<Vec<u8>>);

impl BaseKey {
    /// A base key that was agreed on elsewhere, such as by MLS. One sender alone may ever encrypt with it.
    ///
    /// # Errors
    ///
    /// [`BaseKeyError`] where it has less than 16 bytes or more than 64.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BaseKeyError> {
        if (SHORTEST..=LONGEST).contains(&bytes.len()) {
            Ok(Self(Zeroizing::new(bytes.to_vec())))
        } else {
            Err(BaseKeyError)
        }
    }

    pub(super) fn from_secret(secret: &Secret<32>) -> Self {
        Self(Zeroizing::new(secret.expose().to_vec()))
    }

    /// The secret bytes, for an SFrame implementation elsewhere. Copies of them are the caller's to wipe.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for BaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseKey(..)")
    }
}

/// A base key and whose frames it is for. Consumed by the one [`FrameSealer`](super::FrameSealer) that encrypts with it, or
/// by a [`FrameOpener`](super::FrameOpener): a key that did both would let a sender's frames come back to it.
///
/// ```
/// use bisik::call::{BaseKey, FrameSuite, Participant, SenderKey};
///
/// let base = BaseKey::from_bytes(&[7; 32])?;
/// let key = SenderKey::new(FrameSuite::default(), Participant(0), 0, base);
/// assert_eq!(key.participant(), Participant(0));
/// # Ok::<(), bisik::call::BaseKeyError>(())
/// ```
pub struct SenderKey {
    pub(super) suite: FrameSuite,
    pub(super) participant: Participant,
    pub(super) epoch: u32,
    pub(super) base: BaseKey,
}

impl SenderKey {
    /// The key of `participant` in its `epoch`: how often it has changed its key. In a call of two, both are 0.
    #[must_use]
    pub const fn new(suite: FrameSuite, participant: Participant, epoch: u32, base: BaseKey) -> Self {
        Self { suite, participant, epoch, base }
    }

    /// Whose frames it is for.
    #[must_use]
    pub const fn participant(&self) -> Participant {
        self.participant
    }

    /// Which of that participant's keys it is.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// How frames are protected.
    #[must_use]
    pub const fn suite(&self) -> FrameSuite {
        self.suite
    }

    /// The base key, for an SFrame implementation elsewhere.
    #[must_use]
    pub const fn base(&self) -> &BaseKey {
        &self.base
    }

    pub(super) fn key_id(&self) -> u64 {
        key_id(self.participant, self.epoch)
    }
}

impl fmt::Debug for SenderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { suite, participant, epoch, base: _ } = self;
        f.debug_struct("SenderKey")
            .field("suite", suite)
            .field("participant", participant)
            .field("epoch", epoch)
            .finish_non_exhaustive()
    }
}

/// P-9.10. The participant, then the last four bits of its epoch (RFC 9605, section 5.2). A receiver holds at most three
/// epochs of one participant, so that four bits tell them apart.
pub(super) fn key_id(participant: Participant, epoch: u32) -> u64 {
    (u64::from(participant.0) << EPOCH_BITS) | u64::from(epoch % EPOCHS)
}

/// Whose key an id names, where it can name one.
pub(super) fn participant_of(key_id: u64) -> Option<Participant> {
    u16::try_from(key_id >> EPOCH_BITS).ok().map(Participant)
}

/// SRTP keys of one direction, for AEAD_AES_256_GCM (RFC 7714, section 12): a master key of 32 bytes and a master salt
/// of 12.
///
/// Wiped on drop, absent from `Debug`.
pub struct SrtpKeys(Box<Secret<44>>);

impl SrtpKeys {
    pub(super) fn new(keys: Secret<44>) -> Self {
        Self(Box::new(keys))
    }

    /// Master key ‖ master salt, 44 bytes: the form that SRTP implementations take, and that of RFC 7714, section 14.
    /// Copies of them are the caller's to wipe.
    #[must_use]
    pub fn expose_key_and_salt(&self) -> &[u8; 44] {
        self.0.expose()
    }

    /// The master key. Copies of it are the caller's to wipe.
    #[must_use]
    pub fn expose_master_key(&self) -> &[u8; 32] {
        let [key @ .., _, _, _, _, _, _, _, _, _, _, _, _] = self.0.expose();
        key
    }

    /// The master salt.
    #[must_use]
    pub fn expose_master_salt(&self) -> &[u8; 12] {
        self.0.expose().last_chunk().unwrap_or(&[0; 12])
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpKeys(..)")
    }
}

/// The keys of one direction of a call of two: for SRTP, for SFrame, or SFrame within SRTP. All are independent.
#[derive(Debug)]
#[non_exhaustive]
pub struct DirectionKeys {
    /// For SRTP.
    pub srtp: SrtpKeys,
    /// For SFrame.
    pub base: BaseKey,
}

/// Bits of an epoch in a key id.
const EPOCH_BITS: u32 = 4;
/// Epochs that such bits tell apart.
const EPOCHS: u32 = 1 << EPOCH_BITS;
/// As many bits as the shortest cipher key of RFC 9605.
const SHORTEST: usize = 16;
/// As many bytes as the longest hash of RFC 9605: more is no stronger.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// P-9.4
    #[test]
    fn srtp_keys_are_a_master_key_and_then_a_master_salt() {
        let keys = SrtpKeys::new(Secret::new(core::array::from_fn(|at| u8::try_from(at).unwrap())));
        assert_eq!(
            [keys.expose_master_key().as_slice(), keys.expose_master_salt()].concat(),
            keys.expose_key_and_salt()
        );
        assert_eq!((keys.expose_master_key()[0], keys.expose_master_salt()[0]), (0, 32));
    }

    /// P-9.10
    #[test]
    fn a_key_id_is_a_participant_and_four_bits_of_its_epoch() {
        assert_eq!(key_id(Participant(0), 0), 0);
        assert_eq!(key_id(Participant(15), 31), 0xff);
        assert_eq!(key_id(Participant(u16::MAX), u32::MAX), 0xf_ffff);
        assert_eq!(participant_of(0xf_ffff), Some(Participant(u16::MAX)));
        assert_eq!(participant_of(0x10_0000), None);
    }
}
