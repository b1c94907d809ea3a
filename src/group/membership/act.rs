//! [`Act`]: one signed statement of a member's device ([section 13.3](crate::manual::spec::groups#133-acts)).
//!
//! Who may make which is decided in `permit.rs`, and which count in `count.rs`.

use alloc::vec::Vec;
use core::fmt;

use super::change::Unread;
use super::encoding::{check_key, read_account, read_array, read_ids, read_key, write_ids};
use super::limits::KEPT;
use super::link::Link;
use super::{ActHash, ActId, EntryHash, GroupId, Stay, StayId};
use crate::device::{AccountKey, DeviceEntry, ListId};
use crate::keys::{Identity, IdentityKey};
use crate::labels::group as labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::ed25519::{SIGNATURE, SignaturePublicKey};
use bisik_core::primitives::kdf::digest;
use bisik_core::time::Timestamp;

/// The kind of an act and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Add(Stay),
    Accept,
    Leave { kept: Vec<ActId> },
    Remove { target: Stay, kept: Vec<ActId> },
    Retire { endpoint: IdentityKey, account: AccountKey },
    OpenLink(Link),
    CloseLink { link: ActId, kept: Vec<ActId> },
    Join { link: ActId, proof: [u8; SIGNATURE] },
    Rekey,
}

/// What an act holds back even if it does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HeldBack {
    Stay(Stay),
    /// Who joins by the link.
    Link(ActId),
    /// The endpoint, unless an entry after this epoch withdraws it.
    Endpoint(IdentityKey, u64),
}

impl HeldBack {
    /// The same whichever entry the act names.
    pub(super) const fn of_any_epoch(self) -> Self {
        match self {
            Self::Endpoint(endpoint, _) => Self::Endpoint(endpoint, 0),
            Self::Stay(_) | Self::Link(_) => self,
        }
    }
}

/// An act before it is signed.
pub(super) struct Draft {
    pub(super) group: GroupId,
    /// The entry that it names: the newest that its author knows.
    pub(super) epoch: u64,
    pub(super) entry: EntryHash,
    pub(super) author: Stay,
    pub(super) device: u32,
    pub(super) list: ListId,
    pub(super) time: Timestamp,
    pub(super) body: Body,
}

/// An act of which nothing but the frame was read.
pub(super) struct UnverifiedAct<'a> {
    bytes: &'a [u8],
    pub(super) group: GroupId,
    pub(super) epoch: u64,
    pub(super) entry: EntryHash,
    pub(super) author: Stay,
    pub(super) device: u32,
    pub(super) list: ListId,
    time: Timestamp,
    kind: u8,
    body: &'a [u8],
    signature: &'a [u8; SIGNATURE],
}

/// An act whose signature has verified, and whose body was read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Act {
    bytes: Vec<u8>,
    pub(super) hash: ActHash,
    pub(super) epoch: u64,
    pub(super) entry: EntryHash,
    pub(super) author: Stay,
    /// The identity of the device that signed it.
    pub(super) device: IdentityKey,
    pub(super) time: Timestamp,
    pub(super) body: Body,
}

impl Draft {
    /// Signs the act as the device of `identity`.
    pub(super) fn sign(&self, identity: &Identity) -> Vec<u8> {
        let Self { group, epoch, entry, author, device, list, time, body } = self;
        let mut writer = Writer::with_capacity(512);
        writer.u8(VERSION).bytes(group.as_bytes()).u64(*epoch).bytes(entry.as_bytes());
        author.write(&mut writer);
        writer.u32(*device).bytes(&list.to_bytes()).u64(time.as_unix_seconds());
        body.write(&mut writer);
        let mut bytes = writer.finish();
        let signature = identity.sign_labelled(labels::ACT, &bytes);
        bytes.extend_from_slice(&signature);
        bytes
    }
}

