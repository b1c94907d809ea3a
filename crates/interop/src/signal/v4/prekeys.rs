//! [`PreKeys`]: all pre-keys that a device holds for version 4, from generation to removal.
//!
//! The handshake borrows the secrets; the caller then removes those that were used.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::bundle::{KyberPreKey, PreKeyBundle};
use super::kyber::KyberKeyPair;
use crate::signal::bundle::{self, OneTimePreKey, SignedPreKey};
use crate::signal::key::{Identity, IdentityKey, KeyPair, PublicKey};
use crate::signal::limits::{MAX_KYBER, MAX_SIGNED};
use crate::signal::prekeys::{self as classical, PreKeysError, following};
use crate::signal::xeddsa::{self, SIGNATURE};

/// The pre-keys that an accepted session has used. Pass it to [`PreKeys::remove`] and store the pre-keys in the same
/// transaction as the session; until then the same pre-key message could open a second session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "pass it to PreKeys::remove, and store both records together"]
pub struct UsedPreKeys {
    pub(super) one_time: Option<u32>,
    pub(super) signed: u32,
    pub(super) kyber: u32,
    pub(super) base_key: PublicKey,
}

impl UsedPreKeys {
    /// The id of the one-time pre-key that was used, if any. If none, the server has none left or withholds them.
    #[must_use]
    pub const fn one_time(&self) -> Option<u32> {
        self.one_time
    }

    /// The id of the signed pre-key that was used.
    #[must_use]
    pub const fn signed(&self) -> u32 {
        self.signed
    }

    /// The id of the Kyber pre-key that was used, one-time or last-resort.
    #[must_use]
    pub const fn kyber(&self) -> u32 {
        self.kyber
    }
}

/// The pre-keys of one device: signed pre-keys and last-resort Kyber pre-keys of several generations, and one-time
/// pre-keys of both sorts.
///
/// The value is the record: load it, use it, [seal](PreKeys::seal) it, store it (`bisik::manual::persistence`).
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::Identity;
/// use bisik::interop::signal::v4::PreKeys;
///
/// let bob = Identity::generate(rng);
/// let mut keys = PreKeys::generate(&bob, rng);
/// let ids = keys.replenish(100, rng)?;                      // publish each, to be handed out once
/// let kyber = keys.replenish_kyber(&bob, 100, rng)?;        // likewise
/// let first = keys.bundle(&bob, 1, ids.first().copied(), kyber.first().copied())?;
/// let last_resort = keys.bundle(&bob, 1, None, None)?;      // for when all of them are used
/// keys.rotate(&bob, rng)?;                                  // every week or so; publish signed() and last_resort()
/// # let _ = (first, last_resort);
/// # Ok::<(), bisik::interop::signal::PreKeysError>(())
/// ```
pub struct PreKeys {
    pub(super) curve: classical::PreKeys,
    /// Oldest first; the last is the current one.
    #[expect(clippy::vec_box, reason = "growing the list moves pointers and leaves no copy of a secret behind")]
    pub(super) last_resort: Vec<Box<Kyber>>,
    pub(super) one_time: BTreeMap<u32, Box<Kyber>>,
    pub(super) next_kyber: u32,
}

/// One Kyber pre-key.
pub(super) struct Kyber {
    pub(super) id: u32,
    pub(super) pair: KyberKeyPair,
    pub(super) signature: [u8; SIGNATURE],
}

impl PreKeys {
    /// The most one-time pre-keys that a device holds.
    pub const MAX_ONE_TIME: usize = classical::PreKeys::MAX_ONE_TIME;
    /// The most one-time Kyber pre-keys that a device holds.
    pub const MAX_KYBER: usize = MAX_KYBER;

    /// Generates one signed pre-key and one last-resort Kyber pre-key, each with id 1, from 224 bytes of `rng`.
    #[must_use]
    pub fn generate(identity: &Identity, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let signed = (1, KeyPair::generate(rng));
        let last_resort = (1, KyberKeyPair::generate(rng));
        Self::with_keys(identity, signed, last_resort, rng)
    }

