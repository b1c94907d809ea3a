//! The seeds of every target, written to fuzz/corpus by `cargo test --test house write_seeds -- --ignored`.
//!
//! A crash becomes another file beside these, named by its defect.

#[cfg(feature = "call")]
use super::call;
#[cfg(feature = "call")]
use super::call_group;
#[cfg(feature = "call")]
use super::call_link;
#[cfg(feature = "content")]
use super::content;
use super::conversation_record;
use super::device;
use super::envelope;
use super::fixtures::{BLOCKS, Genuine, PARTIES, PRE_KEY_MESSAGES, RATCHETS, SESSIONS, Scene};
use super::group;
use super::group_letter;
use super::hosting;
use super::input::RAW;
#[cfg(feature = "interop")]
use super::interop;
#[cfg(feature = "interop")]
use super::interop_parts;
#[cfg(feature = "interop")]
use super::interop_v4;
use super::media;
use super::membership;
use super::record::{self, Kind};
use super::registers;
#[cfg(feature = "content")]
use super::sealed;
use super::status;
use super::text;
use super::transport;
use super::unseal::genuine_record;

/// Target, name and bytes of each.
pub fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let of = |target, seeds: Vec<(&'static str, Vec<u8>)>| {
        seeds.into_iter().map(move |(name, bytes)| (target, name, bytes)).collect::<Vec<_>>()
    };
    [
        of("accept", accept()),
        of("bundle", bundle()),
        #[cfg(feature = "call")]
        of("call_frame", call::frame_seeds()),
        #[cfg(feature = "call")]
        of("call_group", call_group::seeds()),
        #[cfg(feature = "call")]
        of("call_link", call_link::seeds()),
        #[cfg(feature = "call")]
        of("call_signal", call::signal_seeds()),
        of("ciphertext", ciphertext()),
        of("consent", hosting::consent_seeds()),
        #[cfg(feature = "content")]
        of("content", content::content_seeds()),
        of("conversation", conversation_events()),
        of("conversation_record", conversation_record::seeds()),
        of("decrypt", [conversation(&SESSIONS), vec![("flight_stripped", flight_stripped())]].concat()),
        of("device_list", device::device_list_seeds()),
        of("disclosure", hosting::disclosure_seeds()),
        of("dishonest_peer", dishonest_peer()),
        of("envelope", envelope::seeds()),
        of("first_flight", first_flight()),
        of("group_chain", group::chain_seeds()),
        of("group_distribution", group::distribution_seeds()),
        of("group_message", group::message_seeds()),
        of("group_letter", group_letter::letter_seeds()),
        of("group_room", group_letter::room_seeds()),
        of("group_statement", membership::group_statement_seeds()),
        of("identity_key", identity_key()),
        #[cfg(feature = "interop")]
        of("interop_accept", interop::accept_seeds()),
        #[cfg(feature = "interop")]
        of("interop_bundle", interop::bundle_seeds()),
        #[cfg(feature = "interop")]
        of("interop_decrypt", interop::decrypt_seeds()),
        #[cfg(feature = "interop")]
        of("interop_group", interop_parts::group_seeds()),
        #[cfg(feature = "interop")]
        of("interop_group_state", interop_parts::group_state_seeds()),
        #[cfg(feature = "interop")]
        of("interop_media", interop_parts::media_seeds()),
        #[cfg(feature = "interop")]
        of("interop_message", interop::message_seeds()),
        #[cfg(feature = "interop")]
        of("interop_parts", interop_parts::parts_seeds()),
        #[cfg(feature = "interop")]
        of("interop_state", interop::state_seeds()),
        #[cfg(feature = "interop")]
        of("interop_v4", interop_v4::seeds()),
        of("link", device::link_seeds()),
        of("media_decrypt", media::decrypt_seeds()),
        of("media_pointer", media::pointer_seeds()),
        of("membership", membership::membership_seeds()),
        #[cfg(feature = "content")]
        of("poll_vote", content::poll_vote_seeds()),
        of("ratchet_decrypt", conversation(&RATCHETS)),
        of("registers", registers::seeds()),
        #[cfg(feature = "content")]
        of("sealed_answer", sealed::seeds()),
        of("state", state()),
        of("status", status::seeds()),
        of("text", text::seeds()),
        of("transport", transport::seeds()),
        of("unseal", unseal()),
    ]
    .concat()
}

