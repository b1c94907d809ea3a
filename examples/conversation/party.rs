//! One side of the conversation. It shows how a program uses `bisik` so that nothing is lost, shown twice or sent
//! unsafely, even if it is killed between any two lines.
//!
//! Two rules, and the calls that enforce them:
//!
//! * **Store before you send.** [`Session::encrypt_held`] returns a [`Held`](bisik::Held) message, which is released
//!   only against proof that the session was stored after it. See [`Party::send`].
//! * **Store before you show.** [`Session::stage`] returns a message that has verified, and the record of the
//!   session's next state; `commit` returns the plaintext. See [`Party::decrypt`].
//!
//! Both leave a gap: a process that dies between storing and sending, or between storing and showing, loses the
//! message. No order of the two steps closes this gap. The end-to-end argument does: only the two ends can know whether
//! a message has arrived. A sender keeps each content until the *receiver's own, encrypted receipt* has arrived, which
//! is sent after the content was stored there. Until then, the sender encrypts it again, with another key, whenever it
//! has heard nothing for a while. So there is nothing to recover after a crash: a content without a receipt is simply
//! still to be sent.
//!
//! Duplicates are detected on two levels: the session refuses the same *message* as replayed, and the same *content* in
//! a new message is recognised by its id.
//!
//! Files are transferred beside the messages through an untrusted store, one piece at a time between the messages: see
//! `upload.rs` and `inbox.rs`.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use bisik::content::{Content, Kind, Receipt};
use bisik::{Accepted, Ciphertext, Identity, IdentityKey, Plaintext, PreKeyBundle, PreKeys, Session, Timestamp, Trust};

use crate::agenda::{agenda, sources};
use crate::blobs::{self, Blobs};
use crate::inbox::Inbox;
use crate::link::{Director, Link};
use crate::outbox::{Outbox, compose};
use crate::said::{Said, TAKEN, to_hex};
use crate::store::{Record, Store};
use crate::wire;
use crate::{Outcome, Who, now};

/// Runs one party. The arguments are `who port seed scene FILE..`; standard input supplies the peer's identity.
pub(crate) fn main(mut arguments: Vec<OsString>) -> Outcome<()> {
    let files = arguments.split_off(arguments.len().min(4));
    let [who, port, seed, scene] = arguments.as_slice() else { return Err("a party needs more arguments".into()) };
    let who = if who == Who::Alice.name() { Who::Alice } else { Who::Bob };
    let port = port.to_str().and_then(|port| port.parse().ok()).ok_or("not a port")?;
    let seed = seed.to_str().and_then(|seed| seed.parse().ok()).ok_or("not a seed")?;

    let mut director = Director::listen();
    let blobs = Blobs::open(blobs::directory(Path::new(scene)), seed);
    let mut party = Party::load(who, &Path::new(scene).join(who.name()), &files, blobs, port, &mut director)?;
    if who == Who::Bob {
        party.publish()?;
    } else if party.session.is_none() {
        party.initiate()?;
    }
    party.converse(&director)
}

struct Party {
    who: Who,
    store: Store,
    /// What the store contains, or will contain after the next replacement.
    record: Record,
    identity: Identity,
    pre_keys: PreKeys,
    /// The only identity that this party communicates with.
    peer: IdentityKey,
    session: Option<Session>,
    outbox: Outbox,
    inbox: Inbox,
    relay: Link,
    blobs: Blobs,
    /// The receipt that this party still has to send.
    owed: Option<Receipt>,
    /// When the last receipt arrived, and how long to wait for the next.
    heard: Instant,
    patience: Duration,
    /// Deliveries that this process has processed.
    dealt_with: u64,
}

