//! What a frame does: acknowledgements, sessions given up and taken up, names closed, messages shown
//! (docs/spec/conversations.md, sections 12.4 and 12.6). Nothing here fails.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::author;
use super::checked::{Body, Checked, Checks, Heard};
use super::event::{Cause, Event, Received};
use super::frame::{Frame, Kind, Lists};
use super::kept::Settled;
use super::letter::{MemberDevice, ReceivedLetter};
use super::link::{Bound, Replacement, UNASKED};
use super::name::{MessageId, Tag};
use super::names::Seen;
use super::{Conversation, DeviceAddress, Side};
use crate::account::Account;
use crate::keys::IdentityKey;
use crate::labels;
use crate::session::{Plaintext, Standing};
use bisik_core::convert;
use bisik_core::primitives::kdf::digest;
use bisik_core::time::Timestamp;

impl Conversation {
    /// Both sides have taken part in a session.
    pub(super) fn confirm(&mut self, account: &Account, device: DeviceAddress, serial: u32, now: Timestamp) {
        let Some(link) = self.links.get_mut(&device) else { return };
        let replacement = link.confirm(serial, now);
        // P-12.64: nobody took letters of before.
        self.kept.letters_are_due(device);
        // P-12.39, P-3.21
        if let Some(Replacement { bound, last_resort, early }) = replacement {
            self.tell(Event::SessionReplaced { device, bound, last_resort, early });
        }
        let _changed = self.reconcile(account);
    }

    pub(super) fn apply(&mut self, account: &mut Account, heard: &Heard, checked: Checked) {
        let Checked { frame, content } = checked;
        let Heard { from, serial, .. } = *heard;
        let (answers, leads) = (self.answers(from.side), self.leads(account, &heard.key));
        // A letter of somebody in a common group is no request.
        let is_message = matches!(content, Checks::Named { kind: Kind::Message, .. });
        if from.side == Side::Peer && !self.accepted && !self.requested && (is_message || !self.shares_group) {
            self.requested = true;
            self.tell(Event::Request);
        }
        let Some(link) = self.links.get_mut(&from) else { return };
        link.hear(serial);
        let once = link.once;
        let Some(slot) = link.slot_mut(serial) else { return };
        if !slot.is_confirmed() {
            if answers {
                slot.answer = slot.answer.or(frame.ask).or(Some(UNASKED));
            }
            // P-12.38: beside a confirmed session nothing of it counts before it is confirmed.
            if !once {
                self.preview(heard, content);
            }
            return;
        }
        // P-12.23: what comes after the confirmation, but was written before the answer, may be another's who stole the
        // pre-keys. Its author sends it again.
        if frame.opening.is_some() {
            return;
        }
        // P-12.49
        if answers && frame.ask.is_some() {
            slot.answer = frame.ask;
        }
        let live = slot.live;
        if live {
            // P-12.40: the older session is healthy in both directions.
            if frame.answer.is_some() && frame.answer == link.doubt.ask {
                link.doubt.ask = None;
                if link.is_newest_live(serial) {
                    link.give_up_new();
                }
            }
            // P-12.41
            let given_up = frame.ask.is_some() && leads && link.give_up_later(serial);
            link.give_up_what_it_outlived(serial);
            link.settle_secrets(serial);
            if given_up {
                self.tell(Event::SessionReplaced {
                    device: from,
                    bound: Bound::Live,
                    last_resort: false,
                    early: false,
                });
            }
        }
        self.compare_words(heard, &frame.first_words);
        let has_had = |named| self.links.get(&from).is_some_and(|link| link.has_had(named));
        if frame.replaced_by.is_some_and(|named| !has_had(named)) {
            self.tell(Event::ReplacedByAnother { device: from });
        }
        for event in self.compare_lists(account, frame.lists, from.side) {
            // P-10.25: the device that signs all lists knows of no newer one: that is an alarm of the account's.
            let alarm = if let Event::ListOutdated { side: Side::Own, sequence } = event {
                account.claimed_list(sequence, heard.now)
            } else {
                false
            };
            if !alarm {
                self.tell(event);
            }
        }
        let speaks = matches!(content, Checks::Named { .. });
        self.settle_own(heard, &frame, speaks);
        self.close_lost(heard, &frame.lost);
        self.take(account, heard, content);
        if let Some(link) = self.links.get_mut(&from) {
            link.names.raise(frame.base);
        }
    }

