//! Conversations between accounts of several devices: what arrives where, what is refused, and what survives.
//!
//! Does not know sessions: those have their own tests.

use bisik::conversation::{
    Arrival, DeviceAddress, Event, IdentityPolicy, ReceiveError, Received, RecordName, SendError, Side, Supply,
};
use bisik::device::DeviceDirectory;
use bisik::{Account, Conversation, PreKeys, PreKeysError, Trust};
use bisik_testkit::accounts::Accounts;

fn texts(shown: &[(String, Vec<u8>)]) -> Vec<(&str, &str)> {
    shown.iter().map(|(kind, body)| (kind.as_str(), std::str::from_utf8(body).unwrap())).collect()
}

#[test]
fn a_message_reaches_every_device_of_the_peer_and_every_other_one_of_ones_own() {
    let mut accounts = Accounts::new(1, [3, 2]);
    accounts.send((0, 1), b"halo").unwrap();
    accounts.settle();
    for peer in [(1, 0), (1, 1)] {
        assert_eq!(texts(&accounts.shown(peer)), [("message", "halo")]);
    }
    for own in [(0, 0), (0, 2)] {
        assert_eq!(texts(&accounts.shown(own)), [("sent", "halo")]);
    }
    assert!(accounts.shown((0, 1)).is_empty(), "not to itself");
    let delivered = accounts.devices[&(0, 1)].events.iter().filter(|event| matches!(event, Event::Delivered { .. }));
    assert_eq!(delivered.count(), 4, "each of them has acknowledged");
    assert_eq!(accounts.devices[&(0, 1)].conversation.as_ref().unwrap().unacknowledged_messages(), 0);
}

/// P-12.7
#[test]
fn everybody_can_begin_at_once_and_everything_arrives_once() {
    let mut accounts = Accounts::new(2, [2, 2]);
    for (at, text) in [((0, 0), "a"), ((0, 1), "b"), ((1, 0), "c"), ((1, 1), "d")] {
        accounts.send(at, text.as_bytes()).unwrap();
    }
    accounts.settle();
    assert_eq!(texts(&accounts.shown((0, 0))), [("message", "c"), ("message", "d"), ("sent", "b")]);
    assert_eq!(texts(&accounts.shown((1, 1))), [("message", "a"), ("message", "b"), ("sent", "c")]);
    // And goes on in sessions that both sides agree on: no message carries a pre-key header any more.
    for round in 0..3_u8 {
        for at in accounts.everyone() {
            accounts.send(at, &[round]).unwrap();
            let first = accounts.mail.iter().filter(|(.., envelope)| envelope.ciphertext.is_pre_key_message()).count();
            assert!(round == 0 || first == 0, "round {round}: {first} first messages");
            accounts.settle();
        }
    }
}

#[test]
fn a_device_that_joins_gets_what_is_sent_from_then_on() {
    let mut accounts = Accounts::new(3, [1, 1]);
    accounts.send((0, 0), b"before").unwrap();
    accounts.settle();
    let index = accounts.join(1);
    accounts.open((1, index), IdentityPolicy::Block);
    accounts.send((0, 0), b"after").unwrap();
    accounts.settle();
    assert_eq!(texts(&accounts.shown((1, index))), [("message", "after")]);
    assert!(accounts.devices[&(0, 0)].events.contains(&Event::DevicesAdded { indexes: vec![index] }));
}

/// P-12.1, P-12.4
#[test]
fn a_device_that_was_removed_gets_nothing_and_is_believed_nothing() {
    let mut accounts = Accounts::new(4, [1, 2]);
    accounts.send((0, 0), b"before").unwrap();
    accounts.settle();
    let mut gone = accounts.remove(1, 1);
    accounts.send((0, 0), b"after").unwrap();
    assert!(accounts.mail.iter().all(|(to, ..)| *to != (1, 1)));
    accounts.settle();
    // It still goes by the old list, and has sessions with everybody.
    accounts.send_from((1, 1), &mut gone, b"I am still here").unwrap();
    // Until it hears of its removal.
    let lists = accounts.lists[1].clone();
    gone.account.accept_devices(&lists[2..], accounts.now).unwrap();
    assert_eq!(accounts.send_from((1, 1), &mut gone, b"and here"), Err(SendError::DeviceNotListed));
    while let Some((to, from, envelope)) = accounts.mail.pop_front() {
        assert_eq!(accounts.deliver(to, from, &envelope), Err(ReceiveError::UnknownDevice));
    }
    assert_eq!(texts(&accounts.shown((0, 0))), []);
}

