//! [`PreKeys`]: all pre-keys of a device, from generation to removal.
//!
//! It lends secrets to the handshake; afterwards the caller removes the keys that were used.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::bundle::CLOCK_SKEW;
use super::prekey::{Generation, OneTime};
use super::{Identity, IdentityKey, PreKeyBundle};
use bisik_core::primitives::ed25519::SignaturePublicKey;
use bisik_core::primitives::kdf::digest;
use bisik_core::primitives::mlkem768::DecapsulationKey;
use bisik_core::primitives::x25519::KeyPair;
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
    /// Number of unused pairs whose bundles have not expired, whether or not a server still has them.
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

/// The pre-keys that a newly accepted session has used.
///
/// Pass it to [`PreKeys::remove`], and store the pre-keys in the same transaction as the session. Until then the same
/// pre-key message could set up a second session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "give it to PreKeys::remove, and store both records together"]
pub struct UsedPreKeys(pub(crate) UsedKey);

impl UsedPreKeys {
    /// Returns whether one-time keys were used. If not, the sender had only the last-resort bundle: the server has run
    /// out of one-time bundles, or an attacker withholds them.
    #[must_use]
    pub const fn one_time(&self) -> bool {
        matches!(self.0, UsedKey::OneTime(_))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsedKey {
    OneTime(u32),
    LastResort { generation: u32, session: [u8; 16] },
}

/// The pre-keys of one device: signed and last-resort keys by generation, and one-time pairs.
///
/// The value is the record: load it, use it, [seal](PreKeys::seal) it, store it (docs/persistence.md). For lifetimes
/// see docs/spec/session.md, section 2.4.
///
/// On error the state is unchanged.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Identity, PreKeys, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let bob = Identity::generate(rng);
/// let mut keys = PreKeys::generate(&bob, now, rng);
/// let to_publish = keys.replenish(&bob, 100, rng)?;   // the server hands out each once,
/// let last_resort = keys.bundle();                    // and this one when none is left
/// assert!(!keys.count(now).is_low());
///
/// let a_week_later = now.plus_seconds(7 * 24 * 60 * 60);
/// assert!(keys.rotate(&bob, a_week_later, rng)?);     // publish keys.bundle() again
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
    /// Maximum number of one-time pairs of one generation (requirement P-2.8).
    pub const MAX_ONE_TIME: usize = 1_000;

    /// Generates a signed pre-key and a last-resort key. One-time pairs come from [`PreKeys::replenish`].
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
        let held = self.one_time.values().filter(|pair| pair.signed_id == self.current.id).count();
        if count > Self::MAX_ONE_TIME.saturating_sub(held) {
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

    /// Returns the bundles of all unused one-time pairs that have not expired, for a server that lost them.
    ///
    /// They include bundles that the server still has or has handed out already. The server must compare their bytes.
    #[must_use]
    pub fn one_time_bundles(&self, now: Timestamp) -> Vec<PreKeyBundle> {
        let bundle = |(id, generation, pair): (u32, &Generation, &OneTime)| {
            let unsigned = pair.unsigned(self.owner, generation, id);
            PreKeyBundle::from_signed(unsigned, self.signing.clone(), pair.signature)
        };
        self.usable(now).map(bundle).collect()
    }

    /// Returns how many one-time pairs are left that have not expired.
    #[must_use]
    pub fn count(&self, now: Timestamp) -> PreKeyCount {
        PreKeyCount { one_time: self.usable(now).count() }
    }

    /// Rotates the pre-keys and deletes old ones (docs/spec/session.md, section 2.4). Call it daily or at every start:
    /// it is cheap when nothing is due.
    ///
    /// It makes a new generation when the current one is a week old, when its replay cache is full, or when a wrong
    /// clock has dated it in the future. It deletes generations, with their one-time pairs, once no message in transit
    /// can need them. A clock that is wrong *now* deletes too much: check it first.
    ///
    /// Returns `true` if there is a new generation: publish [`PreKeys::bundle`] in place of the old bundle.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`] if `identity` is not the owner.
    pub fn rotate(
        &mut self,
        identity: &Identity,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<bool, PreKeysError> {
        self.check_owner(identity)?;
        let due = now >= self.current.created.plus_seconds(ROTATION)
            || self.current.created > now.plus_seconds(CLOCK_SKEW)
            || self.current.seen.len() >= REPLAY_CACHE;
        if due {
            let taken: Vec<u32> = self.generations().map(|generation| generation.id).collect();
            let fresh = Generation::generate(identity, now, now.plus_seconds(LIFETIME), &taken, &mut rng);
            self.older.push(core::mem::replace(&mut self.current, fresh));
        }
        let before = self.older.len();
        self.older.retain(|generation| now < generation.expires.plus_seconds(DELIVERY));
        while self.older.len() > MAX_OLDER {
            // Remove generations with a full replay cache first, so that an attacker who fills caches evicts only
            // those.
            let full = self.older.iter().position(|generation| generation.seen.len() >= REPLAY_CACHE);
            self.older.remove(full.unwrap_or(0));
        }
        if due || self.older.len() != before {
            let (older, current) = (&self.older, self.current.id);
            self.one_time.retain(|_, pair| {
                pair.signed_id == current || older.iter().any(|generation| generation.id == pair.signed_id)
            });
            self.touch();
        }
        Ok(due)
    }

    /// Removes the pre-keys that an accepted session has used. One-time keys are deleted. For the last-resort key the
    /// session is remembered, so that the same pre-key message cannot set up a second one.
    ///
    /// Call it only after the pre-key message has verified (requirement P-2.9). Calling it twice does no harm.
    pub fn remove(&mut self, used: UsedPreKeys) {
        match used.0 {
            UsedKey::OneTime(id) => {
                self.one_time.remove(&id);
            }
            UsedKey::LastResort { generation, session } => {
                let generation = if self.current.id == generation {
                    Some(&mut self.current)
                } else {
                    self.older.iter_mut().find(|older| older.id == generation)
                };
                if let Some(generation) = generation {
                    generation.seen.insert(session);
                }
            }
        }
        self.touch();
    }

    /// Finds the secrets that a pre-key message names. P-3.6: the generation is held, the one-time pair is its own.
    pub(crate) fn find(&self, signed_id: u32, one_time_id: u32) -> Result<Lookup<'_>, LookupError> {
        let generation = self.generation(signed_id).ok_or(LookupError::Unknown)?;
        if one_time_id == 0 {
            let kem = DecapsulationKey::from_seed(&generation.last_resort);
            let unsigned = generation.unsigned_with(self.owner, kem.public().clone(), None);
            return Ok(Lookup { generation, one_time: None, kem, digest: digest(&[&unsigned.encode()]) });
        }
        let pair = self.one_time.get(&one_time_id).filter(|pair| pair.signed_id == signed_id);
        let pair = pair.ok_or(LookupError::Unknown)?;
        let kem = DecapsulationKey::from_seed(&pair.kem);
        let one_time = Some((one_time_id, *pair.agreement.public()));
        let unsigned = generation.unsigned_with(self.owner, kem.public().clone(), one_time);
        Ok(Lookup {
            generation,
            one_time: Some((one_time_id, &pair.agreement)),
            kem,
            digest: digest(&[&unsigned.encode()]),
        })
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        core::iter::once(&self.current).chain(&self.older).map(AsRef::as_ref)
    }

    fn generation(&self, id: u32) -> Option<&Generation> {
        self.generations().find(|generation| generation.id == id)
    }

    /// The one-time pairs whose bundles have not expired.
    fn usable(&self, now: Timestamp) -> impl Iterator<Item = (u32, &Generation, &OneTime)> {
        self.one_time.iter().filter_map(move |(id, pair)| {
            let generation = self.generation(pair.signed_id).filter(|generation| now < generation.expires)?;
            Some((*id, generation, pair.as_ref()))
        })
    }

    fn check_owner(&self, identity: &Identity) -> Result<(), PreKeysError> {
        if *identity.public() == self.owner { Ok(()) } else { Err(PreKeysError::WrongIdentity) }
    }

    const fn touch(&mut self) {
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

/// The secrets that the handshake borrows to answer one pre-key message.
pub(crate) struct Lookup<'a> {
    generation: &'a Generation,
    pub(crate) one_time: Option<(u32, &'a KeyPair)>,
    pub(crate) kem: DecapsulationKey,
    /// SHA-256 of the bundle without its signature.
    pub(crate) digest: [u8; 32],
}

impl Lookup<'_> {
    pub(crate) const fn signed(&self) -> &KeyPair {
        &self.generation.signed
    }

    /// Returns what accepting the session uses up. P-3.7: refuses a session that the replay cache knows, and every
    /// session once the cache is full.
    pub(crate) fn claim(&self, session: [u8; 16]) -> Result<UsedPreKeys, LookupError> {
        if let Some((id, _)) = self.one_time {
            return Ok(UsedPreKeys(UsedKey::OneTime(id)));
        }
        if self.generation.seen.contains(&session) {
            return Err(LookupError::Replayed);
        }
        if self.generation.seen.len() >= REPLAY_CACHE {
            return Err(LookupError::CacheFull);
        }
        Ok(UsedPreKeys(UsedKey::LastResort { generation: self.generation.id, session }))
    }
}

/// Why the pre-keys cannot answer a pre-key message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
    Unknown,
    Replayed,
    CacheFull,
}

/// P-2.6: a new generation is due after this many seconds, a week.
const ROTATION: u64 = 7 * 24 * 60 * 60;

/// Validity of a bundle in seconds: 30 days, so that peers can write to a device that is away for weeks.
const LIFETIME: u64 = 30 * 24 * 60 * 60;

/// P-2.7: secrets are kept for this many seconds after their bundle has expired, for messages in transit: 14 days.
const DELIVERY: u64 = 14 * 24 * 60 * 60;

/// Sessions remembered for each last-resort key. Once the cache is full, the key accepts no more sessions and a
/// rotation is due. Sessions accepted concurrently are still remembered.
const REPLAY_CACHE: usize = 1_024;

/// Generations kept besides the current one. Weekly rotation needs six in 44 days; the others are for rotations caused
/// by a full replay cache.
const MAX_OLDER: usize = 16;

/// The number of pairs is low below this.
const LOW_STOCK: usize = 20;
