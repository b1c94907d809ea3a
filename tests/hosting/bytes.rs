//! Encodings and signatures of disclosures, decisions and receipts: each has one encoding, and no other party's
//! signature is accepted.

use bisik::Timestamp;
use bisik::device::{Custody, DeviceCertificate, DeviceDirectory, DeviceTerms, Primary};
use bisik::hosting::{
    CountersignedDraft, Decision, DecisionError, DecisionReceipt, Disclosure, DisclosureDraft, DisclosureError,
    DraftError, HostingTerms, ProvenDraft, Region, Retention, Roles, SharedDecision, VerifiedDisclosure,
};

use crate::parties::*;

const BY_OPERATOR: &str = "bisik-1 disclosure operator\0";
const BY_HOSTED: &str = "bisik-1 disclosure endpoint\0";
const BY_ACCOUNT: &str = "bisik-1 disclosure account\0";
const DECIDED: &str = "bisik-1 decision\0";
const RECEIVED: &str = "bisik-1 decision receipt\0";

fn in_jakarta() -> HostingTerms {
    let retention = Retention { region: Some(Region::new("ID-JK").unwrap()), ..Retention::THIRTY_DAYS };
    HostingTerms { retention, ..vendor() }
}

fn accepted(bytes: &[u8]) -> Result<(), DisclosureError> {
    Disclosure::from_bytes(bytes)?.verify(&account(BUSINESS), None, NOW).map(drop)
}

/// A body with the signatures of these parties, each over everything before it, made without the library.
fn signed_by(body: &[u8], signers: [(u8, &str); 3]) -> Vec<u8> {
    signers.into_iter().fold(body.to_vec(), |bytes, (number, label)| {
        let signature = signature(number, label, &bytes);
        [bytes.as_slice(), &signature].concat()
    })
}

const SIGNERS: [(u8, &str); 3] = [(AWAN, BY_OPERATOR), (HOSTED, BY_HOSTED), (BUSINESS, BY_ACCOUNT)];

fn draft(terms: HostingTerms) -> DisclosureDraft {
    DisclosureDraft::new(account(BUSINESS), key(HOSTED), terms, NOW, after(90)).unwrap()
}

/// P-11.3, P-11.6, P-11.7.
#[test]
fn a_disclosure_is_signed_by_three_parties_in_turn() {
    let draft = DisclosureDraft::from_bytes(&draft(in_jakarta()).to_bytes()).unwrap();
    let body = draft.to_bytes();
    let countersigned = draft.countersign(&identity(AWAN)).unwrap();
    let proven = CountersignedDraft::from_bytes(&countersigned.to_bytes()).unwrap().prove(&identity(HOSTED)).unwrap();
    let disclosure = ProvenDraft::from_bytes(&proven.to_bytes()).unwrap().sign(&identity(BUSINESS)).unwrap();
    assert_eq!(disclosure.to_bytes(), signed_by(&body, SIGNERS));
    assert_eq!(Disclosure::from_bytes(&disclosure.to_bytes()).unwrap(), disclosure);
    assert_eq!(accepted(&disclosure.to_bytes()), Ok(()));
    assert_eq!(disclosure.terms(), &in_jakarta());
    assert_eq!(verified(&disclosure).hash(), disclosure.hash());
    assert!(disclosure.to_bytes().len() <= Disclosure::LONGEST);
}

/// P-11.7. A forger lacks one of the three keys and signs with another.
#[test]
fn a_disclosure_forged_without_one_of_the_three_keys_is_refused() {
    let body = draft(vendor()).to_bytes();
    assert_eq!(accepted(&signed_by(&body, SIGNERS)), Ok(()));
    for lacking in 0..3 {
        for forger in [AWAN, HOSTED, BUSINESS, JARING, CUSTOMER] {
            let mut signers = SIGNERS;
            signers[lacking].0 = forger;
            let expected = if signers == SIGNERS { Ok(()) } else { Err(DisclosureError::BadSignature) };
            assert_eq!(accepted(&signed_by(&body, signers)), expected, "{signers:?}");
        }
    }
}