/// P-12.2
#[test]
fn nothing_is_sent_or_believed_under_a_list_that_has_expired() {
    let mut accounts = Accounts::new(5, [1, 1]);
    accounts.send((0, 0), b"on its way").unwrap();
    accounts.now = accounts.now.plus_seconds(31 * 24 * 60 * 60);
    let (to, from, envelope) = accounts.mail.pop_front().unwrap();
    assert_eq!(accounts.deliver(to, from, &envelope), Err(ReceiveError::ListExpired));
    assert_eq!(accounts.send((0, 0), b"more"), Err(SendError::ListExpired));
}

#[test]
fn a_bundle_is_needed_for_each_device_and_only_its_own_will_do() {
    let mut accounts = Accounts::new(6, [1, 2]);
    let key = *accounts.devices[&(1, 0)].account.identity().public();
    let (mine, wrong) = (accounts.bundle(&key), accounts.bundle(&key));
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    assert_eq!(conversation.plan(&device.account).len(), 2);
    let revision = conversation.revision();
    let both = [(DeviceAddress::peer(0), mine), (DeviceAddress::peer(1), wrong)];
    let mut send = |supply: &Supply<'_>| {
        conversation
            .send(&device.account, b"halo", supply, accounts.now, &mut accounts.rng)
            .map(|outgoing| outgoing.len())
    };
    assert_eq!(send(&Supply::default()), Err(SendError::NeedBundles));
    assert_eq!(send(&Supply { bundles: &both[..1], unavailable: &[] }), Err(SendError::NeedBundles));
    assert_eq!(send(&Supply { bundles: &both, unavailable: &[] }), Err(SendError::WrongBundle));
    assert_eq!(send(&Supply { bundles: &both[..1], unavailable: &[DeviceAddress::peer(1)] }), Ok(1));
    assert_eq!(conversation.revision(), revision + 1, "what was refused has changed nothing");
    assert_eq!(conversation.plan(&device.account).len(), 1, "who was left out is not forgotten");
}

/// P-12.3, P-12.4
#[test]
fn a_copy_or_a_message_comes_only_from_the_side_that_may_write_it() {
    let mut accounts = Accounts::new(7, [2, 1]);
    accounts.send((0, 0), b"halo").unwrap();
    // The relay says that an own device's copy is from the peer's, and the other way round.
    for (to, from, envelope) in accounts.mail.clone() {
        let swapped = (1 - from.0, from.1);
        let result = accounts.deliver(to, swapped, &envelope);
        assert!(matches!(result, Err(ReceiveError::Rejected | ReceiveError::UnknownDevice)), "{result:?}");
    }
    accounts.settle();
    assert_eq!(texts(&accounts.shown((0, 1))), [("sent", "halo")]);
}

/// P-12.3
#[test]
fn a_message_under_another_name_is_refused_and_still_arrives_under_its_own() {
    let mut accounts = Accounts::new(8, [1, 1]);
    accounts.send((0, 0), b"first").unwrap();
    accounts.settle();
    accounts.send((0, 0), b"one").unwrap();
    accounts.send((0, 0), b"two").unwrap();
    let (to, from, mut one) = accounts.mail.pop_front().unwrap();
    let name = one.id;
    one.id = accounts.mail[0].2.id;
    let before = accounts.devices[&(1, 0)].conversation.as_ref().unwrap().revision();
    assert_eq!(accounts.deliver(to, from, &one), Err(ReceiveError::ProtocolViolation));
    assert_eq!(accounts.devices[&(1, 0)].conversation.as_ref().unwrap().revision(), before);
    one.id = name;
    assert_eq!(accounts.deliver(to, from, &one), Ok(()));
    assert_eq!(accounts.deliver(to, from, &one), Err(ReceiveError::Replayed));
}

