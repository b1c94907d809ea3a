//! Consent: what users decide about disclosures, in bytes (docs/spec/hosting.md, section 11.5). The effect of a
//! decision is in `decide.rs`.

mod choice; //   consent, refusal, withdrawal
mod decision; // a decision, signed by the device it was made on
mod error; //    why not
mod receipt; //  the hosted device's countersignature

pub use choice::Choice;
pub use decision::{Decision, SharedDecision};
pub use error::{DecideError, DecisionError};
pub use receipt::DecisionReceipt;
