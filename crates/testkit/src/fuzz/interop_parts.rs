//! The other interop targets: groups, attachments, safety numbers, add-ons, padding, app state.
//!
//! Only genuine input is read, and it is read unchanged.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bisik::interop::signal::{
    Distribution, GroupDecryptError, GroupHeader, GroupReceiver, GroupSender, SenderKeyFormat,
};
use bisik::interop::signal::{Identity, Party, SafetyNumber};
use bisik::interop::whatsapp::media::{self, Attachment, MediaKind};
use bisik::interop::whatsapp::{
    AddOn, AppStateKeys, MessageSecret, Operation, PollVote, SealedPayload, UseCase, unpad,
};

use super::fixtures::{Genuine, Repeatable, storage_key};
use super::input::{Input, RAW};
use super::record::{self, CONTEXT};

/// A member that knows two senders' keys, one in each form, and the messages of three senders.
struct Group {
    receiver: Vec<u8>,
    messages: Vec<Genuine>,
    /// The messages that the member has read, and the later ones that it can read.
    read: BTreeSet<usize>,
    unread: BTreeSet<usize>,
    sender: Vec<u8>,
    distributions: Vec<Vec<u8>>,
}

static GROUP: LazyLock<Group> = LazyLock::new(|| {
    let formats =
        [SenderKeyFormat::WhatsApp, SenderKeyFormat::Signal { distribution: [0xd1; 16] }, SenderKeyFormat::WhatsApp];
    let mut senders: Vec<_> =
        (70_u64..).zip(formats).map(|(seed, format)| GroupSender::generate(format, &mut Repeatable(seed))).collect();
    let mut receiver = GroupReceiver::new();
    let distributions: Vec<_> = senders.iter().map(|sender| sender.distribution().to_bytes()).collect();
    for distribution in &distributions[..2] {
        receiver.process(&Distribution::from_bytes(distribution).expect("a good distribution"));
    }
    let (mut messages, mut read, mut unread) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (which, sender) in senders.iter_mut().enumerate() {
        for number in 0..6_u8 {
            let plaintext = vec![number; usize::from(number) * 7];
            let bytes = sender.encrypt(&plaintext, &mut Repeatable(number.into())).expect("a short one");
            let at = messages.len();
            if which < 2 && [0, 3].contains(&number) {
                assert_eq!(receiver.decrypt(&bytes).as_ref(), Ok(&plaintext));
                read.insert(at);
            } else if which < 2 {
                unread.insert(at);
            }
            messages.push(Genuine { bytes, plaintext });
        }
    }
    let seal =
        |receiver: &mut GroupReceiver| receiver.seal(&storage_key(), CONTEXT, &mut Repeatable(1)).unwrap().into_bytes();
    let sender = senders[1].seal(&storage_key(), CONTEXT, &mut Repeatable(2)).unwrap().into_bytes();
    Group { receiver: seal(&mut receiver), messages, read, unread, sender, distributions }
});

/// Up to eight messages with edits, in sequence.
pub fn interop_group(data: &[u8]) {
    let mut input = Input::new(data);
    let Group { receiver, messages, read, unread, .. } = &*GROUP;
    let mut receiver = GroupReceiver::unseal(&storage_key(), CONTEXT, receiver).expect("genuine");
    let (mut read, mut unread) = (read.clone(), unread.clone());
    for _ in 0..8 {
        if input.is_empty() {
            break;
        }
        let message = input.edited(messages);
        let genuine = messages.iter().position(|genuine| genuine.bytes == message);
        let image = |receiver: &mut GroupReceiver| {
            receiver.seal(&storage_key(), CONTEXT, &mut Repeatable(1)).unwrap().into_bytes()
        };
        let before = image(&mut receiver);
        let decrypted = receiver.decrypt(&message);
        match genuine {
            Some(at) if unread.remove(&at) => {
                assert_eq!(decrypted.as_ref(), Ok(&messages[at].plaintext));
                read.insert(at);
            }
            Some(at) if read.contains(&at) => assert_eq!(decrypted, Err(GroupDecryptError::Replayed)),
            Some(_) => assert_eq!(decrypted, Err(GroupDecryptError::UnknownKey)),
            None => assert!(matches!(decrypted, Err(GroupDecryptError::Rejected | GroupDecryptError::UnknownKey))),
        }
        assert!(GroupHeader::of(&message).is_ok() || decrypted == Err(GroupDecryptError::Rejected));
        if decrypted.is_err() {
            assert_eq!(before, image(&mut receiver), "nothing changed");
        }
    }
}

