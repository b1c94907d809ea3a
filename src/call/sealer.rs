//! [`FrameSealer`]: encryption of frames under one key, with counters that are never used twice.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::error::SealError;
use super::header::{Associated, MAX_METADATA};
use super::keys::{BaseKey, Participant, SenderKey};
use super::suite::{FrameKey, FrameSuite};
use crate::labels::kind;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{self, Lineage, SealedRecord, Stored};
use bisik_core::storage::{self, StorageKey, UnsealError};

/// Encrypts the frames of one participant under one key, each with the next counter
/// ([section 9.4](crate::manual::spec::calls#94-frames)).
///
/// A new sealer may use all counters and stores nothing; after a restart, the program takes a new key.
///
/// To continue with the same key after a restart, [reserve](Self::reserve) counters in blocks, and store the record
/// before using them. [`unseal`](Self::unseal) then starts after every counter ever reserved.
///
/// The type is not `Clone`, because a copy would reuse counters. On error the state is unchanged.
///
/// ```
/// use bisik::call::{BaseKey, FrameOpener, FrameSealer, FrameSuite, Participant, SenderKey};
///
/// let key = || BaseKey::from_bytes(&[7; 32]).map(|base| SenderKey::new(FrameSuite::default(), Participant(3), 0, base));
/// let mut sealer = FrameSealer::new(key()?);
/// let mut opener = FrameOpener::new();
/// opener.install(key()?)?;
///
/// let mut packet = Vec::new();
/// sealer.seal(b"stream 1", b"20 ms of sound", &mut packet)?;
/// let opened = opener.open(b"stream 1", &mut packet)?;
/// assert_eq!((opened.participant, &*opened.plaintext), (Participant(3), b"20 ms of sound".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FrameSealer {
    key: FrameKey,
    sender: SenderKey,
    /// Counter of the next frame.
    next: u64,
    /// First counter that may not be used.
    limit: u64,
    /// The highest limit of a record that was sealed, of counters that were dropped too; no record has a lower one.
    sealed: u64,
    origin: Origin,
    /// The storage key of the records.
    lineage: Lineage,
}

/// Where a sealer's counters come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// No record of the sealer exists.
    Memory,
    /// A record holds `limit` or a higher value.
    Recorded,
    /// Restored from a record, and not stored since. The next reservation skips counters.
    Restored,
}

impl FrameSealer {
    /// Maximum length of a frame's plaintext in bytes: 16 MiB.
    pub const MAX_PLAINTEXT: usize = 16 << 20;
    /// Maximum length of a frame's metadata in bytes: 256.
    pub const MAX_METADATA: usize = MAX_METADATA;

    /// Creates a sealer for `key` that may use all counters.
    #[must_use]
    pub fn new(key: SenderKey) -> Self {
        Self::start(key, 0, LAST, 0, Origin::Memory)
    }

    fn start(sender: SenderKey, next: u64, limit: u64, sealed: u64, origin: Origin) -> Self {
        let key = FrameKey::derive(sender.suite, sender.key_id(), sender.base.expose_bytes());
        Self { key, sender, next, limit, sealed, origin, lineage: Lineage::default() }
    }

    /// Encrypts one frame, and appends header, ciphertext and tag to `output`.
    ///
    /// A frame is 17 to 33 bytes longer than `plaintext` in the suites with tags of full length. `metadata` is
    /// authenticated but not sent. Allocates only if `output` lacks capacity.
    ///
    /// # Errors
    ///
    /// [`SealError`]; `output` is unchanged.
    pub fn seal(&mut self, metadata: &[u8], plaintext: &[u8], output: &mut Vec<u8>) -> Result<(), SealError> {
        if plaintext.len() > Self::MAX_PLAINTEXT || metadata.len() > Self::MAX_METADATA {
            return Err(SealError::TooLong);
        }
        let counter = self.next;
        // P-9.11: use no counter that is not reserved.
        if counter >= self.limit {
            return Err(if counter == LAST { SealError::Exhausted } else { SealError::NotReserved });
        }
        let next = counter.checked_add(1).ok_or(SealError::Exhausted)?;
        let header = Associated::encode(self.sender.key_id(), counter)?;
        let start = output.len();
        output.extend_from_slice(header.as_slice());
        let associated = header.with(metadata);
        let sealed = associated.and_then(|associated| self.key.seal(counter, &associated, plaintext, output));
        if let Err(bug) = sealed {
            output.truncate(start);
            return Err(bug.into());
        }
        self.next = next;
        Ok(())
    }

