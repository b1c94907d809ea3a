//! `envelope`: messages of a conversation, damaged in transit or written by a dishonest device. `conversation_record`:
//! arbitrary bytes as an account or a conversation, under a valid tag.
//!
//! Frames are written here from docs/spec/conversations.md, section 12.2, and the expected result is computed without
//! the library.

use std::sync::LazyLock;

use bisik::conversation::{
    Arrival, Conversation, ConversationId, DeviceAddress, Envelope, IdentityPolicy, MessageId, ReceiveError, Received,
    RecordName, Side, Supply,
};
use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceTerms};
use bisik::hosting::{Decision, DecisionReceipt, SharedDecision};
use bisik::{Account, Ciphertext, Identity, PreKeyBundle, ServerState, Session, Timestamp, Trust, VerifiedBundle};

use super::fixtures::{Repeatable, storage_key};
use super::input::Input;
use super::record;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const MESSAGE: MessageId = MessageId::from_bytes([0x6d; 16]);

/// One device's records, and everything that others can send it.
struct Scene {
    account: Vec<u8>,
    conversation: Vec<u8>,
    id: ConversationId,
    /// The genuine envelopes, each with the device that sent it.
    genuine: Vec<(DeviceAddress, Envelope)>,
    /// Two further devices, whose keys the fuzzer holds: for each a session that is new to the device, as a sealed
    /// record.
    harmful: Vec<(DeviceAddress, Vec<u8>)>,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let rng = &mut Repeatable(0x65);
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let mut us = Account::create(terms, NOW, rng);
    let companion = Identity::generate(rng);
    let certificate = DeviceCertificate::sign(&companion, us.key(), 1, terms);
    let list = us.change_devices(&[DeviceChange::Add(certificate)], NOW).unwrap();
    let mut companion = Account::join(companion, us.key(), &list, NOW, rng).unwrap();
    let mut peer = Account::create(terms, NOW, rng);

    let talk = |account: &Account, other: &Account| {
        let directory = DeviceDirectory::trust(&other_list(other, &list), Trust::OnFirstUse, NOW).unwrap();
        Conversation::new(account, directory, &[], IdentityPolicy::Block, NOW).0
    };
    let (mut ours, mut theirs) = (talk(&us, &peer), talk(&peer, &us));
    let bundle = |account: &Account| -> VerifiedBundle {
        let bytes = account.pre_keys().bundle().to_bytes();
        PreKeyBundle::from_bytes(&bytes).unwrap().verify(Trust::OnFirstUse, NOW).unwrap()
    };
    // The peer sends to both devices of the account, this one answers; then follow ordinary messages, and a copy from
    // the companion.
    let mut genuine = Vec::new();
    let bundles = [(DeviceAddress::peer(0), bundle(&us)), (DeviceAddress::peer(1), bundle(&companion))];
    let first = send(&mut theirs, &mut peer, &bundles, rng).remove(0);
    let arrival = Arrival { id: first.id, from: DeviceAddress::peer(0), ciphertext: first.ciphertext.clone() };
    drop(ours.receive(&mut us, &arrival, NOW).unwrap());
    genuine.push((DeviceAddress::peer(0), first));
    let to_companion = [(DeviceAddress::own(1), bundle(&companion))];
    for envelope in send(&mut ours, &mut us, &to_companion, rng) {
        if envelope.to.side == Side::Peer {
            let Envelope { id, ciphertext, .. } = envelope;
            drop(theirs.receive(&mut peer, &Arrival { id, from: DeviceAddress::peer(0), ciphertext }, NOW).unwrap());
        }
    }
    for _ in 0..3 {
        genuine.push((DeviceAddress::peer(0), send(&mut theirs, &mut peer, &[], rng).remove(0)));
    }
    let mut copies = talk(&companion, &peer);
    let bundles = [(DeviceAddress::own(0), bundle(&us)), (DeviceAddress::peer(0), bundle(&peer))];
    let copy = send(&mut copies, &mut companion, &bundles, rng).into_iter().find(|copy| copy.to.side == Side::Own);
    genuine.push((DeviceAddress::own(1), copy.unwrap()));

