//! Sender keys: known answers, out-of-order delivery, limits, and dishonest senders and members.
//!
//! Hostile messages are written by `Hostile` from docs/interop.md, section 11, without the library.
#![allow(clippy::as_conversions, clippy::cast_possible_truncation)]

use std::collections::BTreeSet;

use crate::rng::SeededRng;
use bisik::StorageKey;
use bisik::UnsealError;
use bisik::interop::signal::{
    Distribution, GroupDecryptError, GroupEncryptError, GroupHeader, GroupReceiver, GroupSender, SenderKeyFormat,
};
use bisik::interop::signal::{KeyPair, xeddsa};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use rand::RngExt;
use rand::seq::SliceRandom;
use sha2::Sha256;

use super::known::{Draws, Known};

const NAME: [u8; 16] = [0xd1; 16];

fn formats() -> [SenderKeyFormat; 2] {
    [SenderKeyFormat::WhatsApp, SenderKeyFormat::Signal { distribution: NAME }]
}

/// A sender, and a member who has its distribution.
fn pair(format: SenderKeyFormat, seed: u64) -> (GroupSender, GroupReceiver) {
    let sender = GroupSender::generate(format, &mut SeededRng::new(seed));
    let mut receiver = GroupReceiver::new();
    receiver.process(&told(&sender));
    (sender, receiver)
}

/// The distribution as it arrives in a session between two devices.
fn told(sender: &GroupSender) -> Distribution {
    Distribution::from_bytes(&sender.distribution().to_bytes()).unwrap()
}

/// The whole state in bytes.
fn state(receiver: &mut GroupReceiver) -> Vec<u8> {
    receiver.seal(&StorageKey::from_bytes([1; 32]), b"", &mut SeededRng::new(0)).unwrap().into_bytes()
}

/// Checks that the message is refused with `error`, and the state unchanged.
#[track_caller]
fn refused(receiver: &mut GroupReceiver, message: &[u8], error: GroupDecryptError) {
    let before = state(receiver);
    assert_eq!(receiver.decrypt(message), Err(error));
    assert!(state(receiver) == before, "a refused message changes nothing");
}

/// S-11.1, S-11.2, S-11.3.
#[test]
fn sender_key_messages_match_another_implementation() {
    let blocks = Known::load("sender_key.txt");
    let (made_of, messages) = blocks.split_first().unwrap();
    let id: u32 = made_of.text("id").parse().unwrap();
    let drawn = [(id << 1).to_le_bytes().to_vec(), made_of.hex("chain_key"), made_of.hex("signing_key")].concat();
    let distribution: [u8; 16] = made_of.hex("distribution")[3..19].try_into().unwrap();
    let mut sender = GroupSender::generate(SenderKeyFormat::Signal { distribution }, &mut Draws::listed(&drawn));
    assert_eq!(sender.distribution().to_bytes(), made_of.hex("distribution"));

    let mut receiver = GroupReceiver::new();
    receiver.process(&Distribution::from_bytes(&made_of.hex("distribution")).unwrap());
    assert_eq!(messages.len(), 13);
    for known in messages {
        let (message, result) = (known.hex("message"), receiver.decrypt(&known.hex("message")));
        let delivered = known.text("result") == "delivered";
        assert_eq!(result, if delivered { Ok(known.hex("plaintext")) } else { Err(GroupDecryptError::Replayed) });
        assert_eq!(GroupHeader::of(&message).unwrap().iteration, known.text("iteration").parse::<u32>().unwrap());
    }
    for iteration in 0..12_u32 {
        let known = messages.iter().find(|known| known.text("iteration") == iteration.to_string()).unwrap();
        let draws = &mut Draws::listed(&known.hex("randomness"));
        assert_eq!(sender.encrypt(&known.hex("plaintext"), draws).unwrap(), known.hex("message"));
    }
}

