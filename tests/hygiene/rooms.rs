//! Everything of one group: what `Debug` shows of it.

use bisik::conversation::{Arrival, DeviceAddress, Envelope, Received};
use bisik::group::membership::Setting;
use bisik::group::status::{Audience, Author, Contacts, Feed, StatusError, StatusLetter, StatusReceived};
use bisik::group::{
    Group, GroupArrival, GroupMessageId, GroupReceiveError, GroupReceived, GroupSendError, HistoryError,
    HistoryPointer, LeftOut, ListNeed, MemberDevice, Reader, Remembered, StoredGroup,
};
use bisik::registers::{Mark, Pin, RegisterError, RegisterKey, RegisterLetterError, Registers, RegistersTaken};
use bisik::{Account, Conversation, StorageKey};

use super::accounts::{account, bundles, conversation};
use super::debug::{Shown, show};
use super::keys::NOW;
use super::recording::Recording;

/// Makes the envelopes that are due, and stores.
fn write(talk: &mut Conversation, (account, to): (&mut Account, &Account), rng: &mut Recording) -> Vec<Envelope> {
    let outgoing = talk.flush(account, &bundles(to), NOW, rng).unwrap();
    let stored = talk.seal(account, &StorageKey::from_bytes([7; 32]), rng).unwrap().stored();
    assert!(talk.stored(&stored));
    let (envelopes, handover) = outgoing.release(&stored).unwrap();
    talk.handed(handover);
    envelopes
}

fn read(talk: &mut Conversation, account: &mut Account, envelopes: &[Envelope], rng: &mut Recording) {
    let from = DeviceAddress::peer(0);
    let arrivals = envelopes.iter().map(|envelope| Arrival { from, ciphertext: envelope.ciphertext.clone() });
    assert!(talk.receive(account, &arrivals.collect::<Vec<_>>(), NOW).iter().all(Result::is_ok));
    let stored = talk.seal(account, &StorageKey::from_bytes([7; 32]), rng).unwrap().stored();
    assert!(talk.stored(&stored));
}

fn store(group: &mut Group, key: &StorageKey, rng: &mut Recording) -> StoredGroup {
    let stored = group.seal(key, rng).unwrap().stored();
    assert!(group.stored(&stored));
    stored
}

/// Carries what waits for the peer there, back, and there again: then the session is confirmed.
fn carry(
    (at_alice, alice): (&mut Conversation, &mut Account),
    (at_bob, bob): (&mut Conversation, &mut Account),
    rng: &mut Recording,
) {
    for _ in 0..2 {
        let there = write(at_alice, (alice, bob), rng);
        read(at_bob, bob, &there, rng);
        let back = write(at_bob, (bob, alice), rng);
        read(at_alice, alice, &back, rng);
    }
}

