//! How soon a session heals: the state of either side is copied after every message of a conversation, and each copy
//! reads on until it cannot.
//!
//! A copy is given to three: to the library, as a [`Session`]; to a thief who knows the format; and to one that has a
//! quantum computer besides ([`super::thief`]). What each can read is known in advance: the first two until the robbed side
//! steps, the third until a step mixes an epoch for which the robbed side drew after the theft. This is asserted of every
//! copy and message. How many messages that takes is measured.
//!
//! Real are the sessions, their records, the network's messages, and every plaintext that a thief gets. Of the quantum
//! computer, what it finds is given to him: the secret of each ratchet key that he has read.

use bisik::{Ciphertext, Session};
use bisik_testkit::alice_and_bob::try_read;
use bisik_testkit::fuzz::overheard::Overheard;
use bisik_testkit::fuzz::ratchet_state::Turn;

use super::ends::{ratchet, reloaded};
use super::line::{Line, PLAINTEXT, Traffic};
use super::thief::{Logarithms, Seen, Thief};

/// Messages and turns.
type Span = (u32, u32);

/// One copy, with everybody who reads on from it.
struct Copy {
    victim: usize,
    /// What had been sent when it was made.
    at: Span,
    /// The victim's next own step, which has a pair that is not in the copy.
    next_own: u32,
    /// The first epoch for which the victim had not drawn.
    undrawn: u32,
    library: Session,
    own: Logarithms,
    /// The thief without and with a quantum computer, each with the last message that he read.
    thieves: [(Thief, Span); 2],
}

/// A message on the wire.
struct Sent<'a> {
    from: usize,
    ciphertext: &'a Ciphertext,
    overheard: Overheard,
    /// The step of its chain, and the newest step of all.
    chain: u32,
    newest: u32,
}

/// How long the copies of one conversation were of use.
#[derive(Debug, Default, PartialEq, Eq)]
struct Healing {
    /// To a thief without a quantum computer, and to one that has it.
    spans: [Vec<Span>; 2],
    /// The longest epoch, in messages.
    longest: u32,
    /// How many epochs there were, and the messages of all of them.
    epochs: Span,
}

impl Copy {
    fn new(line: &mut Line, victim: usize, logarithms: &Logarithms) -> Self {
        let state = ratchet(&mut line.sessions[victim]);
        let mut own = Logarithms::default();
        own.note(&state);
        let mut thieves = [&own, logarithms].map(|known| (Thief::new(&state, victim == 0), known));
        let mut library = reloaded(&mut line.sessions[victim]);
        // What is in flight was recorded.
        let mut waiting: Vec<_> = line.in_flight.iter().filter(|(to, ..)| *to == victim).collect();
        waiting.sort_unstable_by_key(|(_, number, _)| *number);
        for (.., message) in waiting {
            // Some are of chains that have ended.
            let _ = try_read(&mut library, [&line.both.alice, &line.both.bob][victim], message);
            for (thief, known) in &mut thieves {
                thief.see(&Overheard::new(&state.binding, message.as_bytes()), true, known);
            }
        }
        let (at, thieves) = ((line.sent, line.turns), thieves.map(|(thief, _)| (thief, (0, 0))));
        let steps = if matches!(state.turn, Turn::Ours { .. }) { 2 } else { 1 };
        let drawn = !matches!(state.braid[0], KEYS_UNSAMPLED | NO_HEADER_RECEIVED | HEADER_RECEIVED);
        Self {
            victim,
            at,
            next_own: state.step + steps,
            undrawn: state.braid_epoch + u32::from(drawn),
            library,
            own,
            thieves,
        }
    }