    /// P-12.22: a message of a first contact is shown as unconfirmed, while there is room. One's own devices answer
    /// first: their messages are never shown before.
    fn preview(&mut self, heard: &Heard, content: Checks) {
        let Heard { from, serial, delete_by, .. } = *heard;
        if from.side == Side::Own {
            return;
        }
        let Checks::Named { kind, id, body } = content else { return };
        let Some(digest) = shown_words(kind, id, &body) else { return };
        let Some(link) = self.links.get_mut(&from) else { return };
        if !link.names.preview(id, serial, digest) {
            return;
        }
        match body {
            Body::Text(text) => {
                let body = Plaintext::new(text, Standing::Unconfirmed);
                self.give(Received::Message { id, from, body, delete_by });
            }
            // It has signatures of its own.
            Body::Decision(decision) => self.give(Received::Decision { from, decision }),
            // P-12.64: a letter is never read before its session is confirmed.
            Body::Letter(_) | Body::Withdrawn | Body::Shared(_) | Body::DecisionReceipt(_) | Body::NotUnderstood => {}
        }
    }

    /// P-12.23: once, with the first frame after an accepted session was confirmed, what was shown before is compared
    /// with what the initiator says it wrote.
    fn compare_words(&mut self, heard: &Heard, written: &[[u8; 16]]) {
        let Heard { from, serial, .. } = *heard;
        let Some(link) = self.links.get_mut(&from) else { return };
        let Some(slot) = link.slot_mut(serial).filter(|slot| !slot.ours && !slot.compared) else { return };
        slot.compared = true;
        let previews = link.names.previews(serial).map(|(id, preview)| (id, written.contains(&preview.digest)));
        let previews: Vec<(MessageId, bool)> = previews.collect();
        for (id, is_written) in previews {
            let device = from;
            self.tell(if is_written { Event::Confirmed { id, device } } else { Event::NotThePeers { id, device } });
        }
    }

    /// P-12.25 to P-12.28, P-12.52: what a device says of the messages of this one.
    fn settle_own(&mut self, heard: &Heard, frame: &Frame<'_>, speaks: bool) {
        let Heard { from, now, .. } = *heard;
        let base = self.base(from);
        let highest = frame.highest.map_or(0, |highest| highest);
        // The claim is bounded, and the event says which device made it.
        if frame.horizon > base || highest > self.numbers.last {
            self.numbers.follow(frame.horizon.max(highest));
            self.tell(Event::Restored { device: from });
        }
        let shown: BTreeSet<Tag> = frame.shown.iter().copied().collect();
        let closed: BTreeSet<Tag> = frame.closed.iter().copied().collect();
        let settled = self.kept.acknowledge(from, &shown, &closed, frame.horizon);
        let (waits, last) = (self.kept.waits(from), self.numbers.last);
        let Some(link) = self.links.get_mut(&from) else { return };
        for (id, outcome) in &settled.messages {
            if *outcome == Settled::BelowHorizon {
                // Told under a number that the device does not refuse.
                link.author.lose(MessageId::new(last, id.tag()));
            }
        }
        let told = link.author.told(|tag| shown.contains(tag) || closed.contains(tag), frame.horizon, last);
        let news = settled.any || told;
        link.author.heard(waits, author::Heard { news, asks: frame.ask.is_some(), speaks }, now);
        for (id, outcome) in settled.messages {
            self.tell(match outcome {
                Settled::Delivered => Event::Delivered { id, device: from },
                Settled::ClosedBefore | Settled::BelowHorizon => {
                    Event::GivenUp { id, device: from, cause: Cause::Restored }
                }
            });
        }
    }

    /// P-12.20: names that their author has given up.
    fn close_lost(&mut self, heard: &Heard, lost: &[MessageId]) {
        let from = heard.from;
        let answers = self.answers(from.side);
        let Some(link) = self.links.get_mut(&from) else { return };
        link.owes |= answers && !lost.is_empty();
        let news: Vec<MessageId> = lost.iter().copied().filter(|id| link.names.close_lost(*id)).collect();
        for id in news {
            self.tell(Event::Lost { id, device: from });
        }
    }