    /// The same with the caller's own keys and ids. Uses 128 bytes of `rng`.
    #[must_use]
    pub fn with_keys(
        identity: &Identity,
        signed: (u32, KeyPair),
        last_resort: (u32, KyberKeyPair),
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let ((signed_id, pair), (id, kyber)) = (signed, last_resort);
        let curve = classical::PreKeys::with_signed(identity, signed_id, pair, rng);
        let last_resort = Vec::from([Kyber::new(identity, id, kyber, rng)]);
        Self { curve, last_resort, one_time: BTreeMap::new(), next_kyber: following(id) }
    }

    /// The identity that the pre-keys belong to.
    #[must_use]
    pub const fn owner(&self) -> &IdentityKey {
        self.curve.owner()
    }

    /// Counts changes: for compare-and-swap in the store, and to detect a record that was rolled back.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.curve.revision()
    }

    /// How many one-time pre-keys are left on this device.
    #[must_use]
    pub fn stock(&self) -> usize {
        self.curve.stock()
    }

    /// How many one-time Kyber pre-keys are left on this device.
    #[must_use]
    pub fn kyber_stock(&self) -> usize {
        self.one_time.len()
    }

    /// Generates a new signed pre-key and a new last-resort Kyber pre-key from 224 bytes of `rng`, and returns their ids
    /// in this order. Pre-key messages to the eight newest of each are accepted.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`]; the pre-keys are then unchanged.
    pub fn rotate(
        &mut self,
        identity: &Identity,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(u32, u32), PreKeysError> {
        let signed = self.curve.rotate(identity, rng)?;
        let id = self.free_kyber_id();
        let pair = KyberKeyPair::generate(rng);
        // S-13.15
        if self.last_resort.len() >= MAX_SIGNED {
            self.last_resort.remove(0);
        }
        self.last_resort.push(Kyber::new(identity, id, pair, rng));
        Ok((signed, id))
    }

    /// Generates `count` one-time pre-keys from 32 bytes of `rng` each, and returns their ids. If there would be too
    /// many, the oldest are discarded.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::Full`]; the pre-keys are then unchanged.
    pub fn replenish(&mut self, count: usize, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Vec<u32>, PreKeysError> {
        self.curve.replenish(count, rng)
    }

    /// Generates `count` one-time Kyber pre-keys from 128 bytes of `rng` each, and returns their ids. If there would be
    /// too many, the oldest are discarded: they were published longest ago. S-13.15.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`], [`PreKeysError::Full`]; the pre-keys are then unchanged.
    pub fn replenish_kyber(
        &mut self,
        identity: &Identity,
        count: usize,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u32>, PreKeysError> {
        self.curve.check(identity)?;
        if count > MAX_KYBER {
            return Err(PreKeysError::Full);
        }
        while self.one_time.len() > MAX_KYBER.saturating_sub(count) {
            let mut oldest = self.one_time.range(self.next_kyber..).chain(self.one_time.range(..self.next_kyber));
            let Some((&id, _)) = oldest.next() else { break };
            self.one_time.remove(&id);
        }
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let id = self.free_kyber_id();
            let pair = KyberKeyPair::generate(rng);
            self.one_time.insert(id, Kyber::new(identity, id, pair, rng));
            ids.push(id);
        }
        self.curve.changed();
        Ok(ids)
    }

    /// Adds the caller's own one-time pre-key under the caller's id.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::Full`], [`PreKeysError::IdTaken`].
    pub fn insert_one_time(&mut self, id: u32, pair: KeyPair) -> Result<(), PreKeysError> {
        self.curve.insert_one_time(id, pair)
    }

    /// Adds the caller's own one-time Kyber pre-key under the caller's id. Uses 64 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`], [`PreKeysError::Full`], [`PreKeysError::IdTaken`].
    pub fn insert_kyber(
        &mut self,
        identity: &Identity,
        id: u32,
        pair: KyberKeyPair,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), PreKeysError> {
        self.curve.check(identity)?;
        if self.one_time.len() >= MAX_KYBER {
            return Err(PreKeysError::Full);
        }
        if self.kyber_of(id).is_some() {
            return Err(PreKeysError::IdTaken);
        }
        self.one_time.insert(id, Kyber::new(identity, id, pair, rng));
        self.curve.changed();
        Ok(())
    }

    /// The current signed pre-key, to publish. Always `Some`: a device has at least one.
    #[must_use]
    pub fn signed(&self) -> Option<SignedPreKey> {
        self.curve.signed()
    }

    /// The current last-resort Kyber pre-key, to publish. Always `Some`: a device has at least one.
    #[must_use]
    pub fn last_resort(&self) -> Option<KyberPreKey> {
        self.last_resort.last().map(|kyber| kyber.published())
    }

    /// The one-time pre-key with this id, to publish.
    #[must_use]
    pub fn one_time(&self, id: u32) -> Option<OneTimePreKey> {
        self.curve.one_time(id)
    }

    /// The one-time Kyber pre-key with this id, to publish.
    #[must_use]
    pub fn kyber(&self, id: u32) -> Option<KyberPreKey> {
        self.one_time.get(&id).map(|kyber| kyber.published())
    }

    /// The bundle that a server would hand out for device `device_id`: the current signed pre-key, the one-time pre-key
    /// with the id `one_time`, if given, and the one-time Kyber pre-key with the id `kyber`, or without one the current
    /// last-resort one.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`], [`PreKeysError::UnknownPreKey`].
    pub fn bundle(
        &self,
        identity: &Identity,
        device_id: u32,
        one_time: Option<u32>,
        kyber: Option<u32>,
    ) -> Result<PreKeyBundle, PreKeysError> {
        let bundle::PreKeyBundle { registration_id, device_id, identity, one_time, signed } =
            self.curve.bundle(identity, device_id, one_time)?;
        let kyber = match kyber {
            Some(id) => self.kyber(id),
            None => self.last_resort(),
        };
        let kyber = kyber.ok_or(PreKeysError::UnknownPreKey)?;
        Ok(PreKeyBundle { registration_id, device_id, identity, one_time, signed, kyber })
    }

    /// Removes the one-time pre-keys that a session has used. If it used none of either sort, the signed pre-key
    /// remembers the session's base key instead, so that the same pre-key message opens no second session. S-13.5.
    pub fn remove(&mut self, used: UsedPreKeys) {
        let UsedPreKeys { one_time, signed, kyber, base_key } = used;
        let removed = self.one_time.remove(&kyber).is_some();
        if one_time.is_none() && removed {
            self.curve.changed();
        } else {
            self.curve.remove(classical::UsedPreKeys { one_time, signed, base_key });
        }
    }

    /// Removes a one-time pre-key that must not be used any more, and returns whether it existed. After restoring the
    /// record from a backup, remove all of them, of both sorts, since some may have been used.
    pub fn remove_one_time(&mut self, id: u32) -> bool {
        self.curve.remove_one_time(id)
    }

    /// The same for a one-time Kyber pre-key.
    pub fn remove_kyber(&mut self, id: u32) -> bool {
        let removed = self.one_time.remove(&id).is_some();
        if removed {
            self.curve.changed();
        }
        removed
    }

    /// The Kyber pre-key of an id, and whether it is a one-time one.
    pub(super) fn kyber_of(&self, id: u32) -> Option<(&Kyber, bool)> {
        let last_resort = || self.last_resort.iter().find(|kyber| kyber.id == id);
        match self.one_time.get(&id) {
            Some(kyber) => Some((kyber, true)),
            None => last_resort().map(|kyber| (kyber.as_ref(), false)),
        }
    }

    /// The next id that neither sort of Kyber pre-key has. Terminates: few ids are taken.
    fn free_kyber_id(&mut self) -> u32 {
        loop {
            let id = self.next_kyber;
            self.next_kyber = following(id);
            if self.kyber_of(id).is_none() {
                return id;
            }
        }
    }
}

impl Kyber {
    fn new(identity: &Identity, id: u32, pair: KyberKeyPair, rng: &mut (impl CryptoRng + ?Sized)) -> Box<Self> {
        let signature = xeddsa::sign(identity.pair(), &pair.public().to_bytes(), rng);
        Box::new(Self { id, pair, signature })
    }

    fn published(&self) -> KyberPreKey {
        KyberPreKey { id: self.id, key: self.pair.public(), signature: self.signature }
    }
}

impl fmt::Debug for PreKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { curve, last_resort, one_time, next_kyber: _ } = self;
        f.debug_struct("PreKeys")
            .field("curve", curve)
            .field("last_resort", &last_resort.len())
            .field("one_time_kyber", &one_time.len())
            .finish_non_exhaustive()
    }
}
