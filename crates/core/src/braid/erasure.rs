//! The erasure code: a text of k blocks becomes up to 65,536 chunks, any k of which give it back.
//!
//! A block is 32 bytes: sixteen elements of GF(2^16). Through the elements in one place of all blocks goes one polynomial
//! of degree below k, with block i at x = i. Chunk n is its value at x = n: for n < k block n itself.
//!
//! Chunk numbers are public, and so is which are missing. Contents go through constant-time operations only.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::field::{self, Lane, ONES};
use crate::codec::{Malformed, Reader, SecretWriter};

/// Length of a block, and of a chunk, in bytes.
pub const CHUNK: usize = 32;

/// One chunk of a text.
pub type Chunk = [u8; CHUNK];

/// Returns `count` chunks of `text` from number `first` on; number 65,535 is followed by 0. `text` is a whole number of
/// blocks.
pub(super) fn encode(text: &[u8], first: u16, count: u16) -> Vec<Chunk> {
    let blocks: Vec<&Chunk> = text.as_chunks().0.iter().collect();
    let numbers: Vec<u16> = (0..count).map(|step| first.wrapping_add(step)).collect();
    let repair: Vec<u16> = numbers.iter().copied().filter(|number| usize::from(*number) >= blocks.len()).collect();
    let mut repair = if repair.is_empty() {
        Vec::new()
    } else {
        let points: Vec<(u16, Lane)> = (0..).zip(&blocks).map(|(x, block)| (x, lane(block))).collect();
        interpolate(&points, &repair)
    }
    .into_iter();
    numbers
        .iter()
        .filter_map(|number| blocks.get(usize::from(*number)).map(|block| **block).or_else(|| repair.next()))
        .collect()
}

/// The values at each x of `wanted` of the polynomials through `points`. No x of `wanted` is among those of `points`,
/// all of which differ.
///
/// Lagrange: with c_i = ∏ (x_i - x_j) over j other than i, and P(y) = ∏ (y - x_j), the value at y is
/// P(y) · Σ v_i / c_i / (y - x_i). All quotients come from one inversion.
fn interpolate(points: &[(u16, Lane)], wanted: &[u16]) -> Vec<Chunk> {
    let xs: Vec<Lane> = lanes(points.iter().map(|(x, _)| *x));
    let ys: Vec<Lane> = lanes(wanted.iter().copied());
    let mut divisors: Vec<Lane> = xs.iter().map(|lane| differences(lane, points)).collect();
    for y in wanted {
        divisors.extend(xs.iter().map(|lane| lane.map(|x| one_for_zero(x ^ y))));
    }
    let mut products = vec![[0; 16]; divisors.len()];
    field::invert_all(&mut divisors, &mut products);

    // The first are the c_i, the others the y - x_i of each y.
    let scaled: Vec<Lane> = points
        .iter()
        .zip(elements(&divisors))
        .map(|((_, value), weight)| field::multiply(value, &[weight; 16]))
        .collect();
    let factors: Vec<Lane> = ys.iter().map(|lane| differences(lane, points)).collect();
    divisors
        .chunks(xs.len().max(1))
        .skip(1)
        .zip(elements(&factors))
        .map(|(quotients, factor)| {
            let mut sum = [0; 16];
            for (value, quotient) in scaled.iter().zip(elements(quotients)) {
                field::add(&mut sum, &field::multiply(value, &[quotient; 16]));
            }
            chunk(&field::multiply(&sum, &[factor; 16]))
        })
        .collect()
}

/// For each x of a lane the product of its differences from the points, itself left out.
fn differences(lane: &Lane, points: &[(u16, Lane)]) -> Lane {
    points.iter().fold(ONES, |product, (point, _)| field::multiply(&product, &lane.map(|x| one_for_zero(x ^ point))))
}

/// A difference of 0 is that of a number from itself, or of a place of the last lane that holds nothing: it counts as 1.
const fn one_for_zero(difference: u16) -> u16 {
    if difference == 0 { 1 } else { difference }
}

/// Numbers in lanes, the last filled up with zeros.
fn lanes(numbers: impl Iterator<Item = u16>) -> Vec<Lane> {
    let numbers: Vec<u16> = numbers.collect();
    let fill = |part: &[u16]| {
        let mut lane = [0; 16];
        lane.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        lane
    };
    numbers.chunks(16).map(fill).collect()
}

/// The elements of lanes, in order.
fn elements(lanes: &[Lane]) -> impl Iterator<Item = u16> {
    lanes.iter().flatten().copied()
}

/// The elements of a chunk.
fn lane(chunk: &Chunk) -> Lane {
    let mut lane = [0; 16];
    for (element, bytes) in lane.iter_mut().zip(chunk.as_chunks().0) {
        *element = u16::from_be_bytes(*bytes);
    }
    lane
}

/// The bytes of a lane.
fn chunk(lane: &Lane) -> Chunk {
    let mut chunk = [0; CHUNK];
    for (bytes, element) in chunk.as_chunks_mut().0.iter_mut().zip(lane) {
        *bytes = element.to_be_bytes();
    }
    chunk
}

