//! Says what a sealed record is, or why it does not open: its kind, revision, peer, counters, ages; never a secret.
//!
//! ```text
//! cargo run --example explain -- KEY_FILE NAME=RECORD_FILE.. [--name NAME].. [--block FILE].. [--seen REVISION]
//! ```
//!
//! The files come from the program whose records they are. For example, of a session of `examples/chat`, with SQLite's
//! own program, which prints the name of each record that it writes:
//!
//! ```text
//! sqlite3 /tmp/bob.db "SELECT hex(id), writefile('/tmp/' || hex(id), head) FROM session"
//! cargo run --example explain -- /tmp/bob.key 0x8372AF68B808C4B7936760B164FE8280=/tmp/8372AF68B808C4B7936760B164FE8280
//! ```
//!
//! `examples/server` has its records in files: `cargo run --example explain -- FOLDER/key identity=FOLDER/identity`. The
//! exit code is 0 if every record opens, and 1 otherwise.
//!
//! * `KEY_FILE` has the storage key: 32 bytes, or 64 hexadecimal digits.
//! * `NAME` is the name that the record was sealed under: text, or `0x` and hexadecimal digits. An account has none, and
//!   a conversation is named by its id; give the account's record with it.
//! * Give several records of one store, if you can, and with `--name` other names that a record may have had: one that
//!   opens shows that the key is right, and one that opens under another name was moved.
//! * `--block` gives blocks, and `--seen` the greatest revision that was ever seen.
//!
//! With `--features interop` it also knows the records of the Signal protocol. `kinds.rs` opens records, `reasons.rs`
//! tells why one does not open, and `command.rs` reads the arguments.

mod command;
mod kinds;
mod reasons;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run(std::env::args().skip(1)) {
        Ok((text, all_open)) => {
            print!("{text}");
            if all_open { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("explain: {error}");
            ExitCode::FAILURE
        }
    }
}
