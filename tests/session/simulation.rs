//! Hundreds of pairs on a simulated network: delivery, forward secrecy, post-compromise security, and recovery after a
//! rollback.
//!
//! The simulation compares every outcome with its model. These tests add the promises to users: who can read which
//! messages.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bisik::rand_core::Rng;
use bisik::{AcceptError, DecryptError};
use bisik_testkit::simulation::checked_session::CheckedSession;
use bisik_testkit::{Crash, Envelope, Event, Outcome, Pair, SeededRng, Side, Simulation};

/// All events happen at random: backups restored with repeating generators, crashes between any two steps, an attacker
/// who sends. The simulation panics unless every outcome matches the model, a refusal changes nothing, no salt repeats,
/// and no message is read twice.
#[test]
fn every_outcome_matches_the_model() {
    let pairs = PAIRS / 4;
    let mut simulation = Simulation::new(1, pairs);
    let mut rng = SeededRng::new(1);
    for _ in 0..160 * pairs {
        let mut bytes = [0; 8];
        rng.fill_bytes(&mut bytes);
        simulation.apply(rng.below(pairs), Event::read(&mut bytes.as_slice()).unwrap());
    }
    simulation.settle();

    // Each kind of outcome occurred, so the run tested something.
    let outcomes: Vec<_> =
        simulation.pairs.iter().flat_map(|pair| &pair.outcomes).map(|(_, outcome)| *outcome).collect();
    for expected in [
        Outcome::NotDecrypted(DecryptError::Duplicate),
        Outcome::NotDecrypted(DecryptError::Spent),
        Outcome::NotDecrypted(DecryptError::Diverged),
        Outcome::NotDecrypted(DecryptError::Rejected),
        Outcome::NotAccepted(AcceptError::UnknownPreKey),
        Outcome::NotAccepted(AcceptError::NotPreKeyMessage),
    ] {
        assert!(outcomes.contains(&expected), "{expected:?} was never met");
    }
    let forked = |outcome: &Outcome| matches!(outcome, Outcome::NotDecrypted(DecryptError::Forked { .. }));
    assert!(outcomes.iter().any(forked), "no fork was met");
    let read = outcomes.iter().filter(|outcome| **outcome == Outcome::Read).count();
    assert!(read > 20 * pairs, "{read} messages were read");
}

#[test]
fn every_message_not_lost_is_delivered_exactly_once() {
    let mut simulation = Simulation::new(2, PAIRS);
    let mut traffic = Traffic::new(2);
    for _ in 0..30 * PAIRS {
        traffic.honest_event(&mut simulation);
    }
    simulation.settle();
    assert!(simulation.pairs.iter().map(|pair| pair.log.len() - pair.lost.len()).sum::<usize>() > 8 * PAIRS);
    for pair in &simulation.pairs {
        if let Some(envelope) = pair.unread().next() {
            let outcomes: Vec<_> = pair.outcomes.iter().filter(|(id, _)| *id == envelope.id).collect();
            panic!("neither lost nor read: {outcomes:?}");
        }
        for (id, outcome) in &pair.outcomes {
            let duplicate = matches!(
                outcome,
                Outcome::NotDecrypted(DecryptError::Duplicate | DecryptError::Spent | DecryptError::Rejected)
                    | Outcome::NotAccepted(AcceptError::UnknownPreKey | AcceptError::Replayed)
            );
            assert!(*outcome == Outcome::Read || duplicate, "message {id}: {outcome:?}");
        }
    }
}

#[test]
fn simultaneous_initiation_converges_on_one_session() {
    let mut simulation = Simulation::new(3, PAIRS / 2);
    let mut traffic = Traffic::new(3);
    for pair in 0..simulation.pairs.len() {
        simulation.apply(pair, Event::Send { from: Side::Left, length: 3 });
        simulation.apply(pair, Event::Send { from: Side::Right, length: 3 });
    }
    assert!(simulation.pairs.iter().all(|pair| pair.log[0].session != pair.log[1].session), "two sessions each");
    for _ in 0..10 * PAIRS {
        traffic.honest_event(&mut simulation);
    }
    simulation.settle();
    for index in 0..simulation.pairs.len() {
        // One message each way that is not lost.
        for from in Side::BOTH {
            say(&mut simulation, index, from);
        }
        let pair = &mut simulation.pairs[index];
        let [left, right] = preferred(pair);
        assert_eq!(left, right, "both go on in the same session");
        assert_eq!(pair.unread().count(), 0, "and have read the messages of the other");
    }
}

