//! Two people, one of them with two devices: accounts, linking by the text of a QR code, a conversation over all
//! devices, and everything in SQLite. It runs by itself and prints what happens:
//!
//! ```text
//! cargo run -p devices
//! ```
//!
//! In life each device is a program of its own, with a network to the server. `relay.rs` is the server, and `store.rs`
//! the database of a device.

mod relay;
mod store;

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use bisik::conversation::{Arrival, ConversationId, Event, IdentityPolicy, Received, Recipients, StoredConversation};
use bisik::device::link::{Companion, Invitation};
use bisik::device::{AccountKey, DeviceChange, DeviceDirectory, DeviceTerms, DirectoryEvent};
use bisik::{Account, Conversation, Plaintext, StorageKey, Timestamp, Trust};
use relay::Relay;
use rusqlite::Connection;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What the program on one device holds.
struct Device {
    name: &'static str,
    account: Account,
    /// The conversation with the other person. (A messenger has one for each contact.)
    talk: Option<Conversation>,
    key: StorageKey,
    db: Connection,
}

fn main() -> ExitCode {
    match story() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devices: {error}");
            ExitCode::FAILURE
        }
    }
}

fn story() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (rng, now, relay) = (&mut rand::rng(), Timestamp::from(SystemTime::now()), &mut Relay::default());
    let new = |name, account| Device::new(name, account, folder.path());
    let mut phone = new("Alice's phone", Account::create(DeviceTerms::person(), now, rng))?;
    let mut bob = new("Bob's phone", Account::create(DeviceTerms::person(), now, rng))?;
    phone.publish(relay, now)?;
    bob.publish(relay, now)?;

    // The key of an account comes from the person: it is compared, or scanned. (Bob will believe the server once.)
    phone.meet(bob.account.key(), Trust::Pinned(bob.account.key().identity()), relay, now)?;
    phone.write("halo Bob", now)?;
    deliver(&mut [&mut phone, &mut bob], relay, now)?;

    println!("Bob's phone starts again, from its database.");
    let bob = &mut bob.restart(phone.account.key(), folder.path())?;
    bob.write("hai Alice", now)?;
    deliver(&mut [&mut phone, bob], relay, now)?;

    // The laptop shows a QR code, and the phone scans the text in it. The two messages go through the server.
    let (companion, qr_code) = Companion::with_qr_code(rng);
    let text = qr_code.to_string();
    println!("Alice's laptop shows a QR code of {} characters.", text.len());
    let primary = phone.account.primary().ok_or("only the first device adds others")?;
    let (answered, answer) = text.parse::<Invitation>()?.answer(primary, DeviceTerms::person(), rng);
    let (companion, reveal) = companion.answer(&answer)?;
    let comparing = answered.reveal(&reveal)?;
    println!("Alice compares {} on the laptop with {}.", companion.sas().digits(), comparing.sas().digits());
    let list = phone.account.change_devices(&[DeviceChange::Add(comparing.confirm())], now)?;
    phone.publish(relay, now)?;
    let linked = companion.confirm().finish(&list, now)?;
    let mut laptop = new("Alice's laptop", Account::from_linked(linked, now, rng))?;
    laptop.publish(relay, now)?;

    // A device that has joined gets what is written from then on: Bob's phone hears of the laptop first.
    deliver(&mut [&mut phone, &mut laptop, bob], relay, now)?;
    bob.write("where are you?", now)?;
    deliver(&mut [&mut phone, &mut laptop, bob], relay, now)?;
    laptop.write("at my desk", now)?;
    deliver(&mut [&mut phone, &mut laptop, bob], relay, now)
}

/// Lets the devices fetch, receive and send, until nothing is under way.
fn deliver(devices: &mut [&mut Device], relay: &mut Relay, now: Timestamp) -> Outcome<()> {
    let mut busy = true;
    while busy {
        busy = false;
        for device in devices.iter_mut() {
            busy |= device.receive(relay, now)?;
            busy |= device.flush(relay, now)?;
        }
    }
    Ok(())
}

impl Device {
    fn new(name: &'static str, account: Account, folder: &Path) -> Outcome<Self> {
        // The key belongs into the key store of the operating system.
        let key = StorageKey::generate(&mut rand::rng());
        Ok(Self { name, account, talk: None, key, db: store::open(&folder.join(name))? })
    }

    fn restart(self, peer: &AccountKey, folder: &Path) -> Outcome<Self> {
        let Self { name, key, .. } = self;
        let db = store::open(&folder.join(name))?;
        let account = store::account(&db, &key)?;
        let talk = store::conversation(&db, &account, &key, ConversationId::between(account.key(), peer))?;
        Ok(Self { name, account, talk, key, db })
    }

    /// What the server needs, of a new device, each day, and after a change: stored, uploaded, and crossed off.
    fn publish(&mut self, relay: &mut Relay, now: Timestamp) -> Outcome<()> {
        let rng = &mut rand::rng();
        let upkeep = self.account.maintain(None, now, rng)?;
        self.account.seal(&self.key, rng)?.map_or(Ok(()), |sealed| store::put_account(&mut self.db, sealed))?;
        relay.publish(&self.account, &upkeep);
        self.account.confirmed(&upkeep);
        self.account.seal(&self.key, rng)?.map_or(Ok(()), |sealed| store::put_account(&mut self.db, sealed))
    }

