//! What one part of a turn writes, cut into transactions that a server takes.
//!
//! A server takes 128 operations and one and a half megabytes, unless it is started with other limits. What does not
//! fit is written in the order of `Changes::writes`: blocks before the head that names them, deletions after it.

use super::gateway::{If, Op};

/// What to write together.
#[derive(Default)]
pub(super) struct Plan {
    /// What must still be as it was loaded.
    pub(super) conditions: Vec<If>,
    /// New blocks. Nothing reads them before a head names them.
    pub(super) blocks: Vec<Op>,
    /// What happens together or not at all.
    pub(super) core: Vec<Op>,
    /// What is not needed any more. If it stays, it is deleted later.
    pub(super) gone: Vec<Op>,
}

/// A plan in transactions.
pub(super) struct Cut {
    /// The first ones: blocks. They may be repeated.
    pub(super) before: Vec<Vec<Op>>,
    pub(super) conditions: Vec<If>,
    /// The transaction that happens only under the conditions.
    pub(super) together: Vec<Op>,
    /// The last ones: deletions. They may be repeated.
    pub(super) after: Vec<Vec<Op>>,
}

impl Plan {
    /// Adds another one, if a transaction holds both. Otherwise returns it.
    pub(super) fn join(&mut self, other: Self) -> Result<(), Self> {
        let fits = self.conditions.len() + other.conditions.len() <= MOST
            && self.operations() + other.operations() <= MOST
            && self.size() + other.size() <= GREATEST;
        if !fits {
            return Err(other);
        }
        self.add(other);
        Ok(())
    }

    /// Adds another one: what is in the core of both happens together.
    pub(super) fn add(&mut self, other: Self) {
        let Self { conditions, blocks, core, gone } = other;
        self.conditions.extend(conditions);
        self.blocks.extend(blocks);
        self.core.extend(core);
        self.gone.extend(gone);
    }

    /// Cuts it into what a server takes at once.
    pub(super) fn cut(self) -> Cut {
        let whole = self.operations() <= MOST && self.size() <= GREATEST;
        let Self { conditions, blocks, mut core, gone } = self;
        if whole {
            core.splice(0..0, blocks);
            core.extend(gone);
            return Cut { before: Vec::new(), conditions, together: core, after: Vec::new() };
        }
        Cut { before: pieces(blocks), conditions, together: core, after: pieces(gone) }
    }

    fn operations(&self) -> usize {
        self.blocks.len() + self.core.len() + self.gone.len()
    }

    fn size(&self) -> usize {
        [&self.blocks, &self.core, &self.gone].into_iter().flatten().map(Op::size).sum()
    }
}

/// Cuts operations that do not depend on one another into pieces that a server takes.
pub(super) fn pieces(operations: Vec<Op>) -> Vec<Vec<Op>> {
    let (mut pieces, mut size) = (Vec::<Vec<Op>>::new(), 0);
    for operation in operations {
        size += operation.size();
        match pieces.last_mut() {
            Some(piece) if piece.len() < MOST && size <= GREATEST => piece.push(operation),
            _ => {
                size = operation.size();
                pieces.push(vec![operation]);
            }
        }
    }
    pieces
}

/// Operations of a transaction: below the servers' limit, since one within another is counted too.
pub(super) const MOST: usize = 120;
/// Bytes of a transaction: below the servers' limit, since lengths and names are counted too.
const GREATEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(blocks: usize, length: usize) -> Plan {
        Plan {
            conditions: vec![If::Unchanged("head".into(), 7)],
            blocks: (0..blocks).map(|block| Op::Put(format!("block/{block}"), vec![0; length])).collect(),
            core: vec![Op::Put("head".into(), vec![1])],
            gone: vec![Op::Delete("block/old".into())],
        }
    }

    #[test]
    fn what_fits_is_one_transaction_and_what_does_not_goes_before_and_after_the_head() {
        let Cut { before, conditions, together, after } = plan(MOST - 2, 10).cut();
        assert!(before.is_empty() && after.is_empty());
        assert_eq!((conditions.len(), together.len()), (1, MOST));
        for large in [plan(3 * MOST, 10), plan(10, GREATEST / 4)] {
            let blocks = large.blocks.len();
            let Cut { before, conditions, together, after } = large.cut();
            assert_eq!((conditions.len(), together.len(), after.len()), (1, 1, 1));
            assert_eq!(before.iter().map(Vec::len).sum::<usize>(), blocks);
            for piece in before {
                assert!(piece.len() <= MOST && piece.iter().map(Op::size).sum::<usize>() <= GREATEST);
            }
        }
    }

    #[test]
    fn plans_are_joined_only_as_far_as_one_transaction_holds_them() {
        let mut joined = plan(3, 10);
        let mut count = 1;
        while joined.join(plan(3, 10)).is_ok() {
            count += 1;
        }
        assert_eq!(count, MOST / 5);
        assert!(plan(1, 10).join(plan(1, GREATEST)).is_err());
    }
}
