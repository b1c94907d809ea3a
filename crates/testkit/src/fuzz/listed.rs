//! A listed device that has a session and follows no other rule, for the target `envelope`.
//!
//! Its frames are written and read by `frame.rs`, and what they do is computed here from docs/spec/conversations.md,
//! sections 12.2 to 12.5, without the library.

use std::collections::{BTreeMap, BTreeSet};

use bisik::conversation::{DeviceAddress, Event, MessageId, ReceiveError, Received, Side};
use bisik::hosting::{Decision, DecisionReceipt, SharedDecision};
use bisik::{Identity, Plaintext, Session};
use sha2::{Digest, Sha256};

use super::fixtures::{Repeatable, storage_key};
use super::frame::{self, Content, Marks, Read};
use super::input::Input;
use super::party::{Listed, NOW, Party, SCENE};

/// The name of the records of these devices.
pub const NAME: &[u8] = b"listed";

/// Something for the program, as far as it is computed here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    Message([u8; 16], Vec<u8>),
    Unconfirmed([u8; 16], Vec<u8>),
    Sent([u8; 16], Vec<u8>),
    Own([u8; 16], Vec<u8>),
    Ephemeral(Vec<u8>),
    Decision(Vec<u8>),
    Receipt(Vec<u8>),
    // Events, which are told once.
    NotUnderstood([u8; 16]),
    NotThePeers([u8; 16]),
    Confirmed([u8; 16]),
    Lost([u8; 16]),
    Delivered([u8; 16]),
    Lapsed([u8; 16]),
    Restored,
}

type Tag = [u8; 8];

/// What the receiving device remembers of this one.
struct Model {
    side: Side,
    /// No session with it was ever confirmed.
    is_new: bool,
    horizon: u64,
    known: BTreeMap<Tag, u64>,
    previews: BTreeMap<Tag, (u64, [u8; 16])>,
    compared: bool,
    /// The receiving device's own messages that wait for this one, those that it has given up, and its last number.
    kept: Vec<[u8; 16]>,
    lost: Vec<(u64, Tag)>,
    last: u64,
    given: Vec<Given>,
}

impl Model {
    fn new(from: DeviceAddress) -> Self {
        let [acknowledged, waiting] = SCENE.written.map(MessageId::to_bytes);
        let is_primary = from == DeviceAddress::peer(0);
        Self {
            side: from.side,
            is_new: !is_primary,
            // The primary's first message, with the first number, was acknowledged.
            horizon: if is_primary { FIRST + 1 } else { 0 },
            known: BTreeMap::new(),
            previews: BTreeMap::new(),
            compared: false,
            kept: if is_primary { vec![waiting] } else { vec![acknowledged, waiting] },
            lost: Vec::new(),
            last: SCENE.written[1].number(),
            given: Vec::new(),
        }
    }

    /// P-12.3: whether such a device may write this frame here.
    fn allows(&self, frame: &Read<'_>, opens: bool) -> bool {
        let is_of_this = |(conversation, account): (&[u8], Option<&[u8]>)| {
            conversation == SCENE.id.as_bytes() && account.is_none_or(|account| account == SCENE.peer_key)
        };
        frame.for_own == (self.side == Side::Own)
            && frame.opening.is_some() == opens
            && frame.opening.is_none_or(is_of_this)
    }

    /// Whether it is right but for the conversation that it opens, which an own device alone may choose.
    fn is_of_another(&self, frame: &Read<'_>, opens: bool) -> bool {
        let another = frame.opening.is_some_and(|(conversation, _)| conversation != SCENE.id.as_bytes());
        self.side == Side::Own && frame.for_own && opens && another
    }

    /// Section 12.4: before the session is confirmed only the messages of a stranger count, and are shown as such.
    fn preview(&mut self, frame: &Read<'_>) {
        let Content::Named(kind, name, body) = frame.content else { return };
        let (name, number, tag) = parts(name);
        let is_new = number >= self.horizon && !self.known.contains_key(&tag) && !self.previews.contains_key(&tag);
        let given = match kind {
            1 => Given::Unconfirmed(name, body.to_vec()),
            3 if Decision::from_bytes(body).is_ok() => Given::Decision(body.to_vec()),
            _ => return,
        };
        if self.is_new && self.side == Side::Peer && is_new {
            self.previews.insert(tag, (number, first_words(kind, &name, body)));
            self.given.push(given);
        }
    }

    /// A frame of the confirmed session.
    fn apply(&mut self, frame: &Read<'_>) {
        if !std::mem::replace(&mut self.compared, true) {
            let written: BTreeSet<_> = frame.first_words.chunks(16).collect();
            let previews = self.previews.iter().map(|(tag, (number, digest))| {
                let name = name(*number, *tag);
                let is_written = written.contains(digest.as_slice());
                if is_written { Given::Confirmed(name) } else { Given::NotThePeers(name) }
            });
            previews.collect::<Vec<_>>().into_iter().for_each(|given| self.tell(given));
        }
        self.settle_own(frame);
        for lost in frame.lost.chunks(16) {
            let (lost, number, tag) = parts(lost);
            if self.is_unseen(number, tag) {
                self.known.insert(tag, number);
                self.tell(Given::Lost(lost));
            } else {
                self.settle_preview(number, tag);
            }
        }
        self.take(frame);
        self.horizon = self.horizon.max(frame.base);
        self.forget();
        while self.known.len() > 128 {
            self.horizon = self.known.values().min().map_or(0, |lowest| lowest + 1);
            self.forget();
        }
    }

    fn forget(&mut self) {
        let horizon = self.horizon;
        self.known.retain(|_, number| *number >= horizon);
        self.previews.retain(|_, (number, _)| *number >= horizon);
    }

