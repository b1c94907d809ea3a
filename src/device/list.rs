//! [`DeviceList`]: all devices of an account at one time, signed by its primary device.
//!
//! Whether a list may follow those seen before is decided in `directory.rs`.

use alloc::vec::Vec;
use core::fmt;

use super::{AccountKey, DeviceCertificate, DeviceEntry, DeviceListError};
use crate::keys::{Identity, IdentityKey};
use crate::labels;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::id::IdError;
use bisik_core::primitives::ed25519::{SIGNATURE, verify_batch};
use bisik_core::primitives::kdf::digest;
use bisik_core::time::Timestamp;

/// The number and the hash of a device list: which list it is. 40 bytes.
///
/// A server that is asked for the newest list of an account may answer with this; see
/// [`ServerState`](crate::ServerState). Its text has 80 hexadecimal digits.
///
/// ```
/// use bisik::device::ListId;
///
/// let sent = "0000000000000003".to_owned() + &"ab".repeat(32); // by a server
/// let id: ListId = sent.parse()?;
/// assert_eq!((id.sequence(), id.hash()), (3, &[0xAB; 32]));
/// assert_eq!((ListId::from_bytes(&id.to_bytes()), id.to_string()), (id, sent));
/// # Ok::<(), bisik::IdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId([u8; Self::LENGTH]);

impl ListId {
    /// Length of an encoded id in bytes.
    pub const LENGTH: usize = 40;

    /// Reads the id that a server sent.
    #[must_use]
    pub const fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        Self(*bytes)
    }

    /// Returns the number, big-endian, and the hash.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }

    /// Returns the sequence number, from 1.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns the hash of all bytes of the list, signature included.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        let [_, _, _, _, _, _, _, _, hash @ ..] = &self.0;
        hash
    }

    pub(super) fn new(sequence: u64, hash: &[u8; 32]) -> Self {
        let mut bytes = [0; Self::LENGTH];
        bytes.iter_mut().zip(sequence.to_be_bytes().iter().chain(hash)).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.bytes(&self.0);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(*reader.array()?))
    }
}

/// The number, big-endian, and the hash.
impl AsRef<[u8]> for ListId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

bisik_core::hex_text! {
    ListId: ListId::LENGTH, or IdError = IdError;
    from |bytes| Ok(ListId(bytes));
    to |id| id.0;
}

impl fmt::Debug for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.hash();
        write!(f, "ListId({}, {a:02x}{b:02x}{c:02x}{d:02x}..)", self.sequence())
    }
}

/// All devices of an account, signed by its primary device, with a sequence number and the hash of the list before it
/// ([section 10.3](crate::manual::spec::accounts#103-device-list)). 193 bytes, plus 166 for each device, of which there
/// are at most [`MOST_DEVICES`](Self::MOST_DEVICES).
///
/// A parsed list is not trusted: [`DeviceDirectory::trust`](super::DeviceDirectory::trust) and
/// [`DeviceDirectory::accept`](super::DeviceDirectory::accept) verify it. A server need not understand lists. It stores
/// every list of an account, and hands out the newest and, on request, those before it.
///
/// Its text is Base64 with the URL-safe alphabet.
///
/// ```
/// # let rng = &mut rand::rng();
/// use bisik::device::{DeviceDirectory, DeviceList, DeviceTerms};
/// use bisik::{Account, Timestamp, Trust};
///
/// let now = Timestamp::from_unix_seconds(1_800_000_000);
/// let phone = Account::create(DeviceTerms::person(), now, rng);
/// let list = phone.primary().ok_or("the primary device")?.list();
/// let text = list.to_string(); // for JSON
/// let received: DeviceList = text.parse()?; // not authenticated yet: trust it under the account's key
/// let directory = DeviceDirectory::trust(&received, Trust::Pinned(phone.key().identity()), now)?;
/// assert_eq!(directory.devices().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceList {
    pub(super) content: Content,
    pub(super) signature: [u8; SIGNATURE],
}

/// The signed part of a list.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) account: AccountKey,
    /// The sequence number, from 1, in steps of 1.
    pub(super) sequence: u64,
    /// The hash of the list before it, or all zero in the first.
    pub(super) previous: [u8; 32],
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
    /// Ascending by index; the first is the primary device's.
    pub(super) certificates: Vec<DeviceCertificate>,
    /// Above every index that was ever assigned.
    pub(super) next_index: u32,
}

