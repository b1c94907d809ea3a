//! Interop sessions of version 4: `Debug` of their types shows no secret, and none is left in freed memory.

use bisik::StorageKey;
use bisik::interop::signal::v4::{Addresses, Ciphertext, KyberKeyPair, PreKeys, ServiceAddress, ServiceKind, Session};
use bisik::interop::signal::{DecryptError, Identity, MessageKind, Trust};

use super::canaries::Canaries;
use super::debug::{Shown, show};
use super::derived::{Fields, add_aead_key, hmac, state_of};
use super::freed::{Freed, freed_by};
use super::interop::{add_chain_key, add_message_key_salted};
use super::recording::Recording;

const STORAGE: [u8; 32] = [0x5E; 32];
const PLAINTEXT: &[u8] = b"hanya untuk dibaca kita berdua, hari ini dan kelak";

pub fn debug(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let mut keys = PreKeys::generate(&bob, rng);
    let kyber = keys.replenish_kyber(&bob, 1, rng).unwrap()[0];
    let bundle = keys.bundle(&bob, 1, None, Some(kyber)).unwrap();
    let verified = bundle.verify(Trust::OnFirstUse).unwrap();
    let address = ServiceAddress { kind: ServiceKind::Account, uuid: [1; 16], device: 1 };
    let addresses = Addresses { ours: address, theirs: address };
    let mut session = Session::initiate(&alice, &verified, Some(addresses), rng).unwrap();
    let hello = session.encrypt(PLAINTEXT, rng).unwrap();
    let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, None).unwrap();
    session.reinitiate(&alice, &verified, rng).unwrap();
    let again = session.encrypt(PLAINTEXT, rng).unwrap();
    let mut at_bob = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, None).unwrap().session;
    show(shown, &at_bob.accept_reinitiated(&bob, &keys, &again).unwrap());
    for session in [&mut session, &mut at_bob] {
        add_session(canaries, session);
    }
    let answer = at_bob.encrypt(PLAINTEXT, rng).unwrap();
    session.decrypt(&answer).unwrap();
    show(shown, &KyberKeyPair::generate(rng));
    show(shown, &bundle.kyber.key);
    show(shown, &bundle.kyber);
    show(shown, &bundle);
    show(shown, &verified);
    show(shown, &keys);
    show(shown, &accepted.used);
    show(shown, &accepted);
    show(shown, &addresses);
    show(shown, &address);
    show(shown, &address.kind);
    show(shown, &hello);
    show(shown, &hello.header().unwrap());
    show(shown, &hello.header().unwrap().pre_key.unwrap());
    show(shown, &session.encrypt_held(PLAINTEXT, rng).unwrap());
    let reply = at_bob.encrypt(PLAINTEXT, rng).unwrap();
    show(shown, &session.stage(&reply).unwrap());
    show(shown, &session);
}

/// Adds the secrets of a sealed session, on a stack of its own: what this leaves there is not the library's.
fn add_session(canaries: &mut Canaries, session: &mut Session) {
    std::thread::scope(|scope| scope.spawn(|| read_session(canaries, session)).join().unwrap());
}

/// The layout is written out here again.
fn read_session(canaries: &mut Canaries, session: &mut Session) {
    let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut Recording::new(0)).unwrap();
    let state = state_of(record.as_bytes(), &STORAGE);
    let mut fields = Fields(&state[8 + 32 + 4 + 32..]);
    if fields.byte() == 1 {
        fields.skip(36);
    }
    for _ in 0..fields.number() {
        fields.skip(32 + 4 + 8);
        if fields.byte() == 1 {
            if fields.byte() == 1 {
                fields.skip(4);
            }
            fields.skip(4 + 4 + 1_568);
        }
        let mut seeds = Vec::new();
        add_ratchet(canaries, &mut fields, &mut seeds);
        fields.skip(2);
        add_braid(canaries, &mut fields);
        add_chains(canaries, &mut fields, &seeds);
    }
    assert!(fields.0.is_empty(), "the layout of the state has changed");
}

