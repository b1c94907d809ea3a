//! What becomes of the sessions with a device when another is confirmed, or proves that it did not have to be
//! (docs/spec/conversations.md, section 12.6).

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::Link;
use crate::conversation::limits::{LIVE, SETTLED, TURNS};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// A session was confirmed beside a live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::conversation) struct Replacement {
    pub(in crate::conversation) bound: Bound,
    pub(in crate::conversation) last_resort: bool,
    pub(in crate::conversation) early: bool,
}

/// What binds a new session with a device to an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// A secret of a session that is in use on this side: whoever set it up holds the state of that session.
    Live,
    /// A secret of a session that this side no longer sends in: the device went back in time, or has not heard which
    /// session is in use.
    Past,
    /// Nothing. Whoever set it up holds the device's identity key, and that is all that is known.
    None,
}

impl Link {
    /// P-12.37, P-12.39: both sides have taken part in the session. It becomes live, unless it was set up for a doubt
    /// that has been cleared. Returns what it replaces, if there was a live one.
    pub(in crate::conversation) fn confirm(&mut self, serial: u32, now: Timestamp) -> Option<Replacement> {
        self.clock = self.clock.saturating_add(1);
        let clock = self.clock;
        let slot = self.slot_mut(serial)?;
        (slot.order, slot.heard) = (clock, clock);
        if slot.unwanted {
            return None;
        }
        let (origin, bound, ours) = (slot.origin(), slot.is_bound(), slot.ours);
        let (last_resort, early, name) = (slot.last_resort, slot.early, slot.name());
        let bound = match (bound, self.slot(origin)) {
            (false, _) => Bound::None,
            (true, Some(origin)) if origin.live => Bound::Live,
            (true, _) => Bound::Past,
        };
        let replaced = self.live().max_by_key(|slot| slot.order).map(|slot| slot.serial);
        let replacement = replaced.map(|_| Replacement { bound, last_resort, early });
        // P-3.23: if somebody acts in the device's name, it hears of it in the session that it has.
        if let Some(before) = replaced.filter(|_| bound != Bound::Live).and_then(|serial| self.slot_mut(serial)) {
            before.tell = Some(name);
        }
        if let Some(slot) = self.slot_mut(serial) {
            slot.live = true;
        }
        self.once = true;
        let mut live: Vec<_> = self.live().map(|slot| slot.order).collect();
        live.sort_unstable_by_key(|order| Reverse(*order));
        let oldest = live.get(LIVE.saturating_sub(1)).copied();
        for slot in &mut self.slots {
            slot.live &= oldest.is_none_or(|oldest| slot.order >= oldest);
            // A set-up of this side that nobody answered is not needed any more.
            slot.unwanted |= slot.ours && !slot.session.is_confirmed();
        }
        self.doubt.resolved();
        self.author.begin_anew(now);
        // The responder waits for a message of the next chain.
        self.owes |= ours;
        replacement
    }

    /// P-12.40: what was set up for a doubt is not wanted any more.
    pub(in crate::conversation) fn give_up_new(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.ours && !slot.is_confirmed()) {
            (slot.unwanted, slot.ask) = (true, None);
        }
        self.doubt.wants_session = false;
    }

    /// P-12.40: the live session `serial` has turned twice since others were set up beside it: it is healthy.
    pub(in crate::conversation) fn give_up_what_it_outlived(&mut self, serial: u32) {
        let Some(chains) = self.slot(serial).map(|slot| slot.session.chains_received()) else { return };
        for slot in self.slots.iter_mut().filter(|slot| slot.ours && !slot.is_confirmed()) {
            let then = slot.beside.iter().find(|(beside, _)| *beside == serial).map(|(_, chains)| *chains);
            if then.is_some_and(|then| chains >= then.saturating_add(TURNS)) {
                (slot.unwanted, slot.ask) = (true, None);
            }
        }
    }

    /// P-12.41: the peer asks in this session, so it cannot read what is sent in those that were confirmed later.
    pub(in crate::conversation) fn give_up_later(&mut self, serial: u32) -> bool {
        let Some(order) = self.slot(serial).map(|slot| slot.order) else { return false };
        let mut given_up = false;
        for slot in self.slots.iter_mut().filter(|slot| slot.live && slot.order > order) {
            (slot.live, given_up) = (false, true);
        }
        given_up
    }

    /// Whether the session is the one of those sent in that was confirmed last.
    pub(in crate::conversation) fn is_newest_live(&self, serial: u32) -> bool {
        self.live().max_by_key(|slot| slot.order).is_some_and(|slot| slot.serial == serial)
    }

    /// P-3.22: deletes the secrets that could bind a session to those before this one, once this one has proved itself.
    pub(in crate::conversation) fn settle_secrets(&mut self, serial: u32) {
        let Some(slot) = self.slot_mut(serial) else { return };
        if slot.settled || !slot.live || slot.session.chains_received() < SETTLED {
            return;
        }
        slot.settled = true;
        let (order, bound_by) = (slot.order, slot.session.bound_by().copied());
        self.former.clear();
        for slot in &mut self.slots {
            let forgotten = if slot.is_confirmed() && !slot.live && slot.order < order {
                slot.session.forget_all_resumption()
            } else {
                bound_by.map_or(Ok(()), |name| slot.session.forget_resumption(&name).map(drop))
            };
            // Sessions of a conversation are never poisoned: nothing staged is ever sealed.
            debug_assert!(forgotten.is_ok());
        }
    }

    /// The conversation has another name, which only the opening of a new session tells.
    pub(in crate::conversation) fn retire_all(&mut self) {
        for slot in &mut self.slots {
            slot.live = false;
            slot.unwanted |= !slot.is_confirmed();
        }
        self.once = false;
    }

    /// Whether [`retire_others`](Self::retire_others) has anything to do.
    pub(in crate::conversation) fn has_others(&self, disclosure: Option<DisclosureHash>) -> bool {
        let other = self.slots.iter().filter(|slot| slot.session.disclosure() != disclosure);
        other.into_iter().any(|slot| slot.live || (!slot.unwanted && !slot.is_confirmed()))
    }

    /// P-12.45: nothing is sent any more in a session under another disclosure; it still decrypts. The next session
    /// begins as a first contact does, because the first answer comes from a server.
    pub(in crate::conversation) fn retire_others(&mut self, disclosure: Option<DisclosureHash>) {
        for slot in &mut self.slots {
            if slot.session.disclosure() != disclosure {
                slot.live = false;
                slot.unwanted |= !slot.is_confirmed();
            }
        }
        self.once &= self.slots.iter().any(|slot| slot.live)
            || self.slots.iter().all(|slot| slot.session.disclosure() == disclosure);
    }
}