bisik_core::base64_text! {
    DeviceList: at most DeviceList::LONGEST, or DeviceListError = DeviceListError::Malformed;
    from |bytes| DeviceList::from_bytes(bytes);
    to |list| list.to_bytes();
}

impl DeviceList {
    /// Devices in one list, the primary included.
    pub const MOST_DEVICES: usize = MOST_DEVICES;

    /// Bytes in the longest list.
    pub const LONGEST: usize = FIXED + MOST_DEVICES * DeviceCertificate::LENGTH + SIGNATURE;

    /// Reads a list without verifying it. Bytes that are too many for a list are refused before anything else is done.
    ///
    /// # Errors
    ///
    /// [`DeviceListError::Malformed`] if the bytes are not the one encoding of a list, or if they are inconsistent:
    /// indices that do not ascend, a device that appears twice, a disclosure that contradicts the custody, dates more
    /// than 30 days apart, more than 64 devices.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeviceListError> {
        if bytes.len() > Self::LONGEST {
            return Err(DeviceListError::Malformed);
        }
        let mut reader = Reader::new(bytes);
        let list = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(list)
    }

    /// Returns the bytes to publish.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.content.encode();
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Returns the account that it claims to be of.
    #[must_use]
    pub const fn account(&self) -> &AccountKey {
        &self.content.account
    }

    /// Sequence numbers are below 2^35: a list a minute for 65,000 years. Requirement P-10.7.
    pub(crate) const SEQUENCES: u64 = 1 << 35;

    /// Returns its sequence number, from 1.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.content.sequence
    }

    /// Returns when it was issued, by the primary device's clock.
    #[must_use]
    pub const fn issued(&self) -> Timestamp {
        self.content.issued
    }

    /// Returns when it expires.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.content.expires
    }

    /// Returns the hash of all its bytes, signature included. The next list contains this hash.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        digest(&[labels::DEVICE_LIST_HASH, &self.content.encode(), &self.signature])
    }

    /// Returns its number and its hash.
    #[must_use]
    pub fn id(&self) -> ListId {
        ListId::new(self.sequence(), &self.hash())
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &DeviceEntry> {
        self.content.entries()
    }

    /// Signs `content`. [`Primary`](super::Primary) ensures that the identity is the account's.
    pub(super) fn sign(content: Content, primary: &Identity) -> Self {
        let signature = primary.sign_labelled(labels::DEVICE_LIST, &content.encode());
        Self { content, signature }
    }

    /// Verifies the account's signature over the whole list. Call it before using anything of the list.
    /// Requirement P-10.5.
    pub(crate) fn verify_signature(&self) -> Result<(), DeviceListError> {
        let Self { content, signature } = self;
        super::verified::count(1);
        if content.account.identity().verify_labelled(labels::DEVICE_LIST, &content.encode(), signature) {
            Ok(())
        } else {
            Err(DeviceListError::BadSignature)
        }
    }

    /// Checks that the list is not dated more than a day ahead and has not expired. Requirement P-10.6.
    pub(super) fn check_dates(&self, now: Timestamp) -> Result<(), DeviceListError> {
        if self.content.issued > now.plus_seconds(CLOCK_SKEW) {
            Err(DeviceListError::NotYetValid)
        } else if self.content.expires <= now {
            Err(DeviceListError::Expired)
        } else {
            Ok(())
        }
    }

    /// Verifies the own signature of every device in the list that is not `known`, all in one batch. A known entry is the
    /// same in every byte, and was verified when it became known. Requirements P-10.4 and P-10.23.
    ///
    /// Call it after [`verify_signature`](Self::verify_signature): a list that its account has not signed then costs one
    /// verification.
    pub(super) fn verify_possession(&self, known: impl Fn(&DeviceEntry) -> bool) -> Result<(), DeviceListError> {
        let Content { account, certificates, .. } = &self.content;
        let mut signatures = Vec::with_capacity(certificates.len());
        let found = certificates.iter().filter(|certificate| !known(certificate.entry())).try_for_each(|certificate| {
            signatures.push(certificate.unverified(account)?);
            Ok(())
        });
        super::verified::count(signatures.len());
        // The first certificate that is refused decides the error, as if each were verified in its turn.
        if verify_batch(&signatures) { found } else { Err(DeviceListError::BadPossession) }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { content: Content::read(reader)?, signature: *reader.array()? })
    }
}

