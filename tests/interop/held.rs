//! Messages that are held until their state is stored: a crash repeats no key, and nothing is released too early.
//!
//! The database of these tests is a variable: a record is stored when a test puts it there.

use std::collections::BTreeSet;

use crate::rng::ConstantRng;
use bisik::interop::signal::{
    AcceptError, Ciphertext, DecryptError, Distribution, EncryptError, GroupDecryptError, GroupHeader, GroupReceiver,
    GroupSender, InitiateError, MessageKind, SealError, SealedRecord, SenderKeyFormat, Session, Trust,
};
use bisik::{Identity, PreKeys, StorageKey, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::pair::{Device, image, pair};

fn key() -> StorageKey {
    StorageKey::from_bytes([1; 32])
}

fn seal(session: &mut Session) -> SealedRecord {
    session.seal(&key(), b"image", &mut ConstantRng(0)).unwrap()
}

fn reload(record: &[u8]) -> Session {
    Session::unseal(&key(), b"image", record).unwrap()
}

/// The message's key and initialisation vector are derived from these: the ratchet key, and the number in its chain.
fn position(message: &Ciphertext) -> (Vec<u8>, u32) {
    let header = message.header().unwrap();
    (header.ratchet_key.to_bytes().to_vec(), header.counter)
}

/// Crashes at every place between encrypting and sending: the messages sent repeat no key and IV. The control sends
/// without storing first, and does repeat one.
#[test]
fn a_crash_before_the_record_is_stored_repeats_no_key() {
    let rng = &mut StdRng::seed_from_u64(1);
    let (mut a, _) = pair();
    let mut database = seal(a.session()).into_bytes();
    let (mut session, mut sent) = (reload(&database), BTreeSet::new());
    for _ in 0..300 {
        let held: Vec<_> = (0..rng.random_range(1..4)).map(|_| session.encrypt_held(b"teks", rng).unwrap()).collect();
        if rng.random_ratio(1, 3) {
            // Crash: held messages are lost with the memory, and none was sent.
            session = reload(&database);
            continue;
        }
        let record = seal(&mut session);
        database = record.as_bytes().to_vec();
        let stored = record.stored();
        for held in held {
            let message = held.release(&stored).unwrap();
            assert!(sent.insert(position(&message)), "a key and an initialisation vector are used twice");
        }
        if rng.random_ratio(1, 3) {
            session = reload(&database);
        }
    }
    let unsafe_message = session.encrypt(b"teks", rng).unwrap();
    let after_crash = reload(&database).encrypt(b"teks", rng).unwrap();
    assert_eq!(position(&unsafe_message), position(&after_crash), "the control: sent before it was stored");
}

#[test]
fn a_held_message_needs_proof_of_its_own_session_at_its_revision() {
    let rng = &mut StdRng::seed_from_u64(2);
    let (mut a, mut b) = pair();
    let (mut other, _) = pair();
    let early = seal(a.session()).stored();
    let held = a.session().encrypt_held(b"tunggu", rng).unwrap();
    for _ in 0..20 {
        other.write(b"");
    }
    let held = held.release(&early).unwrap_err();
    let held = held.release(&seal(other.session()).stored()).unwrap_err();
    let held = held.release(&seal(b.session()).stored()).unwrap_err();
    assert_eq!(b.session().archived(), 0);
    // A later record of the same session is also accepted, even if another state has become the current one since.
    a.initiate(&b, true);
    a.write(b"baru");
    let message = held.release(&seal(a.session()).stored()).unwrap();
    assert_eq!(b.read(&message).unwrap(), b"tunggu");
}

/// A session that was set up anew with the same peer is another session, however many changes its record has seen.
#[test]
fn the_proof_of_a_forgotten_session_releases_nothing_of_the_new_one() {
    let rng = &mut StdRng::seed_from_u64(3);
    let (mut a, b) = pair();
    for _ in 0..20 {
        a.write(b"");
    }
    let forgotten = seal(a.session()).stored();
    a.session = None;
    a.initiate(&b, true);
    let held = a.session().encrypt_held(b"halo", rng).unwrap();
    assert!(held.release(&forgotten).is_err());
}

#[test]
fn a_dropped_held_message_is_a_gap_like_any_lost_message() {
    let (mut a, mut b) = pair();
    drop(a.session().encrypt_held(b"batal", &mut rand::rng()).unwrap());
    let message = a.write(b"jadi");
    assert_eq!(b.read(&message).unwrap(), b"jadi");
    assert_eq!(b.session().skipped_keys(), 1);
}

#[test]
fn many_received_messages_are_held_and_released_against_one_record() {
    let (mut a, mut b) = pair();
    let mut messages: Vec<_> = (0..10_u8).map(|number| (number, a.write(&[number]))).collect();
    messages.swap(0, 7);
    messages.remove(3);
    let early = seal(b.session()).stored();
    let held: Vec<_> = messages
        .iter()
        .map(|(number, message)| (*number, b.session().decrypt_held(message).unwrap()))
        .map(|(number, held)| (number, held.release(&early).expect_err("not stored yet")))
        .collect();
    assert_eq!(held[0].1.for_inbox(), [7], "for the transaction that stores the session");
    let record = seal(b.session());
    let database = record.as_bytes().to_vec();
    let stored = record.stored();
    let late = b.session().decrypt_held(&a.write(b"nanti")).unwrap();
    for (number, held) in held {
        assert_eq!(held.release(&stored).unwrap(), [number]);
    }
    assert!(late.release(&stored).is_err(), "it came after the record");
    // One record includes all of them: none can be read a second time from it.
    let mut restored = reload(&database);
    for (_, message) in &messages {
        assert_eq!(restored.decrypt(message), Err(DecryptError::Replayed));
    }
}

/// The program crashes after decrypting and before storing: in the stored session the message is still unread.
#[test]
fn a_crash_before_the_record_is_stored_loses_no_received_message() {
    let (mut a, mut b) = pair();
    let database = seal(b.session()).into_bytes();
    let message = a.write(b"jangan hilang");
    drop(b.session().decrypt_held(&message).unwrap());
    assert_eq!(reload(&database).decrypt(&message).unwrap(), b"jangan hilang");
}

#[test]
fn a_failed_held_decryption_leaves_the_state_unchanged() {
    let (mut a, mut b) = pair();
    let read = a.write(b"sudah");
    b.session().decrypt(&read).unwrap();
    let next = a.write(b"berikut");
    let mut forged = next.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = Ciphertext::from_parts(MessageKind::Whisper, &forged).unwrap();
    let mut stranger = Device::new();
    stranger.initiate(&b, true);
    let first = stranger.write(b"asing");
    let before = b.image();
    for (message, error) in
        [(&forged, DecryptError::Rejected), (&read, DecryptError::Replayed), (&first, DecryptError::OpensNewSession)]
    {
        assert_eq!(b.session().decrypt_held(message).unwrap_err(), error);
        assert_eq!(b.session().stage(message).unwrap_err(), error);
        assert_eq!(b.image(), before);
    }
    assert_eq!(b.session().decrypt_held(&next).unwrap().for_inbox(), b"berikut");
}

/// For every kind of change that a message makes: the first reply, the next in order, a gap, a skipped key, a DH step,
/// and another state that becomes the current one.
#[test]
fn a_staged_message_seals_the_state_its_commit_leaves() {
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, true);
    let hello = a.write(b"halo");
    b.read(&hello).unwrap();
    let answer = b.write(b"hai");
    stages_as_it_commits(a.session(), &answer, b"hai");
    let [next, skipped, gap] = [b"1", b"2", b"3"].map(|text| b.write(text));
    for (message, text) in [(&next, b"1"), (&gap, b"3"), (&skipped, b"2")] {
        stages_as_it_commits(a.session(), message, text);
    }
    let reply = a.write(b"langkah");
    stages_as_it_commits(b.session(), &reply, b"langkah");
    // Both initiate at once, and one of the two states wins.
    a.initiate(&b, true);
    b.initiate(&a, true);
    let (from_a, from_b) = (a.write(b"a"), b.write(b"b"));
    a.read(&from_b).unwrap();
    b.read(&from_a).unwrap();
    let from_b = b.write(b"lagi");
    stages_as_it_commits(a.session(), &from_b, b"lagi");
}

