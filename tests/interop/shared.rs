//! App state shared by the devices of an account: known answers, changed values and tags, and the LtHash.

use bisik::interop::whatsapp::{AppStateKeys, Collection, LtHash, Operation};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};

use super::known::{Draws, Known, from_hex};

/// S-12.1, S-12.2, S-12.3, S-12.4, S-12.5, S-12.6. Computed by tests/reference/interop_media.py.
#[test]
fn app_state_values_hashes_and_tags_match_the_reference() {
    let blocks = Known::load("app_state.txt");
    assert_eq!(blocks.len(), Collection::ALL.len());
    for (known, collection) in blocks.iter().zip(Collection::ALL) {
        assert_eq!(collection.name(), known.text("collection"));
        let keys = AppStateKeys::derive(&known.array("key"), &known.hex("id"));
        let (plaintext, version) = (known.hex("plaintext"), known.text("version").parse().unwrap());
        assert_eq!(keys.index_tag(br#"["pin","111"]"#), known.array("index_tag"));
        assert!(keys.verify_index(br#"["pin","111"]"#, &known.array("index_tag")).is_ok());
        assert!(keys.verify_index(br#"["pin","112"]"#, &known.array("index_tag")).is_err());
        let (mut hash, mut tags) = (LtHash::new(), Vec::new());
        for (operation, name) in [(Operation::Set, "set"), (Operation::Remove, "remove")] {
            let sealed = keys.seal(operation, &plaintext, &mut Draws::listed(&known.hex("iv")));
            assert_eq!(sealed, known.hex(name));
            assert_eq!(keys.open(operation, &sealed).unwrap(), plaintext);
            tags.push(*AppStateKeys::tag_of(&sealed).unwrap());
            hash.add(tags.last().unwrap());
        }
        assert_eq!(hash.as_bytes(), &known.array("hash"));
        let snapshot = known.array("snapshot_tag");
        assert_eq!(keys.snapshot_tag(&hash, version, collection), snapshot);
        assert_eq!(keys.patch_tag(&snapshot, &tags, version, collection), known.array("patch_tag"));
        assert_eq!(keys.verify_snapshot(&hash, version, collection, &snapshot), Ok(()));
        assert_eq!(keys.verify_patch(&snapshot, &tags, version, collection, &known.array("patch_tag")), Ok(()));
    }
}

/// S-12.4. Digests of the hash, computed independently in Python.
#[test]
fn lt_hash_of_known_values_matches() {
    let digest = |hash: &LtHash| Sha256::digest(hash.as_bytes()).to_vec();
    let mut hash = LtHash::new();
    (0..3).for_each(|at| hash.add(&[at; 32]));
    assert_eq!(digest(&hash), from_hex("f78ef531fa3e3bc157f9d84b81f781db33e2f271a1f28df496696946afad3869"));
    hash.subtract(&[1; 32]);
    assert_eq!(digest(&hash), from_hex("3a383601c3de01ed7b01a1e0845e4d81ef0aaceee119cc4947277b754430e5c2"));
    assert_eq!(LtHash::from_bytes(*hash.as_bytes()), hash);
}

/// S-12.3.
#[test]
fn an_app_state_value_with_any_bit_changed_is_refused() {
    let keys = AppStateKeys::derive(&[7; 32], b"id");
    let sealed = keys.seal(Operation::Set, b"pinned", &mut StdRng::seed_from_u64(1));
    assert!(keys.open(Operation::Remove, &sealed).is_err(), "another operation");
    for other in [AppStateKeys::derive(&[8; 32], b"id"), AppStateKeys::derive(&[7; 32], b"ie")] {
        assert!(other.open(Operation::Set, &sealed).is_err(), "other keys");
    }
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(keys.open(Operation::Set, &changed).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(keys.open(Operation::Set, &sealed[..length]).is_err(), "{length} bytes");
    }
    assert!(AppStateKeys::tag_of(&sealed[..31]).is_err());
}

/// S-12.5, S-12.6.
#[test]
fn app_state_tags_are_bound_to_version_and_collection() {
    let keys = AppStateKeys::derive(&[7; 32], b"id");
    let (hash, values) = (LtHash::new(), [[1; 32], [2; 32]]);
    let snapshot = keys.snapshot_tag(&hash, 1, Collection::Regular);
    let patch = keys.patch_tag(&snapshot, &values, 1, Collection::Regular);
    let mut other = hash.clone();
    other.add(&[9; 32]);
    for (hash, version, collection) in
        [(&other, 1, Collection::Regular), (&hash, 2, Collection::Regular), (&hash, 1, Collection::RegularLow)]
    {
        assert!(keys.verify_snapshot(hash, version, collection, &snapshot).is_err());
    }
    let swapped = [values[1], values[0]];
    for (snapshot, values, version, collection) in [
        (&[0; 32], &values[..], 1, Collection::Regular),
        (&snapshot, &swapped[..], 1, Collection::Regular),
        (&snapshot, &values[..1], 1, Collection::Regular),
        (&snapshot, &values[..], 2, Collection::Regular),
        (&snapshot, &values[..], 1, Collection::RegularHigh),
    ] {
        assert!(keys.verify_patch(snapshot, values, version, collection, &patch).is_err());
    }
    assert!(keys.verify_patch(&snapshot, &values, 1, Collection::Regular, &patch).is_ok());
}

/// S-12.4. A patch sets an index that had a value, and removes it again: the old value is taken away once.
#[test]
fn set_and_remove_of_one_index_take_the_old_value_away_once() {
    let (old, set) = ([1; 32], [2; 32]);
    let mut hash = LtHash::new();
    hash.add(&old);
    // Of each mutation in its order: what the index has now, and what it had before.
    for (before, after) in [(Some(old), Some(set)), (Some(set), None)] {
        before.iter().for_each(|tag| hash.subtract(tag));
        after.iter().for_each(|tag| hash.add(tag));
    }
    assert_eq!(hash, LtHash::new());
}

proptest! {
    /// S-12.4.
    #[test]
    fn lt_hash_is_order_independent_and_forgets_removed_values(
        tags in prop::collection::vec(any::<[u8; 32]>(), 0..10), gone in any::<[u8; 32]>(), at in 0_usize..10,
    ) {
        let (mut one, mut other) = (LtHash::new(), LtHash::default());
        tags.iter().for_each(|tag| one.add(tag));
        for (number, tag) in tags.iter().rev().enumerate() {
            if number == at {
                other.subtract(&gone);
            }
            other.add(tag);
        }
        if at < tags.len() {
            prop_assert_ne!(&one, &other);
            other.add(&gone);
        }
        prop_assert_eq!(one, other);
    }
}