/// P-11.7. A forger holds several of the keys.
#[test]
fn a_signature_for_one_purpose_does_not_serve_another() {
    let body = draft(vendor()).to_bytes();
    for place in 0..3 {
        for label in [BY_OPERATOR, BY_HOSTED, BY_ACCOUNT, DECIDED, RECEIVED] {
            let mut signers = SIGNERS;
            signers[place].1 = label;
            let expected = if signers == SIGNERS { Ok(()) } else { Err(DisclosureError::BadSignature) };
            assert_eq!(accepted(&signed_by(&body, signers)), expected, "{signers:?}");
        }
    }
}

/// P-11.7. Each signature covers those before it: if the operator signs again, the account's signature no longer
/// verifies.
#[test]
fn signatures_over_the_body_alone_are_refused() {
    let body = draft(vendor()).to_bytes();
    let apart = SIGNERS.map(|(number, label)| signature(number, label, &body));
    assert_eq!(accepted(&[body, apart.concat()].concat()), Err(DisclosureError::BadSignature));
}

#[test]
fn a_disclosure_with_any_byte_changed_is_refused() {
    let bytes = first_at(HOSTED, in_jakarta(), NOW).to_bytes();
    for at in 0..bytes.len() {
        for mask in [1 << (at % 8), 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            assert!(accepted(&changed).is_err(), "byte {at}, mask {mask:02x}");
            if let Ok(decoded) = Disclosure::from_bytes(&changed) {
                assert_eq!(decoded.to_bytes(), changed, "one encoding");
            }
        }
    }
}

#[test]
fn a_truncated_or_extended_disclosure_is_malformed() {
    let bytes = first_at(HOSTED, in_jakarta(), NOW).to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(accepted(&bytes[..length]), Err(DisclosureError::Malformed), "{length} bytes");
    }
    for extra in [1, 32, 64] {
        assert_eq!(accepted(&[&*bytes, &vec![0; extra]].concat()), Err(DisclosureError::Malformed));
    }
}

// Offsets in a disclosure of `vendor()`: the operator's name has 10 bytes, and there is no region.
const CUSTODY: usize = 129;
const NAME: usize = CUSTODY + 1 + 64;
const ROLES: usize = NAME + 1 + 10;
const REGION: usize = ROLES + 1 + 16;
const PURPOSES: usize = REGION + 1;
const ISSUED: usize = PURPOSES + 1;
const SEQUENCE: usize = ISSUED + 16;

/// P-11.1, P-11.2, P-11.4, P-11.5. Correctly signed by all three, and still not a disclosure.
#[test]
fn a_signed_disclosure_with_forbidden_values_is_malformed() {
    let body = draft(vendor()).to_bytes();
    let edited = |at: usize, bytes: &[u8]| {
        let mut body = body.clone();
        body[at..at + bytes.len()].copy_from_slice(bytes);
        accepted(&signed_by(&body, SIGNERS))
    };
    let malformed = Err(DisclosureError::Malformed);
    assert_eq!((edited(ROLES, &[7]), edited(PURPOSES, &[0])), (Ok(()), Ok(())), "edits land where they should");
    for custody in [0, 1, 2, 3, 7, 255] {
        assert_eq!(edited(CUSTODY, &[custody]), malformed, "custody {custody}");
    }
    for (at, byte) in [(ROLES, 0), (ROLES, 8), (ROLES, 0x83), (PURPOSES, 8), (PURPOSES, 0xff), (0, 0), (0, 2)] {
        assert_eq!(edited(at, &[byte]), malformed, "{byte} at {at}");
    }
    assert_eq!(edited(NAME + 1, b"Pesan Awan"), Ok(()));
    for name in [b" wan Pesan", b"Awan\0Pesan", b"Awan \xff\xfe\xfdsa", b"Awan\xe2\x80\xaeesa", b"Awan Pesa "] {
        assert_eq!(edited(NAME + 1, name), malformed, "{name:?}");
    }
    let (issued, late) = (NOW.as_unix_seconds(), after(367).as_unix_seconds());
    for expires in [0, issued - 1, issued, late, u64::MAX] {
        assert_eq!(edited(ISSUED + 8, &expires.to_be_bytes()), malformed, "until {expires}");
    }
    for (sequence, previous) in [(0_u64, 0), (0, 1), (1, 1), (2, 0), (u64::MAX, 0)] {
        let bytes = [sequence.to_be_bytes().as_slice(), &[previous; 32]].concat();
        assert_eq!(edited(SEQUENCE, &bytes), malformed, "number {sequence}");
    }
    for (at, number) in [(1, HOSTED), (1, AWAN), (65, BUSINESS), (65, AWAN), (130, BUSINESS), (130, HOSTED)] {
        assert_eq!(edited(at, &key(number).to_bytes()), malformed, "{number} at {at}");
    }
}

