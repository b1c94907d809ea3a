//! Records, and what waits until they are stored.

use bisik::group::{CloseError, OpenError, ReceivingChains, SendingChain, TakeError};
use bisik::{SealError, StorageKey, UnsealError};
use bisik_testkit::ConstantRng;
use bisik_testkit::fuzz::forged_chain::ForgedChain;
use bisik_testkit::fuzz::record::{open_named, seal_named};

use super::scene::{LISTS, NOW, PLACE, Scene, VIEW, distribution, forged, key, message, read, state};

fn sealed(chain: &mut SendingChain) -> Vec<u8> {
    chain.seal(&key(), b"record", &mut ConstantRng(0x5a)).unwrap().into_bytes()
}

/// P-14.9: a message, and a distribution, leave only after what they changed was stored.
#[test]
fn a_held_message_and_a_held_distribution_need_proof_that_their_chain_was_stored() {
    let mut scene = Scene::new(140);
    let (bob, mut rng) = (scene.bob(), scene.rng.clone());
    let before = scene.chain.seal(&key(), b"chain", &mut rng).unwrap().stored();
    let mut ready = scene.ready();
    let given = ready.distribution_held(&bob, VIEW, &LISTS).unwrap();
    let written = ready.encrypt_held(VIEW, b"halo", &mut rng).unwrap();
    let (given, written) = (given.release(&before).unwrap_err(), written.release(&before).unwrap_err());
    // The chains of somebody else, and another value of the same record.
    let mut other = Scene::new(141);
    let _ = (other.write(b""), other.write(b""), other.write(b""));
    let others = other.chain.seal(&key(), b"chain", &mut rng).unwrap().stored();
    let (given, written) = (given.release(&others).unwrap_err(), written.release(&others).unwrap_err());
    let record = scene.chain.seal(&key(), b"chain", &mut rng).unwrap();
    let mut again = SendingChain::unseal(&key(), b"chain", record.as_bytes()).unwrap();
    let of_another = again.seal(&key(), b"chain", &mut rng).unwrap().stored();
    let (given, written) = (given.release(&of_another).unwrap_err(), written.release(&of_another).unwrap_err());
    assert_eq!((given.for_outbox().index(), written.for_outbox().index()), (0, 0));
    let stored = record.stored();
    let (given, written) = (given.release(&stored).unwrap(), written.release(&stored).unwrap());
    let mut chains = scene.nobody();
    let _ = chains.take(&given, &scene.sender.identity).unwrap();
    assert_eq!(read(&mut chains, &written).body, b"halo");
}

/// P-14.16: a staged message changes nothing before it is committed; one that was sealed leads on only by its commit.
#[test]
fn a_message_that_was_sealed_and_dropped_poisons_the_chains() {
    let mut scene = Scene::new(142);
    let mut chains = scene.reader();
    let written = [scene.write(b"satu"), scene.write(b"dua")];
    let before = state(&mut chains);
    let staged = chains.stage(&written[1]).unwrap();
    assert_eq!(staged.body(), b"dua");
    drop(staged);
    assert!(state(&mut chains) == before);
    let mut staged = chains.stage(&written[1]).unwrap();
    let other = StorageKey::from_bytes([1; 32]);
    assert_eq!(staged.seal(&other, b"record", &mut scene.rng).map(|_| ()), Err(SealError::WrongKey));
    let record = staged.seal(&key(), b"record", &mut ConstantRng(0x5a)).unwrap();
    let opened = staged.commit();
    assert_eq!((opened.body.as_slice(), opened.index), (b"dua".as_slice(), 1));
    assert!(state(&mut chains) == record.as_bytes(), "as the commit leaves it");
    let mut staged = chains.stage(&written[0]).unwrap();
    let record = staged.seal(&key(), b"record", &mut scene.rng).unwrap();
    drop(staged);
    assert_eq!(chains.stage(&written[0]).map(|_| ()).unwrap_err(), OpenError::Poisoned);
    assert_eq!(chains.open_backlog(&written).into_iter().filter_map(Result::err).count(), 2);
    let bob = scene.bob();
    assert_eq!(chains.take(&scene.give(&bob), &scene.sender.identity), Err(TakeError::Poisoned));
    let revision = chains.revision();
    assert_eq!(chains.close_at_received(), Err(CloseError::Poisoned));
    assert_eq!((chains.revision(), chains.chains().count()), (revision, 1));
    assert_eq!(chains.seal(&key(), b"record", &mut scene.rng).map(|_| ()), Err(SealError::Poisoned));
    let mut chains = ReceivingChains::unseal(&key(), b"record", record.as_bytes()).unwrap();
    assert_eq!(chains.open(&written[0]).map(|_| ()).unwrap_err(), OpenError::Replayed);
}

