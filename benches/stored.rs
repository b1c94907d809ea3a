//! What it costs to store before showing: `cargo bench --bench stored`.
//!
//! One message is decrypted, and everything that must be written is sealed; the store itself is not measured. Compared
//! with the decryption of the same messages in a session of the same kind. Prints a table, which shows each ratio that is
//! above its aim. Timings are for reading and fail no test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation, dead_code)]

mod support;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::rc::Rc;

use bisik::{Accepted, BlockId, Ciphertext, Identity, PreKeys, Session, StorageKey, Timestamp, Trust};
use rand::seq::SliceRandom;

use support::interleaved::{median, ratio, sample};
use support::meter::{Case, pieces, time};

fn main() {
    let rows = rows();
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        for row in rows {
            _ = time(&mut row.case(true), 2);
        }
        return;
    }
    println!(
        "\n| message | kept keys | decrypted | and sealed | ratio | at most | met | head | other bytes | blocks |"
    );
    println!("|---|---:|---:|---:|---:|---:|---|---:|---:|---:|");
    for row in rows {
        let (mut alone, mut stored) = (row.case(false), row.case(true));
        let samples = sample(&mut [&mut alone, &mut stored], ROUNDS);
        let ratio = ratio(&samples[1], &samples[0]);
        let (head, written, blocks) = row.sizes();
        println!(
            "| {} | {} | {:.0} ns | {:.0} ns | {ratio:.2} | {AT_MOST:.1} | {} | {head} B | {written} B | {blocks} |",
            row.name,
            row.kept,
            median(&samples[0]),
            median(&samples[1]),
            if ratio <= AT_MOST { "yes" } else { "NO" },
        );
    }
    println!(
        "\nMedians of {ROUNDS} rounds; a ratio is the median of the rounds' own ratios. Sizes of the first message."
    );
}

/// A stored session, and messages that it can read, each once, in this order.
struct Row {
    name: &'static str,
    kept: usize,
    bob: Identity,
    key: StorageKey,
    head: Vec<u8>,
    blocks: BTreeMap<BlockId, Vec<u8>>,
    messages: Vec<Vec<u8>>,
}

fn rows() -> Vec<Rc<Row>> {
    vec![
        row("the next in order", |peers| {
            let _ = peers.skip(0);
            peers.next(PREPARED)
        }),
        row("the next in order", |peers| {
            let _ = peers.skip(2_000);
            peers.next(PREPARED)
        }),
        row("the next in order, a large head", |peers| {
            peers.grow();
            let _ = peers.skip(2_000);
            peers.next(PREPARED)
        }),
        row("a skipped one, a large head", |peers| {
            peers.grow();
            let mut skipped = peers.skip(2_000);
            skipped.shuffle(&mut rand::rng());
            skipped.truncate(PREPARED);
            skipped
        }),
        row("a skipped one, any", |peers| {
            let mut skipped = peers.skip(2_000);
            skipped.shuffle(&mut rand::rng());
            skipped.truncate(PREPARED);
            skipped
        }),
        row("a skipped one, the oldest first", |peers| {
            let mut skipped = peers.skip(2_000);
            skipped.truncate(PREPARED);
            skipped
        }),
        row("the next, after every second was lost", |peers| {
            (0..1_999).for_each(|_| drop(peers.skip(1)));
            peers.next(PREPARED)
        }),
        row("each second one, the others are lost", |peers| {
            (0..1_900).for_each(|_| drop(peers.skip(1)));
            let messages = peers.next(2 * PREPARED);
            messages.into_iter().skip(1).step_by(2).collect()
        }),
        row("a skipped one, after every second was lost", |peers| {
            let mut skipped: Vec<_> = (0..1_999).flat_map(|_| peers.skip(1)).collect();
            skipped.shuffle(&mut rand::rng());
            skipped.truncate(PREPARED);
            skipped
        }),
        row("one that skips 32", |peers| peers.next(33 * PREPARED).into_iter().skip(32).step_by(33).collect()),
        row("one that skips 2,000", |peers| {
            let messages = peers.next(2_001);
            vec![messages[2_000].clone()]
        }),
    ]
}

struct Peers {
    alice: Session,
    bob: Session,
    identities: [Identity; 2],
}

