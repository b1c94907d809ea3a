//! Conversations between accounts: texts that were settled or withdrawn, and the secrets of a link, are in no freed memory
//! and, after the deletions, in no stored record and no block.

use std::collections::{BTreeMap, HashMap};

use bisik::conversation::{
    Arrival, Change, Conversation, DeviceAddress, Envelope, IdentityPolicy, MessageId, Received, Recipients, Record,
    RecordName, StoredConversation,
};
use bisik::device::{Custody, DeviceDirectory, DeviceTerms};
use bisik::{Account, BlockId, Plaintext, StorageKey, Trust};

use super::canaries::Canaries;
use super::conversation::{STORAGE, Scene};
use super::derived::{Fields, add_session, resumption_secrets, state_of};
use super::freed::Freed;
use super::keys::NOW;
use super::recording::Recording;

/// A device and what it has stored.
struct Device {
    account: Box<Account>,
    talk: Box<Conversation>,
    records: HashMap<RecordName, Vec<u8>>,
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

fn key() -> StorageKey {
    StorageKey::from_bytes(STORAGE)
}

fn account(rng: &mut Recording) -> Box<Account> {
    Box::new(Account::create(DeviceTerms::own_held(Custody::Person).unwrap(), NOW, rng))
}

fn directory(of: &Account) -> DeviceDirectory {
    DeviceDirectory::trust(of.primary().unwrap().list(), Trust::OnFirstUse, NOW).unwrap()
}

impl Device {
    fn new(account: Box<Account>, peer: DeviceDirectory) -> Self {
        let talk = Box::new(Conversation::new(&account, peer, &[], IdentityPolicy::Notify, NOW).0);
        Self { account, talk, records: HashMap::new(), blocks: BTreeMap::new() }
    }

    fn store(&mut self, rng: &mut Recording) -> StoredConversation {
        let changes = self.talk.seal(&mut self.account, &key(), rng).unwrap();
        for change in changes.writes() {
            match change {
                Change::Put(block) => drop(self.blocks.insert(block.id(), block.as_bytes().to_vec())),
                Change::Record(Record { name, bytes, .. }) => drop(self.records.insert(*name, bytes.clone())),
                Change::Delete(id) => drop(self.blocks.remove(&id)),
                Change::Remove(name) => drop(self.records.remove(&name)),
            }
        }
        let stored = changes.stored();
        assert!(self.talk.stored(&stored));
        stored
    }

    fn send(&mut self, text: &[u8], rng: &mut Recording) -> MessageId {
        let id = self.talk.send(&self.account, text, Recipients::All, NOW, rng).unwrap();
        let _stored = self.store(rng);
        id
    }

    /// What is due, with the bundle that the server has of the other device.
    fn flush(&mut self, other: &Account, rng: &mut Recording) -> Vec<Envelope> {
        let verified = || other.pre_keys().bundle().verify(Trust::OnFirstUse, NOW).unwrap();
        let needed = self.talk.due(&self.account, NOW).bundles;
        let bundles: Vec<_> = needed.iter().map(|needed| (needed.device, verified())).collect();
        let outgoing = self.talk.flush(&self.account, &bundles, NOW, rng).unwrap();
        let (envelopes, handover) = outgoing.release(&self.store(rng)).unwrap();
        self.talk.handed(handover);
        envelopes
    }

    fn receive(&mut self, envelopes: Vec<Envelope>, rng: &mut Recording) {
        let arrival = |Envelope { ciphertext, .. }: Envelope| Arrival { from: DeviceAddress::peer(0), ciphertext };
        let arrivals: Vec<_> = envelopes.into_iter().map(arrival).collect();
        assert!(self.talk.receive(&mut self.account, &arrivals, NOW).iter().all(Result::is_ok));
        let _stored = self.store(rng);
    }

    /// Whether this text waits for the program.
    fn has(&self, text: &[u8]) -> bool {
        self.talk.inbox().any(|(_, received)| match received {
            Received::Message { body: Plaintext::Confirmed(body), .. } => **body == text,
            Received::Message { body: Plaintext::Unconfirmed(body), .. } => **body.peek_unconfirmed() == text,
            _ => false,
        })
    }

