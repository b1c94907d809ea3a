//! The simulated world that the tests and the fuzz targets share: devices, a network, an attacker, and a model of what must
//! happen. Does not know why a test chose its events.
//!
//! ```text
//!   event.rs ──▶ world.rs ── send, deliver, damage, crash ──▶ device.rs ── bisik
//!                   │                                           │
//!                   └── the laws ◀── receive.rs: agree? ◀── symbolic.rs, pool.rs: the model
//! ```
//!
//! Needs `bisik` and `rand`, nothing else, so that a fuzz target can include it by path:
//!
//! ```text
//! #[path = "../../tests/support/mod.rs"]
//! mod support;
//! fuzz_target!(|script: &[u8]| support::World::replay(script));
//! ```

#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_imports,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

pub mod device; //   memory, database, backups, a spy
pub mod event; //    everything that can happen
pub mod people; //   two people and a first message, for tests without a network
pub mod pool; //     the model of pre-keys, and the server of bundles
pub mod protobuf; // bodies of content, field by field
pub mod receive; //  the model's verdict against the library's
pub mod rng; //      generators that can be wound back
pub mod seat; //     one session beside its model
pub mod symbolic; // the model of the ratchet
pub mod world; //    pairs, network, laws

pub use event::{Crash, Event, Side};
pub use people::People;
pub use receive::Outcome;
pub use rng::{ConstantRng, SeededRng};
pub use world::{Envelope, Pair, World};
