//! Groups: many accounts, each with several devices: who is a member, and how one device writes to all others with one
//! ciphertext.
//!
//! | module | what it has |
//! |---|---|
//! | [`membership`] | who is a member: signed statements that no server can write |
//! | [`chain`] | chains of keys: how one device writes to all devices of a group, or to an audience |

pub mod chain;
mod id; // the name of a group
pub mod membership;

pub use chain::{
    BeginError, ChainId, CloseError, DistributeError, Distribution, DistributionError, EncryptError, GroupMessage,
    GroupMessageError, HeldDistribution, HeldGroupMessage, HeldOpened, ListsDigest, NewChain, OpenError, OpenedMessage,
    Place, Predecessor, ReadyChain, ReceivingChains, Scope, SendPlan, Sender, SendingChain, StagedMessage, TakeError,
    Taken, View,
};
pub use id::GroupId;
