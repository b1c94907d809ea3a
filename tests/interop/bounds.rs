//! Limits: each is reached, and one more is refused or drops the oldest.
//!
//! The numbers are those of docs/interop.md, written out here rather than taken from the library.

use bisik::interop::signal::{
    AcceptError, BundleError, Ciphertext, DecryptError, Identity, KeyPair, MessageKind, PreKeys, PreKeysError, Session,
    Trust,
};

use super::forged::whisper;
use super::pair::{Device, image, pair};

/// S-6.1
#[test]
fn skipped_messages_in_one_gap_are_bounded() {
    let (mut a, mut b) = pair();
    let first = a.write(b"first");
    b.read(&first).unwrap();
    for _ in 0..25_000 {
        let _ = a.write(b"");
    }
    let (last, beyond) = (a.write(b"last"), a.write(b"beyond"));
    let before = b.image();
    assert_eq!(b.read(&beyond), Err(DecryptError::TooFarAhead));
    assert_eq!(b.image(), before);
    assert_eq!(b.read(&last).unwrap(), b"last");
    assert_eq!(b.session().skipped_keys(), 2_000);
    assert_eq!(b.read(&beyond).unwrap(), b"beyond");
}

/// S-6.1, S-6.5. 41 unanswered states share 25,000 steps: 609 for each.
#[test]
fn the_work_for_a_forged_message_is_bounded_over_all_states() {
    let (mut a, mut b) = (Device::new(), Device::new());
    let mut oldest = None;
    for state in 0..41_u8 {
        a.initiate(&b, false);
        let hello = a.write(&[state]);
        assert_eq!(b.read(&hello).unwrap(), [state]);
        let answer = b.write(&[state]);
        oldest.get_or_insert((copy(a.session()), answer));
    }
    assert_eq!(b.session().archived(), 40);
    let before = b.image();
    let stranger = KeyPair::generate(&mut rand::rng()).public();
    for (counter, error) in [
        (0, DecryptError::Rejected),
        (609, DecryptError::Rejected),
        (610, DecryptError::TooFarAhead),
        (25_000, DecryptError::TooFarAhead),
        (u32::MAX, DecryptError::TooFarAhead),
    ] {
        let forged = Ciphertext::from_parts(MessageKind::Whisper, &whisper(&stranger, counter, 0, 16)).unwrap();
        assert_eq!(b.session().decrypt(&forged), Err(error), "{counter}");
    }
    assert_eq!(b.image(), before);
    // The genuine message is in the last of them.
    let (mut a, answer) = oldest.unwrap();
    a.decrypt(&answer).unwrap();
    let rng = &mut rand::rng();
    for _ in 0..609 {
        let _ = a.encrypt(b"", rng).unwrap();
    }
    let late = a.encrypt(b"late", rng).unwrap();
    assert_eq!(b.read(&late).unwrap(), b"late");
}

fn copy(session: &mut Session) -> Session {
    Session::unseal(&bisik::StorageKey::from_bytes([1; 32]), b"image", &image(session)).unwrap()
}

/// S-5.5. A peer steps only after a reply. If none was written since its last step, no step is tried.
#[test]
fn no_work_is_done_for_an_impossible_ratchet_step() {
    let (mut a, mut b) = pair();
    let message = a.write(b"unanswered");
    b.read(&message).unwrap();
    let stranger = KeyPair::generate(&mut rand::rng()).public();
    let forged = Ciphertext::from_parts(MessageKind::Whisper, &whisper(&stranger, u32::MAX, 0, 16)).unwrap();
    assert_eq!(b.session().decrypt(&forged), Err(DecryptError::Rejected));
    let _ = b.write(b"answer");
    assert_eq!(b.session().decrypt(&forged), Err(DecryptError::TooFarAhead));
}

/// S-6.2. Of 2,100 skipped keys in one gap, the newest 2,000 are kept.
#[test]
fn a_chain_keeps_the_newest_skipped_keys() {
    let (mut a, mut b) = pair();
    let messages: Vec<_> = (0..2_100_u16).map(|n| a.write(&n.to_be_bytes())).collect();
    let last = a.write(b"last");
    assert_eq!(b.read(&last).unwrap(), b"last");
    for (n, message) in messages.iter().enumerate() {
        let read = b.read(message);
        if n < 100 {
            assert_eq!(read, Err(DecryptError::Replayed));
        } else {
            assert_eq!(read.unwrap(), u16::try_from(n).unwrap().to_be_bytes());
        }
    }
    assert_eq!(b.session().skipped_keys(), 0);
}

