//! The spoken comparison: all show the same four emoji, or somebody stands between two of them.

use std::collections::BTreeSet;

use bisik::call::{CallId, Commitment, CompareError, Comparison, Emoji, Opening, Signal, SignalError};
use bisik::{Identity, IdentityKey};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::fixtures::*;

const CALL: CallId = CallId::from_bytes([7; 16]);

/// Devices that compare, each with those it knows of.
struct Table {
    room: Room,
    at: Vec<Comparison>,
    /// What is on its way: from, to, signal.
    sent: Vec<(usize, usize, Vec<u8>)>,
}

impl Table {
    fn new(size: usize) -> Self {
        let room = Room::new(size);
        let mut table = Self { room, at: Vec::new(), sent: Vec::new() };
        for who in 0..size {
            let others = table.others(who, size);
            let (own, rng) = (table.room.identity(who), &mut rand::rng());
            let (comparison, commitment) = Comparison::start(CALL, &own, &others, rng).unwrap();
            table.at.push(comparison);
            table.send(who, &commitment.to_bytes());
        }
        table
    }

    fn others(&self, who: usize, size: usize) -> Vec<IdentityKey> {
        (0..size).filter(|other| *other != who).map(|other| self.room.identity(other)).collect()
    }

    fn send(&mut self, from: usize, signal: &[u8]) {
        let others = (0..self.room.identities.len()).filter(|to| *to != from);
        self.sent.extend(others.map(|to| (from, to, signal.to_vec())));
    }

    /// Delivers one signal, and sends what follows from it.
    fn deliver(&mut self, at: usize) {
        let (from, to, bytes) = self.sent.remove(at);
        let session = self.room.sessions[to][from].as_ref().unwrap();
        match Signal::from_bytes(&bytes).unwrap() {
            Signal::Commitment(commitment) => {
                match self.at[to].take_commitment(&commitment, session, &mut rand::rng()) {
                    Ok(None) => {}
                    Ok(Some(ours)) => self.send(to, &ours.to_bytes()),
                    // Its user wants to compare again too.
                    Err(CompareError::BeginsAgain) => {
                        let others = self.others(to, self.room.identities.len());
                        let ours = self.at[to].again(&others, &mut rand::rng()).unwrap();
                        self.send(to, &ours.to_bytes());
                        self.sent.push((from, to, bytes));
                    }
                    Err(error) => assert!(matches!(error, CompareError::OtherRound | CompareError::NotInCall)),
                }
                if let Some(opening) = self.at[to].opening() {
                    self.send(to, &opening.to_bytes());
                }
            }
            Signal::Opening(opening) => match self.at[to].take_opening(&opening, session) {
                Ok(()) | Err(CompareError::OtherRound) => {}
                Err(CompareError::TooEarly) => self.sent.push((from, to, bytes)),
                Err(error) => panic!("{error}"),
            },
            _ => panic!("another signal"),
        }
    }

    fn settle(&mut self, rng: &mut StdRng) {
        while !self.sent.is_empty() {
            self.deliver(rng.random_range(0..self.sent.len()));
        }
    }

    fn shown(&self) -> Vec<Option<[Emoji; 4]>> {
        self.at.iter().map(Comparison::emoji).collect()
    }
}

/// P-9.21
#[test]
fn everybody_in_a_call_shows_the_same_four_emoji() {
    for size in [2, 3, 5] {
        let mut table = Table::new(size);
        table.settle(&mut StdRng::seed_from_u64(1));
        let shown = table.shown();
        assert!(shown[0].is_some());
        assert!(shown.iter().all(|emoji| *emoji == shown[0]), "{shown:?}");
    }
}

/// P-9.19, P-9.21: who opened first would let the last one choose.
#[test]
fn nobody_opens_before_everybody_has_committed() {
    let mut table = Table::new(3);
    let rng = &mut rand::rng();
    for from in [1, 2] {
        assert!(table.at[0].opening().is_none(), "before device {from}");
        let commitment = table.at[from].commitment();
        let session = table.room.sessions[0][from].as_ref().unwrap();
        assert_eq!(table.at[0].take_commitment(&commitment, session, rng), Ok(None));
        assert_eq!(table.at[0].take_commitment(&commitment, session, rng), Ok(None), "again");
    }
    assert!(table.at[0].opening().is_some());
    assert_eq!(table.at[0].emoji(), None, "nobody else has opened");
}

