//! Consent: what users decide about disclosures, in bytes and in effect (docs/protocol.md, section 11.5).

mod choice; //   consent, refusal, withdrawal
mod decide; //   the user decides, here or on another own device
mod decision; // a decision, signed by the device it was made on
mod error; //    why not
mod receipt; //  the hosted device's countersignature

pub use choice::Choice;
pub use decision::{Decision, SharedDecision};
pub use error::{DecideError, DecisionError};
pub use receipt::DecisionReceipt;
