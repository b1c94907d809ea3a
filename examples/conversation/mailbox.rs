//! What the relay stores for one party: its mail until it is acknowledged, and its bundles until they are fetched.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::mischief::{Mischief, Trick};

/// A mailbox.
pub(crate) struct Mailbox {
    mischief: Mischief,
    tally: Tally,
    /// To be delivered, in this order.
    waiting: VecDeque<Letter>,
    /// To be delivered once this many messages in total have been put in.
    held: Vec<(u64, Letter)>,
    /// Delivered and not yet acknowledged.
    delivered: BTreeMap<u64, Letter>,
    /// The connection on which it is open; 0 before the first.
    connection: u64,
}

/// One delivery of one message.
#[derive(Clone)]
pub(crate) struct Letter {
    pub(crate) delivery: u64,
    pub(crate) message: Arc<[u8]>,
}

/// What the relay did to one party's mail.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    /// Messages put into the mailbox.
    pub(crate) messages: u64,
    pub(crate) late: u64,
    pub(crate) twice: u64,
    pub(crate) damaged: u64,
    /// By the number of the delivery.
    pub(crate) deliveries: Vec<Delivery>,
}

/// A record of one delivery.
#[derive(Clone)]
pub(crate) struct Delivery {
    /// The message, by its number in this mailbox.
    pub(crate) message: u64,
    pub(crate) damaged: bool,
    /// Whether it was delivered again because a connection broke before it was acknowledged.
    pub(crate) again: bool,
}

impl Mailbox {
    pub(crate) fn new(mischief: Mischief) -> Self {
        Self {
            mischief,
            tally: Tally::default(),
            waiting: VecDeque::new(),
            held: Vec::new(),
            delivered: BTreeMap::new(),
            connection: 0,
        }
    }

    /// Accepts a message, and plays a trick on it.
    pub(crate) fn put(&mut self, message: Vec<u8>) {
        let trick = self.mischief.next(&message);
        let message: Arc<[u8]> = message.into();
        let already = self.tally.messages + 1;
        match trick {
            Trick::None => self.queue(message, false),
            Trick::Late(later) => {
                self.tally.late += 1;
                self.hold(already + later, message);
            }
            Trick::Twice(later) => {
                self.tally.twice += 1;
                self.queue(Arc::clone(&message), false);
                self.hold(already + later, message);
            }
            Trick::Damaged(damaged) => {
                self.tally.damaged += 1;
                self.queue(damaged.into(), true);
                self.queue(message, false);
            }
        }
        self.tally.messages = already;
        self.release(already);
    }

    fn queue(&mut self, message: Arc<[u8]>, damaged: bool) {
        let letter = self.letter(message, damaged);
        self.waiting.push_back(letter);
    }

    fn hold(&mut self, until: u64, message: Arc<[u8]>) {
        let letter = self.letter(message, false);
        self.held.push((until, letter));
    }

    fn letter(&mut self, message: Arc<[u8]>, damaged: bool) -> Letter {
        let delivery = u64::try_from(self.tally.deliveries.len()).unwrap_or(u64::MAX);
        self.tally.deliveries.push(Delivery { message: self.tally.messages, damaged, again: false });
        Letter { delivery, message }
    }

    /// Queues the messages that were held until `messages` had been put in.
    fn release(&mut self, messages: u64) {
        let due = self.held.extract_if(.., |(until, _)| *until <= messages);
        self.waiting.extend(due.map(|(_, letter)| letter));
    }

    /// Queues everything that is held, because no further message will overtake it.
    pub(crate) fn release_all(&mut self) {
        self.release(u64::MAX);
    }

    /// Starts a connection: messages that were delivered on the last one and not acknowledged are delivered again.
    pub(crate) fn open(&mut self) -> u64 {
        for (_, letter) in std::mem::take(&mut self.delivered).into_iter().rev() {
            if let Some(delivery) = self.tally.delivery_mut(letter.delivery) {
                delivery.again = true;
            }
            self.waiting.push_front(letter);
        }
        self.connection += 1;
        self.connection
    }

    pub(crate) const fn is_open_on(&self, connection: u64) -> bool {
        self.connection == connection
    }

    /// Returns the next delivery, which is kept until it is acknowledged.
    pub(crate) fn next(&mut self) -> Option<Letter> {
        let letter = self.waiting.pop_front()?;
        self.delivered.insert(letter.delivery, letter.clone());
        Some(letter)
    }

    pub(crate) fn acknowledge(&mut self, delivery: u64) {
        self.delivered.remove(&delivery);
    }

    /// Returns whether everything was delivered and acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.held.is_empty() && self.delivered.is_empty()
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Tally {
    /// Returns the number of repeated deliveries.
    pub(crate) fn again(&self) -> u64 {
        self.deliveries.iter().map(|delivery| u64::from(delivery.again)).sum()
    }

    pub(crate) fn delivery(&self, number: u64) -> Option<&Delivery> {
        self.deliveries.get(usize::try_from(number).ok()?)
    }

    fn delivery_mut(&mut self, number: u64) -> Option<&mut Delivery> {
        self.deliveries.get_mut(usize::try_from(number).ok()?)
    }
}

/// The bundles of one party.
#[derive(Default)]
pub(crate) struct Bundles {
    one_time: VecDeque<Vec<u8>>,
    /// Empty if there is none.
    last_resort: Vec<u8>,
    /// Every one-time bundle ever published, so that none is handed out twice.
    known: HashSet<Vec<u8>>,
}

impl Bundles {
    pub(crate) fn publish_once(&mut self, bundle: Vec<u8>) {
        if self.known.insert(bundle.clone()) {
            self.one_time.push_back(bundle);
        }
    }

    pub(crate) fn publish_last(&mut self, bundle: Vec<u8>) {
        self.last_resort = bundle;
    }

    /// Returns a one-time bundle, or the last-resort bundle if none is left. Empty if there is none either.
    pub(crate) fn hand_out(&mut self) -> Vec<u8> {
        self.one_time.pop_front().unwrap_or_else(|| self.last_resort.clone())
    }
}
