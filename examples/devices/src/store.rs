//! The records of one device in SQLite, by the rules of docs/persistence.md. To be copied.

use std::path::Path;

use bisik::conversation::{Change, Changes, ConversationId, DeviceAddress, MessageId, Record, RecordName, Side};
use bisik::{Account, Conversation, SealedAccount, StorageKey, UnsealError};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::Outcome;

pub(crate) fn open(file: &Path) -> Outcome<Connection> {
    let db = Connection::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?; // what is committed is on the disk
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS record (name BLOB PRIMARY KEY, revision INTEGER, bytes BLOB);
         CREATE TABLE IF NOT EXISTS block (id BLOB PRIMARY KEY, bytes BLOB);
         CREATE TABLE IF NOT EXISTS message
             (own INTEGER, device INTEGER, id BLOB, text TEXT, PRIMARY KEY (own, device, id));",
    )?;
    Ok(db)
}

/// Stores everything that has changed, in the order of [`Changes::writes`], in one transaction.
pub(crate) fn put(db: &mut Connection, changes: &Changes) -> Outcome<()> {
    let tx = db.transaction()?;
    for change in changes.writes() {
        match change {
            Change::Put(block) => {
                let put = "INSERT OR REPLACE INTO block VALUES (?1, ?2)";
                tx.execute(put, params![block.id().as_bytes(), block.as_bytes()])?;
            }
            Change::Record(record) => put_record(&tx, record)?,
            Change::Delete(id) => drop(tx.execute("DELETE FROM block WHERE id = ?1", [id.as_bytes()])?),
            Change::Remove(name) => drop(tx.execute("DELETE FROM record WHERE name = ?1", [bytes(&name)])?),
        }
    }
    Ok(tx.commit()?)
}

/// Stores the account alone: after its upkeep, or after its devices have changed.
pub(crate) fn put_account(db: &mut Connection, sealed: SealedAccount) -> Outcome<()> {
    let SealedAccount { expected, revision, bytes } = sealed;
    let tx = db.transaction()?;
    put_record(&tx, &Record { name: RecordName::Account, expected, revision, bytes })?;
    Ok(tx.commit()?)
}

/// Compare-and-swap: the database must still have the revision from which this record was computed.
fn put_record(tx: &Transaction, record: &Record) -> Outcome<()> {
    let Record { name, expected, revision, bytes: sealed } = record;
    let (name, revision) = (bytes(name), revision.cast_signed());
    let changed = match expected {
        None => tx.execute("INSERT OR IGNORE INTO record VALUES (?1, ?2, ?3)", params![name, revision, sealed])?,
        Some(expected) => tx.execute(
            "UPDATE record SET revision = ?2, bytes = ?3 WHERE name = ?1 AND revision = ?4",
            params![name, revision, sealed, expected.cast_signed()],
        )?,
    };
    if changed == 1 { Ok(()) } else { Err("somebody was faster: load the records again".into()) }
}

pub(crate) fn account(db: &Connection, key: &StorageKey) -> Outcome<Account> {
    let record = record(db, RecordName::Account)?.ok_or("there is no account")?;
    Ok(Account::unseal(key, &record).map_err(does_not_open("the account"))?)
}

pub(crate) fn conversation(
    db: &Connection,
    account: &Account,
    key: &StorageKey,
    id: ConversationId,
) -> Outcome<Option<Conversation>> {
    let Some(head) = record(db, RecordName::Conversation(id))? else { return Ok(None) };
    let block = "SELECT bytes FROM block WHERE id = ?1";
    let lookup = |id: bisik::BlockId| db.query_row(block, [id.as_bytes()], |row| row.get(0)).ok();
    Ok(Some(Conversation::unseal(account, key, id, &head, lookup).map_err(does_not_open("a conversation"))?))
}

/// Stores a message under its name. Says whether it is new.
pub(crate) fn message(db: &Connection, from: DeviceAddress, id: MessageId, text: &str) -> Outcome<bool> {
    let values = params![from.side == Side::Own, from.index, id.to_bytes(), text];
    Ok(db.execute("INSERT OR IGNORE INTO message VALUES (?1, ?2, ?3, ?4)", values)? == 1)
}

fn does_not_open(what: &str) -> impl Fn(UnsealError) -> String {
    move |error| format!("{what} does not open: {error}. examples/explain tells more (see the top of its main.rs)")
}

fn record(db: &Connection, name: RecordName) -> Outcome<Option<Vec<u8>>> {
    Ok(db.query_row("SELECT bytes FROM record WHERE name = ?1", [bytes(&name)], |row| row.get(0)).optional()?)
}

fn bytes(name: &RecordName) -> Vec<u8> {
    match name {
        RecordName::Account => b"account".to_vec(),
        RecordName::Conversation(id) => id.as_bytes().to_vec(),
    }
}