fn stages_as_it_commits(session: &mut Session, message: &Ciphertext, text: &[u8]) {
    let before = image(session);
    drop(session.stage(message).unwrap());
    assert_eq!(image(session), before, "a dropped message changes nothing");
    let mut staged = session.stage(message).unwrap();
    assert_eq!(staged.plaintext(), text);
    let record = staged.seal(&key(), b"image", &mut ConstantRng(0)).unwrap();
    assert_eq!(staged.commit(), text);
    assert_eq!(record.revision(), session.revision());
    assert!(record.as_bytes() == image(session), "the record is not what the commit left");
}

/// A record sealed from a staged message that is then dropped must not count as proof for a message of the session that
/// is loaded from it.
#[test]
fn the_proof_of_a_dropped_staged_message_releases_nothing_later() {
    let (mut a, mut b) = pair();
    let message = b.write(b"hai");
    let mut staged = a.session().stage(&message).unwrap();
    let record = staged.seal(&key(), b"image", &mut ConstantRng(0)).unwrap();
    drop(staged);
    let mut loaded = reload(record.as_bytes());
    let held = loaded.encrypt_held(b"balas", &mut rand::rng()).unwrap();
    assert!(held.release(&record.stored()).is_err(), "that record does not hold the state of this message");
}

fn group(seed: u64) -> (GroupSender, GroupReceiver) {
    let sender = GroupSender::generate(SenderKeyFormat::WhatsApp, &mut StdRng::seed_from_u64(seed));
    let mut receiver = GroupReceiver::new();
    receiver.process(&sender.distribution());
    (sender, receiver)
}

