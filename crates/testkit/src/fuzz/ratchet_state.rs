//! [`RatchetState`]: the receiving half of a ratchet's state with all its secrets (docs/formats.md, section 6.4).

use std::collections::BTreeMap;

/// Everything that a receiver knows, and therefore the most that a dishonest peer can know.
#[derive(Clone, Debug)]
pub struct RatchetState {
    pub binding: [u8; 32],
    pub root: [u8; 32],
    /// The secret half of the local ratchet pair.
    pub pair: Option<[u8; 32]>,
    pub has_sending_chain: bool,
    pub next_header: [u8; 32],
    /// Newest first.
    pub chains: Vec<Chain>,
}

#[derive(Clone, Debug)]
pub struct Chain {
    pub header: [u8; 32],
    pub ratchet_key: [u8; 32],
    /// `Nr`.
    pub next: u32,
    pub key: Option<[u8; 32]>,
    pub kept: BTreeMap<u32, [u8; 32]>,
}

impl RatchetState {
    /// Reads the state of a bare ratchet, which must be valid.
    pub fn read(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        let (binding, root) = (fields.array(), fields.array());
        let pair = fields.flag().then(|| (fields.array(), fields.array::<32>()).0);
        let _theirs = fields.flag().then(|| fields.array::<32>());
        let has_sending_chain = fields.flag().then(|| fields.array::<68>()).is_some();
        let (_next_header_of_ours, _previous) = (fields.array::<32>(), fields.number());
        let next_header = fields.array();
        let chains = (0..fields.number()).map(|_| fields.chain()).collect();
        assert!(fields.0.is_empty(), "the layout is as specified");
        Self { binding, root, pair, has_sending_chain, next_header, chains }
    }

    /// The number of skipped message keys over all chains.
    pub fn skipped_keys(&self) -> usize {
        self.chains.iter().map(|chain| chain.kept.len()).sum()
    }

    /// The numbers of the state that determine which headers are acceptable.
    pub fn shape(&self) -> Vec<(u32, bool, Vec<u32>)> {
        let shape = |chain: &Chain| (chain.next, chain.key.is_some(), chain.kept.keys().copied().collect());
        self.chains.iter().map(shape).collect()
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().expect("the layout is as specified");
        self.0 = rest;
        *head
    }

    fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    fn flag(&mut self) -> bool {
        self.array() == [1]
    }

    fn chain(&mut self) -> Chain {
        let (header, ratchet_key, next) = (self.array(), self.array(), self.number());
        let key = self.flag().then(|| self.array());
        let kept = (0..self.number()).map(|_| (self.number(), self.array())).collect();
        Chain { header, ratchet_key, next, key, kept }
    }
}
