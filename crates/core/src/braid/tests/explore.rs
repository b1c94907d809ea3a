//! Every state that two ends reach over a network that loses, doubles and reorders at will, with texts of one and two
//! chunks. Everything that was sent can arrive at any time, any number of times, or never.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::*;

/// A part on its way to an end.
type Flying = (usize, u32, u8, u16, [u8; 32]);

/// Two stored ends, and what can arrive.
type Node = (Vec<u8>, Vec<u8>, BTreeSet<Flying>);

/// Secrets by epoch: with fixed draws each must be the same wherever it comes from.
#[derive(Default)]
struct Secrets(BTreeMap<u32, [u8; 32]>);

impl Secrets {
    fn note(&mut self, secret: Option<EpochSecret>) {
        if let Some(EpochSecret { epoch, secret }) = secret {
            assert_eq!(*self.0.entry(epoch).or_insert(*secret.expose()), *secret.expose());
        }
    }
}

fn load<K: Kem>(node: &Node) -> [Machine<K>; 2] {
    [restored(&NATIVE, true, &node.0).unwrap(), restored(&NATIVE, false, &node.1).unwrap()]
}

/// Explores all of epoch 1 and the way into epoch 2. A text is sent up to chunk `most`.
fn explore<K: Kem>(most: u16) -> usize {
    let mut secrets = Secrets::default();
    let mut pairs = HashSet::new();
    let [a, b] = ends::<K>();
    let first: Node = (stored(&a), stored(&b), BTreeSet::new());
    let (mut seen, mut queue) = (HashSet::from([first.clone()]), vec![first]);
    while let Some(node) = queue.pop() {
        if pairs.insert((node.0.clone(), node.1.clone())) {
            goes_on::<K>(&node, &mut secrets);
        }
        let mut visit = |[a, b]: &[Machine<K>; 2], mut flying: BTreeSet<Flying>| {
            if a.epoch().max(b.epoch()) > 2 || (a.epoch() == 2 && b.epoch() == 2 && b.phase() != Phase::KeysUnsampled) {
                return;
            }
            // What is of no use to its receiver any more can be forgotten.
            flying.retain(|(to, epoch, ..)| *epoch >= [a, b][*to].epoch());
            let next = (stored(a), stored(b), flying);
            if seen.insert(next.clone()) {
                queue.push(next);
            }
        };
        for from in 0..2 {
            let mut both = load::<K>(&node);
            let (part, secret) = send(&mut both[from]);
            secrets.note(secret);
            if part.number <= most {
                let mut flying = node.2.clone();
                flying.insert((1 - from, part.epoch, part.kind.into(), part.number, part.chunk));
                visit(&both, flying);
            }
        }
        for (to, epoch, kind, number, chunk) in &node.2 {
            let mut both = load::<K>(&node);
            let part = Part { epoch: *epoch, kind: Kind::try_from(*kind).unwrap(), number: *number, chunk: *chunk };
            secrets.note(receive(&mut both[*to], &part));
            visit(&both, node.2.clone());
        }
    }
    assert!(secrets.0.contains_key(&1), "an epoch was completed");
    seen.len()
}

/// From this state on, with messages that arrive, both get on to epoch 3.
fn goes_on<K: Kem>(node: &Node, secrets: &mut Secrets) {
    let mut both = load::<K>(node);
    for turn in (0..80).map(|turn| turn % 2) {
        let (part, secret) = send(&mut both[turn]);
        secrets.note(secret);
        secrets.note(receive(&mut both[1 - turn], &part));
        if both.iter().all(|end| end.epoch() >= 3) {
            return;
        }
    }
    panic!("stuck in {:?} and {:?}", both[0].phase(), both[1].phase());
}

#[test]
fn no_order_of_messages_stops_the_braid_with_texts_of_one_chunk() {
    assert!(explore::<Toy<1, 1, 0>>(4) > 1_000);
}

#[test]
fn no_order_of_messages_stops_the_braid_with_texts_of_two_chunks() {
    assert!(explore::<Toy<2, 2, 1>>(3) > 1_000);
}
