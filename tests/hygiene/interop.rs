//! Interop sessions: `Debug` of their types shows no secret, and none is left in freed memory.

use bisik::StorageKey;
use bisik::interop::signal::*;
use bisik::interop::signal::{
    Distribution, GroupDecryptError, GroupEncryptError, GroupHeader, GroupReceiver, GroupSender, SenderKeyFormat,
};
use bisik::interop::whatsapp::media::{self, MediaKind};
use bisik::interop::whatsapp::*;

use super::canaries::Canaries;
use super::debug::{Shown, show};
use super::derived::{Fields, add_aead_key, hmac, state_of};
use super::freed::{Freed, freed_by};
use super::recording::Recording;

const STORAGE: [u8; 32] = [0x5D; 32];
const PLAINTEXT: &[u8] = b"hanya untuk dibaca kita berdua saja";

pub fn debug(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let mut keys = PreKeys::generate(&bob, rng);
    let id = keys.replenish(1, rng).unwrap()[0];
    let bundle = keys.bundle(&bob, 0, Some(id)).unwrap();
    let verified = bundle.verify(Trust::OnFirstUse).unwrap();
    let mut session = Session::initiate(&alice, &verified, rng).unwrap();
    let hello = session.encrypt(PLAINTEXT, rng).unwrap();
    let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse).unwrap();
    session.reinitiate(&alice, &verified, rng).unwrap();
    let again = session.encrypt(PLAINTEXT, rng).unwrap();
    let mut at_bob = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse).unwrap().session;
    show(shown, &at_bob.accept_reinitiated(&bob, &keys, &again).unwrap());
    for session in [&mut session, &mut at_bob] {
        add_session(canaries, session);
    }
    let answer = at_bob.encrypt(PLAINTEXT, rng).unwrap();
    show(shown, &session.decrypt_held(&answer).unwrap());
    show(shown, &Trust::OnFirstUse);
    show(shown, &alice);
    show(shown, &alice.public());
    show(shown, alice.pair());
    show(shown, alice.public().key());
    show(shown, &keys);
    show(shown, &bundle);
    show(shown, &bundle.one_time.unwrap());
    show(shown, &bundle.signed);
    show(shown, &verified);
    show(shown, &accepted.used);
    show(shown, &accepted);
    show(shown, &hello);
    show(shown, &hello.kind());
    show(shown, &hello.header().unwrap());
    show(shown, &hello.header().unwrap().pre_key.unwrap());
    show(shown, &session.encrypt_held(PLAINTEXT, rng).unwrap());
    let reply = at_bob.encrypt(PLAINTEXT, rng).unwrap();
    show(shown, &session.stage(&reply).unwrap());
    show(shown, &session);
    show(shown, &xeddsa::SigningKey::new(alice.pair()));
    show(shown, &xeddsa::VerifyingKey::new(alice.public().key()).unwrap());
    groups(shown, rng);
    attachments(shown, rng);
    message_secrets(shown, rng);
    let party = Party { identifier: b"+62", keys: &[alice.public()] };
    show(shown, &SafetyNumber::new(1, &party, &party));
    show(shown, &party);
    let shared = AppStateKeys::derive(&rng.secret(), b"id");
    show(shown, &shared);
    show(shown, &LtHash::new());
    show(shown, &Collection::Regular);
    show(shown, &Operation::Set);
    errors(shown);
}

fn groups(shown: &mut Shown, rng: &mut Recording) {
    let mut sender = GroupSender::generate(SenderKeyFormat::WhatsApp, rng);
    let mut receiver = GroupReceiver::new();
    receiver.process(&sender.distribution());
    let message = sender.encrypt(PLAINTEXT, rng).unwrap();
    show(shown, &receiver.stage(&message).unwrap());
    receiver.decrypt(&message).unwrap();
    show(shown, &sender.encrypt_held(PLAINTEXT, rng).unwrap());
    show(shown, &sender.format());
    show(shown, &sender.distribution());
    show(shown, &GroupHeader::of(&message).unwrap());
    show(shown, &sender);
    show(shown, &receiver);
}