/// The first byte selects a distribution, or a state behind the tag of a record.
pub fn interop_group_state(data: &[u8]) {
    let Some((kind, state)) = data.split_first() else { return };
    let rng = &mut Repeatable(3);
    match kind % 3 {
        0 => {
            let Ok(distribution) = Distribution::from_bytes(state) else { return };
            let again = Distribution::from_bytes(&distribution.to_bytes()).expect("it was just written");
            assert_eq!(again.to_bytes(), distribution.to_bytes());
            let mut receiver = GroupReceiver::new();
            receiver.process(&distribution);
            GROUP.messages.iter().for_each(|message| drop(receiver.decrypt(&message.bytes)));
            // Whatever a sender tells a member that has its key, what was read is not read again.
            let mut member = GroupReceiver::unseal(&storage_key(), CONTEXT, &GROUP.receiver).expect("genuine");
            member.process(&distribution);
            assert!(member.keys() <= 3 && member.skipped_keys() <= 3 * 2_000);
            GROUP.read.iter().for_each(|at| assert!(member.decrypt(&GROUP.messages[*at].bytes).is_err(), "read twice"));
        }
        1 => {
            let Ok(mut sender) =
                GroupSender::unseal(&storage_key(), CONTEXT, &record::seal_named(SENDER, CONTEXT, state))
            else {
                return;
            };
            let record = sender.seal(&storage_key(), CONTEXT, rng).unwrap().into_bytes();
            assert_eq!(record::open_named(SENDER, CONTEXT, &record), state, "decoded values have one encoding");
            let before = (sender.iteration(), sender.revision());
            let sent = sender.encrypt(b"halo", rng);
            assert!(sent.is_ok() || before == (sender.iteration(), sender.revision()));
        }
        _ => {
            let record = record::seal_named(RECEIVER, CONTEXT, state);
            let Ok(mut receiver) = GroupReceiver::unseal(&storage_key(), CONTEXT, &record) else { return };
            let record = receiver.seal(&storage_key(), CONTEXT, rng).unwrap().into_bytes();
            assert_eq!(record::open_named(RECEIVER, CONTEXT, &record), state, "decoded values have one encoding");
            assert!(receiver.keys() <= 5 && receiver.skipped_keys() <= 5 * 2_000);
            GROUP.messages.iter().for_each(|message| drop(receiver.decrypt(&message.bytes)));
        }
    }
}

/// A file, its blob and its attachment, as a message describes it.
struct Sent {
    file: Vec<u8>,
    blob: Vec<u8>,
    attachment: Attachment,
}

/// Of one window, of two, and one whose tag begins a window of its own.
static SENT: LazyLock<[Sent; 3]> = LazyLock::new(|| {
    [200, WINDOW + 1_000, WINDOW - 16].map(|size| {
        let file: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let (blob, attachment) =
            media::encrypt(MediaKind::Audio, &file, &mut Repeatable(size as u64)).expect("a small file");
        Sent { file, blob, attachment }
    })
});

