//! Linking a device by QR code or typed code, with and without an attacker in the middle.

use std::collections::BTreeMap;

use bisik::DisclosureHash;
use bisik::device::link::{Answered, Companion, CompanionComparing, Invitation, Linked, PrimaryComparing, Sas};
use bisik::device::{Custody, DeviceListError, LinkError, Primary, PrimaryError};
use bisik_testkit::{ConstantRng, SeededRng};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use sha2::{Digest, Sha512};

use super::parties::*;

/// The method by which a companion shows itself to the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    QrCode,
    TypedCode,
}

const METHODS: [Method; 2] = [Method::QrCode, Method::TypedCode];

/// A new device, and the message that the primary receives from it.
fn begin(method: Method, rng: &mut SeededRng) -> (Companion, Vec<u8>) {
    match method {
        Method::QrCode => {
            let (companion, code) = Companion::with_qr_code(rng);
            (companion, code.as_bytes().to_vec())
        }
        Method::TypedCode => {
            let (companion, _) = Companion::with_typed_code(rng);
            let hello = companion.hello().to_vec();
            (companion, hello)
        }
    }
}

fn invitation(method: Method, seen: &[u8]) -> Result<Invitation, LinkError> {
    match method {
        Method::QrCode => Invitation::scan(seen),
        Method::TypedCode => Invitation::fetch(seen),
    }
}

fn answer(method: Method, seen: &[u8], account: &Account, rng: &mut SeededRng) -> (Answered, Vec<u8>) {
    invitation(method, seen).unwrap().answer(&account.primary, own(Custody::Person), rng)
}

/// Both sides up to the comparison.
fn compare(method: Method, account: &Account, rng: &mut SeededRng) -> (CompanionComparing, PrimaryComparing) {
    let (companion, seen) = begin(method, rng);
    let (answered, message) = answer(method, &seen, account, rng);
    let (companion, reveal) = companion.answer(&message).unwrap();
    (companion, answered.reveal(&reveal).unwrap())
}

fn same(one: &Sas, other: &Sas) -> bool {
    assert_eq!(one == other, one.emoji() == other.emoji() && one.digits() == other.digits());
    one.emoji() == other.emoji() || one.digits() == other.digits()
}

/// P-10.15, P-10.18, P-10.19.
#[test]
fn a_device_links_by_qr_code_and_by_typed_code() {
    let mut rng = SeededRng::new(10);
    for method in METHODS {
        let mut account = Account::of(2);
        let mut peer = account.directory();
        let (companion, primary) = compare(method, &account, &mut rng);
        assert!(same(companion.sas(), primary.sas()), "{method:?}");
        assert_eq!((companion.account(), companion.terms()), (&account.key(), &own(Custody::Person)));
        let list = account.primary.add(&account.phone, primary.confirm(), NOW).unwrap();
        let Linked { identity, directory, entry, .. } = companion.confirm().finish(list, NOW).unwrap();
        assert_eq!(peer.accept(list, NOW).unwrap().added, [entry]);
        assert_eq!((directory.id(), entry.index(), entry.identity()), (peer.id(), 2, identity.public()));
        assert!(directory.own(&identity, NOW).is_ok());
    }
}

#[test]
fn a_hosted_device_links_under_its_disclosure() {
    let mut rng = SeededRng::new(11);
    let mut account = Account::new();
    let (companion, code) = Companion::with_qr_code(&mut rng);
    let invited = Invitation::scan(code.as_bytes()).unwrap();
    assert_eq!(invited.companion(), companion.identity().public(), "for the disclosure that both sign");
    let (answered, message) = invited.answer(&account.primary, vendor(7), &mut rng);
    let (companion, reveal) = companion.answer(&message).unwrap();
    assert_eq!(companion.terms(), &vendor(7));
    let list = account.primary.add(&account.phone, answered.reveal(&reveal).unwrap().confirm(), NOW).unwrap();
    let linked = companion.confirm().finish(list, NOW).unwrap();
    assert_eq!(linked.entry.terms().disclosure(), DisclosureHash::from_bytes([7; 32]).ok());
}

/// The outcome of one linking with an attacker in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Caught {
    AtCompanion,
    AtPrimary,
    ByTheUser,
}

