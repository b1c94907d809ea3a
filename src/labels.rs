//! Every domain-separation label of the suite (docs/spec/conventions.md, section 1.6).
//!
//! The labels contain the version of the protocol, which is independent of the crate's version.

/// `info` of the root step of the ratchet.
pub(crate) const ROOT_STEP: &[u8] = b"bisik-1 ratchet root step\0";
/// What a ratchet without a handshake starts from.
pub(crate) const RATCHET_START: &[u8] = b"bisik-1 ratchet start\0";
/// Input of the chain step that gives a message key.
pub(crate) const CHAIN_MESSAGE: &[u8] = &[0x01];
/// Input of the chain step that gives the next chain key.
pub(crate) const CHAIN_NEXT: &[u8] = &[0x02];

/// First input byte under a message key: derivation of the message's nonce.
pub(crate) const MESSAGE_NONCE: &[u8] = &[0x03];
/// Digest of a whole message, which both of its tags authenticate.
pub(crate) const MESSAGE: &[u8] = b"bisik-1 message\0";

/// Signed text of a pre-key bundle.
pub(crate) const BUNDLE: &[u8] = b"bisik-1 pre-key bundle\0";

/// Transcript of a handshake without the initiator's identity.
pub(crate) const TRANSCRIPT_OPEN: &[u8] = b"bisik-1 handshake transcript open\0";
/// Transcript of a handshake, including the initiator's identity.
pub(crate) const TRANSCRIPT_FULL: &[u8] = b"bisik-1 handshake transcript full\0";
/// Key that encrypts the initiator's identity.
pub(crate) const HANDSHAKE_IDENTITY: &[u8] = b"bisik-1 handshake identity\0";
/// `info` of PQXDH: protocol, curve, hash and KEM, joined as PQXDH, section 3.3, requires.
pub(crate) const HANDSHAKE_PQXDH: &[u8] = b"bisik-1_CURVE25519_SHA-256_ML-KEM-768\0";
/// Secret with which the ratchet starts.
pub(crate) const HANDSHAKE_RATCHET: &[u8] = b"bisik-1 handshake ratchet\0";
/// Initiator of a session in the replay memory of a last-resort key.
pub(crate) const REPLAY_INITIATOR: &[u8] = b"bisik-1 replay initiator\0";

/// Key of an identity that hedges its draws.
pub(crate) const HEDGE: &[u8] = b"bisik-1 hedge\0";
/// Begins the inputs of every hedged draw, and of what a draw gives.
pub(crate) const DRAW: &[u8] = b"bisik-1 draw\0";
/// The draw of a set-up.
pub(crate) const DRAW_SET_UP: &[u8] = &[0x01];
/// The draw of a ratchet step.
pub(crate) const DRAW_STEP: &[u8] = &[0x02];
/// The draw of pre-keys.
pub(crate) const DRAW_PRE_KEY: &[u8] = &[0x03];
/// From a draw: an X25519 secret.
pub(crate) const DRAW_AGREEMENT: &[u8] = &[0x10];
/// From a draw: the randomness of an encapsulation.
pub(crate) const DRAW_ENCAPSULATION: &[u8] = &[0x11];
/// From a draw: the seed of an ML-KEM key.
pub(crate) const DRAW_KEM_SEED: &[u8] = &[0x12];
/// From a draw: the X25519 secret of an initiator's first ratchet pair.
pub(crate) const DRAW_FIRST_RATCHET: &[u8] = &[0x13];
/// From a draw: the labels of places at which no resumption is offered.
pub(crate) const DRAW_LABELS: &[u8] = &[0x14];

/// MACs under a resumption secret.
pub(crate) const RESUMPTION: &[u8] = b"bisik-1 session resumption\0";
/// The label by which a new session names the secret.
pub(crate) const RESUMPTION_LABEL: &[u8] = &[0x01];
/// What enters step 1 of the new session.
pub(crate) const RESUMPTION_INPUT: &[u8] = &[0x02];
/// The name by which the secret is found again.
pub(crate) const RESUMPTION_NAME: &[u8] = &[0x03];

/// Digest of a poll's definition, to which its votes are bound.
#[cfg(feature = "content")]
pub(crate) const POLL: &[u8] = b"bisik-1 poll\0";
/// Key that encrypts one voter's votes in one poll.
#[cfg(feature = "content")]
pub(crate) const VOTE: &[u8] = b"bisik-1 poll vote\0";
/// Digest of an event, to which the answers to it are bound.
#[cfg(feature = "content")]
pub(crate) const EVENT: &[u8] = b"bisik-1 event\0";
/// Key that encrypts one person's answers to one event.
#[cfg(feature = "content")]
pub(crate) const RSVP: &[u8] = b"bisik-1 event answer\0";
/// Digest of a content, to which sealed reactions are bound.
#[cfg(feature = "content")]
pub(crate) const REACTED: &[u8] = b"bisik-1 content of reactions\0";
/// Key that encrypts one person's sealed reactions to one content.
#[cfg(feature = "content")]
pub(crate) const REACTION: &[u8] = b"bisik-1 sealed reaction\0";
/// First input byte under the key of a sealed answer: derivation of its nonce.
#[cfg(feature = "content")]
pub(crate) const ANSWER_NONCE: &[u8] = &[0x03];