/// S-11.1. The short form lacks the name, and its field numbers are one lower; here made by hand from the long form.
#[test]
fn the_short_distribution_form_omits_only_the_name() {
    let (drawn, signing) = ([vec![0xa6, 0, 0, 0], vec![5; 64]].concat(), [9; 64]);
    let mut short = GroupSender::generate(SenderKeyFormat::WhatsApp, &mut Draws::listed(&drawn));
    let mut long = GroupSender::generate(SenderKeyFormat::Signal { distribution: NAME }, &mut Draws::listed(&drawn));
    let shorten = |long: &[u8]| {
        let mut bytes = vec![0x33];
        bytes.extend_from_slice(&long[19..]);
        // Each tag one field lower.
        for at in [1, 3, 5] {
            bytes[at] -= 8;
        }
        bytes
    };
    let mut expected = shorten(&long.distribution().to_bytes());
    expected[39] -= 8;
    assert_eq!(short.distribution().to_bytes(), expected);

    let longer = long.encrypt(b"halo", &mut Draws::listed(&signing)).unwrap();
    let shorter = short.encrypt(b"halo", &mut Draws::listed(&signing)).unwrap();
    assert_eq!(shorter[..shorter.len() - 64], shorten(&longer[..longer.len() - 64]));
    let header = GroupHeader::of(&shorter).unwrap();
    assert_eq!(header, GroupHeader { format: SenderKeyFormat::WhatsApp, id: 83, iteration: 0 });

    // Neither form is accepted as the other.
    let mut receiver = GroupReceiver::new();
    receiver.process(&told(&long));
    refused(&mut receiver, &shorter, GroupDecryptError::UnknownKey);
}

/// S-11.5, S-11.6.
#[test]
fn a_sender_key_that_advances_by_two_is_accepted() {
    for format in formats() {
        let (mut sender, mut receiver) = pair(format, 1);
        for number in 0..3_000_u32 {
            let message = sender.encrypt(&number.to_le_bytes(), &mut SeededRng::new(2)).unwrap();
            if number % 2 == 0 {
                assert_eq!(receiver.decrypt(&message).unwrap(), number.to_le_bytes());
            }
        }
        assert_eq!(receiver.skipped_keys(), 1_499, "one for every number that was not used");
    }
}

/// S-11.4. A forger gets the same error for every iteration: nothing is derived, and no oracle shows which messages
/// were received.
#[test]
fn the_signature_is_verified_before_the_iteration() {
    let (mut sender, mut receiver) = pair(SenderKeyFormat::WhatsApp, 1);
    let first = sender.encrypt(b"halo", &mut SeededRng::new(2)).unwrap();
    receiver.decrypt(&first).unwrap();
    refused(&mut receiver, &first, GroupDecryptError::Replayed);
    let forger = Hostile::new(&sender, 99);
    for number in [0, 1, 25_001, 25_002, u32::MAX] {
        refused(&mut receiver, &forger.message(number, &[0; 16]), GroupDecryptError::Rejected);
    }
}

/// S-11.9.
#[test]
fn the_skip_and_the_skipped_keys_of_a_sender_key_are_bounded() {
    let hostile = Hostile::new(&GroupSender::generate(SenderKeyFormat::WhatsApp, &mut SeededRng::new(1)), 7);
    let fresh = || {
        let mut receiver = GroupReceiver::new();
        receiver.process(&hostile.distribution(0));
        receiver
    };
    let mut receiver = fresh();
    refused(&mut receiver, &hostile.text(25_001, b"far"), GroupDecryptError::TooFarAhead);
    assert_eq!(receiver.decrypt(&hostile.text(25_000, b"far")).unwrap(), b"far");
    assert_eq!(receiver.skipped_keys(), 2_000);
    refused(&mut receiver, &hostile.text(22_999, b"given up"), GroupDecryptError::TooLate);
    assert_eq!(receiver.decrypt(&hostile.text(23_000, b"oldest")).unwrap(), b"oldest");
    assert_eq!(receiver.decrypt(&hostile.text(24_999, b"newest")).unwrap(), b"newest");
    assert_eq!(receiver.skipped_keys(), 1_998);
    // Several skips keep no more skipped keys than one does: the newest.
    let mut receiver = fresh();
    for number in [1_500, 3_000, 4_500] {
        receiver.decrypt(&hostile.text(number, b"")).unwrap();
    }
    assert_eq!(receiver.skipped_keys(), 2_000);
    refused(&mut receiver, &hostile.text(2_498, b""), GroupDecryptError::TooLate);
    assert!(receiver.decrypt(&hostile.text(2_499, b"")).is_ok());
    assert!(state(&mut receiver).len() < 2_000 * 36 + 160);
}

