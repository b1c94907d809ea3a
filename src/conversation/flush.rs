//! Flushing: everything that is due becomes frames (docs/spec/conversations.md, sections 12.5 to 12.7).
//!
//! What is due for a device is one value, [`Plan`], which [`Conversation::due`] reads and [`Conversation::flush`] carries
//! out. The application calls flush after sending and receiving, and when due says so.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::envelope::Route;
use super::frame::Lists;
use super::link::Link;
use super::piece::Piece;
use super::plan::{Flushing, Plan};
use super::{Conversation, DeviceAddress, Outgoing, SendError, under};
use crate::account::Account;
use crate::keys::{IdentityKey, VerifiedBundle};
use crate::session::{InitiateError, InitiateOptions, Session};
use bisik_core::time::Timestamp;

/// A device for which a bundle is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Which device.
    pub device: DeviceAddress,
    /// Its identity key: pin it when you verify the bundle ([`crate::Trust::Pinned`]).
    pub key: IdentityKey,
}

/// When to call [`Conversation::flush`], and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The earliest moment at which there is something to send that needs no bundle: now, or later. `None` if nothing
    /// waits.
    pub at: Option<Timestamp>,
    /// Devices that something is due for and that need a new session: fetch a bundle for each, then flush. Those for which
    /// the server has none can wait for an hour.
    pub bundles: Vec<Needed>,
}

/// Sessions that were just set up, and are not part of the conversation yet.
type NewSessions = BTreeMap<DeviceAddress, (Session, bool, [u32; 4])>;

impl Conversation {
    /// When to [`flush`](Self::flush), and for which devices to fetch bundles before.
    #[must_use]
    pub fn due(&self, account: &Account, now: Timestamp) -> Due {
        let mut due = Due::default();
        let permitted = self.check_peer(now).is_ok();
        let mut at = |moment: Timestamp| due.at = Some(due.at.map_or(moment, |before: Timestamp| before.min(moment)));
        for (device, entry) in self.devices(account) {
            let plan = self.plan(account, device, entry.identity(), permitted, now);
            if plan.needs_session {
                due.bundles.push(Needed { device, key: *entry.identity() });
            }
            if plan.acts && !(plan.needs_session && self.current(account, device, entry.identity()).is_none()) {
                at(now);
            }
            if let Some(later) = plan.later {
                at(later);
            }
        }
        if !self.ephemeral.is_empty() {
            at(now);
        }
        for expires in self.kept.expires_at().into_iter().chain(self.inbox.expires_at()) {
            at(expires.max(now));
        }
        due
    }

