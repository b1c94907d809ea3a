//! [`Item`]: what devices of a group give each other, so that they know the same (docs/spec/rooms.md, section 15.1).

use alloc::vec::Vec;

use crate::device::{AccountKey, ListId};
use crate::group::membership::Statement;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};

/// Something that a device gives to another, so that both know the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Statement(Statement),
    /// The newest list of a member that the sender knows.
    List(AccountKey, ListId),
}

impl Item {
    /// Bytes of the item among others.
    pub(super) fn len(&self) -> usize {
        let length = match self {
            Self::Statement(statement) => statement.as_bytes().len(),
            Self::List(..) => LIST,
        };
        length.saturating_add(HEAD)
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        match self {
            Self::Statement(statement) => {
                let kind = match statement {
                    Statement::Entry(_) => ENTRY,
                    Statement::Act(_) => ACT,
                    Statement::Floor(_) => FLOOR,
                };
                writer.u8(kind).count(statement.as_bytes().len()).bytes(statement.as_bytes());
            }
            Self::List(account, list) => {
                writer.u8(NEWEST_LIST).count(LIST).bytes(&account.to_bytes()).bytes(&list.to_bytes());
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = reader.u8()?;
        let length = reader.count_of(1)?;
        let bytes = reader.slice(length)?;
        Ok(match kind {
            ENTRY => Self::Statement(Statement::Entry(bytes.to_vec())),
            ACT => Self::Statement(Statement::Act(bytes.to_vec())),
            FLOOR => Self::Statement(Statement::Floor(bytes.to_vec())),
            NEWEST_LIST => {
                let mut reader = Reader::new(bytes);
                let key = IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)?;
                let list = ListId::from_bytes(reader.array()?);
                reader.finish()?;
                Self::List(AccountKey::from_identity(key), list)
            }
            _ => return Err(Malformed),
        })
    }
}

pub(super) fn write_items(items: &[Item], writer: &mut SecretWriter) {
    for item in items {
        item.write(writer);
    }
}

pub(super) fn read_items(reader: Reader<'_>) -> Result<Vec<Item>, Malformed> {
    let (mut items, mut rest) = (Vec::new(), reader.rest());
    while !rest.is_empty() {
        if items.len() >= MOST_ITEMS {
            return Err(Malformed);
        }
        let mut reader = Reader::new(rest);
        items.push(Item::read(&mut reader)?);
        rest = reader.rest();
    }
    Ok(items)
}

/// Divides items into pieces, each of which fits into one letter or message.
pub(super) fn pieces(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut pieces = Vec::<Vec<Item>>::new();
    let mut room = 0_usize;
    for item in items {
        match (room.checked_sub(item.len()), pieces.last_mut()) {
            (Some(left), Some(piece)) if piece.len() < MOST_ITEMS => {
                room = left;
                piece.push(item);
            }
            // An item that is longer than a piece travels alone.
            _ => {
                room = PIECE.saturating_sub(item.len());
                pieces.push([item].into());
            }
        }
    }
    pieces
}

/// Bytes of the items of one letter or message, unless one alone is longer: an entry has up to 33 KiB, and a floor more.
pub(super) const PIECE: usize = 48 << 10;
/// Items of one letter or message: an act has at least 270 bytes.
pub(super) const MOST_ITEMS: usize = 512;
/// First bytes of items.
const ENTRY: u8 = 1;
const ACT: u8 = 2;
const FLOOR: u8 = 3;
const NEWEST_LIST: u8 = 4;
/// Bytes of an item beside its own.
const HEAD: usize = 5;
/// Bytes of a member and the name of its list.
const LIST: usize = AccountKey::LENGTH + ListId::LENGTH;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// Section 15.1. An item that is longer than a letter travels alone.
    #[test]
    fn what_is_long_is_divided_in_order() {
        let lengths = [20_000, 20_000, 20_000, 60_000, 10, 10];
        let items: Vec<_> = lengths.iter().map(|length| Item::Statement(Statement::Act(vec![1; *length]))).collect();
        let divided = pieces(items.clone());
        assert_eq!(divided.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 2]);
        assert_eq!(divided.concat(), items);
        assert_eq!(pieces(vec![items[5].clone(); 1_025]).iter().map(Vec::len).collect::<Vec<_>>(), [512, 512, 1]);
    }
}
