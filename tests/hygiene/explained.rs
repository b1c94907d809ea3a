//! What `examples/explain` prints of every kind of record: no secret, and a reason where a record does not open.

#[path = "../../examples/explain/command.rs"]
mod command;
#[path = "../../examples/explain/kinds.rs"]
mod kinds;
#[path = "../../examples/explain/reasons.rs"]
mod reasons;

use std::fs;

use bisik::call::{BaseKey, FrameSealer, FrameSuite, Participant, SenderKey};
use bisik::conversation::{Arrival, Change, Conversation, DeviceAddress, IdentityPolicy, Recipients, RecordName};
use bisik::device::{Custody, DeviceDirectory, DeviceTerms};
use bisik::media::{Encryptor, MediaType};
use bisik::ratchet::{DoubleRatchet, SharedSecret};
use bisik::{Accepted, Account, Identity, PreKeys, Session, StorageKey, Timestamp, Trust};

use super::canaries::Canaries;
use super::debug::{forms, seen};
use super::derived::{add_aead_key, add_ratchet, add_session, state_of};
use super::keys::NOW;
use super::recording::Recording;
use reasons::{Case, Record};

const STORAGE: [u8; 32] = *b"kunci 32 bita penyegel arsip Ida";
const PLAINTEXT: &[u8] = b"tiada yang boleh melihat baris ini";

fn key() -> StorageKey {
    StorageKey::from_bytes(STORAGE)
}

fn case() -> Case {
    Case::new(key(), NOW)
}

fn record(name: &[u8], bytes: &[u8]) -> Record {
    Record { file: "file".into(), name: name.to_vec(), bytes: bytes.to_vec() }
}

/// Two sessions that have talked. The second waits for 30 messages.
fn sessions(rng: &mut Recording) -> [Session; 2] {
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, NOW, rng);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut at_alice = Session::initiate(&alice, &bundle, NOW, rng).unwrap();
    let hello = at_alice.encrypt(PLAINTEXT, rng).unwrap();
    let Accepted { session: mut at_bob, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
    let answer = at_bob.encrypt(PLAINTEXT, rng).unwrap();
    let _ = at_alice.decrypt(&alice, &answer).unwrap();
    let messages: Vec<_> = (0..31).map(|_| at_alice.encrypt(PLAINTEXT, rng).unwrap()).collect();
    let _ = at_bob.decrypt(&bob, &messages[30]).unwrap();
    [at_alice, at_bob]
}

fn add_keys_and_uploads(case: &mut Case, rng: &mut Recording) {
    let bob = Identity::generate(rng);
    case.records.push(record(b"identity", &bob.seal(&key(), b"identity", rng)));
    let mut keys = PreKeys::generate(&bob, NOW, rng);
    keys.replenish(&bob, 3, rng).unwrap();
    case.records.push(record(b"pre-keys", &keys.seal(&key(), b"pre-keys", rng)));
    let mut upload = Encryptor::new(MediaType::unknown(), 100_000, rng).unwrap();
    upload.push(&[7; 70_000], &mut Vec::new()).unwrap();
    case.records.push(record(b"upload", &upload.seal(&key(), b"upload", rng)));
    let base = BaseKey::from_bytes(&rng.secret()).unwrap();
    let mut sealer = FrameSealer::new(SenderKey::new(FrameSuite::default(), Participant(0), 0, base));
    let mut held = sealer.reserve(100, rng).unwrap();
    case.records.push(record(b"call", held.seal(&key(), b"call", rng).unwrap().as_bytes()));
}

