//! Tests of the machine.

mod codec; //    stored forms
mod codes; //    the erasure code
mod explore; //  every state that two ends can reach, with short texts
mod faults; //   wrong texts, wrong epochs
mod known; //    recorded conversations
mod table; //    the table of states
mod two_ends; // long runs over a bad network
mod vectors; //  tests/vectors/braid.txt

use super::*;
use crate::codec::{Reader, SecretWriter};
use crate::primitives::kdf::digest;
use alloc::boxed::Box;
use alloc::vec::Vec;
use std::vec;

/// A key encapsulation that hides nothing, for short texts: header and tag 2 chunks, vector `V`, ct1 `C1`, ct2 and tag
/// `C2` + 1.
#[derive(Debug)]
struct Toy<const V: usize, const C1: usize, const C2: usize>;

/// `length` bytes that follow from `seed`.
fn stretched(label: u8, seed: &[u8], length: usize) -> Vec<u8> {
    (0_u8..).flat_map(|at| digest(&[&[label, at], seed])).take(length).collect()
}

impl<const V: usize, const C1: usize, const C2: usize> Kem for Toy<V, C1, C2> {
    const HEADER: usize = 32;
    const VECTOR: usize = 32 * V;
    const CT1: usize = 32 * C1;
    const CT2: usize = 32 * C2;
    type Key = (Vec<u8>, Vec<u8>);
    type Encapsulation = Vec<u8>;

    fn expand(seed: &Secret<64>) -> Self::Key {
        let header = stretched(1, seed.expose(), 32);
        let vector = stretched(2, &header, Self::VECTOR);
        (header, vector)
    }

    fn header(key: &Self::Key) -> Option<&[u8]> {
        Some(&key.0)
    }

    fn vector(key: &Self::Key) -> Option<&[u8]> {
        Some(&key.1)
    }

    fn start(header: &[u8], randomness: &Secret<32>) -> Option<(Vec<u8>, Secret<32>)> {
        let mut ct1 = randomness.expose().to_vec();
        ct1.extend(stretched(3, header, Self::CT1 - 32));
        let shared = Secret::new(digest(&[header, &ct1]));
        Some((ct1, shared))
    }

    fn ct1(encapsulation: &Vec<u8>) -> &[u8] {
        encapsulation
    }

    fn fits(header: &[u8], vector: &[u8]) -> bool {
        stretched(2, header, Self::VECTOR) == vector
    }

    fn finish(encapsulation: &Vec<u8>, vector: &[u8]) -> Option<Box<[u8]>> {
        Some(stretched(4, &[&encapsulation[..], vector].concat(), Self::CT2).into())
    }

    fn decapsulate(key: &Self::Key, ct1: &[u8], _: &[u8]) -> Option<Secret<32>> {
        Some(Secret::new(digest(&[&key.0, ct1])))
    }
}

/// The stored form of a machine.
fn stored<K: Kem>(machine: &Machine<K>) -> Vec<u8> {
    let mut writer = SecretWriter::with_capacity(64);
    machine.write(&mut writer);
    writer.finish().to_vec()
}

/// A machine from its stored form.
fn restored<K: Kem>(labels: &'static Labels, initiator: bool, bytes: &[u8]) -> Option<Machine<K>> {
    let mut reader = Reader::new(bytes);
    let machine = Machine::read(labels, initiator, &mut reader).ok()?;
    reader.finish().ok().map(|()| machine)
}

/// Two fresh ends: the initiator first.
fn ends<K: Kem>() -> [Machine<K>; 2] {
    let seed = Secret::new([7; 32]);
    [Machine::initiator(&NATIVE, &seed), Machine::responder(&NATIVE, &seed)]
}

/// What a machine wants, the same in every run.
fn draw<K: Kem>(machine: &Machine<K>) -> Option<Draw> {
    let byte = u8::try_from(machine.epoch() % 251).unwrap();
    machine.wants().map(|wants| match wants {
        Wants::Seed => Draw::Seed(Box::new(Secret::new([byte; 64]))),
        Wants::Randomness => Draw::Randomness(Box::new(Secret::new([byte; 32]))),
    })
}

/// Sends, with a draw where one is wanted.
fn send<K: Kem>(machine: &mut Machine<K>) -> (Part, Option<EpochSecret>) {
    let sent = machine.send(draw(machine)).unwrap();
    machine.apply(sent.change);
    assert!(sent.part.is_well_formed());
    (sent.part, sent.secret)
}

/// Receives a part that must be good.
fn receive<K: Kem>(machine: &mut Machine<K>, part: &Part) -> Option<EpochSecret> {
    let received = machine.receive(part).unwrap();
    machine.apply(received.change);
    received.secret
}

/// Two ends that have taken turns without loss until `until` is in `phase` in `epoch`.
fn until<K: Kem>(end: usize, phase: Phase, epoch: u32) -> [Machine<K>; 2] {
    let mut both = ends();
    for turn in (0..2_000).map(|turn| turn % 2) {
        if both[end].phase() == phase && both[end].epoch() == epoch {
            return both;
        }
        let (part, _) = send(&mut both[turn]);
        receive(&mut both[1 - turn], &part);
    }
    panic!("{phase:?} is never reached");
}