/// P-11.2. Regions have one spelling.
#[test]
fn a_region_in_any_other_spelling_is_malformed() {
    let body = draft(vendor()).to_bytes();
    let with = |region: &[u8]| {
        let length = u8::try_from(region.len()).unwrap();
        accepted(&signed_by(&[&body[..REGION], &[length], region, &body[PURPOSES..]].concat(), SIGNERS))
    };
    assert_eq!(with(b"ID"), Ok(()));
    for region in [b"I".as_slice(), b"id", b"ID\0", b"ID ", b"ID-JAWA-BARAT-001", b"\xc3\x89D"] {
        assert_eq!(with(region), Err(DisclosureError::Malformed), "{region:?}");
    }
}

/// P-11.8.
#[test]
fn a_disclosure_is_valid_from_one_day_before_issue_until_it_expires() {
    let disclosure = first_at(HOSTED, vendor(), NOW);
    let at = |seconds| {
        let verified = disclosure.clone().verify(&account(BUSINESS), None, Timestamp::from_unix_seconds(seconds));
        verified.map(drop)
    };
    let (issued, expires) = (disclosure.issued().as_unix_seconds(), disclosure.expires().as_unix_seconds());
    assert_eq!(at(issued - DAY - 1), Err(DisclosureError::NotYetValid));
    assert_eq!((at(issued - DAY), at(expires - 1)), (Ok(()), Ok(())));
    assert_eq!(at(expires), Err(DisclosureError::Expired));
}

#[test]
fn a_disclosure_of_another_account_is_refused() {
    let disclosure = first_at(HOSTED, vendor(), NOW);
    let refused = disclosure.verify(&account(OTHER_BUSINESS), None, NOW);
    assert_eq!(refused.err(), Some(DisclosureError::OtherAccount));
}

/// P-11.9, P-11.10. A known disclosure, and which ones may follow it.
#[test]
fn a_rolled_back_or_forked_disclosure_is_refused() {
    let one = first(HOSTED, vendor());
    let two = following(&one, HOSTED, vendor());
    let three = following(&two, HOSTED, vendor());
    let other_one = first(HOSTED, kept_for(1, &vendor()));
    let other_two = following(&other_one, HOSTED, vendor());
    let other_operator = first(HOSTED, platform());
    let elsewhere = first(NEW_HOSTED, platform());
    let after = |known: &VerifiedDisclosure, next: &VerifiedDisclosure| {
        next.disclosure().clone().verify(&account(BUSINESS), Some(&known.known()), NOW.plus_seconds(9)).map(drop)
    };
    for (known, next) in [(&one, &one), (&one, &two), (&two, &three), (&one, &three), (&one, &elsewhere)] {
        assert_eq!(after(known, next), Ok(()));
    }
    for (known, next, error) in [
        (&two, &one, DisclosureError::RolledBack),
        (&three, &one, DisclosureError::RolledBack),
        (&two, &other_one, DisclosureError::RolledBack),
        (&one, &other_one, DisclosureError::Forked),
        (&one, &other_two, DisclosureError::Forked),
        (&two, &other_two, DisclosureError::Forked),
        (&one, &other_operator, DisclosureError::KeyReused),
    ] {
        assert_eq!(after(known, next), Err(error));
    }
}

