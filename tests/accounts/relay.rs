//! A relay that damages, invents, repeats and withholds, beside restores and stolen pre-keys.

use bisik::conversation::{Bound, Event, Recipients, Side};
use bisik::{IdentityKey, Timestamp};
use bisik_testkit::accounts::{Accounts, At};

const ALICE: At = (0, 0);
const BOB: At = (1, 0);
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn talking(seed: u64) -> Accounts {
    let mut accounts = Accounts::new(seed, [1, 1]);
    for at in [ALICE, BOB, ALICE, BOB] {
        accounts.send(at, b"halo").unwrap();
        accounts.settle();
    }
    for at in [ALICE, BOB] {
        accounts.devices.get_mut(&at).unwrap().events.clear();
        accounts.devices.get_mut(&at).unwrap().shown.clear();
    }
    accounts
}

fn garbage(number: u64) -> bisik::Ciphertext {
    let mut bytes = vec![0x22; 200];
    bytes[8..16].copy_from_slice(&number.to_be_bytes());
    bytes.try_into().unwrap()
}

fn shown(accounts: &Accounts, at: At) -> usize {
    accounts.devices[&at].shown.len()
}

/// Lets time pass, with everything delivered as it is posted. Returns the number of envelopes.
fn pass(accounts: &mut Accounts, end: Timestamp) -> usize {
    let mut envelopes = 0;
    loop {
        for at in accounts.everyone() {
            accounts.flush(at);
        }
        while let Some((to, from, envelope)) = accounts.mail.pop_front() {
            envelopes += 1;
            let _result = accounts.deliver(to, from, &envelope);
            accounts.flush(to);
            assert!(envelopes < 10_000, "they never stop");
        }
        match accounts.next_due() {
            Some(at) if at <= end => accounts.now = accounts.now.max(at),
            _ => break,
        }
    }
    accounts.now = accounts.now.max(end);
    envelopes
}

/// P-12.40, P-12.46, P-12.47, P-12.48: Three days of garbage, once a minute, both ways.
#[test]
fn garbage_replaces_no_session_and_causes_a_trickle() {
    let mut accounts = talking(60);
    let (mut envelopes, mut sent) = (0, 1);
    accounts.send(ALICE, b"an envelope to forge").unwrap();
    let (_, _, mut envelope) = accounts.mail[0].clone();
    accounts.settle();
    for minute in 0..72 * 60_u64 {
        for (to, from) in [(ALICE, BOB), (BOB, ALICE)] {
            envelope.ciphertext = garbage(minute);
            assert!(accounts.deliver(to, from, &envelope).is_err());
        }
        if minute % (12 * 60) == 0 {
            accounts.write(ALICE, b"light traffic", Recipients::All).unwrap();
            sent += 1;
        }
        let next = accounts.now.plus_seconds(MINUTE);
        envelopes += pass(&mut accounts, next);
    }
    assert_eq!(shown(&accounts, BOB), sent);
    assert!(envelopes <= 120, "{envelopes} envelopes in 72 hours");
    for at in [ALICE, BOB] {
        let replaced =
            accounts.devices[&at].events.iter().filter(|event| matches!(event, Event::SessionReplaced { .. }));
        assert_eq!(replaced.count(), 0, "{:?}", accounts.devices[&at].events);
    }
}

/// Every envelope that ever was comes again, once a minute.
#[test]
fn replays_are_shown_never_and_answered_hardly() {
    let mut accounts = talking(61);
    let mut log = Vec::new();
    for number in 0..30_u8 {
        accounts.send(ALICE, &[number]).unwrap();
        log.extend(accounts.mail.iter().cloned());
        accounts.settle();
    }
    let before = shown(&accounts, BOB);
    let mut envelopes = 0;
    for minute in 0..24 * 60_usize {
        let (to, from, envelope) = log[minute % log.len()].clone();
        let _result = accounts.deliver(to, from, &envelope);
        let next = accounts.now.plus_seconds(MINUTE);
        envelopes += pass(&mut accounts, next);
    }
    assert_eq!((before, shown(&accounts, BOB)), (30, 30));
    assert!(envelopes <= 60, "{envelopes} envelopes in a day");
}

