//! Sessions: no secret is left in freed memory, from the handshake to the last drop.

use std::collections::BTreeMap;

use bisik::handshake::{self, DisclosureHash};
use bisik::{Accepted, BlockId, Ciphertext, Identity, Plaintext, PreKeys, Session, StorageKey, Trust};

use super::blocks::keys_in;
use super::canaries::Canaries;
use super::derived::{add_aead_key, add_session, ml_kem_shared, ratchet_secret, resumption_secrets, set_up, state_of};
use super::freed::{Freed, freed_by};
use super::keys::NOW;
use super::recording::Recording;

pub const STORAGE: [u8; 32] = [0x3B; 32];

/// Both sides, and the secrets to search for.
pub struct Scene {
    pub rngs: [Recording; 2],
    pub canaries: Canaries,
    freed: Freed,
    /// The bundles that sessions were set up with.
    pub bundles: Vec<Vec<u8>>,
    /// The store's.
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

impl Scene {
    pub fn new(seed: u64) -> Self {
        let rngs = [Recording::new(seed), Recording::new(seed + 1000)];
        Self { rngs, canaries: Canaries::new(), freed: Freed::new(), bundles: Vec::new(), blocks: BTreeMap::new() }
    }

    pub fn run<T>(&mut self, work: impl FnOnce(&mut [Recording; 2]) -> T) -> T {
        let (result, freed) = freed_by(|| work(&mut self.rngs));
        self.freed.extend(freed);
        result
    }

    fn look(&mut self, session: &mut Session) {
        let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut Recording::new(0)).unwrap();
        add_session(&mut self.canaries, &state_of(record.head(), &STORAGE));
        for key in record.blocks().iter().flat_map(|block| keys_in(&state_of(block.as_bytes(), &STORAGE))) {
            add_aead_key(&mut self.canaries, "message key", &key);
        }
    }

    fn encrypt(&mut self, session: &mut Session, side: usize) -> Ciphertext {
        let message = self.run(|rngs| session.encrypt(b"halo", &mut rngs[side]).unwrap());
        self.look(session);
        message
    }

    fn decrypt(&mut self, identity: &Identity, session: &mut Session, message: &Ciphertext) {
        self.run(|_| assert_eq!(show(session.decrypt(identity, message).unwrap().plaintext), b"halo"));
        self.look(session);
    }

    /// Through a store and back; the copy in memory is dropped.
    fn reload(&mut self, mut session: Session) -> Session {
        let mut blocks = std::mem::take(&mut self.blocks);
        let loaded = self.run(|rngs| {
            let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut rngs[0]).unwrap();
            drop(Box::new(session));
            blocks.extend(record.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())));
            let lookup = |id: BlockId| blocks.get(&id).cloned();
            Session::unseal(&StorageKey::from_bytes(STORAGE), b"", record.head(), lookup).unwrap()
        });
        self.blocks = blocks;
        loaded
    }

    pub fn finish(mut self) {
        let [alices, bobs] = &self.rngs;
        let (mut of_bob, seeds) = self.canaries.add_hedged("bob", bobs);
        let (identity, randoms) = (alices.secrets()[0], alices.secrets());
        let mut of_alice = vec![identity];
        of_bob.push(bobs.secrets()[0]);
        for (bundle, random) in self.bundles.iter().flat_map(|bundle| randoms[2..].iter().map(move |r| (bundle, r))) {
            let [ephemeral, encapsulation, ratchet] = set_up(&identity, random, bundle);
            of_alice.extend([ephemeral, ratchet]);
            for secret in [ephemeral, encapsulation, ratchet] {
                self.canaries.add("a secret of a set-up", &secret);
            }
            for seed in &seeds {
                self.canaries.add("an ML-KEM secret", &ml_kem_shared(seed, &encapsulation));
            }
        }
        self.canaries.add_agreements_of(&of_alice, &of_bob);
        self.canaries.add_expanded("alice", alices);
        self.canaries.add_expanded("bob", bobs);
        self.canaries.assert_absent(&self.freed);
    }
}

