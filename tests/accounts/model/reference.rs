//! The reference: what accounts, devices and messages come to, with sets and numbers, and no cryptography at all.
//!
//! Does not know sessions, records or bytes. It is slow and short, so that it can be seen to be right.

use std::collections::{BTreeMap, BTreeSet};

use bisik::conversation::MessageId;

use bisik_testkit::accounts::At;

/// What travels, as its receiver will understand it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Message(MessageId),
    Acknowledgement(BTreeSet<MessageId>),
    Request(BTreeSet<MessageId>),
    Decision(Ruling),
}

/// What a user decided about a vendor: in which round, whether against it, and when. The greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ruling {
    pub vendor: u32,
    pub round: u32,
    pub strict: bool,
    pub decided: u64,
    /// The disclosure that it is about.
    pub hash: [u8; 32],
}

/// What a header shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    EndToEnd,
    OwnHosted,
    Asked,
    Hosted,
    /// With the disclosure that was refused.
    Refused([u8; 32]),
}

/// What a device reports beside messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    Delivered(MessageId, At),
    NotSentAgain(MessageId, At),
    ListOutdated(usize, u64),
    Added(Vec<u32>),
    Removed(Vec<u32>),
    Label,
}

/// What one device knows; a crash takes it back to what was stored last, a backup further.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Numbers of the lists that it goes by.
    pub knows: [usize; 2],
    /// Ciphertexts that it has read.
    pub read: BTreeSet<Vec<u8>>,
    /// Messages that it has shown.
    pub shown: BTreeSet<MessageId>,
    /// Names under which it has received anything.
    pub named: BTreeSet<MessageId>,
    pub decisions: usize,
    pub ruling: Option<Ruling>,
    /// Refusals of vendors that have left. They hold for those that come.
    pub former: BTreeMap<u32, Ruling>,
    /// What it owes.
    pub acknowledge: BTreeSet<(At, MessageId)>,
    pub resend: BTreeSet<(At, MessageId)>,
    pub wanted: BTreeMap<MessageId, (At, u32, bool)>,
    pub notes: BTreeMap<At, Ruling>,
    /// What it sent, who has not acknowledged it, and how often it was asked for.
    pub waiting: BTreeMap<MessageId, (BTreeSet<At>, u32)>,
}

/// Two accounts: their device lists, the first empty, and the vendor's device where there is one.
#[derive(Debug, Default)]
pub struct Reference {
    pub lists: [Vec<BTreeSet<u32>>; 2],
    pub vendor: Option<u32>,
}

impl Reference {
    /// The devices of an account, as another device knows them.
    pub fn listed(&self, state: &State, who: usize) -> &BTreeSet<u32> {
        &self.lists[who][state.knows[who]]
    }

    pub fn is_listed(&self, state: &State, at: At) -> bool {
        self.listed(state, at.0).contains(&at.1)
    }

    /// Everybody that a device writes to.
    pub fn others(&self, state: &State, at: At) -> BTreeSet<At> {
        let listed = |who: usize| self.listed(state, who).iter().map(move |index| (who, *index));
        listed(0).chain(listed(1)).filter(|other| *other != at).collect()
    }

    /// The label that a device shows. Only the second account can be hosted.
    pub fn label(&self, state: &State, at: At) -> Shown {
        let hosted = self.vendor.filter(|vendor| self.listed(state, 1).contains(vendor));
        let former = || state.former.values().max_by_key(|ruling| (ruling.decided, ruling.hash));
        match (hosted, state.ruling) {
            (None, _) => Shown::EndToEnd,
            (Some(_), _) if at.0 == 1 => Shown::OwnHosted,
            (Some(vendor), Some(ruling)) if ruling.vendor == vendor => {
                if ruling.strict {
                    Shown::Refused(ruling.hash)
                } else {
                    Shown::Hosted
                }
            }
            (Some(_), _) => former().map_or(Shown::Asked, |ruling| Shown::Refused(ruling.hash)),
        }
    }

    /// Remembers a refusal of a vendor that is not there any longer, or not yet.
    fn refused(state: &mut State, ruling: Ruling) {
        let known = state.former.entry(ruling.vendor).or_insert(ruling);
        *known = ruling.max(*known);
    }

    pub fn may_send(&self, state: &State, at: At) -> bool {
        matches!(self.label(state, at), Shown::EndToEnd | Shown::OwnHosted | Shown::Hosted)
    }

    /// A message goes to everybody, and is kept until they have it.
    pub fn send(&self, state: &mut State, at: At, id: MessageId) {
        state.waiting.insert(id, (self.others(state, at), 0));
    }

    /// The user decides; the vendor and the user's other devices are to hear of it.
    pub fn decide(&self, state: &mut State, at: At, strict: bool, now: u64, hash: [u8; 32]) {
        let vendor = self.vendor.unwrap();
        let known = state.ruling.filter(|ruling| ruling.vendor == vendor);
        let reconsidered = !strict && known.is_some_and(|known| known.strict);
        let round = known.map_or(0, |known| known.round) + u32::from(reconsidered);
        let ruling = Ruling { vendor, round, strict, decided: now, hash };
        // A withdrawal or refusal after consent stays in the round of the consent, and outweighs it.
        state.ruling = known.max(Some(ruling));
        let own = self.listed(state, at.0).clone();
        for other in own.into_iter().map(|index| (at.0, index)).filter(|other| *other != at) {
            state.notes.insert(other, ruling);
        }
        state.notes.insert((1, vendor), ruling);
    }

