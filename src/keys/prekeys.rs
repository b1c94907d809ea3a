//! [`PreKeys`]: all pre-keys of a device, from generation to removal. `rotation.rs` replaces them.
//!
//! It lends secrets to the handshake; afterwards the caller removes the keys that were used.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::lookup::UsedKey;
use super::prekey::{Generation, OneTime};
use super::verify::LIFETIME;
use super::{BundleId, Identity, IdentityKey, PreKeyBundle, UsedPreKeys};
use bisik_core::primitives::ed25519::SignaturePublicKey;
use bisik_core::revision;
use bisik_core::time::Timestamp;

/// Why pre-keys could not be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreKeysError {
    /// The identity is not the one these pre-keys were generated for, which is a bug in the caller.
    WrongIdentity,
    /// The current generation would have more one-time pairs than [`PreKeys::MAX_ONE_TIME`]. Publish the existing ones.
    Full,
}

bisik_core::error_texts! {
    PreKeysError {
        WrongIdentity => "keys.pre_keys.wrong_identity", "the pre-keys belong to another identity";
        Full => "keys.pre_keys.full", "the pre-keys would exceed the limit of one-time pairs";
    }
}

/// Number of one-time pairs left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreKeyCount {
    /// Number of unused pairs whose bundles are neither replaced nor expired, whether or not a server still has them.
    pub one_time: usize,
}

impl PreKeyCount {
    /// Returns whether fewer than 20 pairs are left. If so, call [`PreKeys::replenish`] and publish the bundles.
    ///
    /// A number that falls faster than sessions arrive means that an attacker is draining the server's bundles.
    #[must_use]
    pub const fn is_low(self) -> bool {
        self.one_time < LOW_STOCK
    }
}

/// The pre-keys of one device: signed and last-resort keys by generation, and one-time pairs.
///
/// The value is the record: load it, use it, [seal](PreKeys::seal) it, store it
/// ([persistence](crate::manual::persistence)). For lifetimes see
/// [section 2.4](crate::manual::spec::session#24-lifetimes).
///
/// On error the state is unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Identity, PreKeys, Rotation, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let bob = Identity::generate(rng);
/// let mut keys = PreKeys::generate(&bob, now, rng);
/// let to_publish = keys.replenish(&bob, 100, rng)?;   // the server hands out each once,
/// let last_resort = keys.bundle();                    // and this one when none is left
/// assert!(!keys.count(now).is_low());
///
/// let four_days_later = now.plus_seconds(4 * 24 * 60 * 60);
/// assert_eq!(keys.rotate(&bob, four_days_later, rng)?, Rotation::Everything);
/// let to_publish = keys.replenish(&bob, 100, rng)?;   // in place of all bundles that the server has
/// let last_resort = keys.bundle();
/// # let _ = (to_publish, last_resort);
/// # Ok::<(), bisik::PreKeysError>(())
/// ```
pub struct PreKeys {
    pub(super) owner: IdentityKey,
    pub(super) signing: SignaturePublicKey,
    /// Replaced generations, oldest first.
    #[expect(clippy::vec_box, reason = "growing the list moves pointers and leaves no copy of a secret behind")]
    pub(super) older: Vec<Box<Generation>>,
    pub(super) current: Box<Generation>,
    pub(super) one_time: BTreeMap<u32, Box<OneTime>>,
    pub(super) revision: u64,
}

impl PreKeys {
    /// Maximum number of one-time pairs of one generation (requirement P-2.9).
    pub const MAX_ONE_TIME: usize = 1_000;

    /// Generates a signed pre-key and a last-resort key. One-time pairs come from [`PreKeys::replenish`].
    ///
    /// # Development builds
    ///
    /// Cargo compiles dependencies without optimisation unless the application says otherwise. On x86-64, ML-KEM-768 alone
    /// then takes 476 KiB of the stack to generate a key and 652 KiB to decapsulate, and bisik adds less than 48: more
    /// than a thread has on some systems. With these lines in the application's `Cargo.toml`, no operation of bisik takes
    /// more than 52 KiB, and attachments are encrypted some hundred times faster:
    ///
    /// ```toml
    /// [profile.dev.package."*"]
    /// opt-level = 2
    /// ```
    #[must_use]
    pub fn generate(identity: &Identity, now: Timestamp, mut rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let current = Generation::generate(identity, now, now.plus_seconds(LIFETIME), &[], &mut rng);
        Self {
            owner: *identity.public(),
            signing: identity.signing_public(),
            older: Vec::new(),
            current,
            one_time: BTreeMap::new(),
            revision: 0,
        }
    }

    /// Returns the identity key of the device that the pre-keys belong to.
    #[must_use]
    pub const fn owner(&self) -> &IdentityKey {
        &self.owner
    }

    /// Returns the revision, which grows with every change: for compare-and-swap in the store, and to detect a
    /// rolled-back record.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the current last-resort bundle. A server hands it out, any number of times, when no other is left.
    #[must_use]
    pub fn bundle(&self) -> PreKeyBundle {
        let unsigned = self.current.unsigned(self.owner);
        PreKeyBundle::from_signed(unsigned, self.signing.clone(), self.current.signature)
    }