    /// P-12.10, P-12.16: the content of a frame in a confirmed session.
    fn take(&mut self, account: &Account, heard: &Heard, content: Checks) {
        let Heard { from, delete_by, now, .. } = *heard;
        let (kind, id, body) = match content {
            Checks::Nothing => return,
            Checks::Ephemeral(body) => return self.give(Received::Ephemeral { from, body }),
            Checks::Named { kind, id, body } => (kind, id, body),
        };
        let answers = self.answers(from.side);
        let Some(link) = self.links.get_mut(&from) else { return };
        let seen = link.names.look(id);
        // P-12.23: what was shown under this name was not this message.
        let previewed = seen == Seen::Previewed && !matches!(body, Body::Withdrawn);
        let another = previewed && link.names.was_another(id, shown_words(kind, id, &body));
        if seen != Seen::Before {
            link.names.receive(id, matches!(kind, Kind::Withdrawn));
        }
        if answers && seen == Seen::New {
            link.names.will_acknowledge(now);
        } else if answers {
            // Its author does not know yet.
            link.owes = true;
        }
        if another {
            self.tell(Event::NotThePeers { id, device: from });
        } else if seen != Seen::New {
            if previewed {
                self.tell(Event::Confirmed { id, device: from });
            }
            return;
        }
        match (body, from.side) {
            (Body::Withdrawn, _) => {}
            (Body::Text(text), Side::Peer) => {
                let body = Plaintext::new(text, Standing::Confirmed);
                self.give(Received::Message { id, from, body, delete_by });
            }
            (Body::Text(text), Side::Own) => self.take_own(account, heard, (kind, id), text),
            (Body::Letter(body), side) => {
                let account = if side == Side::Peer { *self.peer.account() } else { *account.key() };
                let sender = MemberDevice { account, device: from.index, identity: heard.key };
                self.give(Received::Letter { id, letter: ReceivedLetter::new(sender, side, body), delete_by });
            }
            (Body::Decision(decision), _) => self.give(Received::Decision { from, decision }),
            (Body::DecisionReceipt(receipt), _) => self.give(Received::DecisionReceipt { from, receipt }),
            (Body::Shared(shared), _) => {
                let own = account.devices().own(account.identity(), now);
                if let Ok(shared) = own.and_then(|own| own.vouch(&heard.key, *shared)) {
                    self.adopt(account, from, &shared, now);
                }
            }
            (Body::NotUnderstood, _) => self.tell(Event::NotUnderstood { id, device: from }),
        }
    }

    /// P-12.33: what another own device wrote.
    fn take_own(&mut self, account: &Account, heard: &Heard, (kind, id): (Kind, MessageId), text: Zeroizing<Vec<u8>>) {
        let Heard { from, key, delete_by, now, .. } = heard;
        let own = account.devices().own(account.identity(), *now);
        if let Ok(body) = own.and_then(|own| own.vouch(key, text)) {
            let (from, delete_by) = (*from, *delete_by);
            if matches!(kind, Kind::Private) {
                self.give(Received::Own { id, from, body, delete_by });
            } else {
                // P-12.51: whoever writes to the peer from another device has accepted it.
                self.accept_contact();
                self.give(Received::Sent { id, from, body, delete_by });
            }
        }
    }

    /// P-12.4: sender and receiver go by the same lists, or one of them is shown other devices than the other.
    fn compare_lists(&self, account: &Account, theirs: Lists, side: Side) -> Vec<Event> {
        // The sender's own list is the peer's one here, unless the sender is one's own device.
        let ours = match side {
            Side::Peer => Lists::of(&self.peer, account.devices()),
            Side::Own => Lists::of(account.devices(), &self.peer),
        };
        let other = if side == Side::Peer { Side::Own } else { Side::Peer };
        let mut events = Vec::new();
        for (side, theirs, ours) in [(side, theirs.own, ours.own), (other, theirs.peer, ours.peer)] {
            if theirs > ours {
                events.push(Event::ListOutdated { side, sequence: theirs });
            }
        }
        if theirs.own == ours.own && theirs.peer == ours.peer && theirs != ours {
            events.push(Event::ListsForked);
        }
        events
    }

    /// P-12.36: the device with the smaller identity key chooses the session.
    pub(super) fn leads(&self, account: &Account, other: &IdentityKey) -> bool {
        account.identity().public().to_bytes() < other.to_bytes()
    }

    /// P-12.34: the lowest number that this device still wants to deliver to another.
    pub(super) fn base(&self, device: DeviceAddress) -> u64 {
        let lost = self.links.get(&device).and_then(|link| link.author.lost().iter().map(|id| id.number()).min());
        let kept = self.kept.lowest(device);
        let waiting = match (lost, kept) {
            (Some(lost), Some(kept)) => Some(lost.min(kept)),
            (lost, kept) => lost.or(kept),
        };
        waiting.map_or(self.numbers.after(), |number| number)
    }

    fn give(&mut self, received: Received) {
        let revision = self.lineage.revision();
        self.inbox.give(received, revision);
    }

    /// Gives an event. The caller has counted the change.
    pub(super) fn tell(&mut self, event: Event) {
        let revision = self.lineage.revision();
        self.inbox.tell(event, revision);
    }
}

/// The [`words`] of what is shown of a message before its session is confirmed, if anything is. P-12.22.
fn shown_words(kind: Kind, id: MessageId, body: &Body) -> Option<[u8; 16]> {
    match body {
        Body::Text(text) => Some(words(kind, id, text)),
        Body::Decision(decision) => Some(words(kind, id, &decision.to_bytes())),
        Body::Letter(_) | Body::Withdrawn | Body::Shared(_) | Body::DecisionReceipt(_) | Body::NotUnderstood => None,
    }
}

/// Digest of a message of a first contact, by which its author vouches for it later. P-12.23.
pub(super) fn words(kind: Kind, id: MessageId, body: &[u8]) -> [u8; 16] {
    convert::first(&digest(&[labels::CONVERSATION_WORDS, &[kind.byte()], &id.to_bytes(), body]))
}
