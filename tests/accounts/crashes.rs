//! One record is the whole truth: what a crash leaves undone, and what a stored record releases.

use std::collections::BTreeMap;

use bisik::conversation::{Arrival, Change, DeviceAddress, Outgoing, Received, Recipients, RecordName};
use bisik::{Account, Conversation, SealError, StorageKey};
use bisik_testkit::SeededRng;
use bisik_testkit::accounts::{Accounts, At};

const ALICE: At = (0, 0);
const BOB: At = (1, 0);

/// Two devices whose sessions both sides have confirmed: no bundle is needed any more.
fn talking(seed: u64) -> Accounts {
    let mut accounts = Accounts::new(seed, [1, 1]);
    for at in [ALICE, BOB] {
        accounts.send(at, b"halo").unwrap();
        accounts.settle();
    }
    accounts
}

/// Makes what is due and stores nothing.
fn flush(accounts: &mut Accounts, at: At) -> Outgoing {
    let device = accounts.devices.get_mut(&at).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    conversation.flush(&device.account, &[], accounts.now, &mut accounts.rng).unwrap()
}

/// Receives the one message in flight and stores nothing.
fn receive(accounts: &mut Accounts) {
    let (to, from, envelope) = accounts.mail.pop_front().unwrap();
    let device = accounts.devices.get_mut(&to).unwrap();
    let arrival = Arrival { from: DeviceAddress::peer(from.1), ciphertext: envelope.ciphertext };
    device.conversation.as_mut().unwrap().receive(&mut device.account, &[arrival], accounts.now).remove(0).unwrap();
}

fn inbox(accounts: &Accounts, at: At) -> Vec<(u64, Vec<u8>)> {
    let messages = accounts.devices[&at].conversation.as_ref().unwrap().inbox().filter_map(|(number, received)| {
        let Received::Message { body, .. } = received else { return None };
        let bisik::Plaintext::Confirmed(body) = body else { panic!("a confirmed session") };
        Some((number, body.to_vec()))
    });
    messages.collect()
}

/// P-12.55
#[test]
fn what_was_received_is_given_again_after_a_crash_until_it_is_settled() {
    let mut accounts = talking(80);
    accounts.send(ALICE, b"one").unwrap();
    receive(&mut accounts);
    assert_eq!(inbox(&accounts, BOB), [], "store before you show");
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    drop(bob.store(&mut accounts.rng));
    let given = inbox(&accounts, BOB);
    assert_eq!(given[0].1, b"one");
    for _ in 0..3 {
        accounts.devices.get_mut(&BOB).unwrap().reload();
        assert_eq!(inbox(&accounts, BOB), given, "the same, under the same number");
    }
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    bob.conversation.as_mut().unwrap().settle(given[0].0);
    drop(bob.store(&mut accounts.rng));
    bob.reload();
    assert_eq!(inbox(&accounts, BOB), []);
    accounts.settle();
    assert_eq!(accounts.devices[&ALICE].conversation.as_ref().unwrap().unacknowledged_messages(), 0);
}

