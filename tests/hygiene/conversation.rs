//! Sessions: no secret is left in freed memory, from the handshake to the last drop.

use bisik::handshake::{self, DisclosureHash};
use bisik::{Accepted, Ciphertext, Identity, PreKeys, Session, StorageKey, Trust};

use super::canaries::Canaries;
use super::derived::{add_session, ml_kem_shared, state_of};
use super::freed::{Freed, freed_by};
use super::keys::NOW;
use super::recording::Recording;

const STORAGE: [u8; 32] = [0x3B; 32];

/// Both sides, and the secrets to search for.
struct Scene {
    rngs: [Recording; 2],
    canaries: Canaries,
    freed: Freed,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let rngs = [Recording::new(seed), Recording::new(seed + 1000)];
        Self { rngs, canaries: Canaries::new(), freed: Freed::new() }
    }

    fn run<T>(&mut self, work: impl FnOnce(&mut [Recording; 2]) -> T) -> T {
        let (result, freed) = freed_by(|| work(&mut self.rngs));
        self.freed.extend(freed);
        result
    }

    fn look(&mut self, session: &Session) {
        let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut Recording::new(0));
        add_session(&mut self.canaries, &state_of(record.as_bytes(), &STORAGE));
    }

    fn encrypt(&mut self, session: &mut Session, side: usize) -> Ciphertext {
        let message = self.run(|rngs| session.encrypt(b"halo", &mut rngs[side]).unwrap());
        self.look(session);
        message
    }

    fn decrypt(&mut self, session: &mut Session, message: &Ciphertext) {
        self.run(|_| assert_eq!(session.decrypt(message).unwrap(), b"halo"));
        self.look(session);
    }

    /// Through a store and back; the copy in memory is dropped.
    fn reload(&mut self, session: Session) -> Session {
        self.run(|rngs| {
            let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut rngs[0]);
            drop(Box::new(session));
            Session::unseal(&StorageKey::from_bytes(STORAGE), b"", record.as_bytes()).unwrap()
        })
    }

    fn finish(mut self) {
        let [alices, bobs] = &self.rngs;
        self.canaries.add_agreements(alices, bobs);
        for seed in bobs.seeds() {
            for randomness in alices.secrets() {
                self.canaries.add("an ML-KEM secret", &ml_kem_shared(&seed, &randomness));
            }
        }
        self.canaries.add_expanded("alice", alices);
        self.canaries.add_expanded("bob", bobs);
        self.canaries.assert_absent(&self.freed);
    }
}

/// Both kinds of bundle: with three agreements and with four.
#[test]
fn a_handshake_leaves_no_secret_in_freed_memory() {
    let mut scene = Scene::new(1);
    let [mut last_resort, mut one_time] = scene.run(|[alices, bobs]| {
        let (alice, bob) = (Box::new(Identity::generate(alices)), Box::new(Identity::generate(bobs)));
        let mut keys = PreKeys::generate(&bob, NOW, bobs);
        let published = keys.replenish(&bob, 1, bobs).unwrap().remove(0);
        let outputs = [keys.bundle(), published].map(|bundle| {
            let bundle = bundle.verify(Trust::OnFirstUse, NOW).unwrap();
            let at_alice = handshake::initiate(&alice, &bundle, None, alices).unwrap();
            let header = &at_alice.pre_key_header;
            let at_bob = handshake::respond(&bob, &keys, header, None).unwrap();
            keys.remove(at_bob.used);
            let established = &at_bob.established;
            assert_eq!(established.secret.expose_bytes(), at_alice.established.secret.expose_bytes());
            [*established.secret.expose_bytes(), *established.post_quantum_seed.expose_bytes()]
        });
        assert!(
            handshake::respond(
                &bob,
                &keys,
                &header_of_another(&keys, alices),
                DisclosureHash::from_bytes([1; 32]).ok()
            )
            .is_err()
        );
        outputs
    });
    for secret in last_resort.iter_mut().chain(&mut one_time) {
        scene.canaries.add("output of a handshake", secret);
    }
    scene.finish();
}

