//! Records that format 1 has sealed, kept forever: each opens, behaves as it did, and is sealed to the same bytes again.
//!
//! Does not know the layout of state, only what can be done with what is opened: tests/vectors/state.txt has the layout.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use bisik::conversation::{
    Arrival, ConversationId, DeviceAddress, Envelope, Event, IdentityPolicy, MessageId, Received, Record, RecordName,
    Supply,
};
use bisik::device::{AccountKey, Change};
use bisik::endpoint::{Label, Retention};
use bisik::ratchet::{self, DoubleRatchet, KeyPair, SharedSecret};
use bisik::{
    AcceptError, Accepted, Account, Ciphertext, Conversation, DecryptError, Identity, PreKeys, Session, StorageKey,
    Timestamp, Trust,
};
use draws::{Draws, from_hex, to_hex};
use office::Office;

/// Shared with tests/vectors.rs, which uses all of it.
#[allow(dead_code)]
#[path = "script/draws.rs"]
mod draws;

#[allow(dead_code, reason = "each file of tests uses a part of it")]
mod office;

const CREATED: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const A_WEEK: u64 = 7 * 24 * 60 * 60;
/// What the recorded messages were encrypted with: 32 bytes for a DH step where one was due, 16 for the salt.
const STEP_AND_SALT: [u8; 48] = [0x5a; 48];
const SALT: [u8; 16] = [0x5a; 16];

fn key() -> StorageKey {
    StorageKey::from_bytes([0x42; 32])
}

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new("tests/golden/v1").join(name).with_extension("hex");
    from_hex(fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is gone", path.display())).trim())
}

fn message(name: &str) -> Ciphertext {
    Ciphertext::from_bytes(&golden(name)).unwrap()
}

/// What records were sealed with.
fn nonce() -> Draws {
    Draws::listed(&[0x5a; 24])
}

fn session(name: &str) -> Session {
    let record = golden(name);
    let session = Session::unseal(&key(), name.as_bytes(), &record).unwrap();
    assert_eq!(session.seal(&key(), name.as_bytes(), &mut nonce()).as_bytes(), record);
    session
}

fn identity() -> Identity {
    Identity::unseal(&key(), b"identity", &golden("identity")).unwrap()
}

fn pre_keys() -> PreKeys {
    PreKeys::unseal(&key(), b"pre-keys", &golden("pre-keys")).unwrap()
}

/// P-6.3: an identity of format 1.
#[test]
fn identity_opens_signs_and_seals_to_the_same_bytes() {
    let (identity, record) = (identity(), golden("identity"));
    assert_eq!(identity.seal(&key(), b"identity", &mut nonce()), record);
    assert_eq!(identity.public().to_bytes().as_slice(), golden("identity-public"));
    let keys = PreKeys::generate(&identity, CREATED, &mut rand::rng());
    assert!(keys.bundle().verify(Trust::Pinned(identity.public()), CREATED).is_ok());
}

/// P-6.3: two generations, one-time pairs and a replay cache of format 1.
#[test]
fn pre_keys_open_accept_and_seal_to_the_same_bytes() {
    let (identity, mut keys, record) = (identity(), pre_keys(), golden("pre-keys"));
    assert_eq!(keys.seal(&key(), b"pre-keys", &mut nonce()), record);
    assert_eq!(keys.stock(CREATED).one_time, 2);
    let current = keys.bundle().verify(Trust::Pinned(identity.public()), CREATED.plus_seconds(A_WEEK));
    assert!(current.is_ok());
    for name in ["pre-keys-first-one-time", "pre-keys-first-older", "pre-keys-first-current"] {
        let accepted = Session::accept(&identity, &keys, &message(name), Trust::OnFirstUse).unwrap();
        let Accepted { session: _, plaintext, used } = accepted;
        assert_eq!(plaintext, name.as_bytes());
        keys.remove(used);
    }
    let replayed = Session::accept(&identity, &keys, &message("pre-keys-replayed"), Trust::OnFirstUse);
    assert_eq!(replayed.unwrap_err(), AcceptError::Replayed);
}

