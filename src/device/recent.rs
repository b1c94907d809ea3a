//! [`Recent`]: the numbers and hashes of the last lists that a device knows of one account.

use alloc::vec::Vec;

use super::ListId;
use bisik_core::codec::{Malformed, Reader, Writer};

/// At most eight lists of one account, in the order in which they became known. A list that contradicts one of them
/// proves a fork, also after a gap was crossed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recent(Vec<ListId>);

impl Recent {
    /// Adds a list. The oldest goes if there are more than eight.
    pub(super) fn remember(&mut self, list: ListId) {
        if self.holds(&list) {
            return;
        }
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(list);
    }

    /// Whether this very list is known.
    pub(super) fn holds(&self, list: &ListId) -> bool {
        self.0.contains(list)
    }

    /// Whether another list with the same number is known, and this one is not: an account that signs both has forked.
    pub(super) fn contradicts(&self, list: &ListId) -> bool {
        !self.holds(list) && self.0.iter().any(|known| known.sequence() == list.sequence())
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        let Self(lists) = self;
        writer.count(lists.len());
        lists.iter().for_each(|list| list.write(writer));
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = reader.count(MOST)?;
        (0..count).map(|_| ListId::read(reader)).collect::<Result<_, _>>().map(Self)
    }
}

/// Lists that are remembered: of a primary that renews its list every week, those of two months.
const MOST: usize = 8;
