//! The gateway of etcd: transactions as JSON over HTTP, with keys and values in base64. Each server has one.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Outcome;

/// A condition of a transaction.
pub(super) enum If {
    /// The key was last changed with this revision of the store; 0 if it must not exist.
    Unchanged(String, u64),
    /// The key exists.
    Exists(String),
}

impl If {
    fn to_json(&self) -> Value {
        match self {
            Self::Unchanged(key, revision) => {
                json!({ "key": encode(key), "target": "MOD", "mod_revision": revision.to_string() })
            }
            Self::Exists(key) => {
                json!({ "key": encode(key), "target": "CREATE", "result": "GREATER", "create_revision": "0" })
            }
        }
    }
}

/// An operation of a transaction.
pub(super) enum Op {
    Put(String, Vec<u8>),
    /// Put only if the key was last changed with this revision. The rest of the transaction does not depend on it.
    PutOver(String, u64, Vec<u8>),
    Delete(String),
    /// Read this key.
    Get(String),
    /// Read keys from one to another, which is left out; at most so many.
    List(String, String, usize),
    /// The same; alone in a transaction, any server answers from what it has, which may be a little old.
    Glance(String, String, usize),
}

impl Op {
    fn to_json(&self) -> Value {
        match self {
            Self::Put(key, value) => json!({ "request_put": { "key": encode(key), "value": encode(value) } }),
            Self::PutOver(key, revision, value) => {
                let (unchanged, put) = (If::Unchanged(key.clone(), *revision), Self::Put(key.clone(), value.clone()));
                json!({ "request_txn": { "compare": [unchanged.to_json()], "success": [put.to_json()] } })
            }
            Self::Delete(key) => json!({ "request_delete_range": { "key": encode(key) } }),
            Self::Get(key) => json!({ "request_range": { "key": encode(key) } }),
            Self::List(from, to, most) | Self::Glance(from, to, most) => {
                let (from, to, most) = (encode(from), encode(to), most.to_string());
                let any = matches!(self, Self::Glance(..));
                json!({ "request_range": { "key": from, "range_end": to, "limit": most, "serializable": any } })
            }
        }
    }

    /// Returns about how many bytes it adds to a request.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Put(key, value) | Self::PutOver(key, _, value) => 2 * key.len() + value.len() + 32,
            Self::Delete(key) | Self::Get(key) | Self::List(key, ..) | Self::Glance(key, ..) => 2 * key.len() + 32,
        }
    }
}

/// A key with its value.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    /// The revision of the store at which it was last changed.
    pub(super) revision: u64,
}

/// The outcome of a transaction.
pub(super) struct Done {
    /// Whether the conditions were true.
    pub(super) succeeded: bool,
    /// The revision of the store: that of every key which the transaction has put.
    pub(super) revision: u64,
    /// Whether it was sent only once. Otherwise an earlier sending may have been executed, and that may be why the
    /// conditions were false at the last.
    pub(super) once: bool,
    /// What each operation has read, in order. Empty for one that reads nothing.
    pub(super) read: Vec<Vec<Entry>>,
}

/// A connection to the servers, one at a time.
pub(super) struct Gateway {
    agent: ureq::Agent,
    servers: Vec<String>,
    current: usize,
}

impl Gateway {
    /// Takes the URLs of the servers, separated by commas. Begins with any of them.
    pub(super) fn new(urls: &str) -> Self {
        let servers: Vec<String> = urls.split(',').map(|url| url.trim_end_matches('/').to_owned()).collect();
        let config = ureq::Agent::config_builder().timeout_global(Some(ANSWER)).http_status_as_error(false);
        let current = rand::rng().random_range(0..servers.len().max(1));
        Self { agent: config.build().new_agent(), servers, current }
    }

    /// Executes a transaction: if all conditions are true, the first operations, otherwise the second.
    ///
    /// If no answer arrives, the next server is asked, although the first may have executed it: then the conditions
    /// over revisions are false the second time. An operation without conditions has to be one that may be repeated.
    ///
    /// # Errors
    ///
    /// If no server answers within half a minute (then it is unknown whether it was executed), or if the request is
    /// refused.
    pub(super) fn transaction(&mut self, conditions: &[If], then: &[Op], otherwise: &[Op]) -> Outcome<Done> {
        let (compare, success, failure): (Vec<_>, Vec<_>, Vec<_>) = (
            conditions.iter().map(If::to_json).collect(),
            then.iter().map(Op::to_json).collect(),
            otherwise.iter().map(Op::to_json).collect(),
        );
        let request = json!({ "compare": compare, "success": success, "failure": failure });
        let (Reply { header, succeeded, responses, .. }, once) = self.call("txn", &request)?;
        let read = responses.into_iter().map(|response| response.response_range.map_or(Ok(Vec::new()), Reply::entries));
        Ok(Done { succeeded, revision: header.revision.parse()?, once, read: read.collect::<Outcome<_>>()? })
    }