/// Both sides continue with the messages that the relay delivered; the user compares both screens. Panics if no one
/// notices the change.
fn caught(companion: Companion, message: &[u8], answered: Answered, tamper: impl Fn(Vec<u8>) -> Vec<u8>) -> Caught {
    let Ok((companion, reveal)) = companion.answer(message) else { return Caught::AtCompanion };
    let Ok(primary) = answered.reveal(&tamper(reveal)) else { return Caught::AtPrimary };
    assert!(!same(companion.sas(), primary.sas()), "equal strings despite the attacker");
    Caught::ByTheUser
}

/// P-10.13. The link secret never crosses the network.
#[test]
fn qr_code_linking_refuses_every_changed_message() {
    let mut rng = SeededRng::new(12);
    let account = Account::of(2);
    for at in 0..199 {
        let (companion, seen) = begin(Method::QrCode, &mut rng);
        let (answered, mut message) = answer(Method::QrCode, &seen, &account, &mut rng);
        message[at] ^= 1 << (at % 8);
        assert_eq!(caught(companion, &message, answered, |reveal| reveal), Caught::AtCompanion, "answer, {at}");
    }
    for at in 0..129 {
        let (companion, seen) = begin(Method::QrCode, &mut rng);
        let (answered, message) = answer(Method::QrCode, &seen, &account, &mut rng);
        let flip = |mut reveal: Vec<u8>| {
            reveal[at] ^= 1 << (at % 8);
            reveal
        };
        assert_eq!(caught(companion, &message, answered, flip), Caught::AtPrimary, "reveal, {at}");
    }
}

/// P-10.12, P-10.15. Without a secret: a change that passes the checks shows in the compared strings.
#[test]
fn typed_code_linking_refuses_or_shows_every_changed_message() {
    let mut rng = SeededRng::new(13);
    let account = Account::of(2);
    let mut count = BTreeMap::new();
    for at in 0..98 + 167 + 97 {
        let (companion, mut seen) = begin(Method::TypedCode, &mut rng);
        if at < 98 {
            seen[at] ^= 1 << (at % 8);
            if invitation(Method::TypedCode, &seen).is_err() {
                *count.entry(Caught::AtPrimary).or_insert(0) += 1;
                continue;
            }
        }
        let (answered, mut message) = answer(Method::TypedCode, &seen, &account, &mut rng);
        if (98..98 + 167).contains(&at) {
            message[at - 98] ^= 1 << (at % 8);
        }
        let flip = |mut reveal: Vec<u8>| {
            if let Some(byte) = at.checked_sub(98 + 167).and_then(|at| reveal.get_mut(at)) {
                *byte ^= 1 << (at % 8);
            }
            reveal
        };
        *count.entry(caught(companion, &message, answered, flip)).or_insert(0) += 1;
    }
    assert_eq!(count.values().sum::<u32>(), 98 + 167 + 97);
    assert_eq!(count[&Caught::ByTheUser], 32, "the primary's nonce, which only the string binds");
}

/// P-10.12, P-10.14. An attacker links its own device with the primary, and the companion with its own account.
#[test]
fn an_attacker_in_the_middle_makes_the_compared_strings_differ() {
    let mut rng = SeededRng::new(14);
    let account = Account::of(2);
    let relay = Account { phone: device(66), primary: Primary::new(&device(66), own(Custody::Person), NOW), next: 67 };
    for companion_first in [false, true] {
        for _ in 0..100 {
            let (companion, seen) = begin(Method::TypedCode, &mut rng);
            let (own_companion, own_hello) = begin(Method::TypedCode, &mut rng);
            let (as_primary, to_companion) = answer(Method::TypedCode, &seen, &relay, &mut rng);
            let (answered, from_primary) = answer(Method::TypedCode, &own_hello, &account, &mut rng);
            let (companion, its_reveal) = companion.answer(&to_companion).unwrap();
            let (as_companion, own_reveal) = own_companion.answer(&from_primary).unwrap();
            if companion_first {
                assert!(same(as_primary.reveal(&its_reveal).unwrap().sas(), companion.sas()));
            }
            let primary = answered.reveal(&own_reveal).unwrap();
            assert!(same(as_companion.sas(), primary.sas()), "the relay is a good peer on either side");
            assert!(!same(companion.sas(), primary.sas()));
        }
    }
}

