//! Records of format 1: each still opens, continues as it did, and is sealed to the same bytes again.

use std::fs;

use bisik::StorageKey;
use bisik::interop::signal::{
    Ciphertext, GroupReceiver, GroupSender, Identity, KeyPair, MessageKind, PreKeys, SenderKeyFormat, Session, Trust,
    v4,
};

use super::known::from_hex;
use crate::rng::ConstantRng;

fn key() -> StorageKey {
    StorageKey::from_bytes([0x42; 32])
}

fn golden(name: &str) -> Vec<u8> {
    from_hex(fs::read_to_string(format!("tests/golden/v1/interop_{name}.hex")).unwrap().trim())
}

fn write(name: &str, bytes: &[u8]) {
    let directory = std::env::var("BISIK_GOLDEN_OUT").unwrap();
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(format!("{directory}/interop_{name}.hex"), text + "\n").unwrap();
}

const SIGNAL: SenderKeyFormat = SenderKeyFormat::Signal { distribution: [0xd1; 16] };

/// A session with two states, one of them unanswered, and skipped keys of an ended chain; and its identity and pre-keys.
#[test]
fn golden_interop_records_open_and_continue() {
    let record = golden("session");
    let mut session = Session::unseal(&key(), b"peer", &record).unwrap();
    assert_eq!(session.seal(&key(), b"peer", &mut ConstantRng(0)).unwrap().as_bytes(), record);
    assert_eq!((session.archived(), session.skipped_keys(), session.revision()), (1, 2, 16));
    assert!(!session.is_confirmed());
    for text in ["waits", "waits_too", "comes"] {
        let message = Ciphertext::from_parts(MessageKind::Whisper, &golden(text)).unwrap();
        assert_eq!(session.decrypt(&message).unwrap(), text.as_bytes());
    }
    assert!(!session.is_confirmed(), "a delayed message does not replace a newer session");

    let record = golden("pre_keys");
    let keys = PreKeys::unseal(&key(), b"keys", &record).unwrap();
    assert_eq!(keys.seal(&key(), b"keys", &mut ConstantRng(0)), record);
    assert_eq!((keys.stock(), keys.signed().unwrap().id), (2, 2));
    let record = golden("identity");
    let identity = Identity::unseal(&key(), b"identity", &record).unwrap();
    assert_eq!(identity.seal(&key(), b"identity", &mut ConstantRng(0)), record);
    assert_eq!(identity.registration_id(), 4_660);
    let first = Ciphertext::from_parts(MessageKind::PreKey, &golden("first")).unwrap();
    let accepted = Session::accept(&identity, &keys, &first, Trust::OnFirstUse).unwrap();
    assert_eq!((accepted.plaintext.as_slice(), accepted.used.one_time()), (b"first".as_slice(), Some(7)));
}

/// The sender key of a group, and a member's record with the sender keys of both formats and with a skipped message key.
#[test]
fn golden_sender_keys_open_and_continue() {
    let record = golden("group_sender");
    let mut sender = GroupSender::unseal(&key(), b"sender", &record).unwrap();
    assert_eq!(sender.seal(&key(), b"sender", &mut ConstantRng(0)).unwrap().as_bytes(), record);
    assert_eq!((sender.format(), sender.iteration(), sender.revision(), record.len()), (SIGNAL, 2, 2, 202));
    let record = golden("group_receiver");
    let mut receiver = GroupReceiver::unseal(&key(), b"receiver", &record).unwrap();
    assert_eq!(receiver.seal(&key(), b"receiver", &mut ConstantRng(0)).unwrap().as_bytes(), record);
    assert_eq!((receiver.keys(), receiver.skipped_keys(), receiver.revision(), record.len()), (2, 1, 3, 275));
    assert_eq!(receiver.decrypt(&golden("group_waits")).unwrap(), b"group_waits");
    let next = sender.encrypt(b"next", &mut ConstantRng(0)).unwrap();
    assert_eq!(receiver.decrypt(&next).unwrap(), b"next");
}

#[test]
#[ignore = "writes golden records into the directory BISIK_GOLDEN_OUT"]
fn write_records() {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::from_secret_bytes([0x17; 32], 4_660));
    let mut keys = PreKeys::generate(&bob, rng);
    keys.rotate(&bob, rng).unwrap();
    keys.insert_one_time(7, KeyPair::generate(rng)).unwrap();
    keys.replenish(1, rng).unwrap();
    let bundle = keys.bundle(&bob, 0, Some(7)).unwrap().verify(Trust::OnFirstUse).unwrap();
    let mut a = Session::initiate(&alice, &bundle, rng).unwrap();
    let first = a.encrypt(b"first", rng).unwrap();
    let mut b = Session::accept(&bob, &keys, &first, Trust::OnFirstUse).unwrap().session;
    write("waits", b.encrypt(b"waits", rng).unwrap().as_bytes());
    write("waits_too", b.encrypt(b"waits_too", rng).unwrap().as_bytes());
    a.decrypt(&b.encrypt(b"answer", rng).unwrap()).unwrap();
    for _ in 0..6 {
        b.decrypt(&a.encrypt(b"there", rng).unwrap()).unwrap();
        a.decrypt(&b.encrypt(b"back", rng).unwrap()).unwrap();
    }
    a.reinitiate(&alice, &bundle, rng).unwrap();
    let _ = a.encrypt(b"unanswered", rng).unwrap();
    write("comes", b.encrypt(b"comes", rng).unwrap().as_bytes());
    write("session", a.seal(&key(), b"peer", &mut ConstantRng(0)).unwrap().as_bytes());
    write("pre_keys", &keys.seal(&key(), b"keys", &mut ConstantRng(0)));
    write("identity", &bob.seal(&key(), b"identity", &mut ConstantRng(0)));
    write("first", first.as_bytes());
}

