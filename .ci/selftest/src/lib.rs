//! A whole conversation over the public interface of `bisik`, as a function that runs on any machine.
//! It needs no test harness, clock, system randomness or allocator of its own.
#![no_std]
#![forbid(unsafe_code)]

mod cost;
mod rng;

use bisik::{
    Accepted, Ciphertext, DecryptError, Decrypted, EncryptError, Identity, InitiateOptions, PreKeyBundle, PreKeys,
};
use bisik::{Session, StorageKey, Timestamp, Trust};

pub use cost::{Costs, GAP, costs};
pub use rng::NotRandom;

/// The current time, fixed because the machine may have no clock.
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// More turns than two epochs of the post-quantum ratchet need.
const TURNS: usize = 200;

/// The name of the step that failed.
pub type Failure = &'static str;

/// One side of a session, with the identity that reads its first answer.
struct Device {
    identity: Identity,
    session: Session,
}

impl Device {
    fn encrypt(&mut self, text: &[u8], rng: &mut NotRandom) -> Result<Ciphertext, EncryptError> {
        self.session.encrypt(text, rng)
    }

    fn decrypt(&mut self, message: &Ciphertext) -> Result<Decrypted, DecryptError> {
        self.session.decrypt(&self.identity, message)
    }

    /// Decrypts to the same text, by a peer that has proved itself.
    fn reads(&mut self, message: &Ciphertext, text: &[u8], otherwise: Failure) -> Result<(), Failure> {
        let read = self.decrypt(message).or(Err(otherwise))?.plaintext.confirmed().or(Err("an unconfirmed message"))?;
        ensure(read == text, "another plaintext")
    }
}

/// Two devices set up a session, exchange messages out of order, are attacked, are stored and restored, continue until
/// the post-quantum ratchet has turned, and set up a second session that is bound to the first.
pub fn run() -> Result<(), Failure> {
    let rng = &mut NotRandom::from_seed(1);
    let (mut alice, mut bob) = meet(rng)?;
    out_of_order(&mut alice, &mut bob, rng)?;
    replay(&mut alice, &mut bob, rng)?;
    tampering(&mut bob, &mut alice, rng)?;
    bob.session = sealed_and_reloaded(bob.session, rng)?;
    long_talk(&mut alice, &mut bob, rng)?;
    bound_session(&alice, &bob, rng)
}

/// Bob publishes a one-time bundle and a last-resort bundle, and is stored and restored. A session is set up with each.
fn meet(rng: &mut NotRandom) -> Result<(Device, Device), Failure> {
    let bob = Identity::generate(rng);
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    let one_time = keys.replenish(&bob, 1, rng).or(Err("pre-keys: replenish"))?.pop().ok_or("pre-keys: none made")?;
    let (bob, mut keys) = reloaded(bob, keys, rng)?;
    session(one_time, &bob, &mut keys, rng)?;
    ensure(keys.count(NOW).one_time == 0, "the one-time key is still there")?;
    let (alice, session) = session(keys.bundle(), &bob, &mut keys, rng)?;
    Ok((alice, Device { identity: bob, session }))
}

/// Bob's identity and pre-keys, restored from sealed records.
fn reloaded(bob: Identity, keys: PreKeys, rng: &mut NotRandom) -> Result<(Identity, PreKeys), Failure> {
    let key = StorageKey::generate(rng);
    let (identity, pre_keys) = (bob.seal(&key, b"bob", rng), keys.seal(&key, b"bob", rng));
    ensure(Identity::unseal(&key, b"bob", &pre_keys).is_err(), "unseal: pre-keys taken for an identity")?;
    let bob = Identity::unseal(&key, b"bob", &identity).or(Err("unseal: identity"))?;
    let keys = PreKeys::unseal(&key, b"bob", &pre_keys).or(Err("unseal: pre-keys"))?;
    Ok((bob, keys))
}

/// The handshake, with a bundle that was sent as bytes, and the first message in each direction.
fn session(
    bundle: PreKeyBundle,
    bob: &Identity,
    keys: &mut PreKeys,
    rng: &mut NotRandom,
) -> Result<(Device, Session), Failure> {
    let alice = Identity::generate(rng);
    let bundle = PreKeyBundle::from_bytes(&bundle.to_bytes()).or(Err("bundle: wire"))?;
    let bundle = bundle.verify(Trust::Pinned(bob.public()), NOW).or(Err("bundle: verify"))?;
    let mut a = Session::initiate(&alice, &bundle, NOW, rng).or(Err("initiate"))?;
    let hello = a.encrypt(b"halo", rng).or(Err("first message: encrypt"))?;
    let Accepted { session: mut b, plaintext, used, .. } =
        Session::accept(bob, keys, &hello, Trust::OnFirstUse, NOW).or(Err("accept"))?;
    ensure(plaintext.show_unconfirmed() == b"halo", "first message: plaintext")?;
    keys.remove(used);
    let again = Session::accept(bob, keys, &hello, Trust::OnFirstUse, NOW);
    ensure(again.is_err(), "the first message opened a second session")?;
    let mut alice = Device { identity: alice, session: a };
    let reply = b.encrypt(b"hai", rng).or(Err("first answer: encrypt"))?;
    alice.reads(&reply, b"hai", "first answer: decrypt")?;
    Ok((alice, b))
}

