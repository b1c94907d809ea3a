//! Conversations between accounts of several devices: what arrives where, what is refused, and what survives.
//!
//! Does not know sessions: those have their own tests.

use bisik::conversation::{
    Arrival, DeviceAddress, Event, IdentityPolicy, ReceiveError, Recipients, RecordName, SendError, Side,
};
use bisik::device::{DeviceDirectory, DirectoryEvent};
use bisik::{Account, Conversation, PreKeys, PreKeysError, Trust, UnsealError};
use bisik_testkit::accounts::{Accounts, Device};

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

/// P-12.36
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
    let joined =
        |event: &Event| matches!(event, Event::Devices(DirectoryEvent::Joined(entry)) if entry.index() == index);
    assert!(accounts.devices[&(0, 0)].events.iter().any(joined));
}

/// P-12.1, P-12.3, P-12.5
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
    let write = |gone: &mut Device, accounts: &mut Accounts, text| {
        let conversation = gone.conversation.as_mut().unwrap();
        conversation.send(&gone.account, text, Recipients::All, accounts.now, &mut accounts.rng).map(drop)
    };
    write(&mut gone, &mut accounts, b"I am still here").unwrap();
    accounts.flush_from((1, 1), &mut gone).unwrap();
    assert!(!accounts.mail.is_empty());
    // Until it hears of its removal.
    let lists = accounts.lists[1].clone();
    gone.account.accept_devices(&lists[2..], accounts.now).unwrap();
    assert_eq!(write(&mut gone, &mut accounts, b"and here"), Err(SendError::DeviceNotListed));
    while let Some((to, from, envelope)) = accounts.mail.pop_front() {
        assert_eq!(accounts.deliver(to, from, &envelope), Err(ReceiveError::UnknownDevice));
    }
    assert_eq!(texts(&accounts.shown((0, 0))), []);
    assert_eq!(accounts.devices[&(0, 0)].conversation.as_ref().unwrap().unacknowledged_messages(), 0, "nor waited for");
}

/// P-12.2
#[test]
fn nothing_is_sent_or_believed_under_a_list_that_has_expired() {
    let mut accounts = Accounts::new(5, [1, 1]);
    accounts.send((0, 0), b"on its way").unwrap();
    accounts.now = accounts.now.plus_seconds(31 * 24 * 60 * 60);
    let (to, from, envelope) = accounts.mail.pop_front().unwrap();
    assert_eq!(accounts.deliver(to, from, &envelope), Err(ReceiveError::ListExpired));
    assert_eq!(accounts.send((0, 0), b"more").unwrap_err(), SendError::ListExpired);
}

/// P-12.3, P-12.12
#[test]
fn a_copy_or_a_message_comes_only_from_the_side_that_may_write_it() {
    let mut accounts = Accounts::new(7, [2, 1]);
    accounts.send((0, 0), b"halo").unwrap();
    // The relay says that an own device's copy is from the peer's, and the other way round.
    for (to, from, envelope) in accounts.mail.clone() {
        let swapped = (1 - from.0, from.1);
        let result = accounts.deliver(to, swapped, &envelope);
        assert!(matches!(result, Err(ReceiveError::Unreadable | ReceiveError::UnknownDevice)), "{result:?}");
    }
    accounts.settle();
    assert_eq!(texts(&accounts.shown((0, 1))), [("sent", "halo")]);
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

/// P-12.6, P-12.7
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
    assert!(conversation.replace_peer(&device.account, directory, &[], accounts.now).is_some());
    assert_eq!(conversation.unacknowledged_messages(), 0, "there is nothing left that could be sent again");
    assert_eq!(accounts.send((0, 0), b"hello?").unwrap_err(), SendError::IdentityChanged);
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    drop(device.store(&mut accounts.rng));
    device.settle();
    assert!(device.events.contains(&Event::IdentityChanged));

    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let wrong = *device.account.key();
    let conversation = device.conversation.as_mut().unwrap();
    assert!(!conversation.acknowledge(&wrong));
    assert!(conversation.acknowledge(list.account()));
    accounts.send((0, 0), b"hello?").unwrap();
    accounts.settle();
    assert_eq!(texts(&accounts.shown((1, 0))), [("message", "hello?")]);
}

/// P-12.4
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

