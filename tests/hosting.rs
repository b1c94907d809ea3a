//! Conversations with an endpoint that somebody else hosts: told, decided, and never sent to unasked.
//!
//! Does not know how a label follows from evidence: tests/endpoint.rs does.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm
)]

#[allow(dead_code, reason = "each file of tests uses a part of it")]
mod office;

use bisik::Identity;
use bisik::conversation::{Event, ReceiveError, SendError, Side};
use bisik::hosting::{Blocked, Choice, Label, LabelEvent, Retention};
use office::Office;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A person with two devices, and a business whose vendor has just begun to answer.
fn hosted(seed: u64) -> (Office, u32) {
    let mut office = Office::new(seed, [2, 1]);
    office.send((0, 0), b"before").unwrap();
    office.settle();
    let operator = Identity::generate(&mut StdRng::seed_from_u64(seed));
    let index = office.host(1, &operator, Retention::THIRTY_DAYS);
    office.publish_lists();
    (office, index)
}

fn label(office: &Office, at: (usize, u32)) -> Label {
    office.devices[&at].conversation.as_ref().unwrap().label().label()
}

fn last_label(office: &Office, at: (usize, u32)) -> &LabelEvent {
    let events = office.devices[&at].events.iter().rev();
    events.filter_map(|event| if let Event::Label(label) = event { Some(&**label) } else { None }).next().unwrap()
}

fn delivered_to_peers(office: &Office, at: (usize, u32)) -> usize {
    let to_peer = |event: &&Event| matches!(event, Event::Delivered { device, .. } if device.side == Side::Peer);
    office.devices[&at].events.iter().filter(to_peer).count()
}

fn consent(office: &mut Office, at: (usize, u32)) {
    let disclosure = office.disclosures.last().unwrap().clone();
    let device = office.devices.get_mut(&at).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.consent(&device.account, &disclosure, office.now).unwrap();
    assert!(matches!(event, Some(LabelEvent::Consented(_))));
}

/// P-12.14
#[test]
fn nothing_is_sent_while_a_hosted_device_is_not_agreed_to() {
    let (mut office, index) = hosted(1);
    let hash = office.disclosures[0].hash();
    assert!(matches!(last_label(&office, (0, 0)), LabelEvent::HostingDisclosed(_)));
    assert_eq!(office.send((0, 0), b"secret"), Err(SendError::Blocked(Blocked::ConsentNeeded(hash))));
    // Not even acknowledgements, to any device of that account.
    office.send((1, 0), b"we have news").unwrap();
    office.settle();
    assert_eq!(office.devices[&(0, 0)].shown.last().unwrap().1, b"we have news");
    assert_eq!(delivered_to_peers(&office, (1, 0)), 0);
    assert!(office.devices[&(1, index)].shown.iter().all(|(kind, _)| kind == "sent"));

    consent(&mut office, (0, 0));
    office.send((0, 0), b"all right then").unwrap();
    office.settle();
    assert_eq!(office.devices[&(1, index)].shown.last().unwrap().1, b"all right then");
    assert_eq!(delivered_to_peers(&office, (1, 0)), 2, "what both of the user's devices owed is sent now");
}

/// P-12.15
#[test]
fn what_a_hosted_endpoint_decrypts_comes_with_its_deadline() {
    let (mut office, index) = hosted(2);
    consent(&mut office, (0, 0));
    office.send((0, 0), b"my number is 7").unwrap();
    office.settle();
    assert_eq!(office.devices[&(1, index)].deadlines, [office.now.plus_seconds(30 * 86_400)]);
    assert!(office.devices[&(1, 0)].deadlines.is_empty(), "the business' own telephone promised nothing");
    // It is listed under another disclosure, and does not know what that promises: it decrypts nothing.
    office.send((0, 0), b"more").unwrap();
    let (to, from, envelope) = office.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
    let operator = Identity::generate(&mut StdRng::seed_from_u64(2));
    office.amend(1, index, &operator, Retention::NO_STORAGE);
    let own = office.lists[1].last().unwrap().clone();
    let old = office.disclosures[0].clone();
    let device = office.devices.get_mut(&to).unwrap();
    device.account.accept_devices(&[own], office.now).unwrap();
    assert!(!device.account.set_disclosure(old), "not the one that it is listed under");
    assert_eq!(office.deliver(to, from, &envelope), Err(ReceiveError::DisclosureNeeded));
}

