//! The embedded engine: one SQLite file. Record, rows, envelopes and queue change in one transaction.
//!
//! No transaction is open while a worker computes: each method is one short transaction.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::Outcome;
use crate::engine::{Batch, BlockName, Books, Claim, Engine, Lane, Mail, Name, Post, Row, Sealed, Sent, Step, Verdict};
use crate::points::{Point, Points};

/// A connection to the file.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    lease: Duration,
    /// For customers: the last message that was fetched.
    fetched: i64,
    compare: bool,
}

impl Sqlite {
    /// Opens or creates the file. After `lease`, a claimed message is delivered to another worker.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(file: &Path, lease: Duration) -> Outcome<Self> {
        let mut connection = Connection::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
        connection.busy_handler(Some(wait_for_turn))?;
        // Readers run beside one writer, and a commit is on the disk, not only in its cache, before anything is sent.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, lease, fetched: 0, compare: true })
    }

    /// For a test of the audit: stores without comparing revisions.
    #[must_use]
    pub fn without_compare_and_swap(self) -> Self {
        Self { compare: false, ..self }
    }

    fn begin(&mut self) -> Outcome<Transaction<'_>> {
        // Starts as a writer: a transaction that reads first could find its snapshot outdated when it writes.
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    fn published(&self, name: &str) -> Outcome<Vec<u8>> {
        Ok(self.connection.query_row("SELECT bytes FROM published WHERE name = ?1", [name], |row| row.get(0))?)
    }
}

