//! [`LabelState`] in bytes, as one part of a conversation's record (docs/formats.md, section 11.9).
//!
//! The record is sealed, so the bytes are authentic. They are checked for consistency anyway.

use alloc::vec::Vec;

use super::seen::{OwnHeld, OwnHosting, RecordedDecision, SeenDevice};
use super::state::LabelState;
use super::{Label, Unverified};
use crate::device::{AccountKey, Custody};
use crate::hosting::consent::Choice;
use crate::hosting::disclosure::{DisclosureError, HostingTerms};
use crate::keys::IdentityKey;
use bisik_core::codec::{Malformed, Reader, Writer};
use bisik_core::disclosure::{self, DisclosureHash};
use bisik_core::time::{self, Timestamp};

impl LabelState {
    /// Encodes everything but the account's key, which the record has already. Equal states have equal encodings.
    /// P-11.24.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { account: _, label, valid_until, lapsed, asked, own_held, own, seen, decisions } = self;
        let mut writer = Writer::with_capacity(64);
        write_label(*label, &mut writer);
        writer.u64(time::to_seconds(*valid_until)).u64(time::to_seconds(*lapsed)).u64(time::to_seconds(*asked));
        write_own_held(*own_held, &mut writer);
        write_own(own.as_ref(), &mut writer);
        writer.count(seen.len());
        for device in seen {
            let SeenDevice { device, sequence, hash, terms, in_force, forked, left, asked } = device;
            writer.bytes(&device.to_bytes()).u64(*sequence).bytes(hash.as_bytes());
            writer.u8(u8::from(*in_force)).u8(u8::from(*forked)).u8(u8::from(*asked)).u64(time::to_seconds(*left));
            terms.write(&mut writer);
        }
        writer.count(decisions.len());
        for decision in decisions {
            let RecordedDecision { choice, disclosure, terms, round, decided } = decision;
            writer.u8(choice.byte()).bytes(disclosure.as_bytes()).u32(*round).u64(decided.as_unix_seconds());
            terms.write(&mut writer);
        }
        writer.finish()
    }

    /// Decodes what [`encode`](Self::encode) wrote. Any other bytes are refused.
    pub(crate) fn decode(account: AccountKey, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let label = read_label(&mut reader)?;
        let (valid_until, lapsed) = (time::read_optional(&mut reader)?, time::read_optional(&mut reader)?);
        let asked = time::read_optional(&mut reader)?;
        let (own_held, own) = (read_own_held(&mut reader)?, read_own(&mut reader)?);
        let mut seen = Vec::new();
        for _ in 0..reader.count(Self::MOST_DEVICES)? {
            seen.push(read_seen_device(&mut reader)?);
        }
        let mut decisions = Vec::new();
        for _ in 0..reader.count(Self::MOST_OPERATORS)? {
            decisions.push(read_decision(&mut reader)?);
        }
        reader.finish()?;
        let state = Self { account, label, valid_until, lapsed, asked, own_held, own, seen, decisions };
        if state.is_consistent() { Ok(state) } else { Err(Malformed) }
    }

    /// Whether both lists are sorted without duplicates, and the label follows from them.
    fn is_consistent(&self) -> bool {
        let devices = self.seen.iter().map(|device| device.device);
        let operators = self.decisions.iter().map(|decision| decision.terms.operator.key);
        devices.is_sorted_by(|a, b| a < b) && operators.is_sorted_by(|a, b| a < b) && self.label_follows()
    }

    fn label_follows(&self) -> bool {
        match self.label {
            Label::Unknown => self.in_force().next().is_none(),
            Label::EndToEnd { .. } | Label::OwnHosted { .. } | Label::Disclosed { .. } | Label::Hosted { .. } => {
                self.label_in_force() == self.label
            }
            // If the user withdrew while the label was unverified, it is not known what is in force.
            Label::Refused { disclosure } => {
                let mut decisions = self.decisions.iter();
                self.label_in_force() == self.label
                    || (self.valid_until.is_none()
                        && decisions.any(|decision| decision.disclosure == disclosure && decision.choice.is_strict()))
            }
            Label::Unverified { .. } => true,
        }
    }
}

/// Two zero bytes before any evidence.
fn write_own_held(own_held: Option<OwnHeld>, writer: &mut Writer) {
    match own_held {
        None => writer.u8(0).u8(0),
        Some(OwnHeld { custody, automated }) => writer.u8(custody.byte()).u8(u8::from(automated)),
    };
}