/// Both kinds of bundle: with three agreements and with four.
#[test]
fn a_handshake_leaves_no_secret_in_freed_memory() {
    let mut scene = Scene::new(1);
    let (bundles, [mut last_resort, mut one_time]) = scene.run(|[alices, bobs]| {
        let (alice, bob) = (Box::new(Identity::generate(alices)), Box::new(Identity::generate(bobs)));
        let mut keys = PreKeys::generate(&bob, NOW, bobs);
        let published = keys.replenish(&bob, 1, bobs).unwrap().remove(0);
        let bundles = [keys.bundle().to_bytes(), published.to_bytes()];
        let outputs = [keys.bundle(), published].map(|bundle| {
            let bundle = bundle.verify(Trust::OnFirstUse, NOW).unwrap();
            let at_alice = handshake::initiate(&alice, &bundle, None, NOW, alices).unwrap();
            let header = &at_alice.pre_key_header;
            let at_bob = handshake::respond(&bob, &keys, header, None, Trust::OnFirstUse, NOW).unwrap();
            keys.remove(at_bob.claim().unwrap());
            let established = &at_bob.established;
            assert_eq!(established.secrets.expose_all(), at_alice.established.secrets.expose_all());
            established.secrets.expose_all().map(|secret| *secret)
        });
        assert!(
            handshake::respond(
                &bob,
                &keys,
                &header_of_another(&keys, alices),
                DisclosureHash::from_bytes([1; 32]).ok(),
                Trust::OnFirstUse,
                NOW
            )
            .is_err()
        );
        (bundles, outputs)
    });
    scene.bundles.extend(bundles);
    for secret in last_resort.iter_mut().chain(&mut one_time) {
        scene.canaries.add("output of a handshake", secret);
    }
    scene.finish();
}

fn header_of_another(keys: &PreKeys, rng: &mut Recording) -> handshake::PreKeyHeader {
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let carol = Identity::generate(rng);
    handshake::initiate(&carol, &bundle, None, NOW, rng).unwrap().pre_key_header
}

#[test]
fn a_session_leaves_no_secret_in_freed_memory() {
    let mut scene = Scene::new(2);
    let ([alice, bob], mut a, mut b) = meet(&mut scene);
    for round in 0..3 {
        let messages: Vec<_> = (0..12).map(|_| scene.encrypt(&mut a, 0)).collect();
        for number in [7, 2, 11, 0] {
            scene.decrypt(&bob, &mut b, &messages[number]);
        }
        b = scene.reload(b);
        let answer = scene.encrypt(&mut b, 1);
        scene.decrypt(&alice, &mut a, &answer);
        a = scene.reload(a);
        assert_eq!(b.skipped_keys(), 8 * (round + 1));
    }
    // A caller's collection of sessions grows, and moves them.
    scene.run(|_| {
        let mut sessions = Vec::with_capacity(1);
        sessions.extend([a, b]);
        drop([alice, bob].map(Box::new));
    });
    scene.finish();
}

/// What the next record must not hold any more: pair, pre-keys, what an older session gave, resumption secrets.
#[test]
fn secrets_that_have_ended_are_in_no_record() {
    let mut scene = Scene::new(4);
    let ([alice, bob], mut a, mut b) = meet(&mut scene);
    // Nobody's session holds the pre-keys that set it up, nor the hedge that drew them.
    let mut pre_keys = Canaries::new();
    pre_keys.add_hedged("bob", &scene.rngs[1]);
    for session in [&mut a, &mut b] {
        pre_keys.assert_absent(&vec![state(session).into_boxed_slice()]);
    }
    let pair_of = |session: &mut Session| {
        let mut pair = Canaries::new();
        pair.add("ratchet secret", &ratchet_secret(&state(session)));
        pair
    };
    // The own pair ends with the peer's step.
    let before = pair_of(&mut b);
    let there = scene.encrypt(&mut a, 0);
    assert!(!before.found_in(&vec![state(&mut b).into_boxed_slice()]).is_empty(), "the search finds it");
    scene.decrypt(&bob, &mut b, &there);
    before.assert_absent(&vec![state(&mut b).into_boxed_slice()]);
    let back = scene.encrypt(&mut b, 1);
    let before = pair_of(&mut a);
    scene.decrypt(&alice, &mut a, &back);
    before.assert_absent(&vec![state(&mut a).into_boxed_slice()]);
    // Resumption secrets end when they are forgotten.
    let mut resumption = Canaries::new();
    for secret in resumption_secrets(&state(&mut a)) {
        resumption.add("resumption secret", &secret);
    }
    assert!(!resumption.found_in(&vec![state(&mut a).into_boxed_slice()]).is_empty(), "the search finds them");
    scene.run(|_| a.forget_all_resumption().unwrap());
    resumption.assert_absent(&vec![state(&mut a).into_boxed_slice()]);
    scene.run(|_| drop((Box::new(a), Box::new(b), [alice, bob].map(Box::new))));
    scene.finish();
}

