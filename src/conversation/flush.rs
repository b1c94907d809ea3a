//! Flushing: sends pending acknowledgements, requests, repeated messages, decisions and receipts
//! (docs/spec/conversations.md, section 12.5).
//!
//! The application calls it after receiving, and whenever it has time.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::frame::{Kind, Lists};
use super::link::Link;
use super::{Conversation, DeviceAddress, Envelope, MessageId, Needed, Outgoing, SendError, Side, Supply, under};
use crate::account::Account;
use bisik_core::time::Timestamp;

impl Conversation {
    /// Returns whether [`Conversation::flush`] has anything to send.
    #[must_use]
    pub fn owes(&self, now: Timestamp) -> bool {
        !self.owed(now).is_empty()
    }

    /// Returns the bundles that [`Conversation::flush`] needs: those of devices that something is pending for, and
    /// whose sessions are missing or lost.
    #[must_use]
    pub fn due(&self, account: &Account, now: Timestamp) -> Vec<Needed> {
        let owed = self.owed(now);
        let needed = self.devices(account).filter(|(device, entry)| {
            let disclosure = under(account.disclosure(), entry.terms().disclosure());
            owed.contains(device)
                && (self.heals(*device, now) || !self.has_session(*device, entry.identity(), disclosure))
        });
        needed.map(|(device, entry)| Needed { device, key: *entry.identity() }).collect()
    }

    /// P-12.15: the devices to which pending work may be sent now. While the label does not permit sending, the peer's
    /// devices get only decisions and receipts.
    fn owed(&self, now: Timestamp) -> BTreeSet<DeviceAddress> {
        let permitted = self.check_peer(now).is_ok();
        let devices = self.pending.devices().into_iter();
        devices.filter(|to| permitted || to.side == Side::Own || self.may_tell(*to)).collect()
    }

    /// Whether a decision or receipt is pending for this device of the peer, and the peer's identity key has not
    /// changed unacknowledged.
    fn may_tell(&self, device: DeviceAddress) -> bool {
        !self.unacknowledged && self.pending.has_note(device)
    }

    /// Sends everything pending: decisions and receipts, acknowledgements, requests for messages that did not decrypt,
    /// and messages that were asked for. While the label does not permit sending, the peer's devices get only decisions
    /// and receipts, and the rest stays pending.
    ///
    /// `supply` is as for [`Conversation::send`], for the devices of [`Conversation::due`].
    ///
    /// # Errors
    ///
    /// [`SendError`]. On error the state is unchanged, and everything is still pending.
    pub fn flush(
        &mut self,
        account: &Account,
        supply: &Supply<'_>,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Outgoing, SendError> {
        self.flush_with(account, supply, now, &mut rng)
    }

    fn flush_with(
        &mut self,
        account: &Account,
        supply: &Supply<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Outgoing, SendError> {
        self.check_own(account, now)?;
        let new = self.open_sessions(account, &self.due(account, now), supply, now, rng)?;

        // From here on nothing fails.
        self.reconcile(account);
        for (device, session) in new {
            let heals = self.heals(device, now);
            let link = self.link(account, device);
            if heals { link.replace_by_ours(session, now) } else { link.add_ours(session) }
        }
        let mut envelopes = Vec::new();
        let permitted = self.check_peer(now).is_ok();
        let lists = Lists::of(account.devices(), &self.peer);
        for device in self.owed(now) {
            if self.links.get_mut(&device).is_some_and(Link::is_sendable) {
                self.flush_notes(lists, device, &mut envelopes, rng);
                if permitted || device.side == Side::Own {
                    self.flush_to(lists, device, &mut envelopes, rng);
                }
            }
        }
        self.touch();
        let id = MessageId::generate(rng);
        Ok(Outgoing::new(id, envelopes, self.origin()))
    }

    /// P-12.10: a lost session is replaced at most once an hour, whatever a relay does.
    fn heals(&self, device: DeviceAddress, now: Timestamp) -> bool {
        let link = self.links.get(&device);
        self.pending.wants_from(device)
            && link.is_none_or(|link| link.healed.is_none_or(|healed| healed.plus_seconds(HEAL_INTERVAL) <= now))
    }

    fn flush_notes(
        &mut self,
        lists: Lists,
        device: DeviceAddress,
        envelopes: &mut Vec<Envelope>,
        rng: &mut dyn CryptoRng,
    ) {
        for kind in [Kind::Decision, Kind::DecisionReceipt] {
            let Some(body) = self.pending.take_note(device, kind) else { continue };
            let id = MessageId::generate(rng);
            envelopes.extend(self.write_frame(lists, device, kind, id, &body, rng));
        }
    }

    fn flush_to(
        &mut self,
        lists: Lists,
        device: DeviceAddress,
        envelopes: &mut Vec<Envelope>,
        rng: &mut dyn CryptoRng,
    ) {
        let requests = self.pending.take_requests(device);
        let acknowledgements = self.pending.take_acknowledgements(device);
        for (kind, ids) in [(Kind::Request, requests), (Kind::Acknowledgement, acknowledgements)] {
            if !ids.is_empty() {
                let body: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
                let id = MessageId::generate(rng);
                envelopes.extend(self.write_frame(lists, device, kind, id, &body, rng));
            }
        }
        for id in self.pending.take_resends(device) {
            let Some(body) = self.sent.find(id).map(|sent| sent.body.clone()) else { continue };
            envelopes.extend(self.write_to(lists, device, id, &body, rng));
        }
    }
}

/// Seconds between two sessions that this side sets up with one device because it lost those before.
const HEAL_INTERVAL: u64 = 60 * 60;
