//! Groups: distributions and messages of chains, and a sender that follows no rule, against a model.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bisik::device::AccountKey;
use bisik::group::{
    Distribution, GroupId, GroupMessage, ListsDigest, MemberDevice, OpenError, Place, ReceivingChains, Scope, SendPlan,
    SendingChain, View,
};
use bisik::{Identity, IdentityKey};

use super::fixtures::{PARTIES, Repeatable, storage_key};
use super::forged_chain::{ForgedChain, message_key};
use super::group_model::Model;
use super::input::{Input, RAW};
use super::record::{self, CONTEXT};

const GROUP: GroupId = GroupId::from_bytes([0x67; 32]);
const NOW: u64 = 1_800_000_000;
/// Kinds of records.
const SENDING: u8 = 19;
const RECEIVING: u8 = 20;

/// The chains that a dishonest sender has, with their chain keys beyond the number that no message has.
struct Chains {
    sender: MemberDevice,
    forged: Vec<ForgedChain>,
    keys: Vec<Vec<[u8; 32]>>,
    /// Distributions and messages that honest devices made.
    distributions: Vec<Vec<u8>>,
    messages: Vec<Vec<u8>>,
    /// What the messages are opened with: given from the third on, of which the sixth was read.
    reader: Vec<u8>,
}

static CHAINS: LazyLock<Chains> = LazyLock::new(|| {
    let alice = Identity::generate(&mut Repeatable(80));
    let sender = MemberDevice { account: AccountKey::of(&alice), device: 3, identity: *alice.public() };
    let forged: Vec<_> = (0..COUNT)
        .map(|number| ForgedChain {
            group: *GROUP.as_bytes(),
            origin: [0x0e; 32],
            account: sender.account.to_bytes(),
            device: sender.device,
            first: [number + 1; 32],
            signing: [number ^ 0x80; 32],
            predecessor: ([0; 8], 0),
            flags: 0,
            begun: NOW,
        })
        .collect();
    let keys = forged.iter().map(|chain| {
        let mut keys = vec![chain.first];
        for at in 0..BEYOND + 70 {
            keys.push(record::hmac(&keys[at as usize], &[&[0x02]]));
        }
        keys
    });
    let keys = keys.collect();
    let distributions = vec![forged[0].distribution(2), forged[1].distribution(0)];
    let messages: Vec<_> = (0..9).map(|number| forged[0].message(number, [3; 16], &[7; 20])).collect();
    let mut reader = ReceivingChains::new(Scope::Group(GROUP), sender);
    let _ = reader.take(&Distribution::from_bytes(&distributions[0]).expect("genuine"), &sender.identity).unwrap();
    let _ = reader.open(&GroupMessage::from_bytes(&messages[5]).expect("genuine")).unwrap();
    let reader = image(&mut reader);
    Chains { sender, forged, keys, distributions, messages, reader }
});

/// Chains of the dishonest sender.
const COUNT: u8 = 8;
/// The first number that no message has.
const BEYOND: u32 = 1_000;

fn image(chains: &mut ReceivingChains) -> Vec<u8> {
    chains.seal(&storage_key(), CONTEXT, &mut Repeatable(1)).unwrap().into_bytes()
}

fn reader() -> ReceivingChains {
    ReceivingChains::unseal(&storage_key(), CONTEXT, &CHAINS.reader).expect("genuine")
}

/// `group_distribution`: an edited distribution, or raw bytes. What is read has one encoding; what is refused changes
/// nothing.
pub fn group_distribution(data: &[u8]) {
    let Chains { sender, distributions, messages, .. } = &*CHAINS;
    let bytes = Input::new(data).edited(distributions);
    let Ok(given) = Distribution::from_bytes(&bytes) else { return };
    assert_eq!(*given.to_bytes(), bytes, "one encoding");
    let mut fresh = ReceivingChains::new(given.scope(), *sender);
    assert!(fresh.take(&given, &sender.identity).unwrap().opens_more);
    let _ = messages.iter().map(|message| fresh.open(&GroupMessage::from_bytes(message).unwrap())).count();
    let record = image(&mut fresh);
    assert_eq!(image(&mut ReceivingChains::unseal(&storage_key(), CONTEXT, &record).unwrap()), record);
    let mut chains = reader();
    let before = image(&mut chains);
    if chains.take(&given, &sender.identity).is_err() {
        assert_eq!(image(&mut chains), before, "nothing changed");
    }
}