/// P-10.13. With a QR code an attacker cannot even answer, and what it reveals is refused.
#[test]
fn an_attacker_who_has_not_seen_the_qr_code_is_refused() {
    let mut rng = SeededRng::new(15);
    let (account, relay) = (Account::of(2), Account::of(1));
    for _ in 0..20 {
        let (companion, seen) = begin(Method::QrCode, &mut rng);
        let mut guessed = seen.clone();
        guessed[98..].fill(0);
        let (_, forged) = answer(Method::QrCode, &guessed, &relay, &mut rng);
        assert_eq!(companion.answer(&forged).unwrap_err(), LinkError::Rejected);

        let (answered, message) = answer(Method::QrCode, &seen, &account, &mut rng);
        let (own_companion, _) = begin(Method::QrCode, &mut rng);
        assert_eq!(own_companion.answer(&message).unwrap_err(), LinkError::OtherLink);
        let (other, other_seen) = begin(Method::QrCode, &mut rng);
        let (_, other_message) = answer(Method::QrCode, &other_seen, &account, &mut rng);
        let (_, other_reveal) = other.answer(&other_message).unwrap();
        assert_eq!(answered.reveal(&other_reveal).unwrap_err(), LinkError::Rejected);
    }
}

/// P-10.16. No message of one linking is accepted in another, or at another step.
#[test]
fn linking_messages_out_of_order_or_of_another_linking_are_refused() {
    let mut rng = SeededRng::new(16);
    let account = Account::of(2);
    for method in METHODS {
        let mut run = || {
            let (companion, seen) = begin(method, &mut rng);
            let hello = companion.hello().to_vec();
            let (answered, message) = answer(method, &seen, &account, &mut rng);
            (companion, hello, answered, message)
        };
        let (first, _, first_answered, first_message) = run();
        let (_, first_reveal) = first.answer(&first_message).unwrap();
        drop(first_answered);

        let (companion, hello, answered, _) = run();
        assert_eq!(companion.answer(&hello).unwrap_err(), LinkError::WrongStep);
        assert_eq!(answered.reveal(&hello).unwrap_err(), LinkError::WrongStep);
        let (companion, _, answered, message) = run();
        assert_eq!(companion.answer(&first_reveal).unwrap_err(), LinkError::WrongStep);
        assert_eq!(answered.reveal(&message).unwrap_err(), LinkError::WrongStep);
        let (companion, _, answered, _) = run();
        assert_eq!(companion.answer(&first_message).unwrap_err(), LinkError::OtherLink, "an answer replayed");
        assert_eq!(answered.reveal(&first_reveal).unwrap_err(), LinkError::Rejected, "a reveal replayed");
        assert_eq!(Invitation::fetch(&first_message).unwrap_err(), LinkError::WrongStep);
    }
}

/// P-1.8.
#[test]
fn truncated_or_extended_linking_messages_are_malformed() {
    let mut rng = SeededRng::new(17);
    let account = Account::of(2);
    for (method, hello_length, answer_length, reveal_length) in
        [(Method::QrCode, 130_usize, 199_usize, 129_usize), (Method::TypedCode, 98, 167, 97)]
    {
        let (_, seen) = begin(method, &mut rng);
        assert_eq!(seen.len(), hello_length);
        for wrong in [&seen[..0], &seen[..hello_length - 1], &[seen.as_slice(), &[0]].concat()] {
            assert_eq!(invitation(method, wrong).unwrap_err(), LinkError::Malformed);
        }
        for (answer_change, reveal_change) in
            [(-1_isize, 0_isize), (1, 0), (32, 0), (-32, 0), (0, -1), (0, 1), (0, 32), (0, -32)]
        {
            let (companion, seen) = begin(method, &mut rng);
            let (answered, mut message) = answer(method, &seen, &account, &mut rng);
            message.resize(answer_length.checked_add_signed(answer_change).unwrap(), 0);
            if answer_change != 0 {
                assert_eq!(companion.answer(&message).unwrap_err(), LinkError::Malformed);
                continue;
            }
            let (_, mut reveal) = companion.answer(&message).unwrap();
            assert_eq!(reveal.len(), reveal_length);
            reveal.resize(reveal_length.checked_add_signed(reveal_change).unwrap(), 0);
            assert_eq!(answered.reveal(&reveal).unwrap_err(), LinkError::Malformed);
        }
    }
    let (companion, code) = Companion::with_qr_code(&mut rng);
    assert_eq!(
        Invitation::fetch(companion.hello()).unwrap_err(),
        LinkError::Malformed,
        "a QR-code companion is scanned"
    );
    let (typed, _) = Companion::with_typed_code(&mut rng);
    let shown = [typed.hello(), &code.as_bytes()[98..]].concat();
    assert_eq!(Invitation::scan(&shown).unwrap_err(), LinkError::Malformed, "a typed-code companion is fetched");
}

