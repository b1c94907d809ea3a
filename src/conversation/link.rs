//! Everything that one device keeps about one other device, and its sessions with it (docs/spec/conversations.md,
//! section 12.6).

mod replacing; // which session is sent in from now on, and which no longer

pub use replacing::Bound;
pub(super) use replacing::Replacement;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cmp::Reverse;
use zeroize::Zeroizing;

use super::author::Author;
use super::doubt::Doubt;
use super::limits::{FORMER_SECRETS, GONE_SESSIONS, RECENT, SLOTS, TURNS};
use super::names::Names;
use super::slot::Slot;
use crate::keys::{Identity, IdentityKey};
use crate::session::{Ciphertext, DecryptError, Resumption, Session, Staged};
use bisik_core::codec::{Malformed, Reader, SecretWriter};

/// In place of an ask, where a session came without one.
pub(super) const UNASKED: [u8; 4] = [0, 0, 0, 1];

/// Everything with one device.
pub(super) struct Link {
    /// Whose sessions these are: never those of another key under the same index.
    pub(super) key: IdentityKey,
    /// What this side has received of that device's messages.
    pub(super) names: Names,
    /// When this side sends again to it.
    pub(super) author: Author,
    /// What arrived and does not decrypt.
    pub(super) doubt: Doubt,
    /// A bare frame is owed.
    pub(super) owes: bool,
    /// One was made, by this flush, and the program has not handed it over yet; 0 if not.
    pub(super) owed_in: u64,
    /// A session was confirmed at some time.
    pub(super) once: bool,
    /// Counts what was heard and confirmed. It is not time.
    clock: u32,
    /// The serial number of the newest session.
    serial: u32,
    /// The last eight bytes of each of the newest messages that were received, oldest first.
    recent: VecDeque<[u8; 8]>,
    /// In the order in which they were set up.
    slots: Vec<Slot>,
    /// Resumption secrets of confirmed sessions that had to go, newest first.
    former: Vec<Resumption>,
    /// The first bytes of the ids of sessions that had to go, oldest first.
    gone: VecDeque<[u8; 8]>,
}