#[test]
fn a_stolen_state_cannot_decrypt_earlier_messages() {
    let mut simulation = Simulation::new(4, PAIRS / 2);
    let mut traffic = Traffic::new(4);
    for _ in 0..20 * PAIRS {
        traffic.honest_event(&mut simulation);
    }
    let mut readable = 0;
    for pair in &simulation.pairs {
        for device in &pair.devices {
            let mut copy: Vec<_> = device.live.sessions.iter().map(CheckedSession::duplicate).collect();
            let mut reads = |envelope: &Rc<Envelope>| {
                copy.iter_mut().any(|checked| checked.session.stage(&device.identity, &envelope.ciphertext).is_ok())
            };
            for id in &device.live.read {
                assert!(!reads(&pair.log[*id]), "read, and readable again");
            }
            readable += pair.in_flight.iter().filter(|envelope| reads(envelope)).count();
        }
    }
    assert!(readable > PAIRS / 8, "messages in flight are readable: otherwise this shows nothing");
}

#[test]
fn a_stolen_state_is_useless_after_one_round_trip() {
    let mut simulation = Simulation::new(5, PAIRS / 2);
    let mut traffic = Traffic::new(5);
    for _ in 0..8 * PAIRS {
        traffic.honest_event(&mut simulation);
    }
    simulation.settle();
    for (index, victim) in (0..PAIRS / 2).zip(Side::BOTH.into_iter().cycle()) {
        let peer = victim.other();
        // It is now the victim's turn to step; at that moment its state is copied.
        for from in [victim, peer, victim, peer] {
            say(&mut simulation, index, from);
        }
        simulation.apply(index, Event::Copy { side: victim });
        let before = say(&mut simulation, index, peer);
        say(&mut simulation, index, victim);
        let after = [peer, victim, peer, peer, victim, peer].map(|from| say(&mut simulation, index, from));
        let spied = &simulation.pairs[index].spied;
        assert!(spied.contains(&before), "before the victim steps, the copy is as good as the original");
        assert!(after.iter().all(|id| !spied.contains(id)), "the copy still reads after both have stepped");
    }
}

#[test]
fn an_active_attacker_is_locked_out_after_one_round_trip() {
    let mut simulation = Simulation::new(6, PAIRS / 2);
    for (index, victim) in (0..PAIRS / 2).zip(Side::BOTH.into_iter().cycle()) {
        for from in [victim, victim.other(), victim, victim.other()] {
            say(&mut simulation, index, from);
        }
        simulation.apply(index, Event::Copy { side: victim });
        let healed = index % 4 < 2;
        if healed {
            say(&mut simulation, index, victim);
            say(&mut simulation, index, victim.other());
        }
        simulation.apply(index, Event::Forge { side: victim });
        simulation.apply(index, Event::Deliver { nth: 0 });
        let (_, outcome) = simulation.pairs[index].outcomes.last().unwrap();
        if healed {
            let forked = matches!(outcome, Outcome::NotDecrypted(DecryptError::Forked { number: 0, .. }));
            assert!(forked, "two steps from one root are evidence of a copy: {outcome:?}");
            let genuine = say(&mut simulation, index, victim);
            assert!(is_read(&simulation.pairs[index], genuine), "the forgery disturbs nothing");
        } else {
            assert_eq!(*outcome, Outcome::Read, "until then the two cannot be distinguished");
        }
    }
}

