//! Groups: one message for many.
//!
//! Does not know membership. What is here today is the wire of others, which the feature `interop` speaks: a native group,
//! with a signed list of members, comes beside it.

mod engine; // the one file here that knows which suites there are

pub use engine::*;
