//! One device: its memory, its database, and what an attacker has copied from it.
//!
//! It follows the two rules of persistence: store before you send, store before you show.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use bisik::{Ciphertext, Identity, PreKeys, Rotation, Session, Timestamp, Trust};

use super::checked_session::{CONTEXT, CheckedSession, Model, Sent, SetupState, preferred, sealing, storage_key};
use super::event::{Crash, Side};
use super::prekey_pool::{PreKeyHeader, PreKeyPool, Server};
use super::symbolic::Ratchet;
use crate::rng::{SeededRng, mix};

/// A device.
pub struct Device {
    pub side: Side,
    pub identity: Identity,
    /// Its clock.
    pub now: Timestamp,
    pub live: Live,
    pub database: Rc<Database>,
    pub backups: VecDeque<Rc<Database>>,
    /// The attacker's copy, with randomness of its own.
    pub spy: Option<Vec<CheckedSession>>,
    pub spy_rng: SeededRng,
}

/// The state of a device in memory.
pub struct Live {
    pub pre_keys: PreKeys,
    pub pre_keys_record: Rc<Vec<u8>>,
    pub pool: PreKeyPool,
    pub sessions: Vec<CheckedSession>,
    pub rng: SeededRng,
    /// The envelopes whose plaintext it has stored.
    pub read: BTreeSet<usize>,
}

/// The state of a device in its database. It is replaced as a whole: every change is one transaction.
#[derive(Clone)]
pub struct Database {
    pre_keys: Rc<Vec<u8>>,
    pool: PreKeyPool,
    sessions: Vec<(Rc<Vec<u8>>, Model)>,
    rng: SeededRng,
    read: BTreeSet<usize>,
}

impl Device {
    pub fn new(side: Side, now: Timestamp, mut rng: SeededRng, server: &mut Server) -> Self {
        let identity = Identity::generate(&mut rng);
        let spy_rng = rng.fork(1);
        let fresh = rng.symbol();
        let pre_keys = PreKeys::generate(&identity, now, &mut rng);
        let pre_keys_record = Rc::new(Vec::new());
        let (pool, sessions, read) = (PreKeyPool::new(fresh, now), Vec::new(), BTreeSet::new());
        let live = Live { pre_keys, pre_keys_record, pool, sessions, rng, read };
        let database = Rc::new(live.database());
        let mut device = Self { side, identity, now, live, database, backups: VecDeque::new(), spy: None, spy_rng };
        device.publish(server, now);
        device
    }

    /// The session in which both devices keep sending: among those of the newest epoch, the one with the smallest id.
    pub fn preferred(&self) -> Option<usize> {
        preferred(&self.live.sessions)
    }

    /// Encrypts, stores and sends, or crashes in between.
    pub fn send(
        &mut self,
        plaintext: &[u8],
        server: &mut Server,
        now: Timestamp,
        crash: Option<Crash>,
    ) -> Option<Sent> {
        if self.live.sessions.is_empty() {
            self.initiate(server, now);
        }
        let index = self.preferred()?;
        let Live { sessions, rng, .. } = &mut self.live;
        let sent = sessions[index].send(plaintext, rng, crash != Some(Crash::BeforeStore));
        if sent.is_some() {
            self.store();
        }
        if crash.is_some() {
            self.restart();
            return None;
        }
        sent
    }

    /// Sets up a session of the next epoch. Nothing is sent.
    pub fn initiate(&mut self, server: &mut Server, now: Timestamp) {
        let (bundle, offer) = server.fetch();
        let verified = bundle.verify(Trust::OnFirstUse, now);
        assert_eq!(verified.is_ok(), now < offer.expires, "a bundle is good until it expires");
        let Ok(verified) = verified else { return };
        let session = mix(&[self.live.rng.symbol(), offer.symbol]);
        let epoch = self.live.sessions.iter().map(|checked| checked.model.epoch).max().unwrap_or(0) + 1;
        let header = PreKeyHeader { offer, session, epoch, initiator: self.side };
        let ratchet = Ratchet::initiator(session);
        let model = Model { ratchet, session, epoch, setup: SetupState::Unanswered(header) };
        let session = Session::initiate(&self.identity, &verified, now, &mut self.live.rng).unwrap();
        self.live.keep(CheckedSession::new(session, model));
    }