/// `group_message`: an edited message, or raw bytes. Only genuine ones open, and only unread ones.
pub fn group_message(data: &[u8]) {
    let Chains { messages, .. } = &*CHAINS;
    let bytes = Input::new(data).edited(messages);
    let Ok(message) = GroupMessage::from_bytes(&bytes) else {
        let beyond = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes")) >= BEYOND;
        assert!(bytes.len() < GroupMessage::OVERHEAD || bytes[0] != 1 || beyond(&bytes[9..13]));
        return;
    };
    assert_eq!(message.as_bytes(), bytes);
    let mut chains = reader();
    let before = image(&mut chains);
    let [one, many] = [chains.open(&message).map(|opened| opened.body), {
        let mut chains = reader();
        let mut results = chains.open_backlog(std::slice::from_ref(&message));
        results.pop().unwrap().map(|held| held.for_inbox().to_vec())
    }];
    assert_eq!(one, many, "alone and in a backlog");
    match messages.iter().position(|genuine| *genuine == bytes) {
        Some(at @ (2 | 3 | 4 | 6 | 7 | 8)) => assert_eq!(one, Ok(vec![7; 20]), "{at}"),
        Some(5) => assert_eq!(one, Err(OpenError::Replayed)),
        Some(_) => assert_eq!(one, Err(OpenError::NotGiven)),
        None => assert!(matches!(one, Err(OpenError::Rejected | OpenError::NeedsChain)), "{one:?}"),
    }
    assert_eq!(one.is_err(), image(&mut chains) == before);
}

/// `group_chain`: what a sender without rules gives and writes, against a model; or the state in a record.
pub fn group_chain(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() {
        0 => receiving_state(input.rest()),
        1 => sending_state(input.rest()),
        _ => dishonest_sender(input),
    }
}

fn receiving_state(state: &[u8]) {
    let record = record::seal_named(RECEIVING, CONTEXT, state);
    let Ok(mut chains) = ReceivingChains::unseal(&storage_key(), CONTEXT, &record) else { return };
    assert_eq!(record::open_named(RECEIVING, CONTEXT, &image(&mut chains)), state, "one encoding");
    let identity = chains.sender().identity;
    for (given, message) in CHAINS.distributions.iter().zip(&CHAINS.messages[4..]) {
        let _ = chains.take(&Distribution::from_bytes(given).unwrap(), &identity);
        let _ = chains.open(&GroupMessage::from_bytes(message).unwrap());
    }
    let _ = chains.close_at_received().unwrap();
    let record = image(&mut chains);
    let again = ReceivingChains::unseal(&storage_key(), CONTEXT, &record).map(|mut again| image(&mut again));
    assert_eq!(again, Ok(record), "every reachable state can be stored");
}

fn sending_state(state: &[u8]) {
    let record = record::seal_named(SENDING, CONTEXT, state);
    let Ok(mut chain) = SendingChain::unseal(&storage_key(), CONTEXT, &record) else { return };
    let image =
        |chain: &mut SendingChain| chain.seal(&storage_key(), CONTEXT, &mut Repeatable(1)).unwrap().into_bytes();
    assert_eq!(record::open_named(SENDING, CONTEXT, &image(&mut chain)), state, "one encoding");
    let bob = *PARTIES.bob.public();
    let targets: BTreeSet<IdentityKey> = chain.given().copied().chain([bob]).collect();
    let (view, lists) = (View::from_bytes([1; 8]), ListsDigest::from_bytes([2; 32]));
    for renew in [false, true] {
        if renew {
            let place = match chain.scope() {
                Scope::Group(id) => Place::Group { id, origin: [1; 32] },
                Scope::Audience(id) => Place::Audience { id },
            };
            chain.renew(place, false, bisik::Timestamp::from_unix_seconds(NOW), &mut Repeatable(2)).unwrap();
        }
        let SendPlan::Ready(mut ready) = chain.plan(&targets, bisik::Timestamp::from_unix_seconds(NOW)) else {
            continue;
        };
        let given = ready.distribution_for(&bob, view, &lists);
        let written = ready.encrypt(view, b"halo", &mut Repeatable(3)).unwrap();
        if let Ok(given) = given {
            let mut chains = ReceivingChains::new(chain.scope(), *chain.sender());
            let _ = chains.take(&given, &chain.sender().identity).unwrap();
            assert_eq!(chains.open(&written).unwrap().body, b"halo");
        }
    }
    let record = image(&mut chain);
    assert_eq!(SendingChain::unseal(&storage_key(), CONTEXT, &record).map(|mut again| image(&mut again)), Ok(record));
}

