//! Every domain-separation label of the suite (docs/spec/conventions.md, section 1.6).
//!
//! The labels contain the version of the protocol, which is independent of the crate's version.

/// `info` of the root step of the ratchet.
pub(crate) const ROOT_STEP: &[u8] = b"bisik-1 ratchet root step";
/// Root key with which a ratchet starts.
pub(crate) const RATCHET_ROOT: &[u8] = b"bisik-1 ratchet root";
/// Header key of the initiator's first chain.
pub(crate) const RATCHET_HEADER_INITIATOR: &[u8] = b"bisik-1 ratchet header initiator";
/// Header key of the responder's first chain.
pub(crate) const RATCHET_HEADER_RESPONDER: &[u8] = b"bisik-1 ratchet header responder";
/// Input of the chain step that gives a message key.
pub(crate) const CHAIN_MESSAGE: &[u8] = &[0x01];
/// Input of the chain step that gives the next chain key.
pub(crate) const CHAIN_NEXT: &[u8] = &[0x02];

/// First input byte under a message key: derivation of the message's nonce.
pub(crate) const MESSAGE_NONCE: &[u8] = &[0x03];
/// Digest of a whole message, which both of its tags authenticate.
pub(crate) const MESSAGE: &[u8] = b"bisik-1 message";

/// Signed text of a pre-key bundle.
pub(crate) const BUNDLE: &[u8] = b"bisik-1 pre-key bundle";

/// Transcript of a handshake without the initiator's identity.
pub(crate) const TRANSCRIPT_OPEN: &[u8] = b"bisik-1 handshake transcript open";
/// Transcript of a handshake, including the initiator's identity.
pub(crate) const TRANSCRIPT_FULL: &[u8] = b"bisik-1 handshake transcript full";
/// Key that encrypts the initiator's identity.
pub(crate) const HANDSHAKE_IDENTITY: &[u8] = b"bisik-1 handshake identity";
/// `info` of PQXDH: protocol, curve, hash and KEM, joined as PQXDH, section 3.3, requires.
pub(crate) const HANDSHAKE_PQXDH: &[u8] = b"bisik-1_CURVE25519_SHA-256_ML-KEM-768";
/// Secret with which the ratchet starts.
pub(crate) const HANDSHAKE_RATCHET: &[u8] = b"bisik-1 handshake ratchet";
/// Public id of the session.
pub(crate) const HANDSHAKE_SESSION_ID: &[u8] = b"bisik-1 handshake session id";
/// Seed of the post-quantum ratchet.
pub(crate) const HANDSHAKE_POST_QUANTUM: &[u8] = b"bisik-1 handshake post-quantum ratchet";

/// Digest of a poll's definition, to which its votes are bound.
#[cfg(feature = "content")]
pub(crate) const POLL: &[u8] = b"bisik-1 poll";
/// Key that encrypts one voter's votes in one poll.
#[cfg(feature = "content")]
pub(crate) const VOTE: &[u8] = b"bisik-1 poll vote";
/// First input byte under the key of a vote: derivation of its nonce.
#[cfg(feature = "content")]
pub(crate) const VOTE_NONCE: &[u8] = &[0x03];

/// Keys of an attachment's chunks, and the commitment to them.
pub(crate) const ATTACHMENT: &[u8] = b"bisik-1 attachment";

/// Text that a device signs to prove possession of its key.
pub(crate) const DEVICE_POSSESSION: &[u8] = b"bisik-1 device possession";
/// Signed text of a device list.
pub(crate) const DEVICE_LIST: &[u8] = b"bisik-1 device list";
/// Hash of a device list; the next list contains it.
pub(crate) const DEVICE_LIST_HASH: &[u8] = b"bisik-1 hash of a device list";
/// A companion's commitment to its nonce.
pub(crate) const LINK_COMMITMENT: &[u8] = b"bisik-1 link commitment";
/// Authenticated text of the primary's answer in linking.
pub(crate) const LINK_ANSWER: &[u8] = b"bisik-1 link answer";
/// Authenticated text of the companion's reveal in linking.
pub(crate) const LINK_REVEAL: &[u8] = b"bisik-1 link reveal";
/// Transcript of linking.
pub(crate) const LINK_TRANSCRIPT: &[u8] = b"bisik-1 link transcript";
/// Short authentication string of linking.
pub(crate) const LINK_SAS: &[u8] = b"bisik-1 link short authentication string";

