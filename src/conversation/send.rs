//! Sending: one message to every device of the peer and to the other own devices (docs/spec/conversations.md, section
//! 12.4).

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::frame::{Frame, Kind, Lists};
use super::link::Link;
use super::sent::kind_for;
use super::{Conversation, DeviceAddress, Envelope, MAX_BODY, MessageId, Outgoing, SendError, under};
use crate::account::Account;
use crate::hosting::Blocked;
use crate::keys::{IdentityKey, VerifiedBundle};
use crate::session::{InitiateError, InitiateOptions, Session};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// A device for which a bundle is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Which device.
    pub device: DeviceAddress,
    /// Its identity key: pin it when you verify the bundle ([`crate::Trust::Pinned`]).
    pub key: IdentityKey,
}

/// Bundles that were fetched, and devices without one, because the server does not know them or they are gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Supply<'a> {
    /// A verified bundle for each device.
    pub bundles: &'a [(DeviceAddress, VerifiedBundle)],
    /// Devices to leave out, so that the others still get the message.
    pub unavailable: &'a [DeviceAddress],
}

impl Supply<'_> {
    fn bundle(&self, device: DeviceAddress) -> Option<&VerifiedBundle> {
        self.bundles.iter().find(|(of, _)| *of == device).map(|(_, bundle)| bundle)
    }
}

/// Sessions that were just set up, and are not part of the conversation yet.
pub(super) type NewSessions = Vec<(DeviceAddress, Session)>;

impl Conversation {
    /// Returns the bundles that [`Conversation::send`] needs: those of all devices without a session.
    #[must_use]
    pub fn plan(&self, account: &Account) -> Vec<Needed> {
        let missing = self.devices(account).filter(|(device, entry)| {
            let disclosure = under(account.disclosure(), entry.terms().disclosure());
            !self.has_session(*device, entry.identity(), disclosure)
        });
        missing.map(|(device, entry)| Needed { device, key: *entry.identity() }).collect()
    }

    /// Encrypts `body`, of at most [`MAX_BODY`] bytes, for every device of the peer and for the other own devices.
    ///
    /// `supply` has a bundle for each device that [`Conversation::plan`] returns, or lists the device as unavailable.
    ///
    /// # Errors
    ///
    /// [`SendError`]. On error the state is unchanged.
    pub fn send(
        &mut self,
        account: &Account,
        body: &[u8],
        supply: &Supply<'_>,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Outgoing, SendError> {
        self.send_with(account, body, supply, now, &mut rng)
    }

    fn send_with(
        &mut self,
        account: &Account,
        body: &[u8],
        supply: &Supply<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Outgoing, SendError> {
        self.check_own(account, now)?;
        self.check_peer(now)?;
        if body.len() > MAX_BODY {
            return Err(SendError::TooLong);
        }
        let new = self.open_sessions(account, &self.plan(account), supply, now, rng)?;

        // From here on nothing fails.
        self.reconcile(account);
        for (device, session) in new {
            self.link(account, device).add_ours(session);
        }
        let id = MessageId::generate(rng);
        let devices: Vec<_> = self.devices(account).map(|(device, _)| device).collect();
        let lists = Lists::of(account.devices(), &self.peer);
        let envelopes: Vec<_> =
            devices.iter().filter_map(|device| self.write_to(lists, *device, id, body, rng)).collect();
        self.sent.remember(id, body, envelopes.iter().map(|envelope| envelope.to).collect(), now);
        self.touch();
        Ok(Outgoing::new(id, envelopes, self.origin()))
    }

    /// P-12.1, P-12.2: whether this device may send anything to anybody.
    pub(super) fn check_own(&self, account: &Account, now: Timestamp) -> Result<(), SendError> {
        account.devices().own(account.identity(), now)?;
        if self.peer.is_expired(now) { Err(SendError::ListExpired) } else { Ok(()) }
    }

    /// P-12.13, P-12.15: whether messages may be sent to the peer. `send` always checks this. `flush` checks it for
    /// everything except decisions and receipts. Nothing is ever sent unencrypted.
    pub(super) fn check_peer(&self, now: Timestamp) -> Result<(), SendError> {
        if self.unacknowledged {
            return Err(SendError::IdentityChanged);
        }
        let permit = self.label.permit(now).map_err(SendError::Blocked)?;
        // Always true, because the label was computed from this list. Checked anyway; it is cheap.
        let mut devices = self.peer.devices().iter();
        if devices.all(|entry| permit.allows(entry.identity(), entry.terms().disclosure())) {
            Ok(())
        } else {
            Err(SendError::Blocked(Blocked::Unknown))
        }
    }

    pub(super) fn has_session(
        &self,
        device: DeviceAddress,
        key: &IdentityKey,
        disclosure: Option<DisclosureHash>,
    ) -> bool {
        let link = self.links.get(&device);
        link.is_some_and(|link| link.key == *key && link.has_session(disclosure))
    }

    /// Sets up sessions, without changing anything.
    pub(super) fn open_sessions(
        &self,
        account: &Account,
        needed: &[Needed],
        supply: &Supply<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<NewSessions, SendError> {
        let mut sessions = Vec::new();
        for Needed { device, key } in needed {
            let Some(bundle) = supply.bundle(*device) else {
                if supply.unavailable.contains(device) {
                    continue;
                }
                return Err(SendError::NeedBundles);
            };
            if bundle.identity() != key {
                return Err(SendError::WrongBundle);
            }
            let theirs = self.entry(account, *device).and_then(|entry| entry.terms().disclosure());
            let disclosure = under(account.disclosure(), theirs);
            let options = InitiateOptions { disclosure, offers: &[] };
            let session = Session::initiate_with(account.identity(), bundle, options, now, rng);
            let session = session.map_err(|error| match error {
                InitiateError::OwnBundle => SendError::WrongBundle,
                InitiateError::BundleExpired | InitiateError::ClockWentBack => SendError::NeedBundles,
                InitiateError::Internal => SendError::Internal,
            })?;
            sessions.push((*device, session));
        }
        Ok(sessions)
    }

    /// The link to a device that is listed; begins one where there is none, or where it was another's.
    pub(super) fn link(&mut self, account: &Account, device: DeviceAddress) -> &mut Link {
        let key = self.entry(account, device).map_or(*account.identity().public(), |entry| *entry.identity());
        let link = self.links.entry(device).or_insert_with(|| Link::new(key));
        if link.key != key {
            *link = Link::new(key);
        }
        link
    }

    /// One frame with a message, encrypted for one device; nothing where there is no session with it.
    pub(super) fn write_to(
        &mut self,
        lists: Lists,
        device: DeviceAddress,
        id: MessageId,
        body: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<Envelope> {
        self.write_frame(lists, device, kind_for(device.side), id, body, rng)
    }

    pub(super) fn write_frame(
        &mut self,
        lists: Lists,
        to: DeviceAddress,
        kind: Kind,
        id: MessageId,
        body: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<Envelope> {
        let conversation = self.id;
        let frame = |fresh| Frame { kind, fresh, conversation, id, lists, body }.encode();
        let ciphertext = self.links.get_mut(&to)?.encrypt(frame, rng)?;
        Some(Envelope { id, to, ciphertext })
    }
}