/// Up to 24 distributions and messages that a sender without rules makes.
fn dishonest_sender(mut input: Input<'_>) {
    let Chains { sender, forged, keys, .. } = &*CHAINS;
    let mut chains = ReceivingChains::new(Scope::Group(GROUP), *sender);
    let mut model = Model::default();
    for _ in 0..24 {
        if input.is_empty() {
            break;
        }
        let [what, id, names] = input.array();
        let id = id % COUNT;
        let index = input.number_near(&[0, 20, BEYOND]) % (BEYOND + 70);
        let before = image(&mut chains);
        let refused = match what % 8 {
            0..3 => {
                // Most chains of most tries follow none.
                let named = (names & 0x0f, u32::from(names >> 4) * 3);
                let named = Some(named).filter(|(named, _)| *named < COUNT && *named != id);
                let mut chain = forged[usize::from(id)].clone();
                chain.predecessor =
                    named.map_or(([0; 8], 0), |(named, length)| (forged[usize::from(named)].id(), length));
                let bytes = chain.distribution_with(index, &keys[usize::from(id)][index as usize]);
                let given = Distribution::from_bytes(&bytes);
                assert_eq!(given.is_ok(), index < BEYOND);
                let Ok(given) = given else { continue };
                let taken = chains.take(&given, &sender.identity).map(|taken| taken.opens_more);
                assert_eq!(taken, model.take(id, index, named));
                taken.is_err()
            }
            3..7 => {
                let (salt, right_key) = (names & 3, names & 0x70 != 0x70);
                let key = if right_key { keys[usize::from(id)][index as usize] } else { [0xee; 32] };
                let bytes = forged[usize::from(id)].message_under(&message_key(&key), index, [salt; 16], &[id]);
                let message = GroupMessage::from_bytes(&bytes);
                assert_eq!(message.is_ok(), index < BEYOND);
                let Ok(message) = message else { continue };
                let opened = chains.open(&message);
                let opened = opened.map(|opened| assert_eq!(opened.body, [id]));
                assert_eq!(opened, model.open(id, index, salt, right_key));
                opened.is_err()
            }
            _ if names < 0x20 => {
                let _ = chains.close_at_received().unwrap();
                model.close();
                false
            }
            _ => {
                chains = ReceivingChains::unseal(&storage_key(), CONTEXT, &before).expect("it was just sealed");
                true
            }
        };
        let after = image(&mut chains);
        assert!(!refused || after == before, "nothing changed");
        assert_eq!(chains.kept_keys() as usize, model.kept());
        let expected: Vec<_> = model.chains.iter().map(|(id, _)| forged[usize::from(*id)].id()).collect();
        assert_eq!(chains.chains().map(|id| *id.as_bytes()).collect::<Vec<_>>(), expected);
        assert!(
            ReceivingChains::unseal(&storage_key(), CONTEXT, &after).is_ok(),
            "every reachable state can be stored"
        );
    }
}

pub fn distribution_seeds() -> Vec<(&'static str, Vec<u8>)> {
    // One edit: what, how, and where.
    let flipped = |at: u8| vec![0, 1, 0, 1, 0, at];
    let raw = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = CHAINS.distributions[0].clone();
        change(&mut bytes);
        [&[RAW], u16::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), &bytes].concat()
    };
    vec![
        ("genuine", vec![0, 0]),
        ("of_another_chain", vec![1, 0]),
        ("flipped_group", flipped(1)),
        ("flipped_origin", flipped(40)),
        ("flipped_chain_key", flipped(80)),
        ("flipped_signing_key", flipped(110)),
        ("raw", raw(&|_| {})),
        (
            "for_an_audience",
            raw(&|bytes| {
                bytes[33..73].fill(0);
                bytes[153] = 2;
                bytes[162..].fill(0);
            }),
        ),
        (
            "tells_an_audience",
            raw(&|bytes| {
                bytes[33..65].fill(0);
                bytes[153] = 2;
            }),
        ),
        ("unknown_flag", raw(&|bytes| bytes[153] = 4)),
        ("length_of_no_chain", raw(&|bytes| bytes[149] = 1)),
        ("greatest_index", raw(&|bytes| bytes[73..77].copy_from_slice(&(BEYOND - 1).to_be_bytes()))),
        ("beyond_the_greatest_index", raw(&|bytes| bytes[73..77].copy_from_slice(&BEYOND.to_be_bytes()))),
        ("later_version", raw(&|bytes| bytes[0] = 2)),
        (
            "follows_itself",
            raw(&|bytes| {
                let id = CHAINS.forged[0].id();
                bytes[141..149].copy_from_slice(&id);
            }),
        ),
    ]
}

pub fn message_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let flipped = |at: u8| vec![2, 1, 0, 1, 0, at];
    let raw = |bytes: &[u8]| [&[RAW], u16::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), bytes].concat();
    let message = &CHAINS.messages[6];
    vec![
        ("genuine", vec![2, 0]),
        ("read_before", vec![5, 0]),
        ("before_it_was_given", vec![1, 0]),
        ("flipped_chain", flipped(3)),
        ("flipped_index", flipped(12)),
        ("flipped_salt", flipped(20)),
        ("flipped_ciphertext", flipped(30)),
        ("flipped_tag", flipped(60)),
        ("flipped_signature", flipped(130)),
        ("raw", raw(message)),
        ("shortest", raw(&message[..117])),
        ("too_short", raw(&message[..116])),
        ("later_version", raw(&[&[2], &message[1..]].concat())),
    ]
}

