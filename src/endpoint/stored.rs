//! [`LabelState`] in bytes, as one part of a conversation's record (docs/protocol.md, section 11.9).
//!
//! Does not seal: the record does. What is read here was authenticated before, and is checked all the same.

use alloc::vec::Vec;

use super::consent::Choice;
use super::error::DisclosureError;
use super::label::{Label, LabelState, Unverified};
use super::standing::{Ruling, Standing};
use super::terms::HostingTerms;
use crate::codec::{Malformed, Reader, Writer};
use crate::device::AccountKey;
use crate::disclosure::{self, DisclosureHash};
use crate::keys::IdentityKey;
use crate::time::{self, Timestamp};

impl LabelState {
    /// P-11.23. Everything but the account's key, which the record has already. Equal states have equal encodings.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { account: _, label, valid_until, lapsed, standings, rulings } = self;
        let mut writer = Writer::with_capacity(64);
        write_label(*label, &mut writer);
        writer.u64(time::to_seconds(*valid_until)).u64(time::to_seconds(*lapsed));
        writer.u32(u32::try_from(standings.len()).unwrap_or(u32::MAX));
        for standing in standings {
            let Standing { endpoint, sequence, hash, terms, in_force, forked, left } = standing;
            writer.bytes(&endpoint.to_bytes()).u64(*sequence).bytes(hash.as_bytes());
            writer.u8(u8::from(*in_force)).u8(u8::from(*forked)).u64(time::to_seconds(*left));
            terms.write(&mut writer);
        }
        writer.u32(u32::try_from(rulings.len()).unwrap_or(u32::MAX));
        for ruling in rulings {
            let Ruling { choice, disclosure, terms, round, decided } = ruling;
            writer.u8(choice.byte()).bytes(disclosure.as_bytes()).u32(*round).u64(decided.as_unix_seconds());
            terms.write(&mut writer);
        }
        writer.finish()
    }

    /// Reads what [`encode`](Self::encode) wrote, and nothing else.
    pub(crate) fn decode(account: AccountKey, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let label = read_label(&mut reader)?;
        let (valid_until, lapsed) = (time::read_optional(&mut reader)?, time::read_optional(&mut reader)?);
        let mut standings = Vec::new();
        for _ in 0..reader.count(Self::MOST_ENDPOINTS)? {
            standings.push(read_standing(&mut reader)?);
        }
        let mut rulings = Vec::new();
        for _ in 0..reader.count(Self::MOST_OPERATORS)? {
            rulings.push(read_ruling(&mut reader)?);
        }
        reader.finish()?;
        let state = Self { account, label, valid_until, lapsed, standings, rulings };
        if state.is_consistent() { Ok(state) } else { Err(Malformed) }
    }

    /// In order, without doubles, and with the label that follows.
    fn is_consistent(&self) -> bool {
        let endpoints = self.standings.iter().map(|standing| standing.endpoint);
        let operators = self.rulings.iter().map(|ruling| ruling.terms.operator.key);
        endpoints.is_sorted_by(|a, b| a < b) && operators.is_sorted_by(|a, b| a < b) && self.label_follows()
    }

    fn label_follows(&self) -> bool {
        match self.label {
            Label::Unknown => self.in_force().next().is_none(),
            Label::EndToEnd | Label::Disclosed { .. } | Label::Hosted { .. } => self.judge() == self.label,
            // Withdrawn while nothing could be verified: what is in force is not known.
            Label::Refused { disclosure } => {
                let mut rulings = self.rulings.iter();
                self.judge() == self.label
                    || (self.valid_until.is_none()
                        && rulings.any(|ruling| ruling.disclosure == disclosure && ruling.choice.is_strict()))
            }
            Label::Unverified { .. } => true,
        }
    }
}

fn read_standing(reader: &mut Reader<'_>) -> Result<Standing, Malformed> {
    let standing = Standing {
        endpoint: read_stored_key(reader)?,
        sequence: reader.u64()?,
        hash: read_hash(reader)?,
        in_force: reader.flag()?,
        forked: reader.flag()?,
        left: time::read_optional(reader)?,
        terms: HostingTerms::read(reader, read_stored_key)?,
    };
    let both = standing.in_force && standing.left.is_some();
    if standing.sequence == 0 || both { Err(Malformed) } else { Ok(standing) }
}

fn read_ruling(reader: &mut Reader<'_>) -> Result<Ruling, Malformed> {
    Ok(Ruling {
        choice: Choice::from_byte(reader.u8()?)?,
        disclosure: read_hash(reader)?,
        round: reader.u32()?,
        decided: read_time(reader)?,
        terms: HostingTerms::read(reader, read_stored_key)?,
    })
}

