//! Replacing pre-keys, and deleting those that no message in transit can need
//! ([section 2.4](crate::manual::spec::session#24-lifetimes)).

use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::prekey::Generation;
use super::verify::{CLOCK_SKEW, LIFETIME};
use super::{Identity, PreKeyBundle, PreKeys, PreKeysError};
use bisik_core::time::Timestamp;

/// What [`PreKeys::rotate`] has replaced, and what the server replaces.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::{Identity, PreKeys, Rotation, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let identity = Identity::generate(rng);
/// let mut keys = PreKeys::generate(&identity, now, rng);
/// assert_eq!(keys.rotate(&identity, now, rng)?, Rotation::Nothing);
/// // Once a day, and when the program starts:
/// let later = now.plus_seconds(8 * 86_400);
/// match keys.rotate(&identity, later, rng)? {
///     Rotation::Nothing => {}
///     Rotation::LastResort => { /* upload keys.bundle() */ }
///     Rotation::Everything => { /* upload keys.bundle() and those of keys.replenish(...) */ }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the server has bundles that are replaced"]
pub enum Rotation {
    /// Nothing was due.
    Nothing,
    /// The last-resort bundle. The server replaces its own by [`PreKeys::bundle`], and keeps its one-time bundles.
    LastResort,
    /// All bundles. The server replaces its last-resort bundle by [`PreKeys::bundle`] and deletes its one-time bundles,
    /// whose secrets will be gone in three days. [`PreKeys::replenish`] gives new ones.
    Everything,
}

impl PreKeys {
    /// Rotates the pre-keys and deletes old ones ([section 2.4](crate::manual::spec::session#24-lifetimes)). Call it
    /// daily or at every start: it is cheap when nothing is due. Decrypt what has arrived first: a device that was off
    /// deletes here what messages written before it went off may need.
    ///
    /// It makes a new generation when the current one is four days old, when a wrong clock has dated it in the future,
    /// or, at most every six hours, when its replay memory has no room for strangers. The secrets of a generation are
    /// deleted three days after it was replaced, and in any case 33 days after it was made. A clock that is wrong *now*
    /// deletes too much: check it first.
    ///
    /// # Errors
    ///
    /// [`PreKeysError::WrongIdentity`] if `identity` is not the owner.
    pub fn rotate(
        &mut self,
        identity: &Identity,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Rotation, PreKeysError> {
        self.check_owner(identity)?;
        let due = self.due(now);
        match due {
            Rotation::Nothing => {}
            Rotation::LastResort => {
                // Its one-time bundles stay on the server for as long as those of any other generation.
                let withdrawn = self.current.created.plus_seconds(ROTATION);
                let published = self.one_time.values().any(|pair| pair.signed_id == self.current.id);
                self.replace(identity, now, if published { withdrawn } else { now }, &mut rng);
            }
            Rotation::Everything => self.replace(identity, now, now, &mut rng),
        }
        self.delete_old(now);
        Ok(due)
    }

    /// Makes a new generation and `count` one-time pairs at once, and returns their bundles: for a device whose server
    /// holds bundles that the record does not [know](Self::knows), because the record was lost or restored. The server
    /// deletes all bundles that it has, then takes [`PreKeys::bundle`] and the returned ones. Requirement P-2.11.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// use bisik::{Identity, PreKeys, StorageKey, Timestamp};
    ///
    /// let now = Timestamp::from_unix_seconds(1_800_000_000);
    /// let (bob, key) = (Identity::generate(rng), StorageKey::generate(rng));
    /// let mut keys = PreKeys::generate(&bob, now, rng);
    /// let backup = keys.seal(&key, b"pre-keys", rng);
    /// let on_the_server = keys.replenish(&bob, 1, rng)?.remove(0).id();
    /// assert!(keys.knows(on_the_server));
    ///
    /// let mut restored = PreKeys::unseal(&key, b"pre-keys", &backup)?;
    /// assert!(!restored.knows(on_the_server));
    /// let to_publish = restored.replace_all(&bob, 100, now, rng)?;
    /// assert!(to_publish.iter().all(|bundle| restored.knows(bundle.id())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// * [`PreKeysError::WrongIdentity`] if `identity` is not the owner.
    /// * [`PreKeysError::Full`] if `count` is above [`PreKeys::MAX_ONE_TIME`].
    pub fn replace_all(
        &mut self,
        identity: &Identity,
        count: usize,
        now: Timestamp,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<PreKeyBundle>, PreKeysError> {
        self.check_owner(identity)?;
        if count > Self::MAX_ONE_TIME {
            return Err(PreKeysError::Full);
        }
        self.replace(identity, now, now, &mut rng);
        for generation in &mut self.older {
            generation.replaced = generation.replaced.map(|replaced| replaced.min(now));
        }
        self.delete_old(now);
        self.replenish(identity, count, rng)
    }

    /// What is due now.
    fn due(&self, now: Timestamp) -> Rotation {
        let Generation { created, seen, .. } = self.current.as_ref();
        if now >= created.plus_seconds(ROTATION) || *created > now.plus_seconds(CLOCK_SKEW) {
            Rotation::Everything
        } else if seen.is_full_for_strangers() && now >= created.plus_seconds(EARLY_ROTATION) {
            Rotation::LastResort
        } else {
            Rotation::Nothing
        }
    }

    /// Makes a new generation. The bundles of the one before are replaced at `withdrawn`.
    fn replace(&mut self, identity: &Identity, now: Timestamp, withdrawn: Timestamp, rng: &mut dyn CryptoRng) {
        let taken: Vec<u32> = self.generations().map(|generation| generation.id).collect();
        let fresh = Generation::generate(identity, now, now.plus_seconds(LIFETIME), &taken, rng);
        let mut old = core::mem::replace(&mut self.current, fresh);
        old.replaced = Some(withdrawn);
        self.older.push(old);
        self.touch();
    }

    /// Deletes the secrets that no message in transit can need, with the one-time pairs of their generations. P-2.8.
    fn delete_old(&mut self, now: Timestamp) {
        let before = self.older.len();
        let mut clamped = false;
        for generation in &mut self.older {
            // A clock that was ahead when the generation was replaced must not keep its secrets for longer.
            if generation.replaced.is_some_and(|replaced| replaced > now.plus_seconds(ROTATION + CLOCK_SKEW)) {
                generation.replaced = Some(now);
                clamped = true;
            }
        }
        self.older.retain(|generation| !generation.is_spent(now));
        while self.older.len() > MAX_OLDER {
            // Remove generations with a full replay memory first, so that an attacker who fills them evicts only those.
            let full = self.older.iter().position(|generation| generation.seen.is_full_for_strangers());
            self.older.remove(full.unwrap_or(0));
        }
        if clamped {
            self.touch();
        }
        if self.older.len() != before {
            let (older, current) = (&self.older, self.current.id);
            self.one_time.retain(|_, pair| {
                pair.signed_id == current || older.iter().any(|generation| generation.id == pair.signed_id)
            });
            self.touch();
        }
    }
}

/// P-2.7: a new generation is due after this many seconds, four days.
const ROTATION: u64 = 4 * 24 * 60 * 60;

/// P-2.7: a generation whose replay memory is full is replaced after this many seconds, six hours.
const EARLY_ROTATION: u64 = 6 * 60 * 60;

/// Generations kept besides the current one. A device that runs daily has one. A device whose replay memory is filled
/// again and again makes twelve in three days, after which the first is deleted.
const MAX_OLDER: usize = 16;
