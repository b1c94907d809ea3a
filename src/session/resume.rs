//! Binding a session to an older one with the same peer (docs/spec/session.md, section 3.6).

use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::{Opening, Session, Share};
use crate::ratchet::{MAX_PLACES, Resumption};
use bisik_core::held::Poisoned;

/// Why a session was not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResumeError {
    /// Only the side that accepted the session may bind it, once, and before it has sent anything.
    TooLate,
    /// A staged message was sealed and then dropped: drop the session too, and load the stored record.
    Poisoned,
}

bisik_core::error_texts! {
    ResumeError {
        TooLate => "session.resume.too_late", "the session can no longer be bound to an older one";
        Poisoned => "session.resume.poisoned", "a sealed message was not committed: load the stored record";
    }
}

impl From<Poisoned> for ResumeError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

/// The older session's secret that a session was bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The place among the initiator's labels, from 1 to 4.
    pub place: u8,
    /// The index in the secrets that were passed to [`Session::resume`].
    pub index: usize,
}

impl Session {
    /// The labels of the older sessions that the initiator offers to bind this one to; `None` once it was answered, and
    /// on the accepting side. Send them inside the first messages; the peer passes them to [`resume`](Self::resume).
    ///
    /// Places without an offer hold random bytes, so that labels do not tell whether there was an older session.
    #[must_use]
    pub fn labels(&self) -> Option<[[u8; 8]; 4]> {
        match &self.opening {
            Opening::Waiting(waiting) => Some(waiting.labels),
            Opening::Answered | Opening::Accepted { .. } => None,
        }
    }

    /// Binds an accepted session to an older one: takes the first of the initiator's `labels` that one of the `held`
    /// secrets has made. Call it before the first answer, with the [`accepts`](Self::accepts) of *confirmed* sessions
    /// with the same peer. Labels that nothing fits change nothing: the session is then not bound, and works as well.
    ///
    /// Two labels are compared in constant time. Which one fits is no secret: the answer says it. Requirement P-3.17.
    ///
    /// # Errors
    ///
    /// [`ResumeError`]. On error the session is unchanged.
    pub fn resume(&mut self, labels: &[[u8; 8]; 4], held: &[Resumption]) -> Result<Option<Resumed>, ResumeError> {
        self.lineage.check()?;
        let unanswered = self.ratchet.step() == 0 && self.ratchet.bound() == 0;
        let Opening::Accepted { flight: _, resumption } = &mut self.opening else { return Err(ResumeError::TooLate) };
        if !unanswered {
            return Err(ResumeError::TooLate);
        }
        let binding = self.ratchet.binding();
        let made: Vec<[u8; 8]> = held.iter().map(|secret| secret.label(binding)).collect();
        for (place, label) in (1..=MAX_PLACES).zip(labels) {
            let fits = |made: &[u8; 8]| bool::from(made.ct_eq(label));
            let Some((index, secret)) =
                held.iter().enumerate().zip(&made).find_map(|(secret, made)| fits(made).then_some(secret))
            else {
                continue;
            };
            *resumption = Some(secret.input(binding));
            self.bound_by = Some(secret.name());
            self.ratchet.bind(place);
            self.lineage.change();
            return Ok(Some(Resumed { place, index }));
        }
        Ok(None)
    }

    /// The place of the label that binds this session to an older one, from 1 to 4, or 0 if it is not bound. `None`
    /// while that is not decided: on the initiator's side before the first answer.
    #[must_use]
    pub const fn bound(&self) -> Option<u8> {
        match self.opening {
            Opening::Waiting(_) => None,
            Opening::Answered | Opening::Accepted { .. } => Some(self.ratchet.bound()),
        }
    }

    /// The [name](Resumption::name) of the secret that binds this session to an older one.
    #[must_use]
    pub const fn bound_by(&self) -> Option<&[u8; 8]> {
        self.bound_by.as_ref()
    }

    /// A secret of this session that the peer surely holds, to offer in a new session with the same peer: of the newest
    /// step that the peer has made. `None` before there was one. Offer secrets of *confirmed* sessions only.
    /// Requirement P-3.19.
    #[must_use]
    pub fn offer(&self) -> Option<Resumption> {
        self.ratchet.offer()
    }

    /// The secrets of this session that the peer may offer in a new session: of the last three own steps, newest first.
    /// Accept secrets of *confirmed* sessions only: that of the first step is known to whoever holds the initiator's
    /// identity alone. Requirement P-3.20.
    #[must_use]
    pub fn accepts(&self) -> Vec<Resumption> {
        self.ratchet.accepts()
    }

    /// Deletes the secret of that name. Returns whether this session had it.
    ///
    /// # Errors
    ///
    /// [`ResumeError::Poisoned`]. On error the session is unchanged.
    pub fn forget_resumption(&mut self, name: &[u8; 8]) -> Result<bool, ResumeError> {
        self.lineage.check()?;
        let forgotten = self.ratchet.forget_resumption(name);
        if forgotten {
            self.lineage.change();
        }
        Ok(forgotten)
    }

    /// Deletes every resumption secret of this session: once it has been replaced, and the session that replaced it has
    /// received four chains. Requirement P-3.22.
    ///
    /// # Errors
    ///
    /// [`ResumeError::Poisoned`]. On error the session is unchanged.
    pub fn forget_all_resumption(&mut self) -> Result<(), ResumeError> {
        self.lineage.check()?;
        if self.ratchet.forget_all_resumption() {
            self.lineage.change();
        }
        Ok(())
    }
}

/// The initiator's shares of the offers, and the labels: those of the offers, then random ones.
pub(super) fn shares(offers: &[Resumption], binding: &[u8; 32], random: [[u8; 8]; 4]) -> ([[u8; 8]; 4], Vec<Share>) {
    let mut labels = random;
    let mut shares = Vec::with_capacity(offers.len());
    for ((place, label), offer) in (1..=MAX_PLACES).zip(&mut labels).zip(offers) {
        *label = offer.label(binding);
        shares.push(Share { place, name: offer.name(), input: offer.input(binding) });
    }
    (labels, shares)
}
