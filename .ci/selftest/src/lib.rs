//! A whole conversation over the public interface of `bisik`, as a function that runs on any machine.
//! It needs no test harness, clock, system randomness or allocator of its own.
#![no_std]
#![forbid(unsafe_code)]

mod rng;

use bisik::{Accepted, Ciphertext, Identity, PreKeyBundle, PreKeys, Session, StorageKey, Timestamp, Trust};

pub use rng::NotRandom;

/// The current time, fixed because the machine may have no clock.
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

/// The name of the step that failed.
pub type Failure = &'static str;

/// Two devices set up a session, exchange messages out of order, are attacked, are stored and restored, and continue.
pub fn run() -> Result<(), Failure> {
    let rng = &mut NotRandom::from_seed(1);
    let (mut alice, mut bob) = meet(rng)?;
    out_of_order(&mut alice, &mut bob, rng)?;
    replay(&mut alice, &mut bob, rng)?;
    tampering(&mut bob, &mut alice, rng)?;
    let mut bob = sealed_and_reloaded(bob, rng)?;
    long_talk(&mut alice, &mut bob, rng)
}

/// Bob publishes a one-time bundle and a last-resort bundle, and is stored and restored. A session is set up with each.
fn meet(rng: &mut NotRandom) -> Result<(Session, Session), Failure> {
    let bob = Identity::generate(rng);
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    let one_time = keys.replenish(&bob, 1, rng).or(Err("pre-keys: replenish"))?.pop().ok_or("pre-keys: none made")?;
    let (bob, mut keys) = reloaded(bob, keys, rng)?;
    session(one_time, &bob, &mut keys, rng)?;
    ensure(keys.count(NOW).one_time == 0, "the one-time key is still there")?;
    session(keys.bundle(), &bob, &mut keys, rng)
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
) -> Result<(Session, Session), Failure> {
    let alice = Identity::generate(rng);
    let bundle = PreKeyBundle::from_bytes(&bundle.to_bytes()).or(Err("bundle: wire"))?;
    let bundle = bundle.verify(Trust::Pinned(bob.public()), NOW).or(Err("bundle: verify"))?;
    let mut a = Session::initiate(&alice, &bundle, rng).or(Err("initiate"))?;
    let hello = a.encrypt(b"halo", rng).or(Err("first message: encrypt"))?;
    let Accepted { session: mut b, plaintext, used, .. } =
        Session::accept(bob, keys, &hello, Trust::OnFirstUse).or(Err("accept"))?;
    ensure(plaintext == b"halo", "first message: plaintext")?;
    keys.remove(used);
    let again = Session::accept(bob, keys, &hello, Trust::OnFirstUse);
    ensure(again.is_err(), "the first message opened a second session")?;
    deliver(&mut b, &mut a, b"hai", rng)?;
    Ok((a, b))
}

/// The last of five messages arrives first. All five are decrypted.
fn out_of_order(from: &mut Session, to: &mut Session, rng: &mut NotRandom) -> Result<(), Failure> {
    let mut sent: [Option<Ciphertext>; 5] = Default::default();
    for (number, place) in sent.iter_mut().enumerate() {
        let text = [b'0' + number as u8];
        *place = Some(from.encrypt(&text, rng).or(Err("out of order: encrypt"))?);
    }
    for number in [4, 1, 0, 3, 2] {
        let message = sent[number].take().ok_or("out of order: sent")?;
        let text = to.decrypt(&message).or(Err("out of order: decrypt"))?;
        ensure(text == [b'0' + number as u8], "out of order: plaintext")?;
    }
    Ok(())
}

/// A message is decrypted once. The session survives the replay.
fn replay(from: &mut Session, to: &mut Session, rng: &mut NotRandom) -> Result<(), Failure> {
    let message = from.encrypt(b"once", rng).or(Err("replay: encrypt"))?;
    to.decrypt(&message).or(Err("replay: first copy"))?;
    ensure(to.decrypt(&message).is_err(), "replay: second copy was read")?;
    deliver(from, to, b"after the replay", rng)
}

/// A flipped bit anywhere or a missing end is refused and does no harm: the genuine message is still decrypted.
fn tampering(from: &mut Session, to: &mut Session, rng: &mut NotRandom) -> Result<(), Failure> {
    let message = from.encrypt(b"genuine", rng).or(Err("tampering: encrypt"))?;
    let bytes = message.as_bytes();
    for place in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut forged = bytes.to_vec();
        forged[place] ^= 0x40;
        refused(to, &forged)?;
    }
    refused(to, &bytes[..bytes.len() - 1])?;
    let text = to.decrypt(&message).or(Err("tampering: the genuine message"))?;
    ensure(text == b"genuine", "tampering: plaintext")
}

/// A stored session opens only under its own key and name, and continues where it stopped.
fn sealed_and_reloaded(session: Session, rng: &mut NotRandom) -> Result<Session, Failure> {
    let key = StorageKey::generate(rng);
    let record = session.seal(&key, b"alice", rng);
    drop(session);
    let other = StorageKey::generate(rng);
    ensure(Session::unseal(&other, b"alice", record.as_bytes()).is_err(), "unseal: a wrong key")?;
    ensure(Session::unseal(&key, b"mallory", record.as_bytes()).is_err(), "unseal: a wrong name")?;
    Session::unseal(&key, b"alice", record.as_bytes()).or(Err("unseal"))
}

/// Enough turns for several steps of every ratchet.
fn long_talk(alice: &mut Session, bob: &mut Session, rng: &mut NotRandom) -> Result<(), Failure> {
    for _ in 0..8 {
        deliver(alice, bob, b"apa kabar?", rng)?;
        deliver(bob, alice, b"baik", rng)?;
    }
    Ok(())
}

/// Sends one message as bytes, and decrypts it to the same text.
fn deliver(from: &mut Session, to: &mut Session, text: &[u8], rng: &mut NotRandom) -> Result<(), Failure> {
    let sent = from.encrypt(text, rng).or(Err("deliver: encrypt"))?;
    let received = Ciphertext::from_bytes(sent.as_bytes()).or(Err("deliver: wire"))?;
    let read = to.decrypt(&received).or(Err("deliver: decrypt"))?;
    ensure(read == text, "deliver: plaintext")
}

/// Refused either when decoded or when decrypted.
fn refused(to: &mut Session, forged: &[u8]) -> Result<(), Failure> {
    let read = Ciphertext::from_bytes(forged).ok().and_then(|message| to.decrypt(&message).ok());
    ensure(read.is_none(), "tampering: a forged message was read")
}

fn ensure(holds: bool, otherwise: Failure) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise) }
}