    /// Generates `count` one-time pairs, and returns their bundles. The server hands out each bundle once.
    ///
    /// Store the pre-keys before publishing: without a published bundle's secrets, a message to it is unreadable.
    ///
    /// # Errors
    ///
    /// * [`PreKeysError::WrongIdentity`] if `identity` is not the owner.
    /// * [`PreKeysError::Full`] if the generation would have too many pairs.
    pub fn replenish(
        &mut self,
        identity: &Identity,
        count: usize,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<PreKeyBundle>, PreKeysError> {
        self.check_owner(identity)?;
        if count > self.room() {
            return Err(PreKeysError::Full);
        }
        let mut bundles = Vec::with_capacity(count);
        for _ in 0..count {
            let (id, pair, bundle) = OneTime::generate(identity, &self.current, &self.one_time, &mut rng);
            self.one_time.insert(id, pair);
            bundles.push(bundle);
        }
        self.touch();
        Ok(bundles)
    }

    /// Returns the bundles of all unused one-time pairs that a server may still hand out, for a server that lost them.
    ///
    /// They include bundles that the server still has or has handed out already. The server must compare their bytes.
    #[must_use]
    pub fn one_time_bundles(&self, now: Timestamp) -> Vec<PreKeyBundle> {
        self.usable(now).map(|usable| self.one_time_bundle(usable)).collect()
    }

    /// Those of [`one_time_bundles`](Self::one_time_bundles) with these ids.
    pub(crate) fn one_time_bundles_of(&self, ids: &BTreeSet<u32>, now: Timestamp) -> Vec<PreKeyBundle> {
        self.usable(now).filter(|(id, ..)| ids.contains(id)).map(|usable| self.one_time_bundle(usable)).collect()
    }

    fn one_time_bundle(&self, (id, generation, pair): (u32, &Generation, &OneTime)) -> PreKeyBundle {
        let unsigned = pair.unsigned(self.owner, generation, id);
        PreKeyBundle::from_signed(unsigned, self.signing.clone(), pair.signature)
    }

    /// How many one-time pairs the current generation may still get.
    pub(crate) fn room(&self) -> usize {
        let held = self.one_time.values().filter(|pair| pair.signed_id == self.current.id).count();
        Self::MAX_ONE_TIME.saturating_sub(held)
    }

    /// Whether the unused one-time pair with this id is held.
    pub(crate) fn has_one_time(&self, id: u32) -> bool {
        self.one_time.contains_key(&id)
    }

    /// Whether a server may still hand out the bundle with this id: it is known, not used, and neither replaced nor
    /// expired.
    pub(crate) fn is_published(&self, id: BundleId, now: Timestamp) -> bool {
        let generation = self.generation(id.generation()).filter(|generation| generation.is_published(now));
        generation.is_some() && self.knows(id)
    }

    /// Returns how many one-time pairs are left that a server may still hand out.
    #[must_use]
    pub fn count(&self, now: Timestamp) -> PreKeyCount {
        PreKeyCount { one_time: self.usable(now).count() }
    }

    /// Returns the ids of the bundles that can be answered: the current last-resort bundle and all one-time bundles,
    /// and those that were replaced and may still be in use. A server that holds another id has bundles of a record that
    /// is gone: call [`PreKeys::replace_all`]. Requirement P-2.11.
    #[must_use]
    pub fn ids(&self) -> Vec<BundleId> {
        let last_resort = self.generations().map(|generation| BundleId::new(generation.id, None));
        let one_time = self.one_time.iter().map(|(id, pair)| BundleId::new(pair.signed_id, Some(*id)));
        last_resort.chain(one_time).collect()
    }

    /// Returns whether the record holds the secrets of the bundle with this id. A one-time bundle that was used is not
    /// known any more. Requirement P-2.11.
    #[must_use]
    pub fn knows(&self, id: BundleId) -> bool {
        let (generation, one_time) = (id.generation(), id.one_time());
        match one_time {
            Some(pair) => self.one_time.get(&pair).is_some_and(|pair| pair.signed_id == generation),
            None => self.generation(generation).is_some(),
        }
    }

    /// Removes the pre-keys that an accepted session has used. One-time keys are deleted. For the last-resort key the
    /// session is remembered, so that the same pre-key message cannot set up a second one.
    ///
    /// Call it only after the pre-key message has verified (requirement P-2.10). Calling it twice does no harm.
    pub fn remove(&mut self, used: UsedPreKeys) {
        match used.0 {
            UsedKey::OneTime(id) => {
                self.one_time.remove(&id);
            }
            UsedKey::LastResort { generation, entry } => {
                let generation = if self.current.id == generation {
                    Some(&mut self.current)
                } else {
                    self.older.iter_mut().find(|older| older.id == generation)
                };
                if let Some(generation) = generation {
                    generation.seen.remember(entry);
                }
            }
        }
        self.touch();
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = &Generation> {
        core::iter::once(&self.current).chain(&self.older).map(AsRef::as_ref)
    }

    pub(super) fn generation(&self, id: u32) -> Option<&Generation> {
        self.generations().find(|generation| generation.id == id)
    }

    /// The one-time pairs whose bundles are neither replaced nor expired.
    fn usable(&self, now: Timestamp) -> impl Iterator<Item = (u32, &Generation, &OneTime)> {
        self.one_time.iter().filter_map(move |(id, pair)| {
            let generation = self.generation(pair.signed_id).filter(|generation| generation.is_published(now))?;
            Some((*id, generation, pair.as_ref()))
        })
    }

    pub(super) fn check_owner(&self, identity: &Identity) -> Result<(), PreKeysError> {
        if *identity.public() == self.owner { Ok(()) } else { Err(PreKeysError::WrongIdentity) }
    }

    pub(super) const fn touch(&mut self) {
        self.revision = revision::after(self.revision);
    }
}

impl fmt::Debug for PreKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, signing: _, older, current: _, one_time, revision } = self;
        f.debug_struct("PreKeys")
            .field("owner", owner)
            .field("older_generations", &older.len())
            .field("one_time", &one_time.len())
            .field("revision", revision)
            .finish_non_exhaustive()
    }
}

/// The number of pairs is low below this.
const LOW_STOCK: usize = 20;
