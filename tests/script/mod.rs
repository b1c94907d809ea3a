//! Test vectors as scripts (docs/protocol.md, appendix A): what they are written in, and who runs them.
//!
//! Does not know which vectors there are.

pub(crate) mod draws;
pub(crate) mod step;
pub(crate) mod world;
