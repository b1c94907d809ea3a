//! Groups: many accounts, each with several devices: who is a member, and how one device writes to all others with one
//! ciphertext.
//!
//! | module | what it has |
//! |---|---|
//! | [`Group`] | everything that one device has of one group: start here |
//! | [`membership`] | who is a member: signed statements that no server can write |
//! | [`chain`] | chains of keys: how one device writes to all devices of a group, or to an audience |

pub mod chain;
mod id; // the name of a group
pub mod membership;
mod room; // everything of one group

pub use chain::{
    BeginError, ChainId, CloseError, DistributeError, Distribution, DistributionError, EncryptError, GroupMessage,
    GroupMessageError, HeldDistribution, HeldGroupMessage, HeldOpened, ListsDigest, MemberDevice, NewChain, OpenError,
    OpenedMessage, Place, Predecessor, ReadyChain, ReceivingChains, Scope, SendPlan, SendingChain, StagedMessage,
    TakeError, Taken, View,
};
pub use id::GroupId;
pub use room::{
    Group, GroupArrival, GroupChange, GroupChanges, GroupHandover, GroupMessageId, GroupOutgoing, GroupReceiveError,
    GroupReceived, GroupRecord, GroupRecordName, GroupSendError, GroupSent, LeftOut, ListNeed, Reader, StoredGroup,
};