fn group_image(receiver: &mut GroupReceiver) -> Vec<u8> {
    receiver.seal(&key(), b"", &mut ConstantRng(0)).unwrap().into_bytes()
}

/// As for sessions: in a group, key and initialisation vector of a message are derived from its number.
#[test]
fn a_crash_before_the_sender_key_is_stored_repeats_no_key() {
    let rng = &mut StdRng::seed_from_u64(4);
    let (mut sender, mut receiver) = group(4);
    let mut database = sender.seal(&key(), b"", rng).unwrap().into_bytes();
    let mut sent = BTreeSet::new();
    for _ in 0..300 {
        let held: Vec<_> = (0..rng.random_range(1..4)).map(|_| sender.encrypt_held(b"teks", rng).unwrap()).collect();
        if rng.random_ratio(1, 3) {
            sender = GroupSender::unseal(&key(), b"", &database).unwrap();
            continue;
        }
        let record = sender.seal(&key(), b"", rng).unwrap();
        database = record.as_bytes().to_vec();
        let stored = record.stored();
        for held in held {
            let message = held.release(&stored).unwrap();
            assert!(sent.insert(GroupHeader::of(&message).unwrap().iteration), "a key is used twice");
            assert_eq!(receiver.decrypt(&message).unwrap(), b"teks");
        }
    }
    let number = |message: &[u8]| GroupHeader::of(message).unwrap().iteration;
    let unsafe_message = sender.encrypt(b"teks", rng).unwrap();
    let after_crash = GroupSender::unseal(&key(), b"", &database).unwrap().encrypt(b"teks", rng).unwrap();
    assert_eq!(number(&unsafe_message), number(&after_crash), "the control: sent before it was stored");
}

#[test]
fn a_held_message_of_a_group_needs_the_proof_of_its_own_sender_key() {
    let rng = &mut StdRng::seed_from_u64(5);
    let (mut sender, receiver) = group(5);
    let (mut other, _) = group(6);
    let early = sender.seal(&key(), b"", rng).unwrap().stored();
    let held = sender.encrypt_held(b"tunggu", rng).unwrap();
    for _ in 0..20 {
        other.encrypt(b"", rng).unwrap();
    }
    assert_eq!(GroupHeader::of(held.for_outbox()).unwrap().iteration, 0);
    let held = held.release(&early).unwrap_err();
    let held = held.release(&other.seal(&key(), b"", rng).unwrap().stored()).unwrap_err();
    let held = held.release(&GroupReceiver::new().seal(&key(), b"", rng).unwrap().stored()).unwrap_err();
    let mut receiver = receiver;
    let message = held.release(&sender.seal(&key(), b"", rng).unwrap().stored()).unwrap();
    assert_eq!(receiver.decrypt(&message).unwrap(), b"tunggu");
}