fn write_label(label: Label, writer: &mut Writer) {
    match label {
        Label::Unknown => writer.u8(0),
        Label::EndToEnd => writer.u8(1),
        Label::Disclosed { disclosure } => writer.u8(2).bytes(disclosure.as_bytes()),
        Label::Hosted { disclosure, consent } => writer.u8(3).bytes(disclosure.as_bytes()).bytes(consent.as_bytes()),
        Label::Refused { disclosure } => writer.u8(4).bytes(disclosure.as_bytes()),
        Label::Unverified { why } => writer.u8(5).u8(reason(why)),
    };
}

fn read_label(reader: &mut Reader<'_>) -> Result<Label, Malformed> {
    Ok(match reader.u8()? {
        0 => Label::Unknown,
        1 => Label::EndToEnd,
        2 => Label::Disclosed { disclosure: read_hash(reader)? },
        3 => Label::Hosted { disclosure: read_hash(reader)?, consent: read_hash(reader)? },
        4 => Label::Refused { disclosure: read_hash(reader)? },
        5 => {
            let byte = reader.u8()?;
            let mut reasons = REASONS.iter();
            Label::Unverified { why: *reasons.find(|why| reason(**why) == byte).ok_or(Malformed)? }
        }
        6.. => return Err(Malformed),
    })
}

const fn reason(why: Unverified) -> u8 {
    match why {
        Unverified::DeviceList => 0,
        Unverified::Expired => 1,
        Unverified::Missing => 2,
        Unverified::KeyWasHosted => 3,
        Unverified::TooMany => 4,
        Unverified::Disclosure(error) => match error {
            DisclosureError::Malformed => 16,
            DisclosureError::OtherAccount => 17,
            DisclosureError::OtherDevice => 18,
            DisclosureError::BadSignature => 19,
            DisclosureError::NotYetValid => 20,
            DisclosureError::Expired => 21,
            DisclosureError::RolledBack => 22,
            DisclosureError::Forked => 23,
            DisclosureError::KeyReused => 24,
        },
    }
}

fn read_time(reader: &mut Reader<'_>) -> Result<Timestamp, Malformed> {
    reader.u64().map(Timestamp::from_unix_seconds)
}

/// The hash of a disclosure that there is.
fn read_hash(reader: &mut Reader<'_>) -> Result<DisclosureHash, Malformed> {
    disclosure::read(reader)
}

/// A key that was checked before it was stored.
fn read_stored_key(reader: &mut Reader<'_>) -> Result<IdentityKey, Malformed> {
    IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)
}

