//! Chains of groups: no secret is left in freed memory, none in a record after it was deleted, and none is shown by `Debug`.
//!
//! Plaintext belongs to the caller, so it is wiped here.

use std::collections::BTreeSet;

use bisik::device::AccountKey;
use bisik::group::{
    BeginError, CloseError, DistributeError, Distribution, DistributionError, EncryptError, GroupId, GroupMessage,
    GroupMessageError, ListsDigest, MemberDevice, NewChain, OpenError, Place, Predecessor, ReceivingChains, Scope,
    SendPlan, SendingChain, TakeError, View,
};
use bisik::{Identity, IdentityKey, StorageKey, Timestamp};
use zeroize::Zeroizing;

use super::canaries::Canaries;
use super::debug::{Shown, show};
use super::derived::{add_aead_key, ed25519_expanded, hmac, state_of};
use super::freed::{Freed, freed_by};
use super::recording::Recording;

const STORAGE: [u8; 32] = *b"kunci 32 bita penyegel arsip Ida";
const PLAINTEXT: &[u8] = b"rahasia yang hanya dibaca anggota kelompok";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
const GROUP: GroupId = GroupId::from_bytes([7; 32]);
const PLACE: Place = Place::Group { id: GROUP, origin: [9; 32] };
const VIEW: View = View::from_bytes([3; 8]);
const LISTS: ListsDigest = ListsDigest::from_bytes([4; 32]);

struct Pair {
    sender: MemberDevice,
    targets: BTreeSet<IdentityKey>,
}

impl Pair {
    fn new() -> Self {
        let rng = &mut Recording::new(70);
        let (alice, bob) = (Identity::generate(rng), Identity::generate(rng));
        let sender = MemberDevice { account: AccountKey::of(&alice), device: 0, identity: *alice.public() };
        Self { sender, targets: BTreeSet::from([*bob.public()]) }
    }

    fn give(&self, chain: &mut SendingChain) -> Distribution {
        let SendPlan::Ready(mut ready) = chain.plan(&self.targets, NOW) else { panic!("ready") };
        ready.distribution_for(self.targets.first().unwrap(), VIEW, &LISTS).unwrap()
    }

    fn write(&self, chain: &mut SendingChain, rng: &mut Recording) -> GroupMessage {
        let SendPlan::Ready(mut ready) = chain.plan(&self.targets, NOW) else { panic!("ready") };
        ready.encrypt(VIEW, PLAINTEXT, rng).unwrap()
    }
}

/// What a chain gives: `count` chain keys and message keys, in the forms that they have in memory.
fn add_chain(canaries: &mut Canaries, first: &[u8; 32], count: u32) {
    let mut key = *first;
    for _ in 0..count {
        add_aead_key(canaries, "chain key", &key);
        add_aead_key(canaries, "message key", &hmac(&key, &[1]));
        key = hmac(&key, &[2]);
    }
}

/// Every chain that was drawn: chain key and signing secret in turn.
fn add_drawn_chains(canaries: &mut Canaries, rng: &Recording, count: u32) {
    canaries.add_drawn("the sender", rng);
    for pair in rng.secrets().chunks_exact(2) {
        add_chain(canaries, &pair[0], count);
        canaries.add("expanded signing secret", &ed25519_expanded(&pair[1]));
    }
}