    /// All try a message, except those to whom the copy is of no use any more.
    fn see(&mut self, line: &Line, message: &Sent<'_>, logarithms: &Logarithms) {
        let after = (line.sent - self.at.0, line.turns - self.at.1);
        let Sent { from, ciphertext, overheard, chain, newest } = message;
        let from_peer = *from != self.victim;
        if from_peer && *newest <= self.next_own + 1 {
            let identity = [&line.both.alice, &line.both.bob][self.victim];
            let read = try_read(&mut self.library, identity, ciphertext);
            assert_eq!(read.is_ok(), *chain < self.next_own, "{read:?}: the library reads until the robbed side steps");
        }
        for ((thief, last), known) in self.thieves.iter_mut().zip([&self.own, logarithms]) {
            if thief.closed().is_some_and(|closed| *newest > closed.step + 1) {
                continue;
            }
            let seen = thief.see(overheard, from_peer, known);
            let expected = match thief.closed() {
                Some(closed) if *chain == closed.step => Seen::Header,
                Some(closed) if *chain > closed.step => Seen::Nothing,
                _ => Seen::Read(PLAINTEXT.to_vec()),
            };
            assert_eq!(seen, expected, "bodies are closed from one step on, headers one chain later");
            if matches!(seen, Seen::Read(_)) {
                *last = after;
            }
        }
    }

    /// Whether nothing can be read any more. `newest` is the newest step.
    fn is_useless(&self, newest: u32) -> bool {
        let closed = self.thieves.each_ref().map(|(thief, _)| thief.closed());
        if let Some(classical) = closed[0] {
            assert_eq!(
                (classical.step, classical.epoch),
                (self.next_own, None),
                "the next step of the robbed side heals"
            );
        }
        let Some(quantum) = closed[1] else { return false };
        assert_eq!(quantum.epoch, Some(self.undrawn), "the first secret drawn after the theft heals");
        newest > quantum.step
    }
}

impl Healing {
    /// Copies both sides after each of the first `copied` messages that `every` divides, and goes on until no copy is of
    /// use.
    fn measure(seed: u64, traffic: Traffic, copied: u32, every: u32) -> Self {
        let (mut line, mut healing, mut logarithms) =
            (Line::new(seed, traffic), Self::default(), Logarithms::default());
        let (mut copies, mut newest): (Vec<Copy>, u32) = (Vec::new(), 0);
        let (mut mixed, mut since) = (0, 0);
        for side in 0..2 {
            logarithms.note(&ratchet(&mut line.sessions[side]));
        }
        while line.sent < copied || !copies.is_empty() {
            if line.sent < copied && line.sent.is_multiple_of(every) {
                copies.extend([0, 1].map(|victim| Copy::new(&mut line, victim, &logarithms)));
            }
            let (from, ciphertext) = line.send();
            let state = ratchet(&mut line.sessions[from]);
            logarithms.note(&state);
            newest = newest.max(state.step);
            let overheard = Overheard::new(&state.binding, ciphertext.as_bytes());
            let message = Sent { from, ciphertext: &ciphertext, overheard, chain: state.step, newest };
            copies.iter_mut().for_each(|copy| copy.see(&line, &message, &logarithms));
            copies.retain(|copy| {
                let useless = copy.is_useless(newest);
                if useless {
                    let spans = copy.thieves.each_ref().map(|(_, last)| *last);
                    healing.spans.iter_mut().zip(spans).for_each(|(all, span)| all.push(span));
                }
                !useless
            });
            line.deliver();
            let [one, other] = line.epochs();
            if one.min(other) > mixed {
                healing.longest = healing.longest.max(line.sent - since);
                healing.epochs = (one.min(other), line.sent);
                (mixed, since) = (one.min(other), line.sent);
            }
            assert!(line.sent - since < STANDS_STILL, "the braid stands still in epoch {mixed}");
        }
        healing
    }

    fn worst(&self, thief: usize) -> Span {
        let spans = &self.spans[thief];
        let most = |of: fn(&Span) -> u32| spans.iter().map(of).max().unwrap();
        (most(|span| span.0), most(|span| span.1))
    }

