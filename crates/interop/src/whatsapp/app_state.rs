//! App state, which an account's devices share through a server: encrypted values, and a hash over all of them
//! (docs/interop.md, section 12).
//!
//! The caller encodes patches and tracks which of them a device has; this module computes and verifies. A server can
//! still withhold the newest patches: only the version shows that.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use bisik_core::convert::widened;
use bisik_core::primitives::aes_cbc;
use bisik_core::primitives::kdf::{HmacSha256, Prk};
use bisik_core::primitives::secret::Secret;
use bisik_core::primitives::sha512::hmac_sha512;

/// The collections of an account. Each has its own versions and its own [`LtHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collection {
    /// Needed before anything else is shown.
    CriticalBlock,
    /// Critical, but not waited for: contacts.
    CriticalUnblockLow,
    /// Changes that users see at once.
    RegularHigh,
    /// Changes that can wait.
    RegularLow,
    /// All others.
    Regular,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::CriticalBlock, Self::CriticalUnblockLow, Self::RegularHigh, Self::RegularLow, Self::Regular];

    /// The collection's name, as tags authenticate it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CriticalBlock => "critical_block",
            Self::CriticalUnblockLow => "critical_unblock_low",
            Self::RegularHigh => "regular_high",
            Self::RegularLow => "regular_low",
            Self::Regular => "regular",
        }
    }
}

/// What a mutation does with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Sets the value, in place of an older one with the same index.
    Set,
    /// Removes the value.
    Remove,
}

impl Operation {
    const fn byte(self) -> u8 {
        match self {
            Self::Set => 1,
            Self::Remove => 2,
        }
    }
}

/// One generation of app state keys, which an account's devices send each other in their sessions. Zeroized on drop,
/// absent from `Debug`.
///
/// ```
/// # mod bisik { pub use bisik_interop as interop; }
/// # let rng = &mut rand::rng();
/// use bisik::interop::whatsapp::{AppStateKeys, Collection, LtHash, Operation};
///
/// let keys = AppStateKeys::derive(&[7; 32], &[0, 1]);
/// let value = keys.seal(Operation::Set, b"pinned: yes", rng);
/// assert_eq!(keys.open(Operation::Set, &value)?, b"pinned: yes");
///
/// let mut hash = LtHash::new();
/// hash.add(AppStateKeys::tag_of(&value)?);
/// let tag = keys.snapshot_tag(&hash, 1, Collection::Regular); // goes to the server with the patch
/// keys.verify_snapshot(&hash, 1, Collection::Regular, &tag)?; // on another device, which computed the same hash
/// # Ok::<(), bisik::interop::whatsapp::AppStateError>(())
/// ```
pub struct AppStateKeys {
    id: Box<[u8]>,
    index: HmacSha256,
    cipher: Box<Secret<32>>,
    value: Box<Secret<32>>,
    snapshot: HmacSha256,
    patch: HmacSha256,
}

impl AppStateKeys {
    /// Derives the keys from the 32 bytes that the devices share. `id` is the identifier by which values name the keys.
    /// S-12.1.
    #[must_use]
    pub fn derive(key_data: &[u8; 32], id: &[u8]) -> Self {
        let output: Secret<160> = Prk::extract(&[], &[key_data]).expand(&[b"WhatsApp Mutation Keys"]);
        let mut parts = [(); 5].map(|()| Box::new(Secret::<32>::zero()));
        for (part, bytes) in parts.iter_mut().zip(output.expose().chunks_exact(32)) {
            part.expose_mut().iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        }
        let [index, cipher, value, snapshot, patch] = parts;
        let [index, snapshot, patch] = [index, snapshot, patch].map(|key| HmacSha256::new(&key));
        Self { id: id.into(), index, cipher, value, snapshot, patch }
    }

    /// The tag of a value's index, under which the server stores the value. S-12.2.
    #[must_use]
    pub fn index_tag(&self, index: &[u8]) -> [u8; 32] {
        *self.index.hash(&[index]).expose()
    }

    /// Verifies that the server's tag for a value is the tag of `index`, the index inside the decrypted value. Without
    /// this check, a server could present one value in place of another. S-12.2.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] if the tag is of another index.
    pub fn verify_index(&self, index: &[u8], tag: &[u8; 32]) -> Result<(), AppStateError> {
        same(&self.index_tag(index), tag)
    }

