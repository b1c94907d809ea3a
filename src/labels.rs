//! Every domain-separation label of the suite, on one screen (docs/protocol.md, section 1.6).
//!
//! Does not know what the labels are used for. They carry the protocol's version, never the crate's.

/// `info` of the root step of the ratchet.
pub(crate) const ROOT_STEP: &[u8] = b"bisik-1 ratchet root step";
/// Root key that a ratchet starts from.
pub(crate) const RATCHET_ROOT: &[u8] = b"bisik-1 ratchet root";
/// Header key of the initiator's first chain.
pub(crate) const RATCHET_HEADER_INITIATOR: &[u8] = b"bisik-1 ratchet header initiator";
/// Header key of the responder's first chain.
pub(crate) const RATCHET_HEADER_RESPONDER: &[u8] = b"bisik-1 ratchet header responder";
/// Input of the chain step that gives a message key.
pub(crate) const CHAIN_MESSAGE: &[u8] = &[0x01];
/// Input of the chain step that gives the next chain key.
pub(crate) const CHAIN_NEXT: &[u8] = &[0x02];

/// First byte under an AEAD key: derivation of the stream key.
pub(crate) const AEAD_STREAM: &[u8] = &[0x01];
/// First byte under an AEAD key: the tag.
pub(crate) const AEAD_TAG: &[u8] = &[0x02];
/// First byte under a message key: derivation of the message's nonce.
pub(crate) const MESSAGE_NONCE: &[u8] = &[0x03];
/// First byte under a storage key: derivation of a record's nonce.
pub(crate) const RECORD_NONCE: &[u8] = &[0x03];
/// Digest of a whole message, which both of its tags authenticate.
pub(crate) const MESSAGE: &[u8] = b"bisik-1 message";

/// Signed text of a pre-key bundle.
pub(crate) const BUNDLE: &[u8] = b"bisik-1 pre-key bundle";

/// Transcript of a handshake without the initiator's identity.
pub(crate) const TRANSCRIPT_OPEN: &[u8] = b"bisik-1 handshake transcript open";
/// Transcript of a handshake with the initiator's identity.
pub(crate) const TRANSCRIPT_FULL: &[u8] = b"bisik-1 handshake transcript full";
/// Key of the initiator's encrypted identity.
pub(crate) const HANDSHAKE_IDENTITY: &[u8] = b"bisik-1 handshake identity";
/// `info` of PQXDH: protocol, curve, hash and KEM, joined as PQXDH section 3.3 asks.
pub(crate) const HANDSHAKE_PQXDH: &[u8] = b"bisik-1_CURVE25519_SHA-256_ML-KEM-768";
/// Secret that the ratchet starts from.
pub(crate) const HANDSHAKE_RATCHET: &[u8] = b"bisik-1 handshake ratchet";
/// Public name of the session.
pub(crate) const HANDSHAKE_SESSION_ID: &[u8] = b"bisik-1 handshake session id";
/// Seed of the post-quantum ratchet.
pub(crate) const HANDSHAKE_POST_QUANTUM: &[u8] = b"bisik-1 handshake post-quantum ratchet";

/// Associated data of every sealed record.
pub(crate) const RECORD: &[u8] = b"bisik-1 sealed record";