    fn print(&self, title: &str) {
        for (thief, name) in ["without", "with"].into_iter().enumerate() {
            let spans = &self.spans[thief];
            let mean = |of: fn(&Span) -> u32| spans.iter().map(of).sum::<u32>() / u32::try_from(spans.len()).unwrap();
            let ((messages, turns), count) = (self.worst(thief), spans.len());
            println!(
                "{title}, {name} a quantum computer: {messages} worst / {} mean messages, {turns} / {} turns, {count} \
                 copies",
                mean(|span| span.0),
                mean(|span| span.1)
            );
        }
        println!("{title}: {} messages an epoch, the longest {}", self.epochs.1 / self.epochs.0, self.longest);
    }
}

/// P-5.3
#[test]
fn a_copied_state_is_useless_within_two_epochs_even_with_a_quantum_computer() {
    for (loss, window, copied, every) in [(0, 1, 360, 1), (30, 1, 300, 4), (30, 30, 360, 24)] {
        let healing = Healing::measure(21, Traffic { loss, window, ..Traffic::default() }, copied, every);
        healing.print(&format!("{loss} % loss, {window} in flight"));
        let in_flight = u32::try_from(window).unwrap();
        let (classical, quantum) = (healing.worst(0).0, healing.worst(1).0);
        assert!(quantum <= 2 * healing.longest + in_flight, "{quantum} messages");
        assert!(quantum > healing.longest, "some copies have the secret of an epoch that has begun");
        if (loss, window) == (0, 1) {
            assert!(quantum <= 180, "{quantum} messages");
            assert_eq!(classical, 1, "the next message of the peer, before the robbed side answers");
        }
    }
}

#[test]
fn restarts_after_every_message_change_nothing_in_how_soon_a_session_heals() {
    for (loss, window, copied, every) in [(0, 1, 180, 6), (30, 10, 180, 30)] {
        let [with, without] = [true, false].map(|restarts| {
            Healing::measure(22, Traffic { loss, window, restarts, ..Traffic::default() }, copied, every)
        });
        assert_eq!(with, without);
    }
}

/// The figures of docs/spec/rationale.md.
#[test]
#[ignore = "takes minutes: cargo test --release --test session healing -- --ignored --nocapture"]
fn how_soon_sessions_heal() {
    let traffic = |(left, right), loss, window| Traffic { loss, window, turns: [left, right], restarts: false };
    let cases = [
        ("1 a turn", traffic(((1, 1), (1, 1)), 0, 1)),
        ("3 a turn", traffic(((3, 3), (3, 3)), 0, 1)),
        ("1 to 5 a turn", traffic(((1, 5), (1, 5)), 0, 1)),
        ("10 a turn", traffic(((10, 10), (10, 10)), 0, 1)),
        ("1 against 10", traffic(((1, 1), (10, 10)), 0, 1)),
        ("1 a turn", traffic(((1, 1), (1, 1)), 30, 1)),
        ("1 a turn", traffic(((1, 1), (1, 1)), 0, 30)),
        ("3 a turn", traffic(((3, 3), (3, 3)), 10, 8)),
        ("3 a turn", traffic(((3, 3), (3, 3)), 30, 30)),
    ];
    for (name, traffic) in cases {
        let mut all = Healing::default();
        for seed in 0..3 {
            let healing = Healing::measure(seed, traffic, 3_000, 1);
            assert!(healing.worst(1).0 <= 2 * healing.longest + 30);
            all.longest = all.longest.max(healing.longest);
            all.epochs = (all.epochs.0 + healing.epochs.0, all.epochs.1 + healing.epochs.1);
            all.spans.iter_mut().zip(healing.spans).for_each(|(all, spans)| all.extend(spans));
        }
        all.print(&format!("{name}, {} % loss, {} in flight", traffic.loss, traffic.window));
    }
}

/// The states of the braid before the draw of an epoch (docs/formats.md, section 6.4).
const KEYS_UNSAMPLED: u8 = 0;
const NO_HEADER_RECEIVED: u8 = 5;
const HEADER_RECEIVED: u8 = 6;
/// More messages than an epoch takes here.
const STANDS_STILL: u32 = 3_000;