/// P-3.4, P-6.3: a session of format 1 whose initiator waits for an answer.
#[test]
fn waiting_session_opens_sends_its_first_flight_and_takes_the_answer() {
    let mut session = session("session-waiting");
    assert!(!session.is_confirmed());
    let sent = session.encrypt(b"session-waiting-sent", &mut Draws::listed(&SALT)).unwrap();
    assert_eq!(sent, message("session-waiting-sent"));
    assert!(sent.is_first());
    assert_eq!(session.decrypt(&message("session-waiting-answer")).unwrap(), b"session-waiting-answer");
    assert!(session.is_confirmed());
}

/// P-4.6, P-6.3: a session of format 1 in the middle of a conversation, with keys kept in two chains.
#[test]
fn established_session_opens_reads_and_writes() {
    let mut session = session("session-established");
    assert_eq!((session.kept_keys(), session.is_confirmed()), (2, true));
    assert_eq!(session.peer(), identity().public());
    let sent = session.encrypt(b"session-established-sent", &mut Draws::listed(&STEP_AND_SALT)).unwrap();
    assert_eq!(sent, message("session-established-sent"));
    for name in ["session-established-late-old", "session-established-next", "session-established-late"] {
        assert_eq!(session.decrypt(&message(name)).unwrap(), name.as_bytes());
    }
    let read_before_sealing = session.decrypt(&message("session-established-read"));
    assert_eq!(read_before_sealing.unwrap_err(), DecryptError::Replayed);
}

/// P-4.6, P-6.3: a ratchet of format 1, without a session around it.
#[test]
fn ratchet_opens_reads_and_writes() {
    let record = golden("ratchet");
    let mut ratchet = DoubleRatchet::unseal(&key(), b"ratchet", &record).unwrap();
    assert_eq!(ratchet.seal(&key(), b"ratchet", &mut nonce()), record);
    let sent = ratchet.encrypt(b"ratchet-sent", &mut Draws::listed(&STEP_AND_SALT)).unwrap();
    assert_eq!(sent, golden("ratchet-sent"));
    for name in ["ratchet-late", "ratchet-next"] {
        assert_eq!(ratchet.decrypt(&golden(name)).unwrap(), name.as_bytes());
    }
    assert_eq!(ratchet.decrypt(&golden("ratchet-read")).unwrap_err(), ratchet::DecryptError::Replayed);
}

fn conversation(account: &Account, name: &str) -> Conversation {
    let peer = AccountKey::from_bytes(golden(&format!("{name}-peer")).as_slice().try_into().unwrap()).unwrap();
    let id = ConversationId::between(account.key(), &peer);
    Conversation::unseal(account, &key(), id, &golden(name)).unwrap()
}

/// A letter: its id, then what travelled.
fn letter(name: &str, from: DeviceAddress) -> Arrival {
    let bytes = golden(name);
    let (id, ciphertext) = bytes.split_first_chunk().unwrap();
    Arrival { id: MessageId::from_bytes(*id), from, ciphertext: Ciphertext::from_bytes(ciphertext).unwrap() }
}

/// The records after an operation, sealed with known nonces.
fn after(conversation: &mut Conversation, account: &mut Account) -> Vec<(bool, Vec<u8>)> {
    let changes = conversation.seal(account, &key(), &mut Draws::listed(&[0x5a; 48]));
    let record = |Record { name, bytes, .. }: &Record| (*name == RecordName::Account, bytes.clone());
    changes.records().iter().map(record).collect()
}

