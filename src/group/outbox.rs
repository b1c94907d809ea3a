//! [`Outbox`]: what was made and not handed to a transport yet (docs/spec/rooms.md, section 15.4).

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::fields::{read_body, read_member, write_member};
use crate::conversation::{Letter, MemberDevice};
use bisik_core::codec::{Malformed, Reader, SecretWriter};
use bisik_core::held::{Held, Origin, Stored};

/// P-15.10: messages and letters in the order in which they were made. After a crash the same bytes are sent again: no number
/// of a chain is used twice.
#[derive(Default)]
pub(super) struct Outbox {
    made: VecDeque<Made>,
    /// The number of the newest flush.
    batch: u64,
}

struct Made {
    what: What,
    /// The flush that gave it out, until it was handed over; 0 before.
    batch: u64,
}

/// What was made.
#[derive(Clone)]
pub(super) enum What {
    /// An encrypted message, for every device that reads the chain.
    Message(Vec<u8>),
    /// A letter.
    Letter(MemberDevice, Zeroizing<Vec<u8>>),
}

/// What is to be sent, while the record that has it is not known to be stored.
pub(super) struct Outgoing {
    sent: Held<Vec<What>>,
    to: Vec<MemberDevice>,
    batch: u64,
}

/// What is to be sent now.
#[derive(Debug, Default)]
pub struct GroupSent {
    /// Give each to the conversation with its account ([`Conversation::send_letter`](crate::Conversation::send_letter)), and
    /// flush that. Those for own devices belong to the conversation with oneself.
    pub letters: Vec<Letter>,
    /// Encrypted messages: the relay hands each to every device of `to`.
    pub messages: Vec<Vec<u8>>,
    /// The devices that read: those of [`Group::readers`](super::Group::readers), or of
    /// [`Audience::readers`](super::status::Audience::readers), that are not left out.
    pub to: Vec<MemberDevice>,
}

/// Names what was released, so that the group or audience that made it can be told that it was handed over.
#[derive(Debug)]
#[must_use = "what is not confirmed as handed over is given out again after a crash"]
pub struct GroupHandover(u64);

impl Outbox {
    /// Messages that wait to be handed over, and their bytes.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let messages = self.made.iter().filter_map(|made| match &made.what {
            What::Message(message) => Some(message.len()),
            What::Letter(..) => None,
        });
        messages.fold((0, 0), |(count, bytes), length| (count.saturating_add(1), length.saturating_add(bytes)))
    }

    /// Bytes of letters that wait to be handed over.
    pub(super) fn letter_bytes(&self) -> usize {
        let letters = self.made.iter().filter_map(|made| match &made.what {
            What::Message(_) => None,
            What::Letter(_, body) => Some(body.len()),
        });
        letters.sum()
    }

    pub(super) fn make(&mut self, what: What) {
        self.made.push_back(Made { what, batch: 0 });
    }

    /// Gives out what was not given out before. `origin` is that of the record that has the outbox.
    pub(super) fn give_out(&mut self, to: Vec<MemberDevice>, origin: Origin) -> Outgoing {
        self.batch = self.batch.saturating_add(1);
        let mut sent = Vec::new();
        for made in self.made.iter_mut().filter(|made| made.batch == 0) {
            made.batch = self.batch;
            sent.push(made.what.clone());
        }
        Outgoing { sent: Held::new(sent, origin), to, batch: self.batch }
    }

    pub(super) fn handed(&mut self, GroupHandover(batch): &GroupHandover) {
        self.made.retain(|Made { what: _, batch: of }| of != batch);
    }

    pub(super) fn write(&self, writer: &mut SecretWriter) {
        let Self { made, batch } = self;
        writer.u64(*batch).count(made.len());
        for Made { what, batch: _ } in made {
            match what {
                What::Message(message) => drop(writer.u8(MESSAGE).count(message.len()).bytes(message)),
                What::Letter(to, body) => {
                    write_member(to, writer.u8(LETTER));
                    writer.count(body.len()).bytes(body);
                }
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut outbox = Self { batch: reader.u64()?, ..Self::default() };
        for _ in 0..reader.count_of(5)? {
            outbox.make(match reader.u8()? {
                MESSAGE => What::Message(read_body(reader)?.to_vec()),
                LETTER => {
                    let to = read_member(reader)?;
                    What::Letter(to, Zeroizing::new(read_body(reader)?.to_vec()))
                }
                _ => return Err(Malformed),
            });
        }
        Ok(outbox)
    }
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.sent.peek().is_empty()
    }

    pub(super) fn release(self, stored: &Stored) -> Result<(GroupSent, GroupHandover), Self> {
        let Self { sent, to, batch } = self;
        match sent.release(stored) {
            Ok(made) => {
                let mut sent = GroupSent { to, ..GroupSent::default() };
                for what in made {
                    match what {
                        What::Message(message) => sent.messages.push(message),
                        What::Letter(to, body) => sent.letters.push(Letter::new(to, body)),
                    }
                }
                Ok((sent, GroupHandover(batch)))
            }
            Err(sent) => Err(Self { sent, to, batch }),
        }
    }

    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, to, batch: _ } = self;
        let mut shown = f.debug_struct(name);
        shown.field("made", &sent.peek().len()).field("to", &to.len()).field("revision", &sent.revision());
        shown.finish_non_exhaustive()
    }
}

/// First bytes of what was made.
const MESSAGE: u8 = 1;
const LETTER: u8 = 2;
