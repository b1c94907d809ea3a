//! The interop targets of sessions: arbitrary messages, edited messages in mid-conversation, bundles and records.
//!
//! Only genuine messages are read, each of them once.

use std::sync::LazyLock;

use bisik::interop::signal::{
    AcceptError, Accepted, Ciphertext, DecryptError, Identity, IdentityKey, MessageKind, OneTimePreKey, PreKeyBundle,
    PreKeys, PublicKey, Session, SignedPreKey, Trust,
};

use super::fixtures::{Repeatable, storage_key};
use super::input::{Input, RAW};
use super::record::{self, CONTEXT};

/// A message as its sender made it; its first byte is the kind.
struct Sent {
    bytes: Vec<u8>,
    plaintext: Vec<u8>,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Bob has two states with Alice, gaps in both, and her latest messages yet to read.
struct Line {
    alice: Identity,
    bob: Identity,
    /// The pre-keys before any message.
    keys: PreKeys,
    /// The pre-keys without the used ones.
    spent: PreKeys,
    session: Vec<u8>,
    bundle: PreKeyBundle,
    /// Messages of both kinds: early, skipped, new, of a chain new to Bob, and of a state new to him.
    messages: Vec<Sent>,
    /// The number of messages, from the front, that Bob has read.
    read: usize,
}

static LINE: LazyLock<Line> = LazyLock::new(|| {
    let rng = &mut Repeatable(60);
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = || {
        let rng = &mut Repeatable(61);
        let mut keys = PreKeys::generate(&bob, rng);
        keys.replenish(2, rng).expect("two are few");
        keys
    };
    let mut spent = keys();
    let verified = |one_time| {
        let bundle = keys().bundle(&bob, 0, one_time).expect("it is there");
        bundle.verify(Trust::OnFirstUse).expect("a good bundle")
    };
    let mut messages = Vec::new();
    let mut write = |session: &mut Session, plaintext: &[u8]| {
        let message = session.encrypt(plaintext, &mut Repeatable(plaintext[0].into())).expect("short");
        let kind = u8::from(message.kind() == MessageKind::PreKey);
        let bytes = [&[kind], message.as_bytes()].concat();
        messages.push(Sent { bytes, plaintext: plaintext.to_vec() });
        message
    };
    let mut a = Session::initiate(&alice, &verified(Some(1)), rng).expect("another's bundle");
    let first = write(&mut a, b"\x01 first");
    let Accepted { session: mut b, used, .. } =
        Session::accept(&bob, &spent, &first, Trust::OnFirstUse).expect("a pre-key message");
    spent.remove(used);
    let answer = b.encrypt(b"answer", rng).expect("short");
    a.decrypt(&answer).expect("genuine");
    a.reinitiate(&alice, &verified(None), rng).expect("the same bundle's owner");
    let again = write(&mut a, b"\x02 again");
    let accepted = b.accept_reinitiated(&bob, &spent, &again).expect("a pre-key message");
    spent.remove(accepted.used);
    let read = 2;
    write(&mut a, b"\x03 skipped");
    write(&mut a, b"\x04 skipped too");
    let in_the_new_state = b.encrypt(b"answer", rng).expect("short");
    let late = write(&mut a, b"\x05 newest");
    b.decrypt(&late).expect("genuine");
    let read_last = messages_swap(&mut messages, read, 4);
    a.decrypt(&in_the_new_state).expect("genuine");
    let mut write = |session: &mut Session, plaintext: &[u8]| {
        let message = session.encrypt(plaintext, &mut Repeatable(plaintext[0].into())).expect("short");
        let kind = u8::from(message.kind() == MessageKind::PreKey);
        messages.push(Sent { bytes: [&[kind], message.as_bytes()].concat(), plaintext: plaintext.to_vec() });
    };
    write(&mut a, b"\x06 after a step");
    write(&mut a, b"\x07 after a step, too");
    a.reinitiate(&alice, &verified(Some(2)), rng).expect("the same bundle's owner");
    write(&mut a, b"\x08 of a third state");
    let session = b.seal(&storage_key(), CONTEXT, rng).unwrap().into_bytes();
    let bundle = keys().bundle(&bob, 0, Some(2)).expect("it is there");
    Line { keys: keys(), spent, session, bundle, messages, read: read_last, alice, bob }
});

/// Moves a message that was read to the front; returns how many have been read.
fn messages_swap(messages: &mut [Sent], read: usize, last: usize) -> usize {
    messages.swap(read, last);
    read + 1
}

fn session() -> Session {
    Session::unseal(&storage_key(), CONTEXT, &LINE.session).expect("it was sealed")
}

fn image(session: &mut Session) -> Vec<u8> {
    session.seal(&storage_key(), CONTEXT, &mut Repeatable(0)).unwrap().into_bytes()
}

/// The first byte is the kind.
fn read(bytes: &[u8]) -> Option<Ciphertext> {
    let (kind, bytes) = bytes.split_first()?;
    Ciphertext::from_parts(if kind % 2 == 0 { MessageKind::Whisper } else { MessageKind::PreKey }, bytes).ok()
}

/// What decodes can be queried without panic, and its keys are valid.
pub fn interop_message(data: &[u8]) {
    let Some(message) = read(data) else { return };
    assert_eq!(message.as_bytes(), &data[1..]);
    let header = message.header().expect("a decoded message has a header");
    assert!(matches!(header.version, 0x33 | 0x34));
    let key = header.ratchet_key.to_bytes();
    assert!(data.windows(key.len()).any(|window| window == key), "the key stands in the message");
    assert_eq!(header.pre_key.is_some(), message.kind() == MessageKind::PreKey);
}

/// Messages with edits, several in a row, to one session.
pub fn interop_decrypt(data: &[u8]) {
    let Line { bob, spent, messages, read: already, .. } = &*LINE;
    let mut b = session();
    let mut read_now: Vec<usize> = (0..*already).collect();
    let mut input = Input::new(data);
    for _ in 0..8 {
        if input.is_empty() {
            return;
        }
        let bytes = input.edited(messages);
        let Some(message) = read(&bytes) else { continue };
        let genuine = messages.iter().position(|sent| inner(&sent.bytes) == inner(&bytes));
        let before = image(&mut b);
        let result = match b.decrypt(&message) {
            Err(DecryptError::OpensNewSession) => {
                b.accept_reinitiated(bob, spent, &message).map(|accepted| accepted.plaintext).map_err(drop)
            }
            other => other.map_err(drop),
        };
        match result {
            Ok(plaintext) => {
                let which = genuine.expect("only genuine messages are read");
                assert_eq!(plaintext, messages[which].plaintext);
                assert!(!read_now.contains(&which), "and only once");
                read_now.push(which);
            }
            Err(()) => {
                assert_eq!(image(&mut b), before, "a refusal changes nothing");
                let intact = genuine.filter(|which| messages[*which].bytes == bytes);
                assert!(intact.is_none_or(|which| read_now.contains(&which)), "a genuine message is read");
            }
        }
    }
}

/// The authenticated part of a message: of a pre-key message, the message inside.
fn inner(bytes: &[u8]) -> Option<Vec<u8>> {
    let message = read(bytes)?;
    let bytes = message.as_bytes();
    if message.kind() == MessageKind::Whisper {
        return Some(bytes.to_vec());
    }
    let mut fields = Input::new(&bytes[1..]);
    let mut found = None;
    while !fields.is_empty() {
        let tag = varint(&mut fields);
        match tag & 7 {
            0 => drop(varint(&mut fields)),
            1 => drop(fields.bytes(8)),
            2 => {
                let length = varint(&mut fields);
                let value = fields.bytes(usize::try_from(length).ok()?);
                if tag >> 3 == 4 {
                    found = Some(value.to_vec());
                }
            }
            _ => drop(fields.bytes(4)),
        }
    }
    found
}

fn varint(input: &mut Input<'_>) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = input.byte();
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// Edited pre-key messages against unused pre-keys.
pub fn interop_accept(data: &[u8]) {
    let Line { alice, bob, keys, messages, .. } = &*LINE;
    let bytes = Input::new(data).edited(messages);
    let Some(message) = read(&bytes) else { return };
    let genuine = messages.iter().find(|sent| inner(&sent.bytes) == inner(&bytes));
    match Session::accept(bob, keys, &message, Trust::OnFirstUse) {
        Ok(Accepted { mut session, plaintext, used }) => {
            let genuine = genuine.expect("only a genuine pre-key message opens a session");
            assert_eq!(plaintext, genuine.plaintext);
            assert_eq!(*session.peer(), alice.public());
            let mut own = Session::unseal(&storage_key(), CONTEXT, &image(&mut session)).expect("it was sealed");
            assert_eq!(own.decrypt(&message), Err(DecryptError::Replayed));
            let pinned = Session::accept(bob, keys, &message, Trust::Pinned(&bob.public()));
            assert_eq!(pinned.unwrap_err(), AcceptError::IdentityMismatch);
            let record = keys.seal(&storage_key(), CONTEXT, &mut Repeatable(0));
            let mut spent = PreKeys::unseal(&storage_key(), CONTEXT, &record).expect("it was sealed");
            spent.remove(used);
            let again = Session::accept(bob, &spent, &message, Trust::OnFirstUse).unwrap_err();
            assert!(matches!(again, AcceptError::Replayed | AcceptError::UnknownPreKey), "{again:?}");
        }
        Err(error) => {
            let intact = messages.iter().any(|sent| sent.bytes == bytes && bytes[0] == 1);
            assert!(!intact, "a genuine pre-key message is accepted: {error:?}");
            assert_ne!(error, AcceptError::WrongIdentity, "the pre-keys are the identity's own");
        }
    }
}

/// An edited bundle: identity, signed pre-key and signature belong together; the rest may change.
pub fn interop_bundle(data: &[u8]) {
    let Line { alice, bundle: genuine, .. } = &*LINE;
    let bytes = Input::new(data).edited(&[bundle_bytes(genuine)]);
    let mut input = Input::new(&bytes);
    let [identity, signed, one_time] = [(); 3].map(|()| PublicKey::from_bytes(&input.array::<33>()));
    let (Ok(identity), Ok(signed), one_time) = (identity, signed, one_time.ok()) else { return };
    let signature = input.array::<64>();
    let [registration_id, device_id, signed_id, one_time_id] = [(); 4].map(|()| u32::from_be_bytes(input.array()));
    let bundle = PreKeyBundle {
        registration_id,
        device_id,
        identity: IdentityKey::from(identity),
        one_time: one_time.map(|key| OneTimePreKey { id: one_time_id, key }),
        signed: SignedPreKey { id: signed_id, key: signed, signature },
    };
    let same = bundle.identity == genuine.identity
        && bundle.signed.key == genuine.signed.key
        && bundle.signed.signature == genuine.signed.signature;
    let verified = bundle.verify(Trust::OnFirstUse);
    assert_eq!(verified.is_ok(), same, "only genuine bundles verify");
    assert!(bundle.verify(Trust::Pinned(&alice.public())).is_err());
    if let Ok(verified) = verified {
        let mut session = Session::initiate(alice, &verified, &mut Repeatable(62)).expect("keys of large order");
        let header = session.encrypt(b"", &mut Repeatable(63)).expect("short").header().expect("our own");
        let pre_key = header.pre_key.expect("it can open a session");
        assert_eq!(pre_key.signed_pre_key_id, signed_id);
        assert_eq!(pre_key.pre_key_id, bundle.one_time.map(|one_time| one_time.id));
    }
}

fn bundle_bytes(bundle: &PreKeyBundle) -> Vec<u8> {
    let PreKeyBundle { registration_id, device_id, identity, one_time, signed } = bundle;
    let one_time = one_time.expect("the genuine one has one");
    [
        identity.to_bytes().as_slice(),
        &signed.key.to_bytes(),
        &one_time.key.to_bytes(),
        &signed.signature,
        &registration_id.to_be_bytes(),
        &device_id.to_be_bytes(),
        &signed.id.to_be_bytes(),
        &one_time.id.to_be_bytes(),
    ]
    .concat()
}

/// The first byte is the kind, the rest what the record holds.
pub fn interop_state(data: &[u8]) {
    let Some((kind, state)) = data.split_first() else { return };
    let (key, rng) = (storage_key(), &mut Repeatable(0));
    let kind = [SESSION, PRE_KEYS, IDENTITY][usize::from(kind % 3)];
    let record = record::seal_named(kind, CONTEXT, state);
    let again = match kind {
        SESSION => Session::unseal(&key, CONTEXT, &record).map(|mut session| image(&mut session)),
        PRE_KEYS => PreKeys::unseal(&key, CONTEXT, &record).map(|keys| keys.seal(&key, CONTEXT, rng)),
        _ => Identity::unseal(&key, CONTEXT, &record).map(|identity| identity.seal(&key, CONTEXT, rng)),
    };
    let Ok(again) = again else { return };
    assert_eq!(record::open_named(kind, CONTEXT, &again), state, "decoded values have one encoding");
    if let Ok(mut session) = Session::unseal(&key, CONTEXT, &record) {
        for sent in &LINE.messages {
            let _ = read(&sent.bytes).map(|message| session.decrypt(&message));
        }
        let _ = session.encrypt(b"text", rng);
        assert!(Session::unseal(&key, CONTEXT, &image(&mut session)).is_ok(), "every operation leaves a valid state");
    }
}

fn state_of(kind: u8) -> Vec<u8> {
    let (key, rng) = (storage_key(), &mut Repeatable(0));
    let sealed = match kind {
        SESSION => LINE.session.clone(),
        PRE_KEYS => LINE.spent.seal(&key, CONTEXT, rng),
        _ => LINE.bob.seal(&key, CONTEXT, rng),
    };
    record::open_named(kind, CONTEXT, &sealed)
}

pub fn message_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let sent = |which: usize| LINE.messages[which].bytes.clone();
    vec![("empty", Vec::new()), ("first", sent(0)), ("ordinary", sent(5)), ("without_one_time_key", sent(1))]
}

pub fn decrypt_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let all = |order: &[u8]| order.iter().flat_map(|number| [*number, 0]).collect();
    vec![
        ("in_order", all(&[3, 4, 5, 6, 7])),
        ("in_reverse", all(&[7, 6, 5, 4, 3])),
        ("twice", all(&[5, 5, 0, 1, 2])),
        ("forged", vec![5, 1, FLIP, 1, 0, 60, 5, 0]),
        ("spliced", vec![7, 1, SPLICE, 3, 0, 90, 7, 0]),
        ("raw", [&[RAW, 0, 3], b"\x00\x33\x0a".as_slice()].concat()),
    ]
}