    /// Makes the frames of everything that is due: messages, acknowledgements, asks and answers, and what a new session
    /// needs. `bundles` are those that were fetched for the devices of [`due`](Self::due); what needs one that is not
    /// there waits. While the label does not permit sending, the peer's devices get only decisions and receipts.
    ///
    /// [Seal](Self::seal) and store, then [release](Outgoing::release) the envelopes.
    ///
    /// # Errors
    ///
    /// [`SendError`]. On error the state is unchanged, but for what a hosted device has promised to delete by now, and
    /// everything is still due.
    pub fn flush(
        &mut self,
        account: &Account,
        bundles: &[(DeviceAddress, VerifiedBundle)],
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Outgoing, SendError> {
        self.flush_with(account, bundles, now, &mut rng)
    }

    fn flush_with(
        &mut self,
        account: &Account,
        bundles: &[(DeviceAddress, VerifiedBundle)],
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Outgoing, SendError> {
        self.delete_promised(account, now);
        self.check_own(account, now)?;
        let route = Route::of(account, self.peer.account())?;
        let permitted = self.check_peer(now).is_ok();
        let mut new = self.open_sessions(account, bundles, permitted, now, rng)?;

        // From here on nothing fails.
        self.touch();
        let _changed = self.reconcile(account);
        let dropped = self.kept.expire(now);
        self.give_up(account, dropped);
        self.batch = self.batch.saturating_add(1);
        let flushing = Flushing { now, lists: Lists::of(account.devices(), &self.peer), route };
        let devices: Vec<_> = self.devices(account).map(|(device, entry)| (device, *entry.identity())).collect();
        let mut envelopes = Vec::with_capacity(devices.len());
        for (device, key) in devices {
            let ahead = |link: &&mut Piece<Link>| link.author.is_ahead(now) || link.doubt.is_ahead(now);
            if let Some(link) = self.links.get_mut(&device).filter(ahead) {
                link.author.notice(now);
                link.doubt.notice(now);
            }
            let plan = self.plan(account, device, &key, permitted, now);
            let leads = self.leads(account, &key);
            if let Some((session, last_resort, origins)) = new.remove(&device) {
                self.link(device, key).add_ours(session, last_resort, origins);
            }
            self.carry_out(plan, device, leads, now, rng);
            let may = self.permission(account, device, permitted);
            self.write_frames(plan, (device, leads, may), flushing, &mut envelopes, rng);
        }
        self.ephemeral.clear();
        Ok(Outgoing::new(envelopes, self.batch, self.origin()))
    }

    fn current(&self, account: &Account, device: DeviceAddress, key: &IdentityKey) -> Option<u32> {
        let link = self.links.get(&device).filter(|link| link.key == *key)?;
        link.current(self.leads(account, key))
    }

    /// Sets up the sessions that are needed and for which there is a bundle, without changing anything.
    fn open_sessions(
        &self,
        account: &Account,
        bundles: &[(DeviceAddress, VerifiedBundle)],
        permitted: bool,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<NewSessions, SendError> {
        let mut sessions = NewSessions::new();
        if bundles.is_empty() {
            return Ok(sessions);
        }
        for (device, entry) in self.devices(account) {
            let Some((_, bundle)) = bundles.iter().find(|(of, _)| *of == device) else { continue };
            if bundle.identity() != entry.identity() {
                return Err(SendError::WrongBundle);
            }
            if !self.plan(account, device, entry.identity(), permitted, now).needs_session {
                continue;
            }
            let link = self.links.get(&device).filter(|link| link.key == *entry.identity());
            let (offers, origins) = link.map_or_else(Default::default, |link| link.offers());
            let disclosure = under(account.disclosure(), entry.terms().disclosure());
            let options = InitiateOptions { disclosure, offers: &offers };
            match Session::initiate_with(account.identity(), bundle, options, now, rng) {
                Ok(session) => drop(sessions.insert(device, (session, !bundle.has_one_time_keys(), origins))),
                // As if there were none.
                Err(InitiateError::BundleExpired | InitiateError::ClockWentBack) => {}
                Err(InitiateError::OwnBundle) => return Err(SendError::WrongBundle),
                Err(InitiateError::Internal) => return Err(SendError::Internal),
            }
        }
        Ok(sessions)
    }

    /// Notes the asks that a plan makes due.
    fn carry_out(&mut self, plan: Plan, device: DeviceAddress, leads: bool, now: Timestamp, rng: &mut dyn CryptoRng) {
        let Some(link) = self.links.get_mut(&device) else { return };
        let mut fresh_ask = || {
            let mut ask = [0; 4];
            rng.fill_bytes(&mut ask);
            ask
        };
        // P-12.48: one token pays for everything.
        if plan.pays && link.doubt.take_token(now) && link.doubt.raised {
            let ask = fresh_ask();
            (link.doubt.raised, link.doubt.ask, link.doubt.wants_session) = (false, Some(ask), true);
            if let Some(slot) = link.current(leads).and_then(|serial| link.slot_mut(serial)).filter(|slot| slot.live) {
                slot.ask = Some(ask);
            }
        }
        if plan.clock {
            link.author.tried(now);
            // The names that were given up are told again.
            link.owes |= !plan.sends;
        }
        // P-12.50
        if plan.heals {
            link.doubt.ask = link.doubt.ask.or_else(|| Some(fresh_ask()));
            link.doubt.wants_session = true;
        }
        if link.doubt.wants_session {
            let ask = link.doubt.ask;
            if let Some(slot) = link.unanswered().and_then(|serial| link.slot_mut(serial)) {
                slot.ask = ask;
                link.doubt.wants_session = false;
            }
        }
    }
}
