//! The operations that benches/versus.rs compares: this library's, vodozemac's, and the table of both.

#[cfg(feature = "interop")]
pub(crate) mod groups;
#[cfg(feature = "interop")]
pub(crate) mod interop;
pub(crate) mod ours;
pub(crate) mod table;
pub(crate) mod theirs;