    fn settle(&mut self, rng: &mut Recording) {
        let last = self.talk.inbox().last().map(|(number, _)| number);
        self.talk.settle(last.unwrap());
        let _stored = self.store(rng);
    }

    /// Through the store and back; what was in memory is dropped.
    fn reload(&mut self) {
        let Self { account, talk, records, blocks } = self;
        let lookup = |id: BlockId| blocks.get(&id).cloned();
        **account = Account::unseal(&key(), &records[&RecordName::Account]).unwrap();
        let head = &records[&RecordName::Conversation(talk.id())];
        **talk = Conversation::unseal(account, &key(), talk.id(), head, lookup).unwrap();
    }

    /// Everything in the store, decrypted.
    fn contents(&self) -> Freed {
        let sealed = self.records.values().chain(self.blocks.values());
        sealed.map(|record| state_of(record, &STORAGE).into_boxed_slice()).collect()
    }

    /// The state of the only session, in the block of the only link.
    fn session(&self) -> Vec<u8> {
        let head = &self.records[&RecordName::Conversation(self.talk.id())];
        let named = Conversation::named_blocks(&key(), self.talk.id(), head).unwrap();
        let link = state_of(&self.blocks[&named[1]], &STORAGE);
        let mut fields = Fields(&link);
        let counted = |fields: &mut Fields<'_>, size: usize| {
            let count = usize::try_from(fields.number()).unwrap();
            fields.skip(count * size);
        };
        let optional = |fields: &mut Fields<'_>, size: usize| {
            let there = usize::from(fields.byte());
            fields.skip(there * size);
        };
        fields.skip(64 + 1 + 1 + 4 + 4);
        // names
        fields.skip(8 + 1 + 8);
        counted(&mut fields, 8 + 8 + 1);
        counted(&mut fields, 8 + 8 + 4 + 16);
        // author
        fields.skip(4 + 1 + 8);
        counted(&mut fields, 16);
        // doubt
        fields.skip(1 + 1 + 8 + 1);
        optional(&mut fields, 4);
        // recent
        counted(&mut fields, 8);
        assert_eq!(fields.number(), 1, "one session");
        fields.skip(4 + 8 + 1 + 4 + 4 + 4);
        for size in [4, 4, 8] {
            optional(&mut fields, size);
        }
        fields.skip(4 * 4);
        counted(&mut fields, 8);
        counted(&mut fields, 16);
        fields.0.to_vec()
    }
}

fn look(scene: &mut Scene, devices: [&Device; 2]) {
    for device in devices {
        add_session(&mut scene.canaries, &device.session());
    }
}

/// A text to look for.
fn of(text: &[u8; 32]) -> Canaries {
    let mut canaries = Canaries::new();
    canaries.add("a text", text);
    canaries
}

#[track_caller]
fn assert_stored(device: &Device, text: &[u8; 32]) {
    assert!(!of(text).found_in(&device.contents()).is_empty(), "the search finds it");
}

/// Two devices that have answered each other.
fn meet(scene: &mut Scene) -> [Device; 2] {
    // Drawn like a secret, so that `finish` looks for them in freed memory.
    let [first, answer] = [(); 2].map(|()| scene.rngs[0].secret());
    let [mut alice, mut bob] = scene.run(|[alices, bobs]| {
        let (alice, bob) = (account(alices), account(bobs));
        let (of_alice, of_bob) = (directory(&alice), directory(&bob));
        [Device::new(alice, of_bob), Device::new(bob, of_alice)]
    });
    scene.bundles.push(bob.account.pre_keys().bundle().to_bytes());
    scene.run(|[alices, _]| alice.send(&first, alices));
    let envelopes = scene.run(|[alices, _]| alice.flush(&bob.account, alices));
    scene.run(|[_, bobs]| bob.receive(envelopes, bobs));
    look(scene, [&alice, &bob]);
    assert!(bob.has(&first));
    assert_stored(&alice, &first);
    assert_stored(&bob, &first);
    scene.run(|[_, bobs]| {
        bob.settle(bobs);
        bob.send(&answer, bobs);
    });
    of(&first).assert_absent(&bob.contents());
    let envelopes = scene.run(|[_, bobs]| bob.flush(&alice.account, bobs));
    scene.run(|[alices, _]| alice.receive(envelopes, alices));
    look(scene, [&alice, &bob]);
    // The answer says that the first text has arrived: nobody keeps it any more.
    of(&first).assert_absent(&alice.contents());
    assert!(alice.has(&answer));
    scene.run(|[alices, _]| alice.settle(alices));
    of(&answer).assert_absent(&alice.contents());
    let envelopes = scene.run(|[alices, _]| alice.flush(&bob.account, alices));
    scene.run(|[_, bobs]| bob.receive(envelopes, bobs));
    look(scene, [&alice, &bob]);
    of(&answer).assert_absent(&bob.contents());
    [alice, bob]
}

