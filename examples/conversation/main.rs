//! The main use of the library on real input: two processes talk through a relay that sees only ciphertext, and one of
//! them is killed.
//!
//! The calls in `party.rs` do all cryptography.
//!
//! ```text
//! cargo run --release --example conversation                                   the repository's own documents and pictures
//! cargo run --release --example conversation -- [--seed N] FILE_OR_DIRECTORY.. anything else
//! ```
//!
//! ```text
//!        a process                 this process                   a process
//!   ┌────────────────┐    ┌───────────────────────────┐    ┌────────────────┐
//!   │ alice          │    │ relay                     │    │ bob            │
//!   │ initiates      │◀──▶│ mailboxes and bundles;    │◀──▶│ publishes      │
//!   │                │TCP │ delivers late, twice and  │TCP │ bundles, is    │
//!   │ her records    │    │ damaged; records all bytes│    │ written to     │
//!   └───────┬────────┘    └───────────────────────────┘    │ his records    │
//!           │             ┌───────────────────────────┐    └────────┬───────┘
//!           └────────────▶│ blob store: a directory;  │◀────────────┘
//!              files      │ some blobs come damaged,  │    files
//!                         │ cut short or exchanged    │
//!                         └───────────────────────────┘
//! ```
//!
//! Read `party.rs` first: it shows how a program uses this crate, including the two rules that make crashes harmless.
//!
//! | file | what it is |
//! |---|---|
//! | `party.rs` | **one side of the conversation: everything that touches sessions** |
//! | `outbox.rs`, `upload.rs` | the contents it sends, composed with `bisik::content`; its uploads into the blob store |
//! | `inbox.rs` | the contents it receives, shown in a directory; its downloads from the blob store |
//! | `store.rs` | its records on disk: sealed, and replaced as a whole or not at all |
//! | `agenda.rs` | what each side sends |
//! | `link.rs`, `wire.rs` | its connections; the frames between a party and the relay |
//! | `blobs.rs` | the blob store, and its deliberate faults |
//! | `relay.rs`, `mailbox.rs`, `mischief.rs` | the relay, what it stores, and its deliberate faults |
//! | `said.rs` | the lines in which a party reports to the director |
//! | `director.rs`, `memory.rs` | starts, kills and restarts the parties, exchanges their identities, measures their memory |
//! | `account.rs`, `evidence.rs`, `report.rs` | the results, a search for secrets in relay and blob store, and the table |
//!
//! The exit status is zero only if every file and text arrived once and whole, every damaged message and blob was
//! refused, no process needed more than 32 MiB, and relay and blob store saw only what they must.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::wildcard_enum_match_arm)]

mod account;
mod agenda;
mod blobs;
mod director;
mod evidence;
mod inbox;
mod link;
mod mailbox;
mod memory;
mod mischief;
mod outbox;
mod party;
mod relay;
mod report;
mod said;
mod store;
mod upload;
mod wire;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The result of operations whose errors end the process. A correct run has none.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// The two parties. The relay knows them only by the numbers of their mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Alice,
    Bob,
}

impl Who {
    const BOTH: [Self; 2] = [Self::Alice, Self::Bob];

    const fn index(self) -> usize {
        match self {
            Self::Alice => 0,
            Self::Bob => 1,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
        }
    }
}

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    // The hidden argument: this process is one of the parties.
    let result = if arguments.first().is_some_and(|first| first == director::PARTY) {
        party::main(arguments.split_off(1)).map(|()| true)
    } else {
        director::main(arguments)
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conversation: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the time since 1970. The library takes it as an argument.
fn now() -> Outcome<Duration> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?)
}

/// Bytes of a file that are in memory at once.
const PIECE: u64 = 1 << 20;
