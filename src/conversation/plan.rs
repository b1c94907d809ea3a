//! [`Plan`]: what is due for one device at one moment (docs/spec/conversations.md, sections 12.5 to 12.7).

use super::envelope::Route;
use super::frame::{Kind, Lists};
use super::limits::{HEAL_OWN, HEAL_PEER, HOUR};
use super::link::Link;
use super::{Conversation, DeviceAddress, Side};
use crate::account::Account;
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

/// What is due for one device at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// A token is there, and there is something that takes one.
    pub(super) pays: bool,
    /// P-12.27: it is time by the clock.
    pub(super) clock: bool,
    /// P-12.50: silence asks in a new session too.
    pub(super) heals: bool,
    /// Messages are due.
    pub(super) sends: bool,
    /// A new session has to be set up first.
    pub(super) needs_session: bool,
    /// Something would go out, were there no need for a session.
    pub(super) acts: bool,
    /// The earliest moment after now at which this changes by itself.
    pub(super) later: Option<Timestamp>,
}

/// What is the same for all devices in one flush.
#[derive(Clone, Copy)]
pub(super) struct Flushing {
    pub(super) now: Timestamp,
    pub(super) lists: Lists,
    /// The addresses on the envelopes.
    pub(super) route: Route,
}

impl Conversation {
    /// P-12.19, P-12.27, P-12.48, P-12.50: what is due for one device. Reads only.
    pub(super) fn plan(
        &self,
        account: &Account,
        device: DeviceAddress,
        key: &IdentityKey,
        permitted: bool,
        now: Timestamp,
    ) -> Plan {
        // P-12.7: to a key that nobody has acknowledged nothing goes at all.
        if !self.answers(device.side) || (device.side == Side::Peer && self.unacknowledged) {
            return Plan::default();
        }
        let may = self.permission(account, device, permitted);
        let speaks = may.frames;
        let waiting = self.kept.waiting(device, |kind| may.send(kind));
        let none;
        let link = match self.links.get(&device).filter(|link| link.key == *key) {
            Some(link) => link,
            None => {
                none = Link::new(*key);
                &none
            }
        };
        let mut plan = Plan::default();
        let mut later =
            |moment: Timestamp| plan.later = Some(plan.later.map_or(moment, |before: Timestamp| before.min(moment)));

        let unpaid = speaks && (link.doubt.raised || link.has_unbound_offers());
        let token_at = link.doubt.token_at(now);
        let pays = unpaid && token_at <= now;
        if unpaid && !pays {
            later(token_at);
        }
        let current = link.current(self.leads(account, key));
        let due = if speaks || waiting.any { link.author.due(waiting, now) } else { None };
        let time = due.is_some_and(|at| at <= now);
        let clock = time && link.author.is_time(now);
        if let Some(at) = due.filter(|at| *at > now) {
            // Without a session to send in, nothing but another try by the clock can change that.
            later(if current.is_none() && link.once { at.max(now.plus_seconds(HOUR)) } else { at });
        }
        let heal_at = if device.side == Side::Own { HEAL_OWN } else { HEAL_PEER };
        let heals = clock && link.author.tries() >= heal_at && link.once;
        let sends = time && waiting.any;
        let wants = (pays && link.doubt.raised) || heals || link.doubt.wants_session;
        let fresh = link.unanswered().is_some();
        // P-12.30: names of messages that were given up before anything could be sent are told, too.
        plan.needs_session = (wants && !fresh && speaks) || (time && current.is_none() && !link.once);
        let acknowledges = link.names.acknowledgement_due(now).filter(|_| speaks && current.is_some());
        if let Some(at) = acknowledges.filter(|at| *at > now) {
            later(at);
        }
        let owed = current.is_some() && speaks && (link.owes || acknowledges.is_some_and(|at| at <= now));
        let asks = speaks
            && link.slots().iter().any(|slot| {
                let unpaid = !slot.is_confirmed() && !slot.is_bound() && slot.answer.is_some();
                slot.tell.is_some() || ((slot.ask.is_some() || slot.answer.is_some()) && (!unpaid || pays))
            });
        // A flush that finds the clock set back makes what waits by it come in time.
        let set_back = (unpaid && link.doubt.is_ahead(now)) || (due.is_some() && link.author.is_ahead(now));
        plan.acts = pays || owed || asks || (wants && fresh) || time || set_back;
        Plan { pays, clock, heals, sends, ..plan }
    }
}

/// What may go to one device now, of what has been taken to be sent.
#[derive(Clone, Copy)]
pub(super) struct Permission {
    /// Messages of the program.
    pub(super) messages: bool,
    /// Frames without a message, and letters.
    pub(super) frames: bool,
}

impl Permission {
    /// Whether messages of a kind may go.
    pub(super) const fn send(self, kind: Kind) -> bool {
        match kind {
            Kind::Decision | Kind::DecisionReceipt => true,
            Kind::Letter => self.frames,
            Kind::Message | Kind::Withdrawn | Kind::Private | Kind::Unknown(_) => self.messages,
        }
    }
}

impl Conversation {
    /// P-12.57: what may go to a device, if the label permits sending to the peer or does not. To one's own devices
    /// everything may. Who shares a group with the peer writes letters to the devices that the peer holds itself, whoever
    /// reads beside them.
    pub(super) fn permission(&self, account: &Account, device: DeviceAddress, permitted: bool) -> Permission {
        if device.side == Side::Own {
            return Permission { messages: true, frames: true };
        }
        let own_held = self.entry(account, device).is_some_and(|entry| entry.custody().is_own_held());
        let known = self.answers(Side::Peer) && !self.unacknowledged;
        Permission { messages: permitted, frames: permitted || (known && self.shares_group && own_held) }
    }
}