impl<'a> UnverifiedAct<'a> {
    /// Reads the frame of an act. The body is read only after the signature has verified. P-13.5.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Unread> {
        let (text, signature) = bytes.split_last_chunk::<SIGNATURE>().ok_or(Unread::Malformed)?;
        if bytes.len() > LONGEST {
            return Err(Unread::Malformed);
        }
        let mut reader = Reader::new(text);
        if reader.u8()? != VERSION {
            return Err(Unread::Newer);
        }
        let act = Self {
            bytes,
            group: GroupId::from_bytes(read_array(&mut reader)?),
            epoch: reader.u64()?,
            entry: EntryHash::from_bytes(read_array(&mut reader)?),
            author: Stay { account: read_account(&mut reader)?, id: StayId::from_bytes(read_array(&mut reader)?) },
            device: reader.u32()?,
            list: ListId::from_bytes(reader.array()?),
            time: Timestamp::from_unix_seconds(reader.u64()?),
            kind: reader.u8()?,
            body: reader.rest(),
            signature,
        };
        // The primary's acts need no list, and name none: there is one encoding.
        let names_none = act.list.to_bytes() == [0; ListId::LENGTH];
        if (act.device == DeviceEntry::PRIMARY) == names_none { Ok(act) } else { Err(Unread::Malformed) }
    }

    pub(super) fn hash(&self) -> ActHash {
        ActHash::from_bytes(digest(&[labels::ACT_HASH, self.bytes]))
    }

    /// Whether the device with this identity has signed the act.
    pub(super) fn is_signed_by(&self, device: &IdentityKey) -> bool {
        let signed = self.bytes.split_last_chunk::<SIGNATURE>();
        signed.is_some_and(|(text, _)| device.verify_labelled(labels::ACT, text, self.signature))
    }

    /// Reads the body. Call it once the signature of `device` has verified, or for what was verified before.
    pub(super) fn parse(&self, device: IdentityKey) -> Result<Act, Unread> {
        let Self { bytes, epoch, entry, author, time, kind, body, .. } = self;
        let mut reader = Reader::new(body);
        let body = Body::read(*kind, &mut reader)?;
        reader.finish()?;
        Ok(Act {
            bytes: bytes.to_vec(),
            hash: self.hash(),
            epoch: *epoch,
            entry: *entry,
            author: *author,
            device,
            time: *time,
            body,
        })
    }
}

impl Body {
    /// Writes the kind and what it says.
    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Add(stay) => stay.write(writer.u8(ADD)),
            Self::Accept => {
                writer.u8(ACCEPT);
            }
            Self::Leave { kept } => write_ids(writer.u8(LEAVE), kept),
            Self::Remove { target, kept } => {
                target.write(writer.u8(REMOVE));
                write_ids(writer, kept);
            }
            Self::Retire { endpoint, account } => {
                writer.u8(RETIRE).bytes(&endpoint.to_bytes()).bytes(&account.to_bytes());
            }
            Self::OpenLink(link) => link.write(writer.u8(OPEN_LINK)),
            Self::CloseLink { link, kept } => {
                write_ids(writer.u8(CLOSE_LINK).bytes(link.as_bytes()), kept);
            }
            Self::Join { link, proof } => {
                writer.u8(JOIN).bytes(link.as_bytes()).bytes(proof);
            }
            Self::Rekey => {
                writer.u8(REKEY);
            }
        }
    }

    pub(super) fn read(kind: u8, reader: &mut Reader<'_>) -> Result<Self, Unread> {
        Ok(match kind {
            ADD => Self::Add(Stay::read(reader)?),
            ACCEPT => Self::Accept,
            LEAVE => Self::Leave { kept: read_ids(reader, KEPT)? },
            REMOVE => Self::Remove { target: Stay::read(reader)?, kept: read_ids(reader, KEPT)? },
            RETIRE => Self::Retire { endpoint: read_key(reader)?, account: read_account(reader)? },
            OPEN_LINK => Self::OpenLink(Link::read(reader)?),
            CLOSE_LINK => {
                Self::CloseLink { link: ActId::from_bytes(read_array(reader)?), kept: read_ids(reader, KEPT)? }
            }
            JOIN => Self::Join { link: ActId::from_bytes(read_array(reader)?), proof: read_array(reader)? },
            REKEY => Self::Rekey,
            _ => return Err(Unread::Newer),
        })
    }
}

impl Act {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn id(&self) -> ActId {
        self.hash.id()
    }

    /// Whether the account's primary device signed it.
    pub(super) fn is_by_primary(&self) -> bool {
        self.device == *self.author.account.identity()
    }

    /// Whether the act lasts only as long as its author's stay, or was kept. P-13.9.
    pub(super) fn ends_with_its_author(&self) -> bool {
        match &self.body {
            Body::Retire { endpoint: _, account } => *account != self.author.account,
            Body::Add(_)
            | Body::Accept
            | Body::Leave { .. }
            | Body::Remove { .. }
            | Body::OpenLink(_)
            | Body::CloseLink { .. }
            | Body::Join { .. }
            | Body::Rekey => self.needs_a_right(),
        }
    }

    /// The stay that the act adds, if it does.
    pub(super) const fn adds(&self) -> Option<&Stay> {
        match &self.body {
            Body::Add(stay) => Some(stay),
            Body::Join { .. } => Some(&self.author),
            Body::Accept
            | Body::Leave { .. }
            | Body::Remove { .. }
            | Body::Retire { .. }
            | Body::OpenLink(_)
            | Body::CloseLink { .. }
            | Body::Rekey => None,
        }
    }

