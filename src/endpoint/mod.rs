//! Endpoints: who else can read, said in a signed disclosure, agreed to by the user, shown by a label
//! (docs/spec/hosting.md,
//! section 11).
//!
//! Does not know sessions, messages or device lists: it is told what a verified device list says, and answers with a label.
//!
//! ```text
//!   business                 operator               endpoint                         user's device
//!      │ DisclosureDraft ───────▶│                      │                                  │
//!      │              Countersigned ───────────────────▶│                                  │
//!      │◀──────────────────────────────────────── Proven                                   │
//!  Disclosure; its hash into the device list ──────────────────────────────────────▶ observe: LabelEvent
//!      │                                                │                     the user: consent, refuse
//!      │                                                │◀──────────────── Decision ───────│
//!      │                                      DecisionReceipt ────────────────────────────▶│ (kept, exportable)
//! ```
//!
//! | question | file |
//! |---|---|
//! | what does a label follow from? | `label.rs`: `judge`, with `standing.rs`: what was seen and decided |
//! | when must the user be asked again? | `terms.rs`: `Worse` |
//! | what keeps an older, better disclosure from coming back? | `disclosure.rs`: `KnownDisclosure` |
//! | what may be sent to whom? | `permit.rs` |

mod assembly; //   11.2  three parties make a disclosure
mod consent; //    11.5  decisions in bytes, and receipts for them
mod decide; //     11.5  the user decides, here or on another device
mod disclosure; // 11.2  what they make, and what a peer accepts of it
mod error; //            one enum for each operation
mod event; //      11.4  what a user is shown when a label changes
mod evidence; //   11.3  what a label follows from
mod group; //      11.6  hosted members of groups
mod label; //      11.4  the state machine
mod notice; //           the events in plain words
mod operator; //   11.1  who else can read
mod permit; //     11.4  what may be sent to whom
mod retention; //  11.7  deadlines, and what is due
mod rotation; //   11.8  a change of operator
mod standing; //   11.4  what was seen and decided, of one endpoint and one operator
mod stored; //     11.9  the state of a label in a record
mod terms; //      11.1  what is disclosed, and what is worse

pub use assembly::{Countersigned, DisclosureDraft, Proven};
pub use consent::{Choice, Decision, DecisionReceipt, SharedDecision};
pub use disclosure::{Disclosure, KnownDisclosure, VerifiedDisclosure};
pub use error::{
    Blocked, DecideError, DecisionError, DisclosureError, DraftError, LedgerFull, RotationError, TextError,
};
pub use event::{Change, LabelEvent};
pub use evidence::{EndpointDevice, Evidence, Presented};
pub use group::{HostedMember, may_receive_in_group};
pub use label::{ClosedEndpoint, Label, LabelState, Transition, Unverified};
pub use notice::{Language, notice};
pub use operator::{Operator, OperatorName};
pub use permit::Permit;
pub use retention::{Region, Retention, RetentionLedger};
pub use rotation::Rotation;
pub use terms::{HostingTerms, Purposes, Roles, Worse};

use alloc::vec::Vec;

use crate::codec::{Malformed, Reader};
use crate::keys::IdentityKey;
use crate::primitives::sign::SIGNATURE;

/// An identity key from outside: both halves are checked.
fn read_key(reader: &mut Reader<'_>) -> Result<IdentityKey, Malformed> {
    IdentityKey::from_bytes(reader.array()?).map_err(|_| Malformed)
}

/// Splits a trailing signature off. `Malformed` where there is no room for one.
fn split_signature(bytes: &[u8]) -> Result<(&[u8], &[u8; SIGNATURE]), Malformed> {
    bytes.split_last_chunk().ok_or(Malformed)
}

/// `text ‖ signature`.
fn with_signature(text: &[u8], signature: &[u8; SIGNATURE]) -> Vec<u8> {
    [text, signature].concat()
}

/// How far ahead a disclosure or a decision may be dated, in seconds: a day, as with pre-key bundles.
const CLOCK_SKEW: u64 = 24 * 60 * 60;
