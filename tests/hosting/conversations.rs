//! Conversations with a hosted device: nothing is sent without consent, and refusal and withdrawal stop sending.
//!
//! How a label follows from evidence is tested in the other files of this folder.

use bisik::Identity;
use bisik::conversation::{Arrival, DeviceAddress, Event, ReceiveError, Received, SendError, Side};
use bisik::hosting::{Blocked, Choice, Label, LabelEvent, Retention};
use bisik_testkit::accounts::{Accounts, Device};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// A person with two devices, and a business for which a vendor has just started to answer.
fn hosted(seed: u64) -> (Accounts, u32) {
    let mut accounts = Accounts::new(seed, [2, 1]);
    accounts.send((0, 0), b"before").unwrap();
    accounts.settle();
    let operator = Identity::generate(&mut StdRng::seed_from_u64(seed));
    let index = accounts.host(1, &operator, Retention::THIRTY_DAYS);
    accounts.publish_lists();
    (accounts, index)
}

fn label(accounts: &Accounts, at: (usize, u32)) -> Label {
    accounts.devices[&at].conversation.as_ref().unwrap().label().label(accounts.now)
}

fn last_label(accounts: &Accounts, at: (usize, u32)) -> &LabelEvent {
    accounts.devices[&at].labels.last().unwrap()
}

fn delivered_to_peers(accounts: &Accounts, at: (usize, u32)) -> usize {
    let to_peer = |event: &&Event| matches!(event, Event::Delivered { device, .. } if device.side == Side::Peer);
    accounts.devices[&at].events.iter().filter(to_peer).count()
}

fn consent(accounts: &mut Accounts, at: (usize, u32)) {
    let disclosure = accounts.disclosures.last().unwrap().clone();
    let device = accounts.devices.get_mut(&at).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.consent(&device.account, &disclosure, accounts.now, &mut accounts.rng).unwrap();
    assert!(matches!(event, Some(LabelEvent::Consented(_))));
}

/// P-12.57
#[test]
fn nothing_is_sent_to_a_hosted_device_without_consent() {
    let (mut accounts, index) = hosted(1);
    let hash = accounts.disclosures[0].hash();
    assert!(matches!(last_label(&accounts, (0, 0)), LabelEvent::HostingDisclosed(_)));
    assert_eq!(accounts.send((0, 0), b"secret"), Err(SendError::Blocked(Blocked::ConsentNeeded(hash))));
    // No acknowledgements either, to any device of that account.
    accounts.send((1, 0), b"we have news").unwrap();
    accounts.settle();
    assert_eq!(accounts.devices[&(0, 0)].shown.last().unwrap().1, b"we have news");
    assert_eq!(delivered_to_peers(&accounts, (1, 0)), 0);
    assert!(accounts.devices[&(1, index)].shown.iter().all(|(kind, _)| kind == "sent"));

    consent(&mut accounts, (0, 0));
    accounts.send((0, 0), b"all right then").unwrap();
    accounts.settle();
    assert_eq!(accounts.devices[&(1, index)].shown.last().unwrap().1, b"all right then");
    assert_eq!(delivered_to_peers(&accounts, (1, 0)), 2, "the pending messages of both devices are sent now");
}

/// P-12.58
#[test]
fn a_hosted_device_gets_a_deletion_deadline_with_each_message() {
    let (mut accounts, index) = hosted(2);
    consent(&mut accounts, (0, 0));
    let received = accounts.now;
    accounts.send((0, 0), b"my number is 7").unwrap();
    accounts.settle();
    assert_eq!(accounts.devices[&(1, index)].deadlines, [received.plus_seconds(30 * 86_400)]);
    assert!(accounts.devices[&(1, 0)].deadlines.is_empty(), "the business' own telephone promised nothing");
    // It is listed under another disclosure, whose terms it does not have, so it decrypts nothing.
    accounts.send((0, 0), b"more").unwrap();
    let (to, from, envelope) = accounts.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
    let operator = Identity::generate(&mut StdRng::seed_from_u64(2));
    accounts.amend(1, index, &operator, Retention::NO_STORAGE);
    let own = accounts.lists[1].last().unwrap().clone();
    let old = accounts.disclosures[0].clone();
    let device = accounts.devices.get_mut(&to).unwrap();
    device.account.accept_devices(&[own], accounts.now).unwrap();
    assert!(!device.account.set_disclosure(old), "not the one that it is listed under");
    assert_eq!(accounts.deliver(to, from, &envelope), Err(ReceiveError::DisclosureNeeded));
}

