//! [`Chains`]: the symmetric chains of the post-quantum ratchet, two for each epoch (docs/interop.md, section 13).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

use super::part::PqPart;
use crate::labels;
use crate::signal::limits::{MAX_SKIP, MAX_SKIPPED};
use crate::signal::ratchet::OpenError;
use bisik_core::braid::EpochSecret;
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::primitives::kdf::Prk;
use bisik_core::primitives::secret::{BoxedSecret, Secret};

/// The chains of the last epochs.
pub(super) struct Chains {
    next_root: Box<Secret<32>>,
    /// Consecutive epochs, the newest last. Never empty, and at most [`MAX_EPOCHS`].
    epochs: VecDeque<Box<Epoch>>,
}

/// The epoch before the one last sent in, that one, and the one whose secret is there already.
const MAX_EPOCHS: usize = 3;

struct Epoch {
    number: u32,
    /// `None` once a message was sent in a later epoch.
    sending: Option<Box<Chain>>,
    receiving: Box<Chain>,
    /// Keys that were skipped. Boxed, so that a growing collection leaves no copies behind.
    skipped: Skipped,
}

type Skipped = BTreeMap<u32, BoxedSecret<32>>;

/// One chain. Messages are numbered from 1.
pub(super) struct Chain {
    key: Secret<32>,
    counter: u32,
}

impl Chain {
    /// The number of its last message.
    pub(super) const fn counter(&self) -> u32 {
        self.counter
    }

    /// The next number, the chain after it, and the message's key. S-13.10.
    fn next(&self) -> Option<(Self, Secret<32>)> {
        let counter = self.counter.checked_add(1)?;
        let output: Secret<64> = self.step(counter);
        let (key, message_key) = halves(&output);
        Some((Self { key, counter }, message_key))
    }

    /// Goes on to number `to` without the keys between: half the work.
    fn forward(&self, to: u32) -> Self {
        let mut chain = self.duplicate();
        while chain.counter < to {
            let counter = chain.counter.saturating_add(1);
            chain = Self { key: chain.step(counter), counter };
        }
        chain
    }

    fn step<const N: usize>(&self, counter: u32) -> Secret<N> {
        Prk::extract(&[0; 32], &[self.key.expose()]).expand(&[&counter.to_be_bytes(), labels::PQ_NEXT])
    }

    fn duplicate(&self) -> Self {
        Self { key: self.key.duplicate(), counter: self.counter }
    }

    fn write(&self, writer: &mut SecretWriter) {
        writer.bytes(self.key.expose()).u32(self.counter);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Box<Self>, Malformed> {
        Ok(Box::new(Self { key: Secret::copy_of(reader.array()?), counter: reader.u32()? }))
    }
}

/// The key of a message that arrived, and what using it does.
pub(super) struct Found {
    pub(super) key: Secret<32>,
    /// The chain after the message; `None` if its key had been skipped.
    after: Option<Box<Chain>>,
}

/// What a message that verified does to the chains.
pub(super) struct ChainChange {
    number: u32,
    index: u32,
    /// The chain after the message, and the keys that it skipped; `None` if its key had been skipped.
    advanced: Option<(Box<Chain>, Skipped)>,
}

impl ChainChange {
    pub(super) fn duplicate(&self) -> Self {
        let advanced = self.advanced.as_ref();
        let advanced = advanced.map(|(chain, skipped)| (Box::new(chain.duplicate()), duplicate(skipped)));
        Self { number: self.number, index: self.index, advanced }
    }
}

impl Chains {
    /// Epoch 0, from what the set-up gave. S-13.10.
    pub(super) fn start(initiator: bool, start: &Secret<32>) -> Self {
        let (next_root, epoch) = derive(initiator, &[0; 32], start, labels::PQ_START, 0);
        Self { next_root, epochs: VecDeque::from([epoch]) }
    }

    /// The chains of an epoch whose secret has become known: each once, in order. S-13.10.
    pub(super) fn add(&mut self, initiator: bool, EpochSecret { epoch, secret }: &EpochSecret) {
        let (next_root, added) = derive(initiator, self.next_root.expose(), secret, labels::PQ_EPOCH, *epoch);
        self.next_root = next_root;
        self.epochs.push_back(added);
        // Never more: who learns the secret of an epoch has sent in the one before, or read a message of it and sends
        // in it next.
        while self.epochs.len() > MAX_EPOCHS {
            self.epochs.pop_front();
        }
    }