/// The Double Ratchet; and the seeds of message keys, which the other ratchet's keys salt.
fn add_ratchet(canaries: &mut Canaries, fields: &mut Fields<'_>, seeds: &mut Vec<[u8; 32]>) {
    canaries.add("root key", &fields.secret());
    if fields.byte() == 1 {
        canaries.add("ratchet secret", &fields.secret());
        fields.skip(32);
    }
    if fields.byte() == 1 {
        fields.skip(32);
    }
    let mut chain_key = |canaries: &mut Canaries, name: &str, key: [u8; 32]| {
        add_chain_key(canaries, name, &key);
        seeds.push(hmac(&key, &[1]));
    };
    if fields.byte() == 1 {
        chain_key(canaries, "sending chain key", fields.secret());
        fields.skip(4);
    }
    fields.skip(4);
    for _ in 0..fields.number() {
        fields.skip(32);
        chain_key(canaries, "receiving chain key", fields.secret());
        fields.skip(4);
        for _ in 0..fields.number() {
            fields.skip(4);
            canaries.add("skipped message key", &fields.secret());
        }
    }
    for _ in 0..fields.number() {
        fields.skip(8);
        for _ in 0..fields.number() {
            fields.skip(4);
            canaries.add("skipped message key of an ended chain", &fields.secret());
        }
    }
}

fn add_braid(canaries: &mut Canaries, fields: &mut Fields<'_>) {
    let phase = fields.byte();
    fields.skip(4);
    canaries.add("authenticator", &fields.secret());
    canaries.add("MAC key of the authenticator", &fields.secret());
    match phase {
        1..=4 => canaries.add("ML-KEM seed", &fields.array::<64>()),
        6 => fields.skip(64),
        7..=9 => {
            fields.skip(64);
            canaries.add("randomness of an encapsulation", &fields.secret());
        }
        _ => {}
    }
    match phase {
        1 => fields.skip(2 + 96),
        2 => {
            skip_long(fields);
            skip_decoder(fields, 30);
        }
        3 => {
            skip_long(fields);
            fields.skip(960);
        }
        4 => {
            fields.skip(960);
            skip_decoder(fields, 5);
        }
        5 => skip_decoder(fields, 3),
        7 => {
            skip_long(fields);
            skip_decoder(fields, 36);
        }
        8 => {
            skip_long(fields);
            fields.skip(2 + 160);
        }
        9 => skip_decoder(fields, 36),
        10 => fields.skip(2 + 160),
        _ => {}
    }
}

fn skip_long(fields: &mut Fields<'_>) {
    fields.skip(2);
    let chunks = usize::from(fields.byte());
    fields.skip(32 * chunks);
}

fn skip_decoder(fields: &mut Fields<'_>, blocks: usize) {
    let there: u32 = (0..blocks.div_ceil(8)).map(|_| fields.byte().count_ones()).sum();
    let others = usize::from(fields.byte());
    fields.skip(2 * others + 32 * (there as usize + others));
}

/// The chains of the post-quantum ratchet, the next keys that they give, and the message keys under them.
fn add_chains(canaries: &mut Canaries, fields: &mut Fields<'_>, seeds: &[[u8; 32]]) {
    canaries.add("root of the chains", &fields.secret());
    fields.skip(4);
    for _ in 0..fields.number() {
        if fields.byte() == 1 {
            add_chain(canaries, fields, seeds);
        }
        add_chain(canaries, fields, seeds);
        for _ in 0..fields.number() {
            fields.skip(4);
            canaries.add("skipped post-quantum key", &fields.secret());
        }
    }
}

fn add_chain(canaries: &mut Canaries, fields: &mut Fields<'_>, seeds: &[[u8; 32]]) {
    let (key, number) = (fields.secret(), fields.number() + 1);
    canaries.add("post-quantum chain key", &key);
    let prk = hmac(&[0; 32], &key);
    add_aead_key(canaries, "pseudorandom key of a chain", &prk);
    let info = [&number.to_be_bytes(), b"Signal PQ Ratchet V1 Chain Next".as_slice()].concat();
    let first = hmac(&prk, &[info.as_slice(), &[1]].concat());
    let second = hmac(&prk, &[first.as_slice(), &info, &[2]].concat());
    canaries.add("next post-quantum chain key", &first);
    canaries.add("post-quantum message key", &second);
    for seed in seeds {
        add_message_key_salted(canaries, seed, &second);
    }
}

/// Both sides, and the secrets to search for.
struct Scene {
    rngs: [Recording; 2],
    canaries: Canaries,
    freed: Freed,
}

