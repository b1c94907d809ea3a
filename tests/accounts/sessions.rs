//! Which session with a device is sent in, and what is said when another takes its place.

use bisik::conversation::{Bound, DeviceAddress, Event, IdentityPolicy, RecordName, SendError};
use bisik_testkit::accounts::{Accounts, At};

const ALICE: At = (0, 0);
const BOB: At = (1, 0);

fn talking(seed: u64, rounds: u8) -> Accounts {
    let mut accounts = Accounts::new(seed, [1, 1]);
    for round in 0..rounds {
        for at in [ALICE, BOB] {
            accounts.send(at, &[round]).unwrap();
            accounts.settle();
        }
    }
    for at in [ALICE, BOB] {
        accounts.devices.get_mut(&at).unwrap().events.clear();
    }
    accounts
}

fn replaced(accounts: &Accounts, at: At) -> Vec<Bound> {
    let events = accounts.devices[&at].events.iter();
    let bounds = events.filter_map(|event| match event {
        Event::SessionReplaced { bound, .. } => Some(*bound),
        _ => None,
    });
    bounds.collect()
}

/// P-12.37, P-12.39, P-3.21
#[test]
fn a_restored_device_is_repaired_in_a_new_session_that_both_sides_are_told_of() {
    let mut accounts = talking(100, 4);
    let backup = accounts.devices[&BOB].database.clone();
    for _ in 0..3 {
        for at in [ALICE, BOB] {
            accounts.send(at, b"later").unwrap();
            accounts.settle();
        }
    }
    accounts.restore(BOB, &backup);
    accounts.send(ALICE, b"are you there?").unwrap();
    accounts.settle();
    accounts.send(BOB, b"yes").unwrap();
    accounts.settle();
    assert!(accounts.devices[&BOB].shown.iter().any(|(_, body)| body == b"are you there?"));
    assert_eq!(accounts.devices[&ALICE].shown.last().unwrap().1, b"yes");
    for at in [ALICE, BOB] {
        assert_eq!(replaced(&accounts, at).len(), 1, "{at:?}: {:?}", accounts.devices[&at].events);
    }
}

/// P-12.44, P-3.21: its record of the conversation is gone, so nothing can bind the new session: both sides are told
/// so.
#[test]
fn a_session_that_nothing_binds_to_the_old_one_is_told_as_such() {
    let mut accounts = talking(101, 3);
    accounts.open(BOB, IdentityPolicy::Block);
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    bob.database.retain(|name, _| *name == RecordName::Account);
    bob.conversation.as_mut().unwrap().accept();
    accounts.send(ALICE, b"two").unwrap();
    accounts.settle();
    accounts.send(BOB, b"three").unwrap();
    accounts.settle();
    assert!(accounts.devices[&BOB].shown.iter().any(|(_, body)| body == b"two"));
    assert_eq!(replaced(&accounts, ALICE), [Bound::None]);
}

/// P-12.36: P-3.22
#[test]
fn both_may_write_first_at_once_and_stay_in_one_session() {
    for seed in 0..6 {
        let mut accounts = Accounts::new(110 + seed, [1, 1]);
        accounts.send(ALICE, b"a").unwrap();
        accounts.send(BOB, b"b").unwrap();
        accounts.settle();
        for round in 0..3_u8 {
            for at in [ALICE, BOB] {
                accounts.send(at, &[round]).unwrap();
                let first = accounts.mail.iter().filter(|(.., envelope)| envelope.ciphertext.is_pre_key_message());
                assert_eq!(first.count(), 0, "seed {seed}: they are still introducing themselves");
                accounts.settle();
            }
        }
        for at in [ALICE, BOB] {
            assert_eq!(accounts.devices[&at].shown.len(), 4, "seed {seed}");
            let events = accounts.devices[&at].events.iter();
            let loud = events.filter(|event| matches!(event, Event::SessionReplaced { early: false, .. }));
            assert_eq!(loud.count(), 0, "seed {seed}: told, and as an early one");
        }
    }
}