pub fn chain_seeds() -> Vec<(&'static str, Vec<u8>)> {
    // What, which chain, names, and an index near 0 (choice 0), 20 (1) or 1,000 (2).
    let give = |id: u8, index: u8| vec![0, id, 0x0f, 0, index];
    let follow = |id: u8, before: u8, length: u8| vec![0, id, length << 4 | before, 0, 0];
    let write = |id: u8, index: u8, salt: u8| vec![3, id, salt, 0, index];
    let wrong = |id: u8, index: u8| vec![3, id, 0x70, 0, index];
    // The last message of a chain, and one beyond.
    let last = |id: u8| vec![3, id, 0, 2, 0x81];
    let beyond = |id: u8| vec![3, id, 0, 2, 0];
    let (restart, remove) = (vec![7, 0, 0xff, 0, 0], vec![7, 0, 0, 0, 0]);
    let script = |steps: &[Vec<u8>]| [&[2], steps.concat().as_slice()].concat();
    let mut all: Vec<_> = (0..7).map(|id| give(id, id)).collect();
    all.extend((0..7).map(|id| write(id, 9, 0)));
    let sending = SendingChain::begin(
        Place::Group { id: GROUP, origin: [0x0e; 32] },
        CHAINS.sender,
        false,
        bisik::Timestamp::from_unix_seconds(NOW),
        &mut Repeatable(4),
    );
    let mut sending = sending.expect("a group with an origin");
    let targets = BTreeSet::from([*PARTIES.bob.public()]);
    let SendPlan::Ready(mut ready) = sending.plan(&targets, bisik::Timestamp::from_unix_seconds(NOW)) else {
        panic!("it has just begun")
    };
    let (view, lists) = (View::from_bytes([1; 8]), ListsDigest::from_bytes([2; 32]));
    let _ = ready.distribution_for(PARTIES.bob.public(), view, &lists).unwrap();
    let sending = sending.seal(&storage_key(), CONTEXT, &mut Repeatable(1)).unwrap().into_bytes();
    vec![
        ("in_order", script(&[give(0, 0), write(0, 0, 0), write(0, 1, 0), write(0, 2, 0)])),
        (
            "out_of_order",
            script(&[give(0, 1), write(0, 5, 0), write(0, 0, 0), write(0, 3, 0), restart.clone(), write(0, 3, 0)]),
        ),
        ("went_back", script(&[give(0, 0), write(0, 4, 0), write(0, 4, 1), write(0, 2, 1), write(0, 2, 2)])),
        ("wrong_key", script(&[give(0, 0), wrong(0, 3), write(0, 3, 0), wrong(0, 1), wrong(0, 3)])),
        ("earlier_distribution", script(&[give(0, 9), write(0, 12, 0), give(0, 3), give(0, 5), write(0, 4, 0)])),
        (
            "next_chain",
            script(&[give(0, 0), write(0, 2, 0), follow(1, 0, 3), write(0, 8, 0), write(0, 9, 0), write(1, 0, 0)]),
        ),
        ("next_chain_first", script(&[follow(1, 0, 3), give(0, 0), write(0, 8, 0), write(0, 9, 0), give(0, 0)])),
        ("contradicts", script(&[give(0, 0), follow(0, 1, 3), follow(0, 1, 3)])),
        (
            "removed",
            script(&[give(0, 0), write(0, 7, 0), remove, write(0, 6, 0), write(0, 8, 0), give(0, 0), give(1, 0)]),
        ),
        ("beyond_the_last", script(&[give(0, 0), beyond(0), last(0), write(0, 1, 0), vec![0, 1, 0x0f, 2, 0], last(1)])),
        (
            "no_room_for_keys",
            script(&[give(0, 0), give(1, 0), give(2, 0), last(0), last(1), last(2), write(0, 5, 0), write(2, 5, 0)]),
        ),
        (
            "namer_is_gone",
            script(&[follow(1, 0, 3), follow(2, 1, 0), restart, give(0, 0), write(0, 8, 0), write(0, 9, 0)]),
        ),
        ("many_chains", script(&all)),
        ("receiving_state", [&[0], record::open_named(RECEIVING, CONTEXT, &CHAINS.reader).as_slice()].concat()),
        ("sending_state", [&[1], record::open_named(SENDING, CONTEXT, &sending).as_slice()].concat()),
    ]
}
