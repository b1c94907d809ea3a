//! Every derivation label of the Signal protocol that this crate uses, and the kinds of its sealed records
//! (docs/interop.md).

/// Input of the chain step that gives a message key.
pub(crate) const CHAIN_MESSAGE: &[u8] = &[0x01];
/// Input of the chain step that gives the next chain key.
pub(crate) const CHAIN_NEXT: &[u8] = &[0x02];
/// `info` of X3DH.
pub(crate) const TEXT: &[u8] = b"WhisperText";
/// `info` of the root step.
pub(crate) const RATCHET: &[u8] = b"WhisperRatchet";
/// `info` of the keys of one message.
pub(crate) const MESSAGE_KEYS: &[u8] = b"WhisperMessageKeys";
/// `info` of PQXDH, version 4.
pub(crate) const PQXDH: &[u8] = b"WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024";
/// `info` of the chains of epoch 0 of the post-quantum ratchet. There are two spaces in it.
pub(crate) const PQ_START: &[u8] = b"Signal PQ Ratchet V1 Chain  Start";
/// `info` of the chains of every further epoch.
pub(crate) const PQ_EPOCH: &[u8] = b"Signal PQ Ratchet V1 Chain Add Epoch";
/// End of the `info` of a step of a chain, after the number.
pub(crate) const PQ_NEXT: &[u8] = b"Signal PQ Ratchet V1 Chain Next";
/// `info` of the secret of an epoch of the braid, before the epoch.
pub(crate) const BRAID_EPOCH: &[u8] = b"Signal_PQCKA_V1_MLKEM768:SCKA Key";
/// `info` of an update of the braid's authenticator, before the epoch.
pub(crate) const BRAID_AUTHENTICATOR: &[u8] = b"Signal_PQCKA_V1_MLKEM768:Authenticator Update";
/// Input of the tag of a header of the braid, before the epoch.
pub(crate) const BRAID_HEADER: &[u8] = b"Signal_PQCKA_V1_MLKEM768:ekheader";
/// Input of the tag of a ciphertext of the braid, before the epoch.
pub(crate) const BRAID_CIPHERTEXT: &[u8] = b"Signal_PQCKA_V1_MLKEM768:ciphertext";
/// `info` of the keys of one message to a group.
pub(crate) const GROUP: &[u8] = b"WhisperGroup";

/// Kinds of sealed records (`bisik_core::storage::RecordKind`); the other numbers belong to `bisik`.
pub(crate) mod kind {
    use bisik_core::storage::RecordKind;

    /// A session with one device, with its archived states.
    pub(crate) const SESSION: RecordKind = RecordKind::new(9);
    /// The pre-keys of one device.
    pub(crate) const PRE_KEYS: RecordKind = RecordKind::new(10);
    /// An identity.
    pub(crate) const IDENTITY: RecordKind = RecordKind::new(11);
    /// The sending half of a group's sender key.
    pub(crate) const GROUP_SENDER: RecordKind = RecordKind::new(12);
    /// The receiving half of a group's sender key.
    pub(crate) const GROUP_RECEIVER: RecordKind = RecordKind::new(13);
    /// A session of version 4 with one device, with its archived states.
    pub(crate) const SESSION_4: RecordKind = RecordKind::new(40);
    /// The pre-keys of one device for version 4.
    pub(crate) const PRE_KEYS_4: RecordKind = RecordKind::new(41);
}
