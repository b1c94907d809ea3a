//! [`EpochKey`]: the next key of a participant of a group call, addressed to one other device.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::error::SignalError;
use super::id::{CallId, EPOCH_KEY};
use super::keys::{Participant, SenderKey};
use super::schedule::EpochBinding;
use super::suite::FrameSuite;
use crate::keys::IdentityKey;
use crate::session::Session;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;

/// The local participant's key of one epoch. It encrypts the local frames and is sent to every other participant.
pub(super) struct Epoch {
    pub(super) call: CallId,
    pub(super) number: u64,
    pub(super) participant: Participant,
    pub(super) suite: FrameSuite,
    secret: Box<Secret<32>>,
}

impl Epoch {
    /// Draws the secret of a new epoch. P-9.6: it is fresh randomness, independent of every earlier key.
    pub(super) fn generate(
        call: CallId,
        number: u64,
        participant: Participant,
        suite: FrameSuite,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        Self { call, number, participant, suite, secret: Box::new(Secret::random(rng)) }
    }

    const fn binding<'a>(&self, sender: &'a IdentityKey) -> EpochBinding<'a> {
        EpochBinding { call: self.call, epoch: self.number, participant: self.participant, suite: self.suite, sender }
    }

    /// The key with which `sender` encrypts its frames and the other participants decrypt them.
    pub(super) fn sender_key(&self, sender: &IdentityKey) -> SenderKey {
        SenderKey::new(self.suite, self.participant, self.number, self.binding(sender).base(&self.secret))
    }

    /// The key to send to the peer of `session`.
    pub(super) fn key_for(&self, own: &IdentityKey, session: &Session) -> EpochKey {
        let confirmation = self.binding(own).confirmation(&self.secret, session.peer(), session.id());
        let Self { call, number, participant, suite, secret } = self;
        let secret = Box::new(secret.duplicate());
        let epoch = Self { call: *call, number: *number, participant: *participant, suite: *suite, secret };
        EpochKey { epoch, confirmation: *confirmation.expose() }
    }
}

/// The key of one participant's epoch, addressed to one device in one session.
///
/// It contains a secret: pass its bytes to [`Session::encrypt`] and nowhere else.
/// [`GroupCall::key_for`](super::GroupCall::key_for) makes it; [`GroupCall::accept_key`](super::GroupCall::accept_key)
/// takes it.
pub struct EpochKey {
    pub(super) epoch: Epoch,
    confirmation: [u8; 32],
}

impl EpochKey {
    /// Length in bytes: 92.
    pub const LENGTH: usize = 1 + 16 + 8 + 2 + 1 + 32 + 32;

    /// Decodes an epoch key from the plaintext of a session's message.
    ///
    /// # Errors
    ///
    /// [`SignalError::Malformed`] if the bytes are not the encoding of an epoch key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[EPOCH_KEY])?;
        let call = CallId::from_bytes(*reader.array()?);
        let number = reader.u64()?;
        let participant = Participant(u16::from_be_bytes(*reader.array()?));
        let suite = FrameSuite::from_number(reader.u8()?).ok_or(Malformed)?;
        let secret = Box::new(Secret::copy_of(reader.array()?));
        let confirmation = *reader.array()?;
        reader.finish()?;
        Ok(Self { epoch: Epoch { call, number, participant, suite, secret }, confirmation })
    }

    /// Encodes the key, to [encrypt](Session::encrypt) in the session that it was made for.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { epoch: Epoch { call, number, participant, suite, secret }, confirmation } = self;
        let mut writer = SecretWriter::with_capacity(Self::LENGTH);
        writer.u8(EPOCH_KEY).bytes(call.as_bytes()).u64(*number).bytes(&participant.0.to_be_bytes());
        writer.u8(suite.number()).bytes(secret.expose()).bytes(confirmation);
        writer.finish()
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.epoch.call
    }

    /// Returns the participant that the key claims to be from.
    #[must_use]
    pub const fn participant(&self) -> Participant {
        self.epoch.participant
    }

    /// Returns the number of the epoch.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch.number
    }

    /// Returns whether the peer of `session` made this key in this session for the device `own`.
    /// P-9.5: the confirmations are compared in constant time.
    pub(super) fn is_for(&self, own: &IdentityKey, session: &Session) -> bool {
        let expected = self.epoch.binding(session.peer()).confirmation(&self.epoch.secret, own, session.id());
        expected.expose().ct_eq(&self.confirmation).into()
    }
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch: Epoch { call, number, participant, suite, secret: _ }, confirmation: _ } = self;
        f.debug_struct("EpochKey")
            .field("call", call)
            .field("participant", participant)
            .field("epoch", number)
            .field("suite", suite)
            .finish_non_exhaustive()
    }
}
