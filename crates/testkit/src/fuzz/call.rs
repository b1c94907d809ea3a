//! `call_signal`: arbitrary signals. `call_frame`: edited frames against an opener, beside a model of its results.
//!
//! Nothing but genuine signals and frames may be accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bisik::call::{
    BaseKey, CallId, Calling, Comparison, FrameOpener, FrameSealer, FrameSuite, GroupCall, OpenError, Opening,
    Participant, SenderKey, Signal, SignalError, no_group,
};
use bisik::{Accepted, Ciphertext, Session, Trust};

use super::fixtures::{PARTIES, Repeatable};
use super::input::{Input, RAW};
use super::model::{is_on_curve, is_public_key};

/// Both ends of a session, and the genuine signals in it.
pub(super) struct Line {
    pub(super) alice: Session,
    pub(super) bob: Session,
    offer: Vec<u8>,
    answer: Vec<u8>,
    epoch_key: Vec<u8>,
    commitment: Vec<u8>,
    opening: Vec<u8>,
}

pub(super) static LINE: LazyLock<Line> = LazyLock::new(|| {
    let rng = &mut Repeatable(50);
    let bundle = PARTIES.bundles[4].clone().verify(Trust::OnFirstUse, PARTIES.now).expect("a good bundle");
    let mut alice = Session::initiate(&PARTIES.alice, &bundle, PARTIES.now, rng).expect("another's bundle");
    let hello = alice.encrypt(b"halo", rng).expect("a short message").into_bytes();
    let hello = Ciphertext::from_bytes(&hello).expect("a message");
    let Accepted { session: mut bob, .. } =
        Session::accept(&PARTIES.bob, &PARTIES.keys, &hello, Trust::OnFirstUse, PARTIES.now)
            .expect("a pre-key message");
    // Both are confirmed, as the sessions of calls are.
    let hai = bob.encrypt(b"hai", rng).expect("a short message");
    let _ = alice.decrypt(&PARTIES.alice, &hai).expect("Bob's answer");
    let proof = alice.encrypt(b"apa kabar", rng).expect("a short message");
    let _ = bob.decrypt(&PARTIES.bob, &proof).expect("Alice's answer");
    let (_, offer) = calling(&alice);
    let offer = offer.to_bytes().to_vec();
    let Ok(Signal::Offer(read)) = Signal::from_bytes(&offer) else { panic!("an offer is a signal") };
    let (_, answer) = read.accept(PARTIES.bob.public(), &bob, rng).expect("a good offer");
    let mut group = group(PARTIES.alice.public(), PARTIES.bob.public());
    let epoch_key = group.key_for(&alice).expect("Bob is in the call").to_bytes().to_vec();
    let [mut at_alice, at_bob] = comparisons();
    let commitment = at_alice.commitment().to_bytes();
    at_alice.take_commitment(&at_bob.commitment(), &alice, rng).expect("the first");
    let opening = at_alice.opening().expect("both have committed").to_bytes();
    Line { answer: answer.to_bytes(), alice, bob, offer, epoch_key, commitment, opening }
});

/// The same call every time.
fn calling(session: &Session) -> (Calling, bisik::call::Offer) {
    let rng = &mut Repeatable(51);
    Calling::start(CallId::generate(rng), PARTIES.alice.public(), session, rng)
}

fn group(own: &bisik::IdentityKey, other: &bisik::IdentityKey) -> GroupCall {
    let (rng, id) = (&mut Repeatable(52), CallId::from_bytes([9; 16]));
    let mut group = GroupCall::start(id, None, FrameSuite::default(), own, rng);
    let _ = group.join(other, no_group, rng).expect("a second device");
    group
}

/// A decoded signal has one encoding and good keys; of all signals, one offer, one answer and one epoch key are
/// accepted.
pub fn call_signal(data: &[u8]) {
    let Line { alice, bob, offer, answer, epoch_key, commitment, opening } = &*LINE;
    let mut input = Input::new(data);
    let data = &input.edited(&[offer, answer, epoch_key, commitment, opening]);
    let signal = match Signal::from_bytes(data) {
        Ok(signal) => signal,
        Err(error) => return refused(data, error),
    };
    assert_eq!(signal.call().as_bytes(), &data[1..17]);
    match signal {
        Signal::Offer(read) => {
            assert!(data.len() == 1265 && has_good_key(data));
            assert_eq!(read.to_bytes().as_slice(), data, "decoded values have one encoding");
            let (_, answer) = read.accept(PARTIES.bob.public(), bob, &mut Repeatable(53)).expect("a good key agrees");
            assert_eq!(calling(alice).0.complete(&answer, alice).is_ok(), data == offer, "one offer is answered");
        }
        Signal::Answer(read) => {
            assert!(data.len() == 1169 && has_good_key(data));
            assert_eq!(&read.to_bytes(), data, "decoded values have one encoding");
            let outcome = calling(alice).0.complete(&read, alice);
            assert_eq!(outcome.is_ok(), data == answer, "one answer completes a call");
        }
        Signal::EpochKey(read) => {
            assert!(data.len() == 124 && (1..=5).contains(&data[55]));
            assert_eq!(read.to_bytes().as_slice(), data, "decoded values have one encoding");
            let outcome = group(PARTIES.bob.public(), PARTIES.alice.public()).accept_key(
                &read,
                bob,
                no_group,
                &mut Repeatable(54),
            );
            assert_eq!(outcome.is_ok(), data == epoch_key, "one key is taken");
        }
        Signal::Commitment(read) => {
            assert_eq!((&read.to_bytes(), data.len()), (data, 51), "decoded values have one encoding");
        }
        Signal::Opening(read) => {
            assert_eq!((&read.to_bytes(), data.len()), (data, 35), "decoded values have one encoding");
            assert_eq!(compared(&read), data == opening, "one opening fits");
        }
        _ => panic!("a signal of a later version"),
    }
}