/// Text of a disclosure that its operator countersigns.
pub(crate) const DISCLOSURE_OPERATOR: &[u8] = b"bisik-1 disclosure operator";
/// Text of a disclosure that the hosted device signs to prove possession of its key.
pub(crate) const DISCLOSURE_ENDPOINT: &[u8] = b"bisik-1 disclosure endpoint";
/// Text of a disclosure that the account signs.
pub(crate) const DISCLOSURE_ACCOUNT: &[u8] = b"bisik-1 disclosure account";
/// Hash of a disclosure, which device lists, sessions and decisions contain.
pub(crate) const DISCLOSURE_HASH: &[u8] = b"bisik-1 hash of a disclosure";
/// Signed text of a user's decision about a disclosure.
pub(crate) const DECISION: &[u8] = b"bisik-1 decision";
/// Signed text of a hosted device's receipt for a decision.
pub(crate) const DECISION_RECEIPT: &[u8] = b"bisik-1 decision receipt";

/// Labels of calls.
#[cfg(feature = "call")]
pub(crate) mod call {
    /// Transcript of a call of two.
    pub(crate) const TRANSCRIPT: &[u8] = b"bisik-1 call transcript";
    /// SRTP master key and salt of one direction.
    pub(crate) const SRTP: &[u8] = b"bisik-1 call srtp";
    /// SFrame base key of one direction.
    pub(crate) const SFRAME: &[u8] = b"bisik-1 call sframe";
    /// Confirmation in the answer to an offer.
    pub(crate) const CONFIRMATION: &[u8] = b"bisik-1 call confirmation";
    /// The direction from caller to callee.
    pub(crate) const BY_CALLER: &[u8] = &[0x01];
    /// The direction from callee to caller.
    pub(crate) const BY_CALLEE: &[u8] = &[0x02];
    /// SFrame base key of an epoch of a group call.
    pub(crate) const EPOCH_BASE: &[u8] = b"bisik-1 call epoch base";
    /// Confirmation that binds an epoch's key to its recipient.
    pub(crate) const EPOCH_RECIPIENT: &[u8] = b"bisik-1 call epoch recipient";
}

/// Id of a conversation between two accounts.
pub(crate) const CONVERSATION_ID: &[u8] = b"bisik-1 conversation id";
/// Digest of the two device lists that the sender of a message knows.
pub(crate) const CONVERSATION_LISTS: &[u8] = b"bisik-1 conversation device lists";
/// Disclosure of a session whose two devices are both hosted.
pub(crate) const CONVERSATION_DISCLOSURES: &[u8] = b"bisik-1 conversation disclosures";

/// Kinds of sealed records (`bisik_core::storage::RecordKind`); numbers 9 to 13 belong to `bisik-interop`.
pub(crate) mod kind {
    use bisik_core::storage::RecordKind;

    /// An identity: both of its key pairs.
    pub(crate) const IDENTITY: RecordKind = RecordKind::new(1);
    /// The pre-keys of one device.
    pub(crate) const PRE_KEYS: RecordKind = RecordKind::new(2);
    /// One session with one device.
    pub(crate) const SESSION: RecordKind = RecordKind::new(3);
    /// A ratchet without a session.
    pub(crate) const RATCHET: RecordKind = RecordKind::new(4);
    /// An interrupted upload.
    pub(crate) const UPLOAD: RecordKind = RecordKind::new(5);
    /// The sender's state of a call's frames.
    #[cfg(feature = "call")]
    pub(crate) const FRAME_SEALER: RecordKind = RecordKind::new(6);
    /// An account, as stored by one of its devices.
    pub(crate) const ACCOUNT: RecordKind = RecordKind::new(7);
    /// A conversation between two accounts.
    pub(crate) const CONVERSATION: RecordKind = RecordKind::new(8);
}