    /// Reserves the next `count` counters. Seal their record, store it, then [release](HeldCounters::release) the
    /// counters against the proof.
    ///
    /// Draws 16 bytes from `rng` if the sealer was restored from a record, and none otherwise.
    ///
    /// From the first call on, the sealer uses reserved counters only. Reserve enough that you rarely store, but few
    /// enough that losing the unused ones does not matter: 5,000 are a hundred seconds of audio.
    ///
    /// A restored sealer first skips a random number of counters, less than 2^56. If the record came from an old
    /// backup, two frames are then still unlikely to share a counter. This is a hedge only: after restoring a backup,
    /// begin a new epoch.
    ///
    /// Requirement P-9.11.
    ///
    /// ```
    /// # let rng = &mut rand::rng();
    /// # let mut database = Vec::new();
    /// use bisik::StorageKey;
    /// use bisik::call::{BaseKey, FrameSealer, FrameSuite, Participant, SenderKey};
    ///
    /// let base = BaseKey::from_bytes(&[7; 32])?;
    /// let mut sealer = FrameSealer::new(SenderKey::new(FrameSuite::default(), Participant(0), 0, base));
    /// let storage_key = StorageKey::generate(rng);
    ///
    /// let mut held = sealer.reserve(5_000, rng)?;
    /// let record = held.seal(&storage_key, b"call 17", rng)?;
    /// database.extend_from_slice(record.as_bytes());
    /// held.release(&record.stored()).expect("stored just now"); // the counters can be used from here on
    /// sealer.seal(b"", b"sound", &mut Vec::new())?;
    ///
    /// let mut sealer = FrameSealer::unseal(&storage_key, b"call 17", &database)?; // after a restart
    /// let mut held = sealer.reserve(5_000, rng)?;
    /// let record = held.seal(&storage_key, b"call 17", rng)?; // .. and store it, as above
    /// held.release(&record.stored()).expect("stored just now");
    /// sealer.seal(b"", b"sound", &mut Vec::new())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SealError::Exhausted`] if fewer than `count` counters are left.
    pub fn reserve(
        &mut self,
        count: u32,
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<HeldCounters<'_>, SealError> {
        let start = match self.origin {
            Origin::Memory => self.next,
            Origin::Recorded => self.limit.max(self.sealed),
            Origin::Restored => self.sealed.checked_add(jump(&mut rng)).ok_or(SealError::Exhausted)?,
        };
        let limit = start.checked_add(count.into()).ok_or(SealError::Exhausted)?;
        if self.origin == Origin::Memory {
            // From here on a record may exist, whether or not the caller confirms it.
            self.limit = self.next;
            self.origin = Origin::Recorded;
        }
        Ok(HeldCounters { sealer: self, recorded: None, start, limit })
    }

    /// Returns how many frames can be encrypted before more counters must be reserved.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.next)
    }

    /// Restores a sealer from a record of [`HeldCounters::seal`].
    ///
    /// It starts after every counter ever reserved, and must [reserve](Self::reserve) before it encrypts.
    ///
    /// # Errors
    ///
    /// * [`UnsealError::Rejected`] if the key, the context or the record is not the one used in `reserve`.
    /// * [`UnsealError::UnknownVersion`] if a later version of this library wrote the record.
    pub fn unseal(key: &StorageKey, context: &[u8], record: &[u8]) -> Result<Self, UnsealError> {
        let state = storage::unseal(key, kind::FRAME_SEALER, context, record)?;
        let sealer = Self::decode(&state).map_err(|Malformed| UnsealError::Rejected)?;
        Ok(Self { lineage: sealer.lineage.under(key), ..sealer })
    }

    /// Takes `key` for all further records: a record under another key than that of the first is refused
    /// ([`WrongKey`](held::SealError::WrongKey)), unless this says that it is meant. [Reserve](Self::reserve) and store
    /// next, so that the record under the former key is replaced.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        self.lineage.move_to_key(key);
    }

    /// The encoding of [section 9.6](crate::manual::formats#96-counters-of-frames).
    fn encode(&self, limit: u64) -> Zeroizing<Vec<u8>> {
        let SenderKey { suite, participant, epoch, base } = &self.sender;
        let mut writer = SecretWriter::with_capacity(RECORD);
        writer.u8(suite.number()).bytes(&participant.0.to_be_bytes()).u64(*epoch).u64(limit);
        writer.bytes(base.expose_bytes());
        writer.finish()
    }

    fn decode(state: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(state);
        let suite = FrameSuite::from_number(reader.u8()?).ok_or(Malformed)?;
        let participant = Participant(u16::from_be_bytes(*reader.array()?));
        let (epoch, limit) = (reader.u64()?, reader.u64()?);
        let base = BaseKey::from_bytes(reader.rest()).map_err(|_| Malformed)?;
        Ok(Self::start(SenderKey { suite, participant, epoch, base }, limit, limit, limit, Origin::Restored))
    }
}

