//! Blocks: pieces of a large state that are sealed once and stored beside the record that names them (docs/formats.md,
//! section 6.7).
//!
//! A state that grows would be written anew with every change. Instead, pieces of it that rarely change become blocks,
//! and the record, its *head*, names them. A block is written once: a piece that changes becomes a new block, and the
//! one before it ends. So a store needs no transactions: new blocks first, then the head by compare-and-swap, then the
//! deletions. Whatever step a crash leaves out, the head that is stored finds all of its blocks.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::codec::{Malformed, Reader, SecretWriter};
use crate::convert::first;
use crate::held::{self, SealedRecord, Sealing, Stored};
use crate::primitives::aead::NONCE;
use crate::storage::{self, RecordKind, Sealer, StorageKey, UnsealError};

pub use crate::block_id::BlockId;

/// A new block, to be put into the store under its id.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    id: BlockId,
    bytes: Vec<u8>,
}

impl Block {
    /// Returns the name under which the block is stored.
    #[must_use]
    pub const fn id(&self) -> BlockId {
        self.id
    }

    /// Returns the sealed block.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, bytes } = self;
        f.debug_struct("Block").field("id", id).field("length", &bytes.len()).finish()
    }
}

/// One step of storing a state, in the order of [`SealedParts::writes`].
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// Put the block, under its id.
    Put(&'a Block),
    /// Put the head in place of the one of a lower revision: by compare-and-swap, if several workers write.
    Head(&'a [u8]),
    /// Delete the block of this id: the state has no use for it, and what it held must be gone.
    Delete(BlockId),
}

/// A sealed state in its parts: the *head*, which is one record, and the blocks that go with it. All of them belong into
/// the store: without a block that it names, a head does not open.
///
/// ```
/// # use bisik_core as bisik;
/// use std::collections::BTreeMap;
///
/// use bisik::blocks::{BlockId, SealedParts, Write};
///
/// /// A store without transactions: the order of the writes is what keeps it whole.
/// fn store(parts: &SealedParts, head: &mut Vec<u8>, blocks: &mut BTreeMap<BlockId, Vec<u8>>) {
///     for write in parts.writes() {
///         match write {
///             Write::Put(block) => drop(blocks.insert(block.id(), block.as_bytes().to_vec())),
///             Write::Head(bytes) => *head = bytes.to_vec(),
///             Write::Delete(id) => drop(blocks.remove(&id)),
///         }
///     }
/// }
/// ```
#[must_use = "a state that is not stored protects nothing"]
pub struct SealedParts {
    head: SealedRecord,
    blocks: Vec<Block>,
    ended: Vec<BlockId>,
}

impl SealedParts {
    /// Everything to store, in this order: the new blocks, the head, and the deletions. One transaction may hold all of
    /// them; without transactions, each must be durable before the next. If the head is refused because the store has a
    /// later one, delete nothing: load that one.
    pub fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        let Self { head, blocks, ended } = self;
        let blocks = blocks.iter().map(Write::Put);
        blocks.chain([Write::Head(head.as_bytes())]).chain(ended.iter().copied().map(Write::Delete))
    }

    /// Returns the head: the record to store under the state's name. It opens only with the blocks that it names, of which
    /// [`blocks`](Self::blocks) are not in the store yet.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.head.as_bytes()
    }

    /// Returns the new blocks, to be put before the head. What was not [confirmed](Self::stored) is given again, with the
    /// same ids and bytes.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Returns the blocks to delete, once the head is stored. Given again until a record with them was
    /// [confirmed](Self::stored).
    #[must_use]
    pub fn ended(&self) -> &[BlockId] {
        &self.ended
    }

    /// Returns the revision of the state in the head: store it only over a lower one.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.head.revision()
    }

    /// Affirms that the caller's database has stored the blocks and the head durably, and deleted the ended blocks. The
    /// proof releases everything that was held when the state was sealed. The next record does not give these blocks again.
    #[allow(clippy::must_use_candidate, reason = "it has an effect: what was put is not put again")]
    pub fn stored(self) -> Stored {
        self.head.stored()
    }
}

impl fmt::Debug for SealedParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { head, blocks, ended } = self;
        f.debug_struct("SealedParts").field("head", head).field("blocks", blocks).field("ended", ended).finish()
    }
}

