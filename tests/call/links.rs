//! Call links: who has one may ask to be let in.

use bisik::call::{CallId, KeyNews, OpenError};
use bisik::call_link::{CallDoor, CallLink, CallLinkError, LinkPolicy, is_by_who_has_the_link};
use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceTerms};
use bisik::{Account, Identity, Timestamp};
use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use sha2::Sha256;

use super::fixtures::Room;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const DAY: u64 = 24 * 60 * 60;

fn account() -> Account {
    Account::create(DeviceTerms::person(), NOW, &mut rand::rng())
}

/// A door, what the server has for it, and the link as somebody else has it.
fn scene() -> (CallDoor, Vec<u8>, CallLink) {
    let rng = &mut rand::rng();
    let link = CallLink::generate(rng);
    let same = CallLink::from_text(&link.expose_text()).unwrap();
    let door = CallDoor::new(link, CallId::generate(rng));
    let notice = door.notice(rng).unwrap();
    (door, notice, same)
}

/// Section 9.8: what a server is told follows from the secret by HKDF-SHA256, computed here without the library.
#[test]
fn locator_and_admission_key_follow_from_the_secret() {
    // 0x01 and 32 bytes 0x2a.
    let text = "ASoqKioqKioqKioqKioqKioqKioqKioqKioqKioqKioq";
    let link = CallLink::from_text(text).unwrap();
    assert_eq!(link.expose_text().as_str(), text);
    let derive = |purpose: u8, output: &mut [u8]| {
        let (_, prk) = Hkdf::<Sha256>::extract(Some(&[0; 32]), &[0x2a; 32]);
        prk.expand(&[b"bisik-1 call link\0", &[purpose][..]].concat(), output).unwrap();
    };
    let (mut locator, mut secret) = ([0; 16], [0; 32]);
    derive(1, &mut locator);
    derive(2, &mut secret);
    assert_eq!(link.locator().as_bytes(), &locator);
    assert_eq!(link.admission().as_bytes(), SigningKey::from_bytes(&secret).verifying_key().as_bytes());
}

/// P-9.22, P-9.23
#[test]
fn whoever_has_the_link_knocks_once_and_nobody_else() {
    let (mut door, notice, link) = scene();
    let (bob, rng) = (account(), &mut rand::rng());
    let knock = link.knock(&bob, &notice, rng).unwrap();
    assert_eq!((notice.len(), knock.len()), (121, 357));
    let visitor = door.hear(&knock).unwrap().verify(bob.devices(), NOW).unwrap();
    assert_eq!((visitor.device.account, visitor.device.identity), (*bob.key(), *bob.identity().public()));
    assert_eq!(door.hear(&knock).err(), Some(CallLinkError::Duplicate));
    assert!(door.hear(&link.knock(&bob, &notice, rng).unwrap()).is_ok(), "he may knock again");

    let other = CallLink::generate(rng);
    assert_eq!(other.knock(&bob, &notice, rng).err(), Some(CallLinkError::Rejected));
    let elsewhere = CallDoor::new(other, CallId::generate(rng));
    let foreign = elsewhere.link().knock(&bob, &elsewhere.notice(rng).unwrap(), rng).unwrap();
    assert_eq!(door.hear(&foreign).err(), Some(CallLinkError::Rejected));
    // A notice is no knock, and a knock no notice.
    assert!(door.hear(&notice).is_err() && link.knock(&bob, &knock, rng).is_err());
    let fresh = link.knock(&bob, &notice, rng).unwrap();
    for at in 0..fresh.len() {
        let mut changed = fresh.clone();
        changed[at] ^= 1;
        let expected = if at == 0 { CallLinkError::NewerVersion } else { CallLinkError::Rejected };
        assert_eq!(door.hear(&changed).err(), Some(expected), "{at}");
        assert_eq!(door.hear(&fresh[..at]).err(), Some(CallLinkError::Malformed), "{at}");
    }
    assert!(door.hear(&fresh).is_ok(), "what was refused changed nothing");
}

/// P-9.22. The server drops garbage, and learns neither who knocks nor which call it is.
#[test]
fn a_server_checks_who_has_the_link_and_learns_nothing_else() {
    let (door, notice, link) = scene();
    let bob = account();
    let knock = link.knock(&bob, &notice, &mut rand::rng()).unwrap();
    let (locator, admission) = (link.locator(), link.admission());
    for genuine in [&notice, &knock] {
        assert!(is_by_who_has_the_link(&locator, &admission, genuine));
        let mut changed = genuine.clone();
        changed[30] ^= 1;
        assert!(!is_by_who_has_the_link(&locator, &admission, &changed));
        assert!(!is_by_who_has_the_link(&CallLink::generate(&mut rand::rng()).locator(), &admission, genuine));
    }
    assert!(!is_by_who_has_the_link(&locator, &admission, &[0; 20]));
    let text = door.link().expose_text();
    let secret: &[&[u8]] =
        &[&bob.key().to_bytes(), &bob.identity().public().to_bytes()[..32], text.as_bytes(), locator.as_bytes()];
    for part in secret {
        assert!([&notice, &knock].iter().all(|sent| !sent.windows(part.len()).any(|window| window == *part)));
    }
    assert!(!format!("{link:?} {door:?}").contains(text.as_str()));
}

