//! What a receiver must do with a header whose tag has verified (docs/spec/session.md, sections 4.6 and 4.7): a second
//! implementation.

use std::collections::BTreeMap;

use bisik::ratchet::DecryptError as Refusal;
use curve25519_dalek::montgomery::MontgomeryPoint;

use super::forge::Header;
use super::ratchet_state::{Chain, RatchetState};

/// The header key that verified the header.
#[derive(Clone, Copy, Debug)]
pub enum Under {
    /// The key of a chain, by its position.
    Chain(usize),
    /// `NHKr`.
    Next,
}

/// The state after the message, if the tag of its body verifies. Keys in it have no meaning.
pub fn process_header(state: &RatchetState, under: Under, header: &Header) -> Result<RatchetState, Refusal> {
    if header.post_quantum != [0; 44] || !is_public_key(&header.ratchet_key) {
        return Err(Refusal::Diverged);
    }
    let mut after = state.clone();
    match under {
        Under::Chain(index) => receive_known(&mut after.chains[index], header)?,
        Under::Next => receive_next(&mut after, header)?,
    }
    keep_the_newest(&mut after);
    Ok(after)
}

fn receive_known(chain: &mut Chain, header: &Header) -> Result<(), Refusal> {
    if header.ratchet_key != chain.ratchet_key {
        return Err(Refusal::Diverged);
    }
    if header.number < chain.next {
        return chain.kept.remove(&header.number).map(drop).ok_or(Refusal::Replayed);
    }
    if chain.key.is_none() {
        return Err(Refusal::Diverged);
    }
    if header.number - chain.next > MAX_SKIP {
        return Err(Refusal::TooFarAhead);
    }
    let next = header.number.checked_add(1).ok_or(Refusal::TooFarAhead)?;
    skip_to(chain, header.number);
    chain.next = next;
    Ok(())
}

fn receive_next(state: &mut RatchetState, header: &Header) -> Result<(), Refusal> {
    let answered = state.has_sending_chain || state.chains.is_empty();
    let known = state.chains.iter().any(|chain| chain.ratchet_key == header.ratchet_key);
    let received = state.chains.first().map_or(0, |newest| newest.next);
    let has_no_previous = state.chains.is_empty() && header.previous != 0;
    if !answered || known || header.previous < received || has_no_previous {
        return Err(Refusal::Diverged);
    }
    if header.previous - received > MAX_SKIP || header.number > MAX_SKIP {
        return Err(Refusal::TooFarAhead);
    }
    if !is_on_curve(&header.ratchet_key) || state.pair.is_none() {
        return Err(Refusal::Diverged);
    }
    if let Some(newest) = state.chains.first_mut() {
        skip_to(newest, header.previous);
        newest.key = None;
    }
    let (header_key, ratchet_key) = (state.next_header, header.ratchet_key);
    let mut chain = Chain { header: header_key, ratchet_key, next: 0, key: Some([0; 32]), kept: BTreeMap::new() };
    skip_to(&mut chain, header.number);
    chain.next = header.number + 1;
    state.chains.insert(0, chain);
    state.chains.truncate(MAX_CHAINS);
    Ok(())
}

/// Records which numbers are missing.
fn skip_to(chain: &mut Chain, number: u32) {
    chain.kept.extend((chain.next..number).map(|missing| (missing, [0; 32])));
    chain.next = number;
}

/// The lowest number of the oldest chain is dropped first.
fn keep_the_newest(state: &mut RatchetState) {
    for _ in MAX_SKIPPED..state.skipped_keys().max(MAX_SKIPPED) {
        let oldest = state.chains.iter_mut().rev().find(|chain| !chain.kept.is_empty());
        oldest.and_then(|chain| chain.kept.pop_first());
    }
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

/// P-4.9: bounded steps.
pub const MAX_SKIP: u32 = 25_000;
/// P-4.11: bounded skipped keys.
const MAX_SKIPPED: usize = 2_000;
/// P-4.12: bounded chains.
const MAX_CHAINS: usize = 5;
