//! Shared code of the integration tests, fuzz targets and benchmarks of bisik: parties, accounts, a simulated network,
//! randomness, and the fuzz targets themselves.
//!
//! | module | what it is for |
//! |---|---|
//! | [`alice_and_bob`] | two identities and the pre-key messages between them, for a test that needs no network |
//! | [`simulation`] | pairs of devices, a network that drops and damages, an attacker, and a model of every outcome |
//! | [`accounts`] | two accounts of several devices, a server with bundles and mailboxes, and a clock |
//! | [`blocks`] | a store for what sealed sessions have beside their heads |
//! | [`rng`] | a generator that a seed determines and that can be rewound, and one that always gives the same byte |
//! | [`draws`] | randomness given in advance or recorded, and hexadecimal |
//! | [`protobuf`] | bodies of content written field by field, as no honest program writes them |
//! | [`fuzz`] | the fuzz targets as plain functions, and the seeds they start from |
//!
//! Unit tests inside `src/` cannot use this crate: it links another copy of bisik than the one under test. Neither can
//! the test programs that the package of bisik contains, because this crate is not published. Files that they share with
//! it are in that package: [`draws`], [`rng`] and [`fuzz::frame`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test helper panics where a promise is broken"
)]

pub mod accounts;
pub mod alice_and_bob;
pub mod blocks;
#[path = "../../../tests/random/draws.rs"]
pub mod draws;
pub mod fuzz;
#[cfg(feature = "content")]
pub mod protobuf;
#[path = "../../../tests/random/rng.rs"]
pub mod rng;
pub mod simulation;

pub use alice_and_bob::AliceAndBob;
pub use rng::{ConstantRng, SeededRng};
pub use simulation::{Crash, Envelope, Event, Outcome, Pair, Side, Simulation};