#[test]
#[ignore = "writes golden records into the directory BISIK_GOLDEN_OUT"]
fn write_sender_keys() {
    let rng = &mut rand::rng();
    let mut sender = GroupSender::generate(SIGNAL, rng);
    let mut receiver = GroupReceiver::new();
    receiver.process(&GroupSender::generate(SenderKeyFormat::WhatsApp, rng).distribution());
    receiver.process(&sender.distribution());
    write("group_waits", &sender.encrypt(b"group_waits", rng).unwrap());
    receiver.decrypt(&sender.encrypt(b"comes", rng).unwrap()).unwrap();
    write("group_sender", sender.seal(&key(), b"sender", &mut ConstantRng(0)).unwrap().as_bytes());
    write("group_receiver", receiver.seal(&key(), b"receiver", &mut ConstantRng(0)).unwrap().as_bytes());
}

/// Version 4: a session with an unanswered state and an answered one that waits for messages; and pre-keys.
#[test]
fn golden_records_of_version_4_open_and_continue() {
    let record = golden("session_4");
    let mut session = v4::Session::unseal(&key(), b"peer", &record).unwrap();
    assert_eq!(session.seal(&key(), b"peer", &mut ConstantRng(0)).unwrap().as_bytes(), record);
    assert_eq!((session.archived(), session.skipped_keys(), session.is_confirmed()), (1, 1, false));
    for text in ["waits_4", "comes_4"] {
        let message = v4::Ciphertext::from_parts(MessageKind::Whisper, &golden(text)).unwrap();
        assert_eq!(session.decrypt(&message).unwrap(), text.as_bytes());
    }
    let record = golden("pre_keys_4");
    let keys = v4::PreKeys::unseal(&key(), b"keys", &record).unwrap();
    assert_eq!(keys.seal(&key(), b"keys", &mut ConstantRng(0)), record);
    let identity = Identity::from_secret_bytes([0x17; 32], 4_660);
    let first = v4::Ciphertext::from_parts(MessageKind::PreKey, &golden("first_4")).unwrap();
    let accepted = v4::Session::accept(&identity, &keys, &first, Trust::OnFirstUse, None).unwrap();
    assert_eq!((accepted.plaintext.as_slice(), accepted.used.kyber()), (b"first_4".as_slice(), 9));
}

#[test]
#[ignore = "writes golden records into the directory BISIK_GOLDEN_OUT"]
fn write_records_of_version_4() {
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::from_secret_bytes([0x17; 32], 4_660));
    let names = v4::Addresses {
        ours: v4::ServiceAddress { kind: v4::ServiceKind::Account, uuid: [1; 16], device: 1 },
        theirs: v4::ServiceAddress { kind: v4::ServiceKind::PhoneNumber, uuid: [2; 16], device: 2 },
    };
    let mut keys = v4::PreKeys::generate(&bob, rng);
    keys.rotate(&bob, rng).unwrap();
    keys.replenish(1, rng).unwrap();
    keys.insert_kyber(&bob, 9, v4::KyberKeyPair::generate(rng), rng).unwrap();
    let bundle = keys.bundle(&bob, 0, Some(1), Some(9)).unwrap().verify(Trust::OnFirstUse).unwrap();
    let mut a = v4::Session::initiate(&alice, &bundle, Some(names), rng).unwrap();
    let first = a.encrypt(b"first_4", rng).unwrap();
    let mut b = v4::Session::accept(&bob, &keys, &first, Trust::OnFirstUse, None).unwrap().session;
    // Into the second epoch.
    while a.epoch() < 2 {
        let text = b.encrypt(b"text", rng).unwrap();
        a.decrypt(&text).unwrap();
        let text = a.encrypt(b"text", rng).unwrap();
        b.decrypt(&text).unwrap();
    }
    write("waits_4", b.encrypt(b"waits_4", rng).unwrap().as_bytes());
    a.decrypt(&b.encrypt(b"answer", rng).unwrap()).unwrap();
    a.reinitiate(&alice, &bundle, rng).unwrap();
    let _ = a.encrypt(b"unanswered", rng).unwrap();
    write("comes_4", b.encrypt(b"comes_4", rng).unwrap().as_bytes());
    write("session_4", a.seal(&key(), b"peer", &mut ConstantRng(0)).unwrap().as_bytes());
    write("pre_keys_4", &keys.seal(&key(), b"keys", &mut ConstantRng(0)));
    write("first_4", first.as_bytes());
}