/// P-9.20: a commitment binds, whatever is opened.
#[test]
fn a_commitment_cannot_be_changed_and_opens_only_to_its_bytes() {
    let pair = Pair::new();
    let rng = &mut rand::rng();
    let [alice, bob] = [pair.alice.public(), pair.bob.public()];
    let (mut at_alice, hers) = Comparison::start(CALL, alice, [bob], rng).unwrap();
    let (mut at_bob, his) = Comparison::start(CALL, bob, [alice], rng).unwrap();
    let (_, another) = Comparison::start(CALL, bob, [alice], rng).unwrap();
    at_bob.take_commitment(&hers, &pair.at_bob, rng).unwrap();
    let opening = at_bob.opening().unwrap();
    assert_eq!(at_alice.take_opening(&opening, &pair.at_alice), Err(CompareError::TooEarly));
    at_alice.take_commitment(&his, &pair.at_alice, rng).unwrap();
    assert_eq!(at_alice.take_commitment(&another, &pair.at_alice, rng), Err(CompareError::Changed));
    let bytes = opening.to_bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let Ok(changed) = Opening::from_bytes(&changed) else { continue };
            assert!(at_alice.take_opening(&changed, &pair.at_alice).is_err(), "byte {at}");
        }
    }
    let own = at_alice.opening().unwrap();
    assert_eq!(at_alice.take_opening(&own, &pair.at_alice), Err(CompareError::Changed), "sent back to her");
    assert_eq!(at_alice.take_opening(&opening, &pair.at_alice), Ok(()));
    assert!(at_alice.opening().is_some() && at_alice.emoji().is_some());
}

/// Mallory stands between Alice and Bob: she is Bob to one, and Alice to the other. Whatever she passes on, the screens
/// differ; and she sees nobody's bytes before she is bound.
#[test]
fn somebody_between_two_devices_is_heard_in_the_comparison() {
    let rng = &mut rand::rng();
    let [alice, bob, mallory] = [(); 3].map(|()| Identity::generate(rng));
    let (at_alice, of_mallory) = sessions(&alice, &mallory);
    let (at_bob, to_bob) = sessions(&bob, &mallory);
    for _ in 0..200 {
        let start = |own: &Identity, other: &Identity| {
            Comparison::start(CALL, own.public(), [other.public()], &mut rand::rng()).unwrap()
        };
        let (mut a, a_commits) = start(&alice, &mallory);
        let (mut b, b_commits) = start(&bob, &mallory);
        let (mut with_alice, m_commits) = start(&mallory, &alice);
        let (mut with_bob, m_commits_too) = start(&mallory, &bob);
        with_alice.take_commitment(&a_commits, &of_mallory, rng).unwrap();
        with_bob.take_commitment(&b_commits, &to_bob, rng).unwrap();
        // The other's own commitment is no use to her: it names another key.
        a.take_commitment(&m_commits, &at_alice, rng).unwrap();
        b.take_commitment(&m_commits_too, &at_bob, rng).unwrap();
        let opened = b.opening().unwrap();
        assert_eq!(a.take_opening(&opened, &at_alice), Err(CompareError::Changed));
        let _ = a.opening().unwrap();
        a.take_opening(&with_alice.opening().unwrap(), &at_alice).unwrap();
        b.take_opening(&with_bob.opening().unwrap(), &at_bob).unwrap();
        assert_ne!(a.emoji().unwrap(), b.emoji().unwrap());
    }
}

/// P-9.20: Mallory sees what both sides would show before she opens, and opens only if it is the same. She begins round
/// after round, and neither side takes part in another before its user wants it.
#[test]
fn somebody_between_two_devices_who_withholds_her_openings_gets_one_try() {
    let rng = &mut rand::rng();
    let [alice, mallory] = [(); 2].map(|()| Identity::generate(rng));
    let (at_alice, _) = sessions(&alice, &mallory);
    let (mut a, _) = Comparison::start(CALL, alice.public(), [mallory.public()], rng).unwrap();
    let (mut with_alice, commitment) = Comparison::start(CALL, mallory.public(), [alice.public()], rng).unwrap();
    assert_eq!(a.take_commitment(&commitment, &at_alice, rng), Ok(None));
    let seen = a.opening().unwrap().to_bytes();
    for _ in 0..10 {
        let commitment = with_alice.again([alice.public()], rng).unwrap();
        assert_eq!(a.take_commitment(&commitment, &at_alice, rng), Err(CompareError::BeginsAgain));
        assert_eq!((a.round(), a.opening().unwrap().to_bytes()), (1, seen.clone()), "nothing has changed");
    }
    let latest = with_alice.commitment();
    let _ = a.again([mallory.public()], rng).unwrap();
    assert!(a.take_commitment(&latest, &at_alice, rng).unwrap().is_some());
    assert_eq!(a.round(), 11);
    assert_ne!(a.opening().unwrap().to_bytes()[19..], seen[19..]);
}

