//! What a conversation has for the program, until the program has stored it (docs/spec/conversations.md, section 12.8).
//!
//! It is part of the record, so that a crash at any moment loses nothing: what was given and not settled is given again,
//! under the same numbers.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::event::{Event, Received};
use super::kept::{read_device, write_device};
use super::letter::{MemberDevice, ReceivedLetter};
use super::limits::{INBOX, INBOX_BYTES};
use super::name::MessageId;
use super::piece::{Blocks, Piece};
use super::{DeviceAddress, MAX_BODY};
use crate::device::{AccountKey, DeviceEntry, FromOwnDevice};
use crate::hosting::{Decision, DecisionReceipt};
use crate::keys::IdentityKey;
use crate::labels::kind;
use crate::session::{Plaintext, Standing};
use bisik_core::blocks::BlockId;
use bisik_core::codec::{Malformed, Reader, SecretWriter, Writer};
use bisik_core::time::{self, Timestamp};

/// Things for the program, oldest first.
#[derive(Default)]
pub(super) struct Inbox {
    entries: VecDeque<Entry>,
    /// The number of the newest entry.
    last: u64,
}

struct Entry {
    number: u64,
    /// The revision of the conversation that has it first.
    revision: u64,
    received: Piece<Received>,
}

impl Inbox {
    /// Whether nothing more is received. One frame more could bring a message and a few hundred events.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= INBOX
    }

    /// Whether nothing more is sent either: what has to make room for a message is an event for each device.
    pub(super) fn is_overfull(&self) -> bool {
        self.entries.len() >= OVERFULL
    }

    /// Whether a message of this length fits.
    pub(super) fn has_room(&self, length: usize) -> bool {
        let bytes: usize = self.entries.iter().map(|entry| entry.received.body_length()).sum();
        bytes.saturating_add(length) <= INBOX_BYTES
    }

    pub(super) fn give(&mut self, received: Received, revision: u64) {
        self.last = self.last.saturating_add(1);
        self.entries.push_back(Entry { number: self.last, revision, received: Piece::new(received) });
    }

    /// P-12.13: gives an event. The same one that waits already is not given twice, but anew: a program that has seen
    /// the first and settles it later still learns of the second.
    pub(super) fn tell(&mut self, event: Event, revision: u64) {
        self.entries.retain(|entry| !matches!(&*entry.received, Received::Event(told) if *told == event));
        self.give(Received::Event(event), revision);
    }

    /// P-12.53: what the record of this revision has.
    pub(super) fn stored(&self, revision: u64) -> impl Iterator<Item = (u64, &Received)> {
        let stored = self.entries.iter().take_while(move |entry| entry.revision <= revision);
        stored.map(|entry| (entry.number, &*entry.received))
    }

    /// P-12.58: drops what a hosted device has promised to delete by now. The program, which did not take it, is told.
    pub(super) fn expire(&mut self, now: Timestamp, revision: u64) {
        let is_over = |entry: &Entry| entry.received.delete_by().is_some_and(|delete_by| delete_by <= now);
        let over: Vec<Event> =
            self.entries.iter().filter(|entry| is_over(entry)).filter_map(|entry| entry.received.lost()).collect();
        self.entries.retain(|entry| !is_over(entry));
        for event in over {
            self.tell(event, revision);
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.entries.iter().filter_map(|entry| entry.received.delete_by()).min()
    }

    /// P-12.55: forgets everything up to this number that the program could see. Whether there was anything.
    pub(super) fn settle(&mut self, through: u64, revision: u64) -> bool {
        let before = self.entries.len();
        while self.entries.front().is_some_and(|entry| entry.number <= through && entry.revision <= revision) {
            self.entries.pop_front();
        }
        self.entries.len() != before
    }

    /// Writes events, and a mark for everything that has a block. What is not kept for the peer is not kept here either.
    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { entries, last } = self;
        let kept = || entries.iter().filter(|entry| !matches!(*entry.received, Received::Ephemeral { .. }));
        writer.u64(*last).count(kept().count());
        for Entry { number, revision: _, received } in kept() {
            writer.u64(*number);
            match &**received {
                Received::Event(event) => event.write(writer),
                Received::Message { .. }
                | Received::Sent { .. }
                | Received::Own { .. }
                | Received::Letter { .. }
                | Received::Ephemeral { .. }
                | Received::Decision { .. }
                | Received::DecisionReceipt { .. } => drop(writer.u8(BLOCK)),
            }
        }
    }

    /// Names the blocks of everything but events.
    pub(super) fn write_bodies(&mut self, blocks: &mut Blocks<'_, '_>) {
        for Entry { received, .. } in &mut self.entries {
            if !matches!(**received, Received::Ephemeral { .. } | Received::Event(_)) {
                received.write(kind::CONVERSATION_INBOX, blocks, Received::encode);
            }
        }
    }

    /// The conversation has another name.
    pub(super) fn displace(&mut self) {
        for entry in &mut self.entries {
            entry.received.displace();
        }
    }

    /// Reads what [`write`](Self::write) wrote, and everything else from its block.
    pub(super) fn read<E: From<Malformed>>(
        reader: &mut Reader<'_>,
        revision: u64,
        mut block: impl FnMut() -> Result<(BlockId, Zeroizing<Vec<u8>>), E>,
    ) -> Result<Self, E> {
        let last = reader.u64()?;
        let mut entries = VecDeque::<Entry>::new();
        for _ in 0..reader.count_of(ENTRY)? {
            let number = reader.u64()?;
            let ascends = entries.back().is_none_or(|before| before.number < number);
            if number > last || !ascends {
                return Err(Malformed.into());
            }
            let received = match reader.u8()? {
                BLOCK => {
                    let (id, content) = block()?;
                    Piece::stored(Received::decode(&content)?, id)
                }
                event => Piece::new(Received::Event(Event::read(event, reader)?)),
            };
            entries.push_back(Entry { number, revision, received });
        }
        Ok(Self { entries, last })
    }
}

