//! A listed device that has a session and follows no other rule, for the target `envelope`.
//!
//! Its frames are written and read by `frame.rs`, and what they do is computed by `listed_model.rs`.

use std::collections::BTreeSet;

use bisik::conversation::{DeviceAddress, Event, ReceiveError, Received, Side};
use bisik::{Identity, Plaintext, Session};

use super::fixtures::{Repeatable, storage_key};
use super::frame::{self, Marks};
use super::input::Input;
use super::listed_model::{FIRST, Given, Model, name};
use super::party::{Listed, Party, SCENE};

/// The name of the records of these devices.
pub const NAME: &[u8] = b"listed";

/// Writes up to five frames in a session of a listed device, which it returns.
pub fn write_frames(us: &mut Party, mut input: Input<'_>) -> DeviceAddress {
    let Listed { from, identity, session } = &SCENE.listed[usize::from(input.byte()) % SCENE.listed.len()];
    let identity = Identity::unseal(&storage_key(), NAME, identity).unwrap();
    let mut session = Session::unseal(&storage_key(), NAME, session, |_| None).unwrap();
    let mut model = Model::new(*from);
    let mut confirmed = false;
    let mut rng = Repeatable(3);
    for _ in 0..5 {
        if input.is_empty() {
            break;
        }
        if input.byte() % 2 == 1 {
            let outgoing = us.flush_all(&[]).into_iter().filter(|envelope| envelope.to == *from);
            for envelope in outgoing {
                confirmed |= session.decrypt(&identity, &envelope.ciphertext).is_ok();
            }
        }
        let bytes = any_frame(&mut input, from.side, !confirmed);
        let frame = frame::read(&bytes);
        let is_of_another = frame.as_ref().is_some_and(|frame| model.is_of_another(frame, !confirmed));
        let frame = frame.filter(|frame| model.allows(frame, !confirmed));
        let (before, _) = us.state();
        let result = us.receive(*from, &session.encrypt(&bytes, &mut rng).unwrap());
        match frame {
            None => {
                let newer = bytes.first().is_some_and(|version| *version > 2);
                let expected = match (newer, is_of_another) {
                    (true, _) => ReceiveError::NewerVersion,
                    (false, true) => ReceiveError::AnotherConversation,
                    (false, false) => ReceiveError::ProtocolViolation,
                };
                assert_eq!(result, Err(expected), "{bytes:x?}");
                assert_eq!(us.state(), (before, false));
            }
            Some(frame) => {
                assert_eq!(result, Ok(()), "{bytes:x?}");
                if confirmed { model.apply(&frame) } else { model.preview(&frame) }
            }
        }
    }
    drop(us.state());
    let given: Vec<_> = us.talk.inbox().filter_map(|(_, received)| given(received)).collect();
    assert_eq!(given, model.given, "what the frames say is given, and nothing else");
    *from
}

fn given(received: &Received) -> Option<Given> {
    Some(match received {
        Received::Message { id, body: Plaintext::Confirmed(body), .. } => Given::Message(id.to_bytes(), body.to_vec()),
        Received::Message { id, body: Plaintext::Unconfirmed(body), .. } => {
            Given::Unconfirmed(id.to_bytes(), body.peek_unconfirmed().to_vec())
        }
        Received::Sent { id, body, .. } => Given::Sent(id.to_bytes(), body.payload().to_vec()),
        Received::Own { id, body, .. } => Given::Own(id.to_bytes(), body.payload().to_vec()),
        Received::Letter { id, .. } => Given::Letter(id.to_bytes()),
        Received::Ephemeral { body, .. } => Given::Ephemeral(body.to_vec()),
        Received::Decision { decision, .. } => Given::Decision(decision.to_bytes().clone()),
        Received::DecisionReceipt { receipt, .. } => Given::Receipt(receipt.to_bytes().clone()),
        Received::Event(Event::NotUnderstood { id, .. }) => Given::NotUnderstood(id.to_bytes()),
        Received::Event(Event::NotThePeers { id, .. }) => Given::NotThePeers(id.to_bytes()),
        Received::Event(Event::Confirmed { id, .. }) => Given::Confirmed(id.to_bytes()),
        Received::Event(Event::Lost { id, .. }) => Given::Lost(id.to_bytes()),
        Received::Event(Event::Delivered { id, .. }) => Given::Delivered(id.to_bytes()),
        Received::Event(Event::GivenUp { id, .. }) => Given::Lapsed(id.to_bytes()),
        Received::Event(Event::Restored { .. }) => Given::Restored,
        Received::Event(Event::Forked { .. }) => panic!("nobody used a key twice"),
        // Of lists and sessions.
        _ => return None,
    })
}

