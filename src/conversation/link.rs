//! The sessions with one device: which one to send in, and which ones can still decrypt (docs/spec/conversations.md,
//! section 12.3).

use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::keys::{Identity, IdentityKey};
use crate::session::{Ciphertext, DecryptError, Session, Staged};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::{self, Timestamp};

/// Everything with one device.
pub(super) struct Link {
    /// Whose sessions these are: never those of another key under the same index.
    pub(super) key: IdentityKey,
    /// When this side last set up a session because those before it were lost, if it ever did.
    pub(super) healed: Option<Timestamp>,
    /// Oldest first.
    slots: Vec<Slot>,
}

struct Slot {
    session: Session,
    /// Still to be sent in; otherwise kept for what is on its way.
    candidate: bool,
    /// Set up by this side because those before it were lost: its first messages say so.
    fresh: bool,
}

impl Slot {
    /// Whether this session was set up by this side to replace lost ones, and the peer has not answered in it.
    fn replaces(&self) -> bool {
        self.candidate && self.fresh && !self.session.is_confirmed()
    }
}

impl Link {
    pub(super) const fn new(key: IdentityKey) -> Self {
        Self { key, healed: None, slots: Vec::new() }
    }

    /// Whether there is a session to send in under `disclosure`.
    pub(super) fn has_session(&self, disclosure: Option<DisclosureHash>) -> bool {
        self.slots.iter().any(|slot| slot.candidate && slot.session.disclosure() == disclosure)
    }

    pub(super) fn is_sendable(&mut self) -> bool {
        self.active().is_some()
    }

    /// P-12.6: nothing is sent any more in a session under another disclosure; it still decrypts.
    pub(super) fn retire_others(&mut self, disclosure: Option<DisclosureHash>) {
        for slot in &mut self.slots {
            slot.candidate &= slot.session.disclosure() == disclosure;
        }
    }

    /// P-12.7: the session to send in. Confirmed candidates come first, so that nobody who cannot confirm a session
    /// displaces one. Of several the smallest id, which both devices find alike.
    fn active(&mut self) -> Option<&mut Slot> {
        let candidates = self.slots.iter_mut().filter(|slot| slot.candidate);
        candidates.min_by_key(|slot| (!slot.session.is_confirmed(), *slot.session.id()))
    }

    /// Encrypts in the active session what `frame` makes of whether that session replaces lost ones.
    pub(super) fn encrypt(
        &mut self,
        frame: impl FnOnce(bool) -> Zeroizing<Vec<u8>>,
        rng: &mut dyn CryptoRng,
    ) -> Option<Ciphertext> {
        let Slot { session, candidate: _, fresh } = self.active()?;
        let frame = frame(*fresh && !session.is_confirmed());
        session.encrypt(&frame, rng).ok()
    }

    /// A session that this side has set up because there was none to send in.
    pub(super) fn add_ours(&mut self, session: Session) {
        self.push(Slot { session, candidate: true, fresh: false });
    }

    /// Adds a session that the peer has set up: both sides may have done so at once. P-12.8: if this side has just
    /// replaced its sessions, the peer did not know that yet, and will use the replacement.
    pub(super) fn add_peers(&mut self, session: Session) {
        let candidate = !self.slots.iter().any(Slot::replaces);
        self.push(Slot { session, candidate, fresh: false });
    }

    fn push(&mut self, slot: Slot) {
        self.slots.push(slot);
        self.trim();
    }

    /// P-12.8: adds a session that the peer has set up because it lost the others, and with them perhaps the pre-keys
    /// that opened them. A session that this side set up stays a candidate only if it, too, replaces lost ones and is
    /// not answered yet: both sides may have lost their sessions at once.
    pub(super) fn replace_by_peers(&mut self, session: Session) {
        for slot in &mut self.slots {
            slot.candidate = slot.replaces();
        }
        self.push(Slot { session, candidate: true, fresh: false });
    }