/// P-11.21. The customer agreed to an hour; the vendor adopts "for ever" while a message is on its way.
#[test]
fn a_message_in_flight_is_deleted_as_its_sender_was_promised() {
    let mut accounts = Accounts::new(21, [1, 1]);
    let operator = Identity::generate(&mut StdRng::seed_from_u64(21));
    let index = accounts.host(1, &operator, Retention::NO_STORAGE);
    accounts.publish_lists();
    consent(&mut accounts, (0, 0));
    accounts.send((0, 0), b"first").unwrap();
    accounts.settle();
    accounts.send((1, index), b"answer").unwrap();
    accounts.settle();
    accounts.send((0, 0), b"for an hour").unwrap();
    let (to, from, envelope) = accounts.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
    accounts.mail.clear();
    accounts.amend(1, index, &operator, Retention { at_rest: Retention::FOREVER, ..Retention::NO_STORAGE });
    let (own, amended) = (accounts.lists[1].last().unwrap().clone(), accounts.disclosures.last().unwrap().clone());
    let device = accounts.devices.get_mut(&to).unwrap();
    device.account.accept_devices(&[own], accounts.now).unwrap();
    assert!(device.account.set_disclosure(amended));
    // Also if its program was restarted in between.
    let _stored = device.store(&mut accounts.rng);
    device.reload();
    accounts.now = accounts.now.plus_seconds(60);
    accounts.deliver(to, from, &envelope).unwrap();
    assert_eq!(accounts.devices[&to].deadlines.last(), Some(&accounts.now.plus_seconds(3_600)));
}

/// P-11.21. What the owner's telephone wrote to the customer.
#[test]
fn a_copy_on_a_hosted_device_has_a_deletion_deadline() {
    let mut accounts = Accounts::new(22, [1, 1]);
    let operator = Identity::generate(&mut StdRng::seed_from_u64(22));
    let index = accounts.host(1, &operator, Retention::NO_STORAGE);
    accounts.publish_lists();
    consent(&mut accounts, (0, 0));
    accounts.settle();
    let promised = accounts.now.plus_seconds(3_600);
    accounts.send((1, 0), b"your test result is positive").unwrap();
    accounts.settle();
    let hosted = &accounts.devices[&(1, index)];
    assert_eq!(hosted.shown.last().unwrap(), &("sent".into(), b"your test result is positive".to_vec()));
    assert_eq!(hosted.deadlines, [promised]);
}

#[test]
fn a_decision_reaches_own_devices_and_the_hosted_device_countersigns_it() {
    let (mut accounts, index) = hosted(4);
    consent(&mut accounts, (0, 1));
    assert!(matches!(label(&accounts, (0, 0)), Label::Disclosed { .. }));
    accounts.settle();
    assert!(matches!(label(&accounts, (0, 0)), Label::Hosted { .. }), "one decision holds on all devices");
    assert!(accounts.devices[&(0, 0)].events.contains(&Event::LabelChanged), "and is shown there");

    let disclosure = accounts.disclosures[0].clone();
    let user = accounts.directory(0);
    let hosted = accounts.devices.get_mut(&(1, index)).unwrap();
    let (from, decision) = hosted.decisions.pop().unwrap();
    let verified = disclosure.verify(hosted.account.key(), None, accounts.now).unwrap();
    let conversation = hosted.conversation.as_mut().unwrap();
    let (now, rng) = (accounts.now, &mut accounts.rng);
    let kept = conversation.countersign(&hosted.account, from, &decision, &verified, now, rng).unwrap();
    accounts.settle();
    let receipt = accounts.devices[&(0, 1)].receipts[0].clone();
    assert_eq!(receipt, kept);
    assert_eq!(receipt.verify(&user, &verified), Ok(()));
}

#[test]
fn a_refusal_stops_sending_on_every_device_and_can_be_reconsidered() {
    let (mut accounts, index) = hosted(5);
    let disclosure = accounts.disclosures[0].clone();
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.refuse(&device.account, &disclosure, accounts.now, &mut accounts.rng).unwrap();
    assert!(matches!(event, Some(LabelEvent::Refused(_))));
    accounts.settle();
    for at in [(0, 0), (0, 1)] {
        assert_eq!(accounts.send(at, b"no"), Err(SendError::Blocked(Blocked::Refused(disclosure.hash()))));
    }
    let told = &accounts.devices[&(1, index)].decisions;
    assert_eq!(told[0].1.choice(), Choice::Refusal, "the hosted device learns the refusal, and nothing else");
    assert!(accounts.devices[&(1, index)].shown.is_empty());
    accounts.now = accounts.now.plus_seconds(60);
    consent(&mut accounts, (0, 1));
    accounts.settle();
    accounts.send((0, 0), b"yes after all").unwrap();
}