/// P-9.20: who has stolen a pre-key can set up a session in anybody's name, and cannot spoil the comparison with it.
#[test]
fn a_commitment_from_a_session_that_nobody_confirmed_is_refused() {
    let rng = &mut rand::rng();
    let [alice, bob] = [(); 2].map(|()| Identity::generate(rng));
    let (_, at_bob) = unconfirmed(&alice, &bob);
    let (_, hers) = Comparison::start(CALL, alice.public(), [bob.public()], rng).unwrap();
    let (mut at, his) = Comparison::start(CALL, bob.public(), [alice.public()], rng).unwrap();
    assert_eq!(at.take_commitment(&hers, &at_bob, rng), Err(CompareError::Unconfirmed));
    let opening = Opening::from_bytes(&[&[0x47], &his.to_bytes()[1..35]].concat()).unwrap();
    assert_eq!(at.take_opening(&opening, &at_bob), Err(CompareError::Unconfirmed));
}

/// P-9.20: each round has bytes of its own, and nothing of a former one enters it.
#[test]
fn a_newcomer_begins_another_round_with_fresh_bytes() {
    let mut table = Table::new(3);
    let rng = &mut rand::rng();
    // Device 2 is not there yet.
    for who in 0..2 {
        let others = table.others(who, 2);
        let own = table.room.identity(who);
        table.at[who] = Comparison::start(CALL, &own, &others, rng).unwrap().0;
    }
    table.sent.clear();
    for (from, to) in [(0, 1), (1, 0)] {
        let commitment = table.at[from].commitment();
        let session = table.room.sessions[to][from].as_ref().unwrap();
        table.at[to].take_commitment(&commitment, session, rng).unwrap();
    }
    let first = [0, 1].map(|who| table.at[who].opening().unwrap().to_bytes());
    let old = table.at[1].commitment();
    let early = Comparison::start(CALL, &table.room.identity(2), &table.others(2, 3), rng).unwrap().1;
    let session = table.room.sessions[0][2].as_ref().unwrap();
    assert_eq!(table.at[0].take_commitment(&early, session, rng), Err(CompareError::NotInCall));
    for who in 0..2 {
        let others = table.others(who, 3);
        let commitment = table.at[who].again(&others, rng).unwrap();
        table.send(who, &commitment.to_bytes());
        assert_eq!(table.at[who].emoji(), None);
    }
    let session = table.room.sessions[0][1].as_ref().unwrap();
    assert_eq!(table.at[0].take_commitment(&old, session, rng), Err(CompareError::OtherRound));
    let opening = Opening::from_bytes(&first[1]).unwrap();
    assert_eq!(table.at[0].take_opening(&opening, session), Err(CompareError::OtherRound));
    table.settle(&mut StdRng::seed_from_u64(3));
    let shown = table.shown();
    assert!(shown[0].is_some() && shown.iter().all(|emoji| *emoji == shown[0]));
    assert_eq!(table.at[2].round(), 2, "it has followed");
    assert_ne!(table.at[0].opening().unwrap().to_bytes()[19..], first[0][19..]);
}