/// P-12.41, P-12.49: Two honest devices, right clocks, no loss: one is restored, then the other, within the hour.
#[test]
fn two_devices_that_were_both_restored_do_not_ask_each_other_without_end() {
    let mut accounts = talking(62);
    let (of_alice, of_bob) = (accounts.devices[&ALICE].database.clone(), accounts.devices[&BOB].database.clone());
    accounts.send(ALICE, b"one").unwrap();
    accounts.settle();
    accounts.restore(BOB, &of_bob);
    accounts.send(BOB, b"two").unwrap();
    accounts.settle();
    accounts.restore(ALICE, &of_alice);
    accounts.devices.get_mut(&ALICE).unwrap().shown.clear();
    accounts.send(BOB, b"three").unwrap();
    let end = accounts.now.plus_seconds(3 * 24 * HOUR);
    let envelopes = pass(&mut accounts, end);
    assert!(envelopes < 60, "{envelopes}");
    let texts: Vec<_> = accounts.devices[&ALICE].shown.iter().map(|(_, body)| body.clone()).collect();
    assert!(texts.contains(&b"three".to_vec()), "{texts:?}");
    assert_eq!(accounts.next_due(), None, "and then it is quiet");
}

/// One bit in one envelope of each direction, and one restore within the hour.
#[test]
fn two_damaged_envelopes_and_a_restore_lose_nothing() {
    let mut accounts = talking(63);
    let backup = accounts.devices[&BOB].database.clone();
    for from in [ALICE, BOB] {
        accounts.send(from, b"damaged on its way").unwrap();
        let (to, from, mut damaged) = accounts.mail.pop_front().unwrap();
        let mut bytes = damaged.ciphertext.into_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        damaged.ciphertext = bytes.try_into().unwrap();
        assert!(accounts.deliver(to, from, &damaged).is_err());
        accounts.settle();
    }
    accounts.restore(BOB, &backup);
    accounts.devices.get_mut(&BOB).unwrap().shown.clear();
    for number in 0..3_u8 {
        accounts.send(ALICE, &[b'a', number]).unwrap();
        accounts.send(BOB, &[b'b', number]).unwrap();
        let end = accounts.now.plus_seconds(MINUTE);
        pass(&mut accounts, end);
    }
    let end = accounts.now.plus_seconds(2 * 24 * HOUR);
    pass(&mut accounts, end);
    for (at, letter) in [(ALICE, b'b'), (BOB, b'a')] {
        let read = accounts.devices[&at].shown.iter().filter(|(_, body)| body[0] == letter && body.len() == 2).count();
        assert_eq!(read, 3, "at {at:?}");
    }
}

/// P-12.47: A device's clock was 25 days ahead while sessions were repaired, and is right again.
#[test]
fn a_clock_that_was_ahead_keeps_no_session_from_being_repaired() {
    let mut accounts = talking(64);
    let right = accounts.now;
    accounts.now = right.plus_seconds(25 * 24 * HOUR);
    let backup = accounts.devices[&BOB].database.clone();
    accounts.send(ALICE, b"one").unwrap();
    accounts.settle();
    accounts.restore(BOB, &backup);
    accounts.send(ALICE, b"two").unwrap();
    accounts.settle();
    accounts.now = right.plus_seconds(HOUR);
    let backup = accounts.devices[&BOB].database.clone();
    accounts.send(ALICE, b"three").unwrap();
    accounts.settle();
    accounts.restore(BOB, &backup);
    accounts.devices.get_mut(&BOB).unwrap().shown.clear();
    accounts.send(ALICE, b"four").unwrap();
    let end = accounts.now.plus_seconds(24 * HOUR);
    pass(&mut accounts, end);
    assert!(accounts.devices[&BOB].shown.iter().any(|(_, body)| body == b"four"));
}