    /// Encrypts a value: `IV ‖ ciphertext ‖ tag`. Uses 16 bytes of `rng`. S-12.3.
    #[must_use]
    pub fn seal(&self, operation: Operation, value: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Vec<u8> {
        let mut iv = [0; aes_cbc::BLOCK];
        rng.fill_bytes(&mut iv);
        let length = aes_cbc::padded(value.len()).saturating_add(iv.len());
        let mut sealed = Vec::with_capacity(length.saturating_add(TAG));
        sealed.extend_from_slice(&iv);
        aes_cbc::encrypt(&mut sealed, &self.cipher, &iv, value);
        let tag = self.value_tag(operation, &sealed);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Verifies a value's tag and decrypts it.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] if the value was encrypted with other keys or for another operation, or was changed.
    pub fn open(&self, operation: Operation, sealed: &[u8]) -> Result<Vec<u8>, AppStateError> {
        let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(AppStateError)?;
        let (iv, ciphertext) = body.split_first_chunk().ok_or(AppStateError)?;
        same(&self.value_tag(operation, body), tag)?;
        let mut value = aes_cbc::decrypt(&self.cipher, iv, ciphertext).ok_or(AppStateError)?;
        Ok(core::mem::take(&mut *value))
    }

    /// The tag at the end of a value, which enters the [`LtHash`] and the tag of a patch.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] if the value is too short.
    pub fn tag_of(sealed: &[u8]) -> Result<&[u8; 32], AppStateError> {
        sealed.last_chunk().ok_or(AppStateError)
    }

    /// The tag over all of a collection at one version. S-12.5.
    #[must_use]
    pub fn snapshot_tag(&self, hash: &LtHash, version: u64, collection: Collection) -> [u8; 32] {
        let parts: [&[u8]; 3] = [hash.as_bytes(), &version.to_be_bytes(), collection.name().as_bytes()];
        *self.snapshot.hash(&parts).expose()
    }

    /// The tag of a patch: over the tag of the snapshot after it, and the tags of its values in order. S-12.6.
    #[must_use]
    pub fn patch_tag(
        &self,
        snapshot: &[u8; 32],
        values: &[[u8; 32]],
        version: u64,
        collection: Collection,
    ) -> [u8; 32] {
        let mut hashing = self.patch.start();
        hashing.update(snapshot);
        values.iter().for_each(|tag| hashing.update(tag));
        hashing.update(&version.to_be_bytes());
        hashing.update(collection.name().as_bytes());
        *hashing.finish().expose()
    }

    /// Verifies a [`snapshot_tag`](Self::snapshot_tag) in constant time.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] if it differs: this device and the writer of the tag have different values. In a patch that
    /// verifies, mark the collection as diverged, and go on; of a whole snapshot, do not fetch it again and again, as it
    /// has the same bytes as a rule. Section 12 of `bisik::manual::interop` says what each case means.
    pub fn verify_snapshot(
        &self,
        hash: &LtHash,
        version: u64,
        collection: Collection,
        tag: &[u8; 32],
    ) -> Result<(), AppStateError> {
        same(&self.snapshot_tag(hash, version, collection), tag)
    }

    /// Verifies a [`patch_tag`](Self::patch_tag) in constant time.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] if it differs: no device of the account wrote the patch. Refuse it, and the later ones.
    pub fn verify_patch(
        &self,
        snapshot: &[u8; 32],
        values: &[[u8; 32]],
        version: u64,
        collection: Collection,
        tag: &[u8; 32],
    ) -> Result<(), AppStateError> {
        same(&self.patch_tag(snapshot, values, version, collection), tag)
    }

    /// The first 32 bytes of `HMAC-SHA512(operation ‖ id ‖ IV ‖ ciphertext ‖ u64(length of operation and id))`.
    fn value_tag(&self, operation: Operation, body: &[u8]) -> [u8; TAG] {
        let named = widened(self.id.len()).saturating_add(1);
        let tag = hmac_sha512(&self.value, &[&[operation.byte()], &self.id, body, &named.to_be_bytes()]);
        tag.truncate()
    }
}

impl fmt::Debug for AppStateKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, index: _, cipher: _, value: _, snapshot: _, patch: _ } = self;
        f.debug_struct("AppStateKeys").field("id", id).finish_non_exhaustive()
    }
}

/// An order-independent hash of a set of values: 64 numbers of 16 bits. Each value's tag is expanded and added to them,
/// and can be subtracted again.
#[derive(Clone, PartialEq, Eq)]
pub struct LtHash([u8; 128]);

impl LtHash {
    /// The hash of the empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; 128])
    }

    /// Restores a hash from [`as_bytes`](Self::as_bytes).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 128]) -> Self {
        Self(bytes)
    }

    /// The 64 numbers, little-endian.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 128] {
        &self.0
    }

    /// Adds a value by its tag. If its index had a value before, [`subtract`](Self::subtract) that one first, and once:
    /// a patch can set and remove one index. S-12.4.
    pub fn add(&mut self, tag: &[u8; 32]) {
        self.apply(tag, u16::wrapping_add);
    }

    /// Subtracts a value by its tag. S-12.4.
    pub fn subtract(&mut self, tag: &[u8; 32]) {
        self.apply(tag, u16::wrapping_sub);
    }

    fn apply(&mut self, tag: &[u8; 32], operation: fn(u16, u16) -> u16) {
        let expanded: Secret<128> = Prk::extract(&[], &[tag]).expand(&[b"WhatsApp Patch Integrity"]);
        let (lanes, _) = self.0.as_chunks_mut::<2>();
        let (added, _) = expanded.expose().as_chunks::<2>();
        for (lane, added) in lanes.iter_mut().zip(added) {
            *lane = operation(u16::from_le_bytes(*lane), u16::from_le_bytes(*added)).to_le_bytes();
        }
    }
}

impl Default for LtHash {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LtHash(..)")
    }
}

/// A value, a snapshot or a patch does not verify: it was made with other keys or for another purpose, or was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppStateError;

bisik_core::error_texts! {
    AppStateError => "interop.whatsapp.app_state.rejected",
        "app state does not verify under these keys"
}

fn same(expected: &[u8; 32], tag: &[u8; 32]) -> Result<(), AppStateError> {
    if bool::from(expected.as_slice().ct_eq(tag.as_slice())) { Ok(()) } else { Err(AppStateError) }
}

/// Bytes of a value's tag.
const TAG: usize = 32;
