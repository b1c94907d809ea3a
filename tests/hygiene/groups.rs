//! Interop groups, attachments and add-ons: no secret is left in freed memory.
//!
//! Plaintext belongs to the caller, so it is wiped here.

use bisik::StorageKey;
use bisik::interop::signal::{Distribution, GroupReceiver, GroupSender, SenderKeyFormat};
use bisik::interop::whatsapp::media::{Attachment, Encryptor, MediaKey, MediaKind};
use bisik::interop::whatsapp::{AddOn, MessageSecret, PollVote, UseCase};
use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use super::canaries::Canaries;
use super::derived::{hmac, state_of};
use super::freed::{Freed, freed_by};
use super::recording::Recording;

const STORAGE: [u8; 32] = *b"kunci 32 bita penyegel arsip Edi";
const PLAINTEXT: &[u8] = b"tak seorang pun di luar grup membaca baris ini";

const CONTEXT: AddOn<'static> =
    AddOn { use_case: UseCase::PollVote, parent: "3EB0", parent_sender: "111@example", author: "222@example" };

/// The chain key, the next one derived from it, and both forms of the signing key, in a record of the short form.
pub fn add_sender(canaries: &mut Canaries, state: &[u8]) {
    let (chain, secret) = (&state[17..49], &state[49..81]);
    add_chain(canaries, chain);
    canaries.add("signing half", secret);
    let scalar = Scalar::from_bytes_mod_order(secret.try_into().unwrap());
    canaries.add("signing half, reduced", scalar.as_bytes());
}

/// The chain key of the newest state, the next one derived from it, and the seeds of skipped messages.
pub fn add_receiver(canaries: &mut Canaries, state: &[u8]) {
    add_chain(canaries, &state[21..53]);
    for kept in state[89..].chunks_exact(36) {
        canaries.add("kept seed", &kept[4..]);
        add_message_keys(canaries, &kept[4..]);
    }
}

/// Adds a chain key, and all keys of the next two messages.
fn add_chain(canaries: &mut Canaries, chain: &[u8]) {
    let mut chain: [u8; 32] = chain.try_into().unwrap();
    for _ in 0..3 {
        canaries.add("chain key", &chain);
        let seed = hmac(&chain, &[1]);
        canaries.add("seed", &seed);
        add_message_keys(canaries, &seed);
        chain = hmac(&chain, &[2]);
    }
}

fn add_message_keys(canaries: &mut Canaries, seed: &[u8]) {
    canaries.add("message keys", &hkdf(seed, b"WhisperGroup", 48));
}

#[test]
fn interop_groups_leave_no_secret_in_freed_memory() {
    let (mut alices, mut records) = (Recording::new(31), Recording::new(0));
    let (mut canaries, mut freed) = (Canaries::new(), Freed::new());
    let storage = StorageKey::from_bytes(STORAGE);
    let (mut sender, kept) = freed_by(|| Box::new(GroupSender::generate(SenderKeyFormat::WhatsApp, &mut alices)));
    freed.extend(kept);
    let mut receiver = Box::new(GroupReceiver::new());
    for round in 0..6_usize {
        add_sender(&mut canaries, &state_of(sender.seal(&storage, b"", &mut records).unwrap().as_bytes(), &STORAGE));
        let ((), kept) = freed_by(|| {
            let told = Zeroizing::new(sender.distribution().to_bytes());
            let distribution = Distribution::from_bytes(&told).unwrap();
            receiver.process(&distribution);
            assert!(Distribution::from_bytes(&told[..told.len() - 1]).is_err());
            let messages: Vec<_> = (0..4).map(|_| sender.encrypt(PLAINTEXT, &mut alices).unwrap()).collect();
            let mut forged = messages[3].clone();
            *forged.last_mut().unwrap() ^= 4;
            for message in [&messages[2 - round % 2], &forged, &messages[3], &messages[0], &messages[0]] {
                drop(receiver.decrypt(message).map(Zeroizing::new));
            }
            let record = sender.seal(&storage, b"", &mut records).unwrap();
            *sender = GroupSender::unseal(&storage, b"", record.as_bytes()).unwrap();
            let record = receiver.seal(&storage, b"", &mut records).unwrap();
            *receiver = GroupReceiver::unseal(&storage, b"", record.as_bytes()).unwrap();
        });
        freed.extend(kept);
        add_receiver(
            &mut canaries,
            &state_of(receiver.seal(&storage, b"", &mut records).unwrap().as_bytes(), &STORAGE),
        );
    }
    // Five more keys displace the first, with all its skipped keys.
    freed.extend(
        freed_by(|| {
            for seed in 0..5 {
                let mut other = Recording::new(100 + seed);
                receiver.process(&GroupSender::generate(SenderKeyFormat::WhatsApp, &mut other).distribution());
            }
        })
        .1,
    );
    freed.extend(freed_by(|| drop((sender, receiver))).1);
    canaries.add_drawn("the sender", &alices);
    canaries.add("plaintext", PLAINTEXT);
    canaries.assert_absent(&freed);
}

