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
/// `info` of the keys of one message to a group.
pub(crate) const GROUP: &[u8] = b"WhisperGroup";

/// Kinds of sealed records (`bisik_core::storage::RecordKind`); numbers 1 to 8 belong to `bisik`.
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
}
