//! The main job on real input: two processes talk through a relay that sees only ciphertext, and one of them is killed.
//!
//! Does not know cryptography, and neither do the files beside it: all of that is behind the calls in `party.rs`.
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
//!   │ her record     │    │ damaged; records all bytes│    │ written to     │
//!   └────────────────┘    └───────────────────────────┘    │ his record     │
//!                                                          └────────────────┘
//! ```
//!
//! Read `party.rs` first: it is how a program uses this crate, including the two rules that make crashes harmless.
//!
//! | file | what it is |
//! |---|---|
//! | `party.rs` | **one side of the conversation: everything that touches the crate** |
//! | `store.rs` | its records on disk: sealed, replaced as a whole or not at all |
//! | `ledger.rs` | what it has received, and what the other side has |
//! | `content.rs` | what the plaintexts look like: texts, pieces of files, receipts |
//! | `agenda.rs` | what each side has to say |
//! | `received.rs` | where it shows what it was told: a directory |
//! | `link.rs`, `wire.rs`, `fields.rs` | its connections; frames between a party and the relay; fields of bytes |
//! | `relay.rs`, `mailbox.rs`, `mischief.rs`, `recording.rs` | the relay, what it keeps, what it does wrong on purpose, and all it has seen |
//! | `said.rs` | the lines in which a party tells this process what happens |
//! | `director.rs` | starts, kills and restarts the parties; passes each the other's public identity |
//! | `account.rs`, `evidence.rs`, `report.rs` | what came of it, what the relay's recording gives away (nothing), and the table at the end |
//!
//! The exit status is zero only if every file and text arrived once and whole, every damaged message was refused, and
//! the relay saw nothing but what it must.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod account;
mod agenda;
mod content;
mod director;
mod evidence;
mod fields;
mod ledger;
mod link;
mod mailbox;
mod mischief;
mod party;
mod received;
mod recording;
mod relay;
mod report;
mod said;
mod store;
mod wire;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

/// What ends a process early. None of these is met when all is well.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// The two parties. The relay knows them by the numbers of their mailboxes, and by nothing else.
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
