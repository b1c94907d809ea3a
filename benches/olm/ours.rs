//! The table's operations in this library. `theirs.rs` does the same in the same order.

use std::hint::black_box;

use bisik::{Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Session, StorageKey, Timestamp, Trust};

use crate::support::meter::{Case, pieces};
use crate::{PREPARED, REVERSED};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const CONTEXT: &[u8] = b"session with bob";

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

fn decrypt_one(identity: &Identity, session: &mut Session, message: &[u8]) {
    let message = Ciphertext::from_bytes(black_box(message)).unwrap();
    drop(black_box(session.decrypt(identity, &message).unwrap()));
}

pub(crate) fn encrypt(length: usize) -> Case {
    let (mut a, _) = World::new().established();
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                black_box(encrypt_one(&mut a, &plaintext));
            }
        });
    })
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
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                let there = encrypt_one(&mut a, &[7; 32]);
                decrypt_one(&world.bob, &mut b, &there);
                let back = encrypt_one(&mut b, &[8; 32]);
                decrypt_one(&world.alice, &mut a, &back);
            }
        });
    })
}

pub(crate) fn initiate() -> Case {
    let world = World::new();
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                black_box(encrypt_one(&mut world.initiate(), &[7; 32]));
            }
        });
    })
}

pub(crate) fn accept() -> Case {
    let (world, key) = (World::new(), StorageKey::from_bytes([1; 32]));
    let hello = encrypt_one(&mut world.initiate(), &[7; 32]);
    let record = world.keys.seal(&key, CONTEXT, &mut rand::rng());
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let mut stores: Vec<_> = (0..piece).map(|_| PreKeys::unseal(&key, CONTEXT, &record).unwrap()).collect();
            meter.measure(&mut || {
                for keys in &mut stores {
                    let message = Ciphertext::from_bytes(black_box(&hello)).unwrap();
                    let accepted = Session::accept(&world.bob, keys, &message, Trust::OnFirstUse, NOW).unwrap();
                    keys.remove(accepted.used);
                    drop(black_box((accepted.session, accepted.plaintext)));
                }
            });
        }
    })
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
    let key = StorageKey::from_bytes([1; 32]);
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                black_box(session.seal(&key, CONTEXT, &mut rand::rng()).unwrap().head().to_vec());
            }
        });
    })
}

pub(crate) fn unseal(mut session: Session) -> Case {
    let key = StorageKey::from_bytes([1; 32]);
    let record = session.seal(&key, CONTEXT, &mut rand::rng()).unwrap().head().to_vec();
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                black_box(Session::unseal(&key, CONTEXT, black_box(&record), |_| None).unwrap());
            }
        });
    })
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
