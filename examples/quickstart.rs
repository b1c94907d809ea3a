//! A complete exchange: keys, a bundle, a session, a message and the reply.

use bisik::{Accepted, Identity, Plaintext, PreKeys, Session, Timestamp, Trust};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    // Bob keeps `keys`, and publishes the bundle.
    let mut keys = PreKeys::generate(&bob, now, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), now)?;
    let mut a = Session::initiate(&alice, &bundle, now, rng)?;
    let hello = a.encrypt(b"halo", rng)?; // send hello.as_bytes()
    // The first contact: store the identity `b.peer()`, and pin it from now on.
    let accepted = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
    let Accepted { session: mut b, plaintext, used } = accepted;
    keys.remove(used); // in the same transaction as storing `b`
    let reply = b.encrypt(b"hai", rng)?;
    // Alice is proved when she writes after an answer.
    assert_eq!(plaintext.show_unconfirmed(), b"halo");
    let reply = a.decrypt(&alice, &reply)?; // no randomness, no clock
    assert_eq!(reply.plaintext, Plaintext::Confirmed(b"hai".to_vec()));
    Ok(())
}
