//! Every key derivation of calls, with everything that the keys are bound to (docs/spec/calls.md, sections 9.2 and
//! 9.3).

use super::id::CallId;
use super::keys::{BaseKey, DirectionKeys, Participant, SrtpKeys};
use super::suite::FrameSuite;
use crate::keys::IdentityKey;
use crate::labels::call as labels;
use bisik_core::primitives::kdf::{Prk, digest};
use bisik_core::primitives::secret::Secret;

/// The values that the keys of a call of two are bound to.
pub(super) struct Transcript<'a> {
    pub(super) session: &'a [u8; 16],
    pub(super) caller: &'a IdentityKey,
    pub(super) callee: &'a IdentityKey,
    /// The offer without its secret: kind, call id, ephemeral key, encapsulation key.
    pub(super) offer: &'a [u8],
    /// The answer without its confirmation: kind, call id, ephemeral key, ciphertext.
    pub(super) answer: &'a [u8],
}

/// The keys and the confirmation that both sides derive.
pub(super) struct Derived {
    pub(super) by_caller: DirectionKeys,
    pub(super) by_callee: DirectionKeys,
    /// Proves to the caller that the callee has derived the same keys.
    pub(super) confirmation: Secret<32>,
}

impl Transcript<'_> {
    /// Derives the keys of both directions (P-9.2, P-9.3, P-9.4). Every part of the transcript has a fixed length, so
    /// no two transcripts have the same encoding.
    pub(super) fn derive(&self, agreement: &Secret<32>, encapsulated: &Secret<32>, offered: &Secret<32>) -> Derived {
        let Self { session, caller, callee, offer, answer } = self;
        let (caller, callee) = (caller.to_bytes(), callee.to_bytes());
        let transcript = digest(&[labels::TRANSCRIPT, *session, &caller, &callee, offer, answer]);
        let prk = Prk::extract(&[0; 32], &[agreement.expose(), encapsulated.expose(), offered.expose()]);
        let direction = |label: &[u8]| DirectionKeys {
            srtp: SrtpKeys::new(&prk.expand(&[labels::SRTP, label, &transcript])),
            base: BaseKey::from_secret(&prk.expand(&[labels::SFRAME, label, &transcript])),
        };
        Derived {
            by_caller: direction(labels::BY_CALLER),
            by_callee: direction(labels::BY_CALLEE),
            confirmation: prk.expand(&[labels::CONFIRMATION, &transcript]),
        }
    }
}

/// The values that the key of a participant's epoch is bound to.
pub(super) struct EpochBinding<'a> {
    pub(super) call: CallId,
    pub(super) epoch: u64,
    pub(super) participant: Participant,
    pub(super) suite: FrameSuite,
    pub(super) sender: &'a IdentityKey,
}

impl EpochBinding<'_> {
    /// The base key, the same for every recipient. Derived from this epoch's secret alone (P-9.6).
    pub(super) fn base(&self, secret: &Secret<32>) -> BaseKey {
        BaseKey::from_secret(&self.expand(secret, labels::EPOCH_BASE, &[]))
    }

    /// The confirmation for one recipient and one session. Another device, or another session, computes a different
    /// value (P-9.5).
    pub(super) fn confirmation(&self, secret: &Secret<32>, recipient: &IdentityKey, session: &[u8; 16]) -> Secret<32> {
        self.expand(secret, labels::EPOCH_RECIPIENT, &[&recipient.to_bytes(), session])
    }

    fn expand(&self, secret: &Secret<32>, label: &[u8], more: &[&[u8]]) -> Secret<32> {
        let Self { call, epoch, participant, suite, sender } = self;
        let context = digest(&[
            label,
            call.as_bytes(),
            &epoch.to_be_bytes(),
            &participant.0.to_be_bytes(),
            &[suite.number()],
            &sender.to_bytes(),
            &more.concat(),
        ]);
        Prk::extract(&[0; 32], &[secret.expose()]).expand(&[label, &context])
    }
}