#[test]
fn everything_goes_on_from_the_records() {
    let mut accounts = Accounts::new(9, [2, 2]);
    for round in 0..4_u8 {
        for at in accounts.everyone() {
            accounts.send(at, &[round]).unwrap();
            accounts.settle();
            accounts.devices.get_mut(&at).unwrap().reload();
        }
    }
    let shown = accounts.shown((0, 0));
    assert_eq!(shown.len(), 12, "each of the three other devices wrote four times");
}

/// P-12.8
#[test]
fn a_device_that_goes_back_in_time_gets_what_it_missed_and_heals() {
    let mut accounts = Accounts::new(10, [1, 1]);
    accounts.send((0, 0), b"one").unwrap();
    accounts.settle();
    accounts.send((1, 0), b"two").unwrap();
    accounts.settle();
    let backup = accounts.devices[&(1, 0)].database.clone();
    for round in 0..5_u8 {
        accounts.send((0, 0), &[b'a' + round]).unwrap();
        accounts.settle();
        accounts.send((1, 0), &[b'A' + round]).unwrap();
        accounts.settle();
    }
    accounts.restore((1, 0), &backup);
    accounts.devices.get_mut(&(1, 0)).unwrap().shown.clear();
    accounts.send((0, 0), b"are you there?").unwrap();
    accounts.settle();
    assert_eq!(texts(&accounts.shown((1, 0))), [("message", "are you there?")]);
    assert!(accounts.devices[&(0, 0)].events.iter().any(|event| matches!(event, Event::SessionReplaced { .. })));
    accounts.send((1, 0), b"yes").unwrap();
    accounts.settle();
    assert_eq!(accounts.devices[&(0, 0)].shown.last().unwrap().1, b"yes");
}

/// P-12.10. A relay answers every message with rubbish in a device's name: sessions stay, and requests are bounded.
#[test]
fn rubbish_replaces_no_session_more_than_once_an_hour() {
    let mut accounts = Accounts::new(11, [1, 1]);
    accounts.send((0, 0), b"one").unwrap();
    accounts.settle();
    accounts.send((0, 0), b"two").unwrap();
    let (to, from, good) = accounts.mail.pop_front().unwrap();
    let mut replaced = 0;
    for number in 0..200_u8 {
        let mut rubbish = good.clone();
        let mut bytes = good.ciphertext.as_bytes().to_vec();
        bytes[40] ^= 1 + number % 7;
        rubbish.ciphertext = bytes.try_into().unwrap();
        rubbish.id = bisik::conversation::MessageId::from_bytes([number; 16]);
        assert_eq!(accounts.deliver(to, from, &rubbish), Err(ReceiveError::Rejected));
        let device = accounts.devices.get_mut(&to).unwrap();
        let conversation = device.conversation.as_mut().unwrap();
        let _asked = conversation.ask_again(rubbish.id, DeviceAddress::peer(0));
        replaced += conversation.due(&device.account, accounts.now).len();
        accounts.flush(to);
    }
    assert_eq!(replaced, 1, "a session is set up anew once");
    assert_eq!(accounts.deliver(to, from, &good), Ok(()), "and the old one still decrypts");
}

/// P-12.13, P-12.12
#[test]
fn a_changed_account_key_stops_sending_until_it_is_acknowledged_and_gets_nothing_of_before() {
    let mut accounts = Accounts::new(12, [1, 1]);
    accounts.send((0, 0), b"for the old one only").unwrap();
    accounts.mail.clear();
    // The peer starts anew: the same person, or somebody else.
    accounts.devices.remove(&(1, 0));
    accounts.found(1);
    accounts.open((1, 0), IdentityPolicy::Block);
    let list = accounts.lists[1][0].clone();
    let directory = DeviceDirectory::trust(&list, Trust::OnFirstUse, accounts.now).unwrap();
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    assert_eq!(conversation.unacknowledged_messages(), 1);
    let events = conversation.replace_peer(&device.account, directory, &[], accounts.now);
    assert_eq!(events[0], Event::IdentityChanged);
    assert_eq!(conversation.unacknowledged_messages(), 0, "there is nothing left that could be sent again");
    assert_eq!(accounts.send((0, 0), b"hello?"), Err(SendError::IdentityChanged));

    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let wrong = *device.account.key();
    let conversation = device.conversation.as_mut().unwrap();
    assert!(!conversation.acknowledge(&wrong));
    assert!(conversation.acknowledge(list.account()));
    accounts.send((0, 0), b"hello?").unwrap();
    accounts.settle();
    assert_eq!(texts(&accounts.shown((1, 0))), [("message", "hello?")]);
}