/// P-12.53, P-12.54: whatever step of sending or receiving a crash leaves out, on either side: the message is shown
/// once, and its author hears of it once.
#[test]
fn a_crash_between_any_two_steps_loses_nothing_and_doubles_nothing() {
    for step in 0..8 {
        let mut accounts = talking(81);
        let write = |accounts: &mut Accounts| {
            let alice = accounts.devices.get_mut(&ALICE).unwrap();
            let conversation = alice.conversation.as_mut().unwrap();
            conversation.send(&alice.account, b"one", Recipients::All, accounts.now, &mut accounts.rng).unwrap();
        };
        write(&mut accounts);
        if step == 0 {
            // Before it is stored: the program never heard that it was written.
            accounts.devices.get_mut(&ALICE).unwrap().reload();
            write(&mut accounts);
        }
        drop(accounts.devices.get_mut(&ALICE).unwrap().store(&mut accounts.rng));
        let crash = |accounts: &mut Accounts, at: At| accounts.devices.get_mut(&at).unwrap().reload();
        if step == 1 {
            crash(&mut accounts, ALICE);
        }
        let outgoing = flush(&mut accounts, ALICE);
        if step == 2 {
            drop(outgoing);
            crash(&mut accounts, ALICE);
            accounts.flush(ALICE);
        } else {
            let alice = accounts.devices.get_mut(&ALICE).unwrap();
            let stored = alice.store(&mut accounts.rng);
            if step == 3 {
                // Stored, and never handed over.
                crash(&mut accounts, ALICE);
                accounts.flush(ALICE);
            } else {
                let (envelopes, handover) = outgoing.release(&stored).unwrap();
                for envelope in envelopes {
                    accounts.mail.push_back((BOB, ALICE, envelope));
                }
                if step == 4 {
                    // Handed over, and the note of it lost: it is sent twice.
                    crash(&mut accounts, ALICE);
                    accounts.flush(ALICE);
                    assert_eq!(accounts.mail.len(), 2);
                } else {
                    accounts.devices.get_mut(&ALICE).unwrap().conversation.as_mut().unwrap().handed(handover);
                }
            }
        }
        if step == 5 {
            // Received, and not stored: the relay delivers again.
            let again = accounts.mail.clone();
            receive(&mut accounts);
            crash(&mut accounts, BOB);
            accounts.mail = again;
        }
        if step == 6 {
            // Stored, and not shown.
            receive(&mut accounts);
            drop(accounts.devices.get_mut(&BOB).unwrap().store(&mut accounts.rng));
            crash(&mut accounts, BOB);
            accounts.devices.get_mut(&BOB).unwrap().settle();
        }
        accounts.settle();
        if step == 7 {
            crash(&mut accounts, BOB);
            crash(&mut accounts, ALICE);
            accounts.settle();
        }
        let shown = accounts.devices[&BOB].shown.iter().filter(|(_, body)| body == b"one").count();
        assert_eq!(shown, 1, "step {step}");
        let alice = accounts.devices[&ALICE].conversation.as_ref().unwrap();
        assert_eq!(alice.unacknowledged_messages(), 0, "step {step}");
    }
}

#[test]
fn events_are_kept_until_they_are_settled_too() {
    let mut accounts = talking(82);
    accounts.send(ALICE, b"one").unwrap();
    accounts.settle();
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    alice.events.clear();
    accounts.send(ALICE, b"two").unwrap();
    receive(&mut accounts);
    drop(accounts.devices.get_mut(&BOB).unwrap().store(&mut accounts.rng));
    accounts.now = accounts.now.plus_seconds(700);
    accounts.flush(BOB);
    receive(&mut accounts);
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    drop(alice.store(&mut accounts.rng));
    alice.reload();
    let count = |device: &bisik_testkit::accounts::Device| device.conversation.as_ref().unwrap().inbox().count();
    assert_eq!(count(alice), 1, "that it was delivered");
    alice.settle();
    drop(alice.store(&mut accounts.rng));
    alice.reload();
    assert_eq!(count(alice), 0);
}

/// Both sides have the same id of the conversation, and the peer chooses how often it stores.
#[test]
fn the_record_of_the_peer_at_a_higher_revision_releases_nothing() {
    let mut accounts = talking(83);
    for _ in 0..20 {
        accounts.send(BOB, b"more").unwrap();
    }
    receive(&mut accounts);
    accounts.mail.clear();
    let outgoing = flush(&mut accounts, ALICE);
    let [ours, theirs] = [ALICE, BOB].map(|at| accounts.devices[&at].conversation.as_ref().unwrap());
    assert!(ours.id() == theirs.id() && ours.revision() < theirs.revision());

    let of_peer = accounts.devices.get_mut(&BOB).unwrap().store(&mut accounts.rng);
    let outgoing = outgoing.release(&of_peer).expect_err("the peer's record");
    let alice = accounts.devices.get_mut(&ALICE).unwrap().conversation.as_mut().unwrap();
    assert!(!alice.stored(&of_peer));
    assert_eq!(inbox(&accounts, ALICE), []);
    let stored = accounts.devices.get_mut(&ALICE).unwrap().store(&mut accounts.rng);
    assert!(outgoing.release(&stored).is_ok());
    assert_eq!(inbox(&accounts, ALICE).len(), 1);
}