/// P-12.4
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
    let blocks = |id| device.blocks.get(&id).cloned();
    let stranger = Accounts::new(16, [1, 1]);
    let elsewhere = stranger.devices[&(0, 0)].conversation.as_ref().unwrap().id();
    assert!(Conversation::unseal(&device.account, &device.key, id, record, blocks).is_ok());
    assert!(Conversation::unseal(&device.account, &device.key, elsewhere, record, blocks).is_err());
    assert!(Conversation::unseal(&stranger.devices[&(0, 0)].account, &device.key, id, record, blocks).is_err());
    for at in 0..record.len() {
        let mut flipped = record.clone();
        flipped[at] ^= 1;
        assert!(Conversation::unseal(&device.account, &device.key, id, &flipped, blocks).is_err(), "byte {at}");
    }
    // Nor with a block that is missing, changed, or another's place.
    let named = Conversation::named_blocks(&device.key, id, record).unwrap();
    assert_eq!(named.len(), device.blocks.len(), "the store has no others");
    for wanted in &named {
        let missing = |id| blocks(id).filter(|_| id != *wanted);
        let result = Conversation::unseal(&device.account, &device.key, id, record, missing);
        assert!(matches!(result, Err(UnsealError::MissingBlock(id)) if id == *wanted));
        let changed = |id| {
            let mut block = blocks(id)?;
            if id == *wanted {
                *block.last_mut()? ^= 1;
            }
            Some(block)
        };
        assert!(Conversation::unseal(&device.account, &device.key, id, record, changed).is_err());
        let swapped = |id| blocks(if id == *wanted { named[0] } else { id });
        assert_eq!(
            Conversation::unseal(&device.account, &device.key, id, record, swapped).is_ok(),
            *wanted == named[0]
        );
    }
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

/// P-12.56: A copy says whose conversation it belongs to only when a session begins, so with another peer key the
/// sessions with own devices begin anew, and a device that does not know of the change learns it from the copy.
#[test]
fn a_changed_account_key_is_told_to_ones_own_devices() {
    let mut accounts = Accounts::new(18, [2, 1]);
    for at in [(0, 0), (1, 0), (0, 1)] {
        accounts.send(at, b"halo").unwrap();
        accounts.settle();
    }
    accounts.devices.remove(&(1, 0));
    accounts.found(1);
    accounts.open((1, 0), IdentityPolicy::Block);
    let list = accounts.lists[1][0].clone();
    let directory = DeviceDirectory::trust(&list, Trust::OnFirstUse, accounts.now).unwrap();
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    assert!(conversation.replace_peer(&device.account, directory, &[], accounts.now).is_some());
    assert!(conversation.acknowledge(list.account()));
    accounts.send((0, 0), b"is it you?").unwrap();
    let copy = accounts.mail.iter().find(|(to, ..)| *to == (0, 1)).unwrap().2.clone();
    let arrival = Arrival { from: DeviceAddress::own(0), ciphertext: copy.ciphertext };
    let found = Conversation::find(&accounts.devices[&(0, 1)].account, &arrival, accounts.now).unwrap();
    assert_eq!(found.peer, *list.account());
}

/// The server shows another account key and then the true one again, before anything was stored.
#[test]
fn a_conversation_that_gets_its_name_back_is_stored_over_its_record() {
    let mut accounts = Accounts::new(19, [1, 1]);
    accounts.send((0, 0), b"halo").unwrap();
    accounts.settle();
    let (true_one, other) = (accounts.directory(1), Accounts::new(20, [1, 1]).directory(1));
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let id = device.conversation.as_ref().unwrap().id();
    let records = device.database.len();
    for store_between in [false, true] {
        let device = accounts.devices.get_mut(&(0, 0)).unwrap();
        let conversation = device.conversation.as_mut().unwrap();
        assert!(conversation.replace_peer(&device.account, other.clone(), &[], accounts.now).is_some());
        assert_ne!(conversation.id(), id);
        if store_between {
            drop(device.store(&mut accounts.rng));
            assert_eq!(device.database.len(), records, "one name, one record");
        }
        let conversation = device.conversation.as_mut().unwrap();
        assert!(conversation.replace_peer(&device.account, true_one.clone(), &[], accounts.now).is_some());
        assert_eq!(conversation.id(), id);
        drop(device.store(&mut accounts.rng));
        assert_eq!(device.database.len(), records);
        device.reload();
    }
}