    let mut harm = |account: &Account| {
        let mut session = Session::initiate(account.identity(), &bundle(&us), NOW, rng).unwrap();
        session.seal(&storage_key(), b"harmful", &mut Repeatable(1)).unwrap().head().to_vec()
    };
    let harmful = vec![(DeviceAddress::peer(0), harm(&peer)), (DeviceAddress::own(1), harm(&companion))];
    // Something must have changed since they were last stored.
    let _ =
        (ours.ask_again(MessageId::from_bytes([0xdd; 16]), DeviceAddress::own(1)), us.replenish(1, NOW, rng).unwrap());
    let (account, conversation) = records(&mut us, &mut ours);
    Scene { account: account.unwrap(), conversation, id: ours.id(), genuine, harmful }
});

/// The newest list of an account: the device with a companion has issued a second one.
fn other_list(other: &Account, second: &bisik::device::DeviceList) -> bisik::device::DeviceList {
    let list = other.primary().unwrap().list();
    if list.account() == second.account() { second.clone() } else { list.clone() }
}

fn send(
    conversation: &mut Conversation,
    account: &mut Account,
    bundles: &[(DeviceAddress, VerifiedBundle)],
    rng: &mut Repeatable,
) -> Vec<Envelope> {
    let outgoing = conversation.send(account, b"halo", &Supply { bundles, unavailable: &[] }, NOW, rng).unwrap();
    outgoing.release(&conversation.seal(account, &storage_key(), rng).unwrap().stored()).unwrap()
}

/// The records that have changed; the account's only if it has.
fn records(account: &mut Account, conversation: &mut Conversation) -> (Option<Vec<u8>>, Vec<u8>) {
    let changes = conversation.seal(account, &storage_key(), &mut Repeatable(2)).unwrap();
    let record = |name| changes.records().iter().find(|record| record.name == name).map(|record| record.bytes.clone());
    (record(RecordName::Account), record(RecordName::Conversation(conversation.id())).unwrap())
}

fn load() -> (Account, Conversation) {
    let account = Account::unseal(&storage_key(), &SCENE.account).unwrap();
    let conversation = Conversation::unseal(&account, &storage_key(), SCENE.id, &SCENE.conversation).unwrap();
    (account, conversation)
}

/// The first byte selects a relay that delivers genuine envelopes with edits, or a device that writes frames of its
/// own.
pub fn envelope(data: &[u8]) {
    let mut input = Input::new(data);
    let harmful = input.byte() % 2 == 1;
    let (mut account, mut conversation) = load();
    if harmful {
        harmful_device(&mut account, &mut conversation, input);
    } else {
        harmful_relay(&mut account, &mut conversation, input);
    }
    // After every outcome the state can be stored, and the conversation continues.
    let _ = conversation.ask_again(MessageId::from_bytes([0xee; 16]), DeviceAddress::peer(0));
    let (changed, record) = records(&mut account, &mut conversation);
    let account = Account::unseal(&storage_key(), changed.as_ref().unwrap_or(&SCENE.account)).unwrap();
    drop(Conversation::unseal(&account, &storage_key(), SCENE.id, &record).unwrap());
}

fn harmful_relay(account: &mut Account, conversation: &mut Conversation, mut input: Input<'_>) {
    let ciphertexts: Vec<_> = SCENE.genuine.iter().map(|(_, envelope)| envelope.ciphertext.as_bytes()).collect();
    // The first was received before the scene begins.
    let mut arrived = vec![SCENE.genuine[0].1.id];
    for _ in 0..6 {
        let [choice, device, index] = input.array();
        let (at, from) = (usize::from(choice) % SCENE.genuine.len(), usize::from(device) % (SCENE.genuine.len() + 1));
        let id = SCENE.genuine[at].1.id;
        let side = if index % 2 == 1 { Side::Own } else { Side::Peer };
        let stranger = DeviceAddress { side, index: u32::from(index) };
        let from = SCENE.genuine.get(from).map_or(stranger, |(from, _)| *from);
        let Ok(ciphertext) = Ciphertext::try_from(input.edited(&ciphertexts)) else { continue };
        let genuine = SCENE.genuine.iter().find(|(_, envelope)| envelope.ciphertext == ciphertext);
        let fits = genuine.is_some_and(|(author, envelope)| *author == from && envelope.id == id);
        let revision = conversation.revision();
        match conversation.receive(account, &Arrival { id, from, ciphertext }, NOW) {
            Ok(_) => {
                assert!(fits && !arrived.contains(&id), "a message arrives under its own id, and once");
                arrived.push(id);
            }
            Err(error) => {
                let again = error == ReceiveError::Replayed && arrived.contains(&id);
                assert!(!fits || again, "a genuine message is refused only the second time: {error:?}");
                assert_eq!(conversation.revision(), revision);
            }
        }
    }
}