/// The `Debug` output of every public type of this area.
pub fn debug(shown: &mut Shown, rng: &mut Recording) {
    let key = StorageKey::from_bytes(rng.secret());
    let (mut alice, mut bob) = (account(rng), account(rng));
    let (mut at_alice, mut at_bob) = (conversation(&alice, &bob), conversation(&bob, &alice));
    at_bob.accept();
    let list = bob.primary().unwrap().list().clone();

    let mut group =
        Group::found(&alice, &[(Setting::NAME, b"Perjalanan"), (Setting::HISTORY, &[2])], NOW, rng).unwrap();
    group.invite(&alice, *bob.key(), NOW, rng).unwrap();
    show(shown, &group.needs(NOW)[0]);
    assert_eq!(group.needs(NOW), [ListNeed { account: *bob.key(), list: None }]);
    group.learn(&alice, &list, NOW).unwrap();
    let outgoing = group.flush(&alice, &[], NOW, rng).unwrap();
    let stored = store(&mut group, &key, rng);
    let (sent, handover) = outgoing.release(&stored).unwrap();
    group.handed(handover);
    at_alice.send_letter(&alice, &sent.letters[0], NOW, rng).unwrap();
    carry((&mut at_alice, &mut alice), (&mut at_bob, &mut bob), rng);
    let letter = at_bob.inbox().find_map(|(_, received)| match received {
        Received::Letter { letter, .. } => Some(letter),
        _ => None,
    });
    let letter = letter.unwrap();
    show(shown, letter);
    let mut followed = Group::follow(&bob, letter, NOW).unwrap();
    followed.accept(&bob, NOW).unwrap();
    followed.learn(&bob, alice.primary().unwrap().list(), NOW).unwrap();
    let outgoing = followed.flush(&bob, &[], NOW, rng).unwrap();
    let stored = store(&mut followed, &key, rng);
    let (accepted, handover) = outgoing.release(&stored).unwrap();
    followed.handed(handover);
    at_bob.send_letter(&bob, &accepted.letters[0], NOW, rng).unwrap();
    carry((&mut at_bob, &mut bob), (&mut at_alice, &mut alice), rng);
    let letter = at_alice.inbox().find_map(|(_, received)| match received {
        Received::Letter { letter, .. } => Some(letter),
        _ => None,
    });
    group.receive_letter(&alice, letter.unwrap(), NOW).unwrap();

    // Secrets of chains are among what was drawn; what is written is too.
    let text = rng.secret();
    let id = group.send(&alice, &text, &[], NOW, rng).unwrap();
    show::<GroupMessageId>(shown, &id);
    let from = MemberDevice { account: *alice.key(), device: 0, identity: *alice.identity().public() };
    let remembered = Remembered { from, id, at: NOW, may_pass_on: true, body: &text };
    show(shown, &remembered);
    let history = group.history(&alice, [remembered], NOW).unwrap().unwrap();
    show(shown, &history);
    show(shown, &history.messages()[0]);
    let (_blob, pointer) = history.seal(rng).unwrap();
    group.pass_on(&alice, bob.key(), &pointer, NOW).unwrap();
    show(shown, &group);
    let outgoing = group.flush(&alice, &[], NOW, rng).unwrap();
    show(shown, &outgoing);
    let changes = group.seal(&key, rng).unwrap();
    show(shown, &changes);
    let change = changes.writes().next().unwrap();
    show(shown, &change);
    let record = changes.writes().find_map(|change| match change {
        bisik::group::GroupChange::Record(record) => Some(record),
        _ => None,
    });
    show(shown, record.unwrap());
    show(shown, &record.unwrap().name);
    let stored = changes.stored();
    show(shown, &stored);
    assert!(group.stored(&stored));
    let (sent, handover) = outgoing.release(&stored).unwrap();
    show(shown, &handover);
    show(shown, &sent);
    show(shown, &sent.letters[0]);
    for letter in &sent.letters {
        at_alice.send_letter(&alice, letter, NOW, rng).unwrap();
    }
    carry((&mut at_alice, &mut alice), (&mut at_bob, &mut bob), rng);
    for (_, received) in at_bob.inbox() {
        if let Received::Letter { letter, .. } = received {
            let _taken = followed.receive_letter(&bob, letter, NOW);
        }
    }
    let arrival = GroupArrival { from: (*alice.key(), 0), message: sent.messages[0].clone() };
    assert_eq!(followed.receive(&bob, core::slice::from_ref(&arrival), NOW), [Ok(())]);
    let _stored = store(&mut followed, &key, rng);
    let received = followed.inbox().map(|(_, received)| received);
    let message = received.into_iter().find(|received| matches!(received, GroupReceived::Message { .. }));
    show(shown, message.unwrap());
    let passed = followed.inbox().find_map(|(_, received)| match received {
        GroupReceived::History { pointer, .. } => Some(pointer),
        _ => None,
    });
    show::<HistoryPointer>(shown, passed.unwrap());
    show(shown, &HistoryError::Contradicts);
    let readers = group.readers(&alice, &[], NOW);
    show::<Reader>(shown, &readers[0]);
    show(shown, &arrival);
    show(shown, &LeftOut::Barred);
    show(shown, &GroupSendError::TooLong);

    // What own devices share.
    let mut registers = Registers::new(&alice).unwrap();
    let secret = RegisterKey::setting("theme").unwrap();
    registers.set(&alice, &secret, Some(&rng.secret()), NOW).unwrap();
    show(shown, &secret);
    show(shown, &Mark::NotVerified);
    show(shown, &Pin::Known(*bob.key()));
    let outgoing = registers.flush(&alice, NOW).unwrap();
    show(shown, &registers);
    show(shown, &outgoing);
    let (_, handover) = outgoing.release(&registers.seal(&key, rng).unwrap().stored()).unwrap();
    show(shown, &handover);
    show(shown, &RegistersTaken::default());
    show(shown, &RegisterError::Full);
    show(shown, &RegisterLetterError::Malformed);

    // What is shown to an audience.
    at_bob.inbox().map(|(number, _)| number).last().into_iter().for_each(|last| at_bob.settle(last));
    let mut audience = Audience::create(&alice, rng).unwrap();
    audience.include(*bob.key()).unwrap();
    show(shown, &audience.entries().next().unwrap());
    let (devices, label) = (bob.devices().clone(), at_bob.label().clone());
    let contacts = Contacts { devices: &[&devices], labels: &[] };
    show(shown, &contacts);
    let text = rng.secret();
    audience.post(&alice, &text, 60, contacts, NOW, rng).unwrap();
    let outgoing = audience.flush(&alice, contacts, NOW).unwrap();
    show(shown, &audience);
    show(shown, &outgoing);
    let (sent, _) = outgoing.release(&audience.seal(&key, rng).unwrap().stored()).unwrap();
    at_alice.send_letter(&alice, &sent.letters[0], NOW, rng).unwrap();
    carry((&mut at_alice, &mut alice), (&mut at_bob, &mut bob), rng);
    let mut feed = Feed::new(&bob, *alice.key());
    let author = Author { devices: alice.devices(), label: Some(&label) };
    show(shown, &author);
    let letter = at_bob.inbox().find_map(|(_, received)| match received {
        Received::Letter { letter, .. } if letter.status() == Some(StatusLetter::Feed) => Some(letter),
        _ => None,
    });
    feed.receive_letter(&bob, author, letter.unwrap(), NOW).unwrap();
    let arrival = GroupArrival { from: (*alice.key(), 0), message: sent.messages[0].clone() };
    assert_eq!(feed.receive(&bob, author, &[arrival], NOW), [Ok(())]);
    let stored = feed.seal(&key, rng).unwrap().stored();
    assert!(feed.stored(&stored));
    show(shown, &feed);
    show::<StatusReceived>(shown, feed.inbox().next().unwrap().1);
    show(shown, &StatusError::Full);
    show(shown, &StatusLetter::Feed);
    show(shown, &GroupReceiveError::InboxFull);
}