/// What is not in memory any more, and everything that was.
fn finish(mut scene: Scene, devices: [Device; 2]) {
    scene.run(|_| drop(devices));
    let Scene { canaries, rngs: [alices, _], .. } = &mut scene;
    canaries.add_hedged("alice", alices);
    scene.finish();
}

/// P-6.7, P-12.55
#[test]
fn a_text_that_was_settled_is_in_no_stored_block_and_no_freed_memory() {
    let mut scene = Scene::new(7);
    let [mut alice, mut bob] = meet(&mut scene);
    let texts = [(); 3].map(|()| scene.rngs[0].secret());
    for text in &texts {
        scene.run(|[alices, _]| alice.send(text, alices));
        scene.run(|_| alice.reload());
        let envelopes = scene.run(|[alices, _]| alice.flush(&bob.account, alices));
        scene.run(|[_, bobs]| bob.receive(envelopes, bobs));
        assert!(bob.has(text));
        assert_stored(&bob, text);
        // It is given again after a crash, until it is settled.
        scene.run(|_| bob.reload());
        look(&mut scene, [&alice, &bob]);
        assert!(bob.has(text));
    }
    scene.run(|[_, bobs]| bob.settle(bobs));
    texts.iter().for_each(|text| of(text).assert_absent(&bob.contents()));
    texts.iter().for_each(|text| assert_stored(&alice, text));
    scene.run(|[_, bobs]| bob.send(b"halo juga", bobs));
    let envelopes = scene.run(|[_, bobs]| bob.flush(&alice.account, bobs));
    scene.run(|[alices, _]| alice.receive(envelopes, alices));
    texts.iter().for_each(|text| of(text).assert_absent(&alice.contents()));
    finish(scene, [alice, bob]);
}

/// P-6.7, P-12.31
#[test]
fn a_text_that_was_withdrawn_is_in_no_stored_block_and_no_freed_memory() {
    let mut scene = Scene::new(8);
    let [mut alice, bob] = meet(&mut scene);
    for is_sent in [false, true] {
        let text = scene.rngs[0].secret();
        let id = scene.run(|[alices, _]| alice.send(&text, alices));
        if is_sent {
            scene.run(|[alices, _]| drop(alice.flush(&bob.account, alices)));
        }
        assert_stored(&alice, &text);
        scene.run(|[alices, _]| {
            assert!(alice.talk.withdraw_message(id));
            let _stored = alice.store(alices);
        });
        of(&text).assert_absent(&alice.contents());
    }
    finish(scene, [alice, bob]);
}

/// P-6.7, P-12.6
#[test]
fn the_secrets_of_a_link_that_was_deleted_are_in_no_stored_block_and_no_freed_memory() {
    let mut scene = Scene::new(9);
    let [mut alice, bob] = meet(&mut scene);
    let mut link = Canaries::new();
    add_session(&mut link, &alice.session());
    resumption_secrets(&alice.session()).iter().for_each(|secret| link.add("a resumption secret", secret));
    assert!(!link.found_in(&alice.contents()).is_empty(), "the search finds them");
    let stranger = account(&mut Recording::new(10));
    scene.run(|[alices, _]| {
        assert!(alice.talk.replace_peer(&alice.account, directory(&stranger), &[], NOW).is_some());
        let _stored = alice.store(alices);
    });
    link.assert_absent(&alice.contents());
    finish(scene, [alice, bob]);
}
