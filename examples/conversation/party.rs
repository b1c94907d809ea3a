//! One side of the conversation: how a program uses `bisik` so that nothing is lost, shown twice or sent unsafely, even
//! if it is killed between any two lines.
//!
//! Does not know that there is a director; knows the relay only as the place where bytes go and come from.
//!
//! Two rules, and the calls that make a program keep them:
//!
//! * **Store before you send.** [`Session::encrypt_held`] gives a [`Held`](bisik::Held) message, which comes out only
//!   against the proof that the session was stored after it. See [`Party::send`].
//! * **Store before you show.** [`Session::stage`] gives a message that has verified, and the record of the session as
//!   it will be; `commit` gives the plaintext. See [`Party::decrypt`].
//!
//! Both leave a gap: a process that dies between storing and sending, or between storing and showing, loses the message.
//! No order of the two closes it; what closes it is the oldest argument of networking, that only the ends can know.
//! A sender keeps each content until the *receiver's own, encrypted receipt* has come, which is written when the content is
//! in place there, and until then encrypts it again, with another key, when it has heard nothing for a while. So there is
//! nothing to recover after a crash: what has no receipt is simply what is still to be sent. What then arrives twice is
//! told apart on two levels: the same *message* is refused by the session as replayed, the same *content* in a new message
//! is recognised by its id.
//!
//! Files go beside the messages, through a store that nobody trusts: `upload.rs` and `inbox.rs`, a piece at a time between
//! the messages.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use bisik::content::{Content, Kind, Receipt};
use bisik::{Accepted, Ciphertext, Identity, IdentityKey, PreKeyBundle, PreKeys, Session, Timestamp, Trust};

use crate::agenda::{agenda, sources};
use crate::blobs::{self, Blobs};
use crate::inbox::Inbox;
use crate::link::{Director, Link};
use crate::outbox::{Outbox, compose};
use crate::said::{Said, TAKEN, to_hex};
use crate::store::{Record, Store};
use crate::wire;
use crate::{Outcome, Who, now};

/// The process of one party: `who port seed scene FILE..`, and the peer's identity on its standard input.
pub(crate) fn main(mut arguments: Vec<OsString>) -> Outcome<()> {
    let files = arguments.split_off(arguments.len().min(4));
    let [who, port, seed, scene] = arguments.as_slice() else { return Err("a party needs more arguments".into()) };
    let who = if who == Who::Alice.name() { Who::Alice } else { Who::Bob };
    let port = port.to_str().and_then(|port| port.parse().ok()).ok_or("no port")?;
    let seed = seed.to_str().and_then(|seed| seed.parse().ok()).ok_or("no seed")?;

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
    /// What the store holds, or will hold when it is replaced next.
    record: Record,
    identity: Identity,
    pre_keys: PreKeys,
    /// The only identity that this party talks to.
    peer: IdentityKey,
    session: Option<Session>,
    outbox: Outbox,
    inbox: Inbox,
    relay: Link,
    blobs: Blobs,
    /// What the peer must be told that we have.
    owed: Option<Receipt>,
    /// When something was last receipted, and how long to wait for the next.
    heard: Instant,
    patience: Duration,
    /// Deliveries that this process has dealt with.
    dealt_with: u64,
}

