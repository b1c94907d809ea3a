//! A frame that was checked before anything changes (docs/spec/conversations.md, sections 12.2 and 12.4).

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::frame::{Content, Frame, FrameError, Kind};
use super::name::MessageId;
use super::{ConversationId, DeviceAddress, MAX_BODY, ReceiveError, Side};
use crate::device::AccountKey;
use crate::hosting::{Decision, DecisionReceipt, SharedDecision};
use crate::keys::IdentityKey;
use bisik_core::time::Timestamp;

/// A frame that was checked, with nothing borrowed.
pub(super) struct Checked {
    /// The frame without its content.
    pub(super) frame: Frame<'static>,
    pub(super) content: Checks,
}

/// The content of a frame, decoded.
pub(super) enum Checks {
    Nothing,
    Ephemeral(Zeroizing<Vec<u8>>),
    Named { kind: Kind, id: MessageId, body: Body },
}

/// What a named message holds.
pub(super) enum Body {
    Text(Zeroizing<Vec<u8>>),
    Letter(Zeroizing<Vec<u8>>),
    Withdrawn,
    Decision(Box<Decision>),
    Shared(Box<SharedDecision>),
    DecisionReceipt(Box<DecisionReceipt>),
    NotUnderstood,
}

/// Where and when a frame was heard.
pub(super) struct Heard {
    pub(super) from: DeviceAddress,
    /// The session that it came in.
    pub(super) serial: u32,
    /// The identity key of its sender.
    pub(super) key: IdentityKey,
    /// On a hosted device, when what it holds must be deleted.
    pub(super) delete_by: Option<Timestamp>,
    pub(super) now: Timestamp,
}

/// What a frame from this sender must be.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) side: Side,
    pub(super) opens: bool,
}

/// P-12.12: a frame of this conversation, of a kind that such a device may write, for which there is room.
pub(super) fn check(
    plaintext: &[u8],
    conversation: ConversationId,
    peer: &AccountKey,
    Expected { side, opens }: Expected,
    has_room: impl Fn(usize) -> bool,
) -> Result<Checked, ReceiveError> {
    let frame = Frame::decode(plaintext)?;
    if frame.for_own != (side == Side::Own) || frame.opening.is_some() != opens {
        return Err(ReceiveError::ProtocolViolation);
    }
    if let Some(opening) = frame.opening {
        // An own device has no place outside of the ciphertext to say which conversation it means.
        if side == Side::Own && opening.conversation != conversation {
            return Err(ReceiveError::AnotherConversation);
        }
        if opening.conversation != conversation || opening.peer.is_some_and(|named| named != *peer) {
            return Err(ReceiveError::ProtocolViolation);
        }
    }
    let content = match frame.content {
        Content::Nothing => Checks::Nothing,
        Content::Ephemeral(bytes) if !has_room(bytes.len()) => return Err(ReceiveError::InboxFull),
        Content::Ephemeral(bytes) => Checks::Ephemeral(Zeroizing::new(bytes.to_vec())),
        Content::Named { kind, id, bytes } => {
            if bytes.len() > MAX_BODY || !has_room(bytes.len()) {
                return Err(ReceiveError::InboxFull);
            }
            let body = match (kind, side) {
                (Kind::Message, _) | (Kind::Private, Side::Own) => Body::Text(Zeroizing::new(bytes.to_vec())),
                (Kind::Letter, _) => Body::Letter(Zeroizing::new(bytes.to_vec())),
                (Kind::Withdrawn, _) => Body::Withdrawn,
                (Kind::Decision, Side::Peer) => Decision::from_bytes(bytes)
                    .map_or(Body::NotUnderstood, |decision| Body::Decision(Box::new(decision))),
                (Kind::Decision, Side::Own) => SharedDecision::from_bytes(bytes)
                    .map_or(Body::NotUnderstood, |shared| Body::Shared(Box::new(shared))),
                (Kind::DecisionReceipt, Side::Peer) => DecisionReceipt::from_bytes(bytes)
                    .map_or(Body::NotUnderstood, |receipt| Body::DecisionReceipt(Box::new(receipt))),
                (Kind::DecisionReceipt, Side::Own) | (Kind::Private, Side::Peer) | (Kind::Unknown(_), _) => {
                    Body::NotUnderstood
                }
            };
            Checks::Named { kind, id, body }
        }
    };
    Ok(Checked { frame: frame.without_content(), content })
}

impl From<FrameError> for ReceiveError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Malformed => Self::ProtocolViolation,
            FrameError::NewerVersion(_) => Self::NewerVersion,
        }
    }
}