fn attachments(shown: &mut Shown, rng: &mut Recording) {
    let (blob, attachment) = media::encrypt(MediaKind::Image, PLAINTEXT, rng).unwrap();
    show(shown, &media::Encryptor::new(MediaKind::Image, media::MediaKey::from_bytes(rng.secret())));
    let mut verifier = attachment.verifier();
    verifier.push(&blob).unwrap();
    show(shown, &verifier);
    let ranges = verifier.finish().unwrap();
    show(shown, &ranges.plan(0..4));
    show(shown, &ranges);
    show(shown, attachment.key());
    show(shown, &attachment.kind());
    show(shown, &attachment);
}

fn message_secrets(shown: &mut Shown, rng: &mut Recording) {
    let secret = MessageSecret::generate(rng);
    let add_on = AddOn { use_case: UseCase::PollVote, parent: "poll", parent_sender: "a", author: "b" };
    let vote = PollVote::of(&["yes"]);
    show(shown, &secret.seal_vote(&add_on, &vote, rng).unwrap());
    show(shown, &vote);
    show(shown, &add_on.use_case);
    show(shown, &add_on);
    show(shown, &secret);
}

fn errors(shown: &mut Shown) {
    show(shown, &Ciphertext::from_parts(MessageKind::Whisper, b"").unwrap_err());
    show(shown, &PublicKey::from_bytes(b"").unwrap_err());
    show(shown, &BundleError::BadSignature);
    show(shown, &PreKeysError::Full);
    show(shown, &InitiateError::OwnBundle);
    show(shown, &AcceptError::Rejected);
    show(shown, &DecryptError::Rejected);
    show(shown, &EncryptError::TooLong);
    show(shown, &Distribution::from_bytes(b"").unwrap_err());
    show(shown, &GroupEncryptError::TooLong);
    show(shown, &GroupDecryptError::Rejected);
    show(shown, &media::MediaError::Rejected);
    show(shown, &AddOnError::Rejected);
    show(shown, &AppStateKeys::tag_of(b"").unwrap_err());
    show(shown, &ScanError::Malformed);
    show(shown, &unpad(b"").unwrap_err());
}

/// Adds the secrets of a sealed session. The layout is written out here again.
pub fn add_session(canaries: &mut Canaries, session: &mut Session) {
    let record = session.seal(&StorageKey::from_bytes(STORAGE), b"", &mut Recording::new(0)).unwrap();
    let state = state_of(record.as_bytes(), &STORAGE);
    let mut fields = Fields(&state[8 + 32 + 4 + 32..]);
    for _ in 0..fields.number() {
        fields.skip(32 + 4 + 8);
        if fields.byte() == 0 {
            fields.skip(4 + 1 + 4);
        }
        canaries.add("root key", &fields.secret());
        if fields.byte() == 1 {
            canaries.add("ratchet secret", &fields.secret());
            fields.skip(32);
        }
        if fields.byte() == 1 {
            fields.skip(32);
        }
        if fields.byte() == 1 {
            add_chain_key(canaries, "sending chain key", &fields.secret());
            fields.skip(4);
        }
        fields.skip(4);
        for _ in 0..fields.number() {
            fields.skip(32);
            add_chain_key(canaries, "receiving chain key", &fields.secret());
            fields.skip(4);
            for _ in 0..fields.number() {
                fields.skip(4);
                add_message_key(canaries, &fields.secret());
            }
        }
        for _ in 0..fields.number() {
            fields.skip(8);
            for _ in 0..fields.number() {
                fields.skip(4);
                add_message_key(canaries, &fields.secret());
            }
        }
    }
    assert!(fields.0.is_empty(), "the layout of the state has changed");
}

