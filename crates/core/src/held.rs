//! Results that are held until the state they came from is stored: [`Held`], [`HeldPlaintext`], [`SealedRecord`],
//! [`Stored`].
//!
//! These are public types of `bisik` and of `bisik-interop`. Only functions of this module make them, and neither crate
//! re-exports the functions, so that a caller does not make a proof by accident.

mod instance; // one value in memory
mod key_name; // which storage key
mod sealing; //  a record with blocks

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::codec::{Malformed, Reader};
use crate::revision;
use crate::storage::StorageKey;
use instance::{Instance, UNCONFIRMED};
use key_name::KeyName;

pub use sealing::Sealing;

/// What ties a state in memory to its records and to the results that it holds: the one mechanism of every type that is
/// loaded, changed, sealed and stored.
///
/// It is made anew by every load and every set-up, and is never copied as a whole. Nothing of it but the revision is
/// stored.
#[derive(Debug)]
pub struct Lineage {
    instance: Instance,
    revision: u64,
    /// The name of the storage key of the state's records: of the record that it was loaded from, or of the first one that
    /// was sealed.
    key: Option<KeyName>,
    /// A record of a later state exists, and this state did not become that one.
    poisoned: bool,
    /// How many records with blocks were sealed.
    seals: usize,
    /// How often the storage key was changed.
    moves: u32,
}

impl Lineage {
    /// The lineage of a state that starts at `revision` and has no record of its own.
    #[must_use]
    pub fn new(revision: u64) -> Self {
        Self { instance: Instance::default(), revision, key: None, poisoned: false, seals: 0, moves: 0 }
    }