/// Held and staged messages of a group: released, or dropped before that.
#[test]
fn held_and_staged_group_messages_leave_no_secret_in_freed_memory() {
    let (mut alices, mut records) = (Recording::new(32), Recording::new(0));
    let (mut canaries, mut freed) = (Canaries::new(), Freed::new());
    let storage = StorageKey::from_bytes(STORAGE);
    let mut sender = Box::new(GroupSender::generate(SenderKeyFormat::WhatsApp, &mut alices));
    let mut receiver = Box::new(GroupReceiver::new());
    receiver.process(&sender.distribution());
    for _ in 0..3 {
        add_sender(&mut canaries, &state_of(sender.seal(&storage, b"", &mut records).unwrap().as_bytes(), &STORAGE));
        let ((), kept) = freed_by(|| {
            let messages: [Vec<u8>; 3] = std::array::from_fn(|_| {
                let held = sender.encrypt_held(PLAINTEXT, &mut alices).unwrap();
                held.release(&sender.seal(&storage, b"", &mut records).unwrap().stored()).unwrap()
            });
            drop(Box::new(sender.encrypt_held(PLAINTEXT, &mut alices).unwrap()));
            // On a copy, which it poisons.
            let record = receiver.seal(&storage, b"", &mut records).unwrap();
            let mut copy = Box::new(GroupReceiver::unseal(&storage, b"", record.as_bytes()).unwrap());
            let mut staged = copy.stage(&messages[1]).unwrap();
            drop(staged.seal(&storage, b"", &mut records).unwrap());
            drop(Box::new(staged));
            drop(Box::new(receiver.decrypt_held(&messages[1]).unwrap()));
            drop(Box::new(receiver.stage(&messages[0]).unwrap()));
            let held = [&messages[0], &messages[2]].map(|message| receiver.decrypt_held(message).unwrap());
            let stored = receiver.seal(&storage, b"", &mut records).unwrap().stored();
            for held in held {
                drop(Zeroizing::new(held.release(&stored).unwrap()));
            }
        });
        freed.extend(kept);
        add_receiver(
            &mut canaries,
            &state_of(receiver.seal(&storage, b"", &mut records).unwrap().as_bytes(), &STORAGE),
        );
    }
    freed.extend(freed_by(|| drop((sender, receiver))).1);
    canaries.add_drawn("the sender", &alices);
    canaries.add("plaintext", PLAINTEXT);
    canaries.assert_absent(&freed);
}

/// HKDF-SHA256 without salt.
fn hkdf(secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let mut output = vec![0; length];
    hkdf::Hkdf::<sha2::Sha256>::new(None, secret).expand(info, &mut output).unwrap();
    output
}

/// Some windows, the last one short.
const SIZE: usize = 2 * (64 << 10) + 1_000;

fn file() -> Zeroizing<Vec<u8>> {
    let rng = &mut Recording::new(78);
    Zeroizing::new((0..SIZE.div_ceil(32)).flat_map(|_| rng.secret()).take(SIZE).collect())
}