/// Where a piece of a state is stored, if it is: owned by the piece, and taken from it by [`Ended::end`] when it changes.
#[derive(Default)]
pub struct Place(Option<Placed>);

struct Placed {
    id: BlockId,
    /// How often the storage key had been changed.
    moves: u32,
    /// What the block was sealed with: it makes the same block again.
    randomness: [u8; NONCE],
    /// The number of the first record that gave the block; [`STORED`] for a block that was read from the store.
    since: usize,
}

impl Place {
    /// The place of a piece that was read from the block `id`.
    #[must_use]
    pub const fn stored(id: BlockId) -> Self {
        Self(Some(Placed { id, moves: 0, randomness: [0; NONCE], since: STORED }))
    }

    /// The name of the block, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<BlockId> {
        self.0.as_ref().map(|placed| placed.id)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.0.as_ref().map(|placed| placed.id)).finish()
    }
}

/// The blocks that a state has no use for any more, and that the store may still have.
#[derive(Default)]
pub struct Ended(Vec<EndedBlock>);

struct EndedBlock {
    id: BlockId,
    /// The number of the first record that listed it; `None` before.
    listed: Option<usize>,
}

impl Ended {
    /// P-6.7: ends the block of a piece that has changed or is gone, if it had one.
    pub fn end(&mut self, place: &mut Place) {
        if let Some(Placed { id, .. }) = place.0.take() {
            self.0.push(EndedBlock { id, listed: None });
        }
    }

    /// P-6.6: the ids to delete once the head of `sealing`, which names `names`, is stored.
    fn list(&mut self, sealing: &Sealing, names: &[[u8; SUFFIX]]) -> Vec<BlockId> {
        self.0.retain(|block| block.listed.is_none_or(|listed| listed > sealing.confirmed));
        // A caller who never confirms would collect them without an end. The oldest were listed most often.
        let mut surplus = self.0.len().checked_sub(MAX_ENDED);
        self.0.retain(|block| {
            surplus = surplus.and_then(|surplus| surplus.checked_sub(1));
            surplus.is_none() || block.listed.is_none()
        });
        for block in &mut self.0 {
            block.listed.get_or_insert(sealing.number());
        }
        // A generator that repeats its output gives one id to equal content.
        self.0.iter().map(|block| block.id).filter(|id| !names.contains(&suffix(*id))).collect()
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").field("blocks", &self.0.len()).finish()
    }
}

/// Collects the blocks of a record while its state is encoded.
pub struct BlockWriter<'a> {
    sealer: Sealer,
    sealing: Sealing,
    /// The first half of all ids.
    prefix: [u8; PREFIX],
    rng: &'a mut dyn CryptoRng,
    names: Vec<[u8; SUFFIX]>,
    blocks: Vec<Block>,
}

impl<'a> BlockWriter<'a> {
    /// Begins the record of `sealing`, under the key that it was begun with. `prefix` begins the ids of all blocks of a
    /// state, and distinguishes it from others in the same store.
    #[must_use]
    pub fn new(key: &StorageKey, sealing: Sealing, prefix: [u8; PREFIX], rng: &'a mut dyn CryptoRng) -> Self {
        Self { sealer: Sealer::new(key), sealing, prefix, rng, names: Vec::new(), blocks: Vec::new() }
    }

    /// Makes room for so many names.
    pub fn reserve(&mut self, names: usize) {
        self.names.reserve(names);
    }

    /// Names the block of one piece, if the store has it. Otherwise it must be [put](Self::put).
    #[must_use]
    pub fn name(&mut self, place: &Place) -> bool {
        match &place.0 {
            Some(placed) if placed.since <= self.sealing.confirmed && placed.moves == self.sealing.moves => {
                self.names.push(suffix(placed.id));
                true
            }
            Some(_) | None => false,
        }
    }