/// P-12.5
#[test]
fn two_who_are_shown_different_lists_notice() {
    let mut accounts = Accounts::new(13, [1, 1]);
    accounts.send((0, 0), b"one").unwrap();
    accounts.settle();
    // The server shows the account a list of the peer's that the peer never issued under this number: here, by a primary that
    // was cloned and forked.
    let clone = accounts.devices[&(1, 0)].database.clone();
    accounts.join(1);
    let other = accounts.lists[1].pop().unwrap();
    accounts.restore((1, 0), &clone);
    accounts.devices.remove(&(1, 1));
    accounts.now = accounts.now.plus_seconds(1);
    let index = accounts.join_without_telling(1);
    assert_ne!(accounts.lists[1].last().unwrap().hash(), other.hash());
    assert_eq!(index, 1);
    accounts.send((1, 0), b"two").unwrap();
    while let Some((to, from, envelope)) = accounts.mail.pop_front() {
        let _result = accounts.deliver(to, from, &envelope);
    }
    assert!(accounts.devices[&(0, 0)].events.contains(&Event::ListsForked));
    assert_eq!(accounts.devices[&(0, 0)].shown.last().unwrap().1, b"two", "what a listed device wrote is still shown");
}

/// P-12.5
#[test]
fn a_sender_that_goes_by_a_newer_list_is_noticed() {
    let mut accounts = Accounts::new(14, [1, 1]);
    accounts.send((0, 0), b"one").unwrap();
    accounts.settle();
    let _index = accounts.join_without_telling(1);
    accounts.send((1, 0), b"two").unwrap();
    let (to, from, envelope) = accounts.mail.pop_front().unwrap();
    assert_eq!(to, (0, 0));
    accounts.deliver(to, from, &envelope).unwrap();
    let sequence = accounts.lists[1].last().unwrap().sequence();
    assert!(accounts.devices[&(0, 0)].events.contains(&Event::ListOutdated { side: Side::Peer, sequence }));
}

#[test]
fn a_record_opens_only_as_what_it_is() {
    let mut accounts = Accounts::new(15, [1, 1]);
    accounts.send((0, 0), b"one").unwrap();
    let other = accounts.devices[&(1, 0)].conversation.as_ref().unwrap().id();
    let device = &accounts.devices[&(0, 0)];
    let id = device.conversation.as_ref().unwrap().id();
    assert_eq!(id, other, "one name on both sides");
    let record = &device.database[&RecordName::Conversation(id)].1;
    let stranger = Accounts::new(16, [1, 1]);
    let elsewhere = stranger.devices[&(0, 0)].conversation.as_ref().unwrap().id();
    assert!(Conversation::unseal(&device.account, &device.key, id, record).is_ok());
    assert!(Conversation::unseal(&device.account, &device.key, elsewhere, record).is_err());
    assert!(Conversation::unseal(&stranger.devices[&(0, 0)].account, &device.key, id, record).is_err());
    for at in 0..record.len() {
        let mut flipped = record.clone();
        flipped[at] ^= 1;
        assert!(Conversation::unseal(&device.account, &device.key, id, &flipped).is_err(), "byte {at}");
    }
}

