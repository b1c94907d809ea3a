//! [`StatusReceived`]: what a feed has for the program.

use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use crate::conversation::MemberDevice;
use crate::group::GroupMessageId;
use crate::group::fields::{read_body, read_member, write_member};
use crate::group::inbox::Waiting;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::time::Timestamp;

/// Something for the program: it stays in the record until the program [settles](super::Feed::settle) it.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusReceived {
    /// A status. Show it until `until`, and delete it then.
    Post {
        /// The device that wrote it, one of the author's.
        from: MemberDevice,
        /// Its name.
        id: GroupMessageId,
        /// The content.
        body: Zeroizing<Vec<u8>>,
        /// When it ends, by the local clock: at most 24 hours after it arrived, whatever its author says. On a hosted device
        /// also no later than its disclosure promises.
        until: Timestamp,
    },
    /// The author takes a status back: delete it.
    Deleted {
        /// Its name.
        id: GroupMessageId,
    },
    /// A status has ended before the program took it, or before it arrived.
    Expired {
        /// Its name.
        id: GroupMessageId,
    },
    /// A device has written two messages under one number: it was restored from a backup, or somebody has its keys.
    WentBack {
        /// The device.
        device: MemberDevice,
    },
    /// Statuses of a device that cannot be read any more.
    Lost {
        /// The device.
        device: MemberDevice,
        /// How many.
        messages: u32,
    },
}

impl Waiting for StatusReceived {
    fn len(&self) -> usize {
        match self {
            Self::Post { body, .. } => body.len(),
            Self::Deleted { .. } | Self::Expired { .. } | Self::WentBack { .. } | Self::Lost { .. } => 0,
        }
    }

    fn delete_by(&self) -> Option<Timestamp> {
        match self {
            Self::Post { until, .. } => Some(*until),
            Self::Deleted { .. } | Self::Expired { .. } | Self::WentBack { .. } | Self::Lost { .. } => None,
        }
    }

    fn lost(&self) -> Option<Self> {
        match self {
            Self::Post { id, .. } => Some(Self::Expired { id: *id }),
            Self::Deleted { .. } | Self::Expired { .. } | Self::WentBack { .. } | Self::Lost { .. } => None,
        }
    }

    fn write(&self, writer: &mut SecretWriter) {
        match self {
            Self::Post { from, id, body, until } => {
                write_member(from, writer.u8(POST));
                id.write(writer);
                writer.u64(until.as_unix_seconds()).count(body.len()).bytes(body);
            }
            Self::Deleted { id } => id.write(writer.u8(DELETED)),
            Self::Expired { id } => id.write(writer.u8(EXPIRED)),
            Self::WentBack { device } => write_member(device, writer.u8(WENT_BACK)),
            Self::Lost { device, messages } => {
                write_member(device, writer.u8(LOST));
                writer.u32(*messages);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.u8()? {
            POST => {
                let (from, id) = (read_member(reader)?, GroupMessageId::read(reader)?);
                let until = Timestamp::from_unix_seconds(reader.u64()?);
                Self::Post { from, id, body: Zeroizing::new(read_body(reader)?.to_vec()), until }
            }
            DELETED => Self::Deleted { id: GroupMessageId::read(reader)? },
            EXPIRED => Self::Expired { id: GroupMessageId::read(reader)? },
            WENT_BACK => Self::WentBack { device: read_member(reader)? },
            LOST => Self::Lost { device: read_member(reader)?, messages: reader.u32()? },
            _ => return Err(Malformed),
        })
    }
}

/// Does not show what statuses say.
impl fmt::Debug for StatusReceived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post { from, id, body, until } => {
                let mut shown = f.debug_struct("Post");
                shown.field("from", from).field("id", id).field("length", &body.len());
                shown.field("until", until).finish()
            }
            Self::Deleted { id } => f.debug_struct("Deleted").field("id", id).finish(),
            Self::Expired { id } => f.debug_struct("Expired").field("id", id).finish(),
            Self::WentBack { device } => f.debug_struct("WentBack").field("device", device).finish(),
            Self::Lost { device, messages } => {
                f.debug_struct("Lost").field("device", device).field("messages", messages).finish()
            }
        }
    }
}

const POST: u8 = 1;
const DELETED: u8 = 2;
const EXPIRED: u8 = 3;
const WENT_BACK: u8 = 4;
const LOST: u8 = 5;
