//! A device restarts in any state, and goes on like one that did not: it writes the same bytes, reads the same, and comes to
//! the same state.

use std::collections::BTreeSet;

use bisik::{Ciphertext, DecryptError, Identity, InitiateOptions, Session};
use bisik_testkit::alice_and_bob::try_read;
use bisik_testkit::fuzz::ratchet_state::Turn;
use bisik_testkit::{AliceAndBob, SeededRng};

use super::ends::{OPENING, ratchet, reloaded, round, state};
use super::line::{Line, Traffic};

/// The state in which a restart was compared, and with what came next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// How the session was opened (docs/formats.md, section 6.5).
    opening: u8,
    /// The state of the braid (section 6.4).
    braid: u8,
    /// Whether a secret of the braid is pending.
    pending: bool,
    /// 0: nothing received; 1: the last step is the own; 2: the peer's.
    turn: u8,
    /// Whether keys of missing messages are kept.
    keeps: bool,
    sends: bool,
}

/// Lets each session do what it does twice: as it is, and as it is after a restart.
#[derive(Default)]
pub(super) struct Twins(BTreeSet<Place>);

impl Twins {
    pub fn encrypt(&mut self, session: &mut Session, plaintext: &[u8], rng: &mut SeededRng) -> Ciphertext {
        let (mut twin, mut repeated) = (self.twin(session, true), rng.clone());
        let message = session.encrypt(plaintext, rng).unwrap();
        assert!(twin.encrypt(plaintext, &mut repeated).unwrap() == message, "a restart changes what is sent");
        assert!((state(&mut twin), &repeated) == (state(session), rng), "a restart changes what sending leaves");
        message
    }

    pub fn decrypt(
        &mut self,
        session: &mut Session,
        identity: &Identity,
        message: &Ciphertext,
    ) -> Result<Vec<u8>, DecryptError> {
        let mut twin = self.twin(session, false);
        let read = try_read(session, identity, message);
        assert!(try_read(&mut twin, identity, message) == read, "a restart changes what is read");
        assert!(state(&mut twin) == state(session), "a restart changes what reading leaves");
        read
    }

    fn twin(&mut self, session: &mut Session, sends: bool) -> Session {
        let (opening, ratchet) = (state(session)[OPENING], ratchet(session));
        let turn = match ratchet.turn {
            Turn::Awaiting => 0,
            Turn::Ours { .. } => 1,
            Turn::Theirs => 2,
        };
        let (braid, pending, keeps) = (ratchet.braid[0], ratchet.pending.is_some(), session.skipped_keys() > 0);
        self.0.insert(Place { opening, braid, pending, turn, keeps, sends });
        reloaded(session)
    }

    fn has(&self, wanted: impl Fn(&Place) -> bool) -> bool {
        self.0.iter().any(wanted)
    }
}

#[test]
fn a_restart_in_any_state_of_braid_and_ratchet_changes_nothing_that_follows() {
    let mut twins = Twins::default();
    let traffic = [
        Traffic::default(),
        Traffic { loss: 30, turns: [(1, 3); 2], ..Traffic::default() },
        Traffic { loss: 30, window: 10, ..Traffic::default() },
        // The keys of one side arrive before the ciphertexts of the other.
        Traffic { turns: [(1, 1), (10, 10)], ..Traffic::default() },
    ];
    for traffic in traffic {
        let mut line = Line::new(31, traffic);
        line.twins = Some(twins);
        line.until(3, 3_000);
        twins = line.twins.unwrap();
    }
    for sends in [false, true] {
        for braid in 0..=10 {
            assert!(twins.has(|place| (place.braid, place.sends) == (braid, sends)), "braid {braid}, sends: {sends}");
        }
        for (turn, keeps, pending) in [(1, false, false), (1, true, false), (1, false, true), (1, true, true)] {
            let turns = if sends { [turn, 2] } else { [turn, turn] };
            for turn in turns {
                let wanted = |place: &Place| {
                    (place.turn, place.keeps, place.pending, place.sends) == (turn, keeps, pending, sends)
                };
                assert!(twins.has(wanted), "turn {turn}, keeps: {keeps}, pending: {pending}, sends: {sends}");
            }
        }
    }
    println!("{} states", twins.0.len());
}

/// With an older session to be bound to, and without.
#[test]
fn a_restart_at_any_moment_of_the_set_up_changes_nothing_that_follows() {
    let mut twins = Twins::default();
    for bound in [false, true] {
        let mut both = AliceAndBob::new(32);
        let (mut older, mut olders_peer) = both.established();
        round(&mut both, &mut older, &mut olders_peer);
        let offers: Vec<_> = older.offer().into_iter().filter(|_| bound).collect();
        let (bundle, now) = (both.verified(true), both.now);
        let options = InitiateOptions { offers: &offers, ..InitiateOptions::default() };
        let mut alice = Session::initiate_with(&both.alice, &bundle, options, now, &mut both.rng).unwrap();
        let labels = reloaded(&mut alice).labels().unwrap();
        assert_eq!(alice.labels(), Some(labels));
        let hello = twins.encrypt(&mut alice, b"halo", &mut both.rng);
        let again = twins.encrypt(&mut alice, b"halo lagi", &mut both.rng);
        let mut bob = both.accept(&hello).session;
        let resumed = reloaded(&mut bob).resume(&labels, &olders_peer.accepts());
        assert_eq!(bob.resume(&labels, &olders_peer.accepts()), resumed);
        assert_eq!(resumed.unwrap().is_some(), bound);
        assert_eq!(twins.decrypt(&mut bob, &both.bob, &again).unwrap(), b"halo lagi");
        for text in [b"hai", b"apa", b"ini"] {
            let answer = twins.encrypt(&mut bob, text, &mut both.rng);
            assert_eq!(twins.decrypt(&mut alice, &both.alice, &answer).unwrap(), text);
            let reply = twins.encrypt(&mut alice, text, &mut both.rng);
            assert_eq!(twins.decrypt(&mut bob, &both.bob, &reply).unwrap(), text);
        }
        assert_eq!(bob.bound_by().is_some(), bound);
    }
    for opening in 0..=3 {
        for sends in [false, true] {
            assert!(twins.has(|place| (place.opening, place.sends) == (opening, sends)), "{opening}, {sends}");
        }
    }
}