impl Party {
    /// Loads what an earlier process has stored. The first process creates an identity and pre-keys and stores them.
    fn load(
        who: Who,
        directory: &Path,
        files: &[OsString],
        blobs: Blobs,
        port: u16,
        director: &mut Director,
    ) -> Outcome<Self> {
        let store = Store::open(directory)?;
        let record = match store.load()? {
            Some(record) => record,
            None => first_record(&store)?,
        };
        let identity = Identity::unseal(store.key(), IDENTITY, &record.identity)?;
        let pre_keys = PreKeys::unseal(store.key(), PRE_KEYS, &record.pre_keys)?;
        let mut session = None;
        if !record.session.is_empty() {
            let stored = Session::unseal(store.key(), SESSION, &record.session, |id| store.block(id))?;
            Said::Resumed.say(stored.revision(), "");
            session = Some(stored);
        }
        // The users meet and scan each other's code, which pins the peer. Without such a code, `Trust::OnFirstUse`
        // applies, and a relay that hands out bundles of its own could be in the middle of the first session. The
        // identity found then would have to be remembered, and pinned from then on.
        Said::Identity.say(0, &to_hex(&identity.public().to_bytes()));
        let peer = IdentityKey::from_bytes(&director.scanned_code()?)?;
        Ok(Self {
            who,
            identity,
            pre_keys,
            peer,
            session,
            outbox: Outbox::open(directory, agenda(who, &sources(files)?))?,
            inbox: Inbox::open(directory)?,
            relay: Link::connect(port)?,
            blobs,
            store,
            record,
            owed: None,
            heard: Instant::now(),
            patience: PATIENCE,
            dealt_with: 0,
        })
    }

    /// Creates the pre-keys that are due, stores them, and publishes the bundles. Runs at every start.
    fn publish(&mut self) -> Outcome<()> {
        let (now, rng) = (timestamp()?, &mut rand::rng());
        // It says which bundles the server deletes. The relay keeps its own, because nothing gets old in this run.
        let _rotation = self.pre_keys.rotate(&self.identity, now, rng)?;
        if self.pre_keys.count(now).is_low() {
            let _bundles = self.pre_keys.replenish(&self.identity, STOCK, rng)?;
        }
        // Store before publishing: a message to a bundle whose secrets were lost cannot be read.
        self.record.pre_keys = self.pre_keys.seal(self.store.key(), PRE_KEYS, rng);
        self.store.replace(&self.record)?;
        // Publish all that are left, not only the new ones: an earlier process may have died before it could publish
        // them. The relay compares the bytes, and hands out none twice.
        for bundle in self.pre_keys.one_time_bundles(now) {
            self.relay.send(wire::Kind::PublishOnce, self.who, &bundle.to_bytes())?;
        }
        self.relay.send(wire::Kind::PublishLast, self.who, &self.pre_keys.bundle().to_bytes())
    }

    /// Sets up a session with the peer, which may be offline. Nothing is sent until there is a message.
    fn initiate(&mut self) -> Outcome<()> {
        let bundle = self.relay.fetch_bundle(self.who.other())?;
        let bundle = PreKeyBundle::from_bytes(&bundle)?.verify(Trust::Pinned(&self.peer), timestamp()?)?;
        self.session = Some(Session::initiate(&self.identity, &bundle, timestamp()?, &mut rand::rng())?);
        Ok(())
    }

    /// Sends and receives until the director tells it to stop.
    fn converse(&mut self, director: &Director) -> Outcome<()> {
        self.relay.send(wire::Kind::Open, self.who, &[])?;
        let mut complete = false;
        while !director.is_gone() {
            self.send_what_is_due()?;
            let fetching = self.inbox.step(&mut self.blobs)?;
            let mut wait = if fetching || self.outbox.is_busy() { Duration::ZERO } else { TICK };
            for _ in 0..AT_ONCE {
                let Some(arrived) = self.relay.receive(wait)? else { break };
                self.take(arrived.number, &arrived.bytes)?;
                wait = Duration::ZERO;
            }
            if !complete && self.outbox.is_empty() {
                Said::Complete.say(0, "");
                complete = true;
            }
        }
        Ok(())
    }

