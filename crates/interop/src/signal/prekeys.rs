//! [`PreKeys`]: all pre-keys that a device holds, from generation to removal.
//!
//! The handshake borrows the secrets; the caller then removes those that were used.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::bundle::{OneTimePreKey, PreKeyBundle, SignedPreKey};
use super::key::{Identity, IdentityKey, KeyPair, PublicKey};
use super::limits::{MAX_BASE_KEYS, MAX_ONE_TIME, MAX_SIGNED};
use super::xeddsa::{self, SIGNATURE};
use bisik_core::primitives::x25519;
use bisik_core::revision;

/// Why pre-keys could not be made or returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreKeysError {
    /// The identity is not the one these pre-keys were generated for: a bug in the caller.
    WrongIdentity,
    /// There would be more one-time pre-keys than [`PreKeys::MAX_ONE_TIME`]: publish the existing ones.
    Full,
    /// A pre-key with this id exists already.
    IdTaken,
    /// No pre-key has this id, or it was used.
    UnknownPreKey,
}

bisik_core::error_texts! {
    PreKeysError {
        WrongIdentity => "interop.signal.pre_keys.wrong_identity", "the pre-keys belong to another identity";
        Full => "interop.signal.pre_keys.full", "the pre-keys would exceed the limit of one-time pre-keys";
        IdTaken => "interop.signal.pre_keys.id_taken", "a pre-key with this number exists";
        UnknownPreKey => "interop.signal.pre_keys.unknown_pre_key", "no pre-key with this number exists";
    }
}

/// The pre-keys that an accepted session has used. Pass it to [`PreKeys::remove`] and store the pre-keys in the same
/// transaction as the session; until then the same pre-key message could open a second session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "pass it to PreKeys::remove, and store both records together"]
pub struct UsedPreKeys {
    pub(super) one_time: Option<u32>,
    pub(super) signed: u32,
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
}

/// The pre-keys of one device: signed pre-keys of several generations, and one-time pre-keys.
///
/// The value is the record: load it, use it, [seal](PreKeys::seal) it, store it (`bisik::manual::persistence`).
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::signal::{Identity, PreKeys};
///
/// let bob = Identity::generate(rng);
/// let mut keys = PreKeys::generate(&bob, rng);
/// let ids = keys.replenish(100, rng)?;                      // publish each, to be handed out once
/// let first = keys.bundle(&bob, 0, ids.first().copied())?;
/// let last_resort = keys.bundle(&bob, 0, None)?;            // for when all of them are used
/// keys.rotate(&bob, rng)?;                                  // every week or so; publish keys.signed()
/// # let _ = (first, last_resort);
/// # Ok::<(), bisik::interop::signal::PreKeysError>(())
/// ```
pub struct PreKeys {
    pub(super) owner: IdentityKey,
    /// Oldest first; the last is the current one.
    #[expect(clippy::vec_box, reason = "growing the list moves pointers and leaves no copy of a secret behind")]
    pub(super) signed: Vec<Box<Signed>>,
    pub(super) one_time: BTreeMap<u32, x25519::KeyPair>,
    pub(super) next_one_time: u32,
    pub(super) revision: u64,
}

/// One signed pre-key.
pub(super) struct Signed {
    pub(super) id: u32,
    pub(super) pair: x25519::KeyPair,
    pub(super) signature: [u8; SIGNATURE],
    /// Base keys of the sessions that it opened without a one-time pre-key, oldest first.
    pub(super) base_keys: VecDeque<PublicKey>,
}

impl PreKeys {
    /// The most one-time pre-keys that a device holds.
    pub const MAX_ONE_TIME: usize = MAX_ONE_TIME;

    /// Generates one signed pre-key, with id 1, from 96 bytes of `rng`. [`PreKeys::replenish`] adds one-time pre-keys.
    #[must_use]
    pub fn generate(identity: &Identity, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let pair = KeyPair::generate(rng);
        Self::with_signed(identity, 1, pair, rng)
    }