/// P-12.43
#[test]
fn a_bundle_of_another_device_sets_up_nothing() {
    let mut accounts = Accounts::new(102, [1, 2]);
    let key = *accounts.devices[&BOB].account.identity().public();
    let wrong = accounts.bundle(&key);
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let conversation = alice.conversation.as_mut().unwrap();
    let to = bisik::conversation::Recipients::All;
    conversation.send(&alice.account, b"halo", to, accounts.now, &mut accounts.rng).unwrap();
    assert_eq!(conversation.due(&alice.account, accounts.now).bundles.len(), 2);
    let revision = conversation.revision();
    let bundles = [(DeviceAddress::peer(1), wrong)];
    let refused = conversation.flush(&alice.account, &bundles, accounts.now, &mut accounts.rng);
    assert_eq!(refused.unwrap_err(), SendError::WrongBundle);
    assert_eq!(conversation.revision(), revision, "nothing has changed");
    // The device without a bundle is not forgotten, and the other does not wait for it.
    let first = accounts.bundle(&key);
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let conversation = alice.conversation.as_mut().unwrap();
    let bundles = [(DeviceAddress::peer(0), first)];
    let outgoing = conversation.flush(&alice.account, &bundles, accounts.now, &mut accounts.rng).unwrap();
    assert_eq!(outgoing.len(), 1);
    assert_eq!(conversation.due(&alice.account, accounts.now).bundles.len(), 1);
}

/// P-12.36: Its author was restored to before it wrote the message, and has closed the names below its new ones.
#[test]
fn a_late_message_that_its_author_has_forgotten_is_not_shown_and_brings_no_session_back() {
    let mut accounts = talking(103, 3);
    let backup = accounts.devices[&BOB].database.clone();
    accounts.send(BOB, b"on its way for long").unwrap();
    let late = accounts.mail.pop_front().unwrap();
    accounts.restore(BOB, &backup);
    accounts.send(ALICE, b"two").unwrap();
    accounts.settle();
    let _result = accounts.deliver(late.0, late.1, &late.2);
    accounts.settle();
    accounts.send(ALICE, b"three").unwrap();
    accounts.settle();
    assert!(accounts.devices[&BOB].shown.iter().any(|(_, body)| body == b"three"));
    let texts = accounts.devices[&ALICE].shown.iter().filter(|(_, body)| body == b"on its way for long").count();
    assert_eq!(texts, 0);
}

/// A telephone comes back from a backup that is older than its own lists: it recovers, and the conversation goes on.
#[test]
fn a_restored_telephone_recovers_its_account_and_every_conversation_goes_on() {
    let mut accounts = talking(104, 3);
    let backup = accounts.devices[&ALICE].database.clone();
    let laptop = accounts.join(0);
    accounts.open((0, laptop), IdentityPolicy::Block);
    accounts.send(ALICE, b"after the backup").unwrap();
    accounts.settle();
    accounts.restore(ALICE, &backup);
    let (lists, now) = (accounts.lists[0].clone(), accounts.now);
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let seen = alice.account.accept_devices(&lists, now).unwrap();
    assert!(!seen.is_empty() && alice.account.must_recover());
    assert_eq!(accounts.send(ALICE, b"too early"), Err(SendError::RecoverFirst));
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    let upkeep = alice.account.recover(&lists, now, &mut accounts.rng).unwrap();
    alice.conversation.as_mut().unwrap().restored();
    let key = *alice.account.identity().public();
    accounts.lists[0].extend(upkeep.list);
    accounts.one_time.insert(key, upkeep.one_time.into());
    accounts.last_resort.insert(key, upkeep.last_resort.unwrap());
    accounts.publish_lists();
    accounts.settle();
    // Nobody has written yet, and the sessions are repaired.
    accounts.send(BOB, b"welcome back").unwrap();
    accounts.settle();
    accounts.send(ALICE, b"thank you").unwrap();
    accounts.settle();
    assert_eq!(accounts.devices[&ALICE].shown.last().unwrap().1, b"welcome back");
    assert_eq!(accounts.devices[&BOB].shown.last().unwrap().1, b"thank you");
    assert!(!accounts.devices[&BOB].events.contains(&Event::ListsForked));
}

/// P-3.23: whoever replaces a session that nothing binds is named in the session that it replaced. Here the peer had
/// lost everything, and comes back from a backup in which it knows nothing of that.
#[test]
fn a_device_in_whose_name_a_session_was_replaced_hears_of_it_in_the_session_that_it_has() {
    let mut accounts = talking(105, 3);
    let backup = accounts.devices[&BOB].database.clone();
    accounts.open(BOB, IdentityPolicy::Block);
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    bob.database.retain(|name, _| *name == RecordName::Account);
    accounts.send(ALICE, b"two").unwrap();
    let mut to_bob = Vec::new();
    for _ in 0..12 {
        for (to, from, envelope) in accounts.mail.drain(..).collect::<Vec<_>>() {
            if to == BOB {
                to_bob.push(envelope.clone());
            }
            let _result = accounts.deliver(to, from, &envelope);
        }
        accounts.flush(ALICE);
        accounts.flush(BOB);
    }
    assert_eq!(replaced(&accounts, ALICE), [Bound::None]);
    accounts.restore(BOB, &backup);
    for envelope in &to_bob {
        let _result = accounts.deliver(BOB, ALICE, envelope);
    }
    let told = Event::ReplacedByAnother { device: DeviceAddress::peer(0) };
    assert!(accounts.devices[&BOB].events.contains(&told), "{:?}", accounts.devices[&BOB].events);
}

