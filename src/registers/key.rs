//! [`RegisterKey`]: what a register is about (docs/spec/registers.md, section 17.1).

use alloc::vec::Vec;
use core::fmt;

use super::error::RegisterError;
use super::limits::{ID, PARTS};
use crate::device::AccountKey;
use crate::group::GroupId;
use crate::group::status::AudienceEntry;
use crate::keys::IdentityKey;
use crate::labels;
use bisik_core::primitives::kdf::digest;

/// What a register is about: a kind and a name of 1 to 80 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegisterKey {
    pub(super) kind: u8,
    pub(super) id: Vec<u8>,
}

/// What a user has found out about an account key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The user has compared this with the person.
    Verified {
        /// What was compared, as 32 bytes: a hash.
        what: [u8; 32],
    },
    /// The user has taken the mark back, or what was compared has changed. Of two marks that were made at once this holds.
    NotVerified,
}

/// The account key that a contact is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The user goes by it.
    Known(AccountKey),
    /// The contact has this one now, and the user has not acknowledged it. Of two pins that were made at once this holds.
    Changed(AccountKey),
}

impl RegisterKey {
    /// A setting of the program: any value of at most 4,096 bytes.
    ///
    /// # Errors
    ///
    /// [`RegisterError::TooLong`] for no name, or one of more than 80 bytes.
    pub fn setting(name: &str) -> Result<Self, RegisterError> {
        Self::new(SETTING, name.as_bytes())
    }

    /// Up to where a conversation or group was read, by its id: a number of 8 bytes, big-endian
    /// ([`position`](Self::position)). It only grows, unless the user [sets it back](super::Registers::set_back).
    ///
    /// # Errors
    ///
    /// [`RegisterError::TooLong`] for no id, or one of more than 80 bytes.
    pub fn read_mark(of: &[u8]) -> Result<Self, RegisterError> {
        Self::new(READ_MARK, of)
    }

    /// Whether an account's key was verified: a [`Mark`].
    #[must_use]
    pub fn verified(account: &AccountKey) -> Self {
        Self { kind: VERIFIED, id: account.to_bytes().to_vec() }
    }

    /// The account key that a contact is known by, under the program's name of the contact: a [`Pin`].
    ///
    /// # Errors
    ///
    /// [`RegisterError::TooLong`] for no name, or one of more than 80 bytes.
    pub fn pinned(contact: &str) -> Result<Self, RegisterError> {
        Self::new(PINNED, contact.as_bytes())
    }

    /// Whether an account is blocked: one byte, 1 or 0. Of two values that were written at once 1 holds.
    #[must_use]
    pub fn blocked(account: &AccountKey) -> Self {
        Self { kind: BLOCKED, id: account.to_bytes().to_vec() }
    }

    /// An [audience](crate::group::status::Audience) of the account: any value, such as its name for the user.
    #[must_use]
    pub fn audience(audience: &GroupId) -> Self {
        Self { kind: AUDIENCE_ID, id: audience.as_bytes().to_vec() }
    }

    /// Whether an account is in an [audience](crate::group::status::Audience): a version and a flag, which only go forward
    /// ([`member`](Self::member)).
    #[must_use]
    pub fn audience_member(audience: &GroupId, account: &AccountKey) -> Self {
        let (name, _) = audience.as_bytes().split_at(16);
        Self { kind: AUDIENCE, id: [name, &account.to_bytes()].concat() }
    }

    /// A kind of the program's own, 128 to 255: any value, and the last write holds.
    ///
    /// # Errors
    ///
    /// [`RegisterError::WrongValue`] for another kind, [`RegisterError::TooLong`] for no name, or one of more than 80 bytes.
    pub fn of_program(kind: u8, id: &[u8]) -> Result<Self, RegisterError> {
        if kind < OF_PROGRAM { Err(RegisterError::WrongValue) } else { Self::new(kind, id) }
    }