#[test]
fn withdrawn_consent_stops_sending_and_reaches_the_hosted_device() {
    let (mut accounts, index) = hosted(6);
    consent(&mut accounts, (0, 0));
    accounts.settle();
    accounts.now = accounts.now.plus_seconds(60);
    let disclosure = accounts.disclosures[0].clone();
    let device = accounts.devices.get_mut(&(0, 1)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.withdraw(&device.account, &disclosure, accounts.now, &mut accounts.rng).unwrap();
    assert!(matches!(event, Some(LabelEvent::Withdrawn(_))));
    accounts.settle();
    assert!(matches!(label(&accounts, (0, 0)), Label::Refused { .. }));
    assert!(accounts.send((0, 0), b"no more").is_err());
    let told = &accounts.devices[&(1, index)].decisions;
    assert_eq!(told.last().unwrap().1.choice(), Choice::Withdrawal);
}

#[test]
fn label_returns_to_end_to_end_after_hosting_ends() {
    let (mut accounts, index) = hosted(7);
    consent(&mut accounts, (0, 0));
    accounts.send((0, 0), b"hosted").unwrap();
    accounts.settle();
    let gone = accounts.remove(1, index);
    assert!(matches!(last_label(&accounts, (0, 0)), LabelEvent::HostingEnded(_)));
    assert!(label(&accounts, (0, 0)).is_end_to_end());
    accounts.send((0, 0), b"at home").unwrap();
    assert!(accounts.mail.iter().all(|(to, ..)| *to != (1, index)), "nothing goes to the old hosted device");
    accounts.settle();
    assert!(gone.shown.iter().all(|(_, body)| body != b"at home"));
}

/// P-12.57: the relay strips the disclosure, or serves another one.
#[test]
fn a_relay_that_strips_a_disclosure_only_stops_sending() {
    let mut accounts = Accounts::new(8, [1, 1]);
    accounts.send((0, 0), b"before").unwrap();
    accounts.settle();
    let operator = Identity::generate(&mut StdRng::seed_from_u64(8));
    let _index = accounts.host(1, &operator, Retention::NO_STORAGE);
    let disclosures = std::mem::take(&mut accounts.disclosures);
    accounts.publish_lists();
    assert!(matches!(label(&accounts, (0, 0)), Label::Unverified { .. }));
    assert!(matches!(accounts.send((0, 0), b"to whom?"), Err(SendError::Blocked(Blocked::Unverified(_)))));
    // The disclosure arrives after all.
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let event = conversation.observe(&device.account, &disclosures, accounts.now);
    assert!(matches!(event, Some(LabelEvent::HostingDisclosed(_))), "{event:?}");
}

/// P-12.35: a session is bound to a disclosure, so both sides must use the same one.
#[test]
fn a_session_under_another_disclosure_does_not_open() {
    let (mut accounts, index) = hosted(9);
    consent(&mut accounts, (0, 0));
    accounts.send((0, 0), b"under this disclosure").unwrap();
    let (to, from, envelope) = accounts.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
    // The business gives its hosted device another disclosure than its customers.
    let operator = Identity::generate(&mut StdRng::seed_from_u64(9));
    let _stored = accounts.devices.get_mut(&to).unwrap().store(&mut accounts.rng);
    let backup = accounts.devices[&to].database.clone();
    accounts.amend(1, index, &operator, Retention::THIRTY_DAYS);
    let (own, amended) = (accounts.lists[1].last().unwrap().clone(), accounts.disclosures.last().unwrap().clone());
    let device = accounts.devices.get_mut(&to).unwrap();
    device.account.accept_devices(&[own], accounts.now).unwrap();
    assert!(device.account.set_disclosure(amended));
    assert_eq!(accounts.deliver(to, from, &envelope), Err(ReceiveError::Unreadable));
    accounts.restore(to, &backup);
    assert_eq!(accounts.deliver(to, from, &envelope), Ok(()));

    // The customers learn of it. The terms are the same, so there is nothing to decide, but new sessions are needed.
    accounts.publish_lists();
    assert!(matches!(last_label(&accounts, (0, 0)), LabelEvent::ConsentCarriedOver(_)));
    let disclosure = accounts.disclosures[1].clone();
    assert!(accounts.devices.get_mut(&to).unwrap().account.set_disclosure(disclosure));
    accounts.mail.clear();
    accounts.send((0, 0), b"under the new one").unwrap();
    assert!(accounts.mail.iter().any(|(at, _, envelope)| *at == to && envelope.ciphertext.is_pre_key_message()));
    accounts.settle();
    // What was lost on the way under the old one comes again under the new one.
    let shown: Vec<_> = accounts.shown(to).into_iter().map(|(_, body)| body).collect();
    assert_eq!(shown, [b"under the new one".to_vec(), b"under this disclosure".to_vec()]);
}

#[test]
fn a_stored_conversation_keeps_label_consent_and_pending_decisions() {
    let (mut accounts, _index) = hosted(12);
    consent(&mut accounts, (0, 0));
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let before = device.conversation.as_ref().unwrap().label().clone();
    let _stored = device.store(&mut accounts.rng);
    device.reload();
    assert_eq!(*device.conversation.as_ref().unwrap().label(), before);
    accounts.settle();
    assert!(matches!(label(&accounts, (0, 1)), Label::Hosted { .. }), "the decision was still on its way");
}

/// P-12.45: the hosted device's own disclosure changes before it has sent again. It answers in the session that a
/// customer sets up under the new one, regardless of the session ids.
#[test]
fn nothing_is_sent_in_a_session_under_an_older_disclosure() {
    for seed in 20..28 {
        let (mut accounts, index) = hosted(seed);
        consent(&mut accounts, (0, 0));
        accounts.send((0, 0), b"old").unwrap();
        accounts.settle();
        accounts.send((1, index), b"answer").unwrap();
        accounts.settle();
        let operator = Identity::generate(&mut StdRng::seed_from_u64(seed));
        accounts.amend(1, index, &operator, Retention::THIRTY_DAYS);
        // The hosted device learns it from its own account's list; nothing has happened in this conversation.
        let talk = accounts.devices.get_mut(&(1, index)).unwrap().conversation.take();
        accounts.publish_lists();
        let amended = accounts.disclosures[1].clone();
        let hosted = accounts.devices.get_mut(&(1, index)).unwrap();
        hosted.conversation = talk;
        assert!(hosted.account.set_disclosure(amended));
        accounts.send((0, 0), b"new").unwrap();
        let (to, from, envelope) = accounts.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
        assert!(envelope.ciphertext.is_pre_key_message());
        accounts.deliver(to, from, &envelope).unwrap();
        accounts.mail.clear();
        accounts.send((1, index), b"in the new one").unwrap();
        // The first answer in the new session ends its pre-key headers; an answer in the old one would not.
        accounts.settle();
        accounts.send((0, 0), b"answered").unwrap();
        let (.., next) = accounts.mail.iter().find(|(to, ..)| *to == (1, index)).cloned().unwrap();
        assert!(!next.ciphertext.is_pre_key_message(), "seed {seed}");
    }
}

/// P-12.58: The vendor's program did not take the message in time, and its account's list has ended, so that it cannot
/// even send. What was promised is kept all the same, and the program learns what it missed.
#[test]
fn a_message_that_was_not_taken_is_deleted_in_time_and_told_as_lost() {
    let mut accounts = Accounts::new(23, [1, 1]);
    let operator = Identity::generate(&mut StdRng::seed_from_u64(23));
    let index = accounts.host(1, &operator, Retention::NO_STORAGE);
    let hosted = (1, index);
    accounts.publish_lists();
    consent(&mut accounts, (0, 0));
    accounts.send((0, 0), b"first").unwrap();
    accounts.settle();
    let id = accounts.send((0, 0), b"my number is 7").unwrap();
    let (_, _, envelope) = accounts.mail.iter().find(|(to, ..)| *to == hosted).cloned().unwrap();
    let device = accounts.devices.get_mut(&hosted).unwrap();
    let arrival = Arrival { from: DeviceAddress::peer(0), ciphertext: envelope.ciphertext };
    let conversation = device.conversation.as_mut().unwrap();
    assert_eq!(conversation.receive(&mut device.account, &[arrival], accounts.now), [Ok(())]);
    drop(device.store(&mut accounts.rng));
    let messages = |device: &Device| {
        let inbox = device.conversation.as_ref().unwrap().inbox();
        inbox.filter(|(_, received)| matches!(received, Received::Message { .. })).count()
    };
    assert_eq!(messages(device), 1);
    let blocks = device.blocks.len();

    let later = accounts.now.plus_seconds(40 * 86_400);
    let conversation = device.conversation.as_mut().unwrap();
    assert_eq!(conversation.due(&device.account, later).at, Some(later));
    let refused = conversation.flush(&device.account, &[], later, &mut accounts.rng);
    assert_eq!(refused.unwrap_err(), SendError::ListExpired);
    drop(device.store(&mut accounts.rng));
    assert_eq!(messages(device), 0);
    assert!(device.blocks.len() < blocks, "and its block with it");
    device.settle();
    assert!(device.events.contains(&Event::Lost { id, device: DeviceAddress::peer(0) }), "{:?}", device.events);
}
