//! Many workers answer for one business account. This library holds the parts of the example, so that its tests can use
//! them.
//!
//! Read `desk.rs` first, then `worker.rs`, then the two engines. `main.rs` starts the processes.
//!
//! ```text
//!  customers ──▶ queue ──▶ worker ─┬─▶ record, over the revision it was made from ──▶ inbox row
//!      ▲                   worker ─┤                                             └──▶ answer
//!      │                   worker ─┘                                                    │
//!      └────────────────────────────────────── relay ◀──────────────────────────────────┘
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `desk.rs` | **what a worker does with the messages of one conversation: everything that touches sessions** |
//! | `worker.rs` | its loop: claim, load, compute, compare-and-swap, and repeat if another worker was faster |
//! | `engine.rs` | the boundary between the worker and a database with a queue |
//! | `sqlite.rs` | the embedded engine: one file, one transaction |
//! | `etcd.rs`, `etcd/` | the distributed engine: three servers, one transaction over several keys |
//! | `cluster.rs` | those three servers, on this machine |
//! | `customers.rs` | the customers' side of thousands of conversations with the business |
//! | `audit.rs` | the check that all promises were kept |
//! | `director.rs`, `found.rs` | starting, killing and restarting processes; opening the business |
//! | `place.rs` | which engine, and its address |
//! | `points.rs` | the points at which tests stop a worker |

pub mod audit;
pub mod cluster;
pub mod customers;
pub mod desk;
pub mod director;
pub mod engine;
pub mod etcd;
pub mod found;
pub mod place;
pub mod points;
pub mod sqlite;
pub mod worker;

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

/// The result of operations whose errors end the process.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Returns the current time for the library.
///
/// # Errors
///
/// If the machine's clock is before 1970.
pub fn now() -> Outcome<bisik::Timestamp> {
    Ok(bisik::Timestamp::from_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs()))
}

/// Returns the bytes in hexadecimal, for a command line.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`hex`] wrote.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pair = |start| u8::from_str_radix(text.get(start..start + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}
