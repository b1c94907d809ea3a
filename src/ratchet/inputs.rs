//! What a step takes in from outside the ratchet, and what a caller says about missing messages (docs/spec/session.md,
//! sections 3.4, 3.6 and 4.7).

use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::x25519::{KeyPair, Point};

/// What a responder's step 1 takes in beside the ratchet keys. Nothing, if there is no session around the ratchet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Making<'a> {
    /// The initiator's identity, as a point to agree with.
    pub(crate) identity: Option<&'a Point>,
    /// What the older session gives.
    pub(crate) resumption: Option<&'a Secret<32>>,
}

/// What an initiator takes in when it reads step 1.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading<'a> {
    /// The initiator's own identity.
    pub(crate) identity: Option<&'a KeyPair>,
    /// What the older sessions give, by place.
    pub(crate) resumptions: [Option<&'a Secret<32>>; 4],
}

impl<'a> Reading<'a> {
    /// What is offered at a place from 1 to 4; nothing at place 0. `None` if that place was not offered.
    pub(super) fn resumption(&self, place: u8) -> Option<Option<&'a Secret<32>>> {
        let Some(index) = usize::from(place).checked_sub(1) else { return Some(None) };
        self.resumptions.get(index).copied().flatten().map(Some)
    }
}

/// What to do about missing messages whose keys cannot all be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Refuse the message as ahead.
    Keep,
    /// P-4.16: read it, and give up the oldest of the missing ones.
    GiveUp,
}
