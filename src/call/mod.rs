//! Calls: keys for two, keys for many, and frames that a relay forwards and cannot read (docs/protocol.md, section 9).
//!
//! Does not know codecs, packets or networks: frames go in and out as bytes.
//!
//! ```text
//!                    signals, inside sessions                      frames, over any network
//!   ┌─────────────────────────────────────────────────┐   ┌───────────────────────────────────────┐
//!   two:   Calling ──▶ Offer ──▶ Answer ──▶ CallKeys ──┬──▶ SrtpKeys, for an SRTP implementation
//!                                                      └──▶ BaseKey ──▶ SenderKey ──┬──▶ FrameSealer
//!   many:  GroupCall ──▶ EpochKey ──▶ GroupCall ────────────▶ SenderKey ────────────┴──▶ FrameOpener
//! ```
//!
//! Signals are bytes for [`Session::encrypt`](crate::Session::encrypt); [`Signal::from_bytes`] reads what came out of
//! [`Session::decrypt`](crate::Session::decrypt). Frames are SFrame's (RFC 9605).
//!
//! [`Calling`] shows a call of two, [`GroupCall`] one of many, [`FrameSealer`] frames alone.

mod epoch; //    9.3  a participant's next key, on its way
mod error; //         why not
mod group; //    9.3  who is in a call, and new keys when that changes
mod header; //   9.4  RFC 9605, section 4.3
mod keys; //     9.4  base keys, SRTP keys, key ids
mod offer; //    9.2  a call of two
mod opener; //   9.5  keys, windows and late frames
mod schedule; // 9.2, 9.3  every derivation
mod sealer; //   9.4, 9.6  counters
mod signal; //   9.1  what travels inside sessions
mod suite; //    9.4  RFC 9605, sections 4.4 and 4.5
mod window; //   9.5  RFC 3711, section 3.3.2

pub use epoch::EpochKey;
pub use error::{
    AnswerError, BaseKeyError, EpochKeyError, InstallError, MemberError, OpenError, SealError, SignalError, Unanswered,
};
pub use group::GroupCall;
pub use keys::{BaseKey, DirectionKeys, Participant, SenderKey, SrtpKeys};
pub use offer::{Answer, CallKeys, Calling, Offer};
pub use opener::{FrameOpener, Opened};
pub use sealer::{FrameSealer, HeldCounters};
pub use signal::{CallId, Signal};
pub use suite::{FrameSuite, ShortTag};

#[cfg(test)]
pub(crate) mod published; // RFC 9605's own vectors
