//! `call_group`: two devices in a group call, while others come and go. Keys and frames arrive edited, crossed, late and
//! more than once, which a session would not permit.
//!
//! Nothing but genuine keys is taken, nothing but genuine frames opens, and no frame opens twice.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bisik::call::{CallId, EpochKey, EpochKeyError, FrameSuite, GroupCall, KeyTaken, OpenError, no_group};
use bisik::{Identity, IdentityKey};

use super::call::LINE;
use super::fixtures::{PARTIES, Repeatable};
use super::input::{Input, RAW};

static GUESTS: LazyLock<[IdentityKey; 3]> = LazyLock::new(|| {
    let rng = &mut Repeatable(60);
    [(); 3].map(|()| *Identity::generate(rng).public())
});

struct World {
    alice: GroupCall,
    bob: GroupCall,
    rng: Repeatable,
    keys: Vec<Vec<u8>>,
    frames: Vec<Vec<u8>>,
    opened: BTreeSet<usize>,
}

/// A sequence of events.
pub fn call_group(data: &[u8]) {
    let (mut rng, id, suite) = (Repeatable(61), CallId::from_bytes([9; 16]), FrameSuite::default());
    let mut start = |own| GroupCall::start(id, None, suite, own, &mut rng);
    let (alice, bob) = (start(PARTIES.alice.public()), start(PARTIES.bob.public()));
    let (keys, frames, opened) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut world = World { alice, bob, rng, keys, frames, opened };
    let _ = world.alice.join(PARTIES.bob.public(), no_group, &mut world.rng).expect("a second device");
    let _ = world.bob.join(PARTIES.alice.public(), no_group, &mut world.rng).expect("a second device");
    let mut input = Input::new(data);
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        world.event(&mut input);
    }
    assert!(world.bob.keys() <= 33, "three stays of eleven keys");
}

/// The first byte of an event, modulo 7.
mod event {
    pub(super) const GUEST: u8 = 0;
    pub(super) const SEAL: u8 = 1;
    pub(super) const SAY: u8 = 2;
    pub(super) const OPEN: u8 = 3;
    pub(super) const TAKE: u8 = 4;
    pub(super) const ROSTER: u8 = 5;
    pub(super) const ANOTHER_STAY: u8 = 6;
}

impl World {
    fn event(&mut self, input: &mut Input<'_>) {
        let Self { alice, bob, rng, keys, frames, .. } = self;
        match input.byte() % 7 {
            event::GUEST => {
                let guest = &GUESTS[usize::from(input.byte()) % GUESTS.len()];
                if alice.leave(guest, rng).is_err() {
                    let _ = alice.join(guest, no_group, rng).expect("room for three more");
                }
            }
            event::SEAL => {
                let mut frame = Vec::new();
                alice.seal(METADATA, &frames.len().to_be_bytes(), &mut frame).expect("a short frame");
                frames.push(frame);
            }
            event::SAY => keys.push(alice.key_for(&LINE.alice).expect("Bob is in the call").to_bytes().to_vec()),
            event::OPEN if !frames.is_empty() => {
                let frame = input.edited(frames);
                self.open(&frame);
            }
            event::TAKE if !keys.is_empty() => {
                let key = input.edited(keys);
                self.take(&key);
            }
            event::ROSTER => {
                bob.leave(PARTIES.alice.public(), rng).expect("Alice is in the call");
                assert_eq!(bob.keys(), 0);
                let _ = bob.join(PARTIES.alice.public(), no_group, rng).expect("Alice has left");
            }
            event::ANOTHER_STAY => alice.begin_stay(rng),
            _ => {}
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let Ok(key) = EpochKey::from_bytes(bytes) else { return };
        let genuine = self.keys.iter().any(|genuine| genuine == bytes);
        match self.bob.accept_key(&key, &LINE.bob, no_group, &mut self.rng) {
            Ok(KeyTaken { .. }) => assert!(genuine, "a forged key is taken"),
            Err(EpochKeyError::OtherCall | EpochKeyError::Rejected) => assert!(!genuine, "a genuine key is refused"),
            Err(error) => panic!("{error}"),
        }
    }

    fn open(&mut self, bytes: &[u8]) {
        let mut frame = bytes.to_vec();
        match self.bob.open(METADATA, &mut frame) {
            Ok(opened) => {
                assert_eq!(&opened.device, PARTIES.alice.public());
                let number = self.frames.iter().position(|genuine| genuine == bytes).expect("a forged frame opens");
                assert_eq!(*opened.plaintext, number.to_be_bytes());
                assert!(self.opened.insert(number), "a frame opens twice");
            }
            Err(error) => {
                assert_eq!(frame, bytes, "a refused frame is left as it was");
                assert_ne!(error, OpenError::Internal);
            }
        }
    }
}

pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    use event::{ANOTHER_STAY, GUEST, OPEN, ROSTER, SAY, SEAL, TAKE};
    let genuine = |kind, number: u8| [kind, number, 0];
    let take = |number| genuine(TAKE, number);
    let open = |number| genuine(OPEN, number);
    let said = || [[SAY].as_slice(), &take(0)].concat();
    let guests = |count| [GUEST, 0, SEAL, GUEST, 1, SEAL, GUEST, 2, SEAL].into_iter().take(count);
    vec![
        ("heard", [said(), vec![SEAL], open(0).to_vec(), open(0).to_vec()].concat()),
        ("overtaken", [vec![SAY, SEAL], open(0).to_vec(), take(0).to_vec(), open(0).to_vec()].concat()),
        ("derived", [said(), guests(9).collect(), open(2).to_vec(), open(0).to_vec(), open(1).to_vec()].concat()),
        (
            "derived_and_said",
            [said(), guests(3).collect(), open(0).to_vec(), vec![SAY], take(1).to_vec(), open(0).to_vec()].concat(),
        ),
        (
            "left_and_said_again",
            [said(), guests(3).collect(), open(0).to_vec(), vec![ROSTER, SAY], take(1).to_vec(), open(0).to_vec()]
                .concat(),
        ),
        (
            "fresh",
            [said(), vec![SEAL, GUEST, 0, GUEST, 0, SAY, SEAL], take(1).to_vec(), open(1).to_vec(), open(0).to_vec()]
                .concat(),
        ),
        (
            "stays",
            [said(), vec![SEAL, ANOTHER_STAY, SAY, SEAL], take(1).to_vec(), open(1).to_vec(), open(0).to_vec()]
                .concat(),
        ),
        ("edited", [said(), vec![SEAL, OPEN, 0, 1, 0, 1, 0, 9], open(0).to_vec()].concat()),
        ("raw", [said(), vec![SEAL, OPEN, RAW, 0, 4, 0x80, 0x30, 1, 2, TAKE, RAW, 0, 1, 0x43]].concat()),
    ]
}

const METADATA: &[u8] = b"audio";
