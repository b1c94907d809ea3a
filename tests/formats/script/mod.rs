//! The language of the test vectors (docs/spec/test-vectors.md): steps, and what runs them against the public interface.

mod accounts; //               lists, directories, linking
pub(crate) mod attachments; // files, blobs and pointers
mod calls; //                  calls of two and of many
mod chains; //                 chains of keys
mod content; //                bodies, and the votes of polls
mod groups; //                 who is a member of a group
mod hosting; //                disclosures, decisions, receipts
mod resuming; //               resumption secrets, and the standing of a session
pub(crate) mod runner; //      keys and sessions by name; one step after the other
mod sealed; //                 answers to events, and sealed reactions
pub(crate) mod step; //        a step as text
mod talks; //                  frames between devices of conversations
mod texts; //                  texts of values, addressed envelopes