/// S-11.5. The last iteration is not used, so a chain always has a next one.
#[test]
fn a_sender_key_chain_ends_without_overflow() {
    let hostile = Hostile::new(&GroupSender::generate(SenderKeyFormat::WhatsApp, &mut SeededRng::new(1)), 7);
    let mut receiver = GroupReceiver::new();
    receiver.process(&hostile.distribution(u32::MAX - 1));
    // The chain of this distribution starts at the last iteration.
    let body = hostile.body(0, b"last");
    assert_eq!(receiver.decrypt(&hostile.message(u32::MAX - 1, &body)).unwrap(), b"last");
    refused(&mut receiver, &hostile.message(u32::MAX, &hostile.body(1, b"beyond")), GroupDecryptError::Rejected);
}

/// S-11.10.
#[test]
fn an_overlong_group_message_is_not_encrypted_and_changes_nothing() {
    let (mut sender, mut receiver) = pair(SenderKeyFormat::WhatsApp, 1);
    let long = vec![0; (64 << 20) + 1];
    assert_eq!(sender.encrypt(&long, &mut SeededRng::new(2)), Err(GroupEncryptError::TooLong));
    assert_eq!((sender.iteration(), sender.revision()), (0, 0));
    let message = sender.encrypt(&long[1..], &mut SeededRng::new(2)).unwrap();
    assert!(receiver.decrypt(&message).unwrap() == long[1..]);
}

/// S-11.7, S-11.8.
#[test]
fn five_sender_keys_are_kept_and_the_oldest_is_dropped() {
    let mut receiver = GroupReceiver::new();
    let mut senders: Vec<_> =
        (0..6).map(|seed| GroupSender::generate(SenderKeyFormat::WhatsApp, &mut SeededRng::new(seed))).collect();
    senders.iter().for_each(|sender| receiver.process(&told(sender)));
    assert_eq!(receiver.keys(), 5);
    let messages: Vec<_> =
        senders.iter_mut().map(|sender| sender.encrypt(b"halo", &mut SeededRng::new(9)).unwrap()).collect();
    refused(&mut receiver, &messages[0], GroupDecryptError::UnknownKey);
    for message in &messages[1..] {
        assert_eq!(receiver.decrypt(message).unwrap(), b"halo");
    }
}

/// S-11.7.
#[test]
fn a_repeated_distribution_keeps_the_skipped_keys() {
    let (mut sender, mut receiver) = pair(SenderKeyFormat::WhatsApp, 1);
    let early = told(&sender);
    let messages: Vec<_> = (0..5).map(|_| sender.encrypt(b"halo", &mut SeededRng::new(2)).unwrap()).collect();
    receiver.decrypt(&messages[3]).unwrap();
    let before = state(&mut receiver);
    receiver.process(&early);
    assert!(state(&mut receiver) == before, "nothing changed");
    receiver.process(&told(&sender));
    assert_eq!(receiver.skipped_keys(), 4, "and the message before the later one is still readable");
    refused(&mut receiver, &messages[3], GroupDecryptError::Replayed);
    assert!(receiver.decrypt(&messages[1]).is_ok(), "and the kept keys are still there");

    // Another signing key under the same number is another sender key.
    let other = Hostile::new(&sender, 5);
    receiver.process(&other.distribution(0));
    assert_eq!(receiver.keys(), 1);
    refused(&mut receiver, &messages[2], GroupDecryptError::Rejected);
    assert_eq!(receiver.decrypt(&other.text(0, b"halo")).unwrap(), b"halo");
}

