//! The table's operations in this library. `theirs.rs` does the same in the same order.

use std::hint::black_box;

use curve25519_dalek::montgomery::MontgomeryPoint;

use bisik::{Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Session, StorageKey, Timestamp, Trust};

use crate::support::meter::{Case, pieces, repeated};
use crate::{PREPARED, REVERSED, STOCK};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const CONTEXT: &[u8] = b"session with bob";
const KEY: [u8; 32] = [1; 32];

/// Two devices, and the second one's published keys.
struct World {
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
    bundle: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let rng = &mut rand::rng();
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let mut keys = PreKeys::generate(&bob, NOW, rng);
        let bundle = keys.replenish(&bob, 1, rng).unwrap().remove(0).to_bytes();
        Self { alice, bob, keys, bundle }
    }

    fn initiate(&self) -> Session {
        let bundle = PreKeyBundle::from_bytes(black_box(&self.bundle)).unwrap();
        let verified = bundle.verify(Trust::Pinned(self.bob.public()), NOW).unwrap();
        Session::initiate(&self.alice, &verified, NOW, &mut rand::rng()).unwrap()
    }

    /// Returns the second device's session after it has answered, and the first one's before it has read the answer.
    fn answered(&self) -> (Session, Session, Vec<u8>) {
        let mut a = self.initiate();
        let hello = Ciphertext::from_bytes(&encrypt_one(&mut a, &[1; 32])).unwrap();
        let Accepted { session: mut b, .. } =
            Session::accept(&self.bob, &self.keys, &hello, Trust::OnFirstUse, NOW).unwrap();
        let answer = encrypt_one(&mut b, &[2; 32]);
        (a, b, answer)
    }

    /// Returns a session confirmed on both sides, in which the first side's chain has started.
    fn established(&self) -> (Session, Session) {
        let (mut a, mut b, answer) = self.answered();
        decrypt_one(&self.alice, &mut a, &answer);
        decrypt_one(&self.bob, &mut b, &encrypt_one(&mut a, &[3; 32]));
        (a, b)
    }
}

fn encrypt_one(session: &mut Session, plaintext: &[u8]) -> Vec<u8> {
    session.encrypt(black_box(plaintext), &mut rand::rng()).unwrap().into_bytes()
}

/// Everything that is stored after a change.
fn store(session: &mut Session) {
    let sealed = session.seal(&StorageKey::from_bytes(KEY), CONTEXT, &mut rand::rng()).unwrap();
    black_box((sealed.head().to_vec(), sealed.blocks().len()));
    sealed.stored();
}

fn decrypt_one(identity: &Identity, session: &mut Session, message: &[u8]) {
    let message = Ciphertext::from_bytes(black_box(message)).unwrap();
    drop(black_box(session.decrypt(identity, &message).unwrap()));
}

pub(crate) fn encrypt(length: usize) -> Case {
    let (mut a, _) = World::new().established();
    let plaintext = vec![7; length];
    repeated(move || encrypt_one(&mut a, &plaintext))
}

pub(crate) fn decrypt(length: usize) -> Case {
    let world = World::new();
    let (mut a, mut b) = world.established();
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| encrypt_one(&mut a, &plaintext)).collect();
            meter.measure(&mut || messages.iter().for_each(|message| decrypt_one(&world.bob, &mut b, message)));
        }
    })
}

pub(crate) fn turn() -> Case {
    let world = World::new();
    let (mut a, mut b) = world.established();
    repeated(move || {
        let there = encrypt_one(&mut a, &[7; 32]);
        decrypt_one(&world.bob, &mut b, &there);
        let back = encrypt_one(&mut b, &[8; 32]);
        decrypt_one(&world.alice, &mut a, &back);
    })
}

pub(crate) fn initiate() -> Case {
    let world = World::new();
    repeated(move || encrypt_one(&mut world.initiate(), &[7; 32]))
}

pub(crate) fn accept() -> Case {
    accepting(World::new(), |_, _| ())
}

