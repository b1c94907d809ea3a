//! The table's rows for the Signal protocol in this library: `cargo bench --bench versus --features interop`.
//!
//! They are compared with Olm in vodozemac, which encrypts messages in the same way: AES-256-CBC and eight bytes of
//! HMAC-SHA256.

use std::hint::black_box;

use bisik::interop::signal::{Accepted, Ciphertext, Identity, MessageKind, PreKeyBundle, PreKeys, Session, Trust};

use super::table::Operation;
use super::theirs;
use crate::PREPARED;
use crate::support::meter::{Case, pieces, repeated};
use crate::support::report::Aim;

pub(crate) fn operations() -> Vec<Operation> {
    let against = Operation::against;
    vec![
        against("interop: encrypt 32 B", Aim::AtMost(0.20), encrypt(32), theirs::encrypt(32)),
        against("interop: encrypt 1 KiB", Aim::AtMost(0.30), encrypt(1024), theirs::encrypt(1024)),
        against("interop: decrypt 32 B", Aim::AtMost(1.2), decrypt(32), theirs::decrypt(32)),
        against("interop: decrypt 1 KiB", Aim::AtMost(1.2), decrypt(1024), theirs::decrypt(1024)),
        against("interop: there and back, a DH step each", Aim::AtMost(1.0), turn(), theirs::turn()),
        against("interop: verify, initiate, first encrypt", Aim::AtMost(1.6), initiate(), theirs::initiate()),
        against("interop: accept, first decrypt", Aim::AtMost(1.4), accept(), theirs::accept()),
    ]
}

/// Two devices, and the second one's published keys.
struct World {
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
    bundle: PreKeyBundle,
}

impl World {
    fn new() -> Self {
        let rng = &mut rand::rng();
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let mut keys = PreKeys::generate(&bob, rng);
        let id = keys.replenish(1, rng).unwrap()[0];
        let bundle = keys.bundle(&bob, 0, Some(id)).unwrap();
        Self { alice, bob, keys, bundle }
    }

    fn initiate(&self) -> Session {
        let verified = black_box(&self.bundle).verify(Trust::Pinned(&self.bob.public())).unwrap();
        Session::initiate(&self.alice, &verified, &mut rand::rng()).unwrap()
    }

    /// Returns a session confirmed on both sides, in which the first side's chain has started.
    fn established(&self) -> (Session, Session) {
        let mut a = self.initiate();
        let hello = a.encrypt(&[1; 32], &mut rand::rng()).unwrap();
        let Accepted { session: mut b, .. } =
            Session::accept(&self.bob, &self.keys, &hello, Trust::OnFirstUse).unwrap();
        let answer = encrypt_one(&mut b, &[2; 32]);
        decrypt_one(&mut a, &answer);
        decrypt_one(&mut b, &encrypt_one(&mut a, &[3; 32]));
        (a, b)
    }
}

fn encrypt_one(session: &mut Session, plaintext: &[u8]) -> Vec<u8> {
    session.encrypt(black_box(plaintext), &mut rand::rng()).unwrap().into_bytes()
}

fn decrypt_one(session: &mut Session, message: &[u8]) {
    let message = Ciphertext::from_parts(MessageKind::Whisper, black_box(message)).unwrap();
    black_box(session.decrypt(&message).unwrap());
}

fn encrypt(length: usize) -> Case {
    let (mut a, _) = World::new().established();
    let plaintext = vec![7; length];
    repeated(move || encrypt_one(&mut a, &plaintext))
}

fn decrypt(length: usize) -> Case {
    let (mut a, mut b) = World::new().established();
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| encrypt_one(&mut a, &plaintext)).collect();
            meter.measure(&mut || messages.iter().for_each(|message| decrypt_one(&mut b, message)));
        }
    })
}

fn turn() -> Case {
    let (mut a, mut b) = World::new().established();
    repeated(move || {
        let there = encrypt_one(&mut a, &[7; 32]);
        decrypt_one(&mut b, &there);
        let back = encrypt_one(&mut b, &[8; 32]);
        decrypt_one(&mut a, &back);
    })
}

fn initiate() -> Case {
    let world = World::new();
    repeated(move || encrypt_one(&mut world.initiate(), &[7; 32]))
}

fn accept() -> Case {
    let world = World::new();
    let hello = encrypt_one(&mut world.initiate(), &[7; 32]);
    repeated(move || {
        let message = Ciphertext::from_parts(MessageKind::PreKey, black_box(&hello)).unwrap();
        let accepted = Session::accept(&world.bob, &world.keys, &message, Trust::OnFirstUse).unwrap();
        (accepted.session, accepted.plaintext)
    })
}