    /// Reads the revision, with which every encoding of a state begins.
    ///
    /// # Errors
    ///
    /// As for [`revision::read`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self::new(revision::read(reader)?))
    }

    /// The lineage of a state that was opened with `key`.
    #[must_use]
    pub fn under(self, key: &StorageKey) -> Self {
        Self { key: Some(KeyName::of(key)), ..self }
    }

    /// The revision, which grows with every change.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The state at its present revision: the origin of what it holds and of its record.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin { instance: self.instance.clone(), revision: self.revision, seal: 0 }
    }

    /// Counts a change.
    pub const fn change(&mut self) {
        self.revision = revision::after(self.revision);
    }

    /// Whether the state may be used. Every operation that changes or shows something asks first.
    ///
    /// # Errors
    ///
    /// [`Poisoned`] if a record of a later state was sealed and that state not committed.
    pub const fn check(&self) -> Result<(), Poisoned> {
        if self.poisoned { Err(Poisoned) } else { Ok(()) }
    }

    /// Whether a record of the state may be sealed under `key`, which the first call settles.
    ///
    /// # Errors
    ///
    /// [`SealError`]. The state is then unchanged.
    pub fn admit(&mut self, key: &StorageKey) -> Result<(), SealError> {
        self.check()?;
        self.settle(key)
    }

    /// Whether [`admit`](Self::admit) would succeed: for two states that are sealed together.
    ///
    /// # Errors
    ///
    /// [`SealError`].
    pub fn admits(&self, key: &StorageKey) -> Result<(), SealError> {
        self.check()?;
        let fits = self.key.is_none_or(|known| known.is(&KeyName::of(key)));
        if fits { Ok(()) } else { Err(SealError::WrongKey) }
    }

    /// The lineage of the state that a staged change leads to, for its record. From here on this state is poisoned, until
    /// the change is [committed](Self::commit): a record may exist that holds more than this state does. If that one was
    /// stored, a later record of this state would undo it, and bring back the keys that it had deleted.
    ///
    /// # Errors
    ///
    /// [`SealError::WrongKey`]. The state is then unchanged. A staged change can be sealed any number of times.
    pub fn stage(&mut self, key: &StorageKey) -> Result<Self, SealError> {
        self.settle(key)?;
        self.poisoned = true;
        let Self { instance, revision, key, poisoned: _, seals, moves } = self;
        let revision = revision::after(*revision);
        Ok(Self { instance: instance.clone(), revision, key: *key, poisoned: false, seals: *seals, moves: *moves })
    }

    /// Begins a record of the state that has blocks beside it ([`blocks`](crate::blocks)), under `key`.
    ///
    /// # Errors
    ///
    /// As for [`admit`](Self::admit).
    pub fn seal(&mut self, key: &StorageKey) -> Result<Sealing, SealError> {
        self.admit(key)?;
        Ok(self.number(self.revision))
    }

    /// Begins such a record of the state that a staged change leads to. From here on this state is poisoned, as
    /// [`stage`](Self::stage) says.
    ///
    /// # Errors
    ///
    /// As for [`stage`](Self::stage).
    pub fn seal_staged(&mut self, key: &StorageKey) -> Result<Sealing, SealError> {
        self.settle(key)?;
        self.poisoned = true;
        Ok(self.number(revision::after(self.revision)))
    }

    /// Numbers a record. The last number is for all that come after four billion, on a machine of 32 bits: they confirm
    /// nothing, and blocks that they put are put again.
    fn number(&mut self, revision: u64) -> Sealing {
        self.seals = self.seals.checked_add(1).unwrap_or(UNCONFIRMED);
        Sealing {
            origin: Origin { instance: self.instance.clone(), revision, seal: self.seals },
            moves: self.moves,
            confirmed: self.instance.confirmed(),
        }
    }

    /// Counts a change that was staged, sealed or not.
    pub const fn commit(&mut self) {
        self.change();
        self.poisoned = false;
    }

    /// Takes `key` for all further records. Counts as a change if the state had another, so that the next record may
    /// replace the one under the former key.
    pub fn move_to_key(&mut self, key: &StorageKey) {
        let name = KeyName::of(key);
        if self.key.replace(name).is_some_and(|former| !former.is(&name)) {
            self.change();
            self.moves = self.moves.wrapping_add(1);
        }
    }

    fn settle(&mut self, key: &StorageKey) -> Result<(), SealError> {
        let name = KeyName::of(key);
        if self.key.get_or_insert(name).is(&name) { Ok(()) } else { Err(SealError::WrongKey) }
    }
}

/// Revision 0, without a record.
impl Default for Lineage {
    fn default() -> Self {
        Self::new(0)
    }
}

/// The state must not be used: a record of a later state was sealed and that state not committed. Each operation has a
/// variant for it in its own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poisoned;

/// Why a state was not sealed. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The state was loaded from a record, or was sealed, under another storage key: a bug in the caller. To change the
    /// key on purpose, call `move_to_key` first.
    WrongKey,
    /// A staged message was sealed and then dropped: drop this value too, and load the stored record.
    Poisoned,
    /// A bug in this library, which no input causes: please report it.
    Internal,
}

crate::error_texts! {
    SealError {
        WrongKey => "session.seal.wrong_key", "the state belongs under another storage key";
        Poisoned => "session.seal.poisoned", "a sealed message was not committed: load the stored record";
        @Internal => "session.seal.internal";
    }
}

impl From<Poisoned> for SealError {
    fn from(Poisoned: Poisoned) -> Self {
        Self::Poisoned
    }
}

/// The origin of a result or of a record: one value, at one revision.
///
/// It needs no name of a storage key: a value's revisions are in one line, and a record at a revision was sealed under
/// the key that the value had there.
#[derive(Debug)]
pub struct Origin {
    instance: Instance,
    /// For a result, the value's revision after the operation that made it: the first whose record covers the result.
    revision: u64,
    /// The number of a record with blocks; otherwise 0, which confirms nothing.
    seal: usize,
}

