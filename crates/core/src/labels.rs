//! Domain-separation labels of everything that the suites share (docs/spec/conventions.md, section 1.6).

/// First byte under an AEAD key: derivation of the stream key.
pub(crate) const AEAD_STREAM: &[u8] = &[0x01];
/// First byte under an AEAD key: the tag.
pub(crate) const AEAD_TAG: &[u8] = &[0x02];
/// First byte under a storage key: derivation of a record's nonce.
pub(crate) const RECORD_NONCE: &[u8] = &[0x03];
/// Associated data of every sealed record.
pub(crate) const RECORD: &[u8] = b"bisik-1 sealed record\0";
/// Factors of a batch of signatures.
pub(crate) const SIGNATURES: &[u8] = b"bisik-1 batch of signatures\0";
/// Derivation of a storage key's name, under the key.
pub(crate) const KEY_NAME: &[u8] = b"bisik-1 storage key name\0";
/// Secret of an epoch of the native suite's braid.
pub(crate) const BRAID_EPOCH: &[u8] = b"bisik-1 braid epoch\0";
/// Update of the authenticator of the native suite's braid.
pub(crate) const BRAID_AUTHENTICATOR: &[u8] = b"bisik-1 braid authenticator\0";
/// Tag of a header of the native suite's braid.
pub(crate) const BRAID_HEADER: &[u8] = b"bisik-1 braid header\0";
/// Tag of a ciphertext of the native suite's braid.
pub(crate) const BRAID_CIPHERTEXT: &[u8] = b"bisik-1 braid ciphertext\0";
