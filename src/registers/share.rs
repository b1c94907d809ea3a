//! What own devices tell each other (docs/spec/registers.md, section 17.3).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::error::{RegisterError, RegisterLetterError};
use super::key::RegisterKey;
use super::limits::{ANSWER_LETTERS, ANSWERS, DAY, HOUR, PEERS};
use super::wire::{Digests, Note, digests_of, same};
use super::write::Took;
use super::{Registers, parts};
use crate::account::Account;
use crate::conversation::{Letter, MemberDevice, ReceivedLetter};
use crate::keys::IdentityKey;
use bisik_core::held::{Held, Stored};
use bisik_core::time::Timestamp;

/// What another own device was told, and when.
#[derive(Clone, Copy, Default)]
pub(super) struct Peer {
    /// The digests.
    pub(super) told: Option<Timestamp>,
    /// The first answer within this hour, and how many there were.
    pub(super) answered: Option<Timestamp>,
    pub(super) answers: u8,
    /// How many letters of an answer that did not fit were given. Not stored.
    pub(super) given: usize,
}

/// A question of another own device.
pub(super) type Question = Box<Digests>;

/// Letters to own devices, once the registers are stored: **store before you send**.
#[must_use = "what was made is not sent"]
pub struct RegistersOutgoing {
    letters: Held<Vec<Letter>>,
    handover: RegistersHandover,
}

/// Names what was released, for [`Registers::handed`].
#[derive(Debug)]
#[must_use = "what is not confirmed as handed over is made again"]
pub struct RegistersHandover {
    sent: Vec<(RegisterKey, u64)>,
    asked: Vec<IdentityKey>,
    at: Timestamp,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegistersTaken {
    /// Registers that another device has written later than what was here.
    pub taken: usize,
    /// Registers that were refused: dated more than a day ahead of the local clock, or no room. They are asked for again.
    pub refused: usize,
}

impl RegistersOutgoing {
    /// Returns whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.letters.peek().is_empty()
    }

    /// Releases the letters, if `stored` proves that the registers were stored after they were made. Give each to the
    /// conversation with oneself ([`Conversation::send_letter`](crate::Conversation::send_letter)), store that, and tell the
    /// registers ([`handed`](Registers::handed)).
    ///
    /// # Errors
    ///
    /// Returns itself if the proof is of another value in memory or of an earlier revision.
    pub fn release(self, stored: &Stored) -> Result<(Vec<Letter>, RegistersHandover), Self> {
        let Self { letters, handover } = self;
        match letters.release(stored) {
            Ok(letters) => Ok((letters, handover)),
            Err(letters) => Err(Self { letters, handover }),
        }
    }
}

impl fmt::Debug for RegistersOutgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { letters, handover } = self;
        let (letters, sent) = (letters.peek().len(), handover.sent.len());
        f.debug_struct("RegistersOutgoing").field("letters", &letters).field("sent", &sent).finish()
    }
}

impl Registers {
    /// Makes what is due: what was written here for every other own device, digests for those that were not asked for a day,
    /// and answers. Call it after every operation.
    ///
    /// # Errors
    ///
    /// [`RegisterError::NotListed`]. What is due then waits.
    pub fn flush(&mut self, account: &Account, now: Timestamp) -> Result<RegistersOutgoing, RegisterError> {
        let index = self.check(account, now)?;
        self.forget(now);
        self.date_again(account, index, now);
        let others = self.others(account);
        self.peers.retain(|device, _| others.iter().any(|other| other.identity == *device));
        self.asked.retain(|device, _| others.iter().any(|other| other.identity == *device));
        let news: Vec<_> =
            self.unsent.iter().filter_map(|key| self.registers.get(key).map(|register| (key, register))).collect();
        let sent = news.iter().map(|(key, register)| ((*key).clone(), register.counter)).collect();
        let news = Note::letters(news.into_iter());
        let digests = digests_of(&self.registers);
        let (mut letters, mut asked) = (Vec::new(), Vec::new());
        for device in others {
            letters.extend(news.iter().map(|body| Letter::new(device, body.clone())));
            let mut peer = self.peers.get(&device.identity).copied().unwrap_or_default();
            if is_time(peer.answered, HOUR, now) {
                (peer.answered, peer.answers) = (None, 0);
            }
            // P-17.7. What cannot be answered yet is answered later.
            let question = if peer.answers < ANSWERS { self.asked.remove(&device.identity) } else { None };
            let asks = is_time(peer.told, DAY, now) || (question.is_some() && is_time(peer.told, HOUR, now));
            if let Some(theirs) = question {
                let answer = self.answer(&theirs, &digests, &mut peer.given);
                letters.extend(answer.into_iter().map(|body| Letter::new(device, body)));
                (peer.answered, peer.answers) = (peer.answered.or(Some(now)), peer.answers.saturating_add(1));
            }
            if asks {
                letters.push(Letter::new(device, Note::digests(&digests)));
                asked.push(device.identity);
            }
            if self.peers.len() < PEERS || self.peers.contains_key(&device.identity) {
                self.peers.insert(device.identity, peer);
            }
        }
        self.lineage.change();
        let handover = RegistersHandover { sent, asked, at: now };
        Ok(RegistersOutgoing { letters: Held::new(letters, self.lineage.origin()), handover })
    }

