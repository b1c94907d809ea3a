//! `disclosure` and `consent`: disclosures, decisions and labels that are arbitrary, edited, or correctly signed by
//! dishonest parties.
//!
//! They are signed without the library, by labels and layout of docs/spec/hosting.md, section 11.

use std::sync::LazyLock;

use bisik::device::{AccountKey, Custody, DeviceDirectory, DeviceTerms, Primary};
use bisik::hosting::{
    Choice, CountersignedDraft, Decision, DecisionReceipt, Disclosure, DisclosureDraft, DisclosureError, Evidence,
    HostedDevice, HostedMember, HostingTerms, Label, LabelEvent, LabelState, Language, Operator, OperatorName,
    Presented, ProvenDraft, Purposes, Region, Retention, Roles, SharedDecision, Transition, Unverified,
    VerifiedDisclosure, notice,
};
use bisik::{DisclosureHash, Identity, IdentityKey, Timestamp};
use ed25519_dalek::{Signer, SigningKey};

use super::input::Input;
use crate::ConstantRng;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DAY: u64 = 24 * 60 * 60;
// Identities, by the byte that their two secrets are made of.
const BUSINESS: u8 = 0x60;
const HOSTED: u8 = 0x61;
const OPERATOR: u8 = 0x62;
const USER: u8 = 0x63;
const NEXT_HOSTED: u8 = 0x64;
const RIVAL: u8 = 0x65;

/// Everything that three parties have signed and a user has decided, also in bytes, for edits.
struct Said {
    disclosures: Vec<VerifiedDisclosure>,
    decisions: Vec<Decision>,
    receipt: DecisionReceipt,
    steps: Vec<Vec<u8>>,
    decided: Vec<Vec<u8>>,
}

static SAID: LazyLock<Said> = LazyLock::new(|| {
    let awan = terms(OPERATOR, 30);
    let one = draft(HOSTED, awan.clone());
    let countersigned = one.clone().countersign(&identity(OPERATOR)).unwrap();
    let proven = countersigned.clone().prove(&identity(HOSTED)).unwrap();
    let first = proven.clone().sign(&identity(BUSINESS)).unwrap();
    let better = follow(&first, terms(OPERATOR, 7));
    let worse = follow(&better, HostingTerms { custody: Custody::Platform, ..terms(OPERATOR, 60) });
    let fork = follow(&first, terms(OPERATOR, 1));
    let rival = finish(draft(NEXT_HOSTED, terms(RIVAL, 30)), RIVAL, NEXT_HOSTED);
    let mut steps = vec![one.to_bytes(), countersigned.to_bytes(), proven.to_bytes()];
    let all = [first, better, worse, fork, rival];
    steps.extend(all.iter().map(Disclosure::to_bytes));
    let disclosures: Vec<_> = all.map(|one| one.verify(&account(BUSINESS), None, NOW).unwrap()).into();

    let asked = see(&LabelState::new(account(BUSINESS)), &[&disclosures[0]]).state;
    let (own, user, hash) = (account(USER), identity(USER), disclosures[0].hash());
    let (agreed, consent) = asked.consent(hash, &own, &user, NOW).unwrap();
    let (_, refusal) = asked.refuse(hash, &own, &user, NOW).unwrap();
    let (_, withdrawal) = agreed.state.withdraw(hash, &own, &user, NOW).unwrap();
    let receipt = consent.clone().acknowledge(&own_list(), &disclosures[0], &identity(HOSTED), NOW).unwrap();
    let shared = SharedDecision { decision: consent.clone(), disclosure: disclosures[0].disclosure().clone() };
    let decisions = vec![consent, refusal, withdrawal];
    let mut decided: Vec<_> = decisions.iter().map(Decision::to_bytes).collect();
    decided.extend([receipt.to_bytes(), shared.to_bytes()]);
    Said { disclosures, decisions, receipt, steps, decided }
});

/// A disclosure that verifies.
pub fn disclosed() -> &'static Disclosure {
    SAID.disclosures[0].disclosure()
}

fn identity(number: u8) -> Identity {
    Identity::generate(&mut ConstantRng(number))
}

fn key(number: u8) -> IdentityKey {
    *identity(number).public()
}

fn account(number: u8) -> AccountKey {
    AccountKey::of(&identity(number))
}

/// The user's device list: the one device.
fn own_list() -> DeviceDirectory {
    Primary::new(&identity(USER), DeviceTerms::own_held(Custody::Person).unwrap(), NOW).directory()
}

fn terms(operator: u8, days: u64) -> HostingTerms {
    HostingTerms {
        custody: Custody::Vendor,
        operator: Operator { name: OperatorName::new("Awan").unwrap(), key: key(operator) },
        roles: Roles::STORE.with(Roles::READ),
        retention: Retention { at_rest: days * DAY, in_use: 3_600, region: Region::new("ID").ok() },
        purposes: Purposes::ANSWERING,
    }
}