fn add_sessions(case: &mut Case, canaries: &mut Canaries, rng: &mut Recording) {
    for (mut session, name) in sessions(rng).into_iter().zip([b"session 1", b"session 2"]) {
        let sealed = session.seal(&key(), name, rng).unwrap();
        add_session(canaries, &state_of(sealed.head(), &STORAGE));
        for block in sealed.blocks() {
            canaries.add("skipped keys", &state_of(block.as_bytes(), &STORAGE)[20..]);
            case.add_block(block.as_bytes().to_vec());
        }
        case.records.push(record(name, sealed.head()));
    }
    let secret = SharedSecret::from_bytes(rng.secret());
    let ratchet = DoubleRatchet::initiator(&secret, &[7; 32], rng).seal(&key(), b"ratchet", rng);
    add_ratchet(canaries, &state_of(&ratchet, &STORAGE));
    case.records.push(record(b"ratchet", &ratchet));
}

/// An account, and a conversation in which one message waits for the program and one for the peer.
fn add_conversation(case: &mut Case, rng: &mut Recording) {
    let account = |rng: &mut Recording| Account::create(DeviceTerms::own_held(Custody::Person).unwrap(), NOW, rng);
    let (mut alice, mut bob) = (account(rng), account(rng));
    let talk = |of: &Account, with: &Account| {
        let list = with.primary().unwrap().list();
        let directory = DeviceDirectory::trust(list, Trust::OnFirstUse, NOW).unwrap();
        Conversation::new(of, directory, &[], IdentityPolicy::Block, NOW).0
    };
    let (mut at_alice, mut at_bob) = (talk(&alice, &bob), talk(&bob, &alice));
    at_alice.send(&alice, PLAINTEXT, Recipients::All, NOW, rng).unwrap();
    let bundle = bob.pre_keys().bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let outgoing = at_alice.flush(&alice, &[(DeviceAddress::peer(0), bundle)], NOW, rng).unwrap();
    let stored = at_alice.seal(&mut alice, &key(), rng).unwrap().stored();
    let (envelopes, handover) = outgoing.release(&stored).unwrap();
    at_alice.handed(handover);
    let arrivals = [Arrival { from: DeviceAddress::peer(0), ciphertext: envelopes[0].ciphertext.clone() }];
    assert_eq!(at_bob.receive(&mut bob, &arrivals, NOW), [Ok(())]);
    at_bob.send(&bob, PLAINTEXT, Recipients::All, NOW, rng).unwrap();
    let changes = at_bob.seal(&mut bob, &key(), rng).unwrap();
    for change in changes.writes() {
        match change {
            Change::Put(block) => case.add_block(block.as_bytes().to_vec()),
            Change::Record(stored) => case.records.push(match stored.name {
                RecordName::Account => record(b"", &stored.bytes),
                RecordName::Conversation(id) => record(id.as_bytes(), &stored.bytes),
            }),
            Change::Delete(_) | Change::Remove(_) => panic!("nothing was stored before"),
        }
    }
    let _ = changes.stored();
}

#[cfg(feature = "interop")]
fn add_signal(case: &mut Case, canaries: &mut Canaries, rng: &mut Recording) {
    use bisik::interop::signal::{GroupReceiver, GroupSender, Identity, PreKeys, SenderKeyFormat, Session, Trust};

    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, rng);
    let bundle = keys.bundle(&bob, 0, None).unwrap().verify(Trust::OnFirstUse).unwrap();
    let mut session = Session::initiate(&alice, &bundle, rng).unwrap();
    case.records.push(record(b"signal identity", &bob.seal(&key(), b"signal identity", rng)));
    case.records.push(record(b"signal pre-keys", &keys.seal(&key(), b"signal pre-keys", rng)));
    super::interop::add_session(canaries, &mut session);
    session.move_to_key(&key());
    case.records.push(record(b"signal session", session.seal(&key(), b"signal session", rng).unwrap().as_bytes()));
    let mut sender = GroupSender::generate(SenderKeyFormat::WhatsApp, rng);
    let mut receiver = GroupReceiver::new();
    receiver.process(&sender.distribution());
    let messages: Vec<_> = (0..4).map(|_| sender.encrypt(PLAINTEXT, rng).unwrap()).collect();
    receiver.decrypt(&messages[3]).unwrap();
    let sealed = [sender.seal(&key(), b"own", rng).unwrap(), receiver.seal(&key(), b"theirs", rng).unwrap()];
    super::groups::add_sender(canaries, &state_of(sealed[0].as_bytes(), &STORAGE));
    super::groups::add_receiver(canaries, &state_of(sealed[1].as_bytes(), &STORAGE));
    for (name, sealed) in [b"own".as_slice(), b"theirs"].into_iter().zip(sealed) {
        case.records.push(record(name, sealed.as_bytes()));
    }
}

