//! What a receiver must do with a header whose tag has verified (docs/spec/session.md, sections 4.6 to 4.9): a second
//! implementation.

use std::collections::BTreeMap;

use bisik::ratchet::DecryptError as Refusal;
use curve25519_dalek::montgomery::MontgomeryPoint;

use super::forge::Header;
use super::ratchet_state::{Chain, RatchetState, Turn};

/// The header key that verified the header.
#[derive(Clone, Copy, Debug)]
pub enum Under {
    /// The key of a chain, by its position.
    Chain(usize),
    /// The next header key.
    Next,
}

/// The state after the message, if the tag of its body verifies. Keys in it have no meaning.
pub fn process_header(
    state: &RatchetState,
    under: Under,
    header: &Header,
    digest: &[u8; 32],
) -> Result<RatchetState, Refusal> {
    let ended = matches!(under, Under::Chain(1..));
    // Without an own chain, the next header key is that of an own chain.
    if matches!(under, Under::Next) && !matches!(state.turn, Turn::Ours { .. }) {
        return Err(Refusal::Rejected);
    }
    // Who copied the state once knows the header keys of ended chains: nothing under them contradicts the session.
    let contradicts = if ended { Refusal::Rejected } else { Refusal::Diverged };
    if header.version & 0x0f != 1 {
        return Err(if ended { Refusal::Rejected } else { Refusal::UnsupportedVersion(header.version & 0x0f) });
    }
    let possible = header.version >> 4 >= 1
        && header.kinds >> 4 <= 4
        && header.number < u32::MAX
        && is_possible_part(header)
        && header.epoch <= state.braid_epoch + 1;
    if !possible || !is_public_key(&header.ratchet_key) {
        return Err(contradicts);
    }
    let mut after = state.clone();
    let eight = *digest.first_chunk().expect("32 bytes have 8");
    match under {
        Under::Chain(index) => receive_known(&mut after, index, header, eight, contradicts)?,
        Under::Next => receive_next(&mut after, header)?,
    }
    let step = match under {
        Under::Chain(index) => state.chains[index].step,
        Under::Next => after.step,
    };
    after.remembered.push_front((step, header.number, eight));
    after.remembered.truncate(REMEMBERED);
    after.received += 1;
    trim(&mut after);
    Ok(after)
}

fn receive_known(
    state: &mut RatchetState,
    index: usize,
    header: &Header,
    digest: [u8; 8],
    contradicts: Refusal,
) -> Result<(), Refusal> {
    let room = MAX_KEPT.saturating_sub(state.skipped_keys());
    let bound = state.bound;
    let chain = &mut state.chains[index];
    let unknown = chain.ratchet_key == [0; 32];
    if !unknown && header.ratchet_key != chain.ratchet_key {
        return Err(Refusal::Forked { step: chain.step, number: header.number });
    }
    let bound = if chain.step == 1 { bound } else { 0 };
    if header.mixed != chain.mixed || header.kinds >> 4 != bound || (unknown && header.previous != 0) {
        return Err(contradicts);
    }
    if header.number < chain.next {
        return match chain.kept.remove(&header.number) {
            Some(_) => Ok(()),
            None => Err(used(state, index, header.number, digest)),
        };
    }
    if chain.key.is_none() || (unknown && !is_on_curve(&header.ratchet_key)) {
        return Err(contradicts);
    }
    let missing = header.number - chain.next;
    if missing as usize > room {
        return Err(Refusal::Ahead { missing });
    }
    skip_to(chain, header.number, state.received + 1);
    chain.next = header.number + 1;
    if unknown {
        chain.ratchet_key = header.ratchet_key;
        state.turn = Turn::Theirs;
    }
    Ok(())
}

/// A used number: the same message again, another one under it, or too long ago to tell.
fn used(state: &RatchetState, index: usize, number: u32, digest: [u8; 8]) -> Refusal {
    let step = state.chains[index].step;
    match state.remembered.iter().find(|(at, of, _)| (*at, *of) == (step, number)) {
        Some((_, _, known)) if *known == digest => Refusal::Duplicate,
        Some(_) => Refusal::Forked { step, number },
        None => Refusal::Spent,
    }
}

