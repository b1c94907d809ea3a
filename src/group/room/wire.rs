//! What travels: the bodies of a group's messages, and letters (docs/spec/rooms.md, section 15.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use crate::device::{AccountKey, ListId};
use crate::group::GroupId;
use crate::group::chain::{ChainId, Distribution, ListsDigest};
use crate::group::membership::known::{BUCKETS, Buckets};
use crate::group::membership::{ActId, EntryHash, Statement, StayId};
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::ed25519::SIGNATURE;

/// What a message of a group says, once it is decrypted.
pub(super) enum Body {
    /// What a program wrote: all bytes but the first.
    Content,
    /// What a member did: the statements that others have to take.
    Statements(Vec<Item>),
}

/// Something that a device gives to another, so that both know the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Statement(Statement),
    /// The newest list of a member that the sender knows.
    List(AccountKey, ListId),
}

/// What a letter says.
pub(super) enum Note {
    /// A chain's key.
    Chain(Box<Distribution>),
    /// What the receiver lacks.
    Statements { group: GroupId, items: Vec<Item> },
    /// What the sender knows: the receiver answers with what goes beyond it.
    Ask { group: GroupId, known: Box<Known> },
    /// The sender lacks the chain in which the receiver writes.
    NeedChain { group: GroupId, chain: ChainId },
    /// The sender, who is out, has a link, and wants to be told of the group.
    Knock { group: GroupId, link: ActId, stay: StayId, proof: Box<[u8; SIGNATURE]> },
}

/// What a device knows of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// The newest entry.
    pub(super) epoch: u64,
    pub(super) entry: EntryHash,
    /// The epoch of the floor in force, or 0.
    pub(super) settled: u64,
    pub(super) lists: ListsDigest,
    pub(super) buckets: Buckets,
}

impl Body {
    /// P-15.1.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        match reader.u8()? {
            CONTENT => Ok(Self::Content),
            STATEMENTS => Ok(Self::Statements(read_items(reader)?)),
            _ => Err(Malformed),
        }
    }

    pub(super) fn content(content: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(content.len().saturating_add(1));
        writer.u8(CONTENT).bytes(content);
        writer.finish()
    }

    pub(super) fn statements(items: &[Item]) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(PIECE);
        write_items(items, writer.u8(STATEMENTS));
        writer.finish()
    }
}

impl Note {
    /// The group that a letter is about.
    pub(super) fn group(bytes: &[u8]) -> Result<GroupId, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? == CHAIN {
            // The version of the distribution.
            reader.u8()?;
        }
        reader.array().copied().map(GroupId::from_bytes)
    }

    /// P-15.2.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        if kind == CHAIN {
            let distribution = Distribution::from_bytes(reader.rest()).map_err(|_| Malformed)?;
            return Ok(Self::Chain(Box::new(distribution)));
        }
        let group = GroupId::from_bytes(*reader.array()?);
        Ok(match kind {
            STATEMENTS => Self::Statements { group, items: read_items(reader)? },
            ASK => {
                let (epoch, entry) = (reader.u64()?, EntryHash::from_bytes(*reader.array()?));
                let (settled, lists) = (reader.u64()?, ListsDigest::from_bytes(*reader.array()?));
                let mut buckets = [[0; 8]; BUCKETS];
                for bucket in &mut buckets {
                    *bucket = *reader.array()?;
                }
                reader.finish()?;
                Self::Ask { group, known: Box::new(Known { epoch, entry, settled, lists, buckets }) }
            }
            NEED_CHAIN => {
                let chain = ChainId::from_bytes(*reader.array()?);
                reader.finish()?;
                Self::NeedChain { group, chain }
            }
            KNOCK => {
                let (link, stay) = (ActId::from_bytes(*reader.array()?), StayId::from_bytes(*reader.array()?));
                let proof = Box::new(*reader.array()?);
                reader.finish()?;
                Self::Knock { group, link, stay, proof }
            }
            _ => return Err(Malformed),
        })
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(ROOM);
        match self {
            Self::Chain(distribution) => {
                writer.u8(CHAIN).bytes(&distribution.to_bytes());
            }
            Self::Statements { group, items } => write_items(items, writer.u8(STATEMENTS).bytes(group.as_bytes())),
            Self::Ask { group, known } => {
                let Known { epoch, entry, settled, lists, buckets } = known.as_ref();
                writer.u8(ASK).bytes(group.as_bytes()).u64(*epoch).bytes(entry.as_bytes()).u64(*settled);
                writer.bytes(lists.as_bytes());
                for bucket in buckets {
                    writer.bytes(bucket);
                }
            }
            Self::NeedChain { group, chain } => {
                writer.u8(NEED_CHAIN).bytes(group.as_bytes()).bytes(chain.as_bytes());
            }
            Self::Knock { group, link, stay, proof } => {
                writer.u8(KNOCK).bytes(group.as_bytes()).bytes(link.as_bytes()).bytes(stay.as_bytes());
                writer.bytes(proof.as_ref());
            }
        }
        writer.finish()
    }
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