    /// P-6.6. Names the block of one piece, and gives the block itself, whether or not the store has it. Uses 24 bytes of
    /// randomness for a block that is new. `content` must be what it was when the place was made; `ended` is the state's
    /// own.
    pub fn put(&mut self, kind: RecordKind, place: &mut Place, ended: &mut Ended, content: &[u8]) {
        let moves = self.sealing.moves;
        // Under another key, it becomes another block.
        if place.0.as_ref().is_some_and(|placed| placed.moves != moves || placed.since == STORED) {
            ended.end(place);
        }
        let (randomness, since) = match &place.0 {
            Some(placed) => (placed.randomness, placed.since),
            None => {
                let mut randomness = [0; NONCE];
                self.rng.fill_bytes(&mut randomness);
                (randomness, self.sealing.number())
            }
        };
        let bytes = self.sealer.seal(kind, &self.prefix, content, &randomness);
        let id = id_of(self.prefix, &bytes);
        place.0 = Some(Placed { id, moves, randomness, since });
        self.names.push(suffix(id));
        self.blocks.push(Block { id, bytes });
    }

    /// Writes the names of all pieces so far, with which the head's state ends: a state without blocks is encoded as it is.
    pub fn write_names(&self, writer: &mut SecretWriter) {
        writer.bytes(self.names.as_flattened());
    }

    /// The revision of the record.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.sealing.revision()
    }

    /// Seals the head, whose state ends with the names. Uses 24 bytes of randomness.
    pub fn finish(self, kind: RecordKind, context: &[u8], state: &[u8], ended: &mut Ended) -> SealedParts {
        let Self { sealer, sealing, prefix: _, rng, names, blocks } = self;
        let mut randomness = [0; NONCE];
        rng.fill_bytes(&mut randomness);
        let bytes = sealer.seal(kind, context, state, &randomness);
        let ended = ended.list(&sealing, &names);
        SealedParts { head: held::sealed_record(bytes, sealing.origin), blocks, ended }
    }
}

impl fmt::Debug for BlockWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockWriter").field("names", &self.names.len()).finish_non_exhaustive()
    }
}

/// Reads the names with which a head's state ends, at most `limit`: of blocks whose ids begin with `prefix`.
///
/// # Errors
///
/// [`Malformed`] if there are more, or if the last is cut off.
pub fn read_names(reader: Reader<'_>, prefix: [u8; PREFIX], limit: usize) -> Result<Vec<BlockId>, Malformed> {
    let (names, rest) = reader.rest().as_chunks();
    if !rest.is_empty() || names.len() > limit {
        return Err(Malformed);
    }
    Ok(names.iter().map(|suffix| id(prefix, *suffix)).collect())
}

/// Opens the block `id`, and returns its content. P-6.5.
///
/// # Errors
///
/// [`UnsealError::MissingBlock`] if there is none; otherwise as for [`storage::unseal`], also if it is another block.
pub fn open(
    key: &StorageKey,
    kind: RecordKind,
    id: BlockId,
    block: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
    let block = block.ok_or(UnsealError::MissingBlock(id))?;
    let prefix = first(id.as_bytes());
    let content = storage::unseal(key, kind, &prefix, block)?;
    if id_of(prefix, block) == id { Ok(content) } else { Err(UnsealError::Rejected) }
}

/// The id of a block: the state's own prefix, for which it is sealed, and the first bytes of its nonce. The nonce is
/// derived from randomness and from the content, and the tag authenticates it. So a block opens under no other id, and
/// two have one id only by chance, whatever the generator does.
fn id_of(prefix: [u8; PREFIX], block: &[u8]) -> BlockId {
    let nonce = block.get(1..).and_then(|rest| rest.first_chunk::<NONCE>());
    id(prefix, nonce.map_or([0; SUFFIX], first))
}

fn id(prefix: [u8; PREFIX], suffix: [u8; SUFFIX]) -> BlockId {
    let mut bytes = [0; PREFIX + SUFFIX];
    bytes.iter_mut().zip(prefix.iter().chain(&suffix)).for_each(|(to, from)| *to = *from);
    BlockId::from_bytes(bytes)
}

fn suffix(id: BlockId) -> [u8; SUFFIX] {
    let [.., a, b, c, d, e, f, g, h] = *id.as_bytes();
    [a, b, c, d, e, f, g, h]
}

/// In place of a number: before all records.
const STORED: usize = 0;

/// Bytes with which all ids of a state's blocks begin.
pub const PREFIX: usize = 8;
/// Bytes of an id that are its own, and with which a head names it. A state has some hundred blocks in a store at a time:
/// that a new one has the name of one of them has a chance of one in 2^57.
const SUFFIX: usize = 8;

/// Ended blocks that are remembered for a caller who does not confirm that they were deleted.
const MAX_ENDED: usize = 1_024;

#[cfg(test)]
mod tests;