/// S-11.7. A member who is too far behind asks for the distribution, and a sender that has not changed its key tells the
/// same one.
#[test]
fn a_later_distribution_of_a_known_key_is_taken_over() {
    let (mut sender, mut receiver) = pair(SenderKeyFormat::WhatsApp, 1);
    let early: Vec<_> = (0..3).map(|_| sender.encrypt(b"early", &mut SeededRng::new(2)).unwrap()).collect();
    receiver.decrypt(&early[2]).unwrap();
    let missed: Vec<_> = (0..25_002).map(|_| sender.encrypt(b"missed", &mut SeededRng::new(2)).unwrap()).collect();
    refused(&mut receiver, &missed[25_001], GroupDecryptError::TooFarAhead);
    receiver.process(&told(&sender));
    let next = sender.encrypt(b"next", &mut SeededRng::new(2)).unwrap();
    assert_eq!(receiver.decrypt(&next).unwrap(), b"next");
    assert_eq!(receiver.decrypt(&early[0]).unwrap(), b"early", "keys that were kept stay");
    refused(&mut receiver, &early[0], GroupDecryptError::TooLate);
    refused(&mut receiver, &next, GroupDecryptError::Replayed);
    for message in [&missed[0], &missed[25_001]] {
        refused(&mut receiver, message, GroupDecryptError::NotDistributed);
    }
    assert_eq!((receiver.keys(), receiver.skipped_keys()), (1, 1));
}

/// S-11.6, S-11.7. Two distributions arrive in the wrong order; a third is far older than there is room for.
#[test]
fn an_earlier_distribution_makes_older_messages_readable() {
    let mut sender = GroupSender::generate(SenderKeyFormat::WhatsApp, &mut SeededRng::new(1));
    let first = told(&sender);
    let mut messages: Vec<_> = (0..5).map(|_| sender.encrypt(b"halo", &mut SeededRng::new(2)).unwrap()).collect();
    let mut receiver = GroupReceiver::new();
    receiver.process(&told(&sender));
    messages.push(sender.encrypt(b"halo", &mut SeededRng::new(2)).unwrap());
    receiver.decrypt(&messages[5]).unwrap();
    refused(&mut receiver, &messages[0], GroupDecryptError::NotDistributed);
    receiver.process(&first);
    for message in &messages[..5] {
        assert_eq!(receiver.decrypt(message).unwrap(), b"halo");
    }
    receiver.process(&first);
    for message in &messages {
        refused(&mut receiver, message, GroupDecryptError::Replayed);
    }

    let hostile = Hostile::new(&sender, 7);
    let from = |iteration| {
        let chain = (0..iteration).fold(hostile.chain, |chain, _| hmac(&chain, &[2]));
        Hostile { chain, signing: KeyPair::from_secret_bytes(*hostile.signing.expose_secret_bytes()), ..hostile }
            .distribution(iteration)
    };
    let mut receiver = GroupReceiver::new();
    receiver.process(&from(25_002));
    receiver.process(&from(1));
    assert_eq!(receiver.skipped_keys(), 0, "more steps than one distribution may cost");
    receiver.process(&from(5_000));
    assert_eq!(receiver.skipped_keys(), 2_000, "the newest");
    refused(&mut receiver, &hostile.text(23_001, b""), GroupDecryptError::NotDistributed);
    assert!(receiver.decrypt(&hostile.text(23_002, b"")).is_ok());
    receiver.process(&from(2));
    assert!(receiver.decrypt(&hostile.text(23_001, b"")).is_ok(), "as many as there is room for");
}