#[test]
fn a_decision_reaches_ones_other_devices_and_the_endpoint_which_countersigns_it() {
    let (mut office, index) = hosted(4);
    consent(&mut office, (0, 1));
    assert!(matches!(label(&office, (0, 0)), Label::Disclosed { .. }));
    office.settle();
    assert!(matches!(label(&office, (0, 0)), Label::Hosted { .. }), "one decision holds on all devices");
    assert!(matches!(last_label(&office, (0, 0)), LabelEvent::Consented(_)));

    let disclosure = office.disclosures[0].clone();
    let user = *office.devices[&(0, 0)].account.key();
    let endpoint = office.devices.get_mut(&(1, index)).unwrap();
    let (from, decision) = endpoint.decisions.pop().unwrap();
    let verified = disclosure.verify(endpoint.account.key(), None, office.now).unwrap();
    let conversation = endpoint.conversation.as_mut().unwrap();
    let kept = conversation.countersign(&endpoint.account, from, &decision, &verified, office.now).unwrap();
    office.settle();
    let receipt = office.devices[&(0, 1)].receipts[0].clone();
    assert_eq!(receipt, kept);
    assert_eq!(receipt.verify(&user, &verified), Ok(()));
}

#[test]
fn a_refusal_stops_sending_on_every_device_and_can_be_thought_over() {
    let (mut office, index) = hosted(5);
    let disclosure = office.disclosures[0].clone();
    let device = office.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.refuse(&device.account, &disclosure, office.now).unwrap();
    assert!(matches!(event, Some(LabelEvent::Refused(_))));
    office.settle();
    for at in [(0, 0), (0, 1)] {
        assert_eq!(office.send(at, b"no"), Err(SendError::Blocked(Blocked::Refused(disclosure.hash()))));
    }
    let told = &office.devices[&(1, index)].decisions;
    assert_eq!(told[0].1.choice(), Choice::Refusal, "the endpoint is told, and told nothing else");
    assert!(office.devices[&(1, index)].shown.is_empty());
    office.now = office.now.plus_seconds(60);
    consent(&mut office, (0, 1));
    office.settle();
    office.send((0, 0), b"yes after all").unwrap();
}

#[test]
fn a_withdrawal_stops_sending_everywhere_and_the_endpoint_hears_of_it() {
    let (mut office, index) = hosted(6);
    consent(&mut office, (0, 0));
    office.settle();
    office.now = office.now.plus_seconds(60);
    let disclosure = office.disclosures[0].clone();
    let device = office.devices.get_mut(&(0, 1)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.withdraw(&device.account, &disclosure, office.now).unwrap();
    assert!(matches!(event, Some(LabelEvent::Withdrawn(_))));
    office.settle();
    assert!(matches!(label(&office, (0, 0)), Label::Refused { .. }));
    assert!(office.send((0, 0), b"no more").is_err());
    let told = &office.devices[&(1, index)].decisions;
    assert_eq!(told.last().unwrap().1.choice(), Choice::Withdrawal);
}

#[test]
fn the_endpoint_goes_home_and_the_label_returns() {
    let (mut office, index) = hosted(7);
    consent(&mut office, (0, 0));
    office.send((0, 0), b"hosted").unwrap();
    office.settle();
    let gone = office.remove(1, index);
    assert!(matches!(last_label(&office, (0, 0)), LabelEvent::HostingEnded(_)));
    assert_eq!(label(&office, (0, 0)), Label::EndToEnd);
    office.send((0, 0), b"at home").unwrap();
    assert!(office.mail.iter().all(|(to, ..)| *to != (1, index)), "nothing goes to the old endpoint");
    office.settle();
    assert!(gone.shown.iter().all(|(_, body)| body != b"at home"));
}

/// P-12.14: the relay strips the disclosure, or serves another one.
#[test]
fn a_relay_that_strips_a_disclosure_stops_sending_and_nothing_else() {
    let mut office = Office::new(8, [1, 1]);
    office.send((0, 0), b"before").unwrap();
    office.settle();
    let operator = Identity::generate(&mut StdRng::seed_from_u64(8));
    let _index = office.host(1, &operator, Retention::NO_STORAGE);
    let disclosures = std::mem::take(&mut office.disclosures);
    office.publish_lists();
    assert!(matches!(label(&office, (0, 0)), Label::Unverified { .. }));
    assert!(matches!(office.send((0, 0), b"to whom?"), Err(SendError::Blocked(Blocked::Unverified(_)))));
    // It comes after all.
    let device = office.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.observe(&device.account, &disclosures, office.now);
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))), "{event:?}");
}

