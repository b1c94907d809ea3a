//! Asking: two devices that go by different statements tell each other (docs/spec/rooms.md, section 15.3).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::id::GroupMessageId;
use super::items::Item;
use super::limits::{ANSWERS, ASK_AGAIN, ASKED, LATE, TRIES};
use super::wire::{Known, MOST_LACKING, Note};
use super::{Group, MemberDevice};
use crate::account::Account;
use crate::group::chain::{ChainId, ListsDigest};
use crate::group::membership::known::{BUCKETS, bucket_of};
use crate::group::membership::{EntryHash, Membership, Statement};
use crate::group::write::Targets;
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

/// What is to be asked and answered, by device.
#[derive(Default)]
pub(super) struct Asks {
    of: BTreeMap<IdentityKey, Asked>,
    /// The devices that the own chain is given to again.
    pub(super) again: BTreeSet<IdentityKey>,
    /// How often something was asked: of too many lists others are named each time.
    pub(super) turn: usize,
}

/// One device.
struct Asked {
    device: MemberDevice,
    /// It goes by other statements.
    differs: bool,
    /// When it was asked last.
    asked: Option<Timestamp>,
    /// Its chain is lacking, of which a message has arrived.
    needs: Option<ChainId>,
    needed: Option<Timestamp>,
    /// When messages of it were first seen to be missing, when it was asked for them last, and how often.
    missing: (Option<Timestamp>, Option<Timestamp>, u8),
    /// The messages that it lacks.
    lacks: Vec<GroupMessageId>,
    /// What it asked with.
    asks: Option<Known>,
    /// How often it was answered since.
    answered: (Option<Timestamp>, u8),
    /// When it was given the own chain again.
    given: Option<Timestamp>,
}

impl Asks {
    /// `None` if too many are remembered: whoever is not, is asked when there is room, an hour later at most.
    fn of(&mut self, device: MemberDevice) -> Option<&mut Asked> {
        if self.of.len() >= ASKED && !self.of.contains_key(&device.identity) {
            return None;
        }
        Some(self.of.entry(device.identity).or_insert(Asked {
            device,
            differs: false,
            asked: None,
            needs: None,
            needed: None,
            missing: (None, None, 0),
            lacks: Vec::new(),
            asks: None,
            answered: (None, 0),
            given: None,
        }))
    }

    /// Forgets devices of which nothing is due, and nothing happened within the hour: they are treated as unknown ones are.
    fn forget(&mut self, now: Timestamp) {
        self.of.retain(|_, asked| !asked.is_idle(now));
    }

    /// A device goes by other statements.
    pub(super) fn differ(&mut self, device: MemberDevice) {
        self.of(device).into_iter().for_each(|asked| asked.differs = true);
    }

    /// A device has more than one answer held.
    pub(super) fn at_once(&mut self, device: MemberDevice) {
        self.of(device).into_iter().for_each(|asked| (asked.differs, asked.asked) = (true, None));
    }

    /// The chain of a device is lacking. Whether it was not noted yet.
    pub(super) fn need(&mut self, device: MemberDevice, chain: ChainId) -> bool {
        self.of(device).is_some_and(|asked| asked.needs.replace(chain) != Some(chain))
    }

    pub(super) fn has_chain(&mut self, device: &MemberDevice) {
        self.of.get_mut(&device.identity).into_iter().for_each(|asked| asked.needs = None);
    }

    /// A device asks.
    pub(super) fn answer(&mut self, device: MemberDevice, known: Known) {
        if let Some(asked) = self.of(device) {
            asked.asks = Some(known);
        }
    }

    /// A device lacks messages of this one.
    pub(super) fn lacks(&mut self, device: MemberDevice, messages: Vec<GroupMessageId>) {
        if let Some(asked) = self.of(device) {
            asked.lacks = messages;
        }
    }