impl Party {
    /// Loads what an earlier process has stored. The very first one makes an identity and pre-keys, and stores them.
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
            let stored = Session::unseal(store.key(), SESSION, &record.session)?;
            Said::Resumed.say(stored.revision(), "");
            session = Some(stored);
        }
        // The users meet and scan each other's code: that is what pins the peer. Without such a code there would be
        // `Trust::OnFirstUse`, and a relay that hands out bundles of its own could stand in the middle of the first
        // session; the identity that was found then would have to be remembered, and pinned from then on.
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

    /// At every start: makes the pre-keys that are due, stores them, and publishes the bundles.
    fn publish(&mut self) -> Outcome<()> {
        let (now, rng) = (timestamp()?, &mut rand::rng());
        self.pre_keys.rotate(&self.identity, now, rng)?;
        if self.pre_keys.count(now).is_low() {
            let _bundles = self.pre_keys.replenish(&self.identity, STOCK, rng)?;
        }
        // Stored first: a bundle whose secrets were lost makes a message unreadable.
        self.record.pre_keys = self.pre_keys.seal(self.store.key(), PRE_KEYS, rng);
        self.store.replace(&self.record)?;
        // All that are left, not only the new ones: an earlier process may have died before it could publish them.
        // The relay goes by the bytes, and hands none out twice.
        for bundle in self.pre_keys.one_time_bundles(now) {
            self.relay.send(wire::Kind::PublishOnce, self.who, &bundle.to_bytes())?;
        }
        self.relay.send(wire::Kind::PublishLast, self.who, &self.pre_keys.bundle().to_bytes())
    }

    /// Sets up a session with the peer, who need not be there. Nothing is sent before there is a message.
    fn initiate(&mut self) -> Outcome<()> {
        let bundle = self.relay.fetch_bundle(self.who.other())?;
        let bundle = PreKeyBundle::from_bytes(&bundle)?.verify(Trust::Pinned(&self.peer), timestamp()?)?;
        self.session = Some(Session::initiate(&self.identity, &bundle, &mut rand::rng())?);
        Ok(())
    }

    /// Sends and receives until the director says that it is enough.
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

    /// The contents that are next, or again, and the receipt that we owe.
    fn send_what_is_due(&mut self) -> Outcome<()> {
        if self.session.is_none() {
            return Ok(());
        }
        let mut contents = Vec::new();
        if !self.outbox.is_waiting() {
            self.heard = Instant::now();
        } else if self.heard.elapsed() > self.patience {
            // After a long silence, everything under way goes again. The wait doubles until something is heard.
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

    /// **Store before you send.** One record releases any number of messages that were encrypted before it.
    fn send(&mut self, contents: &[Content]) -> Outcome<()> {
        let rng = &mut rand::rng();
        let session = self.session.as_mut().ok_or("there is no session")?;
        let mut held = Vec::new();
        for content in contents {
            held.push((content.as_body().len(), session.encrypt_held(content.as_body(), rng)?));
        }
        let sealed = session.seal(self.store.key(), SESSION, rng);
        self.record.session = sealed.as_bytes().to_vec();
        self.store.replace(&self.record)?;

        let stored = sealed.stored(); // our word for it, now that it is true
        for (length, message) in held {
            let message = message.release(&stored).map_err(|_| "a message is newer than the record")?.into_bytes();
            Said::Sent.say(message.len().try_into()?, &length.to_string());
            self.relay.send(wire::Kind::Put, self.who.other(), &message)?;
        }
        Ok(())
    }

    /// One delivery: decrypted, put in its place, and done with; or refused, and done with as well.
    fn take(&mut self, delivery: u64, message: &[u8]) -> Outcome<()> {
        let word = match self.receive(message)? {
            Ok(plaintext) => {
                self.show(&plaintext)?;
                TAKEN.to_owned()
            }
            // A refused message changes nothing. Whatever the reason, here it is enough to drop it: if it was worth
            // anything, it stays without receipt, and comes again. `bisik::error` lists what else to do about each.
            Err(refusal) => refusal,
        };
        Said::Verdict.say(delivery, &word);
        self.relay.done(delivery)?;
        self.dealt_with += 1;
        if self.dealt_with.is_multiple_of(RELOAD) { self.reload() } else { Ok(()) }
    }

    /// Decrypts a message of our session, or accepts one that opens a new session.
    fn receive(&mut self, message: &[u8]) -> Outcome<Result<Vec<u8>, String>> {
        let Ok(message) = Ciphertext::from_bytes(message) else { return Ok(Err("CiphertextError".to_owned())) };
        let known =
            self.session.as_ref().is_some_and(|session| !message.is_pre_key_message() || session.recognizes(&message));
        if known { self.decrypt(&message) } else { self.accept(&message) }
    }

    /// **Store before you show.**
    fn decrypt(&mut self, message: &Ciphertext) -> Outcome<Result<Vec<u8>, String>> {
        let session = self.session.as_mut().ok_or("there is no session")?;
        let mut staged = match session.stage(message) {
            Ok(staged) => staged, // it has verified; the session is the same as before
            Err(error) => return Ok(Err(format!("DecryptError::{error:?}"))),
        };
        self.record.session = staged.seal(self.store.key(), SESSION, &mut rand::rng()).into_bytes();
        self.store.replace(&self.record)?;
        Ok(Ok(staged.commit()))
    }

    /// The same for a first message: the session and the pre-keys that are left are stored together, before it is shown.
    fn accept(&mut self, message: &Ciphertext) -> Outcome<Result<Vec<u8>, String>> {
        // Pinned here too: a stranger's first message is refused, however well it is made.
        let trust = Trust::Pinned(&self.peer);
        let Accepted { session, plaintext, used } =
            match Session::accept(&self.identity, &self.pre_keys, message, trust) {
                Ok(accepted) => accepted,
                Err(error) => return Ok(Err(format!("AcceptError::{error:?}"))),
            };
        let rng = &mut rand::rng();
        self.pre_keys.remove(used);
        self.record.pre_keys = self.pre_keys.seal(self.store.key(), PRE_KEYS, rng);
        self.record.session = session.seal(self.store.key(), SESSION, rng).into_bytes();
        self.store.replace(&self.record)?;
        // If there was a session before, the peer has lost it: an old first message cannot come back, because the keys
        // that it names are gone, or remember it.
        self.session = Some(session);
        Ok(Ok(plaintext))
    }

    /// Puts a content in its place, and owes a receipt for it, even if it was there before.
    fn show(&mut self, plaintext: &[u8]) -> Outcome<()> {
        // The peer is who it is, and may still be broken or hostile: what is not understood is neither shown nor receipted.
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

    /// What happens all day on a telephone: the program leaves memory, and goes on from its record.
    fn reload(&mut self) -> Outcome<()> {
        let Some(session) = self.session.take() else { return Ok(()) };
        let record = self.store.load()?.ok_or("the records are gone")?;
        let stored = Session::unseal(self.store.key(), SESSION, &record.session)?;
        if stored.revision() != session.revision() {
            return Err("the stored session is not the one in memory".into());
        }
        self.session = Some(stored);
        Said::Reloaded.say(0, "");
        Ok(())
    }
}

/// A new identity with its first pre-keys, stored.
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

fn timestamp() -> Outcome<Timestamp> {
    Ok(Timestamp::from_unix_seconds(now()?.as_secs()))
}

/// The names under which records are sealed: none can take the place of another.
const IDENTITY: &[u8] = b"identity";
const PRE_KEYS: &[u8] = b"pre-keys";
/// With many peers, the name says which.
const SESSION: &[u8] = b"session with the peer";

/// One-time bundles made at once.
const STOCK: usize = 25;
/// Deliveries that are dealt with before anything is sent: one receipt is for all of them.
const AT_ONCE: usize = 8;
/// After how many deliveries the session is dropped from memory and loaded again.
const RELOAD: u64 = 6;
/// How long to wait for the first receipt before contents are sent again.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long to wait for a delivery before looking at the clock.
const TICK: Duration = Duration::from_millis(20);