/// Keys of an attachment's chunks, and the commitment to them.
pub(crate) const ATTACHMENT: &[u8] = b"bisik-1 attachment\0";

/// Text that a device signs to prove possession of its key.
pub(crate) const DEVICE_POSSESSION: &[u8] = b"bisik-1 device possession\0";
/// Signed text of a device list.
pub(crate) const DEVICE_LIST: &[u8] = b"bisik-1 device list\0";
/// Hash of a device list; the next list contains it.
pub(crate) const DEVICE_LIST_HASH: &[u8] = b"bisik-1 hash of a device list\0";
/// A companion's commitment to its nonce.
pub(crate) const LINK_COMMITMENT: &[u8] = b"bisik-1 link commitment\0";
/// Authenticated text of the primary's answer in linking.
pub(crate) const LINK_ANSWER: &[u8] = b"bisik-1 link answer\0";
/// Authenticated text of the companion's reveal in linking.
pub(crate) const LINK_REVEAL: &[u8] = b"bisik-1 link reveal\0";
/// Transcript of linking.
pub(crate) const LINK_TRANSCRIPT: &[u8] = b"bisik-1 link transcript\0";
/// Short authentication string of linking.
pub(crate) const LINK_SAS: &[u8] = b"bisik-1 link short authentication string\0";

/// Text of a disclosure that its operator countersigns.
pub(crate) const DISCLOSURE_OPERATOR: &[u8] = b"bisik-1 disclosure operator\0";
/// Text of a disclosure that the hosted device signs to prove possession of its key.
pub(crate) const DISCLOSURE_ENDPOINT: &[u8] = b"bisik-1 disclosure endpoint\0";
/// Text of a disclosure that the account signs.
pub(crate) const DISCLOSURE_ACCOUNT: &[u8] = b"bisik-1 disclosure account\0";
/// Hash of a disclosure, which device lists, sessions and decisions contain.
pub(crate) const DISCLOSURE_HASH: &[u8] = b"bisik-1 hash of a disclosure\0";
/// Number of an operator, which stands for its key where users read it.
pub(crate) const OPERATOR_NUMBER: &[u8] = b"bisik-1 operator number\0";
/// Signed text of a user's decision about a disclosure.
pub(crate) const DECISION: &[u8] = b"bisik-1 decision\0";
/// Signed text of a hosted device's receipt for a decision.
pub(crate) const DECISION_RECEIPT: &[u8] = b"bisik-1 decision receipt\0";

/// Labels of calls.
#[cfg(feature = "call")]
pub(crate) mod call {
    /// Transcript of a call of two.
    pub(crate) const TRANSCRIPT: &[u8] = b"bisik-1 call transcript\0";
    /// SRTP master key and salt of one direction.
    pub(crate) const SRTP: &[u8] = b"bisik-1 call srtp\0";
    /// SFrame base key of one direction.
    pub(crate) const SFRAME: &[u8] = b"bisik-1 call sframe\0";
    /// Confirmation in the answer to an offer.
    pub(crate) const CONFIRMATION: &[u8] = b"bisik-1 call confirmation\0";
    /// The direction from caller to callee.
    pub(crate) const BY_CALLER: &[u8] = &[0x01];
    /// The direction from callee to caller.
    pub(crate) const BY_CALLEE: &[u8] = &[0x02];
    /// SFrame base key of an epoch of a group call.
    pub(crate) const EPOCH_BASE: &[u8] = b"bisik-1 call epoch base\0";
    /// Confirmation that binds an epoch's key to its recipient.
    pub(crate) const EPOCH_RECIPIENT: &[u8] = b"bisik-1 call epoch recipient\0";
    /// Secret of an epoch, from that of the epoch before.
    pub(crate) const EPOCH_NEXT: &[u8] = b"bisik-1 call epoch next\0";
    /// A device's commitment to its bytes in a spoken comparison.
    pub(crate) const COMMITMENT: &[u8] = b"bisik-1 call commitment\0";
    /// The emoji of a spoken comparison.
    pub(crate) const WORDS: &[u8] = b"bisik-1 call words\0";
}

/// Id of a conversation between two accounts.
pub(crate) const CONVERSATION_ID: &[u8] = b"bisik-1 conversation id\0";
/// Digest of the two device lists that the sender of a message knows.
pub(crate) const CONVERSATION_LISTS: &[u8] = b"bisik-1 conversation device lists\0";
/// Digest of a message that an initiator wrote before it was answered.
pub(crate) const CONVERSATION_WORDS: &[u8] = b"bisik-1 conversation first words\0";
/// Disclosure of a session whose two devices are both hosted.
pub(crate) const CONVERSATION_DISCLOSURES: &[u8] = b"bisik-1 conversation disclosures\0";