    /// The same with the caller's own signed pre-key. Uses 64 bytes of `rng`.
    #[must_use]
    pub fn with_signed(identity: &Identity, id: u32, pair: KeyPair, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let signed = Vec::from([Signed::new(identity, id, pair, rng)]);
        Self { owner: identity.public(), signed, one_time: BTreeMap::new(), next_one_time: 1, revision: 0 }
    }

    /// The identity that the pre-keys belong to.
    #[must_use]
    pub const fn owner(&self) -> &IdentityKey {
        &self.owner
    }

    /// Counts changes: for compare-and-swap in the store, and to detect a record that was rolled back.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// How many one-time pre-keys are left on this device.
    #[must_use]
    pub fn stock(&self) -> usize {
        self.one_time.len()
    }

    /// Generates a new signed pre-key from 96 bytes of `rng` and returns its id. Pre-key messages to eight signed
    /// pre-keys are accepted: the newest, or the newest that still remember what they opened
    /// ([`AcceptError::ReplayCacheFull`](super::AcceptError::ReplayCacheFull)).
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`]; the pre-keys are then unchanged.
    pub fn rotate(&mut self, identity: &Identity, rng: &mut (impl CryptoRng + ?Sized)) -> Result<u32, PreKeysError> {
        let mut id = following(self.signed.last().map_or(0, |signed| signed.id));
        // Terminates: at most eight ids are taken.
        while self.signed.iter().any(|signed| signed.id == id) {
            id = following(id);
        }
        let pair = KeyPair::generate(rng);
        self.insert_signed(identity, id, pair, rng)?;
        Ok(id)
    }

    /// Like [`rotate`](Self::rotate), with the caller's own pre-key and id. Uses 64 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`], [`PreKeysError::IdTaken`].
    pub fn insert_signed(
        &mut self,
        identity: &Identity,
        id: u32,
        pair: KeyPair,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), PreKeysError> {
        self.check(identity)?;
        if self.signed.iter().any(|signed| signed.id == id) {
            return Err(PreKeysError::IdTaken);
        }
        // S-6.8
        if self.signed.len() >= MAX_SIGNED {
            let filled = self.signed.iter().position(|signed| signed.base_keys.len() >= MAX_BASE_KEYS);
            self.signed.remove(filled.unwrap_or(0));
        }
        self.signed.push(Signed::new(identity, id, pair, rng));
        self.changed();
        Ok(())
    }

    /// Generates `count` one-time pre-keys from 32 bytes of `rng` each, and returns their ids. Ids grow and repeat
    /// after 2^24. If there would be too many, the oldest are discarded: they were published longest ago.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::Full`]; the pre-keys are then unchanged.
    pub fn replenish(&mut self, count: usize, rng: &mut (impl CryptoRng + ?Sized)) -> Result<Vec<u32>, PreKeysError> {
        if count > MAX_ONE_TIME {
            return Err(PreKeysError::Full);
        }
        self.make_room(count);
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let id = self.next_one_time;
            self.next_one_time = following(id);
            if self.one_time.contains_key(&id) {
                continue;
            }
            self.one_time.insert(id, KeyPair::generate(rng).into_dh());
            ids.push(id);
        }
        self.changed();
        Ok(ids)
    }

    /// Adds the caller's own one-time pre-key under the caller's id.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::Full`], [`PreKeysError::IdTaken`].
    pub fn insert_one_time(&mut self, id: u32, pair: KeyPair) -> Result<(), PreKeysError> {
        if self.one_time.len() >= MAX_ONE_TIME {
            return Err(PreKeysError::Full);
        }
        if self.one_time.contains_key(&id) {
            return Err(PreKeysError::IdTaken);
        }
        self.one_time.insert(id, pair.into_dh());
        self.changed();
        Ok(())
    }

    /// The current signed pre-key, to publish. Always `Some`: a device has at least one.
    #[must_use]
    pub fn signed(&self) -> Option<SignedPreKey> {
        self.signed.last().map(|signed| signed.published())
    }

    /// The one-time pre-key with this id, to publish.
    #[must_use]
    pub fn one_time(&self, id: u32) -> Option<OneTimePreKey> {
        self.one_time.get(&id).map(|pair| OneTimePreKey { id, key: PublicKey::from_dh(*pair.public()) })
    }

    /// The bundle that a server would hand out for device `device_id`: the current signed pre-key, and the one-time
    /// pre-key with the id `one_time`, if given.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`], [`PreKeysError::UnknownPreKey`].
    pub fn bundle(
        &self,
        identity: &Identity,
        device_id: u32,
        one_time: Option<u32>,
    ) -> Result<PreKeyBundle, PreKeysError> {
        self.check(identity)?;
        let one_time = match one_time {
            Some(id) => Some(self.one_time(id).ok_or(PreKeysError::UnknownPreKey)?),
            None => None,
        };
        Ok(PreKeyBundle {
            registration_id: identity.registration_id(),
            device_id,
            identity: self.owner,
            one_time,
            signed: self.signed().ok_or(PreKeysError::UnknownPreKey)?,
        })
    }

    /// Removes the one-time pre-key that a session has used. If it used none, the signed pre-key remembers the
    /// session's base key instead, so that the same pre-key message opens no second session. S-2.5.
    pub fn remove(&mut self, used: UsedPreKeys) {
        let UsedPreKeys { one_time, signed, base_key } = used;
        match one_time {
            Some(id) => drop(self.one_time.remove(&id)),
            None => {
                let signed = self.signed.iter_mut().find(|known| known.id == signed);
                if let Some(signed) = signed.filter(|signed| !signed.base_keys.contains(&base_key)) {
                    signed.base_keys.push_back(base_key);
                }
            }
        }
        self.changed();
    }

    /// Removes a one-time pre-key that must not be used any more, and returns whether it existed. After restoring the
    /// record from a backup, remove all of them, since some may have been used.
    pub fn remove_one_time(&mut self, id: u32) -> bool {
        let removed = self.one_time.remove(&id).is_some();
        if removed {
            self.changed();
        }
        removed
    }

    /// Discards the oldest: those whose ids come next again. Otherwise an attacker who fetches bundles and never writes
    /// would fill the store permanently. S-6.7.
    fn make_room(&mut self, count: usize) {
        while self.one_time.len() > MAX_ONE_TIME.saturating_sub(count) {
            let mut oldest = self.one_time.range(self.next_one_time..).chain(self.one_time.range(..self.next_one_time));
            let Some((&id, _)) = oldest.next() else { return };
            self.one_time.remove(&id);
        }
    }

    pub(super) fn check(&self, identity: &Identity) -> Result<(), PreKeysError> {
        if identity.public() == self.owner { Ok(()) } else { Err(PreKeysError::WrongIdentity) }
    }

    pub(super) const fn changed(&mut self) {
        self.revision = revision::after(self.revision);
    }
}

impl Signed {
    fn new(identity: &Identity, id: u32, pair: KeyPair, rng: &mut (impl CryptoRng + ?Sized)) -> Box<Self> {
        let signature = xeddsa::sign(identity.pair(), &pair.public().to_bytes(), rng);
        Box::new(Self { id, pair: pair.into_dh(), signature, base_keys: VecDeque::new() })
    }

    fn published(&self) -> SignedPreKey {
        SignedPreKey { id: self.id, key: PublicKey::from_dh(*self.pair.public()), signature: self.signature }
    }
}

impl fmt::Debug for PreKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, signed, one_time, next_one_time: _, revision } = self;
        f.debug_struct("PreKeys")
            .field("owner", owner)
            .field("signed", &signed.len())
            .field("one_time", &one_time.len())
            .field("revision", revision)
            .finish_non_exhaustive()
    }
}

/// The id after `id`. Transports carry three bytes of it; 0 is not used.
pub(super) const fn following(id: u32) -> u32 {
    if id >= 0x00ff_ffff { 1 } else { id.saturating_add(1) }
}