fn accept() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("last_resort", intact(7)),
        ("last_resort_of_older_generation", intact(0)),
        ("one_time", intact(8)),
        ("one_time_of_older_generation", intact(3)),
        ("flight_of_another_session", vec![2, 1, SPLICE, 4, 0x04, 0xb9]),
        ("flipped_ephemeral", vec![0, 1, FLIP, 1, 0, 1]),
        ("flipped_one_time_id", vec![2, 1, FLIP, 1, 0, 40]),
        ("flipped_kem_ciphertext", vec![0, 1, FLIP, 1, 1, 0]),
        ("flipped_identity", vec![0, 1, FLIP, 1, 0x04, 0xa0]),
        ("flipped_header", vec![0, 1, FLIP, 1, 0x04, 0xd0]),
        ("truncated", vec![0, 1, TRUNCATE, 0, 0x04, 0xb9]),
        ("raw", raw(&PRE_KEY_MESSAGES[4].bytes)),
    ]
}

fn bundle() -> Vec<(&'static str, Vec<u8>)> {
    let with_mode = |mode, index: usize| [vec![mode], PARTIES.bundles[index].to_bytes()].concat();
    let changed = |index, at: usize, bytes: &[u8]| {
        let mut bundle = with_mode(1, index);
        bundle[1 + at..][..bytes.len()].copy_from_slice(bytes);
        bundle
    };
    let mut twist = [0; 32];
    twist[0] = 2;
    let mut flipped = with_mode(0, 3);
    flipped[1 + 80] ^= 1;
    vec![
        ("flipped_expiry", flipped),
        ("last_resort", with_mode(0, 3)),
        ("one_time", with_mode(0, 4)),
        ("hostile_last_resort", with_mode(1, 3)),
        ("hostile_one_time", with_mode(1, 4)),
        ("hostile_expired", changed(3, 79, &[0; 8])),
        ("hostile_from_the_future", changed(3, 71, &[0x7f; 8])),
        ("hostile_small_order", changed(3, 88, &[0; 32])),
        ("hostile_twist", changed(3, 88, &twist)),
        ("hostile_kem_not_reduced", changed(3, 125, &[0xff; 32])),
        ("truncated", with_mode(0, 3)[..1000].to_vec()),
        ("trailing_byte", [with_mode(1, 3), vec![0]].concat()),
    ]
}

fn ciphertext() -> Vec<(&'static str, Vec<u8>)> {
    let ordinary = &SESSIONS[1].messages[0].bytes;
    vec![
        ("first", PRE_KEY_MESSAGES[0].bytes.clone()),
        ("ordinary", ordinary.clone()),
        ("first_too_short", PRE_KEY_MESSAGES[0].bytes[..1340].to_vec()),
        ("ordinary_too_short", ordinary[..132].to_vec()),
        ("unknown_kind", [&[0x23], &ordinary[1..]].concat()),
    ]
}

fn first_flight() -> Vec<(&'static str, Vec<u8>)> {
    let header = |index: usize| PRE_KEY_MESSAGES[index].bytes[1..1209].to_vec();
    vec![
        ("last_resort", header(0)),
        ("one_time", header(8)),
        ("small_order", [vec![0; 32], header(0).split_off(32)].concat()),
        ("not_reduced", [vec![0xff; 32], header(0).split_off(32)].concat()),
        ("truncated", header(0)[..1207].to_vec()),
        ("trailing_byte", [header(0), vec![0]].concat()),
    ]
}

fn identity_key() -> Vec<(&'static str, Vec<u8>)> {
    let key = PARTIES.alice.public().to_bytes();
    vec![
        ("honest", key.to_vec()),
        ("agreement_small_order", [&key[..32], &[0; 32]].concat()),
        ("agreement_not_reduced", [&key[..32], &[0xff; 32]].concat()),
        ("agreement_twist", [&key[..32], &[2], &[0; 31]].concat()),
        ("signing_small_order", [[1].as_slice(), &[0; 31], &key[32..]].concat()),
        ("signing_not_reduced", [[0xff; 32].as_slice(), &key[32..]].concat()),
    ]
}

