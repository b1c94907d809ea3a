//! Conversations: the cost of a message to many devices above that of the session's own encryption, and the size of an
//! idle conversation's record. `cargo bench --bench conversation`.
//!
//! Ratios are between samples of one run. The last column shows their aims.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation)]

#[allow(dead_code)] // callgrind and allocations, which other benchmarks use
mod support;

use std::hint::black_box;

use bisik::conversation::{
    Arrival, Conversation, DeviceAddress, Envelope, IdentityPolicy, MessageId, RecordName, Supply,
};
use bisik::device::{
    Custody, DeviceCertificate, DeviceChange, DeviceDirectory, DeviceEntry, DeviceList, DeviceTerms, Primary,
};
use bisik::{Accepted, Account, Identity, PreKeyBundle, Session, StorageKey, Timestamp, Trust, VerifiedBundle};
use rand::SeedableRng;
use rand::rngs::StdRng;
use support::interleaved::{median, ratio, sample};
use support::meter::Case;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
/// Bytes of a message: a sentence, padded.
const BODY: [u8; 256] = [7; 256];
/// Bytes that a frame adds to a message.
const FRAME: usize = 67;

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    // `cargo test --benches` and `cargo bench -- --test` only check that it runs.
    let measured = std::env::args().any(|argument| argument == "--bench");
    let rounds = if measured { 200 } else { 1 };
    println!("{:<44} {:>11} {:>11} {:>7} {:>5}", "operation", "ns", "compared", "ratio", "aim");
    // The greatest list takes a while: each of its devices verifies the possession of every key in it.
    for devices in if measured { vec![1, 5, DeviceList::MOST_DEVICES] } else { vec![1, 5] } {
        let title = format!("send to {devices}, per device; session encrypt");
        let rounds = rounds.min((2_000 / devices).max(5));
        compare(&title, &mut send(devices), &mut encrypt(1), devices as f64, rounds, "1.20");
    }
    // The cost of many states by themselves: they do not all stay in the processor's cache.
    let many = if measured { 1_000 } else { 5 };
    let title = format!("encrypt in {many} sessions, each; in one");
    compare(&title, &mut encrypt(many), &mut encrypt(1), many as f64, rounds.min(10), "");
    compare("receive; session decrypt", &mut receive(), &mut decrypt(), 1.0, rounds, "");
    compare("record of five devices: seal; open", &mut seal(), &mut open(), 1.0, rounds, "");
    compare("first contact with five; five sessions", &mut first_contact(), &mut five_sessions(), 1.0, rounds, "0.60");
    let (lists, most) = if measured { (300, DeviceList::MOST_DEVICES) } else { (3, 5) };
    let title = format!("follow {lists} lists of {most}, from bytes; one list");
    compare(&title, &mut follow(lists, most), &mut follow(1, most), 1.0, rounds.min(10), "");
    println!("\n{:<44} {:>11}", "peer's devices", "idle bytes");
    for devices in [1, 2, 5] {
        let mut scene = Scene::new(devices);
        println!("{devices:<44} {:>11}", scene.record().len());
    }
}

fn compare(title: &str, ours: &mut Case, base: &mut Case, share: f64, rounds: usize, aim: &str) {
    let mut samples = sample(&mut [ours, base], rounds);
    samples[0].iter_mut().for_each(|sample| *sample /= share);
    let ratio = ratio(&samples[0], &samples[1]);
    let [ours, base] = [&samples[0], &samples[1]].map(|times| median(times));
    println!("{title:<44} {ours:>11.0} {base:>11.0} {ratio:>7.2} {aim:>5}");
}

/// A conversation with an account whose devices have all answered.
struct Scene {
    rng: StdRng,
    account: Account,
    conversation: Conversation,
    key: StorageKey,
    list: DeviceList,
    peers: Vec<(Account, Conversation)>,
}

impl Scene {
    fn new(devices: usize) -> Self {
        let mut scene = Self::strangers(devices);
        let bundles = verified(&scene.bundles());
        let sent = scene.send(&bundles);
        for index in 0..devices {
            let answer = scene.answer(index, &sent);
            for envelope in answer {
                let from = DeviceAddress::peer(index as u32);
                let arrival = Arrival { id: envelope.id, from, ciphertext: envelope.ciphertext };
                drop(scene.conversation.receive(&mut scene.account, &arrival, NOW).unwrap());
            }
        }
        assert_eq!(scene.conversation.unacknowledged_messages(), 0, "every device has answered");
        scene
    }

