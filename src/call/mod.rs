//! Calls: key agreement for two devices and for groups, and end-to-end encrypted frames
//! ([section 9](crate::manual::spec::calls#9-calls)).
//!
//! This module has no codecs, packets or networking: frames go in and out as bytes, and a relay can forward them but
//! not read them.
//!
//! ```text
//!                    signals, inside sessions                      frames, over any network
//!   ┌─────────────────────────────────────────────────┐   ┌───────────────────────────────────────┐
//!   two:   Calling ──▶ Offer ──▶ Answer ──▶ CallKeys ──┬──▶ SrtpKeys, for an SRTP implementation
//!                                                      └──▶ BaseKey ──▶ SenderKey ──┬──▶ FrameSealer
//!                                                                                    └──▶ FrameOpener
//!   many:  GroupCall ──▶ EpochKey ──▶ GroupCall ──▶ GroupCall::seal, GroupCall::open
//! ```
//!
//! Signals are plaintext for [`Session::encrypt`](crate::Session::encrypt). [`Signal::from_bytes`] decodes the
//! plaintext that [`Session::decrypt`](crate::Session::decrypt) returns. Frames are SFrame (RFC 9605).
//!
//! Examples: [`Calling`] for a call of two, [`GroupCall`] for a group call, [`FrameSealer`] for frames with a key from
//! elsewhere.

mod admission; //      9.3  giving and taking epoch keys
mod aside; //          9.3  keys whose view of the group is unknown yet
mod commitment; //     9.7  signals of a spoken comparison
mod comparison; //     9.7  four emoji that users read to each other
mod epoch; //          9.3  a device's next key, sent to one other device
mod error; //               errors of calls
mod group; //          9.3  devices in a call, and new keys when they change
mod header; //         9.4  RFC 9605, section 4.3
mod id; //             9.1  call ids
mod keys; //           9.4  base keys, SRTP keys, key ids
mod member; //         9.3  the group of a call, and who is in it
mod offer; //          9.2  a call of two
mod opener; //         9.5  decryption with keys from elsewhere
mod receiving; //      9.5  one key, and the counters received under it
mod schedule; //  9.2, 9.3  every derivation
mod sealer; //    9.4, 9.6  encryption: counters
mod signal; //         9.1  messages of a call inside sessions
mod stay; //           9.5  the keys of one stay of a device
mod stays; //          9.5  decryption with the keys of a group call
mod suite; //          9.4  RFC 9605, sections 4.4 and 4.5
mod window; //         9.5  RFC 3711, section 3.3.2

pub use crate::emoji::Emoji;
pub use commitment::{Commitment, Opening};
pub use comparison::Comparison;
pub use epoch::EpochKey;
pub use error::{
    AnswerError, BaseKeyError, CompareError, EpochKeyError, InstallError, MemberError, OpenError, SealError,
    SignalError, Unanswered,
};
pub use group::GroupCall;
pub use id::CallId;
pub use keys::{BaseKey, DirectionKeys, Participant, SenderKey, SrtpKeys};
pub use member::{CallGroup, KeyNews, KeyTaken, Recipients, Standing, no_group};
pub use offer::{Answer, CallKeys, Calling, Offer};
pub use opener::{DecryptedFrame, FrameOpener};
pub use sealer::{FrameSealer, HeldCounters};
pub use signal::Signal;
pub use stays::GroupFrame;
pub use suite::{FrameSuite, ShortTag};

#[cfg(test)]
pub(crate) mod published; // test vectors of RFC 9605