    /// Begins the conversation, with the newest list of the peer's devices.
    fn meet(&mut self, peer: &AccountKey, trust: Trust<'_>, relay: &Relay, now: Timestamp) -> Outcome<()> {
        let list = relay.lists(peer, 0).pop().ok_or("there is no such account")?;
        let devices = DeviceDirectory::trust(&list, trust, now)?;
        self.talk = Some(Conversation::new(&self.account, devices, &[], IdentityPolicy::Block, now).0);
        Ok(())
    }

    /// Keeps a message for all devices of both people, until each has said that it has it.
    fn write(&mut self, text: &str, now: Timestamp) -> Outcome<()> {
        println!("{} writes: {text}", self.name);
        let talk = self.talk.as_mut().ok_or("there is nobody to write to")?;
        talk.send(&self.account, text.as_bytes(), Recipients::All, now, &mut rand::rng())?;
        self.store().map(drop)
    }

    /// Stores everything that has changed. What is held is released against the result.
    fn store(&mut self) -> Outcome<StoredConversation> {
        let talk = self.talk.as_mut().ok_or("there is no conversation")?;
        let changes = talk.seal(&mut self.account, &self.key, &mut rand::rng())?;
        store::put(&mut self.db, &changes)?;
        let stored = changes.stored();
        talk.stored(&stored);
        Ok(stored)
    }

    fn receive(&mut self, relay: &mut Relay, now: Timestamp) -> Outcome<bool> {
        // Newer lists of devices first: they say who can write, and for whom to encrypt.
        let newer = relay.lists(self.account.key(), self.account.devices().sequence());
        self.account.accept_devices(&newer, now)?;
        let mut arrivals = Vec::new();
        for letter in relay.take(&self.account) {
            let (header, arrival) = Arrival::from_bytes(&letter, &self.account)?;
            let sender = header.sender()?; // a claim, until the letter verifies
            if self.talk.is_none() && sender == *self.account.key() {
                // Another own device talks with somebody, and tells whose key it has pinned.
                let found = Conversation::find(&self.account, &arrival, now)?;
                self.meet(&found.peer, Trust::Pinned(found.peer.identity()), relay, now)?;
            } else if self.talk.is_none() {
                self.meet(&sender, Trust::OnFirstUse, relay, now)?;
            }
            arrivals.push(arrival);
        }
        let Some(talk) = &mut self.talk else { return Ok(false) };
        let newer = relay.lists(talk.peer().account(), talk.peer().sequence());
        if newer.is_empty() && arrivals.is_empty() {
            return Ok(false);
        }
        talk.accept_devices(&self.account, &newer, &[], now)?;
        let results = talk.receive(&mut self.account, &arrivals, now);
        results.into_iter().filter_map(Result::err).for_each(|error| println!("{}: {error}", self.name));
        let _nothing_is_held = self.store()?; // store before you show
        self.show()?;
        Ok(true)
    }

    /// Shows what is stored, each message once by its name, and settles it.
    fn show(&mut self) -> Outcome<()> {
        let Self { name, talk, db, .. } = self;
        let Some(talk) = talk else { return Ok(()) };
        let mut last = 0;
        for (number, received) in talk.inbox() {
            last = number;
            let (id, from, body, mark) = match received {
                Received::Message { id, from, body: Plaintext::Confirmed(body), .. } => (id, from, body, ""),
                Received::Message { id, from, body: Plaintext::Unconfirmed(body), .. } => {
                    (id, from, body.peek_unconfirmed(), " (unconfirmed: nothing proves yet who wrote it)")
                }
                Received::Sent { id, from, body, .. } => (id, from, body.payload(), " (what she wrote there)"),
                Received::Event(Event::Devices(DirectoryEvent::Joined(new))) => {
                    println!("{name} warns: there is a new device {}, of the other person", new.index());
                    continue;
                }
                _ => continue, // other events; a messenger shows those that warn too
            };
            let text = String::from_utf8_lossy(body);
            if store::message(db, *from, *id, &text)? {
                println!("{name} shows, from device {}: {text}{mark}", from.index);
            }
        }
        talk.settle(last);
        Ok(())
    }

    /// Sends what is due: messages, repetitions, acknowledgements.
    fn flush(&mut self, relay: &mut Relay, now: Timestamp) -> Outcome<bool> {
        let Some(talk) = &mut self.talk else { return Ok(false) };
        let due = talk.due(&self.account, now);
        let mut bundles = Vec::new();
        for needed in &due.bundles {
            if let Some(bundle) = relay.bundle(&needed.key) {
                bundles.push((needed.device, bundle.verify(Trust::Pinned(&needed.key), now)?));
            }
        }
        if bundles.is_empty() && due.at.is_none_or(|at| at > now) {
            return Ok(false);
        }
        let outgoing = talk.flush(&self.account, &bundles, now, &mut rand::rng())?;
        let stored = self.store()?; // store before you send
        let (envelopes, handover) = outgoing.release(&stored).map_err(|_| "another record was stored")?;
        envelopes.iter().try_for_each(|envelope| relay.post(envelope.to_bytes()))?;
        if let Some(talk) = &mut self.talk {
            talk.handed(handover);
        }
        Ok(true)
    }
}