    fn strangers(devices: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let terms = DeviceTerms::own_held(Custody::Person).unwrap();
        let account = Account::create(terms, NOW, &mut rng);
        let mut primary = Account::create(terms, NOW, &mut rng);
        let companions: Vec<_> = (1..devices).map(|_| Identity::generate(&mut rng)).collect();
        let certificate = |(index, identity): (usize, &Identity)| {
            DeviceChange::Add(DeviceCertificate::sign(identity, primary.key(), index as u32 + 1, terms))
        };
        let changes: Vec<_> = companions.iter().enumerate().map(certificate).collect();
        let list = primary.change_devices(&changes, NOW).unwrap();
        let key = *primary.key();
        let mut peers = vec![primary];
        for identity in companions {
            peers.push(Account::join(identity, &key, &list, NOW, &mut rng).unwrap());
        }
        let own = account.primary().unwrap().list().clone();
        let peers = peers.into_iter().map(|peer| (new(&peer, &own), peer)).map(|(talk, peer)| (peer, talk)).collect();
        let (conversation, key) = (new(&account, &list), StorageKey::generate(&mut rng));
        Self { rng, account, conversation, key, list, peers }
    }

    fn bundles(&self) -> Vec<PreKeyBundle> {
        self.peers.iter().map(|(peer, _)| peer.pre_keys().bundle()).collect()
    }

    fn send(&mut self, bundles: &[(DeviceAddress, VerifiedBundle)]) -> Vec<Envelope> {
        let Self { rng, account, conversation, key, .. } = self;
        let supply = Supply { bundles, unavailable: &[] };
        let outgoing = conversation.send(account, &BODY, &supply, NOW, rng).unwrap();
        outgoing.release(&conversation.seal(account, key, rng).unwrap().stored()).unwrap()
    }

    /// Lets one device of the peer receive its envelope and acknowledge it, to the local device only.
    fn answer(&mut self, index: usize, sent: &[Envelope]) -> Vec<Envelope> {
        let (peer, conversation) = &mut self.peers[index];
        let envelope = sent.iter().find(|envelope| envelope.to.index == index as u32).unwrap();
        let from = DeviceAddress::peer(DeviceEntry::PRIMARY);
        let arrival = Arrival { id: envelope.id, from, ciphertext: envelope.ciphertext.clone() };
        drop(conversation.receive(peer, &arrival, NOW).unwrap());
        let outgoing = conversation.flush(peer, &Supply::default(), NOW, &mut self.rng).unwrap();
        outgoing.release(&conversation.seal(peer, &self.key, &mut self.rng).unwrap().stored()).unwrap()
    }

    fn record(&mut self) -> Vec<u8> {
        let Self { rng, account, conversation, key, .. } = self;
        let changes = conversation.seal(account, key, rng).unwrap();
        let name = RecordName::Conversation(conversation.id());
        changes.records().iter().find(|record| record.name == name).unwrap().bytes.clone()
    }
}

fn new(account: &Account, list: &DeviceList) -> Conversation {
    let directory = DeviceDirectory::trust(list, Trust::OnFirstUse, NOW).unwrap();
    Conversation::new(account, directory, &[], IdentityPolicy::Block, NOW).0
}

fn verified(bundles: &[PreKeyBundle]) -> Vec<(DeviceAddress, VerifiedBundle)> {
    let verify = |(index, bundle): (usize, &PreKeyBundle)| {
        (DeviceAddress::peer(index as u32), bundle.clone().verify(Trust::OnFirstUse, NOW).unwrap())
    };
    bundles.iter().enumerate().map(verify).collect()
}