    /// Goes by the newest lists; what belongs to devices that left is forgotten.
    pub fn learn(&self, state: &mut State, at: At) -> Vec<Said> {
        let (peer, label) = (1 - at.0, self.label(state, at));
        let before = self.listed(state, peer).clone();
        state.knows = [self.lists[0].len() - 1, self.lists[1].len() - 1];
        let after = self.listed(state, peer).clone();
        let gone = self.vendor.is_none_or(|vendor| !self.lists[1].last().unwrap().contains(&vendor));
        let ended = if gone { state.ruling.take() } else { None };
        if let Some(ruling) = ended.filter(|ruling| ruling.strict) {
            Self::refused(state, ruling);
        }
        let others = self.others(state, at);
        state.acknowledge.retain(|(to, _)| others.contains(to));
        state.resend.retain(|(to, _)| others.contains(to));
        state.notes.retain(|to, _| others.contains(to));
        state.wanted.retain(|_, (from, ..)| others.contains(from));
        for (devices, _) in state.waiting.values_mut() {
            devices.retain(|device| others.contains(device));
        }
        state.waiting.retain(|_, (devices, _)| !devices.is_empty());
        let (added, removed): (Vec<_>, Vec<_>) =
            (after.difference(&before).copied().collect(), before.difference(&after).copied().collect());
        let mut said = Vec::new();
        said.extend((self.label(state, at) != label).then_some(Said::Label));
        said.extend((!added.is_empty()).then_some(Said::Added(added)));
        said.extend((!removed.is_empty()).then_some(Said::Removed(removed)));
        said
    }

    /// What a device has to send to each other, in order, when it sends what it owes.
    pub fn flush(&self, state: &mut State, at: At) -> BTreeMap<At, Vec<Frame>> {
        let mut frames = BTreeMap::new();
        let permitted = self.may_send(state, at);
        for to in self.others(state, at) {
            let mut owed: Vec<_> = state.notes.remove(&to).map(Frame::Decision).into_iter().collect();
            if permitted || to.0 == at.0 {
                let requested = state.wanted.iter_mut().filter(|(_, (from, _, due))| *from == to && *due);
                let requested: BTreeSet<_> = requested.map(|(id, (.., due))| (*due = false, *id).1).collect();
                let acknowledged = taken(&mut state.acknowledge, to);
                owed.extend((!requested.is_empty()).then_some(Frame::Request(requested)));
                owed.extend((!acknowledged.is_empty()).then_some(Frame::Acknowledgement(acknowledged)));
                let again = taken(&mut state.resend, to).into_iter().filter(|id| state.waiting.contains_key(id));
                owed.extend(again.map(Frame::Message));
            }
            if !owed.is_empty() {
                frames.insert(to, owed);
            }
        }
        frames
    }

    /// A frame arrives intact and for the first time, from a device that is listed, written under lists of those numbers.
    pub fn receive(&self, state: &mut State, at: At, from: At, lists: [usize; 2], frame: &Frame) -> Vec<Said> {
        let mut said: Vec<_> = (0..2)
            .filter(|who| lists[*who] > state.knows[*who])
            .map(|who| Said::ListOutdated(who, lists[who] as u64))
            .collect();
        match frame {
            Frame::Message(id) => {
                state.wanted.remove(id);
                state.acknowledge.insert((from, *id));
                state.shown.insert(*id);
            }
            Frame::Acknowledgement(ids) => {
                for id in ids {
                    let waited = state.waiting.get_mut(id).is_some_and(|(devices, _)| devices.remove(&from));
                    said.extend(waited.then_some(Said::Delivered(*id, from)));
                }
                state.waiting.retain(|_, (devices, _)| !devices.is_empty());
            }
            Frame::Request(ids) => {
                for id in ids {
                    match state.waiting.get_mut(id) {
                        Some((devices, requests)) if devices.contains(&from) && *requests < 8 => {
                            *requests += 1;
                            state.resend.insert((from, *id));
                        }
                        _ => said.push(Said::NotSentAgain(*id, from)),
                    }
                }
            }
            Frame::Decision(ruling) if from.0 == at.0 => {
                let label = self.label(state, at);
                if self.vendor == Some(ruling.vendor) {
                    state.ruling = state.ruling.filter(|known| known.vendor == ruling.vendor).max(Some(*ruling));
                } else if ruling.strict {
                    Self::refused(state, *ruling);
                }
                said.extend((self.label(state, at) != label).then_some(Said::Label));
            }
            Frame::Decision(_) => state.decisions += 1,
        }
        said
    }

    /// A message did not decrypt: it is asked for, three times at most, unless it has arrived since.
    pub fn ask_again(&self, state: &mut State, id: MessageId, from: At) -> bool {
        if state.named.contains(&id) {
            return false;
        }
        let (_, attempts, due) = state.wanted.entry(id).or_insert((from, 0, false));
        if *attempts == 3 {
            state.wanted.remove(&id);
            return false;
        }
        (*attempts, *due) = (*attempts + 1, true);
        true
    }
}

fn taken(owed: &mut BTreeSet<(At, MessageId)>, to: At) -> BTreeSet<MessageId> {
    let ids = owed.iter().filter(|(device, _)| *device == to).map(|(_, id)| *id).collect();
    owed.retain(|(device, _)| *device != to);
    ids
}
