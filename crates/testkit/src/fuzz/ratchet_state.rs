//! [`RatchetState`]: the receiving half of a ratchet's state with all its secrets (docs/formats.md, section 6.4).

use std::collections::{BTreeMap, VecDeque};

/// Everything that a receiver knows, and therefore the most that a dishonest peer can know.
#[derive(Clone, Debug)]
pub struct RatchetState {
    pub binding: [u8; 32],
    pub step: u32,
    pub root: [u8; 32],
    pub turn: Turn,
    pub next_header: [u8; 32],
    pub bound: u8,
    /// Newest first.
    pub chains: Vec<Chain>,
    /// Messages received.
    pub received: u32,
    /// The last messages received, newest first: step, number, and eight bytes of the digest.
    pub remembered: VecDeque<(u32, u32, [u8; 8])>,
    /// The newest braid epoch in the root.
    pub mixed: u32,
    /// An epoch's secret that is not in the root yet.
    pub pending: Option<(u32, [u8; 32])>,
    pub braid_epoch: u32,
    /// The braid, encoded.
    pub braid: Vec<u8>,
}

/// Who has made the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Awaiting,
    /// The own pair, and the own chain: its header key, its key, and the number of its next message.
    Ours {
        secret: [u8; 32],
        public: [u8; 32],
        header: [u8; 32],
        chain: [u8; 32],
        number: u32,
    },
    Theirs,
}

#[derive(Clone, Debug)]
pub struct Chain {
    pub step: u32,
    pub mixed: u32,
    pub header: [u8; 32],
    /// Zero before a responder's first message.
    pub ratchet_key: [u8; 32],
    /// `Nr`.
    pub next: u32,
    /// Of the newest chain only.
    pub key: Option<[u8; 32]>,
    /// Message keys by number, each with the number of messages received when it was kept.
    pub kept: BTreeMap<u32, ([u8; 32], u32)>,
}

/// What [`RatchetState::shape`] tells of a chain: step, `Nr`, whether it can advance, and what it keeps.
pub type ChainShape = (u32, u32, bool, Vec<(u32, u32)>);

/// Step, messages received, whether the last step is the receiver's own, the chains, and what is remembered.
pub type Shape = (u32, u32, bool, Vec<ChainShape>, VecDeque<(u32, u32, [u8; 8])>);

impl RatchetState {
    /// Reads the state of a bare ratchet, which must be valid.
    pub fn read(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        let (binding, step, root) = (fields.array(), fields.number(), fields.array());
        let turn = match fields.byte() {
            0 => Turn::Awaiting,
            1 => Turn::Ours {
                secret: fields.array(),
                public: fields.array(),
                header: fields.array(),
                chain: fields.array(),
                number: fields.number(),
            },
            _ => {
                let _ratchet_key = fields.array::<32>();
                Turn::Theirs
            }
        };
        let (next_header, _previous, bound) = (fields.array(), fields.number(), fields.byte());
        let chains = (0..fields.number()).map(|index| fields.chain(index == 0)).collect();
        let _offer = (fields.byte() == 1).then(|| fields.array::<32>());
        let _accepts: Vec<[u8; 32]> = (0..fields.number()).map(|_| fields.array()).collect();
        let received = fields.number();
        let remembered = (0..fields.number()).map(|_| (fields.number(), fields.number(), fields.array())).collect();
        let _peer_reads = fields.byte();
        // The post-quantum part ends the state.
        let mixed = fields.number();
        let pending = (fields.byte() == 1).then(|| (fields.number(), fields.array()));
        let _age = fields.array::<13>();
        let braid = fields.0.to_vec();
        let _braid_state = fields.byte();
        let braid_epoch = fields.number();
        Self {
            binding,
            step,
            root,
            turn,
            next_header,
            bound,
            chains,
            received,
            remembered,
            mixed,
            pending,
            braid_epoch,
            braid,
        }
    }

    /// The number of skipped message keys over all chains.
    pub fn skipped_keys(&self) -> usize {
        self.chains.iter().map(|chain| chain.kept.len()).sum()
    }

    /// What determines which headers are acceptable, without the secrets.
    pub fn shape(&self) -> Shape {
        let kept = |chain: &Chain| chain.kept.iter().map(|(number, (_, at))| (*number, *at)).collect();
        let shape = |chain: &Chain| (chain.step, chain.next, chain.key.is_some(), kept(chain));
        let chains = self.chains.iter().map(shape).collect();
        (self.step, self.received, matches!(self.turn, Turn::Ours { .. }), chains, self.remembered.clone())
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().expect("the layout is as specified");
        self.0 = rest;
        *head
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    fn chain(&mut self, newest: bool) -> Chain {
        let (step, mixed) = (self.number(), self.number());
        let (header, ratchet_key, next) = (self.array(), self.array(), self.number());
        let key = newest.then(|| self.array());
        let mut kept = BTreeMap::new();
        for _ in 0..self.number() {
            let (first, at, count) = (self.number(), self.number(), self.number());
            kept.extend((first..first + count).map(|number| (number, (self.array(), at))));
        }
        Chain { step, mixed, header, ratchet_key, next, key, kept }
    }
}