/// P-12.43: Withheld bundles make a repair late, and never lose what an author keeps.
#[test]
fn a_repair_waits_for_a_bundle_and_happens_when_there_is_one() {
    let mut accounts = talking(65);
    let backup = accounts.devices[&BOB].database.clone();
    for text in [b"one", b"two"] {
        accounts.send(ALICE, text).unwrap();
        accounts.settle();
        accounts.send(BOB, text).unwrap();
        accounts.settle();
    }
    accounts.restore(BOB, &backup);
    let withheld = [ALICE, BOB].map(|at| withhold(&mut accounts, at));
    for number in 0..5_u8 {
        accounts.write(ALICE, &[number], Recipients::All).unwrap();
    }
    let end = accounts.now.plus_seconds(30 * HOUR);
    pass(&mut accounts, end);
    for (key, one_time) in withheld {
        accounts.one_time.insert(key, one_time);
        accounts.withheld.remove(&key);
    }
    let end = accounts.now.plus_seconds(48 * HOUR);
    pass(&mut accounts, end);
    let read = accounts.devices[&BOB].shown.iter().filter(|(_, body)| body.len() == 1).count();
    assert_eq!(read, 5);
}

fn withhold(accounts: &mut Accounts, at: At) -> (IdentityKey, std::collections::VecDeque<bisik::PreKeyBundle>) {
    let key = *accounts.devices[&at].account.identity().public();
    accounts.withheld.insert(key);
    (key, accounts.one_time.remove(&key).unwrap())
}

/// P-12.38: whoever has a device's pre-keys can write to it in the name of any identity whose secret he holds, and to
/// nobody else. Beside a confirmed session it is shown nothing of that, and goes on in the session that it has.
#[test]
fn the_flights_of_a_thief_say_nothing_beside_a_confirmed_session() {
    let mut accounts = talking(66);
    // A copy of Bob's account sets up a session of its own with Alice: all it has is his identity key.
    let bob = &accounts.devices[&BOB];
    let record = bob.database[&bisik::conversation::RecordName::Account].1.clone();
    let thief = bisik::Account::unseal(&bob.key, &record).unwrap();
    let directory = accounts.directory(0);
    let (mut talk, _) = bisik::Conversation::new(&thief, directory, &[], Default::default(), accounts.now);
    let account = &thief;
    talk.send(account, b"send the money to this account", Recipients::All, accounts.now, &mut accounts.rng).unwrap();
    let due = talk.due(account, accounts.now);
    let bundles: Vec<_> = due.bundles.iter().map(|needed| (needed.device, accounts.bundle(&needed.key))).collect();
    let outgoing = talk.flush(account, &bundles, accounts.now, &mut accounts.rng).unwrap();
    let mut thief = bisik::Account::unseal(&accounts.devices[&BOB].key, &record).unwrap();
    let key = bisik::StorageKey::from_bytes([7; 32]);
    thief.move_to_key(&key);
    let changes = talk.seal(&mut thief, &key, &mut accounts.rng).unwrap();
    let (envelopes, _) = outgoing.release(&changes.stored()).unwrap();
    let to_alice: Vec<_> = envelopes.into_iter().filter(|envelope| envelope.to.side == Side::Peer).collect();
    assert!(!to_alice.is_empty());
    for envelope in &to_alice {
        accounts.deliver(ALICE, BOB, envelope).unwrap();
    }
    assert_eq!(shown(&accounts, ALICE), 0);
    // The answer goes to the true Bob, who does not know the session: nothing is replaced.
    accounts.settle();
    accounts.send(ALICE, b"are you there?").unwrap();
    accounts.settle();
    assert_eq!(shown(&accounts, BOB), 1);
    let replaced = |at: At| {
        let events = accounts.devices[&at].events.iter();
        events.filter(|event| matches!(event, Event::SessionReplaced { bound: Bound::None, .. })).count()
    };
    assert_eq!((replaced(ALICE), shown(&accounts, ALICE)), (0, 0));
}