/// The limit of a chain also holds for several gaps in it.
#[test]
fn gaps_share_the_skipped_key_bound_of_their_chain() {
    let (mut a, mut b) = pair();
    let mut first = None;
    for _ in 0..5 {
        for _ in 0..500 {
            let skipped = a.write(b"skipped");
            first.get_or_insert(skipped);
        }
        let read = a.write(b"read");
        b.read(&read).unwrap();
    }
    assert_eq!(b.session().skipped_keys(), 2_000);
    assert_eq!(b.read(&first.unwrap()), Err(DecryptError::Replayed));
}

/// S-6.3. Five full chains, and a new state: keys of the new one displace those of the old one.
#[test]
fn a_record_holds_a_bounded_number_of_skipped_keys() {
    let (mut a, mut b) = pair();
    let mut firsts = Vec::new();
    for _ in 0..5 {
        let mut messages: Vec<_> = (0..2_001).map(|_| a.write(b"text")).collect();
        b.read(&messages.pop().unwrap()).unwrap();
        firsts.push(messages.swap_remove(0));
        let answer = b.write(b"answer");
        a.read(&answer).unwrap();
    }
    assert_eq!(b.session().skipped_keys(), 10_000);
    a.initiate(&b, true);
    let kept: Vec<_> = (0..3).map(|_| a.write(b"kept")).collect();
    let hello = a.write(b"hello");
    assert_eq!(b.read(&hello).unwrap(), b"hello");
    assert_eq!(b.session().skipped_keys(), 10_000);
    assert_eq!(b.read(&firsts[0]), Err(DecryptError::Replayed));
    // The same for a gap in an existing state.
    for _ in 0..50 {
        let _ = a.write(b"lost");
    }
    let after = a.write(b"after");
    assert_eq!(b.read(&after).unwrap(), b"after");
    assert_eq!(b.session().skipped_keys(), 10_000);
    for message in kept.iter().chain(&firsts[1..]) {
        b.read(message).unwrap();
    }
}

/// S-3.7, S-6.4. The chain of the first message has ended: the key that was kept of it opens its message, and new keys it
/// gives no more, which is told from a forgery.
#[test]
fn at_most_five_receiving_chains_give_new_keys() {
    let (mut a, mut b) = pair();
    let (mut late, mut last, mut in_time) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..23 {
        late.push(a.write(b"late"));
        in_time.push(a.write(b"in time"));
        last.push(a.write(b"last"));
        b.read(in_time.last().unwrap()).unwrap();
        let answer = b.write(b"answer");
        a.read(&answer).unwrap();
    }
    let before = b.image();
    assert_eq!(b.read(&last[17]), Err(DecryptError::TooLate));
    assert_eq!(b.read(&in_time[17]), Err(DecryptError::TooLate));
    let mut forged = late[0].as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = Ciphertext::from_parts(MessageKind::Whisper, &forged).unwrap();
    assert_eq!(b.read(&forged), Err(DecryptError::Rejected));
    assert_eq!(b.image(), before);
    assert_eq!(b.session().skipped_keys(), 23);
    for message in &late {
        b.session = Some(copy(b.session()));
        assert_eq!(b.read(message).unwrap(), b"late");
    }
    assert_eq!(b.session().skipped_keys(), 0);
    for message in &last[18..] {
        assert_eq!(b.read(message).unwrap(), b"last");
    }
    // Of ended chains without keys, the sixteen newest are remembered.
    assert_eq!(b.read(&last[2]), Err(DecryptError::TooLate));
    assert_eq!(b.read(&last[1]), Err(DecryptError::Rejected));
}

/// S-6.3. The keys of ended chains share the bound, and go first.
#[test]
fn keys_of_ended_chains_stay_within_the_bound() {
    let (mut a, mut b) = pair();
    let mut firsts = Vec::new();
    for _ in 0..7 {
        let mut messages: Vec<_> = (0..2_001).map(|_| a.write(b"text")).collect();
        b.read(&messages.pop().unwrap()).unwrap();
        firsts.push(messages.swap_remove(1_999));
        let answer = b.write(b"answer");
        a.read(&answer).unwrap();
    }
    assert_eq!(b.session().skipped_keys(), 10_000);
    assert_eq!(b.read(&firsts[1]), Err(DecryptError::TooLate));
    for message in &firsts[2..] {
        b.read(message).unwrap();
    }
}

