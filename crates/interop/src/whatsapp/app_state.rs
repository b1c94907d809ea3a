//! What an account's devices share through a server: values that are encrypted and chained, and a hash of all of them
//! (docs/interop.md, section 12).
//!
//! Does not know what values mean, how patches are encoded, or which of them a device has: it computes what is checked. A
//! server can still withhold the newest patches; the version is all that says so.

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

/// The collections that an account has; each has its own versions and its own [`LtHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collection {
    /// What must be there before anything else, and must not be shown to be missing.
    CriticalBlock,
    /// The same, without waiting for it: contacts.
    CriticalUnblockLow,
    /// Changes that are seen at once.
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

    /// Its name, as it is authenticated.
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

/// What a change does with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is there from now on, in place of an older one with the same index.
    Set,
    /// It is gone from now on.
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

/// The keys of one generation, which an account's devices tell each other in their sessions. Wiped on drop, absent from
/// `Debug`.
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
/// keys.verify_snapshot(&hash, 1, Collection::Regular, &tag)?; // at the other device, once it has computed the same hash
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
    /// S-12.1. From the 32 bytes that the devices share, and the identifier by which values name them.
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

    /// S-12.2. By what the server knows a value: a tag of its index, which says to the devices what the value is of.
    #[must_use]
    pub fn index_tag(&self, index: &[u8]) -> [u8; 32] {
        *self.index.hash(&[index]).expose()
    }

    /// S-12.2. Whether the server named a value by the tag of the index that the value itself says it is of: nothing else
    /// keeps it from showing one value in the place of another.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] where the tag is of another index.
    pub fn verify_index(&self, index: &[u8], tag: &[u8; 32]) -> Result<(), AppStateError> {
        same(&self.index_tag(index), tag)
    }

    /// S-12.3. Encrypts a value: `IV ‖ ciphertext ‖ tag`. Uses 16 bytes of `rng`.
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

    /// Decrypts a value, once its tag has held.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] where it was made with other keys or for another operation, or changed since.
    pub fn open(&self, operation: Operation, sealed: &[u8]) -> Result<Vec<u8>, AppStateError> {
        let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(AppStateError)?;
        let (iv, ciphertext) = body.split_first_chunk().ok_or(AppStateError)?;
        same(&self.value_tag(operation, body), tag)?;
        let mut value = aes_cbc::decrypt(&self.cipher, iv, ciphertext).ok_or(AppStateError)?;
        Ok(core::mem::take(&mut *value))
    }

    /// The tag at the end of a value, which goes into the [`LtHash`] and into the tag of a patch.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] where it is too short to have one.
    pub fn tag_of(sealed: &[u8]) -> Result<&[u8; 32], AppStateError> {
        sealed.last_chunk().ok_or(AppStateError)
    }

    /// S-12.5. The tag of everything in a collection at one version.
    #[must_use]
    pub fn snapshot_tag(&self, hash: &LtHash, version: u64, collection: Collection) -> [u8; 32] {
        let parts: [&[u8]; 3] = [hash.as_bytes(), &version.to_be_bytes(), collection.name().as_bytes()];
        *self.snapshot.hash(&parts).expose()
    }

    /// S-12.6. The tag of a patch: of the snapshot after it, and the tags of its values in their order.
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

    /// Compares the [`snapshot_tag`](Self::snapshot_tag) in constant time.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] where it differs: something is missing, too much or changed. Fetch the snapshot again.
    pub fn verify_snapshot(
        &self,
        hash: &LtHash,
        version: u64,
        collection: Collection,
        tag: &[u8; 32],
    ) -> Result<(), AppStateError> {
        same(&self.snapshot_tag(hash, version, collection), tag)
    }

    /// Compares the [`patch_tag`](Self::patch_tag) in constant time.
    ///
    /// # Errors
    ///
    /// [`AppStateError`] where it differs.
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

    /// `HMAC-SHA512(operation ‖ id ‖ IV ‖ ciphertext ‖ u64(length of operation and id))`, of which 32 bytes are kept.
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

/// A hash of a set, whatever the order in which it came about: 64 numbers of 16 bits, to which what comes of each value's tag
/// is added, and from which it can be taken away again.
#[derive(Clone, PartialEq, Eq)]
pub struct LtHash([u8; 128]);

impl LtHash {
    /// Of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; 128])
    }

    /// One that was put away.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 128]) -> Self {
        Self(bytes)
    }

    /// The 64 numbers, little-endian.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 128] {
        &self.0
    }

    /// S-12.4. Adds a value by its tag. Where the index had one before, [`subtract`](Self::subtract) that first.
    pub fn add(&mut self, tag: &[u8; 32]) {
        self.apply(tag, u16::wrapping_add);
    }

    /// S-12.4. Takes a value away by its tag.
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

/// A value, a snapshot or a patch was made with other keys or for something else, or was changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppStateError;

bisik_core::error_texts! {
    AppStateError => "interop.whatsapp.app_state.rejected",
        "the shared state was made with other keys or for something else, or was changed"
}

fn same(expected: &[u8; 32], tag: &[u8; 32]) -> Result<(), AppStateError> {
    if bool::from(expected.as_slice().ct_eq(tag.as_slice())) { Ok(()) } else { Err(AppStateError) }
}

/// Bytes of a value's tag.
const TAG: usize = 32;
