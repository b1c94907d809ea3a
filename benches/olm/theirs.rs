//! The table's operations in vodozemac. `ours.rs` does the same in the same order.

use std::hint::black_box;

use vodozemac::Curve25519PublicKey;
use vodozemac::olm::{Account, AccountPickle, OlmMessage, Session, SessionConfig, SessionPickle};

use crate::support::meter::{Case, pieces, repeated};
use crate::{PREPARED, STOCK};

/// Olm's message types, which are transmitted beside its messages.
const FIRST: usize = 0;
const ORDINARY: usize = 1;

/// What records are encrypted under.
const KEY: [u8; 32] = [1; 32];

/// Two devices, and the two keys that the second has published.
struct World {
    alice: Account,
    bob: Account,
    identity: [u8; 32],
    one_time: [u8; 32],
}

impl World {
    fn new() -> Self {
        let (alice, mut bob) = (Account::new(), Account::new());
        bob.generate_one_time_keys(1);
        let identity = bob.curve25519_key().to_bytes();
        let one_time = bob.one_time_keys().into_values().next().unwrap().to_bytes();
        bob.mark_keys_as_published();
        Self { alice, bob, identity, one_time }
    }

    fn initiate(&self) -> Session {
        let identity = Curve25519PublicKey::from_bytes(black_box(self.identity));
        let one_time = Curve25519PublicKey::from_bytes(black_box(self.one_time));
        self.alice.create_outbound_session(SessionConfig::version_1(), identity, one_time).unwrap()
    }

    /// Returns the second device's session after it has answered, and the first one's before it has read the answer.
    fn answered(&mut self) -> (Session, Session, Vec<u8>) {
        let mut a = self.initiate();
        let hello = encrypt_one(&mut a, &[1; 32]);
        let mut b = accept_one(&mut self.bob, self.alice.curve25519_key(), &hello).0;
        let answer = encrypt_one(&mut b, &[2; 32]);
        (a, b, answer)
    }

    /// Returns a session confirmed on both sides, in which the first side's chain has started.
    fn established(mut self) -> (Session, Session) {
        let (mut a, mut b, answer) = self.answered();
        decrypt_one(&mut a, &answer);
        decrypt_one(&mut b, &encrypt_one(&mut a, &[3; 32]));
        (a, b)
    }
}

fn encrypt_one(session: &mut Session, plaintext: &[u8]) -> Vec<u8> {
    session.encrypt(black_box(plaintext)).unwrap().to_parts().1
}

/// Everything that is stored after a change.
fn store(session: &Session) {
    black_box(session.pickle().encrypt(black_box(&KEY)));
}

fn decrypt_one(session: &mut Session, message: &[u8]) {
    let message = OlmMessage::from_parts(ORDINARY, black_box(message)).unwrap();
    black_box(session.decrypt(&message).unwrap());
}

fn accept_one(account: &mut Account, peer: Curve25519PublicKey, message: &[u8]) -> (Session, Vec<u8>) {
    let OlmMessage::PreKey(message) = OlmMessage::from_parts(FIRST, black_box(message)).unwrap() else {
        panic!("a first message");
    };
    let accepted = account.create_inbound_session(SessionConfig::version_1(), peer, &message).unwrap();
    (accepted.session, accepted.plaintext)
}

pub(crate) fn encrypt(length: usize) -> Case {
    let (mut a, _) = World::new().established();
    let plaintext = vec![7; length];
    repeated(move || encrypt_one(&mut a, &plaintext))
}

pub(crate) fn decrypt(length: usize) -> Case {
    let (mut a, mut b) = World::new().established();
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| encrypt_one(&mut a, &plaintext)).collect();
            meter.measure(&mut || messages.iter().for_each(|message| decrypt_one(&mut b, message)));
        }
    })
}

pub(crate) fn turn() -> Case {
    let (mut a, mut b) = World::new().established();
    repeated(move || {
        let there = encrypt_one(&mut a, &[7; 32]);
        decrypt_one(&mut b, &there);
        let back = encrypt_one(&mut b, &[8; 32]);
        decrypt_one(&mut a, &back);
    })
}

pub(crate) fn initiate() -> Case {
    let world = World::new();
    repeated(move || encrypt_one(&mut world.initiate(), &[7; 32]))
}

pub(crate) fn accept() -> Case {
    accepting(World::new(), |_, _| ())
}

/// Accepts, and then does this with the session and the account.
fn accepting(world: World, after: fn(&Session, &Account)) -> Case {
    let hello = encrypt_one(&mut world.initiate(), &[7; 32]);
    let (record, peer) = (world.bob.pickle().encrypt(&KEY), world.alice.curve25519_key());
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let restore = |_| Account::from_pickle(AccountPickle::from_encrypted(&record, &KEY).unwrap());
            let mut accounts: Vec<_> = (0..piece).map(restore).collect();
            meter.measure(&mut || {
                for account in &mut accounts {
                    let accepted = accept_one(account, peer, &hello);
                    after(&accepted.0, account);
                    black_box(accepted);
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
        store(&a);
        message
    })
}

pub(crate) fn receive(length: usize) -> Case {
    let (mut a, mut b) = World::new().established();
    let plaintext = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| encrypt_one(&mut a, &plaintext)).collect();
            meter.measure(&mut || {
                for message in &messages {
                    decrypt_one(&mut b, message);
                    store(&b);
                }
            });
        }
    })
}

pub(crate) fn exchange(length: usize) -> Case {
    let (mut a, mut b) = World::new().established();
    let plaintext = vec![7; length];
    repeated(move || {
        let there = encrypt_one(&mut a, &plaintext);
        store(&a);
        decrypt_one(&mut b, &there);
        store(&b);
        let back = encrypt_one(&mut b, &plaintext);
        store(&b);
        decrypt_one(&mut a, &back);
        store(&a);
    })
}

pub(crate) fn contact() -> Case {
    let world = World::new();
    repeated(move || {
        let mut session = world.initiate();
        let message = encrypt_one(&mut session, &[7; 32]);
        store(&session);
        message
    })
}

pub(crate) fn contacted() -> Case {
    let mut world = World::new();
    world.bob.generate_one_time_keys(STOCK);
    accepting(world, |session, account| {
        store(session);
        black_box(account.pickle().encrypt(black_box(&KEY)));
    })
}

/// Returns a session to pickle that is fresh from acceptance.
pub(crate) fn fresh() -> Session {
    World::new().answered().1
}

/// Returns a session to pickle that waits for its first answer.
pub(crate) fn waiting() -> Session {
    World::new().answered().0
}

pub(crate) fn seal(session: Session) -> Case {
    repeated(move || session.pickle().encrypt(black_box(&KEY)))
}

pub(crate) fn unseal(session: Session) -> Case {
    let record = session.pickle().encrypt(&KEY);
    repeated(move || Session::from_pickle(SessionPickle::from_encrypted(black_box(&record), &KEY).unwrap()))
}