/// Name of a chain of a group.
pub(crate) const GROUP_CHAIN: &[u8] = b"bisik-1 group chain\0";
/// Digest of a group's message, which its tag and its signature authenticate.
pub(crate) const GROUP_MESSAGE: &[u8] = b"bisik-1 group message\0";
/// Signed text of a group's message.
pub(crate) const GROUP_SIGNED: &[u8] = b"bisik-1 group signature\0";
/// What the sender of a group's message knows of the group.
pub(crate) const GROUP_VIEW: &[u8] = b"bisik-1 group view\0";
/// Digest of the device lists of a group's members.
pub(crate) const GROUP_LISTS: &[u8] = b"bisik-1 group device lists\0";
/// Id of an audience.
pub(crate) const AUDIENCE: &[u8] = b"bisik-1 audience\0";
/// The part to which a register of own devices belongs.
pub(crate) const REGISTER_KEY: &[u8] = b"bisik-1 register key\0";
/// Digest of a part of the registers.
pub(crate) const REGISTER_PART: &[u8] = b"bisik-1 register part\0";

/// What is derived from the secret of a call link.
#[cfg(feature = "call")]
pub(crate) const CALL_LINK: &[u8] = b"bisik-1 call link\0";
/// Text that the key of a call link signs.
#[cfg(feature = "call")]
pub(crate) const CALL_ADMISSION: &[u8] = b"bisik-1 call admission\0";
/// Text that a device signs that asks to be let into a call.
#[cfg(feature = "call")]
pub(crate) const CALL_KNOCK: &[u8] = b"bisik-1 call knock\0";

/// Labels of groups: who is a member.
pub(crate) mod group {
    /// Id of a group, from the first entry of its log.
    pub(crate) const ID: &[u8] = b"bisik-1 group id\0";
    /// Signed text of an entry.
    pub(crate) const ENTRY: &[u8] = b"bisik-1 group entry\0";
    /// Hash of an entry; the next entry contains it.
    pub(crate) const ENTRY_HASH: &[u8] = b"bisik-1 hash of a group entry\0";
    /// Hash of the rights after an entry.
    pub(crate) const RIGHTS: &[u8] = b"bisik-1 group rights\0";
    /// Text that a new owner signs.
    pub(crate) const OWNER: &[u8] = b"bisik-1 group owner\0";
    /// Signed text of an act.
    pub(crate) const ACT: &[u8] = b"bisik-1 group act\0";
    /// Hash of an act.
    pub(crate) const ACT_HASH: &[u8] = b"bisik-1 hash of a group act\0";
    /// Text that the key of a link signs for whoever joins by it.
    pub(crate) const LINK: &[u8] = b"bisik-1 group link\0";
    /// Digest of the acts that count.
    pub(crate) const ACTS: &[u8] = b"bisik-1 group acts\0";
    /// Digest of a part of the acts that count.
    pub(crate) const ACTS_PART: &[u8] = b"bisik-1 group acts part\0";
    /// Hash of a floor.
    pub(crate) const FLOOR: &[u8] = b"bisik-1 group floor\0";
}

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
    /// A block of a conversation: the peer's devices and the label.
    pub(crate) const CONVERSATION_PEER: RecordKind = RecordKind::new(15);
    /// A block of a conversation: everything with one device.
    pub(crate) const CONVERSATION_LINK: RecordKind = RecordKind::new(16);
    /// A block of a conversation: the body of a message that waits for acknowledgements.
    pub(crate) const CONVERSATION_BODY: RecordKind = RecordKind::new(17);
    /// A block of a conversation: something that waits for the program.
    pub(crate) const CONVERSATION_INBOX: RecordKind = RecordKind::new(18);
    /// A block of skipped message keys.
    pub(crate) const SKIPPED_KEYS: RecordKind = RecordKind::new(14);
    /// A device's own chain in a group.
    pub(crate) const SENDING_CHAIN: RecordKind = RecordKind::new(19);
    /// The chains of one sending device in a group.
    pub(crate) const RECEIVING_CHAINS: RecordKind = RecordKind::new(20);
    /// Who is a member of a group: a log and acts.
    pub(crate) const GROUP: RecordKind = RecordKind::new(21);
    /// A block of a group: entries of the log.
    pub(crate) const GROUP_ENTRIES: RecordKind = RecordKind::new(22);
    /// A block of a group: acts.
    pub(crate) const GROUP_ACTS: RecordKind = RecordKind::new(23);
    /// A block of a group: the floor.
    pub(crate) const GROUP_FLOOR: RecordKind = RecordKind::new(24);
    /// A block of a group: two entries that contradict each other.
    pub(crate) const GROUP_EVIDENCE: RecordKind = RecordKind::new(25);
    /// What a device has to send and to show in a group.
    pub(crate) const GROUP_DESK: RecordKind = RecordKind::new(26);
    /// The devices of a group's members.
    pub(crate) const GROUP_LISTS: RecordKind = RecordKind::new(27);
    /// To whom an account shows statuses.
    pub(crate) const AUDIENCE: RecordKind = RecordKind::new(28);
    /// The statuses of one author.
    pub(crate) const FEED: RecordKind = RecordKind::new(29);
    /// What the devices of one account share.
    pub(crate) const REGISTERS: RecordKind = RecordKind::new(30);
}
