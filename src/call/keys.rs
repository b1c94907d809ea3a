//! The keys of a call: SRTP keys, SFrame base keys, and the sender keys that bind a base key to a participant.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::error::BaseKeyError;
use super::suite::FrameSuite;
use bisik_core::primitives::secret::Secret;

/// The number of a sender, which is in the header of each of its frames
/// ([section 9.4](crate::manual::spec::calls#94-frames)).
///
/// In a [`GroupCall`](super::GroupCall) each device draws one at random, for each stay in the call. Of keys from
/// elsewhere, such as MLS, the program numbers the senders; numbers 0 to 15 have the shortest headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Participant(pub u16);

/// SFrame's `base_key` (RFC 9605, section 4.4.1): one sender's secret, from which the keys of its frames derive.
///
/// It has 16 to 64 bytes; those derived by this library have 32. It is wiped on drop and does not appear in `Debug`
/// output.
///
/// ```
/// use bisik::call::{BaseKey, FrameOpener, FrameSealer, FrameSuite, Participant, SenderKey};
///
/// // Another protocol, such as MLS, has agreed on a secret for what participant 1 sends.
/// let key = || -> Result<SenderKey, bisik::call::BaseKeyError> {
///     Ok(SenderKey::new(FrameSuite::default(), Participant(1), 0, BaseKey::from_bytes(&[7; 32])?))
/// };
/// let (mut sealer, mut opener) = (FrameSealer::new(key()?), FrameOpener::new());
/// opener.install(key()?)?;
/// let mut packet = Vec::new();
/// sealer.seal(b"stream 1", b"20 ms of sound", &mut packet)?;
/// assert_eq!(opener.open(b"stream 1", &mut packet)?.plaintext, b"20 ms of sound");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BaseKey(Zeroizing<Vec<u8>>);

impl BaseKey {
    /// Creates a base key that another protocol, such as MLS, agreed on. Only one sender may ever encrypt with it.
    ///
    /// # Errors
    ///
    /// [`BaseKeyError`] if it has less than 16 or more than 64 bytes.
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

    /// Returns the secret bytes, for another SFrame implementation. The caller must wipe copies of them.
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

/// A base key, and the participant whose frames it is for.
///
/// It is consumed by the one [`FrameSealer`](super::FrameSealer) that encrypts with it, or by a
/// [`FrameOpener`](super::FrameOpener). If one device used a key for both, an attacker could reflect its frames.
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
    pub(super) epoch: u64,
    pub(super) base: BaseKey,
}

impl SenderKey {
    /// Creates the key of `participant` in its `epoch`, a number that grows with every change of its key. Both are 0 in
    /// a call of two.
    #[must_use]
    pub const fn new(suite: FrameSuite, participant: Participant, epoch: u64, base: BaseKey) -> Self {
        Self { suite, participant, epoch, base }
    }

    /// Returns the participant whose frames the key is for.
    #[must_use]
    pub const fn participant(&self) -> Participant {
        self.participant
    }

    /// Returns the number of the epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the cipher suite.
    #[must_use]
    pub const fn suite(&self) -> FrameSuite {
        self.suite
    }

    /// Returns the base key, for another SFrame implementation.
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

/// P-9.10: the participant, then the last four bits of the epoch (RFC 9605, section 5.2). Four bits suffice because a
/// receiver looks eight epochs ahead and holds none of more than seven before.
pub(super) fn key_id(participant: Participant, epoch: u64) -> u64 {
    (u64::from(participant.0) << EPOCH_BITS) | (epoch % EPOCHS)
}

/// Returns the participant that a key id names, if it is in range.
pub(super) fn participant_of(key_id: u64) -> Option<Participant> {
    u16::try_from(key_id >> EPOCH_BITS).ok().map(Participant)
}

/// SRTP keys of one direction, for AEAD_AES_256_GCM (RFC 7714, section 12): a master key of 32 bytes and a master salt
/// of 12.
///
/// They are wiped on drop and do not appear in `Debug` output.
pub struct SrtpKeys(Box<Srtp>);

struct Srtp {
    both: Secret<44>,
    key: Secret<32>,
    salt: Secret<12>,
}

impl SrtpKeys {
    /// Copies the secrets into a box of zeros, so that no copy of them is left on the stack.
    pub(super) fn new(keys: &Secret<44>) -> Self {
        let mut srtp = Box::new(Srtp { both: Secret::zero(), key: Secret::zero(), salt: Secret::zero() });
        let Srtp { both, key, salt } = srtp.as_mut();
        both.expose_mut().iter_mut().zip(keys.expose()).for_each(|(to, from)| *to = *from);
        let parts = key.expose_mut().iter_mut().chain(salt.expose_mut());
        parts.zip(keys.expose()).for_each(|(to, from)| *to = *from);
        Self(srtp)
    }

    /// Returns `master key ‖ master salt`, 44 bytes, the form of RFC 7714, section 14, which SRTP implementations take.
    /// The caller must wipe copies.
    #[must_use]
    pub fn expose_key_and_salt(&self) -> &[u8; 44] {
        self.0.both.expose()
    }

    /// Returns the master key. The caller must wipe copies.
    #[must_use]
    pub fn expose_master_key(&self) -> &[u8; 32] {
        self.0.key.expose()
    }

    /// Returns the master salt.
    #[must_use]
    pub fn expose_master_salt(&self) -> &[u8; 12] {
        self.0.salt.expose()
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SrtpKeys(..)")
    }
}

/// The keys of one direction of a call of two, for SRTP, for SFrame, or for SFrame within SRTP. They are independent.
#[derive(Debug)]
#[non_exhaustive]
pub struct DirectionKeys {
    /// Keys for SRTP.
    pub srtp: SrtpKeys,
    /// The base key for SFrame.
    pub base: BaseKey,
}

/// Number of bits of the epoch in a key id.
const EPOCH_BITS: u32 = 4;
/// Number of epochs that those bits distinguish.
pub(super) const EPOCHS: u64 = 1 << EPOCH_BITS;
/// Minimum length of a base key in bytes: that of the shortest cipher key of RFC 9605.
const SHORTEST: usize = 16;
/// Maximum length of a base key in bytes: that of the longest hash of RFC 9605. A longer key would be no stronger.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// P-9.4: SRTP keys have the form of AEAD_AES_256_GCM.
    #[test]
    fn srtp_keys_are_a_master_key_and_then_a_master_salt() {
        let keys = SrtpKeys::new(&Secret::new(core::array::from_fn(|at| u8::try_from(at).unwrap())));
        assert_eq!(
            [keys.expose_master_key().as_slice(), keys.expose_master_salt()].concat(),
            keys.expose_key_and_salt()
        );
        assert_eq!((keys.expose_master_key()[0], keys.expose_master_salt()[0]), (0, 32));
    }

    /// P-9.10: `participant × 16 + (epoch mod 16)`.
    #[test]
    fn a_key_id_is_a_participant_and_four_bits_of_its_epoch() {
        assert_eq!(key_id(Participant(0), 0), 0);
        assert_eq!(key_id(Participant(15), 31), 0xff);
        assert_eq!(key_id(Participant(u16::MAX), u64::MAX), 0xf_ffff);
        assert_eq!(participant_of(0xf_ffff), Some(Participant(u16::MAX)));
        assert_eq!(participant_of(0x10_0000), None);
    }
}