/// P-9.20
#[test]
fn rounds_far_ahead_and_calls_of_nobody_are_refused() {
    let pair = Pair::new();
    let rng = &mut rand::rng();
    let [alice, bob] = [pair.alice.public(), pair.bob.public()];
    let (mut at_alice, _) = Comparison::start(CALL, alice, [bob], rng).unwrap();
    let (_, his) = Comparison::start(CALL, bob, [alice], rng).unwrap();
    assert_eq!(at_alice.take_commitment(&his, &pair.at_alice, rng), Ok(None));
    for (round, expected) in [(0, false), (66, false), (65, true), (64, false), (129, true)] {
        let mut bytes = his.to_bytes();
        bytes[17..19].copy_from_slice(&u16::to_be_bytes(round));
        let commitment = Commitment::from_bytes(&bytes).unwrap();
        let outcome = at_alice.take_commitment(&commitment, &pair.at_alice, rng);
        assert_eq!(outcome.is_ok(), expected, "{round}: {outcome:?}");
    }
    assert_eq!(at_alice.round(), 129);
    let other = CallId::from_bytes([8; 16]);
    let (_, elsewhere) = Comparison::start(other, bob, [alice], rng).unwrap();
    assert_eq!(at_alice.take_commitment(&elsewhere, &pair.at_alice, rng), Err(CompareError::OtherCall));
    let many: Vec<_> = (0..257).map(|_| *Identity::generate(rng).public()).collect();
    assert!(Comparison::start(CALL, alice, many[..255].iter().chain([&many[0]]), rng).is_ok(), "255, one named twice");
    for others in
        [vec![], vec![alice], vec![alice, bob], many.iter().take(256).collect(), many.iter().chain([bob]).collect()]
    {
        assert_eq!(Comparison::start(CALL, alice, others, rng).map(drop), Err(CompareError::NotInCall));
    }
    for bytes in [his.to_bytes()[..50].to_vec(), [his.to_bytes(), vec![0]].concat(), vec![0x46], vec![0x47; 34]] {
        assert_eq!(Signal::from_bytes(&bytes).map(drop), Err(SignalError::Malformed));
    }
}

/// P-9.20: a device that lost its state counts from 1 again, and the others do not.
#[test]
fn a_device_that_restarts_takes_part_again_whatever_the_round() {
    let mut table = Table::new(3);
    let rng = &mut rand::rng();
    for _ in 0..200 {
        let others = table.others(0, 3);
        let commitment = table.at[0].again(&others, rng).unwrap();
        table.send(0, &commitment.to_bytes());
        table.settle(&mut StdRng::seed_from_u64(5));
    }
    let others = table.others(2, 3);
    let (restarted, commitment) = Comparison::start(CALL, &table.room.identity(2), &others, rng).unwrap();
    table.at[2] = restarted;
    table.send(2, &commitment.to_bytes());
    // Both have heard of the new stay, and begin another round.
    for who in 0..2 {
        let others = table.others(who, 3);
        let commitment = table.at[who].again(&others, rng).unwrap();
        table.send(who, &commitment.to_bytes());
    }
    table.settle(&mut StdRng::seed_from_u64(6));
    let shown = table.shown();
    assert!(shown[0].is_some() && shown.iter().all(|emoji| *emoji == shown[0]), "{shown:?}");
    assert_eq!(table.at[2].round(), 202);
}

/// The emoji come from all 24 bits.
#[test]
fn every_emoji_occurs_in_every_place() {
    let rng = &mut rand::rng();
    let pair = Pair::new();
    let mut seen: [BTreeSet<&str>; 4] = Default::default();
    for _ in 0..2_000 {
        let [alice, bob] = [pair.alice.public(), pair.bob.public()];
        let (mut at_alice, hers) = Comparison::start(CALL, alice, [bob], rng).unwrap();
        let (mut at_bob, his) = Comparison::start(CALL, bob, [alice], rng).unwrap();
        at_alice.take_commitment(&his, &pair.at_alice, rng).unwrap();
        at_bob.take_commitment(&hers, &pair.at_bob, rng).unwrap();
        let _ = at_alice.opening();
        at_alice.take_opening(&at_bob.opening().unwrap(), &pair.at_alice).unwrap();
        seen.iter_mut().zip(at_alice.emoji().unwrap()).for_each(|(seen, emoji)| _ = seen.insert(emoji.name));
    }
    assert!(seen.iter().all(|seen| seen.len() == 64));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// P-9.20: devices that begin another round at once, in any order of arrival, come to one round and one string.
    #[test]
    fn crossed_rounds_end_in_one(again in proptest::collection::vec(0..4_usize, 0..6), seed: u64) {
        let mut table = Table::new(4);
        let rng = &mut StdRng::seed_from_u64(seed);
        for who in again {
            for _ in 0..rng.random_range(0..20_usize).min(table.sent.len()) {
                table.deliver(rng.random_range(0..table.sent.len()));
            }
            let others = table.others(who, 4);
            let commitment = table.at[who].again(&others, rng).unwrap();
            table.send(who, &commitment.to_bytes());
        }
        table.settle(rng);
        let shown = table.shown();
        prop_assert!(shown[0].is_some());
        prop_assert!(shown.iter().all(|emoji| *emoji == shown[0]));
    }
}
