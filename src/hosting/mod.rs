//! Hosted devices: who else can read a conversation ([section 11](crate::manual::spec::hosting#11-hosting)).
//!
//! A *hosted device* belongs to an account, but another party, the *operator*, holds its keys and can therefore read
//! every message sent to it. A business that lets a vendor answer its customers has one. The account publishes a signed
//! *disclosure* of who that is and what the operator may do. The user of the other account agrees or refuses, and the
//! conversation's *label* shows the result. Without consent, no message is sent; decisions and receipts are.
//!
//! This module keeps the rules and takes everything as arguments: verified device lists, disclosures, the time. It
//! sends nothing; [`Conversation`](crate::Conversation) carries decisions and receipts between devices.
//!
//! ```text
//!   business                 operator             hosted device                      user's device
//!      │ DisclosureDraft ───────▶│                      │                                  │
//!      │         CountersignedDraft ───────────────────▶│                                  │
//!      │◀───────────────────────────────────── ProvenDraft                                 │
//!  Disclosure; its hash into the device list ──────────────────────────────────────▶ observe: LabelEvent
//!      │                                                │                     the user: consent, refuse
//!      │                                                │◀──────────────── Decision ───────│
//!      │                                      DecisionReceipt ────────────────────────────▶│ (kept, exportable)
//! ```
//!
//! | question | file |
//! |---|---|
//! | what is signed in a disclosure, and by whom? | `disclosure/body.rs`, `disclosure/draft.rs` |
//! | how does a label follow from what was seen and decided? | `label/state.rs`: `label_in_force` |
//! | when must the user be asked again? | `disclosure/terms.rs`: `TermsDiff`; after a refusal `disclosure/kind.rs` |
//! | what stops an older, better disclosure from being replayed? | `disclosure/verify.rs`: `KnownDisclosure` |
//! | which of two decisions counts? | `label/seen.rs`: `RecordedDecision::precedence` |
//! | what does a decision of the user change? | `decide.rs` |
//! | what may be sent to whom? | `permit.rs` |
//! | what is a user shown? | `notice/lines.rs` |
//! | when must a message be deleted? | `promises.rs` |

mod consent; //    11.5  what users decide, and receipts for it
mod decide; //     11.5  the user decides, here or on another own device
mod disclosure; // 11.1, 11.2  what accounts disclose about their hosted devices
mod encoding; //         keys and signatures in bytes
mod group; //      11.6  hosted members of groups
mod label; //      11.3, 11.4, 11.9  the label, the evidence for it, its stored state
mod notice; //     11.10 the events in plain words
mod permit; //     11.4  what may be sent to whom
mod promises; //   11.7  what a hosted device has promised
mod retention; //  11.7  deadlines, and what is due
mod rotation; //   11.8  a change of operator

pub use consent::{Choice, DecideError, Decision, DecisionError, DecisionReceipt, SharedDecision};
pub use disclosure::{
    CountersignedDraft, Disclosure, DisclosureDraft, DisclosureError, DraftError, HostingTerms, KnownDisclosure,
    Operator, OperatorName, ProvenDraft, Purposes, Region, Retention, RetentionClass, Roles, TermsDiff, TextError,
    VerifiedDisclosure,
};
pub use group::{HostedMember, may_receive_in_group};
pub use label::{
    ClosedDevice, Evidence, HostedDevice, Label, LabelChange, LabelEvent, LabelState, Presented, Transition, Unverified,
};
pub use notice::{Language, Notice, NoticeLine, NoticePart, notice, notice_of_terms};
pub use permit::{Blocked, Permit};
pub use promises::Promises;
pub use retention::{LedgerFull, RetentionLedger};
pub use rotation::{Rotation, RotationError};
