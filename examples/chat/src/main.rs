//! A chat of two people over TCP, with an SQLite file on each side. Kill either process at any moment (`kill -9`),
//! start it again, and talk on: no message is lost, and none is there twice.
//!
//! In two terminals, in the root of the repository; each line that you type is a message:
//!
//! ```text
//! cargo run -p chat -- bob.db listen 127.0.0.1:7700
//! cargo run -p chat -- alice.db dial 127.0.0.1:7700
//! ```
//!
//! Delete one of the databases to see what a reinstalled peer looks like; `--new-peer` at the end of the other side's
//! command accepts it. `store.rs` is the database, and `net.rs` moves frames.

mod net;
mod store;

use std::path::Path;
use std::time::SystemTime;

use bisik::*;
use net::{Event, Wire};
use rusqlite::{Connection, Transaction, params};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Chat {
    db: Connection,
    key: StorageKey,
    identity: Identity,
    keys: PreKeys,
    /// All sessions with the peer while there is a connection. The last one is the one in which it was heard last.
    sessions: Vec<Session>,
    wire: Option<Wire>,
}

/// An error of the database ends the program: the records count, and the next start loads them.
fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (file, role, address, options) = match arguments.as_slice() {
        [file, role, address, options @ ..] if ["listen", "dial"].contains(&role.as_str()) => {
            (file, role, address, options)
        }
        _ => return Err("usage: chat FILE listen|dial ADDRESS [--new-peer]".into()),
    };
    let mut chat = Chat::open(Path::new(file), options == ["--new-peer"])?;
    println!("you are {}", chat.identity.public());
    chat.history()?;
    println!("* waiting for your peer");
    for event in net::start(role == "listen", address)? {
        match event {
            Event::Line(text) => chat.write(&text)?,
            // Both sides begin with their bundle. (A server between them would hand out one-time bundles.)
            Event::Connected(wire) => {
                println!("* connected");
                chat.wire.insert(wire).send(&chat.keys.bundle().to_bytes());
            }
            Event::Bundle(bytes) => chat.meet(&bytes)?,
            Event::Message(bytes) => chat.receive(&bytes)?,
            Event::Gone => {
                println!("* not connected: what you write is sent later");
                (chat.wire, chat.sessions) = (None, Vec::new());
            }
        }
    }
    Ok(())
}

impl Chat {
    fn open(file: &Path, new_peer: bool) -> Outcome<Self> {
        let (rng, now) = (&mut rand::rng(), now());
        let mut db = store::open(file)?;
        let tx = db.transaction()?;
        // The key belongs into the key store of the operating system: beside the database it protects nothing.
        let key_file = file.with_extension("key");
        if store::record(&tx, "identity")?.is_none() {
            let (key, identity) = (StorageKey::generate(rng), Identity::generate(rng));
            std::fs::write(&key_file, key.expose_bytes())?;
            store::put(&tx, "identity", 1, &identity.seal(&key, b"identity", rng))?;
            let keys = PreKeys::generate(&identity, now, rng);
            store::put(&tx, "pre-keys", keys.revision(), &keys.seal(&key, b"pre-keys", rng))?;
        }
        let key = StorageKey::from_bytes(std::fs::read(&key_file)?.try_into().map_err(|_| "not a storage key")?);
        let identity = store::record(&tx, "identity")?.ok_or("no identity")?;
        let identity = Identity::unseal(&key, b"identity", &identity)?;
        let keys = store::record(&tx, "pre-keys")?.ok_or("no pre-keys")?;
        let mut keys = PreKeys::unseal(&key, b"pre-keys", &keys)?;
        if keys.rotate(&identity, now, rng)? != Rotation::Nothing {
            store::put(&tx, "pre-keys", keys.revision(), &keys.seal(&key, b"pre-keys", rng))?;
        }
        if new_peer {
            tx.execute_batch("DELETE FROM record WHERE name = 'peer'; DELETE FROM session")?;
        }
        tx.commit()?;
        Ok(Self { db, key, identity, keys, sessions: Vec::new(), wire: None })
    }

    /// A line was typed. It is kept as not acknowledged until the peer says that it has it.
    fn write(&mut self, text: &str) -> Outcome<()> {
        let (name, text): ([u8; 8], String) = (rand::random(), text.chars().take(10_000).collect());
        let tx = self.db.transaction()?;
        tx.execute("INSERT INTO message (name, mine, text) VALUES (?1, 1, ?2)", params![name, text])?;
        match self.sessions.iter_mut().rfind(|session| session.is_confirmed()) {
            Some(session) => send(tx, session, &self.key, &[message(&name, &text)], &mut self.wire)?,
            None => tx.commit()?,
        }
        show(true, &text);
        Ok(())
    }

    /// The peer has told its bundle: loads the sessions with it, and sets one up if there is none to send in.
    fn meet(&mut self, bundle: &[u8]) -> Outcome<()> {
        let (rng, now) = (&mut rand::rng(), now());
        let tx = self.db.transaction()?;
        let pinned = pinned(&tx)?;
        let trust = pinned.as_ref().map_or(Trust::OnFirstUse, Trust::Pinned);
        let bundle = match PreKeyBundle::from_bytes(bundle).and_then(|bundle| bundle.verify(trust, now)) {
            Ok(bundle) => bundle,
            Err(error) => {
                println!("! {error}. Has your peer reinstalled? Ask, then start with --new-peer");
                return Ok(());
            }
        };
        if pinned.is_none() {
            println!("! your peer is {}: compare it with what your peer's screen says", bundle.identity());
            store::put(&tx, "peer", 1, &bundle.identity().to_bytes())?;
        }
        self.sessions = store::sessions(&tx, &self.key)?;
        let (at, frames) = match self.sessions.iter().rposition(Session::is_confirmed) {
            Some(at) => (at, [vec![vec![HELLO]], unacknowledged(&tx)?].concat()),
            None => {
                self.sessions.push(Session::initiate(&self.identity, &bundle, now, rng)?);
                (self.sessions.len() - 1, vec![vec![HELLO]])
            }
        };
        send(tx, &mut self.sessions[at], &self.key, &frames, &mut self.wire)
    }