/// P-11.3, P-11.4, P-11.5, P-11.10. Which drafts are refused, and which signers.
#[test]
fn a_disclosure_draft_is_signed_by_the_named_parties_in_order() {
    let new =
        |hosted, terms, expires| DisclosureDraft::new(account(BUSINESS), key(hosted), terms, NOW, expires).map(drop);
    assert_eq!(new(HOSTED, vendor(), after(366)), Ok(()));
    assert_eq!(new(BUSINESS, vendor(), after(90)), Err(DraftError::Keys));
    assert_eq!(new(AWAN, vendor(), after(90)), Err(DraftError::Keys));
    assert_eq!(new(HOSTED, vendor(), NOW), Err(DraftError::Dates));
    assert_eq!(new(HOSTED, vendor(), after(367)), Err(DraftError::Dates));
    let own_held = HostingTerms { custody: Custody::SelfHosted, ..vendor() };
    assert_eq!(new(HOSTED, own_held, after(90)), Err(DraftError::Terms));
    let idle = HostingTerms { roles: Roles::NONE, ..vendor() };
    assert_eq!(new(HOSTED, idle, after(90)), Err(DraftError::Terms));
    let other = DisclosureDraft::following(&first_at(HOSTED, vendor(), NOW), platform(), NOW, after(90));
    assert_eq!(other.err(), Some(DraftError::OtherOperator));

    let draft = draft(vendor());
    assert_eq!(draft.clone().countersign(&identity(JARING)).err(), Some(DraftError::OtherParty));
    let countersigned = draft.countersign(&identity(AWAN)).unwrap();
    assert_eq!(countersigned.clone().prove(&identity(AWAN)).err(), Some(DraftError::OtherParty));
    let proven = countersigned.prove(&identity(HOSTED)).unwrap();
    assert_eq!(proven.sign(&identity(AWAN)).err(), Some(DraftError::OtherParty));
}

/// P-11.3. No party signs over a signature that does not verify.
#[test]
fn a_partly_signed_disclosure_with_any_byte_changed_is_refused() {
    type Read = fn(&[u8]) -> Option<DraftError>;
    let countersigned = draft(vendor()).countersign(&identity(AWAN)).unwrap();
    let proven = countersigned.clone().prove(&identity(HOSTED)).unwrap();
    let steps: [(Vec<u8>, Read); 2] = [
        (countersigned.to_bytes(), |bytes| CountersignedDraft::from_bytes(bytes).err()),
        (proven.to_bytes(), |bytes| ProvenDraft::from_bytes(bytes).err()),
    ];
    for (bytes, refused) in steps {
        assert_eq!(refused(&bytes), None);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(refused(&changed).is_some(), "byte {at}");
            assert!(refused(&bytes[..at]).is_some(), "{at} bytes");
        }
        assert!(refused(&[&*bytes, &[0]].concat()).is_some());
    }
}

/// A consent, its disclosure and its receipt.
fn receipt() -> (VerifiedDisclosure, Decision, DecisionReceipt) {
    let disclosure = first(HOSTED, vendor());
    let mut customer = CustomerDevice::new();
    let _ = customer.see(&[hosted(&disclosure)]);
    let (_, decision) = customer.consent(&disclosure);
    let now = decision.decided().plus_seconds(5);
    let receipt = decision.clone().acknowledge(&own_list(), &disclosure, &identity(HOSTED), now);
    (disclosure, decision, receipt.unwrap())
}