fn conversation(scenes: &[Scene; 2]) -> Vec<(&'static str, Vec<u8>)> {
    let all = 0..u8::try_from(scenes[0].messages.len()).expect("few messages");
    let deliver = |scene, numbers: &mut dyn Iterator<Item = u8>| {
        [vec![scene], numbers.flat_map(|number| [number, 0]).collect()].concat()
    };
    let edit = |number, edit: [u8; 4]| [&[0, number, 1], edit.as_slice(), &[number, 0]].concat();
    let newest = raw(&scenes[0].messages[10].bytes);
    vec![
        ("in_order", deliver(0, &mut all.clone())),
        ("backwards", deliver(0, &mut all.clone().rev())),
        ("twice", deliver(0, &mut all.flat_map(|number| [number, number]))),
        ("other_side", deliver(1, &mut (0..4))),
        ("flipped_salt", edit(9, [FLIP, 1, 0, 2])),
        ("flipped_header", edit(9, [FLIP, 1, 0, 40])),
        ("flipped_header_tag", edit(9, [FLIP, 1, 0, 110])),
        ("flipped_body_tag", edit(9, [FLIP, 1, 0, 125])),
        ("spliced", edit(9, [SPLICE, 10, 0, 117])),
        ("truncated", edit(10, [TRUNCATE, 0, 0, 132])),
        ("raw", [vec![0], newest].concat()),
    ]
}

/// A pre-key header is only prepended to a message of a session, which is accepted without it.
fn flight_stripped() -> Vec<u8> {
    let Genuine { bytes, .. } = &SESSIONS[0].messages[2];
    [vec![0], raw(&[&[0x22], &bytes[1209..]].concat())].concat()
}

/// Scripts of events: see `Event::read`.
fn conversation_events() -> Vec<(&'static str, Vec<u8>)> {
    const LEFT: [u8; 2] = [0, 5];
    const RIGHT: [u8; 2] = [1, 9];
    const DELIVER: [u8; 2] = [18, 0];
    const DELIVER_LATEST: [u8; 2] = [18, 2];
    let round = [LEFT, DELIVER, RIGHT, DELIVER].concat();
    let after = |event: &[u8]| [round.as_slice(), event, &round, &round].concat();
    vec![
        ("ping_pong", [round.as_slice(); 4].concat()),
        ("out_of_order", [LEFT, LEFT, LEFT, DELIVER_LATEST, RIGHT, RIGHT, DELIVER_LATEST, LEFT, DELIVER].concat()),
        ("both_initiate", [LEFT, RIGHT, DELIVER, DELIVER, LEFT, RIGHT, RIGHT, LEFT].concat()),
        ("duplicate_and_drop", after(&[0, 5, 41, 0, 41, 0, 18, 0, 44, 0])),
        ("damage", after(&[0, 5, 45, 0, 0, 40, 1, 48, 0, 0, 50, 49, 0, 9, 50, 0])),
        ("crash_and_restart", after(&[37, 0, 37, 1, 0, 5, 39, 0, 40, 0, 54, 55])),
        ("restore", after(&[0, 5, 18, 0, 56, 3, 0, 57, 2, 1])),
        ("partition", after(&[51, 0, 5, 18, 0, 1, 9, 52])),
        ("rotate", after(&[58, 40, 59, 0, 0, 5, 58, 200, 59, 1])),
        ("copy_and_forge", after(&[60, 62, 18, 0, 1, 9, 18, 0, 61, 63])),
    ]
}

fn dishonest_peer() -> Vec<(&'static str, Vec<u8>)> {
    // Header key, ratchet key, PN and N (base, offset), the byte that must be zero, the body's key.
    let honest = [0, NEXT, 100, 0, 0, 0, 0, 0, 0];
    let mid = |message: [u8; 9]| [vec![0], message.to_vec()].concat();
    let chains = (64..72).flat_map(|key| [vec![0, NEXT, key, 0, 1, 3, 2, 0, 0], vec![1, 2, ANSWER]].concat());
    vec![
        ("first_message", [vec![1], honest.to_vec()].concat()),
        ("first_with_previous", [vec![1], vec![0, NEXT, 100, 0, 1, 0, 0, 0, 0]].concat()),
        ("kept_key_used", mid([0, NEWEST + 1, 0, 0, 0, 3, 0, 0, 0])),
        ("eight_chains", [vec![0], chains.collect()].concat()),
        ("jump_at_the_bound", mid([0, NEXT, 100, 0, 0, 5, 0, 0, 0])),
        ("jump_past_the_bound", mid([0, NEXT, 100, 0, 0, 5, 1, 0, 0])),
        ("chain_jump_past_the_bound", mid([0, NEWEST, 0, 0, 0, 5, 3, 0, 0])),
        ("previous_past_the_bound", mid([0, NEXT, 100, 5, 3, 3, 0, 0, 0])),
        ("keeps_past_the_bound", mid([0, NEWEST, 0, 0, 0, 4, 9, 0, 0])),
        ("step_without_answer", [mid([0, NEXT, 100, 0, 1, 3, 2, 0, 0]), vec![0, NEXT, 101, 0, 1, 3, 2, 0, 0]].concat()),
        ("ratchet_key_of_an_old_chain", mid([0, NEXT, 200, 0, 0, 3, 0, 0, 0])),
        ("shrunken_previous", mid([0, NEXT, 100, 3, 0, 3, 0, 0, 0])),
        ("past_the_end", mid([0, NEWEST + 1, 0, 0, 0, 1, 0, 0, 0])),
        ("other_ratchet_key", mid([0, NEWEST, 100, 0, 0, 0, 0, 0, 0])),
        ("last_number", mid([0, NEWEST, 0, 0, 0, 6, 0, 0, 0])),
        ("post_quantum_not_zero", mid([0, NEXT, 100, 0, 0, 3, 0, 0xee, 0])),
        ("bad_body", mid([0, NEXT, 100, 0, 0, 3, 0, 0, 0xbb])),
        ("small_order", [vec![0, 0, NEXT, 224], vec![0; 32], vec![0, 0, 3, 0, 0, 0]].concat()),
    ]
}