/// A call is set up in the session that the conversation uses, and its signals go to that one device.
#[cfg(feature = "call")]
#[test]
fn a_call_starts_from_a_conversation() {
    use bisik::call::{Answer, CallId, Calling, Offer, Signal};
    use bisik::conversation::Recipients;

    let mut accounts = talking(106, 3);
    let rng = &mut rand::rng();
    let device = DeviceAddress::peer(0);
    let session = |accounts: &Accounts, at: At| {
        let device_at = &accounts.devices[&at];
        let talk = device_at.conversation.as_ref().unwrap();
        let session = talk.session_with(&device_at.account, device).expect("a confirmed session");
        (*device_at.account.identity().public(), *session.id())
    };
    assert_eq!(session(&accounts, ALICE).1, session(&accounts, BOB).1, "both sides call in one session");

    let alice = &accounts.devices[&ALICE];
    let talk = alice.conversation.as_ref().unwrap();
    let line = talk.session_with(&alice.account, device).unwrap();
    let (calling, offer) = Calling::start(CallId::generate(rng), alice.account.identity().public(), line, rng);
    accounts.write(ALICE, &offer.to_bytes(), Recipients::Device(device)).unwrap();
    accounts.settle();
    let heard = accounts.devices[&BOB].shown.last().unwrap().1.clone();
    let Signal::Offer(offer) = Signal::from_bytes(&heard).unwrap() else { panic!("an offer") };
    let offer: Offer = offer;
    let bob = &accounts.devices[&BOB];
    let line = bob.conversation.as_ref().unwrap().session_with(&bob.account, device).unwrap();
    let (at_bob, answer) = offer.accept(bob.account.identity().public(), line, rng).unwrap();
    accounts.write(BOB, &answer.to_bytes(), Recipients::Device(device)).unwrap();
    accounts.settle();
    let heard = accounts.devices[&ALICE].shown.last().unwrap().1.clone();
    let answer = Answer::from_bytes(&heard).unwrap();
    let alice = &accounts.devices[&ALICE];
    let line = alice.conversation.as_ref().unwrap().session_with(&alice.account, device).unwrap();
    let at_alice = calling.complete(&answer, line).unwrap();
    assert_eq!(at_alice.sending.base.expose_bytes(), at_bob.receiving.base.expose_bytes());
}

/// P-12.41: The session in use ends because the peer cannot read it, and that is told: whoever can set a device back,
/// or act as one, changes what is sent in.
#[test]
fn a_session_that_is_given_up_for_an_older_one_is_told() {
    let mut led = 0;
    for seed in 120..124 {
        let mut accounts = talking(seed, 4);
        let key = |accounts: &Accounts, at: At| accounts.devices[&at].account.identity().public().to_bytes();
        if key(&accounts, ALICE) > key(&accounts, BOB) {
            continue;
        }
        let backup = accounts.devices[&BOB].database.clone();
        // Something that Bob cannot read makes a second session. What he writes in the first is lost.
        ask_for_a_session(&mut accounts);
        accounts.mail.retain(|(_, from, envelope)| *from == ALICE || envelope.ciphertext.is_pre_key_message());
        accounts.settle();
        assert_eq!(replaced(&accounts, ALICE), [Bound::Live], "seed {seed}");
        accounts.devices.get_mut(&ALICE).unwrap().events.clear();

        // Bob's device goes back to where it has only the first, and asks there.
        accounts.restore(BOB, &backup);
        ask_for_a_session(&mut accounts);
        accounts.mail.retain(|(_, from, envelope)| *from == ALICE || !envelope.ciphertext.is_pre_key_message());
        assert_eq!(accounts.mail.len(), 1);
        let (to, from, envelope) = accounts.mail.pop_front().unwrap();
        accounts.deliver(to, from, &envelope).unwrap();
        assert_eq!(replaced(&accounts, ALICE), [Bound::Live], "seed {seed}");
        led += 1;
    }
    assert!(led > 0);
}

/// Alice writes, what arrives is damaged, and Bob flushes.
fn ask_for_a_session(accounts: &mut Accounts) {
    accounts.send(ALICE, b"are you there?").unwrap();
    let (to, from, mut envelope) = accounts.mail.pop_front().unwrap();
    let mut bytes = envelope.ciphertext.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    envelope.ciphertext = bytes.try_into().unwrap();
    assert!(accounts.deliver(to, from, &envelope).is_err());
    accounts.now = accounts.now.plus_seconds(3_600);
    accounts.flush(BOB);
}