/// P-9.23. A relay that kept a knock cannot bring somebody into a later call of the same link.
#[test]
fn a_knock_is_for_one_call() {
    let (mut door, notice, link) = scene();
    let (bob, rng) = (account(), &mut rand::rng());
    let knock = link.knock(&bob, &notice, rng).unwrap();
    let same = CallLink::from_text(&link.expose_text()).unwrap();
    let mut tomorrow = CallDoor::new(same, CallId::generate(rng));
    assert_eq!(tomorrow.hear(&knock).err(), Some(CallLinkError::OtherCall));
    assert!(door.hear(&knock).is_ok());
}

/// P-9.24. Who knocks is a device that its account has now, and not one that it had.
#[test]
fn a_visitor_is_a_device_of_the_newest_list_of_its_account() {
    let (mut door, notice, link) = scene();
    let (mut bob, rng) = (account(), &mut rand::rng());
    let laptop = Identity::generate(rng);
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let certificate = DeviceCertificate::sign(&laptop, bob.key(), 1, terms);
    let list = bob.change_devices(&[DeviceChange::Add(certificate)], NOW).unwrap();
    let account_key = *bob.key();
    let stolen = Account::join(laptop, &account_key, &list, NOW, rng).unwrap();
    let knock = door.hear(&link.knock(&stolen, &notice, rng).unwrap()).unwrap();
    assert_eq!(knock.needs(), (bob.key(), &list.id()));
    assert_eq!(knock.verify(bob.devices(), NOW).unwrap().device.device, 1);
    assert!(knock.verify(bob.devices(), NOW.plus_seconds(400 * DAY)).is_err(), "an expired list shows nothing");
    assert!(knock.verify(account().devices(), NOW).is_err(), "another account's");
    let older = account();
    assert!(door.hear(&link.knock(&older, &notice, rng).unwrap()).unwrap().verify(bob.devices(), NOW).is_err());
    // Unlinked, it may have the link and knock, and is shown as nobody.
    bob.change_devices(&[DeviceChange::Remove(1)], NOW).unwrap();
    let knock = door.hear(&link.knock(&stolen, &notice, rng).unwrap()).unwrap();
    assert_eq!(knock.verify(bob.devices(), NOW), Err(CallLinkError::UnknownDevice));
}

/// P-9.25. Who has the link and calls itself a participant hears nothing until a device in the call gives it a key in their
/// session.
#[test]
fn a_call_link_opens_no_frame() {
    let mut room = Room::new(3);
    room.join(0, 1);
    room.join(1, 0);
    room.share(&[0, 1]);
    let door = CallDoor::new(CallLink::generate(&mut rand::rng()), room.calls[0].call());
    let notice = door.notice(&mut rand::rng()).unwrap();
    assert!(door.link().knock(&account(), &notice, &mut rand::rng()).is_ok());
    room.join(2, 0);
    let frame = room.seal(0);
    assert_eq!(room.open(2, &frame), Err(OpenError::UnknownKey));
    assert_eq!(room.open(1, &frame), Ok(0));
    // Let in.
    room.join(0, 2);
    let key = room.key(0, 2);
    assert_eq!(room.give(0, 2, &key), Ok(KeyNews::NewStay));
    let frame = room.seal(0);
    assert_eq!(room.open(2, &frame), Ok(0));
}

/// Section 9.8. A server that repeats old knocks fills no memory.
#[test]
fn a_door_remembers_256_knocks() {
    let (mut door, notice, link) = scene();
    let (bob, rng) = (account(), &mut rand::rng());
    let knocks: Vec<_> = (0..258).map(|_| link.knock(&bob, &notice, rng).unwrap()).collect();
    assert!(knocks.iter().all(|knock| door.hear(knock).is_ok()));
    assert_eq!(door.hear(&knocks[2]).err(), Some(CallLinkError::Duplicate));
    assert!(door.hear(&knocks[1]).is_ok(), "it is asked about again, and no more");
}

/// Texts, and what a user has decided.
#[test]
fn a_call_link_has_one_text_and_stands_behind_the_hash_of_an_address() {
    let link = CallLink::generate(&mut rand::rng());
    let (text, address) = (link.expose_text(), link.expose_address("https://call.example/join"));
    assert!(text.len() == 44 && address.ends_with(text.as_str()) && address.contains("join#"));
    assert_eq!(CallLink::from_address(&address).unwrap().locator(), link.locator());
    for wrong in ["", "https://call.example/join", "x#", &text[1..], &format!("{}=", *text), &"A".repeat(43)] {
        assert!(CallLink::from_address(&format!("#{wrong}")).is_err(), "{wrong}");
    }
    assert_eq!(CallLink::from_text(&format!("Ag{}", &text[2..])).err(), Some(CallLinkError::NewerVersion));
    let admits = |policy: LinkPolicy| [policy.admits(true), policy.admits(false)];
    assert_eq!(admits(LinkPolicy::Anybody), [Some(true), Some(true)]);
    assert_eq!(admits(LinkPolicy::Ask), [Some(true), None]);
    assert_eq!(admits(LinkPolicy::Known), [Some(true), Some(false)]);
}