/// Every reason, for the way back.
const REASONS: [Unverified; 14] = [
    Unverified::DeviceList,
    Unverified::Expired,
    Unverified::Missing,
    Unverified::KeyWasHosted,
    Unverified::TooMany,
    Unverified::Disclosure(DisclosureError::Malformed),
    Unverified::Disclosure(DisclosureError::OtherAccount),
    Unverified::Disclosure(DisclosureError::OtherDevice),
    Unverified::Disclosure(DisclosureError::BadSignature),
    Unverified::Disclosure(DisclosureError::NotYetValid),
    Unverified::Disclosure(DisclosureError::Expired),
    Unverified::Disclosure(DisclosureError::RolledBack),
    Unverified::Disclosure(DisclosureError::Forked),
    Unverified::Disclosure(DisclosureError::KeyReused),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Custody;
    use crate::endpoint::{
        DisclosureDraft, EndpointDevice, Evidence, Operator, OperatorName, Presented, Purposes, Region, Retention,
        Roles, VerifiedDisclosure,
    };
    use crate::keys::Identity;
    use alloc::vec;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    struct Parties {
        business: Identity,
        customer: Identity,
        disclosures: Vec<VerifiedDisclosure>,
    }

    fn identity() -> Identity {
        Identity::generate(&mut rand::rng())
    }

    /// A business with two endpoints, each of another operator.
    fn parties() -> Parties {
        let (business, customer) = (identity(), identity());
        let account = AccountKey::of(&business);
        let disclose = |custody, region: Option<&str>| {
            let (operator, endpoint) = (identity(), identity());
            let terms = HostingTerms {
                custody,
                operator: Operator { name: OperatorName::new("Awan").unwrap(), key: *operator.public() },
                roles: Roles::READ,
                retention: Retention {
                    region: region.map(|name| Region::new(name).unwrap()),
                    ..Retention::THIRTY_DAYS
                },
                purposes: Purposes::NONE,
            };
            let draft =
                DisclosureDraft::new(account, *endpoint.public(), terms, NOW, NOW.plus_seconds(86_400)).unwrap();
            let proven = draft.countersign(&operator).unwrap().prove(&endpoint).unwrap();
            proven.sign(&business).unwrap().verify(&account, None, NOW).unwrap()
        };
        let disclosures = vec![disclose(Custody::Vendor, Some("ID")), disclose(Custody::Platform, None)];
        Parties { business, customer, disclosures }
    }

    fn see(state: &LabelState, hosted: &[&VerifiedDisclosure]) -> LabelState {
        let device = |verified| {
            let disclosure = VerifiedDisclosure::disclosure(verified);
            EndpointDevice {
                key: *disclosure.endpoint(),
                custody: disclosure.terms().custody,
                disclosure: Some(verified.hash()),
                presented: Presented::Verified(verified),
            }
        };
        let own = EndpointDevice {
            key: *state.account.identity(),
            custody: Custody::Business,
            disclosure: None,
            presented: Presented::Nothing,
        };
        let devices: Vec<_> = hosted.iter().map(|verified| device(verified)).chain([own]).collect();
        state.observe(Evidence::Devices { expires: NOW.plus_seconds(86_400), devices: &devices }, NOW).state
    }

    /// States under every label.
    fn states(parties: &Parties) -> Vec<LabelState> {
        let Parties { business, customer, disclosures } = parties;
        let [one, two] = disclosures.as_slice() else { return Vec::new() };
        let own = AccountKey::of(customer);
        let unknown = LabelState::new(AccountKey::of(business));
        let asked = see(&unknown, &[one, two]);
        let half = asked.consent(two.hash(), &own, customer, NOW).unwrap().0.state;
        let hosted = half.consent(one.hash(), &own, customer, NOW).unwrap().0.state;
        let refused = half.refuse(one.hash(), &own, customer, NOW).unwrap().0.state;
        let unverified = hosted.observe(Evidence::NoDeviceList, NOW).state;
        let withdrawn = unverified.withdraw(one.hash(), &own, customer, NOW).unwrap().0.state;
        let (expired, left) = (hosted.tick(NOW.plus_seconds(86_400)).state, see(&hosted, &[]));
        vec![unknown, asked, half, hosted, refused, unverified, withdrawn, expired, left]
    }

    /// P-11.23.
    #[test]
    fn a_state_of_every_label_reads_back_as_itself() {
        let parties = parties();
        for state in states(&parties) {
            let bytes = state.encode();
            assert_eq!(LabelState::decode(state.account, &bytes), Ok(state.clone()), "{:?}", state.label);
            assert_eq!(LabelState::decode(state.account, &bytes).unwrap().encode(), bytes);
        }
        assert!(
            LabelState::new(AccountKey::of(&parties.business)).encode().len() < 32,
            "little where nothing is hosted"
        );
    }

    /// P-11.23. What decodes has one encoding; and no flipped bit makes a label better.
    #[test]
    fn a_changed_state_is_refused_or_is_another_whole_state() {
        for state in states(&parties()) {
            let bytes = state.encode();
            for at in 0..bytes.len() {
                assert_eq!(LabelState::decode(state.account, bytes.get(..at).unwrap()), Err(Malformed), "{at} bytes");
                for mask in [1 << (at % 8), 0xff] {
                    let mut changed = bytes.clone();
                    *changed.get_mut(at).unwrap() ^= mask;
                    let Ok(decoded) = LabelState::decode(state.account, &changed) else { continue };
                    assert_eq!(decoded.encode(), changed, "byte {at}");
                    let follows = decoded.judge() == decoded.label;
                    let sendable = matches!(decoded.label, Label::EndToEnd | Label::Hosted { .. });
                    assert!(!sendable || follows, "byte {at}: {:?} from {:?}", decoded.label, state.label);
                }
            }
            assert_eq!(LabelState::decode(state.account, &[bytes.as_slice(), &[0]].concat()), Err(Malformed));
        }
    }

    #[test]
    fn every_reason_has_a_byte_of_its_own() {
        let mut bytes: Vec<_> = REASONS.iter().map(|why| reason(*why)).collect();
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!(bytes.len(), REASONS.len());
        for why in REASONS {
            let mut writer = Writer::with_capacity(2);
            write_label(Label::Unverified { why }, &mut writer);
            assert_eq!(read_label(&mut Reader::new(&writer.finish())), Ok(Label::Unverified { why }));
        }
    }
}