/// A listed device, with a session, that follows no other rule.
fn harmful_device(account: &mut Account, conversation: &mut Conversation, mut input: Input<'_>) {
    let [who, opened] = input.array();
    let (from, session) = &SCENE.harmful[usize::from(who % 2)];
    let mut session = Session::unseal(&storage_key(), b"harmful", session, |_| None).unwrap();
    let mut rng = Repeatable(3);
    let mut receive = |account: &mut Account, conversation: &mut Conversation, id, frame: &[u8]| {
        let ciphertext = session.encrypt(frame, &mut rng).unwrap();
        conversation.receive(account, &Arrival { id, from: *from, ciphertext }, NOW)
    };
    if opened % 2 == 1 {
        // In an existing session, rather than in the message that sets one up.
        let kind = if from.side == Side::Own { 2 } else { 1 };
        let id = MessageId::from_bytes([0x6f; 16]);
        let frame = frame(kind, opened / 2 % 2, id, b"a word before");
        drop(receive(account, conversation, id, &frame).unwrap());
    }
    let mut bytes = frame(input.byte() % 8, input.byte() % 3, MESSAGE, &[]);
    for _ in 0..input.byte() % 4 {
        let [at, change] = input.array();
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= change;
    }
    bytes.extend_from_slice(input.rest());
    let expected = may_write(from.side, &bytes);
    let before = conversation.revision();
    let result = receive(account, conversation, MESSAGE, &bytes);
    assert_eq!(result.as_ref().err(), (!expected).then_some(&ReceiveError::ProtocolViolation), "{bytes:x?}");
    assert_eq!(conversation.revision() > before, expected);
    let shown =
        result.is_ok_and(|incoming| matches!(incoming.for_inbox().0, Received::Message { .. } | Received::Sent { .. }));
    assert_eq!(shown, expected && bytes[1] <= 2, "messages and copies are shown, and nothing else");
}

fn frame(kind: u8, fresh: u8, id: MessageId, body: &[u8]) -> Vec<u8> {
    [&[1, kind, fresh], SCENE.id.as_bytes().as_slice(), id.as_bytes(), &[0; 8 + 8 + 16], body].concat()
}

/// Section 12.2, P-12.3: the frames that a device of this account may write.
fn may_write(side: Side, frame: &[u8]) -> bool {
    let Some((head, body)) = frame.split_at_checked(3 + 16 + 16 + 8 + 8 + 16) else { return false };
    let ids = !body.is_empty() && body.len().is_multiple_of(16) && body.len() <= 256 * 16;
    let fits = match (head[1], side) {
        (1, Side::Peer) | (2, Side::Own) => true,
        (3 | 4, _) => ids,
        (5, Side::Peer) => Decision::from_bytes(body).is_ok(),
        (5, Side::Own) => SharedDecision::from_bytes(body).is_ok(),
        (6, Side::Peer) => DecisionReceipt::from_bytes(body).is_ok(),
        _ => false,
    };
    fits && head[0] == 1 && head[2] < 2 && head[3..19] == *SCENE.id.as_bytes() && head[19..35] == *MESSAGE.as_bytes()
}

