//! The label of a conversation: who can read it (docs/spec, sections 11.3, 11.4 and 11.9).
//!
//! A label follows from signatures: from the verified device lists of both accounts, from the disclosures of their
//! hosted devices, and from the user's own decisions. A server cannot set it. Every operation is a pure function that
//! returns the state after it.
//!
//! | file | what |
//! |---|---|
//! | `evidence.rs` | what verified device lists show |
//! | `gather.rs` | the lists and disclosures that a server has, as evidence |
//! | `seen.rs` | what is remembered of it, and of the user's decisions |
//! | `state.rs` | the label that follows |
//! | `asking.rs` | whether the user may be asked after a refusal |
//! | `current.rs` | the label at some time |
//! | `observe.rs` | new evidence, and time that passes |
//! | `event.rs` | what the user is shown when the label changes |
//! | `stored.rs` | the state in bytes |

mod asking; //   11.11 when a refused business may ask again
mod current; //  11.13 the label at some time
mod event; //    11.4  what the user is shown
mod evidence; // 11.3  what verified device lists show
mod gather; //   11.3  lists and disclosures as evidence
mod observe; //  11.3  evidence into the state
mod seen; //     11.4  what is remembered
mod state; //    11.4  the label that follows
mod stored; //   11.9  the state in bytes

pub use event::{LabelChange, LabelEvent};
pub use evidence::{Evidence, HostedDevice, Presented};
pub(super) use seen::{RecordedDecision, SeenDevice};
pub use state::{ClosedDevice, LabelState, Transition};

use crate::device::Custody;
use crate::hosting::disclosure::DisclosureError;
use bisik_core::disclosure::DisclosureHash;

/// Who can read a conversation, as its header shows it.
///
/// It says what the accounts have signed. That an account lists a hosted device as its own is a lie that nobody can detect.
///
/// No label holds back decisions and receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// No evidence was seen yet. No message is sent.
    Unknown,
    /// Only devices that the two accounts hold themselves can read.
    EndToEnd {
        /// The custody furthest from a person's own among the peer's devices.
        custody: Custody,
        /// Whether a program answers on one of them.
        automated: bool,
    },
    /// The user's own account has a hosted device, whose operator reads. The peer has none. Messages are sent: the own
    /// account has signed the disclosure.
    OwnHosted {
        /// The worst disclosure of the own account; `None` if a hosted device names none.
        disclosure: Option<DisclosureHash>,
    },
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

impl Label {
    /// Whether the label says end-to-end encrypted.
    #[must_use]
    pub const fn is_end_to_end(self) -> bool {
        match self {
            Self::EndToEnd { .. } => true,
            Self::Unknown
            | Self::OwnHosted { .. }
            | Self::Disclosed { .. }
            | Self::Hosted { .. }
            | Self::Refused { .. }
            | Self::Unverified { .. } => false,
        }
    }
}

/// Why it is not known who would read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unverified {
    /// There is no verified device list, it is empty, or it has expired.
    DeviceList,
    /// The device list or a disclosure has expired since it was observed: what is known is not current.
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
