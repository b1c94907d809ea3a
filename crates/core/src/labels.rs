//! Domain-separation labels of everything that the suites share (docs/spec/conventions.md, section 1.6).

/// First byte under an AEAD key: derivation of the stream key.
pub(crate) const AEAD_STREAM: &[u8] = &[0x01];
/// First byte under an AEAD key: the tag.
pub(crate) const AEAD_TAG: &[u8] = &[0x02];
/// First byte under a storage key: derivation of a record's nonce.
pub(crate) const RECORD_NONCE: &[u8] = &[0x03];
/// Associated data of every sealed record.
pub(crate) const RECORD: &[u8] = b"bisik-1 sealed record";