impl Link {
    pub(super) fn new(key: IdentityKey) -> Self {
        Self {
            key,
            names: Names::default(),
            author: Author::default(),
            doubt: Doubt::default(),
            owes: false,
            owed_in: 0,
            once: false,
            clock: 0,
            serial: 0,
            recent: VecDeque::new(),
            slots: Vec::new(),
            former: Vec::new(),
            gone: VecDeque::new(),
        }
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(super) fn slot(&self, serial: u32) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.serial == serial)
    }

    pub(super) fn slot_mut(&mut self, serial: u32) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.serial == serial)
    }

    fn live(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.live)
    }

    /// P-12.36: the serial number of the session to send in. The leader decides; the other follows where it hears it.
    pub(super) fn current(&self, leads: bool) -> Option<u32> {
        let live = self.live().max_by_key(|slot| if leads { slot.order } else { slot.heard });
        if live.is_some() || self.once {
            return live.map(|slot| slot.serial);
        }
        let fresh = |ours| self.slots.iter().rev().find(move |slot| slot.ours == ours && slot.is_fresh());
        fresh(false).or_else(|| fresh(true)).map(|slot| slot.serial)
    }

    /// The newest session of this side that waits for an answer and may be used.
    pub(super) fn unanswered(&self) -> Option<u32> {
        self.slots.iter().rev().find(|slot| slot.ours && slot.is_fresh()).map(|slot| slot.serial)
    }

    /// P-12.48: sessions of the peer that nobody has confirmed, that wait for an answer, and that nothing binds to an
    /// older one: to answer them takes a token.
    pub(super) fn has_unbound_offers(&self) -> bool {
        self.slots.iter().any(|slot| slot.answer.is_some() && !slot.is_confirmed() && !slot.is_bound())
    }

    /// P-12.44, P-3.19: the secrets to offer in a new session, with the serial numbers of the sessions that they come
    /// from.
    pub(super) fn offers(&self) -> (Vec<Resumption>, [u32; 4]) {
        let mut confirmed: Vec<&Slot> = self.slots.iter().filter(|slot| slot.is_confirmed()).collect();
        confirmed.sort_by_key(|slot| (!slot.live, Reverse(slot.order)));
        let mut origins = [0; 4];
        let offers = confirmed.iter().filter_map(|slot| slot.session.offer().map(|offer| (slot.serial, offer)));
        let offers: Vec<_> = offers.take(origins.len()).collect();
        for (origin, (serial, _)) in origins.iter_mut().zip(&offers) {
            *origin = *serial;
        }
        (offers.into_iter().map(|(_, offer)| offer).collect(), origins)
    }

    /// Adds a session that this side has set up with what [`offers`](Self::offers) gave.
    pub(super) fn add_ours(&mut self, session: Session, last_resort: bool, origins: [u32; 4]) {
        let mut slot = Slot::new(session, self.next_serial(), true, last_resort);
        slot.origins = origins;
        slot.early = self.is_early();
        slot.beside = self.live().map(|live| (live.serial, live.session.chains_received())).collect();
        self.push(slot);
    }

    /// Adds a session that the peer has set up, bound to an older one if one of its labels fits. Returns its serial
    /// number. P-12.44, P-3.20: only secrets of confirmed sessions are looked up.
    pub(super) fn add_theirs(&mut self, mut session: Session, labels: &[[u8; 8]; 4], last_resort: bool) -> u32 {
        let (mut held, mut origins) = (Vec::new(), Vec::new());
        for slot in self.slots.iter().filter(|slot| slot.is_confirmed()) {
            for secret in slot.session.accepts() {
                held.push(secret);
                origins.push(slot.serial);
            }
        }
        let of_slots = held.len();
        held.append(&mut self.former);
        let resumed = session.resume(labels, &held).ok().flatten();
        self.former = held.split_off(of_slots);
        let mut slot = Slot::new(session, self.next_serial(), false, last_resort);
        slot.bound_to = resumed.and_then(|resumed| origins.get(resumed.index).copied()).map_or(0, |origin| origin);
        slot.early = self.is_early();
        let serial = slot.serial;
        self.push(slot);
        serial
    }

    fn next_serial(&mut self) -> u32 {
        self.serial = self.serial.saturating_add(1);
        self.serial
    }

    fn is_early(&self) -> bool {
        self.live().all(|slot| slot.session.chains_received() < TURNS)
    }

    /// P-12.42: makes room, never of a live session, so that nobody who has only pre-keys pushes out what this side set
    /// up.
    fn push(&mut self, slot: Slot) {
        self.slots.push(slot);
        while self.slots.len() > SLOTS {
            let older = self.slots.len().saturating_sub(1);
            let first = |is: fn(&Slot) -> bool| self.slots.iter().take(older).position(is);
            let place = first(|slot| slot.is_confirmed() && !slot.live)
                .or_else(|| first(|slot| !slot.is_confirmed() && !slot.ours && !slot.sent))
                .or_else(|| first(|slot| !slot.is_confirmed() && !slot.ours))
                .or_else(|| first(|slot| !slot.live));
            let Some(place) = place else { return };
            let gone = self.slots.remove(place);
            // The device can have confirmed no other.
            if gone.ours || gone.sent {
                self.gone.push_back(gone.name());
                while self.gone.len() > GONE_SESSIONS {
                    self.gone.pop_front();
                }
            }
            if gone.is_confirmed() {
                self.former.splice(0..0, gone.session.accepts());
                self.former.truncate(FORMER_SECRETS);
            }
        }
    }

    /// P-3.23: whether the session with this name is one of this link, or was.
    pub(super) fn has_had(&self, name: [u8; 8]) -> bool {
        self.gone.contains(&name) || self.slots.iter().any(|slot| slot.name() == name)
    }

    /// P-12.46: remembers a message that was received.
    pub(super) fn remember(&mut self, message: &Ciphertext) {
        self.recent.extend(end_of(message));
        while self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Whether this very message was received not long ago. (Whoever makes another with the same end is told the same, and
    /// causes nothing.)
    pub(super) fn remembers(&self, message: &Ciphertext) -> bool {
        end_of(message).is_some_and(|end| self.recent.contains(&end))
    }

    /// Whether one of the sessions was opened by this very first flight.
    pub(super) fn recognizes(&self, message: &Ciphertext) -> bool {
        self.slots.iter().any(|slot| slot.session.recognizes(message))
    }

    /// P-12.15: decrypts in whichever session the message belongs to, and changes nothing yet.
    pub(super) fn stage(
        &mut self,
        identity: &Identity,
        message: &Ciphertext,
        giving_up: bool,
    ) -> Result<(u32, Staged<'_>), DecryptError> {
        let mut reason = DecryptError::Rejected;
        for slot in self.slots.iter_mut().rev() {
            let serial = slot.serial;
            let staged = if giving_up {
                slot.session.stage_giving_up(identity, message)
            } else {
                slot.session.stage(identity, message)
            };
            match staged {
                Ok(staged) => return Ok((serial, staged)),
                Err(error) => reason = more_telling(reason, error),
            }
        }
        Err(reason)
    }

    /// P-12.51: the user has accepted the contact: the sessions that it has set up wait for an answer.
    pub(super) fn answer_all(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| !slot.ours && !slot.is_confirmed()) {
            slot.answer.get_or_insert(UNASKED);
        }
    }

    /// Something was heard in a session.
    pub(super) fn hear(&mut self, serial: u32) {
        self.clock = self.clock.saturating_add(1);
        let clock = self.clock;
        if let Some(slot) = self.slot_mut(serial) {
            (slot.heard, slot.tried) = (clock, 0);
        }
    }

    /// Whether the program has not handed over something that this flush made.
    pub(super) fn awaits(&self, batch: u64) -> bool {
        let in_slot = |slot: &Slot| slot.unhanded.is_some_and(|unhanded| unhanded.batch == batch);
        self.owed_in == batch || self.slots.iter().any(in_slot)
    }

    /// The content of a block.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(TYPICAL);
        self.write(&mut writer);
        writer.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let link = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(link)
    }

    /// The transport has what this flush made.
    pub(super) fn handed(&mut self, batch: u64) {
        if self.owed_in == batch {
            self.owed_in = 0;
        }
        for slot in &mut self.slots {
            slot.unhanded = slot.unhanded.filter(|unhanded| unhanded.batch != batch);
        }
    }

    fn write(&self, writer: &mut SecretWriter) {
        let Self { key, names, author, doubt, owes, owed_in, once, clock, serial, recent, slots, former, gone } = self;
        writer.bytes(&key.to_bytes()).flag(*owes || *owed_in != 0).flag(*once).u32(*clock).u32(*serial);
        names.write(writer);
        author.write(writer);
        doubt.write(writer);
        writer.count(recent.len());
        for end in recent {
            writer.bytes(end);
        }
        writer.count(slots.len());
        for slot in slots {
            slot.write(writer);
        }
        writer.count(former.len());
        for secret in former {
            secret.write(writer);
        }
        writer.count(gone.len());
        for name in gone {
            writer.bytes(name);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let key = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
        let (owes, once, clock, serial) = (reader.flag()?, reader.flag()?, reader.u32()?, reader.u32()?);
        let (names, author, doubt) = (Names::read(reader)?, Author::read(reader)?, Doubt::read(reader)?);
        let mut recent = VecDeque::new();
        for _ in 0..reader.count(RECENT)? {
            recent.push_back(*reader.array()?);
        }
        let mut slots = Vec::<Slot>::new();
        for _ in 0..reader.count(SLOTS)? {
            let slot = Slot::read(reader, &key)?;
            if slot.serial > serial || slots.last().is_some_and(|last| last.serial >= slot.serial) {
                return Err(Malformed);
            }
            slots.push(slot);
        }
        let mut former = Vec::new();
        for _ in 0..reader.count(FORMER_SECRETS)? {
            former.push(Resumption::read(reader)?);
        }
        let mut gone = VecDeque::new();
        for _ in 0..reader.count(GONE_SESSIONS)? {
            gone.push_back(*reader.array()?);
        }
        if slots.iter().any(|slot| slot.live) && !once {
            return Err(Malformed);
        }
        Ok(Self { key, names, author, doubt, owes, owed_in: 0, once, clock, serial, recent, slots, former, gone })
    }
}