impl Received {
    fn body_length(&self) -> usize {
        match self {
            Self::Message { body: Plaintext::Confirmed(body), .. } | Self::Ephemeral { body, .. } => body.len(),
            Self::Message { body: Plaintext::Unconfirmed(body), .. } => body.peek_unconfirmed().len(),
            Self::Sent { body, .. } | Self::Own { body, .. } => body.payload().len(),
            Self::Letter { letter, .. } => letter.body().len(),
            Self::Decision { .. } | Self::DecisionReceipt { .. } | Self::Event(_) => 0,
        }
    }

    /// The event for a message that had to be deleted before the program took it.
    const fn lost(&self) -> Option<Event> {
        match self {
            Self::Message { id, from, .. } | Self::Sent { id, from, .. } | Self::Own { id, from, .. } => {
                Some(Event::Lost { id: *id, device: *from })
            }
            // A group asks for what it lacks.
            Self::Letter { .. } => None,
            Self::Ephemeral { .. } | Self::Decision { .. } | Self::DecisionReceipt { .. } | Self::Event(_) => None,
        }
    }

    const fn delete_by(&self) -> Option<Timestamp> {
        match self {
            Self::Message { delete_by, .. }
            | Self::Sent { delete_by, .. }
            | Self::Own { delete_by, .. }
            | Self::Letter { delete_by, .. } => *delete_by,
            Self::Ephemeral { .. } | Self::Decision { .. } | Self::DecisionReceipt { .. } | Self::Event(_) => None,
        }
    }