fn receive_next(state: &mut RatchetState, header: &Header) -> Result<(), Refusal> {
    let room = MAX_KEPT.saturating_sub(state.skipped_keys());
    let known = state.chains.iter().any(|chain| chain.ratchet_key == header.ratchet_key);
    let received = state.chains.first().map_or(0, |newest| newest.next);
    let has_no_previous = state.chains.is_empty() && header.previous != 0;
    if known || header.kinds >> 4 != 0 && state.step != 0 || header.previous < received || has_no_previous {
        return Err(Refusal::Diverged);
    }
    // A bare ratchet is bound to nothing. The only other epoch that can be mixed in is the one that is pending.
    let is_next = |epoch| epoch == header.mixed && epoch == state.mixed + 1 && header.epoch > epoch;
    let mixes = state.pending.is_some_and(|(epoch, _)| is_next(epoch));
    if (header.mixed != state.mixed && !mixes) || header.kinds >> 4 != 0 || !is_on_curve(&header.ratchet_key) {
        return Err(Refusal::Diverged);
    }
    let missing = (header.previous - received).saturating_add(header.number);
    if missing as usize > room {
        return Err(Refusal::Ahead { missing });
    }
    let at = state.received + 1;
    if let Some(newest) = state.chains.first_mut() {
        skip_to(newest, header.previous, at);
        newest.key = None;
    }
    state.step += 1;
    let (step, mixed) = (state.step, header.mixed);
    let (header_key, ratchet_key) = (state.next_header, header.ratchet_key);
    let kept = BTreeMap::new();
    let mut chain = Chain { step, mixed, header: header_key, ratchet_key, next: 0, key: Some([0; 32]), kept };
    skip_to(&mut chain, header.number, at);
    chain.next = header.number + 1;
    state.chains.insert(0, chain);
    state.turn = Turn::Theirs;
    Ok(())
}

/// Records which numbers are missing.
fn skip_to(chain: &mut Chain, number: u32, at: u32) {
    chain.kept.extend((chain.next..number).map(|missing| (missing, ([0; 32], at))));
    chain.next = number;
}

/// What ends: chains beyond the fifth, keys after which 2,000 messages were received, older chains that keep nothing.
fn trim(state: &mut RatchetState) {
    state.chains.truncate(MAX_CHAINS);
    let received = state.received;
    for chain in &mut state.chains {
        chain.kept.retain(|_, (_, at)| received - *at < KEPT_FOR);
    }
    let mut index = 0;
    state.chains.retain(|chain| {
        index += 1;
        index <= 2 || !chain.kept.is_empty()
    });
}

/// Whether the part of the braid is one that a sender writes.
fn is_possible_part(header: &Header) -> bool {
    let kind = header.kinds & 0x0f;
    let empty = header.chunk_number == 0 && header.chunk == [0; 32];
    header.epoch >= 1 && (matches!(kind, 1..=3 | 5..=6) || (matches!(kind, 0 | 4) && empty))
}

/// Whether the encoding is reduced and not of small order on the curve or its twist: a multiple of eight takes those
/// points to zero.
pub fn is_public_key(bytes: &[u8; 32]) -> bool {
    is_below_p(bytes) && MontgomeryPoint(*bytes).mul_clamped([8; 32]).to_bytes() != [0; 32]
}

/// Whether the point is on the curve, not on the twist.
pub fn is_on_curve(bytes: &[u8; 32]) -> bool {
    MontgomeryPoint(*bytes).to_edwards(0).is_some()
}

/// Whether the little-endian number is below 2^255 - 19.
fn is_below_p(bytes: &[u8; 32]) -> bool {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    bytes.iter().rev().lt(p.iter().rev())
}

/// P-4.12: bounded skipped keys, and bounded steps.
pub const MAX_KEPT: usize = 2_000;
/// Kept keys end after so many further messages.
const KEPT_FOR: u32 = 2_000;
/// P-4.18: bounded chains.
const MAX_CHAINS: usize = 5;
/// Messages that are remembered.
const REMEMBERED: usize = 8;
