//! [`BlockId`]: the name of a block in the caller's store (docs/formats.md, section 6.7).

crate::id! {
    /// The name of a block in the caller's store: 16 bytes, not secret. The first eight are common to all blocks of a state,
    /// the others are random. No two blocks have the same.
    pub struct BlockId;
    /// Takes the name from the caller's store.
    pub fn from_bytes(bytes);
    /// Returns the 16 bytes of the name, for the caller's store.
    pub fn as_bytes();
}
