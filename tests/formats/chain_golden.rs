//! Records of chains of groups, of released formats: each still opens, behaves as it did, and is sealed to the same bytes
//! again.

use std::collections::BTreeSet;

use bisik::device::AccountKey;
use bisik::group::{
    Distribution, GroupId, GroupMessage, ListsDigest, MemberDevice, OpenError, Place, ReceivingChains, Scope, SendPlan,
    SendingChain, View,
};
use bisik::{Identity, IdentityKey};

use super::state_golden::{CREATED, Golden, golden, key, nonce};

const GROUP: GroupId = GroupId::from_bytes([0x67; 32]);
const PLACE: Place = Place::Group { id: GROUP, origin: [0x0e; 32] };
const VIEW: View = View::from_bytes([0, 9, 1, 2, 3, 4, 5, 6]);
const LISTS: ListsDigest = ListsDigest::from_bytes([0x11; 32]);

fn message(name: &str) -> GroupMessage {
    GroupMessage::from_bytes(&golden(name)).unwrap()
}

/// P-14.24, P-6.4: an own chain of format 1, which follows another and was given to two devices.
#[test]
fn golden_sending_chain_opens_writes_and_reseals_to_the_same_bytes() {
    let record = golden("chain-sending");
    let mut chain = SendingChain::unseal(&key(), b"chain", &record).unwrap();
    assert_eq!(chain.seal(&key(), b"chain", &mut nonce()).unwrap().as_bytes(), record);
    let devices: BTreeSet<_> = chain.given().copied().collect();
    assert_eq!((devices.len(), chain.index(), chain.scope()), (2, 2, Scope::Group(GROUP)));
    // What is given and written now is read by somebody who has nothing.
    let (sender, rng) = (*chain.sender(), &mut rand::rng());
    let SendPlan::Ready(mut ready) = chain.plan(&devices, CREATED) else { panic!("it is ready") };
    let named: Vec<_> = devices
        .iter()
        .map(|device| ready.distribution_for(device, VIEW, &LISTS).unwrap().predecessor().map(|named| named.length))
        .collect();
    assert_eq!(named.iter().flatten().collect::<Vec<_>>(), [&3], "one of them had the former chain");
    let given = ready.distribution_for(devices.first().unwrap(), VIEW, &LISTS).unwrap();
    let written = ready.encrypt(VIEW, b"still here", rng).unwrap();
    let mut reader = ReceivingChains::new(Scope::Group(GROUP), sender);
    assert!(reader.take(&given, &sender.identity).unwrap().opens_more);
    assert_eq!(reader.open(&written).unwrap().body, b"still here");
}

/// P-14.24, P-6.4: chains of format 1: one that has ended and waits for messages, and the newest.
#[test]
fn golden_receiving_chains_open_read_and_reseal_to_the_same_bytes() {
    let record = golden("chain-receiving");
    let mut chains = ReceivingChains::unseal(&key(), b"chains", &record).unwrap();
    assert_eq!(chains.seal(&key(), b"chains", &mut nonce()).unwrap().as_bytes(), record);
    assert_eq!((chains.chains().count(), chains.kept_keys()), (2, 3));
    for (name, refusal) in [("chain-read", OpenError::Replayed), ("chain-went-back", OpenError::WentBack { index: 1 })]
    {
        assert_eq!(chains.open(&message(name)).map(|_| ()).unwrap_err(), refusal, "{name}");
    }
    for name in ["chain-late", "chain-kept", "chain-next"] {
        assert_eq!(chains.open(&message(name)).unwrap().body, name.as_bytes());
    }
    assert_eq!(chains.seal(&key(), b"chains", &mut nonce()).unwrap().as_bytes(), golden("chain-receiving-after"));
    let again = Distribution::from_bytes(&golden("chain-distribution")).unwrap();
    let sender = chains.sender().identity;
    assert!(!chains.take(&again, &sender).unwrap().opens_more);
}

/// Writes the files of the tests above.
pub(super) fn write(golden: &Golden) {
    let rng = &mut rand::rng();
    let [alice, bob, carol] = [(); 3].map(|()| Identity::generate(rng));
    let sender = MemberDevice { account: AccountKey::of(&alice), device: 0, identity: *alice.public() };
    let mut targets = BTreeSet::from([*bob.public()]);
    let mut chain = SendingChain::begin(PLACE, sender, false, CREATED, rng).unwrap();
    let mut chains = ReceivingChains::new(Scope::Group(GROUP), sender);
    let give = |chain: &mut SendingChain, targets: &BTreeSet<IdentityKey>, device: &IdentityKey| {
        let SendPlan::Ready(mut ready) = chain.plan(targets, CREATED) else { panic!("it is ready") };
        ready.distribution_for(device, VIEW, &LISTS).unwrap()
    };
    let encrypt = |chain: &mut SendingChain, targets: &BTreeSet<IdentityKey>, name: &str| {
        let SendPlan::Ready(mut ready) = chain.plan(targets, CREATED) else { panic!("it is ready") };
        let message = ready.encrypt(VIEW, name.as_bytes(), &mut rand::rng()).unwrap();
        golden.write(name, message.as_bytes());
        message
    };
    let _ = chains.take(&give(&mut chain, &targets, bob.public()), &sender.identity).unwrap();
    let late = encrypt(&mut chain, &targets, "chain-late");
    let backup = chain.seal(&key(), b"chain", rng).unwrap();
    let read = encrypt(&mut chain, &targets, "chain-read");
    let mut restored = SendingChain::unseal(&key(), b"chain", backup.as_bytes()).unwrap();
    let _ = encrypt(&mut restored, &targets, "chain-went-back");
    let _ = chains.open(&read).unwrap();
    let kept = encrypt(&mut chain, &targets, "chain-kept");

    chain.renew(PLACE, true, CREATED, rng).unwrap();
    targets.insert(*carol.public());
    let second = give(&mut chain, &targets, bob.public());
    golden.write("chain-distribution", &second.to_bytes());
    let _ = chains.take(&second, &sender.identity).unwrap();
    let _lost = encrypt(&mut chain, &targets, "chain-lost");
    let _ = give(&mut chain, &targets, carol.public());
    let _ = chains.open(&encrypt(&mut chain, &targets, "chain-second")).unwrap();
    golden.write("chain-sending", chain.seal(&key(), b"chain", &mut nonce()).unwrap().as_bytes());
    golden.write("chain-receiving", chains.seal(&key(), b"chains", &mut nonce()).unwrap().as_bytes());
    let next = encrypt(&mut chain, &targets, "chain-next");
    for message in [&late, &kept, &next] {
        let _ = chains.open(message).unwrap();
    }
    golden.write("chain-receiving-after", chains.seal(&key(), b"chains", &mut nonce()).unwrap().as_bytes());
}
