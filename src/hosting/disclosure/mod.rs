//! Disclosures: what an account states about a device whose keys an operator holds (docs/spec/hosting.md, sections 11.1
//! and 11.2).
//!
//! Three parties sign one. A peer parses it, verifies it and only then uses it; each step has its own type:
//!
//! ```text
//!   DisclosureDraft ─countersign▶ CountersignedDraft ─prove▶ ProvenDraft ─sign▶ Disclosure ─verify▶ VerifiedDisclosure
//!   (account)                     (operator)                 (hosted device)    (account)           (peer)
//! ```

mod body; //      11.2  the text that is signed
mod draft; //     11.2  the three parties sign, one after the other
mod error; //           why not
mod kind; //      11.11 what counts as better after a refusal
mod name; //      11.1  what operators call themselves
mod operator; //  11.1  who holds the keys
mod retention; // 11.1  for how long and where messages are kept
mod signed; //    11.2  the result, in bytes
mod terms; //     11.1  what is disclosed, and what counts as worse
mod verify; //    11.2  what a peer checks

pub use draft::{CountersignedDraft, DisclosureDraft, ProvenDraft};
pub use error::{DisclosureError, DraftError, TextError};
pub use kind::RetentionClass;
pub use name::OperatorName;
pub use operator::Operator;
pub use retention::{Region, Retention};
pub use signed::Disclosure;
pub(super) use terms::TermsRank;
pub use terms::{HostingTerms, Purposes, Roles, TermsDiff};
pub use verify::{KnownDisclosure, VerifiedDisclosure};