#[test]
fn many_received_messages_of_a_group_are_released_against_one_record() {
    let rng = &mut StdRng::seed_from_u64(7);
    let (mut sender, mut receiver) = group(7);
    let (_, mut stranger) = group(8);
    let messages: Vec<_> = (0..6_u8).map(|number| sender.encrypt(&[number], rng).unwrap()).collect();
    // A new sender key in between: the record holds both, and covers messages under either.
    let mut renewed = GroupSender::generate(SenderKeyFormat::WhatsApp, rng);
    let under_renewed = renewed.encrypt(&[6], rng).unwrap();
    let early = receiver.seal(&key(), b"", rng).unwrap().stored();
    let mut held: Vec<_> = [4, 1, 5, 0].map(|at: usize| (at, receiver.decrypt_held(&messages[at]).unwrap())).into();
    receiver.process(&GroupSender::generate(SenderKeyFormat::WhatsApp, rng).distribution());
    let mut forgetful = GroupReceiver::new();
    forgetful.process(&renewed.distribution());
    assert_eq!(forgetful.decrypt_held(&under_renewed).unwrap_err(), GroupDecryptError::NotDistributed);
    held.push((2, receiver.decrypt_held(&messages[2]).unwrap()));
    let of_stranger = stranger.seal(&key(), b"", rng).unwrap().stored();
    let record = receiver.seal(&key(), b"", rng).unwrap();
    let database = record.as_bytes().to_vec();
    let stored = record.stored();
    for (at, held) in held {
        let held = held.release(&early).unwrap_err().release(&of_stranger).unwrap_err();
        assert_eq!(held.release(&stored).unwrap(), [u8::try_from(at).unwrap()]);
    }
    let mut restored = GroupReceiver::unseal(&key(), b"", &database).unwrap();
    assert_eq!(restored.decrypt(&messages[5]), Err(GroupDecryptError::Replayed));
    assert_eq!(restored.decrypt(&messages[3]).unwrap(), [3]);
}

#[test]
fn a_failed_held_decryption_leaves_the_receiver_unchanged() {
    let rng = &mut StdRng::seed_from_u64(9);
    let (mut sender, mut receiver) = group(9);
    let read = sender.encrypt(b"sudah", rng).unwrap();
    receiver.decrypt(&read).unwrap();
    let next = sender.encrypt(b"berikut", rng).unwrap();
    let mut forged = next.clone();
    *forged.last_mut().unwrap() ^= 1;
    let (mut other, _) = group(10);
    let unknown = other.encrypt(b"asing", rng).unwrap();
    let before = group_image(&mut receiver);
    for (message, error) in [
        (&forged, GroupDecryptError::Rejected),
        (&read, GroupDecryptError::Replayed),
        (&unknown, GroupDecryptError::UnknownKey),
    ] {
        assert_eq!(receiver.decrypt_held(message).unwrap_err(), error);
        assert_eq!(receiver.stage(message).unwrap_err(), error);
        assert_eq!(group_image(&mut receiver), before);
    }
    assert_eq!(receiver.decrypt_held(&next).unwrap().for_inbox(), b"berikut");
}

/// In order, after a gap, and with a skipped key.
#[test]
fn a_staged_group_message_seals_the_state_its_commit_leaves() {
    let rng = &mut StdRng::seed_from_u64(11);
    let (mut sender, mut receiver) = group(11);
    let messages: Vec<_> = (0..4_u8).map(|number| sender.encrypt(&[number], rng).unwrap()).collect();
    for at in [0, 3, 1_usize] {
        let before = group_image(&mut receiver);
        drop(receiver.stage(&messages[at]).unwrap());
        assert_eq!(group_image(&mut receiver), before, "a dropped message changes nothing");
        let mut staged = receiver.stage(&messages[at]).unwrap();
        let record = staged.seal(&key(), b"", &mut ConstantRng(0)).unwrap();
        assert_eq!(staged.plaintext(), [u8::try_from(at).unwrap()]);
        assert_eq!(staged.commit(), [u8::try_from(at).unwrap()]);
        assert_eq!(record.revision(), receiver.revision());
        assert!(record.as_bytes() == group_image(&mut receiver), "the record is not what the commit left");
    }
}