    /// Reads all keys that begin with `prefix`, in order.
    ///
    /// # Errors
    ///
    /// If no server answers.
    pub(super) fn all(&mut self, prefix: &str) -> Outcome<Vec<Entry>> {
        let (mut entries, mut from): (Vec<Entry>, _) = (Vec::new(), prefix.to_owned());
        loop {
            let range = json!({ "key": encode(&from), "range_end": encode(end(prefix)), "limit": PAGE.to_string() });
            let page = self.call("range", &range)?.0.entries()?;
            let whole = page.len() < PAGE;
            entries.extend(page);
            match entries.last() {
                // The next key in order.
                Some(last) if !whole => from = format!("{}\0", last.key),
                _ => return Ok(entries),
            }
        }
    }

    /// Returns the number of keys that begin with `prefix`.
    ///
    /// # Errors
    ///
    /// If no server answers.
    pub(super) fn count(&mut self, prefix: &str) -> Outcome<usize> {
        let range = json!({ "key": encode(prefix), "range_end": encode(end(prefix)), "count_only": true });
        Ok(self.call("range", &range)?.0.count.map_or(Ok(0), |count| count.parse())?)
    }

    /// Deletes all keys that begin with `prefix`.
    ///
    /// # Errors
    ///
    /// If no server answers.
    pub(super) fn clear(&mut self, prefix: &str) -> Outcome<()> {
        self.call("deleterange", &json!({ "key": encode(prefix), "range_end": encode(end(prefix)) }))?;
        Ok(())
    }

    /// Returns the answer, and whether the request was sent only once.
    fn call(&mut self, method: &str, request: &Value) -> Outcome<(Reply, bool)> {
        let request = serde_json::to_vec(request)?;
        let (start, mut once) = (Instant::now(), true);
        loop {
            let server = self.servers.get(self.current).ok_or("no server is named")?;
            let error = match ask(&self.agent, &format!("{server}/v3/kv/{method}"), &request) {
                Ok((200, answer)) => return Ok((serde_json::from_slice(&answer)?, once)),
                // Another server would say the same.
                Ok((400..=407, answer)) => return Err(format!("etcd: {}", String::from_utf8_lossy(&answer)).into()),
                Ok((status, answer)) => format!("etcd: {status} {}", String::from_utf8_lossy(&answer)),
                Err(error) => format!("etcd: {error}"),
            };
            if start.elapsed() > PATIENCE {
                return Err(error.into());
            }
            once = false;
            self.current = (self.current + 1) % self.servers.len();
            std::thread::sleep(AGAIN);
        }
    }
}

fn ask(agent: &ureq::Agent, url: &str, request: &[u8]) -> Result<(u16, Vec<u8>), ureq::Error> {
    let mut response = agent.post(url).content_type("application/json").send(request)?;
    let status = response.status().as_u16();
    // An error is followed by trailers, which are of no interest here.
    let answer = response.body_mut().with_config().limit(GREATEST).read_to_vec();
    Ok((status, if status == 200 { answer? } else { answer.unwrap_or_default() }))
}

/// What the gateway answers: numbers are texts, and what is zero or empty is left out.
#[derive(Deserialize)]
struct Reply {
    header: Header,
    #[serde(default)]
    succeeded: bool,
    #[serde(default)]
    responses: Vec<Response>,
    #[serde(default)]
    kvs: Vec<KeyValue>,
    count: Option<String>,
}

impl Reply {
    fn entries(self) -> Outcome<Vec<Entry>> {
        let entry = |KeyValue { key, value, mod_revision }| {
            let (key, value) = (String::from_utf8(STANDARD.decode(key)?)?, STANDARD.decode(value)?);
            Ok(Entry { key, value, revision: mod_revision.parse()? })
        };
        self.kvs.into_iter().map(entry).collect()
    }
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    revision: String,
}

#[derive(Deserialize)]
struct Response {
    response_range: Option<Reply>,
}

#[derive(Deserialize)]
struct KeyValue {
    key: String,
    #[serde(default)]
    value: String,
    mod_revision: String,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Returns the first key after those that begin with `prefix`. All keys are ASCII.
pub(super) fn end(prefix: &str) -> String {
    format!("{prefix}\x7f")
}

/// How long one server may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long all servers may be unavailable.
const PATIENCE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_millis(50);
/// Keys read at once: their values stay below what a server sends.
const PAGE: usize = 500;
/// The longest answer in bytes.
const GREATEST: u64 = 64 << 20;
