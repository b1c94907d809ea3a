//! One store of blocks for all sessions of a test: [`head`] puts what a sealed session has beside its head, and
//! [`block`] finds it.
//!
//! Nothing is deleted, so that older records still open. A block that is no longer named does no harm; a test that looks
//! for what was deleted has a store of its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use bisik::{BlockId, SealedParts};

/// Puts the new blocks into the store, and returns the head.
pub fn head(sealed: &SealedParts) -> Vec<u8> {
    let mut store = store();
    for block in sealed.blocks() {
        if store.blocks.insert(block.id(), block.as_bytes().to_vec()).is_none() {
            store.order.push_back(block.id());
        }
    }
    // A fuzzer goes on for days.
    while store.order.len() > MOST {
        let oldest = store.order.pop_front();
        oldest.and_then(|id| store.blocks.remove(&id));
    }
    sealed.head().to_vec()
}

/// Puts a block that no session wrote, in the place of one with the same id.
pub fn put(id: BlockId, block: &[u8]) {
    let mut store = store();
    if store.blocks.insert(id, block.to_vec()).is_none() {
        store.order.push_back(id);
    }
}

/// Finds a block that some session put.
pub fn block(id: BlockId) -> Option<Vec<u8>> {
    store().blocks.get(&id).cloned()
}

fn store() -> MutexGuard<'static, Store> {
    STORE.lock().unwrap()
}

struct Store {
    blocks: BTreeMap<BlockId, Vec<u8>>,
    /// In the order in which they were put.
    order: VecDeque<BlockId>,
}

static STORE: Mutex<Store> = Mutex::new(Store { blocks: BTreeMap::new(), order: VecDeque::new() });

/// Blocks that are remembered: 100 MB at most.
const MOST: usize = 65_536;