impl Peers {
    /// Writes in turn until the post-quantum part of the second session is as large as it gets.
    fn grow(&mut self) {
        let rng = &mut rand::rng();
        for _ in 0..400 {
            let key = StorageKey::from_bytes([1; 32]);
            let large = self.bob.seal(&key, CONTEXT, rng).unwrap().head().len() > LARGE;
            let there = self.alice.encrypt(b"", rng).unwrap();
            _ = self.bob.decrypt(&self.identities[1], &there).unwrap();
            let back = self.bob.encrypt(b"", rng).unwrap();
            _ = self.alice.decrypt(&self.identities[0], &back).unwrap();
            if large && self.bob.seal(&key, CONTEXT, rng).unwrap().head().len() > LARGE {
                return;
            }
        }
        panic!("no head is that large");
    }

    /// Skips so many messages, and returns them.
    fn skip(&mut self, count: usize) -> Vec<Vec<u8>> {
        let skipped = self.next(count);
        let message = self.alice.encrypt(&[7; 32], &mut rand::rng()).unwrap();
        _ = self.bob.decrypt(&self.identities[1], &message).unwrap();
        skipped
    }

    fn next(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.alice.encrypt(&[7; 32], &mut rand::rng()).unwrap().into_bytes()).collect()
    }
}

fn row(name: &'static str, messages: impl FnOnce(&mut Peers) -> Vec<Vec<u8>>) -> Rc<Row> {
    let (rng, now) = (&mut rand::rng(), Timestamp::from_unix_seconds(1_800_000_000));
    let (alice, identity) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&identity, now, rng);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, now).unwrap();
    let mut a = Session::initiate(&alice, &bundle, now, rng).unwrap();
    let hello = a.encrypt(b"halo", rng).unwrap();
    let Accepted { session: mut b, .. } = Session::accept(&identity, &keys, &hello, Trust::OnFirstUse, now).unwrap();
    _ = a.decrypt(&alice, &b.encrypt(b"hai", rng).unwrap()).unwrap();
    let mut peers = Peers { alice: a, bob: b, identities: [alice, identity] };
    let messages = messages(&mut peers);
    let Peers { alice: _, mut bob, identities: [_, identity] } = peers;
    let key = StorageKey::generate(rng);
    bob.move_to_key(&key);
    let sealed = bob.seal(&key, CONTEXT, rng).unwrap();
    let blocks = sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())).collect();
    let head = sealed.head().to_vec();
    Rc::new(Row { name, kept: bob.skipped_keys(), bob: identity, key, head, blocks, messages })
}

impl Row {
    fn open(&self) -> Session {
        Session::unseal(&self.key, CONTEXT, &self.head, |id| self.blocks.get(&id).cloned()).unwrap()
    }

    /// Reads the messages; `stores` if each is sealed before it is shown.
    fn case(self: &Rc<Self>, stores: bool) -> Case {
        let row = Rc::clone(self);
        Box::new(move |count, meter| {
            for piece in pieces(count, row.messages.len() as u64) {
                let mut session = row.open();
                let messages = &row.messages[..piece as usize];
                let rng = &mut rand::rng();
                meter.measure(&mut || {
                    for message in messages {
                        let message = Ciphertext::from_bytes(black_box(message)).unwrap();
                        let mut staged = session.stage(&row.bob, &message).unwrap();
                        if stores {
                            let sealed = staged.seal(&row.key, CONTEXT, rng).unwrap();
                            sealed.writes().for_each(|write| _ = black_box(write));
                            sealed.stored();
                        }
                        drop(black_box(staged.commit()));
                    }
                });
            }
        })
    }

    /// The sizes of the head, of the new blocks, and how many of these there are.
    fn sizes(&self) -> (usize, usize, usize) {
        let mut session = self.open();
        let message = Ciphertext::from_bytes(&self.messages[0]).unwrap();
        let mut staged = session.stage(&self.bob, &message).unwrap();
        let sealed = staged.seal(&self.key, CONTEXT, &mut rand::rng()).unwrap();
        let other = sealed.blocks().iter().map(|block| block.as_bytes().len()).sum();
        (sealed.head().len(), other, sealed.blocks().len())
    }
}

const CONTEXT: &[u8] = b"session";
/// The aim, in decryptions.
const AT_MOST: f64 = 6.0;
/// Messages that a case reads in one session.
const PREPARED: usize = 40;
/// The size of a head from which on it is large, without kept keys; none has more than 2,560 bytes.
const LARGE: usize = 2_000;
const ROUNDS: usize = 101;