/// The first byte selects the kind; the rest is the content of the record.
pub fn conversation_record(data: &[u8]) {
    let mut input = Input::new(data);
    let is_account = input.byte().is_multiple_of(2);
    let mut rng = Repeatable(4);
    if is_account {
        let record = record::seal_named(ACCOUNT, b"", input.rest());
        let Ok(mut account) = Account::unseal(&storage_key(), &record) else { return };
        let nothing = ServerState::default();
        let upkeep = account.maintain(Some(&nothing), NOW, &mut rng).unwrap_or_default();
        account.confirmed(&upkeep);
        let numbers: Vec<_> = account.events().map(|(number, _)| number).collect();
        numbers.into_iter().take(3).for_each(|number| account.settle(number));
        if let Some(changed) = account.seal(&storage_key(), &mut rng).expect("the key that opened it") {
            drop(Account::unseal(&storage_key(), &changed.bytes).expect("every reachable state can be stored"));
        }
        return;
    }
    let (mut account, _) = load();
    let record = record::seal_named(CONVERSATION, SCENE.id.as_bytes(), input.rest());
    let Ok(mut conversation) = Conversation::unseal(&account, &storage_key(), SCENE.id, &record) else { return };
    let _ = (conversation.plan(&account), conversation.due(&account, NOW), conversation.label().label(NOW));
    for (from, Envelope { id, ciphertext, .. }) in &SCENE.genuine {
        let _ =
            conversation.receive(&mut account, &Arrival { id: *id, from: *from, ciphertext: ciphertext.clone() }, NOW);
    }
    let _ = conversation.send(&account, b"halo", &Supply::default(), NOW, &mut rng);
    let _ = conversation.flush(&account, &Supply::default(), NOW, &mut rng);
    let _ = conversation.ask_again(MESSAGE, DeviceAddress::peer(0));
    let (_, record) = records(&mut account, &mut conversation);
    let again = Conversation::unseal(&account, &storage_key(), SCENE.id, &record);
    drop(again.expect("every reachable state can be stored"));
}

pub fn envelope_seeds() -> Vec<(&'static str, Vec<u8>)> {
    // The deliveries: three bytes that choose id and sender, and an envelope unchanged or with an edit.
    let deliver = |choices: &[[u8; 3]]| {
        let envelopes = choices.iter().flat_map(|[at, from, own]| [*at, *from, *own, *at, 0]);
        [0].into_iter().chain(envelopes).collect::<Vec<_>>()
    };
    let write = |head: [u8; 6], body: &[u8]| [&[1], head.as_slice(), body].concat();
    vec![
        ("all_in_reverse", deliver(&[[4, 4, 0], [3, 3, 0], [2, 2, 0], [1, 1, 0], [0, 0, 0]])),
        ("copy_as_if_of_the_peer", deliver(&[[4, 0, 0], [4, 4, 0]])),
        ("of_an_unknown_device", deliver(&[[1, 5, 3], [1, 5, 4]])),
        ("twice", deliver(&[[1, 1, 0], [1, 1, 0]])),
        ("flipped", vec![0, 1, 1, 0, 1, 1, 0, 1, 0, 60]),
        ("message", write([0, 0, 1, 0, 0, 0], b"halo")),
        ("message_in_a_session_that_replaces", write([0, 3, 1, 1, 0, 0], b"halo")),
        ("copy_of_a_companion", write([1, 0, 2, 0, 0, 0], b"halo")),
        ("copy_of_the_peer", write([0, 0, 2, 0, 0, 0], b"halo")),
        ("acknowledgement", write([0, 1, 3, 0, 0, 0], &[7; 32])),
        ("acknowledgement_of_nothing", write([0, 1, 3, 0, 0, 0], &[])),
        ("request", write([0, 1, 4, 0, 0, 0], &[7; 16])),
        ("decision_that_is_none", write([0, 1, 5, 0, 0, 0], &[1; 64])),
        ("receipt_of_a_companion", write([1, 1, 6, 0, 0, 0], &[1; 64])),
    ]
}

pub fn record_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let account = record::open_named(ACCOUNT, b"", &SCENE.account);
    let conversation = record::open_named(CONVERSATION, SCENE.id.as_bytes(), &SCENE.conversation);
    let short = &conversation[..conversation.len() / 2];
    vec![
        ("account", [&[0], account.as_slice()].concat()),
        ("account_truncated", [&[0], &account[..account.len() - 1]].concat()),
        ("conversation", [&[1], conversation.as_slice()].concat()),
        ("conversation_truncated", [&[1], short].concat()),
    ]
}

/// Kinds of record.
const ACCOUNT: u8 = 7;
const CONVERSATION: u8 = 8;