/// Both sides have the base key of each state, and the peer's record may be far ahead.
#[test]
fn the_record_of_the_peer_releases_nothing() {
    let (mut a, mut b) = pair();
    let held = a.session().encrypt_held(b"tunggu", &mut rand::rng()).unwrap();
    let message = b.write(b"hai");
    let received = a.session().decrypt_held(&message).unwrap();
    for _ in 0..20 {
        b.write(b"");
    }
    assert!(b.session().revision() > a.session().revision());
    let of_b = seal(b.session()).stored();
    let held = held.release(&of_b).expect_err("the record of the peer");
    let received = received.release(&of_b).expect_err("the record of the peer");
    let stored = seal(a.session()).stored();
    assert!(held.release(&stored).is_ok());
    assert_eq!(received.release(&stored).unwrap(), b"hai");
}

/// Two workers that open one record: if the record of one released the message of the other, a key and an
/// initialisation vector would be used twice.
#[test]
fn the_record_of_another_worker_releases_nothing() {
    let (mut a, _) = pair();
    let database = seal(a.session()).into_bytes();
    let (mut first, mut second) = (reload(&database), reload(&database));
    let held = first.encrypt_held(b"tunggu", &mut rand::rng()).unwrap();
    for _ in 0..5 {
        second.encrypt(b"", &mut rand::rng()).unwrap();
    }
    let held = held.release(&seal(&mut second).stored()).expect_err("a record without this message");
    assert!(held.release(&seal(&mut first).stored()).is_ok());
}

/// A distribution of the peer can carry any signing key that is a point: here, one that begins with the id of a native
/// session of the receiver.
#[test]
fn a_distribution_that_imitates_a_native_session_releases_nothing_of_it() {
    let (rng, now) = (&mut StdRng::seed_from_u64(12), Timestamp::from_unix_seconds(1_800_000_000));
    let bundle = PreKeys::generate(&Identity::generate(rng), now, rng).bundle();
    let bundle = bundle.verify(bisik::Trust::OnFirstUse, now).unwrap();
    let mut alice = bisik::Session::initiate(&Identity::generate(rng), &bundle, now, rng).unwrap();
    let held = alice.encrypt_held(b"tunggu", rng).unwrap();
    let mut receiver = GroupReceiver::new();
    for _ in 0..20 {
        receiver.process(&GroupSender::generate(SenderKeyFormat::WhatsApp, rng).distribution());
    }
    let mut bytes = GroupSender::generate(SenderKeyFormat::WhatsApp, rng).distribution().to_bytes();
    let signing = bytes.len() - 32;
    bytes[signing..signing + 16].copy_from_slice(alice.id());
    let imitation = (0..=255).find_map(|last| {
        bytes[signing + 16] = last;
        Distribution::from_bytes(&bytes).ok()
    });
    receiver.process(&imitation.unwrap());
    assert!(receiver.revision() > alice.revision());
    assert!(held.release(&receiver.seal(&key(), b"", rng).unwrap().stored()).is_err());
}

/// A member can send one distribution in two groups: the two receivers then have equal states.
#[test]
fn one_distribution_in_two_groups_makes_two_receivers() {
    let rng = &mut StdRng::seed_from_u64(13);
    let (mut sender, mut receiver) = group(13);
    let mut in_another_group = GroupReceiver::new();
    in_another_group.process(&sender.distribution());
    let messages: Vec<_> = (0..3_u8).map(|number| sender.encrypt(&[number], rng).unwrap()).collect();
    let held = receiver.decrypt_held(&messages[0]).unwrap();
    for message in &messages {
        in_another_group.decrypt(message).unwrap();
    }
    let stored = in_another_group.seal(&key(), b"", rng).unwrap().stored();
    let held = held.release(&stored).expect_err("the record of another group");
    assert_eq!(held.release(&receiver.seal(&key(), b"", rng).unwrap().stored()).unwrap(), [0]);
}

/// The same sender key on both sides: what the sender holds needs the sender's own record.
#[test]
fn the_record_of_a_receiver_releases_nothing_of_the_sender() {
    let rng = &mut StdRng::seed_from_u64(14);
    let (mut sender, mut receiver) = group(14);
    let held = sender.encrypt_held(b"tunggu", rng).unwrap();
    for _ in 0..5 {
        receiver.decrypt(&sender.encrypt(b"", rng).unwrap()).unwrap();
    }
    let held = held.release(&receiver.seal(&key(), b"", rng).unwrap().stored()).expect_err("the record of a receiver");
    assert_eq!(
        receiver.decrypt(&held.release(&sender.seal(&key(), b"", rng).unwrap().stored()).unwrap()).unwrap(),
        b"tunggu"
    );
}