    /// Takes note that the records of the conversation with oneself have what one [`flush`](Self::flush) made.
    pub fn handed(&mut self, handover: RegistersHandover) {
        let RegistersHandover { sent, asked, at } = handover;
        for device in asked {
            self.peers.entry(device).and_modify(|peer| peer.told = Some(at));
        }
        for (key, counter) in sent {
            // What was written since goes out with the next flush.
            if self.registers.get(&key).is_some_and(|register| register.counter == counter) {
                self.unsent.remove(&key);
            }
        }
        self.lineage.change();
    }

    /// Takes a letter of another own device. Seal and store, then [settle](crate::Conversation::settle) it in the
    /// conversation, and [flush](Self::flush).
    ///
    /// # Errors
    ///
    /// [`RegisterLetterError`]. Nothing has changed then.
    pub fn receive_letter(
        &mut self,
        account: &Account,
        letter: &ReceivedLetter,
        now: Timestamp,
    ) -> Result<RegistersTaken, RegisterLetterError> {
        let index = self.check(account, now).map_err(|_| RegisterLetterError::NotListed)?;
        let from = letter.from();
        if !self.others(account).contains(from) {
            return Err(RegisterLetterError::UnknownDevice);
        }
        let mut taken = RegistersTaken::default();
        match Note::decode(letter.body()).map_err(|_| RegisterLetterError::Malformed)? {
            Note::Registers(registers) => {
                self.date_again(account, index, now);
                self.lineage.change();
                for (key, register) in registers {
                    match self.take(key, register, now) {
                        Took::Holds => taken.taken = taken.taken.saturating_add(1),
                        Took::Refused => taken.refused = taken.refused.saturating_add(1),
                        Took::Old => {}
                    }
                }
            }
            Note::Digests(theirs) => {
                self.asked.insert(from.identity, theirs);
            }
            Note::Same => {}
        }
        // Somebody has answered.
        if self.quiet.take().is_some() {
            self.lineage.change();
        }
        Ok(taken)
    }

    /// P-17.5: the other own devices that take part.
    fn others(&self, account: &Account) -> Vec<MemberDevice> {
        let entries = account.devices().devices().iter();
        let others = entries.filter(|entry| *entry.identity() != self.local && entry.custody().is_own_held());
        others
            .map(|entry| MemberDevice { account: self.account, device: entry.index(), identity: *entry.identity() })
            .collect()
    }

    /// The registers of parts that differ, in 16 letters at most. What does not fit comes first in the next answer: `given` says
    /// how many letters were given, so that nothing is left out for ever.
    fn answer(&self, theirs: &Digests, ours: &Digests, given: &mut usize) -> Vec<Zeroizing<Vec<u8>>> {
        if theirs == ours {
            return [same()].into();
        }
        let parts = parts(&self.registers).into_iter().zip(theirs.iter().zip(ours));
        let differ = parts.filter(|(_, (theirs, ours))| theirs != ours);
        let mut letters = Note::letters(differ.flat_map(|(part, _)| part));
        if letters.len() > ANSWER_LETTERS {
            let first = given.checked_rem(letters.len()).unwrap_or(0);
            letters.rotate_left(first);
            letters.truncate(ANSWER_LETTERS);
            *given = first.saturating_add(ANSWER_LETTERS);
        }
        letters
    }
}

/// Whether so many seconds have passed, or the clock was set back.
fn is_time(last: Option<Timestamp>, seconds: u64, now: Timestamp) -> bool {
    last.is_none_or(|last| last > now || last.plus_seconds(seconds) <= now)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec;

    use super::*;
    use crate::device::DeviceTerms;

    /// P-17.7. A thief chooses names so that all are in one part: even then each register is in one of the next answers.
    #[test]
    fn what_does_not_fit_into_an_answer_comes_first_in_the_next_one() {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let account = Account::create(DeviceTerms::person(), now, &mut rand::rng());
        let mut registers = Registers::new(&account).unwrap();
        let value = vec![7; 4_096];
        let in_one_part = (0_u32..).map(|number| RegisterKey::of_program(200, &number.to_be_bytes()).unwrap());
        for key in in_one_part.filter(|key| key.part() == 3).take(250) {
            registers.set(&account, &key, Some(&value), now).unwrap();
        }
        let (ours, theirs) = (digests_of(&registers.registers), [[0; 8]; 32]);
        let (mut given, mut seen) = (0, BTreeSet::new());
        for round in 1..=2 {
            let letters = registers.answer(&theirs, &ours, &mut given);
            assert_eq!(letters.len(), ANSWER_LETTERS);
            for letter in letters {
                let Ok(Note::Registers(read)) = Note::decode(&letter) else { panic!("registers") };
                seen.extend(read.into_iter().map(|(key, _)| key));
            }
            assert_eq!(seen.len() == 250, round == 2, "{}", seen.len());
        }
    }
}
