//! The interop target of version 4: arbitrary and edited messages, pre-key messages and records.
//!
//! Only genuine messages are read, each of them once.

use std::sync::LazyLock;

use bisik::interop::signal::v4::{Accepted, Ciphertext, PreKeys, Session};
use bisik::interop::signal::{AcceptError, DecryptError, Identity, MessageKind, Trust};

use super::fixtures::{Repeatable, storage_key};
use super::input::Input;
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

/// Bob has a state with Alice in the second epoch, a gap in it, and her latest messages yet to read.
struct Line {
    bob: Identity,
    keys: PreKeys,
    session: Vec<u8>,
    /// Messages of both kinds: the first one, which Bob has read; a skipped one; new ones; one of a state new to him.
    messages: Vec<Sent>,
}

static LINE: LazyLock<Line> = LazyLock::new(|| {
    let rng = &mut Repeatable(80);
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, rng);
    let bundle = keys.bundle(&bob, 1, None, None).expect("it is there");
    let verified = bundle.verify(Trust::OnFirstUse).expect("a good bundle");
    let mut messages = Vec::new();
    let mut write = |session: &mut Session, plaintext: &[u8]| {
        let message = session.encrypt(plaintext, &mut Repeatable(plaintext[0].into())).expect("short");
        let kind = u8::from(message.kind() == MessageKind::PreKey);
        messages.push(Sent { bytes: [&[kind], message.as_bytes()].concat(), plaintext: plaintext.to_vec() });
        message
    };
    let mut a = Session::initiate(&alice, &verified, None, rng).expect("another's bundle");
    let first = write(&mut a, b"\x01 first");
    let mut b = Session::accept(&bob, &keys, &first, Trust::OnFirstUse, None).expect("a pre-key message").session;
    while b.epoch() < 2 {
        let answer = b.encrypt(b"text", rng).expect("short");
        a.decrypt(&answer).expect("genuine");
        let answer = a.encrypt(b"text", rng).expect("short");
        b.decrypt(&answer).expect("genuine");
    }
    write(&mut a, b"\x02 skipped");
    let read = a.encrypt(b"read", rng).expect("short");
    b.decrypt(&read).expect("genuine");
    write(&mut a, b"\x03 next");
    let answer = b.encrypt(b"text", rng).expect("short");
    a.decrypt(&answer).expect("genuine");
    write(&mut a, b"\x04 after a step");
    write(&mut a, b"\x05 after a step, too");
    a.reinitiate(&alice, &verified, rng).expect("the same bundle's owner");
    write(&mut a, b"\x06 of a second state");
    let session = image(&mut b);
    Line { bob, keys, session, messages }
});

fn image(session: &mut Session) -> Vec<u8> {
    session.seal(&storage_key(), CONTEXT, &mut Repeatable(0)).expect("it is not poisoned").into_bytes()
}

fn session() -> Session {
    Session::unseal(&storage_key(), CONTEXT, &LINE.session).expect("it was sealed")
}

/// The first byte is the kind.
fn read(bytes: &[u8]) -> Option<Ciphertext> {
    let (kind, bytes) = bytes.split_first()?;
    Ciphertext::from_parts(if kind % 2 == 0 { MessageKind::Whisper } else { MessageKind::PreKey }, bytes).ok()
}

/// The first byte chooses: messages to a session, a pre-key message against unused pre-keys, or a record.
pub fn interop_v4(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    match choice % 3 {
        0 => decrypt(data),
        1 => accept(data),
        _ => state(data),
    }
}

