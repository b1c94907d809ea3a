//! Message requests: until the user has accepted a contact, nothing goes back, so that a stranger learns nothing.

use bisik::conversation::{Arrival, DeviceAddress, Event, IdentityPolicy, Received, Recipients, RecordName};
use bisik::{Conversation, Plaintext};
use bisik_testkit::accounts::{Accounts, At};

const ALICE: At = (0, 0);
const STRANGER: At = (1, 0);

/// Two accounts; the first has not accepted the second.
fn approached(seed: u64) -> Accounts {
    let mut accounts = Accounts::new(seed, [1, 1]);
    let directory = accounts.directory(1);
    let device = accounts.devices.get_mut(&ALICE).unwrap();
    device.conversation =
        Some(Conversation::new(&device.account, directory, &[], IdentityPolicy::Block, accounts.now).0);
    accounts
}

fn is_silent(accounts: &mut Accounts) -> bool {
    let alice = &accounts.devices[&ALICE];
    let due = alice.conversation.as_ref().unwrap().due(&alice.account, accounts.now);
    accounts.mail.clear();
    accounts.flush(ALICE);
    due.at.is_none() && due.bundles.is_empty() && accounts.mail.is_empty()
}

/// P-12.51
#[test]
fn a_stranger_gets_no_frame_back_until_the_user_accepts() {
    let mut accounts = approached(70);
    accounts.send(STRANGER, b"hello, are you online?").unwrap();
    let (to, from, envelope) = accounts.mail.pop_front().unwrap();
    accounts.deliver(to, from, &envelope).unwrap();
    assert_eq!(accounts.devices[&ALICE].events, [Event::LabelChanged, Event::Request]);
    for hours in 0..100 {
        accounts.now = accounts.now.plus_seconds(hours * 60);
        assert!(is_silent(&mut accounts));
    }
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    alice.conversation.as_mut().unwrap().accept();
    accounts.flush(ALICE);
    assert!(!accounts.mail.is_empty(), "the answer, once the user knows whom it goes to");
    accounts.settle();
    assert_eq!(accounts.devices[&STRANGER].conversation.as_ref().unwrap().unacknowledged_messages(), 0);
}

/// Careless Whisper: probes that nobody sees, each confirmed by every device. Reactions to nothing, damaged bytes,
/// replays.
#[test]
fn invisible_probes_are_confirmed_by_no_device_of_somebody_who_accepted_nobody() {
    let mut accounts = approached(71);
    for number in 0..100_u8 {
        accounts.send(STRANGER, &[number]).unwrap();
        for (to, from, envelope) in accounts.mail.drain(..).collect::<Vec<_>>() {
            let _result = accounts.deliver(to, from, &envelope);
            let mut damaged = envelope.clone();
            let mut bytes = envelope.ciphertext.as_bytes().to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            damaged.ciphertext = bytes.try_into().unwrap();
            // P-12.14: what is refused changes nothing.
            let revision = accounts.devices[&to].conversation.as_ref().unwrap().revision();
            assert!(accounts.deliver(to, from, &damaged).is_err());
            assert_eq!(accounts.devices[&to].conversation.as_ref().unwrap().revision(), revision);
        }
        accounts.now = accounts.now.plus_seconds(600);
        assert!(is_silent(&mut accounts), "probe {number}");
    }
}

/// P-12.19: between people who know each other: what is never shown is not confirmed one by one, at the time of the
/// probe.
#[test]
fn a_probe_of_a_contact_is_confirmed_when_the_program_says_and_together_with_others() {
    let mut accounts = Accounts::new(72, [1, 1]);
    for at in [ALICE, STRANGER, ALICE] {
        accounts.send(at, b"halo").unwrap();
        accounts.settle();
    }
    for number in 0..7_u8 {
        accounts.send(STRANGER, &[number]).unwrap();
        let (to, from, envelope) = accounts.mail.pop_front().unwrap();
        accounts.deliver(to, from, &envelope).unwrap();
        accounts.flush(ALICE);
        assert!(accounts.mail.is_empty(), "no frame answers probe {number}");
    }
    let alice = &accounts.devices[&ALICE];
    let due = alice.conversation.as_ref().unwrap().due(&alice.account, accounts.now);
    assert!(due.at.unwrap() > accounts.now, "ten minutes later, in one frame");
}

/// P-12.22
#[test]
fn a_stranger_is_shown_sixteen_messages_and_marked_as_unconfirmed() {
    let mut accounts = approached(73);
    for number in 0..30_u8 {
        accounts.send(STRANGER, &[number]).unwrap();
    }
    for (to, from, envelope) in accounts.mail.drain(..).collect::<Vec<_>>() {
        let device = accounts.devices.get_mut(&to).unwrap();
        let arrival = Arrival { from: DeviceAddress::peer(from.1), ciphertext: envelope.ciphertext };
        let conversation = device.conversation.as_mut().unwrap();
        conversation.receive(&mut device.account, &[arrival], accounts.now).remove(0).unwrap();
        let stored = device.store(&mut accounts.rng);
        drop(stored);
    }
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let unconfirmed = alice
        .conversation
        .as_ref()
        .unwrap()
        .inbox()
        .filter(|(_, received)| matches!(received, Received::Message { body: Plaintext::Unconfirmed(_), .. }));
    assert_eq!(unconfirmed.count(), 16);
    // Once it is accepted, the rest comes, confirmed, and nothing twice.
    alice.settle();
    alice.conversation.as_mut().unwrap().accept();
    accounts.settle();
    let mut shown = accounts.shown(ALICE);
    assert_eq!(shown.len(), 30);
    shown.dedup();
    assert_eq!(shown.len(), 30);
    assert!(!accounts.devices[&ALICE].events.iter().any(|event| matches!(event, Event::NotThePeers { .. })));
}

