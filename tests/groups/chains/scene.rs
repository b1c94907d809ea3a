//! A sender, a receiver, and a sender that follows no rule.

use std::collections::BTreeSet;

use bisik::device::AccountKey;
use bisik::group::{
    Distribution, GroupId, GroupMessage, ListsDigest, MemberDevice, OpenError, OpenedMessage, Place, ReadyChain,
    ReceivingChains, Scope, SendPlan, SendingChain, View,
};
use bisik::{Identity, IdentityKey, StorageKey, Timestamp};
use bisik_testkit::draws::Draws;
use bisik_testkit::fuzz::forged_chain::{ForgedChain, message_key};
use bisik_testkit::fuzz::record::{STORAGE_KEY, hmac};
use bisik_testkit::{ConstantRng, SeededRng};

pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub const GROUP: GroupId = GroupId::from_bytes([0x67; 32]);
pub const PLACE: Place = Place::Group { id: GROUP, origin: [0x0e; 32] };
pub const VIEW: View = View::from_bytes([0, 3, 1, 2, 3, 4, 5, 6]);
pub const LISTS: ListsDigest = ListsDigest::from_bytes([0x11; 32]);

/// Alice's telephone writes; everybody else's devices read.
pub struct Scene {
    pub rng: SeededRng,
    pub sender: MemberDevice,
    pub chain: SendingChain,
    pub targets: BTreeSet<IdentityKey>,
}

impl Scene {
    /// A chain that was given to nobody. The second identity is Bob's.
    pub fn new(seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let sender = sender(&mut rng);
        let targets = BTreeSet::from([*Identity::generate(&mut rng).public()]);
        let chain = SendingChain::begin(PLACE, sender, false, NOW, &mut rng).unwrap();
        Self { rng, sender, chain, targets }
    }

    pub fn bob(&self) -> IdentityKey {
        *self.targets.first().unwrap()
    }

    pub fn ready(&mut self) -> ReadyChain<'_> {
        ready(&mut self.chain, &self.targets)
    }

    /// What a device is given now.
    pub fn give(&mut self, device: &IdentityKey) -> Distribution {
        self.ready().distribution_for(device, VIEW, &LISTS).unwrap()
    }

    pub fn write(&mut self, body: &[u8]) -> GroupMessage {
        ready(&mut self.chain, &self.targets).encrypt(VIEW, body, &mut self.rng).unwrap()
    }

    /// Bob's device, with the chain as it is now.
    pub fn reader(&mut self) -> ReceivingChains {
        let (mut chains, bob) = (self.nobody(), self.bob());
        assert!(chains.take(&self.give(&bob), &self.sender.identity).unwrap().opens_more);
        chains
    }

    /// A device without any chain.
    pub fn nobody(&self) -> ReceivingChains {
        ReceivingChains::new(Scope::Group(GROUP), self.sender)
    }
}

pub fn sender(rng: &mut SeededRng) -> MemberDevice {
    let (account, identity) = (Identity::generate(rng), *Identity::generate(rng).public());
    MemberDevice { account: AccountKey::of(&account), device: 3, identity }
}

pub fn ready<'a>(chain: &'a mut SendingChain, targets: &'a BTreeSet<IdentityKey>) -> ReadyChain<'a> {
    match chain.plan(targets, NOW) {
        SendPlan::Ready(ready) => ready,
        SendPlan::Renew(why) => panic!("{why:?}"),
    }
}

/// A chain of the same sender whose secrets are known, and what it gives and writes without any rule.
pub fn forged(scene: &Scene, number: u8) -> ForgedChain {
    ForgedChain {
        group: *GROUP.as_bytes(),
        origin: [0x0e; 32],
        account: scene.sender.account.to_bytes(),
        device: scene.sender.device,
        first: [number; 32],
        signing: [number ^ 0x80; 32],
        predecessor: ([0; 8], 0),
        flags: 0,
        begun: NOW.as_unix_seconds(),
    }
}

/// The first messages of a chain, each with its number as the body. Computes each chain key once.
pub fn whole(chain: &ForgedChain, count: u32) -> Vec<Vec<u8>> {
    let mut chain_key = chain.first;
    let written = (0..count).map(|number| {
        let this = message_key(&chain_key);
        chain_key = hmac(&chain_key, &[&[0x02]]);
        chain.message_under(&this, number, [1; 16], &number.to_be_bytes())
    });
    written.collect()
}

/// The library's own chain with the same secrets.
pub fn own(scene: &Scene, forged: &ForgedChain) -> SendingChain {
    let mut draws = Draws::listed(&[forged.first, forged.signing].concat());
    SendingChain::begin(PLACE, scene.sender, false, NOW, &mut draws).unwrap()
}

pub fn distribution(bytes: &[u8]) -> Distribution {
    Distribution::from_bytes(bytes).unwrap()
}

pub fn message(bytes: &[u8]) -> GroupMessage {
    GroupMessage::from_bytes(bytes).unwrap()
}

pub fn key() -> StorageKey {
    StorageKey::from_bytes(STORAGE_KEY)
}

/// The whole state, comparable: equal states have equal records under a generator that repeats itself.
pub fn state(chains: &mut ReceivingChains) -> Vec<u8> {
    chains.seal(&key(), b"record", &mut ConstantRng(0x5a)).unwrap().into_bytes()
}

pub fn reload(chains: &mut ReceivingChains) {
    let record = state(chains);
    *chains = ReceivingChains::unseal(&key(), b"record", &record).unwrap();
    assert!(state(chains) == record, "a restart changes nothing");
}

/// Opens a message that must be refused, and checks that nothing has changed.
#[track_caller]
pub fn refused(chains: &mut ReceivingChains, message: &GroupMessage) -> OpenError {
    let before = state(chains);
    let error = chains.open(message).map(|_| ()).unwrap_err();
    assert!(state(chains) == before, "a refused message changes nothing");
    error
}

#[track_caller]
pub fn read(chains: &mut ReceivingChains, message: &GroupMessage) -> OpenedMessage {
    chains.open(message).unwrap()
}
