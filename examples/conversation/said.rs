//! What a party tells the process that started it, one line each on its standard output: what, a number, a word.
//!
//! Does not know what the lines are good for. A line is one write, so a killed process leaves whole lines behind.

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The word is its public identity: the code that the other's user scans.
    Identity,
    /// It has gone on from a stored session of this revision.
    Resumed,
    /// It hands a message of so many bytes to the relay; the word says how many its plaintext has.
    Sent,
    /// What came of the delivery of this number: [`TAKEN`], or the error.
    Verdict,
    /// It goes on with an upload from this byte of the blob.
    TakenUp,
    /// It has encrypted so many bytes of a file, and written them to the blob store.
    Uploaded,
    /// The blob store, as a reader sees it, begins to give out a blob: [`HONEST`](crate::blobs::HONEST), or how not.
    Fetching,
    /// It has decrypted so many bytes of a blob.
    Downloaded,
    /// What came of the blob: [`TAKEN`], or the error.
    Fetched,
    /// It was told something new.
    Taken,
    /// It was told something again, and has recognised it.
    Recognised,
    /// It sends so many contents again, because nothing was receipted for long.
    Again,
    /// It has dropped its session from memory and gone on from the stored one.
    Reloaded,
    /// The other has all its contents.
    Complete,
}

impl Said {
    /// Prints a line; the word has no blanks.
    pub(crate) fn say(self, number: u64, word: &str) {
        println!("{self:?} {number} {word}");
    }

    pub(crate) fn parse(line: &str) -> Option<(Self, u64, String)> {
        let mut words = line.splitn(3, ' ');
        let what = words.next()?;
        let what = ALL.into_iter().find(|said| format!("{said:?}") == what)?;
        Some((what, words.next()?.parse().ok()?, words.next()?.to_owned()))
    }
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

const ALL: [Said; 14] = {
    use Said::*;
    [
        Identity, Resumed, Sent, Verdict, TakenUp, Uploaded, Fetching, Downloaded, Fetched, Taken, Recognised, Again,
        Reloaded, Complete,
    ]
};

/// The verdict on a message or a blob that was decrypted.
pub(crate) const TAKEN: &str = "taken";
