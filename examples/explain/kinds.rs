//! Every kind of record, and the public state of each.

use bisik::conversation::{Conversation, ConversationId, DeviceAddress};
use bisik::device::DeviceDirectory;
use bisik::media::Encryptor;
use bisik::ratchet::DoubleRatchet;
use bisik::{Account, BlockId, Identity, PostQuantumAge, PreKeys, Session, StorageKey, Timestamp, UnsealError};

use super::reasons::Case;

type Facts = Vec<(&'static str, String)>;

pub(crate) struct Opened {
    pub(crate) kind: &'static str,
    pub(crate) revision: Option<u64>,
    pub(crate) facts: Facts,
    /// Of a head: whether everything that it names is there, and opens.
    pub(crate) whole: bool,
    /// The second halves of the ids of the blocks that it names.
    pub(crate) blocks: Vec<[u8; 8]>,
}

#[derive(Clone, Copy)]
pub(crate) enum Refused {
    Version,
    NeedsAccount,
    OtherAccount,
    Nothing,
}

/// Opens a record as whatever it is. The kind is authenticated and not visible: each is tried.
pub(crate) fn open(case: &Case, account: Option<&Account>, name: &[u8], record: &[u8]) -> Result<Opened, Refused> {
    let (key, now) = (&case.key, case.now);
    match Identity::unseal(key, name, record) {
        Ok(identity) => {
            return Ok(whole("an identity", None, vec![("public key", identity.public().to_string())]));
        }
        Err(UnsealError::UnknownVersion) => return Err(Refused::Version),
        Err(_) => {}
    }
    if let Ok(keys) = PreKeys::unseal(key, name, record) {
        return Ok(whole("pre-keys", Some(keys.revision()), pre_keys(&keys, now)));
    }
    if let Ok(blocks) = Session::named_blocks(key, name, record) {
        return Ok(session_head(case, name, record, &blocks));
    }
    if let Ok(account) = Account::unseal(key, record) {
        return Ok(whole("an account", Some(account.revision()), self::account(&account, now)));
    }
    if let Ok(id) = name.try_into()
        && let id = ConversationId::from_bytes(id)
        && let Ok(blocks) = Conversation::named_blocks(key, id, record)
    {
        return conversation_head(case, account.ok_or(Refused::NeedsAccount)?, id, record, &blocks);
    }
    if let Ok(ratchet) = DoubleRatchet::unseal(key, name, record) {
        let facts = vec![
            ("skipped message keys", ratchet.skipped_keys().to_string()),
            ("post-quantum age", age(ratchet.post_quantum_age())),
        ];
        return Ok(whole("a ratchet by itself", None, facts));
    }
    if let Ok(upload) = Encryptor::unseal(key, name, record) {
        let facts = vec![
            ("size of the file", format!("{} bytes", upload.size())),
            ("continues in the file", format!("at byte {}", upload.file_position())),
            ("continues in the blob", format!("at byte {}", upload.blob_position())),
        ];
        return Ok(whole("an upload that was interrupted", None, facts));
    }
    other(key, name, record).ok_or(Refused::Nothing)
}

fn whole(kind: &'static str, revision: Option<u64>, facts: Facts) -> Opened {
    Opened { kind, revision, facts, whole: true, blocks: Vec::new() }
}

fn pre_keys(keys: &PreKeys, now: Timestamp) -> Facts {
    let bundle = keys.bundle();
    vec![
        ("owner", keys.owner().to_string()),
        ("one-time pairs", keys.count(now).one_time.to_string()),
        ("ids that are answered", keys.ids().len().to_string()),
        ("last-resort bundle", format!("valid until {}", until(bundle.expires(), now))),
    ]
}

/// A head without its blocks does not open; what it names can be said all the same.
fn session_head(case: &Case, name: &[u8], head: &[u8], named: &[BlockId]) -> Opened {
    let found = |id: BlockId| case.blocks.get(&suffix(id)).cloned();
    let (mut facts, revision) = match Session::unseal(&case.key, name, head, found) {
        Ok(session) => (self::session(&session), Some(session.revision())),
        Err(error) => (vec![("cannot be used", format!("{error} ({})", error.code()))], None),
    };
    facts.push(("blocks", blocks(case, named)));
    let blocks = named.iter().copied().map(suffix).collect();
    Opened { kind: "a session (its head)", revision, facts, whole: revision.is_some(), blocks }
}

fn session(session: &Session) -> Facts {
    vec![
        ("session id", hex(session.id())),
        ("protocol", format!("{:?}", session.suite())),
        ("peer", session.peer().to_string()),
        ("standing", format!("{:?}", session.standing())),
        ("messages received", session.messages_received().to_string()),
        ("turns of the peer", session.chains_received().to_string()),
        ("skipped message keys", session.skipped_keys().to_string()),
        ("post-quantum age", age(session.post_quantum_age())),
        (
            "bound to an older one",
            session.bound().map_or("not decided".into(), |place| match place {
                0 => "no".into(),
                place => format!("by place {place}"),
            }),
        ),
        ("disclosure", if session.disclosure().is_some() { "set up under one" } else { "none" }.into()),
    ]
}

fn account(account: &Account, now: Timestamp) -> Facts {
    let mut facts = vec![
        ("account key", account.key().to_string()),
        ("this device", account.identity().public().to_string()),
        ("is the primary device", account.primary().is_some().to_string()),
        ("must recover", account.must_recover().to_string()),
        ("events to show", account.events().count().to_string()),
    ];
    facts.extend(directory(account.devices(), now));
    facts.extend(pre_keys(account.pre_keys(), now).into_iter().skip(1));
    facts
}

fn directory(devices: &DeviceDirectory, now: Timestamp) -> Facts {
    let indices: Vec<_> = devices.devices().iter().map(|entry| entry.index().to_string()).collect();
    vec![
        ("device list", format!("number {}, valid until {}", devices.sequence(), until(devices.expires(), now))),
        ("devices", indices.join(", ")),
    ]
}

fn conversation_head(
    case: &Case,
    account: &Account,
    id: ConversationId,
    head: &[u8],
    named: &[BlockId],
) -> Result<Opened, Refused> {
    let found = |id: BlockId| case.blocks.get(&suffix(id)).cloned();
    let (mut facts, revision) = match Conversation::unseal(account, &case.key, id, head, found) {
        Ok(talk) => (conversation(account, &talk, case.now), Some(talk.revision())),
        // The head opens, and all of its blocks are there.
        Err(UnsealError::Rejected) if named.iter().all(|id| found(*id).is_some()) => return Err(Refused::OtherAccount),
        Err(error) => (vec![("cannot be used", format!("{error} ({})", error.code()))], None),
    };
    facts.push(("blocks", blocks(case, named)));
    let blocks = named.iter().copied().map(suffix).collect();
    Ok(Opened { kind: "a conversation (its head)", revision, facts, whole: revision.is_some(), blocks })
}

fn conversation(account: &Account, talk: &Conversation, now: Timestamp) -> Facts {
    let mut facts = vec![
        ("conversation id", hex(talk.id().as_bytes())),
        ("peer's account key", talk.peer().account().to_string()),
        ("messages kept", format!("{}, which some device has not acknowledged", talk.unacknowledged_messages())),
        ("waits for the program", talk.inbox().count().to_string()),
    ];
    facts.extend(directory(talk.peer(), now));
    let peers = talk.peer().devices().iter().map(|entry| DeviceAddress::peer(entry.index()));
    let own = account.devices().devices().iter().filter(|entry| entry.identity() != account.identity().public());
    for device in peers.chain(own.map(|entry| DeviceAddress::own(entry.index()))) {
        let fact = talk.session_with(account, device).map_or("no confirmed session".into(), |session| {
            format!(
                "session {}, {} messages received, {} skipped, post-quantum age: {}",
                hex(session.id()),
                session.messages_received(),
                session.skipped_keys(),
                age(session.post_quantum_age())
            )
        });
        facts.push(("sent in", format!("{:?} {}: {fact}", device.side, device.index)));
    }
    facts
}

/// What only some features have.
#[cfg_attr(not(any(feature = "call", feature = "interop")), expect(unused_variables, reason = "other features"))]
fn other(key: &StorageKey, name: &[u8], record: &[u8]) -> Option<Opened> {
    #[cfg(feature = "call")]
    if let Ok(sealer) = bisik::call::FrameSealer::unseal(key, name, record) {
        let facts = vec![("reserved counters left", sealer.remaining().to_string())];
        return Some(whole("the counters of frames in a call", None, facts));
    }
    #[cfg(feature = "interop")]
    return signal(key, name, record);
    #[cfg(not(feature = "interop"))]
    None
}

/// Records of the Signal protocol.
#[cfg(feature = "interop")]
fn signal(key: &StorageKey, name: &[u8], record: &[u8]) -> Option<Opened> {
    use bisik::interop::signal::{GroupReceiver, GroupSender, Identity, PreKeys, Session};

    if let Ok(identity) = Identity::unseal(key, name, record) {
        let facts = vec![
            ("public key", format!("{:?}", identity.public())),
            ("registration id", identity.registration_id().to_string()),
        ];
        return Some(whole("an identity of the Signal protocol", None, facts));
    }
    if let Ok(keys) = PreKeys::unseal(key, name, record) {
        let facts = vec![("owner", format!("{:?}", keys.owner())), ("one-time pre-keys", keys.stock().to_string())];
        return Some(whole("pre-keys of the Signal protocol", Some(keys.revision()), facts));
    }
    if let Ok(session) = Session::unseal(key, name, record) {
        let facts = vec![
            ("peer", format!("{:?}", session.peer())),
            ("peer has answered", session.is_confirmed().to_string()),
            ("older states", session.archived().to_string()),
            ("skipped message keys", session.skipped_keys().to_string()),
        ];
        return Some(whole("a session of the Signal protocol", Some(session.revision()), facts));
    }
    if let Ok(sender) = GroupSender::unseal(key, name, record) {
        let facts = vec![("key id", sender.id().to_string()), ("next message", sender.iteration().to_string())];
        return Some(whole("an own sender key of a Signal group", Some(sender.revision()), facts));
    }
    let receiver = GroupReceiver::unseal(key, name, record).ok()?;
    let facts = vec![
        ("sender keys", receiver.keys().to_string()),
        ("skipped message keys", receiver.skipped_keys().to_string()),
    ];
    Some(whole("a member's sender keys in a Signal group", Some(receiver.revision()), facts))
}

fn blocks(case: &Case, named: &[BlockId]) -> String {
    let missing: Vec<_> = named.iter().filter(|id| !case.blocks.contains_key(&suffix(**id))).collect();
    match missing.as_slice() {
        [] => format!("{}, all given", named.len()),
        [first, ..] => format!("{}, of which {} are missing: {} ..", named.len(), missing.len(), hex(first.as_bytes())),
    }
}

fn age(age: PostQuantumAge) -> String {
    let PostQuantumAge { epoch, sent, received, turns, faulted, .. } = age;
    let fault = if faulted { "; the peer sent a wrong key or ciphertext" } else { "" };
    format!("epoch {epoch}; since then {sent} messages sent, {received} received, {turns} turns{fault}")
}

fn until(moment: Timestamp, now: Timestamp) -> String {
    let (seconds, now) = (moment.as_unix_seconds(), now.as_unix_seconds());
    let (days, date) = (seconds.abs_diff(now) / DAY, date(moment));
    if seconds > now {
        format!("{date} ({seconds}), in {days} days")
    } else {
        format!("{date} ({seconds}), {days} days ago")
    }
}

/// The date in UTC, of the Gregorian calendar.
// No number here is greater than the seconds that it is computed from.
#[allow(clippy::arithmetic_side_effects)]
pub(crate) fn date(moment: Timestamp) -> String {
    let seconds = moment.as_unix_seconds();
    // Counted from 1 March of the year 0, so that a leap day is the last one of its year. An era has 400 years.
    let days = seconds / DAY + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + month / 10, (month + 2) % 12 + 1);
    let minutes = seconds % DAY / 60;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

fn suffix(id: BlockId) -> [u8; 8] {
    let [.., a, b, c, d, e, f, g, h] = *id.as_bytes();
    [a, b, c, d, e, f, g, h]
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds.
const DAY: u64 = 86_400;
