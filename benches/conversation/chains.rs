//! What is timed of sessions whose chain is long, or that wait for messages.
//!
//! A run begins with a stored state and does not go far from it, so that the state is the same in each round.

use std::collections::BTreeMap;
use std::hint::black_box;

use bisik::{BlockId, Ciphertext, Identity, Session, StorageKey};

use crate::cases::{FRAME, Pair};
use crate::support::meter::{Case, repeated};

/// Messages in one run.
pub(crate) const RUN: u64 = 16;

const CONTEXT: &[u8] = b"session";

/// A session as it is stored.
pub(crate) struct Stored {
    key: StorageKey,
    head: Vec<u8>,
    blocks: BTreeMap<BlockId, Vec<u8>>,
}

impl Stored {
    fn new(session: &mut Session) -> Self {
        let key = StorageKey::from_bytes([1; 32]);
        let sealed = session.seal(&key, CONTEXT, &mut rand::rng()).unwrap();
        let head = sealed.head().to_vec();
        let blocks = sealed.blocks().iter().map(|block| (block.id(), block.as_bytes().to_vec())).collect();
        sealed.stored();
        Self { key, head, blocks }
    }

    fn open(&self) -> Session {
        Session::unseal(&self.key, CONTEXT, &self.head, |id| self.blocks.get(&id).cloned()).unwrap()
    }
}

/// Both ends of a session, and messages between them.
pub(crate) struct Chain {
    writer: Stored,
    reader: Stored,
    bob: Identity,
    /// The next messages of the writer.
    next: Vec<Ciphertext>,
    /// Messages for which the reader waits, the oldest ones first.
    late: Vec<Ciphertext>,
}

impl Chain {
    /// So many messages were sent and read, without an answer.
    pub(crate) fn read(messages: u64) -> Self {
        Self::after(messages, |pair, message| _ = pair.b.decrypt(&pair.bob, &message).unwrap())
    }

    /// So many messages of one chain are still on their way, and the one after them was read.
    pub(crate) fn skipped(messages: u64) -> Self {
        let mut late = Vec::new();
        let mut chain = Self::after(messages, |_, message| late.push(message));
        chain.late = late;
        assert_eq!(chain.reader.open().skipped_keys() as u64, messages);
        chain
    }

    fn after(messages: u64, mut each: impl FnMut(&mut Pair, Ciphertext)) -> Self {
        let mut pair = Pair::new();
        let encrypt = |pair: &mut Pair| pair.a.encrypt(&[7; FRAME], &mut pair.rng).unwrap();
        for _ in 0..messages {
            let message = encrypt(&mut pair);
            each(&mut pair, message);
        }
        let last = encrypt(&mut pair);
        _ = pair.b.decrypt(&pair.bob, &last).unwrap();
        let (writer, reader) = (Stored::new(&mut pair.a), Stored::new(&mut pair.b));
        let next = (0..RUN).map(|_| encrypt(&mut pair)).collect();
        Self { writer, reader, bob: pair.bob, next, late: Vec::new() }
    }

    pub(crate) fn encrypt(self) -> Case {
        Box::new(move |count, meter| {
            for _ in 0..count {
                let mut session = self.writer.open();
                meter.measure(&mut || {
                    (0..RUN).for_each(|_| _ = black_box(session.encrypt(&[7; FRAME], &mut rand::rng()).unwrap()));
                });
            }
        })
    }

    /// The next messages, in order.
    pub(crate) fn decrypt(self) -> Case {
        let messages = self.next.clone();
        self.decrypting(messages, false)
    }

    /// Messages that come late, from the whole chain. Of fewer than [`RUN`], all.
    pub(crate) fn decrypt_late(self, sealing: bool) -> (Case, u64) {
        let step = (self.late.len() / RUN as usize).max(1);
        let messages: Vec<_> = self.late.iter().step_by(step).take(RUN as usize).cloned().collect();
        let count = messages.len() as u64;
        (self.decrypting(messages, sealing), count)
    }

    fn decrypting(self, messages: Vec<Ciphertext>, sealing: bool) -> Case {
        Box::new(move |count, meter| {
            for _ in 0..count {
                let mut session = self.reader.open();
                meter.measure(&mut || {
                    for message in &messages {
                        _ = black_box(session.decrypt(&self.bob, black_box(message)).unwrap());
                        if sealing {
                            black_box(Stored::new(&mut session));
                        }
                    }
                });
            }
        })
    }

    /// Seals what is stored after an ordinary message.
    pub(crate) fn seal(self) -> Case {
        let mut session = self.reader.open();
        repeated(move || Stored::new(&mut session))
    }

    pub(crate) fn unseal(self) -> Case {
        repeated(move || self.reader.open())
    }
}

/// A message that is so many ahead: everything before it is skipped.
pub(crate) fn ahead(messages: u64) -> Case {
    let mut pair = Pair::new();
    let reader = Stored::new(&mut pair.b);
    (0..messages).for_each(|_| drop(pair.a.encrypt(&[7; FRAME], &mut pair.rng).unwrap()));
    let message = pair.a.encrypt(&[7; FRAME], &mut pair.rng).unwrap();
    Box::new(move |count, meter| {
        for _ in 0..count {
            let mut session = reader.open();
            meter.measure(&mut || _ = black_box(session.decrypt(&pair.bob, &message).unwrap()));
        }
    })
}
