//! The documents of the project, as they are in `docs/`.
//!
//! Knows nothing; it is only read.

/// The protocol, normative: `docs/spec`.
#[doc = include_str!("../docs/spec")]
pub mod protocol {}

/// What is promised against whom: `docs/threat-model.md`.
#[doc = include_str!("../docs/threat-model.md")]
pub mod threat_model {}

/// How to store state: `docs/persistence.md`.
#[doc = include_str!("../docs/persistence.md")]
pub mod persistence {}

/// What to do about every error: `docs/errors.md`.
#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

/// The wire that the feature `interop` speaks: `docs/interop.md`.
#[doc = include_str!("../docs/interop.md")]
pub mod interop {}
