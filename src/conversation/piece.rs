//! Parts of a conversation that are stored beside its head, each in a block of its own (docs/formats.md, section 12.6).

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};
use zeroize::Zeroizing;

use bisik_core::blocks::{BlockId, BlockWriter, Ended, Place};
use bisik_core::storage::RecordKind;

/// A part of a conversation, and the block that has it. Whoever may change the part ends the block: the next record has a
/// new one.
pub(super) struct Piece<T> {
    part: T,
    place: Place,
}

impl<T> Piece<T> {
    pub(super) fn new(part: T) -> Self {
        Self { part, place: Place::default() }
    }

    /// A part that was read from the block `id`.
    pub(super) const fn stored(part: T, id: BlockId) -> Self {
        Self { part, place: Place::stored(id) }
    }

    /// Lends the part to an operation that changes nothing unless it succeeds. The caller says so afterwards, by changing
    /// something.
    pub(super) const fn quiet(&mut self) -> &mut T {
        &mut self.part
    }

    /// The part has no block any more: the conversation has another name.
    pub(super) fn displace(&mut self) {
        self.place = Place::default();
    }

    /// Names the block of the part in a record, and puts it, if the store may not have it.
    pub(super) fn write(
        &mut self,
        kind: RecordKind,
        to: &mut Blocks<'_, '_>,
        encode: impl FnOnce(&T) -> Zeroizing<Vec<u8>>,
    ) {
        let Self { part, place } = self;
        if !to.writer.name(place) {
            to.writer.put(kind, place, to.ended, &encode(part));
        }
        to.named.extend(place.id());
    }
}

/// Where the blocks of a record go.
pub(super) struct Blocks<'a, 'b> {
    pub(super) writer: &'a mut BlockWriter<'b>,
    pub(super) ended: &'a mut Ended,
    /// The blocks that the record names.
    pub(super) named: Vec<BlockId>,
}

impl<T> Deref for Piece<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.part
    }
}

impl<T> DerefMut for Piece<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.displace();
        &mut self.part
    }
}
