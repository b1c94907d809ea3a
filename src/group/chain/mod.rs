//! Chains of keys ([section 14](crate::manual::spec::chains)): one device writes to all devices of a group, or to an
//! audience, with one ciphertext.
//!
//! A device that writes has a [`SendingChain`]. It gives the chain's key to each device that may read, in the session
//! with that device, as a [`Distribution`]; so the chain is as confidential as the sessions are, and heals when a new
//! chain begins. A device that reads has [`ReceivingChains`] for each device that writes.
//!
//! ```text
//!   SendingChain::plan ─▶ ReadyChain::distribution_for ── Distribution ── in a session with each device ──▶ ReceivingChains::take
//!                              └──── encrypt ──────────── GroupMessage ── one for all ────────────────────▶ ReceivingChains::stage
//! ```
//!
//! Who is in a group is not known here: the caller says to which devices a message is to go, and this module sees to it
//! that nobody else reads it. The caller also says which session a distribution came in.
//!
//! ```
//! # let rng = &mut rand::rng();
//! # let now = bisik::Timestamp::from_unix_seconds(1_800_000_000);
//! # let (alice, bob) = (bisik::Identity::generate(rng), bisik::Identity::generate(rng));
//! use std::collections::BTreeSet;
//!
//! use bisik::device::AccountKey;
//! use bisik::group::{
//!     Distribution, GroupId, GroupMessage, ListsDigest, Place, ReceivingChains, Scope, SendPlan, MemberDevice, SendingChain,
//!     View,
//! };
//!
//! let group = GroupId::from_bytes([7; 32]);
//! let sender = MemberDevice { account: AccountKey::of(&alice), device: 0, identity: *alice.public() };
//! let (view, lists) = (View::from_bytes([1; 8]), ListsDigest::from_bytes([2; 32]));
//! let mut chain = SendingChain::begin(Place::Group { id: group, origin: [9; 32] }, sender, false, now, rng)?;
//!
//! // To whom: own-held devices of members, and one's own other devices.
//! let targets = BTreeSet::from([*bob.public()]);
//! let SendPlan::Ready(mut ready) = chain.plan(&targets, now) else { panic!("the chain has just begun") };
//! let owed: Vec<_> = ready.owed().copied().collect();
//! assert_eq!(owed, [*bob.public()]);
//! let distribution = ready.distribution_for(bob.public(), view, &lists)?; // goes in the session with Bob's device
//! let message = ready.encrypt(view, b"halo, semua", rng)?; // goes to everybody; store the chain first
//!
//! // At Bob's device.
//! let mut of_alice = ReceivingChains::new(Scope::Group(group), sender);
//! of_alice.take(&Distribution::from_bytes(&distribution.to_bytes())?, alice.public())?;
//! let opened = of_alice.open(&GroupMessage::from_bytes(message.as_bytes())?)?;
//! assert_eq!((opened.body.as_slice(), opened.view), (b"halo, semua".as_slice(), view));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply; //             14.4 a message changes the state
mod backlog; //           14.4 many messages, whose signatures are verified together
mod context; //           14.2 what tag and signature cover
mod distribution; //      14.1 what a device is given
mod error; //             why something is refused
mod held; //              what waits until the state is stored
mod kept; //              14.5 keys of messages that have not arrived
mod limits; //            14.5 bounds
mod message; //           14.2 messages as bytes
mod names; //             14.1 whose chain, and where
mod open; //              14.4 verify, and compute the change
mod ready; //             14.3 a chain that may be used now
mod receiving; //         14.4 the chains of one sending device
mod receiving_record; //  14.6 the same, sealed
mod sending; //           14.3 the own chain
mod sending_record; //    14.6 the same, sealed
mod staged; //            14.4 a message that is not committed yet
mod take; //              14.4 distributions
mod used; //              14.4 which messages were received
mod view; //              14.2 what a sender knows of its group

pub use distribution::Distribution;
pub use error::{
    BeginError, CloseError, DistributeError, DistributionError, EncryptError, GroupMessageError, OpenError, TakeError,
};
pub use held::{HeldDistribution, HeldGroupMessage, HeldOpened};
pub use message::GroupMessage;
pub use names::{ChainId, Place, Predecessor, Scope};

pub use crate::conversation::MemberDevice;
pub use ready::{NewChain, ReadyChain, SendPlan};
pub use receiving::ReceivingChains;
pub use sending::SendingChain;
pub use staged::{OpenedMessage, StagedMessage};
pub use take::Taken;
pub use view::{ListsDigest, View};