/// Chains that begin, are given, written in, read in and out of order, forged, replaced, stored and loaded.
#[test]
fn chains_leave_no_secret_in_freed_memory() {
    let (mut alices, mut records) = (Recording::new(71), Recording::new(0));
    let (pair, mut freed, storage) = (Pair::new(), Freed::new(), StorageKey::from_bytes(STORAGE));
    let (mut chain, kept) =
        freed_by(|| Box::new(SendingChain::begin(PLACE, pair.sender, false, NOW, &mut alices).unwrap()));
    freed.extend(kept);
    let mut chains = Box::new(ReceivingChains::new(Scope::Group(GROUP), pair.sender));
    for round in 0..8_usize {
        let ((), kept) = freed_by(|| {
            let given = pair.give(&mut chain);
            let bytes = given.to_bytes();
            let again = Distribution::from_bytes(&bytes).unwrap();
            assert!(Distribution::from_bytes(&bytes[1..]).is_err());
            let messages: Vec<_> = (0..5).map(|_| pair.write(&mut chain, &mut alices)).collect();
            let later = pair.give(&mut chain);
            let _ = if round % 2 == 0 {
                chains.take(&later, &pair.sender.identity)
            } else {
                Ok(chains.take(&given, &pair.sender.identity).unwrap())
            };
            let _ = chains.take(&again, &pair.sender.identity);
            let mut forged = messages[4].as_bytes().to_vec();
            *forged.last_mut().unwrap() ^= 4;
            let forged = GroupMessage::try_from(forged).unwrap();
            drop(Box::new(chains.stage(&messages[3]).unwrap()));
            for message in [&messages[3], &forged, &messages[0], &messages[0]] {
                let _ = chains.open(message).map(|mut opened| zeroize::Zeroize::zeroize(&mut opened.body));
            }
            // On a copy, which it poisons.
            let record = chains.seal(&storage, b"", &mut records).unwrap();
            let mut copy = Box::new(ReceivingChains::unseal(&storage, b"", record.as_bytes()).unwrap());
            let mut staged = copy.stage(&messages[1]).unwrap();
            drop(staged.seal(&storage, b"", &mut records).unwrap());
            drop(Box::new(staged));
            let held = chains.open_backlog(&messages);
            drop(held.into_iter().map(|held| held.map(Box::new)).collect::<Vec<_>>());
            let record = chain.seal(&storage, b"", &mut records).unwrap();
            *chain = SendingChain::unseal(&storage, b"", record.as_bytes()).unwrap();
            let record = chains.seal(&storage, b"", &mut records).unwrap();
            *chains = ReceivingChains::unseal(&storage, b"", record.as_bytes()).unwrap();
            chain.renew(PLACE, false, NOW, &mut alices).unwrap();
            if round == 6 {
                let _ = chains.close_at_received().unwrap();
            }
        });
        freed.extend(kept);
    }
    freed.extend(freed_by(|| drop((chain, chains))).1);
    let mut canaries = Canaries::new();
    add_drawn_chains(&mut canaries, &alices, 12);
    canaries.add("plaintext", PLAINTEXT);
    canaries.assert_absent(&freed);
}

