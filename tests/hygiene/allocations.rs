//! Allocations per message: a limit on work that, unlike time, is the same on every machine.
//!
//! Time is measured by benches/versus and benches/rejected.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use allocation_counter::measure;
use std::sync::LazyLock;

use bisik::{Accepted, Ciphertext, DecryptError, Identity, Plaintext, PreKeys, Session, Timestamp, Trust};

/// Most messages: the braid mostly copies a chunk. Where it decodes a text or makes chunks beyond one, it takes more.
#[test]
fn most_messages_take_two_allocations_each_way_and_none_takes_many() {
    let (mut writer, mut reader) = established();
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for round in 0..400 {
        let (plaintext, mut message) = (vec![7; [0, 32, 1 << 10, 64 << 10][round % 4]], Vec::new());
        // The first message of a turn makes a step, which is not measured.
        for measured in [false, true, true] {
            let encrypted = measure(|| message = writer.encrypt(&plaintext, &mut rand::rng()).unwrap().into_bytes());
            let decrypted = measure(|| assert_eq!(decrypt(&mut reader, &message).unwrap(), plaintext));
            if measured {
                there.push(encrypted.count_total);
                back.push(decrypted.count_total);
            }
        }
        std::mem::swap(&mut writer, &mut reader);
    }
    assert!(writer.post_quantum_age().epoch >= 4, "every state of the braid was seen");
    for counts in [&mut there, &mut back] {
        counts.sort_unstable();
        let (usual, most) = (counts[counts.len() / 2], counts[counts.len() - 1]);
        assert!(usual <= 2, "half take {usual} allocations or fewer");
        assert!(most <= MOST, "one takes {most} allocations");
    }
}

/// For a whole text of the braid: its chunks, the interpolation, and the key encapsulation.
const MOST: u64 = 40;

#[cfg(feature = "interop")]
#[test]
fn an_interop_message_takes_one_allocation_to_encrypt_two_to_decrypt() {
    use bisik::interop::signal::{Ciphertext, Identity, PreKeys, Session, Trust};
    let rng = &mut rand::rng();
    let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
    let keys = PreKeys::generate(&bob, rng);
    let bundle = keys.bundle(&bob, 0, None).unwrap().verify(Trust::OnFirstUse).unwrap();
    let mut reader = Session::initiate(&alice, &bundle, rng).unwrap();
    let hello = reader.encrypt(b"hello", rng).unwrap();
    let mut writer = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse).unwrap().session;
    reader.decrypt(&writer.encrypt(b"answer", rng).unwrap()).unwrap();
    for length in [0, 32, 1 << 10, 64 << 10] {
        let (plaintext, mut message) = (vec![7; length], None);
        assert_at_most(1, || message = Some(writer.encrypt(&plaintext, &mut rand::rng()).unwrap()), "encrypt");
        let message = message.unwrap();
        let read = || {
            let message = Ciphertext::from_parts(message.kind(), message.as_bytes()).unwrap();
            assert_eq!(reader.decrypt(&message).unwrap(), plaintext);
        };
        assert_at_most(2, read, "decrypt");
    }
    // A message that claims to be far ahead costs its one copy, and no memory for the skipped messages.
    let far = (0..1_000).map(|_| writer.encrypt(b"", rng).unwrap()).last().unwrap();
    let mut forged = far.as_bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let refused = || assert!(reader.decrypt(&Ciphertext::from_parts(far.kind(), &forged).unwrap()).is_err());
    assert_at_most(1, refused, "forged");
    reader.decrypt(&far).unwrap();
}

#[test]
fn an_out_of_order_message_takes_at_most_two_allocations_but_where_the_braid_completes_a_text() {
    let (mut writer, mut reader) = established();
    let messages: Vec<_> = (0..100).map(|_| encrypt(&mut writer)).collect();
    decrypt(&mut reader, &messages[99]).unwrap();
    let mut more = 0;
    for late in messages[..99].iter().rev() {
        more += u32::from(measure(|| drop(decrypt(&mut reader, late).unwrap())).count_total > 2);
    }
    // The first chunks of a text grow the memory for them; the last one is decoded with them.
    assert!(more <= 4, "{more} late messages take more");
}

