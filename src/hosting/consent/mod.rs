//! Consent: what users decide about disclosures, in bytes (docs/spec/hosting.md, section 11.5). `decide.rs` beside has
//! its effect.

mod choice; //   consent, refusal, withdrawal
mod decision; // a decision, signed by the device it was made on
mod error; //    why not
mod receipt; //  the hosted device's countersignature

pub use choice::Choice;
pub use decision::{Decision, SharedDecision};
pub use error::{DecideError, DecisionError};
pub use receipt::DecisionReceipt;