    /// Sends the next contents, contents to repeat, and the receipt that is due.
    fn send_what_is_due(&mut self) -> Outcome<()> {
        if self.session.is_none() {
            return Ok(());
        }
        let mut contents = Vec::new();
        if !self.outbox.is_waiting() {
            self.heard = Instant::now();
        } else if self.heard.elapsed() > self.patience {
            // After a long silence, send everything in transit again. The wait doubles until something arrives.
            contents = self.outbox.again()?;
            Said::Again.say(contents.len().try_into()?, "");
            self.heard = Instant::now();
            self.patience *= 2;
        }
        while let Some(content) = self.outbox.next(self.store.key(), &self.blobs)? {
            contents.push(content);
        }
        if let Some(receipt) = self.owed.take() {
            contents.push(compose(Kind::Receipt(receipt))?);
        }
        if contents.is_empty() { Ok(()) } else { self.send(&contents) }
    }

    /// **Store before you send.** One record releases all messages that were encrypted before it.
    fn send(&mut self, contents: &[Content]) -> Outcome<()> {
        let rng = &mut rand::rng();
        let session = self.session.as_mut().ok_or("there is no session")?;
        let mut held = Vec::new();
        for content in contents {
            held.push((content.as_body().len(), session.encrypt_held(content.as_body(), rng)?));
        }
        let sealed = session.seal(self.store.key(), SESSION, rng)?;
        self.store.put(&mut self.record, &sealed)?;

        let stored = sealed.stored(); // asserts that it is stored, which is now true
        for (length, message) in held {
            let message = message.release(&stored).map_err(|_| "a message is newer than the record")?.into_bytes();
            Said::Sent.say(message.len().try_into()?, &length.to_string());
            self.relay.send(wire::Kind::Put, self.who.other(), &message)?;
        }
        Ok(())
    }

    /// Processes one delivery: it is decrypted and stored, or refused.
    fn take(&mut self, delivery: u64, message: &[u8]) -> Outcome<()> {
        let word = match self.receive(message)? {
            Ok(plaintext) => {
                self.show(&plaintext)?;
                TAKEN.to_owned()
            }
            // A refused message changes nothing. Here it is enough to drop it, whatever the reason: a genuine content
            // stays without receipt and is sent again. `bisik::error` lists what else to do about each error.
            Err(refusal) => refusal,
        };
        Said::Verdict.say(delivery, &word);
        self.relay.done(delivery)?;
        self.dealt_with += 1;
        if self.dealt_with.is_multiple_of(RELOAD) { self.reload() } else { Ok(()) }
    }

    /// Decrypts a message of the current session, or accepts one that opens a new session.
    fn receive(&mut self, message: &[u8]) -> Outcome<Result<Vec<u8>, String>> {
        let Ok(message) = Ciphertext::from_bytes(message) else { return Ok(Err("CiphertextError".to_owned())) };
        let known =
            self.session.as_ref().is_some_and(|session| !message.is_pre_key_message() || session.recognizes(&message));
        if known { self.decrypt(&message) } else { self.accept(&message) }
    }

    /// **Store before you show.**
    fn decrypt(&mut self, message: &Ciphertext) -> Outcome<Result<Vec<u8>, String>> {
        let session = self.session.as_mut().ok_or("there is no session")?;
        let mut staged = match session.stage(&self.identity, message) {
            Ok(staged) => staged, // it has verified; the session is unchanged so far
            Err(error) => return Ok(Err(format!("DecryptError::{error:?}"))),
        };
        let sealed = staged.seal(self.store.key(), SESSION, &mut rand::rng())?;
        self.store.put(&mut self.record, &sealed)?;
        sealed.stored();
        Ok(Ok(text(staged.commit().plaintext)))
    }