    pub(super) fn new(kind: u8, id: &[u8]) -> Result<Self, RegisterError> {
        let allowed = !id.is_empty() && id.len() <= ID;
        if allowed { Ok(Self { kind, id: id.to_vec() }) } else { Err(RegisterError::TooLong) }
    }

    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        self.kind
    }

    /// Returns the name.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// The value of a read mark.
    #[must_use]
    pub const fn position(position: u64) -> [u8; 8] {
        position.to_be_bytes()
    }

    /// The value of a member of an audience: [`AudienceEntry`](crate::group::status::AudienceEntry)'s version and flag.
    #[must_use]
    pub fn member(version: u64, included: bool) -> [u8; 9] {
        let mut value = [0; 9];
        let (number, flag) = value.split_at_mut(8);
        number.copy_from_slice(&version.to_be_bytes());
        flag.fill(u8::from(included));
        value
    }

    /// The entry of an audience that a register has, if it is one of this audience.
    pub(super) fn as_member(&self, audience: &[u8], value: &[u8]) -> Option<AudienceEntry> {
        let account = self.id.strip_prefix(audience).filter(|_| self.kind == AUDIENCE)?;
        let account = AccountKey::from_identity(IdentityKey::from_bytes_without_points(account.try_into().ok()?).ok()?);
        let (version, included) = value.split_first_chunk()?;
        Some(AudienceEntry { account, version: u64::from_be_bytes(*version), included: included == [1] })
    }

    /// P-17.4: whether a register of this kind may have such a value.
    pub(super) fn allows(&self, value: Option<&[u8]>) -> bool {
        match (self.kind, value) {
            // These only go forward.
            (READ_MARK | AUDIENCE, None) => false,
            (READ_MARK, Some(value)) => value.len() == 8,
            (VERIFIED, Some(value)) => Mark::read(value).is_some() && self.id.len() == AccountKey::LENGTH,
            (AUDIENCE, Some(value)) => {
                matches!(value, [_, _, _, _, _, _, _, _, 0 | 1]) && self.id.len() == 16 + AccountKey::LENGTH
            }
            (PINNED, Some(value)) => Pin::read(value).is_some(),
            (BLOCKED, Some(value)) => matches!(value, [0 | 1]) && self.id.len() == AccountKey::LENGTH,
            (VERIFIED | BLOCKED, None) => self.id.len() == AccountKey::LENGTH,
            (AUDIENCE_ID, _) => self.id.len() == GroupId::LENGTH,
            (kind, _) => kind != 0,
        }
    }

    /// The part to which the register belongs.
    pub(super) fn part(&self) -> usize {
        let [first, ..] = digest(&[labels::REGISTER_KEY, &[self.kind], &self.id]);
        usize::from(first) % PARTS
    }
}

impl Mark {
    /// The value of a register, 33 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 33] {
        let mut value = [0; 33];
        let (state, rest) = value.split_at_mut(1);
        match self {
            Self::Verified { what } => {
                state.fill(1);
                rest.copy_from_slice(what);
            }
            Self::NotVerified => state.fill(2),
        }
        value
    }

    /// Reads the value of a register; `None` if it is no mark.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        let (state, what) = value.split_first()?;
        let what = <[u8; 32]>::try_from(what).ok()?;
        match state {
            1 => Some(Self::Verified { what }),
            2 => (what == [0; 32]).then_some(Self::NotVerified),
            _ => None,
        }
    }
}

impl Pin {
    /// The value of a register, 65 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 65] {
        let mut value = [0; 65];
        let (state, rest) = value.split_at_mut(1);
        let (byte, account) = match self {
            Self::Known(account) => (1, account),
            Self::Changed(account) => (2, account),
        };
        state.fill(byte);
        rest.copy_from_slice(&account.to_bytes());
        value
    }

    /// Reads the value of a register; `None` if it is no pin.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        let (state, account) = value.split_first()?;
        let account = IdentityKey::from_bytes_without_points(account.try_into().ok()?).ok()?;
        match state {
            1 => Some(Self::Known(AccountKey::from_identity(account))),
            2 => Some(Self::Changed(AccountKey::from_identity(account))),
            _ => None,
        }
    }
}

/// Does not show the name, which may say whom it is about.
impl fmt::Debug for RegisterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, id } = self;
        f.debug_struct("RegisterKey").field("kind", kind).field("length", &id.len()).finish()
    }
}

pub(super) const SETTING: u8 = 1;
pub(super) const READ_MARK: u8 = 2;
pub(super) const VERIFIED: u8 = 3;
pub(super) const AUDIENCE: u8 = 4;
pub(super) const BLOCKED: u8 = 5;
const AUDIENCE_ID: u8 = 6;
pub(super) const PINNED: u8 = 7;
/// Kinds from here on are the program's.
const OF_PROGRAM: u8 = 128;