impl Scene {
    fn run<T>(&mut self, work: impl FnOnce(&mut [Recording; 2]) -> T) -> T {
        let (result, freed) = freed_by(|| work(&mut self.rngs));
        self.freed.extend(freed);
        result
    }

    fn write(&mut self, session: &mut Session, side: usize) -> Ciphertext {
        let message = self.run(|rngs| session.encrypt(PLAINTEXT, &mut rngs[side]).unwrap());
        add_session(&mut self.canaries, session);
        message
    }

    fn read(&mut self, session: &mut Session, message: &Ciphertext) {
        self.run(|_| std::mem::forget(session.decrypt(message).unwrap()));
        add_session(&mut self.canaries, session);
    }

    /// Through a store and back; the copy in memory is dropped.
    fn reload(&mut self, mut session: Session) -> Session {
        self.run(|rngs| {
            let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut rngs[0]).unwrap();
            drop(Box::new(session));
            Session::unseal(&StorageKey::from_bytes(STORAGE), b"", record.as_bytes()).unwrap()
        })
    }
}

/// A handshake, gaps, forgeries, staged messages, records, and more than one epoch of the post-quantum ratchet.
#[test]
fn an_interop_session_of_version_4_leaves_no_secret_in_freed_memory() {
    let rngs = [Recording::new(43), Recording::new(1043)];
    let mut scene = Scene { rngs, canaries: Canaries::new(), freed: Freed::new() };
    scene.canaries.add("plaintext", PLAINTEXT);
    let key = StorageKey::from_bytes(STORAGE);
    let (alice, bob, mut keys) = scene.run(|[alices, bobs]| {
        let (alice, bob) = (Box::new(Identity::generate(alices)), Box::new(Identity::generate(bobs)));
        let mut keys = PreKeys::generate(&bob, bobs);
        keys.replenish(1, bobs).unwrap();
        keys.replenish_kyber(&bob, 1, bobs).unwrap();
        (alice, bob, keys)
    });
    let bundle = keys.bundle(&bob, 1, Some(1), Some(2)).unwrap().verify(Trust::OnFirstUse).unwrap();
    let mut a = scene.run(|[alices, _]| Session::initiate(&alice, &bundle, None, alices).unwrap());
    let hello = scene.write(&mut a, 0);
    let mut b = scene.run(|_| {
        let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, None).unwrap();
        keys.remove(accepted.used);
        std::mem::forget(accepted.plaintext);
        accepted.session
    });
    add_session(&mut scene.canaries, &mut b);
    for round in 0..60 {
        let messages: [Ciphertext; 2] = std::array::from_fn(|_| scene.write(&mut a, 0));
        scene.read(&mut b, &messages[1]);
        if round % 7 == 0 {
            scene.run(|_| assert_eq!(b.decrypt(&messages[1]), Err(DecryptError::Replayed)));
            scene.read(&mut b, &messages[0]);
            b = scene.reload(b);
            let mut forged = messages[0].as_bytes().to_vec();
            *forged.last_mut().unwrap() ^= 1;
            let forged = Ciphertext::from_parts(messages[0].kind(), &forged).unwrap();
            scene.run(|_| assert!(b.decrypt(&forged).is_err()));
        }
        let answer = scene.write(&mut b, 1);
        assert_eq!(answer.kind(), MessageKind::Whisper);
        if round % 5 == 0 {
            scene.run(|[alices, _]| {
                let record = a.seal(&key, b"", alices).unwrap();
                let mut copy = Box::new(Session::unseal(&key, b"", record.as_bytes()).unwrap());
                let mut staged = copy.stage(&answer).unwrap();
                drop(staged.seal(&key, b"", alices).unwrap());
                drop(Box::new(staged));
            });
            a = scene.reload(a);
        }
        scene.read(&mut a, &answer);
    }
    assert!(a.epoch() > 1, "{}", a.epoch());
    scene.run(|[_, bobs]| {
        let record = keys.seal(&key, b"", bobs);
        drop(Box::new(PreKeys::unseal(&key, b"", &record).unwrap()));
        drop((Box::new(a), Box::new(b), Box::new(keys), alice, bob));
    });
    let Scene { rngs, mut canaries, freed } = scene;
    for rng in &rngs {
        for secret in rng.secrets() {
            canaries.add("a secret that was drawn", &secret);
        }
    }
    canaries.assert_absent(&freed);
}
