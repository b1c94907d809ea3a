//! What receiving costs, in the units of a clock that the caller passes: an honest peer, an outsider, the worst peer.

use bisik::Ciphertext;

use crate::{Device, Failure, NotRandom, deliver, ensure, meet};

/// Messages that the worst peer leaves out: half of them at the end of one chain, half at the start of the next. With one
/// more, the message would be refused as ahead before any work for the missing ones.
pub const GAP: usize = 2_000;

/// The cost of one call of `Session::decrypt`.
pub struct Costs {
    /// The next message of a chain.
    pub next: u64,
    /// The first message of a new chain: a DH step.
    pub step: u64,
    /// A message by somebody who has no key, as long as `next`, while five chains are kept.
    pub forgery: u64,
    /// One message of a peer that leaves out [`GAP`] messages.
    pub worst: u64,
}

/// Measures each. `clock` counts upwards and must not wrap during one measurement.
pub fn costs(clock: &mut dyn FnMut() -> u64) -> Result<Costs, Failure> {
    let rng = &mut NotRandom::from_seed(2);
    let (mut alice, mut bob) = meet(rng)?;
    for _ in 0..6 {
        deliver(&mut alice, &mut bob, b"halo", rng)?;
        deliver(&mut bob, &mut alice, b"halo", rng)?;
    }
    let first = alice.encrypt(b"halo", rng).or(Err("cost: encrypt"))?;
    let step = timed(&mut bob, &first, true, clock)?;
    let second = alice.encrypt(b"halo", rng).or(Err("cost: encrypt"))?;
    let mut forged = second.as_bytes().to_vec();
    if let Some(last) = forged.last_mut() {
        *last ^= 1;
    }
    let forged = Ciphertext::from_bytes(&forged).or(Err("cost: wire"))?;
    let forgery = timed(&mut bob, &forged, false, clock)?;
    let next = timed(&mut bob, &second, true, clock)?;
    leave_out(&mut alice, rng)?;
    deliver(&mut bob, &mut alice, b"halo", rng)?;
    leave_out(&mut alice, rng)?;
    let last = alice.encrypt(b"halo", rng).or(Err("cost: encrypt"))?;
    let worst = timed(&mut bob, &last, true, clock)?;
    Ok(Costs { next, step, forgery, worst })
}

/// Encrypts half of [`GAP`] messages that nobody receives.
fn leave_out(from: &mut Device, rng: &mut NotRandom) -> Result<(), Failure> {
    for _ in 0..GAP / 2 {
        from.encrypt(b"", rng).or(Err("cost: encrypt"))?;
    }
    Ok(())
}

/// Decrypts, and checks that the message is read exactly if it should be.
fn timed(to: &mut Device, message: &Ciphertext, read: bool, clock: &mut dyn FnMut() -> u64) -> Result<u64, Failure> {
    let start = clock();
    let plaintext = to.decrypt(message);
    let end = clock();
    ensure(plaintext.is_ok() == read, "cost: not what should happen")?;
    Ok(end.wrapping_sub(start))
}