/// P-12.9: an old session still decrypts, and is not sent in for that.
#[test]
fn a_message_in_an_old_session_does_not_bring_it_back() {
    let mut accounts = Accounts::new(17, [1, 1]);
    accounts.send((0, 0), b"one").unwrap();
    accounts.settle();
    let backup = accounts.devices[&(1, 0)].database.clone();
    accounts.send((1, 0), b"on its way for long").unwrap();
    let late = accounts.mail.pop_front().unwrap();
    // The device goes back in time, and replaces its sessions.
    accounts.restore((1, 0), &backup);
    accounts.send((1, 0), b"lost").unwrap();
    accounts.mail.clear();
    accounts.send((0, 0), b"two").unwrap();
    let (to, from, envelope) = accounts.mail.pop_front().unwrap();
    let conversation = accounts.devices.get_mut(&to).unwrap().conversation.as_mut().unwrap();
    assert!(conversation.ask_again(envelope.id, DeviceAddress::peer(from.1)));
    accounts.flush(to);
    accounts.settle();
    assert_eq!(accounts.shown((1, 0)).last().unwrap().1, b"two");

    accounts.deliver(late.0, late.1, &late.2).unwrap();
    assert_eq!(accounts.shown((0, 0)).last().unwrap().1, b"on its way for long");
    // What follows is sent in the new session: a device that has only that one reads it.
    accounts.send((0, 0), b"three").unwrap();
    accounts.settle();
    assert_eq!(texts(&accounts.shown((1, 0))), [("message", "one"), ("message", "three"), ("message", "two")]);
}

/// P-12.8: what is unanswered may need pre-keys that were lost with the sessions.
#[test]
fn a_device_that_lost_a_conversation_is_not_sent_more_in_the_session_that_it_lost() {
    for seed in 0..8 {
        let mut accounts = Accounts::new(100 + seed, [1, 1]);
        accounts.send((0, 0), b"one").unwrap();
        let (to, from, envelope) = accounts.mail.pop_front().unwrap();
        accounts.deliver(to, from, &envelope).unwrap();
        // The one-time pre-key is used up, the answer never sent, and the record of the conversation gone.
        accounts.open((1, 0), IdentityPolicy::Block);
        accounts.devices.get_mut(&(1, 0)).unwrap().database.retain(|name, _| *name == RecordName::Account);
        for text in ["two", "three", "four"] {
            accounts.send((0, 0), text.as_bytes()).unwrap();
            accounts.settle();
        }
        let shown: Vec<_> = accounts.devices[&(1, 0)].shown.iter().map(|(_, body)| body.clone()).collect();
        assert_eq!(shown, [&b"one"[..], b"two", b"three", b"four"], "seed {seed}");
    }
}

/// P-12.8
#[test]
fn two_that_replace_their_sessions_while_the_other_sets_one_up_agree_on_one() {
    for seed in 0..8 {
        let mut accounts = Accounts::new(200 + seed, [1, 1]);
        accounts.send((0, 0), b"one").unwrap();
        let (to, from, envelope) = accounts.mail.pop_front().unwrap();
        // One device cannot read it and replaces its sessions; the other has set one up, and both are on their way.
        let mut damaged = envelope.clone();
        let mut bytes = damaged.ciphertext.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        damaged.ciphertext = bytes.try_into().unwrap();
        assert_eq!(accounts.deliver(to, from, &damaged), Err(ReceiveError::Rejected));
        let receiver = accounts.devices.get_mut(&to).unwrap();
        assert!(receiver.conversation.as_mut().unwrap().ask_again(envelope.id, DeviceAddress::peer(0)));
        accounts.flush(to);
        accounts.deliver(to, from, &envelope).unwrap();
        accounts.settle();
        for at in [(0, 0), (1, 0), (0, 0), (1, 0)] {
            accounts.send(at, b"more").unwrap();
            let again = accounts.mail.iter().filter(|(.., envelope)| envelope.ciphertext.is_pre_key_message()).count();
            assert_eq!(again, 0, "seed {seed}: they are still introducing themselves");
            accounts.settle();
        }
        assert_eq!(accounts.devices[&(1, 0)].shown.len(), 3, "seed {seed}");
    }
}

