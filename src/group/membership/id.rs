//! Names: of an entry, of an act, and of one membership of one account.

use bisik_core::convert::first;

bisik_core::id! {
    /// The hash of an entry of a group's log, 32 bytes.
    pub struct EntryHash: 32;
    /// Takes the hash from a message or a relay's answer.
    pub fn from_bytes(bytes);
    /// Returns the 32 bytes.
    pub fn as_bytes();
}

bisik_core::id! {
    /// The hash of an act, 32 bytes. Its first half is the act's id.
    pub struct ActHash: 32;
    /// Takes the hash from a message or a relay's answer.
    pub fn from_bytes(bytes);
    /// Returns the 32 bytes.
    pub fn as_bytes();
}

impl ActHash {
    /// Returns the first 16 bytes, by which entries and other acts name the act.
    #[must_use]
    pub fn id(&self) -> ActId {
        ActId::from_bytes(first(&self.0))
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