/// Accepts, and then does this with the session and the pre-keys.
fn accepting(world: World, after: fn(&mut Session, &PreKeys)) -> Case {
    let hello = encrypt_one(&mut world.initiate(), &[7; 32]);
    let key = StorageKey::from_bytes(KEY);
    let record = world.keys.seal(&key, CONTEXT, &mut rand::rng());
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let mut stores: Vec<_> = (0..piece).map(|_| PreKeys::unseal(&key, CONTEXT, &record).unwrap()).collect();
            meter.measure(&mut || {
                for keys in &mut stores {
                    let message = Ciphertext::from_bytes(black_box(&hello)).unwrap();
                    let mut accepted = Session::accept(&world.bob, keys, &message, Trust::OnFirstUse, NOW).unwrap();
                    keys.remove(accepted.used);
                    after(&mut accepted.session, keys);
                    drop(black_box((accepted.session, accepted.plaintext)));
                }
            });
        }
    })
}

pub(crate) fn send(length: usize) -> Case {
    let (mut a, _) = World::new().established();
    let plaintext = vec![7; length];
    repeated(move || {
        let message = encrypt_one(&mut a, &plaintext);
        store(&mut a);
        message
    })
}

pub(crate) fn receive(length: usize) -> Case {
    let world = World::new();
    let (mut a, mut b) = world.established();
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| encrypt_one(&mut a, &plaintext)).collect();
            meter.measure(&mut || {
                for message in &messages {
                    decrypt_one(&world.bob, &mut b, message);
                    store(&mut b);
                }
            });
        }
    })
}

pub(crate) fn exchange(length: usize) -> Case {
    let world = World::new();
    let (mut a, mut b) = world.established();
    let plaintext = vec![7; length];
    repeated(move || {
        let there = encrypt_one(&mut a, &plaintext);
        store(&mut a);
        decrypt_one(&world.bob, &mut b, &there);
        store(&mut b);
        let back = encrypt_one(&mut b, &plaintext);
        store(&mut b);
        decrypt_one(&world.alice, &mut a, &back);
        store(&mut a);
    })
}

pub(crate) fn contact() -> Case {
    let world = World::new();
    repeated(move || {
        let mut session = world.initiate();
        let message = encrypt_one(&mut session, &[7; 32]);
        store(&mut session);
        message
    })
}

pub(crate) fn contacted() -> Case {
    let mut world = World::new();
    world.keys.replenish(&world.bob, 1 + STOCK, &mut rand::rng()).unwrap();
    accepting(world, |session, keys| {
        store(session);
        black_box(keys.seal(&StorageKey::from_bytes(KEY), CONTEXT, &mut rand::rng()));
    })
}

/// An X25519 key.
pub(crate) fn ratchet_key() -> Case {
    repeated(|| MontgomeryPoint::mul_base_clamped(black_box([7; 32])))
}

/// Returns a session to seal that is fresh from `accept`.
pub(crate) fn fresh() -> Session {
    World::new().answered().1
}

/// Returns a session to seal that waits for its first answer.
pub(crate) fn waiting() -> Session {
    World::new().answered().0
}

pub(crate) fn seal(mut session: Session) -> Case {
    let key = StorageKey::from_bytes(KEY);
    repeated(move || session.seal(&key, CONTEXT, &mut rand::rng()).unwrap().head().to_vec())
}

pub(crate) fn unseal(mut session: Session) -> Case {
    let key = StorageKey::from_bytes(KEY);
    let record = session.seal(&key, CONTEXT, &mut rand::rng()).unwrap().head().to_vec();
    repeated(move || Session::unseal(&key, CONTEXT, black_box(&record), |_| None).unwrap())
}

/// One run is [`REVERSED`] messages, the last one first. All of them arrive.
pub(crate) fn reversed() -> Case {
    let world = World::new();
    let (mut a, mut b) = world.established();
    Box::new(move |count, meter| {
        for _ in 0..count {
            let messages: Vec<_> = (0..REVERSED).map(|_| encrypt_one(&mut a, &[7; 32])).collect();
            meter.measure(&mut || messages.iter().rev().for_each(|message| decrypt_one(&world.bob, &mut b, message)));
        }
    })
}
