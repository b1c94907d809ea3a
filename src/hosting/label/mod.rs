//! The label of a conversation: who can read it (docs/spec, sections 11.3, 11.4 and 11.9).
//!
//! A label follows from signatures: from the peer's verified device list, from the disclosures of its hosted devices,
//! and from the user's own decisions. A server cannot set it. Every operation is a pure function that returns the state
//! after it.
//!
//! | file | what |
//! |---|---|
//! | `evidence.rs` | what a verified device list shows |
//! | `seen.rs` | what is remembered of it, and of the user's decisions |
//! | `state.rs` | the label that follows |
//! | `observe.rs` | new evidence, and time that passes |
//! | `event.rs` | what the user is shown when the label changes |
//! | `stored.rs` | the state in bytes |

mod event; //    11.4  what the user is shown
mod evidence; // 11.3  what a verified device list shows
mod observe; //  11.3  evidence into the state
mod seen; //     11.4  what is remembered
mod state; //    11.4  the label that follows
mod stored; //   11.9  the state in bytes

pub use event::{LabelChange, LabelEvent};
pub use evidence::{Evidence, HostedDevice, Presented};
pub(super) use seen::{RecordedDecision, SeenDevice};
pub use state::{ClosedDevice, LabelState, Transition};

use crate::hosting::disclosure::DisclosureError;
use bisik_core::disclosure::DisclosureHash;

/// Who can read a conversation, as its header shows it.
///
/// No label holds back decisions and receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// No evidence was seen yet. No message is sent.
    Unknown,
    /// Only devices that the two accounts hold themselves can read.
    EndToEnd,
    /// An operator would read, and the user has not decided yet. No message is sent.
    Disclosed {
        /// The disclosure that the user has to decide about.
        disclosure: DisclosureHash,
    },
    /// An operator reads, and the user agreed. Messages are encrypted up to the hosted device, but not end to end.
    Hosted {
        /// The worst disclosure in force.
        disclosure: DisclosureHash,
        /// The disclosure that the user agreed to, which covers it.
        consent: DisclosureHash,
    },
    /// The user refused or withdrew consent. No message is sent.
    Refused {
        /// The disclosure that was refused.
        disclosure: DisclosureHash,
    },
    /// It is not known who would read. No message is sent.
    Unverified {
        /// Why.
        why: Unverified,
    },
}

/// Why it is not known who would read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unverified {
    /// There is no verified device list, it is empty, or it has expired.
    DeviceList,
    /// The device list or a disclosure has expired since it was observed.
    Expired,
    /// A hosted device came without a disclosure: a relay strips it, or the account hides it.
    Missing,
    /// A disclosure was refused.
    Disclosure(DisclosureError),
    /// A device that the account claims to hold itself has a key that an operator held, and still holds.
    KeyWasHosted,
    /// The account has more than 64 hosted devices, or more than 8 operators.
    TooMany,
}
