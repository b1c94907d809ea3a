//! Groups: many accounts, each with several devices: who is a member, and how one device writes to all others with one
//! ciphertext.
//!
//! | module | what it has |
//! |---|---|
//! | [`Group`] | everything that one device has of one group: start here |
//! | [`membership`] | who is a member: signed statements that no server can write |
//! | [`status`] | what one account shows to an audience for a day: stories |
//! | [`chain`] | chains of keys: how one device writes to all devices of a group, or to an audience |

pub mod chain;
mod fields; // what records have in common
mod id; // the name of a group
mod inbox; // what waits for the program
pub mod membership;
mod outbox; // what waits for the transport
mod room; // everything of one group
pub mod status;
mod write; // one message, and its chain to those who lack it

pub use chain::{
    BeginError, ChainId, CloseError, DistributeError, Distribution, DistributionError, EncryptError, GroupMessage,
    GroupMessageError, HeldDistribution, HeldGroupMessage, HeldOpened, ListsDigest, MemberDevice, NewChain, OpenError,
    OpenedMessage, Place, Predecessor, ReadyChain, ReceivingChains, Scope, SendPlan, SendingChain, StagedMessage,
    TakeError, Taken, View,
};
pub use id::GroupId;
pub use outbox::{GroupHandover, GroupSent};
pub use room::{
    Group, GroupArrival, GroupChange, GroupChanges, GroupMessageId, GroupOutgoing, GroupReceiveError, GroupReceived,
    GroupRecord, GroupRecordName, GroupSendError, History, HistoryError, HistoryPointer, LeftOut, ListNeed, PassedOn,
    Reader, Remembered, StoredGroup,
};