pub fn add_chain_key(canaries: &mut Canaries, name: &str, key: &[u8; 32]) {
    add_aead_key(canaries, name, key);
    add_message_key(canaries, &hmac(key, &[1]));
}

/// Adds a message key and the keys that it gives: HKDF-SHA256 by hand, three blocks.
fn add_message_key(canaries: &mut Canaries, key: &[u8; 32]) {
    add_message_key_salted(canaries, key, &[0; 32]);
}

/// The same with a salt, which version 4 has.
pub fn add_message_key_salted(canaries: &mut Canaries, key: &[u8; 32], salt: &[u8; 32]) {
    canaries.add("message key", key);
    let prk = hmac(salt, key);
    add_aead_key(canaries, "pseudorandom key", &prk);
    let first = hmac(&prk, b"WhisperMessageKeys\x01");
    let second = hmac(&prk, &[first.as_slice(), b"WhisperMessageKeys\x02"].concat());
    let third = hmac(&prk, &[second.as_slice(), b"WhisperMessageKeys\x03"].concat());
    canaries.add("cipher key", &first);
    add_aead_key(canaries, "MAC key", &second);
    canaries.add("initialisation vector", &third[..16]);
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

/// Held and staged messages: released, or dropped before that.
#[test]
fn held_and_staged_interop_messages_leave_no_secret_in_freed_memory() {
    let rngs = [Recording::new(42), Recording::new(1042)];
    let mut scene = Scene { rngs, canaries: Canaries::new(), freed: Freed::new() };
    scene.canaries.add("plaintext", PLAINTEXT);
    let key = StorageKey::from_bytes(STORAGE);
    let (mut a, mut b) = scene.run(|[alices, bobs]| {
        let (alice, bob) = (Box::new(Identity::generate(alices)), Box::new(Identity::generate(bobs)));
        let keys = Box::new(PreKeys::generate(&bob, bobs));
        let bundle = keys.bundle(&bob, 0, None).unwrap().verify(Trust::OnFirstUse).unwrap();
        let mut a = Session::initiate(&alice, &bundle, alices).unwrap();
        let hello = a.encrypt(PLAINTEXT, alices).unwrap();
        let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse).unwrap();
        std::mem::forget(accepted.plaintext);
        (a, accepted.session)
    });
    for round in 0..3 {
        let messages: [Ciphertext; 4] = std::array::from_fn(|_| {
            let message = scene.run(|[alices, _]| {
                drop(Box::new(a.encrypt_held(PLAINTEXT, alices).unwrap()));
                let held = a.encrypt_held(PLAINTEXT, alices).unwrap();
                held.release(&a.seal(&key, b"", alices).unwrap().stored()).unwrap()
            });
            add_session(&mut scene.canaries, &mut a);
            message
        });
        scene.run(|[_, bobs]| {
            // Of a step, of a gap, and of a skipped key: sealed, and dropped with the copy that was sealed and with the
            // session that this poisons.
            let record = b.seal(&key, b"", bobs).unwrap();
            let mut copy = Box::new(Session::unseal(&key, b"", record.as_bytes()).unwrap());
            let mut staged = copy.stage(&messages[2 - round % 2]).unwrap();
            drop(staged.seal(&key, b"", bobs).unwrap());
            drop(Box::new(staged));
        });
        for message in [&messages[2], &messages[0]] {
            scene.run(|_| drop(Box::new(b.decrypt_held(message).unwrap())));
            add_session(&mut scene.canaries, &mut b);
        }
        scene.run(|[_, bobs]| {
            let held = b.decrypt_held(&messages[3]).unwrap();
            std::mem::forget(held.release(&b.seal(&key, b"", bobs).unwrap().stored()).unwrap());
        });
        add_session(&mut scene.canaries, &mut b);
        let answer = scene.write(&mut b, 1);
        scene.read(&mut a, &answer);
    }
    scene.run(|_| drop((Box::new(a), Box::new(b))));
    let Scene { rngs, mut canaries, freed } = scene;
    for rng in &rngs {
        for secret in rng.secrets() {
            canaries.add("a secret that was drawn", &secret);
        }
    }
    canaries.assert_absent(&freed);
}