/// The sender key of a held message may be discarded before the record is sealed.
#[test]
fn a_held_message_of_a_group_outlives_its_sender_key() {
    let rng = &mut StdRng::seed_from_u64(15);
    let (mut sender, mut receiver) = group(15);
    let message = sender.encrypt(b"masih ada", rng).unwrap();
    let held = receiver.decrypt_held(&message).unwrap();
    for _ in 0..5 {
        receiver.process(&GroupSender::generate(SenderKeyFormat::WhatsApp, rng).distribution());
    }
    assert_eq!(receiver.decrypt(&message).unwrap_err(), GroupDecryptError::UnknownKey, "its key is gone");
    let record = receiver.seal(&key(), b"", rng).unwrap();
    assert_eq!(held.release(&record.stored()).unwrap(), b"masih ada");
}

/// The state of a held message may be discarded before the record is sealed.
#[test]
fn a_held_message_outlives_its_state() {
    let (mut a, mut b) = pair();
    let message = a.write(b"masih ada");
    let received = b.session().decrypt_held(&message).unwrap();
    let written = b.session().encrypt_held(b"juga", &mut rand::rng()).unwrap();
    for _ in 0..41 {
        a.initiate(&b, true);
        let first = a.write(b"");
        b.read(&first).unwrap();
    }
    assert_eq!(b.session().decrypt(&message).unwrap_err(), DecryptError::Rejected, "its state is gone");
    let stored = seal(b.session()).stored();
    assert_eq!(received.release(&stored).unwrap(), b"masih ada");
    assert!(written.release(&stored).is_ok());
}

/// A staged message seals the state in which earlier messages are held.
#[test]
fn the_record_of_a_staged_message_releases_what_was_held_before_it() {
    let (mut a, mut b) = pair();
    let held = a.session().encrypt_held(b"tunggu", &mut rand::rng()).unwrap();
    let message = b.write(b"hai");
    let mut staged = a.session().stage(&message).unwrap();
    let stored = staged.seal(&key(), b"image", &mut ConstantRng(0)).unwrap().stored();
    assert_eq!(staged.commit(), b"hai");
    assert_eq!(b.read(&held.release(&stored).unwrap()).unwrap(), b"tunggu");

    let rng = &mut StdRng::seed_from_u64(17);
    let (mut sender, mut receiver) = group(17);
    let [first, second] = [b"1", b"2"].map(|text| sender.encrypt(text, rng).unwrap());
    let held = receiver.decrypt_held(&first).unwrap();
    let stored = receiver.stage(&second).unwrap().seal(&key(), b"", rng).unwrap().stored();
    assert_eq!(held.release(&stored).unwrap(), b"1");
}

fn other_key() -> StorageKey {
    StorageKey::from_bytes([2; 32])
}

/// A record under a key that nobody keeps cannot be opened, so that it proves nothing; a move says that it is meant.
#[test]
fn records_are_under_one_key_until_the_caller_moves_them() {
    let (mut a, mut b) = pair();
    let rng = &mut StdRng::seed_from_u64(16);
    let before = seal(a.session()).revision();
    let message = b.write(b"hai");
    let held = a.session().encrypt_held(b"tunggu", rng).unwrap();
    let wrong = a.session().stage(&message).unwrap().seal(&other_key(), b"image", rng);
    assert_eq!(wrong.unwrap_err(), SealError::WrongKey);
    assert_eq!(a.session().seal(&other_key(), b"image", rng).unwrap_err(), SealError::WrongKey);
    a.session().move_to_key(&other_key());
    let record = a.session().seal(&other_key(), b"image", rng).unwrap();
    assert!(record.revision() > before + 1, "a move is a change, and a refused key is none");
    let mut loaded = Session::unseal(&other_key(), b"image", record.as_bytes()).unwrap();
    assert_eq!(loaded.seal(&key(), b"image", rng).unwrap_err(), SealError::WrongKey);
    assert!(held.release(&record.stored()).is_ok());

    let (mut sender, mut receiver) = group(16);
    for _ in 0..2 {
        let held = sender.encrypt_held(b"hai", rng).unwrap();
        let record = sender.seal(&key(), b"", rng).unwrap();
        assert_eq!(sender.seal(&other_key(), b"", rng).unwrap_err(), SealError::WrongKey);
        sender = GroupSender::unseal(&key(), b"", record.as_bytes()).unwrap();
        let message = held.release(&record.stored()).unwrap();
        let held = receiver.decrypt_held(&message).unwrap();
        let record = receiver.seal(&key(), b"", rng).unwrap();
        assert_eq!(receiver.seal(&other_key(), b"", rng).unwrap_err(), SealError::WrongKey);
        receiver = GroupReceiver::unseal(&key(), b"", record.as_bytes()).unwrap();
        assert!(held.release(&record.stored()).is_ok());
    }
    let revisions = (sender.revision(), receiver.revision());
    sender.move_to_key(&other_key());
    receiver.move_to_key(&other_key());
    let sealed = (sender.seal(&other_key(), b"", rng).unwrap(), receiver.seal(&other_key(), b"", rng).unwrap());
    assert_eq!((sealed.0.revision(), sealed.1.revision()), (revisions.0 + 1, revisions.1 + 1));
}

