//! What is timed of device lists, and of first contact with the devices on them.

use std::hint::black_box;

use bisik::conversation::{Conversation, DeviceAddress, IdentityPolicy, Recipients};
use bisik::device::{Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceList, DeviceTerms, Primary};
use bisik::{Account, Identity, PreKeyBundle, Session, StorageKey, Trust, VerifiedBundle};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::cases::{BODY, FRAME, NOW};
use crate::support::meter::Case;

/// Reads and follows so many lists of an account with so many devices, of which one is another in every second list.
pub(crate) fn follow(lists: usize, devices: usize) -> Case {
    let mut rng = StdRng::seed_from_u64(4);
    let phone = Identity::generate(&mut rng);
    let terms = DeviceTerms::own_held(Custody::Person).unwrap();
    let mut primary = Primary::new(&phone, terms, NOW);
    let account = *primary.account();
    let mut add = |primary: &mut Primary| {
        let identity = Identity::generate(&mut rng);
        let certificate = DeviceCertificate::sign(&identity, &account, primary.next_index(), terms);
        primary.add(&phone, certificate, NOW).unwrap();
    };
    (1..devices).for_each(|_| add(&mut primary));
    let known = primary.directory();
    let mut encoded = Vec::new();
    for number in 0..lists {
        if number % 2 == 0 {
            let last = primary.next_index() - 1;
            primary.remove(&phone, last, NOW).unwrap();
        } else {
            add(&mut primary);
        }
        encoded.push(primary.list().to_bytes());
    }
    Box::new(move |count, meter| {
        for _ in 0..count {
            let mut directory = known.clone();
            meter.measure(&mut || {
                let lists: Vec<_> = encoded.iter().map(|bytes| DeviceList::from_bytes(bytes).unwrap()).collect();
                drop(black_box(directory.catch_up(&lists, NOW).unwrap()));
            });
        }
    })
}

/// Somebody who has written to nobody, and the lists and bundles of accounts with so many devices.
struct Strangers {
    rng: StdRng,
    account: Account,
    key: StorageKey,
    peers: Vec<(DeviceList, Vec<PreKeyBundle>)>,
}

impl Strangers {
    fn new(sizes: &[usize]) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let account = Account::create(terms, NOW, &mut rng);
        let mut peer = |devices: &usize| {
            let mut primary = Account::create(terms, NOW, &mut rng);
            let companions: Vec<_> = (1..*devices).map(|_| Identity::generate(&mut rng)).collect();
            let certificate = |(index, identity): (usize, &Identity)| {
                DeviceChange::Add(DeviceCertificate::sign(identity, primary.key(), index as u32 + 1, terms))
            };
            let changes: Vec<_> = companions.iter().enumerate().map(certificate).collect();
            let list = match changes.as_slice() {
                [] => primary.primary().unwrap().list().clone(),
                changes => primary.change_devices(changes, NOW).unwrap(),
            };
            let mut bundles = vec![primary.pre_keys().bundle()];
            for identity in companions {
                let companion = Account::join(identity, primary.key(), &list, NOW, &mut rng).unwrap();
                bundles.push(companion.pre_keys().bundle());
            }
            (list, bundles)
        };
        let peers = sizes.iter().map(&mut peer).collect();
        let key = StorageKey::generate(&mut rng);
        Self { rng, account, key, peers }
    }
}

fn verified(bundles: &[PreKeyBundle]) -> Vec<(DeviceAddress, VerifiedBundle)> {
    let verify = |(index, bundle): (usize, &PreKeyBundle)| {
        (DeviceAddress::peer(index as u32), bundle.clone().verify(Trust::OnFirstUse, NOW).unwrap())
    };
    bundles.iter().enumerate().map(verify).collect()
}

/// First contact with each of some accounts: verifies its list and its bundles, writes and stores a message.
pub(crate) fn first_contact(sizes: &[usize]) -> Case {
    let mut strangers = Strangers::new(sizes);
    Box::new(move |count, meter| {
        for _ in 0..count {
            let Strangers { rng, account, key, peers } = &mut strangers;
            meter.measure(&mut || {
                for (list, bundles) in &*peers {
                    let directory = DeviceDirectory::trust(list, Trust::OnFirstUse, NOW).unwrap();
                    let (mut conversation, _) = Conversation::new(account, directory, &[], IdentityPolicy::Block, NOW);
                    conversation.send(account, &BODY, Recipients::All, NOW, rng).unwrap();
                    let outgoing = conversation.flush(account, &verified(bundles), NOW, rng).unwrap();
                    assert_eq!(outgoing.len(), bundles.len());
                    drop(black_box((outgoing, conversation.seal(account, key, rng).unwrap())));
                }
            });
        }
    })
}

/// The same without accounts and records: five bundles, five sessions, five messages.
pub(crate) fn five_sessions() -> Case {
    let mut strangers = Strangers::new(&[5]);
    Box::new(move |count, meter| {
        for _ in 0..count {
            let Strangers { rng, account, peers, .. } = &mut strangers;
            meter.measure(&mut || {
                for (_, bundle) in verified(&peers[0].1) {
                    let mut session = Session::initiate(account.identity(), &bundle, NOW, rng).unwrap();
                    drop(black_box(session.encrypt(&[7; FRAME], rng).unwrap()));
                }
            });
        }
    })
}