/// Two handshakes, gaps, late messages, refused ones, an archived state that is promoted, and records.
#[test]
fn an_interop_session_leaves_no_secret_in_freed_memory() {
    let rngs = [Recording::new(41), Recording::new(1041)];
    let mut scene = Scene { rngs, canaries: Canaries::new(), freed: Freed::new() };
    scene.canaries.add("plaintext", PLAINTEXT);
    let (alice, bob, mut keys) = scene.run(|[alices, bobs]| {
        let (alice, bob) = (Box::new(Identity::generate(alices)), Box::new(Identity::generate(bobs)));
        let keys = PreKeys::generate(&bob, bobs);
        (alice, bob, keys)
    });
    let ids = scene.run(|[_, bobs]| keys.replenish(5, bobs).unwrap());
    let bundles = ids.iter().map(|id| keys.bundle(&bob, 0, Some(*id)).unwrap().verify(Trust::OnFirstUse).unwrap());
    let bundles: Vec<_> = bundles.collect();
    let mut a = scene.run(|[alices, _]| Session::initiate(&alice, &bundles[0], alices).unwrap());
    let hello = scene.write(&mut a, 0);
    let mut b = scene.run(|_| {
        let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse).unwrap();
        keys.remove(accepted.used);
        std::mem::forget(accepted.plaintext);
        accepted.session
    });
    for round in 0..3 {
        let messages: Vec<_> = (0..12).map(|_| scene.write(&mut a, 0)).collect();
        for number in [7, 2, 11, 0] {
            scene.read(&mut b, &messages[number]);
            scene.run(|_| assert_eq!(b.decrypt(&messages[number]), Err(DecryptError::Replayed)));
        }
        b = scene.reload(b);
        let answer = scene.write(&mut b, 1);
        let mut forged = answer.as_bytes().to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let forged = Ciphertext::from_parts(MessageKind::Whisper, &forged).unwrap();
        scene.run(|_| assert_eq!(a.decrypt(&forged), Err(DecryptError::Rejected)));
        scene.read(&mut a, &answer);
        a = scene.reload(a);
        // Initiated again: the current state is archived, and a message in it makes it current again.
        scene.run(|[alices, _]| a.reinitiate(&alice, &bundles[round + 1], alices).unwrap());
        add_session(&mut scene.canaries, &mut a);
        let again = scene.write(&mut a, 0);
        let in_the_old = scene.write(&mut b, 1);
        scene.run(|_| {
            let accepted = b.accept_reinitiated(&bob, &keys, &again).unwrap();
            keys.remove(accepted.used);
            std::mem::forget(accepted.plaintext);
        });
        scene.read(&mut a, &in_the_old);
        assert_eq!((a.archived(), b.archived()), (round + 1, round + 1));
    }
    scene.run(|[_, bobs]| {
        let record = keys.seal(&StorageKey::from_bytes(STORAGE), b"", bobs);
        drop(PreKeys::unseal(&StorageKey::from_bytes(STORAGE), b"", &record).unwrap());
        let record = bob.seal(&StorageKey::from_bytes(STORAGE), b"", bobs);
        drop(Identity::unseal(&StorageKey::from_bytes(STORAGE), b"", &record).unwrap());
        drop(Box::new(keys));
        drop((alice, bob));
        let mut sessions = Vec::with_capacity(1);
        sessions.extend([a, b]);
    });
    let Scene { rngs: [alices, bobs], mut canaries, freed } = scene;
    canaries.add_agreements(&alices, &bobs);
    for rng in [&alices, &bobs] {
        for secret in rng.secrets() {
            canaries.add("a secret that was drawn", &secret);
            let clamped = curve25519_dalek::scalar::clamp_integer(secret);
            canaries.add("a secret that was drawn, clamped", &clamped);
        }
        for random in rng.seeds() {
            canaries.add("a signature's randomness", &random);
        }
    }
    canaries.assert_absent(&freed);
}

