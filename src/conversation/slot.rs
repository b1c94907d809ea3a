//! One session with a device, and what is due in it (docs/spec/conversations.md, section 12.6).

use alloc::vec::Vec;

use super::doubt::{read_ask, write_ask};
use super::limits::{KEPT_MESSAGES, RENEW, SLOTS};
use crate::keys::IdentityKey;
use crate::session::Session;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::convert;

/// One session with a device.
pub(super) struct Slot {
    pub(super) session: Session,
    /// Number of the session among those with this device, from 1.
    pub(super) serial: u32,
    /// Set up by this side.
    pub(super) ours: bool,
    /// Sent in. Sessions that are not only decrypt.
    pub(super) live: bool,
    /// Set up for a doubt that has been cleared: not to be used.
    pub(super) unwanted: bool,
    /// Set up while no live session had received two chains.
    pub(super) early: bool,
    /// Set up with a bundle that the server gives out more than once.
    pub(super) last_resort: bool,
    /// Something was sent in it.
    pub(super) sent: bool,
    /// Flushes that sent in it since something was heard in it.
    pub(super) tried: u8,
    /// Position among the confirmed ones; 0 before.
    pub(super) order: u32,
    /// When something was last heard in it, by the link's count.
    pub(super) heard: u32,
    /// An ask to make, and an ask to answer.
    pub(super) ask: Option<[u8; 4]>,
    pub(super) answer: Option<[u8; 4]>,
    /// The same, in frames that the program has not handed over yet, with the flush that made them.
    pub(super) unhanded: Option<Unhanded>,
    /// The session that has replaced this one, to be named in it once.
    pub(super) tell: Option<[u8; 8]>,
    /// Digests of what this side wrote in it at a first contact, before the peer answered.
    pub(super) words: Vec<[u8; 16]>,
    /// What this side was shown of it before it was confirmed has been compared with the peer's digests.
    pub(super) compared: bool,
    /// By place of the labels: the session whose secret was offered, 0 for none.
    pub(super) origins: [u32; 4],
    /// The session whose secret an accepted one was bound to, where that is still a session here.
    pub(super) bound_to: u32,
    /// The sessions that were live when this one was set up, and how many chains they had received.
    pub(super) beside: Vec<(u32, u32)>,
    /// The secrets of the sessions before it were deleted.
    pub(super) settled: bool,
}

/// What a flush has put into a frame that may not have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unhanded {
    pub(super) batch: u64,
    pub(super) ask: Option<[u8; 4]>,
    pub(super) answer: Option<[u8; 4]>,
    pub(super) tell: Option<[u8; 8]>,
}

impl Unhanded {
    /// With what was in an earlier frame and is not in this one.
    pub(super) fn or(self, before: Self) -> Self {
        let Self { batch, ask, answer, tell } = self;
        Self { batch, ask: ask.or(before.ask), answer: answer.or(before.answer), tell: tell.or(before.tell) }
    }
}

impl Slot {
    pub(super) const fn new(session: Session, serial: u32, ours: bool, last_resort: bool) -> Self {
        Self {
            session,
            serial,
            ours,
            live: false,
            unwanted: false,
            early: false,
            last_resort,
            sent: false,
            tried: 0,
            order: 0,
            heard: 0,
            ask: None,
            answer: None,
            unhanded: None,
            tell: None,
            words: Vec::new(),
            compared: false,
            origins: [0; 4],
            bound_to: 0,
            beside: Vec::new(),
            settled: false,
        }
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.session.is_confirmed()
    }

    /// P-3.23: the first bytes of the session's id, by which the other side names it.
    pub(super) fn name(&self) -> [u8; 8] {
        convert::first(self.session.id())
    }

    /// P-12.43: a session of this side that waits for the peer, and may be used again.
    pub(super) fn is_fresh(&self) -> bool {
        !self.is_confirmed() && !self.unwanted && self.tried < RENEW
    }

    /// P-12.23: notes the digest of a message of a first contact.
    pub(super) fn write_first(&mut self, digest: [u8; 16]) {
        if !self.words.contains(&digest) && self.words.len() < KEPT_MESSAGES {
            self.words.push(digest);
        }
    }

    /// Whether the peer has bound it to a session before, or this side has.
    pub(super) fn is_bound(&self) -> bool {
        self.session.bound().is_some_and(|place| place != 0)
    }

    /// The serial number of the session whose secret it was bound to; 0 if that is none of those here.
    pub(super) fn origin(&self) -> u32 {
        let place = self.session.bound().and_then(|place| usize::from(place).checked_sub(1));
        match place.filter(|_| self.ours).and_then(|place| self.origins.get(place)) {
            Some(origin) => *origin,
            None => self.bound_to,
        }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { session, serial, ours, live, unwanted, early, last_resort, sent, tried, order, heard, .. } = self;
        let Self { ask, answer, unhanded, tell, words, compared, origins, bound_to, beside, settled, .. } = self;
        writer.u32(*serial);
        for flag in [ours, live, unwanted, early, last_resort, sent, compared, settled] {
            writer.flag(*flag);
        }
        writer.u8(*tried).u32(*order).u32(*heard).u32(*bound_to);
        // What perhaps never left is made again.
        let again = |now: Option<[u8; 4]>, before: Option<[u8; 4]>| now.or(before);
        write_ask(again(*ask, unhanded.and_then(|before| before.ask)), writer);
        write_ask(again(*answer, unhanded.and_then(|before| before.answer)), writer);
        let tell = tell.or(unhanded.and_then(|before| before.tell));
        writer.flag(tell.is_some());
        if let Some(tell) = tell {
            writer.bytes(&tell);
        }
        for origin in origins {
            writer.u32(*origin);
        }
        writer.count(beside.len());
        for (serial, chains) in beside {
            writer.u32(*serial).u32(*chains);
        }
        writer.count(words.len());
        for word in words {
            writer.bytes(word);
        }
        session.write(writer);
    }

    /// Reads a session with the device of `key`.
    pub(super) fn read(reader: &mut Reader<'_>, key: &IdentityKey) -> Result<Self, Malformed> {
        let serial = reader.u32()?;
        let mut flags = [false; 8];
        for flag in &mut flags {
            *flag = reader.flag()?;
        }
        let [ours, live, unwanted, early, last_resort, sent, compared, settled] = flags;
        let (tried, order, heard, bound_to) = (reader.u8()?, reader.u32()?, reader.u32()?, reader.u32()?);
        let (ask, answer) = (read_ask(reader)?, read_ask(reader)?);
        let tell = if reader.flag()? { Some(*reader.array()?) } else { None };
        let mut origins = [0; 4];
        for origin in &mut origins {
            *origin = reader.u32()?;
        }
        let mut beside = Vec::new();
        for _ in 0..reader.count(SLOTS)? {
            beside.push((reader.u32()?, reader.u32()?));
        }
        let mut words = Vec::new();
        for _ in 0..reader.count(KEPT_MESSAGES)? {
            words.push(*reader.array()?);
        }
        let session = Session::read(reader)?;
        if session.peer() != key || serial == 0 || (live && !session.is_confirmed()) {
            return Err(Malformed);
        }
        let unhanded = None;
        Ok(Self {
            session,
            serial,
            ours,
            live,
            unwanted,
            early,
            last_resort,
            sent,
            tried,
            order,
            heard,
            ask,
            answer,
            unhanded,
            tell,
            words,
            compared,
            origins,
            bound_to,
            beside,
            settled,
        })
    }
}
