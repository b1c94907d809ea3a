//! What travels: the bodies of a group's messages, and letters (docs/spec/rooms.md, section 15.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::history::HistoryPointer;
use super::id::GroupMessageId;
use super::items::{Item, PIECE, read_items, write_items};
use crate::group::GroupId;
use crate::group::chain::{ChainId, Distribution, ListsDigest, View};
use crate::group::membership::known::{BUCKETS, Buckets};
use crate::group::membership::{ActId, EntryHash, StayId};
use crate::group::write::{CHAIN, chain_letter};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::ed25519::SIGNATURE;

/// What a message of a group says, once it is decrypted.
pub(super) enum Body {
    /// What a program wrote: all bytes but the first.
    Content,
    /// What a member did: the statements that others have to take.
    Statements(Vec<Item>),
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
    /// Messages of the receiver that the sender knows of, and that have not arrived.
    Lacking { group: GroupId, messages: Vec<GroupMessageId> },
    /// A message that was lacking.
    Again(Box<Again>),
    /// The sender, who is out, has a link, and wants to be told of the group.
    Knock { group: GroupId, link: ActId, stay: StayId, proof: Box<[u8; SIGNATURE]> },
    /// Earlier messages that the sender passes on.
    History { group: GroupId, pointer: HistoryPointer },
}

/// A content that is given again.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) group: GroupId,
    pub(super) id: GroupMessageId,
    /// What its author went by when it wrote it.
    pub(super) view: View,
    pub(super) body: Zeroizing<Vec<u8>>,
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
        match reader.u8()? {
            // Behind the version of the distribution.
            CHAIN => drop(reader.u8()?),
            STATEMENTS..=HISTORY => {}
            // What own devices share, and statuses, are of no group.
            _ => return Err(Malformed),
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
            LACKING => {
                let (mut messages, mut rest) = (Vec::new(), reader.rest());
                while !rest.is_empty() && messages.len() < MOST_LACKING {
                    let mut reader = Reader::new(rest);
                    messages.push(GroupMessageId::read(&mut reader)?);
                    rest = reader.rest();
                }
                Reader::new(rest).finish()?;
                Self::Lacking { group, messages }
            }
            AGAIN => {
                let (id, view) = (GroupMessageId::read(&mut reader)?, View::from_bytes(*reader.array()?));
                Self::Again(Box::new(Again { group, id, view, body: Zeroizing::new(reader.rest().to_vec()) }))
            }
            KNOCK => {
                let (link, stay) = (ActId::from_bytes(*reader.array()?), StayId::from_bytes(*reader.array()?));
                let proof = Box::new(*reader.array()?);
                reader.finish()?;
                Self::Knock { group, link, stay, proof }
            }
            HISTORY => Self::History { group, pointer: HistoryPointer::decode(reader.rest())? },
            _ => return Err(Malformed),
        })
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(ROOM);
        match self {
            Self::Chain(distribution) => return chain_letter(distribution),
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
            Self::Lacking { group, messages } => {
                writer.u8(LACKING).bytes(group.as_bytes());
                messages.iter().for_each(|id| id.write(&mut writer));
            }
            Self::Again(again) => {
                let Again { group, id, view, body } = again.as_ref();
                id.write(writer.u8(AGAIN).bytes(group.as_bytes()));
                writer.bytes(view.as_bytes()).bytes(body);
            }
            Self::Knock { group, link, stay, proof } => {
                writer.u8(KNOCK).bytes(group.as_bytes()).bytes(link.as_bytes()).bytes(stay.as_bytes());
                writer.bytes(proof.as_ref());
            }
            Self::History { group, pointer } => {
                writer.u8(HISTORY).bytes(group.as_bytes()).bytes(&pointer.encode());
            }
        }
        writer.finish()
    }
}

/// Messages that one letter asks for.
pub(super) const MOST_LACKING: usize = 64;
/// First bytes of a message's body.
const CONTENT: u8 = 1;
/// Of a message's body and of a letter.
const STATEMENTS: u8 = 2;
/// First bytes of letters.
const ASK: u8 = 3;
const NEED_CHAIN: u8 = 4;
const KNOCK: u8 = 5;
const LACKING: u8 = 6;
const AGAIN: u8 = 7;
const HISTORY: u8 = 8;
/// Bytes of most letters.
const ROOM: usize = 512;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::vec;

    use super::super::items::MOST_ITEMS;
    use super::*;
    use crate::device::{AccountKey, ListId};
    use crate::group::membership::Statement;
    use crate::keys::IdentityKey;

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
        let id = GroupMessageId { chain: ChainId::from_bytes([8; 8]), index: 7 };
        let again = Again { group: GROUP, id, view: View::from_bytes([9; 8]), body: Zeroizing::new(b"halo".to_vec()) };
        assert_eq!(Note::group(&Note::Again(Box::new(again.clone())).encode()), Ok(GROUP));
        assert!(
            matches!(Note::decode(&Note::Again(Box::new(again.clone())).encode()), Ok(Note::Again(read)) if *read == again)
        );
        let messages = Note::Lacking { group: GROUP, messages: vec![id; MOST_LACKING] };
        let more = Note::Lacking { group: GROUP, messages: vec![id; MOST_LACKING + 1] };
        assert!(Note::decode(&more.encode()).is_err());
        for (note, length) in
            [(lacking, 41), (asks, 369), (knocks, 129), (messages, 33 + 64 * 12), (says, 33 + 4 * 5 + 300 + 270 + 104)]
        {
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
        for other in [0, 9, 16, 17, 18, 255] {
            let letter = [[other].as_slice(), &[6; 40]].concat();
            assert!(Note::decode(&letter).is_err());
            assert!(Note::group(&letter).is_err(), "{other}");
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
}
