//! Test vectors as scripts (docs/protocol.md, appendix A): what they are written in, and who runs them.
//!
//! Does not know which vectors there are.

mod accounts;
pub(crate) mod attachments;
mod calls;
mod content;
pub(crate) mod draws;
mod endpoints;
pub(crate) mod step;
mod talks;
pub(crate) mod world;