/// Proof that a record was stored, against which held results are released.
///
/// It comes only from [`SealedRecord::stored`], by which the caller affirms that the database has the record. It
/// releases what came from the value that was sealed, up to the revision in the record. It does not release results of
/// another value, even one unsealed from this record.
pub struct Stored(Origin);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Origin { instance: _, revision, seal: _ }) = self;
        f.debug_struct("Stored").field("revision", revision).finish_non_exhaustive()
    }
}

/// Whether the stored record is of the value of `origin`, at its revision or a later one.
#[must_use]
pub fn covers(stored: &Stored, origin: &Origin) -> bool {
    let Stored(record) = stored;
    record.instance.is(&origin.instance) && record.revision >= origin.revision
}

/// The revision of the record that was stored, if it is of the value of `origin`.
#[must_use]
pub fn revision_of(stored: &Stored, origin: &Origin) -> Option<u64> {
    let Stored(record) = stored;
    record.instance.is(&origin.instance).then_some(record.revision)
}

/// A sealed record, with the revision that it holds.
#[must_use = "a record that is not stored protects nothing"]
pub struct SealedRecord {
    bytes: Vec<u8>,
    proof: Stored,
}

impl SealedRecord {
    /// The record to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The record to store, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The revision of the state in the record: store it only over a lower one.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.proof.0.revision
    }

    /// Affirms that the caller's database has stored this record durably. The proof releases everything that was held
    /// when the record was sealed.
    #[allow(clippy::must_use_candidate, reason = "it has an effect: what was put is not put again")]
    pub fn stored(self) -> Stored {
        let Stored(origin) = self.proof;
        stored(origin)
    }
}

impl fmt::Debug for SealedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, proof } = self;
        f.debug_struct("SealedRecord").field("length", &bytes.len()).field("revision", &proof.0.revision).finish()
    }
}

/// A record of `origin`: storing it proves that the value was stored at that revision.
pub const fn sealed_record(bytes: Vec<u8>, origin: Origin) -> SealedRecord {
    SealedRecord { bytes, proof: Stored(origin) }
}

/// Proof that the value of `origin` was stored, for a type of its own that the caller affirms. What was put beside it is
/// not put again.
#[allow(clippy::must_use_candidate, reason = "it has an effect: what was put is not put again")]
pub fn stored(origin: Origin) -> Stored {
    origin.instance.confirm(origin.seal);
    Stored(origin)
}

/// A value that is released only against proof that its state was stored. Each use wraps it in a type of its own.
pub struct Held<T> {
    value: T,
    origin: Origin,
}

impl<T> Held<T> {
    /// Holds `value` until a record of `origin`, or of a later revision, is stored.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// Lends the value without proof, for the transaction that stores the state too.
    pub const fn peek(&self) -> &T {
        &self.value
    }

    /// Releases the value, if `stored` covers it.
    ///
    /// # Errors
    ///
    /// Returns the held value itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<T, Self> {
        if covers(stored, &self.origin) { Ok(self.value) } else { Err(self) }
    }

    /// The first revision whose record covers the value.
    pub const fn revision(&self) -> u64 {
        self.origin.revision
    }
}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value: _, origin } = self;
        f.debug_struct("Held").field("revision", &origin.revision).finish_non_exhaustive()
    }
}

/// A decrypted message that is held until its state is stored.
///
/// It is an owned value: any number can be held at once, and released against one stored record. Dropping it loses the
/// message, because its key is used up. If storing failed, drop the state in memory too, and load the stored record, in
/// which the message is still unread. The plaintext is wiped on drop and absent from `Debug` output.
#[must_use = "the message was decrypted and is not shown"]
pub struct HeldPlaintext(Held<Zeroizing<Vec<u8>>>);

impl HeldPlaintext {
    /// Returns the plaintext, to store in the same transaction as the state. Show it only after
    /// [`release`](Self::release).
    #[must_use]
    pub fn for_inbox(&self) -> &[u8] {
        self.0.peek()
    }