    /// Rotates and replenishes pre-keys, and publishes the new bundles.
    pub fn refresh(&mut self, server: &mut Server, now: Timestamp) {
        self.now = now;
        let fresh = self.live.rng.symbol();
        let rotated = self.live.pre_keys.rotate(&self.identity, now, &mut self.live.rng).unwrap();
        let expected = if self.live.pool.rotate(fresh, now) { Rotation::Everything } else { Rotation::Nothing };
        assert_eq!(rotated, expected, "a generation is replaced after four days");
        assert_eq!(
            self.live.pre_keys.count(now).one_time,
            self.live.pool.stock(now),
            "one-time pairs go with their generation"
        );
        if rotated == Rotation::Everything {
            server.withdraw();
        }
        self.publish(server, now);
    }

    /// Publishes one one-time bundle and the last-resort bundle. The server has them once this device has stored their
    /// secrets; no event comes between.
    fn publish(&mut self, server: &mut Server, now: Timestamp) {
        if self.live.pool.stock(now) == 0 {
            let fresh = self.live.rng.symbol();
            let bundles = self.live.pre_keys.replenish(&self.identity, 1, &mut self.live.rng).unwrap();
            let offer = self.live.pool.replenish(fresh);
            for bundle in bundles {
                server.publish(bundle, offer);
            }
        }
        self.live.seal_pre_keys();
        self.store();
        server.publish(self.live.pre_keys.bundle(), self.live.pool.offer());
    }

    /// Stores everything in one transaction.
    pub fn store(&mut self) {
        self.database = Rc::new(self.live.database());
        self.backups.push_back(Rc::clone(&self.database));
        if self.backups.len() > BACKUPS {
            self.backups.pop_front();
        }
    }

    /// Restarts from the database. The machine's generator continues.
    pub fn restart(&mut self) {
        let rng = self.live.rng.clone();
        self.live = self.database.load();
        self.live.rng = rng;
    }

    /// Restarts from an old database.
    pub fn restore(&mut self, age: usize, rewind: bool) {
        let index = self.backups.len() - 1 - age % self.backups.len();
        self.database = Rc::clone(&self.backups[index]);
        self.restart();
        if rewind {
            self.live.rng = self.database.rng.clone();
        }
    }

    /// An attacker copies all sessions, and no message read before decrypts in the copies.
    pub fn copy<'a>(&mut self, consumed: impl Iterator<Item = &'a Ciphertext>) {
        let mut copy: Vec<CheckedSession> = self.live.sessions.iter().map(CheckedSession::duplicate).collect();
        for message in consumed {
            for checked in &mut copy {
                assert!(
                    checked.session.stage(&self.identity, message).is_err(),
                    "forward secrecy: a copied state decrypts a message read before"
                );
            }
        }
        self.spy = Some(copy);
    }

    /// The attacker sends in the device's name.
    pub fn forge(&mut self, plaintext: &[u8]) -> Option<Sent> {
        let spy = self.spy.as_mut()?;
        let index = preferred(spy)?;
        spy[index].send(plaintext, &mut self.spy_rng, true)
    }
}

impl Live {
    pub fn database(&self) -> Database {
        Database {
            pre_keys: Rc::clone(&self.pre_keys_record),
            pool: self.pool.clone(),
            sessions: self.sessions.iter().map(|checked| (Rc::clone(&checked.record), checked.model.clone())).collect(),
            rng: self.rng.clone(),
            read: self.read.clone(),
        }
    }

    /// Seals the pre-keys after a change.
    pub fn seal_pre_keys(&mut self) {
        self.pre_keys_record = Rc::new(self.pre_keys.seal(&storage_key(), CONTEXT, &mut sealing()));
    }

    /// Whether everything in memory equals its record, compared in bytes.
    pub fn is_stored(&mut self) -> bool {
        let pre_keys = self.pre_keys.seal(&storage_key(), CONTEXT, &mut sealing());
        pre_keys == *self.pre_keys_record && self.sessions.iter_mut().all(CheckedSession::is_stored)
    }

    /// Keeps one more session, and drops the oldest if there are too many.
    pub fn keep(&mut self, checked: CheckedSession) {
        self.sessions.push(checked);
        if self.sessions.len() > MAX_SESSIONS {
            self.sessions.remove(0);
        }
    }
}

impl Database {
    fn load(&self) -> Live {
        Live {
            pre_keys: PreKeys::unseal(&storage_key(), CONTEXT, &self.pre_keys).unwrap(),
            pre_keys_record: Rc::clone(&self.pre_keys),
            pool: self.pool.clone(),
            sessions: self.sessions.iter().map(|(record, model)| CheckedSession::open(record, model.clone())).collect(),
            rng: self.rng.clone(),
            read: self.read.clone(),
        }
    }
}

/// Sessions that a device keeps.
const MAX_SESSIONS: usize = 4;
/// Backups that a device keeps.
const BACKUPS: usize = 12;
