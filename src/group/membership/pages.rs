//! [`Pages`]: entries and acts in blocks beside the head of a record ([section 13.8](crate::manual::formats#138-groups)).
//!
//! A page takes items until it has 8 KiB. So an act that arrives rewrites one page, and a page that is full is written
//! once, unless an act of it is forgotten.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::ActHash;
use super::act::{Act, UnverifiedAct};
use super::acts::Acts;
use super::encoding::read_key;
use super::entry::{Entry, UnverifiedEntry};
use crate::labels::kind;
use bisik_core::blocks::{BlockWriter, Ended, Place};
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::internal::InternalError;

/// Which entries and which acts are in which block.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pub(super) entries: Vec<EntryPage>,
    pub(super) acts: Vec<ActPage>,
}

/// Consecutive entries.
#[derive(Debug, Default)]
pub(super) struct EntryPage {
    count: usize,
    bytes: usize,
    place: Place,
}

/// Some acts, in the order in which they were taken.
#[derive(Debug, Default)]
pub(super) struct ActPage {
    acts: Vec<ActHash>,
    bytes: usize,
    place: Place,
}

impl Pages {
    /// Puts every entry and act on a page. A page that changes loses its block.
    pub(super) fn arrange(&mut self, entries: &[Entry], acts: &Acts, ended: &mut Ended) {
        let filed = self.entries.iter().fold(0_usize, |sum, page| sum.saturating_add(page.count));
        for entry in entries.iter().skip(filed) {
            let page = open_page(&mut self.entries, |page: &EntryPage| page.bytes);
            if let Some(page) = page {
                ended.end(&mut page.place);
                page.count = page.count.saturating_add(1);
                page.bytes = page.bytes.saturating_add(entry.as_bytes().len());
            }
        }
        let mut filed = BTreeSet::new();
        for page in &mut self.acts {
            let before = page.acts.len();
            page.acts.retain(|hash| acts.holds(hash));
            if page.acts.len() != before {
                ended.end(&mut page.place);
                page.bytes = page
                    .acts
                    .iter()
                    .filter_map(|hash| acts.get(hash))
                    .fold(0, |sum, known| sum.saturating_add(known.act.as_bytes().len()));
            }
            filed.extend(page.acts.iter().copied());
        }
        self.acts.retain(|page| !page.acts.is_empty());
        for known in acts.iter().filter(|known| !filed.contains(&known.act.hash)) {
            if let Some(page) = open_page(&mut self.acts, |page: &ActPage| page.bytes) {
                ended.end(&mut page.place);
                page.acts.push(known.act.hash);
                page.bytes = page.bytes.saturating_add(known.act.as_bytes().len());
            }
        }
    }

    /// Names the block of every page, and puts those that the store may not have. Call [`arrange`](Self::arrange) before.
    pub(super) fn write(
        &mut self,
        entries: &[Entry],
        acts: &Acts,
        writer: &mut BlockWriter<'_>,
        ended: &mut Ended,
    ) -> Result<(), InternalError> {
        let parts = self.parts(entries)?;
        for (page, own) in self.entries.iter_mut().zip(parts) {
            if !writer.name(&page.place) {
                writer.put(kind::GROUP_ENTRIES, &mut page.place, ended, &encode_entries(own));
            }
        }
        for page in &mut self.acts {
            if !writer.name(&page.place) {
                let own = page.acts.iter().filter_map(|hash| acts.get(hash)).map(|known| &known.act);
                writer.put(kind::GROUP_ACTS, &mut page.place, ended, &encode_acts(own));
            }
        }
        Ok(())
    }

    /// The entries of each page: all of them, each once.
    fn parts<'a>(&self, entries: &'a [Entry]) -> Result<Vec<&'a [Entry]>, InternalError> {
        let (mut parts, mut rest) = (Vec::with_capacity(self.entries.len()), entries);
        for page in &self.entries {
            let (own, after) = rest.split_at_checked(page.count).ok_or(InternalError)?;
            parts.push(own);
            rest = after;
        }
        if rest.is_empty() { Ok(parts) } else { Err(InternalError) }
    }
}

impl EntryPage {
    pub(super) fn stored(entries: &[Entry], place: Place) -> Self {
        let bytes = entries.iter().fold(0, |sum: usize, entry| sum.saturating_add(entry.as_bytes().len()));
        Self { count: entries.len(), bytes, place }
    }
}

impl ActPage {
    pub(super) fn stored(acts: &[Act], place: Place) -> Self {
        let bytes = acts.iter().fold(0, |sum: usize, act| sum.saturating_add(act.as_bytes().len()));
        Self { acts: acts.iter().map(|act| act.hash).collect(), bytes, place }
    }
}

/// The page that takes the next item: the last, or a new one.
fn open_page<P: Default>(pages: &mut Vec<P>, bytes: impl Fn(&P) -> usize) -> Option<&mut P> {
    if pages.last().is_none_or(|last| bytes(last) >= PAGE) {
        pages.push(P::default());
    }
    pages.last_mut()
}

/// Writes `u32(length) ‖ entry` for each.
fn encode_entries(entries: &[Entry]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(PAGE);
    for entry in entries {
        writer.count(entry.as_bytes().len()).bytes(entry.as_bytes());
    }
    writer.finish()
}

/// Reads a page of entries, from an authenticated block.
pub(super) fn decode_entries(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let (mut entries, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let mut reader = Reader::new(rest);
        let length = reader.count_of(1)?;
        let entry = UnverifiedEntry::read(reader.slice(length)?).and_then(|entry| entry.parse());
        entries.push(entry.map_err(|_| Malformed)?);
        rest = reader.rest();
    }
    if entries.is_empty() { Err(Malformed) } else { Ok(entries) }
}

/// Writes `device ‖ u32(length) ‖ act` for each.
fn encode_acts<'a>(acts: impl Iterator<Item = &'a Act>) -> Vec<u8> {
    let mut writer = Writer::with_capacity(PAGE);
    for act in acts {
        writer.bytes(&act.device.to_bytes()).count(act.as_bytes().len()).bytes(act.as_bytes());
    }
    writer.finish()
}

/// Reads a page of acts, from an authenticated block.
pub(super) fn decode_acts(bytes: &[u8]) -> Result<Vec<Act>, Malformed> {
    let (mut acts, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let mut reader = Reader::new(rest);
        let device = read_key(&mut reader)?;
        let length = reader.count_of(1)?;
        let act = UnverifiedAct::read(reader.slice(length)?).and_then(|act| act.parse(device));
        acts.push(act.map_err(|_| Malformed)?);
        rest = reader.rest();
    }
    if acts.is_empty() { Err(Malformed) } else { Ok(acts) }
}

/// Bytes after which a page is full: one write of a disk or two.
const PAGE: usize = 8_192;