/// The chunks received of a text of `blocks` blocks: fewer than it needs, by ascending number. The first chunk of a
/// number counts.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Decoder {
    blocks: usize,
    chunks: Vec<(u16, Chunk)>,
}

/// What a chunk does to a decoder.
pub(super) enum Kept {
    /// Nothing: its number was there.
    Known,
    /// It was missing, and others still are.
    More,
    /// It was the last that was missing: the text.
    Whole(Box<[u8]>),
}

impl Decoder {
    /// Starts without chunks. `blocks` is at least 1; of ML-KEM-768 at most 36.
    pub(super) const fn new(blocks: usize) -> Self {
        Self { blocks, chunks: Vec::new() }
    }

    /// Says what [`Self::keep`] would do, and decodes if the chunk is the last one missing. Changes nothing.
    pub(super) fn look(&self, number: u16, chunk: &Chunk) -> Kept {
        match self.place(number) {
            Ok(_) => Kept::Known,
            Err(_) if self.missing() > 1 => Kept::More,
            Err(_) => Kept::Whole(self.decode(number, chunk)),
        }
    }

    /// Keeps a chunk that is not the last one missing. Another is passed over.
    pub(super) fn keep(&mut self, number: u16, chunk: &Chunk) {
        if let Err(place) = self.place(number)
            && self.missing() > 1
        {
            let mut moving = (number, *chunk);
            self.chunks.iter_mut().skip(place).for_each(|later| core::mem::swap(later, &mut moving));
            self.chunks.push(moving);
        }
    }

    /// How many chunks are missing: one at least.
    const fn missing(&self) -> usize {
        self.blocks.abs_diff(self.chunks.len())
    }

    /// Forgets all chunks.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
    }

    /// Where a number is, or belongs.
    fn place(&self, number: u16) -> Result<usize, usize> {
        self.chunks.binary_search_by_key(&number, |(known, _)| *known)
    }

    /// The text, from the chunks kept and the last one.
    fn decode(&self, number: u16, last: &Chunk) -> Box<[u8]> {
        let points = || self.chunks.iter().map(|(number, chunk)| (*number, chunk)).chain([(number, last)]);
        let mut text: Vec<Option<Chunk>> = vec![None; self.blocks];
        for (number, chunk) in points() {
            if let Some(block) = text.get_mut(usize::from(number)) {
                *block = Some(*chunk);
            }
        }
        let missing: Vec<u16> =
            (0..).zip(&text).filter_map(|(number, block)| block.is_none().then_some(number)).collect();
        let mut found = if missing.is_empty() {
            Vec::new()
        } else {
            let points: Vec<(u16, Lane)> = points().map(|(number, chunk)| (number, lane(chunk))).collect();
            interpolate(&points, &missing)
        }
        .into_iter();
        text.into_iter().filter_map(|block| block.or_else(|| found.next())).flatten().collect()
    }

    /// Writes a bitmap of the blocks that are there, `u8(count)` and the numbers of the other chunks, ascending, and the
    /// chunks by ascending number.
    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let mut bitmap = vec![0_u8; self.blocks.div_ceil(8)];
        let mut others = Vec::new();
        for (number, _) in &self.chunks {
            match bitmap.get_mut(usize::from(*number >> 3)) {
                Some(byte) if usize::from(*number) < self.blocks => *byte |= 0x80_u8 >> (number & 7),
                _ => others.extend(number.to_be_bytes()),
            }
        }
        // At most 35 chunks are kept.
        let count = u8::try_from(others.len() >> 1).unwrap_or(u8::MAX);
        writer.bytes(&bitmap).u8(count).bytes(&others);
        for (_, chunk) in &self.chunks {
            writer.bytes(chunk);
        }
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for anything else: as many chunks as the text needs, numbers out of order, a bit or a number of
    /// nothing.
    pub(super) fn read(blocks: usize, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut numbers = Vec::new();
        let bitmap = reader.slice(blocks.div_ceil(8))?;
        let bits = bitmap.iter().flat_map(|byte| (0..8).map(move |bit| (byte << bit) & 0x80 != 0));
        for (number, _) in (0_u16..).zip(bits).filter(|(_, set)| *set) {
            if usize::from(number) >= blocks {
                return Err(Malformed);
            }
            numbers.push(number);
        }
        for _ in 0..reader.u8()? {
            let number = u16::from_be_bytes(*reader.array()?);
            if usize::from(number) < blocks || numbers.last().is_some_and(|last| *last >= number) {
                return Err(Malformed);
            }
            numbers.push(number);
        }
        if numbers.len() >= blocks {
            return Err(Malformed);
        }
        let mut chunks = Vec::with_capacity(numbers.len());
        for number in numbers {
            chunks.push((number, *reader.array()?));
        }
        Ok(Self { blocks, chunks })
    }
}