/// P-10.17, P-10.18. Without the primary's confirmation there is no list, and any other list is refused.
#[test]
fn a_companion_finishes_linking_only_with_the_agreed_list() {
    let mut rng = SeededRng::new(18);
    let mut account = Account::of(2);
    let (companion, _) = compare(Method::QrCode, &account, &mut rng);
    assert_eq!(companion.confirm().finish(account.primary.list(), NOW).unwrap_err(), LinkError::NotListed);

    let (companion, _) = compare(Method::QrCode, &account, &mut rng);
    account.join(own(Custody::Person));
    let error = companion.confirm().finish(account.primary.list(), NOW).unwrap_err();
    assert_eq!(error, LinkError::NotListed, "another device has its index");

    let (companion, primary) = compare(Method::QrCode, &account, &mut rng);
    let other = Primary::new(&device(88), own(Custody::Person), NOW);
    let error = companion.confirm().finish(other.list(), NOW).unwrap_err();
    assert_eq!(error, LinkError::List(DeviceListError::OtherAccount));

    let before = account.primary.clone();
    account.primary = before.clone();
    account.join(own(Custody::Person));
    let late = account.primary.add(&account.phone, primary.confirm(), NOW);
    assert_eq!(late, Err(PrimaryError::OtherIndex), "another device joined meanwhile");

    let (companion, primary) = compare(Method::QrCode, &account, &mut rng);
    let list = account.primary.add(&account.phone, primary.confirm(), NOW).unwrap();
    let error = companion.confirm().finish(list, after(30)).unwrap_err();
    assert_eq!(error, LinkError::List(DeviceListError::Expired));

    let (one, _) = begin(Method::QrCode, &mut rng);
    let (two, _) = begin(Method::QrCode, &mut rng);
    assert_ne!(one.identity().public(), two.identity().public(), "a fresh identity for each linking");
}

/// P-10.14. A text has many valid signatures. If the string depended on the companion's, an attacker who knows the
/// primary's nonce could try signatures until the strings agree.
#[test]
fn the_compared_string_does_not_depend_on_the_revealed_signature() {
    let account = Account::of(2);
    let mut strings = Vec::new();
    for salt in 0..3 {
        // Both of the companion's secrets and its nonce are 32 times this byte.
        let (companion, _) = Companion::with_typed_code(&mut ConstantRng(90));
        let invited = Invitation::fetch(companion.hello()).unwrap();
        let (answered, message) = invited.answer(&account.primary, own(Custody::Person), &mut ConstantRng(91));
        let (companion, mut reveal) = companion.answer(&message).unwrap();
        if salt > 0 {
            let text = [account.key().to_bytes().as_slice(), &2_u32.to_be_bytes(), &[1, 0], &[0; 32]].concat();
            let other = another_signature(90, salt, "bisik-1 device possession\0", &text);
            assert_ne!(reveal[33..], other);
            reveal[33..].copy_from_slice(&other);
        }
        let primary = answered.reveal(&reveal).unwrap();
        assert!(same(companion.sas(), primary.sas()));
        strings.push(primary.sas().digits());
    }
    assert!(strings.iter().all(|digits| *digits == strings[0]));
}

/// A good signature whose nonce is not RFC 8032's.
fn another_signature(number: u8, salt: u8, label: &str, text: &[u8]) -> [u8; 64] {
    let public = device(number).public().to_bytes();
    let whole = [label.as_bytes(), &public, text].concat();
    let wide = |parts: &[&[u8]]| Scalar::from_bytes_mod_order_wide(&Sha512::digest(parts.concat()).into());
    let expanded = Sha512::digest([number; 32]);
    let secret = Scalar::from_bytes_mod_order(clamp_integer(*expanded.first_chunk().unwrap()));
    let nonce = wide(&[&[salt], &whole]);
    let commitment = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
    let response = nonce + wide(&[&commitment, &public[..32], &whole]) * secret;
    [commitment, response.to_bytes()].concat().try_into().unwrap()
}

#[test]
fn compared_strings_of_different_linkings_differ() {
    let mut rng = SeededRng::new(19);
    let account = Account::of(1);
    let strings = (0..100).map(|_| compare(Method::TypedCode, &account, &mut rng).0.sas().digits());
    assert_eq!(strings.collect::<std::collections::BTreeSet<_>>().len(), 100);
}