/// P-12.4, P-12.10, P-12.14: an account of format 1 on its primary device, and its conversation with an account of three devices, one
/// of them hosted and agreed to: a message is kept for who has not acknowledged it, another is asked for again.
#[test]
fn account_and_conversation_open_receive_and_seal_to_the_same_bytes() {
    let mut account = Account::unseal(&key(), &golden("account")).unwrap();
    assert_eq!((account.devices().devices().len(), account.devices().sequence()), (2, 2));
    let mut talk = conversation(&account, "conversation");
    assert!(matches!(talk.label().label(), Label::Hosted { .. }));
    assert_eq!((talk.peer().devices().len(), talk.unacknowledged_messages()), (3, 1));
    assert!(talk.owes(CREATED), "it asks again");

    // From a device that it has no session with: a pre-key is used up, so both records change.
    let incoming = talk.receive(&mut account, &letter("conversation-first", DeviceAddress::peer(2)), CREATED).unwrap();
    let expected = [(true, golden("account-after-first")), (false, golden("conversation-after-first"))];
    assert!(after(&mut talk, &mut account) == expected, "other records");
    let (received, events) = incoming.release(&talk.seal(&mut account, &key(), &mut nonce()).stored()).unwrap();
    assert!(matches!(received, Received::Message { body, delete_by: None, .. } if *body == b"conversation-first"));
    assert_eq!(events, []);
    // In a session that it has.
    let acknowledged = letter("conversation-acknowledgement", DeviceAddress::peer(0));
    let incoming = talk.receive(&mut account, &acknowledged, CREATED).unwrap();
    let expected = [(false, golden("conversation-after-acknowledgement"))];
    assert!(after(&mut talk, &mut account) == expected, "another record");
    let (_, events) = incoming.release(&talk.seal(&mut account, &key(), &mut nonce()).stored()).unwrap();
    assert!(matches!(events[..], [Event::Delivered { .. }]), "{events:?}");
    assert!(talk.receive(&mut account, &acknowledged, CREATED).is_err(), "once");

    // And goes on: to four devices, of which it has sessions with three, and one's own.
    let none = Supply { bundles: &[], unavailable: &[] };
    assert_eq!(talk.plan(&account), []);
    assert_eq!(talk.send(&account, b"still here", &none, CREATED, &mut rand::rng()).unwrap().len(), 4);
    assert_eq!(account.change_devices(&[Change::Remove(1)], CREATED).unwrap().sequence(), 3, "and still signs");
}

/// P-12.15: a hosted device of format 1, which keeps the disclosure that it is listed under.
#[test]
fn hosted_account_opens_and_knows_its_deadlines() {
    let mut account = Account::unseal(&key(), &golden("account-hosted")).unwrap();
    let mut talk = conversation(&account, "conversation-hosted");
    assert_eq!(talk.label().label(), Label::EndToEnd, "its customer's devices are the customer's own");
    let letter = letter("conversation-hosted-next", DeviceAddress::peer(0));
    let incoming = talk.receive(&mut account, &letter, CREATED).unwrap();
    let expected = [(false, golden("conversation-hosted-after-next"))];
    assert!(after(&mut talk, &mut account) == expected, "another record");
    let (received, _) = incoming.release(&talk.seal(&mut account, &key(), &mut nonce()).stored()).unwrap();
    let deadline = Retention::THIRTY_DAYS.deadline(CREATED);
    assert!(
        matches!(received, Received::Message { body, delete_by, .. } if *body == b"kept" && delete_by == Some(deadline))
    );
}

/// Not a test: what the files of tests/golden/v1 were made with, and what those of a next format will be made with.
/// The old ones are never made again: a device may have slept since.
#[test]
#[ignore = "writes golden records into the directory BISIK_GOLDEN_OUT"]
fn write_golden() {
    let directory = PathBuf::from(std::env::var_os("BISIK_GOLDEN_OUT").expect("BISIK_GOLDEN_OUT names a directory"));
    let bob = Identity::generate(&mut rand::rng());
    let golden = Golden { directory };
    golden.write("identity", &bob.seal(&key(), b"identity", &mut nonce()));
    golden.write("identity-public", &bob.public().to_bytes());
    golden.pre_keys(&bob);
    golden.sessions(&bob);
    golden.ratchet();
    golden.conversations();
}

/// What is on its way to a device.
fn to(mail: &VecDeque<(office::At, office::At, Envelope)>, at: office::At) -> Envelope {
    mail.iter().find(|(to, ..)| *to == at).map(|(.., envelope)| envelope.clone()).unwrap()
}