/// S-6.5
#[test]
fn at_most_forty_states_are_archived() {
    let (mut a, mut b) = (Device::new(), Device::new());
    let mut late = Vec::new();
    for _ in 0..42 {
        a.initiate(&b, false);
        late.push(a.write(b"late"));
        let hello = a.write(b"hello");
        b.read(&hello).unwrap();
    }
    assert_eq!((a.session().archived(), b.session().archived()), (40, 40));
    // The first state was dropped, and its pre-key messages are remembered.
    let message = &late[0];
    assert_eq!(b.session().decrypt(message), Err(DecryptError::OpensNewSession));
    let (identity, keys) = (&b.identity, &b.keys);
    let again = b.session.as_mut().unwrap().accept_reinitiated(identity, keys, message).map(drop);
    assert_eq!(again, Err(AcceptError::Replayed));
    for message in &late[1..] {
        assert_eq!(b.read(message).unwrap(), b"late");
    }
}

/// S-6.7, S-6.8
#[test]
fn pre_keys_are_bounded() {
    let rng = &mut rand::rng();
    let (mut a, mut b) = (Device::new(), Device::new());
    assert_eq!(b.keys.replenish(1_001, rng), Err(PreKeysError::Full));
    assert_eq!(b.keys.replenish(900, rng).unwrap(), (101..=1_000).collect::<Vec<_>>());
    assert_eq!(b.keys.insert_one_time(5_000, KeyPair::generate(rng)), Err(PreKeysError::Full));
    assert_eq!(b.keys.bundle(&b.identity, 0, Some(1_001)), Err(PreKeysError::UnknownPreKey));
    assert_eq!(b.keys.bundle(&a.identity, 0, None), Err(PreKeysError::WrongIdentity));
    assert_eq!(b.keys.insert_signed(&b.identity, 1, KeyPair::generate(rng), rng), Err(PreKeysError::IdTaken));
    a.initiate(&b, false);
    let message = a.write(b"hello");
    for id in 2..=8 {
        assert_eq!(b.keys.rotate(&b.identity, rng), Ok(id));
    }
    let accept = |b: &Device| Session::accept(&b.identity, &b.keys, &message, Trust::OnFirstUse).map(drop);
    assert_eq!(accept(&b), Ok(()));
    b.keys.rotate(&b.identity, rng).unwrap();
    assert_eq!(accept(&b), Err(AcceptError::UnknownPreKey));
}

/// S-6.8, S-6.9. Somebody fills the memory of one signed pre-key after another, to have older ones forgotten.
#[test]
fn a_signed_pre_key_that_is_full_goes_before_older_ones() {
    let rng = &mut rand::rng();
    let (mut a, mut b) = (Device::new(), Device::new());
    a.initiate(&b, false);
    let message = a.write(b"hello");
    let mut fill = |b: &mut Device| {
        let bundle = b.keys.bundle(&b.identity, 0, None).unwrap().verify(Trust::OnFirstUse).unwrap();
        let mallory = Identity::generate(rng);
        for _ in 0..1_024 {
            let first = Session::initiate(&mallory, &bundle, rng).unwrap().encrypt(b"", rng).unwrap();
            let used = Session::accept(&b.identity, &b.keys, &first, Trust::OnFirstUse).unwrap().used;
            b.keys.remove(used);
        }
        b.keys.rotate(&b.identity, rng).unwrap();
    };
    for _ in 0..7 {
        b.keys.rotate(&b.identity, &mut rand::rng()).unwrap();
    }
    for _ in 0..2 {
        fill(&mut b);
    }
    assert!(Session::accept(&b.identity, &b.keys, &message, Trust::OnFirstUse).is_ok(), "one place was filled anew");
}

/// S-6.7. An attacker fetches all bundles and never sends.
#[test]
fn unused_one_time_pre_keys_make_room_for_new_ones() {
    let rng = &mut rand::rng();
    let mut b = Device::new();
    let mut newest = Vec::new();
    for _ in 0..12 {
        newest = b.keys.replenish(400, rng).unwrap();
        assert!(b.keys.stock() <= PreKeys::MAX_ONE_TIME);
    }
    assert_eq!(b.keys.stock(), PreKeys::MAX_ONE_TIME);
    assert!(newest.iter().all(|id| b.keys.one_time(*id).is_some()) && b.keys.one_time(1).is_none());
    assert!(b.keys.remove_one_time(newest[0]) && !b.keys.remove_one_time(newest[0]));
    b.keys.insert_signed(&b.identity, 3, KeyPair::generate(rng), rng).unwrap();
    b.keys.insert_signed(&b.identity, 2, KeyPair::generate(rng), rng).unwrap();
    assert_eq!(b.keys.rotate(&b.identity, rng), Ok(4), "ids in use are skipped");
}

