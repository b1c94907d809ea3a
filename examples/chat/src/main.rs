//! A chat of two people over TCP, with an SQLite file on each side. Kill either process at any moment (`kill -9`),
//! start it again, and talk on: no message is lost, and none is there twice.
//!
//! In two terminals, in the root of the repository:
//!
//! ```text
//! cargo run -p chat -- /tmp/bob.db listen 127.0.0.1:7700
//! cargo run -p chat -- /tmp/alice.db dial 127.0.0.1:7700
//! ```
//!
//! Each line that you type is a message. It counts once it is shown after a `>`: then it is in the database, and is sent
//! until the peer has it. The end of the input (Ctrl-D) ends the program; the next start sends what is left.
//!
//! End alice and `rm /tmp/alice.db* /tmp/alice.key` to see what a reinstalled peer looks like. The other side refuses it,
//! until it is started with `--new-peer KEY` at the end, where KEY is what the new peer's screen says after `you are`.
//! Let your peer tell it to you in a way that nobody can forge, and take all of it: whoever searches long enough finds a
//! key that begins like another. The option is for one start, which stores the key. What was written for the former key
//! is never sent to the new one.
//!
//! `store.rs` is the database, and `net.rs` moves frames.

mod net;
mod store;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use bisik::*;
use net::{Event, Wire};
use rusqlite::{Connection, Transaction, params};
use store::PEER;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Chat {
    db: Connection,
    key: StorageKey,
    identity: Identity,
    keys: PreKeys,
    /// All sessions with the peer while there is a connection. The last one is the one in which it was heard last.
    sessions: Vec<Session>,
    wire: Option<Wire>,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        [file, role @ ("listen" | "dial"), address] => run(file, *role == "listen", address, None),
        [file, role @ ("listen" | "dial"), address, "--new-peer", key] => {
            run(file, *role == "listen", address, Some(key))
        }
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An error of the database ends the program: the records count, and the next start loads them.
fn run(file: &str, listen: bool, address: &str, new_peer: Option<&str>) -> Outcome<()> {
    let new_peer = new_peer.map(str::parse).transpose().map_err(|error: IdentityKeyError| {
        format!("--new-peer: {error}. It takes all digits that your peer's screen says after \"you are\"")
    })?;
    let mut chat = Chat::open(Path::new(file), new_peer).map_err(about(file))?;
    println!("you are {}", chat.identity.public());
    chat.history().map_err(about(file))?;
    println!("* waiting for your peer");
    for event in net::start(listen, address).map_err(|error| about(address)(error.into()))? {
        match event {
            Event::Line(text) => chat.write(&text).map_err(about(file))?,
            // Both sides begin with their bundle. (A server between them would hand out one-time bundles.)
            Event::Connected(wire) => {
                println!("* connected");
                chat.wire.insert(wire).send(&chat.keys.bundle().to_bytes());
            }
            Event::Bundle(bytes) => chat.meet(&bytes).map_err(about(file))?,
            Event::Message(bytes) => chat.receive(&bytes).map_err(about(file))?,
            Event::Gone => {
                println!("* not connected: what you write is sent later");
                (chat.wire, chat.sessions) = (None, Vec::new());
            }
            Event::End => break,
        }
    }
    Ok(())
}

fn about(what: &str) -> impl Fn(Box<dyn Error>) -> Box<dyn Error> {
    move |error| format!("{what}: {error}").into()
}

impl Chat {
    fn open(file: &Path, new_peer: Option<IdentityKey>) -> Outcome<Self> {
        let (rng, now) = (&mut rand::rng(), now());
        let mut db = store::open(file)?;
        let tx = db.transaction()?;
        // The key belongs into the key store of the operating system: beside the database it protects nothing.
        let key_file = file.with_extension("key");
        let its_key = |error| about(&format!("its key {}", key_file.display()))(error);
        if store::record(&tx, "identity")?.is_none() {
            let (key, identity) = (StorageKey::generate(rng), Identity::generate(rng));
            std::fs::write(&key_file, key.expose_bytes()).map_err(|error| its_key(error.into()))?;
            store::put(&tx, "identity", 1, &identity.seal(&key, b"identity", rng))?;
            let keys = PreKeys::generate(&identity, now, rng);
            store::put(&tx, "pre-keys", keys.revision(), &keys.seal(&key, b"pre-keys", rng))?;
        }
        let key = std::fs::read(&key_file).map_err(|error| its_key(error.into()))?;
        let key = StorageKey::from_bytes(key.try_into().map_err(|_| its_key("it has not 32 bytes".into()))?);
        let identity = store::record(&tx, "identity")?.ok_or("no identity")?;
        let identity = Identity::unseal(&key, b"identity", &identity).map_err(store::does_not_open("identity"))?;
        let keys = store::record(&tx, "pre-keys")?.ok_or("no pre-keys")?;
        let mut keys = PreKeys::unseal(&key, b"pre-keys", &keys).map_err(store::does_not_open("pre-keys"))?;
        if keys.rotate(&identity, now, rng)? != Rotation::Nothing {
            store::put(&tx, "pre-keys", keys.revision(), &keys.seal(&key, b"pre-keys", rng))?;
        }
        if let Some(peer) = new_peer
            && pinned(&tx)? != Some(peer)
        {
            store::pin(&tx, &peer)?;
        }
        tx.commit()?;
        Ok(Self { db, key, identity, keys, sessions: Vec::new(), wire: None })
    }

    /// A line was typed. It is kept as not acknowledged until the peer says that it has it.
    fn write(&mut self, text: &str) -> Outcome<()> {
        let (name, text): ([u8; 8], String) = (rand::random(), text.chars().take(10_000).collect());
        let tx = self.db.transaction()?;
        tx.execute(
            &format!("INSERT INTO message (name, mine, text, peer) VALUES (?1, 1, ?2, {PEER})"),
            params![name, text],
        )?;
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
            Err(BundleError::IdentityMismatch) => {
                println!(
                    "! this is not the peer that you know, and gets nothing. Was your peer installed anew? Ask for"
                );
                println!(
                    "! the key on its screen, in a call for example, and start once with --new-peer KEY at the end"
                );
                return Ok(());
            }
            Err(error) => {
                println!("! {error}");
                return Ok(());
            }
        };
        if pinned.is_none() {
            println!("! your peer is {}: compare it with what your peer's screen says", bundle.identity());
            store::pin(&tx, bundle.identity())?;
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
                let insert =
                    format!("INSERT OR IGNORE INTO message (name, mine, text, peer) VALUES (?1, 0, ?2, {PEER})");
                new = (tx.execute(&insert, params![name, text])? == 1).then_some(text);
                frames.push([&[ACKNOWLEDGED], name].concat());
            }
            Some(Plaintext::Confirmed([ACKNOWLEDGED, name @ ..])) => {
                tx.execute(&format!("UPDATE message SET done = 1 WHERE mine AND name = ?1 AND peer = {PEER}"), [name])?;
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
        let lost = format!("mine AND NOT done AND ifnull(peer <> {PEER}, 0)");
        let mut rows = self.db.prepare(&format!("SELECT mine, text, {lost} FROM message ORDER BY number"))?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
        let mut any_lost = false;
        for row in rows {
            let (mine, text, lost) = row?;
            if lost {
                println!("x {}", text.escape_debug())
            } else {
                show(mine, &text)
            }
            any_lost |= lost;
        }
        if any_lost {
            println!("! x: a former peer has not acknowledged it, and the present one does not get it");
        }
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

/// What the peer is not known to have, oldest first. Nothing that was written for another key.
fn unacknowledged(tx: &Transaction) -> Outcome<Vec<Vec<u8>>> {
    let select = format!("SELECT name, text FROM message WHERE mine AND NOT done AND peer = {PEER} ORDER BY number");
    let mut rows = tx.prepare(&select)?;
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
const USAGE: &str = "usage: chat FILE listen|dial ADDRESS [--new-peer KEY]";
