//! Records of released formats: each still opens, behaves as it did, and is sealed to the same bytes again.
//!
//! The layout of state is tested by tests/vectors/state.txt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use bisik::conversation::{
    Arrival, Change, ConversationId, DeviceAddress, Envelope, Event, IdentityPolicy, ReceiveError, Received,
    Recipients, Record, RecordName,
};
use bisik::device::{AccountKey, DeviceChange};
use bisik::hosting::{Label, Retention};
use bisik::{
    AcceptError, Accepted, Account, AccountEvent, BlockId, Ciphertext, Conversation, Identity, Plaintext, PreKeys,
    Rotation, Session, StorageKey, Timestamp, Trust,
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
    let blocks = blocks(&golden(&format!("{name}-blocks")));
    Conversation::unseal(account, &key(), id, &golden(name), |block| blocks.get(&block).cloned()).unwrap()
}

/// Recorded blocks: of each its id, its length, and its bytes.
pub(super) fn blocks(mut bytes: &[u8]) -> BTreeMap<BlockId, Vec<u8>> {
    let mut blocks = BTreeMap::new();
    while let Some((id, rest)) = bytes.split_first_chunk::<16>() {
        let (length, rest) = rest.split_first_chunk().unwrap();
        let (block, rest) = rest.split_at(u32::from_be_bytes(*length).try_into().unwrap());
        blocks.insert(BlockId::from_bytes(*id), block.to_vec());
        bytes = rest;
    }
    blocks
}

/// A recorded envelope.
fn letter(name: &str, from: DeviceAddress) -> Arrival {
    Arrival { from, ciphertext: message(name) }
}

/// What an operation writes, sealed with known nonces: the account's record, if it has changed, and everything of the
/// conversation in its order.
fn after(conversation: &mut Conversation, account: &mut Account) -> (Option<Vec<u8>>, Vec<u8>) {
    let nonces: Vec<u8> = (0..250).cycle().take(24 * 64).collect();
    let changes = conversation.seal(account, &key(), &mut Draws::listed(&nonces)).unwrap();
    let (mut of_account, mut of_conversation) = (None, Vec::new());
    for change in changes.writes() {
        match change {
            Change::Put(block) => of_conversation.extend([block.id().as_bytes(), block.as_bytes()].concat()),
            Change::Record(Record { name: RecordName::Account, bytes, .. }) => of_account = Some(bytes.clone()),
            Change::Record(Record { bytes, .. }) => of_conversation.extend(bytes),
            Change::Delete(id) => of_conversation.extend(id.as_bytes()),
            Change::Remove(name) => panic!("{name:?}"),
        }
    }
    assert!(conversation.stored(&changes.stored()));
    (of_account, of_conversation)
}

/// The newest of what waits for the program.
fn newest(conversation: &Conversation) -> &Received {
    conversation.inbox().last().unwrap().1
}

/// P-12.53, P-12.57: an account of format 1 on its primary device, and its conversation with an account of
/// three devices, one of them hosted with consent. One message is not acknowledged yet, one waits for the program, and
/// something has arrived that nothing reads.
#[test]
fn golden_account_and_conversation_open_and_reseal_to_the_same_bytes() {
    let mut account = Account::unseal(&key(), &golden("account")).unwrap();
    assert_eq!((account.devices().devices().len(), account.devices().sequence()), (2, 2));
    let events: Vec<_> = account.events().map(|(number, event)| (number, *event)).collect();
    assert_eq!(events, [(0, AccountEvent::UnsignedListClaimed { sequence: 9 })]);
    let mut talk = conversation(&account, "conversation");
    assert!(matches!(talk.label().label(CREATED), Label::Hosted { .. }));
    assert_eq!((talk.peer().devices().len(), talk.unacknowledged_messages()), (3, 1));
    assert!(talk.is_accepted());
    assert!(matches!(newest(&talk), Received::Message { body: Plaintext::Confirmed(body), .. } if **body == *b"waits"));
    assert_eq!(talk.due(&account, CREATED).at, Some(CREATED), "it asks");

    // From a device without a session: a pre-key is used up, so both records change.
    let first = letter("conversation-first", DeviceAddress::peer(2));
    assert_eq!(talk.receive(&mut account, &[first], CREATED), [Ok(())]);
    let expected = (Some(golden("account-after-first")), golden("conversation-after-first"));
    assert!(after(&mut talk, &mut account) == expected, "other records");
    let Received::Message { body: Plaintext::Unconfirmed(body), delete_by: None, .. } = newest(&talk) else {
        panic!("{:?}", newest(&talk))
    };
    assert_eq!(**body.peek_unconfirmed(), *b"conversation-first");
    // In an existing session.
    let acknowledged = [letter("conversation-acknowledgement", DeviceAddress::peer(0))];
    assert_eq!(talk.receive(&mut account, &acknowledged, CREATED), [Ok(())]);
    let expected = (None, golden("conversation-after-acknowledgement"));
    assert!(after(&mut talk, &mut account) == expected, "another record");
    assert!(matches!(newest(&talk), Received::Event(Event::Delivered { .. })), "{:?}", newest(&talk));
    assert_eq!(talk.receive(&mut account, &acknowledged, CREATED), [Err(ReceiveError::Duplicate)], "once");

    // And it continues: to three devices of the peer and an own one, with all of which it has sessions.
    let rng = &mut rand::rng();
    talk.send(&account, b"still here", Recipients::All, CREATED, rng).unwrap();
    let outgoing = talk.flush(&account, &[], CREATED, rng).unwrap();
    let stored = talk.seal(&mut account, &key(), rng).unwrap().stored();
    let (envelopes, _) = outgoing.release(&stored).unwrap();
    let reached: BTreeSet<_> = envelopes.iter().map(|envelope| envelope.to).collect();
    let peers = [0, 1, 2].map(DeviceAddress::peer);
    assert_eq!(reached, peers.into_iter().chain([DeviceAddress::own(1)]).collect());
    let upkeep = account.maintain(None, CREATED, &mut rand::rng()).unwrap();
    assert_eq!((upkeep.one_time.len(), upkeep.last_resort.is_some(), upkeep.list.is_some()), (2, false, true));
    assert_eq!(account.change_devices(&[DeviceChange::Remove(1)], CREATED).unwrap().sequence(), 3, "and still signs");
}

