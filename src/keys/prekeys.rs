//! [`PreKeys`]: all the pre-keys that a device holds, from generation to removal.
//!
//! Does not know sessions: it lends secrets to the handshake, and learns afterwards which were used.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;

use super::prekey::{Generation, OneTime};
use super::{Identity, IdentityKey, PreKeyBundle};
use crate::primitives::dh::KeyPair;
use crate::primitives::kdf::digest;
use crate::primitives::kem::DecapsulationKey;
use crate::primitives::sign::SignaturePublicKey;
use crate::time::Timestamp;

/// Why pre-keys could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PreKeysError {
    /// The identity is not the one these pre-keys were generated for: a bug in the caller.
    OtherIdentity,
    /// More one-time pairs than [`PreKeys::MAX_ONE_TIME`] would be held: publish those there are.
    Full,
    /// All four billion ids were used: start again with new pre-keys.
    IdsExhausted,
}

impl fmt::Display for PreKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherIdentity => "pre-keys belong to another identity",
            Self::Full => "too many one-time pre-keys are held",
            Self::IdsExhausted => "pre-key ids are exhausted",
        })
    }
}

impl core::error::Error for PreKeysError {}

/// How many one-time pairs are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Pairs that were generated and not used yet, whether or not a server still has them.
    pub one_time: usize,
}

impl Stock {
    /// Fewer than 20 pairs are left: call [`PreKeys::replenish`] and publish what it gives. A stock that falls faster than
    /// sessions arrive says that somebody drains the server.
    #[must_use]
    pub const fn is_low(self) -> bool {
        self.one_time < LOW_STOCK
    }
}

/// What a session that was just accepted has used up. Hand it to [`PreKeys::remove`] and store the pre-keys in the same
/// transaction as the session; until then the same first message could open a second session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "give it to PreKeys::remove, and store both records together"]
pub struct Used(pub(crate) UsedKey);

impl Used {
    /// Whether one-time keys were used. If not, the sender had only the last-resort bundle: the stock is empty, or
    /// somebody wants it to seem so.
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
/// The value is the record: load it, use it, [seal](PreKeys::seal) it, store it (docs/persistence.md).
/// Rules of lifetime are in docs/protocol.md, section 2.4. Ids are never reused.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Identity, PreKeys, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let bob = Identity::generate(rng);
/// let mut keys = PreKeys::generate(&bob, now, rng);
/// let to_publish = keys.replenish(&bob, 100, rng)?;   // hand each out once ..
/// let last_resort = keys.bundle();                    // .. and this one when none is left
/// assert!(!keys.stock().is_low());
///
/// let a_week_later = now.plus_seconds(7 * 24 * 60 * 60);
/// assert!(keys.rotate(&bob, a_week_later, rng)?);     // publish keys.bundle() again
/// # let _ = (to_publish, last_resort);
/// # Ok::<(), bisik::PreKeysError>(())
/// ```
pub struct PreKeys {
    pub(super) owner: IdentityKey,
    pub(super) signing: SignaturePublicKey,
    /// Replaced ones, oldest first.
    /// Boxed, so that growing the list moves pointers and leaves no secret behind.
    #[allow(clippy::vec_box)]
    pub(super) older: Vec<Box<Generation>>,
    pub(super) current: Box<Generation>,
    pub(super) one_time: BTreeMap<u32, Box<OneTime>>,
    /// P-2.2: only grows.
    pub(super) next_id: u32,
    pub(super) revision: u64,
}

impl PreKeys {
    /// The greatest number of one-time pairs that are held at once.
    pub const MAX_ONE_TIME: usize = 1_000;

    /// The first generation: one signed pre-key and one last-resort key. One-time pairs come from [`PreKeys::replenish`].
    #[must_use]
    pub fn generate(identity: &Identity, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut rng = rng;
        let current = Generation::generate(identity, 1, now, now.plus_seconds(LIFETIME), &mut rng);
        Self {
            owner: *identity.public(),
            signing: identity.signing_public(),
            older: Vec::new(),
            current,
            one_time: BTreeMap::new(),
            next_id: 2,
            revision: 0,
        }
    }

