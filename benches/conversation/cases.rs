//! What is timed of conversations that go on.

use std::hint::black_box;

use bisik::conversation::{Arrival, Conversation, DeviceAddress, Recipients, RecordName};
use bisik::{Accepted, Identity, Session, Timestamp, Trust};
use bisik_testkit::accounts::{Accounts, At};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::counted::talking;
use crate::support::meter::{Case, Meter};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const ALICE: At = (0, 0);
const BOB: At = (1, 0);
/// Bytes of a message: a sentence, padded.
pub(crate) const BODY: [u8; 256] = [7; 256];
/// Bytes of its frame, to a few: `flush` checks it.
pub(crate) const FRAME: usize = BODY.len() + 59;

/// Messages in one run of a case that sends: with the last one the receiver acknowledges, so that each run has one step of
/// the ratchet.
pub(crate) const ROUND: u64 = 8;

/// The peer's devices receive everything, and acknowledge it as they do.
fn deliver(accounts: &mut Accounts) {
    while let Some((to, from, envelope)) = accounts.mail.pop_front() {
        accounts.deliver(to, from, &envelope).unwrap();
        if accounts.mail.is_empty() {
            let peers: Vec<_> = accounts.everyone().into_iter().filter(|at| at.0 == BOB.0).collect();
            peers.into_iter().for_each(|at| accounts.flush(at));
        }
    }
}

/// Makes the frames of one message to so many devices.
pub(crate) fn flush(devices: u32) -> Case {
    let mut accounts = talking([1, devices]);
    let Pair { mut a, mut rng, .. } = Pair::new();
    let encrypted = a.encrypt(&[7; FRAME], &mut rng).unwrap().as_bytes().len();
    Box::new(move |count, meter| {
        for _ in 0..count * ROUND {
            accounts.write(ALICE, &BODY, Recipients::All).unwrap();
            let (now, mut outgoing) = (accounts.now, None);
            let device = accounts.devices.get_mut(&ALICE).unwrap();
            let conversation = device.conversation.as_mut().unwrap();
            let rng = &mut accounts.rng;
            meter.measure(&mut || outgoing = Some(conversation.flush(&device.account, &[], now, rng).unwrap()));
            let stored = device.store(&mut accounts.rng);
            let (envelopes, handover) = outgoing.unwrap().release(&stored).unwrap();
            assert_eq!(envelopes.len(), devices as usize);
            let longest = envelopes.iter().map(|envelope| envelope.ciphertext.as_bytes().len()).max().unwrap();
            // A part of the post-quantum ratchet is in some messages and not in others.
            assert!(longest.abs_diff(encrypted) <= 64, "the compared sessions encrypt as much: {longest}, {encrypted}");
            device.conversation.as_mut().unwrap().handed(handover);
            accounts.mail.extend(envelopes.into_iter().map(|envelope| ((1, envelope.to.index), ALICE, envelope)));
            deliver(&mut accounts);
        }
    })
}

/// Everything that has to be done before the envelopes of one message may leave.
pub(crate) fn store(devices: u32) -> Case {
    store_after(talking([1, devices]))
}

/// The same in a conversation of two devices in which so many messages were written, delivered and acknowledged.
pub(crate) fn store_late(messages: u64) -> Case {
    let mut accounts = talking([1, 1]);
    for _ in 0..messages {
        accounts.send(ALICE, &BODY).unwrap();
        deliver(&mut accounts);
        // What was shown is the application's: it would be most of the memory.
        accounts.devices.values_mut().for_each(|device| device.shown.clear());
    }
    store_after(accounts)
}

fn store_after(mut accounts: Accounts) -> Case {
    Box::new(move |count, meter| {
        for _ in 0..count * ROUND {
            store_one(&mut accounts, meter);
            deliver(&mut accounts);
        }
    })
}

fn store_one(accounts: &mut Accounts, meter: &mut dyn Meter) {
    let (now, mut made) = (accounts.now, None);
    let device = accounts.devices.get_mut(&ALICE).unwrap();
    let conversation = device.conversation.as_mut().unwrap();
    let rng = &mut accounts.rng;
    meter.measure(&mut || {
        conversation.send(&device.account, &BODY, Recipients::All, now, rng).unwrap();
        let outgoing = conversation.flush(&device.account, &[], now, rng).unwrap();
        made = Some((outgoing, conversation.seal(&mut device.account, &device.key, rng).unwrap()));
    });
    let (outgoing, changes) = made.unwrap();
    let stored = device.write(changes);
    let (envelopes, handover) = outgoing.release(&stored).unwrap();
    device.conversation.as_mut().unwrap().handed(handover);
    accounts.mail.extend(envelopes.into_iter().map(|envelope| ((1, envelope.to.index), ALICE, envelope)));
}

