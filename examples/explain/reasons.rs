//! All records that somebody asks about, and why one of them does not open.

use std::collections::HashMap;
use std::fmt::Write;

use bisik::{Account, StorageKey, Timestamp};

use super::kinds::{self, Opened, Refused};

pub(crate) struct Record {
    pub(crate) file: String,
    pub(crate) name: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Case {
    pub(crate) key: StorageKey,
    pub(crate) now: Timestamp,
    pub(crate) records: Vec<Record>,
    /// Other names that a record may have had.
    pub(crate) names: Vec<Vec<u8>>,
    /// Blocks, by the second half of their ids: it begins the nonce, which a block shows.
    pub(crate) blocks: HashMap<[u8; 8], Vec<u8>>,
    pub(crate) seen: Option<u64>,
}

impl Case {
    pub(crate) fn new(key: StorageKey, now: Timestamp) -> Self {
        Self { key, now, records: Vec::new(), names: Vec::new(), blocks: HashMap::new(), seen: None }
    }

    pub(crate) fn add_block(&mut self, block: Vec<u8>) {
        if let Some(nonce) = block.get(1..).and_then(|rest| rest.first_chunk()) {
            self.blocks.insert(*nonce, block);
        }
    }

    /// What to print, and whether everything opens.
    pub(crate) fn report(&self) -> (String, bool) {
        // A conversation opens only with its account.
        let account = self.records.iter().find_map(|record| Account::unseal(&self.key, &record.bytes).ok());
        let open = |name: &[u8], bytes: &[u8]| kinds::open(self, account.as_ref(), name, bytes);
        let opened: Vec<_> = self.records.iter().map(|record| open(&record.name, &record.bytes)).collect();
        let one_opens = opened.iter().any(Result::is_ok);
        let mut report = String::new();
        let mut named = Vec::new();
        for (record, opened) in self.records.iter().zip(&opened) {
            let _in_memory =
                writeln!(report, "{} ({} bytes, under {}):", record.file, record.bytes.len(), show(&record.name));
            let lines = match opened {
                Ok(opened) => {
                    named.extend(opened.blocks.iter().copied());
                    self.facts(opened)
                }
                Err(refused) => {
                    let others = self.records.iter().map(|record| &record.name).chain(&self.names);
                    let moved =
                        others.filter(|name| **name != record.name).find(|name| open(name, &record.bytes).is_ok());
                    vec![("does not open", self.reason(record, *refused, moved, one_opens))]
                }
            };
            for (what, fact) in lines {
                let _in_memory = writeln!(report, "  {what:<24} {fact}");
            }
        }
        let unnamed = self.blocks.keys().filter(|suffix| !named.contains(suffix)).count();
        if unnamed > 0 {
            let _in_memory = writeln!(
                report,
                "{unnamed} of the blocks belong to none of these records: of others, or left behind by a crash"
            );
        }
        let all_open = opened.iter().all(|opened| opened.as_ref().is_ok_and(|opened| opened.whole));
        (report, all_open)
    }

    fn facts(&self, opened: &Opened) -> Vec<(&'static str, String)> {
        let mut lines = vec![("kind", opened.kind.to_owned()), ("format", "1".to_owned())];
        if let Some(revision) = opened.revision {
            let age = match self.seen.filter(|seen| *seen > revision) {
                Some(seen) => format!(
                    "{revision}: older than revision {seen}, which was seen. A backup was restored, or a write was \
                     lost (docs/persistence.md, \"Backups and clones\")"
                ),
                None => revision.to_string(),
            };
            lines.push(("revision", age));
        }
        lines.extend(opened.facts.iter().cloned());
        lines
    }

    /// What the bytes, and everything else that was given, tell. The library says no more than `Rejected`, because a
    /// tag does not tell a wrong key from another change.
    fn reason(&self, record: &Record, refused: Refused, moved: Option<&Vec<u8>>, one_opens: bool) -> String {
        let bytes = record.bytes.as_slice();
        let is_text =
            !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        match refused {
            _ if bytes.is_empty() => "it is empty".into(),
            _ if is_text => "it is text: hexadecimal or base64, perhaps. Decode it first".into(),
            _ if bytes.windows(3).filter(|window| **window == REPLACED).count() > 1 => {
                "it went through a conversion to text, which replaced bytes: store records as bytes".into()
            }
            Refused::Version => format!(
                "its first byte is {}, a format that this version does not know: a newer version of the program wrote \
                 it, the byte is damaged, or this is no sealed record",
                bytes.first().copied().unwrap_or_default()
            ),
            _ if bytes.len() < LEAST => format!("it is cut off: no record has less than {LEAST} bytes"),
            Refused::NeedsAccount => "it is a conversation's: give the record of its account too".into(),
            Refused::OtherAccount => "it is a conversation's, of another account than the one that was given".into(),
            Refused::Nothing => match moved {
                Some(name) => {
                    format!("it was sealed under another name, {}: it was moved, or looked up wrongly", show(name))
                }
                None if one_opens => {
                    "the key is right, because another record opens under it. This one was sealed under a name that \
                     was not tried, or under another key, or was cut or changed"
                        .into()
                }
                None if self.records.len() == 1 => {
                    "either the key is another, or the name, or the record was cut or changed: no more can be told \
                     from one record. Give others of the same store, and with --name other names that it may have had"
                        .into()
                }
                None => {
                    "nothing opens under this key. Most likely the key is another: try those that the program may have \
                     used. Otherwise the names are others, or the records were cut or changed"
                        .into()
                }
            },
        }
    }
}

fn show(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if text.chars().all(|character| !character.is_control()) => format!("\"{text}\""),
        _ => format!("0x{}", kinds::hex(name)),
    }
}

/// Format, nonce and tag.
const LEAST: usize = 1 + 24 + 16;
/// U+FFFD, which takes the place of what is not text.
const REPLACED: [u8; 3] = [0xEF, 0xBF, 0xBD];