/// Two workers that opened one record: what the slower one did is in no record of the faster one.
#[test]
fn the_record_of_another_worker_releases_nothing() {
    let mut accounts = talking(84);
    let device = accounts.devices.get_mut(&ALICE).unwrap();
    drop(device.store(&mut accounts.rng));
    let id = device.conversation.as_ref().unwrap().id();
    let slower = device.open(id).unwrap();
    let faster = device.conversation.replace(slower).unwrap();
    let outgoing = flush(&mut accounts, ALICE);
    accounts.devices.get_mut(&ALICE).unwrap().conversation = Some(faster);
    for _ in 0..2 {
        accounts.send(ALICE, b"stored").unwrap();
    }
    let stored = accounts.devices.get_mut(&ALICE).unwrap().store(&mut accounts.rng);
    drop(outgoing.release(&stored).expect_err("a record without these envelopes"));

    // Nor does a record of the value that is loaded again.
    let outgoing = flush(&mut accounts, ALICE);
    let device = accounts.devices.get_mut(&ALICE).unwrap();
    device.reload();
    accounts.send(ALICE, b"after the crash").unwrap();
    let stored = accounts.devices.get_mut(&ALICE).unwrap().store(&mut accounts.rng);
    drop(outgoing.release(&stored).expect_err("a record without these envelopes"));
}

/// A record under a key that nobody keeps cannot be opened, so that it proves nothing.
#[test]
fn a_conversation_and_its_account_are_sealed_under_one_key_until_the_caller_moves_them() {
    let mut accounts = talking(85);
    let outgoing = flush(&mut accounts, ALICE);
    let rng = &mut SeededRng::new(33);
    let other = StorageKey::from_bytes([9; 32]);
    let device = accounts.devices.get_mut(&ALICE).unwrap();
    let (account, conversation) = (&mut device.account, device.conversation.as_mut().unwrap());
    let revisions = (account.revision(), conversation.revision());
    assert_eq!(conversation.seal(account, &other, rng).unwrap_err(), SealError::WrongKey);
    assert_eq!(account.seal(&other, rng).unwrap_err(), SealError::WrongKey);

    // One of the two is not enough.
    conversation.move_to_key(&other);
    assert_eq!(conversation.seal(account, &other, rng).unwrap_err(), SealError::WrongKey);
    account.move_to_key(&other);
    assert_eq!((account.revision(), conversation.revision()), (revisions.0 + 1, revisions.1 + 1));
    let changes = conversation.seal(account, &other, rng).unwrap();
    let (mut records, mut blocks) = (BTreeMap::new(), BTreeMap::new());
    for change in changes.writes() {
        match change {
            Change::Put(block) => drop(blocks.insert(block.id(), block.as_bytes().to_vec())),
            Change::Record(record) => drop(records.insert(record.name == RecordName::Account, record.bytes.clone())),
            Change::Delete(_) | Change::Remove(_) => {}
        }
    }
    let account = Account::unseal(&other, &records[&true]).unwrap();
    let id = conversation.id();
    assert!(Conversation::unseal(&account, &other, id, &records[&false], |id| blocks.get(&id).cloned()).is_ok());
    assert!(outgoing.release(&changes.stored()).is_ok());
}

