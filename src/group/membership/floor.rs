//! [`Floor`]: what counted when the owner settled the group ([section 13.6](crate::manual::spec::groups#136-bounds-and-floors)).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::encoding::{check_key, read_account, read_array, read_ascending, read_count, read_key, write_count};
use super::limits::{FLOOR_GONE, OPEN_LINKS, STAYS};
use super::link::Link;
use super::{ActId, Stay};
use crate::device::AccountKey;
use crate::keys::IdentityKey;
use crate::labels::group as labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::primitives::kdf::digest;

/// What counted at a settling, of which the acts may then be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Floor {
    /// The stays that have not ended, and whether they are accepted.
    pub(super) stays: BTreeMap<Stay, bool>,
    /// The links that are open.
    pub(super) links: BTreeMap<ActId, Link>,
    /// The endpoints that were retired.
    pub(super) retired: BTreeSet<IdentityKey>,
    /// The accounts of which a removal counted.
    pub(super) removed: BTreeSet<AccountKey>,
}

impl Floor {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { stays, links, retired, removed } = self;
        let mut writer = Writer::with_capacity(stays.len().saturating_mul(Stay::LENGTH + 1).saturating_add(64));
        write_count(writer.u8(VERSION), stays.len());
        for (stay, accepted) in stays {
            stay.write(&mut writer);
            writer.u8(u8::from(*accepted));
        }
        write_count(&mut writer, links.len());
        for (id, link) in links {
            link.write(writer.bytes(id.as_bytes()));
        }
        write_count(&mut writer, retired.len());
        for endpoint in retired {
            writer.bytes(&endpoint.to_bytes());
        }
        write_count(&mut writer, removed.len());
        for account in removed {
            writer.bytes(&account.to_bytes());
        }
        writer.finish()
    }

    /// Reads the floor whose hash the owner has signed, or which was stored. Everything is ascending. P-1.8.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.expect(&[VERSION])?;
        let count = read_count(&mut reader, STAYS)?;
        let stays = read_ascending(&mut reader, count, |reader| Ok((Stay::read(reader)?, reader.flag()?)))?;
        let count = read_count(&mut reader, OPEN_LINKS)?;
        let link = |reader: &mut Reader<'_>| Ok((ActId::from_bytes(read_array(reader)?), Link::read(reader)?));
        let links = read_ascending(&mut reader, count, link)?;
        let count = read_count(&mut reader, FLOOR_GONE)?;
        let retired = read_ascending(&mut reader, count, |reader| Ok((read_key(reader)?, ())))?;
        let count = read_count(&mut reader, FLOOR_GONE)?;
        let removed = read_ascending(&mut reader, count, |reader| Ok((read_account(reader)?, ())))?;
        reader.finish()?;
        Ok(Self { stays, links, retired: retired.into_keys().collect(), removed: removed.into_keys().collect() })
    }

    /// The hash that a `settle` names.
    pub(super) fn hash(bytes: &[u8]) -> [u8; 32] {
        digest(&[labels::FLOOR, bytes])
    }

    /// Checks the points of the keys of accounts that may become members.
    pub(super) fn check_keys(&self) -> Result<(), Malformed> {
        self.stays.keys().try_for_each(|stay| check_key(stay.account.identity()))
    }

    /// Whether a log's entry can name its hash, and a device keep it.
    pub(super) fn fits(&self) -> bool {
        let Self { stays, links, retired, removed } = self;
        let gone = retired.len() <= FLOOR_GONE && removed.len() <= FLOOR_GONE;
        stays.len() <= STAYS && links.len() <= OPEN_LINKS && gone
    }
}

/// The version, the first byte of a floor.
const VERSION: u8 = 0x01;
