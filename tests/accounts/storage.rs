//! A head and its blocks: what is written, in which order, and what is left.

use bisik::conversation::{Arrival, Change, Conversation, DeviceAddress, Recipients, RecordName};
use bisik::device::DeviceChange;
use bisik::{StorageKey, UnsealError};
use bisik_testkit::accounts::{Accounts, At, Device};
use bisik_testkit::fuzz::record;

const ALICE: At = (0, 0);
const BOB: At = (1, 0);

fn talking(seed: u64, sizes: [u32; 2]) -> Accounts {
    let mut accounts = Accounts::new(seed, sizes);
    for at in [ALICE, BOB, ALICE] {
        accounts.send(at, b"halo").unwrap();
        accounts.settle();
    }
    accounts
}

/// Does only the first writes of what has changed. Returns how many there are.
fn store_first(device: &mut Device, rng: &mut rand::rngs::StdRng, count: usize) -> usize {
    let changes = device.conversation.as_mut().unwrap().seal(&mut device.account, &device.key, rng).unwrap();
    for change in changes.writes().take(count) {
        match change {
            Change::Put(block) => drop(device.blocks.insert(block.id(), block.as_bytes().to_vec())),
            Change::Record(record) => {
                drop(device.database.insert(record.name, (record.revision, record.bytes.clone())));
            }
            Change::Delete(id) => drop(device.blocks.remove(&id)),
            Change::Remove(name) => drop(device.database.remove(&name)),
        }
    }
    changes.writes().count()
}

/// A store without transactions: the program dies after any of the writes, and loads what is there.
#[test]
fn a_crash_between_any_two_writes_leaves_a_conversation_that_opens_and_loses_nothing() {
    let mut longest = 0;
    for done in 0..9 {
        let mut accounts = talking(130, [1, 1]);
        accounts.send(ALICE, b"one").unwrap();
        let (to, from, envelope) = accounts.mail.pop_front().unwrap();
        let bob = accounts.devices.get_mut(&to).unwrap();
        let arrival = Arrival { from: DeviceAddress::peer(from.1), ciphertext: envelope.ciphertext.clone() };
        let conversation = bob.conversation.as_mut().unwrap();
        assert_eq!(conversation.receive(&mut bob.account, &[arrival], accounts.now), [Ok(())]);
        longest = longest.max(store_first(bob, &mut accounts.rng, done));
        bob.reload();
        // The relay was not told that it is stored, and delivers it again.
        let _result = accounts.deliver(to, from, &envelope);
        accounts.settle();
        let bob = &accounts.devices[&BOB];
        assert_eq!(bob.shown.iter().filter(|(_, body)| body == b"one").count(), 1, "after {done} writes");
        assert_eq!(accounts.devices[&ALICE].conversation.as_ref().unwrap().unacknowledged_messages(), 0);
    }
    assert!((3..9).contains(&longest), "{longest}: each of them was tried");
}

/// Deleted means gone: once its deletion is stored, no block of the store has a text that was settled or withdrawn.
#[test]
fn the_store_has_no_block_that_the_head_does_not_name() {
    let mut accounts = talking(131, [2, 2]);
    for number in 0..20_u8 {
        let id = accounts.send(ALICE, &[number; 100]).unwrap();
        if number % 3 == 0 {
            accounts.devices.get_mut(&ALICE).unwrap().conversation.as_mut().unwrap().withdraw_message(id);
        }
        if number % 5 == 0 {
            accounts.settle();
        }
    }
    accounts.settle();
    for at in accounts.everyone() {
        let device = accounts.devices.get_mut(&at).unwrap();
        drop(device.store(&mut accounts.rng));
        let conversation = device.conversation.as_ref().unwrap();
        let head = &device.database[&RecordName::Conversation(conversation.id())].1;
        let named = Conversation::named_blocks(&device.key, conversation.id(), head).unwrap();
        let mut stored: Vec<_> = device.blocks.keys().copied().collect();
        let mut expected = named.clone();
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected, "at {at:?}");
        // The peer's devices and the label, and one for each other device: nothing waits any more.
        assert!(named.len() <= 1 + 3, "at {at:?}: nothing waits any more");
    }
}

