//! Identities, pre-keys and keys supplied by callers: none is left in freed memory.

use bisik::handshake;
use bisik::ratchet::{KeyPair, SharedSecret};
use bisik::{Identity, PreKeys, Rotation, StorageKey, Timestamp, Trust};

use super::canaries::Canaries;
use super::derived::add_aead_key;
use super::freed::freed_by;
use super::recording::Recording;

pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub const WEEK: u64 = 7 * 24 * 60 * 60;

#[test]
fn every_identity_is_wiped_when_dropped() {
    let mut rng = Recording::new(1);
    let storage = [0x3B; 32];
    let ((), freed) = freed_by(|| {
        let identity = Box::new(Identity::generate(&mut rng));
        let record = identity.seal(&StorageKey::from_bytes(storage), b"identity", &mut rng);
        drop(identity);
        let identity = Identity::unseal(&StorageKey::from_bytes(storage), b"identity", &record).unwrap();
        drop(Box::new(identity));
        assert!(Identity::unseal(&StorageKey::from_bytes(storage), b"another", &record).is_err());
    });
    let mut canaries = Canaries::new();
    canaries.add_expanded("the identity", &rng);
    canaries.assert_absent(&freed);
}

#[test]
fn keys_held_by_callers_are_wiped() {
    let mut rng = Recording::new(2);
    let mut canaries = Canaries::new();
    let ((), freed) = freed_by(|| {
        drop(Box::new(StorageKey::generate(&mut rng)));
        drop(Box::new(StorageKey::from_bytes(rng.secret())));
        drop(Box::new(SharedSecret::from_bytes(rng.secret())));
        drop(Box::new(KeyPair::generate(&mut rng)));
    });
    canaries.add_expanded("a caller", &rng);
    canaries.assert_absent(&freed);
}

#[test]
fn using_a_storage_key_leaves_nothing_in_freed_memory() {
    let mut rng = Recording::new(3);
    let bytes = rng.secret();
    let ((), freed) = freed_by(|| {
        let (key, bob) = (Box::new(StorageKey::from_bytes(bytes)), Identity::generate(&mut rng));
        let keys = PreKeys::generate(&bob, NOW, &mut rng);
        let record = keys.seal(&key, b"pre-keys", &mut rng);
        assert!(PreKeys::unseal(&key, b"pre-keys", &record).is_ok());
        assert!(PreKeys::unseal(&key, b"another", &record).is_err());
    });
    let mut canaries = Canaries::new();
    add_aead_key(&mut canaries, "storage key", &bytes);
    canaries.add_expanded("its user", &rng);
    canaries.assert_absent(&freed);
}

/// A caller's collection moves its elements when it grows, and frees the old memory.
#[test]
fn moved_keys_leave_nothing_in_freed_memory() {
    let mut rng = Recording::new(5);
    let ((), freed) = freed_by(|| {
        let (mut identities, mut pairs, mut storage, mut shared) = (vec![], vec![], vec![], vec![]);
        for _ in 0..10 {
            identities.push(Identity::generate(&mut rng));
            pairs.push(KeyPair::generate(&mut rng));
            storage.push(StorageKey::generate(&mut rng));
            shared.push(SharedSecret::from_bytes(rng.secret()));
        }
    });
    let mut canaries = Canaries::new();
    canaries.add_expanded("a caller", &rng);
    canaries.assert_absent(&freed);
}

/// Through growth, rotation, use, removal, expiry, sealing and both ways of being dropped.
#[test]
fn pre_keys_leave_no_secret_in_freed_memory() {
    let mut rng = Recording::new(4);
    let mut alices = Recording::new(5);
    let alice = Identity::generate(&mut alices);
    let storage = StorageKey::from_bytes([0x3B; 32]);
    let ((), freed) = freed_by(|| {
        let bob = Identity::generate(&mut rng);
        let mut keys = PreKeys::generate(&bob, NOW, &mut rng);
        for week in 1..=8 {
            // More pairs than a node of the tree holds, so that nodes split; later they merge again.
            let now = NOW.plus_seconds((week - 1) * WEEK);
            let bundles = keys.replenish(&bob, 14, &mut rng).unwrap();
            for bundle in [bundles[0].clone(), bundles[7].clone(), keys.bundle()] {
                let bundle = bundle.verify(Trust::Pinned(bob.public()), now).unwrap();
                let at_alice = handshake::initiate(&alice, &bundle, None, now, &mut alices).unwrap();
                let header = &at_alice.pre_key_header;
                let at_bob = handshake::respond(&bob, &keys, header, None, Trust::OnFirstUse, now).unwrap();
                keys.remove(at_bob.claim().unwrap());
            }
            let record = keys.seal(&storage, b"pre-keys", &mut rng);
            keys = PreKeys::unseal(&storage, b"pre-keys", &record).unwrap();
            assert_ne!(keys.rotate(&bob, NOW.plus_seconds(week * WEEK), &mut rng).unwrap(), Rotation::Nothing);
        }
        assert!(keys.count(NOW.plus_seconds(8 * WEEK)).one_time < 8 * 12, "nothing has expired");
        drop(Box::new(keys));
    });
    let mut canaries = Canaries::new();
    canaries.add_expanded("pre-keys", &rng);
    canaries.add_hedged("pre-keys", &rng);
    assert!(canaries.len() > 8 * 14 * (1_152 / 8 - 1));
    canaries.assert_absent(&freed);
}