/// docs/persistence.md: the answer to a message leaves in the transaction that stores the message.
#[test]
fn what_an_outbox_and_an_inbox_are_given_in_the_transaction_is_what_is_released_after_it() {
    let mut accounts = Accounts::new(20, [1, 1]);
    accounts.send((0, 0), b"berapa?").unwrap();
    let (_, _, question) = accounts.mail.pop_front().unwrap();
    let mut stall = accounts.devices.remove(&(1, 0)).unwrap();
    let conversation = stall.conversation.as_mut().unwrap();
    let arrival = Arrival { id: question.id, from: DeviceAddress::peer(0), ciphertext: question.ciphertext };
    let incoming = conversation.receive(&mut stall.account, &arrival, accounts.now).unwrap();
    let (Received::Message { body, .. }, []) = incoming.for_inbox() else { panic!("a message and nothing else") };
    let answer = [body.as_slice(), b" 12.000"].concat();
    let rng = &mut accounts.rng;
    let outgoing = conversation.send(&stall.account, &answer, &Supply::default(), accounts.now, rng).unwrap();
    let kept = outgoing.for_outbox().to_vec();
    assert_eq!((kept.len(), kept[0].id), (1, outgoing.id()));

    let stored = stall.store(&mut accounts.rng);
    assert!(matches!(incoming.release(&stored), Ok((Received::Message { body, .. }, _)) if *body == *b"berapa?"));
    let released = outgoing.release(&stored).unwrap();
    assert!(released[0].id == kept[0].id && released[0].ciphertext == kept[0].ciphertext);
    accounts.deliver((0, 0), (1, 0), &kept[0]).unwrap();
    assert_eq!(texts(&accounts.shown((0, 0))), [("message", "berapa? 12.000")]);
}

#[test]
fn an_account_that_strangers_write_to_by_the_thousand_makes_pre_keys_up_to_the_bound_and_keeps_them() {
    let mut accounts = Accounts::new(21, [1, 1]);
    let stall = accounts.devices.get_mut(&(1, 0)).unwrap();
    let (before, revision) = (stall.account.pre_key_count(accounts.now).one_time, stall.account.revision());
    let room = PreKeys::MAX_ONE_TIME - before;
    assert_eq!(stall.account.replenish(room + 1, accounts.now, &mut accounts.rng).unwrap_err(), PreKeysError::Full);
    assert_eq!(stall.account.revision(), revision, "nothing has changed");
    let bundles = stall.account.replenish(room, accounts.now, &mut accounts.rng).unwrap().one_time;
    assert_eq!(bundles.len(), room);
    let record = stall.account.seal(&stall.key, &mut accounts.rng).unwrap().unwrap();
    let account = Account::unseal(&stall.key, &record.bytes).unwrap();
    assert_eq!(account.pre_key_count(accounts.now).one_time, PreKeys::MAX_ONE_TIME);
    stall.database.insert(RecordName::Account, (record.revision, record.bytes));

    // And one that it made last sets up a session.
    let key = *account.identity().public();
    accounts.one_time.insert(key, bundles.into_iter().rev().take(1).collect());
    accounts.send((0, 0), b"halo").unwrap();
    accounts.settle();
    assert_eq!(texts(&accounts.shown((1, 0))), [("message", "halo")]);
    assert_eq!(accounts.devices[&(1, 0)].account.pre_key_count(accounts.now).one_time, PreKeys::MAX_ONE_TIME - 1);
}

/// P-12.11: it writes again under numbers that were used, and nobody takes that for a duplicate.
#[test]
fn what_a_restored_device_writes_first_is_not_taken_for_a_duplicate() {
    let mut accounts = Accounts::new(18, [1, 1]);
    accounts.send((0, 0), b"one").unwrap();
    let backup = accounts.devices[&(0, 0)].database.clone();
    accounts.send((0, 0), b"two").unwrap();
    accounts.settle();
    let doubled = {
        accounts.send((1, 0), b"three").unwrap();
        accounts.mail[0].clone()
    };
    accounts.settle();
    assert_eq!(accounts.deliver(doubled.0, doubled.1, &doubled.2), Err(ReceiveError::Replayed), "this is one");
    accounts.restore((0, 0), &backup);
    accounts.send((0, 0), b"again").unwrap();
    accounts.settle();
    assert_eq!(texts(&accounts.shown((1, 0))), [("message", "again"), ("message", "one"), ("message", "two")]);
}