    /// A device asks for the own chain.
    pub(super) fn give_again(&mut self, device: MemberDevice, now: Timestamp) {
        let due = self.of(device).is_some_and(|asked| is_time(asked.given, now));
        if due {
            self.of(device).into_iter().for_each(|asked| asked.given = Some(now));
            self.again.insert(device.identity);
        }
    }
}

impl Asked {
    fn is_idle(&self, now: Timestamp) -> bool {
        let Self { device: _, differs, asked, needs, needed, missing, lacks, asks, answered, given } = self;
        let is_waiting = *differs || needs.is_some() || missing.0.is_some() || !lacks.is_empty() || asks.is_some();
        !is_waiting && [*asked, *needed, answered.0, *given].into_iter().all(|last| is_time(last, now))
    }
}

/// Whether an hour has passed, or the clock was set back.
fn is_time(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| last > now || last.plus_seconds(ASK_AGAIN) <= now)
}

impl Known {
    /// What a device knows that knows nothing.
    pub(super) const NOTHING: Self = Self {
        epoch: 0,
        entry: EntryHash::from_bytes([0; 32]),
        settled: 0,
        lists: ListsDigest::from_bytes([0; 32]),
        buckets: [[0; 8]; BUCKETS],
    };
}

impl Group {
    /// Asks devices that go by something else (P-15.7), answers those that ask (P-15.8), and asks for chains (P-15.9).
    pub(super) fn ask_and_answer(&mut self, account: &Account, targets: &Targets, now: Timestamp) {
        let mut asks = core::mem::take(&mut self.asks);
        self.ask_for_messages(&mut asks, now);
        asks.forget(now);
        asks.turn = asks.turn.wrapping_add(1);
        let ours = self.known(account);
        for asked in asks.of.values_mut() {
            let device = asked.device;
            if self.desk.is_crowded() {
                // What is handed over makes room, and the questions are still there.
                break;
            }
            if let Some(known) = asked.asks.take() {
                let (since, count) = asked.answered;
                let count = if is_time(since, now) { 0 } else { count };
                if count < ANSWERS {
                    asked.answered = (if count == 0 { Some(now) } else { since }, count.saturating_add(1));
                    let items = self.answer(account, &known);
                    // It may have what is lacking here.
                    asked.differs |= known.epoch > ours.epoch || known.buckets != ours.buckets;
                    self.write_to(device, items);
                }
            }
            // P-15.16: to those who are to read, in as many letters as an answer has for each question.
            let (since, count) = asked.answered;
            let count = if is_time(since, now) { 0 } else { count };
            if !asked.lacks.is_empty() && count < ANSWERS && targets.contains_key(&device.identity) {
                asked.answered = (if count == 0 { Some(now) } else { since }, count.saturating_add(1));
                for id in &asked.lacks {
                    if let Some(again) = self.desk.kept.again(self.desk.group, &device.identity, id) {
                        self.desk.letter(device, Note::Again(Box::new(again)).encode());
                    }
                }
            }
            asked.lacks.clear();
            if asked.differs && is_time(asked.asked, now) {
                (asked.differs, asked.asked) = (false, Some(now));
                let note = Note::Ask { group: self.id(), known: ours.clone().into() };
                self.desk.letter(device, note.encode());
            }
            if let Some(chain) = asked.needs
                && is_time(asked.needed, now)
            {
                (asked.needs, asked.needed) = (None, Some(now));
                self.desk.letter(device, Note::NeedChain { group: self.id(), chain }.encode());
            }
        }
        self.asks = asks;
    }

    /// P-15.16: asks for messages that were skipped and have not come.
    fn ask_for_messages(&mut self, asks: &mut Asks, now: Timestamp) {
        for (device, chains) in &self.senders {
            let missing = chains.missing().take(MOST_LACKING).map(|(chain, index)| GroupMessageId { chain, index });
            let messages: Vec<_> = missing.collect();
            if messages.is_empty() {
                asks.of.get_mut(&device.identity).into_iter().for_each(|asked| asked.missing = (None, None, 0));
                continue;
            }
            let Some(asked) = asks.of(*device) else { continue };
            let (seen, last, tries) = asked.missing;
            let seen = seen.filter(|seen| *seen <= now).map_or(now, |seen| seen);
            asked.missing.0 = Some(seen);
            if seen.plus_seconds(LATE) <= now && tries < TRIES && is_time(last, now) {
                asked.missing = (Some(seen), Some(now), tries.saturating_add(1));
                self.desk.letter(*device, Note::Lacking { group: self.desk.group, messages }.encode());
            }
        }
    }