impl fmt::Debug for FrameSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, sender, next, limit: _, sealed: _, origin: _, lineage: _ } = self;
        f.debug_struct("FrameSealer").field("sender", sender).field("next", next).finish_non_exhaustive()
    }
}

/// Counters that can be used once their record is stored: the caller [seals](Self::seal) the record, stores it, and
/// [releases](Self::release) the counters against the proof. Dropping them loses the counters, which harms nothing; if
/// their record was sealed, those left of the reservation before are lost too. The revision of a record is the first
/// counter that is not reserved, and it never goes down.
#[must_use = "the counters can be used after `release`"]
pub struct HeldCounters<'a> {
    sealer: &'a mut FrameSealer,
    /// The record that was sealed last: only the proof of this one releases the counters.
    recorded: Option<Lineage>,
    start: u64,
    limit: u64,
}

impl HeldCounters<'_> {
    /// Seals the record to store in place of the one before; less than 200 bytes. `context` names the record in the
    /// caller's store; the same must be given to [`FrameSealer::unseal`]. Uses 24 bytes of `rng`.
    ///
    /// # Errors
    ///
    /// [`WrongKey`](held::SealError::WrongKey) if `key` is not the one of the sealer's records; see
    /// [`FrameSealer::move_to_key`]. Nothing has changed then.
    pub fn seal(
        &mut self,
        key: &StorageKey,
        context: &[u8],
        mut rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<SealedRecord, held::SealError> {
        self.sealer.lineage.admit(key)?;
        let state = self.sealer.encode(self.limit);
        self.sealer.sealed = self.limit;
        let bytes = storage::seal(key, kind::FRAME_SEALER, context, &state, &mut rng);
        let recorded = self.recorded.insert(Lineage::new(self.limit));
        Ok(held::sealed_record(bytes, recorded.origin()))
    }

    /// Gives the counters to the sealer, if `stored` is of the record that [`seal`](Self::seal) made last.
    ///
    /// # Errors
    ///
    /// The held counters themselves, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<(), Self> {
        if !self.recorded.as_ref().is_some_and(|recorded| held::covers(stored, &recorded.origin())) {
            return Err(self);
        }
        let Self { sealer, recorded: _, start, limit } = self;
        // Counters between the old limit and `start` were skipped, or dropped with the record that reserved them.
        if start > sealer.limit {
            sealer.next = start;
        }
        sealer.origin = Origin::Recorded;
        sealer.limit = limit;
        Ok(())
    }
}

impl fmt::Debug for HeldCounters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sealer: _, recorded: _, start, limit } = self;
        f.debug_struct("HeldCounters").field("start", start).field("limit", limit).finish_non_exhaustive()
    }
}

/// P-9.12: the number of counters that a restored sealer skips, 56 random bits.
fn jump(rng: &mut dyn CryptoRng) -> u64 {
    let mut random = [0; 16];
    rng.fill_bytes(&mut random);
    let [a, b, c, d, e, f, g, h, ..] = random;
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 8
}

/// The one counter that is never used, so that every used counter has a successor.
const LAST: u64 = u64::MAX;
/// Maximum length in bytes of a record's plaintext.
const RECORD: usize = 1 + 2 + 4 + 8 + 64;