fn write_items(items: &[Item], writer: &mut SecretWriter) {
    for item in items {
        item.write(writer);
    }
}

fn read_items(reader: Reader<'_>) -> Result<Vec<Item>, Malformed> {
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
const PIECE: usize = 48 << 10;
/// Items of one letter or message: an act has at least 270 bytes.
const MOST_ITEMS: usize = 512;
/// First bytes of a message's body.
const CONTENT: u8 = 1;
/// Of a message's body and of a letter.
const STATEMENTS: u8 = 2;
/// First bytes of letters.
const CHAIN: u8 = 1;
const ASK: u8 = 3;
const NEED_CHAIN: u8 = 4;
const KNOCK: u8 = 5;
/// First bytes of items.
const ENTRY: u8 = 1;
const ACT: u8 = 2;
const FLOOR: u8 = 3;
const NEWEST_LIST: u8 = 4;
/// Bytes of an item beside its own.
const HEAD: usize = 5;
/// Bytes of a member and the name of its list.
const LIST: usize = AccountKey::LENGTH + ListId::LENGTH;
/// Bytes of most letters.
const ROOM: usize = 512;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec;

    use super::*;

    fn items() -> Vec<Item> {
        let key = IdentityKey::from_bytes_without_points(&[9; 64]).unwrap();
        let list = ListId::from_bytes(&[3; ListId::LENGTH]);
        vec![
            Item::Statement(Statement::Entry(vec![1; 300])),
            Item::Statement(Statement::Act(vec![2; 270])),
            Item::Statement(Statement::Floor(Vec::new())),
            Item::List(AccountKey::from_identity(key), list),
        ]
    }

    fn known() -> Known {
        let mut buckets = [[0; 8]; BUCKETS];
        buckets[31] = [7; 8];
        let (entry, lists) = (EntryHash::from_bytes([4; 32]), ListsDigest::from_bytes([5; 32]));
        Known { epoch: 3, entry, settled: 2, lists, buckets }
    }

    const GROUP: GroupId = GroupId::from_bytes([6; 32]);

    /// P-15.2
    #[test]
    fn a_letter_of_a_group_has_one_form_and_names_its_group() {
        let lacking = Note::NeedChain { group: GROUP, chain: ChainId::from_bytes([8; 8]) };
        let asks = Note::Ask { group: GROUP, known: Box::new(known()) };
        let says = Note::Statements { group: GROUP, items: items() };
        let (link, stay) = (ActId::from_bytes([1; 16]), StayId::from_bytes([2; 16]));
        let knocks = Note::Knock { group: GROUP, link, stay, proof: Box::new([3; 64]) };
        for (note, length) in [(lacking, 41), (asks, 369), (knocks, 129), (says, 33 + 4 * 5 + 300 + 270 + 104)] {
            let bytes = note.encode();
            assert_eq!(bytes.len(), length);
            assert_eq!(Note::group(&bytes), Ok(GROUP));
            assert_eq!(Note::decode(&bytes).unwrap().encode(), bytes);
            let longer = [bytes.as_slice(), &[0]].concat();
            assert!(Note::decode(&longer).is_err());
            assert!(Note::decode(&bytes[..length - 1]).is_err());
        }
        let Note::Ask { known: read, .. } =
            Note::decode(&Note::Ask { group: GROUP, known: known().into() }.encode()).unwrap()
        else {
            panic!("a question");
        };
        assert_eq!(*read, known());
        for other in [0, 6, 255] {
            assert!(Note::decode(&[[other].as_slice(), &[6; 40]].concat()).is_err());
        }
        assert!(Note::decode(&[]).is_err() && Note::group(&[1; 20]).is_err());
    }

    /// P-15.1
    #[test]
    fn a_body_that_is_no_content_has_whole_items_and_not_too_many() {
        let body = Body::statements(&items());
        let Ok(Body::Statements(read)) = Body::decode(&body) else { panic!("statements") };
        assert_eq!(read, items());
        assert!(matches!(Body::decode(&Body::content(b"halo")), Ok(Body::Content)));
        for short in 2..body.len() {
            let whole = [1 + 305, 1 + 305 + 275, 1 + 305 + 275 + 5].contains(&short);
            assert_eq!(Body::decode(&body[..short]).is_ok(), whole, "{short}");
        }
        for unknown in [&[0_u8, 1][..], &[3], &[2, 5, 0, 0, 0, 0], &[]] {
            assert!(Body::decode(unknown).is_err());
        }
        let many = |count: usize| [[2].as_slice(), &[2, 0, 0, 0, 0].repeat(count)].concat();
        assert!(Body::decode(&many(MOST_ITEMS)).is_ok() && Body::decode(&many(MOST_ITEMS + 1)).is_err());
    }

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
