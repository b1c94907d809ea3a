//! The model of a device's pre-keys, with symbols for keys (docs/spec/session.md, section 2.4), and the server of
//! bundles.
//!
//! It determines which pre-key messages a device must accept, and why it refuses others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bisik::{AcceptError, PreKeyBundle, Timestamp};

use super::event::Side;
use super::symbolic::Symbol;
use crate::rng::mix;

/// A bundle in the model. A pair's id is its symbol, because ids are digests of keys; `symbol` stands for the whole
/// bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub signed: Symbol,
    pub one_time: Option<Symbol>,
    pub symbol: Symbol,
    pub expires: Timestamp,
}

/// A pre-key header in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreKeyHeader {
    pub offer: Offer,
    pub session: Symbol,
    /// How often the pair has set up a session anew: metadata of the application, not of the protocol.
    pub epoch: u32,
    pub initiator: Side,
}

/// The pre-keys of a device in the model.
#[derive(Clone, Debug)]
pub struct PreKeyPool {
    current: Generation,
    older: Vec<Generation>,
    one_time: BTreeMap<Symbol, OneTime>,
}

#[derive(Clone, Debug)]
struct Generation {
    signed: Symbol,
    symbol: Symbol,
    created: Timestamp,
    expires: Timestamp,
    replaced: Option<Timestamp>,
    seen: BTreeSet<Symbol>,
}

#[derive(Clone, Copy, Debug)]
struct OneTime {
    signed: Symbol,
    symbol: Symbol,
}

impl Generation {
    fn new(fresh: Symbol, now: Timestamp) -> Self {
        let symbol = mix(&[fresh, now.as_unix_seconds()]);
        let expires = now.plus_seconds(30 * DAY);
        Self { signed: fresh, symbol, created: now, expires, replaced: None, seen: BTreeSet::new() }
    }

    fn is_too_old(&self, now: Timestamp) -> bool {
        now >= self.created.plus_seconds(33 * DAY)
    }

    fn offer(&self) -> Offer {
        let Self { signed, symbol, expires, .. } = *self;
        Offer { signed, one_time: None, symbol, expires }
    }
}

impl PreKeyPool {
    pub fn new(fresh: Symbol, now: Timestamp) -> Self {
        Self { current: Generation::new(fresh, now), older: Vec::new(), one_time: BTreeMap::new() }
    }

    pub fn offer(&self) -> Offer {
        self.current.offer()
    }

    /// The number of one-time pairs that peers can still use.
    pub fn stock(&self, now: Timestamp) -> usize {
        let usable = |pair: &&OneTime| pair.signed == self.current.signed && now < self.current.expires;
        self.one_time.values().filter(usable).count()
    }

    /// Adds a one-time pair.
    pub fn replenish(&mut self, fresh: Symbol) -> Offer {
        let symbol = mix(&[fresh, self.current.symbol]);
        self.one_time.insert(fresh, OneTime { signed: self.current.signed, symbol });
        Offer { one_time: Some(fresh), symbol, ..self.offer() }
    }

    /// Applies the rules of lifetime; returns whether there is a new generation.
    pub fn rotate(&mut self, fresh: Symbol, now: Timestamp) -> bool {
        let due = now >= self.current.created.plus_seconds(4 * DAY);
        if due {
            let mut old = std::mem::replace(&mut self.current, Generation::new(fresh, now));
            old.replaced = Some(now);
            self.older.push(old);
        }
        self.older.retain(|generation| {
            let delivered = generation.replaced.is_some_and(|replaced| now >= replaced.plus_seconds(3 * DAY));
            !delivered && !generation.is_too_old(now)
        });
        let held: BTreeSet<Symbol> = self.generations().map(|generation| generation.signed).collect();
        self.one_time.retain(|_, pair| held.contains(&pair.signed));
        due
    }

    /// The outcome of a pre-key message: the symbol of the signed pre-key, or a refusal.
    pub fn answer(&self, header: &PreKeyHeader, now: Timestamp) -> Result<Symbol, AcceptError> {
        let offer = &header.offer;
        let generation = self.generation(offer.signed).filter(|generation| !generation.is_too_old(now));
        let generation = generation.ok_or(AcceptError::UnknownPreKey)?;
        let symbol = match offer.one_time {
            Some(id) => {
                let pair = self.one_time.get(&id).filter(|pair| pair.signed == offer.signed);
                pair.ok_or(AcceptError::UnknownPreKey)?.symbol
            }
            None => generation.symbol,
        };
        if symbol != offer.symbol {
            return Err(AcceptError::Rejected);
        }
        if offer.one_time.is_none() && generation.seen.contains(&header.session) {
            return Err(AcceptError::Replayed);
        }
        Ok(offer.signed)
    }

    /// Records that the session was accepted.
    pub fn remove(&mut self, header: &PreKeyHeader) {
        match header.offer.one_time {
            Some(id) => {
                self.one_time.remove(&id);
            }
            None => {
                let mut held = self.older.iter_mut().chain([&mut self.current]);
                let used = held.find(|generation| generation.signed == header.offer.signed);
                used.unwrap().seen.insert(header.session);
            }
        }
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.older.iter().chain([&self.current])
    }

    fn generation(&self, signed: Symbol) -> Option<&Generation> {
        self.generations().find(|generation| generation.signed == signed)
    }
}

/// The server that stores one device's bundles. It is never rolled back.
#[derive(Default)]
pub struct Server {
    one_time: VecDeque<(PreKeyBundle, Offer)>,
    last_resort: Option<(PreKeyBundle, Offer)>,
}

impl Server {
    pub fn publish(&mut self, bundle: PreKeyBundle, offer: Offer) {
        // As over the network: encoded and decoded.
        let bytes = bundle.to_bytes();
        let bundle = PreKeyBundle::from_bytes(&bytes).unwrap();
        assert_eq!(bundle.to_bytes(), bytes, "a bundle has one encoding");
        match offer.one_time {
            Some(_) => self.one_time.push_back((bundle, offer)),
            None => self.last_resort = Some((bundle, offer)),
        }
    }

    /// Deletes the one-time bundles of a generation that was replaced.
    pub fn withdraw(&mut self) {
        self.one_time.clear();
    }

    /// Hands out each one-time bundle once, then the last-resort bundle as often as asked.
    pub fn fetch(&mut self) -> (PreKeyBundle, Offer) {
        self.one_time.pop_front().or_else(|| self.last_resort.clone()).unwrap()
    }
}

pub const DAY: u64 = 24 * 60 * 60;
