//! What a party tells the process that started it, one line each on its standard output.
//!
//! Does not know what the lines are good for. A line is one write, so a killed process leaves whole lines behind.

use std::fmt;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Its public identity: the code that the other's user scans.
    Identity(Vec<u8>),
    /// It has gone on from a stored session of this revision.
    Resumed(u64),
    /// It hands a message of so many bytes, with a plaintext of so many, to the relay.
    Sent { plaintext: u64, message: u64 },
    /// What came of a delivery: [`TAKEN`], or the error.
    Verdict { delivery: u64, word: String },
    /// It has shown an item that was new, of so many bytes.
    Shown(u64),
    /// It was sent an item again that it had shown, and has recognised it.
    Recognised,
    /// It sends so many items again, because nothing was receipted for long.
    Again(u64),
    /// It has dropped its session from memory and gone on from the stored one.
    Reloaded,
    /// Everything has arrived, here and there.
    Complete,
}

impl Said {
    /// Prints the line.
    pub(crate) fn say(&self) {
        println!("{self}");
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let mut word = || words.next();
        let number = |word: Option<&str>| word?.parse::<u64>().ok();
        let said = match kind {
            "identity" => Self::Identity(from_hex(word()?)?),
            "resumed" => Self::Resumed(number(word())?),
            "sent" => Self::Sent { plaintext: number(word())?, message: number(word())? },
            "verdict" => Self::Verdict { delivery: number(word())?, word: word()?.to_owned() },
            "shown" => Self::Shown(number(word())?),
            "recognised" => Self::Recognised,
            "again" => Self::Again(number(word())?),
            "reloaded" => Self::Reloaded,
            "complete" => Self::Complete,
            _ => return None,
        };
        words.next().is_none().then_some(said)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(key) => write!(f, "identity {}", to_hex(key)),
            Self::Resumed(revision) => write!(f, "resumed {revision}"),
            Self::Sent { plaintext, message } => write!(f, "sent {plaintext} {message}"),
            Self::Verdict { delivery, word } => write!(f, "verdict {delivery} {word}"),
            Self::Shown(bytes) => write!(f, "shown {bytes}"),
            Self::Recognised => f.write_str("recognised"),
            Self::Again(items) => write!(f, "again {items}"),
            Self::Reloaded => f.write_str("reloaded"),
            Self::Complete => f.write_str("complete"),
        }
    }
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The verdict on a message that was decrypted.
pub(crate) const TAKEN: &str = "taken";
