//! [`Promises`]: what a hosted device has promised about the messages that it receives (docs/spec/hosting.md, section
//! 11.7).
//!
//! A message was sent under the disclosure of its session. What is disclosed later promises nothing about it.

use alloc::vec::Vec;

use super::disclosure::Disclosure;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::disclosure::DisclosureHash;
use bisik_core::time::Timestamp;

/// The disclosures under which a hosted device is and was listed, the newest first, and what they promise.
///
/// The newest [`Promises::MOST`] are kept whole; of those before only the shortest time is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promises {
    /// Newest first.
    kept: Vec<Disclosure>,
    /// The shortest time that a disclosure promised which is no longer kept, in seconds.
    forgotten: Option<u64>,
}

impl Promises {
    /// The largest number of disclosures that are kept.
    pub const MOST: usize = 8;

    /// No disclosure: the device is not hosted, or does not know its terms.
    #[must_use]
    pub const fn new() -> Self {
        Self { kept: Vec::new(), forgotten: None }
    }

    /// Adds the disclosure under which the device is listed now. One that is kept already becomes the newest.
    pub fn add(&mut self, disclosure: Disclosure) {
        self.kept.retain(|kept| *kept != disclosure);
        self.kept.insert(0, disclosure);
        if let Some(oldest) = self.kept.get(Self::MOST) {
            let seconds = seconds(oldest);
            self.forgotten = Some(self.forgotten.map_or(seconds, |shortest| shortest.min(seconds)));
            self.kept.truncate(Self::MOST);
        }
    }

    /// The newest disclosure.
    #[must_use]
    pub fn newest(&self) -> Option<&Disclosure> {
        self.kept.first()
    }

    /// Whether this disclosure is kept.
    #[must_use]
    pub fn holds(&self, disclosure: DisclosureHash) -> bool {
        self.kept.iter().any(|kept| kept.hash() == disclosure)
    }

    /// When a message must be deleted that was decrypted, or written, at `now` in a session that was set up under one of the
    /// disclosures: the one for which `is_of_session` holds. `None` if that is no known one. P-11.21.
    ///
    /// The time counts from `now`, but at the latest from the end of the disclosure, which no clock moves.
    pub fn deadline(&self, is_of_session: impl Fn(DisclosureHash) -> bool, now: Timestamp) -> Option<Timestamp> {
        self.kept.iter().find(|kept| is_of_session(kept.hash())).map(|kept| due(kept, now))
    }

    /// The earliest deadline that any of the disclosures promises for a message of `now`: it counts where the session does
    /// not tell. `None` if there are no disclosures. P-11.21.
    #[must_use]
    pub fn strictest_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let forgotten = self.forgotten.map(|seconds| now.plus_seconds(seconds));
        self.kept.iter().map(|kept| due(kept, now)).chain(forgotten).min()
    }

    /// Encodes the disclosures as a part of a record (docs/formats.md, section 12.6).
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { kept, forgotten } = self;
        let mut writer = Writer::with_capacity(4);
        writer.count(kept.len());
        for disclosure in kept {
            let bytes = disclosure.to_bytes();
            writer.count(bytes.len()).bytes(&bytes);
        }
        if !kept.is_empty() {
            writer.u8(u8::from(forgotten.is_some()));
            if let Some(seconds) = forgotten {
                writer.u64(*seconds);
            }
        }
        writer.finish()
    }

    /// Decodes what [`encode`](Self::encode) wrote, from an authenticated record.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut kept = Vec::new();
        for _ in 0..reader.count(Self::MOST)? {
            let length = reader.count(Disclosure::LONGEST)?;
            let disclosure = Disclosure::from_bytes(reader.slice(length)?).map_err(|_| Malformed)?;
            if kept.contains(&disclosure) {
                return Err(Malformed);
            }
            kept.push(disclosure);
        }
        let forgotten = if !kept.is_empty() && reader.flag()? { Some(reader.u64()?) } else { None };
        if forgotten.is_some() && kept.len() < Self::MOST { Err(Malformed) } else { Ok(Self { kept, forgotten }) }
    }
}

/// Seconds for which an operator has a message.
fn seconds(disclosure: &Disclosure) -> u64 {
    let retention = disclosure.terms().retention;
    retention.at_rest.max(retention.in_use)
}

/// A clock that runs ahead prolongs nothing beyond what the disclosure's own end allows.
fn due(disclosure: &Disclosure, now: Timestamp) -> Timestamp {
    disclosure.terms().retention.deadline(now.min(disclosure.expires()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{AccountKey, Custody};
    use crate::hosting::disclosure::{
        DisclosureDraft, HostingTerms, Operator, OperatorName, Purposes, Retention, Roles,
    };
    use crate::keys::Identity;

    /// The first `count` disclosures of one device, each with a second more.
    fn disclosures(count: u64) -> Vec<Disclosure> {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let [business, operator, device] = [(); 3].map(|()| Identity::generate(&mut rand::rng()));
        let mut all: Vec<Disclosure> = Vec::new();
        for days in 86_401..=count.saturating_add(86_400) {
            let terms = HostingTerms {
                custody: Custody::Vendor,
                operator: Operator { name: OperatorName::new("Awan").unwrap(), key: *operator.public() },
                roles: Roles::READ,
                retention: Retention { at_rest: days, ..Retention::NO_STORAGE },
                purposes: Purposes::NONE,
            };
            let expires = now.plus_seconds(86_400);
            let draft = match all.last() {
                None => DisclosureDraft::new(AccountKey::of(&business), *device.public(), terms, now, expires),
                Some(previous) => DisclosureDraft::following(previous, terms, now, expires),
            };
            let countersigned = draft.unwrap().countersign(&operator).unwrap();
            all.push(countersigned.prove(&device).unwrap().sign(&business).unwrap());
        }
        all
    }

    /// P-11.21. Promises have one encoding, and no other is read.
    #[test]
    fn promises_read_back_as_themselves() {
        let all = disclosures(10);
        for count in [0, 1, 8, 9, 10] {
            let mut promises = Promises::new();
            all.iter().take(count).for_each(|disclosure| promises.add(disclosure.clone()));
            let bytes = promises.encode();
            let decode = |bytes: &[u8]| {
                let mut reader = Reader::new(bytes);
                let read = Promises::decode(&mut reader)?;
                reader.finish()?;
                Ok(read)
            };
            assert_eq!(decode(&bytes), Ok(promises.clone()));
            assert_eq!(decode(&[bytes.as_slice(), &[0]].concat()), Err(Malformed));
            for at in (0..bytes.len()).step_by(7) {
                assert_eq!(decode(bytes.get(..at).unwrap()), Err(Malformed), "{at} of {}", bytes.len());
                let mut changed = bytes.clone();
                *changed.get_mut(at).unwrap() ^= 1;
                assert!(
                    decode(&changed).is_err() || decode(&changed).is_ok_and(|read: Promises| read.encode() == changed)
                );
            }
        }
        assert_eq!(Promises::new().encode(), [0; 4], "little where nothing is hosted");
    }
}