/// Adds the key of a sender key's chain and those of its message: HKDF-SHA256 by hand, two blocks.
fn add_sender_chain(canaries: &mut Canaries, chain: &[u8; 32]) {
    add_aead_key(canaries, "sender chain key", chain);
    let seed = hmac(chain, &[1]);
    canaries.add("group message key", &seed);
    let prk = hmac(&[0; 32], &seed);
    let first = hmac(&prk, b"WhisperGroup\x01");
    let second = hmac(&prk, &[first.as_slice(), b"WhisperGroup\x02"].concat());
    canaries.add("group initialisation vector", &first[..16]);
    canaries.add("group cipher key", &[&first[16..], &second[..16]].concat());
}

/// A sender key: gaps, late and refused messages, distributions that are told again, staged and held ones, and records.
#[test]
fn a_sender_key_leaves_no_secret_in_freed_memory() {
    let rngs = [Recording::new(43), Recording::new(1043)];
    let mut scene = Scene { rngs, canaries: Canaries::new(), freed: Freed::new() };
    scene.canaries.add("plaintext", PLAINTEXT);
    let key = StorageKey::from_bytes(STORAGE);
    let mut sender = scene.run(|[alices, _]| GroupSender::generate(SenderKeyFormat::WhatsApp, alices));
    let mut distributions = Vec::new();
    let mut messages = Vec::new();
    for _ in 0..12 {
        // The bytes of a distribution are the caller's to wipe.
        let bytes = sender.distribution().to_bytes();
        let at = bytes.len() - 35 - 32;
        add_sender_chain(&mut scene.canaries, bytes[at..at + 32].try_into().unwrap());
        distributions.push(bytes);
        messages.push(scene.run(|[alices, _]| {
            drop(Box::new(sender.distribution()));
            sender.encrypt(PLAINTEXT, alices).unwrap()
        }));
    }
    let mut receiver = GroupReceiver::new();
    let tell = |receiver: &mut GroupReceiver, at: usize| {
        receiver.process(&Box::new(Distribution::from_bytes(&distributions[at]).unwrap()));
    };
    scene.run(|[_, bobs]| {
        tell(&mut receiver, 2);
        std::mem::forget(receiver.decrypt(&messages[5]).unwrap());
        std::mem::forget(receiver.decrypt(&messages[3]).unwrap());
        let mut forged = messages[6].clone();
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(receiver.decrypt(&forged), Err(GroupDecryptError::Rejected));
        tell(&mut receiver, 0);
        std::mem::forget(receiver.decrypt(&messages[1]).unwrap());
        let record = receiver.seal(&key, b"", bobs).unwrap();
        let mut copy = Box::new(GroupReceiver::unseal(&key, b"", record.as_bytes()).unwrap());
        let mut staged = copy.stage(&messages[8]).unwrap();
        drop(staged.seal(&key, b"", bobs).unwrap());
        drop(Box::new(staged));
        drop(copy);
        drop(Box::new(receiver.decrypt_held(&messages[8]).unwrap()));
        tell(&mut receiver, 11);
        std::mem::forget(receiver.decrypt(&messages[11]).unwrap());
        assert_eq!(receiver.skipped_keys(), 7);
        drop(Box::new(receiver));
    });
    scene.run(|[alices, _]| {
        let record = sender.seal(&key, b"", alices).unwrap();
        drop(Box::new(sender));
        drop(Box::new(GroupSender::unseal(&key, b"", record.as_bytes()).unwrap()));
    });
    let Scene { rngs, mut canaries, freed } = scene;
    for rng in &rngs {
        for secret in rng.secrets() {
            canaries.add("a secret that was drawn", &secret);
        }
        for random in rng.seeds() {
            canaries.add("a signature's randomness", &random);
        }
    }
    canaries.assert_absent(&freed);
}