/// S-6.1, S-6.6. Unknown fields are covered by the tag too, so a forger could make them any length.
#[test]
fn a_message_with_excess_unknown_fields_is_refused() {
    let (mut a, mut b) = pair();
    let message = a.write(b"hello");
    let (fields, mac) = message.as_bytes().split_at(message.as_bytes().len() - 8);
    // Field 15, uselessly long.
    let padded = [fields, &[0x7a, 0x80, 0x10], &[0; 2_048], mac].concat();
    assert!(Ciphertext::from_parts(MessageKind::Whisper, &padded).is_err());
    let short = [fields, &[0x7a, 0x10], &[0; 16], mac].concat();
    let short = Ciphertext::from_parts(MessageKind::Whisper, &short).unwrap();
    assert_eq!(b.session().decrypt(&short), Err(DecryptError::Rejected), "the tag covers it");
    assert_eq!(b.read(&message).unwrap(), b"hello");
}

/// S-2.5, S-6.9
#[test]
fn a_signed_pre_key_with_a_full_replay_cache_accepts_no_session() {
    let rng = &mut rand::rng();
    let mut b = Device::new();
    let bundle = b.keys.bundle(&b.identity, 0, None).unwrap().verify(Trust::OnFirstUse).unwrap();
    let mut messages = Vec::new();
    for _ in 0..1_024 {
        let mut session = Session::initiate(&Identity::generate(rng), &bundle, rng).unwrap();
        messages.push(session.encrypt(b"", rng).unwrap());
        let accepted = Session::accept(&b.identity, &b.keys, messages.last().unwrap(), Trust::OnFirstUse).unwrap();
        b.keys.remove(accepted.used);
        b.keys.remove(accepted.used);
    }
    let accept = |b: &Device, message| Session::accept(&b.identity, &b.keys, message, Trust::OnFirstUse).map(drop);
    assert_eq!(accept(&b, &messages[0]), Err(AcceptError::Replayed));
    assert_eq!(accept(&b, &messages[1_023]), Err(AcceptError::Replayed));
    let mut a = Device::new();
    a.initiate(&b, false);
    let more = a.write(b"more");
    assert_eq!(accept(&b, &more), Err(AcceptError::ReplayCacheFull));
    a.session = None;
    a.initiate(&b, true);
    let with_one_time = a.write(b"with a one-time pre-key");
    assert_eq!(accept(&b, &with_one_time), Ok(()));
    b.keys.rotate(&b.identity, rng).unwrap();
    a.session = None;
    a.initiate(&b, false);
    let new = a.write(b"with the new signed pre-key");
    assert_eq!(accept(&b, &new), Ok(()));
    assert_eq!(accept(&b, &messages[0]), Err(AcceptError::Replayed), "still");
}

/// S-2.1
#[test]
fn a_bundle_is_verified_before_a_session_begins() {
    let rng = &mut rand::rng();
    let (bob, mallory) = (Device::new(), Device::new());
    let bundle = bob.keys.bundle(&bob.identity, 0, Some(1)).unwrap();
    assert!(bundle.verify(Trust::OnFirstUse).is_ok());
    for bit in 0..512 {
        let mut forged = bundle;
        forged.signed.signature[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(forged.verify(Trust::OnFirstUse).unwrap_err(), BundleError::BadSignature, "bit {bit}");
    }
    let mut other_key = bundle;
    other_key.signed.key = KeyPair::generate(rng).public();
    assert_eq!(other_key.verify(Trust::OnFirstUse).unwrap_err(), BundleError::BadSignature);
    let mut other_owner = bundle;
    other_owner.identity = mallory.identity.public();
    assert_eq!(other_owner.verify(Trust::OnFirstUse).unwrap_err(), BundleError::BadSignature);
    let pinned = bundle.verify(Trust::Pinned(&mallory.identity.public()));
    assert_eq!(pinned.unwrap_err(), BundleError::IdentityMismatch);
    let own = PreKeys::generate(&bob.identity, rng).bundle(&bob.identity, 0, None).unwrap();
    let own = own.verify(Trust::OnFirstUse).unwrap();
    assert!(Session::initiate(&bob.identity, &own, rng).is_err());
}