    fn receive(&mut self, bytes: &[u8]) -> Outcome<()> {
        let Ok(message) = Ciphertext::from_bytes(bytes) else { return Ok(()) };
        let tx = self.db.transaction()?;
        let Some(peer) = pinned(&tx)? else { return Ok(()) };
        // All sessions can read; the newest is tried first.
        let read = (0..self.sessions.len()).rev().find_map(|at| {
            let before = self.sessions[at].is_confirmed();
            let held = self.sessions[at].decrypt_held(&self.identity, &message).ok()?;
            Some((at, held, self.sessions[at].is_confirmed() && !before))
        });
        let mut session = match &read {
            Some((at, ..)) => self.sessions.remove(*at),
            // A session that the peer has set up: at the first contact, or because it lost those before.
            None => match Session::accept(&self.identity, &self.keys, &message, Trust::Pinned(&peer), now()) {
                Ok(Accepted { session, used, plaintext: _ }) => {
                    self.keys.remove(used);
                    let sealed = self.keys.seal(&self.key, b"pre-keys", &mut rand::rng());
                    store::put(&tx, "pre-keys", self.keys.revision(), &sealed)?;
                    session
                }
                Err(error) => {
                    println!("! a message cannot be read: {error}");
                    return Ok(());
                }
            },
        };
        store::heard(&tx, &session)?;
        let (mut frames, mut new) = (Vec::new(), None);
        match read.as_ref().map(|(_, held, _)| held.for_inbox()) {
            Some(Plaintext::Confirmed([TEXT, rest @ ..])) if rest.len() >= 8 => {
                let (name, text) = rest.split_at(8);
                let text = String::from_utf8_lossy(text);
                // What is sent again has the name that it had: it is acknowledged again, and not shown.
                let insert = "INSERT OR IGNORE INTO message (name, mine, text) VALUES (?1, 0, ?2)";
                new = (tx.execute(insert, params![name, text])? == 1).then_some(text);
                frames.push([&[ACKNOWLEDGED], name].concat());
            }
            Some(Plaintext::Confirmed([ACKNOWLEDGED, name @ ..])) => {
                tx.execute("UPDATE message SET done = 1 WHERE mine AND name = ?1", [name])?;
            }
            Some(Plaintext::Confirmed(_)) => {}
            // Nobody has proved yet who wrote it. The answer can be read by the peer alone, and nothing else counts.
            Some(Plaintext::Unconfirmed(_)) | None => frames.push(vec![HELLO]),
        }
        if let Some((_, _, true)) = read {
            frames.push(vec![HELLO]); // with it the session is confirmed on the other side, too
            frames.extend(unacknowledged(&tx)?);
        }
        send(tx, &mut session, &self.key, &frames, &mut self.wire)?;
        self.sessions.push(session);
        new.iter().for_each(|text| show(false, text)); // it is in the database
        Ok(())
    }

    fn history(&self) -> Outcome<()> {
        let mut rows = self.db.prepare("SELECT mine, text FROM message ORDER BY number")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        rows.into_iter().try_for_each(|row| row.map(|(mine, text)| show(mine, &text)))?;
        Ok(())
    }
}

/// Encrypts the frames, stores the session with everything else that `tx` has, and only then sends them.
fn send(
    tx: Transaction,
    session: &mut Session,
    key: &StorageKey,
    frames: &[Vec<u8>],
    wire: &mut Option<Wire>,
) -> Outcome<()> {
    let rng = &mut rand::rng();
    let held = frames.iter().map(|frame| session.encrypt_held(frame, rng)).collect::<Result<Vec<_>, _>>()?;
    // The name of the record is the id of the session: there may be several with one peer.
    let name = *session.id();
    let sealed = session.seal(key, &name, rng)?;
    store::put_session(&tx, session, &sealed)?;
    tx.commit()?;
    let stored = sealed.stored();
    for held in held {
        let message = held.release(&stored).map_err(|_| "another record was stored")?;
        wire.iter_mut().for_each(|wire| wire.send(message.as_bytes()));
    }
    Ok(())
}

/// What the peer is not known to have, oldest first.
fn unacknowledged(tx: &Transaction) -> Outcome<Vec<Vec<u8>>> {
    let mut rows = tx.prepare("SELECT name, text FROM message WHERE mine AND NOT done ORDER BY number")?;
    let rows = rows.query_map([], |row| Ok(message(&row.get::<_, [u8; 8]>(0)?, &row.get::<_, String>(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn message(name: &[u8; 8], text: &str) -> Vec<u8> {
    [&[TEXT], name.as_slice(), text.as_bytes()].concat()
}

fn pinned(tx: &Transaction) -> Outcome<Option<IdentityKey>> {
    let bytes = store::record(tx, "peer")?;
    Ok(bytes.as_deref().map(IdentityKey::try_from).transpose()?)
}

fn show(mine: bool, text: &str) {
    // Escaped: what a peer writes does not steer the terminal.
    println!("{} {}", if mine { '>' } else { '<' }, text.escape_debug());
}

fn now() -> Timestamp {
    SystemTime::now().into()
}

/// The first byte of a plaintext. After the other two comes the name of a message, by which it is recognised.
const HELLO: u8 = 0;
const TEXT: u8 = 1;
const ACKNOWLEDGED: u8 = 2;
