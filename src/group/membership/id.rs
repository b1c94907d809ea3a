//! Names: of an entry, of an act, and of one membership of one account.

use core::fmt;

use bisik_core::convert::first;
use bisik_core::id::IdError;

/// The hash of an entry of a group's log, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryHash([u8; Self::LENGTH]);

impl EntryHash {
    /// Length in bytes.
    pub const LENGTH: usize = 32;

    /// Takes the hash from a message or a relay's answer.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl AsRef<[u8]> for EntryHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::hex_text! {
    EntryHash: EntryHash::LENGTH, or IdError = IdError;
    from |bytes| Ok(EntryHash(bytes));
    to |hash| hash.0;
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, "EntryHash", &self.0)
    }
}

/// The hash of an act, 32 bytes. Its first half is the act's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActHash([u8; Self::LENGTH]);

impl ActHash {
    /// Length in bytes.
    pub const LENGTH: usize = 32;

    /// Takes the hash from a message or a relay's answer.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Returns the first 16 bytes, by which entries and other acts name the act.
    #[must_use]
    pub fn id(&self) -> ActId {
        ActId::from_bytes(first(&self.0))
    }
}

impl AsRef<[u8]> for ActHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::hex_text! {
    ActHash: ActHash::LENGTH, or IdError = IdError;
    from |bytes| Ok(ActHash(bytes));
    to |hash| hash.0;
}

impl fmt::Debug for ActHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, "ActHash", &self.0)
    }
}

bisik_core::id! {
    /// The name by which entries and acts name an act: the first 16 bytes of its hash. A link has the name of the act that
    /// opened it.
    pub struct ActId;
    /// Takes the id from a message.
    pub fn from_bytes(bytes);
    /// Returns the 16 bytes.
    pub fn as_bytes();
}

bisik_core::id! {
    /// The name of one membership of one account in one group: 16 random bytes. A removed account that is added again gets
    /// another.
    pub struct StayId;
    /// Takes the id from a message.
    pub fn from_bytes(bytes);
    /// Returns the 16 bytes.
    pub fn as_bytes();
    /// Draws a new id: 16 bytes from `rng`.
    pub fn generate(rng);
}

/// Shows the first four bytes.
fn shown(f: &mut fmt::Formatter<'_>, name: &str, bytes: &[u8; 32]) -> fmt::Result {
    let [a, b, c, d, ..] = bytes;
    write!(f, "{name}({a:02x}{b:02x}{c:02x}{d:02x}..)")
}