    /// A session that this side has set up because it lost the others.
    pub(super) fn replace_by_ours(&mut self, session: Session, now: Timestamp) {
        for slot in &mut self.slots {
            slot.candidate = false;
        }
        self.healed = Some(now);
        self.push(Slot { session, candidate: true, fresh: true });
    }

    /// Whether one of the sessions was opened by this very first message.
    pub(super) fn recognizes(&self, message: &Ciphertext) -> bool {
        self.slots.iter().any(|slot| slot.session.recognizes(message))
    }

    /// Decrypts in whichever session the message belongs to, and gives that session's disclosure too. P-12.9: that does not
    /// make it the one to send in.
    pub(super) fn stage(
        &mut self,
        identity: &Identity,
        message: &Ciphertext,
    ) -> Result<(Option<DisclosureHash>, Staged<'_>), DecryptError> {
        let mut reason = DecryptError::Rejected;
        for slot in self.slots.iter_mut().rev() {
            let disclosure = slot.session.disclosure();
            match slot.session.stage_giving_up(identity, message) {
                Ok(staged) => return Ok((disclosure, staged)),
                Err(error) => reason = more_telling(reason, error),
            }
        }
        Err(reason)
    }

    /// The least useful session goes: one no longer sent in, else one that is not the active one; the oldest of them.
    fn trim(&mut self) {
        while self.slots.len() > MAX_SESSIONS {
            let active = self.active().map(|slot| *slot.session.id());
            let former = self.slots.iter().position(|slot| !slot.candidate);
            let idle = self.slots.iter().position(|slot| Some(slot.session.id()) != active.as_ref());
            let Some(index) = former.or(idle) else { return };
            self.slots.remove(index);
        }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { key, healed, slots } = self;
        writer.bytes(&key.to_bytes()).u64(time::to_seconds(*healed)).count(slots.len());
        for Slot { session, candidate, fresh } in slots {
            writer.flag(*candidate).flag(*fresh);
            session.write(writer);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let key = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let healed = time::read_optional(reader)?;
        let mut slots = Vec::new();
        for _ in 0..reader.count(MAX_SESSIONS)? {
            let (candidate, fresh) = (reader.flag()?, reader.flag()?);
            let session = Session::read(reader)?;
            if *session.peer() != key {
                return Err(Malformed);
            }
            slots.push(Slot { session, candidate, fresh });
        }
        Ok(Self { key, healed, slots })
    }
}

/// What is authenticated says more than what is not: the message is of that session.
fn more_telling(one: DecryptError, other: DecryptError) -> DecryptError {
    if rank(other) < rank(one) { other } else { one }
}

/// P-4.22: how telling an answer is; the most telling has the lowest rank.
const fn rank(error: DecryptError) -> u8 {
    match error {
        DecryptError::Duplicate => 0,
        DecryptError::Forked { .. } => 1,
        DecryptError::Ahead { .. } => 2,
        DecryptError::TooFar => 3,
        DecryptError::UnsupportedVersion(_) => 4,
        DecryptError::Spent => 5,
        DecryptError::Diverged => 6,
        DecryptError::Malformed
        | DecryptError::OpensNewSession
        | DecryptError::WrongIdentity
        | DecryptError::Rejected
        | DecryptError::Poisoned => 7,
    }
}

/// Sessions with one device: the active one, one that crossed it, and what came before. A message costs its receiver at
/// most this many digests.
const MAX_SESSIONS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// P-4.22
    #[test]
    fn of_several_sessions_the_most_telling_answer_counts() {
        let order = [
            DecryptError::Duplicate,
            DecryptError::Forked { step: 1, number: 2 },
            DecryptError::Ahead { missing: 3 },
            DecryptError::TooFar,
            DecryptError::UnsupportedVersion(2),
            DecryptError::Spent,
            DecryptError::Diverged,
            DecryptError::Rejected,
        ];
        for (at, first) in order.iter().enumerate() {
            for second in &order[at..] {
                assert_eq!(more_telling(*first, *second), *first);
                assert_eq!(more_telling(*second, *first), *first);
            }
        }
    }
}
