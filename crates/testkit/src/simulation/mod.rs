//! Pairs of devices, the network between them, an attacker, and a model that predicts every outcome.
//!
//! ```text
//!   event.rs ──▶ network.rs ── send, deliver, damage, crash ──▶ device.rs ── bisik
//!                    │                                             │
//!                    └── invariants ◀── receive.rs: agree? ◀── symbolic.rs, prekey_pool.rs: the model
//! ```
//!
//! Events come from a test's script, from proptest or from a fuzzer.

pub mod checked_session; // one session beside its model
pub mod device; //          memory, database, backups, an attacker's copy
pub mod event; //           everything that can happen
pub mod network; //         pairs, the network, and the invariants between events
pub mod prekey_pool; //     the model of pre-keys, and the server of bundles
pub mod receive; //         compares the model's outcome with the library's
pub mod symbolic; //        the model of the ratchet

pub use event::{Crash, Event, Side};
pub use network::{Envelope, Pair, Simulation};
pub use receive::Outcome;