#[test]
fn interop_attachments_leave_no_secret_in_freed_memory() {
    let (file, mut rng) = (file(), Recording::new(32));
    let ((), freed) = freed_by(|| {
        let mut abandoned = Encryptor::new(MediaKind::Video, MediaKey::generate(&mut rng));
        abandoned.push(&file[..70_005], &mut Vec::new()).unwrap();
        drop(Box::new(abandoned));
        let mut encryptor = Encryptor::new(MediaKind::Video, MediaKey::generate(&mut rng));
        let mut blob = Vec::new();
        // The vector grows many times while plaintext is appended.
        file.chunks(50_003).for_each(|piece| encryptor.push(piece, &mut blob).unwrap());
        let attachment = encryptor.finish(&mut blob).unwrap();
        let mut changed = blob.clone();
        *changed.last_mut().unwrap() ^= 1;
        for blob in [&blob, &changed] {
            drop(attachment.decrypt(blob).map(Zeroizing::new));
            let key = MediaKey::from_bytes(*attachment.key().expose_bytes());
            drop(Attachment::of_blob(MediaKind::Video, key, blob));
            let mut verifier = Box::new(attachment.verifier());
            let pushed = blob.chunks(20_000).try_for_each(|piece| verifier.push(piece));
            drop(pushed.and_then(|()| verifier.finish()).map(Box::new));
            let ranges = Box::new(attachment.ranges().unwrap());
            let mut part = Vec::new();
            for range in [10..SIZE as u64, 65_000..70_000, 0..5] {
                let plan = ranges.plan(range);
                let (start, end) = (plan.ciphertext().start as usize, plan.ciphertext().end as usize);
                let _ = ranges.decrypt(&plan, &blob[start..end], &mut part);
            }
            // The part that a caller can see; the library wipes the rest of the memory.
            part.fill(0);
        }
        drop(Box::new(attachment));
    });
    let mut canaries = Canaries::new();
    canaries.add_drawn("the sender", &rng);
    for key in rng.secrets() {
        canaries.add("keys of a blob", &hkdf(&key, b"WhatsApp Video Keys", 112)[16..80]);
    }
    for at in (0..SIZE - 200).step_by(10_000).chain([65_400, SIZE - 200]) {
        canaries.add(&format!("the file at {at}"), &file[at..][..200]);
    }
    canaries.assert_absent(&freed);
}

#[test]
fn interop_add_ons_leave_no_secret_in_freed_memory() {
    let mut rng = Recording::new(33);
    let vote = PollVote::of_hashes(&[rng.secret(), rng.secret()]);
    let ((), freed) = freed_by(|| {
        let secret = MessageSecret::generate(&mut rng);
        let sealed = secret.seal_vote(&CONTEXT, &vote, &mut rng).unwrap();
        drop(secret.open_vote(&CONTEXT, &sealed).unwrap());
        let mut changed = sealed.clone();
        changed.payload[0] ^= 1;
        assert!(secret.open_vote(&CONTEXT, &changed).is_err());
        assert!(secret.for_bots().open_vote(&CONTEXT, &sealed).is_err());
        let key = MediaKey::generate(&mut rng);
        let retry = key.seal_retry("3EB0", PLAINTEXT, &mut rng).unwrap();
        drop(Zeroizing::new(key.open_retry("3EB0", &retry).unwrap()));
        drop((Box::new(secret), Box::new(key)));
    });
    drop(vote);
    let mut canaries = Canaries::new();
    canaries.add_drawn("the sender", &rng);
    canaries.add("plaintext", PLAINTEXT);
    for secret in rng.secrets() {
        canaries.add("key of a vote", &hkdf(&secret, b"3EB0111@example222@examplePoll Vote", 32));
        canaries.add("secret of bots", &hkdf(&secret, b"Bot Message", 32));
        canaries.add("key of a retry", &hkdf(&secret, b"WhatsApp Media Retry Notification", 32));
    }
    canaries.assert_absent(&freed);
}