/// S-11.4.
#[test]
fn a_group_message_with_any_bit_changed_is_refused_and_changes_nothing() {
    for format in formats() {
        let (mut sender, mut receiver) = pair(format, 1);
        let message = sender.encrypt(b"halo, semua", &mut SeededRng::new(2)).unwrap();
        let before = state(&mut receiver);
        for bit in 0..message.len() * 8 {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(receiver.decrypt(&changed).is_err(), "bit {bit}");
        }
        for length in 0..message.len() {
            assert!(receiver.decrypt(&message[..length]).is_err(), "{length} bytes");
        }
        assert!(state(&mut receiver) == before);
        assert_eq!(receiver.decrypt(&message).unwrap(), b"halo, semua");
    }
}

/// Members know the chain key, but not the signing key.
#[test]
fn a_member_cannot_forge_a_message_of_another_sender() {
    let (sender, mut receiver) = pair(SenderKeyFormat::WhatsApp, 1);
    let member = Hostile { chain: chain_of(&sender), ..Hostile::new(&sender, 3) };
    refused(&mut receiver, &member.text(0, b"forged"), GroupDecryptError::Rejected);
}

/// Signed but malformed messages get the same error.
#[test]
fn a_correctly_signed_malformed_group_message_is_refused() {
    let hostile = Hostile::new(&GroupSender::generate(SenderKeyFormat::WhatsApp, &mut SeededRng::new(1)), 7);
    let mut receiver = GroupReceiver::new();
    receiver.process(&hostile.distribution(0));
    for body in [[1; 15].as_slice(), &[1; 16], &[1; 17], &[]] {
        refused(&mut receiver, &hostile.message(3, body), GroupDecryptError::Rejected);
    }
    let id = hostile.id as u8;
    let good = [&[0x33, 0x08, id, 0x10, 0, 0x1a, 16], hostile.body(0, b"halo").as_slice()].concat();
    let variants: [(&[u8], bool); 7] = [
        (&good, true),
        (&[&[0x34], &good[1..]].concat(), true), // of a sender that also speaks version 4
        (&[&[0x44], &good[1..]].concat(), false),
        (&[&good, [0x20, 9].as_slice()].concat(), true), // an unknown field
        (&[&good[..3], &good[5..]].concat(), false),     // no iteration
        (&[&good[..1], &[0x10, 0], &good[5..]].concat(), false), // no number
        (&[&good[..5], &[0x18, 1]].concat(), false),     // content that is not bytes
    ];
    for (at, (signed, accepted)) in variants.into_iter().enumerate() {
        let mut receiver = GroupReceiver::new();
        receiver.process(&hostile.distribution(0));
        assert_eq!(receiver.decrypt(&hostile.sign(signed)).is_ok(), accepted, "variant {at}");
    }
}