fn draft(hosted: u8, terms: HostingTerms) -> DisclosureDraft {
    DisclosureDraft::new(account(BUSINESS), key(hosted), terms, NOW, NOW.plus_seconds(90 * DAY)).unwrap()
}

fn finish(draft: DisclosureDraft, operator: u8, hosted: u8) -> Disclosure {
    let countersigned = draft.countersign(&identity(operator)).unwrap();
    countersigned.prove(&identity(hosted)).unwrap().sign(&identity(BUSINESS)).unwrap()
}

fn follow(previous: &Disclosure, terms: HostingTerms) -> Disclosure {
    let draft = DisclosureDraft::following(previous, terms, NOW, NOW.plus_seconds(90 * DAY)).unwrap();
    finish(draft, OPERATOR, HOSTED)
}

/// `text ‖ signature`, made without the library.
fn sign(number: u8, label: &str, text: &[u8]) -> Vec<u8> {
    let whole = [label.as_bytes(), &key(number).to_bytes(), text].concat();
    [text, &SigningKey::from_bytes(&[number; 32]).sign(&whole).to_bytes()].concat()
}

/// The first byte selects a raw disclosure or one correctly signed by three dishonest parties.
pub fn disclosure(data: &[u8]) {
    let mut input = Input::new(data);
    let hostile = input.byte() % 2 == 1;
    let mut bytes = input.edited(&SAID.steps);
    one_encoding_of_each_step(&bytes);
    if hostile {
        bytes = well_signed(&bytes);
    }
    let Ok(disclosure) = Disclosure::from_bytes(&bytes) else { return };
    assert_eq!(disclosure.to_bytes(), bytes, "decoded values have one encoding");
    assert!(bytes.len() <= Disclosure::LONGEST);
    let (issued, expires) = (disclosure.issued(), disclosure.expires());
    let genuine = SAID.disclosures.iter().any(|said| *said.disclosure() == disclosure);
    match disclosure.clone().verify(&account(BUSINESS), None, NOW) {
        Ok(verified) => {
            assert!(hostile || genuine, "only disclosures that all three signed verify");
            assert!(issued <= NOW.plus_seconds(DAY) && expires > NOW, "only within its dates");
            shown_to_a_user(&verified);
        }
        Err(DisclosureError::NotYetValid) => assert!(issued > NOW.plus_seconds(DAY)),
        Err(DisclosureError::Expired) => assert!(expires <= NOW),
        Err(DisclosureError::OtherAccount) => assert!(*disclosure.account() != account(BUSINESS)),
        Err(error) => {
            assert_eq!(error, DisclosureError::BadSignature, "no other fault");
            assert!(!hostile && !genuine, "a well-signed disclosure is refused");
        }
    }
    for known in &SAID.disclosures {
        let after = disclosure.clone().verify(&account(BUSINESS), Some(&known.known()), NOW);
        let lower =
            disclosure.device() == known.disclosure().device() && disclosure.sequence() < known.disclosure().sequence();
        assert!(after.is_err() || !lower, "rolled back");
    }
}

fn one_encoding_of_each_step(bytes: &[u8]) {
    if let Ok(draft) = DisclosureDraft::from_bytes(bytes) {
        assert_eq!(draft.to_bytes(), bytes);
    }
    if let Ok(countersigned) = CountersignedDraft::from_bytes(bytes) {
        assert_eq!(countersigned.to_bytes(), bytes);
        assert!(SAID.steps.iter().any(|said| said.starts_with(bytes)), "the operator signed nothing else");
    }
    if let Ok(proven) = ProvenDraft::from_bytes(bytes) {
        assert_eq!(proven.to_bytes(), bytes);
        assert!(SAID.steps.iter().any(|said| said.starts_with(bytes)), "the hosted device signed nothing else");
    }
}

/// The body of a disclosure with the keys of parties who sign anything.
fn well_signed(bytes: &[u8]) -> Vec<u8> {
    let mut body = bytes[..bytes.len().saturating_sub(192)].to_vec();
    for (at, number) in [(1, BUSINESS), (65, HOSTED), (130, OPERATOR)] {
        if let Some(place) = body.get_mut(at..at + 64) {
            place.copy_from_slice(&key(number).to_bytes());
        }
    }
    let countersigned = sign(OPERATOR, "bisik-1 disclosure operator\0", &body);
    let proven = sign(HOSTED, "bisik-1 disclosure endpoint\0", &countersigned);
    sign(BUSINESS, "bisik-1 disclosure account\0", &proven)
}

