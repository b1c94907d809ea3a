//! `unseal`: edited records under every kind, key and name. `state`: arbitrary bytes as a state, under a valid tag.
//!
//! Only sealed records open, and an opened state can be used and sealed again.

use bisik::ratchet::DoubleRatchet;
use bisik::{BlockId, Ciphertext, Identity, PreKeys, Session, StorageKey, Timestamp, Trust, UnsealError};

use super::fixtures::{
    BLOCKS, Blocks, Endpoint, PARTIES, PRE_KEY_MESSAGES, Parties, RATCHETS, Repeatable, SESSIONS, storage_key,
};
use super::input::Input;
use super::record::{self, CONTEXT, Kind, SKIPPED_KEYS};
use crate::blocks;

pub fn unseal(data: &[u8]) {
    let mut input = Input::new(data);
    let mut genuine = Kind::ALL.map(genuine_record).to_vec();
    genuine.push(BLOCKS.block.clone());
    let bytes = input.edited(&genuine);
    // An edited block beside its head.
    let Blocks { head, block, .. } = &*BLOCKS;
    let opened = Session::unseal(&storage_key(), CONTEXT, head, |_| Some(bytes.clone())).map(drop);
    assert_eq!(opened.is_ok(), bytes == *block, "a block opens unchanged");
    for (kind, genuine) in Kind::ALL.into_iter().zip(&genuine) {
        let refusal = if bytes.first().is_none_or(|format| *format == 1) {
            UnsealError::Rejected
        } else {
            UnsealError::UnknownVersion
        };
        let expected = if bytes == *genuine { Ok(()) } else { Err(refusal) };
        assert_eq!(open_as(kind, &storage_key(), CONTEXT, &bytes), expected, "{kind:?}");
        assert_eq!(open_as(kind, &storage_key(), b"other", &bytes), Err(refusal), "{kind:?}: the name is bound");
        let other_key = StorageKey::from_bytes([0x4c; 32]);
        assert_eq!(open_as(kind, &other_key, CONTEXT, &bytes), Err(refusal), "{kind:?}: the key is bound");
    }
}

fn open_as(kind: Kind, key: &StorageKey, context: &[u8], record: &[u8]) -> Result<(), UnsealError> {
    match kind {
        Kind::Identity => Identity::unseal(key, context, record).map(drop),
        Kind::PreKeys => PreKeys::unseal(key, context, record).map(drop),
        Kind::Session => Session::unseal(key, context, record, |_| None).map(drop),
        Kind::Ratchet => DoubleRatchet::unseal(key, context, record).map(drop),
    }
}

/// One record of each kind.
pub fn genuine_record(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Identity => seal_identity(&PARTIES.bob),
        Kind::PreKeys => seal_pre_keys(&PARTIES.keys),
        Kind::Session => SESSIONS[0].record.clone(),
        Kind::Ratchet => RATCHETS[0].record.clone(),
    }
}

/// The first byte is the kind; the rest is the content of the record, or with a greater kind of a session's block.
pub fn state(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = Kind::ALL.get(usize::from(input.byte() % 5));
    let state = input.rest();
    let Some(kind) = kind.copied() else { return block_content(state) };
    let record = record::seal(kind, state);
    match kind {
        Kind::Identity => {
            let identity = Identity::unseal(&storage_key(), CONTEXT, &record);
            assert_eq!(identity.is_ok(), state.len() == 64, "any 64 bytes are an identity's secrets");
            identity.iter().for_each(|identity| assert_eq!(record::open(kind, &seal_identity(identity)), state));
        }
        Kind::PreKeys => PreKeys::unseal(&storage_key(), CONTEXT, &record).into_iter().for_each(|keys| {
            assert_eq!(record::open(kind, &seal_pre_keys(&keys)), state, "decoded values have one encoding");
            use_pre_keys(keys);
        }),
        Kind::Session => Session::unseal(&storage_key(), CONTEXT, &record, |_| None)
            .into_iter()
            .for_each(|session| use_endpoint(session, kind, state, &SESSIONS[0].messages)),
        Kind::Ratchet => DoubleRatchet::unseal(&storage_key(), CONTEXT, &record)
            .into_iter()
            .for_each(|ratchet| use_endpoint(ratchet, kind, state, &RATCHETS[0].messages)),
    }
}

/// Any content of a block, under a valid tag, beside a genuine head that names it. The nonce is always the same, and so
/// is the name.
fn block_content(content: &[u8]) {
    let Blocks { head, prefix, messages, .. } = &*BLOCKS;
    let mut state = record::open(Kind::Session, head);
    let names = state.len() - 8;
    state.truncate(names);
    state.extend([0x4e; 8]);
    let (head, block) = (record::seal(Kind::Session, &state), record::seal_named(SKIPPED_KEYS, prefix, content));
    let Ok(mut session) = Session::unseal(&storage_key(), CONTEXT, &head, |_| Some(block.clone())) else { return };
    let sealed = session.seal(&storage_key(), CONTEXT, &mut Repeatable(0)).unwrap();
    assert!(sealed.blocks().is_empty() && record::open(Kind::Session, sealed.head()) == state, "one encoding");
    // The session may still name it at the end.
    blocks::put(BlockId::from_bytes([*prefix, [0x4e; 8]].concat().try_into().expect("16 bytes")), &block);
    use_endpoint(session, Kind::Session, &state, messages);
}

/// A decoded state has one encoding, and every use of it leaves a state that can be stored.
fn use_endpoint<E: Endpoint>(mut endpoint: E, kind: Kind, state: &[u8], messages: &[impl AsRef<[u8]>]) {
    assert_eq!(record::open(kind, &endpoint.record()), state, "decoded values have one encoding");
    let _ = endpoint.write(b"halo", &mut Repeatable(6));
    for message in messages.iter().step_by(3) {
        let _ = endpoint.receive(message.as_ref());
        let _ = endpoint.write(b"halo", &mut Repeatable(7));
    }
    let record = endpoint.record();
    assert_eq!(E::reopen(&record).record(), record, "every reachable state can be stored");
}

fn use_pre_keys(mut keys: PreKeys) {
    let Parties { bob, now, .. } = &*PARTIES;
    let _ = (keys.bundle(), keys.one_time_bundles(*now), keys.count(*now));
    for message in PRE_KEY_MESSAGES.iter().step_by(4) {
        let message = Ciphertext::from_bytes(&message.bytes).expect("it is genuine");
        if let Ok(accepted) = Session::accept(bob, &keys, &message, Trust::OnFirstUse, *now) {
            keys.remove(accepted.used);
        }
    }
    let _ = keys.replenish(bob, 1, &mut Repeatable(8));
    for now in [*now, now.plus_seconds(60 * 24 * 60 * 60), Timestamp::from_unix_seconds(u64::MAX)] {
        let _ = keys.rotate(bob, now, &mut Repeatable(9));
    }
    let record = seal_pre_keys(&keys);
    let same = PreKeys::unseal(&storage_key(), CONTEXT, &record).expect("every reachable state can be stored");
    assert_eq!(seal_pre_keys(&same), record, "a sealed state opens unchanged");
}

fn seal_identity(identity: &Identity) -> Vec<u8> {
    identity.seal(&storage_key(), CONTEXT, &mut Repeatable(0))
}

fn seal_pre_keys(keys: &PreKeys) -> Vec<u8> {
    keys.seal(&storage_key(), CONTEXT, &mut Repeatable(0))
}