/// P-12.58: a hosted device of format 1, which keeps the disclosure that it is listed under.
#[test]
fn golden_hosted_account_opens_with_its_deadlines() {
    let mut account = Account::unseal(&key(), &golden("account-hosted")).unwrap();
    let mut talk = conversation(&account, "conversation-hosted");
    assert!(
        matches!(talk.label().label(CREATED), Label::OwnHosted { .. }),
        "its customer's devices are the customer's own"
    );
    let next = letter("conversation-hosted-next", DeviceAddress::peer(0));
    assert_eq!(talk.receive(&mut account, &[next], CREATED), [Ok(())]);
    let expected = (None, golden("conversation-hosted-after-next"));
    assert!(after(&mut talk, &mut account) == expected, "another record");
    let Received::Message { body: Plaintext::Confirmed(body), delete_by, .. } = newest(&talk) else {
        panic!("{:?}", newest(&talk))
    };
    let deadline = Retention::THIRTY_DAYS.deadline(CREATED);
    assert_eq!((body.as_slice(), *delete_by), (b"kept".as_slice(), Some(deadline)));
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
    super::upload_golden::write(&golden);
    super::chain_golden::write(&golden);
    super::group_golden::write(&golden);
    super::room_golden::write(&golden);
    super::status_golden::write(&golden);
    super::register_golden::write(&golden);
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

    /// The bytes that were written under a name.
    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        from_hex(fs::read_to_string(self.directory.join(name).with_extension("hex")).unwrap().trim())
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
        let _consented = talk.consent(&person.account, &disclosure, accounts.now, &mut rand::rng()).unwrap();
        accounts.send((0, 0), b"hosted").unwrap();
        accounts.settle();
        let second = accounts.join(1);
        assert_eq!((index, second), (1, 2));
        accounts.open((1, second), IdentityPolicy::Block);

        // A message that no device has acknowledged yet, one that the program has not seen, and garbage.
        accounts.send((0, 0), b"kept").unwrap();
        let kept = std::mem::take(&mut accounts.mail);
        accounts.send((1, 0), b"waits").unwrap();
        let waits = to(&accounts.mail, (0, 0)).ciphertext;
        accounts.mail.clear();
        let garbage = Ciphertext::from_bytes(&[[0x22].as_slice(), &[9; 300]].concat()).unwrap();
        let arrivals = [waits, garbage].map(|ciphertext| Arrival { from: DeviceAddress::peer(0), ciphertext });
        let person = accounts.devices.get_mut(&(0, 0)).unwrap();
        let talk = person.conversation.as_mut().unwrap();
        // Two bundles that no server has, and an event that nobody has seen.
        let _not_uploaded = person.account.replenish(2, accounts.now, &mut accounts.rng).unwrap();
        assert!(person.account.claimed_list(9, accounts.now));
        let results = talk.receive(&mut person.account, &arrivals, accounts.now);
        assert_eq!(results, [Ok(()), Err(ReceiveError::Unreadable)]);
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
        // The time after which an acknowledgement travels alone.
        accounts.now = accounts.now.plus_seconds(600);
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
        let block = |(id, bytes): (&BlockId, &Vec<u8>)| {
            [id.as_bytes().as_slice(), &u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
        };
        self.write(&format!("{conversation}-blocks"), &device.blocks.iter().flat_map(block).collect::<Vec<_>>());
        self.write(&format!("{conversation}-peer"), &talk.peer().account().to_bytes());
    }

    fn letter(&self, name: &str, envelope: &Envelope) {
        self.write(name, envelope.ciphertext.as_bytes());
    }

    /// The records after an envelope: the account's, if it changes, and the conversation's.
    fn receive(&self, accounts: &mut Accounts, at: At, from: u32, name: &str, records: [&str; 2]) {
        let arrival = Arrival { from: DeviceAddress::peer(from), ciphertext: self.message(name) };
        let device = accounts.devices.get_mut(&at).unwrap();
        let talk = device.conversation.as_mut().unwrap();
        assert_eq!(talk.receive(&mut device.account, &[arrival], CREATED), [Ok(())]);
        let (of_account, of_conversation) = after(talk, &mut device.account);
        let [account, conversation] = records;
        of_account.iter().for_each(|bytes| self.write(account, bytes));
        self.write(conversation, &of_conversation);
    }
}