impl Content {
    fn entries(&self) -> impl DoubleEndedIterator<Item = &DeviceEntry> + Clone {
        self.certificates.iter().map(DeviceCertificate::entry)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { account, sequence, previous, issued, expires, certificates, next_index } = self;
        let devices = certificates.len().saturating_mul(DeviceCertificate::LENGTH);
        let mut writer = Writer::with_capacity(devices.saturating_add(FIXED));
        writer.u8(VERSION).bytes(&account.to_bytes()).u64(*sequence).bytes(previous);
        writer.u64(issued.as_unix_seconds()).u64(expires.as_unix_seconds());
        writer.count(certificates.len());
        certificates.iter().for_each(|certificate| certificate.write(&mut writer));
        writer.u32(*next_index);
        writer.finish()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.expect(&[VERSION])?;
        let account = reader.array()?;
        let sequence = reader.u64()?;
        let previous = *reader.array()?;
        let issued = Timestamp::from_unix_seconds(reader.u64()?);
        let expires = Timestamp::from_unix_seconds(reader.u64()?);
        let count = reader.count(MOST_DEVICES)?;
        let account = AccountKey::from_bytes(account).map_err(|_| Malformed)?;
        let certificates = (0..count).map(|_| DeviceCertificate::read(reader)).collect::<Result<_, _>>()?;
        let next_index = reader.u32()?;
        let content = Self { account, sequence, previous, issued, expires, certificates, next_index };
        if content.is_consistent() { Ok(content) } else { Err(Malformed) }
    }

    /// Checks the rules that hold even for a correctly signed list. Requirement P-10.7.
    fn is_consistent(&self) -> bool {
        let Self { account, sequence, previous, issued, expires, certificates, next_index } = self;
        let Some(primary) = certificates.first().map(DeviceCertificate::entry) else { return false };
        let mut indices = self.entries().map(DeviceEntry::index);
        (1..DeviceList::SEQUENCES).contains(sequence)
            && (*sequence == 1) == (*previous == [0; 32])
            && issued < expires
            && *expires <= issued.plus_seconds(LIFETIME)
            && primary.is_primary()
            && primary.identity() == account.identity()
            && indices.clone().is_sorted_by(|a, b| a < b)
            && indices.next_back().is_some_and(|last| last < *next_index)
            && self.devices_are_distinct()
    }

    fn devices_are_distinct(&self) -> bool {
        let mut identities: Vec<[u8; IdentityKey::LENGTH]> =
            self.entries().map(|entry| entry.identity().to_bytes()).collect();
        identities.sort_unstable();
        identities.is_sorted_by(|a, b| a < b)
    }
}

impl fmt::Debug for DeviceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Content { account, sequence, previous: _, issued: _, expires, certificates, next_index: _ } = &self.content;
        f.debug_struct("DeviceList")
            .field("account", account)
            .field("sequence", sequence)
            .field("expires", expires)
            .field("devices", &certificates.len())
            .finish_non_exhaustive()
    }
}

/// The version, the first byte of a list.
const VERSION: u8 = 0x01;

/// Devices in one list, which has then 10,817 bytes. Every message goes to each of them, and any stranger may name an
/// account whose list must be verified. A customer-service team of hundreds is one device with many workers.
pub(super) const MOST_DEVICES: usize = 64;

/// Lifetime of a list in seconds. A peer that an attacker keeps from newer lists trusts a removed device no longer than
/// this.
pub(super) const LIFETIME: u64 = 30 * 24 * 60 * 60;

/// Seconds by which a list may be dated ahead: a day, as with bundles.
pub(super) const CLOCK_SKEW: u64 = 24 * 60 * 60;

/// Bytes in a list apart from its devices and its signature.
const FIXED: usize = 1 + AccountKey::LENGTH + 8 + 32 + 8 + 8 + 4 + 4;