#[test]
fn explain_knows_every_kind_of_record_and_shows_no_secret_of_any() {
    let (mut case, mut canaries, mut rng) = (case(), Canaries::new(), Recording::new(9));
    add_keys_and_uploads(&mut case, &mut rng);
    add_sessions(&mut case, &mut canaries, &mut rng);
    add_conversation(&mut case, &mut rng);
    #[cfg(feature = "interop")]
    add_signal(&mut case, &mut canaries, &mut rng);
    canaries.add_drawn("anyone", &rng);
    canaries.add("plaintext", PLAINTEXT);
    add_aead_key(&mut canaries, "storage key", &STORAGE);

    let (report, all_open) = case.report();
    assert!(all_open, "{report}");
    for stored in &case.records {
        canaries.add("a whole record's MAC", stored.bytes.last_chunk::<16>().unwrap());
    }
    let mut kinds: Vec<_> = report.lines().filter_map(|line| line.trim().strip_prefix("kind ")).collect();
    assert_eq!(kinds.len(), case.records.len(), "{report}");
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), if cfg!(feature = "interop") { 13 } else { 8 }, "{report}");
    for fact in [
        "Confirmed",
        "messages received",
        "30",
        "post-quantum age",
        "all given",
        "epoch 0",
        "1, which some device",
        "2027-02-14 08:00 UTC",
    ] {
        assert!(report.contains(fact), "{fact} is not in it:\n{report}");
    }
    assert!(!report.contains("belong to none"), "{report}");
    assert_eq!(seen(&forms(&canaries), &report), None, "in the report:\n{report}");
}

#[test]
fn explain_tells_apart_why_a_record_does_not_open() {
    let rng = &mut Recording::new(10);
    let [_, mut session] = sessions(rng);
    let sealed = session.seal(&key(), b"here", rng).unwrap();
    let (head, blocks) = (sealed.head().to_vec(), sealed.blocks().to_vec());
    let identity = Identity::generate(rng).seal(&key(), b"identity", rng);
    let case = |records: &[(&[u8], &[u8])]| {
        let mut case = case();
        case.records.extend(records.iter().map(|(name, bytes)| record(name, bytes)));
        blocks.iter().for_each(|block| case.add_block(block.as_bytes().to_vec()));
        case
    };
    let says = |case: &Case, expected: &str| {
        let (report, all_open) = case.report();
        assert!(report.contains(expected), "{expected:?} is not in it:\n{report}");
        assert!(!all_open, "{report}");
    };
    let ours: (&[u8], &[u8]) = (b"here", &head);
    let (report, all_open) = case(&[ours]).report();
    assert!(all_open && report.contains("a session (its head)"), "{report}");

    // Another key, and another change under the right key.
    let other_key = Case { key: StorageKey::from_bytes([8; 32]), ..case(&[ours, (b"identity", &identity)]) };
    says(&other_key, "Most likely the key is another");
    says(&Case { key: StorageKey::from_bytes([8; 32]), ..case(&[ours]) }, "either the key is another, or the name");
    let mut changed = head.clone();
    changed[300] ^= 1;
    says(&case(&[(b"here", &changed), (b"identity", &identity)]), "the key is right");
    says(&case(&[(b"here", &head[..head.len() - 1]), (b"identity", &identity)]), "the key is right");

    // Another name.
    let moved = case(&[(b"there", &head), (b"identity", &identity)]);
    says(&moved, "a name that was not tried");
    says(&Case { names: vec![b"here".to_vec()], ..moved }, "under another name, \"here\"");

    // What the bytes tell.
    says(&case(&[(b"here", &head[..40])]), "cut off");
    says(&case(&[(b"here", b"")]), "empty");
    changed.clone_from(&head);
    changed[0] = 2;
    says(&case(&[(b"here", &changed)]), "its first byte is 2, a format that this version does not know");
    says(&case(&[(b"here", kinds::hex(&head).as_bytes())]), "it is text");
    says(&case(&[(b"here", String::from_utf8_lossy(&head).as_bytes())]), "replaced bytes");

    // A revision, a block, and an account that is missing.
    let revision = sealed.revision();
    let (report, _) = Case { seen: Some(revision + 3), ..case(&[ours]) }.report();
    assert!(report.contains(&format!("{revision}: older than revision {}", revision + 3)), "{report}");
    let (report, _) = Case { seen: Some(revision), ..case(&[ours]) }.report();
    assert!(!report.contains("older than revision"), "{report}");
    let without = Case { blocks: Default::default(), ..case(&[ours]) };
    says(&without, "storage.unseal.missing_block");
    says(&without, "1, of which 1 are missing");
    let mut talk = super::explained::case();
    add_conversation(&mut talk, rng);
    talk.records.retain(|record| !record.name.is_empty());
    says(&talk, "give the record of its account too");
    let another = Account::create(DeviceTerms::own_held(Custody::Person).unwrap(), NOW, rng).seal(&key(), rng).unwrap();
    talk.records.push(record(b"", &another.unwrap().bytes));
    says(&talk, "of another account than the one that was given");
    let _ = sealed.stored();
}