fn read_own_held(reader: &mut Reader<'_>) -> Result<Option<OwnHeld>, Malformed> {
    match (reader.u8()?, reader.flag()?) {
        (0, false) => Ok(None),
        (byte, automated) => Ok(Some(OwnHeld { custody: own_custody(byte)?, automated })),
    }
}

fn own_custody(byte: u8) -> Result<Custody, Malformed> {
    Custody::from_byte(byte).ok().filter(|custody| custody.is_own_held()).ok_or(Malformed)
}

fn read_own_custody(reader: &mut Reader<'_>) -> Result<Custody, Malformed> {
    own_custody(reader.u8()?)
}

/// 0 for none, 1 for a disclosure whose terms are not known, 2 for one with its terms.
fn write_own(own: Option<&OwnHosting>, writer: &mut Writer) {
    let Some(OwnHosting { disclosure, terms }) = own else {
        writer.u8(0);
        return;
    };
    writer.u8(if terms.is_some() { 2 } else { 1 }).bytes(&disclosure::to_bytes(*disclosure));
    if let Some(terms) = terms {
        terms.write(writer);
    }
}

fn read_own(reader: &mut Reader<'_>) -> Result<Option<OwnHosting>, Malformed> {
    let kind = reader.u8()?;
    if kind == 0 {
        return Ok(None);
    }
    let disclosure = disclosure::read_optional(reader)?;
    let terms = match kind {
        1 => None,
        2 if disclosure.is_some() => Some(HostingTerms::read(reader, read_stored_key)?),
        _ => return Err(Malformed),
    };
    Ok(Some(OwnHosting { disclosure, terms }))
}

fn read_seen_device(reader: &mut Reader<'_>) -> Result<SeenDevice, Malformed> {
    let device = SeenDevice {
        device: read_stored_key(reader)?,
        sequence: reader.u64()?,
        hash: read_hash(reader)?,
        in_force: reader.flag()?,
        forked: reader.flag()?,
        asked: reader.flag()?,
        left: time::read_optional(reader)?,
        terms: HostingTerms::read(reader, read_stored_key)?,
    };
    let both = device.in_force && device.left.is_some() || device.asked && !device.in_force;
    if device.sequence == 0 || both { Err(Malformed) } else { Ok(device) }
}