#[test]
fn to_write_to_somebody_is_to_accept_them() {
    let mut accounts = approached(74);
    assert!(!accounts.devices[&ALICE].conversation.as_ref().unwrap().is_accepted());
    accounts.write(ALICE, b"only for my other devices", Recipients::OwnDevices).unwrap();
    assert!(!accounts.devices[&ALICE].conversation.as_ref().unwrap().is_accepted());
    accounts.write(ALICE, b"halo", Recipients::All).unwrap();
    assert!(accounts.devices[&ALICE].conversation.as_ref().unwrap().is_accepted());
    accounts.settle();
    assert_eq!(accounts.shown(STRANGER).len(), 1);
}

/// P-12.23
#[test]
fn an_unconfirmed_message_is_confirmed_when_its_author_writes_after_the_answer() {
    let mut accounts = approached(77);
    let id = accounts.send(STRANGER, b"halo").unwrap();
    accounts.settle();
    assert!(!accounts.devices[&ALICE].events.iter().any(|event| matches!(event, Event::Confirmed { .. })));
    accounts.send(ALICE, b"hai").unwrap();
    accounts.settle();
    accounts.send(STRANGER, b"apa kabar?").unwrap();
    accounts.settle();
    let of = |event: &&Event| matches!(event, Event::Confirmed { .. } | Event::NotThePeers { .. });
    let told: Vec<_> = accounts.devices[&ALICE].events.iter().filter(of).collect();
    assert_eq!(told, [&Event::Confirmed { id, device: DeviceAddress::peer(0) }]);
}

/// P-12.23, P-12.31
#[test]
fn a_message_that_was_withdrawn_after_it_was_shown_is_no_forgery() {
    let mut accounts = Accounts::new(76, [1, 1]);
    // Both begin, so that what tells Alice of it is not the session in which it was shown.
    accounts.send(STRANGER, b"hai").unwrap();
    let id = accounts.send(ALICE, b"halo").unwrap();
    let (to, from, envelope) = accounts.mail.pop_back().unwrap();
    accounts.deliver(to, from, &envelope).unwrap();
    assert!(accounts.devices.get_mut(&ALICE).unwrap().conversation.as_mut().unwrap().withdraw_message(id));
    accounts.now = accounts.now.plus_seconds(3_600);
    accounts.settle();
    assert_eq!(accounts.shown(STRANGER).len(), 1);
    let events = &accounts.devices[&STRANGER].events;
    assert!(!events.iter().any(|event| matches!(event, Event::NotThePeers { .. })), "{events:?}");
}

/// P-12.23: Whoever has the receiver's pre-keys and identity secret can write in chain 0 in the initiator's name, as a
/// copy of the initiator does here. Once the session is confirmed, that is too late.
#[test]
fn what_was_written_before_the_answer_counts_for_nothing_after_the_confirmation() {
    let mut accounts = Accounts::new(75, [1, 1]);
    accounts.send(ALICE, b"one").unwrap();
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    drop(alice.store(&mut accounts.rng));
    let id = alice.conversation.as_ref().unwrap().id();
    let mut talk = alice.open(id).unwrap();
    let mut thief = bisik::Account::unseal(&alice.key, &alice.database[&RecordName::Account].1).unwrap();

    // Its relay keeps the second message back, whose place in the chain the copy takes.
    let first = accounts.mail.pop_front().unwrap();
    accounts.send(ALICE, b"two").unwrap();
    accounts.mail.clear();
    accounts.deliver(first.0, first.1, &first.2).unwrap();
    accounts.settle();
    assert_eq!(accounts.devices[&STRANGER].shown.len(), 1);

    let (rng, key) = (&mut accounts.rng, &accounts.devices[&ALICE].key);
    talk.send(&thief, b"send the money to this account", Recipients::All, accounts.now, rng).unwrap();
    let outgoing = talk.flush(&thief, &[], accounts.now, rng).unwrap();
    let changes = talk.seal(&mut thief, key, rng).unwrap();
    let (envelopes, _) = outgoing.release(&changes.stored()).unwrap();
    assert_eq!(envelopes.len(), 1);
    let arrival = Arrival { from: DeviceAddress::peer(0), ciphertext: envelopes[0].ciphertext.clone() };
    let bob = accounts.devices.get_mut(&STRANGER).unwrap();
    assert!(bob.conversation.as_mut().unwrap().reads(&bob.account, &arrival));
    accounts.deliver(STRANGER, ALICE, &envelopes[0]).unwrap();
    assert_eq!(accounts.devices[&STRANGER].shown.len(), 1, "read, and not believed");
    accounts.now = accounts.now.plus_seconds(3_600);
    accounts.settle();
    accounts.send(ALICE, b"three").unwrap();
    accounts.settle();
    let shown: Vec<_> = accounts.devices[&STRANGER].shown.iter().map(|(_, body)| body.as_slice()).collect();
    assert_eq!(shown, [b"one".as_slice(), b"two", b"three"]);
}