#[test]
fn explain_reads_files_and_fails_when_a_record_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let rng = &mut Recording::new(11);
    let path = |file: &str| format!("{}/{file}", folder.path().display());
    fs::write(path("key"), key().expose_bytes()).unwrap();
    fs::write(path("identity"), Identity::generate(rng).seal(&key(), b"identity", rng)).unwrap();
    let run = |arguments: &[String]| command::run(arguments.iter().cloned()).map_err(|error| error.to_string());

    let (report, all_open) = run(&[path("key"), format!("identity={}", path("identity"))]).unwrap();
    assert!(all_open && report.contains("an identity"), "{report}");
    let (report, all_open) = run(&[path("key"), format!("other={}", path("identity"))]).unwrap();
    assert!(!all_open && report.contains("does not open"), "{report}");
    let (usage, success) = run(&["--help".to_owned()]).unwrap();
    assert!(success && usage.starts_with("usage: "), "{usage}");
    for wrong in [vec![], vec![path("key")], vec!["--name".to_owned()], vec![path("key"), "identity".to_owned()]] {
        assert!(run(&wrong).unwrap_err().starts_with("usage: "), "{wrong:?}");
    }
    assert!(run(&[path("none")]).unwrap_err().starts_with(&path("none")));
    assert!(run(&[path("identity")]).unwrap_err().starts_with(&path("identity")), "it is no key");
}

/// Compared with the output of `date --utc`.
#[test]
fn explain_tells_dates_of_the_calendar() {
    for (seconds, date) in [
        (0, "1970-01-01 00:00"),
        (951_782_399, "2000-02-28 23:59"),
        (951_782_400, "2000-02-29 00:00"),
        (951_868_800, "2000-03-01 00:00"),
        (1_709_164_800, "2024-02-29 00:00"),
        (1_735_689_599, "2024-12-31 23:59"),
        (1_735_689_600, "2025-01-01 00:00"),
        (1_800_000_000, "2027-01-15 08:00"),
        (4_107_542_400, "2100-03-01 00:00"),
        (253_402_300_799, "9999-12-31 23:59"),
    ] {
        assert_eq!(kinds::date(Timestamp::from_unix_seconds(seconds)), format!("{date} UTC"));
    }
    assert!(kinds::date(Timestamp::from_unix_seconds(u64::MAX)).ends_with(" UTC"));
}
