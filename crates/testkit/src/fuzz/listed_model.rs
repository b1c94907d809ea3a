//! What a device must give of the frames of another, for the target `envelope`: sections 12.2 to 12.5 of
//! docs/spec/conversations.md, computed without the library.

use std::collections::{BTreeMap, BTreeSet};

use bisik::conversation::{DeviceAddress, MessageId, Side};
use bisik::hosting::{Decision, DecisionReceipt, SharedDecision};
use sha2::{Digest, Sha256};

use super::frame::{self, Content, Read};
use super::party::{NOW, SCENE};

/// Something for the program, as far as it is computed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Message([u8; 16], Vec<u8>),
    Unconfirmed([u8; 16], Vec<u8>),
    Sent([u8; 16], Vec<u8>),
    Own([u8; 16], Vec<u8>),
    Letter([u8; 16]),
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

pub(super) type Tag = [u8; 8];

/// What the receiving device remembers of this one.
pub(super) struct Model {
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
    pub(super) given: Vec<Given>,
}

impl Model {
    pub(super) fn new(from: DeviceAddress) -> Self {
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
    pub(super) fn allows(&self, frame: &Read<'_>, opens: bool) -> bool {
        let is_of_this = |(conversation, account): (&[u8], Option<&[u8]>)| {
            conversation == SCENE.id.as_bytes() && account.is_none_or(|account| account == SCENE.peer_key)
        };
        frame.for_own == (self.side == Side::Own)
            && frame.opening.is_some() == opens
            && frame.opening.is_none_or(is_of_this)
    }

    /// Whether it is right but for the conversation that it opens, which an own device alone may choose.
    pub(super) fn is_of_another(&self, frame: &Read<'_>, opens: bool) -> bool {
        let another = frame.opening.is_some_and(|(conversation, _)| conversation != SCENE.id.as_bytes());
        self.side == Side::Own && frame.for_own && opens && another
    }

    /// Section 12.4: before the session is confirmed only the messages of a stranger count, and are shown as such.
    pub(super) fn preview(&mut self, frame: &Read<'_>) {
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
    pub(super) fn apply(&mut self, frame: &Read<'_>) {
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
            (16, _) => self.given.push(Given::Letter(name)),
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

pub(super) fn name(number: u64, tag: Tag) -> [u8; 16] {
    MessageId::from_bytes([number.to_be_bytes(), tag].concat().try_into().expect("twice eight bytes")).to_bytes()
}

/// Section 12.4: the digest of a message of a first contact.
fn first_words(kind: u8, name: &[u8; 16], body: &[u8]) -> [u8; 16] {
    let digest = Sha256::new().chain_update(b"bisik-1 conversation first words\0");
    let digest = digest.chain_update([kind]).chain_update(name).chain_update(body).finalize();
    *digest.first_chunk().expect("32 bytes have 16")
}

/// The first number that a device gives at this moment.
pub(super) const FIRST: u64 = NOW.as_unix_seconds() << 10;
