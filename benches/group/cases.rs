//! Messages in a chain of keys and in Megolm. benches/peers has the same.

use std::collections::BTreeSet;
use std::hint::black_box;

use bisik::device::AccountKey;
use bisik::group::{
    GroupId, GroupMessage, ListsDigest, MemberDevice, Place, ReadyChain, ReceivingChains, Scope, SendPlan,
    SendingChain, View,
};
use bisik::{Identity, IdentityKey, Timestamp};
use vodozemac::megolm::{GroupSession, InboundGroupSession, MegolmMessage, SessionConfig};

use crate::support::meter::{Case, pieces};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub(crate) const GROUP: GroupId = GroupId::from_bytes([7; 32]);
pub(crate) const PLACE: Place = Place::Group { id: GROUP, origin: [9; 32] };
pub(crate) const VIEW: View = View::from_bytes([3; 8]);
pub(crate) const LISTS: ListsDigest = ListsDigest::from_bytes([4; 32]);
/// Messages that a case prepares at a time.
const PREPARED: u64 = 64;

/// A sender and one receiver.
pub(crate) struct Pair {
    sender: MemberDevice,
    targets: BTreeSet<IdentityKey>,
    pub(crate) chain: SendingChain,
    pub(crate) chains: ReceivingChains,
}

impl Pair {
    pub(crate) fn new(devices: usize) -> Self {
        let rng = &mut rand::rng();
        let alice = Identity::generate(rng);
        let sender = MemberDevice { account: AccountKey::of(&alice), device: 0, identity: *alice.public() };
        let targets = (0..devices).map(|_| *Identity::generate(rng).public()).collect();
        let chain = SendingChain::begin(PLACE, sender, false, NOW, rng).unwrap();
        let chains = ReceivingChains::new(Scope::Group(GROUP), sender);
        let mut pair = Self { sender, targets, chain, chains };
        pair.give();
        pair
    }

    fn give(&mut self) {
        let devices: Vec<_> = self.targets.iter().copied().collect();
        for device in devices {
            let given = ready(&mut self.chain, &self.targets).distribution_for(&device, VIEW, &LISTS).unwrap();
            if Some(&device) == self.targets.first() {
                let _ = self.chains.take(&given, &self.sender.identity).unwrap();
            }
        }
    }

    /// Begins a new chain if this one has no room for so many messages.
    pub(crate) fn make_room(&mut self, messages: u64) {
        if u64::from(self.chain.index()) + messages > 1_000 {
            self.chain.renew(PLACE, false, NOW, &mut rand::rng()).unwrap();
            self.give();
        }
    }

    pub(crate) fn write(&mut self, body: &[u8]) -> Vec<u8> {
        let message = ready(&mut self.chain, &self.targets).encrypt(VIEW, body, &mut rand::rng());
        message.unwrap().into_bytes()
    }
}

pub(crate) fn ready<'a>(chain: &'a mut SendingChain, targets: &'a BTreeSet<IdentityKey>) -> ReadyChain<'a> {
    match chain.plan(targets, NOW) {
        SendPlan::Ready(ready) => ready,
        SendPlan::Renew(why) => panic!("{why:?}"),
    }
}

pub(crate) fn encrypt(length: usize) -> Case {
    let (mut pair, body) = (Pair::new(1), vec![7; length]);
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            pair.make_room(piece);
            meter.measure(&mut || {
                for _ in 0..piece {
                    black_box(pair.write(black_box(&body)));
                }
            });
        }
    })
}

pub(crate) fn decrypt(length: usize) -> Case {
    let (mut pair, body) = (Pair::new(1), vec![7; length]);
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            pair.make_room(piece);
            let messages: Vec<_> = (0..piece).map(|_| pair.write(&body)).collect();
            meter.measure(&mut || {
                for message in &messages {
                    let message = GroupMessage::from_bytes(black_box(message)).unwrap();
                    black_box(pair.chains.open(&message).unwrap());
                }
            });
        }
    })
}

pub(crate) fn their_encrypt(length: usize) -> Case {
    let mut sender = GroupSession::new(SessionConfig::version_1());
    let body = vec![7; length];
    Box::new(move |count, meter| {
        meter.measure(&mut || {
            for _ in 0..count {
                black_box(sender.encrypt(black_box(&body)).to_bytes());
            }
        });
    })
}

pub(crate) fn their_decrypt(length: usize) -> Case {
    let mut sender = GroupSession::new(SessionConfig::version_1());
    let mut receiver = InboundGroupSession::new(&sender.session_key(), SessionConfig::version_1());
    let body = vec![7; length];
    Box::new(move |count, meter| {
        for piece in pieces(count, PREPARED) {
            let messages: Vec<_> = (0..piece).map(|_| sender.encrypt(&body).to_bytes()).collect();
            meter.measure(&mut || {
                for message in &messages {
                    let message = MegolmMessage::from_bytes(black_box(message)).unwrap();
                    black_box(receiver.decrypt(&message).unwrap());
                }
            });
        }
    })
}

/// Bytes of a message of each, bisik first.
pub(crate) fn bytes(length: usize) -> (usize, usize) {
    let body = vec![7; length];
    (Pair::new(1).write(&body).len(), GroupSession::new(SessionConfig::version_1()).encrypt(&body).to_bytes().len())
}
