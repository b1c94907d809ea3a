//! What a message, a distribution or a removal changes in the chains of one sending device (docs/spec/chains.md, section
//! 14.4). Nothing here fails halfway.

use super::error::CloseError;
use super::kept::{Skipped, skip};
use super::limits::{MAX_CHAINS, MAX_GONE, MAX_KEPT};
use super::names::{ChainId, Predecessor};
use super::receiving::{Chain, Gone, ReceivingChains};
use super::used::Entry;

/// What a message that was opened changes.
pub(super) struct Change {
    pub(super) chain: ChainId,
    pub(super) entry: Entry,
    /// The number after the message's.
    pub(super) after: u32,
    /// If the chain advances: what it skips, with the chain key behind the message.
    pub(super) advance: Option<Skipped>,
}

impl ReceivingChains {
    /// Deletes the message's key (P-14.19), and whatever is due. Returns how many messages cannot be read any more.
    pub(super) fn apply(&mut self, change: Change) -> u32 {
        let Change { chain, entry, after, advance } = change;
        // The count stops at the greatest number, and with it the age of keys.
        self.received = self.received.saturating_add(1);
        let received = self.received;
        if let Some(chain) = self.chains.iter_mut().find(|known| known.id == chain) {
            match advance {
                Some(skipped) => {
                    chain.chain = Some(chain.kept.keep(skipped, received));
                    chain.next = after;
                }
                None => chain.kept.remove(entry.number),
            }
            chain.heard = chain.heard.max(after);
            chain.used.push(entry);
        }
        let expired = self.chains.iter_mut().fold(0_u32, |sum, chain| sum.saturating_add(chain.kept.expire(received)));
        expired.saturating_add(self.tidy())
    }

    /// P-14.20: ends the chain that another one names, at the length that it names. Keys up to it are kept, as far as there
    /// is room for them. Returns how many messages cannot be read any more.
    pub(super) fn end(&mut self, named: Option<Predecessor>) -> u32 {
        let Some(Predecessor { chain: id, length }) = named else { return 0 };
        let received = self.received;
        let Some(chain) = self.chains.iter_mut().find(|chain| chain.id == id) else { return 0 };
        let Some(key) = chain.chain.take() else { return 0 };
        // Otherwise it has been read further, and ends at once.
        if chain.next < length {
            drop(chain.kept.keep(skip(&key, chain.next, length), received));
            chain.next = length;
        }
        self.tidy()
    }

    /// Ends all chains where they are: for a sender that was removed, or has left. Of what it wrote, messages that arrive
    /// late are still read, if one with a higher number in the same chain was received before; everything else is refused
    /// (P-14.21), until the sender gives a chain that begins after this: a sender that is a member again begins one by
    /// itself ([`SendingChain::rekey`](super::SendingChain::rekey)). Returns how many messages cannot be read any more, of
    /// those that are known to exist.
    ///
    /// # Errors
    ///
    /// [`CloseError`]. On error nothing has changed.
    pub fn close_at_received(&mut self) -> Result<u32, CloseError> {
        self.lineage.check()?;
        let mut given_up = 0_u32;
        for chain in &mut self.chains {
            chain.chain = None;
            given_up = given_up.saturating_add(chain.kept.remove_from(chain.heard));
            chain.next = chain.next.min(chain.heard.max(chain.first));
        }
        self.tidy();
        self.lineage.change();
        Ok(given_up)
    }

    /// P-14.23: adds a chain. The oldest of too many goes. Returns how many messages cannot be read any more.
    pub(super) fn add(&mut self, chain: Chain) -> u32 {
        let displaced = if self.chains.len() >= MAX_CHAINS { self.chains.pop_front() } else { None };
        self.chains.push_back(chain);
        displaced.map_or(0, |displaced| {
            self.forget(&displaced);
            displaced.kept.len()
        })
    }

    /// P-14.23: deletes keys for which there is no room, oldest chain first, and chains that have ended and keep no key. Returns how
    /// many keys it deleted.
    pub(super) fn tidy(&mut self) -> u32 {
        let mut deleted = 0_u32;
        for at in 0..self.chains.len() {
            let Some(surplus) = self.kept_keys().checked_sub(MAX_KEPT).filter(|surplus| *surplus > 0) else { break };
            let removed = self.chains.get_mut(at).map_or(0, |chain| chain.kept.remove_lowest(surplus));
            deleted = deleted.saturating_add(removed);
        }
        while let Some(at) = self.chains.iter().position(|chain| chain.chain.is_none() && chain.kept.is_empty()) {
            let ended = self.chains.remove(at);
            ended.iter().for_each(|ended| self.forget(ended));
        }
        deleted
    }

    fn forget(&mut self, chain: &Chain) {
        if self.gone.len() >= MAX_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back(Gone { id: chain.id, predecessor: chain.constants.predecessor });
    }
}
