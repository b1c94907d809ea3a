//! Writing: what is due for one device becomes frames, and those envelopes (docs/spec/conversations.md, sections 12.2 and
//! 12.5).

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::apply::words;
use super::envelope::Route;
use super::frame::{Content, Frame, Lists, Opening};
use super::link::Link;
use super::name::MessageId;
use super::plan::{Flushing, Permission, Plan};
use super::slot::{Slot, Unhanded};
use super::{Conversation, ConversationId, DeviceAddress, Envelope, Side};
use crate::device::AccountKey;

/// What the frames to one device say in whichever session they travel.
struct Head<'a> {
    device: DeviceAddress,
    lists: Lists,
    route: Route,
    conversation: ConversationId,
    peer: &'a AccountKey,
    base: u64,
    last: u64,
    batch: u64,
}

impl Conversation {
    /// P-12.34: at most one frame in a session, beside those with messages.
    pub(super) fn write_frames(
        &mut self,
        plan: Plan,
        (device, leads, may): (DeviceAddress, bool, Permission),
        Flushing { now, lists, route }: Flushing,
        envelopes: &mut Vec<Envelope>,
        rng: &mut dyn CryptoRng,
    ) {
        let answers = self.answers(device.side);
        let speaks = may.frames && answers;
        // P-12.51: who only shares a group with somebody does not tell him that one is typing.
        let tells = may.messages && (device.side == Side::Own || self.accepted);
        let (base, last, batch) = (self.base(device), self.numbers.last, self.batch);
        let Self { id, peer, links, kept, ephemeral, .. } = self;
        let head = Head { device, lists, route, conversation: *id, peer: peer.account(), base, last, batch };
        let Some(link) = links.get_mut(&device) else { return };
        let current = link.current(leads).filter(|_| answers);
        let (mut messages, mut once) = (Vec::new(), Vec::new());
        let mut owed = false;
        if let Some(current) = current {
            if plan.sends {
                messages = kept.due(device, |kind| may.send(kind), plan.clock);
            }
            if !messages.is_empty() {
                link.author.sent(now);
            }
            let confirmed = link.slot(current).is_some_and(|slot| slot.live);
            if confirmed && tells {
                once = ephemeral.iter().filter(|one| one.to.include(device)).map(|one| one.body.as_slice()).collect();
            }
            let acknowledges = link.names.acknowledgement_due(now).is_some_and(|at| at <= now);
            owed = (speaks && (link.owes || acknowledges)) || !messages.is_empty() || !once.is_empty();
        }
        let is_due = |slot: &Slot| {
            let unpaid = !slot.is_confirmed() && !slot.is_bound() && slot.answer.is_some() && !plan.pays;
            let asks = slot.tell.is_some() || ((slot.ask.is_some() || slot.answer.is_some()) && !unpaid);
            (speaks && asks) || (owed && current == Some(slot.serial))
        };
        let due: Vec<u32> = link.slots().iter().filter(|slot| is_due(slot)).map(|slot| slot.serial).collect();
        let mut sent = Vec::new();
        for serial in due {
            let is_current = current == Some(serial);
            let named = messages.iter().map(|kept| Content::Named { kind: kept.kind, id: kept.id, bytes: &kept.body });
            let contents = named.chain(once.iter().map(|body| Content::Ephemeral(body))).filter(|_| is_current);
            write_batch(link, (serial, is_current), &head, contents, envelopes, &mut sent, rng);
        }
        for (id, number) in sent {
            kept.transmitted(id, device, number, batch);
        }
    }
}

/// Writes the frames of one session, at least one. `sent` gets the messages and the numbers of their transmissions.
fn write_batch<'a>(
    link: &mut Link,
    (serial, is_current): (u32, bool),
    head: &Head<'_>,
    contents: impl Iterator<Item = Content<'a>>,
    envelopes: &mut Vec<Envelope>,
    sent: &mut Vec<(MessageId, u32)>,
    rng: &mut dyn CryptoRng,
) {
    let Head { device, lists, route, conversation, peer, base, last, batch } = *head;
    let for_own = device.side == Side::Own;
    if is_current {
        // Every frame acknowledges everything. If the transport refuses this one, it is all owed again.
        let waited = link.names.acknowledged();
        if link.owes || waited {
            (link.owes, link.owed_in) = (false, batch);
        }
    }
    let report = link.names.report(serial);
    let mut lost = link.author.lost().to_vec();
    lost.sort_unstable();
    lost.dedup();
    let first_contact = !link.once;
    let Some(slot) = link.slot_mut(serial) else { return };
    (slot.tried, slot.sent) = (slot.tried.saturating_add(1), true);
    let waits = slot.session.labels();
    let first_words = if slot.ours && slot.session.chains_received() == 1 {
        let mut words = slot.words.clone();
        words.sort_unstable();
        words.dedup();
        words
    } else {
        if slot.session.chains_received() > 1 {
            slot.words.clear();
        }
        Vec::new()
    };
    let mut frame = Frame {
        lists,
        for_own,
        opening: waits.map(|labels| Opening { conversation, peer: for_own.then_some(*peer), labels }),
        checkpoint: None,
        last,
        base,
        horizon: report.horizon,
        highest: report.highest,
        shown: report.shown,
        closed: report.closed,
        ask: slot.ask.take(),
        answer: slot.answer.take(),
        first_words,
        replaced_by: slot.tell.take(),
        lost,
        content: Content::Nothing,
    };
    if frame.ask.is_some() || frame.answer.is_some() || frame.replaced_by.is_some() {
        let written = Unhanded { batch, ask: frame.ask, answer: frame.answer, tell: frame.replaced_by };
        // What an earlier flush wrote and nobody has handed over yet is still to be told if that fails.
        slot.unhanded = Some(match slot.unhanded.take() {
            Some(before) => written.or(before),
            None => written,
        });
    }
    let mut contents = contents.peekable();
    let bare = contents.peek().is_none().then_some(Content::Nothing);
    for content in contents.chain(bare) {
        frame.content = content;
        let encoded = frame.encode();
        let Some(slot) = link.slot_mut(serial) else { return };
        // Fails only for a poisoned session or a bug; the message then waits for its next try.
        let Ok(ciphertext) = slot.session.encrypt(&encoded, rng) else { continue };
        if let Content::Named { kind, id, bytes } = content {
            if first_contact && waits.is_some() {
                slot.write_first(words(kind, id, bytes));
            }
            sent.push((id, link.author.transmit()));
        }
        envelopes.push(Envelope { to: device, ciphertext, route });
        (frame.ask, frame.answer, frame.replaced_by) = (None, None, None);
    }
}