fn read_decision(reader: &mut Reader<'_>) -> Result<RecordedDecision, Malformed> {
    Ok(RecordedDecision {
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
        Label::EndToEnd { custody, automated } => writer.u8(1).u8(custody.byte()).u8(u8::from(automated)),
        Label::OwnHosted { disclosure } => writer.u8(6).bytes(&disclosure::to_bytes(disclosure)),
        Label::Disclosed { disclosure } => writer.u8(2).bytes(disclosure.as_bytes()),
        Label::Hosted { disclosure, consent } => writer.u8(3).bytes(disclosure.as_bytes()).bytes(consent.as_bytes()),
        Label::Refused { disclosure } => writer.u8(4).bytes(disclosure.as_bytes()),
        Label::Unverified { why } => writer.u8(5).u8(reason(why)),
    };
}

fn read_label(reader: &mut Reader<'_>) -> Result<Label, Malformed> {
    Ok(match reader.u8()? {
        0 => Label::Unknown,
        1 => Label::EndToEnd { custody: read_own_custody(reader)?, automated: reader.flag()? },
        2 => Label::Disclosed { disclosure: read_hash(reader)? },
        3 => Label::Hosted { disclosure: read_hash(reader)?, consent: read_hash(reader)? },
        4 => Label::Refused { disclosure: read_hash(reader)? },
        5 => {
            let byte = reader.u8()?;
            let mut reasons = REASONS.iter();
            Label::Unverified { why: *reasons.find(|why| reason(**why) == byte).ok_or(Malformed)? }
        }
        6 => Label::OwnHosted { disclosure: disclosure::read_optional(reader)? },
        7.. => return Err(Malformed),
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

/// Reads the hash of a disclosure, which is never all zero.
fn read_hash(reader: &mut Reader<'_>) -> Result<DisclosureHash, Malformed> {
    disclosure::read(reader)
}

/// Reads a key that was checked before it was stored.
fn read_stored_key(reader: &mut Reader<'_>) -> Result<IdentityKey, Malformed> {
    IdentityKey::from_bytes_without_points(reader.array()?).map_err(|_| Malformed)
}

/// Every reason, to find the one for a byte.
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
    use crate::hosting::{
        DisclosureDraft, Evidence, HostedDevice, Operator, OperatorName, Presented, Purposes, Region, Retention, Roles,
        VerifiedDisclosure,
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

    /// A business with two hosted devices, each of another operator.
    fn parties() -> Parties {
        let (business, customer) = (identity(), identity());
        let account = AccountKey::of(&business);
        let disclose = |custody, region: Option<&str>| {
            let (operator, device) = (identity(), identity());
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
            let draft = DisclosureDraft::new(account, *device.public(), terms, NOW, NOW.plus_seconds(86_400)).unwrap();
            let proven = draft.countersign(&operator).unwrap().prove(&device).unwrap();
            proven.sign(&business).unwrap().verify(&account, None, NOW).unwrap()
        };
        let disclosures = vec![disclose(Custody::Vendor, Some("ID")), disclose(Custody::Platform, None)];
        Parties { business, customer, disclosures }
    }

    fn see(state: &LabelState, hosted: &[&VerifiedDisclosure]) -> LabelState {
        let device = |verified| {
            let disclosure = VerifiedDisclosure::disclosure(verified);
            HostedDevice {
                key: *disclosure.device(),
                custody: disclosure.terms().custody,
                automated: false,
                disclosure: Some(verified.hash()),
                presented: Presented::Verified(verified),
            }
        };
        let own = HostedDevice {
            key: *state.account.identity(),
            custody: Custody::Business,
            automated: false,
            disclosure: None,
            presented: Presented::Nothing,
        };
        let devices: Vec<_> = hosted.iter().map(|verified| device(verified)).chain([own]).collect();
        let evidence = Evidence::Devices { expires: NOW.plus_seconds(86_400), devices: &devices, own: &[] };
        state.observe(evidence, NOW).state
    }

    /// Nobody hosts a device of the peer; with `terms`, somebody hosts one of the user's own.
    fn see_own(state: &LabelState, hosted: &VerifiedDisclosure, terms: bool) -> LabelState {
        let phone = HostedDevice {
            key: *state.account.identity(),
            custody: Custody::SelfHosted,
            automated: true,
            disclosure: None,
            presented: Presented::Nothing,
        };
        let disclosure = hosted.disclosure();
        let own = HostedDevice {
            key: *disclosure.device(),
            custody: disclosure.terms().custody,
            automated: false,
            disclosure: Some(hosted.hash()),
            presented: if terms { Presented::Verified(hosted) } else { Presented::Nothing },
        };
        let evidence = Evidence::Devices { expires: NOW.plus_seconds(86_400), devices: &[phone], own: &[own] };
        state.observe(evidence, NOW).state
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
        let own = see_own(&unknown, one, true);
        assert!(matches!(own.label, Label::OwnHosted { .. }));
        let own_without_terms = see_own(&refused, one, false);
        let mut asked_again = refused.clone();
        asked_again.asked = Some(NOW);
        let again = asked_again.seen.iter_mut().filter(|device| device.in_force);
        again.for_each(|device| device.asked = true);
        vec![
            unknown,
            asked,
            half,
            hosted,
            refused,
            unverified,
            withdrawn,
            expired,
            left,
            own,
            own_without_terms,
            asked_again,
        ]
    }

    /// P-11.24.
    #[test]
    fn a_state_of_every_label_reads_back_as_itself() {
        let parties = parties();
        for state in states(&parties) {
            let bytes = state.encode();
            assert_eq!(LabelState::decode(state.account, &bytes), Ok(state.clone()), "{:?}", state.label);
            assert_eq!(LabelState::decode(state.account, &bytes).unwrap().encode(), bytes);
        }
        assert!(
            LabelState::new(AccountKey::of(&parties.business)).encode().len() <= 36,
            "little where nothing is hosted"
        );
    }

    /// P-11.24. A decoded state has exactly one encoding, and no flipped bit improves a label.
    #[test]
    fn a_changed_state_is_refused_or_consistent() {
        for state in states(&parties()) {
            let bytes = state.encode();
            for at in 0..bytes.len() {
                assert_eq!(LabelState::decode(state.account, bytes.get(..at).unwrap()), Err(Malformed), "{at} bytes");
                for mask in [1 << (at % 8), 0xff] {
                    let mut changed = bytes.clone();
                    *changed.get_mut(at).unwrap() ^= mask;
                    let Ok(decoded) = LabelState::decode(state.account, &changed) else { continue };
                    assert_eq!(decoded.encode(), changed, "byte {at}");
                    let follows = decoded.label_in_force() == decoded.label;
                    let sendable = matches!(
                        decoded.label,
                        Label::EndToEnd { .. } | Label::OwnHosted { .. } | Label::Hosted { .. }
                    );
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