/// P-12.5: a session is set up under the disclosure, so both sides must mean the same one.
#[test]
fn a_session_under_another_disclosure_does_not_open() {
    let (mut office, index) = hosted(9);
    consent(&mut office, (0, 0));
    office.send((0, 0), b"under this disclosure").unwrap();
    let (to, from, envelope) = office.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
    // The business tells its endpoint something else than its customers.
    let operator = Identity::generate(&mut StdRng::seed_from_u64(9));
    let _stored = office.devices.get_mut(&to).unwrap().store(&mut office.rng);
    let backup = office.devices[&to].database.clone();
    office.amend(1, index, &operator, Retention::THIRTY_DAYS);
    let (own, amended) = (office.lists[1].last().unwrap().clone(), office.disclosures.last().unwrap().clone());
    let device = office.devices.get_mut(&to).unwrap();
    device.account.accept_devices(&[own], office.now).unwrap();
    assert!(device.account.set_disclosure(amended));
    assert_eq!(office.deliver(to, from, &envelope), Err(ReceiveError::Rejected));
    office.restore(to, &backup);
    assert_eq!(office.deliver(to, from, &envelope), Ok(()));

    // The customers hear of it: the same terms, so nothing to decide, but sessions of their own.
    office.publish_lists();
    assert!(matches!(last_label(&office, (0, 0)), LabelEvent::ConsentCarriedOver(_)));
    let disclosure = office.disclosures[1].clone();
    assert!(office.devices.get_mut(&to).unwrap().account.set_disclosure(disclosure));
    office.mail.clear();
    office.send((0, 0), b"under the new one").unwrap();
    assert!(office.mail.iter().any(|(at, _, envelope)| *at == to && envelope.ciphertext.is_pre_key_message()));
    office.settle();
    assert_eq!(office.devices[&to].shown.last().unwrap().1, b"under the new one");
}

#[test]
fn a_record_keeps_label_consent_and_what_is_owed() {
    let (mut office, _index) = hosted(12);
    consent(&mut office, (0, 0));
    let device = office.devices.get_mut(&(0, 0)).unwrap();
    let before = device.conversation.as_ref().unwrap().label().clone();
    let _stored = device.store(&mut office.rng);
    device.reload();
    assert_eq!(*device.conversation.as_ref().unwrap().label(), before);
    office.settle();
    assert!(matches!(label(&office, (0, 1)), Label::Hosted { .. }), "the decision was still on its way");
}

/// P-12.5: the endpoint's own disclosure changes, and it has not written since: the session that a customer sets up under the
/// new one is the one that it answers in, whatever the ids.
#[test]
fn nothing_is_sent_in_a_session_under_an_older_disclosure() {
    for seed in 20..28 {
        let (mut office, index) = hosted(seed);
        consent(&mut office, (0, 0));
        office.send((0, 0), b"old").unwrap();
        office.settle();
        office.send((1, index), b"answer").unwrap();
        office.settle();
        let operator = Identity::generate(&mut StdRng::seed_from_u64(seed));
        office.amend(1, index, &operator, Retention::THIRTY_DAYS);
        // The endpoint learns it from its own account's list; nothing has happened in this conversation.
        let talk = office.devices.get_mut(&(1, index)).unwrap().conversation.take();
        office.publish_lists();
        let amended = office.disclosures[1].clone();
        let endpoint = office.devices.get_mut(&(1, index)).unwrap();
        endpoint.conversation = talk;
        assert!(endpoint.account.set_disclosure(amended));
        office.send((0, 0), b"new").unwrap();
        let (to, from, envelope) = office.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
        assert!(envelope.ciphertext.is_pre_key_message());
        office.deliver(to, from, &envelope).unwrap();
        office.mail.clear();
        office.send((1, index), b"in the new one").unwrap();
        // The first answer in the new session is what ends its first flights; in the old one they would go on.
        office.settle();
        office.send((0, 0), b"answered").unwrap();
        let (.., next) = office.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
        assert!(!next.ciphertext.is_pre_key_message(), "seed {seed}");
    }
}