/// A verified disclosure can be shown and agreed to, and allows no sending before that.
fn shown_to_a_user(verified: &VerifiedDisclosure) {
    let transition = see(&LabelState::new(account(BUSINESS)), &[verified]);
    let hash = verified.hash();
    let mut told = Label::Unknown;
    let state = after(&mut told, &transition, NOW);
    assert_eq!(state.label(NOW), Label::Disclosed { disclosure: hash });
    let (agreed, decision) = state.consent(hash, &account(USER), &identity(USER), NOW).unwrap();
    let agreed = after(&mut told, &agreed, NOW);
    assert_eq!(agreed.label(NOW), Label::Hosted { disclosure: hash, consent: hash });
    assert!(agreed.permit(NOW).is_ok_and(|permit| permit.allows(verified.disclosure().device(), Some(hash))));
    assert_eq!(decision.verify(&own_list(), verified, NOW), Ok(()));
    let member = HostedMember::new(verified);
    assert_eq!(HostedMember::from_bytes(&member.to_bytes()), Some(member));
    let terms = verified.disclosure().terms();
    assert!(!terms.worse_than(terms).is_worse());
    assert!(terms.retention.deadline(NOW) >= terms.retention.working_deadline(NOW));
}

fn see(state: &LabelState, hosted: &[&VerifiedDisclosure]) -> Transition {
    let devices: Vec<_> = hosted.iter().map(|verified| device(verified)).chain([phone()]).collect();
    state.observe(Evidence::Devices { expires: NOW.plus_seconds(30 * DAY), devices: &devices, own: &[] }, NOW)
}

fn device(verified: &VerifiedDisclosure) -> HostedDevice<'_> {
    let disclosure = verified.disclosure();
    let (key, custody) = (*disclosure.device(), disclosure.terms().custody);
    let (disclosure, presented) = (Some(verified.hash()), Presented::Verified(verified));
    HostedDevice { key, custody, automated: false, disclosure, presented }
}

fn phone() -> HostedDevice<'static> {
    let (custody, disclosure) = (Custody::Business, None);
    HostedDevice { key: key(BUSINESS), custody, automated: false, disclosure, presented: Presented::Nothing }
}

/// The state after a transition. What the user was `told` is the label, unless it expired and no operation has noticed:
/// there is one event for each change of it, which names what he was told before, and has a text.
fn after<'a>(told: &mut Label, transition: &'a Transition, now: Timestamp) -> &'a LabelState {
    let Transition { state, event, closed: _ } = transition;
    let expired = Label::Unverified { why: Unverified::Expired };
    let label = state.label(now);
    if let Some(event) = event {
        let change = event.change();
        assert!(change.at == now && change.old != change.new, "an event for nothing");
        assert_eq!(change.old, *told, "a change from what nobody was told");
        *told = change.new;
        for language in [Language::English, Language::Indonesian] {
            let shown = notice(event, "Toko", language);
            assert!(shown.lines().iter().all(|line| !line.text.contains(['{', '}', '\n'])), "{shown}");
        }
        let agreed = matches!(event, LabelEvent::Consented(_));
        assert!(!agreed || matches!(label, Label::Hosted { .. }) || label == expired);
    }
    assert!(label == *told || label == expired, "{label:?}, and the user was told {told:?}");
    let sendable = matches!(label, Label::EndToEnd { .. } | Label::OwnHosted { .. } | Label::Hosted { .. });
    assert!(sendable || state.permit(now).is_err(), "nothing is sent under {label:?}");
    state
}

/// The first byte selects raw decisions and receipts, those signed by a dishonest device, or a user who decides.
pub fn consent(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => decision(&input.edited(&SAID.decided), false),
        1 => {
            let bytes = input.edited(&SAID.decided);
            let mut text = bytes[..bytes.len().saturating_sub(64).min(238)].to_vec();
            if let Some(device) = text.get_mut(66..130) {
                device.copy_from_slice(&key(USER).to_bytes());
            }
            decision(&sign(USER, "bisik-1 decision\0", &text), true);
        }
        _ => user(input),
    }
}

fn decision(bytes: &[u8], hostile: bool) {
    let first = &SAID.disclosures[0];
    if let Ok(decision) = Decision::from_bytes(bytes) {
        assert_eq!(decision.to_bytes(), bytes, "decoded values have one encoding");
        let about = *decision.account() == account(USER)
            && *decision.peer() == account(BUSINESS)
            && decision.disclosure() == first.hash();
        let verified = decision.verify(&own_list(), first, NOW);
        let late = decision.choice() == Choice::Consent && decision.decided() > NOW.plus_seconds(DAY);
        assert!(verified.is_err() || about && !late);
        assert!(verified.is_err() || hostile || SAID.decisions.contains(&decision), "only what the user signed");
    }
    if let Ok(receipt) = DecisionReceipt::from_bytes(bytes) {
        assert_eq!(receipt.to_bytes(), bytes, "decoded values have one encoding");
        let verified = receipt.verify(&own_list(), first);
        assert!(verified.is_err() || receipt == SAID.receipt, "only what the hosted device signed");
    }
    if let Ok(shared) = SharedDecision::from_bytes(bytes) {
        assert_eq!(shared.to_bytes(), bytes, "decoded values have one encoding");
    }
}