    fn epoch(&self, number: u32) -> Option<&Epoch> {
        self.epochs.iter().map(Box::as_ref).find(|epoch| epoch.number == number)
    }

    /// Where a message of chain `number` that is sent now stands, and its key. `None` if the chain has ended.
    pub(super) fn next_to_send(&self, number: u32) -> Option<(Box<Chain>, Secret<32>)> {
        let (chain, key) = self.epoch(number)?.sending.as_ref()?.next()?;
        Some((Box::new(chain), key))
    }

    /// A message of chain `number` was sent: forgets the chains below the one before, and their sending halves. S-13.11.
    pub(super) fn sent(&mut self, number: u32, after: Box<Chain>) {
        self.epochs.retain(|epoch| epoch.number.saturating_add(1) >= number);
        for epoch in &mut self.epochs {
            if epoch.number < number {
                epoch.sending = None;
            }
        }
        if let Some(epoch) = self.epochs.iter_mut().find(|epoch| epoch.number == number) {
            epoch.sending = Some(after);
        }
    }

    /// How many steps it takes to the key of a message. S-13.13.
    pub(super) fn steps(&self, part: &PqPart) -> u32 {
        self.epoch(part.chain()).map_or(0, |epoch| part.index.saturating_sub(epoch.receiving.counter))
    }

    /// The key of a message, without changing anything. S-13.11, S-13.13.
    pub(super) fn find(&self, part: &PqPart) -> Result<Found, OpenError> {
        let epoch = self.epoch(part.chain()).ok_or(OpenError::Replayed)?;
        let ahead = match part.index.checked_sub(epoch.receiving.counter) {
            None | Some(0) => {
                let key = epoch.skipped.get(&part.index).ok_or(OpenError::Replayed)?;
                return Ok(Found { key: key.duplicate(), after: None });
            }
            Some(ahead) => ahead,
        };
        if ahead > MAX_SKIP {
            return Err(OpenError::TooFarAhead);
        }
        let before = epoch.receiving.forward(part.index.saturating_sub(1));
        let (after, key) = before.next().ok_or(OpenError::TooFarAhead)?;
        Ok(Found { key, after: Some(Box::new(after)) })
    }

    /// What the message does, now that it has verified: only here are skipped keys made, of a longer gap the newest.
    pub(super) fn change(&self, part: &PqPart, found: Found) -> ChainChange {
        let (number, index) = (part.chain(), part.index);
        let advanced = found.after.map(|after| {
            let mut skipped = Skipped::new();
            if let Some(epoch) = self.epoch(number) {
                let most = u32::try_from(MAX_SKIPPED).unwrap_or(u32::MAX);
                let first = index.saturating_sub(1).saturating_sub(most);
                let mut chain = epoch.receiving.forward(first);
                while chain.counter.saturating_add(1) < index {
                    let Some((next, key)) = chain.next() else { break };
                    skipped.insert(next.counter, Box::new(key));
                    chain = next;
                }
            }
            (after, skipped)
        });
        ChainChange { number, index, advanced }
    }

    pub(super) fn apply(&mut self, ChainChange { number, index, advanced }: ChainChange) {
        let Some(epoch) = self.epochs.iter_mut().find(|epoch| epoch.number == number) else { return };
        match advanced {
            None => drop(epoch.skipped.remove(&index)),
            Some((after, mut skipped)) => {
                epoch.receiving = after;
                epoch.skipped.append(&mut skipped);
                while epoch.skipped.len() > MAX_SKIPPED {
                    epoch.skipped.pop_first();
                }
            }
        }
    }

    /// How many messages were sent and received in chain `number`.
    pub(super) fn messages(&self, number: u32) -> u32 {
        self.epoch(number).map_or(0, |epoch| {
            let sent = epoch.sending.as_ref().map_or(0, |chain| chain.counter);
            sent.saturating_add(epoch.receiving.counter)
        })
    }

    pub(super) fn skipped_keys(&self) -> usize {
        self.epochs.iter().fold(0, |sum, epoch| sum.saturating_add(epoch.skipped.len()))
    }

    /// Discards up to `surplus` skipped keys, the oldest first, and returns how many more the caller has to discard.
    pub(super) fn discard_skipped_keys(&mut self, mut surplus: usize) -> usize {
        for epoch in &mut self.epochs {
            while surplus > 0 && epoch.skipped.pop_first().is_some() {
                surplus = surplus.saturating_sub(1);
            }
        }
        surplus
    }