/// The record of the dropped message may be in the database: a later record of the state would bring its key back.
#[test]
fn a_staged_message_that_was_sealed_and_dropped_poisons_the_session_until_it_is_loaded() {
    let (mut a, mut b) = pair();
    let message = b.write(b"hai");
    let before = seal(a.session()).into_bytes();
    let rng = &mut StdRng::seed_from_u64(17);
    let bundle = b.keys.bundle(&b.identity, 0, None).unwrap().verify(Trust::OnFirstUse).unwrap();
    let (identity, keys) = (&a.identity, &a.keys);
    for forgets in [false, true] {
        let mut poisoned = reload(&before);
        let mut staged = poisoned.stage(&message).unwrap();
        drop(staged.seal(&key(), b"image", &mut ConstantRng(0)).unwrap());
        if forgets {
            std::mem::forget(staged)
        } else {
            drop(staged)
        }
        assert_eq!(poisoned.encrypt(b"", rng).unwrap_err(), EncryptError::Poisoned);
        assert_eq!(poisoned.encrypt_held(b"", rng).unwrap_err(), EncryptError::Poisoned);
        assert_eq!(poisoned.decrypt(&message).unwrap_err(), DecryptError::Poisoned);
        assert_eq!(poisoned.decrypt_held(&message).unwrap_err(), DecryptError::Poisoned);
        assert_eq!(poisoned.stage(&message).unwrap_err(), DecryptError::Poisoned);
        assert_eq!(poisoned.seal(&key(), b"image", rng).unwrap_err(), SealError::Poisoned);
        assert_eq!(poisoned.reinitiate(identity, &bundle, rng).unwrap_err(), InitiateError::Poisoned);
        assert_eq!(poisoned.accept_reinitiated(identity, keys, &message).unwrap_err(), AcceptError::Poisoned);
        assert_eq!(reload(&before).decrypt(&message).unwrap(), b"hai");
    }
}

#[test]
fn a_staged_group_message_that_was_sealed_and_dropped_poisons_the_receiver_until_it_is_loaded() {
    let rng = &mut StdRng::seed_from_u64(18);
    let (mut sender, mut poisoned) = group(18);
    let message = sender.encrypt(b"hai", rng).unwrap();
    let before = group_image(&mut poisoned);
    let mut staged = poisoned.stage(&message).unwrap();
    let record = staged.seal(&key(), b"", rng).unwrap();
    drop(staged);
    assert_eq!(poisoned.decrypt(&message).unwrap_err(), GroupDecryptError::Poisoned);
    assert_eq!(poisoned.decrypt_held(&message).unwrap_err(), GroupDecryptError::Poisoned);
    assert_eq!(poisoned.stage(&message).unwrap_err(), GroupDecryptError::Poisoned);
    assert_eq!(poisoned.seal(&key(), b"", rng).unwrap_err(), SealError::Poisoned);
    let load = |record| GroupReceiver::unseal(&key(), b"", record).unwrap();
    assert_eq!(load(&before).decrypt(&message).unwrap(), b"hai");
    assert_eq!(load(record.as_bytes()).decrypt(&message).unwrap_err(), GroupDecryptError::Replayed);
}
