//! Says what a sealed record is, or why it does not open: its kind, revision, peer, counters, ages; never a secret.
//!
//! ```text
//! cargo run --example explain -- KEY_FILE NAME=RECORD_FILE.. [--name NAME].. [--block FILE].. [--seen REVISION]
//! ```
//!
//! * `KEY_FILE` has the storage key: 32 bytes, or 64 hexadecimal digits.
//! * `NAME` is the name that the record was sealed under: text, or `0x` and hexadecimal digits. An account has none, and a
//!   conversation is named by its id; give the account's record with it.
//! * Give several records of one store, if you can, and with `--name` other names that a record may have had: one that
//!   opens shows that the key is right, and one that opens under another name was moved.
//! * `--block` gives blocks, and `--seen` the greatest revision that was ever seen.
//!
//! With `--features interop` it also knows the records of the Signal protocol. `kinds.rs` opens records, and `reasons.rs`
//! tells why one does not open.

mod kinds;
mod reasons;

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use bisik::{StorageKey, Timestamp};
use reasons::{Case, Record};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let key = std::fs::read(arguments.next().ok_or("usage: explain KEY_FILE NAME=RECORD_FILE..")?)?;
    let now = Timestamp::from_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let mut case = Case::new(read_key(key)?, now);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--name" => case.names.push(name(&value()?)?),
            "--block" => case.add_block(std::fs::read(value()?)?),
            "--seen" => case.seen = Some(value()?.parse()?),
            record => {
                let (named, file) = record.rsplit_once('=').ok_or("a record is NAME=FILE")?;
                let bytes = std::fs::read(file)?;
                case.records.push(Record { file: file.to_owned(), name: name(named)?, bytes });
            }
        }
    }
    print!("{}", case.report());
    Ok(())
}

fn read_key(bytes: Vec<u8>) -> Result<StorageKey, Box<dyn Error>> {
    let text = std::str::from_utf8(&bytes).map(str::trim_ascii).unwrap_or_default();
    let bytes = if text.len() == 64 { hex(text)? } else { bytes };
    let key = bytes.try_into().map_err(|_| "a storage key has 32 bytes, or 64 hexadecimal digits")?;
    Ok(StorageKey::from_bytes(key))
}

fn name(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    text.strip_prefix("0x").map_or_else(|| Ok(text.as_bytes().to_vec()), hex)
}

fn hex(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
