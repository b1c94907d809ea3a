//! Results that are held until the state they came from is stored: [`Held`], [`HeldPlaintext`], [`SealedRecord`],
//! [`Stored`].
//!
//! These are public types of `bisik` and of `bisik-interop`. Only functions of this module make them, and neither crate
//! re-exports the functions, so that a caller does not make a proof by accident.

// Targets without atomic operations have no `Arc`: there, the values are not `Send`.
#[cfg(not(target_has_atomic = "ptr"))]
use alloc::rc::Rc as Arc;
#[cfg(target_has_atomic = "ptr")]
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// Identifies one value in memory: a session, a conversation, or one side of a sender key.
///
/// Two values never have the same identity, even if their bytes are equal. Bytes of the state would not identify it: a
/// peer knows or chooses some of them, and two values that were opened from one record have all of them in common.
#[derive(Clone, Debug, Default)]
pub struct Instance(Arc<()>);

impl Instance {
    /// A new identity, which no other value has.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value at `revision`.
    #[must_use]
    pub fn at(&self, revision: u64) -> Origin {
        Origin { instance: self.clone(), revision }
    }
}

/// The origin of a result or of a record: one value, at one revision.
#[derive(Debug)]
pub struct Origin {
    instance: Instance,
    /// For a result, the value's revision after the operation that made it: the first whose record covers the result.
    revision: u64,
}

/// Proof that a record was stored, against which held results are released.
///
/// It comes only from [`SealedRecord::stored`], by which the caller affirms that the database has the record. It
/// releases what came from the value that was sealed, up to the revision in the record. It does not release results of
/// another value, even one unsealed from this record.
#[must_use = "it releases what was held when the record was sealed"]
pub struct Stored(Origin);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Origin { instance: _, revision }) = self;
        f.debug_struct("Stored").field("revision", revision).finish_non_exhaustive()
    }
}

/// Whether the stored record is of the value of `origin`, at its revision or a later one.
#[must_use]
pub fn covers(stored: &Stored, origin: &Origin) -> bool {
    let Stored(record) = stored;
    Arc::ptr_eq(&record.instance.0, &origin.instance.0) && record.revision >= origin.revision
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
    pub fn stored(self) -> Stored {
        self.proof
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
    SealedRecord { bytes, proof: stored(origin) }
}

/// Proof that the value of `origin` was stored, for a type of its own that the caller affirms.
pub const fn stored(origin: Origin) -> Stored {
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

    #[test]
    fn a_proof_covers_its_own_value_and_no_later_revision() {
        let (one, other) = (Instance::new(), Instance::new());
        let stored = sealed_record(Vec::new(), one.at(5)).stored();
        assert!(covers(&stored, &one.at(4)) && covers(&stored, &one.at(5)) && covers(&stored, &one.clone().at(5)));
        assert!(!covers(&stored, &one.at(6)) && !covers(&stored, &other.at(5)) && !covers(&stored, &other.at(0)));
    }

    /// The allocator may reuse a dropped value's address, but not while a result of it is held.
    #[test]
    fn what_is_held_outlives_its_value() {
        let origin = Instance::new().at(1);
        for _ in 0..100 {
            let stored = sealed_record(Vec::new(), Instance::new().at(9)).stored();
            assert!(!covers(&stored, &origin));
        }
    }
}