fn header_of_another(keys: &PreKeys, rng: &mut Recording) -> handshake::PreKeyHeader {
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let carol = Identity::generate(rng);
    handshake::initiate(&carol, &bundle, None, rng).unwrap().pre_key_header
}

#[test]
fn a_session_leaves_no_secret_in_freed_memory() {
    let mut scene = Scene::new(2);
    let (mut a, mut b) = meet(&mut scene);
    for round in 0..3 {
        let messages: Vec<_> = (0..12).map(|_| scene.encrypt(&mut a, 0)).collect();
        for number in [7, 2, 11, 0] {
            scene.decrypt(&mut b, &messages[number]);
        }
        b = scene.reload(b);
        let answer = scene.encrypt(&mut b, 1);
        scene.decrypt(&mut a, &answer);
        a = scene.reload(a);
        assert_eq!(b.skipped_keys(), 8 * (round + 1));
    }
    // A caller's collection of sessions grows, and moves them.
    scene.run(|_| {
        let mut sessions = Vec::with_capacity(1);
        sessions.extend([a, b]);
    });
    scene.finish();
}

/// Transactional use: a message held until it is stored, or dropped; a plaintext staged, or dropped.
#[test]
fn held_and_staged_messages_leave_nothing_in_freed_memory() {
    let mut scene = Scene::new(3);
    let (mut a, mut b) = meet(&mut scene);
    let plaintext = scene.rngs[0].secret();
    let key = StorageKey::from_bytes(STORAGE);
    let message = scene.run(|[rng, _]| {
        drop(Box::new(a.encrypt_held(&plaintext, rng).unwrap()));
        let held = a.encrypt_held(&plaintext, rng).unwrap();
        held.release(&a.seal(&key, b"", rng).stored()).unwrap()
    });
    scene.look(&a);
    scene.run(|[_, rng]| {
        let mut staged = b.stage(&message).unwrap();
        drop(staged.seal(&key, b"", rng));
        drop(Box::new(staged));
    });
    scene.look(&b);
    scene.run(|_| std::mem::forget(b.stage(&message).unwrap().commit()));
    scene.look(&b);
    let later = scene.run(|[rng, _]| [(); 2].map(|()| a.encrypt(&plaintext, rng).unwrap()));
    scene.look(&a);
    scene.run(|[_, rng]| {
        let [dropped, held] = later.each_ref().map(|message| b.decrypt_held(message).unwrap());
        drop(Box::new(dropped));
        std::mem::forget(held.release(&b.seal(&key, b"", rng).stored()).unwrap());
    });
    scene.look(&b);
    scene.run(|_| drop((Box::new(a), Box::new(b))));
    // The plaintext was drawn like a secret, so it is searched for too.
    scene.finish();
}

fn meet(scene: &mut Scene) -> (Session, Session) {
    let (mut a, hello, bob, mut keys) = scene.run(|[alices, bobs]| {
        let (alice, bob) = (Identity::generate(alices), Identity::generate(bobs));
        let mut keys = PreKeys::generate(&bob, NOW, bobs);
        let bundle = keys.replenish(&bob, 1, bobs).unwrap().remove(0).verify(Trust::OnFirstUse, NOW).unwrap();
        let mut session = Session::initiate(&alice, &bundle, alices).unwrap();
        let hello = session.encrypt(b"halo", alices).unwrap();
        (session, hello, bob, keys)
    });
    scene.look(&a);
    let mut b = scene.run(|_| {
        let Accepted { session, plaintext: _, used } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse).unwrap();
        keys.remove(used);
        drop((Box::new(bob), Box::new(keys)));
        session
    });
    scene.look(&b);
    let answer = scene.encrypt(&mut b, 1);
    scene.decrypt(&mut a, &answer);
    (a, b)
}
