//! What one party has reported, over all its processes, and whether that agrees with what the relay did to its mail.

use std::collections::{BTreeMap, HashSet};

use crate::Outcome;
use crate::blobs::HONEST;
use crate::mailbox::Tally;
use crate::said::{Said, TAKEN};

/// The reports of one party.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) identity: Vec<u8>,
    pub(crate) starts: u32,
    /// How its first process ended, if it was killed.
    pub(crate) end: Option<String>,
    /// The revisions of the stored sessions from which it has continued.
    pub(crate) resumed: Vec<u64>,
    pub(crate) messages: u64,
    pub(crate) plaintext: u64,
    pub(crate) ciphertext: u64,
    /// The result of each delivery, by the delivery's number.
    pub(crate) verdicts: Vec<(u64, String)>,
    /// For each fetched blob, what the store did to it, and the result.
    pub(crate) fetches: Vec<(String, Option<String>)>,
    /// The byte at which it has resumed an upload.
    pub(crate) taken_up: Option<u64>,
    /// Bytes of files, counting those again that were refused or lost.
    pub(crate) uploaded: u64,
    pub(crate) downloaded: u64,
    /// Peak memory in KiB, of any of its processes.
    pub(crate) peak: Option<u64>,
    pub(crate) taken: u64,
    pub(crate) recognised: u64,
    pub(crate) again: u64,
    pub(crate) reloaded: u64,
    pub(crate) complete: bool,
}

impl Account {
    /// Notes the identity. It must be the same after a restart.
    pub(crate) fn note_identity(&mut self, key: Vec<u8>) -> Outcome<()> {
        if !self.identity.is_empty() && self.identity != key {
            return Err("a party has restarted with another identity".into());
        }
        self.identity = key;
        Ok(())
    }

    pub(crate) fn note(&mut self, said: Said, number: u64, word: String) {
        match said {
            Said::Identity => {}
            Said::Resumed => self.resumed.push(number),
            Said::Sent => {
                self.messages += 1;
                self.plaintext += word.parse().unwrap_or(0);
                self.ciphertext += number;
            }
            Said::Verdict => self.verdicts.push((number, word)),
            Said::TakenUp => self.taken_up = Some(number),
            Said::Uploaded => self.uploaded += number,
            Said::Fetching => self.fetches.push((word, None)),
            Said::Downloaded => self.downloaded += number,
            Said::Fetched => {
                let _ = self.fetches.last_mut().map(|(_, verdict)| *verdict = Some(word));
            }
            Said::Taken => self.taken += 1,
            Said::Recognised => self.recognised += 1,
            Said::Again => self.again += number,
            Said::Reloaded => self.reloaded += 1,
            Said::Complete => self.complete = true,
        }
    }

    /// Returns the number of refused messages and blobs for each reason.
    pub(crate) fn refusals(&self) -> BTreeMap<&str, u64> {
        let mut refusals = BTreeMap::new();
        let blobs = self.fetches.iter().filter_map(|(_, word)| word.as_ref());
        let words = self.verdicts.iter().map(|(_, word)| word).chain(blobs);
        for word in words.filter(|word| *word != TAKEN) {
            *refusals.entry(word.as_str()).or_default() += 1;
        }
        refusals
    }

    /// Returns whether every delivery had the right result: damaged messages were refused, each other message was
    /// accepted exactly once, and was refused as replayed every further time.
    pub(crate) fn is_right_about(&self, tally: &Tally) -> bool {
        let mut taken = HashSet::new();
        // The killed process may have accepted one of these without reporting it.
        let again = tally.deliveries.iter().filter(|delivery| delivery.again).map(|delivery| delivery.message);
        let again: HashSet<u64> = again.collect();
        let right = self.verdicts.iter().all(|(number, word)| {
            let Some(delivery) = tally.delivery(*number) else { return false };
            let message = delivery.message;
            match word.as_str() {
                TAKEN => !delivery.damaged && taken.insert(message),
                "DecryptError::Duplicate" | "DecryptError::Spent" => {
                    !delivery.damaged && (taken.contains(&message) || again.contains(&message))
                }
                // A broken connection may lose any number of acknowledgements. A message that is then delivered again
                // may be older than all skipped message keys that the receiver keeps. Nor does the receiver still know a
                // second copy of a message from before the peer's last two turns as one.
                "DecryptError::Rejected" => delivery.damaged || delivery.again || taken.contains(&message),
                _ => delivery.damaged,
            }
        });
        let judged: HashSet<u64> = self.verdicts.iter().map(|(number, _)| *number).collect();
        right && judged.len() == tally.deliveries.len()
    }

    /// Returns the number of blobs to which the store did `how`.
    pub(crate) fn fetched(&self, how: &str) -> u64 {
        self.fetches.iter().map(|(trick, _)| u64::from(trick == how)).sum()
    }

    /// Returns whether exactly the unaltered blobs were accepted. A killed process does not report its last blob.
    pub(crate) fn is_right_about_blobs(&self) -> bool {
        let unknown = self.fetches.iter().filter(|(_, word)| word.is_none()).count();
        let judged = self.fetches.iter().filter_map(|(trick, word)| Some((trick, word.as_ref()?)));
        unknown < 2 && judged.into_iter().all(|(trick, word)| (trick == HONEST) == (word == TAKEN))
    }
}