/// P-14.13, P-14.19, P-14.20, P-14.22: what is deleted is in no record that is sealed afterwards.
#[test]
fn a_key_of_a_chain_that_was_used_or_has_ended_is_in_no_record() {
    let (mut alices, mut records) = (Recording::new(72), Recording::new(0));
    let (pair, storage) = (Pair::new(), StorageKey::from_bytes(STORAGE));
    let mut chain = SendingChain::begin(PLACE, pair.sender, false, NOW, &mut alices).unwrap();
    let mut chains = ReceivingChains::new(Scope::Group(GROUP), pair.sender);
    let _ = chains.take(&pair.give(&mut chain), &pair.sender.identity).unwrap();
    let (mut key, mut keys) = (alices.secrets()[0], Vec::new());
    for _ in 0..10 {
        keys.push((key, hmac(&key, &[1])));
        key = hmac(&key, &[2]);
    }
    let messages: Vec<_> = (0..6).map(|_| pair.write(&mut chain, &mut alices)).collect();
    let mut holds = |chains: &mut ReceivingChains, secret: &[u8; 32]| {
        let record = chains.seal(&storage, b"", &mut records).unwrap();
        state_of(record.as_bytes(), &STORAGE).windows(32).any(|window| window == secret)
    };
    assert!(holds(&mut chains, &keys[0].0));
    let _ = chains.open(&messages[3]).unwrap();
    for (number, (chain_key, message_key)) in keys.iter().enumerate() {
        assert_eq!(holds(&mut chains, chain_key), number == 4, "CK {number}");
        assert_eq!(holds(&mut chains, message_key), number < 3, "MK {number}");
    }
    let _ = chains.open(&messages[1]).unwrap();
    assert!(!holds(&mut chains, &keys[1].1) && holds(&mut chains, &keys[2].1));
    // The next chain ends this one at its length, with the keys of 4 and 5.
    let signing = alices.secrets()[1];
    chain.renew(PLACE, false, NOW, &mut alices).unwrap();
    let record = chain.seal(&storage, b"", &mut Recording::new(0)).unwrap();
    let own = state_of(record.as_bytes(), &STORAGE);
    for gone in [&signing, &keys[6].0] {
        assert!(!own.windows(32).any(|window| window == gone), "the former chain's secrets");
    }
    let _ = chains.take(&pair.give(&mut chain), &pair.sender.identity).unwrap();
    for (number, (chain_key, message_key)) in keys.iter().enumerate() {
        assert!(!holds(&mut chains, chain_key), "CK {number}");
        assert_eq!(holds(&mut chains, message_key), [0, 2, 4, 5].contains(&number), "MK {number}");
    }
    let _ = chains.close_at_received().unwrap();
    for (number, (_, message_key)) in keys.iter().enumerate() {
        assert_eq!(holds(&mut chains, message_key), [0, 2].contains(&number), "MK {number}");
    }
}

/// For `debug`: every public type of the module.
pub fn debug(shown: &mut Shown, canaries: &mut Canaries, rng: &mut Recording) {
    let (pair, storage) = (Pair::new(), StorageKey::from_bytes(STORAGE));
    let mut chain = SendingChain::begin(PLACE, pair.sender, false, NOW, rng).unwrap();
    let mut chains = ReceivingChains::new(Scope::Group(GROUP), pair.sender);
    let given = pair.give(&mut chain);
    show(shown, &chains.take(&given, &pair.sender.identity).unwrap());
    show(shown, &given);
    show(shown, &chain.chain());
    let message = pair.write(&mut chain, rng);
    let mut plan = chain.plan(&pair.targets, NOW);
    let SendPlan::Ready(ready) = &mut plan else { panic!("ready") };
    show(shown, &ready.distribution_held(pair.targets.first().unwrap(), VIEW, &LISTS).unwrap());
    show(shown, &ready.encrypt_held(VIEW, PLAINTEXT, rng).unwrap());
    show(shown, ready);
    show(shown, &plan);
    let second = pair.write(&mut chain, rng);
    show(shown, &chain);
    show(shown, &chains.stage(&message).unwrap());
    show(shown, &chains.open(&message).unwrap());
    show(shown, &chains.open_held(&second).unwrap());
    show(shown, &chains);
    drop(chain.seal(&storage, b"", &mut Recording::new(0)).unwrap());
    show(shown, &message);
    show(shown, &GROUP);
    show(shown, &Scope::Audience(GROUP));
    show(shown, &PLACE);
    show(shown, &pair.sender);
    show(shown, &Predecessor { chain: chain.chain(), length: 7 });
    show(shown, &VIEW);
    show(shown, &LISTS);
    show(shown, &NewChain::Age);
    show(shown, &DistributeError::Full);
    show(shown, &DistributionError::Malformed);
    show(shown, &EncryptError::Ended);
    show(shown, &GroupMessageError::Malformed);
    show(shown, &OpenError::Closed);
    show(shown, &BeginError::OtherGroup);
    show(shown, &CloseError::Poisoned);
    show(shown, &TakeError::Closed);
    canaries.add("a body", PLAINTEXT);
    let drawn = rng.secrets();
    let [.., first, _] = drawn.as_slice() else { panic!("a chain was drawn") };
    add_chain(canaries, first, 6);
    drop(Zeroizing::new(drawn));
}