pub fn accept_seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("one_time", vec![0, 0]),
        ("without_one_time_key", vec![1, 0]),
        ("of_another_chain", vec![5, 0]),
        ("flipped_base_key", vec![0, 1, FLIP, 1, 0, 12]),
        ("flipped_identity", vec![0, 1, FLIP, 1, 0, 50]),
        ("flipped_tag", vec![0, 1, FLIP, 1, 0, 150]),
    ]
}

pub fn bundle_seeds() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("genuine", vec![0, 0]),
        ("without_one_time_key", vec![0, 1, FLIP, 1, 0, 66]),
        ("flipped_signature", vec![0, 1, FLIP, 0x80, 0, 162]),
        ("flipped_identity", vec![0, 1, FLIP, 1, 0, 9]),
        ("other_ids", vec![0, 1, FLIP, 1, 0, 170]),
    ]
}

pub fn state_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let of = |number: u8, kind| [&[number], state_of(kind).as_slice()].concat();
    vec![("identity", of(2, IDENTITY)), ("pre_keys", of(1, PRE_KEYS)), ("session", of(0, SESSION))]
}

// Numbers of the kinds of record.
const SESSION: u8 = 9;
const PRE_KEYS: u8 = 10;
const IDENTITY: u8 = 11;

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const SPLICE: u8 = 4;