/// The user observes and decides in any order: two bytes for each.
fn user(mut input: Input<'_>) {
    let (own, device, mut now) = (account(USER), identity(USER), NOW);
    let (mut state, mut told) = (LabelState::new(account(BUSINESS)), Label::Unknown);
    while !input.is_empty() {
        let [verb, which] = input.array();
        let chosen = &SAID.disclosures[usize::from(which) % SAID.disclosures.len()];
        let unasked = DisclosureHash::from_bytes([which.max(1); 32]).unwrap();
        let asked = state.question().map_or(unasked, |(hash, _)| hash);
        let decided = match verb % 6 {
            0 => Some(see_at(&state, which, now)),
            1 => Some(state.tick(now)),
            2 => state.consent(asked, &own, &device, now).ok().map(|(transition, _)| transition),
            3 => state.refuse(asked, &own, &device, now).ok().map(|(transition, _)| transition),
            4 => state.withdraw(chosen.hash(), &own, &device, now).ok().map(|(transition, _)| transition),
            _ => {
                now = now.plus_seconds(u64::from(which) * 3_600);
                None
            }
        };
        if let Some(transition) = decided {
            state = after(&mut told, &transition, now).clone();
        }
    }
}

/// Observes any subset of the disclosures ever made, each under the list that names it.
fn see_at(state: &LabelState, which: u8, now: Timestamp) -> Transition {
    let said = SAID.disclosures.iter().enumerate().filter(|(at, _)| which & (1 << at) != 0);
    let devices: Vec<_> = said.map(|(_, verified)| device(verified)).chain([phone()]).collect();
    state.observe(Evidence::Devices { expires: now.plus_seconds(30 * DAY), devices: &devices, own: &[] }, now)
}

pub fn disclosure_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let names = ["draft", "countersigned", "proven", "first", "better", "worse", "fork", "rival"];
    let genuine = names.iter().zip(0..).map(|(name, index)| (*name, vec![0, index, 0]));
    let hostile = |name, edits: &[u8]| (name, [&[1, 3], edits].concat());
    let end = u8::try_from(SAID.steps[3].len() - 256 - 1).expect("a little more than 256");
    genuine
        .chain([
            hostile("hostile", &[0]),
            hostile("hostile_custody", &[1, FLIP, 1, 0, 129]),
            hostile("hostile_name", &[1, FLIP, 0x61, 0, 195]),
            hostile("hostile_no_role", &[1, FLIP, 3, 0, 199]),
            hostile("hostile_region", &[1, FLIP, 0x20, 0, 217]),
            hostile("hostile_expiry", &[1, FLIP, 0xff, 0, 228]),
            ("flipped_signature", vec![0, 3, 1, FLIP, 1, 1, end]),
            ("truncated", vec![0, 3, 1, TRUNCATE, 0, 1, end]),
        ])
        .collect()
}

pub fn consent_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let names = ["consent", "refusal", "withdrawal", "receipt", "shared"];
    let genuine = names.iter().zip(0..).map(|(name, index)| (*name, vec![0, index, 0]));
    genuine
        .chain([
            ("hostile", vec![1, 0, 0]),
            ("hostile_choice", vec![1, 0, 1, FLIP, 4, 0, 1]),
            ("hostile_date", vec![1, 0, 1, FLIP, 0xff, 0, 231]),
            ("flipped_receipt", vec![0, 3, 1, FLIP, 1, 1, 120]),
            ("agrees_and_withdraws", vec![2, 0, 1, 2, 0, 4, 0, 2, 0, 0, 0]),
            ("terms_change", vec![2, 0, 1, 2, 0, 0, 2, 0, 4, 2, 0, 0, 2, 1, 0]),
            ("two_operators", vec![2, 0, 17, 2, 0, 2, 0, 0, 16, 0, 0, 3, 0]),
            ("expires", vec![2, 0, 1, 2, 0, 5, 255, 5, 255, 5, 255, 1, 0, 0, 1]),
            ("expires_unnoticed", vec![2, 0, 1, 66, 0, 5, 255, 5, 255, 5, 255, 0, 0, 2, 1]),
            ("forked", vec![2, 0, 2, 0, 8, 3, 0, 0, 0]),
        ])
        .collect()
}

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const TRUNCATE: u8 = 1;