/// A device that was removed leaves no session and no message in the store, whether the program flushes next or only
/// observes.
#[test]
fn sessions_and_messages_for_a_removed_device_are_deleted_with_the_next_flush_or_observation() {
    for observes in [false, true] {
        let mut accounts = Accounts::new(133, [2, 2]);
        for _ in 0..2 {
            for at in accounts.everyone() {
                accounts.send(at, b"halo").unwrap();
                accounts.settle();
            }
        }
        // Three links, and a body that waits for the device that goes.
        accounts.write(ALICE, b"to my other device", Recipients::Device(DeviceAddress::own(1))).unwrap();
        let list = {
            let primary = &mut accounts.devices.get_mut(&ALICE).unwrap().account;
            primary.change_devices(&[DeviceChange::Remove(1)], accounts.now).unwrap()
        };
        let alice = accounts.devices.get_mut(&ALICE).unwrap();
        assert_eq!(alice.account.devices().sequence(), list.sequence(), "the primary goes by its own list at once");
        drop(alice.store(&mut accounts.rng));
        let before = alice.blocks.len();
        let conversation = alice.conversation.as_mut().unwrap();
        if observes {
            conversation.observe(&alice.account, &[], accounts.now);
        } else {
            drop(conversation.flush(&alice.account, &[], accounts.now, &mut accounts.rng).unwrap());
        }
        assert_eq!(conversation.unacknowledged_messages(), 0);
        drop(alice.store(&mut accounts.rng));
        assert_eq!((before, alice.blocks.len()), (1 + 3 + 1, 1 + 2), "observes: {observes}");
    }
}

/// P-12.24: every further number is above those that were given, or a receiver would take the next message for an older
/// one.
#[test]
fn a_record_with_a_message_above_its_greatest_number_is_refused() {
    let mut accounts = Accounts::new(134, [1, 1]);
    let alice = accounts.devices.get_mut(&ALICE).unwrap();
    alice.key = StorageKey::from_bytes(record::STORAGE_KEY);
    let id = accounts.write(ALICE, b"halo", Recipients::All).unwrap();
    let alice = &accounts.devices[&ALICE];
    let conversation = alice.conversation.as_ref().unwrap().id();
    let head = &alice.database[&RecordName::Conversation(conversation)].1;
    let state = record::open_named(CONVERSATION, conversation.as_bytes(), head);
    assert_eq!(state[LAST..][..8], id.number().to_be_bytes(), "the greatest number is where this test expects it");
    for (last, opens) in [(id.number() - 1, false), (id.number(), true), (id.number() + 1, true), (1 << 60, false)] {
        let mut state = state.clone();
        state[LAST..][..8].copy_from_slice(&u64::to_be_bytes(last));
        let head = record::seal_named(CONVERSATION, conversation.as_bytes(), &state);
        let block = |id| alice.blocks.get(&id).cloned();
        let opened = Conversation::unseal(&alice.account, &alice.key, conversation, &head, block);
        assert_eq!(opened.map(drop), if opens { Ok(()) } else { Err(UnsealError::Rejected) }, "{last}");
    }
}

/// One device of twenty: an acknowledgement changes its block and the head.
#[test]
fn an_acknowledgement_writes_less_than_four_kibibytes_with_twenty_devices() {
    let mut accounts = talking(132, [10, 10]);
    accounts.write(ALICE, b"to everybody", Recipients::All).unwrap();
    accounts.flush(ALICE);
    for (to, from, envelope) in accounts.mail.drain(..).collect::<Vec<_>>() {
        accounts.deliver(to, from, &envelope).unwrap();
    }
    accounts.now = accounts.now.plus_seconds(601);
    accounts.flush(BOB);
    let (to, from, envelope) = accounts.mail.iter().find(|(to, ..)| *to == ALICE).unwrap().clone();
    let alice = accounts.devices.get_mut(&to).unwrap();
    drop(alice.store(&mut accounts.rng));
    let arrival = Arrival { from: DeviceAddress::peer(from.1), ciphertext: envelope.ciphertext };
    let conversation = alice.conversation.as_mut().unwrap();
    assert_eq!(conversation.receive(&mut alice.account, &[arrival], accounts.now), [Ok(())]);
    let changes = conversation.seal(&mut alice.account, &alice.key, &mut accounts.rng).unwrap();
    let bytes = |change: Change<'_>| match change {
        Change::Put(block) => block.as_bytes().len(),
        Change::Record(record) => record.bytes.len(),
        Change::Delete(_) | Change::Remove(_) => 0,
    };
    let written: usize = changes.writes().map(bytes).sum();
    assert!(written < 4 << 10, "{written} bytes");
}

/// The kind of a head, and where it has the greatest number so far (docs/formats.md, section 12.6).
const CONVERSATION: u8 = 8;
const LAST: usize = 13;