/// The last of five messages arrives first. All five are decrypted.
fn out_of_order(from: &mut Device, to: &mut Device, rng: &mut NotRandom) -> Result<(), Failure> {
    let mut sent: [Option<Ciphertext>; 5] = Default::default();
    for (number, place) in sent.iter_mut().enumerate() {
        let text = [b'0' + number as u8];
        *place = Some(from.encrypt(&text, rng).or(Err("out of order: encrypt"))?);
    }
    for number in [4, 1, 0, 3, 2] {
        let message = sent[number].take().ok_or("out of order: sent")?;
        to.reads(&message, &[b'0' + number as u8], "out of order: decrypt")?;
    }
    Ok(())
}

/// A message is decrypted once. The session survives the replay.
fn replay(from: &mut Device, to: &mut Device, rng: &mut NotRandom) -> Result<(), Failure> {
    let message = from.encrypt(b"once", rng).or(Err("replay: encrypt"))?;
    to.reads(&message, b"once", "replay: first copy")?;
    ensure(to.decrypt(&message).is_err(), "replay: second copy was read")?;
    deliver(from, to, b"after the replay", rng)
}

/// A flipped bit anywhere or a missing end is refused and does no harm: the genuine message is still decrypted.
fn tampering(from: &mut Device, to: &mut Device, rng: &mut NotRandom) -> Result<(), Failure> {
    let message = from.encrypt(b"genuine", rng).or(Err("tampering: encrypt"))?;
    let bytes = message.as_bytes();
    for place in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut forged = bytes.to_vec();
        forged[place] ^= 0x40;
        refused(to, &forged)?;
    }
    refused(to, &bytes[..bytes.len() - 1])?;
    to.reads(&message, b"genuine", "tampering: the genuine message")
}

/// A stored session opens only under its own key and name, and continues where it stopped.
fn sealed_and_reloaded(mut session: Session, rng: &mut NotRandom) -> Result<Session, Failure> {
    let key = StorageKey::generate(rng);
    let record = session.seal(&key, b"alice", rng).or(Err("seal"))?;
    drop(session);
    let other = StorageKey::generate(rng);
    ensure(Session::unseal(&other, b"alice", record.head(), |_| None).is_err(), "unseal: a wrong key")?;
    ensure(Session::unseal(&key, b"mallory", record.head(), |_| None).is_err(), "unseal: a wrong name")?;
    Session::unseal(&key, b"alice", record.head(), |_| None).or(Err("unseal"))
}

/// Turns until the root has taken in the secrets of two post-quantum epochs, each of another side.
fn long_talk(alice: &mut Device, bob: &mut Device, rng: &mut NotRandom) -> Result<(), Failure> {
    for _ in 0..TURNS {
        deliver(alice, bob, b"apa kabar?", rng)?;
        deliver(bob, alice, b"baik", rng)?;
        if alice.session.post_quantum_age().epoch >= 2 {
            return Ok(());
        }
    }
    Err("long talk: the post-quantum ratchet stands still")
}

/// Alice writes to Bob's new pre-keys. Both sessions get a secret of the older one, by the labels that Alice sends.
fn bound_session(alice: &Device, bob: &Device, rng: &mut NotRandom) -> Result<(), Failure> {
    let keys = PreKeys::generate(&bob.identity, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.identity.public()), NOW).or(Err("bound: bundle"))?;
    let offers = [alice.session.offer().ok_or("bound: nothing to offer")?];
    let options = InitiateOptions { offers: &offers, ..InitiateOptions::default() };
    let mut a = Session::initiate_with(&alice.identity, &bundle, options, NOW, rng).or(Err("bound: initiate"))?;
    let labels = a.labels().ok_or("bound: labels")?;
    let hello = a.encrypt(b"halo", rng).or(Err("bound: encrypt"))?;
    let trust = Trust::Pinned(alice.identity.public());
    let Accepted { session: mut b, .. } =
        Session::accept(&bob.identity, &keys, &hello, trust, NOW).or(Err("bound: accept"))?;
    b.resume(&labels, &bob.session.accepts()).or(Err("bound: resume"))?.ok_or("bound: no label fits")?;
    let answer = b.encrypt(b"hai", rng).or(Err("bound: answer"))?;
    let read = a.decrypt(&alice.identity, &answer).or(Err("bound: decrypt"))?;
    ensure(read.confirms, "bound: not confirmed")?;
    ensure(a.bound() == Some(1) && b.bound() == Some(1) && a.bound_by() == b.bound_by(), "bound: not to the same")
}

/// Sends one message as bytes, and decrypts it to the same text.
fn deliver(from: &mut Device, to: &mut Device, text: &[u8], rng: &mut NotRandom) -> Result<(), Failure> {
    let sent = from.encrypt(text, rng).or(Err("deliver: encrypt"))?;
    let received = Ciphertext::from_bytes(sent.as_bytes()).or(Err("deliver: wire"))?;
    to.reads(&received, text, "deliver: decrypt")
}

/// Refused either when decoded or when decrypted.
fn refused(to: &mut Device, forged: &[u8]) -> Result<(), Failure> {
    let read = Ciphertext::from_bytes(forged).ok().and_then(|message| to.decrypt(&message).ok());
    ensure(read.is_none(), "tampering: a forged message was read")
}

fn ensure(holds: bool, otherwise: Failure) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise) }
}
