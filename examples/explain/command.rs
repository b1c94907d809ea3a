//! The arguments, and the files that they name.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use bisik::{StorageKey, Timestamp};

use super::reasons::{Case, Record};

/// What to print, and whether everything opens.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> Result<(String, bool), Box<dyn Error>> {
    let first = arguments.next();
    if first.as_deref() == Some("--help") {
        return Ok((format!("{USAGE}\n"), true));
    }
    let key = first.filter(|argument| !argument.starts_with("--")).ok_or(USAGE)?;
    let now = Timestamp::from_unix_seconds(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let mut case = Case::new(read_key(&key)?, now);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--name" => case.names.push(name(&value()?)?),
            "--block" => case.add_block(file(&value()?)?),
            "--seen" => case.seen = Some(value()?.parse().map_err(|_| "--seen needs a number")?),
            record => {
                let (named, path) = record.rsplit_once('=').ok_or(USAGE)?;
                // Perhaps `0x` was forgotten.
                case.names.extend(hex(named));
                case.records.push(Record { file: path.to_owned(), name: name(named)?, bytes: file(path)? });
            }
        }
    }
    if case.records.is_empty() {
        return Err(USAGE.into());
    }
    Ok(case.report())
}

fn read_key(path: &str) -> Result<StorageKey, Box<dyn Error>> {
    let bytes = file(path)?;
    let text = std::str::from_utf8(&bytes).map(str::trim_ascii).unwrap_or_default();
    let key = hex(text)
        .filter(|key| key.len() == 32)
        .unwrap_or(bytes)
        .try_into()
        .map_err(|_| format!("{path}: a storage key has 32 bytes, or 64 hexadecimal digits"))?;
    Ok(StorageKey::from_bytes(key))
}

fn name(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let Some(digits) = text.strip_prefix("0x") else { return Ok(text.as_bytes().to_vec()) };
    Ok(hex(digits).ok_or_else(|| format!("{text} has an odd number of digits, or not only hexadecimal ones"))?)
}

fn file(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    // `from_str_radix` takes a sign too.
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

const USAGE: &str = "usage: explain KEY_FILE NAME=RECORD_FILE.. [--name NAME].. [--block FILE].. [--seen REVISION], \
     where a name is text, or 0x and hexadecimal digits";