    /// Releases the plaintext if `stored` is of the value that decrypted the message, and not older than the message.
    ///
    /// # Errors
    ///
    /// Returns the held message itself, for another try with the right proof.
    pub fn release(self, stored: &Stored) -> Result<Vec<u8>, Self> {
        self.0.release(stored).map(|mut plaintext| core::mem::take(&mut *plaintext)).map_err(Self)
    }
}

impl fmt::Debug for HeldPlaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(held) = self;
        f.debug_struct("HeldPlaintext")
            .field("length", &held.peek().len())
            .field("revision", &held.revision())
            .finish_non_exhaustive()
    }
}

/// Holds a plaintext until a record of `origin`, or of a later revision, is stored.
pub fn held_plaintext(plaintext: Vec<u8>, origin: Origin) -> HeldPlaintext {
    HeldPlaintext(Held::new(Zeroizing::new(plaintext), origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> StorageKey {
        StorageKey::from_bytes([byte; 32])
    }

    fn stored_at(lineage: &Lineage) -> Stored {
        sealed_record(Vec::new(), lineage.origin()).stored()
    }

    #[test]
    fn a_proof_covers_its_own_value_and_no_later_revision() {
        let (mut one, mut other) = (Lineage::new(4), Lineage::new(5));
        let before = one.origin();
        one.change();
        let (at, stored) = (one.origin(), stored_at(&one));
        one.change();
        assert!(covers(&stored, &before) && covers(&stored, &at) && !covers(&stored, &one.origin()));
        assert!(!covers(&stored, &other.origin()) && !covers(&stored, &Lineage::new(0).origin()));
        other.change();
        assert!(!covers(&stored_at(&other), &one.origin()));
    }

    /// The allocator may reuse a dropped value's address, but not while a result of it is held.
    #[test]
    fn what_is_held_outlives_its_value() {
        let origin = Lineage::new(1).origin();
        for _ in 0..100 {
            assert!(!covers(&stored_at(&Lineage::new(9)), &origin));
        }
    }

    #[test]
    fn the_first_record_settles_the_key_and_a_move_changes_it() {
        let mut fresh = Lineage::default();
        assert_eq!(fresh.admit(&key(1)), Ok(()));
        for mut lineage in [fresh, Lineage::new(0).under(&key(1))] {
            assert_eq!(lineage.admit(&key(2)), Err(SealError::WrongKey));
            assert_eq!(lineage.stage(&key(2)).err(), Some(SealError::WrongKey));
            assert_eq!((lineage.admit(&key(1)), lineage.revision()), (Ok(()), 0), "a refused key changes nothing");
            lineage.move_to_key(&key(1));
            assert_eq!(lineage.revision(), 0, "it has this key");
            let held = lineage.origin();
            lineage.move_to_key(&key(2));
            assert_eq!((lineage.admit(&key(1)), lineage.admit(&key(2))), (Err(SealError::WrongKey), Ok(())));
            assert_eq!(lineage.revision(), 1, "the next record replaces the one under the former key");
            assert!(covers(&stored_at(&lineage), &held));
        }
    }

    #[test]
    fn a_staged_change_poisons_until_it_is_committed() {
        let mut lineage = Lineage::new(7);
        let ahead = lineage.stage(&key(1)).unwrap();
        assert_eq!((ahead.revision(), ahead.check(), lineage.revision()), (8, Ok(()), 7));
        assert_eq!((lineage.check(), lineage.admit(&key(1))), (Err(Poisoned), Err(SealError::Poisoned)));
        assert_eq!(lineage.stage(&key(1)).map(|again| again.revision()), Ok(8), "sealed twice");
        lineage.move_to_key(&key(2));
        assert_eq!(lineage.check(), Err(Poisoned), "another key heals nothing");
        lineage.commit();
        assert_eq!((lineage.check(), lineage.admit(&key(2))), (Ok(()), Ok(())));
    }
}
