//! Records of released formats: each still opens, behaves as it did, and is sealed to the same bytes again.
//!
//! The layout of state is tested by tests/vectors/state.txt.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use bisik::conversation::{
    Arrival, ConversationId, DeviceAddress, Envelope, Event, IdentityPolicy, MessageId, Received, Record, RecordName,
    Supply,
};
use bisik::device::{AccountKey, DeviceChange};
use bisik::hosting::{Label, Retention};
use bisik::{
    AcceptError, Accepted, Account, AccountEvent, Ciphertext, Conversation, Identity, PreKeys, Rotation, Session,
    StorageKey, Timestamp, Trust,
};
use bisik_testkit::accounts::{Accounts, At};
use bisik_testkit::draws::{Draws, from_hex, to_hex};

pub(super) const CREATED: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const A_WEEK: u64 = 7 * 24 * 60 * 60;
pub(super) fn key() -> StorageKey {
    StorageKey::from_bytes([0x42; 32])
}

pub(super) fn golden(name: &str) -> Vec<u8> {
    let path = Path::new("tests/golden/v1").join(name).with_extension("hex");
    from_hex(fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is gone", path.display())).trim())
}

pub(super) fn message(name: &str) -> Ciphertext {
    Ciphertext::from_bytes(&golden(name)).unwrap()
}

/// The key that the records were sealed with.
pub(super) fn nonce() -> Draws {
    Draws::listed(&[0x5a; 24])
}

fn identity() -> Identity {
    Identity::unseal(&key(), b"identity", &golden("identity")).unwrap()
}

fn pre_keys() -> PreKeys {
    PreKeys::unseal(&key(), b"pre-keys", &golden("pre-keys")).unwrap()
}

/// P-6.4: an identity of format 1.
#[test]
fn golden_identity_opens_and_reseals_to_the_same_bytes() {
    let (identity, record) = (identity(), golden("identity"));
    assert_eq!(identity.seal(&key(), b"identity", &mut nonce()), record);
    assert_eq!(identity.public().to_bytes().as_slice(), golden("identity-public"));
    let keys = PreKeys::generate(&identity, CREATED, &mut rand::rng());
    assert!(keys.bundle().verify(Trust::Pinned(identity.public()), CREATED).is_ok());
}

/// P-6.4: two generations, one-time pairs and a replay cache of format 1.
#[test]
fn golden_pre_keys_open_accept_and_reseal_to_the_same_bytes() {
    let (identity, mut keys, record) = (identity(), pre_keys(), golden("pre-keys"));
    assert_eq!(keys.seal(&key(), b"pre-keys", &mut nonce()), record);
    assert_eq!(keys.count(CREATED).one_time, 2);
    let current = keys.bundle().verify(Trust::Pinned(identity.public()), CREATED.plus_seconds(A_WEEK));
    assert!(current.is_ok());
    for name in ["pre-keys-first-one-time", "pre-keys-first-older", "pre-keys-first-current"] {
        let accepted = Session::accept(&identity, &keys, &message(name), Trust::OnFirstUse, CREATED).unwrap();
        let Accepted { session: _, plaintext, used } = accepted;
        assert_eq!(plaintext.show_unconfirmed(), name.as_bytes());
        keys.remove(used);
    }
    let replayed = Session::accept(&identity, &keys, &message("pre-keys-replayed"), Trust::OnFirstUse, CREATED);
    assert_eq!(replayed.unwrap_err(), AcceptError::Replayed);
}

fn conversation(account: &Account, name: &str) -> Conversation {
    let peer = AccountKey::from_bytes(golden(&format!("{name}-peer")).as_slice().try_into().unwrap()).unwrap();
    let id = ConversationId::between(account.key(), &peer);
    Conversation::unseal(account, &key(), id, &golden(name)).unwrap()
}

/// A recorded envelope: its id, then its ciphertext.
fn letter(name: &str, from: DeviceAddress) -> Arrival {
    let bytes = golden(name);
    let (id, ciphertext) = bytes.split_first_chunk().unwrap();
    Arrival { id: MessageId::from_bytes(*id), from, ciphertext: Ciphertext::from_bytes(ciphertext).unwrap() }
}

/// The records after an operation, sealed with known nonces.
fn after(conversation: &mut Conversation, account: &mut Account) -> Vec<(bool, Vec<u8>)> {
    let changes = conversation.seal(account, &key(), &mut Draws::listed(&[0x5a; 48])).unwrap();
    let record = |Record { name, bytes, .. }: &Record| (*name == RecordName::Account, bytes.clone());
    changes.records().iter().map(record).collect()
}

/// P-12.3, P-12.14, P-12.15: an account of format 1 on its primary device, and its conversation with an account of
/// three devices, one of them hosted with consent. One message is not acknowledged yet; another was requested again.
#[test]
fn golden_account_and_conversation_open_and_reseal_to_the_same_bytes() {
    let mut account = Account::unseal(&key(), &golden("account")).unwrap();
    assert_eq!((account.devices().devices().len(), account.devices().sequence()), (2, 2));
    let events: Vec<_> = account.events().map(|(number, event)| (number, *event)).collect();
    assert_eq!(events, [(0, AccountEvent::UnsignedListClaimed { sequence: 9 })]);
    let mut talk = conversation(&account, "conversation");
    assert!(matches!(talk.label().label(CREATED), Label::Hosted { .. }));
    assert_eq!((talk.peer().devices().len(), talk.unacknowledged_messages()), (3, 1));
    assert!(talk.owes(CREATED), "it asks again");

    // From a device without a session: a pre-key is used up, so both records change.
    let incoming = talk.receive(&mut account, &letter("conversation-first", DeviceAddress::peer(2)), CREATED).unwrap();
    let expected = [(true, golden("account-after-first")), (false, golden("conversation-after-first"))];
    assert!(after(&mut talk, &mut account) == expected, "other records");
    let (received, events) =
        incoming.release(&talk.seal(&mut account, &key(), &mut nonce()).unwrap().stored()).unwrap();
    assert!(matches!(received, Received::Message { body, delete_by: None, .. } if *body == b"conversation-first"));
    assert_eq!(events, []);
    // In an existing session.
    let acknowledged = letter("conversation-acknowledgement", DeviceAddress::peer(0));
    let incoming = talk.receive(&mut account, &acknowledged, CREATED).unwrap();
    let expected = [(false, golden("conversation-after-acknowledgement"))];
    assert!(after(&mut talk, &mut account) == expected, "another record");
    let (_, events) = incoming.release(&talk.seal(&mut account, &key(), &mut nonce()).unwrap().stored()).unwrap();
    assert!(matches!(events[..], [Event::Delivered { .. }]), "{events:?}");
    assert!(talk.receive(&mut account, &acknowledged, CREATED).is_err(), "once");

    // And it continues: to four devices, three of which it has sessions with, and to an own one.
    let none = Supply { bundles: &[], unavailable: &[] };
    assert_eq!(talk.plan(&account), []);
    assert_eq!(talk.send(&account, b"still here", &none, CREATED, &mut rand::rng()).unwrap().len(), 4);
    let upkeep = account.maintain(None, CREATED, &mut rand::rng()).unwrap();
    assert_eq!((upkeep.one_time.len(), upkeep.last_resort.is_some(), upkeep.list.is_some()), (2, false, true));
    assert_eq!(account.change_devices(&[DeviceChange::Remove(1)], CREATED).unwrap().sequence(), 3, "and still signs");
}

/// P-12.16: a hosted device of format 1, which keeps the disclosure that it is listed under.
#[test]
fn golden_hosted_account_opens_with_its_deadlines() {
    let mut account = Account::unseal(&key(), &golden("account-hosted")).unwrap();
    let mut talk = conversation(&account, "conversation-hosted");
    assert!(
        matches!(talk.label().label(CREATED), Label::OwnHosted { .. }),
        "its customer's devices are the customer's own"
    );
    let letter = letter("conversation-hosted-next", DeviceAddress::peer(0));
    let incoming = talk.receive(&mut account, &letter, CREATED).unwrap();
    let expected = [(false, golden("conversation-hosted-after-next"))];
    assert!(after(&mut talk, &mut account) == expected, "another record");
    let (received, _) = incoming.release(&talk.seal(&mut account, &key(), &mut nonce()).unwrap().stored()).unwrap();
    let deadline = Retention::THIRTY_DAYS.deadline(CREATED);
    assert!(
        matches!(received, Received::Message { body, delete_by, .. } if *body == b"kept" && delete_by == Some(deadline))
    );
}

/// Not a test: it wrote the files of tests/golden/v1, and will write those of the next format. Existing files are never
/// written again, because a device may return with an old record.
#[test]
#[ignore = "writes golden records into the directory BISIK_GOLDEN_OUT"]
fn write_golden() {
    let directory = PathBuf::from(std::env::var_os("BISIK_GOLDEN_OUT").expect("BISIK_GOLDEN_OUT names a directory"));
    let bob = Identity::generate(&mut rand::rng());
    let golden = Golden { directory };
    golden.write("identity", &bob.seal(&key(), b"identity", &mut nonce()));
    golden.write("identity-public", &bob.public().to_bytes());
    golden.pre_keys(&bob);
    super::session_golden::write(&golden);
    golden.conversations();
}

/// The envelope in flight to a device.
fn to(mail: &VecDeque<(At, At, Envelope)>, at: At) -> Envelope {
    mail.iter().find(|(to, ..)| *to == at).map(|(.., envelope)| envelope.clone()).unwrap()
}

pub(super) struct Golden {
    directory: PathBuf,
}

impl Golden {
    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.directory.join(name).with_extension("hex"), to_hex(bytes) + "\n").unwrap();
    }

    /// What was written under a name.
    pub(super) fn message(&self, name: &str) -> Ciphertext {
        let text = fs::read_to_string(self.directory.join(name).with_extension("hex")).unwrap();
        Ciphertext::from_bytes(&from_hex(text.trim())).unwrap()
    }

    /// Encrypts a message whose plaintext is its name.
    pub(super) fn session_message(&self, name: &str, sender: &mut Session) -> Ciphertext {
        let message = sender.encrypt(name.as_bytes(), &mut rand::rng()).unwrap();
        self.write(name, message.as_bytes());
        message
    }

    fn pre_keys(&self, bob: &Identity) {
        let rng = &mut rand::rng();
        let alice = Identity::generate(rng);
        let mut keys = PreKeys::generate(bob, CREATED, rng);
        let older = keys.bundle();
        let now = CREATED.plus_seconds(A_WEEK);
        assert_eq!(keys.rotate(bob, now, rng).unwrap(), Rotation::Everything);
        let one_time = keys.replenish(bob, 2, rng).unwrap().remove(1);
        let bundles = [
            ("pre-keys-first-one-time", one_time),
            ("pre-keys-first-older", older),
            ("pre-keys-first-current", keys.bundle()),
            ("pre-keys-replayed", keys.bundle()),
        ];
        for (name, bundle) in bundles {
            let bundle = bundle.verify(Trust::Pinned(bob.public()), now).unwrap();
            let first = self.session_message(name, &mut Session::initiate(&alice, &bundle, now, rng).unwrap());
            if name == "pre-keys-replayed" {
                let Accepted { used, .. } = Session::accept(bob, &keys, &first, Trust::OnFirstUse, now).unwrap();
                keys.remove(used);
            }
        }
        self.write("pre-keys", &keys.seal(&key(), b"pre-keys", &mut nonce()));
    }

    /// A person with two devices; a business with a phone, a hosted device, and a second phone that has just joined.
    fn conversations(&self) {
        let mut accounts = Accounts::new(rand::random(), [2, 1]);
        for device in accounts.devices.values_mut() {
            device.key = key();
        }
        accounts.send((0, 0), b"before").unwrap();
        accounts.settle();
        let index = accounts.host(1, &Identity::generate(&mut rand::rng()), Retention::THIRTY_DAYS);
        accounts.devices.get_mut(&(1, index)).unwrap().key = key();
        accounts.publish_lists();
        let disclosure = accounts.disclosures[0].clone();
        let person = accounts.devices.get_mut(&(0, 0)).unwrap();
        let talk = person.conversation.as_mut().unwrap();
        let _consented = talk.consent(&person.account, &disclosure, accounts.now).unwrap();
        accounts.send((0, 0), b"hosted").unwrap();
        accounts.settle();
        let second = accounts.join(1);
        assert_eq!((index, second), (1, 2));
        accounts.open((1, second), IdentityPolicy::Block);

        // A message that no device has acknowledged yet, and one that was lost.
        accounts.send((0, 0), b"kept").unwrap();
        let kept = std::mem::take(&mut accounts.mail);
        let person = accounts.devices.get_mut(&(0, 0)).unwrap();
        let talk = person.conversation.as_mut().unwrap();
        assert!(talk.ask_again(MessageId::from_bytes([9; 16]), DeviceAddress::peer(0)));
        // Two bundles that no server has, and an event that nobody has seen.
        let _not_uploaded = person.account.replenish(2, accounts.now, &mut accounts.rng).unwrap();
        assert!(person.account.claimed_list(9, accounts.now));
        for at in [(0, 0), (1, index)] {
            let device = accounts.devices.get_mut(&at).unwrap();
            let _stored = device.store(&mut accounts.rng);
            device.reload();
        }
        self.records(&accounts, (0, 0), "account", "conversation");
        self.records(&accounts, (1, index), "account-hosted", "conversation-hosted");
        self.letter("conversation-hosted-next", &to(&kept, (1, index)));

        accounts.send((1, second), b"conversation-first").unwrap();
        self.letter("conversation-first", &to(&accounts.mail, (0, 0)));
        accounts.mail.clear();
        accounts.deliver((1, 0), (0, 0), &to(&kept, (1, 0))).unwrap();
        accounts.flush((1, 0));
        self.letter("conversation-acknowledgement", &to(&accounts.mail, (0, 0)));

        self.receive(
            &mut accounts,
            (0, 0),
            second,
            "conversation-first",
            ["account-after-first", "conversation-after-first"],
        );
        let acknowledged = ["", "conversation-after-acknowledgement"];
        self.receive(&mut accounts, (0, 0), 0, "conversation-acknowledgement", acknowledged);
        self.receive(&mut accounts, (1, index), 0, "conversation-hosted-next", ["", "conversation-hosted-after-next"]);
    }

    fn records(&self, accounts: &Accounts, at: At, account: &str, conversation: &str) {
        let device = &accounts.devices[&at];
        let talk = device.conversation.as_ref().unwrap();
        self.write(account, &device.database[&RecordName::Account].1);
        self.write(conversation, &device.database[&RecordName::Conversation(talk.id())].1);
        self.write(&format!("{conversation}-peer"), &talk.peer().account().to_bytes());
    }

    fn letter(&self, name: &str, envelope: &Envelope) {
        self.write(name, &[envelope.id.as_bytes().as_slice(), envelope.ciphertext.as_bytes()].concat());
    }

    /// The records after an envelope: the account's, if it changes, and the conversation's.
    fn receive(&self, accounts: &mut Accounts, at: At, from: u32, name: &str, records: [&str; 2]) {
        let bytes = from_hex(fs::read_to_string(self.directory.join(name).with_extension("hex")).unwrap().trim());
        let (id, ciphertext) = bytes.split_first_chunk().unwrap();
        let ciphertext = Ciphertext::from_bytes(ciphertext).unwrap();
        let arrival = Arrival { id: MessageId::from_bytes(*id), from: DeviceAddress::peer(from), ciphertext };
        let device = accounts.devices.get_mut(&at).unwrap();
        let talk = device.conversation.as_mut().unwrap();
        let _incoming = talk.receive(&mut device.account, &arrival, CREATED).unwrap();
        for (is_account, bytes) in after(talk, &mut device.account) {
            let [account, conversation] = records;
            self.write(if is_account { account } else { conversation }, &bytes);
        }
    }
}