/// Messages with edits, several in a row, to one session.
fn decrypt(data: &[u8]) {
    let Line { bob, keys, messages, .. } = &*LINE;
    let (mut b, mut read_now) = (session(), vec![0]);
    let mut input = Input::new(data);
    for _ in 0..8 {
        if input.is_empty() {
            return;
        }
        let bytes = input.edited(messages);
        let Some(message) = read(&bytes) else { continue };
        assert_eq!(message.header().expect("a decoded message has a header").version >> 4, 4);
        let before = image(&mut b);
        let result = match b.decrypt(&message) {
            Err(DecryptError::OpensNewSession) => {
                b.accept_reinitiated(bob, keys, &message).map(|accepted| accepted.plaintext).map_err(drop)
            }
            other => other.map_err(drop),
        };
        match result {
            Ok(plaintext) => {
                let which = messages.iter().position(|sent| sent.plaintext == plaintext);
                let which = which.expect("only genuine messages are read");
                assert!(!read_now.contains(&which), "and only once");
                read_now.push(which);
            }
            Err(()) => {
                assert_eq!(image(&mut b), before, "a refusal changes nothing");
                let intact = messages.iter().position(|sent| sent.bytes == bytes);
                assert!(intact.is_none_or(|which| read_now.contains(&which)), "a genuine message is read");
            }
        }
    }
}

/// Edited pre-key messages against unused pre-keys.
fn accept(data: &[u8]) {
    let Line { bob, keys, messages, .. } = &*LINE;
    let bytes = Input::new(data).edited(messages);
    let Some(message) = read(&bytes) else { return };
    match Session::accept(bob, keys, &message, Trust::OnFirstUse, None) {
        Ok(Accepted { mut session, plaintext, used }) => {
            assert!(messages.iter().any(|sent| sent.plaintext == plaintext), "only a genuine message opens a session");
            assert_eq!(session.decrypt(&message), Err(DecryptError::Replayed));
            let record = keys.seal(&storage_key(), CONTEXT, &mut Repeatable(0));
            let mut spent = PreKeys::unseal(&storage_key(), CONTEXT, &record).expect("it was sealed");
            spent.remove(used);
            let again = Session::accept(bob, &spent, &message, Trust::OnFirstUse, None);
            assert_eq!(again.map(drop), Err(AcceptError::Replayed));
        }
        Err(error) => {
            let intact = messages.iter().any(|sent| sent.bytes == bytes && bytes[0] == 1);
            assert!(!intact, "a genuine pre-key message is accepted: {error:?}");
        }
    }
}

/// The first byte is the kind, the rest what the record holds.
fn state(data: &[u8]) {
    let Some((kind, state)) = data.split_first() else { return };
    let (key, rng) = (storage_key(), &mut Repeatable(0));
    let kind = [SESSION, PRE_KEYS][usize::from(kind % 2)];
    let record = record::seal_named(kind, CONTEXT, state);
    let again = match kind {
        SESSION => Session::unseal(&key, CONTEXT, &record).map(|mut session| image(&mut session)),
        _ => PreKeys::unseal(&key, CONTEXT, &record).map(|keys| keys.seal(&key, CONTEXT, rng)),
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
    let sealed = match kind {
        SESSION => LINE.session.clone(),
        _ => LINE.keys.seal(&storage_key(), CONTEXT, &mut Repeatable(0)),
    };
    record::open_named(kind, CONTEXT, &sealed)
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let all = |order: &[u8]| [0].into_iter().chain(order.iter().flat_map(|number| [*number, 0])).collect();
    vec![
        ("in_order", all(&[1, 2, 3, 4, 5])),
        ("in_reverse", all(&[5, 4, 3, 2, 1])),
        ("twice", all(&[3, 3, 0])),
        ("forged", vec![0, 3, 1, FLIP, 1, 0, 70, 3, 0]),
        ("spliced", vec![0, 4, 1, SPLICE, 3, 0, 60, 4, 0]),
        ("accept", vec![1, 0, 0]),
        ("accept_flipped_kyber_ciphertext", vec![1, 0, 1, FLIP, 1, 2, 0]),
        ("record_pre_keys", [&[2, 1], state_of(PRE_KEYS).as_slice()].concat()),
        ("record_session", [&[2, 0], state_of(SESSION).as_slice()].concat()),
    ]
}

// Numbers of the kinds of record.
const SESSION: u8 = 40;
const PRE_KEYS: u8 = 41;

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const SPLICE: u8 = 4;
