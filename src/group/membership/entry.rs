//! [`Entry`]: one signed entry of the owner's log ([section 13.1](crate::manual::spec::groups#131-entries)).
//!
//! Whether an entry may follow those before it is decided in `log.rs`.

use alloc::vec::Vec;
use core::fmt;

use super::change::{Change, Unread};
use super::encoding::{read_account, read_array, read_count, write_count};
use super::limits::{CHANGE_BYTES, CHANGES};
use super::{EntryHash, GroupId};
use crate::device::AccountKey;
use crate::keys::Identity;
use crate::labels::group as labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::ed25519::SIGNATURE;
use bisik_core::primitives::kdf::digest;
use bisik_core::time::Timestamp;

/// Where an entry stands and what it says, before it is signed.
#[derive(Clone)]
pub(super) struct Draft {
    /// All zero in the first entry.
    pub(super) group: GroupId,
    pub(super) epoch: u64,
    /// All zero in the first entry.
    pub(super) previous: EntryHash,
    pub(super) author: AccountKey,
    pub(super) time: Timestamp,
    pub(super) changes: Vec<Change>,
    /// The hash of the rights after this entry.
    pub(super) rights: [u8; 32],
}

/// What the rights after an entry depend on.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) epoch: u64,
    pub(super) previous: &'a EntryHash,
    pub(super) author: &'a AccountKey,
    pub(super) changes: &'a [Change],
}

/// An entry of which nothing but the frame was read.
pub(super) struct UnverifiedEntry<'a> {
    bytes: &'a [u8],
    pub(super) group: GroupId,
    pub(super) epoch: u64,
    pub(super) previous: EntryHash,
    pub(super) author: AccountKey,
    time: Timestamp,
    changes: &'a [u8],
    rights: [u8; 32],
    signature: &'a [u8; SIGNATURE],
}

/// An entry whose signature has verified, and whose changes were read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    bytes: Vec<u8>,
    pub(super) hash: EntryHash,
    pub(super) epoch: u64,
    pub(super) previous: EntryHash,
    pub(super) author: AccountKey,
    pub(super) time: Timestamp,
    pub(super) changes: Vec<Change>,
    pub(super) rights: [u8; 32],
}

impl Draft {
    pub(super) fn step(&self) -> Step<'_> {
        let Self { group: _, epoch, previous, author, time: _, changes, rights: _ } = self;
        Step { epoch: *epoch, previous, author, changes }
    }

    /// Whether the changes are few enough for one entry.
    pub(super) fn fits(&self) -> bool {
        let mut encoded = Writer::with_capacity(256);
        self.changes.iter().for_each(|change| change.write(&mut encoded));
        self.changes.len() <= CHANGES && encoded.finish().len() <= CHANGE_BYTES
    }

    /// Signs the draft.
    pub(super) fn sign(&self, owner: &Identity) -> Vec<u8> {
        let Self { group, epoch, previous, author, time, changes, rights } = self;
        let mut encoded = Writer::with_capacity(256);
        changes.iter().for_each(|change| change.write(&mut encoded));
        let encoded = encoded.finish();
        let mut writer = Writer::with_capacity(encoded.len().saturating_add(FIXED));
        writer.u8(VERSION).bytes(group.as_bytes()).u64(*epoch).bytes(previous.as_bytes());
        writer.bytes(&author.to_bytes()).u64(time.as_unix_seconds());
        write_count(&mut writer, encoded.len());
        writer.bytes(&encoded).bytes(rights);
        let mut bytes = writer.finish();
        let signature = owner.sign_labelled(labels::ENTRY, &bytes);
        bytes.extend_from_slice(&signature);
        bytes
    }
}

impl<'a> UnverifiedEntry<'a> {
    /// Reads the frame of an entry. The changes are read only after the signature has verified. P-13.1.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Unread> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(Unread::Newer);
        }
        let entry = Self {
            bytes,
            group: GroupId::from_bytes(read_array(&mut reader)?),
            epoch: reader.u64()?,
            previous: EntryHash::from_bytes(read_array(&mut reader)?),
            author: read_account(&mut reader)?,
            time: Timestamp::from_unix_seconds(reader.u64()?),
            changes: {
                let length = read_count(&mut reader, CHANGE_BYTES)?;
                reader.slice(length)?
            },
            rights: read_array(&mut reader)?,
            signature: reader.array()?,
        };
        reader.finish()?;
        Ok(entry)
    }

    pub(super) fn hash(&self) -> EntryHash {
        EntryHash::from_bytes(digest(&[labels::ENTRY_HASH, self.bytes]))
    }

    /// Whether `owner` has signed the entry.
    pub(super) fn is_signed_by(&self, owner: &AccountKey) -> bool {
        let signed = self.bytes.split_last_chunk::<SIGNATURE>();
        signed.is_some_and(|(text, _)| owner.identity().verify_labelled(labels::ENTRY, text, self.signature))
    }

    /// Reads the changes. Call it once the signature has verified, or for what was verified before.
    pub(super) fn parse(&self) -> Result<Entry, Unread> {
        let Self { bytes, group: _, epoch, previous, author, time, changes, rights, signature: _ } = self;
        Ok(Entry {
            bytes: bytes.to_vec(),
            hash: self.hash(),
            epoch: *epoch,
            previous: *previous,
            author: *author,
            time: *time,
            changes: Change::read_all(changes)?,
            rights: *rights,
        })
    }
}

impl Entry {
    pub(super) fn step(&self) -> Step<'_> {
        let Self { bytes: _, hash: _, epoch, previous, author, time: _, changes, rights: _ } = self;
        Step { epoch: *epoch, previous, author, changes }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks the points of every key that the entry names.
    pub(super) fn check_keys(&self) -> Result<(), Malformed> {
        self.changes.iter().try_for_each(Change::check_keys)
    }

    /// The id of the group that this entry founds.
    pub(super) fn group_id(&self) -> GroupId {
        GroupId::from_bytes(digest(&[labels::ID, &self.bytes]))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("epoch", &self.epoch).field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// The version, the first byte of an entry.
const VERSION: u8 = 0x01;

/// Bytes of an entry without its changes.
pub(super) const FIXED: usize = 243;