/// Reads and follows so many lists of an account with so many devices, of which one is another in every second list.
fn follow(lists: usize, devices: usize) -> Case {
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

fn send(devices: usize) -> Case {
    let mut scene = Scene::new(devices);
    Box::new(move |count, meter| {
        for _ in 0..count {
            let Scene { rng, account, conversation, .. } = &mut scene;
            meter.measure(&mut || {
                drop(black_box(conversation.send(account, &BODY, &Supply::default(), NOW, rng).unwrap()));
            });
        }
    })
}

/// Returns two devices' ends of a session that was used in both directions.
fn session() -> (Session, Session, Identity, StdRng) {
    let mut rng = StdRng::seed_from_u64(2);
    let (alice, bob) = (Identity::generate(&mut rng), Identity::generate(&mut rng));
    let keys = bisik::PreKeys::generate(&bob, NOW, &mut rng);
    let bundle = keys.bundle().verify(Trust::OnFirstUse, NOW).unwrap();
    let mut a = Session::initiate(&alice, &bundle, NOW, &mut rng).unwrap();
    let hello = a.encrypt(b"halo", &mut rng).unwrap();
    let Accepted { session: mut b, .. } = Session::accept(&bob, &keys, &hello, Trust::OnFirstUse, NOW).unwrap();
    let answer = b.encrypt(b"hai", &mut rng).unwrap();
    _ = a.decrypt(&alice, &answer).unwrap();
    (a, b, bob, rng)
}

/// Encrypts one message in each of some sessions.
fn encrypt(sessions: usize) -> Case {
    let mut rng = StdRng::seed_from_u64(3);
    let mut sessions: Vec<_> = (0..sessions).map(|_| session().0).collect();
    Box::new(move |count, meter| {
        for _ in 0..count {
            meter.measure(&mut || {
                for session in &mut sessions {
                    drop(black_box(session.encrypt(&[7; BODY.len() + FRAME], &mut rng).unwrap()));
                }
            });
        }
    })
}

fn decrypt() -> Case {
    let (mut a, mut b, bob, mut rng) = session();
    Box::new(move |count, meter| {
        for _ in 0..count {
            let message = a.encrypt(&[7; BODY.len() + FRAME], &mut rng).unwrap();
            meter.measure(&mut || drop(black_box(b.decrypt(&bob, &message).unwrap())));
        }
    })
}

fn receive() -> Case {
    let mut scene = Scene::new(1);
    Box::new(move |count, meter| {
        for _ in 0..count {
            let Envelope { id, ciphertext, .. } = scene.send(&[]).remove(0);
            let arrival = Arrival { id, from: DeviceAddress::peer(DeviceEntry::PRIMARY), ciphertext };
            let (peer, conversation) = &mut scene.peers[0];
            meter.measure(&mut || drop(black_box(conversation.receive(peer, &arrival, NOW).unwrap())));
        }
    })
}

fn seal() -> Case {
    let mut scene = Scene::new(5);
    Box::new(move |count, meter| {
        for _ in 0..count {
            // Only a changed conversation is sealed.
            let Scene { rng, account, conversation, key, .. } = &mut scene;
            let _asked = conversation.ask_again(MessageId::from_bytes([1; 16]), DeviceAddress::peer(0));
            meter.measure(&mut || drop(black_box(conversation.seal(account, key, rng))));
        }
    })
}

fn open() -> Case {
    let mut scene = Scene::new(5);
    let record = scene.record();
    Box::new(move |count, meter| {
        let Scene { account, conversation, key, .. } = &scene;
        for _ in 0..count {
            meter.measure(&mut || {
                drop(black_box(Conversation::unseal(account, key, conversation.id(), &record).unwrap()));
            });
        }
    })
}

/// First contact: verifies a list and five bundles and sends a message.
fn first_contact() -> Case {
    let mut scene = Scene::strangers(5);
    let bundles = scene.bundles();
    Box::new(move |count, meter| {
        for _ in 0..count {
            let Scene { rng, account, list, .. } = &mut scene;
            meter.measure(&mut || {
                let mut conversation = new(account, list);
                let bundles = verified(&bundles);
                let supply = Supply { bundles: &bundles, unavailable: &[] };
                drop(black_box(conversation.send(account, &BODY, &supply, NOW, rng).unwrap()));
            });
        }
    })
}

/// The same without accounts: five bundles, five sessions, five messages.
fn five_sessions() -> Case {
    let mut scene = Scene::strangers(5);
    let bundles = scene.bundles();
    Box::new(move |count, meter| {
        for _ in 0..count {
            let Scene { rng, account, .. } = &mut scene;
            meter.measure(&mut || {
                for (_, bundle) in verified(&bundles) {
                    let mut session = Session::initiate(account.identity(), &bundle, NOW, rng).unwrap();
                    drop(black_box(session.encrypt(&[7; BODY.len() + FRAME], rng).unwrap()));
                }
            });
        }
    })
}
