//! [`GroupReceived`]: what a group has for the program.

use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::history::HistoryPointer;
use super::id::GroupMessageId;
use crate::conversation::MemberDevice;
use crate::group::fields::{read_body, read_member, write_member};
use crate::group::inbox::Waiting;
use crate::group::membership::GroupEvent;
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::time::{self, Timestamp};

/// Something for the program: it stays in the record until the program [settles](super::Group::settle) it.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupReceived {
    /// A message of a member, or of another own device.
    Message {
        /// The device that wrote it.
        from: MemberDevice,
        /// Its name.
        id: GroupMessageId,
        /// The content.
        body: Zeroizing<Vec<u8>>,
        /// Sender and receiver went by the same members and devices when it arrived. If not, mark it: the sender may have
        /// written to others than are shown here. What is missing is asked for.
        same_view: bool,
        /// Its author permits that it is [passed on](super::Group::history) to newcomers. Store it with the message.
        may_pass_on: bool,
        /// On a hosted device: the time by which its disclosure promises to delete the message.
        delete_by: Option<Timestamp>,
    },
    /// What changed in the group.
    Changed(GroupEvent),
    /// A device has written two messages under one number: it was restored from a backup, or somebody has its keys.
    WentBack {
        /// The device.
        device: MemberDevice,
    },
    /// Messages of a device that cannot be read any more.
    Lost {
        /// The device.
        device: MemberDevice,
        /// How many.
        messages: u32,
    },
    /// A member passes earlier messages on, which the group's log permits it. Download the blob, open it with
    /// [`Group::open_history`](super::Group::open_history), and show all of it as passed on by this member: **nothing in it is
    /// authenticated by those who are said to have written it**.
    History {
        /// The device that passes it on.
        by: MemberDevice,
        /// Where it is.
        pointer: HistoryPointer,
    },
}

impl Waiting for GroupReceived {
    fn len(&self) -> usize {
        match self {
            Self::Message { body, .. } => body.len(),
            Self::History { .. } => HistoryPointer::len(),
            Self::Changed(_) | Self::WentBack { .. } | Self::Lost { .. } => 0,
        }
    }

    fn lost(&self) -> Option<Self> {
        match self {
            Self::Message { from, .. } => Some(Self::Lost { device: *from, messages: 1 }),
            Self::Changed(_) | Self::WentBack { .. } | Self::Lost { .. } | Self::History { .. } => None,
        }
    }

    /// P-12.58.
    fn delete_by(&self) -> Option<Timestamp> {
        match self {
            Self::Message { delete_by, .. } => *delete_by,
            Self::Changed(_) | Self::WentBack { .. } | Self::Lost { .. } | Self::History { .. } => None,
        }
    }

    fn write(&self, writer: &mut SecretWriter) {
        match self {
            Self::Message { from, id, body, same_view, may_pass_on, delete_by } => {
                write_member(from, writer.u8(MESSAGE));
                id.write(writer);
                writer.flag(*same_view).flag(*may_pass_on).u64(time::to_seconds(*delete_by));
                writer.count(body.len()).bytes(body);
            }
            Self::Changed(event) => {
                let mut public = Writer::with_capacity(256);
                event.write(&mut public);
                writer.u8(CHANGED).bytes(&public.finish());
            }
            Self::WentBack { device } => write_member(device, writer.u8(WENT_BACK)),
            Self::Lost { device, messages } => {
                write_member(device, writer.u8(LOST));
                writer.u32(*messages);
            }
            Self::History { by, pointer } => {
                write_member(by, writer.u8(HISTORY));
                writer.count(HistoryPointer::len()).bytes(&pointer.encode());
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.u8()? {
            MESSAGE => {
                let from = read_member(reader)?;
                let id = GroupMessageId::read(reader)?;
                let (same_view, may_pass_on) = (reader.flag()?, reader.flag()?);
                let delete_by = time::read_optional(reader)?;
                let length = reader.count_of(1)?;
                let body = Zeroizing::new(reader.slice(length)?.to_vec());
                Self::Message { from, id, body, same_view, may_pass_on, delete_by }
            }
            CHANGED => Self::Changed(GroupEvent::read(reader)?),
            WENT_BACK => Self::WentBack { device: read_member(reader)? },
            LOST => Self::Lost { device: read_member(reader)?, messages: reader.u32()? },
            HISTORY => Self::History { by: read_member(reader)?, pointer: HistoryPointer::decode(read_body(reader)?)? },
            _ => return Err(Malformed),
        })
    }
}

/// Does not show what messages say.
impl fmt::Debug for GroupReceived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { from, id, body, same_view, may_pass_on, delete_by } => {
                let mut shown = f.debug_struct("Message");
                shown.field("from", from).field("id", id).field("length", &body.len());
                shown.field("same_view", same_view).field("may_pass_on", may_pass_on);
                shown.field("delete_by", delete_by).finish()
            }
            Self::Changed(event) => f.debug_tuple("Changed").field(event).finish(),
            Self::WentBack { device } => f.debug_struct("WentBack").field("device", device).finish(),
            Self::Lost { device, messages } => {
                f.debug_struct("Lost").field("device", device).field("messages", messages).finish()
            }
            Self::History { by, pointer } => {
                f.debug_struct("History").field("by", by).field("pointer", pointer).finish()
            }
        }
    }
}

const MESSAGE: u8 = 1;
const CHANGED: u8 = 2;
const WENT_BACK: u8 = 3;
const LOST: u8 = 4;
const HISTORY: u8 = 5;
