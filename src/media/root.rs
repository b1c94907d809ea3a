//! [`Root`]: the hash over a blob's header and tags, which names the blob (docs/spec/attachments.md, section 8.2).

use super::format::{HEADER, TAG, bytes};
use bisik_core::internal::InternalError;
use bisik_core::primitives::sha256::{Hash, MIDSTATE};

/// The root of a blob's first chunks.
#[derive(Clone, Debug)]
pub(super) struct Root(Hash);

impl Root {
    /// Of nothing: the header comes first.
    pub(super) fn new() -> Self {
        Self(Hash::new())
    }

    /// Adds the header; nothing if it is empty, as after the first time.
    pub(super) fn add_header(&mut self, header: &[u8]) {
        self.0.update(header);
    }

    /// Adds the tag at the end of the next chunk.
    pub(super) fn add_tag_of(&mut self, sealed: &[u8]) -> Result<(), InternalError> {
        let (_, tag) = sealed.split_last_chunk::<TAG>().ok_or(InternalError)?;
        self.0.update(tag);
        Ok(())
    }

    /// The root of what was added.
    pub(super) fn finish(self) -> [u8; 32] {
        self.0.finish()
    }

    /// The state of the computation, for a record (docs/formats.md, section 6.6).
    pub(super) fn midstate(&self) -> [u8; MIDSTATE] {
        self.0.midstate()
    }

    /// Resumes after the header and the tags of `chunks` chunks. Returns `None` if the computation is over another
    /// number of bytes.
    pub(super) fn resume(midstate: &[u8; MIDSTATE], chunks: u64) -> Option<Self> {
        let hashed = chunks.checked_mul(bytes(TAG))?.checked_add(bytes(HEADER))?;
        Hash::resume(midstate, hashed).map(Self)
    }
}