/// P-12.13, P-12.55: a program that shows nothing any more receives nothing any more: what arrives stays with the
/// relay.
#[test]
fn a_program_that_settles_nothing_is_given_a_bounded_number_of_messages_and_loses_none() {
    let mut accounts = talking(86);
    let (mut taken, mut refused) = (0, Vec::new());
    for number in 0..1_200_u32 {
        accounts.send(ALICE, &number.to_be_bytes()).unwrap();
        for (_, from, envelope) in accounts.mail.drain(..).collect::<Vec<_>>() {
            let bob = accounts.devices.get_mut(&BOB).unwrap();
            let arrival = Arrival { from: DeviceAddress::peer(from.1), ciphertext: envelope.ciphertext };
            let conversation = bob.conversation.as_mut().unwrap();
            match conversation.receive(&mut bob.account, std::slice::from_ref(&arrival), accounts.now)[0] {
                Ok(()) => taken += 1,
                Err(error) => {
                    assert_eq!(error, bisik::conversation::ReceiveError::InboxFull);
                    refused.push(arrival);
                }
            }
        }
        // Its answers still leave, so that its peer does not give up what it has.
        accounts.flush(BOB);
        accounts.settle_all_but(BOB);
    }
    assert!((1_000..1_100).contains(&taken) && !refused.is_empty(), "{taken}");
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    drop(bob.store(&mut accounts.rng));
    bob.settle();
    let results = bob.conversation.as_mut().unwrap().receive(&mut bob.account, &refused, accounts.now);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

/// P-12.53: The database was busy, full, or another writer was faster: what was sealed is thrown away, and sealed again
/// over the same revision.
#[test]
fn a_write_that_failed_can_be_made_again() {
    let mut accounts = talking(88);
    let known = |accounts: &Accounts| {
        let bob = &accounts.devices[&BOB];
        bob.database[&RecordName::Conversation(bob.conversation.as_ref().unwrap().id())].0
    };
    accounts.send(ALICE, b"one").unwrap();
    receive(&mut accounts);
    let before = known(&accounts);
    for _ in 0..3 {
        let bob = accounts.devices.get_mut(&BOB).unwrap();
        let changes = bob.conversation.as_mut().unwrap().seal(&mut bob.account, &bob.key, &mut accounts.rng).unwrap();
        let heads = changes.writes().filter_map(|change| match change {
            Change::Record(record) if record.name != RecordName::Account => Some(record.expected),
            _ => None,
        });
        assert_eq!(heads.collect::<Vec<_>>(), [Some(before)], "never less than what the database lacks");
    }
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    drop(bob.store(&mut accounts.rng));
    assert!(known(&accounts) > before);
    assert_eq!(inbox(&accounts, BOB)[0].1, b"one");
    // What is stored needs no record.
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    let changes = bob.conversation.as_mut().unwrap().seal(&mut bob.account, &bob.key, &mut accounts.rng).unwrap();
    assert_eq!(changes.writes().count(), 0);
}

/// P-12.54: an acknowledgement that its transport refused is owed again, whether or not the program ends in between.
#[test]
fn an_acknowledgement_that_did_not_leave_is_made_again() {
    let mut accounts = talking(89);
    for number in 0..8_u8 {
        accounts.send(ALICE, &[number]).unwrap();
    }
    while !accounts.mail.is_empty() {
        receive(&mut accounts);
    }
    let bob = accounts.devices.get_mut(&BOB).unwrap();
    drop(bob.store(&mut accounts.rng));
    bob.settle();
    for _ in 0..3 {
        let outgoing = flush(&mut accounts, BOB);
        assert_eq!(outgoing.len(), 1, "eight names wait");
        let bob = accounts.devices.get_mut(&BOB).unwrap();
        drop(bob.store(&mut accounts.rng));
        bob.reload();
    }
    accounts.flush(BOB);
    assert_eq!(accounts.mail.len(), 1);
    accounts.settle();
    assert_eq!(accounts.devices[&ALICE].conversation.as_ref().unwrap().unacknowledged_messages(), 0);
}
