//! `dishonest_peer`: messages with valid tags and arbitrary headers, against a model of the rules.
//!
//! A dishonest peer holds every key that the receiver holds, so it needs neither a signature nor a KEM.

use bisik::ratchet::{DecryptError as Refusal, DoubleRatchet};

use super::fixtures::{Endpoint, RATCHETS, Repeatable};
use super::forge::{self, Forged, Header};
use super::input::Input;
use super::model::{MAX_KEPT, Under, process_header};
use super::ratchet_state::{RatchetState, Turn};
use super::record::{self, Kind};

pub fn dishonest_peer(data: &[u8]) {
    let mut input = Input::new(data);
    let mut receiver = DoubleRatchet::reopen(&RATCHETS[usize::from(input.byte() % 2)].record);
    let mut steps = 0_u32;
    for round in 0..ROUNDS {
        if input.is_empty() || steps > STEPS {
            break;
        }
        if input.byte() % 8 == 7 {
            answer(&mut receiver, round);
        } else {
            steps = steps.saturating_add(deliver(&mut receiver, &mut input));
        }
    }
}

/// The receiver sends, which gives it a new ratchet pair if a step is due.
fn answer(receiver: &mut DoubleRatchet, round: u64) {
    let before = receiver.record();
    if receiver.encrypt(b"hai", &mut Repeatable(round)).is_err() {
        assert_eq!(read(&before).turn, Turn::Awaiting, "a device that has received a message can answer");
        assert_eq!(receiver.record(), before, "a refusal leaves the state unchanged");
    }
}

/// Returns an upper bound on the receiver's steps along chains.
fn deliver(receiver: &mut DoubleRatchet, input: &mut Input<'_>) -> u32 {
    let before = receiver.record();
    let state = read(&before);
    let under = choose_header_key(&state, input);
    let header = make_up_header(&state, under, input);
    // The body's tag is valid even if everything else is wrong, so that it cannot hide a missing check.
    let mut message_key = message_key(&state, under, &header);
    let bad_body = input.byte() == BAD_BODY;
    message_key[0] ^= u8::from(bad_body);
    let header_key = header_key(&state, under);
    let plaintext = input.bytes(usize::from(header.number as u8 % 8));
    let Forged { message, digest } = forge::message(&state.binding, header_key, &message_key, &header, plaintext);

    let bad_body_is = if matches!(under, Under::Chain(1..)) { Refusal::Rejected } else { Refusal::Diverged };
    let outcome = process_header(&state, under, &header, &digest)
        .and_then(|after| if bad_body { Err(bad_body_is) } else { Ok(after) });
    let result = receiver.decrypt(&message);
    let after = receiver.record();
    match outcome {
        Ok(expected) => {
            assert_eq!(result.as_deref(), Ok(plaintext), "{under:?} {header:?}");
            assert_eq!(read(&after).shape(), expected.shape(), "{under:?} {header:?}");
            // An ended chain of which nothing is missing any more is forgotten.
            let forgotten = expected.chains.iter().all(|chain| chain.header != *header_key);
            let again = if forgotten { Refusal::Rejected } else { Refusal::Duplicate };
            assert_eq!(receiver.decrypt(&message), Err(again), "its key is used up");
            assert_eq!(receiver.record(), after, "a refused message leaves the state unchanged");
        }
        Err(refusal) => {
            assert_eq!(result, Err(refusal), "{under:?} {header:?}");
            assert_eq!(after, before, "a refused message leaves the state unchanged");
        }
    }
    assert_eq!(DoubleRatchet::reopen(&after).record(), after, "every reachable state can be stored");
    match (result, under) {
        (Ok(_), Under::Next) => header.previous.saturating_add(header.number),
        (Ok(_), Under::Chain(_)) => header.number,
        (Err(_), _) => 0,
    }
}

fn header_key(state: &RatchetState, under: Under) -> &[u8; 32] {
    match under {
        Under::Chain(index) => &state.chains[index].header,
        Under::Next => &state.next_header,
    }
}

/// The key of the message, if it can have one.
fn message_key(state: &RatchetState, under: Under, header: &Header) -> [u8; 32] {
    let within = |next: u32| header.number.checked_sub(next).filter(|steps| *steps as usize <= MAX_KEPT);
    let key = match under {
        Under::Chain(index) => {
            let chain = &state.chains[index];
            let in_order = || Some(forge::message_key(chain.key.as_ref()?, within(chain.next)?));
            chain.kept.get(&header.number).map(|(key, _)| *key).or_else(in_order)
        }
        Under::Next => match &state.turn {
            Turn::Ours { secret, public, .. } => within(0).map(|steps| {
                let epoch = state.pending.filter(|(epoch, _)| *epoch == header.mixed && *epoch != state.mixed);
                let epoch = epoch.map_or([0; 32], |(_, secret)| secret);
                let chain = forge::next_chain_key(&state.root, (secret, public), state.step + 1, &epoch, header);
                forge::message_key(&chain, steps)
            }),
            Turn::Awaiting | Turn::Theirs => None,
        },
    };
    key.unwrap_or_default()
}

fn choose_header_key(state: &RatchetState, input: &mut Input<'_>) -> Under {
    match usize::from(input.byte()) % (state.chains.len() + 1) {
        0 => Under::Next,
        index => Under::Chain(index - 1),
    }
}

fn make_up_header(state: &RatchetState, under: Under, input: &mut Input<'_>) -> Header {
    let nexts = state.chains.iter().map(|chain| chain.next);
    let bases = nexts.chain([0, 2_000, 25_000, u32::MAX]).collect::<Vec<_>>();
    let choice = input.byte();
    let ratchet_key = match (choice, under) {
        (0..64, Under::Chain(index)) => state.chains[index].ratchet_key,
        (0..192, _) => forge::public_key(choice),
        (192..224, _) => state.chains.last().map_or([0; 32], |oldest| oldest.ratchet_key),
        (224.., _) => input.array(),
    };
    let [previous, number] = [(); 2].map(|()| input.number_near(&bases));
    let (version, kinds, mixed, chunk_end) = match input.byte() {
        0xee => (0x12, 0, 0, 0),
        0xed => (0x01, 0, 0, 0),
        0xec => (0x21, 0, 0, 0),
        0xeb => (0x11, input.byte(), 0, 0),
        0xea => (0x11, 0, u32::from(input.byte()), 0),
        0xe9 => (0x11, input.byte() % 8, 0, 1),
        _ => (0x11, 0, 0, 0),
    };
    let mut chunk = [0; 32];
    chunk[31] = chunk_end;
    Header { ratchet_key, previous, number, version, kinds, epoch: 1, mixed, chunk_number: 0, chunk }
}

fn read(record: &[u8]) -> RatchetState {
    RatchetState::read(&record::open(Kind::Ratchet, record))
}

/// The largest number of messages and answers in one run.
const ROUNDS: u64 = 12;
/// Steps along chains after which a run ends: each costs a microsecond or two.
const STEPS: u32 = 10_000;
/// A byte that asks for a body under another key.
const BAD_BODY: u8 = 0xbb;