/// Two devices' ends of a session that was used in both directions.
pub(crate) struct Pair {
    alice: Identity,
    pub(crate) a: Session,
    pub(crate) bob: Identity,
    pub(crate) b: Session,
    pub(crate) rng: StdRng,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(2);
        let (alice, bob) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
        let keys = bisik::PreKeys::generate(&bob, NOW, &mut rng);
        let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
        let mut a = Session::initiate(&alice, &bundle, NOW, &mut rng).unwrap();
        let hello = a.encrypt(b"halo", &mut rng).unwrap();
        let Accepted { session: b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
        let mut pair = Self { alice, a, bob, b, rng };
        pair.answer();
        pair
    }

    /// The second device answers, so that the first begins a new chain.
    fn answer(&mut self) {
        let answer = self.b.encrypt(b"hai", &mut self.rng).unwrap();
        _ = self.a.decrypt(&self.alice, &answer).unwrap();
    }
}

/// Encrypts a frame in each of some sessions, in which every eighth message is answered: so often a receiver
/// acknowledges.
pub(crate) fn encrypt(sessions: u32) -> Case {
    let mut rng = StdRng::seed_from_u64(3);
    let mut pairs: Vec<_> = (0..sessions).map(|_| Pair::new()).collect();
    let mut number = 0_u64;
    Box::new(move |count, meter| {
        for _ in 0..count * ROUND {
            let mut last = Vec::with_capacity(pairs.len());
            meter.measure(&mut || {
                for pair in &mut pairs {
                    last.push(pair.a.encrypt(&[7; FRAME], &mut rng).unwrap());
                }
            });
            number += 1;
            if number.is_multiple_of(ROUND) {
                for (pair, message) in pairs.iter_mut().zip(last) {
                    _ = pair.b.decrypt(&pair.bob, &message).unwrap();
                    pair.answer();
                }
            }
        }
    })
}

/// Decrypts a frame. Every eighth one begins a chain, as where a receiver acknowledges so often.
pub(crate) fn decrypt() -> Case {
    let (mut pair, mut number) = (Pair::new(), 0_u64);
    Box::new(move |count, meter| {
        for _ in 0..count {
            let message = pair.a.encrypt(&[7; FRAME], &mut pair.rng).unwrap();
            meter.measure(&mut || drop(black_box(pair.b.decrypt(&pair.bob, &message).unwrap())));
            number += 1;
            if number.is_multiple_of(ROUND) {
                pair.answer();
            }
        }
    })
}

/// Receives a message, and seals what has changed before it is shown.
pub(crate) fn receive(sealing: bool) -> Case {
    let mut accounts = talking([1, 1]);
    Box::new(move |count, meter| {
        for _ in 0..count {
            accounts.send(ALICE, &BODY).unwrap();
            let (.., envelope) = accounts.mail.pop_front().unwrap();
            let arrival = [Arrival { from: DeviceAddress::peer(0), ciphertext: envelope.ciphertext }];
            let (now, mut changes) = (accounts.now, None);
            let device = accounts.devices.get_mut(&BOB).unwrap();
            let conversation = device.conversation.as_mut().unwrap();
            let rng = &mut accounts.rng;
            meter.measure(&mut || {
                conversation.receive(&mut device.account, &arrival, now).remove(0).unwrap();
                if sealing {
                    changes = Some(conversation.seal(&mut device.account, &device.key, rng).unwrap());
                }
            });
            _ = match changes {
                Some(changes) => device.write(changes),
                None => device.store(&mut accounts.rng),
            };
            device.settle();
            accounts.flush(BOB);
            deliver(&mut accounts);
        }
    })
}

/// Writes, flushes and seals one message while so many others wait for an acknowledgement.
pub(crate) fn store_waiting(waiting: u64) -> Case {
    let mut accounts = talking([1, 1]);
    Box::new(move |count, meter| {
        for _ in 0..count {
            for _ in 0..waiting {
                accounts.send(ALICE, &BODY).unwrap();
            }
            store_one(&mut accounts, meter);
            deliver(&mut accounts);
        }
    })
}

/// Seals the head; nothing else has changed.
pub(crate) fn seal() -> Case {
    let mut accounts = talking([1, 5]);
    Box::new(move |count, meter| {
        for _ in 0..count {
            // Only a changed conversation is sealed.
            let device = accounts.devices.get_mut(&ALICE).unwrap();
            let conversation = device.conversation.as_mut().unwrap();
            conversation.set_reactions(false);
            conversation.set_reactions(true);
            let rng = &mut accounts.rng;
            meter.measure(&mut || drop(black_box(conversation.seal(&mut device.account, &device.key, rng))));
        }
    })
}

/// Opens the head and all blocks.
pub(crate) fn open() -> Case {
    let mut accounts = talking([1, 5]);
    let device = accounts.devices.remove(&ALICE).unwrap();
    let id = device.conversation.as_ref().unwrap().id();
    let record = device.database[&RecordName::Conversation(id)].1.clone();
    Box::new(move |count, meter| {
        for _ in 0..count {
            meter.measure(&mut || {
                let block = |id| device.blocks.get(&id).cloned();
                drop(black_box(Conversation::unseal(&device.account, &device.key, id, &record, block).unwrap()));
            });
        }
    })
}