/// P-11.19.
#[test]
fn a_receipt_holds_both_signatures_and_can_be_exported() {
    let (disclosure, decision, receipt) = receipt();
    let exported = DecisionReceipt::from_bytes(&receipt.to_bytes()).unwrap();
    assert_eq!(exported.verify(&own_list(), &disclosure), Ok(()));
    assert_eq!((exported.decision(), exported.received()), (&decision, decision.decided().plus_seconds(5)));
    let (decision, receipt) = (decision.to_bytes(), receipt.to_bytes());
    assert_eq!((decision.len(), receipt.len()), (Decision::LENGTH, DecisionReceipt::LENGTH));
    assert_eq!(decision[238..], signature(CUSTOMER, DECIDED, &decision[..238]));
    assert_eq!(receipt[374..], signature(HOSTED, RECEIVED, &receipt[..374]));
    // Years later it is verified as of its date.
    let decided = exported.decision().decided();
    let then = disclosure.disclosure().clone().verify(&account(BUSINESS), None, decided).unwrap();
    assert_eq!(exported.verify(&own_list(), &then), Ok(()));
}

/// P-11.19.
#[test]
fn a_decision_or_receipt_with_any_byte_changed_is_refused() {
    let (disclosure, decision, receipt) = receipt();
    let (decision, receipt) = (decision.to_bytes(), receipt.to_bytes());
    let decided = |bytes: &[u8]| Decision::from_bytes(bytes)?.verify(&own_list(), &disclosure, after(1));
    let received = |bytes: &[u8]| DecisionReceipt::from_bytes(bytes)?.verify(&own_list(), &disclosure);
    assert_eq!((decided(&decision), received(&receipt)), (Ok(()), Ok(())));
    for at in 0..receipt.len() {
        for mask in [1 << (at % 8), 0xff] {
            let mut changed = receipt.clone();
            changed[at] ^= mask;
            assert!(received(&changed).is_err(), "byte {at} of the receipt");
            assert!(at >= decision.len() || decided(&changed[..decision.len()]).is_err(), "byte {at} of the decision");
        }
        assert_eq!(received(&receipt[..at]), Err(DecisionError::Malformed), "{at} bytes");
        assert!(at >= decision.len() || decided(&decision[..at]) == Err(DecisionError::Malformed), "{at} bytes");
    }
    assert_eq!(decided(&[&*decision, &[0]].concat()), Err(DecisionError::Malformed));
    assert_eq!(received(&[&*receipt, &[0]].concat()), Err(DecisionError::Malformed));
}

/// P-11.19.
#[test]
fn a_decision_is_bound_to_its_accounts_disclosure_and_time() {
    let (disclosure, decision, receipt) = receipt();
    let verify = |user: &DeviceDirectory, about, now| decision.verify(user, about, now);
    let terms = DeviceTerms::own_held(Custody::Business).unwrap();
    let other = Primary::new(&identity(OTHER_BUSINESS), terms, NOW).directory();
    assert_eq!(verify(&other, &disclosure, NOW), Err(DecisionError::OtherAccount));
    let renewed = following(&disclosure, HOSTED, vendor());
    assert_eq!(verify(&own_list(), &renewed, NOW), Err(DecisionError::OtherDisclosure));
    assert_eq!(receipt.verify(&own_list(), &renewed), Err(DecisionError::OtherDisclosure));
    let early = Timestamp::from_unix_seconds(decision.decided().as_unix_seconds() - DAY - 1);
    assert_eq!(verify(&own_list(), &disclosure, early), Err(DecisionError::NotYetValid));
    let by_another = decision.clone().acknowledge(&own_list(), &disclosure, &identity(AWAN), NOW);
    assert_eq!(by_another.err(), Some(DecisionError::OtherHostedDevice));
    // A receipt signed by the operator rather than the hosted device.
    let text = [&*decision.to_bytes(), &key(AWAN).to_bytes(), &NOW.as_unix_seconds().to_be_bytes()].concat();
    let forged = DecisionReceipt::from_bytes(&[&*text, &signature(AWAN, RECEIVED, &text)].concat()).unwrap();
    assert_eq!(forged.verify(&own_list(), &disclosure), Err(DecisionError::OtherHostedDevice));

    let signed = |choice: u8, decided: Timestamp| {
        let mut text = decision.to_bytes()[..238].to_vec();
        text[1] = choice;
        text[230..].copy_from_slice(&decided.as_unix_seconds().to_be_bytes());
        Decision::from_bytes(&[&*text, &signature(CUSTOMER, DECIDED, &text)].concat())
    };
    let expires = disclosure.disclosure().expires();
    for (choice, expected) in [(1, Err(DecisionError::Expired)), (2, Ok(())), (3, Ok(()))] {
        let late = signed(choice, expires).unwrap();
        assert_eq!(late.verify(&own_list(), &disclosure, expires), expected, "choice {choice}");
    }
    for choice in [0, 4, 255] {
        assert_eq!(signed(choice, NOW).err(), Some(DecisionError::Malformed));
    }
}