#[test]
fn a_restored_device_reads_nothing_twice_and_recovers_by_a_new_session() {
    let mut simulation = Simulation::new(7, PAIRS / 2);
    let mut traffic = Traffic::new(7);
    for _ in 0..6 * PAIRS {
        traffic.honest_event(&mut simulation);
    }
    simulation.settle();
    for (index, side) in (0..PAIRS / 2).zip(Side::BOTH.into_iter().cycle()) {
        let age = u8::try_from(1 + index % 10).unwrap();
        simulation.apply(index, Event::Restore { side, age, rewind: index % 4 < 2 });
        for from in [side, side, side.other(), side, side.other()] {
            say(&mut simulation, index, from);
        }
        let pair = &simulation.pairs[index];
        let read = &pair.devices[side.other().index()].live.read;
        let places: BTreeSet<_> = read.iter().map(|id| (pair.log[*id].session, pair.log[*id].stamp.key())).collect();
        assert_eq!(places.len(), read.len(), "two messages of the same key were read");

        simulation.apply(index, Event::Renew { side });
        let after = [side, side.other(), side, side.other()].map(|from| say(&mut simulation, index, from));
        let pair = &mut simulation.pairs[index];
        assert!(after.iter().all(|id| is_read(pair, *id)), "a new session repairs it");
        let [left, right] = preferred(pair);
        assert_eq!(left, right);
    }
    // Both effects of a rollback occurred.
    let outcomes = || simulation.pairs.iter().flat_map(|pair| &pair.outcomes).map(|(_, outcome)| *outcome);
    assert!(outcomes().any(|outcome| matches!(outcome, Outcome::NotDecrypted(DecryptError::Forked { .. }))));
    assert!(outcomes().any(|outcome| outcome == Outcome::NotDecrypted(DecryptError::Diverged)));
}

/// Honest traffic over a bad network: loss, duplicates, damage, partitions, crashes, time. No message is overtaken by
/// more than four others, so its chain is still known when it arrives (P-4.18).
struct Traffic {
    rng: SeededRng,
    overtaken: BTreeMap<usize, (usize, u32)>,
}

impl Traffic {
    fn new(seed: u64) -> Self {
        Self { rng: SeededRng::new(seed), overtaken: BTreeMap::new() }
    }

    fn honest_event(&mut self, simulation: &mut Simulation) {
        let index = self.rng.below(simulation.pairs.len());
        let nth = self.next(index, &simulation.pairs[index]);
        let [kind, from, at, value] = self.rng.next_u32().to_be_bytes();
        let from = if from % 2 == 0 { Side::Left } else { Side::Right };
        let crash = if at % 2 == 0 { Crash::BeforeStore } else { Crash::AfterStore };
        let at = u16::from_be_bytes([at, value]);
        let event = match kind {
            0..100 => Event::Send { from, length: value },
            100..200 => Event::Deliver { nth },
            200..206 => Event::SendThenCrash { from, at: crash },
            206..212 => Event::DeliverThenCrash { nth, at: crash },
            212..222 => Event::Duplicate { nth: value },
            222..226 => Event::Drop { nth: value },
            226..232 => Event::Corrupt { nth: value, at, mask: 1 << (value % 8) },
            232..234 => Event::Cut { nth: value, keep: at },
            234..236 => Event::Extend { nth: value, by: value },
            236..238 => Event::Reflect { nth: value },
            238..240 => Event::Partition,
            240..248 => Event::Heal,
            248..252 => Event::Restart { side: from },
            252..255 => Event::Copy { side: from },
            255 => Event::Advance { days: value % 8 },
        };
        simulation.apply(index, event);
    }

    /// Which envelope arrives next: the first, or the second unless it has overtaken the first four times already.
    fn next(&mut self, index: usize, pair: &Pair) -> u8 {
        let [first, _, ..] = pair.in_flight.as_slice() else { return 0 };
        let (id, times) = self.overtaken.entry(index).or_default();
        if *id != first.id {
            (*id, *times) = (first.id, 0);
        }
        if *times < 4 && self.rng.below(2) == 0 {
            *times += 1;
            return 1;
        }
        0
    }
}

/// One message, delivered at once.
fn say(simulation: &mut Simulation, index: usize, from: Side) -> usize {
    simulation.apply(index, Event::Send { from, length: 5 });
    let id = simulation.pairs[index].log.len() - 1;
    simulation.apply(index, Event::Deliver { nth: 0 });
    id
}

fn is_read(pair: &Pair, id: usize) -> bool {
    pair.devices[pair.log[id].from.other().index()].live.read.contains(&id)
}

/// The ids of the sessions in which the two devices keep sending.
fn preferred(pair: &mut Pair) -> [[u8; 16]; 2] {
    Side::BOTH.map(|side| {
        let device = pair.device(side);
        let index = device.preferred().unwrap();
        *device.live.sessions[index].session.id()
    })
}

/// How many pairs a test simulates.
const PAIRS: usize = 200;