/// P-6.1: key, name and kind are bound; another key is meant only if somebody says so.
#[test]
fn records_open_only_under_their_own_key_name_and_kind() {
    let mut scene = Scene::new(143);
    let mut chains = scene.reader();
    let (own, others) = (sealed(&mut scene.chain), state(&mut chains));
    let wrong = StorageKey::from_bytes([1; 32]);
    for (key, name) in [(key(), b"other!".as_slice()), (wrong, b"record")] {
        assert_eq!(SendingChain::unseal(&key, name, &own).map(|_| ()), Err(UnsealError::Rejected));
        assert_eq!(ReceivingChains::unseal(&key, name, &others).map(|_| ()), Err(UnsealError::Rejected));
    }
    assert_eq!(SendingChain::unseal(&key(), b"record", &others).map(|_| ()), Err(UnsealError::Rejected));
    assert_eq!(ReceivingChains::unseal(&key(), b"record", &own).map(|_| ()), Err(UnsealError::Rejected));
    let new = StorageKey::from_bytes([2; 32]);
    assert_eq!(scene.chain.seal(&new, b"record", &mut scene.rng).map(|_| ()), Err(SealError::WrongKey));
    scene.chain.move_to_key(&new);
    chains.move_to_key(&new);
    assert!(scene.chain.seal(&new, b"record", &mut scene.rng).is_ok());
    assert!(chains.seal(&new, b"record", &mut scene.rng).is_ok());
}

/// A state with everything: two chains of which one has ended, kept keys in runs, remembered messages, an ended chain.
fn everything(scene: &Scene) -> ReceivingChains {
    let mut chains = scene.nobody();
    let gone = ForgedChain { predecessor: ([7; 8], 3), ..forged(scene, 9) };
    let first = forged(scene, 1);
    let second = ForgedChain { predecessor: (first.id(), 7), flags: 1, ..forged(scene, 2) };
    for chain in [&gone, &first] {
        let _ = chains.take(&distribution(&chain.distribution(2)), &scene.sender.identity).unwrap();
    }
    for number in [4, 6] {
        let _ = read(&mut chains, &message(&first.message(number, [1; 16], b"")));
    }
    let _ = chains.take(&distribution(&first.distribution(0)), &scene.sender.identity).unwrap();
    let _ = chains.take(
        &distribution(&ForgedChain { predecessor: (gone.id(), 2), ..forged(scene, 3) }.distribution(0)),
        &scene.sender.identity,
    );
    let _ = chains.take(&distribution(&second.distribution(1)), &scene.sender.identity).unwrap();
    let _ = read(&mut chains, &message(&second.message(3, [2; 16], b"")));
    chains
}

/// P-14.24, P-6.4: whatever byte of a state is changed, it is refused, or it is another state with that encoding, which can
/// be used.
#[test]
fn a_state_has_one_encoding() {
    let scene = Scene::new(144);
    let mut chains = everything(&scene);
    let bytes = open_named(20, b"record", &state(&mut chains));
    let (mut refused, mut taken) = (0, 0);
    for at in 0..bytes.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            let record = seal_named(20, b"record", &changed);
            match ReceivingChains::unseal(&key(), b"record", &record) {
                Err(_) => refused += 1,
                Ok(mut other) => {
                    taken += 1;
                    assert!(open_named(20, b"record", &state(&mut other)) == changed, "byte {at}");
                    for number in 0..8 {
                        let _ = other.open(&message(&forged(&scene, 2).message(number, [1; 16], b"")));
                    }
                    let used = state(&mut other);
                    assert!(ReceivingChains::unseal(&key(), b"record", &used).is_ok(), "byte {at}");
                }
            }
        }
        assert!(ReceivingChains::unseal(&key(), b"record", &seal_named(20, b"record", &bytes[..at])).is_err());
    }
    assert!(refused > 300 && taken > 300, "{refused} and {taken}");
    let longer = [&bytes[..], &[0]].concat();
    assert!(ReceivingChains::unseal(&key(), b"record", &seal_named(20, b"record", &longer)).is_err());
}

/// P-14.24, P-6.4.
#[test]
fn an_own_chain_has_one_encoding() {
    let mut scene = Scene::new(145);
    let bob = scene.bob();
    let _ = scene.give(&bob);
    let _ = scene.write(b"");
    scene.chain.renew(PLACE, true, NOW, &mut scene.rng).unwrap();
    let carol = *bisik::Identity::generate(&mut scene.rng).public();
    scene.targets.insert(carol);
    let _ = (scene.give(&bob), scene.give(&carol), scene.write(b""));
    scene.chain.rekey();
    let bytes = open_named(19, b"record", &sealed(&mut scene.chain));
    assert_eq!(bytes.len() + 41, 340 + 2 * 65, "docs/formats.md says so");
    for at in 0..bytes.len() {
        for bit in [0x01, 0x02, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            let record = seal_named(19, b"record", &changed);
            if let Ok(mut other) = SendingChain::unseal(&key(), b"record", &record) {
                assert!(open_named(19, b"record", &sealed(&mut other)) == changed, "byte {at}");
            }
        }
        assert!(SendingChain::unseal(&key(), b"record", &seal_named(19, b"record", &bytes[..at])).is_err());
    }
    // 8 + 33 + 32 + 132 + 9 bytes are before what was asked for; behind it index, keys and predecessor.
    let refused = |at: usize, with: &[u8]| {
        let mut changed = bytes.clone();
        changed[at..at + with.len()].copy_from_slice(with);
        assert!(SendingChain::unseal(&key(), b"record", &seal_named(19, b"record", &changed)).is_err(), "{at}");
    };
    refused(214, &[3]);
    refused(215, &1_001_u32.to_be_bytes());
    refused(283, &[0; 8]);
    refused(291, &1_001_u32.to_be_bytes());
    refused(283, scene.chain.chain().as_bytes());
    refused(299, &scene.sender.identity.to_bytes());
    refused(299 + 64, &[0]);
    refused(299 + 64, &[4]);
}