    /// Whose pre-keys they are.
    #[must_use]
    pub const fn owner(&self) -> &IdentityKey {
        &self.owner
    }

    /// Counts changes: for compare-and-swap in the store, and to notice a record that was rolled back.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The current last-resort bundle: a server hands it out, as often as asked, when it has no one-time bundle left.
    #[must_use]
    pub fn bundle(&self) -> PreKeyBundle {
        let parts = self.current.parts(self.owner);
        PreKeyBundle::from_signed(parts, self.signing.clone(), self.current.signature)
    }

    /// Makes `count` one-time pairs and gives their bundles, each for the server to hand out once.
    ///
    /// Store the pre-keys before publishing: a published bundle whose secrets were lost makes a message unreadable.
    ///
    /// # Errors
    ///
    /// [`PreKeysError`]; nothing was made then.
    pub fn replenish(
        &mut self,
        identity: &Identity,
        count: usize,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<PreKeyBundle>, PreKeysError> {
        let mut rng = rng;
        self.check_owner(identity)?;
        if count > Self::MAX_ONE_TIME.saturating_sub(self.one_time.len()) {
            return Err(PreKeysError::Full);
        }
        let ids = u32::try_from(count).map_err(|_| PreKeysError::Full)?;
        let end = self.next_id.checked_add(ids).ok_or(PreKeysError::IdsExhausted)?;
        let mut bundles = Vec::with_capacity(count);
        for id in self.next_id..end {
            let (pair, bundle) = OneTime::generate(identity, &self.current, id, &mut rng);
            self.one_time.insert(id, pair);
            bundles.push(bundle);
        }
        self.next_id = end;
        self.touch();
        Ok(bundles)
    }

    /// The bundles of all one-time pairs not used yet, for a server that lost them. Bundles it still has, or has handed
    /// out already, are among them: the server must go by their bytes.
    #[must_use]
    pub fn one_time_bundles(&self) -> Vec<PreKeyBundle> {
        self.one_time
            .iter()
            .filter_map(|(id, pair)| {
                let parts = pair.parts(self.owner, self.generation(pair.signed_id)?, *id);
                Some(PreKeyBundle::from_signed(parts, self.signing.clone(), pair.signature))
            })
            .collect()
    }

    /// How many one-time pairs are left.
    #[must_use]
    pub fn stock(&self) -> Stock {
        Stock { one_time: self.one_time.len() }
    }

    /// Applies the rules of lifetime (docs/protocol.md, section 2.4): a new generation when the current one is a week old
    /// or its replay cache is full; generations, with their one-time pairs, deleted once nothing under way can need them.
    ///
    /// `true` says that there is a new generation: publish [`PreKeys::bundle`] in place of the old one.
    /// Call it daily or at every start; it is cheap when nothing is due.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::OtherIdentity`] or [`PreKeysError::IdsExhausted`]; nothing was changed then.
    pub fn rotate(
        &mut self,
        identity: &Identity,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<bool, PreKeysError> {
        let mut rng = rng;
        self.check_owner(identity)?;
        let due = now >= self.current.created.plus_seconds(ROTATION) || self.current.seen.len() >= REPLAY_CACHE;
        if due {
            let next_id = self.next_id.checked_add(1).ok_or(PreKeysError::IdsExhausted)?;
            let fresh = Generation::generate(identity, self.next_id, now, now.plus_seconds(LIFETIME), &mut rng);
            self.older.push(core::mem::replace(&mut self.current, fresh));
            self.next_id = next_id;
        }
        let before = self.older.len();
        self.older.retain(|generation| now < generation.expires.plus_seconds(DELIVERY));
        let surplus = self.older.len().saturating_sub(MAX_OLDER);
        self.older.drain(..surplus);
        if due || self.older.len() != before {
            let (older, current) = (&self.older, self.current.id);
            self.one_time.retain(|_, pair| {
                pair.signed_id == current || older.iter().any(|generation| generation.id == pair.signed_id)
            });
            self.touch();
        }
        Ok(due)
    }

    /// P-2.7. Forgets what an accepted session has used: one-time keys are deleted; use of the last-resort key is remembered,
    /// so that the same first message cannot open a second session.
    ///
    /// Doing it twice changes nothing the second time.
    pub fn remove(&mut self, used: Used) {
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

    /// P-3.6. The secrets that a first message names.
    pub(crate) fn find(&self, signed_id: u32, one_time_id: u32) -> Result<Lookup<'_>, LookupError> {
        let generation = self.generation(signed_id).ok_or(LookupError::Unknown)?;
        if one_time_id == 0 {
            let kem = DecapsulationKey::from_seed(&generation.last_resort);
            let parts = generation.parts_with(self.owner, kem.public().clone(), None);
            return Ok(Lookup { generation, one_time: None, kem, digest: digest(&[&parts.encode()]) });
        }
        let pair = self.one_time.get(&one_time_id).filter(|pair| pair.signed_id == signed_id);
        let pair = pair.ok_or(LookupError::Unknown)?;
        let kem = DecapsulationKey::from_seed(&pair.kem);
        let one_time = Some((one_time_id, *pair.agreement.public()));
        let parts = generation.parts_with(self.owner, kem.public().clone(), one_time);
        Ok(Lookup {
            generation,
            one_time: Some((one_time_id, &pair.agreement)),
            kem,
            digest: digest(&[&parts.encode()]),
        })
    }

    fn generation(&self, id: u32) -> Option<&Generation> {
        core::iter::once(&self.current).chain(&self.older).find(|generation| generation.id == id).map(AsRef::as_ref)
    }

    fn check_owner(&self, identity: &Identity) -> Result<(), PreKeysError> {
        if *identity.public() == self.owner { Ok(()) } else { Err(PreKeysError::OtherIdentity) }
    }

    const fn touch(&mut self) {
        self.revision = self.revision.saturating_add(1);
    }
}

impl fmt::Debug for PreKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, signing: _, older, current: _, one_time, next_id: _, revision } = self;
        f.debug_struct("PreKeys")
            .field("owner", owner)
            .field("older_generations", &older.len())
            .field("one_time", &one_time.len())
            .field("revision", revision)
            .finish_non_exhaustive()
    }
}