    fn is_unseen(&self, number: u64, tag: Tag) -> bool {
        number >= self.horizon && !self.known.contains_key(&tag) && !self.previews.contains_key(&tag)
    }

    /// What the frame says of the receiving device's own messages.
    fn settle_own(&mut self, frame: &Read<'_>) {
        let waiting =
            self.kept.iter().map(|kept| frame::number_of(kept)).chain(self.lost.iter().map(|(number, _)| *number));
        let base = waiting.min().unwrap_or(self.last + 1);
        let highest = frame.highest.unwrap_or(0);
        let restored = frame.horizon > base || highest > self.last;
        if restored {
            // What is believed of a claim is bounded.
            self.last = self.last.max(frame.horizon.max(highest).min(1 << 59));
            self.tell(Given::Restored);
        }
        let has = |tags: &[u8], tag: &[u8]| tags.chunks(8).any(|one| one == tag);
        let mut settled = Vec::new();
        let mut below = Vec::new();
        self.kept.retain(|kept| {
            let given = if has(frame.shown, &kept[8..]) {
                Given::Delivered(*kept)
            } else if has(frame.closed, &kept[8..]) {
                Given::Lapsed(*kept)
            } else if frame::number_of(kept) < frame.horizon {
                below.push(parts(kept).2);
                Given::Lapsed(*kept)
            } else {
                return true;
            };
            settled.push(given);
            false
        });
        let last = self.last;
        self.lost.extend(below.into_iter().map(|tag| (last, tag)));
        self.lost.retain(|(_, tag)| !has(frame.shown, tag) && !has(frame.closed, tag));
        for (number, _) in &mut self.lost {
            *number = if *number < frame.horizon { last } else { *number };
        }
        settled.into_iter().for_each(|given| self.tell(given));
    }

    fn take(&mut self, frame: &Read<'_>) {
        let (kind, bytes, body) = match frame.content {
            Content::Nothing => return,
            Content::Ephemeral(body) => return self.given.push(Given::Ephemeral(body.to_vec())),
            Content::Named(kind, name, body) => (kind, name, body),
        };
        let (name, number, tag) = parts(bytes);
        let preview = self.previews.get(&tag).map(|(_, digest)| *digest);
        let preview = preview.filter(|_| number >= self.horizon && !self.known.contains_key(&tag) && kind != 2);
        if let Some(digest) = preview {
            self.settle_preview(number, tag);
            let is_shown = kind == 1 || (kind == 3 && Decision::from_bytes(body).is_ok());
            if is_shown && first_words(kind, &name, body) == digest {
                return self.tell(Given::Confirmed(name));
            }
            // Another was shown under this name.
            self.tell(Given::NotThePeers(name));
        } else if self.is_unseen(number, tag) {
            self.known.insert(tag, number);
        } else {
            return self.settle_preview(number, tag);
        }
        match (kind, self.side) {
            (1, Side::Peer) => self.given.push(Given::Message(name, body.to_vec())),
            (1, Side::Own) => self.given.push(Given::Sent(name, body.to_vec())),
            (2, _) => {}
            (3, Side::Peer) if Decision::from_bytes(body).is_ok() => self.given.push(Given::Decision(body.to_vec())),
            // An event that depends on signatures.
            (3, Side::Own) if SharedDecision::from_bytes(body).is_ok() => {}
            (4, Side::Peer) if DecisionReceipt::from_bytes(body).is_ok() => {
                self.given.push(Given::Receipt(body.to_vec()));
            }
            (5, Side::Own) => self.given.push(Given::Own(name, body.to_vec())),
            _ => self.tell(Given::NotUnderstood(name)),
        }
    }

    /// What was shown as unconfirmed is known from now on.
    fn settle_preview(&mut self, number: u64, tag: Tag) {
        if number >= self.horizon && !self.known.contains_key(&tag) && self.previews.remove(&tag).is_some() {
            self.known.insert(tag, number);
        }
    }

    fn tell(&mut self, event: Given) {
        if !self.given.contains(&event) {
            self.given.push(event);
        }
    }
}

/// A name, its number and its tag.
fn parts(bytes: &[u8]) -> ([u8; 16], u64, Tag) {
    let name: [u8; 16] = bytes.try_into().expect("a name has 16 bytes");
    (name, frame::number_of(&name), *name.last_chunk().expect("16 bytes have eight"))
}

fn name(number: u64, tag: Tag) -> [u8; 16] {
    MessageId::from_bytes([number.to_be_bytes(), tag].concat().try_into().expect("twice eight bytes")).to_bytes()
}

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

/// Section 12.4: the digest of a message of a first contact.
fn first_words(kind: u8, name: &[u8; 16], body: &[u8]) -> [u8; 16] {
    let digest = Sha256::new().chain_update(b"bisik-1 conversation first words\0");
    let digest = digest.chain_update([kind]).chain_update(name).chain_update(body).finalize();
    *digest.first_chunk().expect("32 bytes have 16")
}

fn given(received: &Received) -> Option<Given> {
    Some(match received {
        Received::Message { id, body: Plaintext::Confirmed(body), .. } => Given::Message(id.to_bytes(), body.to_vec()),
        Received::Message { id, body: Plaintext::Unconfirmed(body), .. } => {
            Given::Unconfirmed(id.to_bytes(), body.peek_unconfirmed().to_vec())
        }
        Received::Sent { id, body, .. } => Given::Sent(id.to_bytes(), body.payload().to_vec()),
        Received::Own { id, body, .. } => Given::Own(id.to_bytes(), body.payload().to_vec()),
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

/// The first number that a device gives at this moment.
const FIRST: u64 = NOW.as_unix_seconds() << 10;
/// The choice that selects raw bytes.
const RAW: u8 = 0xff;
