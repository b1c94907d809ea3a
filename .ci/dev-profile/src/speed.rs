//! How long the steps that a user waits for take in this build. On a busy machine the figures say little.

use std::hint::black_box;
use std::time::Instant;

use bisik::media::{self, MediaType};
use bisik::{Accepted, Identity, PreKeys, Session, Timestamp, Trust};
use selftest::NotRandom;

use crate::Failure;

/// Times of each step; the shortest is printed.
const ROUNDS: usize = 3;

/// The file that is encrypted.
const FILE: usize = 4 << 20;

pub fn print() -> Result<bool, Failure> {
    let (mut rng, now) = (NotRandom::from_seed(1), Timestamp::from_unix_seconds(1_800_000_000));
    let rng = &mut rng;
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    shortest("PreKeys::generate and 100 pairs", || {
        let mut keys = PreKeys::generate(&bob, now, rng);
        Ok(drop(black_box(keys.replenish(&bob, 100, rng)?)))
    })?;
    let keys = PreKeys::generate(&bob, now, rng);
    shortest("bundle verified, session set up, one message each way", || {
        let bundle = keys.bundle().verify(Trust::OnFirstUse, now)?;
        let mut a = Session::initiate(&alice, &bundle, now, rng)?;
        let hello = a.encrypt(b"halo", rng)?;
        let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, now)?;
        Ok(drop(black_box(a.decrypt(&alice, &b.encrypt(b"hai", rng)?)?)))
    })?;
    let file = vec![7; FILE];
    shortest("4 MiB encrypted", || Ok(drop(media::encrypt(MediaType::new("video/mp4")?, &file, rng)?)))?;
    let (blob, pointer) = media::encrypt(MediaType::new("video/mp4")?, &file, rng)?;
    shortest("4 MiB decrypted", || Ok(drop(pointer.decrypt(&blob)?)))?;
    Ok(true)
}

fn shortest(name: &str, mut step: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
    let mut shortest = None;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        step()?;
        let took = start.elapsed();
        shortest = Some(shortest.map_or(took, |before| took.min(before)));
    }
    println!("{name:56} {:8.1} ms", shortest.unwrap_or_default().as_secs_f64() * 1000.0);
    Ok(())
}