/// Whether Bob takes this opening of Alice's commitment.
fn compared(opening: &Opening) -> bool {
    let Line { alice, bob, .. } = &*LINE;
    let [mut at_alice, mut at_bob] = comparisons();
    let commitments = [at_alice.commitment(), at_bob.commitment()];
    at_bob.take_commitment(&commitments[0], bob, &mut Repeatable(56)).expect("the first");
    at_alice.take_commitment(&commitments[1], alice, &mut Repeatable(56)).expect("the first");
    let _ = at_bob.opening();
    let taken = at_bob.take_opening(opening, bob).is_ok();
    assert_eq!(at_bob.emoji().is_some(), taken);
    taken
}

fn comparisons() -> [Comparison; 2] {
    let [alice, bob] = [PARTIES.alice.public(), PARTIES.bob.public()];
    let start = |own, other, seed| {
        Comparison::start(CallId::from_bytes([9; 16]), own, [other], &mut Repeatable(seed)).expect("two devices").0
    };
    [start(alice, bob, 55), start(bob, alice, 57)]
}

fn refused(data: &[u8], error: SignalError) {
    let offer_or_answer = matches!((data.first(), data.len()), (Some(0x41), 1265) | (Some(0x42), 1169));
    if offer_or_answer {
        assert!(!has_good_key(data) || data[0] == 0x41, "a good answer is refused: {error}");
    } else {
        assert_eq!(error, SignalError::Malformed);
    }
}

fn has_good_key(signal: &[u8]) -> bool {
    let key = signal[17..49].try_into().expect("32 bytes");
    is_public_key(&key) && is_on_curve(&key)
}

/// Genuine frames: of two epochs of one participant, and of another participant; some as far apart as the window is
/// wide.
static FRAMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    KEYS.into_iter()
        .flat_map(|(participant, epoch)| {
            let mut sealer = FrameSealer::new(key(participant, epoch));
            let frames = (0..1_500_usize).map(move |number| {
                let mut frame = Vec::new();
                sealer.seal(METADATA, &vec![7; number % 90], &mut frame).expect("a short frame");
                frame
            });
            frames.enumerate().filter(|(number, _)| NUMBERS.contains(number)).map(|(_, frame)| frame)
        })
        .collect()
});

fn key(participant: u16, epoch: u64) -> SenderKey {
    let base = BaseKey::from_bytes(&[epoch as u8 + 1; 32]).expect("32 bytes");
    SenderKey::new(FrameSuite::default(), Participant(participant), epoch, base)
}

/// A sequence of frames, edited or raw.
pub fn call_frame(data: &[u8]) {
    let mut opener = FrameOpener::new();
    for (participant, epoch) in KEYS {
        opener.install(key(participant, epoch)).expect("ascending epochs");
    }
    let (mut input, mut received) = (Input::new(data), BTreeMap::new());
    for _ in 0..64 {
        if input.is_empty() {
            break;
        }
        let mut frame = input.edited(&FRAMES);
        let before = frame.clone();
        let expected = expected(&mut received, &before);
        let outcome = opener.open(METADATA, &mut frame).map(|opened| {
            assert!(opened.plaintext.iter().all(|byte| *byte == 7));
            opened.counter
        });
        assert_eq!(outcome, expected);
        assert!(outcome.is_ok() || frame == before, "a refused frame is left as it was");
    }
}

/// The counters received under each key id.
type Received = BTreeMap<u64, BTreeSet<u64>>;

fn expected(received: &mut Received, frame: &[u8]) -> Result<u64, OpenError> {
    let (key_id, counter, length) = header(frame).ok_or(OpenError::Malformed)?;
    if !KEYS.iter().any(|(participant, epoch)| key_id == u64::from(*participant) * 16 + (epoch % 16)) {
        return Err(OpenError::UnknownKey);
    }
    if frame.len() < length + 16 {
        return Err(OpenError::Malformed);
    }
    let known = received.entry(key_id).or_default();
    if known.last().is_some_and(|highest| highest.checked_sub(counter).is_some_and(|behind| behind >= 1024)) {
        Err(OpenError::TooLate)
    } else if known.contains(&counter) {
        Err(OpenError::Replayed)
    } else if FRAMES.iter().any(|genuine| genuine == frame) {
        known.insert(counter);
        Ok(counter)
    } else {
        Err(OpenError::Rejected)
    }
}