/// The last bytes of a message, which end in its tag: no two have the same.
fn end_of(message: &Ciphertext) -> Option<[u8; 8]> {
    message.as_bytes().last_chunk().copied()
}

/// Capacity in bytes for a link with one session, so that the buffer rarely grows.
const TYPICAL: usize = 3_072;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{PreKeys, Trust};
    use bisik_core::time::Timestamp;

    /// P-3.23: the device may name a session long after this side had to let it go.
    #[test]
    fn sessions_that_had_to_go_are_still_known_by_name() {
        let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let keys = PreKeys::generate(&bob, now, rng);
        let mut session = || {
            let bundle = keys.bundle().verify(Trust::OnFirstUse, now).unwrap();
            Session::initiate(&alice, &bundle, now, rng).unwrap()
        };
        let (mut link, mut names) = (Link::new(*bob.public()), Vec::new());
        let mut push = |link: &mut Link, ours: bool| {
            let slot = Slot::new(session(), link.next_serial(), ours, false);
            let name = slot.name();
            link.push(slot);
            name
        };
        for _ in 0..SLOTS + GONE_SESSIONS + 1 {
            names.push(push(&mut link, true));
        }
        assert_eq!((link.slots.len(), link.gone.len()), (SLOTS, GONE_SESSIONS));
        let (forgotten, known) = names.split_first().unwrap();
        assert!(!link.has_had(*forgotten) && known.iter().all(|name| link.has_had(*name)));
        // A session in which nothing was sent takes one place among the others, and makes no more forgotten.
        let strangers: Vec<_> = (0..2 * GONE_SESSIONS).map(|_| push(&mut link, false)).collect();
        let known = &known[1..];
        assert!(!link.has_had(strangers[0]) && known.iter().all(|name| link.has_had(*name)));
        let mut writer = SecretWriter::with_capacity(TYPICAL);
        link.write(&mut writer);
        let bytes = writer.finish();
        let read = Link::read(&mut Reader::new(&bytes)).unwrap();
        assert!(known.iter().all(|name| read.has_had(*name)));
    }

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
