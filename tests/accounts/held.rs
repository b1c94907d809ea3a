//! Which stored records release what a conversation holds: those of the same value in memory, and no others.

use bisik::conversation::{Arrival, DeviceAddress, IdentityPolicy, Incoming, Outgoing, Received, RecordName, Supply};
use bisik::device::DeviceDirectory;
use bisik::{Account, Conversation, SealError, StorageKey, Trust};
use bisik_testkit::SeededRng;
use bisik_testkit::accounts::{Accounts, At};

/// Two devices whose sessions both sides have confirmed: no bundle is needed any more.
fn talking(seed: u64) -> Accounts {
    let mut accounts = Accounts::new(seed, [1, 1]);
    for at in [(0, 0), (1, 0)] {
        accounts.send(at, b"halo").unwrap();
        accounts.settle();
    }
    accounts
}

/// Encrypts a message and stores nothing.
fn write(accounts: &mut Accounts, at: At, text: &[u8]) -> Outgoing {
    let device = accounts.devices.get_mut(&at).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    conversation.send(&device.account, text, &Supply::default(), accounts.now, &mut accounts.rng).unwrap()
}

/// Receives the one message in flight and stores nothing.
fn read(accounts: &mut Accounts) -> Incoming {
    let (to, from, envelope) = accounts.mail.pop_front().unwrap();
    let device = accounts.devices.get_mut(&to).unwrap();
    let arrival = Arrival { id: envelope.id, from: DeviceAddress::peer(from.1), ciphertext: envelope.ciphertext };
    device.conversation.as_mut().unwrap().receive(&mut device.account, &arrival, accounts.now).unwrap()
}

/// Both sides have the same id of the conversation, and the peer chooses how often it stores.
#[test]
fn the_record_of_the_peer_at_a_higher_revision_releases_nothing() {
    let mut accounts = talking(30);
    for _ in 0..20 {
        accounts.send((1, 0), b"more").unwrap();
    }
    let incoming = read(&mut accounts);
    accounts.mail.clear();
    let outgoing = write(&mut accounts, (0, 0), b"berapa?");
    let [ours, theirs] = [(0, 0), (1, 0)].map(|at| accounts.devices[&at].conversation.as_ref().unwrap());
    assert!(ours.id() == theirs.id() && ours.revision() < theirs.revision());

    let of_peer = accounts.devices.get_mut(&(1, 0)).unwrap().store(&mut accounts.rng);
    let outgoing = outgoing.release(&of_peer).expect_err("the peer's record");
    let incoming = incoming.release(&of_peer).expect_err("the peer's record");
    let stored = accounts.devices.get_mut(&(0, 0)).unwrap().store(&mut accounts.rng);
    assert_eq!(outgoing.release(&stored).unwrap().len(), 1);
    assert!(matches!(incoming.release(&stored), Ok((Received::Message { .. }, _))));
}

/// Two workers that opened one record: what the slower one did is in no record of the faster one.
#[test]
fn the_record_of_another_worker_releases_nothing() {
    let mut accounts = talking(31);
    let device = &accounts.devices[&(0, 0)];
    let id = device.conversation.as_ref().unwrap().id();
    let record = &device.database[&RecordName::Conversation(id)].1;
    let slower = Conversation::unseal(&device.account, &device.key, id, record).unwrap();

    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let faster = device.conversation.replace(slower).unwrap();
    let outgoing = write(&mut accounts, (0, 0), b"never stored");
    accounts.devices.get_mut(&(0, 0)).unwrap().conversation = Some(faster);
    for _ in 0..2 {
        accounts.send((0, 0), b"stored").unwrap();
    }
    let stored = accounts.devices.get_mut(&(0, 0)).unwrap().store(&mut accounts.rng);
    drop(outgoing.release(&stored).expect_err("a record without this message"));

    // Nor does a record of the value that is loaded again.
    let outgoing = write(&mut accounts, (0, 0), b"lost in a crash");
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    device.reload();
    accounts.send((0, 0), b"after the crash").unwrap();
    let stored = accounts.devices.get_mut(&(0, 0)).unwrap().store(&mut accounts.rng);
    drop(outgoing.release(&stored).expect_err("a record without this message"));
}

/// The conversation has another id afterwards, and is still the value that received the message.
#[test]
fn what_is_held_is_released_after_the_peer_has_another_account_key() {
    let mut accounts = talking(32);
    accounts.send((1, 0), b"before").unwrap();
    let incoming = read(&mut accounts);
    accounts.mail.clear();
    accounts.devices.remove(&(1, 0));
    accounts.found(1);
    accounts.open((1, 0), IdentityPolicy::Block);
    let directory = DeviceDirectory::trust(&accounts.lists[1][0], Trust::OnFirstUse, accounts.now).unwrap();
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let before = conversation.id();
    let _events = conversation.replace_peer(&device.account, directory, &[], accounts.now);
    assert_ne!(conversation.id(), before);

    let stored = device.store(&mut accounts.rng);
    let Ok((Received::Message { body, .. }, _)) = incoming.release(&stored) else { panic!("it was received") };
    assert_eq!(*body, b"before");
}

/// A record under a key that nobody keeps cannot be opened, so that it proves nothing.
#[test]
fn a_conversation_and_its_account_are_sealed_under_one_key_until_the_caller_moves_them() {
    let mut accounts = talking(33);
    let outgoing = write(&mut accounts, (0, 0), b"wait");
    let rng = &mut SeededRng::new(33);
    let other = StorageKey::from_bytes([9; 32]);
    let device = accounts.devices.get_mut(&(0, 0)).unwrap();
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
    let records: Vec<_> = changes.records().iter().map(|record| (record.name, record.bytes.clone())).collect();
    let [(RecordName::Account, of_account), (_, of_conversation)] = &*records else { panic!("both records") };
    let account = Account::unseal(&other, of_account).unwrap();
    assert!(Conversation::unseal(&account, &other, conversation.id(), of_conversation).is_ok());
    assert_eq!(outgoing.release(&changes.stored()).unwrap().len(), 1);
}