/// The first byte selects the blob.
pub fn interop_media(data: &[u8]) {
    let mut input = Input::new(data);
    let sent = &SENT[usize::from(input.byte()) % SENT.len()];
    let [step, start, length] = [(); 3].map(|()| usize::from(u16::from_be_bytes(input.array())));
    let blob = input.edited(&SENT.each_ref().map(|sent| sent.blob.as_slice()));
    let genuine = blob == sent.blob;
    let decrypted = sent.attachment.decrypt(&blob);
    assert_eq!(decrypted.ok().as_ref(), genuine.then_some(&sent.file), "only the blob itself opens");

    let mut verifier = sent.attachment.verifier();
    let pushed = blob.chunks(step.max(50)).try_for_each(|piece| verifier.push(piece));
    let verified = pushed.and_then(|()| verifier.finish());
    assert_eq!(verified.is_ok(), genuine);
    let by_sidecar = sent.attachment.ranges().expect("it has one");
    for ranges in [Some(by_sidecar), verified.ok()].into_iter().flatten() {
        let plan = ranges.plan(start as u64..(start + length) as u64);
        let wanted = plan.ciphertext();
        let Some(part) = blob.get(wanted.start as usize..wanted.end as usize) else { continue };
        let mut output = Vec::new();
        let same = Some(part) == sent.blob.get(wanted.start as usize..wanted.end as usize);
        assert_eq!(ranges.decrypt(&plan, part, &mut output).is_ok(), same);
        let end = sent.file.len();
        assert!(output == if same { &sent.file[start.min(end)..(start + length).min(end)] } else { &[] });
    }
}

/// Short encodings: the first byte selects which.
pub fn interop_parts(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 4 {
        0 => {
            let (number, code) = safety_number();
            let confirmed = number.verify(rest).is_ok();
            assert!(confirmed || rest != code);
            // Other encodings of the same fields are accepted; nothing else is.
            let halves = [&code[6..38], &code[42..74]];
            assert!(!confirmed || halves.iter().all(|half| rest.windows(32).any(|found| found == *half)));
        }
        1 => {
            let Ok(message) = unpad(rest) else { return };
            let padding = &rest[message.len()..];
            let length = padding.len();
            assert!((1..=16).contains(&length) && padding.iter().all(|byte| usize::from(*byte) == length));
        }
        2 => {
            let (secret, rng) = (MessageSecret::from_bytes([7; 32]), &mut Repeatable(4));
            let Ok(sealed) = secret.seal(&POLL, rest, rng) else { return };
            if let Ok(vote) = secret.open_vote(&POLL, &sealed) {
                assert!(vote.chosen().len() <= PollVote::MAX_CHOSEN);
                let again = secret.seal_vote(&POLL, &vote, rng).expect("a short one");
                assert_eq!(secret.open_vote(&POLL, &again), Ok(vote));
            }
            assert!(secret.open(&POLL, &SealedPayload { iv: [0; 12], payload: rest.to_vec() }).is_err());
        }
        _ => {
            let (keys, genuine) = shared();
            assert_eq!(keys.open(Operation::Set, rest).is_ok(), rest == genuine);
            assert!(keys.open(Operation::Remove, rest).is_err());
            assert_eq!(AppStateKeys::tag_of(rest).is_ok(), rest.len() >= 32);
        }
    }
}

/// A safety number, and the other side's scannable code.
fn safety_number() -> (SafetyNumber, Vec<u8>) {
    let keys = [5, 6].map(|seed| [Identity::generate(&mut Repeatable(seed)).public()]);
    let alice = Party { identifier: b"alice", keys: &keys[0] };
    let bob = Party { identifier: b"bob", keys: &keys[1] };
    let code = SafetyNumber::with_iterations(2, 2, &bob, &alice).to_scannable();
    (SafetyNumber::with_iterations(2, 2, &alice, &bob), code)
}

fn shared() -> (AppStateKeys, Vec<u8>) {
    let keys = AppStateKeys::derive(&[9; 32], b"id");
    let value = keys.seal(Operation::Set, b"pinned", &mut Repeatable(7));
    (keys, value)
}

const POLL: AddOn<'static> =
    AddOn { use_case: UseCase::PollVote, parent: "3EB0", parent_sender: "111@example", author: "222@example" };