    /// What this device knows.
    fn known(&self, account: &Account) -> Known {
        known_by(&self.membership, self.view(account).1)
    }

    /// What goes beyond what somebody knows.
    pub(super) fn answer(&self, account: &Account, known: &Known) -> Vec<Item> {
        answer_to(known, &self.membership, self.view(account).1, || {
            let directories = self.lists.iter().chain([account.devices()]);
            let members = directories.filter(|directory| self.membership.state().is_member(directory.account()));
            members.map(|directory| Item::List(*directory.account(), directory.id()))
        })
    }
}

/// What a device knows that goes by these statements and lists.
pub(super) fn known_by(membership: &Membership, lists: ListsDigest) -> Known {
    Known {
        epoch: membership.epoch(),
        entry: membership.newest_entry(),
        settled: membership.settled_epoch(),
        lists,
        buckets: membership.buckets(),
    }
}

/// P-15.8: what these statements and lists have beyond what somebody knows. `names` are those of the lists.
pub(super) fn answer_to<N: Iterator<Item = Item>>(
    known: &Known,
    membership: &Membership,
    lists: ListsDigest,
    names: impl FnOnce() -> N,
) -> Vec<Item> {
    let ours = known_by(membership, lists);
    let same = membership.entry_at(known.epoch).is_none_or(|(hash, _)| hash == known.entry);
    // Of two logs, the entry that contradicts the other's is given: it is evidence.
    let from = if same { known.epoch.saturating_add(1) } else { known.epoch };
    let entries = membership.entries_from(from).map(|entry| Statement::Entry(entry.to_vec()));
    let floor = membership.floor().filter(|_| ours.settled > known.settled);
    let floor = floor.map(|floor| Statement::Floor(floor.to_vec()));
    let differs = |bucket: usize| known.buckets.get(bucket) != ours.buckets.get(bucket);
    let acts = membership.counting_acts().filter(|(hash, _)| differs(bucket_of(hash)));
    let acts = acts.map(|(_, act)| Statement::Act(act.to_vec()));
    let mut items: Vec<_> = entries.chain(floor).chain(acts).map(Item::Statement).collect();
    if known.lists != ours.lists {
        items.extend(names());
    }
    items
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::device::AccountKey;

    fn device(number: usize) -> MemberDevice {
        let mut bytes = [9; 64];
        bytes[..4].copy_from_slice(&u32::try_from(number).unwrap().to_be_bytes());
        let identity = IdentityKey::from_bytes_without_points(&bytes).unwrap();
        MemberDevice { account: AccountKey::from_identity(identity), device: 0, identity }
    }

    /// Section 15.5. Whoever has a link can ask with many devices: others are answered again an hour later.
    #[test]
    fn many_devices_that_asked_do_not_keep_others_from_being_asked_for_good() {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let (mut asks, chain) = (Asks::default(), ChainId::from_bytes([1; 8]));
        (0..ASKED).for_each(|number| asks.give_again(device(number), now));
        assert!(!asks.need(device(ASKED), chain), "they are bounded");
        asks.forget(now.plus_seconds(ASK_AGAIN - 1));
        assert_eq!(asks.of.len(), ASKED, "what was given within the hour is remembered");
        assert!(!asks.need(device(ASKED), chain));
        // What is due is not forgotten.
        asks.differ(device(0));
        asks.forget(now.plus_seconds(ASK_AGAIN));
        assert!(asks.of.len() == 1 && asks.of.contains_key(&device(0).identity));
        assert!(asks.need(device(ASKED), chain));
    }
}