fn state(session: &mut Session) -> Vec<u8> {
    let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut Recording::new(0)).unwrap();
    state_of(record.head(), &STORAGE)
}

/// Transactional use: a message held until it is stored, or dropped; a plaintext staged, or dropped.
#[test]
fn held_and_staged_messages_leave_nothing_in_freed_memory() {
    let mut scene = Scene::new(3);
    let ([alice, bob], mut a, mut b) = meet(&mut scene);
    let plaintext = scene.rngs[0].secret();
    let key = StorageKey::from_bytes(STORAGE);
    let message = scene.run(|[rng, _]| {
        drop(Box::new(a.encrypt_held(&plaintext, rng).unwrap()));
        let held = a.encrypt_held(&plaintext, rng).unwrap();
        held.release(&a.seal(&key, b"", rng).unwrap().stored()).unwrap()
    });
    scene.look(&mut a);
    scene.run(|[_, rng]| {
        // On a copy, which it poisons.
        let record = b.seal(&key, b"", rng).unwrap();
        let mut copy = Box::new(Session::unseal(&key, b"", record.head(), |_| None).unwrap());
        let mut staged = copy.stage(&bob, &message).unwrap();
        drop(staged.seal(&key, b"", rng).unwrap());
        drop(Box::new(staged));
    });
    scene.look(&mut b);
    scene.run(|_| std::mem::forget(b.stage(&bob, &message).unwrap().commit()));
    scene.look(&mut b);
    let later = scene.run(|[rng, _]| [(); 2].map(|()| a.encrypt(&plaintext, rng).unwrap()));
    scene.look(&mut a);
    scene.run(|[_, rng]| {
        let [dropped, held] = later.each_ref().map(|message| b.decrypt_held(&bob, message).unwrap());
        drop(Box::new(dropped));
        std::mem::forget(held.release(&b.seal(&key, b"", rng).unwrap().stored()).unwrap());
    });
    scene.look(&mut b);
    scene.run(|_| drop((Box::new(a), Box::new(b), [alice, bob].map(Box::new))));
    // The plaintext was drawn like a secret, so it is searched for too.
    scene.finish();
}

fn show(plaintext: Plaintext) -> Vec<u8> {
    match plaintext {
        Plaintext::Confirmed(plaintext) => plaintext,
        Plaintext::Unconfirmed(plaintext) => plaintext.show_unconfirmed(),
    }
}

fn meet(scene: &mut Scene) -> ([Identity; 2], Session, Session) {
    let (mut a, hello, alice, bob, mut keys, published) = scene.run(|[alices, bobs]| {
        let (alice, bob) = (Identity::generate(alices), Identity::generate(bobs));
        let mut keys = PreKeys::generate(&bob, NOW, bobs);
        let published = keys.replenish(&bob, 1, bobs).unwrap().remove(0);
        let bytes = published.to_bytes();
        let bundle = published.verify(Trust::OnFirstUse, NOW).unwrap();
        let mut session = Session::initiate(&alice, &bundle, NOW, alices).unwrap();
        let hello = session.encrypt(b"halo", alices).unwrap();
        (session, hello, alice, bob, keys, bytes)
    });
    scene.bundles.push(published);
    scene.look(&mut a);
    let mut b = scene.run(|_| {
        let Accepted { session, plaintext: _, used } =
            Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
        keys.remove(used);
        drop(Box::new(keys));
        session
    });
    scene.look(&mut b);
    let answer = scene.encrypt(&mut b, 1);
    scene.decrypt(&alice, &mut a, &answer);
    ([alice, bob], a, b)
}
