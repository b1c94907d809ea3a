//! What a party reports to the process that started it, on standard output. Each line has a kind, a number and a word.
//!
//! Each line is written at once, so a killed process leaves only whole lines.

/// The kind of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The word is its public identity: the code that the other's user scans.
    Identity,
    /// It has continued from a stored session of this revision.
    Resumed,
    /// It hands a message of this many bytes to the relay. The word is the length of the plaintext.
    Sent,
    /// The result of the delivery of this number: [`TAKEN`], or the error.
    Verdict,
    /// It resumes an upload at this byte of the blob.
    TakenUp,
    /// It has encrypted this many bytes of a file and written them to the blob store.
    Uploaded,
    /// The blob store starts to return a blob, [`HONEST`](crate::blobs::HONEST) or altered. The word says how.
    Fetching,
    /// It has decrypted this many bytes of a blob.
    Downloaded,
    /// The result for the blob: [`TAKEN`], or the error.
    Fetched,
    /// It has received a new content.
    Taken,
    /// It has received a content again, and recognised it.
    Recognised,
    /// It sends this many contents again, because no receipt has arrived for a long time.
    Again,
    /// It has dropped its session from memory and continued from the stored one.
    Reloaded,
    /// The other party has all its contents.
    Complete,
}

impl Said {
    /// Prints a line. The word has no blanks.
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

/// The result for a message or a blob that was decrypted.
pub(crate) const TAKEN: &str = "taken";