fn state() -> Vec<(&'static str, Vec<u8>)> {
    let opened = |kind, record: &[u8]| [vec![kind as u8 - 1], record::open(kind, record)].concat();
    let ratchet = opened(Kind::Ratchet, &RATCHETS[0].record);
    let pre_keys = opened(Kind::PreKeys, &genuine_record(Kind::PreKeys));
    let mut unordered = pre_keys.clone();
    unordered[pre_keys.len() - 2 * PAIR..].rotate_left(PAIR);
    let session = opened(Kind::Session, &SESSIONS[0].record);
    let block = record::open_named(record::SKIPPED_KEYS, &BLOCKS.prefix, &BLOCKS.block);
    let mut flag = ratchet.clone();
    flag[1 + 64] = 2;
    vec![
        ("ratchet_flag_of_two", flag),
        ("ratchet_trailing_byte", [ratchet.as_slice(), &[0]].concat()),
        ("identity", opened(Kind::Identity, &genuine_record(Kind::Identity))),
        ("pre_keys", pre_keys),
        ("pre_keys_unordered", unordered),
        ("session", session.clone()),
        // Of the newest of three remembered messages the step and the number.
        ("session_remembering_what_it_did_not_receive", edited(&session, &[(1072, 0), (1076, 0)], session.len())),
        ("block", [vec![4], block.clone()].concat()),
        ("block_of_23_keys", [vec![4], edited(&block, &[(19, 23)], block.len() - 32)].concat()),
        ("block_of_no_key", vec![4, 0, 0, 0, 0]),
        ("block_of_another_chain", [vec![4], edited(&block, &[(7, 2)], block.len())].concat()),
        ("block_after_the_loose_keys", [vec![4], edited(&block, &[(11, 7)], block.len())].concat()),
        ("session_unanswered", opened(Kind::Session, &SESSIONS[1].record)),
        ("ratchet", ratchet),
        ("ratchet_fresh", opened(Kind::Ratchet, &RATCHETS[1].record)),
    ]
}

/// With some bytes replaced, and so long.
fn edited(bytes: &[u8], replaced: &[(usize, u8)], length: usize) -> Vec<u8> {
    let mut bytes = bytes[..length].to_vec();
    replaced.iter().for_each(|(at, byte)| bytes[*at] = *byte);
    bytes
}

fn unseal() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("identity", intact(0)),
        ("pre_keys", intact(1)),
        ("session", intact(2)),
        ("ratchet", intact(3)),
        ("block", intact(4)),
        ("flipped_block", vec![4, 1, FLIP, 1, 0, 30]),
        ("later_format", vec![2, 1, FLIP, 3, 0, 0]),
        ("flipped_nonce", vec![2, 1, FLIP, 1, 0, 5]),
        ("flipped_body", vec![2, 1, FLIP, 1, 0, 99]),
        ("truncated", vec![2, 1, TRUNCATE, 0, 0, 41]),
        ("empty", vec![RAW]),
    ]
}

/// A genuine message, unchanged.
fn intact(number: u8) -> Vec<u8> {
    vec![number, 0]
}

fn raw(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("messages are short");
    [&[RAW], length.to_be_bytes().as_slice(), bytes].concat()
}

/// Bytes of a one-time pair in sealed pre-keys, with its id.
const PAIR: usize = 200;

// Kinds of edit: see `Input::edited`.
const FLIP: u8 = 0;
const TRUNCATE: u8 = 1;
const SPLICE: u8 = 4;

// What a dishonest peer does: see `dishonest_peer`.
const NEXT: u8 = 0;
const NEWEST: u8 = 1;
const ANSWER: u8 = 7;