impl Engine for Sqlite {
    fn claim(&mut self, lane: Lane, most: usize) -> Outcome<Vec<Claim>> {
        let (now, until) = (milliseconds(Duration::ZERO)?, milliseconds(self.lease)?);
        let statement = match lane {
            Lane::First => CLAIM_FIRST,
            Lane::Rest => CLAIM_REST,
        };
        // Losing a lease in a power failure does no harm, so this commit need not wait for the disk.
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        let transaction = self.begin()?;
        let mut claims = transaction
            .prepare_cached(statement)?
            .query_map(params![now, until, i64::try_from(most)?, SUSPECT], |row| {
                let mail = Mail { conversation: row.get(2)?, id: row.get(3)?, bytes: row.get(4)? };
                let (token, attempts): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(Claim {
                    token: token.unsigned_abs(),
                    attempts: attempts.unsigned_abs(),
                    received: row.get(5)?,
                    mail,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        transaction.commit()?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        claims.sort_by_key(|claim| claim.token);
        Ok(claims)
    }

    fn account(&mut self, known: u64) -> Outcome<Option<Vec<u8>>> {
        let mut statement =
            self.connection.prepare_cached("SELECT bytes FROM records WHERE name = ?1 AND revision <> ?2")?;
        Ok(statement.query_row(params![ACCOUNT, integer(known)?], |row| row.get(0)).optional()?)
    }

    fn conversations(&mut self, names: &[Name]) -> Outcome<Vec<Option<Vec<u8>>>> {
        let mut statement = self.connection.prepare_cached("SELECT bytes FROM records WHERE name = ?1")?;
        let mut read = |name: &Name| statement.query_row([name.as_slice()], |row| row.get(0)).optional();
        Ok(names.iter().map(&mut read).collect::<Result<_, _>>()?)
    }

    fn blocks(&mut self, names: &[BlockName]) -> Outcome<Vec<Option<Vec<u8>>>> {
        let mut statement = self.connection.prepare_cached("SELECT bytes FROM blocks WHERE id = ?1")?;
        let mut read = |name: &BlockName| statement.query_row([name.as_slice()], |row| row.get(0)).optional();
        Ok(names.iter().map(&mut read).collect::<Result<_, _>>()?)
    }

    fn customer_list(&mut self, name: Name) -> Outcome<Option<Vec<u8>>> {
        let mut statement = self.connection.prepare_cached("SELECT bytes FROM lists WHERE conversation = ?1")?;
        Ok(statement.query_row([name.as_slice()], |row| row.get(0)).optional()?)
    }

    fn commit(&mut self, batch: &Batch, points: &mut Points) -> Outcome<Vec<Verdict>> {
        let compare = self.compare;
        let transaction = self.begin()?;
        if let Some(account) = &batch.account {
            // With the account it is all or nothing: pre-keys may be deleted only if their sessions are stored.
            if !put(&transaction, ACCOUNT, account, compare)? {
                return Ok(vec![Verdict::Conflict; batch.steps.len()]);
            }
        }
        let mut verdicts = Vec::with_capacity(batch.steps.len());
        for step in &batch.steps {
            let stored = match &step.record {
                Some(record) => put(&transaction, &step.conversation, record, compare)?,
                None => true,
            };
            if stored {
                effects(&transaction, step, points)?;
                verdicts.push(Verdict::Stored);
            } else if batch.account.is_some() {
                // Dropping the transaction rolls everything back.
                return Ok(vec![Verdict::Conflict; batch.steps.len()]);
            } else {
                verdicts.push(Verdict::Conflict);
            }
        }
        for bundle in &batch.bundles {
            transaction.prepare_cached("INSERT INTO bundles (bytes) VALUES (?1)")?.execute([bundle])?;
        }
        points.pass(Point::AccountWritten)?;
        // One transaction holds them all.
        points.pass(Point::BlocksWritten)?;
        transaction.commit()?;
        Ok(verdicts)
    }

    fn finish(&mut self, claims: &[Claim]) -> Outcome<()> {
        let transaction = self.begin()?;
        for claim in claims {
            settle(&transaction, claim.token)?;
        }
        Ok(transaction.commit()?)
    }

    fn put_back(&mut self, claim: &Claim) -> Outcome<()> {
        let until = milliseconds(self.lease / 4)?;
        let statement = "UPDATE inbound SET held = 0, until = ?2 WHERE seq = ?1";
        self.connection.prepare_cached(statement)?.execute(params![integer(claim.token)?, until])?;
        Ok(())
    }

    fn bury(&mut self, claim: &Claim, why: &str) -> Outcome<()> {
        let transaction = self.begin()?;
        let Mail { conversation, id, bytes } = &claim.mail;
        if settle(&transaction, claim.token)? {
            transaction.execute("INSERT INTO buried VALUES (?1, ?2, ?3, ?4)", params![conversation, id, bytes, why])?;
        }
        Ok(transaction.commit()?)
    }

    fn waiting(&mut self) -> Outcome<usize> {
        let count: i64 = self.connection.query_row("SELECT count(*) FROM inbound", [], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }
}

impl Post for Sqlite {
    fn publish_lists(&mut self, lists: &[(Name, Vec<u8>)]) -> Outcome<()> {
        let transaction = self.begin()?;
        for (name, bytes) in lists {
            transaction.execute("INSERT INTO lists VALUES (?1, ?2)", params![name, bytes])?;
        }
        Ok(transaction.commit()?)
    }

    fn business(&mut self) -> Outcome<(Vec<u8>, Vec<u8>)> {
        Ok((self.published("list")?, self.published("last resort")?))
    }

    fn take_bundles(&mut self, most: usize) -> Outcome<Vec<Vec<u8>>> {
        let statement =
            "DELETE FROM bundles WHERE seq IN (SELECT seq FROM bundles ORDER BY seq LIMIT ?1) RETURNING bytes";
        let transaction = self.begin()?;
        let bundles = transaction
            .prepare_cached(statement)?
            .query_map([i64::try_from(most)?], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(bundles)
    }

    fn send(&mut self, mail: &[Mail]) -> Outcome<()> {
        let transaction = self.begin()?;
        for mail in mail {
            let first = Lane::of(mail) == Lane::First;
            transaction
                .prepare_cached("INSERT INTO inbound (conversation, id, first, bytes) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![mail.conversation, mail.id, first, mail.bytes])?;
        }
        Ok(transaction.commit()?)
    }

    fn fetch(&mut self, most: usize) -> Outcome<Vec<Mail>> {
        let statement = "SELECT seq, conversation, id, bytes FROM outbound WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(statement)?;
        let rows = statement.query_map(params![self.fetched, i64::try_from(most)?], |row| {
            Ok((row.get(0)?, Mail { conversation: row.get(1)?, id: row.get(2)?, bytes: row.get(3)? }))
        })?;
        let rows: Vec<(i64, Mail)> = rows.collect::<Result<_, _>>()?;
        self.fetched = rows.last().map_or(self.fetched, |(seq, _)| *seq);
        Ok(rows.into_iter().map(|(_, mail)| mail).collect())
    }
}

impl Books for Sqlite {
    fn found(&mut self, account: &Sealed, list: &[u8], last_resort: &[u8], bundles: &[Vec<u8>]) -> Outcome<()> {
        let transaction = self.begin()?;
        if !put(&transaction, ACCOUNT, account, true)? {
            return Err("there is already a business here".into());
        }
        for (name, bytes) in [("list", list), ("last resort", last_resort)] {
            transaction.execute("INSERT INTO published VALUES (?1, ?2)", params![name, bytes])?;
        }
        for bundle in bundles {
            transaction.execute("INSERT INTO bundles (bytes) VALUES (?1)", [bundle])?;
        }
        Ok(transaction.commit()?)
    }

    fn rows(&mut self) -> Outcome<Vec<Row>> {
        let mut statement = self.connection.prepare("SELECT conversation, id, text, attempt FROM inbox")?;
        let rows = statement.query_map([], |row| {
            Ok(Row { conversation: row.get(0)?, id: row.get(1)?, text: row.get(2)?, attempt: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn sent(&mut self) -> Outcome<Vec<Sent>> {
        let mut statement =
            self.connection.prepare("SELECT conversation, id, bytes, revision, attempt FROM outbound ORDER BY seq")?;
        let rows = statement.query_map([], |row| {
            let mail = Mail { conversation: row.get(0)?, id: row.get(1)?, bytes: row.get(2)? };
            Ok(Sent { mail, revision: row.get::<_, i64>(3)?.unsigned_abs(), attempt: row.get(4)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn buried(&mut self) -> Outcome<Vec<(Mail, String)>> {
        let mut statement = self.connection.prepare("SELECT conversation, id, bytes, why FROM buried")?;
        let rows = statement.query_map([], |row| {
            Ok((Mail { conversation: row.get(0)?, id: row.get(1)?, bytes: row.get(2)? }, row.get(3)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The compare-and-swap.
fn put(transaction: &Transaction<'_>, name: &[u8], record: &Sealed, compare: bool) -> Outcome<bool> {
    let Sealed { expected, revision, bytes } = record;
    let changed = if !compare {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO records (name, revision, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![name, integer(*revision)?, bytes])?
    } else if let Some(expected) = expected {
        transaction
            .prepare_cached("UPDATE records SET revision = ?2, bytes = ?3 WHERE name = ?1 AND revision = ?4")?
            .execute(params![name, integer(*revision)?, bytes, integer(*expected)?])?
    } else {
        transaction
            .prepare_cached("INSERT INTO records (name, revision, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![name, integer(*revision)?, bytes])?
    };
    Ok(changed == 1)
}

fn effects(transaction: &Transaction<'_>, step: &Step, points: &mut Points) -> Outcome<()> {
    for Row { conversation, id, text, attempt } in &step.rows {
        transaction
            .prepare_cached("INSERT INTO inbox (conversation, id, text, attempt) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![conversation, id, text, attempt])?;
    }
    points.pass(Point::RowsWritten)?;
    for Sent { mail: Mail { conversation, id, bytes }, revision, attempt } in &step.mail {
        points.pass(Point::Sending)?;
        let statement = "INSERT INTO outbound (conversation, id, bytes, revision, attempt) VALUES (?1, ?2, ?3, ?4, ?5)";
        transaction.prepare_cached(statement)?.execute(params![
            conversation,
            id,
            bytes,
            integer(*revision)?,
            attempt
        ])?;
    }
    points.pass(Point::Sent)?;
    for (id, bytes) in &step.blocks {
        transaction.prepare_cached("INSERT INTO blocks (id, bytes) VALUES (?1, ?2)")?.execute(params![id, bytes])?;
    }
    for id in &step.ended {
        transaction.prepare_cached("DELETE FROM blocks WHERE id = ?1")?.execute([id.as_slice()])?;
    }
    points.pass(Point::ConversationWritten)?;
    for token in &step.received {
        let statement = "UPDATE inbound SET received = 1 WHERE seq = ?1";
        transaction.prepare_cached(statement)?.execute([integer(*token)?])?;
    }
    for token in &step.claims {
        settle(transaction, *token)?;
    }
    Ok(())
}

fn settle(transaction: &Transaction<'_>, token: u64) -> Outcome<bool> {
    Ok(transaction.prepare_cached("DELETE FROM inbound WHERE seq = ?1")?.execute([integer(token)?])? == 1)
}

/// Waits for another writer. SQLite's own wait grows to a tenth of a second; a transaction here takes a hundredth of
/// that.
fn wait_for_turn(times: i32) -> bool {
    std::thread::sleep(Duration::from_micros(300));
    times < 100_000
}

/// Returns the time `later` from now, for leases. All processes use the clock of the one machine that holds the file.
fn milliseconds(later: Duration) -> Outcome<i64> {
    Ok(i64::try_from((SystemTime::now().duration_since(UNIX_EPOCH)? + later).as_millis())?)
}

fn integer(number: u64) -> Outcome<i64> {
    Ok(i64::try_from(number)?)
}

/// The account's name among the records; all other names have 16 bytes.
const ACCOUNT: &[u8] = b"account";

/// `inbox` has no unique key: that each question is in it once is a promise of the worker, not of an index.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (name BLOB PRIMARY KEY, revision INTEGER NOT NULL, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS blocks (id BLOB PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS inbound (seq INTEGER PRIMARY KEY AUTOINCREMENT, conversation BLOB NOT NULL,
        id BLOB NOT NULL, first INTEGER NOT NULL, bytes BLOB NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,
        until INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX IF NOT EXISTS inbound_by_lane ON inbound (first, until, seq);
    CREATE INDEX IF NOT EXISTS inbound_by_conversation ON inbound (conversation);
    CREATE TABLE IF NOT EXISTS inbox (conversation BLOB NOT NULL, id BLOB NOT NULL, text TEXT NOT NULL,
        attempt BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS outbound (seq INTEGER PRIMARY KEY AUTOINCREMENT, conversation BLOB NOT NULL,
        id BLOB NOT NULL, bytes BLOB NOT NULL, revision INTEGER NOT NULL, attempt BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS buried (conversation BLOB, id BLOB, bytes BLOB, why TEXT);
    CREATE TABLE IF NOT EXISTS bundles (seq INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS lists (conversation BLOB PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS published (name TEXT PRIMARY KEY, bytes BLOB NOT NULL);";

/// A message that was delivered this often is claimed alone, so that one that kills its workers affects no other.
const SUSPECT: i64 = 3;

/// One batch of first messages at a time.
const CLAIM_FIRST: &str = "
    WITH next AS (SELECT seq, attempts FROM inbound WHERE first = 1 AND until <= ?1 ORDER BY until, seq LIMIT 1)
    UPDATE inbound SET held = 1, until = ?2, attempts = attempts + 1
    WHERE seq IN (SELECT seq FROM inbound WHERE first = 1 AND until <= ?1 AND attempts < ?4 ORDER BY seq LIMIT ?3)
        AND (SELECT attempts FROM next) < ?4
        AND NOT EXISTS (SELECT 1 FROM inbound WHERE first = 1 AND held = 1 AND until > ?1)
    OR seq IN (SELECT seq FROM next WHERE attempts >= ?4)
        AND NOT EXISTS (SELECT 1 FROM inbound WHERE first = 1 AND held = 1 AND until > ?1)
    RETURNING seq, attempts, conversation, id, bytes, received";

/// The oldest messages, and the others waiting in their conversations, within bounds. So one worker computes each
/// conversation once.
const CLAIM_REST: &str = "
    WITH next AS (SELECT seq, attempts FROM inbound WHERE first = 0 AND until <= ?1 ORDER BY until, seq LIMIT 1)
    UPDATE inbound SET held = 1, until = ?2, attempts = attempts + 1
    WHERE seq IN (SELECT seq FROM inbound WHERE first = 0 AND until <= ?1 AND attempts < ?4 AND conversation IN
            (SELECT conversation FROM inbound WHERE first = 0 AND until <= ?1 AND attempts < ?4
                ORDER BY until, seq LIMIT ?3)
            ORDER BY until, seq LIMIT 4 * ?3)
        AND (SELECT attempts FROM next) < ?4
    OR seq IN (SELECT seq FROM next WHERE attempts >= ?4)
    RETURNING seq, attempts, conversation, id, bytes, received";
