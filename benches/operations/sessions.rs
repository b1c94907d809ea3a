//! Operations of sessions.

use bisik::{Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Session, StorageKey, Timestamp, Trust};

use super::{Row, case};

/// Two devices, one pre-key store.
struct Pair {
    alice: Identity,
    bob: Identity,
    keys: PreKeys,
    now: Timestamp,
}

impl Pair {
    fn new() -> Self {
        let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let keys = PreKeys::generate(&bob, now, rng);
        Self { alice, bob, keys, now }
    }

    fn initiate(&self, bundle: &PreKeyBundle) -> Session {
        let bundle = bundle.clone().verify(Trust::Pinned(self.bob.public()), self.now).unwrap();
        Session::initiate(&self.alice, &bundle, self.now, &mut rand::rng()).unwrap()
    }

    fn accept(&self, hello: &Ciphertext) -> Session {
        let trust = Trust::Pinned(self.alice.public());
        let Accepted { session, .. } = Session::accept(&self.bob, &self.keys, hello, trust, self.now).unwrap();
        session
    }

    /// Both sessions; the last message was Bob's, so that a step of Alice's is next.
    fn established(&self) -> [Session; 2] {
        let rng = &mut rand::rng();
        let mut a = self.initiate(&self.keys.bundle());
        let mut b = self.accept(&a.encrypt(b"halo", rng).unwrap());
        _ = a.decrypt(&self.alice, &b.encrypt(b"hai", rng).unwrap()).unwrap();
        [a, b]
    }
}

/// Each operation, prepared anew for each run. In the steps of single messages the braid makes no key and encapsulates
/// nothing; the last row has what it does in an epoch.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        ("encrypt 32 B", case(established_and_stepped, |(_, [a, _])| drop(a.encrypt(&[7; 32], &mut rand::rng())))),
        ("decrypt 32 B", case(|| with_message(established_and_stepped(), &[7; 32]), read)),
        ("encrypt 1 KiB", case(established_and_stepped, |(_, [a, _])| drop(a.encrypt(&[7; 1024], &mut rand::rng())))),
        ("decrypt 1 KiB", case(|| with_message(established_and_stepped(), &[7; 1024]), read)),
        (
            "decrypt 100 messages of 32 B, the last one first",
            case(with_a_hundred, |(talk, messages)| {
                messages.iter().rev().for_each(|message| read_in(talk, message));
            }),
        ),
        ("encrypt 32 B with a step", case(about_to_step, |(_, [a, _])| drop(a.encrypt(&[7; 32], &mut rand::rng())))),
        ("decrypt 32 B with a step", case(|| with_message(about_to_step(), &[7; 32]), read)),
        (
            "verify a bundle, initiate, encrypt 32 B",
            case(
                || {
                    let pair = Pair::new();
                    let bundle = pair.keys.bundle();
                    (pair, bundle)
                },
                |(pair, bundle)| drop(pair.initiate(bundle).encrypt(&[7; 32], &mut rand::rng())),
            ),
        ),
        (
            "accept, decrypt 32 B",
            case(
                || {
                    let pair = Pair::new();
                    let hello = pair.initiate(&pair.keys.bundle()).encrypt(&[7; 32], &mut rand::rng()).unwrap();
                    (pair, hello)
                },
                |(pair, hello)| drop(pair.accept(hello)),
            ),
        ),
        ("seal a session", case(sealed, |((_, [_, b]), key, _)| drop(b.seal(key, b"bob", &mut rand::rng()).unwrap()))),
        (
            "unseal a session",
            case(sealed, |(_, key, head)| drop(Session::unseal(key, b"bob", head, |_| None).unwrap())),
        ),
        (
            "two epochs: 174 messages in turn, encrypt and decrypt",
            case(
                || {
                    let pair = Pair::new();
                    let sessions = pair.established();
                    (pair, sessions)
                },
                |talk| messages(talk, 174),
            ),
        ),
    ]
}

type Talk = (Pair, [Session; 2]);

/// Messages in turn, each read at once. Side 0 or 1 goes on where the talk is.
fn messages((pair, sessions): &mut Talk, count: usize) {
    let [a, b] = sessions;
    for turn in 0..count {
        let (from, to, identity) =
            if turn % 2 == 0 { (&mut *a, &mut *b, &pair.bob) } else { (&mut *b, &mut *a, &pair.alice) };
        let message = from.encrypt(&[7; 32], &mut rand::rng()).unwrap();
        _ = to.decrypt(identity, &message).unwrap();
    }
}

/// Alice has sent in her chain, and Bob has read it.
fn established_and_stepped() -> Talk {
    let mut talk = about_to_step();
    messages(&mut talk, 1);
    talk
}

/// Ten turns in, between a key and an encapsulation of the braid.
fn about_to_step() -> Talk {
    let pair = Pair::new();
    let sessions = pair.established();
    let mut talk = (pair, sessions);
    messages(&mut talk, 20);
    talk
}

fn with_message(mut talk: Talk, text: &[u8]) -> (Talk, Ciphertext) {
    let message = talk.1[0].encrypt(text, &mut rand::rng()).unwrap();
    (talk, message)
}

fn with_a_hundred() -> (Talk, Vec<Ciphertext>) {
    let mut talk = established_and_stepped();
    let messages = (0..100).map(|_| talk.1[0].encrypt(&[7; 32], &mut rand::rng()).unwrap()).collect();
    (talk, messages)
}

fn read((talk, message): &mut (Talk, Ciphertext)) {
    read_in(talk, message);
}

fn read_in((pair, [_, b]): &mut Talk, message: &Ciphertext) {
    _ = b.decrypt(&pair.bob, message).unwrap();
}

/// With the key for records and a record of Bob's session.
fn sealed() -> (Talk, StorageKey, Vec<u8>) {
    let (mut talk, key) = (established_and_stepped(), StorageKey::from_bytes([7; 32]));
    let head = talk.1[1].seal(&key, b"bob", &mut rand::rng()).unwrap().head().to_vec();
    (talk, key, head)
}