/// P-11.19. The vendor has the customer's account key, which is public, and any number of keys of its own.
#[test]
fn a_vendor_alone_cannot_forge_a_users_consent() {
    let disclosure = first(HOSTED, vendor());
    let mut forger = CustomerDevice::of(JARING);
    let _ = forger.see(&[hosted(&disclosure)]);
    // Signed in the customer's name, with a key that is not one of the customer's devices.
    let (_, decision) = forger.consent(&disclosure);
    assert_eq!((decision.account(), *decision.device()), (&account(CUSTOMER), key(JARING)));
    let refused = decision.clone().acknowledge(&own_list(), &disclosure, &identity(HOSTED), forger.now);
    assert_eq!(refused.err(), Some(DecisionError::NotListed));
    // Nor does the library's refusal to sign stop a vendor, which has the hosted device's key.
    let note = [&*decision.to_bytes(), &key(HOSTED).to_bytes(), &forger.now.as_unix_seconds().to_be_bytes()].concat();
    let forged = DecisionReceipt::from_bytes(&[&*note, &signature(HOSTED, RECEIVED, &note)].concat()).unwrap();
    assert_eq!(forged.verify(&own_list(), &disclosure), Err(DecisionError::NotListed));
    // A list that the vendor makes up is of another account.
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let made_up = Primary::new(&identity(JARING), terms, NOW).directory();
    assert_eq!(forged.verify(&made_up, &disclosure), Err(DecisionError::OtherAccount));
    // A device of the customer's account whose keys another vendor holds decides nothing either.
    let disclosed = DeviceTerms::disclosed(Custody::Vendor, disclosure.hash()).unwrap();
    let mut primary = Primary::new(&identity(CUSTOMER), terms, NOW);
    let certificate = DeviceCertificate::sign(&identity(JARING), &account(CUSTOMER), 1, disclosed);
    primary.add(&identity(CUSTOMER), certificate, NOW).unwrap();
    assert_eq!(forged.verify(&primary.directory(), &disclosure), Err(DecisionError::NotListed));
    assert_eq!(
        forged.verify(&listed(&[JARING]), &disclosure),
        Ok(()),
        "with such a device the decision is the customer's"
    );
}

#[test]
fn a_shared_decision_has_one_encoding() {
    let (disclosure, decision, _) = receipt();
    let shared = SharedDecision { decision, disclosure: disclosure.disclosure().clone() };
    assert_eq!(SharedDecision::from_bytes(&shared.to_bytes()).unwrap(), shared);
    for length in 0..shared.to_bytes().len() {
        assert!(SharedDecision::from_bytes(&shared.to_bytes()[..length]).is_err());
    }
    assert!(SharedDecision::from_bytes(&[&*shared.to_bytes(), &[0]].concat()).is_err());
}
