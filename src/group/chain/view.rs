//! [`View`] and [`ListsDigest`]: what the sender of a message knows of its group (docs/spec/chains.md, section 14.2).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use crate::device::{AccountKey, ListId};
use crate::labels;
use bisik_core::convert::first;
use bisik_core::primitives::kdf::digest;

/// What a sender goes by when it writes: which entry of the group's log, which acts and which device lists. It is
/// encrypted in every message, so that a receiver sees who knows less than the other.
///
/// ```
/// use bisik::group::{ListsDigest, View};
///
/// let lists = ListsDigest::of(&Default::default());
/// let view = View::new(0x1_0005, &[1; 32], &[2; 32], &lists);
/// assert_eq!(view.epoch(), 5); // modulo 2^16
/// assert_eq!(View::from_bytes(*view.as_bytes()), view);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct View([u8; Self::LENGTH]);

impl View {
    /// Length in bytes: 8.
    pub const LENGTH: usize = 8;

    /// What an audience is told.
    pub(in crate::group) const NONE: Self = Self([0; Self::LENGTH]);

    /// The view of somebody whose newest entry has this number and hash, and who knows these acts and lists.
    #[must_use]
    pub fn new(epoch: u64, entry: &[u8; 32], acts: &[u8; 32], lists: &ListsDigest) -> Self {
        let [.., high, low] = epoch.to_be_bytes();
        let [a, b, c, d, e, f] = first(&digest(&[labels::GROUP_VIEW, entry, acts, lists.as_bytes()]));
        Self([high, low, a, b, c, d, e, f])
    }

    /// Takes the 8 bytes of a view.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Returns the 8 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Returns the number of the newest entry, modulo 2^16.
    #[must_use]
    pub const fn epoch(&self) -> u16 {
        let [high, low, ..] = self.0;
        u16::from_be_bytes([high, low])
    }
}

/// Shows the epoch alone.
impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

/// The digest of the device lists of a group's members: two devices with one digest know the same lists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListsDigest([u8; Self::LENGTH]);

impl ListsDigest {
    /// Length in bytes: 32.
    pub const LENGTH: usize = 32;

    /// What an audience is told.
    pub(in crate::group) const NONE: Self = Self([0; Self::LENGTH]);

    /// The digest of the newest known list of each member.
    #[must_use]
    pub fn of(lists: &BTreeMap<AccountKey, ListId>) -> Self {
        let lists: Vec<_> = lists.iter().map(|(account, list)| (account.to_bytes(), list.to_bytes())).collect();
        let parts = lists.iter().flat_map(|(account, list)| [account.as_slice(), list.as_slice()]);
        Self(digest(&core::iter::once(labels::GROUP_LISTS).chain(parts).collect::<Vec<_>>()))
    }

    /// Takes the 32 bytes of a digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for ListsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "ListsDigest({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}