pub fn group_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let intact = |messages: &[u8]| messages.iter().flat_map(|at| [*at, 0]).collect();
    vec![
        ("in_order", intact(&[1, 2, 4, 5])),
        ("late_and_twice", intact(&[5, 1, 1, 0, 4])),
        ("other_form", intact(&[8, 10, 11, 8])),
        ("unknown_key", intact(&[12, 17])),
        ("flipped_number", vec![4, 1, FLIP, 1, 0, 2, 4, 0]),
        ("flipped_iteration", vec![4, 1, FLIP, 1, 0, 8, 4, 0]),
        ("flipped_body", vec![4, 1, FLIP, 1, 0, 14, 4, 0]),
        ("flipped_signature", vec![4, 1, FLIP, 0x80, 0, 70, 4, 0]),
        ("truncated", vec![4, 1, TRUNCATE, 0, 0, 40]),
        ("spliced", vec![4, 1, SPLICE, 5, 0, 9]),
        ("raw", [&[RAW, 0, 90], [0x33; 90].as_slice()].concat()),
    ]
}

pub fn group_state_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let with = |kind: u8, state: &[u8]| [&[kind], state].concat();
    let sender = record::open_named(SENDER, CONTEXT, &GROUP.sender);
    let receiver = record::open_named(RECEIVER, CONTEXT, &GROUP.receiver);
    let mut used_up = sender.clone();
    used_up[29..33].fill(0xff);
    vec![
        ("distribution", with(0, &GROUP.distributions[0])),
        ("distribution_with_name", with(0, &GROUP.distributions[1])),
        ("distribution_cut", with(0, &GROUP.distributions[0][..70])),
        ("sender", with(1, &sender)),
        ("sender_used_up", with(1, &used_up)),
        ("sender_cut", with(1, &sender[..sender.len() - 1])),
        ("receiver", with(2, &receiver)),
        ("receiver_cut", with(2, &receiver[..receiver.len() - 1])),
        ("receiver_of_nothing", with(2, &[0; 12])),
    ]
}

pub fn media_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let edit = |which: u8, edits: &[u8]| [&[which, 0x03, 0xe8, 0, 50, 0x7f, 0xff, which], edits].concat();
    vec![
        ("one_window", edit(0, &[0])),
        ("two_windows", edit(1, &[0])),
        ("tag_by_itself", edit(2, &[0])),
        ("flipped_first_byte", edit(0, &[1, FLIP, 1, 0, 0])),
        ("flipped_later", edit(1, &[1, FLIP, 1, 0xff, 0xff])),
        ("flipped_tag", edit(0, &[1, FLIP, 1, 0, 210])),
        ("truncated", edit(1, &[1, TRUNCATE, 0, 0xff, 0])),
        ("of_another_file", vec![0, 0, 99, 0, 0, 0, 9, 1, 0]),
        ("raw", [&[0, 0, 99, 0, 0, 0, 9, RAW, 0, 60], [7; 60].as_slice()].concat()),
    ]
}

pub fn parts_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let with = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    let code = safety_number().1;
    let vote = [&[0x0a, 32], [5; 32].as_slice()].concat();
    vec![
        ("code", with(0, &code)),
        ("code_cut", with(0, &code[..60])),
        ("code_of_other_version", with(0, &[&[8, 1], &code[2..]].concat())),
        ("padded", with(1, b"halo\x03\x03\x03")),
        ("padded_badly", with(1, b"halo\x03\x02\x03")),
        ("vote", with(2, &vote.repeat(2))),
        ("vote_for_too_many", with(2, &vote.repeat(65))),
        ("vote_for_half_a_hash", with(2, &vote[..20])),
        ("value", with(3, &shared().1)),
        ("value_cut", with(3, &shared().1[1..])),
    ]
}

/// Bytes of a blob for each tag in the sidecar.
const WINDOW: usize = 64 << 10;

// Kinds of records.
const SENDER: u8 = 12;
const RECEIVER: u8 = 13;

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const TRUNCATE: u8 = 1;
const SPLICE: u8 = 4;
