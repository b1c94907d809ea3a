//! Records and sessions in SQLite, by the rules of docs/persistence.md. To be copied.

use std::path::Path;

use bisik::{BlockId, IdentityKey, SealedParts, Session, StorageKey, UnsealError, Write};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::Outcome;

pub(crate) fn open(file: &Path) -> Outcome<Connection> {
    let db = Connection::open(file)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?; // what is committed is on the disk
    db.execute_batch(SCHEMA)?;
    // What a dropped session, or a crash, has left behind.
    db.execute_batch("DELETE FROM block WHERE session NOT IN (SELECT id FROM session)")?;
    Ok(db)
}

pub(crate) fn record(tx: &Transaction, name: &str) -> Outcome<Option<Vec<u8>>> {
    Ok(tx.query_row("SELECT bytes FROM record WHERE name = ?1", [name], |row| row.get(0)).optional()?)
}

pub(crate) fn put(tx: &Transaction, name: &str, revision: u64, bytes: &[u8]) -> Outcome<()> {
    must_change(tx.execute(PUT_RECORD, params![name, revision.cast_signed(), bytes])?)
}

/// Makes this key the peer. Sessions with another are dropped. What was written before there was any peer is for this
/// one; what was written for another remains that one's.
pub(crate) fn pin(tx: &Transaction, peer: &IdentityKey) -> Outcome<()> {
    tx.execute_batch("DELETE FROM record WHERE name = 'peer'; DELETE FROM session; DELETE FROM block")?;
    put(tx, "peer", 1, &peer.to_bytes())?;
    tx.execute("UPDATE message SET peer = ?1 WHERE peer IS NULL", [peer.to_bytes()])?;
    Ok(())
}

pub(crate) fn does_not_open(what: &str) -> impl Fn(UnsealError) -> String {
    move |error| format!("{what} does not open: {error}. examples/explain tells more (see the top of its main.rs)")
}

/// All sessions with the peer; the last one is the one in which it was heard last.
pub(crate) fn sessions(tx: &Transaction, key: &StorageKey) -> Outcome<Vec<Session>> {
    let mut rows = tx.prepare("SELECT id, head FROM session ORDER BY heard")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<_>, _>>()?;
    let block = |id: BlockId| {
        let mut rows = tx.prepare("SELECT bytes FROM block WHERE id = ?1").ok()?;
        rows.query_row([id.as_bytes()], |row| row.get(0)).ok()
    };
    let open = |(id, head): ([u8; 16], Vec<u8>)| {
        Ok(Session::unseal(key, &id, &head, block).map_err(does_not_open("a session"))?)
    };
    rows.into_iter().map(open).collect()
}

/// Stores a session under its id, over a lower revision of the same session. Another session with the same peer has
/// another id, and revisions of its own.
pub(crate) fn put_session(tx: &Transaction, session: &Session, sealed: &SealedParts) -> Outcome<()> {
    for write in sealed.writes() {
        match write {
            Write::Put(block) => {
                tx.execute(PUT_BLOCK, params![block.id().as_bytes(), session.id(), block.as_bytes()])?;
            }
            Write::Head(head) => {
                let (revision, confirmed) = (sealed.revision().cast_signed(), session.is_confirmed());
                must_change(tx.execute(PUT_SESSION, params![session.id(), revision, confirmed, head])?)?;
            }
            Write::Delete(block) => drop(tx.execute("DELETE FROM block WHERE id = ?1", [block.as_bytes()])?),
        }
    }
    tx.execute(DROP_SESSIONS, [])?;
    Ok(())
}

pub(crate) fn heard(tx: &Transaction, session: &Session) -> Outcome<()> {
    tx.execute("UPDATE session SET heard = (SELECT max(heard) + 1 FROM session) WHERE id = ?1", [session.id()])?;
    Ok(())
}

fn must_change(rows: usize) -> Outcome<()> {
    if rows == 1 { Ok(()) } else { Err("another process was faster: load the records again".into()) }
}

/// The key of the peer, in SQL. Each message keeps the key that it was written for: it is never sent to another.
pub(crate) const PEER: &str = "(SELECT bytes FROM record WHERE name = 'peer')";
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS record (name TEXT PRIMARY KEY, revision INTEGER, bytes BLOB);
    CREATE TABLE IF NOT EXISTS session
        (id BLOB PRIMARY KEY, revision INTEGER, heard INTEGER, confirmed INTEGER, head BLOB);
    CREATE TABLE IF NOT EXISTS block (id BLOB PRIMARY KEY, session BLOB, bytes BLOB);
    CREATE TABLE IF NOT EXISTS message
        (number INTEGER PRIMARY KEY, name BLOB UNIQUE, mine INTEGER, done INTEGER DEFAULT 0, text TEXT, peer BLOB);";
const PUT_RECORD: &str = "INSERT INTO record VALUES (?1, ?2, ?3)
    ON CONFLICT (name) DO UPDATE SET revision = ?2, bytes = ?3 WHERE revision < ?2";
const PUT_BLOCK: &str = "INSERT OR REPLACE INTO block VALUES (?1, ?2, ?3)";
const PUT_SESSION: &str = "INSERT INTO session
    VALUES (?1, ?2, (SELECT ifnull(max(heard), 0) + 1 FROM session), ?3, ?4)
    ON CONFLICT (id) DO UPDATE SET revision = ?2, confirmed = ?3, head = ?4 WHERE revision < ?2";
/// Two confirmed sessions with the peer are enough, and four that may still be confirmed.
const DROP_SESSIONS: &str = "DELETE FROM session
    WHERE id NOT IN (SELECT id FROM session WHERE confirmed ORDER BY heard DESC LIMIT 2)
    AND id NOT IN (SELECT id FROM session WHERE NOT confirmed ORDER BY heard DESC LIMIT 4)";
