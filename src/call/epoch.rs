//! [`EpochKey`]: the key of a participant of a group call in one of its epochs, addressed to one other device.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::error::SignalError;
use super::id::{CallId, EPOCH_KEY};
use super::keys::{Participant, SenderKey};
use super::schedule::{EpochBinding, NO_STAY, stay};
use super::suite::FrameSuite;
use crate::keys::IdentityKey;
use crate::session::Session;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::secret::Secret;

/// One epoch of one participant: the secret, and everything that it is bound to.
pub(super) struct Epoch {
    pub(super) binding: EpochBinding,
    secret: Box<Secret<32>>,
}

impl Epoch {
    /// Draws the secret of a new epoch. P-9.6: it is independent of every earlier one.
    pub(super) fn generate(binding: EpochBinding, rng: &mut dyn CryptoRng) -> Self {
        Self { binding, secret: Box::new(Secret::random(rng)) }
    }

    /// The epoch after this one, with the secret that follows from this one's (P-9.6); `None` after the last.
    pub(super) fn next(&self) -> Option<Self> {
        let binding = EpochBinding { epoch: self.binding.epoch.checked_add(1)?, ..self.binding };
        Some(Self { binding, secret: Box::new(binding.follow(&self.secret)) })
    }

    /// The key with which the participant encrypts its frames and the others decrypt them.
    pub(super) fn sender_key(&self) -> SenderKey {
        let EpochBinding { suite, participant, epoch, .. } = self.binding;
        SenderKey::new(suite, participant, epoch.into(), self.binding.base(&self.secret))
    }

    /// The key to send to the peer of `session`, and the stay of the peer of which a key is known.
    pub(super) fn key_for(&self, session: &Session, known: Option<Participant>) -> EpochKey {
        let EpochBinding { view, call, epoch, participant, suite, .. } = self.binding;
        let confirmation = *self.binding.confirmation(&self.secret, known, session.peer(), session.id()).expose();
        let secret = Box::new(self.secret.duplicate());
        EpochKey { call, view, epoch, participant, suite, known, secret, confirmation }
    }

    /// Whether both have one secret, in constant time.
    pub(super) fn has_secret_of(&self, other: &Self) -> bool {
        self.secret.ct_eq(&other.secret).into()
    }
}

/// The key of one participant in one epoch, addressed to one device in one session.
///
/// It contains a secret: pass its bytes to [`Session::encrypt`] and nowhere else.
/// [`GroupCall::key_for`](super::GroupCall::key_for) makes it; [`GroupCall::accept_key`](super::GroupCall::accept_key)
/// takes it.
pub struct EpochKey {
    call: CallId,
    view: [u8; 32],
    epoch: u32,
    participant: Participant,
    suite: FrameSuite,
    /// The newest stay of the recipient of which its sender has a key.
    known: Option<Participant>,
    secret: Box<Secret<32>>,
    confirmation: [u8; 32],
}

impl EpochKey {
    /// Length in bytes: 124.
    pub const LENGTH: usize = 1 + 16 + 32 + 4 + 2 + 1 + 4 + 32 + 32;

    /// Decodes an epoch key from the plaintext of a session's message.
    ///
    /// # Errors
    ///
    /// [`SignalError::Malformed`] if the bytes are not the encoding of an epoch key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[EPOCH_KEY])?;
        let (call, view) = (CallId::from_bytes(*reader.array()?), *reader.array()?);
        let epoch = reader.u32()?;
        let participant = Participant(u16::from_be_bytes(*reader.array()?));
        let suite = FrameSuite::from_number(reader.u8()?).ok_or(Malformed)?;
        let known = match reader.u32()? {
            NO_STAY => None,
            number => Some(Participant(u16::try_from(number).map_err(|_| Malformed)?)),
        };
        let secret = Box::new(Secret::copy_of(reader.array()?));
        let confirmation = *reader.array()?;
        reader.finish()?;
        Ok(Self { call, view, epoch, participant, suite, known, secret, confirmation })
    }

    /// Encodes the key, to [encrypt](Session::encrypt) in the session that it was made for.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { call, view, epoch, participant, suite, known, secret, confirmation } = self;
        let mut writer = SecretWriter::with_capacity(Self::LENGTH);
        writer.u8(EPOCH_KEY).bytes(call.as_bytes()).bytes(view).u32(*epoch).bytes(&participant.0.to_be_bytes());
        writer.u8(suite.number()).u32(stay(*known)).bytes(secret.expose()).bytes(confirmation);
        writer.finish()
    }

    /// Returns the id of the call.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.call
    }

    /// Returns the view of the group under which its sender made the secret: 32 zeros in a call without a group.
    #[must_use]
    pub const fn view(&self) -> &[u8; 32] {
        &self.view
    }

    /// Returns the number that its sender has drawn for its stay in the call.
    #[must_use]
    pub const fn participant(&self) -> Participant {
        self.participant
    }

    /// Returns the number of the epoch.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The newest stay of the recipient of which its sender has a key.
    pub(super) const fn known(&self) -> Option<Participant> {
        self.known
    }

    pub(super) const fn suite(&self) -> FrameSuite {
        self.suite
    }

    fn binding(&self, group: [u8; 32], sender: &IdentityKey) -> EpochBinding {
        let Self { call, view, epoch, participant, suite, known: _, secret: _, confirmation: _ } = self;
        let (view, epoch, participant, sender) = (*view, *epoch, *participant, *sender);
        EpochBinding { group, view, call: *call, epoch, participant, suite: *suite, sender }
    }

    /// Returns whether `sender` made this key for the device `own`, in the session with this id and for a call of this
    /// group. P-9.5: the confirmations are compared in constant time.
    pub(super) fn is_for(&self, own: &IdentityKey, group: [u8; 32], sender: &IdentityKey, session: &[u8; 16]) -> bool {
        let expected = self.binding(group, sender).confirmation(&self.secret, self.known, own, session);
        expected.expose().ct_eq(&self.confirmation).into()
    }

    /// The epoch of `sender` whose key this is.
    pub(super) fn of(&self, group: [u8; 32], sender: &IdentityKey) -> Epoch {
        Epoch { binding: self.binding(group, sender), secret: Box::new(self.secret.duplicate()) }
    }
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, view: _, epoch, participant, suite, known: _, secret: _, confirmation: _ } = self;
        f.debug_struct("EpochKey")
            .field("call", call)
            .field("participant", participant)
            .field("epoch", epoch)
            .field("suite", suite)
            .finish_non_exhaustive()
    }
}