    /// The content of a block.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = SecretWriter::with_capacity(self.body_length().saturating_add(HEAD));
        self.write(&mut writer);
        writer.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let received = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(received)
    }

    fn write(&self, writer: &mut SecretWriter) {
        match self {
            Self::Message { id, from, body, delete_by } => {
                let (kind, body) = match body {
                    Plaintext::Confirmed(body) => (MESSAGE, body),
                    Plaintext::Unconfirmed(body) => (UNCONFIRMED, body.peek_unconfirmed()),
                };
                write_head(kind, *from, writer);
                writer.bytes(&id.to_bytes()).u64(time::to_seconds(*delete_by)).count(body.len()).bytes(body);
            }
            Self::Sent { id, from, body, delete_by } | Self::Own { id, from, body, delete_by } => {
                let kind = if matches!(self, Self::Own { .. }) { OWN } else { SENT };
                write_head(kind, *from, writer);
                let mut sender = Writer::with_capacity(128);
                body.sender().write(&mut sender);
                writer.bytes(&id.to_bytes()).u64(time::to_seconds(*delete_by)).bytes(&sender.finish());
                writer.count(body.payload().len()).bytes(body.payload());
            }
            Self::Letter { id, letter, delete_by } => {
                let MemberDevice { account, device: _, identity } = letter.from();
                write_head(LETTER, letter.address(), writer);
                writer.bytes(&id.to_bytes()).u64(time::to_seconds(*delete_by));
                writer.bytes(&account.to_bytes()).bytes(&identity.to_bytes());
                writer.count(letter.body().len()).bytes(letter.body());
            }
            // These have no blocks.
            Self::Ephemeral { .. } | Self::Event(_) => {}
            Self::Decision { from, decision } => {
                let bytes = decision.to_bytes();
                write_head(DECISION, *from, writer);
                writer.count(bytes.len()).bytes(&bytes);
            }
            Self::DecisionReceipt { from, receipt } => {
                let bytes = receipt.to_bytes();
                write_head(RECEIPT, *from, writer);
                writer.count(bytes.len()).bytes(&bytes);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = reader.u8()?;
        let from = read_device(reader)?;
        match kind {
            MESSAGE | UNCONFIRMED => {
                let (id, delete_by) = (MessageId::read(reader)?, time::read_optional(reader)?);
                let standing = if kind == MESSAGE { Standing::Confirmed } else { Standing::Unconfirmed };
                Ok(Self::Message { id, from, body: Plaintext::new(read_body(reader)?, standing), delete_by })
            }
            SENT | OWN => {
                let (id, delete_by) = (MessageId::read(reader)?, time::read_optional(reader)?);
                let sender = DeviceEntry::read(reader)?;
                let body = FromOwnDevice::recorded(sender, read_body(reader)?);
                Ok(if kind == OWN {
                    Self::Own { id, from, body, delete_by }
                } else {
                    Self::Sent { id, from, body, delete_by }
                })
            }
            LETTER => {
                let (id, delete_by) = (MessageId::read(reader)?, time::read_optional(reader)?);
                let key = |bytes| IdentityKey::from_bytes_without_points(bytes).map_err(|_| Malformed);
                let account = AccountKey::from_identity(key(reader.array()?)?);
                let sender = MemberDevice { account, device: from.index, identity: key(reader.array()?)? };
                let letter = ReceivedLetter::new(sender, from.side, read_body(reader)?);
                Ok(Self::Letter { id, letter, delete_by })
            }
            DECISION => {
                let decision = Decision::from_bytes(&read_body(reader)?).map_err(|_| Malformed)?;
                Ok(Self::Decision { from, decision: Box::new(decision) })
            }
            RECEIPT => {
                let receipt = DecisionReceipt::from_bytes(&read_body(reader)?).map_err(|_| Malformed)?;
                Ok(Self::DecisionReceipt { from, receipt: Box::new(receipt) })
            }
            _ => Err(Malformed),
        }
    }
}

fn write_head(kind: u8, from: DeviceAddress, writer: &mut SecretWriter) {
    writer.u8(kind);
    write_device(from, writer);
}

fn read_body(reader: &mut Reader<'_>) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let length = reader.count(MAX_BODY)?;
    Ok(Zeroizing::new(reader.slice(length)?.to_vec()))
}

/// In place of an event: a block has it.
const BLOCK: u8 = 0;
/// First bytes of such a block.
const MESSAGE: u8 = 1;
const UNCONFIRMED: u8 = 2;
const SENT: u8 = 3;
const DECISION: u8 = 4;
const RECEIPT: u8 = 5;
const OWN: u8 = 6;
const LETTER: u8 = 7;
/// Bytes of a block beside a body, at most.
const HEAD: usize = 256;
/// Entries from which on nothing is sent.
const OVERFULL: usize = 8 * INBOX;
/// Bytes of the shortest entry: its number, and an event that is one byte.
const ENTRY: usize = 9;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// P-12.13
    #[test]
    fn an_event_that_happens_again_waits_once_and_is_not_settled_with_the_first() {
        let mut inbox = Inbox::default();
        inbox.tell(Event::ListsForked, 1);
        inbox.tell(Event::LabelChanged, 1);
        let seen: Vec<u64> = inbox.stored(1).map(|(number, _)| number).collect();
        assert_eq!(seen, [1, 2]);
        inbox.tell(Event::ListsForked, 2);
        assert!(inbox.settle(*seen.last().unwrap(), 2));
        let left: Vec<_> = inbox.stored(2).collect();
        assert!(matches!(left[..], [(3, Received::Event(Event::ListsForked))]), "{left:?}");
    }
}