#[test]
fn a_malformed_distribution_is_refused() {
    for format in formats() {
        let bytes = GroupSender::generate(format, &mut SeededRng::new(1)).distribution().to_bytes();
        assert!(Distribution::from_bytes(&bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(Distribution::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
        let mut small_order = bytes.clone();
        let key = bytes.len() - 32;
        small_order[key..].fill(0);
        assert!(Distribution::from_bytes(&small_order).is_err());
        let mut other_type = bytes;
        other_type[key - 1] = 4;
        assert!(Distribution::from_bytes(&other_type).is_err());
    }
}

#[test]
fn sender_key_records_open_unchanged_and_only_as_their_kind() {
    let (key, rng) = (StorageKey::from_bytes([1; 32]), &mut SeededRng::new(3));
    for format in formats() {
        let (mut sender, mut receiver) = pair(format, 1);
        let messages: Vec<_> = (0..9).map(|_| sender.encrypt(b"halo", rng).unwrap()).collect();
        receiver.decrypt(&messages[4]).unwrap();
        receiver.decrypt(&messages[2]).unwrap();
        let (sent, received) = (
            sender.seal(&key, b"ours", rng).unwrap().into_bytes(),
            receiver.seal(&key, b"theirs", rng).unwrap().into_bytes(),
        );
        assert!(GroupSender::unseal(&key, b"theirs", &sent).is_err());
        assert!(GroupReceiver::unseal(&key, b"ours", &sent).is_err(), "a record of another kind");
        assert_eq!(GroupReceiver::unseal(&key, b"theirs", &[2; 99]).err(), Some(UnsealError::UnknownVersion));

        let mut again = GroupSender::unseal(&key, b"ours", &sent).unwrap();
        assert_eq!((again.id(), again.iteration(), again.revision()), (sender.id(), 9, 9));
        assert_eq!(again.distribution().to_bytes(), sender.distribution().to_bytes());
        let next = again.encrypt(b"after", &mut SeededRng::new(4)).unwrap();
        assert_eq!(next, sender.encrypt(b"after", &mut SeededRng::new(4)).unwrap(), "the signing half too");

        let mut again = GroupReceiver::unseal(&key, b"theirs", &received).unwrap();
        assert!(state(&mut again) == state(&mut receiver));
        assert_eq!((again.revision(), again.skipped_keys()), (3, 3));
        refused(&mut again, &messages[2], GroupDecryptError::Replayed);
        for message in [&messages[0], &next, &messages[8], &messages[5]] {
            assert!(again.decrypt(message).is_ok());
        }
    }
}

#[test]
fn debug_shows_numbers_and_no_keys() {
    let (sender, receiver) = pair(SenderKeyFormat::WhatsApp, 1);
    let chain: String = chain_of(&sender).iter().map(|byte| format!("{byte:02x}")).collect();
    let decimal = format!("{:?}", chain_of(&sender));
    for shown in [format!("{sender:?}"), format!("{receiver:?}"), format!("{:?}", sender.distribution())] {
        assert!(shown.contains(&sender.id().to_string()));
        assert!(!shown.contains(&chain[..8]) && !shown.contains(&decimal[1..16]), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// S-11.5, S-11.6. With messages lost, late or duplicated, each message is delivered once.
    #[test]
    fn group_messages_are_read_once_out_of_order(seed in any::<u64>(), count in 1_usize..80) {
        let rng = &mut SeededRng::new(seed);
        let (mut sender, mut receiver) = pair(formats()[seed as usize % 2], seed);
        let mut wire: Vec<(usize, Vec<u8>)> =
            (0..count).map(|at| (at, sender.encrypt(&at.to_le_bytes(), rng).unwrap())).collect();
        wire.retain(|_| rng.random_ratio(4, 5));
        wire.extend(wire.clone().into_iter().filter(|_| rng.random_ratio(1, 4)));
        wire.shuffle(rng);
        let mut delivered = BTreeSet::new();
        for (at, message) in wire {
            if delivered.insert(at) {
                prop_assert_eq!(receiver.decrypt(&message).unwrap(), at.to_le_bytes());
            } else {
                refused(&mut receiver, &message, GroupDecryptError::Replayed);
            }
            if rng.random_ratio(1, 8) {
                let key = StorageKey::from_bytes([1; 32]);
                receiver = GroupReceiver::unseal(&key, b"", &state(&mut receiver)).unwrap();
            }
        }
    }

    /// S-11.6, S-11.7. Distributions and messages in any order: what a distribution that arrived gives is readable once,
    /// nothing else is, and only what was received is called a duplicate.
    #[test]
    fn only_what_was_received_is_a_duplicate_whatever_the_distributions(seed in any::<u64>(), count in 1_usize..40) {
        let rng = &mut SeededRng::new(seed);
        let mut sender = GroupSender::generate(formats()[seed as usize % 2], rng);
        let (mut told_at, mut messages) = (Vec::new(), Vec::new());
        for at in 0..count {
            told_at.push(told(&sender));
            messages.push(sender.encrypt(&at.to_le_bytes(), rng).unwrap());
        }
        let mut receiver = GroupReceiver::new();
        let (mut covered, mut received) = (usize::MAX, BTreeSet::new());
        for _ in 0..4 * count {
            let at = rng.random_range(0..count);
            if rng.random_ratio(1, 4) {
                receiver.process(&told_at[at]);
                covered = covered.min(at);
            } else if covered == usize::MAX {
                refused(&mut receiver, &messages[at], GroupDecryptError::UnknownKey);
            } else if at < covered {
                refused(&mut receiver, &messages[at], GroupDecryptError::NotDistributed);
            } else if received.insert(at) {
                prop_assert_eq!(receiver.decrypt(&messages[at]).unwrap(), at.to_le_bytes());
            } else {
                refused(&mut receiver, &messages[at], GroupDecryptError::Replayed);
            }
            if rng.random_ratio(1, 8) {
                let key = StorageKey::from_bytes([1; 32]);
                receiver = GroupReceiver::unseal(&key, b"", &state(&mut receiver)).unwrap();
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_by_a_group_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), version in any::<bool>()) {
        if let (true, Some(first)) = (version, bytes.first_mut()) {
            *first = 0x33;
        }
        let (_, mut receiver) = pair(SenderKeyFormat::WhatsApp, 1);
        prop_assert!(receiver.decrypt(&bytes).is_err());
        if let Ok(distribution) = Distribution::from_bytes(&bytes) {
            receiver.process(&distribution);
        }
    }
}

/// The chain key of the next message.
fn chain_of(sender: &GroupSender) -> [u8; 32] {
    let bytes = sender.distribution().to_bytes();
    bytes[bytes.len() - 35 - 32..bytes.len() - 35].try_into().unwrap()
}

/// Writes messages under a sender's number, with a chain and a signing key of its own.
struct Hostile {
    id: u32,
    chain: [u8; 32],
    signing: KeyPair,
}

impl Hostile {
    fn new(of: &GroupSender, seed: u64) -> Self {
        // One byte, so that the lengths in the tests are right.
        let id = of.id() & 0x7f;
        let id = if seed == 7 { id } else { of.id() };
        Self { id, chain: [seed as u8; 32], signing: KeyPair::generate(&mut SeededRng::new(seed)) }
    }

    fn distribution(&self, iteration: u32) -> Distribution {
        let mut bytes = vec![0x33, 0x08];
        put_varint(&mut bytes, self.id);
        bytes.push(0x10);
        put_varint(&mut bytes, iteration);
        bytes.extend_from_slice(&[0x1a, 32]);
        bytes.extend_from_slice(&self.chain);
        bytes.extend_from_slice(&[0x22, 33]);
        bytes.extend_from_slice(&self.signing.public().to_bytes());
        Distribution::from_bytes(&bytes).unwrap()
    }

    fn text(&self, number: u32, plaintext: &[u8]) -> Vec<u8> {
        self.message(number, &self.body(number, plaintext))
    }

    /// The ciphertext of the message that is `steps` after the beginning of the chain.
    fn body(&self, steps: u32, plaintext: &[u8]) -> Vec<u8> {
        let chain = (0..steps).fold(self.chain, |chain, _| hmac(&chain, &[2]));
        let mut output = [0; 48];
        let seed = hmac(&chain, &[1]);
        hkdf::Hkdf::<Sha256>::new(None, &seed).expand(b"WhisperGroup", &mut output).unwrap();
        let (iv, key) = output.split_at(16);
        let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(key, iv).unwrap();
        let mut buffer = vec![0; plaintext.len() + 16];
        buffer[..plaintext.len()].copy_from_slice(plaintext);
        cipher.encrypt_padded::<Pkcs7>(&mut buffer, plaintext.len()).unwrap().to_vec()
    }

    fn message(&self, number: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x33, 0x08];
        put_varint(&mut bytes, self.id);
        bytes.push(0x10);
        put_varint(&mut bytes, number);
        bytes.push(0x1a);
        put_varint(&mut bytes, body.len() as u32);
        bytes.extend_from_slice(body);
        self.sign(&bytes)
    }

    fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let signature = xeddsa::sign(&self.signing, signed, &mut SeededRng::new(8));
        [signed, signature.as_slice()].concat()
    }
}

fn hmac(key: &[u8], input: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(input);
    mac.finalize().into_bytes().into()
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