    pub(super) fn duplicate(&self) -> Self {
        let epochs = self.epochs.iter().map(|epoch| {
            let Epoch { number, sending, receiving, skipped } = epoch.as_ref();
            Box::new(Epoch {
                number: *number,
                sending: sending.as_ref().map(|chain| Box::new(chain.duplicate())),
                receiving: Box::new(receiving.duplicate()),
                skipped: duplicate(skipped),
            })
        });
        Self { next_root: Box::new(self.next_root.duplicate()), epochs: epochs.collect() }
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { next_root, epochs } = self;
        writer.bytes(next_root.expose()).u32(epochs.front().map_or(0, |epoch| epoch.number)).count(epochs.len());
        for epoch in epochs {
            let Epoch { number: _, sending, receiving, skipped } = epoch.as_ref();
            writer.flag(sending.is_some());
            if let Some(chain) = sending {
                chain.write(writer);
            }
            receiving.write(writer);
            writer.count(skipped.len());
            for (index, key) in skipped {
                writer.u32(*index).bytes(key.expose());
            }
        }
    }

    /// Reads what [`Self::write`] wrote, beside a braid in epoch `braid`: messages are sent in the chain before, and the
    /// secret of the braid's own epoch may be there.
    pub(super) fn read(braid: u32, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let next_root = Box::new(Secret::copy_of(reader.array()?));
        let mut number = reader.u32()?;
        let mut epochs = VecDeque::<Box<Epoch>>::new();
        for _ in 0..reader.count(MAX_EPOCHS)? {
            let sending = if reader.flag()? { Some(Chain::read(reader)?) } else { None };
            let receiving = Chain::read(reader)?;
            let mut skipped = Skipped::new();
            for _ in 0..reader.count(MAX_SKIPPED)? {
                let index = reader.u32()?;
                // Ascending, and of messages up to the last one: each state has exactly one encoding.
                let ordered = skipped.last_key_value().is_none_or(|(last, _)| *last < index);
                if index == 0 || index > receiving.counter || !ordered {
                    return Err(Malformed);
                }
                skipped.insert(index, Box::new(Secret::copy_of(reader.array()?)));
            }
            // The sending halves that are left are those of the newest epochs.
            if sending.is_none() && epochs.back().is_some_and(|before| before.sending.is_some()) {
                return Err(Malformed);
            }
            epochs.push_back(Box::new(Epoch { number, sending, receiving, skipped }));
            number = number.checked_add(1).ok_or(Malformed)?;
        }
        let current = braid.checked_sub(1).ok_or(Malformed)?;
        let sends = epochs.iter().any(|epoch| epoch.number == current && epoch.sending.is_some());
        if !sends || epochs.back().is_none_or(|newest| newest.number > braid) {
            return Err(Malformed);
        }
        Ok(Self { next_root, epochs })
    }
}

/// `HKDF(salt, secret, label, 96) = next root ‖ a ‖ b`. The initiator sends with a and receives with b, in every epoch.
fn derive(
    initiator: bool,
    salt: &[u8; 32],
    secret: &Secret<32>,
    label: &[u8],
    number: u32,
) -> (Box<Secret<32>>, Box<Epoch>) {
    let output: Secret<96> = Prk::extract(salt, &[secret.expose()]).expand(&[label]);
    let mut parts = [Secret::zero(), Secret::zero(), Secret::zero()];
    for (part, bytes) in parts.iter_mut().zip(output.expose().chunks_exact(32)) {
        part.expose_mut().iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
    let [next_root, a, b] = parts;
    let [sending, receiving] = if initiator { [a, b] } else { [b, a] }.map(|key| Box::new(Chain { key, counter: 0 }));
    let epoch = Epoch { number, sending: Some(sending), receiving, skipped: Skipped::new() };
    (Box::new(next_root), Box::new(epoch))
}

fn halves(output: &Secret<64>) -> (Secret<32>, Secret<32>) {
    let (mut first, mut second) = (Secret::zero(), Secret::zero());
    let places = first.expose_mut().iter_mut().chain(second.expose_mut());
    places.zip(output.expose()).for_each(|(to, from)| *to = *from);
    (first, second)
}

fn duplicate(skipped: &Skipped) -> Skipped {
    skipped.iter().map(|(index, key)| (*index, Box::new(key.duplicate()))).collect()
}