    /// The same rule for a first message: the session and the remaining pre-keys are stored together before it is
    /// shown.
    fn accept(&mut self, message: &Ciphertext) -> Outcome<Result<Vec<u8>, String>> {
        // Pinned here too: a first message from anyone else is refused, however well it is made.
        let trust = Trust::Pinned(&self.peer);
        let Accepted { mut session, plaintext, used } =
            match Session::accept(&self.identity, &self.pre_keys, message, trust, timestamp()?) {
                Ok(accepted) => accepted,
                Err(error) => return Ok(Err(format!("AcceptError::{error:?}"))),
            };
        let rng = &mut rand::rng();
        self.pre_keys.remove(used);
        self.record.pre_keys = self.pre_keys.seal(self.store.key(), PRE_KEYS, rng);
        let sealed = session.seal(self.store.key(), SESSION, rng)?;
        self.store.put(&mut self.record, &sealed)?;
        sealed.stored();
        // If there was a session before, the peer has lost it. An old first message cannot replace it: the keys it
        // names are deleted, or they remember it.
        self.session = Some(session);
        Ok(Ok(text(Plaintext::Unconfirmed(plaintext))))
    }

    /// Stores a content and prepares its receipt, even if it was there before.
    fn show(&mut self, plaintext: &[u8]) -> Outcome<()> {
        // The peer is authenticated, but may still be broken or hostile: what cannot be read is neither shown nor
        // confirmed.
        let Ok(content) = Content::from_body(plaintext) else { return Ok(()) };
        if let Kind::Receipt(receipt) = content.kind() {
            self.heard = Instant::now();
            self.patience = PATIENCE;
            return self.outbox.note(receipt);
        }
        let Some(visible) = content.visible() else { return Ok(()) };
        self.inbox.take(&content)?;
        let receipt = Receipt::delivered(&visible);
        self.owed = Some(match self.owed.take() {
            Some(owed) => owed.merge(&receipt)?,
            None => receipt,
        });
        Ok(())
    }

    /// Drops the session from memory and continues from its record, as happens all day on a telephone.
    fn reload(&mut self) -> Outcome<()> {
        let Some(session) = self.session.take() else { return Ok(()) };
        let record = self.store.load()?.ok_or("the records are gone")?;
        let stored = Session::unseal(self.store.key(), SESSION, &record.session, |id| self.store.block(id))?;
        if stored.revision() != session.revision() {
            return Err("the stored session is not the one in memory".into());
        }
        self.session = Some(stored);
        Said::Reloaded.say(0, "");
        Ok(())
    }
}

/// Creates an identity with its first pre-keys, and stores them.
fn first_record(store: &Store) -> Outcome<Record> {
    let rng = &mut rand::rng();
    let identity = Identity::generate(rng);
    let record = Record {
        identity: identity.seal(store.key(), IDENTITY, rng),
        pre_keys: PreKeys::generate(&identity, timestamp()?, rng).seal(store.key(), PRE_KEYS, rng),
        session: Vec::new(),
    };
    store.replace(&record)?;
    Ok(record)
}

/// The text, whether or not the peer has proved itself: here there is nobody else to write to. A messenger marks what is
/// not confirmed.
fn text(plaintext: Plaintext) -> Vec<u8> {
    match plaintext {
        Plaintext::Confirmed(text) => text,
        Plaintext::Unconfirmed(unconfirmed) => unconfirmed.show_unconfirmed(),
    }
}

fn timestamp() -> Outcome<Timestamp> {
    Ok(Timestamp::from_unix_seconds(now()?.as_secs()))
}

/// The names under which records are sealed. No record can take the place of another.
const IDENTITY: &[u8] = b"identity";
const PRE_KEYS: &[u8] = b"pre-keys";
/// With many peers, the name would include the peer.
const SESSION: &[u8] = b"session with the peer";

/// One-time bundles created at once.
const STOCK: usize = 25;
/// Deliveries processed before anything is sent: one receipt confirms all of them.
const AT_ONCE: usize = 8;
/// Deliveries after which the session is dropped from memory and loaded again.
const RELOAD: u64 = 6;
/// How long to wait for the first receipt before contents are sent again.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long to wait for a delivery before checking the clock.
const TICK: Duration = Duration::from_millis(20);