struct Golden {
    directory: PathBuf,
}

impl Golden {
    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.directory.join(name).with_extension("hex"), to_hex(bytes) + "\n").unwrap();
    }

    fn session(&self, name: &str, session: &Session) {
        self.write(name, session.seal(&key(), name.as_bytes(), &mut nonce()).as_bytes());
    }

    /// Writes a message whose plaintext is its name.
    fn message(&self, name: &str, sender: &mut Session) -> Ciphertext {
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
        assert!(keys.rotate(bob, now, rng).unwrap());
        let one_time = keys.replenish(bob, 2, rng).unwrap().remove(1);
        let bundles = [
            ("pre-keys-first-one-time", one_time),
            ("pre-keys-first-older", older),
            ("pre-keys-first-current", keys.bundle()),
            ("pre-keys-replayed", keys.bundle()),
        ];
        for (name, bundle) in bundles {
            let bundle = bundle.verify(Trust::Pinned(bob.public()), now).unwrap();
            let first = self.message(name, &mut Session::initiate(&alice, &bundle, rng).unwrap());
            if name == "pre-keys-replayed" {
                let Accepted { used, .. } = Session::accept(bob, &keys, &first, Trust::OnFirstUse).unwrap();
                keys.remove(used);
            }
        }
        self.write("pre-keys", &keys.seal(&key(), b"pre-keys", &mut nonce()));
    }

    /// Alice's session with Bob is what is kept, first waiting, then in the middle.
    fn sessions(&self, bob: &Identity) {
        let rng = &mut rand::rng();
        let alice = Identity::generate(rng);
        let keys = PreKeys::generate(bob, CREATED, rng);
        let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), CREATED).unwrap();
        let mut at_alice = Session::initiate(&alice, &bundle, rng).unwrap();
        let first = at_alice.encrypt(b"first", rng).unwrap();
        self.session("session-waiting", &at_alice);
        let sent = at_alice.encrypt(b"session-waiting-sent", &mut Draws::listed(&SALT)).unwrap();
        self.write("session-waiting-sent", sent.as_bytes());
        let Accepted { session: mut at_bob, .. } = Session::accept(bob, &keys, &first, Trust::OnFirstUse).unwrap();
        let answer = self.message("session-waiting-answer", &mut at_bob);
        self.message("session-established-late-old", &mut at_bob);
        let _ = at_alice.decrypt(&answer).unwrap();
        let _ = at_bob.decrypt(&at_alice.encrypt(b"a step", rng).unwrap()).unwrap();
        self.message("session-established-late", &mut at_bob);
        let read = self.message("session-established-read", &mut at_bob);
        let _ = at_alice.decrypt(&read).unwrap();
        self.session("session-established", &at_alice);
        self.message("session-established-next", &mut at_bob);
        let sent = at_alice.encrypt(b"session-established-sent", &mut Draws::listed(&STEP_AND_SALT)).unwrap();
        self.write("session-established-sent", sent.as_bytes());
    }

    fn ratchet(&self) {
        let rng = &mut rand::rng();
        let pair = KeyPair::generate(rng);
        let (secret, binding) = (SharedSecret::from_bytes([7; 32]), [9; 32]);
        let mut sender = DoubleRatchet::initiator(&secret, &binding, pair.public());
        let mut kept = DoubleRatchet::responder(&secret, &binding, pair);
        for name in ["ratchet-late", "ratchet-read", "ratchet-next"] {
            let message = sender.encrypt(name.as_bytes(), rng).unwrap();
            self.write(name, &message);
            if name == "ratchet-read" {
                let _ = kept.decrypt(&message).unwrap();
                self.write("ratchet", &kept.seal(&key(), b"ratchet", &mut nonce()));
            }
        }
        let sent = kept.encrypt(b"ratchet-sent", &mut Draws::listed(&STEP_AND_SALT)).unwrap();
        self.write("ratchet-sent", &sent);
    }

    /// A person with two devices; a business with a telephone, a hosted endpoint, and a second telephone that has just joined.
    fn conversations(&self) {
        let mut office = Office::new(rand::random(), [2, 1]);
        for device in office.devices.values_mut() {
            device.key = key();
        }
        office.send((0, 0), b"before").unwrap();
        office.settle();
        let index = office.host(1, &Identity::generate(&mut rand::rng()), Retention::THIRTY_DAYS);
        office.devices.get_mut(&(1, index)).unwrap().key = key();
        office.publish_lists();
        let disclosure = office.disclosures[0].clone();
        let person = office.devices.get_mut(&(0, 0)).unwrap();
        let talk = person.conversation.as_mut().unwrap();
        let _consented = talk.consent(&person.account, &disclosure, office.now).unwrap();
        office.send((0, 0), b"hosted").unwrap();
        office.settle();
        let second = office.join(1);
        assert_eq!((index, second), (1, 2));
        office.open((1, second), IdentityPolicy::Block);

        // A message that everybody has yet to acknowledge, and one that did not come.
        office.send((0, 0), b"kept").unwrap();
        let kept = std::mem::take(&mut office.mail);
        let person = office.devices.get_mut(&(0, 0)).unwrap();
        let talk = person.conversation.as_mut().unwrap();
        assert!(talk.ask_again(MessageId::from_bytes([9; 16]), DeviceAddress::peer(0)));
        for at in [(0, 0), (1, index)] {
            let device = office.devices.get_mut(&at).unwrap();
            let _stored = device.store(&mut office.rng);
            device.reload();
        }
        self.records(&office, (0, 0), "account", "conversation");
        self.records(&office, (1, index), "account-hosted", "conversation-hosted");
        self.letter("conversation-hosted-next", &to(&kept, (1, index)));

        office.send((1, second), b"conversation-first").unwrap();
        self.letter("conversation-first", &to(&office.mail, (0, 0)));
        office.mail.clear();
        office.deliver((1, 0), (0, 0), &to(&kept, (1, 0))).unwrap();
        office.flush((1, 0));
        self.letter("conversation-acknowledgement", &to(&office.mail, (0, 0)));

        self.receive(
            &mut office,
            (0, 0),
            second,
            "conversation-first",
            ["account-after-first", "conversation-after-first"],
        );
        let acknowledged = ["", "conversation-after-acknowledgement"];
        self.receive(&mut office, (0, 0), 0, "conversation-acknowledgement", acknowledged);
        self.receive(&mut office, (1, index), 0, "conversation-hosted-next", ["", "conversation-hosted-after-next"]);
    }

    fn records(&self, office: &Office, at: office::At, account: &str, conversation: &str) {
        let device = &office.devices[&at];
        let talk = device.conversation.as_ref().unwrap();
        self.write(account, &device.database[&RecordName::Account].1);
        self.write(conversation, &device.database[&RecordName::Conversation(talk.id())].1);
        self.write(&format!("{conversation}-peer"), &talk.peer().account().to_bytes());
    }

    fn letter(&self, name: &str, envelope: &Envelope) {
        self.write(name, &[envelope.id.as_bytes().as_slice(), envelope.ciphertext.as_bytes()].concat());
    }

    /// What a letter makes of the records: the account's, if it changes, and the conversation's.
    fn receive(&self, office: &mut Office, at: office::At, from: u32, name: &str, records: [&str; 2]) {
        let bytes = from_hex(fs::read_to_string(self.directory.join(name).with_extension("hex")).unwrap().trim());
        let (id, ciphertext) = bytes.split_first_chunk().unwrap();
        let ciphertext = Ciphertext::from_bytes(ciphertext).unwrap();
        let arrival = Arrival { id: MessageId::from_bytes(*id), from: DeviceAddress::peer(from), ciphertext };
        let device = office.devices.get_mut(&at).unwrap();
        let talk = device.conversation.as_mut().unwrap();
        let _incoming = talk.receive(&mut device.account, &arrival, CREATED).unwrap();
        for (is_account, bytes) in after(talk, &mut device.account) {
            let [account, conversation] = records;
            self.write(if is_account { account } else { conversation }, &bytes);
        }
    }
}