/// Parses a header by RFC 9605, section 4.3, and compares by encoding it again.
fn header(frame: &[u8]) -> Option<(u64, u64, usize)> {
    let config = *frame.first()?;
    let (mut at, mut encoded, mut values) = (1, vec![0], [0, 0]);
    for (value, bits) in values.iter_mut().zip([config >> 4, config & 15]) {
        let length = usize::from(bits).saturating_sub(7);
        let mut bytes = [0; 8];
        bytes[8 - length..].copy_from_slice(frame.get(at..at + length)?);
        at += length;
        *value = if length == 0 { bits.into() } else { u64::from_be_bytes(bytes) };
        let minimal: Vec<_> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        let four = if *value < 8 { *value as u8 } else { 7 + minimal.len() as u8 };
        encoded[0] = encoded[0] << 4 | four;
        encoded.extend_from_slice(if *value < 8 { &[] } else { &minimal });
    }
    (encoded == frame[..at]).then_some((values[0], values[1], at))
}

pub fn signal_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let flipped = |which, high, low| vec![which, 1, FLIP, 1, high, low];
    vec![
        ("offer", vec![0, 0]),
        ("answer", vec![1, 0]),
        ("epoch_key", vec![2, 0]),
        ("offer_with_another_id", flipped(0, 0, 1)),
        ("offer_with_another_key", flipped(0, 0, 17)),
        ("offer_with_another_encapsulation_key", flipped(0, 0, 60)),
        ("offer_with_another_secret", flipped(0, 4, 0xf0)),
        ("answer_with_another_id", flipped(1, 0, 1)),
        ("answer_with_another_key", flipped(1, 0, 17)),
        ("answer_with_another_ciphertext", flipped(1, 1, 0)),
        ("answer_with_another_confirmation", flipped(1, 4, 0x80)),
        ("epoch_key_of_another_view", flipped(2, 0, 20)),
        ("epoch_key_of_another_epoch", flipped(2, 0, 52)),
        ("epoch_key_of_another_number", flipped(2, 0, 54)),
        ("epoch_key_of_another_suite", flipped(2, 0, 55)),
        ("epoch_key_that_knows_another_stay", flipped(2, 0, 59)),
        ("epoch_key_with_another_secret", flipped(2, 0, 60)),
        ("commitment", vec![3, 0]),
        ("opening", vec![4, 0]),
        ("opening_of_another_round", flipped(4, 0, 18)),
        ("opening_to_other_bytes", flipped(4, 0, 30)),
        ("truncated", vec![1, 1, TRUNCATE, 0, 4, 0]),
        ("spliced", vec![0, 1, SPLICE, 1, 0, 17]),
        ("raw", [&[RAW, 0, 3], [0x43, 1, 2].as_slice()].concat()),
    ]
}

pub fn frame_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let all = 0..NUMBERS.len() as u8 * 3;
    let deliver = |numbers: &mut dyn Iterator<Item = u8>| numbers.flat_map(|number| [number, 0]).collect();
    let raw = |frame: &[u8]| [&[RAW, 0, frame.len() as u8], frame].concat();
    vec![
        ("in_order", deliver(&mut all.clone())),
        ("backwards", deliver(&mut all.clone().rev())),
        ("twice", deliver(&mut all.flat_map(|number| [number, number]))),
        ("too_late", deliver(&mut [9, 0, 1, 7].into_iter())),
        ("flipped_header", vec![3, 1, FLIP, 0x10, 0, 0, 3, 0]),
        ("flipped_counter", vec![6, 1, FLIP, 1, 0, 1, 6, 0]),
        ("flipped_body", vec![6, 1, FLIP, 1, 0, 9, 6, 0]),
        ("truncated", vec![6, 1, TRUNCATE, 0, 0, 12, 6, 0]),
        ("of_another_epoch", vec![6, 1, SPLICE, 16, 0, 2, 6, 0]),
        ("longer_key_id", raw(&[[0x80, 0, 5].as_slice(), &[0; 16]].concat())),
        ("longer_counter", raw(&[[0x09, 0, 5].as_slice(), &[0; 16]].concat())),
        ("last_counter", raw(&[[0x0f].as_slice(), &[0xff; 8], &[0; 16]].concat())),
        ("unknown_key", raw(&[[0xff].as_slice(), &[0xff; 16], &[0; 16]].concat())),
        ("only_a_header", raw(&[0x00])),
    ]
}

/// Participant and epoch of each key.
const KEYS: [(u16, u64); 3] = [(0, 0), (0, 1), (0x123, 7)];
/// The numbers of the frames made for each key.
const NUMBERS: [usize; 10] = [0, 1, 2, 7, 8, 63, 64, 1_023, 1_024, 1_400];
const METADATA: &[u8] = b"audio";

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const TRUNCATE: u8 = 1;
const SPLICE: u8 = 4;