#[test]
fn a_refused_message_takes_one_allocation() {
    let (mut writer, mut reader) = with_five_chains();
    let read = encrypt(&mut writer);
    decrypt(&mut reader, &read).unwrap();
    let expected = encrypt(&mut writer);
    let far = (0..1_000).map(|_| encrypt(&mut writer)).last().unwrap();

    for (message, why) in [(&expected, "expected"), (&far, "far ahead"), (&read, "read before")] {
        for at in [1, 20, 105, message.len() - 20, message.len() - 1] {
            let mut forged = message.clone();
            forged[at] ^= 1;
            let refused = || assert_eq!(decrypt(&mut reader, &forged), Err(DecryptError::Rejected));
            assert_at_most(1, refused, why);
        }
    }
    assert_at_most(1, || assert_eq!(decrypt(&mut reader, &read), Err(DecryptError::Duplicate)), "replayed");
    assert_eq!(decrypt(&mut reader, &far).unwrap(), PLAINTEXT, "the genuine message can still arrive");
}

#[test]
fn a_first_message_of_another_session_takes_one_allocation_to_refuse() {
    let (_, mut reader) = established();
    let (rng, bob) = (&mut rand::rng(), Identity::generate(&mut rand::rng()));
    let bundle = PreKeys::generate(&bob, NOW, rng).bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let other = encrypt(&mut Session::initiate(&Identity::generate(rng), &bundle, NOW, rng).unwrap());
    let refused = || assert_eq!(decrypt(&mut reader, &other), Err(DecryptError::OpensNewSession));
    assert_at_most(1, refused, "other session");
}

#[track_caller]
fn assert_at_most(bound: u64, work: impl FnOnce(), what: &str) {
    let count = measure(work).count_total;
    assert!(count <= bound, "{what}: {count} allocations, at most {bound}");
}

fn encrypt(session: &mut Session) -> Vec<u8> {
    session.encrypt(PLAINTEXT, &mut rand::rng()).unwrap().into_bytes()
}

/// From the received bytes to the plaintext.
fn decrypt(session: &mut Session, message: &[u8]) -> Result<Vec<u8>, DecryptError> {
    session.decrypt(&ALICE, &Ciphertext::from_bytes(message).unwrap()).map(|decrypted| match decrypted.plaintext {
        Plaintext::Confirmed(plaintext) => plaintext,
        Plaintext::Unconfirmed(plaintext) => plaintext.show_unconfirmed(),
    })
}

/// Whoever initiates.
static ALICE: LazyLock<Identity> = LazyLock::new(|| Identity::generate(&mut rand::rng()));

fn established() -> (Session, Session) {
    let rng = &mut rand::rng();
    let bob = Identity::generate(rng);
    let keys = PreKeys::generate(&bob, NOW, rng);
    let bundle = keys.bundle().verify(Trust::Pinned(bob.public()), NOW).unwrap();
    let mut a = Session::initiate(&ALICE, &bundle, NOW, rng).unwrap();
    let hello = a.encrypt(PLAINTEXT, rng).unwrap();
    let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
    there_and_back(&mut b, &mut a);
    (a, b)
}

/// A reader with five chains, each with messages missing.
fn with_five_chains() -> (Session, Session) {
    let (mut writer, mut reader) = established();
    for _ in 0..5 {
        (0..20).for_each(|_| drop(encrypt(&mut writer)));
        there_and_back(&mut writer, &mut reader);
    }
    (writer, reader)
}

fn there_and_back(first: &mut Session, second: &mut Session) {
    let there = encrypt(first);
    decrypt(second, &there).unwrap();
    let back = encrypt(second);
    decrypt(first, &back).unwrap();
}

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const PLAINTEXT: &[u8] = b"halo";