    /// The stay that the act ends.
    pub(super) const fn ends(&self) -> Option<&Stay> {
        match &self.body {
            Body::Remove { target, kept: _ } => Some(target),
            Body::Leave { kept: _ } => Some(&self.author),
            Body::Add(_)
            | Body::Accept
            | Body::Retire { .. }
            | Body::OpenLink(_)
            | Body::CloseLink { .. }
            | Body::Join { .. }
            | Body::Rekey => None,
        }
    }

    /// The stay that the act removes.
    pub(super) const fn removes(&self) -> Option<&Stay> {
        if let Body::Remove { target, kept: _ } = &self.body { Some(target) } else { None }
    }

    /// The link by which the act joins.
    pub(super) const fn joins_by(&self) -> Option<&ActId> {
        if let Body::Join { link, proof: _ } = &self.body { Some(link) } else { None }
    }

    /// The link that the act opens.
    pub(super) const fn opens(&self) -> Option<&Link> {
        if let Body::OpenLink(link) = &self.body { Some(link) } else { None }
    }

    /// What the act holds back, even if it does not count. P-13.13.
    pub(super) const fn holds_back(&self) -> Option<HeldBack> {
        match &self.body {
            Body::Remove { target, kept: _ } => Some(HeldBack::Stay(*target)),
            Body::Leave { kept: _ } => Some(HeldBack::Stay(self.author)),
            Body::CloseLink { link, kept: _ } => Some(HeldBack::Link(*link)),
            Body::Retire { endpoint, account: _ } => Some(HeldBack::Endpoint(*endpoint, self.epoch)),
            Body::Add(_) | Body::Accept | Body::OpenLink(_) | Body::Join { .. } | Body::Rekey => None,
        }
    }

    /// The names of the acts that this one keeps.
    pub(super) fn kept(&self) -> &[ActId] {
        match &self.body {
            Body::Leave { kept } | Body::Remove { kept, .. } | Body::CloseLink { kept, .. } => kept,
            Body::Add(_) | Body::Accept | Body::Retire { .. } | Body::OpenLink(_) | Body::Join { .. } | Body::Rekey => {
                &[]
            }
        }
    }

    /// Whether the act needs a right: the number of those is bounded.
    pub(super) const fn needs_a_right(&self) -> bool {
        match &self.body {
            Body::Add(_) | Body::Remove { .. } | Body::OpenLink(_) | Body::CloseLink { .. } | Body::Rekey => true,
            Body::Accept | Body::Leave { .. } | Body::Retire { .. } | Body::Join { .. } => false,
        }
    }

    /// Whether it matters that the act stands once its author has lost the right to it. New keys that were asked for were
    /// made, or are made when he goes.
    pub(super) const fn is_worth_keeping(&self) -> bool {
        !matches!(self.body, Body::Rekey)
    }

    /// Checks the points of every key that the act names.
    pub(super) fn check_keys(&self) -> Result<(), Malformed> {
        // Who joins by a link was named by nobody else.
        check_key(self.author.account.identity())?;
        match &self.body {
            Body::Add(stay) | Body::Remove { target: stay, .. } => check_key(stay.account.identity()),
            Body::Retire { endpoint, account } => check_key(endpoint).and_then(|()| check_key(account.identity())),
            Body::OpenLink(link) => SignaturePublicKey::decode(&link.verifier).map(drop).map_err(|_| Malformed),
            Body::Accept | Body::Leave { .. } | Body::CloseLink { .. } | Body::Join { .. } | Body::Rekey => Ok(()),
        }
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes: _, hash, epoch, entry: _, author, device: _, time: _, body } = self;
        let mut shown = f.debug_struct("Act");
        shown.field("hash", hash).field("epoch", epoch).field("author", author).field("body", body).finish()
    }
}

/// The version, the first byte of an act.
const VERSION: u8 = 0x01;

/// Bytes of the longest act: a removal that keeps 1,024 acts.
pub(super) const LONGEST: usize = 270 + Stay::LENGTH + 2 + KEPT * ActId::LENGTH;

const ADD: u8 = 1;
const ACCEPT: u8 = 2;
const LEAVE: u8 = 3;
const REMOVE: u8 = 4;
const RETIRE: u8 = 5;
const OPEN_LINK: u8 = 6;
const CLOSE_LINK: u8 = 7;
const JOIN: u8 = 8;
const REKEY: u8 = 9;
