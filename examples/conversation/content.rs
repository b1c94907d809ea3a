//! What the parties say to each other, as the plaintext of a message.
//!
//! Does not know encryption. The bytes come from an authenticated peer, who may still be broken or hostile: decoding
//! refuses what it does not understand, and no name is taken for a path.
//!
//! ```text
//! text     01 | number 4 | of 4 | UTF-8
//! piece    02 | number 4 | of 4 | file 4 | index 4 | total 4 | name length 4 | name, UTF-8 | bytes
//! receipt  03 | number 4 | number 4 | ..
//! ```
//!
//! Texts and pieces are *items*, numbered from 0 to `of` by their sender. By its number an item is recognised when it
//! comes again in another message, as happens after a crash. A receipt says which items have been shown.

use crate::fields::{Fields, push_part};

/// Which item, of how many that the sender has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) number: u32,
    pub(crate) of: u32,
}

/// The content of one message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    Text(Item, &'a str),
    Piece(Item, Piece<'a>),
    Receipt(Vec<u32>),
}

/// One piece of a file; an empty file is one piece without bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// The sender's number of the file.
    pub(crate) file: u32,
    /// Which piece, of `total`.
    pub(crate) index: u32,
    pub(crate) total: u32,
    /// What the sender calls the file.
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Content<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Text(item, text) => [&start(TEXT, *item)[..], text.as_bytes()].concat(),
            Self::Piece(item, Piece { file, index, total, name, bytes }) => {
                let mut plaintext = start(PIECE, *item);
                plaintext.reserve(16 + name.len() + bytes.len());
                for number in [file, index, total] {
                    plaintext.extend_from_slice(&number.to_be_bytes());
                }
                push_part(&mut plaintext, name.as_bytes());
                plaintext.extend_from_slice(bytes);
                plaintext
            }
            Self::Receipt(numbers) => {
                let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
                std::iter::once(RECEIPT).chain(numbers).collect()
            }
        }
    }

    pub(crate) fn decode(plaintext: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(plaintext);
        match fields.u8()? {
            TEXT => Some(Self::Text(item(&mut fields)?, std::str::from_utf8(fields.rest()).ok()?)),
            PIECE => {
                let item = item(&mut fields)?;
                let (file, index, total) = (fields.u32()?, fields.u32()?, fields.u32()?);
                let name = std::str::from_utf8(fields.part()?).ok()?;
                let bytes = fields.rest();
                // Only the last piece is shorter, and the position of each follows from its index.
                let last = index == total.checked_sub(1)?;
                let whole = bytes.len() == PIECE_LENGTH || (last && bytes.len() < PIECE_LENGTH);
                let piece = Piece { file, index, total, name, bytes };
                (index < total && total <= item.of && whole).then_some(Self::Piece(item, piece))
            }
            RECEIPT => {
                let (numbers, []) = fields.rest().as_chunks() else { return None };
                Some(Self::Receipt(numbers.iter().map(|number| u32::from_be_bytes(*number)).collect()))
            }
            _ => None,
        }
    }
}

fn start(kind: u8, Item { number, of }: Item) -> Vec<u8> {
    [&[kind], &number.to_be_bytes()[..], &of.to_be_bytes()].concat()
}

fn item(fields: &mut Fields<'_>) -> Option<Item> {
    let item = Item { number: fields.u32()?, of: fields.u32()? };
    (item.number < item.of && item.of <= MAX_ITEMS).then_some(item)
}

/// Bytes of a file in one message: long enough that the overhead of a message is nothing, short enough that one that
/// has to come again costs little.
pub(crate) const PIECE_LENGTH: usize = 256 * 1024;

/// More items than this are refused, so that a hostile peer cannot make the ledger grow: 256 GiB of pieces.
pub(crate) const MAX_ITEMS: u32 = 1 << 20;

const TEXT: u8 = 1;
const PIECE: u8 = 2;
const RECEIPT: u8 = 3;
