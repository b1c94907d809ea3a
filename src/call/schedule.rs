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

/// The values that the key of a participant's epoch is bound to: `B` of section 9.3.
#[derive(Clone, Copy)]
pub(super) struct EpochBinding {
    /// Id of the group that the call belongs to, or zeros.
    pub(super) group: [u8; 32],
    /// What its sender knew of the group, or zeros.
    pub(super) view: [u8; 32],
    pub(super) call: CallId,
    pub(super) epoch: u32,
    pub(super) participant: Participant,
    pub(super) suite: FrameSuite,
    pub(super) sender: IdentityKey,
}

impl EpochBinding {
    /// The base key, the same for every recipient.
    pub(super) fn base(&self, secret: &Secret<32>) -> BaseKey {
        BaseKey::from_secret(&self.expand(secret, labels::EPOCH_BASE, &[]))
    }

    /// The secret of this epoch, from that of the epoch before. Whoever has it cannot go back.
    pub(super) fn follow(&self, before: &Secret<32>) -> Secret<32> {
        self.expand(before, labels::EPOCH_NEXT, &[])
    }

    /// The confirmation for one recipient and one session, and of which stay of the recipient is known. Another device, or
    /// another session, computes a different value (P-9.5).
    pub(super) fn confirmation(
        &self,
        secret: &Secret<32>,
        known: Option<Participant>,
        recipient: &IdentityKey,
        session: &[u8; 16],
    ) -> Secret<32> {
        self.expand(secret, labels::EPOCH_RECIPIENT, &[&stay(known).to_be_bytes(), &recipient.to_bytes(), session])
    }

    fn expand(&self, secret: &Secret<32>, label: &[u8], more: &[&[u8]]) -> Secret<32> {
        let Self { group, view, call, epoch, participant, suite, sender } = self;
        let context = digest(&[
            label,
            group,
            view,
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

/// A stay, or none, as both its encoding and the confirmation have it.
pub(super) fn stay(number: Option<Participant>) -> u32 {
    number.map_or(NO_STAY, |Participant(number)| number.into())
}

/// The number after all that a stay can have.
pub(super) const NO_STAY: u32 = 1 << 16;
