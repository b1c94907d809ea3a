//! A new group, and one that somebody else has founded.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::acts::Acts;
use super::aside::Aside;
use super::author::{Author, Statement, Written};
use super::change::Change;
use super::count::{Tally, View};
use super::entry::Draft;
use super::floor::Floor;
use super::log::Log;
use super::offer::Offered;
use super::pages::Pages;
use super::repeat::Sayings;
use super::rights::{FIRST, Rights};
use super::state::State;
use super::{EntryHash, GroupId, Membership, OfferError, Setting, Signers, StayId, WriteError};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use bisik_core::blocks::Ended;
use bisik_core::held::Lineage;
use bisik_core::internal::InternalError;
use bisik_core::time::Timestamp;

impl Membership {
    /// Founds a group, with the primary device of an account, which becomes the owner's. `continues` names a former group
    /// and its newest entry, where this one replaces it. Draws 48 bytes from `rng`.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotThePrimary`]; [`WriteError::BadValue`] if a setting does not [accept](Setting::accepts) its value;
    /// [`WriteError::Full`] if the settings are too many or too long.
    pub fn found(
        author: &Author<'_>,
        settings: &[(Setting, &[u8])],
        continues: Option<(GroupId, EntryHash)>,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Self, Written), WriteError> {
        if !author.is_primary() {
            return Err(WriteError::NotThePrimary);
        }
        let mut random = [0; 32];
        rng.fill_bytes(&mut random);
        let mut changes = Vec::from([Change::Found { random, stay: StayId::generate(rng) }]);
        for (setting, value) in settings {
            let value = setting.value(value).map_err(|_| WriteError::BadValue)?;
            changes.push(Change::Setting { setting: *setting, value });
        }
        changes.extend(continues.map(|(group, entry)| Change::Continues { group, entry }));
        let mut draft = Draft {
            group: GroupId::from_bytes([0; 32]),
            epoch: FIRST,
            previous: EntryHash::from_bytes([0; 32]),
            author: author.account,
            time: now,
            changes,
            rights: [0; 32],
        };
        if !draft.fits() {
            return Err(WriteError::Full);
        }
        draft.rights = Rights::found(draft.step())?.hash();
        let bytes = draft.sign(author.identity);
        let log = Log::begin(&bytes).map_err(|_| InternalError)?;
        let mut founded = Self::of(log, (author.account, *author.identity.public()));
        founded.change();
        Ok((founded, Written { statements: [Statement::Entry(bytes)].into(), events: Vec::new() }))
    }

    /// Follows a group that somebody has founded, from its first entry, as a device of the local account. The id comes from
    /// whoever invited: a relay cannot give the group another history. Offer everything else then.
    ///
    /// # Errors
    ///
    /// [`OfferError::OtherGroup`] if the entry is that of another group; otherwise [`OfferError`].
    pub fn follow(
        id: GroupId,
        first_entry: &[u8],
        account: &AccountKey,
        device: &IdentityKey,
    ) -> Result<Self, OfferError> {
        let log = Log::begin(first_entry)?;
        if log.group != id {
            return Err(OfferError::OtherGroup);
        }
        let mut followed = Self::of(log, (*account, *device));
        followed.change();
        Ok(followed)
    }

    /// Offers a statement of whatever kind: see [`offer_entry`](Self::offer_entry), [`offer_act`](Self::offer_act) and
    /// [`offer_floor`](Self::offer_floor).
    ///
    /// # Errors
    ///
    /// [`OfferError`]. Nothing has changed then.
    pub fn offer(&mut self, statement: &Statement, signers: &Signers) -> Result<Offered, OfferError> {
        match statement {
            Statement::Entry(bytes) => self.offer_entry(bytes, signers),
            Statement::Act(bytes) => self.offer_act(bytes, signers),
            Statement::Floor(bytes) => self.offer_floor(bytes, signers),
        }
    }

    /// A group of which nothing but the log is known.
    pub(super) fn of(log: Log, local: (AccountKey, IdentityKey)) -> Self {
        let (no_floor, acts, carried) = (Floor::default(), Acts::default(), BTreeMap::new());
        let view = View { history: &log.history, owner: &log.rights.owner, floor: &no_floor, settled: 0, acts: &acts };
        let tally = Tally::of(&view);
        let state = State::of(&view, &tally, &log.rights, &carried);
        Self {
            local,
            log,
            floor: None,
            no_floor,
            acts,
            carried,
            again: Vec::new(),
            evidence: None,
            aside: Aside::default(),
            tally,
            sayings: Sayings::default(),
            state,
            lineage: Lineage::default(),
            pages: Pages::default(),
            ended: Ended::default(),
        }
    }
}
