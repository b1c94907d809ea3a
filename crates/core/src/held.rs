//! Results that are held until the state they came from is stored: [`Held`], [`HeldPlaintext`], [`SealedRecord`],
//! [`Stored`].
//!
//! These are public types of both suites. Only functions of this module make them, and no suite re-exports the
//! functions, so that a caller cannot forge a proof.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// The origin of a result: a state, and the first revision that includes the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The id of the state. Different states have different ids, even if their types differ.
    pub state: [u8; 16],
    /// The first revision of the state that includes the result.
    pub revision: u64,
}

/// Proof that a record was stored, against which held results are released.
///
/// Only [`SealedRecord::stored`] makes one, when the caller affirms that the database has the record.
#[must_use = "it releases the results held until now"]
pub struct Stored {
    /// `None` for a record of no state: no result can come from it.
    state: Option<[u8; 16]>,
    /// Further states in the record. Usually empty, and then nothing is allocated.
    others: Vec<[u8; 16]>,
    revision: u64,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// The proof that a record of one state gives.
pub const fn proof(origin: Origin) -> Stored {
    Stored { state: Some(origin.state), others: Vec::new(), revision: origin.revision }
}

/// The proof that a record of several states gives, with one revision for all of them.
pub fn proof_of_all(states: impl IntoIterator<Item = [u8; 16]>, revision: u64) -> Stored {
    let mut states = states.into_iter();
    Stored { state: states.next(), others: states.collect(), revision }
}

/// Whether the stored record holds the state of `origin`, at its revision or a later one.
#[must_use]
pub fn covers(stored: &Stored, origin: &Origin) -> bool {
    let holds = stored.state == Some(origin.state) || stored.others.contains(&origin.state);
    holds && stored.revision >= origin.revision
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
        self.proof.revision
    }

    /// Affirms that the caller's database has stored this record durably. The proof releases everything held until now.
    pub fn stored(self) -> Stored {
        self.proof
    }
}

impl fmt::Debug for SealedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, proof } = self;
        f.debug_struct("SealedRecord").field("length", &bytes.len()).field("revision", &proof.revision).finish()
    }
}

/// A record, with the proof that storing it gives.
pub const fn sealed_record(bytes: Vec<u8>, proof: Stored) -> SealedRecord {
    SealedRecord { bytes, proof }
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

    /// Releases the plaintext, if `stored` proves that the same state was stored, not older than the message.
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
    fn a_proof_covers_its_own_states_and_no_later_revision() {
        let origin = |state: u8, revision| Origin { state: [state; 16], revision };
        let one = proof(origin(1, 5));
        assert!(covers(&one, &origin(1, 4)) && covers(&one, &origin(1, 5)));
        assert!(!covers(&one, &origin(1, 6)) && !covers(&one, &origin(2, 5)));
        let both = proof_of_all([[1; 16], [2; 16]], 5);
        assert!(covers(&both, &origin(1, 5)) && covers(&both, &origin(2, 5)));
        assert!(!covers(&both, &origin(2, 6)) && !covers(&both, &origin(3, 5)));
        assert!(!covers(&proof_of_all([], 5), &origin(0, 0)));
    }
}