/// What the handshake borrows to answer one first message.
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

    /// P-3.7. What accepting the session `session` uses up, unless it was accepted before.
    pub(crate) fn claim(&self, session: [u8; 16]) -> Result<Used, LookupError> {
        if let Some((id, _)) = self.one_time {
            return Ok(Used(UsedKey::OneTime(id)));
        }
        if self.generation.seen.contains(&session) {
            return Err(LookupError::Replayed);
        }
        if self.generation.seen.len() >= REPLAY_CACHE {
            return Err(LookupError::CacheFull);
        }
        Ok(Used(UsedKey::LastResort { generation: self.generation.id, session }))
    }
}

/// Why pre-keys cannot answer a first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
    Unknown,
    Replayed,
    CacheFull,
}

/// P-2.5. A new generation is due after this many seconds: a week.
const ROTATION: u64 = 7 * 24 * 60 * 60;

/// A bundle can be used for this many seconds: 30 days, so that a device may be away for weeks and still be written to.
const LIFETIME: u64 = 30 * 24 * 60 * 60;

/// P-2.6. Secrets are kept for this many seconds after their bundle expired, for messages on their way: 14 days.
const DELIVERY: u64 = 14 * 24 * 60 * 60;

/// Sessions remembered for each last-resort key. Past it the key accepts nothing more (fails closed) and a rotation is due.
pub(super) const REPLAY_CACHE: usize = 1_024;

/// Generations kept beside the current one: six weekly ones fit 44 days, the rest is for rotations by a full replay cache.
pub(super) const MAX_OLDER: usize = 16;

/// Below this many pairs the stock is low.
const LOW_STOCK: usize = 20;
