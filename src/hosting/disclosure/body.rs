//! [`Body`]: the text of a disclosure that its three parties sign (docs/spec/hosting.md, section 11.2).

use alloc::vec::Vec;

use super::error::DraftError;
use super::terms::HostingTerms;
use crate::device::AccountKey;
use crate::hosting::encoding::read_key;
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::time::Timestamp;

/// Everything that is signed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) account: AccountKey,
    /// The hosted device's key.
    pub(super) device: IdentityKey,
    pub(super) terms: HostingTerms,
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
    /// Counts the disclosures of one device key, from 1.
    pub(super) sequence: u64,
    /// The hash of the previous disclosure; `None` for the first.
    pub(super) previous: Option<DisclosureHash>,
}

impl Body {
    /// Bytes of the longest body.
    pub(super) const LONGEST: usize = 350;

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { account, device, terms, issued, expires, sequence, previous } = self;
        let mut writer = Writer::with_capacity(Self::LONGEST);
        writer.u8(VERSION).bytes(&account.to_bytes()).bytes(&device.to_bytes());
        terms.write(&mut writer);
        writer
            .u64(issued.as_unix_seconds())
            .u64(expires.as_unix_seconds())
            .u64(*sequence)
            .bytes(&disclosure::to_bytes(*previous));
        writer.finish()
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.expect(&[VERSION])?;
        let body = Self {
            account: AccountKey::from_identity(read_key(reader)?),
            device: read_key(reader)?,
            terms: HostingTerms::read(reader, read_key)?,
            issued: Timestamp::from_unix_seconds(reader.u64()?),
            expires: Timestamp::from_unix_seconds(reader.u64()?),
            sequence: reader.u64()?,
            previous: disclosure::read_optional(reader)?,
        };
        body.check().map_err(|_| Malformed)?;
        Ok(body)
    }

    /// Checks the rules that no signature can lift.
    pub(super) fn check(&self) -> Result<(), DraftError> {
        let Self { account, device, terms, issued, expires, sequence, previous } = self;
        if !terms.are_disclosable() {
            return Err(DraftError::Terms);
        }
        // P-11.4. One key for two parties would let one of them sign for both.
        let [account, device, operator] = [account.identity(), device, &terms.operator.key].map(IdentityKey::signing);
        if account == device || account == operator || device == operator {
            return Err(DraftError::Keys);
        }
        // P-11.5, for the dates and the sequence.
        if expires <= issued || *expires > issued.plus_seconds(LONGEST_LIFE) {
            return Err(DraftError::Dates);
        }
        match (*sequence, previous.is_none()) {
            (0, _) | (1, false) | (2.., true) => Err(DraftError::Malformed),
            (1, true) | (2.., false) => Ok(()),
        }
    }
}

/// First byte of a disclosure.
const VERSION: u8 = 0x01;

/// Longest validity of a disclosure, in seconds: 366 days, so that the account confirms it at least once a year. P-11.5.
const LONGEST_LIFE: u64 = 366 * 24 * 60 * 60;