/// A frame, honest or not, whose fields the bytes choose; or raw bytes.
fn any_frame(input: &mut Input<'_>, side: Side, opens: bool) -> Vec<u8> {
    let [has, marks, content, kind, names, edits] = input.array();
    if content == RAW {
        let length = usize::from(names);
        return input.bytes(length).to_vec();
    }
    let set = |bit: u8, flag| if has & bit != 0 { flag } else { 0 };
    let for_own = (side == Side::Own) != (has & 0x40 != 0);
    let opens = opens != (has & 0x80 != 0);
    let content = [0, frame::NAMED, frame::EPHEMERAL, frame::NAMED][usize::from(content % 4)];
    let fields = [set(1, frame::ASK), set(2, frame::ANSWER), set(4, frame::FIRST_WORDS), set(8, frame::REPLACED_BY)];
    let fields = fields.iter().fold(set(16, frame::LOST) | set(32, frame::CHECKPOINT) | content, |all, one| all | one);
    let flags = fields | (u16::from(for_own) * frame::FOR_OWN) | (u16::from(opens) * frame::OPENING);

    let account = if for_own { SCENE.peer_key.as_slice() } else { &[] };
    let opening = [SCENE.id.as_bytes().as_slice(), account, &[0; 32]].concat();
    let checkpoint: &[u8] = if flags & frame::CHECKPOINT != 0 { &[0xcc; 16] } else { &[] };
    let opening = [if opens { opening.as_slice() } else { &[] }, checkpoint].concat();

    // Tags of the receiving device's messages, and its numbers.
    let own = SCENE.written.map(|id| *id.tag().as_bytes());
    let tags = |choice: u8| {
        let chosen = own.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1).map(|(_, tag)| *tag);
        chosen.collect::<BTreeSet<_>>().into_iter().flatten().collect::<Vec<_>>()
    };
    let last_own = SCENE.written[1].number();
    let horizon = [0, last_own, last_own + 1, (1 << 59) + 7][usize::from(marks >> 4 & 3)];
    let [waiting, above] = input.array().map(|byte| u64::from(byte & 0x7f));
    let (shown, closed) = (tags(marks & 3), tags(marks >> 2 & 3));
    let marks = Marks { last: FIRST + 20, waiting, horizon, above, shown: &shown, closed: &closed };

    let one = |choice: u8| name(FIRST + u64::from(choice % 8), [choice / 8 % 8 + 1; 8]);
    let (words, lost) = (input.array::<16>(), if has & 16 != 0 { one(input.byte()) } else { [0; 16] });
    let body = usize::from(input.byte());
    let body = input.bytes(body);
    let named = [&[kind], one(names).as_slice()].concat();
    let there = |flag: u16, bytes: &[u8]| if flags & flag != 0 { bytes.to_vec() } else { Vec::new() };
    let fields = [
        there(frame::ASK, &[7; 4]),
        there(frame::ANSWER, &[0, 0, 0, 1]),
        there(frame::FIRST_WORDS, &[&[1], words.as_slice()].concat()),
        there(frame::REPLACED_BY, &[0x5e; 8]),
        there(frame::LOST, &[&[1], lost.as_slice()].concat()),
        there(frame::NAMED, &named),
        there(frame::NAMED | frame::EPHEMERAL, body),
    ]
    .concat();
    let mut bytes = frame::write(flags, &opening, &marks, &fields);
    for _ in 0..edits % 4 {
        let [high, low, change] = input.array();
        let at = usize::from(u16::from_be_bytes([high, low])) % bytes.len();
        bytes[at] ^= change;
    }
    bytes
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    // Whether the receiving device writes before; what the frame has; marks, content, kind, name, edits; the two
    // distances; digest; body.
    let frame = |turn: u8, has: u8, [marks, content, kind, name]: [u8; 4], waiting: u8, above: u8, body: &[u8]| {
        let length = u8::try_from(body.len()).expect("a short body");
        let head = [turn, has, marks, content, kind, name, 0, waiting, above];
        let lost: &[u8] = if has & 16 != 0 { &[13] } else { &[] };
        [head.as_slice(), &[0; 16], lost, &[length], body].concat()
    };
    let text = |turn, name: u8| frame(turn, 0, [0, 1, 1, name], 19, 0, b"halo");
    let of = |who: u8, frames: &[Vec<u8>]| [[1, who].as_slice(), &frames.concat()].concat();
    let bare = || frame(0, 0, [0; 4], 19, 0, b"");
    vec![
        ("message_in_a_session_that_is_not_confirmed", of(0, &[text(0, 9), text(0, 10)])),
        ("message_and_the_same_again", of(0, &[bare(), text(1, 9), text(0, 9), text(0, 17)])),
        ("messages_of_a_stranger", of(2, &[text(0, 9), text(0, 9), text(1, 9), text(0, 10)])),
        ("stranger_who_does_not_know_its_words", of(2, &[text(0, 9), frame(1, 4, [0; 4], 19, 0, b"")])),
        ("copy_of_a_companion", of(1, &[text(0, 9), text(1, 9)])),
        ("acknowledgement", of(0, &[bare(), frame(1, 1, [2, 0, 0, 0], 19, 1, b"")])),
        ("acknowledgement_by_closing", of(1, &[bare(), frame(1, 2, [0b1000, 0, 0, 0], 19, 1, b"")])),
        ("horizon_above_everything", of(0, &[bare(), frame(1, 0, [0x30, 0, 0, 0], 19, 9, b""), bare()])),
        ("horizon_above_what_waits", of(2, &[bare(), frame(1, 0, [0x20, 0, 0, 0], 19, 0, b""), bare()])),
        ("lost_names", of(0, &[bare(), frame(1, 16, [0, 1, 1, 13], 19, 0, b"halo")])),
        ("base_that_closes_names", of(0, &[bare(), text(1, 9), frame(0, 0, [0; 4], 0, 0, b""), text(0, 10)])),
        ("withdrawn", of(0, &[bare(), frame(1, 0, [0, 1, 2, 9], 19, 0, b""), text(0, 9)])),
        ("for_own_devices", of(1, &[bare(), frame(1, 0, [0, 1, 5, 9], 19, 0, b"catatan")])),
        ("for_own_devices_of_the_peer", of(0, &[bare(), frame(1, 0, [0, 1, 5, 9], 19, 0, b"catatan")])),
        ("unknown_kind", of(0, &[bare(), frame(1, 0, [0, 1, 16, 9], 19, 0, b"baru")])),
        ("ephemeral", of(1, &[bare(), frame(1, 0, [0, 2, 0, 0], 19, 0, b"mengetik")])),
        ("decision_that_is_none", of(0, &[bare(), frame(1, 0, [0, 1, 3, 9], 19, 0, &[1; 64])])),
        ("receipt_of_a_companion", of(1, &[bare(), frame(1, 0, [0, 1, 4, 9], 19, 0, &[1; 64])])),
        ("as_if_for_an_own_device", of(0, &[bare(), frame(1, 0x40, [0, 1, 1, 9], 19, 0, b"halo")])),
        ("opening_in_a_session_that_is_open", of(0, &[bare(), frame(1, 0x80, [0, 1, 1, 9], 19, 0, b"halo")])),
        ("first_flight_without_opening", of(2, &[frame(0, 0x80, [0, 1, 1, 9], 19, 0, b"halo"), text(0, 9)])),
        ("later_version", of(0, &[vec![0, 0, 0, RAW, 0, 1, 0, 3], text(0, 9)])),
    ]
}

/// The choice that selects raw bytes.
const RAW: u8 = 0xff;
